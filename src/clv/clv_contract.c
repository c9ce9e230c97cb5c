/*
 * clv_contract.c
 *	  SQL-callable: models of contracts, from survivors and from cohort tables,
 *	  and what they say of survival.
 *
 * The transition state of clv_model(period, survivors, ...) is an array of
 * survivors by period in a bytea, so that distributed plans can split it.
 *
 * Promises: each cohort counts with the periods that had wholly ended; who
 * misses one period has left for good (the measure 'streak').
 * Never: a guess where a period is missing: that is an error.
 */
#include "clv/clv.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "cohort/cohort_view.h"
#include "fmgr/arguments.h"
#include "fmgr/interrupts.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#define PERIODS_MAX	10000
#define UNKNOWN		(-1)

/* The state: survivors of one cohort. */
typedef struct Survivors
{
	int32		vl_len_;		/* varlena header */
	uint32		magic;			/* SURVIVORS_MAGIC */
	uint8		model;			/* PurchaseKind */
	uint8		unit;			/* TimeUnit */
	uint16		unused;
	int32		room;			/* periods */
	int64		counts[FLEXIBLE_ARRAY_MEMBER];	/* UNKNOWN: none came */
} Survivors;

#define SURVIVORS_MAGIC	0x56525553
#define SURVIVORS_SIZE(room) (offsetof(Survivors, counts) + (Size) (room) * sizeof(int64))

static const PurchaseModel *
parse_contract(const text *name)
{
	const PurchaseModel *model = name == NULL ?
	purchase_model(CONTRACT_DEFAULT) : clv_purchase_parse(name);

	if (!model->contract)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" is not one of contracts", model->name),
				 errhint("Survivors are fitted by %s.",
						 clv_model_names(clv_model_is_contract, "and"))));
	return model;
}

/* ---------- the fit ---------- */

/* Rows of one cohort: who left when, and who is still there. */
static size_t
add_cohort(ModelRow *rows, size_t n, const int64 *survivors, int32 periods)
{
	for (int32 t = 0; t <= periods; t++)
	{
		int64		count = t < periods ? survivors[t] - survivors[t + 1] : survivors[t];

		if (count == 0)
			continue;
		rows[n].x = rows[n].t_x = t;
		rows[n].age = periods;
		rows[n++].count = count;
	}
	return n;
}

static int
clv_contract_compare_rows(const void *a, const void *b)
{
	const ModelRow *x = a;
	const ModelRow *y = b;

	if (x->t_x != y->t_x)
		return x->t_x < y->t_x ? -1 : 1;
	return x->age < y->age ? -1 : x->age > y->age;
}

static Datum
fit_contract(const PurchaseModel *purchase, TimeUnit unit, ModelRow *rows, size_t n)
{
	ClvModel	model;

	memset(&model, 0, sizeof(model));
	model.purchase = purchase;
	model.unit = unit;
	model.correlation = get_float8_nan();
	qsort(rows, n, sizeof(ModelRow), clv_contract_compare_rows);
	for (size_t i = 0; i < n; i++)
		model.customers += (int64) rows[i].count;
	model_fit(purchase, rows, n, NULL, poll_interrupts, &model.fit);
	return PointerGetDatum(clv_model_pack(&model));
}

/* ---------- clv_model(period, survivors, model [, unit]) ---------- */

static Survivors *
survivors_create(int32 room)
{
	Survivors  *state = palloc(SURVIVORS_SIZE(room));

	memset(state, 0, offsetof(Survivors, counts));
	SET_VARSIZE(state, SURVIVORS_SIZE(room));
	state->magic = SURVIVORS_MAGIC;
	state->room = room;
	for (int32 i = 0; i < room; i++)
		state->counts[i] = UNKNOWN;
	return state;
}

/* A state that can be walked. */
static Survivors *
survivors_checked(void *value)
{
	Survivors  *state = value;

	if (!VARATT_IS_4B_U(state) || VARSIZE(state) < offsetof(Survivors, counts) ||
		state->magic != SURVIVORS_MAGIC || state->room < 0 || state->room > 2 * PERIODS_MAX ||
		VARSIZE(state) != SURVIVORS_SIZE(state->room) || state->unit > TIME_UNIT_LAST ||
		purchase_model(state->model) == NULL || !purchase_model(state->model)->contract)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("state of clv_model is corrupt: wrong survivors")));
	return state;
}

static Survivors *
survivors_set(Survivors *state, int32 period, int64 count)
{
	if (period >= state->room)
	{
		Survivors  *larger = survivors_create(Max(period + 1, Min(state->room * 2, PERIODS_MAX)));

		larger->model = state->model;
		larger->unit = state->unit;
		memcpy(larger->counts, state->counts, state->room * sizeof(int64));
		state = larger;
	}
	if (state->counts[period] != UNKNOWN)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period %d comes more than once", period),
				 errhint("Survivors are those of one cohort: use GROUP BY for several, or clv_model(cohort_table) to pool them.")));
	state->counts[period] = count;
	return state;
}

