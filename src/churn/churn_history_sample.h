/*
 * churn_history_sample.h
 *	  Customers as they were a horizon ago, who of them has bought since, and the
 *	  model that is fitted to them.
 *
 * With as_of and horizon: who had bought by as_of - horizon trains, with his
 * behaviour of that day (churn_history_features.h) and with whether he was silent until
 * as_of.  Days after as_of are not looked at.  Where either outcome has fewer
 * than BEHAVIOUR_ENOUGH customers, the model is the survival of the gaps between
 * purchase days of all who had bought by as_of, the last gap of each censored
 * there (Kaplan and Meier 1958): P(silent for h more days) = S(r + h) / S(r).
 *
 * Ownership: everything lives in the memory context given at creation.
 * Promises: 40 bytes a customer who trains, 24 for each length of a gap; the model
 * depends on the customers, not on their order; fitting changes nothing.
 * Never: has a memory context of its own; reports anything unasked.
 */
#ifndef RETENTION_CHURN_HISTORY_SAMPLE_H
#define RETENTION_CHURN_HISTORY_SAMPLE_H

#include "churn/churn_history_features.h"
#include "churn/churn_features.h"
#include "datatype/timestamp.h"
#include "history/history_seen.h"
#include "utils/date.h"

/*
 * Customers of either outcome that a model is trained on.  On the logs that we
 * know, samples with fewer of the rarer outcome are scored better by gaps.
 */
#define BEHAVIOUR_ENOUGH 20

/* When is looked at what: days. */
typedef struct BehaviourTerms
{
	DateADT		as_of;
	DateADT		past;			/* as_of - horizon */
	int32		horizon;		/* days between them */
} BehaviourTerms;

/* as_of is finite; 22023: horizon is not of whole days, more than 0. */
extern void behaviour_terms(DateADT as_of, const Interval *horizon, BehaviourTerms *terms);

/* as_of + horizon by the calendar, with the same errors. */
extern DateADT behaviour_until(DateADT as_of, const Interval *horizon);

typedef struct BehaviourSample BehaviourSample;

/*
 * As churn_options_parse(), and 22023 for names and for what is excluded but no
 * feature.
 */
extern void behaviour_options(const struct varlena *jsonb, ChurnOptions *options);

/* terms and options must outlive the sample: a million samples may share them. */
extern BehaviourSample *behaviour_sample_create(MemoryContext context,
												const BehaviourTerms *terms,
												const ChurnOptions *options);

/* A NULL history is counted. */
extern void behaviour_sample_add(BehaviourSample *sample, const CustomerHistory *history);

/* In the current memory context. */
extern ChurnModel *behaviour_sample_fit(const BehaviourSample *sample);

/* What was seen of all customers until as_of. */
extern const Seen *behaviour_sample_seen(const BehaviourSample *sample);

/* The NOTICE that the model is of gaps though another was asked for; none if it is not. */
extern void behaviour_sample_notice(const BehaviourSample *sample, const ChurnModel *model);

/* ---------- scoring ---------- */

/* 22023 if the model is of other rows than histories. */
extern void behaviour_require(const ChurnModel *model);

/* The features of the model: its raw row and, if asked for, what they are about, for people. */
extern void behaviour_row(const ChurnModel *model, const Behaviour *behaviour, double *raw,
						  FeatureValue *values);

/*
 * Probability to be silent for the horizon; false where the model cannot say.
 * raw and x: room for the features and columns.
 */
extern bool behaviour_score(const ChurnModel *model, const Behaviour *behaviour, double *raw,
							double *x, double *p);

#endif							/* RETENTION_CHURN_HISTORY_SAMPLE_H */
