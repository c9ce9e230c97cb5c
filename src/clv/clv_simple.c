/*
 * clv_simple.c
 *	  SQL-callable: customer value from one retention rate, and what a better
 *	  one would be worth.
 *
 * A customer who pays a margin in each period and stays with the same
 * probability r from one to the next is worth m r / (1 + d - r): Blattberg and
 * Deighton (1996), Gupta and Lehmann (2003).  The claim that five points of
 * retention raise profit by 25 to 95 percent (Reichheld and Sasser 1990) is
 * such a comparison: retention_elasticity() makes it, for a rate, for the
 * streaks in a cohort_table and for a contract model, whose rate changes with
 * age.
 *
 * Promises: NULL where a value is infinite; errors name what was passed.
 * Never: a rate that is not per period where the period is known: there
 * discount rates are annual.
 */
#include "clv/clv.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "cohort/cohort_view.h"
#include "datatype/timestamp.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/timestamp.h"

/* ---------- arguments ---------- */

static void
check_finite(double value, const char *name)
{
	if (!isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be finite, not %g", name, value)));
}

static void
check_retention(double retention)
{
	/* written so that NaN fails */
	if (!(retention >= 0 && retention <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("retention must be between 0 and 1, not %.15g", retention),
				 errhint("It is a share: write 0.80 for 80%%.")));
}

static void
check_discount(double discount)
{
	if (!(discount >= 0 && isfinite(discount)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("discount must be 0 or more, and finite, not %.15g", discount),
				 errhint("It is the rate of a period: write 0.10 for 10%%.")));
}

/* Points of retention; a NULL array stands for its default. */
static const double *
get_points(FunctionCallInfo fcinfo, int arg, int *n)
{
	static const double usual[] = {0.01, 0.05};
	Datum	   *elements;
	bool	   *nulls;
	double	   *points;

	*n = lengthof(usual);
	if (PG_ARGISNULL(arg))
		return usual;
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &elements, &nulls, n);
	points = palloc(sizeof(double) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("points must not contain NULL")));
		points[i] = DatumGetFloat8(elements[i]);
		if (!(points[i] >= -1 && points[i] <= 1))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("points must be between -1 and 1, not %.15g", points[i]),
					 errhint("They are shares: write 0.05 for five points.")));
	}
	return points;
}

/* ---------- clv_simple ---------- */

/*
 * The margins of a customer, one unit each, discounted: r / (1 + d - r), or
 * from the first one at once, (1 + d) / (1 + d - r).  Infinite where r = 1 and
 * d = 0.
 */
static double
perpetuity(double retention, double discount, bool begin)
{
	/* 1 - r loses nothing where it matters; 1 + d would */
	return (begin ? 1 + discount : retention) / (discount + (1 - retention));
}

/* The first n of them. */
static double
annuity(double retention, double discount, bool begin, int32 n)
{
	double		leak = discount + (1 - retention);

	if (n == 0)
		return 0;
	if (leak == 0)
		return n;
	/* 1 - (r / (1 + d))^n, also where that is nearly 1 */
	return perpetuity(retention, discount, begin) *
		-expm1(n * log1p(-leak / (1 + discount)));
}

static bool
get_begin(FunctionCallInfo fcinfo, int arg)
{
	static const char *const timings[] = {"end", "begin", NULL};
	text	   *timing;
	int			which;

	if (PG_ARGISNULL(arg))
		return false;
	timing = PG_GETARG_TEXT_PP(arg);
	which = retention_word_index(VARDATA_ANY(timing), VARSIZE_ANY_EXHDR(timing), timings);
	if (which < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown timing \"%s\"", text_to_cstring(timing)),
				 errhint("Use 'end' (the first margin comes after one period) or 'begin' (it comes at once).")));
	return which == 1;
}

