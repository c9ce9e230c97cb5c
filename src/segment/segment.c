/*
 * segment.c
 *	  SQL-callable: the behaviour segment of a customer, and the rules in force.
 *
 * Thresholds come as named arguments with defaults.  A call site keeps those it
 * has checked, and the six names as values, so that a row makes nothing new.
 *
 * Promises: NULL before the first purchase; the same answer with and without
 * what a call site remembers, which may be lost after any row.
 * Never: changes a history.
 */
#include "segment/segment.h"

#include "catalog/pg_type.h"
#include "fmgr/arguments.h"
#include "fmgr/as_of.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/date.h"

typedef struct SegmentCache
{
	SegmentRules rules;
	text	   *names[SEGMENTS];
} SegmentCache;

/* ---------- arguments ---------- */

static const char *const threshold_names[] = {
	"inactive_after", "seasonal_min_days", "seasonal_min_years", "seasonal_min_age",
	"max_chance", "season_start", "season_months", "loyalist_share",
	"loyalist_windows", "loyalist_window_days"
};

#define MAX_CHANCE_ARG	4

static pg_noinline void
null_threshold_error(FunctionCallInfo fcinfo, int arg)
{
	for (int i = 0; i < lengthof(threshold_names); i++)
		if (PG_ARGISNULL(arg + i) && i != MAX_CHANCE_ARG)
			null_argument_error(threshold_names[i], NULL);
}

/* Thresholds from argument number "arg" on: all but max_chance are required. */
static inline void
segment_read_rules(FunctionCallInfo fcinfo, int arg, SegmentRules *rules)
{
	if (unlikely(PG_ARGISNULL(arg) || PG_ARGISNULL(arg + 1) || PG_ARGISNULL(arg + 2) ||
				 PG_ARGISNULL(arg + 3) || PG_ARGISNULL(arg + 5) || PG_ARGISNULL(arg + 6) ||
				 PG_ARGISNULL(arg + 7) || PG_ARGISNULL(arg + 8) || PG_ARGISNULL(arg + 9)))
		null_threshold_error(fcinfo, arg);
	rules->inactive_after = PG_GETARG_INT32(arg);
	rules->seasonal_min_days = PG_GETARG_INT32(arg + 1);
	rules->seasonal_min_years = PG_GETARG_INT32(arg + 2);
	rules->seasonal_min_age = PG_GETARG_INT32(arg + 3);
	rules->max_chance = PG_ARGISNULL(arg + MAX_CHANCE_ARG) ? 1 :
		PG_GETARG_FLOAT8(arg + MAX_CHANCE_ARG);
	rules->season_start = PG_GETARG_INT32(arg + 5);
	rules->season_months = PG_GETARG_INT32(arg + 6);
	rules->loyalist_share = PG_GETARG_FLOAT8(arg + 7);
	rules->loyalist_windows = PG_GETARG_INT32(arg + 8);
	rules->loyalist_window_days = PG_GETARG_INT32(arg + 9);
}

static pg_noinline SegmentCache *
site_create(FunctionCallInfo fcinfo, const SegmentRules *rules)
{
	SegmentCache *cache = fcinfo->flinfo->fn_extra;
	MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

	segment_rules_check(rules);
	if (cache == NULL)
	{
		cache = palloc(sizeof(SegmentCache));
		for (int i = 0; i < SEGMENTS; i++)
			cache->names[i] = cstring_to_text(segment_names[i]);
		fcinfo->flinfo->fn_extra = cache;
	}
	cache->rules = *rules;
	MemoryContextSwitchTo(old);
	return cache;
}

static inline SegmentCache *
cache_of(FunctionCallInfo fcinfo, const SegmentRules *rules)
{
	SegmentCache *cache = fcinfo->flinfo->fn_extra;

	if (likely(cache != NULL && memcmp(&cache->rules, rules, sizeof(SegmentRules)) == 0))
		return cache;
	return site_create(fcinfo, rules);
}

/*
 * Required: where each customer stood at the last day of their own, nobody would
 * ever be inactive.
 */
static inline DateADT
read_as_of(FunctionCallInfo fcinfo, int arg)
{
	AsOf		as_of = required_as_of(fcinfo, arg, InvalidOid);

	return as_of_last_day(&as_of, NULL);
}

/* ---------- SQL ---------- */

PG_FUNCTION_INFO_V1(segment);
Datum
segment(PG_FUNCTION_ARGS)
{
	SegmentRules rules;
	SegmentCache *cache;
	DateADT		as_of;
	Segment		found;

	segment_read_rules(fcinfo, 2, &rules);
	cache = cache_of(fcinfo, &rules);
	as_of = read_as_of(fcinfo, 1);
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	found = segment_of(&cache->rules, PG_GETARG_HISTORY_PP(0), as_of);
	if (found == SEGMENT_NONE)
		PG_RETURN_NULL();
	/* lives as long as the call site; nobody changes what a function returns */
	PG_RETURN_TEXT_P(cache->names[found]);
}

PG_FUNCTION_INFO_V1(seasonal_chance);
Datum
seasonal_chance(PG_FUNCTION_ARGS)
{
	SegmentRules rules = {0};
	DateADT		as_of;
	double		chance;

	for (int i = 2; i < 5; i++)
		require_argument(fcinfo, i, i == 2 ? "seasonal_min_years" : i == 3 ? "season_start" :
						 "season_months");
	rules.seasonal_min_years = PG_GETARG_INT32(2);
	rules.season_start = PG_GETARG_INT32(3);
	rules.season_months = PG_GETARG_INT32(4);
	rules.seasonal_min_days = rules.loyalist_windows = rules.loyalist_window_days = 1;
	segment_rules_check(&rules);
	as_of = read_as_of(fcinfo, 1);
	if (PG_ARGISNULL(0) || !segment_chance(&rules, PG_GETARG_HISTORY_PP(0), as_of, &chance))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(chance);
}

PG_FUNCTION_INFO_V1(segment_rules);
Datum
segment_rules(PG_FUNCTION_ARGS)
{
	SegmentRules rules;

	segment_read_rules(fcinfo, 0, &rules);
	segment_rules_check(&rules);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < SEGMENTS; i++)
	{
		Datum		values[3];
		bool		nulls[3] = {0};

		values[0] = Int32GetDatum(i + 1);
		values[1] = CStringGetTextDatum(segment_names[i]);
		values[2] = CStringGetTextDatum(segment_rule_text(&rules, (Segment) i));
		retention_put_row(fcinfo, values, nulls);
	}
	return (Datum) 0;
}
