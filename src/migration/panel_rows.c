/*
 * panel_rows.c
 *	  What the aggregates over rows of customer, time and segment share.
 *
 * See panel_rows.h.
 */
#include "migration/panel_rows.h"

#include "catalog/pg_type.h"
#include "fmgr/notice.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "value/label_text.h"

/* ---------- segments ---------- */

static SegmentKind
segment_kind(Oid type)
{
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
			return SEGMENT_TEXT;
		case BPCHAROID:
			return SEGMENT_PADDED;
		case NAMEOID:
			return SEGMENT_NAME;
		case UNKNOWNOID:
			return SEGMENT_LITERAL;
		case INT2OID:
			return SEGMENT_INT2;
		case INT4OID:
			return SEGMENT_INT4;
		case INT8OID:
			return SEGMENT_INT8;
		case BOOLOID:
			return SEGMENT_BOOLEAN;
		default:
			return label_type_folds(type) ? SEGMENT_FOLDED : SEGMENT_ENUM;
	}
}

void
segment_type_init(SegmentType *type, FunctionCallInfo fcinfo, int arg)
{
	Oid			given = get_fn_expr_argtype(fcinfo->flinfo, arg);
	Oid			base = OidIsValid(given) ? getBaseType(given) : InvalidOid;

	memset(type, 0, sizeof(SegmentType));
	type->kind = segment_kind(base);
	if (type->kind != SEGMENT_ENUM)
		return;
	if (!OidIsValid(base) || !type_is_enum(base))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("segment must be text, an integer, a boolean or an enum, not %s",
						OidIsValid(given) ? format_type_be(given) : "unknown"),
				 errhint("Cast it, as in segment::text.")));
	type->enums = migration_enum_read(base);
}

char **
segment_type_states(const SegmentType *type, int32 *n)
{
	if (type->kind != SEGMENT_ENUM || type->listed)
		return NULL;
	migration_enum_check(type->enums);
	*n = type->enums->n;
	return type->enums->in_order;
}

uint32
segment_number(const SegmentType *type, Datum value, PanelLog *log)
{
	char		digits[PANEL_INTEGER_LABEL];
	const char *label = digits;

	switch (type->kind)
	{
		case SEGMENT_TEXT:
		case SEGMENT_FOLDED:
			{
				text	   *packed = DatumGetTextPP(value);

				return panel_log_label(log, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
			}
		case SEGMENT_PADDED:
			{
				text	   *packed = DatumGetTextPP(value);

				return panel_log_label(log, VARDATA_ANY(packed),
									   bpchartruelen(VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed)));
			}
		case SEGMENT_NAME:
			label = NameStr(*DatumGetName(value));
			break;
		case SEGMENT_LITERAL:
			label = DatumGetCString(value);
			break;
		case SEGMENT_INT2:
			pg_itoa(DatumGetInt16(value), digits);
			break;
		case SEGMENT_INT4:
			pg_ltoa(DatumGetInt32(value), digits);
			break;
		case SEGMENT_INT8:
			pg_lltoa(DatumGetInt64(value), digits);
			break;
		case SEGMENT_BOOLEAN:
			label = migration_boolean_label(DatumGetBool(value));
			break;
		case SEGMENT_ENUM:
			{
				const EnumLabel *segment = migration_enum_label(type->enums, DatumGetObjectId(value));

				if (!type->listed)
					return segment->number;
				label = segment->label;
				break;
			}
	}
	return panel_log_label(log, label, strlen(label));
}

/* ---------- customers ---------- */

Oid
panel_customer_collation(FunctionCallInfo fcinfo)
{
	Aggref	   *aggref = AggGetAggref(fcinfo);

	if (aggref == NULL || aggref->args == NIL)
		return PG_GET_COLLATION();
	return exprCollation((Node *) linitial_node(TargetEntry, aggref->args)->expr);
}

/* ---------- what was left out ---------- */

