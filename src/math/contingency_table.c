/*
 * contingency_table.c
 *	  Tables of counts: are rows and columns independent?
 *
 * Promises: see contingency_table.h.
 */
#include "math/contingency_table.h"

#include <math.h>
#include <string.h>

#include "math/chi_square.h"

/* Cochran (1954, Biometrics 10): below this an expected count is a small one. */
#define SMALL_EXPECTATION	5

/*
 * (1 + d) ln(1 + d) - d for d >= -1, of which the sum over a table, weighted
 * with what was expected, is half of G: in this form no term is negative, and
 * none cancels against another.  Near 0 by its series.
 */
static double
deviance(double d)
{
	double		sum = 0;
	double		power = d * d;

	if (d <= -1)
		return 1;
	if (fabs(d) > 0.05)
		return (1 + d) * log1p(d) - d;
	for (int k = 2; k < 16; k++)
	{
		sum += power / (k * (k - 1));
		power *= -d;
	}
	return sum;
}

static int
count_positive(int n, const double *values)
{
	int			count = 0;

	for (int i = 0; i < n; i++)
		count += values[i] > 0;
	return count;
}

void
contingency_add(Contingency *sums, int rows, int columns, const double *counts, double *work)
{
	double	   *of_row = work;
	double	   *of_column = work + rows;
	double		total = 0;
	int			columns_used;

	memset(work, 0, sizeof(double) * ((size_t) rows + (size_t) columns));
	for (int i = 0; i < rows; i++)
		for (int j = 0; j < columns; j++)
		{
			of_row[i] += counts[(size_t) i * columns + j];
			of_column[j] += counts[(size_t) i * columns + j];
		}
	for (int i = 0; i < rows; i++)
		total += of_row[i];
	sums->rows = count_positive(rows, of_row);
	sums->customers += total;
	columns_used = count_positive(columns, of_column);
	/* one row or one column is what is expected of it */
	if (sums->rows <= 1 || columns_used <= 1)
		return;
	sums->cells += (int64_t) sums->rows * columns_used;
	sums->degrees += (int64_t) (sums->rows - 1) * (columns_used - 1);
	for (int i = 0; i < rows; i++)
		for (int j = 0; j < columns; j++)
		{
			double		expected = of_row[i] / total * of_column[j];
			double		d;

			if (of_row[i] == 0 || of_column[j] == 0)
				continue;
			d = (counts[(size_t) i * columns + j] - expected) / expected;
			sums->sparse += expected < SMALL_EXPECTATION;
			sums->pearson += expected * d * d;
			sums->g += 2 * expected * deviance(d);
		}
}

double
contingency_p(double statistic, int64_t degrees)
{
	return degrees > 0 ? chi_square_upper(statistic, (double) degrees) : NAN;
}

void
contingency_holm(int n, const double *p, double *adjusted, int *order)
{
	int			tests = 0;
	double		least = 0;

	for (int i = 0; i < n; i++)
	{
		int			at = tests;

		adjusted[i] = NAN;
		if (isnan(p[i]))
			continue;
		for (; at > 0 && p[order[at - 1]] > p[i]; at--)
			order[at] = order[at - 1];
		order[at] = i;
		tests++;
	}
	for (int i = 0; i < tests; i++)
	{
		least = fmax(least, fmin(1, p[order[i]] * (tests - i)));
		adjusted[order[i]] = least;
	}
}
