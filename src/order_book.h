/*
 * order_book.h
 *	  From rows of an orders table to each customer's days: the transition state
 *	  of the one-pass clv_model().
 *
 * Customers whose keys fit 32 bits are known by their keys; others by numbers,
 * in the order in which they came, from a map that is as large as their keys.
 * Rows of the latter wait until there are some dozens, so that the misses of
 * their lookups overlap, and until then there is no map: a group of few rows
 * stays small.
 *
 * Working off what waits, and sorting, change the form of a book, never its
 * content.
 *
 * Ownership: a book and all it points to live in the aggregate's context;
 * OrderShared lives as long as the query.
 * Promises: what a book holds does not depend on the order of rows, nor on how
 * they were split.
 * Never: knows what is made of the days.
 */
#ifndef RETENTION_ORDER_BOOK_H
#define RETENTION_ORDER_BOOK_H

#include "calendar.h"
#include "clv.h"
#include "clv_sample.h"
#include "customer_map.h"
#include "order_log.h"

/* What was asked; equal in all books that are merged. */
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
	KeyType		key;
	bool		short_keys;		/* of 32 bits at most, whatever their value */
} OrderShared;

/* An order that waits for its customer's number. */
typedef struct WaitingOrder
{
	uint64		hash;
	uint64		word;			/* key word; or length << 32 | place in bytes */
	uint64		amount;
	uint64	   *near;			/* by-reference keys: slot with the same tag, or NULL */
	DateADT		day;
} WaitingOrder;

typedef struct WaitingOrders
{
	uint32		n;
	uint32		capacity;
	uint32		bytes_used;
	uint32		bytes_size;
	WaitingOrder *orders;
	char	   *bytes;			/* by-reference keys */
} WaitingOrders;

typedef struct OrderBook
{
	int			magic;			/* ORDER_BOOK_MAGIC, against an OrderImage */
	bool		numbered;		/* customers are known by numbers */
	DateADT		latest;			/* DATEVAL_NOBEGIN: no order yet */
	int64		skipped;		/* rows without customer or time */
	OrderShared *shared;
	WaitingOrders *waiting;		/* numbered only; NULL while none has come */
	CustomerMap *map;			/* key -> number + 1; NULL while all orders wait */
	OrderLog	log;
} OrderBook;

/* a block of 128 bytes: there may be a million groups */
StaticAssertDecl(sizeof(OrderBook) <= 128, "OrderBook has grown past a block size");

#define ORDER_BOOK_MAGIC	0x524f424b
#define ORDER_IMAGE_MAGIC	0x524f424d

/* A serialized book, as combine finds it: the bytes, read in place. */
typedef struct OrderImage
{
	int			magic;			/* ORDER_IMAGE_MAGIC */
	const char *data;
	Size		len;
} OrderImage;

/* Terms and key type, in a context that lives as long as the query. */
extern OrderShared *order_shared_create(const OrderTerms *terms, Oid keytype, Oid collation,
										MemoryContext query_context);

/* NULL, or the name of a term in which two differ. */
extern const char *order_terms_differ(const OrderTerms *a, const OrderTerms *b);

/* The error of a term that is not the same in all rows. */
extern void order_terms_error(const char *name);

extern OrderBook *order_book_create(OrderShared *shared, MemoryContext context);

/* An order; its amount was stored in the log of this book. */
extern void order_book_add(OrderBook *book, const Key *key, DateADT day, uint64 amount);

/* A customer known by number, and as it stands in the log: mixed. */
extern uint32 order_book_number(OrderBook *book, const Key *key);

/* Does a key fit the log as it is? */
static inline bool
order_key_is_short(const OrderShared *shared, Datum customer)
{
	return shared->short_keys ||
		(shared->key.kind == KEY_WORD && (uint64) customer >> 32 == 0);
}

/* From now on customers are known by numbers. */
extern void order_book_make_numbered(OrderBook *book);

/*
 * The book with nothing left waiting: itself, or, where all was waiting, a
 * copy in the current context.
 */
extern OrderBook *order_book_settled(OrderBook *book);

/* Walks the customers of a settled book; start zeroed. */
typedef struct OrderCursor
{
	int			partition;
	uint32		position;		/* where the next customer starts */
	OrderScratch scratch;
	MemoryContext garbage;
} OrderCursor;

/* The next customer's orders, one a day, ascending; NULL at the end. */
extern const OrderEntry *order_book_next(OrderBook *book, OrderCursor *cursor, uint32 *n);

/* ---------- between processes (order_image.c) ---------- */

extern bytea *order_book_serialize(OrderBook *book);

/*
 * Adds an image to a book; *book may be NULL.  *shared is the list of all terms
 * that the call site has met.
 */
extern void order_book_merge(OrderBook **book, OrderShared **shared, MemoryContext context,
							 MemoryContext query_context, const OrderImage *image);

#endif							/* RETENTION_ORDER_BOOK_H */
