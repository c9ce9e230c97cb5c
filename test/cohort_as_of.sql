-- What as_of is in every accessor of a cohort_table: a date the end of that day; left out, the latest event, of dates
-- and histories the end of the latest day.  And from_cohort and periods: a part of the triangle, the same numbers.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
SET TimeZone = 'America/New_York';

-- One customer, of 10 May and 30 June: on 30 June at night June is over, and nothing of July is seen.
CREATE TABLE ev (d) AS VALUES (date '2025-05-10'), ('2025-06-30');
CREATE TABLE one AS SELECT cohort_retention(1, d, 'month') AS t, cohort_retention(1, d::timestamp, 'month') AS wall,
  cohort_retention(1, d::timestamp AT TIME ZONE 'Asia/Tokyo', 'month', 'Asia/Tokyo') AS zoned,
  cohort_retention(1, d, 'month', interval '20 days') AS w,
  (SELECT cohort_retention(h, 'month') FROM (SELECT customer_history(d) AS h FROM ev) q) AS h FROM ev;
SELECT is((SELECT string_agg(format('%s %s %s %s', r.period, r.at_risk, r.retained, r.complete), '; ' ORDER BY r.period)
  FROM one, cohort_rows(t, d) r), '0 1 1 t; 1 1 1 t' || more, d || ' by date')
FROM (VALUES (date '2025-06-30', ''), ('2025-07-01', '; 2 0  f')) v (d, more);
SELECT is(have, '0 1 1 t; 1 1 1 t', 'the same however ' || title)
FROM (SELECT t, wall, zoned, h FROM one) q, LATERAL (VALUES
  ('it is left out', (SELECT string_agg(format('%s %s %s %s', r.period, r.at_risk, r.retained, r.complete), '; '
      ORDER BY r.period) FROM cohort_rows(t) r)),
  ('histories', (SELECT string_agg(format('%s %s %s %s', r.period, r.at_risk, r.retained, r.complete), '; '
      ORDER BY r.period) FROM cohort_rows(h) r)),
  ('a text that is a date', (SELECT string_agg(format('%s %s %s %s', r.period, r.at_risk, r.retained, r.complete), '; '
      ORDER BY r.period) FROM cohort_rows(wall, '2025-06-30') r)),
  ('another way to write one', (SELECT string_agg(format('%s %s %s %s', r.period, r.at_risk, r.retained, r.complete),
      '; ' ORDER BY r.period) FROM cohort_rows(wall, 'June 30, 2025') r)),
  ('of instants, by a date', (SELECT string_agg(format('%s %s %s %s', r.period, r.at_risk, r.retained, r.complete),
      '; ' ORDER BY r.period) FROM cohort_rows(zoned, date '2025-06-30') r))) v (title, have);
SELECT is((SELECT string_agg(format('%s %s', r.period, r.at_risk), '; ' ORDER BY r.period) FROM one,
  cohort_rows(wall) r),
  '0 1; 1 0', 'left out for timestamps: the latest instant, and its month goes on');
SELECT is((SELECT string_agg(format('%s %s', r.period, r.at_risk), '; ' ORDER BY r.period)
  FROM one, cohort_rows(wall, timestamp '2025-07-01') r), '0 1; 1 1; 2 0', 'a timestamp is that instant: July begins');
-- 20 days from 10 May: windows from 10 May, 30 May, 19 June, 9 July
SELECT is((SELECT array_agg(r.at_risk ORDER BY r.period) FROM one, cohort_rows(w, d) r), want::bigint[],
  'windows that end with the day ' || d)
FROM (VALUES (date '2025-05-28', '{0,0}'), ('2025-05-29', '{1,0}'), ('2025-07-07', '{1,1,0,0}'), ('2025-07-08',
  '{1,1,1,0}'))
  v (d, want);
SELECT is((SELECT string_agg(format('%s %s', l.period_start::date, l.complete), '; ' ORDER BY l.period_start)
  FROM one, lifecycle_rows(t) l), '2025-05-01 t; 2025-06-01 t', 'lifecycle_rows');
