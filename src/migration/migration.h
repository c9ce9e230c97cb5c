/*
 * migration.h
 *	  The migration_matrix value: customers counted by the segment they came
 *	  from and the one they went to.
 *
 * States are segments by name, in an order: the declared one, else that of
 * labels (label_set.h).  A cell counts customers who were in one state at the beginning and in
 * another at the end of a period, and adds up their value; two more states stand
 * for nowhere: (entered) as from, (left) as to.  A matrix made of a panel keeps
 * its cells by period too, and the runs of three periods, for the tests.
 *
 * Promises: counts and values are exact; equal matrices have equal bytes, which
 * migration_bytes.c describes; the reader checks all before it is used.
 * Never: knows where segments come from.
 */
#ifndef RETENTION_MIGRATION_H
#define RETENTION_MIGRATION_H

#include "retention.h"
#include "calendar/calendar.h"
#include "utils/array.h"
#include "value/amount.h"
#include "value/label_set.h"
#include "value/value_type.h"

struct ArrayType;

typedef struct varlena MigrationValue;

#define MIGRATION_VERSION 1

extern const ValueType migration_matrix_type;

#define PG_GETARG_MIGRATION_PP(n) ((MigrationValue *) value_get(fcinfo, n, &migration_matrix_type))

#define MIGRATION_ENTERED_NAME	"(entered)"
#define MIGRATION_LEFT_NAME		"(left)"

/* States of one matrix, and bytes of a label. */
#define MIGRATION_STATES_MAX	1000
#define MIGRATION_LABEL_MAX		255

/* from = states: entered; to = states: left (never both) */
typedef struct MigrationCell
{
	int32		from;
	int32		to;
	int64		count;			/* > 0 */
	Amount		value;			/* of those customers; AMOUNT_NONE: none known */
} MigrationCell;

/* A cell of one period: that of "to". */
typedef struct MigrationPeriodCell
{
	int32		period;			/* ordinal of the calendar (calendar.h) */
	int32		from;
	int32		to;
	int64		count;
} MigrationPeriodCell;

/* Customers seen in three consecutive periods; states only, never nowhere. */
typedef struct MigrationTriple
{
	int32		before;
	int32		from;
	int32		to;
	int64		count;
} MigrationTriple;

/* A matrix unpacked, in the current memory context. */
typedef struct MigrationMatrix
{
	int32		states;
	char	  **labels;			/* NUL-terminated, server encoding; distinct, not empty */
	bool		declared;		/* their order was, and stays, as given */
	bool		given;			/* probabilities by hand: "given" in place of counts */
	double	   *probabilities;	/* given only: states * states, rows sum to 1 */
	int64		cells_n;
	MigrationCell *cells;		/* ascending (from, to) */
	bool		panel;			/* made of a panel; then also: */
	PeriodSpec	period;
	int64		periods_n;
	MigrationPeriodCell *periods;	/* ascending (period, from, to) */
	int64		triples_n;
	MigrationTriple *triples;	/* ascending (before, from, to) */
} MigrationMatrix;

/* ---------- the value (migration_bytes.c) ---------- */

/*
 * Cells, periods and triples may come in any order, and several of the same one:
 * they are added up.  So may the labels of states that are not declared.
 */
extern MigrationValue *migration_pack(const MigrationMatrix *matrix);

/* XX001 for a corrupt one. */
extern void migration_unpack(const MigrationValue *value, MigrationMatrix *matrix);

/* NULL if the bytes are a canonical matrix, else what is wrong. */
extern const char *migration_check(const char *data, Size len);

/*
 * Sorts and adds up what pack() would: of a matrix made by hand, in place; the
 * arrays that it replaces are left to the memory context.
 */
extern void migration_normalise(MigrationMatrix *matrix);

/*
 * States are matched by name.  22023 where both lists are declared and none is an
 * ordered part of the other, or one is and lacks a state of the other; where probabilities are given by
 * hand (they have no counts); where only one is of a panel, or their periods
 * differ.  A matrix without states that is not declared counts as nothing.
 */
extern MigrationMatrix *migration_add(const MigrationMatrix *a, const MigrationMatrix *b);

/* Whether lists of states are fit to be added up, and the errors where they or the kinds are not. */
extern bool migration_lists_fit(const MigrationMatrix *a, const MigrationMatrix *b);
extern void migration_check_lists(const MigrationMatrix *a, const MigrationMatrix *b);
extern void migration_check_kinds(const MigrationMatrix *a, const MigrationMatrix *b);

/* What an aggregate without rows makes, which counts as nothing. */
extern bool migration_is_nothing(const MigrationMatrix *matrix);

/* The states of all cells by other numbers; map[states] is nowhere. */
extern void migration_renumber(MigrationMatrix *matrix, const int32 *map);

/* ---------- values whose lists of states differ (migration_lists.c) ---------- */

/*
 * The sum of two values; where their lists do not fit each other, a state in which
 * they stand apart.  Either may be one.
 */
extern MigrationValue *migration_add_values(const MigrationValue *a, const MigrationValue *b);

/* The value of a state: 22023 where matrices still stand apart. */
extern MigrationValue *migration_finish(const MigrationValue *state);

/*
 * Dense views, states * states, row by row.  Counts leave out (entered) and
 * (left).  Probabilities: count / row sum, NaN in a row without customers; given
 * ones as they are.
 */
extern double *migration_counts(const MigrationMatrix *matrix);
extern double *migration_probabilities(const MigrationMatrix *matrix);

/* Index of a label, or -1. */
extern int32 migration_state(const MigrationMatrix *matrix, const char *label);

/* The name of a state, or of nowhere: as from, as to. */
static inline const char *
migration_from_name(const MigrationMatrix *matrix, int32 from)
{
	return from == matrix->states ? MIGRATION_ENTERED_NAME : matrix->labels[from];
}

static inline const char *
migration_to_name(const MigrationMatrix *matrix, int32 to)
{
	return to == matrix->states ? MIGRATION_LEFT_NAME : matrix->labels[to];
}

/* ---------- labels (migration_label.c) ---------- */

/* 22023 unless a label may name a state: not empty, not too long, not reserved. */
extern void migration_label_check(const char *label, int len);

/* A label for a message: cut at a length that can be read. */
extern const char *migration_label_quote(const char *label, int len);

/* Does an argument come from citext (label_type_folds()), though it is passed as text? */
extern bool migration_argument_folds(const struct Node *argument);

/* A label in lower case, as citext compares it. */
extern char *migration_label_fold(const char *label, int len);

/* same[i]: the number of the first of the labels, by bytes, that are equal to the i-th. */
extern void migration_labels_fold(char *const *labels, int32 n, int32 *same);

extern const char *migration_boolean_label(bool segment);

/* Are the labels of a list those of another one, in its order, some left out? */
extern bool migration_set_within(const LabelSet *part, const LabelSet *whole);
extern bool migration_list_within(char *const *part, int32 part_n, char *const *whole, int32 n);

/* 22023: a label that is not in a declared list. */
extern void migration_undeclared_error(const char *label, int len);

/* 54000: more states than MIGRATION_STATES_MAX. */
extern void migration_states_error(void);

/* 22023 unless an array is a list of distinct labels; their copies. */
extern char **migration_states_list(const struct ArrayType *states, int32 *n);

#endif							/* RETENTION_MIGRATION_H */
