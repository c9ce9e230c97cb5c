/*
 * cholesky.h
 *	  Symmetric positive definite matrices of any size: sums of products, factors,
 *	  solutions, inverses.
 *
 * Plain C on doubles, no PostgreSQL header.  Matrices are n * n, row by row.
 * What is read of a symmetric one is its lower triangle and the diagonal.
 * Promises: the same input gives the same bits, on any processor of a kind;
 * n^3 steps at the speed of the registers, not of the memory; "poll" is called
 * at least every few million operations, and may not return.
 * Never: allocates.
 */
#ifndef RETENTION_CHOLESKY_H
#define RETENTION_CHOLESKY_H

#include <stddef.h>

/* So many doubles a row does cholesky_inverse() want to work in. */
#define SYMMETRIC_WORK	8

typedef struct SymmetricPoll
{
	void		(*call) (void *arg);
	void	   *arg;
} SymmetricPoll;

/* a += factor * rows rows', the lower triangle: n rows of "length", "stride" apart. */
extern void cholesky_add(int n, double *a, const double *rows, size_t stride, int length,
						 SymmetricPoll poll);

/* The upper triangle from the lower one. */
extern void cholesky_mirror(int n, double *a, SymmetricPoll poll);

/*
 * a = L L', L in place of the lower triangle.  A row that is, but for
 * "tolerance" of its own square, a combination of those before it is left out:
 * 0 on the diagonal of L and below.  Returns the number of these.  work: n.
 */
extern int	cholesky_factor(int n, double *a, double tolerance, double *work,
							SymmetricPoll poll);

/* x of L L' x = b, in place of b; 0 where a row was left out. */
extern void cholesky_solve(int n, const double *lower, double *b);

/* L to (L L')^-1, whole; no row was left out.  work: n * SYMMETRIC_WORK. */
extern void cholesky_inverse(int n, double *a, double *work, SymmetricPoll poll);

/* The diagonal of v h v; both symmetric, whole. */
extern void cholesky_sandwich(int n, const double *v, const double *h, double *diagonal,
							  SymmetricPoll poll);

/* x' y */
extern double cholesky_dot(int n, const double *x, const double *y);

#endif							/* RETENTION_CHOLESKY_H */
