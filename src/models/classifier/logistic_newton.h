/*
 * logistic_newton.h
 *	  The climb to the top of a likelihood: one step of it (logistic_newton.c), for
 *	  logistic_start.c, which finds where to start, and logistic.c, which climbs.
 *
 * Plain C on doubles, no PostgreSQL header; only for these files.
 */
#ifndef RETENTION_LOGISTIC_NEWTON_H
#define RETENTION_LOGISTIC_NEWTON_H

#include "models/classifier/logistic_rows.h"

/* Of a column's variance, what must be left when earlier columns have had theirs. */
#define INDEPENDENT		1e-11

/* The same, for a step to be trusted. */
#define SOLVABLE		1e-13

/* A move of log-odds, on average, from which the top is in sight. */
#define NEAR_TOP		0.3

typedef struct Newton
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
} Newton;

/* ---------- a step: logistic_newton.c ---------- */

/* What the penalty does to what is known of b. */
extern void logistic_newton_penalise(Newton *newton, const double *b);

/* Everything at b. */
extern void logistic_newton_evaluate(Newton *newton, const double *b);

/* Factors H + lambda I + ridge I; the number of rows that were left out. */
extern int	logistic_newton_factor(Newton *newton, double ridge, double tolerance);

/*
 * Newton's step.  Where the matrix is singular to rounding, of a ridge just large
 * enough: what it holds back is what makes no difference.  False if there is none.
 */
extern bool logistic_newton_find_step(Newton *newton);

/* Goes the step, or as much of it as leads upwards.  False if none does. */
extern bool logistic_newton_line_search(Newton *newton);

/* ---------- where to start: logistic_start.c ---------- */

/* Of the intercept alone. */
extern double logistic_null_likelihood(const LogisticData *data);

/* Finds a start and looks around; true if columns were left out. */
extern bool logistic_start(Newton *newton, LogisticTerm *terms);

#endif							/* RETENTION_LOGISTIC_NEWTON_H */
