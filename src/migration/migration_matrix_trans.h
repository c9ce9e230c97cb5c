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

/* Without customers, in the current context. */
extern MigrationTrans *migration_open_create(void);

/* With a declared list. */
extern MigrationTrans *migration_open_declare(char **labels, int32 n);

/* Does it declare this list? */
extern bool migration_open_declares(const MigrationTrans *open, const struct ArrayType *states);

/*
 * Changes the matrix in place, or where it must grow returns a larger one in the
 * current context.
 */
extern MigrationTrans *migration_open_add(MigrationTrans *open, const MigrationMove *move);

/* Adds another matrix, open or finished; the same promise. */
extern MigrationTrans *migration_open_merge(MigrationTrans *open, const MigrationValue *more);

/*
 * A transition state to be changed in place: the value itself if it is open,
 * else an open copy of it in the current context.
 */
extern MigrationTrans *migration_open_state(MigrationValue *value);

/* The finished matrix, in the current context; the open one stays as it is. */
extern MigrationValue *migration_open_finish(const MigrationValue *value);

#endif							/* RETENTION_MIGRATION_MATRIX_TRANS_H */
