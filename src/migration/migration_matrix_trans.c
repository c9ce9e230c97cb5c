/*
 * migration_matrix_trans.c
 *	  An open migration_matrix: one that still takes customers; and values that
 *	  may be one, or another aggregate's state.
 *
 * One varlena: the header, a hash table of cells, the labels in the order of
 * their first row, a hash table of their numbers, and a heap of bytes that has
 * the labels' text and the amounts that are not small.
 *
 * The promises are in migration_matrix_trans.h.
 */
#include "migration/migration_matrix_trans.h"

#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "value/label.h"
#include "value/rollup.h"

/* of one customer with two segments: a chunk of 256 bytes */
#define FIRST_CELLS		4
#define FIRST_LABELS	4
#define FIRST_HEAP		32

#define NOWHERE			0xffff	/* in place of a label's number */
#define SCALE_BIG		(-2)	/* of a cell's amount: it lies in the heap */

/* From and to; count 0: free. */
typedef struct OpenCell
{
	uint32		key;
	int32		scale;			/* of the amount, AMOUNT_NONE or SCALE_BIG */
	int64		count;
	int64		value;			/* of a big amount: where it lies in the heap */
} OpenCell;

typedef struct OpenLabel
{
	uint32		hash;
	uint32		at;				/* in the heap */
	uint32		len;
} OpenLabel;

struct MigrationTrans
{
	int32		vl_len_;		/* varlena header, of all there is room for */
	uint8		version;		/* MIGRATION_OPEN */
	bool		declared;
	uint8		unused;
	uint8		shift;			/* of a hash, to its place among the cells */
	uint32		cell_room;		/* a power of two, as the next */
	uint32		cells;
	uint32		label_room;
	uint32		labels;
	uint32		heap_room;
	uint32		heap;
	uint32		last_from;		/* numbers of the last row's labels */
	uint32		last_to;
	OpenCell	cell[FLEXIBLE_ARRAY_MEMBER];
};

#define CELLS_SIZE(n)	(sizeof(OpenCell) * (Size) (n))
#define LABELS_SIZE(n)	(sizeof(OpenLabel) * (Size) (n))
#define SLOTS(n)		((Size) (n) * 2)
#define OPEN_SIZE(cells, labels, heap) \
	(offsetof(MigrationTrans, cell) + CELLS_SIZE(cells) + LABELS_SIZE(labels) + \
	 SLOTS(labels) * sizeof(uint16) + (Size) (heap))

static inline OpenLabel *
labels_of(const MigrationTrans *open)
{
	return (OpenLabel *) ((char *) open->cell + CELLS_SIZE(open->cell_room));
}

/* Numbers of labels, plus one; 0: free. */
static inline uint16 *
matrix_trans_slots_of(const MigrationTrans *open)
{
	return (uint16 *) ((char *) labels_of(open) + LABELS_SIZE(open->label_room));
}

static inline char *
heap_of(const MigrationTrans *open)
{
	return (char *) (matrix_trans_slots_of(open) + SLOTS(open->label_room));
}

/* ---------- room ---------- */

static MigrationTrans *
matrix_trans_allocate(uint32 cell_room, uint32 label_room, uint64 heap_room)
{
	MigrationTrans *open;
	Size		size = OPEN_SIZE(cell_room, label_room, heap_room);

	if (heap_room > MaxAllocSize || size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("state of migration_matrix is too large"),
				 errhint("Aggregate in several groups, and add those up with rollup().")));
	open = palloc0(size);
	SET_VARSIZE(open, size);
	open->version = MIGRATION_OPEN;
	open->shift = 64 - pg_ceil_log2_32(cell_room);
	open->cell_room = cell_room;
	open->label_room = label_room;
	open->heap_room = (uint32) heap_room;
	return open;
}

static inline OpenCell *
matrix_trans_find_cell(MigrationTrans *open, uint32 key)
{
	uint32		place = (uint32) ((key * UINT64CONST(0x9e3779b97f4a7c15)) >> open->shift);

	for (;; place = (place + 1) & (open->cell_room - 1))
	{
		OpenCell   *cell = &open->cell[place];

		if (cell->count == 0 || cell->key == key)
			return cell;
	}
}

