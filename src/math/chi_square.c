/*
 * chi_square.c
 *	  The upper tail of the chi-square distribution.
 *
 * It is the regularised incomplete gamma function Q(degrees / 2, x / 2).
 */
#include "math/chi_square.h"

#include <math.h>

#include "math/special.h"

#define ITERATIONS	100000
#define SMALLEST	1e-300
#define PRECISION	1e-16

/* Abramowitz and Stegun 6.5.29: sum of x^n / (a (a + 1) ... (a + n)) */
static double
lower_series(double a, double x)
{
	double		term = 1 / a;
	double		sum = term;

	for (int n = 1; n < ITERATIONS && term > sum * PRECISION; n++)
	{
		term *= x / (a + n);
		sum += term;
	}
	return sum;
}

/* Abramowitz and Stegun 6.5.31, evaluated as Lentz does; x > a - 1 */
static double
upper_fraction(double a, double x)
{
	double		b = x + 1 - a;
	double		c = 1 / SMALLEST;
	double		d = 1 / b;
	double		h = d;

	for (int n = 1; n < ITERATIONS; n++)
	{
		double		coefficient = -n * (n - a);
		double		factor;

		b += 2;
		d = coefficient * d + b;
		if (fabs(d) < SMALLEST)
			d = SMALLEST;
		c = b + coefficient / c;
		if (fabs(c) < SMALLEST)
			c = SMALLEST;
		d = 1 / d;
		factor = c * d;
		h *= factor;
		if (fabs(factor - 1) < PRECISION)
			break;
	}
	return h;
}

double
chi_square_upper(double x, double degrees)
{
	double		a = degrees / 2;
	double		front;

	x /= 2;
	if (x <= 0)
		return 1;
	if (isinf(x))
		return 0;
	/* x^a e^-x / Gamma(a) */
	front = exp(a * log(x) - x - ln_gamma(a));
	if (x < a + 1)
		return 1 - front * lower_series(a, x);
	return front * upper_fraction(a, x);
}
