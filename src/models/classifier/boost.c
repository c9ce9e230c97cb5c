/*
 * boost.c
 *	  Fits gradient-boosted trees, and predicts by them.
 *
 * A tree grows level by level.  Of two children only the one of fewer rows is
 * counted, the other is what is left (Ke et al. 2017).  Kept of a row are its
 * code, a byte for its node, one for its outcome, and its odds: a leaf's value
 * multiplies them by a constant, so that no exponential is taken row by row.
 *
 * Promises: see boost.h.
 */
#include <math.h>
#include <string.h>

#include "models/classifier/boost.h"
#include "models/classifier/boost_histogram.h"

/* Rows at a time, of whose gradients there are copies. */
#define CHUNK			1024

#define NODES_MAX		(1 << BOOST_DEPTH_MAX)

/* Odds stay between this and its inverse: 2^-1000, so that nothing overflows. */
#define ODDS_LEAST		0x1p-1000

/* Gains beyond this share of the weight are more than rounding. */
#define GAIN_LEAST		1e-12

/* Weights are sums of so many roundings at most, relatively. */
#define WEIGHT_SLACK	1e-9

typedef struct Node
{
	bool		open;			/* it has rows of its own, and a histogram */
	BoostSums	sums;			/* if not open: of the node above that was not split */
	int64_t		rows;
	BoostSums  *histogram;
} Node;

typedef struct Fit
{
	const RowSource *rows;
	const BoostParams *params;
	BoostModel *model;
	BoostBins  *bins;
	BoostRule	rule;

	/* by row */
	uint8_t    *codes;
	uint8_t    *labels;
	uint8_t    *nodes;			/* of the level */
	double	   *odds;
	double	   *weights;		/* NULL if all are "weight" */

	double		weight;			/* of the first row */
	double		least_weight;
	double		total;			/* sum of weights */
	double		positive;		/* where y is 1 */
	double		scale;			/* units of sums in 1 */

	/* of the level */
	Node		level[NODES_MAX];
	BoostSums  *histograms;
	int			slot[NODES_MAX];
	uint8_t		right[NODES_MAX][256];	/* 1 if a row of the node and code goes right */

	/* scratch */
	BoostSums  *sums;			/* by bin */
	double	   *weight_histogram;
	double	   *weight_sums;
	uint32_t	chunk[CHUNK];
	BoostSums	gradients[CHUNK];
	double		chunk_weights[CHUNK];
} Fit;

/* ---------- rows ---------- */

/* From here on weights differ: those of rows before "row" are all alike. */
static void
keep_weights(Fit *fit, int64_t row)
{
	fit->weights = fit->rows->alloc(fit->rows->arg, sizeof(double) * fit->rows->n);
	for (int64_t i = 0; i < row; i++)
		fit->weights[i] = fit->weight;
}

static void
load_rows(Fit *fit)
{
	const RowSource *rows = fit->rows;
	double	   *x = rows->alloc(rows->arg, sizeof(double) * ROWS_BLOCK * (rows->columns + 1));
	double		y[ROWS_BLOCK];
	double		w[ROWS_BLOCK];

	for (int64_t from = 0; from < rows->n; from += ROWS_BLOCK)
	{
		int			count = rows->n - from < ROWS_BLOCK ? (int) (rows->n - from) : ROWS_BLOCK;

		rows->read(rows->arg, from, count, x, y, w);
		boost_bins_code(fit->bins, x, count, fit->codes + from * fit->bins->nslots);
		if (from == 0)
			fit->weight = fit->least_weight = w[0];
		for (int i = 0; i < count; i++)
		{
			if (fit->weights == NULL && w[i] != fit->weight)
				keep_weights(fit, from + i);
			if (fit->weights != NULL)
				fit->weights[from + i] = w[i];
			fit->labels[from + i] = y[i] > 0;
			fit->total += w[i];
			fit->positive += y[i] > 0 ? w[i] : 0;
			fit->least_weight = w[i] < fit->least_weight ? w[i] : fit->least_weight;
		}
		if (from % CHUNK == 0)
			rows->poll(rows->arg);
	}
	rows->release(rows->arg, x);
}

/* Gradients of the rows of the chunk. */
static void
chunk_gradients(Fit *fit, int count)
{
	double		unit = fit->scale * fit->weight;

	for (int k = 0; k < count; k++)
	{
		uint32_t	i = fit->chunk[k];
		double		odds = fit->odds[i];
		double		none = 1 / (1 + odds);
		double		p = odds * none;

		if (fit->weights != NULL)
			unit = fit->scale * fit->weights[i];
		fit->gradients[k].g = (int64_t) (unit * (fit->labels[i] - p));
		fit->gradients[k].h = (int64_t) (unit * (p * none));
	}
}

