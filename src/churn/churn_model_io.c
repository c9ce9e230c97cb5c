/*
 * churn_model_io.c
 *	  SQL-callable: churn_model in and out, equality, and everything it holds as
 *	  JSON.
 *
 * Promises: numbers in their shortest exact form, whatever the settings; null
 * where one is not known.
 */
#include "churn/churn_classifier.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "churn/churn_json.h"
#include "churn/churn_model.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "value/value_type.h"

VALUE_TYPE(churn_model, .maker = "churn_model()", .check = churn_model_check)

/* What each method has been told of NULLs, and asked of. */
static const char *const missing_words[] = {"mean", "skip", "error"};
static const char *const input_words[] = {"array", "record", "history"};
static const char *const kind_words[] = {"number", "boolean", "category"};

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
			churn_put_number(buf, "mean", f->mean);
		else
		{
			appendStringInfoString(buf, ",\"levels\":[");
			for (int level = 0; level < f->nlevels; level++)
			{
				appendStringInfoString(buf, level == 0 ? "" : ",");
				escape_json(buf, f->levels[level]);
			}
			appendStringInfoChar(buf, ']');
			churn_put_flag(buf, "pooled", f->other);
		}
		churn_put_flag(buf, "missing", f->missing);
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
					 model->classifier->name, churn_status_name(model->status));
	churn_put_flag(&buf, "converged", model->status == CHURN_CONVERGED);
	appendStringInfo(&buf, ",\"input\":\"%s\",\"missing\":\"%s\"",
					 input_words[model->input], missing_words[model->missing]);
	appendStringInfo(&buf, ",\"n\":" INT64_FORMAT ",\"positives\":" INT64_FORMAT
					 ",\"unlabelled\":" INT64_FORMAT ",\"skipped\":" INT64_FORMAT,
					 model->rows, model->positives, model->unlabelled, model->skipped);
	churn_put_number(&buf, "weight", model->weight);
	churn_put_number(&buf, "positive_weight", model->positive_weight);
	if (model->input == CHURN_HISTORY)
	{
		put_date(&buf, "trained_as_of", model->as_of);
		put_date(&buf, "as_of", model->until);
		appendStringInfo(&buf, ",\"horizon_days\":%d", model->horizon);
		churn_put_flag(&buf, "amounts", model->amounts);
	}
	churn_model_io_put_features(&buf, model);
	model->classifier->to_json(&buf, model);
	appendStringInfoChar(&buf, '}');
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(buf.data)));
}
