/*
 * cohort_state_log.c
 *	  Pairs of customer and period, partitioned by hash, in plain arrays.
 *
 * Sorting is by radix: the pairs of one partition are a few hundred kilobytes,
 * and of their 64 bits only those that differ are looked at.
 */
#include "cohort/cohort_state_log.h"

#include "miscadmin.h"
#include "utils/memutils.h"

/* Below this, std insertion costs less than counting digits. */
#define RADIX_FROM	256
#define RADIX_BITS	11
#define RADIX_SIZE	(1 << RADIX_BITS)

#define FIRST_TIDY	4096

#define ST_SORT sort_pairs
#define ST_ELEMENT_TYPE uint64
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_DEFINE
#include "lib/sort_template.h"

static uint64 *
allocate_pairs(MemoryContext context, uint32 capacity)
{
	return MemoryContextAllocHuge(context, sizeof(uint64) * (Size) capacity);
}

PeriodLog *
period_log_create(MemoryContext context, const Calendar *calendar, int shift, uint32 capacity)
{
	PeriodLog  *log = MemoryContextAllocZero(context, sizeof(PeriodLog));

	log->context = context;
	log->shift = shift;
	log->periods = calendar->periods;
	log->npartitions = 1 << (32 - shift);
	for (int i = 0; i < log->npartitions; i++)
	{
		log->partitions[i].pairs = allocate_pairs(context, capacity);
		log->partitions[i].capacity = capacity;
		log->partitions[i].tidy_at = FIRST_TIDY;
	}
	return log;
}

void
period_log_free(PeriodLog *log)
{
	for (int i = 0; i < log->npartitions; i++)
		pfree(log->partitions[i].pairs);
	pfree(log);
}

/* One pass of counting sort by a digit. */
static void
radix_pass(const uint64 *from, uint64 *to, uint32 n, int shift)
{
	uint32		start[RADIX_SIZE] = {0};
	uint32		sum = 0;

	for (uint32 i = 0; i < n; i++)
		start[from[i] >> shift & (RADIX_SIZE - 1)]++;
	for (int d = 0; d < RADIX_SIZE; d++)
	{
		uint32		count = start[d];

		start[d] = sum;
		sum += count;
	}
	for (uint32 i = 0; i < n; i++)
		to[start[from[i] >> shift & (RADIX_SIZE - 1)]++] = from[i];
}

static void
sort_words(uint64 *v, uint32 n)
{
	uint64		differ = 0;
	uint64	   *scratch;
	uint64	   *from = v;
	uint64	   *to;

	if (n < RADIX_FROM)
	{
		if (n > 1)
			sort_pairs(v, n);
		return;
	}
	for (uint32 i = 1; i < n; i++)
		differ |= v[i] ^ v[0];
	to = scratch = palloc_extended(sizeof(uint64) * (Size) n, MCXT_ALLOC_HUGE);
	for (int shift = 0; shift < 64 && differ >> shift != 0;)
	{
		uint64	   *swap;

		/* skip to the next bit in which any two differ */
		if ((differ >> shift & 1) == 0)
		{
			shift++;
			continue;
		}
		CHECK_FOR_INTERRUPTS();
		radix_pass(from, to, n, shift);
		swap = from;
		from = to;
		to = swap;
		shift += RADIX_BITS;
	}
	if (from != v)
		memcpy(v, from, sizeof(uint64) * (Size) n);
	pfree(scratch);
}

void
period_log_tidy(LogPartition *p)
{
	uint32		kept = 0;

	if (p->sorted == p->n)
		return;
	sort_words(p->pairs, p->n);
	for (uint32 i = 0; i < p->n; i++)
		if (i == 0 || p->pairs[i] != p->pairs[kept - 1])
			p->pairs[kept++] = p->pairs[i];
	p->n = p->sorted = kept;
}

void
period_log_make_room(PeriodLog *log, LogPartition *p, uint32 more)
{
	uint64		needed;
	uint64		capacity;

	if (p->n + (uint64) more <= p->capacity)
		return;
	if (p->n >= p->tidy_at)
	{
		period_log_tidy(p);
		p->tidy_at = (uint32) Min((uint64) Max(p->n, FIRST_TIDY / 4) * 4, PG_UINT32_MAX);
	}
	needed = p->n + (uint64) more;
	if (needed <= p->capacity - p->capacity / 4)
		return;
	capacity = Max(needed + needed / 4, (uint64) p->capacity + p->capacity / 2);
	if (needed > PG_UINT32_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many customers and periods for one aggregate")));
	p->pairs = repalloc_huge(p->pairs, sizeof(uint64) * (Size) capacity);
	p->capacity = (uint32) capacity;
}
