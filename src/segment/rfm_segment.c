/*
 * rfm_segment.c
 *	  SQL-callable: names for the cells of recency, frequency and monetary scores.
 *
 * A map gives every cell (recency score, frequency score) to one segment, as
 * rectangles of cells.  The default one has ten names for the 25 cells of scores
 * 1..5; a user's own is an object of JSON, {"champion": "r5 f4-5", ...}, with a
 * list of such texts where a segment is no single rectangle.  Where one of them
 * has a monetary score, "r5 f4-5 m5", the cells are those of three scores.
 *
 * Promises: a map has no holes and no overlaps, or it is refused by the cell; it
 * is laid on scores of as many bins as it has.
 * Never: takes a score for one of five bins unless it is.
 */
#include "retention.h"

#include <ctype.h>

#include "fmgr/arguments.h"
#include "fmgr/result_row.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "segment/rfm.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

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
	CellRange	ranges[RFM_SCORES]; /* that of the monetary score is empty where any will do */
} MapRule;

static const MapRule default_rules[] = {
	{"champion", {{5, 5}, {4, 5}}},
	{"loyal", {{3, 4}, {4, 5}}},
	{"potential_loyalist", {{4, 5}, {2, 3}}},
	{"new", {{5, 5}, {1, 1}}},
	{"promising", {{4, 4}, {1, 1}}},
	{"need_attention", {{3, 3}, {3, 3}}},
	{"about_to_sleep", {{3, 3}, {1, 2}}},
	{"cannot_lose", {{1, 2}, {5, 5}}},
	{"at_risk", {{1, 2}, {3, 4}}},
	{"hibernating", {{1, 2}, {1, 2}}}
};

/* A map that was checked, in the context that was current. */
typedef struct SegmentMap
{
	int32		bins[RFM_SCORES];	/* 0: there is no monetary score */
	bool		monetary;		/* does it look at that? */
	Jsonb	   *source;			/* NULL: the default map */
	int			rules_n;
	MapRule    *rules;
	text	  **cells;			/* see map_cell() */
} SegmentMap;

/* ---------- reading a user's map ---------- */

static void
cells_error(const SegmentMap *map, const char *segment, const char *cells)
{
	bool		same = map->bins[RFM_RECENCY] == map->bins[RFM_FREQUENCY];

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("cells \"%s\" of segment \"%s\" cannot be read", cells, segment),
			 same ?
			 errhint("Write scores from 1 to %d of recency and frequency, as in 'r%d f1-2', and of monetary value if it matters, as in 'r%d f1-2 m1'.",
					 map->bins[RFM_RECENCY], map->bins[RFM_RECENCY], map->bins[RFM_RECENCY]) :
			 errhint("Write scores from 1 to %d of recency and from 1 to %d of frequency, as in 'r%d f1-2', and of monetary value if it matters, as in 'r%d f1-2 m1'.",
					 map->bins[RFM_RECENCY], map->bins[RFM_FREQUENCY], map->bins[RFM_RECENCY],
					 map->bins[RFM_RECENCY])));
}

static void
monetary_error(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("map looks at the monetary score, which is missing"),
			 errhint("Pass all three scores as one text, as rfm_score() makes it, or as in concat(r, f, m).")));
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
	memset(rule->ranges, 0, sizeof(rule->ranges));
	at = parse_range(cells, 'r', map->bins[RFM_RECENCY], &rule->ranges[RFM_RECENCY]);
	if (at != NULL)
		at = parse_range(at, 'f', map->bins[RFM_FREQUENCY], &rule->ranges[RFM_FREQUENCY]);
	if (at != NULL && *at != '\0')
	{
		if (map->bins[RFM_MONETARY] == 0 && parse_range(at, 'm', BINS_MAX, &rule->ranges[RFM_MONETARY]))
			monetary_error();
		at = parse_range(at, 'm', map->bins[RFM_MONETARY], &rule->ranges[RFM_MONETARY]);
		map->monetary = true;
	}
	if (at == NULL || *at != '\0')
		cells_error(map, segment, cells);
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

/* Of scores from 1 on; the monetary one only where the map looks at it. */
static text **
map_cell(const SegmentMap *map, const int32 *scores)
{
	int			cell = (scores[RFM_RECENCY] - 1) * map->bins[RFM_FREQUENCY] + scores[RFM_FREQUENCY] - 1;

	if (map->monetary)
		cell = cell * map->bins[RFM_MONETARY] + scores[RFM_MONETARY] - 1;
	return &map->cells[cell];
}

/* "recency score 1 and frequency score 3" */
static char *
cell_name(const SegmentMap *map, const int32 *scores)
{
	return map->monetary ?
		psprintf("recency score %d, frequency score %d and monetary score %d", scores[RFM_RECENCY],
				 scores[RFM_FREQUENCY], scores[RFM_MONETARY]) :
		psprintf("recency score %d and frequency score %d", scores[RFM_RECENCY], scores[RFM_FREQUENCY]);
}

/* The next cell of ranges, the last score first; false after the last one. */
static bool
next_cell(const CellRange *ranges, int n, int32 *scores)
{
	for (int i = n - 1; i >= 0; i--)
	{
		if (++scores[i] <= ranges[i].high)
			return true;
		scores[i] = ranges[i].low;
	}
	return false;
}

