/*
 * panel_log_serialize.c
 *	  Books of panels on their way between parallel workers.
 *
 * An image is a header, the labels in the order of their numbers, each with its
 * length before it, likewise final segments, and the customers (customer_log_serialize.c), with words as they are
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
	bool		folds;
	bool		enumerated;
	bool		changes;
	bool		declared;
	bool		by_number;
	uint8		zone;			/* length of its name, which follows */
	uint16		labels;
	uint16		finals;			/* which follow the labels */
	int32		last;
	int64		left_out[LEFT_OUT_KINDS];
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
	header.folds = shared->terms.folds;
	header.enumerated = shared->terms.enumerated;
	header.changes = shared->terms.changes;
	header.last = shared->terms.last;
	if (log->left_out != NULL)
		memcpy(header.left_out, log->left_out, sizeof(header.left_out));
	header.declared = labels->declared;
	header.by_number = customers->by_number;
	header.zone = (uint8) strlen(shared->terms.zone);
	header.labels = (uint16) labels->n;
	header.finals = (uint16) (shared->finals == NULL ? 0 : shared->finals->n);

	image_begin(&buf, AGGREGATE, sizeof(header));
	image_put(&buf, shared->terms.zone, header.zone);
	panel_image_put_labels(&buf, labels);
	if (shared->finals != NULL)
		panel_image_put_labels(&buf, shared->finals);
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
	return (word & ~(PANEL_LABEL_MASK & ~PANEL_TIE)) | numbers->number[panel_word_label(word)];
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

/* The terms of an image, which "probe" has without keys: from the list or new to it. */
static PanelShared *
panel_image_shared(PanelShared **list, const ImageHeader *header, const PanelShared *probe,
				   const PanelList *states, const PanelList *finals, MemoryContext query_context)
{
	PanelShared *shared;

	for (shared = *list; shared != NULL; shared = shared->next)
		if (shared->keys.type.type == header->keytype &&
			panel_shared_differ(shared, probe) == NULL)
			return shared;
	shared = panel_shared_create(&probe->terms, states, finals, header->keytype,
								 header->collation, query_context);
	shared->next = *list;
	*list = shared;
	return shared;
}

/*
 * May a log take rows of another one, though their lists of states differ?  Those of
 * an enum may: one that has gained a value meanwhile is the longer one.
 */
static bool
panel_list_takes(const PanelShared *shared, const PanelShared *other)
{
	return shared->terms.enumerated && other->terms.enumerated &&
		migration_set_within(other->declared, shared->declared);
}

/* The rows of an image, whose labels these are. */
static void
panel_image_take_rows(PanelLog *log, ImageReader *reader, const ImageHeader *header,
					  char *const *labels)
{
	LabelNumbers numbers;

	numbers.n = header->labels;
	for (uint32 i = 0; i < numbers.n; i++)
		numbers.number[i] = (uint16) panel_log_label(log, labels[i], strlen(labels[i]));
	for (int i = 0; i < LEFT_OUT_KINDS; i++)
		panel_log_leave_out(log, (PanelLeftOut) i, header->left_out[i]);
	reader->by_number = header->by_number;
	reader->customers = header->customers;
	reader->take_word = take_row;
	reader->words = &numbers;
	customer_image_merge(&log->customers, reader);
}

void
panel_log_merge(PanelLog **log, PanelShared **shared, MemoryContext context,
				MemoryContext query_context, const StateImage *image)
{
	ImageReader reader = {0};
	ImageHeader header;
	PanelShared probe = {0};
	PanelList	states = {NULL, 0};
	PanelList	finals = {NULL, 0};
	char	  **labels;
	const char *differs;

	reader.at = (const uint8 *) image->data;
	reader.end = reader.at + image->len;
	reader.aggregate = AGGREGATE;
	memcpy(&header, image_take(&reader, sizeof(ImageHeader)), sizeof(ImageHeader));
	if (header.magic != PANEL_IMAGE_MAGIC)
		image_corrupt(&reader);
	probe.terms.period = header.period;
	probe.terms.zoned = header.zoned;
	probe.terms.folds = header.folds;
	probe.terms.enumerated = header.enumerated;
	probe.terms.changes = header.changes;
	probe.terms.last = header.last;
	memcpy(probe.terms.zone, image_take(&reader, header.zone), header.zone);
	labels = panel_image_take_labels(&reader, header.labels);
	if (header.declared)
	{
		states.labels = labels;
		states.n = header.labels;
		probe.declared = label_set_declare(states.labels, states.n, CurrentMemoryContext);
	}
	if (header.finals > 0)
	{
		finals.labels = panel_image_take_labels(&reader, header.finals);
		finals.n = header.finals;
		probe.finals = label_set_declare(finals.labels, finals.n, CurrentMemoryContext);
	}
	if (*log != NULL)
	{
		if ((*log)->shared->keys.type.type != header.keytype)
			image_corrupt(&reader);
		differs = panel_shared_differ((*log)->shared, &probe);
		if (differs != NULL && panel_list_takes(&probe, (*log)->shared) &&
			!panel_list_takes((*log)->shared, &probe))
		{
			/* the image's list is the longer one: its log takes ours */
			StateImage	ours = state_image_of(panel_log_serialize(*log));

			*log = panel_log_create(panel_image_shared(shared, &header, &probe, &states, &finals,
													   query_context), context);
			panel_log_merge(log, shared, context, query_context, &ours);
		}
		else if (differs != NULL && !panel_list_takes((*log)->shared, &probe))
			parameter_differs_error(differs);
	}
	else
		*log = panel_log_create(panel_image_shared(shared, &header, &probe, &states, &finals,
												   query_context), context);
	panel_image_take_rows(*log, &reader, &header, labels);
}
