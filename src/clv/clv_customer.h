/*
 * clv_customer.h
 *	  From a customer's active days to what the models of clv.h see.
 *
 * A digest takes the days in ascending order, each with its amount, and those
 * after as_of not at all.  For models in continuous time it counts days; for
 * discrete and contract models calendar periods of the unit: the first is that
 * of the first day, and periods that had not wholly ended at as_of are not
 * counted, because nobody knows yet what they bring.
 *
 * The mean spend is that of repeat days (discrete: repeat periods) that have an
 * amount: sum as exact integer or numeric, then one division.  Money that came
 * back on a day of its own is charged to the latest purchase day before it, if it
 * came by as_of; what precedes the first purchase is charged to none.
 *
 * Promises: the same bits for the same days, whoever feeds them.
 * Never: allocates, but for amounts too large for an integer.
 */
#ifndef RETENTION_CLV_CUSTOMER_H
#define RETENTION_CLV_CUSTOMER_H

#include "calendar/calendar.h"
#include "clv/clv.h"
#include "utils/date.h"

typedef struct ClvDigest
{
	bool		discrete;
	PeriodSpec	spec;			/* discrete only */
	double		unit_days;		/* continuous only; 1: the customer is wanted in days */
	DateADT		as_of;
	int32		complete;		/* discrete: last period that had ended at as_of */
	int64		steps;			/* active days, or periods */
	int32		first;			/* day, or period */
	int32		last;
	bool		paid;			/* the last repeat step has an amount */
	int64		paid_steps;
	Amount		sum;			/* of repeat steps */
	Amount		first_sum;		/* of the first step */
	int64		days;			/* with purchases until as_of, also of periods that have not ended */
	DateADT		first_day;
	DateADT		before_day;		/* the last but one, or the last */
	DateADT		last_day;
	bool		later;			/* of a history: it goes on after as_of */
} ClvDigest;

/*
 * as_of must be finite.  in_days: times of continuous models are left in days,
 * not converted to the unit.
 */
extern void clv_digest_init(ClvDigest *digest, const PurchaseModel *model, TimeUnit unit,
							bool in_days, DateADT as_of);

/* Ascending days; those after as_of are ignored. */
extern void clv_digest_day(ClvDigest *digest, DateADT day, const Amount *amount);

/* False if there was no day. */
extern bool clv_digest_finish(const ClvDigest *digest, ClvCustomer *customer);

/* What it says of as_of, to what others do. */
static inline void
clv_digest_seen(const ClvDigest *digest, Seen *seen)
{
	if (digest->days > 0)
		seen_add(seen, digest->first_day, digest->before_day, digest->last_day, digest->days);
	else
		seen->without++;
	seen->later += digest->later;
}

/* All active days of a history, each with what is charged to it. */
extern void clv_digest_history(ClvDigest *digest, const CustomerHistory *history);

#endif							/* RETENTION_CLV_CUSTOMER_H */
