/*
 * cohort_table_trans.c
 *	  An open cohort_table: one that still takes customers.
 *
 * The form and the promises are in cohort_table_trans.h.
 */
#include "cohort/cohort_table_trans.h"

#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"
#include "value/rollup.h"

#define FIRST_CAPACITY	16
#define KEY_LIFECYCLE	PG_UINT32_MAX	/* in place of a window */

#define OPEN_SIZE(capacity) \
	(offsetof(CohortTableTrans, cells) + sizeof(OpenCell) * (Size) (capacity))

/* ---------- cells ---------- */

static inline uint64
cell_key(int32 group, uint32 k)
{
	return (uint64) (uint32) group << 32 | k;
}

static inline int32
key_group(uint64 key)
{
	return (int32) (uint32) (key >> 32);
}

/* the product's high bits depend on all of the key's */
#define FLAT_PREFIX			cells
#define FLAT_ENTRY			OpenCell
#define FLAT_KEY			uint64
#define FLAT_HASH(key)		((key) * UINT64CONST(0x9E3779B97F4A7C15))
#define FLAT_KEY_OF(cell)	((cell)->key)
#define FLAT_IS(cell, k)	((cell)->key == (k))
#define FLAT_IS_FREE(cell)	((cell)->on == 0)
#include "value/flat_hash.h"

/* One customer more in a cell that there is room for. */
static inline OpenCell *
cohort_table_trans_count_cell(CohortTableTrans *open, uint64 key)
{
	OpenCell   *cell = cells_find(&open->hash, open->cells, key);

	if (unlikely(cell->on == 0))
	{
		cell->key = key;
		open->hash.used++;
	}
	cell->on++;
	return cell;
}

static CohortTableTrans *
cohort_table_trans_allocate(uint64 capacity)
{
	CohortTableTrans *open;

	if (OPEN_SIZE(capacity) > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many cohorts and windows for one cohort_table over histories"),
				 errhint("Use longer periods or windows, or filter out outlying days with "
						 "history_since() and history_until().")));
	open = palloc0(OPEN_SIZE(capacity));
	SET_VARSIZE(open, OPEN_SIZE(capacity));
	open->tag = VALUE_STATE_OPEN;
	flat_hash_init(&open->hash, (uint32) capacity);
	return open;
}

static pg_noinline CohortTableTrans *
grow(CohortTableTrans *open, uint64 more)
{
	CohortTableTrans *larger = cohort_table_trans_allocate(flat_hash_grown(&open->hash, more));

	larger->query = open->query;
	larger->latest = open->latest;
	larger->customers = open->customers;
	cells_rehash(&larger->hash, larger->cells, &open->hash, open->cells);
	return larger;
}

/* Room for so many cells more. */
static inline CohortTableTrans *
reserve(CohortTableTrans *open, uint64 more)
{
	if (likely(flat_hash_has_room(&open->hash, more)))
		return open;
	return grow(open, more);
}

CohortTableTrans *
cohort_open_create(const OpenQuery *query)
{
	CohortTableTrans *open = cohort_table_trans_allocate(FIRST_CAPACITY);

	open->query = *query;
	open->latest = PG_INT32_MIN;
	return open;
}

CohortTableTrans *
cohort_open_copy(const CohortTable *table)
{
	Size		len = VARSIZE_ANY_EXHDR(table);
	CohortTableTrans *open = palloc(VARHDRSZ + len);

	SET_VARSIZE(open, VARHDRSZ + len);
	memcpy(VARDATA(open), VARDATA_ANY(table), len);
	/* what only this file writes: a mistake elsewhere must not be followed */
	if (VARHDRSZ + len < OPEN_SIZE(FIRST_CAPACITY) || open->tag != VALUE_STATE_OPEN ||
		OPEN_SIZE(open->hash.capacity) != VARHDRSZ + len ||
		!cells_is_sound(&open->hash, open->cells, VARHDRSZ + len))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("cohort_table value is corrupt: wrong state")));
	return open;
}

static CohortTableTrans *
cohort_table_trans_count_customers(CohortTableTrans *open, uint32 more, int32 latest)
{
	if (unlikely(more > PG_UINT32_MAX - open->customers))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many histories for one cohort_table"),
				 errhint("Aggregate them in parts, and add those up with rollup().")));
	open->customers += more;
	open->latest = Max(open->latest, latest);
	return open;
}

