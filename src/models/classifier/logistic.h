/*
 * logistic.h
 *	  Logistic regression, L2-penalised on standardised columns, by Newton's method.
 *
 * Maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum_j b_j^2, where eta =
 * b_0 + sum_j b_j (x_j - mean_j) / sd_j, with the weighted mean and the
 * population's standard deviation of each column; the intercept is not
 * penalised.  lambda = 0 is maximum likelihood.  (Hoerl and Kennard 1970; le
 * Cessie and van Houwelingen 1992.)
 *
 * Plain C on doubles, no PostgreSQL header.
 * Promises: the same rows in the same order give the same bits; adding a
 * constant to a column, or a change of its unit, changes no probability by more
 * than rounding; separation and dependent columns are found and said.
 * Never: returns a coefficient that is not finite, but NaN for a column that
 * cannot be told from others.
 */
#ifndef RETENTION_LOGISTIC_H
#define RETENTION_LOGISTIC_H

#include "models/classifier/row_source.h"

/* Stored in values: never renumbered. */
typedef enum LogisticEnd
{
	LOGISTIC_CONVERGED = 0,
	LOGISTIC_SEPARATED = 1,		/* no finite maximum: columns tell outcomes apart (lambda 0) */
	LOGISTIC_DEPENDENT = 2,		/* columns are linearly dependent (lambda 0): the last of them were
								 * left out, their coefficients are NaN; the others are the maximum */
	LOGISTIC_STOPPED = 3		/* too many steps, or no progress, before the top */
} LogisticEnd;

/* Of column j; index columns is the intercept, on the scale of each field. */
typedef struct LogisticTerm
{
	double		mean;			/* intercept: 0 */
	double		sd;				/* population's; 0: constant, coefficients 0; intercept: 1 */
	double		coef_std;		/* of the standardised column */
	double		coef;			/* of the column as it is; the intercept for columns as they are */
	double		se;				/* of coef: from (H + lambda I)^-1; NaN where not known */
	double		se_sandwich;	/* (H + lambda I)^-1 H (H + lambda I)^-1 */
} LogisticTerm;

typedef struct LogisticFit
{
	LogisticEnd end;
	double		weight;			/* sum of w */
	double		positive;		/* sum of w where y = 1 */
	double		log_likelihood_null;	/* of the intercept alone */
	double		log_likelihood;
	double		penalised;		/* less the penalty */
	double		edf;			/* trace of H (H + lambda I)^-1, intercept included */
	double		max_gradient;	/* of the objective, standardised, absolute */
	int			iterations;		/* Newton steps over all rows */
} LogisticFit;

/*
 * terms: columns + 1, set by the fit.  Both outcomes must be there (weight >
 * positive > 0); lambda >= 0, finite.
 */
extern void logistic_fit(const RowSource *rows, double lambda, LogisticTerm *terms,
						 LogisticFit *fit);

/* 1 / (1 + e^-eta), without overflow */
extern double logistic_probability(double eta);

#endif							/* RETENTION_LOGISTIC_H */
