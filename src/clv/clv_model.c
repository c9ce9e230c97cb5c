/*
 * clv_model.c
 *	  The clv_model value: its bytes.
 *
 * Bytes, in the forms of byte_reader.h; "s" is a signed integer:
 *	  tag, flags, purchase kind, unit (one byte each)
 *	  s as_of (day since 2000-01-01)				if MODEL_HAS_AS_OF
 *	  customers, skipped, fit
 *	  customers, left out, correlation, fit			if MODEL_HAS_SPEND
 * A fit:
 *	  reason, its parameter + 1, flags (one byte each), iterations
 *	  parameters									if FIT_HAS_PARAMS
 *	  lower triangle of the covariance				if FIT_HAS_COVARIANCE
 *	  log-likelihood, gradient norm					unless given by hand
 * where all numbers that are not counts are doubles.
 *
 * Promises: what passes clv_model_check() has a known model, finite positive
 * parameters and a finite covariance; equal models have equal bytes.
 * Never: reads past the length that it was given.
 */
#include "clv/clv.h"

#include <math.h>

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "math/small_matrix.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"
#include "value/byte_reader.h"
#include "value/byte_writer.h"

#define MODEL_VERSION		1
#define MODEL_HAS_AS_OF		1
#define MODEL_HAS_SPEND		2
#define FIT_HAS_PARAMS		1
#define FIT_HAS_COVARIANCE	2

double
clv_interval_units(const Interval *interval, TimeUnit unit, const char *name)
{
	double		days = interval->month * time_unit_days[TIME_UNIT_MONTH] + interval->day +
	interval->time / (double) USECS_PER_DAY;

	if (RETENTION_INTERVAL_IS_INFINITE(interval) || days < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a finite interval of 0 or more, not \"%s\"", name,
						DatumGetCString(DirectFunctionCall1(interval_out,
															IntervalPGetDatum(interval))))));
	/* '12' is twelve seconds */
	if (days > 0 && days < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a day or longer, not \"%s\"", name,
						DatumGetCString(DirectFunctionCall1(interval_out,
															IntervalPGetDatum(interval)))),
				 errhint("A number alone is so many seconds: write '12 months' or '90 days'.")));
	return days / time_unit_days[unit];
}

const char *
clv_fit_reason(const FitResult *fit, const char *const *param_names)
{
	switch (fit->reason)
	{
		case FIT_CONVERGED:
		case FIT_GIVEN:
			return NULL;
		case FIT_NO_CUSTOMERS:
			return "no customers to fit";
		case FIT_NO_REPEATS:
			return "no customer made a repeat purchase";
		case FIT_TO_ZERO:
			return psprintf("parameter %s runs to zero", param_names[fit->reason_param]);
		case FIT_TO_INFINITY:
			return psprintf("parameter %s runs to infinity", param_names[fit->reason_param]);
		case FIT_FLAT:
			return "the likelihood is flat: these customers do not tell the parameters apart";
		case FIT_STOPPED:
			return "the search stopped before it reached a maximum";
	}
	return "unknown";
}

/* ---------- writing ---------- */

static bool
all_finite(const double *values, int n)
{
	for (int i = 0; i < n; i++)
		if (!isfinite(values[i]))
			return false;
	return true;
}

static bool
params_valid(const double *params, int n)
{
	for (int i = 0; i < n; i++)
		if (!(params[i] > 0))
			return false;
	return all_finite(params, n);
}

bool
clv_covariance_possible(const double *covariance, int n)
{
	double		correlation[DENSE_MAX * DENSE_MAX];
	double		values[DENSE_MAX];
	double		vectors[DENSE_MAX * DENSE_MAX];

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			double		scale = sqrt(covariance[i * n + i]) * sqrt(covariance[j * n + j]);

			/* also of a negative variance */
			if (!(scale > 0) && covariance[i * n + j] != 0)
				return false;
			correlation[i * n + j] = scale > 0 ? covariance[i * n + j] / scale : 0;
			if (!isfinite(correlation[i * n + j]))
				return false;
		}
	symmetric_eigen(n, correlation, values, vectors);
	/* rounding may leave a trace below 0 */
	return values[0] > -1e-8;
}

static void
put_fit(StringInfo buf, const FitResult *fit, bool spend)
{
	int			n = fit->nparams;
	int			flags = 0;

	if (params_valid(fit->params, n))
		flags |= FIT_HAS_PARAMS;
	if (flags != 0 && all_finite(fit->covariance, n * n) &&
		clv_covariance_possible(fit->covariance, n))
		flags |= FIT_HAS_COVARIANCE;
	writer_byte(buf, fit->reason);
	writer_byte(buf, fit->reason_param + 1);
	writer_byte(buf, flags);
	writer_uint(buf, fit->iterations);
	for (int i = 0; (flags & FIT_HAS_PARAMS) && i < n; i++)
		writer_double(buf, spend ? fit->params[i] :
					  Max(CLV_PARAM_MIN, Min(CLV_PARAM_MAX, fit->params[i])));
	for (int i = 0; (flags & FIT_HAS_COVARIANCE) && i < n; i++)
		for (int j = 0; j <= i; j++)
			writer_double(buf, fit->covariance[i * n + j]);
	if (fit->reason != FIT_GIVEN)
	{
		writer_double(buf, fit->log_likelihood);
		writer_double(buf, fit->gradient_norm);
	}
}

