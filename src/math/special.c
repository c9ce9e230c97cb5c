/*
 * special.c
 *	  Special functions that libm does not have, or not as exactly.
 *
 * Promises: see special.h.
 */
#include "math/special.h"

#include <math.h>

/* From here on the asymptotic series are exact to the last place. */
#define ASYMPTOTIC_FROM	16.0

/*
 * ln Gamma(z) - ((z - 1/2) ln z - z + ln(2 pi)/2): Stirling's series,
 * Abramowitz and Stegun 6.1.42; z >= ASYMPTOTIC_FROM.
 */
static double
stirling(double z)
{
	double		y = 1 / (z * z);

	return (1.0 / 12 - y * (1.0 / 360 - y * (1.0 / 1260 - y * (1.0 / 1680 - y * (1.0 / 1188 -
																				 y * (691.0 / 360360 - y / 156)))))) / z;
}

double
ln_gamma(double z)
{
	/* libm's is good everywhere but writes signgam: harmless in one thread */
	return lgamma(z);
}

/* psi(z) - ln z + 1/(2z), A&S 6.3.18 */
static double
digamma_tail(double z)
{
	double		y = 1 / (z * z);

	return -y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y * (1.0 / 132 -
																					y * (691.0 / 32760 - y / 12))))));
}

double
digamma(double z)
{
	double		sum = 0;

	for (; z < ASYMPTOTIC_FROM; z++)
		sum -= 1 / z;
	return sum + log(z) - 0.5 / z + digamma_tail(z);
}

double
trigamma(double z)
{
	double		sum = 0;
	double		y;

	for (; z < ASYMPTOTIC_FROM; z++)
		sum += 1 / (z * z);
	y = 1 / (z * z);
	/* A&S 6.4.12 */
	return sum + (1 + 0.5 / z + y * (1.0 / 6 - y * (1.0 / 30 - y * (1.0 / 42 - y * (1.0 / 30 -
																					y * (5.0 / 66 - y * (691.0 / 2730 - y * 7.0 / 6))))))) / z;
}

double
ln_gamma_ratio(double z, double n)
{
	double		sum = 0;

	if (n == 0)
		return 0;
	/* few whole steps: a product */
	if (n <= 16 && n == floor(n))
	{
		double		product = 1;

		for (int i = 0; i < (int) n; i++)
		{
			product *= z + i;
			if (product > 1e280 || product < 1e-280)
			{
				sum += log(product);
				product = 1;
			}
		}
		return sum + log(product);
	}
	/* Gamma(z) = Gamma(z + 1) / z until the series hold for both */
	if (z < ASYMPTOTIC_FROM)
	{
		double		product = 1;
		double		less = 0;

		for (; z < ASYMPTOTIC_FROM; z++)
		{
			product *= (z + n) / z;
			if (product > 1e280)
			{
				less += log(product);
				product = 1;
			}
		}
		sum = -less - log(product);
	}
	return sum + (z - 0.5) * log1p(n / z) + n * (log(z + n) - 1) + (stirling(z + n) - stirling(z));
}

double
digamma_difference(double z, double n)
{
	double		sum = 0;

	if (n <= 16 && n == floor(n))
	{
		for (int i = 0; i < (int) n; i++)
			sum += 1 / (z + i);
		return sum;
	}
	for (; z < ASYMPTOTIC_FROM; z++)
		sum += n / (z * (z + n));
	return sum + log1p(n / z) + 0.5 * n / (z * (z + n)) +
		(digamma_tail(z + n) - digamma_tail(z));
}

double
ln_beta(double a, double b)
{
	/* Gamma(small) * Gamma(large) / Gamma(large + small) */
	return a < b ? ln_gamma(a) - ln_gamma_ratio(b, a) : ln_gamma(b) - ln_gamma_ratio(a, b);
}

double
ln_1p_exp(double a)
{
	return a > 0 ? a + log1p(exp(-a)) : log1p(exp(a));
}

double
ln_add(double a, double b)
{
	if (a == -HUGE_VAL)
		return b;
	return a > b ? a + log1p(exp(b - a)) : b + log1p(exp(a - b));
}

double
logistic(double a)
{
	if (a >= 0)
		return 1 / (1 + exp(-a));
	a = exp(a);
	return a / (1 + a);
}
