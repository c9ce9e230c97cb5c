/*
 * churn_reasons.c
 *	  SQL-callable: why a customer has a score, and what a model says of its
 *	  features.
 *
 * Contributions are log-odds.  The baseline is what is left of ln(p / (1 - p)),
 * p as churn_score() returns it: where p is so near to 1 that its last digit
 * matters, the baseline carries what p has lost.
 *
 * Promises: contributions of a row add up to ln(p / (1 - p)); features of equal
 * weight come in the order of the fit; NULL where a number is not known.
 * Never: shows a coefficient of a fit without a maximum.
 */
#include "churn/churn_reasons.h"

#include <limits.h>

#include "churn/churn_classifier.h"
#include "churn/churn_json.h"
#include "churn/churn_model_cache.h"
#include "common/shortest_dec.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/float.h"

/* ---------- reasons ---------- */

int
churn_reasons_asked(FunctionCallInfo fcinfo, int arg)
{
	int			k;

	if (PG_ARGISNULL(arg))
		return INT_MAX;
	k = PG_GETARG_INT32(arg);
	if (k < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k must be 0 or more, not %d", k),
				 errhint("NULL stands for all features.")));
	return k;
}

void
churn_put_reason(FunctionCallInfo fcinfo, int rank, const char *feature, const char *value,
				 double contribution)
{
	Datum		values[5] = {0};
	bool		nulls[5] = {false};

	values[0] = Int32GetDatum(rank);
	values[1] = CStringGetTextDatum(feature);
	nulls[2] = value == NULL;
	if (value != NULL)
		values[2] = CStringGetTextDatum(value);
	churn_set_number(values, nulls, 3, contribution);
	values[4] = CStringGetTextDatum(contribution > 0 ? "raises" :
									contribution < 0 ? "lowers" : "none");
	retention_put_row(fcinfo, values, nulls);
}

/* What a row says of a feature; NULL for NULL. */
static const char *
churn_reasons_value_text(const ChurnFeature *feature, const FeatureValue *value)
{
	if (feature->kind == FEATURE_CATEGORY)
		return value->text == NULL ? NULL : pnstrdup(value->text, value->length);
	if (isnan(value->number))
		return NULL;
	if (feature->kind == FEATURE_BOOLEAN)
		return value->number != 0 ? "true" : "false";
	return churn_number_text(value->number);
}

/* A feature of a row, in the order of its weight. */
typedef struct Reason
{
	double		contribution;
	int			feature;
} Reason;

static int
compare_reasons(const void *a, const void *b)
{
	const Reason *x = a;
	const Reason *y = b;
	double		difference = fabs(y->contribution) - fabs(x->contribution);

	return difference > 0 ? 1 : difference < 0 ? -1 : x->feature - y->feature;
}

/* ln(p / (1 - p)) of p as it is returned; beyond what p can tell, the log-odds themselves. */
static double
log_odds_of_score(double eta)
{
	double		p = logistic_probability(eta);

	return p > 0 && p < 1 ? log(p / (1 - p)) : eta;
}

void
churn_put_reasons(FunctionCallInfo fcinfo, const ChurnModel *model, const FeatureValue *values,
				  const double *raw, double *x, int k)
{
	int			n = model->nfeatures;
	double	   *contributions;
	Reason	   *reasons;
	double		eta;
	double		shown = 0;
	double		others = 0;

	if (!churn_log_odds(model, raw, x, &eta))
		return;
	contributions = palloc(sizeof(double) * (n + 1));
	reasons = palloc(sizeof(Reason) * (n + 1));
	churn_contributions(model, raw, x, contributions);
	for (int i = 0; i < n; i++)
		reasons[i] = (Reason) {contributions[i], i};
	qsort(reasons, n, sizeof(Reason), compare_reasons);
	for (int i = 0; i < n; i++)
		*(i < k ? &shown : &others) += reasons[i].contribution;
	churn_put_reason(fcinfo, 0, "(baseline)", NULL, log_odds_of_score(eta) - (shown + others));
	for (int i = 0; i < n && i < k; i++)
	{
		const ChurnFeature *feature = &model->features[reasons[i].feature];

		churn_put_reason(fcinfo, i + 1, feature->name,
						 churn_reasons_value_text(feature, &values[reasons[i].feature]),
						 reasons[i].contribution);
	}
	if (k < n)
		churn_put_reason(fcinfo, k + 1, "(others)", NULL, others);
	pfree(contributions);
	pfree(reasons);
}

static Datum
reasons_of_row(FunctionCallInfo fcinfo, ChurnInput input)
{
	int			k;
	ChurnCacheModel *cache;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	k = churn_reasons_asked(fcinfo, 2);
	cache = churn_cache_model(fcinfo, 0);
	/* what was not fitted may not know its features */
	if (!churn_model_scores(cache->model))
		return (Datum) 0;
	churn_cache_read(cache, fcinfo, 1, input, true);
	churn_put_reasons(fcinfo, cache->model, cache->values, cache->raw, cache->x, k);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(churn_reasons_array);
Datum
churn_reasons_array(PG_FUNCTION_ARGS)
{
	return reasons_of_row(fcinfo, CHURN_ARRAY);
}

PG_FUNCTION_INFO_V1(churn_reasons_record);
Datum
churn_reasons_record(PG_FUNCTION_ARGS)
{
	return reasons_of_row(fcinfo, CHURN_RECORD);
}

/* ---------- coefficients ---------- */

PG_FUNCTION_INFO_V1(churn_coefficients);
Datum
churn_coefficients(PG_FUNCTION_ARGS)
{
	ChurnModel *model;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	model = churn_model_unpack(PG_GETARG_CHURN_MODEL_PP(0));
	if (model->classifier->coefficients == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a churn_model of method \"%s\" has no coefficients",
						model->classifier->name),
				 model->classifier->importance != NULL ?
				 errhint("See churn_importance(model) and churn_reasons(model, features).") : 0));
	if (!churn_model_scores(model))
		return (Datum) 0;
	model->classifier->coefficients(fcinfo, model);
	return (Datum) 0;
}

/* ---------- importance ---------- */

PG_FUNCTION_INFO_V1(churn_importance);
Datum
churn_importance(PG_FUNCTION_ARGS)
{
	ChurnModel *model;
	double	   *importance;
	Reason	   *features;
	double		sum = 0;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	model = churn_model_unpack(PG_GETARG_CHURN_MODEL_PP(0));
	if (!churn_model_scores(model) || model->classifier->importance == NULL ||
		model->status == CHURN_SEPARATED)
		return (Datum) 0;
	importance = palloc0(sizeof(double) * (model->nfeatures + 1));
	features = palloc0(sizeof(Reason) * (model->nfeatures + 1));
	model->classifier->importance(model, importance);
	for (int i = 0; i < model->nfeatures; i++)
	{
		features[i] = (Reason) {importance[i], i};
		sum += importance[i];
	}
	qsort(features, model->nfeatures, sizeof(Reason), compare_reasons);
	for (int i = 0; i < model->nfeatures; i++)
	{
		Datum		values[3] = {0};
		bool		nulls[3] = {false};

		values[0] = CStringGetTextDatum(model->features[features[i].feature].name);
		churn_set_number(values, nulls, 1, features[i].contribution);
		churn_set_number(values, nulls, 2, features[i].contribution / sum);
		retention_put_row(fcinfo, values, nulls);
	}
	return (Datum) 0;
}
