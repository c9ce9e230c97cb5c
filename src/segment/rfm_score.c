/*
 * rfm_score.c
 *	  SQL-callable: rfm_score() OVER (...), quantile scores of customers among the
 *	  customers of their partition, from columns or from their histories.
 *
 * The score of a value among n is 1 + floor(bins * worse / n), where "worse" of
 * them are strictly worse: who is no better than anybody scores 1, however many
 * are alike.  It grows with the value, so that bins - 1 values of the partition,
 * the cuts, say it of all: they are found at the first row, by sorting each
 * measure once, and every row is then compared with them.
 *
 * Promises: equal values have equal scores, whatever the order of rows, the frame
 * and the ORDER BY of the window; exact arithmetic, no rounding at the edges; a
 * text of scores says how many bins they are of.
 * Never: keeps the values of a partition once it is cut; takes more memory for
 * sorting than work_mem.
 */
#include "retention.h"

#include "catalog/pg_type.h"
#include "fmgr/notice.h"
#include "fmgr/window_arguments.h"
#include "history/history_summary.h"
#include "miscadmin.h"
#include "segment/rfm.h"
#include "segment/rfm_measure.h"
#include "utils/array.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/sortsupport.h"
#include "utils/timestamp.h"
#include "utils/tuplesort.h"
#include "utils/typcache.h"
#include "windowapi.h"

#define MEASURES	RFM_SCORES
#define BINS_MAX	1000

/* How the forms are called: where their arguments stand, after the measures. */
typedef struct ScoreForm
{
	int			measures;
	int			as_of;			/* 0: measures are columns; else those of a history, argument 0 */
	int			lower_is_better;	/* 0: there is no such argument */
	int			bins;
	int			nested;			/* 0: there is no such argument */
	int			cuts;			/* of the first measure */
} ScoreForm;

typedef struct ScoreWindow
{
	bool		tried;
	bool		nested;
	bool		without_amounts;	/* no history of the partition has one */
	int			bins;
	DateADT		as_of;
	MemoryContext scratch;		/* of a row */
	RfmMeasure	measures[MEASURES];
	double	   *fixed[MEASURES];	/* cuts as given, ascending; NULL: quantiles */
	int			fixed_n[MEASURES];
	RfmLadder  *ladders[MEASURES];	/* by the scores before, where nested */
} ScoreWindow;

/* ---------- arguments that belong to the partition: those of its first row ---------- */

static int
read_bins(WindowObject winobj, const ScoreForm *form)
{
	int			most = form->measures > 1 ? RFM_DIGIT : BINS_MAX;
	int32		bins = DatumGetInt32(window_required_argument(winobj, form->bins, "bins"));

	if (bins < 2 || bins > most)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bins must be between 2 and %d, not %d", most, bins),
				 form->measures > 1 ?
				 errhint("Each score is one digit; for more bins score one measure at a time, as in rfm_score(frequency, bins => 20) OVER ().") : 0));
	return bins;
}

/* Fixed cuts, ascending; NULL where the argument is. */
static double *
rfm_score_read_cuts(WindowObject winobj, int arg, const RfmMeasure *measure, int most, int *n)
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
		/* written so that NaN fails; nobody has the score between equal ones */
		if (!(i > 0 ? cuts[i] >= cuts[i - 1] : cuts[i] > -get_float8_infinity()))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("cuts of %s must ascend; %g is out of order", measure->name, cuts[i])));
	return cuts;
}

/* It must be the same in all rows. */
static DateADT
read_as_of(FunctionCallInfo fcinfo, WindowObject winobj, const ScoreForm *form)
{
	AsOf		as_of = window_as_of(fcinfo, winobj, form->as_of, 0, InvalidOid, AS_OF_HINT_COMPLETE);
	WatchedArguments watched = {.hint = "Partition by it too."};
	int64		rows = WinGetPartitionRowCount(winobj);

	if (as_of.kind == AS_OF_NONE)
		as_of_null_error();
	window_watch(fcinfo, winobj, &watched, form->as_of, "as_of");
	for (int64 row = 1; watched.n > 0 && row < rows; row++)
	{
		CHECK_FOR_INTERRUPTS();
		window_check_watched(winobj, &watched, row);
	}
	return as_of_last_day(&as_of, NULL);
}

static Oid
type_of_measure(FunctionCallInfo fcinfo, const ScoreForm *form, int i)
{
	static const Oid of_history[MEASURES] = {INT4OID, INT8OID, NUMERICOID};

	return form->as_of != 0 ? of_history[i] : get_fn_expr_argtype(fcinfo->flinfo, i);
}

