/*
 * markov.c
 *	  Finite Markov chains: classes, steady state, absorption, first passage,
 *	  powers.
 *
 * Promises and sources: see markov.h.
 */
#include "math/markov.h"

#include <math.h>
#include <string.h>

#define ROW(a, n, i) ((a) + (size_t) (i) * (size_t) (n))

static bool
markov_row_known(int n, const double *p, int i)
{
	return !isnan(ROW(p, n, i)[0]);
}

/* ---------- elimination ---------- */

/* to += factor * from; the innermost loop of everything here */
static void
markov_add_row(int n, double *restrict to, double factor, const double *restrict from)
{
	for (int j = 0; j < n; j++)
		to[j] += factor * from[j];
}

static double
sum_but(int n, const double *row, int but)
{
	double		sum = 0;

	for (int j = 0; j < n; j++)
		if (j != but)
			sum += row[j];
	return sum;
}

bool
markov_system(int n, const double *p, const bool *inside, double discount, double remainder,
			  MarkovSystem *system, MarkovPoll poll)
{
	int			size = 0;
	double	   *out = system->leaving;

	for (int i = 0; i < n; i++)
		if (inside[i])
			system->states[size++] = i;
	system->size = size;
	for (int i = 0; i < size; i++)
	{
		const double *row = ROW(p, n, system->states[i]);
		double	   *q = ROW(system->q, size, i);

		for (int j = 0; j < size; j++)
			q[j] = discount * row[system->states[j]];
		out[i] = 0;
		for (int j = 0; j < n; j++)
			if (!inside[j])
				out[i] += discount * row[j];
		out[i] += remainder;
	}
	for (int k = size - 1; k >= 0; k--)
	{
		const double *last = ROW(system->q, size, k);
		double		leaving = sum_but(k, last, -1) + out[k];

		if (!(leaving > 0))
			return false;
		for (int i = 0; i < k; i++)
		{
			double	   *row = ROW(system->q, size, i);
			double		share = row[k] / leaving;

			if (share == 0)
				continue;
			markov_add_row(k, row, share, last);
			out[i] += share * out[k];
		}
		out[k] = leaving;
		poll();
	}
	return true;
}

void
markov_solve(const MarkovSystem *system, int columns, double *b, MarkovPoll poll)
{
	int			size = system->size;

	for (int k = size - 1; k > 0; k--)
	{
		for (int i = 0; i < k; i++)
		{
			double		way = ROW(system->q, size, i)[k];

			if (way > 0)
				markov_add_row(columns, ROW(b, columns, i), way / system->leaving[k], ROW(b, columns, k));
		}
		poll();
	}
	for (int k = 0; k < size; k++)
	{
		double	   *row = ROW(b, columns, k);

		for (int i = 0; i < k; i++)
		{
			double		way = ROW(system->q, size, k)[i];

			if (way > 0)
				markov_add_row(columns, row, way, ROW(b, columns, i));
		}
		for (int j = 0; j < columns; j++)
			row[j] /= system->leaving[k];
		poll();
	}
}

/*
 * Kemeny and Snell (1960), "Finite Markov Chains", 3.2 and 3.3, the variance by
 * what one period adds to it: it is that of the mean which follows, and so a
 * sum of squares.
 */
void
markov_periods(int n, const double *p, const MarkovSystem *system, double *mean,
			   double *variance, MarkovPoll poll)
{
	int			size = system->size;
	double	   *b = variance;	/* size of n, before it is spread */

	for (int i = 0; i < size; i++)
		b[i] = 1;
	markov_solve(system, 1, b, poll);
	for (int i = 0; i < n; i++)
		mean[i] = 0;
	for (int i = 0; i < size; i++)
		mean[system->states[i]] = b[i];
	for (int i = 0; i < size; i++)
	{
		const double *row = ROW(p, n, system->states[i]);
		double		after = mean[system->states[i]] - 1;

		b[i] = 0;
		for (int j = 0; j < n; j++)
			if (row[j] > 0)
				b[i] += row[j] * (mean[j] - after) * (mean[j] - after);
	}
	markov_solve(system, 1, b, poll);
	/* states ascend, so none is overwritten before it has moved */
	for (int i = size - 1; i >= 0; i--)
		variance[system->states[i]] = b[i];
}

