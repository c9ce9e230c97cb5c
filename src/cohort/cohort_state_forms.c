/*
 * cohort_state_forms.c
 *	  The forms that a state of calendar periods and word keys may take.
 *
 *	  compact map, small		rows go in directly
 *	  compact map, large		rows are staged by partition
 *	  map of masks and lists	rows come in batches (cohort_state_add.c)
 *	  log						rows are kept as pairs
 *
 * Promises: a change of form changes no content.
 * Never: used for rolling windows, joined_at, or keys by reference.
 */
#include "cohort/cohort_state.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

/* ---------- compact ---------- */

/* False if it does not fit: the state is to be expanded. */
bool
cohort_add_compact(CohortState *state, uint32 mixed, int32 period)
{
	uint64		bit = (uint64) ((int64) period - state->base);

	if (bit >= COMPACT_BITS)
	{
		if (!cohort_rebase(state, period))
			return false;
		bit = (uint64) ((int64) period - state->base);
	}
	*customer_map_upsert_compact(&state->map, mixed) |= UINT64CONST(1) << (32 + bit);
	return true;
}

static inline void
append_pair(PeriodLog *log, uint32 mixed, int32 period)
{
	LogPartition *p = &log->partitions[mixed >> log->shift];

	p->pairs[p->n++] = log_pair(mixed, period);
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

	key.word = compact_unmix(log_key(pair));
	key.hash = key_hash_word(key.word);
	payload = customer_map_upsert(&state->map, &key);
	if (payload[0] == 0)
		cohort_payload_init(state, payload);
	cohort_add_period(state, payload, log_period(pair));
}

/* So many slots ahead are asked for while one is worked on. */
#define DRAIN_AHEAD 64

/*
 * Works off what is staged for one partition.  Slots are asked for in advance;
 * they lie on few pages, so that address translation does not miss as well.
 */
static void
drain_partition(CohortState *state, LogPartition *p)
{
	CustomerMap *map = &state->map;

	CHECK_FOR_INTERRUPTS();
	for (uint32 i = 0; i < Min(p->n, DRAIN_AHEAD); i++)
		customer_map_prefetch_compact(map, log_key(p->pairs[i]));
	for (uint32 i = 0; i < p->n; i++)
	{
		uint64		pair = p->pairs[i];
		uint32		mixed = log_key(pair);
		uint64		bit = (uint64) ((int64) log_period(pair) - state->base);
		uint64	   *slot;

		if (i + DRAIN_AHEAD < p->n)
			customer_map_prefetch_compact(map, log_key(p->pairs[i + DRAIN_AHEAD]));
		slot = customer_map_find_compact(map, mixed);
		if (likely(slot != NULL && bit < COMPACT_BITS))
			*slot |= UINT64CONST(1) << (32 + bit);
		else if (!cohort_add_compact(state, mixed, log_period(pair)))
		{
			/* what is left here and in the other partitions is added there */
			memmove(p->pairs, p->pairs + i, (p->n - i) * sizeof(uint64));
			p->n -= i;
			cohort_state_expand(state);
			return;
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
	for (int i = 0; state->log != NULL && i < state->log->npartitions; i++)
		if (state->log->partitions[i].n > 0)
			drain_partition(state, &state->log->partitions[i]);
}

void
cohort_log_full(CohortState *state, LogPartition *p)
{
	if (state->logged)
	{
		period_log_make_room(state->log, p, 1);
		return;
	}
	drain_partition(state, p);
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
	for (int i = 0; i < log->npartitions; i++)
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
	if (!log_can_hold(state))
	{
		state->no_log = true;
		return false;
	}
	log = period_log_create(state->map.context, state->shared->calendar, LOG_SHIFT, LOG_FIRST_PAIRS);
	while ((slot = customer_map_next(&state->map, &cursor)) != NULL)
	{
		uint32		mixed;

		if (COHORT_COMPACT(state))
		{
			for (uint32 mask = COMPACT_PAYLOAD(slot[0]); mask != 0; mask &= mask - 1)
				append_pair(log, COMPACT_KEY(slot[0]), state->base + pg_rightmost_one_pos32(mask));
			continue;
		}
		mixed = compact_mix((uint32) slot[0]);
		period_set_read(&state->lists, slot[1], state->base, &periods);
		for (uint32 i = 0; i < periods.n; i++)
			append_pair(log, mixed, periods.v[i]);
	}
	if (periods.v != NULL)
		pfree(periods.v);
	/* what was staged has been drained */
	if (state->log != NULL)
		period_log_free(state->log);
	customer_map_clear(&state->map);
	arena_clear(&state->lists);
	state->has_lists = false;
	state->listed = 0;
	state->log = log;
	state->logged = true;
	return true;
}
