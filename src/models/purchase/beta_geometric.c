/*
 * beta_geometric.c
 *	  What BG/NBD and MBG/NBD share: the likelihood, where to start its search,
 *	  and predictions.
 *
 * With m = 1 where the last known purchase may have been the last of all though
 * it is the first (MBG/NBD), else 0, and
 *
 *	 ln odds of being dead = ln a - ln(b + x + m - 1) + (r + x) ln((alpha + T) / (alpha + t_x)),
 *
 * the likelihoods of the papers are
 *
 *	 ln L = ln G(r + x) / G(r) - x ln alpha + ln B(a, b + x + m) / B(a, b)
 *			- (r + x) ln(1 + T / alpha) + ln(1 + odds),
 *
 * where in BG/NBD nobody with x = 0 is dead (Fader, Hardie and Lee 2005; Batislam,
 * Denizel and Filiztekin 2007).  No power is ever formed, and where r
 * and alpha are huge (a Poisson process) nothing cancels but x ln alpha.
 *
 * Promises and what it never does: see purchase_model.h.
 */
#include "models/purchase/beta_geometric.h"

#include <math.h>

#include "math/beta_expectation.h"
#include "math/beta_ratio.h"
#include "math/negative_binomial.h"
#include "math/special.h"

#define POLL_EVERY	4096

/* Rows that are summed plainly, before their sum goes into a compensated one. */
#define BLOCK		64

enum
{
	R, ALPHA, A, B
};

/* Neumaier (1974) */
typedef struct Sum
{
	double		sum;
	double		lost;
} Sum;

static void
beta_geometric_sum_add(Sum *sum, double value)
{
	double		total = sum->sum + value;

	if (fabs(sum->sum) >= fabs(value))
		sum->lost += (sum->sum - total) + value;
	else
		sum->lost += (value - total) + sum->sum;
	sum->sum = total;
}

/* What customers of one x share. */
typedef struct Group
{
	double		shape;			/* r + x */
	double		last;			/* b + x + m - 1; 1 if nobody can be dead */
	double		ln_odds;		/* ln(a / last); -HUGE_VAL: nobody is dead */
	double		constant;		/* the terms of ln L that see x alone */
	double		d_r;			/* their derivatives, without alpha's -x */
	double		d_a;
	double		d_b;
} Group;

static void
group_set(Group *group, const double *params, double x, double m, bool derive)
{
	double		a = params[A];
	double		b = params[B];

	group->shape = params[R] + x;
	/* divides the dead, of whom there are none without a purchase to leave at; b may be 1 */
	group->last = x + m > 0 ? b + (x + m - 1) : 1;
	group->ln_odds = x + m > 0 ? log(a / group->last) : -HUGE_VAL;
	group->constant = ln_gamma_ratio(params[R], x) - x * log(params[ALPHA]) +
		ln_beta_ratio(a, b, x + m);
	if (!derive)
		return;
	group->d_r = digamma_difference(params[R], x);
	group->d_a = -digamma_difference(a + b, x + m);
	group->d_b = ln_beta_ratio_slope(a, b, x + m);
}

/*
 * Weighted sums over rows of one x, with y = age / alpha and z = t_x / alpha.  The
 * likelihood is that of the more likely of alive and dead, times 1 + its odds' inverse.
 */
typedef struct Block
{
	double		count;
	double		ln_time;		/* ln(1 + y), of the likely dead ln(1 + z) */
	double		ln_odds;		/* the rest of ln(1 + odds) */
	/* for the derivatives: expectations over alive and dead */
	double		dead;
	double		ln_given;		/* of ln(1 + y) if alive, ln(1 + z) if dead */
	double		share;			/* of y / (1 + y), z / (1 + z) */
} Block;

/* log(1 + y), y >= 0: libm's log is much cheaper where it is as good */
static inline double
ln_1p(double y)
{
	return y > 0.5 ? log(1 + y) : log1p(y);
}

static void
block_alive(double alpha, const ModelRow *rows, size_t n, Block *block)
{
	for (size_t i = 0; i < n; i++)
	{
		double		y = rows[i].age / alpha;

		block->count += rows[i].count;
		block->ln_time += rows[i].count * ln_1p(y);
		block->share += rows[i].count * (y / (1 + y));
	}
	block->ln_given = block->ln_time;
}

/*
 * Rows of one t_x follow each other, so ln(1 + z) is mostly known; and most
 * counts are 1, whose ln(1 + odds) are taken together as that of a product, which
 * is at most 2^BLOCK.
 */
