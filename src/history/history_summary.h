/*
 * history_summary.h
 *	  What the days of a customer_history up to a day come to.
 *
 * Promises: exact; days after as_of change nothing.
 * Never: knows of models, units or scores.
 */
#ifndef RETENTION_HISTORY_SUMMARY_H
#define RETENTION_HISTORY_SUMMARY_H

#include "history/history.h"
#include "utils/date.h"

typedef struct HistorySummary
{
	int64		days;			/* active ones; 0: no first and last */
	DateADT		first;
	DateADT		last;
	int64		paid_days;		/* after the first, with an amount */
	Amount		repeat;			/* sum of those amounts, and of what moved after them */
	Amount		total;			/* of all days, also those of money alone */
} HistorySummary;

extern HistorySummary history_summarize(const CustomerHistory *history, DateADT as_of);

#endif							/* RETENTION_HISTORY_SUMMARY_H */
