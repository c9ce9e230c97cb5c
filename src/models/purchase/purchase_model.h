/*
 * purchase_model.h
 *	  What all models of purchases offer, and how they are fitted.
 *
 * Plain C on arrays: no PostgreSQL header, no allocation, no state outside of
 * what the caller gives.  Times are in one unit, the model's own; discrete and
 * contract models count whole periods.
 *
 * A customer is known by three numbers: x repeat purchases, the last one t_x
 * after the first purchase, seen until "age" after it (Fader, Hardie and Lee
 * 2005; T in the papers).  Of contracts t_x is the number of renewals and x is
 * not looked at: t_x = age is a customer who is still there, t_x < age one who
 * left at renewal t_x + 1.
 *
 * Promises: no function overflows, cancels or is singular for x up to 5,000,
 * ages up to 1e6 units and parameters from 1e-6 to 1e6; what is smaller than the
 * smallest double is 0.
 * Never: reads a clock, a setting or a random number.
 */
#ifndef RETENTION_PURCHASE_MODEL_H
#define RETENTION_PURCHASE_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "math/quadrature.h"
#include "models/purchase/purchase_models.h"

#define MODEL_PARAMS_MAX	4
#define MODEL_STARTS_MAX	8

/* Stored in values: PURCHASE_BG_NBD and so on, of the table; NONE is no model. */
#define PURCHASE_NUMBER(NAME, name, number) PURCHASE_##NAME = (number),
typedef enum PurchaseKind
{
	PURCHASE_NONE = 0,
	PURCHASE_MODELS(PURCHASE_NUMBER)
	PURCHASE_KIND_END			/* one more than the last */
} PurchaseKind;

#define PURCHASE_KIND_LAST (PURCHASE_KIND_END - 1)

/* The same of spend: SPEND_GAMMA_GAMMA. */
#define SPEND_NUMBER(NAME, name, number) SPEND_##NAME = (number),
typedef enum SpendKind
{
	SPEND_NONE = 0,
	SPEND_MODELS(SPEND_NUMBER)
	SPEND_KIND_END
} SpendKind;

#define SPEND_KIND_LAST (SPEND_KIND_END - 1)

/* Customers who agree in all that the likelihood sees. */
typedef struct ModelRow
{
	double		x;				/* repeat purchases, a whole number */
	double		t_x;
	double		age;
	double		count;			/* customers, a whole number > 0 */
} ModelRow;

/* Called every few thousand rows or iterations; may not return. NULL: nobody asks. */
typedef void (*ModelPoll) (void);

struct PurchaseModel;

/* A model with parameters, and what is remembered from customer to customer. */
typedef struct Predictor
{
	const struct PurchaseModel *model;
	double		params[MODEL_PARAMS_MAX];
	BetaNodesCache *nodes;		/* of these parameters alone; NULL: not remembered */
	ModelPoll	poll;
} Predictor;

/*
 * What a model becomes where its parameters run to an edge: a maximum there is
 * one of the simpler model.  Bit i for parameter i.
 */
typedef struct ModelLimit
{
	const struct PurchaseModel *model;	/* NULL ends the list */
	unsigned	to_zero;
	unsigned	to_infinity;
} ModelLimit;

#define MODEL_LIMITS_MAX	4

/* For people: each a phrase in plain English, and where it is published. */
typedef struct ModelText
{
	const char *label;			/* in print: "BG/NBD" */
	const char *assumes;		/* of customers */
	const char *take_when;
	const char *source;			/* authors, year */
} ModelText;

typedef struct PurchaseModel
{
	PurchaseKind kind;
	const char *name;			/* in SQL, lower case: 'bg_nbd' */
	const char *alias;			/* how the literature shortens it; may be NULL */
	ModelText text;
	int			nparams;
	const char *param_names[MODEL_PARAMS_MAX];

	/*
	 * Where time is counted in units c times as long, parameter i is divided by c to this power,
	 * and nothing else changes.
	 */
	int			time_powers[MODEL_PARAMS_MAX];
	bool		discrete;		/* x, t_x, age and horizons are whole periods */
	bool		contract;		/* see above; implies discrete */
	ModelLimit	limits[MODEL_LIMITS_MAX + 1];

	/*
	 * Sum over the rows of count * ln P(row), in natural time, without terms that the published
	 * likelihoods drop.  Rows are ascending by (x, t_x, age); the sum is taken in their order.
	 * gradient, unless NULL, receives the derivatives with respect to the logarithms of the
	 * parameters, analytic. -HUGE_VAL where a row is impossible; never NaN.
	 */
	double		(*log_likelihood) (const double *params, const ModelRow *rows, size_t n,
								   double *gradient, ModelPoll poll);

	/* Where to start a search, best first: at most MODEL_STARTS_MAX; returns how many. */
	int			(*starts) (const ModelRow *rows, size_t n,
						   double starts[][MODEL_PARAMS_MAX]);

	/*
	 * P(alive at age + ahead).  The customer's own purchases after age are not known: alive now
	 * and still then.
	 */
	double		(*alive) (const Predictor *p, double x, double t_x, double age, double ahead);

	/* E[purchases in (age, age + t[i]]], for ascending t */
	void		(*expected) (const Predictor *p, double x, double t_x, double age,
							 const double *t, int n, double *result);

	/* P(no purchase in (age, age + t]); computed without cancellation */
	double		(*no_purchase) (const Predictor *p, double x, double t_x, double age, double t);

	/* P(exactly k purchases in (age, age + t]); their sum over k is 1 */
	double		(*distribution) (const Predictor *p, double x, double t_x, double age, double t,
								 double k);

	/*
	 * E[sum of exp(-rate * u) over the purchases at age + u, u > 0]: discounted expected residual
	 * transactions, rate > 0 a unit of time.  rate 0: all expected purchases ever, HUGE_VAL where
	 * infinite.
	 */
	double		(*discounted) (const Predictor *p, double x, double t_x, double age, double rate);

	/* ---------- survival: of contract models alone, else NULL ---------- */

	/* ln S(t): survived t renewals; t >= 0, also not whole */
	double		(*log_survival) (const Predictor *p, double t);

	/* S(t) / S(t - 1), without cancellation; t >= 1 */
	double		(*retention) (const Predictor *p, double t);

	/*
	 * Sum over t >= renewals of S(t) / S(renewals - 1) * exp(-rate * (t - renewals)): discounted
	 * expected residual lifetime just before that renewal (Fader and Hardie 2010); renewals = 0:
	 * of a new customer, S(-1) taken as 1.  HUGE_VAL where infinite.
	 */
	double		(*lifetime) (const Predictor *p, double renewals, double rate);
} PurchaseModel;

