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
 *	- else by its length and fingerprint (churn_value.h).
 *
 * Promises: see churn_site.h.
 */
#include "churn/churn_model_cache.h"

#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "utils/memutils.h"

/* So many models in turn are cheap. */
#define SITE_MODELS	16

typedef struct ChurnSite
{
	int			n;
	int			next;			/* to be forgotten */
	bool		warned;
	ChurnSiteModel *models[SITE_MODELS];
} ChurnSite;

/* ---------- models ---------- */

/* Can a datum be told from others by these bytes, without detoasting it? */
static inline bool
has_image(const struct varlena *datum)
{
	return VARATT_IS_EXTERNAL_ONDISK(datum) || VARATT_IS_COMPRESSED(datum);
}

static void
remember_image(ChurnSiteModel *model, const struct varlena *datum)
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

static pg_noinline ChurnSiteModel *
site_add(FunctionCallInfo fcinfo, ChurnSite *site, const ChurnModelValue *value)
{
	MemoryContext context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "churn_model",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	ChurnSiteModel *model = palloc0(sizeof(ChurnSiteModel));
	int			place = site->n;

	model->context = context;
	model->model = churn_model_unpack(value);
	model->size = VARSIZE_ANY_EXHDR(value);
	memcpy(model->fingerprint, churn_model_fingerprint(value), CHURN_FINGERPRINT_BYTES);
	model->raw = palloc(sizeof(double) * (model->model->nfeatures + 1));
	model->x = palloc(sizeof(double) * (model->model->ncolumns + 1));
	model->values = palloc0(sizeof(FeatureValue) * (model->model->nfeatures + 1));
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
	if (model->model->status != CHURN_CONVERGED && !site->warned)
	{
		site->warned = true;
		ereport(WARNING,
				(errmsg("%s: %s",
						churn_model_scores(model->model) ?
						"scores from a churn_model that has not converged" :
						"no scores from this churn_model",
						churn_status_text(model->model))));
	}
	return model;
}

ChurnSiteModel *
churn_site_model(FunctionCallInfo fcinfo, int arg)
{
	struct varlena *datum = (struct varlena *) DatumGetPointer(PG_GETARG_DATUM(arg));
	ChurnSite  *site = fcinfo->flinfo->fn_extra;
	ChurnModelValue *value;
	ChurnSiteModel *model = NULL;

	if (site == NULL)
		site = fcinfo->flinfo->fn_extra =
			MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ChurnSite));
	if (has_image(datum))
		for (int i = 0; i < site->n; i++)
			if (site->models[i]->image_size == VARSIZE_ANY(datum) &&
				memcmp(site->models[i]->image, datum, VARSIZE_ANY(datum)) == 0)
				return site->models[i];
	value = (ChurnModelValue *) PG_DETOAST_DATUM_PACKED(PointerGetDatum(datum));
	for (int i = 0; i < site->n && model == NULL; i++)
		if (site->models[i]->size == VARSIZE_ANY_EXHDR(value) &&
			memcmp(site->models[i]->fingerprint, churn_model_fingerprint(value),
				   CHURN_FINGERPRINT_BYTES) == 0)
			model = site->models[i];
	if (model == NULL)
		model = site_add(fcinfo, site, value);
	remember_image(model, datum);
	if (value != (ChurnModelValue *) datum)
		pfree(value);
	return model;
}

/* ---------- features ---------- */

static pg_noinline void
make_reader(ChurnSiteModel *site, Oid type, int32 typmod)
{
	MemoryContext old;

	site->reader = NULL;
	if (site->reader_context == NULL)
		site->reader_context = AllocSetContextCreate(site->context, "features of churn_model",
													 ALLOCSET_SMALL_SIZES);
	MemoryContextReset(site->reader_context);
	old = MemoryContextSwitchTo(site->reader_context);
	site->reader = feature_reader_for_model(site->model, type, typmod);
	MemoryContextSwitchTo(old);
}

/* An array without NULLs, as it lies.  False if it has some. */
static bool
read_numbers(ChurnSiteModel *site, ArrayType *array)
{
	const double *numbers = feature_numbers(site->reader, array);
	double		sum = 0;

	if (numbers == NULL)
		return false;
	for (int i = 0; i < site->model->nfeatures; i++)
	{
		/* NaN if any is not finite; -0 is 0 */
		sum += numbers[i] * 0;
		site->raw[i] = numbers[i] + 0.0;
	}
	if (unlikely(sum != 0))
		feature_refuse(site->reader, numbers);
	return true;
}

void
churn_site_read(ChurnSiteModel *site, FunctionCallInfo fcinfo, int arg, ChurnInput input,
				bool values)
{
	Datum		row = PG_GETARG_DATUM(arg);

	if (input == CHURN_ARRAY)
	{
		ArrayType  *array = DatumGetArrayTypeP(row);

		if (unlikely(site->reader == NULL))
			make_reader(site, FLOAT8ARRAYOID, -1);
		if (!values && read_numbers(site, array))
			return;
		row = PointerGetDatum(array);
	}
	else
	{
		HeapTupleHeader header = DatumGetHeapTupleHeader(row);

		row = PointerGetDatum(header);
		if (unlikely(site->reader == NULL || !feature_reads(site->reader, row)))
			make_reader(site, HeapTupleHeaderGetTypeId(header),
						HeapTupleHeaderGetTypMod(header));
	}
	feature_read(site->reader, row, site->values);
	feature_raw(site->model, site->values, site->raw);
}
