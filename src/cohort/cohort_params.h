/*
 * cohort_params.h
 *	  What a cohort table was asked: period, window, zone.
 *
 * Promises: errors name what differs, or what was passed.
 * Never: knows customers or tallies.
 */
#ifndef RETENTION_COHORT_PARAMS_H
#define RETENTION_COHORT_PARAMS_H

#include "calendar/calendar.h"
#include "datatype/timestamp.h"
#include "pgtime.h"

/*
 * What a table was asked: equal in all tables that are merged.  Only "dates" may
 * differ: it says what the times were, so that as_of, left out, is the end of the
 * latest day.
 */
typedef struct CohortParams
{
	PeriodSpec	spec;
	bool		zoned;			/* times are timestamptz */
	bool		rolling;
	bool		dates;			/* all times are dates; not asked, and not compared */
	int32		months;			/* rolling width, all 0 for calendar windows */
	int32		days;
	int64		micros;
	int64		early;			/* so long before a boundary is behind it; rolling only */
	char		zone[TZ_STRLEN_MAX + 1];	/* "" where none was given or needed */
} CohortParams;

/* The calendar of these parameters, in the current context. */
extern Calendar *cohort_calendar(const CohortParams *params);

/* Makes windows rolling; 22023 unless the interval is positive and finite. */
extern void cohort_params_window(CohortParams *params, const Interval *window);

/*
 * How early events may come; 22023 unless the interval is of days and times, not
 * negative, and shorter than any window.  The window and the zone are known.
 */
extern void cohort_params_early(CohortParams *params, const Interval *early);

extern bool cohort_params_equal(const CohortParams *a, const CohortParams *b);

/* Errors unless two sets of parameters are the same. */
extern void cohort_params_match(const CohortParams *a, const CohortParams *b);

/* The error of periods too far apart for a window number. */
extern void cohort_periods_error(void);

#endif							/* RETENTION_COHORT_PARAMS_H */
