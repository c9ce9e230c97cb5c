/*
 * rollup.c
 *	  A roll-up that has not been added up yet.
 *
 * The promises are in pile.h.
 */
#include "value/rollup.h"

#include "fmgr/arguments.h"
#include "utils/memutils.h"

/*
 * Items lie one after the other, the largest first: a value with a four-byte
 * header, padding, and the size of all that.
 */
typedef struct Pile
{
	int32		vl_len_;		/* varlena header, of all there is room for */
	uint8		version;		/* VALUE_IS_PILE */
	uint8		unused[3];
	uint32		used;			/* bytes of items */
	char		items[FLEXIBLE_ARRAY_MEMBER];
} Pile;

#define PILE_HEADER		offsetof(Pile, items)
#define PILE_ROOM(pile)	(VARSIZE(pile) - PILE_HEADER)
#define ITEM_SIZE(len)	(INTALIGN(VARHDRSZ + (Size) (len)) + sizeof(uint32))

static uint32
last_size(const Pile *pile)
{
	uint32		size;

	memcpy(&size, pile->items + pile->used - sizeof(uint32), sizeof(uint32));
	return size;
}

static struct varlena *
last_value(Pile *pile)
{
	return (struct varlena *) (pile->items + pile->used - last_size(pile));
}

static Pile *
create(Size room)
{
	Pile	   *pile;

	if (PILE_HEADER + room > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rolled-up value is too large"),
				 errhint("Roll up in several groups, and add those up outside the aggregate.")));
	pile = palloc(PILE_HEADER + room);
	SET_VARSIZE(pile, PILE_HEADER + room);
	pile->version = VALUE_IS_PILE;
	memset(pile->unused, 0, sizeof(pile->unused));
	pile->used = 0;
	return pile;
}

static void
append(Pile *pile, const struct varlena *value)
{
	Size		len = VARSIZE_ANY_EXHDR(value);
	uint32		size = ITEM_SIZE(len);
	char	   *to = pile->items + pile->used;

	memset(to + INTALIGN(VARHDRSZ + len) - sizeof(uint32), 0, sizeof(uint32));
	SET_VARSIZE(to, VARHDRSZ + len);
	memcpy(to + VARHDRSZ, VARDATA_ANY(value), len);
	memcpy(to + size - sizeof(uint32), &size, sizeof(uint32));
	pile->used += size;
}

/* Adds a value that is no pile; where there is no room, in a new, larger pile. */
static Pile *
put(Pile *pile, const struct varlena *value, PileAdd add)
{
	Size		size = ITEM_SIZE(VARSIZE_ANY_EXHDR(value));
	Pile	   *larger;

	if (pile == NULL)
		pile = create(size * 2);
	while (pile->used > 0 && last_size(pile) / 2 <= size)
	{
		value = add(last_value(pile), value);
		pile->used -= last_size(pile);
		size = ITEM_SIZE(VARSIZE_ANY_EXHDR(value));
	}
	if (pile->used + size > PILE_ROOM(pile))
	{
		larger = create(Min((pile->used + size) * 2, MaxAllocSize - PILE_HEADER));
		if (pile->used + size > PILE_ROOM(larger))
			larger = create(pile->used + size);
		memcpy(larger->items, pile->items, pile->used);
		larger->used = pile->used;
		pile = larger;
	}
	append(pile, value);
	return pile;
}

/* An aligned copy that may be changed, checked so far that walking it is safe. */
static Pile *
copy(const struct varlena *value)
{
	Size		len = VARSIZE_ANY_EXHDR(value);
	Pile	   *pile = palloc(VARHDRSZ + len + PILE_HEADER);

	SET_VARSIZE(pile, VARHDRSZ + len);
	memcpy(VARDATA(pile), VARDATA_ANY(value), len);
	if (VARHDRSZ + len < PILE_HEADER || pile->used > PILE_ROOM(pile))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("value is corrupt: wrong state of a roll-up")));
	return pile;
}

struct varlena *
pile_finished(struct varlena *value, PileAdd add)
{
	Pile	   *pile;
	struct varlena *sum;

	if (!value_is_pile(value))
		return value;
	pile = copy(value);
	Assert(pile->used > 0);
	sum = last_value(pile);
	if (pile->used == last_size(pile))
	{
		struct varlena *only = palloc(VARSIZE(sum));

		memcpy(only, sum, VARSIZE(sum));
		return only;
	}
	for (pile->used -= last_size(pile); pile->used > 0; pile->used -= last_size(pile))
		sum = add(last_value(pile), sum);
	return sum;
}

Datum
pile_rollup(FunctionCallInfo fcinfo, PileAdd add, PileTidy tidy)
{
	struct varlena *value;
	Pile	   *pile = NULL;

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
		if (VARATT_IS_4B_U(state) && value_is_pile(state))
			pile = (Pile *) state;
		else
			pile = put(NULL, tidy(PG_DETOAST_DATUM_PACKED(PointerGetDatum(state))), add);
	}
	value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
	if (value_is_pile(value))
	{
		Pile	   *more = copy(value);

		/* the smallest first: no sum is taken apart */
		for (; more->used > 0; more->used -= last_size(more))
			pile = put(pile, last_value(more), add);
	}
	else
		pile = put(pile, tidy(value), add);
	PG_RETURN_POINTER(pile);
}

Datum
pile_rollup_final(FunctionCallInfo fcinfo, PileAdd add)
{
	require_aggregate(fcinfo, "rollup");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(pile_finished(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)), add));
}
