/*
 * history_agg.c
 *	  SQL-callable: the aggregates that make a customer_history.
 *
 * customer_history() runs under GROUP BY customer, one state a customer
 * (history_state.h).  rollup() and || add finished values (history_io.c).
 *
 * Promises: results do not depend on the order of rows or on how they are
 * split; the final function does not modify the state.
 * Never: reads the clock, or the session's zone where a zone was given.
 */
#include "history/history_state.h"

#include "calendar/calendar.h"
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "fmgr/arguments.h"
#include "fmgr/parameter_sets.h"
#include "fmgr/state_transport.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "value/amount_argument.h"

/* What the rows bring; one per call site, in its fn_extra. */
typedef struct HistoryZone
{
	ParameterSet base;
	text	   *name;			/* as given; NULL where none was */
	Calendar   *days;			/* instant -> day, which is a DateADT */
} HistoryZone;

typedef struct HistoryPerQuery
{
	Oid			at_type;
	Oid			amount_type;	/* InvalidOid without */
	int			zone_arg;		/* 0 without */
	bool		vary;			/* the zone may differ from row to row */
	ParameterSet *zones;		/* HistoryZone; that of the last row first */
} HistoryPerQuery;

static inline HistoryZone *
history_agg_zone(const HistoryPerQuery *query)
{
	return (HistoryZone *) query->zones;
}

#define WITH_AMOUNT		1
#define WITH_ZONE		2
#define WITH_PURCHASE	4		/* only with amounts */

#define AMOUNT_ARG		2
#define PURCHASE_ARG	3

/* ---------- rows ---------- */

/* The calendar of a zone that was not met before. */
static void
add_zone(FunctionCallInfo fcinfo, HistoryPerQuery *query)
{
	MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	HistoryZone *zone = palloc0(sizeof(HistoryZone));
	PeriodSpec	day = {PERIOD_DAY, 0};
	pg_tz	   *tz = session_timezone;

	if (query->zone_arg)
	{
		zone->name = PG_GETARG_TEXT_P_COPY(query->zone_arg);
		tz = zone_parse(VARDATA_ANY(zone->name), VARSIZE_ANY_EXHDR(zone->name));
	}
	zone->days = calendar_create(day, query->at_type == TIMESTAMPTZOID, tz);
	parameter_sets_add(&query->zones, &zone->base);
	MemoryContextSwitchTo(old);
}

static const char *
history_agg_zone_differs(FunctionCallInfo fcinfo, const void *query, const ParameterSet *set)
{
	int			arg = ((const HistoryPerQuery *) query)->zone_arg;

	return text_equal(PG_GETARG_TEXT_PP(arg), ((const HistoryZone *) set)->name) ? NULL :
		"time zone";
}

/* The zone of this row to the front; those of a group may differ. */
static void
find_zone(FunctionCallInfo fcinfo, HistoryPerQuery *query)
{
	require_argument(fcinfo, query->zone_arg, "time zone");
	if (!parameter_sets_find(&query->zones, NULL, fcinfo, query, history_agg_zone_differs))
		add_zone(fcinfo, query);
}

static pg_noinline HistoryPerQuery *
history_agg_begin_query(FunctionCallInfo fcinfo, int form)
{
	HistoryPerQuery *query;

	require_aggregate(fcinfo, "customer_history");
	query = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(HistoryPerQuery));
	/* the last of all */
	query->zone_arg = form & WITH_ZONE ? PG_NARGS() - 1 : 0;
	query->at_type = time_argument_type(fcinfo, 1, "event time");
	if (form & WITH_AMOUNT)
		query->amount_type = amount_argument_type(fcinfo, AMOUNT_ARG);
	require_argument(fcinfo, query->zone_arg, "time zone");
	query->vary = query->zone_arg && argument_varies(fcinfo, query->zone_arg);
	add_zone(fcinfo, query);
	fcinfo->flinfo->fn_extra = query;
	return query;
}

