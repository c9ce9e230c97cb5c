/*
 * churn_sample_rows.h
 *	  How the rows of a sample lie, and the order in which they are fitted.
 *
 * Only for what fits a sample: churn_sample.c writes rows, churn_sample_sort.c orders
 * them, churn_fit.c and churn_leakage.c read them.
 *
 * A row is "width" doubles: one a feature, and its weight where there are
 * weights.  NULL is one and the same NaN, there is no -0, a text is the number
 * of its label.  Rows lie in pieces of a power of two of them, first their
 * doubles, then their keys, then their outcomes: a row is found by a shift and a
 * mask.
 *
 * Rows are read in the order of their keys, 32 bits of a hash of what they say
 * (see churn_sample_sort.c), as often as a fit likes: to jump through hundreds of
 * megabytes at each would take longer than all else.  So a large sample is
 * spread over buckets by the first bits of the key: the jumps of a bucket stay
 * within what the processor's caches hold.
 *
 * Promises: equal rows have equal bytes, within a sample.
 */
#ifndef RETENTION_CHURN_SAMPLE_ROWS_H
#define RETENTION_CHURN_SAMPLE_ROWS_H

#include "churn/churn_levels.h"
#include "churn/churn_sample.h"
#include "port/pg_bitutils.h"

#define BUCKET_BITS		8
#define BUCKETS			(1 << BUCKET_BITS)

struct ChurnShape
{
	ChurnInput	input;
	int			n;				/* features */
	bool		weighted;
	int			width;			/* doubles of a row */
	int			ncategories;
	int			first_bits;		/* rows of a small sample's first piece, logarithm */
	int			piece_bits;		/* rows of a full one */
	uint32		small;			/* so many rows are not worth spreading */
	char	  **names;
	FeatureKind *kinds;
	int		   *category;		/* of a feature: its dictionary, or -1 */
	ChurnOptions options;
};

typedef struct RowBucket
{
	char	  **pieces;
	uint32		npieces;
	uint32		maxpieces;
	uint32		rows;
	uint32		room;			/* rows that the last piece can still take */
	double	   *next;			/* where the next row goes ... */
	uint32	   *next_key;		/* ... and its key ... */
	uint8	   *next_outcome;	/* ... and its outcome */
} RowBucket;

struct ChurnSample
{
	MemoryContext context;
	const ChurnShape *shape;
	uint32		rows;
	uint32		positives;
	int64		skipped;		/* for a NULL feature */
	RowBucket	all;			/* while the sample is small */
	RowBucket  *buckets;		/* BUCKETS of them, afterwards; else NULL */
	double	   *row;			/* where a row waits for its key, then */
	Dictionary *dictionaries;	/* one a category; NULL before the first row */
	bool	   *nulls;			/* features that were NULL in a row; NULL if none was */
};

static inline int
sample_buckets(const ChurnSample *sample)
{
	return sample->buckets == NULL ? 1 : BUCKETS;
}

static inline const RowBucket *
sample_bucket(const ChurnSample *sample, int bucket)
{
	return sample->buckets == NULL ? &sample->all : &sample->buckets[bucket];
}

/* Rows of a bucket's first piece, logarithm: full ones at once in a large sample. */
static inline int
sample_first_bits(const ChurnSample *sample)
{
	return sample->buckets == NULL ? sample->shape->first_bits : sample->shape->piece_bits;
}

/* Rows of a piece: F, F, 2 F, 4 F ... until they are full. */
static inline Size
piece_rows(const ChurnShape *shape, int first_bits, uint32 piece)
{
	int			bits = piece == 0 ? first_bits : Min(first_bits + (int64) piece - 1, shape->piece_bits);

	return (Size) 1 << bits;
}

/* Bytes of a piece; where its keys and its outcomes are. */
static inline Size
piece_size(const ChurnShape *shape, Size rows)
{
	return rows * (shape->width * sizeof(double) + sizeof(uint32) + sizeof(uint8));
}

static inline uint32 *
piece_keys(const ChurnShape *shape, const char *piece, Size rows)
{
	return (uint32 *) (piece + rows * shape->width * sizeof(double));
}

static inline uint8 *
piece_outcomes(const ChurnShape *shape, const char *piece, Size rows)
{
	return (uint8 *) (piece_keys(shape, piece, rows) + rows);
}

