/*
 * score_keys.h
 *	  Scores on their way to a metric: the keys of rows, negatives apart from
 *	  positives.
 *
 * A row is one key (models/ranking.h), or two where two scores are compared.
 * Arrays grow by repalloc(), which, once they are large, moves pages and copies
 * nothing where the C library can.
 *
 * Promises: 8 bytes a key, and what is grown in advance; a few rows take less than
 * 200 bytes in all.
 * Never: knows what a score is for.
 */
#ifndef RETENTION_SCORE_KEYS_H
#define RETENTION_SCORE_KEYS_H

#include "metrics/score_table.h"
#include "utils/memutils.h"

typedef struct ScoreArray
{
	uint64	   *keys;			/* NULL as long as there is no room */
	Size		n;				/* rows */
	Size		room;
} ScoreArray;

typedef struct ScoreKeys
{
	MemoryContext context;
	int			width;			/* keys of a row */
	ScoreArray	of[2];			/* by label: negatives, positives */
} ScoreKeys;

/* Empty, of a zeroed state. */
static inline void
score_keys_init(ScoreKeys *keys, int width, MemoryContext context)
{
	keys->context = context;
	keys->width = width;
}

extern void score_keys_enlarge(ScoreKeys *keys, int label, Size n);

/* The next row of a class, to be written. */
static inline uint64 *
score_keys_next(ScoreKeys *keys, bool label, int width)
{
	ScoreArray *array = &keys->of[label ? 1 : 0];

	if (unlikely(array->n == array->room))
		score_keys_enlarge(keys, label ? 1 : 0, array->n + 1);
	return array->keys + width * array->n++;
}

extern void score_keys_merge(ScoreKeys *keys, const ScoreKeys *more);

/* A state for another process of this server: "head", then the keys; 54000 beyond 1 GB. */
extern bytea *score_keys_serialize(const ScoreKeys *keys, const void *head, Size size);

/* Adds what was so written; keys are empty. */
extern void score_keys_deserialize(ScoreKeys *keys, const bytea *bytes, void *head, Size size);

#endif							/* RETENTION_SCORE_KEYS_H */
