/*
 * net_promoter.c
 *	  The net promoter score: its standard error, its limits, and two of them.
 *
 * A response is worth 1, 0 or -1 (promoter, passive, detractor): the score is
 * their mean, and its variance that of a mean (Rocks 2016, "Interval Estimation
 * for the Net Promoter Score", The American Statistician 70).
 *
 * Promises: see net_promoter.h.
 */
#include "math/net_promoter.h"

#include <math.h>

#include "math/student_t.h"

PromoterScore
promoter_score(const PromoterCounts *counts)
{
	PromoterScore score;
	double		n = counts->promoters + counts->passives + counts->detractors;
	double		p = counts->promoters / n;
	double		d = counts->detractors / n;
	double		variance;

	/* of p + d - (p - d)^2, without its cancellation where all say the same */
	variance = (p * (counts->passives + counts->detractors) +
				d * (counts->passives + counts->promoters)) / n + 2 * p * d;
	score.responses = n;
	score.nps = 100 * ((counts->promoters - counts->detractors) / n);
	score.se = 100 * sqrt(variance / n);
	score.se_sample = n > 1 ? 100 * sqrt(variance / (n - 1)) : NAN;
	if (!(n > 0))
		score.nps = score.se = score.se_sample = NAN;
	return score;
}

PromoterCounts
promoter_adjusted(const PromoterCounts *counts)
{
	PromoterCounts adjusted;

	adjusted.promoters = counts->promoters + 0.75;
	adjusted.passives = counts->passives + 1.5;
	adjusted.detractors = counts->detractors + 0.75;
	return adjusted;
}

Limits
promoter_limits(const PromoterScore *score, double z)
{
	Limits		limits;

	limits.low = score->nps - z * score->se;
	limits.high = score->nps + z * score->se;
	if (limits.low < -100)
		limits.low = -100;
	if (limits.high > 100)
		limits.high = 100;
	return limits;
}

Limits
promoter_t_limits(const PromoterScore *score, double confidence)
{
	Limits		limits = {NAN, NAN};

	if (score->responses > 1)
	{
		double		t = student_two_sided_t(confidence, score->responses - 1);

		limits.low = score->nps - t * score->se_sample;
		limits.high = score->nps + t * score->se_sample;
	}
	return limits;
}