/* period is an integer, or a bigint such as row_number() and ordinality give */
static Datum
survivors_trans(FunctionCallInfo fcinfo, bool is_bigint)
{
	bool		has_unit = PG_NARGS() > 4 && !PG_ARGISNULL(4);
	const PurchaseModel *model;
	TimeUnit	unit;
	Survivors  *state;
	int64		period;
	int64		count;

	require_aggregate(fcinfo, "clv_model");
	model = parse_contract(PG_ARGISNULL(3) ? NULL : PG_GETARG_TEXT_PP(3));
	unit = has_unit ? time_unit_parse(PG_GETARG_TEXT_PP(4)) : TIME_UNIT_YEAR;
	if (PG_ARGISNULL(0))
	{
		state = survivors_create(16);
		state->model = model->kind;
		state->unit = unit;
	}
	else
		state = survivors_checked(PG_GETARG_POINTER(0));
	if (state->model != model->kind || state->unit != unit)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be the same in all rows of clv_model",
						state->model != model->kind ? "model" : "unit")));
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_POINTER(state);
	period = is_bigint ? PG_GETARG_INT64(1) : PG_GETARG_INT32(1);
	count = PG_GETARG_INT64(2);
	if (period < 0 || period > PERIODS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period must be between 0 and %d, not " INT64_FORMAT, PERIODS_MAX, period)));
	if (count < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("survivors must be 0 or more, not " INT64_FORMAT " in period %d", count, (int) period)));
	PG_RETURN_POINTER(survivors_set(state, period, count));
}

PG_FUNCTION_INFO_V1(clv_model_survivors_trans);
Datum
clv_model_survivors_trans(PG_FUNCTION_ARGS)
{
	return survivors_trans(fcinfo, false);
}

PG_FUNCTION_INFO_V1(clv_model_survivors_trans_bigint);
Datum
clv_model_survivors_trans_bigint(PG_FUNCTION_ARGS)
{
	return survivors_trans(fcinfo, true);
}

PG_FUNCTION_INFO_V1(clv_model_survivors_combine);
Datum
clv_model_survivors_combine(PG_FUNCTION_ARGS)
{
	Survivors  *more;
	Survivors  *state;

	require_aggregate(fcinfo, "clv_model");
	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	/* a copy: whole, aligned and ours, wherever the state came from */
	more = survivors_checked(PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(1)));
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(more);
	state = survivors_checked(PG_GETARG_POINTER(0));
	if (state->model != more->model || state->unit != more->unit)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model and unit must be the same in all rows of clv_model")));
	for (int32 i = 0; i < more->room; i++)
		if (more->counts[i] != UNKNOWN)
			state = survivors_set(state, i, more->counts[i]);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(clv_model_survivors_final);
Datum
clv_model_survivors_final(PG_FUNCTION_ARGS)
{
	Survivors  *state;
	ModelRow   *rows;
	int32		last;

	require_aggregate(fcinfo, "clv_model");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = survivors_checked(PG_GETARG_POINTER(0));
	for (last = state->room - 1; last >= 0 && state->counts[last] == UNKNOWN; last--)
		;
	if (last < 0)
		PG_RETURN_NULL();
	for (int32 t = 0; t <= last; t++)
	{
		if (state->counts[t] == UNKNOWN)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("survivors of period %d are missing", t),
					 errhint("Give one row for each period from 0, the number of customers who began, to %d.", last)));
		if (t > 0 && state->counts[t] > state->counts[t - 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("survivors grow from " INT64_FORMAT " to " INT64_FORMAT " in period %d",
							state->counts[t - 1], state->counts[t], t),
					 errhint("Survivors are those of one cohort who never left until then.")));
	}
	rows = palloc((last + 1) * sizeof(ModelRow));
	PG_RETURN_DATUM(fit_contract(purchase_model(state->model), (TimeUnit) state->unit, rows,
								 add_cohort(rows, 0, state->counts, last)));
}

/* ---------- clv_model(cohort_table, model, as_of) ---------- */

static void
no_unit_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("periods of this cohort_table are no unit of a clv_model"),
			 errhint("Use periods of a day, week, month, quarter, half year or year, and rolling windows of '1 day', '7 days', '1 month', '3 months', '6 months' or '1 year'.")));
}

static TimeUnit
unit_of_window(const CohortParams *params)
{
	if (params->micros == 0 && params->months == 0 && params->days == 1)
		return TIME_UNIT_DAY;
	if (params->micros == 0 && params->months == 0 && params->days == 7)
		return TIME_UNIT_WEEK;
	if (params->micros == 0 && params->days == 0 && params->months == 1)
		return TIME_UNIT_MONTH;
	if (params->micros == 0 && params->days == 0 && params->months == 3)
		return TIME_UNIT_QUARTER;
	if (params->micros == 0 && params->days == 0 && params->months == 6)
		return TIME_UNIT_HALF;
	if (params->micros == 0 && params->days == 0 && params->months == 12)
		return TIME_UNIT_YEAR;
	no_unit_error();
	return TIME_UNIT_DAY;
}

