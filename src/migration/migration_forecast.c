/*
 * migration_forecast.c
 *	  SQL-callable: a migration_matrix some periods on: powers, customers, value.
 *
 * Promises: what comes by a segment that nobody was seen leaving is NULL, with
 * the segment's name; before that, numbers stand.
 * Never: takes customers out of the chain: a forecast has as many as its start.
 */
#include "migration/migration_chain.h"

#include <float.h>
#include <math.h>

#include "fmgr/arguments.h"
#include "fmgr/interrupts.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

/* rows of a forecast, and periods that are added up one by one */
#define FORECAST_ROWS_MAX	10000000
#define HORIZON_MAX			1000000

static int32
get_periods(FunctionCallInfo fcinfo, int arg, const char *name)
{
	int32		periods;

	require_argument(fcinfo, arg, name);
	periods = PG_GETARG_INT32(arg);
	if (periods < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be 0 or more periods, not %d", name, periods)));
	return periods;
}

/*
 * The segment that nobody was seen leaving and that customers of a state can
 * have left within so many periods, or MARKOV_DEFINED.
 */
static int
unknown_before(const MigrationChain *chain, int state, int32 periods, int *work)
{
	if (chain->unknown[state] == MARKOV_DEFINED || periods == 0)
		return MARKOV_DEFINED;
	CHECK_FOR_INTERRUPTS();
	return markov_unknown_within(chain->n, chain->p, state, (int64) periods - 1, work);
}

/* ---------- migration_power ---------- */

PG_FUNCTION_INFO_V1(migration_power);
Datum
migration_power(PG_FUNCTION_ARGS)
{
	MigrationChain chain;
	int32		k;
	double	   *power;
	int		   *work;
	MemoryContext row_context;
	Datum		values[4];
	bool		nulls[4] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	k = get_periods(fcinfo, 1, "k");
	migration_chain_argument(&chain, fcinfo, 2);
	power = migration_doubles(chain.n, chain.n);
	work = migration_ints(2 * chain.n);
	markov_power(chain.n, chain.p, k, power, migration_doubles(chain.n, chain.n), poll_interrupts);
	row_context = migration_row_context();
	for (int i = 0; i < chain.n; i++)
	{
		const double *row = power + (int64) i * chain.n;
		int			unknown = unknown_before(&chain, i, k, work);

		for (int j = 0; j < chain.n; j++)
		{
			values[0] = chain.names[i];
			values[1] = chain.names[j];
			migration_put_number(values, nulls, 2, row[j]);
			migration_put_reason(values, nulls, 3, unknown == MARKOV_DEFINED ? NULL :
								 migration_reason_unknown(&chain.matrix, unknown));
			retention_put_row(fcinfo, values, nulls);
		}
		MemoryContextReset(row_context);
	}
	migration_row_context_end(row_context);
	return (Datum) 0;
}

/* ---------- migration_forecast ---------- */

/*
 * Customers at the end: of a panel's last period, else of whatever period the
 * rows were of; those who came from nowhere are there too.
 */
static double *
last_customers(const MigrationMatrix *matrix)
{
	double	   *customers = migration_doubles(matrix->states, 1);

	if (matrix->given)
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("start must be given: the matrix was made of probabilities and has no customers"),
				 errhint("Write it as '{\"loyalist\": 100, \"inactive\": 20}'.")));
	if (matrix->panel)
	{
		int32		last = matrix->periods_n > 0 ? matrix->periods[matrix->periods_n - 1].period : 0;

		for (int64 i = matrix->periods_n - 1; i >= 0 && matrix->periods[i].period == last; i--)
			if (matrix->periods[i].to < matrix->states)
				customers[matrix->periods[i].to] += (double) matrix->periods[i].count;
		return customers;
	}
	for (int64 i = 0; i < matrix->cells_n; i++)
		if (matrix->cells[i].to < matrix->states)
			customers[matrix->cells[i].to] += (double) matrix->cells[i].count;
	return customers;
}

