/*
 * panel_labels.c
 *	  Segments by number.
 *
 * Shape and promises: see panel_labels.h.
 */
#include "migration/panel_labels.h"

#include "port/pg_bitutils.h"

#define FIRST_ROOM		4
#define FIRST_BYTES		40

static Size
labels_size(uint32 room, uint32 bytes_room)
{
	return offsetof(PanelLabels, label) + (sizeof(PanelLabel) + 2 * sizeof(uint16)) * room +
		bytes_room;
}

static PanelLabels *
panel_labels_allocate(uint32 room, uint32 bytes_room, MemoryContext context)
{
	PanelLabels *labels = MemoryContextAllocZero(context, labels_size(room, bytes_room));

	labels->context = context;
	labels->room = room;
	labels->bytes_room = bytes_room;
	return labels;
}

PanelLabels *
panel_labels_create(MemoryContext context)
{
	return panel_labels_allocate(FIRST_ROOM, FIRST_BYTES, context);
}

/* There is room. */
static void
panel_labels_put_label(PanelLabels *labels, const char *text, uint32 len)
{
	PanelLabel *label = &labels->label[labels->n];
	uint16	   *slots = panel_label_slots(labels);
	uint32		mask = labels->room * 2 - 1;
	uint32		place;

	label->hash = label_bytes_hash(text, len);
	label->place = labels->bytes << 8 | len;
	memcpy(panel_label_bytes(labels) + labels->bytes, text, len);
	/* zeroed memory ends it */
	labels->bytes += len + 1;
	place = label->hash & mask;
	while (slots[place] != 0)
		place = (place + 1) & mask;
	slots[place] = (uint16) (++labels->n);
}

/* The same labels with room for one more, of so many bytes. */
static PanelLabels *
panel_labels_enlarge(PanelLabels *labels, uint32 len)
{
	uint32		room = labels->n == labels->room ? labels->room * 2 : labels->room;
	uint32		bytes_room = labels->bytes_room;
	PanelLabels *larger;

	while (labels->bytes + len + 1 > bytes_room)
		bytes_room *= 2;
	larger = panel_labels_allocate(room, bytes_room, labels->context);
	for (uint32 i = 0; i < labels->n; i++)
	{
		uint32		old_len;
		const char *old = panel_label(labels, i, &old_len);

		panel_labels_put_label(larger, old, old_len);
	}
	pfree(labels);
	return larger;
}

PanelLabels *
panel_labels_declare(char **list, int32 n, MemoryContext context)
{
	uint32		bytes = 0;
	PanelLabels *labels;

	for (int32 i = 0; i < n; i++)
		bytes += strlen(list[i]) + 1;
	labels = panel_labels_allocate(pg_nextpower2_32(Max(n, 1)), bytes, context);
	for (int32 i = 0; i < n; i++)
		panel_labels_put_label(labels, list[i], strlen(list[i]));
	labels->declared = true;
	return labels;
}

PanelLabels *
panel_labels_add(PanelLabels *labels, const char *text, uint32 len)
{
	migration_label_check(text, len);
	if (labels->declared)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("segment \"%s\" is not in the list of states",
						migration_label_quote(text, len)),
				 errhint("Add it to the list, or leave the list out.")));
	if (labels->n >= MIGRATION_STATES_MAX)
		migration_states_error();
	if (labels->n == labels->room || labels->bytes + len + 1 > labels->bytes_room)
		labels = panel_labels_enlarge(labels, len);
	panel_labels_put_label(labels, text, len);
	return labels;
}

bool
panel_labels_same(const PanelLabels *a, const PanelLabels *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->n == b->n && a->bytes == b->bytes &&
		memcmp(panel_label_bytes(a), panel_label_bytes(b), a->bytes) == 0;
}
