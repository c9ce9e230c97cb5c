/*
 * migration_absorption.c
 *	  SQL-callable: where customers of a migration_matrix end up, what they pass
 *	  through, and when they first come somewhere.
 *
 * Kemeny and Snell (1960), "Finite Markov Chains", chapters 3 and 4.
 * Promises: a mean is given where it is finite for certain; each NULL has its
 * reason.
 * Never: O(n^4), however many pairs of segments there are.
 */
#include "migration/migration_chain.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr/interrupts.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"

#define NOTHING_ABSORBS "no absorbing segment"

/* The segments named by an argument, else all that absorb; returns how many. */
static int
absorbing_states(FunctionCallInfo fcinfo, int arg, const MigrationChain *chain, bool *absorbing)
{
	int			count = 0;

	if (PG_ARGISNULL(arg))
		memcpy(absorbing, chain->absorbing, sizeof(bool) * chain->n);
	else
	{
		Datum	   *labels;
		int			n;

		deconstruct_array(PG_GETARG_ARRAYTYPE_P(arg), TEXTOID, -1, false, TYPALIGN_INT,
						  &labels, NULL, &n);
		for (int i = 0; i < n; i++)
			absorbing[migration_chain_state(chain, TextDatumGetCString(labels[i]), "absorbing")] = true;
	}
	for (int i = 0; i < chain->n; i++)
		count += absorbing[i];
	return count;
}

/* The system of the segments that are left for good, sooner or later. */
static bool
transient_system(const MigrationChain *chain, MarkovSystem *system)
{
	bool	   *inside = palloc0(sizeof(bool) * (chain->n + 1));

	for (int i = 0; i < chain->n; i++)
		inside[i] = !chain->closed[i] && chain->unknown[i] == MARKOV_DEFINED;
	migration_system_room(chain->n, system);
	return markov_system(chain->n, chain->p, inside, 1, 0, system, poll_interrupts);
}

/* Of each state its row in a system, or -1. */
static int *
system_rows(const MigrationChain *chain, const MarkovSystem *system)
{
	int		   *row = migration_ints(chain->n);

	for (int i = 0; i < chain->n; i++)
		row[i] = -1;
	for (int i = 0; i < system->size; i++)
		row[system->states[i]] = i;
	return row;
}

/* ---------- absorption_probabilities ---------- */

/* size * count probabilities; NULL where doubles do not hold them */
static double *
solve_absorption(const MigrationChain *chain, const MarkovSystem *system, const int *targets,
				 int count)
{
	double	   *b = migration_doubles(system->size, count);

	for (int i = 0; i < system->size; i++)
		for (int j = 0; j < count; j++)
			b[(int64) i * count + j] = chain->p[(int64) system->states[i] * chain->n + targets[j]];
	markov_solve(system, count, b, poll_interrupts);
	return b;
}

