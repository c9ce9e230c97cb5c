/*
 * survival_test.c
 *	  Kaplan-Meier curves, the log-rank test and cumulative incidence: the published
 *	  trial of 6-MP, and brute force from the definitions over random customers.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/small_matrix.h"
#include "math/wilson.h"
#include "models/survival/incidence.h"
#include "models/survival/km_summary.h"
#include "models/survival/logrank.h"
#include "tap.h"

#define N_MAX 200

/* Everything that is asked of a customer, in any of the tests. */
typedef struct Customer
{
	int			time;
	int			entry;
	int			cause;			/* 0: censored */
	int			stratum;
	int			group;
	int			count;
	double		weight;
} Customer;

/*
 * Freireich et al. (1963), Blood 21:699-716: weeks in remission under 6-MP (negative:
 * censored) and under placebo.
 */
static const int mp[] = {6, 6, 6, -6, 7, -9, 10, -10, -11, 13, 16, -17, -19, -20, 22, 23, -25, -32, -32, -34, -35};
static const int placebo[] = {1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23};

static int
compare_ints(const void *a, const void *b)
{
	return *(const int *) a - *(const int *) b;
}

/* The distinct times, and at each the sums that a curve is made from. */
static int
points_of(const Customer *customers, int n, KmPoint *points)
{
	int			times[N_MAX];
	int			npoints = 0;

	for (int i = 0; i < n; i++)
		times[i] = customers[i].time;
	qsort(times, n, sizeof(int), compare_ints);
	for (int i = 0; i < n; i++)
	{
		KmPoint		point = {.time = times[i]};

		if (i > 0 && times[i] == times[i - 1])
			continue;
		for (int k = 0; k < n; k++)
		{
			double		weight = customers[k].weight * customers[k].count;

			if (customers[k].entry < times[i] && customers[k].time >= times[i])
				point.at_risk += weight;
			if (customers[k].time == times[i])
				*(customers[k].cause > 0 ? &point.events : &point.censored) += weight;
		}
		points[npoints++] = point;
	}
	return npoints;
}

static void
remission(void)
{
	/* Kalbfleisch and Prentice (2002), Klein and Moeschberger (2003), table 4.1B */
	static const double published[][3] = {
		{6, 0.857, 0.0764}, {7, 0.807, 0.0869}, {10, 0.753, 0.0963}, {13, 0.690, 0.1068}, {16, 0.627, 0.1141},
	{22, 0.538, 0.1282}, {23, 0.448, 0.1346}};
	Customer	customers[21];
	KmPoint		points[21];
	LogrankRow	rows[42];
	int			n;
	KmQuantile	median;
	KmMean		mean;
	double		area = 0;
	double		work[2];
	int			active[4];
	double		shares[2];
	int			degrees;

	for (int i = 0; i < 21; i++)
		customers[i] = (Customer) {abs(mp[i]), -1, mp[i] > 0, 0, 0, 1, 1};
	n = points_of(customers, 21, points);
	km_estimate(points, n);
	for (size_t i = 0; i < LENGTH(published); i++)
	{
		const KmPoint *point = km_point(points, n, published[i][0]);

		tap_ok(fabs(point->survival - published[i][1]) < 6e-4 && fabs(point->se - published[i][2]) < 6e-5,
			   "6-MP, week %g: %.4f, standard error %.4f", point->time, point->survival, point->se);
	}
	tap_ok(km_point(points, n, 5.9) == NULL && km_survival(points, n, 5.9) == 1, "6-MP: nobody yet");
	tap_ok(km_survival(points, n, 1e9) == points[n - 1].survival, "6-MP: the last value for ever");
	median = km_quantile(points, n, 0.5, KM_LOG, normal_two_sided_z(0.95), false, poll_nothing);
	tap_ok(median.time == 23 && median.low == 16 && isnan(median.high), "6-MP: median 23, from 16 (R's survfit)");
	mean = km_restricted_mean(points, n, 35, poll_nothing);
	for (int i = 0; i < 3500; i++)
		area += km_survival(points, n, i / 100.0) / 100;
	tap_near(mean.mean, area, 1e-12, "6-MP: the area until 35 weeks");
	/* survfit of R prints rmean 23.29 of a standard error 2.83 */
	tap_ok(fabs(mean.mean - 23.29) < 0.005 && fabs(mean.se - 2.83) < 0.005, "6-MP: %.3f of %.3f", mean.mean, mean.se);

	/* survdiff of R: 9 of 19.25 and 21 of 10.75; 16.8, with rho = 1 14.5 */
	for (int i = 0; i < 21; i++)
	{
		rows[i] = (LogrankRow) {abs(mp[i]), 0, 1, 0, 0, mp[i] > 0};
		rows[21 + i] = (LogrankRow) {placebo[i], 0, 1, 0, 1, true};
	}
	for (int i = 1; i < 42; i++)
		for (int j = i; j > 0 && rows[j - 1].time > rows[j].time; j--)
		{
			LogrankRow	swap = rows[j];

			rows[j] = rows[j - 1];
			rows[j - 1] = swap;
		}
	for (int rho = 0; rho < 2; rho++)
	{
		LogrankGroup groups[2] = {{.observed = 0}, {.observed = 0}};
		double		together[4] = {0};
		Logrank		test = {rho, 2, groups, together, active, shares, poll_nothing};
		double		chi;

		logrank_add(&test, rows, 42, NULL);
		chi = logrank_chi_square(&test, work, &degrees);
		tap_ok(degrees == 1 && fabs(chi - (rho ? 14.46 : 16.79)) < 0.005, "6-MP and placebo, rho %d: %.3f", rho, chi);
		if (rho == 0)
			tap_ok(groups[0].observed == 9 && fabs(groups[0].expected - 19.25) < 0.005 &&
				   fabs(groups[1].expected - 10.75) < 0.005, "6-MP: 9 of %.3f expected", groups[0].expected);
	}
}

