/*
 * amount_argument.h
 *	  Amounts of money as arguments of any numeric type.
 *
 * A numeric is taken as it is, and costs no more than where no other type is
 * possible; the others need no cast for each row.
 *
 * Promises: exact.  A real or double precision is the decimal number of its
 * shortest text, as the server prints it, whatever extra_float_digits says: 9.95
 * is 9.95.  Errors name what was passed.
 * Never: rounds.
 */
#ifndef RETENTION_AMOUNT_ARGUMENT_H
#define RETENTION_AMOUNT_ARGUMENT_H

#include "retention.h"
#include "catalog/pg_type.h"
#include "value/amount.h"

/*
 * Base type of an amount: numeric, smallint, integer, bigint, real, double
 * precision, money, or unknown, which is read as a numeric; else 42804.
 */
extern Oid	amount_argument_type(FunctionCallInfo fcinfo, int arg);

/* 22003 for NaN and infinities. */
extern Amount amount_argument_other(Datum value, Oid type);

static inline Amount
amount_argument(Datum value, Oid type)
{
	return likely(type == NUMERICOID) ? amount_from_datum(value) :
		amount_argument_other(value, type);
}

#endif							/* RETENTION_AMOUNT_ARGUMENT_H */
