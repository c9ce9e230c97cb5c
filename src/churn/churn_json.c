/*
 * churn_json.c
 *	  Numbers and flags of a model as JSON.
 */
#include "churn/churn_json.h"

#include <math.h>

#include "common/shortest_dec.h"

char *
churn_number_text(double value)
{
	char	   *text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);

	double_to_shortest_decimal_buf(value, text);
	return text;
}

void
churn_put_number(StringInfo buf, const char *key, double value)
{
	appendStringInfo(buf, ",\"%s\":%s", key,
					 isfinite(value) ? churn_number_text(value) : "null");
}

void
churn_put_flag(StringInfo buf, const char *key, bool value)
{
	appendStringInfo(buf, ",\"%s\":%s", key, value ? "true" : "false");
}
