/*
 * clv_model.c
 *	  The clv_model value: its bytes.
 *
 * Bytes, integers and IEEE 754 doubles in network order:
 *	  version (1), purchase kind, unit, flags (one byte each)
 *	  as_of (4, day since 2000-01-01)				if MODEL_HAS_AS_OF
 *	  customers (8), skipped (8), fit
 *	  customers, left out, correlation (8 each), fit	if MODEL_HAS_SPEND
 * A fit:
 *	  reason, its parameter + 1, flags (one byte each), iterations (4)
 *	  parameters (8 each)							if FIT_HAS_PARAMS
 *	  lower triangle of the covariance (8 each)		if FIT_HAS_COVARIANCE
 *	  log-likelihood, gradient norm (8 each)		unless given by hand
 *
 * Promises: what passes clv_model_check() has a known model, finite positive
 * parameters and a finite covariance; equal models have equal bytes.
 * Never: reads past the length that it was given.
 */
#include "clv/clv.h"

#include <ctype.h>
#include <math.h>

#include "datatype/timestamp.h"
#include "libpq/pqformat.h"
#include "math/small_matrix.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

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

/* One form for each value: NaNs and zeros have several. */
static void
clv_model_put_double(StringInfo buf, double value)
{
	pq_sendfloat8(buf, isnan(value) ? get_float8_nan() : value == 0 ? 0 : value);
}

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
	pq_sendbyte(buf, fit->reason);
	pq_sendbyte(buf, fit->reason_param + 1);
	pq_sendbyte(buf, flags);
	pq_sendint32(buf, fit->iterations);
	for (int i = 0; (flags & FIT_HAS_PARAMS) && i < n; i++)
		clv_model_put_double(buf, spend ? fit->params[i] :
				   Max(CLV_PARAM_MIN, Min(CLV_PARAM_MAX, fit->params[i])));
	for (int i = 0; (flags & FIT_HAS_COVARIANCE) && i < n; i++)
		for (int j = 0; j <= i; j++)
			clv_model_put_double(buf, fit->covariance[i * n + j]);
	if (fit->reason != FIT_GIVEN)
	{
		clv_model_put_double(buf, fit->log_likelihood);
		clv_model_put_double(buf, fit->gradient_norm);
	}
}

ClvModelValue *
clv_model_pack(const ClvModel *model)
{
	StringInfoData buf;
	ClvModelValue *value;

	pq_begintypsend(&buf);
	pq_sendbyte(&buf, MODEL_VERSION);
	pq_sendbyte(&buf, model->purchase->kind);
	pq_sendbyte(&buf, model->unit);
	pq_sendbyte(&buf, (model->has_as_of ? MODEL_HAS_AS_OF : 0) |
				(model->has_spend ? MODEL_HAS_SPEND : 0));
	if (model->has_as_of)
		pq_sendint32(&buf, model->as_of);
	pq_sendint64(&buf, model->customers);
	pq_sendint64(&buf, model->skipped);
	put_fit(&buf, &model->fit, false);
	if (model->has_spend)
	{
		pq_sendint64(&buf, model->spend_customers);
		pq_sendint64(&buf, model->spend_left_out);
		clv_model_put_double(&buf, model->correlation);
		put_fit(&buf, &model->spend, true);
	}
	value = (ClvModelValue *) pq_endtypsend(&buf);
	/* only a state that somebody made by hand comes to this */
	if (clv_model_check(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("state of clv_model is corrupt: no model comes of it")));
	return value;
}

/* ---------- reading ---------- */

typedef struct Cursor
{
	const char *at;
	const char *end;
	const char *error;			/* NULL so far */
} Cursor;

static void
get_bytes(Cursor *cursor, void *to, Size n)
{
	if (cursor->error == NULL && (Size) (cursor->end - cursor->at) < n)
		cursor->error = "length";
	if (cursor->error != NULL)
	{
		memset(to, 0, n);
		return;
	}
	memcpy(to, cursor->at, n);
	cursor->at += n;
}

static uint8
clv_model_get_byte(Cursor *cursor)
{
	uint8		value;

	get_bytes(cursor, &value, 1);
	return value;
}

static int32
get_int32(Cursor *cursor)
{
	uint32		value;

	get_bytes(cursor, &value, sizeof(value));
	return (int32) pg_ntoh32(value);
}

static int64
get_int64(Cursor *cursor)
{
	uint64		value;

	get_bytes(cursor, &value, sizeof(value));
	return (int64) pg_ntoh64(value);
}

static int64
clv_model_get_count(Cursor *cursor, const char *name)
{
	int64		count = get_int64(cursor);

	if (count < 0)
		cursor->error = name;
	return count;
}

static double
clv_model_get_double(Cursor *cursor)
{
	union
	{
		int64		i;
		double		d;
	}			value;
	union
	{
		int64		i;
		double		d;
	}			canonical;

	value.i = get_int64(cursor);
	canonical.d = isnan(value.d) ? get_float8_nan() : value.d == 0 ? 0 : value.d;
	if (cursor->error == NULL && canonical.i != value.i)
		cursor->error = "number";
	return value.d;
}

