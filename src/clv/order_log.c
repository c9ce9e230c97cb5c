/*
 * order_log.c
 *	  From rows of an orders table to each customer's days.
 *
 * Shape and promises: see order_amount.h.  Images of logs for parallel workers
 * are in order_log_serialize.c.
 */
#include "clv/order_log.h"

#include "utils/date.h"

OrderShared *
order_shared_create(const OrderTerms *terms, Oid keytype, Oid collation,
					MemoryContext query_context)
{
	MemoryContext old = MemoryContextSwitchTo(query_context);
	OrderShared *shared = palloc0(sizeof(OrderShared));

	shared->terms = *terms;
	log_keys_init(&shared->keys, keytype, collation);
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

OrderLog *
order_log_create(OrderShared *shared, MemoryContext context)
{
	OrderLog   *log = MemoryContextAllocZero(context, sizeof(OrderLog));

	log->magic = ORDER_BOOK_MAGIC;
	log->shared = shared;
	log->latest = DATEVAL_NOBEGIN;
	customer_log_init(&log->customers, &shared->keys, &order_entries, NULL, context);
	return log;
}

void
order_log_add(OrderLog *log, const Key *key, DateADT day, uint64 amount)
{
	if (day > log->latest)
		log->latest = day;
	customer_log_add(&log->customers, key, day, amount);
}
