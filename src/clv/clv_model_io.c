/*
 * clv_model_io.c
 *	  SQL-callable: clv_model in and out, by hand, and what it says of its fit.
 *
 * Promises: input is validated in full; estimates, standard errors and limits
 * are NULL where they are not known.
 * Never: fits or predicts.
 */
#include "clv/clv.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "fmgr/arguments.h"
#include "fmgr/as_of.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "math/wilson.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "value/value_type.h"

VALUE_TYPE(clv_model, .maker = "clv_model()", .check = clv_model_check)

/* ---------- by hand ---------- */

static void
parameter_names_error(const ClvModel *model, const char *wrong, const char *key)
{
	const SpendModel *spend = spend_model(SPEND_GAMMA_GAMMA);
	StringInfoData names;
	StringInfoData spends;

	initStringInfo(&names);
	initStringInfo(&spends);
	for (int i = 0; i < model->purchase->nparams; i++)
		appendStringInfo(&names, "%s\"%s\"", i > 0 ? ", " : "", model->purchase->param_names[i]);
	for (int i = 0; i < spend->nparams; i++)
		appendStringInfo(&spends, "%s\"%s\"", i > 0 ? ", " : "", spend->param_names[i]);
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s \"%s\" of model \"%s\"", wrong, key, model->purchase->name),
			 errhint("Give %s, and for the spend model also %s.", names.data, spends.data)));
}

/* Where a parameter of that name goes, or NULL. */
static double *
find_param(ClvModel *model, const char *key, int len)
{
	const SpendModel *spend = spend_model(SPEND_GAMMA_GAMMA);

	for (int i = 0; i < model->purchase->nparams; i++)
		if (strlen(model->purchase->param_names[i]) == len &&
			memcmp(model->purchase->param_names[i], key, len) == 0)
			return &model->fit.params[i];
	for (int i = 0; i < spend->nparams; i++)
		if (strlen(spend->param_names[i]) == len && memcmp(spend->param_names[i], key, len) == 0)
		{
			model->has_spend = true;
			return &model->spend.params[i];
		}
	return NULL;
}

static double
numeric_value(const ClvModel *model, const char *key, const JsonbValue *value, bool is_spend)
{
	double		number = 0;

	if (value->type == jbvNumeric)
		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8,
													NumericGetDatum(value->val.numeric)));
	/* written so that NaN fails */
	if (!(number > 0 && isfinite(number)))
		parameter_names_error(model, "not a number above 0: parameter", key);
	if (!is_spend && !(number >= CLV_PARAM_MIN && number <= CLV_PARAM_MAX))
		parameter_names_error(model, "not between 1e-12 and 1e12: parameter", key);
	return number;
}

static void
read_parameters(ClvModel *model, Jsonb *parameters)
{
	JsonbIterator *it = JsonbIteratorInit(&parameters->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *key = NULL;

	if (!JB_ROOT_IS_OBJECT(parameters))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("parameters must be a JSON object"),
				 errhint("Write them by name: '{\"r\": 0.243, \"alpha\": 4.414, \"a\": 0.793, \"b\": 2.426}'.")));
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
		{
			double	   *param = find_param(model, key, strlen(key));

			if (param == NULL)
				parameter_names_error(model, "unknown parameter", key);
			*param = numeric_value(model, key, &value,
								   param >= model->spend.params &&
								   param < model->spend.params + SPEND_PARAMS);
		}
	}
	for (int i = 0; i < model->purchase->nparams; i++)
		if (isnan(model->fit.params[i]))
			parameter_names_error(model, "missing parameter", model->purchase->param_names[i]);
	for (int i = 0; model->has_spend && i < SPEND_PARAMS; i++)
		if (isnan(model->spend.params[i]))
			parameter_names_error(model, "missing parameter",
								  clv_spend_model_of(model)->param_names[i]);
}

