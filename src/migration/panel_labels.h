/*
 * panel_labels.h
 *	  Segments by number: the distinct labels of a panel, in the order in which
 *	  they came, or as declared.
 *
 * One piece of memory: labels, a hash table of their numbers, their bytes.
 * Growing moves it.
 *
 * Promises: a handful of labels takes some 150 bytes, as there may be a table
 * for each of a million groups; at most MIGRATION_STATES_MAX labels.
 * Never: knows what is labelled.
 */
#ifndef RETENTION_PANEL_LABELS_H
#define RETENTION_PANEL_LABELS_H

#include "value/label.h"
#include "migration/migration.h"

typedef struct PanelLabel
{
	uint32		hash;
	uint32		place;			/* in the bytes << 8 | length */
} PanelLabel;

StaticAssertDecl(MIGRATION_LABEL_MAX <= 0xff, "length of a label has outgrown a byte");

typedef struct PanelLabels
{
	MemoryContext context;
	uint32		n;
	uint32		room;			/* a power of two */
	uint32		bytes;
	uint32		bytes_room;
	bool		declared;		/* takes no other labels */
	PanelLabel	label[FLEXIBLE_ARRAY_MEMBER];
} PanelLabels;

/* No label has this number. */
#define PANEL_NO_LABEL PG_UINT32_MAX

extern PanelLabels *panel_labels_create(MemoryContext context);

/* Distinct labels, which may name states. */
extern PanelLabels *panel_labels_declare(char **labels, int32 n, MemoryContext context);

/*
 * A label that has no number yet gets the next one; returns where the table is
 * now.  22023 where it may not name a state, or is not in a declared list.
 */
extern PanelLabels *panel_labels_add(PanelLabels *labels, const char *text, uint32 len);

/* Do both declare the same list? */
extern bool panel_labels_same(const PanelLabels *a, const PanelLabels *b);

/* Numbers of labels plus one, 0 where there is none: twice as many slots as labels. */
static inline uint16 *
panel_label_slots(const PanelLabels *labels)
{
	return (uint16 *) &labels->label[labels->room];
}

static inline char *
panel_label_bytes(const PanelLabels *labels)
{
	return (char *) (panel_label_slots(labels) + 2 * (Size) labels->room);
}

/* Ends with a NUL. */
static inline const char *
panel_label(const PanelLabels *labels, uint32 number, uint32 *len)
{
	*len = labels->label[number].place & 0xff;
	return panel_label_bytes(labels) + (labels->label[number].place >> 8);
}

/* A label's number, or PANEL_NO_LABEL. */
static pg_attribute_always_inline uint32
panel_labels_find(const PanelLabels *labels, const char *text, uint32 len)
{
	const uint16 *slots = panel_label_slots(labels);
	const char *bytes = panel_label_bytes(labels);
	uint32		mask = labels->room * 2 - 1;
	uint32		hash;

	if (unlikely(len == 0))
		return PANEL_NO_LABEL;
	hash = label_bytes_hash(text, len);
	for (uint32 place = hash & mask; slots[place] != 0; place = (place + 1) & mask)
	{
		const PanelLabel *label = &labels->label[slots[place] - 1];

		if (label->hash == hash && (label->place & 0xff) == len &&
			label_bytes_equal(bytes + (label->place >> 8), text, len))
			return slots[place] - 1;
	}
	return PANEL_NO_LABEL;
}

#endif							/* RETENTION_PANEL_LABELS_H */
