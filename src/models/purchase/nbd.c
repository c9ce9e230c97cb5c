/*
 * nbd.c
 *	  NBD: purchases at a rate lambda ~ Gamma(r, alpha), and nobody ever leaves
 *	  (Ehrenberg 1959).
 *
 * The yardstick for the models in which customers do leave: what those gain in
 * likelihood over it is what there is to know about leaving.
 *
 * Promises and what it never does: see purchase_model.h.
 */
#include <math.h>

#include "math/negative_binomial.h"
#include "math/special.h"
#include "models/purchase/purchase_model.h"

#define POLL_ROWS	4096

enum
{
	NBD_R, NBD_ALPHA, NBD_PARAMS
};

/*
 * Gamma(r+x) / Gamma(r) alpha^r (alpha+age)^-(r+x): of the times of purchase, as
 * the other models' likelihoods, so that they compare
 */
static double
nbd_log_likelihood(const double *params, const ModelRow *rows, size_t n, double *gradient,
				   ModelPoll poll)
{
	double		r = params[NBD_R];
	double		alpha = params[NBD_ALPHA];
	double		total = 0;
	double		lost = 0;		/* low parts, Neumaier (1974) */
	double		by_r = 0;
	double		by_alpha = 0;
	double		x = 0;
	double		ln_common = 0;	/* all that depends on x alone */
	double		slope_common = 0;

	for (size_t i = 0; i < n; i++)
	{
		const ModelRow *row = &rows[i];
		double		later = log1p(row->age / alpha);
		double		term;
		double		sum;

		if (i % POLL_ROWS == 0 && poll != NULL)
			poll();
		if (row->x != x)
		{
			x = row->x;
			ln_common = ln_gamma_ratio(r, x) - x * log(alpha);
			slope_common = r * digamma_difference(r, x);
		}
		term = row->count * (ln_common - (r + x) * later);
		sum = total + term;
		lost += fabs(total) >= fabs(term) ? (total - sum) + term : (term - sum) + total;
		total = sum;
		by_r += row->count * (slope_common - r * later);
		by_alpha += row->count * ((r * row->age - x * alpha) / (alpha + row->age));
	}
	if (gradient != NULL)
	{
		gradient[NBD_R] = by_r;
		gradient[NBD_ALPHA] = by_alpha;
	}
	return isfinite(total) ? total + lost : -HUGE_VAL;
}

/*
 * The first two factorial moments, as in all of the time together (Ehrenberg
 * 1959), and less or more heterogeneity
 */
static int
nbd_starts(const ModelRow *rows, size_t n, double starts[][MODEL_PARAMS_MAX])
{
	static const double factors[] = {1, 0.3, 3};
	const int	n_starts = (int) (sizeof(factors) / sizeof(factors[0]));
	double		purchases = 0;
	double		pairs = 0;
	double		time = 0;
	double		squares = 0;
	double		spread;
	double		r;

	for (size_t i = 0; i < n; i++)
	{
		purchases += rows[i].count * rows[i].x;
		pairs += rows[i].count * rows[i].x * (rows[i].x - 1);
		time += rows[i].count * rows[i].age;
		squares += rows[i].count * rows[i].age * rows[i].age;
	}
	/* no time has passed, or nobody came back: any will do */
	if (time <= 0)
		time = squares = 1;
	if (purchases <= 0)
		purchases = 0.5;

	/* (r + 1) / r */
	spread = pairs / squares / (purchases / time * (purchases / time));
	r = spread > 1 ? 1 / (spread - 1) : 20;
	r = fmin(fmax(r, 0.05), 20);
	for (int i = 0; i < n_starts; i++)
	{
		starts[i][NBD_R] = r * factors[i];
		starts[i][NBD_ALPHA] = r * factors[i] * time / purchases;
	}
	return n_starts;
}

static double
nbd_alive(const Predictor *p, double x, double t_x, double age, double ahead)
{
	(void) p;
	(void) x;
	(void) t_x;
	(void) age;
	(void) ahead;
	return 1;
}

static void
nbd_expected(const Predictor *p, double x, double t_x, double age, const double *t, int n,
			 double *result)
{
	double		rate = (p->params[NBD_R] + x) / (p->params[NBD_ALPHA] + age);

	(void) t_x;
	for (int i = 0; i < n; i++)
		result[i] = rate * t[i];
}

static double
nbd_no_purchase(const Predictor *p, double x, double t_x, double age, double t)
{
	(void) t_x;
	return exp(-(p->params[NBD_R] + x) * log1p(t / (p->params[NBD_ALPHA] + age)));
}

static double
nbd_distribution(const Predictor *p, double x, double t_x, double age, double t, double k)
{
	(void) t_x;
	return negative_binomial(k, p->params[NBD_R] + x, t / (p->params[NBD_ALPHA] + age));
}

static double
nbd_discounted(const Predictor *p, double x, double t_x, double age, double rate)
{
	(void) t_x;
	if (rate <= 0)
		return HUGE_VAL;
	return (p->params[NBD_R] + x) / (p->params[NBD_ALPHA] + age) / rate;
}

const PurchaseModel nbd_model = {
	.kind = PURCHASE_NBD,
	.name = "nbd",
	.text = {
		.label = "NBD",
		.assumes =
		"purchases at any time, at a rate of the customer's own; nobody ever "
		"leaves",
		.take_when = "nobody leaves; also as a yardstick for models in which customers do",
		.source = "Ehrenberg 1959"
	},
	.nparams = NBD_PARAMS,
	.param_names = {"r", "alpha"},
	.time_powers = {0, 1},
	.log_likelihood = nbd_log_likelihood,
	.starts = nbd_starts,
	.alive = nbd_alive,
	.expected = nbd_expected,
	.no_purchase = nbd_no_purchase,
	.distribution = nbd_distribution,
	.discounted = nbd_discounted
};
