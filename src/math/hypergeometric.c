/*
 * hypergeometric.c
 *	  Gauss's 2F1(1, b; c; z) and Tricomi's U as the models of purchases meet them.
 *
 * Euler's integral and Pfaff's transformation (Abramowitz and Stegun 15.3.1,
 * 15.3.4) make 2F1(1, b; c; -z), z >= 0, the mean of 1 / (1 + z B) over B ~
 * Beta(b, c - b).  Gauss's continued fraction of it has positive terms only,
 * and cut off after 2 n - 1 levels it is the Gaussian quadrature of n nodes: how
 * many levels are enough is known before the first one is computed.
 *
 * Where a and b differ by orders of size that takes thousands of levels: there
 * the integral is taken on the logarithmic scale, by Gauss and Legendre's rule,
 * until a + u and b + u are near enough; likewise up to a finite time.
 *
 * Promises: see hypergeometric.h.
 */
#include "math/hypergeometric.h"

#include <math.h>

#include "math/legendre.h"

/* Relative errors as small are none: -ln(2^-53) and some more */
#define LN_EXACT		38.0

/* What is smaller than what is known by this, as a logarithm, adds nothing. */
#define LN_NEGLIGIBLE	41.0

/*
 * Panels on the logarithmic scale, half of them: the integrand may change by e^12
 * over one, and the nearest singularities are pi away, where a + u or b + u
 * outgrows the other; while it is smaller by RACE_RATIO they are ln RACE_RATIO
 * farther.  So the error of 16 nodes is about 1e-16 (Trefethen 2008, theorem 4.5).
 * Twice the change makes it 1e-9, good enough where what is left is as small.
 */
#define PANEL_HALF		1.0
#define PANEL_HALF_FAR	2.5
#define PANEL_SLOPE		6.0

/* ---------- the continued fraction ---------- */

void
race_prepare(RaceFraction *fraction, double p, double q, bool means)
{
	fraction->p = p;
	fraction->q = q;
	fraction->means = means;
	fraction->first_nearer = false;
	fraction->filled = 0;
}

/* The terms of 2F1(1, b; c; -z) = 1 / (1 + term[0] z / (1 + term[1] z / ...)), up to "levels" */
static void
fill_terms(RaceFraction *fraction, int levels)
{
	double		b = fraction->first_nearer ? fraction->p + 1 : fraction->q;
	double		rest = fraction->first_nearer ? fraction->q : fraction->p + 1;
	double		c = fraction->p + fraction->q + 1;

	for (int i = fraction->filled; i < levels; i++)
	{
		double		k = i / 2;
		double		one = 1 / (c + 2 * k);
		double		other;

		if (i == 0)
		{
			fraction->term[i] = b * one;
			fraction->by_upper[i] = 1 / b - one;
			fraction->by_rest[i] = -one;
		}
		else if (i % 2 == 0)
		{
			other = 1 / (c + 2 * k - 1);
			fraction->term[i] = ((b + k) * one) * ((c + k - 1) * other);
			fraction->by_rest[i] = 1 / (c + k - 1) - one - other;
			fraction->by_upper[i] = 1 / (b + k) + fraction->by_rest[i];
		}
		else
		{
			other = 1 / (c + 2 * k + 1);
			fraction->term[i] = ((k + 1) * one) * ((rest + k) * other);
			fraction->by_upper[i] = -one - other;
			fraction->by_rest[i] = 1 / (rest + k) + fraction->by_upper[i];
		}
	}
	fraction->filled = levels;
}

/*
 * Levels after which 1 / (1 + z B) has no error left: quadrature of n nodes errs
 * by at most twice the best approximation by a polynomial of degree 2 n - 1
 * (Bernstein 1926), z / (1 + z) ratio^(2n-1) for this function.
 */
static int
enough_levels(double z)
{
	double		root = sqrt(1 + z);
	int			levels;

	if (z == 0)
		return 2;
	levels = 2 + (int) ((LN_EXACT + log(z)) / log((root + 1) * (root + 1) / z));
	return levels < 2 ? 2 : levels > RACE_LEVELS ? RACE_LEVELS : levels;
}

