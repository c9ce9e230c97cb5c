/*
 * logistic_rows.c
 *	  Passes over labelled rows for logistic.c: moments of columns, and the
 *	  likelihood with its derivatives.
 *
 * Promises: see logistic_rows.h.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "logistic_rows.h"
#include "../math/pairs.h"

/* A column whose values differ by no more than rounding is a constant. */
#define CONSTANT_SPREAD	1e-14

/* Below, a coefficient of the column as it is might not be a double. */
#define LEAST_SD		1e-290

/*
 * How far, in log-odds, rounding may carry a row against its outcome: always, by
 * what its columns add, and by what their values had lost when they came.
 */
#define AGAINST			1e-9
#define AGAINST_TERMS	1e-13
#define AGAINST_VALUES	1e-15
#define IN_FAVOUR		0.1

/* Below, 1 + odds forgets what they were. */
#define SMALL_ODDS		1e-3

/* A sum, and what rounding took from it. */
static inline void
add_exactly(double *sum, double *rest, double x)
{
	double		total = *sum + x;

	if (fabs(*sum) >= fabs(x))
		*rest += (*sum - total) + x;
	else
		*rest += (x - total) + *sum;
	*sum = total;
}

void
logistic_data_open(LogisticData *data, const RowSource *rows)
{
	size_t		columns = rows->columns;
	size_t		block = ROWS_BLOCK;
	size_t		size = (2 * columns + 1) * block + 5 * block + columns + 1 + LOGISTIC_SUMS * columns;
	double	   *memory = rows->alloc(rows->arg, sizeof(double) * size);

	*data = (LogisticData) {.rows = rows, .poll = {rows->poll, rows->arg}};
	data->columns = rows->alloc(rows->arg, sizeof(LogisticColumn) * (columns + 1));
	data->x = memory;
	data->z = data->x + columns * block;
	data->y = data->z + (columns + 1) * block;
	data->w = data->y + block;
	data->eta = data->w + block;
	data->other = data->eta + block;
	data->residual = data->other + block;
	data->rest = data->residual + block;
	data->sums = data->rest + columns + 1;
}

void
logistic_data_close(LogisticData *data)
{
	data->rows->release(data->rows->arg, data->x);
	data->rows->release(data->rows->arg, data->columns);
}

/*
 * Rows from .. of "end", standardised; returns their number, made even by a row
 * of zeros with weight 0.
 */
static int
load_block(LogisticData *data, int64_t from, int64_t end)
{
	int			count = end - from < ROWS_BLOCK ? end - from : ROWS_BLOCK;
	int			width = data->rows->columns;

	data->poll.call(data->poll.arg);
	data->rows->read(data->rows->arg, from, count, data->x, data->y, data->w);
	for (int r = 0; r < count; r++)
		data->z[r] = 1;
	for (int j = 0; j < data->n; j++)
	{
		const LogisticColumn *column = &data->columns[j];
		const double *x = data->x + column->source;
		double	   *z = data->z + (size_t) (j + 1) * ROWS_BLOCK;
		double		scale = column->scale;
		double		shift = column->shift;
		double		factor = column->factor;

		for (int r = 0; r < count; r++)
			z[r] = (x[(size_t) r * width] * scale - shift) * factor;
	}
	if (count % 2 == 0)
		return count;
	for (int j = 0; j <= data->n; j++)
		data->z[(size_t) j * ROWS_BLOCK + count] = 0;
	data->w[count] = data->y[count] = 0;
	return count + 1;
}

/* ---------- moments ---------- */

/* Beyond, squares leave the doubles. */
#define LEAST_REACH		1e-100
#define GREATEST_REACH	1e100

#define MOMENT_ROUNDS	3

/* The power of 2 by which what is up to "greatest" comes near [-1, 1]. */
static double
scale_for(double greatest)
{
	int			exponent = 0;

	if (greatest > DBL_MAX)
		exponent = DBL_MAX_EXP;
	else
		frexp(greatest, &exponent);
	return ldexp(1, exponent < -1000 ? 1000 : exponent > 1000 ? -1000 : -exponent);
}

/*
 * Somewhere near the middle of each column, by the first block: sums of squares
 * about it lose nothing.  Exactly the value of a constant.
 */
