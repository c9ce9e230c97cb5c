/*
 * survival_tally.h
 *	  The state behind survival_curve(), logrank() and competing_risks(): rows
 *	  tallied as they come.
 *
 * A tally has what the form of the aggregate has: words of
 *	  [group and stratum] duration [entry] [weight] cause and count
 * Distinct rows stand in a small hash; when that is full it is emptied into an
 * array, which is sorted and thinned out whenever it is full.
 *
 * Promises: memory is bounded by the number of distinct rows; a tally of one row
 * takes some 200 bytes; what it comes to depends on the rows alone.
 * Ownership: everything lies in the context given at creation.
 * Never: sees a Datum, or estimates anything.
 */
#ifndef RETENTION_SURVIVAL_TALLY_H
#define RETENTION_SURVIVAL_TALLY_H

#include "survival/survival_table.h"
#include "value/label_set.h"

#define TALLY_WORDS_MAX		5
#define TALLY_COUNT_BITS	48
#define TALLY_COUNT_MASK	((UINT64CONST(1) << TALLY_COUNT_BITS) - 1)

/* Why a row is not in the table: counted, to be told. */
typedef enum SurvivalLeftOut
{
	LEFT_OUT_STILL_THERE,		/* no duration, and no event: still there, most likely */
	LEFT_OUT_NULL,				/* another argument is NULL */
	LEFT_OUT_LATER,				/* started after as_of */
	LEFT_OUT_KINDS
} SurvivalLeftOut;

typedef struct SurvivalTally
{
	MemoryContext context;
	uint8		kind;			/* DurationKind */
	uint8		flags;			/* SURVIVAL_ENTRY and so on */
	uint8		words;			/* of an item */
	uint8		shift;			/* 64 - log2 of the slots */
	uint32		used;			/* slots */
	uint64	   *slots;			/* a power of two; last word 0: free */
	uint64	   *items;			/* ascending until "sorted", then as they came */
	int64		nitems;
	int64		sorted;
	int64		room;
	LabelSet   *groups;
	LabelSet   *strata;
	LabelSet   *causes;
	int64		left_out[LEFT_OUT_KINDS];	/* rows that are not in it */
} SurvivalTally;

/* The number of a label, which gets the next one if it is new; "what" is for errors. */
extern int	survival_label_number(LabelSet **labels, const char *text, int len, const char *what);

extern SurvivalTally *survival_tally_create(DurationKind kind, uint8 flags, MemoryContext context);

/* Counts a row as often as its last word says. */
extern void survival_tally_slow(SurvivalTally *tally, const uint64 *item);

/* Adds another tally of the same form, which stays as it is. */
extern void survival_tally_merge(SurvivalTally *tally, const SurvivalTally *more);

/* The value; "exact_form": with weights where all are 1, as another tally needs it. */
extern SurvivalTableValue *survival_tally_value(SurvivalTally *tally, bool exact_form);

/* A tally of what was written so. */
extern SurvivalTally *survival_tally_read(const SurvivalTableValue *value, MemoryContext context);

/* No rows at all. */
extern SurvivalTableValue *survival_value_empty(void);

/* No rows but those left out. */
static inline bool
survival_tally_is_empty(const SurvivalTally *tally)
{
	return tally->used == 0 && tally->nitems == 0;
}

static pg_attribute_always_inline uint32
survival_tally_place(const SurvivalTally *tally, const uint64 *item, int words)
{
	uint64		hash = (item[words - 1] >> TALLY_COUNT_BITS) * UINT64CONST(0xbf58476d1ce4e5b9);

	for (int i = 0; i < words - 1; i++)
		hash = (hash ^ hash >> 32 ^ item[i]) * UINT64CONST(0x9e3779b97f4a7c15);
	return (uint32) (hash >> tally->shift);
}

/* Where an item stands, or would. */
static pg_attribute_always_inline uint64 *
survival_tally_find(const SurvivalTally *tally, const uint64 *item, int words)
{
	uint32		mask = (uint32) (PG_UINT64_MAX >> tally->shift);

	for (uint32 place = survival_tally_place(tally, item, words);; place = (place + 1) & mask)
	{
		uint64	   *slot = tally->slots + (Size) place * words;
		bool		same = slot[words - 1] >> TALLY_COUNT_BITS == item[words - 1] >> TALLY_COUNT_BITS;

		if (slot[words - 1] == 0)
			return slot;
		for (int i = 0; i < words - 1; i++)
			same &= slot[i] == item[i];
		if (same)
			return slot;
	}
}

/* Most rows are like one that has come lately. */
static pg_attribute_always_inline void
survival_tally_add(SurvivalTally *tally, const uint64 *item, int words)
{
	uint64	   *slot = survival_tally_find(tally, item, words);

	if (likely(slot[words - 1] != 0))
		slot[words - 1] += item[words - 1] & TALLY_COUNT_MASK;
	else
		survival_tally_slow(tally, item);
}

#endif							/* RETENTION_SURVIVAL_TALLY_H */
