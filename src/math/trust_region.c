/*
 * trust_region.c
 *	  The top of a smooth function of a few variables, by its gradient.
 *
 * Newton's method in a trust region (Conn, Gould and Toint 2000; the step by
 * eigenvalues, More and Sorensen 1983), with the curvature from differences of
 * the gradient.  Differences cost as many evaluations as there are variables:
 * where steps already bring the gradient down fourfold, the BFGS update (Nocedal
 * and Wright 2006, 6.1) takes their place.
 *
 * Promises: see trust_region.h.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "math/trust_region.h"

#define RADIUS_START	1.0
#define RADIUS_MAX		8.0
#define RADIUS_MIN		1e-12

/* Steps of the differences: errors of truncation and of rounding balance. */
#define ONE_SIDED_STEP	1e-5
#define TWO_SIDED_STEP	1e-4

/* A gradient that is but rounding, beside the value. */
#define GRADIENT_NOISE	1e-15

/* Gains as small beside the value drown in its rounding: the gradient knows them. */
#define VALUE_NOISE		1e-6

/* A step that leaves as much of the gradient deserves no new curvature. */
#define CONTRACTION		0.25

/* The share of a step, up to a bound, that is worth making. */
#define LEAST_SHARE		0.01

/* Newton's steps shorter than this are near a top, however flat. */
#define LONG_STEP		0.2

typedef struct Step
{
	double		by[DENSE_MAX];
	double		length;
	double		longest;		/* largest of its components */
	double		predicted;		/* the gain, of the quadratic model */
	bool		newton;			/* the top of the model, nothing in its way */
} Step;

static bool
evaluate(Maximum *m, const double *at, double *value, double *gradient)
{
	m->evaluations++;
	*value = m->function(m->arg, at, gradient);
	if (!isfinite(*value))
		return false;
	for (int i = 0; i < m->n; i++)
		if (!isfinite(gradient[i]))
			return false;
	return true;
}

/* The gradient at a step h along a direction; the other way where there is none. */
static bool
gradient_along(Maximum *m, const double *direction, double *h, double *gradient)
{
	for (int side = 0; side < 2; side++, *h = -*h)
	{
		double		at[DENSE_MAX];
		double		value;

		for (int i = 0; i < m->n; i++)
			at[i] = m->at[i] + *h * direction[i];
		if (evaluate(m, at, &value, gradient))
			return true;
	}
	return false;
}

/*
 * The curvature where m stands; value and gradient are known there.
 *
 * Differences go along the eigenvectors of the curvature as far as it is known:
 * so a direction in which the function is nearly flat is not measured as the
 * difference of steep ones.
 */
static bool
measure_curvature(Maximum *m)
{
	int			n = m->n;
	double		values[DENSE_MAX];
	double		vectors[DENSE_MAX * DENSE_MAX];
	double		along[DENSE_MAX * DENSE_MAX];	/* in the basis of the vectors */
	double		half[DENSE_MAX * DENSE_MAX];

	if (!m->curvature_known)
		memset(m->curvature, 0, sizeof(m->curvature));
	symmetric_eigen(n, m->curvature, values, vectors);

	for (int k = 0; k < n; k++)
	{
		double		h = m->two_sided ? TWO_SIDED_STEP : ONE_SIDED_STEP;
		double		direction[DENSE_MAX];
		double		here[DENSE_MAX];
		double		there[DENSE_MAX];

		for (int i = 0; i < n; i++)
			direction[i] = vectors[i * n + k];
		if (!gradient_along(m, direction, &h, there))
			return false;
		memcpy(here, m->gradient, sizeof(double) * n);
		if (m->two_sided)
		{
			double		back = -h;

			if (!gradient_along(m, direction, &back, here))
				return false;
			h -= back;
		}
		for (int l = 0; l < n; l++)
		{
			double		rise = 0;

			for (int i = 0; i < n; i++)
				rise += (there[i] - here[i]) * vectors[i * n + l];
			along[k * n + l] = h == 0 ? 0 : -rise / h;
		}
	}

	/* eigenvalues ascend: the flatter of two directions knows their pair better */
	for (int k = 0; k < n; k++)
		for (int l = 0; l < k; l++)
			along[k * n + l] = along[l * n + k];
	for (int i = 0; i < n; i++)
		for (int l = 0; l < n; l++)
		{
			half[i * n + l] = 0;
			for (int k = 0; k < n; k++)
				half[i * n + l] += vectors[i * n + k] * along[k * n + l];
		}
	for (int i = 0; i < n; i++)
		for (int j = 0; j <= i; j++)
			m->curvature[i * n + j] = m->curvature[j * n + i] =
				dot_product(n, half + i * n, vectors + j * n);
	m->curvature_known = true;
	return true;
}

