/*
 * event_log.h
 *	  Entries of customers and points of time, partitioned by customer, in plain
 *	  arrays.
 *
 * An entry is two words: the customer, known by a number of 32 bits that stands
 * in it mixed, with a day or period below; and a word whose meaning is the
 * caller's.  Appending it to the array of its customer's partition is a
 * sequential write, where a lookup in a large hash table is a cache miss.  From
 * time to time a partition is sorted, and entries of one customer and time become
 * one: how, the caller says.  A small log is one partition.
 *
 * Promises: a log holds at most four times its distinct customers and times, and
 * slack; what it comes to does not depend on the order of entries, if that is so
 * for how two become one.
 * Never: knows about rows, keys, zones or what a word means.
 */
#ifndef RETENTION_EVENT_LOG_H
#define RETENTION_EVENT_LOG_H

#include "retention.h"

typedef struct Entry
{
	uint64		key;			/* see entry_key() */
	uint64		word;
} Entry;

/* Entries sort by customer, then by time. */
static inline uint64
entry_key(uint32 mixed, int32 time)
{
	return (uint64) mixed << 32 | ((uint32) time ^ 0x80000000);
}

static inline uint32
entry_mixed(const Entry *entry)
{
	return (uint32) (entry->key >> 32);
}

static inline int32
entry_time(const Entry *entry)
{
	return (int32) ((uint32) entry->key ^ 0x80000000);
}

typedef struct EntryPartition
{
	Entry	   *entries;
	uint32		n;
	uint32		capacity;
	uint32		sorted;			/* so many from the start are ascending, distinct */
	uint32		tidy_at;		/* sort again when there are so many */
} EntryPartition;

#define ENTRY_PARTITIONS	256
#define ENTRY_SHIFT			24	/* mixed >> shift is the partition */
#define ENTRY_SHIFT_SINGLE	32

struct EventLog;

/* What the words of a log are. */
typedef struct EntryKind
{
	/* One of two words of the same customer and time; commutative, associative. */
	uint64		(*merge) (struct EventLog *log, uint64 a, uint64 b);

	/*
	 * Do words stand for memory that "words" has, so that merging two changes it, and leaves
	 * garbage in the current context?
	 */
	bool		owning;
} EntryKind;

typedef struct EventLog
{
	MemoryContext context;
	EntryPartition *partitions; /* &single, or an array of ENTRY_PARTITIONS */
	EntryPartition single;
	const EntryKind *kind;
	void	   *words;			/* what words refer to; may be NULL */
	int			shift;
} EventLog;

/* The log must not be moved afterwards. */
extern void event_log_init(EventLog *log, const EntryKind *kind, void *words,
						   MemoryContext context);

static inline bool
event_log_owning(const EventLog *log)
{
	return log->kind->owning && log->words != NULL;
}

static inline int
event_log_partitions(const EventLog *log)
{
	return log->shift == ENTRY_SHIFT_SINGLE ? 1 : ENTRY_PARTITIONS;
}

static inline EntryPartition *
event_log_partition(const EventLog *log, uint32 mixed)
{
	return &log->partitions[(uint64) mixed >> log->shift];
}

/* A full partition, or the one that its customer has now, with room for an entry. */
extern EntryPartition *event_log_make_room(EventLog *log, EntryPartition *p, uint32 mixed);

#define ENTRIES_AHEAD 4			/* entries to a cache line */

static pg_attribute_always_inline void
event_log_add(EventLog *log, uint32 mixed, int32 time, uint64 word)
{
	EntryPartition *p = event_log_partition(log, mixed);
	Entry	   *entry;

	if (unlikely(p->n == p->capacity))
		p = event_log_make_room(log, p, mixed);
	entry = &p->entries[p->n++];
	entry->key = entry_key(mixed, time);
	entry->word = word;
	/* more streams than the processor foresees: a store would wait for its line */
	__builtin_prefetch(entry + ENTRIES_AHEAD, 1);
}

/* Room to sort in; starts without. */
typedef struct EntryScratch
{
	MemoryContext context;
	Entry	   *entries;
	uint32		capacity;
} EntryScratch;

/* Sorts a partition, and makes one of the entries of a customer and time. */
extern void event_log_tidy(EventLog *log, EntryPartition *p, EntryScratch *scratch);

#endif							/* RETENTION_EVENT_LOG_H */
