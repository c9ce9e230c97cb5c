/*
 * churn_history.c
 *	  SQL-callable: who will be silent, from histories alone: churn_model(history,
 *	  as_of, horizon), churn_score() and churn_reasons() of histories, and
 *	  churn_outcome().
 *
 * The window function reads its partition at the first row, as the aggregate
 * reads its group, and scores each row by a model that was packed and unpacked:
 * the numbers are those of churn_score(churn_model(...), history).
 *
 * Promises: as_of, horizon and options must be the same in all rows; days after
 * as_of change nothing; one NOTICE a model where there is too little to train
 * on, one WARNING where there are no scores; one NOTICE a call site where as_of
 * lies beyond everything that was seen.
 * Never: depends on the order of rows, on a frame or on the clock.
 */
#include "churn/churn_classifier.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "churn/churn_history_sample.h"
#include "churn/churn_json.h"
#include "churn/churn_model_cache.h"
#include "churn/churn_reasons.h"
#include "fmgr/arguments.h"
#include "fmgr/window_arguments.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"
#include "windowapi.h"

/* What all rows must agree in. */
typedef struct HistoryQuery
{
	BehaviourTerms terms;
	Interval	horizon;
	struct varlena *given;		/* options as jsonb, or NULL */
	ChurnOptions options;
} HistoryQuery;

/* The same, as a row has it. */
typedef struct HistoryRow
{
	AsOf		as_of;
	NullableDatum horizon;
	NullableDatum options;		/* not given: NULL */
} HistoryRow;

static void
check_not_null(const HistoryRow *row)
{
	if (row->as_of.kind == AS_OF_NONE)
		null_argument_error("as_of",
							"Give the day until which the histories are complete, say (SELECT max(last_day(h)) FROM customers).");
	if (row->horizon.isnull)
		null_argument_error("horizon", "Write interval '90 days' or '6 months'.");
}

/* In the current memory context. */
static HistoryQuery *
query_create(const HistoryRow *row)
{
	HistoryQuery *query = palloc0(sizeof(HistoryQuery));

	check_not_null(row);
	behaviour_terms(as_of_last_day(&row->as_of, NULL), DatumGetIntervalP(row->horizon.value),
					&query->terms);
	query->horizon = *DatumGetIntervalP(row->horizon.value);
	query->given = row->options.isnull ? NULL :
		(struct varlena *) PG_DETOAST_DATUM_COPY(row->options.value);
	behaviour_options(query->given, &query->options);
	return query;
}

static bool
same_options(const struct varlena *given, const NullableDatum *datum)
{
	if (given == NULL || datum->isnull)
		return given == NULL && datum->isnull;
	return varlena_equal(given, PG_DETOAST_DATUM_PACKED(datum->value));
}

static bool
same_horizon(const HistoryQuery *query, const Interval *horizon)
{
	BehaviourTerms terms;

	if (likely(horizon->time == query->horizon.time && horizon->day == query->horizon.day &&
			   horizon->month == query->horizon.month))
		return true;
	/* the same days may have been said in other words */
	behaviour_terms(query->terms.as_of, horizon, &terms);
	return terms.past == query->terms.past;
}

/* The name of the first of a row's parameters that the query does not have; NULL: none. */
static const char *
query_difference(const HistoryQuery *query, const HistoryRow *row)
{
	check_not_null(row);
	if (unlikely(as_of_last_day(&row->as_of, NULL) != query->terms.as_of))
		return "as_of";
	if (unlikely(!same_horizon(query, DatumGetIntervalP(row->horizon.value))))
		return "horizon";
	return likely(same_options(query->given, &row->options)) ? NULL : "options";
}

/* What there is to say of a model; "what" it is that has no scores. */
static void
report(FunctionCallInfo fcinfo, const BehaviourSample *sample, const ChurnModel *model)
{
	seen_tell(fcinfo, behaviour_sample_seen(sample), &model->until, 0);
	behaviour_sample_notice(sample, model);
	if (model->status == CHURN_CONVERGED)
		return;
	if (model->classifier->no_scores != NULL)
		ereport(WARNING,
				(errmsg("no scores: %s", model->classifier->no_scores),
				 errhint("%s", model->classifier->no_scores_hint)));
	else
		ereport(WARNING,
				(errmsg("%s: %s", churn_model_scores(model) ? "the fit has not converged" :
						"no scores", churn_status_text(model))));
}

/* ---------- churn_model(history, as_of, horizon [, options]) ---------- */

#define HISTORY_ARG	1
#define AS_OF_ARG	2
#define HORIZON_ARG	3
#define OPTIONS_ARG	4

typedef struct HistoryState
{
	const HistoryQuery *query;
	BehaviourSample *sample;
} HistoryState;

/* That of the call site's last new group, if it is the same: it lives as long as the call site. */
static HistoryQuery *
site_query(FunctionCallInfo fcinfo, const HistoryRow *row)
{
	HistoryQuery *query = fcinfo->flinfo->fn_extra;

	if (query == NULL || query_difference(query, row) != NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		query = fcinfo->flinfo->fn_extra = query_create(row);
		MemoryContextSwitchTo(old);
	}
	return query;
}

