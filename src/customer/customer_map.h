/*
 * customer_map.h
 *	  Customer key -> payload words: the hash behind every one-pass aggregate.
 *
 * Shape: 256 partitions by the hash's top byte (one while small), each an
 * open-addressing table with linear probing; a slot is one key word and 1 to 3
 * payload words of 8 bytes.  Fixed-width keys of up to 8 bytes stand in the
 * slot; others stand once in an arena, and the key word holds their offset and
 * 24 bits of hash.
 *
 * Promises: growing copies one partition at a time, and a table of wide slots
 * (three words or more) is at least three quarters full once it is large; two maps of the same key type list their
 * customers partition by partition, so that a merge stays within the cache.
 * A customer's first payload word (the compact payload) is never 0: that marks
 * a free slot.
 *
 * Ownership: everything lives in the context given at creation.
 * Never: knowledge of calendars or of what payloads mean.
 */
#ifndef RETENTION_CUSTOMER_MAP_H
#define RETENTION_CUSTOMER_MAP_H

#include "customer/arena.h"
#include "retention.h"

typedef enum KeyKind
{
	KEY_WORD,					/* pass-by-value, equal if and only if bits are */
	KEY_FIXED,					/* by reference, fixed length, likewise (uuid) */
	KEY_VARLENA,				/* varlena, likewise (text, bytea) */
	KEY_GENERIC					/* the type's own hash and equality functions */
} KeyKind;

/* What is known of a key type; one per query, shared by all its maps. */
typedef struct KeyType
{
	Oid			type;			/* base type of the argument */
	Oid			collation;
	KeyKind		kind;
	int16		typlen;
	bool		typbyval;
	bool		has_parts;		/* an array or row, which may have a NULL inside */
	FmgrInfo	hash;			/* KEY_GENERIC only */
	bool		hash_extended;	/* 64-bit hash function, with seed */
	FmgrInfo	equal;
} KeyType;

/* Errors 42883 for a type that cannot be hashed.  Lives in CurrentMemoryContext. */
extern void key_type_init(KeyType *kt, Oid argtype, Oid collation);

/* Is a part of a key NULL?  Such a customer is not known: NULLs in it are nobody's. */
extern bool key_part_is_null(const KeyType *kt, Datum value);

static inline bool
key_has_null(const KeyType *kt, Datum value)
{
	return unlikely(kt->has_parts) && key_part_is_null(kt, value);
}

/* A key on its way in: its hash, and either the word or the bytes. */
typedef struct Key
{
	uint64		hash;
	uint64		word;			/* KEY_WORD */
	const char *data;			/* others: payload bytes, or a whole datum image */
	uint32		len;
} Key;

/*
 * Fills in a key from a Datum.  The bytes may point into the datum, or into a
 * detoasted copy in the current context.
 */
extern void key_from_datum(KeyType *kt, Datum value, Key *key);

/* Same from a stored or serialized key's bytes, of any alignment. */
extern void key_from_bytes(KeyType *kt, Key *key);
extern uint64 key_hash_bytes(const KeyType *kt, const char *data, uint32 len);

typedef struct MapPartition
{
	uint64	   *slots;			/* aligned to a cache line */
	void	   *chunk;			/* what they were allocated as */
	uint32		capacity;		/* slots; 0 before the first insertion */
	uint32		used;
} MapPartition;

#define MAP_PARTITIONS	256
#define MAP_CACHE_LINE	64		/* bytes; a wrong guess costs speed only */
#define MAP_PAYLOAD_MAX 3

typedef struct CustomerMap
{
	KeyType    *kt;
	MemoryContext context;
	int			width;			/* words in a slot: 1 + payload; compact: 1 */
	int			shift;			/* hash >> shift is the partition; 64 while single */
	uint32		multiplier;		/* odd; see map_home() */
	uint32		line_slots;		/* slots to a cache line, or 1 if they straddle */
	uint64		count;			/* customers */
	uint64		moves;			/* how often slots have moved */
	MapPartition single;
	MapPartition *partitions;	/* &single, or an array of MAP_PARTITIONS */
	Arena		keys;
} CustomerMap;

/* payload_words 0 makes a compact map, for KEY_WORD only. */
extern void customer_map_init(CustomerMap *map, KeyType *kt, int payload_words,
							  MemoryContext context);

/* A customer of a compact map; a new one's slot has a payload of 0, to be set at once. */
extern uint64 *customer_map_upsert_compact(CustomerMap *map, uint32 mixed);

/*
 * Adds the slots of one partition of another compact map, their payloads ORed
 * to those that are there.  The slots may be unaligned.
 */
extern void customer_map_merge_compact(CustomerMap *map, int partition, const char *slots,
									   uint32 n);

/* Compact to one payload word each: its 32 bits with "flags" added. */
extern void customer_map_expand(CustomerMap *map, uint64 flags);

