/*
 * contract.h
 *	  Contracts: what the shifted beta-geometric and the beta-discrete-Weibull share.
 *
 * A customer survives t renewals with probability
 *
 *	 S(t) = B(alpha, beta + t^c) / B(alpha, beta)
 *
 * c = 1: shifted beta-geometric (Fader and Hardie 2007); c free: beta-discrete-
 * Weibull, whose hazard may rise or fall for each single customer (Fader, Hardie,
 * Liu, Davin and Steenburgh 2018).
 *
 * Promises and what it never does: see purchase_model.h.
 */
#ifndef RETENTION_CONTRACT_H
#define RETENTION_CONTRACT_H

#include "models/purchase/purchase_model.h"

typedef struct Contract
{
	double		alpha;
	double		beta;
	double		c;				/* 1: shifted beta-geometric */
} Contract;

/*
 * From this ln(t^c) on S(t) is proportional to t^(-alpha c) to the last place, and
 * t^c is not computed any more.
 */
#define LN_POWER_LAW	92.0

/* ln(S(from + n) / S(from)), without cancellation; from, n >= 0, also not whole */
extern double contract_ln_survival(const Contract *contract, double from, double n);

/* ln(S(from * e^w) / S(from)), from > 0, w >= 0: also where from * e^w overflows */
extern double contract_ln_survival_scaled(const Contract *contract, double from, double w);

/*
 * Sum for j = 1..n of S(from + j) / S(from) * exp(-rate * j), rate >= 0; n may be
 * HUGE_VAL.  HUGE_VAL where infinite.
 */
extern double contract_renewals(const Contract *contract, double from, double n, double rate,
								ModelPoll poll);

/* The entries of PurchaseModel; params are alpha, beta and, of three, c. */
extern double contract_log_likelihood(const double *params, int nparams, const ModelRow *rows,
									  size_t n, double *gradient, ModelPoll poll);
extern int	contract_starts(int nparams, const ModelRow *rows, size_t n,
							double starts[][MODEL_PARAMS_MAX]);
extern double contract_alive(const Predictor *p, double x, double t_x, double age, double ahead);
extern void contract_expected(const Predictor *p, double x, double t_x, double age,
							  const double *t, int n, double *result);
extern double contract_no_purchase(const Predictor *p, double x, double t_x, double age, double t);
extern double contract_distribution(const Predictor *p, double x, double t_x, double age,
									double t, double k);
extern double contract_discounted(const Predictor *p, double x, double t_x, double age,
								  double rate);
extern double contract_log_survival(const Predictor *p, double t);
extern double contract_retention(const Predictor *p, double t);
extern double contract_lifetime(const Predictor *p, double renewals, double rate);

#endif							/* RETENTION_CONTRACT_H */
