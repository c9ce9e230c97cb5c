/*
 * nps.c
 *	  SQL-callable: what customers say: the net promoter score, its limits, and two
 *	  of them against each other.
 *
 * An aggregate counts promoters (9 and 10), passives (7 and 8) and detractors (0
 * to 6) in an array of three bigints, which is what parallel and distributed
 * plans add up.
 *
 * Promises: exact counts; NULL where nobody answered; limits hold what they are
 * the limits of.
 * Never: takes a missing answer for a passive one; rounds an answer, which might
 * then be another one.
 */
#include "retention.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "common/int.h"
#include "executor/executor.h"
#include "fmgr/arguments.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "math/chi_square.h"
#include "math/contingency_table.h"
#include "math/net_promoter.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#define CLASSES			3		/* promoters, passives, detractors */
#define SCORE_MAX		10
#define DIFFERENCE_MAX	200		/* of two scores */
#define PROMOTER_MIN	9
#define PASSIVE_MIN		7

/* ---------- counting ---------- */

/* The counts of a state, which is changed in place: the aggregate's own. */
static int64 *
state_counts(ArrayType *state)
{
	if (ARR_NDIM(state) != 1 || ARR_DIMS(state)[0] != CLASSES || ARR_HASNULL(state) ||
		ARR_ELEMTYPE(state) != INT8OID)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the state of nps() must be an array of three bigints")));
	return (int64 *) ARR_DATA_PTR(state);
}

/* The state that a call has; no state yet is one without answers. */
static ArrayType *
state_argument(FunctionCallInfo fcinfo)
{
	Datum		none[CLASSES] = {0};

	if (!PG_ARGISNULL(0))
		return PG_GETARG_ARRAYTYPE_P(0);
	return construct_array(none, CLASSES, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
						   TYPALIGN_DOUBLE);
}

static void
add_counts(int64 *counts, int class, int64 more)
{
	if (more < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("responses must not be negative, not " INT64_FORMAT, more)));
	if (pg_add_s64_overflow(counts[class], more, &counts[class]))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("bigint out of range")));
}

static int
class_of(int64 score)
{
	if (score < 0 || score > SCORE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("score must be from 0 to 10, not " INT64_FORMAT, score),
				 errhint("The question of the net promoter score is answered on that scale; another one cannot be converted.")));
	return score >= PROMOTER_MIN ? 0 : score >= PASSIVE_MIN ? 1 : 2;
}

/* ---------- whole numbers of any type ---------- */

static void
not_whole_error(const char *name, const char *value)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s must be a whole number, not %s", name, value),
			 errhint("Each answer is counted by itself; a mean of answers is none.")));
}

static int64
whole_float(double value, const char *name)
{
	/* written so that NaN fails */
	if (!(value == rint(value)) || isinf(value))
		not_whole_error(name, psprintf("%g", value));
	if (!FLOAT8_FITS_IN_INT64(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("bigint out of range")));
	return (int64) value;
}

static int64
whole_numeric(Numeric value, const char *name)
{
	Datum		datum = NumericGetDatum(value);
	int64		whole;

	if (numeric_is_nan(value) || numeric_is_inf(value))
		not_whole_error(name, DatumGetCString(DirectFunctionCall1(numeric_out, datum)));
	whole = DatumGetInt64(DirectFunctionCall1(numeric_int8, datum));
	if (!DatumGetBool(DirectFunctionCall2(numeric_eq, datum,
										  NumericGetDatum(int64_to_numeric(whole)))))
		not_whole_error(name, DatumGetCString(DirectFunctionCall1(numeric_out, datum)));
	return whole;
}

