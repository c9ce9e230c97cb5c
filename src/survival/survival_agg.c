/*
 * survival_agg.c
 *	  SQL-callable: the aggregates survival_curve(), logrank() and
 *	  competing_risks(): from rows to a survival_table.
 *
 * Promises: results do not depend on the order of rows or on how they are split;
 * rows that cannot be are errors that name their values.
 * Never: rounds a duration: whole numbers and intervals are compared as such.
 */
#include "survival/survival_tally.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr/arguments.h"
#include "fmgr/as_of.h"
#include "fmgr/notice.h"
#include "fmgr/state_transport.h"
#include "libpq/pqformat.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "value/label_text.h"

#define DAYS_PER_SPAN_MONTH 30	/* as PostgreSQL compares intervals */

/* The longest bigint has 20 characters. */
#define INTEGER_LABEL	24

/* What the arguments are, of one call site. */
typedef struct SurvivalSource
{
	Oid			type;			/* of entry and duration; of started and ended */
	DurationKind kind;
	AsOf		as_of;			/* the last one that was read ... */
	Timestamp	as_of_end;		/* ... where what is known ends, itself not in it */
	struct varlena *as_of_text; /* ... from this text */
	Oid			label_type[2];	/* group or cause, stratum */
	LabelText  *label[2];
} SurvivalSource;

/* Where the arguments of a form are; 0: it has none. */
typedef struct SurvivalForm
{
	const char *aggregate;
	int			started;		/* with ended and as_of, in place of duration and event */
	int			ended;
	int			as_of;
	int			entry;
	int			duration;
	int			event;
	int			weight;
	int			cause;
	int			group;
	int			stratum;
} SurvivalForm;

/* ---------- durations ---------- */

static DurationKind
kind_of_type(Oid type)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
			return DURATION_BIGINT;
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return DURATION_FLOAT;
		case INTERVALOID:
			return DURATION_INTERVAL;
		default:
			return DURATION_NONE;
	}
}

int64
survival_interval_microseconds(const Interval *span, const char *what)
{
	int64		days = (int64) span->month * DAYS_PER_SPAN_MONTH + span->day;
	int64		result;

	if (RETENTION_INTERVAL_IS_INFINITE(span))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be finite, not %s", what,
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(span))))));
	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &result) ||
		pg_add_s64_overflow(result, span->time, &result))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("%s out of range: %s", what,
						DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(span)))),
				 errdetail("Intervals are counted in microseconds, of which a bigint holds some 292,000 years.")));
	return result;
}

static double
real_value(Datum value, Oid type)
{
	if (type == FLOAT8OID)
		return DatumGetFloat8(value);
	if (type == FLOAT4OID)
		return DatumGetFloat4(value);
	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value));
}

/* A duration or entry as it was passed, for messages. */
static char *
time_text(Datum value, Oid type)
{
	Oid			out;
	bool		is_varlena;

	getTypeOutputInfo(type, &out, &is_varlena);
	return OidOutputFunctionCall(out, value);
}

static pg_attribute_always_inline uint64
time_word(Datum value, Oid type, const char *what)
{
	double		real;

	switch (type)
	{
		case INT8OID:
			return survival_whole_word(DatumGetInt64(value));
		case INT4OID:
			return survival_whole_word(DatumGetInt32(value));
		case INT2OID:
			return survival_whole_word(DatumGetInt16(value));
		case INTERVALOID:
			return survival_whole_word(survival_interval_microseconds(DatumGetIntervalP(value), what));
		default:
			real = real_value(value, type);
			if (unlikely(!isfinite(real)))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("%s must be a finite number, not %s", what, time_text(value, type))));
			return survival_real_word(real);
	}
}

/* ---------- labels ---------- */

static void
init_label(SurvivalSource *source, FunctionCallInfo fcinfo, int which, int arg, const char *what)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, arg);

	if (arg == 0)
		return;
	source->label[which] = label_text_create(type, PG_GET_COLLATION(), what, fcinfo->flinfo->fn_mcxt);
	source->label_type[which] = getBaseType(type);
}

/* The number of a label; "cause": a whole number 0 is none, then -1. */
static inline int
label_number(LabelSet **labels, SurvivalSource *source, int which, Datum value, bool cause,
			 const char *what)
{
	Oid			type = source->label_type[which];
	char		buf[INTEGER_LABEL];
	const char *text = buf;
	int			len;

	if (type == INT8OID || type == INT4OID || type == INT2OID)
	{
		int64		number = type == INT8OID ? DatumGetInt64(value) :
		type == INT4OID ? DatumGetInt32(value) : DatumGetInt16(value);

		if (cause && number == 0)
			return -1;
		len = pg_lltoa(number, buf);
	}
	else if (type == TEXTOID || type == VARCHAROID)
	{
		struct varlena *label = PG_DETOAST_DATUM_PACKED(value);

		text = VARDATA_ANY(label);
		len = VARSIZE_ANY_EXHDR(label);
	}
	else
		text = label_text(source->label[which], value, &len);
	if (unlikely(len == 0 && cause))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a cause must not be the empty string"),
				 errhint("Use NULL for customers that are still there.")));
	return survival_label_number(labels, text, len, what);
}

