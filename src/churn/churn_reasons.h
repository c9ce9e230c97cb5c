/*
 * churn_reasons.h
 *	  Rows of churn_reasons(): what each feature contributes to one score.
 */
#ifndef RETENTION_CHURN_REASONS_H
#define RETENTION_CHURN_REASONS_H

#include "churn/churn_features.h"

#include <math.h>

/* The number of features asked for, INT_MAX for NULL; 22023 if it is negative. */
extern int	churn_reasons_asked(FunctionCallInfo fcinfo, int arg);

/*
 * The rows of one raw row, into the set that InitMaterializedSRF() began: (rank,
 * feature, value, contribution, direction).  None where there is no score.
 * values: what the features say, for people; x: room for ncolumns.  Of methods with
 * features.
 */
extern void churn_put_reasons(FunctionCallInfo fcinfo, const ChurnModel *model,
							  const FeatureValue *values, const double *raw, double *x, int k);

/* A row of that set; value may be NULL. */
extern void churn_put_reason(FunctionCallInfo fcinfo, int rank, const char *feature,
							 const char *value, double contribution);

/* NULL where a number is not known. */
static inline void
churn_set_number(Datum *values, bool *nulls, int i, double value)
{
	nulls[i] = !isfinite(value);
	values[i] = Float8GetDatum(nulls[i] ? 0 : value);
}

#endif							/* RETENTION_CHURN_REASONS_H */
