/*
 * logistic_rows.h
 *	  Passes over labelled rows for logistic.c: moments of columns, and the
 *	  likelihood with its derivatives.
 *
 * Columns are standardised block by block, in a copy; the rows are not touched.
 * Sums are made block by block, and those of the blocks with what rounding took
 * from them (Neumaier 1974), but for second derivatives.
 *
 * Plain C on doubles, no PostgreSQL header.
 * Ownership: logistic_data_open() takes memory from the source, _close() gives it
 * back.
 * Promises: the same rows in the same order give the same bits; any finite
 * double in a row is dealt with.
 */
#ifndef RETENTION_LOGISTIC_ROWS_H
#define RETENTION_LOGISTIC_ROWS_H

#include "models/classifier/logistic.h"
#include "math/cholesky.h"

/* z = (x * scale - shift) * factor; scale is a power of 2, against overflow */
typedef struct LogisticColumn
{
	int			source;			/* of the row's columns */
	double		scale;
	double		shift;
	double		factor;
	double		reach;			/* greatest |z| */
} LogisticColumn;

/* Sums of a column's moments; when they are complete mean and deviation in their place. */
enum
{
	LOGISTIC_SUM, LOGISTIC_SUM_REST, LOGISTIC_SQUARES, LOGISTIC_SQUARES_REST, LOGISTIC_SUMS
};

typedef struct LogisticData
{
	const RowSource *rows;
	SymmetricPoll poll;
	double		weight;
	double		weight_rest;	/* what rounding took, while it is summed */
	double		positive;		/* where y = 1 */
	double		positive_rest;
	int			n;				/* columns in use, and so many follow: */
	LogisticColumn *columns;

	/* a block of rows */
	double	   *x;				/* as they come */
	double	   *y;
	double	   *w;
	double	   *z;				/* column by column, ROWS_BLOCK apart; the first is 1 */
	double	   *eta;
	double	   *other;			/* as eta, along another direction */
	double	   *residual;
	double	   *rest;			/* of the gradient: columns + 1 */
	double	   *sums;			/* LOGISTIC_SUMS a column */
} LogisticData;

/* Of n + 1 coefficients, the intercept first. */
typedef struct LogisticTop
{
	double		log_likelihood;
	double		margin;			/* least log-odds of what happened */
	double	   *gradient;		/* n + 1 */
	double	   *hessian;		/* of minus the log-likelihood: (n + 1)^2, lower triangle */
} LogisticTop;

extern void logistic_data_open(LogisticData *data, const RowSource *rows);
extern void logistic_data_close(LogisticData *data);

/*
 * Weight, positive and the moments of all columns over the first "count" rows;
 * brings them into use, not standardised.
 */
extern void logistic_moments(LogisticData *data, int64_t count);

/* By the moments; a column that does not vary is only moved to 0. */
extern void logistic_standardise(LogisticData *data);

/*
 * The same for good: mean and sd go into terms, and columns that do not vary go
 * out of use, deviation 0.  z as it was is mean + deviation times z as it is.
 */
extern void logistic_settle(LogisticData *data, LogisticTerm *terms);

/*
 * Log-likelihood of b and its derivatives, over the first "count" rows.  With
 * "moments" those of the columns, too, of z; false if they are not fit for use.
 */
extern bool logistic_evaluate(LogisticData *data, int64_t count, const double *b, bool moments,
							  LogisticTop *top);

/*
 * What the gradient does along "step" beyond what second derivatives say, over
 * the first "count" rows, into bend.
 */
extern void logistic_newton_third_order(LogisticData *data, int64_t count, const double *b,
										const double *step, double *third);

/*
 * Adds sums of products of the columns over rows whose outcome has log-odds of at
 * most "margin" under b, each row of length 1: hessian's shape.
 */
extern void logistic_undecided(LogisticData *data, const double *b, double margin,
							   double *products);

/*
 * True if, to rounding, no row's outcome becomes less likely on the way along d,
 * and some row's more likely by a factor worth the name: proof that the
 * likelihood has no maximum (Albert and Anderson 1984).
 */
extern bool logistic_separates(LogisticData *data, const double *d);

#endif							/* RETENTION_LOGISTIC_ROWS_H */
