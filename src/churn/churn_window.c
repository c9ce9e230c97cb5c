/*
 * churn_window.c
 *	  SQL-callable: churn_score(churned, features) OVER (PARTITION BY ...): fits a
 *	  model to the rows of the partition whose outcome is known, and scores all.
 *
 * At the first row of a partition all its rows are read into a sample and
 * fitted; only the model stands in the partition's memory afterwards.
 *
 * Promises: the same scores as churn_score(churn_model(churned, features),
 * features) over the same rows, bit for bit; a partition that cannot be fitted
 * gives NULLs and one WARNING.
 * Never: depends on the frame or the order of the window.
 */
#include "churn/churn_input.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr/window_arguments.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "windowapi.h"

#define CHURNED_ARG		0
#define FEATURES_ARG	1
#define OPTIONS_ARG		2

typedef struct WindowFit
{
	bool		tried;
	ChurnInput	input;
	ChurnModel *model;			/* NULL: no scores */
	FeatureReader *reader;
	MemoryContext readers;		/* where the reader lives */
	FeatureValue *values;
	double	   *raw;
	double	   *x;
} WindowFit;

/* ---------- the rows of a partition ---------- */

typedef struct Partition
{
	WindowObject winobj;
	ChurnInputRows *collected;
	ChurnSample *sample;		/* NULL before the first row that trains */
	MemoryContext context;
	int64		unlabelled;
	int64		skipped;
} Partition;

static void
churn_window_add_row(Partition *partition, int64 row)
{
	ChurnInputRows *collected = partition->collected;
	bool		isnull;
	bool		churned = DatumGetBool(window_row_argument(partition->winobj, CHURNED_ARG, row,
														   &isnull));
	Datum		features;

	if (isnull)
	{
		partition->unlabelled++;
		return;
	}
	features = window_row_argument(partition->winobj, FEATURES_ARG, row, &isnull);
	if (isnull)
	{
		partition->skipped++;
		return;
	}
	features = churn_features_datum(collected->input, features);
	if (partition->sample == NULL)
	{
		churn_input_describe(collected, features);
		partition->sample = churn_sample_of_shape(partition->context, collected->shape);
	}
	churn_input_add(collected, partition->sample, churned, features, 1);
}

static void
churn_window_read_partition(FunctionCallInfo fcinfo, Partition *partition)
{
	WindowObject winobj = partition->winobj;
	int64		rows = WinGetPartitionRowCount(winobj);
	MemoryContext scratch = AllocSetContextCreate(partition->context, "churn row",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old;
	WatchedArguments watched = {
		.hint = "Partition by them too, or use churn_model() and churn_score(model, ...)."
	};

	window_watch(fcinfo, winobj, &watched, OPTIONS_ARG, "options");
	old = MemoryContextSwitchTo(scratch);
	for (int64 i = 0; i < rows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(scratch);
		window_check_watched(winobj, &watched, i);
		churn_window_add_row(partition, i);
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
}

/* ---------- the fit ---------- */

static void
churn_window_fit_partition(FunctionCallInfo fcinfo, WindowObject winobj, WindowFit *fit)
{
	MemoryContext sample = AllocSetContextCreate(CurrentMemoryContext, "churn sample",
												 ALLOCSET_DEFAULT_SIZES);
	Partition	partition;
	ChurnModel *model;
	bool		isnull;
	Datum		options = window_first_argument(winobj, OPTIONS_ARG, &isnull);

	fit->tried = true;
	memset(&partition, 0, sizeof(partition));
	partition.winobj = winobj;
	partition.context = sample;
	partition.collected = churn_input_create(sample, fit->input, false,
											 isnull ? NULL : (struct varlena *) DatumGetPointer(options),
											 false);
	churn_window_read_partition(fcinfo, &partition);
	/* as long as the partition lasts */
	model = churn_input_fit(partition.collected, partition.sample, partition.unlabelled,
							partition.skipped);
	if (churn_model_scores(model))
	{
		fit->model = model;
		fit->values = palloc(Max(model->nfeatures, 1) * sizeof(FeatureValue));
		fit->raw = palloc(Max(model->nfeatures, 1) * sizeof(double));
		fit->x = palloc(Max(model->ncolumns, 1) * sizeof(double));
	}
	MemoryContextSwitchTo(sample);
	churn_input_warn(partition.sample, model);
	MemoryContextSwitchTo(MemoryContextGetParent(sample));
	MemoryContextDelete(sample);
}

/* How the features of the current row are read; records may change their type between rows. */
static FeatureReader *
reader_of(WindowFit *fit, Datum features)
{
	MemoryContext old;

	if (fit->reader != NULL && (fit->input == CHURN_ARRAY || feature_reads(fit->reader, features)))
		return fit->reader;
	fit->reader = NULL;
	if (fit->readers == NULL)
		fit->readers = AllocSetContextCreate(GetMemoryChunkContext(fit), "churn features",
											 ALLOCSET_SMALL_SIZES);
	MemoryContextReset(fit->readers);
	old = MemoryContextSwitchTo(fit->readers);
	if (fit->input == CHURN_ARRAY)
		fit->reader = feature_reader_for_model(fit->model, FLOAT8ARRAYOID, -1);
	else
	{
		HeapTupleHeader header = (HeapTupleHeader) DatumGetPointer(features);

		fit->reader = feature_reader_for_model(fit->model, HeapTupleHeaderGetTypeId(header),
											   HeapTupleHeaderGetTypMod(header));
	}
	MemoryContextSwitchTo(old);
	return fit->reader;
}

static Datum
window_score(FunctionCallInfo fcinfo, ChurnInput input)
{
	WindowObject winobj = PG_WINDOW_OBJECT();
	WindowFit  *fit = WinGetPartitionLocalMemory(winobj, sizeof(WindowFit));
	Datum		features;
	double		eta;
	bool		isnull;

	if (!fit->tried)
	{
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(fit));

		fit->input = input;
		churn_window_fit_partition(fcinfo, winobj, fit);
		MemoryContextSwitchTo(old);
	}
	features = WinGetFuncArgCurrent(winobj, FEATURES_ARG, &isnull);
	if (fit->model == NULL || isnull)
		PG_RETURN_NULL();
	features = churn_features_datum(input, features);
	feature_read(reader_of(fit, features), features, fit->values);
	feature_raw(fit->model, fit->values, fit->raw);
	if (!churn_log_odds(fit->model, fit->raw, fit->x, &eta))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(logistic_probability(eta));
}

PG_FUNCTION_INFO_V1(churn_score_window_array);
Datum
churn_score_window_array(PG_FUNCTION_ARGS)
{
	return window_score(fcinfo, CHURN_ARRAY);
}

PG_FUNCTION_INFO_V1(churn_score_window_record);
Datum
churn_score_window_record(PG_FUNCTION_ARGS)
{
	return window_score(fcinfo, CHURN_RECORD);
}
