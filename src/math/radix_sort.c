/*
 * radix_sort.c
 *	  Sorting of many unsigned words, and of pairs of words.
 *
 * Promises: see radix_sort.h.
 */
#include "math/radix_sort.h"

#include <stdbool.h>
#include <string.h>

#define DIGITS		8			/* of a word */
#define BUCKETS		256
#define FEW			48			/* rows that are put in order one by one */
#define POLL_ROWS	((size_t) 1 << 18)

#define DIGIT(word, digit)	((word) >> 8 * (digit) & (BUCKETS - 1))

static inline bool
less(const uint64_t *a, const uint64_t *b, int width)
{
	return a[0] != b[0] || width == 1 ? a[0] < b[0] : a[1] < b[1];
}

static inline void
radix_sort_insertion_sort(uint64_t *rows, size_t n, int width)
{
	for (size_t i = 1; i < n; i++)
	{
		uint64_t	row[2] = {rows[i * width], rows[i * width + width - 1]};
		size_t		to = i;

		for (; to > 0 && less(row, rows + (to - 1) * width, width); to--)
			memcpy(rows + to * width, rows + (to - 1) * width, sizeof(uint64_t) * width);
		memcpy(rows + to * width, row, sizeof(uint64_t) * width);
	}
}

/* Counts the digits of one of the words of all rows; are the rows in order? */
static inline bool
count_digits(const uint64_t *rows, size_t n, int width, int word,
			 size_t counts[DIGITS][BUCKETS], void (*poll) (void))
{
	bool		ordered = true;

	memset(counts, 0, sizeof(size_t) * DIGITS * BUCKETS);
	for (size_t from = 0; from < n; from += POLL_ROWS)
	{
		size_t		until = n - from < POLL_ROWS ? n : from + POLL_ROWS;

		poll();
		for (size_t i = from; i < until; i++)
		{
			uint64_t	value = rows[i * width + word];

			for (int digit = 0; digit < DIGITS; digit++)
				counts[digit][DIGIT(value, digit)]++;
			ordered &= i == 0 || !less(rows + i * width, rows + (i - 1) * width, width);
		}
	}
	return ordered;
}

/* Moves all rows to where one digit has them; counts are of that digit. */
static inline void
distribute(const uint64_t *rows, uint64_t *to, size_t n, int width, int word, int digit,
		   const size_t *counts, void (*poll) (void))
{
	size_t		place[BUCKETS];
	size_t		sum = 0;

	for (int i = 0; i < BUCKETS; i++)
	{
		place[i] = sum;
		sum += counts[i];
	}
	for (size_t from = 0; from < n; from += POLL_ROWS)
	{
		size_t		until = n - from < POLL_ROWS ? n : from + POLL_ROWS;

		poll();
		for (size_t i = from; i < until; i++)
		{
			size_t		j = place[DIGIT(rows[i * width + word], digit)]++;

			to[j * width] = rows[i * width];
			if (width == 2)
				to[j * width + 1] = rows[i * width + 1];
		}
	}
}

static inline void
sort_rows(uint64_t *rows, uint64_t *scratch, size_t n, int width, void (*poll) (void))
{
	size_t		counts[DIGITS][BUCKETS];
	uint64_t   *from = rows;
	uint64_t   *to = scratch;

	if (n <= FEW)
	{
		radix_sort_insertion_sort(rows, n, width);
		return;
	}
	for (int word = width - 1; word >= 0; word--)
	{
		if (count_digits(from, n, width, word, counts, poll))
			break;
		for (int digit = 0; digit < DIGITS; digit++)
		{
			if (counts[digit][DIGIT(from[word], digit)] == n)
				continue;
			distribute(from, to, n, width, word, digit, counts[digit], poll);
			to = from;
			from = from == rows ? scratch : rows;
		}
	}
	if (from != rows)
		memcpy(rows, from, sizeof(uint64_t) * n * width);
}

void
radix_sort_words(uint64_t *words, uint64_t *scratch, size_t n, void (*poll) (void))
{
	sort_rows(words, scratch, n, 1, poll);
}

void
radix_sort_pairs(uint64_t *pairs, uint64_t *scratch, size_t n, void (*poll) (void))
{
	sort_rows(pairs, scratch, n, 2, poll);
}
