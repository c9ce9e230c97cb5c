/*
 * amount.h
 *	  Exact amounts of money, as integers wherever they fit.
 *
 * Promises: no digit and no scale is lost; what does not fit stays a numeric.
 */
#ifndef RETENTION_AMOUNT_H
#define RETENTION_AMOUNT_H

#include "retention.h"
#include "utils/numeric.h"

/* An exact amount: value * 10^-scale, or a numeric where that does not fit. */
typedef struct Amount
{
	int64		value;
	int32		scale;			/* AMOUNT_NONE: there is none */
	Numeric		big;			/* not NULL: this is the amount, the others unused */
} Amount;

#define AMOUNT_NONE			(-1)
#define AMOUNT_VALUE_MAX	(INT64CONST(1) << 61)	/* exclusive, of small amounts */
#define AMOUNT_SCALE_MAX	18	/* of small amounts */

/* From a Datum of type numeric; 22003 for NaN and infinities. */
extern Amount amount_from_datum(Datum value);
extern Amount amount_none(void);

/* Below 0?  No for none. */
extern bool amount_big_is_negative(Numeric big);

/* The same of a Datum of type numeric, of which no more is read; 22003 as above. */
extern bool amount_datum_is_negative(Datum value);

static inline bool
amount_is_negative(const Amount *amount)
{
	return unlikely(amount->big != NULL) ? amount_big_is_negative(amount->big) : amount->value < 0;
}

/* In the current context; exact, with the larger scale. */
extern Amount amount_add(const Amount *a, const Amount *b);
extern Numeric amount_to_numeric(const Amount *amount);

/* The double nearest to an amount that is there, however it is held; 22003 beyond doubles. */
extern double amount_to_double(const Amount *amount);

#endif							/* RETENTION_AMOUNT_H */
