/*
 * flat_hash.h
 *	  A template of hash tables that lie in one varlena, as transition states of
 *	  our types do; in the manner of lib/simplehash.h, but without a pointer.
 *
 * Open addressing with linear probing over a power of two of entries, of which a
 * zeroed one is free; at most three quarters are ever taken.  The table's head,
 * FlatHash, and its entries lie where the state has them: the caller allocates,
 * and where there is no room takes a larger state and calls prefix_rehash().
 *
 * Define before including this file, as often as there are tables (without
 * them it declares FlatHash alone):
 *	  FLAT_PREFIX			of the names that it makes
 *	  FLAT_ENTRY			type of an entry
 *	  FLAT_KEY				type of a key, passed by value
 *	  FLAT_HASH(key)		64 bits, of which the upper ones are good
 *	  FLAT_KEY_OF(entry)	the key of an entry that is taken
 *	  FLAT_IS(entry, key)	has it this key
 *	  FLAT_IS_FREE(entry)
 *	  FLAT_FOREIGN			define where somebody may have made the state by hand:
 *							prefix_find() gives NULL where a table has no room
 *
 * Promises: what prefix_find() is for a key depends on the entries alone;
 * prefix_is_sound() says whether foreign bytes can be searched and walked.
 * Never: allocates; gives an order that means anything.
 */
#ifndef RETENTION_FLAT_HASH_H
#define RETENTION_FLAT_HASH_H

#include "retention.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"

typedef struct FlatHash
{
	uint32		capacity;		/* of entries: a power of two, at least 2 */
	uint32		used;
	uint8		shift;			/* of a hash, to its place */
	uint8		unused[3];
} FlatHash;

static inline void
flat_hash_init(FlatHash *hash, uint32 capacity)
{
	Assert(capacity >= 2 && (capacity & (capacity - 1)) == 0);
	hash->capacity = capacity;
	hash->used = 0;
	hash->shift = 64 - pg_leftmost_one_pos32(capacity);
}

static inline bool
flat_hash_has_room(const FlatHash *hash, uint64 more)
{
	return hash->used + more <= hash->capacity / 4 * 3;
}

/* Entries of a table with room for so many more, at least twice those of this one. */
static inline uint64
flat_hash_grown(const FlatHash *hash, uint64 more)
{
	uint64		need = (hash->used + more) * 4 / 3 + 1;

	return pg_nextpower2_64(Min(Max(need, (uint64) hash->capacity * 2), PG_INT32_MAX));
}

/* Can the head be that of a table of so many bytes? */
static inline bool
flat_hash_is_sound(const FlatHash *hash, Size entry, Size bytes)
{
	return hash->capacity >= 2 && (hash->capacity & (hash->capacity - 1)) == 0 &&
		hash->shift == 64 - pg_leftmost_one_pos32(hash->capacity) &&
		hash->used < hash->capacity && hash->capacity <= bytes / entry;
}

#define FLAT_PASTE_(a, b)	a##_##b
#define FLAT_PASTE(a, b)	FLAT_PASTE_(a, b)

#endif							/* RETENTION_FLAT_HASH_H */

#ifdef FLAT_PREFIX

#define FLAT_PLACE			FLAT_PASTE(FLAT_PREFIX, place)
#define FLAT_FIND			FLAT_PASTE(FLAT_PREFIX, find)
#define FLAT_NEXT			FLAT_PASTE(FLAT_PREFIX, next)
#define FLAT_REHASH			FLAT_PASTE(FLAT_PREFIX, rehash)
#define FLAT_IS_SOUND		FLAT_PASTE(FLAT_PREFIX, is_sound)

/* Where a key is looked for first. */
static inline uint32
FLAT_PLACE(const FlatHash *hash, FLAT_KEY key)
{
	return (uint32) (FLAT_HASH(key) >> hash->shift);
}

/* The entry of a key: its own, or the free one that it would take. */
static inline FLAT_ENTRY *
FLAT_FIND(const FlatHash *hash, FLAT_ENTRY *entries, FLAT_KEY key)
{
	uint32		mask = hash->capacity - 1;
	uint32		place = FLAT_PLACE(hash, key);

#ifdef FLAT_FOREIGN
	for (uint32 probes = 0; probes <= mask; probes++, place = (place + 1) & mask)
#else
	for (;; place = (place + 1) & mask)
#endif
	{
		FLAT_ENTRY *entry = &entries[place];

		if (FLAT_IS_FREE(entry) || FLAT_IS(entry, key))
			return entry;
	}
#ifdef FLAT_FOREIGN
	return NULL;
#endif
}

/* The next entry that is taken, from *i on; NULL at the end.  Can be cancelled. */
static inline FLAT_ENTRY *
FLAT_NEXT(const FlatHash *hash, FLAT_ENTRY *entries, uint32 *i)
{
	while (*i < hash->capacity)
	{
		FLAT_ENTRY *entry = &entries[(*i)++];

		if ((*i & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (!FLAT_IS_FREE(entry))
			return entry;
	}
	return NULL;
}

/* All entries into an empty table that has room for them. */
static inline void
FLAT_REHASH(FlatHash *to, FLAT_ENTRY *to_entries, const FlatHash *from, FLAT_ENTRY *entries)
{
	FLAT_ENTRY *entry;

	for (uint32 i = 0; (entry = FLAT_NEXT(from, entries, &i)) != NULL;)
		*FLAT_FIND(to, to_entries, FLAT_KEY_OF(entry)) = *entry;
	to->used = from->used;
}

/* Are there as many as are said to be?  Then one is free, and a search ends. */
static inline bool
FLAT_IS_SOUND(const FlatHash *hash, FLAT_ENTRY *entries, Size bytes)
{
	uint32		used = 0;

	if (!flat_hash_is_sound(hash, sizeof(FLAT_ENTRY), bytes))
		return false;
	for (uint32 i = 0; FLAT_NEXT(hash, entries, &i) != NULL;)
		used++;
	return used == hash->used;
}

#undef FLAT_PREFIX
#undef FLAT_ENTRY
#undef FLAT_KEY
#undef FLAT_HASH
#undef FLAT_KEY_OF
#undef FLAT_IS
#undef FLAT_IS_FREE
#undef FLAT_FOREIGN
#undef FLAT_PLACE
#undef FLAT_FIND
#undef FLAT_NEXT
#undef FLAT_REHASH
#undef FLAT_IS_SOUND

#endif							/* FLAT_PREFIX */
