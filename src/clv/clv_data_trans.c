/*
 * clv_data_trans.c
 *	  clv_data while customers are added, and what comes of it.
 *
 * One open-addressing hash table in one varlena, of rows and of days.
 *
 * Promises: the value does not depend on the order of customers nor on how they
 * were split; input functions refuse open data, and output functions finish
 * them first: none leaves the server.
 * Never: holds a pointer, or what one customer did.
 */
#include "clv/clv_data.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "value/rollup.h"

/* A row of clv_data.h, or with age ENTRY_DAY a day, in x; customers 0: free. */
typedef struct Entry
{
	int32		age;
	int32		x;
	int32		t_x;
	int32		unused;
	int64		customers;		/* or purchases of the day */
	int64		holdout;
} Entry;

#define ENTRY_DAY		(-1)
#define FIRST_CAPACITY	64

struct ClvDataTrans
{
	int32		vl_len_;		/* varlena header, of all there is room for */
	uint8		version;		/* CLV_DATA_OPEN */
	bool		as_of_given;
	uint8		shift;			/* of a hash, to its place among the entries */
	uint8		unused;
	DateADT		calibration_end;
	DateADT		as_of;			/* or the latest day so far */
	int64		left_out;
	uint32		capacity;		/* of entries: a power of two */
	uint32		used;
	Entry		entries[FLEXIBLE_ARRAY_MEMBER];
};

#define OPEN_SIZE(capacity)	(offsetof(ClvDataTrans, entries) + sizeof(Entry) * (Size) (capacity))

/* ---------- the table ---------- */

static ClvDataTrans *
clv_data_trans_create(DateADT calibration_end, bool as_of_given, DateADT as_of, uint32 capacity)
{
	ClvDataTrans *open;

	if (OPEN_SIZE(capacity) > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many different customers for a clv_data"),
				 errhint("Make several of groups of customers, and add them up with rollup().")));
	open = palloc0(OPEN_SIZE(capacity));
	SET_VARSIZE(open, OPEN_SIZE(capacity));
	open->version = CLV_DATA_OPEN;
	open->as_of_given = as_of_given;
	open->calibration_end = calibration_end;
	open->as_of = as_of;
	open->capacity = capacity;
	open->shift = 64 - pg_leftmost_one_pos32(capacity);
	return open;
}

ClvDataTrans *
clv_data_open_create(DateADT calibration_end, bool as_of_given, DateADT as_of)
{
	return clv_data_trans_create(calibration_end, as_of_given, as_of_given ? as_of : calibration_end,
				  FIRST_CAPACITY);
}

/* The place of an entry, or the free one for it. */
static inline Entry *
find(ClvDataTrans *open, int32 age, int32 x, int32 t_x)
{
	uint64		hash = ((uint64) (uint32) age << 32 | (uint32) t_x) *
		UINT64CONST(0x9e3779b97f4a7c15);
	uint32		place;

	hash = (hash ^ (hash >> 32) ^ (uint32) x) * UINT64CONST(0xd6e8feb86659fd93);
	for (place = (uint32) (hash >> open->shift);; place = (place + 1) & (open->capacity - 1))
	{
		Entry	   *entry = &open->entries[place];

		if (entry->customers == 0 ||
			(entry->age == age && entry->x == x && entry->t_x == t_x))
			return entry;
	}
}

static pg_noinline ClvDataTrans *
clv_data_trans_enlarge(ClvDataTrans *open)
{
	ClvDataTrans *larger = clv_data_trans_create(open->calibration_end, open->as_of_given, open->as_of,
								 open->capacity * 2);

	larger->left_out = open->left_out;
	larger->used = open->used;
	for (uint32 i = 0; i < open->capacity; i++)
	{
		const Entry *entry = &open->entries[i];

		if (entry->customers > 0)
			*find(larger, entry->age, entry->x, entry->t_x) = *entry;
	}
	return larger;
}

/* Adds to an entry, which is made if there is none. */
static inline ClvDataTrans *
count(ClvDataTrans *open, int32 age, int32 x, int32 t_x, int64 customers, int64 holdout)
{
	Entry	   *entry = find(open, age, x, t_x);

	if (entry->customers == 0)
	{
		if (unlikely(open->used >= open->capacity / 4 * 3))
		{
			open = clv_data_trans_enlarge(open);
			entry = find(open, age, x, t_x);
		}
		open->used++;
		entry->age = age;
		entry->x = x;
		entry->t_x = t_x;
	}
	clv_data_count(&entry->customers, customers);
	clv_data_count(&entry->holdout, holdout);
	return open;
}

/* ---------- customers ---------- */

ClvDataTrans *
clv_data_open_add(ClvDataTrans *open, const CustomerHistory *history)
{
	HistoryReader reader;
	DateADT		until = open->as_of_given ? open->as_of : DATEVAL_NOEND;
	DateADT		first;
	DateADT		day;
	int32		x = 0;
	int32		t_x = 0;
	int64		holdout = 0;
	bool		late;

	history_reader_open(&reader, history);
	if (!history_reader_read_dates(&reader) || reader.day.day > until)
		return open;
	first = day = reader.day.day;
	late = first > open->calibration_end;
	while (history_reader_read_dates(&reader) && reader.day.day <= until)
	{
		day = reader.day.day;
		if (late)
			continue;
		open = count(open, ENTRY_DAY, day, 0, 1, 0);
		if (day <= open->calibration_end)
		{
			x++;
			t_x = day - first;
		}
		else
			holdout++;
	}
	if (!open->as_of_given)
		open->as_of = Max(open->as_of, day);
	if (late)
		clv_data_count(&open->left_out, 1);
	else
		open = count(open, open->calibration_end - first, x, t_x, 1, holdout);
	return open;
}

