/*
 * contract.c
 *	  Contracts: survival, its likelihood and where to start looking for it.
 *
 * See contract.h.  What is predicted from it is in contract_predict.c.
 */
#include "models/purchase/contract.h"

#include <math.h>

#include "math/beta_ratio.h"
#include "math/special.h"

enum
{
	ALPHA, BETA, SHAPE, PARAMS
};

/* A logarithm and, where asked for, its derivatives with respect to ln parameters */
typedef struct Term
{
	double		value;
	double		slopes[PARAMS];
} Term;

static inline double
ln_power(const Contract *contract, double t)
{
	return contract->c * log(t);
}

static inline double
power(const Contract *contract, double t)
{
	return contract->c == 1 ? t : pow(t, contract->c);
}

/* (t + 1)^c - t^c */
static inline double
power_step(const Contract *contract, double t)
{
	if (contract->c == 1 || t == 0)
		return 1;
	return power(contract, t) * expm1(contract->c * log1p(1 / t));
}

double
contract_ln_survival_scaled(const Contract *contract, double from, double w)
{
	double		ln_u = ln_power(contract, from);
	double		u;

	if (ln_u > LN_POWER_LAW)
		return -contract->alpha * contract->c * w;
	if (ln_u + contract->c * w > LN_POWER_LAW)
		return ln_gamma_ratio(contract->beta, contract->alpha) -
			contract->alpha * (ln_u + contract->c * w) - contract_ln_survival(contract, 0, from);
	u = power(contract, from);
	return ln_beta_ratio(contract->alpha, contract->beta + u, u * expm1(contract->c * w));
}

double
contract_ln_survival(const Contract *contract, double from, double n)
{
	if (n <= 0)
		return 0;
	if (contract->c == 1)
		return ln_beta_ratio(contract->alpha, contract->beta + from, n);
	if (from > 0)
		return contract_ln_survival_scaled(contract, from, log1p(n / from));
	if (ln_power(contract, n) > LN_POWER_LAW)
		return ln_gamma_ratio(contract->beta, contract->alpha) -
			contract->alpha * ln_power(contract, n);
	return ln_beta_ratio(contract->alpha, contract->beta, power(contract, n));
}

/* ---------- likelihood ---------- */

/* ln S(t) */
static void
survival_term(const Contract *contract, double t, Term *term)
{
	double		both = contract->alpha + contract->beta;

	term->value = contract_ln_survival(contract, 0, t);
	if (t > 0 && ln_power(contract, t) > LN_POWER_LAW)
	{
		term->slopes[ALPHA] = contract->alpha * (digamma(both) - ln_power(contract, t));
		term->slopes[BETA] = contract->beta * digamma_difference(contract->beta, contract->alpha);
		term->slopes[SHAPE] = -contract->alpha * ln_power(contract, t);
	}
	else
	{
		double		u = power(contract, t);

		term->slopes[ALPHA] = -contract->alpha * digamma_difference(both, u);
		term->slopes[BETA] = contract->beta *
			ln_beta_ratio_slope(contract->alpha, contract->beta, u);
		/* t <= 1: u does not depend on c */
		term->slopes[SHAPE] = t <= 1 ? 0 :
			-ln_power(contract, t) * u * digamma_difference(contract->beta + u, contract->alpha);
	}
}

/* ln(S(t + 1) / S(t)) */
static void
step_term(const Contract *contract, double t, Term *term)
{
	double		alpha = contract->alpha;
	double		beta = contract->beta;

	term->value = contract_ln_survival(contract, t, 1);
	if (t > 0 && ln_power(contract, t) > LN_POWER_LAW)
	{
		term->slopes[ALPHA] = term->slopes[SHAPE] = term->value;
		term->slopes[BETA] = 0;
	}
	else if (ln_power(contract, t + 1) > LN_POWER_LAW)
	{
		Term		before;
		Term		after;

		survival_term(contract, t, &before);
		survival_term(contract, t + 1, &after);
		for (int k = 0; k < PARAMS; k++)
			term->slopes[k] = after.slopes[k] - before.slopes[k];
	}
	else
	{
		double		u = power(contract, t);
		double		step = power_step(contract, t);
		double		slope = ln_beta_ratio_slope(alpha, beta + u, step);
		double		fall = digamma_difference(beta + u + step, alpha);

		term->slopes[ALPHA] = -alpha * digamma_difference(alpha + beta + u, step);
		term->slopes[BETA] = beta * slope;

		/*
		 * With f(u) = u (psi(alpha+beta+u) - psi(beta+u)) it is c (f(u) ln t - f(u + step) ln(t +
		 * 1)); f(u + step) - f(u) is taken apart so that it does not cancel.
		 */
		term->slopes[SHAPE] = t == 0 ? 0 :
			-contract->c * ((u + step) * fall * log1p(1 / t) +
							(step * fall - u * slope) * log(t));
	}
}

