/*
 * proportion_test.c
 *	  Limits and tests of proportions, net promoter scores and tables of counts.
 */
#include <math.h>

#include "math/contingency_table.h"
#include "math/net_promoter.h"
#include "math/proportion_limits.h"
#include "math/student_t.h"
#include "math/wilson.h"
#include "tap.h"
#include "values.h"

/*
 * Newcombe (1998), Statistics in Medicine 17:857-872, table I: 95 % limits of four
 * proportions, as printed.
 */
typedef Limits (*LimitsOf) (double hits, double n, double of);

static const struct
{
	const char *name;
	LimitsOf	limits;
	bool		by_confidence;	/* else by z */
	double		printed[4][2];
}			newcombe_table[] = {
	{"Wald", wald_limits, false, {{0.2522, 0.3638}, {0.0527, 0.1500}, {0, 0}, {0, 0.1009}}},
	{"Wilson", wilson_limits, false, {{0.2553, 0.3662}, {0.0624, 0.1605}, {0, 0.1611}, {0.0061, 0.1718}}},
	{"Wilson, continuity", wilson_cc_limits, false,
	{{0.2535, 0.3682}, {0.0598, 0.1644}, {0, 0.2005}, {0.0018, 0.1963}}},
	{"Clopper-Pearson", clopper_pearson_limits, true,
	{{0.2527, 0.3676}, {0.0578, 0.1617}, {0, 0.1684}, {0.0009, 0.1776}}},
};

static void
published_limits(void)
{
	static const double samples[4][2] = {{81, 263}, {15, 148}, {0, 20}, {1, 29}};
	double		z = normal_two_sided_z(0.95);

	for (size_t m = 0; m < LENGTH(newcombe_table); m++)
		for (int i = 0; i < 4; i++)
		{
			double		hits = samples[i][0];
			double		n = samples[i][1];
			Limits		got = newcombe_table[m].limits(hits, n, newcombe_table[m].by_confidence ? 0.95 : z);
			const double *printed = newcombe_table[m].printed[i];

			tap_ok(fabs(got.low - printed[0]) < 5.1e-5 && fabs(got.high - printed[1]) < 5.1e-5,
				   "%s, %g of %g: %.5f to %.5f as published", newcombe_table[m].name, hits, n, got.low, got.high);
		}
}

/* Newcombe (1998), Statistics in Medicine 17:873-890, table II, method 10 */
static void
published_differences(void)
{
	static const double rows[][6] = {
		{56, 70, 48, 80, 0.0524, 0.3339}, {9, 10, 3, 10, 0.1705, 0.8090}, {6, 7, 2, 7, 0.0582, 0.8062},
		{5, 56, 0, 29, -0.0381, 0.1926}, {0, 10, 0, 20, -0.1611, 0.2775}, {0, 10, 0, 10, -0.2775, 0.2775},
	{10, 10, 0, 20, 0.6791, 1.0000}, {10, 10, 0, 10, 0.6075, 1.0000}};
	double		z = normal_two_sided_z(0.95);

	for (size_t i = 0; i < LENGTH(rows); i++)
	{
		const double *row = rows[i];
		Limits		got = newcombe_limits(row[0], row[1], row[2], row[3], z);

		tap_ok(fabs(got.low - row[4]) < 5.1e-5 && fabs(got.high - row[5]) < 5.1e-5,
			   "%g of %g less %g of %g: %.5f to %.5f as published", row[0], row[1], row[2], row[3], got.low, got.high);
	}
}

