/*
 * proportion_limits.c
 *	  Limits of a proportion by other methods than Wilson's, and Fisher's exact
 *	  test.
 *
 * Sources and promises: see proportion_limits.h.
 */
#include "math/proportion_limits.h"

#include <math.h>

#include "math/legendre.h"
#include "math/special.h"

#define LN_SQRT_2PI		0.91893853320467274178
#define TWO_PI			6.28318530717958647693
#define NEGLIGIBLE		1e-17
#define QUANTILE_STEPS	200
#define PANELS			10000

/* ---------- limits in closed form ---------- */

static double
at_most(double value, double most)
{
	return value > most ? most : value;
}

static double
at_least(double value, double least)
{
	return value < least ? least : value;
}

Limits
wald_limits(double hits, double n, double z)
{
	double		p = hits / n;
	double		half = z * sqrt(p * ((n - hits) / n) / n);
	Limits		limits;

	limits.low = at_least(p - half, 0);
	limits.high = at_most(p + half, 1);
	return limits;
}

Limits
wilson_cc_limits(double hits, double n, double z)
{
	double		p = hits / n;
	double		z2 = z * z;
	Limits		limits = {0, 1};

	/* the usual form of the lower limit is a difference: this is its conjugate */
	if (hits > 0)
	{
		double		root = sqrt(at_least(z2 - 2 - 1 / n + 4 * p * (n - hits + 1), 0));
		double		twice = 2 * hits - 1;

		limits.low = twice / (2 * n) * (twice / (twice + z2 + z * root));
	}
	if (hits < n)
	{
		double		root = sqrt(at_least(z2 + 2 - 1 / n + 4 * p * (n - hits - 1), 0));

		limits.high = at_most((2 * hits + z2 + 1 + z * root) / (2 * (n + z2)), 1);
	}
	return limits;
}

Limits
agresti_coull_limits(double hits, double n, double z)
{
	double		z2 = z * z;
	double		more = n + z2;
	double		p = (hits + z2 / 2) / more;
	double		half = z * sqrt(p * ((n - hits + z2 / 2) / more) / more);
	Limits		limits;

	limits.low = at_least(p - half, 0);
	limits.high = at_most(p + half, 1);
	return limits;
}

Limits
wald_difference(double hits1, double n1, double hits2, double n2, double z)
{
	double		p1 = hits1 / n1;
	double		p2 = hits2 / n2;
	double		half = z * sqrt(p1 * ((n1 - hits1) / n1) / n1 + p2 * ((n2 - hits2) / n2) / n2);
	Limits		limits;

	limits.low = at_least(p1 - p2 - half, -1);
	limits.high = at_most(p1 - p2 + half, 1);
	return limits;
}

double
two_proportion_z(double hits1, double n1, double hits2, double n2)
{
	double		n = n1 + n2;
	double		hits = hits1 + hits2;
	double		misses = (n1 - hits1) + (n2 - hits2);

	if (hits <= 0 || misses <= 0)
		return NAN;
	return (hits1 / n1 - hits2 / n2) / sqrt(hits / n * (misses / n) * (1 / n1 + 1 / n2));
}

/* ---------- binomial and beta densities ---------- */

/* ln(1 + t) - t, t > -1 */
static double
ln_1p_less(double t)
{
	double		r = t / (2 + t);
	double		r2 = r * r;
	double		power = r * r2;
	double		sum = 0;

	if (t < -0.4 || t > 0.6)
		return log1p(t) - t;
	/* ln(1 + t) = 2 artanh r, and 2 r - t = -r t */
	for (int k = 3; k < 60 && fabs(power) > 1e-18 * fabs(r2); k += 2)
	{
		sum += power / k;
		power *= r2;
	}
	return 2 * sum - r * t;
}

/* ln Gamma(z + 1) less Stirling's formula, z > 0; Abramowitz and Stegun 6.1.41 */
static double
proportion_limits_stirling_rest(double z)
{
	double		w = 1 / (z * z);

	if (z < 16)
		return ln_gamma(z + 1) - (z + 0.5) * log(z) + z - LN_SQRT_2PI;
	return (1 / 12.0 - w * (1 / 360.0 - w * (1 / 1260.0 - w * (1 / 1680.0 - w * (1 / 1188.0 -
																				 w * (691 / 360360.0 - w / 156.0)))))) / z;
}

/*
 * ln(x^a y^b / B(a, b)), x + y = 1: the saddle-point form of C. Loader (2000),
 * "Fast and accurate computation of binomial probabilities", whose parts do not
 * cancel.  lambda = a - (a + b) x.
 */
