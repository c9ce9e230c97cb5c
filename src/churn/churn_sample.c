/*
 * churn_sample.c
 *	  Labelled rows, buffered once: how they are added.
 *
 * Promises: see churn_sample.h; a row costs a copy, and no allocation but that of
 * the next piece.
 */
#include "churn/churn_sample_rows.h"

#include <math.h>

#include "math/double2.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define FIRST_PIECE		512		/* bytes of a sample's first piece: one of a million groups */
#define PIECE			16384	/* bytes of a full one, at most; more than half of it */
#define PIECE_BITS_MAX	12		/* of rows, however narrow they are */

/* ---------- shapes ---------- */

static char **
copy_strings(char **strings, int n)
{
	char	  **copy = palloc(Max(n, 1) * sizeof(char *));

	for (int i = 0; i < n; i++)
		copy[i] = pstrdup(strings[i]);
	return copy;
}

/* The logarithm of the rows that so many bytes can hold, at least 0. */
static int
row_bits(Size bytes, int width)
{
	Size		rows = bytes / (width * sizeof(double) + sizeof(uint32) + sizeof(uint8));

	return rows <= 1 ? 0 : Min(pg_leftmost_one_pos32(rows), PIECE_BITS_MAX);
}

ChurnShape *
churn_shape_create(MemoryContext context, ChurnInput input, int n, const char *const *names,
				   const FeatureKind *kinds, const ChurnOptions *options, bool weighted)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	ChurnShape *shape = palloc0(sizeof(ChurnShape));

	shape->input = input;
	shape->n = n;
	shape->weighted = weighted;
	shape->width = n + (weighted ? 1 : 0);
	shape->first_bits = row_bits(FIRST_PIECE, shape->width);
	shape->piece_bits = row_bits(PIECE, shape->width);
	/* then the last pieces of the buckets, half empty, are an eighth of it */
	shape->small = (uint32) (4 * BUCKETS) << shape->piece_bits;
	shape->names = copy_strings((char **) names, n);
	shape->kinds = palloc(Max(n, 1) * sizeof(FeatureKind));
	shape->category = palloc(Max(n, 1) * sizeof(int));
	for (int i = 0; i < n; i++)
	{
		shape->kinds[i] = kinds[i];
		shape->category[i] = kinds[i] == FEATURE_CATEGORY ? shape->ncategories++ : -1;
	}
	shape->options = *options;
	shape->options.names = copy_strings(options->names, options->nnames);
	shape->options.exclude = copy_strings(options->exclude, options->nexclude);
	MemoryContextSwitchTo(old);
	return shape;
}

ChurnSample *
churn_sample_of_shape(MemoryContext context, const ChurnShape *shape)
{
	ChurnSample *sample = MemoryContextAllocZero(context, sizeof(ChurnSample));

	sample->context = context;
	sample->shape = shape;
	return sample;
}

ChurnSample *
churn_sample_create(MemoryContext context, ChurnInput input, int n, const char *const *names,
					const FeatureKind *kinds, const ChurnOptions *options, bool weighted)
{
	return churn_sample_of_shape(context, churn_shape_create(context, input, n, names, kinds,
															 options, weighted));
}

/* ---------- rows ---------- */

static void
too_many_rows(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("a churn model can be fitted to %u rows at most", PG_UINT32_MAX),
			 errhint("Fit it to a sample of the rows.")));
}

static void
add_piece(ChurnSample *sample, RowBucket *bucket)
{
	const ChurnShape *shape = sample->shape;
	Size		rows;
	char	   *piece;

	if (bucket->npieces == bucket->maxpieces)
	{
		uint32		max = Max(8, 2 * bucket->maxpieces);

		bucket->pieces = bucket->pieces == NULL ?
			MemoryContextAlloc(sample->context, max * sizeof(char *)) :
			repalloc_huge(bucket->pieces, max * sizeof(char *));
		bucket->maxpieces = max;
	}
	rows = piece_rows(shape, sample_first_bits(sample), bucket->npieces);
	piece = MemoryContextAlloc(sample->context, piece_size(shape, rows));
	bucket->pieces[bucket->npieces++] = piece;
	bucket->next = (double *) piece;
	bucket->next_key = piece_keys(shape, piece, rows);
	bucket->next_outcome = piece_outcomes(shape, piece, rows);
	bucket->room = rows;
}

/* The next row of a bucket with room is written: its key and outcome are not. */
static inline void
bucket_next(const ChurnShape *shape, RowBucket *bucket, uint32 key, uint8 outcome)
{
	bucket->next += shape->width;
	*bucket->next_key++ = key;
	*bucket->next_outcome++ = outcome;
	bucket->rows++;
	bucket->room--;
}

/* A row of a large sample to its bucket. */
static void
bucket_add(ChurnSample *sample, const double *row, uint32 key, uint8 outcome)
{
	const ChurnShape *shape = sample->shape;
	RowBucket  *bucket = &sample->buckets[key_bucket(key)];
	int			width = shape->width;
	double	   *next;
	int			i;

	if (unlikely(bucket->room == 0))
		add_piece(sample, bucket);
	next = bucket->next;
	for (i = 0; i + 2 <= width; i += 2)
		pair_put(next + i, pair_at(row + i));
	if (i < width)
		next[i] = row[i];
	bucket_next(shape, bucket, key, outcome);
	/* by the time the next row comes here others have gone to hundreds of places */
	next += width;
	for (i = 0; i < width; i += 8)
		__builtin_prefetch(next + i, 1);
	__builtin_prefetch(next + width - 1, 1);
}

