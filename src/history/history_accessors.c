/*
 * history_accessors.c
 *	  SQL-callable: what can be asked of one customer_history.
 *
 * Promises: amounts are numeric and exact; NULL where there is nothing to say.
 * Never: changes a history; cuts make new ones.
 */
#include "history/history.h"

#include "calendar/time_unit.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

static Datum
amount_datum(const Amount *amount)
{
	return NumericGetDatum(amount_to_numeric(amount));
}

PG_FUNCTION_INFO_V1(history_days);
Datum
history_days(PG_FUNCTION_ARGS)
{
	HistoryAll	all;
	Datum		values[3];
	bool		nulls[3] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	history_all_open(&all, PG_GETARG_HISTORY_PP(0));
	while (history_all_day(&all))
	{
		values[0] = DateADTGetDatum(all.day.day);
		values[1] = Int64GetDatum(all.day.events);
		nulls[2] = all.day.amount.scale == AMOUNT_NONE;
		if (!nulls[2])
			values[2] = amount_datum(&all.day.amount);
		retention_put_row(fcinfo, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(history_until);
Datum
history_until(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(history_cut(PG_GETARG_HISTORY_PP(0), DATEVAL_NOBEGIN,
								  PG_GETARG_DATEADT(1)));
}

PG_FUNCTION_INFO_V1(history_since);
Datum
history_since(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(history_cut(PG_GETARG_HISTORY_PP(0), PG_GETARG_DATEADT(1),
								  DATEVAL_NOEND));
}

PG_FUNCTION_INFO_V1(history_first_day);
Datum
history_first_day(PG_FUNCTION_ARGS)
{
	HistoryReader reader;

	history_reader_open(&reader, PG_GETARG_HISTORY_PP(0));
	if (!history_reader_day(&reader))
		PG_RETURN_NULL();
	PG_RETURN_DATEADT(reader.day.day);
}

PG_FUNCTION_INFO_V1(history_last_day);
Datum
history_last_day(PG_FUNCTION_ARGS)
{
	HistoryReader reader;

	history_reader_open(&reader, PG_GETARG_HISTORY_PP(0));
	if (reader.days == 0)
		PG_RETURN_NULL();
	while (history_reader_day(&reader))
		;
	PG_RETURN_DATEADT(reader.day.day);
}

PG_FUNCTION_INFO_V1(history_active_days);
Datum
history_active_days(PG_FUNCTION_ARGS)
{
	HistoryReader reader;

	history_reader_open(&reader, PG_GETARG_HISTORY_PP(0));
	PG_RETURN_INT64((int64) reader.days);
}

PG_FUNCTION_INFO_V1(history_events);
Datum
history_events(PG_FUNCTION_ARGS)
{
	HistoryReader reader;
	int64		sum = 0;

	history_reader_open(&reader, PG_GETARG_HISTORY_PP(0));
	while (history_reader_day(&reader))
		if (pg_add_s64_overflow(sum, reader.day.events, &sum))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("too many events")));
	PG_RETURN_INT64(sum);
}

PG_FUNCTION_INFO_V1(history_total_amount);
Datum
history_total_amount(PG_FUNCTION_ARGS)
{
	HistoryAll	all;
	Amount		sum = amount_none();

	history_all_open(&all, PG_GETARG_HISTORY_PP(0));
	while (history_all_day(&all))
		sum = amount_add(&sum, &all.day.amount);
	if (sum.scale == AMOUNT_NONE)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(amount_datum(&sum));
}
