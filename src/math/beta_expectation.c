/*
 * beta_expectation.c
 *	  Purchases at a gamma-distributed rate, each with a beta-distributed chance to
 *	  be the last: their expectations.
 *
 * Three ways, tried in this order:
 *	 a power series in z = w / (1 + w), after Pfaff's transformation
 *		2F1(s, a; c; -w) = (1 + w)^-a 2F1(c - s, a; c; z), c = a + b:
 *		its terms have one sign, and few matter for usual customers;
 *	 16 Gauss-Jacobi nodes where what is averaged is nearly a polynomial;
 *	 the trapezoidal rule in the logit of P, whose error falls exponentially: for
 *		anything else.
 *
 * Promises: see beta_expectation.h.
 */
#include "math/beta_expectation.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "math/logit_trapezoid.h"

/* ---------- power series ---------- */

#define SERIES_TERMS	400

/* Sum of (s)_j (a)_j / ((c)_j (d)_j) z^j; coefficients are made when they are first used. */
typedef struct Series
{
	double		s;
	double		a;
	double		c;
	double		d;
	int			known;
	double		coefficient[SERIES_TERMS];
} Series;

static void
series_set(Series *series, double s, double a, double c, double d)
{
	series->s = s;
	series->a = a;
	series->c = c;
	series->d = d;
	series->known = 1;
	series->coefficient[0] = 1;
}

static bool
series_sum(Series *series, double z, double *result)
{
	double		enough = DBL_EPSILON * (1 - z);
	double		coefficient = series->coefficient[series->known - 1];
	double		power = 1;
	double		before = 1;
	double		sum = 1;

	for (int j = 1; j < SERIES_TERMS; j++)
	{
		double		term;

		power *= z;
		if (j < series->known)
			term = series->coefficient[j] * power;
		else
		{
			double		i = j - 1;

			coefficient *= (series->s + i) * (series->a + i) / ((series->c + i) * (series->d + i));
			series->coefficient[j] = coefficient;
			series->known = j + 1;
			term = coefficient * power;
		}
		sum += term;
		term = fabs(term);
		if (term <= enough * fabs(sum) && term <= before)
		{
			*result = sum;
			return true;
		}
		before = term;
	}
	return false;
}

/*
 * With c - shape > -1 all terms but the first have one sign.  A large a would make
 * sums that overflow before they are multiplied with (1 + w)^-a.
 */
static bool
series_holds(const BetaPurchases *of)
{
	return of->a <= 20 && of->a + of->b - of->shape > -1;
}

/* ---------- Gauss-Jacobi nodes ---------- */

/*
 * (1 + P w)^-shape is nearly a polynomial of degree 31 over the spread of P where
 * it changes by little more than a factor e over one standard deviation and its
 * singularity at P = -1 / w is away: then the error is below 1e-12.
 */
static bool
nodes_hold(const BetaPurchases *of, double w)
{
	return w <= 1.5 && of->shape * w * fmax(1, sqrt(of->a)) <= 1.3 * fmax(1, of->a + of->b);
}

/* (1 - (1 + p w)^-shape) / p, which is shape * w for p -> 0 */
static double
purchases_given(double p, double shape, double w)
{
	return -expm1(-shape * log1p(p * w)) / p;
}

/* ---------- alive ---------- */

static double
survival_by_trapezoid(const BetaPurchases *of, double w)
{
	double		c = fmax(of->a + of->b, 1);
	Trapezoid	all;
	Trapezoid	alive;
	double		sum_all;
	double		sum_alive;

	trapezoid_set(&all, of->a, of->b, 0, 0);
	trapezoid_set(&alive, of->a, of->b, of->shape, w);
	sum_all = trapezoid_sum(&all, c, c, NULL, NULL, NULL);
	sum_alive = trapezoid_sum(&alive, c + (of->shape + 1) * w, c + of->shape, NULL, NULL, NULL);
	return sum_alive * alive.step / (sum_all * all.step) *
		exp(trapezoid_ln_top(&alive) - trapezoid_ln_top(&all));
}

