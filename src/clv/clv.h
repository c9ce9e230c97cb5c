/*
 * clv.h
 *	  The clv_model value, customers as the models see them, and predictions.
 *
 * A clv_model holds a model of purchases, perhaps one of spend, and how they
 * were fitted.  It is flat and portable: see clv_model.c for its bytes.
 *
 * Promises: everything read from a value was checked on its way in; predictions
 * are the same for the same bits of input, in any order.
 * Never: reads a clock or a setting.
 */
#ifndef RETENTION_CLV_H
#define RETENTION_CLV_H

#include "retention.h"
#include "calendar/time_unit.h"
#include "history/history.h"
#include "history/history_seen.h"
#include "models/purchase/purchase_model.h"
#include "utils/date.h"
#include "utils/timestamp.h"
#include "value/value_type.h"

typedef struct varlena ClvModelValue;

extern const ValueType clv_model_type;

#define PG_GETARG_CLV_MODEL_PP(n) ((ClvModelValue *) value_get(fcinfo, n, &clv_model_type))

/* ---------- names (clv_models.c) ---------- */

/* Case, spaces, '_', '-' and '/' do not matter; 22023 with the name. */
extern const PurchaseModel *clv_purchase_parse(const text *name);

/* False for 'none'; 22023 for what is no model of spend. */
extern bool clv_spend_parse(const text *name);

/*
 * The names of the models that "which" is true of (NULL: of all) for a hint:
 * "'a', 'b' or 'c'", "or" being the word.
 */
extern char *clv_model_names(bool (*which) (const PurchaseModel *), const char *word);
extern bool clv_model_is_contract(const PurchaseModel *model);
extern bool clv_model_is_continuous(const PurchaseModel *model);

/* ---------- the value (clv_model.c) ---------- */

/*
 * An interval in units: months of 30.4375 days.  22023 unless finite, and 0 or a
 * day at least.
 */
extern double clv_interval_units(const Interval *interval, TimeUnit unit, const char *name);

typedef struct ClvModel
{
	const PurchaseModel *purchase;
	TimeUnit	unit;
	bool		has_as_of;
	DateADT		as_of;			/* the day that all customers were seen until */
	int64		customers;		/* that the purchase model was fitted to */
	int64		skipped;		/* rows with a NULL among what it needs */
	FitResult	fit;
	bool		has_spend;
	FitResult	spend;
	int64		spend_customers;	/* repeat buyers with a positive mean */
	int64		spend_left_out; /* repeat buyers without one: refunds */
	double		correlation;	/* of frequency and mean spend of those; NaN: none */
} ClvModel;

/* Its model of spend; NULL without one.  Values know of one so far. */
static inline const SpendModel *
clv_spend_model_of(const ClvModel *model)
{
	return model->has_spend ? spend_model(SPEND_GAMMA_GAMMA) : NULL;
}

/* Correlations beyond this get a flag: the two models are fitted as if independent. */
#define CLV_CORRELATION_WARNING 0.3

/*
 * Parameters of purchases: the formulas hold far beyond what data can tell, but
 * not everywhere.
 */
#define CLV_PARAM_MIN	1e-12
#define CLV_PARAM_MAX	1e12

/* Can a matrix, symmetric and finite, be a covariance?  No negative eigenvalue. */
extern bool clv_covariance_possible(const double *covariance, int n);

/* Parameters of a fit at an edge are brought within the bounds. */
extern ClvModelValue *clv_model_pack(const ClvModel *model);
extern void clv_model_unpack(const ClvModelValue *value, ClvModel *model);

/* NULL, or what is wrong with the bytes. */
extern const char *clv_model_check(const char *data, Size len);

/* Why a fit did not converge, for people; NULL if it did, or none was made. */
extern const char *clv_fit_reason(const FitResult *fit, const char *const *param_names);

/* ---------- a customer (clv_customer.c) ---------- */

typedef struct ClvCustomer
{
	double		x;				/* in the model's unit, as models/model.h has it */
	double		t_x;
	double		age;
	double		spend_x;		/* paid repeat purchases; 0: no mean spend */
	double		z;				/* their mean */
	double		own;			/* mean spend for want of a model: z, else of the first purchase;
								 * NaN: not known */
} ClvCustomer;

/*
 * frequency, recency, age and, if "money" is asked for, monetary_value, from
 * argument "arg" on; false if one of the first three is NULL.
 */
extern bool clv_summary_argument(FunctionCallInfo fcinfo, int arg, const PurchaseModel *model,
								 bool money, ClvCustomer *customer);

/* The last day of argument "arg", a date, or of the model where that is NULL or not there. */
extern DateADT clv_as_of_argument(FunctionCallInfo fcinfo, int arg, const ClvModel *model);

