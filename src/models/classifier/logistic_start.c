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
start_at_null(Climb *climb)
{
	const LogisticData *data = &climb->data;

	memset(climb->b, 0, sizeof(double) * climb->n);
	climb->b[0] = log(data->positive / (data->weight - data->positive));
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
large_enough(const Climb *climb, int64_t sample)
{
	return sample >= SAMPLE_ROWS && sample / SAMPLE_PER_COLUMN > climb->data.rows->columns;
}

/* To near the top of the first "rows" rows, with no less of a penalty than one row would be. */
static void
climb_near(Climb *climb, int64_t rows, double lambda)
{
	climb->rows = rows;
	climb->lambda = fmax(lambda * rows / climb->data.rows->n, climb->data.weight / climb->sample);
	logistic_look(climb, climb->b);
	for (int i = 0; i < SAMPLE_STEPS && logistic_find_step(climb); i++)
	{
		if (climb->move_rms < SAMPLE_NEAR)
		{
			for (int j = 0; j < climb->n; j++)
				climb->b[j] += climb->step[j];
			break;
		}
		if (!logistic_go(climb))
			break;
	}
}

/*
 * To near the top of the first rows, in columns as these have them, by way of
 * that of the first of these: it is only a start.  False where there are too few.
 */
static bool
climb_sample(Climb *climb)
{
	LogisticData *data = &climb->data;
	int64_t		all = climb->rows;
	int64_t		sample = all / SAMPLE;
	double		lambda = climb->lambda;

	if (!large_enough(climb, sample))
		return false;
	logistic_moments(data, sample);
	if (!(data->positive > 0 && data->positive < data->weight))
		return false;
	logistic_standardise(data);
	climb->n = data->n + 1;
	climb->sample = sample;
	climb->sample_weight = data->weight;
	start_at_null(climb);
	if (large_enough(climb, sample / SAMPLE))
		climb_near(climb, sample / SAMPLE, lambda);
	climb_near(climb, sample, lambda);
	climb->rows = all;
	climb->lambda = lambda;
	return true;
}

/*
 * From z to z', of which z = mean + deviation z': b and its derivatives follow, and
 * columns that went out of use go.  "before" was the number of coefficients.
 */
static void
restandardise(Climb *climb, int before)
{
	static const double of_intercept[LOGISTIC_SUMS] = {[LOGISTIC_SQUARES] = 1};
	size_t		n = before;
	size_t		width = climb->data.n + 1;
	size_t		row = 0;
	double	   *h = climb->top.hessian;
	double	   *g = climb->top.gradient;
	double	   *first = climb->trial;	/* h's column of the intercept */

	for (size_t i = 0; i < n; i++)
		first[i] = h[i * n];
	for (size_t i = 0; i < n; i++)
	{
		const double *mi = i > 0 ? climb->data.sums + (i - 1) * LOGISTIC_SUMS : of_intercept;
		double		mean = mi[LOGISTIC_SUM];
		double		sd = mi[LOGISTIC_SQUARES];
		size_t		column = 0;

		climb->b[0] += i > 0 ? climb->b[i] * mean : 0;
		if (sd == 0)
			continue;
		for (size_t j = 0; j <= i; j++)
		{
			const double *mj = j > 0 ? climb->data.sums + (j - 1) * LOGISTIC_SUMS : of_intercept;

			if (mj[LOGISTIC_SQUARES] > 0)
				h[row * width + column++] = (h[i * n + j] - mean * first[j] - mj[LOGISTIC_SUM] *
											 (first[i] - mean * first[0])) /
					(sd * mj[LOGISTIC_SQUARES]);
		}
		g[row] = (g[i] - mean * g[0]) / sd;
		climb->b[row] = climb->b[i] * sd;
		row++;
	}
	climb->n = width;
}

/*
 * From the top of a sample, and in its columns, to all rows: one pass for their
 * moments and what is to be known of b.  False if the moments are of no use.
 */
static bool
leave_sample(Climb *climb, LogisticTerm *terms)
{
	int			before = climb->n;

	climb->steps++;
	if (!logistic_evaluate(&climb->data, climb->rows, climb->b, true, &climb->top))
		return false;
	logistic_settle(&climb->data, terms);
	restandardise(climb, before);
	logistic_penalise(climb, climb->b);
	return true;
}

/*
 * Takes columns out of use that depend on those before them: on the intercept
 * alone, the second derivatives are the correlations, by weight.
 */
static bool
leave_dependent(Climb *climb, LogisticTerm *terms)
{
	LogisticData *data = &climb->data;
	size_t		n = climb->n;
	int			used = 0;

	if (logistic_factor(climb, 0, INDEPENDENT) == 0)
		return false;
	for (size_t j = 1; j < n; j++)
	{
		LogisticColumn column = data->columns[j - 1];

		if (climb->factor[j * n + j] > 0)
			data->columns[used++] = column;
		else
			terms[column.source].coef_std = terms[column.source].coef = NAN;
	}
	data->n = used;
	climb->n = used + 1;
	return true;
}

/* True if, whatever the weights of the rows, no column depends on others. */
static bool
surely_independent(Climb *climb)
{
	size_t		n = climb->n;

	if (logistic_factor(climb, 0, SOLVABLE) > 0)
		return false;
	for (size_t j = 1; j < n; j++)
	{
		double		left = climb->factor[j * n + j] * climb->factor[j * n + j];

		/* p (1 - p) is no more than 1/4 */
		if (4 * left < 1000 * INDEPENDENT * climb->data.weight)
			return false;
	}
	return true;
}

/* True if b is better than nothing, or near the top. */
static bool
worth_a_start(Climb *climb)
{
	return climb->top.log_likelihood >= logistic_null_likelihood(&climb->data) ||
		(logistic_find_step(climb) && climb->ridge == 0 && climb->move_rms < NEAR_TOP);
}

bool
logistic_start(Climb *climb, LogisticTerm *terms)
{
	if (climb_sample(climb) && leave_sample(climb, terms))
	{
		if (worth_a_start(climb) && (climb->lambda > 0 || surely_independent(climb)))
			return false;
	}
	else
	{
		logistic_moments(&climb->data, climb->rows);
		logistic_settle(&climb->data, terms);
		climb->n = climb->data.n + 1;
	}
	climb->sample = 0;
	start_at_null(climb);
	logistic_look(climb, climb->b);
	if (climb->lambda > 0 || !leave_dependent(climb, terms))
		return false;
	start_at_null(climb);
	logistic_look(climb, climb->b);
	return true;
}
