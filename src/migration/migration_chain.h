/*
 * migration_chain.h
 *	  A migration_matrix as a Markov chain: what its accessors share.
 *
 * Promises: a number that is not defined is not a number here either, and there
 * is a reason for it, in words that name the segment.
 * Never: takes a segment that nobody was seen leaving for an absorbing one.
 */
#ifndef RETENTION_MIGRATION_CHAIN_H
#define RETENTION_MIGRATION_CHAIN_H

#include "migration/migration.h"
#include "catalog/pg_type.h"
#include "math/markov.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

typedef struct MigrationChain
{
	MigrationMatrix matrix;
	int			n;				/* states */
	double	   *p;				/* rows sum to 1; NaN: nobody was seen leaving */
	Datum	   *names;			/* text */
	MarkovGraph graph;
	int		   *unknown;		/* of each state: markov_unknowns() */
	int		   *class_of;
	int			classes;
	bool	   *closed;			/* of each state: in a class that nothing leads out of, for certain */
	bool	   *absorbing;		/* closed, and alone in its class */
} MigrationChain;

/*
 * The chain of a matrix.  "absorbing", if not NULL, is an array of segments that
 * nobody leaves from here on, whoever was seen leaving; "argument" is its name.
 */
extern void migration_chain_open(MigrationChain *chain, MigrationValue *value,
								 ArrayType *absorbing, const char *argument);

/* The same of argument 0 of a function, with its argument "absorbing" at arg, if any (0). */
extern void migration_chain_argument(MigrationChain *chain, FunctionCallInfo fcinfo, int arg);

/* 22023 unless there is such a segment. */
extern int	migration_chain_state(const MigrationChain *chain, const char *label, const char *argument);

/*
 * Numbers of segments, from a JSON object; 0 for those not in it.  22023 for
 * what is no number or no segment, and for negative ones unless allowed.
 */
extern double *migration_chain_numbers(const MigrationChain *chain, Jsonb *object,
									   const char *argument, bool negative);

/* n numbers or n * m of them, in the current context */
extern double *migration_doubles(int64 n, int64 m);
extern int *migration_ints(int64 n);

/*
 * Rows have texts of their own: a context for those of a few, which is made the
 * current one; reset it between them, and end it.
 */
static inline MemoryContext
migration_row_context(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "rows of a migration_matrix",
												  ALLOCSET_DEFAULT_SIZES);

	MemoryContextSwitchTo(context);
	return context;
}

static inline void
migration_row_context_end(MemoryContext context)
{
	MemoryContextSwitchTo(MemoryContextGetParent(context));
	MemoryContextDelete(context);
}

/* Room for markov_system(). */
extern void migration_system_room(int n, MarkovSystem *system);

/* ---------- reasons ---------- */

/* what doubles cannot hold */
#define MIGRATION_TOO_SMALL "probabilities differ by more than double precision can hold"

/* "no customers seen leaving ..." */
extern const char *migration_reason_unknown(const MigrationMatrix *matrix, int state);

/* The column of a reason, NULL for none. */
static inline void
migration_put_reason(Datum *values, bool *nulls, int column, const char *reason)
{
	nulls[column] = reason == NULL;
	if (reason != NULL)
		values[column] = PointerGetDatum(cstring_to_text(reason));
}

/* A number; 22003 where it is more than a double holds. */
extern void migration_put_number(Datum *values, bool *nulls, int column, double value);

/* ---------- from one room to another ---------- */

/*
 * The p value (of G) of first against second order; NaN, and why, where there is
 * none (migration_homogeneity.c).
 */
extern double migration_first_order_p(const MigrationMatrix *matrix, const char **reason);

#endif							/* RETENTION_MIGRATION_CHAIN_H */
