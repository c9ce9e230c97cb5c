/*
 * customer_log.c
 *	  From rows to the entries of each customer.
 *
 * Shape and promises: see customer_log.h.  Images of logs for parallel workers
 * are in customer_log_serialize.c.
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
log_keys_init(LogKeys *keys, Oid type, Oid collation)
{
	key_type_init(&keys->type, type, collation);
	keys->short_keys = keys->type.kind == KEY_WORD && keys->type.typlen <= sizeof(uint32);
}

void
customer_log_init(CustomerLog *customers, LogKeys *keys, const EntryKind *kind, void *words,
				  MemoryContext context)
{
	memset(customers, 0, sizeof(CustomerLog));
	customers->keys = keys;
	customers->by_number = keys->type.kind != KEY_WORD;
	event_log_init(&customers->log, kind, words, context);
}

/* ---------- numbers ---------- */

static void
create_map(CustomerLog *customers)
{
	customers->map = MemoryContextAlloc(customers->log.context, sizeof(CustomerMap));
	customer_map_init(customers->map, &customers->keys->type, 1, customers->log.context);
}

/* The number in a customer's payload, which is 0 for a new one; mixed. */
static inline uint32
payload_number(CustomerLog *customers, uint64 *payload)
{
	if (*payload == 0)
	{
		if (customers->map->count > PG_UINT32_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("more than %u customers for one aggregate", PG_UINT32_MAX)));
		*payload = customers->map->count;
	}
	return compact_mix((uint32) (*payload - 1));
}

uint32
customer_log_number(CustomerLog *customers, const Key *key)
{
	if (customers->map == NULL)
		create_map(customers);
	return payload_number(customers, customer_map_upsert(customers->map, key));
}

