/*
 * cohort_state_log.h
 *	  Pairs of customer and period, partitioned by hash, in plain arrays.
 *
 * For keys of 32 bits under calendar periods a pair is one word; the key stands
 * in it mixed, as in a compact map.  Appending
 * it to the array of its partition is a sequential write, where a lookup in a
 * large hash table is a cache miss.  Arrays serve twice:
 *	  staging	rows on their way into a compact map: a partition's are worked
 *				off together, when its slots are in the cache
 *	  log		where periods are too many for masks (days over years): the
 *				pairs are what is kept, sorted and made distinct from time to time
 *
 * Promises: a log holds at most four times its distinct pairs, and slack.
 * Never: knows about rows, zones or parameters.
 */
#ifndef RETENTION_COHORT_STATE_LOG_H
#define RETENTION_COHORT_STATE_LOG_H

#include "calendar/calendar.h"
#include "customer/customer_map.h"

typedef struct LogPartition
{
	uint64	   *pairs;
	uint32		n;
	uint32		capacity;
	uint32		sorted;			/* so many from the start are ascending, distinct */
	uint32		tidy_at;		/* log: sort again when there are so many */
} LogPartition;

typedef struct PeriodLog
{
	MemoryContext context;
	int			shift;			/* mixed key >> shift is the partition */
	int			npartitions;
	StepCache	periods;		/* of the state's calendar, at hand */
	LogPartition partitions[MAP_PARTITIONS];
} PeriodLog;

/*
 * A log has the partitions of a map.  Staging has fewer, so that the lines
 * being written stay in the first cache.
 */
#define LOG_SHIFT	24
#define STAGE_SHIFT	26

/* Pairs sort by customer, then by period. */
static inline uint64
log_pair(uint32 mixed, int32 period)
{
	return (uint64) mixed << 32 | ((uint32) period ^ 0x80000000);
}

static inline uint32
log_key(uint64 pair)
{
	return (uint32) (pair >> 32);
}

static inline int32
log_period(uint64 pair)
{
	return (int32) ((uint32) pair ^ 0x80000000);
}

/* Partitions with room for so many pairs each. */
extern PeriodLog *period_log_create(MemoryContext context, const Calendar *calendar, int shift,
									uint32 capacity);
extern void period_log_free(PeriodLog *log);

/* Room for at least "more" pairs in a log's partition. */
extern void period_log_make_room(PeriodLog *log, LogPartition *p, uint32 more);

/* Sorts a partition and removes duplicates. */
extern void period_log_tidy(LogPartition *p);

#endif							/* RETENTION_COHORT_STATE_LOG_H */