static double
ln_beta_front(double x, double y, double a, double b)
{
	double		n = a + b;
	double		lambda = a > b ? n * y - b : a - n * x;
	double		by_x = -lambda / a;
	double		by_y = lambda / b;

	/* where a ratio is nearly 0, 1 + by_x is not: take its logarithm as it is */
	by_x = by_x < -0.9 ? log(n * (x / a)) - by_x : ln_1p_less(by_x);
	by_y = by_y < -0.9 ? log(n * (y / b)) - by_y : ln_1p_less(by_y);
	return a * by_x + b * by_y + 0.5 * log(a / n * (b / TWO_PI)) +
		proportion_limits_stirling_rest(n) - proportion_limits_stirling_rest(a) - proportion_limits_stirling_rest(b);
}

/* ln P(k hits of n), p + q = 1, 0 < p < 1 */
static double
ln_binomial(double k, double n, double p, double q)
{
	if (k <= 0)
		return n * (p < q ? log1p(-p) : log(q));
	if (k >= n)
		return n * (p < q ? log(p) : log1p(-q));
	return ln_beta_front(p, q, k, n - k) + log(n / k / (n - k));
}

/* ---------- the beta distribution ---------- */

/*
 * P(X <= x) x^-a y^-b B(a, b), x <= a / (a + b): with t / (1 - t) = x / y e^-u
 * it is the integral over u > 0 of
 *	  exp(-a u) (y + x e^-u)^-(a + b) = exp(b u) (x + y e^u)^-(a + b)
 * which is log-concave and falls from 1, however large a and b are.  Panels
 * are as wide as it is nearly a straight line in, on the scale of logarithms.
 */
static double
tail_integral(double x, double y, double a, double b)
{
	double		n = a + b;
	double		lambda = at_least(a > b ? n * y - b : a - n * x, 0);
	double		width = at_most(1 / (lambda / 4 + sqrt(n * x * y) / 1.5), 0.5);
	double		sum = 0;

	for (int panel = 0; panel < PANELS; panel++)
	{
		double		part = 0;

		for (int i = 0; i < 2 * LEGENDRE_HALF; i++)
		{
			const double *node = legendre_rule[i / 2];
			double		u = width * (panel + 0.5 + (i % 2 == 0 ? -0.5 : 0.5) * node[0]);

			/* the form whose large terms do not cancel */
			if (x < y)
				part += node[1] * exp(-a * u - n * log1p(x * expm1(-u)));
			else
				part += node[1] * exp(b * u - n * log1p(y * expm1(u)));
		}
		part *= width / 2;
		sum += part;
		if (part <= sum * NEGLIGIBLE)
			break;
	}
	return sum;
}

/* P(X <= x) and P(X > x), X ~ Beta(a, b), a, b > 0; y = 1 - x */
static void
beta_tails(double x, double y, double a, double b, double *lower, double *upper)
{
	double		front = exp(ln_beta_front(x, y, a, b));

	/* the smaller side is computed, so that it keeps its digits */
	if (a > b ? (a + b) * y >= b : (a + b) * x <= a)
	{
		*lower = at_most(front * tail_integral(x, y, a, b), 1);
		*upper = 1 - *lower;
	}
	else
	{
		*upper = at_most(front * tail_integral(y, x, b, a), 1);
		*lower = 1 - *upper;
	}
}

/* beta_quantile() where it is known to be at most 1/2 */
static double
beta_quantile_below(double tail, bool upper, double a, double b)
{
	double		tails[2];
	double		low = 1e-300;
	double		high = 0.5;
	double		x = at_most(a / (a + b), 0.5);

	/* Newton's steps of ln(tail) by ln(x), inside a bracket that shrinks */
	for (int i = 0; i < QUANTILE_STEPS; i++)
	{
		double		front = exp(ln_beta_front(x, 1 - x, a, b));
		double		off;
		double		step;
		double		next;

		beta_tails(x, 1 - x, a, b, &tails[0], &tails[1]);
		off = log(tails[upper]) - log(tail);
		if ((off > 0) == upper)
			low = x;
		else
			high = x;
		step = -off * tails[upper] * (1 - x) / front;
		if (upper)
			step = -step;
		next = x * exp(step);
		/* written so that NaN is not inside */
		if (!(next > low && next < high))
		{
			if (fabs(step) < 1e-15)
				break;
			next = sqrt(low) * sqrt(high);
		}
		if (fabs(next - x) <= 2e-16 * x)
			break;
		x = next;
	}
	return x;
}

