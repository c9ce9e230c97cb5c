/*
 * classifier_test.c
 *	  Logistic regression and boosted trees: what makes a maximum one, splits found by
 *	  trying all, and Shapley values by their definition.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "math/small_matrix.h"
#include "models/classifier/boost.h"
#include "models/classifier/logistic.h"
#include "tap.h"

#define N_MAX 600
#define COLUMNS_MAX 6

typedef struct Rows
{
	int			n;
	int			columns;
	double		x[N_MAX * COLUMNS_MAX];
	double		y[N_MAX];
	double		w[N_MAX];
	long		taken;			/* pieces of memory, not given back */
} Rows;

static void
rows_read(void *arg, int64_t from, int count, double *x, double *y, double *w)
{
	const Rows *rows = arg;

	memcpy(x, rows->x + from * rows->columns, sizeof(double) * count * rows->columns);
	memcpy(y, rows->y + from, sizeof(double) * count);
	memcpy(w, rows->w + from, sizeof(double) * count);
}

static void *
rows_alloc(void *arg, size_t size)
{
	((Rows *) arg)->taken++;
	return malloc(size > 0 ? size : 1);
}

static void
rows_release(void *arg, void *memory)
{
	((Rows *) arg)->taken--;
	free(memory);
}

static void
rows_poll(void *arg)
{
	(void) arg;
	polls++;
}

static RowSource
source_of(Rows *rows)
{
	return (RowSource) {rows, rows->n, rows->columns, rows_read, rows_alloc, rows_release, rows_poll};
}

/* Columns of all sizes, the last ones of few values; outcomes that depend on the first two. */
static void
random_rows(uint64_t *seed, Rows *rows, int n, int columns)
{
	static const double scale[COLUMNS_MAX] = {1, 1e6, 1e-3, 1, 1, 1};

	rows->n = n;
	rows->columns = columns;
	for (int i = 0; i < n; i++)
	{
		double	   *x = rows->x + i * columns;
		double		eta = -0.3;

		for (int j = 0; j < columns; j++)
		{
			double		u = j < 3 ? random_uniform(seed) - 0.3 : random_below(seed, j - 1);

			x[j] = u * scale[j] + (j == 1 ? 1e7 : 0);
			eta += j == 0 ? 2 * u : j == 1 ? -u : j == 3 ? 0.8 * u : 0;
		}
		rows->y[i] = random_uniform(seed) < 1 / (1 + exp(-eta));
		rows->w[i] = 1 + random_below(seed, 4);
	}
	/* both outcomes */
	rows->y[0] = 0;
	rows->y[n - 1] = 1;
}

/* ---------- logistic regression ---------- */

/* sum w z z' of p (1 - p), intercept last; and the gradient of the penalised likelihood */
static void
at_top(const Rows *rows, const LogisticTerm *terms, double lambda, double *hessian, double *gradient,
	   double *log_likelihood)
{
	int			k = rows->columns + 1;

	memset(hessian, 0, sizeof(double) * k * k);
	memset(gradient, 0, sizeof(double) * k);
	*log_likelihood = 0;
	for (int i = 0; i < rows->n; i++)
	{
		double		z[COLUMNS_MAX + 1];
		double		eta = 0;
		double		p;

		for (int j = 0; j < k; j++)
		{
			z[j] = j == k - 1 ? 1 :
				terms[j].sd > 0 ? (rows->x[i * rows->columns + j] - terms[j].mean) / terms[j].sd : 0;
			eta += isnan(terms[j].coef_std) ? 0 : z[j] * terms[j].coef_std;
		}
		p = 1 / (1 + exp(-eta));
		*log_likelihood += rows->w[i] * (rows->y[i] > 0 ? -log1p(exp(-eta)) : -log1p(exp(eta)));
		for (int j = 0; j < k; j++)
		{
			gradient[j] += rows->w[i] * (rows->y[i] - p) * z[j];
			for (int l = 0; l < k; l++)
				hessian[j * k + l] += rows->w[i] * p * (1 - p) * z[j] * z[l];
		}
	}
	for (int j = 0; j < k - 1; j++)
		gradient[j] -= lambda * terms[j].coef_std;
}

