/*
 * survival_tally.c
 *	  Rows of survival_curve(), logrank() and competing_risks(), tallied.
 *
 * Shape and promises: see survival_tally.h.
 */
#include "survival/survival_tally.h"

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#define FIRST_SLOTS		4
#define SLOTS_BYTES		(512 * 1024)	/* what a second-level cache may hold */
#define POLL_MASK		0xffff	/* items between looks at interrupts */

/* ---------- order ---------- */

typedef struct Pair
{
	uint64		duration;
	uint64		tail;			/* cause and count */
} Pair;

static inline int
compare_pairs(const Pair *a, const Pair *b)
{
	if (a->duration != b->duration)
		return a->duration < b->duration ? -1 : 1;
	if (a->tail >> TALLY_COUNT_BITS != b->tail >> TALLY_COUNT_BITS)
		return a->tail >> TALLY_COUNT_BITS < b->tail >> TALLY_COUNT_BITS ? -1 : 1;
	return 0;
}

static inline int
compare_items(const uint64 *a, const uint64 *b, int words)
{
	for (int i = 0; i < words - 1; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	if (a[words - 1] >> TALLY_COUNT_BITS != b[words - 1] >> TALLY_COUNT_BITS)
		return a[words - 1] >> TALLY_COUNT_BITS < b[words - 1] >> TALLY_COUNT_BITS ? -1 : 1;
	return 0;
}

#define ST_SORT sort_pairs
#define ST_ELEMENT_TYPE Pair
#define ST_COMPARE(a, b) compare_pairs(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_words
#define ST_ELEMENT_TYPE_VOID
#define ST_COMPARE_ARG_TYPE int
#define ST_COMPARE(a, b, words) compare_items((const uint64 *) (a), (const uint64 *) (b), *words)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static void
sort_items(uint64 *items, int64 n, int words)
{
	if (words == 2)
		sort_pairs((Pair *) items, n);
	else
		sort_words(items, n, sizeof(uint64) * words, &words);
}

/* Equal neighbours as one; returns how many are left. */
static int64
thin_out(uint64 *items, int64 n, int words)
{
	int64		kept = 0;

	for (int64 i = 0; i < n; i++)
	{
		uint64	   *item = items + i * words;

		if ((i & POLL_MASK) == 0)
			CHECK_FOR_INTERRUPTS();
		if (kept > 0 && compare_items(items + (kept - 1) * words, item, words) == 0)
			items[kept * words - 1] += item[words - 1] & TALLY_COUNT_MASK;
		else
		{
			if (kept < i)
				memcpy(items + kept * words, item, sizeof(uint64) * words);
			kept++;
		}
	}
	return kept;
}

/* ---------- the array ---------- */

static void
survival_tally_make_room(SurvivalTally *tally, int64 room)
{
	Size		size = sizeof(uint64) * tally->words * room;

	if (tally->items == NULL)
		tally->items = MemoryContextAllocHuge(tally->context, size);
	else
		tally->items = repalloc_huge(tally->items, size);
	tally->room = room;
}

/*
 * Merges the ascending tail behind the ascending items into them, from behind:
 * only the tail is copied.
 */
static void
merge_tail(SurvivalTally *tally, int64 tail)
{
	int			words = tally->words;
	Size		size = sizeof(uint64) * words;
	int64		to = tally->sorted + tail;
	int64		i = tally->sorted;
	int64		j = tail;
	uint64	   *copy = MemoryContextAllocHuge(tally->context, size * tail);

	memcpy(copy, tally->items + tally->sorted * words, size * tail);
	while (j > 0)
	{
		uint64	   *a = tally->items + (i - 1) * words;
		uint64	   *b = copy + (j - 1) * words;
		int			order = i == 0 ? -1 : compare_items(a, b, words);

		if ((--to & POLL_MASK) == 0)
			CHECK_FOR_INTERRUPTS();
		if (order > 0)
		{
			memcpy(tally->items + to * words, a, size);
			i--;
			continue;
		}
		if (order == 0)
		{
			b[words - 1] += a[words - 1] & TALLY_COUNT_MASK;
			i--;
		}
		memcpy(tally->items + to * words, b, size);
		j--;
	}
	pfree(copy);
	/* equal ones have left a gap */
	memmove(tally->items + i * words, tally->items + to * words,
			size * (tally->nitems - to));
	tally->nitems -= to - i;
}

static void
survival_tally_settle(SurvivalTally *tally)
{
	int64		tail = tally->nitems - tally->sorted;
	uint64	   *first = tally->items + tally->sorted * tally->words;

	if (tail == 0)
		return;
	sort_items(first, tail, tally->words);
	tail = thin_out(first, tail, tally->words);
	tally->nitems = tally->sorted + tail;
	if (tally->sorted > 0)
		merge_tail(tally, tail);
	tally->sorted = tally->nitems;
}

static int64
copy_slots(const SurvivalTally *tally, uint64 *to)
{
	int64		n = 0;
	uint64		slots = (PG_UINT64_MAX >> tally->shift) + 1;

	for (uint64 i = 0; i < slots && n < tally->used; i++)
	{
		const uint64 *slot = tally->slots + i * tally->words;

		if (slot[tally->words - 1] != 0)
			memcpy(to + n++ * tally->words, slot, sizeof(uint64) * tally->words);
	}
	return n;
}

/* The hash into the array, which is at most half full of distinct rows then. */
static void
empty_slots(SurvivalTally *tally)
{
	if (tally->nitems + tally->used > tally->room)
	{
		survival_tally_settle(tally);
		if (tally->nitems + tally->used > tally->room / 2)
			survival_tally_make_room(tally, (tally->nitems + tally->used) * 2);
	}
	tally->nitems += copy_slots(tally, tally->items + tally->nitems * tally->words);
	memset(tally->slots, 0, sizeof(uint64) * tally->words * ((PG_UINT64_MAX >> tally->shift) + 1));
	tally->used = 0;
}

/* ---------- labels ---------- */

#define QUOTE_MAX	64			/* bytes of a label that a message shows */

static pg_noinline void
check_new_label(const LabelSet *labels, const char *text, int len, const char *what)
{
	if (len > SURVIVAL_LABEL_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s \"%s...\" is too long", what,
						pnstrdup(text, pg_mbcliplen(text, len, QUOTE_MAX))),
				 errdetail("It has %d bytes; the limit is %d.", len, SURVIVAL_LABEL_MAX)));
	if (labels->n >= SURVIVAL_LABELS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a survival_table cannot have more than %d %s", SURVIVAL_LABELS_MAX,
						strcmp(what, "stratum") == 0 ? "strata" : psprintf("%ss", what)),
				 errhint("A %s is the name of a segment, not of a customer.", what)));
}

