/*
 * cohort_state_add.h
 *	  Rows into the transition state of the one-pass cohort_retention(); the hot
 *	  paths are inlined into its transition functions.
 */
#ifndef RETENTION_COHORT_STATE_ADD_H
#define RETENTION_COHORT_STATE_ADD_H

#include "cohort/cohort_state.h"

/* One row.  at or join may be NO_INSTANT; join must be without shared->joined. */
extern void cohort_state_add(CohortState *state, Datum customer, int64 at, int64 join);

/* Works off what is buffered; changes no content. */
extern void cohort_state_flush(CohortState *state);

/* A row of a state that has a log, and of a customer that fits there. */
static pg_attribute_always_inline void
cohort_log_push(CohortState *state, Datum customer, int32 period)
{
	uint32		mixed = compact_mix((uint32) customer);
	LogPartition *p = &state->log->partitions[mixed >> state->log->shift];
	uint32		n = p->n;

	p->pairs[n] = log_pair(mixed, period);
	p->n = n + 1;
	if (unlikely(n + 1 == p->capacity))
		cohort_log_full(state, p);
}

/*
 * cohort_state_add() for the hot paths, inlined into the transition function:
 * a word key goes into the log or the batch at once.
 */
static pg_attribute_always_inline void
cohort_state_push(CohortState *state, Datum customer, int64 at, int64 join)
{
	CohortBatch *batch = state->word_batch;

	if (state->log != NULL && likely((uint64) customer >> 32 == 0))
		cohort_log_push(state, customer, calendar_period(state->shared->calendar, at));
	else if (batch != NULL && state->log == NULL)
	{
		BatchRow   *row = &batch->rows[batch->n];

		row->hash = key_hash_word((uint64) customer);
		row->word = (uint64) customer;
		row->at = at;
		row->join = join;
		if (unlikely(++batch->n == BATCH_SIZE))
			cohort_state_flush(state);
	}
	else
		cohort_state_add(state, customer, at, join);
}

#endif							/* RETENTION_COHORT_STATE_ADD_H */
