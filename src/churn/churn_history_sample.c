/*
 * churn_history_sample.c
 *	  Customers as they were a horizon ago, and the model that is fitted to them.
 *
 * Promises and limits: see churn_history_sample.h.
 */
#include "churn/churn_history_sample.h"

#include <math.h>

#include "churn/churn_classifier.h"
#include "churn/churn_sample.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* A customer who trains. */
typedef struct BehaviourRow
{
	Behaviour	behaviour;
	bool		silent;
} BehaviourRow;

/* Gaps of one length. */
typedef struct GapTally
{
	int32		days;
	char		status;
	int64		closed;			/* by a purchase */
	int64		open;			/* until as_of */
} GapTally;

#define SH_PREFIX gaps
#define SH_ELEMENT_TYPE GapTally
#define SH_KEY_TYPE int32
#define SH_KEY days
#define SH_HASH_KEY(table, key) murmurhash32(key)
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

struct BehaviourSample
{
	MemoryContext context;
	const BehaviourTerms *terms;
	const ChurnOptions *options;
	int64		unknown;		/* NULL histories */
	int64		later;			/* no purchase by terms->past */
	int64		silent;			/* of the rows */
	int64		closed;			/* gaps */
	int64		customers;		/* with a purchase by as_of */
	bool		spend;			/* of some row it is known */
	Seen		seen;
	int64		n;
	int64		room;
	BehaviourRow *rows;
	gaps_hash  *gaps;
};

/* ---------- days ---------- */

static void
horizon_error(const char *what, const Interval *horizon)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("horizon must be %s, not \"%s\"", what,
					DatumGetCString(DirectFunctionCall1(interval_out,
														IntervalPGetDatum(horizon)))),
			 errhint("Write interval '90 days' or '6 months'; a number alone is so many seconds.")));
}

/* as_of moved by the horizon, back or ahead. */
static DateADT
moved(DateADT as_of, const Interval *horizon, PGFunction move)
{
	Timestamp	at;

	if (RETENTION_INTERVAL_IS_INFINITE(horizon))
		horizon_error("finite", horizon);
	at = DatumGetTimestamp(DirectFunctionCall2(move, DateADTGetDatum(as_of),
											   IntervalPGetDatum(horizon)));
	if (at % USECS_PER_DAY != 0)
		horizon_error(horizon->month == 0 && horizon->day == 0 ? "of whole days, a day or longer" :
					  "of whole days", horizon);
	return (DateADT) (at / USECS_PER_DAY);
}

void
behaviour_terms(DateADT as_of, const Interval *horizon, BehaviourTerms *terms)
{
	terms->as_of = as_of;
	terms->past = moved(as_of, horizon, date_mi_interval);
	if (terms->past >= as_of)
		horizon_error("more than 0 days", horizon);
	terms->horizon = as_of - terms->past;
}

DateADT
behaviour_until(DateADT as_of, const Interval *horizon)
{
	DateADT		until = moved(as_of, horizon, date_pl_interval);

	if (until <= as_of)
		horizon_error("more than 0 days", horizon);
	return until;
}

/* ---------- options ---------- */

void
behaviour_options(const struct varlena *jsonb, ChurnOptions *options)
{
	churn_options_parse(jsonb, CHURN_HISTORY, options);
	if (options->nnames > 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("option \"names\" is not for histories"),
				 errhint("Their features have names: recency, frequency, age, silence, pace, overdue, activity and spend.")));
	for (int i = 0; i < options->nexclude; i++)
		if (behaviour_by_name(options->exclude[i]) < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("option \"exclude\" names \"%s\", which is no feature of a history",
							options->exclude[i]),
					 errhint("Features are recency, frequency, age, silence, pace, overdue, activity and spend.")));
}

/* ---------- customers ---------- */

BehaviourSample *
behaviour_sample_create(MemoryContext context, const BehaviourTerms *terms,
						const ChurnOptions *options)
{
	BehaviourSample *sample = MemoryContextAllocZero(context, sizeof(BehaviourSample));

	sample->context = context;
	sample->terms = terms;
	sample->options = options;
	return sample;
}

