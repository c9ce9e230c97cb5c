/*
 * net_promoter.h
 *	  The net promoter score: its standard error, its limits, and two of them.
 *
 * Plain C on doubles; counts are passed as doubles and must be whole numbers.
 * Scores and their errors are in points, -100 .. 100.
 * Promises: NaN where nothing can be said.
 * Never: allocates.
 */
#ifndef RETENTION_NET_PROMOTER_H
#define RETENTION_NET_PROMOTER_H

#include "math/wilson.h"

typedef struct PromoterCounts
{
	double		promoters;		/* 9 and 10 */
	double		passives;		/* 7 and 8 */
	double		detractors;		/* 0 to 6 */
} PromoterCounts;

typedef struct PromoterScore
{
	double		responses;
	double		nps;			/* 100 (p - d) */
	double		se;				/* 100 sqrt((p + d - (p - d)^2) / n) */
	double		se_sample;		/* the same with n - 1; NaN for one response */
} PromoterScore;

/* No response: NaN, but responses. */
extern PromoterScore promoter_score(const PromoterCounts *counts);

/*
 * The counts of the adjusted Wald interval: three responses more, of which 3/4 are
 * promoters, 3/4 detractors and 3/2 passive (Rocks 2016).
 */
extern PromoterCounts promoter_adjusted(const PromoterCounts *counts);

/* nps -/+ z se, cut to -100 .. 100; NaN without a response */
extern Limits promoter_limits(const PromoterScore *score, double z);

/* nps -/+ t se_sample, not cut; NaN for less than two responses */
extern Limits promoter_t_limits(const PromoterScore *score, double confidence);

#endif							/* RETENTION_NET_PROMOTER_H */
