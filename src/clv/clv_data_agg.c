/*
 * clv_data_agg.c
 *	  SQL-callable: the aggregates that make a clv_data, its input and output.
 *
 * The transition state has the type clv_data (clv_data_trans.c) and needs
 * nothing that a call site remembers.
 *
 * Promises: results do not depend on the order of rows or on how they are
 * split; calibration_end and as_of must be equal in all rows of a group.
 * Never: changes what it did not make.
 */
#include "clv/clv_data.h"

#include "catalog/pg_type.h"
#include "fmgr/arguments.h"
#include "fmgr/as_of.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "value/value_type.h"

VALUE_TYPE_ADDS(clv_data, .maker = "clv_data()", .check = clv_data_check,
				.add = clv_data_merge, .finish = clv_data_open_finish,
				.match = clv_data_match_values, .load = clv_data_load)

#define HISTORY_ARG	1
#define END_ARG		2
#define AS_OF_ARG	3

static DateADT
day_argument(FunctionCallInfo fcinfo, int arg)
{
	/* for its errors */
	(void) time_value(PG_GETARG_DATUM(arg), DATEOID);
	return PG_GETARG_DATEADT(arg);
}

PG_FUNCTION_INFO_V1(clv_data_trans);
Datum
clv_data_trans(PG_FUNCTION_ARGS)
{
	ClvDataTrans *open;
	DateADT		calibration_end;
	AsOf		given = argument_as_of(fcinfo, AS_OF_ARG, InvalidOid, AS_OF_HINT_DAY);
	bool		as_of_given = given.kind != AS_OF_NONE;
	DateADT		as_of = 0;

	require_aggregate(fcinfo, "clv_data");
	require_argument(fcinfo, END_ARG, "calibration_end");
	calibration_end = day_argument(fcinfo, END_ARG);
	if (as_of_given)
	{
		/* for the error of a day that no timestamp has */
		if (given.kind == AS_OF_DATE)
			(void) time_value(DateADTGetDatum((DateADT) given.value), DATEOID);
		as_of = as_of_last_day(&given, NULL);
		if (as_of < calibration_end)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("as_of must not be before calibration_end"),
					 errdetail("calibration_end is %s, as_of is %s.",
							   clv_data_day(calibration_end), clv_data_day(as_of)),
					 errhint("The holdout is what comes after calibration_end, until as_of.")));
	}
	if (PG_ARGISNULL(0))
		open = clv_data_open_create(calibration_end, as_of_given, as_of);
	else
	{
		open = clv_data_open_state((ClvData *) PG_GETARG_POINTER(0));
		clv_data_open_match(open, calibration_end, as_of_given, as_of);
	}
	if (!PG_ARGISNULL(HISTORY_ARG))
		open = clv_data_open_add(open, PG_GETARG_HISTORY_PP(HISTORY_ARG));
	PG_RETURN_POINTER(open);
}

PG_FUNCTION_INFO_V1(clv_data_combine);
Datum
clv_data_combine(PG_FUNCTION_ARGS)
{
	require_aggregate(fcinfo, "clv_data");
	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	/* a copy, which may be changed: no state is shared between groups */
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(clv_data_open_state((ClvData *) PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(1))));
	PG_RETURN_POINTER(clv_data_open_merge(clv_data_open_state((ClvData *) PG_GETARG_POINTER(0)),
										  value_get_open(fcinfo, 1, &clv_data_type)));
}

PG_FUNCTION_INFO_V1(clv_data_final);
Datum
clv_data_final(PG_FUNCTION_ARGS)
{
	require_aggregate(fcinfo, "clv_data");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(PG_GETARG_CLV_DATA(0));
}

/* ---------- jsonb ---------- */

PG_FUNCTION_INFO_V1(clv_data_to_jsonb);
Datum
clv_data_to_jsonb(PG_FUNCTION_ARGS)
{
	ClvDataContent content;
	StringInfoData buf;

	clv_data_read(PG_GETARG_CLV_DATA(0), &content);
	initStringInfo(&buf);
	appendStringInfo(&buf, "{\"calibration_end\":\"%s\",\"as_of\":\"%s\",\"left_out\":" INT64_FORMAT ",\"customers\":[",
					 clv_data_day(content.calibration_end), clv_data_day(content.as_of),
					 content.left_out);
	for (uint64 i = 0; i < content.nrows; i++)
	{
		const ClvDataRow *row = &content.rows[i];

		appendStringInfo(&buf, "%s{\"frequency\":%d,\"recency\":%d,\"age\":%d,\"customers\":" INT64_FORMAT
						 ",\"holdout\":" INT64_FORMAT "}", i == 0 ? "" : ",",
						 row->x, row->t_x, row->age, row->customers, row->holdout);
	}
	appendStringInfoString(&buf, "],\"days\":[");
	for (uint64 i = 0; i < content.ndays; i++)
		appendStringInfo(&buf, "%s{\"day\":\"%s\",\"purchases\":" INT64_FORMAT "}",
						 i == 0 ? "" : ",", clv_data_day(content.days[i].day),
						 content.days[i].purchases);
	appendStringInfoString(&buf, "]}");
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data)));
}
