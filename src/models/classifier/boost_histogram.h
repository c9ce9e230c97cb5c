/*
 * boost_histogram.h
 *	  Sums of gradients by bin, and the best split they tell of.
 *
 * Gradients and curvatures are whole numbers, so that sums do not depend on the
 * order of rows, and those of a node less those of one child are the other's,
 * exactly.
 *
 * Plain C, no PostgreSQL header.
 * Promises: allocates nothing; of equally good splits the first column's lowest.
 */
#ifndef RETENTION_BOOST_HISTOGRAM_H
#define RETENTION_BOOST_HISTOGRAM_H

#include "models/classifier/boost_bins.h"

/* Of gradients y - p and curvatures p (1 - p), weighted, in units of 1 / scale. */
typedef struct BoostSums
{
	int64_t		g;
	int64_t		h;
} BoostSums;

/* What a split is worth; all but min_leaf in units of sums. */
typedef struct BoostRule
{
	double		lambda;
	double		min_gain;		/* less is rounding */
	double		min_leaf;		/* least weight of a leaf */
	double		sure_curvature; /* rows of as much weigh min_leaf for certain */
} BoostRule;

/* A row goes left if its bin of the column is "bin" or before. */
typedef struct BoostChoice
{
	int			column;			/* -1: no split gains anything */
	int			bin;
	BoostSums	left;
} BoostChoice;

/* Cells of a histogram: a slot after the other. */
static inline size_t
boost_cells(const BoostBins *bins)
{
	return (size_t) bins->nslots * bins->slot_codes;
}

/*
 * Adds count rows, gradients[i] of row rows[i], whose codes are at codes +
 * rows[i] * nslots.
 */
extern void boost_histogram_add(const BoostBins *bins, BoostSums *histogram, const uint8_t *codes,
								const uint32_t *rows, int count, const BoostSums *gradients);
extern void boost_weights_add(const BoostBins *bins, double *histogram, const uint8_t *codes,
							  const uint32_t *rows, int count, const double *weights);

/* From cells to bins of columns: nbins sums, columns in order. */
extern void boost_histogram_unfold(const BoostBins *bins, const BoostSums *histogram,
								   BoostSums *sums);
extern void boost_weights_unfold(const BoostBins *bins, const double *histogram, double *sums);

/*
 * The best split of a node; of equals the first.  weights: by bin, or NULL as
 * long as they are not known; false if the answer is up to them.
 */
extern bool boost_split(const BoostBins *bins, const BoostRule *rule, BoostSums total,
						const BoostSums *sums, const double *weights, BoostChoice *choice);

#endif							/* RETENTION_BOOST_HISTOGRAM_H */
