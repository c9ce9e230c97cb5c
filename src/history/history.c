/*
 * history.c
 *	  The customer_history value: reading, writing, merging, cutting.
 *
 * The form and the promises are in history.h.
 */
#include "history/history.h"

#include "common/int.h"
#include "datatype/timestamp.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "value/rollup.h"
#include "value/varint.h"

#define FLAG_AMOUNTS	0x01
#define SCALE_MAX		16383	/* NUMERIC_DSCALE_MAX */

/* Codes of amounts: even numbers are values. */
#define CODE_NONE		1
#define CODE_SCALED		3
#define CODE_BIG		5

#define EVENTS_MAX		(INT64CONST(1) << 56)	/* of a day */
#define DAY_MIN			(DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE)
#define DAY_MAX			(TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE - 1)

/* ---------- reading ---------- */

static bool
history_corrupt(HistoryReader *reader, const char *what)
{
	reader->error = what;
	return false;
}

static bool
history_get(HistoryReader *reader, uint64 max, const char *what, uint64 *value)
{
	if (!varint_get(&reader->at, reader->end, value) || *value > max)
		return history_corrupt(reader, what);
	return true;
}

bool
history_reader_init(HistoryReader *reader, const char *data, Size len)
{
	uint8		head;
	uint64		v;

	memset(reader, 0, sizeof(HistoryReader));
	reader->at = (const uint8 *) data;
	reader->end = reader->at + len;
	if (len < 2)
		return history_corrupt(reader, "length");
	head = *reader->at++;
	if ((head & 0x0f) != HISTORY_VERSION)
		return history_corrupt(reader, "version");
	if ((head >> 4 & ~FLAG_AMOUNTS) != 0)
		return history_corrupt(reader, "flags");
	reader->has_amounts = (head >> 4 & FLAG_AMOUNTS) != 0;
	/* a day is one byte at least */
	if (!history_get(reader, reader->end - reader->at, "number of days", &reader->days))
		return false;
	reader->left = reader->days;
	if (reader->has_amounts)
	{
		if (!history_get(reader, SCALE_MAX, "scale", &v))
			return false;
		reader->scale = (uint32) v;
	}
	return true;
}

/* An amount as numeric_send makes it; through the server's own checks. */
static bool
read_big(HistoryReader *reader, Amount *amount)
{
	StringInfoData buf;
	uint64		len;
	int			digits;

	if (!history_get(reader, reader->end - reader->at, "length of an amount", &len))
		return false;
	if (len < 4 * sizeof(uint16))
		return history_corrupt(reader, "length of an amount");
	digits = reader->at[0] << 8 | reader->at[1];
	if (len != (4 + (uint64) digits) * sizeof(uint16))
		return history_corrupt(reader, "length of an amount");
	/* sign: numeric_recv would take NaN and the infinities */
	if ((reader->at[4] != 0x00 && reader->at[4] != 0x40) || reader->at[5] != 0 ||
		((reader->at[6] << 8 | reader->at[7]) & ~SCALE_MAX) != 0)
		return history_corrupt(reader, "amount");
	for (int i = 0; i < digits; i++)
		if ((reader->at[8 + i * 2] << 8 | reader->at[9 + i * 2]) >= 10000)
			return history_corrupt(reader, "amount");
	initStringInfo(&buf);
	appendBinaryStringInfo(&buf, (const char *) reader->at, (int) len);
	*amount = amount_from_datum(DirectFunctionCall3(numeric_recv, PointerGetDatum(&buf),
													ObjectIdGetDatum(InvalidOid),
													Int32GetDatum(-1)));
	reader->at += len;
	/* one representation only: this one is for what does not fit */
	if (amount->big == NULL)
		return history_corrupt(reader, "amount");
	return true;
}

static bool
history_read_amount(HistoryReader *reader, Amount *amount)
{
	uint64		v;

	*amount = amount_none();
	if (!history_get(reader, PG_UINT64_MAX, "amount", &v))
		return false;
	if (v == CODE_NONE)
		return true;
	if (v == CODE_BIG)
		return read_big(reader, amount);
	amount->scale = reader->scale;
	if (v == CODE_SCALED)
	{
		/* the common scale is the largest */
		if (!history_get(reader, SCALE_MAX, "scale", &v) || v >= reader->scale)
			return history_corrupt(reader, "scale");
		amount->scale = (int32) v;
		if (!history_get(reader, PG_UINT64_MAX / 2, "amount", &v))
			return false;
		amount->value = unzigzag(v);
	}
	else if (v & 1)
		return history_corrupt(reader, "amount");
	else
		amount->value = unzigzag(v >> 1);
	if (amount->value >= AMOUNT_VALUE_MAX || amount->value <= -AMOUNT_VALUE_MAX ||
		amount->scale > 18)
		return history_corrupt(reader, "amount");
	return true;
}

