/*
 * migration_states.c
 *	  SQL-callable: what a migration_matrix says of each segment: its class, the
 *	  steady state, how long until absorption.
 *
 * Kemeny and Snell (1960), "Finite Markov Chains", chapters 2 to 4.
 * Promises: each NULL has its reason.
 * Never: a steady state that depends on where customers start, or that is none.
 */
#include "migration/migration_chain.h"

#include <math.h>

#include "fmgr/interrupts.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/float.h"

/* ---------- the long run ---------- */

typedef struct LongRun
{
	double	   *share;			/* stationary distribution; NaN if reason */
	const char *reason;
	int			period;			/* of the closed class; with more than 1 nothing is steady */
	const char *periodic;		/* reason */
} LongRun;

/* Nobody was seen in it at all: neither leaving it nor coming from another segment. */
static bool
unseen(const MigrationChain *chain, int state)
{
	if (chain->unknown[state] != state)
		return false;
	for (int i = 0; i < chain->n; i++)
		if (i != state && chain->unknown[i] == state)
			return false;
	return true;
}

static void
long_run(const MigrationChain *chain, LongRun *run)
{
	int			n = chain->n;
	int			classes = 0;	/* closed ones */
	int			last = -1;
	int			unknown = -1;

	memset(run, 0, sizeof(LongRun));
	run->share = migration_doubles(n, 1);
	for (int i = 0; i < n; i++)
	{
		if (chain->unknown[i] != MARKOV_DEFINED && !unseen(chain, i) && unknown < 0)
			unknown = chain->unknown[i];
		/* classes are numbered by their first state */
		if (!chain->closed[i] || chain->class_of[i] <= last)
			continue;
		last = chain->class_of[i];
		classes++;
	}
	if (classes > 1)
		run->reason = psprintf("%d closed classes: it depends on where customers start", classes);
	else if (unknown >= 0)
		run->reason = migration_reason_unknown(&chain->matrix, unknown);
	else if (classes == 0)
		run->reason = "no customers seen leaving any segment";
	else if (!markov_stationary(n, chain->p, chain->class_of, last, run->share,
								migration_doubles(n, n), migration_ints(n), poll_interrupts))
		run->reason = MIGRATION_TOO_SMALL;
	for (int i = 0; i < n; i++)
		if (run->reason != NULL || chain->unknown[i] != MARKOV_DEFINED)
			run->share[i] = get_float8_nan();
	if (classes != 1)
		return;
	run->period = markov_period(n, chain->p, chain->class_of, last, migration_ints(2 * n));
	if (run->period > 1)
		run->periodic = psprintf("customers come back only after multiples of %d periods",
								 run->period);
}

/* Why a segment has no steady state, or NULL. */
static const char *
steady_reason(const MigrationChain *chain, const LongRun *run, int state)
{
	if (run->reason != NULL)
		return run->reason;
	if (chain->unknown[state] != MARKOV_DEFINED)
		return migration_reason_unknown(&chain->matrix, state);
	return run->periodic;
}

PG_FUNCTION_INFO_V1(migration_steady_state);
Datum
migration_steady_state(PG_FUNCTION_ARGS)
{
	MigrationChain chain;
	LongRun		run;
	Datum		values[3];
	bool		nulls[3] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	migration_chain_argument(&chain, fcinfo, 0);
	long_run(&chain, &run);
	for (int i = 0; i < chain.n; i++)
	{
		const char *reason = steady_reason(&chain, &run, i);

		values[0] = chain.names[i];
		migration_put_number(values, nulls, 1, reason != NULL ? get_float8_nan() : run.share[i]);
		migration_put_reason(values, nulls, 2, reason);
		retention_put_row(fcinfo, values, nulls);
	}
	return (Datum) 0;
}

/* ---------- absorption ---------- */

typedef struct Absorption
{
	double	   *mean;			/* NaN where not defined */
	double	   *variance;
	const char *reason;			/* for all segments */
} Absorption;

/* Defined where whoever starts anywhere ends in an absorbing segment. */
static void
absorption(const MigrationChain *chain, Absorption *result)
{
	int			n = chain->n;
	bool	   *inside = palloc0(sizeof(bool) * (n + 1));
	bool		any = false;
	bool		all = true;
	MarkovSystem system;

	memset(result, 0, sizeof(Absorption));
	result->mean = migration_doubles(n, 1);
	result->variance = migration_doubles(n, 1);
	for (int i = 0; i < n; i++)
	{
		any |= chain->absorbing[i];
		all &= !chain->closed[i] || chain->absorbing[i];
		inside[i] = !chain->closed[i] && chain->unknown[i] == MARKOV_DEFINED;
	}
	if (!any)
		result->reason = "no absorbing segment";
	else if (!all)
		result->reason = "customers can also stay for ever among segments none of which is absorbing";
	else
	{
		migration_system_room(n, &system);
		if (!markov_system(n, chain->p, inside, 1, 0, &system, poll_interrupts))
			result->reason = MIGRATION_TOO_SMALL;
		else
			markov_periods(n, chain->p, &system, result->mean, result->variance, poll_interrupts);
	}
	for (int i = 0; i < n; i++)
	{
		/* the arrays are set for states inside, elsewhere they served as room */
		if (result->reason != NULL || chain->unknown[i] != MARKOV_DEFINED)
			result->mean[i] = result->variance[i] = get_float8_nan();
		else if (!inside[i])
			result->mean[i] = result->variance[i] = 0;
	}
}

