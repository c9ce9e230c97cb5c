/*
 * customer_log.h
 *	  From rows to the entries of each customer: what is behind the one-pass
 *	  aggregates that need a customer's rows in order of time.
 *
 * Customers whose keys fit 32 bits are known by their keys; others by numbers,
 * in the order in which they came, from a map that is as large as their keys.
 * Rows of the latter wait until there are some dozens, so that the misses of
 * their lookups overlap, and until then there is no map: a group of few rows
 * stays small.
 *
 * Working off what waits, and sorting, change the form of a log, never its
 * content.
 *
 * Ownership: a log and all it points to live in one context, but its LogKeys,
 * which live as long as the query.
 * Promises: what a log holds does not depend on the order of rows, nor on how
 * they were split.
 * Never: knows what is made of the entries.
 */
#ifndef RETENTION_CUSTOMER_LOG_H
#define RETENTION_CUSTOMER_LOG_H

#include "customer/customer_map.h"
#include "customer/event_log.h"

/* What is known of customers' keys; per query. */
typedef struct LogKeys
{
	KeyType		type;
	bool		short_keys;		/* of 32 bits at most, whatever their value */
} LogKeys;

/* Lives in CurrentMemoryContext. */
extern void log_keys_init(LogKeys *keys, Oid type, Oid collation);

/* Does a key fit the log as it is? */
static inline bool
log_key_is_short(const LogKeys *keys, Datum customer)
{
	return keys->short_keys ||
		(keys->type.kind == KEY_WORD && (uint64) customer >> 32 == 0);
}

/* An entry that waits for its customer's number. */
typedef struct WaitingEntry
{
	uint64		hash;
	uint64		key;			/* key word; or length << 32 | place in bytes */
	uint64		word;
	uint64	   *near;			/* by-reference keys: slot with the same tag, or NULL */
	int32		time;
} WaitingEntry;

typedef struct WaitingEntries
{
	uint32		n;
	uint32		capacity;
	uint32		bytes_used;
	uint32		bytes_size;
	WaitingEntry *entries;
	char	   *bytes;			/* by-reference keys */
} WaitingEntries;

typedef struct CustomerLog
{
	LogKeys    *keys;
	WaitingEntries *waiting;	/* numbered only; NULL while none has come */
	CustomerMap *map;			/* key -> number + 1; NULL while all entries wait */
	EventLog	log;
	bool		by_number;		/* customers are known by numbers */
} CustomerLog;

/* An empty log, which must not be moved afterwards; words: see event_log.h. */
extern void customer_log_init(CustomerLog *customers, LogKeys *keys, const EntryKind *kind,
							  void *words, MemoryContext context);

/* An entry; its word is one of this log's log. */
extern void customer_log_add(CustomerLog *customers, const Key *key, int32 time, uint64 word);

/* A customer known by number, and as it stands in the log: mixed. */
extern uint32 customer_log_number(CustomerLog *customers, const Key *key);

/* From now on customers are known by numbers. */
extern void customer_log_make_by_number(CustomerLog *customers);

/*
 * The log with nothing left waiting: itself, or, where all was waiting, a
 * copy in the current context.
 */
extern CustomerLog *customer_log_flushed(CustomerLog *customers);

/* Walks the customers of a settled log; start zeroed. */
typedef struct CustomerCursor
{
	int			partition;
	uint32		position;		/* where the next customer starts */
	EntryScratch scratch;
	MemoryContext garbage;
} CustomerCursor;

/* The next customer's entries, one of each time, ascending; NULL at the end. */
extern const Entry *customer_log_next(CustomerLog *customers, CustomerCursor *cursor, uint32 *n);

#endif							/* RETENTION_CUSTOMER_LOG_H */
