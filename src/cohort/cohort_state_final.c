/*
 * cohort_state_final.c
 *	  From a state of customers to the cohort_table value.
 *
 * Two ways to the same bytes: where every customer is a bit mask, tallies are
 * counted in small matrices; else customers are sorted by cohort (and joining
 * instant), and each group is tallied and written in turn.
 *
 * Promises: results do not depend on the order of customers; memory beyond the
 * state is at most 8 bytes a customer, and what one cohort's members take.
 * Never: changes the state.
 */
#include "cohort/cohort_state_add.h"

#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

/* ---------- masks only ---------- */

typedef int64 MaskRow[SET_BITS];

typedef struct MaskTallies
{
	int64		members[SET_BITS];
	MaskRow		on[SET_BITS];
	MaskRow		last[SET_BITS];
	MaskRow		back[SET_BITS];
	MaskRow		streak[SET_BITS];
	MaskRow		first[SET_BITS];
	int64		returning[SET_BITS];
} MaskTallies;

/* For fewer customers than this, clearing the matrices costs more than sorting. */
#define MASKS_FROM 512

/* There are many customers, all are masks, and join within the masks' span. */
static bool
masks_suffice(CohortState *state)
{
	MapCursor	cursor = {0, 0};
	uint64	   *slot;

	if (state->map.count < MASKS_FROM)
		return false;

	if (state->shared->params.rolling || state->has_lists || state->logged)
		return false;
	if (!state->shared->joined)
		return true;
	while ((slot = customer_map_next(&state->map, &cursor)) != NULL)
		if ((int64) slot[2] != NO_PERIOD &&
			(uint64) ((int64) slot[2] - state->base) >= SET_BITS)
			return false;
	return true;
}

/*
 * Counting the bits of masks one by one would take a branch for each; instead
 * the masks' bytes are counted by value, and bits read off those counts once.
 */
typedef struct ByteCounts
{
	uint32		bytes[8][256];
} ByteCounts;

typedef struct MaskCounts
{
	ByteCounts	returning;
	ByteCounts *on[SET_BITS];	/* by cohort; NULL while it has no members */
} MaskCounts;

static inline void
count_bytes(ByteCounts *counts, uint64 mask)
{
	for (int i = 0; i < 8; i++)
		counts->bytes[i][mask >> (i * 8) & 0xff]++;
}

/* Adds what was counted to totals by bit, and starts again. */
static void
drain_bytes(ByteCounts *counts, int64 *totals)
{
	for (int i = 0; i < 8; i++)
		for (int value = 1; value < 256; value++)
			for (int bit = 0; bit < 8 && counts->bytes[i][value] > 0; bit++)
				if ((value >> bit & 1) && i * 8 + bit < SET_BITS)
					totals[i * 8 + bit] += counts->bytes[i][value];
	memset(counts, 0, sizeof(ByteCounts));
}

static void
drain_counts(MaskTallies *t, MaskCounts *counts)
{
	drain_bytes(&counts->returning, t->returning);
	for (int cohort = 0; cohort < SET_BITS; cohort++)
		if (counts->on[cohort] != NULL)
			drain_bytes(counts->on[cohort], t->on[cohort]);
}

/* One customer's mask. */
static inline void
tally_mask(MaskTallies *t, MaskCounts *counts, uint64 mask, int cohort)
{
	uint64		from = mask >> cohort;	/* bit k: active in period k */
	uint64		later = from & ~UINT64CONST(1);
	int			streak;

	if (unlikely(counts->on[cohort] == NULL))
		counts->on[cohort] = palloc0(sizeof(ByteCounts));
	t->members[cohort]++;
	if (from == 0)
		return;
	t->first[cohort][pg_rightmost_one_pos64(from)]++;
	t->last[cohort][pg_leftmost_one_pos64(from)]++;
	if (later != 0)
		t->back[cohort][pg_rightmost_one_pos64(later)]++;
	/* bit 62 and up are clear: the run of ones ends */
	streak = pg_rightmost_one_pos64(~(from >> 1));
	t->streak[cohort][streak]++;
	count_bytes(&counts->returning, (from & (from << 1)) << cohort);
	count_bytes(counts->on[cohort], from);
}

