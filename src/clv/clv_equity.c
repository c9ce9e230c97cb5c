/*
 * clv_equity.c
 *	  SQL-callable: customer equity, the value of all customers together.
 *
 * The sum of clv() over customers (Blattberg and Deighton 1996), and its
 * standard error by the delta method: all values depend on the same estimated
 * parameters, so that their errors do not average out but add up.  What is
 * summed for that is the gradient of each value.
 *
 * The transition state is flat, of type bytea, so that parallel, partition-wise
 * and distributed plans can split the aggregates; it has the model in it,
 * because what a call site remembers may be lost after any row.
 *
 * Promises: sums are exact and rounded once, so that the result depends on the
 * customers alone, to the last bit; customers whose value cannot be known are
 * left out, as sum() leaves out NULL.
 * Never: adds values of different models.
 */
#include "clv/clv_customer.h"

#include <math.h>

#include "clv/clv_memo.h"
#include "clv/clv_model_cache.h"
#include "fmgr/arguments.h"
#include "math/exact_sum.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/timestamp.h"

#define EQUITY_MAGIC	0x32715643

typedef struct Equity
{
	int32		vl_len_;		/* varlena header */
	uint32		magic;
	uint32		model_len;		/* bytes behind the sums */
	uint32		sums;			/* 1, or with derivatives one more for each parameter */
	int64		customers;		/* in the sums */
	Seen		seen;			/* of histories, until as_of */
	DateADT		as_of;			/* the latest, if has_as_of */
	int32		has_as_of;
	ExactSum	sum[FLEXIBLE_ARRAY_MEMBER];
} Equity;

#define EQUITY_SIZE(sums, model_len) \
	(offsetof(Equity, sum) + sizeof(ExactSum) * (Size) (sums) + (Size) (model_len))
#define EQUITY_MODEL(equity)	((char *) &(equity)->sum[(equity)->sums])

/* What a call site remembers of a model. */
typedef struct EquityModel
{
	ClvCacheModel cache;
	ClvTerms	terms;			/* that the answers are to */
	ClvMemo		memo;			/* where the answer for a customer is */
	int			width;			/* discounted purchases, perhaps with derivatives */
	uint32		answers;
	uint32		room;
	double	   *answer;
} EquityModel;

/* ---------- the state ---------- */

static void
clv_equity_corrupt_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("state of customer_equity is corrupt: wrong size")));
}

/* Anybody may write an aggregate that begins with bytes of his own. */
static inline Equity *
check_state(struct varlena *value)
{
	Equity	   *equity = (Equity *) value;

	if (unlikely(!VARATT_IS_4B_U(equity) || VARSIZE(equity) < EQUITY_SIZE(1, 0) ||
				 equity->magic != EQUITY_MAGIC || equity->sums < 1 ||
				 equity->sums > 1 + CLV_PARAMS_MAX ||
				 VARSIZE(equity) != EQUITY_SIZE(equity->sums, equity->model_len)))
		clv_equity_corrupt_error();
	return equity;
}

static void
check_model(const Equity *equity, uint32 sums, const char *model, uint32 len)
{
	if (unlikely(equity->model_len != len || memcmp(EQUITY_MODEL(equity), model, len) != 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model must be the same in all rows of customer_equity"),
				 errhint("Equities add up: where each country has a model, SELECT country, sum(equity) FROM (SELECT country, customer_equity(model, h) AS equity FROM ... GROUP BY country) q GROUP BY ROLLUP (country).")));
	if (unlikely(equity->sums != sums))
		clv_equity_corrupt_error();
}

static Equity *
clv_equity_create_state(uint32 sums, const char *model, uint32 len)
{
	Equity	   *equity = palloc0(EQUITY_SIZE(sums, len));

	SET_VARSIZE(equity, EQUITY_SIZE(sums, len));
	equity->magic = EQUITY_MAGIC;
	equity->sums = sums;
	equity->model_len = len;
	memcpy(EQUITY_MODEL(equity), model, len);
	return equity;
}