double
beta_quantile(double tail, bool upper, double a, double b)
{
	double		tails[2];

	/* beyond 1/2 its distance from 1 is looked for: near 0 numbers are fine */
	beta_tails(0.5, 0.5, a, b, &tails[0], &tails[1]);
	if (upper ? tails[1] > tail : tails[0] < tail)
		return 1 - beta_quantile_below(tail, !upper, b, a);
	return beta_quantile_below(tail, upper, a, b);
}

Limits
clopper_pearson_limits(double hits, double n, double confidence)
{
	double		tail = (1 - confidence) / 2;
	Limits		limits = {0, 1};

	if (hits > 0)
		limits.low = beta_quantile(tail, false, hits, n - hits + 1);
	if (hits < n)
		limits.high = beta_quantile(tail, true, hits + 1, n - hits);
	return limits;
}

Limits
jeffreys_limits(double hits, double n, double confidence)
{
	double		tail = (1 - confidence) / 2;
	Limits		limits = {0, 1};

	if (hits > 0)
		limits.low = beta_quantile(tail, false, hits + 0.5, n - hits + 0.5);
	if (hits < n)
		limits.high = beta_quantile(tail, true, hits + 0.5, n - hits + 0.5);
	return limits;
}

/* ---------- Fisher's exact test ---------- */

/* hits1 given the margins, and the table at hand */
typedef struct Margins
{
	double		n1;
	double		n2;
	double		hits;
	double		lowest;			/* hits1 lies between */
	double		highest;
} Margins;

/*
 * ln P(hits1 = k): three binomials with the pooled rate, without its terms that
 * are the same for all k.
 */
static double
ln_hypergeometric(const Margins *m, double k)
{
	double		n = m->n1 + m->n2;
	double		p = m->hits / n;
	double		q = (n - m->hits) / n;

	return ln_binomial(k, m->n1, p, q) + ln_binomial(m->hits - k, m->n2, p, q) -
		ln_binomial(m->hits, n, p, q);
}

/* P(k), P(k + way), ... together, as a multiple of P(k); k on its own side of the mode */
static double
outward_sum(const Margins *m, double k, int way)
{
	double		misses = m->n2 - m->hits;	/* of sample 2 where k is 0 */
	double		term = 1;
	double		sum = 1;

	while (way > 0 ? k < m->highest : k > m->lowest)
	{
		if (way > 0)
			term *= (m->n1 - k) / (k + 1) * ((m->hits - k) / (misses + k + 1));
		else
			term *= k / (m->n1 - k + 1) * ((misses + k) / (m->hits - k + 1));
		sum += term;
		k += way;
		if (term <= sum * NEGLIGIBLE)
			break;
	}
	return sum;
}

double
fisher_two_sided(double hits1, double n1, double hits2, double n2)
{
	double		n = n1 + n2;
	Margins		m = {n1, n2, hits1 + hits2, 0, 0};
	double		p = m.hits / n;
	double		mode = floor((n1 + 1) * ((m.hits + 1) / (n + 2)));
	double		equal = log1p(1e-7);	/* as R has it */
	int			way;
	double		known;
	double		near;
	double		far;
	double		total;

	m.lowest = at_least(m.hits - n2, 0);
	m.highest = at_most(m.hits, n1);
	if (m.lowest >= m.highest)
		return 1;
	if (sqrt(n1 / n * n2 * p * (1 - p)) > FISHER_SPREAD)
		return NAN;
	mode = at_most(at_least(mode, m.lowest), m.highest);
	known = ln_hypergeometric(&m, hits1);
	if (ln_hypergeometric(&m, mode) <= known + equal)
		return 1;
	way = hits1 > mode ? 1 : -1;
	total = outward_sum(&m, hits1, way);

	/* beyond the mode, the first table that is not more probable, if there is one */
	near = mode;
	far = way > 0 ? m.lowest : m.highest;
	if (ln_hypergeometric(&m, far) <= known + equal)
	{
		while (fabs(far - near) > 1)
		{
			double		middle = floor((far + near) / 2);

			if (ln_hypergeometric(&m, middle) <= known + equal)
				far = middle;
			else
				near = middle;
		}
		total += exp(ln_hypergeometric(&m, far) - known) * outward_sum(&m, far, -way);
	}
	return at_most(exp(known) * total, 1);
}
