/*
 * migration_homogeneity.c
 *	  SQL-callable: do customers move alike in all periods, or in all of several
 *	  matrices, and is it enough to know where they are?
 *
 * Promises: see migration_comparison_tables.h; segments that not all matrices know are named.
 * Never: compares what was seen once only.
 */
#include "migration/migration_comparison_tables.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr/arguments.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"

/* Segments that some of the matrices do not know. */
static const char *
not_in_all(const MigrationSamples *samples, int state)
{
	StringInfoData buf;

	initStringInfo(&buf);
	for (int i = 0; i < samples->states; i++)
		if (samples->known_to[i] < samples->count && (state < 0 || i == state))
			migration_add_name(&buf, buf.len == 0 ? "not all matrices know " : "", samples->labels[i]);
	return buf.len == 0 ? NULL : buf.data;
}

/* ---------- migration_homogeneity ---------- */

/* Why a table has no p value; "sample" is the word for one. */
static const char *
homogeneity_reason(const MigrationSamples *samples, const MigrationTables *tables, int table,
				   const char *sample)
{
	const Contingency *sums = table < 0 ? &tables->all : &tables->each[table];

	if (sums->degrees > 0)
		return NULL;
	if (table < 0)
		return sums->rows == 1 ? psprintf("customers were seen in one %s only", sample) :
			"no segment can be compared";
	if (sums->rows == 0)
		return psprintf("no customers seen leaving \"%s\"", migration_samples_from(samples, table));
	if (sums->rows == 1)
		return psprintf("customers were seen leaving \"%s\" in one %s only",
						migration_samples_from(samples, table), sample);
	return psprintf("all customers who were in \"%s\" came to one segment",
					migration_samples_from(samples, table));
}

/* "reason": why there is nothing at all, or NULL */
static void
put_homogeneity(FunctionCallInfo fcinfo, const MigrationSamples *samples, MigrationTables *tables,
				const char *sample, const char *reason)
{
	MigrationVerdict verdict;
	Datum		values[TEST_COLUMNS];
	bool		nulls[TEST_COLUMNS] = {0};

	migration_judge(tables, argument_confidence(fcinfo, 1), &verdict);
	for (int t = 0; t <= tables->tables; t++)
	{
		int			table = t == tables->tables ? -1 : t;
		const Contingency *sums = table < 0 ? &tables->all : &tables->each[table];

		for (int kind = 0; kind < MIGRATION_KINDS; kind++)
		{
			migration_put_verdict(values, nulls, samples, tables, &verdict, table, kind);
			nulls[TEST_COLUMN_KIND + 1] = nulls[TEST_COLUMN_KIND + 2] = reason != NULL;
			values[TEST_COLUMN_NUMBERS] = Int32GetDatum(sums->rows);
			values[TEST_COLUMN_NUMBERS + 1] = Int64GetDatum((int64) sums->customers);
			nulls[TEST_COLUMN_NUMBERS] = nulls[TEST_COLUMN_NUMBERS + 1] = reason != NULL;
			migration_put_reason(values, nulls, TEST_COLUMN_REASON, reason != NULL ? reason :
								 homogeneity_reason(samples, tables, table, sample));
			migration_put_reason(values, nulls, TEST_COLUMN_NOTE, not_in_all(samples, table));
			retention_put_row(fcinfo, values, nulls);
		}
	}
}