/* ln(S(t) - S(t + 1)): left at renewal t + 1 */
static void
leaving_term(const Contract *contract, double t, Term *term)
{
	Term		step;

	survival_term(contract, t, term);
	if (contract->c == 1)
	{
		double		all = contract->alpha + contract->beta + t;

		term->value += contract->alpha > contract->beta + t ?
			log1p(-(contract->beta + t) / all) : log(contract->alpha / all);
		term->slopes[ALPHA] += (contract->beta + t) / all;
		term->slopes[BETA] -= contract->beta / all;
	}
	step_term(contract, t, &step);
	if (contract->c != 1)
	{
		term->value += step.value < -M_LN2 ? log1p(-exp(step.value)) : log(-expm1(step.value));
		term->slopes[ALPHA] -= step.slopes[ALPHA] / expm1(-step.value);
		term->slopes[BETA] -= step.slopes[BETA] / expm1(-step.value);
	}
	/* the derivative by c alike: at c = 1 the bdw model needs it, too */
	term->slopes[SHAPE] -= step.slopes[SHAPE] / expm1(-step.value);
}

double
contract_log_likelihood(const double *params, int nparams, const ModelRow *rows, size_t n,
						double *gradient, ModelPoll poll)
{
	Contract	contract = {params[0], params[1], nparams > 2 ? params[2] : 1};
	Term		term = {0, {0, 0, 0}};
	double		sum = 0;

	if (gradient != NULL)
		for (int k = 0; k < nparams; k++)
			gradient[k] = 0;
	for (size_t i = 0; i < n; i++)
	{
		bool		left = rows[i].t_x < rows[i].age;

		if (!(rows[i].t_x >= 0 && rows[i].t_x <= rows[i].age && isfinite(rows[i].age)))
			return -HUGE_VAL;
		/* when a customer who left would have been due does not matter */
		if (i == 0 || rows[i].t_x != rows[i - 1].t_x || left != (rows[i - 1].t_x < rows[i - 1].age))
		{
			if (left)
				leaving_term(&contract, rows[i].t_x, &term);
			else
				survival_term(&contract, rows[i].age, &term);
		}
		sum += rows[i].count * term.value;
		if (gradient != NULL)
			for (int k = 0; k < nparams; k++)
				gradient[k] += rows[i].count * term.slopes[k];
		if (poll != NULL && i % 4096 == 4095)
			poll();
	}
	return isnan(sum) ? -HUGE_VAL : sum;
}

/* ---------- starts ---------- */

/*
 * The share of leavers at the first renewal is alpha / (alpha + beta), at the
 * second one alpha / (alpha + beta + 1): two equations for both, where the
 * second share is the smaller one.  The overall share does for the rest.
 */
int
contract_starts(int nparams, const ModelRow *rows, size_t n, double starts[][MODEL_PARAMS_MAX])
{
	static const double shapes[] = {1, 1.5, 0.7};
	double		due[2] = {0, 0};
	double		left[2] = {0, 0};
	double		all_due = 1;
	double		all_left = 0.5;
	double		share;
	int			found = 0;

	for (size_t i = 0; i < n; i++)
	{
		for (int k = 0; k < 2; k++)
			if (rows[i].age > k && rows[i].t_x >= k)
			{
				due[k] += rows[i].count;
				if (rows[i].t_x == k)
					left[k] += rows[i].count;
			}
		all_due += rows[i].count * fmin(rows[i].t_x + 1, rows[i].age);
		if (rows[i].t_x < rows[i].age)
			all_left += rows[i].count;
	}
	share = all_left / all_due;
	for (int shape = 0; shape < (nparams > 2 ? 3 : 1); shape++)
	{
		if (left[0] > 0 && left[1] > 0 && left[0] < due[0] &&
			left[1] / due[1] < left[0] / due[0])
		{
			double		alpha = 1 / (due[1] / left[1] - due[0] / left[0]);

			alpha = fmin(fmax(alpha, 0.05), 20);
			starts[found][0] = alpha;
			starts[found][1] = alpha * (due[0] / left[0] - 1);
			starts[found++][2] = shapes[shape];
		}
		starts[found][0] = 1;
		starts[found][1] = 1 / share - 1;
		starts[found++][2] = shapes[shape];
	}
	return found;
}
