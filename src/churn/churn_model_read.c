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
#include "port/pg_bswap.h"
#include "utils/date.h"
#include "utils/float.h"
#include "utils/memutils.h"
#include "value/varint.h"

/* Leaves are far below; sums of so many stay finite. */
#define LEAF_MAX		1e300

/* Covers of a tree sum up to the weight of all rows, but for rounding. */
#define COVER_TOLERANCE	1e-6

typedef struct Reader
{
	const uint8 *at;
	const uint8 *end;
	const char *error;			/* the first; NULL so far */
	bool		check;			/* also what only input can have wrong */
} Reader;

static void
fail(Reader *reader, const char *what)
{
	if (reader->error == NULL)
		reader->error = what;
	/* nothing more is read */
	reader->at = reader->end;
}

static inline void
require(Reader *reader, bool condition, const char *what)
{
	if (unlikely(!condition))
		fail(reader, what);
}

/* 0 after an error. */
static int
churn_model_read_get_byte(Reader *reader, int max, const char *what)
{
	if (reader->at == reader->end)
		fail(reader, "length");
	else if (*reader->at > max)
		fail(reader, what);
	return reader->error == NULL ? *reader->at++ : 0;
}

static int64
get_integer(Reader *reader, int64 max, const char *what)
{
	uint64		v;

	if (reader->error != NULL || !varint_get(&reader->at, reader->end, &v) || v > (uint64) max)
	{
		fail(reader, what);
		return 0;
	}
	return (int64) v;
}

/* A number of items, each of which takes so many bytes at least. */
static int
churn_model_read_get_number(Reader *reader, int64 max, int bytes, const char *what)
{
	return (int) get_integer(reader, Min(max, (reader->end - reader->at) / bytes), what);
}

/* Finite, or NaN: not known. */
static double
churn_model_read_get_double(Reader *reader)
{
	uint64		bits;
	uint64		canonical;
	double		value;

	if (reader->end - reader->at < sizeof(bits))
	{
		fail(reader, "length");
		return 0;
	}
	memcpy(&bits, reader->at, sizeof(bits));
	reader->at += sizeof(bits);
	bits = pg_ntoh64(pg_bswap64(bits));
	memcpy(&value, &bits, sizeof(value));
	if (!isfinite(value) || value == 0)
	{
		double		form = value == 0 ? 0 : get_float8_nan();

		memcpy(&canonical, &form, sizeof(canonical));
		require(reader, bits == canonical, "number");
	}
	return value;
}

/* Written so that NaN fails. */
static double
churn_model_read_get_between(Reader *reader, double min, double max, const char *what)
{
	double		value = churn_model_read_get_double(reader);

	require(reader, value >= min && value <= max, what);
	return value;
}

static double
get_finite(Reader *reader, const char *what)
{
	return churn_model_read_get_between(reader, -DBL_MAX, DBL_MAX, what);
}

static double
get_not_negative(Reader *reader, const char *what)
{
	return churn_model_read_get_between(reader, 0, DBL_MAX, what);
}

static char *
get_text(Reader *reader, int64 min, const char *what)
{
	int64		len = get_integer(reader, reader->end - reader->at, what);
	char	   *text;

	require(reader, len <= reader->end - reader->at && len >= min, what);
	if (reader->error == NULL && reader->check)
		require(reader, pg_verify_mbstr(PG_UTF8, (const char *) reader->at, (int) len, true), what);
	if (reader->error != NULL)
		return pstrdup("");
	text = pnstrdup((const char *) reader->at, len);
	reader->at += len;
	return pg_any_to_server(text, (int) len, PG_UTF8);
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
order_levels(Reader *reader, ChurnFeature *f)
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
		require(reader, compare_levels(&f->by_bytes[level - 1], &f->by_bytes[level], f->levels) < 0,
				"level");
}

