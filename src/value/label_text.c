/*
 * label_text.c
 *	  One text for each value that names something: a group, a cause, a segment.
 *
 * Where a type's output function follows no setting, and equal values are
 * printed alike, it is called; all others are written here.  An array or record
 * looks as array_out() and record_out() have it, of the labels of its elements.
 *
 * See label_text.h.
 */
#include "value/label_text.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/tupdesc.h"
#include "catalog/dependency.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/formatting.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

typedef enum LabelKind
{
	LABEL_OF_TEXT,
	LABEL_OF_PADDED,			/* bpchar, whose trailing blanks do not count */
	LABEL_OF_FOLDED,			/* citext */
	LABEL_OF_NAME,
	LABEL_OF_LITERAL,			/* a string of no type */
	LABEL_OF_BOOLEAN,
	LABEL_OF_INT2,
	LABEL_OF_INT4,
	LABEL_OF_INT8,
	LABEL_OF_NUMERIC,
	LABEL_OF_FLOAT4,
	LABEL_OF_FLOAT8,
	LABEL_OF_DATE,
	LABEL_OF_TIMESTAMP,
	LABEL_OF_TIMESTAMPTZ,
	LABEL_OF_BYTES,
	LABEL_OF_OUTPUT,			/* what the type prints */
	LABEL_OF_ARRAY,
	LABEL_OF_RECORD
} LabelKind;

/* How to read one type. */
typedef struct LabelReader
{
	LabelKind	kind;
	FmgrInfo	output;
	struct LabelReader *element;	/* of an array */
	int16		typlen;
	bool		typbyval;
	char		typalign;
	/* of records: all that follows is made anew for one of another type */
	MemoryContext columns_context;
	Oid			row_type;
	int32		row_typmod;
	TupleDesc	desc;
	struct LabelReader **columns;
	Datum	   *values;
	bool	   *nulls;
} LabelReader;

struct LabelText
{
	LabelReader *type;
	const char *what;
	StringInfoData buf;
};

/* ---------- types ---------- */

/* "hint" names the argument by its %s. */
static pg_noinline void
label_text_refuse(Oid type, const char *what, const char *detail, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("%s cannot be of type %s", what,
					OidIsValid(type) ? format_type_be(type) : "unknown"),
			 errdetail_internal("%s", detail),
			 errhint(hint, what, what)));
}

#define DETAIL_SETTINGS	"The text of such a value depends on settings of the session."
#define DETAIL_EQUALITY	"Such values have no equality, or one that is not that of their texts."

static pg_noinline void
label_text_refuse_type(Oid type, const char *what)
{
	switch (type)
	{
		case INTERVALOID:
			label_text_refuse(type, what, DETAIL_SETTINGS, "Write extract(epoch FROM %s).");
			break;
		case MONEYOID:
			label_text_refuse(type, what, DETAIL_SETTINGS, "Write %s::numeric.");
			break;
		case TSTZRANGEOID:
		case TSRANGEOID:
		case DATERANGEOID:
		case NUMRANGEOID:
		case INT4RANGEOID:
		case INT8RANGEOID:
			label_text_refuse(type, what, DETAIL_SETTINGS, "Write ROW(lower(%s), upper(%s)).");
			break;
		case JSONOID:
		case JSONBOID:
			label_text_refuse(type, what, DETAIL_EQUALITY,
							  "Write %s::text, or take a field of it: %s ->> 'name'.");
			break;
		default:
			label_text_refuse(type, what, DETAIL_EQUALITY, "Write %s::text.");
	}
}

bool
label_type_folds(Oid type)
{
	char		category;
	bool		preferred;
	Oid			extension;

	if (type < FirstNormalObjectId)
		return false;
	get_type_category_preferred(type, &category, &preferred);
	if (category != TYPCATEGORY_STRING)
		return false;
	extension = getExtensionOfObject(TypeRelationId, type);
	return OidIsValid(extension) && extension == get_extension_oid("citext", true);
}