PG_FUNCTION_INFO_V1(clv_simple);
Datum
clv_simple(PG_FUNCTION_ARGS)
{
	double		margin;
	double		retention;
	double		discount;
	double		cost;
	double		margins;
	double		value;
	bool		begin = get_begin(fcinfo, 4);

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2) || PG_ARGISNULL(5))
		PG_RETURN_NULL();
	margin = PG_GETARG_FLOAT8(0);
	retention = PG_GETARG_FLOAT8(1);
	discount = PG_GETARG_FLOAT8(2);
	cost = PG_GETARG_FLOAT8(5);
	check_finite(margin, "margin");
	check_retention(retention);
	check_discount(discount);
	check_finite(cost, "acquisition_cost");
	if (PG_ARGISNULL(3))
		margins = perpetuity(retention, discount, begin);
	else
	{
		if (PG_GETARG_INT32(3) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("periods must be 0 or more, not %d", PG_GETARG_INT32(3)),
					 errhint("Leave periods out for a customer who is served as long as he stays.")));
		margins = annuity(retention, discount, begin, PG_GETARG_INT32(3));
	}
	if (isinf(margins))
	{
		/* nothing is nothing, however often */
		if (margin != 0)
			PG_RETURN_NULL();
		margins = 0;
	}
	value = margin * margins - cost;
	if (isinf(value))
		float_overflow_error();
	PG_RETURN_FLOAT8(value);
}

/* ---------- retention_elasticity ---------- */

/* A rate so many points higher, as far as rates go; NaN stays. */
static double
raise_retention(double retention, double points)
{
	double		raised = retention + points;

	return raised < 0 ? 0 : raised > 1 ? 1 : raised;
}

/* One row: what a value was and is; infinite and NaN are not known. */
static void
put_elasticity(FunctionCallInfo fcinfo, double points, double retention,
			   double retention_after, double value, double value_after)
{
	double		columns[7] = {points, retention, retention_after, value, value_after,
	value_after - value, 0};
	Datum		values[7];
	bool		nulls[7];

	columns[6] = isfinite(value) ? (value_after / value - 1) * 100 : get_float8_nan();
	for (int i = 0; i < 7; i++)
		set_finite_float8(values, nulls, i, columns[i]);
	retention_put_row(fcinfo, values, nulls);
}

/* The same rate in each period. */
static void
put_constant(FunctionCallInfo fcinfo, const double *points, int n, double retention,
			 double margin, double discount)
{
	for (int i = 0; i < n; i++)
	{
		double		after = raise_retention(retention, points[i]);

		put_elasticity(fcinfo, points[i], retention, after,
					   margin * perpetuity(retention, discount, false),
					   margin * perpetuity(after, discount, false));
	}
}

PG_FUNCTION_INFO_V1(retention_elasticity);
Datum
retention_elasticity(PG_FUNCTION_ARGS)
{
	const double *points;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	points = get_points(fcinfo, 3, &n);
	check_retention(PG_GETARG_FLOAT8(0));
	check_finite(PG_GETARG_FLOAT8(1), "margin");
	check_discount(PG_GETARG_FLOAT8(2));
	put_constant(fcinfo, points, n, PG_GETARG_FLOAT8(0), PG_GETARG_FLOAT8(1),
				 PG_GETARG_FLOAT8(2));
	return (Datum) 0;
}

/* ---------- ... of the customers of a cohort_table ---------- */

/*
 * The maximum likelihood estimate of a rate that is the same for all: of those
 * who had been active in every period so far, who was in the next as well;
 * complete cells only.  NaN where nobody had a chance yet.
 */
static double
pooled_retention(CohortView *view)
{
	int64		chances = 0;
	int64		stayed = 0;

	while (cohort_view_next(view))
		for (int32 k = 1; k < view->rows && cell_complete(view, k); k++)
		{
			chances += view->retained[k - 1];
			stayed += view->retained[k];
		}
	return chances == 0 ? get_float8_nan() : (double) stayed / chances;
}

static double
period_years(const CohortParams *params)
{
	static const double years[] = {
		1 / (24 * DAYS_PER_YEAR), 1 / DAYS_PER_YEAR, 7 / DAYS_PER_YEAR,
		1 / 12.0, 1 / 4.0, 1, 1 / 2.0
	};

	if (!params->rolling)
		return years[params->spec.unit];
	return params->months / 12.0 +
		(params->days + params->micros / (double) USECS_PER_DAY) / DAYS_PER_YEAR;
}

