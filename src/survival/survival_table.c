/*
 * survival_table.c
 *	  The survival_table value: reading, writing and adding up its bytes.
 *
 * Bytes, in the forms of byte_reader.h:
 *	  tag, flags, kind of duration (one byte)
 *	  labels of groups, strata and causes, each if its flag is set
 *	  items until the end, ascending by group, stratum, duration, entry, weight,
 *	  cause
 *		run						with groups or strata: group * strata + stratum,
 *								less the last one
 *		duration				less the last one; less 0 in a new run
 *		duration - entry - 1	with entries
 *		weight					with weights: a double
 *		cause, count - 1		with causes
 *		2 (count - 1) + cause	without
 * Durations are compared and subtracted as words (survival_table.h).
 *
 * Promises: equal tables have equal bytes; the reader checks every length, order
 * and bound before using it.
 * Never: follows the order of a machine's bytes, or a setting.
 */
#include "survival/survival_table.h"

#include <float.h>
#include <math.h>

#include "datatype/timestamp.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "value/byte_writer.h"

#define STORED_BYTES_MAX	(SURVIVAL_LABEL_MAX * MAX_CONVERSION_GROWTH)

/* ---------- durations ---------- */

double
survival_interval_days(int64 microseconds)
{
	return (double) microseconds / USECS_PER_DAY;
}

/* ---------- reading ---------- */

static const char survival_table_name[] = "survival_table";

static void
survival_table_read_labels(SurvivalReader *reader, int least, int *n, char ***labels, bool check)
{
	LabelList	list = reader_labels(&reader->bytes, SURVIVAL_LABELS_MAX, 0, STORED_BYTES_MAX,
									 check, false);

	reader_require(&reader->bytes, list.n >= least, "number of labels");
	*n = list.n;
	*labels = list.labels;
}

/* Flags and kind. */
static void
read_kind(SurvivalReader *reader, const char *data, Size len)
{
	SurvivalHead *head = &reader->head;
	ByteReader *bytes = &reader->bytes;

	memset(reader, 0, sizeof(SurvivalReader));
	head->ngroups = head->nstrata = head->ncauses = 1;
	head->flags = reader_begin(bytes, data, len, SURVIVAL_VERSION, SURVIVAL_FLAGS);
	head->kind = (DurationKind) reader_byte(bytes, DURATION_INTERVAL, "kind of duration");
	reader_require(bytes, head->kind != DURATION_NONE || head->flags == 0, "flags");
}

bool
survival_reader_init(SurvivalReader *reader, const char *data, Size len, bool check)
{
	SurvivalHead *head = &reader->head;
	ByteReader *bytes = &reader->bytes;

	read_kind(reader, data, len);
	/* rows have a group and a stratum, but all may be censored */
	if (head->flags & SURVIVAL_GROUPS)
		survival_table_read_labels(reader, 1, &head->ngroups, &head->groups, check);
	if (head->flags & SURVIVAL_STRATA)
		survival_table_read_labels(reader, 1, &head->nstrata, &head->strata, check);
	if (head->flags & SURVIVAL_CAUSES)
		survival_table_read_labels(reader, 0, &head->ncauses, &head->causes, check);
	/* a table without rows has no kind */
	reader_require(bytes, (bytes->at == bytes->end) == (head->kind == DURATION_NONE), "length");
	return bytes->error == NULL;
}

/* The doubles that are durations, entries and weights: finite ones. */
static inline bool
word_is_real(uint64 word)
{
	return isfinite(survival_word_real(word)) && word != ~SURVIVAL_WORD_ZERO;
}

static inline void
read_times(SurvivalReader *reader, SurvivalItem *item)
{
	ByteReader *bytes = &reader->bytes;
	bool		real = reader->head.kind == DURATION_FLOAT;

	item->duration += reader_uint(bytes, PG_UINT64_MAX - item->duration, "duration");
	if (real)
		reader_require(bytes, word_is_real(item->duration), "duration");
	if (!(reader->head.flags & SURVIVAL_ENTRY))
		return;
	item->entry = item->duration - 1 - reader_uint(bytes, item->duration - 1, "entry");
	if (real)
		reader_require(bytes, word_is_real(item->entry), "entry");
}

