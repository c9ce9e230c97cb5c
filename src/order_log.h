/*
 * order_log.h
 *	  Orders as customer, day and amount, partitioned by customer, in plain arrays.
 *
 * An entry is two words: the customer, known by a number of 32 bits that stands
 * in it mixed, with the day below; and the amount.  Appending it to the array of
 * its customer's partition is a sequential write, where a lookup in a large hash
 * table is a cache miss.  From time to time a partition is sorted, and entries
 * of one customer and day become one.  A small log is one partition.
 *
 * Promises: a log holds at most four times its distinct customer-days, and
 * slack; amounts are added exactly, so that what a log comes to does not depend
 * on the order of entries.
 * Never: knows about rows, keys, zones or models.
 */
#ifndef RETENTION_ORDER_LOG_H
#define RETENTION_ORDER_LOG_H

#include "arena.h"
#include "history.h"

typedef struct OrderEntry
{
	uint64		key;			/* see order_key() */
	uint64		amount;			/* see below */
} OrderEntry;

/* Entries sort by customer, then by day. */
static inline uint64
order_key(uint32 mixed, DateADT day)
{
	return (uint64) mixed << 32 | ((uint32) day ^ 0x80000000);
}

static inline uint32
order_mixed(const OrderEntry *entry)
{
	return (uint32) (entry->key >> 32);
}

static inline DateADT
order_day(const OrderEntry *entry)
{
	return (DateADT) ((uint32) entry->key ^ 0x80000000);
}

/*
 * An amount in one word: its integer, and below that its scale + 1.  The word
 * is 0 where there is no amount, and where the amount does not fit, an offset
 * into the arena of such amounts.
 */
#define ORDER_UNPAID		UINT64CONST(0)
#define ORDER_TAG_BITS		5
#define ORDER_TAG_MASK		((UINT64CONST(1) << ORDER_TAG_BITS) - 1)
#define ORDER_TAG_BIG		ORDER_TAG_MASK
#define ORDER_TAG_LAST		19	/* of integers: amount_from_datum() has no larger scale there */
#define ORDER_VALUE_MAX		(INT64CONST(1) << 58)	/* exclusive */

static inline bool
order_value_fits(int64 value)
{
	return value < ORDER_VALUE_MAX && value > -ORDER_VALUE_MAX;
}

static inline uint64
order_word(int64 value, uint64 tag)
{
	return (uint64) value << ORDER_TAG_BITS | tag;
}

static inline int64
order_value(uint64 word)
{
	return (int64) word >> ORDER_TAG_BITS;
}

typedef struct OrderPartition
{
	OrderEntry *entries;
	uint32		n;
	uint32		capacity;
	uint32		sorted;			/* so many from the start are ascending, distinct */
	uint32		tidy_at;		/* sort again when there are so many */
} OrderPartition;

#define ORDER_PARTITIONS	256
#define ORDER_SHIFT			24	/* mixed >> shift is the partition */
#define ORDER_SHIFT_SINGLE	32

typedef struct OrderLog
{
	MemoryContext context;
	OrderPartition *partitions; /* &single, or an array of ORDER_PARTITIONS */
	OrderPartition single;
	Arena	   *big;			/* amounts too large for a word; NULL: none yet */
	int			shift;
} OrderLog;

/* The log must not be moved afterwards. */
extern void order_log_init(OrderLog *log, MemoryContext context);

static inline int
order_log_partitions(const OrderLog *log)
{
	return log->shift == ORDER_SHIFT_SINGLE ? 1 : ORDER_PARTITIONS;
}

static inline OrderPartition *
order_log_partition(const OrderLog *log, uint32 mixed)
{
	return &log->partitions[(uint64) mixed >> log->shift];
}

/* A full partition, or the one that its customer has now, with room for an entry. */
extern OrderPartition *order_log_make_room(OrderLog *log, OrderPartition *p, uint32 mixed);

#define ORDER_AHEAD 4			/* entries to a cache line */

static pg_attribute_always_inline void
order_log_add(OrderLog *log, uint32 mixed, DateADT day, uint64 amount)
{
	OrderPartition *p = order_log_partition(log, mixed);
	OrderEntry *entry;

	if (unlikely(p->n == p->capacity))
		p = order_log_make_room(log, p, mixed);
	entry = &p->entries[p->n++];
	entry->key = order_key(mixed, day);
	entry->amount = amount;
	/* more streams than the processor foresees: a store would wait for its line */
	__builtin_prefetch(entry + ORDER_AHEAD, 1);
}

/* Room to sort in; starts without. */
typedef struct OrderScratch
{
	MemoryContext context;
	OrderEntry *entries;
	uint32		capacity;
} OrderScratch;

/*
 * Sorts a partition, and makes one of the entries of a customer's day.  Large
 * amounts leave garbage in the current context.
 */
extern void order_log_tidy(OrderLog *log, OrderPartition *p, OrderScratch *scratch);

/* Amounts; those that do not fit a word are copied into the log's arena. */
extern uint64 order_amount_store(OrderLog *log, const Amount *amount);
extern uint64 order_amount_datum(OrderLog *log, Datum value);
extern Amount order_amount_read(const OrderLog *log, uint64 word);

#endif							/* RETENTION_ORDER_LOG_H */
