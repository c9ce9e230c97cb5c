/*
 * score_metrics.c
 *	  SQL-callable: one number of scores and what came true, from the rows of an
 *	  aggregate or from a score_table.
 *
 * Promises: both ways give the same bits; NULL where a number is undefined.
 * Never: looks at more than distinct scores and their numbers of rows.
 */
#include "metrics/score_table.h"

#include <math.h>

#include "fmgr/result_row.h"
#include "models/metrics/calibration.h"
#include "utils/float.h"

typedef double (*Metric) (const RankSource *source, const ScoreQuestion *question);

static Datum
metric_of_source(FunctionCallInfo fcinfo, Metric metric, const RankSource *source,
				 const ScoreQuestion *question)
{
	return float8_or_null(fcinfo, metric(source, question));
}

static Datum
metric_of_state(FunctionCallInfo fcinfo, Metric metric)
{
	ScoreState *state = PG_ARGISNULL(0) ? NULL : (ScoreState *) PG_GETARG_POINTER(0);
	RankKeys	keys;
	RankSource	source;

	if (state == NULL || !score_state_source(state, &keys, &source))
		PG_RETURN_NULL();
	return metric_of_source(fcinfo, metric, &source, score_state_question(state));
}

static Datum
metric_of_table(FunctionCallInfo fcinfo, Metric metric, const ScoreQuestion *question)
{
	ScoreReader reader;
	RankSource	source = score_table_source(PG_GETARG_SCORE_TABLE(0), &reader);

	return metric_of_source(fcinfo, metric, &source, question);
}

/* The final function of an aggregate. */
#define METRIC_OF_STATE(name) \
	PG_FUNCTION_INFO_V1(name##_final); \
	Datum name##_final(PG_FUNCTION_ARGS) { return metric_of_state(fcinfo, name); }

/* And the same of a table, where nothing more is asked. */
#define METRIC(name, function) \
	static double name(const RankSource *source, const ScoreQuestion *question) \
	{ return function(source); } \
	METRIC_OF_STATE(name) \
	PG_FUNCTION_INFO_V1(name##_table); \
	Datum name##_table(PG_FUNCTION_ARGS) { return metric_of_table(fcinfo, name, NULL); }

static double
brier_of(const RankSource *source)
{
	return calibration_brier(source).brier;
}

METRIC(score_auc, rank_auc)
METRIC(score_auc_se, rank_auc_se)
METRIC(score_ks, rank_ks)
METRIC(score_average_precision, rank_average_precision)
METRIC(score_brier, brier_of)

/* Nothing asked is a clip of 0. */
static double
score_log_loss(const RankSource *source, const ScoreQuestion *question)
{
	return calibration_log_loss(source, question->numbers[0]);
}

static double
score_threshold_costs(const RankSource *source, const ScoreQuestion *question)
{
	return rank_threshold_by_cost(source, question->numbers[0], question->numbers[1]);
}

static double
score_threshold_capacity(const RankSource *source, const ScoreQuestion *question)
{
	return rank_threshold_by_capacity(source, question->capacity);
}

METRIC_OF_STATE(score_log_loss)
METRIC_OF_STATE(score_threshold_costs)
METRIC_OF_STATE(score_threshold_capacity)

PG_FUNCTION_INFO_V1(score_log_loss_table);
Datum
score_log_loss_table(PG_FUNCTION_ARGS)
{
	ScoreQuestion question = {ASKED_CLIP, {PG_GETARG_FLOAT8(1), 0}, 0};

	score_check_clip(question.numbers[0]);
	return metric_of_table(fcinfo, score_log_loss, &question);
}

PG_FUNCTION_INFO_V1(score_threshold_costs_table);
Datum
score_threshold_costs_table(PG_FUNCTION_ARGS)
{
	ScoreQuestion question = {ASKED_COSTS, {PG_GETARG_FLOAT8(1), PG_GETARG_FLOAT8(2)}, 0};

	score_check_costs(question.numbers[0], question.numbers[1]);
	return metric_of_table(fcinfo, score_threshold_costs, &question);
}

PG_FUNCTION_INFO_V1(score_threshold_capacity_table);
Datum
score_threshold_capacity_table(PG_FUNCTION_ARGS)
{
	ScoreQuestion question = {ASKED_CAPACITY, {0, 0}, PG_GETARG_INT64(1)};

	score_check_capacity(question.capacity);
	return metric_of_table(fcinfo, score_threshold_capacity, &question);
}

PG_FUNCTION_INFO_V1(score_table_final);
Datum
score_table_final(PG_FUNCTION_ARGS)
{
	RankKeys	keys;
	RankSource	source;

	if (PG_ARGISNULL(0) ||
		!score_state_source((ScoreState *) PG_GETARG_POINTER(0), &keys, &source))
		PG_RETURN_NULL();
	PG_RETURN_POINTER(score_table_pack(&source));
}
