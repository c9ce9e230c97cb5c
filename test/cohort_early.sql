-- Rolling windows with an early part: an event at most that much before a boundary belongs to the window that begins
-- there.  Against plain SQL on random logs of renewals, in every form.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
SET jit = off;
SET TimeZone = 'Asia/Tokyo';

-- Ten people who never miss a payment, every second one two minutes before its anniversary.
CREATE TABLE paid AS SELECT c, timestamptz '2025-01-10 12:00+00' + k * interval '1 month' - k % 2 * interval '2 minutes'
  AS at FROM generate_series(1, 10) c, generate_series(0, 5) k;
SELECT is((SELECT array_agg(r.retained ORDER BY r.period) FROM (SELECT cohort_retention(c, at, 'month', interval
  '1 month',
    early, 'UTC') AS t FROM paid) q, cohort_rows(t, timestamp '2025-06-11') r WHERE r.at_risk > 0), want::bigint[],
  'ten who never miss, early by ' || early)
FROM (VALUES (interval '0', '{10,0,10,0,10}'), ('1 minute', '{10,0,10,0,10}'), ('2 minutes', '{10,10,10,10,10}'),
  ('1 hour', '{10,10,10,10,10}'), ('1 day', '{10,10,10,10,10}')) v (early, want);
SELECT is((SELECT cohort_retention(c, at, 'month', interval '1 month', interval '0', 'UTC')::text FROM paid),
  (SELECT cohort_retention(c, at, 'month', interval '1 month', 'UTC')::text FROM paid),
    'no early part has the bytes of none');

-- Logs: renewals some days or seconds off, doubled, forgotten; and who only joins.
SELECT setseed(0.4711) \g /dev/null
CREATE TABLE log AS SELECT c, joined, joined + k * interval '1 month'
  + (ARRAY[interval '0', '-1 microsecond', '1 microsecond', '-1 hour', '-1 hour 1 microsecond', '-59 minutes',
    '-3 days',
    '-1 day', '5 days', '-2 days'])[1 + floor(random() * 10)::integer] AS at
  FROM (SELECT c, timestamp '2024-01-31 10:00' + c % 61 * interval '1 day' + c % 7 * interval '1 hour' AS joined
    FROM generate_series(1, 150) c) q, generate_series(0, 9) k WHERE random() < 0.8;
