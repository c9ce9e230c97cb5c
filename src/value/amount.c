/*
 * amount.c
 *	  Exact amounts of money, as integers wherever they fit.
 *
 * Reading a numeric through its SQL functions would cost more than everything
 * else an aggregate does with a row.  Its stored form has not changed since
 * PostgreSQL 9.1 and is read here directly: a header of sign, display scale and
 * weight, and digits of base 10000.  Tests compare it with the server's own
 * arithmetic.
 *
 * Promises: no digit and no scale is lost; what does not fit stays a numeric.
 * Never: adds in floating point.
 */
#include "value/amount.h"

#include <math.h>

#include "common/int.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"

/* The header word of a stored numeric. */
#define HEADER_FORM(h)			((h) & 0xC000)
#define FORM_SPECIAL			0xC000
#define FORM_SHORT				0x8000
#define FORM_NEGATIVE			0x4000
#define SHORT_NEGATIVE			0x2000
#define SHORT_SCALE(h)			(((h) & 0x1F80) >> 7)
#define SHORT_WEIGHT(h)			(((h) & 0x0040 ? ~0x3F : 0) | ((h) & 0x3F))
#define LONG_SCALE(h)			((h) & 0x3FFF)
#define DIGIT_BASE				10000
#define DIGIT_DECIMALS			4

static const int64 powers_of_ten[] = {
	INT64CONST(1), INT64CONST(10), INT64CONST(100), INT64CONST(1000), INT64CONST(10000),
	INT64CONST(100000), INT64CONST(1000000), INT64CONST(10000000), INT64CONST(100000000),
	INT64CONST(1000000000), INT64CONST(10000000000), INT64CONST(100000000000),
	INT64CONST(1000000000000), INT64CONST(10000000000000), INT64CONST(100000000000000),
	INT64CONST(1000000000000000), INT64CONST(10000000000000000),
	INT64CONST(100000000000000000), INT64CONST(1000000000000000000)
};

static inline uint16
word_at(const char *data, Size i)
{
	uint16		word;

	memcpy(&word, data + i * sizeof(uint16), sizeof(uint16));
	return word;
}

static void
special_error(struct varlena *num)
{
	Datum		value = PointerGetDatum(PG_DETOAST_DATUM(PointerGetDatum(num)));

	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("amount must be a finite number, not %s",
					DatumGetCString(DirectFunctionCall1(numeric_out, value))),
			 errhint("Filter such rows out, or replace the amount by NULL.")));
}

/* The numeric as an integer of its scale; false where that does not fit. */
static bool
read_small(struct varlena *num, Amount *amount)
{
	const char *data = VARDATA_ANY(num);
	Size		words = VARSIZE_ANY_EXHDR(num) / sizeof(uint16);
	uint16		header = word_at(data, 0);
	Size		first = 1;
	bool		negative;
	int			weight;
	int			exponent;
	int64		value = 0;

	if (HEADER_FORM(header) == FORM_SPECIAL)
		special_error(num);
	if (HEADER_FORM(header) == FORM_SHORT)
	{
		negative = (header & SHORT_NEGATIVE) != 0;
		amount->scale = SHORT_SCALE(header);
		weight = SHORT_WEIGHT(header);
	}
	else
	{
		negative = HEADER_FORM(header) == FORM_NEGATIVE;
		amount->scale = LONG_SCALE(header);
		weight = (int16) word_at(data, first++);
	}
	if (amount->scale > AMOUNT_SCALE_MAX)
		return false;

	/*
	 * Decimal places of the last digit beyond the scale, at most 3, are cut off it before it is
	 * added: no step exceeds the result, so that what is small depends on the amount alone.
	 */
	exponent = DIGIT_DECIMALS * (weight + 1 - (int) (words - first)) + amount->scale;
	for (Size i = first; i < words; i++)
	{
		int64		digit = word_at(data, i);
		int			decimals = DIGIT_DECIMALS;

		if (i == words - 1 && exponent < 0)
		{
			if (exponent <= -DIGIT_DECIMALS || digit % powers_of_ten[-exponent] != 0)
				return false;
			digit /= powers_of_ten[-exponent];
			decimals += exponent;
		}
		if (pg_mul_s64_overflow(value, powers_of_ten[decimals], &value) ||
			pg_add_s64_overflow(value, digit, &value))
			return false;
	}
	if (value != 0 && exponent > 0 &&
		(exponent > AMOUNT_SCALE_MAX ||
		 pg_mul_s64_overflow(value, powers_of_ten[exponent], &value)))
		return false;
	if (value >= AMOUNT_VALUE_MAX)
		return false;
	amount->value = negative ? -value : value;
	amount->big = NULL;
	return true;
}

