/*
 * migration_matrix.c
 *	  A migration_matrix unpacked: in order, added up, and as dense arrays.
 *
 * Promises: what comes out does not depend on the order of what went in.
 * Never: knows how a matrix lies in bytes.
 */
#include "migration/migration.h"

#include "common/int.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"

static void
migration_matrix_too_many_customers(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("too many customers in a migration_matrix")));
}

static inline void
count_add(int64 *count, int64 more)
{
	if (unlikely(pg_add_s64_overflow(*count, more, count)))
		migration_matrix_too_many_customers();
}

/* ---------- order ---------- */

static inline int
migration_matrix_compare_cells(const MigrationCell *a, const MigrationCell *b)
{
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->to < b->to ? -1 : a->to > b->to;
}

static inline int
compare_periods(const MigrationPeriodCell *a, const MigrationPeriodCell *b)
{
	if (a->period != b->period)
		return a->period < b->period ? -1 : 1;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->to < b->to ? -1 : a->to > b->to;
}

static inline int
compare_triples(const MigrationTriple *a, const MigrationTriple *b)
{
	if (a->before != b->before)
		return a->before < b->before ? -1 : 1;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->to < b->to ? -1 : a->to > b->to;
}

#define ST_SORT sort_cells
#define ST_ELEMENT_TYPE MigrationCell
#define ST_COMPARE(a, b) migration_matrix_compare_cells(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_periods
#define ST_ELEMENT_TYPE MigrationPeriodCell
#define ST_COMPARE(a, b) compare_periods(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

#define ST_SORT sort_triples
#define ST_ELEMENT_TYPE MigrationTriple
#define ST_COMPARE(a, b) compare_triples(a, b)
#define ST_SCOPE static
#define ST_CHECK_FOR_INTERRUPTS
#define ST_DEFINE
#include "lib/sort_template.h"

/* A copy in order, equal ones added up; nothing where that is so already. */
#define NORMALISE(type, array, number, compare, sort, sum) \
	do { \
		int64		in_order = 1; \
		int64		last = 0; \
		type	   *copy; \
		while (in_order < (number) && compare(&(array)[in_order - 1], &(array)[in_order]) < 0) \
			in_order++; \
		if (in_order >= (number)) \
			break; \
		copy = palloc_extended(sizeof(type) * (number), MCXT_ALLOC_HUGE); \
		memcpy(copy, (array), sizeof(type) * (number)); \
		sort(copy, (number)); \
		for (int64 i = 1; i < (number); i++) \
		{ \
			if (compare(&copy[last], &copy[i]) == 0) \
				sum(&copy[last], &copy[i]); \
			else \
				copy[++last] = copy[i]; \
		} \
		(array) = copy; \
		(number) = last + 1; \
	} while (0)

static inline void
sum_cells(MigrationCell *a, const MigrationCell *b)
{
	count_add(&a->count, b->count);
	a->value = amount_add(&a->value, &b->value);
}

static inline void
sum_periods(MigrationPeriodCell *a, const MigrationPeriodCell *b)
{
	count_add(&a->count, b->count);
}

static inline void
sum_triples(MigrationTriple *a, const MigrationTriple *b)
{
	count_add(&a->count, b->count);
}

void
migration_renumber(MigrationMatrix *matrix, const int32 *map)
{
	MigrationCell *cells = palloc_extended(sizeof(MigrationCell) * (matrix->cells_n + 1), MCXT_ALLOC_HUGE);
	MigrationPeriodCell *periods = palloc_extended(sizeof(MigrationPeriodCell) * (matrix->periods_n + 1), MCXT_ALLOC_HUGE);
	MigrationTriple *triples = palloc_extended(sizeof(MigrationTriple) * (matrix->triples_n + 1), MCXT_ALLOC_HUGE);

	for (int64 i = 0; i < matrix->cells_n; i++)
	{
		cells[i] = matrix->cells[i];
		cells[i].from = map[cells[i].from];
		cells[i].to = map[cells[i].to];
	}
	for (int64 i = 0; i < matrix->periods_n; i++)
	{
		periods[i] = matrix->periods[i];
		periods[i].from = map[periods[i].from];
		periods[i].to = map[periods[i].to];
	}
	for (int64 i = 0; i < matrix->triples_n; i++)
	{
		triples[i] = matrix->triples[i];
		triples[i].before = map[triples[i].before];
		triples[i].from = map[triples[i].from];
		triples[i].to = map[triples[i].to];
	}
	matrix->cells = cells;
	matrix->periods = periods;
	matrix->triples = triples;
}

