/*
 * panel_log_serialize.c
 *	  Books of panels on their way between parallel workers.
 *
 * An image is a header, the labels in the order of their numbers, each with its
 * length before it, and the customers (customer_log_serialize.c), with words as they are
 * in a log, 8 bytes each.
 *
 * Never: stored on disk, or changed by the merge.
 */
#include "migration/panel_log.h"

#include "customer/customer_log_serialize.h"
#include "fmgr/parameter_sets.h"

#define AGGREGATE	"migration_matrix"

typedef struct ImageHeader
{
	int			magic;
	Oid			keytype;
	Oid			collation;
	PeriodSpec	period;
	bool		zoned;
	bool		declared;
	bool		by_number;
	uint8		zone;			/* length of its name, which follows */
	uint16		labels;
	uint64		customers;
} ImageHeader;

/* ---------- writing ---------- */

static void
panel_image_put_row(ImageBuffer *buf, const EventLog *log, uint64 word)
{
	/* room was reserved */
	memcpy(buf->data + buf->len, &word, sizeof(word));
	buf->len += sizeof(word);
}

static void
panel_image_put_labels(ImageBuffer *buf, const LabelSet *labels)
{
	for (uint32 i = 0; i < labels->n; i++)
	{
		const char *text = label_set_text(labels, i);
		uint32		len = label_set_len(labels, i);

		image_reserve(buf, VARINT_MAX_BYTES);
		image_put_varint(buf, len);
		image_put(buf, text, len);
	}
}

bytea *
panel_log_serialize(PanelLog *log)
{
	const PanelShared *shared = log->shared;
	CustomerLog *customers = customer_log_flushed(&log->customers);
	const LabelSet *labels = panel_labels(&customers->log);
	ImageHeader header;
	ImageBuffer buf;

	memset(&header, 0, sizeof(header));
	header.magic = PANEL_IMAGE_MAGIC;
	header.keytype = shared->keys.type.type;
	header.collation = shared->keys.type.collation;
	header.period = shared->terms.period;
	header.zoned = shared->terms.zoned;
	header.declared = labels->declared;
	header.by_number = customers->by_number;
	header.zone = (uint8) strlen(shared->terms.zone);
	header.labels = (uint16) labels->n;

	image_begin(&buf, AGGREGATE, sizeof(header));
	image_put(&buf, shared->terms.zone, header.zone);
	panel_image_put_labels(&buf, labels);
	header.customers = customer_image_put(&buf, customers, panel_image_put_row);
	memcpy(buf.data + VARHDRSZ, &header, sizeof(header));
	return image_finish(&buf);
}

/* ---------- reading ---------- */

/* Labels of an image by their numbers in a log. */
typedef struct LabelNumbers
{
	uint32		n;
	uint16		number[MIGRATION_STATES_MAX];
} LabelNumbers;

static uint64
take_row(ImageReader *reader, EventLog *log)
{
	const LabelNumbers *numbers = reader->words;
	uint64		word;

	memcpy(&word, image_take(reader, sizeof(word)), sizeof(word));
	if (panel_word_label(word) >= numbers->n)
		image_corrupt(reader);
	return (word & ~PANEL_LABEL_MASK) | numbers->number[panel_word_label(word)];
}

/* The labels of an image, as they lie, copied. */
static char **
panel_image_take_labels(ImageReader *reader, uint32 n)
{
	char	  **labels = palloc(sizeof(char *) * (n + 1));

	if (n > MIGRATION_STATES_MAX)
		image_corrupt(reader);
	for (uint32 i = 0; i < n; i++)
	{
		uint64		len = image_take_varint(reader);
		const char *text = image_take(reader, len);

		if (len == 0 || len > MIGRATION_LABEL_MAX)
			image_corrupt(reader);
		labels[i] = pnstrdup(text, len);
	}
	return labels;
}

/* The terms of an image, from the list or new to it. */
static PanelShared *
panel_image_shared(PanelShared **list, const ImageHeader *header, const PanelTerms *terms,
			 char **labels, const LabelSet *declared, MemoryContext query_context)
{
	PanelShared *shared;

	for (shared = *list; shared != NULL; shared = shared->next)
		if (shared->keys.type.type == header->keytype &&
			panel_shared_differ(shared, terms, declared) == NULL)
			return shared;
	shared = panel_shared_create(terms, header->declared ? labels : NULL, header->labels,
								 header->keytype, header->collation, query_context);
	shared->next = *list;
	*list = shared;
	return shared;
}

void
panel_log_merge(PanelLog **log, PanelShared **shared, MemoryContext context,
				 MemoryContext query_context, const StateImage *image)
{
	ImageReader reader = {0};
	ImageHeader header;
	PanelTerms	terms = {0};
	LabelSet *declared = NULL;
	LabelNumbers numbers;
	char	  **labels;

	reader.at = (const uint8 *) image->data;
	reader.end = reader.at + image->len;
	reader.aggregate = AGGREGATE;
	memcpy(&header, image_take(&reader, sizeof(ImageHeader)), sizeof(ImageHeader));
	if (header.magic != PANEL_IMAGE_MAGIC)
		image_corrupt(&reader);
	terms.period = header.period;
	terms.zoned = header.zoned;
	memcpy(terms.zone, image_take(&reader, header.zone), header.zone);
	labels = panel_image_take_labels(&reader, header.labels);
	if (header.declared)
		declared = label_set_declare(labels, header.labels, CurrentMemoryContext);

	if (*log == NULL)
		*log = panel_log_create(panel_image_shared(shared, &header, &terms, labels, declared,
											   query_context), context);
	else
	{
		const char *differs = panel_shared_differ((*log)->shared, &terms, declared);

		if (differs != NULL)
			parameter_differs_error(differs);
		if ((*log)->shared->keys.type.type != header.keytype)
			image_corrupt(&reader);
	}
	numbers.n = header.labels;
	for (uint32 i = 0; i < numbers.n; i++)
		numbers.number[i] = (uint16) panel_log_label(*log, labels[i], strlen(labels[i]));
	reader.by_number = header.by_number;
	reader.customers = header.customers;
	reader.take_word = take_row;
	reader.words = &numbers;
	customer_image_merge(&(*log)->customers, &reader);
}
