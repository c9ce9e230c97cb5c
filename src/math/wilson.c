/*
 * wilson.c
 *	  Proportions: Wilson limits, differences and their test.
 *
 * Sources and promises: see wilson.h.
 */
#include "math/wilson.h"

#include <math.h>

double
normal_two_sided_p(double z)
{
	return erfc(fabs(z) * M_SQRT1_2);
}

double
normal_two_sided_z(double confidence)
{
	double		tail = 1 - confidence;	/* both sides together */
	double		t = sqrt(-2 * log(tail / 2));

	/* Abramowitz and Stegun 26.2.23, good to 4.5e-4 */
	double		z = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
	(1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));

	/*
	 * Halley's iteration on erfc(z / sqrt 2) - tail.  The density is constant in sign, and three
	 * steps from such a start reach the last digit.
	 */
	for (int i = 0; i < 4; i++)
	{
		double		density = M_2_SQRTPI * M_SQRT1_2 * exp(-z * z / 2);
		double		error = normal_two_sided_p(z) - tail;
		double		step;

		/* near 0 erfc loses nothing, but use erf where the centre is small */
		if (confidence < 0.5)
			error = confidence - erf(z * M_SQRT1_2);
		if (density == 0)
			break;
		step = error / density;
		z += step / (1 - step * z / 2);
		if (z < 0)
			z = 0;
	}
	return z;
}

Limits
wilson_limits(double hits, double n, double z)
{
	double		p = hits / n;
	double		z2 = z * z;
	double		centre = p + z2 / (2 * n);
	double		half = z * sqrt((p * (1 - p) + z2 / (4 * n)) / n);
	double		low;
	double		high;
	Limits		limits;

	/* at the edges the limits are exact, whatever rounding says */
	low = (centre - half) / (1 + z2 / n);
	high = (centre + half) / (1 + z2 / n);
	low = hits <= 0 || low < 0 ? 0 : low;
	high = hits >= n || high > 1 ? 1 : high;
	limits.low = low < p ? low : p;
	limits.high = high > p ? high : p;
	return limits;
}

Limits
newcombe_limits(double hits1, double n1, double hits2, double n2, double z)
{
	double		p1 = hits1 / n1;
	double		p2 = hits2 / n2;
	Limits		w1 = wilson_limits(hits1, n1, z);
	Limits		w2 = wilson_limits(hits2, n2, z);
	Limits		limits;

	limits.low = p1 - p2 - hypot(p1 - w1.low, w2.high - p2);
	limits.high = p1 - p2 + hypot(w1.high - p1, p2 - w2.low);
	return limits;
}

double
two_proportion_p(double hits1, double n1, double hits2, double n2)
{
	double		pooled = (hits1 + hits2) / (n1 + n2);
	double		variance = pooled * (1 - pooled) * (1 / n1 + 1 / n2);

	if (hits1 + hits2 <= 0 || hits1 + hits2 >= n1 + n2)
		return 1;
	return normal_two_sided_p((hits1 / n1 - hits2 / n2) / sqrt(variance));
}
