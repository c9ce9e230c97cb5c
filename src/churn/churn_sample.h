/*
 * churn_sample.h
 *	  Labelled rows, buffered once, and the model that is fitted to them.
 *
 * Rows lie in pieces, 8 bytes a feature (and a weight, where there are weights)
 * and 5 for the outcome and a hash; texts are numbers of a dictionary.  To be
 * fitted they are put in the order of that hash: an index, 4 bytes a row; the
 * rows stay where they are.
 *
 * Ownership: everything lives in the memory context given at creation.
 * Promises: memory is that and, of a large sample, some 3 in a hundred (1.1 times
 * the doubles of 20 features, while they are fitted by 'logistic'), and that of
 * the different texts; fitting changes nothing: rows may be added afterwards,
 * and the sample be fitted again.  The fit depends on the rows alone: to the
 * last bit.
 * Never: has a memory context of its own: one million groups have one million
 * samples.
 */
#ifndef RETENTION_CHURN_SAMPLE_H
#define RETENTION_CHURN_SAMPLE_H

#include "churn/churn_features.h"

typedef struct ChurnSample ChurnSample;
typedef struct ChurnShape ChurnShape;

/* names, kinds: n features; options is copied. */
extern ChurnSample *churn_sample_create(MemoryContext context, ChurnInput input, int n,
										const char *const *names, const FeatureKind *kinds,
										const ChurnOptions *options, bool weighted);

/* The same in two steps: what many samples have in common, which must outlive them. */
extern ChurnShape *churn_shape_create(MemoryContext context, ChurnInput input, int n,
									  const char *const *names, const FeatureKind *kinds,
									  const ChurnOptions *options, bool weighted);
extern ChurnSample *churn_sample_of_shape(MemoryContext context, const ChurnShape *shape);

/*
 * Adds a row whose outcome is known; weight > 0 (1 if not weighted).  NULLs as
 * options->missing says.  54000 beyond 2^32 - 1 rows.
 */
extern void churn_sample_add(ChurnSample *sample, bool churned, const FeatureValue *values,
							 double weight);

/*
 * The same of numbers without NULLs, where all features are numbers.  False,
 * and no row more, if one is NaN or infinite.
 */
extern bool churn_sample_add_numbers(ChurnSample *sample, bool churned, const double *numbers,
									 double weight);

/*
 * The fit, in the current memory context, by sample's options; a status, never
 * an error, where the rows do not allow one.  Warns of nothing: the caller does,
 * by churn_status_text().
 */
extern ChurnModel *churn_sample_fit(const ChurnSample *sample);

/*
 * Names of the features each of which alone tells all outcomes, where that is no
 * chance: most often they were made from the outcome.  NULL if there are none.
 */
extern char *churn_sample_leakages(const ChurnSample *sample, const ChurnModel *model);

#endif							/* RETENTION_CHURN_SAMPLE_H */
