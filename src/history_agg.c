/*
 * history_agg.c
 *	  SQL-callable: the aggregates that make a customer_history.
 *
 * customer_history() runs under GROUP BY customer, one state a customer: one
 * small palloc'd struct that grows, since anything more per group (a memory
 * context, an expanded object) costs HashAggregate dearly.  rollup() and ||
 * add finished values.
 *
 * Promises: results do not depend on the order of rows or on how they are
 * split; the final function does not modify the state.
 * Never: reads the clock, or the session's zone where a zone was given.
 */
#include "history.h"

#include "arguments.h"
#include "calendar.h"
#include "miscadmin.h"
#include "pile.h"
#include "port/pg_bitutils.h"
#include "utils/builtins.h"

/*
 * Events of one day.  States without amounts leave "value" out.  Days with
 * more events than fit have several of these.
 */
typedef struct HistoryEvent
{
	DateADT		day;
	uint32		events:24,
				scale:8;		/* of the amount; or one of those below */
	int64		value;			/* SCALE_BIG: address of a numeric */
} HistoryEvent;

#define EVENTS_LIMIT	0xffffff
#define SCALE_NONE		0xff	/* no amount */
#define SCALE_BIG		0xfe	/* too large for an integer */

/* What most customers never need. */
typedef struct HistoryArray
{
	uint32		count;
	uint32		capacity;
	uint32		tidy;			/* so many from its start are ascending, distinct days */
	uint32		unused;
	char		events[FLEXIBLE_ARRAY_MEMBER];
} HistoryArray;

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

#define RECENT_DAYS			24
#define RECENT_AMOUNTS		18

typedef struct RecentAmounts
{
	int32		values[RECENT_AMOUNTS];	/* RECENT_NONE: no amount */
	int16		distances[RECENT_AMOUNTS];
} RecentAmounts;

#define RECENT_NONE			PG_INT32_MIN
#define FIRST_ARRAY_BYTES	256

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
array_event(const HistoryState *state, uint32 i)
{
	return (HistoryEvent *) (state->array->events + i * event_size(state));
}

static HistoryState *
create_state(MemoryContext context, bool with_amounts, DateADT day)
{
	Size		bytes = offsetof(HistoryState, recent) +
		(with_amounts ? sizeof(RecentAmounts) : sizeof(int16) * RECENT_DAYS);
	HistoryState *state = MemoryContextAlloc(context, bytes);

	state->array = NULL;
	state->base = day;
	state->recent_count = 0;
	state->scale = SCALE_NONE;
	state->with_amounts = with_amounts;
	state->image = false;
	return state;
}

/* A recent event, copied out. */
static inline HistoryEvent
recent_event(const HistoryState *state, uint32 i)
{
	const RecentAmounts *amounts = (const RecentAmounts *) state->recent;
	HistoryEvent event;

	event.events = 1;
	event.scale = SCALE_NONE;
	event.value = 0;
	if (!state->with_amounts)
	{
		event.day = state->base + ((const int16 *) state->recent)[i];
		return event;
	}
	event.day = state->base + amounts->distances[i];
	if (amounts->values[i] != RECENT_NONE)
	{
		event.scale = state->scale;
		event.value = amounts->values[i];
	}
	return event;
}

static Amount
event_amount(const HistoryState *state, const HistoryEvent *event)
{
	Amount		amount = amount_none();

	if (!state->with_amounts || event->scale == SCALE_NONE)
		return amount;
	if (event->scale == SCALE_BIG)
	{
		amount.scale = 0;
		amount.big = (Numeric) (uintptr_t) event->value;
		return amount;
	}
	amount.scale = event->scale;
	amount.value = event->value;
	return amount;
}

/* Large amounts are copied into the context. */
static void
set_amount(HistoryState *state, HistoryEvent *event, const Amount *amount,
		   MemoryContext context)
{
	event->scale = SCALE_NONE;
	if (!state->with_amounts || amount->scale == AMOUNT_NONE)
		return;
	event->scale = amount->scale;
	event->value = amount->value;
	if (amount->big != NULL)
	{
		Size		bytes = VARSIZE_ANY(amount->big);
		void	   *copy = MemoryContextAlloc(context, bytes);

		memcpy(copy, amount->big, bytes);
		event->scale = SCALE_BIG;
		event->value = (int64) (uintptr_t) copy;
	}
}