Amount
amount_none(void)
{
	Amount		amount = {0, AMOUNT_NONE, NULL};

	return amount;
}

Amount
amount_from_datum(Datum value)
{
	struct varlena *num = PG_DETOAST_DATUM_PACKED(value);
	Amount		amount = {0, 0, NULL};

	if (!read_small(num, &amount))
	{
		amount.value = 0;
		amount.scale = 0;
		amount.big = (Numeric) PG_DETOAST_DATUM(PointerGetDatum(num));
	}
	return amount;
}

static inline bool
header_is_negative(uint16 header)
{
	return HEADER_FORM(header) == FORM_SHORT ? (header & SHORT_NEGATIVE) != 0 :
		HEADER_FORM(header) == FORM_NEGATIVE;
}

bool
amount_big_is_negative(Numeric big)
{
	return header_is_negative(word_at(VARDATA_ANY(big), 0));
}

bool
amount_datum_is_negative(Datum value)
{
	struct varlena *num = PG_DETOAST_DATUM_PACKED(value);
	uint16		header = word_at(VARDATA_ANY(num), 0);

	if (HEADER_FORM(header) == FORM_SPECIAL)
		special_error(num);
	return header_is_negative(header);
}

Numeric
amount_to_numeric(const Amount *amount)
{
	if (amount->big != NULL)
		return amount->big;
	return int64_div_fast_to_numeric(amount->value, amount->scale);
}

/* Integers up to here are doubles, as powers of ten are up to 22. */
#define EXACT_DOUBLE_MAX	(INT64CONST(1) << 53)

double
amount_to_double(const Amount *amount)
{
	Numeric		num;
	double		result;

	/* the quotient of two doubles is rounded once, to the nearest */
	if (likely(amount->big == NULL && amount->value <= EXACT_DOUBLE_MAX &&
			   amount->value >= -EXACT_DOUBLE_MAX))
		return (double) amount->value / (double) powers_of_ten[amount->scale];
	num = amount_to_numeric(amount);
	result = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
												NumericGetDatum(num)));
	if (isinf(result))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("sum of amounts is too large for a model of spend"),
				 errhint("Give the amounts in a larger unit, or filter such rows out.")));
	return result;
}

static bool
rescale(int64 value, int by, int64 *result)
{
	return !pg_mul_s64_overflow(value, powers_of_ten[by], result) &&
		*result < AMOUNT_VALUE_MAX && *result > -AMOUNT_VALUE_MAX;
}

Amount
amount_add(const Amount *a, const Amount *b)
{
	Amount		sum = {0, Max(a->scale, b->scale), NULL};
	int64		x;
	int64		y;

	if (a->scale == AMOUNT_NONE)
		return *b;
	if (b->scale == AMOUNT_NONE)
		return *a;
	if (a->big == NULL && b->big == NULL &&
		rescale(a->value, sum.scale - a->scale, &x) &&
		rescale(b->value, sum.scale - b->scale, &y) &&
		x + y < AMOUNT_VALUE_MAX && x + y > -AMOUNT_VALUE_MAX)
	{
		sum.value = x + y;
		return sum;
	}
	/* a sum of large amounts may be small again: equal amounts, equal bytes */
	return amount_from_datum(DirectFunctionCall2(numeric_add,
												 NumericGetDatum(amount_to_numeric(a)),
												 NumericGetDatum(amount_to_numeric(b))));
}
