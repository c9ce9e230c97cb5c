/*
 * calendar.c
 *	  Instants to calendar periods and rolling windows, zone-aware.
 *
 * The period of an instant is a step function of time.  It is evaluated once
 * per bucket of time (a power of two of microseconds, shorter than any period
 * of the unit), and kept in a direct-mapped cache, so that a lookup is a shift,
 * a load and a compare whatever order the instants come in.
 *
 * Promises and limits: see calendar.h.
 */
#include "calendar/calendar.h"

#include <ctype.h>

#include "common/int.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

static const char *const unit_names[] = {
	"hour", "day", "week", "month", "quarter", "year", "half", NULL
};

static const char *const weekday_names[] = {
	"monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
	"sunday", NULL
};

static const char *const week_names[] = {
	"week", "week:tuesday", "week:wednesday", "week:thursday", "week:friday",
	"week:saturday", "week:sunday"
};

/*
 * Buckets are powers of two of microseconds.  Each is shorter than the
 * shortest period of its unit: 35.8 minutes, 19.1 hours, 6.4 days, 25.5 days,
 * 50.9 days, 203 days, 102 days.
 */
static const int unit_shift[] = {31, 36, 39, 41, 42, 44, 43};

/* Offsets change every few months: buckets of 50.9 days. */
#define OFFSET_SHIFT 42

static inline int64
floor_div(int64 a, int64 b)
{
	int64		q = a / b;

	return (a % b != 0 && (a < 0) != (b < 0)) ? q - 1 : q;
}

/* ---------- names ---------- */

PeriodSpec
period_parse(const char *text, int len)
{
	PeriodSpec	spec = {0, 0};
	int			unit = retention_word_index(text, len, unit_names);

	if (unit < 0 && len > 5 && pg_strncasecmp(text, "week:", 5) == 0)
	{
		int			day = retention_word_index(text + 5, len - 5, weekday_names);

		if (day >= 0)
		{
			spec.unit = PERIOD_WEEK;
			spec.week_start = day;
			return spec;
		}
	}
	if (unit < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown period \"%.*s\"", len, text),
				 errhint("Use 'hour', 'day', 'week', 'month', 'quarter', 'half' or 'year', "
						 "or a week that starts on another day, as in 'week:sunday'.")));
	spec.unit = unit;
	return spec;
}

const char *
period_name(PeriodSpec spec)
{
	if (spec.unit == PERIOD_WEEK)
		return week_names[spec.week_start];
	return unit_names[spec.unit];
}

const char *
period_unit_name(PeriodSpec spec)
{
	return unit_names[spec.unit];
}

pg_tz *
zone_find(const char *text, int len)
{
	char		name[TZ_STRLEN_MAX + 2];
	pg_tz	   *tz;

	/*
	 * No zone's name begins with a digit, though the parser of POSIX zones takes '30 days' for
	 * one.
	 */
	if (len <= 0 || len > TZ_STRLEN_MAX || memchr(text, '\0', len) != NULL ||
		isdigit((unsigned char) text[0]))
		return NULL;
	memcpy(name, text, len);
	name[len] = '\0';
	tz = pg_tzset(name);
	/* zones with leap seconds would make every minute of this wrong */
	return tz != NULL && pg_tz_acceptable(tz) ? tz : NULL;
}

pg_tz *
zone_parse(const char *text, int len)
{
	pg_tz	   *tz = zone_find(text, len);

	if (tz == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%.*s\" not recognized", len, text),
				 errhint("Use a name of pg_timezone_names, such as 'Europe/Paris' or 'UTC'. "
						 "A rolling window is an interval: interval '30 days'.")));
	return tz;
}

/* ---------- wall clock to period and back ---------- */

static int64
month_ordinal(Timestamp wall)
{
	int			year,
				month,
				day;

	j2date((int) (floor_div(wall, USECS_PER_DAY) + POSTGRES_EPOCH_JDATE),
		   &year, &month, &day);
	return ((int64) year - 2000) * MONTHS_PER_YEAR + month - 1;
}

int32
calendar_period_of_wall(const Calendar *cal, Timestamp wall)
{
	switch ((PeriodUnit) cal->spec.unit)
	{
		case PERIOD_HOUR:
			return (int32) (floor_div(wall, USECS_PER_HOUR) - CALENDAR_HOUR_ORIGIN);
		case PERIOD_DAY:
			return (int32) floor_div(wall, USECS_PER_DAY);
		case PERIOD_WEEK:
			return (int32) floor_div(floor_div(wall, USECS_PER_DAY) + CALENDAR_WEEK_SHIFT(cal->spec), 7);
		case PERIOD_MONTH:
			return (int32) month_ordinal(wall);
		case PERIOD_QUARTER:
			return (int32) floor_div(month_ordinal(wall), 3);
		case PERIOD_YEAR:
			return (int32) floor_div(month_ordinal(wall), MONTHS_PER_YEAR);
		case PERIOD_HALF:
			return (int32) floor_div(month_ordinal(wall), 6);
	}
	pg_unreachable();
}

