/*
 * clv_model_cache.h
 *	  Models that a call site has met, made ready.
 *
 * To make a model ready costs as much as hundreds of predictions, and rows may
 * bring several in turn, say one a country: a call site remembers some of them.
 *
 * Ownership: everything of a model lives in its context, a child of the call
 * site's, and goes with it.
 * Promises: warns once of a model that has not converged.
 * Never: is needed: what a call site remembers may be lost after any row.
 */
#ifndef RETENTION_CLV_MODEL_CACHE_H
#define RETENTION_CLV_MODEL_CACHE_H

#include "clv/clv.h"

/* The head of what a user remembers of a model; the rest begins as zeros. */
typedef struct ClvCacheModel
{
	MemoryContext context;
	ClvModelValue *value;
	ClvPredictor *predictor;
} ClvCacheModel;

/* Valid until the next call; "size": of the user's struct. */
extern ClvCacheModel *clv_cache_model(FunctionCallInfo fcinfo, const ClvModelValue *value,
									Size size);

#endif							/* RETENTION_CLV_MODEL_CACHE_H */
