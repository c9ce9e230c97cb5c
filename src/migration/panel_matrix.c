/*
 * panel_matrix.c
 *	  From the segments of customers by period to a migration_matrix.
 *
 * In a log of changes customers stay where they are until the next row: who stays
 * for many periods is counted by where that begins and ends, so that the work
 * follows the number of rows, not that of periods.
 *
 * Shape and promises: see panel_log.h.
 */
#include "migration/panel_log.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"

/* Counts by period that customers may stay in their segments for. */
#define STAYS_MAX		(1 << 24)

/* ---------- counting ---------- */

/* So many times was there this key; count 0: free. */
typedef struct Tally
{
	uint64		key;
	int64		count;
} Tally;

/* Small keys are counted in an array, if there is one, others in a hash table. */
typedef struct Tallies
{
	int64	   *direct;
	uint64		direct_n;
	Tally	   *slots;
	uint64		room;			/* a power of two */
	uint64		n;
} Tallies;

#define FIRST_TALLIES	64
#define DIRECT_MAX		(1 << 16)

static void
tallies_slots(Tallies *tallies, uint64 room)
{
	tallies->slots = palloc_extended(sizeof(Tally) * room, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	tallies->room = room;
}

static void
tallies_init(Tallies *tallies, uint64 direct_n)
{
	memset(tallies, 0, sizeof(Tallies));
	if (direct_n > 0)
		tallies->direct = palloc0(sizeof(int64) * direct_n);
	tallies->direct_n = direct_n;
	tallies_slots(tallies, FIRST_TALLIES);
}

static inline Tally *
find_tally(const Tallies *tallies, uint64 key)
{
	uint64		place = (key * UINT64CONST(0x9e3779b97f4a7c15)) >> 32;

	for (;; place++)
	{
		Tally	   *tally = &tallies->slots[place & (tallies->room - 1)];

		if (tally->key == key || tally->count == 0)
			return tally;
	}
}

static pg_noinline void
enlarge_tallies(Tallies *tallies)
{
	Tallies		old = *tallies;

	CHECK_FOR_INTERRUPTS();
	tallies_slots(tallies, old.room * 2);
	for (uint64 i = 0; i < old.room; i++)
		if (old.slots[i].count > 0)
			*find_tally(tallies, old.slots[i].key) = old.slots[i];
	pfree(old.slots);
}

static inline void
count_key(Tallies *tallies, uint64 key, int64 count)
{
	Tally	   *tally;

	if (likely(key < tallies->direct_n))
	{
		tallies->direct[key] += count;
		return;
	}
	tally = find_tally(tallies, key);
	if (unlikely(tally->count == 0))
	{
		if (tallies->n >= tallies->room / 2)
		{
			enlarge_tallies(tallies);
			tally = find_tally(tallies, key);
		}
		tallies->n++;
		tally->key = key;
	}
	tally->count += count;
}

/* All keys that were counted, in no order; their number. */
static uint64
tallies_list(const Tallies *tallies, Tally **list)
{
	uint64		n = 0;

	*list = palloc_extended(sizeof(Tally) * (tallies->n + tallies->direct_n + 1),
							MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < tallies->direct_n; i++)
		if (tallies->direct[i] > 0)
		{
			(*list)[n].key = i;
			(*list)[n++].count = tallies->direct[i];
		}
	for (uint64 i = 0; i < tallies->room; i++)
		if (tallies->slots[i].count > 0)
			(*list)[n++] = tallies->slots[i];
	return n;
}

/* ---------- customers ---------- */

/*
 * A move is known by the numbers of its two segments, and above them its period,
 * counted from "base"; three periods by the numbers of their segments; those who
 * stay by their segment and the period from which, or from which no more.
 */
typedef struct PanelCounts
{
	int			bits;			/* of a segment's number */
	uint32		base;
	int32		last;			/* of a log of changes */
	Tallies		moves;
	Tallies		triples;
	Tallies		stay_from;		/* of a log of changes */
	Tallies		stay_until;
	PanelLosses lost;
	bool		seen[MIGRATION_STATES_MAX];
	bool		final[MIGRATION_STATES_MAX];
} PanelCounts;

/* Periods on either side of the first one met that may be counted in an array. */
#define DIRECT_PERIODS	128

/*
 * Arrays pay where there are many customers, and few segments; "first" is a period
 * of one of them.
 */
static void
counts_init(PanelCounts *counts, const LabelSet *labels, bool many, int32 first)
{
	uint64		periods = UINT64CONST(2) * DIRECT_PERIODS;
	uint64		stays;
	uint64		moves;
	uint64		triples;

	memset(counts, 0, sizeof(PanelCounts));
	counts->bits = pg_ceil_log2_32(Max(labels->n, 2));
	counts->base = (uint32) first - DIRECT_PERIODS;
	stays = periods << counts->bits;
	moves = periods << 2 * counts->bits;
	triples = UINT64CONST(1) << 3 * counts->bits;
	tallies_init(&counts->moves, many && moves <= DIRECT_MAX ? moves : 0);
	tallies_init(&counts->triples, many && triples <= DIRECT_MAX ? triples : 0);
	tallies_init(&counts->stay_from, many && stays <= DIRECT_MAX ? stays : 0);
	tallies_init(&counts->stay_until, many && stays <= DIRECT_MAX ? stays : 0);
}

/* One customer's periods. */
static inline void
count_customer(PanelCounts *counts, const Entry *entries, uint32 n)
{
	int			bits = counts->bits;
	uint64		two = (UINT64CONST(1) << 2 * bits) - 1;
	uint64		three = (UINT64CONST(1) << 3 * bits) - 1;
	uint64		path = panel_word_label(entries[0].word);
	uint32		run = 1;		/* consecutive periods up to here */

	counts->seen[path] = true;
	for (uint32 i = 1; i < n; i++)
	{
		uint32		label = panel_word_label(entries[i].word);
		uint32		period = (uint32) entry_time(&entries[i]) - counts->base;

		counts->seen[label] = true;
		path = (path << bits | label) & three;
		run = entries[i].key == entries[i - 1].key + 1 ? run + 1 : 1;
		if (run == 1)
		{
			counts->lost.gaps++;
			continue;
		}
		count_key(&counts->moves, (uint64) period << 2 * bits | (path & two), 1);
		if (run > 2)
			count_key(&counts->triples, path, 1);
	}
}

/*
 * One customer's changes.  Who is in a final segment is so in that period only, and
 * counts anew with the next row.
 */
static void
count_changes(PanelCounts *counts, const Entry *entries, uint32 n)
{
	int			bits = counts->bits;
	uint64		one = (UINT64CONST(1) << bits) - 1;
	uint64		path = 0;		/* up to two segments */
	int			run = 0;		/* how many */

	for (uint32 i = 0; i < n; i++)
	{
		uint32		label = panel_word_label(entries[i].word);
		int32		time = entry_time(&entries[i]);
		uint32		period = (uint32) time - counts->base;
		int64		stays;

		counts->seen[label] = true;
		counts->lost.ties += (entries[i].word & PANEL_TIE) != 0;
		if (i > 0 && counts->final[path & one])
		{
			counts->lost.returned += (path & one) != label;
			run = 0;
		}
		if (run > 0)
			count_key(&counts->moves, (uint64) period << 2 * bits | (path & one) << bits | label, 1);
		if (run > 1)
			count_key(&counts->triples, path << bits | label, 1);
		path = (path & one) << bits | label;
		run++;
		stays = counts->final[label] ? 0 :
			(i + 1 < n ? (int64) entry_time(&entries[i + 1]) - 1 : counts->last) - time;
		if (stays <= 0)
			continue;
		count_key(&counts->stay_from, (uint64) (period + 1) << bits | label, 1);
		count_key(&counts->stay_until, (uint64) (uint32) (period + 1 + stays) << bits | label, 1);
		if (run > 1)
			count_key(&counts->triples, path << bits | label, 1);
		path = (uint64) label << bits | label;
		if (stays > 1)
			count_key(&counts->triples, path << bits | label, stays - 1);
		run = 2;
	}
}

/* ---------- those who stay ---------- */

/* So many more, or less, stay in a segment from a period on. */
typedef struct Stay
{
	uint32		label;
	int32		period;
	int64		change;
} Stay;

static inline int
compare_stays(const Stay *a, const Stay *b)
{
	if (a->label != b->label)
		return a->label < b->label ? -1 : 1;
	return a->period < b->period ? -1 : a->period > b->period;
}

#define ST_SORT sort_stays
#define ST_ELEMENT_TYPE Stay
#define ST_COMPARE(a, b) compare_stays(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static uint64
list_stays(const PanelCounts *counts, Stay **stays)
{
	Tally	   *from;
	Tally	   *until;
	uint64		from_n = tallies_list(&counts->stay_from, &from);
	uint64		until_n = tallies_list(&counts->stay_until, &until);

	*stays = palloc_extended(sizeof(Stay) * (from_n + until_n + 1), MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < from_n + until_n; i++)
	{
		const Tally *tally = i < from_n ? &from[i] : &until[i - from_n];
		Stay	   *stay = &(*stays)[i];

		stay->label = (uint32) (tally->key & ((UINT64CONST(1) << counts->bits) - 1));
		stay->period = (int32) ((uint32) (tally->key >> counts->bits) + counts->base);
		stay->change = i < from_n ? tally->count : -tally->count;
	}
	pfree(from);
	pfree(until);
	sort_stays(*stays, from_n + until_n);
	return from_n + until_n;
}

/* Into cells of a matrix for each period, which is where it all becomes large. */
static void
set_stays(MigrationMatrix *matrix, PanelCounts *counts, const int32 *map)
{
	Stay	   *stays;
	uint64		n = list_stays(counts, &stays);
	int64		more = 0;
	int64		now = 0;

	for (uint64 i = 0; i + 1 < n; i++)
	{
		now += stays[i].change;
		if (now > 0)
			more += (int64) stays[i + 1].period - stays[i].period;
		if (more > STAYS_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("migration_changes cannot count by more than %d periods and segments",
							STAYS_MAX),
					 errhint("Choose a longer period than \"%s\", or leave out changes of long ago.",
							 period_name(matrix->period))));
	}
	matrix->cells = repalloc_huge(matrix->cells, sizeof(MigrationCell) * (matrix->cells_n + more + 1));
	matrix->periods = repalloc_huge(matrix->periods,
									sizeof(MigrationPeriodCell) * (matrix->periods_n + more + 1));
	now = 0;
	for (uint64 i = 0; i + 1 < n; i++)
	{
		MigrationCell *cell = &matrix->cells[matrix->cells_n];
		int64		periods = (int64) stays[i + 1].period - stays[i].period;

		CHECK_FOR_INTERRUPTS();
		now += stays[i].change;
		if (now == 0 || periods == 0)
			continue;
		/* none of these is larger than customers times the periods there are */
		cell->from = cell->to = map[stays[i].label];
		cell->count = now * periods;
		cell->value = amount_none();
		matrix->cells_n++;
		counts->lost.steps += cell->count;
		for (int64 k = 0; k < periods; k++)
		{
			MigrationPeriodCell *period = &matrix->periods[matrix->periods_n++];

			period->period = (int32) (stays[i].period + k);
			period->from = period->to = map[stays[i].label];
			period->count = now;
		}
	}
	pfree(stays);
}