static void
tally_gap(BehaviourSample *sample, int32 days, bool closed)
{
	bool		found;
	GapTally   *tally;

	if (sample->gaps == NULL)
		sample->gaps = gaps_create(sample->context, 1, NULL);
	tally = gaps_insert(sample->gaps, days, &found);
	if (!found)
		tally->closed = tally->open = 0;
	if (closed)
		tally->closed++;
	else
		tally->open++;
	sample->closed += closed;
}

static BehaviourRow *
new_row(BehaviourSample *sample)
{
	if (sample->n == sample->room)
	{
		sample->room = Max(sample->room * 2, 1);
		sample->rows = sample->rows == NULL ?
			MemoryContextAlloc(sample->context, sizeof(BehaviourRow)) :
			repalloc_huge(sample->rows, sample->room * sizeof(BehaviourRow));
	}
	return &sample->rows[sample->n++];
}

void
behaviour_sample_add(BehaviourSample *sample, const CustomerHistory *history)
{
	const BehaviourTerms *terms = sample->terms;
	BehaviourDigest digest;
	HistoryReader reader;
	Behaviour	behaviour;
	DateADT		first = 0;
	DateADT		before = 0;
	DateADT		last = 0;
	int64		days = 0;
	bool		known = false;
	bool		silent = true;

	if (history == NULL)
	{
		sample->unknown++;
		return;
	}
	behaviour_begin(&digest, terms->past, terms->horizon);
	history_reader_open(&reader, history);
	while (behaviour_next(&reader, terms->as_of))
	{
		DateADT		day = reader.day.day;

		if (known)
			tally_gap(sample, day - last, true);
		else
			first = last = day;
		known = true;
		before = last;
		last = day;
		days++;
		if (day <= terms->past)
			behaviour_day(&digest, day, &reader.day.amount);
		else
			silent = false;
	}
	if (known)
	{
		tally_gap(sample, terms->as_of - last, false);
		sample->customers++;
		seen_add(&sample->seen, first, before, last, days);
	}
	sample->seen.later += reader.day.day > terms->as_of;
	if (behaviour_end(&digest, &behaviour))
	{
		BehaviourRow *row = new_row(sample);

		row->behaviour = behaviour;
		row->silent = silent;
		sample->silent += silent;
		sample->spend |= behaviour.spend > 0;
	}
	else
		sample->later++;
}

/* ---------- gaps ---------- */

