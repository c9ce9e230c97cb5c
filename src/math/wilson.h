/*
 * wilson.h
 *	  Proportions: Wilson limits, differences and their test.
 *
 * Plain C on doubles; counts are passed as doubles and must be whole numbers.
 * Promises: limits lie in [0, 1] (differences in [-1, 1]) and contain the
 * estimate.  Never: allocates, or reads a setting.
 */
#ifndef RETENTION_WILSON_H
#define RETENTION_WILSON_H

typedef struct Limits
{
	double		low;
	double		high;
} Limits;

/*
 * The z with P(|Z| < z) = confidence for a standard normal Z, to full double
 * precision (a rational start, mended by Newton steps on erfc).
 */
extern double normal_two_sided_z(double confidence);

/* P(|Z| >= z) */
extern double normal_two_sided_p(double z);

/*
 * Wilson's score limits for hits of n > 0.
 * E. B. Wilson (1927), JASA 22:209-212.
 */
extern Limits wilson_limits(double hits, double n, double z);

/*
 * Limits of p1 - p2 from two independent samples, n1 and n2 > 0: the square
 * and add rule on Wilson limits, method 10 of
 * R. G. Newcombe (1998), Statistics in Medicine 17:873-890.
 */
extern Limits newcombe_limits(double hits1, double n1, double hits2, double n2, double z);

/*
 * Two-sided p value of p1 = p2: the pooled z test (equal to Pearson's
 * chi-square with one degree of freedom, without continuity correction).
 * 1 when all or none of both samples are hits.
 */
extern double two_proportion_p(double hits1, double n1, double hits2, double n2);

#endif							/* RETENTION_WILSON_H */