ClvModelValue *
clv_model_pack(const ClvModel *model)
{
	StringInfoData buf;
	ClvModelValue *value;

	writer_begin(&buf, 512, MODEL_VERSION, (model->has_as_of ? MODEL_HAS_AS_OF : 0) |
				 (model->has_spend ? MODEL_HAS_SPEND : 0));
	writer_byte(&buf, model->purchase->kind);
	writer_byte(&buf, model->unit);
	if (model->has_as_of)
		writer_int(&buf, model->as_of);
	writer_uint(&buf, model->customers);
	writer_uint(&buf, model->skipped);
	put_fit(&buf, &model->fit, false);
	if (model->has_spend)
	{
		writer_uint(&buf, model->spend_customers);
		writer_uint(&buf, model->spend_left_out);
		writer_double(&buf, model->correlation);
		put_fit(&buf, &model->spend, true);
	}
	value = writer_finish(&buf);
	/* only a state that somebody made by hand comes to this */
	if (clv_model_check(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("state of clv_model is corrupt: no model comes of it")));
	return value;
}

/* ---------- reading ---------- */

static void
get_covariance(ByteReader *reader, FitResult *fit)
{
	int			n = fit->nparams;

	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
			fit->covariance[i * n + j] = fit->covariance[j * n + i] =
				reader_double(reader, "number");
	if (reader->error == NULL)
		reader_require(reader, all_finite(fit->covariance, n * n) &&
					   clv_covariance_possible(fit->covariance, n), "covariance");
}

static void
get_fit(ByteReader *reader, FitResult *fit, int nparams, bool spend)
{
	int			flags;
	bool		at_end;

	fit->nparams = nparams;
	fit->reason = (FitReason) reader_byte(reader, FIT_REASON_LAST, "reason");
	fit->reason_param = reader_byte(reader, nparams, "reason") - 1;
	at_end = fit->reason == FIT_TO_ZERO || fit->reason == FIT_TO_INFINITY;
	reader_require(reader, at_end == (fit->reason_param >= 0), "reason");
	fit->converged = fit->reason == FIT_CONVERGED;
	flags = reader_byte(reader, FIT_HAS_PARAMS | FIT_HAS_COVARIANCE, "flags");
	reader_require(reader, flags != FIT_HAS_COVARIANCE &&
				   ((flags & FIT_HAS_PARAMS) || fit->reason == FIT_NO_CUSTOMERS), "flags");
	fit->iterations = (int) reader_uint(reader, PG_INT32_MAX, "iterations");
	for (int i = 0; i < nparams * nparams; i++)
		fit->covariance[i] = get_float8_nan();
	for (int i = 0; i < nparams; i++)
		fit->params[i] = (flags & FIT_HAS_PARAMS) ? reader_double(reader, "number") :
			get_float8_nan();
	reader_require(reader, !(flags & FIT_HAS_PARAMS) || params_valid(fit->params, nparams),
				   "parameters");
	for (int i = 0; !spend && i < nparams; i++)
		reader_require(reader, !(fit->params[i] < CLV_PARAM_MIN || fit->params[i] > CLV_PARAM_MAX),
					   "parameters");
	if (flags & FIT_HAS_COVARIANCE)
		get_covariance(reader, fit);
	fit->log_likelihood = fit->gradient_norm = get_float8_nan();
	if (fit->reason != FIT_GIVEN)
	{
		fit->log_likelihood = reader_double(reader, "number");
		fit->gradient_norm = reader_double(reader, "number");
	}
}

static int64
get_count(ByteReader *reader, const char *what)
{
	return (int64) reader_uint(reader, PG_INT64_MAX, what);
}

static void
clv_model_read_model(ByteReader *reader, const char *data, Size len, ClvModel *model)
{
	uint8		flags = reader_begin(reader, data, len, MODEL_VERSION,
									 MODEL_HAS_AS_OF | MODEL_HAS_SPEND);

	memset(model, 0, sizeof(ClvModel));
	model->purchase = purchase_model(reader_byte(reader, PG_UINT8_MAX, "model"));
	reader_require(reader, model->purchase != NULL, "model");
	if (reader->error != NULL)
		return;
	model->unit = (TimeUnit) reader_byte(reader, TIME_UNIT_LAST, "unit");
	model->has_as_of = (flags & MODEL_HAS_AS_OF) != 0;
	model->has_spend = (flags & MODEL_HAS_SPEND) != 0;
	if (model->has_as_of)
	{
		model->as_of = (DateADT) reader_int(reader, PG_INT32_MIN, PG_INT32_MAX, "date");
		reader_require(reader, !DATE_NOT_FINITE(model->as_of) && IS_VALID_DATE(model->as_of), "date");
	}
	model->customers = get_count(reader, "number of customers");
	model->skipped = get_count(reader, "number of rows");
	get_fit(reader, &model->fit, model->purchase->nparams, false);
	model->correlation = get_float8_nan();
	if (model->has_spend)
	{
		model->spend_customers = get_count(reader, "number of customers");
		model->spend_left_out = get_count(reader, "number of customers");
		model->correlation = reader_double(reader, "number");
		reader_require(reader, !(fabs(model->correlation) > 1), "correlation");
		get_fit(reader, &model->spend, SPEND_PARAMS, true);
	}
	(void) reader_end(reader);
}

const char *
clv_model_check(const char *data, Size len)
{
	ByteReader	reader;
	ClvModel	model;

	clv_model_read_model(&reader, data, len, &model);
	return reader.error;
}

void
clv_model_unpack(const ClvModelValue *value, ClvModel *model)
{
	ByteReader	reader;

	clv_model_read_model(&reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), model);
	if (reader.error != NULL)
		reader_corrupt(&reader, "clv_model");
}
