/*
 * cohort_params.c
 *	  What a cohort table was asked: period, window, zone.
 *
 * The promises are in cohort_params.h.
 */
#include "cohort/cohort_params.h"

#include "common/int.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

Calendar *
cohort_calendar(const CohortParams *params)
{
	return calendar_create(params->spec, params->zoned,
						   params->zone[0] ? zone_parse(params->zone, strlen(params->zone)) : NULL);
}

void
cohort_params_window(CohortParams *params, const Interval *window)
{
	if (RETENTION_INTERVAL_IS_INFINITE(window) ||
		!rolling_width_valid(window->month, window->day, window->time))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rolling window must be a positive interval, not \"%s\"",
						DatumGetCString(DirectFunctionCall1(interval_out,
															PointerGetDatum(window)))),
				 errhint("Use interval '30 days', '24 hours' or '1 month'.")));
	params->rolling = true;
	params->months = window->month;
	params->days = window->day;
	params->micros = window->time;
}

void
cohort_params_early(CohortParams *params, const Interval *early)
{
	RollingWidth width = rolling_width(params->zoned, params->months, params->days, params->micros);
	int64		micros = 0;

	if (RETENTION_INTERVAL_IS_INFINITE(early) || early->month != 0 || early->day < 0 ||
		early->time < 0 ||
		pg_add_s64_overflow(early->day * USECS_PER_DAY, early->time, &micros) ||
		micros >= width.shortest)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("early must be an interval from 0 to less than a window, not \"%s\"",
						DatumGetCString(DirectFunctionCall1(interval_out,
															PointerGetDatum(early)))),
				 errhint("Use interval '1 day', or '2 hours': an event at most that much before a boundary belongs to the window that begins there.")));
	params->early = micros;
}

void
cohort_periods_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("more than %d periods between two events of a customer",
					PG_INT32_MAX - 1),
			 errhint("Use a longer period, or filter out the outlying events.")));
}

static void
params_mismatch(const char *what, const char *a, const char *b)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cohort tables have different %s: %s and %s", what, a, b),
			 errhint("Build them with the same period, window, time zone and type of times.")));
}

static char *
window_text(const CohortParams *p)
{
	Interval	window;

	if (!p->rolling)
		return pstrdup("calendar periods");
	window.month = p->months;
	window.day = p->days;
	window.time = p->micros;
	return psprintf("interval '%s'%s",
					DatumGetCString(DirectFunctionCall1(interval_out, PointerGetDatum(&window))),
					p->early == 0 ? "" : psprintf(" (%lld microseconds early)", (long long) p->early));
}

static const char *
zone_text(const CohortParams *p)
{
	return p->zone[0] ? p->zone : "none";
}

bool
cohort_params_equal(const CohortParams *a, const CohortParams *b)
{
	return a->spec.unit == b->spec.unit && a->spec.week_start == b->spec.week_start &&
		a->zoned == b->zoned && a->rolling == b->rolling && a->months == b->months &&
		a->days == b->days && a->micros == b->micros && a->early == b->early && strcmp(a->zone, b->zone) == 0;
}

void
cohort_params_match(const CohortParams *a, const CohortParams *b)
{
	if (cohort_params_equal(a, b))
		return;
	if (memcmp(&a->spec, &b->spec, sizeof(PeriodSpec)) != 0)
		params_mismatch("periods", period_name(a->spec), period_name(b->spec));
	if (a->rolling != b->rolling || a->months != b->months || a->days != b->days ||
		a->micros != b->micros || a->early != b->early)
		params_mismatch("windows", window_text(a), window_text(b));
	if (a->zoned != b->zoned)
		params_mismatch("types of times",
						a->zoned ? "timestamptz" : "date or timestamp",
						b->zoned ? "timestamptz" : "date or timestamp");
	if (strcmp(a->zone, b->zone) != 0)
		params_mismatch("time zones", zone_text(a), zone_text(b));
}
