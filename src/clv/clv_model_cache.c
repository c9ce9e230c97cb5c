/*
 * clv_model_cache.c
 *	  Models that a call site has met, made ready.
 *
 * Promises: see clv_cache.h.
 */
#include "clv/clv_model_cache.h"

#include "utils/memutils.h"

/* So many models in turn are cheap. */
#define SITE_MODELS	16

typedef struct ClvCache
{
	int			n;
	int			next;			/* to be forgotten */
	ClvCacheModel *models[SITE_MODELS];
} ClvCache;

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
clv_model_cache_add(FunctionCallInfo fcinfo, ClvCache *cache, const ClvModelValue *value, Size size)
{
	MemoryContext context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "clv_model",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ClvCacheModel *model = palloc0(size);
	int			place = cache->n;

	model->context = context;
	model->predictor = clv_predictor_create(value);
	model->value = palloc(VARSIZE_ANY(value));
	memcpy(model->value, value, VARSIZE_ANY(value));
	MemoryContextSwitchTo(old);
	if (cache->n == SITE_MODELS)
	{
		place = cache->next;
		cache->next = (cache->next + 1) % SITE_MODELS;
		MemoryContextDelete(cache->models[place]->context);
	}
	else
		cache->n++;
	cache->models[place] = model;
	warn_if_not_converged(&model->predictor->model);
	return model;
}

static inline bool
same_value(const ClvModelValue *a, const ClvModelValue *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

ClvCacheModel *
clv_cache_model(FunctionCallInfo fcinfo, const ClvModelValue *value, Size size)
{
	ClvCache    *cache = fcinfo->flinfo->fn_extra;

	if (cache == NULL)
		cache = fcinfo->flinfo->fn_extra =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ClvCache));
	for (int i = 0; i < cache->n; i++)
		if (same_value(value, cache->models[i]->value))
			return cache->models[i];
	return clv_model_cache_add(fcinfo, cache, value, size);
}
