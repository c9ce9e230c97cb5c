-- survival_curve(started, ended, as_of): dates and instants as tables have them, against durations worked out by hand
-- and by plain SQL; and rows that are left out, which are counted and told.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned
SELECT diag('seed ' || :'seed');
SET max_parallel_workers_per_gather = 0;

-- Four customers: two left after 10 and 40 days, two are still there.
CREATE TABLE few (started date, ended date);
INSERT INTO few VALUES ('2025-01-01', '2025-01-11'), ('2025-01-01', '2025-02-10'), ('2025-01-01', NULL),
  ('2025-01-01', NULL);
SELECT is(survival_at(survival_curve(started, ended, '2025-12-31'), 20), 0.75::float8,
          'who is still there is at risk') FROM few;
SELECT is((SELECT (sum(events), max(at_risk))::text FROM survival_rows(t)), want, 'as of ' || day)
FROM (SELECT day, want, survival_curve(started, ended, day) AS t
      FROM few, (VALUES (date '2025-12-31', '(2,4)'), ('2025-02-10', '(2,4)'), ('2025-02-09', '(1,4)'),
                        ('2025-01-10', '(0,4)')) d (day, want) GROUP BY day, want) q;
SELECT is(survival_curve(started, ended, timestamp '2025-02-10 12:00'), survival_curve(started, ended, '2025-02-10'),
          'of days, an instant knows the one in which it lies') FROM few;
SELECT is(survival_curve(started, CASE WHEN ended IS NULL THEN 'infinity' ELSE ended END, '2025-12-31'),
          survival_curve(started, ended, date '2025-12-31'), 'an end that never comes is none') FROM few;
SELECT is(survival_curve(started, NULL, '2025-12-31'), survival_curve(364, false), 'nobody left')
FROM (SELECT started FROM few LIMIT 1) f;

-- Random customers against durations in plain SQL: dates, wall clocks, instants; as_of as each of its types.
CREATE TABLE stay WITH (parallel_workers = 3) AS
SELECT n, date '2025-01-01' + s AS day, date '2025-01-01' + s + CASE WHEN random() < 0.6
  THEN floor(random() * 200)::int END
         AS day_end, timestamp '2025-01-01' + s * interval '1 day' + f * interval '1 second' AS wall,
           l * interval '1 second' AS length
FROM (SELECT n, floor(random() * 300)::int AS s, floor(random() * 86400)::int AS f,
             CASE WHEN random() < 0.6 THEN floor(random() * 2e7)::int END AS l FROM generate_series(1, 3000) n) q;
ANALYZE stay;
SELECT is((SELECT survival_curve(day, day_end, as_of) FROM stay),
          (SELECT survival_curve(least(day_end, as_of) - day, coalesce(day_end <= as_of, false))
           FROM stay WHERE day <= as_of), 'days, as of ' || as_of)
FROM unnest('{2025-03-31,2025-09-30,2026-12-31}'::date[]) as_of;
SELECT is((SELECT survival_curve(wall, wall + length, as_of) FROM stay),
          (SELECT survival_curve(least(wall + length, as_of) - wall, coalesce(wall + length <= as_of, false))
           FROM stay WHERE wall <= as_of), 'instants, as of ' || as_of)
FROM unnest('{2025-03-31 12:00,2025-09-30 00:00:01}'::timestamp[]) as_of;
SELECT is((SELECT survival_curve(wall, wall + length, '2025-06-30') FROM stay),
          (SELECT survival_curve(least(wall + length, '2025-07-01') - wall,
            coalesce(wall + length < '2025-07-01', false))
           FROM stay WHERE wall < '2025-07-01'), 'a date is the end of that day');
SELECT is((SELECT survival_curve(wall AT TIME ZONE 'Asia/Kolkata', (wall + length) AT TIME ZONE 'Asia/Kolkata', as_of)
    FROM stay),
          (SELECT survival_curve(wall, wall + length, as_of) FROM stay), 'in the zone of the session, as of ' || as_of)
FROM unnest('{2025-06-30,2025-06-30 18:30+05:30}'::text[]) as_of;
PREPARE untyped AS SELECT survival_curve(day, day_end, $1) FROM stay;
CREATE TEMP TABLE got AS EXECUTE untyped('2025-09-30');
SELECT is((SELECT survival_curve FROM got), (SELECT survival_curve(day, day_end, date '2025-09-30') FROM stay),
  'as_of as a parameter');

-- The same in parallel, what was left out included.
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 3; SET parallel_leader_participation = off;
SELECT matches(pg_temp.plan('SELECT survival_curve(day, day_end, ''2025-09-30'') FROM stay'), 'Partial Aggregate',
  'in parallel');
SELECT is((SELECT survival_curve(day, day_end, '2025-09-30') FROM stay), (SELECT survival_curve FROM got),
  'the same bytes');

-- What a table is about, in one row.
SELECT is((SELECT s::text FROM survival_summary(t) s),
          (SELECT (count(*), count(*) FILTER (WHERE e), count(*) FILTER (WHERE NOT e), min(d)::float8, max(d)::float8, 'bigint',
                   false, false, NULL::int, NULL::int, NULL::int)::text
           FROM (SELECT least(day_end, '2025-09-30') - day, coalesce(day_end <= '2025-09-30', false) FROM stay
                 WHERE day <= '2025-09-30') v (d, e)), 'the summary of days')
FROM (SELECT survival_curve(day, day_end, '2025-09-30') AS t FROM stay) q;
SELECT is(s::text, '(12,6,6,0.5,6,interval,f,f,3,4,)', 'of groups and strata')
FROM (SELECT logrank(n * interval '12 hours', n % 2 = 0, n % 3, n % 4) AS t FROM generate_series(1, 12) n) q,
     survival_summary(t) s;
SELECT is(s::text, '(6,4,2,1,6,"double precision",f,t,,,2)', 'of causes and late entries')
FROM (SELECT competing_risks(n - 1.5, n, NULLIF(n % 3, 0)) AS t FROM generate_series(1, 6) n) q, survival_summary(t) s;
SELECT is(s::text, '(0,0,0,,,,f,f,,,)', 'of no rows')
FROM (SELECT survival_curve(1, true) FILTER (WHERE false) AS t) q, survival_summary(t) s;
SELECT is_empty('SELECT * FROM survival_summary(NULL)', 'none of NULL');

-- The limits of the arguments.
SELECT is(pg_temp.outcome(query), want, query)
FROM (VALUES
  ($$SELECT survival_curve(date '2025-01-10', date '2025-01-01', '2025-12-31')$$,
   '22023 ended must not be before started, not started 2025-01-10 and ended 2025-01-01'),
  ($$SELECT survival_curve(date '2025-01-10', timestamp '2025-02-01', '2025-12-31')$$,
   '42804 started and ended must be of one type, not date and timestamp without time zone'),
  ($$SELECT survival_curve(date '2025-01-10', date '2025-02-01', NULL::text)$$, '22004 as_of must not be NULL'),
  ($$SELECT survival_curve(date '2025-01-10', date '2025-02-01', 'infinity')$$,
   '22008 as_of must be finite, not "infinity"'),
  ($$SELECT survival_curve(1735689600, 1735689700, '2025-12-31')$$,
   '42804 started must be a date, timestamp or timestamptz, not integer')) v (query, want);

SELECT * FROM finish();
ROLLBACK;
