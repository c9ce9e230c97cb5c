/*
 * auc_comparison.c
 *	  SQL-callable: auc_test(), two scores of the same rows against each other.
 *
 * A state keeps two keys a row (models/ranking.h), positives apart from
 * negatives.  The final function sorts them where they lie, which no later row
 * notices.
 *
 * Promises: the result does not depend on the order of rows, nor on how they were
 * split; a row with a NULL is left out.
 * Never: keeps a pointer into what it was passed.
 */
#include "metrics/score_keys.h"

#include <math.h>

#include "access/htup_details.h"
#include "fmgr/arguments.h"
#include "fmgr/interrupts.h"
#include "fmgr/result_row.h"
#include "fmgr/state_transport.h"
#include "funcapi.h"
#include "math/radix_sort.h"
#include "models/metrics/delong.h"

#define COLUMNS			6

static ScoreKeys *
auc_comparison_create_state(MemoryContext context)
{
	ScoreKeys  *state = MemoryContextAllocZero(context, sizeof(ScoreKeys));

	score_keys_init(state, 2, context);
	return state;
}

PG_FUNCTION_INFO_V1(auc_test_trans);
Datum
auc_test_trans(PG_FUNCTION_ARGS)
{
	ScoreKeys  *state;

	if (PG_ARGISNULL(0))
		state = auc_comparison_create_state(require_aggregate(fcinfo, "auc_test"));
	else
		state = (ScoreKeys *) PG_GETARG_POINTER(0);
	if (!PG_ARGISNULL(1) && !PG_ARGISNULL(2) && !PG_ARGISNULL(3))
	{
		uint64		first = score_key(PG_GETARG_FLOAT8(1));
		uint64		second = score_key(PG_GETARG_FLOAT8(2));
		uint64	   *row = score_keys_next(state, PG_GETARG_BOOL(3), 2);

		row[0] = first;
		row[1] = second;
	}
	PG_RETURN_POINTER(state);
}

static ScoreKeys *
auc_comparison_merge(ScoreKeys *state, ScoreKeys *more, MemoryContext context)
{
	if (state == NULL)
		state = auc_comparison_create_state(context);
	score_keys_merge(state, more);
	return state;
}

STATE_COMBINE(auc_test, ScoreKeys, "auc_test", auc_comparison_merge);

PG_FUNCTION_INFO_V1(auc_test_serialize);
Datum
auc_test_serialize(PG_FUNCTION_ARGS)
{
	require_aggregate(fcinfo, "auc_test");
	PG_RETURN_BYTEA_P(score_keys_serialize((ScoreKeys *) PG_GETARG_POINTER(0), NULL, 0));
}

PG_FUNCTION_INFO_V1(auc_test_deserialize);
Datum
auc_test_deserialize(PG_FUNCTION_ARGS)
{
	ScoreKeys  *state;

	require_aggregate(fcinfo, "auc_test");
	state = auc_comparison_create_state(CurrentMemoryContext);
	score_keys_deserialize(state, PG_GETARG_BYTEA_PP(0), NULL, 0);
	PG_RETURN_POINTER(state);
}

/* Puts the rows of a class in order. */
static RankPairsClass
sorted_class(const ScoreArray *rows)
{
	RankPairsClass class = {rows->keys, NULL, rows->n};
	uint64	   *scratch = palloc_extended(2 * sizeof(uint64) * rows->n, MCXT_ALLOC_HUGE);
	uint64	   *second = palloc_extended(sizeof(uint64) * rows->n, MCXT_ALLOC_HUGE);

	radix_sort_pairs(rows->keys, scratch, rows->n, poll_interrupts);
	for (Size i = 0; i < rows->n; i++)
		second[i] = rows->keys[2 * i + 1];
	radix_sort_words(second, scratch, rows->n, poll_interrupts);
	pfree(scratch);
	class.second = second;
	return class;
}

static Datum
comparison_datum(FunctionCallInfo fcinfo, const RankComparison *comparison)
{
	double		numbers[COLUMNS] = {comparison->auc_a, comparison->auc_b, comparison->difference,
	comparison->standard_error, comparison->z, comparison->p_value};
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS];
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "auc_test() must return a row");
	for (int i = 0; i < COLUMNS; i++)
		set_float8(values, nulls, i, numbers[i]);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

PG_FUNCTION_INFO_V1(auc_test_final);
Datum
auc_test_final(PG_FUNCTION_ARGS)
{
	ScoreKeys  *state = PG_ARGISNULL(0) ? NULL : (ScoreKeys *) PG_GETARG_POINTER(0);
	RankPairsClass negatives;
	RankPairsClass positives;
	RankComparison comparison;

	if (state == NULL || state->of[0].n == 0 || state->of[1].n == 0)
		PG_RETURN_NULL();
	negatives = sorted_class(&state->of[0]);
	positives = sorted_class(&state->of[1]);
	comparison = rank_compare(&positives, &negatives, poll_interrupts);
	PG_RETURN_DATUM(comparison_datum(fcinfo, &comparison));
}
