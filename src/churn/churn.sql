-- ---------------------------------------------------------------------------
-- churn_model: who leaves, as learnt from rows or histories
-- ---------------------------------------------------------------------------

VALUE_TYPE churn_model: features, coefficients or trees, and fit, to the last bit
COMMENT ON TYPE churn_model IS
'a model of who leaves: its features by name, their coefficients or trees, what it was fitted to and how that went; made by churn_model(), read by churn_score(), churn_reasons(), churn_coefficients(), churn_importance(), churn_summary() and churn_band(); equal models have equal bytes';
COMMENT ON FUNCTION churn_model_to_jsonb(churn_model) IS
'a churn_model as JSON: method, status, counts of rows, features with their kinds, means and levels, and the terms of a logistic model, the trees of a boosted one or the steps of the survival of gaps';

-- ---------------------------------------------------------------------------
-- churn_model: scores of rows, their reasons, and how good the fit is
-- ---------------------------------------------------------------------------

CREATE FUNCTION churn_score(model churn_model, features double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'churn_score_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_score(churn_model, double precision[]) IS
'the probability of churn, 1 / (1 + e^-eta), to the same bits as churn_score(churned, features) OVER () of the same rows. NULL: no model, no features, a model without scores (WARNING once a query: no row with a known outcome, or all alike), or, if the model was fitted with "missing": "skip", a NULL feature; 22004 for it with "error", while with "mean", the default, it counts as the mean and by its indicator. A WARNING once a query if the fit has not converged. features: as many as in the fit and in the same order (2202E); NaN and infinities are 22023.';

CREATE FUNCTION churn_score(model churn_model, features record) RETURNS double precision
	AS 'MODULE_PATHNAME', 'churn_score_record' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_score(churn_model, record) IS
'the probability of churn, 1 / (1 + e^-eta), to the same bits as churn_score(churned, features) OVER () of the same rows. NULL: no model, no features, a model without scores (WARNING once a query: no row with a known outcome, or all alike), or, if the model was fitted with "missing": "skip", a NULL feature; 22004 for it with "error", while with "mean", the default, it counts as the mean and by its indicator. A WARNING once a query if the fit has not converged. features: a record, say a row of a table, whose columns are found by name in any order; others are not looked at; 42703 for one that is missing, 42804 for one of another kind. A text that training has not met counts as the pooled rare ones, or else contributes nothing.';

CREATE FUNCTION churn_reasons(model churn_model, features double precision[], k integer DEFAULT 3)
	RETURNS TABLE (rank integer, feature text, value text, contribution double precision, direction text)
	AS 'MODULE_PATHNAME', 'churn_reasons_array' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION churn_reasons(churn_model, double precision[], integer) IS
'why a row has its score: rank 0 is the baseline (the log-odds of a customer at the means), ranks 1 to k the features that move it most, in the order of their absolute contribution, and a last row (others) sums up the rest. contribution: in log-odds; all rows add up to ln(p / (1 - p)) of churn_score(). direction: raises or lowers the risk, or none. value: what the row says, NULL for NULL. The indicators of a text and of a NULL are summed into their feature. Logistic: coefficient times distance from the mean of the column; boost: tree SHAP by the path (Lundberg, Erion and Lee 2018). k: how many features, NULL for all; 22023 if negative. No rows where there is no score.';

CREATE FUNCTION churn_reasons(model churn_model, features record, k integer DEFAULT 3)
	RETURNS TABLE (rank integer, feature text, value text, contribution double precision, direction text)
	AS 'MODULE_PATHNAME', 'churn_reasons_record' LANGUAGE C STABLE PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION churn_reasons(churn_model, record, integer) IS
'why a row has its score: rank 0 is the baseline (the log-odds of a customer at the means), ranks 1 to k the features that move it most, in the order of their absolute contribution, and a last row (others) sums up the rest. contribution: in log-odds; all rows add up to ln(p / (1 - p)) of churn_score(). direction: raises or lowers the risk, or none. value: what the row says, NULL for NULL. The indicators of a text and of a NULL are summed into their feature. Logistic: coefficient times distance from the mean of the column; boost: tree SHAP by the path (Lundberg, Erion and Lee 2018). k: how many features, NULL for all; 22023 if negative. No rows where there is no score.';

CREATE FUNCTION churn_coefficients(model churn_model) RETURNS TABLE (term text, feature text, level text, mean double precision, sd double precision,
		coefficient_std double precision, estimate double precision, standard_error double precision, sandwich_error double precision,
		z double precision, p_value double precision, odds_ratio double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION churn_coefficients(churn_model) IS
'the coefficients of a logistic model, the intercept first, then one row a column: a number, a level of a text against its base (the most frequent), ''(other)'' for the pooled rare levels, ''(missing)'' for NULL. mean and sd: of the training rows, weighted, sd of the population; coefficient_std: for a difference of one sd, with the intercept for a customer at all means; estimate: log-odds for one unit of the column as it is; standard_error: from the inverse of the penalised information (H + lambda I)^-1, the usual one where lambda is 0; sandwich_error: (H + lambda I)^-1 H (H + lambda I)^-1; z = estimate / standard_error, p_value two-sided from the normal distribution, odds_ratio = e^estimate. A constant column has the coefficient 0; NULL where a number is not known: a column that depends on others, all of a fit that was separated. No rows for a model without scores; 22023 for other methods: see churn_importance().';

CREATE FUNCTION churn_importance(model churn_model) RETURNS TABLE (feature text, importance double precision, share double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION churn_importance(churn_model) IS
'how much each feature moves the scores of the training rows, the most important first. importance, in log-odds: logistic, the standard deviation of its contribution (of a number without NULLs: the absolute standardised coefficient); boost, how far its splits move a row: the mean absolute deviation that each makes among all rows, summed over splits and trees. share: of the sum. Importances of the two methods are not on one scale. No rows where there are no scores, for a fit that was separated, and for the survival of gaps.';

CREATE FUNCTION churn_summary(model churn_model) RETURNS TABLE (method text, converged boolean, status text, reason text,
		n bigint, positives bigint, weight double precision, base_rate double precision, unlabelled bigint, skipped bigint,
		features integer, columns integer, parameters integer, lambda double precision,
		log_likelihood_null double precision, log_likelihood double precision, penalised_log_likelihood double precision,
		deviance double precision, aic double precision, bic double precision, mcfadden_r2 double precision, edf double precision,
		max_gradient double precision, iterations integer, trees integer, as_of date, horizon_days integer)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION churn_summary(churn_model) IS
'how a model was fitted, in one row. method: ''logistic'', ''boost'' or ''gap_survival''; status: ''converged'', ''separation'', ''dependent_columns'', ''not_converged'', ''no_labels'', ''one_class'' or ''few_rows'', and reason: what it means and what to do, NULL if converged. n: rows that trained, positives: those of them that churned, weight: sum of weights (n without weights); base_rate: weighted share of churned; unlabelled: rows whose outcome is NULL; skipped: rows left out for a NULL feature or for no weight. columns: of the design, parameters: the intercept and the columns that are neither constant nor dependent. Log-likelihoods are weighted sums: of the intercept alone, of the model, and less the penalty; deviance = -2 lnL, aic = 2 k - 2 lnL, bic = k ln(weight) - 2 lnL with k parameters, mcfadden_r2 = 1 - lnL / lnL of the intercept alone, edf: trace of H (H + lambda I)^-1; max_gradient: of the objective, standardised. trees: fitted ones of boost. as_of: the day of the scores, horizon_days: how far ahead, of models of histories. NULL where a method has no such figure.';

CREATE FUNCTION churn_band(p double precision, low double precision DEFAULT 0.3, high double precision DEFAULT 0.6) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_band(double precision, double precision, double precision) IS
'the risk band of a probability: ''low'' below low, ''high'' from high on, else ''medium''. 22023 unless 0 <= p <= 1 and 0 <= low <= high <= 1. NULL for NULL.';

CREATE FUNCTION churn_band(p double precision, model churn_model) RETURNS text
	AS 'MODULE_PATHNAME', 'churn_band_of_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_band(double precision, churn_model) IS
'the risk band of a probability against the base rate of the rows that the model was fitted to: ''low'' below half of it, ''high'' from twice of it on, else ''medium''. 22023 unless 0 <= p <= 1. NULL for NULL, and for a model without rows.';

-- ---------------------------------------------------------------------------
-- churn_model() from rows with an outcome, and churn_score() OVER
-- ---------------------------------------------------------------------------

CREATE FUNCTION churn_model_rows_final(internal) RETURNS churn_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_rows_final(internal) IS
'part of churn_model(): the fit';

CREATE FUNCTION churn_model_array_trans(internal, boolean, double precision[]) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_array_trans(internal, boolean, double precision[]) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features double precision[]) (
	SFUNC = churn_model_array_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, double precision[]) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: numbers, the same in all rows by position (2202E if not), named x1, x2, ... or by the option names. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_array_options_trans(internal, boolean, double precision[], jsonb) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_array_options_trans(internal, boolean, double precision[], jsonb) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features double precision[], options jsonb) (
	SFUNC = churn_model_array_options_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, double precision[], jsonb) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: numbers, the same in all rows by position (2202E if not), named x1, x2, ... or by the option names. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). options: a JSON object, the same in all rows of a group (22023): method (logistic, boost), lambda (1; 0 = maximum likelihood), missing (mean = the mean and an indicator column, skip, error), rare (10), names (of the features), and of boost trees (100), depth (3), learning_rate (0.1), bins, min_leaf. NULL: the defaults. NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_array_text_trans(internal, boolean, double precision[], text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_array_text_trans(internal, boolean, double precision[], text) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features double precision[], options text) (
	SFUNC = churn_model_array_text_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, double precision[], text) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: numbers, the same in all rows by position (2202E if not), named x1, x2, ... or by the option names. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). options: a JSON object written as text, the same in all rows of a group (22023): method (logistic, boost), lambda (1; 0 = maximum likelihood), missing (mean = the mean and an indicator column, skip, error), rare (10), names (of the features), and of boost trees (100), depth (3), learning_rate (0.1), bins, min_leaf. NULL: the defaults. NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_array_weight_trans(internal, boolean, double precision[], double precision) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_array_weight_trans(internal, boolean, double precision[], double precision) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features double precision[], weight double precision) (
	SFUNC = churn_model_array_weight_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, double precision[], double precision) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: numbers, the same in all rows by position (2202E if not), named x1, x2, ... or by the option names. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. weight: so many rows; NULL and 0 skip the row, 22023 if below 0 or not finite. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_array_weight_options_trans(internal, boolean, double precision[], double precision, jsonb) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_array_weight_options_trans(internal, boolean, double precision[], double precision, jsonb) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features double precision[], weight double precision, options jsonb) (
	SFUNC = churn_model_array_weight_options_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, double precision[], double precision, jsonb) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: numbers, the same in all rows by position (2202E if not), named x1, x2, ... or by the option names. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. weight: so many rows; NULL and 0 skip the row, 22023 if below 0 or not finite. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). options: a JSON object, the same in all rows of a group (22023): method (logistic, boost), lambda (1; 0 = maximum likelihood), missing (mean = the mean and an indicator column, skip, error), rare (10), names (of the features), and of boost trees (100), depth (3), learning_rate (0.1), bins, min_leaf. NULL: the defaults. NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_record_trans(internal, boolean, record) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_record_trans(internal, boolean, record) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features record) (
	SFUNC = churn_model_record_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, record) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: a record, whose columns have names and types: ROW(...), a row of a table or subquery, any subset of columns. Numbers are taken as they are, booleans as 0 and 1; of a text or enum each level that at least 10 rows have (option rare; at most 255) is a column but the most frequent, the base, and the others are pooled into one; a text without a level that occurs twice has no column. Dates and times are refused (42804): give days before the snapshot. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_record_options_trans(internal, boolean, record, jsonb) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_record_options_trans(internal, boolean, record, jsonb) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features record, options jsonb) (
	SFUNC = churn_model_record_options_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, record, jsonb) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: a record, whose columns have names and types: ROW(...), a row of a table or subquery, any subset of columns. Numbers are taken as they are, booleans as 0 and 1; of a text or enum each level that at least 10 rows have (option rare; at most 255) is a column but the most frequent, the base, and the others are pooled into one; a text without a level that occurs twice has no column. Dates and times are refused (42804): give days before the snapshot. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). options: a JSON object, the same in all rows of a group (22023): method (logistic, boost), lambda (1; 0 = maximum likelihood), missing (mean = the mean and an indicator column, skip, error), rare (10), exclude (columns that are no features), and of boost trees (100), depth (3), learning_rate (0.1), bins, min_leaf. NULL: the defaults. NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_record_text_trans(internal, boolean, record, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_record_text_trans(internal, boolean, record, text) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features record, options text) (
	SFUNC = churn_model_record_text_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, record, text) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: a record, whose columns have names and types: ROW(...), a row of a table or subquery, any subset of columns. Numbers are taken as they are, booleans as 0 and 1; of a text or enum each level that at least 10 rows have (option rare; at most 255) is a column but the most frequent, the base, and the others are pooled into one; a text without a level that occurs twice has no column. Dates and times are refused (42804): give days before the snapshot. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). options: a JSON object written as text, the same in all rows of a group (22023): method (logistic, boost), lambda (1; 0 = maximum likelihood), missing (mean = the mean and an indicator column, skip, error), rare (10), exclude (columns that are no features), and of boost trees (100), depth (3), learning_rate (0.1), bins, min_leaf. NULL: the defaults. NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_record_weight_trans(internal, boolean, record, double precision) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_record_weight_trans(internal, boolean, record, double precision) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features record, weight double precision) (
	SFUNC = churn_model_record_weight_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, record, double precision) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: a record, whose columns have names and types: ROW(...), a row of a table or subquery, any subset of columns. Numbers are taken as they are, booleans as 0 and 1; of a text or enum each level that at least 10 rows have (option rare; at most 255) is a column but the most frequent, the base, and the others are pooled into one; a text without a level that occurs twice has no column. Dates and times are refused (42804): give days before the snapshot. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. weight: so many rows; NULL and 0 skip the row, 22023 if below 0 or not finite. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_record_weight_options_trans(internal, boolean, record, double precision, jsonb) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_record_weight_options_trans(internal, boolean, record, double precision, jsonb) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features record, weight double precision, options jsonb) (
	SFUNC = churn_model_record_weight_options_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, record, double precision, jsonb) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: a record, whose columns have names and types: ROW(...), a row of a table or subquery, any subset of columns. Numbers are taken as they are, booleans as 0 and 1; of a text or enum each level that at least 10 rows have (option rare; at most 255) is a column but the most frequent, the base, and the others are pooled into one; a text without a level that occurs twice has no column. Dates and times are refused (42804): give days before the snapshot. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. weight: so many rows; NULL and 0 skip the row, 22023 if below 0 or not finite. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). options: a JSON object, the same in all rows of a group (22023): method (logistic, boost), lambda (1; 0 = maximum likelihood), missing (mean = the mean and an indicator column, skip, error), rare (10), exclude (columns that are no features), and of boost trees (100), depth (3), learning_rate (0.1), bins, min_leaf. NULL: the defaults. NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_score(churned boolean, features double precision[], options jsonb DEFAULT NULL)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'churn_score_window_array' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_score(boolean, double precision[], jsonb) IS
