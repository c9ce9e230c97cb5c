/*
 * churn_score.c
 *	  SQL-callable: the score of a row, its band, and what a churn_model says of
 *	  its fit.
 *
 * Promises: NULL where there is no score; figures of a fit are NULL where its
 * method has none.
 * Never: fits.
 */
#include "churn/churn_classifier.h"

#include <math.h>

#include "churn/churn_json.h"
#include "churn/churn_model_cache.h"
#include "churn/churn_reasons.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"

/* ---------- scores ---------- */

static Datum
score(FunctionCallInfo fcinfo, ChurnInput input)
{
	ChurnCacheModel *cache = churn_cache_model(fcinfo, 0);
	double		eta;

	/* what was not fitted may not know its features */
	if (!churn_model_scores(cache->model))
		PG_RETURN_NULL();
	churn_cache_read(cache, fcinfo, 1, input, false);
	if (!churn_log_odds(cache->model, cache->raw, cache->x, &eta))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(logistic_probability(eta));
}

PG_FUNCTION_INFO_V1(churn_score_array);
Datum
churn_score_array(PG_FUNCTION_ARGS)
{
	return score(fcinfo, CHURN_ARRAY);
}

PG_FUNCTION_INFO_V1(churn_score_record);
Datum
churn_score_record(PG_FUNCTION_ARGS)
{
	return score(fcinfo, CHURN_RECORD);
}

/* ---------- bands ---------- */

static void
check_probability(double p, const char *name)
{
	/* written so that NaN fails */
	if (!(p >= 0 && p <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 0 and 1, not %s", name, churn_number_text(p))));
}

static Datum
band(double p, double low, double high)
{
	return CStringGetTextDatum(p < low ? "low" : p < high ? "medium" : "high");
}

PG_FUNCTION_INFO_V1(churn_band);
Datum
churn_band(PG_FUNCTION_ARGS)
{
	double		p = PG_GETARG_FLOAT8(0);
	double		low = PG_GETARG_FLOAT8(1);
	double		high = PG_GETARG_FLOAT8(2);

	check_probability(p, "p");
	check_probability(low, "low");
	check_probability(high, "high");
	if (low > high)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("low must not be above high, but %s is above %s", churn_number_text(low),
						churn_number_text(high))));
	return band(p, low, high);
}

PG_FUNCTION_INFO_V1(churn_band_of_model);
Datum
churn_band_of_model(PG_FUNCTION_ARGS)
{
	double		p = PG_GETARG_FLOAT8(0);
	ChurnCacheModel *cache = churn_cache_model(fcinfo, 1);
	double		rate;

	check_probability(p, "p");
	if (!(cache->model->weight > 0))
		PG_RETURN_NULL();
	rate = cache->model->positive_weight / cache->model->weight;
	return band(p, rate / 2, rate * 2);
}

/* ---------- what it says of its fit ---------- */

static void
set_figures(const ChurnModel *model, ChurnFigures *f)
{
	double	   *first = &f->base_rate;

	for (int i = 0; i < offsetof(ChurnFigures, iterations) / sizeof(double); i++)
		first[i] = get_float8_nan();
	f->iterations = f->trees = f->parameters = -1;
	f->base_rate = model->positive_weight / model->weight;
	if (model->classifier->figures == NULL)
		return;
	f->lambda = model->lambda;
	if (!churn_model_scores(model))
		return;
	model->classifier->figures(model, f);
	f->deviance = -2 * f->log_likelihood;
	f->mcfadden = 1 - f->log_likelihood / f->log_likelihood_null;
}

#define SUMMARY_COLUMNS 27

PG_FUNCTION_INFO_V1(churn_summary);
Datum
churn_summary(PG_FUNCTION_ARGS)
{
	ChurnModel *model;
	ChurnFigures figures;
	const double *figure = &figures.base_rate;
	Datum		values[SUMMARY_COLUMNS] = {0};
	bool		nulls[SUMMARY_COLUMNS] = {false};
	int			n = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	model = churn_model_unpack(PG_GETARG_CHURN_MODEL_PP(0));
	set_figures(model, &figures);
	values[n++] = CStringGetTextDatum(model->classifier->name);
	values[n++] = BoolGetDatum(model->status == CHURN_CONVERGED);
	values[n++] = CStringGetTextDatum(churn_status_name(model->status));
	nulls[n] = model->status == CHURN_CONVERGED;
	values[n++] = CStringGetTextDatum(churn_status_text(model));
	values[n++] = Int64GetDatum(model->rows);
	values[n++] = Int64GetDatum(model->positives);
	values[n++] = Float8GetDatum(model->weight);
	churn_set_number(values, nulls, n++, figures.base_rate);
	values[n++] = Int64GetDatum(model->unlabelled);
	values[n++] = Int64GetDatum(model->skipped);
	values[n++] = Int32GetDatum(model->nfeatures);
	values[n++] = Int32GetDatum(model->ncolumns);
	nulls[n] = figures.parameters < 0;
	values[n++] = Int32GetDatum(figures.parameters);
	/* lambda to max_gradient */
	for (int i = 1; i < offsetof(ChurnFigures, iterations) / sizeof(double); i++)
		churn_set_number(values, nulls, n++, figure[i]);
	nulls[n] = figures.iterations < 0;
	values[n++] = Int32GetDatum(figures.iterations);
	nulls[n] = figures.trees < 0;
	values[n++] = Int32GetDatum(figures.trees);
	nulls[n] = nulls[n + 1] = model->input != CHURN_HISTORY;
	values[n++] = DateADTGetDatum(model->until);
	values[n++] = Int32GetDatum(model->horizon);
	Assert(n == SUMMARY_COLUMNS);
	retention_put_row(fcinfo, values, nulls);
	return (Datum) 0;
}
