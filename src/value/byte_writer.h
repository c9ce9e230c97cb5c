/*
 * byte_writer.h
 *	  Writing the bytes of a value: the counterpart of byte_reader.h.
 *
 * The bytes are gathered in a StringInfo that begins with the header of a
 * varlena, and is the value in the end.
 *
 * Promises: what is written is what byte_reader.h accepts; equal values have
 * equal bytes.
 * Never: follows the order of a machine's bytes, or a setting.
 */
#ifndef RETENTION_BYTE_WRITER_H
#define RETENTION_BYTE_WRITER_H

#include "retention.h"
#include "lib/stringinfo.h"
#include "port/pg_bswap.h"
#include "value/amount.h"
#include "value/value_type.h"
#include "value/varint.h"

/* Room for as many bytes as there will be saves growing; more may come. */
static inline void
writer_begin(StringInfo buf, Size room, uint8 version, uint8 flags)
{
	buf->maxlen = (int) (VARHDRSZ + VALUE_PREFIX + room + VARINT_MAX_BYTES);
	buf->data = palloc(buf->maxlen);
	buf->cursor = 0;
	buf->len = VARHDRSZ;
	buf->data[buf->len++] = (char) version;
	buf->data[buf->len++] = (char) flags;
}

static inline struct varlena *
writer_finish(StringInfo buf)
{
	SET_VARSIZE(buf->data, buf->len);
	return (struct varlena *) buf->data;
}

static inline void
writer_byte(StringInfo buf, uint8 value)
{
	appendStringInfoCharMacro(buf, (char) value);
}

static inline void
writer_uint(StringInfo buf, uint64 value)
{
	varint_append(buf, value);
}

static inline void
writer_int(StringInfo buf, int64 value)
{
	varint_append(buf, zigzag(value));
}

/* Of NaN and zero, the form that is written. */
extern double writer_one_form(double value);

static inline void
writer_double(StringInfo buf, double value)
{
	uint64		bits;

	/* written so that NaN is among them */
	if (unlikely(!(value < 0 || value > 0)))
		value = writer_one_form(value);
	memcpy(&bits, &value, sizeof(bits));
#ifdef WORDS_BIGENDIAN
	bits = pg_bswap64(bits);
#endif
	if (unlikely(buf->maxlen - buf->len <= (int) sizeof(bits)))
		enlargeStringInfo(buf, sizeof(bits));
	memcpy(buf->data + buf->len, &bits, sizeof(bits));
	buf->len += sizeof(bits);
	buf->data[buf->len] = '\0';
}

/* Of UTF-8. */
extern void writer_text(StringInfo buf, const char *text);

/* Of the server's encoding. */
extern void writer_server_text(StringInfo buf, const char *text);

/* A number of labels and the labels, which are UTF-8. */
extern void writer_labels(StringInfo buf, int n, char *const *labels);

/* "scale" is the largest of the amounts of the value: writer_scale(). */
extern void writer_amount(StringInfo buf, const Amount *amount, int32 scale);

/* The larger of a scale and an amount's; AMOUNT_NONE where there is none. */
extern int32 writer_scale(int32 scale, const Amount *amount);

#endif							/* RETENTION_BYTE_WRITER_H */
