/*
 * survival_curve.c
 *	  From a survival_table to the points of its Kaplan-Meier curve.
 *
 * Promises: numbers at risk are exact sums, whatever the weights, so that the
 * last ones to leave are all that were at risk; ties are those of the durations
 * as they came.
 * Never: holds more than points, and entries where there are any.
 */
#include "survival/survival_table.h"

#include <math.h>

#include "math/exact_sum.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define POLL_POINTS	4096

/* A number of customers: counted, or the sum of weights. */
typedef struct Total
{
	int64		count;
	ExactSum	sum;
} Total;

static inline void
total_clear(Total *total, bool weighted)
{
	total->count = 0;
	if (weighted)
		memset(&total->sum, 0, sizeof(ExactSum));
}

/* A product of doubles is the sum of two. */
static inline void
sum_add_product(ExactSum *sum, double weight, int64 count)
{
	double		product = weight * (double) count;

	exact_sum_add(sum, product);
	if (count != 1 && count != -1)
		exact_sum_add(sum, fma(weight, (double) count, -product));
}

static inline void
total_add(Total *total, bool weighted, double weight, int64 count)
{
	if (weighted)
		sum_add_product(&total->sum, weight, count);
	else
		total->count += count;
}

static inline double
total_value(const Total *total, bool weighted)
{
	return weighted ? exact_sum_value(&total->sum) : (double) total->count;
}

/* What is needed to follow a curve. */
typedef struct Entry
{
	uint64		time;
	double		weight;
	int64		count;
} Entry;

typedef struct Builder
{
	DurationKind kind;
	bool		weighted;
	bool		delayed;
	Entry	   *entries;		/* ascending */
	int64		nentries;
	int64		entered;
	Total		risk;
	Total		events;
	Total		censored;
	uint64		time;
	KmPoint    *points;
	size_t		n;				/* begun */
} Builder;

/* Where the items come from: from the value itself if they ascend by duration. */
typedef struct Items
{
	const SurvivalTableValue *value;
	SurvivalReader reader;
	SurvivalItem *sorted;		/* NULL: read */
	int64		n;
	int64		next;
} Items;

/* ---------- items by duration ---------- */

static int
compare_durations(const SurvivalItem *a, const SurvivalItem *b)
{
	if (a->duration != b->duration)
		return a->duration < b->duration ? -1 : 1;
	return survival_item_compare(a, b);
}

#define ST_SORT sort_by_duration
#define ST_ELEMENT_TYPE SurvivalItem
#define ST_COMPARE(a, b) compare_durations(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static int
survival_curve_compare_entries(const Entry *a, const Entry *b)
{
	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return 0;
}

#define ST_SORT sort_entries
#define ST_ELEMENT_TYPE Entry
#define ST_COMPARE(a, b) survival_curve_compare_entries(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

static bool
items_next(Items *items, SurvivalItem *item)
{
	if (items->sorted == NULL)
	{
		if (!survival_reader_item(&items->reader))
			return false;
		*item = items->reader.item;
		return true;
	}
	if (items->next == items->n)
		return false;
	if ((items->next & 0xffff) == 0)
		CHECK_FOR_INTERRUPTS();
	*item = items->sorted[items->next++];
	return true;
}

static void
items_rewind(Items *items)
{
	items->next = 0;
	if (items->sorted == NULL)
		survival_reader_open(&items->reader, items->value);
}

static void
items_open(Items *items, const SurvivalTableValue *value)
{
	int64		room = 1024;
	SurvivalItem *sorted;

	memset(items, 0, sizeof(Items));
	items->value = value;
	survival_reader_open(&items->reader, value);
	if (!(items->reader.head.flags & (SURVIVAL_GROUPS | SURVIVAL_STRATA)))
		return;
	sorted = palloc(sizeof(SurvivalItem) * room);
	while (survival_reader_item(&items->reader))
	{
		if (items->n == room)
			sorted = repalloc_huge(sorted, sizeof(SurvivalItem) * (room *= 2));
		sorted[items->n++] = items->reader.item;
	}
	sort_by_duration(sorted, items->n);
	items->sorted = sorted;
}

