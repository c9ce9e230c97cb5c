-- clv against reference numbers: own arbitrary-precision computations from the published formulas, in
-- test/reference/clv (test/reference/README.md says what each column is) and test/data.  Fits, standard errors,
-- covariances, predictions at given parameters, and the stress sets, where textbook formulas overflow or cancel.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT plan(61);
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned

-- The files -----------------------------------------------------------------------------------------------------------

\set text `cat test/data/cdnow_sample_summary_weeks.csv`
SELECT is(pg_temp.load('cdnow', :'text'), 2357::bigint, 'CDNOW is complete');
\set text `cat test/data/donations_rf_matrix.csv`
SELECT is(pg_temp.load('donations', :'text'), 22::bigint, 'the donations are complete');
\set text `cat test/reference/clv/synA_data.csv`
SELECT is(pg_temp.load('syna', :'text'), 2000::bigint, 'synA is complete');
\set text `cat test/reference/clv/synD_data.csv`
SELECT is(pg_temp.load('synd', :'text'), 1000::bigint, 'synD is complete');
\set text `cat test/reference/clv/fits.csv`
SELECT is(pg_temp.load('fits', :'text'), 47::bigint, 'the fits are complete');
\set text `cat test/reference/clv/fits_cov.csv`
SELECT is(pg_temp.load('fits_cov', :'text'), 111::bigint, 'their covariances are complete');
\set text `cat test/reference/clv/fits_discrete.csv`
SELECT is(pg_temp.load('fits_discrete', :'text'), 42::bigint, 'the discrete fits are complete');
\set text `cat test/reference/clv/cdnow_customers.csv`
SELECT is(pg_temp.load('customers', :'text'), 162::bigint, 'customers of CDNOW');
\set text `cat test/reference/clv/synA_customers.csv`
SELECT is(pg_temp.load('customers_a', :'text'), 162::bigint, 'customers of synA');
\set text `cat test/reference/clv/synD_customers.csv`
SELECT is(pg_temp.load('customers_d', :'text'), 162::bigint, 'customers of synD');
\set text `cat test/reference/clv/cdnow_tracking.csv`
SELECT is(pg_temp.load('tracking', :'text'), 78::bigint, 'weeks of CDNOW');
\set text `cat test/reference/clv/cdnow_histogram.csv`
SELECT is(pg_temp.load('histogram', :'text'), 8::bigint, 'the histogram of CDNOW');
\set text `cat test/reference/clv/cdnow_conditional_expectation.csv`
SELECT is(pg_temp.load('conditional', :'text'), 8::bigint, 'the holdout of CDNOW');
\set text `cat test/reference/clv/donations_bgbb.csv`
SELECT is(pg_temp.load('donors', :'text'), 22::bigint, 'predictions of donations');
\set text `cat test/reference/clv/sbg_survival.csv`
SELECT is(pg_temp.load('survival', :'text'), 52::bigint, 'contracts');
\set text `cat test/reference/clv/clv_simple.csv`
SELECT is(pg_temp.load('simple', :'text'), 32::bigint, 'values from one retention rate');
\set text `cat test/reference/clv/stress_bgnbd.csv`
SELECT is(pg_temp.load('stress', :'text'), 160::bigint, 'stress for BG/NBD');
\set text `cat test/reference/clv/stress_mbgnbd.csv`
SELECT is(pg_temp.load('stress_mbg', :'text'), 80::bigint, 'stress for MBG/NBD');
\set text `cat test/reference/clv/stress_pnbd.csv`
SELECT is(pg_temp.load('stress_pareto', :'text'), 160::bigint, 'stress for Pareto/NBD');
\set text `cat test/reference/clv/stress_gg.csv`
SELECT is(pg_temp.load('stress_gg', :'text'), 60::bigint, 'stress for Gamma-Gamma');
\set text `cat test/reference/clv/stress_bgbb.csv`
SELECT is(pg_temp.load('stress_bgbb', :'text'), 60::bigint, 'stress for BG/BB');
\set text `cat test/reference/clv/stress_sbg_bdw.csv`
SELECT is(pg_temp.load('stress_contract', :'text'), 80::bigint, 'stress for contracts');
\unset text

