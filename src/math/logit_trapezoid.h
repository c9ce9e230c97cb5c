/*
 * logit_trapezoid.h
 *	  Expectations over a beta distribution by the trapezoidal rule.
 *
 * The rule is applied in y = logit(p), where p^a (1 - p)^b is a bell with tails
 * e^(a y) and e^(-b y) and the error falls exponentially with the step.
 *
 * Plain C, no PostgreSQL header.
 * Promises: full precision for whatever a and b, and for what is averaged where it
 * is as smooth as a power of p or of 1 + p w; slow: 50 to 1000 points.
 * Never: allocates.
 */
#ifndef RETENTION_LOGIT_TRAPEZOID_H
#define RETENTION_LOGIT_TRAPEZOID_H

/*
 * Steps.  The transform of a gamma density of shape s in the logarithm, which the
 * bell is at worst, is |G(s + i u) / G(s)|: at u = 2 pi / step below 1e-13.
 */
#define BELL_STEP_MAX	0.23
#define BELL_STEP_SIGMA	0.5		/* times its standard deviation */
#define BELL_NEGLIGIBLE	1e-17

/* p^a q^b (1 + p w)^-shape as a function of y, q = 1 - p */
typedef struct Trapezoid
{
	double		a;
	double		b;
	double		shape;
	double		w;
	double		p;				/* at the top */
	double		q;
	double		step;			/* of y */
} Trapezoid;

/* What is averaged. */
typedef double (*TrapezoidIntegrand) (double p, const void *context);

extern void trapezoid_set(Trapezoid *trapezoid, double a, double b, double shape, double w);

/* The logarithm of its top. */
extern double trapezoid_ln_top(const Trapezoid *trapezoid);

/*
 * Sum of the bell over the grid, relative to its top; and of bell * f, unless f is
 * NULL.  f is constant where p * reach_left or q * reach_right is small, and rises
 * to the left at most as 1 / p.
 */
extern double trapezoid_sum(const Trapezoid *trapezoid, double reach_left, double reach_right,
							TrapezoidIntegrand f, const void *context, double *product);

#endif							/* RETENTION_LOGIT_TRAPEZOID_H */
