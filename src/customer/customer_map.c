/*
 * customer_map.c
 *	  Customer key -> payload words: the hash behind every one-pass aggregate.
 *
 * Shape, promises and ownership: see customer_map.h.
 */
#include "customer/customer_map.h"

#include "access/htup_details.h"
#include "access/tupdesc.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#define REF_MASK ((UINT64CONST(1) << ARENA_OFFSET_BITS) - 1)

/* From this many customers on, the map is partitioned. */
#define PARTITION_FROM	2048

/* ---------- key types ---------- */

/* Types whose equality is that of their bits, beside enums. */
static bool
bitwise_word_type(Oid type)
{
	switch (type)
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case OIDOID:
		case BOOLOID:
		case CHAROID:
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
		case TIMEOID:
			return true;
	}
	return false;
}

void
key_type_init(KeyType *kt, Oid argtype, Oid collation)
{
	TypeCacheEntry *cache;

	memset(kt, 0, sizeof(KeyType));
	kt->type = getBaseType(argtype);
	kt->collation = collation;
	get_typlenbyval(kt->type, &kt->typlen, &kt->typbyval);
	kt->has_parts = type_is_array(kt->type) || type_is_rowtype(kt->type);

	if (kt->typbyval && (bitwise_word_type(kt->type) || type_is_enum(kt->type)))
	{
		kt->kind = KEY_WORD;
		return;
	}
	if (kt->type == UUIDOID)
	{
		kt->kind = KEY_FIXED;
		return;
	}
	if (kt->type == BYTEAOID)
	{
		kt->kind = KEY_VARLENA;
		return;
	}
	if (type_is_collatable(kt->type) && !OidIsValid(collation))
		ereport(ERROR,
				(errcode(ERRCODE_INDETERMINATE_COLLATION),
				 errmsg("could not determine which collation to use for customers"),
				 errhint("Use the COLLATE clause to set the collation explicitly.")));
	if ((kt->type == TEXTOID || kt->type == VARCHAROID) &&
		get_collation_isdeterministic(collation))
	{
		kt->kind = KEY_VARLENA;
		return;
	}

	kt->kind = KEY_GENERIC;
	cache = lookup_type_cache(kt->type, TYPECACHE_EQ_OPR | TYPECACHE_HASH_PROC |
							  TYPECACHE_HASH_EXTENDED_PROC);
	if (!OidIsValid(cache->eq_opr) || !OidIsValid(cache->hash_proc))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("customers of type %s cannot be hashed", format_type_be(argtype)),
				 errhint("Use a type with a hash operator class, such as bigint, uuid or text.")));
	fmgr_info_cxt(get_opcode(cache->eq_opr), &kt->equal, CurrentMemoryContext);
	kt->hash_extended = OidIsValid(cache->hash_extended_proc);
	fmgr_info_cxt(kt->hash_extended ? cache->hash_extended_proc : cache->hash_proc,
				  &kt->hash, CurrentMemoryContext);
}

/* Columns that were dropped do not count. */
static bool
row_part_is_null(HeapTupleHeader row)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row),
											  HeapTupleHeaderGetTypMod(row));
	HeapTupleData tuple = {.t_len = HeapTupleHeaderGetDatumLength(row), .t_data = row};
	bool		found = false;

	for (int i = 0; i < desc->natts && !found; i++)
		found = !TupleDescAttr(desc, i)->attisdropped && heap_attisnull(&tuple, i + 1, desc);
	ReleaseTupleDesc(desc);
	return found;
}

bool
key_part_is_null(const KeyType *kt, Datum value)
{
	HeapTupleHeader row;

	if (type_is_array(kt->type))
		return array_contains_nulls(DatumGetArrayTypeP(value));
	row = DatumGetHeapTupleHeader(value);
	return (row->t_infomask & HEAP_HASNULL) != 0 && row_part_is_null(row);
}

static uint64
generic_hash(KeyType *kt, Datum value)
{
	if (kt->hash_extended)
		return DatumGetUInt64(FunctionCall2Coll(&kt->hash, kt->collation, value,
												Int64GetDatum(0)));
	/* 32 bits must be spread over 64: the partition is the top byte */
	return key_hash_word(DatumGetUInt32(FunctionCall1Coll(&kt->hash, kt->collation, value)));
}

/* A Datum over a key's stored bytes; by-value types of the generic kind are stored too. */
static Datum
key_datum(const KeyType *kt, const char *data)
{
	Datum		value;

	if (!kt->typbyval)
		return PointerGetDatum(data);
	memcpy(&value, data, sizeof(Datum));
	return value;
}

