/*
 * cohort_view.c
 *	  A cohort_table seen from a day: cells of one measure, cohort by cohort.
 *
 * Every measure is a sum of ranges: "on_or_after" counts a member in 0..last,
 * "streak" in 1..streak, "on_or_before" from the first return on, "by" from the first
 * activity on.  Each range
 * ends where the member's closed windows end.  Ranges are added as differences
 * and summed once for each cohort.
 */
#include "cohort/cohort_view.h"

#include <ctype.h>

#include "fmgr/notice.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

static const char *const measure_names[] = {
	"on", "on_or_after", "on_or_before", "by", "streak", NULL
};

Measure
measure_parse(const text *t)
{
	int			measure = retention_word_index(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t),
											   measure_names);

	if (measure < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown measure \"%s\"", text_to_cstring(t)),
				 errhint("Use 'on', 'on_or_after', 'on_or_before', 'by' or 'streak'.")));
	return (Measure) measure;
}

/* ---------- as_of ---------- */

/* Where the latest event of a table ends: a date at the end of that day. */
static inline int64
latest_end(const CohortReader *reader)
{
	return reader->latest + (reader->params.dates ? USECS_PER_DAY : 0);
}

/* As of the latest event of a table. */
static AsOf
latest_event(const CohortReader *reader)
{
	AsOf		as_of = {reader->params.zoned ? AS_OF_TIMESTAMPTZ : AS_OF_TIMESTAMP, reader->latest};

	/* the end of the last day that there is has no timestamp */
	if (reader->params.dates && latest_end(reader) < END_TIMESTAMP)
	{
		as_of.kind = AS_OF_DATE;
		as_of.value = reader->latest / USECS_PER_DAY;
	}
	return as_of;
}

AsOf
cohort_view_later(const CohortTable *a, const CohortTable *b)
{
	CohortReader ra;
	CohortReader rb;
	const CohortReader *later;

	cohort_reader_open(&ra, a);
	cohort_reader_open(&rb, b);
	if (!ra.empty && !rb.empty)
		cohort_params_match(&ra.params, &rb.params);
	if (ra.empty || rb.empty)
		later = ra.empty ? &rb : &ra;
	else if (latest_end(&ra) != latest_end(&rb))
		later = latest_end(&ra) > latest_end(&rb) ? &ra : &rb;
	else
		/* what an instant has just begun, the end of a day has not */
		later = ra.params.dates ? &rb : &ra;
	return later->empty ? as_of_none() : latest_event(later);
}

/* In the zone that the table was given, or the session's. */
static void
resolve_as_of(CohortView *view, AsOf as_of)
{
	CohortParams *params = &view->reader.params;
	pg_tz	   *tz = params->zone[0] ? zone_parse(params->zone, strlen(params->zone)) : NULL;

	if (as_of.kind == AS_OF_NONE)
		as_of = latest_event(&view->reader);
	view->as_of_wall = as_of_end(&as_of, tz);
	view->as_of_instant = params->zoned ? as_of_end_instant(&as_of, tz) : view->as_of_wall;
	view->as_of_period = calendar_period_of_wall(view->calendar, view->as_of_wall);
	/* an instant is seen itself; the end of a day is the next one's begin, of which nothing is */
	view->last_wall = as_of.kind == AS_OF_DATE ? view->as_of_wall - 1 : view->as_of_wall;
}

int64
cohort_view_silence(const CohortView *view)
{
	Timestamp	latest;
	int64		days;

	if (view->reader.empty)
		return 0;
	latest = calendar_to_wall(view->calendar, view->reader.latest);
	days = (view->as_of_wall - latest) / USECS_PER_DAY - (view->reader.params.dates ? 1 : 0);
	if (days < 1 ||
		(int64) view->as_of_period - calendar_period_of_wall(view->calendar, latest) < 2)
		return 0;
	return days;
}

