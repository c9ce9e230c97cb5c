/*
 * migration_label.c
 *	  The names of states: which are allowed, and lists of them.
 *
 * Promises: errors name the label.
 * Never: trims, or follows a collation: labels are their bytes, but those of
 * citext, which folds their case.
 */
#include "migration/migration.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/lsyscache.h"
#include "value/label_text.h"

/* bytes of a label that a message shows */
#define QUOTE_MAX	64

const char *
migration_label_quote(const char *label, int len)
{
	if (len <= QUOTE_MAX)
		return pnstrdup(label, len);
	return psprintf("%s...", pnstrdup(label, pg_mbcliplen(label, len, QUOTE_MAX)));
}

void
migration_label_check(const char *label, int len)
{
	if (len == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a segment must not be the empty string"),
				 errhint("Use NULL for customers that are in no segment: they entered or left.")));
	if (len > MIGRATION_LABEL_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("segment \"%s\" is too long", migration_label_quote(label, len)),
				 errdetail("It has %d bytes; a segment may have %d.", len, MIGRATION_LABEL_MAX)));
	if ((len == strlen(MIGRATION_ENTERED_NAME) &&
		 memcmp(label, MIGRATION_ENTERED_NAME, len) == 0) ||
		(len == strlen(MIGRATION_LEFT_NAME) && memcmp(label, MIGRATION_LEFT_NAME, len) == 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" cannot be the name of a segment",
						migration_label_quote(label, len)),
				 errhint("It stands for customers that came from nowhere or went there: use NULL, or rename the segment.")));
}

/* ---------- labels that are equal though their bytes differ ---------- */

bool
migration_argument_folds(const Node *argument)
{
	/* the cast of citext to text changes nothing */
	while (argument != NULL && IsA(argument, RelabelType))
	{
		argument = (Node *) ((RelabelType *) argument)->arg;
		if (label_type_folds(getBaseType(exprType(argument))))
			return true;
	}
	return false;
}

char *
migration_label_fold(const char *label, int len)
{
	return str_tolower(label, len, DEFAULT_COLLATION_OID);
}

/* A label and how it compares. */
typedef struct FoldedLabel
{
	const char *folded;
	const char *label;
	int32		number;
} FoldedLabel;

static int
compare_folded(const void *a, const void *b)
{
	const FoldedLabel *x = a;
	const FoldedLabel *y = b;
	int			difference = strcmp(x->folded, y->folded);

	return difference != 0 ? difference : strcmp(x->label, y->label);
}

void
migration_labels_fold(char *const *labels, int32 n, int32 *same)
{
	FoldedLabel *folded = palloc(sizeof(FoldedLabel) * (n + 1));
	int32		first = 0;

	for (int32 i = 0; i < n; i++)
	{
		folded[i].folded = migration_label_fold(labels[i], strlen(labels[i]));
		folded[i].label = labels[i];
		folded[i].number = i;
	}
	qsort(folded, n, sizeof(FoldedLabel), compare_folded);
	for (int32 i = 0; i < n; i++)
	{
		if (i == 0 || strcmp(folded[i - 1].folded, folded[i].folded) != 0)
			first = folded[i].number;
		same[folded[i].number] = first;
	}
	pfree(folded);
}

const char *
migration_boolean_label(bool segment)
{
	return segment ? "true" : "false";
}

/* ---------- lists of which one is an ordered part of the other ---------- */

bool
migration_set_within(const LabelSet *part, const LabelSet *whole)
{
	uint32		i = 0;

	for (uint32 j = 0; j < whole->n && i < part->n; j++)
		if (label_set_is(part, i, label_set_text(whole, j), label_set_len(whole, j)))
			i++;
	return i == part->n;
}

bool
migration_list_within(char *const *part, int32 part_n, char *const *whole, int32 n)
{
	int32		i = 0;

	for (int32 j = 0; j < n && i < part_n; j++)
		if (strcmp(part[i], whole[j]) == 0)
			i++;
	return i == part_n;
}

/* ---------- errors and lists ---------- */

void
migration_undeclared_error(const char *label, int len)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("segment \"%s\" is not in the list of states",
					migration_label_quote(label, len)),
			 errhint("Add it to the list, or leave the list out.")));
}

void
migration_states_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("a migration_matrix cannot have more than %d states", MIGRATION_STATES_MAX),
			 errhint("A state is the name of a segment, not of a customer.")));
}

static int
migration_label_compare_pointers(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static void
check_distinct(char **labels, int32 n)
{
	char	  **sorted = palloc(sizeof(char *) * n);

	memcpy(sorted, labels, sizeof(char *) * n);
	qsort(sorted, n, sizeof(char *), migration_label_compare_pointers);
	for (int32 i = 1; i < n; i++)
		if (strcmp(sorted[i - 1], sorted[i]) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("state \"%s\" is in the list twice",
							migration_label_quote(sorted[i], strlen(sorted[i])))));
	pfree(sorted);
}

char **
migration_states_list(const ArrayType *states, int32 *n)
{
	Datum	   *values;
	bool	   *nulls;
	char	  **labels;
	int			count;

	if (ARR_NDIM(states) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("list of states must have one dimension, not %d", ARR_NDIM(states))));
	deconstruct_array(unconstify(ArrayType *, states), TEXTOID, -1, false, TYPALIGN_INT,
					  &values, &nulls, &count);
	if (count == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("list of states must not be empty")));
	if (count > MIGRATION_STATES_MAX)
		migration_states_error();
	labels = palloc(sizeof(char *) * count);
	for (int i = 0; i < count; i++)
	{
		if (nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("list of states must not contain NULL"),
					 errhint("NULL stands for customers that entered or left; it is no state.")));
		labels[i] = TextDatumGetCString(values[i]);
		migration_label_check(labels[i], strlen(labels[i]));
	}
	check_distinct(labels, count);
	*n = count;
	return labels;
}
