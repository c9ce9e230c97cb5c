-- The portfolio: value from one retention rate, what a better one is worth, customer equity with its standard error.
-- Against published figures, sums written out in SQL, clv() row by row, and the delta method by hand; and the states of
-- the aggregates in every plan.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
SELECT diag('seed ' || :'seed');

-- clv_simple ----------------------------------------------------------------------------------------------------------

SELECT is(round(clv_simple(100, 0.8, 0.1)::numeric, 9), 266.666666667,
  'Gupta and Lehmann''s margin multiple: 2.667 at 80% and 10%');
SELECT is(round(clv_simple(100, 0.8, 0.1, timing => 'begin')::numeric, 9), 366.666666667,
  'the first margin at once: one more');
SELECT is(clv_simple(100, 0.8, 0.1, acquisition_cost => 66) + 66, clv_simple(100, 0.8, 0.1), 'less what it cost');
SELECT is(clv_simple(10, 0, 0.1), 0::float8, 'nobody stays') UNION ALL
  SELECT is(clv_simple(10, 0, 0.1, timing => 'BEGIN'), 10::float8, 'but paid at once');
SELECT is(clv_simple(10, 1, 0.1), 100::float8, 'everybody stays: a perpetuity') UNION ALL
  SELECT is(clv_simple(10, 1, 0, 7), 70::float8, 'without discount, for some periods')
UNION ALL SELECT is(clv_simple(10, 1, 0, 0, 'begin'), 0::float8, 'of no period') UNION ALL
  SELECT is(clv_simple(10, 0, 0.1, 3, 'begin'), 10::float8, 'only the first');
SELECT is(clv_simple(10, 1, 0), NULL, 'infinite') UNION ALL
  SELECT is(clv_simple(10, 1, 0, NULL, 'begin'), NULL, 'also from the beginning') UNION ALL
  SELECT is(clv_simple(0, 1, 0), 0::float8, 'nothing for ever is nothing');
SELECT is(clv_simple(m, r, d, n, t, a), NULL, 'NULL for NULL: ' || title)
  FROM (VALUES ('margin', NULL::float8, 0.5::float8, 0.1::float8, 1, 'end', 0::float8),
  ('retention', 1, NULL, 0.1, 1, 'end', 0),
  ('discount', 1, 0.5, NULL, 1, 'end', 0), ('cost', 1, 0.5, 0.1, 1, 'end', NULL)) v (title, m, r, d, n, t, a);
SELECT is(clv_simple(5, 0.5, 0.1, NULL, NULL), clv_simple(5, 0.5, 0.1), 'NULL timing is the usual one');
SELECT throws_ok(query, code, message, message) FROM (VALUES
  ('SELECT clv_simple(1, 1.01, 0.1)', '22023', 'retention must be between 0 and 1, not 1.01'),
    ('SELECT clv_simple(1, -0.5, 0.1)', '22023', 'retention must be between 0 and 1, not -0.5'),
  ('SELECT clv_simple(1, ''NaN'', 0.1)', '22023', 'retention must be between 0 and 1, not NaN'),
    ('SELECT clv_simple(1, 0.5, -0.1)', '22023', 'discount must be 0 or more, and finite, not -0.1'),
  ('SELECT clv_simple(1, 0.5, ''NaN'')', '22023', 'discount must be 0 or more, and finite, not NaN'),
    ('SELECT clv_simple(1, 0.5, ''Infinity'')', '22023', 'discount must be 0 or more, and finite, not Infinity'),
  ('SELECT clv_simple(''NaN'', 0.5, 0.1)', '22023', 'margin must be finite, not NaN'),
    ('SELECT clv_simple(1, 0.5, 0.1, -1)', '22023', 'periods must be 0 or more, not -1'),
  ('SELECT clv_simple(1, 0.5, 0.1, 1, ''middle'')', '22023', 'unknown timing "middle"'),
    ('SELECT clv_simple(1, 0.5, 0.1, 1, ''end'', ''-Infinity'')', '22023',
    'acquisition_cost must be finite, not -Infinity'),
  ('SELECT clv_simple(1e308, 1, 1e-9)', '22003', 'value out of range: overflow')) v (query, code, message);

-- Written out, period by period.  The server's own power() and exp() fail where the result is too small for a number.
CREATE FUNCTION pg_temp.tiny_exp(float8) RETURNS float8
  LANGUAGE sql IMMUTABLE AS 'SELECT CASE WHEN $1 < -700 THEN 0 ELSE exp($1) END';
CREATE FUNCTION pg_temp.power(base float8, n integer) RETURNS float8
  LANGUAGE sql IMMUTABLE AS 'SELECT CASE WHEN n = 0 THEN 1 WHEN base = 0 THEN 0
  ELSE pg_temp.tiny_exp(n * ln(base)) END';