#define PURCHASE_EXTERN(NAME, name, number) extern const PurchaseModel name##_model;
PURCHASE_MODELS(PURCHASE_EXTERN)

/* NULL for PURCHASE_NONE and numbers that are no kind. */
extern const PurchaseModel *purchase_model(int kind);

/* ---------- spend ---------- */

#define SPEND_PARAMS	3		/* at most */

typedef struct SpendRow
{
	double		x;				/* paid repeat purchases, a whole number > 0 */
	double		z;				/* their mean, > 0 */
	double		count;			/* customers */
} SpendRow;

typedef struct SpendModel
{
	SpendKind	kind;
	const char *name;			/* in SQL: 'gamma_gamma' */
	ModelText text;
	int			nparams;
	const char *param_names[MODEL_PARAMS_MAX];
	int			money_powers[MODEL_PARAMS_MAX]; /* as time_powers, of the unit of z */

	/* As those of PurchaseModel; rows ascending by (x, z). */
	double		(*log_likelihood) (const double *params, const SpendRow *rows, size_t n,
								   double *gradient, ModelPoll poll);
	int			(*starts) (const SpendRow *rows, size_t n, double starts[][MODEL_PARAMS_MAX]);

	/*
	 * E[spend per purchase | x, z]; x = 0: the population's.  HUGE_VAL where it is infinite.
	 */
	double		(*expected) (const double *params, double x, double z);
} SpendModel;

#define SPEND_EXTERN(NAME, name, number) extern const SpendModel name##_model;
SPEND_MODELS(SPEND_EXTERN)

/* NULL for SPEND_NONE and numbers that are no kind. */
extern const SpendModel *spend_model(int kind);

/* ---------- fitting (maximum_likelihood.c) ---------- */

/* Stored in values: never renumbered. */
typedef enum FitReason
{
	FIT_CONVERGED = 0,
	FIT_GIVEN = 1,				/* parameters by hand, nothing was fitted */
	FIT_NO_CUSTOMERS = 2,
	FIT_NO_REPEATS = 3,			/* nobody came back: every likelihood is a boundary */
	FIT_TO_ZERO = 4,			/* a parameter runs to zero */
	FIT_TO_INFINITY = 5,		/* a parameter runs to infinity */
	FIT_FLAT = 6,				/* the likelihood does not tell the parameters apart */
	FIT_STOPPED = 7				/* no progress, or too many iterations, before the top */
} FitReason;

#define FIT_REASON_LAST FIT_STOPPED

typedef struct FitResult
{
	int			nparams;
	double		params[MODEL_PARAMS_MAX];	/* the best found, whatever the reason */
	double		covariance[MODEL_PARAMS_MAX * MODEL_PARAMS_MAX];	/* of the parameters
																	 * themselves: inverse observed
																	 * information, row by row; NaN
																	 * if not positive definite */
	double		log_likelihood;
	int			iterations;
	double		gradient_norm;	/* largest |d lnL / d ln parameter| per customer */
	bool		converged;
	FitReason	reason;
	int			reason_param;	/* FIT_TO_ZERO, FIT_TO_INFINITY: which; else -1 */
} FitResult;

/*
 * Maximum likelihood.  The same rows in the same order give the same bits.
 * scratch: room for n rows, whose content does not matter; may be NULL (slower
 * for hundreds of thousands of rows).
 */
extern void model_fit(const PurchaseModel *model, const ModelRow *rows, size_t n,
					  ModelRow *scratch, ModelPoll poll, FitResult *result);
extern void spend_fit(const SpendModel *model, const SpendRow *rows, size_t n, SpendRow *scratch,
					  ModelPoll poll, FitResult *result);

#endif							/* RETENTION_PURCHASE_MODEL_H */
