/*
 * migration_bytes.c
 *	  The migration_matrix value: reading and writing its bytes.
 *
 * Bytes, in the forms of byte_reader.h; "s" is a signed integer:
 *	  tag, flags, number of states, and their labels
 *	  probabilities, if given	states * states doubles
 *	  else number of cells, [scale], and for each
 *		step					cell number, then its difference to the last, less 1
 *		count - 1
 *		[amount]				if any cell has one; "scale" is the largest of all
 *	  and of a panel
 *		unit, week_start (one byte each)
 *		number of period cells, and for each
 *			s step				period, then its difference to the last
 *			cell				as above, from the start in each new period
 *			count - 1
 *		number of triples, and for each
 *			step, count - 1
 * The number of a cell is from * (states + 1) + to, that of a triple
 * (before * states + from) * states + to.
 *
 * Promises: equal matrices have equal bytes; the reader checks every length,
 * order and bound before using it, and that the cells are the sum of periods.
 * Never: follows the order of a machine's bytes, or a setting.
 */
#include "migration/migration.h"

#include <math.h>

#include "common/int.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/timestamp.h"
#include "value/byte_reader.h"
#include "value/byte_writer.h"

#define FLAG_DECLARED	0x01
#define FLAG_GIVEN		0x02
#define FLAG_PANEL		0x04
#define FLAG_AMOUNTS	0x08
#define FLAGS_ALL		0x0f

/* of a label in UTF-8 */
#define STORED_BYTES_MAX	(MIGRATION_LABEL_MAX * MAX_CONVERSION_GROWTH)

/* rows of given probabilities */
#define SUM_TOLERANCE	1e-9

/* ---------- reading ---------- */

static inline int64
migration_bytes_get_count(ByteReader *reader, int64 *total)
{
	int64		count = (int64) reader_uint(reader, PG_INT64_MAX - 1, "count") + 1;

	if (unlikely(pg_add_s64_overflow(*total, count, total)))
		reader_fail(reader, "count");
	return count;
}