CREATE TABLE rate AS SELECT i, random() * 200 - 50 AS margin, CASE WHEN i % 9 = 0 THEN 1 - random() * 1e-6
  ELSE random() END AS retention, CASE WHEN i % 7 = 0 THEN random() * 1e-6 ELSE random() END AS discount,
  (random() * 60)::integer AS n
FROM generate_series(1, (60 * :cases)::integer) i;
SELECT pg_temp.agree('finite sums',
  format($$SELECT i || ' ' || timing, clv_simple(margin, retention, discount, n, timing),
    coalesce((SELECT sum(margin * pg_temp.power(retention / (1 + discount), t))
        FROM generate_series(CASE timing WHEN 'end' THEN 1 ELSE 0 END, CASE timing WHEN 'end' THEN n ELSE n - 1 END) t),
      0)
  FROM rate, unnest('{end,begin}'::text[]) timing$$), (120 * :cases)::bigint, 1e-11, 1e-13);
SELECT pg_temp.agree('infinite sums',
  format($$SELECT i || ' ' || timing, clv_simple(margin, retention, discount, timing => timing),
    (SELECT sum(margin * pg_temp.power(retention / (1 + discount), t))
    FROM generate_series(CASE timing WHEN 'end' THEN 1 ELSE 0 END, 3000) t)
  FROM rate, unnest('{end,begin}'::text[]) timing WHERE retention / (1 + discount) < 0.98$$),
    (SELECT 2 * count(*) FROM rate WHERE retention / (1 + discount) < 0.98), 1e-11, 1e-13);

-- retention_elasticity ------------------------------------------------------------------------------------------------

SELECT results_eq($$SELECT retention, round(retention_after::numeric, 12), round(change_percent::numeric, 1)
    FROM unnest('{0.80,0.85,0.90,0.94}'::float8[]) r, retention_elasticity(r, 100, 0.10)
    WHERE points = 0.05 ORDER BY 1$$,
  $$VALUES (0.80::float8, 0.85, 27.5), (0.85, 0.90, 32.4), (0.90, 0.95, 40.7), (0.94, 0.99, 53.2)$$,
    'five points are worth 25 to 55%: Reichheld''s claim, checked');
SELECT results_eq($$SELECT points, retention, retention_after, value, value_after, change, change_percent
    FROM retention_elasticity(0.5, 10, 0.25, '{0.25,-0.75,0.5,0,1}')$$,
  $$VALUES (0.25::float8, 0.5::float8, 0.75::float8, clv_simple(10, 0.5, 0.25), clv_simple(10, 0.75, 0.25),
      clv_simple(10, 0.75, 0.25) - clv_simple(10, 0.5, 0.25),
      (clv_simple(10, 0.75, 0.25) / clv_simple(10, 0.5, 0.25) - 1) * 100),
    (-0.75, 0.5, 0, clv_simple(10, 0.5, 0.25), 0, -clv_simple(10, 0.5, 0.25), -100),
      (0.5, 0.5, 1, clv_simple(10, 0.5, 0.25), 40, 40 - clv_simple(10, 0.5, 0.25),
      (40 / clv_simple(10, 0.5, 0.25) - 1) * 100),
    (0, 0.5, 0.5, clv_simple(10, 0.5, 0.25), clv_simple(10, 0.5, 0.25), 0, 0),
      (1, 0.5, 1, clv_simple(10, 0.5, 0.25), 40, 40 - clv_simple(10, 0.5, 0.25),
      (40 / clv_simple(10, 0.5, 0.25) - 1) * 100)$$, 'in the order of points, kept between 0 and 1');
