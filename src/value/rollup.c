/*
 * rollup.c
 *	  A roll-up that has not been added up yet.
 *
 * The promises are in roll-up.h.
 */
#include "value/rollup.h"

#include "fmgr/arguments.h"
#include "utils/memutils.h"

/*
 * Items lie one after the other, the largest first: a value with a four-byte
 * header, padding, and the size of all that.
 */
typedef struct Rollup
{
	int32		vl_len_;		/* varlena header, of all there is room for */
	uint8		version;		/* VALUE_IS_PILE */
	uint8		unused[3];
	uint32		used;			/* bytes of items */
	char		items[FLEXIBLE_ARRAY_MEMBER];
} Rollup;

#define PILE_HEADER		offsetof(Rollup, items)
#define PILE_ROOM(rollup)	(VARSIZE(rollup) - PILE_HEADER)
#define ITEM_SIZE(len)	(INTALIGN(VARHDRSZ + (Size) (len)) + sizeof(uint32))

static uint32
last_size(const Rollup *rollup)
{
	uint32		size;

	memcpy(&size, rollup->items + rollup->used - sizeof(uint32), sizeof(uint32));
	return size;
}

static struct varlena *
last_value(Rollup *rollup)
{
	return (struct varlena *) (rollup->items + rollup->used - last_size(rollup));
}

static Rollup *
rollup_create(Size room)
{
	Rollup	   *rollup;

	if (PILE_HEADER + room > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rolled-up value is too large"),
				 errhint("Roll up in several groups, and add those up outside the aggregate.")));
	rollup = palloc(PILE_HEADER + room);
	SET_VARSIZE(rollup, PILE_HEADER + room);
	rollup->version = VALUE_IS_PILE;
	memset(rollup->unused, 0, sizeof(rollup->unused));
	rollup->used = 0;
	return rollup;
}

static void
rollup_append(Rollup *rollup, const struct varlena *value)
{
	Size		len = VARSIZE_ANY_EXHDR(value);
	uint32		size = ITEM_SIZE(len);
	char	   *to = rollup->items + rollup->used;

	memset(to + INTALIGN(VARHDRSZ + len) - sizeof(uint32), 0, sizeof(uint32));
	SET_VARSIZE(to, VARHDRSZ + len);
	memcpy(to + VARHDRSZ, VARDATA_ANY(value), len);
	memcpy(to + size - sizeof(uint32), &size, sizeof(uint32));
	rollup->used += size;
}

/* Adds a value that is no roll-up; where there is no room, in a new, larger roll-up. */
static Rollup *
rollup_put(Rollup *rollup, const struct varlena *value, RollupAdd add)
{
	Size		size = ITEM_SIZE(VARSIZE_ANY_EXHDR(value));
	Rollup	   *larger;

	if (rollup == NULL)
		rollup = rollup_create(size * 2);
	while (rollup->used > 0 && last_size(rollup) / 2 <= size)
	{
		value = add(last_value(rollup), value);
		rollup->used -= last_size(rollup);
		size = ITEM_SIZE(VARSIZE_ANY_EXHDR(value));
	}
	if (rollup->used + size > PILE_ROOM(rollup))
	{
		larger = rollup_create(Min((rollup->used + size) * 2, MaxAllocSize - PILE_HEADER));
		if (rollup->used + size > PILE_ROOM(larger))
			larger = rollup_create(rollup->used + size);
		memcpy(larger->items, rollup->items, rollup->used);
		larger->used = rollup->used;
		rollup = larger;
	}
	rollup_append(rollup, value);
	return rollup;
}

/* An aligned copy that may be changed, checked so far that walking it is safe. */
static Rollup *
rollup_copy(const struct varlena *value)
{
	Size		len = VARSIZE_ANY_EXHDR(value);
	Rollup	   *rollup = palloc(VARHDRSZ + len + PILE_HEADER);

	SET_VARSIZE(rollup, VARHDRSZ + len);
	memcpy(VARDATA(rollup), VARDATA_ANY(value), len);
	if (VARHDRSZ + len < PILE_HEADER || rollup->used > PILE_ROOM(rollup))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("value is corrupt: wrong state of a roll-up")));
	return rollup;
}

struct varlena *
rollup_finished(struct varlena *value, RollupAdd add)
{
	Rollup	   *rollup;
	struct varlena *sum;

	if (!value_is_rollup(value))
		return value;
	rollup = rollup_copy(value);
	Assert(rollup->used > 0);
	sum = last_value(rollup);
	if (rollup->used == last_size(rollup))
	{
		struct varlena *only = palloc(VARSIZE(sum));

		memcpy(only, sum, VARSIZE(sum));
		return only;
	}
	for (rollup->used -= last_size(rollup); rollup->used > 0; rollup->used -= last_size(rollup))
		sum = add(last_value(rollup), sum);
	return sum;
}

Datum
rollup_trans(FunctionCallInfo fcinfo, RollupAdd add, RollupTidy tidy)
{
	struct varlena *value;
	Rollup	   *rollup = NULL;

	require_aggregate(fcinfo, "rollup");
	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	if (!PG_ARGISNULL(0))
	{
		struct varlena *state = (struct varlena *) PG_GETARG_POINTER(0);

		/* an aggregate of somebody's own may begin with a value */
		if (VARATT_IS_4B_U(state) && value_is_rollup(state))
			rollup = (Rollup *) state;
		else
			rollup = rollup_put(NULL, tidy(PG_DETOAST_DATUM_PACKED(PointerGetDatum(state))), add);
	}
	value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
	if (value_is_rollup(value))
	{
		Rollup	   *more = rollup_copy(value);

		/* the smallest first: no sum is taken apart */
		for (; more->used > 0; more->used -= last_size(more))
			rollup = rollup_put(rollup, last_value(more), add);
	}
	else
		rollup = rollup_put(rollup, tidy(value), add);
	PG_RETURN_POINTER(rollup);
}

Datum
rollup_final(FunctionCallInfo fcinfo, RollupAdd add)
{
	require_aggregate(fcinfo, "rollup");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(rollup_finished(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)), add));
}
