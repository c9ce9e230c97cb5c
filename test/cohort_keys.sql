-- Types of customer: the same table whatever the type of the key, by one scan and by partial aggregates in parallel
-- workers. Keys that are equal by their type's `=` are one customer, in whatever bytes.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
SET TimeZone = 'UTC';

CREATE TYPE pair AS (number integer, name text);
CREATE DOMAIN email AS text CHECK (value LIKE '%@%');
CREATE DOMAIN small AS int2;
-- A server may have been built without ICU; there, no collation takes two texts for one.
DO $$ BEGIN
  CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;
SELECT skip('no ICU in this server: nondeterministic collations', 4)
  WHERE NOT EXISTS (SELECT FROM pg_collation WHERE collname = 'no_case');
DO $$ BEGIN EXECUTE (SELECT format('CREATE TYPE label AS ENUM (%s)',
    string_agg(quote_literal('label ' || k), ', ' ORDER BY k)) FROM generate_series(0, 40) k); END $$;

-- 41 customers; n tells the rows of one customer apart.
CREATE TABLE ev AS
  SELECT n, k, (k || '@x')::email AS email, date '2024-01-01' + (n * 7919) % 400 AS at,
    date '2024-01-01' + k * 3 % 100 + n % 5 AS joined_at
    FROM generate_series(1, 600) n, LATERAL (SELECT n * n % 4999 % 41) q (k);
CREATE TABLE expected AS
  SELECT cohort_retention(k, at, 'month')::text AS first,
    cohort_retention(k, joined_at, at, 'week', interval '10 days')::text AS joined,
    cohort_retention(k, at, 'month', interval '10 days')::text AS rolling FROM ev;
CREATE TABLE expected_half AS
  SELECT cohort_retention(k % 2, at, 'month')::text AS first,
    cohort_retention(k % 2, joined_at, at, 'week', interval '10 days')::text AS joined,
    cohort_retention(k % 2, at, 'month', interval '10 days')::text AS rolling FROM ev;

CREATE FUNCTION pg_temp.parallel(yes boolean) RETURNS void LANGUAGE sql AS $$
  SELECT set_config('min_parallel_table_scan_size', CASE WHEN yes THEN '0' ELSE '1GB' END, true),
    set_config('parallel_setup_cost', '0', true), set_config('parallel_tuple_cost', '0', true),
         set_config('max_parallel_workers_per_gather', CASE WHEN yes THEN '2' ELSE '0' END, true),
           set_config('jit', 'off', true) $$;
ALTER TABLE ev SET (parallel_workers = 2);
CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; plan text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP plan := plan || line || E'\n'; END LOOP;
  RETURN plan;
END $$;