/* A label, how it sorts (in UTF-8, whatever the server's encoding), and where it was. */
typedef struct State
{
	const char *key;
	char	   *label;
	int32		was;
} State;

static int
compare_states(const void *a, const void *b)
{
	return label_compare(((const State *) a)->key, ((const State *) b)->key);
}

static void
sort_states(MigrationMatrix *matrix)
{
	State	   *states = palloc(sizeof(State) * (matrix->states + 1));
	int32	   *map = palloc(sizeof(int32) * (matrix->states + 1));
	bool		in_order = true;

	for (int32 i = 0; i < matrix->states; i++)
	{
		states[i].label = matrix->labels[i];
		states[i].key = pg_server_to_any(matrix->labels[i], strlen(matrix->labels[i]), PG_UTF8);
		states[i].was = i;
		in_order &= i == 0 || compare_states(&states[i - 1], &states[i]) < 0;
	}
	if (!in_order)
	{
		qsort(states, matrix->states, sizeof(State), compare_states);
		matrix->labels = palloc(sizeof(char *) * (matrix->states + 1));
		for (int32 i = 0; i < matrix->states; i++)
		{
			matrix->labels[i] = states[i].label;
			map[states[i].was] = i;
		}
		map[matrix->states] = matrix->states;
		migration_renumber(matrix, map);
	}
	pfree(states);
	pfree(map);
}

void
migration_normalise(MigrationMatrix *matrix)
{
	int64		total = 0;

	if (!matrix->declared)
		sort_states(matrix);
	NORMALISE(MigrationCell, matrix->cells, matrix->cells_n,
			  migration_matrix_compare_cells, sort_cells, sum_cells);
	NORMALISE(MigrationPeriodCell, matrix->periods, matrix->periods_n,
			  compare_periods, sort_periods, sum_periods);
	NORMALISE(MigrationTriple, matrix->triples, matrix->triples_n,
			  compare_triples, sort_triples, sum_triples);
	/* sums of any cells must be numbers too */
	for (int64 i = 0; i < matrix->cells_n; i++)
		count_add(&total, matrix->cells[i].count);
	total = 0;
	for (int64 i = 0; i < matrix->triples_n; i++)
		count_add(&total, matrix->triples[i].count);
}

/* ---------- adding ---------- */

/* The names of a's states that b lacks, for a message; NULL if there are none. */
static char *
states_missing(const MigrationMatrix *a, const MigrationMatrix *b)
{
	StringInfoData buf;
	int			n = 0;

	initStringInfo(&buf);
	for (int32 i = 0; i < a->states; i++)
	{
		if (migration_state(b, a->labels[i]) >= 0)
			continue;
		if (n < 5)
			appendStringInfo(&buf, "%s\"%s\"", n == 0 ? "" : ", ",
							 migration_label_quote(a->labels[i], strlen(a->labels[i])));
		n++;
	}
	if (n > 5)
		appendStringInfo(&buf, " and %d more", n - 5);
	return n == 0 ? NULL : buf.data;
}

#define HINT_LISTS	"Declare one list for both: migration_with_states(matrix, states) adds, reorders and renames states."

