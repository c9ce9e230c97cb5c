/*
 * event_log.c
 *	  Entries of customers and points of time, partitioned by customer, in plain
 *	  arrays.
 *
 * Sorting is by radix: first by the customer into small buckets, which are
 * mostly one customer's entries and often in order of time already.
 */
#include "customer/event_log.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#define FIRST_ENTRIES	4
#define PARTITION_ENTRIES 64

/* A single partition of so many distinct entries is split. */
#define SPLIT_FROM		4096

/* Partitions are sorted for the first time when they hold so many. */
#define FIRST_TIDY_SINGLE 64
#define FIRST_TIDY		1024

/* Up to here, insertion costs less than counting digits. */
#define INSERTION_MAX	48
#define RADIX_BITS		8
#define BUCKET_BITS		12

void
event_log_init(EventLog *log, const EntryKind *kind, void *words, MemoryContext context)
{
	memset(log, 0, sizeof(EventLog));
	log->context = context;
	log->partitions = &log->single;
	log->kind = kind;
	log->words = words;
	log->shift = ENTRY_SHIFT_SINGLE;
	log->single.tidy_at = FIRST_TIDY_SINGLE;
}

/* ---------- sorting ---------- */

static void
reserve_scratch(EntryScratch *scratch, uint32 n)
{
	if (n <= scratch->capacity)
		return;
	if (scratch->entries != NULL)
		pfree(scratch->entries);
	/* partitions are about alike: room for the next one, too */
	scratch->capacity = Max(n + n / 8, PARTITION_ENTRIES);
	scratch->entries = MemoryContextAllocHuge(scratch->context,
											  sizeof(Entry) * (Size) scratch->capacity);
}

/* From one array into another, or in place. */
static inline void
event_log_insertion_sort(const Entry *from, Entry *to, uint32 n)
{
	for (uint32 i = 0; i < n; i++)
	{
		Entry		entry = from[i];
		uint32		at = i;

		for (; at > 0 && to[at - 1].key > entry.key; at--)
			to[at] = to[at - 1];
		to[at] = entry;
	}
}

/* The bits in which any two keys differ. */
static inline uint64
differing_bits(const Entry *v, uint32 n)
{
	uint64		differ = 0;

	for (uint32 i = 1; i < n; i++)
		differ |= v[i].key ^ v[0].key;
	return differ;
}

/* Counting sorts from the lowest differing bit up; in v, with as much scratch. */
static void
radix_sort(Entry *v, Entry *scratch, uint32 n)
{
	uint64		differ = differing_bits(v, n);
	Entry	   *from = v;
	Entry	   *to = scratch;

	while (differ != 0)
	{
		int			shift = pg_rightmost_one_pos64(differ);
		uint32		start[1 << RADIX_BITS] = {0};
		uint32		sum = 0;
		Entry	   *swap = from;

		for (uint32 i = 0; i < n; i++)
			start[from[i].key >> shift & ((1 << RADIX_BITS) - 1)]++;
		for (int d = 0; d < 1 << RADIX_BITS; d++)
		{
			uint32		count = start[d];

			start[d] = sum;
			sum += count;
		}
		for (uint32 i = 0; i < n; i++)
			to[start[from[i].key >> shift & ((1 << RADIX_BITS) - 1)]++] = from[i];
		from = to;
		to = swap;
		if (shift + RADIX_BITS >= 64)
			break;
		differ = differ >> (shift + RADIX_BITS) << (shift + RADIX_BITS);
	}
	if (from != v)
		memcpy(v, from, sizeof(Entry) * (Size) n);
}

/* By the highest differing bits into buckets of a few entries, then each bucket. */
static void
bucket_sort(Entry *v, Entry *scratch, uint32 n)
{
	uint64		differ = differing_bits(v, n);
	uint32		ends[1 << BUCKET_BITS];
	uint32		start = 0;
	int			bits = Min(BUCKET_BITS, pg_leftmost_one_pos32(n) - 2);
	int			shift;

	if (differ == 0)
		return;
	shift = Max(pg_leftmost_one_pos64(differ) + 1 - bits, 0);
	memset(ends, 0, sizeof(uint32) << bits);
	for (uint32 i = 0; i < n; i++)
		ends[v[i].key >> shift & ((1 << bits) - 1)]++;
	for (int d = 0; d < 1 << bits; d++)
	{
		uint32		count = ends[d];

		ends[d] = start;
		start += count;
	}
	for (uint32 i = 0; i < n; i++)
		scratch[ends[v[i].key >> shift & ((1 << bits) - 1)]++] = v[i];
	start = 0;
	for (int d = 0; d < 1 << bits; d++)
	{
		uint32		count = ends[d] - start;

		if (count <= INSERTION_MAX)
			event_log_insertion_sort(scratch + start, v + start, count);
		else
		{
			CHECK_FOR_INTERRUPTS();
			radix_sort(scratch + start, v + start, count);
			memcpy(v + start, scratch + start, sizeof(Entry) * (Size) count);
		}
		start = ends[d];
	}
}

