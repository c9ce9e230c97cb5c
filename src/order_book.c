/*
 * order_book.c
 *	  From rows of an orders table to each customer's days.
 *
 * Shape and promises: see order_book.h.  Images of books for parallel workers
 * are in order_image.c.
 */
#include "order_book.h"

#include "miscadmin.h"
#include "utils/memutils.h"

/* So many orders, or so many bytes of their keys, wait for each other. */
#define WAITING_FIRST	3
#define WAITING_MAX		(WAITING_FIRST * 64)
#define WAITING_BYTES	(64 * 1024)
#define FIRST_BYTES		64

OrderShared *
order_shared_create(const OrderTerms *terms, Oid keytype, Oid collation,
					MemoryContext query_context)
{
	MemoryContext old = MemoryContextSwitchTo(query_context);
	OrderShared *shared = palloc0(sizeof(OrderShared));

	shared->terms = *terms;
	key_type_init(&shared->key, keytype, collation);
	shared->short_keys = shared->key.kind == KEY_WORD && shared->key.typlen <= sizeof(uint32);
	MemoryContextSwitchTo(old);
	return shared;
}

const char *
order_terms_differ(const OrderTerms *a, const OrderTerms *b)
{
	if (a->has_as_of != b->has_as_of || a->as_of != b->as_of)
		return "as_of";
	if (a->spec.purchase != b->spec.purchase)
		return "model";
	if (a->spec.spend != b->spec.spend)
		return "spend model";
	if (a->spec.unit != b->spec.unit)
		return "unit";
	if (a->zoned != b->zoned || strcmp(a->zone, b->zone) != 0)
		return "time zone";
	return NULL;
}

void
order_terms_error(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be the same in all rows of a group", name),
			 errhint("Add it to GROUP BY, or use one aggregate for each.")));
}

OrderBook *
order_book_create(OrderShared *shared, MemoryContext context)
{
	OrderBook  *book = MemoryContextAllocZero(context, sizeof(OrderBook));

	book->magic = ORDER_BOOK_MAGIC;
	book->shared = shared;
	book->latest = DATEVAL_NOBEGIN;
	book->numbered = shared->key.kind != KEY_WORD;
	order_log_init(&book->log, context);
	return book;
}

/* ---------- numbers ---------- */

static void
create_map(OrderBook *book)
{
	book->map = MemoryContextAlloc(book->log.context, sizeof(CustomerMap));
	customer_map_init(book->map, &book->shared->key, 1, book->log.context);
}

/* The number in a customer's payload, which is 0 for a new one; mixed. */
static inline uint32
payload_number(OrderBook *book, uint64 *payload)
{
	if (*payload == 0)
	{
		if (book->map->count > PG_UINT32_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("more than %u customers for one aggregate", PG_UINT32_MAX)));
		*payload = book->map->count;
	}
	return compact_mix((uint32) (*payload - 1));
}

uint32
order_book_number(OrderBook *book, const Key *key)
{
	if (book->map == NULL)
		create_map(book);
	return payload_number(book, customer_map_upsert(book->map, key));
}

void
order_book_make_numbered(OrderBook *book)
{
	OrderLog	old = book->log;
	OrderScratch scratch = {CurrentMemoryContext, NULL, 0};

	if (book->numbered)
		return;
	book->numbered = true;
	if (old.shift == ORDER_SHIFT_SINGLE)
		old.partitions = &old.single;
	order_log_init(&book->log, old.context);
	/* the words of both logs stand for the same large amounts */
	book->log.big = old.big;
	for (int i = 0; i < order_log_partitions(&old); i++)
	{
		OrderPartition *p = &old.partitions[i];
		uint32		number = 0;

		if (p->n == 0)
			continue;
		old.big = book->log.big;
		order_log_tidy(&old, p, &scratch);
		book->log.big = old.big;
		for (uint32 j = 0; j < p->n; j++)
		{
			OrderEntry *entry = &p->entries[j];

			if (j == 0 || order_mixed(entry) != order_mixed(entry - 1))
			{
				Key			key = {0};

				key.word = compact_unmix(order_mixed(entry));
				key.hash = key_hash_word(key.word);
				number = order_book_number(book, &key);
			}
			order_log_add(&book->log, number, order_day(entry), entry->amount);
		}
	}
	for (int i = 0; i < order_log_partitions(&old); i++)
		if (old.partitions[i].entries != NULL)
			pfree(old.partitions[i].entries);
	if (old.partitions != &old.single)
		pfree(old.partitions);
	if (scratch.entries != NULL)
		pfree(scratch.entries);
}

/* ---------- waiting ---------- */

/*
 * Orders that wait get their numbers: slots of the map are asked for first, then
 * keys, then all are looked up.
 */
static void
number_waiting(OrderBook *book)
{
	WaitingOrders *waiting = book->waiting;
	bool		word = book->shared->key.kind == KEY_WORD;
	uint64		moves;

	CHECK_FOR_INTERRUPTS();
	if (book->map == NULL)
		create_map(book);
	moves = book->map->moves;
	for (uint32 i = 0; i < waiting->n; i++)
		customer_map_prefetch(book->map, waiting->orders[i].hash, word);
	for (uint32 i = 0; i < waiting->n && !word; i++)
		waiting->orders[i].near = customer_map_prefetch_key(book->map, waiting->orders[i].hash);
	for (uint32 i = 0; i < waiting->n; i++)
	{
		WaitingOrder *order = &waiting->orders[i];
		uint64	   *payload = NULL;
		Key			key = {0};

		key.hash = order->hash;
		if (word)
		{
			key.word = order->word;
			payload = customer_map_find_word(book->map, key.hash, key.word, 2);
			if (payload == NULL)
				payload = customer_map_upsert(book->map, &key);
		}
		else
		{
			key.data = waiting->bytes + (uint32) order->word;
			key.len = (uint32) (order->word >> 32);
			payload = customer_map_upsert_near(book->map, &key, order->near, moves);
		}
		order_log_add(&book->log, payload_number(book, payload), order->day, order->amount);
	}
}

