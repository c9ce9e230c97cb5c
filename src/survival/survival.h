/*
 * survival.h
 *	  The survival_table value: who left when, tallied.
 *
 * Durations are kept as they came, in whole numbers where they are whole: bigint
 * as it is, an interval as microseconds (months of 30 days, as PostgreSQL
 * compares them), float8 as it is.  A table is a list of distinct rows with
 * their numbers, ascending: by group and stratum, then duration, entry, weight,
 * cause.  So tables add up exactly, and equal data have equal bytes.
 *
 * Promises: ties are exact; everything read from a value was checked.
 * Never: estimates anything; what estimates reads SurvivalTable.
 */
#ifndef RETENTION_SURVIVAL_H
#define RETENTION_SURVIVAL_H

#include "retention.h"
#include "models/survival/kaplan_meier.h"
#include "value/value_type.h"

typedef struct varlena SurvivalTableValue;

extern const ValueType survival_table_type;

#define PG_GETARG_SURVIVAL_TABLE_PP(n) \
	((SurvivalTableValue *) value_get(fcinfo, n, &survival_table_type))

/* Stored in values: never renumbered. */
typedef enum DurationKind
{
	DURATION_NONE = 0,			/* no rows, so no kind */
	DURATION_BIGINT = 1,
	DURATION_FLOAT = 2,
	DURATION_INTERVAL = 3		/* microseconds */
} DurationKind;

#define SURVIVAL_CENSORED 0

typedef struct SurvivalRow
{
	int32		group;			/* index into groups; 0 without */
	int32		stratum;		/* index into strata; 0 without */
	int64		whole;			/* duration, DURATION_BIGINT and _INTERVAL */
	double		real;			/* duration, always (of whole ones the nearest; intervals: days) */
	int64		entry_whole;	/* delayed entry, if the table has entries */
	double		entry_real;
	int32		cause;			/* SURVIVAL_CENSORED, or 1 + index into causes */
	double		weight;			/* 1 if the table has no weights */
	int64		count;			/* rows like this one */
} SurvivalRow;

typedef struct SurvivalTable
{
	DurationKind kind;
	bool		has_entry;
	bool		has_weight;
	bool		has_causes;		/* of competing causes; else cause 1 is the event */
	bool		has_groups;
	bool		has_strata;
	int			ngroups;		/* labels, in the order of label_compare() */
	char	  **groups;
	int			nstrata;
	char	  **strata;
	int			ncauses;
	char	  **causes;
	int64		n;
	SurvivalRow *rows;
} SurvivalTable;

/* In the current memory context; allows for interrupts. */
extern SurvivalTable *survival_unpack(const SurvivalTableValue *value);

/* NULL, or what is wrong with the bytes. */
extern const char *survival_check(const char *data, Size len);

/*
 * The Kaplan-Meier estimate of all rows of a value, whatever their group and
 * stratum; any cause is an event.
 */
typedef struct SurvivalCurve
{
	DurationKind kind;
	size_t		n;
	KmPoint    *points;			/* durations of intervals in days */
} SurvivalCurve;

extern void survival_estimate(const SurvivalTableValue *value, SurvivalCurve *curve);

extern double survival_interval_days(int64 microseconds);

#endif							/* RETENTION_SURVIVAL_H */