-- Fits: the models under their own names, of the same customers -------------------------------------------------------

CREATE TABLE name AS SELECT * FROM (VALUES ('bgnbd', 'bg_nbd'), ('mbgnbd', 'mbg_nbd'), ('pnbd', 'pareto_nbd'),
  ('nbd', 'nbd'), ('bgbb', 'bg_bb')) n (theirs, ours);
CREATE TABLE customer AS
  SELECT 'cdnow' AS dataset, x, t_x, "T" AS age, m_x AS z FROM cdnow UNION ALL SELECT 'synA', x, t_x, "T", zbar
    FROM syna UNION ALL SELECT 'synD', x, t_x, "T", zbar FROM synd;
CREATE TABLE fitted AS
  SELECT dataset, theirs, ours, clv_model(x, t_x, age, z, ours, 'gamma_gamma', 'week') AS m FROM customer, name
    WHERE ours <> 'bg_bb' AND (dataset = 'cdnow' OR ours <> 'nbd') GROUP BY dataset, theirs, ours;
SELECT is_empty($$SELECT model FROM clv_models() EXCEPT (SELECT coalesce(ours, f.model) FROM (SELECT model FROM fits
  UNION SELECT model FROM fits_discrete) f LEFT JOIN name ON theirs = f.model UNION SELECT 'gamma_gamma')$$,
  'every model has rows in the reference');
SELECT is(count(*) FILTER (WHERE f.converged AND f.reason IS NULL), 10::bigint, 'ten fits, all converged')
  FROM fitted, clv_fit(m) f;