#define COMPACT_KEY(slot)		((uint32) (slot))
#define COMPACT_PAYLOAD(slot)	((uint32) ((slot) >> 32))

/*
 * Compact maps hold keys mixed: a bijection of 32 bits (murmur3's finalizer)
 * that is hash and key in one, so that nothing is hashed twice.  The top byte
 * is the partition.
 */
static inline uint32
compact_mix(uint32 key)
{
	key ^= key >> 16;
	key *= 0x85ebca6b;
	key ^= key >> 13;
	key *= 0xc2b2ae35;
	key ^= key >> 16;
	return key;
}

static inline uint32
compact_unmix(uint32 mixed)
{
	mixed ^= mixed >> 16;
	mixed *= 0x7ed1b41d;		/* inverses of the multipliers */
	mixed ^= mixed >> 13 ^ mixed >> 26;
	mixed *= 0xa5cb9243;
	mixed ^= mixed >> 16;
	return mixed;
}

/*
 * Payload of a customer, inserted with all words 0 if it is new: the caller
 * must make the first word nonzero at once.  Valid until the next call.
 */
extern uint64 *customer_map_upsert(CustomerMap *map, const Key *key);

/*
 * The same for a by-reference key, which may stand in a slot that was found
 * when the map had moved its slots so often.
 */
extern uint64 *customer_map_upsert_near(CustomerMap *map, const Key *key, uint64 *slot,
										uint64 moves);

/* Makes room for so many customers in all, where they are known beforehand. */
extern void customer_map_reserve(CustomerMap *map, uint64 customers);

/* Forgets all customers, and frees their memory. */
extern void customer_map_clear(CustomerMap *map);

/* The bytes of a by-reference key. */
extern void customer_map_key(const CustomerMap *map, const uint64 *slot, Key *key);

/* Walks all customers in hash order: for (slot = first; slot; slot = next). */
typedef struct MapCursor
{
	int			partition;
	uint32		position;
} MapCursor;

extern uint64 *customer_map_next(const CustomerMap *map, MapCursor *cursor);

/* murmur3's finalizer: every bit of the key reaches every bit of the hash */
static inline uint64
key_hash_word(uint64 x)
{
	x ^= x >> 33;
	x *= UINT64CONST(0xff51afd7ed558ccd);
	x ^= x >> 33;
	x *= UINT64CONST(0xc4ceb9fe1a85ec53);
	x ^= x >> 33;
	return x;
}

static inline MapPartition *
map_partition(const CustomerMap *map, uint64 hash)
{
	/* a shift by 64 is undefined: shift twice */
	return &map->partitions[(hash >> (map->shift / 2)) >> (map->shift / 2)];
}

/* 24 bits of the hash, below the partition's 8: all that by-reference slots keep */
#define KEY_TAG(hash)	((uint32) ((hash) >> 32) & 0xffffff)

/*
 * Where a customer's probing starts.  Each map multiplies by an odd number of
 * its own: a table filled in the slot order of another would otherwise roll-up up
 * at its front and take quadratic time.
 */
static inline uint32
map_home_tag(const CustomerMap *map, uint32 capacity, uint32 tag)
{
	return (uint32) (((uint64) ((tag * map->multiplier) & 0xffffff) * capacity) >> 24);
}

static inline uint32
map_home_word(const CustomerMap *map, uint32 capacity, uint64 hash)
{
	return (uint32) (((uint64) ((uint32) (hash >> 24) * map->multiplier) * capacity) >> 32);
}

static inline uint32
map_home_compact(const CustomerMap *map, uint32 capacity, uint32 mixed)
{
	return map_home_tag(map, capacity, mixed & 0xffffff);
}

static inline uint32
map_home(const CustomerMap *map, uint32 capacity, uint64 hash)
{
	return map->kt->kind == KEY_WORD ? map_home_word(map, capacity, hash) :
		map_home_tag(map, capacity, KEY_TAG(hash));
}

/*
 * The slot to probe after another: around the cache line first, which has been
 * prefetched, then at the start of the next.  "lines" is slots to a line, a
 * power of two that divides the capacity.
 */
static pg_attribute_always_inline uint32
map_probe_next(uint32 slot, uint32 home, uint32 capacity, uint32 lines)
{
	uint32		next = (slot & ~(lines - 1)) | ((slot + 1) & (lines - 1));

	if (likely(next != ((slot & ~(lines - 1)) | (home & (lines - 1)))))
		return next;
	next = (slot & ~(lines - 1)) + lines + (home & (lines - 1));
	return next >= capacity ? next - capacity : next;
}

/*
 * Asks for the cache line where a customer's slot is likely to be.  Always
 * inlined: gcc takes a function that only prefetches for one without effect,
 * and drops calls of it.
 */
