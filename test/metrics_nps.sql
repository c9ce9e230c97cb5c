-- The net promoter score and the health score: every column of two reference files (test/reference/metrics), random
-- answers against plain SQL, plans, what is missing, errors.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT plan(88);
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned
SELECT diag('seed ' || :seed);

-- The files -----------------------------------------------------------------------------------------------------------

\set text `cat test/reference/metrics/nps_cases.csv`
SELECT cmp_ok(pg_temp.load('answers', :'text'), '>', 0::bigint, 'there are answers');
\set text `cat test/reference/metrics/nps_expected.csv`
SELECT is(pg_temp.load('expected', :'text'), 9::bigint, 'the cases are complete');
\set text `cat test/reference/metrics/nps_compare.csv`
SELECT is(pg_temp.load('compare', :'text'), 4::bigint, 'the pairs are complete');
\unset text
CREATE TEMPORARY TABLE counted AS
  SELECT "case" AS name, c.counts, r.*, c.mean FROM expected e
    CROSS JOIN LATERAL (SELECT nps_counts(score, responses) AS counts,
    sum(score * responses) / nullif(sum(responses), 0) AS mean FROM answers a WHERE a."case" = e."case") c,
    nps_rows(c.counts) r;
SELECT pg_temp.agree(ours, format('SELECT name, c.%I::float8, e.%I FROM counted c JOIN expected e ON e."case" = name',
    ours, theirs), 9, CASE WHEN ours LIKE 't%' THEN 1e-10 ELSE 1e-12 END, 1e-12)
FROM (VALUES ('nps', 'nps'), ('responses', 'n'),
  ('promoters', 'promoters'), ('passives', 'passives'), ('detractors', 'detractors'), ('standard_error', 'se'),
  ('wald_low', 'wald95_l'), ('wald_high', 'wald95_u'), ('t_low', 't95_l'), ('t_high', 't95_u'),
  ('adjusted_nps', 'adj_nps'), ('adjusted_error', 'adj_se'), ('mean', 'mean_score')) c (ours, theirs);
