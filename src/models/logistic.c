/*
 * logistic.c
 *	  Logistic regression, L2-penalised on standardised columns, by Newton's method.
 *
 * Newton's steps, halved where they overshoot, from the intercept alone; where
 * there are many rows from the top of the first sixteenth of them, which spares
 * most of the passes over the rest.  A step is judged by how far it moves
 * log-odds, so that neither units nor dependent columns matter.
 *
 * Without a penalty there may be no top.  Columns that depend on earlier ones
 * are found first, in the matrix of correlations.  Where columns tell the
 * outcomes apart, coefficients grow for ever, in a direction in which no row
 * becomes less likely: each step is looked at as such a direction, and if the
 * rows say so it is proof (Albert and Anderson 1984).
 *
 * Promises: see logistic.h.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "logistic_rows.h"

/* Of a column's variance, what must be left when earlier columns have had theirs. */
#define INDEPENDENT		1e-11

/* The same, for a step to be trusted; and what is added where it is not. */
#define SOLVABLE		1e-13
#define RIDGE			1e-10

/* The top is one step away if that moves log-odds by so little, at most and on average. */
#define STILL			1e-8
#define STILL_RMS		2e-11

/* Or nothing gets better, this near to it. */
#define NEAR_RMS		1e-6
#define NEAR			1e-2

/* All outcomes are told apart by so much. */
#define TOLD_APART		1e-6

/* So often, while steps move log-odds by so much, proof is sought that there is no top. */
#define PROOF_STEPS		4
#define PROOF_MOVE		0.5

#define STEPS			200
#define HALVINGS		60

/* The sample that is climbed first: a 16th; of fewer rows, or fewer a column, none. */
#define SAMPLE			16
#define SAMPLE_ROWS		1024
#define SAMPLE_PER_COLUMN 20
#define SAMPLE_STEPS	8
#define SAMPLE_NEAR		1e-3

/* Moves of log-odds that a sample may correct. */
#define BEND_MOST		0.3
#define BEND_LEAST		1e-6
#define BEND_LONGEST	0.25	/* of the step, squares */

typedef struct Climb
{
	LogisticData data;
	int64_t		rows;			/* the first so many */
	int64_t		sample;			/* that were climbed first; 0: none */
	double		sample_weight;
	double		lambda;
	int			n;				/* coefficients */
	double	   *b;
	double	   *step;
	double	   *trial;
	double	   *work;			/* SYMMETRIC_WORK each */
	double	   *factor;			/* n * n */
	LogisticTop top;			/* of b */
	double		penalised;
	double		max_gradient;
	double		ridge;			/* in the step */
	double		move;			/* no log-odds moves by more in the step */
	double		move_rms;		/* root of the mean square, by weights in Newton's step */
	int			steps;			/* over all rows */
} Climb;

double
logistic_probability(double eta)
{
	double		e = exp(-fabs(eta));

	return eta < 0 ? e / (1 + e) : 1 / (1 + e);
}

/* ---------- a step ---------- */

/* What the penalty does to what is known of b. */
static void
penalise(Climb *climb, const double *b)
{
	double		squares = 0;

	for (int j = 1; j < climb->n; j++)
	{
		squares += b[j] * b[j];
		climb->top.gradient[j] -= climb->lambda * b[j];
	}
	climb->penalised = climb->top.log_likelihood - climb->lambda / 2 * squares;
	climb->max_gradient = 0;
	for (int j = 0; j < climb->n; j++)
		climb->max_gradient = fmax(climb->max_gradient, fabs(climb->top.gradient[j]));
}

/* Everything at b. */
static void
look(Climb *climb, const double *b)
{
	logistic_evaluate(&climb->data, climb->rows, b, false, &climb->top);
	penalise(climb, b);
	if (climb->rows == climb->data.rows->n)
		climb->steps++;
}

/* Factors H + lambda I + ridge I; the number of rows that were left out. */
static int
factor(Climb *climb, double ridge, double tolerance)
{
	size_t		n = climb->n;

	memcpy(climb->factor, climb->top.hessian, sizeof(double) * n * n);
	for (size_t j = 0; j < n; j++)
		climb->factor[j * n + j] += ridge + (j > 0 ? climb->lambda : 0);
	return symmetric_factor(n, climb->factor, fmax(tolerance, 4 * n * DBL_EPSILON), climb->work,
							climb->data.poll);
}

/*
 * Newton's step.  Where the matrix is singular to rounding, of a ridge just large
 * enough: what it holds back is what makes no difference.  False if there is none.
 */
