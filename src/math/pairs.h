/*
 * pairs.h
 *	  Doubles two at a time: what every processor of our day can do without being
 *	  asked whether it can.
 *
 * The compiler is told, not asked to find out: the same code, and the same bits,
 * whatever its options; where there is no such instruction it takes two.
 *
 * Plain C of GCC and Clang, no PostgreSQL header.
 */
#ifndef RETENTION_PAIRS_H
#define RETENTION_PAIRS_H

/* Two doubles, anywhere in memory. */
typedef double Pair __attribute__((vector_size(16), aligned(8), may_alias));

static inline Pair
pair_at(const double *p)
{
	return *(const Pair *) p;
}

static inline void
pair_put(double *p, Pair value)
{
	*(Pair *) p = value;
}

static inline Pair
pair_of(double x)
{
	return (Pair) {x, x};
}

static inline double
pair_sum(Pair p)
{
	return p[0] + p[1];
}

#endif							/* RETENTION_PAIRS_H */
