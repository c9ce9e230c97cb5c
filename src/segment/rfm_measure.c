/*
 * rfm_measure.c
 *	  A measure that customers are scored by: its type, which values are better,
 *	  and the scores of its values.
 *
 * Promises, never: see rfm_measure.h.
 */
#include "segment/rfm_measure.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

/* ---------- types ---------- */

void
rfm_measure_init(RfmMeasure *measure, Oid given)
{
	TypeCacheEntry *entry;

	measure->type = OidIsValid(given) ? getBaseType(given) : InvalidOid;
	switch (measure->type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
		case INTERVALOID:
			break;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			measure->time = true;
			break;
		default:
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("%s must be a number, an interval or a time, not %s", measure->name,
							OidIsValid(given) ? format_type_be(given) : "unknown"),
					 errhint("Cast it, as in amount::numeric; of a history give the day too, as in rfm_score(history, as_of).")));
	}
	entry = lookup_type_cache(measure->type, TYPECACHE_LT_OPR | TYPECACHE_GT_OPR);
	get_typlenbyval(measure->type, &measure->typlen, &measure->byval);
	measure->order = measure->lower_is_better ? entry->gt_opr : entry->lt_opr;
	measure->sort.ssup_cxt = CurrentMemoryContext;
	measure->sort.abbreviate = false;
	PrepareSortSupportFromOrderingOp(measure->order, &measure->sort);
}

bool
rfm_measure_is_nan(const RfmMeasure *measure, Datum value)
{
	switch (measure->type)
	{
		case FLOAT4OID:
			return isnan(DatumGetFloat4(value));
		case FLOAT8OID:
			return isnan(DatumGetFloat8(value));
		case NUMERICOID:
			return numeric_is_nan(DatumGetNumeric(value));
		default:
			return false;
	}
}

static double
as_double(const RfmMeasure *measure, Datum value)
{
	switch (measure->type)
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT8OID:
			return (double) DatumGetInt64(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case FLOAT8OID:
			return DatumGetFloat8(value);
		case NUMERICOID:
			return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
		case INTERVALOID:
			{
				/* in days, as intervals are compared */
				const Interval *interval = DatumGetIntervalP(value);

				return interval->month * (double) DAYS_PER_MONTH + interval->day +
					interval->time / (double) USECS_PER_DAY;
			}
		default:
			pg_unreachable();
	}
}

/* ---------- scores ---------- */

int
rfm_fixed_score(const RfmMeasure *measure, const double *cuts, int n, Datum value)
{
	double		v = as_double(measure, value);
	int			score = 1;

	for (int k = 0; k < n; k++)
		score += measure->lower_is_better ? v <= cuts[k] : v >= cuts[k];
	return score;
}

int
rfm_ladder_score(RfmMeasure *measure, const RfmLadder *ladder, Datum value)
{
	int			low = 0;		/* cuts that the value is above */
	int			high = ladder->steps;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (!ladder->known[middle] ||
			ApplySortComparator(value, false, ladder->cuts[middle], false, &measure->sort) > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low + 1;
}

/* ---------- cuts ---------- */

void
rfm_sorter_add(RfmSorter *sorter, const RfmMeasure *measure, int sorters, Datum value)
{
	if (sorter->state == NULL)
		sorter->state = tuplesort_begin_datum(measure->type, measure->order, InvalidOid, false,
											  Max(work_mem / sorters, 64), NULL, TUPLESORT_NONE);
	tuplesort_putdatum(sorter->state, value, false);
	sorter->n++;
}

/* 1 + floor(bins * worse / n); the product is far below 2^63, since n are rows in a tuplestore */
static int
score_of_rank(int64 worse, int64 n, int bins)
{
	return 1 + (int) (worse * bins / n);
}

/* The cut of score k is the best value with a score of at most k. */
static void
ladder_cut(RfmLadder *ladder, const RfmMeasure *measure, int score, Datum value)
{
	/* that of the last score needs no cut: the best value has it */
	if (score > ladder->steps)
	{
		if (!measure->byval)
			pfree(DatumGetPointer(value));
		return;
	}
	if (ladder->known[score - 1] && !measure->byval)
		pfree(DatumGetPointer(ladder->cuts[score - 1]));
	ladder->known[score - 1] = true;
	ladder->cuts[score - 1] = value;
}

void
rfm_sorter_cut(RfmSorter *sorter, RfmMeasure *measure, int bins, RfmLadder *ladder)
{
	Datum		last = (Datum) 0;
	Datum		value;
	int64		worse = 0;		/* than the last value */
	bool		isnull;

	ladder->steps = bins - 1;
	ladder->known = palloc0(sizeof(bool) * bins);
	ladder->cuts = palloc0(sizeof(Datum) * bins);
	if (sorter->state == NULL)
		return;
	tuplesort_performsort(sorter->state);
	for (int64 count = 0; RETENTION_TUPLESORT_GETDATUM(sorter->state, &value, &isnull); count++)
	{
		if (count > 0)
		{
			if (ApplySortComparator(last, false, value, false, &measure->sort) != 0)
			{
				ladder_cut(ladder, measure, score_of_rank(worse, sorter->n, bins), last);
				worse = count;
			}
			else if (!measure->byval)
				pfree(DatumGetPointer(last));
		}
		last = value;
		if ((count & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
	}
	ladder_cut(ladder, measure, score_of_rank(worse, sorter->n, bins), last);
	tuplesort_end(sorter->state);
	/* scores that nobody has; the first is always somebody's */
	for (int k = 1; k < ladder->steps; k++)
		if (!ladder->known[k] && ladder->known[k - 1])
		{
			ladder->known[k] = true;
			ladder->cuts[k] = ladder->cuts[k - 1];
		}
}