static void
block_unsure(const Group *group, double alpha, const ModelRow *rows, size_t n, Block *block)
{
	double		t_x = -1;
	double		ln_last = 0;
	double		share_last = 0;
	double		product = 0;	/* of 1 + odds, less 1 */

	for (size_t i = 0; i < n; i++)
	{
		double		count = rows[i].count;
		double		y = rows[i].age / alpha;
		double		ln_age = ln_1p(y);
		double		ln_odds;
		double		less;
		double		dead;

		if (rows[i].t_x != t_x)
		{
			t_x = rows[i].t_x;
			ln_last = ln_1p(t_x / alpha);
			share_last = t_x / (alpha + t_x);
		}
		ln_odds = group->ln_odds + group->shape * (ln_age - ln_last);
		less = exp(-fabs(ln_odds)); /* the odds, or their inverse */
		dead = (ln_odds > 0 ? 1 : less) / (1 + less);

		/* whichever of alive and dead is more likely, times 1 + less */
		block->count += count;
		if (ln_odds > 0)
		{
			block->ln_time += count * ln_last;
			block->ln_odds += count * group->ln_odds;
		}
		else
			block->ln_time += count * ln_age;
		if (count == 1)
			product += less + product * less;
		else
			block->ln_odds += count * log1p(less);
		block->dead += count * dead;
		block->ln_given += count * (ln_age - dead * (ln_age - ln_last));
		y /= 1 + y;
		block->share += count * (y + dead * (share_last - y));
	}
	block->ln_odds += log1p(product);
}

double
beta_geometric_log_likelihood(const double *params, bool first_may_be_last, const ModelRow *rows,
							  size_t n, double *gradient, ModelPoll poll)
{
	double		m = first_may_be_last ? 1 : 0;
	Sum			total = {0, 0};
	Sum			slope[4] = {{0, 0}, {0, 0}, {0, 0}, {0, 0}};
	Group		group = {0};
	size_t		until_poll = POLL_EVERY;
	double		result;

	for (size_t i = 0, end; i < n; i = end)
	{
		Block		block = {0};
		double		x = rows[i].x;

		if (i == 0 || x != rows[i - 1].x)
			group_set(&group, params, x, m, gradient != NULL);
		for (end = i + 1; end < n && end < i + BLOCK && rows[end].x == x; end++)
			;
		if (x + m == 0)
			block_alive(params[ALPHA], rows + i, end - i, &block);
		else
			block_unsure(&group, params[ALPHA], rows + i, end - i, &block);

		beta_geometric_sum_add(&total, block.count * group.constant - group.shape * block.ln_time + block.ln_odds);
		if (gradient != NULL)
		{
			beta_geometric_sum_add(&slope[R], block.count * group.d_r - block.ln_given);
			beta_geometric_sum_add(&slope[ALPHA], group.shape * block.share - block.count * x);
			beta_geometric_sum_add(&slope[A], block.count * group.d_a + block.dead / params[A]);
			beta_geometric_sum_add(&slope[B], block.count * group.d_b - block.dead / group.last);
		}
		if (poll != NULL && until_poll <= end - i)
		{
			poll();
			until_poll = POLL_EVERY;
		}
		else
			until_poll -= end - i;
	}

	result = total.sum + total.lost;
	if (!isfinite(result))
		result = -HUGE_VAL;
	if (gradient != NULL)
	{
		/* with respect to ln alpha it is already */
		for (int i = 0; i < 4; i++)
		{
			gradient[i] = (slope[i].sum + slope[i].lost) * (i == ALPHA ? 1 : params[i]);
			if (result == -HUGE_VAL || !isfinite(gradient[i]))
				gradient[i] = 0;
		}
	}
	return result;
}

/*
 * Four starts.  The rate of purchases is what was seen, r is what the spread of x
 * says when nobody leaves (its variance is mean + mean^2 / r), and the chance to
 * leave is tried from frequent to rare: from a wrong side of it the way is long.
 */
