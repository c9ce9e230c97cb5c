/*
 * markov_test.c
 *	  Markov chains: the chains of the textbooks, and brute force.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/markov.h"
#include "tap.h"

#define N_MAX 40

static double q[N_MAX * N_MAX];
static double leaving[N_MAX];
static int	states[5 * N_MAX];
static int	class_of[N_MAX];
static double passage_work[MARKOV_PASSAGE_WORK(N_MAX)];

static MarkovSystem
eliminate(int n, const double *p, const bool *inside, double discount, double remainder, bool *done)
{
	MarkovSystem system = {.states = states, .q = q, .leaving = leaving};

	*done = markov_system(n, p, inside, discount, remainder, &system, poll_nothing);
	return system;
}

/*
 * Grinstead and Snell, Introduction to Probability, chapter 11: weather in the land
 * of Oz (rain, nice, snow): shares 2/5, 1/5, 2/5, and the mean times of first passage.
 */
static void
land_of_oz(void)
{
	static const double p[] = {0.5, 0.25, 0.25, 0.5, 0, 0.5, 0.25, 0.25, 0.5};
	static const double shares[] = {0.4, 0.2, 0.4};
	static const double passage[] = {2.5, 4, 10.0 / 3, 8.0 / 3, 5, 8.0 / 3, 10.0 / 3, 4, 2.5};

	/* the fourth power, example 11.1: as printed to three places */
	static const double sixth[] = {.4, .2, .4, .4, .2, .4, .4, .2, .4};
	double		share[3];
	double		periods[9];
	double		power[9];
	double		work[9];

	tap_is(markov_classes(3, p, class_of, states), 1, "Oz: one class");
	tap_is(markov_period(3, p, class_of, 0, states), 1, "Oz: no period");
	tap_ok(markov_stationary(3, p, class_of, 0, share, q, states, poll_nothing), "Oz: a stationary distribution");
	markov_first_passage(3, p, periods, passage_work, poll_nothing);
	for (int i = 0; i < 3; i++)
		tap_near(share[i], shares[i], 1e-15, "Oz: share %d", i);
	for (int i = 0; i < 9; i++)
		tap_near(periods[i], passage[i], 1e-15, "Oz: first passage %d", i);
	markov_power(3, p, 6, power, work, poll_nothing);
	for (int i = 0; i < 9; i++)
		tap_ok(fabs(power[i] - sixth[i]) < 0.0005, "Oz: the sixth power, %d", i);
}

/* The same book's drunkard's walk, 0 and 4 are home and bar: visits, times, where it ends. */
static void
drunkard(void)
{
	static const double p[] = {1, 0, 0, 0, 0, 0.5, 0, 0.5, 0, 0, 0, 0.5, 0, 0.5, 0, 0, 0, 0.5, 0, 0.5, 0, 0, 0, 0, 1};
	static const bool inside[] = {false, true, true, true, false};
	static const double visits[] = {1.5, 1, 0.5, 1, 2, 1, 0.5, 1, 1.5};
	static const double times[] = {3, 4, 3};
	static const double home[] = {0.75, 0.5, 0.25};
	bool		done;
	bool		closed[5];
	double		b[3 * 4] = {1, 0, 0, 0.5, 0, 1, 0, 0, 0, 0, 1, 0};
	double		mean[5];
	double		variance[5];
	MarkovSystem system = eliminate(5, p, inside, 1, 0, &done);

	tap_ok(done && system.size == 3, "drunkard: three states inside");
	markov_solve(&system, 4, b, poll_nothing);
	markov_periods(5, p, &system, mean, variance, poll_nothing);
	for (int i = 0; i < 3; i++)
	{
		for (int j = 0; j < 3; j++)
			tap_near(b[i * 4 + j], visits[i * 3 + j], 1e-15, "drunkard: visits from %d to %d", i + 1, j + 1);
		tap_near(b[i * 4 + 3], home[i], 1e-15, "drunkard: home from %d", i + 1);
		tap_near(mean[i + 1], times[i], 1e-15, "drunkard: time from %d", i + 1);
		/* Kemeny and Snell: (2 N - I) tau - tau^2 */
		tap_near(variance[i + 1], 8, 1e-14, "drunkard: variance from %d", i + 1);
	}
	tap_is(markov_classes(5, p, class_of, states), 3, "drunkard: three classes");
	markov_closed(5, p, class_of, 3, closed);
	tap_ok(closed[class_of[0]] && closed[class_of[4]] && !closed[class_of[2]], "drunkard: home and bar are closed");
	tap_is(markov_period(5, p, class_of, class_of[1], states), 2, "drunkard: every second street");
}