void
cohort_view_tell_silence(FunctionCallInfo fcinfo, const CohortView *view)
{
	int64		days = cohort_view_silence(view);

	if (likely(days == 0) || !notice_once(fcinfo))
		return;
	ereport(NOTICE,
			(errmsg_plural("as_of lies %lld day after the latest event",
						   "as_of lies %lld days after the latest event",
						   (unsigned long) days, (long long) days),
			 errdetail("Nobody came in a whole %s before it: everybody left, or the data end earlier.",
					   view->reader.params.spec.unit == PERIOD_HALF ? "half year" :
					   period_unit_name(view->reader.params.spec)),
			 errhint("Leave as_of out to stand at the latest event.")));
}

/* ---------- which cells ---------- */

CohortRange
cohort_range_from(FunctionCallInfo fcinfo, int arg)
{
	CohortRange range = cohort_range_all();

	if (!PG_ARGISNULL(arg))
	{
		range.has_from = true;
		range.from_cohort = PG_GETARG_TIMESTAMP(arg);
	}
	return range;
}

CohortRange
cohort_range_arguments(FunctionCallInfo fcinfo, int arg)
{
	CohortRange range = cohort_range_from(fcinfo, arg);

	if (!PG_ARGISNULL(arg + 1))
	{
		range.periods = PG_GETARG_INT32(arg + 1);
		if (range.periods < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("periods must not be negative, as %d is", range.periods),
					 errhint("It is the last period to show; 0 is the one in which customers joined.")));
	}
	return range;
}

/* The cohort of a day; of infinite ones, all or none. */
static int32
first_cohort(const CohortView *view, const CohortRange *range)
{
	if (!range->has_from || TIMESTAMP_IS_NOBEGIN(range->from_cohort))
		return PG_INT32_MIN;
	if (TIMESTAMP_IS_NOEND(range->from_cohort))
		return PG_INT32_MAX;
	return calendar_period_of_wall(view->calendar, range->from_cohort);
}

/* ---------- cells ---------- */

void
cohort_view_open(CohortView *view, const CohortTable *table, AsOf as_of, Measure measure,
				 CohortRange range)
{
	memset(view, 0, sizeof(CohortView));
	view->measure = measure;
	cohort_reader_open(&view->reader, table);
	if (view->reader.empty)
		return;
	view->calendar = cohort_calendar(&view->reader.params);
	if (view->reader.params.rolling)
	{
		CohortParams *params = &view->reader.params;

		view->wall_calendar = calendar_create(params->spec, false, NULL);
		view->wall_width = rolling_width(false, params->months, params->days, params->micros);
	}
	resolve_as_of(view, as_of);
	view->from_cohort = first_cohort(view, &range);
	view->periods = range.periods;
	view->more = cohort_reader_group(&view->reader);
	while (view->more && view->reader.group.cohort < view->from_cohort)
	{
		CHECK_FOR_INTERRUPTS();
		view->more = cohort_reader_group(&view->reader);
	}
}

Timestamp
cohort_view_start(const CohortView *view, int32 k)
{
	Timestamp	start = calendar_start(view->calendar, view->cohort);

	if (!view->reader.params.rolling)
		return calendar_start(view->calendar, view->cohort + k);
	return rolling_wall_start(&view->wall_width, start, k);
}

/*
 * Rows go to the last window that had begun, counted from the cohort's start on
 * the wall clock: the same rows whoever its members are.
 */
static int32
row_count(const CohortView *view)
{
	Timestamp	start = calendar_start(view->calendar, view->cohort);
	int64		last;

	if (start > view->last_wall)
		return 0;
	if (view->reader.params.rolling)
		last = cohort_window(view->wall_calendar, &view->wall_width, view->reader.params.early,
							 start, view->last_wall);
	else
		last = (int64) calendar_period_of_wall(view->calendar, view->last_wall) - view->cohort;
	if (last >= CELLS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a cohort would have " INT64_FORMAT " rows until as_of", last + 1),
				 errdetail("At most %d are made.", CELLS_MAX),
				 errhint(CELLS_HINT)));
	return (int32) last + 1;
}

