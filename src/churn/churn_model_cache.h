/*
 * churn_model_cache.h
 *	  Models of churn that a call site has met, unpacked, and how it reads the
 *	  features of its rows.
 *
 * Promises: warns once a call site of a model that has not converged.
 * Never: is needed; see value_cache.h.
 */
#ifndef RETENTION_CHURN_MODEL_CACHE_H
#define RETENTION_CHURN_MODEL_CACHE_H

#include "churn/churn_features.h"
#include "churn/churn_model.h"
#include "fmgr/value_cache.h"

typedef struct ChurnCacheModel
{
	CachedValue base;
	ChurnModel *model;
	/* scratch for a row */
	double	   *raw;			/* features */
	double	   *x;				/* columns */
	FeatureValue *values;		/* features */
	/* of rows: how they are read, once there was one */
	MemoryContext reader_context;
	FeatureReader *reader;
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
