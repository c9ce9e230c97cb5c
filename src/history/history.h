/*
 * history.h
 *	  The customer_history value: one customer's active days, exact and small.
 *
 * A history is a list of active days, ascending, each with its number of events
 * and the sum of their amounts, if any had one; and behind it a list of days on
 * which only money moved, say came back.  Who reads active days does not see the
 * second list.  A day is in one of them: money that moved on an active day is
 * part of that day's amount.  Days carry no zone: an event's day was decided when
 * it was added.
 *
 * Bytes, integers as minimal LEB128 (varint.h), "s" zigzag:
 *	  tag, flags, number of active days, [scale],
 *	  for each active day
 *		step << 1 | more		step: s first day, then days since the last, less 1
 *		[events]				if more: events - 2
 *		[amount]				if the history has amounts: reader_amount()
 *	  [number of days of money alone, less 1, for each
 *		step, amount]			step as above
 * "scale" is the largest of any day, so that equal histories have equal bytes.
 * Flags that are not used yet are kept for a summary after the number of days.
 *
 * Promises: amounts keep every digit and their scale, as sum(numeric) would;
 * the reader checks every length, order and bound before using it.
 * Never: knows of zones, cohorts or models.
 */
#ifndef RETENTION_HISTORY_H
#define RETENTION_HISTORY_H

#include "retention.h"
#include "lib/stringinfo.h"
#include "port/pg_bitutils.h"
#include "port/pg_bswap.h"
#include "utils/date.h"
#include "value/byte_reader.h"
#include "value/value_type.h"

#define HISTORY_VERSION			1
#define HISTORY_HAS_AMOUNTS		0x01
#define HISTORY_HAS_MOVES		0x02	/* days of money alone; then there are amounts */
#define HISTORY_FLAGS			0x03

typedef struct varlena CustomerHistory;

extern const ValueType customer_history_type;

#define DatumGetHistoryPP(d)	((CustomerHistory *) PG_DETOAST_DATUM_PACKED(d))
#define PG_GETARG_HISTORY_PP(n) ((CustomerHistory *) value_get(fcinfo, n, &customer_history_type))

typedef struct HistoryDay
{
	DateADT		day;
	int64		events;			/* 0: only money moved */
	Amount		amount;
} HistoryDay;

/* ---------- reading ---------- */

typedef struct HistoryReader
{
	ByteReader	bytes;
	bool		has_amounts;
	bool		has_moves;
	int32		scale;			/* AMOUNT_NONE without amounts */
	uint64		days;			/* active ones */
	uint64		left;
	HistoryDay	day;			/* the last one read */
} HistoryReader;

/* False, with reader->bytes.error set, when the bytes are no history. */
extern bool history_reader_init(HistoryReader *reader, const char *data, Size len);

/* The next active day; false at the end, or with reader->bytes.error set. */
extern bool history_reader_next(HistoryReader *reader);

/* The same for a value of our type, where corruption is an error. */
extern void history_reader_open(HistoryReader *reader, const CustomerHistory *history);
extern bool history_reader_day(HistoryReader *reader);

/*
 * The next active day alone: reader->day.day, without events and amount.  The slow
 * part is for whatever is not a day with one event, soon after the last.  For
 * values of our type, which were checked when they came in: here only memory
 * is guarded.
 */
extern bool history_read_dates_slow(HistoryReader *reader);

/* bytes that a day and an amount of up to 8 bytes take, read as a word */
#define HISTORY_SKIM_BYTES (2 + sizeof(uint64))

static inline bool
history_reader_read_dates(HistoryReader *reader)
{
	const uint8 *at = reader->bytes.at;
	uint32		step;

	if (unlikely(reader->left == 0 || reader->left == reader->days ||
				 reader->bytes.end - at < (reader->has_amounts ? HISTORY_SKIM_BYTES : 2)))
		return history_read_dates_slow(reader);
	step = *at++;
	if (step & 0x80)
	{
		if (unlikely(*at & 0x80))
			return history_read_dates_slow(reader);
		step = (step & 0x7f) | (uint32) *at++ << 7;
	}
	if (unlikely(step & 1))
		return history_read_dates_slow(reader);
	if (reader->has_amounts)
	{
		uint64		word;
		uint64		last;

		/* the amount ends with the first byte that has no top bit; odd ones have more */
		memcpy(&word, at, sizeof(word));
#ifdef WORDS_BIGENDIAN
		word = pg_bswap64(word);
#endif
		last = ~word & UINT64CONST(0x8080808080808080);
		if (unlikely(last == 0 || ((word & 1) && (word & 0xff) != 1)))
			return history_read_dates_slow(reader);
		at += pg_rightmost_one_pos64(last) / 8 + 1;
	}
	reader->day.day += (step >> 1) + 1;
	reader->bytes.at = at;
	reader->left--;
	return true;
}

/* All days by day, also those of money alone, whose events are 0. */
typedef struct HistoryAll
{
	HistoryReader active;
	HistoryReader moves;		/* left, and day, of the second list */
	bool		has_active;		/* active.day is still to come */
	bool		has_move;
	HistoryDay	day;			/* the last one read */
} HistoryAll;

extern void history_all_open(HistoryAll *all, const CustomerHistory *history);
extern bool history_all_day(HistoryAll *all);

/*
 * The active days up to a day, each with what is its own and what moved after it
 * and before the next: money that comes back belongs to the purchase before.
 */
typedef struct HistoryCharged
{
	HistoryAll	all;
	DateADT		until;
	HistoryDay	next;			/* read ahead */
	bool		has_next;
	Amount		before;			/* what moved before the first active day */
	HistoryDay	day;			/* the last one read */
} HistoryCharged;

extern void history_charged_open(HistoryCharged *charged, const CustomerHistory *history,
								 DateADT until);
extern bool history_charged_day(HistoryCharged *charged);

/* Are there days of money alone? */
static inline bool
history_has_moves(const CustomerHistory *history)
{
	return VARSIZE_ANY_EXHDR(history) > VALUE_PREFIX &&
		((const uint8 *) VARDATA_ANY(history))[1] & HISTORY_HAS_MOVES;
}

/* The last day on which anything happened; DATEVAL_NOBEGIN if nothing did. */
extern DateADT history_latest(const CustomerHistory *history);

/* NULL if the bytes are a canonical history, else what is wrong. */
extern const char *history_check(const char *data, Size len);

/* ---------- writing ---------- */

/*
 * From days in ascending order, in the current context; those without events are
 * of money alone, and may also stand apart from the others.
 */
extern CustomerHistory *history_build(const HistoryDay *days, uint64 n);

/* Adds b's events and amount to a, which has the same day. */
extern void history_day_add(HistoryDay *a, const HistoryDay *b);

/* Can sums of a few such histories leave the bounds of a day's events or amount?  0 or 1. */
extern double history_load(const CustomerHistory *history);

extern CustomerHistory *history_merge(const CustomerHistory *a, const CustomerHistory *b);

/* The days from .. to, inclusive. */
extern CustomerHistory *history_cut(const CustomerHistory *history, DateADT from, DateADT to);

#endif							/* RETENTION_HISTORY_H */
