/*
 * clv_data_trans.c
 *	  clv_data while customers are added.
 *
 * One hash table in one varlena (flat_hash.h), of rows and of days.
 *
 * Promises: the value does not depend on the order of customers nor on how they
 * were split.
 * Never: holds a pointer, or what one customer did.
 */
#include "clv/clv_data.h"

#include "miscadmin.h"
#include "utils/date.h"
#include "utils/memutils.h"
#include "value/flat_hash.h"

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
	uint8		tag;			/* VALUE_STATE_OPEN */
	uint8		flags;			/* 0 */
	bool		as_of_given;
	uint8		unused;
	DateADT		calibration_end;
	DateADT		as_of;			/* or the latest day so far */
	int64		left_out;
	int64		customers;		/* of all rows, and those left out */
	int64		purchases;		/* of all days */
	FlatHash	hash;			/* of entries */
	uint32		unused2;
	Entry		entries[FLEXIBLE_ARRAY_MEMBER];
};

typedef struct EntryKey
{
	int32		age;
	int32		x;
	int32		t_x;
} EntryKey;

static inline uint64
entry_hash(EntryKey key)
{
	uint64		hash = ((uint64) (uint32) key.age << 32 | (uint32) key.t_x) *
	UINT64CONST(0x9e3779b97f4a7c15);

	return (hash ^ (hash >> 32) ^ (uint32) key.x) * UINT64CONST(0xd6e8feb86659fd93);
}

static inline EntryKey
entry_key(const Entry *entry)
{
	EntryKey	key = {entry->age, entry->x, entry->t_x};

	return key;
}

#define FLAT_PREFIX			entries
#define FLAT_ENTRY			Entry
#define FLAT_KEY			EntryKey
#define FLAT_HASH(key)		entry_hash(key)
#define FLAT_KEY_OF(entry)	entry_key(entry)
#define FLAT_IS(entry, key)	\
	((entry)->age == (key).age && (entry)->x == (key).x && (entry)->t_x == (key).t_x)
#define FLAT_IS_FREE(entry)	((entry)->customers == 0)
#include "value/flat_hash.h"

#define OPEN_SIZE(capacity)	(offsetof(ClvDataTrans, entries) + sizeof(Entry) * (Size) (capacity))

/* ---------- the table ---------- */

static ClvDataTrans *
clv_data_trans_create(DateADT calibration_end, bool as_of_given, DateADT as_of, uint64 capacity)
{
	ClvDataTrans *open;

	if (OPEN_SIZE(capacity) > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many different customers for a clv_data"),
				 errhint("Make several of groups of customers, and add them up with rollup().")));
	open = palloc0(OPEN_SIZE(capacity));
	SET_VARSIZE(open, OPEN_SIZE(capacity));
	open->tag = VALUE_STATE_OPEN;
	open->as_of_given = as_of_given;
	open->calibration_end = calibration_end;
	open->as_of = as_of;
	flat_hash_init(&open->hash, (uint32) capacity);
	return open;
}

ClvDataTrans *
clv_data_open_create(DateADT calibration_end, bool as_of_given, DateADT as_of)
{
	return clv_data_trans_create(calibration_end, as_of_given, as_of_given ? as_of : calibration_end,
								 FIRST_CAPACITY);
}

static pg_noinline ClvDataTrans *
clv_data_trans_enlarge(ClvDataTrans *open)
{
	ClvDataTrans *larger = clv_data_trans_create(open->calibration_end, open->as_of_given,
												 open->as_of, flat_hash_grown(&open->hash, 1));

	larger->left_out = open->left_out;
	larger->customers = open->customers;
	larger->purchases = open->purchases;
	entries_rehash(&larger->hash, larger->entries, &open->hash, open->entries);
	return larger;
}

/* Adds to an entry, which is made if there is none. */
static inline ClvDataTrans *
count(ClvDataTrans *open, int32 age, int32 x, int32 t_x, int64 customers, int64 holdout)
{
	EntryKey	key = {age, x, t_x};
	Entry	   *entry = entries_find(&open->hash, open->entries, key);

	if (entry->customers == 0)
	{
		if (unlikely(!flat_hash_has_room(&open->hash, 1)))
		{
			open = clv_data_trans_enlarge(open);
			entry = entries_find(&open->hash, open->entries, key);
		}
		open->hash.used++;
		entry->age = age;
		entry->x = x;
		entry->t_x = t_x;
	}
	/* the sums of all are larger than any of them */
	clv_data_count(age == ENTRY_DAY ? &open->purchases : &open->customers, customers);
	entry->customers += customers;
	clv_data_count(&entry->holdout, holdout);
	return open;
}

static inline void
count_left_out(ClvDataTrans *open, int64 customers)
{
	clv_data_count(&open->customers, customers);
	open->left_out += customers;
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
		count_left_out(open, 1);
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
	count_left_out(open, more->left_out);
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
	if (VARHDRSZ + len < OPEN_SIZE(FIRST_CAPACITY) || open->tag != VALUE_STATE_OPEN ||
		VARHDRSZ + len != OPEN_SIZE(open->hash.capacity) ||
		!entries_is_sound(&open->hash, open->entries, VARHDRSZ + len))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("clv_data value is corrupt: wrong state")));
	return open;
}

ClvDataTrans *
clv_data_open_merge(ClvDataTrans *open, const ClvData *value)
{
	ClvDataTrans *more;
	const Entry *entry;

	if (!value_is_open(value))
	{
		ClvDataContent content;

		clv_data_read(value, &content);
		return merge_content(open, &content);
	}
	more = clv_data_trans_copy(value);
	clv_data_open_match(open, more->calibration_end, more->as_of_given, more->as_of);
	open->as_of = Max(open->as_of, more->as_of);
	count_left_out(open, more->left_out);
	for (uint32 i = 0; (entry = entries_next(&more->hash, more->entries, &i)) != NULL;)
		open = count(open, entry->age, entry->x, entry->t_x, entry->customers, entry->holdout);
	return open;
}

ClvDataTrans *
clv_data_open_state(ClvData *value)
{
	ClvDataContent content;

	if (VARATT_IS_4B_U(value) && value_is_open(value))
		return (ClvDataTrans *) value;
	value = (ClvData *) PG_DETOAST_DATUM_PACKED(PointerGetDatum(value));
	if (value_is_open(value))
		return clv_data_trans_copy(value);
	clv_data_read(value, &content);
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
	const Entry *entry;

	content.rows = palloc_extended(sizeof(ClvDataRow) * ((Size) open->hash.used + 1), MCXT_ALLOC_HUGE);
	content.days = palloc_extended(sizeof(ClvDataDay) * ((Size) open->hash.used + 1), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; (entry = entries_next(&open->hash, open->entries, &i)) != NULL;)
	{
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