static void
logistic_maximum(void)
{
	static Rows rows;
	uint64_t	seed = 83;
	static const double lambdas[] = {0, 0.5, 10};
	double		gradient_error = 0;
	double		likelihood_error = 0;
	double		se_error = 0;
	double		sandwich_error = 0;
	double		edf_error = 0;
	double		scale_error = 0;
	double		mean_error = 0;
	int			not_converged = 0;

	for (int round = 0; round < 45; round++)
	{
		int			columns = round % (COLUMNS_MAX + 1);
		int			k = columns + 1;
		double		lambda = lambdas[round % 3];
		RowSource	source;
		LogisticTerm terms[COLUMNS_MAX + 1];
		LogisticFit fit;
		double		h[49];
		double		with[49];
		double		lower[49];
		double		v[49];
		double		gradient[7];
		double		log_likelihood;
		double		edf = 0;

		random_rows(&seed, &rows, 60 + random_below(&seed, N_MAX - 60), columns);
		source = source_of(&rows);
		logistic_fit(&source, lambda, terms, &fit);
		not_converged += fit.end != LOGISTIC_CONVERGED || rows.taken != 0;
		at_top(&rows, terms, lambda, h, gradient, &log_likelihood);
		for (int j = 0; j < k; j++)
			gradient_error = fmax(gradient_error, fabs(gradient[j]) / fit.weight);
		likelihood_error = fmax(likelihood_error, tap_error(fit.log_likelihood, log_likelihood));
		memcpy(with, h, sizeof(h));
		for (int j = 0; j < columns; j++)
			with[j * k + j] += lambda;
		if (!cholesky(k, with, lower))
		{
			tap_ok(false, "the information of round %d", round);
			continue;
		}
		small_cholesky_inverse(k, lower, v);
		for (int j = 0; j < k; j++)
			edf += dot_product(k, h + j * k, v + j * k);
		edf_error = fmax(edf_error, fabs(fit.edf - edf));
		for (int j = 0; j < columns; j++)
		{
			double		sandwich = 0;
			double		mean = 0;
			double		weight = 0;

			for (int a = 0; a < k; a++)
				for (int b = 0; b < k; b++)
					sandwich += v[j * k + a] * h[a * k + b] * v[b * k + j];
			se_error = fmax(se_error, tap_error(terms[j].se * terms[j].sd, sqrt(v[j * k + j])));
			sandwich_error = fmax(sandwich_error, tap_error(terms[j].se_sandwich * terms[j].sd, sqrt(sandwich)));
			scale_error = fmax(scale_error, tap_error(terms[j].coef * terms[j].sd, terms[j].coef_std));
			for (int i = 0; i < rows.n; i++)
			{
				mean += rows.w[i] * rows.x[i * columns + j];
				weight += rows.w[i];
			}
			mean_error = fmax(mean_error, fabs(terms[j].mean - mean / weight) / terms[j].sd);
		}
		if (columns == 0)
			likelihood_error = fmax(likelihood_error, tap_error(fit.log_likelihood_null, fit.log_likelihood));
	}
	tap_is(not_converged, 0, "45 regressions converge, and give all memory back");
	tap_ok(gradient_error < 1e-10, "the gradient there is 0: %.1e", gradient_error);
	tap_ok(likelihood_error < 1e-11, "the likelihood, row by row: %.1e", likelihood_error);
	tap_ok(se_error < 1e-6, "standard errors by the information: %.1e", se_error);
	tap_ok(sandwich_error < 1e-6, "those of the sandwich: %.1e", sandwich_error);
	tap_ok(edf_error < 1e-6, "effective degrees of freedom: %.1e", edf_error);
	tap_ok(scale_error < 1e-12, "coefficients of columns as they are: %.1e", scale_error);
	tap_ok(mean_error < 1e-9, "means of columns: %.1e", mean_error);
}

