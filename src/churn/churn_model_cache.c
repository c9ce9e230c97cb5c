/*
 * churn_model_cache.c
 *	  Models of churn that a call site has met, unpacked, and how it reads the
 *	  features of its rows.
 *
 * A model of trees has tens of kilobytes: to detoast or to compare them at each
 * row would cost more than the score.  So a value is recognised
 *	- where it lies out of line, by its toast pointer (a pointer is not given to
 *	  another value while somebody can see the old one);
 *	- where it is compressed in line, by its few compressed bytes;
 *	- else by its length and fingerprint (churn_model.h).
 *
 * Promises: see churn_cache.h.
 */
#include "churn/churn_model_cache.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/memutils.h"

/* So many models in turn are cheap. */
#define SITE_MODELS	16

typedef struct ChurnCache
{
	int			n;
	int			next;			/* to be forgotten */
	bool		warned;
	ChurnCacheModel *models[SITE_MODELS];
} ChurnCache;

/* ---------- models ---------- */

/* Can a datum be told from others by these bytes, without detoasting it? */
static inline bool
has_image(const struct varlena *datum)
{
	return VARATT_IS_EXTERNAL_ONDISK(datum) || VARATT_IS_COMPRESSED(datum);
}

static void
remember_image(ChurnCacheModel *model, const struct varlena *datum)
{
	Size		size = VARSIZE_ANY(datum);

	if (!has_image(datum))
		return;
	if (size > model->image_room)
	{
		model->image = MemoryContextAlloc(model->context, size);
		model->image_room = size;
	}
	memcpy(model->image, datum, size);
	model->image_size = size;
}

static pg_noinline ChurnCacheModel *
churn_model_cache_add(FunctionCallInfo fcinfo, ChurnCache *cache, const ChurnModelValue *value)
{
	MemoryContext context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "churn_model",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ChurnCacheModel *model = palloc0(sizeof(ChurnCacheModel));
	int			place = cache->n;

	model->context = context;
	model->model = churn_model_unpack(value);
	model->size = VARSIZE_ANY_EXHDR(value);
	memcpy(model->fingerprint, churn_model_fingerprint(value), CHURN_FINGERPRINT_BYTES);
	model->raw = palloc(sizeof(double) * (model->model->nfeatures + 1));
	model->x = palloc(sizeof(double) * (model->model->ncolumns + 1));
	model->values = palloc0(sizeof(FeatureValue) * (model->model->nfeatures + 1));
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
	if (model->model->status != CHURN_CONVERGED && !cache->warned)
	{
		cache->warned = true;
		ereport(WARNING,
				(errmsg("%s: %s",
						churn_model_scores(model->model) ?
						"scores from a churn_model that has not converged" :
						"no scores from this churn_model",
						churn_status_text(model->model))));
	}
	return model;
}

ChurnCacheModel *
churn_cache_model(FunctionCallInfo fcinfo, int arg)
{
	struct varlena *datum = (struct varlena *) DatumGetPointer(PG_GETARG_DATUM(arg));
	ChurnCache  *cache = fcinfo->flinfo->fn_extra;
	ChurnModelValue *value;
	ChurnCacheModel *model = NULL;

	if (cache == NULL)
		cache = fcinfo->flinfo->fn_extra =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ChurnCache));
	if (has_image(datum))
		for (int i = 0; i < cache->n; i++)
			if (cache->models[i]->image_size == VARSIZE_ANY(datum) &&
				memcmp(cache->models[i]->image, datum, VARSIZE_ANY(datum)) == 0)
				return cache->models[i];
	value = (ChurnModelValue *) PG_DETOAST_DATUM_PACKED(PointerGetDatum(datum));
	for (int i = 0; i < cache->n && model == NULL; i++)
		if (cache->models[i]->size == VARSIZE_ANY_EXHDR(value) &&
			memcmp(cache->models[i]->fingerprint, churn_model_fingerprint(value),
				   CHURN_FINGERPRINT_BYTES) == 0)
			model = cache->models[i];
	if (model == NULL)
		model = churn_model_cache_add(fcinfo, cache, value);
	remember_image(model, datum);
	if (value != (ChurnModelValue *) datum)
		pfree(value);
	return model;
}

/* ---------- features ---------- */

static pg_noinline void
make_reader(ChurnCacheModel *cache, Oid type, int32 typmod)
{
	MemoryContext old;

	cache->reader = NULL;
	if (cache->reader_context == NULL)
		cache->reader_context = AllocSetContextCreate(cache->context, "features of churn_model",
													 ALLOCSET_SMALL_SIZES);
	MemoryContextReset(cache->reader_context);
	old = MemoryContextSwitchTo(cache->reader_context);
	cache->reader = feature_reader_for_model(cache->model, type, typmod);
	MemoryContextSwitchTo(old);
}

/* An array without NULLs, as it lies.  False if it has some. */
static bool
read_numbers(ChurnCacheModel *cache, ArrayType *array)
{
	const double *numbers = feature_numbers(cache->reader, array);
	double		sum = 0;

	if (numbers == NULL)
		return false;
	for (int i = 0; i < cache->model->nfeatures; i++)
	{
		/* NaN if any is not finite; -0 is 0 */
		sum += numbers[i] * 0;
		cache->raw[i] = numbers[i] + 0.0;
	}
	if (unlikely(sum != 0))
		feature_refuse(cache->reader, numbers);
	return true;
}

void
churn_cache_read(ChurnCacheModel *cache, FunctionCallInfo fcinfo, int arg, ChurnInput input,
				bool values)
{
	Datum		row = PG_GETARG_DATUM(arg);

	if (input == CHURN_ARRAY)
	{
		ArrayType  *array = DatumGetArrayTypeP(row);

		if (unlikely(cache->reader == NULL))
			make_reader(cache, FLOAT8ARRAYOID, -1);
		if (!values && read_numbers(cache, array))
			return;
		row = PointerGetDatum(array);
	}
	else
	{
		HeapTupleHeader header = DatumGetHeapTupleHeader(row);

		row = PointerGetDatum(header);
		if (unlikely(cache->reader == NULL || !feature_reads(cache->reader, row)))
			make_reader(cache, HeapTupleHeaderGetTypeId(header),
						HeapTupleHeaderGetTypMod(header));
	}
	feature_read(cache->reader, row, cache->values);
	feature_raw(cache->model, cache->values, cache->raw);
}
