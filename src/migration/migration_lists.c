/*
 * migration_lists.c
 *	  Sums of matrices whose lists of states differ.
 *
 * Two matrices can be added up where one's list has all states of the other's, in
 * its order.  Of three, the longest list may come last: sums that cannot be added
 * up yet stand beside each other in a state (MIGRATION_OPEN_APART), as finished
 * values at aligned places, until one comes that takes them both.
 *
 * Promises: whether matrices can be added up does not depend on their order.
 * Never: guesses an order of states.
 */
#include "migration/migration_matrix_trans.h"

/* Lists beside each other: what so many of them lack, another one will hardly have. */
#define APART_MAX	64

typedef struct Apart
{
	int32		vl_len_;		/* varlena header */
	uint8		tag;			/* VALUE_STATE_OPEN */
	uint8		flags;			/* MIGRATION_OPEN_APART */
	uint8		unused[2];
	char		items[FLEXIBLE_ARRAY_MEMBER];	/* values, each INTALIGNed */
} Apart;

typedef struct MatrixList
{
	int			n;
	MigrationMatrix *matrix[APART_MAX + 1];
} MatrixList;

static inline bool
is_apart(const MigrationValue *value)
{
	return value_is_open(value) && VARSIZE_ANY(value) >= offsetof(Apart, items) &&
		(((const uint8 *) VARDATA_ANY(value))[1] & MIGRATION_OPEN_APART) != 0;
}

/* ---------- sums ---------- */

/* Can they be added up at once?  If they are of one kind, that is. */
static bool
joins(const MigrationMatrix *a, const MigrationMatrix *b)
{
	if (migration_is_nothing(a) || migration_is_nothing(b))
		return true;
	return migration_lists_fit(a, b);
}

/* Adds a matrix to those it fits, which then may fit others. */
static void
matrix_list_put(MatrixList *list, MigrationMatrix *matrix)
{
	if (list->n > 0)
		migration_check_kinds(list->matrix[0], matrix);
	for (int i = 0; i < list->n;)
	{
		if (!joins(list->matrix[i], matrix))
		{
			i++;
			continue;
		}
		matrix = migration_add(list->matrix[i], matrix);
		list->matrix[i] = list->matrix[--list->n];
		i = 0;
	}
	if (list->n >= APART_MAX)
		migration_check_lists(list->matrix[0], matrix);
	list->matrix[list->n++] = matrix;
}

static MigrationMatrix *
unpack(const MigrationValue *value)
{
	MigrationMatrix *matrix = palloc(sizeof(MigrationMatrix));

	migration_unpack(value, matrix);
	return matrix;
}

static void
migration_lists_corrupt(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("migration_matrix value is corrupt: wrong state")));
}

/* A value, or all that stand beside each other in a state. */
static void
matrix_list_put_value(MatrixList *list, const MigrationValue *value)
{
	Size		at = offsetof(Apart, items);
	Size		size = VARSIZE_ANY_EXHDR(value) + VARHDRSZ;
	char	   *copy;

	if (!is_apart(value))
	{
		matrix_list_put(list, unpack(value));
		return;
	}
	/* whole and aligned, wherever it came from */
	copy = palloc(size);
	memcpy(copy + VARHDRSZ, VARDATA_ANY(value), size - VARHDRSZ);
	while (at < size)
	{
		if (size - at < VARHDRSZ || !VARATT_IS_4B_U(copy + at) ||
			VARSIZE(copy + at) < VARHDRSZ || VARSIZE(copy + at) > size - at)
			migration_lists_corrupt();
		matrix_list_put(list, unpack((MigrationValue *) (copy + at)));
		at += INTALIGN(VARSIZE(copy + at));
	}
}

static int
compare_values(const void *a, const void *b)
{
	const MigrationValue *x = *(MigrationValue *const *) a;
	const MigrationValue *y = *(MigrationValue *const *) b;
	int			difference = memcmp(x, y, Min(VARSIZE(x), VARSIZE(y)));

	return difference != 0 ? difference : VARSIZE(x) < VARSIZE(y) ? -1 : VARSIZE(x) > VARSIZE(y);
}

/* In one order, so that also an error does not hang on another one. */
static MigrationValue *
matrix_list_value(const MatrixList *list)
{
	MigrationValue **values = palloc(sizeof(MigrationValue *) * (list->n + 1));
	Size		size = offsetof(Apart, items);
	Apart	   *apart;

	for (int i = 0; i < list->n; i++)
	{
		values[i] = migration_pack(list->matrix[i]);
		size += INTALIGN(VARSIZE(values[i]));
	}
	if (list->n == 1)
		return values[0];
	qsort(values, list->n, sizeof(MigrationValue *), compare_values);
	apart = palloc0(size);
	SET_VARSIZE(apart, size);
	apart->tag = VALUE_STATE_OPEN;
	apart->flags = MIGRATION_OPEN_APART;
	size = offsetof(Apart, items);
	for (int i = 0; i < list->n; i++)
	{
		memcpy((char *) apart + size, values[i], VARSIZE(values[i]));
		size += INTALIGN(VARSIZE(values[i]));
	}
	return (MigrationValue *) apart;
}

MigrationValue *
migration_add_values(const MigrationValue *a, const MigrationValue *b)
{
	MatrixList	list = {0};

	matrix_list_put_value(&list, a);
	matrix_list_put_value(&list, b);
	return matrix_list_value(&list);
}

MigrationValue *
migration_finish(const MigrationValue *state)
{
	MatrixList	list = {0};

	if (!is_apart(state))
		return migration_open_finish(state);
	matrix_list_put_value(&list, state);
	if (list.n > 1)
		migration_check_lists(list.matrix[0], list.matrix[1]);
	return matrix_list_value(&list);
}
