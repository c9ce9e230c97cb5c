-- ---------------------------------------------------------------------------
-- segment(): the behaviour segment of a customer at a day
-- ---------------------------------------------------------------------------

CREATE FUNCTION segment(history customer_history, as_of anycompatible,
		inactive_after integer DEFAULT 365,
		seasonal_min_days integer DEFAULT 3, seasonal_min_years integer DEFAULT 2, seasonal_min_age integer DEFAULT 365,
		max_chance double precision DEFAULT 0.05, season_start integer DEFAULT 12, season_months integer DEFAULT 3,
		loyalist_share double precision DEFAULT 0.75, loyalist_windows integer DEFAULT 4, loyalist_window_days integer DEFAULT 91)
	RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION segment(customer_history, anycompatible, integer, integer, integer, integer, double precision, integer, integer, double precision, integer, integer) IS
'behaviour segment of a customer, from the purchase days up to as_of. The first rule that fits: ''seasonal'': at least seasonal_min_days days, all in one season of the year, of at least seasonal_min_years years, the first at least seasonal_min_age days ago, that season of the next year not yet over, and seasonal_chance() at most max_chance (NULL or 1 = any); ''inactive'': the last day more than inactive_after days ago; ''one_time'', ''two_time'': one or two days; ''loyalist'': days in at least loyalist_share of the last loyalist_windows windows of loyalist_window_days days back from as_of, or of those since the first day where they are fewer; else ''under_performer''. NULL before the first purchase. Seasons are of season_months months (1, 2, 3, 4 or 6), one of them beginning with month season_start; its year begins with it, so that December belongs to the winter of the next. NULL or impossible thresholds and a NULL or infinite as_of are errors. segment_rules() says the rules in words. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION segment_rules(
		inactive_after integer DEFAULT 365,
		seasonal_min_days integer DEFAULT 3, seasonal_min_years integer DEFAULT 2, seasonal_min_age integer DEFAULT 365,
		max_chance double precision DEFAULT 0.05, season_start integer DEFAULT 12, season_months integer DEFAULT 3,
		loyalist_share double precision DEFAULT 0.75, loyalist_windows integer DEFAULT 4, loyalist_window_days integer DEFAULT 91)
	RETURNS TABLE (place integer, segment text, rule text)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 6;
COMMENT ON FUNCTION segment_rules(integer, integer, integer, integer, double precision, integer, integer, double precision, integer, integer) IS
'the rules of segment() in the order in which they are tried, in words, with the thresholds in force: those of segment(), by the same names and with the same defaults';

CREATE FUNCTION seasonal_chance(history customer_history, as_of anycompatible,
		seasonal_min_years integer DEFAULT 2, season_start integer DEFAULT 12, season_months integer DEFAULT 3)
	RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION seasonal_chance(customer_history, anycompatible, integer, integer, integer) IS
'how likely a customer without seasons, with as many purchase days since the same first day, has all of them in the season of the first one, of at least seasonal_min_years years: with n days, N days after the first until the end of observation, M of these in that season of any year and m in that of the first year, (C(M, n-1) - C(m, n-1)) / C(N, n-1), for one year without the second term, for more than two an upper bound. The end of observation may be any day from the last purchase to as_of, since the customer may have left: the largest value counts. NULL before the first purchase. segment() calls nobody seasonal whose chance is above max_chance. as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

-- ---------------------------------------------------------------------------
-- rfm_score(): recency, frequency and monetary scores among the customers of a window
-- ---------------------------------------------------------------------------

CREATE FUNCTION rfm_score(history customer_history, as_of anycompatible, bins integer DEFAULT 5, nested boolean DEFAULT false,
		recency_cuts double precision[] DEFAULT NULL, frequency_cuts double precision[] DEFAULT NULL, monetary_cuts double precision[] DEFAULT NULL)
	RETURNS text
	AS 'MODULE_PATHNAME', 'rfm_score_history' LANGUAGE C WINDOW STABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_score(customer_history, anycompatible, integer, boolean, double precision[], double precision[], double precision[]) IS