bool
panel_row_is_whole(FunctionCallInfo fcinfo, PanelLog *log)
{
	PanelLeftOut lacks;

	/* a key with a NULL inside would make one customer of many */
	if (PG_ARGISNULL(PANEL_ARG_CUSTOMER) ||
		key_has_null(&log->shared->keys.type, PG_GETARG_DATUM(PANEL_ARG_CUSTOMER)))
		lacks = LEFT_OUT_CUSTOMER;
	else if (PG_ARGISNULL(PANEL_ARG_AT))
		lacks = LEFT_OUT_TIME;
	else if (PG_ARGISNULL(PANEL_ARG_SEGMENT))
	{
		/* in a panel, that is how to say that a customer is in no segment */
		if (!log->shared->terms.changes)
			return false;
		lacks = LEFT_OUT_SEGMENT;
	}
	else
		return true;
	panel_log_leave_out(log, lacks, 1);
	return false;
}

/* Each is told once a call site: which group came first is nobody's business. */
enum
{
	TOLD_ROWS,
	TOLD_GAPS,
	TOLD_TIES,
	TOLD_RETURNED
};

static void
panel_rows_tell_left_out(const int64 *left_out)
{
	static const char *const what[LEFT_OUT_KINDS] = {"customer", "time", "segment"};
	StringInfoData detail;
	int64		rows = 0;

	initStringInfo(&detail);
	for (int i = 0; i < LEFT_OUT_KINDS; i++)
	{
		if (left_out[i] == 0)
			continue;
		appendStringInfo(&detail, "%s" INT64_FORMAT " without a %s", rows == 0 ? "" : ", ",
						 left_out[i], what[i]);
		rows += left_out[i];
	}
	notice_nulls_left_out(rows, psprintf("Rows: %s.", detail.data));
}

static void
panel_rows_tell(FunctionCallInfo fcinfo, const PanelLog *log, const PanelLosses *lost)
{
	static const char said[1 << NOTICE_SUBJECTS] = {0};
	bool		changes = log->shared->terms.changes;

	if (log->left_out != NULL && notice_subject_once(fcinfo, said, TOLD_ROWS))
		panel_rows_tell_left_out(log->left_out);
	if (lost->gaps > 0 && notice_subject_once(fcinfo, said, TOLD_GAPS))
		ereport(NOTICE,
				(errmsg_plural("%lld step was lost to a gap: the customer has no row in the period before",
							   "%lld steps were lost to gaps: the customers have no row in the period before",
							   (unsigned long) lost->gaps, (long long) lost->gaps),
				 errdetail_plural("%lld step was counted.", "%lld steps were counted.",
								  (unsigned long) lost->steps, (long long) lost->steps),
				 errhint("Of a log of changes, with a row only when the segment changes, make the matrix by migration_changes(customer, changed_at, segment, period, as_of).")));
	if (changes && lost->ties > 0 && notice_subject_once(fcinfo, said, TOLD_TIES))
		ereport(NOTICE,
				(errmsg_plural("%lld period ends for a customer with several segments at one instant",
							   "%lld periods end for customers with several segments at one instant",
							   (unsigned long) lost->ties, (long long) lost->ties),
				 errdetail("The segment whose name comes last was taken."),
				 errhint("Give the time of day of changes, or the order of segments as the option \"states\": the later one is taken.")));
	if (lost->returned > 0 && notice_subject_once(fcinfo, said, TOLD_RETURNED))
		ereport(NOTICE,
				(errmsg_plural("%lld change out of a final segment is no step",
							   "%lld changes out of a final segment are no steps",
							   (unsigned long) lost->returned, (long long) lost->returned),
				 errdetail("The customer counts anew from there on."),
				 errhint("Leave a segment that customers come back from out of \"final\".")));
}

MigrationValue *
panel_final_matrix(FunctionCallInfo fcinfo)
{
	MigrationMatrix nothing;
	PanelLog   *log = PG_ARGISNULL(0) ? NULL : (PanelLog *) PG_GETARG_POINTER(0);
	PanelLosses lost;
	MigrationValue *value;

	/* without rows nothing is known of what was asked: the matrix that counts as nothing */
	memset(&nothing, 0, sizeof(nothing));
	if (log == NULL)
		return migration_pack(&nothing);
	value = panel_log_matrix(log, &lost);
	panel_rows_tell(fcinfo, log, &lost);
	return value;
}
