/*
 * cohort_retention.c
 *	  SQL-callable: the aggregates that make a cohort_table.
 *
 * cohort_retention() over raw rows keeps an internal state (cohort_state.h)
 * with combine, serialize and deserialize; over histories see
 * cohort_retention_history.c, and for rollup() value_type.h.
 *
 * Promises: the final function changes no content of the state; NULL and empty
 * are told apart everywhere; parameters must be equal in all rows.
 * Never: reads the clock, or the session's zone where a zone was given.
 */
#include "cohort/cohort_table_trans.h"

#include "catalog/pg_type.h"
#include "cohort/cohort_state_add.h"
#include "datatype/timestamp.h"
#include "fmgr/arguments.h"
#include "fmgr/notice.h"
#include "fmgr/parameter_sets.h"
#include "fmgr/state_transport.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

/* One set of parameters; groups of a call site may have different ones. */
typedef struct CohortParameterSet
{
	ParameterSet base;			/* shared: that below */
	CohortShared *shared;
	text	   *period;			/* as given */
	Interval	window;
	Interval	early;
	text	   *zone;
	Calendar   *join_calendar;	/* turns a timestamptz joined_at to wall clock */
} CohortParameterSet;

/* What the rows bring; one per call site, in its fn_extra. */
typedef struct CohortPerQuery
{
	Oid			at_type;
	Oid			join_type;		/* InvalidOid without joined_at */
	int			at_arg;
	int			join_arg;		/* 0 without */
	int			period_arg;
	int			window_arg;		/* 0 without */
	int			early_arg;		/* 0 without */
	int			zone_arg;		/* 0 without */
	bool		vary;			/* an argument may differ from row to row */
	ParameterSet *sets;			/* CohortParameterSet; that of the last row first */
} CohortPerQuery;

static inline CohortParameterSet *
cohort_retention_set(const CohortPerQuery *query)
{
	return (CohortParameterSet *) query->sets;
}

/* Which optional arguments a signature has. */
#define WITH_JOIN	1
#define WITH_WINDOW	2
#define WITH_ZONE	4
#define WITH_EARLY	8			/* only with a window */

/* A set of parameters that has not been seen yet: read and check it. */
static void
cohort_retention_create_set(FunctionCallInfo fcinfo, CohortPerQuery *query)
{
	MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	CohortParameterSet *set = palloc0(sizeof(CohortParameterSet));
	CohortParams params;
	pg_tz	   *tz = NULL;

	memset(&params, 0, sizeof(params));
	set->period = PG_GETARG_TEXT_P_COPY(query->period_arg);
	params.spec = period_parse(VARDATA_ANY(set->period), VARSIZE_ANY_EXHDR(set->period));
	if (query->window_arg)
	{
		set->window = *PG_GETARG_INTERVAL_P(query->window_arg);
		cohort_params_window(&params, &set->window);
	}
	params.zoned = query->at_type == TIMESTAMPTZOID;
	params.dates = query->at_type == DATEOID &&
		(query->join_arg == 0 || query->join_type == DATEOID);
	if (query->early_arg)
	{
		set->early = *PG_GETARG_INTERVAL_P(query->early_arg);
		cohort_params_early(&params, &set->early);
	}
	if (query->zone_arg)
	{
		set->zone = PG_GETARG_TEXT_P_COPY(query->zone_arg);
		tz = zone_parse(VARDATA_ANY(set->zone), VARSIZE_ANY_EXHDR(set->zone));
	}
	else if (params.zoned || query->join_type == TIMESTAMPTZOID)
		tz = session_timezone;
	if (tz != NULL)
		strlcpy(params.zone, pg_get_timezone_name(tz), sizeof(params.zone));

	set->shared = cohort_shared_create(&params, query->join_arg != 0,
									   get_fn_expr_argtype(fcinfo->flinfo, 1),
									   PG_GET_COLLATION(), fcinfo->flinfo->fn_mcxt);
	if (!params.zoned && query->join_type == TIMESTAMPTZOID)
		set->join_calendar = calendar_create(params.spec, true, tz);
	MemoryContextSwitchTo(old);
	set->base.shared = set->shared;
	parameter_sets_add(&query->sets, &set->base);
}

/* Are these the parameters of this row?  NULL if so, else the name of one that differs. */
static const char *
cohort_retention_differs(FunctionCallInfo fcinfo, const void *per_query, const ParameterSet *it)
{
	const CohortPerQuery *query = per_query;
	const CohortParameterSet *set = (const CohortParameterSet *) it;

	if (!text_equal(PG_GETARG_TEXT_PP(query->period_arg), set->period))
		return "period";
	if (query->window_arg)
	{
		Interval   *window = PG_GETARG_INTERVAL_P(query->window_arg);

		if (window->month != set->window.month || window->day != set->window.day ||
			window->time != set->window.time)
			return "rolling window";
	}
	if (query->early_arg &&
		memcmp(PG_GETARG_INTERVAL_P(query->early_arg), &set->early, sizeof(Interval)) != 0)
		return "early";
	if (query->zone_arg && !text_equal(PG_GETARG_TEXT_PP(query->zone_arg), set->zone))
		return "time zone";
	return NULL;
}

