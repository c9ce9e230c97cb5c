/*
 * churn_agg.c
 *	  SQL-callable: churn_model() over rows with an outcome and features.
 *
 * What rows have in common (options, how features are read) is kept once a
 * query; a group whose rows have other options, another length of array or
 * another type of record has its own.
 *
 * Promises: one row costs a copy of its features; options must be equal in all
 * rows of a group; the final function changes nothing, and warns once.
 * Never: fits before the last row has come.
 */
#include "churn/churn_input.h"

#include <math.h>

#include "fmgr/arguments.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#define CHURNED_ARG		1
#define FEATURES_ARG	2

/* How an aggregate is called: where its arguments stand; 0: not given. */
typedef struct AggForm
{
	ChurnInput	input;
	int			weight;
	int			options;
	bool		as_text;
} AggForm;

/* Per query, in fn_extra. */
typedef struct ChurnQuery
{
	bool		options_vary;
	ChurnInputRows *collected;	/* of the first group */
} ChurnQuery;

/* Per group. */
typedef struct ChurnState
{
	ChurnInputRows *collected;
	ChurnSample *sample;		/* NULL before the first row that trains */
	int64		unlabelled;
	int64		skipped;
} ChurnState;

static struct varlena *
options_argument(FunctionCallInfo fcinfo, const AggForm *form)
{
	if (form->options == 0 || PG_ARGISNULL(form->options))
		return NULL;
	return (struct varlena *) PG_GETARG_POINTER(form->options);
}

static ChurnQuery *
churn_agg_query_of(FunctionCallInfo fcinfo, const AggForm *form)
{
	ChurnQuery *query = fcinfo->flinfo->fn_extra;
	MemoryContext context = fcinfo->flinfo->fn_mcxt;

	if (likely(query != NULL))
		return query;
	query = MemoryContextAllocZero(context, sizeof(ChurnQuery));
	query->options_vary = form->options != 0 && argument_varies(fcinfo, form->options);
	query->collected = churn_input_create(context, form->input, form->weight != 0,
										  options_argument(fcinfo, form), form->as_text);
	fcinfo->flinfo->fn_extra = query;
	return query;
}

static ChurnState *
state_begin(FunctionCallInfo fcinfo, const AggForm *form, MemoryContext context)
{
	ChurnQuery *query = churn_agg_query_of(fcinfo, form);
	struct varlena *options = options_argument(fcinfo, form);
	ChurnState *state = MemoryContextAllocZero(context, sizeof(ChurnState));

	if (!query->options_vary || churn_input_has_options(query->collected, options))
		state->collected = query->collected;
	else
		state->collected = churn_input_create(context, form->input, form->weight != 0, options,
											  form->as_text);
	return state;
}

static void
churn_agg_check_options(FunctionCallInfo fcinfo, const AggForm *form, const ChurnState *state)
{
	if (!churn_input_has_options(state->collected, options_argument(fcinfo, form)))
		differ_error("options", "churn_model", HINT_FIT_GROUPS);
}

/* A weight by which a row trains; false for NULL and 0. */
static bool
weight_argument(FunctionCallInfo fcinfo, const AggForm *form, double *weight)
{
	*weight = 1;
	if (form->weight == 0)
		return true;
	if (PG_ARGISNULL(form->weight))
		return false;
	*weight = PG_GETARG_FLOAT8(form->weight);
	if (!(*weight >= 0) || isinf(*weight))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("weight %s is not a number of rows",
						DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(*weight)))),
				 errhint("Give a finite number of 0 or more; rows of weight 0 or NULL are skipped.")));
	return *weight > 0;
}

static void
churn_agg_add_row(FunctionCallInfo fcinfo, const AggForm *form, MemoryContext context, ChurnState *state,
				  double weight)
{
	Datum		features = churn_features_datum(form->input, PG_GETARG_DATUM(FEATURES_ARG));

	if (unlikely(state->sample == NULL))
	{
		/* the query's input may be used to other features than this group has */
		if (state->collected->reader != NULL && !churn_input_reads(state->collected, features))
			state->collected = churn_input_create(context, form->input, form->weight != 0,
												  options_argument(fcinfo, form), form->as_text);
		if (state->collected->reader == NULL)
			churn_input_describe(state->collected, features);
		state->sample = churn_sample_of_shape(context, state->collected->shape);
	}
	churn_input_add(state->collected, state->sample, PG_GETARG_BOOL(CHURNED_ARG), features, weight);
}

