/*
 * trust_region.h
 *	  The top of a smooth function of a few variables, by its gradient.
 *
 * Plain C on doubles, no PostgreSQL header.
 * Promises: never ends on a point where the function is not finite, or lower
 * than where it started; stays within the bounds; says whether it found a top;
 * the same input gives the same bits.
 * Never: allocates, or draws random numbers.
 */
#ifndef RETENTION_TRUST_REGION_H
#define RETENTION_TRUST_REGION_H

#include "math/small_matrix.h"

/*
 * The value at "at", and its gradient.  Anything that is not finite says that
 * the point is no candidate.
 */
typedef double (*TrustRegionFunction) (void *arg, const double *at, double *gradient);

typedef enum TrustRegionEnd
{
	MAXIMISE_TOP,				/* Newton's step from there is nothing */
	MAXIMISE_STALLED,			/* no progress, or too many steps, before the top */
	MAXIMISE_NOWHERE			/* the start is no candidate */
} TrustRegionEnd;

typedef struct Maximum
{
	/* the task: set by the caller, all of it */
	int			n;
	TrustRegionFunction function;
	void	   *arg;
	double		lower[DENSE_MAX];
	double		upper[DENSE_MAX];
	double		tolerance;		/* a Newton step as short as this is nothing */
	double		settle;			/* where steps are as short, curvature is measured */
	bool		two_sided;		/* measured by twice the evaluations, more exactly */
	double		least_gain;		/* a long step that gains less for its length is in vain */
	int			max_steps;

	/* where to start, and in the end the best point */
	double		at[DENSE_MAX];

	/*
	 * Minus the matrix of second derivatives.  A start may know it (of a similar function), in the
	 * end it belongs to the best point or, when "measured", to one within "settle" of it.
	 */
	bool		curvature_known;
	double		curvature[DENSE_MAX * DENSE_MAX];

	/* the result */
	double		value;
	double		gradient[DENSE_MAX];
	bool		measured;
	int			steps;
	int			evaluations;
} Maximum;

extern TrustRegionEnd trust_region_maximise(Maximum *m);

#endif							/* RETENTION_TRUST_REGION_H */
