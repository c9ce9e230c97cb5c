/*
 * special_test.c
 *	  Special functions and distributions of src/math, by the values of oracle.py and
 *	  by identities.
 */
#include <math.h>
#include <string.h>

#include "math/beta_expectation.h"
#include "math/beta_ratio.h"
#include "math/chi_square.h"
#include "math/hypergeometric.h"
#include "math/legendre.h"
#include "math/logit_trapezoid.h"
#include "math/negative_binomial.h"
#include "math/quadrature.h"
#include "math/special.h"
#include "math/student_t.h"
#include "math/wilson.h"
#include "tap.h"
#include "values.h"

/* One assertion a row of values: f of so many arguments, within the tolerance. */
typedef double (*OneOf) (const double *arg);

/* Absolute: where a function goes through 0, or differs from another by almost nothing. */
static double slack = 0;

static void
check_values(const char *name, OneOf f, const Value *values, size_t n, double tolerance)
{
	for (size_t i = 0; i < n; i++)
	{
		const double *arg = values[i].arg;
		double		allowed = slack == 0 ? tolerance : fmax(tolerance, slack / fabs(values[i].expected));

		tap_near(f(arg), values[i].expected, allowed, "%s(%.10g, %.10g, %.10g, %.10g, %.10g)",
				 name, arg[0], arg[1], arg[2], arg[3], arg[4]);
	}
}

