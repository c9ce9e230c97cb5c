/*
 * student_t.c
 *	  Student's t.
 *
 * Promises: see student_t.h.
 */
#include "math/student_t.h"

#include <math.h>

#include "math/proportion_limits.h"

/* T^2 / (degrees + T^2) is a beta of 1/2 and degrees / 2. */
double
student_two_sided_t(double confidence, double degrees)
{
	double		y = confidence >= 0.5 ? beta_quantile(1 - confidence, true, 0.5, degrees / 2) :
	beta_quantile(confidence, false, 0.5, degrees / 2);

	if (y > 0.5)
	{
		/* next to 1 it is known better by its distance from it */
		double		rest = confidence >= 0.5 ? beta_quantile(1 - confidence, false, degrees / 2, 0.5) :
		beta_quantile(confidence, true, degrees / 2, 0.5);

		return sqrt(degrees * (1 - rest) / rest);
	}
	return sqrt(degrees * y / (1 - y));
}
