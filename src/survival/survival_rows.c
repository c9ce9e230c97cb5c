/*
 * survival_rows.c
 *	  SQL-callable: what a survival_table says: its Kaplan-Meier curve, points of
 *	  it, quantiles, the restricted mean.
 *
 * Promises: NULL where something cannot be known yet: survival after the last
 * duration while some were still there, quantiles that were not reached, limits
 * where there are none.
 * Never: rounds what was asked for; intervals are days in all results.
 */
#include "survival/survival_arguments.h"

#include <math.h>

#include "common/int.h"
#include "fmgr/interrupts.h"
#include "fmgr/result_row.h"
#include "fmgr/value_cache.h"
#include "funcapi.h"
#include "math/wilson.h"
#include "miscadmin.h"
#include "models/survival/km_summary.h"
#include "survival/survival_table.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define ROWS_COLUMNS		13
#define WHOLE_MAX			9007199254740992.0	/* 2^53 */

/* ---------- curves ---------- */

/* The curve of the last call: mostly a query asks many times of one value, which may be large. */
typedef struct CachedCurve
{
	CachedValue base;
	SurvivalCurve curve;
} CachedCurve;

static pg_noinline CachedCurve *
survival_rows_add_curve(FunctionCallInfo fcinfo, ValueCache *cache, SurvivalTableValue *value)
{
	MemoryContext context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "survival curve",
												  ALLOCSET_SMALL_SIZES);
	CachedCurve *made = (CachedCurve *) value_cache_begin(cache, context, sizeof(CachedCurve));
	MemoryContext old = MemoryContextSwitchTo(context);

	survival_estimate(value, &made->curve);
	MemoryContextSwitchTo(old);
	value_cache_put(cache, &made->base, VARSIZE_ANY_EXHDR(value), VARDATA_ANY(value),
					VARSIZE_ANY_EXHDR(value));
	return made;
}

static const SurvivalCurve *
get_curve(FunctionCallInfo fcinfo, int arg)
{
	struct varlena *datum = (struct varlena *) DatumGetPointer(PG_GETARG_DATUM(arg));
	ValueCache *cache = value_cache_of(fcinfo, 1);
	CachedValue *known = value_cache_by_image(cache, datum);
	SurvivalTableValue *value;

	if (known == NULL)
	{
		value = PG_GETARG_SURVIVAL_TABLE_PP(arg);
		known = value_cache_by_key(cache, VARSIZE_ANY_EXHDR(value), VARDATA_ANY(value),
								   VARSIZE_ANY_EXHDR(value));
		if (known == NULL)
			known = &survival_rows_add_curve(fcinfo, cache, value)->base;
		value_cache_remember_image(known, datum);
	}
	return &((CachedCurve *) known)->curve;
}

/* Survival at a time; NaN where it cannot be known, unless the last value is carried forward. */
static double
survival_known(const SurvivalCurve *curve, double time, bool carry)
{
	const KmPoint *last;

	if (curve->n == 0)
		return NAN;
	last = &curve->points[curve->n - 1];
	if (time > last->time && last->survival > 0 && !carry)
		return NAN;
	return km_survival(curve->points, curve->n, time);
}

/* ---------- the curve ---------- */

/* Wilson's limits count customers: for weights that are no numbers of them there are none. */
static Limits
hazard_limits(const KmPoint *point, double z)
{
	Limits		limits = {NAN, NAN};

	if (point->at_risk <= WHOLE_MAX && point->events == floor(point->events) &&
		point->at_risk == floor(point->at_risk))
		limits = wilson_limits(point->events, point->at_risk, z);
	return limits;
}

