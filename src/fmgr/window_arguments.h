/*
 * window_arguments.h
 *	  Arguments of window functions that read their whole partition at its first
 *	  row.
 *
 * Some arguments belong to the partition: the first row's are taken, and those
 * that are no constants of the query may be watched in all other rows.
 *
 * Promises: errors name the argument.
 * Never: keeps a row: what is read of one is good until the next is read, a type
 * passed by reference until another argument is, unless it was copied.
 */
#ifndef RETENTION_WINDOW_ARGUMENTS_H
#define RETENTION_WINDOW_ARGUMENTS_H

#include "retention.h"
#include "fmgr/as_of.h"
#include "windowapi.h"

/* Of row "row" of the partition, from 0. */
static inline Datum
window_row_argument(WindowObject winobj, int arg, int64 row, bool *isnull)
{
	bool		isout;

	return WinGetFuncArgInPartition(winobj, arg, row, WINDOW_SEEK_HEAD, false, isnull, &isout);
}

static inline NullableDatum
window_row_nullable(WindowObject winobj, int arg, int64 row)
{
	NullableDatum datum;

	datum.value = window_row_argument(winobj, arg, row, &datum.isnull);
	return datum;
}

static inline Datum
window_first_argument(WindowObject winobj, int arg, bool *isnull)
{
	return window_row_argument(winobj, arg, 0, isnull);
}

/* The first row's; 22004 if it is NULL. */
extern Datum window_required_argument(WindowObject winobj, int arg, const char *name);

/* as_of of a row; see argument_as_of(). */
extern AsOf window_as_of(FunctionCallInfo fcinfo, WindowObject winobj, int arg, int64 row,
						 Oid type, const char *hint);

/* ---------- what must be the same in all rows of a partition ---------- */

#define WATCHED_MAX		8

/* A parameter that is no constant of the query, as it is in the first row. */
typedef struct WatchedArgument
{
	int			arg;
	const char *name;
	int16		typlen;
	bool		typbyval;
	bool		isnull;
	Datum		first;
} WatchedArgument;

typedef struct WatchedArguments
{
	const char *hint;			/* what to do where one differs */
	int			n;
	WatchedArgument items[WATCHED_MAX];
} WatchedArguments;

/* In the current memory context; nothing to watch of a constant. */
extern void window_watch(FunctionCallInfo fcinfo, WindowObject winobj, WatchedArguments *list,
						 int arg, const char *name);

/* 22023 if a parameter is not what it was in the first row. */
extern void window_check_watched(WindowObject winobj, const WatchedArguments *list, int64 row);

extern void window_differ_error(const char *name, const char *hint);

#endif							/* RETENTION_WINDOW_ARGUMENTS_H */