void
customer_log_make_by_number(CustomerLog *customers)
{
	EventLog	old = customers->log;
	EntryScratch scratch = {CurrentMemoryContext, NULL, 0};

	if (customers->by_number)
		return;
	customers->by_number = true;
	if (old.shift == ENTRY_SHIFT_SINGLE)
		old.partitions = &old.single;
	/* the words of both logs refer to the same */
	event_log_init(&customers->log, old.kind, old.words, old.context);
	for (int i = 0; i < event_log_partitions(&old); i++)
	{
		EntryPartition *p = &old.partitions[i];
		uint32		number = 0;

		if (p->n == 0)
			continue;
		old.words = customers->log.words;
		event_log_tidy(&old, p, &scratch);
		customers->log.words = old.words;
		for (uint32 j = 0; j < p->n; j++)
		{
			Entry	   *entry = &p->entries[j];

			if (j == 0 || entry_mixed(entry) != entry_mixed(entry - 1))
			{
				Key			key = {0};

				key.word = compact_unmix(entry_mixed(entry));
				key.hash = key_hash_word(key.word);
				number = customer_log_number(customers, &key);
			}
			event_log_add(&customers->log, number, entry_time(entry), entry->word);
		}
	}
	for (int i = 0; i < event_log_partitions(&old); i++)
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
number_waiting(CustomerLog *customers)
{
	WaitingEntries *waiting = customers->waiting;
	bool		word = customers->keys->type.kind == KEY_WORD;
	uint64		moves;

	CHECK_FOR_INTERRUPTS();
	if (customers->map == NULL)
		create_map(customers);
	moves = customers->map->moves;
	for (uint32 i = 0; i < waiting->n; i++)
		customer_map_prefetch(customers->map, waiting->entries[i].hash, word);
	for (uint32 i = 0; i < waiting->n && !word; i++)
		waiting->entries[i].near = customer_map_prefetch_key(customers->map, waiting->entries[i].hash);
	for (uint32 i = 0; i < waiting->n; i++)
	{
		WaitingEntry *entry = &waiting->entries[i];
		uint64	   *payload = NULL;
		Key			key = {0};

		key.hash = entry->hash;
		if (word)
		{
			key.word = entry->key;
			payload = customer_map_find_word(customers->map, key.hash, key.word, 2);
			if (payload == NULL)
				payload = customer_map_upsert(customers->map, &key);
		}
		else
		{
			key.data = waiting->bytes + (uint32) entry->key;
			key.len = (uint32) (entry->key >> 32);
			payload = customer_map_upsert_near(customers->map, &key, entry->near, moves);
		}
		event_log_add(&customers->log, payload_number(customers, payload), entry->time, entry->word);
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
reserve_waiting(CustomerLog *customers, uint32 len)
{
	MemoryContext context = customers->log.context;
	WaitingEntries *waiting = customers->waiting;

	if (waiting == NULL)
	{
		waiting = customers->waiting = MemoryContextAllocZero(context, sizeof(WaitingEntries));
		waiting->capacity = WAITING_FIRST;
		waiting->entries = MemoryContextAlloc(context, sizeof(WaitingEntry) * WAITING_FIRST);
	}
	if (waiting->n == WAITING_MAX || waiting->bytes_used + len > WAITING_BYTES)
	{
		number_waiting(customers);
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
add_waiting(CustomerLog *customers, const Key *key, int32 time, uint64 word)
{
	bool		by_word = customers->keys->type.kind == KEY_WORD;
	uint32		len = by_word ? 0 : (uint32) MAXALIGN(key->len);
	WaitingEntry *entry;

	reserve_waiting(customers, len);
	entry = &customers->waiting->entries[customers->waiting->n++];
	entry->hash = key->hash;
	entry->key = key->word;
	entry->word = word;
	entry->time = time;
	if (by_word)
		return;
	entry->key = (uint64) key->len << 32 | customers->waiting->bytes_used;
	memcpy(customers->waiting->bytes + customers->waiting->bytes_used, key->data, key->len);
	customers->waiting->bytes_used += len;
}

void
customer_log_add(CustomerLog *customers, const Key *key, int32 time, uint64 word)
{
	if (!customers->by_number)
	{
		if (log_key_is_short(customers->keys, (Datum) key->word))
		{
			event_log_add(&customers->log, compact_mix((uint32) key->word), time, word);
			return;
		}
		customer_log_make_by_number(customers);
	}
	/* long keys would crowd out the others */
	if (key->len > WAITING_BYTES / 4)
		event_log_add(&customers->log, customer_log_number(customers, key), time, word);
	else
		add_waiting(customers, key, time, word);
}

CustomerLog *
customer_log_flushed(CustomerLog *customers)
{
	CustomerLog *flushed = customers;

	if (customers->waiting == NULL || customers->waiting->n == 0)
		return customers;

	/*
	 * A map for a few entries is left to the caller's context: there may be a million groups.
	 * Words that own memory are merged where they lie.
	 */
	if (customers->map == NULL && !event_log_owning(&customers->log))
	{
		flushed = palloc(sizeof(CustomerLog));
		*flushed = *customers;
		event_log_init(&flushed->log, customers->log.kind, customers->log.words, CurrentMemoryContext);
		number_waiting(flushed);
		flushed->waiting = NULL;
		return flushed;
	}
	number_waiting(customers);
	forget_waiting(customers->waiting);
	return customers;
}

/* ---------- reading ---------- */

/* The next partition that is not empty, made tidy; false at the end. */
static bool
open_partition(CustomerLog *customers, CustomerCursor *cursor)
{
	EventLog   *log = &customers->log;
	MemoryContext old = CurrentMemoryContext;

	CHECK_FOR_INTERRUPTS();
	while (cursor->partition < event_log_partitions(log) &&
		   log->partitions[cursor->partition].n == 0)
		cursor->partition++;
	if (cursor->partition == event_log_partitions(log))
	{
		if (cursor->garbage != NULL)
			MemoryContextDelete(cursor->garbage);
		if (cursor->scratch.entries != NULL)
			pfree(cursor->scratch.entries);
		return false;
	}
	if (event_log_owning(log))
	{
		if (cursor->garbage == NULL)
			cursor->garbage = AllocSetContextCreate(CurrentMemoryContext, "merged words",
													ALLOCSET_DEFAULT_SIZES);
		MemoryContextReset(cursor->garbage);
		MemoryContextSwitchTo(cursor->garbage);
	}
	cursor->scratch.context = old;
	event_log_tidy(log, &log->partitions[cursor->partition], &cursor->scratch);
	MemoryContextSwitchTo(old);
	return true;
}

const Entry *
customer_log_next(CustomerLog *customers, CustomerCursor *cursor, uint32 *n)
{
	EntryPartition *p;
	const Entry *first;
	uint32		end;

	if (cursor->position == 0 && !open_partition(customers, cursor))
		return NULL;
	p = &customers->log.partitions[cursor->partition];
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
