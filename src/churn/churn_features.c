/*
 * churn_features.c
 *	  Features of rows: from float8[] and records to raw doubles.
 *
 * A record is deformed once a row, by the description of its type; what it says
 * stays where it is: numbers become doubles, texts pointers into the row.
 *
 * Promises: see churn_features.h.
 * Never: converts text between encodings or collations; a text is its bytes.
 */
#include "churn/churn_features.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/typcache.h"

#define DESCRIBED	8			/* columns of a type, in an error */

/* ---------- what can be a feature ---------- */

static void
time_error(const char *name, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("feature \"%s\" is of type %s", name, format_type_be(type)),
			 type == INTERVALOID ?
			 errhint("Give a number, as in extract(epoch FROM %s) / 86400 for days, or leave it out by the option \"exclude\".",
					 quote_identifier(name)) :
			 errhint("Give the days between it and the day of the snapshot, as in as_of - %s%s, or leave it out by the option \"exclude\".",
					 quote_identifier(name), type == DATEOID ? "" : "::date")));
}

static void
churn_features_type_error(const char *name, Oid type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("feature \"%s\" is of type %s", name, format_type_be(type)),
			 errdetail("Features are smallint, integer, bigint, real, double precision, numeric, boolean, text, varchar, character, name, \"char\", enums, and domains over these."),
			 errhint("Cast it, or leave it out by the option \"exclude\".")));
}

static FeatureKind
kind_of(const char *name, Oid declared, Oid base)
{
	switch (base)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return FEATURE_NUMBER;
		case BOOLOID:
			return FEATURE_BOOLEAN;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
		case NAMEOID:
		case CHAROID:
			return FEATURE_CATEGORY;
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case INTERVALOID:
			time_error(name, declared);
			break;
		default:
			if (get_typtype(base) == TYPTYPE_ENUM)
				return FEATURE_CATEGORY;
			churn_features_type_error(name, declared);
	}
	return FEATURE_NUMBER;		/* not reached */
}

/* ---------- readers ---------- */

static FeatureReader *
reader_create(ChurnInput input, int n)
{
	FeatureReader *reader = palloc0(sizeof(FeatureReader));

	if (n > CHURN_FEATURES_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d features are too many", n),
				 errdetail("At most %d are possible.", CHURN_FEATURES_MAX)));
	reader->input = input;
	reader->sources = palloc0(Max(n, 1) * sizeof(FeatureSource));
	reader->context = CurrentMemoryContext;
	return reader;
}

static void
check_names(const FeatureReader *reader)
{
	for (int i = 1; i < reader->n; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(reader->sources[i].name, reader->sources[j].name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_DUPLICATE_COLUMN),
						 errmsg("two features are named \"%s\"", reader->sources[i].name)));
}

static void
check_dimensions(const ArrayType *array)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("features must be an array of one dimension, not of %d", ARR_NDIM(array))));
}

static inline int
element_count(const ArrayType *array)
{
	return ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0];
}

FeatureReader *
feature_reader_for_array(Datum datum, const ChurnOptions *options)
{
	ArrayType  *array = DatumGetArrayTypeP(datum);
	FeatureReader *reader;
	int			n;

	check_dimensions(array);
	n = element_count(array);
	reader = reader_create(CHURN_ARRAY, n);
	if (options->nexclude > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"exclude\" is for records, and features are an array")));
	if (options->nnames > 0 && options->nnames != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"names\" has length %d, and features have length %d",
						options->nnames, n)));
	reader->n = n;
	for (int i = 0; i < n; i++)
	{
		FeatureSource *source = &reader->sources[i];

		source->name = options->nnames > 0 ? pstrdup(options->names[i]) : psprintf("x%d", i + 1);
		source->kind = FEATURE_NUMBER;
		source->attribute = i;
		source->type = FLOAT8OID;
	}
	check_names(reader);
	return reader;
}

/*
 * Columns without a name get that which ROW() gives them, f1, f2 and so on: Citus
 * sends a record that it gathers without the names.
 */
static void
name_columns(TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (NameStr(att->attname)[0] == '\0' && !att->attisdropped)
			snprintf(NameStr(att->attname), NAMEDATALEN, "f%d", i + 1);
	}
}

static void
reader_describe(FeatureReader *reader, Oid type, int32 typmod)
{
	TupleDesc	desc = lookup_rowtype_tupdesc_domain(type, typmod, false);

	reader->type = type;
	reader->typmod = typmod;
	reader->desc = CreateTupleDescCopy(desc);
	ReleaseTupleDesc(desc);
	name_columns(reader->desc);
	if (type != RECORDOID)
	{
		reader->entry = lookup_type_cache(type, TYPECACHE_TUPDESC);
		reader->identifier = reader->entry->tupDesc_identifier;
	}
	reader->values = palloc(Max(reader->desc->natts, 1) * sizeof(Datum));
	reader->nulls = palloc(Max(reader->desc->natts, 1) * sizeof(bool));
}

