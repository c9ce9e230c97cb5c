/*
 * customer_log.c
 *	  From rows to the entries of each customer.
 *
 * Shape and promises: see customer_book.h.  Images of books for parallel workers
 * are in customer_image.c.
 */
#include "customer/customer_log.h"

#include "miscadmin.h"
#include "utils/memutils.h"

/* So many entries, or so many bytes of their keys, wait for each other. */
#define WAITING_FIRST	3
#define WAITING_MAX		(WAITING_FIRST * 64)
#define WAITING_BYTES	(64 * 1024)
#define FIRST_BYTES		64

void
book_keys_init(BookKeys *keys, Oid type, Oid collation)
{
	key_type_init(&keys->type, type, collation);
	keys->short_keys = keys->type.kind == KEY_WORD && keys->type.typlen <= sizeof(uint32);
}

void
customer_book_init(CustomerBook *book, BookKeys *keys, const EntryKind *kind, void *words,
				   MemoryContext context)
{
	memset(book, 0, sizeof(CustomerBook));
	book->keys = keys;
	book->numbered = keys->type.kind != KEY_WORD;
	entry_log_init(&book->log, kind, words, context);
}

/* ---------- numbers ---------- */

static void
create_map(CustomerBook *book)
{
	book->map = MemoryContextAlloc(book->log.context, sizeof(CustomerMap));
	customer_map_init(book->map, &book->keys->type, 1, book->log.context);
}

/* The number in a customer's payload, which is 0 for a new one; mixed. */
static inline uint32
payload_number(CustomerBook *book, uint64 *payload)
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
customer_book_number(CustomerBook *book, const Key *key)
{
	if (book->map == NULL)
		create_map(book);
	return payload_number(book, customer_map_upsert(book->map, key));
}

void
customer_book_make_numbered(CustomerBook *book)
{
	EntryLog	old = book->log;
	EntryScratch scratch = {CurrentMemoryContext, NULL, 0};

	if (book->numbered)
		return;
	book->numbered = true;
	if (old.shift == ENTRY_SHIFT_SINGLE)
		old.partitions = &old.single;
	/* the words of both logs refer to the same */
	entry_log_init(&book->log, old.kind, old.words, old.context);
	for (int i = 0; i < entry_log_partitions(&old); i++)
	{
		EntryPartition *p = &old.partitions[i];
		uint32		number = 0;

		if (p->n == 0)
			continue;
		old.words = book->log.words;
		entry_log_tidy(&old, p, &scratch);
		book->log.words = old.words;
		for (uint32 j = 0; j < p->n; j++)
		{
			Entry	   *entry = &p->entries[j];

			if (j == 0 || entry_mixed(entry) != entry_mixed(entry - 1))
			{
				Key			key = {0};

				key.word = compact_unmix(entry_mixed(entry));
				key.hash = key_hash_word(key.word);
				number = customer_book_number(book, &key);
			}
			entry_log_add(&book->log, number, entry_time(entry), entry->word);
		}
	}
	for (int i = 0; i < entry_log_partitions(&old); i++)
		if (old.partitions[i].entries != NULL)
			pfree(old.partitions[i].entries);
	if (old.partitions != &old.single)
		pfree(old.partitions);
	if (scratch.entries != NULL)
		pfree(scratch.entries);
}

/* ---------- waiting ---------- */

/*
 * Entries that wait get their numbers: slots of the map are asked for first, then
 * keys, then all are looked up.
 */
static void
number_waiting(CustomerBook *book)
{
	WaitingEntries *waiting = book->waiting;
	bool		word = book->keys->type.kind == KEY_WORD;
	uint64		moves;

	CHECK_FOR_INTERRUPTS();
	if (book->map == NULL)
		create_map(book);
	moves = book->map->moves;
	for (uint32 i = 0; i < waiting->n; i++)
		customer_map_prefetch(book->map, waiting->entries[i].hash, word);
	for (uint32 i = 0; i < waiting->n && !word; i++)
		waiting->entries[i].near = customer_map_prefetch_key(book->map, waiting->entries[i].hash);
	for (uint32 i = 0; i < waiting->n; i++)
	{
		WaitingEntry *entry = &waiting->entries[i];
		uint64	   *payload = NULL;
		Key			key = {0};

		key.hash = entry->hash;
		if (word)
		{
			key.word = entry->key;
			payload = customer_map_find_word(book->map, key.hash, key.word, 2);
			if (payload == NULL)
				payload = customer_map_upsert(book->map, &key);
		}
		else
		{
			key.data = waiting->bytes + (uint32) entry->key;
			key.len = (uint32) (entry->key >> 32);
			payload = customer_map_upsert_near(book->map, &key, entry->near, moves);
		}
		entry_log_add(&book->log, payload_number(book, payload), entry->time, entry->word);
	}
}

