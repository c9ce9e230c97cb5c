/*
 * order_amount.h
 *	  Orders in an entry log: the amount of a customer's day as a word.
 *
 * Promises: amounts are added exactly, so that what a log comes to does not
 * depend on the order of entries.
 * Never: knows about rows, keys, zones or models.
 */
#ifndef RETENTION_ORDER_AMOUNT_H
#define RETENTION_ORDER_AMOUNT_H

#include "customer/event_log.h"
#include "value/amount.h"

/*
 * An amount in one word: its integer, and below that whether only money moved,
 * and its scale + 1.  The word is 0 where there is no amount, and where the amount
 * does not fit, an offset into the arena of such amounts.
 */
#define ORDER_UNPAID		UINT64CONST(0)
#define ORDER_TAG_BITS		5
#define ORDER_TAG_MASK		((UINT64CONST(1) << ORDER_TAG_BITS) - 1)
#define ORDER_TAG_BIG		ORDER_TAG_MASK
#define ORDER_TAG_LAST		19	/* of integers: amount_from_datum() has no larger scale there */
#define ORDER_MOVE			(UINT64CONST(1) << ORDER_TAG_BITS)	/* of negative amounts alone */
#define ORDER_LOW_BITS		(ORDER_TAG_BITS + 1)
#define ORDER_LOW_MASK		(ORDER_TAG_MASK | ORDER_MOVE)
#define ORDER_VALUE_MAX		(INT64CONST(1) << 57)	/* exclusive */

static inline bool
order_value_fits(int64 value)
{
	return value < ORDER_VALUE_MAX && value > -ORDER_VALUE_MAX;
}

/* low: the tag, and ORDER_MOVE or not */
static inline uint64
order_word(int64 value, uint64 low)
{
	return (uint64) value << ORDER_LOW_BITS | low;
}

static inline int64
order_value(uint64 word)
{
	return (int64) word >> ORDER_LOW_BITS;
}

/* Words are amounts; those too large for one lie in an arena, which is NULL until then. */
extern const EntryKind order_entries;

/*
 * Amounts; those that do not fit a word are copied into the log's arena.  move: 0
 * or ORDER_MOVE.
 */
extern uint64 order_amount_store(EventLog *log, const Amount *amount, uint64 move);

/* That of a row, whose sign says whether only money moved. */
extern uint64 order_amount_datum(EventLog *log, Datum value, Oid type);
extern Amount order_amount_read(const EventLog *log, uint64 word);

#endif							/* RETENTION_ORDER_AMOUNT_H */