SELECT pg_temp.agree('customers that were used', 'SELECT DISTINCT dataset || '' '' || theirs, n::float8, n_used
    FROM fits JOIN fitted USING (dataset), clv_fit(m) WHERE fits.model = theirs
  UNION ALL SELECT DISTINCT dataset || '' gg'', spend_n::float8, n_used FROM fits
    JOIN fitted USING (dataset), clv_fit(m) WHERE fits.model = ''gg''', 13, 0, 1e-9);
-- never lower than the maximum by more than 1e-7 of it, nor higher than what is possible
CREATE TABLE height AS
  SELECT DISTINCT dataset, theirs AS model, log_likelihood AS have, loglik AS want FROM fits
    JOIN fitted USING (dataset), clv_fit(m) f WHERE fits.model = theirs
  UNION ALL SELECT DISTINCT dataset, 'gg of ' || theirs, spend_log_likelihood, loglik FROM fits
    JOIN fitted USING (dataset), clv_fit(m) WHERE fits.model = 'gg';
SELECT is(string_agg(format('%s %s %s instead of %s', dataset, model, have, want), E'\n') FILTER
  (WHERE NOT (have >= want - 1e-7 * abs(want) AND have <= want + 1e-6)), NULL,
  count(*) || ' log-likelihoods: not below the maximum by 1e-7 of it, nor above it') FROM height;
SELECT pg_temp.agree('log-likelihoods', 'SELECT dataset || '' '' || model, have, want FROM height', 20, 1e-11, 1e-6);
CREATE TABLE estimate AS
  SELECT f.dataset, f.model, f.param, p.estimate AS have, p.standard_error, f.estimate AS want, f.se FROM fits f
    JOIN fitted ON fitted.dataset = f.dataset AND f.model IN (theirs, 'gg'), clv_parameters(m) p
    WHERE p.parameter = f.param AND (f.model <> 'gg' OR theirs = 'bgnbd');
SELECT pg_temp.agree('parameters', 'SELECT concat_ws('' '', dataset, model, param), have, want FROM estimate', 47, 1e-5,
  0);
SELECT pg_temp.agree('standard errors', 'SELECT concat_ws('' '', dataset, model, param), standard_error, se
    FROM estimate', 47, 1e-3, 0);
SELECT pg_temp.agree('covariances', 'SELECT concat_ws('' '', c.dataset, c.model, param_i, param_j), v.covariance, c.cov
  FROM fits_cov c JOIN fitted f ON f.dataset = c.dataset AND c.model IN (f.theirs, ''gg''), clv_covariance(m) v
    WHERE (v.parameter, v.other) = (param_i, param_j) AND (c.model <> ''gg'' OR theirs = ''bgnbd'')', 111, 1e-3, 0);
SELECT pg_temp.agree('they are symmetric',
  'SELECT concat_ws('' '', dataset, theirs, v.parameter, v.other), v.covariance, w.covariance
    FROM fitted, clv_covariance(m) v, clv_covariance(m) w WHERE (v.parameter, v.other) = (w.other, w.parameter)', 238,
  0, 1e-300);

-- From the log of orders to the published table in one statement.
\set text `cat test/data/cdnow_sample.txt`
CREATE TABLE log AS SELECT f[2]::integer AS customer, f[3]::date AS at, f[5]::numeric AS amount
  FROM string_to_table(:'text', E'\n') line, LATERAL regexp_split_to_array(trim(line, E' \r'), ' +') f WHERE line <> '';
\unset text
SELECT is((count(*), count(DISTINCT customer))::text, '(6919,2357)', 'the log of CDNOW is complete') FROM log;
SELECT pg_temp.agree('from the log of orders',
  $$SELECT parameter, p.estimate, f.estimate
    FROM (SELECT clv_model(customer, at, amount, '1997-09-30', 'bg_nbd', 'gamma_gamma', 'week') AS m FROM log) l,
    clv_parameters(m) p JOIN fits f ON f.param = p.parameter AND f.dataset = 'cdnow' AND f.model IN ('bgnbd', 'gg')$$,
  7, 1e-5, 0);

CREATE TABLE discrete AS
  SELECT 'donations' AS dataset, 'bgbb' AS model, clv_model(x, t_x, n, NULL, 'bg_bb', 'none', 'year') AS m
    FROM donations, generate_series(1, custs::integer)
  UNION ALL SELECT segment, ours, clv_model(t::integer, survivors_of_1000::bigint, ours)
    FROM survival, unnest('{sbg,bdw}'::text[]) ours WHERE model = 'sbg' AND t <= 7 GROUP BY segment, ours;
SELECT is(count(*) FILTER (WHERE f.converged AND f.reason IS NULL), 5::bigint, 'five discrete fits, all converged')
  FROM discrete, clv_fit(m) f;
SELECT pg_temp.agree('discrete log-likelihoods',
  'SELECT DISTINCT concat_ws('' '', dataset, d.model), log_likelihood, loglik FROM fits_discrete d
    JOIN discrete m USING (dataset, model), clv_fit(m.m)', 5, 1e-11, 1e-6);
SELECT pg_temp.agree('discrete parameters', 'SELECT concat_ws('' '', dataset, d.model, param), p.estimate, d.estimate
    FROM fits_discrete d JOIN discrete m USING (dataset, model), clv_parameters(m.m) p WHERE parameter = param', 14,
  1e-5, 0);
SELECT pg_temp.agree('discrete standard errors', 'SELECT concat_ws('' '', dataset, d.model, param), p.standard_error, se
    FROM fits_discrete d JOIN discrete m USING (dataset, model), clv_parameters(m.m) p WHERE parameter = param', 14,
  1e-3, 0);

-- Predictions at the parameters as printed ----------------------------------------------------------------------------

CREATE TABLE given AS
  SELECT dataset, model, clv_model(ours, purchases || spend, 'week') AS m,
    clv_model(ours, purchases || '{"p": 1, "q": 2, "v": 1}', 'week') AS unity
  FROM (SELECT dataset, model, ours, jsonb_object_agg(param, estimate) AS purchases FROM fits
    JOIN name ON theirs = model GROUP BY dataset, model, ours) a
  JOIN (SELECT dataset, jsonb_object_agg(param, estimate) AS spend FROM fits WHERE model = 'gg' GROUP BY dataset) b
    USING (dataset);
CREATE TABLE prediction AS
  SELECT c.*, unity, m, "T" AS age, power(1.15::float8, 365.25 / 364.0) - 1 AS fifteen,
    power(1.01::float8, 365.25 / 30.415) - 1 AS one_a_month
  FROM (TABLE customers UNION ALL TABLE customers_a UNION ALL TABLE customers_d) c JOIN given USING (dataset, model);
CREATE FUNCTION pg_temp.predicted(name text, expression text) RETURNS text LANGUAGE sql AS
  $$SELECT pg_temp.agree(name, format('SELECT concat_ws('' '', dataset, model, cust_id), %s, %I FROM prediction',
      expression, name), 486, 1e-9, 1e-12)$$;
SELECT pg_temp.predicted('p_alive', 'p_alive(m, x, t_x, age)');
SELECT pg_temp.predicted('p_alive_t39', 'p_alive(m, x, t_x, age, ahead => ''273 days'')');
SELECT pg_temp.predicted('p_no_purchase_39', 'p_no_purchase(m, x, t_x, age, ''273 days'')');
SELECT pg_temp.predicted('ex_13', 'expected_purchases(m, x, t_x, age, ''91 days'')');
SELECT pg_temp.predicted('ex_39', 'expected_purchases(m, x, t_x, age, ''273 days'')');
SELECT pg_temp.predicted('ex_52', 'expected_purchases(m, x, t_x, age, ''364 days'')');
-- p = 1, q = 2, v = 1 and a mean of 1: everybody spends 1
SELECT pg_temp.predicted('dert_15pct', 'residual_lifetime_value(unity, x, t_x, age, 1, fifteen)');
SELECT pg_temp.predicted('gg_spend', 'expected_spend(m, x, t_x, age, zbar)');
SELECT pg_temp.predicted('rlv_15pct', 'residual_lifetime_value(m, x, t_x, age, zbar, fifteen, margin => 1)');
SELECT pg_temp.predicted('clv_12m_1pct',
  'clv(m, x, t_x, age, zbar, horizon => 12 * interval ''30 days 09:57:36'', discount_rate => one_a_month, step => '
  'interval ''30 days 09:57:36'')');

-- CDNOW as a whole.  1997-01-01 is day 0, the calibration ends on day 272.
CREATE TABLE came AS SELECT 272 - round(7 * "T")::integer AS day, count(*)::float8 AS n FROM cdnow GROUP BY 1;
SELECT pg_temp.agree('expected repeat purchases by week',
  $$SELECT concat_ws(' ', model, week),
    sum(n * expected_purchases(m, 0, 0, 0, make_interval(days => week::integer * 7 - 1 - day))) FILTER
    (WHERE day < week * 7 - 1), max(want)
  FROM came, (SELECT week, model, want
    FROM tracking, LATERAL (VALUES ('bgnbd', bgnbd), ('mbgnbd', mbgnbd), ('pnbd', pnbd)) v (model, want)) t
    JOIN given USING (model) WHERE dataset = 'cdnow' GROUP BY model, week$$, 234, 1e-9, 1e-9);
SELECT pg_temp.agree('expected customers by purchases',
  $$SELECT concat_ws(' ', model, x), CASE WHEN x = 7 THEN 2357 - sum(n * p) FILTER (WHERE k < 7)
    ELSE sum(n * p) FILTER (WHERE k = x) END, max(want)
  FROM (SELECT model, n, k, purchase_distribution(m, 0, 0, 0, make_interval(days => 272 - day), k) AS p
    FROM given, came, generate_series(0, 6) k WHERE dataset = 'cdnow') p
  JOIN (SELECT rtrim(x, '+')::integer AS x, model, want
    FROM histogram, LATERAL (VALUES ('bgnbd', bgnbd), ('mbgnbd', mbgnbd), ('pnbd', pnbd)) v (model, want)) h
    USING (model) GROUP BY model, x$$, 24, 1e-9, 1e-9);
SELECT pg_temp.agree('expected purchases after the calibration', $$SELECT concat_ws(' ', model, e.x), e.mean, want
  FROM (SELECT model, least(x, 7) AS x, avg(expected_purchases(m, x, t_x, "T", '273 days')) AS mean FROM cdnow, given
    WHERE dataset = 'cdnow' GROUP BY 1, 2) e
  JOIN (SELECT rtrim(x, '+')::integer AS x, model, want
    FROM conditional, LATERAL (VALUES ('bgnbd', bgnbd), ('mbgnbd', mbgnbd), ('pnbd', pnbd)) v (model, want)) h
    USING (model, x)$$, 24, 1e-9, 1e-12);

-- Donations and contracts at the parameters as printed
CREATE TABLE given_discrete AS
  SELECT dataset, model, clv_model(coalesce(ours, model), jsonb_object_agg(param, estimate), 'year') AS m,
    clv_model(coalesce(ours, model), jsonb_object_agg(param, estimate) || '{"p": 1, "q": 2, "v": 1}', 'year') AS unity
  FROM fits_discrete LEFT JOIN name ON theirs = model WHERE model IN ('bgbb', 'sbg', 'bdw')
    GROUP BY dataset, model, ours;
SELECT pg_temp.agree('donors', $$SELECT concat_ws(' ', what, x, t_x), have, want FROM donors, given_discrete,
  LATERAL (VALUES ('p_alive_n', p_alive(m, x, t_x, n), p_alive_n),
    ('p_alive_n1', p_alive(m, x, t_x, n, '1 year'), p_alive_n1),
    ('cet_5', expected_purchases(m, x, t_x, n, '5 years'), cet_5),
                  ('dert_d10', residual_lifetime_value(unity, x, t_x, n, 1, 0.10), dert_d10)) v (what, have, want)
                    WHERE dataset = 'donations'$$, 88, 1e-9, 1e-12);
SELECT pg_temp.agree('survival',
  $$SELECT concat_ws(' ', segment, model, t), contract_survival(m, t::integer), s.survival
    FROM (SELECT segment, model, t, "S_t" AS survival FROM survival) s JOIN given_discrete USING (model)
    WHERE dataset = segment$$, 52, 1e-9, 1e-12);
SELECT pg_temp.agree('retention', $$SELECT concat_ws(' ', segment, s.model, t), contract_retention(m, t::integer), r_t
    FROM survival s JOIN given_discrete g ON dataset = segment AND g.model = s.model WHERE t > 0$$, 48, 1e-9, 1e-12);
SELECT pg_temp.agree('discounted lifetimes',
  $$SELECT d.dataset || d.model,
    contract_lifetime(m, CASE param WHEN 'del' THEN 0 ELSE substring(d.model FROM '_n([0-9]+)_')::integer END,
    substring(d.model FROM '_d([0-9.]+)$')::float8), d.estimate
  FROM fits_discrete d JOIN given_discrete g ON g.dataset = d.dataset AND g.model = 'sbg'
    WHERE param IN ('del', 'derl')$$, 28, 1e-9, 1e-12);
SELECT pg_temp.agree('values from one retention rate', $$SELECT concat_ws(' ', what, line), have, want FROM simple,
  LATERAL (VALUES ('end', clv_simple(margin, retention, discount), clv_end),
    ('begin', clv_simple(margin, retention, discount, timing => 'begin'), clv_begin),
                  ('net', clv_simple(margin, retention, discount, acquisition_cost => acquisition), clv_net),
                    ('finite', clv_simple(margin, retention, discount, periods => n_periods::integer), clv_finite_end))
                    v (what, have, want)$$, 128, 1e-9, 1e-9);

-- Stress: a t of days; horizons under one are an error ----------------------------------------------------------------

CREATE TABLE hard AS
  SELECT line, model, param_set, clv_model('bg_nbd', jsonb_build_object('r', r, 'alpha', alpha, 'a', a, 'b', b)) AS m,
    x, t_x, "T" AS age, make_interval(secs => 86400 * t) AS ahead, p_alive, expected_purchases, p_no_purchase
    FROM stress
  UNION ALL SELECT line, model, param_set,
    clv_model('mbg_nbd', jsonb_build_object('r', r, 'alpha', alpha, 'a', a, 'b', b)), x, t_x, "T",
    make_interval(secs => 86400 * t), p_alive, expected_purchases, p_no_purchase FROM stress_mbg
  UNION ALL SELECT line, model, param_set,
    clv_model('pareto_nbd', jsonb_build_object('r', r, 'alpha', alpha, 's', s, 'beta', beta)), x, t_x, "T",
    make_interval(secs => 86400 * t), p_alive, expected_purchases, p_no_purchase FROM stress_pareto;
SELECT pg_temp.agree('stress: p_alive',
  'SELECT concat_ws('' '', model, line, param_set), p_alive(m, x, t_x, age), p_alive FROM hard', 400, 1e-8, 1e-300);
SELECT pg_temp.agree('stress: expected_purchases',
  'SELECT concat_ws('' '', model, line, param_set), expected_purchases(m, x, t_x, age, ahead), expected_purchases
    FROM hard WHERE ahead >= ''1 day''', 325, 1e-8, 1e-300);