static void
source_set(FeatureSource *source, TupleDesc desc, int attribute)
{
	Form_pg_attribute att = TupleDescAttr(desc, attribute);

	source->name = pstrdup(NameStr(att->attname));
	source->attribute = attribute;
	source->type = getBaseType(att->atttypid);
	source->kind = kind_of(source->name, att->atttypid, source->type);
	if (source->kind == FEATURE_CATEGORY && get_typtype(source->type) == TYPTYPE_ENUM)
	{
		Oid			output;
		bool		is_varlena;

		getTypeOutputInfo(source->type, &output, &is_varlena);
		fmgr_info(output, &source->output);
	}
}

/* The attribute of a name, or -1. */
static int
attribute_of(TupleDesc desc, const char *name)
{
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), name) == 0)
			return i;
	}
	return -1;
}

static bool
is_excluded(const ChurnOptions *options, const char *name)
{
	for (int i = 0; i < options->nexclude; i++)
		if (strcmp(options->exclude[i], name) == 0)
			return true;
	return false;
}

FeatureReader *
feature_reader_for_record(Datum record, const ChurnOptions *options)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(record);
	Oid			type = HeapTupleHeaderGetTypeId(header);
	int32		typmod = HeapTupleHeaderGetTypMod(header);
	TupleDesc	desc = lookup_rowtype_tupdesc_domain(type, typmod, false);
	int			natts = desc->natts;
	FeatureReader *reader;

	ReleaseTupleDesc(desc);
	reader = reader_create(CHURN_RECORD, natts);
	reader_describe(reader, type, typmod);
	if (options->nnames > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"names\" is for arrays, and features are a record"),
				 errhint("Name the columns of the record, as in a subquery.")));
	for (int i = 0; i < options->nexclude; i++)
		if (attribute_of(reader->desc, options->exclude[i]) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_UNDEFINED_COLUMN),
					 errmsg("option \"exclude\" names \"%s\", which is no column of the features",
							options->exclude[i])));
	for (int i = 0; i < reader->desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(reader->desc, i);

		if (!att->attisdropped && !is_excluded(options, NameStr(att->attname)))
			source_set(&reader->sources[reader->n++], reader->desc, i);
	}
	check_names(reader);
	return reader;
}

static const char *
churn_features_kind_name(FeatureKind kind)
{
	return kind == FEATURE_NUMBER ? "a number" : kind == FEATURE_BOOLEAN ? "a boolean" : "a text";
}

static void
source_for_model(FeatureReader *reader, const ChurnFeature *feature)
{
	FeatureSource *source = &reader->sources[reader->n];
	int			attribute = attribute_of(reader->desc, feature->name);

	if (attribute < 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("features have no column \"%s\"", feature->name),
				 errdetail("The model was fitted to it.")));
	source_set(source, reader->desc, attribute);
	if (source->kind != feature->kind)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("feature \"%s\" is %s, but was %s when the model was fitted",
						feature->name, churn_features_kind_name(source->kind), churn_features_kind_name(feature->kind))));
	reader->n++;
}

FeatureReader *
feature_reader_for_model(const ChurnModel *model, Oid type, int32 typmod)
{
	FeatureReader *reader;

	if (model->input == CHURN_HISTORY)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the model was fitted to histories of purchases"),
				 errhint("Score with churn_score(model, history).")));
	if (type == FLOAT8ARRAYOID)
	{
		if (model->input != CHURN_ARRAY)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("the model was fitted to records, and features are an array"),
					 errhint("Give a record whose columns have the names of the features.")));
		reader = reader_create(CHURN_ARRAY, model->nfeatures);
		reader->n = model->nfeatures;
		for (int i = 0; i < reader->n; i++)
		{
			reader->sources[i].name = pstrdup(model->features[i].name);
			reader->sources[i].kind = FEATURE_NUMBER;
			reader->sources[i].attribute = i;
			reader->sources[i].type = FLOAT8OID;
		}
		return reader;
	}
	reader = reader_create(CHURN_RECORD, model->nfeatures);
	reader_describe(reader, type, typmod);
	for (int i = 0; i < model->nfeatures; i++)
		source_for_model(reader, &model->features[i]);
	return reader;
}

/* ---------- values ---------- */

static void
refuse(const FeatureSource *source, const char *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("feature \"%s\" is %.40s%s", source->name, value, strlen(value) > 40 ? "..." : ""),
			 errhint("Give a finite number, or NULL for what is not known.")));
}