bool
migration_lists_fit(const MigrationMatrix *a, const MigrationMatrix *b)
{
	const MigrationMatrix *list = a->declared && (!b->declared || a->states >= b->states) ? a : b;
	const MigrationMatrix *other = list == a ? b : a;

	if (!list->declared)
		return true;
	if (other->declared)
		return migration_list_within(other->labels, other->states, list->labels, list->states);
	for (int32 i = 0; i < other->states; i++)
		if (migration_state(list, other->labels[i]) < 0)
			return false;
	return true;
}

/* Declared lists are a promise: a merge must not break it. */
void
migration_check_lists(const MigrationMatrix *a, const MigrationMatrix *b)
{
	char	   *only_a = b->declared ? states_missing(a, b) : NULL;
	char	   *only_b = a->declared ? states_missing(b, a) : NULL;

	if (migration_lists_fit(a, b))
		return;
	/* if both are declared, and one has all states of the other, it is their order */
	if ((only_a != NULL && only_b != NULL) || (only_a != NULL && !a->declared) ||
		(only_b != NULL && !b->declared))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("migration matrices have different lists of states"),
				 errdetail("Not declared in the other: %s.",
						   only_a == NULL ? only_b : only_b == NULL ? only_a :
						   psprintf("%s; %s", only_a, only_b)),
				 errhint(HINT_LISTS)));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("migration matrices have their states in different orders"),
			 errhint(HINT_LISTS)));
}

void
migration_check_kinds(const MigrationMatrix *a, const MigrationMatrix *b)
{
	if (a->given || b->given)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a migration_matrix of given probabilities cannot be added to another"),
				 errdetail("It has no counts of customers.")));
	if (a->panel != b->panel)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a migration_matrix of a panel cannot be added to one that is of none"),
				 errdetail("Only the former knows in which period customers moved.")));
	if (a->panel && memcmp(&a->period, &b->period, sizeof(PeriodSpec)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("migration matrices have different periods: \"%s\" and \"%s\"",
						period_name(a->period), period_name(b->period))));
}

bool
migration_is_nothing(const MigrationMatrix *matrix)
{
	return matrix->states == 0 && !matrix->declared && !matrix->panel && matrix->cells_n == 0;
}