SELECT is((SELECT count(*) FROM one, retention_curve(t, '2025-06-30')), 2::bigint, 'retention_curve');
SELECT is((SELECT exposed_at_risk || ' ' || control_retained FROM one, retention_test(t, h, 1)), '1 1',
  'retention_test, of the latest day of both');
SELECT matches((SELECT cohort_chart(t) FROM one), '2025-05 1       100.100.', 'cohort_chart: June is known');
SELECT is((SELECT cohort_rows::text FROM one, cohort_rows(t, '2025-06-30') WHERE period = 1),
  (SELECT cohort_rows::text FROM one, cohort_rows(t, '2025-06-30'::varchar) WHERE period = 1), 'text of any type');

-- Dates and instants add up to instants; the bytes of histories are those of dates.
SELECT is((SELECT t::text FROM one), (SELECT h::text FROM one), 'histories have the bytes of dates');
SELECT isnt((SELECT t::text FROM one), (SELECT wall::text FROM one), 'timestamps have others');
SELECT is((SELECT rollup(v)::text FROM one, LATERAL (VALUES (t), (wall)) q (v)),
  (SELECT rollup(v)::text FROM one, LATERAL (VALUES (wall), (wall)) q (v)), 'both add up to instants')
UNION ALL SELECT is((SELECT rollup(v)::text FROM one, LATERAL (VALUES (wall), (h)) q (v)),
  (SELECT rollup(v)::text FROM one, LATERAL (VALUES (wall), (wall)) q (v)), 'in any order')
UNION ALL SELECT is((SELECT rollup(v)::jsonb -> 'dates' FROM one, LATERAL (VALUES (t), (h)) q (v)), 'true',
  'dates and histories to dates');
SELECT is((SELECT exposed_at_risk || ' ' || control_at_risk FROM one, retention_test(t, wall, 1)), '1 1',
  'compared without as_of, both stand at the later end');
SELECT is((SELECT cohort_retention(1, d::timestamp, d, 'month')::jsonb -> 'dates' FROM ev), 'false',
  'joining instants make instants')
UNION ALL SELECT is((SELECT cohort_retention(1, d, d, 'month')::jsonb -> 'dates' FROM ev), 'true',
  'joining dates dates');
SELECT is((SELECT cohort_retention(1, date '294276-12-31', 'year')::jsonb -> 'dates'), 'true', 'the last date of all')
UNION ALL SELECT is((SELECT count(*) FROM (SELECT cohort_retention(1, date '294276-12-31', 'year') AS t) q,
  cohort_rows(t)), 1::bigint, 'can be looked from');

-- Tokyo: 30 June 16:00 UTC is 1 July 01:00 there, for all that read the table.
CREATE TABLE ct AS SELECT cohort_retention(c, timestamptz '2025-01-05 00:00+00' + m * interval '1 month', 'month',
  'Asia/Tokyo') AS t FROM generate_series(1, 300) c, generate_series(0, 11) m WHERE m <= (c * 7919) % 13;
CREATE TABLE streak AS SELECT sum(r.retained)::float8 / sum(p.retained) AS rate
  FROM ct, cohort_rows(t, '2025-06-30 16:00+00', 'streak') r,
  cohort_rows(t, timestamp '2025-07-01 01:00', 'streak') p
  WHERE p.cohort = r.cohort AND p.period = r.period - 1 AND r.complete;
SELECT is((SELECT round(retention::numeric, 4) FROM ct, retention_elasticity(t, 20, as_of => as_of) LIMIT 1), .9085,
  'retention_elasticity: ' || as_of) FROM unnest('{2025-06-30 16:00+00,2025-06-30,2025-07-01 01:00}'::text[]) as_of;
SELECT is((SELECT round(retention::numeric, 4) FROM ct, retention_elasticity(t, 20, timestamptz '2025-06-30 16:00+00')
  LIMIT 1), .9085, 'retention_elasticity: of an instant');
