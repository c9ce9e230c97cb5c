/*
 * calendar.h
 *	  Instants to calendar periods and rolling windows, zone-aware.
 *
 * An "instant" is the int64 microsecond count that a column holds: UTC for
 * timestamptz ("zoned" calendars), wall clock for date and timestamp.  A
 * "wall" time is always wall clock.  A "period" is an int32 ordinal in which
 * consecutive periods differ by one; only calendar_start() gives it meaning.
 *
 * Promises: the same answers as date_trunc() on the zone's wall clock, and as
 * timestamp(tz) + interval under TimeZone = the zone, whatever the session's
 * own TimeZone is.  Never: knowledge of customers; an allocation that depends
 * on the span of the data (the caches are fixed in size).
 */
#ifndef RETENTION_CALENDAR_H
#define RETENTION_CALENDAR_H

#include "retention.h"
#include "datatype/timestamp.h"
#include "pgtime.h"

/* Stored in values: never renumbered. */
typedef enum PeriodUnit
{
	PERIOD_HOUR,
	PERIOD_DAY,
	PERIOD_WEEK,
	PERIOD_MONTH,
	PERIOD_QUARTER,
	PERIOD_YEAR,
	PERIOD_HALF					/* of a year */
} PeriodUnit;

#define PERIOD_UNIT_LAST PERIOD_HALF

/* A period as the user named it. */
typedef struct PeriodSpec
{
	uint8		unit;			/* PeriodUnit */
	uint8		week_start;		/* 0 = Monday .. 6 = Sunday; 0 unless weeks */
} PeriodSpec;

/*
 * One bucket of a step cache: the bucket's first value, and the value from
 * "split" on.  Buckets are chosen so short that one split is the rule; a
 * bucket with more is marked slow and evaluated each time.
 */
typedef struct StepBucket
{
	int64		bucket;			/* instant >> shift, or STEP_UNUSED */
	int64		split;
	int32		before;
	int32		after;
} StepBucket;

#define STEP_BUCKETS	4096	/* a power of two */
#define STEP_UNUSED		PG_INT64_MAX
#define STEP_SLOW		PG_INT64_MIN	/* in "split" */

typedef struct StepCache
{
	int			shift;
	StepBucket *buckets;		/* STEP_BUCKETS of them, direct-mapped */
} StepCache;

typedef struct Calendar
{
	PeriodSpec	spec;
	bool		zoned;			/* instants are UTC and must be converted */
	pg_tz	   *tz;				/* NULL where no zone was given or needed */
	const char *zone;			/* its canonical name, "" without one */
	StepCache	periods;		/* instant -> period */
	StepCache	offsets;		/* instant -> seconds east of UTC; zoned only */
} Calendar;

/*
 * A rolling window's width.  "fixed" is its length in microseconds where that
 * never varies (no months; no days when zoned), else 0.
 */
typedef struct RollingWidth
{
	int32		months;
	int32		days;
	int64		micros;
	int64		fixed;
	int64		shortest;		/* no window is shorter than this */
} RollingWidth;

/* Parsing and names; errors are 22023 with the value. */
extern PeriodSpec period_parse(const char *text, int len);
extern const char *period_name(PeriodSpec spec);
extern const char *period_unit_name(PeriodSpec spec);
extern pg_tz *zone_parse(const char *text, int len);

/* The same; NULL where there is no such zone. */
extern pg_tz *zone_find(const char *text, int len);

/*
 * A calendar in the current memory context.  tz may be NULL for wall-clock
 * input.
 */
extern Calendar *calendar_create(PeriodSpec spec, bool zoned, pg_tz *tz);

/*
 * The period of a day's midnight, without a calendar: days need no zone.  Months
 * and longer are remembered from call to call, in the process.
 */
typedef struct DayBucket
{
	int32		bucket;			/* day >> DAY_SHIFT; zeros are the right bucket of day 0 */
	int32		split;			/* day */
	int32		before;			/* month ordinal */
	int32		after;
	int32		start;			/* first day of the month before the split */
} DayBucket;

#define DAY_BUCKETS		1024	/* a power of two; 45 years */
#define DAY_SHIFT		4		/* at most one month starts in a bucket */

extern DayBucket calendar_days[DAY_BUCKETS];
extern DayBucket *calendar_days_miss(int32 day);

/*
 * Hours are counted from this many hours after 2000-01-01, so that all of
 * PostgreSQL's timestamp range (4713 BC to 294276 AD) fits in an int32.
 */
#define CALENDAR_HOUR_ORIGIN INT64CONST(1200000000)