static Datum
churn_model_transition(FunctionCallInfo fcinfo, const AggForm *form)
{
	MemoryContext context = require_aggregate(fcinfo, "churn_model");
	ChurnState *state;
	double		weight;

	if (unlikely(PG_ARGISNULL(0)))
		state = state_begin(fcinfo, form, context);
	else
	{
		state = (ChurnState *) PG_GETARG_POINTER(0);
		if (churn_agg_query_of(fcinfo, form)->options_vary)
			churn_agg_check_options(fcinfo, form, state);
	}
	if (PG_ARGISNULL(CHURNED_ARG))
		state->unlabelled++;
	else if (!weight_argument(fcinfo, form, &weight) || PG_ARGISNULL(FEATURES_ARG))
		state->skipped++;
	else
		churn_agg_add_row(fcinfo, form, context, state, weight);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(churn_model_array_trans);
Datum
churn_model_array_trans(PG_FUNCTION_ARGS)
{
	static const AggForm form = {CHURN_ARRAY, 0, 0, false};

	return churn_model_transition(fcinfo, &form);
}

PG_FUNCTION_INFO_V1(churn_model_array_options_trans);
Datum
churn_model_array_options_trans(PG_FUNCTION_ARGS)
{
	static const AggForm form = {CHURN_ARRAY, 0, 3, false};

	return churn_model_transition(fcinfo, &form);
}

PG_FUNCTION_INFO_V1(churn_model_array_text_trans);
Datum
churn_model_array_text_trans(PG_FUNCTION_ARGS)
{
	static const AggForm form = {CHURN_ARRAY, 0, 3, true};

	return churn_model_transition(fcinfo, &form);
}

PG_FUNCTION_INFO_V1(churn_model_array_weight_trans);
Datum
churn_model_array_weight_trans(PG_FUNCTION_ARGS)
{
	static const AggForm form = {CHURN_ARRAY, 3, 0, false};

	return churn_model_transition(fcinfo, &form);
}

PG_FUNCTION_INFO_V1(churn_model_array_weight_options_trans);
Datum
churn_model_array_weight_options_trans(PG_FUNCTION_ARGS)
{
	static const AggForm form = {CHURN_ARRAY, 3, 4, false};

	return churn_model_transition(fcinfo, &form);
}

PG_FUNCTION_INFO_V1(churn_model_record_trans);
Datum
churn_model_record_trans(PG_FUNCTION_ARGS)
{
	static const AggForm form = {CHURN_RECORD, 0, 0, false};

	return churn_model_transition(fcinfo, &form);
}

PG_FUNCTION_INFO_V1(churn_model_record_options_trans);
Datum
churn_model_record_options_trans(PG_FUNCTION_ARGS)
{
	static const AggForm form = {CHURN_RECORD, 0, 3, false};

	return churn_model_transition(fcinfo, &form);
}

PG_FUNCTION_INFO_V1(churn_model_record_text_trans);
Datum
churn_model_record_text_trans(PG_FUNCTION_ARGS)
{
	static const AggForm form = {CHURN_RECORD, 0, 3, true};

	return churn_model_transition(fcinfo, &form);
}

PG_FUNCTION_INFO_V1(churn_model_record_weight_trans);
Datum
churn_model_record_weight_trans(PG_FUNCTION_ARGS)
{
	static const AggForm form = {CHURN_RECORD, 3, 0, false};

	return churn_model_transition(fcinfo, &form);
}

PG_FUNCTION_INFO_V1(churn_model_record_weight_options_trans);
Datum
churn_model_record_weight_options_trans(PG_FUNCTION_ARGS)
{
	static const AggForm form = {CHURN_RECORD, 3, 4, false};

	return churn_model_transition(fcinfo, &form);
}

PG_FUNCTION_INFO_V1(churn_model_rows_final);
Datum
churn_model_rows_final(PG_FUNCTION_ARGS)
{
	const ChurnState *state;
	ChurnModel *model;

	require_aggregate(fcinfo, "churn_model");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (const ChurnState *) PG_GETARG_POINTER(0);
	model = churn_input_fit(state->collected, state->sample, state->unlabelled, state->skipped);
	churn_input_warn(state->sample, model);
	PG_RETURN_POINTER(churn_model_pack(model));
}
