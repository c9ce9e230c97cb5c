/*
 * churn_model.c
 *	  The churn_model value: its bytes, and what their reader and writer share.
 *
 * Bytes, in the forms of byte_reader.h:
 *	  tag, flags (none)
 *	  fingerprint			16 bytes: the head of SHA-256 of all that follows
 *	  method, status, missing, input (one byte each)
 *	  rows, positives, unlabelled, skipped, weight, positive weight
 *	  of histories: until (days since 2000-01-01, signed), days since as_of, amounts (1 byte)
 *	  number of features, and for each
 *		name
 *		kind, missing, other (in one byte)
 *		mean				of numbers and booleans
 *		number of levels, and the levels	of categories
 *	  and what the method says: see put_logistic(), put_boost() and
 *	  churn_model_put_gaps() of churn_model_write.c.
 * Columns follow from the features.  What a model without scores lacks is not
 * stored.  Trees are stored without the nodes that no row reaches.  Levels after
 * the base are in the order of their bytes in the encoding of the fit.
 *
 * The fingerprint is what tells two models of a call site apart without
 * comparing all of their trees at every row (churn_model_cache.c).
 *
 * Never: follows the order of a machine's bytes, or a setting.
 */
#include "churn/churn_model.h"

#include "common/cryptohash.h"
#include "common/sha2.h"

void
churn_fingerprint(const char *data, Size len, char *result)
{
	pg_cryptohash_ctx *hash = pg_cryptohash_create(PG_SHA256);
	uint8		digest[PG_SHA256_DIGEST_LENGTH];

	if (pg_cryptohash_init(hash) < 0 ||
		pg_cryptohash_update(hash, (const uint8 *) data, len) < 0 ||
		pg_cryptohash_final(hash, digest, sizeof(digest)) < 0)
		elog(ERROR, "could not compute the fingerprint of a churn_model");
	pg_cryptohash_free(hash);
	memcpy(result, digest, CHURN_FINGERPRINT_BYTES);
}

const char *
churn_model_fingerprint(const ChurnModelValue *value)
{
	Assert(VARSIZE_ANY_EXHDR(value) > CHURN_HEAD_BYTES);
	return VARDATA_ANY(value) + VALUE_PREFIX;
}

bool
churn_model_scores(const ChurnModel *model)
{
	return model->status != CHURN_NO_LABELS && model->status != CHURN_ONE_CLASS;
}

/* ---------- columns ---------- */

void
churn_columns_of(ChurnModel *model)
{
	int			n = 0;

	for (int i = 0; i < model->nfeatures; i++)
	{
		ChurnFeature *f = &model->features[i];

		f->first_column = n;
		f->columns = (f->kind == FEATURE_CATEGORY ? Max(f->nlevels - 1, 0) + f->other : 1) +
			f->missing;
		n += f->columns;
	}
	model->ncolumns = n;
	model->columns = palloc(sizeof(ChurnColumn) * (n + 1));
	for (int i = 0; i < model->nfeatures; i++)
	{
		const ChurnFeature *f = &model->features[i];
		ChurnColumn *column = &model->columns[f->first_column];

		if (f->kind != FEATURE_CATEGORY)
			*column++ = (ChurnColumn) {i, COLUMN_VALUE};
		for (int level = 1; f->kind == FEATURE_CATEGORY && level < f->nlevels; level++)
			*column++ = (ChurnColumn) {i, level};
		if (f->kind == FEATURE_CATEGORY && f->other)
			*column++ = (ChurnColumn) {i, COLUMN_OTHER};
		if (f->missing)
			*column++ = (ChurnColumn) {i, COLUMN_MISSING};
	}
}