PG_FUNCTION_INFO_V1(survival_rows);
Datum
survival_rows(PG_FUNCTION_ARGS)
{
	SurvivalCurve curve;
	KmBand		band;
	double		z;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	z = survival_z_argument(fcinfo, 1);
	band = survival_band_argument(fcinfo, 2);
	survival_estimate(PG_GETARG_SURVIVAL_TABLE_PP(0), &curve);
	for (size_t i = 0; i < curve.n; i++)
	{
		const KmPoint *point = &curve.points[i];
		KmLimits	limits = km_limits(point, band, z);
		Limits		hazard = hazard_limits(point, z);
		double		numbers[ROWS_COLUMNS] = {
			point->time, point->at_risk, point->events, point->censored,
			point->survival, point->se, limits.low, limits.high,
			point->hazard, point->hazard_se,
			point->events / point->at_risk, hazard.low, hazard.high
		};

		retention_put_numbers(fcinfo, numbers, ROWS_COLUMNS);
	}
	return (Datum) 0;
}

/* ---------- points of it ---------- */

PG_FUNCTION_INFO_V1(survival_at);
Datum
survival_at(PG_FUNCTION_ARGS)
{
	const SurvivalCurve *curve = get_curve(fcinfo, 0);
	double		time = survival_check_time(PG_GETARG_FLOAT8(1), "duration");

	return float8_or_null(fcinfo, survival_known(curve, time, PG_GETARG_BOOL(2)));
}

PG_FUNCTION_INFO_V1(survival_at_interval);
Datum
survival_at_interval(PG_FUNCTION_ARGS)
{
	const SurvivalCurve *curve = get_curve(fcinfo, 0);
	double		time = survival_days_argument(fcinfo, 1, curve->kind, "duration");

	return float8_or_null(fcinfo, survival_known(curve, time, PG_GETARG_BOOL(2)));
}

static double
conditional(const SurvivalCurve *curve, double elapsed, double then, bool carry)
{
	double		now = survival_known(curve, elapsed, carry);

	/* nobody stayed so long: NaN as well */
	return now > 0 ? survival_known(curve, then, carry) / now : NAN;
}

PG_FUNCTION_INFO_V1(survival_conditional);
Datum
survival_conditional(PG_FUNCTION_ARGS)
{
	const SurvivalCurve *curve = get_curve(fcinfo, 0);
	double		elapsed = survival_check_time(PG_GETARG_FLOAT8(1), "elapsed");
	double		ahead = survival_check_time(PG_GETARG_FLOAT8(2), "ahead");

	return float8_or_null(fcinfo, conditional(curve, elapsed, elapsed + ahead,
											  PG_GETARG_BOOL(3)));
}

/* Two intervals are added as such: months stay months of 30 days. */
PG_FUNCTION_INFO_V1(survival_conditional_interval);
Datum
survival_conditional_interval(PG_FUNCTION_ARGS)
{
	const SurvivalCurve *curve = get_curve(fcinfo, 0);
	double		elapsed = survival_days_argument(fcinfo, 1, curve->kind, "elapsed");
	int64		then;

	/* for its errors */
	(void) survival_days_argument(fcinfo, 2, curve->kind, "ahead");
	/* beyond all intervals is beyond the last duration */
	if (pg_add_s64_overflow(survival_interval_microseconds(PG_GETARG_INTERVAL_P(1), "elapsed"),
							survival_interval_microseconds(PG_GETARG_INTERVAL_P(2), "ahead"), &then))
		then = PG_INT64_MAX;
	return float8_or_null(fcinfo, conditional(curve, elapsed, survival_interval_days(then),
											  PG_GETARG_BOOL(3)));
}

/* One row: what survival_rows() has of a time; NULLs where it cannot be known. */
static void
put_limits(FunctionCallInfo fcinfo, const SurvivalCurve *curve, double time)
{
	double		z = survival_z_argument(fcinfo, 2);
	KmBand		band = survival_band_argument(fcinfo, 3);
	double		numbers[4] = {NAN, NAN, NAN, NAN};

	if (!isnan(survival_known(curve, time, false)))
	{
		static const KmPoint start = {.survival = 1};
		const KmPoint *point = km_point(curve->points, curve->n, time);
		KmLimits	limits;

		if (point == NULL)
			point = &start;
		limits = km_limits(point, band, z);
		numbers[0] = point->survival;
		numbers[1] = point->se;
		numbers[2] = limits.low;
		numbers[3] = limits.high;
	}
	retention_put_numbers(fcinfo, numbers, 4);
}