-- the events that count are those from the start on; a start is the first event, or joined
CREATE FUNCTION pg_temp.cells(started text, width interval, early interval, as_of timestamp)
  RETURNS TABLE (cohort timestamp, period integer, size bigint, at_risk bigint, retained bigint, seen bigint)
  LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY EXECUTE format('WITH anchor AS (SELECT c, min(%s) AS a FROM log GROUP BY c),
    event AS (SELECT DISTINCT c, (SELECT max(k) FROM generate_series(0, 60) k WHERE k = 0 OR a + $1 * k - $2 <= at) AS k
      FROM log JOIN anchor USING (c) WHERE at >= a),
    cohort AS (SELECT date_trunc(''month'', a) AS cohort, count(*) AS size FROM anchor GROUP BY 1)
    SELECT cohort, w::integer, size, count(*) FILTER (WHERE closed),
      CASE WHEN count(*) FILTER (WHERE closed) > 0 THEN count(k) FILTER (WHERE closed) END, count(k)
    FROM cohort JOIN anchor ON date_trunc(''month'', a) = cohort
      CROSS JOIN generate_series(0, 60) w LEFT JOIN event e ON e.c = anchor.c AND e.k = w,
      LATERAL (SELECT a + $1 * (w + 1) - $2 <= $3) x (closed)
    WHERE cohort + $1 * w - $2 <= $3 OR w = 0 GROUP BY cohort, w, size', started) USING width, early, as_of;
END $$;
CREATE FUNCTION pg_temp.made(form text, width interval, early interval) RETURNS cohort_table LANGUAGE plpgsql AS $$
DECLARE t cohort_table;
BEGIN
  EXECUTE format('SELECT %s FROM log', CASE form WHEN 'first' THEN 'cohort_retention(c, at, ''month'', $1, $2)'
    WHEN 'joined' THEN 'cohort_retention(c, joined, at, ''month'', $1, $2)'
    WHEN 'first zoned' THEN 'cohort_retention(c, at AT TIME ZONE ''UTC'', ''month'', $1, $2, ''UTC'')'
    WHEN 'joined zoned' THEN 'cohort_retention(c::text, joined AT TIME ZONE ''UTC'', at AT TIME ZONE ''UTC'', ''month'',
      $1, $2, ''UTC'')' END) INTO t USING width, early;
  RETURN t;
END $$;
SELECT set_eq(format('SELECT r.cohort, r.period, r.size, r.at_risk, r.retained, r.seen
    FROM cohort_rows(pg_temp.made(%L, %L, %L), timestamp %L) r', form, width, early, as_of),
  format('SELECT * FROM pg_temp.cells(%L, %L, %L, %L)', CASE WHEN form ~ 'joined' THEN 'joined' ELSE 'at' END, width,
    early, as_of), format('%s, windows of %s, early by %s, as of %s', form, width, early, as_of))
FROM unnest('{first,joined,first zoned,joined zoned}'::text[]) form,
  (VALUES ('1 month', '1 hour'), ('1 month', '1 day'), ('30 days', '2 days'), ('20 days 5 hours',
    '59 minutes 30 seconds'),
    ('1 month', '0')) v (width, early), unnest('{2024-06-11 10:00,2024-12-31 23:59:59}'::timestamp[]) as_of;
SELECT is((SELECT rollup(t)::text FROM (SELECT cohort_retention(c, joined, at, 'month', interval '1 month',
    interval '1 day') AS t FROM log GROUP BY c % 5) q), pg_temp.made('joined', '1 month', '1 day')::text,
      'thirds add up');
SELECT is(t::text::cohort_table::text, t::text, 'text round trip')
  FROM (SELECT pg_temp.made('first', '1 month', '1 day') AS t) q;

-- Large states give instants up for windows.
CREATE TABLE large AS SELECT c * 100 + g AS c, joined, at FROM log, generate_series(0, 119) g WHERE c % 10 <> g % 10;
SELECT is((SELECT cohort_retention(c, joined, at, 'month', interval '1 month', interval '1 hour')::text FROM large),
  (SELECT rollup(t)::text FROM (SELECT cohort_retention(c, joined, at, 'month', interval '1 month', interval
    '1 hour') AS t
    FROM large GROUP BY c % 50) q), 'a large state is the sum of small ones');

-- Histories: days, so that whole days count.
CREATE TABLE h AS SELECT c, customer_history(at) AS h FROM log GROUP BY c;
SELECT is((SELECT cohort_retention(h, 'month', width, early)::text FROM h),
  (SELECT cohort_retention(c, at::date, 'month', width, early)::text FROM log),
  format('histories, windows of %s, early by %s', width, early))
FROM (VALUES (interval '1 month', interval '2 days'), ('30 days', '3 days 5 hours'), ('1 month 1 day', '1 day'),
  ('36 hours', '13 hours'), ('1 month', '0')) v (width, early);

-- What does not go together, and what is no early part.
SELECT throws_ok($$SELECT rollup(t) FROM (SELECT cohort_retention(1, now(), 'month', interval '1 month',
  make_interval(days => d), 'UTC') AS t FROM generate_series(1, 2) d GROUP BY d) q$$, '22023', NULL,
    'two different ones');
SELECT throws_ok(format('SELECT cohort_retention(1, date ''2024-01-01'', ''month'', interval ''1 month'', interval %L)',
  early), '22023', format('early must be an interval from 0 to less than a window, not "%s"', early::interval), early)
FROM unnest('{-1 day,1 month,28 days,1 day -1 hour}'::text[]) early;
SELECT throws_ok('SELECT cohort_retention(1, date ''2024-01-01'', ''month'', interval ''1 month'', NULL::interval)',
  '22004', 'early must not be NULL', 'NULL');
SELECT throws_ok($$SELECT cohort_retention(h, 'month', interval '1 month', make_interval(days => c::integer % 2)) FROM h$$,
  '22023', 'early must be the same in all rows of a group', 'and of one kind in a group');
SELECT is((SELECT (s.return_window, s.early, s.time_zone)::text FROM (SELECT cohort_retention(c, at, 'month',
    interval '1 month', interval '26 hours', 'UTC') AS t FROM paid) q, cohort_summary(t) s),
  '("1 mon","1 day 02:00:00",UTC)', 'cohort_summary shows it')
UNION ALL SELECT is((SELECT t::jsonb -> 'window' FROM (SELECT cohort_retention(c, at, 'month', interval '1 month',
    interval '26 hours', 'UTC') AS t FROM paid) q),
      '{"days": 0, "months": 1, "seconds": 0.0, "early_seconds": 93600.0}',
  'and so does jsonb');
SELECT * FROM finish();
ROLLBACK;
