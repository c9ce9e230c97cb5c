/*
 * clv_model_cache.c
 *	  Models that a call site has met, made ready.
 *
 * Promises: see clv_model_cache.h.
 */
#include "clv/clv_model_cache.h"

#include "utils/memutils.h"

static void
warn_if_not_converged(const ClvModel *model)
{
	const char *reason = clv_fit_reason(&model->fit, model->purchase->param_names);

	if (reason == NULL && model->has_spend)
		reason = clv_fit_reason(&model->spend, clv_spend_model_of(model)->param_names);
	if (reason != NULL)
		ereport(WARNING,
				(errmsg("predictions from a clv_model that has not converged: %s", reason),
				 errhint("See clv_fit(model); add customers, or choose another model.")));
}

static pg_noinline ClvCacheModel *
clv_model_cache_add(FunctionCallInfo fcinfo, ValueCache *cache, const ClvModelValue *value, Size size)
{
	MemoryContext context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "clv_model",
												  ALLOCSET_DEFAULT_SIZES);
	ClvCacheModel *model = (ClvCacheModel *) value_cache_begin(cache, context, size);
	MemoryContext old = MemoryContextSwitchTo(context);

	model->predictor = clv_predictor_create(value);
	MemoryContextSwitchTo(old);
	value_cache_put(cache, &model->base, VARSIZE_ANY_EXHDR(value), VARDATA_ANY(value),
					VARSIZE_ANY_EXHDR(value));
	warn_if_not_converged(&model->predictor->model);
	return model;
}

ClvCacheModel *
clv_cache_model(FunctionCallInfo fcinfo, const ClvModelValue *value, Size size)
{
	ValueCache *cache = value_cache_of(fcinfo, VALUE_CACHE_MAX);
	CachedValue *known = value_cache_by_key(cache, VARSIZE_ANY_EXHDR(value), VARDATA_ANY(value),
											VARSIZE_ANY_EXHDR(value));

	return known != NULL ? (ClvCacheModel *) known : clv_model_cache_add(fcinfo, cache, value, size);
}
