-- Churn from histories alone: what it prints, and what it says when it cannot.  Properties and the logs are in test/.
SET extra_float_digits = 0;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET IntervalStyle = 'postgres';
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS retention;
RESET client_min_messages;

-- 300 customers who buy every 5 to 44 days from some day of 2022 on; of three, two leave, sooner or later; every
-- seventh has no amounts
CREATE TABLE customers AS
SELECT c, customer_history(day, CASE WHEN c % 7 > 0 THEN 10 + c % 13 END) AS h
FROM generate_series(1, 300) c,
  LATERAL (SELECT date '2022-01-01' + c * 7 % 300 + i * (5 + c * 17 % 40) AS day, i * (5 + c * 17 % 40) AS age
  FROM generate_series(0, 120) i) d
WHERE day <= date '2023-06-30' AND (c % 3 = 0 OR age <= c * 37 % 500)
GROUP BY c;
CREATE TABLE model AS SELECT churn_model(h, '2023-04-30', '60 days') AS m FROM customers;

SELECT method, converged, status, n, positives, round(base_rate::numeric, 4) AS base_rate, unlabelled, skipped,
  features, columns, lambda, as_of, horizon_days FROM model, churn_summary(m);
SELECT term, feature, round(mean::numeric, 4) AS mean, sign(estimate) AS sign FROM model, churn_coefficients(m);
-- one who goes on, one who has stopped, one without amounts
SELECT c, round(churn_score(m, h)::numeric, 3) AS now, round(churn_score(m, h, '2023-02-28')::numeric, 3) AS then,
  churn_outcome(h, '2023-04-30', '60 days') AS silent FROM model, customers WHERE c IN (2, 3, 14) ORDER BY c;
SELECT c, feature, value, direction FROM model, customers, churn_reasons(m, h, k => NULL)
  WHERE c IN (2, 3, 14) ORDER BY c,
  array_position('{(baseline),recency,frequency,age,silence,pace,overdue,activity,spend}', feature);
SELECT c, rank, feature = '(others)' AS others, contribution > 0 AS raises, direction
  FROM model, customers, churn_reasons(m, h, k => 1) WHERE c = 3;
-- the window function: the same
SELECT count(*), count(p), bool_and(p = churn_score(m, h))
  FROM (SELECT h, churn_score(h, '2023-04-30', '60 days') OVER () AS p FROM customers) s, model;
-- the back-test in one statement
SELECT count(*), count(*) FILTER (WHERE silent) AS silent,
  round(avg(p) FILTER (WHERE silent)::numeric, 2) > 0.8 AS high,
  round(avg(p) FILTER (WHERE NOT silent)::numeric, 2) < 0.2 AS low
FROM (SELECT churn_score(h, '2023-04-30', '60 days') OVER () AS p, churn_outcome(h, '2023-04-30', '60 days') AS silent
  FROM customers) s;

-- Too little to train on: gap survival, and a NOTICE
CREATE TABLE few AS SELECT churn_model(h, '2023-04-30', '60 days') AS m FROM customers WHERE c <= 40;
SELECT method, converged, n, positives, features, lambda, as_of, horizon_days FROM few, churn_summary(m);
SELECT c, round(churn_score(m, h)::numeric, 6) AS p FROM few, customers WHERE c IN (2, 3, 14) ORDER BY c;
SELECT c, rank, feature, value, round(contribution::numeric, 4) AS contribution, direction
  FROM few, customers, churn_reasons(m, h) WHERE c IN (2, 9) ORDER BY c, rank;
SELECT g FROM few, LATERAL (SELECT * FROM jsonb_array_elements(m::jsonb -> 'gaps') LIMIT 3) g (g);
SELECT * FROM few, churn_coefficients(m);
SELECT part, count(p) FROM (SELECT c <= 40 AS part,
  churn_score(h, '2023-04-30', '60 days') OVER (PARTITION BY c <= 40) AS p FROM customers) s GROUP BY 1 ORDER BY 1;
-- by wish, without a NOTICE
SELECT method FROM churn_summary((SELECT churn_model(h, '2023-04-30', '60 days', '{"method": "gap_survival"}')
    FROM customers));
-- nobody came back, nobody had bought, nobody is there
SELECT method, converged, n FROM
  churn_summary((SELECT churn_model(history_until(h, '2022-01-06'), '2022-01-06', '2 days') FROM customers));
SELECT count(p) FROM (SELECT churn_score(h, '2021-12-31', '2 days') OVER () AS p FROM customers) s;
SELECT churn_model(h, '2023-04-30', '60 days') FROM customers WHERE false;
SELECT method, features FROM churn_summary((SELECT churn_model(h, '2023-04-30', '60 days',
    '{"exclude": ["spend", "age"], "lambda": 5}') FROM customers));

-- What is not known
SELECT churn_score(m, h, '2021-12-31'), churn_score(NULL, h), churn_score(m, NULL::customer_history),
  churn_outcome(h, '2021-12-31', '1 day'), churn_outcome(NULL, '2021-12-31', '1 day') FROM model, customers WHERE c = 2;
SELECT count(*) FROM model, customers, churn_reasons(m, h, '2021-12-31') WHERE c = 2;
SELECT churn_outcome(h, '2023-02-28', '1 month'), churn_outcome(h, '2023-02-27', '1 day'),
  churn_outcome(h, '2023-01-04', '1 year') FROM customers WHERE c = 3;

-- Errors
SELECT churn_model(h, NULL, '60 days') FROM customers;
SELECT churn_model(h, '2023-04-30', NULL) FROM customers;
SELECT churn_model(h, 'infinity', '60 days') FROM customers;
SELECT churn_model(h, '2023-04-30', '0 days') FROM customers;
SELECT churn_model(h, '2023-04-30', '-3 months') FROM customers;
SELECT churn_model(h, '2023-04-30', '60 days 12 hours') FROM customers;
SELECT churn_model(h, date '2023-04-30' + c % 2, '60 days') FROM customers;
SELECT churn_model(h, '2023-04-30', interval '60 days' + c % 2 * interval '1 day') FROM customers;
SELECT churn_model(h, '2023-04-30', '60 days', jsonb_build_object('lambda', c)) FROM customers;
SELECT churn_model(h, '2023-04-30', '60 days', '{"lamda": 1}') FROM customers;
SELECT churn_model(h, '2023-04-30', '60 days', '{"names": ["a"]}') FROM customers;
SELECT churn_model(h, '2023-04-30', '60 days', '{"exclude": ["tenure"]}') FROM customers;
SELECT churn_score(h, '2023-04-30', NULL) OVER () FROM customers;
SELECT churn_score(h, '-infinity', '60 days') OVER () FROM customers;
SELECT churn_score(h, date '2023-04-30' + c % 2, '60 days') OVER () FROM customers;
SELECT churn_score(h, '2023-04-30', '60 days', jsonb_build_object('lambda', c)) OVER () FROM customers;
SELECT churn_score(h, '2023-04-30', '60 days') FROM customers;
SELECT churn_score(m, h, 'infinity') FROM model, customers;
SELECT churn_score(m, ARRAY[1, 2, 3]::float8[]) FROM model;
SELECT * FROM model, customers, churn_reasons(m, h, NULL, -1);
SELECT churn_outcome(h, '2023-04-30', '1 hour') FROM customers;
SELECT churn_outcome(h, 'infinity', '1 day') FROM customers;

DROP TABLE customers, model, few;
