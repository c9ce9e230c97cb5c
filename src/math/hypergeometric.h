/*
 * hypergeometric.h
 *	  Gauss's 2F1(1, b; c; z) and Tricomi's U as the models of purchases meet them.
 *
 * The Pareto/NBD model asks again and again which of two independent waiting
 * times ends first, where P(first > u) = (a / (a + u))^p and P(second > u) =
 * (b / (b + u))^q (Pareto of the second kind; Lomax 1954):
 *
 *	  P(first < second) = integral over u > 0 of p a^p b^q (a + u)^-(p+1) (b + u)^-q
 *						= p / (p + q) 2F1(1, q; p + q + 1; 1 - a / b)
 *
 * Plain C on doubles, no PostgreSQL header.
 * Promises: full precision, relative, for p, q, a, b from 1e-9 to 1e10;
 * nothing is subtracted, so nothing cancels, and no integer is special.
 * Never: allocates.
 */
#ifndef RETENTION_HYPERGEOMETRIC_H
#define RETENTION_HYPERGEOMETRIC_H

#include <stdbool.h>

/* How a race of two waiting times ended, U being when the first one ended. */
typedef struct Race
{
	double		won;			/* P(the first ended first) */

	/* means over those races alone, the derivatives of ln won in other words */
	double		log_first;		/* E[ln((a + U) / a)] */
	double		log_second;		/* E[ln((b + U) / b)] */
	double		part_first;		/* E[U / (a + U)] */
	double		part_second;	/* E[U / (b + U)] */
} Race;

/* As deep as a continued fraction goes while a / b is within these bounds. */
#define RACE_RATIO		64.0
#define RACE_LEVELS		176

/* A continued fraction whose coefficients depend on p and q alone. */
typedef struct RaceFraction
{
	double		p;
	double		q;
	bool		means;			/* besides "won" */
	bool		first_nearer;	/* what is filled in is good for a < b; else for a >= b */
	int			filled;
	double		term[RACE_LEVELS];
	/* derivatives of ln term by the second parameter b of 2F1, and by c - b */
	double		by_upper[RACE_LEVELS];
	double		by_rest[RACE_LEVELS];
} RaceFraction;

extern void race_prepare(RaceFraction *fraction, double p, double q, bool means);

/* However long it takes; cheap for many a, b of the same order of size. */
extern void race_ever(RaceFraction *fraction, double a, double b, Race *race);

/* won: the first ended first, and by t < infinity.  All zero for t = 0. */
extern void race_within(double p, double a, double q, double b, double t, bool means, Race *race);

/*
 * integral over v > 0 of exp(-z v) (1 + v)^-s = z^(s-1) U(s, s, z) = U(1, 2 - s, z)
 * = e^z E_s(z), s > 0, z >= 0; HUGE_VAL where infinite (z = 0, s <= 1)
 */
extern double tricomi_u(double s, double z);

#endif							/* RETENTION_HYPERGEOMETRIC_H */
