/*
 * customer_log_serialize.c
 *	  Books of customers on their way between parallel workers.
 *
 * After the header of its aggregate, an image has a record for each customer: its
 * key, and its entries, as varints (varint.h), "s" zigzag:
 *	  key			mixed key, less the last record's; or of a numbered log the
 *					key's word; or its length and bytes
 *	  entries		their number, then for each
 *		step		s first time, then time since the last
 *		word		as the aggregate writes it
 * Customers stand in the order of the log; those of a numbered log in that of
 * its map, so that a merge works within the cache.
 *
 * The promises are in customer_log_serialize.h.
 */
#include "customer/customer_log_serialize.h"

#include "miscadmin.h"
#include "utils/memutils.h"

/* ---------- writing ---------- */

pg_noinline void
image_enlarge(ImageBuffer *buf, Size more)
{
	if (buf->len + more > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%s state is too large for a parallel worker to send", buf->aggregate),
				 errdetail("It would take more than %zu bytes.", (Size) MaxAllocSize),
				 errhint("Set max_parallel_workers_per_gather to 0 for this query.")));
	buf->capacity = Min(Max(buf->capacity * 2, buf->len + more), MaxAllocSize);
	buf->data = buf->data == NULL ? palloc(buf->capacity) : repalloc(buf->data, buf->capacity);
}

bytea *
image_finish(ImageBuffer *buf)
{
	SET_VARSIZE(buf->data, buf->len);
	return (bytea *) buf->data;
}

static void
put_entries(ImageBuffer *buf, const EventLog *log, const Entry *entries, uint32 n,
			ImagePutWord put_word)
{
	image_reserve(buf, VARINT_MAX_BYTES);
	image_put_varint(buf, n);
	for (uint32 i = 0; i < n; i++)
	{
		image_reserve(buf, (1 + IMAGE_WORD_VARINTS) * VARINT_MAX_BYTES);
		image_put_varint(buf, i == 0 ? zigzag(entry_time(entries)) :
						 entries[i].key - entries[i - 1].key);
		put_word(buf, log, entries[i].word);
	}
}

/* Customers in the order of the log, which have their keys there. */
static uint64
put_customers(ImageBuffer *buf, CustomerLog *logged, ImagePutWord put_word)
{
	CustomerCursor cursor = {0};
	const Entry *entries;
	uint32		n;
	uint32		last = 0;
	uint64		customers = 0;

	while ((entries = customer_log_next(logged, &cursor, &n)) != NULL)
	{
		image_reserve(buf, VARINT_MAX_BYTES);
		image_put_varint(buf, entry_mixed(entries) - last);
		last = entry_mixed(entries);
		put_entries(buf, &logged->log, entries, n, put_word);
		customers++;
	}
	return customers;
}

/* Where a customer's entries stand in the log. */
typedef struct CustomerPlace
{
	const Entry *entries;
	uint32		n;
} CustomerPlace;

/* Customers in the order of the map, with their keys. */
static uint64
put_customers_by_number(ImageBuffer *buf, CustomerLog *logged, ImagePutWord put_word)
{
	bool		word = logged->keys->type.kind == KEY_WORD;
	CustomerCursor cursor = {0};
	MapCursor	map_cursor = {0, 0};
	const Entry *entries;
	uint32		n;
	uint64	   *slot;
	CustomerPlace *places;

	if (logged->map == NULL)
		return 0;
	places = palloc_extended(sizeof(CustomerPlace) * logged->map->count,
							 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	while ((entries = customer_log_next(logged, &cursor, &n)) != NULL)
	{
		CustomerPlace *place = &places[compact_unmix(entry_mixed(entries))];

		place->entries = entries;
		place->n = n;
	}
	while ((slot = customer_map_next(logged->map, &map_cursor)) != NULL)
	{
		CustomerPlace *place = &places[slot[1] - 1];

		if (word)
			image_put(buf, &slot[0], sizeof(uint64));
		else
		{
			Key			key;

			customer_map_key(logged->map, slot, &key);
			image_reserve(buf, VARINT_MAX_BYTES);
			image_put_varint(buf, key.len);
			image_put(buf, key.data, key.len);
		}
		put_entries(buf, &logged->log, place->entries, place->n, put_word);
	}
	pfree(places);
	return logged->map->count;
}

uint64
customer_image_put(ImageBuffer *buf, CustomerLog *logged, ImagePutWord put_word)
{
	return logged->by_number ? put_customers_by_number(buf, logged, put_word) :
		put_customers(buf, logged, put_word);
}

/* ---------- reading ---------- */

pg_noinline void
image_corrupt(const ImageReader *reader)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("serialized %s state is corrupt", reader->aggregate)));
}

