/*
 * bg_bb.c
 *	  BG/BB: purchases at discrete opportunities (Fader, Hardie and Shang 2010).
 *
 * At each opportunity a customer who is still alive buys with probability P ~
 * Beta(alpha, beta); before each one she leaves for good with probability
 * Theta ~ Beta(gamma, delta).  Of "age" opportunities she took x, the last one
 * at t_x.
 *
 * With y = t_x - x, the likelihood of the paper is first * rest, where
 *
 *	 first = B(alpha+x, beta+y)/B(alpha, beta) * B(gamma, delta+t_x)/B(gamma, delta)
 *
 * (bought x of t_x, alive at t_x) and, given all that,
 *
 *	 rest = r(m) + sum for i = 0..m-1 of r(i) gamma / (gamma+delta+t_x+i),
 *	 r(i) = B(alpha+x, beta+y+i)/B(alpha+x, beta+y) *
 *			B(gamma, delta+t_x+i)/B(gamma, delta+t_x),		m = age - t_x
 *
 * r(i) being silent and alive for i opportunities more.  r is a running product
 * of factors below 1, all terms are positive, and what is not yet summed is
 * never more than r itself: the sum stops when that no longer matters.
 *
 * Promises and what it never does: see purchase_model.h.
 */
#include <math.h>

#include "math/beta_ratio.h"
#include "math/special.h"
#include "models/purchase/purchase_model.h"

/* What is left of the sum cannot change a double any more, nor its derivatives. */
#define NEGLIGIBLE	1e-20

#define POLL_EVERY	65536

enum
{
	ALPHA, BETA, GAMMA, DELTA, PARAMS
};

static bool
possible(double x, double t_x, double age)
{
	return x >= 0 && x <= t_x && t_x <= age && (x > 0 || t_x == 0) && isfinite(age);
}

/*
 * "rest" without its last term r(m), which goes to *alive (0 where it does not
 * matter).  slopes, zero unless NULL, receives the derivatives of all of "rest" with
 * respect to the logarithms of the parameters.
 */
static double
died_since(const double *params, double x, double t_x, double age, double *alive,
		   double *slopes, ModelPoll poll)
{
	double		buyers = params[ALPHA] + x;
	double		silent = params[BETA] + t_x - x;
	double		stay = params[DELTA] + t_x;
	double		steps = age - t_x;
	double		died = 0;
	double		r = 1;
	double		ln_r[PARAMS] = {0, 0, 0, 0};	/* derivatives of ln r(i) */
	int			unpolled = 0;

	for (double i = 0; i < steps; i++)
	{
		double		choice = 1 / (buyers + silent + i);
		double		chance = 1 / (params[GAMMA] + stay + i);
		double		dies = r * params[GAMMA] * chance;

		died += dies;
		if (slopes != NULL)
		{
			slopes[ALPHA] += dies * ln_r[ALPHA];
			slopes[BETA] += dies * ln_r[BETA];
			slopes[GAMMA] += dies * (ln_r[GAMMA] + (stay + i) * chance / params[GAMMA]);
			slopes[DELTA] += dies * (ln_r[DELTA] - chance);
			ln_r[ALPHA] -= choice;
			ln_r[BETA] += buyers * choice / (silent + i);
			ln_r[GAMMA] -= chance;
			ln_r[DELTA] += params[GAMMA] * chance / (stay + i);
		}
		r *= (silent + i) * choice * ((stay + i) * chance);
		if (r < NEGLIGIBLE * died)
		{
			r = 0;
			break;
		}
		if (poll != NULL && ++unpolled == POLL_EVERY)
		{
			poll();
			unpolled = 0;
		}
	}
	if (slopes != NULL)
		for (int k = 0; k < PARAMS; k++)
			slopes[k] = (slopes[k] + r * ln_r[k]) * params[k];
	*alive = r;
	return died;
}

