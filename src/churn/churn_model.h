/*
 * churn_model.h
 *	  What a churn_model's bytes tell without being unpacked, and columns of
 *	  features.
 */
#ifndef RETENTION_CHURN_MODEL_H
#define RETENTION_CHURN_MODEL_H

#include "churn/churn.h"
#include "value/value_type.h"

#define CHURN_VERSION			1
#define CHURN_FINGERPRINT_BYTES 16
#define CHURN_HEAD_BYTES		(VALUE_PREFIX + CHURN_FINGERPRINT_BYTES)

/* The byte of a feature: its kind, and */
#define CHURN_KIND_BITS			0x03
#define CHURN_FLAG_MISSING		0x04
#define CHURN_FLAG_OTHER		0x08

/* The fingerprint of what follows the head. */
extern void churn_fingerprint(const char *data, Size len, char *result);

/* Leaves below node "node" of a complete tree: the first, and how many. */
static inline void
churn_leaves_below(int depth, int node, int *from, int *count)
{
	int			level = 0;

	while ((2 << level) - 1 <= node)
		level++;
	*count = 1 << (depth - level);
	*from = (node - ((1 << level) - 1)) * *count;
}

/*
 * Models of the same fingerprint are the same model: so much of SHA-256 is in
 * it that no other is found, by chance or on purpose.
 */
extern const char *churn_model_fingerprint(const ChurnModelValue *value);

/*
 * Numbers the design columns of the features: sets their first_column and
 * columns, and the model's ncolumns and columns.  Values or levels 1 .., then
 * other, then missing.
 */
extern void churn_columns_of(ChurnModel *model);

/* "feature", "feature=level", "feature=(other)", "feature=(missing)" */
extern char *churn_column_name(const ChurnModel *model, int column);

#endif							/* RETENTION_CHURN_MODEL_H */
