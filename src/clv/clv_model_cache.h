/*
 * clv_model_cache.h
 *	  Models that a call site has met, made ready.
 *
 * Promises: warns once of a model that has not converged.
 * Never: is needed; see value_cache.h.
 */
#ifndef RETENTION_CLV_MODEL_CACHE_H
#define RETENTION_CLV_MODEL_CACHE_H

#include "clv/clv.h"
#include "fmgr/value_cache.h"

/* The head of what a user remembers of a model; the rest begins as zeros. */
typedef struct ClvCacheModel
{
	CachedValue base;
	ClvPredictor *predictor;
} ClvCacheModel;

/* Valid until the next call; "size": of the user's struct. */
extern ClvCacheModel *clv_cache_model(FunctionCallInfo fcinfo, const ClvModelValue *value,
									  Size size);

#endif							/* RETENTION_CLV_MODEL_CACHE_H */
