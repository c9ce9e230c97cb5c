/*
 * logistic_start.c
 *	  Where the climb of a logistic regression starts: near the top of a sample,
 *	  or at the intercept alone.
 *
 * Passes over all rows are what a fit takes its time for.  So where there are
 * many, the first sixteenth of them is climbed first, from near the top of the
 * first sixteenth of these; one pass over all rows then gives the moments of
 * columns, and the likelihood and its derivatives at that start, in columns that
 * are standardised by all rows.
 *
 * Promises: a start from which the top is reached if it can be; without a penalty
 * columns that depend on earlier ones are out of use.
 */
#include <math.h>
#include <string.h>

#include "models/classifier/logistic_newton.h"

/* The sample that is climbed first: a 16th; of fewer rows, or fewer a column, none. */
#define SAMPLE			16
#define SAMPLE_ROWS		1024
#define SAMPLE_PER_COLUMN 20
#define SAMPLE_STEPS	8

/* Its top need not be known better than it knows that of all rows. */
#define SAMPLE_NEAR		0.02

/* The intercept alone. */
static void
start_at_null(Newton *newton)
{
	const LogisticData *data = &newton->data;

	memset(newton->b, 0, sizeof(double) * newton->n);
	newton->b[0] = log(data->positive / (data->weight - data->positive));
}

double
logistic_null_likelihood(const LogisticData *data)
{
	double		negative = data->weight - data->positive;

	return data->positive * log(data->positive / data->weight) +
		negative * log(negative / data->weight);
}

/* There are enough of them to be a start for sixteen times as many. */
static bool
large_enough(const Newton *newton, int64_t sample)
{
	return sample >= SAMPLE_ROWS && sample / SAMPLE_PER_COLUMN > newton->data.rows->columns;
}

/* To near the top of the first "rows" rows, with no less of a penalty than one row would be. */
static void
newton_near(Newton *newton, int64_t rows, double lambda)
{
	newton->rows = rows;
	newton->lambda = fmax(lambda * rows / newton->data.rows->n, newton->data.weight / newton->sample);
	logistic_newton_evaluate(newton, newton->b);
	for (int i = 0; i < SAMPLE_STEPS && logistic_newton_find_step(newton); i++)
	{
		if (newton->move_rms < SAMPLE_NEAR)
		{
			for (int j = 0; j < newton->n; j++)
				newton->b[j] += newton->step[j];
			break;
		}
		if (!logistic_newton_line_search(newton))
			break;
	}
}

/*
 * To near the top of the first rows, in columns as these have them, by way of
 * that of the first of these: it is only a start.  False where there are too few.
 */
static bool
newton_sample(Newton *newton)
{
	LogisticData *data = &newton->data;
	int64_t		all = newton->rows;
	int64_t		sample = all / SAMPLE;
	double		lambda = newton->lambda;

	if (!large_enough(newton, sample))
		return false;
	logistic_moments(data, sample);
	if (!(data->positive > 0 && data->positive < data->weight))
		return false;
	logistic_standardise(data);
	newton->n = data->n + 1;
	newton->sample = sample;
	newton->sample_weight = data->weight;
	start_at_null(newton);
	if (large_enough(newton, sample / SAMPLE))
		newton_near(newton, sample / SAMPLE, lambda);
	newton_near(newton, sample, lambda);
	newton->rows = all;
	newton->lambda = lambda;
	return true;
}

/*
 * From z to z', of which z = mean + deviation z': b and its derivatives follow, and
 * columns that went out of use go.  "before" was the number of coefficients.
 */
