/*
 * migration_bytes.c
 *	  The migration_matrix value: reading and writing its bytes.
 *
 * Bytes, integers as minimal LEB128 (varint.h), "s" zigzag:
 *	  version, flags (one byte each), number of states,
 *	  for each state
 *		length, bytes			UTF-8, whatever the server's encoding
 *	  probabilities, if given	states * states doubles, the high byte first
 *	  else number of cells, and for each
 *		step					cell number, then its difference to the last, less 1
 *		count - 1
 *		[amount]				if any cell has one: scale + 1, s value; 0 for none;
 *								AMOUNT_DIGITS, length, digits where that does not fit
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
#include "port/pg_bswap.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "value/rollup.h"
#include "value/varint.h"

#define FLAG_DECLARED	0x01
#define FLAG_GIVEN		0x02
#define FLAG_PANEL		0x04
#define FLAG_AMOUNTS	0x08
#define FLAGS_ALL		0x0f

/* Codes of amounts: scale + 1 of a small one, or these. */
#define AMOUNT_CODE_NONE	0
#define AMOUNT_SCALE_MAX	18
#define AMOUNT_DIGITS		(AMOUNT_SCALE_MAX + 2)

/* digits of a numeric, and after its point */
#define DIGITS_MAX		131072
#define DECIMALS_MAX	16383

#define LABEL_BYTES_MAX	(MIGRATION_LABEL_MAX * MAX_CONVERSION_GROWTH)

/* rows of given probabilities */
#define SUM_TOLERANCE	1e-9

/* ---------- reading ---------- */

typedef struct Reader
{
	const uint8 *at;
	const uint8 *end;
	const char *error;
	uint8		flags;
	char	  **stored;			/* labels as they lie */
} Reader;

static bool
migration_bytes_corrupt(Reader *reader, const char *what)
{
	reader->error = what;
	return false;
}

static inline bool
migration_bytes_get(Reader *reader, uint64 max, const char *what, uint64 *value)
{
	if (unlikely(!varint_get(&reader->at, reader->end, value) || *value > max))
		return migration_bytes_corrupt(reader, what);
	return true;
}

/* A number of items, at most so many, each of which takes so many bytes at least. */
static bool
migration_bytes_get_number(Reader *reader, int64 most, int bytes, const char *what, int64 *n)
{
	uint64		v;

	if (!migration_bytes_get(reader, Min(most, (reader->end - reader->at) / bytes), what, &v))
		return false;
	*n = (int64) v;
	return true;
}

/* The next of ascending numbers below a bound; the first where "last" is -1. */
static inline bool
migration_bytes_get_step(Reader *reader, int64 bound, const char *what, int64 *last)
{
	uint64		v;

	if (!migration_bytes_get(reader, PG_INT64_MAX / 2, what, &v) || (int64) v >= bound - *last - 1)
		return migration_bytes_corrupt(reader, what);
	*last += (int64) v + 1;
	return true;
}

static inline bool
migration_bytes_get_count(Reader *reader, int64 *count, int64 *total)
{
	uint64		v;

	if (!migration_bytes_get(reader, PG_INT64_MAX - 1, "count", &v))
		return false;
	*count = (int64) v + 1;
	if (pg_add_s64_overflow(*total, *count, total))
		return migration_bytes_corrupt(reader, "count");
	return true;
}

