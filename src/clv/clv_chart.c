/*
 * clv_chart.c
 *	  SQL-callable: a model against what customers did, as text, for people who
 *	  look first.
 *
 * One line a period or frequency, with a bar: what was expected and happened,
 * then what happened beyond it, or what was expected and did not happen.
 *
 * Promises: at most CHART_LINES lines of bars; nothing but ASCII unless the
 * database's encoding is UTF-8.
 * Never: numbers that the functions with rows would not give.
 */
#include "clv/clv_validation.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#define CHART_LINES	80
#define BAR_WIDTH	40

static const char *const utf8_marks[] = {"█", "▓", "░"};
static const char *const ascii_marks[] = {"#", "+", "."};

/* What a line shows, where all lines end at "top". */
static void
put_bar(StringInfo buf, double actual, double expected, double top)
{
	const char *const *marks = GetDatabaseEncoding() == PG_UTF8 ? utf8_marks : ascii_marks;
	double		scale = top > 0 ? BAR_WIDTH / top : 0;
	int			both;
	int			longer;

	if (isnan(expected))
		expected = actual;
	both = (int) rint(Min(actual, expected) * scale);
	longer = (int) rint(Max(actual, expected) * scale);
	if (longer > 0)
		appendStringInfoChar(buf, ' ');
	for (int i = 0; i < longer; i++)
		appendStringInfoString(buf, marks[i < both ? 0 : actual > expected ? 1 : 2]);
	appendStringInfoChar(buf, '\n');
}

static void
put_legend(StringInfo buf, const char *what)
{
	const char *const *marks = GetDatabaseEncoding() == PG_UTF8 ? utf8_marks : ascii_marks;

	appendStringInfo(buf, "%s; %s as expected, %s beyond, %s short of it", what, marks[0],
					 marks[1], marks[2]);
}

/* A number of at most so many decimals, or what stands for one that is not known. */
static const char *
number(double value, int decimals)
{
	return isnan(value) ? "-" : psprintf("%.*f", decimals, value);
}

/* The shortest period of which there are not too many. */
static TrackingStep
choose_step(const Validation *validation)
{
	TrackingStep step = TRACK_DAY;

	while (step < TRACK_YEAR && validation_periods(validation, step) > CHART_LINES)
		step++;
	return step;
}

static void
put_tracking(StringInfo buf, const Validation *validation)
{
	TrackingStep step = choose_step(validation);
	TrackingPeriod *periods;
	int			n = validation_tracking(validation, step, &periods);
	bool		calibration = true;
	double		top = 0;

	if (n > 0)
		top = isnan(periods[n - 1].expected) ? periods[n - 1].actual :
			Max(periods[n - 1].actual, periods[n - 1].expected);
	appendStringInfo(buf, "%-10s %10s %12s\n", "until", "actual", "expected");
	for (int k = Max(n - CHART_LINES, 0); k < n; k++)
	{
		if (calibration && periods[k].until > validation->data.calibration_end)
		{
			appendStringInfoString(buf, "holdout\n");
			calibration = false;
		}
		appendStringInfo(buf, "%-10s %10lld %12s", clv_data_day(periods[k].until),
						 (long long) periods[k].actual, number(periods[k].expected, 1));
		put_bar(buf, periods[k].actual, periods[k].expected, top);
	}
	put_legend(buf, psprintf("cumulative repeat purchases by %s", tracking_steps[step]));
	if (n > CHART_LINES)
		appendStringInfo(buf, "\n%d earlier periods: see tracking_rows()", n - CHART_LINES);
}

static void
put_classes(StringInfo buf, const Validation *validation, bool holdout)
{
	FrequencyClass *classes = validation_classes(validation, UP_TO_DEFAULT);
	double		actual[UP_TO_DEFAULT + 1];
	double		expected[UP_TO_DEFAULT + 1];
	double		top = 0;

	if (holdout)
		validation_holdout(validation, UP_TO_DEFAULT, classes);
	else
		validation_frequencies(validation, UP_TO_DEFAULT, classes);
	for (int k = 0; k <= UP_TO_DEFAULT; k++)
	{
		double		customers = classes[k].customers;

		actual[k] = holdout ? classes[k].holdout / customers : customers;
		expected[k] = holdout ? classes[k].holdout_expected / customers : classes[k].expected;
		if (actual[k] > top)
			top = actual[k];
		if (expected[k] > top)
			top = expected[k];
	}
	appendStringInfo(buf, "%-10s %10s %12s\n", "frequency", "actual", "expected");
	for (int k = 0; k <= UP_TO_DEFAULT; k++)
	{
		appendStringInfo(buf, "%d%-9s %10s %12s", k, k == UP_TO_DEFAULT ? "+" : "",
						 number(actual[k], holdout ? 2 : 0), number(expected[k], holdout ? 2 : 1));
		put_bar(buf, isnan(actual[k]) ? 0 : actual[k], expected[k], top);
	}
	put_legend(buf, holdout ? "mean purchases in the holdout, by frequency in calibration" :
			   "customers by repeat purchases in calibration");
}

PG_FUNCTION_INFO_V1(clv_chart);
Datum
clv_chart(PG_FUNCTION_ARGS)
{
	static const char *const charts[] = {"tracking", "frequency", "holdout", NULL};
	Validation	validation;
	StringInfoData buf;
	int			chart = 0;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (!PG_ARGISNULL(2))
	{
		text	   *name = PG_GETARG_TEXT_PP(2);

		chart = retention_word_index(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), charts);
		if (chart < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("unknown chart \"%s\"", text_to_cstring(name)),
					 errhint("Use 'tracking', 'frequency' or 'holdout'.")));
	}
	validation_open(&validation, PG_GETARG_CLV_MODEL_PP(0), PG_GETARG_CLV_DATA(1));
	if (validation.data.nrows == 0)
		PG_RETURN_TEXT_P(cstring_to_text("no customers"));
	if (chart == 2 && !validation_has_holdout(&validation))
		PG_RETURN_TEXT_P(cstring_to_text("no holdout"));
	initStringInfo(&buf);
	appendStringInfo(&buf, "%s\n", validation.predictor->model.purchase->text.label);
	if (chart == 0)
		put_tracking(&buf, &validation);
	else
		put_classes(&buf, &validation, chart == 2);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf.data, buf.len));
}
