/*
 * logit_trapezoid.c
 *	  Expectations over a beta distribution by the trapezoidal rule.
 *
 * Promises: see logit_trapezoid.h.
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
trapezoid_set(Trapezoid *trapezoid, double a, double b, double shape, double w)
{
	double		c = a + b;
	double		u = w / (1 + w);
	double		one = 1 / (1 + w);
	double		p;
	double		q;
	double		more;
	double		curvature;

	trapezoid->a = a;
	trapezoid->b = b;
	trapezoid->shape = shape;
	trapezoid->w = w;
	/* (a q - b p) (1 + p w) = shape w p q, solved for the smaller of p and q */
	p = root_within(a * one, (a - shape) * u - c * one, (shape - c) * u);
	q = 1 - p;
	if (p > 0.5)
	{
		q = root_within(b, (shape - b) * u - c, (c - shape) * u);
		p = 1 - q;
	}
	trapezoid->p = p;
	trapezoid->q = q;
	more = 1 + p * w;
	curvature = p * q * (c + shape * (w / more) * ((q - p) - p * q * (w / more)));
	trapezoid->step = curvature > 0 ?
		fmin(BELL_STEP_MAX, BELL_STEP_SIGMA / sqrt(curvature)) : BELL_STEP_MAX;
}

/* Next to 1, p and q are known better by their distance from it. */
double
trapezoid_ln_top(const Trapezoid *trapezoid)
{
	return trapezoid->a * (trapezoid->p < 0.5 ? log(trapezoid->p) : log1p(-trapezoid->q)) +
		trapezoid->b * (trapezoid->q < 0.5 ? log(trapezoid->q) : log1p(-trapezoid->p)) -
		trapezoid->shape * log1p(trapezoid->p * trapezoid->w);
}

/* ln of 1 + change, or of what that is where it is far from 1 */
static double
ln_changed(double change, double result)
{
	return change > -0.5 ? log1p(change) : log(result);
}

/* Relative to its top, at y + delta; and p and q there. */
static double
trapezoid_at(const Trapezoid *trapezoid, double delta, double *p, double *q)
{
	double		up = expm1(delta);
	double		down = expm1(-delta);
	double		left = trapezoid->p + trapezoid->q * exp(-delta);	/* old p / new p */
	double		right = trapezoid->q + trapezoid->p * exp(delta);
	double		ln = -trapezoid->a * ln_changed(trapezoid->q * down, left) -
	trapezoid->b * ln_changed(trapezoid->p * up, right);

	*p = trapezoid->p / left;
	*q = trapezoid->q / right;
	if (trapezoid->shape > 0)
	{
		double		more = 1 + trapezoid->p * trapezoid->w;

		ln -= trapezoid->shape * ln_changed(trapezoid->p * trapezoid->q * up / right * (trapezoid->w / more),
											(1 + *p * trapezoid->w) / more);
	}
	return exp(ln);
}

/* More than any bell of the promised range has; ends the sums of what is not a number. */
#define POINTS_MAX	20000

/* Beyond what f can tell apart nothing but the tail is left: a geometric series. */
double
trapezoid_sum(const Trapezoid *trapezoid, double reach_left, double reach_right,
			  TrapezoidIntegrand f, const void *context, double *product)
{
	double		trapezoids = 0;
	double		products = 0;

	for (int side = 1; side >= -1; side -= 2)
	{
		double		reach = side > 0 ? reach_right : reach_left;
		double		fall = (side > 0 ? trapezoid->b : trapezoid->a) * trapezoid->step;
		double		small = BELL_NEGLIGIBLE * fmin(fall, 1);
		double		p;
		double		q;

		for (int i = side > 0 ? 0 : 1; i < POINTS_MAX; i++)
		{
			double		weight = trapezoid_at(trapezoid, side * i * trapezoid->step, &p, &q);
			double		weighted = f != NULL ? weight * f(p, context) : 0;

			trapezoids += weight;
			products += weighted;
			if (weight <= small * trapezoids && weighted <= small * products)
				break;
			if ((side > 0 ? q : p) * reach <= BELL_NEGLIGIBLE)
			{
				trapezoids += weight / expm1(fall);
				products += weighted / expm1(fall);
				break;
			}
		}
	}
	if (f != NULL)
		*product = products;
	return trapezoids;
}