PG_FUNCTION_INFO_V1(survival_limits);
Datum
survival_limits(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	if (!PG_ARGISNULL(0) && !PG_ARGISNULL(1))
		put_limits(fcinfo, get_curve(fcinfo, 0),
				   survival_check_time(PG_GETARG_FLOAT8(1), "duration"));
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(survival_limits_interval);
Datum
survival_limits_interval(PG_FUNCTION_ARGS)
{
	const SurvivalCurve *curve;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	curve = get_curve(fcinfo, 0);
	put_limits(fcinfo, curve, survival_days_argument(fcinfo, 1, curve->kind, "duration"));
	return (Datum) 0;
}

/* ---------- summaries ---------- */

PG_FUNCTION_INFO_V1(survival_quantile);
Datum
survival_quantile(PG_FUNCTION_ARGS)
{
	double		p = PG_ARGISNULL(1) ? 0.5 : PG_GETARG_FLOAT8(1);
	bool		midpoint = !PG_ARGISNULL(4) && PG_GETARG_BOOL(4);
	SurvivalCurve curve;
	KmQuantile	quantile;
	KmBand		band;
	double		z;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	/* written so that NaN fails */
	if (!(p > 0 && p < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("p must be between 0 and 1, not %g", p),
				 errhint("It is the share of customers that have left: 0.5 for the median.")));
	z = survival_z_argument(fcinfo, 2);
	band = survival_band_argument(fcinfo, 3);
	survival_estimate(PG_GETARG_SURVIVAL_TABLE_PP(0), &curve);
	quantile = km_quantile(curve.points, curve.n, p, band, z, midpoint, poll_interrupts);
	retention_put_numbers(fcinfo, (double[3]) {quantile.time, quantile.low, quantile.high}, 3);
	return (Datum) 0;
}

static void
put_mean(FunctionCallInfo fcinfo, const SurvivalCurve *curve, double tau, double z)
{
	double		numbers[4] = {NAN, NAN, NAN, NAN};

	if (curve->n > 0)
	{
		KmMean		mean = km_restricted_mean(curve->points, curve->n, tau, poll_interrupts);

		numbers[0] = mean.mean;
		numbers[1] = mean.se;
		numbers[2] = Max(mean.mean - z * mean.se, 0);
		numbers[3] = Min(mean.mean + z * mean.se, tau);
	}
	retention_put_numbers(fcinfo, numbers, 4);
}

PG_FUNCTION_INFO_V1(restricted_mean);
Datum
restricted_mean(PG_FUNCTION_ARGS)
{
	SurvivalCurve curve;
	double		tau = 0;
	double		z;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	z = survival_z_argument(fcinfo, 2);
	if (!PG_ARGISNULL(1))
	{
		tau = survival_check_time(PG_GETARG_FLOAT8(1), "tau");
		if (isinf(tau))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("tau must be finite"),
					 errhint("The mean until the last duration is restricted_mean(t).")));
	}
	survival_estimate(PG_GETARG_SURVIVAL_TABLE_PP(0), &curve);
	if (PG_ARGISNULL(1) && curve.n > 0)
		tau = curve.points[curve.n - 1].time;
	put_mean(fcinfo, &curve, tau, z);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(restricted_mean_interval);
Datum
restricted_mean_interval(PG_FUNCTION_ARGS)
{
	SurvivalCurve curve;
	double		tau;
	double		z;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	z = survival_z_argument(fcinfo, 2);
	survival_estimate(PG_GETARG_SURVIVAL_TABLE_PP(0), &curve);
	tau = survival_days_argument(fcinfo, 1, curve.kind, "tau");
	put_mean(fcinfo, &curve, tau, z);
	return (Datum) 0;
}