static void
forget_waiting(WaitingOrders *waiting)
{
	waiting->n = 0;
	waiting->bytes_used = 0;
}

/* Room for an order more, and for its key; what waits is worked off where that is not to be had. */
static void
reserve_waiting(OrderBook *book, uint32 len)
{
	MemoryContext context = book->log.context;
	WaitingOrders *waiting = book->waiting;

	if (waiting == NULL)
	{
		waiting = book->waiting = MemoryContextAllocZero(context, sizeof(WaitingOrders));
		waiting->capacity = WAITING_FIRST;
		waiting->orders = MemoryContextAlloc(context, sizeof(WaitingOrder) * WAITING_FIRST);
	}
	if (waiting->n == WAITING_MAX || waiting->bytes_used + len > WAITING_BYTES)
	{
		number_waiting(book);
		forget_waiting(waiting);
	}
	if (waiting->n == waiting->capacity)
	{
		waiting->capacity *= 2;
		waiting->orders = repalloc(waiting->orders, sizeof(WaitingOrder) * waiting->capacity);
	}
	if (waiting->bytes_used + len > waiting->bytes_size)
	{
		uint32		size = waiting->bytes_size == 0 ? FIRST_BYTES : waiting->bytes_size * 2;

		while (size < waiting->bytes_used + len)
			size *= 2;
		waiting->bytes = waiting->bytes == NULL ? MemoryContextAlloc(context, size) :
			repalloc(waiting->bytes, size);
		waiting->bytes_size = size;
	}
}

static void
add_waiting(OrderBook *book, const Key *key, DateADT day, uint64 amount)
{
	bool		word = book->shared->key.kind == KEY_WORD;
	uint32		len = word ? 0 : (uint32) MAXALIGN(key->len);
	WaitingOrder *order;

	reserve_waiting(book, len);
	order = &book->waiting->orders[book->waiting->n++];
	order->hash = key->hash;
	order->word = key->word;
	order->amount = amount;
	order->day = day;
	if (word)
		return;
	order->word = (uint64) key->len << 32 | book->waiting->bytes_used;
	memcpy(book->waiting->bytes + book->waiting->bytes_used, key->data, key->len);
	book->waiting->bytes_used += len;
}

void
order_book_add(OrderBook *book, const Key *key, DateADT day, uint64 amount)
{
	if (day > book->latest)
		book->latest = day;
	if (!book->numbered)
	{
		if (order_key_is_short(book->shared, (Datum) key->word))
		{
			order_log_add(&book->log, compact_mix((uint32) key->word), day, amount);
			return;
		}
		order_book_make_numbered(book);
	}
	/* long keys would crowd out the others */
	if (key->len > WAITING_BYTES / 4)
		order_log_add(&book->log, order_book_number(book, key), day, amount);
	else
		add_waiting(book, key, day, amount);
}

OrderBook *
order_book_settled(OrderBook *book)
{
	OrderBook  *settled = book;

	if (book->waiting == NULL || book->waiting->n == 0)
		return book;
	/*
	 * A map for a few orders is left to the caller's context: there may be a
	 * million groups.  Large amounts are added up where they lie.
	 */
	if (book->map == NULL && book->log.big == NULL)
	{
		settled = palloc(sizeof(OrderBook));
		*settled = *book;
		order_log_init(&settled->log, CurrentMemoryContext);
		number_waiting(settled);
		settled->waiting = NULL;
		return settled;
	}
	number_waiting(book);
	forget_waiting(book->waiting);
	return book;
}

/* ---------- reading ---------- */

/* The next partition that is not empty, made tidy; false at the end. */
static bool
open_partition(OrderBook *book, OrderCursor *cursor)
{
	OrderLog   *log = &book->log;
	MemoryContext old = CurrentMemoryContext;

	while (cursor->partition < order_log_partitions(log) &&
		   log->partitions[cursor->partition].n == 0)
		cursor->partition++;
	if (cursor->partition == order_log_partitions(log))
	{
		if (cursor->garbage != NULL)
			MemoryContextDelete(cursor->garbage);
		if (cursor->scratch.entries != NULL)
			pfree(cursor->scratch.entries);
		return false;
	}
	if (log->big != NULL)
	{
		if (cursor->garbage == NULL)
			cursor->garbage = AllocSetContextCreate(CurrentMemoryContext, "large amounts",
													ALLOCSET_DEFAULT_SIZES);
		MemoryContextReset(cursor->garbage);
		MemoryContextSwitchTo(cursor->garbage);
	}
	cursor->scratch.context = old;
	order_log_tidy(log, &log->partitions[cursor->partition], &cursor->scratch);
	MemoryContextSwitchTo(old);
	return true;
}

const OrderEntry *
order_book_next(OrderBook *book, OrderCursor *cursor, uint32 *n)
{
	OrderPartition *p;
	const OrderEntry *first;
	uint32		end;

	if (cursor->position == 0 && !open_partition(book, cursor))
		return NULL;
	p = &book->log.partitions[cursor->partition];
	first = &p->entries[cursor->position];
	end = cursor->position + 1;
	while (end < p->n && order_mixed(&p->entries[end]) == order_mixed(first))
		end++;
	*n = end - cursor->position;
	cursor->position = end;
	if (end == p->n)
	{
		cursor->position = 0;
		cursor->partition++;
	}
	return first;
}
