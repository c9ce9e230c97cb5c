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
