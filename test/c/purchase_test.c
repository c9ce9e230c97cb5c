/*
 * purchase_test.c
 *	  Every model of purchases against its own definition: what one customer with
 *	  known rates would do, averaged by brute force over a grid of rates.
 *
 * No closed form of any paper is used here: only that a customer of known rates buys
 * and leaves by a Poisson, exponential or Bernoulli process, and how the rates are
 * distributed.  The grid is even in ln(rate) and logit(chance), where the
 * trapezoidal rule converges faster than any power of the step.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/purchase/purchase_model.h"
#include "tap.h"

#define STEP	0.2

/* A latent quantity: a rate (b > 0 is the gamma's rate), or a chance, by q = 1 - p, too. */
typedef struct Latent
{
	double		value;
	double		rest;			/* of a chance */
	double		weight;
} Latent;

#define GRID_MAX 2000

typedef struct Grid
{
	int			n;
	Latent		latent[GRID_MAX];
} Grid;

static void
gamma_grid(double shape, double rate, Grid *grid)
{
	double		scale = shape * log(rate) - lgamma(shape);

	grid->n = 0;
	for (double y = -38 / fmin(shape, 1) - log(rate); y < 5 + log(shape + 1) - log(rate); y += STEP)
	{
		Latent	   *latent = &grid->latent[grid->n++];

		latent->value = exp(y);
		latent->weight = STEP * exp(scale + shape * y - rate * latent->value);
	}
}

static void
beta_grid(double a, double b, Grid *grid)
{
	double		scale = lgamma(a + b) - lgamma(a) - lgamma(b);

	grid->n = 0;
	for (double y = -38 / fmin(a, 1); y < 38 / fmin(b, 1); y += STEP)
	{
		Latent	   *latent = &grid->latent[grid->n++];

		latent->value = 1 / (1 + exp(-y));
		latent->rest = 1 / (1 + exp(y));
		latent->weight = STEP * exp(scale + a * log(latent->value) + b * log(latent->rest));
	}
}

/* What is asked of a customer. */
typedef struct Question
{
	double		x;
	double		t_x;
	double		age;
	double		ahead;
	double		t;
	double		k;
	double		rate;
} Question;

/* The answers; of one person all but the first two are given that they are alive at age. */
typedef struct Answer
{
	double		likelihood;
	double		alive;			/* of one person: and the likelihood */
	double		alive_ahead;
	double		expected;
	double		none;
	double		exactly;
	double		discounted;
} Answer;

/* P(N = k), P(N > k) of a Poisson number */
static double
poisson(double k, double mean)
{
	return exp(k * log(mean) - mean - lgamma(k + 1));
}

static double
poisson_beyond(double k, double mean)
{
	double		sum = 0;

	if (mean > k + 1)
	{
		for (double j = 0; j <= k; j++)
			sum += poisson(j, mean);
		return 1 - sum;
	}
	for (double j = k + 1; j < k + 40; j++)
		sum += poisson(j, mean);
	return sum;
}

/* Buys at a rate, and leaves with a chance after each purchase; "first": after the first, too. */
static void
geometric_person(const Question *q, const Latent *buys, const Latent *leaves, bool first, Answer *a)
{
	double		rate = buys->value;
	double		p = leaves->value;
	double		mean = rate * q->t;

	a->alive = pow(rate, q->x) * pow(leaves->rest, q->x + first) * exp(-rate * q->age);
	a->likelihood = a->alive;
	if (q->x > 0 || first)
		a->likelihood += pow(rate, q->x) * p * pow(leaves->rest, q->x - 1 + first) * exp(-rate * q->t_x);
	a->alive_ahead = exp(-rate * p * q->ahead);
	a->expected = p * mean < 1e-8 ? mean : -expm1(-p * mean) / p;
	a->none = exp(-mean);
	a->exactly = pow(leaves->rest, q->k) * poisson(q->k, mean) +
		p * pow(leaves->rest, q->k - 1) * poisson_beyond(q->k - 1, mean);
	a->discounted = rate / (q->rate + rate * p);
}

/* Buys at a rate, leaves at another. */
static void
pareto_person(const Question *q, const Latent *buys, const Latent *leaves, Answer *a)
{
	double		rate = buys->value;
	double		mu = leaves->value;
	double		both = rate + mu;

	a->alive = pow(rate, q->x) * exp(-both * q->age);
	a->likelihood = a->alive + pow(rate, q->x) * mu / both * (exp(-both * q->t_x) - exp(-both * q->age));
	a->alive_ahead = exp(-mu * q->ahead);
	a->expected = -rate * expm1(-mu * q->t) / mu;
	a->none = exp(-both * q->t) - mu / both * expm1(-both * q->t);
	a->exactly = exp(-mu * q->t) * poisson(q->k, rate * q->t) +
		pow(rate / both, q->k) * mu / both * poisson_beyond(q->k, both * q->t);
	a->discounted = rate / (q->rate + mu);
}

