/*
 * notice.c
 *	  What several capabilities tell in the same words.
 *
 * Promises, never: see notice.h.
 */
#include "fmgr/notice.h"

void
notice_nulls_left_out(int64 rows, const char *detail)
{
	ereport(NOTICE,
			(errmsg_plural("%lld row was left out because an argument is NULL",
						   "%lld rows were left out because an argument is NULL",
						   (unsigned long) rows, (long long) rows),
			 detail != NULL ? errdetail("%s", detail) : 0));
}
