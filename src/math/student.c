/*
 * student.c
 *	  Student's t.
 *
 * Promises: see student.h.
 */
#include "student.h"

#include <math.h>

#include "proportions.h"

/* T^2 / (degrees + T^2) is a beta of 1/2 and degrees / 2. */
double
student_two_sided_t(double confidence, double degrees)
{
	double		y = confidence >= 0.5 ? beta_quantile(1 - confidence, true, 0.5, degrees / 2) :
		beta_quantile(confidence, false, 0.5, degrees / 2);

	return sqrt(degrees * y / (1 - y));
}