SELECT is((SELECT round(rate::numeric, 4) FROM streak), .9085, 'as cohort_rows sees it');
SELECT is((SELECT clv_model(t, '2025-06-30 16:00+00')::text FROM ct), (SELECT clv_model(t, as_of => '2025-06-30')::text
  FROM ct), 'clv_model honours the offset too')
UNION ALL SELECT is((SELECT clv_model(t, date '2025-06-30', 'bdw')::text FROM ct),
  (SELECT clv_model(t, timestamp '2025-07-01', 'bdw')::text FROM ct), 'and the end of the day')
UNION ALL SELECT isnt((SELECT clv_model(t, '2025-06-30 14:59+00')::text FROM ct),
  (SELECT clv_model(t, '2025-06-30')::text FROM ct), 'a minute before it is still June');

-- What is no as_of.
SELECT throws_ok('SELECT cohort_chart(cohort_retention(1, date ''2025-01-01'', ''month''), ''on_or_before'')', '22007',
  'as_of must be a date or a time, not "on_or_before"', 'a measure in the place of as_of')
UNION ALL SELECT throws_ok('SELECT cohort_rows(t, 20) FROM one', '42804',
  'as_of must be a date, timestamp, timestamptz or text, not integer', 'a number')
UNION ALL SELECT throws_ok('SELECT cohort_rows(t, periods => -1) FROM one', '22023',
  'periods must not be negative, as -1 is', 'negative periods');

-- A part of the triangle is a part: of random events, with every measure.
CREATE TABLE many AS SELECT cohort_retention(c, date '2024-01-01' + (c * 37 + k * k * 29) % 500, 'month') AS t,
  cohort_retention(c, date '2024-01-01' + (c * 37 + k * k * 29) % 500, 'week', interval '10 days') AS w
  FROM generate_series(1, 200) c, generate_series(0, 6) k;
SELECT set_eq(format('SELECT r.* FROM many, cohort_rows(%s, %L, %L, %L, %s) r', t, '2025-03-31', measure, day, periods),
  format('SELECT r.* FROM many, cohort_rows(%s, %L, %L) r WHERE cohort + %L > %L AND period <= %s', t, '2025-03-31',
    measure, unit, day, periods), format('%s of %s from %s, %s periods', measure, t, day, periods))
FROM unnest('{on,on_or_after,on_or_before,by,streak}'::text[]) measure, (VALUES ('t', interval '1 month'),
  ('w', '7 days')) v (t, unit), (VALUES ('2024-06-01', 3), ('2024-06-15', 0), ('2023-01-01', 100)) p (day, periods);
SELECT is((SELECT count(*) FROM many, cohort_rows(t, from_cohort => day::timestamp)), n, 'from ' || day)
FROM (VALUES ('-infinity', (SELECT count(*) FROM many, cohort_rows(t))), ('infinity', 0), ('2040-01-01', 0)) v (day, n);
SELECT is((SELECT array_agg(at_risk ORDER BY period) FROM many, retention_curve(t, from_cohort => '2024-06-01',
    periods => 2)), (SELECT array_agg(n ORDER BY period) FROM (SELECT period, sum(at_risk)::bigint AS n
    FROM many, cohort_rows(t) WHERE cohort >= '2024-06-01' AND complete AND period <= 2 GROUP BY period) q),
  'the curve pools those');
SELECT is((SELECT exposed_at_risk FROM many, retention_test(t, t, 2, from_cohort => '2024-06-01')),
  (SELECT sum(at_risk)::bigint FROM many, cohort_rows(t) WHERE cohort >= '2024-06-01' AND complete AND period = 2),
  'and so does the test');
SELECT is((SELECT cohort_chart(t, from_cohort => '2024-03-01', periods => 1) ~ '^month   size      0   1\n2024-03'
  FROM many), true, 'and the chart shows those');
SELECT * FROM finish();
ROLLBACK;
