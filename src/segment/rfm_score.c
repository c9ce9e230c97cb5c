/*
 * rfm_score.c
 *	  SQL-callable: rfm_score() OVER (...), quantile scores of customers among the
 *	  customers of their partition.
 *
 * The score of a value among n is ceil(bins * cume_dist): the share of values
 * that are no better, in bins.  It grows with the value, so that bins - 1 values
 * of the partition, the cuts, say it of all: they are found at the first row, by
 * sorting each measure once, and every row is then compared with them.
 *
 * Promises: equal values have equal scores, whatever the order of rows, the frame
 * and the ORDER BY of the window; exact arithmetic, no rounding at the edges.
 * Never: keeps the values of a partition once it is cut; takes more memory for
 * sorting than work_mem.
 */
#include "retention.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr/window_arguments.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/sortsupport.h"
#include "utils/timestamp.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"

#define MEASURES	3
#define DIGIT_BINS	9			/* scores that are digits of a text */
#define BINS_MAX	1000

static const char *const measure_names[] = {"recency", "frequency", "monetary"};

/* How the two forms are called: where their arguments stand, after the measures. */
typedef struct ScoreForm
{
	int			measures;
	int			lower_is_better;	/* 0: there is no such argument */
	int			bins;
	int			nested;			/* 0: there is no such argument */
	int			cuts;			/* of the first measure */
} ScoreForm;

/* A measure, ordered from worst to best. */
typedef struct Measure
{
	const char *name;
	Oid			type;			/* base type */
	bool		byval;
	int16		typlen;
	bool		time;			/* a date or timestamp */
	bool		lower_is_better;
	Oid			order;			/* the operator "is worse than" */
	SortSupportData sort;
} Measure;

/* Values above which scores begin: in the order of the measure. */
typedef struct Ladder
{
	int			steps;			/* the scores are 1 .. steps + 1 */
	bool	   *known;			/* false: nobody has the score below */
	Datum	   *cuts;
} Ladder;

typedef struct ScoreWindow
{
	bool		tried;
	bool		nested;
	int			bins;
	MemoryContext scratch;		/* of a row */
	Measure		measures[MEASURES];
	double	   *fixed[MEASURES];	/* cuts as given, ascending; NULL: quantiles */
	int			fixed_n[MEASURES];
	Ladder	   *ladders[MEASURES];	/* by the scores before, where nested */
} ScoreWindow;

/* ---------- arguments that belong to the partition: those of its first row ---------- */

static int
read_bins(WindowObject winobj, const ScoreForm *form)
{
	int			most = form->measures > 1 ? DIGIT_BINS : BINS_MAX;
	int32		bins = DatumGetInt32(window_required_argument(winobj, form->bins, "bins"));

	if (bins < 2 || bins > most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bins must be between 2 and %d, not %d", most, bins),
				 form->measures > 1 ?
				 errhint("Each score is one digit; for more bins score one measure at a time, as in rfm_score(frequency, bins => 20) OVER ().") : 0));
	return bins;
}

/* A measure's type: numbers, intervals and times have better and worse values. */
static void
measure_type(Measure *measure, Oid given)
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
					 errhint("Cast it, as in amount::numeric.")));
	}
	entry = lookup_type_cache(measure->type, TYPECACHE_LT_OPR | TYPECACHE_GT_OPR);
	get_typlenbyval(measure->type, &measure->typlen, &measure->byval);
	measure->order = measure->lower_is_better ? entry->gt_opr : entry->lt_opr;
	measure->sort.ssup_cxt = CurrentMemoryContext;
	measure->sort.abbreviate = false;
	PrepareSortSupportFromOrderingOp(measure->order, &measure->sort);
}

/* Fixed cuts, ascending; NULL where the argument is. */
static double *
rfm_score_read_cuts(WindowObject winobj, int arg, const Measure *measure, int most, int *n)
{
	bool		isnull;
	Datum		value = window_first_argument(winobj, arg, &isnull);
	ArrayType  *array;
	double	   *cuts;

	*n = 0;
	if (isnull)
		return NULL;
	if (measure->time)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is a time, which fixed cuts do not cut", measure->name),
				 errhint("Pass the days since, as in date '2025-01-01' - max(ordered_at)::date.")));
	array = DatumGetArrayTypePCopy(value);
	*n = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_NDIM(array) > 1 || array_contains_nulls(array) || *n < 1 || *n >= most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cuts of %s must be a list of 1 to %d numbers without NULLs", measure->name,
						most - 1)));
	cuts = (double *) ARR_DATA_PTR(array);
	for (int i = 0; i < *n; i++)
		/* written so that NaN fails */
		if (!(cuts[i] > (i > 0 ? cuts[i - 1] : -get_float8_infinity())))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("cuts of %s must ascend; %g is out of order", measure->name, cuts[i])));
	return cuts;
}

