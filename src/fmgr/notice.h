/*
 * notice.h
 *	  Whether something that is said once a call site has been said, and what is
 *	  said by several in the same words.
 *
 * For final functions and accessors that would else repeat it for every group.
 * Promises: true the first time that a call site of a query asks, then false.
 * The memory of it is the call's fn_extra, which must be free: where a distributed
 * plan looks a function up anew in each row, it is said again.
 * Never: counts what was left out.
 */
#ifndef RETENTION_NOTICE_H
#define RETENTION_NOTICE_H

#include "retention.h"

static inline bool
notice_once(FunctionCallInfo fcinfo)
{
	static const char said = 0;

	if (fcinfo->flinfo->fn_extra != NULL)
		return false;
	fcinfo->flinfo->fn_extra = unconstify(char *, &said);
	return true;
}

#define NOTICE_SUBJECTS		4

/*
 * The same of a call site that has several things to say, each once; "said" is an
 * array of its own, of 2^NOTICE_SUBJECTS bytes.
 */
static inline bool
notice_subject_once(FunctionCallInfo fcinfo, const char *said, int subject)
{
	Size		known = fcinfo->flinfo->fn_extra == NULL ? 0 :
	(const char *) fcinfo->flinfo->fn_extra - said;

	Assert(subject < NOTICE_SUBJECTS && known < (1 << NOTICE_SUBJECTS));
	if ((known & (1 << subject)) != 0)
		return false;
	fcinfo->flinfo->fn_extra = unconstify(char *, said + (known | (1 << subject)));
	return true;
}

/* Rows that a NULL argument kept out; "detail" may be NULL. */
extern void notice_nulls_left_out(int64 rows, const char *detail);

#endif							/* RETENTION_NOTICE_H */
