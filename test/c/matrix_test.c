/*
 * matrix_test.c
 *	  Symmetric matrices, small and large, and the search for the top of a function.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/cholesky.h"
#include "math/small_matrix.h"
#include "math/trust_region.h"
#include "tap.h"

static void
poll_cholesky(void *arg)
{
	++*(long *) arg;
}

static long symmetric_polls = 0;
static const SymmetricPoll poll = {poll_cholesky, &symmetric_polls};

/* B B' + I / 10 of random numbers, whole */
static void
random_matrix(uint64_t *seed, int n, double *a)
{
	double	   *b = malloc(sizeof(double) * n * n);

	for (int i = 0; i < n * n; i++)
		b[i] = random_uniform(seed) - 0.5;
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			a[i * n + j] = i == j ? 0.1 : 0;
			for (int k = 0; k < n; k++)
				a[i * n + j] += b[i * n + k] * b[j * n + k];
		}
	free(b);
}

/* greatest |a b - c|, all n * n; L of a when a is lower (upper triangle ignored), b transposed */
static double
difference_of_product(int n, const double *a, const double *b, const double *c)
{
	double		worst = 0;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
		{
			double		sum = 0;

			for (int k = 0; k < n; k++)
				sum += a[i * n + k] * b[k * n + j];
			worst = fmax(worst, fabs(sum - (c ? c[i * n + j] : i == j)));
		}
	return worst;
}

static void
small_matrix(void)
{
	uint64_t	seed = 37;
	static const double singular[] = {1, 2, 2, 4 - 1e-12};

	/* the inverse of Hilbert's matrix of 4, in whole numbers */
	static const double inverse_hilbert[] = {16, -120, 240, -140, -120, 1200, -2700, 1680, 240, -2700, 6480, -4200,
	-140, 1680, -4200, 2800};
	double		hilbert[16];
	double		lower[DENSE_MAX * DENSE_MAX];
	double		inverse[DENSE_MAX * DENSE_MAX];

	for (int i = 0; i < 16; i++)
		hilbert[i] = 1.0 / (i / 4 + i % 4 + 1);
	tap_ok(cholesky(4, hilbert, lower), "Hilbert's matrix has a factor");
	small_cholesky_inverse(4, lower, inverse);
	for (int i = 0; i < 16; i++)
		tap_near(inverse[i], inverse_hilbert[i], 1e-11, "inverse of Hilbert's matrix, %d", i);
	tap_ok(!cholesky(2, singular, lower), "a matrix that is not positive definite has none");
	tap_ok(!cholesky(2, (double[]) {1, NAN, NAN, 1}, lower), "nor has one with NaN");

	for (int n = 1; n <= DENSE_MAX; n++)
	{
		double		a[DENSE_MAX * DENSE_MAX];
		double		b[DENSE_MAX];
		double		x[DENSE_MAX];
		double		values[DENSE_MAX];
		double		vectors[DENSE_MAX * DENSE_MAX];
		double		worst = 0;
		double		eigen = 0;

		random_matrix(&seed, n, a);
		tap_ok(cholesky(n, a, lower), "%d rows have a factor", n);
		for (int i = 0; i < n; i++)
			b[i] = random_uniform(&seed);
		small_cholesky_solve(n, lower, b, x);
		for (int i = 0; i < n; i++)
			worst = fmax(worst, fabs(dot_product(n, a + i * n, x) - b[i]));
		small_cholesky_inverse(n, lower, inverse);
		worst = fmax(worst, difference_of_product(n, a, inverse, NULL));
		tap_ok(worst < 1e-13, "solution and inverse of %d: %.1e", n, worst);
		for (int i = 0; i < n; i++)
			for (int j = 0; j < n; j++)
				eigen = fmax(eigen, inverse[i * n + j] != inverse[j * n + i]);
		tap_ok(eigen == 0, "the inverse of %d is symmetric to the bit", n);
		symmetric_eigen(n, a, values, vectors);
		for (int k = 0; k < n; k++)
		{
			if (k > 0 && values[k] < values[k - 1])
				eigen = HUGE_VAL;
			for (int i = 0; i < n; i++)
			{
				double		image = 0;
				double		unit = 0;

				for (int j = 0; j < n; j++)
				{
					image += a[i * n + j] * vectors[j * n + k];
					unit += vectors[j * n + i] * vectors[j * n + k];
				}
				eigen = fmax(eigen, fabs(image - values[k] * vectors[i * n + k]));
				eigen = fmax(eigen, fabs(unit - (i == k)));
			}
		}
		tap_ok(eigen < 1e-14, "eigenvalues, ascending, and unit vectors of %d: %.1e", n, eigen);
	}
}

