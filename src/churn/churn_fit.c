/*
 * churn_fit.c
 *	  From a sample to a churn model: levels of texts, means of what is not known,
 *	  design columns, and the fit.
 *
 * A text keeps the levels that at least "rare" rows have, and its most frequent
 * one in any case, which is the base; all others are pooled.  Where no level
 * occurs twice (a name of each customer) all are pooled: it is no feature, and
 * has no column.
 *
 * Promises: whatever is summed is summed in the order of churn_sample_sort.c, so that
 * a model depends on the rows alone; equal rows are one with their number for a
 * weight.
 * Never: changes the sample; fits what has no two outcomes.
 */
#include "churn/churn_sample_rows.h"

#include <float.h>
#include <math.h>

#include "churn/churn_classifier.h"
#include "fmgr/interrupts.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define POLL_ROWS	4096

/* Level of a label: its number, or LEVEL_OTHER. */
typedef int16 LabelLevel;

typedef struct Fit
{
	const ChurnSample *sample;
	const ChurnShape *shape;
	ChurnOrder	order;
	OrderCursor cursor;			/* of read_rows() */
	ChurnModel *model;
	MemoryContext context;
	bool		plain;			/* a row is its design row */
	LabelLevel **levels;		/* of a category's labels */
	double	   *raw;			/* scratch: a raw row */
} Fit;

/* ---------- levels ---------- */

typedef struct LevelOrder
{
	const Dictionary *dictionary;
	bool		frequent_first;
} LevelOrder;

static int
churn_fit_compare_labels(const void *a, const void *b, void *arg)
{
	const LevelOrder *order = arg;
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;
	uint32		x_count = order->dictionary->labels[x].count;
	uint32		y_count = order->dictionary->labels[y].count;

	if (order->frequent_first && x_count != y_count)
		return x_count > y_count ? -1 : 1;
	return dictionary_compare(order->dictionary, x, y);
}

/* The labels that at least so many rows have; their number. */
static uint32
frequent_labels(const Dictionary *dictionary, int64 rare, uint32 *labels)
{
	uint32		n = 0;

	for (uint32 i = 0; i < dictionary->n; i++)
		if (dictionary->labels[i].count >= rare)
			labels[n++] = i;
	return n;
}

/* The most frequent label, if any is there twice: it is kept though it is rare. */
static uint32
base_label(const Dictionary *dictionary, uint32 *labels)
{
	LevelOrder	order = {dictionary, true};
	uint32		best = 0;

	for (uint32 i = 1; i < dictionary->n; i++)
		if (churn_fit_compare_labels(&i, &best, &order) < 0)
			best = i;
	if (dictionary->n == 0 || dictionary->labels[best].count < 2)
		return 0;
	labels[0] = best;
	return 1;
}

static LabelLevel *
choose_levels(const Dictionary *dictionary, int64 rare, ChurnFeature *feature)
{
	LevelOrder	by_frequency = {dictionary, true};
	LevelOrder	by_bytes = {dictionary, false};
	Size		size = Max(dictionary->n, 1);
	uint32	   *labels = MemoryContextAllocHuge(CurrentMemoryContext, size * sizeof(uint32));
	LabelLevel *levels = MemoryContextAllocHuge(CurrentMemoryContext, size * sizeof(LabelLevel));
	uint32		n = frequent_labels(dictionary, rare, labels);

	if (n == 0)
		n = base_label(dictionary, labels);
	qsort_arg(labels, n, sizeof(uint32), churn_fit_compare_labels, &by_frequency);
	n = Min(n, CHURN_LEVELS_MAX);
	if (n > 1)
		qsort_arg(labels + 1, n - 1, sizeof(uint32), churn_fit_compare_labels, &by_bytes);
	/* as feature_level() has it */
	for (uint32 i = 0; i < dictionary->n; i++)
		levels[i] = n == 0 ? 0 : (LabelLevel) LEVEL_OTHER;
	feature->nlevels = n;
	feature->levels = palloc(Max(n, 1) * sizeof(char *));
	for (uint32 i = 0; i < n; i++)
	{
		levels[labels[i]] = i;
		feature->levels[i] = pnstrdup(dictionary_text(dictionary, labels[i]),
									  dictionary->labels[labels[i]].length);
	}
	feature->other = n > 0 && n < dictionary->n;
	pfree(labels);
	return levels;
}

