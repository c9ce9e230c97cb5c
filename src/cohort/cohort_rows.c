/*
 * cohort_rows.c
 *	  SQL-callable: the accessors that turn a cohort_table into rows.
 *
 * Each comes in two versions, by the type of as_of: text, which is where literals
 * and untyped parameters land, so that '2025-01-01 12:00' means the table's clock
 * under any session, and any other.
 *
 * Promises: columns are as in doc/cohort_retention.md; NULL is what cannot be
 * known yet.  Never: a row of a period that starts after as_of.
 */
#include "cohort/cohort_view.h"

#include "fmgr/arguments.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "math/wilson.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"

static Measure
get_measure(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? MEASURE_ON : measure_parse(PG_GETARG_TEXT_PP(arg));
}

/* at_risk, retained, rate, rate_low, rate_high from a column on */
static void
put_rate(Datum *values, bool *nulls, int64 at_risk, int64 retained, double z)
{
	values[0] = Int64GetDatum(at_risk);
	nulls[0] = false;
	for (int i = 1; i < 5; i++)
		nulls[i] = at_risk == 0;
	if (at_risk > 0)
	{
		Limits		limits = wilson_limits(retained, at_risk, z);

		values[1] = Int64GetDatum(retained);
		values[2] = Float8GetDatum((double) retained / at_risk);
		values[3] = Float8GetDatum(limits.low);
		values[4] = Float8GetDatum(limits.high);
	}
}

/* ---------- cohort_rows ---------- */

static Datum
cohort_rows_any(FunctionCallInfo fcinfo, Oid type)
{
	CohortView	view;
	double		z;
	Datum		values[11];
	bool		nulls[11] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	z = normal_two_sided_z(argument_confidence(fcinfo, 5));
	cohort_view_open(&view, PG_GETARG_COHORT_TABLE_PP(0),
					 argument_as_of(fcinfo, 1, type, AS_OF_HINT_EVENT),
					 get_measure(fcinfo, 2), cohort_range_arguments(fcinfo, 3));
	cohort_view_tell_silence(fcinfo, &view);
	while (cohort_view_next(&view))
	{
		for (int32 k = 0; k < view.rows; k++)
		{
			values[0] = TimestampGetDatum(calendar_start(view.calendar, view.cohort));
			values[1] = Int32GetDatum(k);
			values[2] = TimestampGetDatum(cohort_view_start(&view, k));
			values[3] = Int64GetDatum(view.size);
			put_rate(values + 4, nulls + 4, view.at_risk[k], view.retained[k], z);
			values[9] = BoolGetDatum(cell_complete(&view, k));
			values[10] = Int64GetDatum(view.seen[k]);
			retention_put_row(fcinfo, values, nulls);
		}
	}
	return (Datum) 0;
}

/* ---------- retention_curve ---------- */

typedef struct CurvePoint
{
	int64		cohorts;
	int64		at_risk;
	int64		retained;
} CurvePoint;

typedef struct Curve
{
	int32		n;
	int32		capacity;
	CurvePoint *points;
} Curve;

/* Complete cells only, pooled over cohorts. */
static void
pool_curve(CohortView *view, Curve *curve)
{
	while (cohort_view_next(view))
	{
		if (view->rows > curve->capacity)
		{
			curve->capacity = Max(view->rows, 64);
			curve->points = curve->points == NULL ?
				palloc(sizeof(CurvePoint) * curve->capacity) :
				repalloc(curve->points, sizeof(CurvePoint) * curve->capacity);
		}
		while (curve->n < view->rows)
			memset(&curve->points[curve->n++], 0, sizeof(CurvePoint));
		for (int32 k = 0; k < view->rows; k++)
		{
			if (!cell_complete(view, k))
				continue;
			curve->points[k].cohorts++;
			curve->points[k].at_risk += view->at_risk[k];
			curve->points[k].retained += view->retained[k];
		}
	}
}

static Datum
retention_curve_any(FunctionCallInfo fcinfo, Oid type)
{
	CohortView	view;
	Curve		curve = {0, 0, NULL};
	double		z;
	Datum		values[7];
	bool		nulls[7] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	z = normal_two_sided_z(argument_confidence(fcinfo, 5));
	cohort_view_open(&view, PG_GETARG_COHORT_TABLE_PP(0),
					 argument_as_of(fcinfo, 1, type, AS_OF_HINT_EVENT),
					 get_measure(fcinfo, 2), cohort_range_arguments(fcinfo, 3));
	cohort_view_tell_silence(fcinfo, &view);
	pool_curve(&view, &curve);
	for (int32 k = 0; k < curve.n; k++)
	{
		CurvePoint *point = &curve.points[k];

		if (point->cohorts == 0)
			continue;
		values[0] = Int32GetDatum(k);
		values[1] = Int64GetDatum(point->cohorts);
		put_rate(values + 2, nulls + 2, point->at_risk, point->retained, z);
		retention_put_row(fcinfo, values, nulls);
	}
	return (Datum) 0;
}

/* ---------- lifecycle_rows ---------- */

