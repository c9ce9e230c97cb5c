/*
 * rollup.h
 *	  The state of rollup(): values that have not all been added up yet.
 *
 * Adding each value to the sum of all before it would read that sum once a row.
 * The state keeps several sums, each at least twice as large as the next, and
 * adds a new value to the smallest ones only: like the digits of a binary
 * counter.  It is flat, has room to grow, and is changed in place.
 *
 * A state that somebody stores is read like its sum, and that must not fail: so
 * values that cannot be added up are refused when they come (ValueType.match),
 * and where the sums could leave their bounds (ValueType.load) they are added
 * up at once, which says whether they do.
 *
 * Promises: memory is at most about four times that of the sum; the sum is
 * that of the values in any order.
 * Never: knows what the values are; a ValueType says how to add two.
 */
#ifndef RETENTION_ROLLUP_H
#define RETENTION_ROLLUP_H

#include "value/value_type.h"

/*
 * Transition and combine function: (state or value, state or value), either may
 * be NULL.  Errors unless an aggregate calls.
 */
extern Datum rollup_trans(FunctionCallInfo fcinfo, const ValueType *type);

/* The final function: NULL for NULL. */
extern Datum rollup_final(FunctionCallInfo fcinfo, const ValueType *type);

#endif							/* RETENTION_ROLLUP_H */