void
key_from_datum(KeyType *kt, Datum value, Key *key)
{
	struct varlena *v;

	key->word = 0;
	key->data = NULL;
	key->len = 0;
	switch (kt->kind)
	{
		case KEY_WORD:
			key->word = (uint64) value;
			key->hash = key_hash_word(key->word);
			return;
		case KEY_FIXED:
			key->data = DatumGetPointer(value);
			key->len = kt->typlen;
			break;
		case KEY_VARLENA:
			v = PG_DETOAST_DATUM_PACKED(value);
			key->data = VARDATA_ANY(v);
			key->len = VARSIZE_ANY_EXHDR(v);
			break;
		case KEY_GENERIC:
			if (kt->typlen == -1)
			{
				value = PointerGetDatum(PG_DETOAST_DATUM(value));
				key->len = VARSIZE(DatumGetPointer(value));
			}
			else if (kt->typlen == -2)
				key->len = strlen(DatumGetCString(value)) + 1;
			else
				key->len = kt->typbyval ? sizeof(Datum) : kt->typlen;
			key->hash = generic_hash(kt, value);
			if (kt->typbyval)
			{
				char	   *copy = palloc(sizeof(Datum));

				memcpy(copy, &value, sizeof(Datum));
				key->data = copy;
			}
			else
				key->data = DatumGetPointer(value);
			return;
	}
	key->hash = key_hash_bytes(kt, key->data, key->len);
}

/* key->data and key->len are given; the type's functions want them aligned */
void
key_from_bytes(KeyType *kt, Key *key)
{
	key->word = 0;
	if (kt->kind == KEY_GENERIC)
	{
		if ((uintptr_t) key->data % MAXIMUM_ALIGNOF != 0)
		{
			char	   *copy = palloc(key->len);

			memcpy(copy, key->data, key->len);
			key->data = copy;
		}
		key->hash = generic_hash(kt, key_datum(kt, key->data));
	}
	else
		key->hash = key_hash_bytes(kt, key->data, key->len);
}

uint64
key_hash_bytes(const KeyType *kt, const char *data, uint32 len)
{
	if (kt->kind == KEY_FIXED && len == 2 * sizeof(uint64))
	{
		uint64		halves[2];

		/* a uuid is two words: no need for a hash of any length */
		memcpy(halves, data, sizeof(halves));
		return key_hash_word(halves[0] + key_hash_word(halves[1]));
	}
	return hash_bytes_extended((const unsigned char *) data, len, 0);
}

/* ---------- stored keys: a length and the bytes ---------- */

#define KEY_HEADER_UNITS 1		/* the length, padded so that the bytes are aligned */

static uint64
store_key(CustomerMap *map, const Key *key)
{
	uint64		units = KEY_HEADER_UNITS + (key->len + (uint64) ARENA_UNIT - 1) / ARENA_UNIT;
	uint64		ref;
	char	   *to;

	if (map->kt->kind == KEY_FIXED)
		units -= KEY_HEADER_UNITS;
	else if (map->kt->kind == KEY_VARLENA)
		units = (sizeof(uint32) + key->len + (uint64) ARENA_UNIT - 1) / ARENA_UNIT;
	ref = arena_alloc(&map->keys, units);
	to = arena_pointer(&map->keys, ref);
	if (map->kt->kind != KEY_FIXED)
	{
		memcpy(to, &key->len, sizeof(uint32));
		/* the type's own functions want their datum aligned */
		to += map->kt->kind == KEY_VARLENA ? sizeof(uint32) : KEY_HEADER_UNITS * ARENA_UNIT;
	}
	memcpy(to, key->data, key->len);
	return ref;
}

static inline void
stored_key(const CustomerMap *map, uint64 ref, const char **data, uint32 *len)
{
	const char *from = arena_pointer(&map->keys, ref);

	if (map->kt->kind == KEY_FIXED)
	{
		*len = map->kt->typlen;
		*data = from;
		return;
	}
	memcpy(len, from, sizeof(uint32));
	*data = from + (map->kt->kind == KEY_VARLENA ? sizeof(uint32) : KEY_HEADER_UNITS * ARENA_UNIT);
}

