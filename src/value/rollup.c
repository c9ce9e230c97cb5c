/*
 * rollup.c
 *	  The state of rollup(): values that have not all been added up yet; and what
 *	  any state stands for.
 *
 * The promises are in rollup.h and value_type.h.
 */
#include "value/rollup.h"

#include "fmgr/arguments.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/*
 * Items lie one after the other, the largest first: a value with a four-byte
 * header, padding, and the size of all that.
 */
typedef struct Rollup
{
	int32		vl_len_;		/* varlena header, of all there is room for */
	uint8		tag;			/* VALUE_STATE_ROLLUP */
	uint8		flags;			/* 0 */
	uint8		unused[2];
	uint32		used;			/* bytes of items */
	float		load;			/* of all items at most; below 0: of one, not asked for yet */
	char		items[FLEXIBLE_ARRAY_MEMBER];
} Rollup;

#define ROLLUP_HEADER		offsetof(Rollup, items)
#define ROLLUP_ROOM(rollup)	(VARSIZE(rollup) - ROLLUP_HEADER)
#define ITEM_SIZE(len)		(INTALIGN(VARHDRSZ + (Size) (len)) + sizeof(uint32))
#define ITEM_SIZE_MIN		ITEM_SIZE(VALUE_PREFIX)
#define LOAD_UNKNOWN		(-1)

struct varlena *
value_copy(const struct varlena *value)
{
	Size		len = VARSIZE_ANY_EXHDR(value);
	struct varlena *copy = palloc(VARHDRSZ + len);

	SET_VARSIZE(copy, VARHDRSZ + len);
	memcpy(VARDATA(copy), VARDATA_ANY(value), len);
	return copy;
}

/* ---------- items ---------- */

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

	if (ROLLUP_HEADER + room > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("rolled-up value is too large"),
				 errhint("Roll up in several groups, and add those up outside the aggregate.")));
	rollup = palloc(ROLLUP_HEADER + room);
	memset(rollup, 0, ROLLUP_HEADER);
	SET_VARSIZE(rollup, ROLLUP_HEADER + room);
	rollup->tag = VALUE_STATE_ROLLUP;
	rollup->load = LOAD_UNKNOWN;
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

/* A value plus the smallest sum, which is taken off. */
static const struct varlena *
add_last(Rollup *rollup, const struct varlena *value, const ValueType *type)
{
	value = type->add(last_value(rollup), value);
	rollup->used -= last_size(rollup);
	return value;
}

/* Can the value stand beside the larger sums?  Else the sum of all. */
static const struct varlena *
stand_beside(Rollup *rollup, const struct varlena *value, const ValueType *type)
{
	const struct varlena *largest = (struct varlena *) rollup->items;

	if (type->match != NULL)
		type->match(largest, value);
	if (type->load != NULL)
	{
		if (rollup->load < 0)
			rollup->load = (float) type->load(largest);
		rollup->load += (float) type->load(value);
		/* for what floats round */
		if (rollup->load < 0.999f)
			return value;
	}
	while (rollup->used > 0)
		value = add_last(rollup, value, type);
	return value;
}

/* Adds a value; where there is no room, in a new, larger state. */
static Rollup *
rollup_put(Rollup *rollup, const struct varlena *value, const ValueType *type)
{
	Size		size = ITEM_SIZE(VARSIZE_ANY_EXHDR(value));
	Rollup	   *larger;

	if (rollup == NULL)
		rollup = rollup_create(size * 2);
	while (rollup->used > 0 && last_size(rollup) / 2 <= size)
	{
		value = add_last(rollup, value, type);
		size = ITEM_SIZE(VARSIZE_ANY_EXHDR(value));
	}
	if (rollup->used > 0)
	{
		value = stand_beside(rollup, value, type);
		size = ITEM_SIZE(VARSIZE_ANY_EXHDR(value));
	}
	if (rollup->used == 0)
		rollup->load = LOAD_UNKNOWN;
	if (rollup->used + size > ROLLUP_ROOM(rollup))
	{
		larger = rollup_create(Min((rollup->used + size) * 2, MaxAllocSize - ROLLUP_HEADER));
		if (rollup->used + size > ROLLUP_ROOM(larger))
			larger = rollup_create(rollup->used + size);
		memcpy(larger->items, rollup->items, rollup->used);
		larger->used = rollup->used;
		larger->load = rollup->load;
		rollup = larger;
	}
	rollup_append(rollup, value);
	return rollup;
}

