/*
 * survival_incidence.c
 *	  SQL-callable: what share of customers has left for which cause?
 *
 * Promises: incidences of all causes and survival add up to 1; NULL limits where
 * there is nothing to tell from.
 * Never: takes customers who left for another cause for censored ones.
 */
#include "survival/survival_sort.h"

#include <math.h>

#include "fmgr/interrupts.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "models/survival/incidence.h"
#include "survival/survival_arguments.h"
#include "utils/builtins.h"

#define ROW_COLUMNS		8
#define AT_COLUMNS		5

static SurvivalTable *
get_causes(FunctionCallInfo fcinfo, int arg)
{
	SurvivalTable *table = survival_unpack(PG_GETARG_SURVIVAL_TABLE_PP(arg));

	if (table->n > 0 && !table->has_causes)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("this survival_table has no causes"),
				 errhint("Make it with competing_risks(duration, cause).")));
	if (table->has_groups || table->has_strata)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("this survival_table has groups, and so no incidence of its own"),
				 errhint("Make one with competing_risks(duration, cause) for each group: GROUP BY.")));
	return table;
}

/* Points and, room for one cause at a time, estimates. */
static void
make_incidence(const SurvivalTable *table, Incidence *data, IncidenceEstimate **estimates)
{
	size_t		n = table->n;
	IncidenceRow *rows = survival_alloc(n, sizeof(IncidenceRow));
	EntryOrder *entries = table->has_entry ? survival_alloc(n, sizeof(EntryOrder)) : NULL;

	memset(data, 0, sizeof(Incidence));
	for (size_t i = 0; i < n; i++)
	{
		const SurvivalRow *row = &table->rows[i];

		rows[i].time = survival_time_order(table, row);
		rows[i].entry = 0;
		rows[i].count = row->count;
		rows[i].weight = row->weight;
		rows[i].cause = row->cause == SURVIVAL_CENSORED ? INCIDENCE_CENSORED : row->cause;
		if (entries != NULL)
		{
			rows[i].entry = survival_entry_order(table, row);
			entries[i].stratum = 0;
			entries[i].entry = rows[i].entry;
			entries[i].row = i;
		}
		if (i % 65536 == 65535)
			CHECK_FOR_INTERRUPTS();
	}
	data->rows = rows;
	data->n = n;
	data->poll = poll_interrupts;
	if (n > 0 && entries != NULL)
	{
		data->by_entry = survival_by_entry(entries, n);
		data->missed = survival_alloc(n, sizeof(size_t));
	}
	data->points = survival_alloc(n, sizeof(IncidencePoint));
	incidence_points(data);
	*estimates = survival_alloc(data->npoints, sizeof(IncidenceEstimate));
}

/* Incidence, standard error, limits. */
static void
put_estimate(Datum *values, bool *nulls, double incidence, double se, KmBand band, double z)
{
	KmPoint		point = {.survival = incidence, .se = se};

	/* an incidence is the share of an event, as survival is: so are its limits */
	KmLimits	limits = km_limits(&point, band, z);

	values[0] = Float8GetDatum(incidence);
	values[1] = Float8GetDatum(se);
	nulls[0] = nulls[1] = false;
	set_float8(values, nulls, 2, limits.low);
	set_float8(values, nulls, 3, limits.high);
}

PG_FUNCTION_INFO_V1(incidence_rows);
Datum
incidence_rows(PG_FUNCTION_ARGS)
{
	SurvivalTable *table;
	Incidence	data;
	IncidenceEstimate *estimates;
	KmBand		band;
	double		z;
	Datum		values[ROW_COLUMNS];
	bool		nulls[ROW_COLUMNS] = {0};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	z = survival_z_argument(fcinfo, 1);
	band = survival_band_argument(fcinfo, 2);
	table = get_causes(fcinfo, 0);
	make_incidence(table, &data, &estimates);
	for (int cause = 1; cause <= table->ncauses; cause++)
	{
		incidence_estimate(&data, cause, estimates);
		values[1] = CStringGetTextDatum(table->causes[cause - 1]);
		for (size_t j = 0; j < data.npoints; j++)
		{
			values[0] = Float8GetDatum(table->rows[data.points[j].first].real);
			values[2] = Float8GetDatum(data.points[j].at_risk.high);
			values[3] = Float8GetDatum(estimates[j].events);
			put_estimate(values + 4, nulls + 4, estimates[j].incidence.high, estimates[j].se, band, z);
			retention_put_row(fcinfo, values, nulls);
		}
	}
	return (Datum) 0;
}

/* How many points are not after a time. */
static size_t
points_until(const SurvivalTable *table, const Incidence *data, double time)
{
	size_t		low = 0;
	size_t		high = data->npoints;

	while (low < high)
	{
		size_t		middle = low + (high - low) / 2;

		if (table->rows[data->points[middle].first].real <= time)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* One row for each cause; NULLs where those who were still there have not been seen so long. */
static void
put_incidence_at(FunctionCallInfo fcinfo, const SurvivalTable *table, double time)
{
	Incidence	data;
	IncidenceEstimate *estimates;
	double		z = survival_z_argument(fcinfo, 2);
	KmBand		band = survival_band_argument(fcinfo, 3);
	size_t		until;
	bool		known;
	Datum		values[AT_COLUMNS];
	bool		nulls[AT_COLUMNS];

	if (table->n == 0)
		return;
	make_incidence(table, &data, &estimates);
	until = points_until(table, &data, time);
	known = until < data.npoints || data.points[until - 1].survival.high == 0 ||
		table->rows[data.points[until - 1].first].real == time;
	for (int cause = 1; cause <= table->ncauses; cause++)
	{
		memset(nulls, !known, sizeof(nulls));
		nulls[0] = false;
		values[0] = CStringGetTextDatum(table->causes[cause - 1]);
		if (known)
		{
			incidence_estimate(&data, cause, estimates);
			put_estimate(values + 1, nulls + 1,
						 until == 0 ? 0 : estimates[until - 1].incidence.high,
						 until == 0 ? 0 : estimates[until - 1].se, band, z);
		}
		retention_put_row(fcinfo, values, nulls);
	}
}

PG_FUNCTION_INFO_V1(incidence_at);
Datum
incidence_at(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	if (!PG_ARGISNULL(0) && !PG_ARGISNULL(1))
		put_incidence_at(fcinfo, get_causes(fcinfo, 0),
						 survival_check_time(PG_GETARG_FLOAT8(1), "duration"));
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(incidence_at_interval);
Datum
incidence_at_interval(PG_FUNCTION_ARGS)
{
	SurvivalTable *table;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		return (Datum) 0;
	table = get_causes(fcinfo, 0);
	put_incidence_at(fcinfo, table, survival_days_argument(fcinfo, 1, table->kind, "duration"));
	return (Datum) 0;
}