static void
restandardise(Newton *newton, int before)
{
	static const double of_intercept[LOGISTIC_SUMS] = {[LOGISTIC_SQUARES] = 1};
	size_t		n = before;
	size_t		width = newton->data.n + 1;
	size_t		row = 0;
	double	   *h = newton->top.hessian;
	double	   *g = newton->top.gradient;
	double	   *first = newton->trial;	/* h's column of the intercept */

	for (size_t i = 0; i < n; i++)
		first[i] = h[i * n];
	for (size_t i = 0; i < n; i++)
	{
		const double *mi = i > 0 ? newton->data.sums + (i - 1) * LOGISTIC_SUMS : of_intercept;
		double		mean = mi[LOGISTIC_SUM];
		double		sd = mi[LOGISTIC_SQUARES];
		size_t		column = 0;

		newton->b[0] += i > 0 ? newton->b[i] * mean : 0;
		if (sd == 0)
			continue;
		for (size_t j = 0; j <= i; j++)
		{
			const double *mj = j > 0 ? newton->data.sums + (j - 1) * LOGISTIC_SUMS : of_intercept;

			if (mj[LOGISTIC_SQUARES] > 0)
				h[row * width + column++] = (h[i * n + j] - mean * first[j] - mj[LOGISTIC_SUM] *
											 (first[i] - mean * first[0])) /
					(sd * mj[LOGISTIC_SQUARES]);
		}
		g[row] = (g[i] - mean * g[0]) / sd;
		newton->b[row] = newton->b[i] * sd;
		row++;
	}
	newton->n = width;
}

/*
 * From the top of a sample, and in its columns, to all rows: one pass for their
 * moments and what is to be known of b.  False if the moments are of no use.
 */
static bool
leave_sample(Newton *newton, LogisticTerm *terms)
{
	int			before = newton->n;

	newton->steps++;
	if (!logistic_evaluate(&newton->data, newton->rows, newton->b, true, &newton->top))
		return false;
	logistic_settle(&newton->data, terms);
	restandardise(newton, before);
	logistic_newton_penalise(newton, newton->b);
	return true;
}

/*
 * Takes columns out of use that depend on those before them: on the intercept
 * alone, the second derivatives are the correlations, by weight.
 */
static bool
leave_dependent(Newton *newton, LogisticTerm *terms)
{
	LogisticData *data = &newton->data;
	size_t		n = newton->n;
	int			used = 0;

	if (logistic_newton_factor(newton, 0, INDEPENDENT) == 0)
		return false;
	for (size_t j = 1; j < n; j++)
	{
		LogisticColumn column = data->columns[j - 1];

		if (newton->factor[j * n + j] > 0)
			data->columns[used++] = column;
		else
			terms[column.source].coef_std = terms[column.source].coef = NAN;
	}
	data->n = used;
	newton->n = used + 1;
	return true;
}

/* True if, whatever the weights of the rows, no column depends on others. */
static bool
surely_independent(Newton *newton)
{
	size_t		n = newton->n;

	if (logistic_newton_factor(newton, 0, SOLVABLE) > 0)
		return false;
	for (size_t j = 1; j < n; j++)
	{
		double		left = newton->factor[j * n + j] * newton->factor[j * n + j];

		/* p (1 - p) is no more than 1/4 */
		if (4 * left < 1000 * INDEPENDENT * newton->data.weight)
			return false;
	}
	return true;
}

/* True if b is better than nothing, or near the top. */
static bool
worth_a_start(Newton *newton)
{
	return newton->top.log_likelihood >= logistic_null_likelihood(&newton->data) ||
		(logistic_newton_find_step(newton) && newton->ridge == 0 && newton->move_rms < NEAR_TOP);
}

bool
logistic_start(Newton *newton, LogisticTerm *terms)
{
	if (newton_sample(newton) && leave_sample(newton, terms))
	{
		if (worth_a_start(newton) && (newton->lambda > 0 || surely_independent(newton)))
			return false;
	}
	else
	{
		logistic_moments(&newton->data, newton->rows);
		logistic_settle(&newton->data, terms);
		newton->n = newton->data.n + 1;
	}
	newton->sample = 0;
	start_at_null(newton);
	logistic_newton_evaluate(newton, newton->b);
	if (newton->lambda > 0 || !leave_dependent(newton, terms))
		return false;
	start_at_null(newton);
	logistic_newton_evaluate(newton, newton->b);
	return true;
}