static void
chunk_weights(Fit *fit, int count)
{
	for (int k = 0; k < count; k++)
		fit->chunk_weights[k] = fit->weights != NULL ? fit->weights[fit->chunk[k]] : fit->weight;
}

/* Adds all rows of a node to a histogram: of gradients, or of weights if not NULL. */
static void
add_node(Fit *fit, int node, BoostSums *gradients, double *weights)
{
	int64_t		n = fit->rows->n;
	int64_t		i = 0;

	while (i < n)
	{
		int			count = 0;
		int64_t		end = n - i < 8 * CHUNK ? n : i + 8 * CHUNK;

		for (; i < end && count < CHUNK; i++)
		{
			fit->chunk[count] = (uint32_t) i;
			count += fit->nodes[i] == node;
		}
		if (gradients != NULL)
		{
			chunk_gradients(fit, count);
			boost_histogram_add(fit->bins, gradients, fit->codes, fit->chunk, count,
								fit->gradients);
		}
		else
		{
			chunk_weights(fit, count);
			boost_weights_add(fit->bins, weights, fit->codes, fit->chunk, count,
							  fit->chunk_weights);
		}
		fit->rows->poll(fit->rows->arg);
	}
}

/* Sends rows down to the next level; counts them there. */
static void
descend(Fit *fit, int64_t from, int64_t to, int64_t *counts)
{
	size_t		width = fit->bins->nslots;

	for (int64_t i = from; i < to; i++)
	{
		int			node = fit->nodes[i];
		int			code = fit->codes[i * width + fit->slot[node]];

		node = 2 * node + fit->right[node][code];
		fit->nodes[i] = (uint8_t) node;
		counts[node]++;
	}
}

/* ---------- a tree ---------- */

/* How the rows of the level's nodes part. */
static void
set_split(Fit *fit, int node, const BoostChoice *choice, BoostSplit *split)
{
	const BoostColumn *column;

	memset(fit->right[node], 0, sizeof(fit->right[node]));
	fit->slot[node] = 0;
	split->column = choice->column;
	split->threshold = 0;
	if (choice->column < 0)
		return;
	column = &fit->bins->columns[choice->column];
	split->threshold = column->cuts[choice->bin];
	fit->slot[node] = column->slot;
	for (int code = 0; code < fit->bins->slot_codes; code++)
		fit->right[node][code] = code / column->step % column->bins > choice->bin;
}

static void
choose_split(Fit *fit, int node, BoostChoice *choice)
{
	const BoostBins *bins = fit->bins;
	Node	   *parent = &fit->level[node];

	choice->column = -1;
	if (!parent->open)
		return;
	fit->rows->poll(fit->rows->arg);
	boost_histogram_unfold(bins, parent->histogram, fit->sums);
	if (boost_split(bins, &fit->rule, parent->sums, fit->sums, NULL, choice))
		return;
	memset(fit->weight_histogram, 0, sizeof(double) * boost_cells(bins));
	add_node(fit, node, NULL, fit->weight_histogram);
	boost_weights_unfold(bins, fit->weight_histogram, fit->weight_sums);
	boost_split(bins, &fit->rule, parent->sums, fit->sums, fit->weight_sums, choice);
}

/* The nodes below; where a node is not split, both are what it is. */
static void
make_children(Fit *fit, int nodes, const BoostChoice *choices)
{
	for (int k = nodes - 1; k >= 0; k--)
	{
		Node		parent = fit->level[k];
		Node	   *left = &fit->level[2 * k];
		Node	   *right = &fit->level[2 * k + 1];

		*left = *right = parent;
		left->open = right->open = choices[k].column >= 0;
		if (!left->open)
			continue;
		left->sums = choices[k].left;
		right->sums.g = parent.sums.g - left->sums.g;
		right->sums.h = parent.sums.h - left->sums.h;
	}
}

/* Histograms of the children of "nodes" nodes, whose rows are counted. */
static void
child_histograms(Fit *fit, int nodes)
{
	size_t		cells = boost_cells(fit->bins);

	for (int k = 0; k < nodes; k++)
	{
		Node	   *left = &fit->level[2 * k];
		Node	   *right = &fit->level[2 * k + 1];
		bool		left_small = left->rows < right->rows;
		Node	   *small = left_small ? left : right;
		BoostSums  *rest = small->histogram;

		if (!left->open)
			continue;
		small->histogram = rest + cells * nodes;
		memset(small->histogram, 0, sizeof(BoostSums) * cells);
		add_node(fit, 2 * k + !left_small, small->histogram, NULL);
		for (size_t c = 0; c < cells; c++)
		{
			rest[c].g -= small->histogram[c].g;
			rest[c].h -= small->histogram[c].h;
		}
	}
}

