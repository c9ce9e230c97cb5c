-- ---------------------------------------------------------------------------
-- clv_model: a model of purchases, perhaps of spend, and how it was fitted
-- ---------------------------------------------------------------------------

VALUE_TYPE clv_model: parameters, covariance and fit, to the last bit
COMMENT ON TYPE clv_model IS
'a model of purchases and perhaps of spend: parameters by name, their covariance, log-likelihood, whether the fit converged; made by clv_model(), read by clv_parameters(), clv_covariance(), clv_fit(), and by all predictions; equal models have equal bytes';
COMMENT ON FUNCTION clv_model_to_jsonb(clv_model) IS
'a clv_model as JSON: unit, as_of, and for purchases and spend the parameters by name, covariance, log-likelihood, n, iterations, gradient norm, converged and the reason if not';

CREATE FUNCTION clv_models() RETURNS TABLE (model text, kind text, "time" text, parameters text, assumes text, take_when text, becomes text, source text)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 8;
COMMENT ON FUNCTION clv_models() IS
'the models that clv_model() fits, one row each. kind: ''purchase'', ''contract'' or ''spend''; time: ''continuous'', or ''discrete'': whole periods; NULL of spend. parameters: their names. becomes: to which simpler model it comes where a parameter runs to an edge, NULL if to none here.';

CREATE FUNCTION clv_model(model text, parameters jsonb, unit text DEFAULT 'day', as_of date DEFAULT NULL, covariance double precision[] DEFAULT NULL, spend_covariance double precision[] DEFAULT NULL)
	RETURNS clv_model
	AS 'MODULE_PATHNAME', 'clv_model_by_hand' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model(text, jsonb, text, date, double precision[], double precision[]) IS
'a clv_model by hand, say from published parameters. model: see clv_models(); parameters: a JSON object of them by the names it shows, all above 0, and those of a spend model with them, if spend is to be known. unit: that of the parameters, ''day'', ''week'', ''month'' (30.4375 days), ''quarter'', ''year'' (365.25). as_of: the day until which customers were seen, a default for predictions over histories. covariance: of the parameters in that order, for standard errors; NULL = not known. 22023 for a name or number that is wrong. NULL for a NULL model or NULL parameters.';

CREATE FUNCTION clv_model(model text, parameters text, unit text DEFAULT 'day', as_of date DEFAULT NULL, covariance double precision[] DEFAULT NULL, spend_covariance double precision[] DEFAULT NULL)
	RETURNS clv_model
	AS 'MODULE_PATHNAME', 'clv_model_by_hand_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model(text, text, text, date, double precision[], double precision[]) IS
'a clv_model by hand, say from published parameters. model: see clv_models(); parameters: a JSON object of them by the names it shows, all above 0, and those of a spend model with them, if spend is to be known. unit: that of the parameters, ''day'', ''week'', ''month'' (30.4375 days), ''quarter'', ''year'' (365.25). as_of: the day until which customers were seen, a default for predictions over histories. covariance: of the parameters in that order, for standard errors; NULL = not known. 22023 for a name or number that is wrong. NULL for a NULL model or NULL parameters.';