double
beta_survival(const BetaPurchases *of, double w)
{
	double		sum = 0;

	if (w == 0 || isinf(w))
		return w == 0;
	if (series_holds(of))
	{
		Series		series;

		series_set(&series, of->a + of->b - of->shape, of->a, of->a + of->b, 1);
		if (series_sum(&series, w / (1 + w), &sum))
			return fmin(sum * exp(-of->a * log1p(w)), 1);
		sum = 0;
	}
	if (nodes_hold(of, w))
	{
		BetaNodes	own;
		const BetaNodes *nodes = beta_nodes_cached(of->cache, of->index, of->a, of->b, &own);

		for (int i = 0; i < BETA_NODES; i++)
			sum += nodes->weight[i] * exp(-of->shape * log1p(nodes->node[i] * w));
		return fmin(sum, 1);
	}
	return fmin(survival_by_trapezoid(of, w), 1);
}

/* ---------- purchases ---------- */

/*
 * (c - 1) times the integral of (1 + v)^-a, v = 0..w, less
 * (1 + w)^(1 - a) (c - 1 - shape) z 3F2(c - shape, a, 1; c, 2; z): the integral
 * of shape 2F1(shape + 1, a; c; -v).
 */
static bool
purchases_by_series(const BetaPurchases *of, Series *series, double w, double *result)
{
	double		c1 = of->a + of->b - 1;
	double		ln = log1p(w);
	double		exponent = (1 - of->a) * ln;
	double		power = exp(exponent);
	double		less = fabs(exponent) < 0.5 ? expm1(exponent) : power - 1;
	double		sum;

	if (!series_sum(series, w / (1 + w), &sum))
		return false;
	*result = c1 * (of->a == 1 ? ln : less / (1 - of->a)) -
		power * (c1 - of->shape) * (w / (1 + w)) * sum;
	return true;
}

static double
purchases_by_nodes(const BetaPurchases *of, const BetaNodes *nodes, double w)
{
	double		sum = 0;

	for (int i = 0; i < BETA_NODES; i++)
		sum += nodes->weight[i] * purchases_given(nodes->node[i], of->shape, w);
	return sum;
}

typedef struct Horizon
{
	double		shape;
	double		w;
} Horizon;

static double
purchases_integrand(double p, const void *context)
{
	const Horizon *horizon = context;

	return purchases_given(p, horizon->shape, horizon->w);
}

static double
purchases_by_trapezoid(const BetaPurchases *of, double w)
{
	double		c = fmax(of->a + of->b, 1);
	Horizon		horizon = {of->shape, w};
	Trapezoid	trapezoid;
	double		trapezoids;
	double		products;

	trapezoid_set(&trapezoid, of->a, of->b, 0, 0);
	trapezoids = trapezoid_sum(&trapezoid, c + (of->shape + 1) * w, c + of->shape,
							   purchases_integrand, &horizon, &products);
	return products / trapezoids;
}

void
beta_purchases(const BetaPurchases *of, const double *w, int n, double *result)
{
	double		c = of->a + of->b;

	/* the two terms may cancel to this part of the first */
	bool		by_series = series_holds(of) && fabs(c - 1) <= 1000 * of->shape;
	const BetaNodes *nodes = NULL;
	BetaNodes	own;
	Series		series;

	if (by_series)
		series_set(&series, c - of->shape, of->a, c, 2);
	/* the longest first: it makes the coefficients for all */
	for (int i = n - 1; i >= 0; i--)
	{
		if (by_series && purchases_by_series(of, &series, w[i], &result[i]))
			continue;
		if (nodes_hold(of, w[i]))
		{
			if (nodes == NULL)
				nodes = beta_nodes_cached(of->cache, of->index, of->a, of->b, &own);
			result[i] = purchases_by_nodes(of, nodes, w[i]);
		}
		else
			result[i] = purchases_by_trapezoid(of, w[i]);
	}
}
