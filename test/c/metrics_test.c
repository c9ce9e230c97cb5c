/*
 * metrics_test.c
 *	  Rankings, two of them compared, and calibration: pair by pair and row by row.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/radix_sort.h"
#include "math/wilson.h"
#include "models/metrics/calibration.h"
#include "models/metrics/delong.h"
#include "models/metrics/roc.h"
#include "tap.h"

#define N_MAX 500

typedef struct Scored
{
	int			n;
	double		score[N_MAX];
	double		other[N_MAX];
	bool		positive[N_MAX];
	/* and as the functions read it */
	uint64_t	positives[N_MAX];
	uint64_t	negatives[N_MAX];
	RankKeys	keys;
	RankSource	source;
} Scored;

static void
open_source(Scored *s)
{
	uint64_t	scratch[N_MAX];

	s->keys = (RankKeys) {.positives = s->positives, .negatives = s->negatives, .poll = poll_nothing};
	for (int i = 0; i < s->n; i++)
		if (s->positive[i])
			s->positives[s->keys.npositives++] = rank_key(s->score[i]);
		else
			s->negatives[s->keys.nnegatives++] = rank_key(s->score[i]);
	radix_sort_words(s->positives, scratch, s->keys.npositives, poll_nothing);
	radix_sort_words(s->negatives, scratch, s->keys.nnegatives, poll_nothing);
	s->source = rank_keys_source(&s->keys);
}

/* Scores with many ties, and outcomes that depend on them. */
static void
random_scores(uint64_t *seed, Scored *s, int n, int levels)
{
	s->n = n;
	for (int i = 0; i < n; i++)
	{
		s->score[i] = (random_below(seed, levels) + 0.5) / levels;
		s->other[i] = (random_below(seed, levels) + 0.5) / levels;
		s->positive[i] = random_uniform(seed) < 0.1 + 0.6 * s->score[i];
	}
	open_source(s);
}

static double
pair(double a, double b)
{
	return a > b ? 1 : a == b ? 0.5 : 0;
}

/*
 * DeLong's placements: of each row, how much of the other class it beats.  Returns
 * the area, and adds the covariance of two scores' areas.
 */
static double
delong(const Scored *s, const double *a, const double *b, double *covariance)
{
	double		m = 0;
	double		n = 0;
	double		area_a = 0;
	double		area_b = 0;
	double		sum_of[2] = {0};

	for (int i = 0; i < s->n; i++)
		*(s->positive[i] ? &m : &n) += 1;
	for (int i = 0; i < s->n; i++)
		for (int j = 0; j < s->n; j++)
			if (s->positive[i] && !s->positive[j])
			{
				area_a += pair(a[i], a[j]) / (m * n);
				area_b += pair(b[i], b[j]) / (m * n);
			}
	for (int i = 0; i < s->n; i++)
	{
		double		of_a = 0;
		double		of_b = 0;
		double		size = s->positive[i] ? n : m;

		for (int j = 0; j < s->n; j++)
			if (s->positive[j] != s->positive[i])
			{
				of_a += (s->positive[i] ? pair(a[i], a[j]) : pair(a[j], a[i])) / size;
				of_b += (s->positive[i] ? pair(b[i], b[j]) : pair(b[j], b[i])) / size;
			}
		sum_of[s->positive[i]] += (of_a - area_a) * (of_b - area_b);
	}
	*covariance = sum_of[1] / (m - 1) / m + sum_of[0] / (n - 1) / n;
	return area_a;
}