static int
migration_bytes_compare_pointers(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Declared labels are in any order, but distinct; none is a name of nowhere. */
static void
check_labels(ByteReader *reader, const LabelList *list)
{
	char	  **sorted = palloc(sizeof(char *) * (list->n + 1));

	memcpy(sorted, list->labels, sizeof(char *) * list->n);
	qsort(sorted, list->n, sizeof(char *), migration_bytes_compare_pointers);
	for (int i = 0; i < list->n; i++)
	{
		reader_require(reader, strcmp(sorted[i], MIGRATION_ENTERED_NAME) != 0 &&
					   strcmp(sorted[i], MIGRATION_LEFT_NAME) != 0, "label");
		reader_require(reader, i == 0 || strcmp(sorted[i - 1], sorted[i]) != 0, "order of labels");
	}
	pfree(sorted);
}

static void
migration_bytes_read_labels(ByteReader *reader, MigrationMatrix *matrix, bool check)
{
	LabelList	list = reader_labels(reader, MIGRATION_STATES_MAX, 1, STORED_BYTES_MAX, check,
									 matrix->declared);

	if (check)
		check_labels(reader, &list);
	matrix->states = list.n;
	matrix->labels = list.labels;
	for (int i = 0; i < list.n; i++)
		list.labels[i] = pg_any_to_server(list.labels[i], strlen(list.labels[i]), PG_UTF8);
}

static void
read_cells(ByteReader *reader, MigrationMatrix *matrix, bool amounts)
{
	int64		side = (int64) matrix->states + 1;
	int64		last = -1;
	int64		total = 0;
	int32		scale = AMOUNT_NONE;

	matrix->cells_n = reader_count(reader, side * side - 1, amounts ? 3 : 2, "number of cells");
	if (amounts)
		scale = (int32) reader_uint(reader, AMOUNT_SCALE_LAST, "scale");
	matrix->cells = palloc_extended(sizeof(MigrationCell) * (matrix->cells_n + 1), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < matrix->cells_n && reader->error == NULL; i++)
	{
		MigrationCell *cell = &matrix->cells[i];

		/* the last one would be from nowhere to nowhere */
		last = reader_next(reader, last, side * side - 1, "cell");
		cell->from = (int32) (last / side);
		cell->to = (int32) (last % side);
		cell->count = migration_bytes_get_count(reader, &total);
		cell->value = amounts ? reader_amount(reader, scale) : amount_none();
	}
}

static void
read_probabilities(ByteReader *reader, MigrationMatrix *matrix, bool check)
{
	int64		n = (int64) matrix->states * matrix->states;

	if (reader_left(reader) < n * sizeof(double))
	{
		reader_fail(reader, "length");
		return;
	}
	matrix->probabilities = palloc(sizeof(double) * (n + 1));
	for (int64 i = 0; i < n; i++)
		matrix->probabilities[i] = reader_between(reader, 0, 1, "probability");
	for (int32 i = 0; check && i < matrix->states; i++)
	{
		double		sum = 0;

		for (int32 j = 0; j < matrix->states; j++)
			sum += matrix->probabilities[(int64) i * matrix->states + j];
		reader_require(reader, fabs(sum - 1) <= SUM_TOLERANCE, "sum of probabilities");
	}
}

static void
read_periods(ByteReader *reader, MigrationMatrix *matrix)
{
	Calendar	calendar;		/* of no zone: only the spec is looked at */
	int32		first;
	int32		final;
	int64		side = (int64) matrix->states + 1;
	int64		period = 0;
	int64		last = -1;
	int64		total = 0;

	memset(&calendar, 0, sizeof(calendar));
	calendar.spec = matrix->period;
	first = calendar_period_of_wall(&calendar, MIN_TIMESTAMP);
	final = calendar_period_of_wall(&calendar, END_TIMESTAMP - 1);
	matrix->periods_n = reader_count(reader, PG_INT32_MAX, 3, "number of periods");
	matrix->periods = palloc_extended(sizeof(MigrationPeriodCell) * (matrix->periods_n + 1),
									  MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < matrix->periods_n && reader->error == NULL; i++)
	{
		MigrationPeriodCell *cell = &matrix->periods[i];
		int64		before = period;

		/* the period before it is one too */
		period = reader_step(reader, before, (int64) first + 1, final, "period");
		reader_require(reader, i == 0 || period >= before, "period");
		if (period != before)
			last = -1;
		last = reader_next(reader, last, side * side - 1, "cell of a period");
		cell->period = (int32) period;
		cell->from = (int32) (last / side);
		cell->to = (int32) (last % side);
		cell->count = migration_bytes_get_count(reader, &total);
	}
}

static void
read_triples(ByteReader *reader, MigrationMatrix *matrix)
{
	int64		k = matrix->states;
	int64		last = -1;
	int64		total = 0;

	matrix->triples_n = reader_count(reader, k * k * k, 2, "number of triples");
	matrix->triples = palloc_extended(sizeof(MigrationTriple) * (matrix->triples_n + 1),
									  MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < matrix->triples_n && reader->error == NULL; i++)
	{
		MigrationTriple *triple = &matrix->triples[i];

		last = reader_next(reader, last, k * k * k, "triple");
		triple->before = (int32) (last / k / k);
		triple->from = (int32) (last / k % k);
		triple->to = (int32) (last % k);
		triple->count = migration_bytes_get_count(reader, &total);
	}
}

static void
read_panel(ByteReader *reader, MigrationMatrix *matrix)
{
	matrix->period.unit = reader_byte(reader, PERIOD_UNIT_LAST, "period");
	matrix->period.week_start = reader_byte(reader, matrix->period.unit == PERIOD_WEEK ? 6 : 0,
											"period");
	if (reader->error == NULL)
		read_periods(reader, matrix);
	if (reader->error == NULL)
		read_triples(reader, matrix);
}

/* "check": bytes from outside; else only memory is guarded. */
static bool
read_matrix(ByteReader *reader, const char *data, Size len, MigrationMatrix *matrix, bool check)
{
	uint8		flags = reader_begin(reader, data, len, MIGRATION_VERSION, FLAGS_ALL);

	memset(matrix, 0, sizeof(MigrationMatrix));
	matrix->declared = (flags & FLAG_DECLARED) != 0;
	matrix->given = (flags & FLAG_GIVEN) != 0;
	matrix->panel = (flags & FLAG_PANEL) != 0;
	reader_require(reader, !matrix->given || flags == (FLAG_GIVEN | FLAG_DECLARED), "flags");
	migration_bytes_read_labels(reader, matrix, check);
	if (reader->error != NULL)
		return false;
	if (matrix->given)
		read_probabilities(reader, matrix, check);
	else
		read_cells(reader, matrix, (flags & FLAG_AMOUNTS) != 0);
	if (matrix->panel && reader->error == NULL)
		read_panel(reader, matrix);
	return reader_end(reader);
}

void
migration_unpack(const MigrationValue *value, MigrationMatrix *matrix)
{
	ByteReader	reader;

	if (!read_matrix(&reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), matrix, false))
		reader_corrupt(&reader, "migration_matrix");
}

