/*
 * churn_history_features.c
 *	  A customer's buying as the features of churn.
 *
 * Definitions, promises and limits: see churn_history_features.h.
 */
#include "churn/churn_history_features.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/date.h"
#include "utils/float.h"

const char *const behaviour_names[BEHAVIOUR_FEATURES] = {
	"recency", "frequency", "age", "silence", "pace", "overdue", "activity", "spend"
};

/* c of the features, a share of the horizon: so that nothing is divided by 0 days */
#define GRACE		20.0

int
behaviour_by_name(const char *name)
{
	for (int i = 0; i < BEHAVIOUR_FEATURES; i++)
		if (strcmp(behaviour_names[i], name) == 0)
			return i;
	return -1;
}

/* ---------- reading ---------- */

void
behaviour_begin(BehaviourDigest *digest, DateADT at, int32 horizon)
{
	memset(digest, 0, sizeof(BehaviourDigest));
	digest->at = at;
	digest->scale = 0.5 / horizon;
	digest->sum = amount_none();
}

void
behaviour_day(BehaviourDigest *digest, DateADT day, const Amount *amount)
{
	if (digest->days++ == 0)
		digest->first = day;
	digest->last = day;
	digest->activity += 1 / (1 + ((double) digest->at - day) * digest->scale);
	if (amount->scale == AMOUNT_NONE)
		return;
	digest->paid++;
	digest->sum = amount_add(&digest->sum, amount);
}

bool
behaviour_end(const BehaviourDigest *digest, Behaviour *behaviour)
{
	if (digest->days == 0)
		return false;
	/* both are at most what lies between the first and the last date there is: an int32 */
	behaviour->recency = digest->at - digest->last;
	behaviour->age = digest->at - digest->first;
	behaviour->repeats = (int32) (digest->days - 1);
	behaviour->activity = digest->activity;
	behaviour->spend = digest->paid == 0 ? get_float8_nan() :
		amount_to_double(&digest->sum) / digest->paid;
	return true;
}

bool
behaviour_next(HistoryReader *reader, DateADT until)
{
	if (unlikely((reader->left & 0xffff) == 0xffff))
		CHECK_FOR_INTERRUPTS();
	if (reader->has_amounts)
		return history_reader_day(reader) && reader->day.day <= until;
	reader->day.amount.scale = AMOUNT_NONE;
	return history_reader_read_dates(reader) && reader->day.day <= until;
}

bool
behaviour_of_history(const CustomerHistory *history, DateADT at, int32 horizon,
					 Behaviour *behaviour)
{
	BehaviourDigest digest;
	HistoryReader reader;

	behaviour_begin(&digest, at, horizon);
	history_reader_open(&reader, history);
	while (behaviour_next(&reader, at))
		behaviour_day(&digest, reader.day.day, &reader.day.amount);
	return behaviour_end(&digest, behaviour);
}

/* ---------- features ---------- */

static inline double
between(const Behaviour *b)
{
	return (double) b->age - b->recency;
}

static inline double
mean_gap(const Behaviour *b)
{
	return b->repeats > 0 ? between(b) / b->repeats : b->age;
}

/* ln((T + c) / (t + c)), near 0 to the last digit */
static inline double
silence(const Behaviour *b, double grace)
{
	return log1p(b->recency / (between(b) + grace));
}

double
behaviour_feature(const Behaviour *b, int32 horizon, BehaviourFeature feature)
{
	double		grace = horizon / GRACE;

	switch (feature)
	{
		case BEHAVIOUR_RECENCY:
			return log1p(b->recency);
		case BEHAVIOUR_FREQUENCY:
			return log1p(b->repeats);
		case BEHAVIOUR_AGE:
			return log1p(b->age);
		case BEHAVIOUR_SILENCE:
			return silence(b, grace);
		case BEHAVIOUR_PACE:
			return log((b->recency + grace) / (mean_gap(b) + grace));
		case BEHAVIOUR_OVERDUE:
			return log1p(b->repeats * silence(b, grace));
		case BEHAVIOUR_ACTIVITY:
			return log(b->activity);
		case BEHAVIOUR_SPEND:
			/* written so that NaN fails */
			return b->spend > 0 ? log(b->spend) : get_float8_nan();
	}
	pg_unreachable();
}

/* To four digits after the point: it is for reading. */
static inline double
ratio(double value)
{
	return fabs(value) < 1e11 ? rint(value * 1e4) / 1e4 : value;
}

double
behaviour_value(const Behaviour *b, int32 horizon, BehaviourFeature feature)
{
	double		grace = horizon / GRACE;

	switch (feature)
	{
		case BEHAVIOUR_RECENCY:
			return b->recency;
		case BEHAVIOUR_FREQUENCY:
			return b->repeats;
		case BEHAVIOUR_AGE:
			return b->age;
		case BEHAVIOUR_SILENCE:
			return ratio(b->age > 0 ? (double) b->recency / b->age : 0);
		case BEHAVIOUR_PACE:
			return ratio((b->recency + grace) / (mean_gap(b) + grace));
		case BEHAVIOUR_OVERDUE:
			return ratio(b->repeats * silence(b, grace));
		case BEHAVIOUR_ACTIVITY:
			return ratio(b->activity);
		case BEHAVIOUR_SPEND:
			return b->spend > 0 ? ratio(b->spend) : get_float8_nan();
	}
	pg_unreachable();
}