static void
rankings(void)
{
	static Scored s;
	uint64_t	seed = 71;
	double		auc = 0;
	double		se = 0;
	double		ks = 0;
	double		precision = 0;
	double		threshold = 0;
	double		compared = 0;

	for (int round = 0; round < 150; round++)
	{
		double		v[3];
		double		area;
		double		best_ks = 0;
		double		average = 0;
		double		cost_fp = 1 + random_below(&seed, 3);
		double		cost_fn = 1 + random_below(&seed, 5);
		double		best_cost;
		double		got;
		double		got_cost = 0;
		int64_t		capacity;
		int			called = 0;
		int			next = N_MAX;

		random_scores(&seed, &s, 4 + random_below(&seed, 150), 1 + random_below(&seed, 40));
		if (s.keys.npositives < 2 || s.keys.nnegatives < 2)
			continue;
		area = delong(&s, s.score, s.score, &v[0]);
		auc = fmax(auc, fabs(rank_auc(&s.source) - area));
		se = fmax(se, fabs(rank_auc_se(&s.source) - sqrt(v[0])));
		best_cost = cost_fn * s.source.positives;
		capacity = random_below(&seed, s.n + 1);
		got = rank_threshold_by_cost(&s.source, cost_fp, cost_fn);
		for (int i = 0; i < s.n; i++)
		{
			double		tp = 0;
			double		fp = 0;

			for (int j = 0; j < s.n; j++)
				if (s.score[j] >= s.score[i])
					*(s.positive[j] ? &tp : &fp) += 1;
			best_ks = fmax(best_ks, fabs(tp / s.source.positives - fp / s.source.negatives));
			best_cost = fmin(best_cost, cost_fp * fp + cost_fn * (s.source.positives - tp));
			if (s.score[i] == got)
				got_cost = cost_fp * fp + cost_fn * (s.source.positives - tp);
			/* each positive's share of its step */
			if (s.positive[i])
				average += tp / (tp + fp) / s.source.positives;
		}
		if (got == HUGE_VAL)
			got_cost = cost_fn * s.source.positives;
		ks = fmax(ks, fabs(rank_ks(&s.source) - best_ks));
		precision = fmax(precision, fabs(rank_average_precision(&s.source) - average));
		threshold += fabs(got_cost - best_cost);
		got = rank_threshold_by_capacity(&s.source, capacity);
		for (int i = 0; i < s.n; i++)
		{
			int			with = 0;

			called += s.score[i] >= got;
			/* whom would the next lower score call? */
			for (int j = 0; j < s.n && s.score[i] < got; j++)
				with += s.score[j] >= s.score[i];
			if (s.score[i] < got && with < next)
				next = with;
		}
		threshold += called > capacity || next <= capacity;
		{
			uint64_t	pairs[2][2 * N_MAX];
			uint64_t	second[2][N_MAX];
			uint64_t	scratch[2 * N_MAX];
			size_t		counts[2] = {0, 0};
			RankComparison got_pair;
			double		other = delong(&s, s.other, s.other, &v[1]);
			double		expected_se;

			delong(&s, s.score, s.other, &v[2]);
			for (int i = 0; i < s.n; i++)
			{
				size_t		k = counts[s.positive[i]]++;

				pairs[s.positive[i]][2 * k] = rank_key(s.score[i]);
				pairs[s.positive[i]][2 * k + 1] = second[s.positive[i]][k] = rank_key(s.other[i]);
			}
			for (int c = 0; c < 2; c++)
			{
				radix_sort_pairs(pairs[c], scratch, counts[c], poll_nothing);
				radix_sort_words(second[c], scratch, counts[c], poll_nothing);
			}
			got_pair = rank_compare(&(RankPairsClass) {pairs[1], second[1], counts[1]},
									&(RankPairsClass) {pairs[0], second[0], counts[0]}, poll_nothing);
			expected_se = sqrt(fmax(v[0] + v[1] - 2 * v[2], 0));
			compared = fmax(compared, fabs(got_pair.auc_a - area) + fabs(got_pair.auc_b - other));
			compared = fmax(compared, fabs(got_pair.standard_error - expected_se));
			if (expected_se > 1e-9)
				compared = fmax(compared, fabs(got_pair.p_value - normal_two_sided_p((area - other) / expected_se)));
			got_pair = rank_compare(&(RankPairsClass) {pairs[1], second[1], 0},
									&(RankPairsClass) {pairs[0], second[0], counts[0]}, poll_nothing);
			compared += !isnan(got_pair.auc_a);
		}
	}
	tap_ok(auc < 1e-13, "150 areas under the curve, pair by pair: %.1e", auc);
	tap_ok(se < 1e-13, "DeLong's standard errors by placements: %.1e", se);
	tap_ok(ks < 1e-14, "Kolmogorov and Smirnov's distances: %.1e", ks);
	tap_ok(precision < 1e-13, "average precision, positive by positive: %.1e", precision);
	tap_ok(threshold == 0, "thresholds by cost and capacity: none is better");
	tap_ok(compared < 1e-12, "two scores compared: %.1e", compared);
}

/* Keys order as scores do, and come back as they went. */
static void
keys(void)
{
	static const double ascending[] = {-HUGE_VAL, -1e308, -1, -0x1p-1074, 0, 0x1p-1074, 0.5, 1, 1e308, HUGE_VAL};
	int			wrong = 0;

	for (size_t i = 0; i < LENGTH(ascending); i++)
	{
		wrong += rank_score(rank_key(ascending[i])) != ascending[i];
		wrong += i > 0 && rank_key(ascending[i]) <= rank_key(ascending[i - 1]);
	}
	tap_is(wrong, 0, "keys order as scores do");
	tap_ok(rank_key(-0.0) == rank_key(0.0), "-0 is 0");
}

