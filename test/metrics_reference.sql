-- Metrics of scores against reference numbers: own computations from the definitions, cross-checked with scikit-learn
-- and pROC, in test/reference/metrics (test/reference/README.md says what each column is).  Each number is asked of the
-- rows, of their score_table, and of a roll-up of tables of parts.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT plan(46);
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned

-- The files -----------------------------------------------------------------------------------------------------------

\set text `cat test/reference/metrics/metric_cases.csv`
SELECT is(pg_temp.load('metric_cases', :'text'), 3569::bigint, 'cases');
\set text `cat test/reference/metrics/metric_expected.csv`
SELECT is(pg_temp.load('metric_expected', :'text'), 16::bigint, 'what is expected of them');
\set text `cat test/reference/metrics/lift_expected.csv`
SELECT is(pg_temp.load('lift_expected', :'text'), 108::bigint, 'and of their lift');
\set text `cat test/data/mlc_churn.csv`
SELECT is(pg_temp.load('mlc', :'text'), 5000::bigint, 'customers to score');
\set text `cat test/reference/churn/logistic_coef.csv`
SELECT is(pg_temp.load('logistic_coef', :'text'), 134::bigint, 'coefficients of models');
\set text `cat test/data/telco_customer_churn.csv`
SELECT is(pg_temp.load('telco', :'text'), 7043::bigint, 'and customers to score');
\set text `cat test/reference/metrics/model_metrics.csv`
SELECT is(pg_temp.load('model_metrics', :'text'), 10::bigint, 'what is expected of these');
\set text `cat test/reference/metrics/model_lift.csv`
SELECT is(pg_temp.load('model_lift', :'text'), 100::bigint, 'and of their lift');
\set text `cat test/reference/metrics/auc_pair_cases.csv`
SELECT is(pg_temp.load('auc_pair_cases', :'text'), 300::bigint, 'pairs of scores');
\set text `cat test/reference/metrics/auc_pair_expected.csv`
SELECT is(pg_temp.load('auc_pair_expected', :'text'), 1::bigint, 'and their test');
\unset text

CREATE TABLE pair AS
  SELECT "case", score, label = 1 AS label FROM metric_cases;
-- what the models score, from their coefficients and the customers: of Telco all, of MLC those who were not learnt from
CREATE TABLE customer AS
  SELECT true AS of_telco, customer_id AS id, churn = 'Yes' AS churned, to_jsonb(telco) || jsonb_build_object(
      'gender_male', gender = 'Male', 'internet_fiber', internet_service = 'Fiber optic',
      'internet_none', internet_service = 'No', 'contract_one_year', contract = 'One year',
      'contract_two_year', contract = 'Two year', 'pay_electronic_check', payment_method = 'Electronic check',
      'pay_mailed_check', payment_method = 'Mailed check', 'pay_credit_card', payment_method ~ '^Credit card',
      'total_charges', coalesce(total_charges, 0)) AS f
  FROM telco
  UNION ALL SELECT false, id::text, churn = 'yes', to_jsonb(mlc) FROM mlc WHERE id > 3333;
CREATE TABLE feature AS
  SELECT of_telco, id, churned, term, CASE WHEN value IN ('Yes', 'yes', 'true') THEN 1
                                           WHEN value ~ '^[0-9.]+$' THEN value::float8 ELSE 0 END AS x
  FROM customer, jsonb_each_text(f || '{"intercept": "Yes"}') t (term, value)
  WHERE term IN (SELECT term FROM logistic_coef);
INSERT INTO pair
  SELECT format('%s_lam%s', model, lam), 1 / (1 + exp(-sum(coef * x ORDER BY term))), churned
  FROM feature JOIN logistic_coef USING (term) WHERE of_telco = (model ~ 'telco')
  GROUP BY model, lam, id, churned;
CREATE TABLE expected AS SELECT to_jsonb(e) AS j, "case", e.log_loss::text AS log_loss FROM metric_expected e UNION ALL
  SELECT to_jsonb(e), "case", e.log_loss::text FROM model_metrics e;
CREATE TABLE lifts AS SELECT * FROM lift_expected UNION ALL SELECT * FROM model_lift;
SELECT results_eq('SELECT DISTINCT "case" FROM pair ORDER BY 1', 'SELECT "case" FROM expected ORDER BY 1',
  'sixteen cases and ten models');

CREATE TABLE tables AS
  SELECT "case", 'rows' AS made, score_table(score, label) AS t FROM pair GROUP BY "case"
  UNION ALL SELECT "case", 'parts', rollup(t)
    FROM (SELECT "case", score_table(score, label) AS t FROM (SELECT *, row_number() OVER () % 7 AS part FROM pair) p
    GROUP BY "case", part) q GROUP BY "case";
SELECT is((SELECT count(DISTINCT ("case", t::text)) FROM tables), 26::bigint, 'tables rolled up are those of all rows');

