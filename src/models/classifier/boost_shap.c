/*
 * boost_shap.c
 *	  What each column adds to a prediction: Shapley values of trees.
 *
 * The value of a set of columns is the mean of a tree's leaves where only those
 * columns are known: at a split by another, both ways are taken in proportion to
 * the weight of training rows that went there (path-dependent tree SHAP; Lundberg
 * et al. 2020, "From local explanations to global understanding with explainable
 * AI for trees").  Paths are short, so each leaf is worked out by itself:
 * leaf by leaf the contributions add up to what the leaf adds.
 *
 * Promises: see boost.h; nothing is divided by a weight of zero.
 */
#include "models/classifier/boost.h"

/* A distinct column on the way to a node. */
typedef struct Step
{
	int32_t		column;
	bool		follows;		/* the row goes this way at each of its splits */
	double		share;			/* of training rows that do */
} Step;

typedef struct Path
{
	int			n;
	Step		steps[BOOST_DEPTH_MAX];
} Path;

typedef struct Walk
{
	const BoostSplit *splits;	/* of the tree, as a heap */
	const double *values;		/* of leaves */
	int			nsplits;
	double		covers[(2 << BOOST_DEPTH_MAX) - 1]; /* of all nodes, as a heap */
	const double *x;
	double	   *phi;
	double		baseline;
} Walk;

/* [n][s]: the chance that a set of s of the n - 1 others comes just before: s! (n - s - 1)! / n! */
static const double chances[BOOST_DEPTH_MAX + 1][BOOST_DEPTH_MAX] = {
	{0},
	{1},
	{1.0 / 2, 1.0 / 2},
	{1.0 / 3, 1.0 / 6, 1.0 / 3},
	{1.0 / 4, 1.0 / 12, 1.0 / 12, 1.0 / 4},
	{1.0 / 5, 1.0 / 20, 1.0 / 30, 1.0 / 20, 1.0 / 5},
	{1.0 / 6, 1.0 / 30, 1.0 / 60, 1.0 / 60, 1.0 / 30, 1.0 / 6}
};

/*
 * Of n players, one of whom is left out: the mean over sets of the others that
 * might come before, of the product of shares of those who do not.  Only those
 * who follow may be in a set without making it worth nothing; shares lists them
 * but for the one left out (leave -1: none of them is).
 */
static double
mean_product(int n, const double *shares, int nshares, int leave)
{
	double		by_size[BOOST_DEPTH_MAX + 1] = {1};
	int			size = 0;
	double		mean = 0;

	for (int k = 0; k < nshares; k++)
	{
		if (k == leave)
			continue;
		size++;
		for (int s = size; s > 0; s--)
			by_size[s] = by_size[s - 1] + by_size[s] * shares[k];
		by_size[0] *= shares[k];
	}
	for (int s = 0; s <= size; s++)
		mean += chances[n][s] * by_size[s];
	return mean;
}

/* What a leaf, at the end of a path, gives to the columns on it. */
static void
give_leaf(Walk *walk, const Path *path, double value)
{
	double		shares[BOOST_DEPTH_MAX];	/* of steps that the row follows */
	double		share = 1;
	int			follows = 0;
	double		against;

	for (int k = 0; k < path->n; k++)
	{
		if (path->steps[k].follows)
			shares[follows++] = path->steps[k].share;
		else
			share *= path->steps[k].share;
	}
	value *= share;				/* no set of columns is worth more here */
	if (value == 0)
		return;
	against = follows < path->n ? value * mean_product(path->n, shares, follows, -1) : 0;
	for (int k = 0, f = 0; k < path->n; k++)
	{
		const Step *step = &path->steps[k];

		if (step->follows)
		{
			walk->phi[step->column] += value * (1 - step->share) *
				mean_product(path->n, shares, follows, f);
			f++;
		}
		else
			walk->phi[step->column] -= against;
	}
	for (int f = 0; f < follows; f++)
		value *= shares[f];
	walk->baseline += value;
}

/* Beyond a split: the path gets longer, unless its column is on it already. */
static void
extend(Path *path, int32_t column, bool follows, double share)
{
	int			k = 0;

	while (k < path->n && path->steps[k].column != column)
		k++;
	if (k == path->n)
	{
		path->n++;
		path->steps[k].column = column;
		path->steps[k].follows = true;
		path->steps[k].share = 1;
	}
	path->steps[k].follows = path->steps[k].follows && follows;
	path->steps[k].share *= share;
}

static void
visit(Walk *walk, int node, const Path *path)
{
	const BoostSplit *split = &walk->splits[node];
	bool		right;

	if (node >= walk->nsplits)
	{
		give_leaf(walk, path, walk->values[node - walk->nsplits]);
		return;
	}
	if (split->column < 0)
	{
		visit(walk, 2 * node + 1, path);
		return;
	}
	right = walk->x[split->column] > split->threshold;
	for (int side = 0; side < 2; side++)
	{
		int			child = 2 * node + 1 + side;
		double		cover = walk->covers[node];
		Path		longer = *path;

		/* where no row was, either way is as good */
		extend(&longer, split->column, right == (side == 1),
			   cover > 0 ? walk->covers[child] / cover : 0.5);
		visit(walk, child, &longer);
	}
}

double
boost_contributions(const BoostModel *model, const double *x, double *phi)
{
	int			nsplits = boost_splits(model->depth);
	int			nleaves = boost_leaves(model->depth);
	const Path	start = {0};
	Walk		walk;

	walk.nsplits = nsplits;
	walk.x = x;
	walk.phi = phi;
	walk.baseline = model->base;
	for (int t = 0; t < model->trees; t++)
	{
		walk.splits = model->splits + (size_t) t * nsplits;
		walk.values = model->values + (size_t) t * nleaves;
		for (int k = 0; k < nleaves; k++)
			walk.covers[nsplits + k] = model->covers[(size_t) t * nleaves + k];
		for (int node = nsplits - 1; node >= 0; node--)
			walk.covers[node] = walk.covers[2 * node + 1] + walk.covers[2 * node + 2];
		visit(&walk, 0, &start);
	}
	return walk.baseline;
}