static MigrationMatrix *
copy_of(const MigrationMatrix *matrix)
{
	MigrationMatrix *copy = palloc(sizeof(MigrationMatrix));

	*copy = *matrix;
	return copy;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* All states: of the one that declares them all, else of both. */
static int32
migration_matrix_union_labels(const MigrationMatrix *a, const MigrationMatrix *b, char **labels)
{
	const MigrationMatrix *list = a->declared && (!b->declared || a->states >= b->states) ? a : b;
	int32		n = 0;

	if (list->declared)
	{
		memcpy(labels, list->labels, sizeof(char *) * list->states);
		return list->states;
	}
	memcpy(labels, a->labels, sizeof(char *) * a->states);
	memcpy(labels + a->states, b->labels, sizeof(char *) * b->states);
	qsort(labels, a->states + b->states, sizeof(char *), compare_names);
	for (int32 i = 0; i < a->states + b->states; i++)
		if (n == 0 || strcmp(labels[n - 1], labels[i]) != 0)
			labels[n++] = labels[i];
	if (n > MIGRATION_STATES_MAX)
		migration_states_error();
	return n;
}

static int
migration_matrix_compare_labels(const void *a, const void *b)
{
	return strcmp(**(char **const *) a, **(char **const *) b);
}

/* A matrix with its states as they are numbered in a list that has them all. */
static void
to_list(MigrationMatrix *matrix, char **labels, int32 n)
{
	int32	   *map = palloc(sizeof(int32) * (matrix->states + 1));
	char	 ***sorted = palloc(sizeof(char **) * (n + 1));

	for (int32 i = 0; i < n; i++)
		sorted[i] = &labels[i];
	qsort(sorted, n, sizeof(char **), migration_matrix_compare_labels);
	for (int32 i = 0; i < matrix->states; i++)
	{
		char	  **key = &matrix->labels[i];
		char	 ***found = bsearch(&key, sorted, n, sizeof(char **), migration_matrix_compare_labels);

		if (found == NULL)
			elog(ERROR, "state is in no list");
		map[i] = (int32) (*found - labels);
	}
	map[matrix->states] = n;
	migration_renumber(matrix, map);
	pfree(map);
	pfree(sorted);
}

/* One array after the other. */
static void *
concatenate(const void *a, int64 a_n, const void *b, int64 b_n, Size size)
{
	char	   *both = palloc_extended(size * (a_n + b_n + 1), MCXT_ALLOC_HUGE);

	if (a_n > 0)
		memcpy(both, a, size * a_n);
	if (b_n > 0)
		memcpy(both + size * a_n, b, size * b_n);
	return both;
}

static bool
same_labels(const MigrationMatrix *a, const MigrationMatrix *b)
{
	if (a->states != b->states)
		return false;
	for (int32 i = 0; i < a->states; i++)
		if (strcmp(a->labels[i], b->labels[i]) != 0)
			return false;
	return true;
}

MigrationMatrix *
migration_add(const MigrationMatrix *a, const MigrationMatrix *b)
{
	MigrationMatrix *sum;
	MigrationMatrix x = *a;
	MigrationMatrix y = *b;

	if (migration_is_nothing(a))
		return copy_of(b);
	if (migration_is_nothing(b))
		return copy_of(a);
	migration_check_kinds(a, b);
	sum = copy_of(a);
	sum->declared = a->declared || b->declared;
	if (!same_labels(a, b))
	{
		migration_check_lists(a, b);
		sum->labels = palloc(sizeof(char *) * ((Size) a->states + b->states + 1));
		sum->states = migration_matrix_union_labels(a, b, sum->labels);
		to_list(&x, sum->labels, sum->states);
		to_list(&y, sum->labels, sum->states);
	}
	sum->cells = concatenate(x.cells, x.cells_n, y.cells, y.cells_n, sizeof(MigrationCell));
	sum->cells_n = x.cells_n + y.cells_n;
	if (sum->panel)
	{
		sum->periods = concatenate(x.periods, x.periods_n, y.periods, y.periods_n,
								   sizeof(MigrationPeriodCell));
		sum->periods_n = x.periods_n + y.periods_n;
		sum->triples = concatenate(x.triples, x.triples_n, y.triples, y.triples_n,
								   sizeof(MigrationTriple));
		sum->triples_n = x.triples_n + y.triples_n;
	}
	migration_normalise(sum);
	return sum;
}

/* ---------- dense views ---------- */

int32
migration_state(const MigrationMatrix *matrix, const char *label)
{
	for (int32 i = 0; i < matrix->states; i++)
		if (strcmp(matrix->labels[i], label) == 0)
			return i;
	return -1;
}

double *
migration_counts(const MigrationMatrix *matrix)
{
	int64		k = matrix->states;
	double	   *counts = palloc0(sizeof(double) * (k * k + 1));

	for (int64 i = 0; i < matrix->cells_n; i++)
	{
		const MigrationCell *cell = &matrix->cells[i];

		if (cell->from < k && cell->to < k)
			counts[cell->from * k + cell->to] = (double) cell->count;
	}
	return counts;
}

double *
migration_probabilities(const MigrationMatrix *matrix)
{
	int64		k = matrix->states;
	double	   *p;

	if (matrix->given)
	{
		p = palloc(sizeof(double) * (k * k + 1));
		memcpy(p, matrix->probabilities, sizeof(double) * k * k);
		return p;
	}
	p = migration_counts(matrix);
	for (int64 i = 0; i < k; i++)
	{
		double		sum = 0;

		for (int64 j = 0; j < k; j++)
			sum += p[i * k + j];
		for (int64 j = 0; j < k; j++)
			p[i * k + j] = sum > 0 ? p[i * k + j] / sum : get_float8_nan();
	}
	return p;
}