/* None of the parameters that the signature has may be NULL. */
static void
cohort_retention_require_parameters(FunctionCallInfo fcinfo, const CohortPerQuery *query)
{
	require_argument(fcinfo, query->period_arg, "period");
	require_argument(fcinfo, query->window_arg, "rolling window");
	require_argument(fcinfo, query->early_arg, "early");
	require_argument(fcinfo, query->zone_arg, "time zone");
}

/*
 * Parameters that are not constants of the query: those of the row's group,
 * which a row must not differ from, or for a new group those of the row.
 */
static void
cohort_retention_find_set(FunctionCallInfo fcinfo, CohortPerQuery *query, const CohortState *state)
{
	cohort_retention_require_parameters(fcinfo, query);
	if (!parameter_sets_find(&query->sets, state == NULL ? NULL : state->shared, fcinfo, query,
							 cohort_retention_differs))
		cohort_retention_create_set(fcinfo, query);
}

/* First row of a call site: argument types and positions. */
static CohortPerQuery *
create_query(FunctionCallInfo fcinfo, int form)
{
	CohortPerQuery *query = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CohortPerQuery));
	int			arg = 2;

	query->join_arg = form & WITH_JOIN ? arg++ : 0;
	query->at_arg = arg++;
	query->period_arg = arg++;
	query->window_arg = form & WITH_WINDOW ? arg++ : 0;
	query->early_arg = form & WITH_EARLY ? arg++ : 0;
	query->zone_arg = form & WITH_ZONE ? arg++ : 0;
	Assert(PG_NARGS() == arg);

	query->at_type = time_argument_type(fcinfo, query->at_arg, "event time");
	if (query->join_arg)
		query->join_type = time_argument_type(fcinfo, query->join_arg, "joined_at");
	cohort_retention_require_parameters(fcinfo, query);
	query->vary = argument_varies(fcinfo, query->period_arg) ||
		(query->window_arg && argument_varies(fcinfo, query->window_arg)) ||
		(query->early_arg && argument_varies(fcinfo, query->early_arg)) ||
		(query->zone_arg && argument_varies(fcinfo, query->zone_arg));
	cohort_retention_create_set(fcinfo, query);
	fcinfo->flinfo->fn_extra = query;
	return query;
}

/* joined_at in the terms of the event times. */
static int64
join_instant(const CohortPerQuery *query, Datum value)
{
	const CohortParameterSet *set = cohort_retention_set(query);
	int64		join = time_value(value, query->join_type);

	if (set->join_calendar != NULL)
		return calendar_to_wall(set->join_calendar, join);
	if (query->at_type == TIMESTAMPTZOID && query->join_type != TIMESTAMPTZOID)
		return calendar_from_wall(set->shared->calendar, join);
	return join;
}

static pg_noinline CohortPerQuery *
cohort_retention_begin_query(FunctionCallInfo fcinfo, int form)
{
	require_aggregate(fcinfo, "cohort_retention");
	return create_query(fcinfo, form);
}

static pg_noinline CohortState *
begin_state(FunctionCallInfo fcinfo, const CohortPerQuery *query)
{
	return cohort_state_create(cohort_retention_set(query)->shared,
							   require_aggregate(fcinfo, "cohort_retention"));
}

static pg_attribute_always_inline Datum
cohort_trans(FunctionCallInfo fcinfo, int form)
{
	/* set only by cohort_retention_begin_query(): this call site is an aggregate, then */
	CohortPerQuery *query = fcinfo->flinfo->fn_extra;
	CohortState *state = PG_ARGISNULL(0) ? NULL : (CohortState *) PG_GETARG_POINTER(0);
	int			at_arg = form & WITH_JOIN ? 3 : 2;
	int64		at = NO_INSTANT;
	int64		join = NO_INSTANT;

	if (unlikely(query == NULL))
		query = cohort_retention_begin_query(fcinfo, form);
	else if (unlikely(query->vary))
		cohort_retention_find_set(fcinfo, query, state);

	if (!PG_ARGISNULL(at_arg))
		at = time_value(PG_GETARG_DATUM(at_arg), query->at_type);
	if ((form & WITH_JOIN) && !PG_ARGISNULL(2))
		join = join_instant(query, PG_GETARG_DATUM(2));
	if (unlikely(state == NULL))
		state = begin_state(fcinfo, query);
	if (unlikely(PG_ARGISNULL(1) || key_has_null(&state->shared->key, PG_GETARG_DATUM(1))))
	{
		cohort_state_leave_out(state, LEFT_OUT_CUSTOMER, 1);
		PG_RETURN_POINTER(state);
	}
	if (unlikely(at == NO_INSTANT && join == NO_INSTANT))
	{
		cohort_state_leave_out(state, LEFT_OUT_TIME, 1);
		PG_RETURN_POINTER(state);
	}
	if (at != NO_INSTANT && at > state->latest)
		state->latest = at;
	if ((form & WITH_JOIN) && join != NO_INSTANT && join > state->latest)
		state->latest = join;
	cohort_state_push(state, PG_GETARG_DATUM(1), at, join);
	PG_RETURN_POINTER(state);
}