/* 2000-01-01, day 0 of PostgreSQL's dates, was a Saturday (5 after Monday). */
#define CALENDAR_EPOCH_WEEKDAY 5

/* days from day 0 back to the start of its week */
#define CALENDAR_WEEK_SHIFT(spec) ((CALENDAR_EPOCH_WEEKDAY - (spec).week_start + 7) % 7)

/* wall-clock start of a period; clamped to the timestamp range */
extern Timestamp calendar_start(const Calendar *cal, int32 period);
extern int32 calendar_period_of_wall(const Calendar *cal, Timestamp wall);

/* zone conversions, as AT TIME ZONE does them; identity when not zoned */
extern Timestamp calendar_to_wall(Calendar *cal, int64 instant);
extern int64 calendar_from_wall(Calendar *cal, Timestamp wall);

/* what a cache miss calls */
extern int32 calendar_period_miss(Calendar *cal, int64 instant);

/* wall + k * width, plain timestamp arithmetic; PG_INT64_MAX beyond the range */
extern Timestamp rolling_wall_start(const RollingWidth *w, Timestamp wall, int32 k);

/* anchor + k * width as an instant; PG_INT64_MAX beyond the range */
extern int64 rolling_start(Calendar *cal, const RollingWidth *w, int64 anchor, int32 k);

/* largest k with rolling_start(k) <= at; requires at >= anchor */
extern int32 rolling_index(Calendar *cal, const RollingWidth *w, int64 anchor, int64 at);

/* checks the interval and fills in the derived fields */
extern RollingWidth rolling_width(bool zoned, int32 months, int32 days, int64 micros);
extern bool rolling_width_valid(int32 months, int32 days, int64 micros);

/* The period of an instant, if it has been met before: true in the usual case. */
static pg_attribute_always_inline bool
step_cache_probe(const StepCache *periods, int64 instant, int32 *period)
{
	int64		bucket = instant >> periods->shift;
	const StepBucket *b = &periods->buckets[bucket & (STEP_BUCKETS - 1)];

	*period = instant < b->split ? b->before : b->after;
	return b->bucket == bucket && b->split != STEP_SLOW;
}

/* The period of an instant: one cache probe in the usual case. */
static inline int32
calendar_period(Calendar *cal, int64 instant)
{
	int32		period;

	if (likely(step_cache_probe(&cal->periods, instant, &period)))
		return period;
	return calendar_period_miss(cal, instant);
}

/* Floor of a quotient, for any sign. */
static inline int32
calendar_floor(int32 a, int32 b)
{
	return a / b - (a % b < 0);
}

static inline const DayBucket *
calendar_day_bucket(int32 day)
{
	DayBucket  *b = &calendar_days[(day >> DAY_SHIFT) & (DAY_BUCKETS - 1)];

	if (unlikely(b->bucket != day >> DAY_SHIFT))
		b = calendar_days_miss(day);
	return b;
}

/* The same periods as calendar_period_of_wall(), with a probe for months. */
static inline int32
calendar_period_of_day(PeriodSpec spec, int32 day)
{
	const DayBucket *b;
	int32		month;

	switch ((PeriodUnit) spec.unit)
	{
		case PERIOD_HOUR:
			return (int32) (day * INT64CONST(24) - CALENDAR_HOUR_ORIGIN);
		case PERIOD_DAY:
			return day;
		case PERIOD_WEEK:
			return calendar_floor(day + CALENDAR_WEEK_SHIFT(spec), 7);
		default:
			break;
	}
	b = calendar_day_bucket(day);
	month = day < b->split ? b->before : b->after;
	if (spec.unit == PERIOD_MONTH)
		return month;
	return calendar_floor(month, spec.unit == PERIOD_QUARTER ? 3 :
						  spec.unit == PERIOD_HALF ? 6 : MONTHS_PER_YEAR);
}

/* The first day of a day's month. */
static inline int32
calendar_month_start(int32 day)
{
	const DayBucket *b = calendar_day_bucket(day);

	return day < b->split ? b->start : b->split;
}

/*
 * Whole months from one day to a later one, anniversaries of the 29th to the
 * 31st being the last day of shorter months.
 */
static inline int32
calendar_months_between(int32 from, int32 to)
{
	PeriodSpec	month = {PERIOD_MONTH, 0};
	int32		months = calendar_period_of_day(month, to) - calendar_period_of_day(month, from);
	int32		from_mday = from - calendar_month_start(from);
	int32		mday = to - calendar_month_start(to);

	if (mday >= from_mday ||
		(from_mday >= 28 && calendar_month_start(to + 1) == to + 1))
		return months;
	return months - 1;
}

#endif							/* RETENTION_CALENDAR_H */
