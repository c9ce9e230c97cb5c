/*
 * gamma_gamma.c
 *	  Gamma-Gamma: what a customer spends (Fader, Hardie and Lee 2005; Fader and
 *	  Hardie 2013).
 *
 * The mean z of x purchases is gamma (p x, nu x), nu of the customer is gamma
 * (q, v).  With g = x z / (v + x z) and h = v / (v + x z) = 1 - g,
 *
 *	 ln L = ln G(p x + q) - ln G(p x) - ln G(q) + p x ln g + q ln h - ln z
 *
 * Of the customers of one x the gamma terms are the same, and ln g and ln z enter
 * only as sums: they are taken as logarithms of products, so that a customer
 * costs a division and no logarithm.  g near 1 goes in by its distance h from 1:
 * p x may be 1e8 and what multiplies it must not be rounded to 1e-16.
 *
 * Promises and what it never does: see purchase_model.h.
 */
#include <math.h>

#include "math/special.h"
#include "models/purchase/purchase_model.h"

#define POLL_EVERY	8192

enum
{
	P, Q, V
};

/* Sum of the logarithms of positive numbers. */
typedef struct LogSum
{
	double		ln;				/* of the factors put away */
	double		product;		/* of the others */
} LogSum;

static inline void
log_sum_add(LogSum *sum, double factor, double count)
{
	if (count != 1 || !(factor > 1e-100 && factor < 1e100))
	{
		sum->ln += count * log(factor);
		return;
	}
	sum->product *= factor;
	if (!(sum->product > 1e-200 && sum->product < 1e200))
	{
		sum->ln += log(sum->product);
		sum->product = 1;
	}
}

/* The same of numbers that are given as 1 - part, part up to 1/2. */
typedef struct LossSum
{
	double		ln;
	double		lost;			/* 1 - product of the others */
} LossSum;

static inline void
loss_sum_add(LossSum *sum, double part, double count)
{
	if (count != 1)
	{
		sum->ln += count * log1p(-part);
		return;
	}
	sum->lost += part * (1 - sum->lost);
	if (sum->lost > 0.5)
	{
		sum->ln += log1p(-sum->lost);
		sum->lost = 0;
	}
}

/* What the rows of one x add up to. */
typedef struct Spenders
{
	double		x;
	double		count;
	double		ln_g;			/* sum of ln g */
	double		h;				/* sum of h */
} Spenders;

/*
 * Adds up the rows from *i on that have the same x; false where one is
 * impossible.  ln_z goes on from x to x.
 */
static bool
gather(const SpendRow *rows, size_t n, size_t *i, double v, Spenders *spenders, LogSum *ln_z,
	   ModelPoll poll)
{
	LogSum		far = {0, 1};
	LossSum		near = {0, 0};
	double		x = rows[*i].x;

	spenders->x = x;
	spenders->count = spenders->h = 0;
	for (; *i < n && rows[*i].x == x; (*i)++)
	{
		double		z = rows[*i].z;
		double		count = rows[*i].count;
		double		total = x * z;
		double		whole = v + total;
		double		h = v / whole;

		if (!(z > 0 && whole < HUGE_VAL))
			return false;
		spenders->count += count;
		spenders->h += count * h;
		log_sum_add(ln_z, z, count);
		if (h <= 0.5)
			loss_sum_add(&near, h, count);
		else
			log_sum_add(&far, total / whole, count);
		if (poll != NULL && *i % POLL_EVERY == POLL_EVERY - 1)
			poll();
	}
	spenders->ln_g = near.ln + log1p(-near.lost) + far.ln + log(far.product);
	return true;
}

static double
gamma_gamma_log_likelihood(const double *params, const SpendRow *rows, size_t n,
						   double *gradient, ModelPoll poll)
{
	const double p = params[P];
	const double q = params[Q];
	const double v = params[V];
	LogSum		ln_z = {0, 1};
	double		customers = 0;
	double		ln_gammas = 0;
	double		p_ln_g = 0;		/* sum of p x ln g */
	double		ln_vg_x = 0;	/* sum of ln(v g / x) */
	double		slopes[SPEND_PARAMS] = {0, 0, 0};
	size_t		i = 0;

	if (gradient != NULL)
		for (int k = 0; k < SPEND_PARAMS; k++)
			gradient[k] = 0;
	while (i < n)
	{
		Spenders	s;
		double		px = p * rows[i].x;

		if (!(rows[i].x > 0) || !gather(rows, n, &i, v, &s, &ln_z, poll))
			return -HUGE_VAL;
		customers += s.count;
		ln_gammas += s.count * ln_gamma_ratio(px, q);
		p_ln_g += px * s.ln_g;
		ln_vg_x += s.count * log(v / s.x) + s.ln_g;
		if (gradient != NULL)
		{
			slopes[P] += px * (s.count * digamma_difference(px, q) + s.ln_g);
			slopes[Q] += s.count * digamma_difference(q, px);
			slopes[V] += s.count * q - (px + q) * s.h;
		}
	}
	/* ln h = ln(v g / x) - ln z, and ln z is summed over all x at once */
	ln_z.ln += log(ln_z.product);
	if (gradient != NULL)
	{
		gradient[P] = slopes[P];
		gradient[Q] = q * (slopes[Q] + ln_vg_x - ln_z.ln);
		gradient[V] = slopes[V];
	}
	ln_gammas += p_ln_g + q * (ln_vg_x - ln_z.ln) - customers * ln_gamma(q) - ln_z.ln;
	return isnan(ln_gammas) ? -HUGE_VAL : ln_gammas;
}

