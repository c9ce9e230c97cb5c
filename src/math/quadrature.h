/*
 * quadrature.h
 *	  Expectations over a beta distribution: Gauss-Jacobi nodes, remembered.
 *
 * Plain C, no PostgreSQL header.
 * Promises: weights are positive and sum to 1; nodes lie in (0, 1).
 * Never: allocates.
 */
#ifndef RETENTION_QUADRATURE_H
#define RETENTION_QUADRATURE_H

#define BETA_NODES	16

/* E[f(P)] ~ sum of weight[i] * f(node[i]), P ~ Beta(a, b), exact to degree 31 */
typedef struct BetaNodes
{
	double		a;				/* 0: unused */
	double		b;
	double		node[BETA_NODES];
	double		weight[BETA_NODES];
} BetaNodes;

#define BETA_NODES_CACHE	256 /* a power of two: as many x of one model */

/* Zeroed memory is an empty cache. */
typedef struct BetaNodesCache
{
	BetaNodes	entries[BETA_NODES_CACHE];
} BetaNodesCache;

/* Golub and Welsch (1969) */
extern void beta_nodes(double a, double b, BetaNodes *nodes);

/*
 * The same, remembered by "index" (of a sequence of a, b that it determines); cache may
 * be NULL: then *own is filled in and returned.
 */
extern const BetaNodes *beta_nodes_cached(BetaNodesCache *cache, unsigned index, double a,
										  double b, BetaNodes *own);

#endif							/* RETENTION_QUADRATURE_H */