static void
read_arguments(FunctionCallInfo fcinfo, WindowObject winobj, const ScoreForm *form,
			   ScoreWindow *w)
{
	int			most = form->measures > 1 ? DIGIT_BINS : BINS_MAX;

	w->bins = read_bins(winobj, form);
	w->nested = form->nested != 0 &&
		DatumGetBool(window_required_argument(winobj, form->nested, "nested"));
	for (int i = 0; i < form->measures; i++)
	{
		Measure    *measure = &w->measures[i];
		Oid			type = get_fn_expr_argtype(fcinfo->flinfo, i);
		Oid			base = OidIsValid(type) ? getBaseType(type) : InvalidOid;

		measure->name = form->measures > 1 ? measure_names[i] : "value";
		if (form->lower_is_better != 0)
			measure->lower_is_better =
				DatumGetBool(window_required_argument(winobj, form->lower_is_better, "lower_is_better"));
		else
			/* time since the last purchase; of the purchase itself, later is better */
			measure->lower_is_better = i == 0 &&
				base != DATEOID && base != TIMESTAMPOID && base != TIMESTAMPTZOID;
		measure_type(measure, type);
		w->fixed[i] = rfm_score_read_cuts(winobj, form->cuts + i, measure, most, &w->fixed_n[i]);
	}
}

/* ---------- rows ---------- */

static bool
is_nan(const Measure *measure, Datum value)
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

/*
 * The measures of a row of the partition, or of the current one where row is
 * negative; false where one is NULL.
 */
static bool
read_row(WindowObject winobj, const ScoreForm *form, const ScoreWindow *w, int64 row,
		 Datum *values)
{
	bool		known = true;

	for (int i = 0; i < form->measures && known; i++)
	{
		const Measure *measure = &w->measures[i];
		bool		isnull;

		values[i] = row < 0 ? WinGetFuncArgCurrent(winobj, i, &isnull) :
			window_row_argument(winobj, i, row, &isnull);
		known = !isnull;
		if (isnull)
			break;
		if (measure->typlen == -1)
			values[i] = PointerGetDatum(PG_DETOAST_DATUM(values[i]));
		if (is_nan(measure, values[i]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("%s must not be NaN", measure->name),
					 errhint("NULL says that it is not known.")));
		/* the next argument is read anew from the row, over this one */
		if (row >= 0 && !measure->byval && i + 1 < form->measures)
			values[i] = datumCopy(values[i], false, measure->typlen);
	}
	return known;
}

/* ---------- scores ---------- */

static double
as_double(const Measure *measure, Datum value)
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

static int
steps_of(const ScoreWindow *w, int i)
{
	return w->fixed[i] != NULL ? w->fixed_n[i] : w->bins - 1;
}

/* A value on a cut point has the better score. */
static int
fixed_score(const ScoreWindow *w, int i, Datum value)
{
	double		v = as_double(&w->measures[i], value);
	int			score = 1;

	for (int k = 0; k < w->fixed_n[i]; k++)
		score += w->measures[i].lower_is_better ? v <= w->fixed[i][k] : v >= w->fixed[i][k];
	return score;
}

static int
quantile_score(Measure *measure, const Ladder *ladder, Datum value)
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

/*
 * The scores of the measures before "to", and the group that its own quantiles
 * are taken in: all customers, or those with the same scores so far.
 */
static int
score_row(ScoreWindow *w, const Datum *values, int to, int *scores)
{
	int			group = 0;

	for (int i = 0; i < to; i++)
	{
		scores[i] = w->fixed[i] != NULL ? fixed_score(w, i, values[i]) :
			quantile_score(&w->measures[i], &w->ladders[i][group], values[i]);
		if (w->nested)
			group = group * (steps_of(w, i) + 1) + scores[i] - 1;
	}
	return group;
}

/* ---------- cuts ---------- */

/* The values of a group, to be sorted. */
typedef struct Sorter
{
	Tuplesortstate *state;		/* NULL: none yet */
	int64		n;
} Sorter;

static void
sorter_add(Sorter *sorter, const Measure *measure, int sorters, Datum value)
{
	if (sorter->state == NULL)
		sorter->state = tuplesort_begin_datum(measure->type, measure->order, InvalidOid, false,
											  Max(work_mem / sorters, 64), NULL, TUPLESORT_NONE);
	tuplesort_putdatum(sorter->state, value, false);
	sorter->n++;
}

/* ceil(bins * count / n): the score of a value, "count" being no better */
static int
score_of_rank(int64 count, int64 n, int bins)
{
	return (int) (((double) count * bins > (double) PG_INT64_MAX / 2) ?
				  ceil((double) count / n * bins) : (count * bins + n - 1) / n);
}

/*
 * The cut of score k is the best value with a score of at most k.
 */
