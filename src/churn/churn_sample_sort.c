/*
 * churn_sample_sort.c
 *	  The order in which the rows of a sample are fitted: one that depends on what
 *	  they say, not on how they came.
 *
 * Floating-point sums depend on their order; so do samples of the first rows.
 * Rows are ordered by 32 bits of a hash, and those that share them are compared:
 * equal rows become one that counts for all of them.
 *
 * Promises: memory is 4 bytes a row, 8 where rows are equal, and while sorting
 * 16 for each row of the largest bucket; can be cancelled.
 * Never: moves a row.
 */
#include "churn/churn_sample_rows.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#define POLL		0x3fff		/* CHECK_FOR_INTERRUPTS() every so many rows */
#define FEW			256			/* rows that are not worth counting digits */
#define DIGIT_BITS	12			/* two digits are all that a bucket's keys differ by */
#define DIGITS		(1 << DIGIT_BITS)

/* ---------- keys ---------- */

static inline uint64
sample_sort_mix(uint64 hash, uint64 word)
{
	word *= UINT64CONST(0x9E3779B97F4A7C15);
	hash ^= word ^ (word >> 32);
	return (hash << 29 | hash >> 35) * UINT64CONST(0xD6E8FEB86659FD93);
}

static inline uint64
bits_of(double value)
{
	uint64		bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* What stands for a value whatever the order of rows: of a text the hash of its bytes. */
static uint64
word_of(const ChurnSample *sample, const double *row, int i)
{
	int			category = sample->shape->category[i];

	if (category < 0 || row[i] != row[i])
		return bits_of(row[i]);
	return sample->dictionaries[category].labels[(uint32) row[i]].hash;
}

/* Two chains, so that one multiplication need not wait for the other. */
static inline uint64
hash_words(const ChurnSample *sample, const double *row, uint8 outcome, bool texts)
{
	const ChurnShape *shape = sample->shape;
	uint64		even = outcome + 1;
	uint64		odd = ~even;
	int			i;

	for (i = 0; i + 2 <= shape->n; i += 2)
	{
		even = sample_sort_mix(even, texts ? word_of(sample, row, i) : bits_of(row[i]));
		odd = sample_sort_mix(odd, texts ? word_of(sample, row, i + 1) : bits_of(row[i + 1]));
	}
	if (i < shape->n)
		even = sample_sort_mix(even, texts ? word_of(sample, row, i) : bits_of(row[i]));
	/* a row of weight 1 is a row */
	if (shape->weighted && row[shape->n] != 1)
		odd = sample_sort_mix(odd, bits_of(row[shape->n]));
	even ^= odd << 32 | odd >> 32;
	return (even ^ even >> 32) * UINT64CONST(0xD6E8FEB86659FD93);
}

uint32
churn_row_key(const ChurnSample *sample, const double *row, uint8 outcome)
{
	/* two functions in one: that of numbers alone asks nothing of a value */
	return (uint32) ((sample->shape->ncategories == 0 ?
					  hash_words(sample, row, outcome, false) :
					  hash_words(sample, row, outcome, true)) >> 32);
}

/* key << 32 | row, of a bucket's rows */
static void
read_keys(const ChurnSample *sample, const RowBucket *bucket, uint64 *to)
{
	uint32		row = 0;

	for (uint32 p = 0; row < bucket->rows; p++)
	{
		Size		rows = piece_rows(sample->shape, sample_first_bits(sample), p);
		const uint32 *keys = piece_keys(sample->shape, bucket->pieces[p], rows);

		CHECK_FOR_INTERRUPTS();
		for (Size i = 0; i < rows && row < bucket->rows; i++, row++)
			to[row] = (uint64) keys[i] << 32 | row;
	}
}

/* ---------- order ---------- */

static int
compare_keys(const void *a, const void *b)
{
	uint64		x = *(const uint64 *) a;
	uint64		y = *(const uint64 *) b;

	return (x > y) - (x < y);
}

/* One digit of the keys; returns false if it is the same in all of them. */
static bool
sort_digit(const uint64 *from, uint64 *to, uint32 n, int shift)
{
	uint32		starts[DIGITS];
	uint32		sum = 0;

	memset(starts, 0, sizeof(starts));
	for (uint32 i = 0; i < n; i++)
		starts[(from[i] >> shift) & (DIGITS - 1)]++;
	if (starts[(from[0] >> shift) & (DIGITS - 1)] == n)
		return false;
	for (int d = 0; d < DIGITS; d++)
	{
		uint32		count = starts[d];

		starts[d] = sum;
		sum += count;
	}
	for (uint32 i = 0; i < n; i++)
	{
		if ((i & POLL) == 0)
			CHECK_FOR_INTERRUPTS();
		to[starts[(from[i] >> shift) & (DIGITS - 1)]++] = from[i];
	}
	return true;
}

/* In order; the keys end up in *keys. */
static void
sort_keys(uint64 **keys, uint64 **scratch, uint32 n)
{
	if (n < FEW)
	{
		qsort(*keys, n, sizeof(uint64), compare_keys);
		return;
	}
	for (int shift = 32; shift < 64; shift += DIGIT_BITS)
	{
		CHECK_FOR_INTERRUPTS();
		if (sort_digit(*keys, *scratch, n, shift))
		{
			uint64	   *sorted = *scratch;

			*scratch = *keys;
			*keys = sorted;
		}
	}
}

/* Texts by their bytes, all else by its bits: any order will do that is one of the rows. */
static int
compare_values(const ChurnSample *sample, int i, double a, double b)
{
	const ChurnShape *shape = sample->shape;
	uint64		x = bits_of(a);
	uint64		y = bits_of(b);

	if (x == y)
		return 0;
	if (i < shape->n && shape->category[i] >= 0 && a == a && b == b)
		return dictionary_compare(&sample->dictionaries[shape->category[i]], (uint32) a, (uint32) b);
	return x < y ? -1 : 1;
}

typedef struct Comparison
{
	const ChurnSample *sample;
	const RowBucket *bucket;
	uint32		calls;
} Comparison;

static int
sample_sort_compare_rows(const Comparison *comparison, uint32 a, uint32 b)
{
	const ChurnSample *sample = comparison->sample;
	int			first_bits = sample_first_bits(sample);
	const uint8 *x_outcome;
	const uint8 *y_outcome;
	const double *x = bucket_row(sample->shape, comparison->bucket, first_bits, a, &x_outcome);
	const double *y = bucket_row(sample->shape, comparison->bucket, first_bits, b, &y_outcome);
	int			order = (int) *x_outcome - (int) *y_outcome;

	for (int i = 0; order == 0 && i < sample->shape->width; i++)
		order = compare_values(sample, i, x[i], y[i]);
	return order;
}

static int
compare_keyed_rows(const void *a, const void *b, void *arg)
{
	Comparison *comparison = arg;

	if ((comparison->calls++ & POLL) == 0)
		CHECK_FOR_INTERRUPTS();
	return sample_sort_compare_rows(comparison, (uint32) *(const uint64 *) a, (uint32) *(const uint64 *) b);
}

/* A row like no other so far, at the end of the order. */
static void
append_row(ChurnOrder *order, uint32 row)
{
	if (order->counts != NULL)
		order->counts[order->n] = 1;
	order->rows[order->n++] = row;
}

static void
count_again(ChurnOrder *order)
{
	if (order->counts == NULL)
	{
		order->counts = MemoryContextAllocHuge(CurrentMemoryContext,
											   order->sample->rows * sizeof(uint32));
		for (uint32 i = 0; i < order->n; i++)
			order->counts[i] = 1;
	}
	order->counts[order->n - 1]++;
}

/* Sorted keys -> rows and counts. */
static void
fold_rows(ChurnOrder *order, const RowBucket *bucket, uint64 *keys)
{
	Comparison	comparison = {order->sample, bucket, 0};
	uint32		n = bucket->rows;
	uint32		i = 0;

	while (i < n)
	{
		uint32		first = i;
		uint32		end = i + 1;

		if ((order->n & POLL) == 0)
			CHECK_FOR_INTERRUPTS();
		while (end < n && keys[end] >> 32 == keys[i] >> 32)
			end++;
		if (end - i > 1)
			qsort_arg(keys + i, end - i, sizeof(uint64), compare_keyed_rows, &comparison);
		for (; i < end; i++)
		{
			if (i > first && compare_keyed_rows(&keys[i], &keys[i - 1], &comparison) == 0)
				count_again(order);
			else
				append_row(order, (uint32) keys[i]);
		}
	}
}

static uint32
largest_bucket(const ChurnSample *sample)
{
	uint32		rows = 1;

	for (int b = 0; b < sample_buckets(sample); b++)
		rows = Max(rows, sample_bucket(sample, b)->rows);
	return rows;
}

void
churn_order_make(const ChurnSample *sample, ChurnOrder *order)
{
	Size		most = largest_bucket(sample) * sizeof(uint64);
	uint64	   *keys = MemoryContextAllocHuge(CurrentMemoryContext, most);
	uint64	   *scratch = MemoryContextAllocHuge(CurrentMemoryContext, most);

	memset(order, 0, sizeof(ChurnOrder));
	order->sample = sample;
	order->rows = MemoryContextAllocHuge(CurrentMemoryContext,
										 Max(sample->rows, 1) * sizeof(uint32));
	for (int b = 0; b < sample_buckets(sample); b++)
	{
		const RowBucket *bucket = sample_bucket(sample, b);

		read_keys(sample, bucket, keys);
		sort_keys(&keys, &scratch, bucket->rows);
		fold_rows(order, bucket, keys);
		order->ends[b] = order->n;
	}
	pfree(keys);
	pfree(scratch);
	if (order->counts != NULL)
	{
		order->rows = repalloc_huge(order->rows, order->n * sizeof(uint32));
		order->counts = repalloc_huge(order->counts, order->n * sizeof(uint32));
	}
}

void
churn_order_free(ChurnOrder *order)
{
	pfree(order->rows);
	if (order->counts != NULL)
		pfree(order->counts);
}
