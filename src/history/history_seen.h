/*
 * history_seen.h
 *	  How far an as_of lies beyond everything that was seen of all customers.
 *
 * Data that end in December, looked at as of March, have customers who seem to
 * have left in droves.  A base of customers is seldom silent as a whole: where
 * its average rate of purchase days would have brought SEEN_EXPECTED of them
 * and none came, for SEEN_DAYS at least, that is told, and no less was computed.
 *
 * Promises: the same whatever the order of customers, and however they were
 * split; a state that comes from elsewhere does no harm.
 * Never: says anything where somebody was seen after as_of, or twice for one
 * call site.
 */
#ifndef RETENTION_HISTORY_SEEN_H
#define RETENTION_HISTORY_SEEN_H

#include "retention.h"
#include "utils/date.h"

#define SEEN_DAYS		7
#define SEEN_EXPECTED	20.0

/* All 0: nothing yet. */
typedef struct Seen
{
	int64		days;			/* with purchases until as_of, over all customers */
	int64		later;			/* customers, or orders, that were seen after it too */
	int64		without;		/* customers without a purchase until as_of */
	int32		first;			/* of anybody, if days > 0 */
	int32		last;
} Seen;

/* A customer with so many purchase days, 1 at least. */
static inline void
seen_add(Seen *seen, DateADT first, DateADT last, int64 days)
{
	seen->first = seen->days > 0 ? Min(seen->first, first) : first;
	seen->last = seen->days > 0 ? Max(seen->last, last) : last;
	seen->days += days;
}

static inline void
seen_merge(Seen *seen, const Seen *more)
{
	if (more->days > 0)
		seen_add(seen, more->first, more->last, more->days);
	seen->later += more->later;
	seen->without += more->without;
}

/* Is as_of so late that it is told? */
extern bool seen_is_silent(const Seen *seen, DateADT as_of);

/* The NOTICE of it, and who was left out; nothing if there is nothing to say, or it was said. */
extern void seen_tell(FunctionCallInfo fcinfo, const Seen *seen, const DateADT *as_of,
					  int64 nulls);

#endif							/* RETENTION_HISTORY_SEEN_H */
