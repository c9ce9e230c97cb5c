/*
 * cholesky.c
 *	  Symmetric positive definite matrices of any size: sums of products, factors,
 *	  solutions, inverses.
 *
 * Everything that takes n^3 steps is made of one kernel, the inner products of
 * three rows with three others: nine sums stay in registers, and each number
 * that is loaded is used three times.  (Golub and Van Loan, "Matrix
 * Computations", 4.2; in blocks as LAPACK has it.)
 *
 * Promises: see cholesky.h.
 */
#include <math.h>

#include "math/cholesky.h"
#include "math/double2.h"

/* Rows between two polls, where each has all of n to go through. */
#define POLL_ROWS	(64 * TILE)

/* Columns that are factored before the rest of the matrix hears of it. */
#define PANEL	64

#define TILE	3
#define SQUARE	32

double
cholesky_dot(int n, const double *x, const double *y)
{
	Pair		a = {0, 0};
	Pair		b = {0, 0};
	double		rest = 0;
	int			i;

	for (i = 0; i + 4 <= n; i += 4)
	{
		a += pair_at(x + i) * pair_at(y + i);
		b += pair_at(x + i + 2) * pair_at(y + i + 2);
	}
	for (; i < n; i++)
		rest += x[i] * y[i];
	return pair_sum(a + b) + rest;
}

/* out[i * TILE + j] = x[i]' y[j] */
static void
tile_products(const double *const *x, const double *const *y, int length, double *out)
{
	const double *x0 = x[0];
	const double *x1 = x[1];
	const double *x2 = x[2];
	const double *y0 = y[0];
	const double *y1 = y[1];
	const double *y2 = y[2];
	Pair		s00 = {0, 0};
	Pair		s01 = {0, 0};
	Pair		s02 = {0, 0};
	Pair		s10 = {0, 0};
	Pair		s11 = {0, 0};
	Pair		s12 = {0, 0};
	Pair		s20 = {0, 0};
	Pair		s21 = {0, 0};
	Pair		s22 = {0, 0};
	int			even = length & ~1;

	for (int r = 0; r < even; r += 2)
	{
		Pair		b0 = pair_at(y0 + r);
		Pair		b1 = pair_at(y1 + r);
		Pair		b2 = pair_at(y2 + r);
		Pair		a;

		a = pair_at(x0 + r);
		s00 += a * b0;
		s01 += a * b1;
		s02 += a * b2;
		a = pair_at(x1 + r);
		s10 += a * b0;
		s11 += a * b1;
		s12 += a * b2;
		a = pair_at(x2 + r);
		s20 += a * b0;
		s21 += a * b1;
		s22 += a * b2;
	}
	out[0] = pair_sum(s00);
	out[1] = pair_sum(s01);
	out[2] = pair_sum(s02);
	out[3] = pair_sum(s10);
	out[4] = pair_sum(s11);
	out[5] = pair_sum(s12);
	out[6] = pair_sum(s20);
	out[7] = pair_sum(s21);
	out[8] = pair_sum(s22);
	if (even < length)
	{
		for (int i = 0; i < TILE; i++)
			for (int j = 0; j < TILE; j++)
				out[i * TILE + j] += x[i][even] * y[j][even];
	}
}

/* Rows from .. from + TILE - 1 of n; beyond the last, the last again. */
static inline void
tile_rows(int n, const double *rows, size_t stride, int from, const double **x)
{
	for (int i = 0; i < TILE; i++)
		x[i] = rows + (size_t) (from + i < n ? from + i : n - 1) * stride;
}

static inline int
tile_end(int n, int from)
{
	return from + TILE < n ? from + TILE : n;
}

/* a + sign * rows rows', a "width" apart */
static void
add_products(int n, double *a, size_t width, double sign, const double *rows, size_t stride,
			 int length, SymmetricPoll poll)
{
	for (int i = 0; i < n; i += TILE)
	{
		const double *x[TILE];

		poll.call(poll.arg);
		tile_rows(n, rows, stride, i, x);
		for (int j = 0; j <= i; j += TILE)
		{
			const double *y[TILE];
			double		products[TILE * TILE];

			tile_rows(n, rows, stride, j, y);
			tile_products(x, y, length, products);
			for (int ii = i; ii < tile_end(n, i); ii++)
				for (int jj = j; jj < tile_end(ii + 1, j); jj++)
					a[ii * width + jj] += sign * products[(ii - i) * TILE + jj - j];
		}
	}
}

void
cholesky_add(int n, double *a, const double *rows, size_t stride, int length,
			 SymmetricPoll poll)
{
	add_products(n, a, n, 1, rows, stride, length, poll);
}

void
cholesky_mirror(int n, double *a, SymmetricPoll poll)
{
	size_t		width = n;

	/* square by square: columns are not read one number a line of the cache */
	for (int from = 0; from < n; from += SQUARE)
	{
		poll.call(poll.arg);
		for (int other = 0; other <= from; other += SQUARE)
			for (int i = from; i < from + SQUARE && i < n; i++)
				for (int j = other; j < other + SQUARE && j < i; j++)
					a[j * width + i] = a[i * width + j];
	}
}