/* ---------- the long run ---------- */

bool
markov_stationary(int n, const double *p, const int *class_of, int class_number, double *share,
				  double *q, int *states, MarkovPoll poll)
{
	int			size = 0;
	double		total = 1;

	for (int i = 0; i < n; i++)
		if (class_of[i] == class_number)
			states[size++] = i;
	for (int i = 0; i < size; i++)
		for (int j = 0; j < size; j++)
			ROW(q, size, i)[j] = ROW(p, n, states[i])[states[j]];
	for (int k = size - 1; k > 0; k--)
	{
		const double *last = ROW(q, size, k);
		double		leaving = sum_but(k, last, -1);

		if (!(leaving > 0))
			return false;
		for (int i = 0; i < k; i++)
		{
			double	   *row = ROW(q, size, i);

			row[k] /= leaving;
			if (row[k] > 0)
				markov_add_row(k, row, row[k], last);
		}
		poll();
	}
	share[states[0]] = 1;
	for (int k = 1; k < size; k++)
	{
		double		sum = 0;

		for (int i = 0; i < k; i++)
			sum += share[states[i]] * ROW(q, size, i)[k];
		share[states[k]] = sum;
		total += sum;
		if (total < 1e100)
			continue;
		for (int i = 0; i <= k; i++)
			share[states[i]] /= total;
		total = 1;
	}
	for (int k = 0; k < size; k++)
	{
		share[states[k]] /= total;
		if (!(share[states[k]] > 0 && share[states[k]] <= 1))
			return false;
	}
	return true;
}

/*
 * Eliminates states kept .. m - 1 of a chain of m whose state i stays for
 * hold[i] periods on average, until the chain is one of those kept.  A state
 * that leaves for none of them is a trap, and the way there takes for ever.
 */
static void
censor(int m, int kept, double *q, double *hold, double *leaving, MarkovPoll poll)
{
	for (int k = m - 1; k >= kept; k--)
	{
		const double *last = ROW(q, m, k);

		leaving[k] = sum_but(k, last, -1);
		for (int i = 0; i < k; i++)
		{
			double	   *row = ROW(q, m, i);
			double		share;

			if (row[k] == 0)
				continue;
			if (leaving[k] > 0)
			{
				share = row[k] / leaving[k];
				markov_add_row(k, row, share, last);
				hold[i] += share * hold[k];
			}
			else
				hold[i] = INFINITY;
		}
		poll();
	}
}

/*
 * What the eliminated ones need to reach each one kept, from what those need.
 * State i of the m is the one after "first", of which "start" many are turned
 * to the end.
 */
static void
markov_spread(int n, double *periods, int first, int start, int m, int kept, const double *q,
			  const double *hold, const double *leaving, MarkovPoll poll)
{
	for (int k = kept; k < m; k++)
	{
		double	   *row = ROW(periods, n, first + (k + start) % m) + first + start;

		for (int j = 0; j < kept; j++)
			row[j] = hold[k];
		for (int i = 0; i < k; i++)
		{
			double		way = ROW(q, m, k)[i];

			if (way > 0)
				markov_add_row(kept, row, way, ROW(periods, n, first + (i + start) % m) + first + start);
		}
		for (int j = 0; j < kept; j++)
			row[j] = leaving[k] > 0 ? row[j] / leaving[k] : INFINITY;
		poll();
	}
}

/*
 * Passages among states first .. first + m - 1, whose chain, with all others
 * eliminated, is q (rows so far apart), and who stay for hold.  Until the end a
 * state is taken to be 0 periods away from itself.
 */