static LabelKind
label_kind(Oid type, const char *what)
{
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
			return LABEL_OF_TEXT;
		case BPCHAROID:
			return LABEL_OF_PADDED;
		case NAMEOID:
			return LABEL_OF_NAME;
		case UNKNOWNOID:
			return LABEL_OF_LITERAL;
		case BOOLOID:
			return LABEL_OF_BOOLEAN;
		case INT2OID:
			return LABEL_OF_INT2;
		case INT4OID:
			return LABEL_OF_INT4;
		case INT8OID:
			return LABEL_OF_INT8;
		case NUMERICOID:
			return LABEL_OF_NUMERIC;
		case FLOAT4OID:
			return LABEL_OF_FLOAT4;
		case FLOAT8OID:
			return LABEL_OF_FLOAT8;
		case DATEOID:
			return LABEL_OF_DATE;
		case TIMESTAMPOID:
			return LABEL_OF_TIMESTAMP;
		case TIMESTAMPTZOID:
			return LABEL_OF_TIMESTAMPTZ;
		case BYTEAOID:
			return LABEL_OF_BYTES;
		case TIMEOID:
		case UUIDOID:
		case CHAROID:
		case OIDOID:
		case INETOID:
		case CIDROID:
		case MACADDROID:
		case MACADDR8OID:
		case BITOID:
		case VARBITOID:
			return LABEL_OF_OUTPUT;
		case RECORDOID:
			return LABEL_OF_RECORD;
	}
	if (!OidIsValid(type))
		label_text_refuse_type(type, what);
	if (type_is_enum(type))
		return LABEL_OF_OUTPUT;
	if (OidIsValid(get_element_type(type)))
		return LABEL_OF_ARRAY;
	if (type_is_rowtype(type))
		return LABEL_OF_RECORD;
	if (label_type_folds(type))
		return LABEL_OF_FOLDED;
	label_text_refuse_type(type, what);
	return LABEL_OF_OUTPUT;		/* not reached */
}

static LabelReader *
label_reader_create(Oid given, Oid collation, const char *what, MemoryContext context)
{
	Oid			type = OidIsValid(given) ? getBaseType(given) : InvalidOid;
	LabelReader *result = MemoryContextAllocZero(context, sizeof(LabelReader));
	Oid			function;
	bool		is_varlena;

	check_stack_depth();
	result->kind = label_kind(type, what);
	switch (result->kind)
	{
		case LABEL_OF_TEXT:
		case LABEL_OF_PADDED:
		case LABEL_OF_NAME:
			/* there different bytes may be equal */
			if (OidIsValid(collation) && !get_collation_isdeterministic(collation))
				ereport(ERROR,
						(errcode(ERRCODE_DATATYPE_MISMATCH),
						 errmsg("%s cannot have the nondeterministic collation \"%s\"", what,
								get_collation_name(collation)),
						 errdetail_internal("%s", DETAIL_EQUALITY),
						 errhint("Write %s COLLATE \"C\", where all different texts are different, or lower(%s) COLLATE \"C\".",
								 what, what)));
			break;
		case LABEL_OF_OUTPUT:
			getTypeOutputInfo(type, &function, &is_varlena);
			fmgr_info_cxt(function, &result->output, context);
			break;
		case LABEL_OF_ARRAY:
			result->element = label_reader_create(get_element_type(type), collation, what, context);
			get_typlenbyvalalign(get_element_type(type), &result->typlen, &result->typbyval,
								 &result->typalign);
			break;
		case LABEL_OF_RECORD:
			result->columns_context = AllocSetContextCreate(context, "columns of a label",
															ALLOCSET_SMALL_SIZES);
			break;
		default:
			break;
	}
	return result;
}

/* ---------- values ---------- */

