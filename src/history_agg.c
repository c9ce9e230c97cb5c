/*
 * history_agg.c
 *	  SQL-callable: the aggregates that make a customer_history.
 *
 * customer_history() runs under GROUP BY customer, one state a customer: one
 * small palloc'd struct that grows, since anything more per group (a memory
 * context, an expanded object) costs HashAggregate dearly.  rollup() and ||
 * add finished values; the state of rollup() is the value itself.
 *
 * Promises: results do not depend on the order of rows or on how they are
 * split; the final function does not modify the state.
 * Never: reads the clock, or the session's zone where a zone was given.
 */
#include "history.h"

#include "arguments.h"
#include "calendar.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"

/* Events of one day.  States without amounts leave "value" out. */
typedef struct HistoryEvent
{
	int64		events;
	DateADT		day;
	int32		scale;			/* of the amount; AMOUNT_NONE, or AMOUNT_BIG */
	int64		value;			/* AMOUNT_BIG: address of a numeric */
} HistoryEvent;

#define AMOUNT_BIG	(-2)

typedef struct HistoryState
{
	uint32		count;
	uint32		capacity;
	uint32		tidy;			/* so many from the start are ascending, distinct days */
	bool		with_amounts;
	int64		data[FLEXIBLE_ARRAY_MEMBER];	/* "capacity" events */
} HistoryState;

/* Chunks of 64 or 128 bytes at first: most customers have few days. */
#define FIRST_BYTES			64
#define FIRST_BYTES_AMOUNTS 128

/* What the rows bring; one per call site, in its fn_extra. */
typedef struct HistoryZone
{
	struct HistoryZone *next;
	text	   *name;			/* as given; NULL where none was */
	Calendar   *days;			/* instant -> day, which is a DateADT */
} HistoryZone;

typedef struct HistoryQuery
{
	Oid			at_type;
	int			amount_arg;		/* 0 without */
	int			zone_arg;		/* 0 without */
	bool		vary;			/* the zone may differ from row to row */
	HistoryZone *zone;			/* of the last row; a list */
} HistoryQuery;

#define WITH_AMOUNT 1
#define WITH_ZONE	2

/* ---------- the state ---------- */

static inline Size
event_size(const HistoryState *state)
{
	return state->with_amounts ? sizeof(HistoryEvent) : offsetof(HistoryEvent, value);
}

static inline HistoryEvent *
event_at(HistoryState *state, uint32 i)
{
	return (HistoryEvent *) ((char *) state->data + i * event_size(state));
}

static uint32
capacity_of(Size bytes, bool with_amounts)
{
	return (uint32) ((bytes - offsetof(HistoryState, data)) /
					 (with_amounts ? sizeof(HistoryEvent) : offsetof(HistoryEvent, value)));
}

static HistoryState *
create_state(MemoryContext context, bool with_amounts)
{
	Size		bytes = with_amounts ? FIRST_BYTES_AMOUNTS : FIRST_BYTES;
	HistoryState *state = MemoryContextAlloc(context, bytes);

	state->count = state->tidy = 0;
	state->with_amounts = with_amounts;
	state->capacity = capacity_of(bytes, with_amounts);
	return state;
}

static Amount
event_amount(const HistoryState *state, const HistoryEvent *event)
{
	Amount		amount = amount_none();

	if (!state->with_amounts)
		return amount;
	amount.scale = event->scale;
	if (event->scale == AMOUNT_BIG)
	{
		amount.scale = 0;
		amount.big = (Numeric) (uintptr_t) event->value;
	}
	else
		amount.value = event->value;
	return amount;
}

/* Large amounts are copied into the context. */
static void
set_amount(HistoryState *state, HistoryEvent *event, const Amount *amount,
		   MemoryContext context)
{
	if (!state->with_amounts)
		return;
	event->scale = amount->scale;
	event->value = amount->value;
	if (amount->big != NULL)
	{
		Size		bytes = VARSIZE_ANY(amount->big);
		void	   *copy = MemoryContextAlloc(context, bytes);

		memcpy(copy, amount->big, bytes);
		event->scale = AMOUNT_BIG;
		event->value = (int64) (uintptr_t) copy;
	}
}

/* Adds events of the same day. */
static void
add_to_event(HistoryState *state, HistoryEvent *event, int64 events, const Amount *amount,
			 MemoryContext context)
{
	HistoryDay	sum = {event->day, event->events, event_amount(state, event)};
	HistoryDay	more = {event->day, events, *amount};

	history_day_add(&sum, &more);
	event->events = sum.events;
	if (amount->scale == AMOUNT_NONE)
		return;
	if (state->with_amounts && event->scale == AMOUNT_BIG)
	{
		void	   *old = (void *) (uintptr_t) event->value;

		set_amount(state, event, &sum.amount, context);
		pfree(old);
	}
	else
		set_amount(state, event, &sum.amount, context);
}

static int
compare_events(const void *a, const void *b)
{
	DateADT		x = ((const HistoryEvent *) a)->day;
	DateADT		y = ((const HistoryEvent *) b)->day;

	return x < y ? -1 : x > y;
}

