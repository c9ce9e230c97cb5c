/*
 * cohort_state.c
 *	  The transition state of the one-pass cohort_retention(): adding rows.
 *
 * What is kept of a customer, and what is promised, is in cohort_state.h.
 * Images of states for parallel workers are in cohort_state_serialize.c, the final
 * table in cohort_state_final.c.
 */
#include "cohort/cohort_state.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

/* So many key bytes make a batch as well; longer keys do not go through one. */
#define BATCH_BYTES		(64 * 1024)

/* A map this small is in the cache: a batch would only cost. */
#define BATCH_FROM		2048

/* One mask in so many made a list, and a large state becomes a log. */
#define LOG_SHARE		8

/* Joined, rolling: how many customers' instants are kept; see cohort_state.h */
#define KEEP_CUSTOMERS	16384

static int
payload_words(const CohortShared *shared)
{
	if (shared->params.rolling)
		return shared->joined ? 3 : 1;
	return shared->joined ? 2 : 1;
}

CohortShared *
cohort_shared_create(const CohortParams *params, bool joined, Oid keytype, Oid collation,
					 MemoryContext query_context)
{
	MemoryContext old = MemoryContextSwitchTo(query_context);
	CohortShared *shared = palloc0(sizeof(CohortShared));

	shared->params = *params;
	shared->joined = joined;
	if (params->rolling)
		shared->width = rolling_width(params->zoned, params->months, params->days,
									  params->micros);
	shared->calendar = cohort_calendar(params);
	key_type_init(&shared->key, keytype, collation);
	MemoryContextSwitchTo(old);
	return shared;
}

CohortState *
cohort_state_create(CohortShared *shared, MemoryContext context)
{
	CohortState *state = MemoryContextAllocZero(context, sizeof(CohortState));

	state->magic = COHORT_STATE_MAGIC;
	state->shared = shared;
	state->context = context;
	state->min_period = PG_INT32_MAX;
	state->max_period = PG_INT32_MIN;
	state->latest = PG_INT64_MIN;
	/* a calendar mask and a key of 32 bits each make a compact slot, while they fit */
	customer_map_init(&state->map, &shared->key,
					  !shared->params.rolling && !shared->joined &&
					  shared->key.kind == KEY_WORD ? 0 : payload_words(shared), context);
	arena_init(&state->lists, context);
	return state;
}

/* ---------- sets of periods ---------- */

/* The mask of a slot, and what a slot is with another mask. */
static inline uint64
slot_mask(const CohortState *state, const uint64 *slot)
{
	if (COHORT_COMPACT(state))
		return COMPACT_PAYLOAD(slot[0]);
	return slot[1] & SET_LIST ? 0 : slot[1] & SET_MASK;
}

static inline void
shift_mask(const CohortState *state, uint64 *slot, int64 by)
{
	uint64		mask = slot_mask(state, slot);

	mask = by >= 0 ? mask << by : mask >> -by;
	if (COHORT_COMPACT(state))
		slot[0] = COMPACT_KEY(slot[0]) | mask << 32;
	else if (!(slot[1] & SET_LIST))
		slot[1] = SET_PRESENT | mask;
}

/*
 * A period outside the masks' span.  Moves the span if all masks still fit;
 * false if they do not.  A walk over the map either succeeds or widens the
 * known range, so there are at most SET_BITS of them.
 */
bool
cohort_rebase(CohortState *state, int32 period)
{
	int			bits = COHORT_COMPACT(state) ? COMPACT_BITS : SET_BITS;
	int64		low = Min(state->min_period, period);
	int64		high = Max(state->max_period, period);
	MapCursor	cursor = {0, 0};
	uint64	   *slot;
	uint64		all = 0;
	int64		base;
	int64		by;

	if (state->min_period <= state->max_period && high - low >= bits)
		return false;
	while ((slot = customer_map_next(&state->map, &cursor)) != NULL)
		all |= slot_mask(state, slot);
	if (all != 0)
	{
		state->min_period = state->base + pg_rightmost_one_pos64(all);
		state->max_period = state->base + pg_leftmost_one_pos64(all);
		low = Min(state->min_period, period);
		high = Max(state->max_period, period);
		if (high - low >= bits)
			return false;
	}
	else
		low = high = period;

	/* rows mostly come in the order of time: more room after than before */
	base = low - (bits - 1 - (high - low)) / 8;
	base = Max(base, PG_INT32_MIN);
	by = state->base - base;
	if (all != 0)
	{
		cursor.partition = 0;
		cursor.position = 0;
		while ((slot = customer_map_next(&state->map, &cursor)) != NULL)
			shift_mask(state, slot, by);
	}
	state->base = (int32) base;
	return true;
}

static void
add_period_slow(CohortState *state, uint64 *word, int32 period)
{
	if (!(*word & SET_LIST))
	{
		if (cohort_rebase(state, period))
		{
			*word |= UINT64CONST(1) << ((int64) period - state->base);
			return;
		}
		period_mask_to_list(&state->lists, word, state->base);
		state->has_lists = true;
		state->listed++;
	}
	period_list_add(&state->lists, word, period);
}

static inline void
add_period(CohortState *state, uint64 *word, int32 period)
{
	uint64		bit = (uint64) ((int64) period - state->base);

	if (likely(!(*word & SET_LIST) && bit < SET_BITS))
		*word |= UINT64CONST(1) << bit;
	else
		add_period_slow(state, word, period);
}

/* Windows are counted from 0: their masks never move. */
static void
add_window(CohortState *state, uint64 *word, int32 k)
{
	if (!(*word & SET_LIST))
	{
		if (k < SET_BITS)
		{
			*word |= UINT64CONST(1) << k;
			return;
		}
		period_mask_to_list(&state->lists, word, 0);
		state->has_lists = true;
	}
	period_list_add(&state->lists, word, k);
}

