/*
 * cohort_chart.c
 *	  SQL-callable: the retention triangle as text, for people who look first.
 *
 * One line a cohort, one column a period: percent and a shade.  Shades are
 * relative to the highest rate after period 0, which is usually far below 100.
 * Cells that cannot be known yet are dots; cells in which only some members'
 * windows have closed carry a tilde.
 *
 * Promises: at most CHART_COLUMNS periods and CHART_LINES cohorts (the latest),
 * and says so when there are more; nothing but ASCII unless the database's
 * encoding is UTF-8.  Never: numbers that cohort_rows() would not give.
 */
#include "cohort/cohort_view.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#define CHART_COLUMNS	20
#define CHART_LINES		60
#define SHADES			4

static const char *const utf8_shades[SHADES + 1] = {" ", "░", "▒", "▓", "█"};
static const char *const ascii_shades[SHADES + 1] = {" ", ".", ":", "+", "#"};

typedef struct ChartLine
{
	int32		cohort;
	int64		size;
	int32		rows;
	double		rate[CHART_COLUMNS];	/* -1: not known yet */
	bool		partial[CHART_COLUMNS];
} ChartLine;

typedef struct Chart
{
	ChartLine	lines[CHART_LINES]; /* a ring: the latest cohorts */
	int64		cohorts;		/* all that were read */
	int32		periods;		/* most rows of any cohort */
} Chart;

static void
chart_read(CohortView *view, Chart *chart)
{
	while (cohort_view_next(view))
	{
		ChartLine  *line = &chart->lines[chart->cohorts % CHART_LINES];

		if (view->rows == 0)
			continue;
		line->cohort = view->cohort;
		line->size = view->size;
		line->rows = view->rows;
		chart->periods = Max(chart->periods, view->rows);
		for (int32 k = 0; k < Min(view->rows, CHART_COLUMNS); k++)
		{
			line->rate[k] = view->at_risk[k] == 0 ? -1 :
				(double) view->retained[k] / view->at_risk[k];
			line->partial[k] = view->at_risk[k] > 0 && !cell_complete(view, k);
		}
		chart->cohorts++;
	}
}

/* As short as the period allows. */
static char *
cohort_label(Calendar *cal, int32 cohort)
{
	static const char *const formats[] = {
		"YYYY-MM-DD HH24:MI", "YYYY-MM-DD", "YYYY-MM-DD", "YYYY-MM", "YYYY \"Q\"Q", "YYYY"
	};
	Timestamp	start = calendar_start(cal, cohort);
	const char *format = cal->spec.unit != PERIOD_HALF ? formats[cal->spec.unit] :
	cohort & 1 ? "YYYY \"H2\"" : "YYYY \"H1\"";
	text	   *label;

	if (start < -(INT64CONST(730119) * USECS_PER_DAY))
		format = psprintf("%s BC", format);
	label = DatumGetTextPP(DirectFunctionCall2(timestamp_to_char, TimestampGetDatum(start),
											   PointerGetDatum(cstring_to_text(format))));
	return text_to_cstring(label);
}

static void
cohort_chart_put_line(StringInfo buf, const ChartLine *line, int32 columns, double top, bool utf8)
{
	appendStringInfo(buf, " " INT64_FORMAT, line->size);
	for (int pad = snprintf(NULL, 0, INT64_FORMAT, line->size); pad < 8; pad++)
		appendStringInfoChar(buf, ' ');
	for (int32 k = 0; k < Min(line->rows, columns); k++)
	{
		double		rate = line->rate[k];
		int			shade;

		if (rate < 0)
		{
			appendStringInfoString(buf, utf8 ? "  · " : "  . ");
			continue;
		}
		shade = top <= 0 ? 0 : (int) ceil(Min(rate / top, 1) * SHADES);
		appendStringInfo(buf, "%3.0f%s", rate * 100,
						 line->partial[k] ? "~" :
						 (utf8 ? utf8_shades : ascii_shades)[shade]);
	}
	while (buf->len > 0 && buf->data[buf->len - 1] == ' ')
		buf->data[--buf->len] = '\0';
	appendStringInfoChar(buf, '\n');
}

static text *
cohort_chart_do_chart_text(CohortView *view, const Chart *chart)
{
	static const char *const measures[] = {
		"active in the period", "active in the period or later",
		"came back by the period", "active by the period", "active in every period up to it"
	};
	StringInfoData buf;
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;
	int32		columns = Min(chart->periods, CHART_COLUMNS);
	int64		first = Max(chart->cohorts - CHART_LINES, 0);
	const char *unit = period_unit_name(view->reader.params.spec);
	int			width = strlen(unit);
	double		top = 0;

	initStringInfo(&buf);
	if (chart->cohorts == 0)
		return cstring_to_text("no cohorts");
	for (int64 i = first; i < chart->cohorts; i++)
	{
		const ChartLine *line = &chart->lines[i % CHART_LINES];

		for (int32 k = 1; k < Min(line->rows, columns); k++)
			top = Max(top, line->rate[k]);
		width = Max(width, (int) strlen(cohort_label(view->calendar, line->cohort)));
	}

	appendStringInfo(&buf, "%-*s %-8s", width, unit, "size");
	for (int32 k = 0; k < columns; k++)
		appendStringInfo(&buf, "%3d ", k);
	while (buf.data[buf.len - 1] == ' ')
		buf.data[--buf.len] = '\0';
	appendStringInfoChar(&buf, '\n');
	for (int64 i = first; i < chart->cohorts; i++)
	{
		const ChartLine *line = &chart->lines[i % CHART_LINES];

		appendStringInfo(&buf, "%-*s", width, cohort_label(view->calendar, line->cohort));
		cohort_chart_put_line(&buf, line, columns, top, utf8);
	}
	appendStringInfo(&buf, "percent %s; %s not known yet%s", measures[view->measure],
					 utf8 ? "·" : ".", view->reader.params.rolling ? ", ~ only some members' windows have closed" : "");
	if (chart->periods > columns)
		appendStringInfo(&buf, "\n%d more periods: see cohort_rows()", chart->periods - columns);
	if (first > 0)
		appendStringInfo(&buf, "\n" INT64_FORMAT " earlier cohorts: see cohort_rows()", first);
	return cstring_to_text_with_len(buf.data, buf.len);
}

static Datum
cohort_chart_any(FunctionCallInfo fcinfo, Oid type)
{
	AsOf		as_of = argument_as_of(fcinfo, 1, type, AS_OF_HINT_EVENT);
	CohortView	view;
	Chart	   *chart;
	Measure		measure = PG_ARGISNULL(2) ? MEASURE_ON : measure_parse(PG_GETARG_TEXT_PP(2));

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	chart = palloc0(sizeof(Chart));
	cohort_view_open(&view, PG_GETARG_COHORT_TABLE_PP(0), as_of, measure,
					 cohort_range_arguments(fcinfo, 3));
	cohort_view_tell_silence(fcinfo, &view);
	chart_read(&view, chart);
	PG_RETURN_TEXT_P(cohort_chart_do_chart_text(&view, chart));
}

AS_OF_VERSIONS(cohort_chart)