/* A day without its amount; false at the end, or with reader->error set. */
static bool
read_day(HistoryReader *reader)
{
	HistoryDay *day = &reader->day;
	bool		first = reader->left == reader->days;
	int64		to;
	uint64		v;
	uint64		events;

	if (reader->left == 0)
	{
		if (reader->at != reader->end)
			return history_corrupt(reader, "length");
		return false;
	}
	if (!history_get(reader, PG_UINT64_MAX, "day", &v))
		return false;
	if ((v >> 1) > PG_UINT32_MAX)
		return history_corrupt(reader, "day");
	to = first ? unzigzag(v >> 1) : day->day + (int64) (v >> 1) + 1;
	if (to < DAY_MIN || to > DAY_MAX)
		return history_corrupt(reader, "day");
	day->day = (DateADT) to;
	day->events = 1;
	if (v & 1)
	{
		if (!history_get(reader, EVENTS_MAX - 2, "number of events", &events))
			return false;
		day->events = (int64) events + 2;
	}
	return true;
}

bool
history_reader_next(HistoryReader *reader)
{
	if (!read_day(reader))
		return false;
	reader->day.amount = amount_none();
	if (reader->has_amounts && !history_read_amount(reader, &reader->day.amount))
		return false;
	reader->left--;
	return true;
}

static void
history_corrupt_error(const HistoryReader *reader)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("customer_history value is corrupt: wrong %s", reader->error)));
}

void
history_reader_open(HistoryReader *reader, const CustomerHistory *history)
{
	if (!history_reader_init(reader, VARDATA_ANY(history), VARSIZE_ANY_EXHDR(history)))
		history_corrupt_error(reader);
}

bool
history_reader_day(HistoryReader *reader)
{
	bool		found = history_reader_next(reader);

	if (unlikely(reader->error != NULL))
		history_corrupt_error(reader);
	return found;
}

/* Past an amount, of which only the length is looked at. */
static bool
skip_amount(HistoryReader *reader)
{
	uint64		v;

	if (!history_get(reader, PG_UINT64_MAX, "amount", &v))
		return false;
	if (v == CODE_SCALED)
		return history_get(reader, SCALE_MAX, "scale", &v) &&
			history_get(reader, PG_UINT64_MAX, "amount", &v);
	if (v == CODE_BIG)
	{
		if (!history_get(reader, reader->end - reader->at, "length of an amount", &v))
			return false;
		reader->at += v;
	}
	return true;
}

bool
history_read_dates_slow(HistoryReader *reader)
{
	bool		found = read_day(reader) && (!reader->has_amounts || skip_amount(reader));

	if (unlikely(reader->error != NULL))
		history_corrupt_error(reader);
	if (found)
		reader->left--;
	return found;
}

/* ---------- writing ---------- */

static int32
big_scale(Numeric num)
{
	return DatumGetInt32(DirectFunctionCall1(numeric_scale, NumericGetDatum(num)));
}

static void
history_put_amount(StringInfo buf, const Amount *amount, int32 scale)
{
	bytea	   *sent;

	if (amount->scale == AMOUNT_NONE)
		varint_append(buf, CODE_NONE);
	else if (amount->big != NULL)
	{
		sent = DatumGetByteaPP(DirectFunctionCall1(numeric_send, NumericGetDatum(amount->big)));
		varint_append(buf, CODE_BIG);
		varint_append(buf, VARSIZE_ANY_EXHDR(sent));
		appendBinaryStringInfo(buf, VARDATA_ANY(sent), VARSIZE_ANY_EXHDR(sent));
	}
	else if (amount->scale == scale)
		varint_append(buf, zigzag(amount->value) << 1);
	else
	{
		varint_append(buf, CODE_SCALED);
		varint_append(buf, amount->scale);
		varint_append(buf, zigzag(amount->value));
	}
}

