/*
 * small_matrix.h
 *	  Small dense symmetric matrices: as many rows as a model has parameters.
 *
 * Plain C on doubles, no PostgreSQL header.  Matrices lie row by row, n * n
 * doubles, n at most DENSE_MAX; symmetric ones are given and returned whole.
 * Promises: the same input gives the same bits.
 * Never: allocates.
 */
#ifndef RETENTION_SMALL_MATRIX_H
#define RETENTION_SMALL_MATRIX_H

#include <stdbool.h>

#define DENSE_MAX	8

/*
 * The lower triangle L of a = L L'; false, and L is of no use, where a is not
 * positive definite (or not finite).
 */
extern bool cholesky(int n, const double *a, double *lower);

/* x of L L' x = b; x may be b */
extern void small_cholesky_solve(int n, const double *lower, const double *b, double *x);

/* (L L')^-1, exactly symmetric */
extern void small_cholesky_inverse(int n, const double *lower, double *inverse);

/*
 * Eigenvalues, ascending, and in the columns of "vectors" the unit vectors that
 * go with them, by Jacobi's rotations.  a is finite and symmetric.
 */
extern void symmetric_eigen(int n, const double *a, double *values, double *vectors);

extern double dot_product(int n, const double *a, const double *b);

#endif							/* RETENTION_SMALL_MATRIX_H */
