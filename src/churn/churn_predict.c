/*
 * churn_predict.c
 *	  From a raw row to its design row, its log-odds, and what each feature
 *	  contributes to them.
 *
 * The logistic model is evaluated around the means of its columns, sum of
 * coef_std * (x - mean) / sd: the intercept for columns as they are cancels
 * against them where a column lies far from 0.  Contributions are its terms
 * (what SHAP values are for a linear model of independent columns), or tree SHAP
 * (Lundberg, Erion and Lee 2018), summed over the columns of each feature.
 *
 * Promises: the same bits in training and afterwards; a number for every row of
 * finite features, however far from those of training.
 * Never: remembers a row.
 */
#include "churn/churn.h"

#include <math.h>

#include "utils/float.h"

/* A term beyond this is cut: so many terms sum up to a number, not to infinity less infinity. */
#define TERM_MAX	1e300

/* What a column is where nothing is known of it, so that it contributes nothing. */
static inline double
column_mean(const ChurnModel *model, int column)
{
	return model->terms != NULL ? model->terms[column].mean : model->column_means[column];
}

static inline void
design_category(const ChurnModel *model, const ChurnFeature *f, double raw, double *x)
{
	for (int i = 0; i < f->columns; i++)
		x[i] = 0;
	if (raw >= 1)
		x[(int) raw - 1] = 1;
	else if (raw == 0)
		;						/* the base has no column */
	else if (isnan(raw) && f->missing)
		x[f->columns - 1] = 1;
	else if (!isnan(raw) && f->other)
		x[f->columns - 1 - f->missing] = 1;
	else
		for (int i = 0; i < f->columns; i++)
			x[i] = column_mean(model, f->first_column + i);
}

void
churn_design(const ChurnModel *model, const double *raw, double *x)
{
	const ChurnFeature *f = model->features;

	for (int i = 0; i < model->nfeatures; i++, f++)
	{
		if (f->kind == FEATURE_CATEGORY)
		{
			design_category(model, f, raw[i], x);
			x += f->columns;
		}
		else
		{
			bool		known = !isnan(raw[i]);

			*x++ = known ? raw[i] : f->mean;
			if (f->missing)
				*x++ = !known;
		}
	}
}

/* False where the row is to be skipped. */
static bool
check_missing(const ChurnModel *model, const double *raw)
{
	if (model->missing == CHURN_MISSING_MEAN)
		return true;
	for (int i = 0; i < model->nfeatures; i++)
		if (isnan(raw[i]))
		{
			if (model->missing == CHURN_MISSING_ERROR)
				ereport(ERROR,
						(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						 errmsg("feature \"%s\" is NULL", model->features[i].name),
						 errhint("The model was fitted with \"missing\": \"error\"; with \"mean\" NULLs stand for the mean and have an indicator, with \"skip\" such rows get no score.")));
			return false;
		}
	return true;
}

/* ---------- logistic ---------- */

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
logistic_log_odds(const ChurnModel *model, const double *x)
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

/* ---------- scores ---------- */

bool
churn_log_odds(const ChurnModel *model, const double *raw, double *x, double *eta)
{
	if (!churn_model_scores(model) || !check_missing(model, raw))
		return false;
	churn_design(model, raw, x);
	*eta = model->method == CHURN_BOOST ? boost_predict(&model->boost, x) :
		logistic_log_odds(model, x);
	return true;
}

double
churn_contributions(const ChurnModel *model, const double *raw, double *x,
					double *contributions)
{
	double	   *phi = palloc0(sizeof(double) * (model->ncolumns + 1));
	double		eta = 0;
	double		sum = 0;

	if (!churn_log_odds(model, raw, x, &eta))
		elog(ERROR, "a row without a score has no contributions");
	if (model->method == CHURN_BOOST)
		boost_contributions(&model->boost, x, phi);
	else
		for (int i = 0; i < model->ncolumns; i++)
			phi[i] = bounded_term_of(&model->terms[i], x[i]);
	for (int i = 0; i < model->nfeatures; i++)
	{
		const ChurnFeature *f = &model->features[i];

		contributions[i] = 0;
		for (int j = 0; j < f->columns; j++)
			contributions[i] += phi[f->first_column + j];
		sum += contributions[i];
	}
	pfree(phi);
	return eta - sum;
}
