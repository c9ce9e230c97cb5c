/*
 * arguments.h
 *	  Arguments of SQL-callable functions: their types, their times, their
 *	  bounds, whether they are constants.
 *
 * What every capability that reads events from rows, or takes an option, needs.
 *
 * Promises: errors name the argument and what was passed.
 * Never: knows what a function does with an argument.
 */
#ifndef RETENTION_ARGUMENTS_H
#define RETENTION_ARGUMENTS_H

#include "retention.h"
#include "catalog/pg_type.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

/* What to write where a number is not a time: for errhint(). */
#define HINT_NUMBER_AS_TIME \
	"Numbers are no times: write to_timestamp(n) for seconds since 1970, or date '2000-01-03' + n for numbers of days or editions."

extern bool type_is_number(Oid type);

/* Base type of a time argument: date, timestamp or timestamptz, else 42804. */
extern Oid	time_argument_type(FunctionCallInfo fcinfo, int arg, const char *name);

/* 22004 if an argument is NULL; arg 0 means that there is none. */
extern void require_argument(FunctionCallInfo fcinfo, int arg, const char *name);
extern void null_argument_error(const char *name, const char *hint);	/* NULL: no hint */

/* 22023: an argument that "rows", say those of an aggregate, must agree in. */
extern void differ_error(const char *name, const char *rows, const char *hint);

#define HINT_FIT_GROUPS	"Fit groups with GROUP BY, or pass a constant."

/*
 * Is an argument not a constant of the query, so that it must be looked at in
 * each row?
 */
extern bool argument_varies(FunctionCallInfo fcinfo, int arg);

/* 0.95 where it is NULL; 22023 unless 0 < confidence < 1. */
extern double argument_confidence(FunctionCallInfo fcinfo, int arg);

/* Do two varlenas hold the same bytes? */
static inline bool
varlena_equal(const void *a, const void *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

static inline bool
text_equal(const text *a, const text *b)
{
	return varlena_equal(a, b);
}

/*
 * The memory context of the aggregate that calls; an error if none does.  A
 * state must not be had or given by hand: only the executor knows not to keep
 * it.
 */
extern void not_in_aggregate_error(const char *aggregate);

static inline MemoryContext
require_aggregate(FunctionCallInfo fcinfo, const char *aggregate)
{
	MemoryContext context;

	if (unlikely(!AggCheckCallContext(fcinfo, &context)))
		not_in_aggregate_error(aggregate);
	return context;
}

/* 22008: an infinite time has no period. */
extern void infinite_time_error(bool negative);
extern void date_range_error(void);

/* A date, timestamp or timestamptz as it stands, dates as their midnight. */
static inline int64
time_value(Datum value, Oid type)
{
	if (type == DATEOID)
	{
		DateADT		date = DatumGetDateADT(value);

		if (unlikely(DATE_NOT_FINITE(date)))
			infinite_time_error(DATE_IS_NOBEGIN(date));
		if (unlikely(date >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE))
			date_range_error();
		return date * USECS_PER_DAY;
	}
	if (unlikely(TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value))))
		infinite_time_error(TIMESTAMP_IS_NOBEGIN(DatumGetTimestamp(value)));
	return DatumGetTimestamp(value);
}

/* Is it the end of time: 'infinity', which many tables have for what is open? */
static inline bool
time_is_infinite_end(Datum value, Oid type)
{
	if (type == DATEOID)
		return DATE_IS_NOEND(DatumGetDateADT(value));
	return TIMESTAMP_IS_NOEND(DatumGetTimestamp(value));
}

#endif							/* RETENTION_ARGUMENTS_H */