static Customer
random_customer(uint64_t *seed, bool weighted, bool late)
{
	Customer	c;

	c.entry = late && random_below(seed, 3) > 0 ? random_below(seed, 12) : -1;
	c.time = c.entry + 1 + random_below(seed, 14);
	c.cause = random_below(seed, 4);
	c.stratum = random_below(seed, 3);
	c.group = random_below(seed, 4);
	c.count = 1 + random_below(seed, 3);
	c.weight = weighted ? 0.5 + random_below(seed, 8) / 4.0 : 1;
	return c;
}

static void
random_curves(void)
{
	uint64_t	seed = 59;
	double		survival = 0;
	double		se = 0;
	double		hazard = 0;
	double		pieces = 0;
	double		share = 0;
	double		area = 0;
	double		limits = 0;

	for (int round = 0; round < 300; round++)
	{
		int			n = 1 + random_below(&seed, 60);
		Customer	customers[N_MAX];
		KmPoint		points[N_MAX];
		KmPoint		parts[N_MAX];
		KmRun		run = KM_RUN_START;
		int			npoints;
		bool		late = round % 2;
		double		s = 1;
		double		greenwood = 0;
		double		sum = 0;
		double		squares = 0;
		double		tau = random_below(&seed, 30) + 0.5;
		double		expected_area = 0;

		for (int i = 0; i < n; i++)
			customers[i] = random_customer(&seed, true, late);
		npoints = points_of(customers, n, points);
		memcpy(parts, points, sizeof(points));
		km_estimate(points, npoints);
		for (int i = 0; i < npoints; i += 3)
			km_continue(&run, parts + i, npoints - i < 3 ? npoints - i : 3);
		for (int i = 0; i < npoints; i++)
		{
			double		d = points[i].events;
			double		r = points[i].at_risk;
			double		until = i + 1 < npoints ? points[i + 1].time : HUGE_VAL;

			if (i == 0)
				expected_area = fmin(points[0].time, tau);
			s *= (r - d) / r;
			greenwood += d > 0 ? d / (r * (r - d)) : 0;
			sum += d / r;
			squares += d / (r * r);
			survival = fmax(survival, fabs(points[i].survival - s));
			if (s > 1e-12)
			{
				double		e = 1.96 * points[i].se;
				KmLimits	plain = km_limits(&points[i], KM_PLAIN, 1.96);
				KmLimits	log_log = km_limits(&points[i], KM_LOG_LOG, 1.96);

				se = fmax(se, fabs(points[i].se - s * sqrt(greenwood)));
				limits = fmax(limits, fabs(plain.low - fmax(s - e, 0)) + fabs(plain.high - fmin(s + e, 1)));
				/* on the scale of ln(-ln S) the limits lie e / (S ln S) to both sides */
				if (s < 1 - 1e-12 && e > 0 && log_log.low > 0)
					limits = fmax(limits, 1e-3 * fabs(log(-log(log_log.low)) + log(-log(log_log.high)) -
													  2 * log(-log(s))));
			}
			hazard = fmax(hazard, fabs(points[i].hazard - sum) + fabs(points[i].hazard_se - sqrt(squares)));
			pieces = fmax(pieces, fabs(points[i].survival - parts[i].survival));
			pieces = fmax(pieces, fabs(points[i].hazard - parts[i].hazard));
			if (points[i].time < tau)
				expected_area += s * (fmin(until, tau) - points[i].time);
		}
		area = fmax(area, fabs(km_restricted_mean(points, npoints, tau, poll_nothing).mean - expected_area));
		if (!late)
		{
			/* nobody censored: the share that is left, to the last digit */
			double		left = 0;
			double		all = 0;

			for (int i = 0; i < n; i++)
			{
				customers[i].cause = 1;
				customers[i].weight = 1;
				all += customers[i].count;
			}
			npoints = points_of(customers, n, points);
			km_estimate(points, npoints);
			for (int i = 0; i < npoints; i++)
			{
				left = 0;
				for (int k = 0; k < n; k++)
					left += customers[k].time > points[i].time ? customers[k].count : 0;
				share = fmax(share, fabs(points[i].survival - left / all));
			}
		}
	}
	tap_ok(survival < 1e-14, "300 curves by the product: %.1e", survival);
	tap_ok(se < 1e-13, "Greenwood's standard errors: %.1e", se);
	tap_ok(hazard < 1e-13, "Nelson and Aalen's hazards: %.1e", hazard);
	tap_ok(pieces < 1e-15 * 4, "the same in pieces: %.1e", pieces);
	tap_ok(area < 1e-12, "restricted means by their areas: %.1e", area);
	tap_ok(limits < 1e-12, "limits: %.1e", limits);
	tap_ok(share == 0, "without censoring the share itself: %.1e", share);
}

