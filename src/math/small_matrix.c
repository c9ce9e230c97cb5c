/*
 * small_matrix.c
 *	  Small dense symmetric matrices: as many rows as a model has parameters.
 *
 * Promises: see small_matrix.h.  The methods are those of Golub and Van Loan, "Matrix
 * Computations" (4.2, 8.5); at this size clarity costs nothing.
 */
#include <math.h>
#include <string.h>

#include "math/small_matrix.h"

/* Sweeps over all pairs: convergence is quadratic, six or seven do. */
#define JACOBI_SWEEPS	30

double
dot_product(int n, const double *a, const double *b)
{
	double		sum = 0;

	for (int i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

bool
cholesky(int n, const double *a, double *lower)
{
	memset(lower, 0, sizeof(double) * n * n);
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j <= i; j++)
		{
			double		rest = a[i * n + j] - dot_product(j, lower + i * n, lower + j * n);

			if (i != j)
				lower[i * n + j] = rest / lower[j * n + j];
			else if (rest > 0 && isfinite(rest))
				lower[i * n + i] = sqrt(rest);
			else
				return false;
		}
	}
	return true;
}

void
small_cholesky_solve(int n, const double *lower, const double *b, double *x)
{
	for (int i = 0; i < n; i++)
		x[i] = (b[i] - dot_product(i, lower + i * n, x)) / lower[i * n + i];
	for (int i = n - 1; i >= 0; i--)
	{
		for (int j = i + 1; j < n; j++)
			x[i] -= lower[j * n + i] * x[j];
		x[i] /= lower[i * n + i];
	}
}

void
small_cholesky_inverse(int n, const double *lower, double *inverse)
{
	for (int j = 0; j < n; j++)
	{
		double		column[DENSE_MAX] = {0};

		column[j] = 1;
		small_cholesky_solve(n, lower, column, column);
		for (int i = j; i < n; i++)
			inverse[i * n + j] = inverse[j * n + i] = column[i];
	}
}

/* Turn rows and columns p and q of a so that a[p][q] becomes 0; vectors follow. */
static void
rotate(int n, double *a, double *vectors, int p, int q)
{
	double		theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
	double		t = copysign(1, theta) / (fabs(theta) + hypot(theta, 1));
	double		c = 1 / hypot(t, 1);
	double		s = t * c;

	for (int k = 0; k < n; k++)
	{
		double		kp = a[k * n + p];
		double		kq = a[k * n + q];

		a[k * n + p] = c * kp - s * kq;
		a[k * n + q] = s * kp + c * kq;
	}
	for (int k = 0; k < n; k++)
	{
		double		pk = a[p * n + k];
		double		qk = a[q * n + k];
		double		kp = vectors[k * n + p];
		double		kq = vectors[k * n + q];

		a[p * n + k] = c * pk - s * qk;
		a[q * n + k] = s * pk + c * qk;
		vectors[k * n + p] = c * kp - s * kq;
		vectors[k * n + q] = s * kp + c * kq;
	}
	a[p * n + q] = a[q * n + p] = 0;
}

void
symmetric_eigen(int n, const double *a, double *values, double *vectors)
{
	double		work[DENSE_MAX * DENSE_MAX];
	bool		rotated = true;

	memcpy(work, a, sizeof(double) * n * n);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			vectors[i * n + j] = i == j;

	for (int sweep = 0; sweep < JACOBI_SWEEPS && rotated; sweep++)
	{
		rotated = false;
		for (int p = 0; p < n; p++)
		{
			for (int q = p + 1; q < n; q++)
			{
				double		size = fmin(fabs(work[p * n + p]), fabs(work[q * n + q]));

				/* as small beside the smaller: small eigenvalues stay exact */
				if (fabs(work[p * n + q]) <= 1e-17 * size || work[p * n + q] == 0)
					continue;
				rotate(n, work, vectors, p, q);
				rotated = true;
			}
		}
	}
	for (int i = 0; i < n; i++)
		values[i] = work[i * n + i];

	for (int i = 0; i < n; i++)
	{
		int			least = i;
		double		swap;

		for (int j = i + 1; j < n; j++)
			if (values[j] < values[least])
				least = j;
		swap = values[i];
		values[i] = values[least];
		values[least] = swap;
		for (int k = 0; k < n; k++)
		{
			swap = vectors[k * n + i];
			vectors[k * n + i] = vectors[k * n + least];
			vectors[k * n + least] = swap;
		}
	}
}
