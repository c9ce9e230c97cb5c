/*
 * churn_input.h
 *	  Rows as SQL gives them, (churned, features [, weight] [, options]), on their
 *	  way into a sample.
 *
 * What the aggregates and the window function share.  An intake is what rows
 * have in common: the options, and how features are read.
 *
 * Ownership: lives in the memory context given at creation, which must outlive
 * the samples that are made of it.
 * Promises: features of rows without an outcome are not looked at.
 */
#ifndef RETENTION_CHURN_INTAKE_H
#define RETENTION_CHURN_INTAKE_H

#include "churn/churn_sample.h"

typedef struct ChurnIntake
{
	MemoryContext context;
	ChurnInput	input;
	bool		weighted;
	struct varlena *given;		/* options: jsonb, or text of it; NULL */
	bool		as_text;
	ChurnOptions options;
	/* from the first row with an outcome on */
	FeatureReader *reader;
	ChurnShape *shape;
	FeatureValue *values;
} ChurnIntake;

/* given: options, jsonb or text (as_text), copied; NULL for the defaults. */
extern ChurnIntake *churn_intake_create(MemoryContext context, ChurnInput input, bool weighted,
										struct varlena *given, bool as_text);

/* Are these its options? */
extern bool churn_intake_has_options(const ChurnIntake *intake, struct varlena *given);

/* Detoasted: what the other functions want. */
extern Datum churn_features_datum(ChurnInput input, Datum features);

/* Could rows like this one be read? */
extern bool churn_intake_reads(const ChurnIntake *intake, Datum features);

/* The first row with an outcome: its features are those of all rows. */
extern void churn_intake_describe(ChurnIntake *intake, Datum features);

/* A row that is to train. */
extern void churn_intake_add(ChurnIntake *intake, ChurnSample *sample, bool churned,
							 Datum features, double weight);

/*
 * The fit, in the current memory context; sample may be NULL where no row had an
 * outcome.  unlabelled, skipped: rows that the sample has not seen.
 */
extern ChurnModel *churn_intake_fit(const ChurnIntake *intake, const ChurnSample *sample,
									int64 unlabelled, int64 skipped);

/* At most one WARNING: what is wrong with a model, or what is too good. */
extern void churn_intake_warn(const ChurnSample *sample, const ChurnModel *model);

#endif							/* RETENTION_CHURN_INTAKE_H */
