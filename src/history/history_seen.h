/*
 * history_seen.h
 *	  How far an as_of lies beyond everything that was seen of all customers.
 *
 * Data that end in December, looked at as of March, have customers who seem to
 * have left in droves.  A base of customers is seldom silent as a whole: where
 * its average rate of purchase days would have brought SEEN_EXPECTED of them
 * and none came, for SEEN_DAYS at least, that is told, and no less was computed;
 * but not where the base buys that seldom: on the first of each month, say.
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
#define SEEN_GAPS		2		/* times the last two days of the base that lie apart */

/* All 0: nothing yet. */
typedef struct Seen
{
	int64		days;			/* with purchases until as_of, over all customers */
	int64		later;			/* customers, or orders, that were seen after it too */
	int64		without;		/* customers without a purchase until as_of */
	int32		first;			/* of anybody, if days > 0 */
	int32		last;
	int32		before;			/* the latest day before the last; no other: the last */
	int32		unused;
} Seen;

/* The later of two days that are before "last", which stands for none. */
static inline int32
seen_later(int32 best, int32 day, int32 last)
{
	return day < last && (best == last || day > best) ? day : best;
}

/* A customer with so many purchase days, 1 at least; "before": the last but one, or the last. */
static inline void
seen_add(Seen *seen, DateADT first, DateADT before, DateADT last, int64 days)
{
	if (seen->days == 0)
	{
		seen->first = first;
		seen->before = before;
		seen->last = last;
	}
	else
	{
		int32		latest = Max(seen->last, last);
		int32		best = latest;

		best = seen_later(best, seen->last, latest);
		best = seen_later(best, seen->before, latest);
		best = seen_later(best, last, latest);
		seen->before = seen_later(best, before, latest);
		seen->last = latest;
		seen->first = Min(seen->first, first);
	}
	seen->days += days;
}

static inline void
seen_merge(Seen *seen, const Seen *more)
{
	if (more->days > 0)
		seen_add(seen, more->first, more->before, more->last, more->days);
	seen->later += more->later;
	seen->without += more->without;
}

/* Is as_of so late that it is told? */
extern bool seen_is_silent(const Seen *seen, DateADT as_of);

/* The NOTICE of it, and who was left out; nothing if there is nothing to say, or it was said. */
extern void seen_tell(FunctionCallInfo fcinfo, const Seen *seen, const DateADT *as_of,
					  int64 nulls);

#endif							/* RETENTION_HISTORY_SEEN_H */
