/*
 * boost_bins.c
 *	  Cuts columns into bins of about equal weight.
 *
 * The rows looked at are most often all of them, else SAMPLE_VALUES / columns.
 * Those must be the same ones when a column is shifted or has another unit, and
 * the order in which rows come is not: so they are drawn by their ranks in a sum
 * of all columns, each scaled to its range.
 *
 * Promises: see boost_bins.h.  Never: cuts a column by outcomes: they only help to
 * tell rows apart that are drawn.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "models/classifier/boost_bins.h"

/* Values looked at: 16 MB of them, and of each column no fewer than that. */
#define SAMPLE_VALUES	((int64_t) 1 << 21)
#define SAMPLE_LEAST	1024
#define SAMPLE_MOST		((int64_t) 1 << 18)

#define POLL_VALUES		((int64_t) 1 << 16)

/* Digits that doubles are sorted by. */
#define DIGIT_BITS		11
#define DIGIT_VALUES	(1 << DIGIT_BITS)
#define DIGITS			6

/* Values whose bins are found side by side. */
#define BINS_AT_ONCE	4

/*
 * Cuts lie in the middle between two values, but not quite: on a regular grid
 * the middle may be a value itself, and which side that fell on would be up to
 * rounding, so to the column's unit.
 */
#define MIDDLE			(0.5 + 1.0 / (1 << 20))

typedef struct Value
{
	double		x;
	double		weight;			/* or the number of a row */
} Value;

/* What is looked at: x column by column. */
typedef struct Sample
{
	int64_t		n;
	bool		all;			/* the rows are no more */
	double	   *x;
	double	   *weights;
	Value	   *values;			/* of a column; and room to sort them */
	Value	   *scratch;
} Sample;

/* Two sorted runs into one; of equal values those of a first. */
static void
merge(const Value *a, const Value *a_end, const Value *b, const Value *b_end, Value *to)
{
	while (a < a_end && b < b_end)
	{
		bool		second = b->x < a->x;

		*to++ = *(second ? b : a);
		a += !second;
		b += second;
	}
	memcpy(to, a, sizeof(Value) * (a_end - a));
	memcpy(to + (a_end - a), b, sizeof(Value) * (b_end - b));
}

/* Returns where the result is: in values or in scratch. */
static Value *
merge_sort(Value *values, Value *scratch, int64_t n)
{
	for (int64_t run = 1; run < n; run *= 2)
	{
		Value	   *sorted = scratch;

		for (int64_t from = 0; from < n; from += 2 * run)
		{
			int64_t		middle = from + run < n ? from + run : n;
			int64_t		end = middle + run < n ? middle + run : n;

			merge(values + from, values + middle, values + middle, values + end,
				  scratch + from);
		}
		scratch = values;
		values = sorted;
	}
	return values;
}

/* Ascending as doubles are; -0 is 0. */
static inline uint64_t
key_of(double x)
{
	uint64_t	bits;

	x += 0.0;
	memcpy(&bits, &x, sizeof(bits));
	return bits ^ (bits >> 63 ? UINT64_MAX : UINT64_C(1) << 63);
}

/* One digit of all: counts are those of its values, and become their places. */
static void
sort_by_digit(const RowSource *rows, const Value *values, Value *to, int64_t n, int shift,
			  uint32_t *counts)
{
	uint32_t	place = 0;

	for (int k = 0; k < DIGIT_VALUES; k++)
	{
		uint32_t	here = counts[k];

		counts[k] = place;
		place += here;
	}
	for (int64_t i = 0; i < n; i++)
	{
		to[counts[key_of(values[i].x) >> shift & (DIGIT_VALUES - 1)]++] = values[i];
		if (i % POLL_VALUES == 0)
			rows->poll(rows->arg);
	}
}

/*
 * Sorts by x, equal ones as they stand, digit by digit from the last; few by
 * merging.  Returns where the result is: in values or in scratch.
 */
static Value *
sort_values(const RowSource *rows, Value *values, Value *scratch, int64_t n)
{
	uint32_t	(*counts)[DIGIT_VALUES];

	if (n < DIGIT_VALUES)
		return merge_sort(values, scratch, n);
	counts = rows->alloc(rows->arg, sizeof(*counts) * DIGITS);
	memset(counts, 0, sizeof(*counts) * DIGITS);
	for (int64_t i = 0; i < n; i++)
	{
		uint64_t	key = key_of(values[i].x);

		for (int digit = 0; digit < DIGITS; digit++)
			counts[digit][key >> digit * DIGIT_BITS & (DIGIT_VALUES - 1)]++;
		if (i % POLL_VALUES == 0)
			rows->poll(rows->arg);
	}
	for (int digit = 0; digit < DIGITS; digit++)
	{
		int			shift = digit * DIGIT_BITS;
		Value	   *sorted = scratch;

		/* all alike: nothing moves */
		if (counts[digit][key_of(values[0].x) >> shift & (DIGIT_VALUES - 1)] == n)
			continue;
		sort_by_digit(rows, values, sorted, n, shift, counts[digit]);
		scratch = values;
		values = sorted;
	}
	rows->release(rows->arg, counts);
	return values;
}

