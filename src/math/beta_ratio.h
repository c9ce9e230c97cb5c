/*
 * beta_ratio.h
 *	  Ratios of beta functions, and sums of them: beta-mixed survival.
 *
 * B(a, b + t) / B(a, b) = E[(1 - P)^t], P ~ Beta(a, b), is the chance to survive
 * t trials whose hazard is drawn once from a beta distribution (shifted
 * beta-geometric survival, Fader and Hardie 2007).
 *
 * Plain C on doubles, no PostgreSQL header.
 * Promises: relative precision of the logarithm itself, also where it is nearly 0
 * (a tiny, b huge) and where Pochhammer symbols would overflow.
 * Never: allocates.
 */
#ifndef RETENTION_BETA_RATIO_H
#define RETENTION_BETA_RATIO_H

/*
 * ln(B(a, b + t) / B(a, b)), b > 0, a + b > 0, t >= 0.  As a ratio of gamma
 * functions it is also defined for -1 < a <= 0, where it is >= 0.
 */
extern double ln_beta_ratio(double a, double b, double t);

/* Its derivative with respect to b: (psi(b + t) - psi(b)) - (psi(a + b + t) - psi(a + b)) */
extern double ln_beta_ratio_slope(double a, double b, double t);

/* Sum for j = 1..n of B(a, b + j) / B(a, b), a, b > 0; n whole */
extern double beta_ratio_sum(double a, double b, double n);

/*
 * Sum for all j >= 1 of B(a, b + j) / B(a, b) exp(-rate * j), rate >= 0.  HUGE_VAL
 * where infinite.
 */
extern double beta_ratio_discounted(double a, double b, double rate);

#endif							/* RETENTION_BETA_RATIO_H */