/* The first segment with customers, and no row to say where they go. */
static int
unknown_among(const MigrationChain *chain, const double *customers)
{
	for (int i = 0; i < chain->n; i++)
		if (customers[i] != 0 && chain->unknown[i] == i)
			return i;
	return MARKOV_DEFINED;
}

PG_FUNCTION_INFO_V1(migration_forecast);
Datum
migration_forecast(PG_FUNCTION_ARGS)
{
	MigrationChain chain;
	int32		k;
	double	   *now;
	double	   *next;
	int			unknown = MARKOV_DEFINED;
	MemoryContext row_context;
	Datum		values[4];
	bool		nulls[4] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	k = get_periods(fcinfo, 2, "k");
	migration_chain_argument(&chain, fcinfo, 3);
	if (((int64) k + 1) * chain.n > FORECAST_ROWS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a forecast of %d periods would have " INT64_FORMAT " rows", k,
						((int64) k + 1) * chain.n),
				 errdetail("At most %d are made.", FORECAST_ROWS_MAX),
				 errhint("migration_power() goes to any period at once, and steady_state() to the end.")));
	now = PG_ARGISNULL(1) ? last_customers(&chain.matrix) :
		migration_chain_numbers(&chain, PG_GETARG_JSONB_P(1), "start", false);
	next = migration_doubles(chain.n, 1);
	row_context = migration_row_context();
	for (int32 t = 0; t <= k; t++)
	{
		const char *reason = unknown == MARKOV_DEFINED ? NULL :
		migration_reason_unknown(&chain.matrix, unknown);

		for (int i = 0; i < chain.n; i++)
		{
			values[0] = Int32GetDatum(t);
			values[1] = chain.names[i];
			migration_put_number(values, nulls, 2, reason == NULL ? now[i] : get_float8_nan());
			migration_put_reason(values, nulls, 3, reason);
			retention_put_row(fcinfo, values, nulls);
		}
		if (unknown == MARKOV_DEFINED)
			unknown = unknown_among(&chain, now);
		if (unknown == MARKOV_DEFINED)
		{
			double	   *swap = now;

			markov_step(chain.n, chain.p, now, next);
			now = next;
			next = swap;
		}
		MemoryContextReset(row_context);
	}
	migration_row_context_end(row_context);
	return (Datum) 0;
}

/* ---------- markov_clv ---------- */

typedef struct Value
{
	double	   *value;			/* NaN where there is none */
	int		   *unknown;		/* because of this segment's row */
	int		   *forever;		/* because this segment's reward never ends */
	bool		too_small;
} Value;

/* sum of (P / (1 + d))^t R for t from 0 to the horizon, as Horner does it */
static void
value_within(const MigrationChain *chain, const double *rewards, double discount,
			 int32 horizon, Value *result)
{
	int			n = chain->n;
	double	   *value = result->value;
	double	   *later = migration_doubles(n, 1);
	int		   *work = migration_ints(2 * n);
	bool		moving = true;

	for (int i = 0; i < n; i++)
		result->unknown[i] = unknown_before(chain, i, horizon, work);
	memcpy(value, rewards, sizeof(double) * n);
	/* once a period more changes no bit, none does */
	for (int32 t = 0; t < horizon && moving; t++)
	{
		CHECK_FOR_INTERRUPTS();
		memcpy(later, value, sizeof(double) * n);
		moving = false;
		for (int i = 0; i < n; i++)
		{
			const double *row = chain->p + (int64) i * n;
			double		sum = 0;

			if (chain->unknown[i] == i)
				continue;
			for (int j = 0; j < n; j++)
				if (row[j] > 0)
					sum += row[j] * later[j];
			value[i] = rewards[i] + discount * sum;
			moving |= value[i] != later[i];
		}
	}
}