static void
large_matrix(void)
{
	static const int sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100};
	uint64_t	seed = 41;

	for (size_t s = 0; s < LENGTH(sizes); s++)
	{
		int			n = sizes[s];
		int			length = 3 * n + 5;
		int			stride = length + 3;
		double	   *rows = malloc(sizeof(double) * n * stride);
		double	   *a = calloc((size_t) n * n, sizeof(double));
		double	   *h = malloc(sizeof(double) * n * n);
		double	   *whole = malloc(sizeof(double) * n * n);
		double	   *work = malloc(sizeof(double) * n * SYMMETRIC_WORK);
		double	   *b = malloc(sizeof(double) * n);
		double	   *x = malloc(sizeof(double) * n);
		double		worst = 0;

		for (int i = 0; i < n * stride; i++)
			rows[i] = random_uniform(&seed) - 0.5;
		cholesky_add(n, a, rows, stride, length, poll);
		cholesky_mirror(n, a, poll);
		for (int i = 0; i < n; i++)
			for (int j = 0; j < n; j++)
			{
				double		sum = 0;

				for (int k = 0; k < length; k++)
					sum += rows[i * stride + k] * rows[j * stride + k];
				worst = fmax(worst, fabs(sum - a[i * n + j]));
			}
		tap_ok(worst < 1e-12, "sums of products of %d rows: %.1e", n, worst);
		tap_near(cholesky_dot(length, rows, rows), a[0], 1e-14, "a product of two rows of %d", length);
		memcpy(whole, a, sizeof(double) * n * n);
		tap_is(cholesky_factor(n, a, 1e-10, work, poll), 0, "%d independent rows: all are in the factor", n);
		worst = 0;
		for (int i = 0; i < n; i++)
		{
			b[i] = x[i] = random_uniform(&seed);
			for (int j = 0; j <= i; j++)
			{
				double		sum = 0;

				for (int k = 0; k <= j; k++)
					sum += a[i * n + k] * a[j * n + k];
				worst = fmax(worst, fabs(sum - whole[i * n + j]));
			}
		}
		tap_ok(worst < 1e-12, "L L' is the matrix of %d: %.1e", n, worst);
		cholesky_solve(n, a, x);
		worst = 0;
		for (int i = 0; i < n; i++)
			worst = fmax(worst, fabs(cholesky_dot(n, whole + i * n, x) - b[i]));
		tap_ok(worst < 1e-11, "solution of %d: %.1e", n, worst);
		cholesky_inverse(n, a, work, poll);
		worst = difference_of_product(n, whole, a, NULL);
		tap_ok(worst < 1e-11, "inverse of %d: %.1e", n, worst);
		random_matrix(&seed, n, h);
		cholesky_sandwich(n, a, h, x, poll);
		worst = 0;
		for (int i = 0; i < n; i++)
		{
			double		sum = 0;

			for (int j = 0; j < n; j++)
				for (int k = 0; k < n; k++)
					sum += a[i * n + j] * h[j * n + k] * a[k * n + i];
			worst = fmax(worst, tap_error(x[i], sum));
		}
		tap_ok(worst < 1e-12, "sandwich of %d: %.1e", n, worst);
		free(rows);
		free(a);
		free(h);
		free(whole);
		free(work);
		free(b);
		free(x);
	}
	tap_ok(symmetric_polls > 0, "polls for interrupts");
}

/* Row 2 is the sum of rows 0 and 1: it is left out, the others are solved for. */
static void
dependent_rows(void)
{
	double		rows[4][6] = {{1, 2, 0, 1, 0, 3}, {0, 1, 1, 2, 1, 0}, {0}, {5, 0, 2, 1, 1, 1}};
	double		a[16] = {0};
	double		whole[16];
	double		b[4];
	double		work[4];
	double		worst = 0;

	for (int k = 0; k < 6; k++)
		rows[2][k] = rows[0][k] + rows[1][k];
	cholesky_add(4, a, rows[0], 6, 6, poll);
	cholesky_mirror(4, a, poll);
	memcpy(whole, a, sizeof(a));
	tap_is(cholesky_factor(4, a, 1e-11, work, poll), 1, "one row of four depends on others");
	tap_ok(a[10] == 0, "its diagonal is 0");
	for (int i = 0; i < 4; i++)
		b[i] = whole[i * 4] + whole[i * 4 + 3]; /* the image of (1, 0, 0, 1) */
	cholesky_solve(4, a, b);
	for (int i = 0; i < 4; i++)
		worst = fmax(worst, fabs(b[i] - (i % 3 == 0)));
	tap_ok(worst < 1e-13, "the solution without it: %.1e", worst);
}

/* ---------- the top of a function ---------- */

/* Rosenbrock (1960), his valley upside down; -HUGE_VAL beyond a wall */
static double
rosenbrock(void *arg, const double *at, double *gradient)
{
	double		x = at[0];
	double		y = at[1];

	++*(int *) arg;
	if (x < -2)
		return -HUGE_VAL;
	gradient[0] = 2 * (1 - x) + 400 * x * (y - x * x);
	gradient[1] = -200 * (y - x * x);
	return -(1 - x) * (1 - x) - 100 * (y - x * x) * (y - x * x);
}

