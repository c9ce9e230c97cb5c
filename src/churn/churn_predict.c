/*
 * churn_predict.c
 *	  From a raw row to its design row, its log-odds, and what each feature
 *	  contributes to them.
 *
 * What a feature contributes is what its columns do, as the method has it.
 *
 * Promises: the same bits in training and afterwards; a number for every row of
 * finite features, however far from those of training.
 * Never: remembers a row.
 */
#include "churn/churn_classifier.h"

#include <math.h>

#include "utils/float.h"

/* What a column is where nothing is known of it, so that it contributes nothing. */
static inline double
column_mean(const ChurnModel *model, int column)
{
	return model->column_means[column];
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

/* ---------- scores ---------- */

bool
churn_log_odds(const ChurnModel *model, const double *raw, double *x, double *eta)
{
	if (!churn_model_scores(model) || !check_missing(model, raw))
		return false;
	churn_design(model, raw, x);
	*eta = model->classifier->log_odds(model, x);
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
	model->classifier->contributions(model, x, phi);
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