/* ---------- what is looked at ---------- */

/* Rows of a block: x of the columns, and their outcomes and weights as two more. */
typedef struct Block
{
	int			count;
	double	   *x;
	double		y[ROWS_BLOCK];
	double		w[ROWS_BLOCK];
} Block;

static void
block_read(const RowSource *rows, Block *block, int64_t from)
{
	block->count = rows->n - from < ROWS_BLOCK ? (int) (rows->n - from) : ROWS_BLOCK;
	rows->read(rows->arg, from, block->count, block->x, block->y, block->w);
	if (from % (32 * ROWS_BLOCK) == 0)
		rows->poll(rows->arg);
}

static inline void
widen(double *low, double *high, double x)
{
	*low = x < *low ? x : *low;
	*high = x > *high ? x : *high;
}

/* Halves, so that no range overflows; 0 for a column that is constant. */
static double
scale_of(double low, double high, int column)
{
	/* no two columns count the same, nor in a ratio of whole numbers */
	double		share = 0.5 + fmod((column + 1) * 0.6180339887498949, 1);
	double		scale = share / (high / 2 - low / 2);

	return isfinite(scale) ? scale : 0;
}

/* Where each column, outcome and weight begin, and what they are multiplied by. */
static void
find_scales(const RowSource *rows, Block *block, double *low, double *scale)
{
	int			columns = rows->columns;

	for (int j = 0; j < columns + 2; j++)
	{
		low[j] = DBL_MAX;
		scale[j] = -DBL_MAX;
	}
	for (int64_t from = 0; from < rows->n; from += ROWS_BLOCK)
	{
		const double *x = block->x;

		block_read(rows, block, from);
		for (int i = 0; i < block->count; i++, x += columns)
		{
			for (int j = 0; j < columns; j++)
				widen(&low[j], &scale[j], x[j]);
			widen(&low[columns], &scale[columns], block->y[i]);
			widen(&low[columns + 1], &scale[columns + 1], block->w[i]);
		}
	}
	for (int j = 0; j < columns + 2; j++)
		scale[j] = scale_of(low[j], scale[j], j);
}

static inline double
scaled(double x, double low, double scale)
{
	return (x / 2 - low / 2) * scale;
}

/* Rows in an order that neither shifts nor units of columns change. */
static Value *
rank_rows(const RowSource *rows, Value *values, Value *scratch)
{
	int			columns = rows->columns;
	double	   *low = rows->alloc(rows->arg, sizeof(double) * (columns + 2));
	double	   *scale = rows->alloc(rows->arg, sizeof(double) * (columns + 2));
	Block		block;

	block.x = rows->alloc(rows->arg, sizeof(double) * ROWS_BLOCK * columns);
	find_scales(rows, &block, low, scale);
	for (int64_t from = 0; from < rows->n; from += ROWS_BLOCK)
	{
		const double *x = block.x;

		block_read(rows, &block, from);
		for (int i = 0; i < block.count; i++, x += columns)
		{
			double		sum = scaled(block.y[i], low[columns], scale[columns]) +
			scaled(block.w[i], low[columns + 1], scale[columns + 1]);

			for (int j = 0; j < columns; j++)
				sum += scaled(x[j], low[j], scale[j]);
			values[from + i].x = sum;
			values[from + i].weight = (double) (from + i);
		}
	}
	rows->release(rows->arg, block.x);
	rows->release(rows->arg, scale);
	rows->release(rows->arg, low);
	return sort_values(rows, values, scratch, rows->n);
}

