/*
 * survival_sort.h
 *	  Rows of a survival_table in the orders in which tests and competing causes
 *	  look at them.
 *
 * Promises: durations are compared as they were given: whole numbers as such,
 * however large.  Sorting can be cancelled.
 * Never: estimates anything.
 */
#ifndef RETENTION_SURVIVAL_SORT_H
#define RETENTION_SURVIVAL_SORT_H

#include "survival/survival.h"

/* Whole numbers whose order is that of durations and entries. */
extern int64 survival_time_order(const SurvivalTable *table, const SurvivalRow *row);
extern int64 survival_entry_order(const SurvivalTable *table, const SurvivalRow *row);

/* A row of somebody's array: which, and by what it is sorted. */
typedef struct EntryOrder
{
	int32		stratum;
	int64		entry;
	size_t		row;
} EntryOrder;

/* Sorts by stratum, then entry; returns the rows in that order.  n > 0. */
extern size_t *survival_by_entry(EntryOrder *entries, size_t n);

/* palloc() of any size, for n things */
extern void *survival_alloc(size_t n, Size size);

#endif							/* RETENTION_SURVIVAL_SORT_H */
