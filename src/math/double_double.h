/*
 * double_double.h
 *	  Numbers of twice the precision of a double, as sums of two.
 *
 * Plain C, no PostgreSQL header.  For sums in which large terms cancel; about 31
 * digits, the range of doubles.  Dekker (1971, Numerische Mathematik 18:224-242)
 * with the fused multiplication of C99.
 *
 * Promises: relative errors of some 2^-102 a step, as long as nothing overflows or
 * comes near the smallest doubles.
 * Never: allocates.
 */
#ifndef RETENTION_TWOFOLD_H
#define RETENTION_TWOFOLD_H

#include <math.h>

typedef struct Twofold
{
	double		high;
	double		low;			/* at most half a unit in the last place of high */
} Twofold;

static inline Twofold
twofold(double value)
{
	return (Twofold) {value, 0};
}

/* high + low, |high| >= |low| */
static inline Twofold
twofold_normal(double high, double low)
{
	double		sum = high + low;

	return (Twofold) {sum, low - (sum - high)};
}

static inline Twofold
twofold_add(Twofold a, Twofold b)
{
	double		high = a.high + b.high;
	double		of_b = high - a.high;
	double		rest = (a.high - (high - of_b)) + (b.high - of_b);
	double		low = a.low + b.low;
	double		of_lower = low - a.low;
	double		rest_low = (a.low - (low - of_lower)) + (b.low - of_lower);
	Twofold		sum = twofold_normal(high, rest + low);

	return twofold_normal(sum.high, sum.low + rest_low);
}

static inline Twofold
twofold_minus(Twofold a)
{
	return (Twofold) {-a.high, -a.low};
}

static inline Twofold
twofold_subtract(Twofold a, Twofold b)
{
	return twofold_add(a, twofold_minus(b));
}

static inline Twofold
twofold_multiply(Twofold a, Twofold b)
{
	double		high = a.high * b.high;
	double		rest = fma(a.high, b.high, -high);

	return twofold_normal(high, rest + (a.high * b.low + a.low * b.high));
}

static inline Twofold
twofold_divide(Twofold a, Twofold b)
{
	double		first = a.high / b.high;
	Twofold		rest = twofold_subtract(a, twofold_multiply(twofold(first), b));
	double		second = rest.high / b.high;

	rest = twofold_subtract(rest, twofold_multiply(twofold(second), b));
	return twofold_add(twofold_normal(first, second), twofold(rest.high / b.high));
}

#endif							/* RETENTION_TWOFOLD_H */
