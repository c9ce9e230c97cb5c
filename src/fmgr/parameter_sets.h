/*
 * parameter_sets.h
 *	  Parameters of an aggregate that may differ between its groups.
 *
 * Within a group they must be the same.  A call site's PerQuery state, in its
 * fn_extra, holds a set of them for each that it has met, made ready once: that
 * of the last row comes first.  The PerGroup state, which is what the aggregate
 * carries, points at what it has of its set.
 *
 * Promises: a row whose parameters are not those of its group is an error that
 * names one which differs (22023).
 * Never: compares anything of a call whose parameters are constants of the query.
 */
#ifndef RETENTION_PARAMETER_SETS_H
#define RETENTION_PARAMETER_SETS_H

#include "retention.h"

/* What each set begins with. */
typedef struct ParameterSet
{
	struct ParameterSet *next;
	const void *shared;			/* what the states of its groups point at; NULL: nothing */
} ParameterSet;

/* Are these the parameters of the row?  NULL if so, else the name of one that differs. */
typedef const char *(*ParameterDiffers) (FunctionCallInfo fcinfo, const void *query,
										 const ParameterSet *set);

/*
 * The set of the row to the front; false if it was not met before.  "shared": what
 * the group's state points at, whose set the row must not differ from; NULL for a
 * new group.
 */
extern bool parameter_sets_find(ParameterSet **sets, const void *shared,
								FunctionCallInfo fcinfo, const void *query,
								ParameterDiffers differs);

static inline void
parameter_sets_add(ParameterSet **sets, ParameterSet *set)
{
	set->next = *sets;
	*sets = set;
}

/* 22023 */
extern void parameter_differs_error(const char *name);

/* ---------- texts that may be left out, which stands for the default ---------- */

/* A copy of argument "arg"; NULL where it is NULL or the signature lacks it. */
extern text *parameter_text_copy(FunctionCallInfo fcinfo, int arg);

/* Is this what parameter_text_copy() would give? */
extern bool parameter_text_same(FunctionCallInfo fcinfo, int arg, const text *value);

#endif							/* RETENTION_PARAMETER_SETS_H */
