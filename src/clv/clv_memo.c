/*
 * clv_memo.c
 *	  Answers about customers who agree, remembered.
 *
 * Promises: see clv_memo.h.
 */
#include "clv/clv_memo.h"

#include "utils/memutils.h"

void
clv_memo_init(ClvMemo *memo, MemoryContext context)
{
	memset(memo, 0, sizeof(ClvMemo));
	memo->context = context;
	memo->generation = 1;
}

void
clv_memo_forget(ClvMemo *memo)
{
	if (++memo->generation != 0)
		return;
	/* wrapped around: nothing old may look current */
	if (memo->entries != NULL)
		memset(memo->entries, 0, memo->size * sizeof(MemoEntry));
	memo->generation = 1;
}

static inline bool
is_about(const ClvMemo *memo, const MemoEntry *entry, const ClvCustomer *customer)
{
	return entry->generation == memo->generation && entry->x == customer->x &&
		entry->t_x == customer->t_x && entry->age == customer->age;
}

static pg_noinline void
clv_memo_enlarge(ClvMemo *memo)
{
	uint32		size = memo->entries == NULL ? MEMO_ENTRIES_FIRST :
	Min(memo->size * 8, MEMO_ENTRIES_MAX);
	MemoEntry  *entries = MemoryContextAllocZero(memo->context, size * sizeof(MemoEntry));

	if (memo->entries != NULL)
		pfree(memo->entries);
	memo->entries = entries;
	memo->size = size;
	memo->misses = 0;
}

MemoEntry *
clv_memo_find(ClvMemo *memo, const ClvCustomer *customer, bool *known)
{
	uint64		hash = clv_hash(customer->x, customer->t_x, customer->age) >> 32;
	MemoEntry  *entry;

	if (unlikely(memo->entries == NULL ||
				 (memo->misses > memo->size / 4 && memo->size < MEMO_ENTRIES_MAX)))
		clv_memo_enlarge(memo);
	entry = &memo->entries[hash & (memo->size - 1)];
	*known = is_about(memo, entry, customer);
	if (*known)
		return entry;
	/* its neighbour is the other place; the older of two is forgotten by turns */
	entry = &memo->entries[(hash ^ 1) & (memo->size - 1)];
	*known = is_about(memo, entry, customer);
	if (*known)
		return entry;
	memo->misses++;
	return &memo->entries[(hash ^ (memo->misses & 1)) & (memo->size - 1)];
}
