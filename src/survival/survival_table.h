/*
 * survival_table.h
 *	  The bytes of a survival_table, item by item: what reads and writes them
 *	  without holding more than one.
 *
 * Durations, entries and weights are words whose order is theirs: whole numbers
 * and doubles look the same here.
 *
 * Promises: what the reader gives is in order and in bounds, whatever the bytes
 * are; equal items written give equal bytes.
 * Never: estimates anything.
 */
#ifndef RETENTION_SURVIVAL_TABLE_H
#define RETENTION_SURVIVAL_TABLE_H

#include "survival/survival.h"
#include "lib/stringinfo.h"
#include "utils/timestamp.h"
#include "value/byte_reader.h"
#include "value/label_set.h"

#define SURVIVAL_VERSION 1

/* Of a group, stratum or cause; a cause is 16 bits beside a count. */
#define SURVIVAL_LABEL_MAX	LABEL_BYTES_MAX
#define SURVIVAL_LABELS_MAX LABEL_SET_MAX

/* Flags of a value, and of what is tallied. */
#define SURVIVAL_ENTRY		0x01
#define SURVIVAL_WEIGHT		0x02
#define SURVIVAL_CAUSES		0x04
#define SURVIVAL_GROUPS		0x08
#define SURVIVAL_STRATA		0x10
#define SURVIVAL_FLAGS		0x1f

/* Duration 0, of any kind. */
#define SURVIVAL_WORD_ZERO	(UINT64CONST(1) << 63)

/* Rows in all: sums of two cannot overflow. */
#define SURVIVAL_ROWS_MAX	(INT64CONST(1) << 61)

typedef struct SurvivalItem
{
	uint64		group;
	uint64		stratum;
	uint64		duration;
	uint64		entry;			/* 0 without */
	uint64		weight;			/* that of 1 without */
	uint32		cause;
	int64		count;
} SurvivalItem;

/* Labels are UTF-8, as they are stored. */
typedef struct SurvivalHead
{
	DurationKind kind;
	uint8		flags;
	int			ngroups;
	char	  **groups;
	int			nstrata;
	char	  **strata;
	int			ncauses;
	char	  **causes;
} SurvivalHead;

typedef struct SurvivalReader
{
	ByteReader	bytes;
	SurvivalHead head;
	uint64		run;			/* group * strata + stratum */
	int64		rows;			/* read so far */
	SurvivalItem item;
} SurvivalReader;

typedef struct SurvivalWriter
{
	StringInfoData buf;
	SurvivalHead head;
	uint64		run;
	uint64		duration;
} SurvivalWriter;

/* False: see reader->bytes.error.  "check": bytes from outside. */
extern bool survival_reader_init(SurvivalReader *reader, const char *data, Size len, bool check);

/* The same for a value; XX001 for a corrupt one. */
extern void survival_reader_open(SurvivalReader *reader, const SurvivalTableValue *value);

/* False at the end, or if something is wrong. */
extern bool survival_reader_next(SurvivalReader *reader);

/* survival_reader_next(), with an error if something is wrong. */
extern bool survival_reader_item(SurvivalReader *reader);

extern void survival_writer_init(SurvivalWriter *writer, const SurvivalHead *head);

/* Items ascend. */
extern void survival_writer_put(SurvivalWriter *writer, const SurvivalItem *item);
extern SurvivalTableValue *survival_writer_finish(SurvivalWriter *writer);

/*
 * Two values as one: 22023 where they have other durations or parts, 22003 for
 * too many rows, 54000 for too many labels.
 */
extern SurvivalTableValue *survival_add_values(const SurvivalTableValue *a,
											   const SurvivalTableValue *b);

/* The first of these errors alone, and how much a table takes (value_type.h). */
extern void survival_match(const SurvivalTableValue *a, const SurvivalTableValue *b);
extern double survival_load(const SurvivalTableValue *value);

extern void survival_rows_error(void);

/*
 * An interval in microseconds, months as 30 days; 22023 for an infinite one,
 * 22008 for one that is too long.  "what" is for errors.
 */
extern int64 survival_interval_microseconds(const Interval *span, const char *what);

/* ---------- words ---------- */

static inline uint64
survival_whole_word(int64 value)
{
	return (uint64) value ^ SURVIVAL_WORD_ZERO;
}

static inline int64
survival_word_whole(uint64 word)
{
	return (int64) (word ^ SURVIVAL_WORD_ZERO);
}

/* No NaN; -0 is 0. */
static inline uint64
survival_real_word(double value)
{
	uint64		bits;

	if (value == 0)
		return SURVIVAL_WORD_ZERO;
	memcpy(&bits, &value, sizeof(bits));
	return bits & SURVIVAL_WORD_ZERO ? ~bits : bits | SURVIVAL_WORD_ZERO;
}

static inline double
survival_word_real(uint64 word)
{
	uint64		bits = word & SURVIVAL_WORD_ZERO ? word ^ SURVIVAL_WORD_ZERO : ~word;
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* As a number: of intervals, days. */
static inline double
survival_word_number(uint64 word, DurationKind kind)
{
	if (kind == DURATION_FLOAT)
		return survival_word_real(word);
	if (kind == DURATION_INTERVAL)
		return survival_interval_days(survival_word_whole(word));
	return (double) survival_word_whole(word);
}

static inline int
survival_item_compare(const SurvivalItem *a, const SurvivalItem *b)
{
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->stratum != b->stratum)
		return a->stratum < b->stratum ? -1 : 1;
	if (a->duration != b->duration)
		return a->duration < b->duration ? -1 : 1;
	if (a->entry != b->entry)
		return a->entry < b->entry ? -1 : 1;
	if (a->weight != b->weight)
		return a->weight < b->weight ? -1 : 1;
	return a->cause < b->cause ? -1 : a->cause > b->cause;
}

#endif							/* RETENTION_SURVIVAL_TABLE_H */
