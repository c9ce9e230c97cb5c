/*
 * churn.h
 *	  The churn_model value: what was fitted, to which features, and how well it
 *	  went.
 *
 * A feature is a column as the user knows it; design columns are what a model
 * sees: a number as it is, an indicator of a NULL, an indicator of each level of
 * a text but its base.  A raw row has one double a feature (see below); its
 * design row one a column.
 *
 * Promises: everything read from a value was checked on its way in; the same
 * features give the same bits of score, in training and afterwards.
 * Never: reads a clock or a setting.
 */
#ifndef RETENTION_CHURN_H
#define RETENTION_CHURN_H

#include "retention.h"
#include "models/classifier/boost.h"
#include "models/classifier/logistic.h"
#include "models/survival/kaplan_meier.h"
#include "utils/date.h"
#include "value/value_type.h"

typedef struct varlena ChurnModelValue;

extern const ValueType churn_model_type;

#define PG_GETARG_CHURN_MODEL_PP(n) ((ChurnModelValue *) value_get(fcinfo, n, &churn_model_type))

#define CHURN_FEATURES_MAX	1600	/* as many as a table has columns */
#define CHURN_COLUMNS_MAX	4000	/* design columns */
#define CHURN_LEVELS_MAX	255 /* of a text that are told apart; the rest are pooled */

/* Stored in values: never renumbered. */
typedef enum ChurnMethod
{
	CHURN_LOGISTIC = 1,
	CHURN_BOOST = 2,
	CHURN_GAP = 3				/* survival of the gaps between purchases; histories only */
} ChurnMethod;

#define CHURN_METHOD_LAST CHURN_GAP

typedef enum ChurnStatus
{
	CHURN_CONVERGED = 0,
	CHURN_SEPARATED = 1,		/* the rest: converged = false, see churn_status_text() */
	CHURN_DEPENDENT = 2,
	CHURN_STOPPED = 3,
	CHURN_NO_LABELS = 4,		/* no row with a known outcome: no scores */
	CHURN_ONE_CLASS = 5,		/* all outcomes are alike: no scores */
	CHURN_FEW_ROWS = 6			/* more design columns than rows: the penalty alone decides */
} ChurnStatus;

#define CHURN_STATUS_LAST CHURN_FEW_ROWS

typedef enum ChurnMissing
{
	CHURN_MISSING_MEAN = 0,		/* the mean, and an indicator */
	CHURN_MISSING_SKIP = 1,		/* the row neither trains nor gets a score */
	CHURN_MISSING_ERROR = 2
} ChurnMissing;

/* What a model is asked of. */
typedef enum ChurnInput
{
	CHURN_ARRAY = 0,			/* float8[], by position */
	CHURN_RECORD = 1,			/* composite, by name */
	CHURN_HISTORY = 2			/* customer_history, by its own features */
} ChurnInput;

struct Classifier;				/* churn_classifier.h */

/* Options of a fit, as given in jsonb (churn_options.c). */
typedef struct ChurnOptions
{
	const struct Classifier *classifier;
	double		lambda;			/* logistic: on standardised columns; boost: of leaves */
	ChurnMissing missing;
	BoostParams boost;
	int64		rare;			/* levels of fewer training rows are pooled */
	int			nnames;			/* of an array's features, in order */
	char	  **names;
	int			nexclude;		/* features of a record that are left out */
	char	  **exclude;
} ChurnOptions;

/*
 * NULL for the defaults.  22023: an unknown option, one that the method does not
 * know, a value out of range; 42804 a type.
 */
struct varlena;
extern void churn_options_parse(const struct varlena *jsonb, ChurnInput input,
								ChurnOptions *options);

/* ---------- features ---------- */

typedef enum FeatureKind
{
	FEATURE_NUMBER = 0,
	FEATURE_BOOLEAN = 1,		/* 0, 1 */
	FEATURE_CATEGORY = 2		/* text and enums */
} FeatureKind;

