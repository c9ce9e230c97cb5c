/*
 * migration_comparison_tables.c
 *	  Migration matrices as tables of counts, for the tests of them.
 *
 * Promises: see migration_comparison_tables.h.
 */
#include "migration/migration_comparison_tables.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/float.h"

/* more than this share of expected counts under 5 is a warning (Cochran 1954) */
#define SPARSE_SHARE	0.2

static const char *const kind_names[MIGRATION_KINDS] = {"pearson", "g"};

static double
statistic(const Contingency *sums, int kind)
{
	return kind == 0 ? sums->pearson : sums->g;
}

/* ---------- tables ---------- */

static int
comparison_tables_compare_cells(const void *a, const void *b)
{
	const MigrationTestCell *x = a;
	const MigrationTestCell *y = b;

	if (x->table != y->table)
		return x->table < y->table ? -1 : 1;
	if (x->sample != y->sample)
		return x->sample < y->sample ? -1 : 1;
	return x->to < y->to ? -1 : x->to > y->to;
}

static int
compare_samples(const void *a, const void *b)
{
	int32		x = *(const int32 *) a;
	int32		y = *(const int32 *) b;

	return x < y ? -1 : x > y;
}

void
migration_tables_open(MigrationTables *tables, int count, int columns, int64 cells)
{
	memset(tables, 0, sizeof(MigrationTables));
	tables->tables = count;
	tables->columns = columns;
	tables->cells = palloc_extended(sizeof(MigrationTestCell) * (cells + 1), MCXT_ALLOC_HUGE);
	tables->each = palloc0(sizeof(Contingency) * (count + 1));
}

void
migration_tables_put(MigrationTables *tables, int table, int sample, int to, int64 count)
{
	MigrationTestCell *cell = &tables->cells[tables->n++];

	cell->table = table;
	cell->sample = sample;
	cell->to = to;
	cell->count = count;
}

static int
count_samples(const MigrationTables *tables)
{
	int32	   *samples = palloc_extended(sizeof(int32) * (tables->n + 1), MCXT_ALLOC_HUGE);
	int			count = 0;

	for (int64 i = 0; i < tables->n; i++)
		samples[i] = tables->cells[i].sample;
	qsort(samples, tables->n, sizeof(int32), compare_samples);
	for (int64 i = 0; i < tables->n; i++)
		count += i == 0 || samples[i] != samples[i - 1];
	pfree(samples);
	return count;
}

void
migration_tables_close(MigrationTables *tables)
{
	qsort(tables->cells, tables->n, sizeof(MigrationTestCell), comparison_tables_compare_cells);
	for (int64 first = 0, next; first < tables->n; first = next)
	{
		int32		table = tables->cells[first].table;
		int64		samples = 0;
		double	   *counts;
		double	   *work;

		for (next = first; next < tables->n && tables->cells[next].table == table; next++)
			samples += next == first || tables->cells[next].sample != tables->cells[next - 1].sample;
		counts = migration_doubles(samples, tables->columns);
		work = migration_doubles(samples + tables->columns, 1);
		samples = 0;
		for (int64 i = first; i < next; i++)
		{
			const MigrationTestCell *cell = &tables->cells[i];

			samples += i > first && cell->sample != cell[-1].sample;
			counts[samples * tables->columns + cell->to] += (double) cell->count;
		}
		contingency_add(&tables->each[table], (int) samples + 1, tables->columns, counts, work);
		contingency_add(&tables->all, (int) samples + 1, tables->columns, counts, work);
		pfree(counts);
		pfree(work);
		CHECK_FOR_INTERRUPTS();
	}
	tables->all.rows = count_samples(tables);
}

/* ---------- matrices side by side ---------- */

void
migration_samples_check(const MigrationMatrix *matrix)
{
	if (matrix->given)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a migration_matrix of given probabilities cannot be tested"),
				 errdetail("It has no counts of customers.")));
}

void
migration_samples_match(MigrationSamples *samples)
{
	int64		room = 1;

	for (int k = 0; k < samples->count; k++)
		room += samples->matrices[k].states;
	samples->states = 0;
	samples->labels = palloc_extended(sizeof(char *) * room, MCXT_ALLOC_HUGE);
	samples->known_to = palloc_extended(sizeof(int) * room, MCXT_ALLOC_HUGE);
	samples->map = palloc(sizeof(int32 *) * (samples->count + 1));
	for (int k = 0; k < samples->count; k++)
	{
		const MigrationMatrix *matrix = &samples->matrices[k];
		int32	   *map = palloc(sizeof(int32) * (matrix->states + 1));

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < matrix->states; i++)
		{
			/* mostly they have the same list */
			int			at = i;

			if (at >= samples->states || strcmp(samples->labels[at], matrix->labels[i]) != 0)
				for (at = 0; at < samples->states; at++)
					if (strcmp(samples->labels[at], matrix->labels[i]) == 0)
						break;
			if (at == samples->states)
			{
				if (at == MIGRATION_STATES_MAX)
					migration_states_error();
				samples->labels[at] = matrix->labels[i];
				samples->known_to[at] = 0;
				samples->states++;
			}
			samples->known_to[at]++;
			map[i] = at;
		}
		samples->map[k] = map;
	}
	for (int k = 0; k < samples->count; k++)
		samples->map[k][samples->matrices[k].states] = samples->states;
}