static void
reserve_cells(CohortView *view)
{
	/* one more than the rows: differences end behind the last */
	Size		bytes = sizeof(int64) * ((Size) view->rows + 1);

	if (view->rows + 1 > view->capacity)
	{
		view->capacity = view->rows + 1;
		if (view->at_risk != NULL)
		{
			pfree(view->at_risk);
			pfree(view->retained);
			pfree(view->seen);
		}
		view->at_risk = palloc(bytes);
		view->retained = palloc(bytes);
		view->seen = palloc(bytes);
	}
	memset(view->at_risk, 0, bytes);
	memset(view->retained, 0, bytes);
	memset(view->seen, 0, bytes);
}

/* count members in from .. to, of the windows below "closed" */
static inline void
add_range(CohortView *view, int32 from, int32 to, int32 closed, int64 count)
{
	if (to >= closed)
		to = closed - 1;
	if (from > to)
		return;
	view->retained[from] += count;
	view->retained[to + 1] -= count;
}

static void
add_group(CohortView *view, const CohortGroup *group)
{
	/* the period that contains as_of has not closed; one that ends there has */
	int32		closed = (int32) Min((int64) view->as_of_period - view->cohort, view->rows);

	if (view->reader.params.rolling)
	{
		closed = 0;
		if (view->as_of_instant >= group->join)
			closed = cohort_window(view->calendar, &view->reader.width,
								   view->reader.params.early, group->join, view->as_of_instant);
		/* a joining instant cannot be ahead of its cohort, but clocks are set back */
		closed = Min(closed, view->rows);
	}
	view->at_risk[0] += group->members;
	view->at_risk[closed] -= group->members;
	for (int i = 0; i < group->on.n && group->on.k[i] < view->rows; i++)
		view->seen[group->on.k[i]] += group->on.count[i];

	switch (view->measure)
	{
		case MEASURE_ON:
			for (int i = 0; i < group->on.n && group->on.k[i] < closed; i++)
				add_range(view, group->on.k[i], group->on.k[i], closed, group->on.count[i]);
			break;
		case MEASURE_ON_OR_AFTER:
			for (int i = 0; i < group->last.n; i++)
				add_range(view, 0, group->last.k[i], closed, group->last.count[i]);
			break;
		case MEASURE_ON_OR_BEFORE:
			for (int i = 0; i < group->back.n; i++)
				add_range(view, group->back.k[i], closed - 1, closed, group->back.count[i]);
			break;
		case MEASURE_BY:
			for (int i = 0; i < group->first.n; i++)
				add_range(view, group->first.k[i], closed - 1, closed, group->first.count[i]);
			break;
		case MEASURE_STREAK:
			/* in each of 1..0 is everybody */
			add_range(view, 0, 0, closed, group->members);
			for (int i = 0; i < group->streak.n; i++)
				add_range(view, 1, group->streak.k[i], closed, group->streak.count[i]);
			break;
	}
}

bool
cohort_view_next(CohortView *view)
{
	CohortGroup *group = &view->reader.group;

	CHECK_FOR_INTERRUPTS();
	if (!view->more)
		return false;
	view->cohort = group->cohort;
	view->size = 0;
	view->rows = row_count(view);
	if (view->rows > 0)
		reserve_cells(view);
	do
	{
		view->size += group->members;
		if (view->rows > 0)
			add_group(view, group);
		view->more = cohort_reader_group(&view->reader);
	} while (view->more && group->cohort == view->cohort);

	for (int32 k = 1; k < view->rows; k++)
	{
		view->at_risk[k] += view->at_risk[k - 1];
		view->retained[k] += view->retained[k - 1];
	}
	/* only now: a measure may look at later periods than are shown */
	if (view->rows > view->periods)
		view->rows = view->periods + 1;
	return true;
}
