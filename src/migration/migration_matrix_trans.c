/*
 * migration_matrix_trans.c
 *	  An open migration_matrix: one that still takes customers.
 *
 * One varlena: the header, a hash table of cells (flat_hash.h), the labels in the
 * order of their first row (label_set.h), and a heap of bytes that has the
 * amounts that are not small.
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
#include "value/flat_hash.h"
#include "value/label_set.h"

/* of one customer with two segments: a chunk of 256 bytes */
#define FIRST_CELLS		4
#define FIRST_LABELS	4
#define FIRST_BYTES		40

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

struct MigrationTrans
{
	int32		vl_len_;		/* varlena header, of all there is room for */
	uint8		tag;			/* VALUE_STATE_OPEN */
	uint8		flags;			/* MIGRATION_OPEN_... */
	uint8		unused[2];
	FlatHash	hash;			/* of cells */
	uint32		heap_room;
	uint32		heap;
	uint32		last_from;		/* numbers of the last row's labels */
	uint32		last_to;
	uint32		unused2;
	int64		customers;		/* in all */
	OpenCell	cell[FLEXIBLE_ARRAY_MEMBER];
};

#define FLAT_PREFIX			cells
#define FLAT_ENTRY			OpenCell
#define FLAT_KEY			uint32
#define FLAT_HASH(key)		((key) * UINT64CONST(0x9e3779b97f4a7c15))
#define FLAT_KEY_OF(cell)	((cell)->key)
#define FLAT_IS(cell, k)	((cell)->key == (k))
#define FLAT_IS_FREE(cell)	((cell)->count == 0)
#include "value/flat_hash.h"

#define CELLS_SIZE(n)	(sizeof(OpenCell) * (Size) (n))

static inline Size
open_size(uint64 cells, uint32 labels, uint32 label_bytes, uint64 heap)
{
	return offsetof(MigrationTrans, cell) + CELLS_SIZE(cells) +
		INTALIGN(label_set_size(labels, label_bytes)) + (Size) heap;
}

static inline LabelSet *
labels_of(const MigrationTrans *open)
{
	return (LabelSet *) ((char *) open->cell + CELLS_SIZE(open->hash.capacity));
}

static inline char *
heap_of(const MigrationTrans *open)
{
	const LabelSet *labels = labels_of(open);

	return (char *) labels + INTALIGN(label_set_size(labels->room, labels->bytes_room));
}

/* ---------- room ---------- */

/* How much there is of everything. */
typedef struct Room
{
	uint64		cells;
	uint32		labels;
	uint32		label_bytes;
	uint64		heap;
} Room;

static Room
room_of(const MigrationTrans *open)
{
	const LabelSet *labels = labels_of(open);
	Room		room = {open->hash.capacity, labels->room, labels->bytes_room, open->heap_room};

	return room;
}

static MigrationTrans *
matrix_trans_allocate(const Room *room, uint8 flags)
{
	MigrationTrans *open;
	Size		size = open_size(room->cells, room->labels, room->label_bytes, room->heap);

	if (room->heap > MaxAllocSize || size > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("state of migration_matrix is too large"),
				 errhint("Aggregate in several groups, and add those up with rollup().")));
	open = palloc0(size);
	SET_VARSIZE(open, size);
	open->tag = VALUE_STATE_OPEN;
	open->flags = flags;
	flat_hash_init(&open->hash, (uint32) room->cells);
	open->heap_room = (uint32) room->heap;
	label_set_init(labels_of(open), room->labels, room->label_bytes);
	return open;
}

