/*
 * special.h
 *	  Special functions that libm does not have, or not as exactly.
 *
 * Plain C on doubles, no PostgreSQL header.
 * Promises: full precision (a few units in the last place, relative) unless
 * said otherwise; differences of logarithms of gamma functions without their
 * cancellation.
 * Never: allocates, sets errno on purpose, or reads a setting.
 */
#ifndef RETENTION_SPECIAL_H
#define RETENTION_SPECIAL_H

/* ln Gamma(z), z > 0 */
extern double ln_gamma(double z);

/* psi(z) = d ln Gamma(z) / dz, z > 0 */
extern double digamma(double z);

/* psi'(z), z > 0 */
extern double trigamma(double z);

/*
 * ln Gamma(z + n) - ln Gamma(z), z > 0, n >= 0, also where z is huge and n small.
 * Where z < 16 and n is not whole, an error of 1e-15 absolute, and so with digamma near
 * its zero.
 */
extern double ln_gamma_ratio(double z, double n);

/* psi(z + n) - psi(z), likewise */
extern double digamma_difference(double z, double n);

/* ln B(a, b), a, b > 0, also where one is huge */
extern double ln_beta(double a, double b);

/* ln(e^a + e^b), ln(1 + e^a), without overflow; 1 / (1 + e^-a) */
extern double ln_add(double a, double b);
extern double ln_1p_exp(double a);
extern double logistic(double a);

#endif							/* RETENTION_SPECIAL_H */