static void
matrix_trans_put_slot(MigrationTrans *open, uint32 number)
{
	uint16	   *slots = matrix_trans_slots_of(open);
	uint32		mask = SLOTS(open->label_room) - 1;
	uint32		place = labels_of(open)[number].hash & mask;

	while (slots[place] != 0)
		place = (place + 1) & mask;
	slots[place] = (uint16) (number + 1);
}

/* Bytes at the end of the heap, for which there is room. */
static uint32
put_heap(MigrationTrans *open, const void *data, uint32 len)
{
	uint32		at = INTALIGN(open->heap);

	memcpy(heap_of(open) + at, data, len);
	open->heap = at + len;
	return at;
}

static Numeric
big_of(const MigrationTrans *open, const OpenCell *cell)
{
	return (Numeric) (heap_of(open) + cell->value);
}

/* The same with other room; amounts that were replaced are left behind. */
static pg_noinline MigrationTrans *
resize(const MigrationTrans *open, uint32 cell_room, uint32 label_room, uint64 heap_room)
{
	MigrationTrans *other = matrix_trans_allocate(cell_room, label_room, heap_room);

	other->declared = open->declared;
	other->cells = open->cells;
	other->labels = open->labels;
	other->last_from = open->last_from;
	other->last_to = open->last_to;
	for (uint32 i = 0; i < open->labels; i++)
	{
		OpenLabel  *label = &labels_of(other)[i];

		*label = labels_of(open)[i];
		label->at = put_heap(other, heap_of(open) + label->at, label->len);
		matrix_trans_put_slot(other, i);
	}
	for (uint32 i = 0; i < open->cell_room; i++)
	{
		const OpenCell *cell = &open->cell[i];
		OpenCell   *to;

		if (cell->count == 0)
			continue;
		to = matrix_trans_find_cell(other, cell->key);
		*to = *cell;
		if (cell->scale == SCALE_BIG)
			to->value = put_heap(other, big_of(open, cell), VARSIZE(big_of(open, cell)));
	}
	return other;
}

/* Bytes of the heap that are still needed. */
static uint64
live_heap(const MigrationTrans *open)
{
	uint64		live = 0;

	for (uint32 i = 0; i < open->labels; i++)
		live += INTALIGN(labels_of(open)[i].len);
	for (uint32 i = 0; i < open->cell_room; i++)
		if (open->cell[i].count > 0 && open->cell[i].scale == SCALE_BIG)
			live += INTALIGN(VARSIZE(big_of(open, &open->cell[i])));
	return live;
}

/* Room for so many bytes more in the heap, and for as many to be left behind. */
static MigrationTrans *
reserve_heap(MigrationTrans *open, Size more)
{
	if (likely(INTALIGN(open->heap) + more <= open->heap_room))
		return open;
	return resize(open, open->cell_room, open->label_room,
				  Max(INTALIGN((live_heap(open) + more) * 2), open->heap_room));
}

/* ---------- labels ---------- */

/* A label's number; open->labels if it has none. */
static inline uint32
find_label(const MigrationTrans *open, const char *text, uint32 len, uint32 guess)
{
	const OpenLabel *labels = labels_of(open);
	const char *heap = heap_of(open);
	const uint16 *slots;
	uint32		hash;
	uint32		mask;

	if (guess < open->labels && labels[guess].len == len &&
		label_bytes_equal(heap + labels[guess].at, text, len))
		return guess;
	if (unlikely(len == 0))
		return open->labels;
	hash = label_bytes_hash(text, len);
	slots = matrix_trans_slots_of(open);
	mask = SLOTS(open->label_room) - 1;
	for (uint32 place = hash & mask; slots[place] != 0; place = (place + 1) & mask)
	{
		uint32		number = slots[place] - 1;

		if (labels[number].hash == hash && labels[number].len == len &&
			label_bytes_equal(heap + labels[number].at, text, len))
			return number;
	}
	return open->labels;
}

