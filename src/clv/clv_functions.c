/*
 * clv_functions.c
 *	  SQL-callable: predictions for one customer, and their standard errors.
 *
 * Each function exists over a history and over (frequency, recency, age [, monetary
 * value]), and with _se for the standard error.  A call site remembers its
 * model, made ready, and the answers for customers who agree.
 *
 * Promises: NULL where nothing can be known; the same answer with and without
 * what a call site remembers, which may be lost after any row.
 * Never: changes a value.
 */
#include "clv/clv_memo.h"

#include <math.h>

#include "clv/clv_model_cache.h"
#include "fmgr/arguments.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/timestamp.h"

typedef enum Prediction
{
	P_ALIVE,
	EXPECTED_PURCHASES,
	P_NO_PURCHASE,
	PURCHASE_DISTRIBUTION,
	EXPECTED_SPEND,
	CLV,
	RESIDUAL_VALUE
} Prediction;

/* What is asked of each customer; compared as bytes. */
typedef struct Ask
{
	Prediction	prediction;
	int32		unused;
	double		t;				/* ahead, or the horizon, in units */
	double		k;				/* purchases */
	ClvTerms	terms;
} Ask;

/* What a call site remembers of a model. */
typedef struct CacheModel
{
	ClvCacheModel cache;
	Ask			ask;			/* the question that the memo is about */
	ClvMemo		memo;			/* answers without spend */
} CacheModel;

static CacheModel *
site_model(FunctionCallInfo fcinfo)
{
	CacheModel *model = (CacheModel *) clv_cache_model(fcinfo, PG_GETARG_CLV_MODEL_PP(0),
													   sizeof(CacheModel));

	if (unlikely(model->memo.context == NULL))
		clv_memo_init(&model->memo, model->cache.base.context);
	return model;
}

/* ---------- answers ---------- */

static double
without_spend(const ClvPredictor *p, const ClvCustomer *customer, const Ask *ask)
{
	const PurchaseModel *model = p->model.purchase;
	double		expected;

	switch (ask->prediction)
	{
		case P_ALIVE:
			return model->alive(&p->purchase, customer->x, customer->t_x, customer->age, ask->t);
		case EXPECTED_PURCHASES:
			model->expected(&p->purchase, customer->x, customer->t_x, customer->age, &ask->t, 1,
							&expected);
			return expected;
		case P_NO_PURCHASE:
			if (ask->t == 0)
				return 1;
			return model->no_purchase(&p->purchase, customer->x, customer->t_x, customer->age,
									  ask->t);
		case PURCHASE_DISTRIBUTION:
			if (ask->t == 0)
				return ask->k == 0;
			return model->distribution(&p->purchase, customer->x, customer->t_x, customer->age,
									   ask->t, ask->k);
		case EXPECTED_SPEND:
			return 1;
		case CLV:
			return clv_discounted_purchases(p, customer, &ask->terms);
		case RESIDUAL_VALUE:
			return model->discounted(&p->purchase, customer->x, customer->t_x, customer->age,
									 clv_rate_per_unit(p, ask->terms.rate));
	}
	return get_float8_nan();
}

static inline double
spend_factor(const ClvPredictor *p, const ClvCustomer *customer, const Ask *ask)
{
	if (ask->prediction < EXPECTED_SPEND)
		return 1;
	return clv_expected_spend(p, customer) *
		(ask->prediction == EXPECTED_SPEND ? 1 : ask->terms.margin);
}

/* ClvFunction */
static double
prediction_value(const ClvPredictor *p, const ClvCustomer *customer, const void *arg)
{
	return without_spend(p, customer, arg) * spend_factor(p, customer, arg);
}

static double
remembered_value(CacheModel *model, const ClvCustomer *customer, const Ask *ask)
{
	double		factor = spend_factor(model->cache.predictor, customer, ask);
	MemoEntry  *entry;
	bool		known;

	if (ask->prediction == EXPECTED_SPEND || isnan(factor))
		return factor;
	if (unlikely(memcmp(ask, &model->ask, sizeof(Ask)) != 0))
	{
		model->ask = *ask;
		clv_memo_forget(&model->memo);
	}
	entry = clv_memo_find(&model->memo, customer, &known);
	if (!known)
		clv_memo_put(&model->memo, entry, customer,
					 without_spend(model->cache.predictor, customer, ask));
	return entry->value * factor;
}

/* ---------- arguments ---------- */

