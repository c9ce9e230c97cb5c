-- ---------------------------------------------------------------------------
-- Health
-- ---------------------------------------------------------------------------

CREATE FUNCTION health_score(nps double precision, tickets double precision, usage double precision,
		nps_weight double precision DEFAULT 0.3, tickets_weight double precision DEFAULT 0.2,
		usage_weight double precision DEFAULT 0.5, tickets_high double precision DEFAULT 5,
		usage_high double precision DEFAULT 1) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_score(double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision) IS
'a customer''s health, 0 to 100 (best): the weighted mean of three parts: his last NPS answer (0..10, times 10), tickets (100 * (1 - tickets / tickets_high), 0 from tickets_high on) and usage (100 * usage / usage_high, at most 100; say the share of seats or of days in use). A NULL part is left out with its weight, never taken for an average one: see coverage in health_rows(). NULL where no part with a weight is known. 22023 for an answer beyond 0..10, negative tickets, usage or weights, weights that are all 0; 22004 for a NULL weight or bound. Whether it says anything: auc(100 - health, churned).';

CREATE FUNCTION health_rows(nps double precision, tickets double precision, usage double precision,
		nps_weight double precision DEFAULT 0.3, tickets_weight double precision DEFAULT 0.2,
		usage_weight double precision DEFAULT 0.5, tickets_high double precision DEFAULT 5,
		usage_high double precision DEFAULT 1)
	RETURNS TABLE (score double precision, coverage double precision, band text,
		nps_part double precision, tickets_part double precision, usage_part double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION health_rows(double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision) IS
'health_score() with what it is made of, one row: coverage, the share of all weight whose parts are known, 0 to 1; band: ''poor'' below 40, ''fair'', ''good'' from 70 on, NULL where coverage is below 0.5; the parts, 0 to 100, NULL where not known. Errors as for health_score().';

CREATE FUNCTION health_score(parts double precision[], weights double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'health_score_parts' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION health_score(double precision[], double precision[]) IS
'health from parts of one''s own, each 0 to 100 (best): their weighted mean over what is not NULL. NULL where no part with a weight is known. 22023 for parts beyond 0..100, negative weights or weights that are all 0; 22004 for a NULL weight; 2202E for lists of different lengths.';

CREATE FUNCTION health_coverage(parts double precision[], weights double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION health_coverage(double precision[], double precision[]) IS
'the share of all weight whose parts are known, 0 to 1: how much health_score(parts, weights) rests on. Errors as there.';
