/*
 * pareto_nbd_predict.c
 *	  Pareto/NBD: what is to be expected of a customer.
 *
 * Given that she is alive at age, lambda ~ Gamma(r + x, alpha + age) and mu ~
 * Gamma(s, beta + age), independent still (Schmittlein, Morrison and Colombo
 * 1987): every prediction is P(alive) times that of a new customer with these
 * parameters.
 *
 * Promises and what it never does: see purchase_model.h.
 */
#include "models/purchase/pareto_nbd.h"

#include <math.h>

#include "math/hypergeometric.h"
#include "math/legendre.h"
#include "math/special.h"

/* The parameters of a customer known to be alive. */
typedef struct Posterior
{
	double		r;
	double		alpha;
	double		s;
	double		beta;
} Posterior;

static Posterior
posterior(const Predictor *p, double x, double age)
{
	return (Posterior)
	{
		.r = p->params[PARETO_R] + x,
			.alpha = p->params[PARETO_ALPHA] + age,
			.s = p->params[PARETO_S],
			.beta = p->params[PARETO_BETA] + age
	};
}

/* ln(w(t_x) / w(age)): how much less likely all was up to age than up to t_x */
static double
ln_silence(const Predictor *p, double x, double t_x, double age)
{
	double		silent = age - t_x;

	return (p->params[PARETO_R] + x) * log1p(silent / (p->params[PARETO_ALPHA] + t_x)) +
		p->params[PARETO_S] * log1p(silent / (p->params[PARETO_BETA] + t_x));
}

/* P(first < second) without the means */
static double
race_won(double p, double a, double q, double b)
{
	RaceFraction fraction;
	Race		race;

	race_prepare(&fraction, p, q, false);
	race_ever(&fraction, a, b, &race);
	return race.won;
}

static double
alive_now(const Predictor *p, const Posterior *now, double x, double t_x, double age)
{
	double		alpha = p->params[PARETO_ALPHA] + t_x;
	double		beta = p->params[PARETO_BETA] + t_x;
	double		buys = p->params[PARETO_R] + x;
	double		will_buy = race_won(buys, now->alpha, now->s, now->beta);
	double		never_more = race_won(now->s, beta, buys, alpha);

	return fmin(1 / (will_buy + never_more * exp(ln_silence(p, x, t_x, age))), 1);
}

/* 1 - P(alive) where it is small: she left between t_x and age */
static double
dead_now(const Predictor *p, double x, double t_x, double age)
{
	double		odds;
	Race		race;

	race_within(p->params[PARETO_S], p->params[PARETO_BETA] + t_x,
				p->params[PARETO_R] + x, p->params[PARETO_ALPHA] + t_x,
				age - t_x, false, &race);
	odds = race.won * exp(ln_silence(p, x, t_x, age));
	return odds / (1 + odds);
}

double
pareto_nbd_alive(const Predictor *p, double x, double t_x, double age, double ahead)
{
	Posterior	now = posterior(p, x, age);

	return alive_now(p, &now, x, t_x, age) * exp(-now.s * log1p(ahead / now.beta));
}

void
pareto_nbd_expected(const Predictor *p, double x, double t_x, double age, const double *t, int n,
					double *result)
{
	Posterior	now = posterior(p, x, age);
	double		scale = alive_now(p, &now, x, t_x, age) * now.r * (now.beta / now.alpha);

	for (int i = 0; i < n; i++)
	{
		double		u = log1p(t[i] / now.beta);

		result[i] = scale * (now.s == 1 ? u : -expm1((1 - now.s) * u) / (now.s - 1));
	}
}

/* Of a customer alive: either the end comes first, or the next purchase does, after t. */
static double
silent_for(const Posterior *now, double t)
{
	double		both = exp(-now->r * log1p(t / now->alpha) - now->s * log1p(t / now->beta));
	double		result = race_won(now->s, now->beta, now->r, now->alpha);

	if (both > 0)
		result += both * race_won(now->r, now->alpha + t, now->s, now->beta + t);
	return fmin(result, 1);
}

double
pareto_nbd_no_purchase(const Predictor *p, double x, double t_x, double age, double t)
{
	Posterior	now = posterior(p, x, age);
	double		alive;
	double		dead;
	double		silent;

	if (t <= 0)
		return 1;
	alive = alive_now(p, &now, x, t_x, age);
	silent = silent_for(&now, t);
	dead = alive > 0.9 ? dead_now(p, x, t_x, age) : 1 - alive;
	return fmin(dead + alive * silent, 1);
}

/* ---------- the distribution of purchases ---------- */

/* Half of a panel in standard deviations, and in the change of the logarithm */
#define PANEL_DEVIATIONS	1.5
#define PANEL_CHANGE		4.0

/* Legendre's rule errs by more than 1e-16 on panels that are longer */
#define PANEL_HALF			1.0

#define NEGLIGIBLE			1e-18