/* Raw values: numbers and booleans as they are, NaN for NULL; of categories: */
#define LEVEL_OTHER		(-1.0)	/* pooled, or one that training has not met */
/* 0 .. nlevels - 1: a level; NaN: NULL */

typedef struct ChurnFeature
{
	char	   *name;
	FeatureKind kind;
	double		mean;			/* of numbers: what NULL stands for; over rows that know it */
	bool		missing;		/* has an indicator of NULL: training met some */
	bool		other;			/* has an indicator of LEVEL_OTHER: levels were pooled */
	int			nlevels;		/* levels[0] is the base: the most frequent, of equals the first by
								 * bytes; the others by bytes in the encoding of the fit */
	char	  **levels;
	int		   *by_bytes;		/* levels 1 .. in order, from 1, where a model of another encoding
								 * has them in another; else NULL */
	int			first_column;	/* its design columns: value or levels 1 .., other, missing */
	int			columns;
} ChurnFeature;

/* Where training has met no other level, LEVEL_OTHER is the mean of all rows. */

typedef struct ChurnColumn
{
	int			feature;
	int			level;			/* of a category: >= 1; else one of these */
#define COLUMN_VALUE	(-1)
#define COLUMN_OTHER	(-2)
#define COLUMN_MISSING	(-3)
} ChurnColumn;

/* ---------- the model ---------- */

typedef struct ChurnModel
{
	const struct Classifier *classifier;
	ChurnStatus status;
	ChurnMissing missing;
	ChurnInput	input;
	int			nfeatures;
	ChurnFeature *features;
	int			ncolumns;
	ChurnColumn *columns;
	double	   *column_means;	/* of the training rows, weighted */

	int64		rows;			/* that trained */
	int64		positives;		/* of these */
	int64		unlabelled;		/* outcome NULL */
	int64		skipped;		/* a NULL feature, or a weight that is NULL or 0 */
	double		weight;			/* sum; rows where all are 1 */
	double		positive_weight;

	/* logistic */
	double		lambda;
	LogisticTerm *terms;		/* ncolumns + 1 */
	LogisticFit fit;

	/* boost */
	BoostParams params;
	BoostModel	boost;
	double		log_loss;		/* of the training rows */

	/* histories */
	DateADT		as_of;			/* what was known then trained, until ... */
	DateADT		until;			/* ... the outcomes were seen: as_of of the scores */
	int32		horizon;		/* days */
	bool		amounts;		/* spend is a feature */

	/* gap: steps of survival, days ascending */
	int			ngaps;
	KmPoint    *gaps;			/* time, at_risk, events, censored and survival are kept */
} ChurnModel;

/* In the current memory context. */
extern ChurnModelValue *churn_model_pack(const ChurnModel *model);
extern ChurnModel *churn_model_unpack(const ChurnModelValue *value);

/* NULL, or what is wrong with the bytes. */
extern const char *churn_model_check(const char *data, Size len);

extern const char *churn_status_name(ChurnStatus status);	/* 'converged', 'separation', ... */

/* What it means, for people, and what to do: the text of a WARNING. */
extern char *churn_status_text(const ChurnModel *model);

/* True if customers can be scored by it. */
extern bool churn_model_scores(const ChurnModel *model);

/* ---------- scoring (churn_predict.c) ---------- */

/* The design row of a raw row: ncolumns doubles. */
extern void churn_design(const ChurnModel *model, const double *raw, double *x);

/*
 * Log-odds.  False where there is none: the model has no scores, or a NULL is to
 * be skipped.  22004 where missing = error.  x: room for ncolumns.  Of methods with features.
 */
extern bool churn_log_odds(const ChurnModel *model, const double *raw, double *x, double *eta);

/*
 * Contributions of the features, nfeatures; returns the baseline.  baseline +
 * contributions = churn_log_odds(): whatever rounding is left is in the
 * baseline.
 */
extern double churn_contributions(const ChurnModel *model, const double *raw, double *x,
								  double *contributions);

#endif							/* RETENTION_CHURN_H */
