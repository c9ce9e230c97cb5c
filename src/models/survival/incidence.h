/*
 * incidence.h
 *	  What share of customers has left by a time, for this cause and not another?
 *
 * Plain C on arrays, no PostgreSQL header.
 * The estimate of Aalen and Johansen (1978, Scandinavian Journal of Statistics 5):
 * F(t) = sum of S(s-) d(s) / n(s) over times s <= t, S surviving all causes, d the
 * events of the cause, n those at risk: entered before s, not left before it.  (One
 * less Kaplan-Meier, other causes censored, is too much.)  Its standard error is that
 * of the infinitesimal jackknife: the root of the sum of squares of what F changes by
 * with the weight of each customer, as survfit() of R's package survival has it.
 *
 * Promises: the same rows in the same order give the same bits; a standard
 * error below 1e-15 is 0.
 * Never: allocates.
 */
#ifndef RETENTION_INCIDENCE_H
#define RETENTION_INCIDENCE_H

#include <stddef.h>
#include <stdint.h>

#include "math/double_double.h"

#define INCIDENCE_CENSORED 0

/* Customers alike.  Times are only compared with each other. */
typedef struct IncidenceRow
{
	int64_t		time;
	int64_t		entry;			/* at risk after it; not looked at without by_entry */
	int64_t		count;
	double		weight;			/* of each; > 0, finite */
	int32_t		cause;			/* 1, 2, ... or INCIDENCE_CENSORED */
} IncidenceRow;

/* A distinct time at which somebody left or was censored. */
typedef struct IncidencePoint
{
	size_t		first;			/* row; those of the time follow it */
	int64_t		present;		/* customers at risk */
	DoubleDouble at_risk;		/* sums of weights */
	DoubleDouble events;		/* of all causes */
	DoubleDouble survival;		/* just after the time */
	DoubleDouble growth;		/* sum of events / (at_risk (at_risk - events)) up to it */
} IncidencePoint;

/* Of one cause at a point. */
typedef struct IncidenceEstimate
{
	double		events;
	DoubleDouble incidence;
	double		se;
	DoubleDouble influence;		/* of one who was at risk all the time and still is */
} IncidenceEstimate;

typedef struct Incidence
{
	const IncidenceRow *rows;	/* ascending by time */
	size_t		n;
	const size_t *by_entry;		/* indices of rows ascending by entry; NULL: all from the beginning */
	IncidencePoint *points;		/* room for as many as there are distinct times, n at most */
	size_t		npoints;
	size_t	   *missed;			/* n, with by_entry: how many points before the row was at risk */
	void		(*poll) (void); /* called every few thousand steps; may not return */
} Incidence;

/* Fills in points, npoints and missed. */
extern void incidence_points(Incidence *data);

/* One cause, after incidence_points(); estimates: npoints. */
extern void incidence_estimate(const Incidence *data, int32_t cause,
							   IncidenceEstimate *estimates);

#endif							/* RETENTION_INCIDENCE_H */
