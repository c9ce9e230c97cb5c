/*
 * time_unit.c
 *	  Units in which times since a first purchase are counted.
 *
 * Promises: see time_unit.h.
 */
#include "calendar/time_unit.h"

#include "utils/builtins.h"

const char *const time_unit_names[] = {"day", "week", "month", "quarter", "year", "half", NULL};
const double time_unit_days[] = {1, 7, 30.4375, 91.3125, DAYS_PER_YEAR, DAYS_PER_YEAR / 2};

TimeUnit
time_unit_parse(const text *name)
{
	int			unit = retention_word_index(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name),
											time_unit_names);

	if (unit < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown unit \"%s\"", text_to_cstring(name)),
				 errhint("Use 'day', 'week', 'month' (30.4375 days), 'quarter' (91.3125 days), 'half' (182.625 days) or 'year' (365.25 days).")));
	return (TimeUnit) unit;
}
