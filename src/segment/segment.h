/*
 * segment.h
 *	  What a customer's purchase days say of how they buy: the behaviour segments.
 *
 * Six rules, tried in order, of which the first that fits names the segment.
 * They look at days alone: at how many there are, in which seasons, how long
 * ago the last one was, and how evenly the last ones are spread.
 *
 * A year has 12 / season_months seasons of as many months each; one of them
 * begins with the month season_start, and with it the season's year.
 *
 * Promises: the same answer for the same days, thresholds and as_of.
 * Never: looks at days after as_of, at events or at amounts.
 */
#ifndef RETENTION_SEGMENT_H
#define RETENTION_SEGMENT_H

#include "history/history.h"
#include "utils/date.h"

/* In the order in which they are tried. */
typedef enum Segment
{
	SEGMENT_SEASONAL,
	SEGMENT_INACTIVE,
	SEGMENT_ONE_TIME,
	SEGMENT_TWO_TIME,
	SEGMENT_LOYALIST,
	SEGMENT_UNDER_PERFORMER,
	SEGMENT_NONE				/* before the first purchase */
} Segment;

#define SEGMENTS SEGMENT_NONE

extern const char *const segment_names[SEGMENTS];

/* Thresholds; compared as bytes, so without padding. */
typedef struct SegmentRules
{
	int32		inactive_after; /* days */
	int32		seasonal_min_days;
	int32		seasonal_min_years;
	int32		seasonal_min_age;	/* days */
	int32		season_start;	/* month, 1 .. 12 */
	int32		season_months;	/* divides 12 */
	int32		loyalist_windows;
	int32		loyalist_window_days;
	double		max_chance;		/* 1: any */
	double		loyalist_share;
} SegmentRules;

/* 22023 with the argument's name and value. */
extern void segment_rules_check(const SegmentRules *rules);

/* The rule of a segment in words, with the thresholds. */
extern char *segment_rule_text(const SegmentRules *rules, Segment segment);

extern Segment segment_of(const SegmentRules *rules, const CustomerHistory *history,
						  DateADT as_of);

/*
 * How likely a customer without seasons has all purchase days in one season,
 * of seasonal_min_years years: at most.  False before the first purchase.
 */
extern bool segment_chance(const SegmentRules *rules, const CustomerHistory *history,
						   DateADT as_of, double *chance);

#endif							/* RETENTION_SEGMENT_H */
