/*
 * survival_arguments.h
 *	  Arguments of the functions that read a survival_table.
 *
 * Promises: errors name the argument and what was passed; a NULL option is its
 * default.
 * Never: knows what is done with them.
 */
#ifndef RETENTION_SURVIVAL_ARGUMENTS_H
#define RETENTION_SURVIVAL_ARGUMENTS_H

#include "survival/survival.h"
#include "models/survival/km_summary.h"

/* z of a confidence, 0.95 by default. */
extern double survival_z_argument(FunctionCallInfo fcinfo, int arg);

/* plain, log or log-log, which is the default. */
extern KmBand survival_band_argument(FunctionCallInfo fcinfo, int arg);

/* A time that is not negative; 22023. */
extern double survival_check_time(double time, const char *what);

/* The days of an interval, to be looked up in a table of such durations; 42804. */
extern double survival_days_argument(FunctionCallInfo fcinfo, int arg, DurationKind kind,
									 const char *what);

#endif							/* RETENTION_SURVIVAL_ARGUMENTS_H */
