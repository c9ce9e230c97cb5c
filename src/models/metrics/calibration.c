/*
 * calibration.c
 *	  Are scores probabilities?
 *
 * Promises: see calibration.h.
 */
#include "models/metrics/calibration.h"

#include <math.h>

#include "math/exact_sum.h"
#include "math/special.h"

/* Newton's method: half the squared length of a step, in standard errors */
#define STEPS_MAX		100
#define HALVINGS_MAX	60
#define DECREMENT_END	1e-18

/* So close below an edge is on it: 0.29 * 100 is a little less than 29. */
#define EDGE			1e-12

bool
calibration_possible(const RankSource *source)
{
	return source->positives + source->negatives > 0 && source->lowest >= 0 && source->highest <= 1;
}

/* ---------- losses ---------- */

Brier
calibration_brier(const RankSource *source)
{
	Brier		brier = {NAN, NAN, NAN, NAN, NAN};
	double		rows = (double) (source->positives + source->negatives);
	double		base = source->positives / rows;
	ExactSum	loss = {0};
	ExactSum	reliability = {0};
	ExactSum	resolution = {0};
	RankTally	block[RANK_BLOCK];
	int			n;

	if (!calibration_possible(source))
		return brier;
	source->rewind(source->arg);
	while ((n = source->read(source->arg, block)) > 0)
		for (int i = 0; i < n; i++)
		{
			double		score = block[i].score;
			double		here = (double) (block[i].positives + block[i].negatives);
			double		rate = block[i].positives / here;

			if (block[i].positives > 0)
				exact_sum_add(&loss, block[i].positives * ((1 - score) * (1 - score)));
			if (block[i].negatives > 0)
				exact_sum_add(&loss, block[i].negatives * (score * score));
			exact_sum_add(&reliability, here * ((score - rate) * (score - rate)));
			exact_sum_add(&resolution, here * ((rate - base) * (rate - base)));
		}
	brier.brier = exact_sum_value(&loss) / rows;
	brier.reliability = exact_sum_value(&reliability) / rows;
	brier.resolution = exact_sum_value(&resolution) / rows;
	brier.uncertainty = base * (source->negatives / rows);
	if (source->positives > 0 && source->negatives > 0)
		brier.skill = 1 - brier.brier / brier.uncertainty;
	return brier;
}

double
calibration_log_loss(const RankSource *source, double clip)
{
	ExactSum	loss = {0};
	RankTally	block[RANK_BLOCK];
	int			n;

	if (!calibration_possible(source))
		return NAN;
	source->rewind(source->arg);
	while ((n = source->read(source->arg, block)) > 0)
		for (int i = 0; i < n; i++)
		{
			double		score = fmin(fmax(block[i].score, clip), 1 - clip);

			/* a certainty that came true costs nothing, and not -0 */
			if (block[i].positives > 0)
				exact_sum_add(&loss, 0 - block[i].positives * log(score));
			if (block[i].negatives > 0)
				exact_sum_add(&loss, 0 - block[i].negatives * log1p(-score));
		}
	return exact_sum_value(&loss) / (double) (source->positives + source->negatives);
}

/* ---------- bins ---------- */

/* Rows from "below" on, n of them, share a score. */
static int
bin_of(CalibrationBy by, int bins, double score, int64_t below, int64_t n, int64_t rows)
{
	int			bin;

	if (by == CALIBRATION_WIDTH)
		bin = (int) floor(bins * score + EDGE);
	else						/* of their middle */
		bin = (int) ((uint64_t) (2 * below + n) * (uint64_t) bins / (uint64_t) (2 * rows));
	return bin < bins ? bin : bins - 1;
}

bool
calibration_bins(const RankSource *source, CalibrationBy by, int bins, CalibrationBin *filled)
{
	int64_t		rows = source->positives + source->negatives;
	int64_t		below = 0;
	CalibrationBin *bin = NULL;
	ExactSum	scores = {0};
	RankTally	block[RANK_BLOCK];
	int			n;

	if (!calibration_possible(source))
		return false;
	memset(filled, 0, sizeof(CalibrationBin) * bins);
	source->rewind(source->arg);
	while ((n = source->read(source->arg, block)) > 0)
		for (int i = 0; i < n; i++)
		{
			double		score = block[i].score;
			int64_t		here = block[i].positives + block[i].negatives;
			CalibrationBin *next = &filled[bin_of(by, bins, score, below, here, rows)];

			/* bins come one after the other */
			if (bin != next)
			{
				if (bin != NULL)
					bin->mean_score = exact_sum_value(&scores) / bin->n;
				memset(&scores, 0, sizeof(ExactSum));
				bin = next;
				bin->score_min = score;
			}
			exact_sum_add(&scores, here * score);
			bin->n += here;
			bin->positives += block[i].positives;
			bin->score_max = score;
			below += here;
		}
	bin->mean_score = exact_sum_value(&scores) / bin->n;
	return true;
}

