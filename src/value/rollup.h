/*
 * rollup.h
 *	  A roll-up that has not been added up yet.
 *
 * The transition state of rollup() has the type of the values that it adds, so
 * that distributed plans can split it.  Adding each value to the sum of all
 * before it would read that sum once a row.  A roll-up keeps several sums, each
 * at least twice as large as the next, and adds a new value to the smallest
 * ones only: like the digits of a binary counter.  It is flat, has room to
 * grow, and is changed in place.
 *
 * Its first byte tells it from values.  Input functions refuse it, and output
 * functions add it up first: no roll-up leaves the server.
 *
 * Promises: memory is at most about four times that of the sum; the sum is
 * that of the values in any order.
 * Never: knows what the values are; the caller says how to add two.
 */
#ifndef RETENTION_ROLLUP_H
#define RETENTION_ROLLUP_H

#include "retention.h"

#define VALUE_IS_PILE 0xf2		/* in place of a value's version */

/* The sum of two values, a new one in the current context. */
typedef struct varlena *(*RollupAdd) (const struct varlena *a, const struct varlena *b);

static inline bool
value_is_rollup(const struct varlena *value)
{
	return VARSIZE_ANY_EXHDR(value) > 0 &&
		*(const uint8 *) VARDATA_ANY(value) == VALUE_IS_PILE;
}

/* The value of another aggregate's transition state; a value as it is. */
typedef struct varlena *(*RollupTidy) (struct varlena *value);

/*
 * Transition and combine function of a roll-up: (roll-up or value, roll-up or value),
 * either may be NULL.  Errors unless an aggregate calls.
 */
extern Datum rollup_trans(FunctionCallInfo fcinfo, RollupAdd add, RollupTidy tidy);

/* Its final function: NULL for NULL. */
extern Datum rollup_final(FunctionCallInfo fcinfo, RollupAdd add);

/* The value of what may be a roll-up; a value is returned as it is. */
extern struct varlena *rollup_finished(struct varlena *value, RollupAdd add);

#endif							/* RETENTION_ROLLUP_H */
