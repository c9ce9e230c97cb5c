/*
 * cohort_forms.c
 *	  The forms that a state of calendar periods and word keys may take.
 *
 *	  compact map, small		rows go in directly
 *	  compact map, large		rows are staged by partition
 *	  map of masks and lists	rows come in batches (cohort_state.c)
 *	  log						rows are kept as pairs
 *
 * Promises: a change of form changes no content.
 * Never: used for rolling windows, joined_at, or keys by reference.
 */
#include "cohort_state.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

/* ---------- compact ---------- */

/* False if it does not fit: the state is to be expanded. */
bool
cohort_add_compact(CohortState *state, uint64 hash, uint64 word, int32 period)
{
	uint64		bit = (uint64) ((int64) period - state->base);

	if (word >> 32 != 0)
		return false;
	if (bit >= COMPACT_BITS)
	{
		if (!cohort_rebase(state, period))
			return false;
		bit = (uint64) ((int64) period - state->base);
	}
	*customer_map_upsert_compact(&state->map, hash, (uint32) word) |= UINT64CONST(1) << (32 + bit);
	return true;
}

static inline void
append_pair(PeriodLog *log, uint32 key, int32 period)
{
	LogPartition *p = &log->partitions[key_hash_word(key) >> 56];

	p->pairs[p->n++] = log_pair(key, period);
	if (p->n == p->capacity)
		period_log_make_room(log, p, 1);
}

/* A pair into a log, or a map of masks and lists. */
void
cohort_add_pair(CohortState *state, uint64 pair)
{
	Key			key;
	uint64	   *payload;

	if (state->logged)
	{
		append_pair(state->log, log_key(pair), log_period(pair));
		return;
	}

	key.word = log_key(pair);
	key.hash = key_hash_word(key.word);
	payload = customer_map_upsert(&state->map, &key);
	if (payload[0] == 0)
		cohort_payload_init(state, payload);
	cohort_add_period(state, payload, log_period(pair));
}

/*
 * Works off what is staged for one partition.  Its slots are asked for together:
 * they lie on a few pages, so that address translation does not miss as well.
 */
static void
drain_partition(CohortState *state, LogPartition *p, int partition)
{
	uint32		homes[STAGE_PAIRS];
	uint32		i = 0;

	CHECK_FOR_INTERRUPTS();
	while (i < p->n)
	{
		MapPartition *table = &state->map.partitions[partition];
		uint64	   *slots = table->slots;
		uint32		capacity = table->capacity;
		uint32		from = i;

		for (; i < p->n; i++)
		{
			uint64		hash = key_hash_word(log_key(p->pairs[i]));

			homes[i] = map_home_word(&state->map, capacity, hash);
			__builtin_prefetch(slots + homes[i], 1);
		}
		/* until the table grows, which moves the slots */
		for (i = from; i < p->n && table->slots == slots; i++)
		{
			uint64		pair = p->pairs[i];
			uint32		key = log_key(pair);
			uint64		bit = (uint64) ((int64) log_period(pair) - state->base);
			uint32		j = homes[i];

			while (slots[j] >> 32 != 0 && COMPACT_KEY(slots[j]) != key)
				j = map_probe_next(j, homes[i], capacity, MAP_CACHE_LINE / sizeof(uint64));
			if (likely(slots[j] >> 32 != 0 && bit < COMPACT_BITS))
				slots[j] |= UINT64CONST(1) << (32 + bit);
			else if (!cohort_add_compact(state, key_hash_word(key), key, log_period(pair)))
			{
				/* what is left here and in the other partitions is added there */
				memmove(p->pairs, p->pairs + i, (p->n - i) * sizeof(uint64));
				p->n -= i;
				cohort_state_expand(state);
				return;
			}
		}
	}
	p->n = 0;
}

/* Works off all that is staged. */
void
cohort_log_drain(CohortState *state)
{
	if (state->logged)
		return;
	for (int i = 0; i < MAP_PARTITIONS && state->log != NULL; i++)
		if (state->log->partitions[i].n > 0)
			drain_partition(state, &state->log->partitions[i], i);
}

void
cohort_log_full(CohortState *state, int partition)
{
	LogPartition *p = &state->log->partitions[partition];

	if (state->logged)
	{
		period_log_make_room(state->log, p, 1);
		return;
	}
	drain_partition(state, p, partition);
}

void
cohort_state_tidy(CohortState *state)
{
	if (!state->logged)
		return;
	for (int i = 0; i < MAP_PARTITIONS; i++)
	{
		CHECK_FOR_INTERRUPTS();
		period_log_tidy(&state->log->partitions[i]);
	}
}

/* ---------- to and from other forms ---------- */

void
cohort_state_expand(CohortState *state)
{
	PeriodLog  *log = state->log;

	if (COHORT_COMPACT(state))
		customer_map_expand(&state->map, SET_PRESENT);
	if (log == NULL)
		return;
	/* staged or kept, what the log has goes into the map */
	state->log = NULL;
	state->logged = false;
	for (int i = 0; i < MAP_PARTITIONS; i++)
	{
		LogPartition *p = &log->partitions[i];

		for (uint32 j = 0; j < p->n; j++)
		{
			if ((j & 0xffff) == 0)
				CHECK_FOR_INTERRUPTS();
			cohort_add_pair(state, p->pairs[j]);
		}
		p->n = 0;
	}
	period_log_free(log);
}

static bool
log_can_hold(CohortState *state)
{
	MapCursor	cursor = {0, 0};
	uint64	   *slot;

	if (state->no_log || state->shared->params.rolling || state->shared->joined ||
		state->shared->key.kind != KEY_WORD)
		return false;
	if (!COHORT_COMPACT(state))
		while ((slot = customer_map_next(&state->map, &cursor)) != NULL)
			if (slot[0] >> 32 != 0)
				return false;
	return true;
}

bool
cohort_state_to_log(CohortState *state)
{
	PeriodArray periods = {0, 0, NULL};
	MapCursor	cursor = {0, 0};
	PeriodLog  *log;
	uint64	   *slot;

	if (state->logged)
		return true;
	cohort_state_flush(state);
	if (!log_can_hold(state))
	{
		state->no_log = true;
		return false;
	}
	log = state->log != NULL ? state->log : period_log_create(state->context, STAGE_PAIRS);
	while ((slot = customer_map_next(&state->map, &cursor)) != NULL)
	{
		uint32		key = (uint32) slot[0];

		if (COHORT_COMPACT(state))
		{
			for (uint32 mask = COMPACT_PAYLOAD(slot[0]); mask != 0; mask &= mask - 1)
				append_pair(log, key, state->base + pg_rightmost_one_pos32(mask));
			continue;
		}
		period_set_read(&state->lists, slot[1], state->base, &periods);
		for (uint32 i = 0; i < periods.n; i++)
			append_pair(log, key, periods.v[i]);
	}
	if (periods.v != NULL)
		pfree(periods.v);
	customer_map_clear(&state->map);
	arena_clear(&state->lists);
	state->has_lists = false;
	state->listed = 0;
	state->log = log;
	state->logged = true;
	return true;
}