int
survival_label_number(LabelSet **labels, const char *text, int len, const char *what)
{
	uint32		number = label_set_find(*labels, text, len);

	if (likely(number != LABEL_NONE))
		return (int) number;
	check_new_label(*labels, text, len, what);
	*labels = label_set_add(*labels, text, len);
	return (int) (*labels)->n - 1;
}

/* ---------- the hash ---------- */

SurvivalTally *
survival_tally_create(DurationKind kind, uint8 flags, MemoryContext context)
{
	SurvivalTally *tally = MemoryContextAllocZero(context, sizeof(SurvivalTally));

	tally->context = context;
	tally->kind = kind;
	tally->flags = flags;
	tally->words = 2 + ((flags & (SURVIVAL_GROUPS | SURVIVAL_STRATA)) != 0) +
		((flags & SURVIVAL_ENTRY) != 0) + ((flags & SURVIVAL_WEIGHT) != 0);
	tally->shift = 64 - pg_ceil_log2_32(FIRST_SLOTS);
	tally->slots = MemoryContextAllocZero(context, sizeof(uint64) * tally->words * FIRST_SLOTS);
	if (flags & SURVIVAL_GROUPS)
		tally->groups = label_set_create(context);
	if (flags & SURVIVAL_STRATA)
		tally->strata = label_set_create(context);
	if (flags & SURVIVAL_CAUSES)
		tally->causes = label_set_create(context);
	return tally;
}

static void
enlarge_slots(SurvivalTally *tally)
{
	uint64		slots = (PG_UINT64_MAX >> tally->shift) + 1;
	uint64	   *old = tally->slots;

	tally->shift--;
	tally->slots = MemoryContextAllocZero(tally->context, sizeof(uint64) * tally->words * slots * 2);
	for (uint64 i = 0; i < slots; i++)
	{
		uint64	   *item = old + i * tally->words;

		if (item[tally->words - 1] != 0)
			memcpy(survival_tally_find(tally, item, tally->words), item,
				   sizeof(uint64) * tally->words);
	}
	pfree(old);
}

void
survival_tally_slow(SurvivalTally *tally, const uint64 *item)
{
	uint64		slots = (PG_UINT64_MAX >> tally->shift) + 1;
	uint64	   *slot = survival_tally_find(tally, item, tally->words);

	if (slot[tally->words - 1] != 0)
	{
		slot[tally->words - 1] += item[tally->words - 1] & TALLY_COUNT_MASK;
		return;
	}
	/* three quarters full: a quarter more would cost more than it saves */
	if (tally->used >= slots - slots / 4)
	{
		if (slots * 2 * sizeof(uint64) * tally->words <= SLOTS_BYTES)
			enlarge_slots(tally);
		else
			empty_slots(tally);
		slot = survival_tally_find(tally, item, tally->words);
	}
	memcpy(slot, item, sizeof(uint64) * tally->words);
	tally->used++;
}

