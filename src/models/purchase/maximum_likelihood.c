/*
 * maximum_likelihood.c
 *	  Maximum likelihood for the models of purchase_model.h.
 *
 * The search is over the logarithms of the parameters, for the likelihood per
 * customer: so neither the unit of time (or money) nor the number of customers
 * changes its course.  Of many rows first a sample is fitted, which gives a
 * point and a curvature so near that few looks at all rows are left to do.
 *
 * Promises: see purchase_model.h; says "converged" only where the gradient is zero, the
 * curvature is that of a top and no parameter is at the edge of what is searched.
 * Never: draws random numbers, keeps anything between calls.
 */
#include <math.h>
#include <string.h>

#include "math/small_matrix.h"
#include "math/trust_region.h"
#include "models/purchase/purchase_model.h"

/*
 * The edges of the search: parameters within these factors of their natural
 * scale, which is 1, or the customers' mean age or spend.
 */
#define LN_LOWER	(-16.1)		/* 1e-7 */
#define LN_UPPER	20.7		/* 1e9 */

/* As far from its scale a parameter in a flat direction is taken to run. */
#define LN_FAR		4.6

/*
 * Steps of ln(parameters): that are nothing, in the end and in a search for a
 * start; and that are so short that the curvature may be measured there.
 */
#define TOLERANCE		1e-10
#define TOLERANCE_START	1e-5
#define SETTLE			1e-6
#define SETTLE_START	1e-3
#define SETTLE_MANY		2e-5

#define MAX_STEPS		100

/* Of the whole log-likelihood: less, for a parameter that grows e-fold, is nothing. */
#define LEAST_GAIN		1e-5

/* Two searches that end as near have found the same. */
#define SAME_LIKELIHOOD	1e-3

/* Per customer; what is smaller is zero. */
#define GRADIENT_ZERO	1e-7

/* Eigenvalues of the curvature beside the largest: zero, small */
#define CURVATURE_ZERO	1e-9
#define CURVATURE_FLAT	1e-3

/*
 * Many rows are fitted by way of samples of about as many; a sample that is not
 * this much smaller than its rows is not worth it.
 */
static const size_t sample_sizes[] = {256, 2048};

#define SAMPLE_LEVELS	2
#define SAMPLE_SHARE	4
#define SAMPLE_ROUNDS	4

#define POLL_ROWS		4096

/* A likelihood and the rows it is of: purchases or spend, the other model is NULL. */
typedef struct Problem
{
	const PurchaseModel *purchase;
	const SpendModel *spend;
	int			nparams;
	const int  *powers;			/* of the unit of a row's number "measure" in the parameters */
	int			measure;
	const double *rows;			/* ModelRow or SpendRow */
	int			width;			/* of a row; the last of its numbers is the count */
	size_t		n;
	double		customers;
	double		ln_scale[MODEL_PARAMS_MAX];
	ModelPoll	poll;
} Problem;

static double
likelihood(void *arg, const double *at, double *gradient)
{
	const Problem *problem = arg;
	double		params[MODEL_PARAMS_MAX];
	double		value;

	for (int i = 0; i < problem->nparams; i++)
	{
		params[i] = exp(at[i]);
		gradient[i] = 0;
	}
	if (problem->purchase)
		value = problem->purchase->log_likelihood(params, (const ModelRow *) problem->rows,
												  problem->n, gradient, problem->poll);
	else
		value = problem->spend->log_likelihood(params, (const SpendRow *) problem->rows,
											   problem->n, gradient, problem->poll);
	for (int i = 0; i < problem->nparams; i++)
		gradient[i] /= problem->customers;
	return value / problem->customers;
}

static void
poll_rows(const Problem *problem, size_t i)
{
	if (problem->poll && i % POLL_ROWS == 0)
		problem->poll();
}