/* ---------- migration_states ---------- */

static void
add_reason(StringInfo buf, const char *column, const char *reason)
{
	if (reason != NULL)
		appendStringInfo(buf, "%s%s: %s", buf->len == 0 ? "" : "; ", column, reason);
}

/*
 * Segments that are transient for certain, though not all rows are known: they
 * lead to a class that nothing leads out of.
 */
static bool *
leads_to_closed(const MigrationChain *chain)
{
	bool	   *leads = palloc0(sizeof(bool) * (chain->n + 1));
	int		   *marks = migration_ints(chain->n);
	int		   *stack = migration_ints(chain->n);

	for (int i = 0; i < chain->n; i++)
		marks[i] = MARKOV_DEFINED;
	for (int i = 0; i < chain->n; i++)
		if (chain->closed[i])
			markov_mark(&chain->graph, i, -1, 0, marks, stack);
	for (int i = 0; i < chain->n; i++)
		leads[i] = marks[i] == 0 && !chain->closed[i];
	return leads;
}

/* Numbers of classes as shown: those that are known, from 1 on; 0 for others. */
static int *
known_classes(const MigrationChain *chain)
{
	int		   *number = migration_ints(chain->classes);
	int			last = 0;

	for (int i = 0; i < chain->n; i++)
		if (chain->unknown[i] == MARKOV_DEFINED && number[chain->class_of[i]] == 0)
			number[chain->class_of[i]] = ++last;
	return number;
}

/* class, class_type, absorbing, period; why they are not all known */
static const char *
put_class(const MigrationChain *chain, int state, int number, bool leads_away, int period,
		  Datum *values, bool *nulls)
{
	bool		known = chain->unknown[state] == MARKOV_DEFINED;

	nulls[1] = !known;
	values[1] = Int32GetDatum(number);
	nulls[2] = !known && !leads_away;
	values[2] = CStringGetTextDatum(known && chain->closed[state] ? "recurrent" : "transient");
	nulls[3] = chain->unknown[state] == state;
	values[3] = BoolGetDatum(chain->absorbing[state]);
	nulls[4] = !known || period == 0;
	values[4] = Int32GetDatum(period);
	return known ? period > 0 ? NULL : "nobody comes back" :
		migration_reason_unknown(&chain->matrix, chain->unknown[state]);
}

PG_FUNCTION_INFO_V1(migration_states);
Datum
migration_states(PG_FUNCTION_ARGS)
{
	MigrationChain chain;
	LongRun		run;
	Absorption	ending;
	const char *order_reason = NULL;
	double		order_p;
	bool	   *leads_away;
	int		   *number;
	int		   *period;
	int		   *work;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	migration_chain_argument(&chain, fcinfo, 1);
	long_run(&chain, &run);
	absorption(&chain, &ending);
	order_p = migration_first_order_p(&chain.matrix, &order_reason);
	leads_away = leads_to_closed(&chain);
	number = known_classes(&chain);
	period = migration_ints(chain.classes);
	work = migration_ints(2 * chain.n);
	for (int c = 0; c < chain.classes; c++)
		period[c] = markov_period(chain.n, chain.p, chain.class_of, c, work);
	for (int i = 0; i < chain.n; i++)
	{
		Datum		values[11];
		bool		nulls[11] = {0};
		bool		known = chain.unknown[i] == MARKOV_DEFINED;
		const char *steady = steady_reason(&chain, &run, i);
		int			class = chain.class_of[i];
		const char *class_reason = put_class(&chain, i, number[class], leads_away[i],
											 period[class], values, nulls);
		StringInfoData reason;

		initStringInfo(&reason);
		values[0] = chain.names[i];
		migration_put_number(values, nulls, 5, steady != NULL ? get_float8_nan() : run.share[i]);
		migration_put_number(values, nulls, 6, run.share[i]);
		migration_put_number(values, nulls, 7, ending.mean[i]);
		migration_put_number(values, nulls, 8, ending.variance[i]);
		migration_put_number(values, nulls, 9, order_p);
		add_reason(&reason, known ? "class_period" : "class", class_reason);
		add_reason(&reason, "steady_state", steady);
		add_reason(&reason, "mean_periods_to_absorption", known ? ending.reason :
				   migration_reason_unknown(&chain.matrix, chain.unknown[i]));
		add_reason(&reason, "first_order_p", order_reason);
		migration_put_reason(values, nulls, 10, reason.len == 0 ? NULL : reason.data);
		retention_put_row(fcinfo, values, nulls);
	}
	return (Datum) 0;
}