/* Those between purchases of all customers, by their length; none where none was closed. */
static KmPoint *
collect_gaps(const BehaviourSample *sample, int *n)
{
	gaps_iterator iterator;
	GapTally   *tally;
	KmPoint    *points;

	*n = 0;
	if (sample->closed == 0)
		return NULL;
	points = palloc_extended(sizeof(KmPoint) * sample->gaps->members,
							 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	gaps_start_iterate(sample->gaps, &iterator);
	while ((tally = gaps_iterate(sample->gaps, &iterator)) != NULL)
	{
		KmPoint    *point = &points[(*n)++];

		point->time = tally->days;
		point->events = tally->closed;
		point->censored = tally->open;
	}
	return points;
}

/* ---------- the fit ---------- */

static bool
excluded(const ChurnOptions *options, const char *name)
{
	for (int i = 0; i < options->nexclude; i++)
		if (strcmp(options->exclude[i], name) == 0)
			return true;
	return false;
}

static bool
trains(const BehaviourSample *sample)
{
	return sample->options->classifier->fit != NULL &&
		Min(sample->silent, sample->n - sample->silent) >= BEHAVIOUR_ENOUGH;
}

static ChurnModel *
history_sample_fit_rows(const BehaviourSample *sample)
{
	const char *names[BEHAVIOUR_FEATURES];
	FeatureKind kinds[BEHAVIOUR_FEATURES];
	BehaviourFeature features[BEHAVIOUR_FEATURES];
	FeatureValue values[BEHAVIOUR_FEATURES] = {0};
	ChurnSample *rows;
	int			n = 0;

	for (int i = 0; i < BEHAVIOUR_FEATURES; i++)
	{
		if ((i == BEHAVIOUR_SPEND && !sample->spend) ||
			excluded(sample->options, behaviour_names[i]))
			continue;
		names[n] = behaviour_names[i];
		kinds[n] = FEATURE_NUMBER;
		features[n++] = (BehaviourFeature) i;
	}
	rows = churn_sample_create(CurrentMemoryContext, CHURN_HISTORY, n, names, kinds,
							   sample->options, false);
	for (int64 i = 0; i < sample->n; i++)
	{
		if ((i & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < n; j++)
			values[j].number = behaviour_feature(&sample->rows[i].behaviour,
												 sample->terms->horizon, features[j]);
		churn_sample_add(rows, sample->rows[i].silent, values, 1);
	}
	return churn_sample_fit(rows);
}

ChurnModel *
behaviour_sample_fit(const BehaviourSample *sample)
{
	ChurnModel *model;

	if (trains(sample))
		model = history_sample_fit_rows(sample);
	else
	{
		const Classifier *asked = sample->options->classifier;
		KmPoint    *gaps;
		int			ngaps;

		model = palloc0(sizeof(ChurnModel));
		model->classifier = asked->fit_history != NULL ? asked : CHURN_FALLBACK;
		model->input = CHURN_HISTORY;
		model->rows = sample->n;
		model->positives = sample->silent;
		model->weight = sample->n;
		model->positive_weight = sample->silent;
		gaps = collect_gaps(sample, &ngaps);
		model->classifier->fit_history(gaps, ngaps, model);
	}
	model->unlabelled = sample->later;
	model->skipped += sample->unknown;
	model->as_of = sample->terms->past;
	model->until = sample->terms->as_of;
	model->horizon = sample->terms->horizon;
	model->amounts = sample->spend && trains(sample) &&
		!excluded(sample->options, behaviour_names[BEHAVIOUR_SPEND]);
	return model;
}

static char *
day_text(DateADT day)
{
	char		text[MAXDATELEN + 1];
	struct pg_tm tm = {0};

	j2date(day + POSTGRES_EPOCH_JDATE, &tm.tm_year, &tm.tm_mon, &tm.tm_mday);
	EncodeDateOnly(&tm, USE_ISO_DATES, text);
	return pstrdup(text);
}

const Seen *
behaviour_sample_seen(const BehaviourSample *sample)
{
	return &sample->seen;
}

void
behaviour_sample_notice(const BehaviourSample *sample, const ChurnModel *model)
{
	if (model->classifier == sample->options->classifier)
		return;
	ereport(NOTICE,
			(errmsg("too little history to train on: scores are by gap survival"),
			 errdetail("Of " INT64_FORMAT " customers with a purchase by %s, " INT64_FORMAT " made none and " INT64_FORMAT " made one until %s; %d of each are needed. The gaps are those of " INT64_FORMAT " customers, " INT64_FORMAT " of them closed by a purchase.",
					   sample->n, day_text(sample->terms->past), sample->silent,
					   sample->n - sample->silent, day_text(sample->terms->as_of),
					   BEHAVIOUR_ENOUGH, sample->customers, sample->closed)));
}

/* ---------- scoring ---------- */

void
behaviour_require(const ChurnModel *model)
{
	if (model->input != CHURN_HISTORY)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the model was not trained on histories"),
				 errhint("Score features by it, or train on histories: churn_model(history, as_of, horizon).")));
}

void
behaviour_row(const ChurnModel *model, const Behaviour *behaviour, double *raw,
			  FeatureValue *values)
{
	int			feature = 0;

	/* some of the features there are, in their order */
	for (int i = 0; i < model->nfeatures; i++, feature++)
	{
		const ChurnFeature *f = &model->features[i];

		while (feature < BEHAVIOUR_FEATURES && strcmp(behaviour_names[feature], f->name) != 0)
			feature++;
		if (unlikely(feature == BEHAVIOUR_FEATURES || f->kind != FEATURE_NUMBER))
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("churn_model is corrupt: \"%s\" is no feature of a history",
							f->name)));
		raw[i] = behaviour_feature(behaviour, model->horizon, (BehaviourFeature) feature);
		if (values != NULL)
			values[i].number = behaviour_value(behaviour, model->horizon,
											   (BehaviourFeature) feature);
	}
}

bool
behaviour_score(const ChurnModel *model, const Behaviour *behaviour, double *raw, double *x,
				double *p)
{
	double		eta;

	if (model->classifier->score_history != NULL)
		return model->classifier->score_history(model, behaviour->recency, p);
	behaviour_row(model, behaviour, raw, NULL);
	if (!churn_log_odds(model, raw, x, &eta))
		return false;
	*p = logistic_probability(eta);
	return true;
}
