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
	reader->has_moves = (flags & HISTORY_HAS_MOVES) != 0;
	/* a day is one byte at least */
	reader->days = reader_uint(bytes, reader_left(bytes), "number of days");
	reader->left = reader->days;
	reader_require(bytes, reader->has_amounts || !reader->has_moves, "flags");
	reader->scale = AMOUNT_NONE;
	if (reader->has_amounts)
		reader->scale = (int32) reader_uint(bytes, AMOUNT_SCALE_LAST, "scale");
	return bytes->error == NULL;
}

/* The day that a step leads to. */
static inline void
history_step(HistoryReader *reader, uint64 step, bool first)
{
	int64		to = first ? unzigzag(step) : reader->day.day + (int64) step + 1;

	if (unlikely(to < DAY_MIN || to > DAY_MAX))
		reader_fail(&reader->bytes, "day");
	reader->day.day = (DateADT) to;
}

/* A day without its amount; false at the end, or with an error set. */
static inline bool
read_day(HistoryReader *reader)
{
	ByteReader *bytes = &reader->bytes;
	HistoryDay *day = &reader->day;
	uint64		v;

	if (reader->left == 0)
	{
		if (!reader->has_moves)
			(void) reader_end(bytes);
		return false;
	}
	v = reader_uint(bytes, (uint64) PG_UINT32_MAX << 1 | 1, "day");
	history_step(reader, v >> 1, reader->left == reader->days);
	day->events = 1;
	if (v & 1)
		day->events = (int64) reader_uint(bytes, EVENTS_MAX - 2, "number of events") + 2;
	return bytes->error == NULL;
}

static pg_attribute_always_inline bool
history_read_next(HistoryReader *reader)
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

bool
history_reader_next(HistoryReader *reader)
{
	return history_read_next(reader);
}

/*
 * The second list, by a reader that has read the first; from here on "days" and
 * "left" are those of the second.
 */
static void
history_moves_begin(HistoryReader *reader)
{
	ByteReader *bytes = &reader->bytes;

	Assert(reader->left == 0);
	if (!reader->has_moves)
		reader->days = 0;
	else
		/* a day is two bytes at least */
		reader->days = reader_uint(bytes, reader_left(bytes) / 2, "number of days of money") + 1;
	reader->left = bytes->error == NULL ? reader->days : 0;
}