static int
by_stratum_time(const void *a, const void *b)
{
	const LogrankRow *x = a;
	const LogrankRow *y = b;

	return x->stratum != y->stratum ? x->stratum - y->stratum : (x->time > y->time) - (x->time < y->time);
}

static const LogrankRow *sorting;

static int
by_stratum_entry(const void *a, const void *b)
{
	const LogrankRow *x = &sorting[*(const size_t *) a];
	const LogrankRow *y = &sorting[*(const size_t *) b];

	return x->stratum != y->stratum ? x->stratum - y->stratum : (x->entry > y->entry) - (x->entry < y->entry);
}

/* Time by time, group by group, straight from the definition. */
static void
brute_logrank(const LogrankRow *rows, int n, int k, double rho, bool late, double *difference, double *expected,
			  double *v)
{
	memset(difference, 0, sizeof(double) * k);
	memset(expected, 0, sizeof(double) * k);
	memset(v, 0, sizeof(double) * k * k);
	for (int stratum = 0; stratum < 3; stratum++)
	{
		double		s = 1;

		for (int time = 0; time < 40; time++)
		{
			double		at_risk[4] = {0};
			double		events[4] = {0};
			double		all = 0;
			double		d = 0;
			double		w;

			for (int i = 0; i < n; i++)
				if (rows[i].stratum == stratum && rows[i].time >= time && (!late || rows[i].entry < time))
				{
					at_risk[rows[i].group] += rows[i].count;
					all += rows[i].count;
					if (rows[i].time == time && rows[i].event)
					{
						events[rows[i].group] += rows[i].count;
						d += rows[i].count;
					}
				}
			if (d == 0)
				continue;
			w = pow(s, rho);
			for (int a = 0; a < k; a++)
			{
				difference[a] += w * (events[a] - d * at_risk[a] / all);
				expected[a] += w * d * at_risk[a] / all;
				for (int b = 0; b < k && all > 1; b++)
					v[a * k + b] += w * w * d * (all - d) / (all - 1) * at_risk[a] / all *
						((a == b) - at_risk[b] / all);
			}
			s *= (all - d) / all;
		}
	}
}

