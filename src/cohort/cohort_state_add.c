/*
 * cohort_state_add.c
 *	  Rows into the transition state of the one-pass cohort_retention().
 *
 * Small states take a row at once; large ones a batch of rows together, or by way
 * of a log, whatever the form (cohort_state_forms.c).
 *
 * Promises: working off what is buffered changes no content.
 */
#include "cohort/cohort_state_add.h"

#include "miscadmin.h"
#include "utils/memutils.h"

/* So many key bytes make a batch as well; longer keys do not go through one. */
#define BATCH_BYTES		(64 * 1024)

/* A map this small is in the cache: a batch would only cost. */
#define BATCH_FROM		2048

/* One mask in so many made a list, and a large state becomes a log. */
#define LOG_SHARE		8

/* ---------- a customer ---------- */

static pg_attribute_always_inline void
apply(CohortState *state, uint64 *payload, int64 at, int64 join, bool rolling, bool joined)
{
	CohortShared *shared = state->shared;

	if (unlikely(payload[0] == 0))
		cohort_payload_init(state, payload);
	if (rolling)
	{
		if (!joined)
		{
			cohort_add_instant(state, &payload[0], at);
			return;
		}
		if (join != NO_INSTANT)
			cohort_roll_join(state, payload, join);
		if (at != NO_INSTANT)
			cohort_roll_event(state, payload, at);
		return;
	}
	if (joined && join != NO_INSTANT)
	{
		int64		period = calendar_period(shared->calendar, join);

		if (period < (int64) payload[1])
			payload[1] = (uint64) period;
	}
	if (!joined || at != NO_INSTANT)
		cohort_add_period(state, &payload[0], calendar_period(shared->calendar, at));
}

/* ---------- batches ---------- */

static void
create_batch(CohortState *state)
{
	state->batch = MemoryContextAlloc(state->map.context, sizeof(CohortBatch));
	state->batch->n = 0;
	state->batch->bytes_used = state->batch->bytes_size = 0;
	state->batch->bytes = NULL;
	if (state->map.kt->kind == KEY_WORD)
		state->word_batch = state->batch;
}

static inline void
batch_key(const CohortState *state, const CohortBatch *batch, int i, Key *key)
{
	key->hash = batch->rows[i].hash;
	key->word = batch->rows[i].word;
	key->data = NULL;
	key->len = 0;
	if (state->map.kt->kind != KEY_WORD)
	{
		key->data = batch->bytes + (uint32) key->word;
		key->len = (uint32) (key->word >> 32);
	}
}

static pg_attribute_always_inline uint64 *
batch_payload(CohortState *state, const CohortBatch *batch, int i, bool word, int width)
{
	Key			key;

	if (word)
	{
		uint64	   *payload = customer_map_find_word(&state->map, batch->rows[i].hash,
													 batch->rows[i].word, width);

		if (likely(payload != NULL))
			return payload;
	}
	batch_key(state, batch, i, &key);
	if (word)
		return customer_map_upsert(&state->map, &key);
	return customer_map_upsert_near(&state->map, &key, batch->rows[i].near, batch->moves);
}

/*
 * The slots of a batch are prefetched together, so that their misses overlap.
 * With lists there is a second round of misses: all customers are found first,
 * and their lists prefetched, before the first is touched.
 */
static pg_attribute_always_inline void
flush_batch(CohortState *state, bool word, bool rolling, bool joined)
{
	CohortBatch *batch = state->batch;
	int			width = rolling ? (joined ? 4 : 2) : (joined ? 3 : 2);

	for (int i = 0; i < batch->n; i++)
		customer_map_prefetch(&state->map, batch->rows[i].hash, word);
	if (!word)
	{
		batch->moves = state->map.moves;
		for (int i = 0; i < batch->n; i++)
			batch->rows[i].near = customer_map_prefetch_key(&state->map, batch->rows[i].hash);
	}
	if (state->has_lists)
	{
		for (int i = 0; i < batch->n; i++)
		{
			uint64	   *payload = batch_payload(state, batch, i, word, width);

			if (payload[0] == 0)
				cohort_payload_init(state, payload);
			else if (payload[0] & SET_LIST)
				__builtin_prefetch(event_list(&state->lists, payload[0]), 1);
		}
	}
	for (int i = 0; i < batch->n; i++)
		apply(state, batch_payload(state, batch, i, word, width), batch->rows[i].at,
			  batch->rows[i].join, rolling, joined);
	batch->n = 0;
	batch->bytes_used = 0;
}