static bool
history_moves_next(HistoryReader *reader)
{
	ByteReader *bytes = &reader->bytes;

	if (reader->left == 0)
	{
		(void) reader_end(bytes);
		return false;
	}
	history_step(reader, reader_uint(bytes, PG_UINT32_MAX, "day of money"),
				 reader->left == reader->days);
	reader->day.events = 0;
	reader->day.amount = reader_amount(bytes, reader->scale);
	reader_require(bytes, reader->day.amount.scale != AMOUNT_NONE, "amount");
	reader->left--;
	return bytes->error == NULL;
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
	bool		found = history_read_next(reader);

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

static bool
history_moves_day(HistoryReader *reader)
{
	bool		found = history_moves_next(reader);

	if (unlikely(reader->bytes.error != NULL))
		reader_corrupt(&reader->bytes, history_name);
	return found;
}

void
history_all_open(HistoryAll *all, const CustomerHistory *history)
{
	history_reader_open(&all->active, history);
	all->has_move = false;
	if (unlikely(all->active.has_moves))
	{
		all->moves = all->active;
		while (history_reader_read_dates(&all->moves))
			;
		history_moves_begin(&all->moves);
		all->has_move = history_moves_day(&all->moves);
	}
	all->has_active = history_reader_day(&all->active);
}

bool
history_all_day(HistoryAll *all)
{
	if (likely(all->has_active && (!all->has_move || all->active.day.day < all->moves.day.day)))
	{
		all->day = all->active.day;
		all->has_active = history_reader_day(&all->active);
		return true;
	}
	if (!all->has_move)
		return false;
	all->day = all->moves.day;
	all->has_move = history_moves_day(&all->moves);
	return true;
}

void
history_charged_open(HistoryCharged *charged, const CustomerHistory *history, DateADT until)
{
	HistoryAll *all = &charged->all;

	history_all_open(all, history);
	charged->until = until;
	charged->before = amount_none();
	charged->has_next = false;
	while (!charged->has_next && history_all_day(all) && all->day.day <= until)
	{
		if (all->day.events > 0)
		{
			charged->next = all->day;
			charged->has_next = true;
		}
		else
			charged->before = amount_add(&charged->before, &all->day.amount);
	}
}

bool
history_charged_day(HistoryCharged *charged)
{
	HistoryAll *all = &charged->all;

	if (!charged->has_next)
		return false;
	charged->day = charged->next;
	charged->has_next = false;
	while (history_all_day(all) && all->day.day <= charged->until)
	{
		if (all->day.events > 0)
		{
			charged->next = all->day;
			charged->has_next = true;
			break;
		}
		charged->day.amount = amount_add(&charged->day.amount, &all->day.amount);
	}
	return true;
}

DateADT
history_latest(const CustomerHistory *history)
{
	HistoryReader reader;
	DateADT		latest = DATEVAL_NOBEGIN;

	history_reader_open(&reader, history);
	while (history_reader_read_dates(&reader))
		latest = reader.day.day;
	if (unlikely(reader.has_moves))
	{
		history_moves_begin(&reader);
		while (history_moves_day(&reader))
			latest = Max(latest, reader.day.day);
	}
	return latest;
}

/* ---------- writing ---------- */

/* The days on which only money moved, behind the others. */
static void
history_write_moves(StringInfo buf, const HistoryDay *days, uint64 n, uint64 moves, int32 scale)
{
	const HistoryDay *last = NULL;

	writer_uint(buf, moves - 1);
	for (uint64 i = 0; i < n; i++)
	{
		if (days[i].events > 0)
			continue;
		Assert(last == NULL || days[i].day > last->day);
		writer_uint(buf, last == NULL ? zigzag(days[i].day) :
					(uint64) (days[i].day - (int64) last->day - 1));
		writer_amount(buf, &days[i].amount, scale);
		last = &days[i];
	}
}

CustomerHistory *
history_build(const HistoryDay *days, uint64 n)
{
	StringInfoData buf;
	int32		scale = AMOUNT_NONE;
	const HistoryDay *last = NULL;
	uint64		moves = 0;

	for (uint64 i = 0; i < n; i++)
	{
		scale = writer_scale(scale, &days[i].amount);
		moves += days[i].events == 0;
	}
	/* most histories are shorter than the smallest buffer of a StringInfo */
	writer_begin(&buf, VARINT_MAX_BYTES + Min(n, 1024) * (scale != AMOUNT_NONE ? 8 : 4),
				 HISTORY_VERSION, (scale != AMOUNT_NONE ? HISTORY_HAS_AMOUNTS : 0) |
				 (moves > 0 ? HISTORY_HAS_MOVES : 0));
	writer_uint(&buf, n - moves);
	if (scale != AMOUNT_NONE)
		writer_uint(&buf, scale);
	for (uint64 i = 0; i < n; i++)
	{
		int64		events = days[i].events;
		uint64		step;

		Assert(events >= 0);
		if (unlikely(events == 0))
			continue;
		Assert(last == NULL || days[i].day > last->day);
		step = last == NULL ? zigzag(days[i].day) :
			(uint64) (days[i].day - (int64) last->day - 1);
		writer_uint(&buf, step << 1 | (events != 1));
		if (events != 1)
			writer_uint(&buf, events - 2);
		if (scale != AMOUNT_NONE)
			writer_amount(&buf, &days[i].amount, scale);
		last = &days[i];
	}
	if (unlikely(moves > 0))
		history_write_moves(&buf, days, n, moves, scale);
	return writer_finish(&buf);
}

const char *
history_check(const char *data, Size len)
{
	HistoryReader reader;
	HistoryDay *days;
	CustomerHistory *again;
	uint64		active;
	uint64		n = 0;

	if (!history_reader_init(&reader, data, len))
		return reader.bytes.error;
	days = palloc_extended(sizeof(HistoryDay) * (reader.days + 1), MCXT_ALLOC_HUGE);
	while (history_reader_next(&reader))
	{
		if ((n & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		days[n++] = reader.day;
	}
	if (reader.bytes.error != NULL)
		return reader.bytes.error;
	active = n;
	history_moves_begin(&reader);
	days = repalloc_huge(days, sizeof(HistoryDay) * (active + reader.days + 1));
	for (uint64 i = 0; history_moves_next(&reader);)
	{
		if ((n & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		while (i < active && days[i].day < reader.day.day)
			i++;
		/* it is part of that day's amount */
		if (i < active && days[i].day == reader.day.day)
			return "day of money";
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

/* How many there are at most. */
static inline uint64
history_all_days(const HistoryAll *all)
{
	return all->active.days + (all->active.has_moves ? all->moves.days : 0);
}

CustomerHistory *
history_merge(const CustomerHistory *a, const CustomerHistory *b)
{
	HistoryAll	all_a;
	HistoryAll	all_b;
	HistoryDay *days;
	uint64		n = 0;
	bool		more_a;
	bool		more_b;

	history_all_open(&all_a, a);
	history_all_open(&all_b, b);
	days = palloc_extended(sizeof(HistoryDay) *
						   (history_all_days(&all_a) + history_all_days(&all_b) + 1),
						   MCXT_ALLOC_HUGE);
	more_a = history_all_day(&all_a);
	more_b = history_all_day(&all_b);
	while (more_a || more_b)
	{
		bool		take_a = more_a && (!more_b || all_a.day.day <= all_b.day.day);
		bool		take_b = more_b && (!more_a || all_b.day.day <= all_a.day.day);

		if ((n & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		days[n] = take_a ? all_a.day : all_b.day;
		if (take_a && take_b)
			history_day_add(&days[n], &all_b.day);
		n++;
		if (take_a)
			more_a = history_all_day(&all_a);
		if (take_b)
			more_b = history_all_day(&all_b);
	}
	return history_build(days, n);
}

CustomerHistory *
history_cut(const CustomerHistory *history, DateADT from, DateADT to)
{
	HistoryAll	all;
	HistoryDay *days;
	uint64		n = 0;

	history_all_open(&all, history);
	days = palloc_extended(sizeof(HistoryDay) * (history_all_days(&all) + 1), MCXT_ALLOC_HUGE);
	while (history_all_day(&all))
		if (all.day.day >= from && all.day.day <= to)
			days[n++] = all.day;
	return history_build(days, n);
}
