/*
 * notice.h
 *	  Whether something that is said once a call site has been said.
 *
 * For final functions and accessors that would else repeat it for every group.
 * Promises: true the first time that a call site of a query asks, then false.
 * Never: says anything itself.  The memory of it is the call's fn_extra, which
 * must be free: where a distributed plan looks a function up anew in each row,
 * it is said again.
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

#endif							/* RETENTION_NOTICE_H */