-- the limits of adjusted counts, widened where they would not hold the score
SELECT pg_temp.agree('limits of the score',
  'SELECT name || what, have, want FROM counted c JOIN expected e ON e."case" = name,
  LATERAL (VALUES ('' low'', c.low, least(adjwald95_l, e.nps)),
                  ('' high'', c.high, greatest(adjwald95_u, e.nps))) v (what, have, want)', 18, 1e-12, 1e-12);
SELECT pg_temp.agree('error with n - 1',
  'SELECT name, c.standard_error * sqrt(c.responses / nullif(c.responses - 1.0, 0)), e.se_n_minus_1 FROM counted c
    JOIN expected e ON e."case" = name WHERE c.responses <> 0', 8, 1e-12, 1e-12);
SELECT pg_temp.agree('shares',
  'SELECT name, 100.0 * c.promoters / nullif(c.responses, 0) + 100.0 * c.detractors / nullif(c.responses, 0),
    e.pct_promoters + e.pct_detractors FROM counted c JOIN expected e ON e."case" = name', 9, 1e-12, 1e-12);
-- the file has the second less the first
CREATE TEMPORARY TABLE tested AS
  SELECT case_a || ' ' || case_b AS pair, t.*, c.*, sqrt(ea.adj_se ^ 2 + eb.adj_se ^ 2) AS adj_error
  FROM compare c JOIN counted a ON a.name = case_b JOIN counted b ON b.name = case_a
       JOIN expected ea ON ea."case" = case_a JOIN expected eb ON eb."case" = case_b,
         nps_test(a.counts, b.counts) t (difference, error, ours_z, ours_p, low, high, adjusted, wald_error, wald_z,
           wald_p, chi, degrees, chi_p);
SELECT pg_temp.agree(ours, format('SELECT pair, %I::float8, %s FROM tested', ours, theirs), 4, 1e-11, 1e-12)
FROM (VALUES ('difference', 'diff'), ('wald_error', 'se_diff'), ('wald_z', 'z'), ('wald_p', 'p'),
             ('adjusted', 'adj_diff'), ('ours_z', 'adj_z'), ('ours_p', 'adj_p'), ('error', 'adj_error'),
             ('chi', 'chisq_3cat'), ('chi_p', 'chisq_p'),
             ('low', 'least(diff, greatest(-200, adj_diff - 1.959963984540054 * adj_error))'),
             ('high', 'greatest(diff, least(200, adj_diff + 1.959963984540054 * adj_error))')) c (ours, theirs);
SELECT is(count(*), 4::bigint, 'the other way round all but p has the other sign') FROM compare c
  JOIN counted a ON a.name = case_a
  JOIN counted b ON b.name = case_b, nps_test(a.counts, b.counts) t, nps_test(b.counts, a.counts) r
WHERE (t.difference, t.low, t.high, t.adjusted_difference, t.wald_z, t.z) IS NOT DISTINCT FROM
      (-r.difference, -r.high, -r.low, -r.adjusted_difference, -r.wald_z, -r.z)
  AND (t.p_value, t.standard_error, t.wald_p_value) IS NOT DISTINCT FROM (r.p_value, r.standard_error, r.wald_p_value);
SELECT pg_temp.agree('degrees of freedom',
  'SELECT case_a || '' '' || case_b, nullif(t.degrees_of_freedom, 0)::float8, c.df FROM compare c
    JOIN counted a ON a.name = case_a JOIN counted b ON b.name = case_b, nps_test(a.counts, b.counts) t', 4, 0, 0);

-- Random answers against plain SQL ------------------------------------------------------------------------------------

CREATE TABLE said AS
  SELECT i, i % 7 AS grp, CASE WHEN random() < 0.1 THEN NULL ELSE floor(11 * random() ^ 0.6)::integer END AS score,
    floor(5 * random())::integer AS responses
  FROM generate_series(1, 20000) i;
ANALYZE said;
SELECT pg_temp.agree('the score is the difference of two shares',
  'SELECT grp::text, nps(score), 100 * (count(*) FILTER (WHERE score >= 9) - count(*) FILTER (WHERE score <= 6))::float8
    / count(score) FROM said GROUP BY grp', 7, 1e-14, 0);
SELECT pg_temp.agree('rows of several answers',
  'SELECT grp::text, nps(score, responses),
    100 * (sum(responses) FILTER (WHERE score >= 9) - sum(responses) FILTER (WHERE score <= 6))::float8
    / sum(responses) FILTER (WHERE score IS NOT NULL) FROM said GROUP BY grp', 7, 1e-14, 0);
SELECT pg_temp.agree('the standard error is that of a mean of 1, 0 and -1',
  'SELECT grp::text, r.standard_error, e
    FROM (SELECT grp, nps_counts(score) AS c,
    100 * stddev_pop(CASE WHEN score >= 9 THEN 1.0 WHEN score <= 6 THEN -1 ELSE 0 END) FILTER
    (WHERE score IS NOT NULL)::float8 / sqrt(count(score)) AS e FROM said GROUP BY grp) q, nps_rows(c) r', 7, 1e-12, 0);
SELECT is((SELECT rollup(c) FROM (SELECT nps_counts(score) AS c FROM said GROUP BY grp) q),
  (SELECT nps_counts(score) FROM said), 'counts of groups add up');
SELECT is((SELECT nps(rollup(c)) FROM (SELECT nps_counts(score) AS c FROM said GROUP BY grp) q),
  (SELECT nps(score) FROM said), 'and so does the score');
SELECT is((SELECT (t).difference FROM (SELECT nps_test(a, b) AS t
  FROM (SELECT nps_counts(score) FILTER (WHERE grp = 0) AS a, nps_counts(score) FILTER (WHERE grp = 1) AS b
    FROM said) q) r), (SELECT nps(score) FILTER (WHERE grp = 0) - nps(score) FILTER (WHERE grp = 1) FROM said),
      'the difference is the first less the second');
SELECT is((nps_test(ROW(0, 0, 10)::nps_counts, ROW(10, 0, 0)::nps_counts)).difference, -200::float8,
  'as that of proportion_test is');
-- all ways in which 5 and 5 of the same answers can fall, with their probability: how often the test errs
CREATE TABLE fall AS
  SELECT shares, ROW(p, 5 - p - d, d)::nps_counts AS c,
         120 / (factorial(p) * factorial(5 - p - d) * factorial(d))
           * shares[1] ^ p * shares[2] ^ (5 - p - d) * shares[3] ^ d AS chance
  FROM (VALUES ('{0.5,0.3,0.2}'::numeric[]), ('{0.4,0.4,0.2}'), ('{0.7,0.2,0.1}'), ('{0.9,0.08,0.02}'),
    ('{0.2,0.6,0.2}')) s (shares),
       generate_series(0, 5) p, generate_series(0, 5 - p) d;
SELECT ok(sum(a.chance * b.chance) BETWEEN 0.999999 AND 1.000001
  AND coalesce(sum(a.chance * b.chance) FILTER (WHERE p_value < 0.05), 0) < 0.05
          AND coalesce(sum(a.chance * b.chance) FILTER (WHERE low > 0 OR high < 0), 0) < 0.05,
            format('of %s at 5 and 5: %s %% false alarms, Wald''s %s %%', a.shares,
            round(100 * coalesce(sum(a.chance * b.chance) FILTER (WHERE p_value < 0.05), 0), 1),
              round(100 * coalesce(sum(a.chance * b.chance) FILTER (WHERE wald_p_value < 0.05), 0), 1)))
FROM fall a JOIN fall b USING (shares), nps_test(a.c, b.c) GROUP BY a.shares;
SELECT cmp_ok(sum(a.chance * b.chance) FILTER (WHERE wald_p_value < 0.05), '>', 0.11,
  'which Wald''s test does more than twice as often as it says')
FROM fall a JOIN fall b USING (shares), nps_test(a.c, b.c) WHERE shares = '{0.5,0.3,0.2}';
SELECT ok((SELECT bool_and(r.low <= least(r.nps, r.adjusted_nps) AND greatest(r.nps, r.adjusted_nps) <= r.high
  AND r.low >= -100 AND r.high <= 100
    AND n.low >= r.low AND n.high <= r.high)
    FROM (SELECT ROW(p, q, d)::nps_counts AS c FROM generate_series(0, 6, 2) p, generate_series(0, 6, 3) q,
    generate_series(0, 9, 3) d WHERE p + q + d > 0) k, nps_rows(c) r, nps_rows(c, 0.5) n),
  'limits hold both scores, within -100 .. 100, and widen with confidence');

-- Plans ---------------------------------------------------------------------------------------------------------------

SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off;
SELECT ok(pg_temp.plan('SELECT nps(score), nps_counts(score) FROM said') LIKE '%Partial Aggregate%', 'workers count');
CREATE TEMPORARY TABLE by_workers AS SELECT nps(score), nps_counts(score) FROM said;
SET max_parallel_workers_per_gather = 0;
SELECT results_eq('SELECT * FROM by_workers', 'SELECT nps(score), nps_counts(score) FROM said', 'and come to the same');
SELECT is((SELECT count(*) FROM (SELECT i, nps(score) OVER (ORDER BY i ROWS 5 PRECEDING) AS n,
    (SELECT nps(s.score) FROM said s WHERE s.i BETWEEN t.i - 5 AND t.i) AS o FROM said t WHERE i <= 300) q
    WHERE n IS DISTINCT FROM o), 0::bigint, 'moving windows');

-- What is missing, and errors -----------------------------------------------------------------------------------------

SELECT is((SELECT nps(score) FROM said WHERE false), NULL, 'no answers, no score');
SELECT is((SELECT nps_counts(NULL::bigint)), ROW(0, 0, 0)::nps_counts, 'NULL is no answer');
SELECT is((SELECT count(*) FROM nps_rows(NULL)), 0::bigint, 'no counts, no row');
SELECT is(pg_temp.outcome('SELECT nps(11)'), '22023 score must be from 0 to 10, not 11', 'beyond the scale');
SELECT is(pg_temp.outcome(query), error, query) FROM (VALUES
  ('SELECT nps(7.5)', '22023 score must be a whole number, not 7.5'),
  ('SELECT nps(9.00000000000000000000000001)', '22023 score must be a whole number, not 9.00000000000000000000000001'),
  ('SELECT nps(6.5::real)', '22023 score must be a whole number, not 6.5'),
  ('SELECT nps(''NaN''::float8)', '22023 score must be a whole number, not NaN'),
  ('SELECT nps(''Infinity''::numeric)', '22023 score must be a whole number, not Infinity'),
  ('SELECT nps(1e30)', '22003 bigint out of range'),
  ('SELECT nps(-1::smallint)', '22023 score must be from 0 to 10, not -1'),
  ('SELECT nps(9, 1.5)', '22023 responses must be a whole number, not 1.5'),
  ('SELECT nps(9, 1e19::float8)', '22003 bigint out of range'),
  ('SELECT nps(''9''::text)', '42804 score must be a number, not text')) e (query, error);
CREATE DOMAIN stars AS numeric(4, 2);
SELECT results_eq(format('SELECT grp, nps(score::%1$s), nps_counts(score::%1$s, responses::%1$s) FROM said
                    GROUP BY grp ORDER BY grp', type),
                  'SELECT grp, nps(score), nps_counts(score, responses) FROM said GROUP BY grp ORDER BY grp',
                    'answers of type ' || type)
FROM unnest('{smallint,bigint,real,float8,numeric,stars}'::text[]) type;
SELECT is(pg_temp.outcome('SELECT nps(5, -1)'), '22023 responses must not be negative, not -1',
  'fewer than no answers');
SELECT is(pg_temp.outcome('SELECT nps(9, 9223372036854775807) FROM generate_series(1, 2)'), '22003 bigint out of range',
  'too many answers');
SELECT is(pg_temp.outcome('SELECT nps_rows(ROW(9223372036854775807, 1, 0)::nps_counts)'), '22003 bigint out of range',
  'too many of two kinds');
SELECT is(pg_temp.outcome('SELECT nps(ROW(1, -2, 3)::nps_counts)'), '22023 passives must not be negative, not -2',
  'negative counts');

-- Health --------------------------------------------------------------------------------------------------------------

SELECT is(health_score(10, 0, 1), 100::float8, 'all is well');
SELECT is(health_score(0, 9, 0), 0::float8, 'nothing is');
SELECT pg_temp.agree('what is known is weighed',
  'SELECT format(''%s %s %s'', n, t, u), h.score,
    (coalesce(0.3 * 10 * n, 0) + CASE WHEN t < 5 THEN 0.2 * (100 - 20 * t) ELSE 0 END + CASE WHEN u > 1 THEN 50
    ELSE coalesce(50 * u, 0) END) / nullif((n IS NOT NULL)::integer * 0.3 + (t IS NOT NULL)::integer * 0.2
    + (u IS NOT NULL)::integer * 0.5, 0)
  FROM unnest(''{NULL,0,7,10}''::float8[]) n, unnest(''{NULL,0,2,8}''::float8[]) t,
    unnest(''{NULL,0,0.4,3}''::float8[]) u, health_rows(n, t, u) h', 64, 1e-14, 0);
SELECT results_eq('SELECT score, coverage, band FROM health_rows(NULL, 0, NULL) UNION ALL SELECT score, coverage, band
    FROM health_rows(NULL, NULL, NULL) UNION ALL SELECT score, coverage, band FROM health_rows(NULL, 0, 2)',
  $$VALUES (100::float8, 0.2::float8, NULL), (NULL, 0, NULL), (100, 0.7, 'good')$$,
  'coverage says how little is known, and less than half of all weight has no band');
SELECT is(health_score(ARRAY[80, NULL, 20]::float8[], ARRAY[1, 5, 3]::float8[]), 35::float8, 'parts of one''s own');
SELECT is(health_coverage(ARRAY[80, NULL, 20]::float8[], ARRAY[1, 5, 3]::float8[]), 4 / 9.0::float8,
  'and their coverage');
SELECT is(health_score(ARRAY[NULL]::float8[], ARRAY[1]), NULL, 'no part, no health');
SELECT is(pg_temp.outcome(query), error, query) FROM (VALUES
  ('SELECT health_score(11, 0, 1)', '22023 nps must be from 0 to 10, not 11'),
  ('SELECT health_score(5, -1, 1)', '22023 tickets must be 0 or more, not -1'),
  ('SELECT health_score(5, 1, ''NaN'')', '22023 usage must be 0 or more, not NaN'),
  ('SELECT health_score(5, 1, 1, 0, 0, 0)', '22023 the weights of a health score must not all be 0'),
  ('SELECT health_score(5, 1, 1, NULL)', '22004 nps_weight must not be NULL'),
  ('SELECT health_score(5, 1, 1, tickets_high => 0)', '22023 tickets_high must be positive and finite, not 0'),
  ('SELECT health_score(''{1,2}'', ''{1}'')', '2202E parts and weights must be as many, not 2 and 1')) e (query, error);
SELECT * FROM finish();
ROLLBACK;
