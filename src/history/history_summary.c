/*
 * history_summary.c
 *	  What the days of a customer_history up to a day come to.
 *
 * Promises, never: see history_summary.h.
 */
#include "history/history_summary.h"

HistorySummary
history_summarize(const CustomerHistory *history, DateADT as_of)
{
	HistoryReader reader;
	HistorySummary summary = {0};

	summary.repeat = summary.total = amount_none();
	history_reader_open(&reader, history);
	while (history_reader_day(&reader) && reader.day.day <= as_of)
	{
		bool		paid = reader.day.amount.scale != AMOUNT_NONE;

		if (summary.days++ == 0)
			summary.first = reader.day.day;
		else if (paid)
		{
			summary.paid_days++;
			summary.repeat = amount_add(&summary.repeat, &reader.day.amount);
		}
		if (paid)
			summary.total = amount_add(&summary.total, &reader.day.amount);
		summary.last = reader.day.day;
	}
	return summary;
}