SELECT results_eq('SELECT points, value, value_after, change, change_percent FROM retention_elasticity(0.99, 1, 0)',
  'VALUES (0.01::float8, clv_simple(1, 0.99, 0), NULL::float8, NULL::float8, NULL::float8),
    (0.05, clv_simple(1, 0.99, 0), NULL, NULL, NULL)', 'NULL where infinite');
SELECT results_eq('SELECT value, value_after, change, change_percent FROM retention_elasticity(0, 1, 0.1, ''{0}'')',
  'VALUES (0::float8, 0::float8, 0::float8, NULL::float8)', 'no percentage of nothing');
SELECT is_empty('SELECT * FROM retention_elasticity(NULL::float8, 1, 0.1)', 'no rows for NULL') UNION ALL
  SELECT is_empty('SELECT * FROM retention_elasticity(0.5, 1, 0.1, ''{}'')', 'no points, no rows');
SELECT is((SELECT array_agg(points) FROM retention_elasticity(0.5, 1, 0.1, NULL)), '{0.01,0.05}',
  'NULL points are the usual ones');
SELECT throws_ok(query, code, message, message) FROM (VALUES
  ('SELECT * FROM retention_elasticity(0.5, 1, 0.1, ''{5}'')', '22023', 'points must be between -1 and 1, not 5'),
    ('SELECT * FROM retention_elasticity(0.5, 1, 0.1, ''{NaN}'')', '22023', 'points must be between -1 and 1, not NaN'),
  ('SELECT * FROM retention_elasticity(0.5, 1, 0.1, ''{0.1,NULL}'')', '22004', 'points must not contain NULL'),
    ('SELECT * FROM retention_elasticity(2, 1, 0.1)', '22023', 'retention must be between 0 and 1, not 2'),
  ('SELECT * FROM retention_elasticity(0.5, ''Infinity'', 0.1)', '22023', 'margin must be finite, not Infinity'),
    ('SELECT * FROM retention_elasticity(0.5, 1, -1)', '22023', 'discount must be 0 or more, and finite, not -1'))
    v (query, code, message);

-- On one's own data: customers who stay from month to month with their own probability; the pooled rate counted in SQL.
CREATE TABLE visit AS
  SELECT customer, (date '2023-01-10' + (customer % 200) + m * interval '1 month')::date AS at
    FROM generate_series(1, 400) customer, generate_series(0, 11) m
  WHERE m = 0 OR (customer * 7919 + m * m * 104729) % 10 < 7;
CREATE FUNCTION pg_temp.pooled(until date) RETURNS float8 LANGUAGE sql AS $$
  WITH m AS (SELECT DISTINCT customer, date_trunc('month', at::timestamp) AS month FROM visit),
    f AS (SELECT customer, min(month) AS first FROM m GROUP BY customer),
  streak AS (SELECT f.customer, f.first, k,
    (SELECT bool_and(EXISTS (SELECT FROM m
      WHERE m.customer = f.customer AND m.month = f.first + j * interval '1 month')) FROM generate_series(0, k) j) AS
    kept
             FROM f, generate_series(0, 24) k
               WHERE f.first + (k + 1) * interval '1 month' <= (until + 1)::timestamp)
  SELECT sum(s.kept::integer)::float8 / nullif(count(*), 0) FROM streak s
    JOIN streak p ON p.customer = s.customer AND p.k = s.k - 1 AND p.kept $$;
CREATE TABLE visits AS SELECT cohort_retention(customer, at, 'month') AS c, cohort_retention(customer, at, 'year') AS y,
  cohort_retention(customer, at, 'month', interval '14 days') AS w FROM visit;
CREATE TABLE half AS SELECT cohort_retention(c, date '2020-01-15' + make_interval(months => 6 * k), 'half') AS t
  FROM generate_series(1, 500) c, generate_series(0, 7) k WHERE k <= c * 7919 % 11;
SELECT is((SELECT retention FROM visits, retention_elasticity(c, 1) LIMIT 1),
  pg_temp.pooled((SELECT max(at) FROM visit)), 'the pooled rate of a cohort_table, as SQL counts it');
SELECT is((SELECT retention FROM visits, retention_elasticity(c, 1, as_of => '2023-09-20') LIMIT 1),
  pg_temp.pooled('2023-09-20'), 'as of a day');
SELECT pg_temp.agree('the rest follows from it, with an annual discount rate',
  $$SELECT a.points || ' ' || v.what, have, want FROM visits, retention_elasticity(c, 30, NULL, 0.21, '{0.02,-0.1}') a
    JOIN retention_elasticity(pg_temp.pooled((SELECT max(at) FROM visit)), 30, 1.21 ^ (1 / 12.0) - 1, '{0.02,-0.1}') b
    USING (points),
  LATERAL (VALUES ('retention', a.retention, b.retention), ('retention_after', a.retention_after, b.retention_after),
    ('value', a.value, b.value), ('value_after', a.value_after, b.value_after), ('change', a.change, b.change),
    ('change_percent', a.change_percent, b.change_percent)) v (what, have, want)$$, 12, 1e-12, 0);
SELECT is((SELECT round(value::numeric, 9) FROM visits, retention_elasticity(w, 1, NULL, 0.1) LIMIT 1),
  (SELECT round(clv_simple(1, retention, exp(ln(1.1) * 14 / 365.25) - 1)::numeric, 9)
    FROM visits, retention_elasticity(w, 1, NULL, 0.1) LIMIT 1), 'rolling windows have their own length');
SELECT is((SELECT round(value::numeric, 9) FROM half, retention_elasticity(t, 1, NULL, 0.1) LIMIT 1),
  (SELECT round(clv_simple(1, retention, sqrt(1.1) - 1)::numeric, 9)
    FROM half, retention_elasticity(t, 1, NULL, 0.1) LIMIT 1), 'half years have theirs');
SELECT is((SELECT f.unit FROM half, clv_fit(clv_model(t)) f), 'half', 'and are a unit of contracts');
SELECT results_eq($$SELECT points, retention, value, value_after
    FROM visits, retention_elasticity(y, 1, as_of => '2023-12-30')$$,
  'VALUES (0.01::float8, NULL::float8, NULL::float8, NULL::float8), (0.05, NULL, NULL, NULL)',
  'NULL where no period has ended');
SELECT is((SELECT count(retention)
    FROM retention_elasticity((SELECT cohort_retention(customer, at, 'month') FROM visit WHERE false), 1)), 0::bigint,
  'nor of nobody') UNION ALL SELECT is_empty('SELECT * FROM retention_elasticity(NULL::cohort_table, 1)',
  'no rows for no table');
SELECT throws_ok('SELECT r.* FROM visits, retention_elasticity(c, 1, NULL, -0.1) r', '22023', NULL,
  'a negative rate is refused') UNION ALL
  SELECT throws_ok('SELECT r.* FROM visits, retention_elasticity(c, 1, as_of => ''infinity'') r', '22008', NULL,
  'and an infinite day');

-- Of contracts: written out, renewal by renewal, at the published estimates of Fader and Hardie (2007).
CREATE TABLE contract AS SELECT name, beta, m
  FROM (VALUES ('sbg', 'high end', 3.806094964,
    clv_model('sbg', '{"alpha": 0.668088351, "beta": 3.806094964}'::jsonb, 'year')),
  ('sbg', 'regular', 1.182043026, clv_model('sbg', '{"alpha": 0.704077298, "beta": 1.182043026}'::jsonb, 'year')))
    v (kind, name, beta, m);
CREATE FUNCTION pg_temp.renewals(alpha float8, beta float8, points float8, rate float8) RETURNS float8 LANGUAGE sql
  AS $$
  SELECT sum(s * (1 + rate) ^ -t)
    FROM (SELECT t, pg_temp.tiny_exp(sum(ln(greatest(least((beta + t - 1) / (alpha + beta + t - 1) + points, 1),
      1e-300))) OVER (ORDER BY t)) AS s FROM generate_series(1, 900) t) q $$;
SELECT is((SELECT array_agg(round((value + 1)::numeric, 4) ORDER BY name)
    FROM contract, retention_elasticity(m, 1, 0.1, '{0}')), '{5.9223,3.6949}',
  'discounted expected lifetimes of a new customer: 5.9223 and 3.6949, the first payment included');
SELECT pg_temp.agree('renewal by renewal',
  $$SELECT name || ' ' || points || ' ' || rate || ' ' || v.what, v.have, v.want
    FROM contract, unnest('{0.1,0.5}'::float8[]) rate,
    retention_elasticity(m, 20, rate, '{-0.2,-0.01,1e-6,0.01,0.05,0.4}'),
    LATERAL (VALUES ('value', value,
        20 * pg_temp.renewals(CASE name WHEN 'high end' THEN 0.668088351 ELSE 0.704077298 END, beta, 0, rate)),
                    ('after', value_after, 20 * pg_temp.renewals(CASE name WHEN 'high end' THEN 0.668088351
                      ELSE 0.704077298 END, beta, points, rate)), ('change', change, value_after - value))
                      v (what, have, want)$$, 72, 1e-10, 1e-10);
SELECT pg_temp.agree('beta-discrete-Weibull with c = 1 is the same', $$SELECT points::text, b.value_after, s.value_after
    FROM retention_elasticity(clv_model('bdw', '{"alpha": 0.7, "beta": 1.2, "c": 1}'::jsonb, 'month'), 1, 0.1,
    '{-0.1,0,0.01,0.05}') b
  JOIN retention_elasticity(clv_model('sbg', '{"alpha": 0.7, "beta": 1.2}'::jsonb, 'month'), 1, 0.1,
    '{-0.1,0,0.01,0.05}') s USING (points)$$, 4, 1e-9, 0);
SELECT results_eq($$SELECT value IS NULL, value_after IS NULL, change_percent IS NULL
    FROM contract, retention_elasticity(m, 1, 0, '{-0.1,0,0.01}') WHERE name = 'regular'$$,
  'VALUES (true, false, true), (true, true, true), (true, true, true)', 'without discount some stay for ever');
SELECT is((SELECT round(value::numeric, 9)
    FROM retention_elasticity(clv_model('sbg', '{"alpha": 3, "beta": 2}'::jsonb, 'month'), 1, 0, '{0.1}')), 1.000000000,
  'but not of every model: S sums to beta / (alpha - 1)');
SELECT throws_ok($$SELECT * FROM
    retention_elasticity(clv_model('bg_nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1}'::jsonb))$$, '22023',
  'retention_elasticity needs a contract model, not BG/NBD', 'contract models only');

-- return_on_customer --------------------------------------------------------------------------------------------------

SELECT is(return_on_customer(1000, 1050, 120), 0.17::float8, 'from 1000 to 1050 with 120 in cash: 17%');
SELECT is(return_on_customer(0, 50, 10), NULL, 'no return on nothing') UNION ALL
  SELECT is(return_on_customer(NULL, 50, 10), NULL, 'NULL for NULL') UNION ALL
  SELECT is(return_on_customer(100, 0, 0), -1::float8, 'all lost');
SELECT throws_ok('SELECT return_on_customer(''NaN'', 1, 1)', '22023', 'opening_equity must be finite, not NaN',
  'NaN is refused') UNION ALL SELECT throws_ok('SELECT return_on_customer(1, ''Infinity'', 1)', '22023',
  'closing_equity must be finite, not Infinity', 'infinities too');

-- customer_equity -----------------------------------------------------------------------------------------------------

-- Customers of every kind: one-time, frequent, paying nothing, refunded; in four partitions by country.
CREATE TABLE model (name text, m clv_model);
INSERT INTO model SELECT v.name,
  clv_model(v.name, (v.p || '{"p": 6.25, "q": 3.74, "v": 15.44}')::jsonb, 'week', '2024-06-30', v.covariance,
  '{{1.4162,-0.23196,-4.80294},{-0.23196,0.084177,0.99197},{-4.80294,0.99197,17.3008}}') FROM (VALUES
  ('bg_nbd', '{"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}'::jsonb,
    '{{0.00015769,0.0037064,-0.000087847,0.000065637},{0.0037064,0.14305,-0.0028657,0.010523},{-0.000087847,-0.0028657,0.034497,0.12322},{0.000065637,0.010523,0.12322,0.49761}}'::float8[]),
  ('pareto_nbd', '{"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}',
    '{{0.0022684,0.036093,0.0006,0.01},{0.036093,0.71018,0.005,0.1},{0.0006,0.005,0.035074,1.1},{0.01,0.1,1.1,38.57}}'),
  ('nbd', '{"r": 0.385, "alpha": 12.07}', '{{0.00044,0.0138},{0.0138,0.654}}')) v (name, p, covariance);
CREATE TABLE purchase AS
  SELECT customer, date '2024-06-30' - (customer % 300) + ((customer * 31 + k * k * 17) % (customer % 300 + 1)) AS at,
    CASE WHEN customer % 11 = 0 THEN -5.5 WHEN customer % 13 <> 0
    THEN ((customer * k) % 97) / 7.0 + 1 END::numeric AS amount
  FROM generate_series(1, 1500) customer,
    LATERAL generate_series(0, CASE WHEN customer % 3 = 0 THEN 0 WHEN customer % 50 = 1 THEN 120 ELSE customer % 5 END)
    k;
CREATE TABLE who (customer integer, country integer, history customer_history) PARTITION BY LIST (country);
SELECT format('CREATE TABLE who_%s PARTITION OF who FOR VALUES IN (%1$s) WITH (parallel_workers = 2)', i)
  FROM generate_series(0, 3) i \gexec
INSERT INTO who SELECT customer, customer % 4, customer_history(at, amount) FROM purchase GROUP BY customer;
INSERT INTO who VALUES (0, 0, NULL), (-1, 1, (SELECT customer_history(at, amount) FROM purchase WHERE false)),
  (-2, 2, (SELECT customer_history(date '2024-07-01', 3)));
ANALYZE who;

SELECT pg_temp.agree('the sum of clv()', $$SELECT name || ' ' || form, have, want FROM (
  SELECT name, v.* FROM (SELECT name, m, array_agg(x) FILTER (WHERE true) IS NULL AS unused,
    customer_equity(m, history) AS e1, sum(clv(m, history)) AS s1,
    customer_equity(m, history, '2024-03-31') AS e2, sum(clv(m, history, '2024-03-31')) AS s2,
    customer_equity(m, history, NULL, interval '90 days') AS e3, sum(clv(m, history, NULL, interval '90 days')) AS s3,
    customer_equity(m, history, NULL, interval '2 years', 0.2) AS e4,
      sum(clv(m, history, NULL, interval '2 years', 0.2)) AS s4,
    customer_equity(m, history, '2024-06-30', interval '2 years', 0, 0.3) AS e5,
      sum(clv(m, history, '2024-06-30', interval '2 years', 0, 0.3)) AS s5,
    customer_equity(m, frequency, recency, age, monetary_value) AS e6,
      sum(clv(m, frequency, recency, age, monetary_value)) AS s6,
    customer_equity(m, frequency, recency, age, monetary_value, interval '1 year', 0.2, customer / 1000.0) AS e7,
      sum(clv(m, frequency, recency, age, monetary_value, interval '1 year', 0.2, customer / 1000.0)) AS s7
    FROM model, who, clv_summary(history, '2024-06-30', 'week'),
      LATERAL (SELECT NULL::integer AS x) n GROUP BY name, m) q,
    LATERAL (VALUES ('defaults', e1, s1), ('as_of', e2, s2), ('horizon', e3, s3), ('rate', e4, s4), ('margin', e5, s5),
      ('summary', e6, s6), ('margin by row', e7, s7)) v (form, have, want)) r$$, 21, 1e-12, 0);
SELECT pg_temp.agree('from summaries as from histories',
  $$SELECT name, customer_equity(m, frequency, recency, age, monetary_value::float8),
    (SELECT customer_equity(m, history) FROM who) FROM model, who, clv_summary(history, '2024-06-30', 'week')
    GROUP BY name, m$$, 3, 1e-13, 0);

-- The delta method by hand: the gradient of the sum from models with one parameter moved.
CREATE FUNCTION pg_temp.moved(which text, what text, share float8) RETURNS clv_model LANGUAGE sql AS $$
  SELECT clv_model(which, (SELECT jsonb_object_agg(parameter, estimate * CASE WHEN parameter = what THEN 1 + share
      ELSE 1 END) FROM clv_parameters(m)), 'week', '2024-06-30') FROM model WHERE name = which $$;
CREATE TABLE slope AS SELECT name, parameter,
  ((SELECT customer_equity(up, history, NULL, interval '18 months', 0.12, 0.4)
    FROM who) - (SELECT customer_equity(down, history, NULL, interval '18 months', 0.12, 0.4) FROM who))
  / (2e-4 * estimate) AS g
  FROM model, clv_parameters(m),
    LATERAL (SELECT pg_temp.moved(name, parameter, 1e-4) AS up, pg_temp.moved(name, parameter, -1e-4) AS down) s;
SELECT pg_temp.agree('standard errors by hand',
  $$SELECT name, customer_equity_se(m, history, NULL, interval '18 months', 0.12, 0.4),
    (SELECT sqrt(sum(a.g * covariance * b.g)) FROM clv_covariance(m) c
    JOIN slope a ON a.name = model.name AND a.parameter = c.parameter
    JOIN slope b ON b.name = model.name AND b.parameter = c.other)
  FROM model, who GROUP BY name, m$$, 3, 1e-4, 0);
SELECT pg_temp.agree('of one customer: clv_se()',
  $$SELECT name || ' ' || customer, customer_equity_se(m, history), clv_se(m, history) FROM model, who
    WHERE customer IN (1, 2, 3, 11, 13, 51, 151) GROUP BY name, m, customer, history$$, 21, 1e-9, 0);
SELECT pg_temp.agree('errors add up: twice the customers, twice the error',
  $$SELECT name, customer_equity_se(m, history), 2 * (SELECT customer_equity_se(m, history) FROM who)
    FROM model, (TABLE who UNION ALL TABLE who) w (customer, country, history) GROUP BY name, m$$, 3, 1e-12, 0);
SELECT is((SELECT bool_and(together > apart)
    FROM (SELECT customer_equity_se(m, history) AS together, sqrt(sum(clv_se(m, history) ^ 2)) AS apart FROM model, who
    GROUP BY name, m) q), true, 'and do not average out');
SELECT pg_temp.agree('from summaries as from histories',
  $$SELECT name, customer_equity_se(m, frequency, recency, age, monetary_value::float8),
    (SELECT customer_equity_se(m, history) FROM who) FROM model, who, clv_summary(history, '2024-06-30', 'week')
    GROUP BY name, m$$, 3, 1e-10, 0);
SELECT is((SELECT customer_equity_se(m, history, NULL, interval '1 year', 0.1, 0) FROM model, who WHERE name = 'nbd'),
  0::float8, 'nothing is certain to be worth nothing');
SELECT is((SELECT customer_equity_se(clv_model('nbd', '{"r": 1, "alpha": 9, "p": 6, "q": 4, "v": 15}'::jsonb, 'week',
    '2024-06-30'), history) FROM who), NULL, 'NULL without a covariance');

-- What is not known is left out.
SELECT is((SELECT customer_equity(m, history) FROM model, who WHERE name = 'nbd' AND customer <= 0), NULL,
  'NULL, empty and later histories: nobody is known');
SELECT is((SELECT customer_equity(m, history) FROM model, who WHERE false), NULL, 'no rows') UNION ALL
  SELECT is((SELECT customer_equity_se(m, history) FROM model, who WHERE false), NULL, 'no rows, no error');
SELECT is((SELECT customer_equity(NULL::clv_model, history) FROM who), NULL, 'no model') UNION ALL
  SELECT is((SELECT customer_equity(m, 1, NULL, 5, 3) FROM model WHERE name = 'nbd'), NULL, 'a NULL recency');
SELECT is((SELECT customer_equity(m, history, NULL, NULL::interval) FROM model, who WHERE name = 'nbd'), NULL,
  'a NULL horizon, as in clv()') UNION ALL
  SELECT is((SELECT clv(m, history, NULL, NULL::interval) FROM model, who WHERE name = 'nbd' LIMIT 1), NULL,
  'which is NULL');
SELECT is((SELECT customer_equity(clv_model('nbd', '{"r": 1, "alpha": 9, "p": 6, "q": 0.5, "v": 15}'::jsonb, 'week'), x,
    0, 10, z) FROM (VALUES (0, NULL::float8), (0, NULL)) v (x, z)), NULL, 'infinite means');
SELECT is((SELECT customer_equity(clv_model('nbd', '{"r": 1, "alpha": 9}'::jsonb, 'week'), x, t, 10, z)
    FROM (VALUES (0, 0, NULL::float8), (2, 4, 7)) v (x, t, z)),
  clv(clv_model('nbd', '{"r": 1, "alpha": 9}'::jsonb, 'week'), 2, 4, 10, 7),
  'without a model of spend only customers who spent');
SELECT throws_ok(query, code, message, message) FROM (VALUES
  ('SELECT customer_equity(m, history) FROM model, who', '22023',
    'model must be the same in all rows of customer_equity'),
    ('SELECT customer_equity_se(m, 1, 1, 2, 3) FROM model', '22023',
    'model must be the same in all rows of customer_equity'),
  ('SELECT customer_equity(clv_model(''nbd'', ''{"r": 1, "alpha": 9}''::jsonb), history) FROM who', '22004',
    'as_of must not be NULL: the model has none of its own'),
  ('SELECT customer_equity(m, 1, 3, 2, 3) FROM model WHERE name = ''nbd''', '22023', 'recency must not exceed age'),
    ('SELECT customer_equity(m, 1, 1, 2, ''NaN'') FROM model WHERE name = ''nbd''', '22023',
    'monetary_value must be finite, not NaN'),
  ('SELECT customer_equity(m, history, NULL, interval ''-1 day'') FROM model, who WHERE name = ''nbd''', '22023', NULL),
    ('SELECT customer_equity(m, history, NULL, interval ''1 year'', -0.1) FROM model, who WHERE name = ''nbd''',
    '22023', NULL),
  ('SELECT customer_equity(m, history, NULL, interval ''1 year'', 0.1, ''NaN'') FROM model, who WHERE name = ''nbd''',
    '22023', NULL), ('SELECT customer_equity(m, history, ''infinity'') FROM model, who WHERE name = ''nbd''', '22008',
    NULL)) v (query, code, message);

-- Whatever the plan, the same bits.
CREATE TABLE call (o serial, call text, answer text);
INSERT INTO call (call) SELECT format(f, a) FROM unnest('{customer_equity,customer_equity_se}'::text[]) a,
  unnest('{"%s(m, history)","%s(m, history, ''2024-05-05'', interval ''3 months'', 0.2, 0.7)"}'::text[]) f;
SET max_parallel_workers_per_gather = 0;
DO $$
DECLARE c record; r text;
BEGIN
  FOR c IN SELECT * FROM call LOOP
    EXECUTE format('SELECT encode(float8send(%s), ''hex'')
        FROM (SELECT m, history FROM model, who WHERE name = ''bg_nbd'' ORDER BY customer) w', c.call) INTO r;
    UPDATE call SET answer = r WHERE o = c.o;
  END LOOP;
END $$;
CREATE FUNCTION pg_temp.check(title text, source text, plan_has text DEFAULT '') RETURNS SETOF text LANGUAGE plpgsql
  AS $$
DECLARE c record; query text;
BEGIN
  FOR c IN SELECT * FROM call ORDER BY o LOOP
    query := format('SELECT encode(float8send(%s), ''hex'') FROM %s w', c.call, source);
    IF plan_has <> '' THEN RETURN NEXT matches(pg_temp.plan(query), plan_has, title || ', the plan: ' || c.call);
    END IF;
    RETURN NEXT is(pg_temp.outcome(query), c.answer, title || ': ' || c.call);
  END LOOP;
END $$;
SELECT pg_temp.check('backwards', '(SELECT m, history FROM model, who WHERE name = ''bg_nbd'' ORDER BY customer DESC)');
SELECT pg_temp.check('in random order',
  '(SELECT m, history FROM model, who WHERE name = ''bg_nbd'' ORDER BY random())');
SET max_parallel_workers_per_gather = 3; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT pg_temp.check('workers',
  '(SELECT (SELECT m FROM model WHERE name = ''bg_nbd'') AS m, history FROM who OFFSET 0)');
CREATE TABLE joined AS SELECT m, customer, country, history FROM model, who WHERE name = 'bg_nbd';
ALTER TABLE joined SET (parallel_workers = 3);
ANALYZE joined;
SELECT pg_temp.check('partial states', 'joined', 'Partial Aggregate');
SET parallel_leader_participation = off;
SELECT pg_temp.check('partial states of workers alone', 'joined', 'Partial Aggregate');
RESET parallel_leader_participation;
SELECT is((SELECT count(*) FROM (SELECT country, customer_equity(m, history) AS a,
    (SELECT customer_equity(m, history) FROM joined o WHERE o.country = j.country) AS b FROM joined j GROUP BY country)
    q WHERE a = b), 4::bigint, 'by country');
SELECT results_eq('SELECT customer, customer_equity(m, history) OVER (ORDER BY customer ROWS 2 PRECEDING) FROM joined
    WHERE customer BETWEEN 1 AND 40',
  'SELECT j.customer, (SELECT customer_equity(m, history) FROM joined o
      WHERE o.customer BETWEEN greatest(j.customer - 2, 1) AND j.customer) FROM joined j
    WHERE customer BETWEEN 1 AND 40 ORDER BY 1', 'over a moving window');
SELECT is((SELECT count(*) FROM (SELECT (customer_equity(m, history) = customer_equity(m, history)) AS same FROM joined
    GROUP BY country) q WHERE same), 4::bigint, 'states that are shared');
-- More models in turn than a call site remembers.
CREATE TABLE many AS SELECT i AS which,
  clv_model('nbd', jsonb_build_object('r', 0.3 + i * 0.01, 'alpha', 12, 'p', 6.25, 'q', 3.74, 'v', 15.44), 'week',
  '2024-06-30') AS m FROM generate_series(1, 40) i;
SELECT is((SELECT count(*) FROM (SELECT which, customer_equity(m, history) AS a, sum(clv(m, history)) AS b
    FROM (SELECT * FROM many, who WHERE customer BETWEEN 1 AND 30 ORDER BY customer, which) q GROUP BY which) r
    WHERE abs(a / b - 1) < 1e-12), 40::bigint, 'forty models in turn');

-- Nobody may give a state by hand, nor one that is none.
SELECT throws_ok(format('SELECT %s', call), NULL, NULL, 'not to be called: ' || call)
  FROM unnest('{"customer_equity_combine(NULL, '
  'NULL)","customer_equity_final(NULL)","customer_equity_se_final(NULL)","customer_equity_history_trans(NULL, NULL, '
  'NULL)"}'::text[]) call;
CREATE AGGREGATE pg_temp.hostile(bytea) (SFUNC = customer_equity_combine, STYPE = bytea,
  FINALFUNC = customer_equity_se_final);
CREATE AGGREGATE pg_temp.bare(clv_model, customer_history) (SFUNC = customer_equity_se_history_trans, STYPE = bytea);
CREATE AGGREGATE pg_temp.begun(clv_model, customer_history) (SFUNC = customer_equity_history_trans, STYPE = bytea,
  INITCOND = '\x00');
SELECT throws_ok(format('SELECT pg_temp.hostile(%L::bytea)', b), 'XX001', NULL, 'no state: ' || b)
  FROM unnest('{"\\x","\\x00","\\x43567131","\\x43567131000000000100000000000000"}'::text[]) b;
SELECT throws_ok('SELECT pg_temp.begun(m, history) FROM joined', 'XX001', NULL, 'a state to begin with that is none');
CREATE TABLE bytes AS SELECT pg_temp.bare(m, history) AS b FROM joined WHERE customer = 1;
SELECT ok((SELECT pg_temp.hostile(b) FROM bytes) > 0, 'a real state in other hands');
SELECT is((SELECT pg_temp.hostile(b) FROM (TABLE bytes UNION ALL TABLE bytes) q),
  2 * (SELECT pg_temp.hostile(b) FROM bytes), 'can be added');
CREATE TABLE damaged AS SELECT i, set_byte(b, i, (get_byte(b, i) + 1 + floor(random() * 255)::integer) % 256) AS b
  FROM bytes, generate_series(0, length(b) - 1) i UNION ALL SELECT -i - 1, substr(b, 1, i)
  FROM bytes, generate_series(0, length(b) - 1, 7) i;
SELECT is((SELECT count(*) FROM damaged
    WHERE pg_temp.outcome(format('SELECT pg_temp.hostile(b)::text
    FROM (SELECT %L::bytea AS b UNION ALL SELECT b FROM bytes) q', b)) !~ '^(XX001|22023) |^-?[0-9.e+-]+$|^NaN$' AND
                                                 pg_temp.outcome(format('SELECT pg_temp.hostile(b)::text
                                                     FROM (SELECT %L::bytea AS b UNION ALL SELECT b FROM bytes) q', b))
                                                   IS NOT NULL), 0::bigint, 'damaged states are refused or added, '
                                                   'whatever they hold');

-- The published tables of one formula ---------------------------------------------------------------------------------

\set text `cat test/reference/clv/clv_simple.csv`
SELECT ok(pg_temp.load('simple', :'text') > 30, 'clv_simple.csv is complete');
SELECT pg_temp.agree('clv_simple.csv',
  $$SELECT line || ' ' || what, have, want
    FROM simple, LATERAL (VALUES ('end', clv_simple(margin, retention, discount), clv_end),
    ('begin', clv_simple(margin, retention, discount, timing => 'begin'), clv_begin),
  ('net', clv_simple(margin, retention, discount, acquisition_cost => acquisition), clv_net),
    ('finite', clv_simple(margin, retention, discount, n_periods::integer), clv_finite_end)) v (what, have, want)$$,
    (SELECT 4 * count(*) FROM simple), 1e-9, 1e-12);
SELECT * FROM finish();
ROLLBACK;
