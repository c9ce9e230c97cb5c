/*
 * label_set.h
 *	  Labels by number: distinct short texts, in the order in which they came or
 *	  as declared; and the one order in which labels stand in values and rows.
 *
 * A set is one piece of memory that may be moved or lie within another: labels,
 * a hash table of their numbers, their bytes.
 *
 * Promises: a handful of labels takes some 150 bytes, as there may be a set for
 * each of a million groups; a label is found by one look into a hash.
 * Never: knows what is labelled, or which labels are allowed.
 */
#ifndef RETENTION_LABEL_SET_H
#define RETENTION_LABEL_SET_H

#include "value/label.h"

#define LABEL_BYTES_MAX		255
#define LABEL_SET_MAX		0x7fff	/* labels */

typedef struct LabelEntry
{
	uint32		hash;
	uint32		place;			/* in the bytes << 8 | length */
} LabelEntry;

typedef struct LabelSet
{
	uint32		n;
	uint32		room;			/* a power of two */
	uint32		bytes;
	uint32		bytes_room;
	bool		declared;		/* takes no other labels: for the caller to see to */
	LabelEntry	label[FLEXIBLE_ARRAY_MEMBER];
} LabelSet;

/* No label has this number. */
#define LABEL_NONE PG_UINT32_MAX

/* Numbers of labels plus one, 0 where there is none: twice as many slots as labels. */
static inline uint16 *
label_set_slots(const LabelSet *set)
{
	return (uint16 *) &set->label[set->room];
}

static inline char *
label_set_bytes(const LabelSet *set)
{
	return (char *) (label_set_slots(set) + 2 * (Size) set->room);
}

static inline uint32
label_set_len(const LabelSet *set, uint32 number)
{
	return set->label[number].place & 0xff;
}

/* Ends with a NUL. */
static inline const char *
label_set_text(const LabelSet *set, uint32 number)
{
	return label_set_bytes(set) + (set->label[number].place >> 8);
}

static inline uint32
label_hash(const char *text, uint32 len)
{
	return likely(len > 0) ? label_bytes_hash(text, len) : 0;
}

static inline bool
label_set_is(const LabelSet *set, uint32 number, const char *text, uint32 len)
{
	return label_set_len(set, number) == len &&
		(len == 0 || label_bytes_equal(label_set_text(set, number), text, len));
}

/* A label's number, or LABEL_NONE. */
static pg_attribute_always_inline uint32
label_set_find(const LabelSet *set, const char *text, uint32 len)
{
	const uint16 *slots = label_set_slots(set);
	uint32		mask = set->room * 2 - 1;
	uint32		hash = label_hash(text, len);

	for (uint32 place = hash & mask; slots[place] != 0; place = (place + 1) & mask)
		if (set->label[slots[place] - 1].hash == hash &&
			label_set_is(set, slots[place] - 1, text, len))
			return slots[place] - 1;
	return LABEL_NONE;
}

/* ---------- sets of their own ---------- */

extern LabelSet *label_set_create(MemoryContext context);

/* Distinct labels. */
extern LabelSet *label_set_declare(char *const *labels, int n, MemoryContext context);

/*
 * A label that has no number yet, of LABEL_BYTES_MAX bytes at most, gets the next
 * one; returns where the set is now.  There are fewer than LABEL_SET_MAX.
 */
extern LabelSet *label_set_add(LabelSet *set, const char *text, uint32 len);

/* Do both declare the same list?  NULL: none is declared. */
extern bool label_set_same(const LabelSet *a, const LabelSet *b);

/* ---------- sets within something else ---------- */

extern Size label_set_size(uint32 room, uint32 bytes_room);

/* An empty set in zeroed memory of that size. */
extern void label_set_init(LabelSet *set, uint32 room, uint32 bytes_room);

static inline bool
label_set_has_room(const LabelSet *set, uint32 len)
{
	return set->n < set->room && set->bytes + len + 1 <= set->bytes_room;
}

/* What label_set_init() should be told for a copy that has room for one more label. */
extern void label_set_grown(const LabelSet *set, uint32 len, uint32 *room, uint32 *bytes_room);

/* For which there is room. */
extern void label_set_put(LabelSet *set, const char *text, uint32 len);

/* Into an empty set with room for them. */
extern void label_set_copy(LabelSet *to, const LabelSet *from);

/* Of foreign bytes of that size: is it safe to use? */
extern bool label_set_sound(const LabelSet *set, Size size);

/* ---------- order ---------- */

/*
 * The order of labels wherever they are shown or stored: whole numbers first, by
 * value, then by bytes.  Of UTF-8, so that it does not hang on an encoding.
 */
extern int	label_compare(const char *a, const char *b);

/*
 * order[i] is the number of the label that is the i-th when they ascend, rank[]
 * the inverse; both palloc'd.  Returns whether they ascend already.
 */
extern bool label_order(char *const *labels, int n, int **order, int **rank);

#endif							/* RETENTION_LABEL_SET_H */
