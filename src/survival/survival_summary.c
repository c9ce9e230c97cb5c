/*
 * survival_summary.c
 *	  SQL-callable: survival_summary(), what a survival_table is about, in one row.
 *
 * Promises: says what is in the value, and no more; can be cancelled.
 * Never: what was left out on the way into it, which its aggregate has told.
 */
#include "survival/survival_table.h"

#include "fmgr/result_row.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#define SUMMARY_COLUMNS	11
#define POLL_MASK		0xffff

PG_FUNCTION_INFO_V1(survival_summary);
Datum
survival_summary(PG_FUNCTION_ARGS)
{
	static const char *const types[] = {NULL, "bigint", "double precision", "interval"};
	SurvivalReader reader;
	int64		rows = 0;
	int64		events = 0;
	uint64		first = PG_UINT64_MAX;
	uint64		last = 0;
	uint64		items = 0;
	Datum		values[SUMMARY_COLUMNS] = {0};
	bool		nulls[SUMMARY_COLUMNS] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	survival_reader_open(&reader, PG_GETARG_SURVIVAL_TABLE_PP(0));
	while (survival_reader_item(&reader))
	{
		if ((items++ & POLL_MASK) == 0)
			CHECK_FOR_INTERRUPTS();
		rows += reader.item.count;
		if (reader.item.cause != SURVIVAL_CENSORED)
			events += reader.item.count;
		first = Min(first, reader.item.duration);
		last = Max(last, reader.item.duration);
	}
	values[0] = Int64GetDatum(rows);
	values[1] = Int64GetDatum(events);
	values[2] = Int64GetDatum(rows - events);
	nulls[3] = nulls[4] = nulls[5] = rows == 0;
	if (rows > 0)
	{
		values[3] = Float8GetDatum(survival_word_number(first, reader.head.kind));
		values[4] = Float8GetDatum(survival_word_number(last, reader.head.kind));
		values[5] = CStringGetTextDatum(types[reader.head.kind]);
	}
	values[6] = BoolGetDatum((reader.head.flags & SURVIVAL_WEIGHT) != 0);
	values[7] = BoolGetDatum((reader.head.flags & SURVIVAL_ENTRY) != 0);
	values[8] = Int32GetDatum(reader.head.ngroups);
	nulls[8] = (reader.head.flags & SURVIVAL_GROUPS) == 0;
	values[9] = Int32GetDatum(reader.head.nstrata);
	nulls[9] = (reader.head.flags & SURVIVAL_STRATA) == 0;
	values[10] = Int32GetDatum(reader.head.ncauses);
	nulls[10] = (reader.head.flags & SURVIVAL_CAUSES) == 0;
	retention_put_row(fcinfo, values, nulls);
	return (Datum) 0;
}
