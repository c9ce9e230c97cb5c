/*
 * negative_binomial.h
 *	  The negative binomial distribution and its tail, an incomplete beta function.
 *
 * N counts purchases at a rate that is gamma (shape, 1), in time w:
 * P(N = k) = G(shape + k) / (G(shape) k!) (1 + w)^-shape (w / (1 + w))^k.
 *
 * Plain C on doubles, no PostgreSQL header.
 * Promises: about 1e-11 relative for k and shape up to some thousands, of a tail
 * 1e-15 absolute; what is smaller than the smallest double is 0.
 * Never: allocates.
 */
#ifndef RETENTION_NEGATIVE_BINOMIAL_H
#define RETENTION_NEGATIVE_BINOMIAL_H

/* P(N = k), k >= 0 and whole, shape > 0, w >= 0 */
extern double negative_binomial(double k, double shape, double w);

/* P(N >= k), k >= 0 and whole; many is P(N = k) of the same */
extern double negative_binomial_tail(double k, double shape, double w, double many);

#endif							/* RETENTION_NEGATIVE_BINOMIAL_H */