static int
migration_bytes_compare_pointers(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* Declared labels are distinct, others ascend. */
static bool
labels_ordered(char **labels, int32 n, bool declared)
{
	char	  **sorted = labels;

	if (declared)
	{
		sorted = palloc(sizeof(char *) * (n + 1));
		memcpy(sorted, labels, sizeof(char *) * n);
		qsort(sorted, n, sizeof(char *), migration_bytes_compare_pointers);
	}
	for (int32 i = 1; i < n; i++)
		if (declared ? strcmp(sorted[i - 1], sorted[i]) == 0 :
			migration_label_compare(sorted[i - 1], sorted[i]) >= 0)
			return false;
	return true;
}

static bool
migration_bytes_read_labels(Reader *reader, MigrationMatrix *matrix, bool check)
{
	uint64		v;

	if (!migration_bytes_get(reader, MIGRATION_STATES_MAX, "number of states", &v))
		return false;
	matrix->states = (int32) v;
	matrix->labels = palloc(sizeof(char *) * (matrix->states + 1));
	reader->stored = palloc(sizeof(char *) * (matrix->states + 1));
	for (int32 i = 0; i < matrix->states; i++)
	{
		char	   *label;

		if (!migration_bytes_get(reader, Min(LABEL_BYTES_MAX, reader->end - reader->at), "length of a label", &v) ||
			v == 0)
			return migration_bytes_corrupt(reader, "length of a label");
		if (check && !pg_verify_mbstr(PG_UTF8, (const char *) reader->at, (int) v, true))
			return migration_bytes_corrupt(reader, "label");
		label = pnstrdup((const char *) reader->at, v);
		reader->stored[i] = label;
		reader->at += v;
		matrix->labels[i] = pg_any_to_server(label, (int) v, PG_UTF8);
		if (check && (strcmp(label, MIGRATION_ENTERED_NAME) == 0 ||
					  strcmp(label, MIGRATION_LEFT_NAME) == 0))
			return migration_bytes_corrupt(reader, "label");
	}
	if (check && !labels_ordered(reader->stored, matrix->states, matrix->declared))
		return migration_bytes_corrupt(reader, "order of labels");
	return true;
}

/* An amount that is not small, as digits; only in the form that numeric has. */
static bool
read_digits(Reader *reader, Amount *amount)
{
	const char *digits;
	char	   *text;
	uint64		len;
	Datum		num;

	if (!migration_bytes_get(reader, reader->end - reader->at, "length of an amount", &len) ||
		len < 2 || len > DIGITS_MAX + DECIMALS_MAX)
		return migration_bytes_corrupt(reader, "length of an amount");
	text = pnstrdup((const char *) reader->at, len);
	reader->at += len;
	digits = text + (*text == '-');
	if (strspn(digits, "0123456789.") != strlen(digits) || strlen(text) != len ||
		strcspn(digits, ".") > DIGITS_MAX || strlen(digits) - strcspn(digits, ".") > DECIMALS_MAX ||
		strchr(digits, '.') != strrchr(digits, '.') || digits[0] == '.' || digits[0] == '\0')
		return migration_bytes_corrupt(reader, "amount");
	num = DirectFunctionCall3(numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
							  Int32GetDatum(-1));
	*amount = amount_from_datum(num);
	if (amount->big == NULL ||
		strcmp(text, DatumGetCString(DirectFunctionCall1(numeric_out, num))) != 0)
		return migration_bytes_corrupt(reader, "amount");
	return true;
}

static bool
migration_bytes_read_amount(Reader *reader, Amount *amount)
{
	uint64		v;

	*amount = amount_none();
	if (!migration_bytes_get(reader, AMOUNT_DIGITS, "amount", &v))
		return false;
	if (v == AMOUNT_CODE_NONE)
		return true;
	if (v == AMOUNT_DIGITS)
		return read_digits(reader, amount);
	amount->scale = (int32) v - 1;
	if (!migration_bytes_get(reader, PG_UINT64_MAX, "amount", &v))
		return false;
	amount->value = unzigzag(v);
	if (amount->value >= AMOUNT_VALUE_MAX || amount->value <= -AMOUNT_VALUE_MAX)
		return migration_bytes_corrupt(reader, "amount");
	return true;
}

static bool
read_cells(Reader *reader, MigrationMatrix *matrix)
{
	int64		side = (int64) matrix->states + 1;
	int64		last = -1;
	int64		total = 0;

	if (!migration_bytes_get_number(reader, side * side - 1, reader->flags & FLAG_AMOUNTS ? 3 : 2,
					"number of cells", &matrix->cells_n))
		return false;
	matrix->cells = palloc_extended(sizeof(MigrationCell) * (matrix->cells_n + 1), MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < matrix->cells_n; i++)
	{
		MigrationCell *cell = &matrix->cells[i];

		/* the last one would be from nowhere to nowhere */
		if (!migration_bytes_get_step(reader, side * side - 1, "cell", &last) ||
			!migration_bytes_get_count(reader, &cell->count, &total))
			return false;
		cell->from = (int32) (last / side);
		cell->to = (int32) (last % side);
		cell->value = amount_none();
		if ((reader->flags & FLAG_AMOUNTS) && !migration_bytes_read_amount(reader, &cell->value))
			return false;
	}
	return true;
}

static bool
read_probabilities(Reader *reader, MigrationMatrix *matrix, bool check)
{
	int64		n = (int64) matrix->states * matrix->states;

	if (reader->end - reader->at < n * (int64) sizeof(uint64))
		return migration_bytes_corrupt(reader, "length");
	matrix->probabilities = palloc(sizeof(double) * (n + 1));
	for (int64 i = 0; i < n; i++)
	{
		uint64		bits;

		memcpy(&bits, reader->at, sizeof(bits));
		reader->at += sizeof(bits);
		bits = pg_ntoh64(bits);
		memcpy(&matrix->probabilities[i], &bits, sizeof(double));
		/* written so that NaN fails */
		if (check && (!(matrix->probabilities[i] >= 0 && matrix->probabilities[i] <= 1) ||
					  signbit(matrix->probabilities[i])))
			return migration_bytes_corrupt(reader, "probability");
	}
	for (int32 i = 0; check && i < matrix->states; i++)
	{
		double		sum = 0;

		for (int32 j = 0; j < matrix->states; j++)
			sum += matrix->probabilities[(int64) i * matrix->states + j];
		if (!(fabs(sum - 1) <= SUM_TOLERANCE))
			return migration_bytes_corrupt(reader, "sum of probabilities");
	}
	return true;
}

static bool
read_periods(Reader *reader, MigrationMatrix *matrix)
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
	if (!migration_bytes_get_number(reader, PG_INT32_MAX, 3, "number of periods", &matrix->periods_n))
		return false;
	matrix->periods = palloc_extended(sizeof(MigrationPeriodCell) * (matrix->periods_n + 1),
									  MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < matrix->periods_n; i++)
	{
		MigrationPeriodCell *cell = &matrix->periods[i];
		uint64		v;

		if (!migration_bytes_get(reader, PG_UINT64_MAX, "period", &v))
			return false;
		if (unzigzag(v) > PG_UINT32_MAX || unzigzag(v) < (i == 0 ? PG_INT32_MIN : 0))
			return migration_bytes_corrupt(reader, "period");
		period += unzigzag(v);
		/* the period before it is one too */
		if (period <= first || period > final)
			return migration_bytes_corrupt(reader, "period");
		if (v != 0)
			last = -1;
		if (!migration_bytes_get_step(reader, side * side - 1, "cell of a period", &last) ||
			!migration_bytes_get_count(reader, &cell->count, &total))
			return false;
		cell->period = (int32) period;
		cell->from = (int32) (last / side);
		cell->to = (int32) (last % side);
	}
	return true;
}

