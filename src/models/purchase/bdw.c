/*
 * bdw.c
 *	  BdW: beta-discrete-Weibull contracts (Fader, Hardie, Liu, Davin and
 *	  Steenburgh 2018).
 *
 * A customer survives t renewals with probability (1 - Theta)^(t^c), Theta ~
 * Beta(alpha, beta): S(t) = B(alpha, beta + t^c) / B(alpha, beta).  Everything is
 * in contract.c.
 */
#include "models/purchase/contract.h"

static double
bdw_log_likelihood(const double *params, const ModelRow *rows, size_t n, double *gradient,
				   ModelPoll poll)
{
	return contract_log_likelihood(params, 3, rows, n, gradient, poll);
}

static int
bdw_starts(const ModelRow *rows, size_t n, double found[][MODEL_PARAMS_MAX])
{
	return contract_starts(3, rows, n, found);
}

const PurchaseModel bdw_model = {
	.kind = PURCHASE_BDW,
	.name = "bdw",
	.text = {
		.label = "BdW",
		.assumes =
		"one purchase in each period, by contract; customers leave at a renewal, "
		"with a probability of their own that rises (c above 1) or falls (below "
		"1) with time",
		.take_when = "customers renew, and 'sbg' does not fit them",
		.source = "Fader, Hardie, Liu, Davin and Steenburgh 2018"
	},
	.nparams = 3,
	.param_names = {"alpha", "beta", "c"},
	.discrete = true,
	.contract = true,
	.log_likelihood = bdw_log_likelihood,
	.starts = bdw_starts,
	.alive = contract_alive,
	.expected = contract_expected,
	.no_purchase = contract_no_purchase,
	.distribution = contract_distribution,
	.discounted = contract_discounted,
	.log_survival = contract_log_survival,
	.retention = contract_retention,
	.lifetime = contract_lifetime
};