CREATE FUNCTION clv_parameters(model clv_model, confidence double precision DEFAULT 0.95) RETURNS TABLE (parameter text, estimate double precision, standard_error double precision,
		low double precision, high double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 7;
COMMENT ON FUNCTION clv_parameters(clv_model, double precision) IS
'one row a parameter, those of purchases, then p, q, v of spend: maximum likelihood estimate, standard error (inverse observed information), and Wald limits in the logarithm of the parameter. NULL where not known: parameters by hand without covariance, fits that are not at a maximum. confidence: between 0 and 1.';

CREATE FUNCTION clv_covariance(model clv_model) RETURNS TABLE (parameter text, other text, covariance double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION clv_covariance(clv_model) IS
'covariance of each two parameters: the inverse of the observed information; purchases and spend are fitted apart, and have no covariance with each other. NULL where not known.';

CREATE FUNCTION clv_fit(model clv_model) RETURNS TABLE (purchase_model text, spend_model text, unit text, as_of date,
		n bigint, log_likelihood double precision, aic double precision, bic double precision,
		spend_frequency_correlation double precision, correlation_warning boolean,
		converged boolean, reason text, iterations integer, gradient_norm double precision,
		skipped bigint, spend_n bigint, spend_log_likelihood double precision,
		spend_aic double precision, spend_bic double precision, spend_left_out bigint,
		spend_iterations integer, spend_gradient_norm double precision, spend_converged boolean)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION clv_fit(clv_model) IS
'how good a fit is, in one row. n: customers; log_likelihood: in the model''s unit of time, without terms that the published likelihoods drop; aic = 2 k - 2 lnL, bic = k ln n - 2 lnL; spend_frequency_correlation: Pearson, of repeat buyers, correlation_warning where it is beyond 0.3 either way (the spend model assumes independence); converged: both fits are at a maximum inside, with the reason if not; gradient_norm: largest derivative of lnL by the logarithm of a parameter, per customer; skipped: rows with a NULL; spend_left_out: repeat buyers whose mean spend is not positive. NULL where it does not apply: a model by hand has no fit.';

-- ---------------------------------------------------------------------------
-- clv_model(): from customers to a clv_model
--
-- The state is a flat sample of type bytea: a concrete type, so that
-- partition-wise, parallel and distributed plans can split the aggregate.

CREATE FUNCTION clv_model_combine(bytea, bytea) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_combine(bytea, bytea) IS
'part of clv_model(): two states as one';

CREATE FUNCTION clv_model_final(bytea) RETURNS clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_final(bytea) IS
'part of clv_model(): the fit of a state';

CREATE FUNCTION clv_model_history_trans(bytea, customer_history) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_history_trans(bytea, customer_history) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(history customer_history) (
	SFUNC = clv_model_history_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(customer_history) IS
'a model fitted to customers by maximum likelihood, one history a customer: x = active days after the first, t_x = first to last, T = first day to as_of, spend = mean amount of the repeat days that have one. As of the latest day of all histories. Discrete and contract models count calendar periods of the unit that had ended at as_of, which they need. NULL histories are skipped and counted, customers without a day by as_of left out. model: see clv_models(), ''bg_nbd'' by default. spend_model: ''gamma_gamma'' by default, or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged.';

CREATE FUNCTION clv_model_history_trans(bytea, customer_history, anycompatible) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_history_trans(bytea, customer_history, anycompatible) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(history customer_history, as_of anycompatible) (
	SFUNC = clv_model_history_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(customer_history, anycompatible) IS
'a model fitted to customers by maximum likelihood, one history a customer: x = active days after the first, t_x = first to last, T = first day to as_of, spend = mean amount of the repeat days that have one. as_of: the day until which histories are complete, days after it are not looked at; NULL = the latest day of all. Discrete and contract models count calendar periods of the unit that had ended at as_of, which they need. NULL histories are skipped and counted, customers without a day by as_of left out. model: see clv_models(), ''bg_nbd'' by default. spend_model: ''gamma_gamma'' by default, or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION clv_model_history_trans(bytea, customer_history, anycompatible, text) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_history_trans(bytea, customer_history, anycompatible, text) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(history customer_history, as_of anycompatible, model text) (
	SFUNC = clv_model_history_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(customer_history, anycompatible, text) IS
'a model fitted to customers by maximum likelihood, one history a customer: x = active days after the first, t_x = first to last, T = first day to as_of, spend = mean amount of the repeat days that have one. as_of: the day until which histories are complete, days after it are not looked at; NULL = the latest day of all. Discrete and contract models count calendar periods of the unit that had ended at as_of, which they need. NULL histories are skipped and counted, customers without a day by as_of left out. model: see clv_models(), ''bg_nbd'' by default. spend_model: ''gamma_gamma'' by default, or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION clv_model_history_trans(bytea, customer_history, anycompatible, text, text) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_history_trans(bytea, customer_history, anycompatible, text, text) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(history customer_history, as_of anycompatible, model text, spend_model text) (
	SFUNC = clv_model_history_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(customer_history, anycompatible, text, text) IS
'a model fitted to customers by maximum likelihood, one history a customer: x = active days after the first, t_x = first to last, T = first day to as_of, spend = mean amount of the repeat days that have one. as_of: the day until which histories are complete, days after it are not looked at; NULL = the latest day of all. Discrete and contract models count calendar periods of the unit that had ended at as_of, which they need. NULL histories are skipped and counted, customers without a day by as_of left out. model: see clv_models(), ''bg_nbd'' by default. spend_model: ''gamma_gamma'' by default, or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION clv_model_history_trans(bytea, customer_history, anycompatible, text, text, text) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_history_trans(bytea, customer_history, anycompatible, text, text, text) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(history customer_history, as_of anycompatible, model text, spend_model text, unit text) (
	SFUNC = clv_model_history_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(customer_history, anycompatible, text, text, text) IS
'a model fitted to customers by maximum likelihood, one history a customer: x = active days after the first, t_x = first to last, T = first day to as_of, spend = mean amount of the repeat days that have one. as_of: the day until which histories are complete, days after it are not looked at; NULL = the latest day of all. Discrete and contract models count calendar periods of the unit that had ended at as_of, which they need. NULL histories are skipped and counted, customers without a day by as_of left out. model: see clv_models(), ''bg_nbd'' by default. spend_model: ''gamma_gamma'' by default, or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(frequency double precision, recency double precision, age double precision) (
	SFUNC = clv_model_summary_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(double precision, double precision, double precision) IS
'a model fitted to customers by maximum likelihood, one row a customer as clv_summary() gives it: frequency = repeat purchases, recency = time of the last and age = time until today since the first purchase, both in the unit; purchases alone, without spend. Contract models: recency = renewals made, equal to age while the customer is there. Rows with a NULL frequency, recency or age are skipped and counted. 22023, with the values of the row: negative, NaN or infinite numbers, recency above age, a frequency that is not whole, recency without frequency, monetary_value missing where frequency is above 0. model: see clv_models(), ''bg_nbd'' by default. spend_model: ''gamma_gamma'' by default, or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged.';

CREATE FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision, double precision) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision, double precision) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(frequency double precision, recency double precision, age double precision, monetary_value double precision) (
	SFUNC = clv_model_summary_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(double precision, double precision, double precision, double precision) IS
'a model fitted to customers by maximum likelihood, one row a customer as clv_summary() gives it: frequency = repeat purchases, recency = time of the last and age = time until today since the first purchase, both in the unit, monetary_value = mean spend of the repeat purchases, not looked at where frequency is 0; not positive: left out of the spend model, and counted. Contract models: recency = renewals made, equal to age while the customer is there. Rows with a NULL frequency, recency or age are skipped and counted. 22023, with the values of the row: negative, NaN or infinite numbers, recency above age, a frequency that is not whole, recency without frequency, monetary_value missing where frequency is above 0. model: see clv_models(), ''bg_nbd'' by default. spend_model: ''gamma_gamma'' by default, or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged.';

CREATE FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision, double precision, text) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision, double precision, text) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(frequency double precision, recency double precision, age double precision, monetary_value double precision, model text) (
	SFUNC = clv_model_summary_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(double precision, double precision, double precision, double precision, text) IS
'a model fitted to customers by maximum likelihood, one row a customer as clv_summary() gives it: frequency = repeat purchases, recency = time of the last and age = time until today since the first purchase, both in the unit, monetary_value = mean spend of the repeat purchases, not looked at where frequency is 0; not positive: left out of the spend model, and counted. Contract models: recency = renewals made, equal to age while the customer is there. Rows with a NULL frequency, recency or age are skipped and counted. 22023, with the values of the row: negative, NaN or infinite numbers, recency above age, a frequency that is not whole, recency without frequency, monetary_value missing where frequency is above 0. model: see clv_models(), ''bg_nbd'' by default. spend_model: ''gamma_gamma'' by default, or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged.';

CREATE FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision, double precision, text, text) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision, double precision, text, text) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(frequency double precision, recency double precision, age double precision, monetary_value double precision, model text, spend_model text) (
	SFUNC = clv_model_summary_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(double precision, double precision, double precision, double precision, text, text) IS
'a model fitted to customers by maximum likelihood, one row a customer as clv_summary() gives it: frequency = repeat purchases, recency = time of the last and age = time until today since the first purchase, both in the unit, monetary_value = mean spend of the repeat purchases, not looked at where frequency is 0; not positive: left out of the spend model, and counted. Contract models: recency = renewals made, equal to age while the customer is there. Rows with a NULL frequency, recency or age are skipped and counted. 22023, with the values of the row: negative, NaN or infinite numbers, recency above age, a frequency that is not whole, recency without frequency, monetary_value missing where frequency is above 0. model: see clv_models(), ''bg_nbd'' by default. spend_model: ''gamma_gamma'' by default, or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged.';

CREATE FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision, double precision, text, text, text) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision, double precision, text, text, text) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(frequency double precision, recency double precision, age double precision, monetary_value double precision, model text, spend_model text, unit text) (
	SFUNC = clv_model_summary_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(double precision, double precision, double precision, double precision, text, text, text) IS
'a model fitted to customers by maximum likelihood, one row a customer as clv_summary() gives it: frequency = repeat purchases, recency = time of the last and age = time until today since the first purchase, both in the unit, monetary_value = mean spend of the repeat purchases, not looked at where frequency is 0; not positive: left out of the spend model, and counted. Contract models: recency = renewals made, equal to age while the customer is there. Rows with a NULL frequency, recency or age are skipped and counted. 22023, with the values of the row: negative, NaN or infinite numbers, recency above age, a frequency that is not whole, recency without frequency, monetary_value missing where frequency is above 0. model: see clv_models(), ''bg_nbd'' by default. spend_model: ''gamma_gamma'' by default, or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged.';

-- ---------------------------------------------------------------------------
-- predictions: from a model and one customer
-- ---------------------------------------------------------------------------

CREATE FUNCTION p_alive(model clv_model, history customer_history, as_of anycompatible DEFAULT NULL, ahead interval DEFAULT '0')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_p_alive_history' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_alive(clv_model, customer_history, anycompatible, interval) IS
'P(alive): the probability that the customer will still buy, now (as_of, or age), or later by ahead. Not the probability that he comes back: one-time buyers of BG/NBD are alive for sure; see p_no_purchase(). customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. Contracts: alive while recency = age. NULL for NULL arguments and for customers without a day by as_of. Source: of each model''s paper. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION p_alive(model clv_model, frequency double precision, recency double precision, age double precision, ahead interval DEFAULT '0')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_p_alive' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_alive(clv_model, double precision, double precision, double precision, interval) IS
'P(alive): the probability that the customer will still buy, now (as_of, or age), or later by ahead. Not the probability that he comes back: one-time buyers of BG/NBD are alive for sure; see p_no_purchase(). customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. Contracts: alive while recency = age. NULL for NULL arguments and for customers without a day by as_of. Source: of each model''s paper.';

CREATE FUNCTION p_alive_se(model clv_model, history customer_history, as_of anycompatible DEFAULT NULL, ahead interval DEFAULT '0')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_p_alive_se_history' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_alive_se(clv_model, customer_history, anycompatible, interval) IS
'standard error of p_alive() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION p_alive_se(model clv_model, frequency double precision, recency double precision, age double precision, ahead interval DEFAULT '0')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_p_alive_se' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_alive_se(clv_model, double precision, double precision, double precision, interval) IS
'standard error of p_alive() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION expected_purchases(model clv_model, history customer_history, as_of anycompatible DEFAULT NULL, horizon interval DEFAULT '12 months')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_expected_purchases_history' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_purchases(clv_model, customer_history, anycompatible, interval) IS
'E[number of purchases in the next horizon], given what the customer did. A new customer has frequency, recency and age 0. Months of horizon are 30.4375 days; discrete models count whole periods. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. NULL for NULL arguments and for customers without a day by as_of. Source: the conditional expectations of each model''s paper; BG/NBD and MBG/NBD as an expectation over the dropout probability, without 2F1. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION expected_purchases(model clv_model, frequency double precision, recency double precision, age double precision, horizon interval DEFAULT '12 months')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_expected_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_purchases(clv_model, double precision, double precision, double precision, interval) IS
'E[number of purchases in the next horizon], given what the customer did. A new customer has frequency, recency and age 0. Months of horizon are 30.4375 days; discrete models count whole periods. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. NULL for NULL arguments and for customers without a day by as_of. Source: the conditional expectations of each model''s paper; BG/NBD and MBG/NBD as an expectation over the dropout probability, without 2F1.';

CREATE FUNCTION expected_purchases_se(model clv_model, history customer_history, as_of anycompatible DEFAULT NULL, horizon interval DEFAULT '12 months')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_expected_purchases_se_history' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_purchases_se(clv_model, customer_history, anycompatible, interval) IS
'standard error of expected_purchases() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION expected_purchases_se(model clv_model, frequency double precision, recency double precision, age double precision, horizon interval DEFAULT '12 months')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_expected_purchases_se' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_purchases_se(clv_model, double precision, double precision, double precision, interval) IS
'standard error of expected_purchases() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION p_no_purchase(model clv_model, history customer_history, as_of anycompatible DEFAULT NULL, horizon interval DEFAULT '12 months')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_p_no_purchase_history' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_no_purchase(clv_model, customer_history, anycompatible, interval) IS
'P(no purchase in the next horizon): the measure of churn in a business without contracts, for it says what will be seen. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. NULL for NULL arguments and for customers without a day by as_of. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION p_no_purchase(model clv_model, frequency double precision, recency double precision, age double precision, horizon interval DEFAULT '12 months')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_p_no_purchase' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_no_purchase(clv_model, double precision, double precision, double precision, interval) IS
'P(no purchase in the next horizon): the measure of churn in a business without contracts, for it says what will be seen. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. NULL for NULL arguments and for customers without a day by as_of. ';

CREATE FUNCTION p_no_purchase_se(model clv_model, history customer_history, as_of anycompatible DEFAULT NULL, horizon interval DEFAULT '12 months')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_p_no_purchase_se_history' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_no_purchase_se(clv_model, customer_history, anycompatible, interval) IS
'standard error of p_no_purchase() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION p_no_purchase_se(model clv_model, frequency double precision, recency double precision, age double precision, horizon interval DEFAULT '12 months')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_p_no_purchase_se' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_no_purchase_se(clv_model, double precision, double precision, double precision, interval) IS
'standard error of p_no_purchase() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION purchase_distribution(model clv_model, history customer_history, as_of anycompatible, horizon interval, purchases integer)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_purchase_distribution_history' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION purchase_distribution(clv_model, customer_history, anycompatible, interval, integer) IS
'P(exactly so many purchases in the next horizon); over all numbers of purchases they sum to 1. A new customer has frequency, recency and age 0. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. NULL for NULL arguments and for customers without a day by as_of. 22023 for fewer than 0 purchases. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION purchase_distribution(model clv_model, frequency double precision, recency double precision, age double precision, horizon interval, purchases integer)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_purchase_distribution' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION purchase_distribution(clv_model, double precision, double precision, double precision, interval, integer) IS
'P(exactly so many purchases in the next horizon); over all numbers of purchases they sum to 1. A new customer has frequency, recency and age 0. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. NULL for NULL arguments and for customers without a day by as_of. 22023 for fewer than 0 purchases.';

CREATE FUNCTION purchase_distribution_se(model clv_model, history customer_history, as_of anycompatible, horizon interval, purchases integer)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_purchase_distribution_se_history' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION purchase_distribution_se(clv_model, customer_history, anycompatible, interval, integer) IS
'standard error of purchase_distribution() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION purchase_distribution_se(model clv_model, frequency double precision, recency double precision, age double precision, horizon interval, purchases integer)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_purchase_distribution_se' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION purchase_distribution_se(clv_model, double precision, double precision, double precision, interval, integer) IS
'standard error of purchase_distribution() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION expected_spend(model clv_model, history customer_history, as_of anycompatible DEFAULT NULL)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_spend_history' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_spend(clv_model, customer_history, anycompatible) IS
'E[spend per purchase], given the customer''s mean. frequency 0, no amount or a mean that is not positive: that of the population, p v / (q - 1). NULL where it is infinite (q <= 1). Fader, Hardie and Lee (2005). customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. NULL for NULL arguments and for customers without a day by as_of. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION expected_spend(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_spend' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_spend(clv_model, double precision, double precision, double precision, double precision) IS
'E[spend per purchase], given the customer''s mean. frequency 0, no amount or a mean that is not positive: that of the population, p v / (q - 1). NULL where it is infinite (q <= 1). Fader, Hardie and Lee (2005). customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. NULL for NULL arguments and for customers without a day by as_of. ';

CREATE FUNCTION expected_spend_se(model clv_model, history customer_history, as_of anycompatible DEFAULT NULL)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_spend_se_history' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_spend_se(clv_model, customer_history, anycompatible) IS
'standard error of expected_spend() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION expected_spend_se(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_spend_se' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_spend_se(clv_model, double precision, double precision, double precision, double precision) IS
'standard error of expected_spend() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION clv(model clv_model, history customer_history, as_of anycompatible DEFAULT NULL, horizon interval DEFAULT '12 months', discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1, step interval DEFAULT '1 month')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_value_history' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv(clv_model, customer_history, anycompatible, interval, double precision, double precision, interval) IS
'customer lifetime value over the next horizon: the sum over its steps of E[purchases in the step] * expected_spend() * margin, each discounted from the end of the step at (1 + discount_rate)^-(years). discount_rate: annual, 0.10 = 10%, at most 1. margin: share of spend that is kept. step: when cash is counted, the last one may be shorter. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. spend: with Gamma-Gamma the mean of the population and the customer''s own, weighted; without a spend model the customer''s own, from histories without repeat purchases that of the first one, and NULL where that is not above 0. NULL where the spend is not known. NULL for NULL arguments and for customers without a day by as_of. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION clv(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval DEFAULT '12 months', discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1, step interval DEFAULT '1 month')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_value' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv(clv_model, double precision, double precision, double precision, double precision, interval, double precision, double precision, interval) IS
'customer lifetime value over the next horizon: the sum over its steps of E[purchases in the step] * expected_spend() * margin, each discounted from the end of the step at (1 + discount_rate)^-(years). discount_rate: annual, 0.10 = 10%, at most 1. margin: share of spend that is kept. step: when cash is counted, the last one may be shorter. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. spend: with Gamma-Gamma the mean of the population and the customer''s own, weighted; without a spend model the customer''s own, from histories without repeat purchases that of the first one, and NULL where that is not above 0. NULL where the spend is not known. NULL for NULL arguments and for customers without a day by as_of. ';

CREATE FUNCTION clv_se(model clv_model, history customer_history, as_of anycompatible DEFAULT NULL, horizon interval DEFAULT '12 months', discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1, step interval DEFAULT '1 month')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_value_se_history' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_se(clv_model, customer_history, anycompatible, interval, double precision, double precision, interval) IS
'standard error of clv() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION clv_se(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval DEFAULT '12 months', discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1, step interval DEFAULT '1 month')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_value_se' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_se(clv_model, double precision, double precision, double precision, double precision, interval, double precision, double precision, interval) IS
'standard error of clv() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION residual_lifetime_value(model clv_model, history customer_history, as_of anycompatible DEFAULT NULL, discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_residual_value_history' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION residual_lifetime_value(clv_model, customer_history, anycompatible, double precision, double precision) IS
'value of all purchases to come, without horizon: discounted expected residual transactions (DERT; Fader, Hardie and Lee 2005), discounted continuously at ln(1 + discount_rate) a year, or period by period for discrete models, times expected_spend() and margin. discount_rate: annual, 0.10 = 10%, at most 1; 0: NULL where the sum is infinite. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. spend: with Gamma-Gamma the mean of the population and the customer''s own, weighted; without a spend model the customer''s own, from histories without repeat purchases that of the first one, and NULL where that is not above 0. NULL for NULL arguments and for customers without a day by as_of. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION residual_lifetime_value(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_residual_value' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION residual_lifetime_value(clv_model, double precision, double precision, double precision, double precision, double precision, double precision) IS
'value of all purchases to come, without horizon: discounted expected residual transactions (DERT; Fader, Hardie and Lee 2005), discounted continuously at ln(1 + discount_rate) a year, or period by period for discrete models, times expected_spend() and margin. discount_rate: annual, 0.10 = 10%, at most 1; 0: NULL where the sum is infinite. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. spend: with Gamma-Gamma the mean of the population and the customer''s own, weighted; without a spend model the customer''s own, from histories without repeat purchases that of the first one, and NULL where that is not above 0. NULL for NULL arguments and for customers without a day by as_of. ';

CREATE FUNCTION residual_lifetime_value_se(model clv_model, history customer_history, as_of anycompatible DEFAULT NULL, discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_residual_value_se_history' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION residual_lifetime_value_se(clv_model, customer_history, anycompatible, double precision, double precision) IS
'standard error of residual_lifetime_value() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION residual_lifetime_value_se(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_residual_value_se' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION residual_lifetime_value_se(clv_model, double precision, double precision, double precision, double precision, double precision, double precision) IS
'standard error of residual_lifetime_value() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

-- ---------------------------------------------------------------------------
-- clv() OVER: fit and predict at once
-- ---------------------------------------------------------------------------

CREATE FUNCTION clv(history customer_history, as_of anycompatible DEFAULT NULL, horizon interval DEFAULT '12 months', discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1, model text DEFAULT 'bg_nbd', spend_model text DEFAULT 'gamma_gamma', unit text DEFAULT 'day', step interval DEFAULT '1 month')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_window_history' LANGUAGE C WINDOW STABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv(customer_history, anycompatible, interval, double precision, double precision, text, text, text, interval) IS
'customer lifetime value, fitted and predicted at once: a window function that fits a model of purchases and one of spend to the customers of each partition and gives each its clv(); the frame and order of the window do not matter. A partition that cannot be fitted (too few customers, nobody came back, a parameter without bound) gives NULLs and one NOTICE with the reason. as_of: the day until which histories are complete; NULL = the latest day of the partition. horizon, discount_rate, margin, step: as in clv(model, ...); model, spend_model, unit: as in clv_model(); all must be constant in a partition. NULL for NULL customers. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION clv(frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval DEFAULT '12 months', discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1, model text DEFAULT 'bg_nbd', spend_model text DEFAULT 'gamma_gamma', unit text DEFAULT 'day', step interval DEFAULT '1 month')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_window_summary' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv(double precision, double precision, double precision, double precision, interval, double precision, double precision, text, text, text, interval) IS
'customer lifetime value, fitted and predicted at once: a window function that fits a model of purchases and one of spend to the customers of each partition and gives each its clv(); the frame and order of the window do not matter. A partition that cannot be fitted (too few customers, nobody came back, a parameter without bound) gives NULLs and one NOTICE with the reason. frequency, recency, age (in the unit) and monetary_value as clv_summary() gives them. horizon, discount_rate, margin, step: as in clv(model, ...); model, spend_model, unit: as in clv_model(); all must be constant in a partition. NULL for NULL customers.';
-- ---------------------------------------------------------------------------
-- clv_model() from rows of an orders table, in one pass
-- ---------------------------------------------------------------------------

CREATE FUNCTION clv_orders_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_orders_serialize(internal) IS 'part of clv_model() over orders: a state for another process';

CREATE FUNCTION clv_orders_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_orders_deserialize(bytea, internal) IS 'part of clv_model() over orders: a state from another process';

CREATE FUNCTION clv_orders_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_orders_combine(internal, internal) IS 'part of clv_model() over orders: two states as one';

CREATE FUNCTION clv_orders_final(internal) RETURNS clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_orders_final(internal) IS 'part of clv_model() over orders: the fitted model of a state';

CREATE FUNCTION clv_orders_trans(internal, anyelement, "any", "any") RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_orders_trans(internal, anyelement, "any", "any") IS 'part of clv_model() over orders: one row';

CREATE AGGREGATE clv_model(customer anyelement, at "any", amount "any") (
	SFUNC = clv_orders_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = clv_orders_final,
	COMBINEFUNC = clv_orders_combine,
	SERIALFUNC = clv_orders_serialize,
	DESERIALFUNC = clv_orders_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(anyelement, "any", "any") IS
'clv_model straight from an orders table, without GROUP BY customer: BG/NBD of purchases and Gamma-Gamma of spend, in days, as of the latest day of the data. customer: any type with a hash operator class; rows whose customer or time is NULL are skipped and counted. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in the session''s TimeZone); infinite times are an error. amount: numeric, integer, real, double precision (the decimal number that it is printed as) or money; NULL is an order whose amount is not known; NaN and infinities are an error. A row of a negative amount is money that came back, no purchase: it is charged to the customer''s latest purchase day on or before it, and to none where there is none. The same model as from customer_history(at, amount) of each customer, to the last bit. Parameters must be the same in all rows; NULL stands for the default. NULL without rows.';

CREATE FUNCTION clv_orders_as_of_trans(internal, anyelement, "any", "any", anycompatible) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_orders_as_of_trans(internal, anyelement, "any", "any", anycompatible) IS 'part of clv_model() over orders: one row';

CREATE AGGREGATE clv_model(customer anyelement, at "any", amount "any", as_of anycompatible) (
	SFUNC = clv_orders_as_of_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = clv_orders_final,
	COMBINEFUNC = clv_orders_combine,
	SERIALFUNC = clv_orders_serialize,
	DESERIALFUNC = clv_orders_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(anyelement, "any", "any", anycompatible) IS
'clv_model straight from an orders table, without GROUP BY customer: BG/NBD of purchases and Gamma-Gamma of spend, in days, as of the day as_of; later orders are ignored. customer: any type with a hash operator class; rows whose customer or time is NULL are skipped and counted. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in the session''s TimeZone); infinite times are an error. amount: numeric, integer, real, double precision (the decimal number that it is printed as) or money; NULL is an order whose amount is not known; NaN and infinities are an error. A row of a negative amount is money that came back, no purchase: it is charged to the customer''s latest purchase day on or before it, and to none where there is none. The same model as from customer_history(at, amount) of each customer, to the last bit. Parameters must be the same in all rows; NULL stands for the default. NULL without rows.';

CREATE FUNCTION clv_orders_model_trans(internal, anyelement, "any", "any", anycompatible, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_orders_model_trans(internal, anyelement, "any", "any", anycompatible, text) IS 'part of clv_model() over orders: one row';

CREATE AGGREGATE clv_model(customer anyelement, at "any", amount "any", as_of anycompatible, model text) (
	SFUNC = clv_orders_model_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = clv_orders_final,
	COMBINEFUNC = clv_orders_combine,
	SERIALFUNC = clv_orders_serialize,
	DESERIALFUNC = clv_orders_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(anyelement, "any", "any", anycompatible, text) IS
'clv_model straight from an orders table, without GROUP BY customer, as of the day as_of; later orders are ignored. model: see clv_models(); Gamma-Gamma of spend; in days. customer: any type with a hash operator class; rows whose customer or time is NULL are skipped and counted. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in the session''s TimeZone); infinite times are an error. amount: numeric, integer, real, double precision (the decimal number that it is printed as) or money; NULL is an order whose amount is not known; NaN and infinities are an error. A row of a negative amount is money that came back, no purchase: it is charged to the customer''s latest purchase day on or before it, and to none where there is none. The same model as from customer_history(at, amount) of each customer, to the last bit. Parameters must be the same in all rows; NULL stands for the default. NULL without rows.';

CREATE FUNCTION clv_orders_spend_trans(internal, anyelement, "any", "any", anycompatible, text, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_orders_spend_trans(internal, anyelement, "any", "any", anycompatible, text, text) IS 'part of clv_model() over orders: one row';

CREATE AGGREGATE clv_model(customer anyelement, at "any", amount "any", as_of anycompatible, model text, spend_model text) (
	SFUNC = clv_orders_spend_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = clv_orders_final,
	COMBINEFUNC = clv_orders_combine,
	SERIALFUNC = clv_orders_serialize,
	DESERIALFUNC = clv_orders_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(anyelement, "any", "any", anycompatible, text, text) IS
'clv_model straight from an orders table, without GROUP BY customer, as of the day as_of; later orders are ignored. model: see clv_models(). spend_model: ''gamma_gamma'', or ''none'' for purchases alone; in days. customer: any type with a hash operator class; rows whose customer or time is NULL are skipped and counted. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in the session''s TimeZone); infinite times are an error. amount: numeric, integer, real, double precision (the decimal number that it is printed as) or money; NULL is an order whose amount is not known; NaN and infinities are an error. A row of a negative amount is money that came back, no purchase: it is charged to the customer''s latest purchase day on or before it, and to none where there is none. The same model as from customer_history(at, amount) of each customer, to the last bit. Parameters must be the same in all rows; NULL stands for the default. NULL without rows.';

CREATE FUNCTION clv_orders_unit_trans(internal, anyelement, "any", "any", anycompatible, text, text, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_orders_unit_trans(internal, anyelement, "any", "any", anycompatible, text, text, text) IS 'part of clv_model() over orders: one row';

CREATE AGGREGATE clv_model(customer anyelement, at "any", amount "any", as_of anycompatible, model text, spend_model text, unit text) (
	SFUNC = clv_orders_unit_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = clv_orders_final,
	COMBINEFUNC = clv_orders_combine,
	SERIALFUNC = clv_orders_serialize,
	DESERIALFUNC = clv_orders_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(anyelement, "any", "any", anycompatible, text, text, text) IS
'clv_model straight from an orders table, without GROUP BY customer, as of the day as_of; later orders are ignored. model: see clv_models(). spend_model: ''gamma_gamma'', or ''none'' for purchases alone. unit: ''day'', ''week'', ''month'', ''quarter'' or ''year''; discrete and contract models count its calendar periods that have wholly ended at as_of. customer: any type with a hash operator class; rows whose customer or time is NULL are skipped and counted. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in the session''s TimeZone); infinite times are an error. amount: numeric, integer, real, double precision (the decimal number that it is printed as) or money; NULL is an order whose amount is not known; NaN and infinities are an error. A row of a negative amount is money that came back, no purchase: it is charged to the customer''s latest purchase day on or before it, and to none where there is none. The same model as from customer_history(at, amount) of each customer, to the last bit. Parameters must be the same in all rows; NULL stands for the default. NULL without rows.';

CREATE FUNCTION clv_orders_zone_trans(internal, anyelement, "any", "any", anycompatible, text, text, text, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_orders_zone_trans(internal, anyelement, "any", "any", anycompatible, text, text, text, text) IS 'part of clv_model() over orders: one row';

CREATE AGGREGATE clv_model(customer anyelement, at "any", amount "any", as_of anycompatible, model text, spend_model text, unit text, time_zone text) (
	SFUNC = clv_orders_zone_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = clv_orders_final,
	COMBINEFUNC = clv_orders_combine,
	SERIALFUNC = clv_orders_serialize,
	DESERIALFUNC = clv_orders_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(anyelement, "any", "any", anycompatible, text, text, text, text) IS
'clv_model straight from an orders table, without GROUP BY customer, as of the day as_of; later orders are ignored. model: see clv_models(). spend_model: ''gamma_gamma'', or ''none'' for purchases alone. unit: ''day'', ''week'', ''month'', ''quarter'' or ''year''; discrete and contract models count its calendar periods that have wholly ended at as_of. customer: any type with a hash operator class; rows whose customer or time is NULL are skipped and counted. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in time_zone); infinite times are an error. amount: numeric, integer, real, double precision (the decimal number that it is printed as) or money; NULL is an order whose amount is not known; NaN and infinities are an error. A row of a negative amount is money that came back, no purchase: it is charged to the customer''s latest purchase day on or before it, and to none where there is none. The same model as from customer_history(at, amount) of each customer, to the last bit. Parameters must be the same in all rows; NULL stands for the default. NULL without rows.';
