-- Small values of every stored type, as a client gets them: what dev/fuzz begins with.
-- Prints one line a value: its type and its bytes in hexadecimal digits.

\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
\pset fieldsep ' '
SET client_min_messages = warning;
SET TimeZone = 'UTC';
CREATE SCHEMA fuzz_seeds;
CREATE EXTENSION retention SCHEMA fuzz_seeds;
SET search_path = fuzz_seeds, public;

-- twelve customers of a shop, some of whom came once
CREATE TEMP TABLE orders AS
SELECT c AS customer, date '2024-01-05' + c * 9 + (k * k * (5 + c % 4)) % 300 AS day,
       (c * 100 + k * 37)::numeric / (CASE WHEN c % 3 = 0 THEN 100 ELSE 1 END) AS amount,
       (ARRAY['new', 'loyal', 'asleep', 'Größe'])[1 + (c + k) % 4] AS segment, k % 3 AS number
FROM generate_series(1, 12) c, generate_series(0, 6) k WHERE k <= c % 7;
CREATE TEMP TABLE histories AS SELECT customer, customer_history(day, amount) AS h FROM orders GROUP BY customer;
CREATE TEMP TABLE outcomes AS
SELECT i AS id, i % 3 = 0 OR i % 7 = 1 AS churned, (i * 7 % 50) / 50.0::float8 AS score, 1 + i % 9 AS duration,
       ARRAY[i % 5, (i * 13 % 17) / 4.0, sqrt(i)]::float8[] AS features, i % 4 AS kind,
       (ARRAY['web', 'shop', NULL])[1 + i % 3] AS channel
FROM generate_series(1, 60) i;

SELECT 'cohort_table', encode(cohort_table_send(v), 'hex') FROM (
    SELECT cohort_retention(customer, day, 'month') FROM orders
    UNION ALL SELECT cohort_retention(customer, day, 'week:sunday') FROM orders WHERE customer < 5
    UNION ALL SELECT cohort_retention(customer, day, 'quarter', interval '30 days') FROM orders
    UNION ALL SELECT cohort_retention(customer, day, 'month', interval '1 month') FROM orders WHERE customer < 4
    UNION ALL SELECT cohort_retention(customer, day::timestamptz, 'month', 'UTC') FROM orders
    UNION ALL SELECT cohort_retention(customer, day::timestamp, 'hour') FROM orders WHERE customer < 3
    UNION ALL SELECT cohort_retention(customer, date '2024-01-01', day, 'year') FROM orders
    UNION ALL SELECT cohort_retention(h, 'month') FROM histories
    UNION ALL SELECT cohort_retention(h, 'month', interval '7 days') FROM histories
    UNION ALL SELECT cohort_retention(customer, day, 'month') FROM orders WHERE false) t(v) WHERE v IS NOT NULL;

SELECT 'customer_history', encode(customer_history_send(v), 'hex') FROM (
    SELECT h FROM histories
    UNION ALL SELECT customer_history(day) FROM orders WHERE customer = 6
    UNION ALL SELECT customer_history(day::timestamptz, amount, 'UTC') FROM orders WHERE customer = 5
    UNION ALL SELECT customer_history(day, amount * 1e30) FROM orders WHERE customer = 6
    UNION ALL SELECT customer_history(day, -amount / 7) FROM orders WHERE customer < 4
    UNION ALL SELECT customer_history(day, 1e-20 + amount) FROM orders WHERE customer = 2) t(v);