static Datum
lifecycle_rows_any(FunctionCallInfo fcinfo, Oid type)
{
	CohortView	view;
	CohortReader *table = &view.reader;
	int64		first;
	int64		last;
	int64		before = 0;		/* active in the previous period */
	int			i = 0;
	Datum		values[7];
	bool		nulls[7] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	cohort_view_open(&view, PG_GETARG_COHORT_TABLE_PP(0),
					 argument_as_of(fcinfo, 1, type, AS_OF_HINT_EVENT),
					 MEASURE_ON, cohort_range_all());
	cohort_view_tell_silence(fcinfo, &view);
	/* nobody is active before the first cohort */
	if (table->empty || !view.more)
		return (Datum) 0;
	first = table->group.cohort;
	last = calendar_period_of_wall(view.calendar, view.last_wall);
	if (last - first >= CELLS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there would be " INT64_FORMAT " lifecycle rows until as_of",
						last - first + 1),
				 errdetail("At most %d are made.", CELLS_MAX),
				 errhint(CELLS_HINT)));
	for (int64 period = first; period <= last; period++)
	{
		LifecycleEntry none = {(int32) period, 0, 0, 0};
		LifecycleEntry *entry = &none;
		bool		complete = period < view.as_of_period;

		while (i < table->nentries && table->entries[i].period < period)
			i++;
		if (i < table->nentries && table->entries[i].period == period)
			entry = &table->entries[i];
		values[0] = TimestampGetDatum(calendar_start(view.calendar, (int32) period));
		values[1] = Int64GetDatum(entry->active);
		values[2] = Int64GetDatum(entry->fresh);
		values[3] = Int64GetDatum(entry->returning);
		values[4] = Int64GetDatum(entry->active - entry->fresh - entry->returning);
		/* who has not come yet may still come: unknown while the period runs */
		values[5] = Int64GetDatum(before - entry->returning);
		nulls[5] = !complete;
		values[6] = BoolGetDatum(complete);
		retention_put_row(fcinfo, values, nulls);
		before = entry->active;
	}
	return (Datum) 0;
}

/* ---------- retention_test ---------- */

static CurvePoint
pooled_point(const CohortTable *table, AsOf as_of, Measure measure, CohortRange range, int32 period)
{
	CohortView	view;
	CurvePoint	point = {0, 0, 0};

	cohort_view_open(&view, table, as_of, measure, range);
	while (cohort_view_next(&view))
	{
		if (period >= view.rows || !cell_complete(&view, period))
			continue;
		point.cohorts++;
		point.at_risk += view.at_risk[period];
		point.retained += view.retained[period];
	}
	return point;
}

static void
put_test(Datum *values, bool *nulls, const CurvePoint *a, const CurvePoint *b, double z)
{
	const CurvePoint *group[2] = {a, b};
	Limits		limits;

	for (int i = 0; i < 2; i++)
	{
		values[i * 3] = Int64GetDatum(group[i]->at_risk);
		values[i * 3 + 1] = Int64GetDatum(group[i]->retained);
		nulls[i * 3 + 1] = nulls[i * 3 + 2] = group[i]->at_risk == 0;
		if (group[i]->at_risk > 0)
			values[i * 3 + 2] = Float8GetDatum((double) group[i]->retained / group[i]->at_risk);
	}
	for (int i = 6; i < 10; i++)
		nulls[i] = a->at_risk == 0 || b->at_risk == 0;
	if (nulls[6])
		return;
	limits = newcombe_limits(a->retained, a->at_risk, b->retained, b->at_risk, z);
	values[6] = Float8GetDatum((double) a->retained / a->at_risk -
							   (double) b->retained / b->at_risk);
	values[7] = Float8GetDatum(limits.low);
	values[8] = Float8GetDatum(limits.high);
	values[9] = Float8GetDatum(two_proportion_p(a->retained, a->at_risk,
												b->retained, b->at_risk));
}

/* Where there is silence in both, that of the later. */
static void
test_tell_silence(FunctionCallInfo fcinfo, const CohortTable *a, const CohortTable *b, AsOf as_of)
{
	CohortView	va;
	CohortView	vb;

	cohort_view_open(&va, a, as_of, MEASURE_ON, cohort_range_all());
	cohort_view_open(&vb, b, as_of, MEASURE_ON, cohort_range_all());
	if (va.reader.empty ||
		(!vb.reader.empty && cohort_view_silence(&vb) < cohort_view_silence(&va)))
		cohort_view_tell_silence(fcinfo, &vb);
	else
		cohort_view_tell_silence(fcinfo, &va);
}

static Datum
retention_test_any(FunctionCallInfo fcinfo, Oid type)
{
	CohortTable *exposed;
	CohortTable *control;
	int32		period;
	AsOf		as_of;
	Measure		measure;
	CohortRange range;
	CurvePoint	a;
	CurvePoint	b;
	double		z;
	Datum		values[10] = {0};
	bool		nulls[10] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	exposed = PG_GETARG_COHORT_TABLE_PP(0);
	control = PG_GETARG_COHORT_TABLE_PP(1);
	period = PG_GETARG_INT32(2);
	if (period < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period must not be negative, as %d is", period),
				 errhint("Periods are counted from 0, the one in which a customer joined.")));
	measure = get_measure(fcinfo, 4);
	range = cohort_range_from(fcinfo, 5);
	z = normal_two_sided_z(argument_confidence(fcinfo, 6));

	/* both groups are seen from the same day; this also checks that they match */
	as_of = cohort_view_later(exposed, control);
	if (!PG_ARGISNULL(3))
	{
		as_of = argument_as_of(fcinfo, 3, type, AS_OF_HINT_EVENT);
		test_tell_silence(fcinfo, exposed, control, as_of);
	}
	a = pooled_point(exposed, as_of, measure, range, period);
	b = pooled_point(control, as_of, measure, range, period);
	put_test(values, nulls, &a, &b, z);
	retention_put_row(fcinfo, values, nulls);
	return (Datum) 0;
}

/* ---------- entry points, by the type of as_of ---------- */

AS_OF_VERSIONS(cohort_rows)
AS_OF_VERSIONS(retention_curve)
AS_OF_VERSIONS(lifecycle_rows)
AS_OF_VERSIONS(retention_test)
