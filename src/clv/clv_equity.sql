-- ---------------------------------------------------------------------------
-- customer_equity(): what all customers are worth together
--
-- The state is flat, of type bytea, so that partition-wise, parallel and
-- distributed plans can split the aggregates.
-- ---------------------------------------------------------------------------

CREATE FUNCTION customer_equity_combine(bytea, bytea)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_equity_combine(bytea, bytea) IS
'part of customer_equity() and customer_equity_se(): two states as one';

CREATE FUNCTION customer_equity_final(bytea)
	RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_equity_final(bytea) IS
'part of customer_equity(): the sum of a state';

CREATE FUNCTION customer_equity_se_final(bytea)
	RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_equity_se_final(bytea) IS
'part of customer_equity_se(): the standard error of a state';

CREATE FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, history customer_history) (
	SFUNC = customer_equity_history_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, customer_history) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. As clv() has it where nothing is said: as of the model''s own day (22004 if it has none), horizon 12 months, discount_rate 0.10, margin 1.';

CREATE FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history, anycompatible)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history, anycompatible) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, history customer_history, as_of anycompatible) (
	SFUNC = customer_equity_history_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, customer_history, anycompatible) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. as_of: the day until which histories are complete, NULL = the model''s own, 22004 if it has none. As clv() has it where nothing is said: horizon 12 months, discount_rate 0.10, margin 1. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history, anycompatible, interval)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history, anycompatible, interval) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, history customer_history, as_of anycompatible, horizon interval) (
	SFUNC = customer_equity_history_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, customer_history, anycompatible, interval) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. as_of: the day until which histories are complete, NULL = the model''s own, 22004 if it has none. horizon: how far ahead. As clv() has it where nothing is said: discount_rate 0.10, margin 1. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history, anycompatible, interval, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history, anycompatible, interval, double precision) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, history customer_history, as_of anycompatible, horizon interval, discount_rate double precision) (
	SFUNC = customer_equity_history_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, customer_history, anycompatible, interval, double precision) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. as_of: the day until which histories are complete, NULL = the model''s own, 22004 if it has none. horizon: how far ahead. discount_rate: annual, 0.10 = 10%, at most 1. As clv() has it where nothing is said: margin 1. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history, anycompatible, interval, double precision, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history, anycompatible, interval, double precision, double precision) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, history customer_history, as_of anycompatible, horizon interval, discount_rate double precision, margin double precision) (
	SFUNC = customer_equity_history_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, customer_history, anycompatible, interval, double precision, double precision) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. as_of: the day until which histories are complete, NULL = the model''s own, 22004 if it has none. horizon: how far ahead. discount_rate: annual, 0.10 = 10%, at most 1. margin: share of spend that is kept. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION customer_equity_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision) (
	SFUNC = customer_equity_summary_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, double precision, double precision, double precision, double precision) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. frequency, recency, age, monetary_value: as clv_summary() gives them, in the model''s unit; NULL in one of the first three skips the row. As clv() has it where nothing is said: horizon 12 months, discount_rate 0.10, margin 1.';

CREATE FUNCTION customer_equity_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval) (
	SFUNC = customer_equity_summary_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, double precision, double precision, double precision, double precision, interval) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. frequency, recency, age, monetary_value: as clv_summary() gives them, in the model''s unit; NULL in one of the first three skips the row. horizon: how far ahead. As clv() has it where nothing is said: discount_rate 0.10, margin 1.';

CREATE FUNCTION customer_equity_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval, double precision) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval, discount_rate double precision) (
	SFUNC = customer_equity_summary_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, double precision, double precision, double precision, double precision, interval, double precision) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. frequency, recency, age, monetary_value: as clv_summary() gives them, in the model''s unit; NULL in one of the first three skips the row. horizon: how far ahead. discount_rate: annual, 0.10 = 10%, at most 1. As clv() has it where nothing is said: margin 1.';

