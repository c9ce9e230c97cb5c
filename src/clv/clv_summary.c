/*
 * clv_summary.c
 *	  SQL-callable: clv_summary(), what models of purchases need to know of a
 *	  customer.
 *
 * Promises: its recency is the field's, the time from the first purchase to the
 * last; one row for each history, of NULLs before the first purchase.
 * Never: stands at a day that nobody named: where each customer stood at the last
 * day of their own, nobody would ever have left.
 */
#include "retention.h"

#include "calendar/time_unit.h"
#include "fmgr/as_of.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "history/history_summary.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

PG_FUNCTION_INFO_V1(clv_summary);
Datum
clv_summary(PG_FUNCTION_ARGS)
{
	AsOf		given = required_as_of(fcinfo, 1, InvalidOid);
	DateADT		as_of = as_of_last_day(&given, NULL);
	double		unit = PG_ARGISNULL(2) ? 1 : time_unit_days[time_unit_parse(PG_GETARG_TEXT_PP(2))];
	HistorySummary summary;
	Datum		values[4] = {0};
	bool		nulls[4] = {true, true, true, true};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	summary = history_summarize(PG_GETARG_HISTORY_PP(0), as_of);
	if (summary.days > 0)
	{
		nulls[0] = nulls[1] = nulls[2] = false;
		values[0] = Int64GetDatum(summary.days - 1);
		values[1] = Float8GetDatum(((double) summary.last - summary.first) / unit);
		values[2] = Float8GetDatum(((double) as_of - summary.first) / unit);
		nulls[3] = summary.paid_days == 0;
		if (!nulls[3])
			values[3] = DirectFunctionCall2(numeric_div,
											NumericGetDatum(amount_to_numeric(&summary.repeat)),
											NumericGetDatum(int64_to_numeric(summary.paid_days)));
	}
	retention_put_row(fcinfo, values, nulls);
	return (Datum) 0;
}
