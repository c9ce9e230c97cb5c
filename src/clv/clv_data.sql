-- ---------------------------------------------------------------------------
-- clv_data: what customers did before and after a day, to judge a model by
-- ---------------------------------------------------------------------------

VALUE_TYPE clv_data: days and every count
COMMENT ON TYPE clv_data IS
'what customers did before and after the end of calibration, counted: customers and their holdout purchases by (frequency, recency, age), repeat purchases by day; made by clv_data(), added up by rollup(), read by tracking_rows(), frequency_fit_rows(), frequency_fit(), holdout_rows() and clv_chart(); equal data have equal bytes';
COMMENT ON FUNCTION clv_data_to_jsonb(clv_data) IS
'a clv_data as JSON: calibration_end, as_of, left_out (customers who came after calibration_end), customers (frequency, recency, age in days at calibration_end; how many; their purchases in the holdout), days (repeat purchases of each)';

-- ---------------------------------------------------------------------------
-- clv_data(): from customer histories to a clv_data
-- ---------------------------------------------------------------------------

CREATE FUNCTION clv_data_combine(clv_data, clv_data)
	RETURNS clv_data
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_combine(clv_data, clv_data) IS
'part of clv_data(): two states as one';

CREATE FUNCTION clv_data_final(clv_data)
	RETURNS clv_data
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_final(clv_data) IS
'part of clv_data(): the value of a state';

CREATE FUNCTION clv_data_trans(clv_data, customer_history, date)
	RETURNS clv_data
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_trans(clv_data, customer_history, date) IS
'part of clv_data(): one customer';