/* Customers, and the natural scales of the parameters. */
static void
maximum_likelihood_count_customers(Problem *problem)
{
	double		sum = 0;

	problem->customers = 0;
	for (size_t i = 0; i < problem->n; i++)
	{
		const double *row = problem->rows + i * problem->width;
		double		count = row[problem->width - 1];

		poll_rows(problem, i);
		problem->customers += count;
		sum += count * row[problem->measure];
	}
	for (int i = 0; i < problem->nparams; i++)
		problem->ln_scale[i] = 0;
	if (sum > 0 && isfinite(sum))
		for (int i = 0; i < problem->nparams; i++)
			if (problem->powers[i] != 0)
				problem->ln_scale[i] = problem->powers[i] * log(sum / problem->customers);
}

/* ---------- searching ---------- */

/* A search that would do for a start of another, from no place yet. */
static void
prepare(Problem *problem, Maximum *m)
{
	memset(m, 0, sizeof(*m));
	m->n = problem->nparams;
	m->function = likelihood;
	m->arg = problem;
	for (int i = 0; i < problem->nparams; i++)
	{
		m->lower[i] = problem->ln_scale[i] + LN_LOWER;
		m->upper[i] = problem->ln_scale[i] + LN_UPPER;
	}
	m->least_gain = LEAST_GAIN / problem->customers;
	m->tolerance = TOLERANCE_START;
	m->settle = SETTLE_START;
	m->max_steps = MAX_STEPS;
}

/* The model's own starts as logarithms, those with the highest likelihood first. */
static int
ordered_starts(Problem *problem, double starts[][MODEL_PARAMS_MAX])
{
	double		values[MODEL_STARTS_MAX];
	int			n;

	if (problem->purchase)
		n = problem->purchase->starts((const ModelRow *) problem->rows, problem->n, starts);
	else
		n = problem->spend->starts((const SpendRow *) problem->rows, problem->n, starts);
	if (n == 0)
	{
		for (int k = 0; k < problem->nparams; k++)
			starts[0][k] = exp(problem->ln_scale[k]);
		n = 1;
	}

	for (int i = 0; i < n; i++)
	{
		double		at[MODEL_PARAMS_MAX];
		double		gradient[MODEL_PARAMS_MAX];
		double		value;
		int			place = i;

		for (int k = 0; k < problem->nparams; k++)
		{
			double		ln = log(starts[i][k]) - problem->ln_scale[k];

			/* a start that is no number is one in the middle */
			at[k] = isnan(ln) ? 0 : fmin(fmax(ln, LN_LOWER), LN_UPPER);
			at[k] += problem->ln_scale[k];
		}
		value = likelihood(problem, at, gradient);
		if (isnan(value))
			value = -HUGE_VAL;
		for (; place > 0 && values[place - 1] < value; place--)
		{
			values[place] = values[place - 1];
			memcpy(starts[place], starts[place - 1], sizeof(starts[place]));
		}
		values[place] = value;
		memcpy(starts[place], at, sizeof(starts[place]));
	}
	return n;
}

/*
 * The highest top that is found from the starts: until two searches agree, or
 * there are no more.
 */
static TrustRegionEnd
search_starts(Problem *problem, Maximum *best, FitResult *result)
{
	double		starts[MODEL_STARTS_MAX][MODEL_PARAMS_MAX];
	int			n = ordered_starts(problem, starts);
	TrustRegionEnd best_end = MAXIMISE_NOWHERE;

	for (int i = 0; i < n; i++)
	{
		Maximum		m;
		TrustRegionEnd end;
		double		more;
		bool		same;
		bool		agree;

		prepare(problem, &m);
		memcpy(m.at, starts[i], sizeof(starts[i]));
		end = trust_region_maximise(&m);

		if (i == 0 || best_end == MAXIMISE_NOWHERE)
		{
			*best = m;
			best_end = end;
			continue;
		}
		if (end == MAXIMISE_NOWHERE)
			continue;
		more = m.value - best->value;
		same = fabs(more) * problem->customers <= SAME_LIKELIHOOD;
		agree = same && end == best_end;
		if (same && !agree ? end == MAXIMISE_TOP : more > 0)
		{
			*best = m;
			best_end = end;
		}
		if (agree)
			break;
	}
	result->iterations = best->steps;
	return best_end;
}

