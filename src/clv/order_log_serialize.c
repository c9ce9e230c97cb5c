/*
 * order_log_serialize.c
 *	  Books of orders on their way between parallel workers.
 *
 * An image is a header and the customers (customer_log_serialize.c), with amounts as
 * words:
 *	  low bits		0 without amount; scale + 1, or that of large amounts, and whether
 *					only money moved
 *	  amount		s value; or length and bytes of a numeric, as they are
 *
 * Never: stored on disk, or changed by the merge.
 */
#include "clv/order_log.h"

#include "customer/customer_log_serialize.h"
#include "fmgr/parameter_sets.h"
#include "utils/date.h"
#include "utils/memutils.h"

#define AGGREGATE	"clv_model"

typedef struct ImageHeader
{
	int			magic;
	Oid			keytype;
	Oid			collation;
	DateADT		latest;
	DateADT		as_of;
	bool		has_as_of;
	bool		zoned;
	bool		by_number;
	bool		later;
	uint8		zone;			/* length of its name, which follows */
	ClvSpec		spec;
	int64		skipped;
	uint64		customers;
} ImageHeader;

/* ---------- writing ---------- */

static void
order_image_put_amount(ImageBuffer *buf, const EventLog *log, uint64 word)
{
	image_put_varint(buf, word & ORDER_LOW_MASK);
	if ((word & ORDER_TAG_MASK) == ORDER_TAG_BIG)
	{
		Amount		amount = order_amount_read(log, word);

		image_put_varint(buf, VARSIZE(amount.big));
		image_put(buf, amount.big, VARSIZE(amount.big));
	}
	else if (word != ORDER_UNPAID)
		image_put_varint(buf, zigzag(order_value(word)));
}

bytea *
order_log_serialize(OrderLog *log)
{
	const OrderTerms *terms = &log->shared->terms;
	CustomerLog *customers = customer_log_flushed(&log->customers);
	ImageHeader header;
	ImageBuffer buf;

	memset(&header, 0, sizeof(header));
	header.magic = ORDER_IMAGE_MAGIC;
	header.keytype = log->shared->keys.type.type;
	header.collation = log->shared->keys.type.collation;
	header.latest = log->latest;
	header.later = log->later;
	header.as_of = terms->as_of;
	header.has_as_of = terms->has_as_of;
	header.zoned = terms->zoned;
	header.by_number = customers->by_number;
	header.zone = (uint8) strlen(terms->zone);
	header.spec = terms->spec;
	header.skipped = log->skipped;

	image_begin(&buf, AGGREGATE, sizeof(header));
	image_put(&buf, terms->zone, header.zone);
	header.customers = customer_image_put(&buf, customers, order_image_put_amount);
	memcpy(buf.data + VARHDRSZ, &header, sizeof(header));
	return image_finish(&buf);
}

/* ---------- reading ---------- */

/* A numeric, which the image may hold unaligned, into the log. */
static uint64
take_big(ImageReader *reader, EventLog *log, uint64 move)
{
	uint64		len = image_take_varint(reader);
	const char *bytes = image_take(reader, len);
	Amount		amount = {0, 0, NULL};
	uint64		word;

	if (len <= VARHDRSZ || len > MaxAllocSize)
		image_corrupt(reader);
	amount.big = palloc(len);
	memcpy(amount.big, bytes, len);
	if (!VARATT_IS_4B_U(amount.big) || VARSIZE(amount.big) != len)
		image_corrupt(reader);
	word = order_amount_store(log, &amount, move);
	pfree(amount.big);
	return word;
}

static uint64
take_amount(ImageReader *reader, EventLog *log)
{
	uint64		low = image_take_varint(reader);
	uint64		tag = low & ORDER_TAG_MASK;
	int64		value;

	if (low == 0)
		return ORDER_UNPAID;
	if (low > ORDER_LOW_MASK)
		image_corrupt(reader);
	if (tag == ORDER_TAG_BIG)
		return take_big(reader, log, low & ORDER_MOVE);
	value = unzigzag(image_take_varint(reader));
	if (tag == 0 || tag > ORDER_TAG_LAST || !order_value_fits(value))
		image_corrupt(reader);
	return order_word(value, low);
}

/* The terms of an image, from the list or new to it. */
static OrderShared *
order_image_shared(OrderShared **list, const ImageHeader *header, const OrderTerms *terms,
				   MemoryContext query_context)
{
	OrderShared *shared;

	for (shared = *list; shared != NULL; shared = shared->next)
		if (shared->keys.type.type == header->keytype &&
			order_terms_differ(&shared->terms, terms) == NULL)
			return shared;
	shared = order_shared_create(terms, header->keytype, header->collation, query_context);
	shared->next = *list;
	*list = shared;
	return shared;
}

void
order_log_merge(OrderLog **log, OrderShared **shared, MemoryContext context,
				MemoryContext query_context, const StateImage *image)
{
	ImageReader reader = {0};
	ImageHeader header;
	OrderTerms	terms = {0};

	reader.at = (const uint8 *) image->data;
	reader.end = reader.at + image->len;
	reader.aggregate = AGGREGATE;
	memcpy(&header, image_take(&reader, sizeof(ImageHeader)), sizeof(ImageHeader));
	if (header.magic != ORDER_IMAGE_MAGIC)
		image_corrupt(&reader);
	terms.spec = header.spec;
	terms.has_as_of = header.has_as_of;
	terms.as_of = header.as_of;
	terms.zoned = header.zoned;
	memcpy(terms.zone, image_take(&reader, header.zone), header.zone);

	if (*log == NULL)
		*log = order_log_create(order_image_shared(shared, &header, &terms, query_context), context);
	else
	{
		const char *differs = order_terms_differ(&(*log)->shared->terms, &terms);

		if (differs != NULL)
			parameter_differs_error(differs);
		if ((*log)->shared->keys.type.type != header.keytype)
			image_corrupt(&reader);
	}
	(*log)->latest = Max((*log)->latest, header.latest);
	(*log)->later |= header.later;
	(*log)->skipped += header.skipped;
	reader.by_number = header.by_number;
	reader.customers = header.customers;
	reader.take_word = take_amount;
	customer_image_merge(&(*log)->customers, &reader);
}
