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

#include "math/double2.h"
#include "models/classifier/logistic_rows.h"

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

/* Below, 1 - probability forgets what that was. */
#define SMALL_ODDS		1e-3

/* e^-x of more is 0. */
#define EXP_REACH		708.0

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
		int			r = 0;

		for (; r + 2 <= count; r += 2, x += 2 * width)
			pair_put(z + r, ((Pair) {x[0], x[width]} * pair_of(scale) - pair_of(shift)) *
					 pair_of(factor));
		if (r < count)
			z[r] = (x[0] * scale - shift) * factor;
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
	Pair		sum = {0, 0};
	Pair		squares = {0, 0};
	Pair		greatest = pair_of(*reach);

	/* load_block() made the number even */
	for (int r = 0; r < count; r += 2)
	{
		Pair		value = pair_at(z + r);
		Pair		weighted = pair_at(w + r) * value;

		sum += weighted;
		squares += weighted * value;
		greatest = pair_max(pair_abs(value), greatest);
	}
	add_exactly(&sums[LOGISTIC_SUM], &sums[LOGISTIC_SUM_REST], pair_sum(sum));
	add_exactly(&sums[LOGISTIC_SQUARES], &sums[LOGISTIC_SQUARES_REST], pair_sum(squares));
	*reach = greatest[0] > greatest[1] ? greatest[0] : greatest[1];
}

/* Moments of a block; those of no rows at all where count is 0. */
static void
sum_block(LogisticData *data, int count)
{
	Pair		weight = {0, 0};
	Pair		positive = {0, 0};

	if (count == 0)
	{
		data->weight = data->weight_rest = data->positive = data->positive_rest = 0;
		memset(data->sums, 0, sizeof(double) * LOGISTIC_SUMS * data->n);
		for (int j = 0; j < data->n; j++)
			data->columns[j].reach = 0;
		return;
	}
	for (int r = 0; r < count; r += 2)
	{
		weight += pair_at(data->w + r);
		positive += pair_at(data->w + r) * pair_at(data->y + r);
	}
	add_exactly(&data->weight, &data->weight_rest, pair_sum(weight));
	add_exactly(&data->positive, &data->positive_rest, pair_sum(positive));
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
	int			n = data->n + 1;
	int			j = 1;

	for (int r = 0; r < count; r++)
		eta[r] = b[0];
	for (; j + 4 <= n; j += 4)
	{
		const double *z = data->z + (size_t) j * ROWS_BLOCK;
		Pair		b0 = pair_of(b[j]);
		Pair		b1 = pair_of(b[j + 1]);
		Pair		b2 = pair_of(b[j + 2]);
		Pair		b3 = pair_of(b[j + 3]);

		for (int r = 0; r < count; r += 2)
			pair_put(eta + r, pair_at(eta + r) +
					 (b0 * pair_at(z + r) + b1 * pair_at(z + r + ROWS_BLOCK)) +
					 (b2 * pair_at(z + r + 2 * ROWS_BLOCK) + b3 * pair_at(z + r + 3 * ROWS_BLOCK)));
	}
	for (; j < n; j++)
	{
		const double *z = data->z + (size_t) j * ROWS_BLOCK;
		Pair		coef = pair_of(b[j]);

		for (int r = 0; r < count; r += 2)
			pair_put(eta + r, pair_at(eta + r) + coef * pair_at(z + r));
	}
}

/*
 * 1 / (1 + e^-|eta|), and into "less" what it is less than 1, as exactly; nothing
 * beyond EXP_REACH.  e^-|eta| = 2^k (Q + rP) / (Q - rP), P and Q polynomials in
 * r^2, |r| <= ln 2 / 2 (Moshier 1989), so that one division will do for all.
 */
static inline Pair
pair_likelier(Pair eta, Pair *less)
{
	Pair		distance = pair_abs(eta);
	PairMask	far = distance > pair_of(EXP_REACH);
	Pair		x = -pair_choose(far, pair_of(EXP_REACH), distance);

	/* a number so large that it has no room for fractions */
	Pair		large = x * pair_of(1.4426950408889634) + pair_of(0x1.8p52);
	Pair		k = large - pair_of(0x1.8p52);
	Pair		power = (Pair) (((PairMask) large + 1023) << 52);
	Pair		r = x - k * pair_of(6.93145751953125e-1) - k * pair_of(1.42860682030941723212e-6);
	Pair		rr = r * r;
	Pair		p = r * ((pair_of(1.26177193074810590878e-4) * rr +
						  pair_of(3.02994407707441961300e-2)) * rr + pair_of(1));
	Pair		q = ((pair_of(3.00198505138664455042e-6) * rr +
					  pair_of(2.52448340349684104192e-3)) * rr +
					 pair_of(2.27265548208155028766e-1)) * rr + pair_of(2);
	Pair		above = pair_where(~far, power) * (q + p);
	Pair		inverse = pair_of(1) / (q - p + above);

	*less = above * inverse;
	return (q - p) * inverse;
}

