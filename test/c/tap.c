/*
 * tap.c
 *	  Assertions that are printed as TAP.
 */
#include "tap.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static int	tap_number = 0;
static int	tap_failed = 0;

long		polls = 0;

void
poll_nothing(void)
{
	polls++;
}

static bool
tap_line(bool passed, const char *format, va_list args)
{
	tap_number++;
	if (!passed)
		tap_failed++;
	printf("%sok %d - ", passed ? "" : "not ", tap_number);
	vprintf(format, args);
	printf("\n");
	return passed;
}

bool
tap_ok(bool passed, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	tap_line(passed, format, args);
	va_end(args);
	return passed;
}

double
tap_error(double got, double expected)
{
	if (got == expected || (isnan(got) && isnan(expected)))
		return 0;
	if (!isfinite(got) || !isfinite(expected))
		return INFINITY;
	return fabs(got - expected) / (expected == 0 ? 1 : fabs(expected));
}

bool
tap_near(double got, double expected, double tolerance, const char *format,...)
{
	double		error = tap_error(got, expected);
	va_list		args;

	va_start(args, format);
	tap_line(error <= tolerance, format, args);
	va_end(args);
	if (error > tolerance)
		printf("# got %.17g, expected %.17g: an error of %.2g, %.2g allowed\n", got, expected, error, tolerance);
	return error <= tolerance;
}

bool
tap_is(int64_t got, int64_t expected, const char *format,...)
{
	va_list		args;

	va_start(args, format);
	tap_line(got == expected, format, args);
	va_end(args);
	if (got != expected)
		printf("# got %lld, expected %lld\n", (long long) got, (long long) expected);
	return got == expected;
}

int
tap_done(void)
{
	printf("1..%d\n", tap_number);
	return tap_failed > 0;
}

/* splitmix64 (Steele, Lea and Flood 2014) */
uint64_t
random_word(uint64_t *state)
{
	uint64_t	z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

double
random_uniform(uint64_t *state)
{
	return ((double) (random_word(state) >> 12) + 0.5) * 0x1p-52;
}

int
random_below(uint64_t *state, int n)
{
	return (int) (random_uniform(state) * n);
}