static void
nbd_person(const Question *q, const Latent *buys, Answer *a)
{
	a->likelihood = a->alive = pow(buys->value, q->x) * exp(-buys->value * q->age);
	a->alive_ahead = 1;
	a->expected = buys->value * q->t;
	a->none = exp(-buys->value * q->t);
	a->exactly = poisson(q->k, buys->value * q->t);
	a->discounted = buys->value / q->rate;
}

/* Leaves before an opportunity with one chance, buys at it with another. */
static void
bernoulli_person(const Question *q, const Latent *buys, const Latent *leaves, Answer *a)
{
	double		p = buys->value;
	double		stay = leaves->rest;
	double		kept = stay * exp(-q->rate);
	double		ways = 1;

	a->alive = pow(p, q->x) * pow(buys->rest, q->age - q->x) * pow(stay, q->age);
	a->likelihood = a->alive;
	for (double last = q->t_x; last < q->age; last++)
		a->likelihood += pow(p, q->x) * pow(buys->rest, last - q->x) * leaves->value * pow(stay, last);
	a->alive_ahead = pow(stay, q->ahead);
	a->expected = 0;
	a->none = 0;
	a->exactly = 0;
	for (double d = 0; d <= q->t; d++)
	{
		double		so_long = pow(stay, d) * (d < q->t ? leaves->value : 1);

		if (d > 0)
			a->expected += p * pow(stay, d);
		a->none += so_long * pow(buys->rest, d);
		if (d > q->k)
			ways *= d / (d - q->k); /* d over k */
		if (d >= q->k)
			a->exactly += so_long * ways * pow(p, q->k) * pow(buys->rest, d - q->k);
	}
	a->discounted = p * kept / (1 - kept);
}

/* Survives t renewals with stay^(t^c). */
static void
contract_person(const Question *q, const Latent *leaves, double c, Answer *a)
{
	double		ln_stay = log(leaves->rest);
	double		from = pow(q->t_x, c);
	double		to = pow(q->t_x + 1, c);

	a->alive = q->t_x == q->age ? exp(ln_stay * from) : 0;
	a->likelihood = q->t_x == q->age ? a->alive : exp(ln_stay * from) - exp(ln_stay * to);
	from = pow(q->age, c);
#define SURVIVES(n) exp(ln_stay * (pow(q->age + (n), c) - from))
	a->alive_ahead = SURVIVES(q->ahead);
	a->expected = 0;
	for (double j = 1; j <= q->t; j++)
		a->expected += SURVIVES(j);
	a->none = q->t < 1 ? 1 : 1 - SURVIVES(1);
	a->exactly = q->k > q->t ? 0 : q->k == q->t ? SURVIVES(q->k) : SURVIVES(q->k) - SURVIVES(q->k + 1);
	a->discounted = 0;
	for (double j = 1; j * q->rate < 40; j++)
		a->discounted += SURVIVES(j) * exp(-q->rate * j);
}

static void
add(Answer *sum, const Answer *a, double weight)
{
	sum->likelihood += weight * a->likelihood;
	weight *= a->alive;
	sum->alive += weight;
	sum->alive_ahead += weight * a->alive_ahead;
	sum->expected += weight * a->expected;
	sum->none += weight * a->none;
	sum->exactly += weight * a->exactly;
	sum->discounted += weight * a->discounted;
}

