-- Extremes: outliers thousands of years away, the ends of the calendar, very wide and very many tables, statistics at
-- their limits.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
\ir oracle/oracle.psql
\ir oracle/compare.psql
SELECT * FROM no_plan();
SET TimeZone = 'UTC';
SET statement_timeout = '300s';

-- One order of 44 BC and one of the year 9999 among ordinary ones.
CREATE TABLE ev (customer integer, joined_at date, at timestamp);
INSERT INTO ev SELECT i % 20, date '2024-01-01' + i % 20 * 9,
  timestamp '2024-01-01' + make_interval(hours => i * i % 9973) FROM generate_series(1, 300) i;
INSERT INTO ev VALUES (1, '2024-01-05', '0044-03-15 BC'), (2, '2024-01-05', '9999-12-31 23:59:59'),
  (3, '0044-03-15 BC', '2024-02-01'), (4, '9999-12-31', '2024-01-01');
CREATE FUNCTION pg_temp.compare(form text, period text, width interval, as_of timestamp) RETURNS text LANGUAGE plpgsql
  AS $$
DECLARE t cohort_table; as_of_text text := coalesce(format(', as_of => %L', as_of), '');
BEGIN
  EXECUTE format('SELECT cohort_retention(customer, %s at, %L %s) FROM ev', CASE form WHEN 'joined'
    THEN 'joined_at,' END, period, ', interval ' || quote_literal(width)) INTO t;
  PERFORM oracle.prepare('TABLE ev', form, period, width, 'UTC');
  PERFORM oracle.observe(as_of);
  RETURN concat_ws(E'\n', oracle.rows_difference(t, as_of_text, 'on', 0.95),
    oracle.rows_difference(t, as_of_text, 'on_or_after', 0.95),
    oracle.rows_difference(t, as_of_text, 'on_or_before', 0.95), oracle.rows_difference(t, as_of_text, 'by', 0.95),
                   oracle.rows_difference(t, as_of_text, 'streak', 0.95),
                     oracle.curve_difference(t, as_of_text, 'on_or_after', 0.95),
                     oracle.lifecycle_difference(t, as_of_text),
                   CASE WHEN t::text::cohort_table::text <> t::text THEN 'text round trip' END);
END $$;
SELECT is(pg_temp.compare(form, period, width::interval, as_of::timestamp), '',
  format('outliers: %s, %s %s, as_of %s', form, period, width, as_of))
FROM (VALUES ('first', 'year', NULL, NULL), ('joined', 'year', NULL, '2030-06-01'),
  ('first', 'quarter', NULL, '2024-09-15'), ('joined', 'quarter', NULL, '2024-09-15'),
  ('first', 'quarter', '1 year', '2024-09-15'), ('joined', 'month', '100 years', NULL),
             ('first', 'year', '50 years 3 days 1 hour', NULL), ('joined', 'quarter', '1000 years', NULL))
               v (form, period, width, as_of);
SELECT is((SELECT string_agg(format('%s +%s: %s', to_char(cohort, 'YYYY-MM-DD BC'), period, seen), ', ' ORDER BY cohort,
    period) FROM (SELECT cohort_retention(customer, at, 'day') AS t FROM ev
    WHERE customer IN (1, 2) AND (at < '2000-01-01' OR at > '3000-01-01' OR at < '2024-01-02')) q,
    cohort_rows(t, '9999-12-31')
           WHERE seen > 0 AND (period = 0 OR cohort < '2000-01-01' OR period > 1000)),
          (SELECT string_agg(format('%s +%s: %s', to_char(c, 'YYYY-MM-DD BC'), p, 1), ', ' ORDER BY c, p) FROM (
             SELECT DISTINCT first AS c, at::date - first AS p
               FROM (SELECT at, min(at::date) OVER (PARTITION BY customer) AS first FROM ev
               WHERE customer IN (1, 2) AND (at < '2000-01-01' OR at > '3000-01-01' OR at < '2024-01-02')) f) d),
          'days from 44 BC to 9999');

-- The ends of the calendar: a clear error or the right answer, nothing else.
CREATE FUNCTION pg_temp.outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE query;
  RETURN '00000';
EXCEPTION WHEN query_canceled OR OTHERS THEN
  RETURN SQLSTATE;
END $$;
SELECT ok(pg_temp.outcome(format('SELECT (SELECT count(*) FROM cohort_rows(t, at)) + (SELECT count(*)
    FROM lifecycle_rows(t, at)) + length(t::text) + length(t::jsonb::text)
    FROM (SELECT at, cohort_retention(1, at, %L %s) AS t FROM (SELECT %L::%s AS at) v GROUP BY at) q',
                                 period, ', interval ' || quote_literal(width), at, type)) IN ('00000', '22008'),
                                   format('%s %s %s %s', type, at, period, width))
