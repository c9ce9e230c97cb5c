/*
 * survival_table.c
 *	  The survival_table value: reading, writing and adding up its bytes.
 *
 * Bytes, integers as minimal LEB128 (varint.h):
 *	  version, kind of duration, flags (one byte each)
 *	  for groups, strata and causes, each if its flag is set
 *		number of labels, and for each its length and bytes: UTF-8, whatever
 *		the server's encoding
 *	  items until the end, ascending by group, stratum, duration, entry, weight,
 *	  cause
 *		run						with groups or strata: group * strata + stratum,
 *								less the last one
 *		duration				less the last one; less 0 in a new run
 *		duration - entry - 1	with entries
 *		weight					with weights: the double's bits, from the last byte
 *		cause, count - 1		with causes
 *		2 (count - 1) + cause	without
 * Durations are compared and subtracted as words (survival_table.h).
 *
 * Promises: equal tables have equal bytes; the reader checks every length, order
 * and bound before using it.
 * Never: follows the order of a machine's bytes, or a setting.
 */
#include "survival/survival_table.h"

#include <math.h>

#include "common/int.h"
#include "datatype/timestamp.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "survival/survival_labels.h"
#include "value/rollup.h"
#include "value/varint.h"

#define LABEL_BYTES_MAX	(SURVIVAL_LABEL_MAX * MAX_CONVERSION_GROWTH)

/* ---------- durations ---------- */

double
survival_interval_days(int64 microseconds)
{
	return (double) microseconds / USECS_PER_DAY;
}

/* ---------- reading ---------- */

static bool
survival_table_corrupt(SurvivalReader *reader, const char *what)
{
	reader->error = what;
	return false;
}

static inline bool
survival_table_get(SurvivalReader *reader, uint64 max, const char *what, uint64 *value)
{
	if (unlikely(!varint_get(&reader->at, reader->end, value) || *value > max))
		return survival_table_corrupt(reader, what);
	return true;
}

static bool
survival_table_read_labels(SurvivalReader *reader, int least, int *n, char ***labels, bool check)
{
	uint64		v;

	if (!survival_table_get(reader, Min(SURVIVAL_LABELS_MAX, reader->end - reader->at), "number of labels", &v))
		return false;
	if (v < least)
		return survival_table_corrupt(reader, "number of labels");
	*n = (int) v;
	*labels = palloc(sizeof(char *) * (*n + 1));
	for (int i = 0; i < *n; i++)
	{
		if (!survival_table_get(reader, Min(LABEL_BYTES_MAX, reader->end - reader->at), "length of a label", &v))
			return false;
		if (check && !pg_verify_mbstr(PG_UTF8, (const char *) reader->at, (int) v, true))
			return survival_table_corrupt(reader, "label");
		(*labels)[i] = pnstrdup((const char *) reader->at, v);
		reader->at += v;
		/* also finds a NUL within */
		if (check && (strlen((*labels)[i]) != v ||
					  (i > 0 && survival_label_compare((*labels)[i - 1], (*labels)[i]) >= 0)))
			return survival_table_corrupt(reader, "order of labels");
	}
	return true;
}

bool
survival_reader_init(SurvivalReader *reader, const char *data, Size len, bool check)
{
	SurvivalHead *head = &reader->head;

	memset(reader, 0, sizeof(SurvivalReader));
	head->ngroups = head->nstrata = head->ncauses = 1;
	reader->at = (const uint8 *) data;
	reader->end = reader->at + len;
	if (len < 3)
		return survival_table_corrupt(reader, "length");
	if (*reader->at++ != SURVIVAL_VERSION)
		return survival_table_corrupt(reader, "version");
	head->kind = *reader->at++;
	if (head->kind > DURATION_INTERVAL)
		return survival_table_corrupt(reader, "kind of duration");
	head->flags = *reader->at++;
	if ((head->flags & ~SURVIVAL_FLAGS) != 0 || (head->kind == DURATION_NONE && head->flags != 0))
		return survival_table_corrupt(reader, "flags");
	/* rows have a group and a stratum, but all may be censored */
	if ((head->flags & SURVIVAL_GROUPS) &&
		!survival_table_read_labels(reader, 1, &head->ngroups, &head->groups, check))
		return false;
	if ((head->flags & SURVIVAL_STRATA) &&
		!survival_table_read_labels(reader, 1, &head->nstrata, &head->strata, check))
		return false;
	if ((head->flags & SURVIVAL_CAUSES) &&
		!survival_table_read_labels(reader, 0, &head->ncauses, &head->causes, check))
		return false;
	/* a table without rows has no kind */
	if ((reader->at == reader->end) != (head->kind == DURATION_NONE))
		return survival_table_corrupt(reader, "length");
	return true;
}

