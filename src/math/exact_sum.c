/*
 * exact_sum.c
 *	  Sums of doubles without rounding, in any order.
 *
 * Promises: see exact_sum.h.
 */
#include "math/exact_sum.h"

#include <math.h>

#define LAST (EXACT_SUM_LIMBS - 1)

/* Every limb but the last to 0 .. 2^32 - 1; the last has the sign. */
void
exact_sum_carry(ExactSum *sum)
{
	for (int i = 0; i < LAST; i++)
	{
		int64_t		low = sum->limb[i] & UINT32_MAX;

		sum->limb[i + 1] += (sum->limb[i] - low) / (INT64_C(1) << 32);
		sum->limb[i] = low;
	}
	sum->pending = 1;
}

void
exact_sum_add_special(ExactSum *sum, double value)
{
	if (isnan(value))
		sum->special |= EXACT_SUM_NAN;
	else
		sum->special |= value > 0 ? EXACT_SUM_INFINITY : EXACT_SUM_MINUS_INFINITY;
}

void
exact_sum_merge(ExactSum *sum, const ExactSum *more)
{
	ExactSum	carried;

	if (sum->pending >= EXACT_SUM_PENDING / 2)
		exact_sum_carry(sum);
	if (more->pending >= EXACT_SUM_PENDING / 2)
	{
		carried = *more;
		exact_sum_carry(&carried);
		more = &carried;
	}
	for (int i = 0; i < EXACT_SUM_LIMBS; i++)
		sum->limb[i] += more->limb[i];
	sum->pending += more->pending;
	sum->special |= more->special;
}

/* The 64 leading bits of a positive whole number, and whether others follow. */
static uint64_t
leading_bits(const int64_t *limb, int top, int width, int *sticky)
{
	uint64_t	below = top >= 1 ? (uint64_t) limb[top - 1] : 0;
	uint64_t	last = top >= 2 ? (uint64_t) limb[top - 2] : 0;
	uint64_t	bits = ((uint64_t) limb[top] << 32 | below) << (32 - width) | last >> width;

	*sticky = (last & ((UINT64_C(1) << width) - 1)) != 0;
	for (int i = top - 3; i >= 0 && !*sticky; i--)
		*sticky = limb[i] != 0;
	return bits;
}

double
exact_sum_value(const ExactSum *sum)
{
	ExactSum	whole = *sum;
	uint64_t	bits;
	uint64_t	mantissa;
	uint64_t	rest;
	int			negative;
	int			sticky;
	int			top = LAST;
	int			width = 0;

	if ((sum->special & EXACT_SUM_NAN) ||
		(sum->special & (EXACT_SUM_INFINITY | EXACT_SUM_MINUS_INFINITY)) ==
		(EXACT_SUM_INFINITY | EXACT_SUM_MINUS_INFINITY))
		return NAN;
	if (sum->special != 0)
		return sum->special & EXACT_SUM_INFINITY ? HUGE_VAL : -HUGE_VAL;

	exact_sum_carry(&whole);
	negative = whole.limb[LAST] < 0;
	if (negative)
	{
		for (int i = 0; i < EXACT_SUM_LIMBS; i++)
			whole.limb[i] = -whole.limb[i];
		exact_sum_carry(&whole);
	}
	while (top > 0 && whole.limb[top] == 0)
		top--;
	if (whole.limb[top] == 0)
		return 0;
	/* what is beyond the last limb is beyond the largest double too */
	if (whole.limb[top] > UINT32_MAX)
		return negative ? -HUGE_VAL : HUGE_VAL;
	while (whole.limb[top] >> width != 0)
		width++;

	bits = leading_bits(whole.limb, top, width, &sticky);
	mantissa = bits >> 11;
	rest = bits & 0x7ff;
	if (rest > 0x400 || (rest == 0x400 && (sticky || (mantissa & 1))))
		mantissa++;
	return (negative ? -1 : 1) * ldexp((double) mantissa, 32 * top + width - 53 - 1074);
}
