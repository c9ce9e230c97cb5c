/*
 * order_image.c
 *	  Books of orders on their way between parallel workers.
 *
 * An image is a header and a record for each customer: its key, and its days,
 * as varints (varint.h), "s" zigzag:
 *	  key			mixed key, less the last record's; or of a numbered book the
 *					key's word; or its length and bytes
 *	  days			their number, then for each
 *		step		s first day, then days since the last
 *		tag			0 without amount; scale + 1; or that of large amounts
 *		amount		s value; or length and bytes of a numeric
 * Customers stand in the order of the log; those of a numbered book in that of
 * its map, so that a merge works within the cache.  An image travels between
 * processes of one server only, so that keys and numerics are copied as they
 * are; lengths and bounds are checked all the same, and it is read where it
 * lies.
 *
 * Never: stored on disk, or changed by the merge.
 */
#include "order_book.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "varint.h"

typedef struct ImageHeader
{
	int			magic;
	Oid			keytype;
	Oid			collation;
	DateADT		latest;
	DateADT		as_of;
	bool		has_as_of;
	bool		zoned;
	bool		numbered;
	uint8		zone;			/* length of its name, which follows */
	ClvSpec		spec;
	int64		skipped;
	uint64		customers;
} ImageHeader;

/* ---------- writing ---------- */

typedef struct ImageBuffer
{
	char	   *data;
	Size		len;
	Size		capacity;
} ImageBuffer;

static pg_noinline void
enlarge(ImageBuffer *buf, Size more)
{
	if (buf->len + more > MaxAllocSize)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("clv_model state is too large for a parallel worker to send"),
				 errdetail("It would take more than %zu bytes.", (Size) MaxAllocSize),
				 errhint("Set max_parallel_workers_per_gather to 0 for this query.")));
	buf->capacity = Min(Max(buf->capacity * 2, buf->len + more), MaxAllocSize);
	buf->data = repalloc(buf->data, buf->capacity);
}

static inline void
reserve(ImageBuffer *buf, Size more)
{
	if (unlikely(more > buf->capacity - buf->len))
		enlarge(buf, more);
}

static inline void
put(ImageBuffer *buf, const void *bytes, Size len)
{
	reserve(buf, len);
	memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
}

/* Room was reserved. */
static inline void
put_varint(ImageBuffer *buf, uint64 value)
{
	buf->len += varint_put((uint8 *) buf->data + buf->len, value);
}

static void
put_days(ImageBuffer *buf, const OrderLog *log, const OrderEntry *entries, uint32 n)
{
	reserve(buf, VARINT_MAX_BYTES);
	put_varint(buf, n);
	for (uint32 i = 0; i < n; i++)
	{
		uint64		word = entries[i].amount;
		uint64		tag = word & ORDER_TAG_MASK;

		reserve(buf, 3 * VARINT_MAX_BYTES);
		put_varint(buf, i == 0 ? zigzag(order_day(entries)) :
				   entries[i].key - entries[i - 1].key);
		put_varint(buf, tag);
		if (tag == ORDER_TAG_BIG)
		{
			Amount		amount = order_amount_read(log, word);

			put_varint(buf, VARSIZE(amount.big));
			put(buf, amount.big, VARSIZE(amount.big));
		}
		else if (word != ORDER_UNPAID)
			put_varint(buf, zigzag(order_value(word)));
	}
}

/* Customers in the order of the log, which have their keys there. */
static uint64
put_customers(ImageBuffer *buf, OrderBook *book)
{
	OrderCursor cursor = {0};
	const OrderEntry *entries;
	uint32		n;
	uint32		last = 0;
	uint64		customers = 0;

	while ((entries = order_book_next(book, &cursor, &n)) != NULL)
	{
		reserve(buf, VARINT_MAX_BYTES);
		put_varint(buf, order_mixed(entries) - last);
		last = order_mixed(entries);
		put_days(buf, &book->log, entries, n);
		customers++;
	}
	return customers;
}

/* Where a customer's orders stand in the log. */
typedef struct OrderPlace
{
	const OrderEntry *entries;
	uint32		n;
} OrderPlace;