/* P(first < second) where a and b are of the same order of size */
static void
race_near(RaceFraction *fraction, double a, double b, Race *race)
{
	double		p = fraction->p;
	double		q = fraction->q;
	double		n = p + q;
	bool		first_nearer = a < b;
	double		z = first_nearer ? (b - a) / a : (a - b) / b;
	int			levels = enough_levels(z);
	double		below = 1;		/* the fraction from level i + 1 on */
	double		loss = 0;		/* 1 - below */
	double		upper = 0;		/* the derivatives of ln below */
	double		rest = 0;
	double		value;
	double		nearer;

	if (fraction->first_nearer != first_nearer)
	{
		fraction->first_nearer = first_nearer;
		fraction->filled = 0;
	}
	if (fraction->filled < levels)
		fill_terms(fraction, levels);

	if (!fraction->means)
	{
		for (int i = levels - 1; i >= 0; i--)
			below = 1 / (1 + fraction->term[i] * z * below);
		race->won = p / n * below;
		if (first_nearer)
			race->won *= b / a;
		return;
	}

	for (int i = levels - 1; i > 0; i--)
	{
		double		t = fraction->term[i] * z * below;

		below = 1 / (1 + t);
		loss = t * below;
		upper = -loss * (fraction->by_upper[i] + upper);
		rest = -loss * (fraction->by_rest[i] + rest);
	}
	value = fraction->term[0] * z * below;
	upper = -value / (1 + value) * (fraction->by_upper[0] + upper);
	rest = -value / (1 + value) * (fraction->by_rest[0] + rest);
	value = 1 / (1 + value);

	/*
	 * won is homogeneous in a and b (times a^-p b^-q, of degree -n), and moving both only cuts off
	 * the beginning of its integral: that gives its derivatives by a and b from the second level
	 * of the fraction.
	 */
	nearer = (1 + n * loss) / (n + 1);
	if (first_nearer)
	{
		race->won = p / n * (b / a) * value;
		race->log_first = 1 / n - upper;
		race->log_second = 1 / n - rest;
		race->part_first = nearer;
		race->part_second = (1 - n * ((p + 1) / q) * loss) / (n + 1);
	}
	else
	{
		race->won = p / n * value;
		race->log_first = 1 / n - rest;
		race->log_second = 1 / n - upper;
		race->part_first = (1 - n * (q / (p + 1)) * loss) / (n + 1);
		race->part_second = nearer;
	}
}

/* ---------- the integral itself ---------- */

/*
 * The integral on the scale of v = ln((d + u) / d), d being the smaller of a and
 * b: of factor * exp(-near * v - far * ln(1 + ratio * (e^v - 1))).
 */
typedef struct Integral
{
	double		near;
	double		far;
	double		ratio;			/* smaller / larger */
	double		factor;
	double		wait_near;		/* exponents of P(both still wait) */
	double		wait_far;
	double		longest;		/* half of a panel */

	/* sums of the integrand times what the means are of */
	double		sum;
	double		log_near;
	double		log_far;
	double		part_near;
	double		part_far;
} Integral;

/* grown: e^v - 1 */
static void
add_point(Integral *integral, double v, double grown, double weight, bool means)
{
	double		far = log1p(integral->ratio * grown);

	weight *= exp(-integral->near * v - integral->far * far);
	integral->sum += weight;
	if (means)
	{
		integral->log_near += weight * v;
		integral->log_far += weight * far;
		integral->part_near += weight * (grown / (1 + grown));
		grown *= integral->ratio;
		integral->part_far += weight * (grown / (1 + grown));
	}
}

static void
add_panel(Integral *integral, double v, double half, bool means)
{
	double		middle = v + half;
	double		grown = expm1(middle);

	for (int i = 0; i < LEGENDRE_HALF; i++)
	{
		double		offset = half * legendre_rule[i][0];
		double		weight = integral->factor * half * legendre_rule[i][1];
		double		more = expm1(offset);

		/* e^(middle +- offset) - 1 */
		add_point(integral, middle - offset, (grown - more) / (1 + more), weight, means);
		add_point(integral, middle + offset, grown + more + grown * more, weight, means);
	}
}

/* A bound of how steep the logarithm of the integrand is up to v */
static double
steepest(const Integral *integral, double v)
{
	double		grown = integral->ratio * exp(v);

	return fabs(integral->near) + integral->far * (grown / (1 - integral->ratio + grown));
}

/*
 * Half of the longest good panel from v on; no longer than up to "end".  known: how
 * much more is known than is left, as a logarithm.
 */
static double
panel_half(const Integral *integral, double v, double end, double known)
{
	double		most = PANEL_SLOPE + fmin(fmax(known / 3, 0), PANEL_SLOPE);
	double		half = fmin(fmin(integral->longest, (end - v) / 2),
							most / steepest(integral, v));

	/* at its end it may be steeper */
	while (half * steepest(integral, v + 2 * half) > most * 1.01)
		half *= 0.8;
	return half;
}

/*
 * Adds the integral from 0 to "end"; false if it came only to where P(both still
 * wait) is negligible.
 */
static bool
integrate(Integral *integral, double end, bool means)
{
	double		v = 0;
	double		known = 0;

	while (v < end)
	{
		double		half = panel_half(integral, v, end, known);

		add_panel(integral, v, half, means);
		if (v + 2 * half <= v)
			break;
		v += 2 * half;
		known = log(integral->sum) + integral->wait_near * v +
			integral->wait_far * log1p(integral->ratio * expm1(v));
		if (known > LN_NEGLIGIBLE)
			return false;
	}
	return true;
}

