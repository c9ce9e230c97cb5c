/*
 * churn_levels.h
 *	  The labels of a text feature, numbered in the order in which they come.
 *
 * Memory is that of the labels and some 30 bytes each: nothing is allocated
 * before the first, and a few labels are searched, not hashed into a table.
 *
 * Ownership: lives in the memory context that is given with each new label.
 * Promises: labels are told apart by their bytes.
 * Never: forgets a label.
 */
#ifndef RETENTION_CHURN_LEVELS_H
#define RETENTION_CHURN_LEVELS_H

#include "retention.h"

typedef struct DictionaryLabel
{
	uint64		offset;			/* of its bytes */
	uint32		length;
	uint32		hash;			/* of its bytes */
	uint32		count;			/* rows that have it */
} DictionaryLabel;

/* All zero: empty. */
typedef struct Dictionary
{
	uint32		n;
	uint32		max;
	DictionaryLabel *labels;
	char	   *bytes;
	Size		used;
	Size		size;
	uint32	   *slots;			/* number + 1; 0: free.  NULL while there are few labels */
	uint32		mask;
} Dictionary;

/* The number of a label, which is counted. */
extern uint32 dictionary_count(Dictionary *dictionary, MemoryContext context, const char *text,
							   int length);

static inline const char *
dictionary_text(const Dictionary *dictionary, uint32 number)
{
	return dictionary->bytes + dictionary->labels[number].offset;
}

/* By bytes, the shorter first. */
extern int	dictionary_compare(const Dictionary *dictionary, uint32 a, uint32 b);

#endif							/* RETENTION_CHURN_LEVELS_H */
