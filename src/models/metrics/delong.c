/*
 * delong.c
 *	  Two scores of the same rows.
 *
 * Promises: see delong.h.
 */
#include "models/metrics/delong.h"

#include <math.h>

#include "math/exact_sum.h"
#include "math/int128.h"
#include "math/wilson.h"

#define POLL_ROWS	4096

/* A pass over one class, which knows where each of its rows is among the other. */
typedef struct Placements
{
	const RankPairsClass *rows;
	const RankPairsClass *others;
	size_t		at;				/* rows read */
	size_t		below;			/* others whose first score is below that of the row */
	size_t		until;			/* and not above it */
	int64_t		first;			/* of the row: others below it, twice, and equal ones */
	int64_t		second;			/* likewise of the second score */
} Placements;

/* How many of ascending keys are below a key, twice, and how many equal it? */
static int64_t
place(const uint64_t *keys, size_t n, uint64_t key)
{
	int64_t		sum = 0;

	for (int equal = 0; equal < 2; equal++)
	{
		size_t		low = 0;
		size_t		high = n;

		while (low < high)
		{
			size_t		middle = low + (high - low) / 2;

			if (keys[middle] < key || (equal && keys[middle] == key))
				low = middle + 1;
			else
				high = middle;
		}
		sum += (int64_t) low;
	}
	return sum;
}

static bool
next_placement(Placements *p)
{
	const uint64_t *row = p->rows->pairs + 2 * p->at;

	if (p->at == p->rows->n)
		return false;
	while (p->below < p->others->n && p->others->pairs[2 * p->below] < row[0])
		p->below++;
	if (p->until < p->below)
		p->until = p->below;
	while (p->until < p->others->n && p->others->pairs[2 * p->until] == row[0])
		p->until++;
	p->first = (int64_t) (p->below + p->until);
	p->second = place(p->others->second, p->others->n, row[1]);
	p->at++;
	return true;
}

/*
 * The sum of squared deviations of the difference of a row's placements from the
 * difference of the areas, in units of 1 / (2 positives * negatives).
 */
static double
squares(const RankPairsClass *rows, const RankPairsClass *others, Int128 first_sum, Int128 second_sum,
		void (*poll) (void))
{
	Placements	p = {rows, others, 0, 0, 0, 0, 0};
	Int128		mean = int128_add(first_sum, int128_negative(second_sum));
	double		unit = int128_double(int128_product(2 * rows->n, others->n));
	ExactSum	sum = {0};

	while (next_placement(&p))
	{
		Int128		difference = int128_add(int128_product(p.first, rows->n),
											int128_negative(int128_product(p.second, rows->n)));
		double		deviation = int128_double(int128_add(difference, int128_negative(mean))) / unit;

		exact_sum_add(&sum, deviation * deviation);
		if (p.at % POLL_ROWS == 0)
			poll();
	}
	return exact_sum_value(&sum);
}

RankComparison
rank_compare(const RankPairsClass *positives, const RankPairsClass *negatives, void (*poll) (void))
{
	RankComparison comparison = {NAN, NAN, NAN, NAN, NAN, NAN};
	Placements	p = {positives, negatives, 0, 0, 0, 0, 0};
	Int128		first = {0, 0};
	Int128		second = {0, 0};
	double		unit = int128_double(int128_product(2 * positives->n, negatives->n));
	double		n1 = (double) positives->n;
	double		n0 = (double) negatives->n;
	Int128		all;

	if (positives->n == 0 || negatives->n == 0)
		return comparison;
	while (next_placement(&p))
	{
		first = int128_add(first, int128_product(p.first, 1));
		second = int128_add(second, int128_product(p.second, 1));
		if (p.at % POLL_ROWS == 0)
			poll();
	}
	comparison.auc_a = int128_double(first) / unit;
	comparison.auc_b = int128_double(second) / unit;
	comparison.difference = int128_double(int128_add(first, int128_negative(second))) / unit;
	if (positives->n < 2 || negatives->n < 2)
		return comparison;

	/* negatives count the positives below them: their areas are what is left of 1 */
	all = int128_product(2 * positives->n, negatives->n);
	comparison.standard_error =
		sqrt(squares(positives, negatives, first, second, poll) / (n1 - 1) / n1 +
			 squares(negatives, positives, int128_add(all, int128_negative(first)),
					 int128_add(all, int128_negative(second)), poll) / (n0 - 1) / n0);
	if (comparison.standard_error > 0)
	{
		comparison.z = comparison.difference / comparison.standard_error;
		comparison.p_value = normal_two_sided_p(comparison.z);
	}
	return comparison;
}