/* ---------- rows ---------- */

/* "ended" has the type of "started", or none: a NULL without a type. */
static void
survival_check_ended_type(FunctionCallInfo fcinfo, const SurvivalForm *form, Oid started)
{
	Oid			ended = get_fn_expr_argtype(fcinfo->flinfo, form->ended);

	if (!OidIsValid(ended) || ended == UNKNOWNOID || getBaseType(ended) == started)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("started and ended must be of one type, not %s and %s",
					format_type_be(started), format_type_be(ended)),
			 errhint("Cast one of them.")));
}

static pg_noinline SurvivalSource *
create_source(FunctionCallInfo fcinfo, const SurvivalForm *form)
{
	SurvivalSource *source = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(SurvivalSource));
	Oid			given = get_fn_expr_argtype(fcinfo->flinfo, form->duration);

	if (form->started)
	{
		/* where this form was found because no other one takes such arguments */
		if (get_fn_expr_argtype(fcinfo->flinfo, form->as_of) == BOOLOID)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("entry and duration must be of one type, not %s and %s",
							format_type_be(get_fn_expr_argtype(fcinfo->flinfo, form->started)),
							format_type_be(get_fn_expr_argtype(fcinfo->flinfo, form->ended))),
					 errhint("Cast one of them.")));
		source->type = time_argument_type(fcinfo, form->started, "started");
		source->kind = source->type == DATEOID ? DURATION_BIGINT : DURATION_INTERVAL;
		survival_check_ended_type(fcinfo, form, source->type);
		fcinfo->flinfo->fn_extra = source;
		return source;
	}
	source->type = OidIsValid(given) ? getBaseType(given) : InvalidOid;
	source->kind = kind_of_type(source->type);
	if (source->kind == DURATION_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("duration must be a number or an interval, not %s",
						OidIsValid(given) ? format_type_be(given) : "unknown"),
				 errhint("The difference of two dates is a number of days, that of two timestamps an interval.")));
	if (form->group)
		init_label(source, fcinfo, 0, form->group, "group");
	else
		init_label(source, fcinfo, 0, form->cause, "cause");
	init_label(source, fcinfo, 1, form->stratum, "stratum");
	fcinfo->flinfo->fn_extra = source;
	return source;
}

static pg_noinline SurvivalTally *
create_tally(const SurvivalForm *form, DurationKind kind, MemoryContext context)
{
	uint8		flags = 0;

	if (form->entry)
		flags |= SURVIVAL_ENTRY;
	if (form->weight)
		flags |= SURVIVAL_WEIGHT;
	if (form->cause)
		flags |= SURVIVAL_CAUSES;
	if (form->group)
		flags |= SURVIVAL_GROUPS;
	if (form->stratum)
		flags |= SURVIVAL_STRATA;
	return survival_tally_create(kind, flags, context);
}

static pg_noinline void
negative_error(Datum value, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("duration must not be negative, not %s", time_text(value, type)),
			 errhint("A duration counts from the customer's own start. Where time may be negative, add one constant to duration and entry alike.")));
}

static pg_noinline void
entry_error(Datum entry, Datum duration, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("entry must be before duration, not entry %s and duration %s",
					time_text(entry, type), time_text(duration, type)),
			 errdetail("A customer is at risk after entry until duration."),
			 errhint("Leave out customers who had left before they were first seen.")));
}

/* A row with a NULL is not in the table, but it is counted. */
static pg_noinline Datum
survival_leave_out(FunctionCallInfo fcinfo, const SurvivalForm *form, SurvivalTally *tally,
				   MemoryContext context)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, form->duration);
	DurationKind kind = kind_of_type(OidIsValid(type) ? getBaseType(type) : InvalidOid);
	bool		still_there;

	/* a NULL of no type, to which no row belongs */
	if (tally == NULL && kind == DURATION_NONE)
		PG_RETURN_NULL();
	if (tally == NULL)
		tally = create_tally(form, kind, context);
	still_there = PG_ARGISNULL(form->duration) &&
		(form->event ? !PG_ARGISNULL(form->event) && !PG_GETARG_BOOL(form->event) :
		 PG_ARGISNULL(form->cause));
	tally->left_out[still_there ? LEFT_OUT_STILL_THERE : LEFT_OUT_NULL]++;
	PG_RETURN_POINTER(tally);
}