static void
random_logrank(void)
{
	uint64_t	seed = 61;
	double		worst = 0;
	double		variances = 0;
	double		chi_error = 0;
	int			tested = 0;

	for (int round = 0; round < 300; round++)
	{
		int			n = 2 + random_below(&seed, 80);
		int			k = 2 + random_below(&seed, 3);
		bool		late = round % 2;
		double		rho = round % 3 / 2.0;
		LogrankRow	rows[N_MAX];
		size_t		by_entry[N_MAX];
		LogrankGroup groups[4] = {{.observed = 0}};
		double		together[16] = {0};
		int			active[8];
		double		shares[4];
		double		work[4];
		Logrank		test = {rho, k, groups, together, active, shares, poll_nothing};
		double		difference[4];
		double		expected[4];
		double		v[16];
		double		lower[16];
		double		part[16];
		double		solution[4];
		int			degrees;
		double		chi;

		for (int i = 0; i < n; i++)
		{
			Customer	c = random_customer(&seed, false, late);

			rows[i] = (LogrankRow) {c.time, c.entry, c.count, c.stratum, c.group % k, c.cause > 0};
		}
		qsort(rows, n, sizeof(LogrankRow), by_stratum_time);
		for (int i = 0; i < n; i++)
			by_entry[i] = i;
		sorting = rows;
		qsort(by_entry, n, sizeof(size_t), by_stratum_entry);
		logrank_add(&test, rows, n, late ? by_entry : NULL);
		brute_logrank(rows, n, k, rho, late, difference, expected, v);
		for (int a = 0; a < k; a++)
		{
			worst = fmax(worst, fabs(groups[a].observed - groups[a].expected - difference[a]));
			worst = fmax(worst, fabs(groups[a].expected - expected[a]));
			variances = fmax(variances, fabs(groups[a].variance - v[a * k + a]));
		}
		chi = logrank_chi_square(&test, work, &degrees);
		/* all groups but the last, where no more than one is not known from the others */
		for (int a = 0; a < k - 1; a++)
			for (int b = 0; b < k - 1; b++)
				part[a * (k - 1) + b] = v[a * k + b];
		if (degrees == k - 1 && cholesky(k - 1, part, lower))
		{
			small_cholesky_solve(k - 1, lower, difference, solution);
			chi_error = fmax(chi_error, fabs(dot_product(k - 1, difference, solution) - chi) / fmax(chi, 1));
			tested++;
		}
	}
	tap_ok(worst < 1e-12, "300 log-rank tests, strata, late entry and weights: %.1e", worst);
	tap_ok(variances < 1e-12, "their variances: %.1e", variances);
	tap_ok(chi_error < 1e-10 && tested > 200, "chi-square of %d of them: %.1e", tested, chi_error);
}

/* Aalen and Johansen's estimate from its definition; weights may be anything. */
static void
brute_incidence(const Customer *customers, int n, int cause, const KmPoint *points, int npoints, bool late, double *f)
{
	double		s = 1;
	double		sum = 0;

	for (int i = 0; i < npoints; i++)
	{
		double		at_risk = 0;
		double		of_cause = 0;
		double		all = 0;

		for (int k = 0; k < n; k++)
		{
			double		weight = customers[k].weight * customers[k].count;

			if (customers[k].time >= points[i].time && (!late || customers[k].entry < points[i].time))
				at_risk += weight;
			if (customers[k].time == points[i].time && customers[k].cause > 0)
			{
				all += weight;
				of_cause += customers[k].cause == cause ? weight : 0;
			}
		}
		sum += s * of_cause / at_risk;
		s *= 1 - all / at_risk;
		f[i] = sum;
	}
}