/* Events become days, ascending. */
static void
tidy_state(HistoryState *state, MemoryContext context)
{
	uint32		kept = 0;

	if (state->tidy == state->count)
		return;
	CHECK_FOR_INTERRUPTS();
	qsort(state->data, state->count, event_size(state), compare_events);
	for (uint32 i = 1; i < state->count; i++)
	{
		HistoryEvent *last = event_at(state, kept);
		HistoryEvent *event = event_at(state, i);

		if (event->day == last->day)
		{
			Amount		amount = event_amount(state, event);

			add_to_event(state, last, event->events, &amount, context);
			if (amount.big != NULL)
				pfree(amount.big);
		}
		else if (++kept != i)
			memcpy(event_at(state, kept), event, event_size(state));
	}
	state->count = state->tidy = kept + 1;
}

/* Room for one more event; the state may move. */
static HistoryState *
make_room(HistoryState *state, MemoryContext context)
{
	Size		bytes;

	tidy_state(state, context);
	if (state->count <= state->capacity - state->capacity / 4 &&
		state->count < state->capacity)
		return state;
	bytes = offsetof(HistoryState, data) + state->capacity * event_size(state);
	/* whole powers of two: what the allocator makes of it anyway */
	bytes = pg_nextpower2_size_t(bytes) * 2;
	state = repalloc_huge(state, bytes);
	state->capacity = (uint32) Min((bytes - offsetof(HistoryState, data)) / event_size(state),
								   PG_UINT32_MAX);
	return state;
}

static HistoryState *
add_events(HistoryState *state, DateADT day, int64 events, const Amount *amount,
		   MemoryContext context)
{
	HistoryEvent *event;

	if (state->count > 0)
	{
		event = event_at(state, state->count - 1);
		if (event->day == day)
		{
			add_to_event(state, event, events, amount, context);
			return state;
		}
	}
	if (unlikely(state->count == state->capacity))
		state = make_room(state, context);
	event = event_at(state, state->count);
	event->day = day;
	event->events = events;
	event->scale = AMOUNT_NONE;
	set_amount(state, event, amount, context);
	if (state->tidy == state->count &&
		(state->count == 0 || event_at(state, state->count - 1)->day < day))
		state->tidy++;
	state->count++;
	return state;
}

/* The history of a state, which stays as it is. */
static CustomerHistory *
state_history(HistoryState *state)
{
	HistoryDay *days;

	if (state->tidy < state->count)
	{
		/* tidy a copy; large amounts are copied too, since tidying frees them */
		Size		bytes = offsetof(HistoryState, data) + state->count * event_size(state);
		HistoryState *copy = palloc_extended(bytes, MCXT_ALLOC_HUGE);

		memcpy(copy, state, bytes);
		for (uint32 i = 0; i < copy->count; i++)
		{
			Amount		amount = event_amount(copy, event_at(copy, i));

			if (amount.big != NULL)
				set_amount(copy, event_at(copy, i), &amount, CurrentMemoryContext);
		}
		tidy_state(copy, CurrentMemoryContext);
		state = copy;
	}
	days = palloc_extended(sizeof(HistoryDay) * ((Size) state->count + 1), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < state->count; i++)
	{
		HistoryEvent *event = event_at(state, i);

		days[i].day = event->day;
		days[i].events = event->events;
		days[i].amount = event_amount(state, event);
	}
	return history_build(days, state->count);
}

/* ---------- rows ---------- */

/* The calendar of a zone that was not met before. */
static void
add_zone(FunctionCallInfo fcinfo, HistoryQuery *query)
{
	MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	HistoryZone *zone = palloc0(sizeof(HistoryZone));
	PeriodSpec	day = {PERIOD_DAY, 0};
	pg_tz	   *tz = session_timezone;

	if (query->zone_arg)
	{
		zone->name = PG_GETARG_TEXT_P_COPY(query->zone_arg);
		tz = zone_parse(VARDATA_ANY(zone->name), VARSIZE_ANY_EXHDR(zone->name));
	}
	zone->days = calendar_create(day, query->at_type == TIMESTAMPTZOID, tz);
	zone->next = query->zone;
	query->zone = zone;
	MemoryContextSwitchTo(old);
}

/* The zone of this row to the front. */
static void
find_zone(FunctionCallInfo fcinfo, HistoryQuery *query)
{
	text	   *name;

	require_argument(fcinfo, query->zone_arg, "time zone");
	name = PG_GETARG_TEXT_PP(query->zone_arg);
	for (HistoryZone **link = &query->zone; *link != NULL; link = &(*link)->next)
	{
		HistoryZone *zone = *link;

		if (!text_equal(zone->name, name))
			continue;
		*link = zone->next;
		zone->next = query->zone;
		query->zone = zone;
		return;
	}
	add_zone(fcinfo, query);
}

