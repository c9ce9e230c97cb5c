/*
 * clv_model_cache.c
 *	  Models that a call site has met, made ready.
 *
 * Promises: see clv_site.h.
 */
#include "clv/clv_model_cache.h"

#include "utils/memutils.h"

/* So many models in turn are cheap. */
#define SITE_MODELS	16

typedef struct ClvSite
{
	int			n;
	int			next;			/* to be forgotten */
	ClvSiteModel *models[SITE_MODELS];
} ClvSite;

static void
warn_if_not_converged(const ClvModel *model)
{
	const char *reason = clv_fit_reason(&model->fit, model->purchase->param_names);

	if (reason == NULL && model->has_spend)
		reason = clv_fit_reason(&model->spend, gamma_gamma_params);
	if (reason != NULL)
		ereport(WARNING,
				(errmsg("predictions from a clv_model that has not converged: %s", reason),
				 errhint("See clv_fit(model); add customers, or choose another model.")));
}

static pg_noinline ClvSiteModel *
site_add(FunctionCallInfo fcinfo, ClvSite *site, const ClvModelValue *value, Size size)
{
	MemoryContext context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "clv_model",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ClvSiteModel *model = palloc0(size);
	int			place = site->n;

	model->context = context;
	model->predictor = clv_predictor_create(value);
	model->value = palloc(VARSIZE_ANY(value));
	memcpy(model->value, value, VARSIZE_ANY(value));
	MemoryContextSwitchTo(old);
	if (site->n == SITE_MODELS)
	{
		place = site->next;
		site->next = (site->next + 1) % SITE_MODELS;
		MemoryContextDelete(site->models[place]->context);
	}
	else
		site->n++;
	site->models[place] = model;
	warn_if_not_converged(&model->predictor->model);
	return model;
}

static inline bool
same_value(const ClvModelValue *a, const ClvModelValue *b)
{
	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

ClvSiteModel *
clv_site_model(FunctionCallInfo fcinfo, const ClvModelValue *value, Size size)
{
	ClvSite    *site = fcinfo->flinfo->fn_extra;

	if (site == NULL)
		site = fcinfo->flinfo->fn_extra =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ClvSite));
	for (int i = 0; i < site->n; i++)
		if (same_value(value, site->models[i]->value))
			return site->models[i];
	return site_add(fcinfo, site, value, size);
}
