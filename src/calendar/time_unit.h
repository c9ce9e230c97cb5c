/*
 * time_unit.h
 *	  Units in which times since a first purchase are counted.
 *
 * Not calendar periods (calendar.h): a month is the mean month of 30.4375 days.
 *
 * Promises: a day, a week, a month, a quarter and a year have a fixed length.
 * Never: knows what is counted.
 */
#ifndef RETENTION_TIME_UNIT_H
#define RETENTION_TIME_UNIT_H

#include "retention.h"

/* Stored in values: never renumbered. */
typedef enum TimeUnit
{
	TIME_UNIT_DAY,
	TIME_UNIT_WEEK,
	TIME_UNIT_MONTH,
	TIME_UNIT_QUARTER,
	TIME_UNIT_YEAR,
	TIME_UNIT_HALF				/* of a year */
} TimeUnit;

#define TIME_UNIT_LAST	TIME_UNIT_HALF
#define DAYS_PER_YEAR	365.25	/* mean */

extern const char *const time_unit_names[];
extern const double time_unit_days[];	/* 1, 7, 30.4375, 91.3125, 365.25, 182.625 */

/* 22023 with the name */
extern TimeUnit time_unit_parse(const text *name);

#endif							/* RETENTION_TIME_UNIT_H */
