/*
 * calibration.h
 *	  Are scores probabilities: does what is said to happen in one of five cases
 *	  happen in one of five?
 *
 * From distinct scores with their numbers of positives and negatives, as
 * roc.h reads them.
 *
 * Plain C, no PostgreSQL header.
 * Promises: sums are rounded once; the same tallies give the same bits.  What
 * needs probabilities is NaN where a score is not from 0 to 1, and without rows.
 * Never: allocates.
 */
#ifndef RETENTION_CALIBRATION_H
#define RETENTION_CALIBRATION_H

#include "models/metrics/roc.h"

/* Are there scores, and all of them from 0 to 1? */
extern bool calibration_possible(const RankSource *source);

/*
 * Mean of (score - outcome)^2 = reliability - resolution + uncertainty, by
 * distinct score.  G. W. Brier (1950), Monthly Weather Review 78:1-3; A. H.
 * Murphy (1973), Journal of Applied Meteorology 12:595-600.
 */
typedef struct Brier
{
	double		brier;
	double		reliability;	/* mean (score - rate of its rows)^2 */
	double		resolution;		/* mean (rate of the rows of a score - rate of all)^2 */
	double		uncertainty;	/* rate of all (1 - rate of all) */
	double		skill;			/* 1 - brier / uncertainty; NaN with one class */
} Brier;

extern Brier calibration_brier(const RankSource *source);

/*
 * Mean of -ln(probability given to what happened), scores cut to [clip, 1 - clip],
 * 0 <= clip < 0.5.  Without clip infinite where what happened was given none.
 */
extern double calibration_log_loss(const RankSource *source, double clip);

/* ---------- bins ---------- */

typedef enum CalibrationBy
{
	CALIBRATION_WIDTH,			/* [i / bins, (i + 1) / bins), the last one closed */
	CALIBRATION_QUANTILE		/* as many rows each, but that equal scores share a bin */
} CalibrationBy;

typedef struct CalibrationBin
{
	int64_t		n;				/* may be 0: then nothing below has a meaning */
	int64_t		positives;
	double		score_min;
	double		score_max;
	double		mean_score;
} CalibrationBin;

/* filled: so many bins as given; false unless calibration_possible() */
extern bool calibration_bins(const RankSource *source, CalibrationBy by, int bins,
							 CalibrationBin *filled);

/*
 * Mean of |rate - mean score| of bins, weighted by rows.  M. P. Naeini, G. F.
 * Cooper and M. Hauskrecht (2015), AAAI-15:2901-2907.
 */
extern double calibration_error(const CalibrationBin *filled, int bins, int64_t rows);

/* ---------- recalibration ---------- */

/*
 * The logistic regression of the outcome on logit(score): 0 and 1 for
 * probabilities that need no correction, a slope below 1 for such as are too
 * extreme.  D. R. Cox (1958), Biometrika 45:562-565.
 */
typedef struct CalibrationFit
{
	double		intercept;
	double		slope;
	double		intercept_se;
	double		slope_se;
} CalibrationFit;

/*
 * False, and NaN, where there is none: a score of 0 or 1, one score, or classes that
 * do not overlap.
 */
extern bool calibration_fit(const RankSource *source, CalibrationFit *fit);

#endif							/* RETENTION_CALIBRATION_H */
