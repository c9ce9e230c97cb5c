-- cohort_retention: what it prints, and what it says when it cannot.
-- Plans, properties and the oracle are in test/.
SET TimeZone = 'America/New_York';
SET DateStyle = 'ISO, MDY';
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS retention;
RESET client_min_messages;

CREATE TABLE orders (customer integer, joined_at date, ordered_at timestamptz, amount numeric);
INSERT INTO orders VALUES
  (1, '2024-01-02', '2024-01-05 10:00+00', 10), (1, '2024-01-02', '2024-02-01 00:30+01', 20),
    (1, '2024-01-02', '2024-02-03 12:00+00', 30), (1, NULL, '2024-04-11 12:00+00', 40),
  (2, '2024-01-20', '2024-01-31 23:30+00', 50), (2, NULL, '2024-03-09 12:00+00', 60),
  (3, '2024-02-01', '2024-02-14 12:00+00', 70), (3, '2024-02-01', '2024-02-14 12:00+00', 70),
  (4, '2024-02-02', '2024-03-15 12:00+00', 80), (4, '2024-02-02', '2024-04-15 12:00+00', 90),
  (5, '2024-02-05', NULL, NULL), (NULL, '2024-01-01', '2024-01-01 12:00+00', 0), (6, NULL, '2024-02-20 12:00+00', 100);

-- Cohort = first order.
SELECT r.cohort, r.period, r.period_start, size, at_risk, retained, round(rate::numeric, 4) AS rate,
  round(rate_low::numeric, 4) AS rate_low, round(rate_high::numeric, 4) AS rate_high, complete, seen
FROM (SELECT cohort_retention(customer, ordered_at, 'month', 'Europe/Paris') AS c FROM orders) q, cohort_rows(c) r;
SELECT period, cohorts, at_risk, retained, round(rate::numeric, 4) AS rate, round(rate_low::numeric, 4) AS rate_low,
  round(rate_high::numeric, 4) AS rate_high
FROM (SELECT cohort_retention(customer, ordered_at, 'month', 'Europe/Paris') AS c FROM orders) q,
  retention_curve(c, '2024-05-01', 'on_or_after', confidence => 0.9);
SELECT r.* FROM (SELECT cohort_retention(customer, ordered_at, 'month', 'Europe/Paris') AS c FROM orders) q,
  lifecycle_rows(c) r;
-- Cohort = joining.
SELECT r.cohort, r.period, size, at_risk, retained, complete, seen
  FROM (SELECT cohort_retention(customer, joined_at, ordered_at, 'month', 'Europe/Paris') AS c FROM orders) q,
  cohort_rows(c, '2024-05-01') r;
-- Windows of 30 days from each one's own start.
SELECT r.cohort, r.period, r.period_start, size, at_risk, retained, complete, seen
FROM (SELECT cohort_retention(customer, joined_at, ordered_at, 'month', interval '30 days', 'Europe/Paris') AS c
  FROM orders) q, cohort_rows(c, date '2024-04-01', 'on_or_before') r;
-- Two groups.
SELECT exposed_at_risk, exposed_retained, exposed_rate, control_at_risk, control_retained, control_rate,
  round(difference::numeric, 4) AS difference, round(difference_low::numeric, 4) AS difference_low,
       round(difference_high::numeric, 4) AS difference_high, round(p_value::numeric, 4) AS p_value
FROM (SELECT cohort_retention(customer, ordered_at, 'month', 'UTC') FILTER (WHERE customer % 2 = 1) AS a,
  cohort_retention(customer, ordered_at, 'month', 'UTC') FILTER (WHERE customer % 2 = 0) AS b FROM orders) q,
     retention_test(a, b, 1, '2024-05-01');
-- As a picture, as JSON, as text.
SELECT cohort_chart(cohort_retention(customer, ordered_at, 'month', 'Europe/Paris')) FROM orders;
SELECT cohort_chart(cohort_retention(customer, ordered_at, 'month', interval '1 month', 'Europe/Paris'),
  as_of => '2024-05-01', measure => 'on_or_after') FROM orders;
SELECT jsonb_pretty(cohort_retention(customer, ordered_at, 'month', 'Europe/Paris')::jsonb) FROM orders;
SELECT cohort_retention(customer, ordered_at, 'month', 'Europe/Paris') FROM orders;
-- Nothing at all.
SELECT r.* FROM (SELECT cohort_retention(customer, ordered_at, 'month') AS c FROM orders WHERE false) q,
  cohort_rows(c) r;