PG_FUNCTION_INFO_V1(churn_history_trans);
Datum
churn_history_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context = require_aggregate(fcinfo, "churn_model");
	HistoryState *state = PG_ARGISNULL(0) ? NULL : (HistoryState *) PG_GETARG_POINTER(0);
	HistoryRow	row;

	row.as_of = argument_as_of(fcinfo, AS_OF_ARG, InvalidOid, AS_OF_HINT_COMPLETE);
	row.horizon = fcinfo->args[HORIZON_ARG];
	row.options.isnull = true;
	if (PG_NARGS() > OPTIONS_ARG)
		row.options = fcinfo->args[OPTIONS_ARG];
	if (state == NULL)
	{
		state = MemoryContextAlloc(context, sizeof(HistoryState));
		state->query = site_query(fcinfo, &row);
		state->sample = behaviour_sample_create(context, &state->query->terms,
												&state->query->options);
	}
	else
	{
		const char *name = query_difference(state->query, &row);

		if (unlikely(name != NULL))
			differ_error(name, "churn_model", HINT_FIT_GROUPS);
	}
	behaviour_sample_add(state->sample,
						 PG_ARGISNULL(HISTORY_ARG) ? NULL : PG_GETARG_HISTORY_PP(HISTORY_ARG));
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(churn_history_final);
Datum
churn_history_final(PG_FUNCTION_ARGS)
{
	HistoryState *state;
	ChurnModel *model;

	require_aggregate(fcinfo, "churn_model");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (HistoryState *) PG_GETARG_POINTER(0);
	model = behaviour_sample_fit(state->sample);
	report(fcinfo, state->sample, model);
	PG_RETURN_POINTER(churn_model_pack(model));
}

/* ---------- churn_score(history, as_of, horizon [, options]) OVER ---------- */

/* Its arguments stand one place further to the left. */
#define WINDOW_ARG(arg) ((arg) - 1)

typedef struct HistoryFit
{
	bool		tried;
	DateADT		as_of;
	ChurnModel *model;			/* NULL: there are no scores */
	double	   *raw;
	double	   *x;
} HistoryFit;

/* In the current memory context, but for the options, which are good until the next argument. */
static HistoryRow
partition_row(FunctionCallInfo fcinfo, WindowObject winobj, int64 i)
{
	HistoryRow	row;

	row.as_of = window_as_of(fcinfo, winobj, WINDOW_ARG(AS_OF_ARG), i, InvalidOid,
							 AS_OF_HINT_COMPLETE);
	row.horizon = window_row_nullable(winobj, WINDOW_ARG(HORIZON_ARG), i);
	/* to read another argument is to read the row again, over this one */
	if (!row.horizon.isnull)
		row.horizon.value = datumCopy(row.horizon.value, false, sizeof(Interval));
	row.options = window_row_nullable(winobj, WINDOW_ARG(OPTIONS_ARG), i);
	return row;
}

static bool
arguments_are_stable(FunctionCallInfo fcinfo)
{
	return get_fn_expr_arg_stable(fcinfo->flinfo, WINDOW_ARG(AS_OF_ARG)) &&
		get_fn_expr_arg_stable(fcinfo->flinfo, WINDOW_ARG(HORIZON_ARG)) &&
		get_fn_expr_arg_stable(fcinfo->flinfo, WINDOW_ARG(OPTIONS_ARG));
}

/* All rows of the partition, with the current memory context to be reset after each. */
static BehaviourSample *
churn_history_read_partition(FunctionCallInfo fcinfo, WindowObject winobj, MemoryContext row_context)
{
	int64		rows = WinGetPartitionRowCount(winobj);
	bool		stable = arguments_are_stable(fcinfo);
	HistoryRow	first = partition_row(fcinfo, winobj, 0);
	HistoryQuery *query = query_create(&first);
	BehaviourSample *sample = behaviour_sample_create(CurrentMemoryContext, &query->terms,
													  &query->options);
	MemoryContext old = MemoryContextSwitchTo(row_context);

	for (int64 i = 0; i < rows; i++)
	{
		NullableDatum history;

		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(row_context);
		if (!stable)
		{
			HistoryRow	row = partition_row(fcinfo, winobj, i);
			const char *name = query_difference(query, &row);

			if (unlikely(name != NULL))
				window_differ_error(name,
									"Partition by it too, or use churn_model() and churn_score(model, history).");
		}
		history = window_row_nullable(winobj, WINDOW_ARG(HISTORY_ARG), i);
		behaviour_sample_add(sample, history.isnull ? NULL : DatumGetHistoryPP(history.value));
	}
	MemoryContextSwitchTo(old);
	return sample;
}

