/*
 * migration_matrix_io.c
 *	  SQL-callable: migration_matrix in and out, equality, sums, jsonb, by hand, and
 *	  with its states declared anew.
 *
 * The binary form is the value's own bytes, the text form their base64: both
 * lossless and free of any setting.
 *
 * Never: accepts bytes that the reader has not walked to the end.
 */
#include "migration/migration_matrix_trans.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "value/value_type.h"

VALUE_TYPE_ADDS(migration_matrix, .maker = "migration_matrix()", .check = migration_check,
				.add = migration_add_values, .finish = migration_finish)

/* The operator: here nothing comes after. */
PG_FUNCTION_INFO_V1(migration_matrix_add);
Datum
migration_matrix_add(PG_FUNCTION_ARGS)
{
	Datum		sum = value_add(fcinfo, &migration_matrix_type);

	if (fcinfo->isnull)
		return sum;
	PG_RETURN_POINTER(value_finished((struct varlena *) DatumGetPointer(sum),
									 &migration_matrix_type));
}

/* ---------- jsonb ---------- */

/* A state by its name; nowhere is null, as it is in the aggregate's arguments. */
static void
json_state(StringInfo buf, const MigrationMatrix *matrix, const char *key, int32 state)
{
	appendStringInfo(buf, "\"%s\":", key);
	if (state == matrix->states)
		appendStringInfoString(buf, "null");
	else
		escape_json(buf, matrix->labels[state]);
	appendStringInfoChar(buf, ',');
}

static void
json_cells(StringInfo buf, const MigrationMatrix *matrix)
{
	appendStringInfoString(buf, ",\"cells\":[");
	for (int64 i = 0; i < matrix->cells_n; i++)
	{
		const MigrationCell *cell = &matrix->cells[i];

		CHECK_FOR_INTERRUPTS();
		appendStringInfoString(buf, i == 0 ? "{" : ",{");
		json_state(buf, matrix, "from", cell->from);
		json_state(buf, matrix, "to", cell->to);
		appendStringInfo(buf, "\"customers\":" INT64_FORMAT ",\"value\":%s}", cell->count,
						 cell->value.scale == AMOUNT_NONE ? "null" :
						 DatumGetCString(DirectFunctionCall1(numeric_out,
															 NumericGetDatum(amount_to_numeric(&cell->value)))));
	}
	appendStringInfoChar(buf, ']');
}

static void
json_probabilities(StringInfo buf, const MigrationMatrix *matrix)
{
	appendStringInfoString(buf, ",\"probabilities\":[");
	for (int32 i = 0; i < matrix->states; i++)
		for (int32 j = 0; j < matrix->states; j++)
		{
			char		number[DOUBLE_SHORTEST_DECIMAL_LEN];

			CHECK_FOR_INTERRUPTS();
			double_to_shortest_decimal_buf(matrix->probabilities[(int64) i * matrix->states + j],
										   number);
			appendStringInfo(buf, "%s%s%s", j > 0 ? "," : i == 0 ? "[" : ",[", number,
							 j == matrix->states - 1 ? "]" : "");
		}
	appendStringInfoChar(buf, ']');
}

static void
json_panel(StringInfo buf, const MigrationMatrix *matrix)
{
	Calendar   *cal = calendar_create(matrix->period, false, NULL);
	char		start[MAXDATELEN + 1];

	appendStringInfo(buf, ",\"period\":\"%s\",\"periods\":[", period_name(matrix->period));
	for (int64 i = 0; i < matrix->periods_n; i++)
	{
		const MigrationPeriodCell *cell = &matrix->periods[i];

		CHECK_FOR_INTERRUPTS();
		JsonEncodeDateTime(start, TimestampGetDatum(calendar_start(cal, cell->period)),
						   TIMESTAMPOID, NULL);
		appendStringInfo(buf, "%s{\"period_start\":\"%s\",", i == 0 ? "" : ",", start);
		json_state(buf, matrix, "from", cell->from);
		json_state(buf, matrix, "to", cell->to);
		appendStringInfo(buf, "\"customers\":" INT64_FORMAT "}", cell->count);
	}
	appendStringInfoString(buf, "],\"triples\":[");
	for (int64 i = 0; i < matrix->triples_n; i++)
	{
		const MigrationTriple *triple = &matrix->triples[i];

		CHECK_FOR_INTERRUPTS();
		appendStringInfoString(buf, i == 0 ? "{" : ",{");
		json_state(buf, matrix, "before", triple->before);
		json_state(buf, matrix, "from", triple->from);
		json_state(buf, matrix, "to", triple->to);
		appendStringInfo(buf, "\"customers\":" INT64_FORMAT "}", triple->count);
	}
	appendStringInfoChar(buf, ']');
}