static void
exact_limits(void)
{
	for (size_t i = 0; i < LENGTH(clopper_pearson_low_values); i++)
	{
		const double *arg = clopper_pearson_low_values[i].arg;
		Limits		exact = clopper_pearson_limits(arg[0], arg[1], arg[2]);
		Limits		jeffreys = jeffreys_limits(arg[0], arg[1], arg[2]);

		tap_near(exact.low, clopper_pearson_low_values[i].expected, 1e-12, "Clopper-Pearson low %d", (int) i);
		tap_near(exact.high, clopper_pearson_high_values[i].expected, 1e-12, "Clopper-Pearson high %d", (int) i);
		tap_near(jeffreys.low, jeffreys_low_values[i].expected, 1e-12, "Jeffreys low %d", (int) i);
		tap_near(jeffreys.high, jeffreys_high_values[i].expected, 1e-12, "Jeffreys high %d", (int) i);
	}
	for (size_t i = 0; i < LENGTH(beta_quantile_values); i++)
	{
		const double *arg = beta_quantile_values[i].arg;

		tap_near(beta_quantile(arg[0], arg[1] != 0, arg[2], arg[3]), beta_quantile_values[i].expected, 1e-12,
				 "quantile %g of beta(%g, %g)", arg[0], arg[2], arg[3]);
	}
	for (size_t i = 0; i < LENGTH(fisher_two_sided_values); i++)
	{
		const double *arg = fisher_two_sided_values[i].arg;

		tap_near(fisher_two_sided(arg[0], arg[1], arg[2], arg[3]), fisher_two_sided_values[i].expected, 1e-12,
				 "Fisher's test of %g of %g and %g of %g", arg[0], arg[1], arg[2], arg[3]);
	}
	tap_ok(isnan(fisher_two_sided(5e14, 1e15, 4e14, 1e15)), "Fisher's test of too many is NaN, at once");
}

/* What limits are by definition, at random counts. */
static void
identities(void)
{
	uint64_t	seed = 11;
	double		score = 0;
	double		complement = 0;
	double		chi = 0;
	double		wald = 0;
	double		coull = 0;
	int			outside = 0;

	for (int i = 0; i < 2000; i++)
	{
		double		n = 1 + random_below(&seed, 1 << random_below(&seed, 20));
		double		hits = random_below(&seed, (int) n + 1);
		double		n2 = 1 + random_below(&seed, 500);
		double		hits2 = random_below(&seed, (int) n2 + 1);
		double		z = normal_two_sided_z(0.5 + random_uniform(&seed) / 2);
		double		p = hits / n;
		Limits		w = wilson_limits(hits, n, z);
		Limits		mirrored = wilson_limits(n - hits, n, z);
		Limits		c = wilson_cc_limits(hits, n, z);
		Limits		d = newcombe_limits(hits, n, hits2, n2, z);
		Limits		s = newcombe_limits(hits2, n2, hits, n, z);
		Limits		a = agresti_coull_limits(hits, n, z);
		double		table[4] = {hits, n - hits, hits2, n2 - hits2};
		double		work[4];
		Contingency sums = {0};
		double		p_value = two_proportion_p(hits, n, hits2, n2);

		/* a score limit is the proportion whose z test of p is at z */
		if (hits > 0)
			score = fmax(score, fabs((p - w.low) - z * sqrt(w.low * (1 - w.low) / n)));
		if (hits < n)
			score = fmax(score, fabs((w.high - p) - z * sqrt(w.high * (1 - w.high) / n)));
		complement = fmax(complement, fabs(w.low + mirrored.high - 1));
		complement = fmax(complement, fabs(d.low + s.high));
		outside += w.low < 0 || w.low > p || w.high < p || w.high > 1 || d.low < -1 || d.high > 1 ||
			c.low > w.low || c.high < w.high || d.low > p - hits2 / n2 || d.high < p - hits2 / n2;
		contingency_add(&sums, 2, 2, table, work);
		if (sums.degrees == 1)
			chi = fmax(chi, tap_error(contingency_p(sums.pearson, 1), p_value) / fmax(1, sums.pearson));
		else
			chi = fmax(chi, fabs(p_value - 1));
		d = wald_difference(hits, n, hits2, n2, z);
		wald = fmax(wald, fabs(d.high - fmin(1, p - hits2 / n2 + z *
											 sqrt(p * (1 - p) / n + hits2 / n2 * (1 - hits2 / n2) / n2))));
		coull = fmax(coull, fabs((a.low > 0 && a.high < 1 ? (a.low + a.high) / 2 : (hits + z * z / 2) / (n + z * z)) -
								 (hits + z * z / 2) / (n + z * z)));
	}
	tap_ok(score < 1e-14, "Wilson's limits are where the score test is at z: %.1e", score);
	tap_ok(complement < 1e-15 * 4, "limits of misses mirror those of hits: %.1e", complement);
	tap_is(outside, 0, "limits contain the estimate and stay in range; continuity makes them wider");
	tap_ok(chi < 1e-11, "the z test of two proportions is Pearson's chi-square: %.1e", chi);
	tap_ok(wald < 1e-15 * 4, "Wald's limits of a difference: %.1e", wald);
	tap_ok(coull < 1e-15 * 4, "Agresti and Coull's centre is Wilson's: %.1e", coull);
	tap_ok(isnan(two_proportion_z(3, 3, 4, 4)) && two_proportion_p(3, 3, 4, 4) == 1, "all hits: no z, and p is 1");
}

