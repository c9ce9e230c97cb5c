/*
 * migration_chain.c
 *	  A migration_matrix as a Markov chain: what its accessors share.
 *
 * Promises: see migration_chain.h.
 */
#include "migration/migration_chain.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr/result_row.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

/* segments that an error lists */
#define LIST_MAX	10

double *
migration_doubles(int64 n, int64 m)
{
	return palloc_extended(sizeof(double) * (n * m + 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

int *
migration_ints(int64 n)
{
	return palloc0(sizeof(int) * (n + 1));
}

void
migration_system_room(int n, MarkovSystem *system)
{
	system->states = migration_ints(n);
	system->q = migration_doubles(n, n);
	system->leaving = migration_doubles(n, 1);
}

/* ---------- segments by name ---------- */

static const char *
list_segments(const MigrationMatrix *matrix)
{
	StringInfoData buf;

	if (matrix->states == 0)
		return "The matrix has no segments.";
	initStringInfo(&buf);
	appendStringInfoString(&buf, "Its segments are ");
	for (int i = 0; i < Min(matrix->states, LIST_MAX); i++)
		appendStringInfo(&buf, "%s\"%s\"", i == 0 ? "" : ", ",
						 migration_label_quote(matrix->labels[i], strlen(matrix->labels[i])));
	if (matrix->states > LIST_MAX)
		appendStringInfo(&buf, " and %d more", matrix->states - LIST_MAX);
	appendStringInfoChar(&buf, '.');
	return buf.data;
}

int
migration_chain_state(const MigrationChain *chain, const char *label, const char *argument)
{
	int			state = migration_state(&chain->matrix, label);

	if (state < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("segment \"%s\" in %s is not in the matrix",
						migration_label_quote(label, strlen(label)), argument),
				 errdetail_internal("%s", list_segments(&chain->matrix))));
	return state;
}

/* From here on nobody leaves these. */
static void
declare_absorbing(MigrationChain *chain, ArrayType *absorbing, const char *argument)
{
	Datum	   *labels;
	bool	   *nulls;
	int			count;

	deconstruct_array(absorbing, TEXTOID, -1, false, TYPALIGN_INT, &labels, &nulls, &count);
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must name at least one segment", argument)));
	for (int i = 0; i < count; i++)
	{
		int			state;

		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not contain NULL", argument)));
		state = migration_chain_state(chain, TextDatumGetCString(labels[i]), argument);
		for (int j = 0; j < chain->n; j++)
			chain->p[(int64) state * chain->n + j] = j == state;
	}
}

static const char *
json_text(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvNull:
			return "null";
		case jbvBool:
			return value->val.boolean ? "true" : "false";
		case jbvString:
			return psprintf("\"%s\"", migration_label_quote(value->val.string.val,
															value->val.string.len));
		default:
			return "an array or object";
	}
}

static double
migration_chain_json_number(const JsonbValue *value, const char *label, const char *argument, bool negative)
{
	double		number;

	if (value->type != jbvNumeric)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s of segment \"%s\" must be a number, not %s", argument,
						migration_label_quote(label, strlen(label)), json_text(value))));
	number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
												NumericGetDatum(value->val.numeric)));
	if (isinf(number))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("%s of segment \"%s\" is out of range", argument,
						migration_label_quote(label, strlen(label)))));
	if (number < 0 && !negative)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s of segment \"%s\" must be 0 or more, not %s", argument,
						migration_label_quote(label, strlen(label)),
						DatumGetCString(DirectFunctionCall1(numeric_out,
															NumericGetDatum(value->val.numeric))))));
	return number;
}

double *
migration_chain_numbers(const MigrationChain *chain, Jsonb *object, const char *argument,
						bool negative)
{
	double	   *numbers = migration_doubles(chain->n, 1);
	JsonbIterator *it = JsonbIteratorInit(&object->root);
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *label = NULL;

	if (!JB_ROOT_IS_OBJECT(object))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a JSON object of segments and numbers", argument),
				 errhint("Write it as '{\"loyalist\": 100, \"inactive\": 20}'.")));
	/* values are not entered: anything but a number is an error */
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			label = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE)
			numbers[migration_chain_state(chain, label, argument)] =
				migration_chain_json_number(&value, label, argument, negative);
	}
	return numbers;
}

/* ---------- the chain ---------- */

/* Given probabilities may miss 1 by a little, which many periods would make much. */
static void
scale_rows(MigrationChain *chain)
{
	for (int i = 0; i < chain->n; i++)
	{
		double	   *row = chain->p + (int64) i * chain->n;
		double		sum = 0;

		for (int j = 0; j < chain->n; j++)
			sum += row[j];
		for (int j = 0; j < chain->n; j++)
			row[j] /= sum;
	}
}

void
migration_chain_open(MigrationChain *chain, MigrationValue *value, ArrayType *absorbing,
					 const char *argument)
{
	int		   *members;
	bool	   *class_closed;
	int			n;

	migration_unpack(value, &chain->matrix);
	n = chain->n = chain->matrix.states;
	chain->p = migration_probabilities(&chain->matrix);
	if (chain->matrix.given)
		scale_rows(chain);
	if (absorbing != NULL)
		declare_absorbing(chain, absorbing, argument);
	chain->names = palloc(sizeof(Datum) * (n + 1));
	for (int i = 0; i < n; i++)
		chain->names[i] = CStringGetTextDatum(chain->matrix.labels[i]);
	markov_graph(n, chain->p, palloc(sizeof(uint64) * (n * MARKOV_GRAPH_WORDS(n) + 1)),
				 &chain->graph);
	chain->unknown = migration_ints(n);
	markov_unknowns(&chain->graph, chain->p, chain->unknown, migration_ints(n));
	chain->class_of = migration_ints(n);
	chain->classes = markov_classes(n, chain->p, chain->class_of, migration_ints(5 * n));
	class_closed = palloc0(sizeof(bool) * (chain->classes + 1));
	markov_closed(n, chain->p, chain->class_of, chain->classes, class_closed);
	members = migration_ints(chain->classes);
	for (int i = 0; i < n; i++)
		members[chain->class_of[i]]++;
	chain->closed = palloc0(sizeof(bool) * (n + 1));
	chain->absorbing = palloc0(sizeof(bool) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		chain->closed[i] = class_closed[chain->class_of[i]] && chain->unknown[i] == MARKOV_DEFINED;
		chain->absorbing[i] = chain->closed[i] && members[chain->class_of[i]] == 1;
	}
}

void
migration_chain_argument(MigrationChain *chain, FunctionCallInfo fcinfo, int arg)
{
	migration_chain_open(chain, PG_GETARG_MIGRATION_PP(0), arg == 0 || PG_ARGISNULL(arg) ? NULL :
						 PG_GETARG_ARRAYTYPE_P(arg), "absorbing");
}

/* ---------- reasons ---------- */

const char *
migration_reason_unknown(const MigrationMatrix *matrix, int state)
{
	return psprintf("no customers seen leaving \"%s\"", matrix->labels[state]);
}

void
migration_put_number(Datum *values, bool *nulls, int column, double value)
{
	if (isinf(value))
		float_overflow_error();
	set_float8(values, nulls, column, value);
}
