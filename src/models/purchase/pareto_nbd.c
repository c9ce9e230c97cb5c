/*
 * pareto_nbd.c
 *	  Pareto/NBD: likelihood and where to look for its top.
 *
 * With w(y) = (alpha + y)^-(r+x) (beta + y)^-s and the two waiting times of
 * pareto_nbd.h, seen from y,
 *
 *	 L = Gamma(r+x) / Gamma(r) alpha^r beta^s *
 *		 (w(age) P(next purchase before the end, from age on) +
 *		  w(t_x) P(end before the next purchase, from t_x on))
 *
 * which is the likelihood of Fader and Hardie (2005, "A Note on Deriving the
 * Pareto/NBD Model and Related Expressions") without its differences: she is
 * alive at age and will buy again, or was never to buy again after t_x, be she
 * alive at age or not.  The one term knows no age, the other no t_x: rows share
 * them.
 *
 * Promises and what it never does: see purchase_model.h.
 */
#include "models/purchase/pareto_nbd.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "math/hypergeometric.h"
#include "math/special.h"

#define POLL_ROWS		1024

/* One of the two terms, without Gamma(r+x) / Gamma(r) alpha^-x. */
typedef struct Term
{
	double		x;				/* whose it is: x, and t_x or age */
	double		y;
	double		ln;
	double		slope[PARETO_PARAMS];	/* of ln, by the logarithms of the parameters */
} Term;

/* Terms by age, of one x after the other */
#define AGES_BITS		9
#define AGES			(1 << AGES_BITS)

typedef struct Likelihood
{
	const double *params;
	bool		slopes;			/* wanted */
	double		x;
	RaceFraction end;			/* end before next purchase */
	RaceFraction purchase;		/* the other way round */
	double		ln_common;		/* ln(Gamma(r+x) / Gamma(r) alpha^-x) */
	double		slope_common;	/* by ln r */
	Term		since;			/* the last purchase */
	Term		ages[AGES];
} Likelihood;

/* Sums of the value and of the slopes, in blocks: few roundings roll-up up. */
typedef struct Sums
{
	double		block[1 + PARETO_PARAMS];
	double		total[1 + PARETO_PARAMS];
	double		lost[1 + PARETO_PARAMS];	/* low parts, Neumaier (1974) */
} Sums;

static void
next_block(Sums *sums)
{
	for (int i = 0; i <= PARETO_PARAMS; i++)
	{
		double		sum = sums->total[i] + sums->block[i];

		if (fabs(sums->total[i]) >= fabs(sums->block[i]))
			sums->lost[i] += (sums->total[i] - sum) + sums->block[i];
		else
			sums->lost[i] += (sums->block[i] - sum) + sums->total[i];
		sums->total[i] = sum;
		sums->block[i] = 0;
	}
}

static void
set_x(Likelihood *likelihood, double x)
{
	const double *params = likelihood->params;

	likelihood->x = x;
	race_prepare(&likelihood->end, params[PARETO_S], params[PARETO_R] + x, likelihood->slopes);
	race_prepare(&likelihood->purchase, params[PARETO_R] + x, params[PARETO_S],
				 likelihood->slopes);
	likelihood->ln_common = ln_gamma_ratio(params[PARETO_R], x) - x * log(params[PARETO_ALPHA]);
	likelihood->slope_common = params[PARETO_R] * digamma_difference(params[PARETO_R], x);
}

/*
 * w(y) (times alpha^(r+x) beta^s, so that parameters of any size are no matter)
 * times the chance of the race from there.
 */
