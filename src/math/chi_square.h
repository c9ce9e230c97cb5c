/*
 * chi_square.h
 *	  The upper tail of the chi-square distribution.
 *
 * Plain C, no PostgreSQL header.
 * Promises: relative precision of 1e-12 wherever the result is a normal
 * double, also far out in the tail, up to a thousand degrees of freedom; of
 * 2e-14 up to a hundred.
 * Never: allocates.
 */
#ifndef RETENTION_CHI_SQUARE_H
#define RETENTION_CHI_SQUARE_H

/* P(chi-square of so many degrees of freedom > x); x >= 0, degrees > 0 */
extern double chi_square_upper(double x, double degrees);

#endif							/* RETENTION_CHI_SQUARE_H */
