/*
 * logistic_newton.c
 *	  One step of Newton's method towards the top of a likelihood.
 *
 * Plain C on doubles, no PostgreSQL header.
 * Promises: a step that was gone leads up, but for rounding.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "models/classifier/logistic_newton.h"

/* What is added where a step is not to be trusted. */
#define RIDGE			1e-10

#define HALVINGS		60

void
logistic_newton_penalise(Newton *newton, const double *b)
{
	double		squares = 0;

	for (int j = 1; j < newton->n; j++)
	{
		squares += b[j] * b[j];
		newton->top.gradient[j] -= newton->lambda * b[j];
	}
	newton->penalised = newton->top.log_likelihood - newton->lambda / 2 * squares;
	newton->max_gradient = 0;
	for (int j = 0; j < newton->n; j++)
		newton->max_gradient = fmax(newton->max_gradient, fabs(newton->top.gradient[j]));
}

void
logistic_newton_evaluate(Newton *newton, const double *b)
{
	logistic_evaluate(&newton->data, newton->rows, b, false, &newton->top);
	logistic_newton_penalise(newton, b);
	if (newton->rows == newton->data.rows->n)
		newton->steps++;
}

int
logistic_newton_factor(Newton *newton, double ridge, double tolerance)
{
	size_t		n = newton->n;

	memcpy(newton->factor, newton->top.hessian, sizeof(double) * n * n);
	for (size_t j = 0; j < n; j++)
		newton->factor[j * n + j] += ridge + (j > 0 ? newton->lambda : 0);
	return cholesky_factor(n, newton->factor, fmax(tolerance, 4 * n * DBL_EPSILON), newton->work,
						   newton->data.poll);
}

bool
logistic_newton_find_step(Newton *newton)
{
	size_t		n = newton->n;
	double		greatest = 0;
	double		ridge = 0;
	double		gain = 0;
	double		weight = newton->top.hessian[0];

	for (size_t j = 0; j < n; j++)
		greatest = fmax(greatest, newton->top.hessian[j * n + j] + (j > 0 ? newton->lambda : 0));
	while (logistic_newton_factor(newton, ridge, SOLVABLE) > 0)
	{
		ridge = ridge > 0 ? ridge * 100 : RIDGE * greatest;
		if (!(ridge > 0 && ridge < greatest))
			return false;
	}
	newton->ridge = ridge;
	memcpy(newton->step, newton->top.gradient, sizeof(double) * n);
	cholesky_solve(n, newton->factor, newton->step);

	newton->move = fabs(newton->step[0]);
	for (size_t j = 0; j < n; j++)
	{
		gain += newton->top.gradient[j] * newton->step[j];
		if (j > 0)
			newton->move += fabs(newton->step[j]) * newton->data.columns[j - 1].reach;
	}
	newton->move_rms = weight > 0 ? sqrt(fmax(gain, 0) / weight) : DBL_MAX;
	return isfinite(newton->move);
}

bool
logistic_newton_line_search(Newton *newton)
{
	double		before = newton->penalised;
	double		length = 1;

	for (int i = 0; i < HALVINGS; i++, length /= 2)
	{
		for (int j = 0; j < newton->n; j++)
			newton->trial[j] = newton->b[j] + length * newton->step[j];
		logistic_newton_evaluate(newton, newton->trial);
		if (newton->penalised >= before - 1e-12 * fabs(before))
		{
			memcpy(newton->b, newton->trial, sizeof(double) * newton->n);
			return true;
		}
	}
	return false;
}
