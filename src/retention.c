/*
 * retention.c
 *	  Module magic, and the validators that more than one capability needs.
 *
 * Promises: every message names the offending value and what would be right.
 * Never: touches an aggregate's state or reads a setting.
 */
#include "retention.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "utils/tuplestore.h"

RETENTION_MODULE_MAGIC;

int
retention_word_index(const char *word, int len, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++)
	{
		if (strlen(words[i]) == (size_t) len &&
			pg_strncasecmp(words[i], word, len) == 0)
			return i;
	}
	return -1;
}

void
retention_put_row(FunctionCallInfo fcinfo, Datum *values, bool *nulls)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;

	CHECK_FOR_INTERRUPTS();
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

void
retention_check_confidence(double confidence)
{
	/* written so that NaN fails */
	if (!(confidence > 0 && confidence < 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("confidence must be between 0 and 1, not %g", confidence),
				 errhint("Write 0.95 for a 95%% interval.")));
}