/* Newton's step for a leaf. */
static double
leaf_value(const Fit *fit, BoostSums sums)
{
	double		curvature = (double) sums.h + fit->rule.lambda;
	double		step = curvature > 0 ? (double) sums.g / curvature : 0;

	if (step > BOOST_STEP_MAX)
		step = BOOST_STEP_MAX;
	if (step < -BOOST_STEP_MAX)
		step = -BOOST_STEP_MAX;
	return fit->params->learning_rate * step;
}

/*
 * Tree "tree" from the histogram of its root; rows are one level above its
 * leaves afterwards.  False if its root is not split.
 */
static bool
grow_tree(Fit *fit, int tree)
{
	int			depth = fit->params->depth;
	BoostSplit *splits = fit->model->splits + (size_t) tree * boost_splits(depth);
	double	   *values = fit->model->values + (size_t) tree * boost_leaves(depth);
	int64_t		counts[NODES_MAX];

	for (int level = 0; level < depth; level++)
	{
		int			nodes = 1 << level;
		BoostChoice choices[NODES_MAX / 2];

		for (int k = 0; k < nodes; k++)
		{
			choose_split(fit, k, &choices[k]);
			set_split(fit, k, &choices[k], splits + nodes - 1 + k);
		}
		if (level == 0 && choices[0].column < 0)
			return false;
		make_children(fit, nodes, choices);
		if (level == depth - 1)
			break;
		memset(counts, 0, sizeof(counts));
		for (int64_t from = 0; from < fit->rows->n; from += CHUNK)
		{
			descend(fit, from, from + CHUNK < fit->rows->n ? from + CHUNK : fit->rows->n, counts);
			fit->rows->poll(fit->rows->arg);
		}
		for (int k = 0; k < 2 * nodes; k++)
			fit->level[k].rows = counts[k];
		child_histograms(fit, nodes);
	}
	for (int k = 0; k < boost_leaves(depth); k++)
		values[k] = leaf_value(fit, fit->level[k].sums);
	return true;
}

/* ---------- between trees ---------- */

/* Rows from .. to - 1 down to the leaves of a tree: their odds, the leaves' covers. */
static void
boost_settle(Fit *fit, const double *factors, double *covers, int64_t from, int64_t to)
{
	int64_t		counts[NODES_MAX] = {0};

	descend(fit, from, to, counts);
	for (int64_t i = from; i < to; i++)
	{
		int			leaf = fit->nodes[i];
		double		odds = fit->odds[i] * factors[leaf];

		odds = odds > ODDS_LEAST ? odds : ODDS_LEAST;
		fit->odds[i] = odds < 1 / ODDS_LEAST ? odds : 1 / ODDS_LEAST;
		fit->nodes[i] = 0;
		if (fit->weights != NULL)
			covers[leaf] += fit->weights[i];
	}
	for (int k = 0; fit->weights == NULL && k < boost_leaves(fit->params->depth); k++)
		covers[k] += fit->weight * (double) counts[k];
}

/*
 * One pass that ends a tree (-1: there is none yet) and begins the next, if
 * there is one: the histogram of its root.
 */
static void
turn(Fit *fit, int tree, bool next)
{
	int64_t		n = fit->rows->n;
	int			leaves = boost_leaves(fit->params->depth);
	double	   *covers = fit->model->covers + (size_t) tree * leaves;
	double		factors[NODES_MAX];
	Node	   *root = &fit->level[0];

	for (int k = 0; tree >= 0 && k < leaves; k++)
	{
		factors[k] = exp(fit->model->values[(size_t) tree * leaves + k]);
		covers[k] = 0;
	}
	root->histogram = fit->histograms;
	memset(root->histogram, 0, sizeof(BoostSums) * boost_cells(fit->bins));
	root->sums.g = root->sums.h = 0;
	root->rows = n;
	root->open = true;
	for (int64_t from = 0; from < n; from += CHUNK)
	{
		int			count = n - from < CHUNK ? (int) (n - from) : CHUNK;

		if (tree >= 0)
			boost_settle(fit, factors, covers, from, from + count);
		fit->rows->poll(fit->rows->arg);
		if (!next)
			continue;
		for (int k = 0; k < count; k++)
			fit->chunk[k] = (uint32_t) (from + k);
		chunk_gradients(fit, count);
		for (int k = 0; k < count; k++)
		{
			root->sums.g += fit->gradients[k].g;
			root->sums.h += fit->gradients[k].h;
		}
		boost_histogram_add(fit->bins, root->histogram, fit->codes, fit->chunk, count,
							fit->gradients);
	}
}

