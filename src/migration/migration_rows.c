/*
 * migration_rows.c
 *	  SQL-callable: migration_rows(), the cells of a matrix as rows.
 *
 * p = n / row sum, the maximum likelihood estimate of a first-order chain
 * (Anderson and Goodman 1957, Annals of Mathematical Statistics 28:89-110), with
 * Wilson's limits cell by cell and Goodman's for all cells of a row at once:
 * L. A. Goodman (1965), Technometrics 7:247-254, the same formula with the
 * chi-square quantile of 1 - alpha / k for k states.
 *
 * Promises: a row for each pair of states, the empty ones too; what is not
 * defined is NULL, and says why.
 * Never: counts (entered) or (left) in a probability unless asked to.
 */
#include "migration/migration.h"

#include <math.h>

#include "fmgr/arguments.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "math/wilson.h"
#include "utils/builtins.h"
#include "utils/numeric.h"

#define COLUMNS 12

/* What is asked, and what follows for all rows. */
typedef struct RowsQuery
{
	MigrationMatrix matrix;
	bool		with_nowhere;
	bool		entered;		/* there are rows from nowhere */
	bool		left;			/* and rows to nowhere */
	double		confidence;
	double		z;
} RowsQuery;

/* One row of the matrix. */
typedef struct FromRow
{
	int32		from;
	int64		first;			/* of its cells */
	int64		next;
	int64		customers;		/* of which probabilities are parts */
	double		simultaneous_z;
} FromRow;

/* The z of k intervals that hold together. */
static double
goodman_z(double confidence, int32 k)
{
	double		each = 1 - (1 - confidence) / Max(k, 1);

	/* so near to 1 that it cannot be told from it */
	return normal_two_sided_z(each < 1 ? each : nextafter(1, 0));
}

static bool
in_probabilities(const RowsQuery *query, int32 from, int32 to)
{
	return query->with_nowhere || (from < query->matrix.states && to < query->matrix.states);
}

/* The cells from a state, and their sum. */
static void
open_row(const RowsQuery *query, FromRow *row, int32 from)
{
	const MigrationMatrix *matrix = &query->matrix;

	row->from = from;
	row->first = row->next;
	row->customers = 0;
	for (; row->next < matrix->cells_n && matrix->cells[row->next].from == from; row->next++)
		if (in_probabilities(query, from, matrix->cells[row->next].to))
			row->customers += matrix->cells[row->next].count;
	row->simultaneous_z = goodman_z(query->confidence, matrix->states +
									(query->with_nowhere && from < matrix->states));
}

static void
set_double(Datum *values, bool *nulls, int i, double value)
{
	values[i] = Float8GetDatum(value);
	nulls[i] = false;
}

static void
put_estimates(const RowsQuery *query, const FromRow *row, int64 customers, Datum *values, bool *nulls)
{
	double		n = (double) row->customers;
	double		hits = (double) customers;
	double		p = hits / n;
	Limits		limits = wilson_limits(hits, n, query->z);
	Limits		all = wilson_limits(hits, n, row->simultaneous_z);

	set_double(values, nulls, 4, p);
	set_double(values, nulls, 5, limits.low);
	set_double(values, nulls, 6, limits.high);
	set_double(values, nulls, 7, all.low);
	set_double(values, nulls, 8, all.high);
	set_double(values, nulls, 9, sqrt(p * (1 - p) / n));
}

/* cell: NULL where nobody went that way */
static void
migration_rows_put_cell(FunctionCallInfo fcinfo, const RowsQuery *query, const FromRow *row, int32 to,
						const MigrationCell *cell)
{
	const MigrationMatrix *matrix = &query->matrix;
	Datum		values[COLUMNS] = {0};
	bool		nulls[COLUMNS];
	const char *reason = NULL;
	int64		customers = cell == NULL ? 0 : cell->count;

	memset(nulls, true, sizeof(nulls));
	nulls[0] = nulls[1] = false;
	values[0] = CStringGetTextDatum(migration_from_name(matrix, row->from));
	values[1] = CStringGetTextDatum(migration_to_name(matrix, to));
	if (matrix->given)
	{
		reason = "given: no counts";
		set_double(values, nulls, 4, matrix->probabilities[(int64) row->from * matrix->states + to]);
	}
	else
	{
		values[2] = Int64GetDatum(customers);
		nulls[2] = false;
		nulls[3] = !in_probabilities(query, row->from, to);
		values[3] = Int64GetDatum(row->customers);
		if (nulls[3])
			reason = "kept out of probabilities";
		else if (row->customers == 0)
			reason = "empty row";
		else
			put_estimates(query, row, customers, values, nulls);
	}
	nulls[10] = cell == NULL || cell->value.scale == AMOUNT_NONE;
	if (!nulls[10])
		values[10] = NumericGetDatum(amount_to_numeric(&cell->value));
	nulls[11] = reason == NULL;
	if (!nulls[11])
		values[11] = CStringGetTextDatum(reason);
	retention_put_row(fcinfo, values, nulls);
}

static void
put_rows(FunctionCallInfo fcinfo, const RowsQuery *query)
{
	const MigrationMatrix *matrix = &query->matrix;
	FromRow		row = {0};

	for (int32 from = 0; from < matrix->states + query->entered; from++)
	{
		int64		at;

		open_row(query, &row, from);
		at = row.first;
		/* nobody goes from nowhere to nowhere */
		for (int32 to = 0; to < matrix->states + (query->left && from < matrix->states); to++)
		{
			const MigrationCell *cell = NULL;

			if (at < row.next && matrix->cells[at].to == to)
				cell = &matrix->cells[at++];
			migration_rows_put_cell(fcinfo, query, &row, to, cell);
		}
	}
}

PG_FUNCTION_INFO_V1(migration_rows);
Datum
migration_rows(PG_FUNCTION_ARGS)
{
	RowsQuery	query;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	query.confidence = argument_confidence(fcinfo, 1);
	migration_unpack(PG_GETARG_MIGRATION_PP(0), &query.matrix);
	query.with_nowhere = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2) && !query.matrix.given;
	query.entered = query.left = query.with_nowhere;
	for (int64 i = 0; i < query.matrix.cells_n; i++)
	{
		query.entered |= query.matrix.cells[i].from == query.matrix.states;
		query.left |= query.matrix.cells[i].to == query.matrix.states;
	}
	query.z = normal_two_sided_z(query.confidence);
	put_rows(fcinfo, &query);
	return (Datum) 0;
}