/* Splitmix64 (Steele, Lea and Flood 2014): a number that looks like any other. */
static uint64_t
boost_bins_mix(uint64_t k)
{
	k += UINT64_C(0x9E3779B97F4A7C15);
	k = (k ^ k >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	k = (k ^ k >> 27) * UINT64_C(0x94D049BB133111EB);
	return k ^ k >> 31;
}

/* The numbers of the rows looked at: one of each of so many equal parts of the ranks. */
static uint32_t *
draw_rows(const RowSource *rows, int64_t n)
{
	uint32_t   *drawn = rows->alloc(rows->arg, sizeof(uint32_t) * n);
	Value	   *values = rows->alloc(rows->arg, sizeof(Value) * rows->n);
	Value	   *scratch = rows->alloc(rows->arg, sizeof(Value) * rows->n);
	const Value *ranked = rank_rows(rows, values, scratch);

	for (int64_t k = 0; k < n; k++)
	{
		int64_t		from = k * rows->n / n;
		int64_t		part = (k + 1) * rows->n / n - from;

		drawn[k] = (uint32_t) ranked[from + (int64_t) (boost_bins_mix(k) % part)].weight;
	}
	rows->release(rows->arg, scratch);
	rows->release(rows->arg, values);
	return drawn;
}

static void
sample_read(const RowSource *rows, const uint32_t *drawn, Sample *sample)
{
	int			columns = rows->columns;
	double	   *x = rows->alloc(rows->arg, sizeof(double) * columns);
	double		y;

	for (int64_t i = 0; i < sample->n; i++)
	{
		rows->read(rows->arg, drawn != NULL ? drawn[i] : i, 1, x, &y, &sample->weights[i]);
		for (int j = 0; j < columns; j++)
			sample->x[j * sample->n + i] = x[j];
		if (i % (32 * ROWS_BLOCK) == 0)
			rows->poll(rows->arg);
	}
	rows->release(rows->arg, x);
}

/* ---------- cuts ---------- */

/* Equal values become one; returns how many are left. */
static int64_t
unite_equals(Value *values, int64_t n)
{
	int64_t		last = 0;

	for (int64_t i = 1; i < n; i++)
	{
		if (values[i].x == values[last].x)
			values[last].weight += values[i].weight;
		else
			values[++last] = values[i];
	}
	return last + 1;
}

/* a < b; the cut is >= a and < b whatever rounding does. */
static double
cut_between(double a, double b)
{
	double		cut = a * (1 - MIDDLE) + b * MIDDLE;

	return cut >= a && cut < b ? cut : a;
}

/*
 * Cuts between distinct values, ascending, so that no more than max_bins bins
 * weigh about the same; one that weighs more than its share is alone.
 */
static int
cut_by_weight(const Value *values, int64_t n, int max_bins, double *cuts)
{
	double		rest = 0;
	int			ncuts = 0;
	double		bin = 0;

	for (int64_t i = 0; i < n; i++)
		rest += values[i].weight;
	for (int64_t i = 0; i + 1 < n && ncuts < max_bins - 1; i++)
	{
		double		share = rest / (max_bins - ncuts);
		bool		each = n - i <= max_bins - ncuts && bin == 0;

		bin += values[i].weight;
		/* ends here if it would be farther from its share with the next value */
		if (each || bin + values[i + 1].weight / 2 > share)
		{
			cuts[ncuts++] = cut_between(values[i].x, values[i + 1].x);
			rest -= bin;
			bin = 0;
		}
	}
	return ncuts;
}

static int
cut_column(const RowSource *rows, Sample *sample, int column, int max_bins, double *cuts)
{
	const double *x = sample->x + column * sample->n;
	Value	   *sorted;
	int64_t		distinct;

	for (int64_t i = 0; i < sample->n; i++)
	{
		sample->values[i].x = x[i];
		sample->values[i].weight = sample->weights[i];
	}
	sorted = sort_values(rows, sample->values, sample->scratch, sample->n);
	distinct = unite_equals(sorted, sample->n);
	if (distinct > 1 || sample->all)
		return cut_by_weight(sorted, distinct, max_bins, cuts);

	/* constant in the sample: rare values beyond it are told from it all the same */
	cuts[0] = sorted[0].x;
	if (max_bins == 2)
		return 1;
	cuts[1] = sorted[0].x;
	cuts[0] = nextafter(sorted[0].x, -DBL_MAX);
	return cuts[0] < cuts[1] ? 2 : 1;
}

/*
 * Columns into slots, those of many bins first, each into the first slot that
 * has room.
 */
static void
fill_slots(const RowSource *rows, BoostBins *bins)
{
	int		   *used = rows->alloc(rows->arg, sizeof(int) * (bins->ncolumns + 1));
	int			open = 0;		/* slots before have no room for another column */

	for (int size = BOOST_BINS_MAX; size > 1; size--)
	{
		for (int j = 0; j < bins->ncolumns; j++)
		{
			BoostColumn *column = &bins->columns[j];
			int			slot = open;

			if (column->bins != size)
				continue;
			while (slot < bins->nslots && used[slot] * size > bins->slot_codes)
				slot++;
			if (slot == bins->nslots)
				used[bins->nslots++] = 1;
			column->slot = slot;
			column->step = used[slot];
			used[slot] *= size;
			while (open < bins->nslots && used[open] * 2 > bins->slot_codes)
				open++;
		}
	}
	rows->release(rows->arg, used);
}

BoostBins *
boost_bins_create(const RowSource *rows, int max_bins)
{
	int			ncolumns = rows->columns;
	BoostBins  *bins = rows->alloc(rows->arg, sizeof(BoostBins));
	Sample		sample;
	uint32_t   *drawn;
	int			ncuts = 0;

	bins->ncolumns = ncolumns;
	bins->columns = rows->alloc(rows->arg, sizeof(BoostColumn) * (ncolumns + 1));
	bins->cuts = rows->alloc(rows->arg, sizeof(double) * ((size_t) ncolumns * (max_bins - 1) + 1));
	bins->nslots = 0;
	bins->nbins = 0;
	bins->slot_codes = max_bins > BOOST_SLOT_CODES ? max_bins : BOOST_SLOT_CODES;
	if (ncolumns == 0)
		return bins;

	sample.n = SAMPLE_VALUES / ncolumns;
	if (sample.n < SAMPLE_LEAST)
		sample.n = SAMPLE_LEAST;
	if (sample.n > SAMPLE_MOST)
		sample.n = SAMPLE_MOST;
	sample.all = sample.n >= rows->n;
	if (sample.all)
		sample.n = rows->n;
	drawn = sample.all ? NULL : draw_rows(rows, sample.n);
	sample.x = rows->alloc(rows->arg, sizeof(double) * sample.n * ncolumns);
	sample.weights = rows->alloc(rows->arg, sizeof(double) * sample.n);
	sample.values = rows->alloc(rows->arg, sizeof(Value) * sample.n);
	sample.scratch = rows->alloc(rows->arg, sizeof(Value) * sample.n);
	sample_read(rows, drawn, &sample);
	if (drawn != NULL)
		rows->release(rows->arg, drawn);
	for (int j = 0; j < ncolumns; j++)
	{
		BoostColumn *column = &bins->columns[j];

		rows->poll(rows->arg);
		column->cuts = bins->cuts + ncuts;
		column->bins = cut_column(rows, &sample, j, max_bins, bins->cuts + ncuts) + 1;
		column->slot = 0;
		column->step = 1;
		column->first_bin = bins->nbins;
		ncuts += column->bins - 1;
		bins->nbins += column->bins;
	}
	rows->release(rows->arg, sample.scratch);
	rows->release(rows->arg, sample.values);
	rows->release(rows->arg, sample.weights);
	rows->release(rows->arg, sample.x);
	fill_slots(rows, bins);
	return bins;
}

void
boost_bins_release(const RowSource *rows, BoostBins *bins)
{
	rows->release(rows->arg, bins->cuts);
	rows->release(rows->arg, bins->columns);
	rows->release(rows->arg, bins);
}

/*
 * How many of n ascending cuts are less than x, for BINS_AT_ONCE of x: halves what
 * may be left without a branch, which would be a coin's toss; and while one waits
 * for a cut the others go on.
 */
static inline void
bins_of(const double *cuts, int n, const double *x, int *bins)
{
	const double *a = cuts;
	const double *b = cuts;
	const double *c = cuts;
	const double *d = cuts;

	while (n > 1)
	{
		int			half = n / 2;

		a += half & -(int) (x[0] > a[half - 1]);
		b += half & -(int) (x[1] > b[half - 1]);
		c += half & -(int) (x[2] > c[half - 1]);
		d += half & -(int) (x[3] > d[half - 1]);
		n -= half;
	}
	bins[0] = (int) (a - cuts) + (x[0] > *a);
	bins[1] = (int) (b - cuts) + (x[1] > *b);
	bins[2] = (int) (c - cuts) + (x[2] > *c);
	bins[3] = (int) (d - cuts) + (x[3] > *d);
}

void
boost_bins_code(const BoostBins *bins, const double *x, int count, uint8_t *codes)
{
	memset(codes, 0, (size_t) count * bins->nslots);
	for (int j = 0; j < bins->ncolumns; j++)
	{
		const BoostColumn *column = &bins->columns[j];
		const double *cuts = column->cuts;
		int			ncuts = column->bins - 1;
		int			step = column->step;
		size_t		next_row = bins->ncolumns;
		size_t		next_code = bins->nslots;
		const double *value = x + j;
		uint8_t    *code = codes + column->slot;

		if (ncuts == 0)
			continue;
		for (int i = 0; i < count; i += BINS_AT_ONCE)
		{
			int			here = count - i < BINS_AT_ONCE ? count - i : BINS_AT_ONCE;
			double		values[BINS_AT_ONCE] = {0};
			int			found[BINS_AT_ONCE];

			for (int k = 0; k < here; k++, value += next_row)
				values[k] = *value;
			bins_of(cuts, ncuts, values, found);
			for (int k = 0; k < here; k++, code += next_code)
				*code += (uint8_t) (step * found[k]);
		}
	}
}
