/*
 * survival_logrank.c
 *	  SQL-callable: do groups of customers leave at the same rate?
 *
 * Promises: NULL where nothing can be compared; nothing depends on how groups and
 * strata are called, but the order of rows.
 * Never: takes weights, for the variance counts customers.
 */
#include "survival/survival_sort.h"

#include <math.h>

#include "fmgr/interrupts.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "math/chi_square.h"
#include "miscadmin.h"
#include "models/survival/logrank.h"
#include "utils/builtins.h"

/* A square of doubles is eliminated: this is 32 MB and some seconds. */
#define TESTED_GROUPS_MAX	2000

#define TEST_COLUMNS	4
#define GROUP_COLUMNS	6

static double
get_rho(FunctionCallInfo fcinfo, int arg)
{
	double		rho = PG_ARGISNULL(arg) ? 0 : PG_GETARG_FLOAT8(arg);

	/* written so that NaN fails */
	if (!(rho >= 0 && isfinite(rho)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rho must be zero or a positive number, not %g", rho),
				 errhint("0 is the log-rank test, 1 that of Peto and Peto, which looks more at early leavers.")));
	return rho;
}

/* A table whose groups can be compared; one of no rows is. */
static SurvivalTable *
get_groups(FunctionCallInfo fcinfo, int arg)
{
	SurvivalTable *table = survival_unpack(PG_GETARG_SURVIVAL_TABLE_PP(arg));

	if (table->n > 0 && !table->has_groups)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("this survival_table has no groups to compare"),
				 errhint("Make it with logrank(duration, event, grp).")));
	if (table->has_weight)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("groups of weighted customers cannot be compared by a log-rank test"),
				 errdetail("Its variance counts customers.")));
	return table;
}

static int
survival_logrank_compare_rows(const void *a, const void *b, void *arg)
{
	const LogrankRow *left = a;
	const LogrankRow *right = b;

	if (left->stratum != right->stratum)
		return left->stratum < right->stratum ? -1 : 1;
	if (left->time != right->time)
		return left->time < right->time ? -1 : 1;
	if (left->group != right->group)
		return left->group < right->group ? -1 : 1;
	if (left->entry != right->entry)
		return left->entry < right->entry ? -1 : 1;
	return (int) left->event - (int) right->event;
}

static LogrankRow *
make_rows(const SurvivalTable *table)
{
	LogrankRow *rows = survival_alloc(table->n, sizeof(LogrankRow));

	for (int64 i = 0; i < table->n; i++)
	{
		const SurvivalRow *row = &table->rows[i];

		rows[i].time = survival_time_order(table, row);
		rows[i].entry = table->has_entry ? survival_entry_order(table, row) : 0;
		rows[i].count = row->count;
		rows[i].stratum = row->stratum;
		rows[i].group = row->group;
		rows[i].event = row->cause != SURVIVAL_CENSORED;
		if (i % 65536 == 65535)
			CHECK_FOR_INTERRUPTS();
	}
	qsort_interruptible(rows, table->n, sizeof(LogrankRow), survival_logrank_compare_rows, NULL);
	return rows;
}

static size_t *
order_entries(const LogrankRow *rows, size_t n)
{
	EntryOrder *entries = survival_alloc(n, sizeof(EntryOrder));

	for (size_t i = 0; i < n; i++)
	{
		entries[i].stratum = rows[i].stratum;
		entries[i].entry = rows[i].entry;
		entries[i].row = i;
		if (i % 65536 == 65535)
			CHECK_FOR_INTERRUPTS();
	}
	return survival_by_entry(entries, n);
}

/* What groups were expected to lose; and, if "compare", what a chi-square needs. */
static void
run_test(const SurvivalTable *table, double rho, bool compare, Logrank *test)
{
	LogrankRow *rows;
	size_t	   *by_entry = NULL;

	test->rho = rho;
	test->ngroups = table->ngroups;
	test->groups = palloc0(sizeof(LogrankGroup) * Max(table->ngroups, 1));
	test->active = palloc(sizeof(int) * 2 * Max(table->ngroups, 1));
	test->shares = palloc(sizeof(double) * Max(table->ngroups, 1));
	test->together = NULL;
	test->poll = poll_interrupts;
	if (compare)
		test->together = palloc0(sizeof(double) * Max(table->ngroups, 1) * Max(table->ngroups, 1));
	if (table->n == 0)
		return;
	rows = make_rows(table);
	if (table->has_entry)
		by_entry = order_entries(rows, table->n);
	logrank_add(test, rows, table->n, by_entry);
}

PG_FUNCTION_INFO_V1(logrank_test);
Datum
logrank_test(PG_FUNCTION_ARGS)
{
	SurvivalTable *table;
	Logrank		test;
	double		rho;
	double		chi_square;
	int			degrees;
	int			compared = 0;
	Datum		values[TEST_COLUMNS];
	bool		nulls[TEST_COLUMNS] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	rho = get_rho(fcinfo, 1);
	table = get_groups(fcinfo, 0);
	if (table->ngroups > TESTED_GROUPS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("logrank_test() compares at most %d groups, not %d",
						TESTED_GROUPS_MAX, table->ngroups),
				 errhint("logrank_groups() shows any number of them.")));
	run_test(table, rho, true, &test);
	for (int i = 0; i < test.ngroups; i++)
		compared += test.groups[i].expected > 0;
	chi_square = logrank_chi_square(&test, palloc(sizeof(double) * Max(test.ngroups, 1)), &degrees);
	nulls[0] = nulls[1] = nulls[2] = degrees == 0;
	values[0] = Float8GetDatum(chi_square);
	values[1] = Int32GetDatum(degrees);
	values[2] = Float8GetDatum(degrees == 0 ? 0 : chi_square_upper(chi_square, degrees));
	values[3] = Int32GetDatum(compared);
	retention_put_row(fcinfo, values, nulls);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(logrank_groups);
Datum
logrank_groups(PG_FUNCTION_ARGS)
{
	SurvivalTable *table;
	Logrank		test;
	double		rho;
	int64	   *customers;
	Datum		values[GROUP_COLUMNS];
	bool		nulls[GROUP_COLUMNS] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	rho = get_rho(fcinfo, 1);
	table = get_groups(fcinfo, 0);
	run_test(table, rho, false, &test);
	customers = palloc0(sizeof(int64) * Max(table->ngroups, 1));
	for (int64 i = 0; i < table->n; i++)
		customers[table->rows[i].group] += table->rows[i].count;
	for (int i = 0; i < table->ngroups; i++)
	{
		const LogrankGroup *group = &test.groups[i];

		values[0] = CStringGetTextDatum(table->groups[i]);
		values[1] = Int64GetDatum(customers[i]);
		values[2] = Float8GetDatum(group->observed);
		values[3] = Float8GetDatum(group->expected);
		values[4] = Float8GetDatum(group->variance);
		nulls[5] = !(group->expected > 0);
		values[5] = Float8GetDatum(nulls[5] ? 0 : group->observed / group->expected);
		retention_put_row(fcinfo, values, nulls);
	}
	return (Datum) 0;
}
