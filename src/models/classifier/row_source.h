/*
 * row_source.h
 *	  Labelled rows as models of churn read them: block by block, as often as they
 *	  like.
 *
 * Plain C, no PostgreSQL header.  Whoever owns the rows gives them in an order
 * that depends on the rows alone, mixed as if by chance, and equal rows as one
 * with the sum of their weights: so that what is fitted depends neither on the
 * order in which they came nor on how they were stored, and the first hundredth
 * of them is a sample.
 *
 * Ownership: memory that a model takes while it is fitted comes from "alloc" and
 * goes back by "release"; both may not return.
 */
#ifndef RETENTION_ROW_SOURCE_H
#define RETENTION_ROW_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many rows are asked for at once, at most. */
#define ROWS_BLOCK 128

typedef struct RowSource
{
	void	   *arg;
	int64_t		n;				/* distinct rows */
	int			columns;		/* design columns, without an intercept; may be 0 */

	/*
	 * Rows from .. from + count - 1: x row by row, count * columns, finite, as they are (not
	 * standardised); y 0 or 1; w > 0, finite.
	 */
	void		(*read) (void *arg, int64_t from, int count, double *x, double *y, double *w);

	/* Uninitialised; any size; never NULL. */
	void	   *(*alloc) (void *arg, size_t size);
	void		(*release) (void *arg, void *memory);

	/* Called every few thousand rows; may not return. */
	void		(*poll) (void *arg);
} RowSource;

#endif							/* RETENTION_ROW_SOURCE_H */