static void
free_amount(const HistoryState *state, const HistoryEvent *event)
{
	if (state->with_amounts && event->scale == SCALE_BIG)
		pfree((void *) (uintptr_t) event->value);
}

/* Adds events of the same day; false if their number does not fit. */
static bool
add_to_event(HistoryState *state, HistoryEvent *event, int64 events, const Amount *amount,
			 MemoryContext context)
{
	if (event->events + events > EVENTS_LIMIT)
		return false;
	event->events += events;
	if (amount->scale != AMOUNT_NONE)
	{
		HistoryEvent before = *event;
		Amount		have = event_amount(state, event);
		Amount		sum = amount_add(&have, amount);

		set_amount(state, event, &sum, context);
		free_amount(state, &before);
	}
	return true;
}

static int
compare_events(const void *a, const void *b)
{
	DateADT		x = ((const HistoryEvent *) a)->day;
	DateADT		y = ((const HistoryEvent *) b)->day;

	return x < y ? -1 : x > y;
}

/* The array's events become days, ascending. */
static void
tidy_array(HistoryState *state, MemoryContext context)
{
	HistoryArray *array = state->array;
	Size		size = event_size(state);
	uint32		kept = 0;

	if (array->tidy == array->count)
		return;
	CHECK_FOR_INTERRUPTS();
	qsort(array->events, array->count, size, compare_events);
	for (uint32 i = 1; i < array->count; i++)
	{
		HistoryEvent *last = array_event(state, kept);
		HistoryEvent *event = array_event(state, i);
		Amount		amount = event_amount(state, event);

		if (event->day == last->day &&
			add_to_event(state, last, event->events, &amount, context))
			free_amount(state, event);
		else if (++kept != i)
			memcpy(array_event(state, kept), event, size);
	}
	array->count = array->tidy = kept + 1;
}

/* Room for so many events more in the array. */
static void
reserve_array(HistoryState *state, uint32 more, MemoryContext context)
{
	HistoryArray *array = state->array;
	uint64		bytes;			/* a power of two, as the allocator gives them */

	if (array != NULL && array->count + more <= array->capacity)
		return;
	if (array != NULL)
		tidy_array(state, context);
	/* half of it free, or sorting would come too often */
	if (array != NULL && array->count + more <= array->capacity / 2)
		return;
	bytes = array == NULL ? FIRST_ARRAY_BYTES :
		2 * pg_nextpower2_64(offsetof(HistoryArray, events) + array->capacity * event_size(state));
	while ((bytes - offsetof(HistoryArray, events)) / event_size(state) <
		   more + (array == NULL ? 0 : (uint64) array->count))
		bytes *= 2;
	if (array == NULL)
	{
		array = MemoryContextAlloc(context, bytes);
		memset(array, 0, offsetof(HistoryArray, events));
	}
	else
		array = repalloc_huge(array, bytes);
	array->capacity = (uint32) Min((bytes - offsetof(HistoryArray, events)) / event_size(state),
								   PG_UINT32_MAX);
	state->array = array;
}

static void
append_array(HistoryState *state, const HistoryEvent *event)
{
	HistoryArray *array = state->array;

	Assert(array->count < array->capacity);
	if (array->tidy == array->count &&
		(array->count == 0 || array_event(state, array->count - 1)->day < event->day))
		array->tidy++;
	memcpy(array_event(state, array->count++), event, event_size(state));
}

/* What is recent moves to the array. */
static pg_noinline void
flush_recent(HistoryState *state, MemoryContext context)
{
	reserve_array(state, state->recent_count, context);
	for (uint32 i = 0; i < state->recent_count; i++)
	{
		HistoryEvent event = recent_event(state, i);

		append_array(state, &event);
	}
	state->recent_count = 0;
}

/* Events of one day that cannot be recent ones. */
static pg_noinline void
add_to_array(HistoryState *state, DateADT day, int64 events, const Amount *amount,
			 MemoryContext context)
{
	HistoryEvent event;

	event.day = day;
	event.value = 0;
	for (; events > 0; events -= event.events)
	{
		Amount		none = amount_none();

		/* state_history() adds them up again */
		event.events = Min(events, EVENTS_LIMIT);
		set_amount(state, &event, events > EVENTS_LIMIT ? &none : amount, context);
		reserve_array(state, 1, context);
		append_array(state, &event);
	}
}

