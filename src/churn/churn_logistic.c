/*
 * churn_logistic.c
 *	  The method 'logistic' of a churn_model: penalised logistic regression
 *	  (models/classifier/logistic.h).
 *
 * It is evaluated around the means of its columns, sum of coef_std * (x - mean) /
 * sd: the intercept for columns as they are cancels against them where a column
 * lies far from 0.  Contributions are its terms (what SHAP values are for a linear
 * model of independent columns).
 *
 * Promises: a number for every row of finite columns, however far from those of
 * training.
 * Never: shows a coefficient of a fit without a maximum.
 */
#include "churn/churn_classifier.h"

#include <math.h>

#include "churn/churn_json.h"
#include "churn/churn_model.h"
#include "churn/churn_reasons.h"
#include "fmgr/result_row.h"
#include "lib/stringinfo.h"
#include "math/wilson.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/json.h"

/* A term beyond this is cut: so many terms sum up to a number, not to infinity less infinity. */
#define TERM_MAX	1e300

/* ---------- the fit ---------- */

/* More columns that vary than rows. */
static bool
churn_logistic_few_rows(const ChurnModel *model)
{
	int64		varying = 0;

	for (int j = 0; j < model->ncolumns; j++)
		varying += model->terms[j].sd > 0;
	return varying > model->rows;
}

static void
churn_logistic_fit(const RowSource *rows, ChurnModel *model)
{
	model->terms = palloc0((model->ncolumns + 1) * sizeof(LogisticTerm));
	if (model->status != CHURN_CONVERGED)
		return;
	logistic_fit(rows, model->lambda, model->terms, &model->fit);
	for (int j = 0; j < model->ncolumns; j++)
		model->column_means[j] = model->terms[j].mean;
	switch (model->fit.end)
	{
		case LOGISTIC_CONVERGED:
			model->status = CHURN_CONVERGED;
			break;
		case LOGISTIC_SEPARATED:
			model->status = CHURN_SEPARATED;
			break;
		case LOGISTIC_DEPENDENT:
			model->status = CHURN_DEPENDENT;
			break;
		case LOGISTIC_STOPPED:
			model->status = CHURN_STOPPED;
			break;
	}
	/* the reason behind the others */
	if (churn_logistic_few_rows(model))
		model->status = CHURN_FEW_ROWS;
}

/* ---------- scores ---------- */

/* A column has a coefficient unless it is constant or cannot be told from others. */
static inline bool
has_coefficient(const LogisticTerm *term)
{
	return term->sd > 0 && !isnan(term->coef_std);
}

static inline double
term_of(const LogisticTerm *term, double x)
{
	return term->coef_std * ((x - term->mean) / term->sd);
}

/* The same where that overflows. */
static double
bounded_term_of(const LogisticTerm *term, double x)
{
	double		value;

	if (!has_coefficient(term) || term->coef_std == 0 || x == term->mean)
		return 0;
	value = term_of(term, x);
	return Max(-TERM_MAX, Min(TERM_MAX, value));
}

static double
churn_logistic_log_odds(const ChurnModel *model, const double *x)
{
	const LogisticTerm *terms = model->terms;
	double		eta = terms[model->ncolumns].coef_std;

	for (int i = 0; i < model->ncolumns; i++)
		if (has_coefficient(&terms[i]))
			eta += term_of(&terms[i], x[i]);
	if (likely(isfinite(eta)))
		return eta;
	eta = Max(-TERM_MAX, Min(TERM_MAX, terms[model->ncolumns].coef_std));
	for (int i = 0; i < model->ncolumns; i++)
		eta += bounded_term_of(&terms[i], x[i]);
	return eta;
}

static void
churn_logistic_contributions(const ChurnModel *model, const double *x, double *phi)
{
	for (int i = 0; i < model->ncolumns; i++)
		phi[i] += bounded_term_of(&model->terms[i], x[i]);
}

/* ---------- what it says of its features and its fit ---------- */

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

static void
churn_logistic_coefficients(FunctionCallInfo fcinfo, const ChurnModel *model)
{
	put_coefficient(fcinfo, model, model->ncolumns);
	for (int i = 0; i < model->ncolumns; i++)
		put_coefficient(fcinfo, model, i);
}

/*
 * The variance of a feature's contribution over the rows of training, exactly,
 * from the means of its columns: indicators of one text exclude each other, and
 * that of a missing number is uncorrelated with the number, which is at its mean
 * there.
 */
static double
churn_logistic_variance(const ChurnModel *model, const ChurnFeature *f)
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

static void
churn_logistic_importance(const ChurnModel *model, double *importance)
{
	for (int i = 0; i < model->nfeatures; i++)
		importance[i] = sqrt(churn_logistic_variance(model, &model->features[i]));
}

/* Parameters: the intercept, and columns that are neither constant nor left out. */
static int
count_parameters(const ChurnModel *model)
{
	int			k = 1;

	for (int i = 0; i < model->ncolumns; i++)
		k += model->terms[i].sd > 0 && !isnan(model->terms[i].coef_std);
	return k;
}

static void
churn_logistic_figures(const ChurnModel *model, ChurnFigures *f)
{
	double		k;

	f->parameters = count_parameters(model);
	k = f->parameters;
	f->log_likelihood_null = model->fit.log_likelihood_null;
	f->log_likelihood = model->fit.log_likelihood;
	f->penalised = model->fit.penalised;
	f->aic = 2 * k - 2 * f->log_likelihood;
	f->bic = k * log(model->weight) - 2 * f->log_likelihood;
	f->edf = model->fit.edf;
	f->max_gradient = model->fit.max_gradient;
	f->iterations = model->fit.iterations;
}

static void
churn_logistic_to_json(StringInfo buf, const ChurnModel *model)
{
	churn_put_number(buf, "lambda", model->lambda);
	if (model->terms == NULL)
		return;
	churn_put_number(buf, "log_likelihood_null", model->fit.log_likelihood_null);
	churn_put_number(buf, "log_likelihood", model->fit.log_likelihood);
	churn_put_number(buf, "penalised_log_likelihood", model->fit.penalised);
	churn_put_number(buf, "edf", model->fit.edf);
	churn_put_number(buf, "max_gradient", model->fit.max_gradient);
	appendStringInfo(buf, ",\"iterations\":%d,\"terms\":[", model->fit.iterations);
	for (int i = -1; i < model->ncolumns; i++)
	{
		const LogisticTerm *term = &model->terms[i < 0 ? model->ncolumns : i];

		appendStringInfo(buf, "%s{\"term\":", i < 0 ? "" : ",");
		escape_json(buf, i < 0 ? "(intercept)" : churn_column_name(model, i));
		if (i >= 0)
		{
			churn_put_number(buf, "mean", term->mean);
			churn_put_number(buf, "sd", term->sd);
		}
		churn_put_number(buf, "coefficient_std", term->coef_std);
		churn_put_number(buf, "estimate", term->coef);
		churn_put_number(buf, "standard_error", term->se);
		churn_put_number(buf, "sandwich_error", term->se_sandwich);
		appendStringInfoChar(buf, '}');
	}
	appendStringInfoChar(buf, ']');
}

const Classifier churn_logistic = {
	.method = CHURN_LOGISTIC,
	.name = "logistic",
	.lambda = 1,
	.fit = churn_logistic_fit,
	.finds_means = true,
	.log_odds = churn_logistic_log_odds,
	.contributions = churn_logistic_contributions,
	.importance = churn_logistic_importance,
	.figures = churn_logistic_figures,
	.coefficients = churn_logistic_coefficients,
	.to_json = churn_logistic_to_json
};