static inline OpenCell *
matrix_trans_find_cell(MigrationTrans *open, uint32 key)
{
	return cells_find(&open->hash, open->cell, key);
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
resize(MigrationTrans *open, const Room *room)
{
	MigrationTrans *other = matrix_trans_allocate(room, open->flags);
	OpenCell   *cell;

	other->last_from = open->last_from;
	other->last_to = open->last_to;
	other->customers = open->customers;
	label_set_copy(labels_of(other), labels_of(open));
	cells_rehash(&other->hash, other->cell, &open->hash, open->cell);
	for (uint32 i = 0; open->heap > 0 && (cell = cells_next(&other->hash, other->cell, &i)) != NULL;)
		if (cell->scale == SCALE_BIG)
			cell->value = put_heap(other, big_of(open, cell), VARSIZE(big_of(open, cell)));
	return other;
}

/* Bytes of the heap that are still needed. */
static uint64
live_heap(MigrationTrans *open)
{
	uint64		live = 0;
	OpenCell   *cell;

	for (uint32 i = 0; open->heap > 0 && (cell = cells_next(&open->hash, open->cell, &i)) != NULL;)
		if (cell->scale == SCALE_BIG)
			live += INTALIGN(VARSIZE(big_of(open, cell)));
	return live;
}

/* Room for so many bytes more in the heap, and for as many to be left behind. */
static MigrationTrans *
reserve_heap(MigrationTrans *open, Size more)
{
	Room		room;

	if (likely(INTALIGN(open->heap) + more <= open->heap_room))
		return open;
	room = room_of(open);
	room.heap = Max(INTALIGN((live_heap(open) + more) * 2), open->heap_room);
	return resize(open, &room);
}

/* ---------- labels ---------- */

/* A label's number; LABEL_NONE if it has none. */
static inline uint32
find_label(const MigrationTrans *open, const char *text, uint32 len, uint32 guess)
{
	const LabelSet *labels = labels_of(open);

	if (guess < labels->n && label_set_is(labels, guess, text, len))
		return guess;
	return label_set_find(labels, text, len);
}

/* A label that has no number yet gets the next one. */
static pg_noinline MigrationTrans *
matrix_trans_add_label(MigrationTrans *open, const char *text, uint32 len, uint32 *number)
{
	LabelSet   *labels = labels_of(open);

	if (labels->n >= MIGRATION_STATES_MAX)
		migration_states_error();
	if (!label_set_has_room(labels, len))
	{
		Room		room = room_of(open);

		label_set_grown(labels, len, &room.labels, &room.label_bytes);
		open = resize(open, &room);
		labels = labels_of(open);
	}
	*number = labels->n;
	label_set_put(labels, text, len);
	return open;
}

/* A label of a declared list that is written otherwise there. */
static uint32
find_folded(const MigrationTrans *open, const char *text, uint32 len)
{
	const LabelSet *labels = labels_of(open);
	uint32		number = LABEL_NONE;
	char	   *folded;

	if ((open->flags & MIGRATION_OPEN_FOLDS) == 0)
		return LABEL_NONE;
	folded = migration_label_fold(text, (int) len);
	for (uint32 i = 0; i < labels->n && number == LABEL_NONE; i++)
	{
		char	   *other = migration_label_fold(label_set_text(labels, i), label_set_len(labels, i));

		if (strcmp(folded, other) == 0)
			number = i;
		pfree(other);
	}
	pfree(folded);
	return number;
}

/* The same for a label of a row, which may be a wrong one. */
static pg_noinline MigrationTrans *
new_label(MigrationTrans *open, const char *text, uint32 len, uint32 *number)
{
	migration_label_check(text, len);
	if (labels_of(open)->declared)
	{
		*number = find_folded(open, text, len);
		if (*number == LABEL_NONE)
			migration_undeclared_error(text, len);
		return open;
	}
	return matrix_trans_add_label(open, text, len, number);
}

MigrationTrans *
migration_open_create(uint8 flags)
{
	static const Room first = {FIRST_CELLS, FIRST_LABELS, FIRST_BYTES, 0};

	return matrix_trans_allocate(&first, flags);
}

MigrationTrans *
migration_open_declare(char **labels, int32 n, uint8 flags)
{
	Room		room = {FIRST_CELLS, pg_nextpower2_32(Max(n, FIRST_LABELS)), FIRST_BYTES, 0};
	MigrationTrans *open;

	for (int32 i = 0; i < n; i++)
		room.label_bytes += strlen(labels[i]) + 1;
	open = matrix_trans_allocate(&room, flags);
	for (int32 i = 0; i < n; i++)
		label_set_put(labels_of(open), labels[i], strlen(labels[i]));
	labels_of(open)->declared = true;
	return open;
}

bool
migration_open_declares(const MigrationTrans *open, const ArrayType *states)
{
	const LabelSet *labels = labels_of(open);
	const char *at = ARR_DATA_PTR(states);
	int			n = ArrayGetNItems(ARR_NDIM(states), ARR_DIMS(states));

	if (!labels->declared || n != labels->n || ARR_HASNULL(states))
		return false;
	for (int i = 0; i < n; i++)
	{
		uint32		len;

		at = (const char *) att_align_pointer(at, TYPALIGN_INT, -1, at);
		len = VARSIZE_ANY_EXHDR(at);
		if (len == 0 || !label_set_is(labels, i, VARDATA_ANY(at), len))
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

static pg_noinline void
too_many_customers(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("too many customers in a migration_matrix")));
}

/* Customers of a cell, by the numbers of its labels. */
static inline MigrationTrans *
matrix_trans_count_cell(MigrationTrans *open, uint32 key, int64 customers, const Amount *amount)
{
	OpenCell   *cell = matrix_trans_find_cell(open, key);

	if (unlikely(cell->count == 0))
	{
		if (!flat_hash_has_room(&open->hash, 1))
		{
			Room		room = room_of(open);

			room.cells = flat_hash_grown(&open->hash, 1);
			open = resize(open, &room);
			cell = matrix_trans_find_cell(open, key);
		}
		open->hash.used++;
		cell->key = key;
		cell->scale = AMOUNT_NONE;
	}
	/* the sum of all cells is larger than any of them */
	if (unlikely(pg_add_s64_overflow(open->customers, customers, &open->customers)))
		too_many_customers();
	cell->count += customers;
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
		if (unlikely(from == LABEL_NONE))
			open = new_label(open, move->from, move->from_len, &from);
		open->last_from = from;
	}
	if (move->to != NULL)
	{
		to = find_label(open, move->to, move->to_len, open->last_to);
		if (unlikely(to == LABEL_NONE))
			open = new_label(open, move->to, move->to_len, &to);
		open->last_to = to;
	}
	if (unlikely(from == NOWHERE && to == NOWHERE))
		return open;
	return matrix_trans_count_cell(open, from << 16 | to, move->customers, &move->value);
}

