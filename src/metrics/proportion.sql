-- ---------------------------------------------------------------------------
-- Proportions
-- ---------------------------------------------------------------------------

CREATE FUNCTION proportion_interval(hits bigint, trials bigint, confidence double precision DEFAULT 0.95, method text DEFAULT 'wilson')
	RETURNS TABLE (proportion double precision, low double precision, high double precision)
	AS 'MODULE_PATHNAME', 'proportion_interval' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION proportion_interval(bigint, bigint, double precision, text) IS
'hits / trials and its limits, one row. method: ''wilson'' (score limits, Wilson 1927), ''wilson_cc'' (with continuity correction, Newcombe 1998), ''wald'' (normal approximation, cut to 0..1: too narrow for few hits), ''agresti_coull'' (Agresti and Coull 1998, cut to 0..1), ''clopper_pearson'' (exact, Clopper and Pearson 1934: never covers less than promised), ''jeffreys'' (Bayesian with Jeffreys'' prior, Brown, Cai and DasGupta 2001; 0 and 1 where none or all are hits). NULLs for 0 trials or a NULL count; confidence NULL = 0.95, method NULL = ''wilson''. 22023 unless 0 <= hits <= trials and 0 < confidence < 1, and for an unknown method.';

CREATE FUNCTION proportion_test(hits1 bigint, trials1 bigint, hits2 bigint, trials2 bigint, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (difference double precision, z double precision, p_value double precision,
		wald_low double precision, wald_high double precision, low double precision,
		high double precision, fisher_p double precision)
	AS 'MODULE_PATHNAME', 'proportion_test' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION proportion_test(bigint, bigint, bigint, bigint, double precision) IS
'two proportions of independent samples, one row: difference = hits1 / trials1 - hits2 / trials2; z and its two-sided p_value by the pooled test without continuity correction (its square is Pearson''s chi-square), NULL where none or all of both samples are hits; wald_low, wald_high: Wald limits of the difference, variances not pooled, cut to -1..1; low, high: limits by the square and add rule on Wilson''s (Newcombe 1998, method 10); fisher_p: Fisher''s exact test (1935), two-sided: all tables with these margins that are not more probable, NULL where both samples are beyond some 1e12. NULLs for 0 trials or a NULL count; confidence NULL = 0.95. 22023 unless 0 <= hits <= trials and 0 < confidence < 1.';
