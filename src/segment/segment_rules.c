/*
 * segment_rules.c
 *	  The rules of the behaviour segments: thresholds, words, and which one fits.
 *
 * Seasons are looked at only as long as all days so far lie in one of them, which
 * most customers' second or third day ends; windows from the last day back.
 *
 * Promises: see segment.h.
 * Never: allocates, but for words.
 */
#include "segment/segment.h"

#include "calendar/calendar.h"
#include "common/shortest_dec.h"
#include "datatype/timestamp.h"
#include "history/history_days.h"
#include "lib/stringinfo.h"
#include "utils/date.h"
#include "utils/datetime.h"

const char *const segment_names[SEGMENTS] = {
	"seasonal", "inactive", "one_time", "two_time", "loyalist", "under_performer"
};

/* ---------- thresholds ---------- */

static void
check_at_least(int32 value, int32 least, const char *name)
{
	if (value < least)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be at least %d, not %d", name, least, value)));
}

/* written so that NaN fails */
static void
check_share(double value, const char *name)
{
	if (!(value >= 0 && value <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between 0 and 1, not %g", name, value)));
}

void
segment_rules_check(const SegmentRules *rules)
{
	check_at_least(rules->inactive_after, 0, "inactive_after");
	check_at_least(rules->seasonal_min_days, 1, "seasonal_min_days");
	check_at_least(rules->seasonal_min_years, 1, "seasonal_min_years");
	check_at_least(rules->seasonal_min_age, 0, "seasonal_min_age");
	check_at_least(rules->loyalist_windows, 1, "loyalist_windows");
	check_at_least(rules->loyalist_window_days, 1, "loyalist_window_days");
	check_share(rules->max_chance, "max_chance");
	check_share(rules->loyalist_share, "loyalist_share");
	if (rules->season_start < 1 || rules->season_start > MONTHS_PER_YEAR)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("season_start must be a month from 1 to 12, not %d",
						rules->season_start)));
	if (rules->season_months < 1 || rules->season_months > 6 ||
		MONTHS_PER_YEAR % rules->season_months != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("season_months must be 1, 2, 3, 4 or 6, not %d",
						rules->season_months),
				 errhint("The months of a year are shared out between seasons of the same length.")));
}

/* ---------- seasons ---------- */

typedef struct Season
{
	int32		year;			/* since 2000, of its first month */
	int32		place;			/* in the year */
} Season;

static inline Season
season_of(const SegmentRules *rules, DateADT day)
{
	PeriodSpec	month = {PERIOD_MONTH, 0};
	int32		months = calendar_period_of_day(month, day) - (rules->season_start - 1);
	Season		season;

	season.year = calendar_floor(months, MONTHS_PER_YEAR);
	season.place = (months - season.year * MONTHS_PER_YEAR) / rules->season_months;
	return season;
}

/* The first day of a season; that of the next where "next" is 1. */
static int64
season_start(const SegmentRules *rules, Season season, int next)
{
	int32		months = season.year * MONTHS_PER_YEAR + rules->season_start - 1 +
	(season.place + next) * rules->season_months;
	int32		year = calendar_floor(months, MONTHS_PER_YEAR);

	return (int64) date2j(year + 2000, months - year * MONTHS_PER_YEAR + 1, 1) -
		POSTGRES_EPOCH_JDATE;
}

/* ---------- a customer's days ---------- */

typedef struct Days
{
	DayList		list;
	int64		n;				/* up to as_of */
	DateADT		first;
	DateADT		last;
} Days;

/* The days up to as_of; false if there is none. */
static inline bool
read_days(const CustomerHistory *history, DateADT as_of, Days *days)
{
	days->list = day_list_of(history);
	days->n = days->list.n;
	while (days->n > 0 && days->list.days[days->n - 1] > as_of)
		days->n--;
	if (days->n == 0)
		return false;
	days->first = days->list.days[0];
	days->last = days->list.days[days->n - 1];
	return true;
}

/*
 * How many of the first days lie in one season of the year: remembered, since
 * the same history is often asked for its segments on several days.
 */