/* Twice two: the coefficient is the log of the odds ratio, its variance the sum of 1 / count. */
static void
logistic_by_hand(void)
{
	static Rows rows;
	RowSource	source;
	LogisticTerm terms[2];
	LogisticTerm moved[2];
	LogisticFit fit;

	rows = (Rows) {.n = 4, .columns = 1, .x = {0, 0, 1, 1}, .y = {0, 1, 0, 1}, .w = {50, 10, 30, 40}};
	source = source_of(&rows);
	logistic_fit(&source, 0, terms, &fit);
	tap_near(terms[0].coef, log(40.0 / 30 * 50 / 10), 1e-12, "the log of the odds ratio");
	tap_near(terms[1].coef, log(10.0 / 50), 1e-12, "the intercept");
	tap_near(terms[0].se, sqrt(1.0 / 50 + 1.0 / 10 + 1.0 / 30 + 1.0 / 40), 1e-9, "Woolf's standard error");
	tap_near(fit.log_likelihood_null, 50 * log(50 / 130.0) + 80 * log(80 / 130.0), 1e-13, "the intercept alone");
	tap_near(logistic_probability(terms[1].coef), 1.0 / 6, 1e-12, "a probability");
	/* another unit, another zero: the same model */
	for (int i = 0; i < 4; i++)
		rows.x[i] = rows.x[i] * 1e-7 + 1e3;
	logistic_fit(&source, 0, moved, &fit);
	tap_near(moved[0].coef_std, terms[0].coef_std, 1e-7, "the same in another unit, from another zero");
	/* outcomes that a column tells apart */
	rows = (Rows) {.n = 4, .columns = 1, .x = {0, 1, 2, 3}, .y = {0, 0, 1, 1}, .w = {1, 1, 1, 1}};
	logistic_fit(&source, 0, terms, &fit);
	tap_ok(fit.end == LOGISTIC_SEPARATED && isfinite(terms[0].coef), "separated: said, and finite");
	logistic_fit(&source, 1, terms, &fit);
	tap_ok(fit.end == LOGISTIC_CONVERGED, "with a penalty there is a maximum");
	/* the third column is the sum of two */
	rows = (Rows) {.n = 6, .columns = 3, .x = {0, 1, 1, 1, 0, 1, 1, 1, 2, 0, 2, 2, 2, 0, 2, 0, 0, 0},
				   .y = {0, 1, 1, 0, 1, 0}, .w = {1, 2, 1, 2, 1, 2}};
	source = source_of(&rows);
	{
		LogisticTerm three[4];

		logistic_fit(&source, 0, three, &fit);
		tap_ok(fit.end == LOGISTIC_DEPENDENT && isnan(three[2].coef) && isfinite(three[0].coef),
			   "dependent columns: the last is left out");
	}
	/* a column that does not vary */
	rows = (Rows) {.n = 4, .columns = 1, .x = {7, 7, 7, 7}, .y = {0, 1, 0, 1}, .w = {1, 1, 1, 2}};
	source = source_of(&rows);
	logistic_fit(&source, 0, terms, &fit);
	tap_ok(terms[0].coef == 0 && terms[0].sd == 0, "a constant column says nothing");
	tap_near(terms[1].coef, log(1.5), 1e-12, "only the intercept is left");
}

/* ---------- boosted trees ---------- */

#define TREES 20

typedef struct Model
{
	BoostModel	model;
	BoostSplit	splits[TREES << BOOST_DEPTH_MAX];
	double		values[TREES << BOOST_DEPTH_MAX];
	double		covers[TREES << BOOST_DEPTH_MAX];
} Model;

static double
fit_trees(Rows *rows, const BoostParams *params, Model *m)
{
	RowSource	source = source_of(rows);

	memset(m, 0, sizeof(*m));
	m->model.splits = m->splits;
	m->model.values = m->values;
	m->model.covers = m->covers;
	return boost_fit(&source, params, &m->model);
}

/* The leaf of a tree that a row falls into. */
static int
leaf_of(const BoostModel *m, int tree, const double *x)
{
	const BoostSplit *splits = m->splits + tree * boost_splits(m->depth);
	int			node = 0;

	for (int d = 0; d < m->depth; d++)
		node = 2 * node + (splits[node].column < 0 || x[splits[node].column] <= splits[node].threshold ? 1 : 2);
	return node - boost_splits(m->depth);
}

