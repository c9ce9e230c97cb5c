/*
 * clv_memo.h
 *	  Answers about customers who agree, remembered.
 *
 * A million customers are about a hundred thousand different (x, t_x, age), and
 * half of them a few hundred: what a model says of one it says of all of them.
 * The memo has a fixed place for each question and forgets what stood there; it
 * grows while it forgets too much, up to some megabytes.
 *
 * Promises: gives back what was put in for the very same customer, or nothing.
 * Never: grows beyond MEMO_ENTRIES_MAX.
 */
#ifndef RETENTION_CLV_MEMO_H
#define RETENTION_CLV_MEMO_H

#include "clv/clv.h"

typedef struct MemoEntry
{
	double		x;
	double		t_x;
	double		age;
	double		value;
	uint32		generation;		/* 0: empty */
} MemoEntry;

#define MEMO_ENTRIES_FIRST	256 /* powers of two */
#define MEMO_ENTRIES_MAX	262144

typedef struct ClvMemo
{
	MemoryContext context;
	MemoEntry  *entries;		/* NULL before the first question */
	uint32		size;
	uint32		misses;			/* since it last grew */
	uint32		generation;		/* of the question that is asked now */
} ClvMemo;

/* Zeroed but for the context, a memo is empty. */
extern void clv_memo_init(ClvMemo *memo, MemoryContext context);

/* From now on another question is asked. */
extern void clv_memo_forget(ClvMemo *memo);

/*
 * The entry of a customer: with the answer if *known, else to be filled in with
 * clv_memo_put() before the next question.
 */
extern MemoEntry *clv_memo_find(ClvMemo *memo, const ClvCustomer *customer, bool *known);

static inline void
clv_memo_put(const ClvMemo *memo, MemoEntry *entry, const ClvCustomer *customer, double value)
{
	entry->x = customer->x;
	entry->t_x = customer->t_x;
	entry->age = customer->age;
	entry->value = value;
	entry->generation = memo->generation;
}

#endif							/* RETENTION_CLV_MEMO_H */