/* ---------- means of what is not known ---------- */

/* A sum to which much may be added: Neumaier's. */
typedef struct Sum
{
	double		sum;
	double		rest;
} Sum;

static inline void
churn_fit_sum_add(Sum *sum, double value)
{
	double		total = sum->sum + value;

	if (fabs(sum->sum) >= fabs(value))
		sum->rest += (sum->sum - total) + value;
	else
		sum->rest += (value - total) + sum->sum;
	sum->sum = total;
}

/* Weighted mean of one value: its distances from the first one are summed. */
typedef struct MeanOf
{
	bool		any;
	double		origin;
	Sum			distance;
	double		weight;
} MeanOf;

static inline void
mean_add(MeanOf *mean, double value, double weight)
{
	if (!mean->any)
		mean->origin = value;
	mean->any = true;
	/* halves: a distance cannot overflow */
	churn_fit_sum_add(&mean->distance, weight * (value / 2 - mean->origin / 2));
	mean->weight += weight;
}

/* What weights are multiplied by so that they sum up to less than 1: no sum overflows. */
static double
weight_unit(const ChurnModel *model)
{
	int			exponent;

	frexp(model->weight, &exponent);
	return ldexp(1, -Max(exponent, -1000));
}

static double
mean_result(const MeanOf *mean)
{
	if (!mean->any)
		return 0;
	return (mean->origin / 2 + (mean->distance.sum + mean->distance.rest) / mean->weight) * 2;
}

/* Of the numbers that are NULL in some rows, over the others. */
static void
known_means(Fit *fit)
{
	const ChurnShape *shape = fit->shape;
	MeanOf	   *means = palloc0(Max(shape->n, 1) * sizeof(MeanOf));
	int		   *features = palloc(Max(shape->n, 1) * sizeof(int));
	double		unit = weight_unit(fit->model);
	OrderCursor cursor;
	int			n = 0;

	for (int f = 0; f < shape->n; f++)
		if (shape->category[f] < 0 && fit->model->features[f].missing)
			features[n++] = f;
	order_seek(&cursor, &fit->order, 0);
	for (uint32 i = 0; n > 0 && i < fit->order.n; i++)
	{
		bool		churned;
		double		weight;
		const double *row = order_next(&cursor, &churned, &weight);

		if (i % POLL_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		for (int k = 0; k < n; k++)
			if (!isnan(row[features[k]]))
				mean_add(&means[k], row[features[k]], weight * unit);
	}
	for (int k = 0; k < n; k++)
		fit->model->features[features[k]].mean = mean_result(&means[k]);
	pfree(means);
	pfree(features);
}

/* ---------- features and columns ---------- */

static void
make_features(Fit *fit)
{
	const ChurnSample *sample = fit->sample;
	const ChurnShape *shape = fit->shape;
	static const Dictionary empty = {0};

	fit->plain = shape->ncategories == 0 && sample->nulls == NULL;
	fit->levels = palloc(Max(shape->ncategories, 1) * sizeof(LabelLevel *));
	for (int f = 0; f < shape->n; f++)
	{
		ChurnFeature *feature = &fit->model->features[f];
		int			category = shape->category[f];

		feature->name = pstrdup(shape->names[f]);
		feature->kind = shape->kinds[f];
		feature->missing = sample->nulls != NULL && sample->nulls[f];
		if (category >= 0)
			fit->levels[category] =
				choose_levels(sample->dictionaries == NULL ? &empty : &sample->dictionaries[category],
							  shape->options.rare, feature);
	}
}

static int
feature_columns(const ChurnFeature *feature)
{
	int			values = feature->kind == FEATURE_CATEGORY ?
	Max(feature->nlevels - 1, 0) + (feature->other ? 1 : 0) : 1;

	return values + (feature->missing ? 1 : 0);
}

static void
make_columns(Fit *fit)
{
	ChurnModel *model = fit->model;
	int			n = 0;

	for (int f = 0; f < model->nfeatures; f++)
	{
		model->features[f].first_column = n;
		model->features[f].columns = feature_columns(&model->features[f]);
		n += model->features[f].columns;
	}
	if (n > CHURN_COLUMNS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the features have %d columns, levels of texts included", n),
				 errdetail("At most %d are possible.", CHURN_COLUMNS_MAX),
				 errhint("Leave features out by the option \"exclude\", or pool more levels by a larger \"rare\".")));
	model->ncolumns = n;
	model->columns = palloc(Max(n, 1) * sizeof(ChurnColumn));
	model->column_means = palloc0(Max(n, 1) * sizeof(double));
	for (int f = 0; f < model->nfeatures; f++)
	{
		const ChurnFeature *feature = &model->features[f];
		ChurnColumn *column = &model->columns[feature->first_column];

		if (feature->kind != FEATURE_CATEGORY)
			*column++ = (ChurnColumn) {f, COLUMN_VALUE};
		for (int level = 1; level < feature->nlevels; level++)
			*column++ = (ChurnColumn) {f, level};
		if (feature->other)
			*column++ = (ChurnColumn) {f, COLUMN_OTHER};
		if (feature->missing)
			*column++ = (ChurnColumn) {f, COLUMN_MISSING};
	}
}

