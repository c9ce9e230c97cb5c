-- churn_model by logistic regression against reference numbers: every logistic_* and hazard_logit_* file of
-- test/reference/churn (test/reference/README.md says what each column is).  Telco and MLC churn with and without a
-- penalty, edge cases with frequency weights, and person-periods as a discrete-time hazard.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT plan(46);
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned
-- separation and its like are asked for here, and tested by their status
SET client_min_messages = error;

-- The files -----------------------------------------------------------------------------------------------------------

\set text `cat test/data/telco_customer_churn.csv`
SELECT is(pg_temp.load('telco', :'text'), 7043::bigint, 'Telco is complete');
\set text `cat test/data/mlc_churn.csv`
SELECT is(pg_temp.load('mlc', :'text'), 5000::bigint, 'MLC is complete');
\set text `cat test/reference/churn/logistic_coef.csv`
SELECT is(pg_temp.load('coef', :'text'), 134::bigint, 'the coefficients are complete');
\set text `cat test/reference/churn/logistic_fit.csv`
SELECT is(pg_temp.load('fit', :'text'), 10::bigint, 'the fits are complete');
\set text `cat test/reference/churn/logistic_pred.csv`
SELECT is(pg_temp.load('pred', :'text'), 1591::bigint, 'the predictions are complete');
\set text `cat test/reference/churn/logistic_contrib.csv`
SELECT is(pg_temp.load('contrib', :'text'), 480::bigint, 'the contributions are complete');
\set text `cat test/reference/churn/logistic_edge_expected.csv`
SELECT is(pg_temp.load('edge_expected', :'text'), 58::bigint, 'what is expected of the edge cases is complete');
\set text `cat test/reference/churn/hazard_logit_coef.csv`
SELECT is(pg_temp.load('hazard_coef', :'text'), 7::bigint, 'the hazard is complete');
\set text `cat test/reference/churn/hazard_logit_pred.csv`
SELECT is(pg_temp.load('hazard_pred', :'text'), 20::bigint, 'its predictions are complete');
-- arrays with commas, in quotes
\set text `cat test/reference/churn/logistic_edge_cases.csv`
CREATE TEMPORARY TABLE edge AS SELECT m[1] AS "case", m[2]::integer AS row, m[3] = '1' AS churned,
  m[4]::float8 AS weight, m[5]::float8[] AS features
  FROM string_to_table(:'text', E'\n') WITH ORDINALITY l (line, n),
    LATERAL regexp_match(line, '^([^,]*),([^,]*),([^,]*),([^,]*),"?(\{.*\})"?\s*$') m WHERE n > 1 AND line <> '';
\unset text
SELECT is(count(*), 69::bigint, 'the edge cases are complete') FROM edge;

-- Telco and MLC -------------------------------------------------------------------------------------------------------

CREATE TEMPORARY TABLE telco_small AS
  SELECT line, customer_id AS id, churn = 'Yes' AS churned, true AS train, tenure, monthly_charges,
    senior_citizen = 1 AS senior_citizen, contract = 'One year' AS contract_one_year,
    contract = 'Two year' AS contract_two_year,
    internet_service = 'Fiber optic' AS internet_fiber, internet_service = 'No' AS internet_none FROM telco;
CREATE TEMPORARY TABLE telco_full AS
  SELECT line, customer_id AS id, churn = 'Yes' AS churned, true AS train, gender = 'Male' AS gender_male,
    senior_citizen, partner = 'Yes' AS partner, dependents = 'Yes' AS dependents, tenure,
    phone_service = 'Yes' AS phone_service,
    multiple_lines = 'Yes' AS multiple_lines, internet_service = 'Fiber optic' AS internet_fiber,
      internet_service = 'No' AS internet_none, online_security = 'Yes' AS online_security,
      online_backup = 'Yes' AS online_backup,
    device_protection = 'Yes' AS device_protection, tech_support = 'Yes' AS tech_support,
      streaming_tv = 'Yes' AS streaming_tv, streaming_movies = 'Yes' AS streaming_movies,
      contract = 'One year' AS contract_one_year,
    contract = 'Two year' AS contract_two_year, paperless_billing = 'Yes' AS paperless_billing,
      payment_method = 'Electronic check' AS pay_electronic_check, payment_method = 'Mailed check' AS pay_mailed_check,
    payment_method LIKE 'Credit card%' AS pay_credit_card, monthly_charges, coalesce(total_charges, 0) AS total_charges
      FROM telco;
