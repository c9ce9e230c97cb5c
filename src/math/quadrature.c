/*
 * quadrature.c
 *	  Expectations over a beta distribution: Gauss-Jacobi nodes, remembered.
 *
 * Promises: see quadrature.h.
 */
#include "math/quadrature.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

#define QL_SWEEPS	60

/*
 * The Jacobi matrix of Beta(a, b) on (0, 1), from the coefficients of Gauss's
 * continued fraction for E[1 / (1 - P z)]: they are positive, so no diagonal
 * element is the difference of larger numbers, however close to 0 the
 * distribution lies.
 */
static void
jacobi_matrix(double a, double b, double *diagonal, double *beside)
{
	double		c = a + b;
	double		even = 0;

	for (int k = 0; k < BETA_NODES; k++)
	{
		double		odd = k == 0 ? a / c :
		(a + k) / (c + 2 * k) * ((c + k - 1) / (c + 2 * k - 1));

		diagonal[k] = even + odd;
		even = (k + 1) / (c + 2 * k) * ((b + k) / (c + 2 * k + 1));
		beside[k] = sqrt(odd * even);
	}
	beside[BETA_NODES - 1] = 0;
}

/*
 * Eigenvalues of the matrix, and the first elements of its eigenvectors, by
 * implicit QL steps (Golub and Welsch 1969; EISPACK imtql2).
 */
static void
eigen_first(double *d, double *e, double *first)
{
	const int	n = BETA_NODES;

	for (int l = 0; l < n; l++)
	{
		for (int sweep = 0; sweep < QL_SWEEPS; sweep++)
		{
			int			m = l;
			double		g;
			double		r;
			double		s = 1;
			double		c = 1;
			double		p = 0;

			while (m < n - 1 && fabs(e[m]) > DBL_EPSILON * (fabs(d[m]) + fabs(d[m + 1])))
				m++;
			if (m == l)
				break;
			g = (d[l + 1] - d[l]) / (2 * e[l]);
			g = d[m] - d[l] + e[l] / (g + copysign(sqrt(g * g + 1), g));
			for (int i = m - 1; i >= l; i--)
			{
				double		f = s * e[i];
				double		b = c * e[i];
				double		above = first[i + 1];

				r = sqrt(f * f + g * g);
				e[i + 1] = r;
				s = r > 0 ? f / r : 0;
				c = r > 0 ? g / r : 1;
				g = d[i + 1] - p;
				r = (d[i] - g) * s + 2 * c * b;
				p = s * r;
				d[i + 1] = g + p;
				g = c * r - b;
				first[i + 1] = s * first[i] + c * above;
				first[i] = c * first[i] - s * above;
			}
			d[l] -= p;
			e[l] = g;
			e[m] = 0;
		}
	}
}

void
beta_nodes(double a, double b, BetaNodes *nodes)
{
	double		beside[BETA_NODES];
	double		total = 0;

	nodes->a = a;
	nodes->b = b;
	jacobi_matrix(a, b, nodes->node, beside);
	for (int i = 0; i < BETA_NODES; i++)
		nodes->weight[i] = i == 0;
	eigen_first(nodes->node, beside, nodes->weight);
	for (int i = 0; i < BETA_NODES; i++)
	{
		/* next to 0 and 1 rounding could leave the interval */
		nodes->node[i] = fmin(fmax(nodes->node[i], DBL_MIN), 1 - DBL_EPSILON / 2);
		nodes->weight[i] = fmax(nodes->weight[i] * nodes->weight[i], DBL_MIN);
		total += nodes->weight[i];
	}
	for (int i = 0; i < BETA_NODES; i++)
		nodes->weight[i] /= total;
}

const BetaNodes *
beta_nodes_cached(BetaNodesCache *cache, unsigned index, double a, double b, BetaNodes *own)
{
	BetaNodes  *nodes = cache == NULL ? own : &cache->entries[index % BETA_NODES_CACHE];

	if (cache == NULL || nodes->a != a || nodes->b != b)
		beta_nodes(a, b, nodes);
	return nodes;
}