static inline double
weight_value(FunctionCallInfo fcinfo, int arg)
{
	double		weight = PG_GETARG_FLOAT8(arg);

	/* written so that NaN fails */
	if (unlikely(!(weight >= 0 && isfinite(weight))))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight must be a finite number of at least 0, not %s",
						DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(weight))))));
	return weight;
}

static pg_attribute_always_inline Datum
survival_trans(FunctionCallInfo fcinfo, const SurvivalForm *form)
{
	MemoryContext context = require_aggregate(fcinfo, form->aggregate);
	SurvivalTally *tally = PG_ARGISNULL(0) ? NULL : (SurvivalTally *) PG_GETARG_POINTER(0);
	SurvivalSource *source = fcinfo->flinfo->fn_extra;
	uint64		item[TALLY_WORDS_MAX];
	uint64		duration;
	uint64		cause = 0;
	double		weight = 1;
	int			n = 0;

	if (unlikely(PG_ARGISNULL(form->duration) || (form->event && PG_ARGISNULL(form->event)) ||
				 (form->entry && PG_ARGISNULL(form->entry)) ||
				 (form->weight && PG_ARGISNULL(form->weight)) ||
				 (form->group && PG_ARGISNULL(form->group)) ||
				 (form->stratum && PG_ARGISNULL(form->stratum))))
		return survival_leave_out(fcinfo, form, tally, context);
	if (unlikely(source == NULL))
		source = create_source(fcinfo, form);
	duration = time_word(PG_GETARG_DATUM(form->duration), source->type, "duration");
	if (unlikely(duration < SURVIVAL_WORD_ZERO))
		negative_error(PG_GETARG_DATUM(form->duration), source->type);
	if (form->group || form->stratum)
		n++;
	item[n++] = duration;
	if (form->entry)
	{
		item[n] = time_word(PG_GETARG_DATUM(form->entry), source->type, "entry");
		if (unlikely(item[n++] >= duration))
			entry_error(PG_GETARG_DATUM(form->entry), PG_GETARG_DATUM(form->duration), source->type);
	}
	if (form->weight)
	{
		weight = weight_value(fcinfo, form->weight);
		item[n++] = survival_real_word(weight);
	}
	if (form->weight && weight == 0)
		return state_or_null(fcinfo, tally);
	if (unlikely(tally == NULL))
		tally = create_tally(form, source->kind, context);
	if (form->group)
	{
		item[0] = (uint64) label_number(&tally->groups, source, 0, PG_GETARG_DATUM(form->group),
										false, "group") << 32;
		if (form->stratum)
			item[0] |= label_number(&tally->strata, source, 1, PG_GETARG_DATUM(form->stratum),
									false, "stratum");
	}
	if (form->event)
		cause = PG_GETARG_BOOL(form->event);
	else if (!PG_ARGISNULL(form->cause))
		cause = label_number(&tally->causes, source, 0, PG_GETARG_DATUM(form->cause), true, "cause") + 1;
	item[n++] = cause << TALLY_COUNT_BITS | 1;
	survival_tally_add(tally, item, n);
	PG_RETURN_POINTER(tally);
}

/* One entry point for each signature: none may look for an argument it lacks. */
#define SURVIVAL_TRANS(name, ...) \
	PG_FUNCTION_INFO_V1(name); \
	Datum name(PG_FUNCTION_ARGS) \
	{ \
		static const SurvivalForm form = {__VA_ARGS__}; \
		return survival_trans(fcinfo, &form); \
	}

SURVIVAL_TRANS(survival_curve_trans, "survival_curve", .duration = 1, .event = 2)
SURVIVAL_TRANS(survival_curve_weight_trans, "survival_curve", .duration = 1, .event = 2, .weight = 3)
SURVIVAL_TRANS(survival_curve_entry_trans, "survival_curve", .entry = 1, .duration = 2, .event = 3)
SURVIVAL_TRANS(survival_curve_entry_weight_trans, "survival_curve",
			   .entry = 1, .duration = 2, .event = 3, .weight = 4)
SURVIVAL_TRANS(survival_grouped_trans, "logrank", .duration = 1, .event = 2, .group = 3)
SURVIVAL_TRANS(survival_grouped_strata_trans, "logrank",
			   .duration = 1, .event = 2, .group = 3, .stratum = 4)
SURVIVAL_TRANS(survival_grouped_entry_trans, "logrank",
			   .entry = 1, .duration = 2, .event = 3, .group = 4)