/* ---------- other matrices ---------- */

/* Is it what only this file writes?  A mistake elsewhere must not be followed. */
static bool
is_sound(MigrationTrans *open, Size size)
{
	Size		labels_at;
	OpenCell   *cell;

	if (size < open_size(FIRST_CELLS, FIRST_LABELS, 0, 0) || open->tag != VALUE_STATE_OPEN ||
		(open->flags & MIGRATION_OPEN_APART) != 0 ||
		!cells_is_sound(&open->hash, open->cell, size - offsetof(MigrationTrans, cell)))
		return false;
	labels_at = offsetof(MigrationTrans, cell) + CELLS_SIZE(open->hash.capacity);
	if (size - labels_at < offsetof(LabelSet, label) || open->heap > open->heap_room ||
		open->heap_room > size - labels_at ||
		INTALIGN(label_set_size(labels_of(open)->room, labels_of(open)->bytes_room)) !=
		size - labels_at - open->heap_room ||
		!label_set_sound(labels_of(open), label_set_size(labels_of(open)->room,
														 labels_of(open)->bytes_room)))
		return false;
	for (uint32 i = 0; (cell = cells_next(&open->hash, open->cell, &i)) != NULL;)
	{
		uint32		from = cell->key >> 16;
		uint32		to = cell->key & 0xffff;

		if ((from != NOWHERE && from >= labels_of(open)->n) ||
			(to != NOWHERE && to >= labels_of(open)->n) || (from == NOWHERE && to == NOWHERE))
			return false;
		if (cell->scale == SCALE_BIG &&
			(cell->value < 0 || cell->value != INTALIGN(cell->value) ||
			 cell->value + VARHDRSZ > open->heap || !VARATT_IS_4B_U(big_of(open, cell)) ||
			 VARSIZE(big_of(open, cell)) > open->heap - cell->value))
			return false;
	}
	return true;
}

