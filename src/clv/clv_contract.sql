-- ---------------------------------------------------------------------------
-- contracts: survivors, and cohort tables
-- ---------------------------------------------------------------------------

CREATE FUNCTION clv_model_survivors_combine(bytea, bytea) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_survivors_combine(bytea, bytea) IS
'part of clv_model() over survivors: two states as one';

CREATE FUNCTION clv_model_survivors_final(bytea) RETURNS clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_survivors_final(bytea) IS
'part of clv_model() over survivors: the fit of a state';

CREATE FUNCTION clv_model_survivors_trans(bytea, integer, bigint, text) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_survivors_trans(bytea, integer, bigint, text) IS
'part of clv_model() over survivors: one period';

CREATE AGGREGATE clv_model(period integer, survivors bigint, model text) (
	SFUNC = clv_model_survivors_trans,
	STYPE = bytea,
	SSPACE = 256,
	FINALFUNC = clv_model_survivors_final,
	COMBINEFUNC = clv_model_survivors_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(integer, bigint, text) IS
'a model of contracts fitted to the survivors of one cohort: period 0, 1, .. and the customers still there then, period 0 being all who began. model: one of kind ''contract'' in clv_models(). unit of a period: ''day'', ''week'', ''month'', ''quarter'', ''year''; here a year. 22023 for a period that is missing or comes twice, and for survivors that grow. Rows with a NULL period or number are skipped. NULL without rows.';

CREATE FUNCTION clv_model_survivors_trans(bytea, bigint, bigint, text) RETURNS bytea
	AS 'MODULE_PATHNAME', 'clv_model_survivors_trans_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_survivors_trans(bytea, bigint, bigint, text) IS
'part of clv_model() over survivors: one period';

CREATE AGGREGATE clv_model(period bigint, survivors bigint, model text) (
	SFUNC = clv_model_survivors_trans,
	STYPE = bytea,
	SSPACE = 256,
	FINALFUNC = clv_model_survivors_final,
	COMBINEFUNC = clv_model_survivors_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(bigint, bigint, text) IS
'a model of contracts fitted to the survivors of one cohort: period 0, 1, .. and the customers still there then, period 0 being all who began. model: one of kind ''contract'' in clv_models(). unit of a period: ''day'', ''week'', ''month'', ''quarter'', ''year''; here a year. 22023 for a period that is missing or comes twice, and for survivors that grow. Rows with a NULL period or number are skipped. NULL without rows.';

CREATE FUNCTION clv_model_survivors_trans(bytea, integer, bigint, text, text) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_survivors_trans(bytea, integer, bigint, text, text) IS
'part of clv_model() over survivors: one period';

CREATE AGGREGATE clv_model(period integer, survivors bigint, model text, unit text) (
	SFUNC = clv_model_survivors_trans,
	STYPE = bytea,
	SSPACE = 256,
	FINALFUNC = clv_model_survivors_final,
	COMBINEFUNC = clv_model_survivors_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(integer, bigint, text, text) IS
'a model of contracts fitted to the survivors of one cohort: period 0, 1, .. and the customers still there then, period 0 being all who began. model: one of kind ''contract'' in clv_models(). unit of a period: ''day'', ''week'', ''month'', ''quarter'', ''year'' (default). 22023 for a period that is missing or comes twice, and for survivors that grow. Rows with a NULL period or number are skipped. NULL without rows.';

CREATE FUNCTION clv_model_survivors_trans(bytea, bigint, bigint, text, text) RETURNS bytea
	AS 'MODULE_PATHNAME', 'clv_model_survivors_trans_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_survivors_trans(bytea, bigint, bigint, text, text) IS
'part of clv_model() over survivors: one period';

CREATE AGGREGATE clv_model(period bigint, survivors bigint, model text, unit text) (
	SFUNC = clv_model_survivors_trans,
	STYPE = bytea,
	SSPACE = 256,
	FINALFUNC = clv_model_survivors_final,
	COMBINEFUNC = clv_model_survivors_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(bigint, bigint, text, text) IS
'a model of contracts fitted to the survivors of one cohort: period 0, 1, .. and the customers still there then, period 0 being all who began. model: one of kind ''contract'' in clv_models(). unit of a period: ''day'', ''week'', ''month'', ''quarter'', ''year'' (default). 22023 for a period that is missing or comes twice, and for survivors that grow. Rows with a NULL period or number are skipped. NULL without rows.';

CREATE FUNCTION clv_model(cohorts cohort_table, as_of text DEFAULT NULL, model text DEFAULT 'sbg')
	RETURNS clv_model
	AS 'MODULE_PATHNAME', 'clv_model_cohorts' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model(cohort_table, text, text) IS
'a model of contracts fitted to all cohorts of a table: each counts with its periods that had wholly ended at as_of (as in cohort_rows(); NULL = the latest event), and a customer has left at the first period without activity (measure ''streak''). model: one of contracts, see clv_models(). The unit is the table''s period. NULL for NULL and empty tables; 22023 for periods that are no unit, such as hours.';

CREATE FUNCTION clv_model(cohorts cohort_table, as_of "any", model text DEFAULT 'sbg')
	RETURNS clv_model
	AS 'MODULE_PATHNAME', 'clv_model_cohorts_typed' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model(cohort_table, "any", text) IS
'a model of contracts fitted to all cohorts of a table: each counts with its periods that had wholly ended at as_of (as in cohort_rows(); NULL = the latest event), and a customer has left at the first period without activity (measure ''streak''). model: one of contracts, see clv_models(). The unit is the table''s period. NULL for NULL and empty tables; 22023 for periods that are no unit, such as hours.';

CREATE FUNCTION contract_survival(model clv_model, period integer)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_contract_survival' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contract_survival(clv_model, integer) IS
'S(t): the share of customers still there after t renewals, of contract models. Fader and Hardie (2007). 22023 for other models.';

CREATE FUNCTION contract_retention(model clv_model, period integer)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_contract_retention' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contract_retention(clv_model, integer) IS
'r(t) = S(t) / S(t - 1): the share of those who were still there that renew at t = 1, 2, .., of contract models. It grows with t, for those who leave early do so early. Fader and Hardie (2007). 22023 for other models.';

CREATE FUNCTION contract_lifetime(model clv_model, renewals integer DEFAULT 0, discount_rate double precision DEFAULT 0.10)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_contract_lifetime' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contract_lifetime(clv_model, integer, double precision) IS
'discounted expected lifetime in periods, of contract models. renewals = 0: of a new customer, the first period included; n > 0: residual lifetime just before the n-th renewal, which is not discounted. Times the margin of a period it is a value. discount_rate: annual; 0: NULL where the sum is infinite. Fader and Hardie (2010). 22023 for other models.';