void
customer_map_key(const CustomerMap *map, const uint64 *slot, Key *key)
{
	key->word = 0;
	key->data = NULL;
	key->len = 0;
	key->hash = 0;
	if (map->kt->kind == KEY_WORD)
		key->word = slot[0];
	else
		stored_key(map, slot[0] & REF_MASK, &key->data, &key->len);
}

static inline bool
stored_key_equal(const CustomerMap *map, uint64 ref, const Key *key)
{
	const char *data;
	uint32		len;

	stored_key(map, ref, &data, &len);
	if (map->kt->kind == KEY_FIXED && len == 2 * sizeof(uint64))
		return memcmp(data, key->data, 2 * sizeof(uint64)) == 0;	/* inlined */
	if (map->kt->kind == KEY_GENERIC)
		return DatumGetBool(FunctionCall2Coll(&map->kt->equal, map->kt->collation,
											  key_datum(map->kt, data),
											  key_datum(map->kt, key->data)));
	return len == key->len && memcmp(data, key->data, len) == 0;
}

/* ---------- the table ---------- */

static void
set_width(CustomerMap *map, int width)
{
	map->width = width;
	map->line_slots = width == 3 ? 1 : MAP_CACHE_LINE / sizeof(uint64) / width;
}

void
customer_map_init(CustomerMap *map, KeyType *kt, int payload_words, MemoryContext context)
{
	static uint64 maps = 0;

	Assert(payload_words >= 0 && payload_words <= MAP_PAYLOAD_MAX);
	Assert(payload_words > 0 || kt->kind == KEY_WORD);
	memset(map, 0, sizeof(CustomerMap));
	map->kt = kt;
	map->context = context;
	map->shift = 64;
	map->multiplier = (uint32) key_hash_word(++maps) | 1;
	map->partitions = &map->single;
	set_width(map, 1 + payload_words);
	arena_init(&map->keys, context);
}

/* Int128 slots are packed more densely: memory counts for more there than probes. */
static inline uint32
max_used(const CustomerMap *map, uint32 capacity)
{
	return map->width >= 3 ? capacity - capacity / 8 : capacity * (uint64) 7 / 10;
}

static uint32
next_capacity(const CustomerMap *map, uint32 capacity)
{
	if (capacity < 8)
		return 8;
	if (capacity < 1024 && map->shift != 64)
		return capacity * 4;
	if (capacity < 1024 || (map->width == 1 && capacity < PG_UINT32_MAX / 2))
		return capacity * 2;
	if (capacity > PG_UINT32_MAX / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("too many customers for one aggregate")));
	/* whole cache lines */
	capacity += map->width >= 3 ? capacity / 8 : capacity / 2;
	return TYPEALIGN(8, capacity);
}

static inline bool
slot_used(const CustomerMap *map, const uint64 *slot)
{
	return map->width == 1 ? COMPACT_PAYLOAD(slot[0]) != 0 : slot[1] != 0;
}

/* What map_partition() takes for a compact key. */
static inline uint64
compact_hash(uint32 mixed)
{
	return (uint64) mixed << 32;
}

static inline uint32
slot_home(const CustomerMap *map, uint32 capacity, const uint64 *slot)
{
	if (map->width == 1)
		return map_home_compact(map, capacity, COMPACT_KEY(slot[0]));
	if (map->kt->kind == KEY_WORD)
		return map_home_word(map, capacity, key_hash_word(slot[0]));
	return map_home_tag(map, capacity, (uint32) (slot[0] >> ARENA_OFFSET_BITS));
}

/* first free slot from a home on */
static inline uint64 *
free_slot(const CustomerMap *map, MapPartition *p, uint32 home)
{
	uint32		i = home;

	while (slot_used(map, p->slots + (Size) i * map->width))
		i = map_probe_next(i, home, p->capacity, map->line_slots);
	return p->slots + (Size) i * map->width;
}

