/*
 * roc.c
 *	  How well a score tells those with an outcome from those without.
 *
 * Scores come ascending.  With b and c positives and negatives below a score,
 * a threshold there leaves b positives (false negatives) and c negatives (true
 * negatives) uncalled.
 *
 * Promises: see roc.h.
 */
#include "models/metrics/roc.h"

#include <float.h>
#include <math.h>

#include "math/exact_sum.h"
#include "math/int128.h"

/* A walk over all tallies, with the numbers of rows below each. */
typedef struct Walk
{
	const RankSource *source;
	RankTally	block[RANK_BLOCK];
	int			n;
	int			at;
	RankTally	tally;			/* the present one */
	int64_t		positives_below;
	int64_t		negatives_below;
} Walk;

static void
walk_begin(Walk *walk, const RankSource *source)
{
	walk->source = source;
	walk->n = walk->at = 0;
	walk->tally.score = 0;
	walk->tally.positives = walk->tally.negatives = 0;
	walk->positives_below = walk->negatives_below = 0;
	source->rewind(source->arg);
}

static inline bool
roc_walk_next(Walk *walk)
{
	walk->positives_below += walk->tally.positives;
	walk->negatives_below += walk->tally.negatives;
	if (walk->at == walk->n)
	{
		walk->n = walk->source->read(walk->source->arg, walk->block);
		walk->at = 0;
		if (walk->n == 0)
			return false;
	}
	walk->tally = walk->block[walk->at++];
	return true;
}

static inline Int128
product(int64_t a, int64_t b)
{
	return int128_product((uint64_t) a, (uint64_t) b);
}

static inline Int128
difference(Int128 a, Int128 b)
{
	return int128_add(a, int128_negative(b));
}

/* ---------- the area under the curve ---------- */

/* Pairs of a positive and a negative that are in order, twice, and those that are equal. */
static Int128
ordered_pairs(const RankSource *source)
{
	Walk		walk;
	Int128		pairs = {0, 0};

	walk_begin(&walk, source);
	while (roc_walk_next(&walk))
		if (walk.tally.positives > 0)
			pairs = int128_add(pairs, product(walk.tally.positives,
											  2 * walk.negatives_below + walk.tally.negatives));
	return pairs;
}

double
rank_auc(const RankSource *source)
{
	if (source->positives == 0 || source->negatives == 0)
		return NAN;
	return int128_double(ordered_pairs(source)) /
		int128_double(product(2 * source->positives, source->negatives));
}

/*
 * The placement of a positive is the share of negatives below it, of a negative
 * that of positives above it; both have the area as their mean.  Deviations
 * from that are whole multiples of 1 / (2 positives * negatives), so that those
 * of a perfect score are exactly zero.
 */
double
rank_auc_se(const RankSource *source)
{
	int64_t		positives = source->positives;
	int64_t		negatives = source->negatives;
	double		unit = int128_double(product(2 * positives, negatives));
	Int128		pairs;
	Walk		walk;
	ExactSum	of_positives = {0};
	ExactSum	of_negatives = {0};

	if (positives < 2 || negatives < 2)
		return NAN;
	pairs = ordered_pairs(source);
	walk_begin(&walk, source);
	while (roc_walk_next(&walk))
	{
		RankTally	tally = walk.tally;
		int64_t		above = positives - walk.positives_below - tally.positives;
		double		deviation;

		if (tally.positives > 0)
		{
			deviation = int128_double(difference(product(2 * walk.negatives_below + tally.negatives,
														 positives), pairs)) / unit;
			exact_sum_add(&of_positives, tally.positives * (deviation * deviation));
		}
		if (tally.negatives > 0)
		{
			deviation = int128_double(difference(product(2 * above + tally.positives, negatives),
												 pairs)) / unit;
			exact_sum_add(&of_negatives, tally.negatives * (deviation * deviation));
		}
	}
	return sqrt(exact_sum_value(&of_positives) / (positives - 1) / positives +
				exact_sum_value(&of_negatives) / (negatives - 1) / negatives);
}