/* The first split by trying all: gain, as G^2 / (H + lambda), and the leaves' values. */
static void
first_split(void)
{
	static Rows rows;
	static Model m;
	uint64_t	seed = 89;
	int			worse = 0;
	double		value_error = 0;
	double		base_error = 0;

	for (int round = 0; round < 60; round++)
	{
		BoostParams params = {1, 1, 255, 0.1 + random_below(&seed, 10) / 10.0, random_below(&seed, 20),
		1 + random_below(&seed, 40)};
		double		positive = 0;
		double		weight = 0;
		double		p;
		double		best = 0;
		double		got = 0;

		random_rows(&seed, &rows, 30 + random_below(&seed, 200), 1 + random_below(&seed, COLUMNS_MAX));
		fit_trees(&rows, &params, &m);
		for (int i = 0; i < rows.n; i++)
		{
			weight += rows.w[i];
			positive += rows.w[i] * rows.y[i];
		}
		p = positive / weight;
		base_error = fmax(base_error, fabs(m.model.base - log(p / (1 - p))));
		for (int j = 0; j < rows.columns; j++)
			for (int at = 0; at < rows.n; at++)
			{
				double		cut = rows.x[at * rows.columns + j];
				double		g[2] = {0};
				double		h[2] = {0};
				double		cover[2] = {0};
				double		gain;
				const BoostSplit *split = m.splits;

				for (int i = 0; i < rows.n; i++)
				{
					int			side = rows.x[i * rows.columns + j] > cut;

					g[side] += rows.w[i] * (rows.y[i] - p);
					h[side] += rows.w[i] * p * (1 - p);
					cover[side] += rows.w[i];
				}
				if (cover[0] < params.min_leaf || cover[1] < params.min_leaf)
					continue;
				gain = g[0] * g[0] / (h[0] + params.lambda) + g[1] * g[1] / (h[1] + params.lambda) -
					(g[0] + g[1]) * (g[0] + g[1]) / (h[0] + h[1] + params.lambda);
				best = fmax(best, gain);
				/* is it the one that was taken? all rows on the same sides */
				if (m.model.trees > 0 && split->column == j)
				{
					bool		same = true;

					for (int i = 0; i < rows.n && same; i++)
					{
						double		x = rows.x[i * rows.columns + j];

						same = (x <= split->threshold) == (x <= cut);
					}
					if (!same)
						continue;
					got = gain;
					for (int side = 0; side < 2; side++)
					{
						double		step = g[side] / (h[side] + params.lambda);

						step = fmax(fmin(step, BOOST_STEP_MAX), -BOOST_STEP_MAX);
						value_error = fmax(value_error, fabs(m.values[side] - params.learning_rate * step));
						value_error = fmax(value_error, fabs(m.covers[side] - cover[side]));
					}
				}
			}
		worse += got < best * (1 - 1e-9);
	}
	tap_ok(base_error < 1e-14, "60 ensembles begin at the log-odds of all: %.1e", base_error);
	tap_is(worse, 0, "no other first split gains more");
	tap_ok(value_error < 1e-12, "its leaves' values and covers: %.1e", value_error);
}

/* The mean of a tree's leaves where only the columns of a set are known. */
static double
known(const BoostModel *m, int tree, const double *x, unsigned set, int node, double *cover)
{
	const BoostSplit *splits = m->splits + tree * boost_splits(m->depth);
	double		covers[2];
	double		values[2];

	if (node >= boost_splits(m->depth))
	{
		size_t		leaf = (size_t) tree * boost_leaves(m->depth) + node - boost_splits(m->depth);

		*cover = m->covers[leaf];
		return m->values[leaf];
	}
	for (int side = 0; side < 2; side++)
		values[side] = known(m, tree, x, set, 2 * node + 1 + side, &covers[side]);
	*cover = covers[0] + covers[1];
	if (splits[node].column < 0)
		return values[0];
	if (set >> splits[node].column & 1)
		return values[x[splits[node].column] > splits[node].threshold];
	return (values[0] * covers[0] + values[1] * covers[1]) / *cover;
}

