/*
 * roc.h
 *	  How well a score tells those with an outcome (positives) from those without
 *	  (negatives), whatever scale it is on.
 *
 * All is computed from distinct scores, ascending, with their numbers of
 * positives and negatives.  So ties are exact, and the order of rows cannot
 * matter.
 *
 * Plain C, no PostgreSQL header.
 * Promises: comparisons and the sums of AUC are exact in whole numbers; other
 * sums are rounded once; the same tallies give the same bits.
 * Never: allocates; counts beyond RANK_ROWS_MAX.
 */
#ifndef RETENTION_ROC_H
#define RETENTION_ROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* So many rows, at most: their number is exact as a double. */
#define RANK_ROWS_MAX	(INT64_C(1) << 53)

/* Bins of rows: products with twice a number of rows fit a word. */
#define RANK_BINS_MAX	1000

typedef struct RankTally
{
	double		score;			/* not NaN */
	int64_t		positives;		/* both >= 0, and one of them > 0 */
	int64_t		negatives;
} RankTally;

/* Tallies, read block by block, as often as one likes. */
#define RANK_BLOCK 256

typedef struct RankSource
{
	void	   *arg;
	int64_t		positives;		/* of all */
	int64_t		negatives;
	double		lowest;			/* scores; of no meaning without rows */
	double		highest;
	void		(*rewind) (void *arg);

	/* The next tallies, RANK_BLOCK at most; 0 at the end.  May not return. */
	int			(*read) (void *arg, RankTally *block);
} RankSource;

/*
 * Scores as words in the same order; -0 is 0.
 */
static inline uint64_t
rank_key(double score)
{
	uint64_t	bits;

	score += 0.0;				/* -0 + 0 is 0 */
	memcpy(&bits, &score, sizeof(bits));
	return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static inline double
rank_score(uint64_t key)
{
	uint64_t	bits = key >> 63 ? key & ~(UINT64_C(1) << 63) : ~key;
	double		score;

	memcpy(&score, &bits, sizeof(score));
	return score;
}

/* Keys of positives and negatives, each in order, as tallies; roc_source.c */
typedef struct RankKeys
{
	const uint64_t *positives;
	const uint64_t *negatives;
	size_t		npositives;
	size_t		nnegatives;
	size_t		positive;		/* read so far */
	size_t		negative;
	void		(*poll) (void);
} RankKeys;

/* At least one key. */
extern RankSource rank_keys_source(RankKeys *keys);

/* ---------- one number; NaN where undefined ---------- */

/*
 * P(score of a positive > that of a negative) + P(equal) / 2: the area under
 * the ROC curve, Mann and Whitney's U / (positives * negatives).
 */
extern double rank_auc(const RankSource *source);

/*
 * Its standard error.  E. R. DeLong, D. M. DeLong and D. L. Clarke-Pearson (1988),
 * Biometrics 44:837-845.  NaN unless there are two positives and two negatives.
 */
extern double rank_auc_se(const RankSource *source);

/* max |TPR - FPR| over all thresholds: Kolmogorov and Smirnov's distance of both classes */
extern double rank_ks(const RankSource *source);

/* sum of (R_k - R_(k-1)) P_k over distinct scores, descending; NaN without positives */
extern double rank_average_precision(const RankSource *source);

/*
 * Thresholds: who has score >= threshold is called.  The one that minimises
 * cost_false_positive * FP + cost_false_negative * FN, the largest of equals;
 * infinite if nobody is to be called, or NaN if those with an infinite score
 * are not to be, too.
 */
extern double rank_threshold_by_cost(const RankSource *source, double cost_false_positive,
									 double cost_false_negative);

/* The smallest that calls at most so many rows; infinite or NaN as above. */
extern double rank_threshold_by_capacity(const RankSource *source, int64_t capacity);

/* ---------- at a threshold ---------- */

typedef struct RankConfusion
{
	int64_t		tp;
	int64_t		fp;
	int64_t		fn;
	int64_t		tn;
	double		accuracy;		/* NaN where the denominator is 0, all of them */
	double		precision;
	double		recall;
	double		specificity;
	double		f1;
	double		mcc;
} RankConfusion;

/*
 * TPR - FPR there, W. J. Youden (1950), Cancer 3:32-35; NaN with one class.  Exact but
 * for its last division: thresholds that are equally good have equal bits.
 */
extern double rank_youden(int64_t positives, int64_t negatives, int64_t tp, int64_t fp);

extern RankConfusion rank_confusion(int64_t positives, int64_t negatives, int64_t tp, int64_t fp);

/* ---------- lift ---------- */

/* Bins of almost as many rows each, the highest scores first. */
typedef struct RankLift
{
	int64_t		n;
	double		positives;		/* those of equal scores are shared equally among their rows */
	double		score_max;
	double		score_min;
	double		mean_score;		/* NaN where infinities of both signs meet */
	double		rate;
	double		lift;			/* rate / rate of all; NaN without positives */
	int64_t		cum_n;			/* of this bin and those before */
	double		cum_positives;
	double		gain;			/* share of all positives; NaN without */
	double		cum_lift;
	double		ks;				/* share of all positives less that of negatives; NaN with one
								 * class */
} RankLift;

/*
 * Sizes are those of ntile(bins): the first n mod bins are larger by one.
 * lifts: room for "bins"; returns how many there are: not more than rows.
 */
extern int	rank_lift(const RankSource *source, int bins, RankLift *lifts);

#endif							/* RETENTION_ROC_H */
