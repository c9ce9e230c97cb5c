-- cohort_table in and out: text, binary, jsonb, equality; and thousands of damaged values, of which each must be
-- refused, or be a value that every accessor can read.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\getenv seed RETENTION_SEED
\getenv cases RETENTION_CASES
\if :{?seed}
\else
SELECT floor(random() * 1e9)::integer AS seed \gset
\endif
\if :{?cases}
\else
\set cases 1
\endif
SELECT diag('seed ' || :'seed');
SELECT setseed(:seed / 1e9) \g /dev/null
SET TimeZone = 'UTC';

CREATE TABLE ev AS SELECT n % 13 AS customer, timestamptz '2024-01-01' + make_interval(hours => n % 13 * 100) AS
  joined_at, timestamptz '2024-01-01' + make_interval(hours => n * n % 997 * 3) AS at FROM generate_series(1, 60) n;
CREATE TABLE value (o serial, title text, t cohort_table);
INSERT INTO value (title, t) SELECT 'empty', cohort_retention(customer, at, 'month') FROM ev WHERE false;
INSERT INTO value (title, t) SELECT 'one customer', cohort_retention(customer, at, 'month', 'UTC') FROM ev
  WHERE customer = 1;
INSERT INTO value (title, t) SELECT 'months', cohort_retention(customer, at, 'month', 'Europe/Paris') FROM ev;
INSERT INTO value (title, t) SELECT 'dates, no zone', cohort_retention(customer, at::date, 'week:friday') FROM ev;
INSERT INTO value (title, t) SELECT 'hours', cohort_retention(customer, at, 'hour', 'Australia/Lord_Howe') FROM ev;
INSERT INTO value (title, t) SELECT 'windows',
  cohort_retention(customer, at, 'week', interval '1 month 2 days 03:00:00.5', 'America/New_York') FROM ev;
INSERT INTO value (title, t) SELECT 'joined', cohort_retention(customer, joined_at, at, 'day', 'UTC') FROM ev;
INSERT INTO value (title, t) SELECT 'joined, windows of dates',
  cohort_retention(customer, joined_at::date, at::date, 'month', interval '7 days') FROM ev;
INSERT INTO value (title, t) SELECT 'joined, no returns',
  cohort_retention(customer, joined_at, NULL::date, 'month', 'UTC') FROM ev;
INSERT INTO value (title, t) SELECT '44 BC to 9999', cohort_retention(customer, at, 'year')
  FROM (VALUES (1, timestamp '0044-03-15 BC'), (1, '9999-12-31'), (2, '1969-12-31')) v (customer, at);
INSERT INTO value (title, t) SELECT 'histories', cohort_retention(h, 'month')
  FROM (SELECT customer_history(at, 1.5, 'UTC') AS h FROM ev GROUP BY customer) q;
INSERT INTO value (title, t) SELECT 'windows of histories', cohort_retention(h, 'week:sunday', interval '30 days')
  FROM (SELECT customer_history(at, 'UTC') AS h FROM ev GROUP BY customer) q;

-- Round trips.
SELECT is(t::text::cohort_table::text, t::text, 'text: ' || title) FROM value ORDER BY o;
SELECT ok(t::text::cohort_table = t AND NOT t::text::cohort_table <> t, 'equal after it: ' || title)
  FROM value ORDER BY o;
SELECT ok(t::text ~ '^[A-Za-z0-9+/]*=*$', 'one plain word: ' || title) FROM value ORDER BY o;
SELECT is(count(*) FILTER (WHERE a.t = b.t), count(*) FILTER (WHERE a.o = b.o), 'all different') FROM value a, value b;
SELECT is(count(*) FILTER (WHERE a.t <> b.t), count(*) FILTER (WHERE a.o <> b.o), 'all different by <>')
  FROM value a, value b;
SELECT is((SELECT count(*) FROM (SELECT DISTINCT t FROM (TABLE value UNION ALL TABLE value) v) d),
  (SELECT count(*) FROM value), 'DISTINCT')
  WHERE EXISTS (SELECT FROM pg_opclass WHERE opcintype = 'cohort_table'::regtype);