/* A label that has no number yet gets the next one. */
static pg_noinline MigrationTrans *
matrix_trans_add_label(MigrationTrans *open, const char *text, uint32 len)
{
	OpenLabel  *label;

	if (open->labels >= MIGRATION_STATES_MAX)
		migration_states_error();
	if (open->labels == open->label_room)
		open = resize(open, open->cell_room, open->label_room * 2, open->heap_room);
	open = reserve_heap(open, len);
	label = &labels_of(open)[open->labels];
	label->hash = label_bytes_hash(text, len);
	label->len = len;
	label->at = put_heap(open, text, len);
	matrix_trans_put_slot(open, open->labels++);
	return open;
}

/* The same for a label of a row, which may be a wrong one. */
static pg_noinline MigrationTrans *
new_label(MigrationTrans *open, const char *text, uint32 len)
{
	migration_label_check(text, len);
	if (open->declared)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("segment \"%s\" is not in the list of states",
						migration_label_quote(text, len)),
				 errhint("Add it to the list, or leave the list out.")));
	return matrix_trans_add_label(open, text, len);
}

MigrationTrans *
migration_open_create(void)
{
	return matrix_trans_allocate(FIRST_CELLS, FIRST_LABELS, FIRST_HEAP);
}

MigrationTrans *
migration_open_declare(char **labels, int32 n)
{
	MigrationTrans *open;
	uint64		bytes = FIRST_HEAP;

	for (int32 i = 0; i < n; i++)
		bytes += INTALIGN(strlen(labels[i]));
	open = matrix_trans_allocate(FIRST_CELLS, pg_nextpower2_32(Max(n, FIRST_LABELS)), INTALIGN(bytes));
	for (int32 i = 0; i < n; i++)
		open = matrix_trans_add_label(open, labels[i], strlen(labels[i]));
	open->declared = true;
	return open;
}

bool
migration_open_declares(const MigrationTrans *open, const ArrayType *states)
{
	const char *at = ARR_DATA_PTR(states);
	int			n = ArrayGetNItems(ARR_NDIM(states), ARR_DIMS(states));

	if (!open->declared || n != open->labels || ARR_HASNULL(states))
		return false;
	for (int i = 0; i < n; i++)
	{
		const OpenLabel *label = &labels_of(open)[i];
		uint32		len;

		at = (const char *) att_align_pointer(at, TYPALIGN_INT, -1, at);
		len = VARSIZE_ANY_EXHDR(at);
		if (len != label->len ||
			memcmp(VARDATA_ANY(at), heap_of(open) + label->at, len) != 0)
			return false;
		at += VARSIZE_ANY(at);
	}
	return true;
}

/* ---------- customers ---------- */

static Amount
cell_amount(const MigrationTrans *open, const OpenCell *cell)
{
	Amount		amount = amount_none();

	if (cell->scale == SCALE_BIG)
	{
		amount.scale = 0;
		amount.big = big_of(open, cell);
	}
	else if (cell->scale != AMOUNT_NONE)
	{
		amount.scale = cell->scale;
		amount.value = cell->value;
	}
	return amount;
}

static pg_noinline MigrationTrans *
add_amount_slow(MigrationTrans *open, uint32 key, const Amount *amount)
{
	OpenCell   *cell = matrix_trans_find_cell(open, key);
	Amount		had = cell_amount(open, cell);
	Amount		sum = amount_add(&had, amount);

	if (sum.big != NULL)
	{
		Numeric		big = (Numeric) PG_DETOAST_DATUM(NumericGetDatum(sum.big));

		/* the heap may move */
		if (big == had.big)
			return open;
		open = reserve_heap(open, VARSIZE(big));
		cell = matrix_trans_find_cell(open, key);
		cell->scale = SCALE_BIG;
		cell->value = put_heap(open, big, VARSIZE(big));
		return open;
	}
	cell->scale = sum.scale;
	cell->value = sum.value;
	return open;
}