static void
get_feature(Reader *reader, ChurnFeature *f)
{
	int			byte;

	f->name = get_text(reader, 1, "name of a feature");
	byte = churn_model_read_get_byte(reader, FEATURE_CATEGORY | CHURN_FLAG_MISSING | CHURN_FLAG_OTHER, "kind of a feature");
	require(reader, (byte & CHURN_KIND_BITS) <= FEATURE_CATEGORY, "kind of a feature");
	f->kind = (FeatureKind) (byte & CHURN_KIND_BITS);
	f->missing = (byte & CHURN_FLAG_MISSING) != 0;
	f->other = (byte & CHURN_FLAG_OTHER) != 0;
	if (f->kind != FEATURE_CATEGORY)
	{
		require(reader, !f->other, "kind of a feature");
		f->mean = get_finite(reader, "mean of a feature");
		return;
	}
	f->mean = get_float8_nan();
	f->nlevels = churn_model_read_get_number(reader, CHURN_LEVELS_MAX, 1, "number of levels");
	f->levels = palloc(sizeof(char *) * (f->nlevels + 1));
	for (int level = 0; level < f->nlevels && reader->error == NULL; level++)
	{
		f->levels[level] = get_text(reader, 0, "level");
		require(reader, level == 0 || strcmp(f->levels[0], f->levels[level]) != 0, "level");
	}
	if (reader->error == NULL)
		order_levels(reader, f);
}

static void
get_features(Reader *reader, ChurnModel *model)
{
	char	  **names;
	int			behaviour = -1;

	/* length, a letter, kind and a number */
	model->nfeatures = churn_model_read_get_number(reader, CHURN_FEATURES_MAX, 4, "number of features");
	model->features = palloc0(sizeof(ChurnFeature) * (model->nfeatures + 1));
	names = palloc(sizeof(char *) * (model->nfeatures + 1));
	for (int i = 0; i < model->nfeatures && reader->error == NULL; i++)
	{
		get_feature(reader, &model->features[i]);
		/* only records have others */
		require(reader, model->input == CHURN_RECORD ||
				model->features[i].kind == FEATURE_NUMBER, "kind of a feature");
		names[i] = model->features[i].name;
		if (model->input == CHURN_HISTORY)
		{
			int			last = behaviour;

			/* some of those that histories have, in their order */
			behaviour = behaviour_by_name(names[i]);
			require(reader, behaviour > last, "name of a feature");
		}
	}
	if (reader->check && reader->error == NULL)
	{
		qsort(names, model->nfeatures, sizeof(char *), compare_texts);
		for (int i = 1; i < model->nfeatures; i++)
			require(reader, strcmp(names[i - 1], names[i]) != 0, "name of a feature");
	}
	pfree(names);
	/* the number of bytes bounds that of levels, and so of columns */
	if (reader->error == NULL)
		churn_columns_of(model);
	require(reader, model->ncolumns <= CHURN_COLUMNS_MAX, "number of columns");
	model->column_means = palloc0(sizeof(double) * (model->ncolumns + 1));
}

/* NaN: not known. */
static double
get_standard_error(Reader *reader)
{
	double		value = churn_model_read_get_double(reader);

	require(reader, !(value < 0), "standard error");
	return value;
}

static void
get_logistic(Reader *reader, ChurnModel *model)
{
	LogisticFit *fit = &model->fit;

	model->lambda = get_not_negative(reader, "lambda");
	fit->weight = model->weight;
	fit->positive = model->positive_weight;
	if (!churn_model_scores(model))
		return;
	fit->end = (LogisticEnd) churn_model_read_get_byte(reader, LOGISTIC_STOPPED, "end of the fit");
	fit->log_likelihood_null = churn_model_read_get_between(reader, -DBL_MAX, 0, "log-likelihood");
	fit->log_likelihood = churn_model_read_get_between(reader, -DBL_MAX, 0, "log-likelihood");
	fit->penalised = churn_model_read_get_between(reader, -DBL_MAX, 0, "log-likelihood");
	fit->edf = churn_model_read_get_double(reader);
	fit->max_gradient = churn_model_read_get_double(reader);
	require(reader, !(fit->edf < 0) && !(fit->max_gradient < 0), "number of a fit");
	fit->iterations = (int) get_integer(reader, PG_INT32_MAX, "number of steps");
	require(reader, reader->end - reader->at >= model->ncolumns * 16 + 32, "length");
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
		term->coef_std = churn_model_read_get_double(reader);
		term->coef = churn_model_read_get_double(reader);
		/* only a column that cannot be told from others has none */
		require(reader, i < model->ncolumns || !isnan(term->coef_std), "coefficient");
		term->se = get_standard_error(reader);
		term->se_sandwich = get_standard_error(reader);
	}
}