'probability that a customer leaves, fitted and scored at once: a window function that fits a churn_model() to the rows of each partition whose outcome is known and scores all rows, those with a NULL outcome too. churned, features, options: as in churn_model(); options must be the same in all rows of a partition. The same numbers, bit for bit, as churn_score(churn_model(churned, features), features); the frame and the order of the window do not matter. A partition that cannot be fitted gives NULLs and one WARNING. NULL for NULL features, and for a row with a NULL feature under the option missing = skip.';

CREATE FUNCTION churn_score(churned boolean, features record, options jsonb DEFAULT NULL)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'churn_score_window_record' LANGUAGE C WINDOW STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_score(boolean, record, jsonb) IS
'probability that a customer leaves, fitted and scored at once: a window function that fits a churn_model() to the rows of each partition whose outcome is known and scores all rows, those with a NULL outcome too. churned, features, options: as in churn_model(); options must be the same in all rows of a partition. The same numbers, bit for bit, as churn_score(churn_model(churned, features), features); the frame and the order of the window do not matter. A partition that cannot be fitted gives NULLs and one WARNING. NULL for NULL features, and for a row with a NULL feature under the option missing = skip.';

-- ---------------------------------------------------------------------------
-- churn from histories alone: who will make no purchase
-- ---------------------------------------------------------------------------

