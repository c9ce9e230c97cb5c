/*
 * rfm_segment.c
 *	  SQL-callable: names for the cells of recency and frequency scores.
 *
 * A map gives every cell (recency score, frequency score) to one segment, as
 * rectangles of cells.  The default one has ten names for the 25 cells of scores
 * 1..5; a user's own is an object of JSON, {"champion": "r5 f4-5", ...}, with a
 * list of such texts where a segment is no single rectangle.
 *
 * Promises: a map has no holes and no overlaps, or it is refused by the cell.
 * Never: looks at the monetary score.
 */
#include "retention.h"

#include <ctype.h>

#include "fmgr/arguments.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#define DEFAULT_BINS	5
#define BINS_MAX		100

/* Scores, inclusive. */
typedef struct CellRange
{
	int32		low;
	int32		high;
} CellRange;

typedef struct MapRule
{
	const char *segment;
	CellRange	recency;
	CellRange	frequency;
} MapRule;

static const MapRule default_rules[] = {
	{"champion", {5, 5}, {4, 5}},
	{"loyal", {3, 4}, {4, 5}},
	{"potential_loyalist", {4, 5}, {2, 3}},
	{"new", {5, 5}, {1, 1}},
	{"promising", {4, 4}, {1, 1}},
	{"need_attention", {3, 3}, {3, 3}},
	{"about_to_sleep", {3, 3}, {1, 2}},
	{"cannot_lose", {1, 2}, {5, 5}},
	{"at_risk", {1, 2}, {3, 4}},
	{"hibernating", {1, 2}, {1, 2}}
};

/* A map that was checked, in the context that was current. */
typedef struct SegmentMap
{
	int32		bins;
	Jsonb	   *source;			/* NULL: the default map */
	int			rules_n;
	MapRule    *rules;
	text	  **cells;			/* (recency - 1) * bins + frequency - 1 */
} SegmentMap;

/* ---------- reading a user's map ---------- */

static void
cells_error(const char *segment, const char *cells, int32 bins)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cells \"%s\" of segment \"%s\" cannot be read", cells, segment),
			 errhint("Write scores from 1 to %d of recency and frequency, as in 'r5 f4-5'.", bins)));
}

/* One that is no score, if it is too large; where the text goes on in *at. */
static int32
parse_score(const char **at)
{
	char	   *end;
	long		score = strtol(*at, &end, 10);

	*at = end;
	return score > BINS_MAX ? BINS_MAX + 1 : (int32) score;
}

/* A letter and a score or a range of them; where the text goes on, or NULL. */
static const char *
parse_range(const char *at, char letter, int32 bins, CellRange *range)
{
	at += strspn(at, " ");
	if (pg_tolower((unsigned char) *at) != letter || !isdigit((unsigned char) at[1]))
		return NULL;
	at++;
	range->low = range->high = parse_score(&at);
	if (at[0] == '-' && isdigit((unsigned char) at[1]))
	{
		at++;
		range->high = parse_score(&at);
	}
	if (range->low < 1 || range->high < range->low || range->high > bins)
		return NULL;
	return at + strspn(at, " ");
}

static void
add_rule(SegmentMap *map, const char *segment, const JsonbValue *value)
{
	MapRule    *rule;
	char	   *cells;
	const char *at;

	if (value->type != jbvString)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cells of segment \"%s\" must be a text or a list of texts", segment),
				 errhint("Write, for instance, {\"champion\": \"r5 f4-5\", ...}.")));
	cells = pnstrdup(value->val.string.val, value->val.string.len);
	map->rules = map->rules_n == 0 ? palloc(sizeof(MapRule)) :
		repalloc(map->rules, sizeof(MapRule) * (map->rules_n + 1));
	rule = &map->rules[map->rules_n++];
	rule->segment = segment;
	at = parse_range(cells, 'r', map->bins, &rule->recency);
	if (at != NULL)
		at = parse_range(at, 'f', map->bins, &rule->frequency);
	if (at == NULL || *at != '\0')
		cells_error(segment, cells, map->bins);
}

static void
rfm_segment_read_rules(SegmentMap *map, Jsonb *source)
{
	JsonbIterator *it;
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *segment = NULL;

	if (!JB_ROOT_IS_OBJECT(source))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("map must be an object of JSON, with the cells of each segment"),
				 errhint("Write, for instance, {\"champion\": \"r5 f4-5\", ...}.")));
	it = JsonbIteratorInit(&source->root);
	(void) JsonbIteratorNext(&it, &value, false);
	while ((token = JsonbIteratorNext(&it, &value, false)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			segment = pnstrdup(value.val.string.val, value.val.string.len);
		else if (token == WJB_VALUE || token == WJB_ELEM)
			add_rule(map, segment, &value);
		else if (token == WJB_BEGIN_OBJECT)
		{
			value.type = jbvObject;
			add_rule(map, segment, &value);
		}
	}
}

/* ---------- maps ---------- */

static void
fill_cell(SegmentMap *map, const MapRule *rule, text *segment, int32 recency, int32 frequency)
{
	text	  **cell = &map->cells[(recency - 1) * map->bins + frequency - 1];

	if (*cell != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("map has an overlap: recency score %d and frequency score %d are \"%s\" and \"%s\"",
						recency, frequency, text_to_cstring(*cell), rule->segment)));
	*cell = segment;
}