/* Customers in the order of the map, with their keys. */
static uint64
put_numbered_customers(ImageBuffer *buf, OrderBook *book)
{
	bool		word = book->shared->key.kind == KEY_WORD;
	OrderCursor cursor = {0};
	MapCursor	map_cursor = {0, 0};
	const OrderEntry *entries;
	uint32		n;
	uint64	   *slot;
	OrderPlace *places;

	if (book->map == NULL)
		return 0;
	places = palloc_extended(sizeof(OrderPlace) * book->map->count,
							 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	while ((entries = order_book_next(book, &cursor, &n)) != NULL)
	{
		OrderPlace *place = &places[compact_unmix(order_mixed(entries))];

		place->entries = entries;
		place->n = n;
	}
	while ((slot = customer_map_next(book->map, &map_cursor)) != NULL)
	{
		OrderPlace *place = &places[slot[1] - 1];

		if (word)
			put(buf, &slot[0], sizeof(uint64));
		else
		{
			Key			key;

			customer_map_key(book->map, slot, &key);
			reserve(buf, VARINT_MAX_BYTES);
			put_varint(buf, key.len);
			put(buf, key.data, key.len);
		}
		put_days(buf, &book->log, place->entries, place->n);
	}
	pfree(places);
	return book->map->count;
}

bytea *
order_book_serialize(OrderBook *book)
{
	const OrderTerms *terms = &book->shared->terms;
	ImageHeader header;
	ImageBuffer buf;

	book = order_book_settled(book);
	memset(&header, 0, sizeof(header));
	header.magic = ORDER_IMAGE_MAGIC;
	header.keytype = book->shared->key.type;
	header.collation = book->shared->key.collation;
	header.latest = book->latest;
	header.as_of = terms->as_of;
	header.has_as_of = terms->has_as_of;
	header.zoned = terms->zoned;
	header.numbered = book->numbered;
	header.zone = (uint8) strlen(terms->zone);
	header.spec = terms->spec;
	header.skipped = book->skipped;

	buf.capacity = VARHDRSZ + sizeof(header) + header.zone + 4 * VARINT_MAX_BYTES;
	buf.data = palloc(buf.capacity);
	buf.len = VARHDRSZ + sizeof(header);
	put(&buf, terms->zone, header.zone);
	header.customers = book->numbered ? put_numbered_customers(&buf, book) :
		put_customers(&buf, book);
	memcpy(buf.data + VARHDRSZ, &header, sizeof(header));
	SET_VARSIZE(buf.data, buf.len);
	return (bytea *) buf.data;
}

/* ---------- reading ---------- */

typedef struct ImageReader
{
	const uint8 *at;
	const uint8 *end;
	ImageHeader header;
} ImageReader;

static pg_noinline void
corrupt(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("serialized clv_model state is corrupt")));
}

static inline const char *
take(ImageReader *reader, uint64 len)
{
	const char *p = (const char *) reader->at;

	if (unlikely(len > (uint64) (reader->end - reader->at)))
		corrupt();
	reader->at += len;
	return p;
}

static inline uint64
take_varint(ImageReader *reader)
{
	uint64		value;

	if (unlikely(!varint_get(&reader->at, reader->end, &value)))
		corrupt();
	return value;
}

/* A numeric, which the image may hold unaligned, into the log. */
static uint64
take_big(ImageReader *reader, OrderLog *log)
{
	uint64		len = take_varint(reader);
	const char *bytes = take(reader, len);
	Amount		amount = {0, 0, NULL};
	uint64		word;

	if (len <= VARHDRSZ || len > MaxAllocSize)
		corrupt();
	amount.big = palloc(len);
	memcpy(amount.big, bytes, len);
	if (!VARATT_IS_4B_U(amount.big) || VARSIZE(amount.big) != len)
		corrupt();
	word = order_amount_store(log, &amount);
	pfree(amount.big);
	return word;
}

static inline uint64
take_amount(ImageReader *reader, OrderLog *log)
{
	uint64		tag = take_varint(reader);
	int64		value;

	if (tag == 0)
		return ORDER_UNPAID;
	if (tag == ORDER_TAG_BIG)
		return take_big(reader, log);
	value = unzigzag(take_varint(reader));
	if (tag > ORDER_TAG_LAST || !order_value_fits(value))
		corrupt();
	return order_word(value, tag);
}

static inline DateADT
take_day(ImageReader *reader, bool first, DateADT last)
{
	uint64		step = take_varint(reader);
	int64		day;

	if (step > PG_UINT32_MAX * UINT64CONST(2))
		corrupt();
	day = first ? unzigzag(step) : last + (int64) step;
	if (day > PG_INT32_MAX || day < PG_INT32_MIN)
		corrupt();
	return (DateADT) day;
}

