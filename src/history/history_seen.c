/*
 * history_seen.c
 *	  How far an as_of lies beyond everything that was seen of all customers.
 *
 * Promises, never: see history_seen.h.
 */
#include "history/history_seen.h"

#include "catalog/pg_type.h"
#include "fmgr/notice.h"
#include "utils/datetime.h"
#include "utils/json.h"

/* Purchase days that so long a silence should have had. */
static double
seen_expected(const Seen *seen, DateADT as_of)
{
	double		observed = (double) seen->last - seen->first + 1;

	return seen->days / observed * ((double) as_of - seen->last);
}

bool
seen_is_silent(const Seen *seen, DateADT as_of)
{
	int64		silence = (int64) as_of - seen->last;
	int64		gap = (int64) seen->last - seen->before;

	return seen->days > 0 && seen->later == 0 && silence >= SEEN_DAYS &&
		gap > 0 && silence > SEEN_GAPS * gap &&
		seen_expected(seen, as_of) >= SEEN_EXPECTED;
}

static char *
seen_day(DateADT day)
{
	char		text[MAXDATELEN + 1];

	JsonEncodeDateTime(text, DateADTGetDatum(day), DATEOID, NULL);
	return pstrdup(text);
}

void
seen_tell(FunctionCallInfo fcinfo, const Seen *seen, const DateADT *as_of, int64 nulls)
{
	bool		silent = as_of != NULL && seen_is_silent(seen, *as_of);

	if (likely(!silent && nulls == 0 && seen->without == 0) || !notice_once(fcinfo))
		return;
	if (nulls > 0)
		notice_nulls_left_out(nulls, NULL);
	if (seen->without > 0)
		ereport(NOTICE,
				(errmsg_plural("%lld customer was left out who has no purchase until as_of",
							   "%lld customers were left out who have no purchase until as_of",
							   (unsigned long) seen->without, (long long) seen->without)));
	if (silent)
		ereport(NOTICE,
				(errmsg("as_of lies %lld days after the latest purchase of anybody",
						(long long) *as_of - seen->last),
				 errdetail("as_of is %s, the latest purchase was on %s; at the rate until then, %.0f purchase days would have come since.",
						   seen_day(*as_of), seen_day(seen->last), seen_expected(seen, *as_of)),
				 errhint("Give the day until which the data are complete: where it is too late, customers seem to have left.")));
}