/* ln P(row); adds count times its derivatives to gradient, unless NULL. */
static double
row_log_likelihood(const double *params, const ModelRow *row, double *gradient, ModelPoll poll)
{
	const double alpha = params[ALPHA];
	const double beta = params[BETA];
	double		x = row->x;
	double		y = row->t_x - row->x;
	double		slopes[PARAMS] = {0, 0, 0, 0};
	double		alive;
	double		rest;

	rest = died_since(params, x, row->t_x, row->age, &alive, gradient ? slopes : NULL, poll);
	rest += alive;
	if (gradient != NULL)
	{
		double		all = digamma_difference(alpha + beta, row->t_x);

		gradient[ALPHA] += row->count *
			(alpha * (digamma_difference(alpha, x) - all) + slopes[ALPHA] / rest);
		gradient[BETA] += row->count *
			(beta * (digamma_difference(beta, y) - all) + slopes[BETA] / rest);
		gradient[GAMMA] += row->count *
			(-params[GAMMA] * digamma_difference(params[GAMMA] + params[DELTA], row->t_x) +
			 slopes[GAMMA] / rest);
		gradient[DELTA] += row->count *
			(params[DELTA] * ln_beta_ratio_slope(params[GAMMA], params[DELTA], row->t_x) +
			 slopes[DELTA] / rest);
	}
	/* all three are probabilities: nothing cancels */
	return ln_beta_ratio(beta, alpha, x) + ln_beta_ratio(alpha + x, beta, y) +
		ln_beta_ratio(params[GAMMA], params[DELTA], row->t_x) + log(rest);
}

static double
bg_bb_log_likelihood(const double *params, const ModelRow *rows, size_t n, double *gradient,
					 ModelPoll poll)
{
	double		sum = 0;

	if (gradient != NULL)
		for (int k = 0; k < PARAMS; k++)
			gradient[k] = 0;
	for (size_t i = 0; i < n; i++)
	{
		if (!possible(rows[i].x, rows[i].t_x, rows[i].age))
			return -HUGE_VAL;
		sum += rows[i].count * row_log_likelihood(params, &rows[i], gradient, poll);
		if (poll != NULL && i % 1024 == 1023)
			poll();
	}
	return isnan(sum) ? -HUGE_VAL : sum;
}

/*
 * Purchases per opportunity before the last one give the mean of P, about as
 * many opportunities as the average customer was seen alive the mean of Theta.
 */
static int
bg_bb_starts(const ModelRow *rows, size_t n, double found[][MODEL_PARAMS_MAX])
{
	static const double sizes[][2] = {{2, 3}, {1, 1}, {10, 10}, {2, 0.5}};
	double		customers = 0;
	double		bought = 0.5;
	double		chances = 1;
	double		alive = 0;
	double		buys;
	double		dies;

	for (size_t i = 0; i < n; i++)
	{
		customers += rows[i].count;
		bought += rows[i].count * fmax(rows[i].x - 1, 0);
		chances += rows[i].count * fmax(rows[i].t_x - 1, 0);
		alive += rows[i].count * (rows[i].t_x + rows[i].age) / 2;
	}
	buys = bought / chances;
	dies = 1 / (1 + (customers > 0 ? alive / customers : 1));
	for (int i = 0; i < 4; i++)
	{
		found[i][ALPHA] = sizes[i][0] * buys;
		found[i][BETA] = sizes[i][0] * (1 - buys);
		found[i][GAMMA] = sizes[i][1] * dies;
		found[i][DELTA] = sizes[i][1] * (1 - dies);
	}
	return 4;
}

/* ---------- predictions ---------- */

/* What is known of a customer; of one who is alive, P ~ Beta(alpha, beta) and so on */
typedef struct Customer
{
	double		params[PARAMS];
	double		alive;			/* at the last opportunity */
	double		dead;			/* 1 - alive, exact where it is small */
} Customer;

static Customer
customer_of(const Predictor *p, double x, double t_x, double age)
{
	Customer	customer;
	double		silent;
	double		reached;
	double		rest;

	/* histories that cannot be: the nearest one that can */
	t_x = fmax(t_x, x);
	age = fmax(age, t_x);

	customer.dead = died_since(p->params, x, t_x, age, &reached, NULL, p->poll);
	rest = customer.dead + reached;
	silent = age - t_x;
	customer.dead /= rest;
	customer.alive = fmin(1, exp(ln_beta_ratio(p->params[ALPHA] + x, p->params[BETA] + t_x - x,
											   silent) +
								 ln_beta_ratio(p->params[GAMMA], p->params[DELTA] + t_x, silent) -
								 log(rest)));
	customer.params[ALPHA] = p->params[ALPHA] + x;
	customer.params[BETA] = p->params[BETA] + age - x;
	customer.params[GAMMA] = p->params[GAMMA];
	customer.params[DELTA] = p->params[DELTA] + age;
	return customer;
}

