/*
 * logistic.c
 *	  Logistic regression, L2-penalised on standardised columns, by Newton's method.
 *
 * Newton's steps, halved where they overshoot; where there are many rows, bent by
 * what a sample knows of third derivatives, which spares most of the passes over
 * all of them.  A step is judged by how far it moves log-odds, so that neither
 * units nor dependent columns matter.  Where they start: logistic_start.c.
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

#include "models/classifier/logistic_newton.h"

/* What is added where a step is not to be trusted. */
#define RIDGE			1e-10

/* The top is one step away if that moves log-odds by so little, at most and on average. */
#define STILL			1e-8
#define STILL_RMS		2e-11

/* The same, where so large a sample tells what the step does to second derivatives. */
#define STILL_SAMPLED_RMS 2e-9
#define STILL_SAMPLE	16384

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

/* Bends: of steps that move log-odds by more, and up to so much of a step, in squares. */
#define BEND_LEAST		1e-6
#define BEND_LONGEST	0.25

/* So often, or till it changes by so little, in squares: the sample knows it no better. */
#define BENDS			4
#define BEND_ENOUGH		1e-3

double
logistic_probability(double eta)
{
	double		e = exp(-fabs(eta));

	return eta < 0 ? e / (1 + e) : 1 / (1 + e);
}

/* ---------- a step ---------- */

void
logistic_penalise(Climb *climb, const double *b)
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

void
logistic_look(Climb *climb, const double *b)
{
	logistic_evaluate(&climb->data, climb->rows, b, false, &climb->top);
	logistic_penalise(climb, b);
	if (climb->rows == climb->data.rows->n)
		climb->steps++;
}

int
logistic_factor(Climb *climb, double ridge, double tolerance)
{
	size_t		n = climb->n;

	memcpy(climb->factor, climb->top.hessian, sizeof(double) * n * n);
	for (size_t j = 0; j < n; j++)
		climb->factor[j * n + j] += ridge + (j > 0 ? climb->lambda : 0);
	return symmetric_factor(n, climb->factor, fmax(tolerance, 4 * n * DBL_EPSILON), climb->work,
							climb->data.poll);
}

