/*
 * varint.h
 *	  LEB128 integers, the alphabet of every stored value.
 *
 * Seven bits a byte, low bits first, the top bit says that more follow.  Only
 * the shortest form is accepted, so that equal values have equal bytes.
 *
 * Never: reads past "end", or allocates.
 */
#ifndef RETENTION_VARINT_H
#define RETENTION_VARINT_H

#include "retention.h"
#include "lib/stringinfo.h"

#define VARINT_MAX_BYTES 10

static inline uint64
zigzag(int64 v)
{
	return ((uint64) v << 1) ^ (uint64) (v >> 63);
}

static inline int64
unzigzag(uint64 v)
{
	return (int64) (v >> 1) ^ -(int64) (v & 1);
}

/* Writes at most VARINT_MAX_BYTES bytes; returns their number. */
static inline int
varint_put(uint8 *to, uint64 value)
{
	int			n = 0;

	while (value >= 0x80)
	{
		to[n++] = (uint8) value | 0x80;
		value >>= 7;
	}
	to[n++] = (uint8) value;
	return n;
}

static inline void
varint_append(StringInfo buf, uint64 value)
{
	if (unlikely(buf->maxlen - buf->len <= VARINT_MAX_BYTES))
		enlargeStringInfo(buf, VARINT_MAX_BYTES);
	buf->len += varint_put((uint8 *) buf->data + buf->len, value);
	buf->data[buf->len] = '\0';
}

/* False when the bytes end, overflow 64 bits or are not the shortest form. */
static inline bool
varint_get(const uint8 **at, const uint8 *end, uint64 *value)
{
	const uint8 *p = *at;
	uint64		v = 0;

	for (int shift = 0; shift < 64 && p < end; shift += 7)
	{
		uint8		byte = *p++;

		if (shift == 63 && byte > 1)
			return false;
		v |= (uint64) (byte & 0x7f) << shift;
		if (byte < 0x80)
		{
			if (byte == 0 && shift > 0)
				return false;
			*at = p;
			*value = v;
			return true;
		}
	}
	return false;
}

#endif							/* RETENTION_VARINT_H */