/* Powell (1962): the second derivatives at the top are singular */
static double
powell(void *arg, const double *at, double *gradient)
{
	double		a = at[0] + 10 * at[1];
	double		b = at[2] - at[3];
	double		c = at[1] - 2 * at[2];
	double		d = at[0] - at[3];

	++*(int *) arg;
	gradient[0] = -2 * a - 40 * d * d * d;
	gradient[1] = -20 * a - 4 * c * c * c;
	gradient[2] = -10 * b + 8 * c * c * c;
	gradient[3] = 10 * b + 40 * d * d * d;
	return -a * a - 5 * b * b - c * c * c * c - 10 * d * d * d * d;
}

/* -sum of i (x_i - i)^4 / 4 + (x_i - i)^2 / 2, i = 1..8, less a product that turns the axes */
static double
bowl(void *arg, const double *at, double *gradient)
{
	double		value = 0;
	double		sum = 0;

	++*(int *) arg;
	for (int i = 0; i < 8; i++)
	{
		double		d = at[i] - (i + 1);

		sum += d;
		value -= (i + 1) * d * d * d * d / 4 + d * d / 2;
		gradient[i] = -(i + 1) * d * d * d - d;
	}
	for (int i = 0; i < 8; i++)
		gradient[i] -= sum;
	return value - sum * sum / 2;
}

/* No top: rises for ever, ever more slowly. */
static double
slope(void *arg, const double *at, double *gradient)
{
	++*(int *) arg;
	gradient[0] = exp(-at[0]);
	return -exp(-at[0]);
}

static void
set_task(Maximum *m, int n, TrustRegionFunction function, int *calls, const double *start)
{
	memset(m, 0, sizeof(*m));
	m->n = n;
	m->function = function;
	m->arg = calls;
	m->tolerance = 1e-10;
	m->settle = 1e-6;
	m->two_sided = true;
	m->least_gain = 0;
	m->max_steps = 200;
	for (int i = 0; i < n; i++)
	{
		m->lower[i] = -100;
		m->upper[i] = 100;
		m->at[i] = start[i];
	}
}

static void
tops(void)
{
	static const struct
	{
		const char *name;
		int			n;
		TrustRegionFunction function;
		double		start[8];
		double		top[8];
		double		tolerance;
	}			rows[] = {
		{"Rosenbrock's valley", 2, rosenbrock, {-1.2, 1}, {1, 1}, 1e-9},
		{"Powell's singular function", 4, powell, {3, -1, 0, 1}, {0, 0, 0, 0}, 0.02},
		{"a bowl of eight variables", 8, bowl, {-9, 8, 50, 0, 3, -70, 99, -1}, {1, 2, 3, 4, 5, 6, 7, 8}, 1e-9},
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
	{
		Maximum		m;
		Maximum		again;
		int			calls = 0;
		TrustRegionEnd end;

		set_task(&m, rows[i].n, rows[i].function, &calls, rows[i].start);
		end = trust_region_maximise(&m);
		tap_ok(end == MAXIMISE_TOP || rows[i].function == powell, "%s: a top", rows[i].name);
		for (int k = 0; k < rows[i].n; k++)
			tap_ok(fabs(m.at[k] - rows[i].top[k]) < rows[i].tolerance, "%s: x%d is %.12g", rows[i].name, k, m.at[k]);
		tap_is(m.evaluations, calls, "%s: all evaluations are counted", rows[i].name);
		set_task(&again, rows[i].n, rows[i].function, &calls, rows[i].start);
		trust_region_maximise(&again);
		tap_ok(memcmp(again.at, m.at, sizeof(m.at)) == 0, "%s: the same bits again", rows[i].name);
	}
}

static void
bounds(void)
{
	int			calls = 0;
	Maximum		m;

	set_task(&m, 2, rosenbrock, &calls, (double[]) {-1.2, 1});
	m.upper[0] = 0.5;
	trust_region_maximise(&m);
	tap_ok(m.at[0] == 0.5 && fabs(m.at[1] - 0.25) < 1e-9, "the top lies beyond a bound: up to it, and the best there");
	set_task(&m, 1, slope, &calls, (double[]) {0});
	m.upper[0] = 20;
	trust_region_maximise(&m);
	tap_ok(m.at[0] <= 20 && m.value >= -1, "a slope without a top: within the bounds, and not below the start");
	set_task(&m, 2, rosenbrock, &calls, (double[]) {-3, 1});
	tap_is(trust_region_maximise(&m), MAXIMISE_NOWHERE, "a start that is no candidate is said to be none");
	/* the curvature at Rosenbrock's top is {802, -400; -400, 200} */
	set_task(&m, 2, rosenbrock, &calls, (double[]) {0.9, 0.8});
	trust_region_maximise(&m);
	tap_ok(m.measured, "the curvature was measured");
	tap_near(m.curvature[0], 802, 1e-5, "curvature xx");
	tap_near(m.curvature[1], -400, 1e-5, "curvature xy");
	tap_near(m.curvature[3], 200, 1e-5, "curvature yy");
}

int
main(void)
{
	small_matrix();
	large_matrix();
	dependent_rows();
	tops();
	bounds();
	return tap_done();
}