static void
fill_cells(SegmentMap *map)
{
	int			n = map->monetary ? RFM_SCORES : RFM_SCORES - 1;
	int			cells = 1;
	CellRange	all[RFM_SCORES];
	int32		scores[RFM_SCORES];

	for (int i = 0; i < n; i++)
	{
		all[i].low = scores[i] = 1;
		all[i].high = map->bins[i];
		cells *= map->bins[i];
	}
	map->cells = palloc0(sizeof(text *) * cells);
	for (int i = 0; i < map->rules_n; i++)
	{
		MapRule    *rule = &map->rules[i];
		text	   *segment = cstring_to_text(rule->segment);

		if (map->monetary && rule->ranges[RFM_MONETARY].low == 0)
			rule->ranges[RFM_MONETARY] = all[RFM_MONETARY];
		for (int k = 0; k < n; k++)
			scores[k] = rule->ranges[k].low;
		do
		{
			text	  **cell = map_cell(map, scores);

			if (*cell != NULL)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("map has an overlap: %s are \"%s\" and \"%s\"",
								cell_name(map, scores), text_to_cstring(*cell), rule->segment)));
			*cell = segment;
		} while (next_cell(rule->ranges, n, scores));
	}
	for (int i = 0; i < n; i++)
		scores[i] = 1;
	do
	{
		if (*map_cell(map, scores) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("map has a hole: no segment for %s", cell_name(map, scores))));
	} while (next_cell(all, n, scores));
}

/* source NULL: the default map */
static SegmentMap *
map_create(Jsonb *source, const int32 *bins)
{
	SegmentMap *map = palloc0(sizeof(SegmentMap));

	for (int i = 0; i < RFM_SCORES; i++)
	{
		map->bins[i] = bins[i];
		if ((bins[i] < 2 || bins[i] > BINS_MAX) && !(i == RFM_MONETARY && bins[i] == 0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("bins must be between 2 and %d, not %d", BINS_MAX, bins[i])));
		if (source == NULL && i != RFM_MONETARY && bins[i] != RFM_DEFAULT_BINS)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the default map is of scores of %d bins, not %d", RFM_DEFAULT_BINS, bins[i]),
					 errhint("Score with %d bins, or pass a map of your own, as in map => '{\"best\": \"r2-3 f2-3\", ...}'.",
							 RFM_DEFAULT_BINS)));
	}
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

/* The map of a call site, of argument "map"; read again when another one or other bins come. */
static const SegmentMap *
map_of(FunctionCallInfo fcinfo, int arg, const int32 *bins)
{
	typedef struct Cache
	{
		MemoryContext context;
		SegmentMap *map;
	}			Cache;
	Cache	   *cache = fcinfo->flinfo->fn_extra;
	Jsonb	   *source = PG_ARGISNULL(arg) ? NULL : PG_GETARG_JSONB_P(arg);
	MemoryContext old;

	if (cache == NULL)
	{
		cache = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Cache));
		cache->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "rfm_segment map",
											   ALLOCSET_SMALL_SIZES);
		fcinfo->flinfo->fn_extra = cache;
	}
	if (cache->map != NULL && memcmp(cache->map->bins, bins, sizeof(cache->map->bins)) == 0 &&
		same_source(cache->map->source, source))
		return cache->map;
	cache->map = NULL;
	MemoryContextReset(cache->context);
	old = MemoryContextSwitchTo(cache->context);
	cache->map = map_create(source, bins);
	MemoryContextSwitchTo(old);
	return cache->map;
}

/* ---------- SQL ---------- */

/* Two scores, of as many bins as the caller says. */
PG_FUNCTION_INFO_V1(rfm_segment);
Datum
rfm_segment(PG_FUNCTION_ARGS)
{
	const SegmentMap *map;
	int32		bins[RFM_SCORES] = {0};
	int32		scores[RFM_SCORES] = {0};

	require_argument(fcinfo, 2, "bins");
	bins[RFM_RECENCY] = bins[RFM_FREQUENCY] = PG_GETARG_INT32(2);
	map = map_of(fcinfo, 3, bins);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	for (int i = RFM_RECENCY; i <= RFM_FREQUENCY; i++)
	{
		scores[i] = PG_GETARG_INT32(i);
		rfm_score_check(i, scores[i], bins[i]);
	}
	PG_RETURN_TEXT_P(*map_cell(map, scores));
}

/* Of the text that rfm_score() makes, which says its bins. */
PG_FUNCTION_INFO_V1(rfm_segment_text);
Datum
rfm_segment_text(PG_FUNCTION_ARGS)
{
	RfmScore	score;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	score = rfm_score_from_text(PG_GETARG_TEXT_PP(0));
	PG_RETURN_TEXT_P(*map_cell(map_of(fcinfo, 1, score.bins), score.scores));
}

PG_FUNCTION_INFO_V1(rfm_segment_rules);
Datum
rfm_segment_rules(PG_FUNCTION_ARGS)
{
	SegmentMap *map;
	int32		bins[RFM_SCORES];

	require_argument(fcinfo, 1, "bins");
	bins[RFM_RECENCY] = bins[RFM_FREQUENCY] = bins[RFM_MONETARY] = PG_GETARG_INT32(1);
	map = map_create(PG_ARGISNULL(0) ? NULL : PG_GETARG_JSONB_P(0), bins);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < map->rules_n; i++)
	{
		const MapRule *rule = &map->rules[i];
		Datum		values[2 + 2 * RFM_SCORES] = {0};
		bool		nulls[2 + 2 * RFM_SCORES] = {0};

		values[0] = Int32GetDatum(i + 1);
		values[1] = CStringGetTextDatum(rule->segment);
		for (int k = 0; k < RFM_SCORES; k++)
		{
			values[2 + 2 * k] = Int32GetDatum(rule->ranges[k].low);
			values[3 + 2 * k] = Int32GetDatum(rule->ranges[k].high);
			nulls[2 + 2 * k] = nulls[3 + 2 * k] = k == RFM_MONETARY && !map->monetary;
		}
		retention_put_row(fcinfo, values, nulls);
	}
	return (Datum) 0;
}