CREATE FUNCTION churn_history_trans(internal, customer_history, anycompatible, interval) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_history_trans(internal, customer_history, anycompatible, interval) IS
'part of churn_model(): one customer';

CREATE FUNCTION churn_history_final(internal) RETURNS churn_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_history_final(internal) IS
'part of churn_model(): fits the model to the customers';

CREATE AGGREGATE churn_model(history customer_history, as_of anycompatible, horizon interval) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = churn_history_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(customer_history, anycompatible, interval) IS
'a model of who makes no purchase in the next horizon, from histories alone, one a customer. It is trained one horizon earlier: who had a purchase by as_of - horizon (by the calendar) trains, with his behaviour of that day, the outcome being that he made no purchase until as_of; days after as_of are not looked at. Features, with x repeat purchase days, T days since the first purchase, r since the last, t = T - r, g = t / x (T where x is 0), h days of horizon and c = h / 20: recency = ln(1 + r), frequency = ln(1 + x), age = ln(1 + T), silence = ln((T + c) / (t + c)), pace = ln((r + c) / (g + c)), overdue = ln(1 + x ln((T + c) / (t + c))), activity = ln of the purchases, one d days ago counted as 1 / (1 + d / 2h), spend = ln of the mean amount of a purchase day, left out where no amounts are known. Method: logistic regression with lambda 1 on standardised features. Where fewer than 20 customers have either outcome, a NOTICE says so and the method is ''gap_survival'': Kaplan-Meier (1958) survival S of the gaps between purchase days of all customers, the last of each censored at as_of. NULL histories are counted as skipped, customers without a purchase by as_of - horizon as unlabelled. as_of and horizon must not be NULL (22004) and be the same in all rows (22023); as_of must be finite (22008), horizon of whole days and positive (22023). NULL without rows; WARNING and converged = false where nothing can be learnt: see churn_summary(). as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION churn_history_trans(internal, customer_history, anycompatible, interval, jsonb) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_history_trans(internal, customer_history, anycompatible, interval, jsonb) IS
'part of churn_model(): one customer';