/* ---------- samples ---------- */

/*
 * How many customers a row of the sample may stand for, if the others stand for
 * themselves and all are to have room.  From the mean of a row on every round
 * finds more rows with at least as many, and so a smaller number for the rest.
 */
static double
sample_step(const Problem *problem, size_t room)
{
	double		step = HUGE_VAL;

	for (int round = 0; round < SAMPLE_ROUNDS; round++)
	{
		double		light = 0;
		size_t		heavy = 0;

		for (size_t i = 0; i < problem->n; i++)
		{
			double		count = problem->rows[(i + 1) * problem->width - 1];

			poll_rows(problem, i);
			if (count < step)
				light += count;
			else
				heavy++;
		}
		if (light == 0 || heavy >= room)
			break;
		step = ceil(light / (double) (room - heavy));
	}
	return step;
}

/*
 * Rows to stand for all: those of many customers themselves, and of the others
 * one at every "step" customers, in the order of the rows, which stands for as
 * many.  Rows being ascending, each kind of customer has its share.  Returns how
 * many rows.
 */
static size_t
sample_rows(const Problem *problem, size_t room, double *sample)
{
	int			width = problem->width;
	double		step = sample_step(problem, room - 1);
	double		passed = floor(step / 2);
	size_t		chosen = 0;

	for (size_t i = 0; i < problem->n && chosen < room; i++)
	{
		const double *row = problem->rows + i * width;
		double		count = row[width - 1];

		poll_rows(problem, i);
		if (count < step)
		{
			passed += count;
			if (passed < step)
				continue;
			passed -= step;
			count = step;
		}
		memcpy(sample + chosen * width, row, sizeof(double) * width);
		sample[chosen * width + width - 1] = count;
		chosen++;
	}
	return chosen;
}

/* ---------- parameters that run away ---------- */

/* How far ln(parameter) is from its natural scale. */
static double
outward(const Problem *problem, const Maximum *m, int i)
{
	return m->at[i] - problem->ln_scale[i];
}

static bool
at_edge(const Maximum *m, int i)
{
	return m->at[i] <= m->lower[i] || m->at[i] >= m->upper[i];
}

/*
 * Of the parameters that move in the directions that are flat, given by the
 * eigenvalues and -vectors of the curvature, the farthest from its scale.
 */
static int
farthest_in_flat(const Problem *problem, const Maximum *m, const double *third,
				 const double *vectors)
{
	int			n = m->n;
	int			farthest = -1;

	for (int i = 0; i < n; i++)
	{
		double		share = vectors[i * n] * vectors[i * n];

		for (int k = 1; k < n && third[k] <= CURVATURE_FLAT * third[n - 1]; k++)
			share += vectors[i * n + k] * vectors[i * n + k];
		if (share >= 1.0 / (4 * n) &&
			(farthest < 0 ||
			 fabs(outward(problem, m, i)) > fabs(outward(problem, m, farthest))))
			farthest = i;
	}
	return farthest;
}

/*
 * A search that came to a plateau by way of a sample, though all rows would have
 * it come back: start it again where the plateau begins.  False where they don't.
 */
