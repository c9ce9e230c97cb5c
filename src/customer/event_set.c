/*
 * event_set.c
 *	  Sets of periods or instants of one customer, in one 8-byte word.
 *
 * Shape and promises: see event_set.h.
 */
#include "customer/event_set.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

#define ST_SORT sort_periods
#define ST_ELEMENT_TYPE int32
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_instants
#define ST_ELEMENT_TYPE int64
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* A list starts with room for 2 periods or 1 instant. */
#define FIRST_CLASS 0

static inline uint32
list_capacity(int class, Size element)
{
	return (uint32) ((arena_class_units(class) * (Size) ARENA_UNIT - sizeof(EventList)) / element);
}

static inline uint64
list_word(uint64 offset, int class)
{
	return SET_LIST | SET_PRESENT | ((uint64) class << ARENA_OFFSET_BITS) | offset;
}

static uint64
new_list(Arena *arena, int class)
{
	uint64		offset = arena_alloc_class(arena, class);
	EventList  *list = arena_pointer(arena, offset);

	list->count = list->sorted = 0;
	return list_word(offset, class);
}

static uint64
move_list(Arena *arena, uint64 word, int class, Size element)
{
	uint64		to = arena_alloc_class(arena, class);
	EventList  *list = event_list(arena, word);

	memcpy(arena_pointer(arena, to), list, sizeof(EventList) + list->count * element);
	event_list_free(arena, word);
	return list_word(to, class);
}

void
event_list_free(Arena *arena, uint64 word)
{
	arena_free_class(arena, SET_OFFSET(word), SET_CLASS(word));
}

static uint32
unique_periods(int32 *v, uint32 n)
{
	uint32		kept = 0;

	for (uint32 i = 0; i < n; i++)
		if (i == 0 || v[i] != v[kept - 1])
			v[kept++] = v[i];
	return kept;
}

static uint32
unique_instants(int64 *v, uint32 n)
{
	uint32		kept = 0;

	for (uint32 i = 0; i < n; i++)
		if (i == 0 || v[i] != v[kept - 1])
			v[kept++] = v[i];
	return kept;
}

/* A full list: tidy it, and grow it unless that freed a quarter. */
static bool
wants_room(uint32 count, uint32 capacity)
{
	return count > capacity - capacity / 4 || count == capacity;
}

void
period_list_add(Arena *arena, uint64 *word, int32 period)
{
	EventList  *list;
	int32	   *v;
	uint32		capacity;

	if (!(*word & SET_LIST))
	{
		Assert((*word & SET_MASK) == 0);
		*word = new_list(arena, FIRST_CLASS);
	}
	list = event_list(arena, *word);
	v = EVENT_LIST_PERIODS(list);
	if (list->count > 0 && v[list->count - 1] == period)
		return;
	capacity = list_capacity(SET_CLASS(*word), sizeof(int32));
	if (list->count == capacity)
	{
		if (list->sorted < list->count)
		{
			sort_periods(v, list->count);
			list->count = list->sorted = unique_periods(v, list->count);
		}
		if (wants_room(list->count, capacity))
		{
			*word = move_list(arena, *word, SET_CLASS(*word) + 1, sizeof(int32));
			list = event_list(arena, *word);
			v = EVENT_LIST_PERIODS(list);
		}
	}
	if (list->sorted == list->count &&
		(list->count == 0 || period > v[list->count - 1]))
		list->sorted++;
	v[list->count++] = period;
}