/* The doubles that are durations, entries and weights: finite ones. */
static inline bool
word_is_real(uint64 word)
{
	return isfinite(survival_word_real(word)) && word != ~SURVIVAL_WORD_ZERO;
}

static inline bool
read_times(SurvivalReader *reader, SurvivalItem *item)
{
	bool		real = reader->head.kind == DURATION_FLOAT;
	uint64		v;

	if (!survival_table_get(reader, PG_UINT64_MAX - item->duration, "duration", &v))
		return false;
	item->duration += v;
	if (real && !word_is_real(item->duration))
		return survival_table_corrupt(reader, "duration");
	if (!(reader->head.flags & SURVIVAL_ENTRY))
		return true;
	if (!survival_table_get(reader, item->duration - 1, "entry", &v))
		return false;
	item->entry = item->duration - 1 - v;
	if (real && !word_is_real(item->entry))
		return survival_table_corrupt(reader, "entry");
	return true;
}

static inline bool
read_weight(SurvivalReader *reader, SurvivalItem *item)
{
	double		weight;
	uint64		v;

	item->weight = survival_real_word(1);
	if (!(reader->head.flags & SURVIVAL_WEIGHT))
		return true;
	if (!survival_table_get(reader, PG_UINT64_MAX, "weight", &v))
		return false;
	v = pg_bswap64(v);
	memcpy(&weight, &v, sizeof(weight));
	if (!(isfinite(weight) && weight > 0))
		return survival_table_corrupt(reader, "weight");
	item->weight = survival_real_word(weight);
	return true;
}

static inline bool
read_count(SurvivalReader *reader, SurvivalItem *item)
{
	uint64		v;

	if (reader->head.flags & SURVIVAL_CAUSES)
	{
		if (!survival_table_get(reader, reader->head.ncauses, "cause", &v))
			return false;
		item->cause = (uint32) v;
		if (!survival_table_get(reader, SURVIVAL_ROWS_MAX - 1, "count", &v))
			return false;
		item->count = (int64) v + 1;
	}
	else
	{
		if (!survival_table_get(reader, SURVIVAL_ROWS_MAX * 2 - 1, "count", &v))
			return false;
		item->cause = v & 1;
		item->count = (int64) (v >> 1) + 1;
	}
	reader->rows += item->count;
	if (reader->rows > SURVIVAL_ROWS_MAX)
		return survival_table_corrupt(reader, "count");
	return true;
}

bool
survival_reader_next(SurvivalReader *reader)
{
	SurvivalItem last = reader->item;
	SurvivalItem *item = &reader->item;
	uint64		runs = (uint64) reader->head.ngroups * reader->head.nstrata;
	bool		first = reader->rows == 0;
	uint64		v = 0;

	if (reader->at == reader->end)
		return false;
	if ((reader->head.flags & (SURVIVAL_GROUPS | SURVIVAL_STRATA)) &&
		!survival_table_get(reader, runs - 1 - reader->run, "group", &v))
		return false;
	if (v > 0 || first)
	{
		reader->run += v;
		item->group = reader->run / reader->head.nstrata;
		item->stratum = reader->run % reader->head.nstrata;
		item->duration = SURVIVAL_WORD_ZERO;
	}
	if (!read_times(reader, item) || !read_weight(reader, item) || !read_count(reader, item))
		return false;
	if (!first && survival_item_compare(&last, item) >= 0)
		return survival_table_corrupt(reader, "order");
	return true;
}