/* ---------- points ---------- */

/* Everybody who is ever at risk: at once, or as they enter.  Returns the number of points. */
static size_t
count_risk(Builder *builder, Items *items)
{
	int64		room = 1024;
	size_t		n = 0;
	uint64		last = 0;
	SurvivalItem item;

	if (builder->delayed)
		builder->entries = palloc(sizeof(Entry) * room);
	while (items_next(items, &item))
	{
		double		weight = survival_word_real(item.weight);

		n += item.duration != last;
		last = item.duration;
		if (!builder->delayed)
		{
			total_add(&builder->risk, builder->weighted, weight, item.count);
			continue;
		}
		if (builder->nentries == room)
			builder->entries = repalloc_huge(builder->entries, sizeof(Entry) * (room *= 2));
		builder->entries[builder->nentries].time = item.entry;
		builder->entries[builder->nentries].weight = weight;
		builder->entries[builder->nentries++].count = item.count;
	}
	if (builder->delayed)
		sort_entries(builder->entries, builder->nentries);
	return n;
}

static void
begin_point(Builder *builder, uint64 time)
{
	KmPoint    *point = &builder->points[builder->n++];

	while (builder->entered < builder->nentries && builder->entries[builder->entered].time < time)
	{
		const Entry *entry = &builder->entries[builder->entered++];

		total_add(&builder->risk, builder->weighted, entry->weight, entry->count);
	}
	memset(point, 0, sizeof(KmPoint));
	builder->time = time;
	point->time = survival_word_number(time, builder->kind);
	point->at_risk = total_value(&builder->risk, builder->weighted);
	if (!isfinite(point->at_risk))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("weights add up to more than a double precision number can hold")));
	total_clear(&builder->events, builder->weighted);
	total_clear(&builder->censored, builder->weighted);
}

static void
end_point(Builder *builder)
{
	KmPoint    *point = &builder->points[builder->n - 1];

	point->events = total_value(&builder->events, builder->weighted);
	point->censored = total_value(&builder->censored, builder->weighted);
}

static void
take_item(Builder *builder, const SurvivalItem *item)
{
	double		weight = survival_word_real(item->weight);

	if (builder->n == 0 || builder->time != item->duration)
	{
		if (builder->n > 0)
			end_point(builder);
		begin_point(builder, item->duration);
	}
	total_add(item->cause == SURVIVAL_CENSORED ? &builder->censored : &builder->events,
			  builder->weighted, weight, item->count);
	/* all that leave at a time are at risk then: those at risk were counted before */
	if (builder->weighted)
		sum_add_product(&builder->risk.sum, weight, -item->count);
	else
		builder->risk.count -= item->count;
}

void
survival_estimate(const SurvivalTableValue *value, SurvivalCurve *curve)
{
	Builder    *builder = palloc0(sizeof(Builder));
	KmRun		run = KM_RUN_START;
	Items		items;
	SurvivalItem item;
	size_t		n;

	items_open(&items, value);
	curve->kind = builder->kind = items.reader.head.kind;
	builder->weighted = (items.reader.head.flags & SURVIVAL_WEIGHT) != 0;
	builder->delayed = (items.reader.head.flags & SURVIVAL_ENTRY) != 0;
	n = count_risk(builder, &items);
	builder->points = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(KmPoint) * (n + 1));
	items_rewind(&items);
	while (items_next(&items, &item))
		take_item(builder, &item);
	if (n > 0)
		end_point(builder);
	Assert(builder->n == n);
	if (items.sorted != NULL)
		pfree(items.sorted);
	if (builder->entries != NULL)
		pfree(builder->entries);
	for (size_t i = 0; i < n; i += POLL_POINTS)
	{
		CHECK_FOR_INTERRUPTS();
		km_continue(&run, builder->points + i, Min(n - i, POLL_POINTS));
	}
	curve->n = n;
	curve->points = builder->points;
}