/* They may differ from row to row: what is told is about the latest. */
static void
clv_equity_note_as_of(Equity *equity, DateADT as_of)
{
	equity->as_of = equity->has_as_of ? Max(equity->as_of, as_of) : as_of;
	equity->has_as_of = true;
}

/* Customers without a value are left out, as sum() leaves them out: that is no news. */
static void
clv_equity_tell(FunctionCallInfo fcinfo, const Equity *equity)
{
	Seen		seen = equity->seen;

	seen.without = 0;
	seen_tell(fcinfo, &seen, equity->has_as_of ? &equity->as_of : NULL, 0);
}

/* ---------- arguments ---------- */

static inline bool
given(FunctionCallInfo fcinfo, int arg)
{
	return arg < PG_NARGS() && !PG_ARGISNULL(arg);
}

/*
 * horizon, discount_rate and margin, from an argument on, with the defaults of
 * clv(); as there, the value is not known where one of them is NULL.
 */
static bool
get_terms(FunctionCallInfo fcinfo, int arg, const ClvPredictor *p, ClvTerms *terms)
{
	TimeUnit	unit = p->model.unit;

	for (int i = arg; i < PG_NARGS(); i++)
		if (PG_ARGISNULL(i))
			return false;
	terms->step = time_unit_days[TIME_UNIT_MONTH] / time_unit_days[unit];
	terms->horizon = given(fcinfo, arg) ?
		clv_interval_units(PG_GETARG_INTERVAL_P(arg), unit, "horizon") :
		12 * time_unit_days[TIME_UNIT_MONTH] / time_unit_days[unit];
	terms->rate = given(fcinfo, arg + 1) ? PG_GETARG_FLOAT8(arg + 1) : 0.10;
	terms->margin = given(fcinfo, arg + 2) ? PG_GETARG_FLOAT8(arg + 2) : 1;
	clv_terms_check(p, terms);
	return true;
}

/* ---------- values and their derivatives ---------- */

/* The terms, and the answer for the parameters as they are. */
typedef struct Ask
{
	const ClvTerms *terms;
	const double *params;
	double		purchases;
} Ask;

/* ClvFunction; purchases do not depend on the parameters of spend */
static double
purchases_at(const ClvPredictor *p, const ClvCustomer *customer, const void *arg)
{
	const Ask  *ask = arg;

	if (memcmp(p->purchase.params, ask->params, sizeof(p->purchase.params)) == 0)
		return ask->purchases;
	return clv_discounted_purchases(p, customer, ask->terms);
}

/* ClvFunction */
static double
spend_at(const ClvPredictor *p, const ClvCustomer *customer, const void *arg)
{
	return clv_expected_spend(p, customer);
}

static void
find_purchases(const EquityModel *model, const ClvCustomer *customer, double *answer)
{
	ClvPredictor *p = model->cache.predictor;
	Ask			ask = {&model->terms, p->purchase.params, 0};
	double		gradient[CLV_PARAMS_MAX];

	answer[0] = ask.purchases = clv_discounted_purchases(p, customer, &model->terms);
	if (model->width == 1)
		return;
	clv_gradient(p, customer, purchases_at, &ask, gradient);
	memcpy(answer + 1, gradient, sizeof(double) * (model->width - 1));
}

/* Room for one answer more. */
static void
reserve_answer(EquityModel *model)
{
	Size		size = sizeof(double) * model->width;

	if (model->answers < model->room)
		return;
	if (model->room == 0)
		model->answer = MemoryContextAlloc(model->cache.base.context, size * MEMO_ENTRIES_FIRST);
	else if (model->room < MEMO_ENTRIES_MAX)
		model->answer = repalloc(model->answer, size * model->room * 2);
	else
	{
		clv_memo_forget(&model->memo);
		model->answers = 0;
		return;
	}
	model->room = Max(model->room * 2, MEMO_ENTRIES_FIRST);
}