/* ---------- rows, as models read them ---------- */

/* Raw values: labels are levels. */
static const double *
raw_row(const Fit *fit, const double *row)
{
	const ChurnShape *shape = fit->shape;

	for (int f = 0; f < shape->n; f++)
	{
		if (shape->category[f] < 0 || isnan(row[f]))
			fit->raw[f] = row[f];
		else
			fit->raw[f] = fit->levels[shape->category[f]][(uint32) row[f]];
	}
	return fit->raw;
}

static void
read_rows(void *arg, int64_t from, int count, double *x, double *y, double *w)
{
	Fit		   *fit = arg;
	int			columns = fit->model->ncolumns;

	if (fit->cursor.order == NULL || fit->cursor.i != from)
		order_seek(&fit->cursor, &fit->order, from);
	for (int i = 0; i < count; i++, x += columns)
	{
		bool		churned;
		const double *row = order_next(&fit->cursor, &churned, &w[i]);

		y[i] = churned;
		if (fit->plain)
			memcpy(x, row, columns * sizeof(double));
		else
			churn_design(fit->model, raw_row(fit, row), x);
	}
}

static void *
take_memory(void *arg, size_t size)
{
	const Fit  *fit = arg;

	return MemoryContextAllocHuge(fit->context, Max(size, 1));
}

static void
return_memory(void *arg, void *memory)
{
	pfree(memory);
}

static void
churn_fit_poll(void *arg)
{
	poll_interrupts();
}

/* ---------- the fit ---------- */

/* Sums of weights, of the rows and of those whose outcome is true. */
static void
sum_weights(Fit *fit)
{
	Sum			all = {0, 0};
	Sum			positive = {0, 0};
	OrderCursor cursor;

	if (!fit->shape->weighted)
	{
		fit->model->weight = fit->sample->rows;
		fit->model->positive_weight = fit->sample->positives;
		return;
	}
	order_seek(&cursor, &fit->order, 0);
	for (uint32 i = 0; i < fit->order.n; i++)
	{
		bool		churned;
		double		weight;

		if (i % POLL_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		(void) order_next(&cursor, &churned, &weight);
		churn_fit_sum_add(&all, weight);
		if (churned)
			churn_fit_sum_add(&positive, weight);
	}
	fit->model->weight = all.sum + all.rest;
	fit->model->positive_weight = positive.sum + positive.rest;
	if (!isfinite(fit->model->weight))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the sum of the weights is out of range")));
	if (fit->model->status == CHURN_CONVERGED &&
		!(fit->model->positive_weight / fit->model->weight >= DBL_MIN &&
		  fit->model->positive_weight < fit->model->weight))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the weights of rows of one outcome are nothing beside those of the other"),
				 errhint("A weight is a number of rows: give weights of one scale.")));
}