static void
get_covariance(Cursor *cursor, FitResult *fit)
{
	int			n = fit->nparams;

	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
			fit->covariance[i * n + j] = fit->covariance[j * n + i] = clv_model_get_double(cursor);
	if (!all_finite(fit->covariance, n * n) || !clv_covariance_possible(fit->covariance, n))
		cursor->error = "covariance";
}

static void
get_fit(Cursor *cursor, FitResult *fit, int nparams, bool spend)
{
	int			reason;
	int			flags;
	bool		at_end;

	fit->nparams = nparams;
	reason = clv_model_get_byte(cursor);
	fit->reason_param = clv_model_get_byte(cursor) - 1;
	flags = clv_model_get_byte(cursor);
	fit->iterations = get_int32(cursor);
	at_end = reason == FIT_TO_ZERO || reason == FIT_TO_INFINITY;
	if (reason > FIT_REASON_LAST || fit->reason_param >= nparams ||
		at_end != (fit->reason_param >= 0))
		cursor->error = "reason";
	fit->reason = at_end || reason <= FIT_REASON_LAST ? (FitReason) reason : FIT_STOPPED;
	fit->converged = fit->reason == FIT_CONVERGED;
	if (flags > (FIT_HAS_PARAMS | FIT_HAS_COVARIANCE) || flags == FIT_HAS_COVARIANCE ||
		((flags & FIT_HAS_PARAMS) == 0 && fit->reason != FIT_NO_CUSTOMERS))
		cursor->error = "flags";
	if (fit->iterations < 0)
		cursor->error = "iterations";
	for (int i = 0; i < nparams * nparams; i++)
		fit->covariance[i] = get_float8_nan();
	for (int i = 0; i < nparams; i++)
		fit->params[i] = (flags & FIT_HAS_PARAMS) ? clv_model_get_double(cursor) : get_float8_nan();
	if ((flags & FIT_HAS_PARAMS) && !params_valid(fit->params, nparams))
		cursor->error = "parameters";
	for (int i = 0; !spend && i < nparams; i++)
		if (fit->params[i] < CLV_PARAM_MIN || fit->params[i] > CLV_PARAM_MAX)
			cursor->error = "parameters";
	if (flags & FIT_HAS_COVARIANCE)
		get_covariance(cursor, fit);
	fit->log_likelihood = fit->gradient_norm = get_float8_nan();
	if (fit->reason != FIT_GIVEN)
	{
		fit->log_likelihood = clv_model_get_double(cursor);
		fit->gradient_norm = clv_model_get_double(cursor);
	}
}

/* What is wrong with the bytes, or NULL. */
static const char *
clv_model_read_model(const char *data, Size len, ClvModel *model)
{
	Cursor		cursor = {data, data + len, NULL};
	int			flags;
	int			unit;

	memset(model, 0, sizeof(ClvModel));
	if (clv_model_get_byte(&cursor) != MODEL_VERSION)
		return "version";
	model->purchase = purchase_model(clv_model_get_byte(&cursor));
	if (model->purchase == NULL)
		return "model";
	unit = clv_model_get_byte(&cursor);
	if (unit > TIME_UNIT_LAST)
		return "unit";
	model->unit = (TimeUnit) unit;
	flags = clv_model_get_byte(&cursor);
	if (flags > (MODEL_HAS_AS_OF | MODEL_HAS_SPEND))
		return "flags";
	model->has_as_of = (flags & MODEL_HAS_AS_OF) != 0;
	model->has_spend = (flags & MODEL_HAS_SPEND) != 0;
	if (model->has_as_of)
	{
		model->as_of = get_int32(&cursor);
		if (DATE_NOT_FINITE(model->as_of) || !IS_VALID_DATE(model->as_of))
			cursor.error = "date";
	}
	model->customers = clv_model_get_count(&cursor, "number of customers");
	model->skipped = clv_model_get_count(&cursor, "number of rows");
	get_fit(&cursor, &model->fit, model->purchase->nparams, false);
	model->correlation = get_float8_nan();
	if (model->has_spend)
	{
		model->spend_customers = clv_model_get_count(&cursor, "number of customers");
		model->spend_left_out = clv_model_get_count(&cursor, "number of customers");
		model->correlation = clv_model_get_double(&cursor);
		if (fabs(model->correlation) > 1)
			cursor.error = "correlation";
		get_fit(&cursor, &model->spend, SPEND_PARAMS, true);
	}
	if (cursor.error == NULL && cursor.at != cursor.end)
		cursor.error = "length";
	return cursor.error;
}

const char *
clv_model_check(const char *data, Size len)
{
	ClvModel	model;

	return clv_model_read_model(data, len, &model);
}

void
clv_model_unpack(const ClvModelValue *value, ClvModel *model)
{
	const char *wrong = clv_model_read_model(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), model);

	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("clv_model is corrupt: wrong %s", wrong)));
}
