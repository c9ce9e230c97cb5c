/*
 * score_agg.c
 *	  SQL-callable: the state that all aggregates over (score, label) share.
 *
 * A state keeps the keys of the scores (score_keys.h).  Aggregates of the same
 * pairs and question share one state.  The final functions sort the keys where
 * they lie, with scratch for the larger of both classes: 16 bytes a pair at
 * most.  That changes their order only, which means nothing, so that rows may
 * come after, as in a window; and who comes next finds them in order.
 *
 * Promises: a pair with a NULL is left out (a capacity needs no outcome); a group
 * of one pair takes some 200 bytes; results do not depend on the order of rows, nor
 * on how they were split.
 * Never: keeps a pointer into what it was passed.
 */
#include "metrics/score_keys.h"

#include <math.h>

#include "fmgr/arguments.h"
#include "fmgr/interrupts.h"
#include "fmgr/state_transport.h"
#include "math/radix_sort.h"

struct ScoreState
{
	ScoreQuestion question;
	ScoreKeys	keys;			/* one a pair */
};

/* ---------- questions ---------- */

void
score_check_clip(double clip)
{
	/* written so that NaN fails */
	if (!(clip >= 0 && clip < 0.5))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("clip must be from 0 to below 0.5, not %g", clip),
				 errhint("Scores are cut to [clip, 1 - clip]; write 1e-15.")));
}

static void
check_cost(double cost, const char *name)
{
	if (!(cost >= 0) || isinf(cost))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a finite number that is not negative, not %g", name, cost)));
}

void
score_check_costs(double false_positive, double false_negative)
{
	check_cost(false_positive, "cost_false_positive");
	check_cost(false_negative, "cost_false_negative");
}

void
score_check_capacity(int64 capacity)
{
	if (capacity < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("capacity must not be negative, not " INT64_FORMAT, capacity)));
}

static void
match_questions(const ScoreQuestion *a, const ScoreQuestion *b)
{
	static const char *const names[] = {"", "clip", "costs", "capacity"};

	if (unlikely(a->numbers[0] != b->numbers[0] || a->numbers[1] != b->numbers[1] ||
				 a->capacity != b->capacity))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be the same in all rows", names[a->asked])));
}

/* ---------- the state ---------- */

static ScoreState *
score_agg_create_state(MemoryContext context, const ScoreQuestion *question)
{
	ScoreState *state = MemoryContextAllocZero(context, sizeof(ScoreState));

	state->question = *question;
	score_keys_init(&state->keys, 1, context);
	return state;
}

const ScoreQuestion *
score_state_question(const ScoreState *state)
{
	return &state->question;
}

bool
score_state_source(ScoreState *state, RankKeys *keys, RankSource *source)
{
	const ScoreArray *negatives = &state->keys.of[0];
	const ScoreArray *positives = &state->keys.of[1];
	Size		most = Max(negatives->n, positives->n);
	uint64	   *scratch;

	if (most == 0)
		return false;
	scratch = palloc_extended(sizeof(uint64) * most, MCXT_ALLOC_HUGE);
	radix_sort_words(negatives->keys, scratch, negatives->n, poll_interrupts);
	radix_sort_words(positives->keys, scratch, positives->n, poll_interrupts);
	pfree(scratch);
	memset(keys, 0, sizeof(RankKeys));
	keys->negatives = negatives->keys;
	keys->nnegatives = negatives->n;
	keys->positives = positives->keys;
	keys->npositives = positives->n;
	keys->poll = poll_interrupts;
	*source = rank_keys_source(keys);
	return true;
}

/* ---------- rows ---------- */

static const ScoreQuestion nothing = {ASKED_NOTHING, {0, 0}, 0};

static inline Datum
add_pair(FunctionCallInfo fcinfo, const ScoreQuestion *question)
{
	ScoreState *state;

	if (unlikely(PG_ARGISNULL(0)))
		state = score_agg_create_state(require_aggregate(fcinfo, "score_table"), question);
	else
	{
		state = (ScoreState *) PG_GETARG_POINTER(0);
		if (question->asked != ASKED_NOTHING)
			match_questions(&state->question, question);
	}
	/* who is to be called is not asked for his outcome */
	if (likely(!PG_ARGISNULL(1) && (!PG_ARGISNULL(2) || question->asked == ASKED_CAPACITY)))
	{
		uint64		key = score_key(PG_GETARG_FLOAT8(1));

		*score_keys_next(&state->keys, !PG_ARGISNULL(2) && PG_GETARG_BOOL(2), 1) = key;
	}
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(score_trans);
Datum
score_trans(PG_FUNCTION_ARGS)
{
	return add_pair(fcinfo, &nothing);
}

PG_FUNCTION_INFO_V1(score_clip_trans);
Datum
score_clip_trans(PG_FUNCTION_ARGS)
{
	ScoreQuestion question = {ASKED_CLIP, {0, 0}, 0};

	require_argument(fcinfo, 3, "clip");
	question.numbers[0] = PG_GETARG_FLOAT8(3);
	score_check_clip(question.numbers[0]);
	return add_pair(fcinfo, &question);
}

PG_FUNCTION_INFO_V1(score_costs_trans);
Datum
score_costs_trans(PG_FUNCTION_ARGS)
{
	ScoreQuestion question = {ASKED_COSTS, {0, 0}, 0};

	require_argument(fcinfo, 3, "cost_false_positive");
	require_argument(fcinfo, 4, "cost_false_negative");
	question.numbers[0] = PG_GETARG_FLOAT8(3);
	question.numbers[1] = PG_GETARG_FLOAT8(4);
	score_check_costs(question.numbers[0], question.numbers[1]);
	return add_pair(fcinfo, &question);
}

PG_FUNCTION_INFO_V1(score_capacity_trans);
Datum
score_capacity_trans(PG_FUNCTION_ARGS)
{
	ScoreQuestion question = {ASKED_CAPACITY, {0, 0}, 0};

	require_argument(fcinfo, 3, "capacity");
	question.capacity = PG_GETARG_INT64(3);
	score_check_capacity(question.capacity);
	return add_pair(fcinfo, &question);
}

/* ---------- states as one, and in other processes ---------- */

static ScoreState *
score_agg_merge(ScoreState *state, ScoreState *more, MemoryContext context)
{
	if (state == NULL)
		state = score_agg_create_state(context, &more->question);
	else
		match_questions(&state->question, &more->question);
	score_keys_merge(&state->keys, &more->keys);
	return state;
}

STATE_COMBINE(score, ScoreState, "score_table", score_agg_merge);

PG_FUNCTION_INFO_V1(score_serialize);
Datum
score_serialize(PG_FUNCTION_ARGS)
{
	const ScoreState *state = (ScoreState *) PG_GETARG_POINTER(0);

	require_aggregate(fcinfo, "score_table");
	PG_RETURN_BYTEA_P(score_keys_serialize(&state->keys, &state->question,
										   sizeof(ScoreQuestion)));
}

PG_FUNCTION_INFO_V1(score_deserialize);
Datum
score_deserialize(PG_FUNCTION_ARGS)
{
	ScoreState *state;

	require_aggregate(fcinfo, "score_table");
	state = score_agg_create_state(CurrentMemoryContext, &nothing);
	score_keys_deserialize(&state->keys, PG_GETARG_BYTEA_PP(0), &state->question,
						   sizeof(ScoreQuestion));
	PG_RETURN_POINTER(state);
}
