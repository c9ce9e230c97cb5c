/*
 * history.c
 *	  The customer_history value: reading, writing, merging, cutting.
 *
 * The form and the promises are in history.h.
 */
#include "history/history.h"

#include "common/int.h"
#include "datatype/timestamp.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "value/byte_writer.h"

#define EVENTS_MAX		(INT64CONST(1) << 56)	/* of a day */
#define DAY_MIN			(DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE)
#define DAY_MAX			(TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE - 1)

/* Bytes from which on anything may be in a history. */
#define LOAD_BYTES		(64 * 1024)

/* ---------- reading ---------- */

bool
history_reader_init(HistoryReader *reader, const char *data, Size len)
{
	ByteReader *bytes = &reader->bytes;
	uint8		flags;

	memset(reader, 0, sizeof(HistoryReader));
	flags = reader_begin(bytes, data, len, HISTORY_VERSION, HISTORY_FLAGS);
	reader->has_amounts = (flags & HISTORY_HAS_AMOUNTS) != 0;
	reader->has_eventless = (flags & HISTORY_HAS_EVENTLESS) != 0;
	/* a day is one byte at least */
	reader->days = reader_uint(bytes, reader_left(bytes), "number of days");
	reader->left = reader->days;
	if (unlikely(reader->has_eventless))
		reader->eventless = reader_uint(bytes, reader->days, "number of days without an event");
	reader->scale = AMOUNT_NONE;
	if (reader->has_amounts)
		reader->scale = (int32) reader_uint(bytes, AMOUNT_SCALE_LAST, "scale");
	return bytes->error == NULL;
}

/* A day without its amount; false at the end, or with an error set. */
static inline bool
read_day(HistoryReader *reader)
{
	ByteReader *bytes = &reader->bytes;
	HistoryDay *day = &reader->day;
	bool		first = reader->left == reader->days;
	int64		to;
	uint64		v;

	if (reader->left == 0)
	{
		(void) reader_end(bytes);
		return false;
	}
	v = reader_uint(bytes, (uint64) PG_UINT32_MAX << 1 | 1, "day");
	to = first ? unzigzag(v >> 1) : day->day + (int64) (v >> 1) + 1;
	if (unlikely(to < DAY_MIN || to > DAY_MAX))
		reader_fail(bytes, "day");
	day->day = (DateADT) to;
	day->events = 1;
	if (v & 1)
	{
		day->events = (int64) reader_uint(bytes, EVENTS_MAX - 2 + reader->has_eventless,
										   "number of events") + 2;
		if (unlikely(reader->has_eventless))
			day->events -= day->events == 2 ? 2 : 1;
	}
	return bytes->error == NULL;
}

bool
history_reader_next(HistoryReader *reader)
{
	if (!read_day(reader))
		return false;
	if (reader->has_amounts)
	{
		reader->day.amount = reader_amount(&reader->bytes, reader->scale);
		if (unlikely(reader->bytes.error != NULL))
			return false;
	}
	else
		reader->day.amount = amount_none();
	reader->left--;
	return true;
}

static const char history_name[] = "customer_history";

void
history_reader_open(HistoryReader *reader, const CustomerHistory *history)
{
	if (!history_reader_init(reader, VARDATA_ANY(history), VARSIZE_ANY_EXHDR(history)))
		reader_corrupt(&reader->bytes, history_name);
}

bool
history_reader_day(HistoryReader *reader)
{
	bool		found = history_reader_next(reader);

	if (unlikely(reader->bytes.error != NULL))
		reader_corrupt(&reader->bytes, history_name);
	return found;
}

bool
history_read_dates_slow(HistoryReader *reader)
{
	bool		found = read_day(reader);

	if (found && reader->has_amounts)
		reader_skip_amount(&reader->bytes);
	if (unlikely(reader->bytes.error != NULL))
		reader_corrupt(&reader->bytes, history_name);
	if (found)
		reader->left--;
	return found;
}

/* ---------- writing ---------- */

CustomerHistory *
history_build(const HistoryDay *days, uint64 n)
{
	StringInfoData buf;
	int32		scale = AMOUNT_NONE;
	uint64		eventless = 0;

	for (uint64 i = 0; i < n; i++)
	{
		scale = writer_scale(scale, &days[i].amount);
		eventless += days[i].events == 0;
	}
	/* most histories are shorter than the smallest buffer of a StringInfo */
	writer_begin(&buf, VARINT_MAX_BYTES + Min(n, 1024) * (scale != AMOUNT_NONE ? 8 : 4),
				 HISTORY_VERSION, (scale != AMOUNT_NONE ? HISTORY_HAS_AMOUNTS : 0) |
				 (eventless > 0 ? HISTORY_HAS_EVENTLESS : 0));
	writer_uint(&buf, n);
	if (eventless > 0)
		writer_uint(&buf, eventless);
	if (scale != AMOUNT_NONE)
		writer_uint(&buf, scale);
	for (uint64 i = 0; i < n; i++)
	{
		uint64		step = i == 0 ? zigzag(days[0].day) : (uint64) (days[i].day - (int64) days[i - 1].day - 1);
		int64		events = days[i].events;

		Assert(i == 0 || days[i].day > days[i - 1].day);
		Assert(events >= 0);
		writer_uint(&buf, step << 1 | (events != 1));
		if (events != 1)
			writer_uint(&buf, eventless == 0 ? events - 2 : events == 0 ? 0 : events - 1);
		if (scale != AMOUNT_NONE)
			writer_amount(&buf, &days[i].amount, scale);
	}
	return writer_finish(&buf);
}

const char *
history_check(const char *data, Size len)
{
	HistoryReader reader;
	HistoryDay *days;
	CustomerHistory *again;
	uint64		n = 0;

	if (!history_reader_init(&reader, data, len))
		return reader.bytes.error;
	days = palloc_extended(sizeof(HistoryDay) * (reader.days + 1), MCXT_ALLOC_HUGE);
	while (history_reader_next(&reader))
	{
		if ((n & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		/* nothing happened on it */
		if (reader.day.events == 0 && reader.day.amount.scale == AMOUNT_NONE)
			return "day without an event";
		days[n++] = reader.day;
	}
	if (reader.bytes.error != NULL)
		return reader.bytes.error;
	again = history_build(days, n);
	if (VARSIZE(again) - VARHDRSZ != len || memcmp(VARDATA(again), data, len) != 0)
		return "encoding";
	return NULL;
}

/* ---------- adding ---------- */

/*
 * Integers of 50 bits and more have seven bytes with a top bit in a row; where
 * there are none, thousands of histories can be added up.  An amount that is
 * not small is short of its bounds by far in a history that is.
 */
double
history_load(const CustomerHistory *history)
{
	const uint8 *at = (const uint8 *) VARDATA_ANY(history);
	Size		len = VARSIZE_ANY_EXHDR(history);
	int			run = 0;
	bool		none = true;

	if (len > LOAD_BYTES)
		return 1;
	/* four of the seven are a word here, wherever they begin */
	for (Size i = 0; none && i + sizeof(uint32) <= len; i += sizeof(uint32))
	{
		uint32		word;

		memcpy(&word, at + i, sizeof(word));
		none = (word & 0x80808080) != 0x80808080;
	}
	for (Size i = 0; !none && i < len; i++)
	{
		run = at[i] & 0x80 ? run + 1 : 0;
		if (run >= 7)
			return 1;
	}
	return 0;
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