SELECT cohort_chart(cohort_retention(customer, ordered_at, 'month')) FROM orders WHERE false;
SELECT cohort_retention(customer, ordered_at, 'month') AS empty,
  cohort_retention(customer, ordered_at, 'month')::jsonb AS as_json FROM orders WHERE false;

-- Errors: the text and the SQLSTATE.
SELECT cohort_retention(customer, ordered_at, 'fortnight') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, ordered_at, '') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, ordered_at, 'week:someday') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, ordered_at, 'month:sunday') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, ordered_at, 'months') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, ordered_at, NULL) FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, ordered_at, CASE WHEN amount > 50 THEN 'day' ELSE 'month' END) FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, ordered_at, 'month', 'Europe/Lutetia') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, ordered_at, 'month', '') FROM orders;
\echo :LAST_ERROR_SQLSTATE
-- a window without the word interval is taken for a zone
SELECT cohort_retention(customer, ordered_at, 'month', '30 days') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, ordered_at, 'month', NULL::text) FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, ordered_at, 'month', CASE WHEN amount > 50 THEN 'UTC' ELSE 'Asia/Tokyo' END)
  FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, ordered_at, 'month', interval '0') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, ordered_at, 'month', interval '-1 day') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, ordered_at, 'month', interval '1 month -1 day') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, ordered_at, 'month', NULL::interval) FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, ordered_at, 'month', make_interval(days => amount::integer), 'UTC') FROM orders
  WHERE amount > 0;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, amount, 'month') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, ordered_at::text, 'month') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, amount, ordered_at, 'month', 'UTC') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(point(customer, 1), ordered_at, 'month') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, 'infinity'::timestamptz, 'month') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, '-infinity'::date, ordered_at, 'month') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(customer, date '294277-01-01', 'month') FROM orders;
\echo :LAST_ERROR_SQLSTATE
CREATE TABLE kept AS SELECT cohort_retention(customer, ordered_at, 'month', 'UTC') AS c,
  cohort_retention(customer, ordered_at, 'month', 'Asia/Tokyo') AS tokyo,
  cohort_retention(customer, ordered_at, 'week', 'UTC') AS weeks,
  cohort_retention(customer, ordered_at, 'month', interval '30 days', 'UTC') AS windows,
    cohort_retention(customer, ordered_at::date, 'month', 'UTC') AS dates FROM orders;