static bool
find_step(Climb *climb)
{
	size_t		n = climb->n;
	double		greatest = 0;
	double		ridge = 0;
	double		gain = 0;
	double		weight = climb->top.hessian[0];

	for (size_t j = 0; j < n; j++)
		greatest = fmax(greatest, climb->top.hessian[j * n + j] + (j > 0 ? climb->lambda : 0));
	while (factor(climb, ridge, SOLVABLE) > 0)
	{
		ridge = ridge > 0 ? ridge * 100 : RIDGE * greatest;
		if (!(ridge > 0 && ridge < greatest))
			return false;
	}
	climb->ridge = ridge;
	memcpy(climb->step, climb->top.gradient, sizeof(double) * n);
	symmetric_solve(n, climb->factor, climb->step);

	climb->move = fabs(climb->step[0]);
	for (size_t j = 0; j < n; j++)
	{
		gain += climb->top.gradient[j] * climb->step[j];
		if (j > 0)
			climb->move += fabs(climb->step[j]) * climb->data.columns[j - 1].reach;
	}
	climb->move_rms = weight > 0 ? sqrt(fmax(gain, 0) / weight) : DBL_MAX;
	return isfinite(climb->move);
}

/* Goes the step, or as much of it as leads upwards.  False if none does. */
static bool
go(Climb *climb)
{
	double		before = climb->penalised;
	double		length = 1;

	for (int i = 0; i < HALVINGS; i++, length /= 2)
	{
		for (int j = 0; j < climb->n; j++)
			climb->trial[j] = climb->b[j] + length * climb->step[j];
		look(climb, climb->trial);
		if (climb->penalised >= before - 1e-12 * fabs(before))
		{
			memcpy(climb->b, climb->trial, sizeof(double) * climb->n);
			return true;
		}
	}
	return false;
}

/*
 * The step bent by what the sample knows of third derivatives and beyond: what is
 * left to go becomes so much less that one pass over all rows is saved.  (Jordan,
 * Lee and Yang 2019, with second derivatives of all rows.)  Columns that hardly
 * differ may make the sample know nothing of the kind: a bend that is long beside
 * the step, or does not lead up by a good part of what Newton's step promises, is
 * the last one.
 */
static bool
go_bent(Climb *climb)
{
	double		before = climb->penalised;
	double		gain = climb->move_rms * climb->move_rms * climb->top.hessian[0];
	double		times = climb->data.weight / climb->sample_weight;
	double		length = 0;
	double	   *bend = climb->work;

	logistic_bend(&climb->data, climb->sample, climb->b, climb->step, bend);
	memcpy(climb->trial, bend, sizeof(double) * climb->n);
	symmetric_solve(climb->n, climb->factor, bend);
	for (int j = 0; j < climb->n; j++)
		length += climb->trial[j] * bend[j] * times * times;
	if (length <= gain * BEND_LONGEST)
	{
		for (int j = 0; j < climb->n; j++)
			climb->trial[j] = climb->b[j] + climb->step[j] + times * bend[j];
		look(climb, climb->trial);
		if (climb->penalised >= before + gain / 4)
		{
			memcpy(climb->b, climb->trial, sizeof(double) * climb->n);
			return true;
		}
		climb->penalised = before;
	}
	climb->sample = 0;
	return go(climb);
}

/* What is left to go is next to nothing. */
static bool
arrived(const Climb *climb)
{
	return climb->move <= STILL && climb->move_rms <= STILL_RMS;
}

/* It is little, and steps do not make it less: rounding. */
static bool
stuck(const Climb *climb, double move_rms_before)
{
	return climb->move <= NEAR && climb->move_rms <= NEAR_RMS &&
		climb->move_rms > move_rms_before / 4;
}

/*
 * The step that needs no look at the rows: the gradient there is what the second
 * derivatives leave of it, but for the square of the move, and rounding.
 */
static void
last_step(Climb *climb)
{
	size_t		n = climb->n;
	double		greatest = 0;

	symmetric_mirror(n, climb->top.hessian, climb->data.poll);
	for (size_t j = 0; j < n; j++)
	{
		double		left = climb->top.gradient[j] -
			symmetric_dot(n, climb->top.hessian + j * n, climb->step) -
			(j > 0 ? climb->lambda * climb->step[j] : 0);

		greatest = fmax(greatest, fabs(left));
		climb->b[j] += climb->step[j];
	}
	climb->max_gradient = greatest +
		climb->data.weight * (DBL_EPSILON + climb->move * climb->move);
}

/*
 * The part of b that lies in the directions in which rows with these products
 * stand still: as b has it where a column is free, the rest to make up for it.
 * Returns how many columns are free.
 */
