/*
 * boost_bins.c
 *	  Cuts columns into bins of about equal weight.
 *
 * The rows looked at are the first SAMPLE_VALUES / columns: a sample, since rows
 * come in mixed order, and most often all of them.
 *
 * Promises: see boost_bins.h.  Never: looks at an outcome.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "boost_bins.h"

/* Values looked at: 16 MB of them, and of each column no fewer than that. */
#define SAMPLE_VALUES	((int64_t) 1 << 21)
#define SAMPLE_LEAST	1024
#define SAMPLE_MOST		((int64_t) 1 << 18)

/*
 * Cuts lie in the middle between two values, but not quite: on a regular grid
 * the middle may be a value itself, and which side that fell on would be up to
 * rounding, so to the column's unit.
 */
#define MIDDLE			(0.5 + 1.0 / (1 << 20))

typedef struct Value
{
	double		x;
	double		weight;
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

static void
sample_read(const RowSource *rows, Sample *sample)
{
	int			columns = rows->columns;
	double	   *block = rows->alloc(rows->arg, sizeof(double) * ROWS_BLOCK * columns);
	double		y[ROWS_BLOCK];

	for (int64_t from = 0; from < sample->n; from += ROWS_BLOCK)
	{
		int64_t		left = sample->n - from;
		int			count = left < ROWS_BLOCK ? (int) left : ROWS_BLOCK;

		rows->read(rows->arg, from, count, block, y, sample->weights + from);
		for (int j = 0; j < columns; j++)
		{
			for (int i = 0; i < count; i++)
				sample->x[j * sample->n + from + i] = block[(size_t) i * columns + j];
		}
		if (from % (32 * ROWS_BLOCK) == 0)
			rows->poll(rows->arg);
	}
	rows->release(rows->arg, block);
}

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

/* Merge sort; returns where the result is: in values or in scratch. */
static Value *
sort_values(Value *values, Value *scratch, int64_t n)
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
cut_column(Sample *sample, int column, int max_bins, double *cuts)
{
	const double *x = sample->x + column * sample->n;
	Value	   *sorted;
	int64_t		distinct;

	for (int64_t i = 0; i < sample->n; i++)
	{
		sample->values[i].x = x[i];
		sample->values[i].weight = sample->weights[i];
	}
	sorted = sort_values(sample->values, sample->scratch, sample->n);
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
	sample.x = rows->alloc(rows->arg, sizeof(double) * sample.n * ncolumns);
	sample.weights = rows->alloc(rows->arg, sizeof(double) * sample.n);
	sample.values = rows->alloc(rows->arg, sizeof(Value) * sample.n);
	sample.scratch = rows->alloc(rows->arg, sizeof(Value) * sample.n);
	sample_read(rows, &sample);
	for (int j = 0; j < ncolumns; j++)
	{
		BoostColumn *column = &bins->columns[j];

		rows->poll(rows->arg);
		column->cuts = bins->cuts + ncuts;
		column->bins = cut_column(&sample, j, max_bins, bins->cuts + ncuts) + 1;
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
 * How many of n ascending cuts are less than x: halves what may be left without
 * a branch, which would be a coin's toss.
 */
static inline int
bin_of(const double *cuts, int n, double x)
{
	const double *from = cuts;

	while (n > 1)
	{
		int			half = n / 2;

		from += half & -(int) (x > from[half - 1]);
		n -= half;
	}
	return (int) (from - cuts) + (x > from[0]);
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
		for (int i = 0; i < count; i++)
		{
			*code += (uint8_t) (step * bin_of(cuts, ncuts, *value));
			value += next_row;
			code += next_code;
		}
	}
}
