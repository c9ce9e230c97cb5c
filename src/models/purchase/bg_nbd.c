/*
 * bg_nbd.c
 *	  BG/NBD: beta-geometric / negative binomial (Fader, Hardie and Lee 2005,
 *	  Marketing Science 24:275-284).  A customer who never came back is alive.
 *
 * Promises and what it never does: see purchase_model.h.
 */
#include "models/purchase/beta_geometric.h"

#define FIRST_MAY_BE_LAST false

static double
bg_nbd_log_likelihood(const double *params, const ModelRow *rows, size_t n, double *gradient,
					  ModelPoll poll)
{
	return beta_geometric_log_likelihood(params, FIRST_MAY_BE_LAST, rows, n, gradient, poll);
}

static int
bg_nbd_starts(const ModelRow *rows, size_t n, double starts[][MODEL_PARAMS_MAX])
{
	return beta_geometric_starts(rows, n, starts);
}

static double
bg_nbd_alive(const Predictor *p, double x, double t_x, double age, double ahead)
{
	BetaGeometricCustomer customer;

	beta_geometric_customer(p, FIRST_MAY_BE_LAST, x, t_x, age, &customer);
	return beta_geometric_alive(&customer, ahead);
}

static void
bg_nbd_expected(const Predictor *p, double x, double t_x, double age, const double *t, int n,
				double *result)
{
	BetaGeometricCustomer customer;

	beta_geometric_customer(p, FIRST_MAY_BE_LAST, x, t_x, age, &customer);
	beta_geometric_expected(&customer, t, n, result);
}

static double
bg_nbd_no_purchase(const Predictor *p, double x, double t_x, double age, double t)
{
	BetaGeometricCustomer customer;

	beta_geometric_customer(p, FIRST_MAY_BE_LAST, x, t_x, age, &customer);
	return beta_geometric_no_purchase(&customer, t);
}

static double
bg_nbd_distribution(const Predictor *p, double x, double t_x, double age, double t, double k)
{
	BetaGeometricCustomer customer;

	beta_geometric_customer(p, FIRST_MAY_BE_LAST, x, t_x, age, &customer);
	return beta_geometric_distribution(&customer, t, k);
}

static double
bg_nbd_discounted(const Predictor *p, double x, double t_x, double age, double rate)
{
	BetaGeometricCustomer customer;

	beta_geometric_customer(p, FIRST_MAY_BE_LAST, x, t_x, age, &customer);
	return beta_geometric_discounted(&customer, rate);
}

const PurchaseModel bg_nbd_model = {
	.kind = PURCHASE_BG_NBD,
	.name = "bg_nbd",
	.text = {
		.label = "BG/NBD",
		.assumes =
		"purchases at any time, at a rate of the customer's own; they leave after "
		"a repeat purchase, with a probability of their own, so that one-time "
		"buyers count as alive for sure",
		.take_when = "there is no reason for another",
		.source = "Fader, Hardie and Lee 2005"
	},
	.nparams = 4,
	.param_names = {"r", "alpha", "a", "b"},
	.time_powers = {0, 1, 0, 0},
	.discrete = false,
	.contract = false,
	.limits = {{&nbd_model, .to_zero = 1 << 2}, {&nbd_model, .to_infinity = 1 << 3}},
	.log_likelihood = bg_nbd_log_likelihood,
	.starts = bg_nbd_starts,
	.alive = bg_nbd_alive,
	.expected = bg_nbd_expected,
	.no_purchase = bg_nbd_no_purchase,
	.distribution = bg_nbd_distribution,
	.discounted = bg_nbd_discounted
};
