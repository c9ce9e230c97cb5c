/*
 * sbg.c
 *	  sBG: shifted beta-geometric contracts (Fader and Hardie 2007).
 *
 * At each renewal a customer leaves with probability Theta ~ Beta(alpha, beta):
 * S(t) = B(alpha, beta + t) / B(alpha, beta).  Everything is in contract.c.
 */
#include "models/purchase/contract.h"

static double
sbg_log_likelihood(const double *params, const ModelRow *rows, size_t n, double *gradient,
				   ModelPoll poll)
{
	return contract_log_likelihood(params, 2, rows, n, gradient, poll);
}

static int
sbg_starts(const ModelRow *rows, size_t n, double found[][MODEL_PARAMS_MAX])
{
	return contract_starts(2, rows, n, found);
}

const PurchaseModel sbg_model = {
	.kind = PURCHASE_SBG,
	.name = "sbg",
	.text = {
		.label = "sBG",
		.assumes =
		"one purchase in each period, by contract; customers leave at a renewal, "
		"with a probability of their own that stays the same",
		.take_when = "customers renew: subscriptions, memberships, policies",
		.source = "Fader and Hardie 2007"
	},
	.nparams = 2,
	.param_names = {"alpha", "beta"},
	.discrete = true,
	.contract = true,
	.log_likelihood = sbg_log_likelihood,
	.starts = sbg_starts,
	.alive = contract_alive,
	.expected = contract_expected,
	.no_purchase = contract_no_purchase,
	.distribution = contract_distribution,
	.discounted = contract_discounted,
	.log_survival = contract_log_survival,
	.retention = contract_retention,
	.lifetime = contract_lifetime
};