SURVIVAL_TRANS(survival_grouped_entry_strata_trans, "logrank",
			   .entry = 1, .duration = 2, .event = 3, .group = 4, .stratum = 5)
SURVIVAL_TRANS(survival_causes_trans, "competing_risks", .duration = 1, .cause = 2)
SURVIVAL_TRANS(survival_causes_entry_trans, "competing_risks", .entry = 1, .duration = 2, .cause = 3)

/* ---------- rows with a start and perhaps an end ---------- */

/* Where what is known ends; read anew only if it is another one than in the last row. */
static void
survival_read_as_of(FunctionCallInfo fcinfo, const SurvivalForm *form, SurvivalSource *source)
{
	Oid			type = get_fn_expr_argtype(fcinfo->flinfo, form->as_of);
	AsOf		as_of;

	if (PG_ARGISNULL(form->as_of))
		null_argument_error("as_of", AS_OF_HINT_COMPLETE);
	if (type == TEXTOID)
	{
		struct varlena *text = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(form->as_of));

		if (source->as_of_text != NULL && varlena_equal(source->as_of_text, text))
			return;
		as_of = as_of_from_argument(fcinfo, form->as_of, TEXTOID, AS_OF_HINT_COMPLETE);
		if (source->as_of_text != NULL)
			pfree(source->as_of_text);
		source->as_of_text = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, VARSIZE_ANY(text));
		memcpy(source->as_of_text, text, VARSIZE_ANY(text));
	}
	else
		as_of = as_of_from_argument(fcinfo, form->as_of, InvalidOid, AS_OF_HINT_COMPLETE);
	if (as_of_equal(&as_of, &source->as_of))
		return;
	/* dates and wall clocks have no zone; instants are compared in the session's */
	source->as_of_end = source->type == TIMESTAMPTZOID ?
		as_of_end_instant(&as_of, session_timezone) :
		as_of_end(&as_of, NULL);
	source->as_of = as_of;
}

static pg_noinline void
ended_error(FunctionCallInfo fcinfo, const SurvivalForm *form, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("ended must not be before started, not started %s and ended %s",
					time_text(PG_GETARG_DATUM(form->started), type),
					time_text(PG_GETARG_DATUM(form->ended), type)),
			 errhint("Correct such rows, or leave them out: WHERE ended >= started OR ended IS NULL.")));
}

/*
 * started, ended, as_of: who has an end until as_of left after ended - started,
 * all others were still there at as_of.  The duration of dates is a number of
 * days; a date is the end of that day, so that who ended on it has ended.
 */
static Datum
survival_dates_trans(FunctionCallInfo fcinfo, const SurvivalForm *form)
{
	MemoryContext context = require_aggregate(fcinfo, form->aggregate);
	SurvivalTally *tally = PG_ARGISNULL(0) ? NULL : (SurvivalTally *) PG_GETARG_POINTER(0);
	SurvivalSource *source = fcinfo->flinfo->fn_extra;
	uint64		item[2];
	int64		started;
	int64		until;			/* where the duration so far ends */
	int64		known;			/* the last instant of which something is known */
	bool		event = false;

	if (unlikely(source == NULL))
		source = create_source(fcinfo, form);
	survival_read_as_of(fcinfo, form, source);
	if (unlikely(tally == NULL))
		tally = create_tally(form, source->kind, context);
	if (PG_ARGISNULL(form->started))
	{
		tally->left_out[LEFT_OUT_NULL]++;
		PG_RETURN_POINTER(tally);
	}
	started = time_value(PG_GETARG_DATUM(form->started), source->type);
	until = source->as_of_end;
	/* an instant is known itself, the end of a day is the next one's begin */
	known = source->as_of.kind == AS_OF_DATE ? until - 1 : until;
	if (source->kind == DURATION_BIGINT)
		until = known = (int64) as_of_last_day(&source->as_of, NULL) * USECS_PER_DAY;
	if (started > known)
	{
		tally->left_out[LEFT_OUT_LATER]++;
		PG_RETURN_POINTER(tally);
	}
	if (!PG_ARGISNULL(form->ended) && !time_is_infinite_end(PG_GETARG_DATUM(form->ended), source->type))
	{
		int64		ended = time_value(PG_GETARG_DATUM(form->ended), source->type);

		if (unlikely(ended < started))
			ended_error(fcinfo, form, source->type);
		event = ended <= known;
		if (event)
			until = ended;
	}
	if (source->kind == DURATION_BIGINT)
		item[0] = survival_whole_word((until - started) / USECS_PER_DAY);
	else
		item[0] = survival_whole_word(until - started);
	item[1] = (uint64) event << TALLY_COUNT_BITS | 1;
	survival_tally_add(tally, item, 2);
	PG_RETURN_POINTER(tally);
}

