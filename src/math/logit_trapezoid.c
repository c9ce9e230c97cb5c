/*
 * logit_trapezoid.c
 *	  Expectations over a beta distribution by the trapezoidal rule.
 *
 * Promises: see beta_bell.h.
 */
#include "math/logit_trapezoid.h"

#include <math.h>
#include <stddef.h>

/* The one root in (0, 1) of c0 + c1 x + c2 x^2, which is positive at 0 and negative at 1. */
static double
root_within(double c0, double c1, double c2)
{
	double		root = sqrt(fmax(c1 * c1 - 4 * c0 * c2, 0));

	return c1 <= 0 ? 2 * c0 / (root - c1) : (root + c1) / (-2 * c2);
}

void
bell_set(Bell *bell, double a, double b, double shape, double w)
{
	double		c = a + b;
	double		u = w / (1 + w);
	double		one = 1 / (1 + w);
	double		p;
	double		q;
	double		more;
	double		curvature;

	bell->a = a;
	bell->b = b;
	bell->shape = shape;
	bell->w = w;
	/* (a q - b p) (1 + p w) = shape w p q, solved for the smaller of p and q */
	p = root_within(a * one, (a - shape) * u - c * one, (shape - c) * u);
	q = 1 - p;
	if (p > 0.5)
	{
		q = root_within(b, (shape - b) * u - c, (c - shape) * u);
		p = 1 - q;
	}
	bell->p = p;
	bell->q = q;
	more = 1 + p * w;
	curvature = p * q * (c + shape * (w / more) * ((q - p) - p * q * (w / more)));
	bell->step = curvature > 0 ?
		fmin(BELL_STEP_MAX, BELL_STEP_SIGMA / sqrt(curvature)) : BELL_STEP_MAX;
}

/* Next to 1, p and q are known better by their distance from it. */
double
bell_ln_top(const Bell *bell)
{
	return bell->a * (bell->p < 0.5 ? log(bell->p) : log1p(-bell->q)) +
		bell->b * (bell->q < 0.5 ? log(bell->q) : log1p(-bell->p)) -
		bell->shape * log1p(bell->p * bell->w);
}

/* ln of 1 + change, or of what that is where it is far from 1 */
static double
ln_changed(double change, double result)
{
	return change > -0.5 ? log1p(change) : log(result);
}

/* Relative to its top, at y + delta; and p and q there. */
static double
bell_at(const Bell *bell, double delta, double *p, double *q)
{
	double		up = expm1(delta);
	double		down = expm1(-delta);
	double		left = bell->p + bell->q * exp(-delta);	/* old p / new p */
	double		right = bell->q + bell->p * exp(delta);
	double		ln = -bell->a * ln_changed(bell->q * down, left) -
		bell->b * ln_changed(bell->p * up, right);

	*p = bell->p / left;
	*q = bell->q / right;
	if (bell->shape > 0)
	{
		double		more = 1 + bell->p * bell->w;

		ln -= bell->shape * ln_changed(bell->p * bell->q * up / right * (bell->w / more),
									   (1 + *p * bell->w) / more);
	}
	return exp(ln);
}

/* More than any bell of the promised range has; ends the sums of what is not a number. */
#define POINTS_MAX	20000

/* Beyond what f can tell apart nothing but the tail is left: a geometric series. */
double
bell_sum(const Bell *bell, double reach_left, double reach_right,
		 BellIntegrand f, const void *context, double *product)
{
	double		bells = 0;
	double		products = 0;

	for (int side = 1; side >= -1; side -= 2)
	{
		double		reach = side > 0 ? reach_right : reach_left;
		double		fall = (side > 0 ? bell->b : bell->a) * bell->step;
		double		small = BELL_NEGLIGIBLE * fmin(fall, 1);
		double		p;
		double		q;

		for (int i = side > 0 ? 0 : 1; i < POINTS_MAX; i++)
		{
			double		weight = bell_at(bell, side * i * bell->step, &p, &q);
			double		weighted = f != NULL ? weight * f(p, context) : 0;

			bells += weight;
			products += weighted;
			if (weight <= small * bells && weighted <= small * products)
				break;
			if ((side > 0 ? q : p) * reach <= BELL_NEGLIGIBLE)
			{
				bells += weight / expm1(fall);
				products += weighted / expm1(fall);
				break;
			}
		}
	}
	if (f != NULL)
		*product = products;
	return bells;
}