/* Compact keys are 2^32 at most: no byte's count overflows. */
static void
tally_compact(CohortState *state, MaskTallies *t, MaskCounts *counts)
{
	int			n = state->map.shift == 64 ? 1 : MAP_PARTITIONS;

	for (int i = 0; i < n; i++)
	{
		MapPartition *p = &state->map.partitions[i];

		CHECK_FOR_INTERRUPTS();
		for (uint32 j = 0; j < p->capacity; j++)
		{
			uint32		mask = COMPACT_PAYLOAD(p->slots[j]);

			if (mask != 0)
				tally_mask(t, counts, mask, pg_rightmost_one_pos32(mask));
		}
	}
}

static void
row_to_tally(const MaskRow row, Tally *tally)
{
	tally->n = 0;
	for (int k = 0; k < SET_BITS; k++)
		if (row[k] > 0)
			tally_push(tally, k, row[k]);
}

static CohortTable *
table_from_masks(CohortState *state)
{
	CohortShared *shared = state->shared;
	MaskTallies *t = palloc0(sizeof(MaskTallies));
	MaskCounts *counts = palloc0(sizeof(MaskCounts));
	MapCursor	cursor = {0, 0};
	CohortWriter writer;
	CohortGroup group;
	uint64	   *slot;
	uint32		n = 0;

	if (COHORT_COMPACT(state))
		tally_compact(state, t, counts);
	while (!COHORT_COMPACT(state) &&
		   (slot = customer_map_next(&state->map, &cursor)) != NULL)
	{
		uint64		mask = slot[1] & SET_MASK;

		if (!shared->joined)
			tally_mask(t, counts, mask, pg_rightmost_one_pos64(mask));
		else if ((int64) slot[2] != NO_PERIOD)
			tally_mask(t, counts, mask, (int) ((int64) slot[2] - state->base));
		/* before a byte's count can overflow */
		if (unlikely(++n == PG_UINT32_MAX))
		{
			drain_counts(t, counts);
			n = 0;
		}
	}

	drain_counts(t, counts);
	for (int cohort = 0; cohort < SET_BITS; cohort++)
		t->streak[cohort][0] = 0;	/* not in the value */

	cohort_writer_init(&writer, &shared->params, state->latest, 1);
	memset(&group, 0, sizeof(group));
	for (int period = 0; period < SET_BITS; period++)
	{
		LifecycleEntry entry = {state->base + period, 0, 0, t->returning[period]};

		for (int cohort = 0; cohort <= period; cohort++)
		{
			entry.active += t->on[cohort][period - cohort];
			entry.fresh += t->first[cohort][period - cohort];
		}
		cohort_writer_entry(&writer, &entry);
	}
	for (int cohort = 0; cohort < SET_BITS; cohort++)
	{
		if (t->members[cohort] == 0)
			continue;
		group.cohort = state->base + cohort;
		group.members = t->members[cohort];
		row_to_tally(t->on[cohort], &group.on);
		row_to_tally(t->last[cohort], &group.last);
		row_to_tally(t->back[cohort], &group.back);
		row_to_tally(t->streak[cohort], &group.streak);
		row_to_tally(t->first[cohort], &group.first);
		cohort_writer_group(&writer, &group);
	}
	return cohort_writer_finish(&writer);
}

/* ---------- counters over a wide range ---------- */

/*
 * Counts by an int32: an array from "base" on, as long as "limit" allows, and
 * a list for what lies beyond, sorted when it is read.
 */
typedef struct Counter
{
	int32		base;
	uint32		limit;
	uint32		used;			/* array elements that may be nonzero */
	uint32		capacity;
	int64	   *counts;
	PeriodArray beyond;
} Counter;