/* The base type of an argument, found out once a call site. */
static Oid
number_type(FunctionCallInfo fcinfo, int arg, const char *name)
{
	Oid		   *types = fcinfo->flinfo->fn_extra;
	Oid			given;

	if (types == NULL)
		types = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt,
																  3 * sizeof(Oid));
	if (likely(OidIsValid(types[arg])))
		return types[arg];
	given = get_fn_expr_argtype(fcinfo->flinfo, arg);
	types[arg] = OidIsValid(given) ? getBaseType(given) : InvalidOid;
	switch (types[arg])
	{
		case INT2OID:
		case INT4OID:
		case INT8OID:
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			return types[arg];
	}
	ereport(ERROR,
			(errcode(ERRCODE_DATATYPE_MISMATCH),
			 errmsg("%s must be a number, not %s", name,
					OidIsValid(given) ? format_type_be(given) : "unknown"),
			 errhint("Cast it, as in score::integer.")));
}

static int64
whole_argument(FunctionCallInfo fcinfo, int arg, const char *name)
{
	switch (number_type(fcinfo, arg, name))
	{
		case INT2OID:
			return PG_GETARG_INT16(arg);
		case INT4OID:
			return PG_GETARG_INT32(arg);
		case INT8OID:
			return PG_GETARG_INT64(arg);
		case FLOAT4OID:
			return whole_float(PG_GETARG_FLOAT4(arg), name);
		case FLOAT8OID:
			return whole_float(PG_GETARG_FLOAT8(arg), name);
		default:
			return whole_numeric(PG_GETARG_NUMERIC(arg), name);
	}
}

/* ---------- rows ---------- */

static Datum
count_responses(FunctionCallInfo fcinfo, int64 responses)
{
	ArrayType  *state;

	require_aggregate(fcinfo, "nps");
	state = state_argument(fcinfo);
	add_counts(state_counts(state), class_of(whole_argument(fcinfo, 1, "score")), responses);
	PG_RETURN_ARRAYTYPE_P(state);
}

PG_FUNCTION_INFO_V1(nps_trans);
Datum
nps_trans(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1))
		PG_RETURN_ARRAYTYPE_P(state_argument(fcinfo));
	return count_responses(fcinfo, 1);
}

PG_FUNCTION_INFO_V1(nps_trans_responses);
Datum
nps_trans_responses(PG_FUNCTION_ARGS)
{
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_ARRAYTYPE_P(state_argument(fcinfo));
	return count_responses(fcinfo, whole_argument(fcinfo, 2, "responses"));
}

PG_FUNCTION_INFO_V1(nps_combine);
Datum
nps_combine(PG_FUNCTION_ARGS)
{
	ArrayType  *state;
	const int64 *more;
	int64	   *counts;

	require_aggregate(fcinfo, "nps");
	if (PG_ARGISNULL(1))
		PG_RETURN_ARRAYTYPE_P(state_argument(fcinfo));
	state = state_argument(fcinfo);
	counts = state_counts(state);
	more = state_counts(PG_GETARG_ARRAYTYPE_P(1));
	for (int i = 0; i < CLASSES; i++)
		add_counts(counts, i, more[i]);
	PG_RETURN_ARRAYTYPE_P(state);
}

/* ---------- counts as a composite ---------- */

/* The counts of a composite nps_counts; a NULL field is none. */
static bool
composite_counts(FunctionCallInfo fcinfo, int arg, int64 *counts)
{
	static const char *const names[CLASSES] = {"promoters", "passives", "detractors"};
	HeapTupleHeader tuple;

	if (PG_ARGISNULL(arg))
		return false;
	tuple = PG_GETARG_HEAPTUPLEHEADER(arg);
	for (int i = 0; i < CLASSES; i++)
	{
		bool		isnull;
		Datum		value = GetAttributeByName(tuple, names[i], &isnull);

		counts[i] = isnull ? 0 : DatumGetInt64(value);
		if (counts[i] < 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("%s must not be negative, not " INT64_FORMAT, names[i], counts[i])));
	}
	return true;
}

static PromoterCounts
promoter_counts(const int64 *counts)
{
	PromoterCounts result;

	result.promoters = (double) counts[0];
	result.passives = (double) counts[1];
	result.detractors = (double) counts[2];
	return result;
}

