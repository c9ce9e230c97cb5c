/*
 * migration_changes.c
 *	  SQL-callable: migration_changes(): a migration_matrix from a log of changes,
 *	  with a row only when a customer's segment changes.
 *
 * One pass over rows of customer, time and segment gathers each customer's last
 * segment of each calendar period in a log (panel_log.h); the final function
 * carries it forward to the end of each period until the next row, up to the last
 * period that had ended by as_of, and counts who moved.
 *
 * Promises: those of migration_panel.c.
 * Never: reads the clock, or the session's zone where a zone was given.
 */
#include "migration/panel_rows.h"

#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "fmgr/arguments.h"
#include "fmgr/as_of.h"
#include "fmgr/parameter_sets.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#define AGGREGATE	"migration_changes"

#define ARG_PERIOD	4
#define ARG_AS_OF	5
#define ARG_OPTIONS 6

/* One set of parameters; groups of a call site may have different ones. */
typedef struct ChangesParameterSet
{
	ParameterSet base;			/* shared: that below */
	PanelShared *shared;
	Calendar   *calendar;
	/* as given: */
	text	   *period;
	AsOf		as_of;
	Jsonb	   *options;		/* NULL without */
} ChangesParameterSet;

/* What the rows bring; one per call site, in its fn_extra. */
typedef struct ChangesPerQuery
{
	Oid			at_type;
	SegmentType segment;
	bool		vary;			/* an argument may differ from row to row */
	ParameterSet *sets;			/* ChangesParameterSet; that of the last row first */
} ChangesPerQuery;

static inline ChangesParameterSet *
migration_changes_set(const ChangesPerQuery *query)
{
	return (ChangesParameterSet *) query->sets;
}

/* ---------- options ---------- */

typedef struct ChangesOptions
{
	PanelList	states;
	PanelList	finals;
	pg_tz	   *tz;				/* NULL: not given */
} ChangesOptions;

static const char *
migration_changes_json_text(JsonbValue *value)
{
	Jsonb	   *json = JsonbValueToJsonb(value);
	char	   *text = JsonbToCString(NULL, &json->root, VARSIZE(json));

	return migration_label_quote(text, strlen(text));
}

static void
option_error(const char *option, const char *must, JsonbValue *value, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option \"%s\" must be %s, not %s", option, must,
					migration_changes_json_text(value)),
			 errhint("%s", hint)));
}

#define LIST_IS		"a segment or an array of segments"
#define LIST_HINT	"Write it as in {\"final\": [\"left\"]}."

/* The label of a segment in JSON: what its cast to text gives. */
static char *
segment_of_json(const char *option, JsonbValue *value)
{
	char	   *label;

	switch (value->type)
	{
		case jbvString:
			label = pnstrdup(value->val.string.val, value->val.string.len);
			break;
		case jbvNumeric:
			label = DatumGetCString(DirectFunctionCall1(numeric_out,
														NumericGetDatum(value->val.numeric)));
			break;
		case jbvBool:
			label = pstrdup(migration_boolean_label(value->val.boolean));
			break;
		default:
			option_error(option, LIST_IS, value, LIST_HINT);
			return NULL;
	}
	migration_label_check(label, strlen(label));
	return label;
}

static int
compare_segments(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Segments of an option, which may be one. */
static void
list_of_json(const char *option, JsonbValue *value, PanelList *list)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	item;

	if (value->type != jbvBinary)
	{
		list->labels = palloc(sizeof(char *));
		list->labels[list->n++] = segment_of_json(option, value);
		return;
	}
	if (!JsonContainerIsArray(value->val.binary.data))
		option_error(option, LIST_IS, value, LIST_HINT);
	if (JsonContainerSize(value->val.binary.data) > MIGRATION_STATES_MAX)
		migration_states_error();
	list->labels = palloc(sizeof(char *) * (JsonContainerSize(value->val.binary.data) + 1));
	it = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&it, &item, true)) != WJB_DONE)
		if (token == WJB_ELEM)
			list->labels[list->n++] = segment_of_json(option, &item);
}

/* The list of states, as those of other signatures are checked. */
static void
check_states(PanelList *states)
{
	Datum	   *texts = palloc(sizeof(Datum) * (states->n + 1));

	for (int32 i = 0; i < states->n; i++)
		texts[i] = CStringGetTextDatum(states->labels[i]);
	states->labels = migration_states_list(construct_array(texts, states->n, TEXTOID, -1, false,
														   TYPALIGN_INT), &states->n);
}