PG_FUNCTION_INFO_V1(survival_curve_dates_trans);
Datum
survival_curve_dates_trans(PG_FUNCTION_ARGS)
{
	static const SurvivalForm form = {
		"survival_curve", .started = 1, .ended = 2, .as_of = 3
	};

	return survival_dates_trans(fcinfo, &form);
}

/* ---------- what was left out ---------- */

/* Once a call site: which group came first is nobody's business. */
static void
survival_tell_left_out(FunctionCallInfo fcinfo, const SurvivalTally *tally)
{
	int64		still_there = tally->left_out[LEFT_OUT_STILL_THERE];
	int64		nulls = tally->left_out[LEFT_OUT_NULL];
	int64		later = tally->left_out[LEFT_OUT_LATER];

	if (likely(still_there == 0 && nulls == 0 && later == 0) || !notice_once(fcinfo))
		return;
	if (still_there > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld row was left out because it has no duration, though no event either",
							   "%lld rows were left out because they have no duration, though no event either",
							   (unsigned long) still_there, (long long) still_there),
				 errdetail("Without those who are still there, customers seem to leave sooner than they do."),
				 errhint("Give them their duration so far, or let survival_curve(started, ended, as_of) take the dates themselves.")));
	if (nulls > 0)
		notice_nulls_left_out(nulls, NULL);
	if (later > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld row was left out because it started after as_of",
							   "%lld rows were left out because they started after as_of",
							   (unsigned long) later, (long long) later)));
}

/* ---------- states ---------- */

static SurvivalTally *
survival_agg_merge(SurvivalTally *tally, SurvivalTally *more, MemoryContext context)
{
	/* the other one may live shorter than this context */
	if (tally == NULL)
		tally = survival_tally_create(more->kind, more->flags, context);
	survival_tally_merge(tally, more);
	for (int i = 0; i < LEFT_OUT_KINDS; i++)
		tally->left_out[i] += more->left_out[i];
	return tally;
}

STATE_COMBINE(survival, SurvivalTally, "survival_curve", survival_agg_merge);

/* What was left out, then the table of the rest. */
PG_FUNCTION_INFO_V1(survival_serialize);
Datum
survival_serialize(PG_FUNCTION_ARGS)
{
	SurvivalTally *tally = (SurvivalTally *) PG_GETARG_POINTER(0);
	SurvivalTableValue *value;
	StringInfoData buf;

	require_aggregate(fcinfo, "survival_curve");
	value = survival_tally_value(tally, true);
	pq_begintypsend(&buf);
	for (int i = 0; i < LEFT_OUT_KINDS; i++)
		pq_sendint64(&buf, tally->left_out[i]);
	pq_sendbytes(&buf, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

PG_FUNCTION_INFO_V1(survival_deserialize);
Datum
survival_deserialize(PG_FUNCTION_ARGS)
{
	bytea	   *sent;
	StringInfoData buf;
	int64		left_out[LEFT_OUT_KINDS];
	SurvivalTableValue *value;
	SurvivalTally *tally;
	int			len;

	require_aggregate(fcinfo, "survival_curve");
	sent = PG_GETARG_BYTEA_PP(0);
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, VARDATA_ANY(sent), VARSIZE_ANY_EXHDR(sent));
	for (int i = 0; i < LEFT_OUT_KINDS; i++)
		left_out[i] = pq_getmsgint64(&buf);
	len = buf.len - buf.cursor;
	value = palloc(VARHDRSZ + len);
	SET_VARSIZE(value, VARHDRSZ + len);
	memcpy(VARDATA(value), pq_getmsgbytes(&buf, len), len);
	tally = survival_tally_read(value, CurrentMemoryContext);
	memcpy(tally->left_out, left_out, sizeof(left_out));
	PG_RETURN_POINTER(tally);
}

PG_FUNCTION_INFO_V1(survival_final);
Datum
survival_final(PG_FUNCTION_ARGS)
{
	SurvivalTally *tally = PG_ARGISNULL(0) ? NULL : (SurvivalTally *) PG_GETARG_POINTER(0);

	require_aggregate(fcinfo, "survival_curve");
	if (tally == NULL)
		PG_RETURN_POINTER(survival_value_empty());
	survival_tell_left_out(fcinfo, tally);
	if (survival_tally_is_empty(tally))
		PG_RETURN_POINTER(survival_value_empty());
	PG_RETURN_POINTER(survival_tally_value(tally, false));
}