/*
 * The gambler's ruin with unequal chances: P(N before 0 from i) = (1 - r^i) / (1 - r^N),
 * r = q / p, here so unequal that the answer is 1e-28.
 */
static void
gambler(void)
{
	enum
	{
		N = 29
	};
	static double p[(N + 1) * (N + 1)];
	bool		inside[N + 1];
	double		b[N + 1] = {0};
	double		r = 9;
	bool		done;
	MarkovSystem system;

	memset(p, 0, sizeof(p));
	p[0] = p[N * (N + 1) + N] = 1;
	for (int i = 0; i <= N; i++)
		inside[i] = i > 0 && i < N;
	for (int i = 1; i < N; i++)
	{
		p[i * (N + 1) + i + 1] = 0.1;
		p[i * (N + 1) + i - 1] = 0.9;
	}
	system = eliminate(N + 1, p, inside, 1, 0, &done);
	b[N - 2] = 0.1;
	markov_solve(&system, 1, b, poll_nothing);
	for (int i = 1; i < N; i++)
		tap_near(b[i - 1], (pow(r, i) - 1) / (pow(r, N) - 1), 1e-13, "gambler: all from %d of %d", i, N);
}

/* Ehrenfest's urn: shares are binomial; and a ring that nearly never leaves a half */
static void
long_run(void)
{
	enum
	{
		N = 21
	};
	static double p[N * N];
	static double periods[N * N];
	double		share[N];
	double		choose = 1;
	static const double slow[] = {1 - 1e-13, 1e-13, 3e-13, 1 - 3e-13};

	memset(p, 0, sizeof(p));
	for (int i = 0; i < N; i++)
	{
		if (i > 0)
			p[i * N + i - 1] = i / (N - 1.0);
		if (i < N - 1)
			p[i * N + i + 1] = (N - 1.0 - i) / (N - 1);
	}
	markov_classes(N, p, class_of, states);
	tap_is(markov_period(N, p, class_of, 0, states), 2, "urn: period 2");
	markov_stationary(N, p, class_of, 0, share, q, states, poll_nothing);
	markov_first_passage(N, p, periods, passage_work, poll_nothing);
	for (int i = 0; i < N; i++)
	{
		tap_near(share[i], ldexp(choose, 1 - N), 1e-13, "urn: share %d", i);
		tap_near(periods[i * N + i], 1 / share[i], 1e-12, "urn: mean time of return %d", i);
		choose = choose * (N - 1 - i) / (i + 1);
	}
	markov_classes(2, slow, class_of, states);
	markov_stationary(2, slow, class_of, 0, share, q, states, poll_nothing);
	tap_near(share[0], 0.75, 1e-15, "two states that hardly move: 3 to 1");
}

