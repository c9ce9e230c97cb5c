/*
 * beta_expectation.h
 *	  Purchases at a gamma-distributed rate, each with a beta-distributed chance to
 *	  be the last: their expectations.
 *
 * P is beta (a, b), the rate G is gamma (shape, 1), and time w is counted so.  Of a
 * customer alive at 0
 *	 E[(1 + P w)^-shape] are alive at w, which is 2F1(shape, a; a + b; -w),
 *	 E[(1 - (1 + P w)^-shape) / P] purchases are made until then, and
 *	 E[G / (G P + rate)] is the sum of all of them, discounted by e^(-rate w).
 * The published form of the second is a difference of two infinities at a = 1 and
 * at a + b = 1; here nothing is singular there.
 *
 * Plain C, no PostgreSQL header.
 * Promises: about 1e-12 relative for arguments from 1e-6 to 1e6; beta_survival()
 * 1e-10 where a and b are both beyond 1e4.
 * Never: allocates, keeps anything but nodes in the caller's cache.
 */
#ifndef RETENTION_BETA_EXPECTATION_H
#define RETENTION_BETA_EXPECTATION_H

#include "math/quadrature.h"

/* cache and index: see beta_nodes_cached() */
typedef struct BetaPurchases
{
	double		a;
	double		b;
	double		shape;
	BetaNodesCache *cache;
	unsigned	index;
} BetaPurchases;

extern double beta_survival(const BetaPurchases *of, double w);

/* for n times w >= 0 */
extern void beta_purchases(const BetaPurchases *of, const double *w, int n, double *result);

/* rate >= 0; 0: HUGE_VAL for a <= 1 */
extern double beta_discounted(const BetaPurchases *of, double rate);

#endif							/* RETENTION_BETA_EXPECTATION_H */