/* False where one is NULL. */
static bool
read_customer(FunctionCallInfo fcinfo, const ClvModel *model, bool history, bool money,
			  ClvCustomer *customer)
{
	if (PG_ARGISNULL(1))
		return false;
	if (history)
		return clv_customer_from_history(model->purchase, model->unit, PG_GETARG_HISTORY_PP(1),
										 clv_as_of_argument(fcinfo, 2, model), customer, NULL);
	return clv_summary_argument(fcinfo, 1, model->purchase, money, customer);
}

static double
interval_argument(FunctionCallInfo fcinfo, int arg, const ClvPredictor *p, const char *name)
{
	return clv_interval_units(PG_GETARG_INTERVAL_P(arg), p->model.unit, name);
}

/* False where one is NULL; "first" is the first after the customer. */
static bool
read_ask(FunctionCallInfo fcinfo, const ClvPredictor *p, int first, Ask *ask)
{
	for (int i = first; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			return false;
	switch (ask->prediction)
	{
		case P_ALIVE:
			ask->t = interval_argument(fcinfo, first, p, "ahead");
			break;
		case PURCHASE_DISTRIBUTION:
			ask->k = PG_GETARG_INT32(first + 1);
			if (ask->k < 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("purchases must be 0 or more, not %d",
								PG_GETARG_INT32(first + 1))));
			ask->t = interval_argument(fcinfo, first, p, "horizon");
			break;
		case EXPECTED_PURCHASES:
		case P_NO_PURCHASE:
			ask->t = interval_argument(fcinfo, first, p, "horizon");
			break;
		case EXPECTED_SPEND:
			break;
		case CLV:
			ask->terms.horizon = interval_argument(fcinfo, first, p, "horizon");
			ask->terms.rate = PG_GETARG_FLOAT8(first + 1);
			ask->terms.margin = PG_GETARG_FLOAT8(first + 2);
			ask->terms.step = interval_argument(fcinfo, first + 3, p, "step");
			clv_terms_check(p, &ask->terms);
			break;
		case RESIDUAL_VALUE:
			ask->terms.rate = PG_GETARG_FLOAT8(first);
			ask->terms.margin = PG_GETARG_FLOAT8(first + 1);
			clv_rate_check(ask->terms.rate);
			clv_margin_check(ask->terms.margin);
			break;
	}
	return true;
}

static Datum
predict(FunctionCallInfo fcinfo, Prediction prediction, bool history, bool error)
{
	bool		money = prediction >= EXPECTED_SPEND;
	CacheModel *model;
	ClvPredictor *p;
	ClvCustomer customer;
	Ask			ask;
	double		value;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	model = site_model(fcinfo);
	p = model->cache.predictor;
	memset(&ask, 0, sizeof(ask));
	ask.prediction = prediction;
	if (isnan(p->model.fit.params[0]) ||
		!read_customer(fcinfo, &p->model, history, money, &customer) ||
		!read_ask(fcinfo, p, history ? 3 : money ? 5 : 4, &ask))
		PG_RETURN_NULL();
	if (error)
	{
		double		gradient[CLV_PARAMS_MAX];

		clv_gradient(p, &customer, prediction_value, &ask, gradient);
		value = clv_standard_error(&p->model, gradient);
	}
	else
		value = remembered_value(model, &customer, &ask);
	/* infinite sums are told as not known: no column should hold infinity */
	if (!isfinite(value))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(value);
}

#define PREDICTION(name, prediction) \
	PG_FUNCTION_INFO_V1(name); \
	Datum name(PG_FUNCTION_ARGS) { return predict(fcinfo, prediction, false, false); } \
	PG_FUNCTION_INFO_V1(name##_history); \
	Datum name##_history(PG_FUNCTION_ARGS) { return predict(fcinfo, prediction, true, false); } \
	PG_FUNCTION_INFO_V1(name##_se); \
	Datum name##_se(PG_FUNCTION_ARGS) { return predict(fcinfo, prediction, false, true); } \
	PG_FUNCTION_INFO_V1(name##_se_history); \
	Datum name##_se_history(PG_FUNCTION_ARGS) { return predict(fcinfo, prediction, true, true); }

PREDICTION(clv_p_alive, P_ALIVE)
PREDICTION(clv_expected_purchases, EXPECTED_PURCHASES)
PREDICTION(clv_p_no_purchase, P_NO_PURCHASE)
PREDICTION(clv_purchase_distribution, PURCHASE_DISTRIBUTION)
PREDICTION(clv_spend, EXPECTED_SPEND)
PREDICTION(clv_value, CLV)
PREDICTION(clv_residual_value, RESIDUAL_VALUE)
