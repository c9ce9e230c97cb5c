/*
 * cohort_state_serialize.c
 *	  States of cohort_retention() on their way between parallel workers.
 *
 * An image is a header and one record a customer: the key, the payload words,
 * and the lists that they stand for.  It travels between processes of one
 * server only, so that words are copied as they are; lengths are checked all
 * the same.  Both sides list customers partition by partition, so that a merge
 * works within the cache, and an image is read where it lies.
 *
 * Never: stored on disk, or changed by the merge.
 */
#include "cohort/cohort_state_add.h"

#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

typedef struct ImageHeader
{
	int			magic;
	int			words;			/* payload words a customer; 0: compact slots */
	Oid			keytype;
	Oid			collation;
	bool		joined;
	bool		collapsed;
	bool		conflict;
	bool		logged;			/* no records: the pairs of each partition */
	bool		partitioned;	/* compact: the slots of each partition */
	int32		base;
	int64		latest;
	uint64		count;
	uint64		left_out[COHORT_LEFT_OUT];
	CohortParams params;
} ImageHeader;

/* Does payload word i hold instants where it is a list? */
static inline bool
word_has_instants(bool rolling, bool collapsed, bool joined, const uint64 *payload, int i)
{
	return rolling && i == 0 &&
		(!collapsed || !joined || (int64) payload[ROLL_JOIN] == NO_INSTANT);
}

/* Only the first two words can be sets; the others are periods or instants. */
static inline int
set_words(bool rolling, bool joined)
{
	return rolling && joined ? 2 : 1;
}

/* ---------- writing ---------- */

typedef struct ImageBuffer
{
	char	   *data;
	Size		len;
	Size		capacity;
} ImageBuffer;

static inline void
cohort_image_put(ImageBuffer *buf, const void *bytes, Size len)
{
	if (unlikely(len > buf->capacity - buf->len))
	{
		Size		capacity = Max(buf->capacity * 2, buf->len + len);

		if (buf->len + len > MaxAllocSize)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("cohort_retention state is too large for a parallel worker to send"),
					 errdetail("It would take more than %zu bytes.", (Size) MaxAllocSize),
					 errhint("Set max_parallel_workers_per_gather to 0 for this query.")));
		capacity = Min(capacity, MaxAllocSize);
		buf->data = repalloc(buf->data, capacity);
		buf->capacity = capacity;
	}
	memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
}

static void
put_list(ImageBuffer *buf, const CohortState *state, uint64 word, Size element)
{
	EventList  *list = event_list(&state->lists, word);

	cohort_image_put(buf, &list->count, sizeof(uint32));
	cohort_image_put(buf, list + 1, list->count * element);
}

/* Each partition's number of pairs, then the pairs. */
static void
put_log(ImageBuffer *buf, CohortState *state)
{
	cohort_state_tidy(state);
	for (int i = 0; i < MAP_PARTITIONS; i++)
		cohort_image_put(buf, &state->log->partitions[i].n, sizeof(uint32));
	for (int i = 0; i < MAP_PARTITIONS; i++)
		cohort_image_put(buf, state->log->partitions[i].pairs,
						 state->log->partitions[i].n * sizeof(uint64));
}

/* The slots; of a partitioned map, each partition's number of slots before them. */
static void
put_compact(ImageBuffer *buf, const CustomerMap *map)
{
	int			n = map->shift == 64 ? 1 : MAP_PARTITIONS;

	for (int i = 0; i < n && n > 1; i++)
		cohort_image_put(buf, &map->partitions[i].used, sizeof(uint32));
	for (int i = 0; i < n; i++)
	{
		MapPartition *p = &map->partitions[i];

		for (uint32 j = 0; j < p->capacity; j++)
			if (p->slots[j] >> 32 != 0)
				cohort_image_put(buf, &p->slots[j], sizeof(uint64));
	}
}

