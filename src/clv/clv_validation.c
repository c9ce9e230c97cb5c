/*
 * clv_validation.c
 *	  A model against what customers did, and SQL-callable: the rows of that.
 *
 * Sums over customers are taken over those who agree: by age, of whom a model
 * expects the same before it has seen them, or by (x, t_x, age).
 *
 * Promises: see clv_validation.h; sums are taken in the order of the value, so
 * that equal data give equal bits.
 */
#include "clv/clv_validation.h"

#include <math.h>

#include "calendar/calendar.h"
#include "datatype/timestamp.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "math/chi_square.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"

/* A longer span is one of wrong dates. */
#define SPAN_MAX	100000		/* days: 273 years */

#define AT_ONCE		1024

void
validation_open(Validation *validation, const ClvModelValue *model, const ClvData *data)
{
	ClvPredictor *p = clv_predictor_create(model);

	if (p->model.purchase->discrete)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s counts whole periods, and clv_data days",
						p->model.purchase->text.label),
				 errhint("Use a model in continuous time: %s.",
						 clv_model_names(clv_model_is_continuous, "or"))));
	validation->predictor = p;
	validation->known = !isnan(p->purchase.params[0]);
	clv_data_read(data, &validation->data);
}

/* Days in units, as everywhere else: one division, so that equal days are equal times. */
static inline double
units(const Validation *validation, int32 days)
{
	return days / time_unit_days[validation->predictor->model.unit];
}

/* The rows from i on that have the same age: their end, and their customers. */
static uint64
same_age(const ClvDataContent *data, uint64 i, double *customers)
{
	int32		age = data->rows[i].age;

	*customers = 0;
	for (; i < data->nrows && data->rows[i].age == age; i++)
		*customers += data->rows[i].customers;
	return i;
}

/* ---------- tracking ---------- */

const char *const tracking_steps[] = {"day", "week", "month", "quarter", "year", NULL};

/* Last day of period k, counted from 1; beyond the calendar, the last day of all. */
static int64
period_end(DateADT first, TrackingStep step, int32 k)
{
	static const int32 days[] = {1, 7, 0, 0, 0};
	static const int32 months[] = {0, 0, 1, 3, 12};
	RollingWidth width = rolling_width(false, months[step], days[step], 0);
	Timestamp	start = rolling_wall_start(&width, first * USECS_PER_DAY, k);

	return start == PG_INT64_MAX ? DATEVAL_NOEND : start / USECS_PER_DAY - 1;
}

int
validation_periods(const Validation *validation, TrackingStep step)
{
	DateADT		first = clv_data_first_day(&validation->data);
	int64		span = (int64) validation->data.as_of - first;
	int			low = 0;
	int			high;

	if (validation->data.nrows == 0)
		return 0;
	if (span > SPAN_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("first day and as_of are " INT64_FORMAT " days apart", span),
				 errdetail("At most %d days are tracked.", SPAN_MAX),
				 errhint("Filter out customers with wrong dates.")));
	high = (int) span + 2;
	/* the largest k that has ended */
	while (high - low > 1)
	{
		int			k = low + (high - low) / 2;

		if (period_end(first, step, k) <= validation->data.as_of)
			low = k;
		else
			high = k;
	}
	return low;
}

/* E[purchases of a new customer in the first t days], t = 0 .. span */
static double *
expected_by_day(const Validation *validation, int32 span)
{
	const ClvPredictor *p = validation->predictor;
	double	   *expected = palloc(sizeof(double) * ((Size) span + 1));
	double		t[AT_ONCE];

	for (int32 from = 0; from <= span; from += AT_ONCE)
	{
		int			n = Min(AT_ONCE, span + 1 - from);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
		{
			t[i] = units(validation, from + i);
			expected[from + i] = get_float8_nan();
		}
		if (validation->known)
			p->model.purchase->expected(&p->purchase, 0, 0, 0, t, n, expected + from);
	}
	return expected;
}