static void
passages(int n, double *periods, int first, int m, const double *q, int apart,
		 const double *hold, double *work, MarkovPoll poll)
{
	double	   *mine = work;
	double	   *stay = mine + (size_t) m * (size_t) m;
	double	   *leaving = stay + m;

	if (m == 1)
	{
		ROW(periods, n, first)[first] = 0;
		return;
	}
	for (int side = 0; side < 2; side++)
	{
		/* those kept come first */
		int			start = side == 0 ? 0 : m / 2;
		int			kept = side == 0 ? m / 2 : m - m / 2;

		for (int i = 0; i < m; i++)
		{
			const double *from = ROW(q, apart, (i + start) % m);
			double	   *to = ROW(mine, m, i);

			memcpy(to, from + start, sizeof(double) * (size_t) (m - start));
			memcpy(to + m - start, from, sizeof(double) * (size_t) start);
			stay[i] = hold[(i + start) % m];
		}
		censor(m, kept, mine, stay, leaving, poll);
		passages(n, periods, first + start, kept, mine, m, stay, leaving + m, poll);
		markov_spread(n, periods, first, start, m, kept, mine, stay, leaving, poll);
	}
}

void
markov_first_passage(int n, const double *p, double *periods, double *work, MarkovPoll poll)
{
	double	   *q = work;
	double	   *hold = q + (size_t) n * (size_t) n;

	if (n == 0)
		return;
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < n; j++)
			ROW(q, n, i)[j] = ROW(p, n, i)[j] > 0 ? ROW(p, n, i)[j] : 0;
		hold[i] = 1;
	}
	passages(n, periods, 0, n, q, n, hold, hold + n, poll);
	for (int i = 0; i < n; i++)
	{
		double		back = 1;

		for (int j = 0; j < n; j++)
			if (j != i && ROW(p, n, i)[j] > 0)
				back += ROW(p, n, i)[j] * ROW(periods, n, j)[i];
		ROW(periods, n, i)[i] = markov_row_known(n, p, i) ? back : NAN;
	}
}

/* ---------- some periods on ---------- */

/*
 * What remains in a state is what does not leave it, unless little remains:
 * without this a power of 10^9 has lost nine digits.
 */
static void
markov_settle(int n, double *row, int i)
{
	double		leaving = sum_but(n, row, i);

	if (leaving <= 0.5)
		row[i] = 1 - leaving;
	else
	{
		double		total = leaving + row[i];

		for (int j = 0; j < n; j++)
			row[j] /= total;
	}
}

static void
markov_multiply(int n, const double *a, const double *b, double *product, MarkovPoll poll)
{
	for (int i = 0; i < n; i++)
	{
		const double *from = ROW(a, n, i);
		double	   *row = ROW(product, n, i);
		bool		known = markov_row_known(n, a, i);

		for (int j = 0; j < n; j++)
			row[j] = 0;
		for (int j = 0; j < n && known; j++)
		{
			if (from[j] == 0)
				continue;
			known = markov_row_known(n, b, j);
			markov_add_row(n, row, from[j], ROW(b, n, j));
		}
		if (known)
			markov_settle(n, row, i);
		else
			for (int j = 0; j < n; j++)
				row[j] = NAN;
		poll();
	}
}

void
markov_power(int n, const double *p, int64_t k, double *power, double *work, MarkovPoll poll)
{
	size_t		bytes = sizeof(double) * (size_t) n * (size_t) n;
	double	   *product = work;
	int			bit = 0;

	if (n == 0)
		return;
	memset(power, 0, bytes);
	for (int i = 0; i < n && k == 0; i++)
		ROW(power, n, i)[i] = 1;
	if (k == 0)
		return;
	/* from the highest bit down, so that one factor is always p itself */
	while (k >> (bit + 1) != 0)
		bit++;
	memcpy(power, p, bytes);
	for (bit--; bit >= 0; bit--)
	{
		markov_multiply(n, power, power, product, poll);
		memcpy(power, product, bytes);
		if ((k >> bit & 1) == 0)
			continue;
		markov_multiply(n, power, p, product, poll);
		memcpy(power, product, bytes);
	}
}

void
markov_step(int n, const double *p, const double *now, double *next)
{
	for (int j = 0; j < n; j++)
		next[j] = 0;
	for (int i = 0; i < n; i++)
		if (now[i] != 0)
			markov_add_row(n, next, now[i], ROW(p, n, i));
}