static bool
read_triples(Reader *reader, MigrationMatrix *matrix)
{
	int64		k = matrix->states;
	int64		last = -1;
	int64		total = 0;

	if (!migration_bytes_get_number(reader, k * k * k, 2, "number of triples", &matrix->triples_n))
		return false;
	matrix->triples = palloc_extended(sizeof(MigrationTriple) * (matrix->triples_n + 1),
									  MCXT_ALLOC_HUGE);
	for (int64 i = 0; i < matrix->triples_n; i++)
	{
		MigrationTriple *triple = &matrix->triples[i];

		if (!migration_bytes_get_step(reader, k * k * k, "triple", &last) ||
			!migration_bytes_get_count(reader, &triple->count, &total))
			return false;
		triple->before = (int32) (last / k / k);
		triple->from = (int32) (last / k % k);
		triple->to = (int32) (last % k);
	}
	return true;
}

static bool
read_panel(Reader *reader, MigrationMatrix *matrix)
{
	if (reader->end - reader->at < 2)
		return migration_bytes_corrupt(reader, "length");
	matrix->period.unit = *reader->at++;
	matrix->period.week_start = *reader->at++;
	if (matrix->period.unit > PERIOD_UNIT_LAST ||
		matrix->period.week_start > (matrix->period.unit == PERIOD_WEEK ? 6 : 0))
		return migration_bytes_corrupt(reader, "period");
	return read_periods(reader, matrix) && read_triples(reader, matrix);
}

/* "check": bytes from outside; else only memory is guarded. */
static bool
read_matrix(Reader *reader, const char *data, Size len, MigrationMatrix *matrix, bool check)
{
	memset(reader, 0, sizeof(Reader));
	memset(matrix, 0, sizeof(MigrationMatrix));
	reader->at = (const uint8 *) data;
	reader->end = reader->at + len;
	if (len < 3)
		return migration_bytes_corrupt(reader, "length");
	if (*reader->at++ != MIGRATION_VERSION)
		return migration_bytes_corrupt(reader, "version");
	reader->flags = *reader->at++;
	matrix->declared = (reader->flags & FLAG_DECLARED) != 0;
	matrix->given = (reader->flags & FLAG_GIVEN) != 0;
	matrix->panel = (reader->flags & FLAG_PANEL) != 0;
	if ((reader->flags & ~FLAGS_ALL) != 0 ||
		(matrix->given && reader->flags != (FLAG_GIVEN | FLAG_DECLARED)))
		return migration_bytes_corrupt(reader, "flags");
	if (!migration_bytes_read_labels(reader, matrix, check))
		return false;
	if (!(matrix->given ? read_probabilities(reader, matrix, check) : read_cells(reader, matrix)))
		return false;
	if (matrix->panel && !read_panel(reader, matrix))
		return false;
	if (reader->at != reader->end)
		return migration_bytes_corrupt(reader, "length");
	return true;
}

