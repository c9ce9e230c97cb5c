/*
 * survival_difference.c
 *	  SQL-callable: how much longer do the customers of one group stay?
 *
 * Promises: both means are restricted to the same time; NULL where one of them has
 * no customers.
 * Never: compares numbers with intervals.
 */
#include "survival/survival_arguments.h"

#include <math.h>

#include "fmgr/interrupts.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "math/wilson.h"
#include "miscadmin.h"
#include "utils/float.h"

#define COLUMNS		12

/* The curves of arguments 0 and 1. */
static void
get_curves(FunctionCallInfo fcinfo, SurvivalCurve *curves)
{
	DurationKind kinds[2];

	for (int k = 0; k < 2; k++)
	{
		survival_estimate(PG_GETARG_SURVIVAL_TABLE_PP(k), &curves[k]);
		kinds[k] = curves[k].kind;
	}
	if (kinds[0] != DURATION_NONE && kinds[1] != DURATION_NONE &&
		(kinds[0] == DURATION_INTERVAL) != (kinds[1] == DURATION_INTERVAL))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the durations of one survival_table are intervals, those of the other numbers"),
				 errhint("Make both in the same way.")));
}

/* Until when both are known: the earlier of the last durations; NaN if one is empty. */
static double
common_end(const SurvivalCurve *curves)
{
	double		ends[2];

	for (int k = 0; k < 2; k++)
	{
		if (curves[k].n == 0)
			return get_float8_nan();
		ends[k] = curves[k].points[curves[k].n - 1].time;
	}
	return Min(ends[0], ends[1]);
}

/*
 * Columns from tau on; NaN is NULL.  Two independent means: z of their difference,
 * and of the difference of their logarithms for the limits of their ratio.
 */
static void
compare_means(const KmMean *a, const KmMean *b, double z, double *numbers)
{
	double		difference = a->mean - b->mean;
	double		se = hypot(a->se, b->se);

	numbers[0] = a->mean;
	numbers[1] = b->mean;
	numbers[2] = difference;
	numbers[3] = se;
	numbers[4] = difference - z * se;
	numbers[5] = difference + z * se;
	if (se > 0)
	{
		numbers[6] = difference / se;
		numbers[7] = normal_two_sided_p(numbers[6]);
	}
	if (a->mean > 0 && b->mean > 0)
	{
		double		ratio = a->mean / b->mean;
		double		spread = z * hypot(a->se / a->mean, b->se / b->mean);

		numbers[8] = ratio;
		numbers[9] = ratio * exp(-spread);
		numbers[10] = ratio * exp(spread);
	}
}

static void
put_difference(FunctionCallInfo fcinfo, const SurvivalCurve *curves, double tau, double z)
{
	double		numbers[COLUMNS];

	for (int i = 0; i < COLUMNS; i++)
		numbers[i] = get_float8_nan();
	numbers[0] = tau;
	if (curves[0].n > 0 && curves[1].n > 0)
	{
		KmMean		a = km_restricted_mean(curves[0].points, curves[0].n, tau, poll_interrupts);
		KmMean		b = km_restricted_mean(curves[1].points, curves[1].n, tau, poll_interrupts);

		compare_means(&a, &b, z, numbers + 1);
	}
	retention_put_numbers(fcinfo, numbers, COLUMNS);
}

PG_FUNCTION_INFO_V1(survival_difference);
Datum
survival_difference(PG_FUNCTION_ARGS)
{
	SurvivalCurve curves[2];
	double		tau;
	double		z;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	z = survival_z_argument(fcinfo, 3);
	get_curves(fcinfo, curves);
	tau = PG_ARGISNULL(2) ? common_end(curves) :
		survival_check_time(PG_GETARG_FLOAT8(2), "tau");
	if (isinf(tau))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("tau must be finite"),
				 errhint("Left out, it is the last duration of the table that ends first.")));
	put_difference(fcinfo, curves, tau, z);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(survival_difference_interval);
Datum
survival_difference_interval(PG_FUNCTION_ARGS)
{
	SurvivalCurve curves[2];
	DurationKind kind;
	double		z;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	z = survival_z_argument(fcinfo, 3);
	get_curves(fcinfo, curves);
	kind = curves[0].kind == DURATION_NONE ? curves[1].kind : curves[0].kind;
	put_difference(fcinfo, curves, survival_days_argument(fcinfo, 2, kind, "tau"), z);
	return (Datum) 0;
}