SELECT is((SELECT NULL::cohort_table = t FROM value LIMIT 1), NULL, 'nothing equals NULL');
SELECT is((SELECT string_agg(r::text, ';') FROM cohort_rows(t::text::cohort_table, measure => 'streak') r),
  (SELECT string_agg(r::text, ';') FROM cohort_rows(t, measure => 'streak') r), 'rows after a round trip: ' || title)
  FROM value WHERE o < 10 ORDER BY o;

-- Binary, through a pipe in COPY's own format.
CREATE TABLE received (LIKE value);
\set pipe `mktemp`
\setenv RETENTION_TEST_PIPE :pipe
\copy value to program 'cat > "$RETENTION_TEST_PIPE"' with (format binary)
\copy received from program 'cat "$RETENTION_TEST_PIPE"' with (format binary)
\! rm -f "$RETENTION_TEST_PIPE"
SELECT is(r.t::text, v.t::text, 'binary: ' || v.title) FROM value v LEFT JOIN received r USING (o) ORDER BY o;

-- Stored, compressed, out of line.
CREATE TABLE large AS SELECT cohort_retention(c, date '2024-01-01' + c * c % 997 * (k + 1) % 1009, 'day',
  interval '1 day') AS t FROM generate_series(1, 3000) c, generate_series(0, 3) k;
SELECT ok(pg_column_size(t) > 4000 AND t::text::cohort_table = t, 'a large value is the same out of line') FROM large;
SELECT is((SELECT sum(size) FROM large, cohort_rows(t) WHERE period = 0), 3000::numeric, 'and can be read there');

-- jsonb.
SELECT is(t::jsonb, '{"lifecycle": [], "cohorts": []}', 'jsonb: empty') FROM value WHERE title = 'empty';
SELECT is(t::jsonb - 'lifecycle' - 'cohorts',
  '{"period": "month", "window": null, "time_zone": "UTC", "dates": false, "latest": "2024-01-31T10:00:00"}'::jsonb,
  'jsonb: parameters')
FROM (SELECT cohort_retention(1, timestamptz '2024-01-31 10:00+00', 'month', 'UTC') AS t) q;
SELECT is(t::jsonb - 'lifecycle' - 'cohorts',
  '{"period": "week:sunday", "window": {"months": 14, "days": 2, "seconds": 10800.5}, "time_zone": "Europe/Paris", '
  '"dates": false, "latest": "2024-01-31T11:00:00"}'::jsonb, 'jsonb: parameters of windows')
FROM (SELECT cohort_retention(1, timestamptz '2024-01-31 10:00+00', 'week:sunday',
    interval '1 year 2 months 2 days 03:00:00.5', 'Europe/Paris') AS t) q;
