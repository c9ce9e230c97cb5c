/*
 * churn_classifier.h
 *	  What all methods of a churn_model offer: fit, score, explain, show.
 *
 * A method is a file of this room that brings one of models/classifier or
 * models/survival to samples, options and SQL, and one line of the table in
 * churn_classifier.c.  Nothing else of the room asks which method a model is of;
 * its bytes have a row in churn_model_read.c and churn_model_write.c.
 *
 * There are two kinds.  Those with fit() learn from rows of features.  Those with
 * fit_history() look at the gaps between the purchases of all customers, for want
 * of rows, and have no features: they are for histories alone.
 *
 * Promises: members are called for models that churn_model_scores(), unless they
 * say otherwise.
 * Never: keeps anything between calls.
 */
#ifndef RETENTION_CHURN_CLASSIFIER_H
#define RETENTION_CHURN_CLASSIFIER_H

#include "churn/churn.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

/* An option of one method alone: a number, into ChurnOptions. */
typedef struct ClassifierOption
{
	const char *name;			/* NULL ends the list */
	Size		offset;			/* of an int if whole, else of a double */
	bool		whole;
	double		min;
	double		max;
	bool		above;			/* min itself will not do */
	const char *expected;		/* in an error; NULL: that it is whole, from min to max */
} ClassifierOption;

/* Figures of a fit, of any method; NaN where it has none. */
typedef struct ChurnFigures
{
	double		base_rate;
	double		lambda;
	double		log_likelihood_null;
	double		log_likelihood;
	double		penalised;
	double		deviance;
	double		aic;
	double		bic;
	double		mcfadden;
	double		edf;
	double		max_gradient;
	int			iterations;		/* -1: none; these last */
	int			trees;
	int			parameters;
} ChurnFigures;

typedef struct Classifier
{
	ChurnMethod method;			/* its number in stored values */
	const char *name;			/* in SQL and jsonb */
	const ClassifierOption *options;	/* NULL: none of its own */
	double		lambda;			/* the default of the penalty */
	void		(*set_defaults) (ChurnOptions *options);	/* of its own options; may be NULL */

	/* ---------- of rows of features; else NULL ---------- */

	/*
	 * From rows, the features described, into the model: also its status, unless that is another
	 * than CHURN_CONVERGED already, when there is nothing to fit.
	 */
	void		(*fit) (const RowSource *rows, ChurnModel *model);
	bool		finds_means;	/* of the columns, while it fits */

	double		(*log_odds) (const ChurnModel *model, const double *x);

	/* of the columns to the log-odds, added to phi */
	void		(*contributions) (const ChurnModel *model, const double *x, double *phi);

	/* of each feature, in log-odds */
	void		(*importance) (const ChurnModel *model, double *importance);

	/* base rate, lambda and what follows from the likelihoods are there already */
	void		(*figures) (const ChurnModel *model, ChurnFigures *figures);

	/* rows of churn_coefficients(); NULL where there is no such thing */
	void		(*coefficients) (FunctionCallInfo fcinfo, const ChurnModel *model);

	/* ---------- of histories alone; else NULL ---------- */

	/*
	 * From the gaps by their length, in any order, which become the model's: events are those that
	 * a purchase closed.  n = 0: nobody has ever come back.
	 */
	void		(*fit_history) (KmPoint *gaps, int n, ChurnModel *model);

	/* Probability to be silent for the horizon; false where it cannot say. */
	bool		(*score_history) (const ChurnModel *model, int32 recency, double *p);

	/* The same in log-odds: of a customer who has just bought, and what recency changes. */
	bool		(*explain_history) (const ChurnModel *model, int32 recency, double *baseline,
									double *contribution);

	/* Of a model without scores, for people. */
	const char *no_scores;
	const char *no_scores_hint;

	/* ---------- of both ---------- */

	/* members of the JSON object, each with its comma first; also of models without scores */
	void		(*to_json) (StringInfo buf, const ChurnModel *model);
} Classifier;

extern const Classifier churn_logistic;
extern const Classifier churn_boost;
extern const Classifier churn_gap;

/* For histories that are too few to learn from. */
#define CHURN_FALLBACK	(&churn_gap)

/* By the number in a value; NULL for what is none. */
extern const Classifier *churn_classifier(int method);

/* All of them in order, NULL at the end. */
extern const Classifier *const churn_classifiers[];

#endif							/* RETENTION_CHURN_CLASSIFIER_H */