bytea *
cohort_state_serialize(CohortState *state)
{
	CohortShared *shared = state->shared;
	bool		rolling = shared->params.rolling;
	int			words;
	int			sets = set_words(rolling, shared->joined);
	ImageHeader header;
	ImageBuffer buf;
	MapCursor	cursor = {0, 0};
	uint64	   *slot;

	/* first, since it may change the state's form */
	cohort_state_flush(state);
	words = state->map.width - 1;
	memset(&header, 0, sizeof(header));
	header.magic = COHORT_IMAGE_MAGIC;
	header.words = words;
	header.keytype = shared->key.type;
	header.collation = shared->key.collation;
	header.joined = shared->joined;
	header.collapsed = state->collapsed;
	header.conflict = state->conflict;
	header.logged = state->logged;
	header.partitioned = state->map.shift != 64;
	header.base = state->base;
	header.latest = state->latest;
	header.count = state->map.count;
	if (state->left_out != NULL)
		memcpy(header.left_out, state->left_out, sizeof(header.left_out));
	header.params = shared->params;

	/* right at once for states of masks under word keys */
	buf.capacity = VARHDRSZ + sizeof(header) +
		(Size) Min(state->map.count, MaxAllocSize / 64) * state->map.width * sizeof(uint64);
	buf.data = palloc(buf.capacity);
	buf.len = VARHDRSZ;
	cohort_image_put(&buf, &header, sizeof(header));
	if (state->logged)
		put_log(&buf, state);
	else if (words == 0)
		put_compact(&buf, &state->map);
	while (words > 0 && !state->logged &&
		   (slot = customer_map_next(&state->map, &cursor)) != NULL)
	{
		if (shared->key.kind == KEY_WORD)
			cohort_image_put(&buf, slot, state->map.width * sizeof(uint64));
		else
		{
			Key			key;

			customer_map_key(&state->map, slot, &key);
			cohort_image_put(&buf, &key.len, sizeof(uint32));
			cohort_image_put(&buf, key.data, key.len);
			cohort_image_put(&buf, slot + 1, words * sizeof(uint64));
		}
		for (int i = 0; i < sets; i++)
			if (slot[1 + i] & SET_LIST)
				put_list(&buf, state, slot[1 + i],
						 word_has_instants(rolling, state->collapsed, shared->joined,
										   slot + 1, i) ? sizeof(int64) : sizeof(int32));
	}
	SET_VARSIZE(buf.data, buf.len);
	return (bytea *) buf.data;
}

/* ---------- reading ---------- */

typedef struct ImageReader
{
	const char *at;
	const char *end;
	ImageHeader header;
} ImageReader;

static inline const char *
take(ImageReader *reader, Size len)
{
	const char *p = reader->at;

	if (unlikely(len > (Size) (reader->end - reader->at)))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("serialized cohort_retention state is truncated")));
	reader->at += len;
	return p;
}

/* One customer's set, as it stands in the image. */
typedef struct ImageSet
{
	uint64		word;
	uint32		count;			/* of the list; may be unaligned, unsorted */
	const char *elements;
} ImageSet;

static inline void
take_set(ImageReader *reader, uint64 word, bool instants, ImageSet *set)
{
	set->word = word;
	set->count = 0;
	set->elements = NULL;
	if (word & SET_LIST)
	{
		memcpy(&set->count, take(reader, sizeof(uint32)), sizeof(uint32));
		set->elements = take(reader, set->count * (instants ? sizeof(int64) : sizeof(int32)));
	}
}

static inline int32
period_element(const ImageSet *set, uint32 i)
{
	int32		v;

	memcpy(&v, set->elements + i * sizeof(int32), sizeof(int32));
	return v;
}

static inline int64
instant_element(const ImageSet *set, uint32 i)
{
	int64		v;

	memcpy(&v, set->elements + i * sizeof(int64), sizeof(int64));
	return v;
}

static void
merge_periods(CohortState *state, uint64 *word, const ImageSet *set, int32 base)
{
	uint64		mask = set->word & SET_MASK;

	for (uint32 i = 0; i < set->count; i++)
		cohort_add_period(state, word, period_element(set, i));
	if (set->word & SET_LIST)
		return;
	if (base == state->base && !(*word & SET_LIST))
		*word |= mask;
	else
		for (; mask != 0; mask &= mask - 1)
			cohort_add_period(state, word, base + pg_rightmost_one_pos64(mask));
}

static void
merge_windows(CohortState *state, uint64 *word, const ImageSet *set)
{
	for (uint32 i = 0; i < set->count; i++)
		cohort_add_window(state, word, period_element(set, i));
	if (!(set->word & SET_LIST))
		for (uint64 mask = set->word & SET_MASK; mask != 0; mask &= mask - 1)
			cohort_add_window(state, word, pg_rightmost_one_pos64(mask));
}

/*
 * Rolling windows from a joined_at: sets of windows of both sides can be
 * united only if both were counted from the same joined_at.
 */
