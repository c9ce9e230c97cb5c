/*
 * clv_data.c
 *	  The clv_data value: reading, writing, adding up.
 *
 * The form and the promises are in clv_data.h.
 */
#include "clv/clv_data.h"

#include "catalog/pg_type.h"
#include "common/int.h"
#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "value/byte_writer.h"

#define DATA_VERSION	1
#define FLAG_AS_OF		0x01

#define ROW_BYTES		5		/* a row takes, at least */
#define DAY_BYTES		2
#define COUNT_MAX		(INT64CONST(1) << 56)
#define DAY_MIN			(DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE)
#define DAY_MAX			(TIMESTAMP_END_JULIAN - POSTGRES_EPOCH_JDATE - 1)
#define SPAN_MAX		((int64) DAY_MAX - DAY_MIN)

/* ---------- reading ---------- */

static void
get_row(ByteReader *reader, const ClvDataContent *content, uint64 i, ClvDataRow *row)
{
	const ClvDataRow *last = i > 0 ? &content->rows[i - 1] : NULL;
	int64		age = reader_uint(reader, SPAN_MAX, "age");
	int64		x = reader_uint(reader, SPAN_MAX, "frequency");
	int64		t_x = reader_uint(reader, SPAN_MAX, "recency");
	int64		span = (int64) content->as_of - content->calibration_end;

	if (last != NULL && age == 0)
	{
		if (x == 0)
			t_x += (int64) last->t_x + 1;
		x += last->x;
	}
	if (last != NULL)
		age += last->age;
	reader_require(reader, age <= (int64) content->calibration_end - DAY_MIN, "age");
	reader_require(reader, t_x <= age, "recency");
	reader_require(reader, x <= t_x && (x > 0 || t_x == 0), "frequency");
	row->age = (int32) age;
	row->x = (int32) x;
	row->t_x = (int32) t_x;
	row->customers = (int64) reader_uint(reader, COUNT_MAX - 1, "number of customers") + 1;
	row->holdout = (int64) reader_uint(reader, COUNT_MAX, "number of purchases");
	reader_require(reader, row->holdout == 0 || (row->holdout - 1) / row->customers < span,
				   "number of purchases");
}