/* microseconds of a day count, clamped to what a timestamp can hold */
static Timestamp
day_to_wall(int64 day)
{
	int64		result;

	if (pg_mul_s64_overflow(day, USECS_PER_DAY, &result) || result > END_TIMESTAMP)
		return END_TIMESTAMP;
	return Max(result, MIN_TIMESTAMP);
}

static Timestamp
month_to_wall(int64 months)
{
	int64		year = floor_div(months, MONTHS_PER_YEAR) + 2000;
	int			month = (int) (months - floor_div(months, MONTHS_PER_YEAR) * MONTHS_PER_YEAR) + 1;

	if (year > 294277)
		return END_TIMESTAMP;
	if (year < -4713)
		return MIN_TIMESTAMP;
	return day_to_wall((int64) date2j((int) year, month, 1) - POSTGRES_EPOCH_JDATE);
}

Timestamp
calendar_start(const Calendar *cal, int32 period)
{
	int64		hour;

	switch ((PeriodUnit) cal->spec.unit)
	{
		case PERIOD_HOUR:
			hour = (int64) period + CALENDAR_HOUR_ORIGIN;
			if (hour >= END_TIMESTAMP / USECS_PER_HOUR)
				return END_TIMESTAMP;
			return Max(hour * USECS_PER_HOUR, MIN_TIMESTAMP);
		case PERIOD_DAY:
			return day_to_wall(period);
		case PERIOD_WEEK:
			return day_to_wall((int64) period * 7 - CALENDAR_WEEK_SHIFT(cal->spec));
		case PERIOD_MONTH:
			return month_to_wall(period);
		case PERIOD_QUARTER:
			return month_to_wall((int64) period * 3);
		case PERIOD_YEAR:
			return month_to_wall((int64) period * MONTHS_PER_YEAR);
		case PERIOD_HALF:
			return month_to_wall((int64) period * 6);
	}
	pg_unreachable();
}

/* ---------- days ---------- */

DayBucket	calendar_days[DAY_BUCKETS];

