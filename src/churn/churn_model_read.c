/*
 * churn_model_read.c
 *	  The churn_model value: how its bytes are read, and what may be in them.
 *
 * Bytes: see churn_model.c.
 *
 * Promises: what passes churn_model_check() has known methods, distinct names,
 * finite numbers, counts that agree, and columns and orders within their bounds.
 * Never: reads past the length that it was given, nor takes more memory than a
 * model of that many bytes can need.
 */
#include "churn/churn_model.h"

#include <float.h>
#include <math.h>

#include "churn/churn_classifier.h"
#include "churn/churn_history_features.h"
#include "datatype/timestamp.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "value/byte_reader.h"

/* Leaves are far below; sums of so many stay finite. */
#define LEAF_MAX		1e300

/* Covers of a tree sum up to the weight of all rows, but for rounding. */
#define COVER_TOLERANCE	1e-6

/* Finite, or NaN: not known. */
static double
get_number(ByteReader *reader)
{
	double		value = reader_double(reader, "number");

	reader_require(reader, !isinf(value), "number");
	return value;
}

static double
get_finite(ByteReader *reader, const char *what)
{
	return reader_between(reader, -DBL_MAX, DBL_MAX, what);
}

static double
get_not_negative(ByteReader *reader, const char *what)
{
	return reader_between(reader, 0, DBL_MAX, what);
}

static int64
get_integer(ByteReader *reader, int64 max, const char *what)
{
	return (int64) reader_uint(reader, max, what);
}