/* As numeric_out() has it, without zeros at the end of a fraction. */
static void
append_numeric(StringInfo buf, Datum value)
{
	char	   *digits = DatumGetCString(DirectFunctionCall1(numeric_out, value));
	int			len = strlen(digits);

	if (strchr(digits, '.') != NULL)
	{
		while (digits[len - 1] == '0')
			len--;
		if (digits[len - 1] == '.')
			len--;
	}
	appendBinaryStringInfo(buf, digits, len);
	pfree(digits);
}

/* The shortest text that reads back as the same number; there is one zero. */
static void
append_float(StringInfo buf, double value)
{
	char		digits[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(value == 0 ? 0 : value, digits);
	appendStringInfoString(buf, digits);
}

static void
append_float4(StringInfo buf, float value)
{
	char		digits[FLOAT_SHORTEST_DECIMAL_LEN];

	float_to_shortest_decimal_buf(value == 0 ? 0 : value, digits);
	appendStringInfoString(buf, digits);
}

static void
append_date(StringInfo buf, DateADT date)
{
	char		text[MAXDATELEN + 1];
	struct pg_tm tm;

	if (DATE_NOT_FINITE(date))
		EncodeSpecialDate(date, text);
	else
	{
		memset(&tm, 0, sizeof(tm));
		j2date(date + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
		EncodeDateOnly(&tm, USE_ISO_DATES, text);
	}
	appendStringInfoString(buf, text);
}

/* A wall clock, or an instant on that of UTC. */
static void
append_timestamp(StringInfo buf, Timestamp at, bool is_instant)
{
	char		text[MAXDATELEN + 1];
	struct pg_tm tm;
	fsec_t		fsec;

	if (TIMESTAMP_NOT_FINITE(at))
		EncodeSpecialTimestamp(at, text);
	else
	{
		if (timestamp2tm(at, NULL, &tm, &fsec, NULL, NULL) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
					 errmsg("timestamp out of range")));
		/* below 0 it would stand for a time without a zone */
		tm.tm_isdst = 0;
		EncodeDateTime(&tm, fsec, is_instant, 0, NULL, USE_ISO_DATES, text);
	}
	appendStringInfoString(buf, text);
}

static void
append_bytes(StringInfo buf, Datum value)
{
	struct varlena *bytes = PG_DETOAST_DATUM_PACKED(value);
	uint64		len = VARSIZE_ANY_EXHDR(bytes);

	if (len > MaxAllocSize / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a label of " UINT64_FORMAT " bytes is too long", len)));
	appendStringInfoString(buf, "\\x");
	enlargeStringInfo(buf, (int) (2 * len));
	buf->len += (int) hex_encode(VARDATA_ANY(bytes), len, buf->data + buf->len);
	buf->data[buf->len] = '\0';
}

static void
append_folded(StringInfo buf, Datum value)
{
	struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);
	char	   *folded = str_tolower(VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed),
									 DEFAULT_COLLATION_OID);

	appendStringInfoString(buf, folded);
	pfree(folded);
}

/* ---------- arrays and records ---------- */

static void label_append(LabelText *reader, LabelReader *type, Datum value, StringInfo buf);

static bool
label_char_is_special(char c, bool in_array)
{
	switch (c)
	{
		case '"':
		case '\\':
		case ',':
		case ' ':
		case '\t':
		case '\n':
		case '\r':
		case '\v':
		case '\f':
			return true;
		case '{':
		case '}':
			return in_array;
		case '(':
		case ')':
			return !in_array;
		default:
			return false;
	}
}

/* Quote what stands from "from" on where it might be taken for something else. */
static void
quote_element(StringInfo buf, int from, bool in_array)
{
	int			len = buf->len - from;
	bool		special = len == 0 || (in_array && pg_strcasecmp(buf->data + from, "NULL") == 0);
	char	   *element;

	for (int i = 0; i < len && !special; i++)
		special = label_char_is_special(buf->data[from + i], in_array);
	if (!special)
		return;
	element = pnstrdup(buf->data + from, len);
	buf->len = from;
	appendStringInfoChar(buf, '"');
	for (int i = 0; i < len; i++)
	{
		if (element[i] == '"' || element[i] == '\\')
			appendStringInfoChar(buf, in_array ? '\\' : element[i]);
		appendStringInfoChar(buf, element[i]);
	}
	appendStringInfoChar(buf, '"');
	pfree(element);
}