void
migration_read(const MigrationValue *value, MigrationMatrix *matrix)
{
	Reader		reader;

	if (!read_matrix(&reader, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), matrix, false))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("migration_matrix value is corrupt: wrong %s", reader.error)));
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
	Reader		reader;
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
migration_bytes_put_amount(StringInfo buf, const Amount *amount)
{
	char	   *digits;

	if (amount->scale == AMOUNT_NONE)
		varint_append(buf, AMOUNT_CODE_NONE);
	else if (amount->big != NULL)
	{
		digits = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(amount->big)));
		varint_append(buf, AMOUNT_DIGITS);
		varint_append(buf, strlen(digits));
		appendBinaryStringInfo(buf, digits, strlen(digits));
	}
	else
	{
		varint_append(buf, amount->scale + 1);
		varint_append(buf, zigzag(amount->value));
	}
}

static void
migration_bytes_put_labels(StringInfo buf, const MigrationMatrix *matrix)
{
	varint_append(buf, matrix->states);
	for (int32 i = 0; i < matrix->states; i++)
	{
		const char *label = matrix->labels[i];
		const char *utf8 = pg_server_to_any(label, strlen(label), PG_UTF8);

		varint_append(buf, strlen(utf8));
		appendBinaryStringInfo(buf, utf8, strlen(utf8));
	}
}

static void
put_cells(StringInfo buf, const MigrationMatrix *matrix, bool amounts)
{
	int64		side = (int64) matrix->states + 1;
	int64		last = -1;

	varint_append(buf, matrix->cells_n);
	for (int64 i = 0; i < matrix->cells_n; i++)
	{
		const MigrationCell *cell = &matrix->cells[i];
		int64		number = cell->from * side + cell->to;

		Assert(number > last && number < side * side - 1 && cell->count > 0);
		varint_append(buf, number - last - 1);
		varint_append(buf, cell->count - 1);
		if (amounts)
			migration_bytes_put_amount(buf, &cell->value);
		last = number;
	}
}

static void
put_panel(StringInfo buf, const MigrationMatrix *matrix)
{
	int64		side = (int64) matrix->states + 1;
	int64		period = 0;
	int64		last = -1;

	appendStringInfoCharMacro(buf, (char) matrix->period.unit);
	appendStringInfoCharMacro(buf, (char) matrix->period.week_start);
	varint_append(buf, matrix->periods_n);
	for (int64 i = 0; i < matrix->periods_n; i++)
	{
		const MigrationPeriodCell *cell = &matrix->periods[i];
		int64		number = cell->from * side + cell->to;

		varint_append(buf, zigzag(cell->period - period));
		if (cell->period != period)
			last = -1;
		Assert(number > last && cell->count > 0);
		varint_append(buf, number - last - 1);
		varint_append(buf, cell->count - 1);
		period = cell->period;
		last = number;
	}
	varint_append(buf, matrix->triples_n);
	last = -1;
	for (int64 i = 0; i < matrix->triples_n; i++)
	{
		const MigrationTriple *triple = &matrix->triples[i];
		int64		number = ((int64) triple->before * matrix->states + triple->from) *
			matrix->states + triple->to;

		Assert(number > last && triple->count > 0);
		varint_append(buf, number - last - 1);
		varint_append(buf, triple->count - 1);
		last = number;
	}
}

static void
put_probabilities(StringInfo buf, const MigrationMatrix *matrix)
{
	int64		n = (int64) matrix->states * matrix->states;

	for (int64 i = 0; i < n; i++)
	{
		uint64		bits;

		memcpy(&bits, &matrix->probabilities[i], sizeof(bits));
		bits = pg_hton64(bits);
		appendBinaryStringInfo(buf, (char *) &bits, sizeof(bits));
	}
}

MigrationValue *
migration_pack(const MigrationMatrix *source)
{
	MigrationMatrix matrix = *source;
	StringInfoData buf;
	bool		amounts = false;

	migration_normalise(&matrix);
	for (int64 i = 0; i < matrix.cells_n && !amounts; i++)
		amounts = matrix.cells[i].value.scale != AMOUNT_NONE || matrix.cells[i].value.big != NULL;
	initStringInfo(&buf);
	appendStringInfoSpaces(&buf, VARHDRSZ);
	appendStringInfoCharMacro(&buf, MIGRATION_VERSION);
	appendStringInfoCharMacro(&buf, (char) ((matrix.declared ? FLAG_DECLARED : 0) |
											(matrix.given ? FLAG_GIVEN : 0) |
											(matrix.panel ? FLAG_PANEL : 0) |
											(amounts ? FLAG_AMOUNTS : 0)));
	migration_bytes_put_labels(&buf, &matrix);
	if (matrix.given)
		put_probabilities(&buf, &matrix);
	else
		put_cells(&buf, &matrix, amounts);
	if (matrix.panel)
		put_panel(&buf, &matrix);
	SET_VARSIZE(buf.data, buf.len);
	return (MigrationValue *) buf.data;
}
