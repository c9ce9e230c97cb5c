/*
 * contingency_table.h
 *	  Tables of counts: are rows and columns independent?
 *
 * Plain C on arrays, no PostgreSQL header.
 * Promises: degrees of freedom count the rows and columns that have customers,
 * and no others; no statistic is a small difference of large numbers.
 * Never: allocates.
 */
#ifndef RETENTION_CONTINGENCY_TABLE_H
#define RETENTION_CONTINGENCY_TABLE_H

#include <stdint.h>

/* Of one table, or the sums over several: independent tables add up. */
typedef struct Contingency
{
	double		pearson;		/* sum of (observed - expected)^2 / expected */
	double		g;				/* 2 sum of observed ln(observed / expected) */
	int64_t		degrees;
	int64_t		cells;			/* of rows and columns with customers, where tested */
	int64_t		sparse;			/* of these, with less than 5 expected */
	double		customers;
	int			rows;			/* with customers; of the last table */
} Contingency;

/* Adds a table of rows * columns counts to sums.  work: rows + columns. */
extern void contingency_add(Contingency *sums, int rows, int columns, const double *counts,
							double *work);

/* The p value of a statistic; NaN without degrees of freedom. */
extern double contingency_p(double statistic, int64_t degrees);

/*
 * Holm (1979, Scandinavian Journal of Statistics 6): p values of n tests made
 * together, adjusted; NaNs are no tests, and stay.  order: n.
 */
extern void contingency_holm(int n, const double *p, double *adjusted, int *order);

#endif							/* RETENTION_CONTINGENCY_TABLE_H */
