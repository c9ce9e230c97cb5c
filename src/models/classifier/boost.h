/*
 * boost.h
 *	  Gradient-boosted trees of small depth for the log-odds of an outcome.
 *
 * Second-order boosting of the logistic loss (Friedman 2001; Chen and Guestrin
 * 2016) on columns cut into at most 255 bins (Ke et al. 2017); every tree is complete, of depth
 * 1 .. BOOST_DEPTH_MAX, its nodes numbered as in a heap.  Deterministic: trees
 * grow on all rows and columns, and nothing is left to a lot.
 *
 * Plain C on doubles, no PostgreSQL header.
 * Promises: the same rows in the same order give the same bits; contributions
 * and baseline add up to the log-odds.
 * Never: draws a random number.
 */
#ifndef RETENTION_BOOST_H
#define RETENTION_BOOST_H

#include "models/classifier/row_source.h"

#define BOOST_DEPTH_MAX		6
#define BOOST_TREES_MAX		10000

/* Newton's steps are no longer than this, in log-odds, before the learning rate. */
#define BOOST_STEP_MAX		10

/*
 * Defaults: AUC in 5-fold cross-validation of two tables of 5,000 and 7,000
 * customers is flat around them; more bins or smaller leaves gained nothing.
 */
#define BOOST_DEFAULT_TREES			100
#define BOOST_DEFAULT_DEPTH			3
#define BOOST_DEFAULT_BINS			64
#define BOOST_DEFAULT_LEARNING_RATE	0.1
#define BOOST_DEFAULT_LAMBDA		10.0
#define BOOST_DEFAULT_MIN_LEAF		20.0

typedef struct BoostParams
{
	int			trees;
	int			depth;
	int			bins;			/* 2 .. 255 */
	double		learning_rate;	/* 0 < . <= 1 */
	double		lambda;			/* L2 penalty of leaves, >= 0 */
	double		min_leaf;		/* least sum of weights in a leaf */
} BoostParams;

/*
 * An inner node: left where x[column] <= threshold.  column -1: not split, every
 * row goes left (and all leaves below have the same value).
 */
typedef struct BoostSplit
{
	int32_t		column;
	double		threshold;
} BoostSplit;

/*
 * Tree t: splits t * boost_splits(depth) .., values of leaves t * boost_leaves(depth) ..,
 * covers (sum of weights of the training rows in each leaf) likewise.
 */
typedef struct BoostModel
{
	int			trees;			/* fitted: fewer than asked where nothing was left to gain */
	int			depth;
	double		base;			/* log-odds before the first tree */
	BoostSplit *splits;
	double	   *values;
	double	   *covers;
} BoostModel;

static inline int
boost_splits(int depth)
{
	return (1 << depth) - 1;
}

static inline int
boost_leaves(int depth)
{
	return 1 << depth;
}

/*
 * The arrays of the model are the caller's, with room for params->trees; returns
 * the mean log loss of the training rows.  Both outcomes must be there; fewer
 * than 2^32 rows, whose weights have a finite sum.
 *
 * A leaf's value is learning_rate * G / (H + lambda), G and H the sums of w (y - p)
 * and w p (1 - p) of its rows in whole units of 2^-62 of all weight, so that they
 * do not depend on the order of rows.
 *
 * Memory: a byte or less for a column, 10 for a row (18 if weights differ); before
 * them, up to 2^21 values to cut columns by, and where rows have more of them 32
 * bytes for each to draw these.
 */
extern double boost_fit(const RowSource *rows, const BoostParams *params, BoostModel *model);

/* Log-odds of a row of columns. */
extern double boost_predict(const BoostModel *model, const double *x);

/*
 * Contributions of the columns to the log-odds (path-dependent tree SHAP;
 * Lundberg, Erion and Lee 2018), added to phi[0 .. columns - 1]; returns the
 * baseline.  baseline + sum of phi = boost_predict() to 1e-12.
 */
extern double boost_contributions(const BoostModel *model, const double *x, double *phi);

#endif							/* RETENTION_BOOST_H */
