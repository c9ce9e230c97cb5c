/*
 * migration_chart.c
 *	  SQL-callable: a migration matrix as shaded text, for people who look first.
 *
 * One line a state that customers came from, one column a state that they went
 * to, under its number: percent of the line and a shade of it.
 *
 * Promises: at most CHART_COLUMNS columns and CHART_LINES lines, and says so when
 * there are more; nothing but ASCII around the labels unless the database's
 * encoding is UTF-8.
 * Never: numbers that migration_rows() would not give.
 */
#include "migration/migration.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#define CHART_COLUMNS	20
#define CHART_LINES		60
#define LABEL_WIDTH		24
#define SHADES			4

static const char *const utf8_shades[SHADES + 1] = {" ", "░", "▒", "▓", "█"};
static const char *const ascii_shades[SHADES + 1] = {" ", ".", ":", "+", "#"};

/* A label as wide as it looks, cut where it is too wide; returns its width. */
static int
migration_chart_put_label(StringInfo buf, const char *label, int most)
{
	int			width = 0;

	while (*label != '\0')
	{
		int			len = pg_mblen(label);
		int			columns = pg_dsplen(label);

		/* what would break the line takes one place */
		if (columns < 0)
			columns = 1;
		if (width + columns > most)
			break;
		if (pg_dsplen(label) < 0)
			appendStringInfoChar(buf, '?');
		else
			appendBinaryStringInfo(buf, label, len);
		width += columns;
		label += len;
	}
	return width;
}

static int
label_width(const char *label)
{
	StringInfoData scratch;
	int			width;

	initStringInfo(&scratch);
	width = migration_chart_put_label(&scratch, label, LABEL_WIDTH);
	pfree(scratch.data);
	return width;
}

/* "3 loyalist", padded */
static void
put_state(StringInfo buf, int32 number, int digits, const char *label, int width)
{
	int			used;

	appendStringInfo(buf, "%*d ", digits, number);
	used = migration_chart_put_label(buf, label, LABEL_WIDTH);
	appendStringInfoSpaces(buf, width - used);
}

static void
migration_chart_end_line(StringInfo buf)
{
	while (buf->len > 0 && buf->data[buf->len - 1] == ' ')
		buf->data[--buf->len] = '\0';
	appendStringInfoChar(buf, '\n');
}

static void
put_percents(StringInfo buf, const double *row, int32 columns, bool utf8)
{
	for (int32 j = 0; j < columns; j++)
	{
		if (isnan(row[j]))
			appendStringInfoString(buf, utf8 ? "   · " : "   . ");
		else
			appendStringInfo(buf, "%4.0f%s", row[j] * 100,
							 (utf8 ? utf8_shades : ascii_shades)[(int) ceil(Min(row[j], 1) * SHADES)]);
	}
}

/* What the lines do not show. */
static void
put_notes(StringInfo buf, const MigrationMatrix *matrix, int32 lines, int32 columns)
{
	int64		entered = 0;
	int64		left = 0;

	for (int64 i = 0; i < matrix->cells_n; i++)
	{
		if (matrix->cells[i].from == matrix->states)
			entered += matrix->cells[i].count;
		if (matrix->cells[i].to == matrix->states)
			left += matrix->cells[i].count;
	}
	appendStringInfoString(buf, "percent of each line");
	if (entered > 0 || left > 0)
		appendStringInfo(buf, "; kept out: " INT64_FORMAT " %s, " INT64_FORMAT " %s", entered,
						 MIGRATION_ENTERED_NAME, left, MIGRATION_LEFT_NAME);
	if (matrix->states > columns)
		appendStringInfo(buf, "\n%d more columns: see migration_rows()", matrix->states - columns);
	if (matrix->states > lines)
		appendStringInfo(buf, "\n%d more lines: see migration_rows()", matrix->states - lines);
}

static text *
migration_chart_text(const MigrationMatrix *matrix)
{
	StringInfoData buf;
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;
	int32		k = matrix->states;
	int32		lines = Min(k, CHART_LINES);
	int32		columns = Min(k, CHART_COLUMNS);
	double	   *p = migration_probabilities(matrix);
	double	   *counts = migration_counts(matrix);
	int			digits = snprintf(NULL, 0, "%d", lines);
	int			width = strlen("from");

	initStringInfo(&buf);
	for (int32 i = 0; i < lines; i++)
		width = Max(width, label_width(matrix->labels[i]));
	appendStringInfo(&buf, "%*s %-*s %11s ", digits, "", width, "from",
					 matrix->given ? "" : "customers");
	for (int32 j = 0; j < columns; j++)
		appendStringInfo(&buf, "%4d ", j + 1);
	migration_chart_end_line(&buf);
	for (int32 i = 0; i < lines; i++)
	{
		double		customers = 0;

		for (int32 j = 0; j < k; j++)
			customers += counts[(int64) i * k + j];
		put_state(&buf, i + 1, digits, matrix->labels[i], width);
		if (matrix->given)
			appendStringInfoSpaces(&buf, 13);
		else
			appendStringInfo(&buf, " %11.0f ", customers);
		put_percents(&buf, &p[(int64) i * k], columns, utf8);
		migration_chart_end_line(&buf);
	}
	put_notes(&buf, matrix, lines, columns);
	return cstring_to_text_with_len(buf.data, buf.len);
}

PG_FUNCTION_INFO_V1(migration_chart);
Datum
migration_chart(PG_FUNCTION_ARGS)
{
	MigrationMatrix matrix;

	migration_unpack(PG_GETARG_MIGRATION_PP(0), &matrix);
	if (matrix.states == 0)
		PG_RETURN_TEXT_P(cstring_to_text("no states"));
	PG_RETURN_TEXT_P(migration_chart_text(&matrix));
}
