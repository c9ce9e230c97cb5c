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

#include "churn/churn_model_cache.h"
#include "common/shortest_dec.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "math/wilson.h"
#include "utils/builtins.h"
#include "utils/float.h"

/* ---------- reasons ---------- */

char *
churn_number_text(double value)
{
	char	   *text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);

	double_to_shortest_decimal_buf(value, text);
	return text;
}

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

static void
put_coefficient(FunctionCallInfo fcinfo, const ChurnModel *model, int i)
{
	const LogisticTerm *term = &model->terms[i];
	bool		known = model->status != CHURN_SEPARATED;
	double		unknown = get_float8_nan();
	double		z = term->coef / term->se;
	Datum		values[12] = {0};
	bool		nulls[12] = {false};

	nulls[1] = nulls[2] = true;
	if (i == model->ncolumns)
	{
		values[0] = CStringGetTextDatum("(intercept)");
		nulls[3] = nulls[4] = true;
	}
	else
	{
		const ChurnColumn *column = &model->columns[i];
		const ChurnFeature *feature = &model->features[column->feature];

		values[0] = CStringGetTextDatum(churn_column_name(model, i));
		values[1] = CStringGetTextDatum(feature->name);
		nulls[1] = false;
		nulls[2] = column->level == COLUMN_VALUE;
		if (!nulls[2])
			values[2] = CStringGetTextDatum(column->level == COLUMN_OTHER ? "(other)" :
											column->level == COLUMN_MISSING ? "(missing)" :
											feature->levels[column->level]);
		churn_set_number(values, nulls, 3, term->mean);
		churn_set_number(values, nulls, 4, term->sd);
	}
	churn_set_number(values, nulls, 5, known ? term->coef_std : unknown);
	churn_set_number(values, nulls, 6, known ? term->coef : unknown);
	churn_set_number(values, nulls, 7, known ? term->se : unknown);
	churn_set_number(values, nulls, 8, known ? term->se_sandwich : unknown);
	churn_set_number(values, nulls, 9, known ? z : unknown);
	churn_set_number(values, nulls, 10, known && isfinite(z) ? normal_two_sided_p(fabs(z)) : unknown);
	churn_set_number(values, nulls, 11, known ? exp(term->coef) : unknown);
	retention_put_row(fcinfo, values, nulls);
}

PG_FUNCTION_INFO_V1(churn_coefficients);
Datum
churn_coefficients(PG_FUNCTION_ARGS)
{
	ChurnModel *model;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	model = churn_model_unpack(PG_GETARG_CHURN_MODEL_PP(0));
	if (model->method != CHURN_LOGISTIC)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a churn_model of method \"%s\" has no coefficients",
						churn_method_name(model->method)),
				 model->method == CHURN_BOOST ?
				 errhint("See churn_importance(model) and churn_reasons(model, features).") : 0));
	if (!churn_model_scores(model))
		return (Datum) 0;
	put_coefficient(fcinfo, model, model->ncolumns);
	for (int i = 0; i < model->ncolumns; i++)
		put_coefficient(fcinfo, model, i);
	return (Datum) 0;
}

/* ---------- importance ---------- */

/*
 * The variance of a feature's contribution over the rows of training, exactly,
 * from the means of its columns: indicators of one text exclude each other, and
 * that of a missing number is uncorrelated with the number, which is at its mean
 * there.
 */
static double
logistic_variance(const ChurnModel *model, const ChurnFeature *f)
{
	double		square = 0;
	double		mean = 0;
	double		sum = 0;

	for (int i = 0; i < f->columns; i++)
	{
		const LogisticTerm *term = &model->terms[f->first_column + i];
		double		b;

		if (!(term->sd > 0) || isnan(term->coef_std))
			continue;
		sum += term->coef_std * term->coef_std;
		b = term->coef_std / term->sd;
		square += term->mean * b * b;
		mean += term->mean * b;
	}
	return f->kind == FEATURE_CATEGORY ? Max(square - mean * mean, 0) : sum;
}

/*
 * Adds to "moves" how far the splits below a node move the log-odds of a row:
 * the mean absolute deviation of the two sides, in rows of training.  Returns the
 * sum of the values below, each times its cover; cover: theirs.
 */
static double
split_moves(const BoostModel *boost, int tree, int node, double *moves, double *cover)
{
	int			inner = boost_splits(boost->depth);
	const BoostSplit *split = &boost->splits[(Size) tree * inner + node];
	double		left_cover;
	double		right_cover;
	double		left;
	double		right;

	if (node >= inner)
	{
		Size		leaf = (Size) tree * boost_leaves(boost->depth) + (node - inner);

		*cover = boost->covers[leaf];
		return boost->values[leaf] * *cover;
	}
	left = split_moves(boost, tree, 2 * node + 1, moves, &left_cover);
	right = split_moves(boost, tree, 2 * node + 2, moves, &right_cover);
	*cover = left_cover + right_cover;
	if (split->column >= 0 && left_cover > 0 && right_cover > 0)
		moves[split->column] += 2 * left_cover * (right_cover / *cover) *
			fabs(left / left_cover - right / right_cover);
	return left + right;
}

PG_FUNCTION_INFO_V1(churn_importance);
Datum
churn_importance(PG_FUNCTION_ARGS)
{
	ChurnModel *model;
	double	   *moves;
	Reason	   *features;
	double		sum = 0;
	double		cover;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	model = churn_model_unpack(PG_GETARG_CHURN_MODEL_PP(0));
	if (!churn_model_scores(model) || model->method == CHURN_GAP ||
		model->status == CHURN_SEPARATED)
		return (Datum) 0;
	moves = palloc0(sizeof(double) * (model->ncolumns + 1));
	features = palloc0(sizeof(Reason) * (model->nfeatures + 1));
	for (int tree = 0; model->method == CHURN_BOOST && tree < model->boost.trees; tree++)
		split_moves(&model->boost, tree, 0, moves, &cover);
	for (int i = 0; i < model->nfeatures; i++)
	{
		const ChurnFeature *f = &model->features[i];

		features[i].feature = i;
		if (model->method == CHURN_LOGISTIC)
			features[i].contribution = sqrt(logistic_variance(model, f));
		else
			for (int j = 0; j < f->columns; j++)
				features[i].contribution += moves[f->first_column + j] / model->weight;
		sum += features[i].contribution;
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
