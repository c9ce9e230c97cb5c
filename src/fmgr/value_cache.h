/*
 * value_cache.h
 *	  What a call site has made of the last values that it was passed.
 *
 * To make a model or a curve ready costs as much as hundreds of answers, and rows
 * may bring several in turn, say one a country: a call site remembers some of
 * them, in its fn_extra, the oldest being forgotten first.
 *
 * A value may have megabytes, so that to detoast or to compare it at each row
 * would cost more than the answer.  So it is recognised
 *	- where it lies out of line, by its toast pointer (a pointer is not given to
 *	  another value while somebody can see the old one);
 *	- where it is compressed in line, by its few compressed bytes;
 *	- else by its length and its key, which is all of its bytes or a digest.
 *
 * Ownership: everything of a value lives in its context, a child of the call
 * site's, and goes with it.
 * Never: is needed: what a call site remembers may be lost after any row.
 */
#ifndef RETENTION_VALUE_CACHE_H
#define RETENTION_VALUE_CACHE_H

#include "retention.h"
#include "access/detoast.h"

/* The head of what is remembered of a value. */
typedef struct CachedValue
{
	MemoryContext context;
	/* how it is recognised */
	Size		len;			/* of its bytes */
	char	   *key;
	char	   *image;			/* as it lay last */
	Size		image_size;
	Size		image_room;
} CachedValue;

/* So many values in turn are cheap. */
#define VALUE_CACHE_MAX 16

typedef struct ValueCache
{
	int			n;
	int			most;
	bool		warned;			/* for the user: of a value of this call site */
	CachedValue *values[VALUE_CACHE_MAX];
} ValueCache;

extern ValueCache *value_cache_create(FunctionCallInfo fcinfo, int most);

/* That of a call site; "most": how many values it remembers. */
static inline ValueCache *
value_cache_of(FunctionCallInfo fcinfo, int most)
{
	ValueCache *cache = fcinfo->flinfo->fn_extra;

	return likely(cache != NULL) ? cache : value_cache_create(fcinfo, most);
}

/* Can a datum be told from others by these bytes, without detoasting it? */
static inline bool
value_has_image(const struct varlena *datum)
{
	return VARATT_IS_EXTERNAL_ONDISK(datum) || VARATT_IS_COMPRESSED(datum);
}

/* The value that a datum is, as it lies; NULL if it was not met so. */
static inline CachedValue *
value_cache_by_image(const ValueCache *cache, const struct varlena *datum)
{
	if (value_has_image(datum))
		for (int i = 0; i < cache->n; i++)
			if (cache->values[i]->image_size == VARSIZE_ANY(datum) &&
				memcmp(cache->values[i]->image, datum, VARSIZE_ANY(datum)) == 0)
				return cache->values[i];
	return NULL;
}

/* The value of a length and a key, all of whose keys are as long; NULL if it was not met. */
static inline CachedValue *
value_cache_by_key(const ValueCache *cache, Size len, const void *key, Size key_len)
{
	for (int i = 0; i < cache->n; i++)
		if (cache->values[i]->len == len && memcmp(cache->values[i]->key, key, key_len) == 0)
			return cache->values[i];
	return NULL;
}

/*
 * To add a value: begin with a head of "size" bytes, the rest of it zeros, in a
 * new child of the call site's context, fill it in, and put it.  An error in
 * between leaves no trace of it.
 */
extern CachedValue *value_cache_begin(ValueCache *cache, MemoryContext context, Size size);
extern void value_cache_put(ValueCache *cache, CachedValue *value, Size len, const void *key,
							Size key_len);

/* Have it recognised next time by how the datum lies. */
extern void value_cache_remember_image(CachedValue *value, const struct varlena *datum);

#endif							/* RETENTION_VALUE_CACHE_H */