static Answer
mixture(PurchaseKind kind, const double *params, const Question *q)
{
	static Grid first;
	static Grid second;
	Answer		sum = {0};

	second.n = 1;
	second.latent[0] = (Latent) {.weight = 1};
	switch (kind)
	{
		case PURCHASE_BG_NBD:
		case PURCHASE_MBG_NBD:
			gamma_grid(params[0], params[1], &first);
			beta_grid(params[2], params[3], &second);
			break;
		case PURCHASE_PARETO_NBD:
			gamma_grid(params[0], params[1], &first);
			gamma_grid(params[2], params[3], &second);
			break;
		case PURCHASE_NBD:
			gamma_grid(params[0], params[1], &first);
			break;
		case PURCHASE_BG_BB:
			beta_grid(params[0], params[1], &first);
			beta_grid(params[2], params[3], &second);
			break;
		default:
			beta_grid(params[0], params[1], &first);
			break;
	}
	for (int i = 0; i < first.n; i++)
		for (int j = 0; j < second.n; j++)
		{
			const Latent *one = &first.latent[i];
			const Latent *other = &second.latent[j];
			Answer		a;

			switch (kind)
			{
				case PURCHASE_BG_NBD:
				case PURCHASE_MBG_NBD:
					geometric_person(q, one, other, kind == PURCHASE_MBG_NBD, &a);
					break;
				case PURCHASE_PARETO_NBD:
					pareto_person(q, one, other, &a);
					break;
				case PURCHASE_NBD:
					nbd_person(q, one, &a);
					break;
				case PURCHASE_BG_BB:
					bernoulli_person(q, one, other, &a);
					break;
				default:
					contract_person(q, one, kind == PURCHASE_SBG ? 1 : params[2], &a);
					break;
			}
			add(&sum, &a, one->weight * other->weight);
		}
	/* who is not alive does nothing any more */
	sum.none += sum.likelihood - sum.alive;
	sum.alive /= sum.likelihood;
	sum.alive_ahead /= sum.likelihood;
	sum.expected /= sum.likelihood;
	sum.none /= sum.likelihood;
	sum.exactly /= sum.likelihood;
	sum.discounted /= sum.likelihood;
	return sum;
}

static const struct
{
	PurchaseKind kind;
	double		params[MODEL_PARAMS_MAX];
	Question	question;		/* x, t_x, age; ahead; t, k; rate */
}			cases[] = {
	{PURCHASE_BG_NBD, {0.8, 4.4, 0.8, 2.4}, {0, 0, 38.9, 13, 39, 1, 0.01}},
	{PURCHASE_BG_NBD, {0.8, 4.4, 0.8, 2.4}, {2, 30.4, 38.9, 13, 39, 2, 0.01}},
	{PURCHASE_BG_NBD, {1.5, 10, 1, 2.5}, {5, 10, 52, 26, 7, 3, 0.05}},
	{PURCHASE_BG_NBD, {2, 3, 3, 1}, {1, 0.5, 1, 2, 3, 1, 0.2}},
	{PURCHASE_MBG_NBD, {0.8, 4.4, 0.8, 2.4}, {0, 0, 38.9, 13, 39, 1, 0.01}},
	{PURCHASE_MBG_NBD, {0.8, 4.4, 0.8, 2.4}, {2, 30.4, 38.9, 13, 39, 2, 0.01}},
	{PURCHASE_MBG_NBD, {1.5, 10, 1, 2.5}, {5, 10, 52, 26, 7, 3, 0.05}},
	{PURCHASE_PARETO_NBD, {0.8, 10.6, 0.7, 11.7}, {0, 0, 38.9, 13, 39, 1, 0.01}},
	{PURCHASE_PARETO_NBD, {0.8, 10.6, 0.7, 11.7}, {2, 30.4, 38.9, 13, 39, 2, 0.01}},
	{PURCHASE_PARETO_NBD, {1.5, 10, 1, 10}, {5, 10, 52, 26, 7, 3, 0.05}},
	{PURCHASE_PARETO_NBD, {2, 3, 2.5, 40}, {1, 0.5, 1, 2, 3, 1, 0.2}},
	{PURCHASE_NBD, {0.8, 10.6}, {0, 0, 38.9, 13, 39, 1, 0.01}},
	{PURCHASE_NBD, {2.5, 10}, {7, 39, 52, 26, 7, 3, 0.05}},
	{PURCHASE_BG_BB, {1.2, 0.75, 0.8, 2.8}, {0, 0, 6, 2, 5, 1, 0.1}},
	{PURCHASE_BG_BB, {1.2, 0.75, 0.8, 2.8}, {2, 4, 6, 2, 5, 2, 0.1}},
	{PURCHASE_BG_BB, {1.2, 0.75, 0.8, 2.8}, {6, 6, 6, 1, 10, 4, 0.02}},
	{PURCHASE_BG_BB, {3, 8, 2, 20}, {5, 20, 24, 6, 12, 3, 0.01}},
	{PURCHASE_SBG, {0.7, 3.8}, {0, 0, 0, 5, 5, 2, 0.1}},
	{PURCHASE_SBG, {0.7, 1.2}, {0, 7, 7, 1, 5, 5, 0.15}},
	{PURCHASE_SBG, {2, 1.2}, {0, 3, 7, 1, 5, 1, 0.15}},
	{PURCHASE_BDW, {0.9, 1.4, 1.7}, {0, 4, 4, 5, 5, 2, 0.1}},
	{PURCHASE_BDW, {0.9, 0.8, 0.6}, {0, 2, 7, 1, 5, 1, 0.15}},
	{PURCHASE_BDW, {0.9, 0.8, 0.6}, {0, 7, 7, 2, 5, 4, 0.15}},
};