static pg_attribute_always_inline void
customer_map_prefetch(const CustomerMap *map, uint64 hash, bool word)
{
	MapPartition *p = map_partition(map, hash);
	uint32		home = word ? map_home_word(map, p->capacity, hash) :
	map_home_tag(map, p->capacity, KEY_TAG(hash));
	const char *slot = (const char *) (p->slots + (Size) home * map->width);

	__builtin_prefetch(slot, 1);
	/* slots of 24 bytes straddle lines */
	if (map->width == 3)
		__builtin_prefetch(slot + MAP_CACHE_LINE, 1);
}

/*
 * Asks for the key bytes that a by-reference lookup will compare: those of the
 * first slot on its way with the same tag.  The slots should have been asked
 * for before.  Returns that slot, for customer_map_upsert_near(), or NULL.
 */
static pg_attribute_always_inline uint64 *
customer_map_prefetch_key(const CustomerMap *map, uint64 hash)
{
	MapPartition *p = map_partition(map, hash);
	uint32		tag = KEY_TAG(hash);
	uint32		home;
	uint32		i;
	uint64	   *slot = NULL;
	const char *key;

	if (p->capacity == 0)
		return NULL;
	i = home = map_home_tag(map, p->capacity, tag);
	if (map->width == 2)
	{
		uint64	   *line = p->slots + (Size) (home & ~3) * 2;

		/* without branches: where in the line it stands is random */
		for (int j = 0; j < 4; j++)
			slot = line[j * 2] >> ARENA_OFFSET_BITS == tag ? line + j * 2 : slot;
	}
	if (slot == NULL || slot[1] == 0)
	{
		slot = p->slots + (Size) i * map->width;
		while (slot[1] != 0 && slot[0] >> ARENA_OFFSET_BITS != tag)
		{
			i = map_probe_next(i, home, p->capacity, map->line_slots);
			slot = p->slots + (Size) i * map->width;
		}
		if (slot[1] == 0)
			return NULL;
	}
	key = arena_pointer(&map->keys, slot[0] & ((UINT64CONST(1) << ARENA_OFFSET_BITS) - 1));
	__builtin_prefetch(key);
	/* most keys are shorter than a line, but may begin near its end */
	if ((uintptr_t) key % MAP_CACHE_LINE > MAP_CACHE_LINE / 2)
		__builtin_prefetch(key + MAP_CACHE_LINE / 2);
	return slot;
}

/*
 * The hot lookup: a word key that is there already.  NULL sends the caller to
 * the upsert.
 */
static pg_attribute_always_inline uint64 *
customer_map_find_word(const CustomerMap *map, uint64 hash, uint64 word, int width)
{
	MapPartition *p = map_partition(map, hash);
	uint32		lines = width == 2 ? 4 : width == 4 ? 2 : 1;
	uint32		home;
	uint32		i;

	if (unlikely(p->capacity == 0))
		return NULL;
	i = home = map_home_word(map, p->capacity, hash);
	for (;;)
	{
		uint64	   *slot = p->slots + (Size) i * width;

		if (slot[0] == word && slot[1] != 0)
			return slot + 1;
		if (slot[1] == 0)
			return NULL;
		i = map_probe_next(i, home, p->capacity, lines);
	}
}

/* Slots of a compact map to a cache line. */
#define COMPACT_LINE (MAP_CACHE_LINE / sizeof(uint64))

/*
 * The same for a partitioned compact map: a customer's slot, or NULL.  The
 * first line is compared as a whole, in a form that compilers turn into vector
 * instructions: where in a line a customer stands is random, and a loop that
 * stops there would be mispredicted.
 */
static pg_attribute_always_inline uint64 *
customer_map_find_compact(const CustomerMap *map, uint32 mixed)
{
	MapPartition *p = &map->partitions[mixed >> 24];
	uint32		home = map_home_compact(map, p->capacity, mixed);
	uint32		i = home;
	uint64	   *line = p->slots + (home & ~(COMPACT_LINE - 1));
	uint32		found = 0;

	Assert(map->shift != 64);
	for (uint32 j = 0; j < COMPACT_LINE; j++)
		found |= COMPACT_KEY(line[j]) == mixed ? j + 1 : 0;
	/* free slots have key 0 */
	if (likely(found != 0 && mixed != 0))
		return &line[found - 1];
	while (COMPACT_PAYLOAD(p->slots[i]) != 0)
	{
		if (likely(COMPACT_KEY(p->slots[i]) == mixed))
			return &p->slots[i];
		i = map_probe_next(i, home, p->capacity, COMPACT_LINE);
	}
	return NULL;
}

static pg_attribute_always_inline void
customer_map_prefetch_compact(const CustomerMap *map, uint32 mixed)
{
	MapPartition *p = &map->partitions[mixed >> 24];

	__builtin_prefetch(&p->slots[map_home_compact(map, p->capacity, mixed)], 1);
}

#endif							/* RETENTION_CUSTOMER_MAP_H */
