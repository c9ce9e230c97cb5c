-- ---------------------------------------------------------------------------
-- score_table: scores and what came true
-- ---------------------------------------------------------------------------

VALUE_TYPE score_table: every score and its numbers
COMMENT ON TYPE score_table IS
'distinct scores, each with its numbers of rows whose label is true (positives) and false (negatives): all that a metric needs; made by score_table(), added up by rollup(), read by auc(), brier_score(), lift_rows(), calibration_rows() and others; equal data have equal bytes';
COMMENT ON FUNCTION score_table_to_jsonb(score_table) IS
'a score_table as JSON: n and positives of all, and scores, ascending, each with its n (rows) and positives (of them, label true); infinite scores are strings';

CREATE FUNCTION score_table_rollup(score_table, score_table)
	RETURNS score_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_table_rollup(score_table, score_table) IS
'part of rollup(): a score_table or a state more';

CREATE FUNCTION score_table_rollup_final(score_table)
	RETURNS score_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_table_rollup_final(score_table) IS
'part of rollup(): the score_table of a state';

CREATE AGGREGATE rollup(score_table) (
	SFUNC = score_table_rollup,
	STYPE = score_table,
	FINALFUNC = score_table_rollup_final,
	COMBINEFUNC = score_table_rollup,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(score_table) IS
'score_table of all rows of several: of months, regions or shards; equal to the score_table of all of them at once. NULL without rows. 54000 if the sum would be larger than 1 GB; 22003 beyond 2^53 rows.';

-- ---------------------------------------------------------------------------
-- is the score any good? aggregates over (score, label)
-- ---------------------------------------------------------------------------

CREATE FUNCTION score_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_serialize(internal) IS 'part of aggregates over (score, label): a state for another process';

CREATE FUNCTION score_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_deserialize(bytea, internal) IS 'part of aggregates over (score, label): a state from another process';

CREATE FUNCTION score_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_combine(internal, internal) IS 'part of aggregates over (score, label): two states as one';

CREATE FUNCTION score_trans(internal, double precision, boolean) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_trans(internal, double precision, boolean) IS 'part of aggregates over (score, label): one row';

CREATE FUNCTION score_trans(internal, double precision, boolean, double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'score_clip_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_trans(internal, double precision, boolean, double precision) IS 'part of log_loss(): one row';

CREATE FUNCTION score_trans(internal, double precision, boolean, double precision, double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'score_costs_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_trans(internal, double precision, boolean, double precision, double precision) IS 'part of threshold_for(): one row';

CREATE FUNCTION score_trans(internal, double precision, boolean, bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'score_capacity_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_trans(internal, double precision, boolean, bigint) IS 'part of threshold_for(): one row';


CREATE FUNCTION score_table_final(internal) RETURNS score_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_table_final(internal) IS 'part of score_table(): the result of a state';

CREATE AGGREGATE score_table(score double precision, label boolean) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_table_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE score_table(double precision, boolean) IS
'distinct scores with their numbers of rows whose label is true and false, from which every metric can be had, also later and of several tables together (rollup()). -0 is 0; infinite scores are scores. A pair with a NULL is left out; NULL if there is no pair. About 10 bytes a distinct score. 22023 for a NaN score; 54000 if the table would be larger than 1 GB (some 100 million distinct scores): round the scores.';

CREATE FUNCTION score_auc_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_auc_final(internal) IS 'part of auc(): the result of a state';

CREATE AGGREGATE auc(score double precision, label boolean) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_auc_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE auc(double precision, boolean) IS
'P(score of a positive > score of a negative) + P(equal) / 2: the area under the ROC curve, counted in whole numbers (Mann and Whitney 1947). 0.5: no better than chance; 1: all positives (label true) are above all negatives. Scores of any scale, also infinite ones. NULL unless both classes are there. A pair with a NULL is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. 22023 for a NaN score.';

CREATE FUNCTION auc(scores score_table)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'score_auc_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION auc(score_table) IS
'area under the ROC curve of a score_table, as auc() of its rows. NULL unless both classes are there. The same bits as of the rows themselves; NULL for NULL.';

CREATE FUNCTION score_auc_se_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_auc_se_final(internal) IS 'part of auc_se(): the result of a state';

CREATE AGGREGATE auc_se(score double precision, label boolean) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_auc_se_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE auc_se(double precision, boolean) IS
'standard error of auc() (DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837-845), ties counted as halves. 0 if scores separate the classes, or are all equal: then it says nothing. NULL unless there are two positives and two negatives. A pair with a NULL is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. 22023 for a NaN score.';

CREATE FUNCTION auc_se(scores score_table)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'score_auc_se_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION auc_se(score_table) IS
'standard error of auc() of a score_table, as auc_se() of its rows. auc_interval() gives limits too. NULL unless there are two positives and two negatives. The same bits as of the rows themselves; NULL for NULL.';

CREATE FUNCTION score_ks_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_ks_final(internal) IS 'part of ks_statistic(): the result of a state';

CREATE AGGREGATE ks_statistic(score double precision, label boolean) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_ks_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE ks_statistic(double precision, boolean) IS
'largest distance |TPR - FPR| of all thresholds: the two-sided statistic of Kolmogorov and Smirnov for the scores of both classes, 0 to 1. roc_rows() tells at which threshold. NULL unless both classes are there. A pair with a NULL is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. 22023 for a NaN score.';

CREATE FUNCTION ks_statistic(scores score_table)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'score_ks_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION ks_statistic(score_table) IS
'largest |TPR - FPR| of a score_table, as ks_statistic() of its rows. NULL unless both classes are there. The same bits as of the rows themselves; NULL for NULL.';

CREATE FUNCTION score_average_precision_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_average_precision_final(internal) IS 'part of average_precision(): the result of a state';

CREATE AGGREGATE average_precision(score double precision, label boolean) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_average_precision_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE average_precision(double precision, boolean) IS
'area under the precision-recall curve as a sum of steps: sum of (recall_k - recall_(k-1)) * precision_k over distinct scores, descending. Chance has the base rate. NULL without positives. A pair with a NULL is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. 22023 for a NaN score.';

CREATE FUNCTION average_precision(scores score_table)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'score_average_precision_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION average_precision(score_table) IS
'average precision of a score_table, as average_precision() of its rows. NULL without positives. The same bits as of the rows themselves; NULL for NULL.';

CREATE FUNCTION score_brier_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_brier_final(internal) IS 'part of brier_score(): the result of a state';

CREATE AGGREGATE brier_score(score double precision, label boolean) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_brier_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE brier_score(double precision, boolean) IS
'mean of (score - outcome)^2, outcome 1 where label is true, else 0: 0 is perfect, lower is better; always saying the base rate b has b (1 - b) (Brier 1950). brier_decomposition() says what it comes from. NULL if a score is not from 0 to 1. A pair with a NULL is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. 22023 for a NaN score.';

CREATE FUNCTION brier_score(scores score_table)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'score_brier_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION brier_score(score_table) IS
'Brier score of a score_table, as brier_score() of its rows. NULL if a score is not from 0 to 1. The same bits as of the rows themselves; NULL for NULL.';

CREATE FUNCTION score_log_loss_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_log_loss_final(internal) IS 'part of log_loss(): the result of a state';

CREATE AGGREGATE log_loss(score double precision, label boolean) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_log_loss_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE log_loss(double precision, boolean) IS
'mean of -ln(probability that was given to what happened): -ln(score) where label is true, else -ln(1 - score); 0 is perfect, lower is better. Infinity where a score of 0 or 1 was wrong: a third argument clips. NULL if a score is not from 0 to 1. A pair with a NULL is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. 22023 for a NaN score.';

CREATE AGGREGATE log_loss(score double precision, label boolean, clip double precision) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_log_loss_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE log_loss(double precision, boolean, double precision) IS
'mean of -ln(probability that was given to what happened): -ln(score) where label is true, else -ln(1 - score); 0 is perfect, lower is better. Scores are cut to [clip, 1 - clip] first, so that a certainty that was wrong costs -ln(clip); 1e-15 is usual, 0 cuts nothing. NULL if a score is not from 0 to 1. A pair with a NULL is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. 22023 for a NaN score, unless 0 <= clip < 0.5, and if clip differs between rows; 22004 if it is NULL.';

CREATE FUNCTION log_loss(scores score_table, clip double precision DEFAULT 0)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'score_log_loss_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION log_loss(score_table, double precision) IS
'log loss of a score_table, as log_loss() of its rows; scores are cut to [clip, 1 - clip]. NULL if a score is not from 0 to 1. The same bits as of the rows themselves; NULL for NULL. 22023 unless 0 <= clip < 0.5.';

CREATE FUNCTION score_threshold_costs_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_threshold_costs_final(internal) IS 'part of threshold_for(): the result of a state';

CREATE AGGREGATE threshold_for(score double precision, label boolean, cost_false_positive double precision, cost_false_negative double precision) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_threshold_costs_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE threshold_for(double precision, boolean, double precision, double precision) IS
'the threshold at which cost_false_positive * (negatives called) + cost_false_negative * (positives not called) is least, of equals the largest: it is one of the scores. Call those with score >= threshold. Infinity: nobody (NULL, which calls nobody as well, if there are infinite scores). Costs of anything in any unit: say, of an offer that was not needed, and of a customer lost. A pair with a NULL is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. NULL without pairs. 22023 for a NaN score, for costs that are negative or not finite, and if they differ between rows; 22004 if they are NULL.';

CREATE FUNCTION threshold_for(scores score_table, cost_false_positive double precision, cost_false_negative double precision)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'score_threshold_costs_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION threshold_for(score_table, double precision, double precision) IS
'threshold of least cost of a score_table, as threshold_for() of its rows. Call those with score >= threshold. Infinity: nobody (NULL, which calls nobody as well, if there are infinite scores). The same bits as of the rows themselves; NULL for NULL. 22023 for costs that are negative or not finite.';

CREATE FUNCTION score_threshold_capacity_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_threshold_capacity_final(internal) IS 'part of threshold_for(): the result of a state';

CREATE AGGREGATE threshold_for(score double precision, label boolean, capacity bigint) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_threshold_capacity_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE threshold_for(double precision, boolean, bigint) IS
'the smallest threshold that calls at most capacity rows: how low one can go with so many calls. Equal scores are called together or not at all. Call those with score >= threshold. Infinity: nobody (NULL, which calls nobody as well, if there are infinite scores). The label is not looked at, and may be NULL: customers whose outcome is not known yet are those to be called. A NULL score is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. NULL without pairs. 22023 for a NaN score, for a negative capacity, and if it differs between rows; 22004 if it is NULL.';

CREATE FUNCTION threshold_for(scores score_table, capacity bigint)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'score_threshold_capacity_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION threshold_for(score_table, bigint) IS
'smallest threshold that calls at most capacity rows of a score_table, as threshold_for() of its rows. Call those with score >= threshold. Infinity: nobody (NULL, which calls nobody as well, if there are infinite scores). The same bits as of the rows themselves; NULL for NULL. 22023 for a negative capacity.';

-- ---------------------------------------------------------------------------
-- auc_test(): two scores of the same rows
-- ---------------------------------------------------------------------------

CREATE TYPE auc_comparison AS (
	auc_a double precision,
	auc_b double precision,
	difference double precision,
	standard_error double precision,
	z double precision,
	p_value double precision
);
COMMENT ON TYPE auc_comparison IS
'what auc_test() says of two scores: both areas under the ROC curve, auc_a - auc_b, its standard error, z and two-sided p value';

CREATE FUNCTION auc_test_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION auc_test_serialize(internal) IS 'part of auc_test(): a state for another process';

CREATE FUNCTION auc_test_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION auc_test_deserialize(bytea, internal) IS 'part of auc_test(): a state from another process';

CREATE FUNCTION auc_test_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION auc_test_combine(internal, internal) IS 'part of auc_test(): two states as one';

CREATE FUNCTION auc_test_trans(internal, double precision, double precision, boolean) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION auc_test_trans(internal, double precision, double precision, boolean) IS 'part of auc_test(): one row';

CREATE FUNCTION auc_test_final(internal) RETURNS auc_comparison
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION auc_test_final(internal) IS 'part of auc_test(): the result of a state';

CREATE AGGREGATE auc_test(score_a double precision, score_b double precision, label boolean) (
	SFUNC = auc_test_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = auc_test_final,
	COMBINEFUNC = auc_test_combine,
	SERIALFUNC = auc_test_serialize,
	DESERIALFUNC = auc_test_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE auc_test(double precision, double precision, boolean) IS
'does one of two scores of the same rows rank better than the other? Both areas under the ROC curve, auc_a - auc_b, its standard error from the paired placements (DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837-845; ties counted as halves), z = difference / standard_error, and its two-sided p value. Write (auc_test(a, b, label)).*. Rows with a NULL are left out. standard_error is NULL unless there are two positives and two negatives, z and p_value also where it is 0 (scores that rank alike). NULL unless both classes are there. 22023 for a NaN score.';

-- ---------------------------------------------------------------------------
-- what a score_table says, as rows
-- ---------------------------------------------------------------------------

CREATE FUNCTION auc_interval(scores score_table, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (auc double precision, standard_error double precision, low double precision, high double precision,
		positives bigint, negatives bigint)
	AS 'MODULE_PATHNAME', 'score_auc_interval' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION auc_interval(score_table, double precision) IS
'auc() with its standard error (DeLong, DeLong and Clarke-Pearson 1988) and normal limits at confidence (NULL = 0.95), cut to [0, 1], in one row. Limits are NULL where the standard error is 0, as of scores that separate the classes: that says nothing of how far the area may be off. NULL as auc() and auc_se() are; positives, negatives: rows of each class. No rows for NULL. 22023 unless 0 < confidence < 1.';

CREATE FUNCTION brier_decomposition(scores score_table)
	RETURNS TABLE (brier double precision, reliability double precision, resolution double precision,
		uncertainty double precision, skill double precision)
	AS 'MODULE_PATHNAME', 'score_brier_decomposition' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION brier_decomposition(score_table) IS
'what a Brier score comes from, in one row: brier = reliability - resolution + uncertainty, by distinct score (Murphy 1973). reliability: mean (score - rate of its rows)^2, what recalibration could save, lower is better; resolution: mean (rate of the rows of a score - rate of all)^2, how far it tells rows apart, higher is better; uncertainty: base rate (1 - base rate); skill: 1 - brier / uncertainty, NULL with one class. With a score of its own for every row, reliability and resolution mean little: round the scores before. NULL if a score is not from 0 to 1; no rows for NULL.';

CREATE FUNCTION lift_rows(scores score_table, bins integer DEFAULT 10)
	RETURNS TABLE (bin integer, n bigint, n_pos double precision, score_max double precision, score_min double precision,
		mean_score double precision, rate double precision, lift double precision, cum_n bigint, cum_pos double precision,
		gain double precision, cum_lift double precision, ks double precision)
	AS 'MODULE_PATHNAME', 'score_lift_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION lift_rows(score_table, integer) IS
'rows in bins of almost equal size, the highest scores first (sizes as of ntile(bins) by score descending). n_pos: positives; those of rows with equal scores are shared equally among these, so that the order of rows cannot matter and n_pos may have a fraction. rate = n_pos / n; lift = rate / rate of all; cum_n, cum_pos: of this bin and those before; gain: their share of all positives; cum_lift: their lift; ks: their share of positives less that of negatives. Scores of any scale. Without positives lift and gain are NULL, with one class ks. bins: 1 to 1000 (NULL = 10), else 22023; no more than rows. No rows for NULL.';

CREATE FUNCTION calibration_rows(scores score_table, bins integer DEFAULT 10, by text DEFAULT 'width', confidence double precision DEFAULT 0.95)
	RETURNS TABLE (bin integer, n bigint, n_pos bigint, score_min double precision, score_max double precision,
		mean_score double precision, rate double precision, rate_low double precision, rate_high double precision)
	AS 'MODULE_PATHNAME', 'score_calibration_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION calibration_rows(score_table, integer, text, double precision) IS
'does what is given a probability of 0.2 happen in one of five cases? Rows by score, ascending: mean_score is what was said, rate = n_pos / n what happened, with Wilson''s limits at confidence. by ''width'': bins [k / bins, (k + 1) / bins), the last one closed, those without rows too (a score less than 1e-12 / bins below an edge is on it); by ''quantile'': about as many rows each, but rows with equal scores are all in the bin of the middle one of them, and a bin without rows has no row here. No rows if a score is not from 0 to 1, and for NULL. bins: 1 to 1000. NULL options are the defaults. 22023 for others.';

CREATE FUNCTION calibration_fit(scores score_table, bins integer DEFAULT 10)
	RETURNS TABLE (intercept double precision, slope double precision, expected_calibration_error double precision,
		intercept_se double precision, slope_se double precision)
	AS 'MODULE_PATHNAME', 'score_calibration_fit' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 1;
COMMENT ON FUNCTION calibration_fit(score_table, integer) IS
'what would make probabilities right, in one row: intercept and slope of the logistic regression of label on ln(score / (1 - score)) with their standard errors (Cox 1958); 0 and 1 need no correction, a slope below 1 is that of scores that are too extreme. Corrected: 1 / (1 + exp(-(intercept + slope * ln(score / (1 - score))))). NULL if a score is 0 or 1, with one class or one score, and where the classes do not overlap. expected_calibration_error: mean of |rate - mean_score| of calibration_rows(scores, bins), weighted by n; NULL if a score is not from 0 to 1. bins: 1 to 1000 (NULL = 10), else 22023. No rows for NULL.';

CREATE FUNCTION confusion_rows(scores score_table, thresholds double precision[] DEFAULT NULL)
	RETURNS TABLE (threshold double precision, tp bigint, fp bigint, fn bigint, tn bigint, accuracy double precision,
		"precision" double precision, recall double precision, specificity double precision, f1 double precision, mcc double precision)
	AS 'MODULE_PATHNAME', 'score_confusion_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 100;
COMMENT ON FUNCTION confusion_rows(score_table, double precision[]) IS
'who would be called right and wrong if those with score >= threshold were called: one row for each of thresholds, in their order. thresholds NULL: each distinct score, descending; if there are more than 1000, of each hundredth of rows the highest score that calls so many. tp, fp: positives and negatives that are called, fn, tn: that are not; accuracy = (tp + tn) / n, precision = tp / (tp + fp), recall = tp / (tp + fn), specificity = tn / (tn + fp), f1 = 2 tp / (2 tp + fp + fn), mcc: Matthews'' correlation; NULL where the denominator is 0. 22023 for a NaN threshold, 22004 for a NULL one. No rows for a NULL table.';

CREATE FUNCTION roc_rows(scores score_table)
	RETURNS TABLE (threshold double precision, tp bigint, fp bigint, true_positive_rate double precision,
		false_positive_rate double precision, "precision" double precision, youden double precision)
	AS 'MODULE_PATHNAME', 'score_roc_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1000;
COMMENT ON FUNCTION roc_rows(score_table) IS
'the ROC curve: from threshold Infinity, which calls nobody, down to the lowest score, a row for each distinct one. tp, fp: positives and negatives with score >= threshold; true_positive_rate = recall; precision = tp / (tp + fp); youden = true_positive_rate - false_positive_rate, the largest of which is the best threshold if both errors weigh the same. NULL where the denominator is 0. No rows for NULL.';
