/*
 * server_types.c
 *	  Of the server's types what readers of stored values call: numerics, days, zones.
 *
 * Numerics are written from their stored form and that of the wire; time zones are
 * those without changes of the clock.
 */
#include "postgres.h"

#include <limits.h>

#include "datatype/timestamp.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "libpq/pqformat.h"
#include "pgtime.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/numeric.h"

/* ---------- numeric: the form it is stored in, and that of the wire ---------- */

/* Digits of base 10000, the first one of weight "weight"; as the server lays them out. */
static Datum
make_numeric(int16 *digits, int ndigits, int weight, int sign, int scale)
{
	int			first = 0;
	uint16	   *words;
	struct varlena *result;
	bool		small;
	Size		header;

	/* what lies beyond the scale is cut off, and no zero stands at either end */
	for (int i = 0; i < ndigits; i++)
	{
		int			places = (i - weight) * 4 - scale;

		if (places >= 4)
			digits[i] = 0;
		else if (places > 0)
			digits[i] -= digits[i] % (places == 1 ? 10 : places == 2 ? 100 : 1000);
	}
	while (ndigits > 0 && digits[ndigits - 1] == 0)
		ndigits--;
	for (; first < ndigits && digits[first] == 0; first++)
		weight--;
	if (first == ndigits)
		weight = sign = 0;
	small = scale <= 63 && weight >= -64 && weight <= 63;
	header = small ? 1 : 2;
	result = palloc0(VARHDRSZ + (header + ndigits - first) * sizeof(uint16));
	SET_VARSIZE(result, VARHDRSZ + (header + ndigits - first) * sizeof(uint16));
	words = (uint16 *) VARDATA(result);
	if (small)
		words[0] = 0x8000 | (sign ? 0x2000 : 0) | scale << 7 | (weight < 0 ? 0x40 : 0) | (weight & 0x3F);
	else
	{
		words[0] = sign | scale;
		words[1] = (uint16) weight;
	}
	memcpy(words + header, digits + first, (ndigits - first) * sizeof(int16));
	return PointerGetDatum(result);
}

typedef struct Parts
{
	const uint16 *digits;
	int			ndigits;
	int			weight;
	int			sign;
	int			scale;
} Parts;

static Parts
numeric_parts(Datum num)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(num);
	const uint16 *words = (const uint16 *) VARDATA_ANY(value);
	bool		small = (words[0] & 0xC000) == 0x8000;
	Parts		parts;

	parts.digits = words + (small ? 1 : 2);
	parts.ndigits = VARSIZE_ANY_EXHDR(value) / 2 - (small ? 1 : 2);
	parts.weight = small ? (words[0] & 0x40 ? ~0x3F : 0) | (words[0] & 0x3F) : (int16) words[1];
	parts.sign = (small ? words[0] & 0x2000 : words[0] & 0x4000) ? 0x4000 : 0;
	parts.scale = small ? (words[0] & 0x1F80) >> 7 : words[0] & 0x3FFF;
	return parts;
}

static void
refuse_numeric(bool refused, int code)
{
	if (refused)
		ereport(ERROR, (errcode(code), errmsg("invalid numeric")));
}

Datum
numeric_recv(PG_FUNCTION_ARGS)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			ndigits = (uint16) pq_getmsgint(buf, 2);
	int			weight = (int16) pq_getmsgint(buf, 2);
	int			sign = (uint16) pq_getmsgint(buf, 2);
	int			scale = (uint16) pq_getmsgint(buf, 2);
	int16	   *digits = palloc0((ndigits + 1) * sizeof(int16));

	/* of the specials none comes from a value */
	refuse_numeric((sign != 0 && sign != 0x4000) || scale > 0x3FFF, ERRCODE_INVALID_BINARY_REPRESENTATION);
	for (int i = 0; i < ndigits; i++)
	{
		digits[i] = (int16) pq_getmsgint(buf, 2);
		refuse_numeric(digits[i] < 0 || digits[i] >= 10000, ERRCODE_INVALID_BINARY_REPRESENTATION);
	}
	return make_numeric(digits, ndigits, weight, sign, scale);
}

