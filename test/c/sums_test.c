/*
 * sums_test.c
 *	  Exact sums, whole numbers of 128 bits, doubles of twice the precision, pairs of
 *	  doubles, and sorting: against the compiler's own 128 bits and the C library.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/double2.h"
#include "math/double_double.h"
#include "math/exact_sum.h"
#include "math/int128.h"
#include "math/radix_sort.h"
#include "tap.h"

#ifdef __SIZEOF_INT128__
typedef __int128 Whole;
#endif

static double
sum_of(const double *values, size_t n)
{
	ExactSum	sum = {.pending = 0};

	for (size_t i = 0; i < n; i++)
		exact_sum_add(&sum, values[i]);
	return exact_sum_value(&sum);
}

static void
exact_by_hand(void)
{
	static const struct
	{
		const char *what;
		double		values[6];
		double		expected;
	}			rows[] = {
		{"nothing", {0}, 0},
		{"what cancels leaves the rest", {1e308, 1, -1e308, 0x1p-1074, 0, 0}, 1},
		{"the smallest double is not lost", {1e300, 0x1p-1074, -1e300}, 0x1p-1074},
		{"sums of subnormals", {0x1p-1074, 0x1p-1074, 0x1p-1074}, 0x3p-1074},
		{"half a unit goes to even: down", {1, 0x1p-53}, 1},
		{"half a unit goes to even: up", {0x1.0000000000001p0, 0x1p-53}, 0x1.0000000000002p0},
		{"a little more than half goes up", {1, 0x1p-53, 0x1p-1074}, 0x1.0000000000001p0},
		{"and down, where it is negative", {-1, -0x1p-53, -0x1p-1074}, -0x1.0000000000001p0},
		{"beyond the largest double and back", {DBL_MAX, DBL_MAX, -DBL_MAX}, DBL_MAX},
		{"beyond the largest double", {DBL_MAX, DBL_MAX}, HUGE_VAL},
		{"below the least", {-DBL_MAX, -DBL_MAX}, -HUGE_VAL},
		{"less than half a unit beyond the largest", {DBL_MAX, 0x1p969}, DBL_MAX},
		{"half a unit beyond it", {DBL_MAX, 0x1p970}, HUGE_VAL},
		{"infinity", {1, HUGE_VAL}, HUGE_VAL},
		{"both infinities", {-HUGE_VAL, HUGE_VAL}, NAN},
		{"not a number", {NAN, 1}, NAN},
		{"a carry through all limbs", {0x1p1000, -0x1p-1000, -0x1p1000, 0x1p-1000, -0x1p-1074}, -0x1p-1074},
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
		tap_near(sum_of(rows[i].values, 6), rows[i].expected, 0, "exact sum: %s", rows[i].what);
}

/* Numbers within 100 bits of each other, whose sum the compiler knows. */
static void
exact_random(void)
{
#ifdef __SIZEOF_INT128__
	uint64_t	seed = 5;
	int			wrong = 0;
	int			by_order = 0;

	for (int round = 0; round < 400; round++)
	{
		enum
		{
			N = 300
		};
		double		values[N];
		Whole		whole = 0;
		ExactSum	parts[3] = {{.pending = 0}};
		int			scale = random_below(&seed, 1900) - 1000;
		int			bits = 1 + random_below(&seed, 53);
		int			spread = 1 + random_below(&seed, 60);

		for (int i = 0; i < N; i++)
		{
			int64_t		mantissa = (int64_t) (random_word(&seed) >> 11 >> (53 - bits));
			int			shift = random_below(&seed, spread);

			if (random_word(&seed) & 1)
				mantissa = -mantissa;
			whole += (Whole) mantissa * ((Whole) 1 << shift);
			values[i] = ldexp((double) mantissa, shift + scale);
			exact_sum_add(&parts[random_below(&seed, 3)], values[i]);
		}
		exact_sum_merge(&parts[0], &parts[1]);
		exact_sum_merge(&parts[2], &parts[0]);
		/* the conversion of whole numbers rounds once, to nearest, ties to even */
		wrong += sum_of(values, N) != ldexp((double) whole, scale);
		by_order += sum_of(values, N) != exact_sum_value(&parts[2]);
	}
	tap_is(wrong, 0, "400 sums of 300 numbers are rounded once");
	tap_is(by_order, 0, "the same in three parts, merged in another order");
#endif
}

