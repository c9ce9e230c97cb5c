/*
 * window_arguments.c
 *	  Arguments of window functions that read their whole partition at its first
 *	  row.
 *
 * Promises, never: see window_arguments.h.
 */
#include "fmgr/window_arguments.h"

#include "catalog/pg_type.h"
#include "fmgr/arguments.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"

Datum
window_required_argument(WindowObject winobj, int arg, const char *name)
{
	bool		isnull;
	Datum		value = window_first_argument(winobj, arg, &isnull);

	if (isnull)
		null_argument_error(name, NULL);
	return value;
}

AsOf
window_as_of(FunctionCallInfo fcinfo, WindowObject winobj, int arg, int64 row, Oid type,
			 const char *hint)
{
	bool		isnull;
	Datum		value = window_row_argument(winobj, arg, row, &isnull);

	if (isnull)
		return as_of_none();
	if (!OidIsValid(type))
		type = get_fn_expr_argtype(fcinfo->flinfo, arg);
	return as_of_from_datum(value, type, hint);
}

void
window_watch(FunctionCallInfo fcinfo, WindowObject winobj, WatchedArguments *list, int arg,
			 const char *name)
{
	WatchedArgument *item;

	if (get_fn_expr_arg_stable(fcinfo->flinfo, arg))
		return;
	Assert(list->n < WATCHED_MAX);
	item = &list->items[list->n++];
	item->arg = arg;
	item->name = name;
	get_typlenbyval(get_fn_expr_argtype(fcinfo->flinfo, arg), &item->typlen, &item->typbyval);
	item->first = window_first_argument(winobj, arg, &item->isnull);
	if (!item->isnull)
		item->first = datumCopy(item->first, item->typbyval, item->typlen);
}

void
window_check_watched(WindowObject winobj, const WatchedArguments *list, int64 row)
{
	for (int i = 0; i < list->n; i++)
	{
		const WatchedArgument *item = &list->items[i];
		bool		isnull;
		Datum		value = window_row_argument(winobj, item->arg, row, &isnull);

		if (isnull != item->isnull ||
			(!isnull && !datum_image_eq(value, item->first, item->typbyval, item->typlen)))
			window_differ_error(item->name, list->hint);
	}
}

void
window_differ_error(const char *name, const char *hint)
{
	differ_error(name, "a partition", hint);
}