/* Returns the sum of the covers below. */
static double
get_node(Reader *reader, const ChurnModel *model, int tree, int node)
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
	values[from] = churn_model_read_get_between(reader, -LEAF_MAX, LEAF_MAX, "value of a leaf");
	for (int i = 1; i < count; i++)
		values[from + i] = values[from];
	covers[from] = get_not_negative(reader, "cover of a leaf");
	require(reader, covers[from] > 0, "cover of a leaf");
	return covers[from];
}

static void
get_boost_params(Reader *reader, ChurnModel *model)
{
	BoostParams *params = &model->params;

	params->trees = (int) get_integer(reader, BOOST_TREES_MAX, "number of trees");
	params->depth = churn_model_read_get_byte(reader, BOOST_DEPTH_MAX, "depth");
	params->bins = churn_model_read_get_byte(reader, 255, "number of bins");
	params->learning_rate = churn_model_read_get_between(reader, 0, 1, "learning rate");
	params->lambda = model->lambda = get_not_negative(reader, "lambda");
	params->min_leaf = get_not_negative(reader, "least weight of a leaf");
	require(reader, params->trees >= 1 && params->depth >= 1 && params->bins >= 2 &&
			params->learning_rate > 0, "parameters of trees");
}

static void
get_boost(Reader *reader, ChurnModel *model)
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
	boost->base = churn_model_read_get_between(reader, -LEAF_MAX, LEAF_MAX, "base");
	/* a tree is a leaf at least: 0, value and cover */
	boost->trees = churn_model_read_get_number(reader, model->params.trees, 17, "number of trees");
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
		require(reader, fabs(cover - model->weight) <= COVER_TOLERANCE * model->weight,
				"cover of a tree");
	}
}

static void
get_gaps(Reader *reader, ChurnModel *model)
{
	double		time = -1;
	double		survival = 1;

	model->ngaps = churn_model_read_get_number(reader, PG_INT32_MAX, 40, "number of gaps");
	model->gaps = palloc0(sizeof(KmPoint) * ((Size) model->ngaps + 1));
	for (int i = 0; i < model->ngaps && reader->error == NULL; i++)
	{
		KmPoint    *gap = &model->gaps[i];

		gap->time = get_not_negative(reader, "time of a gap");
		require(reader, gap->time > time, "order of gaps");
		gap->at_risk = get_not_negative(reader, "number at risk");
		require(reader, gap->at_risk > 0, "number at risk");
		gap->events = churn_model_read_get_between(reader, 0, gap->at_risk, "number of events");
		gap->censored = get_not_negative(reader, "number of censored");
		gap->survival = churn_model_read_get_between(reader, 0, survival, "survival");
		gap->se = gap->hazard = gap->hazard_se = get_float8_nan();
		time = gap->time;
		survival = gap->survival;
	}
}

/* What each method says. */
static void (*const method_readers[]) (Reader *reader, ChurnModel *model) = {
	[CHURN_LOGISTIC] = get_logistic,
	[CHURN_BOOST] = get_boost,
	[CHURN_GAP] = get_gaps
};

StaticAssertDecl(lengthof(method_readers) == CHURN_METHOD_LAST + 1, "every method can be read");

static DateADT
get_date(Reader *reader)
{
	int64		date = unzigzag((uint64) get_integer(reader, PG_UINT32_MAX, "date"));

	require(reader, !DATE_NOT_FINITE(date) && IS_VALID_DATE(date), "date");
	return (DateADT) date;
}