/* What is left of it in the partition's memory, the current context, is the model. */
static void
churn_history_fit_partition(FunctionCallInfo fcinfo, WindowObject winobj, HistoryFit *fit)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "churn_score fit",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext row_context = AllocSetContextCreate(context, "churn_score row",
													  ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	BehaviourSample *sample;
	ChurnModel *model;
	ChurnModelValue *value;

	fit->tried = true;
	sample = churn_history_read_partition(fcinfo, winobj, row_context);
	model = behaviour_sample_fit(sample);
	report(fcinfo, sample, model);
	value = churn_model_pack(model);
	MemoryContextSwitchTo(old);
	if (churn_model_scores(model))
	{
		fit->model = churn_model_unpack(value);
		fit->as_of = model->until;
		fit->raw = palloc(sizeof(double) * BEHAVIOUR_FEATURES);
		fit->x = palloc(sizeof(double) * (model->ncolumns + 1));
	}
	MemoryContextDelete(context);
}

PG_FUNCTION_INFO_V1(churn_history_window);
Datum
churn_history_window(PG_FUNCTION_ARGS)
{
	WindowObject winobj = PG_WINDOW_OBJECT();
	HistoryFit *fit = WinGetPartitionLocalMemory(winobj, sizeof(HistoryFit));
	Behaviour	behaviour;
	Datum		history;
	bool		isnull;
	double		p;

	if (!fit->tried)
	{
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(fit));

		churn_history_fit_partition(fcinfo, winobj, fit);
		MemoryContextSwitchTo(old);
	}
	if (fit->model == NULL)
		PG_RETURN_NULL();
	history = WinGetFuncArgCurrent(winobj, WINDOW_ARG(HISTORY_ARG), &isnull);
	if (isnull ||
		!behaviour_of_history(DatumGetHistoryPP(history), fit->as_of, fit->model->horizon,
							  &behaviour) ||
		!behaviour_score(fit->model, &behaviour, fit->raw, fit->x, &p))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(p);
}

/* ---------- one history ---------- */

/* Arguments model, history, as_of: false where there is nothing to score. */
static bool
scored_customer(FunctionCallInfo fcinfo, ChurnCacheModel **cache, Behaviour *behaviour)
{
	AsOf		as_of;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return false;
	*cache = churn_cache_model(fcinfo, 0);
	behaviour_require((*cache)->model);
	as_of = argument_as_of(fcinfo, 2, InvalidOid, AS_OF_HINT_COMPLETE);
	return churn_model_scores((*cache)->model) &&
		behaviour_of_history(PG_GETARG_HISTORY_PP(1),
							 as_of.kind == AS_OF_NONE ? (*cache)->model->until :
							 as_of_last_day(&as_of, NULL),
							 (*cache)->model->horizon, behaviour);
}

PG_FUNCTION_INFO_V1(churn_score_history);
Datum
churn_score_history(PG_FUNCTION_ARGS)
{
	ChurnCacheModel *cache;
	Behaviour	behaviour;
	double		p;

	if (!scored_customer(fcinfo, &cache, &behaviour) ||
		!behaviour_score(cache->model, &behaviour, cache->raw, cache->x, &p))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(p);
}

/* Of a method that has no features: all there is to say is how long a customer was silent. */
static void
put_silence(FunctionCallInfo fcinfo, const ChurnModel *model, int32 recency, int k)
{
	double		baseline;
	double		contribution;

	if (!model->classifier->explain_history(model, recency, &baseline, &contribution))
		return;
	churn_put_reason(fcinfo, 0, "(baseline)", NULL, baseline);
	churn_put_reason(fcinfo, 1, k > 0 ? behaviour_names[BEHAVIOUR_RECENCY] : "(others)",
					 k > 0 ? churn_number_text(recency) : NULL, contribution);
}

PG_FUNCTION_INFO_V1(churn_reasons_history);
Datum
churn_reasons_history(PG_FUNCTION_ARGS)
{
	int			k = churn_reasons_asked(fcinfo, 3);
	ChurnCacheModel *cache;
	Behaviour	behaviour;

	InitMaterializedSRF(fcinfo, 0);
	if (!scored_customer(fcinfo, &cache, &behaviour))
		return (Datum) 0;
	if (cache->model->classifier->explain_history != NULL)
	{
		put_silence(fcinfo, cache->model, behaviour.recency, k);
		return (Datum) 0;
	}
	behaviour_row(cache->model, &behaviour, cache->raw, cache->values);
	churn_put_reasons(fcinfo, cache->model, cache->values, cache->raw, cache->x, k);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(churn_outcome);
Datum
churn_outcome(PG_FUNCTION_ARGS)
{
	AsOf		given = argument_as_of(fcinfo, 1, InvalidOid, AS_OF_HINT_COMPLETE);
	DateADT		as_of = as_of_last_day(&given, NULL);
	DateADT		until = behaviour_until(as_of, PG_GETARG_INTERVAL_P(2));
	HistoryReader reader;

	history_reader_open(&reader, PG_GETARG_HISTORY_PP(0));
	if (!history_reader_read_dates(&reader) || reader.day.day > as_of)
		PG_RETURN_NULL();
	while (history_reader_read_dates(&reader))
	{
		CHECK_FOR_INTERRUPTS();
		if (reader.day.day > as_of)
			PG_RETURN_BOOL(reader.day.day > until);
	}
	PG_RETURN_BOOL(true);
}