static void
counter_beyond(Counter *counter, int32 v)
{
	period_array_reserve(&counter->beyond, counter->beyond.n + 1);
	counter->beyond.v[counter->beyond.n++] = v;
}

static inline void
counter_add(Counter *counter, int32 v)
{
	uint64		i = (uint64) ((int64) v - counter->base);

	if (unlikely(i >= counter->limit))
	{
		counter_beyond(counter, v);
		return;
	}
	if (unlikely(i >= counter->capacity))
	{
		uint32		capacity = Max(64, pg_nextpower2_32((uint32) i + 1));

		counter->counts = counter->counts == NULL ?
			palloc_extended(sizeof(int64) * (Size) capacity, MCXT_ALLOC_HUGE) :
			repalloc_huge(counter->counts, sizeof(int64) * (Size) capacity);
		memset(counter->counts + counter->capacity, 0,
			   sizeof(int64) * (capacity - counter->capacity));
		counter->capacity = capacity;
	}
	counter->counts[i]++;
	counter->used = Max(counter->used, (uint32) i + 1);
}

/* The counts as a tally; the counter is empty afterwards. */
static void
counter_drain(Counter *counter, Tally *tally)
{
	PeriodArray *beyond = &counter->beyond;

	tally->n = 0;
	for (uint32 i = 0; i < counter->used; i++)
	{
		if (counter->counts[i] == 0)
			continue;
		tally_push(tally, (int32) (counter->base + (int64) i), counter->counts[i]);
		counter->counts[i] = 0;
	}
	counter->used = 0;
	period_array_sort(beyond);
	for (uint32 i = 0; i < beyond->n;)
	{
		uint32		j = i + 1;

		while (j < beyond->n && beyond->v[j] == beyond->v[i])
			j++;
		tally_push(tally, beyond->v[i], j - i);
		i = j;
	}
	beyond->n = 0;
}

/* ---------- customers by cohort ---------- */

typedef struct Builder
{
	CohortState *state;
	CohortWriter writer;
	CohortMember member;
	CohortGroup group;
	Counter		on;
	Counter		last;
	Counter		back;
	Counter		streak;
	Counter		first;			/* of windows, with joined_at: else it is 0 */
	Counter		active;			/* by period, over all customers */
	Counter		fresh;
	Counter		returning;
} Builder;

/* A customer and its joining instant, if windows are rolling. */
typedef struct MemberRef
{
	int64		join;
	CustomerNumber number;
} MemberRef;

#define ST_SORT sort_refs
#define ST_ELEMENT_TYPE MemberRef
#define ST_COMPARE(a, b) ((a)->join < (b)->join ? -1 : (a)->join > (b)->join)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_uint64
#define ST_ELEMENT_TYPE uint64
#define ST_COMPARE(a, b) (*(a) < *(b) ? -1 : *(a) > *(b))
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static void
tally_member(Builder *b, bool group)
{
	CohortMember *m = &b->member;
	PeriodArray *w = &m->windows;
	PeriodArray *p = &m->periods;
	uint32		first = w->n > 0 && w->v[0] == 0 ? 1 : 0;
	uint32		streak = 0;

	for (uint32 i = 0; i < p->n; i++)
	{
		counter_add(&b->active, p->v[i]);
		if (i == 0)
			counter_add(&b->fresh, p->v[i]);
		else if (p->v[i - 1] == p->v[i] - 1)
			counter_add(&b->returning, p->v[i]);
	}
	if (!group)
		return;
	for (uint32 i = 0; i < w->n; i++)
		counter_add(&b->on, w->v[i]);
	if (w->n > 0)
		counter_add(&b->last, w->v[w->n - 1]);
	if (w->n > 0 && b->state->shared->joined)
		counter_add(&b->first, w->v[0]);
	if (w->n > first)
		counter_add(&b->back, w->v[first]);
	while (first + streak < w->n && w->v[first + streak] == (int32) streak + 1)
		streak++;
	if (streak > 0)
		counter_add(&b->streak, streak);
}

