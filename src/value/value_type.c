/*
 * value_type.c
 *	  Input, output, equality and hashing of a value that is its own bytes.
 *
 * Promises: see value_type.h.
 */
#include "value/value_type.h"

#include "common/base64.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"

Datum
value_in(FunctionCallInfo fcinfo, const char *type, ValueCheck check, const char *maker)
{
	char	   *text = PG_GETARG_CSTRING(0);
	int			text_len = strlen(text);
	int			max = pg_b64_dec_len(text_len);
	struct varlena *value = palloc(VARHDRSZ + max + 1);
	int			len = pg_b64_decode(text, text_len, RETENTION_B64_BINARY(VARDATA(value)), max);
	const char *wrong = len < 0 ? "base64" : check(VARDATA(value), len);

	if (wrong != NULL)
		retention_ereturn(RETENTION_ESCONTEXT(fcinfo), (Datum) 0,
						  (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						   errmsg("invalid input syntax for type %s: wrong %s", type, wrong),
						   errhint("A %s is made by %s; its text form is only for copying.",
								   type, maker)));
	SET_VARSIZE(value, VARHDRSZ + len);
	PG_RETURN_POINTER(value);
}

Datum
value_out(FunctionCallInfo fcinfo, const char *type, ValueTidy tidy)
{
	struct varlena *value = tidy(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)));
	int			len = VARSIZE_ANY_EXHDR(value);
	int			max = pg_b64_enc_len(len);
	char	   *text = palloc(max + 1);
	int			written = pg_b64_encode(RETENTION_B64_BINARY(VARDATA_ANY(value)), len, text, max);

	if (written < 0)
		elog(ERROR, "could not encode %s", type);
	text[written] = '\0';
	PG_RETURN_CSTRING(text);
}

Datum
value_recv(FunctionCallInfo fcinfo, const char *type, ValueCheck check)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len = buf->len - buf->cursor;
	const char *data = pq_getmsgbytes(buf, len);
	const char *wrong = check(data, len);
	struct varlena *value;

	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary %s: wrong %s", type, wrong)));
	value = palloc(VARHDRSZ + len);
	SET_VARSIZE(value, VARHDRSZ + len);
	memcpy(VARDATA(value), data, len);
	PG_RETURN_POINTER(value);
}

Datum
value_send(FunctionCallInfo fcinfo, ValueTidy tidy)
{
	struct varlena *value = tidy(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)));
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbytes(&buf, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

bool
value_equal(FunctionCallInfo fcinfo, ValueTidy tidy)
{
	struct varlena *a = tidy(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)));
	struct varlena *b = tidy(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(1)));

	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

Datum
value_hash(FunctionCallInfo fcinfo, ValueTidy tidy)
{
	struct varlena *value = tidy(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)));

	return hash_any((unsigned char *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

Datum
value_hash_extended(FunctionCallInfo fcinfo, ValueTidy tidy)
{
	struct varlena *value = tidy(PG_DETOAST_DATUM_PACKED(PG_GETARG_DATUM(0)));

	return hash_any_extended((unsigned char *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value),
							 PG_GETARG_INT64(1));
}
