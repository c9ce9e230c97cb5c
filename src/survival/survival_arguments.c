/*
 * survival_arguments.c
 *	  Arguments of the functions that read a survival_table.
 *
 * Promises: see survival_arguments.h.
 */
#include "survival/survival_arguments.h"

#include "fmgr/arguments.h"
#include "math/wilson.h"
#include "survival/survival_table.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

double
survival_z_argument(FunctionCallInfo fcinfo, int arg)
{
	return normal_two_sided_z(argument_confidence(fcinfo, arg));
}

KmBand
survival_band_argument(FunctionCallInfo fcinfo, int arg)
{
	/* in the order of KmBand */
	static const char *const names[] = {"plain", "log", "log-log", NULL};
	text	   *name;
	int			band;

	if (PG_ARGISNULL(arg))
		return KM_LOG_LOG;
	name = PG_GETARG_TEXT_PP(arg);
	band = retention_word_index(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), names);
	if (band < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown interval type \"%s\"", text_to_cstring(name)),
				 errhint("Write plain, log or log-log.")));
	return (KmBand) band;
}

double
survival_check_time(double time, const char *what)
{
	/* written so that NaN fails */
	if (!(time >= 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must not be negative, not %g", what, time)));
	return time;
}

double
survival_days_argument(FunctionCallInfo fcinfo, int arg, DurationKind kind, const char *what)
{
	int64		microseconds = survival_interval_microseconds(PG_GETARG_INTERVAL_P(arg), what);

	if (kind != DURATION_INTERVAL && kind != DURATION_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("%s is an interval, but the durations of the survival_table are numbers", what),
				 errhint("Write a number in the unit of the durations.")));
	return survival_check_time(survival_interval_days(microseconds), what);
}
