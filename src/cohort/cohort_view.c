/*
 * cohort_view.c
 *	  A cohort_table seen from a day: cells of one measure, cohort by cohort.
 *
 * Every measure is a sum of ranges: "on_or_after" counts a member in 0..last,
 * "streak" in 1..streak, "on_or_before" from the first return on.  Each range
 * ends where the member's closed windows end.  Ranges are added as differences
 * and summed once for each cohort.
 */
#include "cohort/cohort_view.h"

#include <ctype.h>

#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

static const char *const measure_names[] = {
	"on", "on_or_after", "on_or_before", "streak", NULL
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
				 errhint("Use 'on', 'on_or_after', 'on_or_before' or 'streak'.")));
	return (Measure) measure;
}

/* ---------- as_of ---------- */

/* The latest event of a table. */
static AsOf
latest_event(const CohortReader *reader)
{
	AsOf		as_of = {reader->params.zoned ? AS_OF_TIMESTAMPTZ : AS_OF_TIMESTAMP, reader->latest};

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
	later = ra.empty ? &rb : rb.empty ? &ra : ra.latest >= rb.latest ? &ra : &rb;
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
	view->as_of_wall = as_of_end(&as_of, tz, AS_OF_DATE_BEGINS);
	view->as_of_instant = params->zoned ? as_of_end_instant(&as_of, tz, AS_OF_DATE_BEGINS) :
		view->as_of_wall;
	view->as_of_period = calendar_period_of_wall(view->calendar, view->as_of_wall);
}

/* ---------- cells ---------- */

void
cohort_view_open(CohortView *view, const CohortTable *table, AsOf as_of, Measure measure)
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
	view->more = cohort_reader_group(&view->reader);
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
 * Rows go to the window, counted from the cohort's start on the wall clock,
 * that contains as_of: the same rows whoever its members are.
 */
static int32
row_count(const CohortView *view)
{
	Timestamp	start = calendar_start(view->calendar, view->cohort);
	int64		last;

	if (start > view->as_of_wall)
		return 0;
	if (view->reader.params.rolling)
		last = rolling_index(view->wall_calendar, &view->wall_width, start, view->as_of_wall);
	else
		last = (int64) view->as_of_period - view->cohort;
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
	int32		closed = view->rows - 1;	/* the last period contains as_of */

	if (view->reader.params.rolling)
	{
		closed = 0;
		if (view->as_of_instant >= group->join)
			closed = rolling_index(view->calendar, &view->reader.width, group->join,
								   view->as_of_instant);
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
	return true;
}