/* ---------- items ---------- */

/* Labels of another tally or of a value, in this one. */
typedef struct LabelMaps
{
	int		   *groups;
	int		   *strata;
	int		   *causes;
} LabelMaps;

static inline void
map_item(uint64 *item, const LabelMaps *maps, int words)
{
	if (maps->groups != NULL || maps->strata != NULL)
	{
		uint32		group = (uint32) (item[0] >> 32);
		uint32		stratum = (uint32) item[0];

		if (maps->groups != NULL)
			group = maps->groups[group];
		if (maps->strata != NULL)
			stratum = maps->strata[stratum];
		item[0] = (uint64) group << 32 | stratum;
	}
	if (maps->causes != NULL && item[words - 1] >> TALLY_COUNT_BITS != 0)
	{
		uint64		cause = maps->causes[(item[words - 1] >> TALLY_COUNT_BITS) - 1] + 1;

		item[words - 1] = cause << TALLY_COUNT_BITS | (item[words - 1] & TALLY_COUNT_MASK);
	}
}

static void
survival_tally_unpack_item(const SurvivalTally *tally, const uint64 *item, SurvivalItem *to)
{
	memset(to, 0, sizeof(SurvivalItem));
	if (tally->flags & (SURVIVAL_GROUPS | SURVIVAL_STRATA))
	{
		to->group = *item >> 32;
		to->stratum = *item++ & PG_UINT32_MAX;
	}
	to->duration = *item++;
	if (tally->flags & SURVIVAL_ENTRY)
		to->entry = *item++;
	to->weight = tally->flags & SURVIVAL_WEIGHT ? *item++ : survival_real_word(1);
	to->cause = (uint32) (*item >> TALLY_COUNT_BITS);
	to->count = (int64) (*item & TALLY_COUNT_MASK);
}

static void
pack_item(const SurvivalTally *tally, const SurvivalItem *from, uint64 *item)
{
	if (tally->flags & (SURVIVAL_GROUPS | SURVIVAL_STRATA))
		*item++ = from->group << 32 | from->stratum;
	*item++ = from->duration;
	if (tally->flags & SURVIVAL_ENTRY)
		*item++ = from->entry;
	if (tally->flags & SURVIVAL_WEIGHT)
		*item++ = from->weight;
	*item = (uint64) from->cause << TALLY_COUNT_BITS | from->count;
}

/* The numbers that labels have, or get, in another list. */
static int *
map_labels(LabelSet **labels, const LabelSet *more)
{
	int		   *map = palloc(sizeof(int) * (more->n + 1));

	for (uint32 i = 0; i < more->n; i++)
		map[i] = survival_label_number(labels, label_set_text(more, i), label_set_len(more, i),
									   "label");
	return map;
}

void
survival_tally_merge(SurvivalTally *tally, const SurvivalTally *more)
{
	LabelMaps	maps = {NULL, NULL, NULL};
	uint64		slots = (PG_UINT64_MAX >> more->shift) + 1;
	uint64		item[TALLY_WORDS_MAX];

	if (tally->kind != more->kind || tally->flags != more->flags)
		elog(ERROR, "survival tallies of different forms");
	if (more->groups != NULL)
		maps.groups = map_labels(&tally->groups, more->groups);
	if (more->strata != NULL)
		maps.strata = map_labels(&tally->strata, more->strata);
	if (more->causes != NULL)
		maps.causes = map_labels(&tally->causes, more->causes);
	for (int64 i = 0; i < more->nitems + (int64) slots; i++)
	{
		const uint64 *from = i < more->nitems ? more->items + i * more->words :
		more->slots + (i - more->nitems) * more->words;

		if ((i & POLL_MASK) == 0)
			CHECK_FOR_INTERRUPTS();
		if (from[more->words - 1] == 0)
			continue;
		memcpy(item, from, sizeof(uint64) * more->words);
		map_item(item, &maps, more->words);
		survival_tally_add(tally, item, more->words);
	}
}

/* ---------- values ---------- */

/* Labels as they are stored, ascending, and the map from numbers to places. */
static bool
stored_labels(const LabelSet *labels, int *n, char ***stored, int **map)
{
	char	  **text = palloc(sizeof(char *) * (labels->n + 1));
	int		   *order;
	bool		ascend;

	for (uint32 i = 0; i < labels->n; i++)
		text[i] = pg_server_to_any(label_set_text(labels, i), label_set_len(labels, i), PG_UTF8);
	ascend = label_order(text, labels->n, &order, map);
	*n = labels->n;
	*stored = palloc(sizeof(char *) * (labels->n + 1));
	for (uint32 i = 0; i < labels->n; i++)
		(*stored)[i] = text[order[i]];
	if (ascend)
		*map = NULL;
	return ascend;
}