/* ---------- the matrix ---------- */

/*
 * States: the declared ones, else those that some customer is in and the final
 * ones; map: their numbers.
 */
static void
set_states(MigrationMatrix *matrix, const PanelLog *log, const LabelSet *labels, bool *seen,
		   int32 *map)
{
	const LabelSet *finals = labels->declared ? NULL : log->shared->finals;
	int32		room = labels->n + (finals == NULL ? 0 : finals->n);
	char	  **all = palloc(sizeof(char *) * (room + 1));
	int32	   *same = palloc(sizeof(int32) * (room + 1));
	int32		n = 0;

	for (uint32 i = 0; i < labels->n; i++)
		all[n++] = unconstify(char *, label_set_text(labels, i));
	for (uint32 i = 0; finals != NULL && i < finals->n; i++)
	{
		const char *label = label_set_text(finals, i);

		if (label_set_find(labels, label, label_set_len(finals, i)) == LABEL_NONE)
			all[n++] = unconstify(char *, label);
	}
	for (int32 i = 0; i < n; i++)
		same[i] = i;
	if (log->shared->terms.folds && !labels->declared)
		migration_labels_fold(all, n, same);
	/* who is in a segment is in the one that stands for all that are equal */
	for (int32 i = 0; i < n; i++)
		map[i] = -1;
	for (int32 i = 0; i < n; i++)
	{
		bool		is_final = finals != NULL &&
		(i >= (int32) labels->n || label_set_find(finals, all[i], strlen(all[i])) != LABEL_NONE);

		if (labels->declared || is_final || seen[i])
			map[same[i]] = 0;
	}
	matrix->declared = labels->declared;
	matrix->labels = palloc(sizeof(char *) * (n + 1));
	for (int32 i = 0; i < n; i++)
		if (map[i] == 0)
		{
			if (matrix->states >= MIGRATION_STATES_MAX)
				migration_states_error();
			map[i] = matrix->states;
			matrix->labels[matrix->states++] = all[i];
		}
	for (int32 i = 0; i < n; i++)
		map[i] = map[same[i]];
	pfree(all);
	pfree(same);
}