static inline int32
take_time(ImageReader *reader, bool first, int32 last)
{
	uint64		step = image_take_varint(reader);
	int64		time;

	if (step > PG_UINT32_MAX * UINT64CONST(2))
		image_corrupt(reader);
	time = first ? unzigzag(step) : last + (int64) step;
	if (time > PG_INT32_MAX || time < PG_INT32_MIN)
		image_corrupt(reader);
	return (int32) time;
}

/*
 * A customer's entries.  It is known by its mixed number; or by its key, where
 * the log has no map yet and its entries wait.
 */
static void
customer_image_merge_entries(CustomerLog *logged, ImageReader *reader, uint32 mixed, const Key *key)
{
	uint64		n = image_take_varint(reader);
	int32		time = 0;

	if (n == 0)
		image_corrupt(reader);
	for (uint64 i = 0; i < n; i++)
	{
		uint64		word;

		time = take_time(reader, i == 0, time);
		word = reader->take_word(reader, &logged->log);
		if (key != NULL)
			customer_log_add(logged, key, time, word);
		else
			event_log_add(&logged->log, mixed, time, word);
	}
}

/* The key of a customer, as the image has it. */
static void
take_key(ImageReader *reader, KeyType *kt, uint32 *mixed, Key *key)
{
	memset(key, 0, sizeof(Key));
	if (!reader->by_number)
	{
		*mixed += (uint32) image_take_varint(reader);
		key->word = compact_unmix(*mixed);
		key->hash = key_hash_word(key->word);
	}
	else if (kt->kind == KEY_WORD)
	{
		memcpy(&key->word, image_take(reader, sizeof(uint64)), sizeof(uint64));
		key->hash = key_hash_word(key->word);
	}
	else
	{
		uint64		len = image_take_varint(reader);

		if (len > MaxAllocSize || (kt->kind == KEY_FIXED && len != kt->typlen))
			image_corrupt(reader);
		key->len = (uint32) len;
		key->data = image_take(reader, len);
		key_from_bytes(kt, key);
	}
}

void
customer_image_merge(CustomerLog *logged, ImageReader *reader)
{
	EntryScratch scratch = {CurrentMemoryContext, NULL, 0};
	EntryPartition *run = NULL;
	uint32		mixed = 0;

	if (reader->by_number)
		customer_log_make_by_number(logged);
	for (uint64 i = 0; i < reader->customers; i++)
	{
		Key			key;

		if ((i & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		take_key(reader, &logged->keys->type, &mixed, &key);
		if (!logged->by_number)
		{
			EntryPartition *p = event_log_partition(&logged->log, mixed);

			/* a run of its own is merged, not sorted */
			if (p != run)
				event_log_tidy(&logged->log, p, &scratch);
			run = p;
			customer_image_merge_entries(logged, reader, mixed, NULL);
		}
		else if (logged->map == NULL)
			customer_image_merge_entries(logged, reader, 0, &key);
		else
			customer_image_merge_entries(logged, reader, customer_log_number(logged, &key), NULL);
	}
	if (reader->at != reader->end)
		image_corrupt(reader);
	if (scratch.entries != NULL)
		pfree(scratch.entries);
}
