/*
 * churn_model_io.c
 *	  SQL-callable: churn_model in and out, equality, and everything it holds as
 *	  JSON.
 *
 * Promises: numbers in their shortest exact form, whatever the settings; null
 * where one is not known.
 */
#include "churn/churn_reasons.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "churn/churn_model.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "value/value_type.h"

static struct varlena *
churn_model_as_it_is(struct varlena *value)
{
	return value;
}

VALUE_IO(churn_model, churn_model_check, churn_model_as_it_is, "churn_model()")

/* What each method has been told of NULLs, and asked of. */
static const char *const missing_words[] = {"mean", "skip", "error"};
static const char *const input_words[] = {"array", "record", "history"};
static const char *const kind_words[] = {"number", "boolean", "category"};

static void
put_number(StringInfo buf, const char *key, double value)
{
	appendStringInfo(buf, ",\"%s\":%s", key,
					 isfinite(value) ? churn_number_text(value) : "null");
}

static void
put_flag(StringInfo buf, const char *key, bool value)
{
	appendStringInfo(buf, ",\"%s\":%s", key, value ? "true" : "false");
}

static void
put_date(StringInfo buf, const char *key, DateADT date)
{
	char		text[MAXDATELEN + 1];

	JsonEncodeDateTime(text, DateADTGetDatum(date), DATEOID, NULL);
	appendStringInfo(buf, ",\"%s\":\"%s\"", key, text);
}

static void
churn_model_io_put_features(StringInfo buf, const ChurnModel *model)
{
	appendStringInfoString(buf, ",\"features\":[");
	for (int i = 0; i < model->nfeatures; i++)
	{
		const ChurnFeature *f = &model->features[i];

		appendStringInfo(buf, "%s{\"name\":", i == 0 ? "" : ",");
		escape_json(buf, f->name);
		appendStringInfo(buf, ",\"kind\":\"%s\"", kind_words[f->kind]);
		if (f->kind != FEATURE_CATEGORY)
			put_number(buf, "mean", f->mean);
		else
		{
			appendStringInfoString(buf, ",\"levels\":[");
			for (int level = 0; level < f->nlevels; level++)
			{
				appendStringInfoString(buf, level == 0 ? "" : ",");
				escape_json(buf, f->levels[level]);
			}
			appendStringInfoChar(buf, ']');
			put_flag(buf, "pooled", f->other);
		}
		put_flag(buf, "missing", f->missing);
		appendStringInfoChar(buf, '}');
	}
	appendStringInfoChar(buf, ']');
}

static void
put_terms(StringInfo buf, const ChurnModel *model)
{
	put_number(buf, "lambda", model->lambda);
	if (model->terms == NULL)
		return;
	put_number(buf, "log_likelihood_null", model->fit.log_likelihood_null);
	put_number(buf, "log_likelihood", model->fit.log_likelihood);
	put_number(buf, "penalised_log_likelihood", model->fit.penalised);
	put_number(buf, "edf", model->fit.edf);
	put_number(buf, "max_gradient", model->fit.max_gradient);
	appendStringInfo(buf, ",\"iterations\":%d,\"terms\":[", model->fit.iterations);
	for (int i = -1; i < model->ncolumns; i++)
	{
		const LogisticTerm *term = &model->terms[i < 0 ? model->ncolumns : i];

		appendStringInfo(buf, "%s{\"term\":", i < 0 ? "" : ",");
		escape_json(buf, i < 0 ? "(intercept)" : churn_column_name(model, i));
		if (i >= 0)
		{
			put_number(buf, "mean", term->mean);
			put_number(buf, "sd", term->sd);
		}
		put_number(buf, "coefficient_std", term->coef_std);
		put_number(buf, "estimate", term->coef);
		put_number(buf, "standard_error", term->se);
		put_number(buf, "sandwich_error", term->se_sandwich);
		appendStringInfoChar(buf, '}');
	}
	appendStringInfoChar(buf, ']');
}