static void
read_arguments(FunctionCallInfo fcinfo, WindowObject winobj, const ScoreForm *form,
			   ScoreWindow *w)
{
	int			most = form->measures > 1 ? RFM_DIGIT : BINS_MAX;

	w->bins = read_bins(winobj, form);
	if (form->as_of != 0)
		w->as_of = read_as_of(fcinfo, winobj, form);
	w->nested = form->nested != 0 &&
		DatumGetBool(window_required_argument(winobj, form->nested, "nested"));
	for (int i = 0; i < form->measures; i++)
	{
		RfmMeasure *measure = &w->measures[i];
		Oid			type = type_of_measure(fcinfo, form, i);
		Oid			base = OidIsValid(type) ? getBaseType(type) : InvalidOid;

		measure->name = form->measures > 1 ? rfm_score_names[i] : "value";
		if (form->lower_is_better != 0)
			measure->lower_is_better =
				DatumGetBool(window_required_argument(winobj, form->lower_is_better, "lower_is_better"));
		else
			/* time since the last purchase; of the purchase itself, later is better */
			measure->lower_is_better = i == RFM_RECENCY &&
				base != DATEOID && base != TIMESTAMPOID && base != TIMESTAMPTZOID;
		rfm_measure_init(measure, type);
		w->fixed[i] = rfm_score_read_cuts(winobj, form->cuts + i, measure, most, &w->fixed_n[i]);
	}
}

/* ---------- rows ---------- */

/* An argument of a row of the partition, or of the current one where row is negative. */
static Datum
argument_of_row(WindowObject winobj, int arg, int64 row, bool *isnull)
{
	return row < 0 ? WinGetFuncArgCurrent(winobj, arg, isnull) :
		window_row_argument(winobj, arg, row, isnull);
}

/* What the history of a row comes to by as_of; false where there is no purchase. */
static bool
summary_of_row(WindowObject winobj, const ScoreWindow *w, int64 row, HistorySummary *summary)
{
	bool		isnull;
	Datum		history = argument_of_row(winobj, 0, row, &isnull);

	if (isnull)
		return false;
	*summary = history_summarize(DatumGetHistoryPP(history), w->as_of);
	return summary->days > 0;
}

static bool
read_history(WindowObject winobj, const ScoreWindow *w, int64 row, Datum *values)
{
	HistorySummary summary;
	int32		days_since;

	if (!summary_of_row(winobj, w, row, &summary) ||
		(summary.total.scale == AMOUNT_NONE && !w->without_amounts))
		return false;
	days_since = w->as_of - summary.last;
	values[RFM_RECENCY] = Int32GetDatum(days_since);
	values[RFM_FREQUENCY] = Int64GetDatum(summary.days);
	/* where nobody has an amount all are worth the same */
	values[RFM_MONETARY] = NumericGetDatum(w->without_amounts ? int64_to_numeric(0) :
										   amount_to_numeric(&summary.total));
	return true;
}