/* Discounted purchases of a customer, then their derivatives. */
static const double *
purchases_of(EquityModel *model, const ClvCustomer *customer, const ClvTerms *terms, int width)
{
	MemoEntry  *entry;
	double	   *answer;
	bool		known;

	if (unlikely(model->width == 0))
	{
		clv_memo_init(&model->memo, model->cache.base.context);
		model->width = width;
	}
	if (unlikely(memcmp(&model->terms, terms, sizeof(ClvTerms)) != 0))
	{
		model->terms = *terms;
		model->answers = 0;
		clv_memo_forget(&model->memo);
	}
	reserve_answer(model);
	entry = clv_memo_find(&model->memo, customer, &known);
	if (likely(known))
		return model->answer + (Size) entry->value * model->width;
	answer = model->answer + (Size) model->answers * model->width;
	find_purchases(model, customer, answer);
	clv_memo_put(&model->memo, entry, customer, model->answers++);
	return answer;
}

static void
add_customer(Equity *equity, EquityModel *model, const ClvCustomer *customer,
			 const ClvTerms *terms)
{
	ClvPredictor *p = model->cache.predictor;
	int			n = p->model.purchase->nparams;
	const double *purchases = purchases_of(model, customer, terms, equity->sums == 1 ? 1 : 1 + n);
	double		kept = clv_expected_spend(p, customer) * terms->margin;
	double		gradient[CLV_PARAMS_MAX];

	if (!isfinite(purchases[0] * kept))
		return;
	exact_sum_add(&equity->sum[0], purchases[0] * kept);
	equity->customers++;
	if (equity->sums == 1)
		return;
	for (int i = 1; i <= n; i++)
		exact_sum_add(&equity->sum[i], purchases[i] * kept);
	if (!p->model.has_spend)
		return;
	clv_gradient(p, customer, spend_at, NULL, gradient);
	for (int i = n; i < n + SPEND_PARAMS; i++)
		exact_sum_add(&equity->sum[1 + i], purchases[0] * gradient[i] * terms->margin);
}

/* ---------- entry points ---------- */

#define MODEL_ARG		1
#define CUSTOMER_ARG	2

static pg_attribute_always_inline Datum
equity_trans(FunctionCallInfo fcinfo, bool summary, bool with_error)
{
	ClvModelValue *model;
	EquityModel *ready;
	ClvPredictor *p;
	ClvCustomer customer;
	ClvTerms	terms;
	Equity	   *equity;
	uint32		sums = 1;
	bool		known;

	require_aggregate(fcinfo, "customer_equity");
	if (PG_ARGISNULL(MODEL_ARG) || PG_ARGISNULL(CUSTOMER_ARG))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	model = PG_GETARG_CLV_MODEL_PP(MODEL_ARG);
	ready = (EquityModel *) clv_cache_model(fcinfo, model, sizeof(EquityModel));
	p = ready->cache.predictor;
	if (with_error)
		sums += p->model.purchase->nparams + (p->model.has_spend ? SPEND_PARAMS : 0);
	if (PG_ARGISNULL(0))
		equity = clv_equity_create_state(sums, VARDATA_ANY(model), VARSIZE_ANY_EXHDR(model));
	else
	{
		equity = check_state((struct varlena *) PG_GETARG_POINTER(0));
		check_model(equity, sums, VARDATA_ANY(model), VARSIZE_ANY_EXHDR(model));
	}
	/* a model of nobody has no parameters */
	known = !isnan(p->purchase.params[0]) &&
		get_terms(fcinfo, CUSTOMER_ARG + (summary ? 4 : 2), p, &terms);
	if (known && summary)
		known = clv_summary_argument(fcinfo, CUSTOMER_ARG, p->model.purchase, true, &customer);
	else if (known)
	{
		DateADT		as_of = clv_as_of_argument(fcinfo, CUSTOMER_ARG + 1, &p->model);

		clv_equity_note_as_of(equity, as_of);
		known = clv_customer_from_history(p->model.purchase, p->model.unit,
										  PG_GETARG_HISTORY_PP(CUSTOMER_ARG), as_of, &customer,
										  &equity->seen);
	}
	if (known)
		add_customer(equity, ready, &customer, &terms);
	PG_RETURN_POINTER(equity);
}

