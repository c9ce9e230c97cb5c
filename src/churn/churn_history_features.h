/*
 * churn_history_features.h
 *	  A customer's buying as the features of churn: from a customer_history at a
 *	  day.
 *
 * With n purchase days by that day, x = n - 1 repeats, T days since the first,
 * r since the last, t = T - r between them, g = t / x the mean gap (T where x is
 * 0), h the horizon and c = h / 20, all in days:
 *
 *	  recency	ln(1 + r)
 *	  frequency	ln(1 + x)
 *	  age		ln(1 + T)
 *	  silence	ln((T + c) / (t + c)): the share of the time that was silent
 *	  pace		ln((r + c) / (g + c)): the silence in gaps of his own
 *	  overdue	ln(1 + x ln((T + c) / (t + c))): what his silence says of one who bought
 *				so often; ((T + c) / (t + c))^x are the odds of being gone of Fader,
 *				Hardie and Lee (2005, BG/NBD)
 *	  activity	ln of the purchases, one d days ago counted as 1 / (1 + d / 2h)
 *	  spend		ln of the mean amount of a purchase day; NULL where none is known or
 *				it is not positive
 *
 * All but age, activity and spend compare a customer with himself, which is what
 * lets a model that was trained a horizon ago, on younger customers, hold today.
 *
 * Promises: the same bits for the same days; days after the day asked for are
 * not looked at.
 * Never: knows a model, other customers or a calendar.
 */
#ifndef RETENTION_CHURN_HISTORY_FEATURES_H
#define RETENTION_CHURN_HISTORY_FEATURES_H

#include "history/history.h"
#include "utils/date.h"

typedef enum BehaviourFeature
{
	BEHAVIOUR_RECENCY,
	BEHAVIOUR_FREQUENCY,
	BEHAVIOUR_AGE,
	BEHAVIOUR_SILENCE,
	BEHAVIOUR_PACE,
	BEHAVIOUR_OVERDUE,
	BEHAVIOUR_ACTIVITY,
	BEHAVIOUR_SPEND				/* the last: left out where no amounts are known */
} BehaviourFeature;

#define BEHAVIOUR_FEATURES (BEHAVIOUR_SPEND + 1)

extern const char *const behaviour_names[BEHAVIOUR_FEATURES];

/* The feature of that name, or -1. */
extern int	behaviour_by_name(const char *name);

/* All that the features need. */
typedef struct Behaviour
{
	double		activity;
	double		spend;			/* mean; NaN: not known */
	int32		recency;		/* days */
	int32		age;
	int32		repeats;
} Behaviour;

/* Behaviour at a day, gathered day by day. */
typedef struct BehaviourDigest
{
	DateADT		at;
	double		scale;			/* 1 / (2 h) */
	DateADT		first;
	DateADT		last;
	int64		days;
	int64		paid;			/* days with an amount */
	Amount		sum;
	double		activity;
} BehaviourDigest;

extern void behaviour_begin(BehaviourDigest *digest, DateADT at, int32 horizon);

/* Ascending days, none after digest->at. */
extern void behaviour_day(BehaviourDigest *digest, DateADT day, const Amount *amount);

/* False if there was no day. */
extern bool behaviour_end(const BehaviourDigest *digest, Behaviour *behaviour);

/*
 * The next day of a history up to "until"; amounts, which cost more to read, if it
 * has any (AMOUNT_NONE if not).  Allows for interrupts.
 */
extern bool behaviour_next(HistoryReader *reader, DateADT until);

/* A history at a day; false if it has no purchase by then. */
extern bool behaviour_of_history(const CustomerHistory *history, DateADT at, int32 horizon,
								 Behaviour *behaviour);

extern double behaviour_feature(const Behaviour *behaviour, int32 horizon,
								BehaviourFeature feature);

/*
 * What the feature is about, for people: days of recency and age, number of
 * repeats, share of silence, silence in mean gaps, mean spend ...  NaN: not known.
 */
extern double behaviour_value(const Behaviour *behaviour, int32 horizon,
							  BehaviourFeature feature);

#endif							/* RETENTION_CHURN_HISTORY_FEATURES_H */