PG_FUNCTION_INFO_V1(migration_matrix_to_jsonb);
Datum
migration_matrix_to_jsonb(PG_FUNCTION_ARGS)
{
	MigrationMatrix matrix;
	StringInfoData buf;

	migration_unpack(PG_GETARG_MIGRATION_PP(0), &matrix);
	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"states\":[");
	for (int32 i = 0; i < matrix.states; i++)
	{
		if (i > 0)
			appendStringInfoChar(&buf, ',');
		escape_json(&buf, matrix.labels[i]);
	}
	appendStringInfo(&buf, "],\"declared\":%s", matrix.declared ? "true" : "false");
	if (matrix.given)
		json_probabilities(&buf, &matrix);
	else
		json_cells(&buf, &matrix);
	if (matrix.panel)
		json_panel(&buf, &matrix);
	appendStringInfoChar(&buf, '}');
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data)));
}

/* ---------- by hand ---------- */

/* The values of a square array, or of a flat one of as many; none is NULL. */
static Datum *
square(const ArrayType *array, const MigrationMatrix *matrix, const char *what)
{
	Oid			type = ARR_ELEMTYPE(array);
	int			len = type == INT4OID ? sizeof(int32) : sizeof(int64);
	Datum	   *values;
	bool	   *nulls;
	int			n;

	if (!(ARR_NDIM(array) == 2 && ARR_DIMS(array)[0] == matrix->states &&
		  ARR_DIMS(array)[1] == matrix->states) &&
		!(ARR_NDIM(array) == 1 && ARR_DIMS(array)[0] == matrix->states * matrix->states))
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("array of %s must have a row and a column for each of the %d states",
						what, matrix->states),
				 errhint("Write it row by row: ARRAY[[a_to_a, a_to_b], [b_to_a, b_to_b]].")));
	deconstruct_array(unconstify(ArrayType *, array), type, len,
					  type == INT4OID ? true : FLOAT8PASSBYVAL,
					  type == INT4OID ? TYPALIGN_INT : TYPALIGN_DOUBLE, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("array of %s must not contain NULL", what),
					 errdetail("It does in the row of state \"%s\".",
							   matrix->labels[i / matrix->states])));
	return values;
}

static void
bad_value(const MigrationMatrix *matrix, int64 i, const char *what, const char *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must not be %s", what, value),
			 errdetail("It is, from state \"%s\" to \"%s\".",
					   migration_label_quote(matrix->labels[i / matrix->states],
											 strlen(matrix->labels[i / matrix->states])),
					   migration_label_quote(matrix->labels[i % matrix->states],
											 strlen(matrix->labels[i % matrix->states])))));
}

/* The sum of a row must be 1, but for rounding; then it is, to the last digit. */
static void
scale_row(const MigrationMatrix *matrix, double *row, int32 state)
{
	double		sum = 0;

	for (int32 j = 0; j < matrix->states; j++)
		sum += row[j];
	if (!(fabs(sum - 1) <= 1e-9))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("probabilities from state \"%s\" sum to %.12g, not to 1",
						migration_label_quote(matrix->labels[state], strlen(matrix->labels[state])),
						sum),
				 errhint("Give the probabilities of each row in full, or counts of customers as integers.")));
	for (int32 j = 0; j < matrix->states; j++)
		row[j] /= sum;
}

static void
begin_by_hand(MigrationMatrix *matrix, const ArrayType *states)
{
	memset(matrix, 0, sizeof(MigrationMatrix));
	matrix->declared = true;
	matrix->labels = migration_states_list(states, &matrix->states);
}

PG_FUNCTION_INFO_V1(migration_matrix_given);
Datum
migration_matrix_given(PG_FUNCTION_ARGS)
{
	MigrationMatrix matrix;
	Datum	   *values;
	int64		n;

	begin_by_hand(&matrix, PG_GETARG_ARRAYTYPE_P(0));
	matrix.given = true;
	values = square(PG_GETARG_ARRAYTYPE_P(1), &matrix, "probabilities");
	n = (int64) matrix.states * matrix.states;
	matrix.probabilities = palloc(sizeof(double) * n);
	for (int64 i = 0; i < n; i++)
	{
		double		p = DatumGetFloat8(values[i]);

		/* written so that NaN fails */
		if (!(p >= 0 && p <= 1 + 1e-9))
			bad_value(&matrix, i, "a probability",
					  isnan(p) ? "NaN" : p < 0 ? "negative" : "greater than 1");
		matrix.probabilities[i] = p + 0.0;	/* no negative zero */
	}
	for (int32 i = 0; i < matrix.states; i++)
		scale_row(&matrix, &matrix.probabilities[(int64) i * matrix.states], i);
	PG_RETURN_POINTER(migration_pack(&matrix));
}