/* (I - P / (1 + d))^-1 R; with d = 0 only where rewards end */
static void
value_for_ever(const MigrationChain *chain, const double *rewards, double rate, Value *result)
{
	int			n = chain->n;
	bool	   *inside = palloc0(sizeof(bool) * (n + 1));
	int		   *stack = migration_ints(n);
	double	   *b = migration_doubles(n, 1);
	MarkovSystem system;

	memcpy(result->unknown, chain->unknown, sizeof(int) * n);
	for (int i = 0; i < n; i++)
		if (rate == 0 && chain->closed[i] && rewards[i] != 0)
			markov_mark(&chain->graph, i, -1, i, result->forever, stack);
	/* without a discount, the value of a class that is never left is 0 here */
	for (int i = 0; i < n; i++)
		inside[i] = chain->unknown[i] == MARKOV_DEFINED &&
			result->forever[i] == MARKOV_DEFINED && !(rate == 0 && chain->closed[i]);
	migration_system_room(n, &system);
	if (!markov_system(n, chain->p, inside, 1 / (1 + rate), rate / (1 + rate), &system,
					   poll_interrupts))
	{
		result->too_small = true;
		return;
	}
	for (int i = 0; i < system.size; i++)
		b[i] = rewards[system.states[i]];
	markov_solve(&system, 1, b, poll_interrupts);
	for (int i = 0; i < system.size; i++)
		result->value[system.states[i]] = b[i];
}

static const char *
value_reason(const MigrationChain *chain, const Value *result, int state)
{
	if (result->too_small)
		return MIGRATION_TOO_SMALL;
	if (result->forever[state] != MARKOV_DEFINED)
		return psprintf("the reward of \"%s\" never ends: give a discount_rate or a horizon",
						chain->matrix.labels[result->forever[state]]);
	if (result->unknown[state] != MARKOV_DEFINED)
		return migration_reason_unknown(&chain->matrix, result->unknown[state]);
	return NULL;
}

static double
get_rate(FunctionCallInfo fcinfo, int arg)
{
	double		rate;

	require_argument(fcinfo, arg, "discount_rate");
	rate = PG_GETARG_FLOAT8(arg);
	/* written so that NaN fails */
	if (!(rate >= 0 && rate <= DBL_MAX))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("discount_rate must be a finite number, 0 or more, not %g", rate),
				 errhint("It is that of one period of the matrix: write 0.01 for 1%% a period.")));
	return rate;
}

PG_FUNCTION_INFO_V1(markov_clv);
Datum
markov_clv(PG_FUNCTION_ARGS)
{
	MigrationChain chain;
	Value		result;
	double	   *rewards;
	double		rate;
	int32		horizon = -1;
	Datum		values[3];
	bool		nulls[3] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	require_argument(fcinfo, 1, "rewards");
	rate = get_rate(fcinfo, 2);
	if (!PG_ARGISNULL(3))
		horizon = get_periods(fcinfo, 3, "horizon");
	if (horizon > HORIZON_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("horizon must be at most %d periods, not %d", HORIZON_MAX, horizon),
				 errhint("Leave it out for a value without end.")));
	migration_chain_argument(&chain, fcinfo, 4);
	rewards = migration_chain_numbers(&chain, PG_GETARG_JSONB_P(1), "rewards", true);
	memset(&result, 0, sizeof(result));
	result.value = migration_doubles(chain.n, 1);
	result.unknown = migration_ints(chain.n);
	result.forever = migration_ints(chain.n);
	for (int i = 0; i < chain.n; i++)
		result.unknown[i] = result.forever[i] = MARKOV_DEFINED;
	if (horizon >= 0)
		value_within(&chain, rewards, 1 / (1 + rate), horizon, &result);
	else
		value_for_ever(&chain, rewards, rate, &result);
	for (int i = 0; i < chain.n; i++)
	{
		const char *reason = value_reason(&chain, &result, i);

		/* sums of both signs may be no number where they are too large */
		if (reason == NULL && !isfinite(result.value[i]))
			float_overflow_error();
		values[0] = chain.names[i];
		migration_put_number(values, nulls, 1, reason == NULL ? result.value[i] : get_float8_nan());
		migration_put_reason(values, nulls, 2, reason);
		retention_put_row(fcinfo, values, nulls);
	}
	return (Datum) 0;
}
