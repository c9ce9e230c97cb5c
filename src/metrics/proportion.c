/*
 * proportion.c
 *	  SQL-callable: limits of a proportion by the method of one's choice, and two
 *	  proportions against each other.
 *
 * Promises: one row for each call; NULL where nobody was counted, or a count is
 * NULL; errors name what was passed.
 * Never: takes hits that are not some of the trials.
 */
#include "retention.h"

#include <math.h>

#include "fmgr.h"
#include "fmgr/arguments.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "math/proportion_limits.h"
#include "utils/builtins.h"
#include "utils/float.h"

#define INTERVAL_COLUMNS	3
#define TEST_COLUMNS		8

typedef Limits (*LimitsByZ) (double hits, double n, double z);
typedef Limits (*LimitsByConfidence) (double hits, double n, double confidence);

/* One of the two. */
typedef struct IntervalMethod
{
	const char *name;
	LimitsByZ	by_z;
	LimitsByConfidence by_confidence;
} IntervalMethod;

static const IntervalMethod methods[] = {
	{"wilson", wilson_limits, NULL},
	{"wilson_cc", wilson_cc_limits, NULL},
	{"wald", wald_limits, NULL},
	{"agresti_coull", agresti_coull_limits, NULL},
	{"clopper_pearson", NULL, clopper_pearson_limits},
	{"jeffreys", NULL, jeffreys_limits},
};

static const IntervalMethod *
get_method(FunctionCallInfo fcinfo, int arg)
{
	char	   *name;

	if (PG_ARGISNULL(arg))
		return &methods[0];
	name = text_to_cstring(PG_GETARG_TEXT_PP(arg));
	for (int i = 0; i < lengthof(methods); i++)
		if (strcmp(name, methods[i].name) == 0)
			return &methods[i];
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown method \"%s\"", name),
			 errhint("Write wilson, wilson_cc, wald, agresti_coull, clopper_pearson or jeffreys.")));
}

/* hits of trials at two arguments; false if there is nothing to take a share of */
static bool
get_sample(FunctionCallInfo fcinfo, int arg, const char *suffix, double *hits, double *trials)
{
	bool		known = !PG_ARGISNULL(arg) && !PG_ARGISNULL(arg + 1);
	int64		hit = PG_ARGISNULL(arg) ? 0 : PG_GETARG_INT64(arg);
	int64		tried = PG_ARGISNULL(arg + 1) ? 0 : PG_GETARG_INT64(arg + 1);

	if (tried < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("trials%s must not be negative, not " INT64_FORMAT, suffix, tried)));
	if (hit < 0 || (known && hit > tried))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 known ?
				 errmsg("hits%s must be from 0 to trials%s, not " INT64_FORMAT " of " INT64_FORMAT,
						suffix, suffix, hit, tried) :
				 errmsg("hits%s must not be negative, not " INT64_FORMAT, suffix, hit)));
	*hits = (double) hit;
	*trials = (double) tried;
	return known && tried > 0;
}

PG_FUNCTION_INFO_V1(proportion_interval);
Datum
proportion_interval(PG_FUNCTION_ARGS)
{
	double		numbers[INTERVAL_COLUMNS];
	double		hits;
	double		trials;
	double		confidence = argument_confidence(fcinfo, 2);
	const IntervalMethod *method = get_method(fcinfo, 3);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < INTERVAL_COLUMNS; i++)
		numbers[i] = get_float8_nan();
	if (get_sample(fcinfo, 0, "", &hits, &trials))
	{
		Limits		limits;

		if (method->by_z != NULL)
			limits = method->by_z(hits, trials, normal_two_sided_z(confidence));
		else
			limits = method->by_confidence(hits, trials, confidence);
		numbers[0] = hits / trials;
		numbers[1] = limits.low;
		numbers[2] = limits.high;
	}
	retention_put_numbers(fcinfo, numbers, INTERVAL_COLUMNS);
	return (Datum) 0;
}

PG_FUNCTION_INFO_V1(proportion_test);
Datum
proportion_test(PG_FUNCTION_ARGS)
{
	double		numbers[TEST_COLUMNS];
	double		hits[2];
	double		trials[2];
	double		confidence = argument_confidence(fcinfo, 4);
	bool		known;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < TEST_COLUMNS; i++)
		numbers[i] = get_float8_nan();
	known = get_sample(fcinfo, 0, "1", &hits[0], &trials[0]);
	known &= get_sample(fcinfo, 2, "2", &hits[1], &trials[1]);
	if (known)
	{
		double		z = normal_two_sided_z(confidence);
		Limits		wald = wald_difference(hits[0], trials[0], hits[1], trials[1], z);
		Limits		newcombe = newcombe_limits(hits[0], trials[0], hits[1], trials[1], z);

		numbers[0] = hits[0] / trials[0] - hits[1] / trials[1];
		numbers[1] = two_proportion_z(hits[0], trials[0], hits[1], trials[1]);
		if (!isnan(numbers[1]))
			numbers[2] = normal_two_sided_p(numbers[1]);
		numbers[3] = wald.low;
		numbers[4] = wald.high;
		numbers[5] = newcombe.low;
		numbers[6] = newcombe.high;
		numbers[7] = fisher_two_sided(hits[0], trials[0], hits[1], trials[1]);
	}
	retention_put_numbers(fcinfo, numbers, TEST_COLUMNS);
	return (Datum) 0;
}