static void
guess_middles(LogisticData *data, int64_t rows)
{
	int			width = data->rows->columns;
	int			count = rows < ROWS_BLOCK ? rows : ROWS_BLOCK;

	data->n = 0;
	load_block(data, 0, count);
	for (int j = 0; j < width; j++)
	{
		LogisticColumn *column = &data->columns[j];
		const double *x = data->x + j;
		double		greatest = 0;
		double		sum = 0;
		double		weight = 0;
		double		first;

		for (int r = 0; r < count; r++)
			greatest = fmax(greatest, fabs(x[(size_t) r * width]));
		column->source = j;
		column->scale = scale_for(greatest);
		column->factor = 1;
		first = x[0] * column->scale;
		for (int r = 0; r < count; r++)
		{
			sum += data->w[r] * (x[(size_t) r * width] * column->scale - first);
			weight += data->w[r];
		}
		column->shift = first + sum / weight;
	}
}

/* Sums of a column of a block; the greatest |z| into reach. */
static void
sum_column(const double *w, const double *z, int count, double *sums, double *reach)
{
	double		sum[2] = {0, 0};
	double		squares[2] = {0, 0};
	double		greatest[2] = {*reach, *reach};

	/* load_block() made the number even */
	for (int r = 0; r < count; r += 2)
	{
		for (int k = 0; k < 2; k++)
		{
			double		wz = w[r + k] * z[r + k];

			sum[k] += wz;
			squares[k] += wz * z[r + k];
			greatest[k] = greatest[k] > fabs(z[r + k]) ? greatest[k] : fabs(z[r + k]);
		}
	}
	add_exactly(&sums[LOGISTIC_SUM], &sums[LOGISTIC_SUM_REST], sum[0] + sum[1]);
	add_exactly(&sums[LOGISTIC_SQUARES], &sums[LOGISTIC_SQUARES_REST],
				squares[0] + squares[1]);
	*reach = greatest[0] > greatest[1] ? greatest[0] : greatest[1];
}

/* Moments of a block; those of no rows at all where count is 0. */
static void
sum_block(LogisticData *data, int count)
{
	double		weight = 0;
	double		positive = 0;

	if (count == 0)
	{
		data->weight = data->weight_rest = data->positive = data->positive_rest = 0;
		memset(data->sums, 0, sizeof(double) * LOGISTIC_SUMS * data->n);
		for (int j = 0; j < data->n; j++)
			data->columns[j].reach = 0;
		return;
	}
	for (int r = 0; r < count; r++)
	{
		weight += data->w[r];
		positive += data->w[r] * data->y[r];
	}
	add_exactly(&data->weight, &data->weight_rest, weight);
	add_exactly(&data->positive, &data->positive_rest, positive);
	for (int j = 0; j < data->n; j++)
		sum_column(data->w, data->z + (size_t) (j + 1) * ROWS_BLOCK, count,
				   data->sums + (size_t) j * LOGISTIC_SUMS, &data->columns[j].reach);
}

static void
end_sums(LogisticData *data)
{
	data->weight += data->weight_rest;
	data->positive += data->positive_rest;
	for (int j = 0; j < data->n; j++)
	{
		double	   *sums = data->sums + (size_t) j * LOGISTIC_SUMS;

		sums[LOGISTIC_SUM] += sums[LOGISTIC_SUM_REST];
		sums[LOGISTIC_SQUARES] += sums[LOGISTIC_SQUARES_REST];
	}
}

static bool
can_be_squared(double reach)
{
	return reach == 0 || (reach > LEAST_REACH && reach < GREATEST_REACH);
}

/* The middle is off by more than squares about it can bear. */
static bool
off_the_middle(const LogisticData *data, int j)
{
	const double *sums = data->sums + (size_t) j * LOGISTIC_SUMS;

	return sums[LOGISTIC_SUM] / data->weight * sums[LOGISTIC_SUM] > sums[LOGISTIC_SQUARES] / 2;
}

static bool
sums_are_good(const LogisticData *data)
{
	for (int j = 0; j < data->n; j++)
		if (!can_be_squared(data->columns[j].reach) || off_the_middle(data, j))
			return false;
	return true;
}

/* Better scales, or middles, where sums are not good; factors are 1. */
static void
look_again(LogisticData *data)
{
	for (int j = 0; j < data->n; j++)
	{
		LogisticColumn *column = &data->columns[j];
		double		scale = column->scale;

		if (!can_be_squared(column->reach))
		{
			column->scale = scale_for((column->reach + fabs(column->shift)) / scale);
			column->shift = column->shift / scale * column->scale;
		}
		else if (off_the_middle(data, j))
			column->shift += data->sums[(size_t) j * LOGISTIC_SUMS + LOGISTIC_SUM] / data->weight;
	}
}

