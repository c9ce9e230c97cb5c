/*
 * migration_comparison.c
 *	  SQL-callable: did customers who were exposed to a campaign move otherwise
 *	  than those of a control group, and from where to where?
 *
 * Promises: see migration_comparison_tables.h; segments that only one group knows are named.
 * Never: takes the customers of one group for more than a sample.
 */
#include "migration/migration_comparison_tables.h"

#include <math.h>

#include "fmgr/arguments.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "math/wilson.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/memutils.h"

/*
 * 22023 unless both count the same steps: quarters against half-years would differ
 * whoever was exposed.
 */
static void
same_steps(const MigrationMatrix *a, const MigrationMatrix *b)
{
	if (a->panel == b->panel &&
		(!a->panel || memcmp(&a->period, &b->period, sizeof(PeriodSpec)) == 0))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("exposed and control count different steps: %s and %s",
					a->panel ? period_name(a->period) : "two dates",
					b->panel ? period_name(b->period) : "two dates"),
			 errhint("Make both matrices in the same way, of the same period.")));
}

static void
samples_two(FunctionCallInfo fcinfo, int nowhere_arg, MigrationSamples *samples)
{
	memset(samples, 0, sizeof(MigrationSamples));
	samples->count = 2;
	samples->matrices = palloc(sizeof(MigrationMatrix) * 2);
	for (int k = 0; k < 2; k++)
	{
		migration_unpack(PG_GETARG_MIGRATION_PP(k), &samples->matrices[k]);
		migration_samples_check(&samples->matrices[k]);
	}
	same_steps(&samples->matrices[0], &samples->matrices[1]);
	samples->with_nowhere = !PG_ARGISNULL(nowhere_arg) && PG_GETARG_BOOL(nowhere_arg);
	migration_samples_match(samples);
}

/* Segments that only one of two knows: of one segment, or (-1) of all. */
static const char *
differing(const MigrationSamples *samples, int state)
{
	StringInfoData buf;
	const char *const side[2] = {"only exposed knows ", "only control knows "};

	initStringInfo(&buf);
	for (int k = 0; k < 2; k++)
	{
		const char *title = side[k];

		for (int i = 0; i < samples->matrices[k].states; i++)
		{
			int			at = samples->map[k][i];

			if (samples->known_to[at] == 2 || (state >= 0 && at != state))
				continue;
			migration_add_name(&buf, title, samples->labels[at]);
			title = "";
		}
	}
	return buf.len == 0 ? NULL : buf.data;
}

/* ---------- migration_test ---------- */

/* Why a table has no p value, or NULL; table -1: all of them. */
static const char *
test_reason(const MigrationSamples *samples, const MigrationTables *tables, int table,
			const int64 *left)
{
	const char *name;

	if (table < 0)
		return tables->all.degrees > 0 ? NULL : "no segment can be compared";
	if (tables->each[table].degrees > 0)
		return NULL;
	name = migration_samples_from(samples, table);
	if (left[0] == 0 && left[1] == 0)
		return psprintf("no customers seen leaving \"%s\"", name);
	if (left[0] == 0 || left[1] == 0)
		return psprintf("no customers seen leaving \"%s\" in %s", name,
						left[0] == 0 ? "exposed" : "control");
	return psprintf("all customers who were in \"%s\" came to one segment", name);
}

/* customers of exposed and control by from-segment, and (-1) of all: two each */
static int64 *
customers_leaving(const MigrationSamples *samples, const MigrationTables *tables)
{
	int64	   *left = palloc0(sizeof(int64) * 2 * (migration_samples_sides(samples) + 1));

	for (int64 i = 0; i < tables->n; i++)
	{
		const MigrationTestCell *cell = &tables->cells[i];

		left[(cell->table + 1) * 2 + cell->sample] += cell->count;
		left[cell->sample] += cell->count;
	}
	return left + 2;
}

PG_FUNCTION_INFO_V1(migration_test);
Datum
migration_test(PG_FUNCTION_ARGS)
{
	MigrationSamples samples;
	MigrationTables tables;
	MigrationVerdict verdict;
	double		confidence;
	int64	   *left;
	Datum		values[TEST_COLUMNS];
	bool		nulls[TEST_COLUMNS] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	confidence = argument_confidence(fcinfo, 2);
	samples_two(fcinfo, 3, &samples);
	migration_samples_tables(&samples, &tables);
	migration_judge(&tables, confidence, &verdict);
	left = customers_leaving(&samples, &tables);
	/* segment by segment, and in the end all together */
	for (int t = 0; t <= tables.tables; t++)
	{
		int			table = t == tables.tables ? -1 : t;

		for (int kind = 0; kind < MIGRATION_KINDS; kind++)
		{
			migration_put_verdict(values, nulls, &samples, &tables, &verdict, table, kind);
			values[TEST_COLUMN_NUMBERS] = Int64GetDatum(left[table * 2]);
			values[TEST_COLUMN_NUMBERS + 1] = Int64GetDatum(left[table * 2 + 1]);
			migration_put_reason(values, nulls, TEST_COLUMN_REASON,
								 test_reason(&samples, &tables, table, left + table * 2));
			migration_put_reason(values, nulls, TEST_COLUMN_NOTE, differing(&samples, table));
			retention_put_row(fcinfo, values, nulls);
		}
	}
	return (Datum) 0;
}