static void
get_rows(ByteReader *reader, ClvDataContent *content)
{
	content->nrows = reader_count(reader, PG_INT64_MAX, ROW_BYTES, "number of rows");
	content->rows = palloc_extended(sizeof(ClvDataRow) * (content->nrows + 1),
									MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < content->nrows && reader->error == NULL; i++)
	{
		if ((i & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		get_row(reader, content, i, &content->rows[i]);
	}
}

static void
get_days(ByteReader *reader, ClvDataContent *content)
{
	int64		to = 0;

	content->ndays = reader_count(reader, PG_INT64_MAX, DAY_BYTES, "number of days");
	content->days = palloc_extended(sizeof(ClvDataDay) * (content->ndays + 1),
									MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < content->ndays && reader->error == NULL; i++)
	{
		ClvDataDay *day = &content->days[i];

		if ((i & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		to = i == 0 ? reader_int(reader, DAY_MIN, DAY_MAX, "day") :
			to + (int64) reader_uint(reader, SPAN_MAX, "day") + 1;
		reader_require(reader, to <= content->as_of, "day");
		day->day = (DateADT) to;
		day->purchases = (int64) reader_uint(reader, COUNT_MAX - 1, "number of purchases") + 1;
	}
}

/* All customers, and all repeat purchases, are at most so many as any count may be. */
static bool
counts_in_bounds(const ClvDataContent *content)
{
	int64		customers = content->left_out;
	int64		purchases = 0;

	for (uint64 i = 0; i < content->nrows && customers <= COUNT_MAX; i++)
		customers += content->rows[i].customers;
	for (uint64 i = 0; i < content->ndays && purchases <= COUNT_MAX; i++)
		purchases += content->days[i].purchases;
	return customers <= COUNT_MAX && purchases <= COUNT_MAX;
}

/* Do the days have the purchases of the rows? */
static bool
adds_up(const ClvDataContent *content)
{
	int64		before = 0;
	int64		after = 0;
	int64		product;
	uint64		i = 0;

	for (; i < content->nrows; i++)
		if (pg_mul_s64_overflow(content->rows[i].customers, content->rows[i].x, &product) ||
			pg_add_s64_overflow(before, product, &before) ||
			pg_add_s64_overflow(after, content->rows[i].holdout, &after))
			return false;
	if (content->ndays > 0 && content->days[0].day <= clv_data_first_day(content))
		return false;
	for (i = 0; i < content->ndays; i++)
	{
		int64	   *side = content->days[i].day <= content->calibration_end ? &before : &after;

		if (pg_sub_s64_overflow(*side, content->days[i].purchases, side))
			return false;
	}
	return before == 0 && after == 0 && counts_in_bounds(content);
}

static void
read_head(ByteReader *reader, const char *data, Size len, ClvDataContent *content)
{
	uint8		flags;

	memset(content, 0, sizeof(ClvDataContent));
	flags = reader_begin(reader, data, len, DATA_VERSION, FLAG_AS_OF);
	content->as_of_given = (flags & FLAG_AS_OF) != 0;
	content->calibration_end = (DateADT) reader_int(reader, DAY_MIN, DAY_MAX, "day");
	content->as_of = content->calibration_end +
		(DateADT) reader_uint(reader, DAY_MAX - (int64) content->calibration_end, "day");
	content->left_out = (int64) reader_uint(reader, COUNT_MAX, "number of customers");
}

/* NULL, or what is wrong. */
static const char *
read_data(const char *data, Size len, ClvDataContent *content)
{
	ByteReader	reader;

	read_head(&reader, data, len, content);
	if (reader.error == NULL)
		get_rows(&reader, content);
	if (reader.error == NULL)
		get_days(&reader, content);
	if (reader_end(&reader))
		reader_require(&reader, adds_up(content), "number of purchases");
	return reader.error;
}

const char *
clv_data_check(const char *data, Size len)
{
	ClvDataContent content;
	const char *wrong = read_data(data, len, &content);
	ClvData    *again;

	if (wrong != NULL)
		return wrong;
	again = clv_data_build(&content);
	if (VARSIZE(again) - VARHDRSZ != len || memcmp(VARDATA(again), data, len) != 0)
		return "encoding";
	return NULL;
}

static void
data_corrupt(const char *wrong)
{
	ByteReader	reader = {NULL, NULL, wrong};

	reader_corrupt(&reader, "clv_data");
}

void
clv_data_read(const ClvData *value, ClvDataContent *content)
{
	const char *wrong = read_data(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), content);

	if (wrong != NULL)
		data_corrupt(wrong);
}

DateADT
clv_data_first_day(const ClvDataContent *content)
{
	/* rows are ascending by age */
	return content->calibration_end -
		(content->nrows > 0 ? content->rows[content->nrows - 1].age : 0);
}

/* ---------- writing ---------- */

ClvData *
clv_data_build(const ClvDataContent *content)
{
	StringInfoData buf;

	writer_begin(&buf, 1024, DATA_VERSION, content->as_of_given ? FLAG_AS_OF : 0);
	writer_int(&buf, content->calibration_end);
	writer_uint(&buf, (int64) content->as_of - content->calibration_end);
	writer_uint(&buf, content->left_out);
	writer_uint(&buf, content->nrows);
	for (uint64 i = 0; i < content->nrows; i++)
	{
		const ClvDataRow *row = &content->rows[i];
		const ClvDataRow *last = i > 0 ? row - 1 : NULL;
		bool		same_age = last != NULL && last->age == row->age;
		bool		same_x = same_age && last->x == row->x;

		writer_uint(&buf, row->age - (last != NULL ? last->age : 0));
		writer_uint(&buf, row->x - (same_age ? last->x : 0));
		writer_uint(&buf, row->t_x - (same_x ? last->t_x + 1 : 0));
		writer_uint(&buf, row->customers - 1);
		writer_uint(&buf, row->holdout);
	}
	writer_uint(&buf, content->ndays);
	for (uint64 i = 0; i < content->ndays; i++)
	{
		const ClvDataDay *day = &content->days[i];

		writer_uint(&buf, i == 0 ? zigzag(day->day) : (uint64) ((int64) day->day - day[-1].day - 1));
		writer_uint(&buf, day->purchases - 1);
	}
	return writer_finish(&buf);
}

/* ---------- adding up ---------- */

static void
clv_data_count_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("too many customers or purchases")));
}

void
clv_data_count(int64 *count, int64 more)
{
	/* both are at most COUNT_MAX: no overflow */
	*count += more;
	if (unlikely(*count > COUNT_MAX))
		clv_data_count_error();
}

const char *
clv_data_day(DateADT day)
{
	char	   *text = palloc(MAXDATELEN + 1);

	return JsonEncodeDateTime(text, DateADTGetDatum(day), DATEOID, NULL);
}