'recency, frequency and monetary scores of a customer among those of the partition, as rfm_score(recency, frequency, monetary) gives them for the days from the last purchase to as_of, the number of purchase days and the total amount, all by as_of. NULL before the first purchase, and without an amount where others have one; where nobody has one all score 1, and a NOTICE says so. as_of must be the same in all rows (22023) and not NULL (22004). as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';

CREATE FUNCTION rfm_score(recency "any", frequency "any", monetary "any", bins integer DEFAULT 5, nested boolean DEFAULT false,
		recency_cuts double precision[] DEFAULT NULL, frequency_cuts double precision[] DEFAULT NULL, monetary_cuts double precision[] DEFAULT NULL)
	RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_score("any", "any", "any", integer, boolean, double precision[], double precision[], double precision[]) IS
'recency, frequency and monetary scores of a customer among those of the partition, a digit each, best = bins, as ''543''; bins other than 5 follow, as in ''443/4''. Score = 1 + floor(bins * share of customers who are strictly worse), so that equal values share the lower score; order, frame and ORDER BY of the window do not matter. Numbers, intervals, or times; recency is time since the last purchase, less being better (not the recency of clv_summary()), or its date or timestamp, later being better. nested: frequency is scored among customers of the same recency score, monetary among those of the same two. .._cuts: fixed cut points in ascending order instead of quantiles, intervals in days; a value on a cut point has the better score. A customer with a NULL has a NULL score and is not counted; NaN is an error. bins: 2 to 9. Options are those of the first row of the partition.';

CREATE FUNCTION rfm_score(value "any", lower_is_better boolean DEFAULT false, bins integer DEFAULT 5, cuts double precision[] DEFAULT NULL)
	RETURNS integer
	AS 'MODULE_PATHNAME', 'rfm_score_value' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_score("any", boolean, integer, double precision[]) IS
'score 1..bins of one measure among the rows of the partition, best = bins: 1 + floor(bins * share of rows that are strictly worse), so that equal values share the lower score; order, frame and ORDER BY of the window do not matter. Numbers, intervals or times. lower_is_better: for recency in days. cuts: fixed cut points in ascending order instead of quantiles, intervals in days; a value on a cut point has the better score. NULL has a NULL score and is not counted; NaN is an error. bins: 2 to 1000. Partitioned by another score, it is nested in that.';

CREATE FUNCTION rfm_segment(score text, map jsonb DEFAULT NULL)
	RETURNS text
	AS 'MODULE_PATHNAME', 'rfm_segment_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_segment(text, jsonb) IS
'the segment of a score as rfm_score() makes it, ''543'' or ''443/4''. map NULL: the ten names of rfm_segment_rules() for recency and frequency scores of five bins, other bins being an error (22023); else a map of your own, of as many bins as the score has, {"best": "r4-5 f4-5", "rest": ["r1-3 f1-5", "r4-5 f1-3"]}, or with monetary scores, "r4-5 f4-5 m5", which must name each cell once: a hole or an overlap is an error that names the cell (22023). NULL if the score is.';

CREATE FUNCTION rfm_segment(recency_score integer, frequency_score integer, bins integer, map jsonb DEFAULT NULL)
	RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_segment(integer, integer, integer, jsonb) IS
'the segment of a customer''s recency and frequency scores of so many bins (best = bins). map as for a text; the default one is of five bins. NULL if a score is; 22023 if it is not from 1 to bins, or if the map looks at monetary scores.';

CREATE FUNCTION rfm_segment_rules(map jsonb DEFAULT NULL, bins integer DEFAULT 5)
	RETURNS TABLE (place integer, segment text, recency_low integer, recency_high integer, frequency_low integer, frequency_high integer,
		monetary_low integer, monetary_high integer)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION rfm_segment_rules(jsonb, integer) IS
'the map of rfm_segment() as rows: the scores, inclusive, that make up each segment; a segment of several rectangles has a row for each; monetary scores are NULL where the map does not look at them. map NULL: the default map. A map of your own is checked as rfm_segment() checks it, for scores of so many bins.';
