/*
 * as_of.c
 *	  The argument as_of: until when data are complete.
 *
 * Promises, never: see as_of.h.
 */
#include "fmgr/as_of.h"

#include <ctype.h>

#include "fmgr/arguments.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

void
as_of_infinite_error(bool negative, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("as_of must be finite, not \"%s\"", negative ? "-infinity" : "infinity"),
			 errhint("%s", hint)));
}

void
as_of_null_error(void)
{
	null_argument_error("as_of", AS_OF_HINT_COMPLETE);
}

static AsOf
as_of_time(AsOfKind kind, int64 value, const char *hint)
{
	AsOf		as_of = {kind, value};

	if (TIMESTAMP_NOT_FINITE(value))
		as_of_infinite_error(TIMESTAMP_IS_NOBEGIN(value), hint);
	return as_of;
}

/* ---------- text ---------- */

/* The fields of a date/time literal, and where they lie. */
typedef struct Literal
{
	char		work[MAXDATELEN + MAXDATEFIELDS];
	char	   *field[MAXDATEFIELDS];
	int			type[MAXDATEFIELDS];
	int			n;
} Literal;

static bool
literal_parse(Literal *literal, const char *text)
{
	return ParseDateTime(text, literal->work, sizeof(literal->work), literal->field,
						 literal->type, MAXDATEFIELDS, &literal->n) == 0;
}

/* Does it name an offset or zone of its own? */
static bool
literal_has_zone(const char *text)
{
	Literal		literal;

	if (!literal_parse(&literal, text))
		return false;
	for (int i = 0; i < literal.n; i++)
	{
		const char *field = literal.field[i];

		if (literal.type[i] == DTK_TZ)
			return true;
		if (literal.type[i] == DTK_DATE && strchr(field, '/') != NULL &&
			isalpha((unsigned char) field[0]))
			return true;
		if (strcmp(field, "z") == 0 || strcmp(field, "utc") == 0 || strcmp(field, "gmt") == 0)
			return true;
	}
	return false;
}

/* Has it no time of day?  Then it is one when it gets one, and else has two. */
static bool
literal_is_date(const char *text)
{
	Literal		literal;
	struct pg_tm tm;
	fsec_t		fsec;
	int			dtype;
	int			tz;

	return literal_parse(&literal, psprintf("%s 00:00:00", text)) &&
		RETENTION_DECODE_DATETIME(literal.field, literal.type, literal.n, &dtype,
								  &tm, &fsec, &tz) == 0;
}

/* Nothing that any date or time looks like: a horizon or a measure, say. */
static bool
literal_is_no_time(const char *text)
{
	Literal		literal;
	struct pg_tm tm;
	fsec_t		fsec;
	int			dtype;
	int			tz;

	return !literal_parse(&literal, text) ||
		RETENTION_DECODE_DATETIME(literal.field, literal.type, literal.n, &dtype,
								  &tm, &fsec, &tz) == DTERR_BAD_FORMAT;
}

#define HINT_ORDER \
	"as_of comes before all that is optional, as in (model, history, as_of, horizon); to leave it out, name what you give: horizon => '90 days', or measure => 'on'."

/*
 * '2025-06-30', as most are written: a date under every DateStyle, read at once,
 * because accessors read theirs in every row.
 */
static bool
iso_date(const char *text, int len, DateADT *day)
{
	int			number[3] = {0};
	static const char form[] = "0000-00-00";
	int			part = 0;

	if (len != lengthof(form) - 1)
		return false;
	for (int i = 0; i < len; i++)
	{
		if (form[i] == '-')
		{
			part++;
			if (text[i] != '-')
				return false;
			continue;
		}
		if (text[i] < '0' || text[i] > '9')
			return false;
		number[part] = number[part] * 10 + (text[i] - '0');
	}
	if (number[0] < 1 || number[1] < 1 || number[1] > 12 ||
		number[2] < 1 || number[2] > day_tab[isleap(number[0])][number[1] - 1])
		return false;
	*day = date2j(number[0], number[1], number[2]) - POSTGRES_EPOCH_JDATE;
	return true;
}