/* In order, each once: the same segments are the same option. */
static void
order_finals(PanelList *finals)
{
	int32		n = 0;

	if (finals->n == 0)
		return;
	qsort(finals->labels, finals->n, sizeof(char *), compare_segments);
	for (int32 i = 0; i < finals->n; i++)
		if (n == 0 || strcmp(finals->labels[n - 1], finals->labels[i]) != 0)
			finals->labels[n++] = finals->labels[i];
	finals->n = n;
}

static bool
is_option(const JsonbValue *key, const char *name)
{
	return key->val.string.len == (int) strlen(name) &&
		memcmp(key->val.string.val, name, key->val.string.len) == 0;
}

static void
migration_changes_options(Jsonb *json, ChangesOptions *options)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	key = {0};
	JsonbValue	value;

	memset(options, 0, sizeof(ChangesOptions));
	if (json == NULL)
		return;
	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options of migration_changes must be a JSON object"),
				 errhint(LIST_HINT)));
	it = JsonbIteratorInit(&json->root);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			key = value;
		else if (token != WJB_VALUE)
			continue;
		else if (is_option(&key, "final"))
			list_of_json("final", &value, &options->finals);
		else if (is_option(&key, "states"))
		{
			list_of_json("states", &value, &options->states);
			check_states(&options->states);
		}
		else if (is_option(&key, "time_zone"))
		{
			if (value.type != jbvString)
				option_error("time_zone", "the name of a time zone", &value,
							 "Write it as in {\"time_zone\": \"Europe/Berlin\"}.");
			options->tz = zone_parse(value.val.string.val, value.val.string.len);
		}
		else
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown option \"%s\"",
							migration_label_quote(key.val.string.val, key.val.string.len)),
					 errhint("Options are \"final\", \"states\" and \"time_zone\".")));
	}
	order_finals(&options->finals);
}

/* ---------- parameters ---------- */

/* The last period that had ended by as_of. */
static int32
last_complete(const Calendar *calendar, const AsOf *as_of, pg_tz *tz)
{
	Timestamp	end = as_of_end(as_of, tz);
	int32		period = calendar_period_of_wall(calendar, Max(end - 1, MIN_TIMESTAMP));

	return calendar_start(calendar, period + 1) <= end ? period : period - 1;
}

static void
migration_changes_require_parameters(FunctionCallInfo fcinfo)
{
	require_argument(fcinfo, ARG_PERIOD, "period");
	if (PG_ARGISNULL(ARG_AS_OF))
		as_of_null_error();
	require_argument(fcinfo, PG_NARGS() > ARG_OPTIONS ? ARG_OPTIONS : 0, "options");
}

static AsOf
migration_changes_as_of(FunctionCallInfo fcinfo)
{
	return as_of_from_argument(fcinfo, ARG_AS_OF, InvalidOid, AS_OF_HINT_COMPLETE);
}

/* A set of parameters that has not been seen yet: read and check it. */
static void
migration_changes_create_set(FunctionCallInfo fcinfo, ChangesPerQuery *query)
{
	MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	ChangesParameterSet *set = palloc0(sizeof(ChangesParameterSet));
	ChangesOptions options;
	PanelTerms	terms = {0};
	pg_tz	   *tz;

	set->period = PG_GETARG_TEXT_P_COPY(ARG_PERIOD);
	set->as_of = migration_changes_as_of(fcinfo);
	if (PG_NARGS() > ARG_OPTIONS)
		set->options = PG_GETARG_JSONB_P_COPY(ARG_OPTIONS);
	migration_changes_options(set->options, &options);
	terms.period = period_parse(VARDATA_ANY(set->period), VARSIZE_ANY_EXHDR(set->period));
	terms.zoned = query->at_type == TIMESTAMPTZOID;
	tz = options.tz != NULL ? options.tz : terms.zoned ? session_timezone : NULL;
	if (tz != NULL)
		strlcpy(terms.zone, pg_get_timezone_name(tz), sizeof(terms.zone));
	set->calendar = calendar_create(terms.period, terms.zoned, tz);
	terms.changes = true;
	terms.last = last_complete(set->calendar, &set->as_of, tz);
	query->segment.listed = options.states.labels != NULL;
	terms.folds = query->segment.kind == SEGMENT_FOLDED;
	terms.enumerated = query->segment.kind == SEGMENT_ENUM && !query->segment.listed;
	if (options.states.labels == NULL)
		options.states.labels = segment_type_states(&query->segment, &options.states.n);
	set->shared = panel_shared_create(&terms, &options.states, &options.finals,
									  get_fn_expr_argtype(fcinfo->flinfo, PANEL_ARG_CUSTOMER),
									  panel_customer_collation(fcinfo), fcinfo->flinfo->fn_mcxt);
	MemoryContextSwitchTo(old);
	set->base.shared = set->shared;
	parameter_sets_add(&query->sets, &set->base);
}

