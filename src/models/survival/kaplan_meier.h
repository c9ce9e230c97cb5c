/*
 * kaplan_meier.h
 *	  The product-limit estimate of survival, and what follows from it.
 *
 * Plain C on doubles, no PostgreSQL header.
 * At risk at time t: those who entered before t and have not left before t; who is
 * censored at t is still at risk of the events at t.  S(t) = prod(1 - d / n)
 * (Kaplan and Meier 1958), its variance by Greenwood (1926); cumulative hazard
 * sum d / n (Nelson 1972, Aalen 1978).
 *
 * Promises: sums in ascending order of time: the same points give the same bits.
 * Never: allocates.
 */
#ifndef RETENTION_KAPLAN_MEIER_H
#define RETENTION_KAPLAN_MEIER_H

#include <stdbool.h>
#include <stddef.h>

/* A distinct time at which somebody left, by event or censored. */
typedef struct KmPoint
{
	/* given, ascending by time */
	double		time;
	double		at_risk;		/* sums of weights */
	double		events;
	double		censored;
	/* km_estimate() */
	double		survival;		/* just after time */
	double		se;				/* Greenwood; NaN where survival is 0 */
	double		hazard;			/* cumulative, Nelson-Aalen */
	double		hazard_se;
} KmPoint;

/*
 * An estimate that is under way, for points that come in several pieces.
 *
 * As long as nobody is censored and nobody enters, the factors (n - d) / n of a
 * run cancel down to what is left of it: written so, the share of an uncensored
 * sample is the share, to the last digit, however many steps it took.
 */
typedef struct KmRun
{
	double		before;			/* survival where the run began */
	double		start;			/* at risk then */
	double		left;			/* of the run */
	double		survival;
	double		greenwood;		/* sum of d / (n (n - d)) */
	double		hazard;			/* sum of d / n */
	double		hazard_variance;	/* sum of d / n^2 */
} KmRun;

#define KM_RUN_START {1, 0, -1, 1, 0, 0, 0}

extern void km_continue(KmRun *run, KmPoint *points, size_t n);

/* All points at once. */
extern void km_estimate(KmPoint *points, size_t n);

/* The last point that is not after time; NULL before the first. */
extern const KmPoint *km_point(const KmPoint *points, size_t n, double time);

/* S(time), right-continuous: 1 before the first point, the last value after the last. */
extern double km_survival(const KmPoint *points, size_t n, double time);

#endif							/* RETENTION_KAPLAN_MEIER_H */
