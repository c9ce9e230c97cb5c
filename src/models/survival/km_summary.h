/*
 * km_summary.h
 *	  What is read from a Kaplan-Meier curve: limits, quantiles, the restricted
 *	  mean.
 *
 * Plain C on doubles, no PostgreSQL header.  Points are as km_estimate() leaves
 * them; NaN stands for what is not defined or not reached.
 *
 * Promises: limits lie in [0, 1]; only the points count.
 * Never: allocates.
 */
#ifndef RETENTION_KM_SUMMARY_H
#define RETENTION_KM_SUMMARY_H

#include "models/survival/kaplan_meier.h"

/*
 * S -/+ z se, cut to [0, 1]; exp(ln S -/+ z se / S), the upper one cut to 1; or
 * S^exp(+/- z se / (S |ln S|)) (Kalbfleisch and Prentice 1980).
 */
typedef enum KmBand
{
	KM_PLAIN,
	KM_LOG,
	KM_LOG_LOG
} KmBand;

typedef struct KmLimits
{
	double		low;			/* NaN where S is 0; log-log also where it is 1 */
	double		high;
} KmLimits;

/* Called every few thousand points; may not return. */
typedef void (*KmPoll) (void);

extern KmLimits km_limits(const KmPoint *point, KmBand band, double z);

typedef struct KmQuantile
{
	double		time;
	double		low;			/* where the bands cross the same height */
	double		high;
} KmQuantile;

/*
 * The first time at which a share p, 0 < p < 1, has left: S <= 1 - p, within
 * KM_TOLERANCE (1 - 0.9 is not 0.1 of a double).  Limits by Brookmeyer and
 * Crowley (1982): the first time at which a band is not above that height.  A band
 * may rise again far out, where few are at risk: then the time of its highest
 * point not above that height, as survfit of R has it.  "midpoint": where S stays at 1 - p for a while, the middle of
 * that while, until the last point where no event ends it.
 */
#define KM_TOLERANCE 1e-12

extern KmQuantile km_quantile(const KmPoint *points, size_t n, double p, KmBand band, double z,
							  bool midpoint, KmPoll poll);

typedef struct KmMean
{
	double		mean;			/* area under S until tau; S stays as it is after the last point */
	double		se;				/* sqrt(sum A^2 d / (n (n - d))), A: area from there to tau */
} KmMean;

extern KmMean km_restricted_mean(const KmPoint *points, size_t n, double tau, KmPoll poll);

#endif							/* RETENTION_KM_SUMMARY_H */