int
validation_tracking(const Validation *validation, TrackingStep step, TrackingPeriod **periods)
{
	const ClvDataContent *data = &validation->data;
	DateADT		first = clv_data_first_day(data);
	int			n = validation_periods(validation, step);
	double	   *expected;
	int64		actual = 0;
	uint64		day = 0;

	*periods = palloc(sizeof(TrackingPeriod) * Max(n, 1));
	if (n == 0)
		return 0;
	expected = expected_by_day(validation, data->as_of - first);
	for (int k = 0; k < n; k++)
	{
		TrackingPeriod *period = &(*periods)[k];
		double		sum = 0;

		CHECK_FOR_INTERRUPTS();
		period->until = (DateADT) period_end(first, step, k + 1);
		for (; day < data->ndays && data->days[day].day <= period->until; day++)
			actual += data->days[day].purchases;
		for (uint64 i = 0; i < data->nrows;)
		{
			int64		since = (int64) period->until - data->calibration_end + data->rows[i].age;
			double		customers;

			i = same_age(data, i, &customers);
			if (since >= 0)
				sum += customers * expected[since];
		}
		period->actual = actual;
		period->expected = sum;
	}
	return n;
}

static TrackingStep
clv_validation_get_step(FunctionCallInfo fcinfo, int arg)
{
	text	   *name;
	int			step;

	if (PG_ARGISNULL(arg))
		return TRACK_WEEK;
	name = PG_GETARG_TEXT_PP(arg);
	step = retention_word_index(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), tracking_steps);
	if (step < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown period \"%s\"", text_to_cstring(name)),
				 errhint("Use 'day', 'week', 'month', 'quarter' or 'year'.")));
	return (TrackingStep) step;
}

PG_FUNCTION_INFO_V1(clv_tracking_rows);
Datum
clv_tracking_rows(PG_FUNCTION_ARGS)
{
	Validation	validation;
	TrackingPeriod *periods;
	TrackingPeriod last = {0, 0, 0};
	int			n;
	Datum		values[7];
	bool		nulls[7] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	validation_open(&validation, PG_GETARG_CLV_MODEL_PP(0), PG_GETARG_CLV_DATA(1));
	n = validation_tracking(&validation, clv_validation_get_step(fcinfo, 2), &periods);
	for (int k = 0; k < n; k++)
	{
		values[0] = Int32GetDatum(k + 1);
		values[1] = DateADTGetDatum(periods[k].until);
		values[2] = Int64GetDatum(periods[k].actual - last.actual);
		set_float8(values, nulls, 3, periods[k].expected - last.expected);
		values[4] = Int64GetDatum(periods[k].actual);
		set_float8(values, nulls, 5, periods[k].expected);
		values[6] = BoolGetDatum(periods[k].until > validation.data.calibration_end);
		retention_put_row(fcinfo, values, nulls);
		last = periods[k];
	}
	return (Datum) 0;
}

/* ---------- by frequency ---------- */

FrequencyClass *
validation_classes(const Validation *validation, int up_to)
{
	const ClvDataContent *data = &validation->data;
	FrequencyClass *classes = palloc0(sizeof(FrequencyClass) * (up_to + 1));

	for (uint64 i = 0; i < data->nrows; i++)
	{
		const ClvDataRow *row = &data->rows[i];
		FrequencyClass *class = &classes[Min(row->x, up_to)];

		class->customers += row->customers;
		class->holdout += row->holdout;
	}
	return classes;
}

void
validation_frequencies(const Validation *validation, int up_to, FrequencyClass *classes)
{
	const ClvDataContent *data = &validation->data;
	const Predictor *p = &validation->predictor->purchase;
	double		all = 0;

	for (uint64 i = 0; i < data->nrows;)
	{
		double		age = units(validation, data->rows[i].age);
		double		customers;

		CHECK_FOR_INTERRUPTS();
		i = same_age(data, i, &customers);
		all += customers;
		for (int k = 0; k < up_to; k++)
			classes[k].expected += !validation->known ? get_float8_nan() :
				customers * p->model->distribution(p, 0, 0, 0, age, k);
	}
	classes[up_to].expected = all;
	for (int k = 0; k < up_to; k++)
		classes[up_to].expected -= classes[k].expected;
	/* what rounding leaves where nobody is expected */
	if (classes[up_to].expected < 1e-12 * all)
		classes[up_to].expected = 0;
}

