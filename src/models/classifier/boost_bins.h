/*
 * boost_bins.h
 *	  Columns cut into bins, and rows as bytes that say in which bins they are.
 *
 * A column of few distinct values has a bin for each of them; others are cut at
 * weighted quantiles.  A byte of a row's code is a slot: the bin of one column,
 * or of several small ones at once, as digits of a number (of six indicators,
 * say), so that rows of a hundred indicators are seventeen bytes.
 *
 * Plain C on doubles, no PostgreSQL header.
 * Promises: a row is in bin b or before if and only if its x <= cuts[b], to the
 * bit, whether it was seen when the cuts were made or not.
 */
#ifndef RETENTION_BOOST_BINS_H
#define RETENTION_BOOST_BINS_H

#include "models/classifier/row_source.h"

#define BOOST_BINS_MAX	255

/* A slot tells so many codes apart, or as many as a column has bins. */
#define BOOST_SLOT_CODES 64

typedef struct BoostColumn
{
	int			bins;			/* 1: constant, in no slot */
	int			slot;
	int			step;			/* bin = slot's code / step % bins */
	int			first_bin;		/* in arrays of all columns' bins */
	const double *cuts;			/* bins - 1, ascending */
} BoostColumn;

typedef struct BoostBins
{
	int			ncolumns;
	BoostColumn *columns;
	int			nslots;			/* bytes of a row's code; 0: nothing to tell rows apart by */
	int			slot_codes;		/* codes of a slot are less */
	int			nbins;			/* of all columns */
	double	   *cuts;
} BoostBins;

/* In memory of the source, as is what it points to. */
extern BoostBins *boost_bins_create(const RowSource *rows, int max_bins);
extern void boost_bins_release(const RowSource *rows, BoostBins *bins);

/* x: count rows; codes: count * nslots bytes. */
extern void boost_bins_code(const BoostBins *bins, const double *x, int count, uint8_t *codes);

#endif							/* RETENTION_BOOST_BINS_H */
