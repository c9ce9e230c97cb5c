/*
 * panel_log.c
 *	  From rows of a panel to the segments of each customer by period, and from
 *	  those to a migration_matrix.
 *
 * Shape and promises: see panel_log.h.  Images of logs for parallel workers
 * are in panel_log_serialize.c.
 */
#include "migration/panel_log.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

/* ---------- two rows of one customer and period ---------- */

static pg_noinline uint64
later_label(const LabelSet *labels, uint64 a, uint64 b)
{
	uint32		x = panel_word_label(a);
	uint32		y = panel_word_label(b);

	if (labels->declared)
		return x > y ? a : b;
	if (x == y)
		return a;
	return label_compare(label_set_text(labels, x), label_set_text(labels, y)) > 0 ? a : b;
}

static uint64
later_row(EventLog *log, uint64 a, uint64 b)
{
	int64		difference = (int64) ((a & ~PANEL_LABEL_MASK) - (b & ~PANEL_LABEL_MASK));

	if (difference == 0)
		return later_label(panel_labels(log), a, b);
	return difference > 0 ? a : b;
}

static const EntryKind panel_entries = {later_row, false};

/* ---------- logs ---------- */

PanelShared *
panel_shared_create(const PanelTerms *terms, char **states, int32 states_n, Oid keytype,
					Oid collation, MemoryContext query_context)
{
	MemoryContext old = MemoryContextSwitchTo(query_context);
	PanelShared *shared = palloc0(sizeof(PanelShared));

	shared->terms = *terms;
	if (states != NULL)
		shared->declared = label_set_declare(states, states_n, query_context);
	log_keys_init(&shared->keys, keytype, collation);
	MemoryContextSwitchTo(old);
	return shared;
}

const char *
panel_shared_differ(const PanelShared *shared, const PanelTerms *terms,
					const LabelSet *declared)
{
	const PanelTerms *own = &shared->terms;

	if (own->period.unit != terms->period.unit ||
		own->period.week_start != terms->period.week_start)
		return "period";
	if (own->zoned != terms->zoned || strcmp(own->zone, terms->zone) != 0)
		return "time zone";
	if (!label_set_same(shared->declared, declared))
		return "list of states";
	return NULL;
}

PanelLog *
panel_log_create(PanelShared *shared, MemoryContext context)
{
	PanelLog  *log = MemoryContextAllocZero(context, sizeof(PanelLog));
	LabelSet *labels = shared->declared;

	if (labels == NULL)
		labels = label_set_create(context);
	log->magic = PANEL_BOOK_MAGIC;
	log->shared = shared;
	customer_log_init(&log->customers, &shared->keys, &panel_entries, labels, context);
	return log;
}

uint32
panel_log_label(PanelLog *log, const char *text, uint32 len)
{
	LabelSet *labels = panel_labels(&log->customers.log);
	uint32		number = label_set_find(labels, text, len);

	if (likely(number != LABEL_NONE))
		return number;
	migration_label_check(text, len);
	if (labels->declared)
		migration_undeclared_error(text, len);
	if (labels->n >= MIGRATION_STATES_MAX)
		migration_states_error();
	labels = label_set_add(labels, text, len);
	log->customers.log.words = labels;
	return labels->n - 1;
}

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
count_key(Tallies *tallies, uint64 key)
{
	Tally	   *tally;

	if (likely(key < tallies->direct_n))
	{
		tallies->direct[key]++;
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
	tally->count++;
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
 * counted from "base"; three periods by the numbers of their segments.
 */
typedef struct PanelCounts
{
	int			bits;			/* of a segment's number */
	uint32		base;
	Tallies		moves;
	Tallies		triples;
	bool		seen[MIGRATION_STATES_MAX];
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
	uint64		moves;
	uint64		triples;

	memset(counts, 0, sizeof(PanelCounts));
	counts->bits = pg_ceil_log2_32(Max(labels->n, 2));
	counts->base = (uint32) first - DIRECT_PERIODS;
	moves = (UINT64CONST(2) * DIRECT_PERIODS) << 2 * counts->bits;
	triples = UINT64CONST(1) << 3 * counts->bits;
	tallies_init(&counts->moves, many && moves <= DIRECT_MAX ? moves : 0);
	tallies_init(&counts->triples, many && triples <= DIRECT_MAX ? triples : 0);
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
			continue;
		count_key(&counts->moves, (uint64) period << 2 * bits | (path & two));
		if (run > 2)
			count_key(&counts->triples, path);
	}
}

/* ---------- the matrix ---------- */

/* States: the declared ones, or those that some customer is in; map: their numbers. */
static void
set_states(MigrationMatrix *matrix, const LabelSet *labels, const bool *seen, int32 *map)
{
	matrix->declared = labels->declared;
	matrix->labels = palloc(sizeof(char *) * (labels->n + 1));
	for (uint32 i = 0; i < labels->n; i++)
	{
		if (!labels->declared && !seen[i])
			continue;
		map[i] = matrix->states;
		matrix->labels[matrix->states++] = unconstify(char *, label_set_text(labels, i));
	}
}

static void
set_moves(MigrationMatrix *matrix, const PanelCounts *counts, const int32 *map)
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
panel_log_matrix(PanelLog *log)
{
	CustomerLog *customers = customer_log_flushed(&log->customers);
	const LabelSet *labels = panel_labels(&customers->log);
	bool		many = event_log_partitions(&customers->log) > 1;
	CustomerCursor cursor = {0};
	PanelCounts *counts = palloc(sizeof(PanelCounts));
	int32	   *map = palloc(sizeof(int32) * (labels->n + 1));
	MigrationMatrix matrix;
	const Entry *entries;
	uint32		n;

	entries = customer_log_next(customers, &cursor, &n);
	counts_init(counts, labels, many, entries == NULL ? 0 : entry_time(entries));
	for (; entries != NULL; entries = customer_log_next(customers, &cursor, &n))
		count_customer(counts, entries, n);
	memset(&matrix, 0, sizeof(matrix));
	matrix.panel = true;
	matrix.period = log->shared->terms.period;
	set_states(&matrix, labels, counts->seen, map);
	set_moves(&matrix, counts, map);
	set_triples(&matrix, counts, map);
	return migration_pack(&matrix);
}