static inline int64
days_in_one_season(const SegmentRules *rules, const DayList *list)
{
	static struct
	{
		uint64		serial;
		int32		season_start;
		int32		season_months;
		int64		n;
	}			known;
	int32		place;
	int64		n = 1;

	if (known.serial == list->serial && known.season_start == rules->season_start &&
		known.season_months == rules->season_months && list->serial != 0)
		return known.n;
	place = season_of(rules, list->days[0]).place;
	while (n < list->n && season_of(rules, list->days[n]).place == place)
		n++;
	known.serial = list->serial;
	known.season_start = rules->season_start;
	known.season_months = rules->season_months;
	known.n = n;
	return n;
}

static int32
season_years(const SegmentRules *rules, const Days *days)
{
	int32		year = season_of(rules, days->first).year;
	int32		years = 1;

	for (int64 i = 1; i < days->n; i++)
	{
		int32		next = season_of(rules, days->list.days[i]).year;

		years += next != year;
		year = next;
	}
	return years;
}

/* Is there a day in at least the loyalist's share of so many windows back from as_of? */
static inline bool
is_loyal(const SegmentRules *rules, const Days *days, DateADT as_of, int64 windows)
{
	int64		length = rules->loyalist_window_days;
	int64		begin = as_of - windows * length;
	int64		start = (int64) as_of + 1;	/* of the window that was counted last */
	double		share = rules->loyalist_share * windows;
	int64		missing = (int64) share;

	/* the product may have been rounded past a whole number: 0.55 * 20 */
	if (missing != share && (double) missing / windows < rules->loyalist_share)
		missing++;
	for (int64 i = days->n - 1; missing > 0 && i >= 0; i--)
	{
		DateADT		day = days->list.days[i];

		if (day <= begin)
			return false;
		if (day >= start)
			continue;
		missing--;
		start = as_of + 1 - (int64) ((uint32) (as_of - day) / (uint32) length + 1) * length;
	}
	return missing == 0;
}

/* ---------- chance ---------- */

/* C(part, n) / C(whole, n): do n days out of "whole" all fall into "part" of them? */
static double
share_of_choices(int64 part, int64 whole, int64 n)
{
	double		share = 1;

	if (n > part)
		return 0;
	for (int64 i = 0; i < n && share > 0; i++)
		share *= (double) (part - i) / (double) (whole - i);
	return share;
}

/*
 * A customer without seasons, seen from his first day to the day "end", has his
 * other n - 1 days anywhere in between, every choice being as likely as any
 * other.  With N days after the first to "end", M of them in the first day's
 * season and m of those in its year, all days lie in one season, of two years
 * or more, with probability
 *		(C(M, n - 1) - C(m, n - 1)) / C(N, n - 1)
 * which is more than that of any greater number of years.
 *
 * He may have left for good on any day from his last one to as_of, with nothing
 * to be seen on the days after it: the chance is the largest over all such ends.
 * Whichever was the true one, the rule then fires for no more than max_chance of
 * such customers.  The probability grows with each day in the season and falls
 * with others, so that the ends to be tried are the last day and the seasons'.
 */
static double
chance_at(const SegmentRules *rules, const Days *days, int64 in_season, int64 in_year, int64 end)
{
	int64		all = end - days->first;
	double		chance = share_of_choices(in_season, all, days->n - 1);

	if (rules->seasonal_min_years > 1)
		chance -= share_of_choices(in_year, all, days->n - 1);
	return Max(chance, 0);
}

static double
chance_of(const SegmentRules *rules, const Days *days, DateADT as_of)
{
	Season		season = season_of(rules, days->first);
	int32		year = season.year;
	int64		in_season = 0;	/* days after the first, in all years so far */
	int64		in_year = 0;
	int64		end = days->first;	/* of the year before */
	double		chance = 0;

	for (;;)
	{
		int64		start = season_start(rules, season, 0);

		if (days->last > end && days->last < start)
			chance = chance_at(rules, days, in_season, in_year, days->last);
		if (start > as_of)
			return chance;
		start = Max(start, (int64) days->first + 1);
		end = Min(season_start(rules, season, 1) - 1, (int64) as_of);
		in_season += end - start + 1;
		if (season.year == year)
			in_year = in_season;
		if (end >= days->last)
			chance = Max(chance, chance_at(rules, days, in_season, in_year, end));
		season.year++;
	}
}

/* ---------- which rule fits ---------- */

