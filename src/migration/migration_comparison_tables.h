/*
 * migration_comparison_tables.h
 *	  Migration matrices as tables of counts, for the tests of them.
 *
 * Customers who left one segment are a table of their own: samples by where they
 * went.  Tables of different segments are independent, so that statistics and
 * degrees of freedom add up.
 * Anderson and Goodman (1957), "Statistical inference about Markov chains",
 * Annals of Mathematical Statistics 28; Kullback, Kupperman and Ku (1962),
 * "Tests for contingency tables and Markov chains", Technometrics 4.
 *
 * Promises: degrees of freedom count what has customers; segments are matched by
 * name; no p value where nothing can be compared.
 * Never: knows what the samples are: groups, periods or pasts.
 */
#ifndef RETENTION_MIGRATION_COMPARISON_TABLES_H
#define RETENTION_MIGRATION_COMPARISON_TABLES_H

#include "migration/migration_chain.h"
#include "lib/stringinfo.h"
#include "math/contingency_table.h"

/* the statistics, one row each */
#define MIGRATION_KINDS	2

/* So many customers of a sample, of a table, went there. */
typedef struct MigrationTestCell
{
	int32		table;
	int32		sample;
	int32		to;
	int64		count;
} MigrationTestCell;

typedef struct MigrationTables
{
	int			tables;
	int			columns;		/* where customers can go */
	int64		n;
	MigrationTestCell *cells;
	Contingency *each;			/* of each table */
	Contingency all;			/* all together; its rows: all samples */
} MigrationTables;

/* Room for so many cells of "count" tables; customers put into them; statistics of all. */
extern void migration_tables_open(MigrationTables *tables, int count, int columns, int64 cells);
extern void migration_tables_put(MigrationTables *tables, int table, int sample, int to, int64 count);
extern void migration_tables_close(MigrationTables *tables);

/* ---------- matrices side by side ---------- */

typedef struct MigrationSamples
{
	int			count;
	MigrationMatrix *matrices;
	int32	  **map;			/* of each matrix: its states among all; the last: nowhere */
	int			states;			/* all; this number is nowhere */
	char	  **labels;
	int		   *known_to;		/* of each state: so many matrices */
	bool		with_nowhere;
} MigrationSamples;

/* 22023 for given probabilities. */
extern void migration_samples_check(const MigrationMatrix *matrix);

/* States of the first matrix, then those of the next that are new, and so on. */
extern void migration_samples_match(MigrationSamples *samples);

/* A table for each state that customers left, a sample for each matrix. */
extern void migration_samples_tables(const MigrationSamples *samples, MigrationTables *tables);

/* How many states there are to come from, and to go to. */
static inline int
migration_samples_sides(const MigrationSamples *samples)
{
	return samples->states + samples->with_nowhere;
}

static inline const char *
migration_samples_from(const MigrationSamples *samples, int state)
{
	return state == samples->states ? MIGRATION_ENTERED_NAME : samples->labels[state];
}

static inline bool
migration_samples_count(const MigrationSamples *samples, int from, int to)
{
	return samples->with_nowhere || (from < samples->states && to < samples->states);
}

/* ---------- rows of a test ---------- */

/* p values of all tables, and of them together with Holm's; NaN where there is none */
typedef struct MigrationVerdict
{
	double	   *p[MIGRATION_KINDS];
	double	   *holm[MIGRATION_KINDS];
	double		confidence;
} MigrationVerdict;

extern void migration_judge(const MigrationTables *tables, double confidence, MigrationVerdict *verdict);

/* Columns of both tests, as far as they are the same. */
#define TEST_COLUMN_KIND		2
#define TEST_COLUMN_P			5
#define TEST_COLUMN_HOLM		6
#define TEST_COLUMN_SIGNIFICANT	7
#define TEST_COLUMN_SPARSE		8
#define TEST_COLUMN_NUMBERS		10
#define TEST_COLUMN_REASON		12
#define TEST_COLUMN_NOTE		13
#define TEST_COLUMNS			14

/* Columns up to TEST_COLUMN_NUMBERS, of a table or (-1) of all. */
extern void migration_put_verdict(Datum *values, bool *nulls, const MigrationSamples *samples,
								  const MigrationTables *tables, const MigrationVerdict *verdict,
								  int table, int kind);

/* kind, statistic, degrees of freedom, p value */
extern void migration_put_statistic(Datum *values, bool *nulls, const Contingency *sums, int kind);

/* share of expected counts under 5, and whether it is too large */
extern void migration_put_sparse(Datum *values, bool *nulls, const Contingency *sums);

/* The argument, 0.95 for NULL; 22023 unless between 0 and 1. */

/* A name more in a list. */
extern void migration_add_name(StringInfo buf, const char *title, const char *label);

#endif							/* RETENTION_MIGRATION_COMPARISON_TABLES_H */
