/*
 * churn_model_write.c
 *	  The bytes of a churn_model written, as churn_model.c describes them.
 *
 * Promises: equal models have equal bytes; what is written can be read.
 * Never: follows the order of a machine's bytes, or a setting.
 */
#include "churn/churn_model.h"

#include <math.h>

#include "churn/churn_classifier.h"
#include "lib/stringinfo.h"
#include "utils/float.h"
#include "value/byte_writer.h"

/* Overflow is not known. */
static void
churn_model_put_double(StringInfo buf, double value)
{
	writer_double(buf, isfinite(value) ? value : get_float8_nan());
}

static void
churn_model_put_features(StringInfo buf, const ChurnModel *model)
{
	writer_uint(buf, model->nfeatures);
	for (int i = 0; i < model->nfeatures; i++)
	{
		const ChurnFeature *f = &model->features[i];
		bool		category = f->kind == FEATURE_CATEGORY;

		writer_server_text(buf, f->name);
		writer_byte(buf, f->kind | (f->missing ? CHURN_FLAG_MISSING : 0) |
					(category && f->other ? CHURN_FLAG_OTHER : 0));
		/* a feature that no row knows has no mean */
		if (!category)
			churn_model_put_double(buf, isfinite(f->mean) ? f->mean : 0);
		else
		{
			writer_uint(buf, f->nlevels);
			for (int level = 0; level < f->nlevels; level++)
				writer_server_text(buf, f->levels[level]);
		}
	}
}

/*
 * lambda; and with scores: how the search ended (1 byte), log-likelihoods,
 * effective parameters, gradient, steps; the intercept's four numbers, and for
 * each column mean, sd and, unless that is 0, its four.
 */
static void
put_logistic(StringInfo buf, const ChurnModel *model)
{
	const LogisticFit *fit = &model->fit;

	churn_model_put_double(buf, model->lambda);
	if (!churn_model_scores(model))
		return;
	writer_byte(buf, fit->end);
	churn_model_put_double(buf, fit->log_likelihood_null);
	churn_model_put_double(buf, fit->log_likelihood);
	churn_model_put_double(buf, fit->penalised);
	churn_model_put_double(buf, fit->edf);
	churn_model_put_double(buf, fit->max_gradient);
	writer_uint(buf, fit->iterations);
	for (int i = 0; i <= model->ncolumns; i++)
	{
		const LogisticTerm *term = &model->terms[i];

		if (i < model->ncolumns)
		{
			churn_model_put_double(buf, term->mean);
			churn_model_put_double(buf, term->sd);
			if (term->sd == 0)
				continue;
		}
		churn_model_put_double(buf, term->coef_std);
		churn_model_put_double(buf, term->coef);
		churn_model_put_double(buf, term->se);
		churn_model_put_double(buf, term->se_sandwich);
	}
}

/*
 * column + 1, threshold and what is left and right of it; or 0, value and cover.
 * At full depth the 0 is left out.
 */
static void
churn_model_put_node(StringInfo buf, const BoostModel *boost, int tree, int node)
{
	const BoostSplit *splits = boost->splits + (Size) tree * boost_splits(boost->depth);
	const double *values = boost->values + (Size) tree * boost_leaves(boost->depth);
	const double *covers = boost->covers + (Size) tree * boost_leaves(boost->depth);
	bool		inner = node < boost_splits(boost->depth);

	if (inner && splits[node].column >= 0)
	{
		writer_uint(buf, splits[node].column + 1);
		churn_model_put_double(buf, splits[node].threshold);
		churn_model_put_node(buf, boost, tree, 2 * node + 1);
		churn_model_put_node(buf, boost, tree, 2 * node + 2);
	}
	else
	{
		double		cover = 0;
		int			from;
		int			count;

		churn_leaves_below(boost->depth, node, &from, &count);
		for (int i = 0; i < count; i++)
			cover += covers[from + i];
		if (inner)
			writer_uint(buf, 0);
		churn_model_put_double(buf, values[from]);
		churn_model_put_double(buf, cover);
	}
}

/* How it was asked for; and with scores: means of the columns, log loss, base, trees. */
static void
put_boost(StringInfo buf, const ChurnModel *model)
{
	writer_uint(buf, model->params.trees);
	writer_byte(buf, model->params.depth);
	writer_byte(buf, model->params.bins);
	churn_model_put_double(buf, model->params.learning_rate);
	churn_model_put_double(buf, model->params.lambda);
	churn_model_put_double(buf, model->params.min_leaf);
	if (!churn_model_scores(model))
		return;
	for (int i = 0; i < model->ncolumns; i++)
		churn_model_put_double(buf, model->column_means[i]);
	churn_model_put_double(buf, model->log_loss);
	churn_model_put_double(buf, model->boost.base);
	writer_uint(buf, model->boost.trees);
	for (int tree = 0; tree < model->boost.trees; tree++)
		churn_model_put_node(buf, &model->boost, tree, 0);
}

static void
churn_model_put_gaps(StringInfo buf, const ChurnModel *model)
{
	writer_uint(buf, model->ngaps);
	for (int i = 0; i < model->ngaps; i++)
	{
		churn_model_put_double(buf, model->gaps[i].time);
		churn_model_put_double(buf, model->gaps[i].at_risk);
		churn_model_put_double(buf, model->gaps[i].events);
		churn_model_put_double(buf, model->gaps[i].censored);
		churn_model_put_double(buf, model->gaps[i].survival);
	}
}

/* What each method says. */
static void (*const method_writers[]) (StringInfo buf, const ChurnModel *model) =
{
	[CHURN_LOGISTIC] = put_logistic,
		[CHURN_BOOST] = put_boost,
		[CHURN_GAP] = churn_model_put_gaps
};

StaticAssertDecl(lengthof(method_writers) == CHURN_METHOD_LAST + 1, "every method can be written");

ChurnModelValue *
churn_model_pack(const ChurnModel *model)
{
	StringInfoData buf;
	ChurnModelValue *value;
	const char *wrong;

	writer_begin(&buf, 1024, CHURN_VERSION, 0);
	/* the fingerprint's place */
	appendStringInfoSpaces(&buf, CHURN_FINGERPRINT_BYTES);
	writer_byte(&buf, model->classifier->method);
	writer_byte(&buf, model->status);
	writer_byte(&buf, model->missing);
	writer_byte(&buf, model->input);
	writer_uint(&buf, model->rows);
	writer_uint(&buf, model->positives);
	writer_uint(&buf, model->unlabelled);
	writer_uint(&buf, model->skipped);
	churn_model_put_double(&buf, model->weight);
	/* sums of the same weights may differ in their rounding */
	churn_model_put_double(&buf, Min(model->positive_weight, model->weight));
	if (model->input == CHURN_HISTORY)
	{
		writer_int(&buf, model->until);
		writer_uint(&buf, model->until - model->as_of);
		writer_byte(&buf, model->amounts);
	}
	churn_model_put_features(&buf, model);
	method_writers[model->classifier->method] (&buf, model);
	value = writer_finish(&buf);
	churn_fingerprint(VARDATA(value) + CHURN_HEAD_BYTES, buf.len - VARHDRSZ - CHURN_HEAD_BYTES,
					  VARDATA(value) + VALUE_PREFIX);
	wrong = churn_model_check(VARDATA(value), buf.len - VARHDRSZ);
	if (wrong != NULL)
		elog(ERROR, "churn_model that was made is not valid: wrong %s", wrong);
	return value;
}
