/*
 * history_state.c
 *	  One customer's days while they are gathered.
 *
 * The promises are in history_state.h.
 */
#include "history/history_state.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/date.h"
#include "utils/numeric.h"

/*
 * Events of one day.  States without amounts leave "value" out.  Days with
 * more events than fit have several of these.
 */
typedef struct HistoryEvent
{
	DateADT		day;
	uint32		events:24,		/* 0: only money moved */
				scale:8;		/* of the amount; or one of those below */
	int64		value;			/* SCALE_BIG: address of a numeric */
} HistoryEvent;

#define EVENTS_LIMIT	0xffffff
#define SCALE_NONE		0xff	/* no amount */
#define SCALE_BIG		0xfe	/* too large for an integer */

/* What most customers never need. */
struct HistoryArray
{
	uint32		count;
	uint32		capacity;
	uint32		tidy;			/* so many from its start are ascending, distinct days */
	uint32		unused;
	char		events[FLEXIBLE_ARRAY_MEMBER];
};

#define RECENT_AMOUNTS		18

typedef struct RecentAmounts
{
	int32		values[RECENT_AMOUNTS]; /* RECENT_NONE: no amount; below 0: money alone */
	int16		distances[RECENT_AMOUNTS];
} RecentAmounts;

#define RECENT_NONE			PG_INT32_MIN
#define FIRST_ARRAY_BYTES	256

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

HistoryState *
history_state_create(MemoryContext context, bool with_amounts, DateADT day)
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
		event.events = event.value >= 0;
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
void
history_state_flush(HistoryState *state, MemoryContext context)
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
	do
	{
		Amount		none = amount_none();

		/* history_state_history() adds them up again */
		event.events = Min(events, EVENTS_LIMIT);
		set_amount(state, &event, events > EVENTS_LIMIT ? &none : amount, context);
		reserve_array(state, 1, context);
		append_array(state, &event);
		events -= event.events;
	}
	while (events > 0);
}

void
history_state_add_far(HistoryState *state, DateADT day, MemoryContext context)
{
	Amount		none = amount_none();

	add_to_array(state, day, 1, &none, context);
}

/*
 * One event of a state with amounts, or none where the amount is negative; false
 * if it does not fit.
 */
static inline bool
history_state_add_amount(HistoryState *state, DateADT day, int64 events, const Amount *amount,
						 MemoryContext context)
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
			value != amount->value || value == RECENT_NONE || events != (value >= 0))
			return false;
	}
	else if (unlikely(events == 0))
		return true;			/* nothing happened */
	if (distance != (int16) distance)
		return false;
	if (unlikely(state->recent_count == RECENT_AMOUNTS))
		history_state_flush(state, context);
	recent->values[state->recent_count] = value;
	recent->distances[state->recent_count++] = (int16) distance;
	return true;
}

void
history_state_add(HistoryState *state, DateADT day, int64 events, const Amount *amount,
				  MemoryContext context)
{
	if (events == 1 && !state->with_amounts)
		history_state_add_day(state, day, context);
	else if (events > 1 || !history_state_add_amount(state, day, events, amount, context))
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

CustomerHistory *
history_state_history(const HistoryState *state)
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

HistoryState *
history_state_image(CustomerHistory *history)
{
	HistoryState *image = palloc0(offsetof(HistoryState, recent));
	HistoryReader reader;

	history_reader_open(&reader, history);
	image->array = (HistoryArray *) history;
	image->with_amounts = reader.has_amounts;
	image->image = true;
	/* of a history without active days the base does not matter: distances only grow */
	if (history_reader_day(&reader))
		image->base = reader.day.day;
	return image;
}

/* Adds the events of an image to a state. */
static void
combine_image(HistoryState *state, const HistoryState *image, MemoryContext context)
{
	HistoryAll	all;

	history_all_open(&all, (CustomerHistory *) image->array);
	while (history_all_day(&all))
		history_state_add(state, all.day.day, all.day.events, &all.day.amount, context);
}

void
history_state_combine(HistoryState *state, const HistoryState *from, MemoryContext context)
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
		history_state_add(state, event.day, event.events, &amount, context);
	}
}