double
calibration_error(const CalibrationBin *filled, int bins, int64_t rows)
{
	ExactSum	sum = {0};

	for (int i = 0; i < bins; i++)
		if (filled[i].n > 0)
			exact_sum_add(&sum, fabs(filled[i].positives - filled[i].n * filled[i].mean_score));
	return exact_sum_value(&sum) / rows;
}

/* ---------- recalibration ---------- */

/* At a + b (logit(score) - center): log-likelihood, its gradient, and less its Hessian. */
typedef struct Surface
{
	double		log_likelihood;
	double		gradient[2];
	double		hessian[3];		/* aa, ab, bb */
} Surface;

static double
logit(double score)
{
	return log(score) - log1p(-score);
}

static Surface
surface_at(const RankSource *source, double center, double a, double b)
{
	ExactSum	sums[6] = {{{0}, 0, 0}};
	RankTally	block[RANK_BLOCK];
	Surface		surface;
	int			n;

	source->rewind(source->arg);
	while ((n = source->read(source->arg, block)) > 0)
		for (int i = 0; i < n; i++)
		{
			double		x = logit(block[i].score) - center;
			double		eta = a + b * x;
			double		p = logistic(eta);
			double		q = logistic(-eta);
			double		positives = (double) block[i].positives;
			double		negatives = (double) block[i].negatives;
			double		residual = positives * q - negatives * p;
			double		weight = (positives + negatives) * p * q;

			exact_sum_add(&sums[0], -positives * ln_1p_exp(-eta) - negatives * ln_1p_exp(eta));
			exact_sum_add(&sums[1], residual);
			exact_sum_add(&sums[2], residual * x);
			exact_sum_add(&sums[3], weight);
			exact_sum_add(&sums[4], weight * x);
			exact_sum_add(&sums[5], weight * x * x);
		}
	surface.log_likelihood = exact_sum_value(&sums[0]);
	surface.gradient[0] = exact_sum_value(&sums[1]);
	surface.gradient[1] = exact_sum_value(&sums[2]);
	for (int i = 0; i < 3; i++)
		surface.hessian[i] = exact_sum_value(&sums[3 + i]);
	return surface;
}

/*
 * Is there a maximum?  Not where a score is certain, and not where no negative
 * has a score above that of some positive or the other way round (Albert and
 * Anderson 1984).
 */
static bool
can_be_fitted(const RankSource *source, double *center)
{
	double		lowest[2] = {INFINITY, INFINITY};
	double		highest[2] = {-INFINITY, -INFINITY};
	ExactSum	sum = {0};
	RankTally	block[RANK_BLOCK];
	int			n;

	if (source->positives == 0 || source->negatives == 0 ||
		!(source->lowest > 0 && source->highest < 1))
		return false;
	source->rewind(source->arg);
	while ((n = source->read(source->arg, block)) > 0)
		for (int i = 0; i < n; i++)
		{
			int64_t		counts[2] = {block[i].negatives, block[i].positives};

			for (int class = 0; class < 2; class++)
				if (counts[class] > 0)
				{
					lowest[class] = fmin(lowest[class], block[i].score);
					highest[class] = block[i].score;
				}
			exact_sum_add(&sum, (counts[0] + counts[1]) * logit(block[i].score));
		}
	*center = exact_sum_value(&sum) / (source->positives + source->negatives);
	return highest[0] > lowest[1] && highest[1] > lowest[0];
}

bool
calibration_fit(const RankSource *source, CalibrationFit *fit)
{
	double		center;
	double		at[2];
	Surface		here;

	fit->intercept = fit->slope = fit->intercept_se = fit->slope_se = NAN;
	if (!can_be_fitted(source, &center))
		return false;
	at[0] = log((double) source->positives / (double) source->negatives);
	at[1] = 0;
	here = surface_at(source, center, at[0], at[1]);
	for (int step = 0; step < STEPS_MAX; step++)
	{
		double		det = here.hessian[0] * here.hessian[2] - here.hessian[1] * here.hessian[1];
		double		da = (here.gradient[0] * here.hessian[2] - here.gradient[1] * here.hessian[1]) / det;
		double		db = (here.gradient[1] * here.hessian[0] - here.gradient[0] * here.hessian[1]) / det;
		double		decrement = da * here.gradient[0] + db * here.gradient[1];
		double		length = 1;
		Surface		there;

		/* also if it is not a number */
		if (!(det > 0) || !isfinite(decrement))
			return false;
		if (decrement < DECREMENT_END)
		{
			fit->slope = at[1] + db;
			fit->intercept = at[0] + da - fit->slope * center;
			fit->slope_se = sqrt(here.hessian[0] / det);
			fit->intercept_se = sqrt((here.hessian[2] + 2 * center * here.hessian[1] +
									  center * center * here.hessian[0]) / det);
			return true;
		}
		for (int halving = 0; halving < HALVINGS_MAX; halving++, length /= 2)
		{
			there = surface_at(source, center, at[0] + length * da, at[1] + length * db);
			if (there.log_likelihood >= here.log_likelihood - 1e-12 * fabs(here.log_likelihood))
				break;
		}
		at[0] += length * da;
		at[1] += length * db;
		here = there;
	}
	return false;
}
