/*
 * value_type.c
 *	  Input, output, equality, hashing and sums of a value that is its own bytes.
 *
 * Promises: see value_type.h.
 */
#include "value/value_type.h"

#include "common/base64.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "value/rollup.h"

/* ---------- sums ---------- */

Datum
value_rollup(FunctionCallInfo fcinfo, const ValueType *type)
{
	return rollup_trans(fcinfo, type);
}

Datum
value_rollup_final(FunctionCallInfo fcinfo, const ValueType *type)
{
	return rollup_final(fcinfo, type);
}

Datum
value_add(FunctionCallInfo fcinfo, const ValueType *type)
{
	if (PG_ARGISNULL(0) && PG_ARGISNULL(1))
		PG_RETURN_NULL();
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(value_get(fcinfo, 0, type));
	if (PG_ARGISNULL(0))
		PG_RETURN_POINTER(value_get(fcinfo, 1, type));
	PG_RETURN_POINTER(type->add(value_get(fcinfo, 0, type), value_get(fcinfo, 1, type)));
}

/* ---------- in and out ---------- */

Datum
value_in(FunctionCallInfo fcinfo, const ValueType *type)
{
	char	   *text = PG_GETARG_CSTRING(0);
	int			text_len = strlen(text);
	int			max = pg_b64_dec_len(text_len);
	struct varlena *value = palloc(VARHDRSZ + max + 1);
	int			len = pg_b64_decode(text, text_len, RETENTION_B64_BINARY(VARDATA(value)), max);
	const char *wrong = len < 0 ? "base64" : type->check(VARDATA(value), len);

	if (wrong != NULL)
		retention_ereturn(RETENTION_ESCONTEXT(fcinfo), (Datum) 0,
						  (errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
						   errmsg("invalid input syntax for type %s: wrong %s", type->name, wrong),
						   errhint("A %s is made by %s; its text form is only for copying.",
								   type->name, type->maker)));
	SET_VARSIZE(value, VARHDRSZ + len);
	PG_RETURN_POINTER(value);
}

Datum
value_out(FunctionCallInfo fcinfo, const ValueType *type)
{
	struct varlena *value = value_get(fcinfo, 0, type);
	int			len = VARSIZE_ANY_EXHDR(value);
	int			max = pg_b64_enc_len(len);
	char	   *text = palloc(max + 1);
	int			written = pg_b64_encode(RETENTION_B64_BINARY(VARDATA_ANY(value)), len, text, max);

	if (written < 0)
		elog(ERROR, "could not encode %s", type->name);
	text[written] = '\0';
	PG_RETURN_CSTRING(text);
}

Datum
value_recv(FunctionCallInfo fcinfo, const ValueType *type)
{
	StringInfo	buf = (StringInfo) PG_GETARG_POINTER(0);
	int			len = buf->len - buf->cursor;
	const char *data = pq_getmsgbytes(buf, len);
	const char *wrong = type->check(data, len);
	struct varlena *value;

	if (wrong != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary %s: wrong %s", type->name, wrong)));
	value = palloc(VARHDRSZ + len);
	SET_VARSIZE(value, VARHDRSZ + len);
	memcpy(VARDATA(value), data, len);
	PG_RETURN_POINTER(value);
}

Datum
value_send(FunctionCallInfo fcinfo, const ValueType *type)
{
	struct varlena *value = value_get(fcinfo, 0, type);
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendbytes(&buf, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

/* ---------- equality ---------- */

bool
value_equal(FunctionCallInfo fcinfo, const ValueType *type)
{
	struct varlena *a = value_get(fcinfo, 0, type);
	struct varlena *b = value_get(fcinfo, 1, type);

	return VARSIZE_ANY_EXHDR(a) == VARSIZE_ANY_EXHDR(b) &&
		memcmp(VARDATA_ANY(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(a)) == 0;
}

Datum
value_hash(FunctionCallInfo fcinfo, const ValueType *type)
{
	struct varlena *value = value_get(fcinfo, 0, type);

	return hash_any((unsigned char *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
}

Datum
value_hash_extended(FunctionCallInfo fcinfo, const ValueType *type)
{
	struct varlena *value = value_get(fcinfo, 0, type);

	return hash_any_extended((unsigned char *) VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value),
							 PG_GETARG_INT64(1));
}