static bool
pull_back(const Problem *problem, Maximum *m)
{
	int			n = m->n;
	int			far;
	double		third[DENSE_MAX];
	double		vectors[DENSE_MAX * DENSE_MAX];
	double		slope = 0;
	double		way;

	if (!m->curvature_known)
		return false;
	symmetric_eigen(n, m->curvature, third, vectors);
	far = farthest_in_flat(problem, m, third, vectors);
	way = fabs(outward(problem, m, far)) - LN_FAR;
	for (int i = 0; i < n; i++)
		slope += m->gradient[i] * vectors[i * n];
	if (outward(problem, m, far) * vectors[far * n] > 0)
		slope = -slope;
	if (way <= 0 || slope <= 0 || fabs(vectors[far * n]) < 0.1)
		return false;

	way = copysign(way, -outward(problem, m, far)) / vectors[far * n];
	for (int i = 0; i < n; i++)
		m->at[i] += way * vectors[i * n];
	m->curvature_known = false;
	return true;
}

/* ---------- what was found ---------- */

static void
runs_away(FitResult *result, int param, double distance)
{
	result->reason = distance > 0 ? FIT_TO_INFINITY : FIT_TO_ZERO;
	result->reason_param = param;
}

/* Why the point is no maximum to rely on; bend and vectors are the curvature's. */
static void
find_reason(const Problem *problem, const Maximum *m, const double *third,
			const double *vectors, FitResult *result)
{
	int			farthest = farthest_in_flat(problem, m, third, vectors);

	for (int i = 0; i < m->n; i++)
	{
		if (at_edge(m, i))
		{
			runs_away(result, i, outward(problem, m, i));
			return;
		}
	}
	if (fabs(outward(problem, m, farthest)) > LN_FAR)
		runs_away(result, farthest, outward(problem, m, farthest));
	else if (third[0] <= CURVATURE_ZERO * third[m->n - 1])
		result->reason = FIT_FLAT;
	else
		result->reason = FIT_STOPPED;
}

/* Covariance of the parameters: of their logarithms, by the delta method. */
static void
fill_covariance(const Problem *problem, const Maximum *m, FitResult *result)
{
	int			n = m->n;
	double		lower[DENSE_MAX * DENSE_MAX];
	double		inverse[DENSE_MAX * DENSE_MAX];

	if (!cholesky(n, m->curvature, lower))
		return;
	small_cholesky_inverse(n, lower, inverse);
	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			result->covariance[i * n + j] =
				inverse[i * n + j] * (result->params[i] * result->params[j]) / problem->customers;
}

static void
fill_result(const Problem *problem, Maximum *m, TrustRegionEnd end, FitResult *result)
{
	int			n = m->n;
	double		third[DENSE_MAX];
	double		vectors[DENSE_MAX * DENSE_MAX];
	bool		top = end == MAXIMISE_TOP;

	for (int i = 0; i < n; i++)
		result->params[i] = exp(m->at[i]);
	result->log_likelihood = m->value * problem->customers;
	result->reason = FIT_STOPPED;
	if (end == MAXIMISE_NOWHERE)
		return;

	result->gradient_norm = 0;
	for (int i = 0; i < n; i++)
	{
		result->gradient_norm = fmax(result->gradient_norm, fabs(m->gradient[i]));
		if (at_edge(m, i))
			top = false;
	}
	if (!m->curvature_known)
		return;
	symmetric_eigen(n, m->curvature, third, vectors);
	if (top && result->gradient_norm <= GRADIENT_ZERO && third[0] > CURVATURE_ZERO * third[n - 1])
	{
		result->converged = true;
		result->reason = FIT_CONVERGED;
		fill_covariance(problem, m, result);
	}
	else
		find_reason(problem, m, third, vectors, result);
}

static void
clear_result(int nparams, FitResult *result)
{
	memset(result, 0, sizeof(*result));
	result->nparams = nparams;
	result->reason = FIT_NO_CUSTOMERS;
	result->reason_param = -1;
	result->gradient_norm = NAN;
	result->log_likelihood = NAN;
	for (int i = 0; i < nparams; i++)
		result->params[i] = NAN;
	for (int i = 0; i < nparams * nparams; i++)
		result->covariance[i] = NAN;
}