CREATE AGGREGATE clv_data(history customer_history, calibration_end date) (
	SFUNC = clv_data_trans,
	STYPE = clv_data,
	SSPACE = 4096,
	FINALFUNC = clv_data_final,
	COMBINEFUNC = clv_data_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_data(customer_history, date) IS
'what customers did until calibration_end and after it, one history a customer (merge those of the same customer first, with rollup()). A purchase is an active day, a repeat purchase one after the first. NULL histories and those without a day by as_of are skipped; customers who came after calibration_end are only counted, for nothing of theirs was known then. calibration_end: the last day of calibration, the same in all rows; 22004 if NULL. The holdout ends on the latest day of all histories. To judge a model, fit it to history_until(history, calibration_end). NULL without rows. 22023 where calibration_end differs between rows; 22008 for infinite days.';

CREATE FUNCTION clv_data_trans(clv_data, customer_history, date, anycompatible)
	RETURNS clv_data
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_trans(clv_data, customer_history, date, anycompatible) IS
'part of clv_data(): one customer';

CREATE AGGREGATE clv_data(history customer_history, calibration_end date, as_of anycompatible) (
	SFUNC = clv_data_trans,
	STYPE = clv_data,
	SSPACE = 4096,
	FINALFUNC = clv_data_final,
	COMBINEFUNC = clv_data_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_data(customer_history, date, anycompatible) IS
'what customers did until calibration_end and after it, one history a customer (merge those of the same customer first, with rollup()). A purchase is an active day, a repeat purchase one after the first. NULL histories and those without a day by as_of are skipped; customers who came after calibration_end are only counted, for nothing of theirs was known then. calibration_end: the last day of calibration, the same in all rows; 22004 if NULL. as_of: the day until which histories are complete, the last of the holdout; days after it are not looked at; NULL = the latest day of all histories; 22023 before calibration_end. To judge a model, fit it to history_until(history, calibration_end). NULL without rows. 22023 where calibration_end or as_of differs between rows; 22008 for infinite days. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION clv_data_rollup(clv_data, clv_data)
	RETURNS clv_data
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_rollup(clv_data, clv_data) IS
'part of rollup(): a clv_data or a state more';

CREATE FUNCTION clv_data_rollup_final(clv_data)
	RETURNS clv_data
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_rollup_final(clv_data) IS
'part of rollup(): the clv_data of a state';

CREATE AGGREGATE rollup(clv_data) (
	SFUNC = clv_data_rollup,
	STYPE = clv_data,
	FINALFUNC = clv_data_rollup_final,
	COMBINEFUNC = clv_data_rollup,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(clv_data) IS
'sum of clv_data of disjoint customers, say of shards; 22023 where calibration_end or as_of differs; NULL without rows';

-- ---------------------------------------------------------------------------
-- a model against what customers did
-- ---------------------------------------------------------------------------

CREATE FUNCTION tracking_rows(model clv_model, data clv_data, period text DEFAULT 'week')
	RETURNS TABLE (period integer, until date, actual bigint, expected double precision,
		actual_cumulative bigint, expected_cumulative double precision, holdout boolean)
	AS 'MODULE_PATHNAME', 'clv_tracking_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 80;
COMMENT ON FUNCTION tracking_rows(clv_model, clv_data, text) IS
'repeat purchases, actual and expected, by periods counted from the first day of the earliest customer, as long as they had ended by as_of. until: last day of the period. expected_cumulative: the sum over customers of E[purchases of a new customer from his first day to until] (Fader, Hardie and Lee 2005, section 7). holdout: the period ends after calibration_end. Only customers who came by calibration_end are in it, before and after. period: ''day'', ''week'' (7 days), ''month'', ''quarter'', ''year'' (anniversaries of the first day). model: one in continuous time (see clv_models()), else 22023. No rows for a NULL model or data; expected numbers are NULL for a model of no customers. 22023 for other periods; 54000 if first day and as_of are more than 100,000 days apart.';

CREATE FUNCTION frequency_fit_rows(model clv_model, data clv_data, up_to integer DEFAULT 7)
	RETURNS TABLE (frequency integer, at_least boolean, actual bigint, expected double precision,
		chi_square double precision)
	AS 'MODULE_PATHNAME', 'clv_frequency_fit_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 8;
COMMENT ON FUNCTION frequency_fit_rows(clv_model, clv_data, integer) IS
'customers by number of repeat purchases in calibration, actual and expected. expected: the sum over customers of P(X(T) = frequency), T being each one''s time from first purchase to calibration_end. at_least: the last row is of this frequency and all above. chi_square: (actual - expected)^2 / expected, infinite where nobody is expected and somebody is there; their sum is judged by frequency_fit(). up_to: from this frequency on customers are counted together; 1 to 1000, else 22023. model: one in continuous time (see clv_models()), else 22023. No rows for a NULL model or data; expected numbers are NULL for a model of no customers.';

CREATE FUNCTION frequency_fit(model clv_model, data clv_data, up_to integer DEFAULT 7)
	RETURNS TABLE (customers bigint, classes integer, chi_square double precision,
		degrees_of_freedom integer, p_value double precision)
	AS 'MODULE_PATHNAME', 'clv_frequency_fit' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION frequency_fit(clv_model, clv_data, integer) IS
'Pearson''s test of the frequencies of frequency_fit_rows(), in one row: chi_square is the sum over its classes, degrees_of_freedom are classes - 1 - parameters of the model, p_value is P(chi-square of these degrees or more) if the model is true, NULL where they are 0 or less. This assumes that the parameters were fitted to the same customers, that no class expects fewer than about five, and takes the fit as one to the classes (by all of the data it is a little better, and p_value a little too small: Chernoff and Lehmann 1954). With very many customers every model is refused: look at the rows too. up_to: from this frequency on customers are counted together; 1 to 1000, else 22023. model: one in continuous time (see clv_models()), else 22023. No rows for a NULL model or data; expected numbers are NULL for a model of no customers.';

CREATE FUNCTION holdout_rows(model clv_model, data clv_data, up_to integer DEFAULT 7)
	RETURNS TABLE (frequency integer, at_least boolean, customers bigint, actual_total bigint,
		expected_total double precision, actual_mean double precision, expected_mean double precision)
	AS 'MODULE_PATHNAME', 'clv_holdout_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 8;
COMMENT ON FUNCTION holdout_rows(clv_model, clv_data, integer) IS
'purchases in the holdout, from calibration_end to as_of, actual and expected, by number of repeat purchases in calibration. expected: E[purchases in the holdout | frequency, recency, age] of each customer, so that this is the test of what a model says of a customer (Fader, Hardie and Lee 2005, figure 6). at_least: the last row is of this frequency and all above. Means are a customer; NULL where there is none, and all where as_of is calibration_end. up_to: from this frequency on customers are counted together; 1 to 1000, else 22023. model: one in continuous time (see clv_models()), else 22023. No rows for a NULL model or data; expected numbers are NULL for a model of no customers.';

CREATE FUNCTION clv_chart(model clv_model, data clv_data, chart text DEFAULT 'tracking')
	RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION clv_chart(clv_model, clv_data, text) IS
'a model against what customers did, as text to look at. chart: ''tracking'' (cumulative repeat purchases by the shortest period of which there are at most 80), ''frequency'' (frequency_fit_rows()) or ''holdout'' (holdout_rows()); 22023 for others. NULL for a NULL model or data. model: one in continuous time, else 22023.';