CREATE TEMPORARY TABLE mlc_train3333 AS
  SELECT line, id::text, churn = 'yes' AS churned, id <= 3333 AS train, account_length,
    international_plan = 'yes' AS international_plan, voice_mail_plan = 'yes' AS voice_mail_plan, number_vmail_messages,
    total_day_minutes, total_eve_minutes,
    total_night_minutes, total_intl_minutes, total_intl_calls, number_customer_service_calls FROM mlc;

CREATE FUNCTION pg_temp.options(lam float8) RETURNS jsonb
  LANGUAGE sql RETURN jsonb_build_object('lambda', lam, 'exclude', ARRAY['line', 'id', 'churned', 'train']);
CREATE TEMPORARY TABLE fitted AS
  SELECT 'telco_small' AS model, lam, churn_model(churned, t, pg_temp.options(lam)) AS m FROM telco_small t, fit
    WHERE model = 'telco_small' GROUP BY lam
  UNION ALL SELECT 'telco_full', lam, churn_model(churned, t, pg_temp.options(lam)) FROM telco_full t, fit
    WHERE model = 'telco_full' GROUP BY lam
  UNION ALL SELECT 'mlc_train3333', lam, churn_model(CASE WHEN train THEN churned END, t, pg_temp.options(lam))
    FROM mlc_train3333 t, fit WHERE model = 'mlc_train3333' GROUP BY lam;
SELECT is((count(*), bool_and(converged), bool_and(reason IS NULL), max(unlabelled), max(skipped))::text,
  '(10,t,t,1667,0)', 'ten fits, all converged') FROM fitted, churn_summary(m);

CREATE TEMPORARY TABLE estimate AS
  SELECT concat_ws(' ', c.model, lam, c.term) AS what, v.*, c.mean AS want_mean, c.sd_pop, c.coef_std, c.coef, c.se,
    c.se_sandwich, c.z AS want_z, c.p, c.odds_ratio AS want_odds
  FROM coef c JOIN fitted USING (model, lam), churn_coefficients(m) v WHERE v.term = CASE c.term WHEN 'intercept'
    THEN '(intercept)' ELSE c.term END;
SELECT pg_temp.agree('means', 'SELECT what, mean, want_mean FROM estimate', 134, 1e-9, 0);
SELECT pg_temp.agree('standard deviations', 'SELECT what, sd, sd_pop FROM estimate', 134, 1e-9, 0);
SELECT pg_temp.agree('standardised coefficients', 'SELECT what, coefficient_std, coef_std FROM estimate', 134, 1e-9, 0);
SELECT pg_temp.agree('estimates', 'SELECT what, estimate, coef FROM estimate', 134, 1e-9, 0);
SELECT pg_temp.agree('standard errors', 'SELECT what, standard_error, se FROM estimate', 134, 1e-9, 0);
SELECT pg_temp.agree('sandwich errors', 'SELECT what, sandwich_error, se_sandwich FROM estimate', 134, 1e-9, 0);
SELECT pg_temp.agree('z', 'SELECT what, z, want_z FROM estimate', 134, 1e-9, 0);
-- the logarithm of p is as exact as z
SELECT pg_temp.agree('ln p', 'SELECT what, ln(p_value), ln(p) FROM estimate', 134, 1e-9, 1e-12);
SELECT pg_temp.agree('p', 'SELECT what, p_value, p FROM estimate WHERE abs(z) < 2',
  (SELECT count(*) FROM estimate WHERE abs(z) < 2), 1e-9, 0);
SELECT pg_temp.agree('odds ratios', 'SELECT what, odds_ratio, want_odds FROM estimate', 134, 1e-9, 0);

CREATE TEMPORARY TABLE summary AS SELECT concat_ws(' ', model, lam) AS what, f.model, f.lam, f.n AS want_n, f.n_pos,
  f.k, f.loglik_null, f.loglik, f.penalised_loglik, f.deviance AS want_deviance, f.aic AS want_aic, f.bic AS want_bic,
  f.mcfadden_r2 AS want_r2, f.edf AS want_edf, s.* FROM fit f JOIN fitted USING (model, lam), churn_summary(m) s;
