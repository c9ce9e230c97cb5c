/*
 * survival_chart.c
 *	  SQL-callable: a survival curve as text, for people who look first.
 *
 * One column a duration, from 0 to the longest; as high as the share that is
 * still there then.
 *
 * Promises: nothing but ASCII unless the database's encoding is UTF-8; no line is
 * wider than what was asked for and its scale.
 * Never: numbers that survival_rows() would not give.
 */
#include "survival/survival_table.h"

#include <math.h>

#include "fmgr/interrupts.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "models/survival/km_summary.h"
#include "utils/builtins.h"

#define WIDTH_MIN		20
#define WIDTH_MAX		200
#define HEIGHT_MIN		2
#define HEIGHT_MAX		60
#define EIGHTHS			8

static const char *const utf8_blocks[EIGHTHS + 1] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const ascii_blocks[EIGHTHS + 1] = {" ", "_", "_", "_", "_", "#", "#", "#", "#"};

static int
get_size(FunctionCallInfo fcinfo, int arg, const char *name, int preset, int min, int max)
{
	int			size = PG_ARGISNULL(arg) ? preset : PG_GETARG_INT32(arg);

	if (size < min || size > max)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be from %d to %d, not %d", name, min, max, size)));
	return size;
}

static void
survival_chart_end_line(StringInfo buf)
{
	while (buf->len > 0 && buf->data[buf->len - 1] == ' ')
		buf->data[--buf->len] = '\0';
	appendStringInfoChar(buf, '\n');
}

static void
put_title(StringInfo buf, const SurvivalCurve *curve)
{
	const char *unit = curve->kind == DURATION_INTERVAL ? " days" : "";
	KmQuantile	median = km_quantile(curve->points, curve->n, 0.5, KM_PLAIN, 0, false, poll_interrupts);
	double		events = 0;
	double		left = 0;

	for (size_t i = 0; i < curve->n; i++)
	{
		events += curve->points[i].events;
		left += curve->points[i].events + curve->points[i].censored;
	}
	appendStringInfo(buf, "%.10g customer%s, %.10g left; median ", left, left == 1 ? "" : "s", events);
	if (isnan(median.time))
		appendStringInfoString(buf, "not reached");
	else
		appendStringInfo(buf, "%.10g%s", median.time, unit);
	survival_chart_end_line(buf);
}

/* One line of cells: "from" is the share at its foot, "to" that at its top. */
static void
survival_chart_put_line(StringInfo buf, const double *survival, int width, double from, double to, bool utf8)
{
	for (int i = 0; i < width; i++)
	{
		double		filled = (survival[i] - from) / (to - from);
		int			eighths = (int) rint(Max(Min(filled, 1), 0) * EIGHTHS);

		appendStringInfoString(buf, (utf8 ? utf8_blocks : ascii_blocks)[eighths]);
	}
	survival_chart_end_line(buf);
}

/* 0, the middle and the end under their columns. */
static void
put_axis(StringInfo buf, const SurvivalCurve *curve, int width)
{
	double		last = curve->points[curve->n - 1].time;
	char	   *middle = psprintf("%g", last / 2);
	char	   *end = psprintf("%g%s", last, curve->kind == DURATION_INTERVAL ? " days" : "");
	int			at;

	appendStringInfoString(buf, "  0% +");
	for (int i = 0; i < width; i++)
		appendStringInfoChar(buf, '-');
	appendStringInfoString(buf, "\n      0");
	at = (width - 1) / 2;
	appendStringInfoSpaces(buf, Max(at - 1, 0));
	appendStringInfoString(buf, middle);
	at += strlen(middle);
	appendStringInfoSpaces(buf, Max(width - at - (int) strlen(end), 1));
	appendStringInfoString(buf, end);
}

PG_FUNCTION_INFO_V1(survival_chart);
Datum
survival_chart(PG_FUNCTION_ARGS)
{
	SurvivalCurve curve;
	StringInfoData buf;
	bool		utf8 = GetDatabaseEncoding() == PG_UTF8;
	int			width = get_size(fcinfo, 1, "width", 60, WIDTH_MIN, WIDTH_MAX);
	int			height = get_size(fcinfo, 2, "height", 10, HEIGHT_MIN, HEIGHT_MAX);
	double	   *survival;
	double		last;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	survival_estimate(PG_GETARG_SURVIVAL_TABLE_PP(0), &curve);
	if (curve.n == 0)
		PG_RETURN_TEXT_P(cstring_to_text("no customers"));
	initStringInfo(&buf);
	put_title(&buf, &curve);
	last = curve.points[curve.n - 1].time;
	survival = palloc(sizeof(double) * width);
	for (int i = 0; i < width; i++)
		survival[i] = km_survival(curve.points, curve.n, last / (width - 1) * i);
	/* whatever the division makes of it */
	survival[width - 1] = curve.points[curve.n - 1].survival;
	for (int line = height; line > 0; line--)
	{
		if (line == height)
			appendStringInfoString(&buf, "100% |");
		else if (line * 2 == height)
			appendStringInfoString(&buf, " 50% |");
		else
			appendStringInfoString(&buf, "     |");
		survival_chart_put_line(&buf, survival, width, (double) (line - 1) / height, (double) line / height, utf8);
	}
	put_axis(&buf, &curve, width);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf.data, buf.len));
}
