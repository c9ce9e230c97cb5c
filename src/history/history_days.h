/*
 * history_days.h
 *	  The days of a customer_history as an array, read all at once.
 *
 * For those who ask the same history more than once in a row of a query, or walk
 * it from its end: the last history that was read is remembered, in the process,
 * with its bytes, by which it is known again.
 *
 * Promises: the days that history_reader_read_dates() gives, in the same order.
 * Never: looks at events or amounts; keeps a long history.
 */
#ifndef RETENTION_HISTORY_DAYS_H
#define RETENTION_HISTORY_DAYS_H

#include "history/history.h"
#include "utils/date.h"

typedef struct DayList
{
	const DateADT *days;		/* ascending */
	int64		n;
	uint64		serial;			/* another one whenever the days may be others; 0: unknown */
} DayList;

/* Good until the next call, or as long as the current memory context. */
extern DayList day_list_of(const CustomerHistory *history);

#endif							/* RETENTION_HISTORY_DAYS_H */
