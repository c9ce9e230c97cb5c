/*
 * value_cache.c
 *	  What a call site has made of the last values that it was passed.
 *
 * Ownership, never: see value_cache.h.
 */
#include "fmgr/value_cache.h"

#include "utils/memutils.h"

ValueCache *
value_cache_create(FunctionCallInfo fcinfo, int most)
{
	ValueCache *cache = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(ValueCache));

	Assert(most > 0 && most <= VALUE_CACHE_MAX);
	cache->most = most;
	fcinfo->flinfo->fn_extra = cache;
	return cache;
}

CachedValue *
value_cache_begin(ValueCache *cache, MemoryContext context, Size size)
{
	CachedValue *value;

	/* first, for a value and its successor may both be large */
	if (cache->n == cache->most)
	{
		MemoryContext oldest = cache->values[0]->context;

		cache->n--;
		memmove(&cache->values[0], &cache->values[1], sizeof(CachedValue *) * cache->n);
		MemoryContextDelete(oldest);
	}
	value = MemoryContextAllocZero(context, size);
	value->context = context;
	return value;
}

void
value_cache_put(ValueCache *cache, CachedValue *value, Size len, const void *key, Size key_len)
{
	Assert(cache->n < cache->most);
	value->len = len;
	value->key = MemoryContextAllocHuge(value->context, Max(key_len, 1));
	memcpy(value->key, key, key_len);
	cache->values[cache->n++] = value;
}

void
value_cache_remember_image(CachedValue *value, const struct varlena *datum)
{
	Size		size = VARSIZE_ANY(datum);

	if (!value_has_image(datum))
		return;
	if (size > value->image_room)
	{
		value->image = MemoryContextAlloc(value->context, size);
		value->image_room = size;
	}
	memcpy(value->image, datum, size);
	value->image_size = size;
}
