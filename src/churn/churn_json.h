/*
 * churn_json.h
 *	  Numbers and flags of a model as JSON.
 */
#ifndef RETENTION_CHURN_JSON_H
#define RETENTION_CHURN_JSON_H

#include "retention.h"
#include "lib/stringinfo.h"

/* As SQL prints it, in its shortest form whatever the settings. */
extern char *churn_number_text(double value);

/* ,"key":value; null where the number is not known */
extern void churn_put_number(StringInfo buf, const char *key, double value);
extern void churn_put_flag(StringInfo buf, const char *key, bool value);

#endif							/* RETENTION_CHURN_JSON_H */
