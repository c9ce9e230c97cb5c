/*
 * cohort_table_io.c
 *	  SQL-callable: cohort_table in and out, equality, roll-up, jsonb.
 *
 * The binary form is the value's own bytes, the text form their base64: both
 * lossless and free of any setting.  What comes in is read field by field, then
 * written again and compared, so that only canonical values get in.
 *
 * Never: accepts bytes that the reader has not walked to the end.
 */
#include "cohort/cohort_table_trans.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"
#include "value/value_type.h"

VALUE_TYPE_ADDS(cohort_table, .maker = "cohort_retention()", .check = cohort_table_check,
				.add = cohort_table_merge, .finish = cohort_open_finish,
				.match = cohort_table_match, .load = cohort_table_load)

/* ---------- jsonb ---------- */

static void
json_timestamp(StringInfo buf, const char *name, Timestamp wall)
{
	char		text[MAXDATELEN + 1];

	JsonEncodeDateTime(text, TimestampGetDatum(wall), TIMESTAMPOID, NULL);
	appendStringInfo(buf, "\"%s\":\"%s\"", name, text);
}

static void
json_header(StringInfo buf, const CohortReader *reader, Calendar *cal)
{
	const CohortParams *params = &reader->params;

	appendStringInfo(buf, "\"period\":\"%s\",\"window\":", period_name(params->spec));
	if (params->rolling)
	{
		appendStringInfo(buf, "{\"months\":%d,\"days\":%d,\"seconds\":%lld.%06d",
						 params->months, params->days,
						 (long long) (params->micros / USECS_PER_SEC),
						 (int) (params->micros % USECS_PER_SEC));
		if (params->early > 0)
			appendStringInfo(buf, ",\"early_seconds\":%lld.%06d",
							 (long long) (params->early / USECS_PER_SEC),
							 (int) (params->early % USECS_PER_SEC));
		appendStringInfoChar(buf, '}');
	}
	else
		appendStringInfoString(buf, "null");
	appendStringInfoString(buf, ",\"time_zone\":");
	if (params->zone[0])
		escape_json(buf, params->zone);
	else
		appendStringInfoString(buf, "null");
	appendStringInfo(buf, ",\"dates\":%s,", params->dates ? "true" : "false");
	json_timestamp(buf, "latest", calendar_to_wall(cal, reader->latest));
}

static void
json_lifecycle(StringInfo buf, const CohortReader *reader, Calendar *cal)
{
	appendStringInfoString(buf, ",\"lifecycle\":[");
	for (int i = 0; i < reader->nentries; i++)
	{
		LifecycleEntry *entry = &reader->entries[i];

		appendStringInfoString(buf, i == 0 ? "{" : ",{");
		json_timestamp(buf, "period_start", calendar_start(cal, entry->period));
		appendStringInfo(buf, ",\"active\":%lld,\"new\":%lld,\"returning\":%lld}",
						 (long long) entry->active, (long long) entry->fresh,
						 (long long) entry->returning);
	}
	appendStringInfoChar(buf, ']');
}

static void
json_tally(StringInfo buf, const char *name, const Tally *tally)
{
	appendStringInfo(buf, ",\"%s\":{", name);
	for (int i = 0; i < tally->n; i++)
		appendStringInfo(buf, "%s\"%d\":%lld", i == 0 ? "" : ",", tally->k[i],
						 (long long) tally->count[i]);
	appendStringInfoChar(buf, '}');
}

/* One object a group: a cohort, or with rolling windows a joining instant of it. */
static void
json_groups(StringInfo buf, CohortReader *reader, Calendar *cal)
{
	bool		first = true;

	appendStringInfoString(buf, ",\"cohorts\":[");
	while (cohort_reader_group(reader))
	{
		CohortGroup *group = &reader->group;

		appendStringInfoString(buf, first ? "{" : ",{");
		first = false;
		json_timestamp(buf, "cohort", calendar_start(cal, group->cohort));
		if (reader->params.rolling)
		{
			appendStringInfoChar(buf, ',');
			json_timestamp(buf, "joined", calendar_to_wall(cal, group->join));
		}
		appendStringInfo(buf, ",\"size\":%lld", (long long) group->members);
		json_tally(buf, "on", &group->on);
		json_tally(buf, "last", &group->last);
		json_tally(buf, "first", &group->first);
		json_tally(buf, "first_return", &group->back);
		json_tally(buf, "streak", &group->streak);
		appendStringInfoChar(buf, '}');
	}
	appendStringInfoChar(buf, ']');
}

PG_FUNCTION_INFO_V1(cohort_table_to_jsonb);
Datum
cohort_table_to_jsonb(PG_FUNCTION_ARGS)
{
	CohortTable *table = PG_GETARG_COHORT_TABLE_PP(0);
	CohortReader reader;
	StringInfoData buf;

	cohort_reader_open(&reader, table);
	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	if (reader.empty)
		appendStringInfoString(&buf, "\"lifecycle\":[],\"cohorts\":[]");
	else
	{
		Calendar   *cal = cohort_calendar(&reader.params);

		json_header(&buf, &reader, cal);
		json_lifecycle(&buf, &reader, cal);
		json_groups(&buf, &reader, cal);
	}
	appendStringInfoChar(&buf, '}');
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data)));
}
