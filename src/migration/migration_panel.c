/*
 * migration_panel.c
 *	  SQL-callable: migration_matrix() straight from the rows of a panel.
 *
 * One pass over rows of customer, time and segment gathers each customer's
 * segment by calendar period in a log (panel_log.h); the final function counts
 * who moved between consecutive periods.
 *
 * Promises: the same matrix, to the last bit, whatever the order of rows, the plan
 * and the number of workers; the final function changes no content of the state;
 * parameters must be equal in all rows.
 * Never: reads the clock, or the session's zone where a zone was given.
 */
#include "migration/panel_rows.h"

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "fmgr/arguments.h"
#include "fmgr/parameter_sets.h"
#include "fmgr/state_transport.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"

/* One set of parameters; groups of a call site may have different ones. */
typedef struct PanelParameterSet
{
	ParameterSet base;			/* shared: that below */
	PanelShared *shared;
	Calendar   *calendar;
	/* as given, NULL without: */
	text	   *period;
	text	   *zone;
	ArrayType  *states;
} PanelParameterSet;

/* What the rows bring; one per call site, in its fn_extra. */
typedef struct PanelPerQuery
{
	Oid			at_type;
	SegmentType segment;
	int			states_arg;		/* 0 without */
	int			zone_arg;		/* 0 without */
	bool		vary;			/* an argument may differ from row to row */
	bool		short_keys;
	ParameterSet *sets;			/* PanelParameterSet; that of the last row first */
} PanelPerQuery;

static inline PanelParameterSet *
migration_panel_set(const PanelPerQuery *query)
{
	return (PanelParameterSet *) query->sets;
}

#define ARG_CUSTOMER	PANEL_ARG_CUSTOMER
#define ARG_AT			PANEL_ARG_AT
#define ARG_SEGMENT		PANEL_ARG_SEGMENT
#define ARG_PERIOD		4

/* What a signature has after the period. */
#define WITH_STATES		1
#define WITH_ZONE		2

/* ---------- parameters ---------- */

/* None of the parameters that the signature has may be NULL. */
static void
migration_panel_require_parameters(FunctionCallInfo fcinfo, const PanelPerQuery *query)
{
	require_argument(fcinfo, ARG_PERIOD, "period");
	require_argument(fcinfo, query->states_arg, "list of states");
	require_argument(fcinfo, query->zone_arg, "time zone");
}

/* A list of states, which may be of bigint, as labels. */
static char **
states_labels(const ArrayType *array, int32 *n)
{
	ArrayType  *states = unconstify(ArrayType *, array);
	Datum	   *values;
	bool	   *nulls;
	int			dims[1];
	int			bounds[1] = {1};

	if (ARR_ELEMTYPE(states) != INT8OID || ARR_NDIM(states) > 1)
		return migration_states_list(states, n);
	deconstruct_array(states, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &values, &nulls, &dims[0]);
	for (int i = 0; i < dims[0]; i++)
		if (!nulls[i])
		{
			char		digits[PANEL_INTEGER_LABEL];

			pg_lltoa(DatumGetInt64(values[i]), digits);
			values[i] = CStringGetTextDatum(digits);
		}
	return migration_states_list(construct_md_array(values, nulls, 1, dims, bounds, TEXTOID, -1,
													false, TYPALIGN_INT), n);
}

