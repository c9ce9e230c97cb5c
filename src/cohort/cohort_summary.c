/*
 * cohort_summary.c
 *	  SQL-callable: cohort_summary(), what a cohort_table is about, in one row.
 *
 * Promises: says what is in the value, and no more.  Never: what was left out on
 * the way into it: tables that are equal have equal bytes, whatever was.
 */
#include "cohort/cohort_table.h"

#include "fmgr/result_row.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#define SUMMARY_COLUMNS 10

static void
summary_parameters(const CohortReader *reader, Calendar *cal, Datum *values, bool *nulls)
{
	const CohortParams *params = &reader->params;

	values[4] = TimestampGetDatum(calendar_to_wall(cal, reader->latest));
	values[5] = BoolGetDatum(params->dates);
	values[6] = CStringGetTextDatum(period_name(params->spec));
	nulls[4] = nulls[5] = nulls[6] = false;
	if (params->rolling)
	{
		Interval   *window = palloc0(sizeof(Interval));

		window->month = params->months;
		window->day = params->days;
		window->time = params->micros;
		values[7] = IntervalPGetDatum(window);
		nulls[7] = false;
		window = palloc0(sizeof(Interval));
		window->day = (int32) (params->early / USECS_PER_DAY);
		window->time = params->early % USECS_PER_DAY;
		values[8] = IntervalPGetDatum(window);
		nulls[8] = params->early == 0;
	}
	if (params->zone[0] != '\0')
	{
		values[9] = CStringGetTextDatum(params->zone);
		nulls[9] = false;
	}
}

PG_FUNCTION_INFO_V1(cohort_summary);
Datum
cohort_summary(PG_FUNCTION_ARGS)
{
	CohortReader reader;
	CohortGroup *group = &reader.group;
	int64		cohorts = 0;
	int32		first = 0;
	int32		last = 0;
	Datum		values[SUMMARY_COLUMNS] = {0};
	bool		nulls[SUMMARY_COLUMNS];

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	memset(nulls, true, sizeof(nulls));
	cohort_reader_open(&reader, PG_GETARG_COHORT_TABLE_PP(0));
	while (cohort_reader_group(&reader))
	{
		if (cohorts == 0)
			first = group->cohort;
		/* a cohort of rolling windows is several groups, one after the other */
		if (cohorts == 0 || group->cohort != last)
			cohorts++;
		last = group->cohort;
	}
	values[0] = Int64GetDatum(reader.members);
	values[1] = Int64GetDatum(cohorts);
	nulls[0] = nulls[1] = false;
	if (!reader.empty)
	{
		Calendar   *cal = cohort_calendar(&reader.params);

		if (cohorts > 0)
		{
			values[2] = TimestampGetDatum(calendar_start(cal, first));
			values[3] = TimestampGetDatum(calendar_start(cal, last));
			nulls[2] = nulls[3] = false;
		}
		summary_parameters(&reader, cal, values, nulls);
	}
	retention_put_row(fcinfo, values, nulls);
	return (Datum) 0;
}
