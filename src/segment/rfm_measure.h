/*
 * rfm_measure.h
 *	  A measure that customers are scored by: its type, which values are better,
 *	  and the scores of its values.
 *
 * The values of a group are sorted once; a ladder then keeps the few of them that
 * say the scores of all.
 *
 * Promises: equal values have equal scores; exact arithmetic.
 * Never: keeps more than a ladder of what was sorted; sorts in more than work_mem.
 */
#ifndef RETENTION_RFM_MEASURE_H
#define RETENTION_RFM_MEASURE_H

#include "retention.h"
#include "utils/sortsupport.h"
#include "utils/tuplesort.h"

/* A measure, ordered from worst to best. */
typedef struct RfmMeasure
{
	const char *name;
	Oid			type;			/* base type */
	bool		byval;
	int16		typlen;
	bool		time;			/* a date or timestamp */
	bool		lower_is_better;
	Oid			order;			/* the operator "is worse than" */
	SortSupportData sort;
} RfmMeasure;

/* Values above which scores begin: in the order of the measure. */
typedef struct RfmLadder
{
	int			steps;			/* the scores are 1 .. steps + 1 */
	bool	   *known;			/* false: nobody has the score below */
	Datum	   *cuts;
} RfmLadder;

/* The values of a group, to be sorted. */
typedef struct RfmSorter
{
	Tuplesortstate *state;		/* NULL: none yet */
	int64		n;
} RfmSorter;

/* name and lower_is_better are set; 42804 where a type has no better and worse values. */
extern void rfm_measure_init(RfmMeasure *measure, Oid given);

extern bool rfm_measure_is_nan(const RfmMeasure *measure, Datum value);

/* By fixed cuts, ascending: a value on one has the better score. */
extern int	rfm_fixed_score(const RfmMeasure *measure, const double *cuts, int n, Datum value);

/* Of a value of the group that was cut. */
extern int	rfm_ladder_score(RfmMeasure *measure, const RfmLadder *ladder, Datum value);

/* "sorters" share work_mem; a sorter begins as zeros. */
extern void rfm_sorter_add(RfmSorter *sorter, const RfmMeasure *measure, int sorters, Datum value);

/* Ends the sorter, and makes a ladder of its values in the current context. */
extern void rfm_sorter_cut(RfmSorter *sorter, RfmMeasure *measure, int bins, RfmLadder *ladder);

#endif							/* RETENTION_RFM_MEASURE_H */
