/*
 * churn_input.h
 *	  Rows as SQL gives them, (churned, features [, weight] [, options]), on their
 *	  way into a sample.
 *
 * What the aggregates and the window function share.  An input is what rows
 * have in common: the options, and how features are read.
 *
 * Ownership: lives in the memory context given at creation, which must outlive
 * the samples that are made of it.
 * Promises: features of rows without an outcome are not looked at.
 */
#ifndef RETENTION_CHURN_INPUT_H
#define RETENTION_CHURN_INPUT_H

#include "churn/churn_sample.h"

typedef struct ChurnInputRows
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
} ChurnInputRows;

/* given: options, jsonb or text (as_text), copied; NULL for the defaults. */
extern ChurnInputRows *churn_input_create(MemoryContext context, ChurnInput input, bool weighted,
										  struct varlena *given, bool as_text);

/* Are these its options? */
extern bool churn_input_has_options(const ChurnInputRows *collected, struct varlena *given);

/* Detoasted: what the other functions want. */
extern Datum churn_features_datum(ChurnInput input, Datum features);

/* Could rows like this one be read? */
extern bool churn_input_reads(const ChurnInputRows *collected, Datum features);

/* The first row with an outcome: its features are those of all rows. */
extern void churn_input_describe(ChurnInputRows *collected, Datum features);

/* A row that is to train. */
extern void churn_input_add(ChurnInputRows *collected, ChurnSample *sample, bool churned,
							Datum features, double weight);

/*
 * The fit, in the current memory context; sample may be NULL where no row had an
 * outcome.  unlabelled, skipped: rows that the sample has not seen.
 */
extern ChurnModel *churn_input_fit(const ChurnInputRows *collected, const ChurnSample *sample,
								   int64 unlabelled, int64 skipped);

/* At most one WARNING: what is wrong with a model, or what is too good. */
extern void churn_input_warn(const ChurnSample *sample, const ChurnModel *model);

#endif							/* RETENTION_CHURN_INPUT_H */