/* So many customers ahead are asked for while one is read. */
#define MEMBERS_AHEAD 8

/* Customers of one cohort and one joining instant. */
static void
write_group(Builder *b, int32 cohort, const MemberRef *refs, uint32 n)
{
	CohortGroup *group = &b->group;
	uint32		limit = (uint32) Min((uint64) n * 64, 65536);

	group->cohort = cohort;
	group->join = b->state->shared->params.rolling ? refs[0].join : 0;
	group->members = n;
	b->on.limit = b->last.limit = b->back.limit = b->streak.limit = b->first.limit = limit;
	for (uint32 i = 0; i < n; i++)
	{
		if ((i & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (i + MEMBERS_AHEAD < n)
			cohort_state_prefetch(b->state, refs[i + MEMBERS_AHEAD].number);
		cohort_state_member(b->state, refs[i].number, &b->member);
		tally_member(b, n > 1);
	}
	if (n == 1)
	{
		PeriodArray *w = &b->member.windows;

		group->on.n = 0;
		for (uint32 i = 0; i < w->n; i++)
			tally_push(&group->on, w->v[i], 1);
	}
	else
	{
		counter_drain(&b->on, &group->on);
		counter_drain(&b->last, &group->last);
		counter_drain(&b->back, &group->back);
		counter_drain(&b->streak, &group->streak);
		counter_drain(&b->first, &group->first);
	}
	cohort_writer_group(&b->writer, group);
}

static void
write_cohort(Builder *b, int32 cohort, MemberRef *refs, uint32 n)
{
	uint32		i = 0;

	if (b->state->shared->params.rolling)
		sort_refs(refs, n);
	while (i < n)
	{
		uint32		j = i + 1;

		while (j < n && refs[j].join == refs[i].join)
			j++;
		write_group(b, cohort, refs + i, j - i);
		i = j;
	}
}

static void
cohort_state_final_write_lifecycle(Builder *b)
{
	Tally		active = {0};
	Tally		fresh = {0};
	Tally		returning = {0};
	int			f = 0;
	int			r = 0;

	counter_drain(&b->active, &active);
	counter_drain(&b->fresh, &fresh);
	counter_drain(&b->returning, &returning);
	for (int i = 0; i < active.n; i++)
	{
		LifecycleEntry entry = {active.k[i], active.count[i], 0, 0};

		if (f < fresh.n && fresh.k[f] == entry.period)
			entry.fresh = fresh.count[f++];
		if (r < returning.n && returning.k[r] == entry.period)
			entry.returning = returning.count[r++];
		cohort_writer_entry(&b->writer, &entry);
	}
}

/* Cohorts far apart: sort customers by cohort. */
static void
write_sorted(Builder *b, uint64 customers)
{
	CohortState *state = b->state;
	uint64	   *sorted = palloc_extended(sizeof(uint64) * customers, MCXT_ALLOC_HUGE);
	MapCursor	cursor = {0, 0};
	MemberRef  *refs = NULL;
	uint64		capacity = 0;
	uint64		n = 0;
	CustomerNumber number;
	int32		cohort;
	int64		join;

	while (cohort_state_next(state, &cursor, &number))
		if (cohort_state_anchor(state, number, &cohort, &join))
			sorted[n++] = (uint64) (uint32) (cohort ^ PG_INT32_MIN) << 32 | number;
	sort_uint64(sorted, n);
	for (uint64 i = 0; i < n;)
	{
		uint64		j = i;

		while (j < n && sorted[j] >> 32 == sorted[i] >> 32)
			j++;
		if (j - i > capacity)
		{
			if (refs != NULL)
				pfree(refs);
			capacity = j - i;
			refs = palloc_extended(sizeof(MemberRef) * capacity, MCXT_ALLOC_HUGE);
		}
		for (uint64 m = i; m < j; m++)
		{
			refs[m - i].number = (uint32) sorted[m];
			cohort_state_anchor(state, refs[m - i].number, &cohort, &refs[m - i].join);
		}
		write_cohort(b, (int32) (uint32) (sorted[i] >> 32) ^ PG_INT32_MIN, refs,
					 (uint32) (j - i));
		i = j;
	}
	pfree(sorted);
}

/* Cohorts within a small range: count them, then place customers. */
static void
write_counted(Builder *b, int32 low, uint32 range, uint64 customers)
{
	CohortState *state = b->state;
	uint64	   *start = palloc0(sizeof(uint64) * ((Size) range + 1));
	CustomerNumber *numbers;
	MemberRef  *refs;
	MapCursor	cursor = {0, 0};
	bool		rolling = state->shared->params.rolling;
	uint64		largest = 0;
	CustomerNumber number;
	int32		cohort;
	int64		join;

	while (cohort_state_next(state, &cursor, &number))
		if (cohort_state_anchor(state, number, &cohort, &join))
			start[(int64) cohort - low + 1]++;
	for (uint32 i = 0; i < range; i++)
	{
		largest = Max(largest, start[i + 1]);
		start[i + 1] += start[i];
	}
	numbers = palloc_extended(sizeof(CustomerNumber) * customers, MCXT_ALLOC_HUGE);
	refs = palloc_extended(sizeof(MemberRef) * largest, MCXT_ALLOC_HUGE);
	cursor.partition = 0;
	cursor.position = 0;
	while (cohort_state_next(state, &cursor, &number))
		if (cohort_state_anchor(state, number, &cohort, &join))
			numbers[start[(int64) cohort - low]++] = number;
	/* now start[i] is where cohort i ends */
	for (uint32 i = 0; i < range; i++)
	{
		uint64		from = i == 0 ? 0 : start[i - 1];
		uint32		n = (uint32) (start[i] - from);

		for (uint32 m = 0; m < n; m++)
		{
			refs[m].number = numbers[from + m];
			refs[m].join = 0;
			if (rolling)
				cohort_state_anchor(state, refs[m].number, &cohort, &refs[m].join);
		}
		if (n > 0)
			write_cohort(b, (int32) (low + (int64) i), refs, n);
	}
	pfree(numbers);
	pfree(refs);
	pfree(start);
}

static CohortTable *
table_from_customers(CohortState *state)
{
	Builder    *b = palloc0(sizeof(Builder));
	MapCursor	cursor = {0, 0};
	int64		unit = USECS_PER_DAY;
	int64		low = PG_INT64_MAX;
	int64		high = PG_INT64_MIN;
	uint64		customers = 0;
	CustomerNumber number;
	int32		cohort;
	int64		join;

	b->state = state;
	while (cohort_state_next(state, &cursor, &number))
	{
		if (!cohort_state_anchor(state, number, &cohort, &join))
			continue;
		customers++;
		low = Min(low, cohort);
		high = Max(high, cohort);
		if (unit > 1 && join % unit != 0)
			unit = Min(unit, cohort_join_unit(join));
	}
	cohort_writer_init(&b->writer, &state->shared->params, state->latest, unit);
	if (customers > 0)
	{
		b->active.base = b->fresh.base = b->returning.base = (int32) low;
		b->active.limit = b->fresh.limit = b->returning.limit = 1 << 20;
		if (high - low < 1 << 20)
			write_counted(b, (int32) low, (uint32) (high - low + 1), customers);
		else
			write_sorted(b, customers);
		cohort_state_final_write_lifecycle(b);
	}
	return cohort_writer_finish(&b->writer);
}

CohortTable *
cohort_state_table(CohortState *state)
{
	cohort_state_flush(state);
	cohort_state_tidy(state);
	/* all rows were left out */
	if (state->latest == PG_INT64_MIN)
		return cohort_table_empty();
	if (masks_suffice(state))
		return table_from_masks(state);
	return table_from_customers(state);
}
