-- Is the score any good: metrics, their rows, and what they say when they cannot.  References, properties and plans are
-- in test/.
SET extra_float_digits = 0;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS retention;
RESET client_min_messages;
\pset null '~'

CREATE FUNCTION r(value float8, digits integer DEFAULT 6) RETURNS numeric
	LANGUAGE sql RETURN round(value::numeric, digits);

CREATE TABLE customer (shop text, score float8, other float8, churned boolean);
INSERT INTO customer VALUES
	('a', 0.95, 0.9, true), ('a', 0.9, 0.4, true), ('a', 0.8, 0.7, false), ('a', 0.7, 0.8, true), ('a', 0.55, 0.2, true),
   ('a', 0.45, 0.6, false), ('a', 0.4, 0.3, true), ('a', 0.3, 0.3, false), ('a', 0.2, 0.1, false),
   ('a', 0.1, 0.2, false),
	('a', NULL, 0.5, true), ('a', 0.5, 0.5, NULL),
	('ties', 0.5, 0.5, true), ('ties', 0.5, 0.5, true), ('ties', 0.5, 0.1, false), ('ties', 0.2, 0.1, false),
	('perfect', 0.8, 0.8, true), ('perfect', 0.7, 0.9, true), ('perfect', 0.2, 0.1, false), ('perfect', 0.1, 0.1, false),
	('certain', 1, 0.9, true), ('certain', 1, 0.1, false), ('certain', 0, 0.3, false), ('certain', 0.4, 0.5, true),
	('points', 720, 1, true), ('points', 610, 2, false), ('points', 'Infinity', 3, true),
   ('points', '-Infinity', 4, false), ('points', -50, 5, true),
	('all churned', 0.9, 0.5, true), ('all churned', 0.4, 0.5, true),
	('none churned', 0.9, 0.5, false), ('none churned', 0.4, 0.5, false),
	('nothing known', NULL, NULL, true), ('nothing known', 0.4, 0.4, NULL);

SELECT shop, r(auc(score, churned)) AS auc, r(auc_se(score, churned)) AS se, r(ks_statistic(score, churned)) AS ks,
  r(average_precision(score, churned)) AS ap, r(brier_score(score, churned)) AS brier,
  r(log_loss(score, churned)) AS log_loss, r(log_loss(score, churned, 1e-15)) AS clipped
FROM customer GROUP BY shop ORDER BY shop;
SELECT shop, threshold_for(score, churned, 1, 1) AS even, threshold_for(score, churned, 1, 10) AS dear_customers,
  threshold_for(score, churned, 10, 1) AS dear_offers, threshold_for(score, churned, 0, 0) AS free,
	threshold_for(score, churned, 0) AS nobody, threshold_for(score, churned, 2) AS two,
   threshold_for(score, churned, 3) AS three, threshold_for(score, churned, 100) AS everybody
FROM customer GROUP BY shop ORDER BY shop;
SELECT shop, r(auc_a) AS auc_a, r(auc_b) AS auc_b, r(difference) AS difference, r(standard_error) AS se, r(z) AS z,
  r(p_value) AS p
FROM (SELECT shop, (auc_test(score, other, churned)).* FROM customer GROUP BY shop) t ORDER BY shop;

-- the same later, from a stored table
CREATE TABLE scored AS SELECT shop, score_table(score, churned) AS t FROM customer GROUP BY shop;
SELECT shop, t::jsonb FROM scored ORDER BY shop;
SELECT shop, r(auc(t)) AS auc, r(auc_se(t)) AS se, r(ks_statistic(t)) AS ks, r(average_precision(t)) AS ap,
  r(brier_score(t)) AS brier, r(log_loss(t)) AS log_loss, r(log_loss(t, 1e-15)) AS clipped, threshold_for(t, 1, 10),
  threshold_for(t, 2) FROM scored ORDER BY shop;
SELECT shop, r(auc) AS auc, r(standard_error) AS se, r(low) AS low, r(high) AS high, positives, negatives
  FROM scored, auc_interval(t) ORDER BY shop;
SELECT r(low) AS low, r(high) AS high FROM scored, auc_interval(t, 0.5) WHERE shop = 'a';
SELECT shop, r(brier) AS brier, r(reliability) AS reliability, r(resolution) AS resolution,
  r(uncertainty) AS uncertainty, r(skill) AS skill FROM scored, brier_decomposition(t) ORDER BY shop;
SELECT shop, bin, n, r(n_pos) AS n_pos, score_max AS max, score_min AS min, r(mean_score) AS mean, r(rate) AS rate,
  r(lift) AS lift, cum_n, r(cum_pos) AS cum_pos, r(gain) AS gain, r(cum_lift) AS cum_lift, r(ks) AS ks
  FROM scored, lift_rows(t, 4) WHERE shop <> 'points' ORDER BY shop, bin;
