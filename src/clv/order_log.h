/*
 * order_log.h
 *	  From rows of an orders table to each customer's days: the transition state
 *	  of the one-pass clv_model().
 *
 * A customer log (customer_log.h) with a customer's days as times, and amounts
 * (order_amount.h) as words.
 *
 * Ownership: a log and all it points to live in the aggregate's context;
 * OrderShared lives as long as the query.
 * Promises: what a log holds does not depend on the order of rows, nor on how
 * they were split.
 * Never: knows what is made of the days.
 */
#ifndef RETENTION_ORDER_LOG_H
#define RETENTION_ORDER_LOG_H

#include "calendar/calendar.h"
#include "clv/clv.h"
#include "clv/clv_sample.h"
#include "clv/order_amount.h"
#include "customer/customer_log.h"
#include "fmgr/state_transport.h"
#include "pgtime.h"
#include "utils/date.h"

/* What was asked; equal in all logs that are merged. */
typedef struct OrderTerms
{
	ClvSpec		spec;
	bool		has_as_of;
	bool		zoned;			/* times are timestamptz */
	DateADT		as_of;
	char		zone[TZ_STRLEN_MAX + 1];	/* "" where none was given or needed */
} OrderTerms;

/* Per query: terms and what is derived from them. */
typedef struct OrderShared
{
	struct OrderShared *next;	/* of a call site whose groups differ; combine only */
	OrderTerms	terms;
	LogKeys		keys;
} OrderShared;

typedef struct OrderLog
{
	int			magic;			/* ORDER_BOOK_MAGIC, against a StateImage */
	DateADT		latest;			/* DATEVAL_NOBEGIN: no order yet */
	bool		later;			/* some order came after as_of */
	int64		skipped;		/* rows without customer or time */
	OrderShared *shared;
	CustomerLog customers;
} OrderLog;

/* a block of 128 bytes: there may be a million groups */
StaticAssertDecl(sizeof(OrderLog) <= 128, "OrderBook has grown past a block size");

#define ORDER_BOOK_MAGIC	0x524f424b
#define ORDER_IMAGE_MAGIC	0x524f424d

/* Terms and key type, in a context that lives as long as the query. */
extern OrderShared *order_shared_create(const OrderTerms *terms, Oid keytype, Oid collation,
										MemoryContext query_context);

/* NULL, or the name of a term in which two differ. */
extern const char *order_terms_differ(const OrderTerms *a, const OrderTerms *b);

extern OrderLog *order_log_create(OrderShared *shared, MemoryContext context);

/* An order; its amount was stored in the log of this log. */
extern void order_log_add(OrderLog *log, const Key *key, DateADT day, uint64 amount);

/* ---------- between processes (order_log_serialize.c) ---------- */

extern bytea *order_log_serialize(OrderLog *log);

/*
 * Adds an image to a log; *log may be NULL.  *shared is the list of all terms
 * that the call site has met.
 */
extern void order_log_merge(OrderLog **log, OrderShared **shared, MemoryContext context,
							MemoryContext query_context, const StateImage *image);

#endif							/* RETENTION_ORDER_LOG_H */
