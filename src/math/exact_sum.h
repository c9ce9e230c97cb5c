/*
 * exact_sum.h
 *	  Sums of doubles without rounding, in any order.
 *
 * Every double is a whole multiple of 2^-1074 below 2^1024.  The sum is kept as
 * such a whole number, in limbs of 32 bits that lie in 64, so that most
 * additions carry nothing.  Zeroed memory is an empty sum; it holds no pointer
 * and may be copied as bytes.  (Kulisch's long accumulator; Neal 2015, "Fast
 * exact summation using small and large superaccumulators".)
 *
 * Plain C, no PostgreSQL header.
 * Promises: the result is the sum of all numbers, rounded once, to nearest, ties
 * to even: it depends on the numbers alone, not on their order nor on how sums
 * were merged; good for 2^62 numbers.
 * Never: allocates.
 */
#ifndef RETENTION_EXACT_SUM_H
#define RETENTION_EXACT_SUM_H

#include <stdint.h>
#include <string.h>

/* 66 hold any double; two more, the carries of 2^62 of them and the sign */
#define EXACT_SUM_LIMBS		68
#define EXACT_SUM_PENDING	(UINT32_C(1) << 30)

/* What cannot be added, as bits of "special". */
#define EXACT_SUM_NAN		1
#define EXACT_SUM_INFINITY	2
#define EXACT_SUM_MINUS_INFINITY 4

typedef struct ExactSum
{
	int64_t		limb[EXACT_SUM_LIMBS];	/* limb[i] * 2^(32 i - 1074) */
	uint32_t	pending;		/* no limb is beyond so many times 2^32 */
	uint32_t	special;
} ExactSum;

/* NaN if there was one, or infinities of both signs; infinite beyond the largest double. */
extern double exact_sum_value(const ExactSum *sum);

/* Adds another sum, which stays as it is. */
extern void exact_sum_merge(ExactSum *sum, const ExactSum *more);

/* What exact_sum_add() leaves to others. */
extern void exact_sum_carry(ExactSum *sum);
extern void exact_sum_add_special(ExactSum *sum, double value);

static inline void
exact_sum_add(ExactSum *sum, double value)
{
	uint64_t	bits;
	uint64_t	mantissa;
	uint32_t	exponent;
	uint32_t	shift;
	int64_t    *limb;
	int64_t		low;
	int64_t		middle;
	int64_t		high;

	memcpy(&bits, &value, sizeof(bits));
	exponent = (uint32_t) (bits >> 52) & 0x7ff;
	mantissa = bits & UINT64_C(0xfffffffffffff);
	if (exponent == 0x7ff)
	{
		exact_sum_add_special(sum, value);
		return;
	}
	if (exponent > 0)
	{
		mantissa |= UINT64_C(1) << 52;
		exponent--;
	}
	if (sum->pending >= EXACT_SUM_PENDING)
		exact_sum_carry(sum);
	sum->pending++;
	limb = sum->limb + exponent / 32;
	shift = exponent % 32;
	low = (int64_t) (mantissa << shift & UINT32_MAX);
	/* two shifts each: by 64 at once C does not know */
	middle = (int64_t) (mantissa >> (31 - shift) >> 1 & UINT32_MAX);
	high = (int64_t) (mantissa >> (63 - shift) >> 1);
	if (bits >> 63)
	{
		limb[0] -= low;
		limb[1] -= middle;
		limb[2] -= high;
	}
	else
	{
		limb[0] += low;
		limb[1] += middle;
		limb[2] += high;
	}
}

#endif							/* RETENTION_EXACT_SUM_H */
