-- proportion_interval and proportion_test: every column of two reference files (test/reference/metrics), values known
-- by heart, tails summed term by term, symmetries of random counts, errors.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT plan(43);
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned
SELECT diag('seed ' || :seed);

-- The files -----------------------------------------------------------------------------------------------------------

\set text `cat test/reference/metrics/proportion_ci.csv`
SELECT is(pg_temp.load('one', :'text'), 72::bigint, 'the proportions are complete');
\set text `cat test/reference/metrics/two_proportions.csv`
SELECT is(pg_temp.load('two', :'text'), 7::bigint, 'the pairs are complete');
\unset text
SELECT pg_temp.agree('p', 'SELECT format(''%s of %s'', x, n), proportion, p
    FROM one, proportion_interval(x::bigint, n::bigint, conf)', 72, 1e-15, 0);
SELECT pg_temp.agree(m, format($$SELECT format('%%s of %%s at %%s', x, n, conf), i.low, %1$s_l
    FROM one, proportion_interval(x::bigint, n::bigint, conf, %1$L) i
  UNION ALL SELECT format('%%s of %%s at %%s, above', x, n, conf), i.high, %1$s_u
    FROM one, proportion_interval(x::bigint, n::bigint, conf, %1$L) i$$, m), 144, 1e-11, 0)
FROM unnest('{wald,wilson,wilson_cc,agresti_coull,clopper_pearson,jeffreys}'::text[]) m;
SELECT pg_temp.agree(theirs, format($$SELECT concat_ws(' ', x1, n1, x2, n2), t.%I, two.%I
    FROM two, proportion_test(x1::bigint, n1::bigint, x2::bigint, n2::bigint) t$$, ours, theirs), 7, 1e-11, 0)
FROM (VALUES ('difference', 'diff'), ('z', 'z_pooled'), ('p_value', 'p_pooled'), ('wald_low', 'wald_l'),
  ('wald_high', 'wald_u'), ('low', 'newcombe_l'), ('high', 'newcombe_u'), ('fisher_p', 'fisher_p')) c (ours, theirs);

-- Known values --------------------------------------------------------------------------------------------------------

SELECT pg_temp.agree('rule of three, exactly: 1 - 0.025 ^ (1 / n)',
  'SELECT n::text, high, 1 - 0.025::float8 ^ (1.0::float8 / n) FROM unnest(''{1,2,10,100}''::bigint[]) n,
    proportion_interval(0, n, 0.95, ''clopper_pearson'')', 4, 1e-12, 0);
SELECT pg_temp.agree('the lady tasting tea', 'SELECT ''3 of 4'', fisher_p, 34 / 70.0 FROM proportion_test(3, 4, 1, 4)
    UNION ALL SELECT ''4 of 4'', fisher_p, 2 / 70.0 FROM proportion_test(4, 4, 0, 4)', 2, 1e-13, 0);
SELECT pg_temp.agree('Newcombe (1998), 15 of 148, to his four digits',
  $$SELECT m || '', round(l.v::numeric, 4)::float8, w
    FROM (VALUES ('wilson', 0.0624::float8, 0.1605::float8), ('wilson_cc', 0.0598, 0.1644), ('wald', 0.0527, 0.1500),
    ('clopper_pearson', 0.0578, 0.1617)) k (m, a, b),
  proportion_interval(15, 148, 0.95, m) i, LATERAL (VALUES (i.low, a), (i.high, b)) l (v, w)$$, 8, 1e-12, 0);
SELECT is(p::text, '(0,0,0,0)', 'wilson is the default, 0.95 too')
  FROM (SELECT a.proportion - b.proportion, a.low - b.low, a.high - b.high, 0
  FROM proportion_interval(3, 17) a, proportion_interval(3, 17, NULL, NULL) b) p;

-- Random counts -------------------------------------------------------------------------------------------------------

CREATE TABLE sample AS
  SELECT i, floor(random() ^ 2 * (n + 1))::bigint AS x, n,
    pg_temp.pick('{0.5,0.8,0.95,0.999,0.999999}'::float8[]) AS confidence
  FROM (SELECT i, 1 + floor(exp(random() * 4))::bigint AS n FROM generate_series(1, (300 * :cases)::integer) i) s;
CREATE TABLE method AS SELECT unnest('{wald,wilson,wilson_cc,agresti_coull,clopper_pearson,jeffreys}'::text[]) AS
  method;
CREATE TABLE answer AS SELECT s.*, m.method, a.*
  FROM sample s, method m, proportion_interval(x, n, confidence, method) a;
SELECT is(count(*), ((300 * :cases)::integer * 6)::bigint, 'one row for each call') FROM answer;
SELECT is(count(*) FILTER (WHERE NOT (0 <= low AND low <= high AND high <= 1 AND proportion = x::float8 / n)),
  0::bigint, 'limits in order, within 0..1') FROM answer;
-- wilson_cc and exact limits are not beyond the estimate, those of Jeffreys may be
SELECT is(count(*) FILTER (WHERE NOT (low <= proportion AND proportion <= high)
    AND method NOT IN ('jeffreys', 'agresti_coull')), 0::bigint, 'around the estimate') FROM answer;
SELECT is(count(*) FILTER (WHERE abs(a.low - (1 - b.high)) > 1e-13 OR abs(a.high - (1 - b.low)) > 1e-13), 0::bigint,
  'misses are the mirror image of hits') FROM answer a, proportion_interval(n - x, n, confidence, method) b;
SELECT is(count(*) FILTER (WHERE NOT (c.low <= a.low + 1e-15 AND c.high >= a.high - 1e-15)), 0::bigint,
  'more confidence, wider limits') FROM answer a, proportion_interval(x, n, 1 - (1 - confidence) / 2, method) c;

-- The binomial distribution, term by term but for what would be too small for a double: its tails at the exact limits
-- are half of what is left.
CREATE FUNCTION pg_temp.choose(n bigint, k bigint) RETURNS numeric
  LANGUAGE sql IMMUTABLE AS 'SELECT factorial(n) / factorial(k) / factorial(n - k)';
CREATE FUNCTION pg_temp.binomial(first bigint, last bigint, n bigint, p double precision) RETURNS double precision
  LANGUAGE sql IMMUTABLE AS
  'SELECT sum(pg_temp.choose(n, k)::float8 * p ^ k::float8 * (1 - p) ^ (n - k)::float8) FILTER
    (WHERE k * ln(p) + (n - k) * ln(1 - p) > -600) FROM generate_series(first, last) k';
SELECT pg_temp.agree('lower exact limits',
  'SELECT format(''%s of %s'', x, n), pg_temp.binomial(x, n, n, low), (1 - confidence) / 2 FROM answer
    WHERE method = ''clopper_pearson'' AND x > 0', (SELECT count(*) FROM sample WHERE x > 0), 1e-11, 0);
-- near 1 a limit is as fine as doubles are there, its tail is not
SELECT pg_temp.agree('upper exact limits',
  'SELECT format(''%s of %s'', x, n), pg_temp.binomial(0, x, n, high), (1 - confidence) / 2 FROM answer
    WHERE method = ''clopper_pearson'' AND x < n', (SELECT count(*) FROM sample WHERE x < n), 1e-7, 0);

-- Fisher's test: all tables in exact arithmetic.
CREATE TABLE pair AS SELECT a.x AS x1, a.n AS n1, b.x AS x2, b.n AS n2, t.* FROM sample a
  JOIN sample b ON b.i = a.i % (300 * :cases)::integer + 1, proportion_test(a.x, a.n, b.x, b.n) t;
CREATE FUNCTION pg_temp.fisher(x1 bigint, n1 bigint, x2 bigint, n2 bigint) RETURNS double precision LANGUAGE sql AS $$
  SELECT ((sum(w) FILTER (WHERE w <= pg_temp.choose(n1, x1) * pg_temp.choose(n2, x2))) / sum(w))::float8
  FROM (SELECT pg_temp.choose(n1, k) * pg_temp.choose(n2, x1 + x2 - k) AS w
    FROM generate_series(greatest(0, x1 + x2 - n2), least(n1, x1 + x2)) k) q $$;
SELECT pg_temp.agree('Fisher''s test',
  'SELECT format(''%s of %s, %s of %s'', x1, n1, x2, n2), fisher_p, pg_temp.fisher(x1, n1, x2, n2) FROM pair',
  (SELECT count(*) FROM pair), 1e-12, 0);
SELECT pg_temp.agree('samples change places', 'SELECT concat_ws('' '', x1, n1, x2, n2), p.fisher_p, t.fisher_p
    FROM pair p, proportion_test(x2, n2, x1, n1) t UNION ALL SELECT concat_ws('' '', x1, n1, x2, n2), p.low, -t.high
    FROM pair p, proportion_test(x2, n2, x1, n1) t', 2 * (SELECT count(*) FROM pair), 1e-12, 1e-15);
SELECT is(count(*) FILTER (WHERE (z IS NULL) <> (p_value IS NULL) OR (z IS NULL) <> (x1 + x2 IN (0, n1 + n2))
    OR NOT (low <= difference AND difference <= high AND wald_low <= difference AND difference <= wald_high)),
  0::bigint, 'z and p are NULL where nothing differs; limits around the difference') FROM pair;

-- Large counts --------------------------------------------------------------------------------------------------------

-- few hits of very many trials: Poisson's distribution, P(at least 1) = 1 - exp(-low n)
SELECT pg_temp.agree('one of 9e18',
  'SELECT ''low'', low * 9e18, -ln(0.975::float8)
    FROM proportion_interval(1, 9000000000000000000, 0.95, ''clopper_pearson'')', 1, 1e-12, 0);
SELECT pg_temp.agree('methods agree on many', $$SELECT m, (i.high - i.low) * 1e9, 1.9599639845400545
    FROM unnest('{wald,wilson,agresti_coull,clopper_pearson,jeffreys}'::text[]) m,
    proportion_interval(500000000000000000, 1000000000000000000, 0.95, m) i$$, 5, 1e-6, 0);
SELECT pg_temp.agree('so do tests',
  'SELECT ''p'', fisher_p, p_value FROM proportion_test(1000000000000, 2000000000000, 1000001000000, 2000000000000)', 1,
  1e-4, 0);
SELECT is(t.fisher_p, NULL, 'past what can be summed Fisher''s test is NULL')
  FROM proportion_test(1000000000000000000, 2000000000000000000, 1000000000000000000, 2000000000000000000) t;

-- NULLs and errors ----------------------------------------------------------------------------------------------------

SELECT is(string_agg(i::text, ' '), '(,,) (,,) (,,)', 'of nothing: NULLs')
  FROM (SELECT proportion_interval(0, 0) UNION ALL SELECT proportion_interval(NULL, 5) UNION ALL
  SELECT proportion_interval(5, NULL, 0.9, 'jeffreys')) q (i);
SELECT is(string_agg(i::text, ' '), '(,,,,,,,) (,,,,,,,)', 'against nothing, too')
  FROM (SELECT proportion_test(1, 2, 0, 0) UNION ALL SELECT proportion_test(1, 2, NULL, 3)) q (i);
SELECT throws_ok(q, '22023', message, q) FROM (VALUES
  ('SELECT proportion_interval(6, 5)', 'hits must be from 0 to trials, not 6 of 5'),
  ('SELECT proportion_interval(-1, 5)', 'hits must be from 0 to trials, not -1 of 5'),
  ('SELECT proportion_interval(1, 5, 1)', 'confidence must be between 0 and 1, not 1'),
  ('SELECT proportion_interval(1, 5, 0.9, ''Wilson'')', 'unknown method "Wilson"'),
  ('SELECT proportion_test(1, 5, 9, 8)', 'hits2 must be from 0 to trials2, not 9 of 8'),
  ('SELECT proportion_test(1, -5, 0, 8)', 'trials1 must not be negative, not -5')) e (q, message);
SELECT * FROM finish();
ROLLBACK;