/* ---------- one customer ---------- */

/* Periods or windows of a customer below this, counted from the first, are bits. */
#define MASK_BITS 64

static inline int32
window_of(const CohortTableTrans *open, const RollingWidth *width, int32 first, int32 day)
{
	static Calendar wall;		/* of no zone: only that is asked */
	int32		early = (int32) (open->query.early / USECS_PER_DAY);

	if (width->micros == 0 && width->months == 0)
		return (int32) ((uint32) (day + early - first) / (uint32) width->days);
	if (width->micros == 0 && width->days == 0)
		return calendar_months_between(first, day + early) / width->months;
	return cohort_window(&wall, width, open->query.early, first * USECS_PER_DAY,
						 day * USECS_PER_DAY);
}

/* Bit k: active in window k.  What is counted follows from the mask alone. */
static inline void
count_mask(CohortTableTrans *open, int32 group, uint64 mask)
{
	uint64		later = mask & ~UINT64CONST(1);
	uint64		run = ~(mask >> 1); /* its lowest bit: length of the streak */
	uint64		again = mask & mask << 1;
	uint32		last = pg_leftmost_one_pos64(mask);
	uint32		back = later != 0 ? pg_rightmost_one_pos64(later) : MASK_BITS;
	uint32		streak = pg_rightmost_one_pos64(run);

	if (streak == 0)
		streak = MASK_BITS;		/* none */
	for (; mask != 0; mask &= mask - 1)
	{
		uint32		k = pg_rightmost_one_pos64(mask);
		OpenCell   *cell = cohort_table_trans_count_cell(open, cell_key(group, k));

		cell->last += k == last;
		cell->back += k == back;
		cell->streak += k == streak;
		cell->returning += again >> k & 1;
	}
}

/* Calendar periods from "first" on; "last" counts first activities here. */
static inline void
count_lifecycle(CohortTableTrans *open, int32 first, uint64 mask)
{
	uint64		again = mask & mask << 1;

	for (; mask != 0; mask &= mask - 1)
	{
		uint32		i = pg_rightmost_one_pos64(mask);
		OpenCell   *cell = cohort_table_trans_count_cell(open, cell_key(first + (int32) i, KEY_LIFECYCLE));

		cell->last += i == 0;
		cell->returning += again >> i & 1;
	}
}

/* Where a cell will be looked for, asked for before it is needed. */
static inline void
prefetch_cell(const CohortTableTrans *open, uint64 key)
{
	__builtin_prefetch(&open->cells[cells_place(&open->hash, key)], 1);
}

/*
 * A customer with windows or periods past the mask: a list of each.  Their
 * cells, which may be far apart, are asked for as they become known.
 */
typedef struct WindowList
{
	uint32		n;
	int32	   *k;				/* ascending */
} WindowList;

/* Lists of so many days need no allocation. */
#define LIST_ON_STACK 256

static inline void
list_window(WindowList *list, int32 k)
{
	if (list->n == 0 || list->k[list->n - 1] != k)
		list->k[list->n++] = k;
}

static void
count_list(CohortTableTrans *open, int32 group, const WindowList *list)
{
	uint32		streak = 0;

	/* every customer is active in window 0 */
	while (streak + 1 < list->n && list->k[streak + 1] == (int32) streak + 1)
		streak++;
	for (uint32 i = 0; i < list->n; i++)
	{
		OpenCell   *cell = cohort_table_trans_count_cell(open, cell_key(group, list->k[i]));

		cell->last += i == list->n - 1;
		cell->back += i == 1;
		cell->streak += i == streak && i > 0;
		cell->returning += i > 0 && list->k[i] == list->k[i - 1] + 1;
	}
}

static void
count_lifecycle_list(CohortTableTrans *open, const WindowList *list)
{
	for (uint32 i = 0; i < list->n; i++)
	{
		OpenCell   *cell = cohort_table_trans_count_cell(open, cell_key(list->k[i], KEY_LIFECYCLE));

		cell->last += i == 0;
		cell->returning += i > 0 && list->k[i] == list->k[i - 1] + 1;
	}
}

