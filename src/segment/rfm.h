/*
 * rfm.h
 *	  Scores of recency, frequency and monetary value as one text.
 *
 * A digit each, the best being as many as there are bins: '543'.  Other than five
 * bins stand behind a slash, once where all scores have the same: '443/4', or one
 * by one: '543/544'.  Without the monetary score: '54', '44/4'.
 *
 * Promises: a text of one number of bins is never taken for one of another.
 * Never: knows what a score was made from.
 */
#ifndef RETENTION_RFM_H
#define RETENTION_RFM_H

#include "retention.h"

#define RFM_RECENCY		0
#define RFM_FREQUENCY	1
#define RFM_MONETARY	2
#define RFM_SCORES		3
#define RFM_DIGIT		9		/* the most bins of a score that is a digit */
#define RFM_DEFAULT_BINS 5

typedef struct RfmScore
{
	int			n;				/* 2: without the monetary one, or RFM_SCORES */
	int			scores[RFM_SCORES];
	int			bins[RFM_SCORES];	/* 0 beyond n */
} RfmScore;

extern const char *const rfm_score_names[RFM_SCORES];

extern text *rfm_score_to_text(const RfmScore *score);

/* 22023 where it is none. */
extern RfmScore rfm_score_from_text(const text *source);

/* 22023 unless from 1 to bins. */
extern void rfm_score_check(int i, int32 score, int32 bins);

#endif							/* RETENTION_RFM_H */