DayBucket *
calendar_days_miss(int32 day)
{
	DayBucket  *b = &calendar_days[(day >> DAY_SHIFT) & (DAY_BUCKETS - 1)];
	int32		start = day >> DAY_SHIFT << DAY_SHIFT;
	int32		last = start + (1 << DAY_SHIFT) - 1;
	int			year,
				month,
				mday;

	/* the calendar's first day may lie within a bucket */
	start = Max(start, DATETIME_MIN_JULIAN - POSTGRES_EPOCH_JDATE);
	j2date(start + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	b->before = b->after = (year - 2000) * MONTHS_PER_YEAR + month - 1;
	b->start = start - mday + 1;
	b->split = PG_INT32_MAX;
	j2date(last + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	if ((year - 2000) * MONTHS_PER_YEAR + month - 1 != b->before)
	{
		b->after++;
		b->split = last - mday + 1;
	}
	b->bucket = day >> DAY_SHIFT;
	return b;
}

/* ---------- step functions and their caches ---------- */

/* value of the step function at an instant, and where that step may end */
typedef int32 (*StepFunction) (Calendar *cal, int64 instant, int64 *end);

static void
step_cache_init(StepCache *cache, int shift)
{
	cache->shift = shift;
	cache->buckets = palloc(sizeof(StepBucket) * STEP_BUCKETS);
	for (int i = 0; i < STEP_BUCKETS; i++)
	{
		cache->buckets[i].bucket = STEP_UNUSED;
		cache->buckets[i].split = STEP_SLOW;
	}
}

static StepBucket *
step_cache_fill(Calendar *cal, StepCache *cache, StepFunction f, int64 instant)
{
	int64		bucket = instant >> cache->shift;
	StepBucket *b = &cache->buckets[bucket & (STEP_BUCKETS - 1)];
	int64		start = bucket * (INT64CONST(1) << cache->shift);
	int64		stop;
	int64		end;
	int64		at;

	if (b->bucket == bucket)
		return b;
	if (pg_add_s64_overflow(start, INT64CONST(1) << cache->shift, &stop))
		stop = PG_INT64_MAX;
	b->bucket = bucket;
	at = Max(start, MIN_TIMESTAMP);
	b->before = b->after = f(cal, at, &end);
	b->split = stop;
	while (end < stop)
	{
		int32		value;

		at = end;
		value = f(cal, at, &end);
		Assert(end > at);
		if (value == b->after)
			continue;
		if (b->split != stop)
		{
			b->split = STEP_SLOW;
			break;
		}
		b->split = at;
		b->after = value;
	}
	return b;
}

static int32
step_cache_get(Calendar *cal, StepCache *cache, StepFunction f, int64 instant)
{
	StepBucket *b = step_cache_fill(cal, cache, f, instant);
	int64		end;

	if (b->split == STEP_SLOW)
		return f(cal, instant, &end);
	return instant < b->split ? b->before : b->after;
}

static int32
offset_step(Calendar *cal, int64 instant, int64 *end)
{
	pg_time_t	t = floor_div(instant, USECS_PER_SEC) +
	((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY);
	pg_time_t	boundary;
	long int	before,
				after;
	int			before_dst,
				after_dst;
	int			found = pg_next_dst_boundary(&t, &before, &before_dst, &boundary,
											 &after, &after_dst, cal->tz);

	*end = PG_INT64_MAX;
	if (found == 1)
	{
		int64		seconds = boundary -
		((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY);

		if (pg_mul_s64_overflow(seconds, USECS_PER_SEC, end))
			*end = PG_INT64_MAX;
	}
	return (int32) before;
}

static int32
period_step(Calendar *cal, int64 instant, int64 *end)
{
	int64		offset = 0;
	int64		offset_end = PG_INT64_MAX;
	int32		period;
	Timestamp	next;

	if (cal->zoned)
		offset = offset_step(cal, instant, &offset_end) * USECS_PER_SEC;
	/* wall clocks before the first timestamp or past the last have no period of their own */
	period = calendar_period_of_wall(cal, Min(Max(instant + offset, MIN_TIMESTAMP),
											  END_TIMESTAMP - 1));
	next = calendar_start(cal, period + 1);
	*end = next >= END_TIMESTAMP ? PG_INT64_MAX : next - offset;
	*end = Min(*end, offset_end);
	return period;
}

int32
calendar_period_miss(Calendar *cal, int64 instant)
{
	return step_cache_get(cal, &cal->periods, period_step, instant);
}

static inline int64
offset_at(Calendar *cal, int64 instant)
{
	return step_cache_get(cal, &cal->offsets, offset_step, instant) * USECS_PER_SEC;
}

/* Does the offset keep one value from "from" to "to", at most a bucket apart? */
static bool
offset_constant(Calendar *cal, int64 from, int64 to)
{
	StepBucket	first = *step_cache_fill(cal, &cal->offsets, offset_step, from);
	StepBucket	last;

	if (first.split == STEP_SLOW)
		return false;
	if (to >> OFFSET_SHIFT == first.bucket)
		return to < first.split || from >= first.split;
	last = *step_cache_fill(cal, &cal->offsets, offset_step, to);
	if (last.split == STEP_SLOW)
		return false;
	return (from >= first.split || first.before == first.after) &&
		to < last.split && first.after == last.before;
}

Calendar *
calendar_create(PeriodSpec spec, bool zoned, pg_tz *tz)
{
	Calendar   *cal = palloc0(sizeof(Calendar));

	Assert(tz != NULL || !zoned);
	cal->spec = spec;
	cal->zoned = zoned;
	cal->tz = tz;
	cal->zone = tz ? pstrdup(pg_get_timezone_name(tz)) : "";
	step_cache_init(&cal->periods, unit_shift[spec.unit]);
	if (zoned)
		step_cache_init(&cal->offsets, OFFSET_SHIFT);
	return cal;
}

/* ---------- zones ---------- */

Timestamp
calendar_to_wall(Calendar *cal, int64 instant)
{
	Timestamp	wall;

	if (!cal->zoned)
		return instant;
	wall = instant + offset_at(cal, instant);
	if (!IS_VALID_TIMESTAMP(wall))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range in time zone \"%s\"", cal->zone)));
	return wall;
}

/*
 * No offset from UTC has ever been more than 16 hours; within a day and some
 * of a change, the server's own rules for gaps and overlaps decide.
 */
#define OFFSET_MARGIN (26 * USECS_PER_HOUR)

int64
calendar_from_wall(Calendar *cal, Timestamp wall)
{
	struct pg_tm tm;
	fsec_t		fsec;
	int			tz;

	if (!cal->zoned)
		return wall;
	if (wall > MIN_TIMESTAMP + OFFSET_MARGIN && wall < END_TIMESTAMP - OFFSET_MARGIN &&
		offset_constant(cal, wall - OFFSET_MARGIN, wall + OFFSET_MARGIN))
		return wall - offset_at(cal, wall);
	if (timestamp2tm(wall, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	tz = DetermineTimeZoneOffset(&tm, cal->tz);
	return wall + (int64) tz * USECS_PER_SEC;
}

/* ---------- rolling windows ---------- */

bool
rolling_width_valid(int32 months, int32 days, int64 micros)
{
	return months >= 0 && days >= 0 && micros >= 0 &&
		(months > 0 || days > 0 || micros > 0);
}

/* An interval may have more days than there are microseconds for. */
static int64
days_micros(int64 days)
{
	int64		micros;

	return pg_mul_s64_overflow(days, USECS_PER_DAY, &micros) ? PG_INT64_MAX : micros;
}

RollingWidth
rolling_width(bool zoned, int32 months, int32 days, int64 micros)
{
	RollingWidth w = {months, days, micros, 0, 0};
	int64		length;

	Assert(rolling_width_valid(months, days, micros));

	/* a length past the timestamp range means that window 0 never ends */
	if (pg_add_s64_overflow(days_micros(days), micros, &length))
		length = PG_INT64_MAX;
	if (months == 0 && (days == 0 || !zoned))
		w.fixed = w.shortest = length;
	else
	{
		/* no month has fewer than 28 days; zone changes may cost a day and some */
		if (pg_add_s64_overflow(length, days_micros((int64) months * 28), &length))
			length = PG_INT64_MAX;
		w.shortest = zoned ? Max(length - 2 * OFFSET_MARGIN, 0) : length;
	}
	return w;
}

static Timestamp
add_months(Timestamp wall, int64 months)
{
	int64		day = floor_div(wall, USECS_PER_DAY);
	int64		time = wall - day * USECS_PER_DAY;
	int64		ordinal;
	int			year,
				month,
				mday;

	j2date((int) (day + POSTGRES_EPOCH_JDATE), &year, &month, &mday);
	ordinal = (int64) year * MONTHS_PER_YEAR + month - 1 + months;
	if (ordinal / MONTHS_PER_YEAR > 294276)
		return PG_INT64_MAX;
	year = (int) floor_div(ordinal, MONTHS_PER_YEAR);
	month = (int) (ordinal - (int64) year * MONTHS_PER_YEAR) + 1;
	/* Jan 31 + 1 month is the last day of February */
	mday = Min(mday, day_tab[isleap(year)][month - 1]);
	day = (int64) date2j(year, month, mday) - POSTGRES_EPOCH_JDATE;
	return day * USECS_PER_DAY + time;
}

static Timestamp
add_micros(Timestamp t, int64 each, int32 k)
{
	int64		by;

	if (pg_mul_s64_overflow(each, k, &by) || pg_add_s64_overflow(t, by, &t) ||
		t >= END_TIMESTAMP)
		return PG_INT64_MAX;
	return t;
}

Timestamp
rolling_wall_start(const RollingWidth *w, Timestamp wall, int32 k)
{
	if (w->months != 0)
		wall = add_months(wall, (int64) w->months * k);
	if (w->days != 0 && wall != PG_INT64_MAX)
		wall = add_micros(wall, days_micros(w->days), k);
	if (wall != PG_INT64_MAX)
		wall = add_micros(wall, w->micros, k);
	return wall;
}

/* In the server's own order: months, then days, each on the wall clock, then time. */
int64
rolling_start(Calendar *cal, const RollingWidth *w, int64 anchor, int32 k)
{
	int64		t = anchor;

	if (!cal->zoned)
		return rolling_wall_start(w, anchor, k);
	if (k == 0)
		return anchor;
	if (w->months != 0)
	{
		t = add_months(calendar_to_wall(cal, t), (int64) w->months * k);
		if (t != PG_INT64_MAX)
			t = calendar_from_wall(cal, t);
	}
	if (w->days != 0 && t != PG_INT64_MAX)
	{
		t = add_micros(calendar_to_wall(cal, t), days_micros(w->days), k);
		if (t != PG_INT64_MAX)
			t = calendar_from_wall(cal, t);
	}
	if (t != PG_INT64_MAX)
		t = add_micros(t, w->micros, k);
	return t;
}

int32
rolling_index(Calendar *cal, const RollingWidth *w, int64 anchor, int64 at)
{
	/* the average length of a window is a first guess, mended below */
	double		length = w->fixed ? (double) w->fixed :
	w->months * (365.2425 / 12 * USECS_PER_DAY) +
	w->days * (double) USECS_PER_DAY + w->micros;
	int64		k;

	Assert(at >= anchor);
	if (((double) at - (double) anchor) / length > (double) (PG_INT32_MAX / 2))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("more than %d rolling windows between two events of a customer",
						PG_INT32_MAX / 2),
				 errhint("Use a longer window, or filter out the outlying events.")));
	if (w->fixed)
		return (int32) (((uint64) at - (uint64) anchor) / (uint64) w->fixed);
	k = (int64) (((double) at - (double) anchor) / length);
	while (k > 0 && rolling_start(cal, w, anchor, (int32) k) > at)
		k--;
	while (rolling_start(cal, w, anchor, (int32) k + 1) <= at)
		k++;
	return (int32) k;
}