/* BFGS, of minus the function: what the step "by" taught about the curvature. */
static void
update_curvature(Maximum *m, const double *by, const double *gradient_before)
{
	int			n = m->n;
	double		fall[DENSE_MAX];
	double		bent[DENSE_MAX];
	double		by_fall;
	double		by_bent;

	for (int i = 0; i < n; i++)
	{
		fall[i] = gradient_before[i] - m->gradient[i];
		bent[i] = dot_product(n, m->curvature + i * n, by);
	}
	by_fall = dot_product(n, by, fall);
	by_bent = dot_product(n, by, bent);
	if (!(by_bent > 0 && by_fall > 0.01 * by_bent))
		return;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			m->curvature[i * n + j] += fall[i] * fall[j] / by_fall - bent[i] * bent[j] / by_bent;
}

/*
 * The multiplier mu that shortens the step to the radius: coefficients are
 * slope / (bend + mu).  Bisection on a bracket: at most 8 terms.
 */
static double
multiplier(int n, const double *slope, const double *third, double radius)
{
	double		low = fmax(0, -third[0]);
	double		high = low + sqrt(dot_product(n, slope, slope)) / radius;

	for (int i = 0; i < 100; i++)
	{
		double		mu = low + (high - low) / 2;
		double		sum = 0;

		if (!(mu > low && mu < high))
			break;
		for (int k = 0; k < n; k++)
			sum += slope[k] == 0 ? 0 : pow(slope[k] / (third[k] + mu), 2);
		if (sum > radius * radius)
			low = mu;
		else
			high = mu;
	}
	return high;
}

/* Variables that stand at a bound and would go beyond are left out. */
static int
free_variables(const Maximum *m, int *variable)
{
	int			count = 0;

	for (int i = 0; i < m->n; i++)
		if (!(m->at[i] >= m->upper[i] && m->gradient[i] >= 0) &&
			!(m->at[i] <= m->lower[i] && m->gradient[i] <= 0))
			variable[count++] = i;
	return count;
}

/* Coefficients of the step along the eigenvectors; returns whether it is Newton's. */
static bool
coefficients(int n, const double *slope, const double *third, double radius, double *result)
{
	double		largest = n == 0 ? 0 : fmax(fabs(third[0]), fabs(third[n - 1]));
	double		sum = 0;
	bool		newton = true;
	double		mu = 0;

	for (int k = 0; k < n; k++)
	{
		/* no slope, and no valley that is more than rounding */
		if (slope[k] == 0 && third[k] >= -1e-6 * largest)
			result[k] = 0;
		else if (third[k] > 0)
			result[k] = slope[k] / third[k];
		else
			newton = false;
		if (newton)
			sum += result[k] * result[k];
	}
	if (newton && sum <= radius * radius)
		return true;

	mu = multiplier(n, slope, third, radius);
	sum = 0;
	for (int k = 0; k < n; k++)
	{
		result[k] = slope[k] == 0 ? 0 : slope[k] / (third[k] + mu);
		sum += result[k] * result[k];
	}

	/* on a ridge between two valleys' sides, without slope: go down either */
	if (third[0] < 0 && slope[0] == 0 && sum < radius * radius)
		result[0] = sqrt(radius * radius - sum);
	return false;
}

/*
 * The step of the variables listed, the others at rest; returns the one that a
 * bound lets go the smallest share of its way, and that share.
 */
static int
solve(const Maximum *m, int n, const int *variable, double radius, Step *step, double *share)
{
	double		curvature[DENSE_MAX * DENSE_MAX];
	double		third[DENSE_MAX];
	double		vectors[DENSE_MAX * DENSE_MAX];
	double		slope[DENSE_MAX];
	double		along[DENSE_MAX];
	int			hindered = -1;

	memset(step, 0, sizeof(*step));
	*share = 1;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			curvature[i * n + j] = m->curvature[variable[i] * m->n + variable[j]];
	symmetric_eigen(n, curvature, third, vectors);
	for (int k = 0; k < n; k++)
	{
		slope[k] = 0;
		for (int i = 0; i < n; i++)
			slope[k] += m->gradient[variable[i]] * vectors[i * n + k];
		if (fabs(slope[k]) <= GRADIENT_NOISE * (1 + fabs(m->value)))
			slope[k] = 0;
	}
	step->newton = coefficients(n, slope, third, radius, along);

	for (int i = 0; i < n; i++)
	{
		int			v = variable[i];
		double		by = dot_product(n, vectors + i * n, along);
		double		room = by > 0 ? m->upper[v] - m->at[v] : m->lower[v] - m->at[v];

		step->by[v] = by;
		if (fabs(by) > fabs(room) && room / by < *share)
		{
			*share = room / by;
			hindered = i;
		}
	}
	for (int k = 0; k < n; k++)
		step->predicted += *share * along[k] * (slope[k] - *share * along[k] * third[k] / 2);
	return hindered;
}

