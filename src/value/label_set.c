/*
 * label_set.c
 *	  Labels by number, and in order.
 *
 * Shape and promises: see label_set.h.
 */
#include "value/label_set.h"

#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#define FIRST_ROOM		4
#define FIRST_BYTES		40

/* ---------- within something else ---------- */

Size
label_set_size(uint32 room, uint32 bytes_room)
{
	return offsetof(LabelSet, label) + (sizeof(LabelEntry) + 2 * sizeof(uint16)) * (Size) room +
		bytes_room;
}

void
label_set_init(LabelSet *set, uint32 room, uint32 bytes_room)
{
	Assert((room & (room - 1)) == 0);
	set->room = room;
	set->bytes_room = bytes_room;
}

void
label_set_grown(const LabelSet *set, uint32 len, uint32 *room, uint32 *bytes_room)
{
	*room = set->n == set->room ? set->room * 2 : set->room;
	*bytes_room = Max(set->bytes_room, FIRST_BYTES);
	while (set->bytes + len + 1 > *bytes_room)
		*bytes_room *= 2;
}

void
label_set_put(LabelSet *set, const char *text, uint32 len)
{
	LabelEntry *label = &set->label[set->n];
	uint16	   *slots = label_set_slots(set);
	uint32		mask = set->room * 2 - 1;
	uint32		place;

	Assert(label_set_has_room(set, len) && len <= LABEL_BYTES_MAX && set->n < LABEL_SET_MAX);
	label->hash = label_hash(text, len);
	label->place = set->bytes << 8 | len;
	if (len > 0)
		memcpy(label_set_bytes(set) + set->bytes, text, len);
	/* zeroed memory ends it */
	set->bytes += len + 1;
	place = label->hash & mask;
	while (slots[place] != 0)
		place = (place + 1) & mask;
	slots[place] = (uint16) (++set->n);
}

void
label_set_copy(LabelSet *to, const LabelSet *from)
{
	for (uint32 i = 0; i < from->n; i++)
		label_set_put(to, label_set_text(from, i), label_set_len(from, i));
	to->declared = from->declared;
}

bool
label_set_sound(const LabelSet *set, Size size)
{
	uint32		slots = 0;

	if (size < offsetof(LabelSet, label) || set->room == 0 || set->room > LABEL_SET_MAX + 1 ||
		(set->room & (set->room - 1)) != 0 || set->n > set->room || set->n > LABEL_SET_MAX ||
		set->bytes > set->bytes_room || size != label_set_size(set->room, set->bytes_room))
		return false;
	for (uint32 i = 0; i < set->n; i++)
	{
		uint64		end = (uint64) (set->label[i].place >> 8) + label_set_len(set, i);

		if (end >= set->bytes || label_set_bytes(set)[end] != '\0')
			return false;
	}
	for (uint32 i = 0; i < set->room * 2; i++)
	{
		if (label_set_slots(set)[i] > set->n)
			return false;
		slots += label_set_slots(set)[i] != 0;
	}
	/* fewer than there are: a search ends */
	return slots == set->n;
}

/* ---------- of their own ---------- */

static LabelSet *
label_set_allocate(uint32 room, uint32 bytes_room, MemoryContext context)
{
	LabelSet   *set = MemoryContextAllocZero(context, label_set_size(room, bytes_room));

	label_set_init(set, room, bytes_room);
	return set;
}

LabelSet *
label_set_create(MemoryContext context)
{
	return label_set_allocate(FIRST_ROOM, FIRST_BYTES, context);
}

LabelSet *
label_set_declare(char *const *labels, int n, MemoryContext context)
{
	uint32		bytes = 0;
	LabelSet   *set;

	for (int i = 0; i < n; i++)
		bytes += strlen(labels[i]) + 1;
	set = label_set_allocate(pg_nextpower2_32(Max(n, 1)), bytes, context);
	for (int i = 0; i < n; i++)
		label_set_put(set, labels[i], strlen(labels[i]));
	set->declared = true;
	return set;
}

LabelSet *
label_set_add(LabelSet *set, const char *text, uint32 len)
{
	if (!label_set_has_room(set, len))
	{
		uint32		room;
		uint32		bytes_room;
		LabelSet   *larger;

		label_set_grown(set, len, &room, &bytes_room);
		larger = label_set_allocate(room, bytes_room, GetMemoryChunkContext(set));
		label_set_copy(larger, set);
		pfree(set);
		set = larger;
	}
	label_set_put(set, text, len);
	return set;
}

bool
label_set_same(const LabelSet *a, const LabelSet *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->n == b->n && a->bytes == b->bytes &&
		memcmp(label_set_bytes(a), label_set_bytes(b), a->bytes) == 0;
}

/* ---------- order ---------- */

static inline bool
begins_like_number(const char *label)
{
	return (*label >= '0' && *label <= '9') || *label == '-';
}

/* Is it a whole number, written in the one way there is? */
static bool
is_whole(const char *label, bool *negative, int *digits)
{
	const char *first = label + (*label == '-');

	*negative = first != label;
	*digits = strspn(first, "0123456789");
	if (*digits == 0 || first[*digits] != '\0')
		return false;
	return first[0] != '0' || (*digits == 1 && !*negative);
}

int
label_compare(const char *a, const char *b)
{
	bool		a_negative;
	bool		b_negative;
	int			a_digits;
	int			b_digits;
	bool		a_whole;
	bool		b_whole;
	int			size;

	if (!begins_like_number(a) && !begins_like_number(b))
		return strcmp(a, b);
	a_whole = is_whole(a, &a_negative, &a_digits);
	b_whole = is_whole(b, &b_negative, &b_digits);
	if (!a_whole || !b_whole)
		return a_whole ? -1 : b_whole ? 1 : strcmp(a, b);
	if (a_negative != b_negative)
		return a_negative ? -1 : 1;
	size = a_digits != b_digits ? a_digits - b_digits : strcmp(a, b);
	return a_negative ? -size : size;
}

typedef struct Numbered
{
	const char *text;
	int			number;
} Numbered;

static int
compare_numbered(const void *a, const void *b)
{
	return label_compare(((const Numbered *) a)->text, ((const Numbered *) b)->text);
}

bool
label_order(char *const *labels, int n, int **order, int **rank)
{
	Numbered   *sorted = palloc(sizeof(Numbered) * (n + 1));
	bool		ascend = true;

	*order = palloc(sizeof(int) * (n + 1));
	*rank = palloc(sizeof(int) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		sorted[i].text = labels[i];
		sorted[i].number = i;
		ascend &= i == 0 || label_compare(labels[i - 1], labels[i]) < 0;
	}
	if (!ascend)
		qsort(sorted, n, sizeof(Numbered), compare_numbered);
	for (int i = 0; i < n; i++)
	{
		(*order)[i] = sorted[i].number;
		(*rank)[sorted[i].number] = i;
	}
	pfree(sorted);
	return ascend;
}
