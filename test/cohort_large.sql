-- Large states: tens of thousands of customers, where a state changes its shape as it grows (wider keys, wider spans of
-- periods, sets that become lists).  In any row order and plan the table must be, byte for byte, the roll-up of tables
-- of a few customers each, which are compared with the oracle elsewhere (cohort_random.sql).
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
SET TimeZone = 'UTC';
SET jit = off;
SET work_mem = '64MB';

-- 40,000 customers, from 1 to many events each, over two years; o is the order in which they happened.
CREATE TABLE ev WITH (parallel_workers = 2) AS
  SELECT o, c, (hashint4(c) & 3) AS kind,
         timestamptz '2023-01-01 00:00+00' + make_interval(mins => (hashint4(c) & 524287)) AS joined_at,
         timestamptz '2023-01-01 00:00+00' + make_interval(mins => (hashint4(c) & 524287))
           + make_interval(mins => ((o::bigint * o) % 1000003 % 400000)::integer) * (hashint4(o) & 1) AS at
  FROM generate_series(1, 110000) o,
    LATERAL (SELECT ((o::bigint * o) % 7919 * ((o % 6) + 1) + o % 5 * 8000)::integer % 40000) q (c);
ALTER TABLE ev ADD wide bigint, ADD outlier timestamptz;
-- Keys beyond 32 bits, and times beyond any mask, each of a few customers.
UPDATE ev SET wide = CASE WHEN c % 97 = 0 THEN c::bigint << 33 ELSE c END, outlier = CASE WHEN c % 1009 = 0
  AND o % 3 = 0 THEN at - interval '90 years' WHEN c % 1013 = 0 THEN at + interval '90 years' ELSE at END;
ANALYZE ev;
SELECT cmp_ok(count(DISTINCT c), '>', 25000::bigint, 'tens of thousands of customers') FROM ev;

CREATE TABLE form (o serial, call text, answer text);
INSERT INTO form (call) SELECT replace(t, 'KEY', k) FROM unnest('{c,wide,customer-text,uuid,numeric}'::text[]) WITH
  ORDINALITY key (name, n),
  LATERAL (SELECT CASE name WHEN 'customer-text' THEN '(''customer '' || c)' WHEN 'uuid' THEN 'md5(c::text)::uuid'
    WHEN 'numeric' THEN 'wide::numeric' ELSE name END) q (k),
  unnest(ARRAY['cohort_retention(KEY, at, ''month'', ''Europe/Paris'')',
      'cohort_retention(KEY, at, ''day'', ''Europe/Paris'')', 'cohort_retention(KEY, outlier, ''month'', ''UTC'')',
               'cohort_retention(KEY, joined_at, at, ''month'', ''UTC'')',
                 'cohort_retention(KEY, CASE WHEN o % 3 > 0 THEN joined_at END, outlier, ''week'', ''UTC'')',
               'cohort_retention(KEY, at, ''month'', interval ''30 days'', ''UTC'')',
                 'cohort_retention(KEY, outlier, ''quarter'', interval ''1 month'', ''Europe/Paris'')',
               'cohort_retention(KEY, joined_at, at, ''month'', interval ''7 days'', ''UTC'')',
                 'cohort_retention(KEY, CASE WHEN o % 3 > 0 THEN joined_at END, outlier, ''month'', interval ''1 '
                 'month'', ''Europe/Paris'')'])
    WITH ORDINALITY template (t, m)
WHERE n = 1 OR (n = 2 AND m IN (1, 2, 3, 9)) OR (n = 3 AND m IN (1, 2, 6, 9)) OR (n = 4 AND m IN (5, 7))
  OR (n = 5 AND m IN (1, 9));

CREATE FUNCTION pg_temp.answer(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
  EXECUTE query INTO r;
  RETURN r;
END $$;
SET max_parallel_workers_per_gather = 0;
SET enable_hashagg = off;   -- one small state at a time
UPDATE form SET answer = pg_temp.answer(format('SELECT rollup(t)::text
    FROM (SELECT %s AS t FROM ev GROUP BY c %% 29) q', call));
RESET enable_hashagg;
SELECT is((SELECT sum(size) FROM cohort_rows(answer::cohort_table) WHERE period = 0),
  (SELECT count(DISTINCT c) FROM ev)::numeric, 'sum of sizes = distinct customers: ' || call) FROM form
  WHERE call NOT LIKE '%CASE%' ORDER BY o;

CREATE FUNCTION pg_temp.check(title text, source text) RETURNS SETOF text LANGUAGE sql AS $$
  SELECT ok(md5(pg_temp.answer(format('SELECT %s::text FROM %s', call, source))) = md5(answer), title || ': ' || call)
    FROM form ORDER BY o $$;
SET synchronize_seqscans = off;
CREATE TABLE late AS SELECT * FROM ev ORDER BY c % 97 = 0, outlier <> at, o;
CREATE TABLE early AS SELECT * FROM ev ORDER BY outlier <> at DESC, c % 97 = 0 DESC, o DESC;
CREATE TABLE sorted AS SELECT * FROM ev ORDER BY c, at DESC;
CREATE TABLE joining_last AS SELECT * FROM ev ORDER BY o % 3 > 0, hashint4(o);
SELECT pg_temp.check('as it happened', 'ev');
SELECT pg_temp.check('outliers and wide keys last', 'late');
SELECT pg_temp.check('outliers and wide keys first', 'early');
SELECT pg_temp.check('customer by customer', 'sorted');
SELECT pg_temp.check('joining last', 'joining_last');
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 2;
SELECT pg_temp.check('in parallel', 'ev');

-- A joined_at that differs between the rows of a customer: the earliest counts, also in a large state, or it is
-- refused; never another table.
CREATE FUNCTION pg_temp.answer_or_code(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN pg_temp.answer(query);
EXCEPTION WHEN program_limit_exceeded THEN
  RETURN SQLSTATE;
END $$;
UPDATE ev SET joined_at = joined_at - interval '40 days' WHERE c % 2003 = 5 AND o % 2 = 0;
CREATE TABLE differing (o serial, title text, answer text);
INSERT INTO differing (title, answer)
  SELECT ordering, pg_temp.answer_or_code(format('SELECT cohort_retention(c, joined_at, at, ''month'',
    interval ''30 days'', ''UTC'')::text FROM (SELECT * FROM ev ORDER BY %s OFFSET 0) e', ordering))
FROM unnest('{o,"c, o","c % 2003 = 5, o % 2 = 0, o","c % 2003 = 5 DESC, o % 2 DESC, o",joined_at,joined_at '
  'DESC}'::text[]) ordering;
INSERT INTO differing (title, answer)
  SELECT 'in parallel', pg_temp.answer_or_code('SELECT cohort_retention(c, joined_at, at, ''month'',
    interval ''30 days'', ''UTC'')::text FROM ev');
SELECT ok(answer IN ('54000', pg_temp.answer('SELECT rollup(t)::text
    FROM (SELECT cohort_retention(c, joined_at, at, ''month'', interval ''30 days'', ''UTC'') AS t FROM ev
    GROUP BY c % 29) q')), 'joined_at differs: ' || title) FROM differing ORDER BY o;

SELECT * FROM finish();
ROLLBACK;
