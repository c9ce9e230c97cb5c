/*
 * cohort_table_io.c
 *	  SQL-callable: cohort_table in and out, equality, jsonb.
 *
 * The binary form is the value's own bytes, the text form their base64: both
 * lossless and free of any setting.  What comes in is read field by field, then
 * written again and compared, so that only canonical values get in.
 *
 * Never: accepts bytes that the reader has not walked to the end.
 */
#include "cohort_table.h"

#include "catalog/pg_type.h"
#include "common/base64.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

/* NULL if the bytes are a canonical cohort_table, else what is wrong. */
static const char *
check_bytes(const char *data, Size len)
{
	CohortReader reader;
	CohortWriter writer;
	CohortTable *again;
	Calendar   *cal = NULL;
	int64		unit = PG_INT64_MAX;

	if (!cohort_reader_init(&reader, data, len))
		return reader.error;
	if (reader.empty)
		return NULL;
	if (reader.params.rolling)
		cal = cohort_calendar(&reader.params);
	cohort_writer_init(&writer, &reader.params, reader.latest, reader.join_unit);
	for (int i = 0; i < reader.nentries; i++)
		cohort_writer_entry(&writer, &reader.entries[i]);
	while (cohort_reader_next(&reader))
	{
		if (reader.params.rolling)
		{
			if (reader.group.join > reader.latest ||
				calendar_period(cal, reader.group.join) != reader.group.cohort)
				return "joining time";
			unit = Min(unit, cohort_join_unit(reader.group.join));
		}
		cohort_writer_group(&writer, &reader.group);
	}
	if (reader.error != NULL)
		return reader.error;
	if (reader.params.rolling && writer.ngroups > 0 && unit != reader.join_unit)
		return "unit of joining times";
	again = cohort_writer_finish(&writer);
	if (VARSIZE(again) - VARHDRSZ != len || memcmp(VARDATA(again), data, len) != 0)
		return "encoding";
	return NULL;
}

PG_FUNCTION_INFO_V1(cohort_table_in);
Datum
cohort_table_in(PG_FUNCTION_ARGS)
{
	char	   *text = PG_GETARG_CSTRING(0);
	int			text_len = strlen(text);
	int			max = pg_b64_dec_len(text_len);
	CohortTable *table = palloc(VARHDRSZ + max + 1);
	int			len = pg_b64_decode(text, text_len, RETENTION_B64_BINARY(VARDATA(table)), max);
	const char *wrong = len < 0 ? "base64" : check_bytes(VARDATA(table), len);

	if (wrong != NULL)
		retention_ereturn(RETENTION_ESCONTEXT(fcinfo), (Datum) 0,
						  (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						   errmsg("invalid input syntax for type %s: wrong %s",
								  "cohort_table", wrong),
						   errhint("A cohort_table is made by cohort_retention(); its text form is only for copying.")));
	SET_VARSIZE(table, VARHDRSZ + len);
	PG_RETURN_POINTER(table);
}

PG_FUNCTION_INFO_V1(cohort_table_out);
Datum
cohort_table_out(PG_FUNCTION_ARGS)
{
	CohortTable *table = PG_GETARG_COHORT_TABLE_PP(0);
	int			len = VARSIZE_ANY_EXHDR(table);
	int			max = pg_b64_enc_len(len);
	char	   *text = palloc(max + 1);
	int			written = pg_b64_encode(RETENTION_B64_BINARY(VARDATA_ANY(table)), len, text, max);

	if (written < 0)
		elog(ERROR, "could not encode cohort_table");
	text[written] = '\0';
	PG_RETURN_CSTRING(text);
}

PG_FUNCTION_INFO_V1(cohort_table_recv);
Datum
cohort_table_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len = buf->len - buf->cursor;
	const char *data = pq_getmsgbytes(buf, len);
	const char *wrong = check_bytes(data, len);
	CohortTable *table;

	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary cohort_table: wrong %s", wrong)));
	table = palloc(VARHDRSZ + len);
	SET_VARSIZE(table, VARHDRSZ + len);
	memcpy(VARDATA(table), data, len);
	PG_RETURN_POINTER(table);
}

PG_FUNCTION_INFO_V1(cohort_table_send);
Datum
cohort_table_send(PG_FUNCTION_ARGS)
{
	CohortTable *table = PG_GETARG_COHORT_TABLE_PP(0);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbytes(&buf, VARDATA_ANY(table), VARSIZE_ANY_EXHDR(table));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

static bool
tables_equal(FunctionCallInfo fcinfo)
{
	CohortTable *a = PG_GETARG_COHORT_TABLE_PP(0);
	CohortTable *b = PG_GETARG_COHORT_TABLE_PP(1);

	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

PG_FUNCTION_INFO_V1(cohort_table_eq);
Datum
cohort_table_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(tables_equal(fcinfo));
}

PG_FUNCTION_INFO_V1(cohort_table_ne);
Datum
cohort_table_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!tables_equal(fcinfo));
}

PG_FUNCTION_INFO_V1(cohort_table_hash);
Datum
cohort_table_hash(PG_FUNCTION_ARGS)
{
	CohortTable *table = PG_GETARG_COHORT_TABLE_PP(0);

	return hash_any((unsigned char *) VARDATA_ANY(table), VARSIZE_ANY_EXHDR(table));
}

PG_FUNCTION_INFO_V1(cohort_table_hash_extended);
Datum
cohort_table_hash_extended(PG_FUNCTION_ARGS)
{
	CohortTable *table = PG_GETARG_COHORT_TABLE_PP(0);

	return hash_any_extended((unsigned char *) VARDATA_ANY(table), VARSIZE_ANY_EXHDR(table),
							 PG_GETARG_INT64(1));
}

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
		appendStringInfo(buf, "{\"months\":%d,\"days\":%d,\"seconds\":%lld.%06d}",
						 params->months, params->days,
						 (long long) (params->micros / USECS_PER_SEC),
						 (int) (params->micros % USECS_PER_SEC));
	else
		appendStringInfoString(buf, "null");
	appendStringInfoString(buf, ",\"time_zone\":");
	if (params->zone[0])
		escape_json(buf, params->zone);
	else
		appendStringInfoString(buf, "null");
	appendStringInfoChar(buf, ',');
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