void
clv_data_match(DateADT end_a, bool given_a, DateADT as_of_a,
			   DateADT end_b, bool given_b, DateADT as_of_b)
{
	if (unlikely(end_a != end_b))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("calibration_end must be the same for all customers, not %s and %s",
						clv_data_day(end_a), clv_data_day(end_b))));
	if (unlikely(given_a != given_b || (given_a && as_of_a != as_of_b)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("as_of must be the same for all customers, not %s and %s",
						given_a ? clv_data_day(as_of_a) : "NULL",
						given_b ? clv_data_day(as_of_b) : "NULL")));
}

static int
clv_data_compare_rows(const ClvDataRow *a, const ClvDataRow *b)
{
	if (a->age != b->age)
		return a->age < b->age ? -1 : 1;
	if (a->x != b->x)
		return a->x < b->x ? -1 : 1;
	return a->t_x < b->t_x ? -1 : a->t_x > b->t_x;
}

static void
merge_rows(const ClvDataContent *a, const ClvDataContent *b, ClvDataContent *sum)
{
	uint64		i = 0;
	uint64		j = 0;

	sum->rows = palloc_extended(sizeof(ClvDataRow) * (a->nrows + b->nrows + 1),
								MCXT_ALLOC_HUGE);
	while (i < a->nrows || j < b->nrows)
	{
		int			order = i == a->nrows ? 1 : j == b->nrows ? -1 :
		clv_data_compare_rows(&a->rows[i], &b->rows[j]);
		ClvDataRow *row = &sum->rows[sum->nrows++];

		if (((i + j) & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		*row = order <= 0 ? a->rows[i++] : b->rows[j++];
		if (order == 0)
		{
			clv_data_count(&row->customers, b->rows[j].customers);
			clv_data_count(&row->holdout, b->rows[j++].holdout);
		}
	}
}

static void
merge_days(const ClvDataContent *a, const ClvDataContent *b, ClvDataContent *sum)
{
	uint64		i = 0;
	uint64		j = 0;

	sum->days = palloc_extended(sizeof(ClvDataDay) * (a->ndays + b->ndays + 1),
								MCXT_ALLOC_HUGE);
	while (i < a->ndays || j < b->ndays)
	{
		bool		take_a = j == b->ndays || (i < a->ndays && a->days[i].day <= b->days[j].day);
		bool		take_b = i == a->ndays || (j < b->ndays && b->days[j].day <= a->days[i].day);
		ClvDataDay *day = &sum->days[sum->ndays++];

		*day = take_a ? a->days[i] : b->days[j];
		if (take_a && take_b)
			clv_data_count(&day->purchases, b->days[j].purchases);
		i += take_a;
		j += take_b;
	}
}

ClvData *
clv_data_merge(const ClvData *a, const ClvData *b)
{
	ClvDataContent ca;
	ClvDataContent cb;
	ClvDataContent sum;

	clv_data_read(a, &ca);
	clv_data_read(b, &cb);
	clv_data_match(ca.calibration_end, ca.as_of_given, ca.as_of,
				   cb.calibration_end, cb.as_of_given, cb.as_of);
	sum = ca;
	sum.as_of = Max(ca.as_of, cb.as_of);
	sum.nrows = sum.ndays = 0;
	clv_data_count(&sum.left_out, cb.left_out);
	merge_rows(&ca, &cb, &sum);
	merge_days(&ca, &cb, &sum);
	if (!counts_in_bounds(&sum))
		clv_data_count_error();
	return clv_data_build(&sum);
}

void
clv_data_match_values(const ClvData *a, const ClvData *b)
{
	ClvDataContent ca;
	ClvDataContent cb;
	ByteReader	reader;

	read_head(&reader, VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a), &ca);
	if (reader.error == NULL)
		read_head(&reader, VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b), &cb);
	if (reader.error != NULL)
		data_corrupt(reader.error);
	clv_data_match(ca.calibration_end, ca.as_of_given, ca.as_of,
				   cb.calibration_end, cb.as_of_given, cb.as_of);
}

double
clv_data_load(const ClvData *value)
{
	ClvDataContent content;
	double		customers;
	double		purchases = 0;

	clv_data_read(value, &content);
	customers = (double) content.left_out;
	for (uint64 i = 0; i < content.nrows; i++)
		customers += (double) content.rows[i].customers;
	for (uint64 i = 0; i < content.ndays; i++)
		purchases += (double) content.days[i].purchases;
	return Max(customers, purchases) / COUNT_MAX;
}