/* Two ascending runs, of a and of b entries, become one. */
static void
merge_runs(Entry *v, uint32 a, uint32 b, Entry *scratch)
{
	uint32		to = a + b;

	memcpy(scratch, v + a, sizeof(Entry) * (Size) b);
	while (a > 0 && b > 0)
	{
		/* without a branch, which would be mispredicted half of the time */
		uint32		from_a = v[a - 1].key > scratch[b - 1].key;
		const Entry *last = from_a ? &v[a - 1] : &scratch[b - 1];

		v[--to] = *last;
		a -= from_a;
		b -= 1 - from_a;
	}
	memcpy(v, scratch, sizeof(Entry) * (Size) b);
}

static bool
is_ascending(const Entry *v, uint32 n)
{
	for (uint32 i = 1; i < n; i++)
		if (v[i - 1].key > v[i].key)
			return false;
	return true;
}

void
event_log_tidy(EventLog *log, EntryPartition *p, EntryScratch *scratch)
{
	Entry	   *v = p->entries;
	uint32		fresh = p->n - p->sorted;
	uint32		kept;

	if (fresh == 0)
		return;
	CHECK_FOR_INTERRUPTS();
	/* what another process sent is */
	if (!is_ascending(v + p->sorted, fresh))
	{
		if (fresh <= INSERTION_MAX)
			event_log_insertion_sort(v + p->sorted, v + p->sorted, fresh);
		else
		{
			reserve_scratch(scratch, fresh);
			bucket_sort(v + p->sorted, scratch->entries, fresh);
		}
	}
	kept = Max(p->sorted, 1) - 1;
	if (p->sorted > 0 && v[p->sorted - 1].key > v[p->sorted].key)
	{
		reserve_scratch(scratch, fresh);
		merge_runs(v, p->sorted, fresh, scratch->entries);
		kept = 0;
	}
	for (uint32 i = kept + 1; i < p->n; i++)
	{
		if (v[i].key == v[kept].key)
			v[kept].word = log->kind->merge(log, v[kept].word, v[i].word);
		else if (++kept != i)
			v[kept] = v[i];
	}
	p->n = p->sorted = kept + 1;
}

/* ---------- room ---------- */

static void
event_log_enlarge(EventLog *log, EntryPartition *p, uint64 capacity)
{
	if (capacity > PG_UINT32_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many customers and times for one aggregate")));
	p->entries = p->entries == NULL ?
		MemoryContextAllocHuge(log->context, sizeof(Entry) * (Size) capacity) :
		repalloc_huge(p->entries, sizeof(Entry) * (Size) capacity);
	p->capacity = (uint32) capacity;
}

/* From one partition, which must be tidy, to all of them. */
static void
event_log_split(EventLog *log)
{
	EntryPartition single = log->single;
	uint32		start = 0;

	Assert(single.sorted == single.n);
	memset(&log->single, 0, sizeof(EntryPartition));
	log->shift = ENTRY_SHIFT;
	log->partitions = MemoryContextAllocZero(log->context,
											 sizeof(EntryPartition) * ENTRY_PARTITIONS);
	for (int i = 0; i < ENTRY_PARTITIONS; i++)
	{
		EntryPartition *p = &log->partitions[i];
		uint32		end = start;

		while (end < single.n && entry_mixed(&single.entries[end]) >> ENTRY_SHIFT == i)
			end++;
		p->n = p->sorted = end - start;
		p->tidy_at = FIRST_TIDY;
		event_log_enlarge(log, p, Max(PARTITION_ENTRIES, 2 * (uint64) p->n));
		memcpy(p->entries, single.entries + start, sizeof(Entry) * (Size) p->n);
		start = end;
	}
	pfree(single.entries);
}

EntryPartition *
event_log_make_room(EventLog *log, EntryPartition *p, uint32 mixed)
{
	bool		full = p == &log->single && p->n >= SPLIT_FROM;

	if (p->n >= p->tidy_at || full)
	{
		uint32		least = p == &log->single ? FIRST_TIDY_SINGLE : FIRST_TIDY;
		EntryScratch scratch = {CurrentMemoryContext, NULL, 0};

		event_log_tidy(log, p, &scratch);
		if (scratch.entries != NULL)
			pfree(scratch.entries);
		p->tidy_at = (uint32) Min((uint64) Max(p->n, least / 4) * 4, PG_UINT32_MAX);
	}
	if (full && p->n >= SPLIT_FROM / 2)
	{
		event_log_split(log);
		p = &log->partitions[mixed >> ENTRY_SHIFT];
	}
	/* a quarter of it free, or making room would come too often */
	if (p->n >= p->capacity - p->capacity / 4)
		event_log_enlarge(log, p, p->capacity < FIRST_TIDY ? Max(FIRST_ENTRIES, 2 * (uint64) p->capacity) :
						  p->capacity + (uint64) p->capacity / 2);
	return p;
}
