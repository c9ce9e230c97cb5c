/*
 * survival_table_io.c
 *	  SQL-callable: survival_table in and out, equality, roll-up, jsonb; and the
 *	  whole of a table in memory.
 *
 * Promises: nothing unchecked gets in (survival_table.c); rollup() gives what one
 * aggregate over all rows would, whatever the order.
 * Never: estimates anything.
 */
#include "survival/survival_table.h"

#include "common/shortest_dec.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/memutils.h"

VALUE_TYPE_ADDS(survival_table, .maker = "survival_curve()", .check = survival_check,
				.add = survival_add_values, .match = survival_match, .load = survival_load)

/* ---------- in memory ---------- */

/* Labels in the server's encoding; none without. */
static char **
server_labels(bool has, int n, char **stored, int *count)
{
	char	  **labels = palloc(sizeof(char *) * (n + 1));

	*count = has ? n : 0;
	for (int i = 0; i < *count; i++)
		labels[i] = pg_any_to_server(stored[i], strlen(stored[i]), PG_UTF8);
	return labels;
}

static void
survival_table_io_unpack_item(const SurvivalItem *item, DurationKind kind, bool entry, SurvivalRow *row)
{
	memset(row, 0, sizeof(SurvivalRow));
	row->group = (int32) item->group;
	row->stratum = (int32) item->stratum;
	row->real = survival_word_number(item->duration, kind);
	if (kind != DURATION_FLOAT)
		row->whole = survival_word_whole(item->duration);
	if (entry)
	{
		row->entry_real = survival_word_number(item->entry, kind);
		if (kind != DURATION_FLOAT)
			row->entry_whole = survival_word_whole(item->entry);
	}
	row->cause = (int32) item->cause;
	row->weight = survival_word_real(item->weight);
	row->count = item->count;
}

SurvivalTable *
survival_unpack(const SurvivalTableValue *value)
{
	SurvivalTable *table = palloc0(sizeof(SurvivalTable));
	SurvivalReader reader;
	const SurvivalHead *head = &reader.head;
	int64		room = 64;

	survival_reader_open(&reader, value);
	table->kind = head->kind;
	table->has_entry = (head->flags & SURVIVAL_ENTRY) != 0;
	table->has_weight = (head->flags & SURVIVAL_WEIGHT) != 0;
	table->has_causes = (head->flags & SURVIVAL_CAUSES) != 0;
	table->has_groups = (head->flags & SURVIVAL_GROUPS) != 0;
	table->has_strata = (head->flags & SURVIVAL_STRATA) != 0;
	table->groups = server_labels(table->has_groups, head->ngroups, head->groups, &table->ngroups);
	table->strata = server_labels(table->has_strata, head->nstrata, head->strata, &table->nstrata);
	table->causes = server_labels(table->has_causes, head->ncauses, head->causes, &table->ncauses);
	table->rows = palloc(sizeof(SurvivalRow) * room);
	while (survival_reader_item(&reader))
	{
		if (table->n == room)
			table->rows = repalloc_huge(table->rows, sizeof(SurvivalRow) * (room *= 2));
		survival_table_io_unpack_item(&reader.item, head->kind, table->has_entry, &table->rows[table->n++]);
	}
	return table;
}

/* ---------- jsonb ---------- */

static const char *const kind_names[] = {NULL, "bigint", "double precision", "microseconds"};

/* The shortest digits that read back as the same number, whatever the settings. */
static void
put_real(StringInfo buf, const char *name, double real)
{
	char		text[DOUBLE_SHORTEST_DECIMAL_LEN];

	double_to_shortest_decimal_buf(real, text);
	appendStringInfo(buf, "\"%s\":%s", name, text);
}

/* A duration as it is kept. */
static void
put_time(StringInfo buf, const char *name, DurationKind kind, int64 whole, double real)
{
	if (kind == DURATION_FLOAT)
		put_real(buf, name, real);
	else
		appendStringInfo(buf, "\"%s\":" INT64_FORMAT, name, whole);
}

static void
survival_table_io_put_row(StringInfo buf, const SurvivalTable *table, const SurvivalRow *row)
{
	appendStringInfoChar(buf, '{');
	if (table->has_groups)
	{
		appendStringInfoString(buf, "\"group\":");
		escape_json(buf, table->groups[row->group]);
		appendStringInfoChar(buf, ',');
	}
	if (table->has_strata)
	{
		appendStringInfoString(buf, "\"stratum\":");
		escape_json(buf, table->strata[row->stratum]);
		appendStringInfoChar(buf, ',');
	}
	put_time(buf, "duration", table->kind, row->whole, row->real);
	if (table->has_entry)
	{
		appendStringInfoChar(buf, ',');
		put_time(buf, "entry", table->kind, row->entry_whole, row->entry_real);
	}
	if (table->has_causes)
	{
		appendStringInfoString(buf, ",\"cause\":");
		if (row->cause == SURVIVAL_CENSORED)
			appendStringInfoString(buf, "null");
		else
			escape_json(buf, table->causes[row->cause - 1]);
	}
	else
		appendStringInfo(buf, ",\"event\":%s",
						 row->cause == SURVIVAL_CENSORED ? "false" : "true");
	if (table->has_weight)
	{
		appendStringInfoChar(buf, ',');
		put_real(buf, "weight", row->weight);
	}
	appendStringInfo(buf, ",\"count\":" INT64_FORMAT "}", row->count);
}

PG_FUNCTION_INFO_V1(survival_table_to_jsonb);
Datum
survival_table_to_jsonb(PG_FUNCTION_ARGS)
{
	SurvivalTable *table = survival_unpack(PG_GETARG_SURVIVAL_TABLE_PP(0));
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"duration_type\":");
	if (table->kind == DURATION_NONE)
		appendStringInfoString(&buf, "null");
	else
		appendStringInfo(&buf, "\"%s\"", kind_names[table->kind]);
	appendStringInfoString(&buf, ",\"rows\":[");
	for (int64 i = 0; i < table->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (i > 0)
			appendStringInfoChar(&buf, ',');
		survival_table_io_put_row(&buf, table, &table->rows[i]);
	}
	appendStringInfoString(&buf, "]}");
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data)));
}
