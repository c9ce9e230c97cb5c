/*
 * value_type.h
 *	  What is the same for every stored type: its first bytes, its input and
 *	  output, equality and hashing, and its roll-up.
 *
 * All values and all transition states that have a type of ours begin alike:
 *	  tag		one byte: the version of the value's form, from 1 on; from
 *				VALUE_STATE on a state, which stands for a value
 *	  flags		one byte, of which each type says what its bits mean
 *
 * A stored type is a ValueType: VALUE_TYPE(x, ...) defines it as x_type, and the
 * SQL-callable x_in, x_out, x_recv, x_send, x_eq, x_ne, x_hash, x_hash_extended;
 * VALUE_TYPE_ADDS(x, ...) also x_rollup, transition and combine function of
 * rollup(), and x_rollup_final.  Its SQL is a line VALUE_TYPE of a .sql file
 * (value_type.sql.in).
 *
 * States have the type of their value so that distributed plans can split an
 * aggregate; they never leave the server: what prints, sends, compares, hashes
 * or asks a value finishes it first (value_get()).  What cannot be added up
 * fails when it is added, never when it is read; but where a value that is still
 * to come may decide that, add() may give a state of the type's own, which fails
 * when it is finished.
 *
 * Promises: text is the base64 of the bytes; nothing unchecked gets in.
 * Never: depends on a setting.
 */
#ifndef RETENTION_VALUE_TYPE_H
#define RETENTION_VALUE_TYPE_H

#include "retention.h"

#define VALUE_STATE			0xf0	/* tags from here on are those of states */
#define VALUE_STATE_ROLLUP	0xf0	/* of rollup() (rollup.h) */
#define VALUE_STATE_OPEN	0xf1	/* of the type's own aggregate: it still takes rows */

#define VALUE_PREFIX		2	/* bytes of tag and flags */

typedef struct ValueType
{
	const char *name;			/* in SQL */
	const char *maker;			/* the aggregate that makes such values, for a hint */

	/* NULL if the bytes are a canonical value, else what is wrong with them */
	const char *(*check) (const char *data, Size len);

	/*
	 * The sum of two values, a new one in the current context; an error where they cannot be added
	 * up.  NULL: such values are not added.
	 */
	struct varlena *(*add) (const struct varlena *a, const struct varlena *b);

	/* The value of a state with VALUE_STATE_OPEN; NULL: there are none. */
	struct varlena *(*finish) (const struct varlena *state);

	/*
	 * The errors of add() that do not hang on how much is added up, without adding: whoever
	 * matches a value matches what that one matches.  NULL: any two can be added up.
	 */
	void		(*match) (const struct varlena *a, const struct varlena *b);

	/*
	 * The share, 0 to 1, of the limits of a sum that a value takes at most: sums of less than 1
	 * can be added up in any order.  NULL: that is not known without adding, and rollup() adds
	 * each value at once.
	 */
	double		(*load) (const struct varlena *value);
} ValueType;

static inline uint8
value_tag(const struct varlena *value)
{
	/* no value is shorter than the prefix; of an empty varlena, no state's */
	return VARSIZE_ANY_EXHDR(value) > 0 ? *(const uint8 *) VARDATA_ANY(value) : 0;
}

static inline bool
value_is_open(const struct varlena *value)
{
	return value_tag(value) == VALUE_STATE_OPEN;
}

/* The value that a state stands for, in the current context; XX001 where there is none. */
extern struct varlena *value_finish(struct varlena *state, const ValueType *type);

/* A value as it is; of a state, what it stands for. */
static inline struct varlena *
value_finished(struct varlena *value, const ValueType *type)
{
	if (likely(value_tag(value) < VALUE_STATE))
		return value;
	return value_finish(value, type);
}

/* An argument, detoasted; a state in a column is read like the value it stands for. */
static inline struct varlena *
value_get(FunctionCallInfo fcinfo, int arg, const ValueType *type)
{
	return value_finished(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(arg)), type);
}

/* For combine functions: a state of the type's own aggregate as it is, else a value. */
static inline struct varlena *
value_get_open(FunctionCallInfo fcinfo, int arg, const ValueType *type)
{
	struct varlena *value = PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(arg));

	return value_is_open(value) ? value : value_finished(value, type);
}

/* The bytes of a value as one of its own, in the current context. */
extern struct varlena *value_copy(const struct varlena *value);

extern Datum value_in(FunctionCallInfo fcinfo, const ValueType *type);
extern Datum value_out(FunctionCallInfo fcinfo, const ValueType *type);
extern Datum value_recv(FunctionCallInfo fcinfo, const ValueType *type);
extern Datum value_send(FunctionCallInfo fcinfo, const ValueType *type);
extern bool value_equal(FunctionCallInfo fcinfo, const ValueType *type);
extern Datum value_hash(FunctionCallInfo fcinfo, const ValueType *type);
extern Datum value_hash_extended(FunctionCallInfo fcinfo, const ValueType *type);
extern Datum value_rollup(FunctionCallInfo fcinfo, const ValueType *type);
extern Datum value_rollup_final(FunctionCallInfo fcinfo, const ValueType *type);

/* The operator that adds two values; NULL counts as nothing. */
extern Datum value_add(FunctionCallInfo fcinfo, const ValueType *type);

/* VALUE_TYPE(x, .maker = "x()", .check = x_check, ...) */
#define VALUE_TYPE(x, ...) \
	const ValueType x##_type = {.name = #x, __VA_ARGS__}; \
	VALUE_FUNCTION(x##_in, value_in(fcinfo, &x##_type)) \
	VALUE_FUNCTION(x##_out, value_out(fcinfo, &x##_type)) \
	VALUE_FUNCTION(x##_recv, value_recv(fcinfo, &x##_type)) \
	VALUE_FUNCTION(x##_send, value_send(fcinfo, &x##_type)) \
	VALUE_FUNCTION(x##_eq, BoolGetDatum(value_equal(fcinfo, &x##_type))) \
	VALUE_FUNCTION(x##_ne, BoolGetDatum(!value_equal(fcinfo, &x##_type))) \
	VALUE_FUNCTION(x##_hash, value_hash(fcinfo, &x##_type)) \
	VALUE_FUNCTION(x##_hash_extended, value_hash_extended(fcinfo, &x##_type))

#define VALUE_TYPE_ADDS(x, ...) \
	VALUE_TYPE(x, __VA_ARGS__) \
	VALUE_FUNCTION(x##_rollup, value_rollup(fcinfo, &x##_type)) \
	VALUE_FUNCTION(x##_rollup_final, value_rollup_final(fcinfo, &x##_type))

#define VALUE_FUNCTION(function, result) \
	PG_FUNCTION_INFO_V1(function); \
	Datum function(PG_FUNCTION_ARGS) { return result; }

#endif							/* RETENTION_VALUE_TYPE_H */