/* Open bytes as a copy: whole, aligned and ours, wherever they came from. */
static MigrationTrans *
matrix_trans_copy(const MigrationValue *value)
{
	Size		len = VARSIZE_ANY_EXHDR(value);
	MigrationTrans *open = palloc(Max(VARHDRSZ + len, offsetof(MigrationTrans, cell)));

	SET_VARSIZE(open, VARHDRSZ + len);
	memcpy(VARDATA(open), VARDATA_ANY(value), len);
	if (!is_sound(open, VARHDRSZ + len))
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

/* May a matrix take the customers of another one, of another list of states? */
static bool
list_takes(const MigrationTrans *open, const MigrationTrans *more)
{
	const LabelSet *labels = labels_of(more);

	if (!labels->declared)
		return true;
	if ((open->flags & more->flags & MIGRATION_OPEN_LISTED) != 0)
		return label_set_same(labels_of(open), labels);
	return migration_set_within(labels, labels_of(open));
}

static MigrationTrans *
merge_trans(MigrationTrans *open, MigrationTrans *more)
{
	const LabelSet *labels;
	uint32	   *map;
	const OpenCell *cell;

	if (labels_of(open)->declared != labels_of(more)->declared)
		lists_differ();
	if (!list_takes(open, more))
	{
		MigrationTrans *swap = open;

		if (!list_takes(more, open))
			lists_differ();
		open = more;
		more = swap;
	}
	labels = labels_of(more);
	map = palloc(sizeof(uint32) * (labels->n + 1));
	open->flags |= more->flags & MIGRATION_OPEN_FOLDS;
	for (uint32 i = 0; i < labels->n; i++)
	{
		const char *text = label_set_text(labels, i);
		uint32		len = label_set_len(labels, i);

		map[i] = find_label(open, text, len, i);
		if (map[i] == LABEL_NONE)
			open = matrix_trans_add_label(open, text, len, &map[i]);
	}
	for (uint32 i = 0; (cell = cells_next(&more->hash, more->cell, &i)) != NULL;)
	{
		uint32		from = cell->key >> 16;
		uint32		to = cell->key & 0xffff;
		Amount		amount = cell_amount(more, cell);

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
	open = migration_open_declare(matrix->labels, matrix->states, 0);
	labels_of(open)->declared = matrix->declared;
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

	if (value_is_open(more))
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

	if (VARATT_IS_4B_U(value) && value_is_open(value))
		return (MigrationTrans *) value;
	value = (MigrationValue *) PG_DETOAST_DATUM_PACKED(PointerGetDatum(value));
	if (value_is_open(value))
		return matrix_trans_copy(value);
	migration_unpack(value, &matrix);
	return reopen(&matrix);
}

/* ---------- finishing ---------- */

/* The states, equal labels being one; their numbers by those of labels. */
static int32 *
set_labels(MigrationMatrix *matrix, const MigrationTrans *open)
{
	const LabelSet *labels = labels_of(open);
	char	  **all = palloc(sizeof(char *) * (labels->n + 1));
	int32	   *same = palloc(sizeof(int32) * (labels->n + 1));
	int32	   *map = palloc(sizeof(int32) * (labels->n + 1));

	for (uint32 i = 0; i < labels->n; i++)
	{
		all[i] = unconstify(char *, label_set_text(labels, i));
		same[i] = (int32) i;
	}
	matrix->declared = labels->declared;
	matrix->labels = all;
	if (!labels->declared && (open->flags & MIGRATION_OPEN_FOLDS) != 0)
	{
		migration_labels_fold(all, (int32) labels->n, same);
		matrix->labels = palloc(sizeof(char *) * (labels->n + 1));
	}
	for (uint32 i = 0; i < labels->n; i++)
		if (same[i] == (int32) i)
		{
			map[i] = matrix->states;
			matrix->labels[matrix->states++] = all[i];
		}
	for (uint32 i = 0; i < labels->n; i++)
		map[i] = map[same[i]];
	map[labels->n] = matrix->states;
	return map;
}

MigrationValue *
migration_open_finish(const MigrationValue *value)
{
	MigrationTrans *open = matrix_trans_copy(value);
	const LabelSet *labels = labels_of(open);
	MigrationMatrix matrix;
	int32	   *map;
	const OpenCell *from;

	memset(&matrix, 0, sizeof(matrix));
	map = set_labels(&matrix, open);
	matrix.cells = palloc_extended(sizeof(MigrationCell) * ((Size) open->hash.used + 1),
								   MCXT_ALLOC_HUGE);
	for (uint32 i = 0; (from = cells_next(&open->hash, open->cell, &i)) != NULL;)
	{
		MigrationCell *cell = &matrix.cells[matrix.cells_n++];

		cell->from = map[Min(from->key >> 16, labels->n)];
		cell->to = map[Min(from->key & 0xffff, labels->n)];
		cell->count = from->count;
		cell->value = cell_amount(open, from);
	}
	return migration_pack(&matrix);
}