/* ---------- migration_test_cells ---------- */

static const char *
to_name(const MigrationSamples *samples, int state)
{
	return state == samples->states ? MIGRATION_LEFT_NAME : samples->labels[state];
}

/* Customers from each state to each, sides * sides, by matrix. */
static double *
dense_counts(const MigrationSamples *samples, int k)
{
	const MigrationMatrix *matrix = &samples->matrices[k];
	int			side = migration_samples_sides(samples);
	double	   *counts = migration_doubles(side, side);

	for (int64 i = 0; i < matrix->cells_n; i++)
	{
		int			from = samples->map[k][matrix->cells[i].from];
		int			to = samples->map[k][matrix->cells[i].to];

		if (migration_samples_count(samples, from, to))
			counts[(int64) from * side + to] = (double) matrix->cells[i].count;
	}
	return counts;
}

static const char *
cell_reason(const char *from, const double *customers)
{
	if (customers[0] > 0 && customers[1] > 0)
		return NULL;
	if (customers[0] == 0 && customers[1] == 0)
		return psprintf("no customers seen leaving \"%s\"", from);
	return psprintf("no customers seen leaving \"%s\" in %s", from,
					customers[0] > 0 ? "control" : "exposed");
}

/* customers and probability of each, difference and limits, customers moved */
static void
migration_comparison_put_cell(Datum *values, bool *nulls, const double *hits, const double *customers, double z)
{
	bool		both = customers[0] > 0 && customers[1] > 0;
	double		nan = get_float8_nan();
	double		difference = nan;
	Limits		limits = {nan, nan};

	for (int k = 0; k < 2; k++)
	{
		values[k * 2] = Int64GetDatum((int64) hits[k]);
		migration_put_number(values, nulls, k * 2 + 1,
							 customers[k] > 0 ? hits[k] / customers[k] : nan);
	}
	if (both)
	{
		difference = hits[0] / customers[0] - hits[1] / customers[1];
		limits = newcombe_limits(hits[0], customers[0], hits[1], customers[1], z);
	}
	migration_put_number(values, nulls, 4, difference);
	migration_put_number(values, nulls, 5, limits.low);
	migration_put_number(values, nulls, 6, limits.high);
	migration_put_number(values, nulls, 7, difference * customers[0]);
}

static const char *
cell_note(const MigrationSamples *samples, int from, int to)
{
	const char *a = from < samples->states ? differing(samples, from) : NULL;
	const char *b = to < samples->states && to != from ? differing(samples, to) : NULL;

	return a == NULL ? b : b == NULL ? a : psprintf("%s, %s", a, b);
}

PG_FUNCTION_INFO_V1(migration_test_cells);
Datum
migration_test_cells(PG_FUNCTION_ARGS)
{
	MigrationSamples samples;
	double	   *counts[2];
	double		z;
	int			side;
	MemoryContext row_context;
	Datum		values[12];
	bool		nulls[12] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	z = normal_two_sided_z(argument_confidence(fcinfo, 2));
	samples_two(fcinfo, 3, &samples);
	side = migration_samples_sides(&samples);
	for (int k = 0; k < 2; k++)
		counts[k] = dense_counts(&samples, k);
	row_context = migration_row_context();
	for (int i = 0; i < side; i++)
	{
		double		customers[2] = {0, 0};

		for (int k = 0; k < 2; k++)
			for (int j = 0; j < side; j++)
				customers[k] += counts[k][(int64) i * side + j];
		for (int j = 0; j < side; j++)
		{
			double		hits[2] = {counts[0][(int64) i * side + j], counts[1][(int64) i * side + j]};

			/* nobody goes from nowhere to nowhere */
			if (i == samples.states && j == samples.states)
				continue;
			values[0] = CStringGetTextDatum(migration_samples_from(&samples, i));
			values[1] = CStringGetTextDatum(to_name(&samples, j));
			migration_comparison_put_cell(values + 2, nulls + 2, hits, customers, z);
			migration_put_reason(values, nulls, 10,
								 cell_reason(migration_samples_from(&samples, i), customers));
			migration_put_reason(values, nulls, 11, cell_note(&samples, i, j));
			retention_put_row(fcinfo, values, nulls);
		}
		MemoryContextReset(row_context);
	}
	migration_row_context_end(row_context);
	return (Datum) 0;
}
