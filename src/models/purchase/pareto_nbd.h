/*
 * pareto_nbd.h
 *	  Pareto/NBD: what its likelihood and its predictions share.
 *
 * While alive a customer buys at a rate lambda ~ Gamma(r, alpha); she leaves
 * for good at a rate mu ~ Gamma(s, beta) (Schmittlein, Morrison and Colombo
 * 1987).  Seen from y, after x purchases, the next one and her end are two
 * waiting times of the second kind of Pareto, (r + x, alpha + y) and (s, beta +
 * y): so everything comes down to which of them ends first, math/hypergeometric.h.
 *
 * Promises and what it never does: see purchase_model.h.
 */
#ifndef RETENTION_PARETO_NBD_H
#define RETENTION_PARETO_NBD_H

#include "models/purchase/purchase_model.h"

enum
{
	PARETO_R, PARETO_ALPHA, PARETO_S, PARETO_BETA, PARETO_PARAMS
};

/* As PurchaseModel has them. */
extern double pareto_nbd_alive(const Predictor *p, double x, double t_x, double age,
							   double ahead);
extern void pareto_nbd_expected(const Predictor *p, double x, double t_x, double age,
								const double *t, int n, double *result);
extern double pareto_nbd_no_purchase(const Predictor *p, double x, double t_x, double age,
									 double t);
extern double pareto_nbd_distribution(const Predictor *p, double x, double t_x, double age,
									  double t, double k);
extern double pareto_nbd_discounted(const Predictor *p, double x, double t_x, double age,
									double rate);

#endif							/* RETENTION_PARETO_NBD_H */
