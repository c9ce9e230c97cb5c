-- ---------------------------------------------------------------------------
-- What customers say
-- ---------------------------------------------------------------------------

CREATE TYPE nps_counts AS (promoters bigint, passives bigint, detractors bigint);
COMMENT ON TYPE nps_counts IS
'answers to "how likely are you to recommend us", counted: promoters (9 and 10), passives (7 and 8), detractors (0 to 6); made by nps_counts(score)';

CREATE FUNCTION nps_trans(bigint[], "any") RETURNS bigint[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nps_trans(bigint[], "any") IS 'part of nps(): one answer';

CREATE FUNCTION nps_trans(bigint[], "any", "any") RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'nps_trans_responses' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nps_trans(bigint[], "any", "any") IS 'part of nps(): so many answers';

CREATE FUNCTION nps_trans(bigint[], nps_counts) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'nps_counts_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nps_trans(bigint[], nps_counts) IS 'part of rollup(nps_counts): counts of one group';

CREATE FUNCTION nps_combine(bigint[], bigint[]) RETURNS bigint[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nps_combine(bigint[], bigint[]) IS 'part of nps(): two states as one';

CREATE FUNCTION nps_final(bigint[]) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nps_final(bigint[]) IS 'part of nps(): the score of a state';

CREATE FUNCTION nps_counts_final(bigint[]) RETURNS nps_counts
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nps_counts_final(bigint[]) IS 'part of nps_counts(): the counts of a state';

CREATE AGGREGATE nps(score "any") (
	SFUNC = nps_trans,
	STYPE = bigint[],
	INITCOND = '{0,0,0}',
	FINALFUNC = nps_final,
	COMBINEFUNC = nps_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE nps("any") IS
'net promoter score, -100 to 100: 100 * (share of answers 9 and 10 - share of answers 0 to 6), from the answers 0 to 10 (Reichheld 2003), whole numbers of any type. NULL answers are left out; NULL without answers; 22023 for an answer beyond 0..10 or between two. Limits: nps_rows(nps_counts(score)).';

CREATE AGGREGATE nps(score "any", responses "any") (
	SFUNC = nps_trans,
	STYPE = bigint[],
	INITCOND = '{0,0,0}',
	FINALFUNC = nps_final,
	COMBINEFUNC = nps_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE nps("any", "any") IS
'net promoter score, -100 to 100, of rows that stand for several answers each. NULL scores or numbers are left out; NULL without answers; 22023 for a score beyond 0..10 and for a negative number.';

CREATE AGGREGATE nps_counts(score "any") (
	SFUNC = nps_trans,
	STYPE = bigint[],
	INITCOND = '{0,0,0}',
	FINALFUNC = nps_counts_final,
	COMBINEFUNC = nps_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE nps_counts("any") IS
'answers 0 to 10, counted as promoters (9, 10), passives (7, 8) and detractors (0 to 6): what nps_rows() and nps_test() take. NULL answers are left out; 22023 for an answer beyond 0..10.';

CREATE AGGREGATE nps_counts(score "any", responses "any") (
	SFUNC = nps_trans,
	STYPE = bigint[],
	INITCOND = '{0,0,0}',
	FINALFUNC = nps_counts_final,
	COMBINEFUNC = nps_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE nps_counts("any", "any") IS
'answers 0 to 10, counted as promoters, passives and detractors, of rows that stand for several answers each. NULL scores or numbers are left out; 22023 for a score beyond 0..10 and for a negative number.';

CREATE AGGREGATE rollup(nps_counts) (
	SFUNC = nps_trans,
	STYPE = bigint[],
	INITCOND = '{0,0,0}',
	FINALFUNC = nps_counts_final,
	COMBINEFUNC = nps_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(nps_counts) IS
'counts of several groups or periods added up; a NULL count is none. 22023 for a negative one.';

CREATE FUNCTION nps(counts nps_counts) RETURNS double precision
	AS 'MODULE_PATHNAME', 'nps_of_counts' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nps(nps_counts) IS
'net promoter score, -100 to 100, of counted answers. NULL without answers.';

CREATE FUNCTION nps_rows(counts nps_counts, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (nps double precision, low double precision, high double precision,
		responses bigint, promoters bigint, passives bigint, detractors bigint,
		standard_error double precision, wald_low double precision, wald_high double precision,
		t_low double precision, t_high double precision,
		adjusted_nps double precision, adjusted_error double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION nps_rows(nps_counts, double precision) IS
'net promoter score and its limits, one row; all in points, -100 to 100. low, high: the adjusted Wald interval, three answers added (3/4 promoters, 3/2 passives, 3/4 detractors; Rocks 2016, The American Statistician 70), which holds also where all say the same, widened to hold nps; its centre and error are adjusted_nps and adjusted_error. standard_error: 100 sqrt((p + d - (p - d)^2) / n); wald_low, wald_high: nps -/+ z of it (width 0 where all say the same); t_low, t_high: by Student''s t with n - 1, not cut. NULLs without answers; no row for NULL. confidence NULL = 0.95; 22023 outside 0..1. 22003 for more answers than a bigint holds.';

CREATE FUNCTION nps_test(a nps_counts, b nps_counts, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (difference double precision, standard_error double precision, z double precision,
		p_value double precision, low double precision, high double precision,
		adjusted_difference double precision,
		wald_error double precision, wald_z double precision, wald_p_value double precision,
		chi_square double precision, degrees_of_freedom bigint, chi_square_p double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION nps_test(nps_counts, nps_counts, double precision) IS
'two periods or groups of different customers, one row: difference = nps of a - nps of b, in points; standard_error, z, two-sided p_value, low and high are of adjusted_difference, that of the adjusted counts (Rocks 2016), the limits widened to hold difference. wald_..: of the counts as they are, which is too often significant for few answers (12 of 100 times where 5 and 5 are alike). Pearson''s chi-square of the 2 x 3 table of counts: does anything differ, not only the score. NULLs where one has no answers; no row for NULL. confidence NULL = 0.95; 22023 outside 0..1.';