/* A node: a leaf {"value", "cover"}, or {"term", "threshold", "left", "right"}. */
static void
churn_model_io_put_node(StringInfo buf, const ChurnModel *model, int tree, int node)
{
	const BoostModel *boost = &model->boost;
	int			inner = boost_splits(boost->depth);
	const BoostSplit *split = &boost->splits[(Size) tree * inner + node];

	if (node < inner && split->column >= 0)
	{
		appendStringInfoString(buf, "{\"term\":");
		escape_json(buf, churn_column_name(model, split->column));
		put_number(buf, "threshold", split->threshold);
		appendStringInfoString(buf, ",\"left\":");
		churn_model_io_put_node(buf, model, tree, 2 * node + 1);
		appendStringInfoString(buf, ",\"right\":");
		churn_model_io_put_node(buf, model, tree, 2 * node + 2);
		appendStringInfoChar(buf, '}');
		return;
	}
	/* the leftmost leaf stands for all */
	while (node < inner)
		node = 2 * node + 1;
	appendStringInfo(buf, "{\"value\":%s",
					 churn_number_text(boost->values[(Size) tree * (inner + 1) + node - inner]));
	put_number(buf, "cover", boost->covers[(Size) tree * (inner + 1) + node - inner]);
	appendStringInfoChar(buf, '}');
}

static void
put_trees(StringInfo buf, const ChurnModel *model)
{
	appendStringInfo(buf, ",\"depth\":%d,\"bins\":%d", model->params.depth, model->params.bins);
	put_number(buf, "learning_rate", model->params.learning_rate);
	put_number(buf, "lambda", model->params.lambda);
	put_number(buf, "min_leaf", model->params.min_leaf);
	if (!churn_model_scores(model))
		return;
	put_number(buf, "log_loss", model->log_loss);
	put_number(buf, "base", model->boost.base);
	appendStringInfoString(buf, ",\"trees\":[");
	for (int tree = 0; tree < model->boost.trees; tree++)
	{
		CHECK_FOR_INTERRUPTS();
		appendStringInfoString(buf, tree == 0 ? "" : ",");
		churn_model_io_put_node(buf, model, tree, 0);
	}
	appendStringInfoChar(buf, ']');
}

static void
churn_model_io_put_gaps(StringInfo buf, const ChurnModel *model)
{
	appendStringInfoString(buf, ",\"gaps\":[");
	for (int i = 0; i < model->ngaps; i++)
	{
		const KmPoint *gap = &model->gaps[i];

		appendStringInfo(buf, "%s{\"days\":%s", i == 0 ? "" : ",", churn_number_text(gap->time));
		put_number(buf, "at_risk", gap->at_risk);
		put_number(buf, "events", gap->events);
		put_number(buf, "censored", gap->censored);
		put_number(buf, "survival", gap->survival);
		appendStringInfoChar(buf, '}');
	}
	appendStringInfoChar(buf, ']');
}

PG_FUNCTION_INFO_V1(churn_model_to_jsonb);
Datum
churn_model_to_jsonb(PG_FUNCTION_ARGS)
{
	ChurnModel *model = churn_model_unpack(PG_GETARG_CHURN_MODEL_PP(0));
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfo(&buf, "{\"method\":\"%s\",\"status\":\"%s\"",
					 churn_method_name(model->method), churn_status_name(model->status));
	put_flag(&buf, "converged", model->status == CHURN_CONVERGED);
	appendStringInfo(&buf, ",\"input\":\"%s\",\"missing\":\"%s\"",
					 input_words[model->input], missing_words[model->missing]);
	appendStringInfo(&buf, ",\"n\":" INT64_FORMAT ",\"positives\":" INT64_FORMAT
					 ",\"unlabelled\":" INT64_FORMAT ",\"skipped\":" INT64_FORMAT,
					 model->rows, model->positives, model->unlabelled, model->skipped);
	put_number(&buf, "weight", model->weight);
	put_number(&buf, "positive_weight", model->positive_weight);
	if (model->input == CHURN_HISTORY)
	{
		put_date(&buf, "trained_as_of", model->as_of);
		put_date(&buf, "as_of", model->until);
		appendStringInfo(&buf, ",\"horizon_days\":%d", model->horizon);
		put_flag(&buf, "amounts", model->amounts);
	}
	churn_model_io_put_features(&buf, model);
	if (model->method == CHURN_LOGISTIC)
		put_terms(&buf, model);
	else if (model->method == CHURN_BOOST)
		put_trees(&buf, model);
	else
		churn_model_io_put_gaps(&buf, model);
	appendStringInfoChar(&buf, '}');
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data)));
}