static pg_noinline CohortTableTrans *
add_listed(CohortTableTrans *open, const RollingWidth *width, const CustomerHistory *history)
{
	PeriodSpec	spec = open->query.spec;
	bool		rolling = open->query.rolling;
	int32		on_stack[2 * LIST_ON_STACK];
	int32	   *space = on_stack;
	WindowList	windows = {0, NULL};
	WindowList	periods = {0, NULL};
	HistoryReader reader;
	int32		first_day = 0;
	int32		first = 0;
	uint64		n = 0;

	history_reader_open(&reader, history);
	if (reader.days > LIST_ON_STACK)
		space = palloc_extended(sizeof(int32) * 2 * reader.days, MCXT_ALLOC_HUGE);
	windows.k = space;
	periods.k = space + Max(reader.days, LIST_ON_STACK);
	while (history_reader_read_dates(&reader))
	{
		int32		day = reader.day.day;
		int32		period = calendar_period_of_day(spec, day);

		if ((n & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (n++ == 0)
		{
			first_day = day;
			first = period;
		}
		if (rolling)
		{
			int32		k = window_of(open, width, first_day, day);

			list_window(&periods, period);
			list_window(&windows, k);
			prefetch_cell(open, cell_key(first_day, k));
			prefetch_cell(open, cell_key(period, KEY_LIFECYCLE));
			continue;
		}
		if ((int64) period - first > PG_INT32_MAX - 1)
			cohort_periods_error();
		list_window(&windows, period - first);
		prefetch_cell(open, cell_key(first, period - first));
	}
	open = reserve(open, (uint64) windows.n + periods.n);
	count_list(open, rolling ? first_day : first, &windows);
	count_lifecycle_list(open, &periods);
	if (space != on_stack)
		pfree(space);
	return cohort_table_trans_count_customers(open, 1, reader.day.day);
}

CohortTableTrans *
cohort_open_add(CohortTableTrans *open, const RollingWidth *width, const CustomerHistory *history)
{
	PeriodSpec	spec = open->query.spec;
	bool		rolling = open->query.rolling;
	HistoryReader reader;
	uint64		periods = 1;
	uint64		windows = 1;
	int32		first_day;
	int32		first;

	history_reader_open(&reader, history);
	/* days are too many for a mask more often than not */
	if (spec.unit <= PERIOD_DAY && reader.days > 1)
		return add_listed(open, width, history);
	if (!history_reader_read_dates(&reader))
		return open;
	first_day = reader.day.day;
	first = calendar_period_of_day(spec, first_day);
	while (history_reader_read_dates(&reader))
	{
		uint32		i = (uint32) calendar_period_of_day(spec, reader.day.day) - (uint32) first;

		if (unlikely(i >= MASK_BITS))
			return add_listed(open, width, history);
		periods |= UINT64CONST(1) << i;
		if (rolling)
		{
			uint32		k = (uint32) window_of(open, width, first_day, reader.day.day);

			if (unlikely(k >= MASK_BITS))
				return add_listed(open, width, history);
			windows |= UINT64CONST(1) << k;
		}
	}
	if (rolling)
	{
		open = reserve(open, pg_popcount64(periods) + pg_popcount64(windows));
		count_lifecycle(open, first, periods);
		count_mask(open, first_day, windows);
	}
	else
	{
		open = reserve(open, pg_popcount64(periods));
		count_mask(open, first, periods);
	}
	return cohort_table_trans_count_customers(open, 1, reader.day.day);
}

CohortTableTrans *
cohort_open_merge(CohortTableTrans *open, CohortTableTrans *more)
{
	const OpenCell *from;

	open = cohort_table_trans_count_customers(open, more->customers, more->latest);
	/* cells in the order of one table would pile up in a smaller one */
	if ((uint64) open->hash.used + more->hash.used < MaxAllocSize / sizeof(OpenCell) / 2)
		open = reserve(open, more->hash.used);
	for (uint32 i = 0; (from = cells_next(&more->hash, more->cells, &i)) != NULL;)
	{
		OpenCell   *to;

		open = reserve(open, 1);
		to = cohort_table_trans_count_cell(open, from->key);
		to->on += from->on - 1;
		to->last += from->last;
		to->back += from->back;
		to->streak += from->streak;
		to->returning += from->returning;
	}
	return open;
}

/* ---------- finishing ---------- */

static inline int
cohort_table_trans_compare_cells(const OpenCell *a, const OpenCell *b)
{
	/* groups ascend as signed numbers */
	uint64		x = a->key ^ (UINT64CONST(1) << 63);
	uint64		y = b->key ^ (UINT64CONST(1) << 63);

	return x < y ? -1 : x > y;
}

#define ST_SORT sort_cells
#define ST_ELEMENT_TYPE OpenCell
#define ST_COMPARE(a, b) cohort_table_trans_compare_cells(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_entries
#define ST_ELEMENT_TYPE LifecycleEntry
#define ST_COMPARE(a, b) ((a)->period < (b)->period ? -1 : (a)->period > (b)->period)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* What a cell says about one calendar period; false if nothing. */
static bool
cell_entry(const CohortTableTrans *open, const OpenCell *cell, LifecycleEntry *entry)
{
	uint32		k = (uint32) cell->key;

	entry->period = key_group(cell->key);
	entry->active = cell->on;
	entry->returning = cell->returning;
	if (open->query.rolling)
	{
		entry->fresh = cell->last;
		return k == KEY_LIFECYCLE;
	}
	entry->fresh = k == 0 ? cell->on : 0;
	entry->period = (int32) (entry->period + (int64) k);
	return true;
}

static void
cohort_table_trans_write_lifecycle(const CohortTableTrans *open, const OpenCell *cells, uint32 n, CohortWriter *writer)
{
	LifecycleEntry *entries = palloc_extended(sizeof(LifecycleEntry) * ((Size) n + 1),
											  MCXT_ALLOC_HUGE);
	uint32		count = 0;

	for (uint32 i = 0; i < n; i++)
		if (cell_entry(open, &cells[i], &entries[count]))
			count++;
	sort_entries(entries, count);
	for (uint32 i = 0; i < count;)
	{
		LifecycleEntry sum = entries[i++];

		for (; i < count && entries[i].period == sum.period; i++)
		{
			sum.active += entries[i].active;
			sum.fresh += entries[i].fresh;
			sum.returning += entries[i].returning;
		}
		cohort_writer_entry(writer, &sum);
	}
	pfree(entries);
}

static void
push(Tally *tally, int32 k, uint32 count)
{
	if (count > 0)
		tally_push(tally, k, count);
}

/* Sorted cells, those of one group in a row. */
static void
write_groups(const CohortTableTrans *open, const OpenCell *cells, uint32 n, CohortWriter *writer)
{
	CohortGroup group;

	memset(&group, 0, sizeof(group));
	for (uint32 i = 0; i < n;)
	{
		int32		key = key_group(cells[i].key);

		group.cohort = open->query.rolling ? calendar_period_of_day(open->query.spec, key) : key;
		group.join = open->query.rolling ? key * USECS_PER_DAY : 0;
		group.members = cells[i].on;
		group.on.n = group.last.n = group.back.n = group.streak.n = 0;
		for (; i < n && key_group(cells[i].key) == key; i++)
		{
			int32		k = (int32) (uint32) cells[i].key;

			/* sorts last in its group; or there is no such group at all */
			if ((uint32) cells[i].key == KEY_LIFECYCLE)
				continue;
			push(&group.on, k, cells[i].on);
			push(&group.last, k, cells[i].last);
			push(&group.back, k, cells[i].back);
			push(&group.streak, k, cells[i].streak);
		}
		if (group.on.n > 0)
			cohort_writer_group(writer, &group);
	}
}

CohortTable *
cohort_open_finish(const CohortTable *state)
{
	CohortTableTrans *open = cohort_open_copy(state);
	const OpenCell *cell;
	OpenCell   *cells;
	CohortParams params;
	CohortWriter writer;
	CohortTable *table;
	uint32		n = 0;

	if (open->customers == 0)
		return cohort_table_empty();
	cells = palloc_extended(sizeof(OpenCell) * (Size) open->hash.used, MCXT_ALLOC_HUGE);
	for (uint32 i = 0; (cell = cells_next(&open->hash, open->cells, &i)) != NULL;)
		cells[n++] = *cell;
	Assert(n == open->hash.used);
	sort_cells(cells, n);

	memset(&params, 0, sizeof(params));
	params.spec = open->query.spec;
	params.dates = true;
	params.rolling = open->query.rolling;
	params.months = open->query.months;
	params.days = open->query.days;
	params.micros = open->query.micros;
	params.early = open->query.early;
	cohort_writer_init(&writer, &params, open->latest * USECS_PER_DAY, USECS_PER_DAY);
	cohort_table_trans_write_lifecycle(open, cells, n, &writer);
	write_groups(open, cells, n, &writer);
	table = cohort_writer_finish(&writer);
	pfree(cells);
	return table;
}
