/*
 * parameter_sets.c
 *	  Parameters of an aggregate that may differ between its groups.
 *
 * Promises, never: see parameter_sets.h.
 */
#include "fmgr/parameter_sets.h"

#include "fmgr/arguments.h"

void
parameter_differs_error(const char *name)
{
	differ_error(name, "a group", "Add it to GROUP BY, or use one aggregate for each.");
}

bool
parameter_sets_find(ParameterSet **sets, const void *shared, FunctionCallInfo fcinfo,
					const void *query, ParameterDiffers differs)
{
	ParameterSet **link = sets;
	ParameterSet *set;

	for (; (set = *link) != NULL; link = &set->next)
	{
		const char *name;

		if (shared != NULL && set->shared != shared)
			continue;
		name = differs(fcinfo, query, set);
		if (name == NULL)
			break;
		if (shared != NULL)
			parameter_differs_error(name);
	}
	if (set == NULL)
		return false;
	/* rows of a group tend to come together */
	*link = set->next;
	parameter_sets_add(sets, set);
	return true;
}

text *
parameter_text_copy(FunctionCallInfo fcinfo, int arg)
{
	return arg < PG_NARGS() && !PG_ARGISNULL(arg) ? PG_GETARG_TEXT_P_COPY(arg) : NULL;
}

bool
parameter_text_same(FunctionCallInfo fcinfo, int arg, const text *value)
{
	if (arg >= PG_NARGS() || PG_ARGISNULL(arg))
		return value == NULL;
	return value != NULL && text_equal(PG_GETARG_TEXT_PP(arg), value);
}