void
clv_data_open_match(const ClvDataTrans *open, DateADT calibration_end, bool as_of_given,
					DateADT as_of)
{
	clv_data_match(open->calibration_end, open->as_of_given, open->as_of,
				   calibration_end, as_of_given, as_of);
}

/* ---------- other data ---------- */

static ClvDataTrans *
merge_content(ClvDataTrans *open, const ClvDataContent *more)
{
	clv_data_open_match(open, more->calibration_end, more->as_of_given, more->as_of);
	open->as_of = Max(open->as_of, more->as_of);
	clv_data_count(&open->left_out, more->left_out);
	for (uint64 i = 0; i < more->nrows; i++)
	{
		const ClvDataRow *row = &more->rows[i];

		open = count(open, row->age, row->x, row->t_x, row->customers, row->holdout);
	}
	for (uint64 i = 0; i < more->ndays; i++)
		open = count(open, ENTRY_DAY, more->days[i].day, 0, more->days[i].purchases, 0);
	return open;
}

/* Open data as a copy: whole, aligned and ours, wherever they came from. */
static ClvDataTrans *
clv_data_trans_copy(const ClvData *value)
{
	Size		len = VARSIZE_ANY_EXHDR(value);
	ClvDataTrans *open = palloc(Max(VARHDRSZ + len, OPEN_SIZE(0)));

	SET_VARSIZE(open, VARHDRSZ + len);
	memcpy(VARDATA(open), VARDATA_ANY(value), len);
	if (VARHDRSZ + len < OPEN_SIZE(0) || open->capacity < FIRST_CAPACITY ||
		VARHDRSZ + len != OPEN_SIZE(open->capacity))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("clv_data value is corrupt: wrong size of a state")));
	return open;
}

ClvDataTrans *
clv_data_open_merge(ClvDataTrans *open, const ClvData *value)
{
	const ClvDataTrans *more;

	if (!clv_data_is_trans(value))
	{
		ClvDataContent content;

		clv_data_read(clv_data_finished(unconstify(ClvData *, value)), &content);
		return merge_content(open, &content);
	}
	more = clv_data_trans_copy(value);
	clv_data_open_match(open, more->calibration_end, more->as_of_given, more->as_of);
	open->as_of = Max(open->as_of, more->as_of);
	clv_data_count(&open->left_out, more->left_out);
	for (uint32 i = 0; i < more->capacity; i++)
	{
		const Entry *entry = &more->entries[i];

		if ((i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (entry->customers > 0)
			open = count(open, entry->age, entry->x, entry->t_x, entry->customers,
						 entry->holdout);
	}
	return open;
}

ClvDataTrans *
clv_data_open_state(ClvData *value)
{
	ClvDataContent content;

	if (VARATT_IS_4B_U(value) && clv_data_is_trans(value))
		return (ClvDataTrans *) value;
	value = (ClvData *) PG_DETOAST_DATUM_PACKED(PointerGetDatum(value));
	if (clv_data_is_trans(value))
		return clv_data_trans_copy(value);
	clv_data_read(clv_data_finished(value), &content);
	return merge_content(clv_data_open_create(content.calibration_end, content.as_of_given,
											  content.as_of), &content);
}

/* ---------- the value ---------- */

static int
clv_data_trans_compare_rows(const void *a, const void *b)
{
	const ClvDataRow *ra = a;
	const ClvDataRow *rb = b;

	if (ra->age != rb->age)
		return ra->age < rb->age ? -1 : 1;
	if (ra->x != rb->x)
		return ra->x < rb->x ? -1 : 1;
	return ra->t_x < rb->t_x ? -1 : ra->t_x > rb->t_x;
}

static int
compare_days(const void *a, const void *b)
{
	const ClvDataDay *da = a;
	const ClvDataDay *db = b;

	return da->day < db->day ? -1 : da->day > db->day;
}

ClvData *
clv_data_open_finish(const ClvData *value)
{
	ClvDataTrans *open = clv_data_trans_copy(value);
	ClvDataContent content = {open->calibration_end, open->as_of_given, open->as_of,
	open->left_out, 0, NULL, 0, NULL};

	content.rows = palloc_extended(sizeof(ClvDataRow) * ((Size) open->used + 1), MCXT_ALLOC_HUGE);
	content.days = palloc_extended(sizeof(ClvDataDay) * ((Size) open->used + 1), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < open->capacity; i++)
	{
		const Entry *entry = &open->entries[i];

		if (entry->customers == 0)
			continue;
		if (entry->age == ENTRY_DAY)
		{
			ClvDataDay *day = &content.days[content.ndays++];

			day->day = entry->x;
			day->purchases = entry->customers;
		}
		else
		{
			ClvDataRow *row = &content.rows[content.nrows++];

			row->age = entry->age;
			row->x = entry->x;
			row->t_x = entry->t_x;
			row->customers = entry->customers;
			row->holdout = entry->holdout;
		}
	}
	qsort(content.rows, content.nrows, sizeof(ClvDataRow), clv_data_trans_compare_rows);
	qsort(content.days, content.ndays, sizeof(ClvDataDay), compare_days);
	return clv_data_build(&content);
}

ClvData *
clv_data_finished(ClvData *value)
{
	if (clv_data_is_trans(value))
		return clv_data_open_finish(value);
	return rollup_finished(value, clv_data_merge);
}
