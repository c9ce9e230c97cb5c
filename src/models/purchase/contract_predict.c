/*
 * contract_predict.c
 *	  Contracts: what is to be expected of a customer.
 *
 * A customer who left expects nothing; one who is still there after n renewals
 * survives j more with probability S(n + j) / S(n).  Sums of those have a closed
 * form for the shifted beta-geometric model and none for the beta-discrete-
 * Weibull: there the terms after the first ones are an integral, on the
 * logarithmic scale, with Gregory's end corrections.
 *
 * Promises and what it never does: see purchase_model.h.
 */
#include <math.h>

#include "math/beta_ratio.h"
#include "math/legendre.h"
#include "models/purchase/contract.h"

/* Terms that are added up one by one before an integral takes over ... */
#define DIRECT			64.0

/* ... where there are more than so many in all */
#define DIRECT_ENOUGH	1024.0

#define NEGLIGIBLE		1e-17

/* Past this rate the second term is nothing to the first. */
#define LARGE_RATE		500.0

/*
 * Panels of the integral: the singularities of S are pi / max(1, c) away, and the
 * integrand may change by e^8.
 */
#define PANEL			1.0
#define PANEL_SLOPE		8.0

/* Gregory's coefficients, of the differences of order 1, 2, ... */
#define GREGORY_ORDER	9

static const double gregory[GREGORY_ORDER] = {
	-1.0 / 12, 1.0 / 24, -19.0 / 720, 3.0 / 160, -863.0 / 60480, 275.0 / 24192,
	-33953.0 / 3628800, 8183.0 / 1036800, -3250433.0 / 479001600
};

/* The end correction of a sum whose terms from its end inwards are f[0], f[1], ... */
static double
end_correction(double *f)
{
	double		sum = f[0] / 2;

	for (int order = 1; order <= GREGORY_ORDER; order++)
	{
		for (int i = 0; i <= GREGORY_ORDER - order; i++)
			f[i] = f[i + 1] - f[i];
		sum += gregory[order - 1] * f[0];
	}
	return sum;
}

/*
 * A lower bound of -d ln(S(t) exp(-rate t)) / d ln t, from psi(z + a) - psi(z) >=
 * ln((z + a) / z); it grows with t.  So the integral of f(t) = S(t) exp(-rate t)
 * from t on, and with it the sum of the terms after t, is at most f(t) t / (bound
 * - 1); in the power law it is exactly that.
 */
static double
decline(const Contract *contract, double ln_t, double rate)
{
	double		ln_u = contract->c * ln_t;
	double		fall = contract->alpha;

	if (ln_u <= LN_POWER_LAW)
	{
		double		u = exp(ln_u);

		fall = u * log1p(contract->alpha / (contract->beta + u));
	}
	return contract->c * fall + (rate > 0 ? rate * exp(ln_t) : 0);
}

/* ln of S(t) exp(-rate t) t at t = from * e^w, over the same at "from" */
static double
ln_integrand(const Contract *contract, double from, double w, double rate)
{
	double		result = w + contract_ln_survival_scaled(contract, from, w);

	return rate > 0 ? result - rate * from * expm1(w) : result;
}

/*
 * Integral of S(from + v) / S(from) exp(-rate v) over 0 < v < n; what is nothing
 * to "known", which will be added to it, is left out.
 */
static double
integral(const Contract *contract, double from, double n, double rate, double known,
		 ModelPoll poll)
{
	double		ln_from = log(from);
	double		end = log1p(n / from);
	double		sum = 0;
	double		w = 0;
	int			panels = 0;

	while (w < end)
	{
		double		slope = decline(contract, ln_from + w, rate) - 1;
		double		ln_u = contract->c * (ln_from + w);
		double		half = PANEL / 2;
		double		now = exp(ln_integrand(contract, from, w, rate));

		if (slope > 0 && now <= NEGLIGIBLE * slope * (sum + known / from))
			break;
		if (ln_u > LN_POWER_LAW && rate <= 0 && isinf(end))
		{
			sum += now / slope;
			break;
		}
		if (ln_u <= LN_POWER_LAW && contract->c > 1)
			half /= contract->c;
		half = fmin(fmin(half, PANEL_SLOPE / 2 / fabs(slope)), (end - w) / 2);
		for (int i = 0; i < LEGENDRE_HALF; i++)
		{
			double		offset = half * legendre_rule[i][0];

			sum += half * legendre_rule[i][1] *
				(exp(ln_integrand(contract, from, w + half - offset, rate)) +
				 exp(ln_integrand(contract, from, w + half + offset, rate)));
		}
		if (isinf(sum) || w + 2 * half <= w)
			break;
		w += 2 * half;
		if (poll != NULL && ++panels % 64 == 0)
			poll();
	}
	return from * sum;
}

