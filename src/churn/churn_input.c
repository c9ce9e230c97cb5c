/*
 * churn_input.c
 *	  Rows as SQL gives them, on their way into a sample.
 *
 * Promises: see churn_intake.h; numbers of an array go from the row into the
 * sample in one copy.
 */
#include "churn/churn_input.h"

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

ChurnIntake *
churn_intake_create(MemoryContext context, ChurnInput input, bool weighted,
					struct varlena *given, bool as_text)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	ChurnIntake *intake = palloc0(sizeof(ChurnIntake));

	intake->context = context;
	intake->input = input;
	intake->weighted = weighted;
	if (given != NULL)
		intake->given = (struct varlena *) PG_DETOAST_DATUM_COPY(PointerGetDatum(given));
	churn_options_parse(options_jsonb(intake->given, as_text), input, &intake->options);
	MemoryContextSwitchTo(old);
	return intake;
}

bool
churn_intake_has_options(const ChurnIntake *intake, struct varlena *given)
{
	bool		same;

	if (given == NULL || intake->given == NULL)
		return given == intake->given;
	given = PG_DETOAST_DATUM_PACKED(PointerGetDatum(given));
	same = VARSIZE_ANY_EXHDR(given) == VARSIZE_ANY_EXHDR(intake->given) &&
		memcmp(VARDATA_ANY(given), VARDATA_ANY(intake->given), VARSIZE_ANY_EXHDR(given)) == 0;
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
churn_intake_reads(const ChurnIntake *intake, Datum features)
{
	return feature_reads(intake->reader, features);
}

void
churn_intake_describe(ChurnIntake *intake, Datum features)
{
	MemoryContext old = MemoryContextSwitchTo(intake->context);
	FeatureReader *reader = intake->input == CHURN_ARRAY ?
		feature_reader_for_array(features, &intake->options) :
		feature_reader_for_record(features, &intake->options);
	const char **names = palloc(Max(reader->n, 1) * sizeof(char *));
	FeatureKind *kinds = palloc(Max(reader->n, 1) * sizeof(FeatureKind));

	for (int i = 0; i < reader->n; i++)
	{
		names[i] = reader->sources[i].name;
		kinds[i] = reader->sources[i].kind;
	}
	intake->shape = churn_shape_create(intake->context, intake->input, reader->n, names, kinds,
									   &intake->options, intake->weighted);
	intake->values = palloc(Max(reader->n, 1) * sizeof(FeatureValue));
	intake->reader = reader;
	pfree(names);
	pfree(kinds);
	MemoryContextSwitchTo(old);
}

void
churn_intake_add(ChurnIntake *intake, ChurnSample *sample, bool churned, Datum features,
				 double weight)
{
	if (intake->input == CHURN_ARRAY)
	{
		const double *numbers = feature_numbers(intake->reader, (ArrayType *) DatumGetPointer(features));

		if (likely(numbers != NULL))
		{
			if (unlikely(!churn_sample_add_numbers(sample, churned, numbers, weight)))
				feature_refuse(intake->reader, numbers);
			return;
		}
	}
	feature_read(intake->reader, features, intake->values);
	churn_sample_add(sample, churned, intake->values, weight);
}

ChurnModel *
churn_intake_fit(const ChurnIntake *intake, const ChurnSample *sample, int64 unlabelled,
				 int64 skipped)
{
	ChurnModel *model;

	if (sample == NULL)
		sample = churn_sample_create(CurrentMemoryContext, intake->input, 0, NULL, NULL,
									 &intake->options, intake->weighted);
	model = churn_sample_fit(sample);
	model->unlabelled = unlabelled;
	model->skipped += skipped;
	return model;
}

void
churn_intake_warn(const ChurnSample *sample, const ChurnModel *model)
{
	char	   *names;

	if (model->status != CHURN_CONVERGED)
	{
		ereport(WARNING,
				(errmsg("%s: %s", churn_model_scores(model) ? "the fit has not converged" :
						"no scores", churn_status_text(model))));
		return;
	}
	names = churn_sample_giveaways(sample, model);
	if (names != NULL)
		ereport(WARNING,
				(errmsg("one feature alone tells every outcome: %s", names),
				 errdetail("The fit converged, but what knows the outcome was most likely made from it, or after it."),
				 errhint("Leave it out, or take features as they were before the outcome was known.")));
}