static void
against_definition(void)
{
	for (size_t i = 0; i < LENGTH(cases); i++)
	{
		const PurchaseModel *model = purchase_model(cases[i].kind);
		const Question *q = &cases[i].question;
		Predictor	p = {.model = model};
		Predictor	remembering;
		ModelRow	row = {q->x, q->t_x, q->age, 1};
		Answer		want = mixture(cases[i].kind, cases[i].params, q);
		double		expected[3];
		double		t[3];
		double		again;
		static BetaNodesCache nodes;
		char		name[100];

		memcpy(p.params, cases[i].params, sizeof(p.params));
		snprintf(name, sizeof(name), "%s, %g purchases, the last at %g of %g", model->name, q->x, q->t_x, q->age);
		tap_near(exp(model->log_likelihood(p.params, &row, 1, NULL, NULL)), want.likelihood, 1e-11, "%s: likelihood",
				 name);
		tap_near(model->alive(&p, q->x, q->t_x, q->age, 0), want.alive, 1e-11, "%s: alive", name);
		tap_near(model->alive(&p, q->x, q->t_x, q->age, q->ahead), want.alive_ahead, 1e-11, "%s: alive ahead", name);
		t[0] = 0;
		t[1] = t[2] = q->t;
		model->expected(&p, q->x, q->t_x, q->age, t, 3, expected);
		tap_ok(expected[0] == 0 && expected[2] == expected[1], "%s: nothing at once, and the same twice", name);
		tap_near(expected[1], want.expected, 1e-11, "%s: expected purchases", name);
		tap_near(model->no_purchase(&p, q->x, q->t_x, q->age, q->t), want.none, 1e-11, "%s: no purchase", name);
		tap_near(model->distribution(&p, q->x, q->t_x, q->age, q->t, 0), want.none, 1e-11, "%s: 0 purchases", name);
		tap_near(model->distribution(&p, q->x, q->t_x, q->age, q->t, q->k), want.exactly, 1e-10, "%s: %g", name, q->k);
		tap_near(model->discounted(&p, q->x, q->t_x, q->age, q->rate), want.discounted, 1e-11, "%s: discounted", name);
		remembering = p;
		memset(&nodes, 0, sizeof(nodes));
		remembering.nodes = &nodes;
		model->discounted(&remembering, q->x, q->t_x, q->age, q->rate);
		again = model->no_purchase(&remembering, q->x, q->t_x, q->age, q->t);
		tap_ok(again == model->no_purchase(&p, q->x, q->t_x, q->age, q->t), "%s: the same with memory", name);
	}
}

/* Numbers of purchases have a distribution: it sums to 1, its mean is what is expected. */
static void
distributions(void)
{
	for (size_t i = 0; i < LENGTH(cases); i++)
	{
		const PurchaseModel *model = purchase_model(cases[i].kind);
		const Question *q = &cases[i].question;
		Predictor	p = {.model = model};
		double		t = model->discrete ? 9 : 2;
		double		sum = 0;
		double		mean = 0;
		double		expected;

		memcpy(p.params, cases[i].params, sizeof(p.params));
		for (int k = 0; k < 400; k++)
		{
			double		of_k = model->distribution(&p, q->x, q->t_x, q->age, t, k);

			sum += of_k;
			mean += k * of_k;
			if (k > t && model->discrete && of_k != 0)
				tap_ok(false, "%s: not more purchases than periods", model->name);
		}
		model->expected(&p, q->x, q->t_x, q->age, &t, 1, &expected);
		tap_near(sum, 1, 1e-12, "%s, case %d: a distribution sums to 1", model->name, (int) i);
		tap_near(mean, expected, 1e-10, "%s, case %d: its mean is what is expected", model->name, (int) i);
	}
}

/*
 * Derivatives with respect to ln(parameters) by differences of the likelihood itself,
 * six points; of several rows at once, which also must add up.
 */
