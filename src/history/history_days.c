/*
 * history_days.c
 *	  The days of a customer_history as an array, read all at once.
 *
 * A day takes one or two bytes as a rule, and so that no day waits for the
 * length of the one before it, the last bytes of all integers among the next 64
 * bytes are found first: those without a top bit.  Whatever is not of the usual
 * kind is left to the reader of histories.
 *
 * Promises and limits: see history_days.h.
 */
#include "history/history_days.h"

#include "port/pg_bitutils.h"
#include "port/pg_bswap.h"
#include "utils/date.h"
#include "value/varint.h"

/* Longer histories are not remembered. */
#define KEPT_BYTES	2048

/* read past the end of what is kept: 64 bytes, and some of a word */
#define SLACK_BYTES 80

typedef struct KeptHistory
{
	uint64		serial;			/* 0: nothing is kept */
	Size		len;
	int64		n;
	uint8		bytes[KEPT_BYTES + SLACK_BYTES];
	DateADT		days[KEPT_BYTES];
} KeptHistory;

static KeptHistory kept;

static inline uint64
load_word(const uint8 *at)
{
	uint64		word;

	memcpy(&word, at, sizeof(word));
#ifdef WORDS_BIGENDIAN
	word = pg_bswap64(word);
#endif
	return word;
}

static inline uint64
last_bytes_of_word(const uint8 *at, int word)
{
	uint64		tops = ~load_word(at + word * 8) & UINT64CONST(0x8080808080808080);

	/* the top bits of eight bytes, side by side in the highest byte */
	return (tops >> 7) * UINT64CONST(0x0102040810204080) >> 56 << (word * 8);
}

/* Bit i: byte i is the last of an integer. */
static inline uint64
last_bytes(const uint8 *at)
{
	return last_bytes_of_word(at, 0) | last_bytes_of_word(at, 1) |
		last_bytes_of_word(at, 2) | last_bytes_of_word(at, 3) |
		last_bytes_of_word(at, 4) | last_bytes_of_word(at, 5) |
		last_bytes_of_word(at, 6) | last_bytes_of_word(at, 7);
}

/* The next 64 bytes from a day on, of which some days were read. */
typedef struct Window
{
	const uint8 *start;
	const uint8 *at;			/* the next day */
	uint64		lasts;			/* last_bytes(start), from "at" on */
} Window;

static inline void
window_open(Window *window, const uint8 *at)
{
	window->start = window->at = at;
	window->lasts = last_bytes(at);
}

/*
 * Past a day whose number has been looked at, its events if it has more than
 * one, and its amount; false, with nothing changed, where they are of another
 * kind or not all in the window.
 */
static inline bool
window_next(Window *window, bool more_events, bool has_amounts)
{
	uint64		lasts = window->lasts;

	if (unlikely(more_events))
		lasts &= lasts - 1;
	if (has_amounts)
	{
		uint8		code;

		if (unlikely(lasts == 0))
			return false;
		code = window->start[pg_rightmost_one_pos64(lasts) + 1];
		lasts &= lasts - 1;
		/* odd codes are no plain amounts, but for that of none */
		if (unlikely((code & 1) && code != 1))
			return false;
	}
	if (unlikely(lasts == 0))
		return false;
	window->at = window->start + pg_rightmost_one_pos64(lasts) + 1;
	window->lasts = lasts & (lasts - 1);
	return true;
}

/* The first day, if it is one of two or three bytes: almost any of our times. */
static inline bool
window_first_day(Window *window, bool has_amounts, DateADT *day)
{
	uint32		v = window->at[0] | window->at[1] << 8 | (uint32) window->at[2] << 16;

	if ((v & 0x8080) == 0x0080)
		v &= 0xffff;
	else if (unlikely((v & 0x808080) != 0x8080))
		return false;
	if (!window_next(window, v & 1, has_amounts))
		return false;
	v = (v & 0x7f) | (v >> 1 & 0x3f80) | (v >> 2 & 0x1fc000);
	*day = (DateADT) unzigzag(v >> 1);
	return true;
}

