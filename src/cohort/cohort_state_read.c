/*
 * cohort_state_read.c
 *	  One customer's record, read from a state of any form.
 *
 * Promises: the state is not changed; periods and windows come ascending and
 * distinct.  Never: decides what is counted (cohort_state_final.c does).
 */
#include "cohort/cohort_state.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

static inline uint64 *
slot_pointer(const CustomerMap *map, CustomerNumber number)
{
	return map->partitions[number >> 24].slots + (Size) (number & 0xffffff) * map->width;
}

static inline const uint64 *
log_pointer(const PeriodLog *log, CustomerNumber number)
{
	return log->partitions[number >> 24].pairs + (number & 0xffffff);
}

void
cohort_state_prefetch(CohortState *state, CustomerNumber number)
{
	if (state->logged)
		__builtin_prefetch(log_pointer(state->log, number));
	else
		__builtin_prefetch(slot_pointer(&state->map, number));
}

static void
cohort_state_read_too_many_customers(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("too many customers for one cohort_table"),
			 errhint("Aggregate groups of customers, and add the tables up with rollup().")));
}

/* The first pair of each customer. */
static bool
next_logged(PeriodLog *log, MapCursor *cursor, CustomerNumber *number)
{
	for (; cursor->partition < MAP_PARTITIONS; cursor->partition++, cursor->position = 0)
	{
		LogPartition *p = &log->partitions[cursor->partition];
		uint32		i = cursor->position;

		Assert(p->sorted == p->n);
		if (i == 0)
			CHECK_FOR_INTERRUPTS();
		if (i >= p->n)
			continue;
		if (i > 0xffffff)
			cohort_state_read_too_many_customers();
		*number = (uint32) cursor->partition << 24 | i;
		while (i < p->n && log_key(p->pairs[i]) == log_key(p->pairs[cursor->position]))
			i++;
		cursor->position = i;
		return true;
	}
	return false;
}

bool
cohort_state_next(CohortState *state, MapCursor *cursor, CustomerNumber *number)
{
	if (state->logged)
		return next_logged(state->log, cursor, number);
	if (customer_map_next(&state->map, cursor) == NULL)
		return false;
	/* the cursor stands behind the slot that was found */
	if (cursor->position - 1 > 0xffffff)
		cohort_state_read_too_many_customers();
	*number = (uint32) cursor->partition << 24 | (cursor->position - 1);
	return true;
}

static void
member_windows_from_periods(CohortMember *member)
{
	period_array_reserve(&member->windows, member->periods.n);
	member->windows.n = member->periods.n;
	for (uint32 i = 0; i < member->periods.n; i++)
	{
		int64		k = (int64) member->periods.v[i] - member->cohort;

		if (k > PG_INT32_MAX - 1)
			cohort_periods_error();
		member->windows.v[i] = (int32) k;
	}
}

/*
 * Drops the periods before the cohort: of events before joining, and of later
 * ones where a clock was set back into an earlier period.
 */
static void
drop_earlier(CohortMember *member)
{
	uint32		skip = 0;

	while (skip < member->periods.n && member->periods.v[skip] < member->cohort)
		skip++;
	if (skip > 0)
	{
		member->periods.n -= skip;
		memmove(member->periods.v, member->periods.v + skip,
				member->periods.n * sizeof(int32));
	}
}

static void
member_from_instants(CohortState *state, CohortMember *member)
{
	CohortShared *shared = state->shared;
	InstantArray *instants = &member->instants;
	PeriodArray *periods = &member->periods;
	PeriodArray *windows = &member->windows;
	bool		ascending = true;

	period_array_reserve(periods, instants->n);
	period_array_reserve(windows, instants->n);
	periods->n = windows->n = 0;
	for (uint32 i = 0; i < instants->n; i++)
	{
		int32		period;
		int32		k;

		if (instants->v[i] < member->join)
			continue;
		period = calendar_period(shared->calendar, instants->v[i]);
		k = cohort_window(shared->calendar, &shared->width, shared->params.early, member->join,
						  instants->v[i]);
		if (periods->n == 0 || periods->v[periods->n - 1] != period)
		{
			ascending &= periods->n == 0 || periods->v[periods->n - 1] < period;
			periods->v[periods->n++] = period;
		}
		if (windows->n == 0 || windows->v[windows->n - 1] != k)
			windows->v[windows->n++] = k;
	}
	/* clocks that were set back by a day, as in Alaska in 1867, repeat periods */
	if (!ascending)
		period_array_normalize(periods);
}

