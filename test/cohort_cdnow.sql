-- CDNOW, the best known transaction log of the field: 23,570 customers of 1997 Q1, all orders to June 1998
-- (test/data/cdnow_master.txt); its summaries are held in history.sql.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT plan(16);
\ir oracle/oracle.psql
\ir oracle/compare.psql
\ir fixtures/cdnow.psql
CREATE TABLE orders AS TABLE cdnow;
SELECT is((count(*), count(DISTINCT customer), min(at), max(at))::text, '(69659,23570,1997-01-01,1998-06-30)',
  'the log is complete') FROM orders;

CREATE TABLE months AS SELECT cohort_retention(customer, at, 'month') AS t FROM orders;
SELECT results_eq('SELECT cohort, size FROM months, cohort_rows(t) WHERE period = 0',
                  'SELECT date_trunc(''month'', first)::timestamp, count(*)
                    FROM (SELECT min(at) AS first FROM orders GROUP BY customer) f GROUP BY 1 ORDER BY 1',
                    'three cohorts and their sizes');
-- The classic query: first month of each customer, joined to the months in which it ordered.
SELECT results_eq('SELECT cohort, period, seen FROM months, cohort_rows(t) WHERE seen > 0',
  $$WITH m AS (SELECT DISTINCT customer, date_trunc('month', at::timestamp) AS month FROM orders),
    f AS (SELECT customer, min(month) AS cohort FROM m GROUP BY customer)
    SELECT cohort, (extract(year FROM month) * 12 + extract(month FROM month) - extract(year FROM cohort) * 12
      - extract(month FROM cohort))::integer AS period, count(*)
    FROM m JOIN f USING (customer) GROUP BY 1, 2 ORDER BY 1, 2$$, 'every cell as the classic query counts it');

SELECT oracle.prepare('SELECT customer, NULL::date AS joined_at, at FROM orders', 'first', 'month', NULL, 'UTC')
  \g /dev/null
SELECT oracle.observe(NULL::timestamp) \g /dev/null
SELECT is(oracle.rows_difference(t, '', measure, 0.95), NULL, 'months, every cell equal to the oracle: ' || measure)
  FROM months, unnest('{on,on_or_after,on_or_before,by,streak}'::text[]) measure;
SELECT is(oracle.curve_difference(t, '', 'on', 0.95), NULL, 'the pooled curve') FROM months;
SELECT is(oracle.lifecycle_difference(t, ''), NULL, 'the lifecycle') FROM months;
SELECT is(oracle.broken_identity(t, 23570), NULL, 'the identities') FROM months;

-- Dates as timestamps and as instants of another zone, customers as integers: the same.
SELECT is((SELECT cohort_retention(customer::integer, at, 'month')::text FROM orders),
  (SELECT t::text FROM months), 'integers');
SELECT is((SELECT cohort_retention(customer::integer, at::timestamp, 'month')::jsonb - 'dates' FROM orders),
  (SELECT t::jsonb - 'dates' FROM months), 'integers and timestamps');

SELECT oracle.prepare('SELECT customer, NULL::date AS joined_at, at FROM orders WHERE customer < ''03000''', 'first',
  'month', '30 days', 'UTC') \g /dev/null
SELECT oracle.observe_day('1998-04-15') \g /dev/null
CREATE TABLE windows AS SELECT cohort_retention(customer, at, 'month', interval '30 days') AS t FROM orders
  WHERE customer < '03000';
SELECT is(oracle.rows_difference(t, $$, as_of => date '1998-04-15'$$, measure, 0.99), NULL,
  'windows of 30 days, every cell equal to the oracle: ' || measure)
  FROM windows, unnest('{on,on_or_after,streak}'::text[]) measure;
SELECT * FROM finish();
ROLLBACK;