static double
mean_loss(const Fit *fit)
{
	double		loss = 0;

	for (int64_t i = 0; i < fit->rows->n; i++)
	{
		double		against = fit->labels[i] ? 1 / fit->odds[i] : fit->odds[i];

		loss += (fit->weights != NULL ? fit->weights[i] : fit->weight) * log1p(against);
		if (i % (4 * CHUNK) == 0)
			fit->rows->poll(fit->rows->arg);
	}
	return loss / fit->total;
}

/* ---------- the whole ---------- */

static void
set_rule(Fit *fit)
{
	const BoostParams *params = fit->params;
	int			exponent;

	/* sums of whatever rows stay below 2^62 */
	frexp(fit->total, &exponent);
	fit->scale = ldexp(1, 61 - exponent);
	fit->rule.lambda = params->lambda * fit->scale;
	fit->rule.min_gain = GAIN_LEAST * fit->total * fit->scale;
	fit->rule.min_leaf = params->min_leaf * (1 - WEIGHT_SLACK);
	/* p (1 - p) is 1 / 4 at most; and a leaf of any row at all weighs least_weight */
	fit->rule.sure_curvature = params->min_leaf <= fit->least_weight ? 0 :
		params->min_leaf / 4 * fit->scale;
}

static Fit *
fit_create(const RowSource *rows, const BoostParams *params, BoostModel *model)
{
	Fit		   *fit = rows->alloc(rows->arg, sizeof(Fit));
	BoostBins  *bins = boost_bins_create(rows, params->bins);
	size_t		cells = boost_cells(bins);

	memset(fit, 0, sizeof(Fit));
	fit->rows = rows;
	fit->params = params;
	fit->model = model;
	fit->bins = bins;
	fit->codes = rows->alloc(rows->arg, (size_t) rows->n * bins->nslots + 1);
	fit->labels = rows->alloc(rows->arg, rows->n);
	fit->nodes = rows->alloc(rows->arg, rows->n);
	fit->odds = rows->alloc(rows->arg, sizeof(double) * rows->n);
	fit->histograms = rows->alloc(rows->arg,
								  sizeof(BoostSums) * (cells << (params->depth - 1)) + 1);
	fit->sums = rows->alloc(rows->arg, sizeof(BoostSums) * bins->nbins + 1);
	fit->weight_histogram = rows->alloc(rows->arg, sizeof(double) * cells + 1);
	fit->weight_sums = rows->alloc(rows->arg, sizeof(double) * bins->nbins + 1);
	load_rows(fit);
	set_rule(fit);
	return fit;
}

static void
fit_release(Fit *fit)
{
	const RowSource *rows = fit->rows;

	rows->release(rows->arg, fit->weight_sums);
	rows->release(rows->arg, fit->weight_histogram);
	rows->release(rows->arg, fit->sums);
	rows->release(rows->arg, fit->histograms);
	if (fit->weights != NULL)
		rows->release(rows->arg, fit->weights);
	rows->release(rows->arg, fit->odds);
	rows->release(rows->arg, fit->nodes);
	rows->release(rows->arg, fit->labels);
	rows->release(rows->arg, fit->codes);
	boost_bins_release(rows, fit->bins);
	rows->release(rows->arg, fit);
}

double
boost_fit(const RowSource *rows, const BoostParams *params, BoostModel *model)
{
	Fit		   *fit = fit_create(rows, params, model);
	int			most = fit->bins->nslots > 0 ? params->trees : 0;
	double		odds = fit->positive / (fit->total - fit->positive);
	double		loss;

	model->trees = 0;
	model->depth = params->depth;
	model->base = log(odds);
	for (int64_t i = 0; i < rows->n; i++)
		fit->odds[i] = odds;
	memset(fit->nodes, 0, rows->n);
	if (most > 0)
		turn(fit, -1, true);
	while (model->trees < most && grow_tree(fit, model->trees))
	{
		model->trees++;
		turn(fit, model->trees - 1, model->trees < most);
	}
	loss = mean_loss(fit);
	fit_release(fit);
	return loss;
}

double
boost_predict(const BoostModel *model, const double *x)
{
	int			nsplits = boost_splits(model->depth);
	double		sum = model->base;

	for (int t = 0; t < model->trees; t++)
	{
		const BoostSplit *splits = model->splits + (size_t) t * nsplits;
		int			node = 0;

		for (int level = 0; level < model->depth; level++)
		{
			const BoostSplit *split = &splits[node];

			node = 2 * node + 1 + (split->column >= 0 && x[split->column] > split->threshold);
		}
		sum += model->values[(size_t) t * boost_leaves(model->depth) + node - nsplits];
	}
	return sum;
}
