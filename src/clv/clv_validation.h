/*
 * clv_validation.h
 *	  A model against what customers did: what the rows and the chart share.
 *
 * After Fader, Hardie and Lee (2005), "Counting Your Customers the Easy Way":
 * tracking of repeat purchases (figures 4 and 5 there), the fit of frequencies
 * (figure 3), conditional expectations in the holdout (figure 6).
 *
 * Promises: expected numbers are NaN where the model has no parameters; the
 * work grows with the number of different customers and days, not of customers.
 * Never: fits.
 */
#ifndef RETENTION_CLV_VALIDATION_H
#define RETENTION_CLV_VALIDATION_H

#include "clv/clv.h"
#include "clv/clv_data.h"
#include "utils/date.h"

/* A model and data, ready to be compared. */
typedef struct Validation
{
	ClvPredictor *predictor;
	bool		known;			/* the model has parameters */
	ClvDataContent data;
} Validation;

/* 22023 unless the model is one in continuous time. */
extern void validation_open(Validation *validation, const ClvModelValue *model,
							const ClvData *data);

/* ---------- tracking ---------- */

typedef struct TrackingPeriod
{
	DateADT		until;			/* its last day */
	int64		actual;			/* repeat purchases until then */
	double		expected;
} TrackingPeriod;

/* In the order of calendar periods, which are named as everywhere: 'day' .. 'year'. */
typedef enum TrackingStep
{
	TRACK_DAY, TRACK_WEEK, TRACK_MONTH, TRACK_QUARTER, TRACK_YEAR
} TrackingStep;

extern const char *const tracking_steps[];

/*
 * The periods that had wholly ended at as_of, counted from the earliest first
 * day; returns how many.
 */
extern int	validation_tracking(const Validation *validation, TrackingStep step,
								TrackingPeriod **periods);

/* How many there would be. */
extern int	validation_periods(const Validation *validation, TrackingStep step);

/* ---------- by frequency ---------- */

typedef struct FrequencyClass
{
	int64		customers;		/* with that many repeat purchases in calibration */
	double		expected;		/* customers */
	int64		holdout;		/* their purchases in the holdout */
	double		holdout_expected;
} FrequencyClass;

/*
 * The customers by frequency; the last class is "so many or more", there are
 * up_to + 1.  The other two fill in what is expected of them.
 */
extern FrequencyClass *validation_classes(const Validation *validation, int up_to);
extern void validation_frequencies(const Validation *validation, int up_to,
								   FrequencyClass *classes);
extern void validation_holdout(const Validation *validation, int up_to,
							   FrequencyClass *classes);

/* Whether there was a holdout: of one of no days nothing is known. */
static inline bool
validation_has_holdout(const Validation *validation)
{
	return validation->data.as_of > validation->data.calibration_end;
}

#define UP_TO_DEFAULT	7
#define UP_TO_MAX		1000

#endif							/* RETENTION_CLV_VALIDATION_H */