static double
gamma_gamma_expected(const double *params, double x, double z)
{
	double		weight = params[P] * x + (params[Q] - 1);

	if (weight <= 0)
		return HUGE_VAL;
	return params[P] * ((params[V] + x * z) / weight);
}

/* ---------- starts ---------- */

/* psi'(s) = y: the leading terms at both ends */
static double
inverse_trigamma(double y)
{
	return (0.5 + sqrt(0.25 + y)) / y;
}

/* The v that explains the mean of ln z = ln v + psi(p x) - ln x - psi(q), given the others. */
static double
matching_v(const SpendRow *rows, size_t n, double p, double q)
{
	double		customers = 0;
	double		sum = 0;

	for (size_t i = 0; i < n;)
	{
		double		x = rows[i].x;
		double		expected = digamma(p * x) - log(x);

		for (; i < n && rows[i].x == x; i++)
		{
			customers += rows[i].count;
			sum += rows[i].count * (log(rows[i].z) - expected);
		}
	}
	return customers > 0 ? exp(sum / customers + digamma(q)) : 1;
}

/*
 * Among the customers of one x the variance of ln z is psi'(p x) + psi'(q), about
 * 1 / (p x) + psi'(q): a straight line in 1 / x.
 */
static int
gamma_gamma_starts(const SpendRow *rows, size_t n, double starts[][MODEL_PARAMS_MAX])
{
	static const double others[][2] = {{1, 3}, {10, 3}, {1, 20}};
	double		weight = 0;
	double		u = 0;			/* sums of 1 / x, its square, the variance ... */
	double		uu = 0;
	double		y = 0;
	double		uy = 0;
	double		slope;
	double		level;
	int			found = 0;

	for (size_t i = 0; i < n;)
	{
		double		x = rows[i].x;
		double		first = log(rows[i].z);
		double		count = 0;
		double		sum = 0;
		double		squares = 0;

		for (; i < n && rows[i].x == x; i++)
		{
			double		l = log(rows[i].z) - first;

			count += rows[i].count;
			sum += rows[i].count * l;
			squares += rows[i].count * l * l;
		}
		if (count > 1)
		{
			double		deviations = squares - sum * sum / count;

			weight += count - 1;
			u += (count - 1) / x;
			uu += (count - 1) / (x * x);
			y += deviations;
			uy += deviations / x;
		}
	}
	slope = (weight * uy - u * y) / (weight * uu - u * u);
	level = (y - slope * u) / weight;
	if (slope > 0 && level > 0 && isfinite(slope) && isfinite(level))
	{
		starts[found][0] = fmin(fmax(1 / slope, 0.05), 100);
		starts[found++][1] = fmin(fmax(inverse_trigamma(level), 0.2), 100);
	}
	for (int i = 0; i < 3; i++)
	{
		starts[found][0] = others[i][0];
		starts[found++][1] = others[i][1];
	}
	for (int i = 0; i < found; i++)
		starts[i][2] = matching_v(rows, n, starts[i][0], starts[i][1]);
	return found;
}

const SpendModel gamma_gamma_model = {
	.kind = SPEND_GAMMA_GAMMA,
	.name = "gamma_gamma",
	.text = {
		.label = "Gamma-Gamma",
		.assumes =
		"spend per purchase differs between customers, and has nothing to do with "
		"how often they buy",
		.take_when = "amounts are known; 'none' leaves each customer their own mean spend",
		.source = "Fader, Hardie and Lee 2005; Fader and Hardie 2013"
	},
	.nparams = SPEND_PARAMS,
	.param_names = {"p", "q", "v"},
	.money_powers = {0, 0, 1},
	.log_likelihood = gamma_gamma_log_likelihood,
	.starts = gamma_gamma_starts,
	.expected = gamma_gamma_expected
};