/* A set of parameters that has not been seen yet: read and check it. */
static void
migration_panel_create_set(FunctionCallInfo fcinfo, PanelPerQuery *query)
{
	MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	PanelParameterSet *set = palloc0(sizeof(PanelParameterSet));
	PanelTerms	terms = {0};
	pg_tz	   *tz = NULL;
	PanelList	states = {NULL, 0};
	const PanelList none = {NULL, 0};

	set->period = PG_GETARG_TEXT_P_COPY(ARG_PERIOD);
	terms.period = period_parse(VARDATA_ANY(set->period), VARSIZE_ANY_EXHDR(set->period));
	terms.zoned = query->at_type == TIMESTAMPTZOID;
	if (query->zone_arg)
	{
		set->zone = PG_GETARG_TEXT_P_COPY(query->zone_arg);
		tz = zone_parse(VARDATA_ANY(set->zone), VARSIZE_ANY_EXHDR(set->zone));
	}
	else if (terms.zoned)
		tz = session_timezone;
	if (tz != NULL)
		strlcpy(terms.zone, pg_get_timezone_name(tz), sizeof(terms.zone));
	set->calendar = calendar_create(terms.period, terms.zoned, tz);
	if (query->states_arg)
	{
		set->states = PG_GETARG_ARRAYTYPE_P_COPY(query->states_arg);
		states.labels = states_labels(set->states, &states.n);
	}
	else
		states.labels = segment_type_states(&query->segment, &states.n);
	terms.folds = query->segment.kind == SEGMENT_FOLDED;
	terms.enumerated = query->segment.kind == SEGMENT_ENUM && !query->segment.listed;
	set->shared = panel_shared_create(&terms, &states, &none,
									  get_fn_expr_argtype(fcinfo->flinfo, ARG_CUSTOMER),
									  panel_customer_collation(fcinfo), fcinfo->flinfo->fn_mcxt);
	MemoryContextSwitchTo(old);
	set->base.shared = set->shared;
	parameter_sets_add(&query->sets, &set->base);
}

static bool
same_states(FunctionCallInfo fcinfo, int arg, const ArrayType *states)
{
	const ArrayType *other = PG_GETARG_ARRAYTYPE_P(arg);

	return VARSIZE(other) == VARSIZE(states) && memcmp(other, states, VARSIZE(states)) == 0;
}

/* Are these the parameters of this row?  NULL if so, else the name of one that differs. */
static const char *
migration_panel_differs(FunctionCallInfo fcinfo, const void *per_query, const ParameterSet *it)
{
	const PanelPerQuery *query = per_query;
	const PanelParameterSet *set = (const PanelParameterSet *) it;

	if (!text_equal(PG_GETARG_TEXT_PP(ARG_PERIOD), set->period))
		return "period";
	if (query->states_arg && !same_states(fcinfo, query->states_arg, set->states))
		return "list of states";
	if (query->zone_arg && !text_equal(PG_GETARG_TEXT_PP(query->zone_arg), set->zone))
		return "time zone";
	return NULL;
}

/*
 * Parameters that are not constants of the query: those of the row's group,
 * which a row must not differ from, or for a new group those of the row.
 */
static void
migration_panel_find_set(FunctionCallInfo fcinfo, PanelPerQuery *query, const PanelLog *log)
{
	migration_panel_require_parameters(fcinfo, query);
	if (!parameter_sets_find(&query->sets, log == NULL ? NULL : log->shared, fcinfo, query,
							 migration_panel_differs))
		migration_panel_create_set(fcinfo, query);
}

/* First row of a call site. */
static pg_noinline PanelPerQuery *
migration_panel_begin_query(FunctionCallInfo fcinfo, int form)
{
	MemoryContext old;
	PanelPerQuery *query;
	int			arg = ARG_PERIOD + 1;

	require_aggregate(fcinfo, "migration_matrix");
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	query = palloc0(sizeof(PanelPerQuery));
	query->at_type = time_argument_type(fcinfo, ARG_AT, "event time");
	segment_type_init(&query->segment, fcinfo, ARG_SEGMENT);
	query->segment.listed = (form & WITH_STATES) != 0;
	query->states_arg = form & WITH_STATES ? arg++ : 0;
	query->zone_arg = form & WITH_ZONE ? arg++ : 0;
	Assert(PG_NARGS() == arg);
	migration_panel_require_parameters(fcinfo, query);
	for (arg = ARG_PERIOD; arg < PG_NARGS(); arg++)
		query->vary |= argument_varies(fcinfo, arg);
	MemoryContextSwitchTo(old);
	migration_panel_create_set(fcinfo, query);
	query->short_keys = migration_panel_set(query)->shared->keys.short_keys;
	fcinfo->flinfo->fn_extra = query;
	return query;
}

/* ---------- rows ---------- */