static pg_noinline HistoryQuery *
begin_query(FunctionCallInfo fcinfo, int form)
{
	HistoryQuery *query;

	/* cannot be called directly because of internal-type argument */
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "customer_history called in non-aggregate context");
	query = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(HistoryQuery));
	query->amount_arg = form & WITH_AMOUNT ? 2 : 0;
	query->zone_arg = form & WITH_ZONE ? (form & WITH_AMOUNT ? 3 : 2) : 0;
	query->at_type = time_argument_type(fcinfo, 1, "event time");
	require_argument(fcinfo, query->zone_arg, "time zone");
	query->vary = query->zone_arg && argument_varies(fcinfo, query->zone_arg);
	add_zone(fcinfo, query);
	fcinfo->flinfo->fn_extra = query;
	return query;
}

static pg_attribute_always_inline Datum
history_trans(FunctionCallInfo fcinfo, int form)
{
	/* set only by begin_query(): this call site is an aggregate, then */
	HistoryQuery *query = fcinfo->flinfo->fn_extra;
	HistoryState *state = PG_ARGISNULL(0) ? NULL : (HistoryState *) PG_GETARG_POINTER(0);
	MemoryContext context;
	Amount		amount = amount_none();
	DateADT		day;

	if (unlikely(query == NULL))
		query = begin_query(fcinfo, form);
	else if (unlikely(query->vary))
		find_zone(fcinfo, query);
	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(state);
	}
	day = calendar_period(query->zone->days, time_value(PG_GETARG_DATUM(1), query->at_type));
	if ((form & WITH_AMOUNT) && !PG_ARGISNULL(2))
		amount = amount_from_datum(PG_GETARG_DATUM(2));
	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "customer_history called in non-aggregate context");
	if (state == NULL)
		state = create_state(context, (form & WITH_AMOUNT) != 0);
	PG_RETURN_POINTER(add_events(state, day, 1, &amount, context));
}

/* One entry point for each signature: none may look for an argument it lacks. */
#define HISTORY_TRANS(name, form) \
	PG_FUNCTION_INFO_V1(name); \
	Datum name(PG_FUNCTION_ARGS) { return history_trans(fcinfo, form); }

HISTORY_TRANS(customer_history_trans, 0)
HISTORY_TRANS(customer_history_zone_trans, WITH_ZONE)
HISTORY_TRANS(customer_history_amount_trans, WITH_AMOUNT)
HISTORY_TRANS(customer_history_amount_zone_trans, WITH_AMOUNT | WITH_ZONE)

/* The finished value is what travels. */
PG_FUNCTION_INFO_V1(customer_history_serialize);
Datum
customer_history_serialize(PG_FUNCTION_ARGS)
{
	/* cannot be called directly because of internal-type argument */
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "customer_history_serialize called in non-aggregate context");
	PG_RETURN_POINTER(state_history((HistoryState *) PG_GETARG_POINTER(0)));
}

/* A state again, in the caller's short-lived context: combine copies from it. */
PG_FUNCTION_INFO_V1(customer_history_deserialize);
Datum
customer_history_deserialize(PG_FUNCTION_ARGS)
{
	HistoryReader reader;
	HistoryState *state;

	/* cannot be called directly because of internal-type argument */
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "customer_history_deserialize called in non-aggregate context");
	history_reader_open(&reader, DatumGetHistoryPP(PG_GETARG_DATUM(0)));
	state = create_state(CurrentMemoryContext, true);
	while (history_reader_day(&reader))
		state = add_events(state, reader.day.day, reader.day.events, &reader.day.amount,
						   CurrentMemoryContext);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(customer_history_combine);
Datum
customer_history_combine(PG_FUNCTION_ARGS)
{
	HistoryState *state = PG_ARGISNULL(0) ? NULL : (HistoryState *) PG_GETARG_POINTER(0);
	HistoryState *more = PG_ARGISNULL(1) ? NULL : (HistoryState *) PG_GETARG_POINTER(1);
	MemoryContext context;

	/* cannot be called directly because of internal-type argument */
	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "customer_history_combine called in non-aggregate context");
	if (more != NULL)
	{
		if (state == NULL)
			state = create_state(context, more->with_amounts);
		for (uint32 i = 0; i < more->count; i++)
		{
			HistoryEvent *event = event_at(more, i);
			Amount		amount = event_amount(more, event);

			state = add_events(state, event->day, event->events, &amount, context);
		}
	}
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(customer_history_final);
Datum
customer_history_final(PG_FUNCTION_ARGS)
{
	/* cannot be called directly because of internal-type argument */
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "customer_history_final called in non-aggregate context");
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(history_build(NULL, 0));
	PG_RETURN_POINTER(state_history((HistoryState *) PG_GETARG_POINTER(0)));
}

/*
 * rollup(customer_history) and ||: NULL counts as nothing.  Not strict: a
 * strict transition function would take its first input as the state.
 */
PG_FUNCTION_INFO_V1(customer_history_merge);
Datum
customer_history_merge(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(1)));
	PG_RETURN_POINTER(history_merge(PG_GETARG_HISTORY_PP(0), PG_GETARG_HISTORY_PP(1)));
}
