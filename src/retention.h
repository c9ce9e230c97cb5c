/*
 * retention.h
 *	  What every room of the house shares: the version and the error helpers.
 *
 * Promises: no state of its own, no dependency on any capability.
 * Never: knowledge of cohorts, histories or models.
 */
#ifndef RETENTION_H
#define RETENTION_H

#include "compat.h"

/*
 * The SQL side passes short option words (measures, periods).  They are
 * compared without regard to case, as date_trunc does with its units.
 * Returns the index of the word in the NULL-terminated list, or -1.
 */
extern int	retention_word_index(const char *word, int len,
								 const char *const *words);

#endif							/* RETENTION_H */