static Datum
retention_elasticity_cohorts_any(FunctionCallInfo fcinfo, Oid type)
{
	CohortView	view;
	const double *points;
	double		discount;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(3))
		return (Datum) 0;
	points = get_points(fcinfo, 4, &n);
	check_finite(PG_GETARG_FLOAT8(1), "margin");
	clv_rate_check(PG_GETARG_FLOAT8(3));
	cohort_view_open(&view, PG_GETARG_COHORT_TABLE_PP(0),
					 argument_as_of(fcinfo, 2, type, AS_OF_HINT_EVENT),
					 MEASURE_STREAK, cohort_range_all());
	cohort_view_tell_silence(fcinfo, &view);
	discount = view.reader.empty ? 0 :
		expm1(log1p(PG_GETARG_FLOAT8(3)) * period_years(&view.reader.params));
	put_constant(fcinfo, points, n, pooled_retention(&view), PG_GETARG_FLOAT8(1), discount);
	return (Datum) 0;
}

AS_OF_VERSIONS(retention_elasticity_cohorts)

/* ---------- ... of a contract model ---------- */

/* What is left is not seen in the sum. */
#define NEGLIGIBLE 1e-17

/*
 * Sum over t >= 1 of exp(-rate t) S(t), with every retention rate raised by
 * points, at most to 1: then the customer stays for ever.
 */
static double
raised_lifetime(const Predictor *p, double rate, double points)
{
	double		last = HUGE_VAL;
	double		survival = 1;
	double		sum = 0;

	/* no later term is more than this share of the one before */
	double		most = exp(-rate) * (1 + Min(points, 0));

	if (points == 0)
		return exp(-rate) * p->model->lifetime(p, 1, rate);
	/* retention tends to 1 with age, so that some survive whatever comes */
	if (points > 0 && rate == 0)
		return HUGE_VAL;
	for (double t = 1;; t++)
	{
		double		retention = p->model->retention(p, t);
		double		raised = raise_retention(retention, points);
		double		term;

		survival *= raised;
		term = survival * exp(-rate * t);
		sum += term;
		/* past its lowest a rate only rises: the rest is a geometric series */
		if (raised >= 1 && retention > last)
			return sum + term / expm1(rate);
		if (term * most <= sum * (1 - most) * NEGLIGIBLE)
			return sum;
		last = retention;
		if (fmod(t, 1024) == 0)
			CHECK_FOR_INTERRUPTS();
	}
}

PG_FUNCTION_INFO_V1(retention_elasticity_model);
Datum
retention_elasticity_model(PG_FUNCTION_ARGS)
{
	ClvPredictor *p;
	const double *points;
	double		margin;
	double		rate;
	double		retention;
	double		value;
	bool		known;
	int			n;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		return (Datum) 0;
	points = get_points(fcinfo, 3, &n);
	margin = PG_GETARG_FLOAT8(1);
	check_finite(margin, "margin");
	clv_rate_check(PG_GETARG_FLOAT8(2));
	p = clv_predictor_create(PG_GETARG_CLV_MODEL_PP(0));
	if (!p->model.purchase->contract)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("retention_elasticity needs a contract model, not %s",
						p->model.purchase->text.label),
				 errhint("Customers without a contract have no retention rate: use a model %s, a cohort_table, or a rate.",
						 clv_model_names(clv_model_is_contract, "or"))));
	rate = clv_rate_per_unit(p, PG_GETARG_FLOAT8(2));
	/* a model of nobody has no parameters */
	known = !isnan(p->purchase.params[0]);
	retention = known ? p->model.purchase->retention(&p->purchase, 1) : get_float8_nan();
	value = known ? raised_lifetime(&p->purchase, rate, 0) : get_float8_nan();
	for (int i = 0; i < n; i++)
		put_elasticity(fcinfo, points[i], retention, raise_retention(retention, points[i]),
					   margin * value,
					   known ? margin * raised_lifetime(&p->purchase, rate, points[i]) :
					   get_float8_nan());
	return (Datum) 0;
}

/* ---------- return on customer ---------- */

PG_FUNCTION_INFO_V1(return_on_customer);
Datum
return_on_customer(PG_FUNCTION_ARGS)
{
	double		opening = PG_GETARG_FLOAT8(0);
	double		closing = PG_GETARG_FLOAT8(1);
	double		cash_flow = PG_GETARG_FLOAT8(2);

	check_finite(opening, "opening_equity");
	check_finite(closing, "closing_equity");
	check_finite(cash_flow, "cash_flow");
	if (opening == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8((closing - opening + cash_flow) / opening);
}
