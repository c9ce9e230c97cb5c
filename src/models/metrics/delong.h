/*
 * delong.h
 *	  Two scores of the same rows: which ranks better, and may that be chance?
 *
 * E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson (1988), Biometrics 44:837-845,
 * for two correlated areas under the ROC curve, with ties.
 *
 * Plain C, no PostgreSQL header.
 * Promises: deviations are exact in whole numbers, so that scores which rank
 * alike differ by exactly 0; the order of rows within a class does not matter.
 * Never: allocates.
 */
#ifndef RETENTION_DELONG_H
#define RETENTION_DELONG_H

#include "models/metrics/roc.h"

/* Rows of one class, as keys (rank_key()). */
typedef struct RankPairsClass
{
	const uint64_t *pairs;		/* (first, second) of each row; ascending by first */
	const uint64_t *second;		/* the second scores alone, ascending */
	size_t		n;
} RankPairsClass;

typedef struct RankComparison
{
	double		auc_a;			/* of the first score; NaN with one class */
	double		auc_b;
	double		difference;		/* auc_a - auc_b */
	double		standard_error; /* of that; NaN unless there are two of each class */
	double		z;				/* NaN where the standard error is 0 or not known */
	double		p_value;		/* two-sided, normal */
} RankComparison;

extern RankComparison rank_compare(const RankPairsClass *positives,
								   const RankPairsClass *negatives, void (*poll) (void));

#endif							/* RETENTION_DELONG_H */
