/*
 * event_set.h
 *	  Sets of periods or instants of one customer, in one 8-byte word.
 *
 * A word is either a bit mask of 62 periods from the state's base on, or the
 * place of a list in an arena.  Lists hold int32 periods or int64 instants;
 * they are appended to, and sorted and rid of duplicates only when full.
 *
 *	  bit 63  the word is a list: bits 40..46 its size class, 0..39 its offset
 *	  bit 62  always set: a word of a known customer is never 0
 *
 * Promises: memory follows the number of distinct members.
 * Never: knows what a period is, nor whose set it is.
 */
#ifndef RETENTION_EVENT_SET_H
#define RETENTION_EVENT_SET_H

#include "customer/arena.h"
#include "retention.h"

#define SET_LIST		(UINT64CONST(1) << 63)
#define SET_PRESENT		(UINT64CONST(1) << 62)
#define SET_BITS		62
#define SET_MASK		(SET_PRESENT - 1)
#define SET_EMPTY		SET_PRESENT
#define SET_OFFSET(w)	((w) & ((UINT64CONST(1) << ARENA_OFFSET_BITS) - 1))
#define SET_CLASS(w)	((int) ((w) >> ARENA_OFFSET_BITS & 0x7f))

typedef struct EventList
{
	uint32		count;
	uint32		sorted;			/* so many from the start are ascending, distinct */
} EventList;

#define EVENT_LIST_PERIODS(list)	((int32 *) ((EventList *) (list) + 1))
#define EVENT_LIST_INSTANTS(list)	((int64 *) ((EventList *) (list) + 1))

/* Thins an ascending list of instants to those that matter; returns how many. */
typedef uint32 (*EventThinner) (int64 *instants, uint32 n, void *arg);

static inline EventList *
event_list(const Arena *arena, uint64 word)
{
	return (EventList *) arena_pointer(arena, SET_OFFSET(word));
}

/* Adds to a list, making one of an empty word. */
extern void period_list_add(Arena *arena, uint64 *word, int32 period);
extern void instant_list_add(Arena *arena, uint64 *word, int64 instant,
							 EventThinner thin, void *arg);

/* Turns a bit mask into a list. */
extern void period_mask_to_list(Arena *arena, uint64 *word, int32 base);

extern void event_list_free(Arena *arena, uint64 word);

/* A scratch array that grows. */
typedef struct PeriodArray
{
	uint32		n;
	uint32		capacity;
	int32	   *v;
} PeriodArray;

typedef struct InstantArray
{
	uint32		n;
	uint32		capacity;
	int64	   *v;
} InstantArray;

/* The members of a set, ascending and distinct; the set is not changed. */
extern void period_set_read(const Arena *arena, uint64 word, int32 base, PeriodArray *out);
extern void instant_set_read(const Arena *arena, uint64 word, InstantArray *out);

extern void period_array_reserve(PeriodArray *array, uint32 n);
extern void period_array_sort(PeriodArray *array);

/* sorts and removes duplicates */
extern void period_array_normalize(PeriodArray *array);

#endif							/* RETENTION_EVENT_SET_H */
