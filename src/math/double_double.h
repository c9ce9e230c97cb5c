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
#ifndef RETENTION_DOUBLE_DOUBLE_H
#define RETENTION_DOUBLE_DOUBLE_H

#include <math.h>

typedef struct DoubleDouble
{
	double		high;
	double		low;			/* at most half a unit in the last place of high */
} DoubleDouble;

static inline DoubleDouble
double_double(double value)
{
	return (DoubleDouble) {value, 0};
}

/* high + low, |high| >= |low| */
static inline DoubleDouble
double_double_normal(double high, double low)
{
	double		sum = high + low;

	return (DoubleDouble) {sum, low - (sum - high)};
}

static inline DoubleDouble
double_double_add(DoubleDouble a, DoubleDouble b)
{
	double		high = a.high + b.high;
	double		of_b = high - a.high;
	double		rest = (a.high - (high - of_b)) + (b.high - of_b);
	double		low = a.low + b.low;
	double		of_lower = low - a.low;
	double		rest_low = (a.low - (low - of_lower)) + (b.low - of_lower);
	DoubleDouble sum = double_double_normal(high, rest + low);

	return double_double_normal(sum.high, sum.low + rest_low);
}

static inline DoubleDouble
double_double_minus(DoubleDouble a)
{
	return (DoubleDouble) {-a.high, -a.low};
}

static inline DoubleDouble
double_double_subtract(DoubleDouble a, DoubleDouble b)
{
	return double_double_add(a, double_double_minus(b));
}

static inline DoubleDouble
double_double_multiply(DoubleDouble a, DoubleDouble b)
{
	double		high = a.high * b.high;
	double		rest = fma(a.high, b.high, -high);

	return double_double_normal(high, rest + (a.high * b.low + a.low * b.high));
}

static inline DoubleDouble
double_double_divide(DoubleDouble a, DoubleDouble b)
{
	double		first = a.high / b.high;
	DoubleDouble rest = double_double_subtract(a, double_double_multiply(double_double(first), b));
	double		second = rest.high / b.high;

	rest = double_double_subtract(rest, double_double_multiply(double_double(second), b));
	return double_double_add(double_double_normal(first, second), double_double(rest.high / b.high));
}

#endif							/* RETENTION_DOUBLE_DOUBLE_H */