/* Without an amount, in a state without amounts. */
static inline void
add_day(HistoryState *state, DateADT day, MemoryContext context)
{
	int32		distance = (int32) ((uint32) day - (uint32) state->base);

	if (unlikely(distance != (int16) distance))
	{
		Amount		none = amount_none();

		add_to_array(state, day, 1, &none, context);
		return;
	}
	if (unlikely(state->recent_count == RECENT_DAYS))
		flush_recent(state, context);
	((int16 *) state->recent)[state->recent_count++] = (int16) distance;
}

/* One event of a state with amounts; false if it does not fit. */
static inline bool
add_amount(HistoryState *state, DateADT day, const Amount *amount, MemoryContext context)
{
	RecentAmounts *recent = (RecentAmounts *) state->recent;
	int32		distance = (int32) ((uint32) day - (uint32) state->base);
	int32		value = RECENT_NONE;

	if (amount->scale != AMOUNT_NONE)
	{
		if (state->scale == SCALE_NONE && amount->big == NULL)
			state->scale = amount->scale;
		value = (int32) amount->value;
		if (amount->big != NULL || amount->scale != state->scale ||
			value != amount->value || value == RECENT_NONE)
			return false;
	}
	if (distance != (int16) distance)
		return false;
	if (unlikely(state->recent_count == RECENT_AMOUNTS))
		flush_recent(state, context);
	recent->values[state->recent_count] = value;
	recent->distances[state->recent_count++] = (int16) distance;
	return true;
}

static void
add_events(HistoryState *state, DateADT day, int64 events, const Amount *amount,
		   MemoryContext context)
{
	if (events == 1 && !state->with_amounts)
		add_day(state, day, context);
	else if (events != 1 || !add_amount(state, day, amount, context))
		add_to_array(state, day, events, amount, context);
}

/* An event as part of a history: a new day, or more of the last one. */
static void
append_day(const HistoryState *state, const HistoryEvent *event, HistoryDay *days, uint64 *n)
{
	HistoryDay	day = {event->day, event->events, event_amount(state, event)};

	if (*n > 0 && days[*n - 1].day == day.day)
		history_day_add(&days[*n - 1], &day);
	else
		days[(*n)++] = day;
}

/* A history of recent days alone: the usual case. */
static CustomerHistory *
recent_history(const HistoryState *state)
{
	int16		distances[RECENT_DAYS];
	HistoryDay	days[RECENT_DAYS];
	uint32		n = 0;

	/* few, and often in order already */
	for (int i = 0; i < state->recent_count; i++)
	{
		int16		distance = ((const int16 *) state->recent)[i];
		int			at = i;

		for (; at > 0 && distances[at - 1] > distance; at--)
			distances[at] = distances[at - 1];
		distances[at] = distance;
	}
	for (int i = 0; i < state->recent_count; i++)
	{
		if (i > 0 && distances[i] == distances[i - 1])
		{
			days[n - 1].events++;
			continue;
		}
		days[n].day = state->base + distances[i];
		days[n].events = 1;
		days[n++].amount = amount_none();
	}
	return history_build(days, n);
}