bool
logistic_find_step(Climb *climb)
{
	size_t		n = climb->n;
	double		greatest = 0;
	double		ridge = 0;
	double		gain = 0;
	double		weight = climb->top.hessian[0];

	for (size_t j = 0; j < n; j++)
		greatest = fmax(greatest, climb->top.hessian[j * n + j] + (j > 0 ? climb->lambda : 0));
	while (logistic_factor(climb, ridge, SOLVABLE) > 0)
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

bool
logistic_go(Climb *climb)
{
	double		before = climb->penalised;
	double		length = 1;

	for (int i = 0; i < HALVINGS; i++, length /= 2)
	{
		for (int j = 0; j < climb->n; j++)
			climb->trial[j] = climb->b[j] + length * climb->step[j];
		logistic_look(climb, climb->trial);
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
 * left to go becomes so much less that passes over all rows are saved.  (Jordan,
 * Lee and Yang 2019, with second derivatives of all rows.)  The bend is that of
 * the bent step, so it is found in a few rounds.  False if it is long beside the
 * step: columns that hardly differ may make the sample know nothing of the kind.
 */
static bool
bend_step(Climb *climb, double gain)
{
	int			n = climb->n;
	double		times = climb->data.weight / climb->sample_weight;
	double	   *step = climb->work;
	double	   *pull = step + n;	/* off the top, of the sample; and before */
	double	   *pull_before = pull + n;
	double	   *bend = pull_before + n;

	memcpy(step, climb->step, sizeof(double) * n);
	memset(pull_before, 0, sizeof(double) * n);
	for (int i = 0; i < BENDS; i++)
	{
		double		length = 0;
		double		change = 0;

		logistic_bend(&climb->data, climb->sample, climb->b, step, pull);
		memcpy(bend, pull, sizeof(double) * n);
		symmetric_solve(n, climb->factor, bend);
		for (int j = 0; j < n; j++)
		{
			double		bent = climb->step[j] + times * bend[j];

			length += times * pull[j] * times * bend[j];
			change += times * (pull[j] - pull_before[j]) * (bent - step[j]);
			step[j] = bent;
			pull_before[j] = pull[j];
		}
		if (!(length <= gain * BEND_LONGEST))
			return false;
		if (change <= length * BEND_ENOUGH)
			break;
	}
	for (int j = 0; j < n; j++)
		climb->trial[j] = climb->b[j] + step[j];
	return true;
}

/*
 * Goes the bent step.  One that is too long, or does not lead up by a good part
 * of what Newton's step promises, is the last: Newton's own is gone then.
 */
static bool
go_bent(Climb *climb)
{
	double		before = climb->penalised;
	double		gain = climb->move_rms * climb->move_rms * climb->top.hessian[0];

	if (bend_step(climb, gain))
	{
		logistic_look(climb, climb->trial);
		if (climb->penalised >= before + gain / 4)
		{
			memcpy(climb->b, climb->trial, sizeof(double) * climb->n);
			return true;
		}
		climb->penalised = before;
	}
	climb->sample = 0;
	return logistic_go(climb);
}

/* What is left to go is next to nothing. */
static bool
arrived(const Climb *climb)
{
	return climb->move <= STILL && climb->move_rms <= STILL_RMS;
}

/* It is so little that a sample knows enough of it. */
static bool
arrived_by_sample(const Climb *climb)
{
	return climb->sample >= STILL_SAMPLE && climb->move <= STILL &&
		climb->move_rms <= STILL_SAMPLED_RMS;
}

/* It is little, and steps do not make it less: rounding. */
static bool
stuck(const Climb *climb, double move_rms_before)
{
	return climb->move <= NEAR && climb->move_rms <= NEAR_RMS &&
		climb->move_rms > move_rms_before / 4;
}

/* Second derivatives at b + step, as far as the sample tells how they differ from those at b. */
static void
follow_sample(Climb *climb)
{
	size_t		n = climb->n;
	double		times = climb->data.weight / climb->sample_weight;
	LogisticTop sample = {.gradient = climb->work, .hessian = climb->factor};

	for (int after = 0; after < 2; after++)
	{
		for (size_t j = 0; j < n; j++)
			climb->trial[j] = climb->b[j] + after * climb->step[j];
		logistic_evaluate(&climb->data, climb->sample, climb->trial, false, &sample);
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j <= i; j++)
				climb->top.hessian[i * n + j] += (after ? times : -times) *
					sample.hessian[i * n + j];
	}
}

/*
 * The step that needs no look at all rows: the gradient there is what the second
 * derivatives leave of it, but for the square of the move, and rounding.
 */
static void
last_step(Climb *climb)
{
	size_t		n = climb->n;
	double		greatest = 0;
	double		gain = 0;
	double		squares = 0;		/* by how much more of them b has */

	symmetric_mirror(n, climb->top.hessian, climb->data.poll);
	for (size_t j = 0; j < n; j++)
	{
		double		left = climb->top.gradient[j] -
			symmetric_dot(n, climb->top.hessian + j * n, climb->step) -
			(j > 0 ? climb->lambda * climb->step[j] : 0);

		greatest = fmax(greatest, fabs(left));
		gain += climb->top.gradient[j] * climb->step[j] / 2;
		squares += j > 0 ? climb->step[j] * (2 * climb->b[j] + climb->step[j]) : 0;
	}
	climb->penalised += gain;
	climb->top.log_likelihood += gain + climb->lambda / 2 * squares;
	climb->max_gradient = greatest +
		climb->data.weight * (DBL_EPSILON + climb->move * climb->move);
	if (!arrived(climb))
		follow_sample(climb);
	for (size_t j = 0; j < n; j++)
		climb->b[j] += climb->step[j];
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
		bool		steps = logistic_find_step(climb);

		if (climb->lambda == 0 && climb->top.margin > TOLD_APART)
			return LOGISTIC_SEPARATED;
		if (climb->lambda == 0 && (!steps || climb->ridge > 0 ||
								   (i % PROOF_STEPS == PROOF_STEPS - 1 && climb->move > PROOF_MOVE)))
		{
			if (proved_separated(climb, i / 2.0))
				return LOGISTIC_SEPARATED;
			logistic_look(climb, climb->b);	/* what the search has overwritten */
			climb->steps--;
			steps = logistic_find_step(climb);
		}
		if (!steps)
			return LOGISTIC_STOPPED;
		if (arrived(climb) || arrived_by_sample(climb) || stuck(climb, move_rms_before))
		{
			if (arrived(climb) || arrived_by_sample(climb))
				last_step(climb);
			return climb->lambda == 0 && climb->ridge > 0 ? LOGISTIC_STOPPED : LOGISTIC_CONVERGED;
		}
		move_rms_before = climb->move_rms;
		if (climb->sample > 0 && climb->move_rms < NEAR_TOP && climb->move_rms > BEND_LEAST ?
			!go_bent(climb) : !logistic_go(climb))
			return LOGISTIC_STOPPED;
	}
	return LOGISTIC_STOPPED;
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

	if (logistic_factor(climb, 0, SOLVABLE) > 0)
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
	dependent = logistic_start(&climb, terms);
	fit->end = climb_up(&climb);
	tell_coefficients(&climb, terms);
	fit->weight = climb.data.weight;
	fit->positive = climb.data.positive;
	fit->log_likelihood_null = logistic_null_likelihood(&climb.data);
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
