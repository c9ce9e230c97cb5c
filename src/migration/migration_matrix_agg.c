/*
 * migration_matrix_agg.c
 *	  SQL-callable: the aggregates that make a migration_matrix of rows with two
 *	  segments.
 *
 * The transition state has the type migration_matrix (migration_trans.h) and
 * needs nothing that a call site remembers.  What fn_extra holds here only saves
 * looking things up again, and may be lost after any row.
 *
 * Promises: results do not depend on the order of rows or on how they are split;
 * the list of states must be the same in all rows of a group.
 * Never: allocates for a row whose labels are known.
 */
#include "migration/migration_enum.h"

#include "catalog/pg_type.h"
#include "fmgr/arguments.h"
#include "migration/migration_matrix_trans.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#define FROM_ARG	1
#define TO_ARG		2

typedef enum LabelType
{
	LABEL_TEXT,
	LABEL_INTEGER,
	LABEL_BOOLEAN,
	LABEL_ENUM
} LabelType;

/* The longest bigint has 20 characters. */
#define INTEGER_LABEL	24

/* ---------- enums: their labels are a declared list ---------- */

static const EnumList *
enum_list(FunctionCallInfo fcinfo)
{
	Oid			type;
	EnumList   *list;
	MemoryContext old;

	if (likely(fcinfo->flinfo->fn_extra != NULL))
		return fcinfo->flinfo->fn_extra;
	type = get_fn_expr_argtype(fcinfo->flinfo, FROM_ARG);
	if (!OidIsValid(type))
		elog(ERROR, "type of the segment is not known");
	old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	list = migration_enum_read(type);
	migration_enum_check(list);
	MemoryContextSwitchTo(old);
	return fcinfo->flinfo->fn_extra = list;
}

/* ---------- rows ---------- */

/* Labels of the list as text, where they are integers. */
static ArrayType *
states_argument(FunctionCallInfo fcinfo, int arg)
{
	ArrayType  *states = PG_GETARG_ARRAYTYPE_P(arg);
	Datum	   *values;
	bool	   *nulls;
	int			dims[1];
	int			bounds[1] = {1};

	/* of more dimensions: what reads the list says so */
	if (ARR_ELEMTYPE(states) != INT8OID || ARR_NDIM(states) > 1)
		return states;
	if (ARR_NDIM(states) == 0)
		return construct_empty_array(TEXTOID);
	deconstruct_array(states, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &values, &nulls, &dims[0]);
	for (int i = 0; i < dims[0]; i++)
		if (!nulls[i])
		{
			char		buf[INTEGER_LABEL];

			pg_lltoa(DatumGetInt64(values[i]), buf);
			values[i] = CStringGetTextDatum(buf);
		}
	return construct_md_array(values, nulls, 1, dims, bounds, TEXTOID, -1, false, TYPALIGN_INT);
}

/* citext comes as text: only the call says that it was citext. */
static uint8
text_flags(FunctionCallInfo fcinfo)
{
	Aggref	   *aggref = AggGetAggref(fcinfo);

	for (int i = 0; aggref != NULL && i < 2 && i < list_length(aggref->args); i++)
		if (migration_argument_folds((Node *) list_nth_node(TargetEntry, aggref->args, i)->expr))
			return MIGRATION_OPEN_FOLDS;
	return 0;
}

static pg_noinline MigrationTrans *
matrix_agg_create_state(FunctionCallInfo fcinfo, LabelType type, int states_arg)
{
	char	  **labels;
	int32		n;

	uint8		flags = type == LABEL_TEXT ? text_flags(fcinfo) : 0;

	if (type == LABEL_ENUM)
		return migration_open_declare(enum_list(fcinfo)->in_order, enum_list(fcinfo)->n, flags);
	if (states_arg == 0)
		return migration_open_create(flags);
	labels = migration_states_list(states_argument(fcinfo, states_arg), &n);
	return migration_open_declare(labels, n, flags | MIGRATION_OPEN_LISTED);
}

/* Is the list of this row that of the state?  A constant needs no second look. */
static inline void
check_states(FunctionCallInfo fcinfo, int states_arg, const MigrationTrans *open)
{
	static const char constant = 0;

	if (likely(fcinfo->flinfo->fn_extra == &constant))
		return;
	require_argument(fcinfo, states_arg, "list of states");
	if (!argument_varies(fcinfo, states_arg))
		fcinfo->flinfo->fn_extra = unconstify(char *, &constant);
	if (!migration_open_declares(open, states_argument(fcinfo, states_arg)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("list of states must be the same in all rows")));
}

