/*
 * result_row.h
 *	  Rows and numbers that SQL-callable functions return.
 *
 * What is not known is computed as NaN and shown as NULL: a column, a row of
 * such columns, or a function's one number.
 *
 * Promises: NaN never reaches SQL through these; a set can be cancelled at any
 * row.
 * Never: rounds or limits a number.
 */
#ifndef RETENTION_RESULT_ROW_H
#define RETENTION_RESULT_ROW_H

#include "retention.h"

#include <math.h>

#include "utils/float.h"

/* The widest row of numbers alone. */
#define NUMBERS_MAX		16

/* A row of a set that InitMaterializedSRF() began; can be cancelled. */
extern void retention_put_row(FunctionCallInfo fcinfo, Datum *values, bool *nulls);

/* A row of as many float8 columns; NaN is NULL. */
extern void retention_put_numbers(FunctionCallInfo fcinfo, const double *numbers, int count);

/* A float8 column; NaN is NULL. */
static inline void
set_float8(Datum *values, bool *nulls, int column, double value)
{
	nulls[column] = isnan(value);
	values[column] = Float8GetDatum(value);
}

/* The same of an estimate, which may be infinite where it is not known. */
static inline void
set_finite_float8(Datum *values, bool *nulls, int column, double value)
{
	nulls[column] = !isfinite(value);
	values[column] = Float8GetDatum(value);
}

/* The result of a function: NaN is NULL. */
static inline Datum
float8_or_null(FunctionCallInfo fcinfo, double value)
{
	if (isnan(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

#endif							/* RETENTION_RESULT_ROW_H */