/* Which of the labels are final? */
static void
set_finals(PanelCounts *counts, const PanelShared *shared, const LabelSet *labels)
{
	const LabelSet *finals = shared->finals;
	char	  **folded;

	if (finals == NULL)
		return;
	folded = palloc0(sizeof(char *) * (finals->n + 1));
	for (uint32 j = 0; shared->terms.folds && j < finals->n; j++)
		folded[j] = migration_label_fold(label_set_text(finals, j), label_set_len(finals, j));
	for (uint32 i = 0; i < labels->n; i++)
	{
		const char *label = label_set_text(labels, i);
		uint32		len = label_set_len(labels, i);
		const char *fold = shared->terms.folds ? migration_label_fold(label, len) : NULL;

		counts->final[i] = label_set_find(finals, label, len) != LABEL_NONE;
		for (uint32 j = 0; fold != NULL && j < finals->n; j++)
			counts->final[i] |= strcmp(folded[j], fold) == 0;
	}
}

static void
set_moves(MigrationMatrix *matrix, PanelCounts *counts, const int32 *map)
{
	uint32		mask = (1 << counts->bits) - 1;
	Tally	   *list;
	uint64		n = tallies_list(&counts->moves, &list);

	matrix->cells_n = matrix->periods_n = n;
	matrix->cells = palloc_extended(sizeof(MigrationCell) * (n + 1), MCXT_ALLOC_HUGE);
	matrix->periods = palloc_extended(sizeof(MigrationPeriodCell) * (n + 1), MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < n; i++)
	{
		MigrationCell *cell = &matrix->cells[i];
		MigrationPeriodCell *period = &matrix->periods[i];

		period->period = (int32) ((uint32) (list[i].key >> 2 * counts->bits) + counts->base);
		cell->from = period->from = map[list[i].key >> counts->bits & mask];
		cell->to = period->to = map[list[i].key & mask];
		cell->count = period->count = list[i].count;
		cell->value = amount_none();
		counts->lost.steps += cell->count;
	}
	pfree(list);
}