SELECT 'clv_model', encode(clv_model_send(v), 'hex') FROM (
    SELECT clv_model(h, date '2025-06-30', model)
    FROM histories, unnest(ARRAY['bg_nbd', 'mbg_nbd', 'pareto_nbd', 'nbd']) model GROUP BY model
    UNION ALL SELECT clv_model(h, date '2025-06-30', 'bg_bb', 'none', 'month') FROM histories
    UNION ALL SELECT clv_model(t, x, 'sbg') FROM (VALUES (0, 1000::bigint), (1, 631), (2, 468), (3, 382)) c(t, x)
    UNION ALL SELECT clv_model('bg_nbd', '{"r": 0.24, "alpha": 4.41, "a": 0.79, "b": 2.43}'::text, 'week',
                               date '1997-09-30', NULL, NULL)
    UNION ALL SELECT clv_model('pareto_nbd', '{"r": 0.55, "alpha": 10.6, "s": 0.6, "beta": 11.7}'::text, 'week',
                               date '1997-09-30', ARRAY[[.01, 0, 0, 0], [0, 2, 0, 0], [0, 0, .01, 0], [0, 0, 0, 3]]::float8[],
                               NULL)) t(v);

SELECT 'clv_data', encode(clv_data_send(v), 'hex') FROM (
    SELECT clv_data(h, date '2025-06-30') FROM histories
    UNION ALL SELECT clv_data(h, date '2025-06-30') FROM histories WHERE customer = 3
    UNION ALL SELECT clv_data(h, date '2024-06-30', date '2025-06-30') FROM histories) t(v);

SELECT 'migration_matrix', encode(migration_matrix_send(v), 'hex') FROM (
    SELECT migration_matrix(customer, day, segment, 'month') FROM orders
    UNION ALL SELECT migration_matrix(customer, day, number::bigint, 'quarter') FROM orders
    UNION ALL SELECT migration_matrix(customer, day, segment, 'month', ARRAY['new', 'loyal', 'asleep', 'Größe', 'x'])
    FROM orders
    UNION ALL SELECT migration_matrix(segment, lower(segment)) FROM orders
    UNION ALL SELECT migration_matrix(segment, segment, amount) FROM orders
    UNION ALL SELECT migration_matrix(number::bigint, customer % 3::bigint) FROM orders) t(v);

SELECT 'survival_table', encode(survival_table_send(v), 'hex') FROM (
    SELECT survival_curve(duration, churned) FROM outcomes
    UNION ALL SELECT survival_curve(duration * 1.5, churned) FROM outcomes
    UNION ALL SELECT survival_curve(make_interval(days => duration), churned) FROM outcomes WHERE id < 20
    UNION ALL SELECT survival_curve(kind, kind + duration, churned) FROM outcomes
    UNION ALL SELECT survival_curve(duration, churned, score + 0.5) FROM outcomes
    UNION ALL SELECT competing_risks(duration, channel) FROM outcomes
    UNION ALL SELECT competing_risks(duration, nullif(kind, 0)::bigint) FROM outcomes
    UNION ALL SELECT logrank(duration, churned, kind) FROM outcomes
    UNION ALL SELECT logrank(duration, churned, channel, kind) FROM outcomes) t(v);

SELECT 'score_table', encode(score_table_send(v), 'hex') FROM (
    SELECT score_table(score, churned) FROM outcomes
    UNION ALL SELECT score_table(round(score::numeric, 1)::float8, churned) FROM outcomes
    UNION ALL SELECT score_table(score * 1e300, id = 1) FROM outcomes WHERE id < 5
    UNION ALL SELECT score_table(-score, churned) FROM outcomes WHERE id < 3) t(v);

SELECT 'churn_model', encode(churn_model_send(v), 'hex') FROM (
    SELECT churn_model(churned, features) FROM outcomes
    UNION ALL SELECT churn_model(churned, features, '{"method": "boost", "trees": 3}') FROM outcomes
    UNION ALL SELECT churn_model(churned, features, 1.5::float8, '{"method": "boost", "trees": 2, "depth": 2}')
    FROM outcomes
    UNION ALL SELECT churn_model(churned, (SELECT r FROM (SELECT o.score, o.channel, o.kind > 1 AS late) r))
    FROM outcomes o
    UNION ALL SELECT churn_model(churned, ROW(score, channel)) FROM outcomes) t(v);