/* On from where a search has come, with other rows or more exactly. */
static TrustRegionEnd
newton_on(Problem *problem, Maximum *m, FitResult *result)
{
	TrustRegionEnd end;
	Maximum		plateau;

	m->arg = problem;
	m->least_gain = LEAST_GAIN / problem->customers;
	end = trust_region_maximise(m);
	result->iterations += m->steps;
	if (end != MAXIMISE_STALLED)
		return end;

	plateau = *m;
	if (pull_back(problem, m))
	{
		end = trust_region_maximise(m);
		result->iterations += m->steps;
		if (end != MAXIMISE_NOWHERE && m->value >= plateau.value)
			return end;
		*m = plateau;
	}
	return MAXIMISE_STALLED;
}

/*
 * A first search in samples, each larger than the one before, into *m.  Returns
 * how it ended; MAXIMISE_NOWHERE also where the rows are too few for a sample.
 */
static TrustRegionEnd
search_samples(const Problem *problem, double *scratch, Maximum *m, FitResult *result)
{
	TrustRegionEnd end = MAXIMISE_NOWHERE;

	for (int level = 0; level < SAMPLE_LEVELS; level++)
	{
		Problem		sample = *problem;

		if (problem->n < SAMPLE_SHARE * sample_sizes[level])
			break;
		sample.rows = scratch;
		sample.n = sample_rows(problem, sample_sizes[level], scratch);
		maximum_likelihood_count_customers(&sample);
		memcpy(sample.ln_scale, problem->ln_scale, sizeof(sample.ln_scale));
		if (end == MAXIMISE_NOWHERE)
			end = search_starts(&sample, m, result);
		else
			end = newton_on(&sample, m, result);
	}
	return end;
}

static void
fit(Problem *problem, double *scratch, FitResult *result)
{
	bool		many = scratch && problem->n >= SAMPLE_SHARE * sample_sizes[SAMPLE_LEVELS - 1];
	Maximum		m;
	TrustRegionEnd end = MAXIMISE_NOWHERE;

	clear_result(problem->nparams, result);
	maximum_likelihood_count_customers(problem);
	if (!(problem->customers > 0))
		return;

	if (scratch)
		end = search_samples(problem, scratch, &m, result);
	if (end == MAXIMISE_NOWHERE)
		search_starts(problem, &m, result);
	m.tolerance = TOLERANCE;
	m.settle = many ? SETTLE_MANY : SETTLE;
	m.two_sided = !many;
	end = newton_on(problem, &m, result);
	fill_result(problem, &m, end, result);
}

static bool
nobody_returned(const ModelRow *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (rows[i].x > 0)
			return false;
	return true;
}

void
model_fit(const PurchaseModel *model, const ModelRow *rows, size_t n, ModelRow *scratch,
		  ModelPoll poll, FitResult *result)
{
	Problem		problem = {0};

	problem.purchase = model;
	problem.nparams = model->nparams;
	problem.powers = model->time_powers;
	problem.measure = offsetof(ModelRow, age) / sizeof(double);
	problem.rows = (const double *) rows;
	problem.width = sizeof(ModelRow) / sizeof(double);
	problem.n = n;
	problem.poll = poll;
	fit(&problem, (double *) scratch, result);

	if (!model->contract && result->reason != FIT_NO_CUSTOMERS && nobody_returned(rows, n))
	{
		result->converged = false;
		result->reason = FIT_NO_REPEATS;
		result->reason_param = -1;
	}
}

void
spend_fit(const SpendModel *model, const SpendRow *rows, size_t n, SpendRow *scratch,
		  ModelPoll poll, FitResult *result)
{
	Problem		problem = {0};

	problem.spend = model;
	problem.nparams = model->nparams;
	problem.powers = model->money_powers;
	problem.measure = offsetof(SpendRow, z) / sizeof(double);
	problem.rows = (const double *) rows;
	problem.width = sizeof(SpendRow) / sizeof(double);
	problem.n = n;
	problem.poll = poll;
	fit(&problem, (double *) scratch, result);
}