static inline MigrationTrans *
matrix_trans_add_amount(MigrationTrans *open, OpenCell *cell, const Amount *amount)
{
	if (likely(cell->scale == amount->scale && amount->big == NULL))
	{
		int64		sum = cell->value + amount->value;

		if (likely(sum < AMOUNT_VALUE_MAX && sum > -AMOUNT_VALUE_MAX))
		{
			cell->value = sum;
			return open;
		}
	}
	return add_amount_slow(open, cell->key, amount);
}

/* Customers of a cell, by the numbers of its labels. */
static inline MigrationTrans *
matrix_trans_count_cell(MigrationTrans *open, uint32 key, int64 customers, const Amount *amount)
{
	OpenCell   *cell = matrix_trans_find_cell(open, key);

	if (unlikely(cell->count == 0))
	{
		if (open->cells >= open->cell_room / 4 * 3)
		{
			open = resize(open, open->cell_room * 2, open->label_room, open->heap_room);
			cell = matrix_trans_find_cell(open, key);
		}
		open->cells++;
		cell->key = key;
		cell->scale = AMOUNT_NONE;
	}
	if (unlikely(pg_add_s64_overflow(cell->count, customers, &cell->count)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("too many customers in a migration_matrix")));
	if (amount->scale != AMOUNT_NONE)
		open = matrix_trans_add_amount(open, cell, amount);
	return open;
}

MigrationTrans *
migration_open_add(MigrationTrans *open, const MigrationMove *move)
{
	uint32		from = NOWHERE;
	uint32		to = NOWHERE;

	if (move->from != NULL)
	{
		from = find_label(open, move->from, move->from_len, open->last_from);
		if (unlikely(from == open->labels))
			open = new_label(open, move->from, move->from_len);
		open->last_from = from;
	}
	if (move->to != NULL)
	{
		to = find_label(open, move->to, move->to_len, open->last_to);
		if (unlikely(to == open->labels))
			open = new_label(open, move->to, move->to_len);
		open->last_to = to;
	}
	if (unlikely(from == NOWHERE && to == NOWHERE))
		return open;
	return matrix_trans_count_cell(open, from << 16 | to, move->customers, &move->value);
}

/* ---------- other matrices ---------- */

/* Open bytes as a copy: whole, aligned and ours, wherever they came from. */
static MigrationTrans *
matrix_trans_copy(const MigrationValue *value)
{
	Size		len = VARSIZE_ANY_EXHDR(value);
	MigrationTrans *open = palloc(Max(VARHDRSZ + len, OPEN_SIZE(0, 0, 0)));

	SET_VARSIZE(open, VARHDRSZ + len);
	memcpy(VARDATA(open), VARDATA_ANY(value), len);
	/* what only this file writes: a mistake elsewhere must not be followed */
	if (VARHDRSZ + len < OPEN_SIZE(FIRST_CELLS, FIRST_LABELS, 0) ||
		open->version != MIGRATION_OPEN ||
		OPEN_SIZE(open->cell_room, open->label_room, open->heap_room) != VARHDRSZ + len ||
		open->shift != 64 - pg_ceil_log2_32(open->cell_room) ||
		open->cells >= open->cell_room || open->labels > open->label_room ||
		open->heap > open->heap_room)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("migration_matrix value is corrupt: wrong state")));
	return open;
}

static void
lists_differ(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("list of states must be the same in all rows")));
}

static MigrationTrans *
merge_trans(MigrationTrans *open, const MigrationTrans *more)
{
	uint32	   *map = palloc(sizeof(uint32) * (more->labels + 1));

	if (open->declared != more->declared ||
		(open->declared && open->labels != more->labels))
		lists_differ();
	for (uint32 i = 0; i < more->labels; i++)
	{
		const OpenLabel *label = &labels_of(more)[i];
		const char *text = heap_of(more) + label->at;

		map[i] = find_label(open, text, label->len, i);
		if (open->declared && map[i] != i)
			lists_differ();
		if (map[i] == open->labels)
			open = matrix_trans_add_label(open, text, label->len);
	}
	for (uint32 i = 0; i < more->cell_room; i++)
	{
		const OpenCell *cell = &more->cell[i];
		uint32		from = cell->key >> 16;
		uint32		to = cell->key & 0xffff;
		Amount		amount;

		if (cell->count == 0)
			continue;
		CHECK_FOR_INTERRUPTS();
		amount = cell_amount(more, cell);
		from = from == NOWHERE ? NOWHERE : map[from];
		to = to == NOWHERE ? NOWHERE : map[to];
		open = matrix_trans_count_cell(open, from << 16 | to, cell->count, &amount);
	}
	pfree(map);
	return open;
}