static inline void
read_weight(SurvivalReader *reader, SurvivalItem *item)
{
	double		weight = 1;

	if (reader->head.flags & SURVIVAL_WEIGHT)
	{
		weight = reader_between(&reader->bytes, 0, DBL_MAX, "weight");
		reader_require(&reader->bytes, weight > 0, "weight");
	}
	item->weight = survival_real_word(weight);
}

static inline void
read_count(SurvivalReader *reader, SurvivalItem *item)
{
	ByteReader *bytes = &reader->bytes;

	if (reader->head.flags & SURVIVAL_CAUSES)
	{
		item->cause = (uint32) reader_uint(bytes, reader->head.ncauses, "cause");
		item->count = (int64) reader_uint(bytes, SURVIVAL_ROWS_MAX - 1, "count") + 1;
	}
	else
	{
		uint64		v = reader_uint(bytes, SURVIVAL_ROWS_MAX * 2 - 1, "count");

		item->cause = v & 1;
		item->count = (int64) (v >> 1) + 1;
	}
	reader->rows += item->count;
	if (unlikely(reader->rows > SURVIVAL_ROWS_MAX))
		reader_fail(bytes, "count");
}

bool
survival_reader_next(SurvivalReader *reader)
{
	ByteReader *bytes = &reader->bytes;
	SurvivalItem last = reader->item;
	SurvivalItem *item = &reader->item;
	uint64		runs = (uint64) reader->head.ngroups * reader->head.nstrata;
	bool		first = reader->rows == 0;
	uint64		v = 0;

	if (bytes->at == bytes->end)
		return false;
	if (reader->head.flags & (SURVIVAL_GROUPS | SURVIVAL_STRATA))
		v = reader_uint(bytes, runs - 1 - reader->run, "group");
	if (v > 0 || first)
	{
		reader->run += v;
		item->group = reader->run / reader->head.nstrata;
		item->stratum = reader->run % reader->head.nstrata;
		item->duration = SURVIVAL_WORD_ZERO;
	}
	read_times(reader, item);
	read_weight(reader, item);
	read_count(reader, item);
	if (unlikely(!first && survival_item_compare(&last, item) >= 0))
		reader_fail(bytes, "order");
	return bytes->error == NULL;
}

bool
survival_reader_item(SurvivalReader *reader)
{
	if (likely(survival_reader_next(reader)))
	{
		/* cheap enough: reads a flag */
		CHECK_FOR_INTERRUPTS();
		return true;
	}
	if (unlikely(reader->bytes.error != NULL))
		reader_corrupt(&reader->bytes, survival_table_name);
	return false;
}

void
survival_reader_open(SurvivalReader *reader, const SurvivalTableValue *value)
{
	if (!survival_reader_init(reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), false))
		reader_corrupt(&reader->bytes, survival_table_name);
}

/* ---------- writing ---------- */

void
survival_writer_init(SurvivalWriter *writer, const SurvivalHead *head)
{
	memset(writer, 0, sizeof(SurvivalWriter));
	writer->head = *head;
	writer->duration = SURVIVAL_WORD_ZERO;
	writer_begin(&writer->buf, 1024, SURVIVAL_VERSION, head->flags);
	writer_byte(&writer->buf, head->kind);
	if (head->flags & SURVIVAL_GROUPS)
		writer_labels(&writer->buf, head->ngroups, head->groups);
	if (head->flags & SURVIVAL_STRATA)
		writer_labels(&writer->buf, head->nstrata, head->strata);
	if (head->flags & SURVIVAL_CAUSES)
		writer_labels(&writer->buf, head->ncauses, head->causes);
}

void
survival_writer_put(SurvivalWriter *writer, const SurvivalItem *item)
{
	StringInfo	buf = &writer->buf;
	uint8		flags = writer->head.flags;

	if (flags & (SURVIVAL_GROUPS | SURVIVAL_STRATA))
	{
		uint64		run = item->group * writer->head.nstrata + item->stratum;

		writer_uint(buf, run - writer->run);
		if (run != writer->run)
			writer->duration = SURVIVAL_WORD_ZERO;
		writer->run = run;
	}
	writer_uint(buf, item->duration - writer->duration);
	writer->duration = item->duration;
	if (flags & SURVIVAL_ENTRY)
		writer_uint(buf, item->duration - item->entry - 1);
	if (flags & SURVIVAL_WEIGHT)
		writer_double(buf, survival_word_real(item->weight));
	if (flags & SURVIVAL_CAUSES)
	{
		writer_uint(buf, item->cause);
		writer_uint(buf, item->count - 1);
	}
	else
		writer_uint(buf, (uint64) (item->count - 1) << 1 | item->cause);
}