/* ---------- other single numbers ---------- */

double
rank_ks(const RankSource *source)
{
	Walk		walk;
	Int128		most = {0, 0};

	if (source->positives == 0 || source->negatives == 0)
		return NAN;
	walk_begin(&walk, source);
	while (roc_walk_next(&walk))
	{
		/* (TPR - FPR) * positives * negatives, of the rows that are called */
		Int128		distance = difference(product(walk.negatives_below, source->positives),
										  product(walk.positives_below, source->negatives));

		if (int128_is_negative(distance))
			distance = int128_negative(distance);
		if (int128_less(most, distance))
			most = distance;
	}
	return int128_double(most) / int128_double(product(source->positives, source->negatives));
}

double
rank_average_precision(const RankSource *source)
{
	Walk		walk;
	ExactSum	sum = {0};

	if (source->positives == 0)
		return NAN;
	walk_begin(&walk, source);
	while (roc_walk_next(&walk))
	{
		double		tp = (double) (source->positives - walk.positives_below);
		double		fp = (double) (source->negatives - walk.negatives_below);

		if (walk.tally.positives > 0)
			exact_sum_add(&sum, walk.tally.positives * (tp / (tp + fp)));
	}
	return exact_sum_value(&sum) / source->positives;
}

/* ---------- thresholds ---------- */

static double
call_nobody(const RankSource *source)
{
	return source->highest == INFINITY ? NAN : INFINITY;
}

double
rank_threshold_by_cost(const RankSource *source, double cost_false_positive,
					   double cost_false_negative)
{
	Walk		walk;
	double		best = INFINITY;
	double		threshold = NAN;
	int			exponent;

	/* neither overflows below, and no digit is lost */
	(void) frexp(fmax(cost_false_positive, cost_false_negative), &exponent);
	cost_false_positive = ldexp(cost_false_positive, -exponent);
	cost_false_negative = ldexp(cost_false_negative, -exponent);
	walk_begin(&walk, source);
	while (roc_walk_next(&walk))
	{
		double		cost = cost_false_positive * (source->negatives - walk.negatives_below) +
		cost_false_negative * walk.positives_below;

		if (cost <= best)
		{
			best = cost;
			threshold = walk.tally.score;
		}
	}
	return cost_false_negative * source->positives <= best ? call_nobody(source) : threshold;
}

double
rank_threshold_by_capacity(const RankSource *source, int64_t capacity)
{
	int64_t		rows = source->positives + source->negatives;
	Walk		walk;

	walk_begin(&walk, source);
	while (roc_walk_next(&walk))
		if (rows - walk.positives_below - walk.negatives_below <= capacity)
			return walk.tally.score;
	return call_nobody(source);
}

/* ---------- at a threshold ---------- */

static double
share(int64_t part, int64_t whole)
{
	return whole > 0 ? (double) part / (double) whole : NAN;
}

double
rank_youden(int64_t positives, int64_t negatives, int64_t tp, int64_t fp)
{
	if (positives == 0 || negatives == 0)
		return NAN;
	return int128_double(difference(product(tp, negatives), product(fp, positives))) /
		int128_double(product(positives, negatives));
}

RankConfusion
rank_confusion(int64_t positives, int64_t negatives, int64_t tp, int64_t fp)
{
	int64_t		fn = positives - tp;
	int64_t		tn = negatives - fp;
	RankConfusion at = {tp, fp, fn, tn, NAN, NAN, NAN, NAN, NAN, NAN};

	at.accuracy = share(tp + tn, positives + negatives);
	at.precision = share(tp, tp + fp);
	at.recall = share(tp, positives);
	at.specificity = share(tn, negatives);
	at.f1 = share(2 * tp, positives + tp + fp);
	/* Matthews (1975); the numerator is exact, so that 0 is 0 */
	if (positives > 0 && negatives > 0 && tp + fp > 0 && tn + fn > 0)
		at.mcc = int128_double(difference(product(tp, tn), product(fp, fn))) /
			sqrt((double) positives * negatives) / sqrt((double) (tp + fp) * (double) (tn + fn));
	return at;
}