PG_FUNCTION_INFO_V1(migration_homogeneity);
Datum
migration_homogeneity(PG_FUNCTION_ARGS)
{
	MigrationSamples samples;
	MigrationTables tables;
	MigrationMatrix *matrix = palloc(sizeof(MigrationMatrix));

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	migration_unpack(PG_GETARG_MIGRATION_PP(0), matrix);
	memset(&samples, 0, sizeof(MigrationSamples));
	samples.count = 1;
	samples.matrices = matrix;
	samples.with_nowhere = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	migration_samples_match(&samples);
	migration_tables_open(&tables, migration_samples_sides(&samples),
						  migration_samples_sides(&samples), matrix->panel ? matrix->periods_n : 0);
	for (int64 i = 0; matrix->panel && i < matrix->periods_n; i++)
	{
		const MigrationPeriodCell *cell = &matrix->periods[i];

		if (migration_samples_count(&samples, cell->from, cell->to))
			migration_tables_put(&tables, cell->from, cell->period, cell->to, cell->count);
	}
	migration_tables_close(&tables);
	put_homogeneity(fcinfo, &samples, &tables, "period",
					matrix->panel ? NULL : "not made of a panel");
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(migration_homogeneity_array);
Datum
migration_homogeneity_array(PG_FUNCTION_ARGS)
{
	MigrationSamples samples;
	MigrationTables tables;
	ArrayType  *array;
	Datum	   *elements;
	bool	   *missing;
	int			count;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	array = PG_GETARG_ARRAYTYPE_P(0);
	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_INT, &elements, &missing,
					  &count);
	memset(&samples, 0, sizeof(MigrationSamples));
	samples.matrices = palloc(sizeof(MigrationMatrix) * (count + 1));
	for (int i = 0; i < count; i++)
	{
		MigrationMatrix *matrix = &samples.matrices[samples.count];

		if (missing[i])
			continue;
		migration_unpack((MigrationValue *) PG_DETOAST_DATUM_PACKED(elements[i]), matrix);
		migration_samples_check(matrix);
		samples.count++;
	}
	samples.with_nowhere = !PG_ARGISNULL(2) && PG_GETARG_BOOL(2);
	migration_samples_match(&samples);
	migration_samples_tables(&samples, &tables);
	put_homogeneity(fcinfo, &samples, &tables, "matrix", NULL);
	return (Datum) 0;
}

/* ---------- migration_order ---------- */

/* Order 0 against 1: does it matter where a customer comes from? */
static void
order_zero_tables(const MigrationMatrix *matrix, MigrationTables *tables)
{
	migration_tables_open(tables, 1, matrix->states, matrix->cells_n);
	for (int64 i = 0; i < matrix->cells_n; i++)
	{
		const MigrationCell *cell = &matrix->cells[i];

		if (cell->from < matrix->states && cell->to < matrix->states)
			migration_tables_put(tables, 0, cell->from, cell->to, cell->count);
	}
	migration_tables_close(tables);
}

/* Order 1 against 2: does it matter where a customer was before? */
static void
order_one_tables(const MigrationMatrix *matrix, MigrationTables *tables)
{
	migration_tables_open(tables, matrix->states, matrix->states, matrix->triples_n);
	for (int64 i = 0; i < matrix->triples_n; i++)
	{
		const MigrationTriple *triple = &matrix->triples[i];

		migration_tables_put(tables, triple->from, triple->before, triple->to, triple->count);
	}
	migration_tables_close(tables);
}

/* Why there is nothing to test, or NULL. */
static const char *
order_missing(const MigrationMatrix *matrix, int order)
{
	if (matrix->given)
		return "made of probabilities, not of customers";
	if (order == 1 && !matrix->panel)
		return "not made of a panel";
	if (order == 1 && matrix->triples_n == 0)
		return "no customers seen in three consecutive periods";
	return NULL;
}

static const char *
order_reason(const MigrationMatrix *matrix, int order, const MigrationTables *tables)
{
	const char *missing = order_missing(matrix, order);

	if (missing != NULL || tables->all.degrees > 0)
		return missing;
	return order == 0 ? "customers came from one segment, or to one segment, only" :
		"in no segment are there customers with different pasts and different futures";
}

double
migration_first_order_p(const MigrationMatrix *matrix, const char **reason)
{
	MigrationTables tables;

	order_one_tables(matrix, &tables);
	*reason = order_reason(matrix, 1, &tables);
	return contingency_p(tables.all.g, tables.all.degrees);
}

PG_FUNCTION_INFO_V1(migration_order);
Datum
migration_order(PG_FUNCTION_ARGS)
{
	MigrationMatrix matrix;
	Datum		values[8];
	bool		nulls[8] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	migration_unpack(PG_GETARG_MIGRATION_PP(0), &matrix);
	for (int order = 0; order < 2; order++)
	{
		MigrationTables tables;

		if (order == 0)
			order_zero_tables(&matrix, &tables);
		else
			order_one_tables(&matrix, &tables);
		for (int kind = 0; kind < MIGRATION_KINDS; kind++)
		{
			values[0] = CStringGetTextDatum(order == 0 ? "order_0_vs_1" : "order_1_vs_2");
			migration_put_statistic(values + 1, nulls + 1, &tables.all, kind);
			nulls[2] = nulls[3] = order_missing(&matrix, order) != NULL;
			migration_put_sparse(values + 5, nulls + 5, &tables.all);
			migration_put_reason(values, nulls, 7, order_reason(&matrix, order, &tables));
			retention_put_row(fcinfo, values, nulls);
		}
	}
	return (Datum) 0;
}