PG_FUNCTION_INFO_V1(migration_absorption_probabilities);
Datum
migration_absorption_probabilities(PG_FUNCTION_ARGS)
{
	MigrationChain chain;
	MarkovSystem system;
	bool	   *absorbing;
	int		   *targets;
	int		   *row;
	int			count;
	int			listed = 0;
	bool		ok;
	double	   *b = NULL;
	MemoryContext row_context;
	Datum		values[4];
	bool		nulls[4] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	migration_chain_argument(&chain, fcinfo, 1);
	absorbing = palloc0(sizeof(bool) * (chain.n + 1));
	count = absorbing_states(fcinfo, 1, &chain, absorbing);
	targets = migration_ints(count);
	for (int i = 0; i < chain.n; i++)
		if (absorbing[i])
			targets[listed++] = i;
	ok = transient_system(&chain, &system);
	if (ok)
		b = solve_absorption(&chain, &system, targets, count);
	row = system_rows(&chain, &system);
	row_context = migration_row_context();
	for (int i = 0; i < chain.n; i++)
	{
		const char *reason = chain.unknown[i] != MARKOV_DEFINED ?
		migration_reason_unknown(&chain.matrix, chain.unknown[i]) :
		count == 0 ? NOTHING_ABSORBS : ok ? NULL : MIGRATION_TOO_SMALL;

		if (absorbing[i])
			continue;
		/* one row where nothing absorbs */
		for (int j = 0; j < Max(count, 1); j++)
		{
			double		p = reason != NULL ? get_float8_nan() :
			row[i] < 0 ? 0 : Min(b[(int64) row[i] * count + j], 1);

			values[0] = chain.names[i];
			nulls[1] = count == 0;
			values[1] = count == 0 ? (Datum) 0 : chain.names[targets[j]];
			migration_put_number(values, nulls, 2, p);
			migration_put_reason(values, nulls, 3, reason);
			retention_put_row(fcinfo, values, nulls);
		}
		MemoryContextReset(row_context);
	}
	migration_row_context_end(row_context);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(migration_absorption_probability);
Datum
migration_absorption_probability(PG_FUNCTION_ARGS)
{
	MigrationChain chain;
	MarkovSystem system;
	Datum		target_name = PG_GETARG_DATUM(2);
	int			from;
	int			target;
	double	   *b;

	migration_chain_open(&chain, PG_GETARG_MIGRATION_PP(0),
						 construct_array(&target_name, 1, TEXTOID, -1, false, TYPALIGN_INT),
						 "absorbing_segment");
	from = migration_chain_state(&chain, text_to_cstring(PG_GETARG_TEXT_PP(1)), "from_segment");
	target = migration_chain_state(&chain, text_to_cstring(PG_GETARG_TEXT_PP(2)), "absorbing_segment");
	if (from == target)
		PG_RETURN_FLOAT8(1);
	if (chain.unknown[from] != MARKOV_DEFINED || !transient_system(&chain, &system))
		PG_RETURN_NULL();
	if (chain.closed[from])
		PG_RETURN_FLOAT8(0);
	b = solve_absorption(&chain, &system, &target, 1);
	PG_RETURN_FLOAT8(Min(b[system_rows(&chain, &system)[from]], 1));
}

/* ---------- expected_visits ---------- */

/* (I - Q)^-1, the fundamental matrix */
static double *
solve_visits(const MarkovSystem *system)
{
	double	   *b = migration_doubles(system->size, system->size);

	for (int i = 0; i < system->size; i++)
		b[(int64) i * system->size + i] = 1;
	markov_solve(system, system->size, b, poll_interrupts);
	return b;
}

PG_FUNCTION_INFO_V1(migration_expected_visits);
Datum
migration_expected_visits(PG_FUNCTION_ARGS)
{
	MigrationChain chain;
	MarkovSystem system;
	int		   *row;
	bool		ok;
	bool		any = false;
	double	   *b = NULL;
	MemoryContext row_context;
	Datum		values[4];
	bool		nulls[4] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	migration_chain_argument(&chain, fcinfo, 1);
	ok = transient_system(&chain, &system);
	if (ok)
		b = solve_visits(&system);
	row = system_rows(&chain, &system);
	for (int i = 0; i < chain.n; i++)
		any |= !chain.closed[i];
	row_context = migration_row_context();
	for (int i = 0; i < chain.n; i++)
	{
		const char *reason = !any ? "no transient segment: visits never end" :
		chain.unknown[i] != MARKOV_DEFINED ?
		migration_reason_unknown(&chain.matrix, chain.unknown[i]) :
		ok ? NULL : MIGRATION_TOO_SMALL;

		if (any && chain.closed[i])
			continue;
		for (int j = 0; j < (any ? chain.n : 1); j++)
		{
			/* what is not in the system leads to an unknown row, and is not come to */
			double		visits = reason != NULL ? get_float8_nan() :
			row[j] < 0 ? 0 : b[(int64) row[i] * system.size + row[j]];

			if (any && chain.closed[j])
				continue;
			values[0] = chain.names[i];
			nulls[1] = !any;
			values[1] = any ? chain.names[j] : (Datum) 0;
			migration_put_number(values, nulls, 2, visits);
			migration_put_reason(values, nulls, 3, reason);
			retention_put_row(fcinfo, values, nulls);
		}
		MemoryContextReset(row_context);
	}
	migration_row_context_end(row_context);
	return (Datum) 0;
}

/* ---------- expected_periods ---------- */

/* Why segments do not come to an absorbing one for certain; MARKOV_DEFINED where they do. */
static int *
absorption_causes(const MigrationChain *chain, const bool *absorbing)
{
	int			n = chain->n;
	int		   *causes = migration_ints(n);
	int		   *reaches = migration_ints(n);
	int		   *stack = migration_ints(n);

	for (int i = 0; i < n; i++)
		causes[i] = reaches[i] = MARKOV_DEFINED;
	for (int i = 0; i < n; i++)
		if (absorbing[i])
			markov_mark(&chain->graph, i, -1, 0, reaches, stack);
	for (int i = 0; i < n; i++)
		if (chain->closed[i] && !absorbing[i])
			markov_mark(&chain->graph, i, -1, MARKOV_UNCERTAIN, causes, stack);
	for (int i = 0; i < n; i++)
	{
		if (causes[i] == MARKOV_DEFINED)
			causes[i] = chain->unknown[i];
		else if (reaches[i] == MARKOV_DEFINED && chain->unknown[i] == MARKOV_DEFINED)
			causes[i] = MARKOV_NEVER;
	}
	return causes;
}

static const char *
absorption_reason(const MigrationChain *chain, int cause)
{
	if (cause == MARKOV_NEVER)
		return "never comes to an absorbing segment";
	if (cause == MARKOV_UNCERTAIN)
		return "not certain to come to an absorbing segment";
	return cause == MARKOV_DEFINED ? NULL : migration_reason_unknown(&chain->matrix, cause);
}

PG_FUNCTION_INFO_V1(migration_expected_periods);
Datum
migration_expected_periods(PG_FUNCTION_ARGS)
{
	MigrationChain chain;
	MarkovSystem system;
	bool	   *absorbing;
	bool	   *inside;
	double	   *mean;
	double	   *variance;
	int		   *causes;
	bool		any;
	bool		ok;
	Datum		values[4];
	bool		nulls[4] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	migration_chain_argument(&chain, fcinfo, 1);
	absorbing = palloc0(sizeof(bool) * (chain.n + 1));
	inside = palloc0(sizeof(bool) * (chain.n + 1));
	any = absorbing_states(fcinfo, 1, &chain, absorbing) > 0;
	causes = absorption_causes(&chain, absorbing);
	for (int i = 0; i < chain.n; i++)
		inside[i] = causes[i] == MARKOV_DEFINED && !absorbing[i];
	mean = migration_doubles(chain.n, 1);
	variance = migration_doubles(chain.n, 1);
	migration_system_room(chain.n, &system);
	ok = markov_system(chain.n, chain.p, inside, 1, 0, &system, poll_interrupts);
	if (ok)
		markov_periods(chain.n, chain.p, &system, mean, variance, poll_interrupts);
	for (int i = 0; i < chain.n; i++)
	{
		const char *reason = any || chain.unknown[i] != MARKOV_DEFINED ?
		absorption_reason(&chain, causes[i]) : NOTHING_ABSORBS;

		if (reason == NULL && !ok)
			reason = MIGRATION_TOO_SMALL;
		values[0] = chain.names[i];
		migration_put_number(values, nulls, 1, reason != NULL ? get_float8_nan() : mean[i]);
		migration_put_number(values, nulls, 2, reason != NULL ? get_float8_nan() :
							 inside[i] ? variance[i] : 0);
		migration_put_reason(values, nulls, 3, reason);
		retention_put_row(fcinfo, values, nulls);
	}
	return (Datum) 0;
}

/* ---------- first_passage ---------- */

static const char *
passage_reason(const MigrationChain *chain, int cause, int to)
{
	const char *label = chain->matrix.labels[to];

	if (cause == MARKOV_NEVER)
		return psprintf("never comes to \"%s\"", label);
	if (cause == MARKOV_UNCERTAIN)
		return psprintf("not certain to come to \"%s\"", label);
	return cause == MARKOV_DEFINED ? MIGRATION_TOO_SMALL :
		migration_reason_unknown(&chain->matrix, cause);
}

PG_FUNCTION_INFO_V1(migration_first_passage);
Datum
migration_first_passage(PG_FUNCTION_ARGS)
{
	MigrationChain chain;
	double	   *periods;
	int		   *causes;
	int		   *work;
	int			n;
	MemoryContext row_context;
	Datum		values[4];
	bool		nulls[4] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	migration_chain_argument(&chain, fcinfo, 0);
	n = chain.n;
	periods = migration_doubles(n, n);
	markov_first_passage(n, chain.p, periods, migration_doubles(MARKOV_PASSAGE_WORK(n), 1),
						 poll_interrupts);
	/* causes of column j are kept in row j: rows come out by from, then to */
	causes = palloc_extended(sizeof(int) * ((int64) n * n + 1), MCXT_ALLOC_HUGE);
	work = migration_ints(2 * n);
	for (int j = 0; j < n; j++)
	{
		markov_passage_causes(&chain.graph, chain.p, chain.unknown, j, causes + (int64) j * n, work);
		poll_interrupts();
	}
	row_context = migration_row_context();
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < n; j++)
		{
			double		mean = periods[(int64) i * n + j];
			int			cause = causes[(int64) j * n + i];
			bool		defined = cause == MARKOV_DEFINED && isfinite(mean);

			values[0] = chain.names[i];
			values[1] = chain.names[j];
			migration_put_number(values, nulls, 2, defined ? mean : get_float8_nan());
			migration_put_reason(values, nulls, 3, defined ? NULL : passage_reason(&chain, cause, j));
			retention_put_row(fcinfo, values, nulls);
		}
		MemoryContextReset(row_context);
	}
	migration_row_context_end(row_context);
	return (Datum) 0;
}