/* The season is not over yet, one year after he last bought in it. */
static inline bool
season_still_due(const SegmentRules *rules, Season last, DateADT as_of)
{
	last.year++;
	return as_of < season_start(rules, last, 1);
}

static Segment
classify(const SegmentRules *rules, const Days *days, DateADT as_of)
{
	int64		age = (int64) as_of - days->first;
	int64		windows;

	if (days->n >= rules->seasonal_min_days && age >= rules->seasonal_min_age &&
		days_in_one_season(rules, &days->list) >= days->n &&
		season_years(rules, days) >= rules->seasonal_min_years &&
		season_still_due(rules, season_of(rules, days->last), as_of) &&
		(rules->max_chance >= 1 || chance_of(rules, days, as_of) <= rules->max_chance))
		return SEGMENT_SEASONAL;
	if ((int64) as_of - days->last > rules->inactive_after)
		return SEGMENT_INACTIVE;
	if (days->n <= 2)
		return days->n == 1 ? SEGMENT_ONE_TIME : SEGMENT_TWO_TIME;
	/* windows that began after the first day are all there are */
	windows = Min(age / rules->loyalist_window_days + 1, rules->loyalist_windows);
	return is_loyal(rules, days, as_of, windows) ? SEGMENT_LOYALIST : SEGMENT_UNDER_PERFORMER;
}

Segment
segment_of(const SegmentRules *rules, const CustomerHistory *history, DateADT as_of)
{
	Days		days;

	if (!read_days(history, as_of, &days))
		return SEGMENT_NONE;
	return classify(rules, &days, as_of);
}

bool
segment_chance(const SegmentRules *rules, const CustomerHistory *history, DateADT as_of,
			   double *chance)
{
	Days		days;

	if (!read_days(history, as_of, &days))
		return false;
	*chance = chance_of(rules, &days, as_of);
	return true;
}

/* ---------- words ---------- */

static char *
shortest(double value)
{
	char	   *text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);

	double_to_shortest_decimal_buf(value, text);
	return text;
}

static char *
plural(int32 n, const char *one, const char *many)
{
	return psprintf("%d %s", n, n == 1 ? one : many);
}

/* "Dec-Feb, Mar-May, ..." */
static char *
season_names(const SegmentRules *rules)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < MONTHS_PER_YEAR; i += rules->season_months)
	{
		int			from = rules->season_start - 1 + i;

		appendStringInfo(&buf, "%s%s", i == 0 ? "" : ", ", months[from % MONTHS_PER_YEAR]);
		if (rules->season_months > 1)
			appendStringInfo(&buf, "-%s",
							 months[(from + rules->season_months - 1) % MONTHS_PER_YEAR]);
	}
	return buf.data;
}

static char *
seasonal_text(const SegmentRules *rules)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "at least %s, all in one season (%s)",
					 plural(rules->seasonal_min_days, "purchase day", "purchase days"),
					 season_names(rules));
	if (rules->seasonal_min_years > 1)
		appendStringInfo(&buf, " of at least %d different years", rules->seasonal_min_years);
	appendStringInfo(&buf, ", the first at least %s ago, and the next year's season not yet over",
					 plural(rules->seasonal_min_age, "day", "days"));
	if (rules->max_chance < 1)
		appendStringInfo(&buf, "; a customer without seasons would buy so with a chance of at most %s",
						 shortest(rules->max_chance));
	return buf.data;
}

char *
segment_rule_text(const SegmentRules *rules, Segment segment)
{
	switch (segment)
	{
		case SEGMENT_SEASONAL:
			return seasonal_text(rules);
		case SEGMENT_INACTIVE:
			return psprintf("last purchase more than %s ago",
							plural(rules->inactive_after, "day", "days"));
		case SEGMENT_ONE_TIME:
			return pstrdup("one purchase day");
		case SEGMENT_TWO_TIME:
			return pstrdup("two purchase days");
		case SEGMENT_LOYALIST:
			return psprintf("bought in at least %s of the last %s of %s, or of those since the first purchase where they are fewer",
							shortest(rules->loyalist_share),
							plural(rules->loyalist_windows, "window", "windows"),
							plural(rules->loyalist_window_days, "day", "days"));
		case SEGMENT_UNDER_PERFORMER:
			return pstrdup("everybody else who has bought");
		case SEGMENT_NONE:
			break;
	}
	pg_unreachable();
}
