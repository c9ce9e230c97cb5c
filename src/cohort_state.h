/*
 * cohort_state.h
 *	  The transition state of the one-pass cohort_retention().
 *
 * For each customer the state keeps what the requested table can need of it,
 * and no more:
 *	  calendar, first event		set of periods
 *	  calendar, joined			set of periods, period of the earliest joined_at
 *	  rolling, first event		list of instants (the first may come last)
 *	  rolling, joined			set of periods, set of windows, the joined_at
 * Lists of instants are thinned: between two events less than a window apart,
 * those in between decide nothing whatever the first event turns out to be.
 *
 * Rolling windows from a joined_at are exact even if joined_at differs between
 * the rows of a customer (the earliest counts): events are kept as instants
 * until there are KEEP_CUSTOMERS customers of whom each had one joined_at only;
 * from then on a differing, earlier joined_at is an error, never a wrong count.
 *
 * The first of these forms starts as a compact map, whose slots hold keys and
 * masks of 32 bits, and is expanded when one does not fit.
 *
 * Large states buffer events and work a batch at a time, so that cache misses
 * overlap.  Flushing the buffer changes the representation, never the content.
 *
 * Ownership: a state and all it points to live in the aggregate's context;
 * CohortShared lives as long as the query.
 */
#ifndef RETENTION_COHORT_STATE_H
#define RETENTION_COHORT_STATE_H

#include "calendar.h"
#include "cohort_table.h"
#include "customer_map.h"
#include "event_set.h"

/* Per query: parameters and what is derived from them. */
typedef struct CohortShared
{
	CohortParams params;
	bool		joined;			/* cohorts come from joined_at */
	RollingWidth width;			/* when params.rolling */
	Calendar   *calendar;
	KeyType		key;
} CohortShared;

/* A row on its way in. */
typedef struct BatchRow
{
	uint64		hash;
	uint64		word;			/* key word; or length << 32 | place in bytes */
	int64		at;				/* NO_INSTANT: the row only joins */
	int64		join;			/* NO_INSTANT: the row only returns */
} BatchRow;

#define BATCH_SIZE		256

typedef struct CohortBatch
{
	int			n;
	uint32		bytes_used;
	uint32		bytes_size;
	char	   *bytes;			/* by-reference keys */
	BatchRow	rows[BATCH_SIZE];
} CohortBatch;

typedef struct CohortState
{
	int			magic;			/* COHORT_STATE_MAGIC, against a CohortImage */
	CohortShared *shared;
	MemoryContext context;
	CustomerMap map;
	Arena		lists;
	int32		base;			/* first period of bit masks */
	int32		min_period;		/* of the masks; min > max while there are none */
	int32		max_period;
	bool		has_lists;
	bool		collapsed;		/* rolling, joined: instants were given up */
	bool		conflict;		/* a customer had two different joined_at */
	int64		latest;
	CohortBatch *batch;			/* NULL while small */
	CohortBatch *word_batch;	/* the same, if keys are words */
} CohortState;

/* A serialized state, as combine finds it: the bytes, read in place. */
typedef struct CohortImage
{
	int			magic;			/* COHORT_IMAGE_MAGIC */
	const char *data;
	Size		len;
} CohortImage;

#define COHORT_STATE_MAGIC	0x52434f48
#define COHORT_IMAGE_MAGIC	0x52434f49

#define COHORT_COMPACT(state)	((state)->map.width == 1)
#define COMPACT_BITS			32

#define NO_INSTANT	PG_INT64_MAX
#define NO_PERIOD	((int64) PG_INT64_MAX)

extern CohortState *cohort_state_create(CohortShared *shared, MemoryContext context);

/* One row.  at or join may be NO_INSTANT; join must be without shared->joined. */
extern void cohort_state_add(CohortState *state, Datum customer, int64 at, int64 join);

/* Gives up the compact form, if the state has it. */
extern void cohort_state_expand(CohortState *state);

/* A period of a customer in compact form; false if it does not fit. */
extern bool cohort_add_compact(CohortState *state, uint64 hash, uint64 word, int32 period);

/*
 * Adding to one customer, for the merge of states.  A new customer's payload
 * must be initialized first.
 */
extern void cohort_payload_init(CohortState *state, uint64 *payload);
extern void cohort_add_period(CohortState *state, uint64 *word, int32 period);
extern void cohort_add_window(CohortState *state, uint64 *word, int32 k);
extern void cohort_add_instant(CohortState *state, uint64 *word, int64 at);
extern void cohort_roll_join(CohortState *state, uint64 *payload, int64 join);
extern void cohort_roll_event(CohortState *state, uint64 *payload, int64 at);
extern void cohort_state_collapse(CohortState *state);
extern void cohort_conflict_error(void);

/*
 * Payload words with rolling windows from a joined_at.
 */
#define ROLL_EVENTS		0		/* list of instants; collapsed: set of periods */
#define ROLL_WINDOWS	1		/* collapsed: set of windows */
#define ROLL_JOIN		2		/* earliest joined_at, or NO_INSTANT */

/* Works off what is buffered; changes no content. */
extern void cohort_state_flush(CohortState *state);

extern bytea *cohort_state_serialize(CohortState *state);

/* Adds an image to a state; *state may be NULL. */
extern void cohort_state_merge(CohortState **state, CohortShared **shared,
							   MemoryContext context, MemoryContext query_context,
							   const CohortImage *image);

/* Parameters, calendar and key type, in a context that lives as long as the query. */
extern CohortShared *cohort_shared_create(const CohortParams *params, bool joined,
										  Oid keytype, Oid collation,
										  MemoryContext query_context);

/* The answer, in the current context; the state's content stays as it is. */
extern CohortTable *cohort_state_table(CohortState *state);

/* Everything the table needs of one customer, read from its slot. */
typedef struct CohortMember
{
	bool		present;		/* has a cohort */
	int32		cohort;
	int64		join;			/* rolling only */
	PeriodArray periods;		/* absolute, from the cohort on, ascending */
	PeriodArray windows;		/* k, ascending; rolling only */
	InstantArray instants;		/* scratch */
} CohortMember;

/* Cohort, and joining instant with rolling windows; false if it never joined. */
extern bool cohort_state_anchor(CohortState *state, const uint64 *slot, int32 *cohort,
								int64 *join);
extern void cohort_state_member(CohortState *state, const uint64 *slot, CohortMember *member);

/*
 * cohort_state_add() for the hot path, inlined into the transition function:
 * a word key goes into the batch at once.
 */
static pg_attribute_always_inline void
cohort_state_push(CohortState *state, Datum customer, int64 at, int64 join)
{
	CohortBatch *batch = state->word_batch;
	BatchRow   *row;

	if (batch == NULL)
	{
		cohort_state_add(state, customer, at, join);
		return;
	}
	row = &batch->rows[batch->n];
	row->hash = key_hash_word((uint64) customer);
	row->word = (uint64) customer;
	row->at = at;
	row->join = join;
	customer_map_prefetch(&state->map, row->hash, true);
	if (unlikely(++batch->n == BATCH_SIZE))
		cohort_state_flush(state);
}

#endif							/* RETENTION_COHORT_STATE_H */
