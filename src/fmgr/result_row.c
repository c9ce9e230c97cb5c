/*
 * result_row.c
 *	  Rows and numbers that SQL-callable functions return.
 *
 * Promises, never: see result_row.h.
 */
#include "fmgr/result_row.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/tuplestore.h"

void
retention_put_row(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	CHECK_FOR_INTERRUPTS();
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

void
retention_put_numbers(FunctionCallInfo fcinfo, const double *numbers, int count)
{
	Datum		values[NUMBERS_MAX];
	bool		nulls[NUMBERS_MAX];

	Assert(count <= NUMBERS_MAX);
	for (int i = 0; i < count; i++)
		set_float8(values, nulls, i, numbers[i]);
	retention_put_row(fcinfo, values, nulls);
}