/* The history of a state, which stays as it is. */
static CustomerHistory *
state_history(const HistoryState *state)
{
	uint32		count = state->array == NULL ? 0 : state->array->count;
	uint64		all = (uint64) count + state->recent_count;
	Size		size = event_size(state);
	char	   *events;
	HistoryDay *days;
	uint64		n = 0;
	bool		ascending = true;

	if (!state->with_amounts && count == 0)
		return recent_history(state);
	events = palloc_extended(size * (all + 1), MCXT_ALLOC_HUGE);
	days = palloc_extended(sizeof(HistoryDay) * (all + 1), MCXT_ALLOC_HUGE);
	/* a copy, without the amounts too large for an event: those are only read */
	if (count > 0)
		memcpy(events, state->array->events, size * count);
	for (uint32 i = 0; i < state->recent_count; i++)
	{
		HistoryEvent event = recent_event(state, i);

		memcpy(events + size * (count + i), &event, size);
	}
	for (uint64 i = Max(count > 0 ? state->array->tidy : 0, 1); i < all && ascending; i++)
		ascending = compare_events(events + size * (i - 1), events + size * i) <= 0;
	if (!ascending)
		qsort(events, all, size, compare_events);
	for (uint64 i = 0; i < all; i++)
		append_day(state, (HistoryEvent *) (events + size * i), days, &n);
	return history_build(days, n);
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
	int64		at;
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
	at = time_value(PG_GETARG_DATUM(1), query->at_type);
	/* at the ends of the calendar a zone may have no such day: an error */
	if (unlikely(at < MIN_TIMESTAMP + USECS_PER_DAY || at >= END_TIMESTAMP - USECS_PER_DAY))
		(void) calendar_to_wall(query->zone->days, at);
	day = calendar_period(query->zone->days, at);
	if ((form & WITH_AMOUNT) && !PG_ARGISNULL(2))
		amount = amount_from_datum(PG_GETARG_DATUM(2));
	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "customer_history called in non-aggregate context");
	if (state == NULL)
		state = create_state(context, (form & WITH_AMOUNT) != 0, day);
	if (form & WITH_AMOUNT)
		add_events(state, day, 1, &amount, context);
	else
		add_day(state, day, context);
	PG_RETURN_POINTER(state);
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

/* The history is read where it lies; combine copies what it needs. */
PG_FUNCTION_INFO_V1(customer_history_deserialize);
Datum
customer_history_deserialize(PG_FUNCTION_ARGS)
{
	HistoryReader reader;
	HistoryState *image;
	CustomerHistory *history;

	/* cannot be called directly because of internal-type argument */
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "customer_history_deserialize called in non-aggregate context");
	history = DatumGetHistoryPP(PG_GETARG_DATUM(0));
	history_reader_open(&reader, history);
	image = palloc(offsetof(HistoryState, recent));
	memset(image, 0, offsetof(HistoryState, recent));
	image->array = (HistoryArray *) history;
	image->with_amounts = reader.has_amounts;
	image->image = true;
	/* a history without events is none to combine; its base does not matter */
	if (history_reader_day(&reader))
		image->base = reader.day.day;
	PG_RETURN_POINTER(image);
}

/* Adds the events of an image to a state. */
static void
combine_image(HistoryState *state, const HistoryState *image, MemoryContext context)
{
	HistoryReader reader;

	history_reader_open(&reader, (CustomerHistory *) image->array);
	while (history_reader_day(&reader))
		add_events(state, reader.day.day, reader.day.events, &reader.day.amount, context);
}

/* Adds a state's events to another one. */
static void
combine_events(HistoryState *state, const HistoryState *from, MemoryContext context)
{
	uint32		count;
	uint64		all;

	if (from->image)
	{
		combine_image(state, from, context);
		return;
	}
	count = from->array == NULL ? 0 : from->array->count;
	all = (uint64) count + from->recent_count;
	for (uint64 i = 0; i < all; i++)
	{
		HistoryEvent event = {0};
		Amount		amount;

		if (i < count)
			memcpy(&event, array_event(from, i), event_size(from));
		else
			event = recent_event(from, i - count);
		amount = event_amount(from, &event);
		add_events(state, event.day, event.events, &amount, context);
	}
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
		HistoryState *wide = state;

		/* amounts may come first from a later process */
		if (state == NULL || (more->with_amounts && !state->with_amounts))
			wide = create_state(context, more->with_amounts, more->base);
		if (state != NULL && wide != state)
			combine_events(wide, state, context);
		combine_events(wide, more, context);
		state = wide;
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

PG_FUNCTION_INFO_V1(customer_history_rollup);
Datum
customer_history_rollup(PG_FUNCTION_ARGS)
{
	return pile_rollup(fcinfo, history_merge, history_finished);
}

PG_FUNCTION_INFO_V1(customer_history_rollup_final);
Datum
customer_history_rollup_final(PG_FUNCTION_ARGS)
{
	return pile_rollup_final(fcinfo, history_merge);
}

/* ||: NULL counts as nothing. */
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