/*
 * A customer's days.  It is known by its mixed number; or by its key, where the
 * book has no map yet and its orders wait.
 */
static void
merge_days(OrderBook *book, ImageReader *reader, uint32 mixed, const Key *key)
{
	uint64		n = take_varint(reader);
	DateADT		day = 0;

	if (n == 0)
		corrupt();
	for (uint64 i = 0; i < n; i++)
	{
		uint64		amount;

		day = take_day(reader, i == 0, day);
		amount = take_amount(reader, &book->log);
		if (key != NULL)
			order_book_add(book, key, day, amount);
		else
			order_log_add(&book->log, mixed, day, amount);
	}
}

/* The key of a customer, as the image has it. */
static void
take_key(ImageReader *reader, KeyType *kt, uint32 *mixed, Key *key)
{
	memset(key, 0, sizeof(Key));
	if (!reader->header.numbered)
	{
		*mixed += (uint32) take_varint(reader);
		key->word = compact_unmix(*mixed);
		key->hash = key_hash_word(key->word);
	}
	else if (kt->kind == KEY_WORD)
	{
		memcpy(&key->word, take(reader, sizeof(uint64)), sizeof(uint64));
		key->hash = key_hash_word(key->word);
	}
	else
	{
		uint64		len = take_varint(reader);

		if (len > MaxAllocSize || (kt->kind == KEY_FIXED && len != kt->typlen))
			corrupt();
		key->len = (uint32) len;
		key->data = take(reader, len);
		key_from_bytes(kt, key);
	}
}

static void
merge_customers(OrderBook *book, ImageReader *reader)
{
	OrderScratch scratch = {CurrentMemoryContext, NULL, 0};
	OrderPartition *run = NULL;
	uint32		mixed = 0;

	if (reader->header.numbered)
		order_book_make_numbered(book);
	for (uint64 i = 0; i < reader->header.customers; i++)
	{
		Key			key;

		if ((i & 0xfff) == 0)
			CHECK_FOR_INTERRUPTS();
		take_key(reader, &book->shared->key, &mixed, &key);
		if (!book->numbered)
		{
			OrderPartition *p = order_log_partition(&book->log, mixed);

			/* a run of its own is merged, not sorted */
			if (p != run)
				order_log_tidy(&book->log, p, &scratch);
			run = p;
			merge_days(book, reader, mixed, NULL);
		}
		else if (book->map == NULL)
			merge_days(book, reader, 0, &key);
		else
			merge_days(book, reader, order_book_number(book, &key), NULL);
	}
	if (reader->at != reader->end)
		corrupt();
	if (scratch.entries != NULL)
		pfree(scratch.entries);
}

/* The terms of an image, from the list or new to it. */
static OrderShared *
image_shared(OrderShared **list, const ImageHeader *header, const OrderTerms *terms,
			 MemoryContext query_context)
{
	OrderShared *shared;

	for (shared = *list; shared != NULL; shared = shared->next)
		if (shared->key.type == header->keytype &&
			order_terms_differ(&shared->terms, terms) == NULL)
			return shared;
	shared = order_shared_create(terms, header->keytype, header->collation, query_context);
	shared->next = *list;
	*list = shared;
	return shared;
}

void
order_book_merge(OrderBook **book, OrderShared **shared, MemoryContext context,
				 MemoryContext query_context, const OrderImage *image)
{
	ImageReader reader;
	ImageHeader *header = &reader.header;
	OrderTerms	terms = {0};

	reader.at = (const uint8 *) image->data;
	reader.end = reader.at + image->len;
	memcpy(header, take(&reader, sizeof(ImageHeader)), sizeof(ImageHeader));
	if (header->magic != ORDER_IMAGE_MAGIC)
		corrupt();
	terms.spec = header->spec;
	terms.has_as_of = header->has_as_of;
	terms.as_of = header->as_of;
	terms.zoned = header->zoned;
	memcpy(terms.zone, take(&reader, header->zone), header->zone);

	if (*book == NULL)
		*book = order_book_create(image_shared(shared, header, &terms, query_context), context);
	else
	{
		const char *differs = order_terms_differ(&(*book)->shared->terms, &terms);

		if (differs != NULL)
			order_terms_error(differs);
		if ((*book)->shared->key.type != header->keytype)
			corrupt();
	}
	(*book)->latest = Max((*book)->latest, header->latest);
	(*book)->skipped += header->skipped;
	merge_customers(*book, &reader);
}