#define WRAP(name, call)	static double of_##name(const double *arg) { return call; }
#define CHECK(name, tolerance) \
	check_values(#name, of_##name, name##_values, LENGTH(name##_values), tolerance)

WRAP(ln_gamma, ln_gamma(arg[0]))
WRAP(digamma, digamma(arg[0]))
WRAP(trigamma, trigamma(arg[0]))
WRAP(ln_gamma_ratio, ln_gamma_ratio(arg[0], arg[1]))
WRAP(digamma_difference, digamma_difference(arg[0], arg[1]))
WRAP(ln_beta, ln_beta(arg[0], arg[1]))
WRAP(ln_add, ln_add(arg[0], arg[1]))
WRAP(ln_1p_exp, ln_1p_exp(arg[0]))
WRAP(logistic, logistic(arg[0]))
WRAP(chi_square_upper, chi_square_upper(arg[0], arg[1]))
WRAP(normal_two_sided_p, normal_two_sided_p(arg[0]))
WRAP(normal_two_sided_z, normal_two_sided_z(arg[0]))
WRAP(student_two_sided_t, student_two_sided_t(arg[0], arg[1]))
WRAP(negative_binomial, negative_binomial(arg[0], arg[1], arg[2]))
WRAP(negative_binomial_tail,
	 negative_binomial_tail(arg[0], arg[1], arg[2], negative_binomial(arg[0], arg[1], arg[2])))
WRAP(ln_beta_ratio, ln_beta_ratio(arg[0], arg[1], arg[2]))
WRAP(ln_beta_ratio_slope, ln_beta_ratio_slope(arg[0], arg[1], arg[2]))
WRAP(beta_ratio_sum, beta_ratio_sum(arg[0], arg[1], arg[2]))
WRAP(beta_ratio_discounted, beta_ratio_discounted(arg[0], arg[1], arg[2]))
WRAP(tricomi_u, tricomi_u(arg[0], arg[1]))

static BetaPurchases
purchases_of(const double *arg)
{
	BetaPurchases of = {.a = arg[0], .b = arg[1], .shape = arg[2]};

	return of;
}

static double
of_beta_survival(const double *arg)
{
	BetaPurchases of = purchases_of(arg);

	return beta_survival(&of, arg[3]);
}

static double
of_beta_purchases(const double *arg)
{
	BetaPurchases of = purchases_of(arg);
	double		result;

	beta_purchases(&of, &arg[3], 1, &result);
	return result;
}

static double
of_beta_discounted(const double *arg)
{
	BetaPurchases of = purchases_of(arg);

	return beta_discounted(&of, arg[3]);
}

/* B(a, b) 2F1(shape, a; a + b; -w) is the integral of the curve. */
static double
of_trapezoid(const double *arg)
{
	Trapezoid	trapezoid;
	double		sum;

	trapezoid_set(&trapezoid, arg[0], arg[1], arg[2], arg[3]);
	sum = trapezoid_sum(&trapezoid, 1 + arg[3], 1, NULL, NULL, NULL);
	return exp(trapezoid_ln_top(&trapezoid) - ln_beta(arg[0], arg[1])) * sum * trapezoid.step;
}

static void
races(void)
{
	static const char *const names[] = {"won", "log_first", "log_second", "part_first", "part_second"};

	for (size_t i = 0; i < LENGTH(race_values); i++)
	{
		const double *arg = race_values[i].arg;
		const double *expected = race_values[i].expected;
		Race		race;
		double		got[5];

		if (arg[4] == HUGE_VAL)
		{
			RaceFraction fraction;

			race_prepare(&fraction, arg[0], arg[2], true);
			race_ever(&fraction, arg[1], arg[3], &race);
		}
		else
			race_within(arg[0], arg[1], arg[2], arg[3], arg[4], true, &race);
		memcpy(got, (double[]) {race.won, race.log_first, race.log_second, race.part_first, race.part_second},
			   sizeof(got));
		for (int k = 0; k < 5; k++)
			tap_near(got[k], expected[k], 2e-14, "%s of race %d", names[k], (int) i);
	}
}

/* One of the two ends first, whatever the numbers; and a race that has no end is not lost. */
static void
race_identities(void)
{
	uint64_t	seed = 7;

	for (int i = 0; i < 200; i++)
	{
		double		p = pow(10, random_uniform(&seed) * 12 - 6);
		double		q = pow(10, random_uniform(&seed) * 12 - 6);
		double		a = pow(10, random_uniform(&seed) * 8 - 4);
		double		b = pow(10, random_uniform(&seed) * 8 - 4);
		RaceFraction fraction;
		Race		first;
		Race		second;
		Race		within;

		race_prepare(&fraction, p, q, false);
		race_ever(&fraction, a, b, &first);
		race_prepare(&fraction, q, p, false);
		race_ever(&fraction, b, a, &second);
		race_within(p, a, q, b, a, false, &within);
		if (fabs(first.won + second.won - 1) > 1e-13 || within.won > first.won * (1 + 1e-13))
		{
			tap_ok(false, "a race is won by one of two: p %g, a %g, q %g, b %g: %.17g + %.17g, within %.17g",
				   p, a, q, b, first.won, second.won, within.won);
			return;
		}
	}
	tap_ok(true, "a race is won by one of two, at random numbers of all sizes");
}

/* Gauss and Jacobi's rule is exact for powers up to 31: E[P^m] = prod (a + i) / (a + b + i). */
static void
beta_moments(void)
{
	static const double shapes[][2] = {{1, 1}, {0.5, 0.5}, {2.5, 0.7}, {30, 4}, {0.05, 3}, {1e3, 1e3}, {1e-3, 1e-3}};
	static BetaNodesCache cache;

	for (size_t i = 0; i < LENGTH(shapes); i++)
	{
		double		a = shapes[i][0];
		double		b = shapes[i][1];
		double		moment = 1;
		double		worst = 0;
		BetaNodes	own;
		const BetaNodes *nodes = beta_nodes_cached(NULL, (unsigned) i, a, b, &own);
		const BetaNodes *cached;

		for (int m = 0; m < 32; m++)
		{
			double		sum = 0;

			for (int k = 0; k < BETA_NODES; k++)
				sum += nodes->weight[k] * pow(nodes->node[k], m);
			worst = fmax(worst, tap_error(sum, moment));
			moment *= (a + m) / (a + b + m);
		}
		tap_ok(worst < 1e-12, "32 moments of beta(%g, %g): an error of %.1e", a, b, worst);
		beta_nodes_cached(&cache, (unsigned) i, a, b, &own);
		cached = beta_nodes_cached(&cache, (unsigned) i, a, b, &own);
		tap_ok(memcmp(cached, nodes, sizeof(BetaNodes)) == 0, "the nodes of beta(%g, %g) are remembered", a, b);
	}
}

static void
legendre(void)
{
	double		worst = 0;

	for (int m = 0; m < 32; m += 2)
	{
		double		sum = 0;

		for (int k = 0; k < LEGENDRE_HALF; k++)
			sum += 2 * legendre_rule[k][1] * pow(legendre_rule[k][0], m);
		worst = fmax(worst, fabs(sum * (m + 1) / 2 - 1));
	}
	tap_ok(worst < 1e-14, "Legendre's rule is exact for powers up to 31: an error of %.1e", worst);
}

/* What recurrences say: each function by itself, at points that no table has. */
static void
identities(void)
{
	uint64_t	seed = 3;
	double		gamma = 0;
	double		psi = 0;
	double		psi1 = 0;
	double		tail = 0;
	double		ratio = 0;
	double		t = 0;

	for (int i = 0; i < 500; i++)
	{
		double		z = pow(10, random_uniform(&seed) * 6 - 3);
		double		w = pow(10, random_uniform(&seed) * 4 - 2);
		double		k = random_below(&seed, 60);
		double		confidence = random_uniform(&seed);
		double		many = negative_binomial(k, z, w);

		gamma = fmax(gamma, fabs(ln_gamma_ratio(z, 1) - log(z)));
		psi = fmax(psi, tap_error(digamma_difference(z, 1), 1 / z));
		psi1 = fmax(psi1, fabs((trigamma(z) - trigamma(z + 1)) * z * z - 1) / fmax(1, z));
		tail = fmax(tail, fabs(negative_binomial_tail(k, z, w, many) - many -
							   negative_binomial_tail(k + 1, z, w, negative_binomial(k + 1, z, w))));
		ratio = fmax(ratio, tap_error(expm1(ln_beta_ratio(z, w, 1)), -z / (z + w)));
		/* Cauchy's distribution is Student's of one degree; with two it is simple, too */
		t = fmax(t, tap_error(student_two_sided_t(confidence, 1), tan(M_PI_2 * confidence)));
		t = fmax(t, tap_error(student_two_sided_t(confidence, 2),
							  confidence * sqrt(2 / ((1 - confidence) * (1 + confidence)))));
	}
	tap_ok(gamma < 1e-15 * 10, "ln Gamma(z + 1) - ln Gamma(z) = ln z: %.1e", gamma);
	tap_ok(psi < 1e-15 * 5, "psi(z + 1) - psi(z) = 1 / z: %.1e", psi);
	tap_ok(psi1 < 1e-14, "psi'(z) - psi'(z + 1) = 1 / z^2: %.1e", psi1);
	tap_ok(tail < 1e-13, "P(N >= k) - P(N = k) = P(N >= k + 1): %.1e", tail);
	tap_ok(ratio < 1e-14, "B(a, b + 1) / B(a, b) = b / (a + b): %.1e", ratio);
	tap_ok(t < 1e-12, "Student's t of one and two degrees in closed form: %.1e", t);
	tap_near(beta_ratio_discounted(0.5, 2, 0), HUGE_VAL, 0, "a sum that has no end is infinite");
	tap_near(beta_ratio_discounted(3, 2, 0), 2 / (3 - 1.0), 1e-13, "sum of B(a, b + j) / B(a, b) = b / (a - 1)");
	tap_near(tricomi_u(0.5, 0), HUGE_VAL, 0, "e^z E_s(z) at z = 0, s < 1");
	tap_near(of_beta_discounted((double[]) {0.5, 2, 1, 0}), HUGE_VAL, 0, "all purchases ever, a < 1");
	tap_near(of_beta_discounted((double[]) {3, 4, 2, 0}), 6.0 / 2, 1e-12, "all purchases ever: (a + b - 1) / (a - 1)");
}

int
main(void)
{
	CHECK(ln_gamma, 2e-15);
	slack = 1e-15;
	CHECK(digamma, 4e-15);
	CHECK(ln_gamma_ratio, 4e-15);
	slack = 2e-15;
	CHECK(negative_binomial_tail, 1e-11);
	slack = 1e-19;
	CHECK(digamma_difference, 4e-15);
	slack = 0;
	CHECK(trigamma, 4e-15);
	CHECK(ln_beta, 4e-15);
	CHECK(ln_add, 2e-15);
	CHECK(ln_1p_exp, 2e-15);
	CHECK(logistic, 2e-15);
	CHECK(chi_square_upper, 1e-12);
	CHECK(normal_two_sided_p, 2e-13);
	CHECK(normal_two_sided_z, 2e-15);
	CHECK(student_two_sided_t, 1e-12);
	CHECK(negative_binomial, 1e-11);
	CHECK(ln_beta_ratio, 4e-15);
	CHECK(ln_beta_ratio_slope, 1e-14);
	CHECK(beta_ratio_sum, 1e-12);
	CHECK(beta_ratio_discounted, 1e-12);
	CHECK(beta_survival, 1e-12);
	check_values("trapezoid", of_trapezoid, beta_survival_values, LENGTH(beta_survival_values), 4e-13);
	CHECK(beta_purchases, 1e-12);
	CHECK(beta_discounted, 1e-12);
	races();
	race_identities();
	CHECK(tricomi_u, 1e-14);
	beta_moments();
	legendre();
	identities();
	return tap_done();
}