PG_FUNCTION_INFO_V1(migration_matrix_counted);
Datum
migration_matrix_counted(PG_FUNCTION_ARGS)
{
	MigrationMatrix matrix;
	ArrayType  *counts = PG_GETARG_ARRAYTYPE_P(1);
	Datum	   *values;
	int64		n;

	begin_by_hand(&matrix, PG_GETARG_ARRAYTYPE_P(0));
	values = square(counts, &matrix, "counts");
	n = (int64) matrix.states * matrix.states;
	matrix.cells = palloc_extended(sizeof(MigrationCell) * n, MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < n; i++)
	{
		int64		count = ARR_ELEMTYPE(counts) == INT4OID ? DatumGetInt32(values[i]) :
		DatumGetInt64(values[i]);
		MigrationCell *cell = &matrix.cells[matrix.cells_n];

		if (count < 0)
			bad_value(&matrix, i, "a count of customers", "negative");
		if (count == 0)
			continue;
		cell->from = (int32) (i / matrix.states);
		cell->to = (int32) (i % matrix.states);
		cell->count = count;
		cell->value = amount_none();
		matrix.cells_n++;
	}
	PG_RETURN_POINTER(migration_pack(&matrix));
}

/* ---------- migration_with_states() ---------- */

/* What each state is called from now on; {} changes no name. */
static void
rename_states(MigrationMatrix *matrix, Jsonb *names)
{
	char	  **labels = palloc(sizeof(char *) * (matrix->states + 1));
	JsonbIterator *it = JsonbIteratorInit(&names->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *old = NULL;

	if (!JB_ROOT_IS_OBJECT(names))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("renamed states must be a JSON object of old and new names"),
				 errhint("Write it as '{\"basic\": \"starter\"}'.")));
	memcpy(labels, matrix->labels, sizeof(char *) * matrix->states);
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		int32		state;

		if (token == WJB_KEY)
			old = pnstrdup(value.val.string.val, value.val.string.len);
		if (token != WJB_VALUE)
			continue;
		/* one mapping may be written for many matrices: not all have the state */
		state = migration_state(matrix, old);
		if (value.type != jbvString)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("new name of state \"%s\" must be a string",
							migration_label_quote(old, strlen(old)))));
		if (state >= 0)
			labels[state] = pnstrdup(value.val.string.val, value.val.string.len);
	}
	matrix->labels = labels;
}

/* Does anybody go to a state or leave it? */
static bool
has_customers(const MigrationMatrix *matrix, int32 state)
{
	for (int64 i = 0; i < matrix->cells_n; i++)
		if (matrix->cells[i].from == state || matrix->cells[i].to == state)
			return true;
	return false;
}

/* Given probabilities in the order of another list of the same states. */
static void
reorder_given(MigrationMatrix *matrix, const int32 *map, int32 n)
{
	double	   *p = palloc(sizeof(double) * ((int64) n * n + 1));

	if (n != matrix->states)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a migration_matrix of given probabilities cannot have other states"),
				 errdetail("Nothing is known of where their customers go.")));
	for (int32 i = 0; i < n; i++)
		for (int32 j = 0; j < n; j++)
			p[(int64) map[i] * n + map[j]] = matrix->probabilities[(int64) i * n + j];
	matrix->probabilities = p;
}

PG_FUNCTION_INFO_V1(migration_with_states);
Datum
migration_with_states(PG_FUNCTION_ARGS)
{
	MigrationMatrix matrix;
	MigrationMatrix list = {0};
	int32	   *map;
	bool	   *taken;

	migration_unpack(PG_GETARG_MIGRATION_PP(0), &matrix);
	list.labels = migration_states_list(PG_GETARG_ARRAYTYPE_P(1), &list.states);
	rename_states(&matrix, PG_GETARG_JSONB_P(2));
	map = palloc(sizeof(int32) * (matrix.states + 1));
	taken = palloc0(sizeof(bool) * (list.states + 1));
	for (int32 i = 0; i < matrix.states; i++)
	{
		const char *label = matrix.labels[i];

		map[i] = migration_state(&list, label);
		if (map[i] < 0 && (matrix.given || has_customers(&matrix, i)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("state \"%s\" has customers, but is not in the list of states",
							migration_label_quote(label, strlen(label))),
					 errhint("Add it to the list, or say what it is called now: migration_with_states(matrix, states, '{\"old\": \"new\"}').")));
		if (map[i] >= 0 && matrix.given && taken[map[i]])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("states of given probabilities cannot become one state \"%s\"",
							migration_label_quote(label, strlen(label)))));
		if (map[i] >= 0)
			taken[map[i]] = true;
	}
	map[matrix.states] = list.states;
	if (matrix.given)
		reorder_given(&matrix, map, list.states);
	else
		migration_renumber(&matrix, map);
	matrix.states = list.states;
	matrix.labels = list.labels;
	matrix.declared = true;
	PG_RETURN_POINTER(migration_pack(&matrix));
}
