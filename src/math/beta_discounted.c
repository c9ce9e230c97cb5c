/*
 * beta_discounted.c
 *	  All purchases of a customer who is alive, discounted: E[G / (G P + rate)] for P
 *	  beta (a, b) and G gamma (shape, 1), c = a + b.
 *
 * Three ways, tried in this order: Taylor series along the time axis for c up to 60,
 * moments where b is about as large as shape, and for anything else the trapezoidal
 * rule in both G and P, which is several times slower.
 *
 * Promises: see beta_expectation.h.
 */
#include "math/beta_expectation.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "math/hypergeometric.h"
#include "math/logit_trapezoid.h"

#define RATES_MAX	400

/* A grid of rates, gamma (shape + 1, 1), whose weights sum to 1 */
typedef struct Rates
{
	double		discount;
	int			n;
	double		rate[RATES_MAX];
	double		weight[RATES_MAX];
} Rates;

static void
rates_set(Rates *rates, double shape, double discount)
{
	double		top = shape + 1;
	double		step = fmin(BELL_STEP_MAX, BELL_STEP_SIGMA / sqrt(top));
	double		total = 0;

	rates->discount = discount;
	rates->n = 0;
	for (int side = 1; side >= -1; side -= 2)
	{
		for (int i = side > 0 ? 0 : 1; rates->n < RATES_MAX; i++)
		{
			double		delta = side * i * step;
			double		rate = top * exp(delta);
			double		weight = exp(top * (delta - expm1(delta)));

			/* 1 / (rate P + discount) may be larger than at the top */
			if (weight * ((top + discount) / (rate + discount)) < BELL_NEGLIGIBLE)
				break;
			rates->rate[rates->n] = rate;
			rates->weight[rates->n] = weight;
			rates->n++;
			total += weight;
		}
	}
	for (int i = 0; i < rates->n; i++)
		rates->weight[i] /= total;
}

static double
discounted_integrand(double p, const void *context)
{
	const Rates *rates = context;
	double		sum = 0;

	for (int i = 0; i < rates->n; i++)
		sum += rates->weight[i] / (rates->rate[i] * p + rates->discount);
	return sum;
}

/* E[G / (G P + rate)] is shape times E[1 / (G P + rate)] of a G with shape + 1. */
static double
discounted_by_grids(const BetaPurchases *of, double rate)
{
	double		c = fmax(of->a + of->b, 1);
	Rates		rates;
	Trapezoid	trapezoid;
	double		trapezoids;
	double		products;

	rates_set(&rates, of->shape, rate);
	trapezoid_set(&trapezoid, of->a, of->b, 0, 0);
	trapezoids = trapezoid_sum(&trapezoid, c + (of->shape + 50) * 2 / rate, c,
							   discounted_integrand, &rates, &products);
	return of->shape * (products / trapezoids);
}

/*
 * The same is shape times the integral of e^(-rate v) g(v), v > 0, with the chance
 * g(v) = 2F1(shape + 1, a; c; -v) still to be there: it is followed from 0 by its
 * Taylor series, from piece to piece, with the hypergeometric equation
 *	 v (1 + v) g'' + (c + (shape + a + 2) v) g' + (shape + 1) a g = 0.
 */
#define TAYLOR_TERMS	160
#define TAYLOR_MORE		24		/* see piece_sum() */

typedef struct Piece
{
	double		start;
	double		width;
	int			n;
	double		inverse[TAYLOR_TERMS + TAYLOR_MORE + 1];	/* 1 / k */
	double		term[TAYLOR_TERMS]; /* g(start + width t) = sum of term[k] t^k */
} Piece;

/* From g and its slope at the start; false where the series needs too many terms. */
static bool
piece_set(Piece *piece, const BetaPurchases *of, double start, double width,
		  double value, double slope)
{
	double		s = of->shape + 1;
	double		a = of->a;
	double		c = a + of->b;
	double		unit = start > 0 ? width / (start * (1 + start)) : 0;
	double		first = (1 + 2 * start) * unit;
	double		first_more = (c + (s + a + 1) * start) * unit;
	double		second = width * unit;
	const double *inverse = piece->inverse;
	double	   *term = piece->term;

	piece->start = start;
	piece->width = width;
	term[0] = value;
	term[1] = slope * width;
	for (int k = 2; k < TAYLOR_TERMS; k++)
	{
		double		i = k - 2;

		/* at 0, which is singular, the series is the hypergeometric one */
		if (start == 0)
			term[k] = -width * ((s + i + 1) * (a + i + 1) / ((c + i + 1) * k)) * term[k - 1];
		else
			term[k] = -((first * i + first_more) * inverse[k]) * term[k - 1] -
				(second * (s + i) * (a + i) * inverse[k - 1] * inverse[k]) * term[k - 2];
		if (fabs(term[k]) + fabs(term[k - 1]) <= 1e-17 * value)
		{
			piece->n = k + 1;
			return true;
		}
	}
	return false;
}