/* Random chains with holes: systems by their equations, passages by theirs, powers by steps. */
static void
random_chains(void)
{
	uint64_t	seed = 43;
	double		system_error = 0;
	double		passage_error = 0;
	double		power_error = 0;
	int			wrong_infinite = 0;

	for (int round = 0; round < 150; round++)
	{
		int			n = 1 + random_below(&seed, 12);
		double		p[144];
		bool		inside[12];
		double		x[12];
		double		b[12];
		double		periods[144];
		double		power[144];
		double		work[144];
		double		now[12] = {0};
		double		next[12];
		double		discount = 0.5 + random_uniform(&seed) / 2;
		bool		reach[144];
		bool		done;
		int64_t		steps = random_below(&seed, 40);
		int			from = random_below(&seed, n);
		MarkovSystem system;

		for (int i = 0; i < n; i++)
		{
			double		sum = 0;

			for (int j = 0; j < n; j++)
				sum += p[i * n + j] = random_below(&seed, 3) == 0 ? random_uniform(&seed) : 0;
			if (sum == 0)
				sum = p[i * n + random_below(&seed, n)] = 1;
			for (int j = 0; j < n; j++)
			{
				p[i * n + j] /= sum;
				reach[i * n + j] = p[i * n + j] > 0;
			}
			inside[i] = random_below(&seed, 4) > 0;
			b[i] = random_uniform(&seed);
		}
		system = eliminate(n, p, inside, discount, 1 - discount, &done);
		for (int i = 0; i < system.size; i++)
			x[i] = b[system.states[i]];
		markov_solve(&system, 1, x, poll_nothing);
		for (int i = 0; i < system.size; i++)
		{
			double		right = b[system.states[i]];

			for (int j = 0; j < system.size; j++)
				right += discount * p[system.states[i] * n + system.states[j]] * x[j];
			system_error = fmax(system_error, tap_error(x[i], right));
		}
		/* Warshall: who reaches whom */
		for (int k = 0; k < n; k++)
			for (int i = 0; i < n; i++)
				for (int j = 0; j < n; j++)
					reach[i * n + j] |= reach[i * n + k] && reach[k * n + j];
		markov_first_passage(n, p, periods, passage_work, poll_nothing);
		for (int i = 0; i < n; i++)
			for (int j = 0; j < n; j++)
			{
				double		right = 1;
				bool		certain = reach[i * n + j];

				/* certain: whatever can be reached without passing j can reach j */
				for (int k = 0; k < n && certain; k++)
					if (reach[i * n + k] && !reach[k * n + j])
					{
						/* k may be beyond j alone: then it does not matter; look for a way around */
						bool		seen[12] = {false};
						int			stack[12];
						int			top = 0;

						stack[top++] = i;
						while (top > 0)
						{
							int			at = stack[--top];

							for (int l = 0; l < n; l++)
								if (p[at * n + l] > 0 && l != j && !seen[l])
								{
									seen[l] = true;
									stack[top++] = l;
								}
						}
						certain = !seen[k];
					}
				wrong_infinite += isfinite(periods[i * n + j]) != certain;
				if (!certain)
					continue;
				for (int k = 0; k < n; k++)
					if (k != j && p[i * n + k] > 0)
						right += p[i * n + k] * periods[k * n + j];
				passage_error = fmax(passage_error, tap_error(periods[i * n + j], right));
			}
		markov_power(n, p, steps, power, work, poll_nothing);
		now[from] = 1;
		for (int64_t s = 0; s < steps; s++)
		{
			markov_step(n, p, now, next);
			memcpy(now, next, sizeof(double) * n);
		}
		for (int j = 0; j < n; j++)
			power_error = fmax(power_error, fabs(now[j] - power[from * n + j]));
	}
	tap_ok(system_error < 1e-12, "(I - discount P) x = b of 150 chains: %.1e", system_error);
	tap_ok(passage_error < 1e-12, "first passages of them by their equations: %.1e", passage_error);
	tap_is(wrong_infinite, 0, "and infinite just where a state may be missed for ever");
	tap_ok(power_error < 1e-13, "powers by single steps: %.1e", power_error);
}

/* 0 -> 1 -> 2 (unknown), 3 stays: what cannot be known, and by which row. */
static void
unknown_rows(void)
{
	static const double p[] = {0.5, 0.5, 0, 0, 0, 0, 1, 0, NAN, NAN, NAN, NAN, 0, 0, 0, 1};
	uint64_t	into[4];
	MarkovGraph graph;
	int			unknown[4];
	int			stack[8];
	int			causes[4];
	double		power[16];
	double		work[16];

	tap_is(MARKOV_GRAPH_WORDS(4), 1, "four states: a word a row");
	markov_graph(4, p, into, &graph);
	markov_unknowns(&graph, p, unknown, stack);
	tap_ok(unknown[0] == 2 && unknown[1] == 2 && unknown[2] == 2 && unknown[3] == MARKOV_DEFINED,
		   "three states come by the unknown row");
	tap_is(markov_unknown_within(4, p, 0, 1, stack), MARKOV_DEFINED, "not in one step from 0");
	tap_is(markov_unknown_within(4, p, 0, 3, stack), 2, "but in three");
	markov_passage_causes(&graph, p, unknown, 3, causes, stack);
	tap_is(causes[0], 2, "whether 0 comes to 3 is not known, because of row 2");
	markov_passage_causes(&graph, p, unknown, 0, causes, stack);
	tap_is(causes[3], MARKOV_NEVER, "3 never comes to 0");
	markov_power(4, p, 3, power, work, poll_nothing);
	tap_ok(isnan(power[0]) && power[15] == 1 && power[12] == 0, "a power has the rows that are known");
}

int
main(void)
{
	land_of_oz();
	drunkard();
	gambler();
	long_run();
	random_chains();
	unknown_rows();
	return tap_done();
}