/* Mean and deviation of z, in place of the sums. */
static void
sums_to_moments(LogisticData *data)
{
	for (int j = 0; j < data->n; j++)
	{
		double	   *sums = data->sums + (size_t) j * LOGISTIC_SUMS;
		double		off = sums[LOGISTIC_SUM] / data->weight;

		sums[LOGISTIC_SUM] = off;
		sums[LOGISTIC_SQUARES] = sqrt(fmax(0, sums[LOGISTIC_SQUARES] / data->weight - off * off));
	}
}

void
logistic_moments(LogisticData *data, int64_t count)
{
	guess_middles(data, count);
	data->n = data->rows->columns;
	for (int round = 0; round < MOMENT_ROUNDS; round++)
	{
		sum_block(data, 0);
		for (int64_t from = 0; from < count; from += ROWS_BLOCK)
			sum_block(data, load_block(data, from, count));
		end_sums(data);
		if (sums_are_good(data) || round == MOMENT_ROUNDS - 1)
			break;
		look_again(data);
	}
	sums_to_moments(data);
}

/* z to have mean 0 and deviation 1, by its moments. */
static LogisticColumn
standardised(LogisticColumn column, const double *moments)
{
	double		off = moments[LOGISTIC_SUM];
	double		sd = moments[LOGISTIC_SQUARES];

	column.shift += off / column.factor;
	column.factor /= sd;
	column.reach = (column.reach + fabs(off)) / sd;
	return column;
}

void
logistic_standardise(LogisticData *data)
{
	for (int j = 0; j < data->n; j++)
	{
		const double *moments = data->sums + (size_t) j * LOGISTIC_SUMS;

		if (moments[LOGISTIC_SQUARES] > 0)
			data->columns[j] = standardised(data->columns[j], moments);
	}
}

void
logistic_settle(LogisticData *data, LogisticTerm *terms)
{
	int			used = 0;

	for (int j = 0; j < data->n; j++)
	{
		LogisticColumn column = data->columns[j];
		LogisticTerm *term = &terms[column.source];
		double	   *moments = data->sums + (size_t) j * LOGISTIC_SUMS;
		double		shift = column.shift + moments[LOGISTIC_SUM] / column.factor;
		double		sd = moments[LOGISTIC_SQUARES] / column.factor;

		term->mean = shift / column.scale;
		term->sd = sd / column.scale;
		if (sd > CONSTANT_SPREAD * fabs(shift) && term->sd > LEAST_SD)
			data->columns[used++] = standardised(column, moments);
		else
			term->sd = moments[LOGISTIC_SQUARES] = 0;
	}
	data->n = used;
}

/* ---------- the likelihood ---------- */

/* eta of a block's rows */
static void
add_columns(const LogisticData *data, int count, const double *b, double *eta)
{
	for (int r = 0; r < count; r++)
		eta[r] = b[0];
	for (int j = 1; j <= data->n; j++)
	{
		const double *z = data->z + (size_t) j * ROWS_BLOCK;
		Pair		coef = pair_of(b[j]);

		for (int r = 0; r < count; r += 2)
			pair_put(eta + r, pair_at(eta + r) + coef * pair_at(z + r));
	}
}

/*
 * Log-likelihood of a block's rows, of eta; residuals w (y - p), and the roots of
 * w p (1 - p) in place of eta.  Where weights are 1, one logarithm will do for
 * the product of up to ROWS_BLOCK numbers, 2 at most, where that loses nothing.
 */
static double
block_likelihood(LogisticData *data, int count, double *margin)
{
	double		sum = 0;
	double		product = 1;
	double		least = *margin;

	for (int r = 0; r < count; r++)
	{
		double		w = data->w[r];
		double		eta = data->eta[r];
		double		along = data->y[r] > 0 ? eta : -eta;	/* log-odds of what happened */
		double		e = exp(-fabs(eta));
		double		q = 1 / (1 + e);
		double		missed = along > 0 ? e * q : q; /* 1 - probability of what happened */

		if (w == 1 && e > SMALL_ODDS)
			product *= 1 + e;
		else
			sum -= w * log1p(e);
		if (along < 0)
			sum += w * along;
		if (along < least && w > 0)
			least = along;
		data->residual[r] = data->y[r] > 0 ? w * missed : -w * missed;
		data->eta[r] = sqrt(w * e) * q;
	}
	*margin = least;
	return sum - log(product);
}

