/*
 * migration_matrix_trans.h
 *	  An open migration_matrix: one that still takes customers.
 *
 * The transition state of migration_matrix() has the type migration_matrix, so
 * that distributed plans can split the aggregate, but another form than finished
 * ones: hash tables of labels and of cells, flat, with room to grow, changed in
 * place.  Whatever a row needs is in it, nothing at the call site.
 *
 * Its tag tells it from a finished matrix (value_type.h).
 *
 * Promises: memory is proportional to labels and cells; the finished matrix does
 * not depend on the order of rows or on how they were split.
 * Never: holds a pointer, or which customer did what.
 */
#ifndef RETENTION_MIGRATION_MATRIX_TRANS_H
#define RETENTION_MIGRATION_MATRIX_TRANS_H

#include "migration/migration.h"
#include "utils/array.h"

typedef struct MigrationTrans MigrationTrans;

/* One row: a NULL label is nowhere. */
typedef struct MigrationMove
{
	const char *from;
	const char *to;
	int			from_len;
	int			to_len;
	int64		customers;
	Amount		value;
} MigrationMove;

/* Flags of an open matrix, which stand in its second byte. */
#define MIGRATION_OPEN_FOLDS	0x01	/* labels are equal if they are so in lower case */
#define MIGRATION_OPEN_LISTED	0x02	/* its list of states was given with the rows */
#define MIGRATION_OPEN_APART	0x04	/* not one, but several: migration_lists.c */

/* Without customers, in the current context. */
extern MigrationTrans *migration_open_create(uint8 flags);

/* With a declared list. */
extern MigrationTrans *migration_open_declare(char **labels, int32 n, uint8 flags);

/* Does it declare this list? */
extern bool migration_open_declares(const MigrationTrans *open, const struct ArrayType *states);

/*
 * Changes the matrix in place, or where it must grow returns a larger one in the
 * current context.
 */
extern MigrationTrans *migration_open_add(MigrationTrans *open, const MigrationMove *move);

/*
 * Adds another matrix, open or finished; the same promise.  Lists of states must be
 * equal where both were given with the rows; else one may be an ordered part of
 * the other, as when an enum has gained a value meanwhile.
 */
extern MigrationTrans *migration_open_merge(MigrationTrans *open, const MigrationValue *more);

/*
 * A transition state to be changed in place: the value itself if it is open,
 * else an open copy of it in the current context.
 */
extern MigrationTrans *migration_open_state(MigrationValue *value);

/* The finished matrix, in the current context; the open one stays as it is. */
extern MigrationValue *migration_open_finish(const MigrationValue *value);

#endif							/* RETENTION_MIGRATION_MATRIX_TRANS_H */