/* The doubles of a bucket's row; where its outcome is. */
static inline const double *
bucket_row(const ChurnShape *shape, const RowBucket *bucket, int first_bits, uint32 row,
		   const uint8 **outcome)
{
	const char *piece;
	uint32		at;
	uint32		rows;

	if (likely(row >> shape->piece_bits != 0))
	{
		rows = (uint32) 1 << shape->piece_bits;
		piece = bucket->pieces[shape->piece_bits - first_bits + (row >> shape->piece_bits)];
		at = row & (rows - 1);
	}
	else if (row >> first_bits != 0)
	{
		int			top = pg_leftmost_one_pos32(row);

		rows = (uint32) 1 << top;
		piece = bucket->pieces[top - first_bits + 1];
		at = row - rows;
	}
	else
	{
		rows = (uint32) 1 << first_bits;
		piece = bucket->pieces[0];
		at = row;
	}
	*outcome = piece_outcomes(shape, piece, rows) + at;
	return (const double *) piece + (Size) at * shape->width;
}

/* ---------- rows as they came, or so ---------- */

typedef struct RowWalk
{
	const ChurnSample *sample;
	int			bucket;
	uint32		row;
} RowWalk;

/* NULL after the last one. */
static inline const double *
row_walk_next(RowWalk *walk, const uint8 **outcome)
{
	const ChurnSample *sample = walk->sample;

	for (; walk->bucket < sample_buckets(sample); walk->bucket++, walk->row = 0)
	{
		const RowBucket *bucket = sample_bucket(sample, walk->bucket);

		if (walk->row < bucket->rows)
			return bucket_row(sample->shape, bucket, sample_first_bits(sample), walk->row++, outcome);
	}
	return NULL;
}

/* ---------- rows in order: churn_sample_sort.c ---------- */

/* 32 bits of a hash of the outcome, values and weight of a row: of texts by their bytes. */
extern uint32 churn_row_key(const ChurnSample *sample, const double *row, uint8 outcome);

static inline int
key_bucket(uint32 key)
{
	return (int) (key >> (32 - BUCKET_BITS));
}

/* The different rows of a sample, in the order of their keys, and how often each is there. */
typedef struct ChurnOrder
{
	const ChurnSample *sample;
	uint32		n;
	uint32	   *rows;			/* of their bucket */
	uint32	   *counts;			/* NULL: all rows are different */
	uint32		ends[BUCKETS];	/* of each bucket, in rows */
} ChurnOrder;

/* In the current memory context. */
extern void churn_order_make(const ChurnSample *sample, ChurnOrder *order);
extern void churn_order_free(ChurnOrder *order);

/* Where a reader of an order stands. */
typedef struct OrderCursor
{
	const ChurnOrder *order;
	uint32		i;
	int			bucket;
	int			first_bits;
} OrderCursor;

static inline void
order_seek(OrderCursor *cursor, const ChurnOrder *order, uint32 i)
{
	cursor->order = order;
	cursor->i = i;
	cursor->first_bits = sample_first_bits(order->sample);
	/* from the start: whoever reads on need not seek */
	cursor->bucket = 0;
	while (i < order->n && i >= order->ends[cursor->bucket])
		cursor->bucket++;
}

/* Rows are fetched so far ahead. */
#define ORDER_AHEAD	32

/* There must be one. */
static inline const double *
order_next(OrderCursor *cursor, bool *churned, double *weight)
{
	const ChurnOrder *order = cursor->order;
	const ChurnSample *sample = order->sample;
	const ChurnShape *shape = sample->shape;
	const RowBucket *bucket;
	const uint8 *outcome;
	const double *row;
	uint32		i = cursor->i++;

	while (i >= order->ends[cursor->bucket])
		cursor->bucket++;
	bucket = sample_bucket(sample, cursor->bucket);
	if (i + ORDER_AHEAD < order->ends[cursor->bucket])
	{
		row = bucket_row(shape, bucket, cursor->first_bits, order->rows[i + ORDER_AHEAD], &outcome);
		for (int j = 0; j < shape->width; j += 8)
			__builtin_prefetch(row + j);
		__builtin_prefetch(row + shape->width - 1);
		__builtin_prefetch(outcome);
	}
	row = bucket_row(shape, bucket, cursor->first_bits, order->rows[i], &outcome);
	*churned = *outcome != 0;
	*weight = shape->weighted ? row[shape->n] : 1;
	if (order->counts != NULL)
		*weight *= order->counts[i];
	return row;
}

#endif							/* RETENTION_CHURN_SAMPLE_ROWS_H */
