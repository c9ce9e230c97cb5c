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

#define MODEL_PARAMS_MAX	4
#define MODEL_STARTS_MAX	8

/* Stored in values: never renumbered. */
typedef enum PurchaseKind
{
	PURCHASE_NONE = 0,
	PURCHASE_BG_NBD = 1,
	PURCHASE_MBG_NBD = 2,
	PURCHASE_PARETO_NBD = 3,
	PURCHASE_NBD = 4,
	PURCHASE_BG_BB = 5,
	PURCHASE_SBG = 6,
	PURCHASE_BDW = 7
} PurchaseKind;

#define PURCHASE_KIND_LAST PURCHASE_BDW

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

typedef struct PurchaseModel
{
	PurchaseKind kind;
	const char *name;			/* in SQL, lower case: 'bg_nbd' */
	const char *label;			/* in print: "BG/NBD" */
	int			nparams;
	const char *param_names[MODEL_PARAMS_MAX];
	bool		discrete;		/* x, t_x, age and horizons are whole periods */
	bool		contract;		/* see above; implies discrete */

	/*
	 * Sum over the rows of count * ln P(row), in natural time, without terms
	 * that the published likelihoods drop.  Rows are ascending by (x, t_x, age);
	 * the sum is taken in their order.  gradient, unless NULL, receives the
	 * derivatives with respect to the logarithms of the parameters, analytic.
	 * -HUGE_VAL where a row is impossible; never NaN.
	 */
	double		(*log_likelihood) (const double *params, const ModelRow *rows, size_t n,
								   double *gradient, ModelPoll poll);

	/* Where to start a search, best first: at most MODEL_STARTS_MAX; returns how many. */
	int			(*starts) (const ModelRow *rows, size_t n,
						   double starts[][MODEL_PARAMS_MAX]);

	/*
	 * P(alive at age + ahead).  The customer's own purchases after age are not
	 * known: alive now and still then.
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
	 * E[sum of exp(-rate * u) over the purchases at age + u, u > 0]: discounted
	 * expected residual transactions, rate > 0 a unit of time.  rate 0: all
	 * expected purchases ever, HUGE_VAL where infinite.
	 */
	double		(*discounted) (const Predictor *p, double x, double t_x, double age, double rate);
} PurchaseModel;

extern const PurchaseModel bg_nbd_model;
extern const PurchaseModel mbg_nbd_model;
extern const PurchaseModel pareto_nbd_model;
extern const PurchaseModel nbd_model;
extern const PurchaseModel bg_bb_model;
extern const PurchaseModel sbg_model;
extern const PurchaseModel bdw_model;

/* NULL for PURCHASE_NONE and numbers that are no kind. */
extern const PurchaseModel *purchase_model(int kind);

/* ---------- contracts: survival, beyond what the table above can say ---------- */

/* ln S(t): survived t renewals; t >= 0, also not whole.  sbg and bdw only. */
extern double contract_log_survival(const Predictor *p, double t);

/* S(t) / S(t - 1), without cancellation; t >= 1 */
extern double contract_retention(const Predictor *p, double t);

/*
 * Sum over t >= renewals of S(t) / S(renewals - 1) * exp(-rate * (t - renewals)):
 * discounted expected residual lifetime just before that renewal (Fader and
 * Hardie 2010); renewals = 0: of a new customer, S(-1) taken as 1.  HUGE_VAL
 * where infinite.
 */
extern double contract_lifetime(const Predictor *p, double renewals, double rate);

/* ---------- spend ---------- */

#define SPEND_PARAMS	3		/* p, q, v */

typedef struct SpendRow
{
	double		x;				/* paid repeat purchases, a whole number > 0 */
	double		z;				/* their mean, > 0 */
	double		count;			/* customers */
} SpendRow;

extern const char *const gamma_gamma_params[SPEND_PARAMS];

/* As PurchaseModel.log_likelihood; rows ascending by (x, z). */
extern double gamma_gamma_log_likelihood(const double *params, const SpendRow *rows, size_t n,
										 double *gradient, ModelPoll poll);
extern int	gamma_gamma_starts(const SpendRow *rows, size_t n, double starts[][MODEL_PARAMS_MAX]);

/*
 * E[spend per purchase | x, z]; x = 0: the population's p v / (q - 1).
 * HUGE_VAL where it is infinite (p x + q <= 1).
 */
extern double gamma_gamma_expected(const double *params, double x, double z);

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
																	 * themselves: inverse
																	 * observed information,
																	 * row by row; NaN if not
																	 * positive definite */
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
extern void gamma_gamma_fit(const SpendRow *rows, size_t n, SpendRow *scratch, ModelPoll poll,
							FitResult *result);

#endif							/* RETENTION_PURCHASE_MODEL_H */