static int
by_time(const void *a, const void *b)
{
	return ((const Customer *) a)->time - ((const Customer *) b)->time;
}

static void
random_incidence(void)
{
	uint64_t	seed = 67;
	double		worst = 0;
	double		total = 0;
	double		se_error = 0;

	for (int round = 0; round < 120; round++)
	{
		int			n = 1 + random_below(&seed, 40);
		bool		late = round % 2;
		Customer	customers[N_MAX];
		IncidenceRow rows[N_MAX];
		size_t		by_entry[N_MAX];
		size_t		missed[N_MAX];
		IncidencePoint points[N_MAX];
		IncidenceEstimate estimates[N_MAX];
		KmPoint		km[N_MAX];
		int			npoints;
		double		sum[N_MAX] = {0};
		Incidence	data = {rows, n, late ? by_entry : NULL, points, 0, missed, poll_nothing};

		for (int i = 0; i < n; i++)
			customers[i] = random_customer(&seed, true, late);
		qsort(customers, n, sizeof(Customer), by_time);
		for (int i = 0; i < n; i++)
		{
			rows[i] = (IncidenceRow) {customers[i].time, customers[i].entry, customers[i].count, customers[i].weight,
									  customers[i].cause};
			by_entry[i] = i;
		}
		for (int i = 1; i < n; i++)
			for (int j = i; j > 0 && rows[by_entry[j - 1]].entry > rows[by_entry[j]].entry; j--)
			{
				size_t		swap = by_entry[j];

				by_entry[j] = by_entry[j - 1];
				by_entry[j - 1] = swap;
			}
		npoints = points_of(customers, n, km);
		km_estimate(km, npoints);
		incidence_points(&data);
		if ((int) data.npoints != npoints)
			tap_ok(false, "round %d: %d points", round, (int) data.npoints);
		for (int cause = 1; cause < 4; cause++)
		{
			double		f[N_MAX];
			double		squares[N_MAX] = {0};

			incidence_estimate(&data, cause, estimates);
			brute_incidence(customers, n, cause, km, npoints, late, f);
			/* what the estimate changes by with the weight of each customer: by differences */
			for (int k = 0; k < n; k++)
			{
				double		up[N_MAX];
				double		down[N_MAX];
				double		weight = customers[k].weight;
				double		h = 1e-4 * weight / customers[k].count;

				/* all of count alike: one's weight is moved */
				customers[k].weight = weight + h;
				brute_incidence(customers, n, cause, km, npoints, late, up);
				customers[k].weight = weight - h;
				brute_incidence(customers, n, cause, km, npoints, late, down);
				customers[k].weight = weight;
				for (int i = 0; i < npoints; i++)
				{
					double		slope = (up[i] - down[i]) / (2 * h) / customers[k].count * weight;

					squares[i] += customers[k].count * slope * slope;
				}
			}
			for (int i = 0; i < npoints; i++)
			{
				double		got = estimates[i].incidence.high + estimates[i].incidence.low;

				worst = fmax(worst, fabs(got - f[i]));
				sum[i] += got;
				se_error = fmax(se_error, fabs(estimates[i].se - sqrt(squares[i])));
			}
		}
		for (int i = 0; i < npoints; i++)
			total = fmax(total, fabs(sum[i] + km[i].survival - 1));
	}
	tap_ok(worst < 1e-14, "120 incidences of three causes from the definition: %.1e", worst);
	tap_ok(total < 1e-14, "all causes and survival add up to 1: %.1e", total);
	tap_ok(se_error < 1e-7, "standard errors by the jackknife, numerically: %.1e", se_error);
}

int
main(void)
{
	remission();
	random_curves();
	random_logrank();
	random_incidence();
	return tap_done();
}