/* Sums of a block are plain ones: it has few rows. */
static void
column_means(Fit *fit)
{
	int			columns = fit->model->ncolumns;
	MeanOf	   *means = palloc0(Max(columns, 1) * sizeof(MeanOf));
	double	   *x = palloc(Max(columns, 1) * ROWS_BLOCK * sizeof(double));
	double	   *origin = palloc0(Max(columns, 1) * sizeof(double));
	double	   *distance = palloc(Max(columns, 1) * sizeof(double));
	double		unit = weight_unit(fit->model);
	double		y[ROWS_BLOCK];
	double		w[ROWS_BLOCK];

	for (uint32 from = 0; from < fit->order.n; from += ROWS_BLOCK)
	{
		int			count = Min(ROWS_BLOCK, fit->order.n - from);
		double		weight = 0;

		if (from % POLL_ROWS == 0)
			CHECK_FOR_INTERRUPTS();
		read_rows(fit, from, count, x, y, w);
		if (from == 0)
			memcpy(origin, x, columns * sizeof(double));
		memset(distance, 0, columns * sizeof(double));
		for (int i = 0; i < count; i++)
		{
			const double *row = x + (Size) i * columns;
			double		share = w[i] * unit;

			weight += share;
			for (int j = 0; j < columns; j++)
				distance[j] += share * (row[j] / 2 - origin[j] / 2);
		}
		for (int j = 0; j < columns; j++)
		{
			means[j].weight += weight;
			churn_fit_sum_add(&means[j].distance, distance[j]);
		}
	}
	for (int j = 0; j < columns; j++)
	{
		means[j].any = fit->order.n > 0;
		means[j].origin = origin[j];
		fit->model->column_means[j] = mean_result(&means[j]);
	}
	pfree(means);
	pfree(x);
	pfree(origin);
	pfree(distance);
}

static ChurnStatus
status_of(const ChurnSample *sample)
{
	if (sample->rows == 0)
		return CHURN_NO_LABELS;
	if (sample->positives == 0 || sample->positives == sample->rows)
		return CHURN_ONE_CLASS;
	return CHURN_CONVERGED;
}

static void
churn_fit_rows(Fit *fit)
{
	ChurnModel *model = fit->model;
	RowSource	rows = {
		.arg = fit,
		.n = fit->order.n,
		.columns = model->ncolumns,
		.read = read_rows,
		.alloc = take_memory,
		.release = return_memory,
		.poll = churn_fit_poll
	};

	model->classifier->fit(&rows, model);
	if (!model->classifier->finds_means || model->status == CHURN_ONE_CLASS)
		column_means(fit);
	for (int f = 0; f < model->nfeatures; f++)
	{
		ChurnFeature *feature = &model->features[f];

		if (feature->kind != FEATURE_CATEGORY && !feature->missing)
			feature->mean = model->column_means[feature->first_column];
	}
}

static ChurnModel *
describe(const ChurnSample *sample)
{
	const ChurnShape *shape = sample->shape;
	ChurnModel *model = palloc0(sizeof(ChurnModel));

	model->classifier = shape->options.classifier;
	model->status = status_of(sample);
	model->missing = shape->options.missing;
	model->input = shape->input;
	model->nfeatures = shape->n;
	model->features = palloc0(Max(shape->n, 1) * sizeof(ChurnFeature));
	model->rows = sample->rows;
	model->positives = sample->positives;
	model->skipped = sample->skipped;
	model->lambda = shape->options.lambda;
	model->params = shape->options.boost;
	return model;
}

ChurnModel *
churn_sample_fit(const ChurnSample *sample)
{
	Fit			fit;

	memset(&fit, 0, sizeof(fit));
	fit.sample = sample;
	fit.shape = sample->shape;
	fit.context = CurrentMemoryContext;
	fit.model = describe(sample);
	fit.raw = palloc(Max(fit.shape->n, 1) * sizeof(double));
	make_features(&fit);
	make_columns(&fit);
	churn_order_make(sample, &fit.order);
	sum_weights(&fit);
	known_means(&fit);
	churn_fit_rows(&fit);
	churn_order_free(&fit.order);
	for (int c = 0; c < fit.shape->ncategories; c++)
		pfree(fit.levels[c]);
	pfree(fit.levels);
	pfree(fit.raw);
	return fit.model;
}