double
contract_renewals(const Contract *contract, double from, double n, double rate, ModelPoll poll)
{
	const double factor = exp(-rate);
	double		direct = n > DIRECT_ENOUGH ? DIRECT : n;
	double		f = 1;
	double		sum = 0;
	double		start;
	double		ends[GREGORY_ORDER + 1];

	if (rate <= 0 && isinf(n) && contract->alpha * contract->c <= 1)
		return HUGE_VAL;
	for (double j = 1; j <= direct; j++)
	{
		f *= exp(contract_ln_survival(contract, from + j - 1, 1)) * factor;
		sum += f;
		if (f <= 1e-10 * sum)
		{
			double		slope = decline(contract, log(from + j), rate) - 1;

			if (f == 0 || (slope > 0 && f * (from + j) <= NEGLIGIBLE * slope * sum))
				return sum;
		}
		if (poll != NULL && fmod(j, 256) == 0)
			poll();
	}
	if (direct >= n)
		return sum;

	/* the last of those terms is the first of the integral */
	start = from + direct;
	sum += f * (integral(contract, start, n - direct, rate, sum / f, poll) - 1);
	ends[0] = f;
	for (int i = 0; i < GREGORY_ORDER; i++)
		ends[i + 1] = ends[i] * exp(contract_ln_survival(contract, start + i, 1)) * factor;
	sum += end_correction(ends);
	if (isinf(n))
		return sum;
	ends[0] = f * exp(contract_ln_survival(contract, start, n - direct) - rate * (n - direct));
	for (int i = 0; i < GREGORY_ORDER && ends[0] > 0; i++)
		ends[i + 1] = ends[i] / (exp(contract_ln_survival(contract, from + n - 1 - i, 1)) * factor);
	return ends[0] > 0 ? sum + end_correction(ends) : sum;
}

/* ---------- the entries of PurchaseModel ---------- */

static inline Contract
contract_of(const Predictor *p)
{
	Contract	contract = {p->params[0], p->params[1], p->model->nparams > 2 ? p->params[2] : 1};

	return contract;
}

static inline bool
has_left(double t_x, double age)
{
	return t_x < age;
}

double
contract_alive(const Predictor *p, double x, double t_x, double age, double ahead)
{
	Contract	contract = contract_of(p);

	(void) x;
	if (has_left(t_x, age))
		return 0;
	return exp(contract_ln_survival(&contract, age, floor(ahead)));
}

void
contract_expected(const Predictor *p, double x, double t_x, double age, const double *t, int n,
				  double *result)
{
	Contract	contract = contract_of(p);
	double		before = 0;
	double		survived = 1;
	double		sum = 0;

	(void) x;
	for (int i = 0; i < n; i++)
	{
		double		horizon = floor(t[i]);

		if (has_left(t_x, age))
			result[i] = 0;
		else if (contract.c == 1)
			result[i] = beta_ratio_sum(contract.alpha, contract.beta + age, horizon);
		else if (horizon - before > DIRECT)
			result[i] = contract_renewals(&contract, age, horizon, 0, p->poll);
		else
		{
			/* on from the horizon before */
			for (; before < horizon; before++)
			{
				survived *= exp(contract_ln_survival(&contract, age + before, 1));
				sum += survived;
			}
			result[i] = sum;
		}
	}
}

double
contract_no_purchase(const Predictor *p, double x, double t_x, double age, double t)
{
	Contract	contract = contract_of(p);

	(void) x;
	if (has_left(t_x, age) || t < 1)
		return 1;
	return -expm1(contract_ln_survival(&contract, age, 1));
}

double
contract_distribution(const Predictor *p, double x, double t_x, double age, double t, double k)
{
	Contract	contract = contract_of(p);
	double		horizon = floor(t);
	double		survives;

	(void) x;
	if (has_left(t_x, age))
		horizon = 0;
	if (!(k >= 0 && k <= horizon))
		return 0;
	survives = exp(contract_ln_survival(&contract, age, k));
	if (k == horizon)
		return survives;
	return survives * -expm1(contract_ln_survival(&contract, age + k, 1));
}

static double
forever(const Contract *contract, double from, double rate, ModelPoll poll)
{
	if (contract->c == 1)
		return beta_ratio_discounted(contract->alpha, contract->beta + from, rate);
	return contract_renewals(contract, from, HUGE_VAL, rate, poll);
}

double
contract_discounted(const Predictor *p, double x, double t_x, double age, double rate)
{
	Contract	contract = contract_of(p);

	(void) x;
	return has_left(t_x, age) ? 0 : forever(&contract, age, rate, p->poll);
}

/* ---------- what purchase_model.h has besides ---------- */

double
contract_log_survival(const Predictor *p, double t)
{
	Contract	contract = contract_of(p);

	return contract_ln_survival(&contract, 0, t);
}

double
contract_retention(const Predictor *p, double t)
{
	Contract	contract = contract_of(p);

	return exp(contract_ln_survival(&contract, t - 1, 1));
}

double
contract_lifetime(const Predictor *p, double renewals, double rate)
{
	Contract	contract = contract_of(p);

	if (renewals <= 0)
		return 1 + forever(&contract, 0, rate, p->poll);
	if (rate > LARGE_RATE)
		return contract_retention(p, renewals);
	return forever(&contract, renewals - 1, rate, p->poll) * exp(rate);
}
