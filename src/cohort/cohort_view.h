/*
 * cohort_view.h
 *	  A cohort_table seen from a day: cells of one measure, cohort by cohort.
 *
 * What cohort_rows, retention_curve, retention_test and cohort_chart share.
 *
 * Promises: a cell counts only members whose window had closed at as_of.
 * Never: makes more than CELLS_MAX rows of a cohort; asking for more is an error.
 */
#ifndef RETENTION_COHORT_VIEW_H
#define RETENTION_COHORT_VIEW_H

#include "cohort/cohort_table.h"
#include "datatype/timestamp.h"
#include "fmgr/as_of.h"

#define CELLS_MAX 10000000
#define CELLS_HINT \
	"Choose a longer period, filter out early or late outliers, or pass an earlier as_of."

typedef enum Measure
{
	MEASURE_ON,					/* active in window k */
	MEASURE_ON_OR_AFTER,		/* in k or any later one */
	MEASURE_ON_OR_BEFORE,		/* in any of 1..k */
	MEASURE_BY,					/* in any of 0..k */
	MEASURE_STREAK				/* in each of 1..k */
} Measure;

typedef struct CohortView
{
	CohortReader reader;
	bool		more;			/* reader.group is the next one to use */
	Calendar   *calendar;		/* NULL when the table is empty */
	Calendar   *wall_calendar;	/* without zone, for the rows of rolling tables */
	RollingWidth wall_width;
	Timestamp	as_of_wall;		/* where what is known ends, itself not in it */
	int64		as_of_instant;
	int32		as_of_period;	/* the first that has not wholly ended */
	Timestamp	last_wall;		/* rows go to the period that contains this */
	Measure		measure;
	int32		from_cohort;	/* earlier cohorts are not shown */
	int32		periods;		/* nor periods later than this one */

	/* the current cohort */
	int32		cohort;
	int64		size;
	int32		rows;			/* cells 0 .. rows - 1; 0 if it starts after as_of */
	int32		capacity;
	int64	   *at_risk;
	int64	   *retained;		/* of those at risk */
	int64	   *seen;
} CohortView;

extern Measure measure_parse(const text *t);

/* Which cells are shown: of cohorts from the one of this day on, and of how many periods. */
typedef struct CohortRange
{
	bool		has_from;
	Timestamp	from_cohort;
	int32		periods;		/* the last one; PG_INT32_MAX: no limit */
} CohortRange;

static inline CohortRange
cohort_range_all(void)
{
	CohortRange range = {false, 0, PG_INT32_MAX};

	return range;
}

/* Of the arguments from_cohort and periods, which may be NULL; 22023 for negative periods. */
extern CohortRange cohort_range_arguments(FunctionCallInfo fcinfo, int arg);

/* The same of from_cohort alone. */
extern CohortRange cohort_range_from(FunctionCallInfo fcinfo, int arg);

/* Opens a table; as_of and from_cohort are read in its time zone. */
extern void cohort_view_open(CohortView *view, const CohortTable *table, AsOf as_of,
							 Measure measure, CohortRange range);

/*
 * Tells, once a call site, that as_of lies beyond the latest event by a whole
 * calendar period, and by a day or more: what is shown of it is that nobody came.
 */
extern void cohort_view_tell_silence(FunctionCallInfo fcinfo, const CohortView *view);

/* The days of that; 0: not so long, or an empty table. */
extern int64 cohort_view_silence(const CohortView *view);

/* Later of two tables' latest events, for a comparison without as_of. */
extern AsOf cohort_view_later(const CohortTable *a, const CohortTable *b);

/* Next cohort, with its cells; false at the end. */
extern bool cohort_view_next(CohortView *view);

/* Start of window k of the current cohort, wall clock. */
extern Timestamp cohort_view_start(const CohortView *view, int32 k);

static inline bool
cell_complete(const CohortView *view, int32 k)
{
	return view->at_risk[k] == view->size;
}

#endif							/* RETENTION_COHORT_VIEW_H */