static void
confusion(void)
{
	/* Matthews' coefficient and the rest of 90 of 100 and 30 of 900, by hand */
	RankConfusion c = rank_confusion(100, 900, 90, 30);
	RankConfusion none = rank_confusion(100, 900, 0, 0);

	tap_ok(c.fn == 10 && c.tn == 870, "the other two counts");
	tap_near(c.accuracy, 0.96, 1e-15, "accuracy");
	tap_near(c.precision, 0.75, 1e-15, "precision");
	tap_near(c.recall, 0.9, 1e-15, "recall");
	tap_near(c.specificity, 870 / 900.0, 1e-15, "specificity");
	tap_near(c.f1, 180 / 220.0, 1e-15, "F1");
	tap_near(c.mcc, (90.0 * 870 - 30 * 10) / sqrt(120.0 * 100 * 900 * 880), 1e-15, "Matthews' coefficient");
	tap_near(rank_youden(100, 900, 90, 30), 0.9 - 30 / 900.0, 1e-15, "Youden's index");
	tap_ok(isnan(none.precision) && isnan(none.mcc) && none.recall == 0, "nobody called: no precision");
	tap_ok(isnan(rank_youden(0, 5, 0, 1)), "one class: no index");
	tap_near(rank_youden(INT64_C(1) << 52, INT64_C(1) << 52, (INT64_C(1) << 51) + 1, INT64_C(1) << 51), 0x1p-52, 0,
			 "a difference of one in 2^52 is seen");
}

/* Row by row, highest first; ties share their positives equally. */
static void
lift(void)
{
	static Scored s;
	uint64_t	seed = 73;
	double		worst = 0;
	int			wrong = 0;

	for (int round = 0; round < 150; round++)
	{
		int			bins = 1 + random_below(&seed, 12);
		RankLift	lifts[12];
		int			filled;
		double		cum = 0;
		int			at = 0;
		double		share[N_MAX];
		double		sorted[N_MAX];

		random_scores(&seed, &s, 1 + random_below(&seed, 120), 1 + random_below(&seed, 30));
		filled = rank_lift(&s.source, bins, lifts);
		wrong += filled != (bins < s.n ? bins : s.n);
		for (int i = 0; i < s.n; i++)
		{
			double		same = 0;
			double		positives = 0;
			int			above = 0;
			int			before = 0;

			for (int j = 0; j < s.n; j++)
			{
				same += s.score[j] == s.score[i];
				positives += s.score[j] == s.score[i] && s.positive[j];
				above += s.score[j] > s.score[i];
				before += s.score[j] == s.score[i] && j < i;
			}
			sorted[above + before] = s.score[i];
			share[above + before] = positives / same;
		}
		for (int b = 0; b < filled; b++)
		{
			double		positives = 0;
			double		mean = 0;
			int			n = s.n / filled + (b < s.n % filled);

			wrong += lifts[b].n != n || lifts[b].score_max != sorted[at] || lifts[b].score_min != sorted[at + n - 1];
			for (int i = at; i < at + n; i++)
			{
				positives += share[i];
				mean += sorted[i] / n;
			}
			at += n;
			cum += positives;
			wrong += lifts[b].cum_n != at;
			worst = fmax(worst, fabs(lifts[b].positives - positives) + fabs(lifts[b].cum_positives - cum));
			worst = fmax(worst, fabs(lifts[b].mean_score - mean) + fabs(lifts[b].rate - positives / n));
			if (s.source.positives > 0)
			{
				worst = fmax(worst, fabs(lifts[b].gain - cum / s.source.positives));
				worst = fmax(worst, fabs(lifts[b].lift - positives / n * s.n / s.source.positives));
				worst = fmax(worst, fabs(lifts[b].cum_lift - cum / at * s.n / s.source.positives));
			}
			if (s.source.positives > 0 && s.source.negatives > 0)
				worst = fmax(worst, fabs(lifts[b].ks - (cum / s.source.positives - (at - cum) / s.source.negatives)));
		}
	}
	tap_is(wrong, 0, "sizes and scores of 150 tables of lift");
	tap_ok(worst < 1e-12, "their numbers, row by row: %.1e", worst);
}