/* A symmetric matrix of the fit's size. */
static void
read_covariance(FitResult *fit, ArrayType *array, const char *name)
{
	int			n = fit->nparams;
	Datum	   *elements;
	bool	   *nulls;
	int			count;

	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &elements, &nulls, &count);
	if (ARR_NDIM(array) != 2 || ARR_DIMS(array)[0] != n || ARR_DIMS(array)[1] != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a matrix of %d by %d numbers", name, n, n),
				 errhint("In the order of the parameters in clv_parameters().")));
	for (int i = 0; i < n * n; i++)
	{
		fit->covariance[i] = nulls[i] ? get_float8_nan() : DatumGetFloat8(elements[i]);
		if (!isfinite(fit->covariance[i]) || (i % (n + 1) == 0 && fit->covariance[i] < 0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s must have finite numbers, and variances of 0 or more", name)));
	}
	for (int i = 0; i < n; i++)
		for (int j = 0; j < i; j++)
			if (fit->covariance[i * n + j] != fit->covariance[j * n + i])
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("%s must be symmetric", name)));
	if (!clv_covariance_possible(fit->covariance, n))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is no covariance", name),
				 errhint("No covariance may exceed the product of the two standard errors, nor all together contradict each other.")));
}

static void
begin_fit(FitResult *fit, int nparams)
{
	fit->nparams = nparams;
	fit->reason = FIT_GIVEN;
	fit->reason_param = -1;
	fit->log_likelihood = fit->gradient_norm = get_float8_nan();
	for (int i = 0; i < MODEL_PARAMS_MAX; i++)
		fit->params[i] = get_float8_nan();
	for (int i = 0; i < MODEL_PARAMS_MAX * MODEL_PARAMS_MAX; i++)
		fit->covariance[i] = get_float8_nan();
}

static Datum
model_by_hand(FunctionCallInfo fcinfo, Jsonb *parameters)
{
	ClvModel	model;
	AsOf		as_of;

	memset(&model, 0, sizeof(model));
	model.purchase = clv_purchase_parse(PG_GETARG_TEXT_PP(0));
	model.unit = PG_ARGISNULL(2) ? TIME_UNIT_DAY : time_unit_parse(PG_GETARG_TEXT_PP(2));
	model.correlation = get_float8_nan();
	begin_fit(&model.fit, model.purchase->nparams);
	begin_fit(&model.spend, SPEND_PARAMS);
	read_parameters(&model, parameters);
	as_of = argument_as_of(fcinfo, 3, DATEOID, AS_OF_HINT_COMPLETE);
	model.has_as_of = as_of.kind != AS_OF_NONE;
	if (model.has_as_of)
		model.as_of = as_of_last_day(&as_of, NULL);
	if (!PG_ARGISNULL(4))
		read_covariance(&model.fit, PG_GETARG_ARRAYTYPE_P(4), "covariance");
	if (!PG_ARGISNULL(5) && !model.has_spend)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("spend_covariance given, but no parameters of spend"),
				 errhint("Add \"p\", \"q\" and \"v\" to the parameters.")));
	if (!PG_ARGISNULL(5))
		read_covariance(&model.spend, PG_GETARG_ARRAYTYPE_P(5), "spend_covariance");
	PG_RETURN_POINTER(clv_model_pack(&model));
}

PG_FUNCTION_INFO_V1(clv_model_by_hand);
Datum
clv_model_by_hand(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	return model_by_hand(fcinfo, PG_GETARG_JSONB_P(1));
}

/* The same for a literal, which is text before it is anything else. */
PG_FUNCTION_INFO_V1(clv_model_by_hand_text);
Datum
clv_model_by_hand_text(PG_FUNCTION_ARGS)
{
	char	   *json;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	json = text_to_cstring(PG_GETARG_TEXT_PP(1));
	return model_by_hand(fcinfo,
						 DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(json))));
}

/* ---------- rows ---------- */

/* Limits in the logarithm: a parameter is positive, and they stay so. */
static void
put_parameters(FunctionCallInfo fcinfo, const FitResult *fit, const char *const *names, double z)
{
	for (int i = 0; i < fit->nparams; i++)
	{
		double		estimate = fit->params[i];
		double		error = sqrt(fit->covariance[i * fit->nparams + i]);
		double		factor = exp(z * error / estimate);
		Datum		values[5];
		bool		nulls[5];

		values[0] = CStringGetTextDatum(names[i]);
		nulls[0] = false;
		set_finite_float8(values, nulls, 1, estimate);
		set_finite_float8(values, nulls, 2, error);
		set_finite_float8(values, nulls, 3, estimate / factor);
		set_finite_float8(values, nulls, 4, estimate * factor);
		retention_put_row(fcinfo, values, nulls);
	}
}