static inline double
finite_number(const FeatureSource *source, double value)
{
	if (unlikely(!isfinite(value)))
		refuse(source, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
	return value + 0.0;			/* -0 is 0 */
}

static double
numeric_number(const FeatureSource *source, Datum datum)
{
	double		value = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, datum));

	/* NaN, an infinity, or more digits than a double can hold */
	if (unlikely(!isfinite(value)))
		refuse(source, DatumGetCString(DirectFunctionCall1(numeric_out, datum)));
	return value + 0.0;
}

static double
number_of(const FeatureSource *source, Datum datum)
{
	switch (source->type)
	{
		case BOOLOID:
			return DatumGetBool(datum) ? 1 : 0;
		case INT2OID:
			return DatumGetInt16(datum);
		case INT4OID:
			return DatumGetInt32(datum);
		case INT8OID:
			return (double) DatumGetInt64(datum);
		case FLOAT4OID:
			return finite_number(source, DatumGetFloat4(datum));
		case NUMERICOID:
			return numeric_number(source, datum);
		default:
			return finite_number(source, DatumGetFloat8(datum));
	}
}

/* Labels are few, and asking the catalogue for each row's is not cheap. */
static const EnumLabel *
enum_label(FeatureReader *reader, FeatureSource *source, Oid value)
{
	EnumLabel  *label;
	MemoryContext old;

	for (int i = 0; i < source->nlabels; i++)
		if (source->labels[i].value == value)
			return &source->labels[i];
	old = MemoryContextSwitchTo(reader->context);
	if (source->nlabels == source->maxlabels)
	{
		int			max = Max(8, 2 * source->maxlabels);

		source->labels = source->labels == NULL ? palloc(max * sizeof(EnumLabel)) :
			repalloc(source->labels, max * sizeof(EnumLabel));
		source->maxlabels = max;
	}
	label = &source->labels[source->nlabels];
	label->value = value;
	label->text = OutputFunctionCall(&source->output, ObjectIdGetDatum(value));
	label->length = strlen(label->text);
	source->nlabels++;
	MemoryContextSwitchTo(old);
	return label;
}

/* A byte; as text it must be one of the encoding, so others are written as in "char"'s output. */
static void
byte_text(char c, FeatureValue *value)
{
	char	   *text = palloc(5);

	value->text = text;

	if (IS_HIGHBIT_SET(c))
		value->length = snprintf(text, 5, "\\%03o", (unsigned char) c);
	else
	{
		text[0] = c;
		value->length = c == '\0' ? 0 : 1;
	}
}

static void
text_of(FeatureReader *reader, FeatureSource *source, Datum datum, FeatureValue *value)
{
	switch (source->type)
	{
		case NAMEOID:
			value->text = NameStr(*DatumGetName(datum));
			value->length = strlen(value->text);
			break;
		case CHAROID:
			byte_text(DatumGetChar(datum), value);
			break;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			{
				text	   *t = DatumGetTextPP(datum);

				value->text = VARDATA_ANY(t);
				value->length = VARSIZE_ANY_EXHDR(t);
				/* blanks at the end are padding */
				if (source->type == BPCHAROID)
					value->length = bpchartruelen((char *) value->text, value->length);
				break;
			}
		default:
			{
				const EnumLabel *label = enum_label(reader, source, DatumGetObjectId(datum));

				value->text = label->text;
				value->length = label->length;
			}
	}
}

static void
length_error(int length, int expected)
{
	ereport(ERROR,
			(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
			 errmsg("features have length %d, not %d as others", length, expected),
			 errhint("All rows have the same features in the same order; NULL is what is not known.")));
}

const double *
feature_numbers(FeatureReader *reader, ArrayType *array)
{
	check_dimensions(array);
	if (unlikely(element_count(array) != reader->n))
		length_error(element_count(array), reader->n);
	if (ARR_HASNULL(array) && array_contains_nulls(array))
		return NULL;
	return (const double *) ARR_DATA_PTR(array);
}

void
feature_refuse(const FeatureReader *reader, const double *numbers)
{
	for (int i = 0; i < reader->n; i++)
		(void) finite_number(&reader->sources[i], numbers[i]);
}

static void
read_array(FeatureReader *reader, ArrayType *array, FeatureValue *values)
{
	const double *next = feature_numbers(reader, array);
	const uint8 *known = NULL;

	if (next == NULL)
	{
		known = ARR_NULLBITMAP(array);
		next = (const double *) ARR_DATA_PTR(array);
	}
	for (int i = 0; i < reader->n; i++)
	{
		values[i].text = NULL;
		values[i].length = 0;
		if (known != NULL && (known[i / 8] & (1 << (i % 8))) == 0)
			values[i].number = get_float8_nan();
		else
			values[i].number = finite_number(&reader->sources[i], *next++);
	}
}