CREATE FUNCTION customer_equity_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval, double precision, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval, double precision, double precision) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval, discount_rate double precision, margin double precision) (
	SFUNC = customer_equity_summary_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, double precision, double precision, double precision, double precision, interval, double precision, double precision) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. frequency, recency, age, monetary_value: as clv_summary() gives them, in the model''s unit; NULL in one of the first three skips the row. horizon: how far ahead. discount_rate: annual, 0.10 = 10%, at most 1. margin: share of spend that is kept.';

CREATE FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, history customer_history) (
	SFUNC = customer_equity_se_history_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, customer_history) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. As clv() has it where nothing is said: as of the model''s own day (22004 if it has none), horizon 12 months, discount_rate 0.10, margin 1.';

CREATE FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history, anycompatible)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history, anycompatible) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, history customer_history, as_of anycompatible) (
	SFUNC = customer_equity_se_history_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, customer_history, anycompatible) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. as_of: the day until which histories are complete, NULL = the model''s own, 22004 if it has none. As clv() has it where nothing is said: horizon 12 months, discount_rate 0.10, margin 1. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history, anycompatible, interval)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history, anycompatible, interval) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, history customer_history, as_of anycompatible, horizon interval) (
	SFUNC = customer_equity_se_history_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, customer_history, anycompatible, interval) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. as_of: the day until which histories are complete, NULL = the model''s own, 22004 if it has none. horizon: how far ahead. As clv() has it where nothing is said: discount_rate 0.10, margin 1. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history, anycompatible, interval, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history, anycompatible, interval, double precision) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, history customer_history, as_of anycompatible, horizon interval, discount_rate double precision) (
	SFUNC = customer_equity_se_history_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, customer_history, anycompatible, interval, double precision) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. as_of: the day until which histories are complete, NULL = the model''s own, 22004 if it has none. horizon: how far ahead. discount_rate: annual, 0.10 = 10%, at most 1. As clv() has it where nothing is said: margin 1. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history, anycompatible, interval, double precision, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history, anycompatible, interval, double precision, double precision) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, history customer_history, as_of anycompatible, horizon interval, discount_rate double precision, margin double precision) (
	SFUNC = customer_equity_se_history_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, customer_history, anycompatible, interval, double precision, double precision) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. as_of: the day until which histories are complete, NULL = the model''s own, 22004 if it has none. horizon: how far ahead. discount_rate: annual, 0.10 = 10%, at most 1. margin: share of spend that is kept. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION customer_equity_se_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision) (
	SFUNC = customer_equity_se_summary_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, double precision, double precision, double precision, double precision) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. frequency, recency, age, monetary_value: as clv_summary() gives them, in the model''s unit; NULL in one of the first three skips the row. As clv() has it where nothing is said: horizon 12 months, discount_rate 0.10, margin 1.';

CREATE FUNCTION customer_equity_se_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval) (
	SFUNC = customer_equity_se_summary_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, double precision, double precision, double precision, double precision, interval) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. frequency, recency, age, monetary_value: as clv_summary() gives them, in the model''s unit; NULL in one of the first three skips the row. horizon: how far ahead. As clv() has it where nothing is said: discount_rate 0.10, margin 1.';

CREATE FUNCTION customer_equity_se_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval, double precision) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval, discount_rate double precision) (
	SFUNC = customer_equity_se_summary_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, double precision, double precision, double precision, double precision, interval, double precision) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. frequency, recency, age, monetary_value: as clv_summary() gives them, in the model''s unit; NULL in one of the first three skips the row. horizon: how far ahead. discount_rate: annual, 0.10 = 10%, at most 1. As clv() has it where nothing is said: margin 1.';

CREATE FUNCTION customer_equity_se_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval, double precision, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval, double precision, double precision) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval, discount_rate double precision, margin double precision) (
	SFUNC = customer_equity_se_summary_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, double precision, double precision, double precision, double precision, interval, double precision, double precision) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. frequency, recency, age, monetary_value: as clv_summary() gives them, in the model''s unit; NULL in one of the first three skips the row. horizon: how far ahead. discount_rate: annual, 0.10 = 10%, at most 1. margin: share of spend that is kept.';