SELECT is(t::jsonb -> 'time_zone', 'null', 'jsonb: no zone') FROM value WHERE title LIKE 'dates%';
SELECT results_eq(format('SELECT (c ->> ''cohort'')::timestamp, k.key::integer, sum(k.value::bigint)::bigint
    FROM (SELECT t::jsonb AS j FROM value WHERE o = %s) q, jsonb_array_elements(j -> ''cohorts'') c,
    jsonb_each_text(c -> ''on'') k GROUP BY 1, 2 ORDER BY 1, 2', o),
                  format('SELECT cohort, period, seen FROM value, cohort_rows(t) WHERE o = %s AND seen > 0', o),
                    'jsonb: the counts of ' || title) FROM value ORDER BY o;
SELECT results_eq(format('SELECT (l ->> ''period_start'')::timestamp, (l ->> ''active'')::bigint,
    (l ->> ''new'')::bigint, (l ->> ''returning'')::bigint FROM (SELECT t::jsonb AS j FROM value WHERE o = %s) q,
    jsonb_array_elements(j -> ''lifecycle'') l', o),
                  format('SELECT period_start, active, new, "returning" FROM value, lifecycle_rows(t)
                      WHERE o = %s AND active > 0', o), 'jsonb: the lifecycle of ' || title) FROM value ORDER BY o;

-- Damage.
CREATE FUNCTION pg_temp.damage(good bytea, other bytea) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
  bad bytea := good;
  at integer;
BEGIN
  FOR i IN 0 .. floor(random() * random() * 4)::integer LOOP
    at := floor(random() * length(bad))::integer;
    IF length(bad) = 0 THEN RETURN '\x00'; END IF;
    CASE floor(random() * 8)::integer
      WHEN 0 THEN bad := set_bit(bad, at * 8 + floor(random() * 8)::integer,
        1 - get_bit(bad, at * 8 + floor(random() * 8)::integer));
      WHEN 1 THEN bad := set_byte(bad, at, floor(random() * 256)::integer);
      WHEN 2 THEN bad := set_byte(bad, at,
        (get_byte(bad, at) + (ARRAY[-1, 1, 128, 127])[1 + floor(random() * 4)::integer] + 256) % 256);
      WHEN 3 THEN bad := substr(bad, 1, at);
      WHEN 4 THEN bad := substr(bad, 1, at) || decode(lpad(to_hex(floor(random() * 256)::integer), 2, '0'), 'hex')
        || substr(bad, at + 1);
      WHEN 5 THEN bad := substr(bad, 1, at) || substr(bad, at + 2);
      WHEN 6 THEN bad := substr(bad, 1, at)
        || (ARRAY['\xffffffffffffffff7f', '\xffffffff07', '\x808080808080808080808001', '\xffffffff0f',
          '\x80808080808080808001', '\xffffffffffffffffff01']::bytea[])[1 + floor(random() * 6)::integer]
        || substr(bad, at + 2);
      ELSE bad := substr(bad, 1, at) || substr(other, 1 + floor(random() * length(other))::integer);
    END CASE;
  END LOOP;
  RETURN bad;
END $$;

-- What becomes of it: an error's code, 'equal' to the good value, or 'other', after every accessor has read it.
CREATE FUNCTION pg_temp.read(bad text, good cohort_table) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  t cohort_table;
  j jsonb;
  cohort timestamp;
  as_of timestamp;
  step interval;
BEGIN
  BEGIN
    t := translate(bad, E'\n', '')::cohort_table;    -- encode() breaks lines, which are no part of the text form
  EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
  END;
  IF t = good THEN RETURN 'equal'; END IF;
  IF t::text::cohort_table <> t THEN RETURN 'not canonical'; END IF;
  j := t::jsonb;
  cohort := coalesce(least((j -> 'cohorts' -> 0 ->> 'cohort')::timestamp,
      (j -> 'lifecycle' -> 0 ->> 'period_start')::timestamp), '2024-01-01');
  BEGIN
    -- The damage may have made windows of microseconds, or put the latest event into another age: not too many rows of
    -- them.
    step := CASE split_part(j ->> 'period', ':', 1) WHEN 'quarter' THEN interval '3 months' WHEN 'half' THEN interval
      '6 months'
      ELSE ('1 ' || split_part(coalesce(j ->> 'period', 'day'), ':', 1))::interval END;
    step := least(step, make_interval(months => (j -> 'window' ->> 'months')::integer,
        days => (j -> 'window' ->> 'days')::integer, secs => (j -> 'window' ->> 'seconds')::float8));
    as_of := cohort + step * 50;
    PERFORM count(*) FROM cohort_rows(t, as_of) UNION ALL SELECT count(*)
      FROM cohort_rows(t, as_of, measure => 'streak');
    PERFORM count(*) FROM retention_curve(t, as_of, 'on_or_after');
    PERFORM count(*) FROM retention_test(t, good, 1, as_of);
    PERFORM count(*) FROM cohort_rows((SELECT rollup(x) FROM (VALUES (t), (t)) v (x)), as_of, 'on_or_before');
    PERFORM length(cohort_chart(t, as_of));
    PERFORM count(*) FROM lifecycle_rows(t, as_of);
    IF (j ->> 'latest')::timestamp < cohort + step * 5000 THEN
      PERFORM count(*) FROM cohort_rows(t) UNION ALL SELECT count(*) FROM lifecycle_rows(t);
    END IF;
  EXCEPTION WHEN invalid_parameter_value OR datetime_field_overflow OR program_limit_exceeded
    OR numeric_value_out_of_range THEN
    -- windows or zones that cannot be merged, times beyond the calendar: said, not suffered
    RETURN 'other, ' || SQLSTATE;
  END;
  RETURN 'other';
END $$;
SET statement_timeout = '60s';
CREATE TABLE fate AS
  SELECT title, bad, pg_temp.read(bad, t) AS fate
  FROM (SELECT v.title, v.t, encode(pg_temp.damage(decode(v.t::text, 'base64'), decode(w.t::text, 'base64')), 'base64')
    AS bad
        FROM value v, generate_series(1, (400 * :cases)::integer) i,
          LATERAL (SELECT t FROM value w WHERE w.o = 2 + (i + v.o) % 11) w OFFSET 0) d;
SELECT is((SELECT count(*) FROM fate), (4800 * :cases)::bigint, 'damaged in 400 ways each');
SELECT is(count(*) FILTER (WHERE fate NOT IN ('22P02', 'equal', 'other') AND fate NOT LIKE 'other, %'), 0::bigint,
  'refused with 22P02, or readable: ' || title) FROM fate GROUP BY title ORDER BY title;
SELECT diag(format('%s: %s from %s', title, fate, bad)) FROM fate WHERE fate NOT IN ('22P02', 'equal', 'other')
  AND fate NOT LIKE 'other, %' LIMIT 10;
SELECT cmp_ok(count(*) FILTER (WHERE fate = '22P02'), '>', count(*) / 2, 'most damage is noticed') FROM fate;
SELECT cmp_ok(count(*) FILTER (WHERE fate LIKE 'other%'), '>', count(*) / 50,
  format('%s of %s make other values', count(*) FILTER (WHERE fate LIKE 'other%'), count(*))) FROM fate;
-- Every truncation, every byte alone.
SELECT is(count(*) FILTER (WHERE fate <> '22P02'), 0::bigint, 'cut short anywhere, it is refused: ' || title)
  FROM value, LATERAL (SELECT decode(t::text, 'base64') AS b) d, generate_series(0, length(b) - 1) n,
  pg_temp.read(encode(substr(b, 1, n), 'base64'), t) fate GROUP BY o, title ORDER BY o;
SELECT is(count(*) FILTER (WHERE fate <> '22P02'), 0::bigint, 'with a byte more, it is refused: ' || title)
  FROM value, generate_series(0, 255) n,
  LATERAL (SELECT pg_temp.read(encode(decode(t::text, 'base64') || decode(lpad(to_hex(n), 2, '0'), 'hex'), 'base64'),
    t) AS fate) f GROUP BY o, title ORDER BY o;
SELECT is(count(*) FILTER (WHERE fate NOT IN ('22P02', 'equal', 'other')), 0::bigint, 'random bytes')
FROM (SELECT pg_temp.read(encode(substr(decode(md5(random()::text) || md5(random()::text), 'hex'), 1,
    floor(random() * 33)::integer), 'base64'), (SELECT t FROM value WHERE o = 1)) AS fate FROM generate_series(1, 1000))
  f;
SELECT is(count(*) FILTER (WHERE fate NOT IN ('22P02', 'equal', 'other')), 0::bigint,
  'a version from the future, or none')
FROM value, generate_series(0, 255) n,
  LATERAL (SELECT pg_temp.read(encode(set_byte(decode(t::text, 'base64'), 0, n), 'base64'), t) AS fate) f
  WHERE n <> get_byte(decode(t::text, 'base64'), 0);
SELECT throws_ok(format('SELECT %L::cohort_table', x), '22P02', NULL, format('not a value: %L', left(x, 20)))
  FROM unnest(ARRAY['', ' ', 'x', '{}', '====', 'AQ=', '((', repeat('A', 100000), 'null', 'Ω']) x;

-- Written by hand: a lifecycle period, a cohort and a window at the ends of the calendar, and past them.
CREATE FUNCTION pg_temp.leb(v bigint) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  r bytea := '';
BEGIN
  LOOP
    r := r || set_byte('\x00', 0, (v & 127)::integer | CASE WHEN v > 127 THEN 128 ELSE 0 END);
    v := v >> 7;
    EXIT WHEN v = 0;
  END LOOP;
  RETURN r;
END $$;
CREATE FUNCTION pg_temp.zigzag(v bigint) RETURNS bytea
  LANGUAGE sql IMMUTABLE AS 'SELECT pg_temp.leb(CASE WHEN v < 0 THEN -2 * v - 1 ELSE 2 * v END)';
-- version, filled, of dates, unit, start of week, no zone, latest: 2000-01-01; then periods with one customer, new;
-- then cohorts
-- of one customer, each active in one window
CREATE FUNCTION pg_temp.by_hand(unit integer, week_start integer, lifecycle bigint[], cohort bigint[], win bigint[])
  RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
  SELECT '\x0109'::bytea || pg_temp.leb(unit) || pg_temp.leb(week_start) || '\x0000'
    || pg_temp.leb(cardinality(lifecycle))
    || coalesce((SELECT string_agg(pg_temp.zigzag(p - before) || '\x010100', '' ORDER BY o)
        FROM (SELECT o, p, lag(p, 1, 0::bigint) OVER (ORDER BY o) AS before
        FROM unnest(lifecycle) WITH ORDINALITY l (p, o)) l), '')
    || pg_temp.leb(cardinality(cohort))
    || coalesce((SELECT string_agg(pg_temp.zigzag(c - before) || '\x0101' || pg_temp.leb(win[o]), '' ORDER BY o)
        FROM (SELECT o, c, lag(c, 1, 0::bigint) OVER (ORDER BY o) AS before
        FROM unnest(cohort) WITH ORDINALITY l (c, o)) l), '') $$;
SELECT is(encode(pg_temp.by_hand(3, 0, '{0}', '{0}', '{0}'), 'base64'),
  cohort_retention(1, date '2000-01-01', 'month')::text, 'written by hand: one customer of January 2000');
-- The first period is that of 4714-11-24 BC and the last that of 294276-12-31, counted from that of 2000-01-01, hours
-- from 1,200,000,000 hours after it.
CREATE TABLE edge AS SELECT * FROM
  (VALUES ('hour', 0, 0, -2451545 * 24::bigint - 1200000000, 106751982 * 24::bigint + 23 - 1200000000),
  ('day', 1, 0, -2451545, 106751982), ('week', 2, 0, floor((-2451545 + 5) / 7.0), floor((106751982 + 5) / 7.0)),
  ('week:sunday', 2, 6, floor((-2451545 + 6) / 7.0), floor((106751982 + 6) / 7.0)),
  ('month', 3, 0, (-4713 - 2000) * 12 + 10, (294276 - 2000) * 12 + 11),
    ('quarter', 4, 0, (-4713 - 2000) * 4 + 3, (294276 - 2000) * 4 + 3), ('year', 5, 0, -4713 - 2000, 294276 - 2000),
    ('half', 6, 0, (-4713 - 2000) * 2 + 1, (294276 - 2000) * 2 + 1))
    v (period, unit, week_start, first, last);
SELECT is((date '4714-11-24 BC' - date '2000-01-01', date '294276-12-31' - date '2000-01-01')::text,
  '(-2451545,106751982)', 'days at the ends of the calendar');
CREATE TABLE by_hand AS
  SELECT period, title, fate, pg_temp.by_hand(unit, week_start, lifecycle, cohort, win) AS bytes
  FROM edge, LATERAL (VALUES ('lifecycle of the first period', 'read', ARRAY[first::bigint], '{}'::bigint[],
      '{}'::bigint[]), ('lifecycle of the last', 'read', ARRAY[last::bigint], '{}', '{}'),
    ('lifecycle of both', 'read', ARRAY[first, last]::bigint[], '{}', '{}'),
                             ('lifecycle before the first', 'refused', ARRAY[first - 1]::bigint[], '{}', '{}'),
                               ('lifecycle after the last', 'refused', ARRAY[last + 1]::bigint[], '{}', '{}'),
                               ('lifecycle after the last, from the first', 'refused', ARRAY[first, last + 1]::bigint[],
                               '{}', '{}'), ('lifecycle far away', 'refused', ARRAY[2 ^ 40]::bigint[], '{}', '{}'),
                             ('cohort of the first period', 'read', '{}', ARRAY[first::bigint], '{0}'),
                               ('cohort of the last', 'read', '{}', ARRAY[last::bigint], '{0}'),
                               ('cohorts of both', 'read', '{}', ARRAY[first, last]::bigint[], '{0,0}'),
                             ('cohort before the first', 'refused', '{}', ARRAY[first - 1]::bigint[], '{0}'),
                               ('cohort after the last', 'refused', '{}', ARRAY[last + 1]::bigint[], '{0}'),
                               ('cohort after the last, from the first', 'refused', '{}',
                               ARRAY[first, last + 1]::bigint[], '{0,0}'),
                               ('cohort far away', 'refused', '{}', ARRAY[-2 ^ 40]::bigint[], '{0}'),
                             ('window that is the last period', 'read', '{}', ARRAY[last - 7]::bigint[], '{7}'),
                               ('window after the last period', 'refused', '{}', ARRAY[last - 7]::bigint[], '{8}'),
                               ('window of the last cohort', 'refused', '{}', ARRAY[last::bigint], '{1}'))
                               v (title, fate, lifecycle, cohort, win);
SELECT is(CASE WHEN r.fate LIKE 'other%' THEN 'read' WHEN r.fate = '22P02' THEN 'refused' ELSE r.fate END, b.fate,
  format('by hand, %s: %s', period, b.title))
  FROM by_hand b, value v, LATERAL (SELECT pg_temp.read(encode(bytes, 'base64'), v.t) AS fate) r
  WHERE v.title = 'empty';

-- The binary form, damaged.  COPY is the only way in for it, and a program its only source here.
CREATE FUNCTION pg_temp.receive(bad bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  stream bytea := '\x5047434f50590aff0d0a00' || int4send(0) || int4send(0) || int2send(1::int2) || int4send(length(bad))
    || bad || int2send((-1)::int2);
BEGIN
  EXECUTE format('COPY binary_in FROM PROGRAM %L WITH (FORMAT binary)',
    'printf ''' || (SELECT string_agg('\' || lpad(oct, 3, '0'), '' ORDER BY i)
                 FROM generate_series(0, length(stream) - 1) i,
                   LATERAL (SELECT ((b / 64)::text || (b / 8 % 8)::text || (b % 8)::text) AS oct
                   FROM (SELECT get_byte(stream, i) AS b) q) r) || '''');
  RETURN 'read';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
CREATE TABLE binary_in (t cohort_table);
SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser \gset
\if :superuser
SELECT is(pg_temp.receive(decode(t::text, 'base64')), 'read', 'COPY BINARY from a program') FROM value WHERE o = 3;
SELECT is((SELECT t::text FROM binary_in), (SELECT t::text FROM value WHERE o = 3),
  'the value''s own bytes are its binary form');
SELECT is(pg_temp.receive(bytes), CASE fate WHEN 'refused' THEN '22P03' ELSE fate END,
  format('in binary, %s: %s', period, title)) FROM by_hand;
TRUNCATE binary_in;
SELECT is(count(*) FILTER (WHERE fate NOT IN ('22P03', 'read')), 0::bigint,
  'damaged binary values are refused with 22P03, or readable: '
  || coalesce(string_agg(DISTINCT fate, ' ') FILTER (WHERE fate NOT IN ('22P03', 'read')), 'all'))
FROM (SELECT pg_temp.receive(pg_temp.damage(decode(t::text, 'base64'), '\x01ff80')) AS fate
  FROM value, generate_series(1, 15)) f;
SELECT is(count(*) FILTER (WHERE t::text::cohort_table <> t), 0::bigint, 'and what was read is a value') FROM binary_in;
\else
SELECT skip('not a superuser, so COPY FROM PROGRAM is not allowed', 4 + count(*)::integer) FROM by_hand;
\endif

SELECT * FROM finish();
ROLLBACK;