/* The measures of a row; false where one is NULL. */
static bool
read_row(WindowObject winobj, const ScoreForm *form, const ScoreWindow *w, int64 row,
		 Datum *values)
{
	bool		known = true;

	if (form->as_of != 0)
		return read_history(winobj, w, row, values);
	for (int i = 0; i < form->measures && known; i++)
	{
		const RfmMeasure *measure = &w->measures[i];
		bool		isnull;

		values[i] = argument_of_row(winobj, i, row, &isnull);
		known = !isnull;
		if (isnull)
			break;
		if (measure->typlen == -1)
			values[i] = PointerGetDatum(PG_DETOAST_DATUM(values[i]));
		if (rfm_measure_is_nan(measure, values[i]))
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

static int
steps_of(const ScoreWindow *w, int i)
{
	return w->fixed[i] != NULL ? w->fixed_n[i] : w->bins - 1;
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
		scores[i] = w->fixed[i] != NULL ?
			rfm_fixed_score(&w->measures[i], w->fixed[i], w->fixed_n[i], values[i]) :
			rfm_ladder_score(&w->measures[i], &w->ladders[i][group], values[i]);
		if (w->nested)
			group = group * (steps_of(w, i) + 1) + scores[i] - 1;
	}
	return group;
}

/* ---------- cuts ---------- */

/* Cuts measures from .. to - 1, of which those before "from" are cut already. */
static void
cut_measures(WindowObject winobj, const ScoreForm *form, ScoreWindow *w, int from, int to)
{
	int64		rows = WinGetPartitionRowCount(winobj);
	RfmSorter  *sorters[MEASURES] = {NULL};
	int			groups = 1;
	int			open = 0;

	for (int i = 0; w->nested && i < from; i++)
		groups *= steps_of(w, i) + 1;
	for (int i = from; i < to; i++)
		if (w->fixed[i] == NULL)
		{
			sorters[i] = palloc0(sizeof(RfmSorter) * groups);
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
				rfm_sorter_add(&sorters[i][group], &w->measures[i], open, values[i]);
	}
	for (int i = from; i < to; i++)
	{
		if (sorters[i] == NULL)
			continue;
		w->ladders[i] = palloc(sizeof(RfmLadder) * groups);
		for (int group = 0; group < groups; group++)
			rfm_sorter_cut(&sorters[i][group], &w->measures[i], w->bins, &w->ladders[i][group]);
		pfree(sorters[i]);
	}
}

/*
 * Has no history of the partition an amount, though there are purchases?  The
 * first customer says no where amounts are kept at all.
 */
static bool
without_amounts(WindowObject winobj, const ScoreWindow *w)
{
	int64		rows = WinGetPartitionRowCount(winobj);
	bool		bought = false;
	bool		paid = false;

	for (int64 row = 0; row < rows && !paid; row++)
	{
		HistorySummary summary;
		MemoryContext old;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(w->scratch);
		old = MemoryContextSwitchTo(w->scratch);
		if (summary_of_row(winobj, w, row, &summary))
		{
			bought = true;
			paid = summary.total.scale != AMOUNT_NONE;
		}
		MemoryContextSwitchTo(old);
	}
	return bought && !paid;
}

/* Once a call site. */
static void
without_amounts_notice(FunctionCallInfo fcinfo)
{
	if (notice_once(fcinfo))
		ereport(NOTICE,
				(errmsg("no customer of a partition has an amount, so that the monetary score of all is 1"),
				 errhint("Histories have amounts if they are made with them: customer_history(at, amount).")));
}

static void
cut_partition(FunctionCallInfo fcinfo, WindowObject winobj, const ScoreForm *form, ScoreWindow *w)
{
	w->tried = true;
	w->scratch = AllocSetContextCreate(CurrentMemoryContext, "rfm_score row", ALLOCSET_SMALL_SIZES);
	read_arguments(fcinfo, winobj, form, w);
	if (form->as_of != 0 && without_amounts(winobj, w))
	{
		w->without_amounts = true;
		without_amounts_notice(fcinfo);
	}
	if (w->nested)
		for (int i = 0; i < form->measures; i++)
			cut_measures(winobj, form, w, i, i + 1);
	else
		cut_measures(winobj, form, w, 0, form->measures);
}

/* NULL where a measure of the current row is. */
static ScoreWindow *
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
		return NULL;
	score_row(w, values, form->measures, scores);
	return w;
}

/* ---------- SQL ---------- */

static Datum
score_text(FunctionCallInfo fcinfo, const ScoreForm *form)
{
	RfmScore	score;
	const ScoreWindow *w = current_scores(fcinfo, form, score.scores);

	if (w == NULL)
		PG_RETURN_NULL();
	score.n = MEASURES;
	for (int i = 0; i < MEASURES; i++)
		score.bins[i] = steps_of(w, i) + 1;
	PG_RETURN_TEXT_P(rfm_score_to_text(&score));
}

PG_FUNCTION_INFO_V1(rfm_score);
Datum
rfm_score(PG_FUNCTION_ARGS)
{
	static const ScoreForm form = {.measures = 3, .bins = 3, .nested = 4, .cuts = 5};

	return score_text(fcinfo, &form);
}

PG_FUNCTION_INFO_V1(rfm_score_history);
Datum
rfm_score_history(PG_FUNCTION_ARGS)
{
	static const ScoreForm form = {.measures = 3, .as_of = 1, .bins = 2, .nested = 3, .cuts = 4};

	return score_text(fcinfo, &form);
}

PG_FUNCTION_INFO_V1(rfm_score_value);
Datum
rfm_score_value(PG_FUNCTION_ARGS)
{
	static const ScoreForm form = {.measures = 1, .lower_is_better = 1, .bins = 2, .cuts = 3};
	int			score;

	if (current_scores(fcinfo, &form, &score) == NULL)
		PG_RETURN_NULL();
	PG_RETURN_INT32(score);
}