static void
set_term(Likelihood *likelihood, Term *term, double y, bool purchase)
{
	double		r = likelihood->params[PARETO_R];
	double		alpha = likelihood->params[PARETO_ALPHA];
	double		s = likelihood->params[PARETO_S];
	double		beta = likelihood->params[PARETO_BETA];
	double		buys = r + likelihood->x;
	double		ln_alpha = log1p(y / alpha);
	double		ln_beta = log1p(y / beta);
	double		part_alpha;
	double		part_beta;
	Race		race;

	term->x = likelihood->x;
	term->y = y;
	if (purchase)
		race_ever(&likelihood->purchase, alpha + y, beta + y, &race);
	else
		race_ever(&likelihood->end, beta + y, alpha + y, &race);
	term->ln = log(race.won) - buys * ln_alpha - s * ln_beta;
	if (!likelihood->slopes)
		return;

	/*
	 * Under the integral; alpha / (alpha + y + U) is 1 - (y + U) / (alpha + y + U), and in that
	 * form a large alpha cancels nothing.
	 */
	part_alpha = (y + alpha * (purchase ? race.part_first : race.part_second)) / (alpha + y);
	part_beta = (y + beta * (purchase ? race.part_second : race.part_first)) / (beta + y);
	if (purchase)
	{
		term->slope[PARETO_R] = r / buys - r * (ln_alpha + race.log_first);
		term->slope[PARETO_ALPHA] = (buys + 1) * part_alpha - (likelihood->x + 1);
		term->slope[PARETO_S] = -s * (ln_beta + race.log_second);
		term->slope[PARETO_BETA] = s * part_beta;
	}
	else
	{
		term->slope[PARETO_R] = -r * (ln_alpha + race.log_second);
		term->slope[PARETO_ALPHA] = buys * part_alpha - likelihood->x;
		term->slope[PARETO_S] = 1 - s * (ln_beta + race.log_first);
		term->slope[PARETO_BETA] = (s + 1) * part_beta - 1;
	}
}

static const Term *
age_term(Likelihood *likelihood, double age)
{
	uint64_t	bits;
	Term	   *term;

	memcpy(&bits, &age, sizeof(bits));
	term = &likelihood->ages[bits * UINT64_C(0x9e3779b97f4a7c15) >> (64 - AGES_BITS)];
	if (term->x != likelihood->x || term->y != age)
		set_term(likelihood, term, age, true);
	return term;
}

/*
 * Of customers who never came back a short time (or an early end) tells next to
 * nothing: L is 1 - P(a purchase by age), and that chance alone keeps its digits.
 */
#define SMALL_CHANCE	1e-3

static void
add_small_chance(Likelihood *likelihood, const ModelRow *row, double *sums)
{
	double		r = likelihood->params[PARETO_R];
	double		s = likelihood->params[PARETO_S];
	double		odds;
	Race		race;

	race_within(r, likelihood->params[PARETO_ALPHA], s, likelihood->params[PARETO_BETA],
				row->age, likelihood->slopes, &race);
	sums[0] += row->count * log1p(-race.won);
	if (!likelihood->slopes)
		return;
	odds = row->count * race.won / (1 - race.won);
	sums[1 + PARETO_R] -= odds * (1 - r * race.log_first);
	sums[1 + PARETO_ALPHA] -= odds * ((r + 1) * race.part_first - 1);
	sums[1 + PARETO_S] += odds * s * race.log_second;
	sums[1 + PARETO_BETA] -= odds * s * race.part_second;
}

static void
pareto_nbd_add_row(Likelihood *likelihood, const ModelRow *row, double *sums)
{
	const Term *since = &likelihood->since;
	const Term *now = age_term(likelihood, row->age);
	double		difference = since->ln - now->ln;
	double		odds = exp(-fabs(difference));	/* of the lesser term */
	double		lesser = odds / (1 + odds);
	double		of_since = difference > 0 ? 1 - lesser : lesser;
	double		of_now = difference > 0 ? lesser : 1 - lesser;
	double		value = likelihood->ln_common + fmax(since->ln, now->ln) + log1p(odds);

	if (row->x == 0 && value > -SMALL_CHANCE)
	{
		add_small_chance(likelihood, row, sums);
		return;
	}
	sums[0] += row->count * value;
	if (!likelihood->slopes)
		return;
	of_since *= row->count;
	of_now *= row->count;
	sums[1] += row->count * likelihood->slope_common;
	for (int i = 0; i < PARETO_PARAMS; i++)
		sums[1 + i] += of_since * since->slope[i] + of_now * now->slope[i];
}

static double
pareto_nbd_log_likelihood(const double *params, const ModelRow *rows, size_t n,
						  double *gradient, ModelPoll poll)
{
	Likelihood	likelihood;
	Sums		sums = {{0}, {0}, {0}};
	double		value;

	likelihood.params = params;
	likelihood.slopes = gradient != NULL;
	likelihood.x = -1;			/* nobody's */
	for (int i = 0; i < AGES; i++)
		likelihood.ages[i].x = -1;
	likelihood.since.x = -1;

	for (size_t i = 0; i < n; i++)
	{
		const ModelRow *row = &rows[i];

		if (i % POLL_ROWS == 0)
		{
			next_block(&sums);
			if (poll != NULL)
				poll();
		}
		if (row->t_x > row->age || (row->x == 0 && row->t_x > 0))
		{
			sums.block[0] = -HUGE_VAL;
			break;
		}
		if (row->x != likelihood.x)
			set_x(&likelihood, row->x);
		if (likelihood.since.x != row->x || likelihood.since.y != row->t_x)
			set_term(&likelihood, &likelihood.since, row->t_x, false);
		pareto_nbd_add_row(&likelihood, row, sums.block);
	}
	next_block(&sums);

	value = sums.total[0] + sums.lost[0];
	if (!isfinite(value))
		value = -HUGE_VAL;
	if (gradient != NULL)
		for (int i = 0; i < PARETO_PARAMS; i++)
			gradient[i] = value == -HUGE_VAL ? 0 : sums.total[1 + i] + sums.lost[1 + i];
	return value;
}

