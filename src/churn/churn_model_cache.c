/*
 * churn_model_cache.c
 *	  Models of churn that a call site has met, unpacked, and how it reads the
 *	  features of its rows.
 *
 * A model of trees has tens of kilobytes: it is recognised by how it lies, or by
 * its length and fingerprint (value_cache.h, churn_model.h).
 *
 * Promises: see churn_model_cache.h.
 */
#include "churn/churn_model_cache.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/memutils.h"

/* ---------- models ---------- */

static void
warn_if_not_converged(ValueCache *cache, const ChurnModel *model)
{
	if (model->status == CHURN_CONVERGED || cache->warned)
		return;
	cache->warned = true;
	ereport(WARNING,
			(errmsg("%s: %s",
					churn_model_scores(model) ?
					"scores from a churn_model that has not converged" :
					"no scores from this churn_model",
					churn_status_text(model))));
}

static pg_noinline ChurnCacheModel *
churn_model_cache_add(FunctionCallInfo fcinfo, ValueCache *cache, const ChurnModelValue *value)
{
	MemoryContext context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "churn_model",
												  ALLOCSET_DEFAULT_SIZES);
	ChurnCacheModel *model = (ChurnCacheModel *) value_cache_begin(cache, context,
																   sizeof(ChurnCacheModel));
	MemoryContext old = MemoryContextSwitchTo(context);

	model->model = churn_model_unpack(value);
	model->raw = palloc(sizeof(double) * (model->model->nfeatures + 1));
	model->x = palloc(sizeof(double) * (model->model->ncolumns + 1));
	model->values = palloc0(sizeof(FeatureValue) * (model->model->nfeatures + 1));
	MemoryContextSwitchTo(old);
	value_cache_put(cache, &model->base, VARSIZE_ANY_EXHDR(value), churn_model_fingerprint(value),
					CHURN_FINGERPRINT_BYTES);
	warn_if_not_converged(cache, model->model);
	return model;
}

ChurnCacheModel *
churn_cache_model(FunctionCallInfo fcinfo, int arg)
{
	struct varlena *datum = (struct varlena *) DatumGetPointer(PG_GETARG_DATUM(arg));
	ValueCache *cache = value_cache_of(fcinfo, VALUE_CACHE_MAX);
	CachedValue *known = value_cache_by_image(cache, datum);
	ChurnModelValue *value;

	if (known != NULL)
		return (ChurnCacheModel *) known;
	value = (ChurnModelValue *) PG_DETOAST_DATUM_PACKED(PointerGetDatum(datum));
	known = value_cache_by_key(cache, VARSIZE_ANY_EXHDR(value), churn_model_fingerprint(value),
							   CHURN_FINGERPRINT_BYTES);
	if (known == NULL)
		known = &churn_model_cache_add(fcinfo, cache, value)->base;
	value_cache_remember_image(known, datum);
	if (value != (ChurnModelValue *) datum)
		pfree(value);
	return (ChurnCacheModel *) known;
}

/* ---------- features ---------- */

static pg_noinline void
make_reader(ChurnCacheModel *cache, Oid type, int32 typmod)
{
	MemoryContext old;

	cache->reader = NULL;
	if (cache->reader_context == NULL)
		cache->reader_context = AllocSetContextCreate(cache->base.context, "features of churn_model",
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