static void
append_array(LabelText *reader, LabelReader *type, Datum value, StringInfo buf)
{
	ArrayType  *array = DatumGetArrayTypeP(value);
	int			ndim = ARR_NDIM(array);
	int			dims[MAXDIM];
	int			place[MAXDIM] = {0};
	bool		bounds = false;
	Datum	   *elements;
	bool	   *nulls;
	int			n;

	deconstruct_array(array, ARR_ELEMTYPE(array), type->typlen, type->typbyval, type->typalign,
					  &elements, &nulls, &n);
	if (n == 0)
	{
		appendStringInfoString(buf, "{}");
		return;
	}
	/* dimensions are part of what is equal: bounds are shown where they are not 1 */
	for (int i = 0; i < ndim; i++)
	{
		dims[i] = ARR_DIMS(array)[i];
		bounds |= ARR_LBOUND(array)[i] != 1;
	}
	for (int i = 0; i < ndim && bounds; i++)
		appendStringInfo(buf, "[%d:%d]", ARR_LBOUND(array)[i], ARR_LBOUND(array)[i] + dims[i] - 1);
	if (bounds)
		appendStringInfoChar(buf, '=');
	for (int e = 0; e < n; e++)
	{
		int			from;
		int			d = ndim;

		CHECK_FOR_INTERRUPTS();
		if (e > 0)
			appendStringInfoChar(buf, ',');
		/* a brace for each dimension that begins here, and below for each that ends */
		while (d > 0 && place[d - 1] == 0)
		{
			appendStringInfoChar(buf, '{');
			d--;
		}
		from = buf->len;
		if (nulls[e])
			appendStringInfoString(buf, "NULL");
		else
		{
			label_append(reader, type->element, elements[e], buf);
			quote_element(buf, from, true);
		}
		for (d = ndim; d > 0 && ++place[d - 1] == dims[d - 1]; d--)
		{
			place[d - 1] = 0;
			appendStringInfoChar(buf, '}');
		}
	}
	pfree(elements);
	pfree(nulls);
	if ((Pointer) array != DatumGetPointer(value))
		pfree(array);
}

/* How to read the columns of records of another type than the last one. */
static pg_noinline void
learn_columns(LabelText *reader, LabelReader *type, Oid row_type, int32 row_typmod)
{
	MemoryContext old;
	TupleDesc	desc;

	type->desc = NULL;
	MemoryContextReset(type->columns_context);
	desc = lookup_rowtype_tupdesc(row_type, row_typmod);
	old = MemoryContextSwitchTo(type->columns_context);
	type->columns = palloc0(sizeof(LabelReader *) * (desc->natts + 1));
	type->values = palloc(sizeof(Datum) * (desc->natts + 1));
	type->nulls = palloc(sizeof(bool) * (desc->natts + 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);

		if (!column->attisdropped)
			type->columns[i] = label_reader_create(column->atttypid, column->attcollation, reader->what,
												   type->columns_context);
	}
	type->desc = CreateTupleDescCopy(desc);
	MemoryContextSwitchTo(old);
	ReleaseTupleDesc(desc);
	type->row_type = row_type;
	type->row_typmod = row_typmod;
}

