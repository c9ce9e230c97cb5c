/*
 * arguments.c
 *	  Arguments of SQL-callable functions: their types, their times, their
 *	  bounds, whether they are constants.
 *
 * Promises: see arguments.h.
 */
#include "fmgr/arguments.h"

#include "catalog/pg_type.h"
#include "nodes/pg_list.h"
#include "nodes/primnodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

bool
type_is_number(Oid type)
{
	char		category;
	bool		preferred;

	if (!OidIsValid(type))
		return false;
	get_type_category_preferred(getBaseType(type), &category, &preferred);
	return category == TYPCATEGORY_NUMERIC;
}

Oid
time_argument_type(FunctionCallInfo fcinfo, int arg, const char *name)
{
	Oid			given = get_fn_expr_argtype(fcinfo->flinfo, arg);
	Oid			type = OidIsValid(given) ? getBaseType(given) : InvalidOid;

	if (type != DATEOID && type != TIMESTAMPOID && type != TIMESTAMPTZOID)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s must be a date, timestamp or timestamptz, not %s", name,
						OidIsValid(given) ? format_type_be(given) : "unknown"),
				 type_is_number(given) ? errhint(HINT_NUMBER_AS_TIME) :
				 errhint("Cast it, as in ordered_at::timestamptz.")));
	return type;
}

void
require_argument(FunctionCallInfo fcinfo, int arg, const char *name)
{
	if (arg != 0 && PG_ARGISNULL(arg))
		null_argument_error(name, NULL);
}

void
null_argument_error(const char *name, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
			 errmsg("%s must not be NULL", name),
			 hint != NULL ? errhint("%s", hint) : 0));
}

void
differ_error(const char *name, const char *rows, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be the same in all rows of %s", name, rows),
			 errhint("%s", hint)));
}

/*
 * Is an argument a constant of the query, so that it need be read only once?
 * In an aggregate fn_expr holds placeholders: the Aggref has the arguments.
 */
bool
argument_varies(FunctionCallInfo fcinfo, int arg)
{
	Aggref	   *aggref = AggGetAggref(fcinfo);
	Node	   *node;

	if (aggref == NULL || arg > list_length(aggref->args))
		return true;
	node = (Node *) ((TargetEntry *) list_nth(aggref->args, arg - 1))->expr;
	return !IsA(node, Const) &&
		!(IsA(node, Param) && ((Param *) node)->paramkind == PARAM_EXTERN);
}

void
not_in_aggregate_error(const char *aggregate)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("this function is part of the aggregate %s and cannot be called",
					aggregate)));
}

void
infinite_time_error(bool negative)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("time \"%s\" cannot be placed in a period",
					negative ? "-infinity" : "infinity"),
			 errhint("Filter such rows out, or replace them by NULL.")));
}

void
date_range_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("date out of range for timestamp")));
}

double
argument_confidence(FunctionCallInfo fcinfo, int arg)
{
	double		confidence = PG_ARGISNULL(arg) ? 0.95 : PG_GETARG_FLOAT8(arg);

	/* written so that NaN fails */
	if (!(confidence > 0 && confidence < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("confidence must be between 0 and 1, not %g", confidence),
				 errhint("Write 0.95 for a 95%% interval.")));
	return confidence;
}
