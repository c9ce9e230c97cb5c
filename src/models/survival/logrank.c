/*
 * logrank.c
 *	  Do groups leave at the same rate?  The log-rank test.
 *
 * Promises: see logrank.h.
 *
 * The covariance matrix V = sum of c (diag(p) - p p'), p the shares of the groups
 * at risk, has no positive entry off its diagonal, and its rows add up to zero: it
 * is the Laplacian of a graph in which groups are joined that were at risk together.
 * So its rank is the number of groups less that of the connected parts, and it can
 * be eliminated without a subtraction (Grassmann, Taksar and Heyman 1985): what is
 * left has the same form, however unequal the groups are.
 */
#include "models/survival/logrank.h"

#include <math.h>

#define POLL_STEPS	65536

static void
logrank_poll(Logrank *test, size_t *steps, size_t more)
{
	*steps += more;
	if (*steps >= POLL_STEPS)
	{
		*steps = 0;
		test->poll();
	}
}

/* Groups of which somebody is at risk, behind the active ones, and their shares. */
static int
find_present(Logrank *test, int nactive, double at_risk)
{
	int		   *present = test->active + test->ngroups;
	int			npresent = 0;

	for (int k = 0; k < nactive; k++)
	{
		int64_t		here = test->groups[test->active[k]].at_risk;

		if (here == 0)
			continue;
		test->shares[npresent] = (double) here / at_risk;
		present[npresent++] = test->active[k];
	}
	return npresent;
}

/* What a time with events, of all at risk, adds. */
static void
add_events(Logrank *test, int npresent, double at_risk, double events, double weight)
{
	const int  *present = test->active + test->ngroups;
	const double *shares = test->shares;
	double		spread = 0;

	/* one customer alone tells nothing */
	if (at_risk > 1)
		spread = weight * weight * events * ((at_risk - events) / (at_risk - 1));
	for (int i = 0; i < npresent; i++)
	{
		LogrankGroup *group = &test->groups[present[i]];
		double		here = (double) group->at_risk;

		group->expected += weight * (events * here / at_risk);
		group->variance += spread * shares[i] * ((at_risk - here) / at_risk);
	}
	if (test->together == NULL || spread == 0)
		return;
	for (int i = 0; i < npresent; i++)
	{
		double	   *row = test->together + (size_t) present[i] * test->ngroups;
		double		factor = spread * shares[i];

		for (int j = i + 1; j < npresent; j++)
			row[present[j]] += factor * shares[j];
	}
}

/* The groups of a stratum, ascending; all of them at risk unless they enter later. */
static int
begin_stratum(Logrank *test, const LogrankRow *rows, size_t from, size_t to, bool later)
{
	int			nactive = 0;

	for (size_t i = from; i < to; i++)
	{
		LogrankGroup *group = &test->groups[rows[i].group];

		if (!group->active)
			group->at_risk = 0;
		group->active = true;
		if (!later)
			group->at_risk += rows[i].count;
	}
	for (int k = 0; k < test->ngroups; k++)
	{
		if (test->groups[k].active)
			test->active[nactive++] = k;
		test->groups[k].active = false;
	}
	return nactive;
}

static void
add_stratum(Logrank *test, const LogrankRow *rows, size_t from, size_t to, const size_t *by_entry,
			size_t *steps)
{
	int			nactive = begin_stratum(test, rows, from, to, by_entry != NULL);
	size_t		entered = from;
	double		survival = 1;

	logrank_poll(test, steps, test->ngroups);
	for (size_t i = from, next; i < to; i = next)
	{
		int64_t		time = rows[i].time;
		int64_t		events = 0;
		int64_t		at_risk = 0;
		double		weight = test->rho == 0 ? 1 : pow(survival, test->rho);

		for (; by_entry != NULL && entered < to && rows[by_entry[entered]].entry < time; entered++)
			test->groups[rows[by_entry[entered]].group].at_risk += rows[by_entry[entered]].count;
		for (next = i; next < to && rows[next].time == time; next++)
		{
			if (!rows[next].event)
				continue;
			events += rows[next].count;
			test->groups[rows[next].group].observed += weight * (double) rows[next].count;
		}
		if (events > 0)
		{
			int			npresent;

			for (int k = 0; k < nactive; k++)
				at_risk += test->groups[test->active[k]].at_risk;
			npresent = find_present(test, nactive, (double) at_risk);
			add_events(test, npresent, (double) at_risk, (double) events, weight);
			survival *= (double) (at_risk - events) / (double) at_risk;
			logrank_poll(test, steps, nactive + (test->together == NULL ? 0 : (size_t) npresent * npresent));
		}
		for (size_t k = i; k < next; k++)
			test->groups[rows[k].group].at_risk -= rows[k].count;
		logrank_poll(test, steps, next - i);
	}
}

void
logrank_add(Logrank *test, const LogrankRow *rows, size_t n, const size_t *by_entry)
{
	size_t		steps = 0;

	for (size_t from = 0, to; from < n; from = to)
	{
		for (to = from + 1; to < n && rows[to].stratum == rows[from].stratum; to++)
			;
		add_stratum(test, rows, from, to, by_entry, &steps);
	}
}

double
logrank_chi_square(Logrank *test, double *work, int *degrees)
{
	int			n = test->ngroups;
	double	   *joined = test->together;
	double		chi_square = 0;
	size_t		steps = 0;

	*degrees = 0;
	for (int i = 0; i < n; i++)
		work[i] = test->groups[i].observed - test->groups[i].expected;
	/* group by group, what it says goes over to those it was compared with */
	for (int i = 0; i < n; i++)
	{
		const double *row = joined + (size_t) i * n;
		double		diagonal = 0;

		for (int j = i + 1; j < n; j++)
			diagonal += row[j];
		/* the last one of its part says what the others have said */
		if (diagonal == 0)
			continue;
		(*degrees)++;
		chi_square += work[i] * work[i] / diagonal;
		for (int j = i + 1; j < n; j++)
		{
			double		share = row[j] / diagonal;

			if (share == 0)
				continue;
			work[j] += work[i] * share;
			for (int k = j + 1; k < n; k++)
				joined[(size_t) j * n + k] += share * row[k];
			logrank_poll(test, &steps, n - i);
		}
	}
	return chi_square;
}
