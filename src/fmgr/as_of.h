/*
 * as_of.h
 *	  The argument as_of: until when data are complete.
 *
 * It comes as a date, a timestamp (wall clock), a timestamptz, or as text, which
 * is read as what it looks like: with a UTC offset or a zone an instant, without
 * a time of day a date, else a timestamp.  Text is where literals land, so that
 * they mean the same under any session's TimeZone.
 *
 * A date stands for the end of that day, everywhere.
 *
 * Promises: an as_of that is given is finite (22008).
 * Never: reads the clock; asks for the session's zone but for a timestamptz, or
 * an instant, of data that have no zone of their own.
 */
#ifndef RETENTION_AS_OF_H
#define RETENTION_AS_OF_H

#include "retention.h"
#include "catalog/pg_type.h"
#include "pgtime.h"
#include "utils/date.h"
#include "utils/timestamp.h"

typedef enum AsOfKind
{
	AS_OF_NONE,					/* not given */
	AS_OF_DATE,
	AS_OF_TIMESTAMP,
	AS_OF_TIMESTAMPTZ
} AsOfKind;

typedef struct AsOf
{
	AsOfKind	kind;
	int64		value;			/* DateADT, Timestamp or TimestampTz */
} AsOf;

/* What to do instead of passing an infinite one. */
#define AS_OF_HINT_EVENT	"Leave as_of out to stand at the latest event."
#define AS_OF_HINT_DAY		"Leave as_of out to stand at the latest day of the data."
#define AS_OF_HINT_COMPLETE "Give the day until which the data are complete."

/* ---------- to read one ---------- */

extern void as_of_infinite_error(bool negative, const char *hint);
extern void as_of_null_error(void);

/* Of a date, timestamp, timestamptz, text, or a type over one of them; else 42804. */
extern AsOf as_of_from_datum(Datum value, Oid type, const char *hint);

/* Of an argument, whose type may be InvalidOid: that of the call's expression. */
extern AsOf as_of_from_argument(FunctionCallInfo fcinfo, int arg, Oid type, const char *hint);

static inline AsOf
as_of_none(void)
{
	AsOf		as_of = {AS_OF_NONE, 0};

	return as_of;
}

static inline AsOf
as_of_date(DateADT day, const char *hint)
{
	AsOf		as_of = {AS_OF_DATE, day};

	if (unlikely(DATE_NOT_FINITE(day)))
		as_of_infinite_error(DATE_IS_NOBEGIN(day), hint);
	return as_of;
}

/* One that the signature may lack, or NULL: not given.  "type" as above. */
static inline AsOf
argument_as_of(FunctionCallInfo fcinfo, int arg, Oid type, const char *hint)
{
	if (arg >= PG_NARGS() || PG_ARGISNULL(arg))
		return as_of_none();
	return as_of_from_argument(fcinfo, arg, type, hint);
}

/* One that must be given: 22004 where it is NULL. */
static inline AsOf
required_as_of(FunctionCallInfo fcinfo, int arg, Oid type)
{
	if (unlikely(PG_ARGISNULL(arg)))
		as_of_null_error();
	return argument_as_of(fcinfo, arg, type, AS_OF_HINT_COMPLETE);
}

/*
 * SQL-callable versions of a function, one for text, where literals and untyped
 * parameters land, and one for any other type of as_of: name_any(fcinfo, type)
 * does the work.
 */
#define AS_OF_VERSION(name, suffix, type) \
	PG_FUNCTION_INFO_V1(name##suffix); \
	Datum name##suffix(PG_FUNCTION_ARGS) { return name##_any(fcinfo, type); }

#define AS_OF_VERSIONS(name) \
	AS_OF_VERSION(name,, TEXTOID) \
	AS_OF_VERSION(name, _typed, InvalidOid)

static inline bool
as_of_equal(const AsOf *a, const AsOf *b)
{
	return a->kind == b->kind && a->value == b->value;
}

/* ---------- what one means, if it is given ---------- */

/*
 * Where what is complete ends, itself not in it: wall clock, and the instant.
 * "tz": the zone of the data; NULL: they have none.
 */
extern Timestamp as_of_end(const AsOf *as_of, pg_tz *tz);
extern TimestampTz as_of_end_instant(const AsOf *as_of, pg_tz *tz);

/* The last day before that end, for data that know days. */
extern DateADT as_of_day_before_end(const AsOf *as_of, pg_tz *tz);

static inline DateADT
as_of_last_day(const AsOf *as_of, pg_tz *tz)
{
	if (likely(as_of->kind == AS_OF_DATE))
		return (DateADT) as_of->value;
	return as_of_day_before_end(as_of, tz);
}

#endif							/* RETENTION_AS_OF_H */