static void
partition_alloc(CustomerMap *map, MapPartition *p, uint32 capacity)
{
	p->chunk = MemoryContextAllocExtended(map->context,
										  (Size) capacity * map->width * sizeof(uint64) +
										  MAP_CACHE_LINE,
										  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	p->slots = (uint64 *) TYPEALIGN(MAP_CACHE_LINE, p->chunk);
	p->capacity = capacity;
	p->used = 0;
	map->moves++;
}

static void
partition_grow(CustomerMap *map, MapPartition *p, uint32 capacity)
{
	MapPartition old = *p;

	CHECK_FOR_INTERRUPTS();
	partition_alloc(map, p, capacity);
	for (uint32 i = 0; i < old.capacity; i++)
	{
		uint64	   *from = old.slots + (Size) i * map->width;

		if (slot_used(map, from))
			memcpy(free_slot(map, p, slot_home(map, capacity, from)), from,
				   map->width * sizeof(uint64));
	}
	p->used = old.used;
	if (old.chunk != NULL)
		pfree(old.chunk);
}

/* From one partition to MAP_PARTITIONS, each of a given capacity. */
static void
customer_map_split(CustomerMap *map, uint32 capacity)
{
	MapPartition old = map->single;

	map->partitions = MemoryContextAllocZero(map->context,
											 sizeof(MapPartition) * MAP_PARTITIONS);
	map->shift = 56;
	for (int i = 0; i < MAP_PARTITIONS; i++)
		partition_alloc(map, &map->partitions[i], capacity);
	for (uint32 i = 0; i < old.capacity; i++)
	{
		uint64	   *from = old.slots + (Size) i * map->width;
		MapPartition *p;
		uint64		hash;
		const char *data;
		uint32		len;

		if (!slot_used(map, from))
			continue;
		if (map->width == 1)
			hash = compact_hash(COMPACT_KEY(from[0]));
		else if (map->kt->kind == KEY_WORD)
			hash = key_hash_word(from[0]);
		else
		{
			stored_key(map, from[0] & REF_MASK, &data, &len);
			hash = map->kt->kind == KEY_GENERIC ?
				generic_hash(map->kt, key_datum(map->kt, data)) :
				key_hash_bytes(map->kt, data, len);
		}
		p = map_partition(map, hash);
		if (p->used >= max_used(map, p->capacity))
			partition_grow(map, p, next_capacity(map, p->capacity));
		memcpy(free_slot(map, p, slot_home(map, p->capacity, from)), from,
			   map->width * sizeof(uint64));
		p->used++;
	}
	if (old.chunk != NULL)
		pfree(old.chunk);
	memset(&map->single, 0, sizeof(MapPartition));
}

void
customer_map_reserve(CustomerMap *map, uint64 customers)
{
	uint64		each = customers / MAP_PARTITIONS;
	uint32		capacity = 8;

	if (customers < PARTITION_FROM || map->shift != 64)
		return;
	while (max_used(map, capacity) < each + each / 16)
		capacity = next_capacity(map, capacity);
	customer_map_split(map, capacity);
}

/* Room for one more customer in its partition; may split the map. */
static MapPartition *
customer_map_make_room(CustomerMap *map, uint64 hash)
{
	MapPartition *p;

	if (map->shift == 64 && map->count >= PARTITION_FROM)
		customer_map_split(map, 16);
	p = map_partition(map, hash);
	if (p->capacity == 0 || p->used >= max_used(map, p->capacity))
		partition_grow(map, p, next_capacity(map, p->capacity));
	p->used++;
	map->count++;
	return p;
}

uint64 *
customer_map_upsert(CustomerMap *map, const Key *key)
{
	bool		word = map->kt->kind == KEY_WORD;
	uint32		tag = KEY_TAG(key->hash);
	MapPartition *p = map_partition(map, key->hash);
	uint64	   *slot;

	Assert(map->width > 1);
	if (p->capacity != 0)
	{
		uint32		home = map_home(map, p->capacity, key->hash);
		uint32		i = home;

		for (slot = p->slots + (Size) i * map->width; slot[1] != 0;
			 slot = p->slots + (Size) i * map->width)
		{
			if (word ? slot[0] == key->word :
				(slot[0] >> ARENA_OFFSET_BITS) == tag &&
				stored_key_equal(map, slot[0] & REF_MASK, key))
				return slot + 1;
			i = map_probe_next(i, home, p->capacity, map->line_slots);
		}
	}
	p = customer_map_make_room(map, key->hash);
	slot = free_slot(map, p, map_home(map, p->capacity, key->hash));
	slot[0] = word ? key->word :
		((uint64) tag << ARENA_OFFSET_BITS) | store_key(map, key);
	return slot + 1;
}

uint64 *
customer_map_upsert_near(CustomerMap *map, const Key *key, uint64 *slot, uint64 moves)
{
	if (likely(slot != NULL && moves == map->moves &&
			   stored_key_equal(map, slot[0] & REF_MASK, key)))
		return slot + 1;
	return customer_map_upsert(map, key);
}

uint64 *
customer_map_upsert_compact(CustomerMap *map, uint32 mixed)
{
	MapPartition *p = map_partition(map, compact_hash(mixed));
	uint64	   *slot;

	if (p->capacity != 0)
	{
		uint32		home = map_home_compact(map, p->capacity, mixed);
		uint32		i = home;

		while (COMPACT_PAYLOAD(p->slots[i]) != 0)
		{
			if (COMPACT_KEY(p->slots[i]) == mixed)
				return &p->slots[i];
			i = map_probe_next(i, home, p->capacity, MAP_CACHE_LINE / sizeof(uint64));
		}
	}
	p = customer_map_make_room(map, compact_hash(mixed));
	slot = free_slot(map, p, map_home_compact(map, p->capacity, mixed));
	*slot = mixed;
	return slot;
}

#define MERGE_AHEAD 16

static inline uint64
slot_at(const char *slots, uint32 i)
{
	uint64		slot;

	memcpy(&slot, slots + (Size) i * sizeof(uint64), sizeof(uint64));
	return slot;
}

void
customer_map_merge_compact(CustomerMap *map, int partition, const char *slots, uint32 n)
{
	MapPartition *p;

	Assert(map->width == 1);
	CHECK_FOR_INTERRUPTS();
	if (map->shift == 64)
		customer_map_split(map, 16);
	p = &map->partitions[partition];
	for (uint32 i = 0; i < n; i++)
	{
		uint64		slot = slot_at(slots, i);
		uint32		home;
		uint32		j;

		if (p->used >= max_used(map, p->capacity))
		{
			/* customers of both sides are mostly the same */
			uint32		capacity = next_capacity(map, p->capacity);

			while (max_used(map, capacity) < n)
				capacity = next_capacity(map, capacity);
			partition_grow(map, p, capacity);
		}
		if (i + MERGE_AHEAD < n)
			__builtin_prefetch(p->slots +
							   map_home_compact(map, p->capacity,
												COMPACT_KEY(slot_at(slots, i + MERGE_AHEAD))), 1);
		j = home = map_home_compact(map, p->capacity, COMPACT_KEY(slot));
		while (p->slots[j] >> 32 != 0 && COMPACT_KEY(p->slots[j]) != COMPACT_KEY(slot))
			j = map_probe_next(j, home, p->capacity, MAP_CACHE_LINE / sizeof(uint64));
		if (p->slots[j] >> 32 == 0)
		{
			p->used++;
			map->count++;
			p->slots[j] = slot;
		}
		else
			p->slots[j] |= slot;
	}
}

void
customer_map_expand(CustomerMap *map, uint64 flags)
{
	CustomerMap old = *map;
	MapCursor	cursor = {0, 0};
	uint64	   *slot;

	Assert(map->width == 1);
	if (old.shift == 64)
		old.partitions = &old.single;
	map->count = 0;
	map->shift = 64;
	map->partitions = &map->single;
	memset(&map->single, 0, sizeof(MapPartition));
	set_width(map, 2);
	customer_map_reserve(map, old.count);
	while ((slot = customer_map_next(&old, &cursor)) != NULL)
	{
		Key			key;

		key.word = compact_unmix(COMPACT_KEY(*slot));
		key.hash = key_hash_word(key.word);
		*customer_map_upsert(map, &key) = COMPACT_PAYLOAD(*slot) | flags;
	}
	customer_map_clear(&old);
}

void
customer_map_clear(CustomerMap *map)
{
	int			n = map->shift == 64 ? 1 : MAP_PARTITIONS;

	for (int i = 0; i < n; i++)
	{
		if (map->partitions[i].chunk != NULL)
			pfree(map->partitions[i].chunk);
		memset(&map->partitions[i], 0, sizeof(MapPartition));
	}
	map->count = 0;
	map->moves++;
	if (map->kt->kind != KEY_WORD)
		arena_clear(&map->keys);
}

uint64 *
customer_map_next(const CustomerMap *map, MapCursor *cursor)
{
	int			n = map->shift == 64 ? 1 : MAP_PARTITIONS;

	for (; cursor->partition < n; cursor->partition++, cursor->position = 0)
	{
		MapPartition *p = &map->partitions[cursor->partition];

		if (cursor->position == 0)
			CHECK_FOR_INTERRUPTS();
		while (cursor->position < p->capacity)
		{
			uint64	   *slot = p->slots + (Size) cursor->position++ * map->width;

			if (slot_used(map, slot))
				return slot;
		}
	}
	return NULL;
}
