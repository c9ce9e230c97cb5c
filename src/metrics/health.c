/*
 * health.c
 *	  SQL-callable: a customer's health score: a weighted mean of what is known of
 *	  him, and how much that is.
 *
 * Each part is brought to 0 .. 100, 100 being the best: the last answer to the NPS
 * question, tickets (none is best), usage (as a share of what is full usage).
 * What is NULL is left out, and so is its weight: the others count for more, and
 * the coverage says how much of all weight is there.
 *
 * Promises: the score is between the least and the greatest part; NULL where no
 * part is known.
 * Never: takes a missing part for an average one.
 */
#include "retention.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "fmgr/arguments.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"

#define PARTS		3			/* nps, tickets, usage */
#define BEST		100.0

/* Below the one poor, from the other on good; what rests on less than half has no band. */
#define BAND_POOR		40.0
#define BAND_GOOD		70.0
#define BAND_COVERAGE	0.5

typedef struct Health
{
	double		weighted;		/* sum of weight * part over what is known */
	double		known;			/* sum of their weights */
	double		all;			/* sum of all weights */
} Health;

/* ---------- weights and parts ---------- */

static void
check_number(const char *name, double value, double most, const char *range)
{
	if (!(value >= 0 && value <= most))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be %s, not %s", name, range,
						DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(value))))));
}

static void
check_positive(const char *name, double value)
{
	if (!(value > 0 && isfinite(value)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be positive and finite, not %s", name,
						DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(value))))));
}

/* part: NaN where it is not known */
static void
add_part(Health *health, const char *name, double weight, double part)
{
	check_number(name, weight, 1e9, "from 0 to 1e9");
	health->all += weight;
	if (isnan(part))
		return;
	health->known += weight;
	health->weighted += weight * part;
}

static void
check_weights(const Health *health)
{
	if (!(health->all > 0))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the weights of a health score must not all be 0")));
}

static double
health_value(const Health *health)
{
	return health->known > 0 ? Min(health->weighted / health->known, BEST) : NAN;
}

/* ---------- NPS, tickets and usage ---------- */

/* Arguments: three parts, three weights, tickets_high, usage_high. */
static Health
read_health(FunctionCallInfo fcinfo, double *parts)
{
	static const char *const weight_names[PARTS] = {
		"nps_weight", "tickets_weight", "usage_weight"
	};
	Health		health = {0, 0, 0};
	double		tickets_high;
	double		usage_high;

	for (int i = PARTS; i < 2 * PARTS; i++)
		require_argument(fcinfo, i, weight_names[i - PARTS]);
	require_argument(fcinfo, 6, "tickets_high");
	require_argument(fcinfo, 7, "usage_high");
	tickets_high = PG_GETARG_FLOAT8(6);
	usage_high = PG_GETARG_FLOAT8(7);
	check_positive("tickets_high", tickets_high);
	check_positive("usage_high", usage_high);
	for (int i = 0; i < PARTS; i++)
		parts[i] = NAN;
	if (!PG_ARGISNULL(0))
	{
		double		nps = PG_GETARG_FLOAT8(0);

		check_number("nps", nps, 10, "from 0 to 10");
		parts[0] = BEST * (nps / 10);
	}
	if (!PG_ARGISNULL(1))
	{
		double		tickets = PG_GETARG_FLOAT8(1);

		check_number("tickets", tickets, HUGE_VAL, "0 or more");
		parts[1] = BEST * (1 - Min(tickets / tickets_high, 1));
	}
	if (!PG_ARGISNULL(2))
	{
		double		usage = PG_GETARG_FLOAT8(2);

		check_number("usage", usage, HUGE_VAL, "0 or more");
		parts[2] = BEST * Min(usage / usage_high, 1);
	}
	for (int i = 0; i < PARTS; i++)
		add_part(&health, weight_names[i], PG_GETARG_FLOAT8(PARTS + i), parts[i]);
	check_weights(&health);
	return health;
}

PG_FUNCTION_INFO_V1(health_score);
Datum
health_score(PG_FUNCTION_ARGS)
{
	double		parts[PARTS];
	Health		health = read_health(fcinfo, parts);
	double		value = health_value(&health);

	return float8_or_null(fcinfo, value);
}

static const char *
band_of(double value)
{
	return value < BAND_POOR ? "poor" : value < BAND_GOOD ? "fair" : "good";
}

PG_FUNCTION_INFO_V1(health_rows);
Datum
health_rows(PG_FUNCTION_ARGS)
{
	double		parts[PARTS];
	Health		health = read_health(fcinfo, parts);
	double		value = health_value(&health);
	Datum		values[3 + PARTS];
	bool		nulls[3 + PARTS] = {false};

	InitMaterializedSRF(fcinfo, 0);
	set_float8(values, nulls, 0, value);
	nulls[2] = nulls[0] || health.known / health.all < BAND_COVERAGE;
	values[1] = Float8GetDatum(health.known / health.all);
	values[2] = CStringGetTextDatum(band_of(value));
	for (int i = 0; i < PARTS; i++)
		set_float8(values, nulls, 3 + i, parts[i]);
	retention_put_row(fcinfo, values, nulls);
	return (Datum) 0;
}

/* ---------- parts of one's own ---------- */

static void
check_shape(ArrayType *array, const char *name)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("%s must be a list, not an array of %d dimensions", name, ARR_NDIM(array))));
}

/* Two arrays: parts from 0 to 100, and their weights. */
static Health
read_parts(FunctionCallInfo fcinfo)
{
	ArrayType  *part_array = PG_GETARG_ARRAYTYPE_P(0);
	ArrayType  *weight_array = PG_GETARG_ARRAYTYPE_P(1);
	Health		health = {0, 0, 0};
	Datum	   *parts;
	Datum	   *weights;
	bool	   *unknown;
	bool	   *unweighted;
	int			n;
	int			nweights;

	check_shape(part_array, "parts");
	check_shape(weight_array, "weights");
	deconstruct_array(part_array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &parts, &unknown, &n);
	deconstruct_array(weight_array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &weights, &unweighted, &nweights);
	if (n != nweights)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("parts and weights must be as many, not %d and %d", n, nweights)));
	for (int i = 0; i < n; i++)
	{
		double		part = unknown[i] ? NAN : DatumGetFloat8(parts[i]);

		if (unweighted[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("weight %d must not be NULL", i + 1),
					 errhint("A part that is not known is NULL among the parts.")));
		if (!unknown[i])
			check_number("a part of a health score", part, BEST, "from 0 to 100");
		add_part(&health, "a weight", DatumGetFloat8(weights[i]), part);
	}
	check_weights(&health);
	return health;
}

PG_FUNCTION_INFO_V1(health_score_parts);
Datum
health_score_parts(PG_FUNCTION_ARGS)
{
	Health		health = read_parts(fcinfo);
	double		value = health_value(&health);

	return float8_or_null(fcinfo, value);
}

PG_FUNCTION_INFO_V1(health_coverage);
Datum
health_coverage(PG_FUNCTION_ARGS)
{
	Health		health = read_parts(fcinfo);

	PG_RETURN_FLOAT8(health.known / health.all);
}