static void
collapse_if_large(CohortState *state)
{
	if (!state->collapsed && !state->conflict && state->map.count >= KEEP_CUSTOMERS)
		cohort_state_collapse(state);
}

void
cohort_state_flush(CohortState *state)
{
	bool		word = state->map.kt->kind == KEY_WORD;
	bool		rolling = state->shared->params.rolling;
	bool		joined = state->shared->joined;

	cohort_log_drain(state);
	if (state->batch == NULL || state->batch->n == 0)
		return;
	CHECK_FOR_INTERRUPTS();
	/* one copy of the loop for each form, with its branches folded */
	if (word && !rolling && !joined)
		flush_batch(state, true, false, false);
	else if (word && !rolling)
		flush_batch(state, true, false, true);
	else if (word && !joined)
		flush_batch(state, true, true, false);
	else if (word)
		flush_batch(state, true, true, true);
	else if (!rolling && !joined)
		flush_batch(state, false, false, false);
	else
		flush_batch(state, false, rolling, joined);

	if (rolling && joined)
		collapse_if_large(state);
	else if (state->listed > state->map.count / LOG_SHARE && state->map.count >= STAGE_FROM &&
			 !state->no_log)
		cohort_state_to_log(state);
}

/* Copies a by-reference key into the batch. */
static void
batch_bytes(CohortState *state, CohortBatch *batch, const Key *key)
{
	uint32		len = MAXALIGN(key->len);

	Assert(key->len <= BATCH_BYTES);
	if (len > batch->bytes_size - batch->bytes_used)
	{
		uint32		size = Max(8192, (batch->bytes_used + len) * 2);

		batch->bytes = batch->bytes == NULL ?
			MemoryContextAllocHuge(state->map.context, size) :
			repalloc_huge(batch->bytes, size);
		batch->bytes_size = (uint32) size;
	}
	memcpy(batch->bytes + batch->bytes_used, key->data, key->len);
	batch->rows[batch->n].word = (uint64) key->len << 32 | batch->bytes_used;
	batch->bytes_used += len;
}

void
cohort_state_add(CohortState *state, Datum customer, int64 at, int64 join)
{
	CohortShared *shared = state->shared;
	CohortBatch *batch = state->batch;
	Key			key;

	if (state->logged)
	{
		/* only a key that does not fit comes this way */
		state->no_log = true;
		cohort_state_expand(state);
	}
	key_from_datum(&shared->key, customer, &key);
	if (batch != NULL && shared->key.kind != KEY_GENERIC && key.len <= BATCH_BYTES)
	{
		BatchRow   *row = &batch->rows[batch->n];

		row->hash = key.hash;
		row->at = at;
		row->join = join;
		if (shared->key.kind == KEY_WORD)
			row->word = key.word;
		else
			batch_bytes(state, batch, &key);
		if (++batch->n == BATCH_SIZE || batch->bytes_used >= BATCH_BYTES)
			cohort_state_flush(state);
		return;
	}

	if (COHORT_COMPACT(state) &&
		(key.word >> 32 != 0 ||
		 !cohort_add_compact(state, compact_mix((uint32) key.word),
							 calendar_period(shared->calendar, at))))
		cohort_state_expand(state);
	if (!COHORT_COMPACT(state))
		apply(state, customer_map_upsert(&state->map, &key), at, join,
			  shared->params.rolling, shared->joined);
	if (COHORT_COMPACT(state))
	{
		if (state->map.count >= STAGE_FROM && state->log == NULL)
			state->log = period_log_create(state->map.context, state->shared->calendar, STAGE_SHIFT, STAGE_PAIRS);
	}
	else if (batch == NULL && state->map.count >= BATCH_FROM)
		create_batch(state);
	if (shared->joined && shared->params.rolling)
		collapse_if_large(state);
}