/* So many additions that carries have to be made. */
static void
exact_many(void)
{
	ExactSum	sum = {.pending = 0};
	ExactSum	twice;

	for (int i = 0; i < 1000; i++)
		exact_sum_add(&sum, 0.1);
	for (int i = 0; i < 40; i++)
	{
		twice = sum;
		exact_sum_merge(&sum, &twice);
	}
	tap_near(exact_sum_value(&sum), ldexp(0.1, 40) * 1000, DBL_EPSILON, "2^40 * 1000 times 0.1, by doubling");
	sum.pending = EXACT_SUM_PENDING;
	exact_sum_add(&sum, -exact_sum_value(&sum));
	tap_ok(fabs(exact_sum_value(&sum)) < 1e15 * DBL_EPSILON, "carried over when it is time");
}

static void
whole_numbers(void)
{
#ifdef __SIZEOF_INT128__
	uint64_t	seed = 17;
	int			wrong = 0;

	for (int i = 0; i < 20000; i++)
	{
		uint64_t	a = random_word(&seed) >> random_below(&seed, 64);
		uint64_t	b = random_word(&seed) >> random_below(&seed, 64) >> 1;
		uint64_t	c = random_word(&seed) >> random_below(&seed, 64);
		uint64_t	d = random_word(&seed) >> random_below(&seed, 64) >> 1;
		unsigned __int128 ab = (unsigned __int128) a * b;
		Whole		difference = (Whole) ab - (Whole) ((unsigned __int128) c * d);
		Int128		got = int128_add(int128_product(a, b), int128_negative(int128_product(c, d)));

		wrong += got.high != (uint64_t) ((unsigned __int128) difference >> 64) || got.low != (uint64_t) difference;
		wrong += int128_is_negative(got) != (difference < 0);
		wrong += int128_less(int128_product(c, d), int128_product(a, b)) != (difference > 0);
		wrong += tap_error(int128_double(got), (double) difference) > DBL_EPSILON;
	}
	tap_is(wrong, 0, "products, sums, order and conversion of 20000 numbers of 128 bits");
#endif
}

static void
twice_precision(void)
{
#ifdef __SIZEOF_INT128__
	uint64_t	seed = 23;
	int			wrong = 0;
	double		worst = 0;

	for (int i = 0; i < 20000; i++)
	{
		int64_t		a = (int64_t) (random_word(&seed) >> 11);
		int64_t		b = (int64_t) (random_word(&seed) >> 11) + 1;
		DoubleDouble product = double_double_multiply(double_double((double) a), double_double((double) b));
		DoubleDouble sum = double_double_add(product, double_double_minus(double_double((double) a)));
		DoubleDouble quotient = double_double_divide(product, sum);
		DoubleDouble back = double_double_subtract(double_double_multiply(quotient, sum), product);

		wrong += (Whole) product.high + (Whole) product.low != (Whole) a * b;
		wrong += (Whole) sum.high + (Whole) sum.low != (Whole) a * b - a;
		worst = fmax(worst, fabs(back.high) / product.high);
	}
	tap_is(wrong, 0, "products and sums of whole numbers of 53 bits are exact");
	tap_ok(worst < 1e-30, "what is divided and multiplied again is the same to %.1e", worst);
#endif
	/* 1/3 to 32 digits */
	{
		DoubleDouble third = double_double_divide(double_double(1), double_double(3));

		tap_ok(third.high == 1.0 / 3 && fabs(third.low - 1.8503717077085941e-17) < 1e-32, "1/3 in two doubles");
	}
}

