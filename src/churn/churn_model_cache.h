/*
 * churn_model_cache.h
 *	  Models of churn that a call site has met, unpacked, and how it reads the
 *	  features of its rows.
 *
 * To unpack a model costs as much as thousands of scores, and rows may bring
 * several in turn, say one a country: a call site remembers some of them, and
 * knows them again without detoasting or comparing all of their bytes.
 *
 * Ownership: everything of a model lives in its context, a child of the call
 * site's, and goes with it.
 * Promises: warns once a call site of a model that has not converged.
 * Never: is needed: what a call site remembers may be lost after any row.
 */
#ifndef RETENTION_CHURN_MODEL_CACHE_H
#define RETENTION_CHURN_MODEL_CACHE_H

#include "churn/churn_features.h"
#include "churn/churn_model.h"

typedef struct ChurnCacheModel
{
	MemoryContext context;
	ChurnModel *model;
	/* scratch for a row */
	double	   *raw;			/* features */
	double	   *x;				/* columns */
	FeatureValue *values;		/* features */
	/* of rows: how they are read, once there was one */
	MemoryContext reader_context;
	FeatureReader *reader;
	/* how its value was recognised last: see churn_cache.c */
	char	   *image;
	Size		image_size;
	Size		image_room;
	Size		size;
	char		fingerprint[CHURN_FINGERPRINT_BYTES];
} ChurnCacheModel;

/* Argument "arg", not NULL: a churn_model.  Valid until the next call. */
extern ChurnCacheModel *churn_cache_model(FunctionCallInfo fcinfo, int arg);

/*
 * Argument "arg", not NULL: a row's features, a float8[] or a record, into raw
 * and, if asked for, values.
 */
extern void churn_cache_read(ChurnCacheModel *cache, FunctionCallInfo fcinfo, int arg,
							ChurnInput input, bool values);

#endif							/* RETENTION_CHURN_MODEL_CACHE_H */
