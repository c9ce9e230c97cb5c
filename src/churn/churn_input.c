/*
 * churn_input.c
 *	  Rows as SQL gives them, on their way into a sample.
 *
 * Promises: see churn_input.h; numbers of an array go from the row into the
 * sample in one copy.
 */
#include "churn/churn_input.h"

#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

static struct varlena *
options_jsonb(struct varlena *given, bool as_text)
{
	if (given == NULL || !as_text)
		return given;
	return (struct varlena *)
		DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(text_to_cstring(given))));
}

ChurnInputRows *
churn_input_create(MemoryContext context, ChurnInput input, bool weighted,
				   struct varlena *given, bool as_text)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	ChurnInputRows *collected = palloc0(sizeof(ChurnInputRows));

	collected->context = context;
	collected->input = input;
	collected->weighted = weighted;
	if (given != NULL)
		collected->given = (struct varlena *) PG_DETOAST_DATUM_COPY(PointerGetDatum(given));
	churn_options_parse(options_jsonb(collected->given, as_text), input, &collected->options);
	MemoryContextSwitchTo(old);
	return collected;
}

bool
churn_input_has_options(const ChurnInputRows *collected, struct varlena *given)
{
	bool		same;

	if (given == NULL || collected->given == NULL)
		return given == collected->given;
	given = PG_DETOAST_DATUM_PACKED(PointerGetDatum(given));
	same = VARSIZE_ANY_EXHDR(given) == VARSIZE_ANY_EXHDR(collected->given) &&
		memcmp(VARDATA_ANY(given), VARDATA_ANY(collected->given), VARSIZE_ANY_EXHDR(given)) == 0;
	return same;
}

Datum
churn_features_datum(ChurnInput input, Datum features)
{
	if (input == CHURN_ARRAY)
		return PointerGetDatum(DatumGetArrayTypeP(features));
	return PointerGetDatum(DatumGetHeapTupleHeader(features));
}

bool
churn_input_reads(const ChurnInputRows *collected, Datum features)
{
	return feature_reads(collected->reader, features);
}

void
churn_input_describe(ChurnInputRows *collected, Datum features)
{
	MemoryContext old = MemoryContextSwitchTo(collected->context);
	FeatureReader *reader = collected->input == CHURN_ARRAY ?
	feature_reader_for_array(features, &collected->options) :
	feature_reader_for_record(features, &collected->options);
	const char **names = palloc(Max(reader->n, 1) * sizeof(char *));
	FeatureKind *kinds = palloc(Max(reader->n, 1) * sizeof(FeatureKind));

	for (int i = 0; i < reader->n; i++)
	{
		names[i] = reader->sources[i].name;
		kinds[i] = reader->sources[i].kind;
	}
	collected->shape = churn_shape_create(collected->context, collected->input, reader->n, names, kinds,
										  &collected->options, collected->weighted);
	collected->values = palloc(Max(reader->n, 1) * sizeof(FeatureValue));
	collected->reader = reader;
	pfree(names);
	pfree(kinds);
	MemoryContextSwitchTo(old);
}

void
churn_input_add(ChurnInputRows *collected, ChurnSample *sample, bool churned, Datum features,
				double weight)
{
	if (collected->input == CHURN_ARRAY)
	{
		const double *numbers = feature_numbers(collected->reader, (ArrayType *) DatumGetPointer(features));

		if (likely(numbers != NULL))
		{
			if (unlikely(!churn_sample_add_numbers(sample, churned, numbers, weight)))
				feature_refuse(collected->reader, numbers);
			return;
		}
	}
	feature_read(collected->reader, features, collected->values);
	churn_sample_add(sample, churned, collected->values, weight);
}

ChurnModel *
churn_input_fit(const ChurnInputRows *collected, const ChurnSample *sample, int64 unlabelled,
				int64 skipped)
{
	ChurnModel *model;

	if (sample == NULL)
		sample = churn_sample_create(CurrentMemoryContext, collected->input, 0, NULL, NULL,
									 &collected->options, collected->weighted);
	model = churn_sample_fit(sample);
	model->unlabelled = unlabelled;
	model->skipped += skipped;
	return model;
}

void
churn_input_warn(const ChurnSample *sample, const ChurnModel *model)
{
	char	   *names;

	if (model->status != CHURN_CONVERGED)
	{
		ereport(WARNING,
				(errmsg("%s: %s", churn_model_scores(model) ? "the fit has not converged" :
						"no scores", churn_status_text(model))));
		return;
	}
	names = churn_sample_leakages(sample, model);
	if (names != NULL)
		ereport(WARNING,
				(errmsg("one feature alone tells every outcome: %s", names),
				 errdetail("The fit converged, but what knows the outcome was most likely made from it, or after it."),
				 errhint("Leave it out, or take features as they were before the outcome was known.")));
}