/* Integral of e^(-rate (v - start)) g(v) over the piece; and g and its slope at the end. */
static double
piece_sum(const Piece *piece, double rate, double *value, double *slope)
{
	double		fall = rate * piece->width;
	double		last = exp(-fall);
	double		power = 0;		/* integral of e^(-fall t) t^k, t = 0..1 */
	double		sum = 0;
	double		terms = 0;
	double		slopes = 0;
	int			k = piece->n + TAYLOR_MORE - 1;

	/* downwards nothing cancels, and for fall <= 4 any start far above is forgotten */
	for (; k >= piece->n; k--)
		power = power * (fall * piece->inverse[k + 1]) + last * piece->inverse[k + 1];
	for (; k >= 0; k--)
	{
		double		term = piece->term[k];

		power = power * (fall * piece->inverse[k + 1]) + last * piece->inverse[k + 1];
		sum += term * power;
		terms += term;
		slopes += k * term;
	}
	*value = terms;
	*slope = slopes / piece->width;
	return sum * piece->width;
}

static bool
discounted_by_pieces(const BetaPurchases *of, double rate, double *result)
{
	double		s = of->shape + 1;
	double		c = of->a + of->b;
	double		near = fmin(1, c / s);	/* at 0 g behaves as if singular at -near */
	double		value = 1;
	double		slope = -s * of->a / c;
	double		start = 0;
	double		discount = 1;
	double		sum = 0;
	Piece		piece;

	/*
	 * The terms alternate and cancel to about 3^-a; and as the equation is singular at 0 too,
	 * rounding is blown up to 0.55^-c of itself before it dies away: beyond some c the series
	 * never seems to end.
	 */
	if (of->a > 8 || c > 60)
		return false;
	for (int k = 1; k <= TAYLOR_TERMS + TAYLOR_MORE; k++)
		piece.inverse[k] = 1.0 / k;
	while (discount * value > DBL_EPSILON / 8 * rate * sum)
	{
		double		width = fmin(start == 0 ? 0.5 * near : 0.45 * start, 4 / rate);

		if (!piece_set(&piece, of, start, width, value, slope))
			return false;
		sum += discount * piece_sum(&piece, rate, &value, &slope);
		start += width;
		discount = exp(-rate * start);
	}
	*result = of->shape * sum;
	return true;
}

/*
 * The same after Pfaff's transformation: shape times the sum of factor[k] m[k],
 * factor[k] = (c - shape - 1)_k (a)_k / ((c)_k k!), of which few matter when b is
 * in the tens, as that of a frequent buyer.  m[k], the integral of
 * e^(-rate v) (v / (1 + v))^k (1 + v)^-a, v > 0, which is k! U(k + 1, 2 - a, rate),
 * follows from m[0] and
 *	 (k + a) m[k + 1] = (2 k + a + rate) m[k] - k m[k - 1].
 * m[k] falls as e^(-2 sqrt(rate k)) and all other solutions rise as much: upwards
 * the recurrence is good as far as that is little, downwards from wherever it
 * starts (Miller's method; Temme 1983, Numerische Mathematik 41:63-82).
 */
#define MOMENTS		200
#define UPWARDS		4			/* rate * k: a loss of e^8 */
#define DOWNWARDS	20000

static double
moments_upwards(const double *factor, int n, double a, double rate, double moment)
{
	double		sum = moment;
	double		before = 0;

	for (int k = 0; k < n - 1; k++)
	{
		/* k m[k - 1] is 1 for k = 0 */
		double		next = ((2 * k + a + rate) * moment - (k > 0 ? k * before : 1)) / (k + a);

		before = moment;
		moment = next;
		sum += factor[k + 1] * moment;
	}
	return sum;
}

static double
moments_downwards(const double *factor, int n, double a, double rate, int from, double moment)
{
	double		sum = 0;
	double		scaled = 1;		/* m[k] but for a constant */
	double		after = 0;

	for (int k = from; k > 0; k--)
	{
		double		next = ((2 * k + a + rate) * scaled - (k + a) * after) / k;

		if (k < n)
			sum += factor[k] * scaled;
		after = scaled;
		scaled = next;
		if (scaled > 1e200)
		{
			after *= 1e-200;
			scaled *= 1e-200;
			sum *= 1e-200;
		}
	}
	return moment * (sum / scaled + 1);
}

static bool
discounted_by_moments(const BetaPurchases *of, double rate, double *result)
{
	double		a = of->a;
	double		c = a + of->b;
	double		s = c - of->shape - 1;
	double		factor[MOMENTS];
	double		from;
	int			n = 1;

	if (a > 8 || s <= -1)
		return false;
	for (factor[0] = 1; fabs(factor[n - 1]) > BELL_NEGLIGIBLE; n++)
	{
		double		k = n - 1;

		if (n == MOMENTS)
			return false;
		factor[n] = factor[n - 1] * ((s + k) * (a + k) / ((c + k) * (k + 1)));
	}
	if (rate * n < UPWARDS)
	{
		*result = of->shape * moments_upwards(factor, n, a, rate, tricomi_u(a, rate));
		return true;
	}
	from = sqrt(n) + 8 / sqrt(rate);
	from *= from;
	if (from > DOWNWARDS)
		return false;
	*result = of->shape *
		moments_downwards(factor, n, a, rate, (int) from + 1, tricomi_u(a, rate));
	return true;
}

double
beta_discounted(const BetaPurchases *of, double rate)
{
	double		result;

	if (rate == 0)
		return of->a > 1 ? (of->a + of->b - 1) / (of->a - 1) : HUGE_VAL;
	if (!discounted_by_pieces(of, rate, &result) && !discounted_by_moments(of, rate, &result))
		result = discounted_by_grids(of, rate);
	return result;
}
