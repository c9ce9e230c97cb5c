/*
 * cohort_retention_history.c
 *	  SQL-callable: cohort_retention() over customer histories.
 *
 * The transition state is an open cohort_table (cohort_table_trans.h): a type that
 * distributed plans may send around, and one that needs nothing that a call
 * site remembers.  What fn_extra holds here only saves reading the parameters
 * again, and may be lost after any row.
 *
 * Promises: equal to cohort_retention(customer, day, ...) over the days of the
 * histories; parameters must be equal in all rows of a group.
 * Never: knows of zones: the days of a history were decided when it was made.
 */
#include "cohort/cohort_table_trans.h"

#include "datatype/timestamp.h"
#include "fmgr/arguments.h"
#include "fmgr/parameter_sets.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define PERIOD_ARG	2
#define WINDOW_ARG	3
#define EARLY_ARG	4

/* The parameters of the last row, read. */
typedef struct HistoriesQuery
{
	OpenQuery	query;
	RollingWidth width;
	Interval	early;			/* as given */
	int			period_len;
	char		period[16];		/* the longest name has 14 */
} HistoriesQuery;

static void
read_window(FunctionCallInfo fcinfo, HistoriesQuery *query)
{
	CohortParams params;

	memset(&params, 0, sizeof(params));
	cohort_params_window(&params, PG_GETARG_INTERVAL_P(WINDOW_ARG));
	if (PG_NARGS() > EARLY_ARG)
	{
		query->early = *PG_GETARG_INTERVAL_P(EARLY_ARG);
		cohort_params_early(&params, &query->early);
		query->query.early = params.early;
	}
	query->query.rolling = true;
	query->query.months = params.months;
	query->query.days = params.days;
	query->query.micros = params.micros;
	query->width = rolling_width(false, params.months, params.days, params.micros);
}

static pg_noinline HistoriesQuery *
read_query(FunctionCallInfo fcinfo, bool rolling)
{
	HistoriesQuery *query = fcinfo->flinfo->fn_extra;
	text	   *period;

	require_argument(fcinfo, PERIOD_ARG, "period");
	if (rolling)
		require_argument(fcinfo, WINDOW_ARG, "rolling window");
	if (PG_NARGS() > EARLY_ARG)
		require_argument(fcinfo, EARLY_ARG, "early");
	if (query == NULL)
		query = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(HistoriesQuery));
	fcinfo->flinfo->fn_extra = NULL;
	memset(query, 0, sizeof(HistoriesQuery));
	period = PG_GETARG_TEXT_PP(PERIOD_ARG);
	query->query.spec = period_parse(VARDATA_ANY(period), VARSIZE_ANY_EXHDR(period));
	query->period_len = VARSIZE_ANY_EXHDR(period);
	memcpy(query->period, VARDATA_ANY(period), query->period_len);
	if (rolling)
		read_window(fcinfo, query);
	fcinfo->flinfo->fn_extra = query;
	return query;
}

/* Are these still the parameters? */
static inline bool
same_query(FunctionCallInfo fcinfo, const HistoriesQuery *query, bool rolling)
{
	text	   *period;
	Interval   *window;

	if (query == NULL || PG_ARGISNULL(PERIOD_ARG) || (rolling && PG_ARGISNULL(WINDOW_ARG)))
		return false;
	period = PG_GETARG_TEXT_PP(PERIOD_ARG);
	if (VARSIZE_ANY_EXHDR(period) != query->period_len ||
		memcmp(VARDATA_ANY(period), query->period, query->period_len) != 0)
		return false;
	if (!rolling)
		return true;
	window = PG_GETARG_INTERVAL_P(WINDOW_ARG);
	if (window->month != query->query.months || window->day != query->query.days ||
		window->time != query->query.micros)
		return false;
	return PG_NARGS() <= EARLY_ARG ||
		(!PG_ARGISNULL(EARLY_ARG) &&
		 memcmp(PG_GETARG_INTERVAL_P(EARLY_ARG), &query->early, sizeof(Interval)) == 0);
}

static void
check_query(const OpenQuery *a, const OpenQuery *b)
{
	if (likely(memcmp(a, b, sizeof(OpenQuery)) == 0))
		return;
	parameter_differs_error(memcmp(&a->spec, &b->spec, sizeof(PeriodSpec)) != 0 ? "period" :
							a->early != b->early ? "early" : "rolling window");
}

static pg_attribute_always_inline Datum
histories_trans(FunctionCallInfo fcinfo, bool rolling)
{
	HistoriesQuery *query = fcinfo->flinfo->fn_extra;
	CohortTableTrans *open;

	require_aggregate(fcinfo, "cohort_retention");
	if (unlikely(!same_query(fcinfo, query, rolling)))
		query = read_query(fcinfo, rolling);
	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	if (PG_ARGISNULL(0))
		open = cohort_open_create(&query->query);
	else
		open = (CohortTableTrans *) PG_GETARG_POINTER(0);
	if (unlikely(!VARATT_IS_4B_U(open) || open->tag != VALUE_STATE_OPEN))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("state of cohort_retention must not be a finished cohort_table")));
	check_query(&open->query, &query->query);
	PG_RETURN_POINTER(cohort_open_add(open, &query->width, PG_GETARG_HISTORY_PP(1)));
}

PG_FUNCTION_INFO_V1(cohort_retention_history_trans);
Datum
cohort_retention_history_trans(PG_FUNCTION_ARGS)
{
	return histories_trans(fcinfo, false);
}

PG_FUNCTION_INFO_V1(cohort_retention_history_window_trans);
Datum
cohort_retention_history_window_trans(PG_FUNCTION_ARGS)
{
	return histories_trans(fcinfo, true);
}

PG_FUNCTION_INFO_V1(cohort_retention_history_early_trans);
Datum
cohort_retention_history_early_trans(PG_FUNCTION_ARGS)
{
	return histories_trans(fcinfo, true);
}

/*
 * States of one process are open, those that came as text from another node
 * are finished.
 */
PG_FUNCTION_INFO_V1(cohort_retention_history_combine);
Datum
cohort_retention_history_combine(PG_FUNCTION_ARGS)
{
	CohortTable *a;
	CohortTable *b;
	CohortTableTrans *open;
	CohortTableTrans *more;

	require_aggregate(fcinfo, "cohort_retention");
	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	b = value_get_open(fcinfo, 1, &cohort_table_type);
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(value_is_open(b) ? (Pointer) cohort_open_copy(b) : (Pointer) value_copy(b));
	a = value_get_open(fcinfo, 0, &cohort_table_type);
	if (!value_is_open(a) || !value_is_open(b))
		PG_RETURN_POINTER(cohort_table_merge(value_finished(a, &cohort_table_type),
											 value_finished(b, &cohort_table_type)));
	open = (CohortTableTrans *) a;
	more = cohort_open_copy(b);
	check_query(&open->query, &more->query);
	PG_RETURN_POINTER(cohort_open_merge(open, more));
}

PG_FUNCTION_INFO_V1(cohort_retention_history_final);
Datum
cohort_retention_history_final(PG_FUNCTION_ARGS)
{
	require_aggregate(fcinfo, "cohort_retention");
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(cohort_table_empty());
	PG_RETURN_POINTER(PG_GETARG_COHORT_TABLE_PP(0));
}