CustomerHistory *
history_build(const HistoryDay *days, uint64 n)
{
	StringInfoData buf;
	int32		scale = AMOUNT_NONE;

	for (uint64 i = 0; i < n; i++)
	{
		const Amount *amount = &days[i].amount;

		if (amount->scale != AMOUNT_NONE)
			scale = Max(scale, amount->big != NULL ? big_scale(amount->big) : amount->scale);
	}

	/* most histories are shorter than the smallest buffer of a StringInfo */
	buf.maxlen = (int) (VARHDRSZ + 2 * VARINT_MAX_BYTES + Min(n, 1024) * (scale != AMOUNT_NONE ? 8 : 4));
	buf.data = palloc(buf.maxlen);
	buf.cursor = 0;
	buf.len = VARHDRSZ;
	buf.data[buf.len++] = HISTORY_VERSION | (scale != AMOUNT_NONE ? FLAG_AMOUNTS << 4 : 0);
	varint_append(&buf, n);
	if (scale != AMOUNT_NONE)
		varint_append(&buf, scale);
	for (uint64 i = 0; i < n; i++)
	{
		uint64		step = i == 0 ? zigzag(days[0].day) : (uint64) (days[i].day - (int64) days[i - 1].day - 1);

		Assert(i == 0 || days[i].day > days[i - 1].day);
		varint_append(&buf, step << 1 | (days[i].events > 1));
		if (days[i].events > 1)
			varint_append(&buf, days[i].events - 2);
		if (scale != AMOUNT_NONE)
			history_put_amount(&buf, &days[i].amount, scale);
	}
	SET_VARSIZE(buf.data, buf.len);
	return (CustomerHistory *) buf.data;
}

const char *
history_check(const char *data, Size len)
{
	HistoryReader reader;
	HistoryDay *days;
	CustomerHistory *again;
	uint64		n = 0;

	if (!history_reader_init(&reader, data, len))
		return reader.error;
	days = palloc_extended(sizeof(HistoryDay) * (reader.days + 1), MCXT_ALLOC_HUGE);
	while (history_reader_next(&reader))
	{
		if ((n & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		days[n++] = reader.day;
	}
	if (reader.error != NULL)
		return reader.error;
	again = history_build(days, n);
	if (VARSIZE(again) - VARHDRSZ != len || memcmp(VARDATA(again), data, len) != 0)
		return "encoding";
	return NULL;
}

void
history_day_add(HistoryDay *a, const HistoryDay *b)
{
	if (pg_add_s64_overflow(a->events, b->events, &a->events) || a->events > EVENTS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("too many events")));
	a->amount = amount_add(&a->amount, &b->amount);
}

CustomerHistory *
history_merge(const CustomerHistory *a, const CustomerHistory *b)
{
	HistoryReader ra;
	HistoryReader rb;
	HistoryDay *days;
	uint64		n = 0;
	bool		more_a;
	bool		more_b;

	history_reader_open(&ra, a);
	history_reader_open(&rb, b);
	days = palloc_extended(sizeof(HistoryDay) * (ra.days + rb.days + 1), MCXT_ALLOC_HUGE);
	more_a = history_reader_day(&ra);
	more_b = history_reader_day(&rb);
	while (more_a || more_b)
	{
		bool		take_a = more_a && (!more_b || ra.day.day <= rb.day.day);
		bool		take_b = more_b && (!more_a || rb.day.day <= ra.day.day);

		if ((n & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		days[n] = take_a ? ra.day : rb.day;
		if (take_a && take_b)
			history_day_add(&days[n], &rb.day);
		n++;
		if (take_a)
			more_a = history_reader_day(&ra);
		if (take_b)
			more_b = history_reader_day(&rb);
	}
	return history_build(days, n);
}

CustomerHistory *
history_cut(const CustomerHistory *history, DateADT from, DateADT to)
{
	HistoryReader reader;
	HistoryDay *days;
	uint64		n = 0;

	history_reader_open(&reader, history);
	days = palloc_extended(sizeof(HistoryDay) * (reader.days + 1), MCXT_ALLOC_HUGE);
	while (history_reader_day(&reader))
		if (reader.day.day >= from && reader.day.day <= to)
			days[n++] = reader.day;
	return history_build(days, n);
}

CustomerHistory *
history_finished(CustomerHistory *history)
{
	return rollup_finished(history, history_merge);
}