/*
 * ln of (alpha/(alpha+u))^r (u/(alpha+u))^k (beta/(beta+u))^s u/(beta+u), u = e^v:
 * k purchases up to u and the end there, on the scale of v.  It is concave.
 */
typedef struct EndDensity
{
	double		r;
	double		k;
	double		s;
	double		ln_alpha;
	double		ln_beta;
} EndDensity;

static double
end_density(const EndDensity *d, double v)
{
	return -d->r * ln_1p_exp(v - d->ln_alpha) - d->k * ln_1p_exp(d->ln_alpha - v) -
		d->s * ln_1p_exp(v - d->ln_beta) - ln_1p_exp(d->ln_beta - v);
}

/* Its first derivative; minus the second one to *bend */
static double
end_slope(const EndDensity *d, double v, double *third)
{
	double		a = logistic(v - d->ln_alpha);
	double		b = logistic(v - d->ln_beta);
	double		rest_a = logistic(d->ln_alpha - v);
	double		rest_b = logistic(d->ln_beta - v);

	*third = (d->r + d->k) * a * rest_a + (d->s + 1) * b * rest_b;
	return d->k * rest_a - d->r * a + rest_b - d->s * b;
}

/* Where it is highest, up to "last"; near enough to go both ways from there */
static double
end_mode(const EndDensity *d, double last)
{
	/* each pair of terms has its zero here, so the sum has its own between */
	double		one = d->ln_alpha + log(d->k / d->r);
	double		other = d->ln_beta - log(d->s);
	double		low = fmin(one, other);
	double		high = fmin(fmax(one, other), last);
	double		third;

	if (low >= last || end_slope(d, last, &third) >= 0)
		return last;
	for (int i = 0; i < 60; i++)
	{
		double		middle = (low + high) / 2;
		double		slope = end_slope(d, middle, &third);

		if (fabs(slope) <= 0.5 * sqrt(third))
			return middle;
		if (slope > 0)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

/* The integral of exp(density - top) from "from" towards "to" */
static double
integrate_end(const EndDensity *d, double top, double from, double to)
{
	double		direction = to < from ? -1 : 1;
	double		sum = 0;

	while (direction * (to - from) > 0)
	{
		double		half = fmin(PANEL_HALF, fabs(to - from) / 2);
		double		third;
		double		panel = 0;

		/* as its beginning, its middle and its end allow */
		for (int i = 0; i < 3; i++)
		{
			double		slope = end_slope(d, from + i * direction * half, &third);

			half = fmin(half, fmin(PANEL_DEVIATIONS / sqrt(third), PANEL_CHANGE / fabs(slope)));
		}
		for (int i = 0; i < LEGENDRE_HALF; i++)
		{
			double		step = half * legendre_rule[i][0];
			double		middle = from + direction * half;

			panel += half * legendre_rule[i][1] *
				(exp(end_density(d, middle - step) - top) +
				 exp(end_density(d, middle + step) - top));
		}
		sum += panel;
		if (panel < NEGLIGIBLE * sum || from + 2 * direction * half == from)
			break;
		from += 2 * direction * half;
	}
	return sum;
}

/*
 * P(X(t) = k), k > 0, of a customer alive: k purchases and alive at t, or k
 * purchases up to her end (Fader and Hardie 2014, "Deriving the Conditional PMF
 * of the Pareto/NBD Model").
 */
static double
purchases(const Posterior *now, double t, double k)
{
	double		ln_ways = -log(k) - ln_beta(now->r, k);
	double		alive;
	double		mode;
	double		top;
	EndDensity	density = {
		.r = now->r,
		.k = k,
		.s = now->s,
		.ln_alpha = log(now->alpha),
		.ln_beta = log(now->beta)
	};

	alive = exp(ln_ways - now->r * log1p(t / now->alpha) - k * log1p(now->alpha / t) -
				now->s * log1p(t / now->beta));
	mode = end_mode(&density, log(t));
	top = end_density(&density, mode);
	return alive + now->s * exp(ln_ways + top) *
		(integrate_end(&density, top, mode, -HUGE_VAL) +
		 integrate_end(&density, top, mode, log(t)));
}

double
pareto_nbd_distribution(const Predictor *p, double x, double t_x, double age, double t, double k)
{
	Posterior	now = posterior(p, x, age);

	if (k == 0)
		return pareto_nbd_no_purchase(p, x, t_x, age, t);
	if (t <= 0)
		return 0;
	return alive_now(p, &now, x, t_x, age) * purchases(&now, t, k);
}

/* Fader, Hardie and Lee (2005, "RFM and CLV: Using Iso-value Curves for Customer Base Analysis") */
double
pareto_nbd_discounted(const Predictor *p, double x, double t_x, double age, double rate)
{
	Posterior	now = posterior(p, x, age);
	double		time = now.beta * tricomi_u(now.s, rate * now.beta);

	/* however unlikely she is alive */
	if (time == HUGE_VAL)
		return HUGE_VAL;
	return alive_now(p, &now, x, t_x, age) * now.r * (time / now.alpha);
}