/* ---------- lists of instants ---------- */

/*
 * Between two kept instants less than the shortest window apart, an instant
 * falls into the window of one or of the other wherever windows start; if it
 * shares the calendar period of the next one too, it decides nothing.
 */
static uint32
thin_instants(int64 *v, uint32 n, void *arg)
{
	CohortShared *shared = ((CohortState *) arg)->shared;
	uint32		kept = 1;

	if (n < 3 || shared->width.shortest <= 0)
		return n;
	for (uint32 i = 1; i + 1 < n; i++)
	{
		if ((uint64) v[i + 1] - (uint64) v[kept - 1] < (uint64) shared->width.shortest &&
			calendar_period(shared->calendar, v[i]) ==
			calendar_period(shared->calendar, v[i + 1]))
			continue;
		v[kept++] = v[i];
	}
	v[kept++] = v[n - 1];
	return kept;
}

static inline void
add_instant(CohortState *state, uint64 *word, int64 at)
{
	state->has_lists = true;
	instant_list_add(&state->lists, word, at, thin_instants, state);
}

/* ---------- rolling windows from a joined_at ---------- */

void
cohort_conflict_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("joined_at differs between rows of a customer, which was first seen after %d customers",
					KEEP_CUSTOMERS),
			 errdetail("Rolling windows count from the earliest joined_at, and events were already counted from a later one."),
			 errhint("Pass the earliest: min(joined_at) OVER (PARTITION BY customer).")));
}

/* Events as windows and periods, from now on without their instants. */
static void
collapse_customer(CohortState *state, uint64 *payload, InstantArray *instants)
{
	CohortShared *shared = state->shared;
	int64		join = (int64) payload[ROLL_JOIN];

	payload[ROLL_WINDOWS] = SET_EMPTY;
	if (join == NO_INSTANT)
		return;
	instant_set_read(&state->lists, payload[ROLL_EVENTS], instants);
	if (payload[ROLL_EVENTS] & SET_LIST)
		event_list_free(&state->lists, payload[ROLL_EVENTS]);
	payload[ROLL_EVENTS] = SET_EMPTY;
	for (uint32 i = 0; i < instants->n; i++)
	{
		int64		at = instants->v[i];

		if (at < join)
			continue;
		add_window(state, &payload[ROLL_WINDOWS],
				   rolling_index(shared->calendar, &shared->width, join, at));
		add_period(state, &payload[ROLL_EVENTS], calendar_period(shared->calendar, at));
	}
}

void
cohort_state_collapse(CohortState *state)
{
	MapCursor	cursor = {0, 0};
	InstantArray instants = {0, 0, NULL};
	uint64	   *slot;

	if (state->collapsed)
		return;
	state->collapsed = true;
	while ((slot = customer_map_next(&state->map, &cursor)) != NULL)
		collapse_customer(state, slot + 1, &instants);
	if (instants.v != NULL)
		pfree(instants.v);
}

void
cohort_roll_join(CohortState *state, uint64 *payload, int64 join)
{
	int64		known = (int64) payload[ROLL_JOIN];

	if (known == join)
		return;
	if (known == NO_INSTANT)
	{
		payload[ROLL_JOIN] = (uint64) join;
		if (state->collapsed)
		{
			InstantArray instants = {0, 0, NULL};

			collapse_customer(state, payload, &instants);
			if (instants.v != NULL)
				pfree(instants.v);
		}
		return;
	}
	state->conflict = true;
	if (join < known)
	{
		if (state->collapsed)
			cohort_conflict_error();
		payload[ROLL_JOIN] = (uint64) join;
	}
}

void
cohort_roll_event(CohortState *state, uint64 *payload, int64 at)
{
	CohortShared *shared = state->shared;
	int64		join = (int64) payload[ROLL_JOIN];

	if (!state->collapsed || join == NO_INSTANT)
		add_instant(state, &payload[ROLL_EVENTS], at);
	else if (at >= join)
	{
		add_window(state, &payload[ROLL_WINDOWS],
				   rolling_index(shared->calendar, &shared->width, join, at));
		add_period(state, &payload[ROLL_EVENTS], calendar_period(shared->calendar, at));
	}
}

/* ---------- rows ---------- */

void
cohort_payload_init(CohortState *state, uint64 *payload)
{
	payload[0] = SET_EMPTY;
	if (!state->shared->joined)
		return;
	if (!state->shared->params.rolling)
		payload[1] = (uint64) NO_PERIOD;
	else
	{
		payload[ROLL_WINDOWS] = SET_EMPTY;
		payload[ROLL_JOIN] = (uint64) NO_INSTANT;
	}
}

void
cohort_add_period(CohortState *state, uint64 *word, int32 period)
{
	add_period(state, word, period);
}

void
cohort_add_window(CohortState *state, uint64 *word, int32 k)
{
	add_window(state, word, k);
}

void
cohort_add_instant(CohortState *state, uint64 *word, int64 at)
{
	add_instant(state, word, at);
}

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
			add_instant(state, &payload[0], at);
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
		add_period(state, &payload[0], calendar_period(shared->calendar, at));
}

/* ---------- batches ---------- */

static void
create_batch(CohortState *state)
{
	state->batch = MemoryContextAlloc(state->context, sizeof(CohortBatch));
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
			MemoryContextAllocHuge(state->context, size) :
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
			state->log = period_log_create(state->context, state->shared->calendar, STAGE_SHIFT, STAGE_PAIRS);
	}
	else if (batch == NULL && state->map.count >= BATCH_FROM)
		create_batch(state);
	if (shared->joined && shared->params.rolling)
		collapse_if_large(state);
}
