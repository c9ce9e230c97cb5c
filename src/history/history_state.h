/*
 * history_state.h
 *	  One customer's days while they are gathered.
 *
 * The transition state of customer_history(), one a customer: one small
 * palloc'd struct that grows, since anything more per group (a memory context,
 * an expanded object) costs HashAggregate dearly.
 *
 * Ownership: the struct and what it points to live in the context that is
 * passed to each call, the aggregate's.
 * Promises: the history does not depend on the order of events.
 * Never: knows of zones, or of SQL.
 */
#ifndef RETENTION_HISTORY_STATE_H
#define RETENTION_HISTORY_STATE_H

#include "history/history.h"
#include "utils/date.h"

typedef struct HistoryArray HistoryArray;

/*
 * New events stay in the struct, which is a cache line or two; when it is full
 * they move on together, to an array.  A recent event is its distance from the
 * first one's day, and its amount an integer of the scale that the first amount
 * had; what does not fit goes to the array at once.
 */
typedef struct HistoryState
{
	HistoryArray *array;		/* NULL: none yet; of an image, the history */
	DateADT		base;			/* what distances are counted from */
	uint8		recent_count;
	uint8		scale;			/* of recent amounts; SCALE_NONE before the first */
	bool		with_amounts;
	bool		image;			/* no state, but a history from another process */
	int32		recent[FLEXIBLE_ARRAY_MEMBER];	/* RECENT_DAYS distances, or RecentAmounts */
} HistoryState;

#define RECENT_DAYS	24

/* day: of the first event */
extern HistoryState *history_state_create(MemoryContext context, bool with_amounts, DateADT day);

/* A state that stands for a history from another process, to be combined only. */
extern HistoryState *history_state_image(CustomerHistory *history);

/* Events of one day, and the sum of their amounts; no event: only money moved. */
extern void history_state_add(HistoryState *state, DateADT day, int64 events,
							  const Amount *amount, MemoryContext context);

/* Adds the events of another state, which stays as it is. */
extern void history_state_combine(HistoryState *state, const HistoryState *from,
								  MemoryContext context);

/* The history of a state, which stays as it is, in the current context. */
extern CustomerHistory *history_state_history(const HistoryState *state);

/* What history_state_add_day() leaves to others. */
extern void history_state_flush(HistoryState *state, MemoryContext context);
extern void history_state_add_far(HistoryState *state, DateADT day, MemoryContext context);

/* One event, in a state without amounts. */
static inline void
history_state_add_day(HistoryState *state, DateADT day, MemoryContext context)
{
	int32		distance = (int32) ((uint32) day - (uint32) state->base);

	if (unlikely(distance != (int16) distance))
	{
		history_state_add_far(state, day, context);
		return;
	}
	if (unlikely(state->recent_count == RECENT_DAYS))
		history_state_flush(state, context);
	((int16 *) state->recent)[state->recent_count++] = (int16) distance;
}

#endif							/* RETENTION_HISTORY_STATE_H */