static void
merge_rolling_joined(CohortState *state, uint64 *payload, const uint64 *from,
					 const ImageHeader *header, const ImageSet *events,
					 const ImageSet *windows)
{
	int64		join = (int64) from[ROLL_JOIN];

	if (header->collapsed && join != NO_INSTANT)
	{
		Assert(state->collapsed);
		if ((int64) payload[ROLL_JOIN] != NO_INSTANT && (int64) payload[ROLL_JOIN] != join)
			cohort_conflict_error();
		cohort_roll_join(state, payload, join);
		merge_periods(state, &payload[ROLL_EVENTS], events, header->base);
		merge_windows(state, &payload[ROLL_WINDOWS], windows);
		return;
	}
	if (join != NO_INSTANT)
		cohort_roll_join(state, payload, join);
	for (uint32 i = 0; i < events->count; i++)
		cohort_roll_event(state, payload, instant_element(events, i));
}

static void
merge_customer(CohortState *state, uint64 *payload, const uint64 *from,
			   const ImageHeader *header, const ImageSet *sets)
{
	bool		rolling = header->params.rolling;

	if (payload[0] == 0)
		cohort_payload_init(state, payload);
	if (rolling && header->joined)
		merge_rolling_joined(state, payload, from, header, &sets[0], &sets[1]);
	else if (rolling)
	{
		for (uint32 i = 0; i < sets[0].count; i++)
			cohort_add_instant(state, &payload[0], instant_element(&sets[0], i));
	}
	else
	{
		merge_periods(state, &payload[0], &sets[0], header->base);
		if (header->joined && (int64) from[1] < (int64) payload[1])
			payload[1] = from[1];
	}
}

/*
 * One customer of a compact image, into a state that need not be compact, or
 * not stay so.
 */
static void
merge_compact_slot(CohortState *state, uint64 slot, int32 base)
{
	Key			key;
	uint64	   *payload;
	ImageSet	set = {SET_PRESENT | COMPACT_PAYLOAD(slot), 0, NULL};

	if (state->logged)
	{
		for (uint32 mask = COMPACT_PAYLOAD(slot); mask != 0; mask &= mask - 1)
			cohort_add_pair(state, log_pair(COMPACT_KEY(slot),
											base + pg_rightmost_one_pos32(mask)));
		return;
	}
	if (COHORT_COMPACT(state) && state->base == base)
	{
		*customer_map_upsert_compact(&state->map, COMPACT_KEY(slot)) |= slot;
		return;
	}
	if (COHORT_COMPACT(state))
	{
		uint64		mask = COMPACT_PAYLOAD(slot);

		while (mask != 0 && cohort_add_compact(state, COMPACT_KEY(slot),
											   base + pg_rightmost_one_pos64(mask)))
			mask &= mask - 1;
		if (mask == 0)
			return;
		cohort_state_expand(state);
	}
	key.word = compact_unmix(COMPACT_KEY(slot));
	key.hash = key_hash_word(key.word);
	payload = customer_map_upsert(&state->map, &key);
	if (payload[0] == 0)
		cohort_payload_init(state, payload);
	merge_periods(state, payload, &set, base);
}

static void
merge_compact(CohortState *state, ImageReader *reader)
{
	ImageHeader *header = &reader->header;
	uint32		counts[MAP_PARTITIONS];
	int			n = 1;

	counts[0] = (uint32) header->count;
	if (header->partitioned)
	{
		memcpy(counts, take(reader, sizeof(counts)), sizeof(counts));
		n = MAP_PARTITIONS;
	}
	/* what is staged belongs to the map */
	cohort_log_drain(state);
	for (int i = 0; i < n; i++)
	{
		const char *slots = take(reader, counts[i] * sizeof(uint64));

		if (COHORT_COMPACT(state) && !state->logged && header->partitioned &&
			state->base == header->base)
		{
			customer_map_merge_compact(&state->map, i, slots, counts[i]);
			continue;
		}
		CHECK_FOR_INTERRUPTS();
		for (uint32 j = 0; j < counts[i]; j++)
		{
			uint64		slot;

			memcpy(&slot, slots + j * sizeof(uint64), sizeof(uint64));
			merge_compact_slot(state, slot, header->base);
		}
	}
}

static void
merge_log(CohortState *state, ImageReader *reader)
{
	uint32		counts[MAP_PARTITIONS];

	memcpy(counts, take(reader, sizeof(counts)), sizeof(counts));
	if (!cohort_state_to_log(state))
		cohort_state_expand(state);
	for (int i = 0; i < MAP_PARTITIONS; i++)
	{
		const char *pairs = take(reader, counts[i] * sizeof(uint64));

		CHECK_FOR_INTERRUPTS();
		if (state->logged)
		{
			LogPartition *p = &state->log->partitions[i];

			/* one more, since a full partition is made room in at once */
			period_log_make_room(state->log, p, counts[i] + 1);
			memcpy(p->pairs + p->n, pairs, counts[i] * sizeof(uint64));
			p->n += counts[i];
			continue;
		}
		for (uint32 j = 0; j < counts[i]; j++)
		{
			uint64		pair;

			memcpy(&pair, pairs + j * sizeof(uint64), sizeof(uint64));
			cohort_add_pair(state, pair);
		}
	}
}