static int32
first_period(CohortState *state, uint64 word)
{
	EventList  *list;
	int32	   *v;
	int32		first;

	if (!(word & SET_LIST))
		return state->base + pg_rightmost_one_pos64(word & SET_MASK);
	list = event_list(&state->lists, word);
	v = EVENT_LIST_PERIODS(list);
	first = v[0];
	for (uint32 i = Max(list->sorted, 1); i < list->count; i++)
		first = Min(first, v[i]);
	return first;
}

static int64
first_instant(CohortState *state, uint64 word)
{
	EventList  *list = event_list(&state->lists, word);
	int64	   *v = EVENT_LIST_INSTANTS(list);
	int64		first = v[0];

	for (uint32 i = Max(list->sorted, 1); i < list->count; i++)
		first = Min(first, v[i]);
	return first;
}

bool
cohort_state_anchor(CohortState *state, CustomerNumber number, int32 *cohort, int64 *join)
{
	CohortShared *shared = state->shared;
	const uint64 *payload;

	*join = 0;
	if (state->logged)
	{
		*cohort = log_period(*log_pointer(state->log, number));
		return true;
	}
	if (COHORT_COMPACT(state))
	{
		*cohort = state->base +
			pg_rightmost_one_pos32(COMPACT_PAYLOAD(*slot_pointer(&state->map, number)));
		return true;
	}
	payload = slot_pointer(&state->map, number) + 1;
	if (shared->params.rolling)
	{
		*join = shared->joined ? (int64) payload[ROLL_JOIN] : first_instant(state, payload[0]);
		if (*join == NO_INSTANT)
			return false;
		*cohort = calendar_period(shared->calendar, *join);
		return true;
	}
	if (!shared->joined)
		*cohort = first_period(state, payload[0]);
	else if ((int64) payload[1] == NO_PERIOD)
		return false;
	else
		*cohort = (int32) (int64) payload[1];
	return true;
}

uint64
cohort_state_never_joined(CohortState *state)
{
	MapCursor	cursor = {0, 0};
	CustomerNumber number;
	uint64		count = 0;
	int32		cohort;
	int64		join;

	if (state->shared->joined)
		while (cohort_state_next(state, &cursor, &number))
			count += !cohort_state_anchor(state, number, &cohort, &join);
	return count;
}

/* The periods of a logged customer. */
static void
read_logged(CohortState *state, CustomerNumber number, PeriodArray *periods)
{
	LogPartition *p = &state->log->partitions[number >> 24];
	uint32		from = number & 0xffffff;
	uint32		to = from;

	while (to < p->n && log_key(p->pairs[to]) == log_key(p->pairs[from]))
		to++;
	period_array_reserve(periods, to - from);
	periods->n = to - from;
	for (uint32 i = from; i < to; i++)
		periods->v[i - from] = log_period(p->pairs[i]);
}

void
cohort_state_member(CohortState *state, CustomerNumber number, CohortMember *member)
{
	const uint64 *payload;

	member->present = cohort_state_anchor(state, number, &member->cohort, &member->join);
	if (!member->present)
		return;
	if (state->logged)
	{
		read_logged(state, number, &member->periods);
		member_windows_from_periods(member);
		return;
	}
	if (COHORT_COMPACT(state))
	{
		period_set_read(&state->lists,
						SET_PRESENT | COMPACT_PAYLOAD(*slot_pointer(&state->map, number)),
						state->base, &member->periods);
		member_windows_from_periods(member);
		return;
	}
	payload = slot_pointer(&state->map, number) + 1;
	if (!state->shared->params.rolling)
	{
		period_set_read(&state->lists, payload[0], state->base, &member->periods);
		drop_earlier(member);
		member_windows_from_periods(member);
	}
	else if (state->collapsed)
	{
		period_set_read(&state->lists, payload[ROLL_EVENTS], state->base, &member->periods);
		period_set_read(&state->lists, payload[ROLL_WINDOWS], 0, &member->windows);
		drop_earlier(member);
	}
	else
	{
		instant_set_read(&state->lists, payload[0], &member->instants);
		member_from_instants(state, member);
		drop_earlier(member);
	}
}