/*
 * The row that most rows are: of a state that has a log, with a period met
 * before.  Apart, so that it needs no registers saved.
 */
static pg_attribute_always_inline bool
cohort_trans_usual(FunctionCallInfo fcinfo, int form)
{
	const CohortPerQuery *query = fcinfo->flinfo->fn_extra;
	CohortState *state = (CohortState *) fcinfo->args[0].value;
	Datum		customer = fcinfo->args[1].value;
	int64		at = DatumGetInt64(fcinfo->args[2].value);
	int32		period;

	if ((form & (WITH_JOIN | WITH_WINDOW)) || query == NULL || query->vary ||
		query->at_type == DATEOID || fcinfo->args[0].isnull || fcinfo->args[1].isnull ||
		fcinfo->args[2].isnull || state->log == NULL || customer >> 32 != 0 ||
		TIMESTAMP_NOT_FINITE(at) || !step_cache_probe(&state->log->periods, at, &period))
		return false;
	if (at > state->latest)
		state->latest = at;
	cohort_log_push(state, customer, period);
	return true;
}

/* One entry point for each signature: none may look for an argument it lacks. */
#define COHORT_TRANS(name, form) \
	static pg_noinline Datum name##_any(FunctionCallInfo fcinfo) \
	{ \
		return cohort_trans(fcinfo, form); \
	} \
	PG_FUNCTION_INFO_V1(name); \
	Datum name(PG_FUNCTION_ARGS) \
	{ \
		if (likely(cohort_trans_usual(fcinfo, form))) \
			return fcinfo->args[0].value; \
		return name##_any(fcinfo); \
	}

COHORT_TRANS(cohort_retention_trans, 0)
COHORT_TRANS(cohort_retention_zone_trans, WITH_ZONE)
COHORT_TRANS(cohort_retention_window_trans, WITH_WINDOW)
COHORT_TRANS(cohort_retention_window_zone_trans, WITH_WINDOW | WITH_ZONE)
COHORT_TRANS(cohort_retention_joined_trans, WITH_JOIN)
COHORT_TRANS(cohort_retention_joined_zone_trans, WITH_JOIN | WITH_ZONE)
COHORT_TRANS(cohort_retention_joined_window_trans, WITH_JOIN | WITH_WINDOW)
COHORT_TRANS(cohort_retention_joined_window_zone_trans, WITH_JOIN | WITH_WINDOW | WITH_ZONE)
COHORT_TRANS(cohort_retention_early_trans, WITH_WINDOW | WITH_EARLY)
COHORT_TRANS(cohort_retention_early_zone_trans, WITH_WINDOW | WITH_EARLY | WITH_ZONE)
COHORT_TRANS(cohort_retention_joined_early_trans, WITH_JOIN | WITH_WINDOW | WITH_EARLY)
COHORT_TRANS(cohort_retention_joined_early_zone_trans, WITH_JOIN | WITH_WINDOW | WITH_EARLY | WITH_ZONE)

STATE_TRANSPORT(cohort_retention, CohortState, CohortShared, "cohort_retention", COHORT_STATE_MAGIC,
				cohort_state_serialize, cohort_state_merge);

/* Once a call site: which group came first is nobody's business. */
static void
cohort_tell_left_out(FunctionCallInfo fcinfo, CohortState *state)
{
	uint64		no_customer = state->left_out != NULL ? state->left_out[LEFT_OUT_CUSTOMER] : 0;
	uint64		no_time = state->left_out != NULL ? state->left_out[LEFT_OUT_TIME] : 0;
	uint64		never = fcinfo->flinfo->fn_extra == NULL ? cohort_state_never_joined(state) : 0;

	if (likely(no_customer == 0 && no_time == 0 && never == 0) || !notice_once(fcinfo))
		return;
	if (no_customer > 0)
		ereport(NOTICE,
				(errmsg_plural("%llu row was left out because it has no customer",
							   "%llu rows were left out because they have no customer",
							   (unsigned long) no_customer, (unsigned long long) no_customer)));
	if (no_time > 0)
		ereport(NOTICE,
				(errmsg_plural("%llu row was left out because it has no time",
							   "%llu rows were left out because they have no time",
							   (unsigned long) no_time, (unsigned long long) no_time)));
	if (never > 0)
		ereport(NOTICE,
				(errmsg_plural("%llu customer was left out because none of their rows has a joined_at",
							   "%llu customers were left out because none of their rows has a joined_at",
							   (unsigned long) never, (unsigned long long) never)));
}

PG_FUNCTION_INFO_V1(cohort_retention_final);
Datum
cohort_retention_final(PG_FUNCTION_ARGS)
{
	CohortState *state;
	CohortTable *table;

	require_aggregate(fcinfo, "cohort_retention");
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(cohort_table_empty());
	state = (CohortState *) PG_GETARG_POINTER(0);
	table = cohort_state_table(state);
	cohort_tell_left_out(fcinfo, state);
	PG_RETURN_POINTER(table);
}