static AsOf
as_of_text(char *text, const char *hint)
{
	PGFunction	input;
	Datum		value;
	DateADT		day;

	if (iso_date(text, strlen(text), &day))
		return as_of_date(day, hint);
	if (literal_is_no_time(text))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_DATETIME_FORMAT),
				 errmsg("as_of must be a date or a time, not \"%s\"", text),
				 errhint(HINT_ORDER)));
	input = literal_has_zone(text) ? timestamptz_in : timestamp_in;
	value = DirectFunctionCall3(input, CStringGetDatum(text),
								ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
	if (input == timestamptz_in)
		return as_of_time(AS_OF_TIMESTAMPTZ, DatumGetTimestampTz(value), hint);
	if (TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)) || !literal_is_date(text))
		return as_of_time(AS_OF_TIMESTAMP, DatumGetTimestamp(value), hint);
	return as_of_date(DatumGetDateADT(DirectFunctionCall1(timestamp_date, value)), hint);
}

/* ---------- datums and arguments ---------- */

static const char *
as_of_type_hint(Oid type)
{
	if (type == INTERVALOID)
		return HINT_ORDER;
	if (type_is_number(type))
		return HINT_NUMBER_AS_TIME;
	return "Cast it, as in ordered_at::date.";
}

AsOf
as_of_from_datum(Datum value, Oid type, const char *hint)
{
	/* the usual ones, in every row: without a copy, or a look into the catalogue */
	if (type == TEXTOID)
	{
		const text *given = DatumGetTextPP(value);
		DateADT		day;

		if (likely(iso_date(VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given), &day)))
			return as_of_date(day, hint);
	}
	else if (type == DATEOID)
		return as_of_date(DatumGetDateADT(value), hint);
	switch (OidIsValid(type) ? getBaseType(type) : InvalidOid)
	{
		case DATEOID:
			return as_of_date(DatumGetDateADT(value), hint);
		case TIMESTAMPOID:
			return as_of_time(AS_OF_TIMESTAMP, DatumGetTimestamp(value), hint);
		case TIMESTAMPTZOID:
			return as_of_time(AS_OF_TIMESTAMPTZ, DatumGetTimestampTz(value), hint);
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return as_of_text(TextDatumGetCString(value), hint);
		case UNKNOWNOID:
			return as_of_text(DatumGetCString(value), hint);
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("as_of must be a date, timestamp, timestamptz or text, not %s",
					OidIsValid(type) ? format_type_be(type) : "unknown"),
			 errhint("%s", as_of_type_hint(type))));
	return as_of_none();
}

AsOf
as_of_from_argument(FunctionCallInfo fcinfo, int arg, Oid type, const char *hint)
{
	if (!OidIsValid(type))
		type = get_fn_expr_argtype(fcinfo->flinfo, arg);
	return as_of_from_datum(PG_GETARG_DATUM(arg), type, hint);
}

/* ---------- what one means ---------- */

static Timestamp
instant_to_wall(TimestampTz at, pg_tz *tz)
{
	struct pg_tm tm;
	fsec_t		fsec;
	const char *abbreviation;
	int			west;
	Timestamp	wall = DT_NOBEGIN;

	if (timestamp2tm(at, &west, &tm, &fsec, &abbreviation, tz) == 0)
		wall = at - (int64) west * USECS_PER_SEC;
	if (!IS_VALID_TIMESTAMP(wall))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range in time zone \"%s\"", pg_get_timezone_name(tz))));
	return wall;
}

/* By the server's own rules for gaps and overlaps. */
static TimestampTz
wall_to_instant(Timestamp wall, pg_tz *tz)
{
	struct pg_tm tm;
	fsec_t		fsec;

	if (timestamp2tm(wall, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return wall + (int64) DetermineTimeZoneOffset(&tm, tz) * USECS_PER_SEC;
}

Timestamp
as_of_end(const AsOf *as_of, pg_tz *tz)
{
	int64		day = as_of->value;

	Assert(as_of->kind != AS_OF_NONE);
	if (as_of->kind == AS_OF_TIMESTAMPTZ)
		return instant_to_wall(as_of->value, tz != NULL ? tz : session_timezone);
	if (as_of->kind == AS_OF_TIMESTAMP)
		return as_of->value;
	day++;						/* its end is the next one's begin */
	if (day >= TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE)
		date_range_error();
	return day * USECS_PER_DAY;
}

TimestampTz
as_of_end_instant(const AsOf *as_of, pg_tz *tz)
{
	if (as_of->kind == AS_OF_TIMESTAMPTZ)
		return as_of->value;
	return wall_to_instant(as_of_end(as_of, tz), tz != NULL ? tz : session_timezone);
}

DateADT
as_of_day_before_end(const AsOf *as_of, pg_tz *tz)
{
	Timestamp	last;

	if (as_of->kind == AS_OF_DATE)
		return (DateADT) as_of->value;
	last = as_of_end(as_of, tz) - 1;
	return (DateADT) (last / USECS_PER_DAY - (last % USECS_PER_DAY < 0));
}
