-- customer_history: what it prints, and what it says when it cannot.
-- Plans, properties and the oracle are in test/.
SET TimeZone = 'America/New_York';
SET DateStyle = 'ISO, MDY';
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS retention;
RESET client_min_messages;

CREATE TABLE orders (customer integer, ordered_at timestamptz, amount numeric);
INSERT INTO orders VALUES
  (1, '2024-01-05 10:00+00', 10.00), (1, '2024-01-05 23:30+00', 20.5), (1, '2024-02-03 12:00+00', 30),
    (1, '2024-04-11 12:00+00', -30.00),
  (2, '2024-01-31 23:30+00', 50), (2, '2024-03-09 12:00+00', NULL),
  (3, '2024-02-14 12:00+00', NULL), (3, '2024-02-14 12:00+00', NULL), (3, NULL, 99),
  (4, '0044-03-15 12:00+00 BC', 12345678901234567890.123456789), (4, '2024-03-15 12:00+00', 0.000);

-- The value: days, and their amounts with their scale.
SELECT customer, d.day, d.events, d.amount
  FROM (SELECT customer, customer_history(ordered_at, amount, 'Europe/Paris') AS h FROM orders GROUP BY customer) q,
  history_days(h) d ORDER BY customer, d.day;
SELECT customer, first_day(h), last_day(h), active_days(h), events(h), total_amount(h)
  FROM (SELECT customer, customer_history(ordered_at, amount, 'Europe/Paris') AS h FROM orders GROUP BY customer) q
  ORDER BY customer;
-- Without a zone: the session's.  Without amounts.
SELECT customer, d.day, d.events, d.amount
  FROM (SELECT customer, customer_history(ordered_at) AS h FROM orders GROUP BY customer) q, history_days(h) d
  ORDER BY customer, d.day;
-- Statistics.
SELECT customer, r.frequency, round(r.recency::numeric, 4) AS recency, round(r.age::numeric, 4) AS age,
  round(r.monetary_value, 4) AS monetary_value
FROM (SELECT customer, customer_history(ordered_at, amount, 'Europe/Paris') AS h FROM orders GROUP BY customer) q,
  clv_summary(h, last_day(h)) r ORDER BY customer;
SELECT unit, r.frequency, round(r.recency::numeric, 4) AS recency, round(r.age::numeric, 4) AS age, r.monetary_value
FROM (SELECT customer_history(ordered_at, amount, 'Europe/Paris') AS h FROM orders WHERE customer = 1) q,
  unnest('{day,week,month,quarter,year}'::text[]) WITH ORDINALITY u (unit, o),
  clv_summary(h, '2024-03-31', unit) r ORDER BY o;
SELECT r.* FROM (SELECT customer_history(ordered_at, amount, 'Europe/Paris') AS h FROM orders WHERE customer = 1) q,
  clv_summary(h, as_of => '2024-01-04') r;
-- Cut and merged.
SELECT total_amount(history_until(h, '2024-02-03')), total_amount(history_since(h, '2024-02-04')),
  history_until(h, '2024-02-03') || history_since(h, '2024-02-04') = h AS whole, events(h || h) AS twice
FROM (SELECT customer_history(ordered_at, amount, 'Europe/Paris') AS h FROM orders WHERE customer = 1) q;
SELECT first_day(r), last_day(r), active_days(r), events(r), total_amount(r), r = whole AS same
FROM (SELECT rollup(h) AS r FROM (SELECT customer_history(ordered_at, amount, 'Europe/Paris') AS h FROM orders
    GROUP BY customer) q) r, (SELECT customer_history(ordered_at, amount, 'Europe/Paris') AS whole FROM orders) w;
-- As JSON, as text.
SELECT customer, customer_history(ordered_at, amount, 'Europe/Paris')::jsonb FROM orders
  GROUP BY customer ORDER BY customer;
SELECT customer, customer_history(ordered_at, amount, 'Europe/Paris') FROM orders GROUP BY customer ORDER BY customer;
-- Nothing at all.
SELECT h, h::jsonb AS as_json, first_day(h), last_day(h), active_days(h), events(h), total_amount(h)
  FROM (SELECT customer_history(ordered_at, amount) AS h FROM orders WHERE false) q;
SELECT d.* FROM (SELECT customer_history(ordered_at) AS h FROM orders WHERE false) q, history_days(h) d;
SELECT r.* FROM (SELECT customer_history(ordered_at) AS h FROM orders WHERE false) q, clv_summary(h, '2024-03-31') r;
SELECT rollup(h) FROM (SELECT customer_history(ordered_at) AS h FROM orders) q WHERE false;

-- Errors: the text and the SQLSTATE.
SELECT customer_history(ordered_at, 'NaN'::numeric) FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT customer_history(ordered_at, 'Infinity'::numeric, 'UTC') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT customer_history(ordered_at, '-Infinity'::numeric) FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT customer_history(timestamptz 'infinity') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT customer_history(date '-infinity', amount) FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT customer_history(date '294277-01-01') FROM orders;
\echo :LAST_ERROR_SQLSTATE
-- one argument of type text is a cast to the type of that name
SELECT customer_history(ordered_at::date::text) FROM orders WHERE customer = 2;
\echo :LAST_ERROR_SQLSTATE
SELECT customer_history(amount) FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT customer_history(ordered_at::text, amount) FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT customer_history('2024-01-05', amount, 'UTC') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT customer_history(ordered_at, 'Europe/Lutetia') FROM orders;
\echo :LAST_ERROR_SQLSTATE
-- a literal in quotes is a zone
SELECT customer_history(ordered_at, '9.99') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT customer_history(ordered_at, NULL) FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT customer_history(ordered_at, amount, NULL) FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT customer_history(ordered_at, amount, CASE WHEN customer < 3 THEN 'UTC' END) FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT clv_summary(customer_history(ordered_at), '2024-03-31', 'hour') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT clv_summary(customer_history(ordered_at), '2024-03-31', unit => '7 days') FROM orders;
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT clv_summary(customer_history(ordered_at)) FROM orders;
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
SELECT clv_summary(customer_history(ordered_at), NULL) FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT clv_summary(customer_history(ordered_at), 'infinity') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT clv_summary(customer_history(ordered_at), '-infinity') FROM orders;
\echo :LAST_ERROR_SQLSTATE
SELECT 'nonsense'::customer_history;
\echo :LAST_ERROR_SQLSTATE
SELECT ''::customer_history;
\echo :LAST_ERROR_SQLSTATE
SELECT 'AgA='::customer_history;
\echo :LAST_ERROR_SQLSTATE
SELECT 'AQEBAg=='::customer_history;
\echo :LAST_ERROR_SQLSTATE
DROP TABLE orders;
