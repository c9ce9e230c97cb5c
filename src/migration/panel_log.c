/*
 * panel_log.c
 *	  From rows of customer, time and segment to the segments of each customer by
 *	  period.
 *
 * Shape and promises: see panel_log.h.  What is made of a log is in
 * panel_matrix.c, images of logs for parallel workers in panel_log_serialize.c.
 */
#include "migration/panel_log.h"

#include "utils/memutils.h"

/* ---------- two rows of one customer and period ---------- */

static pg_noinline uint64
later_label(const LabelSet *labels, uint64 a, uint64 b)
{
	uint32		x = panel_word_label(a);
	uint32		y = panel_word_label(b);

	if (labels->declared)
		return x > y ? a : b;
	if (x == y)
		return a | (b & PANEL_TIE);
	return (label_compare(label_set_text(labels, x), label_set_text(labels, y)) > 0 ? a : b) |
		PANEL_TIE;
}

static uint64
later_row(EventLog *log, uint64 a, uint64 b)
{
	int64		difference = (int64) ((a & ~PANEL_LABEL_MASK) - (b & ~PANEL_LABEL_MASK));

	if (difference == 0)
		return later_label(panel_labels(log), a, b);
	return difference > 0 ? a : b;
}

static const EntryKind panel_entries = {later_row, false};

/* ---------- logs ---------- */

/* A declared list in lower case: no two of its labels may be equal then. */
static LabelSet *
fold_list(const PanelList *list, MemoryContext context)
{
	char	  **folded = palloc(sizeof(char *) * (list->n + 1));
	int32	   *same = palloc(sizeof(int32) * (list->n + 1));

	migration_labels_fold(list->labels, list->n, same);
	for (int32 i = 0; i < list->n; i++)
	{
		if (same[i] != i)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("state \"%s\" is in the list twice",
							migration_label_quote(list->labels[i], strlen(list->labels[i]))),
					 errdetail("Segments of type citext are equal if they differ in case only.")));
		folded[i] = migration_label_fold(list->labels[i], strlen(list->labels[i]));
	}
	return label_set_declare(folded, list->n, context);
}

/* The number of a label in the list of states, which it may be written otherwise in. */
static uint32
panel_shared_find(const PanelShared *shared, const char *text, uint32 len)
{
	uint32		number = label_set_find(shared->declared, text, len);
	char	   *folded;

	if (number != LABEL_NONE || shared->folded == NULL)
		return number;
	folded = migration_label_fold(text, (int) len);
	number = label_set_find(shared->folded, folded, strlen(folded));
	pfree(folded);
	return number;
}

PanelShared *
panel_shared_create(const PanelTerms *terms, const PanelList *states, const PanelList *finals,
					Oid keytype, Oid collation, MemoryContext query_context)
{
	MemoryContext old = MemoryContextSwitchTo(query_context);
	PanelShared *shared = palloc0(sizeof(PanelShared));

	shared->terms = *terms;
	if (states->labels != NULL)
	{
		shared->declared = label_set_declare(states->labels, states->n, query_context);
		if (terms->folds)
			shared->folded = fold_list(states, query_context);
	}
	if (finals->n > 0)
		shared->finals = label_set_declare(finals->labels, finals->n, query_context);
	for (int32 i = 0; shared->declared != NULL && i < finals->n; i++)
		if (panel_shared_find(shared, finals->labels[i], strlen(finals->labels[i])) == LABEL_NONE)
			migration_undeclared_error(finals->labels[i], strlen(finals->labels[i]));
	log_keys_init(&shared->keys, keytype, collation);
	MemoryContextSwitchTo(old);
	return shared;
}

const char *
panel_shared_differ(const PanelShared *shared, const PanelShared *other)
{
	const PanelTerms *own = &shared->terms;
	const PanelTerms *terms = &other->terms;

	if (own->period.unit != terms->period.unit ||
		own->period.week_start != terms->period.week_start)
		return "period";
	if (own->zoned != terms->zoned || strcmp(own->zone, terms->zone) != 0)
		return "time zone";
	if (own->changes != terms->changes || own->last != terms->last)
		return "as_of";
	if (!label_set_same(shared->finals, other->finals))
		return "list of final segments";
	/* the last one: lists that differ may do so for an enum that has grown */
	if (own->folds != terms->folds || !label_set_same(shared->declared, other->declared))
		return "list of states";
	return NULL;
}

PanelLog *
panel_log_create(PanelShared *shared, MemoryContext context)
{
	PanelLog   *log = MemoryContextAllocZero(context, sizeof(PanelLog));
	LabelSet   *labels = shared->declared;

	if (labels == NULL)
		labels = label_set_create(context);
	log->magic = PANEL_BOOK_MAGIC;
	log->shared = shared;
	customer_log_init(&log->customers, &shared->keys, &panel_entries, labels, context);
	return log;
}

uint32
panel_log_label(PanelLog *log, const char *text, uint32 len)
{
	LabelSet   *labels = panel_labels(&log->customers.log);
	uint32		number = label_set_find(labels, text, len);

	if (likely(number != LABEL_NONE))
		return number;
	migration_label_check(text, len);
	if (labels->declared)
	{
		number = panel_shared_find(log->shared, text, len);
		if (number == LABEL_NONE)
			migration_undeclared_error(text, len);
		return number;
	}
	if (labels->n >= MIGRATION_STATES_MAX)
		migration_states_error();
	labels = label_set_add(labels, text, len);
	log->customers.log.words = labels;
	return labels->n - 1;
}

void
panel_log_leave_out(PanelLog *log, PanelLeftOut kind, int64 rows)
{
	if (rows == 0)
		return;
	if (log->left_out == NULL)
		log->left_out = MemoryContextAllocZero(log->customers.log.context,
											   sizeof(int64) * LEFT_OUT_KINDS);
	log->left_out[kind] += rows;
}
