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

/* The top is one step away if that moves log-odds by so little, at most and on average. */
#define STEP_TOLERANCE			1e-8
#define STEP_TOLERANCE_RMS		2e-11

/* The same, where so large a sample tells what the step does to second derivatives. */
#define STEP_TOLERANCE_SAMPLED_RMS 2e-9
#define STEP_TOLERANCE_SAMPLE	16384

/* Or nothing gets better, this near to it. */
#define NEAR_RMS		1e-6
#define NEAR			1e-2

/* All outcomes are told apart by so much. */
#define SEPARATION_MARGIN		1e-6

/* So often, while steps move log-odds by so much, proof is sought that there is no top. */
#define PROOF_STEPS		4
#define PROOF_MOVE		0.5

#define STEPS			200

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

/* ---------- the climb ---------- */

/*
 * The step bent by what the sample knows of third derivatives and beyond: what is
 * left to go becomes so much less that passes over all rows are saved.  (Jordan,
 * Lee and Yang 2019, with second derivatives of all rows.)  The bend is that of
 * the bent step, so it is found in a few rounds.  False if it is long beside the
 * step: columns that hardly differ may make the sample know nothing of the kind.
 */
static bool
third_order_correction_step(Newton *newton, double gain)
{
	int			n = newton->n;
	double		times = newton->data.weight / newton->sample_weight;
	double	   *step = newton->work;
	double	   *pull = step + n;	/* off the top, of the sample; and before */
	double	   *pull_before = pull + n;
	double	   *third = pull_before + n;

	memcpy(step, newton->step, sizeof(double) * n);
	memset(pull_before, 0, sizeof(double) * n);
	for (int i = 0; i < BENDS; i++)
	{
		double		length = 0;
		double		change = 0;

		logistic_newton_third_order(&newton->data, newton->sample, newton->b, step, pull);
		memcpy(third, pull, sizeof(double) * n);
		cholesky_solve(n, newton->factor, third);
		for (int j = 0; j < n; j++)
		{
			double		bent = newton->step[j] + times * third[j];

			length += times * pull[j] * times * third[j];
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
		newton->trial[j] = newton->b[j] + step[j];
	return true;
}

/*
 * Goes the bent step.  One that is too long, or does not lead up by a good part
 * of what Newton's step promises, is the last: Newton's own is gone then.
 */
static bool
go_bent(Newton *newton)
{
	double		before = newton->penalised;
	double		gain = newton->move_rms * newton->move_rms * newton->top.hessian[0];

	if (third_order_correction_step(newton, gain))
	{
		logistic_newton_evaluate(newton, newton->trial);
		if (newton->penalised >= before + gain / 4)
		{
			memcpy(newton->b, newton->trial, sizeof(double) * newton->n);
			return true;
		}
		newton->penalised = before;
	}
	newton->sample = 0;
	return logistic_newton_line_search(newton);
}

/* What is left to go is next to nothing. */
static bool
arrived(const Newton *newton)
{
	return newton->move <= STEP_TOLERANCE && newton->move_rms <= STEP_TOLERANCE_RMS;
}

/* It is so little that a sample knows enough of it. */
static bool
arrived_by_sample(const Newton *newton)
{
	return newton->sample >= STEP_TOLERANCE_SAMPLE && newton->move <= STEP_TOLERANCE &&
		newton->move_rms <= STEP_TOLERANCE_SAMPLED_RMS;
}

/* It is little, and steps do not make it less: rounding. */
static bool
stuck(const Newton *newton, double move_rms_before)
{
	return newton->move <= NEAR && newton->move_rms <= NEAR_RMS &&
		newton->move_rms > move_rms_before / 4;
}

/* Second derivatives at b + step, as far as the sample tells how they differ from those at b. */
static void
follow_sample(Newton *newton)
{
	size_t		n = newton->n;
	double		times = newton->data.weight / newton->sample_weight;
	LogisticTop sample = {.gradient = newton->work, .hessian = newton->factor};

	for (int after = 0; after < 2; after++)
	{
		for (size_t j = 0; j < n; j++)
			newton->trial[j] = newton->b[j] + after * newton->step[j];
		logistic_evaluate(&newton->data, newton->sample, newton->trial, false, &sample);
		for (size_t i = 0; i < n; i++)
			for (size_t j = 0; j <= i; j++)
				newton->top.hessian[i * n + j] += (after ? times : -times) *
					sample.hessian[i * n + j];
	}
}

/*
 * The step that needs no look at all rows: the gradient there is what the second
 * derivatives leave of it, but for the square of the move, and rounding.
 */
static void
last_step(Newton *newton)
{
	size_t		n = newton->n;
	double		greatest = 0;
	double		gain = 0;
	double		squares = 0;	/* by how much more of them b has */

	cholesky_mirror(n, newton->top.hessian, newton->data.poll);
	for (size_t j = 0; j < n; j++)
	{
		double		left = newton->top.gradient[j] -
		cholesky_dot(n, newton->top.hessian + j * n, newton->step) -
		(j > 0 ? newton->lambda * newton->step[j] : 0);

		greatest = fmax(greatest, fabs(left));
		gain += newton->top.gradient[j] * newton->step[j] / 2;
		squares += j > 0 ? newton->step[j] * (2 * newton->b[j] + newton->step[j]) : 0;
	}
	newton->penalised += gain;
	newton->top.log_likelihood += gain + newton->lambda / 2 * squares;
	newton->max_gradient = greatest +
		newton->data.weight * (DBL_EPSILON + newton->move * newton->move);
	if (!arrived(newton))
		follow_sample(newton);
	for (size_t j = 0; j < n; j++)
		newton->b[j] += newton->step[j];
}

/*
 * The part of b that lies in the directions in which rows with these products
 * stand still: as b has it where a column is free, the rest to make up for it.
 * Returns how many columns are free.
 */
static int
free_part(Newton *newton, double *products, double *d)
{
	size_t		n = newton->n;
	int			free;

	memcpy(newton->factor, products, sizeof(double) * n * n);
	free = cholesky_factor(n, newton->factor, INDEPENDENT, newton->work, newton->data.poll);
	cholesky_mirror(n, products, newton->data.poll);
	for (size_t i = 0; i < n; i++)
	{
		d[i] = 0;
		for (size_t j = 0; j < n; j++)
			if (newton->factor[j * n + j] == 0)
				d[i] -= products[i * n + j] * newton->b[j];
	}
	cholesky_solve(n, newton->factor, d);
	for (size_t j = 0; j < n; j++)
		if (newton->factor[j * n + j] == 0)
			d[j] = newton->b[j];
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
proved_separated(Newton *newton, double margin)
{
	double	   *products = newton->top.hessian;
	double	   *d = newton->step;
	int			free = newton->n + 1;

	memset(products, 0, sizeof(double) * newton->n * newton->n);
	logistic_undecided(&newton->data, newton->b, margin, products);
	for (;;)
	{
		int			before = free;

		free = free_part(newton, products, d);
		if (free == 0 || free >= before)
			return false;
		if (logistic_separates(&newton->data, d))
			return true;
		logistic_undecided(&newton->data, d, 0, products);
	}
}

/* From b, of which everything is known. */
static LogisticEnd
newton_up(Newton *newton)
{
	double		move_rms_before = DBL_MAX;

	for (int i = 0; i < STEPS; i++)
	{
		bool		steps = logistic_newton_find_step(newton);

		if (newton->lambda == 0 && newton->top.margin > SEPARATION_MARGIN)
			return LOGISTIC_SEPARATED;
		if (newton->lambda == 0 && (!steps || newton->ridge > 0 ||
									(i % PROOF_STEPS == PROOF_STEPS - 1 && newton->move > PROOF_MOVE)))
		{
			if (proved_separated(newton, i / 2.0))
				return LOGISTIC_SEPARATED;
			logistic_newton_evaluate(newton, newton->b);	/* what the search has overwritten */
			newton->steps--;
			steps = logistic_newton_find_step(newton);
		}
		if (!steps)
			return LOGISTIC_STOPPED;
		if (arrived(newton) || arrived_by_sample(newton) || stuck(newton, move_rms_before))
		{
			if (arrived(newton) || arrived_by_sample(newton))
				last_step(newton);
			return newton->lambda == 0 && newton->ridge > 0 ? LOGISTIC_STOPPED : LOGISTIC_CONVERGED;
		}
		move_rms_before = newton->move_rms;
		if (newton->sample > 0 && newton->move_rms < NEAR_TOP && newton->move_rms > BEND_LEAST ?
			!go_bent(newton) : !logistic_newton_line_search(newton))
			return LOGISTIC_STOPPED;
	}
	return LOGISTIC_STOPPED;
}

/* ---------- what is told of the top ---------- */

/* Standard errors, where H + lambda I has an inverse. */
static void
tell_errors(Newton *newton, LogisticTerm *terms, LogisticFit *fit)
{
	size_t		n = newton->n;
	double	   *v = newton->factor;
	double	   *h = newton->top.hessian;
	double	   *sandwich = newton->trial;
	double	   *to_raw = newton->step;	/* of the intercept: 1, - mean / sd */
	double	   *spread = newton->work;
	LogisticTerm *intercept = &terms[newton->data.rows->columns];
	double		variance = 0;
	double		robust = 0;

	if (logistic_newton_factor(newton, 0, SOLVABLE) > 0)
		return;
	cholesky_inverse(n, v, newton->work, newton->data.poll);
	cholesky_mirror(n, h, newton->data.poll);
	cholesky_sandwich(n, v, h, sandwich, newton->data.poll);
	fit->edf = 0;
	to_raw[0] = 1;
	for (size_t j = 0; j < n; j++)
		fit->edf += cholesky_dot(n, h + j * n, v + j * n);
	for (size_t j = 1; j < n; j++)
	{
		LogisticTerm *term = &terms[newton->data.columns[j - 1].source];

		term->se = sqrt(v[j * n + j]) / term->sd;
		term->se_sandwich = sqrt(sandwich[j]) / term->sd;
		to_raw[j] = -term->mean / term->sd;
	}
	for (size_t j = 0; j < n; j++)
	{
		spread[j] = cholesky_dot(n, v + j * n, to_raw);
		variance += spread[j] * to_raw[j];
	}
	for (size_t j = 0; j < n; j++)
		robust += cholesky_dot(n, h + j * n, spread) * spread[j];
	intercept->se = sqrt(variance);
	intercept->se_sandwich = sqrt(robust);
}

static void
tell_coefficients(const Newton *newton, LogisticTerm *terms)
{
	LogisticTerm *intercept = &terms[newton->data.rows->columns];
	double		raw = newton->b[0];

	for (int j = 1; j < newton->n; j++)
	{
		LogisticTerm *term = &terms[newton->data.columns[j - 1].source];

		term->coef_std = newton->b[j];
		term->coef = newton->b[j] / term->sd;
		raw -= term->coef * term->mean;
	}
	intercept->coef_std = newton->b[0];
	intercept->coef = raw;
}

static void
open_newton(Newton *newton, const RowSource *rows, double lambda)
{
	size_t		n = (size_t) rows->columns + 1;

	*newton = (Newton) {.rows = rows->n, .lambda = lambda};
	logistic_data_open(&newton->data, rows);
	newton->b = rows->alloc(rows->arg, sizeof(double) * n * (4 + SYMMETRIC_WORK));
	newton->step = newton->b + n;
	newton->trial = newton->step + n;
	newton->top.gradient = newton->trial + n;
	newton->work = newton->top.gradient + n;
	newton->factor = rows->alloc(rows->arg, sizeof(double) * n * n);
	newton->top.hessian = rows->alloc(rows->arg, sizeof(double) * n * n);
}

static void
close_newton(Newton *newton)
{
	const RowSource *rows = newton->data.rows;

	rows->release(rows->arg, newton->top.hessian);
	rows->release(rows->arg, newton->factor);
	rows->release(rows->arg, newton->b);
	logistic_data_close(&newton->data);
}

void
logistic_fit(const RowSource *rows, double lambda, LogisticTerm *terms, LogisticFit *fit)
{
	Newton		newton;
	bool		dependent;

	for (int j = 0; j <= rows->columns; j++)
		terms[j] = (LogisticTerm) {.sd = 1, .se = NAN, .se_sandwich = NAN};
	open_newton(&newton, rows, lambda);
	dependent = logistic_start(&newton, terms);
	fit->end = newton_up(&newton);
	tell_coefficients(&newton, terms);
	fit->weight = newton.data.weight;
	fit->positive = newton.data.positive;
	fit->log_likelihood_null = logistic_null_likelihood(&newton.data);
	fit->log_likelihood = newton.top.log_likelihood;
	fit->penalised = newton.penalised;
	fit->edf = newton.n;
	fit->max_gradient = newton.max_gradient;
	fit->iterations = newton.steps;
	if (fit->end != LOGISTIC_SEPARATED)
		tell_errors(&newton, terms, fit);
	if (dependent && fit->end != LOGISTIC_STOPPED)
		fit->end = LOGISTIC_DEPENDENT;
	close_newton(&newton);
}
