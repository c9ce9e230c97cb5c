/*
 * label.h
 *	  Short strings of bytes compared and hashed in line.
 *
 * Labels of segments are a few bytes long, and one or two are looked up in each
 * row: a call of memcmp() or of a general hash would cost more than this.
 *
 * Promises: reads no byte beyond the label.
 * Never: gives a hash that may be stored: it depends on the machine's byte order.
 */
#ifndef RETENTION_LABEL_H
#define RETENTION_LABEL_H

#include "retention.h"

static inline uint64
label_load64(const char *p)
{
	uint64		word;

	memcpy(&word, p, sizeof(word));
	return word;
}

static inline uint32
label_load32(const char *p)
{
	uint32		word;

	memcpy(&word, p, sizeof(word));
	return word;
}

/* Two labels of len bytes, at least one. */
static inline bool
label_bytes_equal(const char *a, const char *b, uint32 len)
{
	if (len >= 8)
	{
		for (uint32 i = 0; i + 8 <= len; i += 8)
			if (label_load64(a + i) != label_load64(b + i))
				return false;
		return label_load64(a + len - 8) == label_load64(b + len - 8);
	}
	if (len >= 4)
		return label_load32(a) == label_load32(b) &&
			label_load32(a + len - 4) == label_load32(b + len - 4);
	return a[0] == b[0] && a[len / 2] == b[len / 2] && a[len - 1] == b[len - 1];
}

/* Of at least one byte. */
static inline uint32
label_bytes_hash(const char *p, uint32 len)
{
	uint64		hash = len;

	if (len >= 8)
	{
		for (uint32 i = 0; i + 8 <= len; i += 8)
			hash = (hash ^ hash >> 32 ^ label_load64(p + i)) * UINT64CONST(0x9e3779b97f4a7c15);
		hash ^= hash >> 32 ^ label_load64(p + len - 8);
	}
	else if (len >= 4)
		hash ^= (uint64) label_load32(p) << 32 ^ label_load32(p + len - 4);
	else
		hash ^= (uint64) (uint8) p[0] << 24 ^ (uint64) (uint8) p[len / 2] << 16 ^
			(uint64) (uint8) p[len - 1] << 8;
	return (uint32) (hash * UINT64CONST(0xbf58476d1ce4e5b9) >> 32);
}

#endif							/* RETENTION_LABEL_H */