/* Are these the parameters of this row?  NULL if so, else the name of one that differs. */
static const char *
migration_changes_differs(FunctionCallInfo fcinfo, const void *per_query, const ParameterSet *it)
{
	const ChangesParameterSet *set = (const ChangesParameterSet *) it;
	AsOf		as_of = migration_changes_as_of(fcinfo);

	if (!text_equal(PG_GETARG_TEXT_PP(ARG_PERIOD), set->period))
		return "period";
	if (!as_of_equal(&as_of, &set->as_of))
		return "as_of";
	if (set->options != NULL && !varlena_equal(PG_GETARG_JSONB_P(ARG_OPTIONS), set->options))
		return "options";
	return NULL;
}

/* First row of a call site. */
static pg_noinline ChangesPerQuery *
migration_changes_begin_query(FunctionCallInfo fcinfo)
{
	MemoryContext old;
	ChangesPerQuery *query;

	require_aggregate(fcinfo, AGGREGATE);
	migration_changes_require_parameters(fcinfo);
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	query = palloc0(sizeof(ChangesPerQuery));
	query->at_type = time_argument_type(fcinfo, PANEL_ARG_AT, "time of change");
	segment_type_init(&query->segment, fcinfo, PANEL_ARG_SEGMENT);
	for (int arg = ARG_PERIOD; arg < PG_NARGS(); arg++)
		query->vary |= argument_varies(fcinfo, arg);
	MemoryContextSwitchTo(old);
	migration_changes_create_set(fcinfo, query);
	fcinfo->flinfo->fn_extra = query;
	return query;
}

/* ---------- rows ---------- */

PG_FUNCTION_INFO_V1(migration_changes_trans);
Datum
migration_changes_trans(PG_FUNCTION_ARGS)
{
	/* set only by migration_changes_begin_query(): this call site is an aggregate, then */
	ChangesPerQuery *query = fcinfo->flinfo->fn_extra;
	PanelLog   *log = PG_ARGISNULL(0) ? NULL : (PanelLog *) PG_GETARG_POINTER(0);
	const ChangesParameterSet *set;
	int64		at = 0;
	int32		period = 0;
	Key			key;

	if (query == NULL)
		query = migration_changes_begin_query(fcinfo);
	else if (query->vary)
	{
		migration_changes_require_parameters(fcinfo);
		if (!parameter_sets_find(&query->sets, log == NULL ? NULL : log->shared, fcinfo, query,
								 migration_changes_differs))
			migration_changes_create_set(fcinfo, query);
	}
	set = migration_changes_set(query);
	if (log == NULL)
		log = panel_log_create(set->shared, require_aggregate(fcinfo, AGGREGATE));
	if (!PG_ARGISNULL(PANEL_ARG_AT))
	{
		at = time_value(PG_GETARG_DATUM(PANEL_ARG_AT), query->at_type);
		period = calendar_period(set->calendar, at);
		/* what came after as_of, or in a period that had not ended, was not asked for */
		if (period > set->shared->terms.last)
			PG_RETURN_POINTER(log);
	}
	if (!panel_row_is_whole(fcinfo, log))
		PG_RETURN_POINTER(log);
	query->segment.listed = set->shared->declared != NULL && !set->shared->terms.enumerated;
	key_from_datum(&log->shared->keys.type, PG_GETARG_DATUM(PANEL_ARG_CUSTOMER), &key);
	customer_log_add(&log->customers, &key, period,
					 panel_word(at, segment_number(&query->segment,
												   PG_GETARG_DATUM(PANEL_ARG_SEGMENT), log)));
	PG_RETURN_POINTER(log);
}

PG_FUNCTION_INFO_V1(migration_changes_final);
Datum
migration_changes_final(PG_FUNCTION_ARGS)
{
	require_aggregate(fcinfo, AGGREGATE);
	PG_RETURN_POINTER(panel_final_matrix(fcinfo));
}
