/*
 * beta_ratio.c
 *	  Ratios of beta functions, and sums of them: beta-mixed survival.
 *
 * ln(B(a, b + t) / B(a, b)) = ln G(b + t) - ln G(b) - ln G(a + b + t) + ln G(a + b)
 * is a mixed second difference of ln Gamma, of the order of -a t / b where b is
 * large.  It is taken piece by piece of Stirling's series, each in a form that
 * does not subtract.
 *
 * Promises: see beta_ratio.h.
 */
#include "math/beta_ratio.h"

#include <math.h>

#include "math/hypergeometric.h"
#include "math/special.h"

/* From here on the asymptotic series are exact to the last place. */
#define ASYMPTOTIC_FROM	16.0

/* Up to so many whole steps the product itself is cheaper. */
#define PRODUCT_STEPS	16.0

/* Below this ratio a difference is taken as a derivative: its error is the square / 24. */
#define NARROW			1e-8

/* A product of factors 1 - part, kept as itself and as its distance from 1. */
typedef struct Product
{
	double		ln;				/* of the factors put away */
	double		kept;			/* product of the others */
	double		lost;			/* 1 - kept, to its own precision */
} Product;

static inline void
beta_ratio_multiply(Product *product, double factor, double part)
{
	product->kept *= factor;
	product->lost += part * (1 - product->lost);
	if (product->kept < 1e-200)
	{
		product->ln += log(product->kept);
		product->kept = 1;
		product->lost = 0;
	}
}

static inline double
ln_product(const Product *product)
{
	if (product->kept > 0.5 && product->kept < 2)
		return product->ln + log1p(-product->lost);
	return product->ln + log(product->kept);
}

/* Stirling's series of ln Gamma after 1 / (12 z), Abramowitz and Stegun 6.1.42 */
static double
beta_ratio_stirling_rest(double z)
{
	double		y = 1 / (z * z);

	return -y * (1.0 / 360 - y * (1.0 / 1260 - y * (1.0 / 1680 - y * (1.0 / 1188 -
																	  y * (691.0 / 360360 - y / 156))))) / z;
}

/* Psi's series after 1 / (12 z^2), A&S 6.3.18 */
static double
digamma_rest(double z)
{
	double		y = 1 / (z * z);

	return y * (y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y * (1.0 / 132 -
																		y * (691.0 / 32760 - y / 12))))));
}

/* 1/b - 1/(b+t) - 1/(a+b) + 1/(a+b+t) */
static inline double
reciprocal_difference(double a, double b, double t)
{
	return (a / (b * (a + b))) * (t / (b + t)) * ((a + 2 * b + t) / (a + b + t));
}

/* The same of the squares of the reciprocals */
static inline double
square_difference(double a, double b, double t)
{
	double		low = 1 / (b * (b + t));
	double		high = 1 / ((a + b) * (a + b + t));

	return a * t * high * ((2 * b + t) * (a + 2 * b + t) * low * (low + high) - 2 * high);
}

double
ln_beta_ratio(double a, double b, double t)
{
	Product		product = {0, 1, 0};

	if (t <= 0 || a == 0)
		return 0;
	if (t <= PRODUCT_STEPS && t == floor(t))
	{
		for (int j = 0; j < (int) t; j++)
			beta_ratio_multiply(&product, (b + j) / (a + b + j), a / (a + b + j));
		return ln_product(&product);
	}
	for (; b < ASYMPTOTIC_FROM; b++)
		beta_ratio_multiply(&product, (b / (a + b)) * ((a + b + t) / (b + t)), (a / (a + b)) * (t / (b + t)));

	if (fabs(a) < NARROW * b)
		return ln_product(&product) - a * digamma_difference(b + a / 2, t);
	if (t < NARROW * b)
		return ln_product(&product) - t * digamma_difference(b + t / 2, a);
	return ln_product(&product) +
		(b - 0.5) * log1p((a / b) * (t / (a + b + t))) -
		a * log1p(t / (a + b)) - t * log1p(a / (b + t)) -
		reciprocal_difference(a, b, t) / 12 +
		((beta_ratio_stirling_rest(b + t) - beta_ratio_stirling_rest(b)) -
		 (beta_ratio_stirling_rest(a + b + t) - beta_ratio_stirling_rest(a + b)));
}

double
ln_beta_ratio_slope(double a, double b, double t)
{
	double		sum = 0;

	if (t <= PRODUCT_STEPS && t == floor(t))
	{
		for (int j = 0; j < (int) t; j++)
			sum += a / ((b + j) * (a + b + j));
		return sum;
	}
	for (; b < ASYMPTOTIC_FROM; b++)
		sum += reciprocal_difference(a, b, t);
	return sum + log1p((a / b) * (t / (a + b + t))) + reciprocal_difference(a, b, t) / 2 +
		square_difference(a, b, t) / 12 +
		((digamma_rest(b + t) - digamma_rest(b)) -
		 (digamma_rest(a + b + t) - digamma_rest(a + b)));
}

/*
 * Few terms are added up.  More telescope: the sum is b / (a - 1) * (1 - B(a - 1,
 * b + 1 + n) / B(a - 1, b + 1)), where a tiny b must not drown in b + 1.
 */
double
beta_ratio_sum(double a, double b, double n)
{
	double		sum = 0;

	if (n <= PRODUCT_STEPS)
	{
		double		survived = 1;

		for (double j = 0; j < n; j++)
		{
			survived *= (b + j) / (a + b + j);
			sum += survived;
		}
		return sum;
	}
	if (b < 1)
		return b / (a + b) * (1 + beta_ratio_sum(a, b + 1, n - 1));
	if (a == 1)
		return b * digamma_difference(b + 1, n);
	return b / (a - 1) * -expm1(ln_beta_ratio(a - 1, b + 1, n));
}

/*
 * b / (a + b) z 2F1(1, b + 1; a + b + 1; z) with z = e^-rate, which is (A&S 15.3.4)
 * w b / (a + b) 2F1(1, a; a + b + 1; -w) with w = 1 / (e^rate - 1): hypergeometric.h
 * has it as a race of waiting times whose scales are 1 and 1 - z.
 */
double
beta_ratio_discounted(double a, double b, double rate)
{
	RaceFraction fraction;
	Race		race;

	if (rate <= 0)
		return a > 1 ? b / (a - 1) : HUGE_VAL;
	race_prepare(&fraction, b, a, false);
	race_ever(&fraction, 1, -expm1(-rate), &race);
	return race.won / expm1(rate);
}