static void
set_triples(MigrationMatrix *matrix, const PanelCounts *counts, const int32 *map)
{
	uint32		mask = (1 << counts->bits) - 1;
	Tally	   *list;
	uint64		n = tallies_list(&counts->triples, &list);

	matrix->triples_n = n;
	matrix->triples = palloc_extended(sizeof(MigrationTriple) * (n + 1), MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < n; i++)
	{
		MigrationTriple *triple = &matrix->triples[i];

		triple->before = map[list[i].key >> 2 * counts->bits];
		triple->from = map[list[i].key >> counts->bits & mask];
		triple->to = map[list[i].key & mask];
		triple->count = list[i].count;
	}
	pfree(list);
}

MigrationValue *
panel_log_matrix(PanelLog *log, PanelLosses *lost)
{
	CustomerLog *customers = customer_log_flushed(&log->customers);
	const PanelShared *shared = log->shared;
	const LabelSet *labels = panel_labels(&customers->log);
	bool		many = event_log_partitions(&customers->log) > 1;
	CustomerCursor cursor = {0};
	PanelCounts *counts = palloc(sizeof(PanelCounts));
	int32	   *map = palloc(sizeof(int32) *
							 (labels->n + (shared->finals == NULL ? 0 : shared->finals->n) + 1));
	MigrationMatrix matrix;
	const Entry *entries;
	uint32		n;

	entries = customer_log_next(customers, &cursor, &n);
	counts_init(counts, labels, many, entries == NULL ? 0 : entry_time(entries));
	counts->last = shared->terms.last;
	set_finals(counts, shared, labels);
	for (; entries != NULL; entries = customer_log_next(customers, &cursor, &n))
	{
		if (shared->terms.changes)
			count_changes(counts, entries, n);
		else
			count_customer(counts, entries, n);
	}
	memset(&matrix, 0, sizeof(matrix));
	matrix.panel = true;
	matrix.period = shared->terms.period;
	set_states(&matrix, log, labels, counts->seen, map);
	set_moves(&matrix, counts, map);
	set_triples(&matrix, counts, map);
	if (shared->terms.changes)
		set_stays(&matrix, counts, map);
	*lost = counts->lost;
	return migration_pack(&matrix);
}
