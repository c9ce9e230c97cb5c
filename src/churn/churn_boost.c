/*
 * churn_boost.c
 *	  The method 'boost' of a churn_model: gradient-boosted trees
 *	  (models/classifier/boost.h).
 *
 * Contributions are tree SHAP (Lundberg, Erion and Lee 2018).
 *
 * Promises and what it never does: see churn_classifier.h.
 */
#include "churn/churn_classifier.h"

#include <float.h>
#include <math.h>

#include "churn/churn_json.h"
#include "churn/churn_model.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/json.h"
#include "utils/memutils.h"

/* ---------- options ---------- */

#define OWN(member) offsetof(ChurnOptions, boost.member)

static const ClassifierOption churn_boost_options[] = {
	{.name = "trees", .offset = OWN(trees), .whole = true, .min = 1, .max = BOOST_TREES_MAX},
	{.name = "depth", .offset = OWN(depth), .whole = true, .min = 1, .max = BOOST_DEPTH_MAX},
	{.name = "learning_rate", .offset = OWN(learning_rate), .min = 0, .max = 1, .above = true,
	.expected = "a number above 0, and at most 1"},
	{.name = "bins", .offset = OWN(bins), .whole = true, .min = 2, .max = 255},
	{.name = "min_leaf", .offset = OWN(min_leaf), .min = 0, .max = DBL_MAX,
	.expected = "a number of at least 0"},
	{.name = NULL}
};

static void
churn_boost_set_defaults(ChurnOptions *options)
{
	options->boost.trees = BOOST_DEFAULT_TREES;
	options->boost.depth = BOOST_DEFAULT_DEPTH;
	options->boost.bins = BOOST_DEFAULT_BINS;
	options->boost.learning_rate = BOOST_DEFAULT_LEARNING_RATE;
	options->boost.min_leaf = BOOST_DEFAULT_MIN_LEAF;
}

/* ---------- the fit, and scores ---------- */

static void
churn_boost_fit(const RowSource *rows, ChurnModel *model)
{
	Size		splits = (Size) model->params.trees * boost_splits(model->params.depth);
	Size		leaves = (Size) model->params.trees * boost_leaves(model->params.depth);
	MemoryContext context = CurrentMemoryContext;

	model->params.lambda = model->lambda;
	model->boost.depth = model->params.depth;
	if (model->status != CHURN_CONVERGED)
		return;
	model->boost.splits = MemoryContextAllocHuge(context, splits * sizeof(BoostSplit));
	model->boost.values = MemoryContextAllocHuge(context, leaves * sizeof(double));
	model->boost.covers = MemoryContextAllocHuge(context, leaves * sizeof(double));
	model->log_loss = boost_fit(rows, &model->params, &model->boost);
}

static double
churn_boost_log_odds(const ChurnModel *model, const double *x)
{
	return boost_predict(&model->boost, x);
}

static void
churn_boost_contributions(const ChurnModel *model, const double *x, double *phi)
{
	boost_contributions(&model->boost, x, phi);
}

/* ---------- what it says of its features and its fit ---------- */

/*
 * Adds to "moves" how far the splits below a node move the log-odds of a row:
 * the mean absolute deviation of the two sides, in rows of training.  Returns the
 * sum of the values below, each times its cover; cover: theirs.
 */
static double
split_moves(const BoostModel *boost, int tree, int node, double *moves, double *cover)
{
	int			inner = boost_splits(boost->depth);
	const BoostSplit *split = &boost->splits[(Size) tree * inner + node];
	double		left_cover;
	double		right_cover;
	double		left;
	double		right;

	if (node >= inner)
	{
		Size		leaf = (Size) tree * boost_leaves(boost->depth) + (node - inner);

		*cover = boost->covers[leaf];
		return boost->values[leaf] * *cover;
	}
	left = split_moves(boost, tree, 2 * node + 1, moves, &left_cover);
	right = split_moves(boost, tree, 2 * node + 2, moves, &right_cover);
	*cover = left_cover + right_cover;
	if (split->column >= 0 && left_cover > 0 && right_cover > 0)
		moves[split->column] += 2 * left_cover * (right_cover / *cover) *
			fabs(left / left_cover - right / right_cover);
	return left + right;
}