SELECT bin, n, n_pos, score_max AS max, score_min AS min, mean_score AS mean FROM scored, lift_rows(t, 3)
  WHERE shop = 'points' ORDER BY bin;
SELECT shop, bin, n, n_pos, score_min AS min, score_max AS max, r(mean_score) AS mean, r(rate) AS rate,
  r(rate_low) AS low, r(rate_high) AS high FROM scored, calibration_rows(t, 4) ORDER BY shop, bin;
SELECT shop, bin, n, n_pos, score_min AS min, score_max AS max, r(mean_score) AS mean, r(rate) AS rate,
  r(rate_low) AS low, r(rate_high) AS high FROM scored, calibration_rows(t, 3, 'quantile', 0.9) ORDER BY shop, bin;
SELECT shop, r(intercept) AS intercept, r(slope) AS slope, r(expected_calibration_error) AS error,
  r(intercept_se) AS intercept_se, r(slope_se) AS slope_se FROM scored, calibration_fit(t) ORDER BY shop;
SELECT shop, threshold, tp, fp, fn, tn, r(accuracy) AS accuracy, r(c.precision) AS "precision", r(recall) AS recall,
  r(specificity) AS specificity, r(f1) AS f1, r(mcc) AS mcc FROM scored, confusion_rows(t, '{0.5,2,-1,0.5}') WITH
  ORDINALITY c ORDER BY shop, ordinality;
SELECT threshold, tp, fp, fn, tn FROM scored, confusion_rows(t) WHERE shop = 'a';
SELECT count(*), min(threshold), max(threshold), min(tp + fp)
  FROM (SELECT score_table(n, n % 3 = 0) AS t FROM generate_series(1, 1001) n) q, confusion_rows(t);
SELECT shop, threshold, tp, fp, r(true_positive_rate) AS tpr, r(false_positive_rate) AS fpr,
  r(c.precision) AS "precision", r(youden) AS youden FROM scored, roc_rows(t) WITH ORDINALITY c
  WHERE shop <> 'a' ORDER BY shop, ordinality;

-- tables add up
SELECT rollup(t) = (SELECT score_table(score, churned) FROM customer) AS all_of_them, r(auc(rollup(t))) AS auc
  FROM scored;
SELECT rollup(t) IS NULL AS nothing FROM scored WHERE false;
SELECT a.shop, b.shop, a.t = b.t AS same FROM scored a, scored b WHERE a.shop < b.shop AND a.t = b.t;
SELECT auc(NULL::score_table), log_loss(NULL::score_table), threshold_for(NULL::score_table, 3),
  (SELECT count(*) FROM auc_interval(NULL)) AS intervals, (SELECT count(*) FROM calibration_fit(NULL)) AS fits;
SELECT auc(score, churned) FROM customer WHERE false;

-- errors
SELECT auc('NaN', true);
SELECT auc_test(0.5, 'NaN', true);
SELECT log_loss(0.5, true, 0.5);
SELECT log_loss(0.5, true, 'NaN');
SELECT log_loss(0.5, true, NULL);
SELECT log_loss(t, -1) FROM scored WHERE shop = 'a';
SELECT log_loss(score, churned, score / 10) FROM customer WHERE shop = 'a' AND score IS NOT NULL;
SELECT threshold_for(0.5, true, -1, 1);
SELECT threshold_for(0.5, true, 1, 'Infinity');
SELECT threshold_for(0.5, true, 1, NULL);
SELECT threshold_for(0.5, true, -1);
SELECT threshold_for(0.5, true, NULL::bigint);
SELECT threshold_for(score, churned, (other * 10)::bigint) FROM customer WHERE shop = 'a';
SELECT threshold_for(t, -2) FROM scored WHERE shop = 'a';
SELECT threshold_for(t, 'NaN', 1) FROM scored WHERE shop = 'a';
SELECT * FROM scored, auc_interval(t, 1) WHERE shop = 'a';
SELECT * FROM scored, lift_rows(t, 0) WHERE shop = 'a';
SELECT * FROM scored, lift_rows(t, 1001) WHERE shop = 'a';
SELECT * FROM scored, calibration_rows(t, 10, 'deciles') WHERE shop = 'a';
SELECT * FROM scored, calibration_rows(t, 10, 'width', 0) WHERE shop = 'a';
SELECT * FROM scored, calibration_fit(t, -1) WHERE shop = 'a';
SELECT * FROM scored, confusion_rows(t, '{0.5,NaN}') WHERE shop = 'a';
SELECT * FROM scored, confusion_rows(t, '{NULL}') WHERE shop = 'a';
SELECT 'AQA='::score_table;

DROP TABLE customer, scored;
DROP FUNCTION r;