Datum
numeric_send(PG_FUNCTION_ARGS)
{
	Parts		parts = numeric_parts(PG_GETARG_DATUM(0));
	uint16		first[4] = {parts.ndigits, parts.weight, parts.sign, parts.scale};
	StringInfoData buf;

	pq_begintypsend(&buf);
	for (int i = 0; i < 4 + parts.ndigits; i++)
	{
		uint16		word = i < 4 ? first[i] : parts.digits[i - 4];
		char		bytes[2] = {word >> 8, word & 0xFF};

		pq_sendbytes(&buf, bytes, 2);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
numeric_scale(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(numeric_parts(PG_GETARG_DATUM(0)).scale);
}

/* Plain decimals: sign, digits, a point, digits. */
Datum
numeric_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	int			sign = *text == '-' ? 0x4000 : 0;
	const char *whole = text + (*text == '-' || *text == '+');
	int			before = strspn(whole, "0123456789");
	const char *rest = whole[before] == '.' ? whole + before + 1 : whole + before;
	int			scale = strspn(rest, "0123456789");
	int			weight = (before + 3) / 4 - 1;
	int			ndigits = weight + 1 + (scale + 3) / 4;
	int16	   *digits = palloc0((ndigits + 1) * sizeof(int16));

	refuse_numeric(rest[scale] != '\0' || before + scale == 0 || before > 131072 || scale > 16383,
				   ERRCODE_INVALID_TEXT_REPRESENTATION);
	for (int i = 0; i < ndigits * 4; i++)
	{
		int			place = i - (weight + 1) * 4;	/* 0: the first behind the point */
		char		c = place < -before || place >= scale ? '0' : place < 0 ? whole[before + place] : rest[place];

		digits[i / 4] = digits[i / 4] * 10 + (c - '0');
	}
	return make_numeric(digits, ndigits, weight, sign, scale);
}

Datum
numeric_out(PG_FUNCTION_ARGS)
{
	Parts		parts = numeric_parts(PG_GETARG_DATUM(0));
	StringInfoData buf;

	initStringInfo(&buf);
	if (parts.sign)
		appendStringInfoChar(&buf, '-');
	for (int place = parts.weight < 0 ? -1 : -4 * (parts.weight + 1); place < parts.scale; place++)
	{
		int			i = place + 4 * (parts.weight + 1);
		int			digit = i < 0 || i / 4 >= parts.ndigits ? 0 : parts.digits[i / 4];

		digit = digit / (i % 4 == 0 ? 1000 : i % 4 == 1 ? 100 : i % 4 == 2 ? 10 : 1) % 10;
		if (place == 0)
			appendStringInfoChar(&buf, '.');
		/* no zeros before the first digit but one before the point */
		if (place >= -1 || digit != 0 || (buf.len > 0 && buf.data[buf.len - 1] != '-'))
			appendStringInfoChar(&buf, '0' + digit);
	}
	PG_RETURN_CSTRING(buf.data);
}

Numeric
int64_div_fast_to_numeric(int64 value, int scale)
{
	char		text[64];
	char		digits[64];
	int			len;

	/* so many zeros in front that a digit stands before the point */
	len = snprintf(digits, sizeof(digits), "%0*llu", scale + 1, (unsigned long long) (value < 0 ? -value : value));
	snprintf(text, sizeof(text), "%s%.*s%s%s", value < 0 ? "-" : "", len - scale, digits, scale > 0 ? "." : "",
			 digits + len - scale);
	return DatumGetNumeric(DirectFunctionCall1(numeric_in, CStringGetDatum(text)));
}

static int
digit_at(const Parts *parts, int weight)
{
	int			i = parts->weight - weight;

	return i < 0 || i >= parts->ndigits ? 0 : parts->sign ? -parts->digits[i] : parts->digits[i];
}

Datum
numeric_add(PG_FUNCTION_ARGS)
{
	Parts		a = numeric_parts(PG_GETARG_DATUM(0));
	Parts		b = numeric_parts(PG_GETARG_DATUM(1));
	int			high = Max(a.weight, b.weight) + 1;
	int			low = Min(a.weight - a.ndigits, b.weight - b.ndigits) + 1;
	int			n = Max(high - low + 1, 1);
	int16	   *digits = palloc0(n * sizeof(int16));
	int			sign = 0;
	int			carry = 0;

	/* the sign is that of the first digit that does not cancel */
	for (int w = high; w >= low && sign == 0; w--)
		sign = digit_at(&a, w) + digit_at(&b, w);
	for (int w = low; w <= high; w++)
	{
		int			sum = (digit_at(&a, w) + digit_at(&b, w)) * (sign < 0 ? -1 : 1) + carry;

		carry = sum < 0 ? -1 : sum >= 10000 ? 1 : 0;
		digits[high - w] = sum - carry * 10000;
	}
	return make_numeric(digits, n, high, sign < 0 ? 0x4000 : 0, Max(a.scale, b.scale));
}

/* ---------- days and zones: none that ever changes its clock ---------- */

struct pg_tz
{
	char		name[64];
};

static pg_tz zones[] = {{"UTC"}, {"GMT"}, {"Etc/UTC"}, {"UCT"}};

pg_tz	   *session_timezone = &zones[0];

pg_tz *
pg_tzset(const char *name)
{
	for (size_t i = 0; i < lengthof(zones); i++)
		if (pg_strcasecmp(zones[i].name, name) == 0)
			return &zones[i];
	return NULL;
}

const char *
pg_get_timezone_name(pg_tz *tz)
{
	return tz->name;
}

bool
pg_tz_acceptable(pg_tz *tz)
{
	return true;
}

int
pg_next_dst_boundary(const pg_time_t *timep, long int *before_gmtoff, int *before_isdst, pg_time_t *boundary,
					 long int *after_gmtoff, int *after_isdst, const pg_tz *tz)
{
	*before_gmtoff = 0;
	*before_isdst = 0;
	return 0;
}

int
DetermineTimeZoneOffset(struct pg_tm *tm, pg_tz *tzp)
{
	tm->tm_isdst = 0;
	return 0;
}

/* Julian days; Fliegel and van Flandern (1968) as the server has them */
int
date2j(int y, int m, int d)
{
	int			julian;
	int			century;

	if (m > 2)
	{
		m += 1;
		y += 4800;
	}
	else
	{
		m += 13;
		y += 4799;
	}
	century = y / 100;
	julian = y * 365 - 32167;
	julian += y / 4 - century + century / 4;
	julian += 7834 * m / 256 + d;
	return julian;
}

void
j2date(int jd, int *year, int *month, int *day)
{
	unsigned int julian = jd;
	unsigned int quad;
	unsigned int extra;
	int			y;

	julian += 32044;
	quad = julian / 146097;
	extra = (julian - quad * 146097) * 4 + 3;
	julian += 60 + quad * 3 + extra / 146097;
	quad = julian / 1461;
	julian -= quad * 1461;
	y = julian * 4 / 1461;
	julian = ((y != 0) ? ((julian + 305) % 365) : ((julian + 306) % 366)) + 123;
	y += quad * 4;
	*year = y - 4800;
	quad = julian * 2141 / 65536;
	*day = julian - 7834 * quad / 256;
	*month = (quad + 10) % MONTHS_PER_YEAR + 1;
}

const int	day_tab[2][13] = {
	{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0},
	{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0}
};

int
timestamp2tm(Timestamp dt, int *tzp, struct pg_tm *tm, fsec_t *fsec, const char **tzn, pg_tz *attimezone)
{
	Timestamp	day = dt / USECS_PER_DAY;
	Timestamp	time = dt % USECS_PER_DAY;

	if (time < 0)
	{
		time += USECS_PER_DAY;
		day--;
	}
	day += POSTGRES_EPOCH_JDATE;
	if (day < 0 || day > INT_MAX)
		return -1;
	j2date((int) day, &tm->tm_year, &tm->tm_mon, &tm->tm_mday);
	tm->tm_hour = time / USECS_PER_HOUR;
	tm->tm_min = time / USECS_PER_MINUTE % 60;
	tm->tm_sec = time / USECS_PER_SEC % 60;
	*fsec = time % USECS_PER_SEC;
	tm->tm_isdst = -1;
	tm->tm_gmtoff = 0;
	tm->tm_zone = NULL;
	if (tzp != NULL)
		*tzp = 0;
	if (tzn != NULL)
		*tzn = NULL;
	return 0;
}

/* Not as the server writes it; but it reads all there is. */
void
EncodeDateOnly(struct pg_tm *tm, int style, char *str)
{
	sprintf(str, "%d-%02d-%02d", tm->tm_year, tm->tm_mon, tm->tm_mday);
}

char *
JsonEncodeDateTime(char *buf, Datum value, Oid typid, const int *tzp)
{
	if (buf == NULL)
		buf = palloc(MAXDATELEN + 1);
	snprintf(buf, MAXDATELEN + 1, INT64_FORMAT, DatumGetInt64(value));
	return buf;
}