static void
whole_models(void)
{
	static Rows rows;
	static Rows shuffled;
	static Model m;
	static Model again;
	uint64_t	seed = 97;
	double		sum_error = 0;
	double		predict_error = 0;
	double		shapley_error = 0;
	double		loss_error = 0;
	int			different = 0;
	int			by_order = 0;
	int			light = 0;

	for (int round = 0; round < 24; round++)
	{
		BoostParams params = {TREES, 1 + round % BOOST_DEPTH_MAX, 2 + random_below(&seed, 254), 0.2, 1 + round % 5,
		5 + random_below(&seed, 10)};
		int			k = 1 + random_below(&seed, COLUMNS_MAX);
		double		loss;
		double		mean = 0;
		double		weight = 0;

		random_rows(&seed, &rows, 100 + random_below(&seed, 400), k);
		loss = fit_trees(&rows, &params, &m);
		fit_trees(&rows, &params, &again);
		different += m.model.trees != again.model.trees || memcmp(m.values, again.values, sizeof(m.values)) != 0 ||
			memcmp(m.splits, again.splits, sizeof(m.splits)) != 0;
		/* whole weights, each column's values all seen: the order of rows is of no account */
		shuffled = rows;
		for (int i = rows.n - 1; i > 0; i--)
		{
			int			j = random_below(&seed, i + 1);

			for (int c = 0; c < k; c++)
			{
				double		swap = shuffled.x[i * k + c];

				shuffled.x[i * k + c] = shuffled.x[j * k + c];
				shuffled.x[j * k + c] = swap;
			}
			for (int c = 0; c < 2; c++)
			{
				double	   *values = c ? shuffled.w : shuffled.y;
				double		swap = values[i];

				values[i] = values[j];
				values[j] = swap;
			}
		}
		fit_trees(&shuffled, &params, &again);
		by_order += memcmp(m.values, again.values, sizeof(m.values)) != 0 ||
			memcmp(m.splits, again.splits, sizeof(m.splits)) != 0;
		for (int l = 0; l < m.model.trees * boost_leaves(params.depth); l++)
			light += m.covers[l] > 0 && m.covers[l] < params.min_leaf;

		for (int i = 0; i < rows.n; i++)
		{
			const double *x = rows.x + i * k;
			double		eta = m.model.base;
			double		phi[COLUMNS_MAX] = {0};
			double		baseline = boost_contributions(&m.model, x, phi);
			double		sum = baseline;

			for (int t = 0; t < m.model.trees; t++)
				eta += m.values[t * boost_leaves(params.depth) + leaf_of(&m.model, t, x)];
			predict_error = fmax(predict_error, fabs(boost_predict(&m.model, x) - eta));
			mean -= rows.w[i] * (rows.y[i] > 0 ? -log1p(exp(-eta)) : -log1p(exp(eta)));
			weight += rows.w[i];
			for (int j = 0; j < k; j++)
				sum += phi[j];
			sum_error = fmax(sum_error, fabs(sum - eta));
			if (i % 40 > 0)
				continue;
			/* Shapley (1953): the mean over all orders of what a column adds when it becomes known */
			for (int t = 0; t < m.model.trees; t++)
			{
				double		worth[1 << COLUMNS_MAX];

				for (unsigned set = 0; set < 1U << k; set++)
				{
					double		cover;

					worth[set] = known(&m.model, t, x, set, 0, &cover);
				}
				baseline -= worth[0];
				for (int j = 0; j < k; j++)
					for (unsigned set = 0; set < 1U << k; set++)
						if (!(set >> j & 1))
							phi[j] -= exp(lgamma(__builtin_popcount(set) + 1.0) + lgamma(k - __builtin_popcount(set)) -
										  lgamma(k + 1.0)) * (worth[set | 1U << j] - worth[set]);
			}
			shapley_error = fmax(shapley_error, fabs(baseline - m.model.base));
			for (int j = 0; j < k; j++)
				shapley_error = fmax(shapley_error, fabs(phi[j]));
		}
		loss_error = fmax(loss_error, fabs(loss - mean / weight));
	}
	tap_is(different, 0, "24 ensembles: the same bits again");
	tap_is(by_order, 0, "and from the same rows in another order");
	tap_is(light, 0, "no leaf is lighter than it may be");
	tap_ok(predict_error < 1e-12, "predictions are sums of leaves: %.1e", predict_error);
	tap_ok(loss_error < 1e-12, "the mean loss of the rows: %.1e", loss_error);
	tap_ok(sum_error < 1e-12, "contributions add up to the prediction: %.1e", sum_error);
	tap_ok(shapley_error < 1e-12, "they are Shapley's values: %.1e", shapley_error);
	tap_is(rows.taken + shuffled.taken, 0, "all memory is given back");
}

int
main(void)
{
	logistic_maximum();
	logistic_by_hand();
	first_split();
	whole_models();
	return tap_done();
}