static Datum
panel_trans(FunctionCallInfo fcinfo, int form)
{
	/* set only by migration_panel_begin_query(): this call site is an aggregate, then */
	PanelPerQuery *query = fcinfo->flinfo->fn_extra;
	PanelLog   *log = PG_ARGISNULL(0) ? NULL : (PanelLog *) PG_GETARG_POINTER(0);
	int64		at;
	uint32		label;
	Key			key;

	if (query == NULL)
		query = migration_panel_begin_query(fcinfo, form);
	else if (query->vary)
		migration_panel_find_set(fcinfo, query, log);
	if (log == NULL)
		log = panel_log_create(migration_panel_set(query)->shared,
							   require_aggregate(fcinfo, "migration_matrix"));
	if (!panel_row_is_whole(fcinfo, log))
		PG_RETURN_POINTER(log);
	at = time_value(PG_GETARG_DATUM(ARG_AT), query->at_type);
	label = segment_number(&query->segment, PG_GETARG_DATUM(ARG_SEGMENT), log);
	key_from_datum(&log->shared->keys.type, PG_GETARG_DATUM(ARG_CUSTOMER), &key);
	customer_log_add(&log->customers, &key, calendar_period(migration_panel_set(query)->calendar, at),
					 panel_word(at, label));
	PG_RETURN_POINTER(log);
}

/*
 * The row that most rows are: of a customer known by a short key, in a segment
 * that is text, at a time and with a label met before.  Apart, so that it saves no
 * register that it does not use.
 */
static pg_attribute_always_inline bool
panel_trans_usual(FunctionCallInfo fcinfo)
{
	const PanelPerQuery *query = fcinfo->flinfo->fn_extra;
	PanelLog   *log = (PanelLog *) fcinfo->args[0].value;
	Datum		customer = fcinfo->args[ARG_CUSTOMER].value;
	int64		at = DatumGetInt64(fcinfo->args[ARG_AT].value);
	const char *segment = DatumGetPointer(fcinfo->args[ARG_SEGMENT].value);
	int32		period;
	uint32		label;

	if (query == NULL || query->vary || !SEGMENT_IS_LABEL(query->segment.kind) ||
		fcinfo->args[0].isnull || fcinfo->args[ARG_CUSTOMER].isnull ||
		fcinfo->args[ARG_AT].isnull || fcinfo->args[ARG_SEGMENT].isnull ||
		log->customers.by_number || ((uint64) customer >> 32 != 0 && !query->short_keys))
		return false;
	if (query->at_type == DATEOID)
	{
		DateADT		day = DatumGetDateADT(fcinfo->args[ARG_AT].value);

		if (!IS_VALID_DATE(day) || day >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE)
			return false;
		at = day * USECS_PER_DAY;
	}
	else if (TIMESTAMP_NOT_FINITE(at))
		return false;
	if (!step_cache_probe(&migration_panel_set(query)->calendar->periods, at, &period))
		return false;
	if (VARATT_IS_EXTERNAL(segment) || VARATT_IS_COMPRESSED(segment))
		return false;
	label = label_set_find(panel_labels(&log->customers.log), VARDATA_ANY(segment),
						   VARSIZE_ANY_EXHDR(segment));
	if (unlikely(label == LABEL_NONE))
		return false;
	event_log_add(&log->customers.log, compact_mix((uint32) customer), period,
				  panel_word(at, label));
	return true;
}

/* One entry point for each signature: none may look for an argument it lacks. */
#define PANEL_TRANS(name, form) \
	PG_FUNCTION_INFO_V1(name); \
	Datum name(PG_FUNCTION_ARGS) \
	{ \
		if (likely(panel_trans_usual(fcinfo))) \
			return fcinfo->args[0].value; \
		return panel_trans(fcinfo, form); \
	}

PANEL_TRANS(migration_panel_trans, 0)
PANEL_TRANS(migration_panel_zone_trans, WITH_ZONE)
PANEL_TRANS(migration_panel_states_trans, WITH_STATES)
PANEL_TRANS(migration_panel_states_zone_trans, WITH_STATES | WITH_ZONE)

/* ---------- states ---------- */

STATE_TRANSPORT(migration_panel, PanelLog, PanelShared, "migration_matrix", PANEL_BOOK_MAGIC,
				panel_log_serialize, panel_log_merge);

PG_FUNCTION_INFO_V1(migration_panel_final);
Datum
migration_panel_final(PG_FUNCTION_ARGS)
{
	require_aggregate(fcinfo, "migration_matrix");
	PG_RETURN_POINTER(panel_final_matrix(fcinfo));
}