SurvivalTableValue *
survival_writer_finish(SurvivalWriter *writer)
{
	return writer_finish(&writer->buf);
}

/* ---------- checking ---------- */

static bool
all_used(const bool *used, int n)
{
	for (int i = 0; i < n; i++)
		if (!used[i])
			return false;
	return true;
}

/*
 * With the reader's own checks: labels that no item has, and weights that are
 * all 1, are not how these items are written.
 */
const char *
survival_check(const char *data, Size len)
{
	SurvivalReader reader;
	bool	   *group;
	bool	   *stratum;
	bool	   *cause;
	bool		weights = false;

	if (!survival_reader_init(&reader, data, len, true))
		return reader.bytes.error;
	group = palloc0(reader.head.ngroups + 1);
	stratum = palloc0(reader.head.nstrata + 1);
	cause = palloc0(reader.head.ncauses + 1);
	while (survival_reader_next(&reader))
	{
		CHECK_FOR_INTERRUPTS();
		group[reader.item.group] = true;
		stratum[reader.item.stratum] = true;
		cause[reader.item.cause] = true;
		weights |= reader.item.weight != survival_real_word(1);
	}
	if (reader.bytes.error != NULL)
		return reader.bytes.error;
	if (((reader.head.flags & SURVIVAL_GROUPS) && !all_used(group, reader.head.ngroups)) ||
		((reader.head.flags & SURVIVAL_STRATA) && !all_used(stratum, reader.head.nstrata)) ||
		((reader.head.flags & SURVIVAL_CAUSES) && !all_used(cause + 1, reader.head.ncauses)))
		return "label";
	if ((reader.head.flags & SURVIVAL_WEIGHT) && !weights)
		return "weight";
	return NULL;
}

/* ---------- adding up ---------- */

void
survival_rows_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("a survival_table cannot have more than " INT64_FORMAT " rows",
					SURVIVAL_ROWS_MAX)));
}

static const char *
survival_table_kind_name(DurationKind kind)
{
	static const char *const names[] = {"none", "whole numbers", "floating-point numbers", "intervals"};

	return names[kind];
}

static void
check_alike(const SurvivalHead *a, const SurvivalHead *b)
{
	static const struct
	{
		uint8		flag;
		const char *what;
	}			parts[] = {
		{SURVIVAL_ENTRY, "entries"},
		{SURVIVAL_CAUSES, "competing causes"},
		{SURVIVAL_GROUPS, "groups"},
		{SURVIVAL_STRATA, "strata"}
	};

	if (a->kind != b->kind)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("survival tables of different durations cannot be added up"),
				 errdetail("One has %s, the other %s.", survival_table_kind_name(Min(a->kind, b->kind)),
						   survival_table_kind_name(Max(a->kind, b->kind))),
				 errhint("Cast the durations to one type where the tables are made.")));
	for (int i = 0; i < lengthof(parts); i++)
		if ((a->flags ^ b->flags) & parts[i].flag)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("survival tables with and without %s cannot be added up", parts[i].what)));
}

/* Two ascending lists as one, with the places of each in it. */
static char **
survival_table_union_labels(int an, char **a, int bn, char **b, int *n, int **a_to, int **b_to)
{
	char	  **all = palloc(sizeof(char *) * (an + bn + 1));
	int			i = 0;
	int			j = 0;

	*n = 0;
	*a_to = palloc(sizeof(int) * (an + 1));
	*b_to = palloc(sizeof(int) * (bn + 1));
	while (i < an || j < bn)
	{
		int			order = i == an ? 1 : j == bn ? -1 : label_compare(a[i], b[j]);

		all[*n] = order <= 0 ? a[i] : b[j];
		if (order <= 0)
			(*a_to)[i++] = *n;
		if (order >= 0)
			(*b_to)[j++] = *n;
		(*n)++;
	}
	if (*n > SURVIVAL_LABELS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a survival_table cannot have more than %d groups, strata or causes",
						SURVIVAL_LABELS_MAX)));
	return all;
}

