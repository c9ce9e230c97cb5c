/*
 * amount_argument.c
 *	  Amounts of money as arguments of any numeric type.
 *
 * Promises, never: see amount_argument.h.
 */
#include "value/amount_argument.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

Oid
amount_argument_type(FunctionCallInfo fcinfo, int arg)
{
	Oid			given = get_fn_expr_argtype(fcinfo->flinfo, arg);
	Oid			type = OidIsValid(given) ? getBaseType(given) : InvalidOid;

	switch (type)
	{
		case NUMERICOID:
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case CASHOID:
		case UNKNOWNOID:
			return type;
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("amount must be a number or money, not %s",
					OidIsValid(given) ? format_type_be(given) : "unknown"),
			 errhint("Cast it, as in amount::numeric.")));
}

static Amount
amount_of_text(const char *text)
{
	return amount_from_datum(DirectFunctionCall3(numeric_in, CStringGetDatum(text),
												 ObjectIdGetDatum(InvalidOid),
												 Int32GetDatum(-1)));
}

/* 17 digits are below 2^61 and need no check for overflow. */
#define AMOUNT_TEXT_DIGITS	17

/* Digits with a point or without, which are most; the others by the server. */
static Amount
amount_of_shortest(const char *text)
{
	Amount		amount = {0, 0, NULL};
	const char *at = text;
	bool		negative = *at == '-';
	int			digits = 0;
	bool		point = false;

	for (at += negative; *at != '\0'; at++)
	{
		if (*at == '.')
		{
			point = true;
			continue;
		}
		if (*at < '0' || *at > '9' || ++digits > AMOUNT_TEXT_DIGITS)
			return amount_of_text(text);
		amount.value = amount.value * 10 + (*at - '0');
		amount.scale += point;
	}
	if (negative)
		amount.value = -amount.value;
	return amount;
}

static Amount
amount_of_integer(int64 value)
{
	Amount		amount = {value, 0, NULL};

	if (unlikely(value >= AMOUNT_VALUE_MAX || value <= -AMOUNT_VALUE_MAX))
		amount = amount_from_datum(NumericGetDatum(int64_to_numeric(value)));
	return amount;
}

static void
not_finite_error(double value)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("amount must be a finite number, not %s",
					isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity"),
			 errhint("Filter such rows out, or replace the amount by NULL.")));
}

Amount
amount_argument_other(Datum value, Oid type)
{
	char		text[Max(DOUBLE_SHORTEST_DECIMAL_LEN, FLOAT_SHORTEST_DECIMAL_LEN)];

	switch (type)
	{
		case INT2OID:
			return amount_of_integer(DatumGetInt16(value));
		case INT4OID:
			return amount_of_integer(DatumGetInt32(value));
		case INT8OID:
			return amount_of_integer(DatumGetInt64(value));
		case FLOAT4OID:
			if (!isfinite(DatumGetFloat4(value)))
				not_finite_error(DatumGetFloat4(value));
			float_to_shortest_decimal_buf(DatumGetFloat4(value), text);
			return amount_of_shortest(text);
		case FLOAT8OID:
			if (!isfinite(DatumGetFloat8(value)))
				not_finite_error(DatumGetFloat8(value));
			double_to_shortest_decimal_buf(DatumGetFloat8(value), text);
			return amount_of_shortest(text);
		case CASHOID:
			return amount_from_datum(DirectFunctionCall1(cash_numeric, value));
		case UNKNOWNOID:
			return amount_of_text(DatumGetCString(value));
		default:
			return amount_from_datum(value);
	}
}
