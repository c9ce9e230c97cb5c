/*
 * cohort_table_trans.h
 *	  An open cohort_table: one that still takes customers.
 *
 * The transition state of cohort_retention() over histories has the type
 * cohort_table, so that distributed plans can split the aggregate, but another
 * form than finished tables: a hash table of cells, flat, with room to grow,
 * changed in place.  A cell is a group (the cohort's period; with rolling
 * windows the joining day) and a window k, with the counts of cohort_table.h
 * in it; with rolling windows there are cells for calendar periods too, for
 * the lifecycle.  As a cohort is a customer's first event, all its members
 * are active in window 0: the size of a group is a count like the others.
 *
 * Its tag tells it from a finished table (value_type.h).
 *
 * Promises: memory is proportional to the cells; the finished table does not
 * depend on the order of customers or on how they were split.
 * Never: holds a pointer, or what one customer did.
 */
#ifndef RETENTION_COHORT_TABLE_TRANS_H
#define RETENTION_COHORT_TABLE_TRANS_H

#include "cohort/cohort_table.h"
#include "history/history.h"
#include "value/flat_hash.h"

/* Group and window, or lifecycle period; all counts 0: free. */
typedef struct OpenCell
{
	uint64		key;
	uint32		on;
	uint32		last;
	uint32		back;
	uint32		streak;
	uint32		returning;		/* active in the period before as well */
	uint32		unused;
} OpenCell;

/* What the aggregate was asked, as it lies in the state. */
typedef struct OpenQuery
{
	PeriodSpec	spec;
	bool		rolling;
	bool		unused;
	int32		months;
	int32		days;
	int32		unused2;
	int64		micros;
	int64		early;
} OpenQuery;

typedef struct CohortTableTrans
{
	int32		vl_len_;		/* varlena header, of all there is room for */
	uint8		tag;			/* VALUE_STATE_OPEN */
	uint8		flags;			/* 0 */
	uint8		unused[2];
	OpenQuery	query;
	int32		latest;			/* day */
	uint32		customers;
	FlatHash	hash;			/* of cells */
	OpenCell	cells[FLEXIBLE_ARRAY_MEMBER];
} CohortTableTrans;

/* An open table without customers, in the current context. */
extern CohortTableTrans *cohort_open_create(const OpenQuery *query);

/* A copy that is aligned and may be changed, in the current context. */
extern CohortTableTrans *cohort_open_copy(const CohortTable *table);

/*
 * Adds a customer; an empty history is none.  Changes the table in place, or
 * where it must grow returns a larger one in the current context.
 */
extern CohortTableTrans *cohort_open_add(CohortTableTrans *open, const RollingWidth *width,
										 const CustomerHistory *history);

/* Adds the customers of another table of the same query; the same promise. */
extern CohortTableTrans *cohort_open_merge(CohortTableTrans *open, CohortTableTrans *more);

/* The finished table, in the current context; the open one stays as it is. */
extern CohortTable *cohort_open_finish(const CohortTable *state);

#endif							/* RETENTION_COHORT_TABLE_TRANS_H */
