/*
 * survival_labels.c
 *	  Groups, strata and causes by number.
 *
 * Promises: see survival_labels.h.
 */
#include "survival/survival_labels.h"

#include "common/hashfn.h"
#include "mb/pg_wchar.h"

#define FIRST_ROOM	4
#define QUOTE_MAX	64			/* bytes of a label that a message shows */

SurvivalLabels *
survival_labels_create(MemoryContext context)
{
	SurvivalLabels *labels = MemoryContextAllocZero(context, sizeof(SurvivalLabels));

	labels->context = context;
	return labels;
}

static void
survival_labels_put_slot(SurvivalLabels *labels, int number)
{
	uint32		mask = labels->room * 2 - 1;
	uint32		place = labels->hash[number] & mask;

	while (labels->slots[place] != 0)
		place = (place + 1) & mask;
	labels->slots[place] = (uint16) (number + 1);
}

static void
survival_labels_enlarge(SurvivalLabels *labels)
{
	MemoryContext old = MemoryContextSwitchTo(labels->context);

	if (labels->room == 0)
	{
		labels->room = FIRST_ROOM;
		labels->text = palloc(sizeof(char *) * labels->room);
		labels->hash = palloc(sizeof(uint32) * labels->room);
	}
	else
	{
		labels->room *= 2;
		labels->text = repalloc(labels->text, sizeof(char *) * labels->room);
		labels->hash = repalloc(labels->hash, sizeof(uint32) * labels->room);
		pfree(labels->slots);
	}
	labels->slots = palloc0(sizeof(uint16) * labels->room * 2);
	for (int i = 0; i < labels->n; i++)
		survival_labels_put_slot(labels, i);
	MemoryContextSwitchTo(old);
}

static int
survival_labels_add_label(SurvivalLabels *labels, const char *text, int len, uint32 hash, const char *what)
{
	if (len > SURVIVAL_LABEL_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s \"%s...\" is too long", what,
						pnstrdup(text, pg_mbcliplen(text, len, QUOTE_MAX))),
				 errdetail("It has %d bytes; the limit is %d.", len, SURVIVAL_LABEL_MAX)));
	if (labels->n >= SURVIVAL_LABELS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a survival_table cannot have more than %d %s", SURVIVAL_LABELS_MAX,
						strcmp(what, "stratum") == 0 ? "strata" : psprintf("%ss", what)),
				 errhint("A %s is the name of a segment, not of a customer.", what)));
	if (labels->n == labels->room)
		survival_labels_enlarge(labels);
	labels->text[labels->n] = MemoryContextAlloc(labels->context, len + 1);
	memcpy(labels->text[labels->n], text, len);
	labels->text[labels->n][len] = '\0';
	labels->hash[labels->n] = hash;
	survival_labels_put_slot(labels, labels->n);
	return labels->n++;
}

/* Stored labels may be shorter than what they are compared with. */
static inline bool
survival_labels_is_label(const SurvivalLabels *labels, int number, const char *text, int len)
{
	const char *label = labels->text[number];

	return strnlen(label, len + 1) == len && memcmp(label, text, len) == 0;
}

int
survival_labels_number(SurvivalLabels *labels, const char *text, int len, const char *what)
{
	uint32		hash;

	if (labels->n > 0 && survival_labels_is_label(labels, labels->last, text, len))
		return labels->last;
	hash = hash_bytes((const unsigned char *) text, len);
	if (labels->n > 0)
	{
		uint32		mask = labels->room * 2 - 1;

		for (uint32 place = hash & mask; labels->slots[place] != 0; place = (place + 1) & mask)
		{
			int			number = labels->slots[place] - 1;

			if (labels->hash[number] == hash && survival_labels_is_label(labels, number, text, len))
				return labels->last = number;
		}
	}
	return labels->last = survival_labels_add_label(labels, text, len, hash, what);
}

/* Is it a whole number, written in the one way there is? */
static bool
survival_labels_is_whole(const char *label, bool *negative, int *digits)
{
	const char *first = label + (*label == '-');

	*negative = first != label;
	*digits = strspn(first, "0123456789");
	if (*digits == 0 || first[*digits] != '\0')
		return false;
	return first[0] != '0' || (*digits == 1 && !*negative);
}

int
survival_label_compare(const char *a, const char *b)
{
	bool		a_negative;
	bool		b_negative;
	int			a_digits;
	int			b_digits;
	bool		a_whole = survival_labels_is_whole(a, &a_negative, &a_digits);
	bool		b_whole = survival_labels_is_whole(b, &b_negative, &b_digits);
	int			size;

	if (!a_whole || !b_whole)
		return a_whole ? -1 : b_whole ? 1 : strcmp(a, b);
	if (a_negative != b_negative)
		return a_negative ? -1 : 1;
	size = a_digits != b_digits ? a_digits - b_digits : strcmp(a, b);
	return a_negative ? -size : size;
}

typedef struct Numbered
{
	const char *text;
	int			number;
} Numbered;

static int
compare_by_number(const void *a, const void *b)
{
	return survival_label_compare(((const Numbered *) a)->text, ((const Numbered *) b)->text);
}

bool
survival_labels_sort(char **text, int n, int **order, int **rank)
{
	Numbered   *sorted = palloc(sizeof(Numbered) * (n + 1));
	bool		ascend = true;

	*order = palloc(sizeof(int) * (n + 1));
	*rank = palloc(sizeof(int) * (n + 1));
	for (int i = 0; i < n; i++)
	{
		sorted[i].text = text[i];
		sorted[i].number = i;
	}
	qsort(sorted, n, sizeof(Numbered), compare_by_number);
	for (int i = 0; i < n; i++)
	{
		(*order)[i] = sorted[i].number;
		(*rank)[sorted[i].number] = i;
		ascend &= sorted[i].number == i;
	}
	pfree(sorted);
	return ascend;
}