PG_FUNCTION_INFO_V1(clv_parameters);
Datum
clv_parameters(PG_FUNCTION_ARGS)
{
	ClvModel	model;
	double		z;

	InitMaterializedSRF(fcinfo, 0);
	z = normal_two_sided_z(argument_confidence(fcinfo, 1));
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	clv_model_unpack(PG_GETARG_CLV_MODEL_PP(0), &model);
	put_parameters(fcinfo, &model.fit, model.purchase->param_names, z);
	if (model.has_spend)
		put_parameters(fcinfo, &model.spend, clv_spend_model_of(&model)->param_names, z);
	return (Datum) 0;
}

static void
put_covariance(FunctionCallInfo fcinfo, const FitResult *fit, const char *const *names)
{
	for (int i = 0; i < fit->nparams; i++)
		for (int j = 0; j < fit->nparams; j++)
		{
			Datum		values[3];
			bool		nulls[3] = {false, false, false};

			values[0] = CStringGetTextDatum(names[i]);
			values[1] = CStringGetTextDatum(names[j]);
			set_finite_float8(values, nulls, 2, fit->covariance[i * fit->nparams + j]);
			retention_put_row(fcinfo, values, nulls);
		}
}

PG_FUNCTION_INFO_V1(clv_covariance);
Datum
clv_covariance(PG_FUNCTION_ARGS)
{
	ClvModel	model;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	clv_model_unpack(PG_GETARG_CLV_MODEL_PP(0), &model);
	put_covariance(fcinfo, &model.fit, model.purchase->param_names);
	if (model.has_spend)
		put_covariance(fcinfo, &model.spend, clv_spend_model_of(&model)->param_names);
	return (Datum) 0;
}

/* n, log-likelihood, AIC, BIC, from column i on */
static void
set_fit(Datum *values, bool *nulls, int i, const FitResult *fit, int64 n)
{
	double		k = fit->nparams;

	nulls[i] = fit->reason == FIT_GIVEN;
	values[i] = Int64GetDatum(n);
	set_finite_float8(values, nulls, i + 1, fit->log_likelihood);
	set_finite_float8(values, nulls, i + 2, 2 * k - 2 * fit->log_likelihood);
	set_finite_float8(values, nulls, i + 3, n > 0 ? k * log((double) n) - 2 * fit->log_likelihood :
					  get_float8_nan());
}

/* Why the whole has not converged; NULL if it has, or was given. */
static char *
reason_of(const ClvModel *model)
{
	const char *purchase = clv_fit_reason(&model->fit, model->purchase->param_names);
	const char *spend = model->has_spend ?
	clv_fit_reason(&model->spend, clv_spend_model_of(model)->param_names) : NULL;

	if (purchase == NULL && spend == NULL)
		return NULL;
	if (spend == NULL)
		return pstrdup(purchase);
	if (purchase == NULL)
		return psprintf("spend: %s", spend);
	return psprintf("%s; spend: %s", purchase, spend);
}

#define FIT_COLUMNS 23

PG_FUNCTION_INFO_V1(clv_fit);
Datum
clv_fit(PG_FUNCTION_ARGS)
{
	ClvModel	model;
	Datum		values[FIT_COLUMNS] = {0};
	bool		nulls[FIT_COLUMNS];
	bool		given;
	char	   *reason;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	clv_model_unpack(PG_GETARG_CLV_MODEL_PP(0), &model);
	memset(nulls, true, sizeof(nulls));
	given = model.fit.reason == FIT_GIVEN;
	reason = reason_of(&model);
	values[0] = CStringGetTextDatum(model.purchase->name);
	values[1] = CStringGetTextDatum(model.has_spend ? clv_spend_model_of(&model)->name : "none");
	values[2] = CStringGetTextDatum(time_unit_names[model.unit]);
	nulls[0] = nulls[1] = nulls[2] = false;
	nulls[3] = !model.has_as_of;
	values[3] = DateADTGetDatum(model.as_of);
	set_fit(values, nulls, 4, &model.fit, model.customers);
	set_float8(values, nulls, 8, model.correlation);
	nulls[9] = nulls[8];
	values[9] = BoolGetDatum(fabs(model.correlation) > CLV_CORRELATION_WARNING);
	nulls[10] = given;
	values[10] = BoolGetDatum(model.fit.converged &&
							  (!model.has_spend || model.spend.converged));
	nulls[11] = reason == NULL;
	if (reason != NULL)
		values[11] = CStringGetTextDatum(reason);
	nulls[12] = given;
	values[12] = Int32GetDatum(model.fit.iterations);
	set_finite_float8(values, nulls, 13, model.fit.gradient_norm);
	nulls[14] = given;
	values[14] = Int64GetDatum(model.skipped);
	if (model.has_spend)
	{
		set_fit(values, nulls, 15, &model.spend, model.spend_customers);
		nulls[19] = nulls[20] = nulls[22] = model.spend.reason == FIT_GIVEN;
		values[19] = Int64GetDatum(model.spend_left_out);
		values[20] = Int32GetDatum(model.spend.iterations);
		set_finite_float8(values, nulls, 21, model.spend.gradient_norm);
		values[22] = BoolGetDatum(model.spend.converged);
	}
	retention_put_row(fcinfo, values, nulls);
	return (Datum) 0;
}