CREATE FUNCTION pg_temp.check(expression text, expected_from text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  query text := format('SELECT cohort_retention(%1$s, at, ''month'')::text AS first,
      cohort_retention(%1$s, joined_at, at, ''week'', interval ''10 days'')::text AS joined,
                               cohort_retention(%1$s, at, ''month'', interval ''10 days'')::text AS rolling FROM ev',
                                 expression);
BEGIN
  PERFORM pg_temp.parallel(false);
  RETURN NEXT results_eq(query, 'TABLE ' || expected_from, expression);
  PERFORM pg_temp.parallel(true);
  RETURN NEXT CASE WHEN pg_temp.plan(query) ~ 'Partial Aggregate'
    THEN results_eq(query, 'TABLE ' || expected_from, expression || ', parallel')
                   ELSE fail(expression || ', parallel: no Partial Aggregate') END;
END $$;

SELECT t FROM unnest(ARRAY[
  'k::int2', 'k', 'k::int8', 'k * -1000000007::int8', 'k - 20', '(k + 2147483600)::oid', 'k::small', 'k::"char"',
    '(k::text)::xid',
  'md5(k::text)::uuid', 'k::text', '''customer '' || k', 'repeat(''x'', k * 50)', 'repeat(''long '', 5000) || k',
    '(''€'' || k)::varchar(10)', 'email', 'k::text::name',
  '(''label '' || k)::label', 'int8send(k)', 'decode(repeat(md5(k::text), 1 + k), ''hex'')',
  -- equal values of different bytes
  '(k::text || repeat('' '', n % 4))::bpchar',
    '(k::text || CASE n % 3 WHEN 0 THEN '''' WHEN 1 THEN ''.0'' ELSE ''.0000000000000000000000000000'' END)::numeric',
  '(k::numeric - 20) * 1e30', 'CASE WHEN k = 0 AND n % 2 = 0 THEN ''-0'' ELSE k::float8 END',
    'CASE WHEN k = 0 AND n % 2 = 0 THEN ''-0'' ELSE k::float4 END',
  'CASE WHEN k = 0 THEN ''NaN'' WHEN k = 1 THEN ''-Infinity'' ELSE k::float8 END',
    'CASE WHEN k = 0 THEN ''NaN'' ELSE k::numeric END',
  '(CASE WHEN n % 2 = 0 THEN ''Miller '' ELSE ''mILLER '' END || k) COLLATE no_case',
    '((CASE WHEN n % 2 = 0 THEN ''ab'' ELSE ''AB'' END || k)::varchar) COLLATE no_case',
  'CASE WHEN n % 2 = 0 THEN make_interval(days => k) ELSE make_interval(hours => k * 24) END',
    '(''{"customer": '' || k || CASE WHEN n % 2 = 0 THEN ''.00'' ELSE '''' END || ''}'')::jsonb',
  'CASE WHEN n % 2 = 0 THEN int4range(k, k + 2) ELSE int4range(k, k + 1, ''[]'') END',
  -- the rest
  'date ''2000-01-01'' + k', 'timestamptz ''2000-01-01'' + make_interval(secs => k / 7.0)',
    'time ''00:00'' + make_interval(mins => k)', '(time ''00:00'' + make_interval(mins => k))::timetz',
  'ARRAY[k, k + 1]', 'ARRAY[ARRAY[''a'', k::text], ARRAY[''NULL'', ''b'']]',
    'ARRAY[]::integer[] || CASE WHEN k > 0 THEN ARRAY[k] END', 'ROW(k, ''x'')::pair', 'ROW(0, k::text)::pair',
  'ARRAY[ROW(k, ''x'')::pair]', '(''10.0.0.'' || k)::inet', '(''10.0.0.'' || k || ''/32'')::cidr',
    '(''08:00:2b:01:02:'' || to_hex(k + 16))::macaddr', '(''0/'' || to_hex(k))::pg_lsn', '(''('' || k || '',1)'')::tid'
  ]) expression, pg_temp.check(expression, 'expected') t
WHERE expression !~ 'no_case' OR EXISTS (SELECT FROM pg_collation WHERE collname = 'no_case');
SELECT t FROM unnest(ARRAY['k % 2 = 1', '(k % 2)::int2',
    'CASE k % 2 WHEN 0 THEN ''pg_class''::regclass ELSE ''pg_type'' END',
    'CASE k % 2 WHEN 0 THEN ''{}''::integer[] ELSE ''{0}'' END',
                           'CASE k % 2 WHEN 0 THEN '''' ELSE '' '' END',
                             'CASE k % 2 WHEN 0 THEN ROW(1, '''')::pair ELSE ROW(0, '''')::pair END',
                             'CASE k % 2 WHEN 0 THEN ''empty''::int4range ELSE ''(,)'' END']) expression,
              pg_temp.check(expression, 'expected_half') t;

-- The collation is the key's: where letter case counts, there are twice as many customers.
SELECT is((SELECT sum(size) FROM cohort_rows(t) WHERE period = 0), 82::numeric, 'letter case counts elsewhere')
FROM (SELECT cohort_retention((CASE WHEN m % 2 = 0 THEN 'Miller ' ELSE 'mILLER ' END || k), at, 'month') AS t
  FROM ev, generate_series(1, 2) m) q;

-- NULL customers are nobody, and so are those of whom a part is NULL; a part of a part does not matter.
SELECT is((SELECT cohort_retention(key, at, 'month')::text FROM ev, LATERAL (SELECT CASE form
    WHEN 1 THEN ARRAY[k, CASE WHEN k <> 5 THEN 1 END] WHEN 2 THEN ARRAY[CASE WHEN k <> 5 THEN k END] END) q (key)),
  (SELECT cohort_retention(k, at, 'month')::text FROM ev WHERE k <> 5), 'an array with a NULL, form ' || form)
FROM generate_series(1, 2) form;
SELECT is((SELECT cohort_retention(ROW(k, CASE WHEN k <> 5 THEN 'x' END)::pair, joined_at, at, 'month',
    interval '7 days')::text FROM ev), (SELECT cohort_retention(k, joined_at, at, 'month', interval '7 days')::text
      FROM ev
    WHERE k <> 5), 'a row with a NULL');
SELECT pg_temp.parallel(false) \g /dev/null
SELECT is((SELECT cohort_retention(CASE WHEN k <> 5 THEN k END, at, 'month')::text FROM ev),
  (SELECT cohort_retention(k, at, 'month')::text FROM ev WHERE k <> 5), 'NULL customers are skipped');
SELECT is((SELECT cohort_retention(CASE WHEN k <> 5 THEN k::text END, joined_at, at, 'month')::text FROM ev),
  (SELECT cohort_retention(k, joined_at, at, 'month')::text FROM ev WHERE k <> 5),
  'also those of variable length, with joined_at');
SELECT is((SELECT count(*) FROM (SELECT cohort_retention(NULL::integer, at, 'month') t FROM ev) q, cohort_rows(t)),
  0::bigint, 'and alone they make an empty table');

-- Types that cannot be hashed.
SELECT throws_ok(format('SELECT cohort_retention(%s, at, ''month'') FROM ev', expression), '42883', NULL,
  expression || ' has no hash operator class')
FROM unnest(ARRAY['point(k, k)', 'json_build_object(''k'', k)', 'k::money', 'to_tsvector(''simple'', k::text)',
    'k::bit(8)', 'ARRAY[point(k, k)]', 'ROW(k, point(k, k))', 'ROW(k, k)']) expression;
SELECT throws_ok('SELECT cohort_retention(point(k, k), joined_at, at, ''month'', interval ''1 day'') FROM ev', '42883',
  NULL, 'also with joined_at');

SELECT * FROM finish();
ROLLBACK;