PG_FUNCTION_INFO_V1(nps_counts_trans);
Datum
nps_counts_trans(PG_FUNCTION_ARGS)
{
	ArrayType  *state;
	int64		more[CLASSES];
	int64	   *counts;

	require_aggregate(fcinfo, "rollup");
	if (!composite_counts(fcinfo, 1, more))
		PG_RETURN_ARRAYTYPE_P(state_argument(fcinfo));
	state = state_argument(fcinfo);
	counts = state_counts(state);
	for (int i = 0; i < CLASSES; i++)
		add_counts(counts, i, more[i]);
	PG_RETURN_ARRAYTYPE_P(state);
}

PG_FUNCTION_INFO_V1(nps_counts_final);
Datum
nps_counts_final(PG_FUNCTION_ARGS)
{
	const int64 *counts = state_counts(PG_GETARG_ARRAYTYPE_P(0));
	TupleDesc	desc;
	Datum		values[CLASSES];
	bool		nulls[CLASSES] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "nps_counts is no composite type");
	for (int i = 0; i < CLASSES; i++)
		values[i] = Int64GetDatum(counts[i]);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* ---------- the score ---------- */

static Datum
score_datum(FunctionCallInfo fcinfo, const int64 *counts)
{
	PromoterCounts as_doubles = promoter_counts(counts);
	PromoterScore score = promoter_score(&as_doubles);

	return float8_or_null(fcinfo, score.nps);
}

PG_FUNCTION_INFO_V1(nps_final);
Datum
nps_final(PG_FUNCTION_ARGS)
{
	return score_datum(fcinfo, state_counts(PG_GETARG_ARRAYTYPE_P(0)));
}

PG_FUNCTION_INFO_V1(nps_of_counts);
Datum
nps_of_counts(PG_FUNCTION_ARGS)
{
	int64		counts[CLASSES];

	if (!composite_counts(fcinfo, 0, counts))
		PG_RETURN_NULL();
	return score_datum(fcinfo, counts);
}

static int64
count_all(const int64 *counts)
{
	int64		all = 0;

	for (int i = 0; i < CLASSES; i++)
		if (pg_add_s64_overflow(all, counts[i], &all))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("bigint out of range")));
	return all;
}

/*
 * Limits that hold the estimate: those of adjusted counts lie around a score that
 * is nearer to 0, and may end before it where nearly all say the same.
 */
static Limits
limits_around(Limits limits, double estimate)
{
	if (estimate < limits.low)
		limits.low = estimate;
	if (estimate > limits.high)
		limits.high = estimate;
	return limits;
}

PG_FUNCTION_INFO_V1(nps_rows);
Datum
nps_rows(PG_FUNCTION_ARGS)
{
	double		confidence = argument_confidence(fcinfo, 1);
	double		z = normal_two_sided_z(confidence);
	int64		counts[CLASSES];
	PromoterCounts plain_counts;
	PromoterCounts adjusted_counts;
	PromoterScore plain;
	PromoterScore adjusted;
	Limits		limits[3];
	Datum		values[14];
	bool		nulls[14] = {false};

	InitMaterializedSRF(fcinfo, 0);
	if (!composite_counts(fcinfo, 0, counts))
		return (Datum) 0;
	plain_counts = promoter_counts(counts);
	adjusted_counts = promoter_adjusted(&plain_counts);
	plain = promoter_score(&plain_counts);
	adjusted = promoter_score(&adjusted_counts);
	limits[0] = limits_around(promoter_limits(&adjusted, z), plain.nps);
	limits[1] = promoter_limits(&plain, z);
	limits[2] = promoter_t_limits(&plain, confidence);
	/* three answers that nobody gave say nothing by themselves */
	if (plain.responses == 0)
		adjusted.nps = adjusted.se = limits[0].low = limits[0].high = NAN;
	set_float8(values, nulls, 0, plain.nps);
	values[3] = Int64GetDatum(count_all(counts));
	for (int i = 0; i < CLASSES; i++)
	{
		values[4 + i] = Int64GetDatum(counts[i]);
		set_float8(values, nulls, i == 0 ? 1 : 6 + 2 * i, limits[i].low);
		set_float8(values, nulls, i == 0 ? 2 : 7 + 2 * i, limits[i].high);
	}
	set_float8(values, nulls, 7, plain.se);
	set_float8(values, nulls, 12, adjusted.nps);
	set_float8(values, nulls, 13, adjusted.se);
	retention_put_row(fcinfo, values, nulls);
	return (Datum) 0;
}