/* - ln (1 - x), where x is small */
static inline Pair
pair_log_small(Pair x)
{
	return x + x * x * (pair_of(1.0 / 2) + x * (pair_of(1.0 / 3) + x * (pair_of(1.0 / 4) +
																		x * (pair_of(1.0 / 5) + x * pair_of(1.0 / 6)))));
}

/*
 * Log-likelihood of a block's rows, of eta; residuals w (y - p), and the roots of
 * w p (1 - p) in place of eta.  Where weights are 1, one logarithm will do for
 * the product of up to ROWS_BLOCK numbers, 1/2 at least, where that loses nothing.
 */
static double
block_likelihood(LogisticData *data, int count, double *margin)
{
	Pair		sum = {0, 0};
	Pair		product = {1, 1};
	Pair		least = pair_of(*margin);
	PairMask	weighted = {0, 0};
	double		rest = 0;

	for (int r = 0; r < count; r += 2)
	{
		Pair		w = pair_at(data->w + r);
		Pair		eta = pair_at(data->eta + r);
		PairMask	happened = pair_at(data->y + r) > pair_of(0);
		Pair		along = pair_choose(happened, eta, -eta);	/* log-odds of what happened */
		Pair		less;
		Pair		likelier = pair_likelier(eta, &less);
		PairMask	small = less < pair_of(SMALL_ODDS);
		PairMask	single = w == pair_of(1);

		/* 1 - probability of what happened */
		Pair		missed = w * pair_choose(along > pair_of(0), less, likelier);

		product *= pair_choose(single & ~small, likelier, pair_of(1));
		sum -= pair_where(small, w * pair_log_small(less));
		sum += w * pair_min(along, pair_of(0));
		least = pair_choose(w > pair_of(0), pair_min(along, least), least);
		weighted |= ~(single | small);
		pair_put(data->residual + r, pair_choose(happened, missed, -missed));
		pair_put(data->eta + r, pair_root(w * less * likelier));
		pair_put(data->other + r, pair_choose(single | small, pair_of(1), likelier));
	}
	if (weighted[0] | weighted[1])
		for (int r = 0; r < count; r++)
			if (data->other[r] != 1)
				rest += data->w[r] * log(data->other[r]);
	*margin = least[0] < least[1] ? least[0] : least[1];
	return pair_sum(sum) + rest + log(product[0] * product[1]);
}

/* The column's part of the gradient; the column becomes its product with the roots. */
static double
column_gradient(const LogisticData *data, int count, double *z)
{
	Pair		sum = {0, 0};
	Pair		other = {0, 0};
	int			r = 0;

	for (; r + 4 <= count; r += 4)
	{
		Pair		a = pair_at(z + r);
		Pair		b = pair_at(z + r + 2);

		sum += a * pair_at(data->residual + r);
		other += b * pair_at(data->residual + r + 2);
		pair_put(z + r, a * pair_at(data->eta + r));
		pair_put(z + r + 2, b * pair_at(data->eta + r + 2));
	}
	if (r < count)
	{
		sum += pair_at(z + r) * pair_at(data->residual + r);
		pair_put(z + r, pair_at(z + r) * pair_at(data->eta + r));
	}
	return pair_sum(sum + other);
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
			add_exactly(&top->gradient[j], &data->rest[j],
						column_gradient(data, rows, data->z + (size_t) j * ROWS_BLOCK));
		cholesky_add(n, top->hessian, data->z, ROWS_BLOCK, rows, data->poll);
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
logistic_newton_third_order(LogisticData *data, int64_t count, const double *b, const double *step,
							double *third)
{
	int			n = data->n + 1;

	memset(third, 0, sizeof(double) * n);
	for (int64_t from = 0; from < count; from += ROWS_BLOCK)
	{
		int			rows = load_block(data, from, count);

		add_columns(data, rows, b, data->eta);
		add_columns(data, rows, step, data->other);
		for (int r = 0; r < rows; r += 2)
		{
			Pair		eta = pair_at(data->eta + r);
			Pair		other = pair_at(data->other + r);
			Pair		less;
			Pair		likelier = pair_likelier(eta, &less);
			Pair		p = pair_choose(eta < pair_of(0), less, likelier);
			Pair		slope = less * likelier;
			Pair		then;

			likelier = pair_likelier(eta + other, &less);
			then = pair_choose(eta + other < pair_of(0), less, likelier);
			pair_put(data->residual + r, pair_at(data->w + r) * (then - p - slope * other));
		}
		for (int j = 0; j < n; j++)
			third[j] -= cholesky_dot(rows, data->z + (size_t) j * ROWS_BLOCK, data->residual);
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
		cholesky_add(n, products, data->z, ROWS_BLOCK, rows, data->poll);
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