#define EQUITY_TRANS(name, summary, with_error) \
	PG_FUNCTION_INFO_V1(name); \
	Datum name(PG_FUNCTION_ARGS) { return equity_trans(fcinfo, summary, with_error); }

EQUITY_TRANS(customer_equity_history_trans, false, false)
EQUITY_TRANS(customer_equity_summary_trans, true, false)
EQUITY_TRANS(customer_equity_se_history_trans, false, true)
EQUITY_TRANS(customer_equity_se_summary_trans, true, true)

PG_FUNCTION_INFO_V1(customer_equity_combine);
Datum
customer_equity_combine(PG_FUNCTION_ARGS)
{
	Equity	   *equity;
	Equity	   *more;

	require_aggregate(fcinfo, "customer_equity");
	if (PG_ARGISNULL(1))
	{
		if (PG_ARGISNULL(0))
			PG_RETURN_NULL();
		PG_RETURN_DATUM(PG_GETARG_DATUM(0));
	}
	/* a copy: whole, aligned and ours, wherever the state came from */
	more = check_state((struct varlena *) PG_DETOAST_DATUM_COPY(PG_GETARG_DATUM(1)));
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(more);
	equity = check_state((struct varlena *) PG_GETARG_POINTER(0));
	check_model(equity, more->sums, EQUITY_MODEL(more), more->model_len);
	equity->customers += more->customers;
	seen_merge(&equity->seen, &more->seen);
	if (more->has_as_of)
		clv_equity_note_as_of(equity, more->as_of);
	for (uint32 i = 0; i < equity->sums; i++)
		exact_sum_merge(&equity->sum[i], &more->sum[i]);
	PG_RETURN_POINTER(equity);
}

PG_FUNCTION_INFO_V1(customer_equity_final);
Datum
customer_equity_final(PG_FUNCTION_ARGS)
{
	Equity	   *equity;
	double		sum;

	require_aggregate(fcinfo, "customer_equity");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	equity = check_state((struct varlena *) PG_GETARG_POINTER(0));
	clv_equity_tell(fcinfo, equity);
	if (equity->customers == 0)
		PG_RETURN_NULL();
	sum = exact_sum_value(&equity->sum[0]);
	if (isinf(sum))
		float_overflow_error();
	PG_RETURN_FLOAT8(sum);
}

PG_FUNCTION_INFO_V1(customer_equity_se_final);
Datum
customer_equity_se_final(PG_FUNCTION_ARGS)
{
	Equity	   *equity;
	ClvModelValue *value;
	ClvModel	model;
	double		gradient[CLV_PARAMS_MAX] = {0};
	double		error;

	require_aggregate(fcinfo, "customer_equity_se");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	equity = check_state((struct varlena *) PG_GETARG_POINTER(0));
	clv_equity_tell(fcinfo, equity);
	if (equity->customers == 0)
		PG_RETURN_NULL();
	value = palloc(VARHDRSZ + equity->model_len);
	SET_VARSIZE(value, VARHDRSZ + equity->model_len);
	memcpy(VARDATA(value), EQUITY_MODEL(equity), equity->model_len);
	/* this checks the bytes */
	clv_model_unpack(value, &model);
	for (uint32 i = 1; i < equity->sums; i++)
		gradient[i - 1] = exact_sum_value(&equity->sum[i]);
	error = clv_standard_error(&model, gradient);
	if (!isfinite(error))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(error);
}
