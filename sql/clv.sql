-- clv_model and its predictions: what they print, and what they say when they cannot.
-- References, properties and plans are in test/.
SET extra_float_digits = 0;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, MDY';
SET IntervalStyle = 'postgres';
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS retention;
RESET client_min_messages;

CREATE FUNCTION r(value float8, digits integer DEFAULT 6) RETURNS numeric
	LANGUAGE sql RETURN round(value::numeric, digits);

-- The models there are.
SELECT model, kind, "time", parameters, becomes, source FROM clv_models();
SELECT model, assumes FROM clv_models();
SELECT model, take_when FROM clv_models();

-- published parameters: CDNOW, weeks (Fader, Hardie and Lee 2005)
CREATE TABLE cdnow AS
SELECT clv_model('bg_nbd', '{"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426, "p": 6.25, "q": 3.74, "v": 15.44}',
  'week') AS m;
SELECT parameter, estimate, standard_error, low, high FROM cdnow, clv_parameters(m);
SELECT purchase_model, spend_model, unit, as_of, n, log_likelihood, converged, reason, spend_n FROM cdnow, clv_fit(m);
SELECT count(*), count(covariance) FROM cdnow, clv_covariance(m);
SELECT jsonb_pretty(m::jsonb) FROM cdnow;
SELECT m::text::clv_model = m, m <> m, clv_model_hash(m) = clv_model_hash(m::text::clv_model) FROM cdnow;

-- customer 1 of the paper: 2 repeat purchases, the last in week 30.43 of 38.86
SELECT r(p_alive(m, 2, 30.43, 38.86)) AS p_alive,
	r(p_alive(m, 2, 30.43, 38.86, '39 weeks')) AS ahead,
	r(expected_purchases(m, 2, 30.43, 38.86, '39 weeks')) AS expected,
	r(p_no_purchase(m, 2, 30.43, 38.86, '39 weeks')) AS silent,
	r(purchase_distribution(m, 2, 30.43, 38.86, '39 weeks', 1)) AS one,
	r(expected_spend(m, 2, 30.43, 38.86, 22.35)) AS spend,
	r(clv(m, 2, 30.43, 38.86, 22.35), 4) AS clv,
	r(residual_lifetime_value(m, 2, 30.43, 38.86, 22.35), 4) AS residual
FROM cdnow;
-- named arguments; cash at once, half of it kept, a shorter horizon
SELECT r(clv(m, 2, 30.43, 38.86, 22.35, horizon => '0'), 4) AS nothing,
	r(clv(m, 2, 30.43, 38.86, 22.35, discount_rate => 0, step => '12 months')
	  - expected_purchases(m, 2, 30.43, 38.86) * expected_spend(m, 2, 30.43, 38.86, 22.35), 9) AS undiscounted,
	r(clv(m, 2, 30.43, 38.86, 22.35, margin => 0.5) / clv(m, 2, 30.43, 38.86, 22.35), 9) AS margin
FROM cdnow;
-- a new customer; one who was never seen to repeat has the mean spend of all
SELECT r(expected_purchases(m, 0, 0, 0, '52 weeks')) AS new_customer,
	r(expected_spend(m, 0, 0, 38.86, NULL)) AS population FROM cdnow;
-- probabilities of all numbers of purchases
SELECT r(sum(purchase_distribution(m, 2, 30.43, 38.86, '39 weeks', k))) FROM cdnow, generate_series(0, 200) AS k;

-- histories: unit and as_of
CREATE TABLE one AS SELECT customer_history(at, amount) AS h FROM (VALUES
	(date '2025-01-01', 10.00), (date '2025-01-15', 20.00), (date '2025-02-01', 30.01)) AS o (at, amount);
SELECT p_alive(m, h, '2025-03-01') = p_alive(m, 2, 31 / 7.0::float8, 59 / 7.0::float8) AS same,
	expected_spend(m, h, '2025-03-01') = expected_spend(m, 2, 31 / 7.0::float8, 59 / 7.0::float8, 25.005) AS same_spend,
	p_alive(m, h, '2024-12-31') IS NULL AS before_the_first
FROM cdnow, one;
SELECT p_alive(m, h) FROM cdnow, one;
-- without a spend model: the customer's own mean, of the first purchase where there was no other
SELECT expected_spend(m, h, '2025-01-10') AS first, expected_spend(m, h, '2025-03-01') AS mean
FROM (SELECT clv_model('nbd', '{"r": 1, "alpha": 10}', 'week') AS m) AS q, one;
SELECT count(*), count(clv) FROM (SELECT clv(f, least(f, 1) * 20, 30, 5, model => 'nbd', spend_model => 'none') OVER ()
  FROM (SELECT x % 7 * (x % 7) / 4 AS f FROM generate_series(1, 100) AS x) AS o) AS q;
SELECT p_alive(m, h, 'infinity') FROM cdnow, one;

-- NULL
SELECT p_alive(NULL, 1, 2, 3), p_alive(m, NULL, 2, 3), p_alive(m, 1, 2, 3, NULL),
	clv(m, 1, 2, 3, 4, horizon => NULL), clv(m, NULL::customer_history) FROM cdnow;