bool
logistic_evaluate(LogisticData *data, int64_t count, const double *b, bool moments,
				  LogisticTop *top)
{
	int			n = data->n + 1;
	double		rest = 0;

	top->log_likelihood = 0;
	top->margin = DBL_MAX;
	memset(top->gradient, 0, sizeof(double) * n);
	memset(data->rest, 0, sizeof(double) * n);
	memset(top->hessian, 0, sizeof(double) * n * n);
	if (moments)
		sum_block(data, 0);
	for (int64_t from = 0; from < count; from += ROWS_BLOCK)
	{
		int			rows = load_block(data, from, count);

		if (moments)
			sum_block(data, rows);
		add_columns(data, rows, b, data->eta);
		add_exactly(&top->log_likelihood, &rest, block_likelihood(data, rows, &top->margin));
		for (int j = 0; j < n; j++)
		{
			double	   *z = data->z + (size_t) j * ROWS_BLOCK;

			add_exactly(&top->gradient[j], &data->rest[j],
						symmetric_dot(rows, z, data->residual));
			for (int r = 0; r < rows; r += 2)
				pair_put(z + r, pair_at(z + r) * pair_at(data->eta + r));
		}
		symmetric_add(n, top->hessian, data->z, ROWS_BLOCK, rows, data->poll);
	}
	top->log_likelihood += rest;
	for (int j = 0; j < n; j++)
		top->gradient[j] += data->rest[j];
	if (moments)
	{
		end_sums(data);
		if (!sums_are_good(data))
			return false;
		sums_to_moments(data);
	}
	return true;
}

void
logistic_bend(LogisticData *data, int64_t count, const double *b, const double *step,
			  double *bend)
{
	int			n = data->n + 1;

	memset(bend, 0, sizeof(double) * n);
	for (int64_t from = 0; from < count; from += ROWS_BLOCK)
	{
		int			rows = load_block(data, from, count);

		add_columns(data, rows, b, data->eta);
		add_columns(data, rows, step, data->other);
		for (int r = 0; r < rows; r++)
		{
			double		p = logistic_probability(data->eta[r]);
			double		then = logistic_probability(data->eta[r] + data->other[r]);

			data->residual[r] = data->w[r] * (then - p - p * (1 - p) * data->other[r]);
		}
		for (int j = 0; j < n; j++)
			bend[j] -= symmetric_dot(rows, data->z + (size_t) j * ROWS_BLOCK, data->residual);
	}
}

void
logistic_undecided(LogisticData *data, const double *b, double margin, double *products)
{
	int			n = data->n + 1;

	for (int64_t from = 0; from < data->rows->n; from += ROWS_BLOCK)
	{
		int			rows = load_block(data, from, data->rows->n);

		add_columns(data, rows, b, data->eta);
		for (int r = 0; r < rows; r++)
		{
			double		squares = 0;
			double		along = data->y[r] > 0 ? data->eta[r] : -data->eta[r];
			double		factor = 0;

			for (int j = 0; j < n; j++)
				squares += data->z[(size_t) j * ROWS_BLOCK + r] * data->z[(size_t) j * ROWS_BLOCK + r];
			if (along <= margin && squares > 0)
				factor = 1 / sqrt(squares);
			for (int j = 0; j < n; j++)
				data->z[(size_t) j * ROWS_BLOCK + r] *= factor;
		}
		symmetric_add(n, products, data->z, ROWS_BLOCK, rows, data->poll);
	}
}

bool
logistic_separates(LogisticData *data, const double *d)
{
	bool		in_favour = false;

	for (int64_t from = 0; from < data->rows->n; from += ROWS_BLOCK)
	{
		int			rows = load_block(data, from, data->rows->n);

		add_columns(data, rows, d, data->eta);
		for (int r = 0; r < rows; r++)
		{
			double		along = data->y[r] > 0 ? data->eta[r] : -data->eta[r];
			double		terms = 0;

			in_favour |= along > IN_FAVOUR && data->w[r] > 0;
			if (along >= 0 || data->w[r] == 0)
				continue;
			for (int j = 1; j <= data->n; j++)
			{
				const LogisticColumn *column = &data->columns[j - 1];
				double		z = data->z[(size_t) j * ROWS_BLOCK + r];

				terms += fabs(d[j]) * (AGAINST_TERMS * fabs(z) +
									   AGAINST_VALUES * fabs(column->shift) * column->factor);
			}
			if (along < -AGAINST - terms)
				return false;
		}
	}
	return in_favour;
}