CREATE AGGREGATE churn_model(history customer_history, as_of anycompatible, horizon interval, options jsonb) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = churn_history_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(customer_history, anycompatible, interval, jsonb) IS
'a model of who makes no purchase in the next horizon, from histories alone: as churn_model(history, as_of, horizon), with options, which must be the same in all rows (22023). {"method": "logistic"} (default), "boost" or "gap_survival"; "lambda", "missing" and those of "boost" as in churn_model(churned, features, options); "exclude": names of features to leave out.';

CREATE FUNCTION churn_score(history customer_history, as_of anycompatible, horizon interval, options jsonb DEFAULT NULL)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'churn_history_window' LANGUAGE C WINDOW STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_score(customer_history, anycompatible, interval, jsonb) IS
'the probability that a customer makes no purchase in the horizon after as_of: a window function that trains churn_model(history, as_of, horizon, options) on the customers of each partition, one horizon earlier, and scores each by his behaviour at as_of, to the same bits as churn_score(churn_model(...), history). The horizon ahead has as many days as as_of - (as_of - horizon). Frame, order and ORDER BY of the window do not matter. NULL for NULL histories and for customers without a purchase by as_of. Too little history to train: scores are by the survival of gaps, S(recency + horizon) / S(recency), and a NOTICE says so; a partition without scores gives NULLs and one WARNING. as_of, horizon and options must be the same in all rows of a partition (22023). Never 1 - p_alive(), which is another question: one-time buyers are alive for sure under BG/NBD. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION churn_score(model churn_model, history customer_history, as_of anycompatible DEFAULT NULL)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'churn_score_history' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_score(churn_model, customer_history, anycompatible) IS
'the probability that a customer makes no purchase in the horizon of the model after as_of, by his behaviour at as_of; days after it are not looked at. as_of: NULL stands for that of the model; must be finite (22008). Models of method ''gap_survival'': S(recency + horizon) / S(recency), S being constant after the longest gap seen; NULL where S(recency) is 0. NULL: no model, no history, no purchase by as_of, a model without scores (WARNING once a query). 22023 for a model that was not trained on histories. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION churn_reasons(model churn_model, history customer_history, as_of anycompatible DEFAULT NULL, k integer DEFAULT 3)
	RETURNS TABLE (rank integer, feature text, value text, contribution double precision, direction text)
	AS 'MODULE_PATHNAME', 'churn_reasons_history' LANGUAGE C STABLE PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION churn_reasons(churn_model, customer_history, anycompatible, integer) IS
'why a customer has his churn_score(model, history, as_of): rank 0 is the baseline, ranks 1 to k the features that move it most, in the order of their absolute contribution, and a last row (others) sums up the rest. contribution: in log-odds; all rows add up to ln(p / (1 - p)). value, for people: recency and age in days, frequency in repeat purchase days, silence as the share of the age since the last purchase, pace as that time in mean gaps, overdue as the purchases missed at his rate, activity as the purchases that count, the old ones less, spend as the mean of a purchase day; ratios to four digits. Models of method ''gap_survival'': the baseline is a customer who has just bought (0 where that one is certain), and recency what the time since adds; NULL where p is 0 or 1. k: how many features, NULL for all; 22023 if negative. No rows where there is no score. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION churn_outcome(history customer_history, as_of anycompatible, horizon interval) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_outcome(customer_history, anycompatible, interval) IS
'did a customer make no purchase in (as_of, as_of + horizon]: what churn_score(history, as_of, horizon) has predicted, to be compared with it once that time is over. NULL without a purchase by as_of. as_of must be finite (22008), horizon of whole days and positive (22023). Until the data reach as_of + horizon, true means not yet. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';