/* In the server's encoding. */
static char *
get_text(ByteReader *reader, int64 min, bool check, const char *what)
{
	char	   *text = reader_text(reader, min, PG_INT32_MAX, check, what);

	return pg_any_to_server(text, strlen(text), PG_UTF8);
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static int
compare_levels(const void *a, const void *b, void *levels)
{
	return strcmp(((char **) levels)[*(const int *) a], ((char **) levels)[*(const int *) b]);
}

/* Levels 1 .. by bytes: those of a fit are, but perhaps not in this encoding. */
static void
order_levels(ByteReader *reader, ChurnFeature *f)
{
	bool		ordered = true;

	for (int level = 2; level < f->nlevels; level++)
		ordered &= strcmp(f->levels[level - 1], f->levels[level]) < 0;
	if (ordered)
		return;
	f->by_bytes = palloc(sizeof(int) * f->nlevels);
	for (int level = 0; level < f->nlevels; level++)
		f->by_bytes[level] = level;
	qsort_arg(f->by_bytes + 1, f->nlevels - 1, sizeof(int), compare_levels, f->levels);
	for (int level = 2; level < f->nlevels; level++)
		reader_require(reader, compare_levels(&f->by_bytes[level - 1], &f->by_bytes[level], f->levels) < 0,
					   "level");
}

static void
get_feature(ByteReader *reader, ChurnFeature *f, bool check)
{
	int			byte;

	f->name = get_text(reader, 1, check, "name of a feature");
	byte = reader_byte(reader, FEATURE_CATEGORY | CHURN_FLAG_MISSING | CHURN_FLAG_OTHER, "kind of a feature");
	reader_require(reader, (byte & CHURN_KIND_BITS) <= FEATURE_CATEGORY, "kind of a feature");
	f->kind = (FeatureKind) (byte & CHURN_KIND_BITS);
	f->missing = (byte & CHURN_FLAG_MISSING) != 0;
	f->other = (byte & CHURN_FLAG_OTHER) != 0;
	if (f->kind != FEATURE_CATEGORY)
	{
		reader_require(reader, !f->other, "kind of a feature");
		f->mean = get_finite(reader, "mean of a feature");
		return;
	}
	f->mean = get_float8_nan();
	f->nlevels = (int) reader_count(reader, CHURN_LEVELS_MAX, 1, "number of levels");
	f->levels = palloc(sizeof(char *) * (f->nlevels + 1));
	for (int level = 0; level < f->nlevels && reader->error == NULL; level++)
	{
		f->levels[level] = get_text(reader, 0, check, "level");
		reader_require(reader, level == 0 || strcmp(f->levels[0], f->levels[level]) != 0, "level");
	}
	if (reader->error == NULL)
		order_levels(reader, f);
}

static void
get_features(ByteReader *reader, ChurnModel *model, bool check)
{
	char	  **names;
	int			behaviour = -1;

	/* length, a letter, kind and a number */
	model->nfeatures = (int) reader_count(reader, CHURN_FEATURES_MAX, 4, "number of features");
	model->features = palloc0(sizeof(ChurnFeature) * (model->nfeatures + 1));
	names = palloc(sizeof(char *) * (model->nfeatures + 1));
	for (int i = 0; i < model->nfeatures && reader->error == NULL; i++)
	{
		get_feature(reader, &model->features[i], check);
		/* only records have others */
		reader_require(reader, model->input == CHURN_RECORD ||
					   model->features[i].kind == FEATURE_NUMBER, "kind of a feature");
		names[i] = model->features[i].name;
		if (model->input == CHURN_HISTORY)
		{
			int			last = behaviour;

			/* some of those that histories have, in their order */
			behaviour = behaviour_by_name(names[i]);
			reader_require(reader, behaviour > last, "name of a feature");
		}
	}
	if (check && reader->error == NULL)
	{
		qsort(names, model->nfeatures, sizeof(char *), compare_texts);
		for (int i = 1; i < model->nfeatures; i++)
			reader_require(reader, strcmp(names[i - 1], names[i]) != 0, "name of a feature");
	}
	pfree(names);
	/* the number of bytes bounds that of levels, and so of columns */
	if (reader->error == NULL)
		churn_columns_of(model);
	reader_require(reader, model->ncolumns <= CHURN_COLUMNS_MAX, "number of columns");
	model->column_means = palloc0(sizeof(double) * (model->ncolumns + 1));
}

/* NaN: not known. */
static double
get_standard_error(ByteReader *reader)
{
	double		value = get_number(reader);

	reader_require(reader, !(value < 0), "standard error");
	return value;
}

static void
get_logistic(ByteReader *reader, ChurnModel *model)
{
	LogisticFit *fit = &model->fit;

	model->lambda = get_not_negative(reader, "lambda");
	fit->weight = model->weight;
	fit->positive = model->positive_weight;
	if (!churn_model_scores(model))
		return;
	fit->end = (LogisticEnd) reader_byte(reader, LOGISTIC_STOPPED, "end of the fit");
	fit->log_likelihood_null = reader_between(reader, -DBL_MAX, 0, "log-likelihood");
	fit->log_likelihood = reader_between(reader, -DBL_MAX, 0, "log-likelihood");
	fit->penalised = reader_between(reader, -DBL_MAX, 0, "log-likelihood");
	fit->edf = get_number(reader);
	fit->max_gradient = get_number(reader);
	reader_require(reader, !(fit->edf < 0) && !(fit->max_gradient < 0), "number of a fit");
	fit->iterations = (int) get_integer(reader, PG_INT32_MAX, "number of steps");
	reader_require(reader, (int64) reader_left(reader) >= model->ncolumns * 16 + 32, "length");
	if (reader->error != NULL)
		return;
	model->terms = palloc0(sizeof(LogisticTerm) * (model->ncolumns + 1));
	for (int i = 0; i <= model->ncolumns; i++)
	{
		LogisticTerm *term = &model->terms[i];

		term->sd = 1;
		term->se = term->se_sandwich = get_float8_nan();
		if (i < model->ncolumns)
		{
			term->mean = model->column_means[i] = get_finite(reader, "mean of a column");
			term->sd = get_not_negative(reader, "standard deviation");
			if (term->sd == 0)
				continue;
		}
		term->coef_std = get_number(reader);
		term->coef = get_number(reader);
		/* only a column that cannot be told from others has none */
		reader_require(reader, i < model->ncolumns || !isnan(term->coef_std), "coefficient");
		term->se = get_standard_error(reader);
		term->se_sandwich = get_standard_error(reader);
	}
}

/* Returns the sum of the covers below. */
static double
get_node(ByteReader *reader, const ChurnModel *model, int tree, int node)
{
	const BoostModel *boost = &model->boost;
	BoostSplit *split = boost->splits + (Size) tree * boost_splits(boost->depth) + node;
	double	   *values = boost->values + (Size) tree * boost_leaves(boost->depth);
	double	   *covers = boost->covers + (Size) tree * boost_leaves(boost->depth);
	int			column = -1;
	int			from;
	int			count;

	if (node < boost_splits(boost->depth))
		column = (int) get_integer(reader, model->ncolumns, "column of a split") - 1;
	if (column >= 0)
	{
		double		cover;

		split->column = column;
		split->threshold = get_finite(reader, "threshold of a split");
		cover = get_node(reader, model, tree, 2 * node + 1);
		return cover + get_node(reader, model, tree, 2 * node + 2);
	}
	churn_leaves_below(boost->depth, node, &from, &count);
	values[from] = reader_between(reader, -LEAF_MAX, LEAF_MAX, "value of a leaf");
	for (int i = 1; i < count; i++)
		values[from + i] = values[from];
	covers[from] = get_not_negative(reader, "cover of a leaf");
	reader_require(reader, covers[from] > 0, "cover of a leaf");
	return covers[from];
}

static void
get_boost_params(ByteReader *reader, ChurnModel *model)
{
	BoostParams *params = &model->params;

	params->trees = (int) get_integer(reader, BOOST_TREES_MAX, "number of trees");
	params->depth = reader_byte(reader, BOOST_DEPTH_MAX, "depth");
	params->bins = reader_byte(reader, 255, "number of bins");
	params->learning_rate = reader_between(reader, 0, 1, "learning rate");
	params->lambda = model->lambda = get_not_negative(reader, "lambda");
	params->min_leaf = get_not_negative(reader, "least weight of a leaf");
	reader_require(reader, params->trees >= 1 && params->depth >= 1 && params->bins >= 2 &&
				   params->learning_rate > 0, "parameters of trees");
}

static void
get_boost(ByteReader *reader, ChurnModel *model)
{
	BoostModel *boost = &model->boost;
	Size		splits;
	Size		leaves;

	get_boost_params(reader, model);
	boost->depth = model->params.depth;
	if (!churn_model_scores(model))
		return;
	for (int i = 0; i < model->ncolumns; i++)
		model->column_means[i] = get_finite(reader, "mean of a column");
	model->log_loss = get_not_negative(reader, "log loss");
	boost->base = reader_between(reader, -LEAF_MAX, LEAF_MAX, "base");
	/* a tree is a leaf at least: 0, value and cover */
	boost->trees = (int) reader_count(reader, model->params.trees, 17, "number of trees");
	if (reader->error != NULL)
		return;
	splits = (Size) boost->trees * boost_splits(boost->depth);
	leaves = (Size) boost->trees * boost_leaves(boost->depth);
	boost->splits = palloc_extended(sizeof(BoostSplit) * (splits + 1), MCXT_ALLOC_HUGE);
	boost->values = palloc0(sizeof(double) * (leaves + 1));
	boost->covers = palloc0(sizeof(double) * (leaves + 1));
	for (Size i = 0; i < splits; i++)
		boost->splits[i] = (BoostSplit) {-1, 0};
	for (int tree = 0; tree < boost->trees && reader->error == NULL; tree++)
	{
		double		cover = get_node(reader, model, tree, 0);

		CHECK_FOR_INTERRUPTS();
		reader_require(reader, fabs(cover - model->weight) <= COVER_TOLERANCE * model->weight,
					   "cover of a tree");
	}
}

static void
get_gaps(ByteReader *reader, ChurnModel *model)
{
	double		time = -1;
	double		survival = 1;

	model->ngaps = (int) reader_count(reader, PG_INT32_MAX, 40, "number of gaps");
	model->gaps = palloc0(sizeof(KmPoint) * ((Size) model->ngaps + 1));
	for (int i = 0; i < model->ngaps && reader->error == NULL; i++)
	{
		KmPoint    *gap = &model->gaps[i];

		gap->time = get_not_negative(reader, "time of a gap");
		reader_require(reader, gap->time > time, "order of gaps");
		gap->at_risk = get_not_negative(reader, "number at risk");
		reader_require(reader, gap->at_risk > 0, "number at risk");
		gap->events = reader_between(reader, 0, gap->at_risk, "number of events");
		gap->censored = get_not_negative(reader, "number of censored");
		gap->survival = reader_between(reader, 0, survival, "survival");
		gap->se = gap->hazard = gap->hazard_se = get_float8_nan();
		time = gap->time;
		survival = gap->survival;
	}
}

/* What each method says. */
static void (*const method_readers[]) (ByteReader *reader, ChurnModel *model) =
{
	[CHURN_LOGISTIC] = get_logistic,
		[CHURN_BOOST] = get_boost,
		[CHURN_GAP] = get_gaps
};

StaticAssertDecl(lengthof(method_readers) == CHURN_METHOD_LAST + 1, "every method can be read");

static DateADT
get_date(ByteReader *reader)
{
	int64		date = reader_int(reader, PG_INT32_MIN, PG_INT32_MAX, "date");

	reader_require(reader, !DATE_NOT_FINITE(date) && IS_VALID_DATE(date), "date");
	return (DateADT) date;
}

/* Rows, their outcomes and weights, and the status that follows from them. */
static void
get_counts(ByteReader *reader, ChurnModel *model)
{
	bool		one_class;

	model->rows = get_integer(reader, PG_INT64_MAX, "number of rows");
	model->positives = get_integer(reader, model->rows, "number of positives");
	model->unlabelled = get_integer(reader, PG_INT64_MAX, "number of rows");
	model->skipped = get_integer(reader, PG_INT64_MAX, "number of rows");
	model->weight = get_not_negative(reader, "weight");
	model->positive_weight = reader_between(reader, 0, model->weight, "weight");
	reader_require(reader, (model->rows == 0) == (model->weight == 0) &&
				   (model->positives == 0) == (model->positive_weight == 0), "weight");
	one_class = model->rows > 0 && (model->positives == 0 || model->positives == model->rows);
	reader_require(reader, model->classifier->fit == NULL ||
				   ((model->status == CHURN_NO_LABELS) == (model->rows == 0) &&
					(model->status == CHURN_ONE_CLASS) == one_class), "status");
}

static ChurnModel *
churn_model_read_model(ByteReader *reader, const char *data, Size len, bool check)
{
	ChurnModel *model = palloc0(sizeof(ChurnModel));

	(void) reader_begin(reader, data, len, CHURN_VERSION, 0);
	reader_require(reader, (int64) reader_left(reader) >= CHURN_FINGERPRINT_BYTES, "length");
	if (reader->error != NULL)
		return model;
	reader->at += CHURN_FINGERPRINT_BYTES;
	model->classifier = churn_classifier(reader_byte(reader, CHURN_METHOD_LAST, "method"));
	reader_require(reader, model->classifier != NULL, "method");
	if (reader->error != NULL)
		return model;
	model->status = (ChurnStatus) reader_byte(reader, CHURN_STATUS_LAST, "status");
	model->missing = (ChurnMissing) reader_byte(reader, CHURN_MISSING_ERROR, "treatment of NULL");
	model->input = (ChurnInput) reader_byte(reader, CHURN_HISTORY, "input");
	reader_require(reader, model->classifier->fit != NULL || model->input == CHURN_HISTORY, "input");
	get_counts(reader, model);
	if (model->input == CHURN_HISTORY)
	{
		int64		as_of;

		model->until = get_date(reader);
		model->horizon = (int32) get_integer(reader, PG_INT32_MAX, "horizon");
		as_of = (int64) model->until - model->horizon;
		reader_require(reader, model->horizon > 0 && IS_VALID_DATE(as_of), "horizon");
		model->as_of = (DateADT) as_of;
		model->amounts = reader_byte(reader, 1, "flag of amounts") != 0;
	}
	get_features(reader, model, check);
	if (reader->error != NULL)
		return model;
	method_readers[model->classifier->method] (reader, model);
	(void) reader_end(reader);
	return model;
}

const char *
churn_model_check(const char *data, Size len)
{
	ByteReader	reader;
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "churn_model check",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	churn_model_read_model(&reader, data, len, true);
	if (reader.error == NULL)
	{
		char		bytes[CHURN_FINGERPRINT_BYTES];

		churn_fingerprint(data + CHURN_HEAD_BYTES, len - CHURN_HEAD_BYTES, bytes);
		reader_require(&reader, memcmp(bytes, data + VALUE_PREFIX, sizeof(bytes)) == 0, "fingerprint");
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return reader.error;
}

ChurnModel *
churn_model_unpack(const ChurnModelValue *value)
{
	ByteReader	reader;
	ChurnModel *model = churn_model_read_model(&reader, VARDATA_ANY(value),
											   VARSIZE_ANY_EXHDR(value), false);

	if (reader.error != NULL)
		reader_corrupt(&reader, "churn_model");
	return model;
}