int
beta_geometric_starts(const ModelRow *rows, size_t n, double starts[][MODEL_PARAMS_MAX])
{
	static const double leave[][2] = {{0.6, 2.4}, {0.8, 12}, {1, 1}, {0.5, 100}};
	double		customers = 0;
	double		purchases = 0;
	double		squares = 0;
	double		active = 0;		/* time in which customers were surely there */
	double		age = 0;
	double		mean;
	double		variance;
	double		shape = 1;
	double		scale;			/* time between purchases */

	for (size_t i = 0; i < n; i++)
	{
		customers += rows[i].count;
		purchases += rows[i].count * rows[i].x;
		squares += rows[i].count * rows[i].x * rows[i].x;
		active += rows[i].count * rows[i].t_x;
		age += rows[i].count * rows[i].age;
	}
	if (!(customers > 0))
		return 0;
	mean = purchases / customers;
	variance = squares / customers - mean * mean;
	if (mean > 0 && variance > mean)
		shape = fmin(fmax(mean * mean / (variance - mean), 0.05), 10);
	/* between the rate while surely there and the rate of all the time */
	scale = purchases > 0 ? 0.5 * (active + age) / purchases : age / customers;
	if (!(scale > 0))
		scale = 1;

	for (int i = 0; i < 4; i++)
	{
		starts[i][R] = shape;
		starts[i][ALPHA] = shape * scale;
		starts[i][A] = leave[i][0];
		starts[i][B] = leave[i][1];
	}
	/* few come back at all: they may differ more than x tells */
	starts[2][R] = 1;
	starts[2][ALPHA] = scale;
	return 4;
}

/* ---------- predictions ---------- */

void
beta_geometric_customer(const Predictor *p, bool first_may_be_last, double x, double t_x,
						double age, BetaGeometricCustomer *customer)
{
	double		alpha = p->params[ALPHA];
	double		known = x + (first_may_be_last ? 1 : 0);
	double		ln_odds;

	customer->purchases.a = p->params[A];
	customer->purchases.b = p->params[B] + known;
	customer->purchases.shape = p->params[R] + x;
	customer->purchases.cache = p->nodes;
	customer->purchases.index = (unsigned) x;
	customer->rate = alpha + age;
	customer->alive = 1;
	customer->dead = 0;
	if (known == 0)
		return;
	ln_odds = log(p->params[A] / (p->params[B] + (known - 1))) +
		customer->purchases.shape * log1p((age - t_x) / (alpha + t_x));
	customer->alive = logistic(-ln_odds);
	customer->dead = logistic(ln_odds);
}

double
beta_geometric_alive(const BetaGeometricCustomer *customer, double ahead)
{
	if (customer->alive == 0 || ahead == 0)
		return customer->alive;
	return customer->alive * beta_survival(&customer->purchases, ahead / customer->rate);
}

/* Horizons that are asked for together. */
#define HORIZONS	64

void
beta_geometric_expected(const BetaGeometricCustomer *customer, const double *t, int n,
						double *result)
{
	double		w[HORIZONS];

	for (int start = 0, many; start < n; start += many)
	{
		many = n - start < HORIZONS ? n - start : HORIZONS;
		for (int i = 0; i < many; i++)
			w[i] = t[start + i] / customer->rate;
		if (customer->alive > 0)
			beta_purchases(&customer->purchases, w, many, result + start);
		for (int i = start; i < start + many; i++)
			result[i] = customer->alive > 0 ? customer->alive * result[i] : 0;
	}
}

/* Who is dead buys no more; of those alive, the ones whose rate was low. */
double
beta_geometric_no_purchase(const BetaGeometricCustomer *customer, double t)
{
	return fmin(1, customer->dead + customer->alive *
				exp(-customer->purchases.shape * log1p(t / customer->rate)));
}

/*
 * Of k purchases all were survived, or the last was not and more would have
 * followed: B(a, b + k) / B(a, b) P(N = k) + B(a + 1, b + k - 1) / B(a, b) P(N >= k),
 * N purchases of one who never leaves (Fader, Hardie and Lee 2005, equation 8).
 */
double
beta_geometric_distribution(const BetaGeometricCustomer *customer, double t, double k)
{
	const BetaPurchases *of = &customer->purchases;
	double		w = t / customer->rate;
	double		many;
	double		last;

	if (k == 0)
		return beta_geometric_no_purchase(customer, t);
	many = negative_binomial(k, of->shape, w);
	last = of->a / (of->b + (k - 1)) * negative_binomial_tail(k, of->shape, w, many);
	return customer->alive * exp(ln_beta_ratio(of->a, of->b, k)) * (many + last);
}

double
beta_geometric_discounted(const BetaGeometricCustomer *customer, double rate)
{
	if (customer->alive == 0)
		return 0;
	return customer->alive * beta_discounted(&customer->purchases, rate * customer->rate);
}