/* Sums into what they are the means of */
static void
finish(const Integral *integral, bool first_nearer, bool means, Race *race)
{
	race->won = integral->sum;
	if (!means)
		return;
	if (integral->sum == 0)
	{
		race->log_first = race->log_second = race->part_first = race->part_second = 0;
		return;
	}
	race->log_first = (first_nearer ? integral->log_near : integral->log_far) / integral->sum;
	race->log_second = (first_nearer ? integral->log_far : integral->log_near) / integral->sum;
	race->part_first = (first_nearer ? integral->part_near : integral->part_far) / integral->sum;
	race->part_second = (first_nearer ? integral->part_far : integral->part_near) / integral->sum;
}

static void
begin(Integral *integral, double p, double a, double q, double b, double longest)
{
	*integral = (Integral)
	{
		.longest = longest
	};
	if (a < b)
	{
		integral->wait_near = p;
		integral->wait_far = q;
		integral->near = p;
		integral->far = q;
		integral->ratio = a / b;
		integral->factor = p;
	}
	else
	{
		integral->wait_near = q;
		integral->wait_far = p;
		integral->near = q - 1;
		integral->far = p + 1;
		integral->ratio = b / a;
		integral->factor = p * integral->ratio;
	}
}

void
race_within(double p, double a, double q, double b, double t, bool means, Race *race)
{
	Integral	integral;

	begin(&integral, p, a, q, b, PANEL_HALF);
	integrate(&integral, log1p(t / fmin(a, b)), means);
	finish(&integral, a < b, means, race);
}

void
race_ever(RaceFraction *fraction, double a, double b, Race *race)
{
	Integral	integral;
	double		p = fraction->p;
	double		q = fraction->q;
	bool		first_nearer = a < b;
	double		nearer = first_nearer ? a : b;
	double		farther = first_nearer ? b : a;
	double		u;
	Race		after;
	double		weight;

	if (farther <= RACE_RATIO * nearer)
	{
		race_near(fraction, a, b, race);
		return;
	}

	/* up to u, after which both are near enough */
	u = (farther - RACE_RATIO * nearer) / (RACE_RATIO - 1);
	begin(&integral, p, a, q, b, PANEL_HALF_FAR);
	if (integrate(&integral, log1p(u / nearer), fraction->means))
	{
		double		log_a = log1p(u / a);
		double		log_b = log1p(u / b);

		race_near(fraction, a + u, b + u, &after);
		weight = exp(-p * log_a - q * log_b) * after.won;
		integral.sum += weight;
		if (fraction->means)
		{
			double		mean_a = weight * (log_a + after.log_first);
			double		mean_b = weight * (log_b + after.log_second);
			double		part_a = weight * (u + a * after.part_first) / (a + u);
			double		part_b = weight * (u + b * after.part_second) / (b + u);

			integral.log_near += first_nearer ? mean_a : mean_b;
			integral.log_far += first_nearer ? mean_b : mean_a;
			integral.part_near += first_nearer ? part_a : part_b;
			integral.part_far += first_nearer ? part_b : part_a;
		}
	}
	finish(&integral, first_nearer, fraction->means, race);
}

/* ---------- Tricomi's U ---------- */

/* From here on the continued fraction is short. */
#define TRICOMI_Z		4.0

/* Between panels of the integral, on the logarithmic scale */
#define TRICOMI_HALF	1.25

/*
 * Stieltjes' continued fraction (A&S 5.1.22), all terms positive:
 * 1 / (z + s / (1 + 1 / (z + (s + 1) / (1 + 2 / (z + ...)))))
 */
static double
tricomi_fraction(double s, double z)
{
	/* its error falls like exp(-4 sqrt(levels * z)) */
	int			levels = 12 + (int) (90 / z);
	double		tail = z;

	for (int k = levels; k > 0; k--)
		tail = z + (s + k - 1) / (1 + k / tail);
	return 1 / tail;
}

double
tricomi_u(double s, double z)
{
	double		sum = 0;
	double		y = 0;			/* ln(1 + v) */
	double		end;

	if (z >= TRICOMI_Z)
		return tricomi_fraction(s, z);
	if (z <= 0)
		return s > 1 ? 1 / (s - 1) : HUGE_VAL;

	/* up to where z (1 + v) is large enough for the fraction */
	end = log(TRICOMI_Z / z);
	while (y < end)
	{
		double		half = fmin(fmin(TRICOMI_HALF, (end - y) / 2),
								PANEL_SLOPE / fabs(s - 1));

		for (int i = 0; i < LEGENDRE_HALF; i++)
		{
			double		below = y + half * (1 - legendre_rule[i][0]);
			double		above = y + half * (1 + legendre_rule[i][0]);

			sum += half * legendre_rule[i][1] *
				(exp((1 - s) * below - z * expm1(below)) + exp((1 - s) * above - z * expm1(above)));
		}
		if (y + 2 * half <= y)
			break;
		y += 2 * half;
		if (s > 1 && (s - 1) * y + log((s - 1) * sum) > LN_NEGLIGIBLE)
			return sum;
	}
	return sum + exp((1 - s) * end - (TRICOMI_Z - z)) * tricomi_fraction(s, TRICOMI_Z);
}