static int
free_part(Climb *climb, double *products, double *d)
{
	size_t		n = climb->n;
	int			free;

	memcpy(climb->factor, products, sizeof(double) * n * n);
	free = symmetric_factor(n, climb->factor, INDEPENDENT, climb->work, climb->data.poll);
	symmetric_mirror(n, products, climb->data.poll);
	for (size_t i = 0; i < n; i++)
	{
		d[i] = 0;
		for (size_t j = 0; j < n; j++)
			if (climb->factor[j * n + j] == 0)
				d[i] -= products[i * n + j] * climb->b[j];
	}
	symmetric_solve(n, climb->factor, d);
	for (size_t j = 0; j < n; j++)
		if (climb->factor[j * n + j] == 0)
			d[j] = climb->b[j];
	return free;
}

/*
 * True if it is proved that there is no top.  Rows that b does not tell apart yet
 * are undecided; where they leave directions free, in which they all stand still,
 * the part of b that lies in these may separate the others.  Rows that speak
 * against it are to stand still, too, till none does, or no direction is left.
 * Overwrites the second derivatives and the step.
 */
static bool
proved_separated(Climb *climb, double margin)
{
	double	   *products = climb->top.hessian;
	double	   *d = climb->step;
	int			free = climb->n + 1;

	memset(products, 0, sizeof(double) * climb->n * climb->n);
	logistic_undecided(&climb->data, climb->b, margin, products);
	for (;;)
	{
		int			before = free;

		free = free_part(climb, products, d);
		if (free == 0 || free >= before)
			return false;
		if (logistic_separates(&climb->data, d))
			return true;
		logistic_undecided(&climb->data, d, 0, products);
	}
}

/* From b, of which everything is known. */
static LogisticEnd
climb_up(Climb *climb)
{
	double		move_rms_before = DBL_MAX;

	for (int i = 0; i < STEPS; i++)
	{
		bool		steps = find_step(climb);

		if (climb->lambda == 0 && climb->top.margin > TOLD_APART)
			return LOGISTIC_SEPARATED;
		if (climb->lambda == 0 && (!steps || climb->ridge > 0 ||
								   (i % PROOF_STEPS == PROOF_STEPS - 1 && climb->move > PROOF_MOVE)))
		{
			if (proved_separated(climb, i / 2.0))
				return LOGISTIC_SEPARATED;
			look(climb, climb->b);	/* what the search has overwritten */
			climb->steps--;
			steps = find_step(climb);
		}
		if (!steps)
			return LOGISTIC_STOPPED;
		if (arrived(climb) || stuck(climb, move_rms_before))
		{
			if (arrived(climb))
				last_step(climb);
			return climb->lambda == 0 && climb->ridge > 0 ? LOGISTIC_STOPPED : LOGISTIC_CONVERGED;
		}
		move_rms_before = climb->move_rms;
		if (climb->sample > 0 && climb->move_rms < BEND_MOST && climb->move_rms > BEND_LEAST ?
			!go_bent(climb) : !go(climb))
			return LOGISTIC_STOPPED;
	}
	return LOGISTIC_STOPPED;
}

/* ---------- where to start ---------- */

/* The intercept alone. */
static void
start_at_null(Climb *climb)
{
	const LogisticData *data = &climb->data;

	memset(climb->b, 0, sizeof(double) * climb->n);
	climb->b[0] = log(data->positive / (data->weight - data->positive));
}

static double
null_likelihood(const LogisticData *data)
{
	double		negative = data->weight - data->positive;

	return data->positive * log(data->positive / data->weight) +
		negative * log(negative / data->weight);
}

/*
 * To near the top of the first rows, in columns as these have them, with no less
 * of a penalty than one row would be: it is only a start.  False where there are
 * too few.
 */