FROM unnest('{4713-11-24 00:00:00 BC,4713-12-31 BC,294276-12-31 23:59:59.999999,294276-01-01}'::text[]) at,
  unnest('{timestamp,timestamptz}'::text[]) type, unnest('{hour,day,week,week:wednesday,month,quarter,year}'::text[])
  period,
     unnest('{NULL,24 hours,1 month,10000 years}'::text[]) width;
SELECT ok(pg_temp.outcome(format('SELECT count(*)
    FROM cohort_rows((SELECT cohort_retention(1, %L::date, %L)), timestamp ''2024-01-01'')', at, period)) IN ('00000',
    '22008', '54000'), format('date %s %s', at, period))
FROM unnest('{4713-11-24 BC,5874897-12-31,294276-12-31,294277-01-01}'::text[]) at,
  unnest('{hour,day,week,year}'::text[]) period;
SELECT ok(pg_temp.outcome(format('SELECT cohort_retention(1, at, %L %s)::text
    FROM (VALUES (timestamp ''4713-11-24 BC''), (''294276-12-31 23:59:59.999999''), (''2024-01-01'')) v (at)', period,
    ', interval ' || quote_literal(width))) IN ('00000', '22008', '54000'),
  format('from end to end: %s %s', period, width))
FROM unnest('{hour,day,month,year}'::text[]) period,
  unnest('{NULL,1 microsecond,1 hour,178000000 years,106751991 days,2147483647 months}'::text[]) width;
SELECT results_eq($$SELECT cohort, period, seen
    FROM (SELECT cohort_retention(1, at, 'year') AS t
    FROM (VALUES (timestamp '4713-11-24 BC'), ('294276-12-31 23:59:59.999999'), ('2024-01-01')) v (at)) q,
    cohort_rows(t) WHERE seen > 0$$,
                  $$VALUES (timestamp '4713-01-01 BC', 0, 1::bigint), ('4713-01-01 BC', 6736, 1),
                    ('4713-01-01 BC', 298988, 1)$$, 'years from end to end')
WHERE pg_temp.outcome($$SELECT timestamp '4713-01-01 BC'$$) = '00000';
SELECT results_eq($$SELECT cohort, period, seen
    FROM (SELECT cohort_retention(1, at, 'month', interval '1 microsecond') AS t
    FROM (VALUES (timestamp '2024-01-01'), ('2024-01-01 00:00:00.000001'), ('2024-01-01 00:00:02')) v (at)) q,
    cohort_rows(t, '2024-01-01 00:00:02.5') WHERE seen > 0$$,
                  $$VALUES (timestamp '2024-01-01', 0, 1::bigint), ('2024-01-01', 1, 1), ('2024-01-01', 2000000, 1)$$,
                    'windows of a microsecond');
SELECT is(pg_temp.outcome('SELECT cohort_retention(1, at, ''month'', interval ''1 microsecond'')::text
    FROM (VALUES (timestamp ''2024-01-01''), (''2024-02-01'')) v (at)') IN ('00000', '22008', '54000'), true,
  'more windows than an integer can number');

-- Wide: two customers active on thousands of days; a streak through all of them.
CREATE TABLE wide AS SELECT 1 AS customer, date '2000-01-01' + i AS at FROM generate_series(0, 4999) i UNION ALL
  SELECT 2, date '2000-01-01' + i * 63 FROM generate_series(0, 79) i;
SELECT results_eq($$SELECT period, size, at_risk, retained
    FROM (SELECT cohort_retention(customer, at, 'day') AS t FROM wide) q, cohort_rows(t, date '2013-09-09')
    WHERE period BETWEEN 60 AND 70 OR period BETWEEN 4991 AND 4999$$,
                  $$SELECT k, 2::bigint, 2::bigint, CASE WHEN k % 63 = 0 THEN 2 ELSE 1 END::bigint
                    FROM generate_series(60, 4999) k WHERE k <= 70 OR k > 4990$$, '5,000 days wide: on');
SELECT is((SELECT max(period) FROM (SELECT cohort_retention(customer, at, 'day') AS t FROM wide) q,
    cohort_rows(t, date '2013-09-09', measure => 'streak') WHERE retained = 1), 4999, '5,000 days wide: streak');
SELECT is((SELECT count(*) FROM (SELECT cohort_retention(customer, at, 'day', interval '7 days') AS t FROM wide) q,
    cohort_rows(t, measure => 'streak') WHERE retained = 1), 713::bigint, '714 weeks wide: streak');

-- Bits at the borders of machine words.
SELECT is((SELECT array_agg(period ORDER BY period) FROM cohort_rows(t) WHERE seen > 0), periods,
  'periods ' || array_to_string(periods, ' '))
FROM (VALUES ('{0,1}'::integer[]), ('{0,30,31,32,33}'), ('{0,59,60,61}'), ('{0,62,63,64,65}'), ('{0,63}'), ('{0,64}'),
  ('{0,127,128,129}'), ('{0,255,256}'), ('{0,65535,65536}'), ('{0,1000000}')) v (periods),
     LATERAL (SELECT cohort_retention(7, date '2020-01-01' + p, 'day') AS t FROM unnest(periods) p) q;
-- The same when the first event comes last, and when others come from far away in between.
SELECT is((SELECT array_agg(period ORDER BY period) FROM cohort_rows(t) WHERE seen > 0), periods,
  'backwards, periods ' || array_to_string(periods, ' '))
FROM (VALUES ('{0,1}'::integer[]), ('{0,30,31,32,33}'), ('{0,59,60,61}'), ('{0,62,63,64,65}'), ('{0,63}'), ('{0,64}'),
  ('{0,127,128,129}'), ('{0,255,256}'), ('{0,65535,65536}'), ('{0,1000000}')) v (periods),
     LATERAL (SELECT cohort_retention(7, date '2020-01-01' + p, 'day' ORDER BY p DESC) AS t FROM unnest(periods) p) q;

-- Many: one million groups of one row, in little memory.
SET work_mem = '4MB';
SELECT is((SELECT count(*) FROM (SELECT cohort_retention(g, date '2024-01-01', 'month') AS t
    FROM generate_series(1, 1000000) g GROUP BY g OFFSET 0) q WHERE t IS NOT NULL), 1000000::bigint,
  'a million groups');
SELECT is((SELECT count(DISTINCT t::text)
    FROM (SELECT cohort_retention(g, date '2024-01-01', 'month', interval '30 days') AS t
    FROM generate_series(1, 20000) g GROUP BY g) q), 1::bigint, 'and what is in them');
-- One million customers in one group.
SELECT results_eq($$SELECT cohort, size, retained
    FROM (SELECT cohort_retention(g, date '2024-01-01' + g % 2 * 31 + h * 31, 'month') AS t
    FROM generate_series(1, 500000) g, generate_series(0, 1) h) q, cohort_rows(t, '2025-01-01') WHERE period = 1$$,
                  $$VALUES (timestamp '2024-01-01', 250000::bigint, 250000::bigint), ('2024-02-01', 250000, 250000)$$,
                    'half a million customers');
RESET work_mem;

-- Long work can be cancelled.
SET LOCAL statement_timeout = '300ms';
SELECT is(pg_temp.outcome('SELECT count(*)
    FROM (SELECT cohort_retention(g, date ''2024-01-01'', ''month'') AS t
    FROM (SELECT generate_series(1, 2000000000) AS g) s) q'), '57014', 'the aggregate can be cancelled');
SELECT is(pg_temp.outcome('SELECT count(*)
    FROM (SELECT cohort_retention(g, timestamp ''0044-03-15 BC'' + g * interval ''1 year'', ''day'') AS t
    FROM generate_series(1, 1000) g) q, LATERAL (SELECT * FROM cohort_rows(t, timestamp ''9999-12-31'') OFFSET 0) r'),
          '57014', 'and an accessor');
SET LOCAL statement_timeout = '300s';

-- Infinite intervals came with PostgreSQL 17.
SELECT is(pg_temp.outcome('SELECT cohort_retention(1, date ''2024-01-01'', ''month'', interval ''infinity'')'), '22023',
  'a window of infinity') WHERE current_setting('server_version_num')::integer >= 170000;

-- Statistics at the limits.
CREATE TABLE half AS SELECT cohort_retention(c, date '2024-01-01' + k * 31, 'month') AS t
  FROM generate_series(1, 10) c, generate_series(0, 3) k WHERE k IN (0, 3) OR (k = 1 AND c <= 5) OR (k = 2 AND c > 10);
SELECT results_eq('SELECT period, retained, round(rate_low::numeric, 10), round(rate_high::numeric, 10)
    FROM half, cohort_rows(t, ''2024-06-01'') WHERE period < 4',
                  'SELECT k, x, round(low::numeric, 10), round(high::numeric, 10)
                    FROM (VALUES (0, 10::bigint), (1, 5), (2, 0), (3, 10)) v (k, x), oracle.wilson(x, 10, 0.95)',
                    'Wilson limits of 10, 5, 0, 10 of 10');
SELECT ok(bool_and(rate_low >= 0 AND rate_low <= rate AND rate <= rate_high AND rate_high <= 1
    AND rate_high < 'Infinity'), 'limits stay in [0, 1] at confidence ' || c)
FROM half, unnest('{1e-300,1e-10,0.1,0.6827,0.999999,0.999999999999,0.9999999999999999}'::float8[]) c,
  cohort_rows(t, '2024-06-01', confidence => c) WHERE at_risk > 0 GROUP BY c;
SELECT ok(bool_and(narrow.rate_low > wide.rate_low AND narrow.rate_high < wide.rate_high),
  'more confidence, wider limits')
FROM half, unnest('{0.01,0.5,0.9,0.95,0.99,0.9999}'::float8[]) WITH ORDINALITY a (c, o),
  unnest('{0.5,0.9,0.95,0.99,0.9999,0.9999999}'::float8[]) WITH ORDINALITY b (d, o),
     LATERAL (SELECT * FROM cohort_rows(t, '2024-06-01', confidence => c) WHERE period = 1) narrow,
       LATERAL (SELECT * FROM cohort_rows(t, '2024-06-01', confidence => d) WHERE period = 1) wide WHERE a.o = b.o;

-- retention_test: Newcombe's example, 56 of 70 against 48 of 80.
CREATE FUNCTION pg_temp.group(retained integer, size integer) RETURNS cohort_table LANGUAGE sql AS $$
  SELECT cohort_retention(c, date '2024-01-10' + k * 31, 'month')
    FROM generate_series(1, size) c, generate_series(0, 1) k WHERE k = 0 OR c <= retained $$;
SELECT results_eq($$SELECT exposed_at_risk, exposed_retained, exposed_rate, control_at_risk, control_retained,
    control_rate, round(difference::numeric, 4), round(difference_low::numeric, 4), round(difference_high::numeric, 4),
    round(p_value::numeric, 6)
                    FROM retention_test(pg_temp.group(56, 70), pg_temp.group(48, 80), 1, '2024-03-01')$$,
                  $$VALUES (70::bigint, 56::bigint, 0.8::float8, 80::bigint, 48::bigint, 0.6::float8, 0.2, 0.0524,
                      0.3339, 0.008045)$$, 'retention_test: Newcombe 1998, 56/70 - 48/80');
SELECT ok(NOT (oracle.differ(difference, w.difference_) OR oracle.differ(difference_low, low)
    OR oracle.differ(difference_high, high) OR oracle.differ(p_value, p_)),
          format('retention_test: %s/%s - %s/%s', x1, n1, x2, n2))
FROM (VALUES (9, 10, 3, 10), (0, 10, 0, 20), (10, 10, 0, 20), (10, 10, 10, 10), (500, 1000, 400, 1000), (1, 1, 0, 1))
  v (x1, n1, x2, n2),
     oracle.two_groups(x1, n1, x2, n2, 0.95) w (difference_, low, high, p_),
       retention_test(pg_temp.group(x1, n1), pg_temp.group(x2, n2), 1, '2024-03-01');
SELECT results_eq($$SELECT r.* FROM retention_test(pg_temp.group(56, 70), pg_temp.group(48, 80), 1, '2024-02-20') r$$,
  $$VALUES (0::bigint, NULL::bigint, NULL::float8, 0::bigint, NULL::bigint, NULL::float8, NULL::float8, NULL::float8,
    NULL::float8, NULL::float8)$$,
                  'retention_test: before the period is over nothing is known');
SELECT is((SELECT count(*) FROM retention_test(pg_temp.group(56, 70), pg_temp.group(48, 80), 7, '2024-02-20')),
  1::bigint, 'always one row');

-- Windows of more days than there are microseconds for: the first one never ends, in any zone.
SELECT results_eq(format($$SELECT r.* FROM (SELECT cohort_retention(customer, at, 'month', interval %L) FROM ev
    WHERE customer > 4) c(t), cohort_rows(t, as_of => '2024-12-31') r$$, width),
  $$SELECT date_trunc('month', min(at)), 0, date_trunc('month', min(at)), count(DISTINCT customer), 0::bigint,
    NULL::bigint, NULL::float8, NULL::float8, NULL::float8, false, count(DISTINCT customer)
    FROM ev WHERE customer > 4$$, 'a window of ' || width)
FROM unnest(ARRAY['100000000 days', '150000000 days', '2000000000 days', '2000000000 months']) width;
SELECT results_eq(format($$SELECT r.* FROM (SELECT cohort_retention(customer, at::timestamptz, 'month', interval %L,
    'Europe/Berlin') FROM ev WHERE customer > 4) c(t), cohort_rows(t, as_of => '2024-12-31') r$$, width),
  $$SELECT date_trunc('month', min(at)), 0, date_trunc('month', min(at)), count(DISTINCT customer), 0::bigint,
    NULL::bigint, NULL::float8, NULL::float8, NULL::float8, false, count(DISTINCT customer)
    FROM ev WHERE customer > 4$$, 'a window of ' || width || ' in a zone')
FROM unnest(ARRAY['100000000 days', '150000000 days', '2000000000 days', '2000000000 months']) width;

SELECT * FROM finish();
ROLLBACK;