/* Are the cells what the periods add up to? */
static bool
periods_add_up(const MigrationMatrix *matrix)
{
	MigrationMatrix sum = *matrix;

	sum.cells_n = matrix->periods_n;
	sum.cells = palloc_extended(sizeof(MigrationCell) * (sum.cells_n + 1), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < sum.cells_n; i++)
	{
		sum.cells[i].from = matrix->periods[i].from;
		sum.cells[i].to = matrix->periods[i].to;
		sum.cells[i].count = matrix->periods[i].count;
		sum.cells[i].value = amount_none();
	}
	migration_normalise(&sum);
	if (sum.cells_n != matrix->cells_n)
		return false;
	for (int64 i = 0; i < sum.cells_n; i++)
		if (sum.cells[i].from != matrix->cells[i].from || sum.cells[i].to != matrix->cells[i].to ||
			sum.cells[i].count != matrix->cells[i].count)
			return false;
	return true;
}

const char *
migration_check(const char *data, Size len)
{
	ByteReader	reader;
	MigrationMatrix matrix;
	MigrationValue *again;

	if (!read_matrix(&reader, data, len, &matrix, true))
		return reader.error;
	if (matrix.panel && !periods_add_up(&matrix))
		return "sum of periods";
	again = migration_pack(&matrix);
	if (VARSIZE(again) - VARHDRSZ != len || memcmp(VARDATA(again), data, len) != 0)
		return "encoding";
	return NULL;
}

/* ---------- writing ---------- */

static void
migration_bytes_put_labels(StringInfo buf, const MigrationMatrix *matrix)
{
	writer_uint(buf, matrix->states);
	for (int32 i = 0; i < matrix->states; i++)
		writer_server_text(buf, matrix->labels[i]);
}

static void
put_cells(StringInfo buf, const MigrationMatrix *matrix, int32 scale)
{
	int64		side = (int64) matrix->states + 1;
	int64		last = -1;

	writer_uint(buf, matrix->cells_n);
	if (scale != AMOUNT_NONE)
		writer_uint(buf, scale);
	for (int64 i = 0; i < matrix->cells_n; i++)
	{
		const MigrationCell *cell = &matrix->cells[i];
		int64		number = cell->from * side + cell->to;

		Assert(number > last && number < side * side - 1 && cell->count > 0);
		writer_uint(buf, number - last - 1);
		writer_uint(buf, cell->count - 1);
		if (scale != AMOUNT_NONE)
			writer_amount(buf, &cell->value, scale);
		last = number;
	}
}

static void
put_panel(StringInfo buf, const MigrationMatrix *matrix)
{
	int64		side = (int64) matrix->states + 1;
	int64		period = 0;
	int64		last = -1;

	writer_byte(buf, matrix->period.unit);
	writer_byte(buf, matrix->period.week_start);
	writer_uint(buf, matrix->periods_n);
	for (int64 i = 0; i < matrix->periods_n; i++)
	{
		const MigrationPeriodCell *cell = &matrix->periods[i];
		int64		number = cell->from * side + cell->to;

		writer_int(buf, cell->period - period);
		if (cell->period != period)
			last = -1;
		Assert(number > last && cell->count > 0);
		writer_uint(buf, number - last - 1);
		writer_uint(buf, cell->count - 1);
		period = cell->period;
		last = number;
	}
	writer_uint(buf, matrix->triples_n);
	last = -1;
	for (int64 i = 0; i < matrix->triples_n; i++)
	{
		const MigrationTriple *triple = &matrix->triples[i];
		int64		number = ((int64) triple->before * matrix->states + triple->from) *
		matrix->states + triple->to;

		Assert(number > last && triple->count > 0);
		writer_uint(buf, number - last - 1);
		writer_uint(buf, triple->count - 1);
		last = number;
	}
}

MigrationValue *
migration_pack(const MigrationMatrix *source)
{
	MigrationMatrix matrix = *source;
	StringInfoData buf;
	int64		n = (int64) matrix.states * matrix.states;
	int32		scale = AMOUNT_NONE;

	migration_normalise(&matrix);
	for (int64 i = 0; i < matrix.cells_n; i++)
		scale = writer_scale(scale, &matrix.cells[i].value);
	writer_begin(&buf, 256, MIGRATION_VERSION,
				 (matrix.declared ? FLAG_DECLARED : 0) | (matrix.given ? FLAG_GIVEN : 0) |
				 (matrix.panel ? FLAG_PANEL : 0) | (scale != AMOUNT_NONE ? FLAG_AMOUNTS : 0));
	migration_bytes_put_labels(&buf, &matrix);
	if (!matrix.given)
		put_cells(&buf, &matrix, scale);
	for (int64 i = 0; matrix.given && i < n; i++)
		writer_double(&buf, matrix.probabilities[i]);
	if (matrix.panel)
		put_panel(&buf, &matrix);
	return writer_finish(&buf);
}
