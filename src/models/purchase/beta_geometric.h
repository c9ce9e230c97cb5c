/*
 * beta_geometric.h
 *	  What BG/NBD and MBG/NBD share: purchases at a gamma-distributed rate, and
 *	  after each a beta-distributed chance to leave for good.
 *
 * A customer buys as a Poisson process whose rate is gamma (r, alpha) and leaves
 * after a purchase with chance p, which is beta (a, b).  In BG/NBD (Fader, Hardie
 * and Lee 2005) only a repeat purchase can be the last, in MBG/NBD (Batislam,
 * Denizel and Filiztekin 2007; Hoppe and Wagner 2007) the first one, too: that is
 * "first_may_be_last", and all the difference.
 *
 * Plain C, no PostgreSQL header.
 * Promises and what it never does: see purchase_model.h, where also the functions are
 * explained.
 */
#ifndef RETENTION_BETA_GEOMETRIC_H
#define RETENTION_BETA_GEOMETRIC_H

#include "math/beta_expectation.h"
#include "models/purchase/purchase_model.h"

extern double beta_geometric_log_likelihood(const double *params, bool first_may_be_last,
											const ModelRow *rows, size_t n,
											double *gradient, ModelPoll poll);
extern int	beta_geometric_starts(const ModelRow *rows, size_t n,
								  double starts[][MODEL_PARAMS_MAX]);

/*
 * What is known of a customer: alive or not, and, of one who is alive, the rate as
 * gamma (shape, rate) and the chance to leave as beta (a, b).
 */
typedef struct BetaGeometricCustomer
{
	BetaPurchases purchases;	/* a, b, shape */
	double		rate;
	double		alive;			/* P(alive) */
	double		dead;			/* 1 - P(alive), exact where it is small */
} BetaGeometricCustomer;

extern void beta_geometric_customer(const Predictor *p, bool first_may_be_last,
									double x, double t_x, double age,
									BetaGeometricCustomer *customer);

extern double beta_geometric_alive(const BetaGeometricCustomer *customer, double ahead);
extern void beta_geometric_expected(const BetaGeometricCustomer *customer, const double *t, int n,
									double *result);
extern double beta_geometric_no_purchase(const BetaGeometricCustomer *customer, double t);
extern double beta_geometric_distribution(const BetaGeometricCustomer *customer, double t,
										  double k);
extern double beta_geometric_discounted(const BetaGeometricCustomer *customer, double rate);

#endif							/* RETENTION_BETA_GEOMETRIC_H */