/* Days after the one before, of one or two bytes; how many were read. */
static inline int64
window_days(Window *window, bool has_amounts, DateADT *days, int64 left)
{
	DateADT		day = days[-1];
	int64		n = 0;

	while (n < left)
	{
		uint32		step = window->at[0] | (uint32) window->at[1] << 8;

		if (unlikely((step & 0x8080) == 0x8080) ||
			!window_next(window, step & 1, has_amounts))
			break;
		/* the second byte counts if the first has its top bit */
		step = (step & 0x7f) | (step >> 1 & 0x3f80 & -(step >> 7 & 1));
		day += (DateADT) (step >> 1) + 1;
		days[n++] = day;
	}
	return n;
}

/*
 * The next day, which is not of the usual kind or not all in the window, by the
 * reader of histories; an error that says what is wrong, where there is none.
 */
static pg_noinline void
unusual_day(const CustomerHistory *history, Window *window, int64 read)
{
	HistoryReader reader;

	history_reader_open(&reader, history);
	if (read > 0)
	{
		reader.bytes.at = window->at;
		reader.left = reader.days - read;
		reader.day.day = kept.days[read - 1];
	}
	else
		reader.bytes.at = kept.bytes + (reader.bytes.at - (const uint8 *) VARDATA_ANY(history));
	reader.bytes.end = kept.bytes + kept.len;
	if (history_reader_read_dates(&reader))
		kept.days[read] = reader.day.day;
	window_open(window, reader.bytes.at);
}

/* All days of what is kept, which is "history". */
static void
read_kept(const CustomerHistory *history)
{
	const uint8 *bytes = kept.bytes;
	bool		has_amounts = bytes[1] & HISTORY_HAS_AMOUNTS;
	int64		n = bytes[VALUE_PREFIX];
	int64		read;
	Window		window;

	/* other heads than those of one byte each, which the reader tells from wrong ones */
	if (unlikely(kept.len < VALUE_PREFIX + 1 || bytes[0] != HISTORY_VERSION ||
				 (bytes[1] & ~HISTORY_HAS_AMOUNTS) != 0 || n > 127 ||
				 (has_amounts && bytes[VALUE_PREFIX + 1] > 127)))
	{
		HistoryReader reader;

		history_reader_open(&reader, history);
		has_amounts = reader.has_amounts;
		n = (int64) reader.days;
		bytes += reader.bytes.at - (const uint8 *) VARDATA_ANY(history);
	}
	else
		bytes += VALUE_PREFIX + 1 + has_amounts;
	window_open(&window, bytes);
	read = n > 0 && window_first_day(&window, has_amounts, kept.days);
	for (;;)
	{
		if (read > 0)
			read += window_days(&window, has_amounts, kept.days + read, n - read);
		if (read == n || window.at >= kept.bytes + kept.len)
			break;
		unusual_day(history, &window, read++);
	}
	/* an error, if there is less or more than the days, and no others behind them */
	if (unlikely(read != n || window.at > kept.bytes + kept.len ||
				 (window.at < kept.bytes + kept.len && !(kept.bytes[1] & HISTORY_HAS_MOVES))))
		unusual_day(history, &window, read);
	kept.n = n;
}

static DayList
read_long(const CustomerHistory *history)
{
	HistoryReader reader;
	DayList		list = {NULL, 0, 0};
	DateADT    *days;

	history_reader_open(&reader, history);
	list.days = days = palloc_extended(sizeof(DateADT) * (reader.days + 1), MCXT_ALLOC_HUGE);
	while (history_reader_read_dates(&reader))
		days[list.n++] = reader.day.day;
	return list;
}

DayList
day_list_of(const CustomerHistory *history)
{
	static uint64 serials = 0;
	Size		len = VARSIZE_ANY_EXHDR(history);
	DayList		list;

	if (unlikely(len > KEPT_BYTES))
		return read_long(history);
	if (kept.serial == 0 || kept.len != len ||
		memcmp(kept.bytes, VARDATA_ANY(history), len) != 0)
	{
		kept.serial = 0;
		kept.len = len;
		/* of memcpy a compiler that knows the largest length makes a slow instruction */
		memmove(kept.bytes, VARDATA_ANY(history), len);
		read_kept(history);
		kept.serial = ++serials;
	}
	list.days = kept.days;
	list.n = kept.n;
	list.serial = kept.serial;
	return list;
}