/* 60 promoters, 25 passives and 15 detractors of 100: in whole numbers and by hand */
static void
net_promoter(void)
{
	PromoterCounts counts = {60, 25, 15};
	PromoterCounts none = {0, 0, 0};
	PromoterCounts one = {1, 0, 0};
	PromoterScore score = promoter_score(&counts);
	PromoterCounts adjusted = promoter_adjusted(&counts);
	PromoterScore empty = promoter_score(&none);
	PromoterScore single = promoter_score(&one);
	Limits		limits = promoter_limits(&score, 2);
	Limits		of_t = promoter_t_limits(&score, 0.95);

	tap_near(score.nps, 45, 0, "60, 25, 15: a score of 45");
	tap_near(score.se, sqrt(0.75 - 0.45 * 0.45) * 10, 1e-15, "its standard error");
	tap_near(score.se_sample, sqrt((0.75 - 0.45 * 0.45) / 99) * 100, 1e-15, "with n - 1");
	tap_near(limits.low, 45 - 2 * score.se, 1e-15, "45 less two standard errors");
	tap_near(of_t.high, 45 + student_two_sided_t(0.95, 99) * score.se_sample, 1e-15, "limits by Student's t");
	tap_ok(adjusted.promoters == 60.75 && adjusted.passives == 26.5 && adjusted.detractors == 15.75,
		   "three responses more (Rocks 2016)");
	tap_ok(empty.responses == 0 && isnan(empty.nps) && isnan(promoter_limits(&empty, 2).low), "nobody: not known");
	tap_ok(single.nps == 100 && isnan(single.se_sample) && isnan(promoter_t_limits(&single, 0.9).high),
		   "one response: a score without limits by t");
	tap_ok(promoter_limits(&single, 2).high == 100, "limits end at 100");
}

static void
contingency(void)
{
	/* Agresti (2002), Categorical Data Analysis, table 3.2: education and religious beliefs */
	static const double education[] = {178, 138, 108, 570, 648, 442, 138, 252, 252};
	static const double empty_row[] = {10, 20, 0, 0, 30, 5};
	double		work[8];
	double		row[3] = {0};
	double		column[3] = {0};
	double		pearson = 0;
	double		g = 0;
	double		p[] = {0.01, NAN, 0.04, 0.03, 0.005, 1};
	static const double holm[] = {0.04, NAN, 0.09, 0.09, 0.025, 1};
	double		adjusted[6];
	int			order[6];
	Contingency sums = {0};
	Contingency sparse = {0};

	contingency_add(&sums, 3, 3, education, work);
	for (int i = 0; i < 9; i++)
	{
		row[i / 3] += education[i];
		column[i % 3] += education[i];
	}
	for (int i = 0; i < 9; i++)
	{
		double		expected = row[i / 3] * column[i % 3] / 2726;

		pearson += (education[i] - expected) * (education[i] - expected) / expected;
		g += 2 * education[i] * log(education[i] / expected);
	}
	tap_near(sums.pearson, pearson, 1e-12, "Pearson's chi-square by its definition");
	tap_near(sums.g, g, 1e-12, "G by its definition");
	tap_ok(fabs(sums.pearson - 69.2) < 0.05 && fabs(sums.g - 69.8) < 0.05, "both as published");
	tap_is(sums.degrees, 4, "3 by 3: four degrees");
	contingency_add(&sparse, 3, 2, empty_row, work);
	tap_is(sparse.degrees, 1, "a row without customers has no degree");
	tap_ok(isnan(contingency_p(1, 0)), "no degrees, no p");
	contingency_holm(6, p, adjusted, order);
	for (int i = 0; i < 6; i++)
		tap_near(adjusted[i], holm[i], 1e-15, "Holm's p %d", i);
}

int
main(void)
{
	published_limits();
	published_differences();
	exact_limits();
	identities();
	net_promoter();
	contingency();
	return tap_done();
}