SELECT count(*) FROM kept, cohort_rows(c, measure => 'at');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM kept, retention_curve(c, '2024-05-01', 'On');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM kept, cohort_rows(c, confidence => 95);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM kept, cohort_rows(c, confidence => 0);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM kept, retention_curve(c, confidence => 1);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM kept, retention_test(c, c, 1, confidence => 'NaN');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM kept, retention_test(c, c, -1);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM kept, cohort_rows(c, 'infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM kept, lifecycle_rows(c, date '-infinity');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM kept, cohort_rows(c, 'infinity'::timestamptz);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM kept, cohort_rows(c, 'soon');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM kept, lifecycle_rows(c, 'next Tuesday');
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM (SELECT cohort_retention(1, at, 'hour') AS c
  FROM (VALUES (timestamp '0044-03-15 BC'), ('2024-01-01')) v (at)) q, cohort_rows(c);
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM (SELECT cohort_retention(1, at, 'hour') AS c
  FROM (VALUES (timestamp '0044-03-15 BC'), ('2024-01-01')) v (at)) q, lifecycle_rows(c);
\echo :LAST_ERROR_SQLSTATE
SELECT rollup(x) FROM kept, unnest(ARRAY[c, tokyo]) x;
\echo :LAST_ERROR_SQLSTATE
SELECT rollup(x) FROM kept, unnest(ARRAY[c, weeks]) x;
\echo :LAST_ERROR_SQLSTATE
SELECT rollup(x) FROM kept, unnest(ARRAY[c, windows]) x;
\echo :LAST_ERROR_SQLSTATE
SELECT rollup(x) FROM kept, unnest(ARRAY[c, dates]) x;
\echo :LAST_ERROR_SQLSTATE
SELECT count(*) FROM kept, retention_test(c, weeks, 1);
\echo :LAST_ERROR_SQLSTATE
SELECT 'nonsense'::cohort_table;
\echo :LAST_ERROR_SQLSTATE
SELECT ''::cohort_table;
\echo :LAST_ERROR_SQLSTATE
DROP TABLE orders, kept;

-- What is left out is told, once a call site, and what a table is about.
SELECT s.* FROM (SELECT cohort_retention(c, d, 'month', interval '14 days') AS t
  FROM (VALUES (1, date '2024-01-05'), (1, '2024-03-01'), (NULL, '2024-01-06'), (NULL, NULL), (2, NULL), (3, '2024-02-01'))
    v (c, d)) q, cohort_summary(t) s;
SELECT s.* FROM (SELECT cohort_retention(c, timestamptz '2024-01-05 10:00+00', 'week', 'Asia/Tokyo') AS t
  FROM generate_series(1, 3) c) q, cohort_summary(t) s;
SELECT s.* FROM (SELECT cohort_retention(NULL::integer, date '2024-01-05', 'month') AS t) q, cohort_summary(t) s;
SELECT country, s.customers, s.cohorts FROM (SELECT country, cohort_retention(c, j, d, 'month') AS t
  FROM (VALUES ('DE', 1, date '2024-01-05', date '2024-02-01'), ('DE', 2, NULL, '2024-02-01'), ('DE', 3, NULL, NULL),
    ('DE', 4, '2024-03-01', NULL), ('FR', NULL, '2024-03-01', NULL)) v (country, c, j, d) GROUP BY country) q,
  cohort_summary(t) s ORDER BY country;
SELECT count(*) FROM cohort_summary(NULL);
-- The counts travel between workers.
CREATE TABLE guests AS SELECT nullif(i % 100, 0) AS c, CASE WHEN i % 1000 <> 7 THEN date '2024-01-01' + i % 91 END AS d
  FROM generate_series(1, 20000) i;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SELECT s.customers, s.cohorts FROM (SELECT cohort_retention(c, d, 'month') AS t FROM guests) q, cohort_summary(t) s;
SELECT s.customers, s.cohorts FROM (SELECT cohort_retention(c, d, d, 'day', interval '2 days') AS t FROM guests) q,
  cohort_summary(t) s;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

-- Half years; numbers that are no times; an as_of beyond all data.
SELECT cohort_chart(cohort_retention(c, date '2023-03-01' + c * 40 + k * 100, 'half'), periods => 3)
  FROM generate_series(1, 8) c, generate_series(0, 4) k
\g (format=unaligned tuples_only=on)
SELECT cohort_retention(1, 1735689600, 'month');
SELECT cohort_retention(1, 3, 'week');
SELECT cohort_retention(1, -3.5, date '2024-01-01', 'week');
SELECT cohort_rows(cohort_retention(1, date '2024-01-01', 'week'), 20240101);
SELECT r.period, r.period_start::date, r.seen FROM (SELECT cohort_retention(1, date '2000-01-03' + n, 'week') AS t
  FROM unnest('{-8,-1,3}'::integer[]) n) q, cohort_rows(t) r;
CREATE TABLE late AS SELECT cohort_retention(c, d, 'month') AS t, cohort_retention(c, d + time '21:30', 'hour') AS h,
  cohort_retention(c, d, 'month') FILTER (WHERE c = 1) AS one FROM (VALUES (1, date '2025-02-10'), (2, '2025-03-31')) v (c, d);
SELECT count(*) FROM late, cohort_rows(t, '2025-04-29');
SELECT count(*) FROM late, unnest('{2025-04-30,2025-05-31}'::date[]) d, cohort_rows(t, d);
SELECT count(*) FROM late, retention_curve(t, '2025-05-31'), lifecycle_rows(t, timestamp '2025-06-01');
SELECT length(cohort_chart(t, '2025-05-31')) > 0 AS shown FROM late;
SELECT count(*) FROM late, retention_test(one, t, 1, '2025-03-31') a, retention_test(t, one, 1, '2025-05-31') b;
SELECT count(*) > 0 AS shown FROM late, cohort_rows(h, '2025-03-31', periods => 0);
SELECT count(*) > 0 AS shown FROM late, cohort_rows(h, '2025-04-01', periods => 0);

-- A key of several parts with a NULL in it is no customer, and not one that all such rows share.
CREATE TYPE shop_customer AS (shop integer, customer integer);
SELECT s.customers FROM (SELECT cohort_retention(ARRAY[1, nullif(i % 5, 0)], date '2024-01-01' + i, 'month') AS t
  FROM generate_series(1, 20) i) q, cohort_summary(t) s;
SELECT s.customers FROM (SELECT cohort_retention(ROW(1, nullif(i % 5, 0))::shop_customer, date '2024-01-01',
  date '2024-01-01' + i, 'month', interval '7 days') AS t FROM generate_series(1, 20) i) q, cohort_summary(t) s;
DROP TYPE shop_customer;
