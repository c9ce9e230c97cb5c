-- cohort_retention over customer histories: what it gives, and what it says when it cannot.
-- Plans, equality with cohort_retention over events and the oracle are in test/.
SET TimeZone = 'America/New_York';
SET DateStyle = 'ISO, MDY';
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS retention;
RESET client_min_messages;

CREATE TABLE orders (customer integer, country text, ordered_at timestamptz, amount numeric);
INSERT INTO orders VALUES
  (1, 'DE', '2024-01-05 10:00+00', 10.00), (1, 'DE', '2024-02-03 12:00+00', 30),
    (1, 'DE', '2024-03-11 12:00+00', -30.00),
  (2, 'DE', '2024-01-31 23:30+00', 50), (2, 'DE', '2024-03-09 12:00+00', NULL),
  (3, 'FR', '2024-02-14 12:00+00', NULL), (3, 'FR', '2024-02-14 13:00+00', NULL),
  (4, 'FR', '2024-01-31 12:00+00', 12345678901234567890.123456789), (4, 'FR', '2024-02-29 12:00+00', 0.000),
    (4, 'FR', '2024-03-31 12:00+00', 1),
  (5, 'FR', NULL, 5);
CREATE TABLE histories AS SELECT customer, country, customer_history(ordered_at, amount, 'Europe/Paris') AS h
  FROM orders GROUP BY customer, country;

-- Calendar periods: customer 2 came on the first of February, Paris time.
SELECT r.cohort::date, r.period, r.size, r.at_risk, r.retained, r.complete, r.seen
  FROM (SELECT cohort_retention(h, 'month') AS c FROM histories) q, cohort_rows(c) r;
SELECT r.period_start::date, r.active, r.new, r.returning, r.resurrected, r.dormant, r.complete
  FROM (SELECT cohort_retention(h, 'month') AS c FROM histories) q, lifecycle_rows(c, '2024-05-01') r;
SELECT measure, r.period, r.cohorts, r.at_risk, r.retained
  FROM (SELECT cohort_retention(h, 'month') AS c FROM histories) q,
  unnest('{on,on_or_after,on_or_before,by,streak}'::text[]) WITH ORDINALITY m (measure, o),
  retention_curve(c, '2024-05-01', measure) r ORDER BY o, r.period;
-- Rolling windows: anniversaries of the last of January.
SELECT r.cohort::date, r.period, r.size, r.at_risk, r.retained, r.complete, r.seen
  FROM (SELECT cohort_retention(h, 'month', interval '1 month') AS c FROM histories WHERE customer = 4) q,
  cohort_rows(c) r;
SELECT c::jsonb FROM (SELECT cohort_retention(h, 'quarter', interval '30 days') AS c FROM histories
  WHERE country = 'DE') q
\g (format=unaligned tuples_only=on)
SELECT cohort_chart(cohort_retention(h, 'week:sunday', interval '28 days'), '2024-04-01') FROM histories
\g (format=unaligned tuples_only=on)
-- The same as over the days of purchases: the refund is none.
SELECT cohort_retention(h, 'month') =
  (SELECT cohort_retention(customer, (ordered_at AT TIME ZONE 'Europe/Paris')::date, 'month') FROM orders
    WHERE amount >= 0 OR amount IS NULL) AS same,
       cohort_retention(h, 'week', interval '36 hours') =
         (SELECT cohort_retention(customer, (ordered_at AT TIME ZONE 'Europe/Paris')::date, 'week', interval '36 hours')
         FROM orders WHERE amount >= 0 OR amount IS NULL) AS same_windows FROM histories;
-- By segment, filtered, of cut histories; and the parts add up.
SELECT country, r.cohort::date, r.size, r.retained
  FROM (SELECT country, cohort_retention(h, 'month') AS c FROM histories GROUP BY country) q, cohort_rows(c) r
  WHERE r.period = 1 ORDER BY country, r.cohort;
SELECT (SELECT sum(r.size) FROM cohort_rows(german) r WHERE r.period = 0) AS german,
  (SELECT max(r.period) FROM cohort_rows(until) r) AS last_period, rolled = whole AS adds_up
FROM (SELECT cohort_retention(h, 'month') FILTER (WHERE country = 'DE') AS german,
  cohort_retention(history_until(h, '2024-02-29'), 'month') AS until, cohort_retention(h, 'month') AS whole
  FROM histories) q,
     (SELECT rollup(c) AS rolled FROM (SELECT cohort_retention(h, 'month') AS c FROM histories GROUP BY country) p) r;
-- Nothing at all.
SELECT cohort_retention(h, 'month') AS no_rows FROM histories WHERE false;
SELECT cohort_retention(h, 'day', interval '1 day') AS no_days
  FROM (SELECT h FROM histories WHERE customer = 5 UNION ALL SELECT NULL) q;

-- Errors: the text and the SQLSTATE.
SELECT cohort_retention(h, 'months') FROM histories;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(h, NULL) FROM histories;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(h, CASE WHEN customer < 3 THEN 'month' END) FROM histories;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(h, CASE WHEN customer < 3 THEN 'month' ELSE 'day' END) FROM histories;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(h, 'month', make_interval(days => customer)) FROM histories;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(h, 'month', NULL) FROM histories;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(h, 'month', interval '0') FROM histories;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(h, 'month', interval '1 month -1 day') FROM histories;
\echo :LAST_ERROR_SQLSTATE
-- days have no zone any more
\set VERBOSITY terse
SELECT cohort_retention(h, 'month', 'Europe/Paris') FROM histories;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(h, period => 'month') FROM histories;
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY default
SELECT cohort_retention(h, 'hour')
  FROM (SELECT customer_history(day) AS h FROM unnest('{4714-11-24 BC,294276-12-31}'::date[]) day) q;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention(h, 'month', interval '1 microsecond') FROM histories;
\echo :LAST_ERROR_SQLSTATE
SELECT rollup(c) FROM (SELECT cohort_retention(h, 'month') AS c FROM histories UNION ALL
  SELECT cohort_retention(h, 'month', interval '1 month') FROM histories) q;
\echo :LAST_ERROR_SQLSTATE
SELECT rollup(c) FROM (SELECT cohort_retention(h, 'month') AS c FROM histories UNION ALL
  SELECT cohort_retention(customer, ordered_at, 'month', 'Europe/Paris') FROM orders) q;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention_history_trans(NULL, h, 'month') FROM histories;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention_history_window_trans(NULL, h, 'month', '1 day') FROM histories;
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention_history_combine(NULL, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT cohort_retention_history_final(NULL);
\echo :LAST_ERROR_SQLSTATE
DROP TABLE orders, histories;