/* What was a small sample so far goes to the buckets, piece by piece. */
static void
churn_sample_spread(ChurnSample *sample)
{
	const ChurnShape *shape = sample->shape;
	RowBucket	all = sample->all;
	uint32		left = all.rows;

	memset(&sample->all, 0, sizeof(RowBucket));
	sample->buckets = MemoryContextAllocZero(sample->context, BUCKETS * sizeof(RowBucket));
	sample->row = MemoryContextAlloc(sample->context, Max(shape->width, 1) * sizeof(double));
	for (uint32 p = 0; p < all.npieces; p++)
	{
		uint32		rows = piece_rows(shape, shape->first_bits, p);
		const double *row = (const double *) all.pieces[p];
		const uint32 *keys = piece_keys(shape, all.pieces[p], rows);
		const uint8 *outcomes = piece_outcomes(shape, all.pieces[p], rows);

		CHECK_FOR_INTERRUPTS();
		for (uint32 i = 0; i < rows && left > 0; i++, left--, row += shape->width)
			bucket_add(sample, row, keys[i], outcomes[i]);
		pfree(all.pieces[p]);
	}
	pfree(all.pieces);
}

/*
 * Where the next row is written: into the bucket itself while there is only one,
 * else into the sample's own room, until its key is known.
 */
static inline double *
next_row(ChurnSample *sample)
{
	if (unlikely(sample->rows == PG_UINT32_MAX))
		too_many_rows();
	if (unlikely(sample->buckets != NULL))
		return sample->row;
	if (unlikely(sample->all.room == 0))
	{
		if (sample->rows >= sample->shape->small)
		{
			churn_sample_spread(sample);
			return sample->row;
		}
		add_piece(sample, &sample->all);
	}
	return sample->all.next;
}

/* It is written. */
static inline void
keep_row(ChurnSample *sample, bool churned, double *row, double weight)
{
	const ChurnShape *shape = sample->shape;
	uint32		key;

	if (shape->weighted)
		row[shape->n] = weight;
	key = churn_row_key(sample, row, churned);
	if (sample->buckets == NULL)
		bucket_next(shape, &sample->all, key, churned);
	else
		bucket_add(sample, row, key, churned);
	sample->positives += churned;
	sample->rows++;
}

bool
churn_sample_add_numbers(ChurnSample *sample, bool churned, const double *numbers,
						 double weight)
{
	double	   *row = next_row(sample);
	int			n = sample->shape->n;
	Pair		zero = {0, 0};
	Pair		odd = {0, 0};	/* NaN where a number is not finite */
	int			i;

	Assert(sample->shape->ncategories == 0);
	for (i = 0; i + 2 <= n; i += 2)
	{
		Pair		value = pair_at(numbers + i);

		pair_put(row + i, value + zero);	/* -0 is 0 */
		odd += value * zero;
	}
	if (i < n)
	{
		row[i] = numbers[i] + 0.0;
		odd[0] += numbers[i] * 0.0;
	}
	if (unlikely(isnan(pair_sum(odd))))
		return false;
	keep_row(sample, churned, row, weight);
	return true;
}

static inline bool
value_is_null(const ChurnShape *shape, const FeatureValue *values, int i)
{
	return shape->kinds[i] == FEATURE_CATEGORY ? values[i].text == NULL : isnan(values[i].number);
}

/* False if a row is not to train. */
static bool
check_nulls(ChurnSample *sample, const FeatureValue *values)
{
	const ChurnShape *shape = sample->shape;

	for (int i = 0; i < shape->n; i++)
	{
		if (likely(!value_is_null(shape, values, i)))
			continue;
		if (shape->options.missing == CHURN_MISSING_SKIP)
			return false;
		if (shape->options.missing == CHURN_MISSING_ERROR)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("feature \"%s\" is NULL", shape->names[i]),
					 errhint("The option \"missing\" can be 'mean', which also tells the model of NULLs, or 'skip'.")));
		if (sample->nulls == NULL)
			sample->nulls = MemoryContextAllocZero(sample->context, shape->n * sizeof(bool));
		sample->nulls[i] = true;
	}
	return true;
}

void
churn_sample_add(ChurnSample *sample, bool churned, const FeatureValue *values, double weight)
{
	const ChurnShape *shape = sample->shape;
	double	   *row;

	if (!check_nulls(sample, values))
	{
		sample->skipped++;
		return;
	}
	if (sample->dictionaries == NULL && shape->ncategories > 0)
		sample->dictionaries = MemoryContextAllocZero(sample->context, shape->ncategories * sizeof(Dictionary));
	row = next_row(sample);
	for (int i = 0; i < shape->n; i++)
	{
		const FeatureValue *value = &values[i];

		if (value_is_null(shape, values, i))
			row[i] = get_float8_nan();
		else if (shape->kinds[i] == FEATURE_CATEGORY)
			row[i] = dictionary_count(&sample->dictionaries[shape->category[i]], sample->context,
									  value->text, value->length);
		else
			row[i] = value->number + 0.0;
	}
	keep_row(sample, churned, row, weight);
}
