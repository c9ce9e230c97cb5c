/*
 * mbg_nbd.c
 *	  MBG/NBD: BG/NBD whose customers may leave right after their first purchase
 *	  (Batislam, Denizel and Filiztekin 2007, International Journal of Research in
 *	  Marketing 24:201-209; Hoppe and Wagner 2007, Marketing JRM 29:75-90).
 *
 * Promises and what it never does: see purchase_model.h.
 */
#include "models/purchase/beta_geometric.h"

#define FIRST_MAY_BE_LAST true

static double
mbg_nbd_log_likelihood(const double *params, const ModelRow *rows, size_t n, double *gradient,
					   ModelPoll poll)
{
	return beta_geometric_log_likelihood(params, FIRST_MAY_BE_LAST, rows, n, gradient, poll);
}

static int
mbg_nbd_starts(const ModelRow *rows, size_t n, double starts[][MODEL_PARAMS_MAX])
{
	return beta_geometric_starts(rows, n, starts);
}

static double
mbg_nbd_alive(const Predictor *p, double x, double t_x, double age, double ahead)
{
	BetaGeometricCustomer customer;

	beta_geometric_customer(p, FIRST_MAY_BE_LAST, x, t_x, age, &customer);
	return beta_geometric_alive(&customer, ahead);
}

static void
mbg_nbd_expected(const Predictor *p, double x, double t_x, double age, const double *t, int n,
				 double *result)
{
	BetaGeometricCustomer customer;

	beta_geometric_customer(p, FIRST_MAY_BE_LAST, x, t_x, age, &customer);
	beta_geometric_expected(&customer, t, n, result);
}

static double
mbg_nbd_no_purchase(const Predictor *p, double x, double t_x, double age, double t)
{
	BetaGeometricCustomer customer;

	beta_geometric_customer(p, FIRST_MAY_BE_LAST, x, t_x, age, &customer);
	return beta_geometric_no_purchase(&customer, t);
}

static double
mbg_nbd_distribution(const Predictor *p, double x, double t_x, double age, double t, double k)
{
	BetaGeometricCustomer customer;

	beta_geometric_customer(p, FIRST_MAY_BE_LAST, x, t_x, age, &customer);
	return beta_geometric_distribution(&customer, t, k);
}

static double
mbg_nbd_discounted(const Predictor *p, double x, double t_x, double age, double rate)
{
	BetaGeometricCustomer customer;

	beta_geometric_customer(p, FIRST_MAY_BE_LAST, x, t_x, age, &customer);
	return beta_geometric_discounted(&customer, rate);
}

const PurchaseModel mbg_nbd_model = {
	.kind = PURCHASE_MBG_NBD,
	.name = "mbg_nbd",
	.text = {
		.label = "MBG/NBD",
		.assumes =
		"purchases at any time, at a rate of the customer's own; they leave after "
		"any purchase, the first one included, with a probability of their own",
		.take_when = "many come once and never again",
		.source = "Batislam, Denizel and Filiztekin 2007"
	},
	.nparams = 4,
	.param_names = {"r", "alpha", "a", "b"},
	.time_powers = {0, 1, 0, 0},
	.discrete = false,
	.contract = false,
	.limits = {{&nbd_model, .to_zero = 1 << 2}, {&nbd_model, .to_infinity = 1 << 3}},
	.log_likelihood = mbg_nbd_log_likelihood,
	.starts = mbg_nbd_starts,
	.alive = mbg_nbd_alive,
	.expected = mbg_nbd_expected,
	.no_purchase = mbg_nbd_no_purchase,
	.distribution = mbg_nbd_distribution,
	.discounted = mbg_nbd_discounted
};