static void
double2(void)
{
	uint64_t	seed = 29;
	int			wrong = 0;

	for (int i = 0; i < 5000; i++)
	{
		double		a[3];
		double		b[3];
		double		got[3];

		for (int k = 0; k < 3; k++)
		{
			a[k] = random_uniform(&seed) - 0.5;
			b[k] = random_below(&seed, 4) == 0 ? a[k] : random_uniform(&seed) - 0.5;
		}
		/* anywhere in memory */
		for (int at = 0; at < 2; at++)
		{
			Pair		x = pair_at(a + at);
			Pair		y = pair_at(b + at);

			for (int k = 0; k < 2; k++)
			{
				double		u = a[at + k];
				double		v = b[at + k];

				wrong += pair_max(x, y)[k] != fmax(u, v) || pair_min(x, y)[k] != fmin(u, v);
				wrong += pair_abs(x)[k] != fabs(u) || pair_root(pair_abs(x))[k] != sqrt(fabs(u));
				wrong += pair_choose(x < y, x, y)[k] != (u < v ? u : v);
				wrong += pair_where(x < y, x)[k] != (u < v ? u : 0);
			}
			wrong += pair_sum(x * pair_of(2)) != a[at] * 2 + a[at + 1] * 2;
			pair_put(got + at, y);
			wrong += memcmp(got + at, b + at, 2 * sizeof(double)) != 0;
		}
	}
	tap_is(wrong, 0, "pairs of doubles do what doubles do");
}

static int
compare_words(const void *a, const void *b)
{
	uint64_t	x = *(const uint64_t *) a;
	uint64_t	y = *(const uint64_t *) b;

	return (x > y) - (x < y);
}

static int
compare_pairs(const void *a, const void *b)
{
	int			first = compare_words(a, b);

	return first ? first : compare_words((const uint64_t *) a + 1, (const uint64_t *) b + 1);
}

static void
radix_sort(void)
{
	static const size_t sizes[] = {0, 1, 2, 3, 7, 64, 255, 1000, 40000};
	uint64_t	seed = 31;

	for (size_t s = 0; s < LENGTH(sizes); s++)
		for (int kind = 0; kind < 5; kind++)
		{
			size_t		n = sizes[s];

			/* exactly as much as is promised to be enough: one more would be seen */
			uint64_t   *pairs = malloc(2 * n * sizeof(uint64_t) + 1);
			uint64_t   *sorted = malloc(2 * n * sizeof(uint64_t) + 1);
			uint64_t   *scratch = malloc(2 * n * sizeof(uint64_t) + 1);
			static const char *const kinds[] = {"random", "few distinct", "in order", "in reverse", "of one byte"};

			for (size_t i = 0; i < 2 * n; i++)
			{
				uint64_t	word = random_word(&seed);

				pairs[i] = kind == 0 ? word :
					kind == 1 ? word % 5 << 40 :
					kind == 2 ? i :
					kind == 3 ? n * 2 - i :
					(word & 0xff) << 24 | UINT64_C(0x7700000000000000);
			}
			memcpy(sorted, pairs, 2 * n * sizeof(uint64_t));
			qsort(sorted, n, 2 * sizeof(uint64_t), compare_pairs);
			radix_sort_pairs(pairs, scratch, n, poll_nothing);
			tap_ok(memcmp(pairs, sorted, 2 * n * sizeof(uint64_t)) == 0, "%d pairs, %s", (int) n, kinds[kind]);
			qsort(sorted, 2 * n, sizeof(uint64_t), compare_words);
			radix_sort_words(pairs, scratch, 2 * n, poll_nothing);
			tap_ok(memcmp(pairs, sorted, 2 * n * sizeof(uint64_t)) == 0, "%d words, %s", (int) (2 * n), kinds[kind]);
			free(pairs);
			free(sorted);
			free(scratch);
		}
}

int
main(void)
{
	exact_by_hand();
	exact_random();
	exact_many();
	whole_numbers();
	twice_precision();
	double2();
	radix_sort();
	return tap_done();
}