SELECT pg_temp.agree('stress: p_no_purchase',
  'SELECT concat_ws('' '', model, line, param_set), p_no_purchase(m, x, t_x, age, ahead), p_no_purchase
    FROM hard WHERE ahead >= ''1 day''', 325, 1e-8, 1e-300);
-- there is no mean where p x + q <= 1, and the formula is negative
SELECT pg_temp.agree('stress: expected_spend',
  $$SELECT line, expected_spend(clv_model('nbd', jsonb_build_object('r', 1, 'alpha', 1, 'p', p, 'q', q, 'v', v)), x, x,
    x, zbar), CASE WHEN p * x + q > 1 THEN expected_spend END FROM stress_gg$$, 60, 1e-8, 1e-300);
SELECT pg_temp.agree('stress: donors', $$SELECT concat_ws(' ', what, line), have, want
  FROM (SELECT *, clv_model('bg_bb',
      jsonb_build_object('alpha', alpha, 'beta', beta, 'gamma', gamma, 'delta', delta, 'p', 1, 'q', 2, 'v', 1), 'year')
    AS model FROM stress_bgbb OFFSET 0) s,
  LATERAL (VALUES ('p_alive_n', p_alive(model, x, t_x, n), p_alive_n),
    ('p_alive_n1', p_alive(model, x, t_x, n, '1 year'), p_alive_n1),
    ('cet_m', expected_purchases(model, x, t_x, n, make_interval(years => m::integer)), cet_m),
                  ('dert_d10', residual_lifetime_value(model, x, t_x, n, 1, 0.10), dert_d10)) v (what, have, want)$$,
                    240, 1e-8, 1e-300);
SELECT pg_temp.agree('stress: contracts', $$SELECT concat_ws(' ', what, line), have, want
  FROM (SELECT *, CASE c WHEN 1 THEN clv_model('sbg', jsonb_build_object('alpha', alpha, 'beta', beta))
    ELSE clv_model('bdw', jsonb_build_object('alpha', alpha, 'beta', beta, 'c', c)) END AS m
    FROM stress_contract OFFSET 0) s,
  LATERAL (VALUES ('S', contract_survival(m, t::integer), "S"), ('r_t', contract_retention(m, t::integer), r_t))
    v (what, have, want)$$, 160, 1e-8, 1e-300);
SELECT * FROM finish();
ROLLBACK;