/* ---------- where to start ---------- */

/*
 * How long customers stay, s and beta in mean ages, from what is usual to what
 * is not: some leave soon and many stay; all stay long; many leave at once; all
 * leave alike; hardly anybody leaves.
 */
static const double stays[][2] = {
	{0.6, 0.3},
	{1.2, 2.5},
	{0.4, 0.02},
	{2.5, 1.5},
	{0.3, 5.0},
};

#define N_STAYS			((int) (sizeof(stays) / sizeof(stays[0])))

#define START_R_LEAST	0.05
#define START_R_MOST	20.0

/*
 * To each of them r and alpha that agree with the first two factorial moments
 * of x: E[x] = r / alpha E[time alive], E[x (x - 1)] = r (r + 1) / alpha^2
 * E[(time alive)^2].
 */
static int
pareto_nbd_starts(const ModelRow *rows, size_t n, double starts[][MODEL_PARAMS_MAX])
{
	double		customers = 0;
	double		purchases = 0;
	double		pairs = 0;
	double		time = 0;
	double		squares = 0;

	for (size_t i = 0; i < n; i++)
	{
		customers += rows[i].count;
		purchases += rows[i].count * rows[i].x;
		pairs += rows[i].count * rows[i].x * (rows[i].x - 1);
		time += rows[i].count * rows[i].age;
		squares += rows[i].count * rows[i].age * rows[i].age;
	}
	if (time <= 0)
	{
		/* no time has passed: any will do */
		customers = time = squares = 1;
	}
	if (purchases <= 0)
		purchases = 0.5;

	for (int i = 0; i < N_STAYS; i++)
	{
		double		s = stays[i][0];
		double		beta = stays[i][1];

		/* parts of a mean age, and of its square, that customers are alive */
		double		alive = beta * expm1((1 - s) * log1p(1 / beta)) / (1 - s);
		double		alive2 = 2 * (beta * beta * expm1((2 - s) * log1p(1 / beta)) / (2 - s) -
								  beta * alive);

		/* (r + 1) / r */
		double		spread = pairs / (alive2 * squares) /
		(purchases / (alive * time) * (purchases / (alive * time)));
		double		r = spread > 1 ? 1 / (spread - 1) : START_R_MOST;

		r = fmin(fmax(r, START_R_LEAST), START_R_MOST);
		starts[i][PARETO_R] = r;
		starts[i][PARETO_ALPHA] = r * alive * time / purchases;
		starts[i][PARETO_S] = s;
		starts[i][PARETO_BETA] = beta * time / customers;
	}
	return N_STAYS;
}

const PurchaseModel pareto_nbd_model = {
	.kind = PURCHASE_PARETO_NBD,
	.name = "pareto_nbd",
	.alias = "pnbd",
	.text = {
		.label = "Pareto/NBD",
		.assumes =
		"purchases at any time, at a rate of the customer's own; they leave at "
		"any time, at a rate of their own",
		.take_when = "it fits better than 'bg_nbd'; its fit is slower",
		.source = "Schmittlein, Morrison and Colombo 1987"
	},
	.nparams = PARETO_PARAMS,
	.param_names = {"r", "alpha", "s", "beta"},
	.time_powers = {0, 1, 0, 1},
	.limits = {{&nbd_model, .to_zero = 1 << PARETO_S}, {&nbd_model, .to_infinity = 1 << PARETO_BETA}},
	.log_likelihood = pareto_nbd_log_likelihood,
	.starts = pareto_nbd_starts,
	.alive = pareto_nbd_alive,
	.expected = pareto_nbd_expected,
	.no_purchase = pareto_nbd_no_purchase,
	.distribution = pareto_nbd_distribution,
	.discounted = pareto_nbd_discounted
};