static void
append_record(LabelText *reader, LabelReader *type, Datum value, StringInfo buf)
{
	HeapTupleHeader row = DatumGetHeapTupleHeader(value);
	HeapTupleData tuple;
	bool		first = true;

	if (type->desc == NULL || HeapTupleHeaderGetTypeId(row) != type->row_type ||
		HeapTupleHeaderGetTypMod(row) != type->row_typmod)
		learn_columns(reader, type, HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = row;
	heap_deform_tuple(&tuple, type->desc, type->values, type->nulls);
	appendStringInfoChar(buf, '(');
	for (int i = 0; i < type->desc->natts; i++)
	{
		int			from;

		if (type->columns[i] == NULL)
			continue;
		if (!first)
			appendStringInfoChar(buf, ',');
		first = false;
		if (type->nulls[i])
			continue;
		from = buf->len;
		label_append(reader, type->columns[i], type->values[i], buf);
		quote_element(buf, from, false);
	}
	appendStringInfoChar(buf, ')');
	if ((Pointer) row != DatumGetPointer(value))
		pfree(row);
}

static void
label_append(LabelText *reader, LabelReader *type, Datum value, StringInfo buf)
{
	struct varlena *packed;
	char	   *text;

	check_stack_depth();
	switch (type->kind)
	{
		case LABEL_OF_TEXT:
			packed = PG_DETOAST_DATUM_PACKED(value);
			appendBinaryStringInfo(buf, VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed));
			break;
		case LABEL_OF_PADDED:
			packed = PG_DETOAST_DATUM_PACKED(value);
			appendBinaryStringInfo(buf, VARDATA_ANY(packed),
								   bpchartruelen(VARDATA_ANY(packed), VARSIZE_ANY_EXHDR(packed)));
			break;
		case LABEL_OF_FOLDED:
			append_folded(buf, value);
			break;
		case LABEL_OF_NAME:
			appendStringInfoString(buf, NameStr(*DatumGetName(value)));
			break;
		case LABEL_OF_LITERAL:
			appendStringInfoString(buf, DatumGetCString(value));
			break;
		case LABEL_OF_BOOLEAN:
			appendStringInfoString(buf, DatumGetBool(value) ? "true" : "false");
			break;
		case LABEL_OF_INT2:
			appendStringInfo(buf, "%d", DatumGetInt16(value));
			break;
		case LABEL_OF_INT4:
			appendStringInfo(buf, "%d", DatumGetInt32(value));
			break;
		case LABEL_OF_INT8:
			appendStringInfo(buf, INT64_FORMAT, DatumGetInt64(value));
			break;
		case LABEL_OF_NUMERIC:
			append_numeric(buf, value);
			break;
		case LABEL_OF_FLOAT4:
			append_float4(buf, DatumGetFloat4(value));
			break;
		case LABEL_OF_FLOAT8:
			append_float(buf, DatumGetFloat8(value));
			break;
		case LABEL_OF_DATE:
			append_date(buf, DatumGetDateADT(value));
			break;
		case LABEL_OF_TIMESTAMP:
			append_timestamp(buf, DatumGetTimestamp(value), false);
			break;
		case LABEL_OF_TIMESTAMPTZ:
			append_timestamp(buf, DatumGetTimestampTz(value), true);
			break;
		case LABEL_OF_BYTES:
			append_bytes(buf, value);
			break;
		case LABEL_OF_OUTPUT:
			text = OutputFunctionCall(&type->output, value);
			appendStringInfoString(buf, text);
			pfree(text);
			break;
		case LABEL_OF_ARRAY:
			append_array(reader, type, value, buf);
			break;
		case LABEL_OF_RECORD:
			append_record(reader, type, value, buf);
			break;
	}
}

/* ---------- readers ---------- */

LabelText *
label_text_create(Oid type, Oid collation, const char *what, MemoryContext context)
{
	LabelText  *reader = MemoryContextAllocZero(context, sizeof(LabelText));
	MemoryContext old = MemoryContextSwitchTo(context);

	reader->what = what;
	reader->type = label_reader_create(type, collation, what, context);
	initStringInfo(&reader->buf);
	MemoryContextSwitchTo(old);
	return reader;
}

const char *
label_text(LabelText *reader, Datum value, int *len)
{
	resetStringInfo(&reader->buf);
	label_append(reader, reader->type, value, &reader->buf);
	*len = reader->buf.len;
	return reader->buf.data;
}
