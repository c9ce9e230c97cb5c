/*
 * migration_sankey.c
 *	  SQL-callable: migration_sankey(), the flows of a matrix for a chart.
 *
 * Sankey charts of BI tools refuse a row whose source is its target, and rows
 * that make a circle.  Names of nodes therefore carry the period, or the side
 * they are on: every flow goes from an earlier set of nodes to a later one.
 *
 * Promises: no row is a loop and no rows make a cycle, whatever the labels of
 * the states; values are positive.
 * Never: joins a state of one period with that of another.
 */
#include "migration/migration.h"

#include "fmgr/result_row.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/formatting.h"
#include "utils/timestamp.h"

#define DAYS_TO_YEAR_1	INT64CONST(730119)	/* from 0001-01-01 to 2000-01-01 */

/*
 * A period, as short as it allows.  All of one unit are equally long, or end at
 * their year, or begin with BC: none begins with another and a space.
 */
static char *
period_label(const Calendar *cal, int32 period)
{
	static const char *const formats[] = {
		"YYYY-MM-DD HH24:MI", "YYYY-MM-DD", "YYYY-MM-DD", "YYYY-MM", "YYYY-\"Q\"Q", "YYYY"
	};
	Timestamp	start = calendar_start(cal, period);
	const char *format = cal->spec.unit != PERIOD_HALF ? formats[cal->spec.unit] :
	period & 1 ? "YYYY-\"H2\"" : "YYYY-\"H1\"";
	text	   *label;

	if (start < -(DAYS_TO_YEAR_1 * USECS_PER_DAY))
		format = psprintf("\"BC \"%s", format);
	label = DatumGetTextPP(DirectFunctionCall2(timestamp_to_char, TimestampGetDatum(start),
											   PointerGetDatum(cstring_to_text(format))));
	return text_to_cstring(label);
}

static void
put_flow(FunctionCallInfo fcinfo, const char *before, const char *from, const char *after,
		 const char *to, int64 count)
{
	Datum		values[3];
	bool		nulls[3] = {0};
	char	   *source = psprintf("%s %s", before, from);
	char	   *target = psprintf("%s %s", after, to);

	values[0] = CStringGetTextDatum(source);
	values[1] = CStringGetTextDatum(target);
	values[2] = Int64GetDatum(count);
	retention_put_row(fcinfo, values, nulls);
	pfree(source);
	pfree(target);
	pfree(DatumGetPointer(values[0]));
	pfree(DatumGetPointer(values[1]));
}

static void
put_periods(FunctionCallInfo fcinfo, const MigrationMatrix *matrix)
{
	Calendar   *cal = calendar_create(matrix->period, false, NULL);
	char	   *before = NULL;
	char	   *after = NULL;

	for (int64 i = 0; i < matrix->periods_n; i++)
	{
		const MigrationPeriodCell *cell = &matrix->periods[i];

		if (i == 0 || cell->period != matrix->periods[i - 1].period)
		{
			before = period_label(cal, cell->period - 1);
			after = period_label(cal, cell->period);
		}
		put_flow(fcinfo, before, migration_from_name(matrix, cell->from),
				 after, migration_to_name(matrix, cell->to), cell->count);
	}
}

static void
put_sides(FunctionCallInfo fcinfo, const MigrationMatrix *matrix, const char *before,
		  const char *after)
{
	for (int64 i = 0; i < matrix->cells_n; i++)
	{
		const MigrationCell *cell = &matrix->cells[i];

		put_flow(fcinfo, before, migration_from_name(matrix, cell->from),
				 after, migration_to_name(matrix, cell->to), cell->count);
	}
}

static bool
begins_with(const char *text, const char *start)
{
	size_t		len = strlen(start);

	return strncmp(text, start, len) == 0 && (text[len] == ' ' || text[len] == '\0');
}

/* Names that begin with one of them must not be names that begin with the other. */
static void
check_sides(const char *before, const char *after)
{
	if (begins_with(before, after) || begins_with(after, before))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("labels \"%s\" and \"%s\" do not tell the two sides of a Sankey chart apart",
						before, after),
				 errhint("Neither may begin with the other: '2024-01' and '2024-02', for instance.")));
}

PG_FUNCTION_INFO_V1(migration_sankey);
Datum
migration_sankey(PG_FUNCTION_ARGS)
{
	MigrationMatrix matrix;
	const char *before = PG_ARGISNULL(1) ? "from:" : text_to_cstring(PG_GETARG_TEXT_PP(1));
	const char *after = PG_ARGISNULL(2) ? "to:" : text_to_cstring(PG_GETARG_TEXT_PP(2));

	InitMaterializedSRF(fcinfo, 0);
	check_sides(before, after);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	migration_unpack(PG_GETARG_MIGRATION_PP(0), &matrix);
	if (matrix.given)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a migration_matrix of given probabilities has no customers to draw"),
				 errhint("migration_forecast() says how many of a start population will be where.")));
	if (matrix.panel && PG_ARGISNULL(1) && PG_ARGISNULL(2))
		put_periods(fcinfo, &matrix);
	else
		put_sides(fcinfo, &matrix, before, after);
	return (Datum) 0;
}