static void
tally_head(const SurvivalTally *tally, SurvivalHead *head, LabelMaps *maps)
{
	memset(head, 0, sizeof(SurvivalHead));
	memset(maps, 0, sizeof(LabelMaps));
	head->kind = tally->kind;
	head->flags = tally->flags;
	head->ngroups = head->nstrata = head->ncauses = 1;
	if (tally->groups != NULL)
		stored_labels(tally->groups, &head->ngroups, &head->groups, &maps->groups);
	if (tally->strata != NULL)
		stored_labels(tally->strata, &head->nstrata, &head->strata, &maps->strata);
	if (tally->causes != NULL)
		stored_labels(tally->causes, &head->ncauses, &head->causes, &maps->causes);
}

/*
 * All items, ascending under the labels' places.  Where there is an array
 * already, and labels keep their numbers, that array; the tally is the same
 * after it.
 */
static const uint64 *
ascending_items(SurvivalTally *tally, const LabelMaps *maps, int64 *n)
{
	bool		mapped = maps->groups != NULL || maps->strata != NULL || maps->causes != NULL;
	uint64	   *items;

	if (tally->nitems > 0)
	{
		empty_slots(tally);
		survival_tally_settle(tally);
		*n = tally->nitems;
		if (!mapped)
			return tally->items;
	}
	else
		*n = tally->used;
	items = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint64) * tally->words * (*n + 1));
	if (tally->nitems > 0)
		memcpy(items, tally->items, sizeof(uint64) * tally->words * *n);
	else
		copy_slots(tally, items);
	for (int64 i = 0; mapped && i < *n; i++)
		map_item(items + i * tally->words, maps, tally->words);
	sort_items(items, *n, tally->words);
	return items;
}

SurvivalTableValue *
survival_tally_value(SurvivalTally *tally, bool exact_form)
{
	SurvivalHead head;
	LabelMaps	maps;
	SurvivalWriter writer;
	const uint64 *items;
	int64		n;
	int			weight = tally->words - 2;
	bool		weighted = exact_form;

	tally_head(tally, &head, &maps);
	items = ascending_items(tally, &maps, &n);
	if (head.flags & SURVIVAL_WEIGHT)
	{
		for (int64 i = 0; i < n && !weighted; i++)
			weighted = items[i * tally->words + weight] != survival_real_word(1);
		if (!weighted)
			head.flags &= ~SURVIVAL_WEIGHT;
	}
	survival_writer_init(&writer, &head);
	for (int64 i = 0; i < n; i++)
	{
		SurvivalItem item;

		if ((i & POLL_MASK) == 0)
			CHECK_FOR_INTERRUPTS();
		survival_tally_unpack_item(tally, items + i * tally->words, &item);
		survival_writer_put(&writer, &item);
	}
	return survival_writer_finish(&writer);
}

/* Stored labels into an empty list. */
static void
survival_tally_take_labels(LabelSet **labels, int n, char **stored)
{
	for (int i = 0; i < n; i++)
	{
		const char *text = pg_any_to_server(stored[i], strlen(stored[i]), PG_UTF8);

		survival_label_number(labels, text, strlen(text), "label");
	}
}

SurvivalTally *
survival_tally_read(const SurvivalTableValue *value, MemoryContext context)
{
	SurvivalReader reader;
	SurvivalTally *tally;
	uint64		item[TALLY_WORDS_MAX];

	survival_reader_open(&reader, value);
	tally = survival_tally_create(reader.head.kind, reader.head.flags, context);
	if (tally->groups != NULL)
		survival_tally_take_labels(&tally->groups, reader.head.ngroups, reader.head.groups);
	if (tally->strata != NULL)
		survival_tally_take_labels(&tally->strata, reader.head.nstrata, reader.head.strata);
	if (tally->causes != NULL)
		survival_tally_take_labels(&tally->causes, reader.head.ncauses, reader.head.causes);
	while (survival_reader_item(&reader))
	{
		pack_item(tally, &reader.item, item);
		survival_tally_add(tally, item, tally->words);
	}
	return tally;
}

SurvivalTableValue *
survival_value_empty(void)
{
	SurvivalHead head;
	SurvivalWriter writer;

	memset(&head, 0, sizeof(head));
	survival_writer_init(&writer, &head);
	return survival_writer_finish(&writer);
}
