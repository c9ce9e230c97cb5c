/*
 * order_amount.c
 *	  Orders in an entry log: the amount of a customer's day as a word.
 *
 * Shape and promises: see order_amount.h.
 */
#include "clv/order_amount.h"

#include "customer/arena.h"
#include "utils/numeric.h"
#include "value/amount_argument.h"

static uint64
store_big(EventLog *log, Numeric num)
{
	Size		bytes = VARSIZE(num);
	Arena	   *big = log->words;
	uint64		offset;

	if (big == NULL)
	{
		log->words = big = MemoryContextAlloc(log->context, sizeof(Arena));
		arena_init(big, log->context);
	}
	offset = arena_alloc_class(big, arena_class_for((bytes + ARENA_UNIT - 1) / ARENA_UNIT));
	memcpy(arena_pointer(big, offset), num, bytes);
	return offset << ORDER_LOW_BITS | ORDER_TAG_BIG;
}

static void
free_big(EventLog *log, uint64 word)
{
	uint64		offset = word >> ORDER_LOW_BITS;
	Size		bytes;

	if ((word & ORDER_TAG_MASK) != ORDER_TAG_BIG)
		return;
	bytes = VARSIZE(arena_pointer(log->words, offset));
	arena_free_class(log->words, offset,
					 arena_class_for((bytes + ARENA_UNIT - 1) / ARENA_UNIT));
}

uint64
order_amount_store(EventLog *log, const Amount *amount, uint64 move)
{
	if (amount->scale == AMOUNT_NONE)
		return ORDER_UNPAID;
	if (amount->big == NULL && order_value_fits(amount->value))
		return order_word(amount->value, (amount->scale + 1) | move);
	return store_big(log, amount_to_numeric(amount)) | move;
}

uint64
order_amount_datum(EventLog *log, Datum value, Oid type)
{
	Amount		amount = amount_argument(value, type);

	if (likely(amount.big == NULL && order_value_fits(amount.value)))
		return order_word(amount.value, (amount.scale + 1) |
						  (uint64) (amount.value < 0) << ORDER_TAG_BITS);
	return order_amount_store(log, &amount, amount_is_negative(&amount) ? ORDER_MOVE : 0);
}

Amount
order_amount_read(const EventLog *log, uint64 word)
{
	Amount		amount = amount_none();

	if (word == ORDER_UNPAID)
		return amount;
	amount.scale = 0;
	if ((word & ORDER_TAG_MASK) == ORDER_TAG_BIG)
		amount.big = arena_pointer(log->words, word >> ORDER_LOW_BITS);
	else
	{
		amount.scale = (int32) (word & ORDER_TAG_MASK) - 1;
		amount.value = order_value(word);
	}
	return amount;
}

static pg_noinline uint64
add_amounts_slow(EventLog *log, uint64 a, uint64 b)
{
	Amount		x = order_amount_read(log, a);
	Amount		y = order_amount_read(log, b);
	Amount		sum = amount_add(&x, &y);
	uint64		word = order_amount_store(log, &sum, a & b & ORDER_MOVE);

	free_big(log, a);
	free_big(log, b);
	return word;
}

/* A day is one of money alone if both are. */
static uint64
add_amounts(EventLog *log, uint64 a, uint64 b)
{
	uint64		low = a & ORDER_LOW_MASK;

	if (b == ORDER_UNPAID)
		return a & ~ORDER_MOVE;
	if (a == ORDER_UNPAID)
		return b & ~ORDER_MOVE;
	if (likely((b & ORDER_LOW_MASK) == low && (low & ORDER_TAG_MASK) != ORDER_TAG_BIG))
	{
		int64		sum = order_value(a) + order_value(b);

		if (likely(order_value_fits(sum)))
			return order_word(sum, low);
	}
	return add_amounts_slow(log, a, b);
}

const EntryKind order_entries = {add_amounts, true};
