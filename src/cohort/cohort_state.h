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
 * masks of 32 bits, and is expanded when one does not fit; once large, with
 * staging (cohort_state_log.h) before it.  A large one with many customers whose
 * periods do not fit a mask becomes a log of pairs.
 *
 * Other large states buffer events and work a batch at a time, so that cache
 * misses overlap.  Flushing the buffer changes the representation, never the
 * content.
 *
 * Ownership: a state and all it points to live in the aggregate's context;
 * CohortShared lives as long as the query.
 */
#ifndef RETENTION_COHORT_STATE_H
#define RETENTION_COHORT_STATE_H

#include "calendar/calendar.h"
#include "cohort/cohort_state_log.h"
#include "cohort/cohort_table.h"
#include "customer/customer_map.h"
#include "customer/event_set.h"
#include "fmgr/state_transport.h"

/* Per query: parameters and what is derived from them. */
typedef struct CohortShared
{
	struct CohortShared *next;	/* of a call site whose groups differ; combine only */
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
	uint64	   *near;			/* by-reference keys: slot with the same tag, or NULL */
} BatchRow;

#define BATCH_SIZE		256

typedef struct CohortBatch
{
	int			n;
	uint32		bytes_used;
	uint32		bytes_size;
	char	   *bytes;			/* by-reference keys */
	uint64		moves;			/* of the map, when "near" was filled in */
	BatchRow	rows[BATCH_SIZE];
} CohortBatch;

/* Why a row is left out; a state may hold nothing but such rows. */
#define LEFT_OUT_CUSTOMER	0	/* no customer */
#define LEFT_OUT_TIME		1	/* no time */
#define COHORT_LEFT_OUT		2

typedef struct CohortState
{
	int			magic;			/* COHORT_STATE_MAGIC, against a StateImage */
	int32		base;			/* first period of bit masks */
	int32		min_period;		/* of the masks; min > max while there are none */
	int32		max_period;
	bool		has_lists;
	bool		collapsed;		/* rolling, joined: instants were given up */
	bool		conflict;		/* a customer had two different joined_at */
	bool		logged;			/* the log is the content, and the map is empty */
	bool		no_log;			/* some key does not fit a log */
	int64		latest;
	CohortShared *shared;
	CustomerMap map;
	Arena		lists;
	PeriodLog  *log;			/* staging, or the content itself; NULL while small */
	uint64		listed;			/* masks that became lists */
	uint64	   *left_out;		/* rows, COHORT_LEFT_OUT counts by why; NULL: none */
	CohortBatch *batch;			/* NULL while small */
	CohortBatch *word_batch;	/* the same, if keys are words */
} CohortState;

/* a block of 256 bytes: there may be a million groups */
StaticAssertDecl(sizeof(CohortState) <= 256, "CohortState has grown past a block size");

#define COHORT_STATE_MAGIC	0x52434f48
#define COHORT_IMAGE_MAGIC	0x52434f49

#define COHORT_COMPACT(state)	((state)->map.width == 1)
#define COMPACT_BITS			32

/* Joined, rolling: how many customers' instants are kept. */
#define KEEP_CUSTOMERS	16384

#define NO_INSTANT	PG_INT64_MAX
#define NO_PERIOD	((int64) PG_INT64_MAX)

extern CohortState *cohort_state_create(CohortShared *shared, MemoryContext context);

/* Rows that were left out, for a reason of those above. */
extern void cohort_state_leave_out(CohortState *state, int why, uint64 rows);

/* Gives up the compact form and the log, if the state has one. */
extern void cohort_state_expand(CohortState *state);

/* Makes the log the content, where the state, flushed, can; false where it cannot. */
extern bool cohort_state_to_log(CohortState *state);

/* A period of a customer in compact form; false if it does not fit. */
extern bool cohort_add_compact(CohortState *state, uint32 mixed, int32 period);

/* Moves the span of the masks so that a period fits; false if it cannot. */
extern bool cohort_rebase(CohortState *state, int32 period);

/* From so many customers on, rows of a compact map are staged. */
#define STAGE_FROM		16384

/* Pairs staged for a partition, and room in a new log's. */
#define STAGE_PAIRS		1024
#define LOG_FIRST_PAIRS	256

/* Works off all that is staged. */
extern void cohort_log_drain(CohortState *state);

/* Sorts the log, if there is one: customers can then be numbered. */
extern void cohort_state_tidy(CohortState *state);

/* A pair into a log, or into a map that is not compact. */
extern void cohort_add_pair(CohortState *state, uint64 pair);

/* A partition of the log is full. */
extern void cohort_log_full(CohortState *state, LogPartition *p);

/*
 * Adding to one customer, for the merge of states.  A new customer's payload
 * must be initialized first.
 */
extern void cohort_payload_init(CohortState *state, uint64 *payload);
extern void cohort_add_window(CohortState *state, uint64 *word, int32 k);
extern void cohort_add_instant(CohortState *state, uint64 *word, int64 at);
extern void cohort_roll_join(CohortState *state, uint64 *payload, int64 join);
extern void cohort_roll_event(CohortState *state, uint64 *payload, int64 at);
extern void cohort_state_collapse(CohortState *state);
extern void cohort_conflict_error(void);

extern void cohort_add_period_slow(CohortState *state, uint64 *word, int32 period);

static inline void
cohort_add_period(CohortState *state, uint64 *word, int32 period)
{
	uint64		bit = (uint64) ((int64) period - state->base);

	if (likely(!(*word & SET_LIST) && bit < SET_BITS))
		*word |= UINT64CONST(1) << bit;
	else
		cohort_add_period_slow(state, word, period);
}

/*
 * Payload words with rolling windows from a joined_at.
 */
#define ROLL_EVENTS		0		/* list of instants; collapsed: set of periods */
#define ROLL_WINDOWS	1		/* collapsed: set of windows */
#define ROLL_JOIN		2		/* earliest joined_at, or NO_INSTANT */

extern bytea *cohort_state_serialize(CohortState *state);

/*
 * Adds an image to a state; *state may be NULL.  *shared is the list of all
 * parameters that the call site has met.
 */
extern void cohort_state_merge(CohortState **state, CohortShared **shared,
							   MemoryContext context, MemoryContext query_context,
							   const StateImage *image);

/* Parameters, calendar and key type, in a context that lives as long as the query. */
extern CohortShared *cohort_shared_create(const CohortParams *params, bool joined,
										  Oid keytype, Oid collation,
										  MemoryContext query_context);

/* The answer, in the current context; the state's content stays as it is. */
extern CohortTable *cohort_state_table(CohortState *state);

/* Customers of a state with joined_at whose rows all lack one, after cohort_state_table(). */
extern uint64 cohort_state_never_joined(CohortState *state);

/*
 * Customers of a state, whatever its form, numbered by 8 bits of partition and
 * 24 of position: in the map's slots, or in the log, which must be tidy.
 */
typedef uint32 CustomerNumber;

/* Next customer; false at the end.  Errors if there are too many to number. */
extern bool cohort_state_next(CohortState *state, MapCursor *cursor, CustomerNumber *number);

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

/* Asks for a customer's record, to be read soon. */
extern void cohort_state_prefetch(CohortState *state, CustomerNumber number);

/* Cohort, and joining instant with rolling windows; false if it never joined. */
extern bool cohort_state_anchor(CohortState *state, CustomerNumber number, int32 *cohort,
								int64 *join);
extern void cohort_state_member(CohortState *state, CustomerNumber number,
								CohortMember *member);

#endif							/* RETENTION_COHORT_STATE_H */