static pg_attribute_always_inline Datum
history_trans(FunctionCallInfo fcinfo, int form)
{
	/* set only by history_agg_begin_query(): this call site is an aggregate, then */
	HistoryPerQuery *query = fcinfo->flinfo->fn_extra;
	HistoryState *state = PG_ARGISNULL(0) ? NULL : (HistoryState *) PG_GETARG_POINTER(0);
	MemoryContext context;
	Amount		amount = amount_none();
	int64		at;
	DateADT		day;
	bool		purchase = true;

	if (unlikely(query == NULL))
		query = history_agg_begin_query(fcinfo, form);
	else if (unlikely(query->vary))
		find_zone(fcinfo, query);
	if (PG_ARGISNULL(1))
		return state_or_null(fcinfo, state);
	at = time_value(PG_GETARG_DATUM(1), query->at_type);
	/* at the ends of the calendar a zone may have no such day: an error */
	if (unlikely(at < MIN_TIMESTAMP + USECS_PER_DAY || at >= END_TIMESTAMP - USECS_PER_DAY))
		(void) calendar_to_wall(history_agg_zone(query)->days, at);
	day = calendar_period(history_agg_zone(query)->days, at);
	if ((form & WITH_AMOUNT) && !PG_ARGISNULL(AMOUNT_ARG))
	{
		amount = amount_argument(PG_GETARG_DATUM(AMOUNT_ARG), query->amount_type);
		purchase = !amount_is_negative(&amount);
	}
	if ((form & WITH_PURCHASE) && !PG_ARGISNULL(PURCHASE_ARG))
	{
		purchase = PG_GETARG_BOOL(PURCHASE_ARG);
		/* no event, no money */
		if (!purchase && amount.scale == AMOUNT_NONE)
			return state_or_null(fcinfo, state);
	}
	context = require_aggregate(fcinfo, "customer_history");
	if (state == NULL)
		state = history_state_create(context, (form & WITH_AMOUNT) != 0, day);
	if (form & WITH_AMOUNT)
		history_state_add(state, day, purchase, &amount, context);
	else
		history_state_add_day(state, day, context);
	PG_RETURN_POINTER(state);
}

/* One entry point for each signature: none may look for an argument it lacks. */
#define HISTORY_TRANS(name, form) \
	PG_FUNCTION_INFO_V1(name); \
	Datum name(PG_FUNCTION_ARGS) { return history_trans(fcinfo, form); }

HISTORY_TRANS(customer_history_trans, 0)
HISTORY_TRANS(customer_history_zone_trans, WITH_ZONE)
HISTORY_TRANS(customer_history_amount_trans, WITH_AMOUNT)
HISTORY_TRANS(customer_history_amount_zone_trans, WITH_AMOUNT | WITH_ZONE)
HISTORY_TRANS(customer_history_purchase_trans, WITH_AMOUNT | WITH_PURCHASE)
HISTORY_TRANS(customer_history_purchase_zone_trans, WITH_AMOUNT | WITH_PURCHASE | WITH_ZONE)

/* The finished value is what travels. */
PG_FUNCTION_INFO_V1(customer_history_serialize);
Datum
customer_history_serialize(PG_FUNCTION_ARGS)
{
	require_aggregate(fcinfo, "customer_history");
	PG_RETURN_POINTER(history_state_history((HistoryState *) PG_GETARG_POINTER(0)));
}

/* The history is read where it lies; combine copies what it needs. */
PG_FUNCTION_INFO_V1(customer_history_deserialize);
Datum
customer_history_deserialize(PG_FUNCTION_ARGS)
{
	require_aggregate(fcinfo, "customer_history");
	PG_RETURN_POINTER(history_state_image(DatumGetHistoryPP(PG_GETARG_DATUM(0))));
}

static HistoryState *
history_agg_merge(HistoryState *state, HistoryState *more, MemoryContext context)
{
	HistoryState *wide = state;

	/* amounts may come first from a later process */
	if (state == NULL || (more->with_amounts && !state->with_amounts))
		wide = history_state_create(context, more->with_amounts, more->base);
	if (state != NULL && wide != state)
		history_state_combine(wide, state, context);
	history_state_combine(wide, more, context);
	return wide;
}

STATE_COMBINE(customer_history, HistoryState, "customer_history", history_agg_merge);

PG_FUNCTION_INFO_V1(customer_history_final);
Datum
customer_history_final(PG_FUNCTION_ARGS)
{
	require_aggregate(fcinfo, "customer_history");
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(history_build(NULL, 0));
	PG_RETURN_POINTER(history_state_history((HistoryState *) PG_GETARG_POINTER(0)));
}