static void
fill_cells(SegmentMap *map)
{
	map->cells = palloc0(sizeof(text *) * map->bins * map->bins);
	for (int i = 0; i < map->rules_n; i++)
	{
		const MapRule *rule = &map->rules[i];
		text	   *segment = cstring_to_text(rule->segment);

		for (int32 r = rule->recency.low; r <= rule->recency.high; r++)
			for (int32 f = rule->frequency.low; f <= rule->frequency.high; f++)
				fill_cell(map, rule, segment, r, f);
	}
	for (int32 i = 0; i < map->bins * map->bins; i++)
		if (map->cells[i] == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("map has a hole: no segment for recency score %d and frequency score %d",
							i / map->bins + 1, i % map->bins + 1)));
}

/* source NULL: the default map */
static SegmentMap *
map_create(Jsonb *source, int32 bins)
{
	SegmentMap *map = palloc0(sizeof(SegmentMap));

	map->bins = bins;
	if (bins < 2 || bins > BINS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bins must be between 2 and %d, not %d", BINS_MAX, bins)));
	if (source == NULL && bins != DEFAULT_BINS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the default map has %d bins, not %d", DEFAULT_BINS, bins),
				 errhint("Pass a map of your own, as in map => '{\"best\": \"r2-3 f2-3\", ...}'.")));
	if (source == NULL)
	{
		map->rules = (MapRule *) default_rules;
		map->rules_n = lengthof(default_rules);
	}
	else
	{
		map->source = palloc(VARSIZE(source));
		memcpy(map->source, source, VARSIZE(source));
		rfm_segment_read_rules(map, map->source);
	}
	fill_cells(map);
	return map;
}

static bool
same_source(const Jsonb *a, const Jsonb *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return VARSIZE(a) == VARSIZE(b) && memcmp(a, b, VARSIZE(a)) == 0;
}

/* The map of a call site, of arguments "map" and "bins"; read again when another one comes. */
static const SegmentMap *
map_of(FunctionCallInfo fcinfo, int arg)
{
	typedef struct Cache
	{
		MemoryContext context;
		SegmentMap *map;
	} Cache;
	Cache	   *cache = fcinfo->flinfo->fn_extra;
	Jsonb	   *source = PG_ARGISNULL(arg) ? NULL : PG_GETARG_JSONB_P(arg);
	int32		bins;
	MemoryContext old;

	require_argument(fcinfo, arg + 1, "bins");
	bins = PG_GETARG_INT32(arg + 1);
	if (cache == NULL)
	{
		cache = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Cache));
		cache->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "rfm_segment map",
											  ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = cache;
	}
	if (cache->map != NULL && cache->map->bins == bins && same_source(cache->map->source, source))
		return cache->map;
	cache->map = NULL;
	MemoryContextReset(cache->context);
	old = MemoryContextSwitchTo(cache->context);
	cache->map = map_create(source, bins);
	MemoryContextSwitchTo(old);
	return cache->map;
}

/* ---------- SQL ---------- */

static Datum
segment_at(const SegmentMap *map, int32 recency, int32 frequency)
{
	if (recency < 1 || recency > map->bins || frequency < 1 || frequency > map->bins)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s score must be between 1 and %d, not %d",
						recency < 1 || recency > map->bins ? "recency" : "frequency", map->bins,
						recency < 1 || recency > map->bins ? recency : frequency)));
	return PointerGetDatum(map->cells[(recency - 1) * map->bins + frequency - 1]);
}

PG_FUNCTION_INFO_V1(rfm_segment);
Datum
rfm_segment(PG_FUNCTION_ARGS)
{
	const SegmentMap *map = map_of(fcinfo, 2);

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	return segment_at(map, PG_GETARG_INT32(0), PG_GETARG_INT32(1));
}

/* Of the text that rfm_score() makes: a digit for each score. */
PG_FUNCTION_INFO_V1(rfm_segment_text);
Datum
rfm_segment_text(PG_FUNCTION_ARGS)
{
	const SegmentMap *map = map_of(fcinfo, 1);
	text	   *score;
	const char *digits;
	int			len;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	score = PG_GETARG_TEXT_PP(0);
	digits = VARDATA_ANY(score);
	len = VARSIZE_ANY_EXHDR(score);
	if ((len != 2 && len != 3) || strspn(text_to_cstring(score), "0123456789") != len)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"%s\" is no score of rfm_score()", text_to_cstring(score)),
				 errhint("It has one digit each for recency, frequency and monetary value, as '543'.")));
	return segment_at(map, digits[0] - '0', digits[1] - '0');
}

PG_FUNCTION_INFO_V1(rfm_segment_rules);
Datum
rfm_segment_rules(PG_FUNCTION_ARGS)
{
	SegmentMap *map;

	require_argument(fcinfo, 1, "bins");
	map = map_create(PG_ARGISNULL(0) ? NULL : PG_GETARG_JSONB_P(0), PG_GETARG_INT32(1));
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < map->rules_n; i++)
	{
		const MapRule *rule = &map->rules[i];
		Datum		values[6];
		bool		nulls[6] = {0};

		values[0] = Int32GetDatum(i + 1);
		values[1] = CStringGetTextDatum(rule->segment);
		values[2] = Int32GetDatum(rule->recency.low);
		values[3] = Int32GetDatum(rule->recency.high);
		values[4] = Int32GetDatum(rule->frequency.low);
		values[5] = Int32GetDatum(rule->frequency.high);
		retention_put_row(fcinfo, values, nulls);
	}
	return (Datum) 0;
}