static void
propose(const Maximum *m, double radius, Step *step)
{
	int			variable[DENSE_MAX];
	int			n = free_variables(m, variable);
	double		share;
	int			hindered;

	/* one that would stop all others at once rests itself */
	while ((hindered = solve(m, n, variable, radius, step, &share)) >= 0 && share < LEAST_SHARE)
	{
		n--;
		for (int i = hindered; i < n; i++)
			variable[i] = variable[i + 1];
	}
	if (share < 1)
		step->newton = false;
	for (int i = 0; i < m->n; i++)
	{
		step->by[i] *= share;
		step->longest = fmax(step->longest, fabs(step->by[i]));
	}
	step->length = sqrt(dot_product(m->n, step->by, step->by));
}

/*
 * What is left of the climb, in the metric of the curvature: steep and flat
 * directions count alike.
 */
static double
newton_left(const Maximum *m)
{
	int			n = m->n;
	double		third[DENSE_MAX];
	double		vectors[DENSE_MAX * DENSE_MAX];
	double		sum = 0;

	symmetric_eigen(n, m->curvature, third, vectors);
	for (int k = 0; k < n; k++)
	{
		double		slope = 0;

		for (int i = 0; i < n; i++)
			slope += m->gradient[i] * vectors[i * n + k];
		sum += slope * slope / fmax(fabs(third[k]), DBL_MIN);
	}
	return sqrt(sum);
}

/* Makes the step if it is a gain.  "left" is the share of the climb that remains. */
static bool
try_step(Maximum *m, const Step *step, double *gain, double *left)
{
	double		at[DENSE_MAX];
	double		gradient[DENSE_MAX];
	double		value;
	double		before;

	for (int i = 0; i < m->n; i++)
		at[i] = fmin(fmax(m->at[i] + step->by[i], m->lower[i]), m->upper[i]);
	if (!evaluate(m, at, &value, gradient))
		return false;

	/* where the values' difference is rounding, the gradients' mean knows it */
	*gain = value - m->value;
	if (fabs(step->predicted) < VALUE_NOISE * (1 + fabs(m->value)))
		*gain = (dot_product(m->n, m->gradient, step->by) +
				 dot_product(m->n, gradient, step->by)) / 2;
	if (!(*gain > 1e-4 * step->predicted))
		return false;

	before = newton_left(m);
	memcpy(m->at, at, sizeof(double) * m->n);
	memcpy(m->gradient, gradient, sizeof(double) * m->n);
	m->value = value;
	*left = before > 0 ? newton_left(m) / before : 0;
	return true;
}

/* On a plateau: a long way to go, and nothing to be had there. */
static bool
in_vain(const Maximum *m, const Step *step)
{
	return (!step->newton || step->longest > LONG_STEP) &&
		step->predicted <= m->least_gain * step->longest;
}

TrustRegionEnd
trust_region_maximise(Maximum *m)
{
	double		radius = RADIUS_START;
	bool		fresh = false;	/* the curvature is this point's */

	m->measured = false;
	m->steps = 0;
	m->evaluations = 0;
	for (int i = 0; i < m->n; i++)
		m->at[i] = fmin(fmax(m->at[i], m->lower[i]), m->upper[i]);
	if (!evaluate(m, m->at, &m->value, m->gradient))
		return MAXIMISE_NOWHERE;
	if (!m->curvature_known)
	{
		if (!measure_curvature(m))
			return MAXIMISE_STALLED;
		fresh = true;
	}

	while (m->steps < m->max_steps)
	{
		Step		step;
		double		gradient_before[DENSE_MAX];
		double		gain;
		double		left;

		propose(m, radius, &step);
		if (step.newton && !m->measured && step.longest <= m->settle)
		{
			if (!measure_curvature(m))
				return MAXIMISE_STALLED;
			m->measured = fresh = true;
			continue;
		}
		if (step.newton && step.longest <= m->tolerance)
			return MAXIMISE_TOP;
		if (!(step.predicted > 0) || in_vain(m, &step))
			return MAXIMISE_STALLED;

		m->steps++;
		memcpy(gradient_before, m->gradient, sizeof(double) * m->n);
		if (!try_step(m, &step, &gain, &left))
		{
			/* a step of the exact curvature that small fails by rounding alone */
			if (m->measured && step.newton && step.longest <= m->settle)
				return MAXIMISE_TOP;
			radius = step.length / 4;
			if (radius < RADIUS_MIN || (!fresh && !measure_curvature(m)))
				return MAXIMISE_STALLED;
			fresh = true;
			continue;
		}
		if (gain < step.predicted / 4)
			radius = step.length / 2;
		else if (gain > step.predicted * 3 / 4)
			radius = fmin(fmax(radius, step.length * 2), RADIUS_MAX);

		if (m->measured && step.longest <= m->settle)
			continue;
		m->measured = false;
		fresh = !(step.newton && left <= CONTRACTION);
		if (!fresh)
			update_curvature(m, step.by, gradient_before);
		else if (!measure_curvature(m))
			return MAXIMISE_STALLED;
	}
	return MAXIMISE_STALLED;
}
