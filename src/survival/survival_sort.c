/*
 * survival_sort.c
 *	  Rows of a survival_table in the orders in which tests and competing causes
 *	  look at them.
 *
 * Promises: see survival_sort.h.
 */
#include "survival/survival_sort.h"

#include "miscadmin.h"

/* Doubles in order, -0 and 0 the same; never NaN. */
static int64
real_order(double value)
{
	int64		bits;

	if (value == 0)
		return 0;
	memcpy(&bits, &value, sizeof(bits));
	/* below 0 the larger bits are the smaller number */
	return bits < 0 ? PG_INT64_MIN - bits : bits;
}

int64
survival_time_order(const SurvivalTable *table, const SurvivalRow *row)
{
	return table->kind == DURATION_FLOAT ? real_order(row->real) : row->whole;
}

int64
survival_entry_order(const SurvivalTable *table, const SurvivalRow *row)
{
	return table->kind == DURATION_FLOAT ? real_order(row->entry_real) : row->entry_whole;
}

static int
survival_sort_compare_entries(const void *a, const void *b, void *arg)
{
	const EntryOrder *left = a;
	const EntryOrder *right = b;

	if (left->stratum != right->stratum)
		return left->stratum < right->stratum ? -1 : 1;
	if (left->entry != right->entry)
		return left->entry < right->entry ? -1 : 1;
	return left->row < right->row ? -1 : left->row > right->row;
}

size_t *
survival_by_entry(EntryOrder *entries, size_t n)
{
	size_t	   *rows = survival_alloc(n, sizeof(size_t));

	qsort_interruptible(entries, n, sizeof(EntryOrder), survival_sort_compare_entries, NULL);
	for (size_t i = 0; i < n; i++)
	{
		if (i % 65536 == 65535)
			CHECK_FOR_INTERRUPTS();
		rows[i] = entries[i].row;
	}
	return rows;
}

void *
survival_alloc(size_t n, Size size)
{
	return MemoryContextAllocHuge(CurrentMemoryContext, Max(n, 1) * size);
}