void
validation_holdout(const Validation *validation, int up_to, FrequencyClass *classes)
{
	const ClvDataContent *data = &validation->data;
	const Predictor *p = &validation->predictor->purchase;
	double		t = units(validation, data->as_of - data->calibration_end);

	for (uint64 i = 0; i < data->nrows; i++)
	{
		const ClvDataRow *row = &data->rows[i];
		FrequencyClass *class = &classes[Min(row->x, up_to)];
		double		expected = get_float8_nan();

		if ((i & 0xff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (validation->known)
			p->model->expected(p, row->x, units(validation, row->t_x),
							   units(validation, row->age), &t, 1, &expected);
		class->holdout_expected += row->customers * expected;
	}
}

static int
get_up_to(FunctionCallInfo fcinfo, int arg)
{
	int			up_to = PG_ARGISNULL(arg) ? UP_TO_DEFAULT : PG_GETARG_INT32(arg);

	if (up_to < 1 || up_to > UP_TO_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("up_to must be between 1 and %d, not %d", UP_TO_MAX, up_to),
				 errhint("It is the frequency from which on customers are counted together.")));
	return up_to;
}

/* (actual - expected)^2 / expected */
static double
chi_square_of(const FrequencyClass *class)
{
	double		difference = class->customers - class->expected;

	if (class->expected == 0)
		return class->customers == 0 ? 0 : get_float8_infinity();
	return difference * difference / class->expected;
}

PG_FUNCTION_INFO_V1(clv_frequency_fit_rows);
Datum
clv_frequency_fit_rows(PG_FUNCTION_ARGS)
{
	Validation	validation;
	FrequencyClass *classes;
	int			up_to;
	Datum		values[5];
	bool		nulls[5] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	up_to = get_up_to(fcinfo, 2);
	validation_open(&validation, PG_GETARG_CLV_MODEL_PP(0), PG_GETARG_CLV_DATA(1));
	classes = validation_classes(&validation, up_to);
	validation_frequencies(&validation, up_to, classes);
	for (int k = 0; k <= up_to; k++)
	{
		values[0] = Int32GetDatum(k);
		values[1] = BoolGetDatum(k == up_to);
		values[2] = Int64GetDatum(classes[k].customers);
		set_float8(values, nulls, 3, classes[k].expected);
		set_float8(values, nulls, 4, chi_square_of(&classes[k]));
		retention_put_row(fcinfo, values, nulls);
	}
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(clv_frequency_fit);
Datum
clv_frequency_fit(PG_FUNCTION_ARGS)
{
	Validation	validation;
	FrequencyClass *classes;
	int64		customers = 0;
	double		chi_square = 0;
	int			up_to;
	int			degrees;
	Datum		values[5];
	bool		nulls[5] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	up_to = get_up_to(fcinfo, 2);
	validation_open(&validation, PG_GETARG_CLV_MODEL_PP(0), PG_GETARG_CLV_DATA(1));
	classes = validation_classes(&validation, up_to);
	validation_frequencies(&validation, up_to, classes);
	for (int k = 0; k <= up_to; k++)
	{
		customers += classes[k].customers;
		chi_square += chi_square_of(&classes[k]);
	}
	degrees = up_to - validation.predictor->model.purchase->nparams;
	values[0] = Int64GetDatum(customers);
	values[1] = Int32GetDatum(up_to + 1);
	set_float8(values, nulls, 2, customers == 0 ? get_float8_nan() : chi_square);
	values[3] = Int32GetDatum(degrees);
	set_float8(values, nulls, 4, nulls[2] || isnan(chi_square) || degrees <= 0 ?
			   get_float8_nan() : chi_square_upper(chi_square, degrees));
	retention_put_row(fcinfo, values, nulls);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(clv_holdout_rows);
Datum
clv_holdout_rows(PG_FUNCTION_ARGS)
{
	Validation	validation;
	FrequencyClass *classes;
	int			up_to;
	bool		ended;
	Datum		values[7];
	bool		nulls[7] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	up_to = get_up_to(fcinfo, 2);
	validation_open(&validation, PG_GETARG_CLV_MODEL_PP(0), PG_GETARG_CLV_DATA(1));
	classes = validation_classes(&validation, up_to);
	validation_holdout(&validation, up_to, classes);
	ended = validation_has_holdout(&validation);
	for (int k = 0; k <= up_to; k++)
	{
		const FrequencyClass *class = &classes[k];

		values[0] = Int32GetDatum(k);
		values[1] = BoolGetDatum(k == up_to);
		values[2] = Int64GetDatum(class->customers);
		values[3] = Int64GetDatum(class->holdout);
		nulls[3] = !ended;
		set_float8(values, nulls, 4, ended ? class->holdout_expected : get_float8_nan());
		set_float8(values, nulls, 5, ended && class->customers > 0 ?
				   (double) class->holdout / class->customers : get_float8_nan());
		set_float8(values, nulls, 6, ended && class->customers > 0 ?
				   class->holdout_expected / class->customers : get_float8_nan());
		retention_put_row(fcinfo, values, nulls);
	}
	return (Datum) 0;
}
