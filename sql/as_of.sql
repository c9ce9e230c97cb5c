-- An as_of beyond everything that was seen is told once a call site, and what was left out; the case of equities.
\set VERBOSITY default
\set QUIET on
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS retention;
RESET client_min_messages;
SET DateStyle = 'SQL, DMY';
SET TimeZone = 'UTC';
\unset QUIET
-- 400 customers, each of whom buys every 20 to 69 days, until the end of June 2025.
CREATE TABLE orders AS
  SELECT c AS customer, CASE WHEN c % 2 = 0 THEN 'DE' ELSE 'FR' END AS country, d::date AS day,
    (10 + c % 7)::numeric AS amount
  FROM generate_series(1, 400) c,
    generate_series(date '2024-01-01' + c % 200, '2025-06-30', interval '1 day' * (20 + c % 50)) d;
CREATE TABLE histories AS SELECT customer, country, customer_history(day, amount) AS h FROM orders GROUP BY 1, 2;
CREATE TABLE models AS SELECT country, clv_model(h, '2025-06-30', 'nbd', 'none') AS model FROM histories GROUP BY 1;
-- what the notices say, from the orders
SELECT date '2025-09-01' - max(day) AS days,
       round(count(*) * (date '2025-09-01' - max(day))::numeric / (max(day) - min(day) + 1)) AS would_have_come
FROM orders;
-- histories and orders; once, whatever the number of groups
SELECT count(m) FROM (SELECT clv_model(h, '2025-09-01', 'nbd') AS m FROM histories GROUP BY customer % 20) q;
SELECT count(m) FROM (SELECT clv_model(customer, day, amount, '2025-09-01', 'nbd') AS m FROM orders
  GROUP BY customer % 4) q;
SELECT clv_model(h, '2025-09-01', 'bg_bb', 'none', 'month') IS NULL AS periods FROM histories;
SELECT count(v) FROM (SELECT clv(h, '2025-09-01', model => 'nbd') OVER (PARTITION BY country) AS v FROM histories) q;
SELECT churn_model(h, '2025-09-01', '90 days', '{"method": "gap_survival"}') IS NULL AS churn FROM histories;
SELECT count(p) FROM (SELECT churn_score(h, '2025-09-01', '90 days', '{"method": "gap_survival"}') OVER () AS p
  FROM histories) q;
SELECT customer_equity(model, h, '2025-09-01') > 0 AS equity FROM models JOIN histories USING (country)
WHERE country = 'DE';
-- the threshold: 20 purchase days would have come, and 7 days at least
SELECT max(day) AS latest, round(20 / (count(*) / (max(day) - min(day) + 1)::numeric), 1) AS days_for_20
FROM orders WHERE customer <= 40;
SELECT clv_model(h, '2025-07-16', 'nbd') IS NULL AS quiet FROM histories WHERE customer <= 40;
SELECT clv_model(h, '2025-07-17', 'nbd') IS NULL AS told FROM histories WHERE customer <= 40;
SELECT clv_model(h, '2025-07-06', 'nbd') IS NULL AS six_days FROM histories;
SELECT clv_model(h, '2025-07-07', 'nbd') IS NULL AS seven FROM histories;
-- payments on the first of each month are no silence until the next but one
SELECT clv_model(h, as_of, 'nbd') IS NULL AS monthly, as_of
FROM (SELECT customer_history(d::date) AS h
      FROM generate_series(1, 100) c, generate_series(timestamp '2024-01-01', '2025-06-01', '1 month') d GROUP BY c) q,
  unnest('{2025-06-30,2025-08-15}'::date[]) as_of GROUP BY as_of ORDER BY as_of;
-- who has purchases later is no silence: the data go on
SELECT clv_model(h, '2025-09-01', 'nbd') IS NULL AS goes_on
FROM (SELECT h FROM histories UNION ALL SELECT customer_history(date '2025-12-01', 5)) q;
SELECT clv_model(customer, day, amount, '2025-09-01', 'nbd') IS NULL AS goes_on
FROM (SELECT customer, day, amount FROM orders UNION ALL SELECT 1, '2025-12-01', 5) q;
-- what was left out, from histories and from orders
SELECT skipped, n FROM (SELECT clv_model(h, '2024-03-01', 'nbd') AS m
  FROM (SELECT h FROM histories UNION ALL SELECT NULL) q) q, clv_fit(m);
SELECT count(*) FROM histories WHERE first_day(h) > '2024-03-01';
SELECT skipped, n FROM (SELECT clv_model(customer, day, amount, '2025-06-30', 'nbd') AS m
  FROM (SELECT customer, day, amount FROM orders UNION ALL SELECT NULL, '2025-01-01', 1
        UNION ALL SELECT 1, NULL, 1) q) q, clv_fit(m);
-- equities of a model per country add up
SELECT country, customer_equity(model, h) FROM models JOIN histories USING (country) GROUP BY ROLLUP (country);
SELECT country, round(sum(equity)::numeric, 6) AS equity
FROM (SELECT country, customer_equity(model, h) AS equity FROM models JOIN histories USING (country)
      GROUP BY country) q
GROUP BY ROLLUP (country) ORDER BY country;
SELECT round(sum(clv(model, h))::numeric, 6) AS one_by_one FROM models JOIN histories USING (country);
DROP TABLE orders, histories, models;