static pg_attribute_always_inline void
read_label(FunctionCallInfo fcinfo, int arg, LabelType type, char *buf,
		   const char **label, int *len)
{
	if (PG_ARGISNULL(arg))
	{
		*label = NULL;
		*len = 0;
	}
	else if (type == LABEL_TEXT)
	{
		text	   *value = PG_GETARG_TEXT_PP(arg);

		*label = VARDATA_ANY(value);
		*len = VARSIZE_ANY_EXHDR(value);
	}
	else if (type == LABEL_INTEGER)
	{
		*label = buf;
		*len = pg_lltoa(PG_GETARG_INT64(arg), buf);
	}
	else if (type == LABEL_BOOLEAN)
	{
		*label = migration_boolean_label(PG_GETARG_BOOL(arg));
		*len = strlen(*label);
	}
	else
	{
		const EnumLabel *value = migration_enum_label(enum_list(fcinfo), PG_GETARG_OID(arg));

		*label = value->label;
		*len = value->len;
	}
}

static pg_attribute_always_inline Datum
matrix_trans(FunctionCallInfo fcinfo, LabelType type, int value_arg, int states_arg)
{
	MigrationTrans *open;
	MigrationMove move;
	char		from[INTEGER_LABEL];
	char		to[INTEGER_LABEL];

	require_aggregate(fcinfo, "migration_matrix");
	if (unlikely(PG_ARGISNULL(0)))
	{
		require_argument(fcinfo, states_arg, "list of states");
		open = matrix_agg_create_state(fcinfo, type, states_arg);
	}
	else
		open = migration_open_state((MigrationValue *) PG_GETARG_POINTER(0));
	if (states_arg)
		check_states(fcinfo, states_arg, open);
	read_label(fcinfo, FROM_ARG, type, from, &move.from, &move.from_len);
	read_label(fcinfo, TO_ARG, type, to, &move.to, &move.to_len);
	if (unlikely(move.from == NULL && move.to == NULL))
		PG_RETURN_POINTER(open);
	move.customers = 1;
	move.value = value_arg && !PG_ARGISNULL(value_arg) ?
		amount_from_datum(PG_GETARG_DATUM(value_arg)) : amount_none();
	PG_RETURN_POINTER(migration_open_add(open, &move));
}

/* One entry point for each signature: none may look for an argument it lacks. */
#define MATRIX_TRANS(name, type, value_arg, states_arg) \
	PG_FUNCTION_INFO_V1(name); \
	Datum name(PG_FUNCTION_ARGS) { return matrix_trans(fcinfo, type, value_arg, states_arg); }

MATRIX_TRANS(migration_matrix_trans, LABEL_TEXT, 0, 0)
MATRIX_TRANS(migration_matrix_value_trans, LABEL_TEXT, 3, 0)
MATRIX_TRANS(migration_matrix_states_trans, LABEL_TEXT, 0, 3)
MATRIX_TRANS(migration_matrix_value_states_trans, LABEL_TEXT, 3, 4)
MATRIX_TRANS(migration_matrix_integer_trans, LABEL_INTEGER, 0, 0)
MATRIX_TRANS(migration_matrix_integer_value_trans, LABEL_INTEGER, 3, 0)
MATRIX_TRANS(migration_matrix_integer_states_trans, LABEL_INTEGER, 0, 3)
MATRIX_TRANS(migration_matrix_integer_value_states_trans, LABEL_INTEGER, 3, 4)
MATRIX_TRANS(migration_matrix_boolean_trans, LABEL_BOOLEAN, 0, 0)
MATRIX_TRANS(migration_matrix_boolean_value_trans, LABEL_BOOLEAN, 3, 0)
MATRIX_TRANS(migration_matrix_enum_trans, LABEL_ENUM, 0, 0)
MATRIX_TRANS(migration_matrix_enum_value_trans, LABEL_ENUM, 3, 0)

/*
 * States of one process are open, those that came as text from another node are
 * finished.
 */
PG_FUNCTION_INFO_V1(migration_matrix_combine);
Datum
migration_matrix_combine(PG_FUNCTION_ARGS)
{
	require_aggregate(fcinfo, "migration_matrix");
	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	/* a copy, which may be changed: no state is shared between groups */
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(migration_open_state((MigrationValue *) PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(1))));
	PG_RETURN_POINTER(migration_open_merge(migration_open_state((MigrationValue *) PG_GETARG_POINTER(0)),
										   value_get_open(fcinfo, 1, &migration_matrix_type)));
}

PG_FUNCTION_INFO_V1(migration_matrix_final);
Datum
migration_matrix_final(PG_FUNCTION_ARGS)
{
	require_aggregate(fcinfo, "migration_matrix");
	if (PG_ARGISNULL(0))
	{
		MigrationMatrix nothing;

		memset(&nothing, 0, sizeof(nothing));
		PG_RETURN_POINTER(migration_pack(&nothing));
	}
	PG_RETURN_POINTER(PG_GETARG_MIGRATION_PP(0));
}
