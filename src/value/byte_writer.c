/*
 * byte_writer.c
 *	  Writing the bytes of a value: what is not in line.
 *
 * The promises are in byte_writer.h.
 */
#include "value/byte_writer.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
#include "value/byte_reader.h"

double
writer_one_form(double value)
{
	return isnan(value) ? get_float8_nan() : value == 0 ? 0 : value;
}

void
writer_text(StringInfo buf, const char *text)
{
	int			len = strlen(text);

	varint_append(buf, len);
	appendBinaryStringInfo(buf, text, len);
}

void
writer_server_text(StringInfo buf, const char *text)
{
	writer_text(buf, pg_server_to_any(text, strlen(text), PG_UTF8));
}

void
writer_labels(StringInfo buf, int n, char *const *labels)
{
	varint_append(buf, n);
	for (int i = 0; i < n; i++)
		writer_text(buf, labels[i]);
}

int32
writer_scale(int32 scale, const Amount *amount)
{
	if (amount->big != NULL)
		return Max(scale, DatumGetInt32(DirectFunctionCall1(numeric_scale,
															NumericGetDatum(amount->big))));
	return Max(scale, amount->scale);
}

void
writer_amount(StringInfo buf, const Amount *amount, int32 scale)
{
	bytea	   *sent;

	if (amount->scale == AMOUNT_NONE)
		varint_append(buf, AMOUNT_CODE_NONE);
	else if (amount->big != NULL)
	{
		sent = DatumGetByteaPP(DirectFunctionCall1(numeric_send, NumericGetDatum(amount->big)));
		varint_append(buf, AMOUNT_CODE_BIG);
		varint_append(buf, VARSIZE_ANY_EXHDR(sent));
		appendBinaryStringInfo(buf, VARDATA_ANY(sent), VARSIZE_ANY_EXHDR(sent));
	}
	else if (amount->scale == scale)
		varint_append(buf, zigzag(amount->value) << 1);
	else
	{
		varint_append(buf, AMOUNT_CODE_SCALED);
		varint_append(buf, amount->scale);
		varint_append(buf, zigzag(amount->value));
	}
}
