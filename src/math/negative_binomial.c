/*
 * negative_binomial.c
 *	  The negative binomial distribution and its tail, an incomplete beta function.
 *
 * Promises: see negative_binomial.h.
 */
#include "math/negative_binomial.h"

#include <float.h>
#include <math.h>

#include "math/special.h"

/* Steps of the continued fraction: about the square root of the larger argument. */
#define STEPS_MAX	20000

double
negative_binomial(double k, double shape, double w)
{
	if (k == 0)
		return exp(-shape * log1p(w));
	if (w == 0)
		return 0;
	return exp(ln_gamma_ratio(shape, k) - ln_gamma(k + 1) -
			   shape * log1p(w) - k * log1p(1 / w));
}

static double
not_zero(double value)
{
	return fabs(value) < DBL_MIN ? DBL_MIN : value;
}

/*
 * The continued fraction of the incomplete beta function I_x(a, b), without
 * its factor x^a (1 - x)^b / (a B(a, b)): A&S 26.5.8 by the method of Lentz
 * (1976); fast for x < (a + 1) / (a + b + 2).
 */
static double
beta_fraction(double a, double b, double x)
{
	double		c = 1;
	double		d = 1 / not_zero(1 - (a + b) * x / (a + 1));
	double		result = d;

	for (int m = 1; m < STEPS_MAX; m++)
	{
		double		even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
		double		odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
		double		step;

		d = 1 / not_zero(1 + even * d);
		c = not_zero(1 + even / c);
		result *= d * c;
		d = 1 / not_zero(1 + odd * d);
		c = not_zero(1 + odd / c);
		step = d * c;
		result *= step;
		if (fabs(step - 1) < DBL_EPSILON)
			break;
	}
	return result;
}

double
negative_binomial_tail(double k, double shape, double w, double many)
{
	double		z = w / (1 + w);

	if (k <= 0)
		return 1;
	if (k == 1)
		return -expm1(-shape * log1p(w));
	/* I_z(k, shape), whose factor is P(N = k) */
	if (z < (k + 1) / (k + shape + 2))
		return fmin(many * beta_fraction(k, shape, z), 1);
	return fmax(1 - many * k / shape * beta_fraction(shape, k, 1 / (1 + w)), 0);
}