/* The first less the second: NaN where one has no answers, z and p also where nothing varies. */
typedef struct ScoreDifference
{
	double		difference;
	double		se;
	double		z;
	double		p;				/* two-sided */
} ScoreDifference;

static ScoreDifference
difference_test(const PromoterScore *first, const PromoterScore *second)
{
	ScoreDifference test;

	test.difference = first->nps - second->nps;
	test.se = hypot(first->se, second->se);
	test.z = test.se > 0 ? test.difference / test.se : NAN;
	test.p = isnan(test.z) ? NAN : normal_two_sided_p(fabs(test.z));
	return test;
}

PG_FUNCTION_INFO_V1(nps_test);
Datum
nps_test(PG_FUNCTION_ARGS)
{
	double		quantile = normal_two_sided_z(argument_confidence(fcinfo, 2));
	int64		counts[2][CLASSES];
	double		table[2 * CLASSES];
	double		work[2 + CLASSES];
	PromoterScore plain[2];
	PromoterScore adjusted[2];
	ScoreDifference wald;
	ScoreDifference test;
	Limits		limits;
	Contingency sums;
	Datum		values[13];
	bool		nulls[13] = {false};

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < 2; i++)
	{
		PromoterCounts plain_counts;
		PromoterCounts adjusted_counts;

		if (!composite_counts(fcinfo, i, counts[i]))
			return (Datum) 0;
		plain_counts = promoter_counts(counts[i]);
		adjusted_counts = promoter_adjusted(&plain_counts);
		plain[i] = promoter_score(&plain_counts);
		adjusted[i] = promoter_score(&adjusted_counts);
		if (plain[i].responses == 0)
			adjusted[i].nps = adjusted[i].se = NAN;
		for (int j = 0; j < CLASSES; j++)
			table[i * CLASSES + j] = (double) counts[i][j];
	}
	wald = difference_test(&plain[0], &plain[1]);
	test = difference_test(&adjusted[0], &adjusted[1]);
	limits.low = test.difference - quantile * test.se;
	limits.high = test.difference + quantile * test.se;
	if (limits.low < -DIFFERENCE_MAX)
		limits.low = -DIFFERENCE_MAX;
	if (limits.high > DIFFERENCE_MAX)
		limits.high = DIFFERENCE_MAX;
	limits = limits_around(limits, wald.difference);
	set_float8(values, nulls, 0, wald.difference);
	set_float8(values, nulls, 1, test.se);
	set_float8(values, nulls, 2, test.z);
	set_float8(values, nulls, 3, test.p);
	set_float8(values, nulls, 4, limits.low);
	set_float8(values, nulls, 5, limits.high);
	set_float8(values, nulls, 6, test.difference);
	set_float8(values, nulls, 7, wald.se);
	set_float8(values, nulls, 8, wald.z);
	set_float8(values, nulls, 9, wald.p);
	memset(&sums, 0, sizeof(sums));
	contingency_add(&sums, 2, CLASSES, table, work);
	set_float8(values, nulls, 10, sums.degrees > 0 ? sums.pearson : NAN);
	nulls[11] = sums.degrees == 0;
	values[11] = Int64GetDatum(sums.degrees);
	set_float8(values, nulls, 12,
			   sums.degrees > 0 ? contingency_p(sums.pearson, sums.degrees) : NAN);
	retention_put_row(fcinfo, values, nulls);
	return (Datum) 0;
}
