/*
 * history_io.c
 *	  SQL-callable: customer_history in and out, equality, sums, jsonb.
 *
 * The binary form is the value's own bytes, the text form their base64: both
 * lossless and free of any setting.  What comes in is read day by day, then
 * written again and compared, so that only canonical values get in.
 *
 * Never: accepts bytes that the reader has not walked to the end.
 */
#include "history/history.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
#include "value/value_type.h"

VALUE_TYPE_ADDS(customer_history, .maker = "customer_history()", .check = history_check,
				.add = history_merge, .load = history_load)
VALUE_FUNCTION(customer_history_merge, value_add(fcinfo, &customer_history_type))

PG_FUNCTION_INFO_V1(customer_history_to_jsonb);
Datum
customer_history_to_jsonb(PG_FUNCTION_ARGS)
{
	HistoryAll	all;
	StringInfoData buf;
	char		text[MAXDATELEN + 1];
	bool		first = true;

	history_all_open(&all, PG_GETARG_HISTORY_PP(0));
	initStringInfo(&buf);
	appendStringInfoString(&buf, "{\"days\":[");
	while (history_all_day(&all))
	{
		CHECK_FOR_INTERRUPTS();
		JsonEncodeDateTime(text, DateADTGetDatum(all.day.day), DATEOID, NULL);
		appendStringInfo(&buf, "%s{\"day\":\"%s\",\"events\":" INT64_FORMAT ",\"amount\":",
						 first ? "" : ",", text, all.day.events);
		first = false;
		if (all.day.amount.scale == AMOUNT_NONE)
			appendStringInfoString(&buf, "null}");
		else
			appendStringInfo(&buf, "%s}",
							 DatumGetCString(DirectFunctionCall1(numeric_out,
																 NumericGetDatum(amount_to_numeric(&all.day.amount)))));
	}
	appendStringInfoString(&buf, "]}");
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data)));
}