static void
calibration(void)
{
	static Scored s;
	uint64_t	seed = 79;
	double		brier_error = 0;
	double		decomposition = 0;
	double		loss_error = 0;
	double		score_equations = 0;
	double		se_error = 0;
	double		bins_error = 0;
	int			fits = 0;

	for (int round = 0; round < 100; round++)
	{
		Brier		brier;
		double		sum = 0;
		double		loss = 0;
		CalibrationFit fit;
		CalibrationBin bins[10];
		double		calibration_gap = 0;
		double		expected_gap = 0;
		double		clip = round % 2 ? 0.1 : 0;

		random_scores(&seed, &s, 5 + random_below(&seed, 200), 2 + random_below(&seed, 30));
		for (int i = 0; i < s.n; i++)
		{
			double		cut = fmin(fmax(s.score[i], clip), 1 - clip);

			sum += (s.score[i] - s.positive[i]) * (s.score[i] - s.positive[i]) / s.n;
			loss -= (s.positive[i] ? log(cut) : log1p(-cut)) / s.n;
		}
		brier = calibration_brier(&s.source);
		brier_error = fmax(brier_error, fabs(brier.brier - sum));
		decomposition = fmax(decomposition, fabs(brier.reliability - brier.resolution + brier.uncertainty - sum));
		loss_error = fmax(loss_error, fabs(calibration_log_loss(&s.source, clip) - loss));
		if (calibration_bins(&s.source, CALIBRATION_WIDTH, 10, bins))
		{
			calibration_gap = calibration_error(bins, 10, s.n);
			for (int b = 0; b < 10; b++)
			{
				double		n = 0;
				double		positives = 0;
				double		scores = 0;

				for (int i = 0; i < s.n; i++)
					if (s.score[i] >= b / 10.0 && (s.score[i] < (b + 1) / 10.0 || b == 9))
					{
						n++;
						positives += s.positive[i];
						scores += s.score[i];
					}
				expected_gap += fabs(positives - scores) / s.n;
				bins_error += bins[b].n != n || (n > 0 && bins[b].positives != positives);
			}
			bins_error = fmax(bins_error, fabs(calibration_gap - expected_gap));
		}
		if (calibration_fit(&s.source, &fit))
		{
			double		h[3] = {0};
			double		g[2] = {0};

			fits++;
			for (int i = 0; i < s.n; i++)
			{
				double		x = log(s.score[i] / (1 - s.score[i]));
				double		p = 1 / (1 + exp(-fit.intercept - fit.slope * x));

				g[0] += s.positive[i] - p;
				g[1] += (s.positive[i] - p) * x;
				h[0] += p * (1 - p);
				h[1] += p * (1 - p) * x;
				h[2] += p * (1 - p) * x * x;
			}
			score_equations = fmax(score_equations, (fabs(g[0]) + fabs(g[1])) / s.n);
			se_error = fmax(se_error, tap_error(fit.intercept_se, sqrt(h[2] / (h[0] * h[2] - h[1] * h[1]))));
			se_error = fmax(se_error, tap_error(fit.slope_se, sqrt(h[0] / (h[0] * h[2] - h[1] * h[1]))));
		}
		else if (!isnan(fit.slope))
			se_error = HUGE_VAL;
	}
	tap_ok(brier_error < 1e-14, "100 Brier scores: %.1e", brier_error);
	tap_ok(decomposition < 1e-14, "Murphy's three parts: %.1e", decomposition);
	tap_ok(loss_error < 1e-13, "log losses: %.1e", loss_error);
	tap_ok(bins_error < 1e-13, "ten bins and the error of calibration: %.1e", bins_error);
	tap_ok(fits > 60 && score_equations < 1e-10, "%d recalibrations are maxima: %.1e", fits, score_equations);
	tap_ok(se_error < 1e-7, "their standard errors: %.1e", se_error);

	/* what is no probability */
	s.n = 4;
	memcpy(s.score, (double[]) {0, 1, 0.5, 0.25}, 4 * sizeof(double));
	memcpy(s.positive, (bool[]) {true, true, false, false}, 4);
	open_source(&s);
	tap_near(calibration_log_loss(&s.source, 0), HUGE_VAL, 0, "what happened was given no chance: infinite");
	tap_near(calibration_log_loss(&s.source, 0.1), (-log(0.1) - log(0.9) - log(0.5) - log(0.75)) / 4, 1e-15, "cut");
	s.score[3] = 1.25;
	open_source(&s);
	tap_ok(!calibration_possible(&s.source) && isnan(calibration_brier(&s.source).brier), "1.25 is no probability");
}

int
main(void)
{
	rankings();
	keys();
	confusion();
	lift();
	calibration();
	return tap_done();
}
