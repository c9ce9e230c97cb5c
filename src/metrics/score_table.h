/*
 * score_table.h
 *	  Scores and what came true: the score_table value, and pairs on their way to
 *	  a metric.
 *
 * A metric is computed from distinct scores with their numbers of positives
 * (label true) and negatives (models/ranking.h).  Those come from a score_table,
 * or from the sorted pairs of an aggregate; so both give the same bits.
 *
 * Bytes of a score_table: tag and flags (none), and for each distinct score,
 * ascending, in the forms of byte_reader.h, the score, positives and negatives,
 * which are not both 0.  There is at least one score.
 *
 * Promises: -0 and 0 are one score, NaN is none; equal tables have equal bytes.
 * Never: estimates anything.
 */
#ifndef RETENTION_SCORE_TABLE_H
#define RETENTION_SCORE_TABLE_H

#include "retention.h"
#include "models/metrics/roc.h"
#include "value/byte_reader.h"
#include "value/value_type.h"

typedef struct varlena ScoreTable;

extern const ValueType score_table_type;

#define PG_GETARG_SCORE_TABLE(n) ((ScoreTable *) value_get(fcinfo, n, &score_table_type))

/* 22023 for NaN. */
extern void score_nan_error(void);

static inline uint64
score_key(double score)
{
	if (unlikely(score != score))
		score_nan_error();
	return rank_key(score);
}

/* What models/ call now and then. */

/* ---------- the value (score_table.c) ---------- */

/* NULL, or what is wrong with the bytes. */
extern const char *score_table_check(const char *data, Size len);

/* 54000 where a table would be too large. */
extern ScoreTable *score_table_pack(const RankSource *source);
extern ScoreTable *score_table_merge(const ScoreTable *a, const ScoreTable *b);

/* How much a table takes (value_type.h). */
extern double score_table_load(const ScoreTable *value);

/* A table, read from its bytes as often as one likes. */
typedef struct ScoreReader
{
	const uint8 *start;			/* of the first score */
	ByteReader	bytes;
	double		last;			/* score read */
	int64		scores;			/* distinct ones; set by score_table_source() */
} ScoreReader;

/* Reads all of it once; corruption is an error. */
extern RankSource score_table_source(const ScoreTable *value, ScoreReader *reader);

/* ---------- pairs of an aggregate (score_agg.c) ---------- */

typedef struct ScoreState ScoreState;

/* What an aggregate is asked beyond its pairs, the same in all rows. */
typedef enum ScoreAsked
{
	ASKED_NOTHING,
	ASKED_CLIP,					/* numbers[0] */
	ASKED_COSTS,				/* of a false positive, a false negative */
	ASKED_CAPACITY				/* capacity */
} ScoreAsked;

typedef struct ScoreQuestion
{
	ScoreAsked	asked;
	double		numbers[2];
	int64		capacity;
} ScoreQuestion;

/* 22023 unless they are of a kind that can be asked. */
extern void score_check_clip(double clip);
extern void score_check_costs(double false_positive, double false_negative);
extern void score_check_capacity(int64 capacity);

/*
 * The pairs as tallies; *keys must live as long.  False if there are none.
 * Puts the pairs of the state in order, which no later row notices.
 */
extern bool score_state_source(ScoreState *state, RankKeys *keys, RankSource *source);
extern const ScoreQuestion *score_state_question(const ScoreState *state);

#endif							/* RETENTION_SCORE_TABLE_H */