/* One of the two that are added, its items under the labels of the sum. */
typedef struct Side
{
	SurvivalReader reader;
	bool		more;
	SurvivalItem item;
	int		   *groups;			/* NULL: none */
	int		   *strata;
	int		   *causes;
} Side;

static void
advance(Side *side)
{
	side->more = survival_reader_item(&side->reader);
	side->item = side->reader.item;
	if (!side->more)
		return;
	if (side->groups)
		side->item.group = side->groups[side->item.group];
	if (side->strata)
		side->item.stratum = side->strata[side->item.stratum];
	if (side->causes && side->item.cause > 0)
		side->item.cause = side->causes[side->item.cause - 1] + 1;
}

static void
merge_heads(Side *a, Side *b, SurvivalHead *sum)
{
	SurvivalHead *x = &a->reader.head;
	SurvivalHead *y = &b->reader.head;

	check_alike(x, y);
	*sum = *x;
	sum->flags |= y->flags;
	if (sum->flags & SURVIVAL_GROUPS)
		sum->groups = survival_table_union_labels(x->ngroups, x->groups, y->ngroups, y->groups,
												  &sum->ngroups, &a->groups, &b->groups);
	if (sum->flags & SURVIVAL_STRATA)
		sum->strata = survival_table_union_labels(x->nstrata, x->strata, y->nstrata, y->strata,
												  &sum->nstrata, &a->strata, &b->strata);
	if (sum->flags & SURVIVAL_CAUSES)
		sum->causes = survival_table_union_labels(x->ncauses, x->causes, y->ncauses, y->causes,
												  &sum->ncauses, &a->causes, &b->causes);
}

void
survival_match(const SurvivalTableValue *a, const SurvivalTableValue *b)
{
	SurvivalReader x;
	SurvivalReader y;

	read_kind(&x, VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a));
	read_kind(&y, VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b));
	if (x.bytes.error != NULL)
		reader_corrupt(&x.bytes, survival_table_name);
	if (y.bytes.error != NULL)
		reader_corrupt(&y.bytes, survival_table_name);
	if (x.head.kind != DURATION_NONE && y.head.kind != DURATION_NONE)
		check_alike(&x.head, &y.head);
}

double
survival_load(const SurvivalTableValue *value)
{
	SurvivalReader reader;
	int			labels;

	survival_reader_open(&reader, value);
	labels = Max(Max(reader.head.ngroups, reader.head.nstrata), reader.head.ncauses);
	while (survival_reader_item(&reader))
		;
	return Max((double) reader.rows / (double) SURVIVAL_ROWS_MAX, (double) labels / SURVIVAL_LABELS_MAX);
}

SurvivalTableValue *
survival_add_values(const SurvivalTableValue *a, const SurvivalTableValue *b)
{
	Side		x;
	Side		y;
	SurvivalHead head;
	SurvivalWriter writer;

	memset(&x, 0, sizeof(x));
	memset(&y, 0, sizeof(y));
	survival_reader_open(&x.reader, a);
	survival_reader_open(&y.reader, b);
	if (x.reader.head.kind == DURATION_NONE)
		return value_copy(b);
	if (y.reader.head.kind == DURATION_NONE)
		return value_copy(a);
	merge_heads(&x, &y, &head);
	survival_writer_init(&writer, &head);
	advance(&x);
	advance(&y);
	while (x.more || y.more)
	{
		int			order = !x.more ? 1 : !y.more ? -1 : survival_item_compare(&x.item, &y.item);
		SurvivalItem item = order <= 0 ? x.item : y.item;

		if (order == 0)
			item.count += y.item.count;
		survival_writer_put(&writer, &item);
		if (order <= 0)
			advance(&x);
		if (order >= 0)
			advance(&y);
	}
	if (x.reader.rows + y.reader.rows > SURVIVAL_ROWS_MAX)
		survival_rows_error();
	return survival_writer_finish(&writer);
}
