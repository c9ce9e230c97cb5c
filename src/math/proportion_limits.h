/*
 * proportion_limits.h
 *	  Limits of a proportion by other methods than Wilson's, and Fisher's exact
 *	  test.
 *
 * Plain C on doubles, no PostgreSQL header; counts are passed as doubles and
 * must be whole numbers.
 * Promises: about 1e-12 relative for any counts that a double holds; limits lie
 * in [0, 1], those of differences in [-1, 1].
 * Never: allocates, takes longer than a bounded number of steps, or reads a
 * setting.
 */
#ifndef RETENTION_PROPORTION_LIMITS_H
#define RETENTION_PROPORTION_LIMITS_H

#include <stdbool.h>

#include "math/wilson.h"

/* The normal approximation around hits / n, cut to [0, 1]; n > 0. */
extern Limits wald_limits(double hits, double n, double z);

/*
 * Wilson's limits with continuity correction, 0 and 1 where none or all are hits.
 * Method 4 of R. G. Newcombe (1998), Statistics in Medicine 17:857-872.
 */
extern Limits wilson_cc_limits(double hits, double n, double z);

/*
 * Wald's limits after z^2 / 2 hits and as many misses are added, cut to [0, 1].
 * A. Agresti and B. A. Coull (1998), The American Statistician 52:119-126.
 */
extern Limits agresti_coull_limits(double hits, double n, double z);

/*
 * Limits whose binomial tests, one for each side, are on the verge of
 * rejecting; never covers less than promised.
 * C. J. Clopper and E. S. Pearson (1934), Biometrika 26:404-413.
 */
extern Limits clopper_pearson_limits(double hits, double n, double confidence);

/*
 * Equal tails of the posterior distribution after Jeffreys' prior, Beta(1/2, 1/2);
 * 0 and 1 where none or all are hits.
 * L. D. Brown, T. T. Cai and A. DasGupta (2001), Statistical Science 16:101-133.
 */
extern Limits jeffreys_limits(double hits, double n, double confidence);

/* p1 - p2 and its Wald limits, variances not pooled, cut to [-1, 1]; n1, n2 > 0 */
extern Limits wald_difference(double hits1, double n1, double hits2, double n2, double z);

/* The z of two_proportion_p(); NaN where all or none of both samples are hits. */
extern double two_proportion_z(double hits1, double n1, double hits2, double n2);

/*
 * Fisher's exact test of p1 = p2, two-sided: the probability, given both
 * margins, of all tables that are not more probable than the one at hand,
 * up to one part in 1e7.  R. A. Fisher (1935), JRSS 98:39-82.  NaN where that is
 * a sum of very many terms: a standard deviation of hits1 above FISHER_SPREAD,
 * samples beyond some 1e12.
 */
#define FISHER_SPREAD	1e6

extern double fisher_two_sided(double hits1, double n1, double hits2, double n2);

/* The x with P(X <= x) = tail of a beta or, if upper, P(X > x) = tail; 0 < tail <= 1/2. */
extern double beta_quantile(double tail, bool upper, double a, double b);

#endif							/* RETENTION_PROPORTION_LIMITS_H */