CREATE TABLE found AS
  SELECT "case", 'rows' AS made, v.*
    FROM (SELECT "case", auc(score, label), auc_se(score, label), ks_statistic(score, label),
    average_precision(score, label), brier_score(score, label), log_loss(score, label),
    log_loss(score, label, 1e-15) AS clipped
      FROM pair GROUP BY "case") q,
    LATERAL (VALUES ('auc', auc), ('auc_se_delong', auc_se), ('gini', 2 * auc - 1), ('ks_two_sided', ks_statistic),
      ('avg_precision', average_precision), ('brier', brier_score), ('log_loss', log_loss),
      ('log_loss_clip_1e15', clipped)) v (what, have)
  UNION ALL
  SELECT "case", made, v.* FROM tables,
    LATERAL (VALUES ('auc', auc(t)), ('auc_se_delong', auc_se(t)), ('ks_two_sided', ks_statistic(t)),
      ('avg_precision', average_precision(t)), ('brier', brier_score(t)), ('log_loss', log_loss(t)),
      ('log_loss_clip_1e15', log_loss(t, 1e-15))) v (what, have)
  UNION ALL
  SELECT "case", made, v.* FROM tables, auc_interval(t) i,
    LATERAL (VALUES ('n', positives + negatives::float8), ('n_pos', positives),
      ('base_rate', positives / (positives + negatives)::float8), ('auc', auc), ('auc_se_delong', standard_error),
      ('gini', 2 * auc - 1)) v (what, have)
  UNION ALL
  SELECT "case", made, v.* FROM tables, brier_decomposition(t),
    LATERAL (VALUES ('brier', brier), ('brier_skill', skill), ('reliability', reliability), ('resolution', resolution),
    ('uncertainty', uncertainty)) v (what, have)
  UNION ALL
  SELECT "case", made, v.* FROM tables, calibration_fit(t),
    LATERAL (VALUES ('ece_10_equal_width', expected_calibration_error), ('cal_intercept', intercept),
    ('cal_slope', slope)) v (what, have)
  UNION ALL
  SELECT "case", made, 'ece_10_equal_width', sum(n * abs(mean_score - rate)) / sum(n) FROM tables
    LEFT JOIN calibration_rows(t) ON true GROUP BY "case", made
  UNION ALL
  SELECT "case", made, v.* FROM tables,
    LATERAL (SELECT CASE WHEN youden IS NOT NULL THEN threshold END AS threshold, youden FROM roc_rows(t)
      WHERE threshold < 'Infinity' ORDER BY youden DESC, threshold DESC LIMIT 1) r,
      LATERAL (VALUES ('youden_max', youden), ('youden_threshold', threshold)) v (what, have)
  UNION ALL
  SELECT "case", made, v.* FROM tables, confusion_rows(t, '{0.5}') c,
    LATERAL (VALUES ('tp', tp::float8), ('fp', fp), ('fn', fn), ('tn', tn), ('accuracy', accuracy),
      ('precision', precision), ('recall', recall), ('specificity', specificity), ('f1', f1), ('mcc', mcc))
      v (what, have) WHERE "case" <> 'not_probability';
CREATE TABLE named AS SELECT "case", key AS what, CASE key WHEN 'log_loss' THEN nullif(e.log_loss, '')
  ELSE nullif(value, '') END::float8 AS want FROM expected e, jsonb_each_text(j) WHERE key NOT IN ('case', 'line');
SELECT is((SELECT string_agg(DISTINCT what, ' ') FROM named WHERE what NOT IN (SELECT what FROM found)), NULL,
  'every column is looked at');
SELECT pg_temp.agree(what, format('SELECT concat_ws('' '', "case", made), have, want FROM found
    JOIN named USING ("case", what) WHERE what = %L', what), (SELECT count(*) FROM found WHERE found.what = n.what),
  1e-9, 1e-12) FROM (SELECT DISTINCT what FROM named) n ORDER BY what;

-- Lift ----------------------------------------------------------------------------------------------------------------

SELECT pg_temp.agree('lift', $$SELECT concat_ws(' ', "case", made, bins, bin, v.what), have, want
  FROM (SELECT t."case", made, bins, r.* FROM (SELECT DISTINCT "case", bins FROM lifts) b
    JOIN tables t USING ("case"), lift_rows(t.t, b.bins::integer) r) r JOIN lifts l USING ("case", bins, bin),
    LATERAL (VALUES ('n', r.n::float8, l.n), ('n_pos', r.n_pos, l.n_pos), ('score_max', r.score_max, l.score_max),
      ('score_min', r.score_min, l.score_min), ('mean_score', r.mean_score, l.mean_score), ('rate', r.rate, l.rate),
                    ('lift', r.lift, l.lift), ('cum_n', r.cum_n, l.cum_n), ('cum_pos', r.cum_pos, l.cum_pos),
                      ('gain', r.gain, l.gain), ('cum_lift', r.cum_lift, l.cum_lift), ('ks', r.ks, l.ks))
                      v (what, have, want)$$, (SELECT 24 * count(*) FROM lifts), 1e-9, 1e-12);
SELECT is((SELECT count(*) FROM (SELECT DISTINCT "case", bins FROM lifts) b
    JOIN tables USING ("case"), lift_rows(t, bins::integer)), (SELECT 2 * count(*) FROM lifts), 'no bins besides');

-- Two scores ----------------------------------------------------------------------------------------------------------

SELECT pg_temp.agree('two scores',
  $$SELECT what, have, want FROM (SELECT (auc_test(score_a, score_b, label = 1)).* FROM auc_pair_cases) r,
    auc_pair_expected e,
  LATERAL (VALUES ('auc_a', r.auc_a, e.auc_a), ('auc_b', r.auc_b, e.auc_b), ('difference', r.difference, e.diff),
    ('se', r.standard_error, e.se_diff), ('z', r.z, e.z), ('p', r.p_value, e.p)) v (what, have, want)$$, 6, 1e-9, 0);
SELECT * FROM finish();
ROLLBACK;