/* ---------- lift ---------- */

typedef struct LiftBins
{
	RankLift   *lifts;
	int			at;				/* the bin being filled: from the last to the first */
	int64_t		room;			/* rows that it still takes */
	int64_t		rows;
	int			bins;
	int			exponent;		/* scores are added as so many halvings of them */
	ExactSum	scores;
	int64_t		whole;			/* positives of scores that lie wholly in it */
	double		part;			/* and of others */
} LiftBins;

static void
open_bin(LiftBins *bins, int at)
{
	bins->at = at;
	bins->room = bins->lifts[at].n = bins->rows / bins->bins + (at < bins->rows % bins->bins);
	memset(&bins->scores, 0, sizeof(ExactSum));
	bins->whole = 0;
	bins->part = 0;
}

static void
close_bin(LiftBins *bins)
{
	RankLift   *lift = &bins->lifts[bins->at];

	lift->positives = bins->whole + bins->part;
	lift->mean_score = lift->score_min == lift->score_max ? lift->score_min :
		ldexp(exact_sum_value(&bins->scores) / lift->n, bins->exponent);
}

static void
fill_bins(LiftBins *bins, const Walk *walk)
{
	RankTally	tally = walk->tally;
	int64_t		rows = tally.positives + tally.negatives;
	int64_t		left = rows;

	while (left > 0)
	{
		RankLift   *lift = &bins->lifts[bins->at];
		int64_t		taken = left < bins->room ? left : bins->room;

		if (bins->room == lift->n)
			lift->score_min = tally.score;
		lift->score_max = tally.score;
		exact_sum_add(&bins->scores, taken * ldexp(tally.score, -bins->exponent));
		if (taken == rows)
			bins->whole += tally.positives;
		else
			bins->part += (double) tally.positives * taken / rows;
		left -= taken;
		bins->room -= taken;
		if (bins->room > 0 || bins->at == 0)
			continue;
		close_bin(bins);
		/* positives above the border between this bin and the one before */
		bins->lifts[bins->at - 1].cum_positives =
			(walk->source->positives - walk->positives_below - tally.positives) +
			(double) tally.positives * left / rows;
		open_bin(bins, bins->at - 1);
	}
}

/* What follows from counts. */
static void
derive(const RankSource *source, RankLift *lift)
{
	int64_t		positives = source->positives;
	int64_t		negatives = source->negatives;
	double		base = share(positives, positives + negatives);

	lift->rate = lift->positives / lift->n;
	lift->lift = positives > 0 ? lift->rate / base : NAN;
	lift->gain = positives > 0 ? lift->cum_positives / positives : NAN;
	lift->cum_lift = positives > 0 ? lift->cum_positives / lift->cum_n / base : NAN;
	lift->ks = positives > 0 && negatives > 0 ?
		lift->gain - (lift->cum_n - lift->cum_positives) / negatives : NAN;
}

int
rank_lift(const RankSource *source, int bins, RankLift *lifts)
{
	LiftBins	filling;
	Walk		walk;
	int64_t		cum_n = 0;

	filling.lifts = lifts;
	/* the sum of RANK_ROWS_MAX scores must not overflow */
	filling.exponent = fmax(fabs(source->lowest), fabs(source->highest)) > DBL_MAX / RANK_ROWS_MAX ? 53 : 0;
	filling.rows = source->positives + source->negatives;
	filling.bins = filling.rows < bins ? (int) filling.rows : bins;
	if (filling.bins == 0)
		return 0;
	open_bin(&filling, filling.bins - 1);
	lifts[filling.bins - 1].cum_positives = source->positives;
	walk_begin(&walk, source);
	while (roc_walk_next(&walk))
		fill_bins(&filling, &walk);
	close_bin(&filling);
	for (int i = 0; i < filling.bins; i++)
	{
		cum_n += lifts[i].n;
		lifts[i].cum_n = cum_n;
		derive(source, &lifts[i]);
	}
	return filling.bins;
}