static TimeUnit
unit_of_table(const CohortParams *params)
{
	if (params->rolling)
		return unit_of_window(params);
	switch ((PeriodUnit) params->spec.unit)
	{
		case PERIOD_DAY:
			return TIME_UNIT_DAY;
		case PERIOD_WEEK:
			return TIME_UNIT_WEEK;
		case PERIOD_MONTH:
			return TIME_UNIT_MONTH;
		case PERIOD_QUARTER:
			return TIME_UNIT_QUARTER;
		case PERIOD_YEAR:
			return TIME_UNIT_YEAR;
		case PERIOD_HALF:
			return TIME_UNIT_HALF;
		case PERIOD_HOUR:
			break;
	}
	no_unit_error();
	return TIME_UNIT_DAY;
}

static Datum
clv_model_cohorts_any(FunctionCallInfo fcinfo, Oid type)
{
	CohortView	view;
	const PurchaseModel *model;
	TimeUnit	unit;
	ModelRow   *rows = NULL;
	size_t		n = 0;
	size_t		room = 0;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	model = parse_contract(PG_ARGISNULL(2) ? NULL : PG_GETARG_TEXT_PP(2));
	cohort_view_open(&view, PG_GETARG_COHORT_TABLE_PP(0),
					 argument_as_of(fcinfo, 1, type, AS_OF_HINT_EVENT),
					 MEASURE_STREAK, cohort_range_all());
	cohort_view_tell_silence(fcinfo, &view);
	if (view.calendar == NULL)
		PG_RETURN_NULL();
	unit = unit_of_table(&view.reader.params);
	while (cohort_view_next(&view))
	{
		int32		complete = 0;

		while (complete + 1 < view.rows && cell_complete(&view, complete + 1))
			complete++;
		if (view.rows == 0)
			continue;
		if (n + complete + 1 > room)
		{
			room = Max(room * 2, n + complete + 1);
			rows = rows == NULL ?
				MemoryContextAllocHuge(CurrentMemoryContext, room * sizeof(ModelRow)) :
				repalloc_huge(rows, room * sizeof(ModelRow));
		}
		/* nobody has left in the first period */
		view.retained[0] = view.size;
		n = add_cohort(rows, n, view.retained, complete);
	}
	PG_RETURN_DATUM(fit_contract(model, unit, rows, n));
}

AS_OF_VERSIONS(clv_model_cohorts)

/* ---------- survival ---------- */

static Predictor
contract_predictor(FunctionCallInfo fcinfo, ClvModel *model)
{
	Predictor	p;

	clv_model_unpack(PG_GETARG_CLV_MODEL_PP(0), model);
	if (!model->purchase->contract)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model \"%s\" is not one of contracts", model->purchase->name),
				 errhint("Survival by renewals is known to %s; for others ask p_alive().",
						 clv_model_names(clv_model_is_contract, "and"))));
	memset(&p, 0, sizeof(p));
	p.model = model->purchase;
	memcpy(p.params, model->fit.params, sizeof(p.params));
	p.poll = poll_interrupts;
	return p;
}

static double
renewals_argument(FunctionCallInfo fcinfo, int arg, int least)
{
	int32		renewals = PG_GETARG_INT32(arg);

	if (renewals < least)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("period must be %d or more, not %d", least, renewals)));
	return renewals;
}

#define RETURN_KNOWN(value) \
	do { double v = (value); if (!isfinite(v)) PG_RETURN_NULL(); PG_RETURN_FLOAT8(v); } while (0)

PG_FUNCTION_INFO_V1(clv_contract_survival);
Datum
clv_contract_survival(PG_FUNCTION_ARGS)
{
	ClvModel	model;
	Predictor	p = contract_predictor(fcinfo, &model);

	RETURN_KNOWN(exp(p.model->log_survival(&p, renewals_argument(fcinfo, 1, 0))));
}

PG_FUNCTION_INFO_V1(clv_contract_retention);
Datum
clv_contract_retention(PG_FUNCTION_ARGS)
{
	ClvModel	model;
	Predictor	p = contract_predictor(fcinfo, &model);

	RETURN_KNOWN(p.model->retention(&p, renewals_argument(fcinfo, 1, 1)));
}

PG_FUNCTION_INFO_V1(clv_contract_lifetime);
Datum
clv_contract_lifetime(PG_FUNCTION_ARGS)
{
	ClvModel	model;
	Predictor	p = contract_predictor(fcinfo, &model);
	double		rate = PG_GETARG_FLOAT8(2);

	clv_rate_check(rate);
	RETURN_KNOWN(p.model->lifetime(&p, renewals_argument(fcinfo, 1, 0),
								   log1p(rate) * time_unit_days[model.unit] / DAYS_PER_YEAR));
}