static bool
climb_sample(Climb *climb)
{
	LogisticData *data = &climb->data;
	int64_t		all = climb->rows;
	int64_t		sample = all / SAMPLE;
	double		lambda = climb->lambda;

	if (sample < SAMPLE_ROWS || sample / SAMPLE_PER_COLUMN <= data->rows->columns)
		return false;
	logistic_moments(data, sample);
	if (!(data->positive > 0 && data->positive < data->weight))
		return false;
	logistic_standardise(data);
	climb->n = data->n + 1;
	climb->sample = climb->rows = sample;
	climb->sample_weight = data->weight;
	climb->lambda = fmax(lambda / SAMPLE, data->weight / sample);
	start_at_null(climb);
	look(climb, climb->b);
	for (int i = 0; i < SAMPLE_STEPS && find_step(climb); i++)
		if (!go(climb) || climb->move_rms < SAMPLE_NEAR)
			break;
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
	penalise(climb, climb->b);
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

	if (factor(climb, 0, INDEPENDENT) == 0)
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

	if (factor(climb, 0, SOLVABLE) > 0)
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

/* Finds a start and looks around; true if columns were left out. */
static bool
start(Climb *climb, LogisticTerm *terms)
{
	if (climb_sample(climb) && leave_sample(climb, terms))
	{
		if (climb->top.log_likelihood >= null_likelihood(&climb->data) &&
			(climb->lambda > 0 || surely_independent(climb)))
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
	look(climb, climb->b);
	if (climb->lambda > 0 || !leave_dependent(climb, terms))
		return false;
	start_at_null(climb);
	look(climb, climb->b);
	return true;
}

/* ---------- what is told of the top ---------- */

/* Standard errors, where H + lambda I has an inverse. */
static void
tell_errors(Climb *climb, LogisticTerm *terms, LogisticFit *fit)
{
	size_t		n = climb->n;
	double	   *v = climb->factor;
	double	   *h = climb->top.hessian;
	double	   *sandwich = climb->trial;
	double	   *to_raw = climb->step;	/* of the intercept: 1, - mean / sd */
	double	   *spread = climb->work;
	LogisticTerm *intercept = &terms[climb->data.rows->columns];
	double		variance = 0;
	double		robust = 0;

	if (factor(climb, 0, SOLVABLE) > 0)
		return;
	symmetric_inverse(n, v, climb->work, climb->data.poll);
	symmetric_mirror(n, h, climb->data.poll);
	symmetric_sandwich(n, v, h, sandwich, climb->data.poll);
	fit->edf = 0;
	to_raw[0] = 1;
	for (size_t j = 0; j < n; j++)
		fit->edf += symmetric_dot(n, h + j * n, v + j * n);
	for (size_t j = 1; j < n; j++)
	{
		LogisticTerm *term = &terms[climb->data.columns[j - 1].source];

		term->se = sqrt(v[j * n + j]) / term->sd;
		term->se_sandwich = sqrt(sandwich[j]) / term->sd;
		to_raw[j] = -term->mean / term->sd;
	}
	for (size_t j = 0; j < n; j++)
	{
		spread[j] = symmetric_dot(n, v + j * n, to_raw);
		variance += spread[j] * to_raw[j];
	}
	for (size_t j = 0; j < n; j++)
		robust += symmetric_dot(n, h + j * n, spread) * spread[j];
	intercept->se = sqrt(variance);
	intercept->se_sandwich = sqrt(robust);
}

static void
tell_coefficients(const Climb *climb, LogisticTerm *terms)
{
	LogisticTerm *intercept = &terms[climb->data.rows->columns];
	double		raw = climb->b[0];

	for (int j = 1; j < climb->n; j++)
	{
		LogisticTerm *term = &terms[climb->data.columns[j - 1].source];

		term->coef_std = climb->b[j];
		term->coef = climb->b[j] / term->sd;
		raw -= term->coef * term->mean;
	}
	intercept->coef_std = climb->b[0];
	intercept->coef = raw;
}

static void
open_climb(Climb *climb, const RowSource *rows, double lambda)
{
	size_t		n = (size_t) rows->columns + 1;

	*climb = (Climb) {.rows = rows->n, .lambda = lambda};
	logistic_data_open(&climb->data, rows);
	climb->b = rows->alloc(rows->arg, sizeof(double) * n * (4 + SYMMETRIC_WORK));
	climb->step = climb->b + n;
	climb->trial = climb->step + n;
	climb->top.gradient = climb->trial + n;
	climb->work = climb->top.gradient + n;
	climb->factor = rows->alloc(rows->arg, sizeof(double) * n * n);
	climb->top.hessian = rows->alloc(rows->arg, sizeof(double) * n * n);
}

static void
close_climb(Climb *climb)
{
	const RowSource *rows = climb->data.rows;

	rows->release(rows->arg, climb->top.hessian);
	rows->release(rows->arg, climb->factor);
	rows->release(rows->arg, climb->b);
	logistic_data_close(&climb->data);
}

void
logistic_fit(const RowSource *rows, double lambda, LogisticTerm *terms, LogisticFit *fit)
{
	Climb		climb;
	bool		dependent;

	for (int j = 0; j <= rows->columns; j++)
		terms[j] = (LogisticTerm) {.sd = 1, .se = NAN, .se_sandwich = NAN};
	open_climb(&climb, rows, lambda);
	dependent = start(&climb, terms);
	fit->end = climb_up(&climb);
	tell_coefficients(&climb, terms);
	fit->weight = climb.data.weight;
	fit->positive = climb.data.positive;
	fit->log_likelihood_null = null_likelihood(&climb.data);
	fit->log_likelihood = climb.top.log_likelihood;
	fit->penalised = climb.penalised;
	fit->edf = climb.n;
	fit->max_gradient = climb.max_gradient;
	fit->iterations = climb.steps;
	if (fit->end != LOGISTIC_SEPARATED)
		tell_errors(&climb, terms, fit);
	if (dependent && fit->end != LOGISTIC_STOPPED)
		fit->end = LOGISTIC_DEPENDENT;
	close_climb(&climb);
}