static inline double
mean_buys(const Customer *customer)
{
	return customer->params[ALPHA] / (customer->params[ALPHA] + customer->params[BETA]);
}

static double
alive(const Predictor *p, double x, double t_x, double age, double ahead)
{
	Customer	customer = customer_of(p, x, t_x, age);

	return customer.alive *
		exp(ln_beta_ratio(customer.params[GAMMA], customer.params[DELTA], floor(ahead)));
}

static void
expected(const Predictor *p, double x, double t_x, double age, const double *t, int n,
		 double *result)
{
	Customer	customer = customer_of(p, x, t_x, age);

	for (int i = 0; i < n; i++)
		result[i] = customer.alive * mean_buys(&customer) *
			beta_ratio_sum(customer.params[GAMMA], customer.params[DELTA], floor(t[i]));
}

static double
no_purchase(const Predictor *p, double x, double t_x, double age, double t)
{
	Customer	customer = customer_of(p, x, t_x, age);
	double		silent_alive;
	double		silent;

	if (t < 1)
		return 1;
	/* of one who is alive: the model again, with nothing bought */
	silent = died_since(customer.params, 0, 0, floor(t), &silent_alive, NULL, p->poll);
	return fmin(1, customer.dead + customer.alive * (silent + silent_alive));
}

/*
 * P(k purchases at the next t opportunities) of one who is alive, k > 0: the sum
 * over her death after opportunity i = k..t, each term from the one before.  They
 * may grow from one that is far below the smallest double: a factor is taken out
 * of all of them.
 */
static double
buys_exactly(const double *params, double t, double k, ModelPoll poll)
{
	const double alpha = params[ALPHA];
	const double beta = params[BETA];
	const double gamma = params[GAMMA];
	const double delta = params[DELTA];
	double		ln = ln_beta_ratio(beta, alpha, k) + ln_beta_ratio(gamma, delta, k);
	double		term = 1;
	double		sum = 0;
	int			unpolled = 0;

	for (double i = k; i < t; i++)
	{
		double		chance = 1 / (gamma + delta + i);

		sum += term * gamma * chance;
		term *= (i + 1) / (i + 1 - k) * ((beta + i - k) / (alpha + beta + i)) *
			((delta + i) * chance);
		if (sum > 1e200 || term > 1e200)
		{
			ln += 200 * M_LN10;
			sum *= 1e-200;
			term *= 1e-200;
		}
		if (poll != NULL && ++unpolled == POLL_EVERY)
		{
			poll();
			unpolled = 0;
		}
	}
	return exp(ln + log(sum + term));
}

static double
distribution(const Predictor *p, double x, double t_x, double age, double t, double k)
{
	Customer	customer;

	if (!(k >= 0 && k <= floor(t)))
		return 0;
	if (k == 0)
		return no_purchase(p, x, t_x, age, t);
	customer = customer_of(p, x, t_x, age);
	return customer.alive * buys_exactly(customer.params, floor(t), k, p->poll);
}

static double
discounted(const Predictor *p, double x, double t_x, double age, double rate)
{
	Customer	customer = customer_of(p, x, t_x, age);
	double		survived = beta_ratio_discounted(customer.params[GAMMA], customer.params[DELTA],
												 rate);

	return isinf(survived) ? HUGE_VAL : customer.alive * mean_buys(&customer) * survived;
}

const PurchaseModel bg_bb_model = {
	.kind = PURCHASE_BG_BB,
	.name = "bg_bb",
	.text = {
		.label = "BG/BB",
		.assumes =
		"one purchase or none in each period, with a probability of the customer's "
		"own; they leave after a period, with another",
		.take_when = "there are opportunities: yearly donations, seasons, trade fairs",
		.source = "Fader, Hardie and Shang 2010"
	},
	.nparams = PARAMS,
	.param_names = {"alpha", "beta", "gamma", "delta"},
	.discrete = true,
	.contract = false,
	.log_likelihood = bg_bb_log_likelihood,
	.starts = bg_bb_starts,
	.alive = alive,
	.expected = expected,
	.no_purchase = no_purchase,
	.distribution = distribution,
	.discounted = discounted
};