static inline bool
is_type(const FeatureReader *reader, HeapTupleHeader header)
{
	return HeapTupleHeaderGetTypeId(header) == reader->type &&
		HeapTupleHeaderGetTypMod(header) == reader->typmod;
}

/* False if the type may have been altered since the reader was made. */
static inline bool
is_as_it_was(const FeatureReader *reader)
{
	return reader->entry == NULL || reader->entry->tupDesc_identifier == reader->identifier;
}

bool
feature_reads(const FeatureReader *reader, Datum row)
{
	if (reader->input == CHURN_ARRAY)
		return element_count(DatumGetArrayTypeP(row)) == reader->n;
	return is_type(reader, DatumGetHeapTupleHeader(row)) && is_as_it_was(reader);
}

/* A type, for people: an anonymous record has none, but columns. */
static char *
describe_type(Oid type, int32 typmod)
{
	TupleDesc	desc;
	StringInfoData columns;

	if (type != RECORDOID)
		return format_type_be(type);
	desc = lookup_rowtype_tupdesc_copy(type, typmod);
	initStringInfo(&columns);
	for (int i = 0; i < desc->natts && i < DESCRIBED; i++)
		appendStringInfo(&columns, "%s%s %s", i > 0 ? ", " : "",
						 quote_identifier(NameStr(TupleDescAttr(desc, i)->attname)),
						 format_type_with_typemod(TupleDescAttr(desc, i)->atttypid,
												  TupleDescAttr(desc, i)->atttypmod));
	return psprintf("(%s%s)", columns.data, desc->natts > DESCRIBED ? ", ..." : "");
}

static void
type_changed(const FeatureReader *reader, Oid type, int32 typmod)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("features must be records of one type"),
			 errdetail("A row has %s, others have %s.", describe_type(type, typmod),
					   describe_type(reader->type, reader->typmod))));
}

/* The cache has forgotten the type, or looked it up anew: is it another one? */
static pg_noinline void
check_altered(FeatureReader *reader)
{
	TupleDesc	now = CreateTupleDescCopy(lookup_rowtype_tupdesc_copy(reader->type, reader->typmod));

	if (!equalTupleDescs(now, reader->desc))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("type %s was altered while its rows were read",
						format_type_be(reader->type))));
	reader->identifier = reader->entry->tupDesc_identifier;
}

static void
read_record(FeatureReader *reader, HeapTupleHeader header, FeatureValue *values)
{
	HeapTupleData tuple;

	if (unlikely(!is_type(reader, header)))
		type_changed(reader, HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
	if (unlikely(!is_as_it_was(reader)))
		check_altered(reader);
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, reader->desc, reader->values, reader->nulls);
	for (int i = 0; i < reader->n; i++)
	{
		FeatureSource *source = &reader->sources[i];
		Datum		datum = reader->values[source->attribute];

		values[i].number = get_float8_nan();
		values[i].text = NULL;
		values[i].length = 0;
		if (reader->nulls[source->attribute])
			continue;
		if (source->kind == FEATURE_CATEGORY)
			text_of(reader, source, datum, &values[i]);
		else
			values[i].number = number_of(source, datum);
	}
}

void
feature_read(FeatureReader *reader, Datum row, FeatureValue *values)
{
	if (reader->input == CHURN_ARRAY)
		read_array(reader, DatumGetArrayTypeP(row), values);
	else
		read_record(reader, DatumGetHeapTupleHeader(row), values);
}

/* ---------- levels ---------- */

/* By bytes, the shorter first. */
static int
compare_text(const char *text, int length, const char *level)
{
	int			level_length = strlen(level);
	int			order = memcmp(text, level, Min(length, level_length));

	return order != 0 ? order : (length > level_length) - (length < level_length);
}

double
feature_level(const ChurnFeature *feature, const char *text, int length)
{
	int			low = 1;
	int			high = feature->nlevels;

	if (feature->nlevels == 0 || compare_text(text, length, feature->levels[0]) == 0)
		return 0;
	while (low < high)
	{
		int			middle = (low + high) / 2;
		int			level = feature->by_bytes == NULL ? middle : feature->by_bytes[middle];
		int			order = compare_text(text, length, feature->levels[level]);

		if (order == 0)
			return level;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return LEVEL_OTHER;
}

void
feature_raw(const ChurnModel *model, const FeatureValue *values, double *raw)
{
	for (int i = 0; i < model->nfeatures; i++)
	{
		if (model->features[i].kind != FEATURE_CATEGORY)
			raw[i] = values[i].number;
		else if (values[i].text == NULL)
			raw[i] = get_float8_nan();
		else
			raw[i] = feature_level(&model->features[i], values[i].text, values[i].length);
	}
}
