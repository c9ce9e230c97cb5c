/*
 * cohort_state.c
 *	  The transition state of the one-pass cohort_retention(): what it keeps of one
 *	  customer.
 *
 * What that is, and what is promised, is in cohort_state.h.  Rows come in through
 * cohort_state_add.c.  Images of states for parallel workers are in
 * cohort_state_serialize.c, the final table in cohort_state_final.c.
 */
#include "cohort/cohort_state.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

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

void
cohort_state_leave_out(CohortState *state, int why, uint64 rows)
{
	if (rows == 0)
		return;
	if (state->left_out == NULL)
		state->left_out = MemoryContextAllocZero(state->map.context, sizeof(uint64) * COHORT_LEFT_OUT);
	state->left_out[why] += rows;
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

void
cohort_add_period_slow(CohortState *state, uint64 *word, int32 period)
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

/* Windows are counted from 0: their masks never move. */
void
cohort_add_window(CohortState *state, uint64 *word, int32 k)
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

void
cohort_add_instant(CohortState *state, uint64 *word, int64 at)
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
		cohort_add_window(state, &payload[ROLL_WINDOWS],
						  cohort_window(shared->calendar, &shared->width, shared->params.early, join, at));
		cohort_add_period(state, &payload[ROLL_EVENTS], calendar_period(shared->calendar, at));
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
		cohort_add_instant(state, &payload[ROLL_EVENTS], at);
	else if (at >= join)
	{
		cohort_add_window(state, &payload[ROLL_WINDOWS],
						  cohort_window(shared->calendar, &shared->width, shared->params.early, join, at));
		cohort_add_period(state, &payload[ROLL_EVENTS], calendar_period(shared->calendar, at));
	}
}

/* ---------- a new customer ---------- */

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