static void
survival_table_corrupt_error(const SurvivalReader *reader)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("survival_table value is corrupt: wrong %s", reader->error)));
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
	if (unlikely(reader->error != NULL))
		survival_table_corrupt_error(reader);
	return false;
}

void
survival_reader_open(SurvivalReader *reader, const SurvivalTableValue *value)
{
	value = survival_finished(unconstify(SurvivalTableValue *, value));
	if (!survival_reader_init(reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), false))
		survival_table_corrupt_error(reader);
}

/* ---------- writing ---------- */

static void
survival_table_put_labels(StringInfo buf, int n, char **labels)
{
	varint_append(buf, n);
	for (int i = 0; i < n; i++)
	{
		varint_append(buf, strlen(labels[i]));
		appendBinaryStringInfo(buf, labels[i], strlen(labels[i]));
	}
}

void
survival_writer_init(SurvivalWriter *writer, const SurvivalHead *head)
{
	memset(writer, 0, sizeof(SurvivalWriter));
	writer->head = *head;
	writer->duration = SURVIVAL_WORD_ZERO;
	initStringInfo(&writer->buf);
	appendStringInfoSpaces(&writer->buf, VARHDRSZ);
	appendStringInfoCharMacro(&writer->buf, SURVIVAL_VERSION);
	appendStringInfoCharMacro(&writer->buf, (char) head->kind);
	appendStringInfoCharMacro(&writer->buf, (char) head->flags);
	if (head->flags & SURVIVAL_GROUPS)
		survival_table_put_labels(&writer->buf, head->ngroups, head->groups);
	if (head->flags & SURVIVAL_STRATA)
		survival_table_put_labels(&writer->buf, head->nstrata, head->strata);
	if (head->flags & SURVIVAL_CAUSES)
		survival_table_put_labels(&writer->buf, head->ncauses, head->causes);
}

void
survival_writer_put(SurvivalWriter *writer, const SurvivalItem *item)
{
	StringInfo	buf = &writer->buf;
	uint8		flags = writer->head.flags;

	if (flags & (SURVIVAL_GROUPS | SURVIVAL_STRATA))
	{
		uint64		run = item->group * writer->head.nstrata + item->stratum;

		varint_append(buf, run - writer->run);
		if (run != writer->run)
			writer->duration = SURVIVAL_WORD_ZERO;
		writer->run = run;
	}
	varint_append(buf, item->duration - writer->duration);
	writer->duration = item->duration;
	if (flags & SURVIVAL_ENTRY)
		varint_append(buf, item->duration - item->entry - 1);
	if (flags & SURVIVAL_WEIGHT)
	{
		double		weight = survival_word_real(item->weight);
		uint64		bits;

		memcpy(&bits, &weight, sizeof(bits));
		varint_append(buf, pg_bswap64(bits));
	}
	if (flags & SURVIVAL_CAUSES)
	{
		varint_append(buf, item->cause);
		varint_append(buf, item->count - 1);
	}
	else
		varint_append(buf, (uint64) (item->count - 1) << 1 | item->cause);
}

SurvivalTableValue *
survival_writer_finish(SurvivalWriter *writer)
{
	SET_VARSIZE(writer->buf.data, writer->buf.len);
	return (SurvivalTableValue *) writer->buf.data;
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
		return reader.error;
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
	if (reader.error != NULL)
		return reader.error;
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
		int			order = i == an ? 1 : j == bn ? -1 : survival_label_compare(a[i], b[j]);

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

static struct varlena *
copy_value(const struct varlena *value)
{
	struct varlena *copy = palloc(VARHDRSZ + VARSIZE_ANY_EXHDR(value));

	SET_VARSIZE(copy, VARHDRSZ + VARSIZE_ANY_EXHDR(value));
	memcpy(VARDATA(copy), VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	return copy;
}

struct varlena *
survival_add_values(const struct varlena *a, const struct varlena *b)
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
		return copy_value(b);
	if (y.reader.head.kind == DURATION_NONE)
		return copy_value(a);
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

struct varlena *
survival_finished(struct varlena *value)
{
	return rollup_finished(value, survival_add_values);
}