/* ---------- jsonb ---------- */

static void
clv_model_io_json_number(StringInfo buf, double value)
{
	char		text[DOUBLE_SHORTEST_DECIMAL_LEN];

	if (!isfinite(value))
	{
		appendStringInfoString(buf, "null");
		return;
	}
	double_to_shortest_decimal_buf(value, text);
	appendStringInfoString(buf, text);
}

static void
json_fit(StringInfo buf, const char *model, const FitResult *fit, const char *const *names,
		 int64 customers)
{
	const char *reason = clv_fit_reason(fit, names);

	appendStringInfo(buf, "{\"model\":\"%s\",\"parameters\":{", model);
	for (int i = 0; i < fit->nparams; i++)
	{
		appendStringInfo(buf, "%s\"%s\":", i > 0 ? "," : "", names[i]);
		clv_model_io_json_number(buf, fit->params[i]);
	}
	appendStringInfoString(buf, "},\"covariance\":[");
	for (int i = 0; i < fit->nparams; i++)
		for (int j = 0; j < fit->nparams; j++)
		{
			appendStringInfoString(buf, j > 0 ? "," : i > 0 ? ",[" : "[");
			clv_model_io_json_number(buf, fit->covariance[i * fit->nparams + j]);
			if (j == fit->nparams - 1)
				appendStringInfoChar(buf, ']');
		}
	appendStringInfoString(buf, "],\"log_likelihood\":");
	clv_model_io_json_number(buf, fit->log_likelihood);
	appendStringInfo(buf, ",\"n\":" INT64_FORMAT ",\"iterations\":%d,\"gradient_norm\":",
					 customers, fit->iterations);
	clv_model_io_json_number(buf, fit->gradient_norm);
	appendStringInfo(buf, ",\"given\":%s,\"converged\":%s,\"reason\":",
					 fit->reason == FIT_GIVEN ? "true" : "false",
					 fit->reason == FIT_GIVEN ? "null" : fit->converged ? "true" : "false");
	if (reason == NULL)
		appendStringInfoString(buf, "null}");
	else
		appendStringInfo(buf, "\"%s\"}", reason);
}

PG_FUNCTION_INFO_V1(clv_model_to_jsonb);
Datum
clv_model_to_jsonb(PG_FUNCTION_ARGS)
{
	ClvModel	model;
	StringInfoData buf;
	char		text[MAXDATELEN + 1];

	clv_model_unpack(PG_GETARG_CLV_MODEL_PP(0), &model);
	initStringInfo(&buf);
	appendStringInfo(&buf, "{\"unit\":\"%s\",\"as_of\":", time_unit_names[model.unit]);
	if (model.has_as_of)
	{
		JsonEncodeDateTime(text, DateADTGetDatum(model.as_of), DATEOID, NULL);
		appendStringInfo(&buf, "\"%s\"", text);
	}
	else
		appendStringInfoString(&buf, "null");
	appendStringInfo(&buf, ",\"skipped\":" INT64_FORMAT ",\"purchases\":", model.skipped);
	json_fit(&buf, model.purchase->name, &model.fit, model.purchase->param_names,
			 model.customers);
	appendStringInfoString(&buf, ",\"spend\":");
	if (model.has_spend)
	{
		const SpendModel *spend = clv_spend_model_of(&model);

		json_fit(&buf, spend->name, &model.spend, spend->param_names, model.spend_customers);
		appendStringInfo(&buf, ",\"spend_left_out\":" INT64_FORMAT ",\"spend_frequency_correlation\":",
						 model.spend_left_out);
		clv_model_io_json_number(&buf, model.correlation);
	}
	else
		appendStringInfoString(&buf, "null");
	appendStringInfoChar(&buf, '}');
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data)));
}