int
cholesky_factor(int n, double *a, double tolerance, double *work, SymmetricPoll poll)
{
	size_t		width = n;
	int			left_out = 0;

	for (int i = 0; i < n; i++)
		work[i] = a[i * width + i];

	for (int from = 0; from < n; from += PANEL)
	{
		int			to = from + PANEL < n ? from + PANEL : n;

		for (int i = from; i < n; i++)
		{
			double	   *row = a + i * width;

			if (i % PANEL == 0)
				poll.call(poll.arg);
			for (int j = from; j < to && j <= i; j++)
			{
				const double *other = a + j * width;
				double		rest = row[j] - cholesky_dot(j - from, row + from, other + from);

				if (j < i)
					row[j] = other[j] > 0 ? rest / other[j] : 0;
				else if (rest > tolerance * work[i] && isfinite(rest))
					row[i] = sqrt(rest);
				else
				{
					row[i] = 0;
					left_out++;
				}
			}
		}
		if (to < n)
			add_products(n - to, a + to * width + to, width, -1, a + to * width + from, width,
						 to - from, poll);
	}
	return left_out;
}

void
cholesky_solve(int n, const double *lower, double *b)
{
	size_t		width = n;

	for (int i = 0; i < n; i++)
	{
		const double *row = lower + i * width;

		b[i] = row[i] > 0 ? (b[i] - cholesky_dot(i, row, b)) / row[i] : 0;
	}
	for (int i = n - 1; i >= 0; i--)
	{
		const double *row = lower + i * width;

		if (row[i] > 0)
			b[i] /= row[i];
		for (int j = 0; j < i; j++)
			b[j] -= row[j] * b[i];
	}
}

/*
 * Columns from .. of L^-1, SYMMETRIC_WORK of them side by side, become rows of the
 * upper triangle: none of the columns to the right needs what they replace.
 */
static void
invert_columns(int n, double *a, int from, double *x, SymmetricPoll poll)
{
	size_t		width = n;
	int			to = from + SYMMETRIC_WORK < n ? from + SYMMETRIC_WORK : n;

	for (int k = from; k < n; k++)
	{
		const double *row = a + k * width;
		double	   *out = x + (size_t) k * SYMMETRIC_WORK;
		Pair		s0 = {0, 0};
		Pair		s1 = {0, 0};
		Pair		s2 = {0, 0};
		Pair		s3 = {0, 0};

		if ((k - from) % POLL_ROWS == 0)
			poll.call(poll.arg);
		for (int m = from; m < k; m++)
		{
			const double *in = x + (size_t) m * SYMMETRIC_WORK;
			Pair		l = pair_of(row[m]);

			s0 -= l * pair_at(in);
			s1 -= l * pair_at(in + 2);
			s2 -= l * pair_at(in + 4);
			s3 -= l * pair_at(in + 6);
		}
		pair_put(out, s0);
		pair_put(out + 2, s1);
		pair_put(out + 4, s2);
		pair_put(out + 6, s3);
		if (k < to)
			out[k - from] += 1;
		for (int c = 0; c < SYMMETRIC_WORK; c++)
			out[c] /= row[k];
	}
	for (int i = from; i < to; i++)
		for (int k = i; k < n; k++)
			a[i * width + k] = x[(size_t) k * SYMMETRIC_WORK + i - from];
}

/*
 * U U', where U is the upper triangle, in place of the lower one and the
 * diagonal: row i has products from its column i on, and is the last to need
 * its own diagonal.
 */
static void
multiply_upper(int n, double *a, SymmetricPoll poll)
{
	size_t		width = n;

	for (int i = 0; i < n; i += TILE)
	{
		int			end = tile_end(n, i);
		const double *x[TILE];

		tile_rows(n, a + end, width, i, x);
		for (int j = 0; j <= i; j += TILE)
		{
			const double *y[TILE];
			double		products[TILE * TILE];

			if (j % POLL_ROWS == 0)
				poll.call(poll.arg);
			tile_rows(n, a + end, width, j, y);
			tile_products(x, y, n - end, products);
			for (int ii = i; ii < end; ii++)
			{
				for (int jj = j; jj < tile_end(ii + 1, j); jj++)
				{
					double		sum = products[(ii - i) * TILE + jj - j];

					for (int k = ii; k < end; k++)
						sum += a[ii * width + k] * a[jj * width + k];
					a[ii * width + jj] = sum;
				}
			}
		}
	}
}

void
cholesky_inverse(int n, double *a, double *work, SymmetricPoll poll)
{
	for (int from = 0; from < n; from += SYMMETRIC_WORK)
		invert_columns(n, a, from, work, poll);
	multiply_upper(n, a, poll);
	cholesky_mirror(n, a, poll);
}

void
cholesky_sandwich(int n, const double *v, const double *h, double *diagonal,
				  SymmetricPoll poll)
{
	for (int i = 0; i < n; i += TILE)
	{
		const double *x[TILE];

		tile_rows(n, v, n, i, x);
		for (int ii = i; ii < tile_end(n, i); ii++)
			diagonal[ii] = 0;
		for (int j = 0; j < n; j += TILE)
		{
			const double *y[TILE];
			double		products[TILE * TILE];

			if (j % POLL_ROWS == 0)
				poll.call(poll.arg);
			tile_rows(n, h, n, j, y);
			tile_products(x, y, n, products);
			for (int ii = i; ii < tile_end(n, i); ii++)
				for (int jj = j; jj < tile_end(n, j); jj++)
					diagonal[ii] += products[(ii - i) * TILE + jj - j] * x[ii - i][jj];
		}
	}
}