void
migration_samples_tables(const MigrationSamples *samples, MigrationTables *tables)
{
	int64		cells = 0;

	for (int k = 0; k < samples->count; k++)
		cells += samples->matrices[k].cells_n;
	migration_tables_open(tables, migration_samples_sides(samples),
						  migration_samples_sides(samples), cells);
	for (int k = 0; k < samples->count; k++)
	{
		const MigrationMatrix *matrix = &samples->matrices[k];

		for (int64 i = 0; i < matrix->cells_n; i++)
		{
			const MigrationCell *cell = &matrix->cells[i];
			int			from = samples->map[k][cell->from];
			int			to = samples->map[k][cell->to];

			if (migration_samples_count(samples, from, to))
				migration_tables_put(tables, from, k, to, cell->count);
		}
	}
	migration_tables_close(tables);
}

/* ---------- rows of a test ---------- */

void
migration_add_name(StringInfo buf, const char *title, const char *label)
{
	appendStringInfo(buf, "%s%s\"%s\"", buf->len == 0 ? "" : ", ", title, label);
}

void
migration_judge(const MigrationTables *tables, double confidence, MigrationVerdict *verdict)
{
	int		   *order = migration_ints(tables->tables);

	verdict->confidence = confidence;
	for (int kind = 0; kind < MIGRATION_KINDS; kind++)
	{
		verdict->p[kind] = migration_doubles(tables->tables, 1);
		verdict->holm[kind] = migration_doubles(tables->tables, 1);
		for (int i = 0; i < tables->tables; i++)
			verdict->p[kind][i] = contingency_p(statistic(&tables->each[i], kind),
												tables->each[i].degrees);
		contingency_holm(tables->tables, verdict->p[kind], verdict->holm[kind], order);
	}
}

void
migration_put_statistic(Datum *values, bool *nulls, const Contingency *sums, int kind)
{
	values[0] = CStringGetTextDatum(kind_names[kind]);
	nulls[0] = false;
	migration_put_number(values, nulls, 1, statistic(sums, kind));
	nulls[2] = false;
	values[2] = Int64GetDatum(sums->degrees);
	migration_put_number(values, nulls, 3, contingency_p(statistic(sums, kind), sums->degrees));
}

void
migration_put_sparse(Datum *values, bool *nulls, const Contingency *sums)
{
	double		share = sums->cells == 0 ? get_float8_nan() : (double) sums->sparse / sums->cells;

	migration_put_number(values, nulls, 0, share);
	nulls[1] = sums->cells == 0;
	values[1] = BoolGetDatum(share > SPARSE_SHARE);
}

static void
put_test_name(Datum *values, bool *nulls, const MigrationSamples *samples, int table)
{
	values[0] = CStringGetTextDatum(table < 0 ? "overall" : "row");
	nulls[1] = table < 0;
	if (table >= 0)
		values[1] = CStringGetTextDatum(migration_samples_from(samples, table));
}

void
migration_put_verdict(Datum *values, bool *nulls, const MigrationSamples *samples,
					  const MigrationTables *tables, const MigrationVerdict *verdict,
					  int table, int kind)
{
	const Contingency *sums = table < 0 ? &tables->all : &tables->each[table];
	double		holm = table < 0 ? get_float8_nan() : verdict->holm[kind][table];
	double		p;

	put_test_name(values, nulls, samples, table);
	migration_put_statistic(values + TEST_COLUMN_KIND, nulls + TEST_COLUMN_KIND, sums, kind);
	migration_put_number(values, nulls, TEST_COLUMN_HOLM, holm);
	p = nulls[TEST_COLUMN_P] || table >= 0 ? holm : DatumGetFloat8(values[TEST_COLUMN_P]);
	nulls[TEST_COLUMN_SIGNIFICANT] = isnan(p);
	values[TEST_COLUMN_SIGNIFICANT] = BoolGetDatum(p < 1 - verdict->confidence);
	migration_put_sparse(values + TEST_COLUMN_SPARSE, nulls + TEST_COLUMN_SPARSE, sums);
}
