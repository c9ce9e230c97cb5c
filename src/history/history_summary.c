/*
 * history_summary.c
 *	  What the days of a customer_history up to a day come to.
 *
 * Promises, never: see history_summary.h.
 */
#include "history/history_summary.h"

#include "utils/date.h"

HistorySummary
history_summarize(const CustomerHistory *history, DateADT as_of)
{
	HistoryCharged charged;
	HistorySummary summary = {0};

	summary.repeat = amount_none();
	history_charged_open(&charged, history, as_of);
	summary.total = charged.before;
	while (history_charged_day(&charged))
	{
		const HistoryDay *day = &charged.day;
		bool		paid = day->amount.scale != AMOUNT_NONE;

		if (summary.days++ == 0)
			summary.first = day->day;
		else if (paid)
		{
			summary.paid_days++;
			summary.repeat = amount_add(&summary.repeat, &day->amount);
		}
		if (paid)
			summary.total = amount_add(&summary.total, &day->amount);
		summary.last = day->day;
	}
	return summary;
}
