/*
 * clv_predict.c
 *	  What a model says of one customer: money, and how sure it is.
 *
 * Promises: see clv.h.  NaN is "cannot be known", never an accident.
 * Never: looks at more than the model and the customer.
 */
#include "clv/clv.h"

#include <math.h>

#include "fmgr/interrupts.h"
#include "miscadmin.h"
#include "utils/float.h"

/* A step of parameters' logarithms: its square is the error of derivatives. */
#define SHIFT 1e-3

/* Horizons that are asked for at once. */
#define STEPS_AT_ONCE	64

/* Beyond, a horizon is a slip of the pen. */
#define STEPS_MAX		100000

static void
make_ready(ClvPredictor *p)
{
	p->purchase.model = p->model.purchase;
	memcpy(p->purchase.params, p->model.fit.params, sizeof(p->purchase.params));
	p->purchase.nodes = &p->nodes;
	p->purchase.poll = poll_interrupts;
	p->context = CurrentMemoryContext;
}

ClvPredictor *
clv_predictor_of(const ClvModel *model)
{
	ClvPredictor *p = palloc0(sizeof(ClvPredictor));

	p->model = *model;
	make_ready(p);
	return p;
}

ClvPredictor *
clv_predictor_create(const ClvModelValue *value)
{
	ClvModel	model;

	clv_model_unpack(value, &model);
	return clv_predictor_of(&model);
}

/* ---------- money ---------- */

void
clv_rate_check(double rate)
{
	/* written so that NaN fails */
	if (!(rate >= 0 && isfinite(rate)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("discount_rate must be 0 or more, and finite, not %g", rate),
				 errhint("It is annual: write 0.10 for 10%% a year.")));
	if (rate > CLV_RATE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("discount_rate must be 1 or less, which is 100%% a year, not %g", rate),
				 errhint("10%% is 0.10.")));
}

void
clv_margin_check(double margin)
{
	if (!isfinite(margin))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("margin must be finite, not %g", margin),
				 errhint("It is the share of spend that is kept: write 0.30 for 30%%.")));
}

/* Discrete models know whole periods only. */
static double
whole_periods(const ClvPredictor *p, double t)
{
	return p->model.purchase->discrete ? floor(t) : t;
}

/* Steps of a discrete model are one period at least. */
static double
step_of(const ClvPredictor *p, const ClvTerms *terms)
{
	double		step = whole_periods(p, terms->step);

	return p->model.purchase->discrete && step < 1 ? 1 : step;
}

void
clv_terms_check(const ClvPredictor *p, const ClvTerms *terms)
{
	double		step = step_of(p, terms);

	clv_rate_check(terms->rate);
	clv_margin_check(terms->margin);
	if (!(step > 0) || terms->horizon / step > STEPS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("step must be longer than 0, and at most %d of them in the horizon", STEPS_MAX),
				 errhint("Cash is counted at the end of each step: a month is the usual one. residual_lifetime_value() has no horizon.")));
}

double
clv_rate_per_unit(const ClvPredictor *p, double rate)
{
	return log1p(rate) * time_unit_days[p->model.unit] / DAYS_PER_YEAR;
}

double
clv_expected_spend(const ClvPredictor *p, const ClvCustomer *customer)
{
	const SpendModel *model = clv_spend_model_of(&p->model);
	double		spend;

	/* who returned as much as they bought has no spend to go by */
	if (model == NULL)
		return customer->own > 0 ? customer->own : get_float8_nan();
	/* a mean that is not positive says nothing in this model */
	if (customer->spend_x > 0 && customer->z > 0)
		spend = model->expected(p->model.spend.params, customer->spend_x, customer->z);
	else
		spend = model->expected(p->model.spend.params, 0, 0);
	return isfinite(spend) ? spend : get_float8_nan();
}

double
clv_discounted_purchases(const ClvPredictor *p, const ClvCustomer *customer,
						 const ClvTerms *terms)
{
	double		rate = clv_rate_per_unit(p, terms->rate);
	double		horizon = whole_periods(p, terms->horizon);
	double		step = step_of(p, terms);
	double		before = 0;
	double		sum = 0;

	for (double first = 1; (first - 1) * step < horizon; first += STEPS_AT_ONCE)
	{
		double		t[STEPS_AT_ONCE];
		double		expected[STEPS_AT_ONCE];
		int			n = 0;

		while (n < STEPS_AT_ONCE && (first + n - 1) * step < horizon)
		{
			t[n] = Min((first + n) * step, horizon);
			n++;
		}
		p->model.purchase->expected(&p->purchase, customer->x, customer->t_x, customer->age,
									t, n, expected);
		for (int i = 0; i < n; i++)
		{
			sum += (expected[i] - before) * exp(-rate * t[i]);
			before = expected[i];
		}
		CHECK_FOR_INTERRUPTS();
	}
	return sum;
}

/* ---------- the delta method ---------- */

static inline int
params_of(const ClvModel *model)
{
	return model->purchase->nparams + (model->has_spend ? SPEND_PARAMS : 0);
}

static double *
param_of(ClvModel *model, int i)
{
	int			n = model->purchase->nparams;

	return i < n ? &model->fit.params[i] : &model->spend.params[i - n];
}

/* Predictors with one parameter a bit larger, or smaller: 2 i and 2 i + 1. */
static void
make_shifted(ClvPredictor *p)
{
	MemoryContext old = MemoryContextSwitchTo(p->context);
	int			n = params_of(&p->model);

	p->shifted = palloc0(2 * n * sizeof(ClvPredictor));
	for (int i = 0; i < 2 * n; i++)
	{
		ClvPredictor *shifted = &p->shifted[i];

		shifted->model = p->model;
		*param_of(&shifted->model, i / 2) *= exp(i % 2 == 0 ? SHIFT : -SHIFT);
		make_ready(shifted);
		/* purchases do not depend on the parameters of spend */
		if (i / 2 >= p->model.purchase->nparams)
			shifted->purchase.nodes = &p->nodes;
	}
	MemoryContextSwitchTo(old);
}

void
clv_gradient(ClvPredictor *p, const ClvCustomer *customer, ClvFunction f, const void *arg,
			 double *gradient)
{
	int			n = params_of(&p->model);

	if (p->shifted == NULL)
		make_shifted(p);
	for (int i = 0; i < n; i++)
	{
		double		up = f(&p->shifted[2 * i], customer, arg);
		double		down = f(&p->shifted[2 * i + 1], customer, arg);

		gradient[i] = (up - down) / (2 * SHIFT * *param_of(&p->model, i));
	}
}

static double
quadratic_form(const FitResult *fit, const double *gradient)
{
	int			n = fit->nparams;
	double		sum = 0;

	for (int i = 0; i < n; i++)
		for (int j = 0; j < n; j++)
			/* a covariance that is not known does no harm where it does not matter */
			if (gradient[i] != 0 && gradient[j] != 0)
				sum += gradient[i] * fit->covariance[i * n + j] * gradient[j];
	return sum;
}

double
clv_standard_error(const ClvModel *model, const double *gradient)
{
	double		variance = quadratic_form(&model->fit, gradient);

	if (model->has_spend)
		variance += quadratic_form(&model->spend, gradient + model->purchase->nparams);
	/* NaN stays; rounding may leave a trace below 0 */
	return variance < 0 ? 0 : sqrt(variance);
}