void
instant_list_add(Arena *arena, uint64 *word, int64 instant, EventThinner thin, void *arg)
{
	EventList  *list;
	int64	   *v;
	uint32		capacity;

	if (!(*word & SET_LIST))
	{
		Assert((*word & SET_MASK) == 0);
		*word = new_list(arena, FIRST_CLASS);
	}
	list = event_list(arena, *word);
	v = EVENT_LIST_INSTANTS(list);
	if (list->count > 0 && v[list->count - 1] == instant)
		return;
	capacity = list_capacity(SET_CLASS(*word), sizeof(int64));
	if (list->count == capacity)
	{
		if (list->sorted < list->count)
		{
			sort_instants(v, list->count);
			list->count = unique_instants(v, list->count);
		}
		list->count = list->sorted = thin(v, list->count, arg);
		if (wants_room(list->count, capacity))
		{
			*word = move_list(arena, *word, SET_CLASS(*word) + 1, sizeof(int64));
			list = event_list(arena, *word);
			v = EVENT_LIST_INSTANTS(list);
		}
	}
	if (list->sorted == list->count &&
		(list->count == 0 || instant > v[list->count - 1]))
		list->sorted++;
	v[list->count++] = instant;
}

void
period_mask_to_list(Arena *arena, uint64 *word, int32 base)
{
	uint64		bits = *word & SET_MASK;
	uint32		n = pg_popcount64(bits);
	EventList  *list;
	uint64		listed;

	listed = new_list(arena, arena_class_for((sizeof(EventList) + (n + 1) * sizeof(int32) +
											  ARENA_UNIT - 1) / ARENA_UNIT));
	list = event_list(arena, listed);
	for (; bits != 0; bits &= bits - 1)
		EVENT_LIST_PERIODS(list)[list->count++] = base + pg_rightmost_one_pos64(bits);
	list->sorted = list->count;
	*word = listed;
}

/* ---------- reading ---------- */

static uint32
larger(uint32 capacity, uint32 n)
{
	return Max(n, Max(64, capacity + capacity / 2));
}

void
period_array_reserve(PeriodArray *array, uint32 n)
{
	if (n <= array->capacity)
		return;
	n = larger(array->capacity, n);
	array->v = array->v == NULL ? palloc_extended(sizeof(int32) * (Size) n, MCXT_ALLOC_HUGE) :
		repalloc_huge(array->v, sizeof(int32) * (Size) n);
	array->capacity = n;
}

static void
instant_array_reserve(InstantArray *array, uint32 n)
{
	if (n <= array->capacity)
		return;
	n = larger(array->capacity, n);
	array->v = array->v == NULL ? palloc_extended(sizeof(int64) * (Size) n, MCXT_ALLOC_HUGE) :
		repalloc_huge(array->v, sizeof(int64) * (Size) n);
	array->capacity = n;
}

void
period_array_sort(PeriodArray *array)
{
	if (array->n > 1)
		sort_periods(array->v, array->n);
}

void
period_array_normalize(PeriodArray *array)
{
	period_array_sort(array);
	array->n = unique_periods(array->v, array->n);
}

void
period_set_read(const Arena *arena, uint64 word, int32 base, PeriodArray *out)
{
	if (word & SET_LIST)
	{
		EventList  *list = event_list(arena, word);

		period_array_reserve(out, list->count);
		memcpy(out->v, EVENT_LIST_PERIODS(list), sizeof(int32) * (Size) list->count);
		out->n = list->count;
		if (list->sorted < list->count)
			period_array_normalize(out);
		return;
	}
	period_array_reserve(out, SET_BITS);
	out->n = 0;
	for (uint64 bits = word & SET_MASK; bits != 0; bits &= bits - 1)
		out->v[out->n++] = base + pg_rightmost_one_pos64(bits);
}

void
instant_set_read(const Arena *arena, uint64 word, InstantArray *out)
{
	EventList  *list;

	out->n = 0;
	if (!(word & SET_LIST))
		return;
	list = event_list(arena, word);
	instant_array_reserve(out, list->count);
	memcpy(out->v, EVENT_LIST_INSTANTS(list), sizeof(int64) * (Size) list->count);
	out->n = list->count;
	if (list->sorted < list->count)
	{
		sort_instants(out->v, out->n);
		out->n = unique_instants(out->v, out->n);
	}
}