/* A finished matrix opened again; only what this aggregate can have made. */
static MigrationTrans *
reopen(const MigrationMatrix *matrix)
{
	MigrationTrans *open;

	if (matrix->given || matrix->panel)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a migration_matrix of %s cannot be continued by migration_matrix()",
						matrix->given ? "given probabilities" : "a panel"),
				 errhint("Add matrices with + or rollup().")));
	open = migration_open_declare(matrix->labels, matrix->states);
	open->declared = matrix->declared;
	for (int64 i = 0; i < matrix->cells_n; i++)
	{
		const MigrationCell *cell = &matrix->cells[i];
		uint32		from = cell->from == matrix->states ? NOWHERE : cell->from;
		uint32		to = cell->to == matrix->states ? NOWHERE : cell->to;

		open = matrix_trans_count_cell(open, from << 16 | to, cell->count, &cell->value);
	}
	return open;
}

MigrationTrans *
migration_open_merge(MigrationTrans *open, const MigrationValue *more)
{
	MigrationMatrix matrix;

	if (migration_is_trans(more))
		return merge_trans(open, matrix_trans_copy(more));
	migration_unpack(more, &matrix);
	/* what no rows make */
	if (matrix.states == 0 && !matrix.declared && !matrix.panel)
		return open;
	return merge_trans(open, reopen(&matrix));
}

MigrationTrans *
migration_open_state(MigrationValue *value)
{
	MigrationMatrix matrix;

	if (VARATT_IS_4B_U(value) && migration_is_trans(value))
		return (MigrationTrans *) value;
	value = (MigrationValue *) PG_DETOAST_DATUM_PACKED(PointerGetDatum(value));
	if (migration_is_trans(value))
		return matrix_trans_copy(value);
	migration_unpack(value, &matrix);
	return reopen(&matrix);
}

/* ---------- values, of states too ---------- */

MigrationValue *
migration_open_finish(const MigrationValue *value)
{
	const MigrationTrans *open = matrix_trans_copy(value);
	MigrationMatrix matrix;

	memset(&matrix, 0, sizeof(matrix));
	matrix.declared = open->declared;
	matrix.states = (int32) open->labels;
	matrix.labels = palloc(sizeof(char *) * (open->labels + 1));
	for (uint32 i = 0; i < open->labels; i++)
		matrix.labels[i] = pnstrdup(heap_of(open) + labels_of(open)[i].at, labels_of(open)[i].len);
	matrix.cells = palloc_extended(sizeof(MigrationCell) * ((Size) open->cells + 1), MCXT_ALLOC_HUGE);
	for (uint32 i = 0; i < open->cell_room; i++)
	{
		const OpenCell *from = &open->cell[i];
		MigrationCell *cell = &matrix.cells[matrix.cells_n];

		if (from->count == 0)
			continue;
		cell->from = Min(from->key >> 16, open->labels);
		cell->to = Min(from->key & 0xffff, open->labels);
		cell->count = from->count;
		cell->value = cell_amount(open, from);
		matrix.cells_n++;
	}
	return migration_pack(&matrix);
}

struct varlena *
migration_finished(struct varlena *value)
{
	if (migration_is_trans(value))
		return migration_open_finish(value);
	return rollup_finished(value, migration_add_values);
}

void
migration_unpack(const MigrationValue *value, MigrationMatrix *matrix)
{
	migration_read(migration_finished(unconstify(MigrationValue *, value)), matrix);
}

struct varlena *
migration_add_values(const struct varlena *a, const struct varlena *b)
{
	MigrationMatrix x;
	MigrationMatrix y;

	migration_unpack(a, &x);
	migration_unpack(b, &y);
	return migration_pack(migration_add(&x, &y));
}
