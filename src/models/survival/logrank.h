/*
 * logrank.h
 *	  Do groups leave at the same rate?  The log-rank test of any number of groups,
 *	  with strata, delayed entry and the weights of Harrington and Fleming.
 *
 * Plain C on arrays, no PostgreSQL header.
 * At each time with events, each group is expected to have its share of the events
 * among those at risk: entered before the time, not left before it.  Differences
 * count S(t-)^rho, S being the product-limit estimate of all groups of the stratum:
 * rho 0 is the log-rank test (Mantel 1966), 1 that of Peto and Peto (1972); Harrington
 * and Fleming (1982, Biometrika 69:553-566).  Variances are hypergeometric.
 *
 * Promises: customers are counted in whole numbers; groups are compared only with
 * those that were at risk together with them, directly or through others, and
 * degrees of freedom say how many comparisons that are.
 * Never: allocates.
 */
#ifndef RETENTION_LOGRANK_H
#define RETENTION_LOGRANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Customers of one group, alike.  Times are only compared with each other. */
typedef struct LogrankRow
{
	int64_t		time;
	int64_t		entry;			/* at risk after it; not looked at without by_entry */
	int64_t		count;
	int32_t		stratum;
	int32_t		group;
	bool		event;			/* else censored: at risk until time, that included */
} LogrankRow;

typedef struct LogrankGroup
{
	double		observed;		/* sums over strata, weighted by S(t-)^rho */
	double		expected;
	double		variance;		/* of observed - expected */
	/* while a stratum is looked at */
	int64_t		at_risk;
	bool		active;			/* has customers in the stratum */
} LogrankGroup;

typedef struct Logrank
{
	double		rho;			/* >= 0, finite */
	int			ngroups;
	LogrankGroup *groups;		/* zeroed to begin with */

	/*
	 * ngroups * ngroups, zeroed to begin with: the covariance of two groups, its sign turned, in
	 * the row of the first of them; NULL if no chi-square is wanted.
	 */
	double	   *together;
	int		   *active;			/* 2 * ngroups, uninitialised */
	double	   *shares;			/* ngroups, uninitialised */
	void		(*poll) (void); /* called every few thousand steps; may not return */
} Logrank;

/*
 * Adds n rows, ascending by stratum, then time.  by_entry: their indices ascending by
 * stratum, then entry, or NULL where all are at risk from the beginning.
 */
extern void logrank_add(Logrank *test, const LogrankRow *rows, size_t n, const size_t *by_entry);

/*
 * (O - E)' V^- (O - E), V^- a generalised inverse, and the rank of V; uses up
 * "together".  work: ngroups.
 */
extern double logrank_chi_square(Logrank *test, double *work, int *degrees);

#endif							/* RETENTION_LOGRANK_H */