static void
gradients(void)
{
	static const double factor[] = {45, -9, 1};

	for (int kind = 1; kind <= PURCHASE_KIND_LAST; kind++)
	{
		const PurchaseModel *model = purchase_model(kind);
		ModelRow	rows[8];
		int			n = 0;
		const double *params = NULL;
		double		gradient[MODEL_PARAMS_MAX];
		double		alone[MODEL_PARAMS_MAX];
		double		sum = 0;
		double		total;

		for (size_t i = 0; i < LENGTH(cases); i++)
			if ((int) cases[i].kind == kind)
			{
				const Question *q = &cases[i].question;

				params = cases[i].params;
				rows[n++] = (ModelRow) {model->contract ? 0 : q->x, q->t_x, q->age, 1 + n * 3};
			}
		/* ascending by x, t_x, age */
		for (int i = 1; i < n; i++)
			for (int j = i; j > 0 &&
				 (rows[j - 1].x > rows[j].x || (rows[j - 1].x == rows[j].x && rows[j - 1].t_x > rows[j].t_x)); j--)
			{
				ModelRow	swap = rows[j];

				rows[j] = rows[j - 1];
				rows[j - 1] = swap;
			}
		if (!tap_ok(n > 0, "%s: there are cases of it", model->name))
			continue;
		total = model->log_likelihood(params, rows, n, gradient, NULL);
		for (int i = 0; i < n; i++)
			sum += model->log_likelihood(params, &rows[i], 1, alone, NULL);
		tap_near(total, sum, 1e-14, "%s: likelihoods of rows add up", model->name);
		for (int k = 0; k < model->nparams; k++)
		{
			double		difference = 0;
			double		moved[MODEL_PARAMS_MAX];
			double		h = 4e-3;

			memcpy(moved, params, sizeof(moved));
			for (int side = -1; side <= 1; side += 2)
				for (int m = 0; m < 3; m++)
				{
					moved[k] = params[k] * exp(side * (m + 1) * h);
					difference += side * factor[m] * model->log_likelihood(moved, rows, n, NULL, NULL);
				}
			difference /= 60 * h;
			tap_ok(fabs(gradient[k] - difference) < 1e-10 * fabs(total),
				   "%s: the derivative by %s is %.10g", model->name, model->param_names[k], gradient[k]);
		}
	}
}

/*
 * At its limits a model is the simpler one: its likelihood, with the parameters
 * that both have by name, for customers bought from and silent since.
 */
static void
limits(void)
{
	static const ModelRow rows[] = {{0, 0, 0.5, 3}, {0, 0, 9, 2}, {1, 2, 3, 1}, {4, 7, 8.5, 5}};
	static const double far = 1e11;

	for (int kind = 1; kind <= PURCHASE_KIND_LAST; kind++)
		for (const ModelLimit *limit = purchase_model(kind)->limits; limit->model != NULL; limit++)
		{
			const PurchaseModel *model = purchase_model(kind);
			double		params[MODEL_PARAMS_MAX];
			double		simpler[MODEL_PARAMS_MAX] = {0};

			tap_ok(limit->to_zero != limit->to_infinity &&
				   (limit->to_zero | limit->to_infinity) < 1u << model->nparams,
				   "%s: a limit is of some of its parameters", model->name);
			for (int i = 0; i < model->nparams; i++)
			{
				params[i] = limit->to_zero & 1u << i ? 1 / far : limit->to_infinity & 1u << i ? far : 0.7 + i;
				for (int j = 0; j < limit->model->nparams; j++)
					if (strcmp(limit->model->param_names[j], model->param_names[i]) == 0)
						simpler[j] = params[i];
			}
			tap_near(model->log_likelihood(params, rows, LENGTH(rows), NULL, NULL),
					 limit->model->log_likelihood(simpler, rows, LENGTH(rows), NULL, NULL), 1e-9,
					 "%s becomes %s", model->name, limit->model->name);
		}
}

/* Who cannot be: a likelihood of 0, never NaN. */
static void
impossible(void)
{
	static const ModelRow rows[] = {{3, 0, 6, 1}, {0, 3, 6, 1}, {7, 6, 6, 1}, {3, 7, 6, 1}};

	for (size_t i = 0; i < LENGTH(rows); i++)
		tap_near(bg_bb_model.log_likelihood((double[]) {1, 1, 1, 1}, &rows[i], 1, NULL, NULL), -HUGE_VAL, 0,
				 "bg_bb: %g purchases, the last at %g of %g, cannot be", rows[i].x, rows[i].t_x, rows[i].age);
	tap_ok(purchase_model(PURCHASE_NONE) == NULL && purchase_model(99) == NULL && purchase_model(-1) == NULL,
		   "no model has a number that is none");
	for (int kind = 1; kind <= PURCHASE_KIND_LAST; kind++)
		tap_is(purchase_model(kind)->kind, kind, "%s has its own number", purchase_model(kind)->name);
}

int
main(void)
{
	against_definition();
	distributions();
	gradients();
	limits();
	impossible();
	return tap_done();
}