/* An aligned copy that may be changed, checked so far that walking it is safe. */
static Rollup *
rollup_copy(const struct varlena *state, const ValueType *type)
{
	Size		len = VARSIZE_ANY_EXHDR(state);
	Rollup	   *rollup = palloc(VARHDRSZ + len + ROLLUP_HEADER);
	bool		sound;

	SET_VARSIZE(rollup, VARHDRSZ + len);
	memcpy(VARDATA(rollup), VARDATA_ANY(state), len);
	sound = VARHDRSZ + len > ROLLUP_HEADER && rollup->used > 0 &&
		rollup->used <= ROLLUP_ROOM(rollup);
	/* back from the last item: its size stands behind it */
	for (uint32 left = sound ? rollup->used : 0; sound && left > 0;)
	{
		uint32		size;
		uint32		value_size;

		sound = left >= ITEM_SIZE_MIN;
		if (!sound)
			break;
		memcpy(&size, rollup->items + left - sizeof(uint32), sizeof(uint32));
		sound = size >= ITEM_SIZE_MIN && size <= left && size == INTALIGN(size) &&
			VARATT_IS_4B_U(rollup->items + left - size);
		if (!sound)
			break;
		value_size = VARSIZE(rollup->items + left - size);
		sound = value_size >= VARHDRSZ + VALUE_PREFIX && ITEM_SIZE(value_size - VARHDRSZ) == size;
		left -= size;
	}
	if (!sound)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("%s value is corrupt: wrong state of a roll-up", type->name)));
	return rollup;
}

static struct varlena *
rollup_sum(const struct varlena *state, const ValueType *type)
{
	Rollup	   *rollup = rollup_copy(state, type);
	const struct varlena *sum = last_value(rollup);

	if (rollup->used == last_size(rollup))
		return value_copy(sum);
	for (rollup->used -= last_size(rollup); rollup->used > 0;)
	{
		CHECK_FOR_INTERRUPTS();
		sum = add_last(rollup, sum, type);
	}
	return unconstify(struct varlena *, sum);
}

struct varlena *
value_finish(struct varlena *state, const ValueType *type)
{
	uint8		tag = value_tag(state);

	if (tag == VALUE_STATE_ROLLUP && type->add != NULL)
		return value_finished(rollup_sum(state, type), type);
	if (tag != VALUE_STATE_OPEN || type->finish == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("%s value is corrupt: wrong version", type->name)));
	return type->finish(state);
}

/* ---------- the aggregate ---------- */

Datum
rollup_trans(FunctionCallInfo fcinfo, const ValueType *type)
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
		if (VARATT_IS_4B_U(state) && value_tag(state) == VALUE_STATE_ROLLUP)
			rollup = (Rollup *) state;
		else
			rollup = rollup_put(NULL, value_get(fcinfo, 0, type), type);
	}
	value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1));
	if (value_tag(value) == VALUE_STATE_ROLLUP)
	{
		Rollup	   *more = rollup_copy(value, type);

		/* the smallest first: no sum is taken apart */
		for (; more->used > 0; more->used -= last_size(more))
			rollup = rollup_put(rollup, last_value(more), type);
	}
	else
		rollup = rollup_put(rollup, value_finished(value, type), type);
	PG_RETURN_POINTER(rollup);
}

Datum
rollup_final(FunctionCallInfo fcinfo, const ValueType *type)
{
	require_aggregate(fcinfo, "rollup");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(value_get(fcinfo, 0, type));
}