static void
forget_waiting(WaitingEntries *waiting)
{
	waiting->n = 0;
	waiting->bytes_used = 0;
}

/* Room for an entry more, and for its key; what waits is worked off where that is not to be had. */
static void
reserve_waiting(CustomerBook *book, uint32 len)
{
	MemoryContext context = book->log.context;
	WaitingEntries *waiting = book->waiting;

	if (waiting == NULL)
	{
		waiting = book->waiting = MemoryContextAllocZero(context, sizeof(WaitingEntries));
		waiting->capacity = WAITING_FIRST;
		waiting->entries = MemoryContextAlloc(context, sizeof(WaitingEntry) * WAITING_FIRST);
	}
	if (waiting->n == WAITING_MAX || waiting->bytes_used + len > WAITING_BYTES)
	{
		number_waiting(book);
		forget_waiting(waiting);
	}
	if (waiting->n == waiting->capacity)
	{
		waiting->capacity *= 2;
		waiting->entries = repalloc(waiting->entries, sizeof(WaitingEntry) * waiting->capacity);
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
add_waiting(CustomerBook *book, const Key *key, int32 time, uint64 word)
{
	bool		by_word = book->keys->type.kind == KEY_WORD;
	uint32		len = by_word ? 0 : (uint32) MAXALIGN(key->len);
	WaitingEntry *entry;

	reserve_waiting(book, len);
	entry = &book->waiting->entries[book->waiting->n++];
	entry->hash = key->hash;
	entry->key = key->word;
	entry->word = word;
	entry->time = time;
	if (by_word)
		return;
	entry->key = (uint64) key->len << 32 | book->waiting->bytes_used;
	memcpy(book->waiting->bytes + book->waiting->bytes_used, key->data, key->len);
	book->waiting->bytes_used += len;
}

void
customer_book_add(CustomerBook *book, const Key *key, int32 time, uint64 word)
{
	if (!book->numbered)
	{
		if (book_key_is_short(book->keys, (Datum) key->word))
		{
			entry_log_add(&book->log, compact_mix((uint32) key->word), time, word);
			return;
		}
		customer_book_make_numbered(book);
	}
	/* long keys would crowd out the others */
	if (key->len > WAITING_BYTES / 4)
		entry_log_add(&book->log, customer_book_number(book, key), time, word);
	else
		add_waiting(book, key, time, word);
}

CustomerBook *
customer_book_settled(CustomerBook *book)
{
	CustomerBook *settled = book;

	if (book->waiting == NULL || book->waiting->n == 0)
		return book;
	/*
	 * A map for a few entries is left to the caller's context: there may be a
	 * million groups.  Words that own memory are merged where they lie.
	 */
	if (book->map == NULL && !entry_log_owning(&book->log))
	{
		settled = palloc(sizeof(CustomerBook));
		*settled = *book;
		entry_log_init(&settled->log, book->log.kind, book->log.words, CurrentMemoryContext);
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
open_partition(CustomerBook *book, CustomerCursor *cursor)
{
	EntryLog   *log = &book->log;
	MemoryContext old = CurrentMemoryContext;

	CHECK_FOR_INTERRUPTS();
	while (cursor->partition < entry_log_partitions(log) &&
		   log->partitions[cursor->partition].n == 0)
		cursor->partition++;
	if (cursor->partition == entry_log_partitions(log))
	{
		if (cursor->garbage != NULL)
			MemoryContextDelete(cursor->garbage);
		if (cursor->scratch.entries != NULL)
			pfree(cursor->scratch.entries);
		return false;
	}
	if (entry_log_owning(log))
	{
		if (cursor->garbage == NULL)
			cursor->garbage = AllocSetContextCreate(CurrentMemoryContext, "merged words",
													ALLOCSET_DEFAULT_SIZES);
		MemoryContextReset(cursor->garbage);
		MemoryContextSwitchTo(cursor->garbage);
	}
	cursor->scratch.context = old;
	entry_log_tidy(log, &log->partitions[cursor->partition], &cursor->scratch);
	MemoryContextSwitchTo(old);
	return true;
}

const Entry *
customer_book_next(CustomerBook *book, CustomerCursor *cursor, uint32 *n)
{
	EntryPartition *p;
	const Entry *first;
	uint32		end;

	if (cursor->position == 0 && !open_partition(book, cursor))
		return NULL;
	p = &book->log.partitions[cursor->partition];
	first = &p->entries[cursor->position];
	end = cursor->position + 1;
	while (end < p->n && entry_mixed(&p->entries[end]) == entry_mixed(first))
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
