/*
 * int128.h
 *	  Whole numbers of 128 bits: sums and differences of products of counts.
 *
 * Two's complement in two words, since not every compiler has such a type.
 * Plain C, no PostgreSQL header.
 * Promises: exact while results are within 127 bits.
 * Never: checks that they are.
 */
#ifndef RETENTION_INT128_H
#define RETENTION_INT128_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Int128
{
	uint64_t	high;
	uint64_t	low;
} Int128;

static inline Int128
int128_product(uint64_t a, uint64_t b)
{
	uint64_t	low = (a & UINT32_MAX) * (b & UINT32_MAX);
	uint64_t	middle = (a >> 32) * (b & UINT32_MAX) + (low >> 32);
	uint64_t	other = (a & UINT32_MAX) * (b >> 32) + (middle & UINT32_MAX);
	Int128		product;

	product.high = (a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32);
	product.low = other << 32 | (low & UINT32_MAX);
	return product;
}

static inline Int128
int128_add(Int128 a, Int128 b)
{
	Int128		sum = {a.high + b.high, a.low + b.low};

	sum.high += sum.low < a.low;
	return sum;
}

static inline Int128
int128_negative(Int128 a)
{
	Int128		negative = {~a.high, ~a.low + 1};

	negative.high += negative.low == 0;
	return negative;
}

static inline bool
int128_is_negative(Int128 a)
{
	return a.high >> 63;
}

static inline bool
int128_less(Int128 a, Int128 b)
{
	uint64_t	sign = UINT64_C(1) << 63;

	return a.high != b.high ? (a.high ^ sign) < (b.high ^ sign) : a.low < b.low;
}

/* The double next to it, but for a second rounding. */
static inline double
int128_double(Int128 a)
{
	if (int128_is_negative(a))
	{
		Int128		positive = int128_negative(a);

		return -(ldexp((double) positive.high, 64) + (double) positive.low);
	}
	return ldexp((double) a.high, 64) + (double) a.low;
}

#endif							/* RETENTION_INT128_H */