static void
merge_records(CohortState *state, ImageReader *reader)
{
	ImageHeader *header = &reader->header;
	bool		word = state->map.kt->kind == KEY_WORD;
	int			sets = set_words(header->params.rolling, header->joined);
	bool		fixed = false;

	/* records without lists under word keys are all alike: no parsing */
	fixed = word && (Size) (reader->end - reader->at) ==
		header->count * (1 + header->words) * sizeof(uint64);
	for (uint64 n = 0; n < header->count; n++)
	{
		ImageSet	set[2];
		uint64		payload[MAP_PAYLOAD_MAX];
		Key			key;
		uint64	   *to = NULL;

		if ((n & 0xffff) == 0)
			CHECK_FOR_INTERRUPTS();
		if (word)
		{
			memcpy(&key.word, take(reader, sizeof(uint64)), sizeof(uint64));
			key.hash = key_hash_word(key.word);
			if (fixed && n + 8 < header->count)
			{
				uint64		ahead;

				memcpy(&ahead, reader->at + (7 * (1 + header->words) + header->words) * sizeof(uint64),
					   sizeof(uint64));
				customer_map_prefetch(&state->map, key_hash_word(ahead), true);
			}
			to = customer_map_find_word(&state->map, key.hash, key.word, state->map.width);
		}
		else
		{
			memcpy(&key.len, take(reader, sizeof(uint32)), sizeof(uint32));
			key.data = take(reader, key.len);
			key_from_bytes(state->map.kt, &key);
		}
		memcpy(payload, take(reader, header->words * sizeof(uint64)),
			   header->words * sizeof(uint64));
		for (int i = 0; i < sets; i++)
			take_set(reader, payload[i],
					 word_has_instants(header->params.rolling, header->collapsed,
									   header->joined, payload, i), &set[i]);
		if (to == NULL)
			to = customer_map_upsert(&state->map, &key);
		merge_customer(state, to, payload, header, set);
	}
}

/* The parameters of an image, from the list or new to it. */
static CohortShared *
cohort_image_shared(CohortShared **list, const ImageHeader *header, MemoryContext query_context)
{
	CohortShared *shared;

	for (shared = *list; shared != NULL; shared = shared->next)
		if (shared->joined == header->joined && shared->key.type == header->keytype &&
			cohort_params_equal(&shared->params, &header->params))
			return shared;
	shared = cohort_shared_create(&header->params, header->joined, header->keytype,
								  header->collation, query_context);
	shared->next = *list;
	*list = shared;
	return shared;
}

void
cohort_state_merge(CohortState **state, CohortShared **shared, MemoryContext context,
				   MemoryContext query_context, const StateImage *image)
{
	ImageReader reader;
	ImageHeader *header = &reader.header;

	reader.at = image->data;
	reader.end = image->data + image->len;
	memcpy(header, take(&reader, sizeof(ImageHeader)), sizeof(ImageHeader));
	if (header->magic != COHORT_IMAGE_MAGIC || header->words < 0 ||
		header->words > MAP_PAYLOAD_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("not a serialized cohort_retention state")));

	if (*state == NULL)
	{
		*state = cohort_state_create(cohort_image_shared(shared, header, query_context), context);
		(*state)->base = header->base;
		(*state)->collapsed = header->collapsed;
	}
	else
	{
		cohort_params_match(&(*state)->shared->params, &header->params);
		cohort_state_flush(*state);
	}
	if (header->words > 0 && !header->logged)
		cohort_state_expand(*state);
	if (header->collapsed)
		cohort_state_collapse(*state);
	(*state)->conflict |= header->conflict;
	(*state)->latest = Max((*state)->latest, header->latest);
	for (int i = 0; i < COHORT_LEFT_OUT; i++)
		cohort_state_leave_out(*state, i, header->left_out[i]);
	if (header->logged)
	{
		merge_log(*state, &reader);
		return;
	}
	if (header->words == 0)
		merge_compact(*state, &reader);
	else
	{
		customer_map_reserve(&(*state)->map, header->count);
		merge_records(*state, &reader);
	}
}
