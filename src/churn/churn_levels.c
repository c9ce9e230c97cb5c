/*
 * churn_levels.c
 *	  The labels of a text feature, numbered in the order in which they come.
 *
 * Promises: see churn_levels.h.
 */
#include "churn/churn_levels.h"

#include "common/hashfn.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#define SEARCHED	8			/* so many labels need no table */

static inline bool
churn_levels_is_label(const Dictionary *dictionary, uint32 number, uint32 hash, const char *text, int length)
{
	const DictionaryLabel *label = &dictionary->labels[number];

	return label->hash == hash && label->length == length &&
		memcmp(dictionary->bytes + label->offset, text, length) == 0;
}

static void
slot_fill(Dictionary *dictionary, uint32 number)
{
	uint32		slot = dictionary->labels[number].hash & dictionary->mask;

	while (dictionary->slots[slot] != 0)
		slot = (slot + 1) & dictionary->mask;
	dictionary->slots[slot] = number + 1;
}

/* A table twice to four times as large as the labels that there is room for. */
static void
table_make(Dictionary *dictionary, MemoryContext context)
{
	uint64		slots = (uint64) pg_nextpower2_32(dictionary->max) * 2;

	if (dictionary->slots != NULL)
		pfree(dictionary->slots);
	dictionary->slots = MemoryContextAllocExtended(context, slots * sizeof(uint32),
												   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	dictionary->mask = slots - 1;
	for (uint32 i = 0; i < dictionary->n; i++)
		slot_fill(dictionary, i);
}

static void
labels_grow(Dictionary *dictionary, MemoryContext context)
{
	uint32		max = dictionary->max == 0 ? 4 : dictionary->max * 2;
	Size		size = max * sizeof(DictionaryLabel);

	/* 2^30 labels are some 30 GB */
	if (max > (1U << 30))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a text feature has too many different values")));
	dictionary->labels = dictionary->labels == NULL ? MemoryContextAlloc(context, size) :
		repalloc_huge(dictionary->labels, size);
	dictionary->max = max;
	if (max > SEARCHED)
		table_make(dictionary, context);
}

static uint64
bytes_add(Dictionary *dictionary, MemoryContext context, const char *text, int length)
{
	uint64		offset = dictionary->used;

	if (dictionary->size - dictionary->used < length)
	{
		Size		size = Max(dictionary->size * 2, Max(64, dictionary->used + length));

		dictionary->bytes = dictionary->bytes == NULL ? MemoryContextAllocHuge(context, size) :
			repalloc_huge(dictionary->bytes, size);
		dictionary->size = size;
	}
	if (length > 0)
		memcpy(dictionary->bytes + offset, text, length);
	dictionary->used += length;
	return offset;
}

static uint32
label_add(Dictionary *dictionary, MemoryContext context, uint32 hash, const char *text,
		  int length)
{
	DictionaryLabel *label;

	if (dictionary->n == dictionary->max)
		labels_grow(dictionary, context);
	label = &dictionary->labels[dictionary->n];
	label->offset = bytes_add(dictionary, context, text, length);
	label->length = length;
	label->hash = hash;
	label->count = 0;
	dictionary->n++;
	if (dictionary->slots != NULL)
		slot_fill(dictionary, dictionary->n - 1);
	return dictionary->n - 1;
}

/* Its number, or n. */
static uint32
label_find(const Dictionary *dictionary, uint32 hash, const char *text, int length)
{
	uint32		slot;

	if (dictionary->slots == NULL)
	{
		uint32		i = 0;

		while (i < dictionary->n && !churn_levels_is_label(dictionary, i, hash, text, length))
			i++;
		return i;
	}
	for (slot = hash & dictionary->mask; dictionary->slots[slot] != 0;
		 slot = (slot + 1) & dictionary->mask)
		if (churn_levels_is_label(dictionary, dictionary->slots[slot] - 1, hash, text, length))
			return dictionary->slots[slot] - 1;
	return dictionary->n;
}

uint32
dictionary_count(Dictionary *dictionary, MemoryContext context, const char *text, int length)
{
	uint32		hash = hash_bytes((const unsigned char *) text, length);
	uint32		number = label_find(dictionary, hash, text, length);

	if (number == dictionary->n)
		number = label_add(dictionary, context, hash, text, length);
	dictionary->labels[number].count++;
	return number;
}

int
dictionary_compare(const Dictionary *dictionary, uint32 a, uint32 b)
{
	const DictionaryLabel *x = &dictionary->labels[a];
	const DictionaryLabel *y = &dictionary->labels[b];
	int			order = memcmp(dictionary->bytes + x->offset, dictionary->bytes + y->offset,
							   Min(x->length, y->length));

	return order != 0 ? order : (x->length > y->length) - (x->length < y->length);
}
