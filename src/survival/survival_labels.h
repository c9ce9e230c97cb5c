/*
 * survival_labels.h
 *	  Groups, strata and causes by number, in the order in which they came.
 *
 * Promises: a label is found by one look into a hash; a handful of labels takes
 * some 200 bytes.
 * Ownership: everything lies in the context given at creation.
 * Never: knows what is labelled.
 */
#ifndef RETENTION_SURVIVAL_LABELS_H
#define RETENTION_SURVIVAL_LABELS_H

#include "retention.h"

#define SURVIVAL_LABEL_MAX	255		/* bytes */
#define SURVIVAL_LABELS_MAX 0x7fff	/* a cause is 16 bits beside a count */

typedef struct SurvivalLabels
{
	MemoryContext context;
	int			n;
	int			room;			/* a power of two */
	int			last;			/* the one that was found last */
	char	  **text;
	uint32	   *hash;
	uint16	   *slots;			/* 2 * room: number + 1, 0 for none */
} SurvivalLabels;

extern SurvivalLabels *survival_labels_create(MemoryContext context);

/* The number of a label, which gets the next one if it is new; "what" is for errors. */
extern int	survival_labels_number(SurvivalLabels *labels, const char *text, int len,
								   const char *what);

/* Ascending: whole numbers first, by value, then by bytes. */
extern int	survival_label_compare(const char *a, const char *b);

/*
 * order[i] is the number of the label that is the i-th when they ascend, rank[]
 * the inverse; both palloc'd.  Returns whether they ascend already.
 */
extern bool survival_labels_sort(char **text, int n, int **order, int **rank);

#endif							/* RETENTION_SURVIVAL_LABELS_H */
