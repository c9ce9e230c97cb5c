/*
 * byte_reader.c
 *	  Reading the bytes of a value: what is not in line.
 *
 * The forms and the promises are in byte_reader.h.
 */
#include "value/byte_reader.h"

#include "common/int.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "value/label_set.h"
#include "value/value_type.h"

void
reader_fail(ByteReader *reader, const char *what)
{
	if (reader->error == NULL)
		reader->error = what;
	reader->at = reader->end;
}

void
reader_corrupt(const ByteReader *reader, const char *type)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("%s value is corrupt: wrong %s", type, reader->error)));
	pg_unreachable();
}

uint8
reader_begin(ByteReader *reader, const char *data, Size len, uint8 version, uint8 flags)
{
	uint8		set;

	reader->at = (const uint8 *) data;
	reader->end = reader->at + len;
	reader->error = NULL;
	if (unlikely(len < VALUE_PREFIX))
	{
		reader_fail(reader, "length");
		return 0;
	}
	if (unlikely(*reader->at++ != version))
	{
		reader_fail(reader, "version");
		return 0;
	}
	set = *reader->at++;
	if (unlikely((set & ~flags) != 0))
	{
		reader_fail(reader, "flags");
		return 0;
	}
	return set;
}

int64
reader_step(ByteReader *reader, int64 from, int64 min, int64 max, const char *what)
{
	int64		value;

	if (pg_add_s64_overflow(from, unzigzag(reader_uint(reader, PG_UINT64_MAX, what)), &value) ||
		value < min || value > max)
	{
		reader_fail(reader, what);
		return Max(min, Min(max, 0));
	}
	return value;
}

bool
reader_double_is_canonical(double value)
{
	double		form = value == 0 ? 0 : get_float8_nan();

	return memcmp(&form, &value, sizeof(value)) == 0;
}

double
reader_between(ByteReader *reader, double min, double max, const char *what)
{
	double		value = reader_double(reader, what);

	/* written so that NaN fails */
	reader_require(reader, value >= min && value <= max, what);
	return value;
}

/* ---------- texts ---------- */

char *
reader_text(ByteReader *reader, int64 least, int64 most, bool check, const char *what)
{
	int64		len = (int64) reader_uint(reader, Min((uint64) most, reader_left(reader)), what);
	char	   *text;

	/* what precedes it may have taken the bytes that there were */
	reader_require(reader, len >= least && len <= (int64) reader_left(reader), what);
	/* fails for a NUL within, too */
	if (check && reader->error == NULL)
		reader_require(reader, pg_verify_mbstr(PG_UTF8, (const char *) reader->at, (int) len, true),
					   what);
	if (reader->error != NULL)
		return pstrdup("");
	text = pnstrdup((const char *) reader->at, len);
	reader->at += len;
	return text;
}

LabelList
reader_labels(ByteReader *reader, int64 most, int64 least_bytes, int64 most_bytes, bool check,
			  bool any_order)
{
	LabelList	list;

	/* a label has a length at least */
	list.n = (int) reader_count(reader, most, 1, "number of labels");
	list.labels = palloc(sizeof(char *) * (list.n + 1));
	for (int i = 0; i < list.n && reader->error == NULL; i++)
	{
		list.labels[i] = reader_text(reader, least_bytes, most_bytes, check, "label");
		if (check && !any_order && i > 0)
			reader_require(reader, label_compare(list.labels[i - 1], list.labels[i]) < 0,
						   "order of labels");
	}
	if (reader->error != NULL)
		list.n = 0;
	return list;
}

/* ---------- amounts ---------- */

/* As numeric_send makes it; through the server's own checks. */
static Amount
read_big(ByteReader *reader)
{
	StringInfoData buf;
	Amount		amount = amount_none();
	int64		len = reader_count(reader, PG_INT32_MAX, 1, "length of an amount");
	const uint8 *at = reader->at;
	int			digits;

	if (len < 4 * (int64) sizeof(uint16) || len > (int64) reader_left(reader))
	{
		reader_fail(reader, "length of an amount");
		return amount;
	}
	digits = at[0] << 8 | at[1];
	reader_require(reader, len == (4 + (int64) digits) * (int64) sizeof(uint16),
				   "length of an amount");
	/* sign: numeric_recv would take NaN and the infinities */
	reader_require(reader, (at[4] == 0x00 || at[4] == 0x40) && at[5] == 0 &&
				   ((at[6] << 8 | at[7]) & ~AMOUNT_SCALE_LAST) == 0, "amount");
	for (int i = 0; i < digits && reader->error == NULL; i++)
		reader_require(reader, (at[8 + i * 2] << 8 | at[9 + i * 2]) < 10000, "amount");
	if (reader->error != NULL)
		return amount;
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, (const char *) at, (int) len);
	amount = amount_from_datum(DirectFunctionCall3(numeric_recv, PointerGetDatum(&buf),
												   ObjectIdGetDatum(InvalidOid),
												   Int32GetDatum(-1)));
	reader->at += len;
	/* one representation only: this one is for what does not fit */
	reader_require(reader, amount.big != NULL, "amount");
	return amount;
}

Amount
reader_amount_slow(ByteReader *reader, uint64 code, int32 scale)
{
	Amount		amount = amount_none();

	if (code == AMOUNT_CODE_NONE)
		return amount;
	if (code == AMOUNT_CODE_BIG)
		return read_big(reader);
	if (code == AMOUNT_CODE_SCALED)
	{
		/* the common scale is the largest */
		amount.scale = (int32) reader_uint(reader, AMOUNT_SCALE_LAST, "scale");
		reader_require(reader, amount.scale < scale, "scale");
		amount.value = unzigzag(reader_uint(reader, PG_UINT64_MAX / 2, "amount"));
		if (amount.value < AMOUNT_VALUE_MAX && amount.value > -AMOUNT_VALUE_MAX &&
			amount.scale <= AMOUNT_SCALE_MAX)
			return amount;
	}
	reader_fail(reader, "amount");
	return amount_none();
}

void
reader_skip_amount(ByteReader *reader)
{
	uint64		v = reader_uint(reader, PG_UINT64_MAX, "amount");

	if (v == AMOUNT_CODE_SCALED)
	{
		(void) reader_uint(reader, AMOUNT_SCALE_LAST, "scale");
		(void) reader_uint(reader, PG_UINT64_MAX, "amount");
	}
	else if (v == AMOUNT_CODE_BIG)
	{
		v = reader_count(reader, PG_INT32_MAX, 1, "length of an amount");
		if (v <= reader_left(reader))
			reader->at += v;
		else
			reader_fail(reader, "length of an amount");
	}
}