-- bad rows
SELECT p_alive(m, -1, 0, 0) FROM cdnow;
SELECT p_alive(m, 1, 'NaN', 3) FROM cdnow;
SELECT p_alive(m, 1, 4, 3) FROM cdnow;
SELECT p_alive(m, 1.5, 2, 3) FROM cdnow;
SELECT p_alive(m, 0, 2, 3) FROM cdnow;
SELECT p_alive(m, 1, 2, 'infinity') FROM cdnow;
SELECT expected_purchases(m, 1, 2, 3, '-1 week') FROM cdnow;
SELECT purchase_distribution(m, 1, 2, 3, '1 week', -1) FROM cdnow;
SELECT clv(m, 1, 2, 3, 4, discount_rate => -0.1) FROM cdnow;
SELECT clv(m, 1, 2, 3, 4, margin => 'NaN') FROM cdnow;
SELECT clv(m, 1, 2, 3, 4, step => '0') FROM cdnow;
SELECT clv(m, 1, 2, 3, 'NaN') FROM cdnow;
SELECT clv_model(x, 2, 3, NULL) FROM (VALUES (1), (0)) AS o (x);
SELECT clv_model(x, 2, 3, 'NaN') FROM (VALUES (1), (0)) AS o (x);
SELECT clv_model(2, 3, 1, 10.0);
SELECT n, converged, reason FROM (SELECT clv_model(2, 3, 4, 10.0, 'bg/bb') AS m FROM generate_series(1, 3)) AS q,
  clv_fit(m);
SELECT clv_model(2, 3.5, 4, 10.0, 'bg/bb') FROM generate_series(1, 3);
SELECT clv_model(5, 3, 4, 10.0, 'bg/bb') FROM generate_series(1, 3);

-- parameters
SELECT clv_model('bg_nbd', '{"r": 1}');
SELECT clv_model('bg_nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 0}');
SELECT clv_model('bg_nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1, "c": 1}');
SELECT clv_model('bg_nbd', '{"r": 1, "alpha": 1, "a": 1, "b": 1, "p": 1}');
SELECT clv_model('bg_nbd', '[1, 2, 3, 4]');
SELECT clv_model('bgnbd2', '{"r": 1}');
SELECT clv_model('NBD', '{"r": 1, "alpha": 2}', 'fortnight');
SELECT clv_model('NBD', '{"r": 1, "alpha": 2}', covariance => '{{1,0},{1,1}}');
SELECT clv_model('NBD', '{"r": 1, "alpha": 2}', covariance => '{1,0}');
SELECT clv_model('NBD', '{"r": 1, "alpha": 2}', spend_covariance => '{{1,0},{0,1}}');
SELECT clv_model(2, 3, 4, 10.0, 'bg_nbd', 'gaussian');
SELECT clv_model(2, 3, 4, 10.0, CASE i WHEN 1 THEN 'bg_nbd' ELSE 'nbd' END) FROM generate_series(1, 2) AS i;
SELECT 'AAAA'::clv_model;
SELECT clv_model_final('\x00');

-- standard errors need a covariance
SELECT p_alive_se(m, 2, 30.43, 38.86) IS NULL AS not_known FROM cdnow;
SELECT r(p_alive_se(clv_model('bg_nbd', '{"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}', 'week',
	covariance => '{{0.000158,0,0,0},{0,0.143,0,0},{0,0,0.0345,0},{0,0,0,0.4976}}'), 2, 30.43, 38.86));

-- fits that cannot be had say so, and keep the best point found
SELECT n, converged, reason, skipped
  FROM (SELECT clv_model(0, 0, age, NULL) AS m FROM generate_series(1, 20) AS age) AS q, clv_fit(m);
SELECT n, converged, reason, skipped
  FROM (SELECT clv_model(NULL, 0, age, NULL) AS m FROM generate_series(1, 20) AS age) AS q, clv_fit(m);
SELECT clv_model(x, 1, 1, 1) FROM generate_series(1, 0) AS x;

-- contracts: survivors of 1000, years 0 to 7 (Fader and Hardie 2007)
CREATE TABLE contracts (segment text, period integer, survivors bigint);
INSERT INTO contracts SELECT 'high end', ordinality - 1, n
  FROM unnest('{1000,869,743,653,593,551,517,491}'::bigint[]) WITH ORDINALITY AS t (n);
INSERT INTO contracts SELECT 'regular', ordinality - 1, n
  FROM unnest('{1000,631,468,382,326,289,262,241}'::bigint[]) WITH ORDINALITY AS t (n);
CREATE TABLE contract_models AS
SELECT segment, clv_model(period, survivors, 'sbg') AS m FROM contracts GROUP BY segment;
SELECT segment, parameter, r(estimate, 3) AS estimate, r(standard_error, 4) AS standard_error
FROM contract_models, clv_parameters(m) ORDER BY 1, 2;
SELECT segment, r(log_likelihood / n, 3) AS log_likelihood, converged FROM contract_models, clv_fit(m) ORDER BY 1;
SELECT segment, r(contract_survival(m, 12), 3) AS year_12, r(contract_retention(m, 1), 3) AS first,
  r(contract_retention(m, 12), 3) AS twelfth,
	r(contract_lifetime(m), 4) AS lifetime, r(contract_lifetime(m, 1), 4) AS before_first
FROM contract_models ORDER BY 1;
SELECT converged FROM (SELECT clv_model(ordinality - 1, n, 'sbg') AS m FROM unnest('{1000,869,743,653}'::bigint[]) WITH
  ORDINALITY AS t (n)) AS q, clv_fit(m);
SELECT clv_model(period, survivors, 'sbg') FROM contracts;
SELECT clv_model(period, survivors, 'sbg') FROM contracts WHERE period <> 3 AND segment = 'regular';
SELECT clv_model(period, period, 'sbg') FROM generate_series(0, 3) AS period;
SELECT clv_model(period, 1, 'nbd') FROM generate_series(0, 3) AS period;
SELECT contract_survival(m, 1) FROM cdnow;

DROP TABLE contracts, contract_models, one, cdnow;
DROP FUNCTION r(float8, integer);