/* Rows, their outcomes and weights, and the status that follows from them. */
static void
get_counts(Reader *reader, ChurnModel *model)
{
	bool		one_class;

	model->rows = get_integer(reader, PG_INT64_MAX, "number of rows");
	model->positives = get_integer(reader, model->rows, "number of positives");
	model->unlabelled = get_integer(reader, PG_INT64_MAX, "number of rows");
	model->skipped = get_integer(reader, PG_INT64_MAX, "number of rows");
	model->weight = get_not_negative(reader, "weight");
	model->positive_weight = churn_model_read_get_between(reader, 0, model->weight, "weight");
	require(reader, (model->rows == 0) == (model->weight == 0) &&
			(model->positives == 0) == (model->positive_weight == 0), "weight");
	one_class = model->rows > 0 && (model->positives == 0 || model->positives == model->rows);
	require(reader, model->classifier->fit == NULL ||
			((model->status == CHURN_NO_LABELS) == (model->rows == 0) &&
			 (model->status == CHURN_ONE_CLASS) == one_class), "status");
}

static ChurnModel *
churn_model_read_model(Reader *reader)
{
	ChurnModel *model = palloc0(sizeof(ChurnModel));

	require(reader, churn_model_read_get_byte(reader, 255, "version") == CHURN_VERSION, "version");
	require(reader, reader->end - reader->at >= CHURN_FINGERPRINT_BYTES, "length");
	if (reader->error != NULL)
		return model;
	reader->at += CHURN_FINGERPRINT_BYTES;
	model->classifier = churn_classifier(churn_model_read_get_byte(reader, CHURN_METHOD_LAST, "method"));
	require(reader, model->classifier != NULL, "method");
	if (reader->error != NULL)
		return model;
	model->status = (ChurnStatus) churn_model_read_get_byte(reader, CHURN_STATUS_LAST, "status");
	model->missing = (ChurnMissing) churn_model_read_get_byte(reader, CHURN_MISSING_ERROR, "treatment of NULL");
	model->input = (ChurnInput) churn_model_read_get_byte(reader, CHURN_HISTORY, "input");
	require(reader, model->classifier->fit != NULL || model->input == CHURN_HISTORY, "input");
	get_counts(reader, model);
	if (model->input == CHURN_HISTORY)
	{
		int64		as_of;

		model->until = get_date(reader);
		model->horizon = (int32) get_integer(reader, PG_INT32_MAX, "horizon");
		as_of = (int64) model->until - model->horizon;
		require(reader, model->horizon > 0 && IS_VALID_DATE(as_of), "horizon");
		model->as_of = (DateADT) as_of;
		model->amounts = churn_model_read_get_byte(reader, 1, "flag of amounts") != 0;
	}
	get_features(reader, model);
	if (reader->error != NULL)
		return model;
	method_readers[model->classifier->method] (reader, model);
	require(reader, reader->at == reader->end, "length");
	return model;
}

const char *
churn_model_check(const char *data, Size len)
{
	Reader		reader = {(const uint8 *) data, (const uint8 *) data + len, NULL, true};
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "churn_model check",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);

	churn_model_read_model(&reader);
	if (reader.error == NULL)
	{
		char		bytes[CHURN_FINGERPRINT_BYTES];

		churn_fingerprint(data + CHURN_HEAD_BYTES, len - CHURN_HEAD_BYTES, bytes);
		require(&reader, memcmp(bytes, data + 1, sizeof(bytes)) == 0, "fingerprint");
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(context);
	return reader.error;
}

ChurnModel *
churn_model_unpack(const ChurnModelValue *value)
{
	const uint8 *data = (const uint8 *) VARDATA_ANY(value);
	Reader		reader = {data, data + VARSIZE_ANY_EXHDR(value), NULL, false};
	ChurnModel *model = churn_model_read_model(&reader);

	if (reader.error != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("churn_model is corrupt: wrong %s", reader.error)));
	return model;
}