static void
sorter_cut(Sorter *sorter, Measure *measure, int bins, Ladder *ladder)
{
	Datum		last = (Datum) 0;
	Datum		value;
	bool		isnull;

	ladder->steps = bins - 1;
	ladder->known = palloc0(sizeof(bool) * bins);
	ladder->cuts = palloc0(sizeof(Datum) * bins);
	if (sorter->state == NULL)
		return;
	tuplesort_performsort(sorter->state);
	for (int64 count = 0; RETENTION_TUPLESORT_GETDATUM(sorter->state, &value, &isnull); count++)
	{
		if (count > 0 &&
			ApplySortComparator(last, false, value, false, &measure->sort) != 0)
		{
			int			score = score_of_rank(count, sorter->n, bins);

			/* that of the last step needs no cut: the best value has it */
			if (score < bins)
			{
				if (ladder->known[score - 1] && !measure->byval)
					pfree(DatumGetPointer(ladder->cuts[score - 1]));
				ladder->known[score - 1] = true;
				ladder->cuts[score - 1] = last;
				last = (Datum) 0;
			}
		}
		if (count > 0 && !measure->byval && DatumGetPointer(last) != NULL)
			pfree(DatumGetPointer(last));
		last = value;
		if ((count & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
	}
	tuplesort_end(sorter->state);
	/* scores that nobody has */
	for (int k = 1; k < ladder->steps; k++)
		if (!ladder->known[k] && ladder->known[k - 1])
		{
			ladder->known[k] = true;
			ladder->cuts[k] = ladder->cuts[k - 1];
		}
}

/* Cuts measures from .. to - 1, of which those before "from" are cut already. */
static void
cut_measures(WindowObject winobj, const ScoreForm *form, ScoreWindow *w, int from, int to)
{
	int64		rows = WinGetPartitionRowCount(winobj);
	Sorter	   *sorters[MEASURES] = {NULL};
	int			groups = 1;
	int			open = 0;

	for (int i = 0; w->nested && i < from; i++)
		groups *= steps_of(w, i) + 1;
	for (int i = from; i < to; i++)
		if (w->fixed[i] == NULL)
		{
			sorters[i] = palloc0(sizeof(Sorter) * groups);
			open += groups;
		}
	if (open == 0)
		return;
	for (int64 row = 0; row < rows; row++)
	{
		Datum		values[MEASURES];
		int			scores[MEASURES];
		MemoryContext old;
		int			group = 0;
		bool		known;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(w->scratch);
		old = MemoryContextSwitchTo(w->scratch);
		known = read_row(winobj, form, w, row, values);
		if (known && w->nested)
			group = score_row(w, values, from, scores);
		MemoryContextSwitchTo(old);
		for (int i = from; known && i < to; i++)
			if (sorters[i] != NULL)
				sorter_add(&sorters[i][group], &w->measures[i], open, values[i]);
	}
	for (int i = from; i < to; i++)
	{
		if (sorters[i] == NULL)
			continue;
		w->ladders[i] = palloc(sizeof(Ladder) * groups);
		for (int group = 0; group < groups; group++)
			sorter_cut(&sorters[i][group], &w->measures[i], w->bins, &w->ladders[i][group]);
		pfree(sorters[i]);
	}
}

static void
cut_partition(FunctionCallInfo fcinfo, WindowObject winobj, const ScoreForm *form, ScoreWindow *w)
{
	w->tried = true;
	w->scratch = AllocSetContextCreate(CurrentMemoryContext, "rfm_score row", ALLOCSET_SMALL_SIZES);
	read_arguments(fcinfo, winobj, form, w);
	if (w->nested)
		for (int i = 0; i < form->measures; i++)
			cut_measures(winobj, form, w, i, i + 1);
	else
		cut_measures(winobj, form, w, 0, form->measures);
}

/* False where a measure of the current row is NULL. */
static bool
current_scores(FunctionCallInfo fcinfo, const ScoreForm *form, int *scores)
{
	WindowObject winobj = PG_WINDOW_OBJECT();
	ScoreWindow *w = WinGetPartitionLocalMemory(winobj, sizeof(ScoreWindow));
	Datum		values[MEASURES];

	if (!w->tried)
	{
		/* as long as the partition lasts */
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(w));

		cut_partition(fcinfo, winobj, form, w);
		MemoryContextSwitchTo(old);
	}
	if (!read_row(winobj, form, w, -1, values))
		return false;
	score_row(w, values, form->measures, scores);
	return true;
}

/* ---------- SQL ---------- */

PG_FUNCTION_INFO_V1(rfm_score);
Datum
rfm_score(PG_FUNCTION_ARGS)
{
	static const ScoreForm form = {3, 0, 3, 4, 5};
	int			scores[MEASURES];
	char		digits[MEASURES];

	if (!current_scores(fcinfo, &form, scores))
		PG_RETURN_NULL();
	for (int i = 0; i < MEASURES; i++)
		digits[i] = (char) ('0' + scores[i]);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(digits, MEASURES));
}

PG_FUNCTION_INFO_V1(rfm_score_value);
Datum
rfm_score_value(PG_FUNCTION_ARGS)
{
	static const ScoreForm form = {1, 1, 2, 0, 3};
	int			score;

	if (!current_scores(fcinfo, &form, &score))
		PG_RETURN_NULL();
	PG_RETURN_INT32(score);
}
