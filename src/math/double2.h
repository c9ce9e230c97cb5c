/*
 * double2.h
 *	  Doubles two at a time: what every processor of our day can do without being
 *	  asked whether it can.
 *
 * The compiler is told, not asked to find out: the same code, and the same bits,
 * whatever its options; where there is no such instruction it takes two.
 *
 * Plain C of GCC and Clang, no PostgreSQL header.
 */
#ifndef RETENTION_DOUBLE2_H
#define RETENTION_DOUBLE2_H

#include <math.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Two doubles, anywhere in memory. */
typedef double Pair __attribute__((vector_size(16), aligned(8), may_alias));

/* What a comparison of pairs is: all bits, or none, of each. */
typedef long long PairMask __attribute__((vector_size(16)));

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

/* a where the mask is set, else b */
static inline Pair
pair_choose(PairMask mask, Pair a, Pair b)
{
	return (Pair) ((mask & (PairMask) a) | (~mask & (PairMask) b));
}

/* a where the mask is set, else 0 */
static inline Pair
pair_where(PairMask mask, Pair a)
{
	return (Pair) (mask & (PairMask) a);
}

static inline Pair
pair_abs(Pair a)
{
	return (Pair) ((PairMask) a & ~(PairMask) pair_of(-0.0));
}

/* a if it is more, else b */
static inline Pair
pair_max(Pair a, Pair b)
{
#ifdef __SSE2__
	return (Pair) _mm_max_pd((__m128d) a, (__m128d) b);
#else
	return pair_choose(a > b, a, b);
#endif
}

/* a if it is less, else b */
static inline Pair
pair_min(Pair a, Pair b)
{
#ifdef __SSE2__
	return (Pair) _mm_min_pd((__m128d) a, (__m128d) b);
#else
	return pair_choose(a < b, a, b);
#endif
}

static inline Pair
pair_root(Pair a)
{
#ifdef __SSE2__
	return (Pair) _mm_sqrt_pd((__m128d) a);
#else
	return (Pair) {sqrt(a[0]), sqrt(a[1])};
#endif
}

#endif							/* RETENTION_DOUBLE2_H */