/* 22004: models that count whole periods must be told how many have ended. */
extern void clv_as_of_missing_error(const PurchaseModel *model);

/* Of what the likelihood sees of a customer; the upper bits are the better ones. */
static inline uint64
clv_hash(double x, double t_x, double age)
{
	uint64		bits[3];
	uint64		hash;

	memcpy(&bits[0], &x, sizeof(x));
	memcpy(&bits[1], &t_x, sizeof(t_x));
	memcpy(&bits[2], &age, sizeof(age));
	hash = bits[0] * UINT64CONST(0x9e3779b97f4a7c15);
	hash = (hash ^ (hash >> 32) ^ bits[1]) * UINT64CONST(0xc2b2ae3d27d4eb4f);
	return (hash ^ (hash >> 32) ^ bits[2]) * UINT64CONST(0xd6e8feb86659fd93);
}

/*
 * 22023, naming the values: negative, NaN or infinite, recency > age, frequency
 * not whole, frequency 0 with recency > 0 (or the reverse, recency 0 with
 * frequency > 0, which is allowed), discrete times not whole.  Contract models
 * do not look at the frequency.
 */
extern void clv_customer_check(const PurchaseModel *model, double x, double t_x, double age);

/*
 * 22023, naming the values: no mean spend (NULL) where frequency is above 0, or one
 * that is not finite.
 */
extern void clv_monetary_check(double x, double t_x, double age, const Datum *z);

/*
 * From a history's days up to as_of.  False when none is.  Discrete models
 * count calendar periods of the unit: those after the first active one that
 * have wholly ended at as_of.  "seen", unless NULL, learns of the customer.
 */
extern bool clv_customer_from_history(const PurchaseModel *model, TimeUnit unit,
									  const CustomerHistory *history, DateADT as_of,
									  ClvCustomer *customer, Seen *seen);

/* ---------- predictions (clv_predict.c) ---------- */

#define CLV_PARAMS_MAX (MODEL_PARAMS_MAX + SPEND_PARAMS)

/* A model made ready, with what is remembered from customer to customer. */
typedef struct ClvPredictor
{
	ClvModel	model;
	Predictor	purchase;
	MemoryContext context;		/* where it lives */
	struct ClvPredictor *shifted;	/* for derivatives: two a parameter; made when needed */
	BetaNodesCache nodes;
} ClvPredictor;

/* In the current memory context. */
extern ClvPredictor *clv_predictor_create(const ClvModelValue *value);
extern ClvPredictor *clv_predictor_of(const ClvModel *model);

/* How money to come is counted. */
typedef struct ClvTerms
{
	double		horizon;		/* units of the model */
	double		step;			/* units: cash comes at the end of each step */
	double		rate;			/* annual; 0.10 is 10% */
	double		margin;			/* share of spend that is kept */
} ClvTerms;

/*
 * E[spend per purchase].  NaN where nothing can be said (no finite mean; no
 * spend model and no spend known).  Without a spend model: the customer's own.
 */
extern double clv_expected_spend(const ClvPredictor *p, const ClvCustomer *customer);

/*
 * Sum over the steps of E[purchases in the step], discounted from the end of the
 * step: (1 + rate)^-(years).  The last step may be shorter.  Discrete models:
 * horizon and step are whole periods.
 */
extern double clv_discounted_purchases(const ClvPredictor *p, const ClvCustomer *customer,
									   const ClvTerms *terms);

/* 22023 unless horizon, step, rate and margin make sense. */
extern void clv_terms_check(const ClvPredictor *p, const ClvTerms *terms);

/* Rate of discount a unit of time of the model, continuous: ln(1 + rate) * years per unit. */
extern double clv_rate_per_unit(const ClvPredictor *p, double rate);

/* More than 100% a year is a percentage that was not divided by 100. */
#define CLV_RATE_MAX	1.0

/* 22023 unless 0 <= rate <= CLV_RATE_MAX */
extern void clv_rate_check(double rate);

/* 22023 unless finite */
extern void clv_margin_check(double margin);

/*
 * Delta method: the standard error of f, a function of the parameters, from
 * central differences in their logarithms and the covariances of both fits
 * (which are independent).  gradient, unless NULL, receives the derivatives with
 * respect to the parameters (purchase, then spend: 7 at most).  NaN when a
 * covariance that matters is not known.
 */
typedef double (*ClvFunction) (const ClvPredictor *p, const ClvCustomer *customer,
							   const void *arg);
extern void clv_gradient(ClvPredictor *p, const ClvCustomer *customer, ClvFunction f,
						 const void *arg, double *gradient);
extern double clv_standard_error(const ClvModel *model, const double *gradient);

#endif							/* RETENTION_CLV_H */