static void
churn_boost_importance(const ChurnModel *model, double *importance)
{
	double	   *moves = palloc0(sizeof(double) * (model->ncolumns + 1));
	double		cover;

	for (int tree = 0; tree < model->boost.trees; tree++)
		split_moves(&model->boost, tree, 0, moves, &cover);
	for (int i = 0; i < model->nfeatures; i++)
	{
		const ChurnFeature *f = &model->features[i];

		importance[i] = 0;
		for (int j = 0; j < f->columns; j++)
			importance[i] += moves[f->first_column + j] / model->weight;
	}
	pfree(moves);
}

/* x ln(x / n) without the NaN at 0 */
static double
log_share(double x, double n)
{
	return x > 0 ? x * log(x / n) : 0;
}

static void
churn_boost_figures(const ChurnModel *model, ChurnFigures *f)
{
	double		positive = model->positive_weight;
	double		weight = model->weight;

	f->log_likelihood_null = log_share(positive, weight) + log_share(weight - positive, weight);
	f->log_likelihood = -model->log_loss * weight;
	f->trees = model->boost.trees;
}

/* A node: a leaf {"value", "cover"}, or {"term", "threshold", "left", "right"}. */
static void
churn_boost_put_node(StringInfo buf, const ChurnModel *model, int tree, int node)
{
	const BoostModel *boost = &model->boost;
	int			inner = boost_splits(boost->depth);
	const BoostSplit *split = &boost->splits[(Size) tree * inner + node];

	if (node < inner && split->column >= 0)
	{
		appendStringInfoString(buf, "{\"term\":");
		escape_json(buf, churn_column_name(model, split->column));
		churn_put_number(buf, "threshold", split->threshold);
		appendStringInfoString(buf, ",\"left\":");
		churn_boost_put_node(buf, model, tree, 2 * node + 1);
		appendStringInfoString(buf, ",\"right\":");
		churn_boost_put_node(buf, model, tree, 2 * node + 2);
		appendStringInfoChar(buf, '}');
		return;
	}
	/* the leftmost leaf stands for all */
	while (node < inner)
		node = 2 * node + 1;
	appendStringInfo(buf, "{\"value\":%s",
					 churn_number_text(boost->values[(Size) tree * (inner + 1) + node - inner]));
	churn_put_number(buf, "cover", boost->covers[(Size) tree * (inner + 1) + node - inner]);
	appendStringInfoChar(buf, '}');
}

static void
churn_boost_to_json(StringInfo buf, const ChurnModel *model)
{
	appendStringInfo(buf, ",\"depth\":%d,\"bins\":%d", model->params.depth, model->params.bins);
	churn_put_number(buf, "learning_rate", model->params.learning_rate);
	churn_put_number(buf, "lambda", model->params.lambda);
	churn_put_number(buf, "min_leaf", model->params.min_leaf);
	if (!churn_model_scores(model))
		return;
	churn_put_number(buf, "log_loss", model->log_loss);
	churn_put_number(buf, "base", model->boost.base);
	appendStringInfoString(buf, ",\"trees\":[");
	for (int tree = 0; tree < model->boost.trees; tree++)
	{
		CHECK_FOR_INTERRUPTS();
		appendStringInfoString(buf, tree == 0 ? "" : ",");
		churn_boost_put_node(buf, model, tree, 0);
	}
	appendStringInfoChar(buf, ']');
}

const Classifier churn_boost = {
	.method = CHURN_BOOST,
	.name = "boost",
	.options = churn_boost_options,
	.lambda = BOOST_DEFAULT_LAMBDA,
	.set_defaults = churn_boost_set_defaults,
	.fit = churn_boost_fit,
	.log_odds = churn_boost_log_odds,
	.contributions = churn_boost_contributions,
	.importance = churn_boost_importance,
	.figures = churn_boost_figures,
	.to_json = churn_boost_to_json
};