SELECT pg_temp.agree('counts and parameters',
  'SELECT what, v.have, v.want FROM summary,
    LATERAL (VALUES (n, want_n), (positives, n_pos), (parameters, k), (weight, want_n)) v (have, want)', 40, 0, 1e-300);
SELECT pg_temp.agree('log-likelihoods',
  'SELECT what, v.have, v.want FROM summary,
    LATERAL (VALUES (log_likelihood_null, loglik_null), (log_likelihood, loglik),
    (penalised_log_likelihood, penalised_loglik), (deviance, want_deviance)) v (have, want)', 40, 1e-12, 0);
SELECT pg_temp.agree('criteria',
  'SELECT what, v.have, v.want FROM summary,
    LATERAL (VALUES (aic, want_aic), (bic, want_bic), (mcfadden_r2, want_r2), (edf, want_edf)) v (have, want)', 40,
  1e-9, 0);
SELECT cmp_ok(max(max_gradient), '<', 1e-7::float8, 'gradients vanish') FROM summary;
SELECT is(count(*) FILTER (WHERE iterations NOT BETWEEN 1 AND 20), 0::bigint, 'in a few steps') FROM summary;

-- Scores of every row, and of every twentieth what they should be
CREATE TEMPORARY TABLE scored AS
  SELECT model, lam, id, churned, churn_score(m, t) AS p FROM fitted JOIN telco_small t ON model = 'telco_small'
  UNION ALL SELECT model, lam, id, churned, churn_score(m, t) FROM fitted JOIN telco_full t ON model = 'telco_full'
  UNION ALL SELECT model, lam, id, churned, churn_score(m, t) FROM fitted
    JOIN mlc_train3333 t ON model = 'mlc_train3333' WHERE NOT train;
SELECT pg_temp.agree('probabilities', 'SELECT concat_ws('' '', model, lam, id), s.p, p.prob FROM pred p
    JOIN (SELECT model, lam, id AS pred_id, p FROM scored) s USING (model, lam) WHERE p.id::text = s.pred_id', 1591,
  1e-9, 0);
SELECT pg_temp.agree('linear predictors',
  'SELECT concat_ws('' '', model, lam, id), ln(s.p / (1 - s.p)), p.linear_predictor FROM pred p
    JOIN (SELECT model, lam, id AS pred_id, p FROM scored) s USING (model, lam) WHERE p.id::text = s.pred_id', 1591,
  1e-9, 1e-11);
-- how good they are: see test/metrics_reference.sql for the metrics themselves
CREATE TEMPORARY TABLE quality AS SELECT concat_ws(' ', model, lam) AS what, * FROM fit JOIN (
  SELECT model, lam, auc(p, churned) AS q_auc, auc_se(p, churned) AS q_se, brier_score(p, churned) AS q_brier,
    log_loss(p, churned) AS q_loss, ks_statistic(p, churned) AS q_ks, average_precision(p, churned) AS q_precision
    FROM scored GROUP BY model, lam) q USING (model, lam);
SELECT pg_temp.agree('metrics',
  'SELECT what, v.have, v.want FROM quality,
    LATERAL (VALUES (q_auc, auc), (q_se, auc_se_delong), (q_brier, brier), (q_loss, log_loss), (q_ks, ks),
    (q_precision, avg_precision)) v (have, want)', 60, 1e-9, 0);
-- calibration is a logistic regression of the outcome on the log-odds of the score
CREATE TEMPORARY TABLE calibrated AS
  SELECT model, lam, churn_model(churned, ARRAY[ln(p / (1 - p))], '{"lambda": 0}') AS m FROM scored GROUP BY model, lam;
SELECT pg_temp.agree('calibration',
  'SELECT concat_ws('' '', model, lam, c.term), c.estimate, CASE c.term WHEN ''x1'' THEN cal_slope
    ELSE cal_intercept END FROM fit JOIN calibrated USING (model, lam), churn_coefficients(m) c', 20, 1e-9, 1e-11);

-- Reasons
CREATE TEMPORARY TABLE explained AS
  SELECT model, lam, id, churn_score(m, t) AS p, r.* FROM fitted JOIN telco_small t ON model = 'telco_small',
    churn_reasons(m, t, NULL) r WHERE lam = 0 AND line <= 12
  UNION ALL SELECT model, lam, id, churn_score(m, t), r.* FROM fitted JOIN telco_full t ON model = 'telco_full',
    churn_reasons(m, t, NULL) r WHERE lam = 0 AND line <= 12
  UNION ALL SELECT model, lam, id, churn_score(m, t), r.* FROM fitted JOIN mlc_train3333 t ON model = 'mlc_train3333',
    churn_reasons(m, t, NULL) r WHERE lam = 0 AND line BETWEEN 3334 AND 3345;
SELECT pg_temp.agree('contributions', 'SELECT concat_ws('' '', c.model, c.id, term), e.contribution, c.contribution
    FROM contrib c JOIN explained e ON (e.model, e.id, e.feature) = (c.model, c.id::text, c.term)', 480, 1e-9, 1e-12);
SELECT pg_temp.agree('their ranks', 'SELECT concat_ws('' '', c.model, c.id, term), rank, rank_abs FROM contrib c
    JOIN explained e ON (e.model, e.id, e.feature) = (c.model, c.id::text, c.term)', 480, 0, 1e-300);
SELECT pg_temp.agree('they add up', 'SELECT concat_ws('' '', model, id), sum(contribution), ln(p / (1 - p))
    FROM explained GROUP BY model, id, p', 36, 0, 1e-12);

-- Edge cases ----------------------------------------------------------------------------------------------------------

CREATE TEMPORARY TABLE edge_fitted AS
  SELECT "case", lam, churn_model(churned, features, weight, jsonb_build_object('lambda', lam)) AS m
  FROM edge, unnest('{0,1,10}'::float8[]) lam GROUP BY "case", lam;
SELECT is((count(*), count(*) FILTER (WHERE status = CASE want WHEN 'ok' THEN 'converged' WHEN 'no_finite_mle'
    THEN 'separation' WHEN 'rank_deficient' THEN 'dependent_columns' WHEN 'error_one_class' THEN 'one_class' END
    AND converged = (want = 'ok') AND (reason IS NULL) = converged))::text,
          '(27,27)', 'how each fit ended')
            FROM edge_fitted, churn_summary(m), LATERAL (SELECT min(e.status) AS want FROM edge_expected e
            WHERE (e."case", e.lam) = (edge_fitted."case", edge_fitted.lam)) w;
CREATE TEMPORARY TABLE edge_estimate AS
  SELECT concat_ws(' ', e."case", e.lam, e.coef_index) AS what, e.coef_index, v.estimate, v.coefficient_std, e.coef,
    e.coef_std FROM edge_expected e JOIN edge_fitted f ON (f."case", f.lam) = (e."case", e.lam), churn_coefficients(m) v
  WHERE e.status = 'ok' AND v.term = CASE e.coef_index WHEN 0 THEN '(intercept)' ELSE 'x' || e.coef_index::integer END;
SELECT pg_temp.agree('coefficients of edge cases', 'SELECT what, estimate, coef FROM edge_estimate', 52, 1e-9, 0);
SELECT pg_temp.agree('standardised coefficients of edge cases',
  'SELECT what, coefficient_std, coef_std FROM edge_estimate', 52, 1e-9, 1e-12);
SELECT pg_temp.agree('log-likelihoods of edge cases', 'SELECT concat_ws('' '', f."case", f.lam), v.have, v.want
    FROM edge_fitted f JOIN (SELECT DISTINCT "case", lam, loglik, penalised_loglik FROM edge_expected
    WHERE status = ''ok'') e ON (f."case", f.lam) = (e."case", e.lam),
  churn_summary(m), LATERAL (VALUES (log_likelihood, loglik), (penalised_log_likelihood, penalised_loglik))
    v (have, want)', 42, 1e-9, 0);
SELECT is(count(*) FILTER (WHERE estimate IS NOT NULL OR standard_error IS NOT NULL), 0::bigint,
  'no coefficients where there is no maximum') FROM edge_fitted, churn_coefficients(m)
  WHERE "case" LIKE '%separation' AND lam = 0;
SELECT is(count(*), 0::bigint, 'none of one class') FROM edge_fitted, churn_coefficients(m) WHERE "case" = 'one_class';
-- a frequency weight is as many rows
SELECT is(count(*) FILTER (WHERE NOT pg_temp.off(a.estimate, b.estimate, 1e-12, 1e-12) <= 1
    OR NOT pg_temp.off(a.standard_error, b.standard_error, 1e-12, 0) <= 1), 0::bigint, 'weights are frequencies')
FROM edge_fitted f, churn_coefficients(f.m) a,
  LATERAL (SELECT churn_model(churned, features, jsonb_build_object('lambda', f.lam)) AS m
  FROM edge, generate_series(1, weight::integer) WHERE "case" = 'weights') g, churn_coefficients(g.m) b
  WHERE "case" = 'weights' AND a.term = b.term;

-- A hazard, month by month --------------------------------------------------------------------------------------------

CREATE TEMPORARY TABLE person AS SELECT line, customer_id AS id, tenure, churn = 'Yes' AS churned,
  contract = 'One year' AS one_year, contract = 'Two year' AS two_year, internet_service = 'Fiber optic' AS fiber,
  internet_service = 'No' AS no_internet FROM telco;
CREATE TYPE pg_temp.hazard_features AS (log_month float8, month integer, one_year boolean, two_year boolean,
  fiber boolean, no_internet boolean);
CREATE TEMPORARY TABLE hazard AS
  SELECT churn_model(churned AND month = tenure,
    ROW(ln(month::float8), month, one_year, two_year, fiber, no_internet)::pg_temp.hazard_features, '{"lambda": 0}') AS
    m FROM person, generate_series(1, tenure::integer) month;
SELECT is((n, positives, converged)::text, '(227990,1869,t)', 'person-periods') FROM hazard, churn_summary(m);
SELECT pg_temp.agree('its log-likelihood',
  'SELECT 1, log_likelihood, loglik FROM hazard, churn_summary(m), (SELECT DISTINCT loglik FROM hazard_coef) c', 1,
  1e-12, 0);
CREATE TEMPORARY TABLE hazard_estimate AS SELECT h.term AS what, v.*, h.coef, h.se, h.z AS want_z, h.p
  FROM hazard, churn_coefficients(m) v JOIN hazard_coef h ON v.term = CASE h.term WHEN 'intercept' THEN '(intercept)'
  ELSE h.term END;
SELECT pg_temp.agree('its coefficients', 'SELECT what, estimate, coef FROM hazard_estimate', 7, 1e-9, 0);
SELECT pg_temp.agree('their standard errors and z',
  'SELECT what, v.have, v.want FROM hazard_estimate, LATERAL (VALUES (standard_error, se), (z, want_z)) v (have, want)',
  14, 1e-9, 0);
SELECT pg_temp.agree('their ln p', 'SELECT what, ln(p_value), ln(nullif(p, 0)) FROM hazard_estimate WHERE p > 0',
  (SELECT count(*) FROM hazard_coef WHERE p > 0), 1e-9, 0);
CREATE TEMPORARY TABLE ahead AS
  SELECT id, month - tenure AS step,
    churn_score(m, ROW(ln(month::float8), month, one_year, two_year, fiber, no_internet)::pg_temp.hazard_features) AS p
    FROM hazard, person, generate_series(tenure::integer + 1, tenure::integer + 12) month WHERE line <= 200;
SELECT pg_temp.agree('churn in the months ahead',
  $$SELECT id || ' ' || h, (SELECT -expm1
    FROM (SELECT exp(sum(ln(1 - a.p))) - 1 AS expm1 FROM ahead a WHERE a.id = w.id AND step <= h) s), CASE h WHEN 1
    THEN p_churn_next_1 WHEN 3 THEN p_churn_next_3 ELSE p_churn_next_12 END
  FROM hazard_pred w, unnest('{1,3,12}'::integer[]) h$$, 60, 1e-9, 0);

SELECT * FROM finish();
ROLLBACK;
