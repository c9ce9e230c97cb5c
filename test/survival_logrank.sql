-- logrank, logrank_test, logrank_groups and survival_difference: every number of logrank.csv and logrank_groups.csv,
-- and differences of the restricted means in rmst.csv (test/reference/survival); random groups, strata and entries
-- against plain SQL; what must not matter; and the rate of false alarms where groups do not differ.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned
SELECT diag('seed ' || :seed);

-- The files -----------------------------------------------------------------------------------------------------------

\set text `cat test/data/subscribers.csv`
SELECT is(pg_temp.load('subscribers', :'text'), 228::bigint, 'the subscribers are complete');
\set text `cat test/data/aml.csv`
SELECT is(pg_temp.load('aml', :'text'), 23::bigint, 'aml is complete');
\set text `cat test/data/waltons.csv`
SELECT is(pg_temp.load('waltons', :'text'), 163::bigint, 'waltons is complete');
\set text `cat test/data/rossi.csv`
SELECT is(pg_temp.load('rossi', :'text'), 432::bigint, 'rossi is complete');
\set text `cut -d, -f6,9,16,21 test/data/telco_customer_churn.csv`
SELECT is(pg_temp.load('telco', :'text'), 7043::bigint, 'telco is complete');
\set text `cat test/reference/survival/logrank.csv`
SELECT is(pg_temp.load('want_test', :'text'), 14::bigint, 'the tests are complete');
\set text `cat test/reference/survival/logrank_groups.csv`
SELECT is(pg_temp.load('want_group', :'text'), 33::bigint, 'the groups are complete');
\set text `cat test/reference/survival/rmst.csv`
SELECT is(pg_temp.load('want_mean', :'text'), 44::bigint, 'the means are complete');
\unset text
CREATE TABLE have AS
  SELECT 'subscribers' AS dataset, 'plan' AS by_col, '' AS strata_col, logrank(time, event = 1, plan) AS t
    FROM subscribers
  UNION ALL SELECT 'subscribers', 'plan', 'tier', logrank(time, event = 1, plan, tier::integer) FROM subscribers
  UNION ALL SELECT 'aml', 'grp', '', logrank(time, event = 1, grp) FROM aml
  UNION ALL SELECT 'waltons', 'grp', '', logrank(time, event = 1, grp) FROM waltons
  UNION ALL SELECT 'rossi', 'fin', '', logrank(time::bigint, event = 1, fin::integer) FROM rossi
  UNION ALL SELECT 'telco', 'contract', '', logrank(tenure::integer, churn = 'Yes', contract) FROM telco
  UNION ALL SELECT 'telco', 'internet_service', '',
    logrank(tenure * interval '1 month', churn = 'Yes', internet_service) FROM telco
  UNION ALL SELECT 'telco', 'contract', 'internet_service',
    logrank(tenure::smallint, churn = 'Yes', contract, internet_service) FROM telco;
SELECT pg_temp.agree(theirs, format($$SELECT concat_ws(' ', w.dataset, w.by_col, w.strata_col, w.rho), l.%I, w.%I
    FROM want_test w JOIN have h ON (h.dataset, h.by_col, h.strata_col) = (w.dataset, w.by_col,
    coalesce(w.strata_col, '')), logrank_test(t, rho) l$$, ours, theirs), 14, 1e-9, 1e-300)
FROM (VALUES ('chi_square', 'chisq'), ('degrees_of_freedom', 'df'), ('p_value', 'p'), ('groups', 'groups'))
  c (ours, theirs);
SELECT pg_temp.agree(theirs, format($$SELECT concat_ws(' ', w.dataset, w.by_col, w.strata_col, w.rho, w.grp), l.%I, w.%I
    FROM want_group w JOIN have h ON (h.dataset, h.by_col, h.strata_col) = (w.dataset, w.by_col,
    coalesce(w.strata_col, '')), logrank_groups(t, rho) l WHERE l.grp = w.grp$$, ours, theirs), 33, 1e-9, 0)
FROM (VALUES ('n', 'n'), ('observed', 'observed'), ('expected', 'expected'), ('variance', 'var_diag')) c (ours, theirs);
SELECT pg_temp.agree('observed over expected',
  $$SELECT concat_ws(' ', w.dataset, w.rho, w.grp), l.observed_over_expected, w.observed / w.expected FROM want_group w
    JOIN have h ON (h.dataset, h.by_col, h.strata_col) = (w.dataset, w.by_col, coalesce(w.strata_col, '')),
    logrank_groups(t, rho) l WHERE l.grp = w.grp$$, 33, 1e-9, 0);
CREATE TABLE pairs AS SELECT a.dataset, a.by_col, a.tau, a.stratum AS first, b.stratum AS second,
  a.rmst - b.rmst AS difference, sqrt(a.se_rmst ^ 2 + b.se_rmst ^ 2) AS se, a.rmst / b.rmst AS ratio
  FROM want_mean a JOIN want_mean b USING (dataset, by_col, tau) WHERE a.stratum < b.stratum;
CREATE TABLE curves AS
  SELECT 'subscribers' AS dataset, plan::text AS stratum, survival_curve(time, event = 1) AS t FROM subscribers
    GROUP BY plan
  UNION ALL SELECT 'aml', grp, survival_curve(time, event = 1) FROM aml GROUP BY grp
  UNION ALL SELECT 'waltons', grp, survival_curve(time, event = 1) FROM waltons GROUP BY grp
  UNION ALL SELECT 'rossi', fin::text, survival_curve(time, event = 1) FROM rossi GROUP BY fin
  UNION ALL SELECT 'telco', contract, survival_curve(tenure, churn = 'Yes') FROM telco GROUP BY contract
  UNION ALL SELECT 'telco', internet_service, survival_curve(tenure, churn = 'Yes') FROM telco
    GROUP BY internet_service;
SELECT pg_temp.agree('differences of means: ' || theirs,
  format($$SELECT concat_ws(' ', p.dataset, first, second, p.tau), d.%I, p.%I FROM pairs p
    JOIN curves a ON (a.dataset, a.stratum) = (p.dataset, first)
    JOIN curves b ON (b.dataset, b.stratum) = (p.dataset, second), survival_difference(a.t, b.t, p.tau) d$$, ours,
    theirs), (SELECT count(*) FROM pairs), 1e-9, 1e-12)
FROM (VALUES ('difference', 'difference'), ('standard_error', 'se'), ('ratio', 'ratio'), ('tau', 'tau'))
  c (ours, theirs);
SELECT cmp_ok((SELECT count(*) FROM pairs), '>', 20::bigint, 'there are pairs');

-- Random groups against plain SQL -------------------------------------------------------------------------------------

-- each sample has two or three groups, one to four strata, many ties, and groups that come late or leave early
CREATE TABLE sample AS
  SELECT id, i, entry, entry + 1 + floor(pg_temp.exponential(1.0 / width) * (1 + g * 0.3))::integer AS duration,
    random() < share AS event, chr(96 + g) AS grp, 'stratum ' || floor(random() * strata)::integer AS stratum, rho,
    delayed
  FROM (SELECT id, 2 + id % 2 AS groups, 1 + floor(random() * 4)::integer AS strata,
    pg_temp.pick(ARRAY[3, 10, 60]) AS width, pg_temp.pick(ARRAY[0.3, 0.8, 1]) AS share,
    pg_temp.pick(ARRAY[0, 0.5, 1, 2]::float8[]) AS rho, random() < 0.5 AS delayed,
    pg_temp.pick(ARRAY[3, 12, 40]) AS size FROM generate_series(1, (120 * :cases)::integer) id) s,
       LATERAL (SELECT i, 1 + floor(random() * groups)::integer AS g, CASE WHEN delayed
         THEN floor(random() * width)::integer ELSE 0 END AS entry FROM generate_series(1, size + 0 * id) i) r;
CREATE TABLE result AS SELECT id, min(rho) AS rho, CASE WHEN bool_or(delayed)
  THEN logrank(entry, duration, event, grp, stratum) ELSE logrank(duration, event, grp, stratum) END AS t FROM sample
  GROUP BY id;
-- d of n at each time with events of a stratum, S just before it, and of groups
CREATE TABLE moment AS
  SELECT id, stratum, duration, rho, d, n, CASE WHEN coalesce(bool_or(d = n) OVER w, false) THEN 0
    ELSE exp(coalesce(sum(CASE WHEN d < n THEN ln(1 - d / n) END) OVER w, 0)) END AS s
  FROM (SELECT t.id, t.stratum, t.duration, t.rho,
    count(*) FILTER (WHERE r.duration = t.duration AND r.event)::float8 AS d, count(*)::float8 AS n
        FROM (SELECT DISTINCT id, stratum, duration, rho FROM sample WHERE event) t
          JOIN sample r ON r.id = t.id AND r.stratum = t.stratum AND r.duration >= t.duration
          AND (r.entry < t.duration OR NOT r.delayed) GROUP BY 1, 2, 3, 4) m
  WINDOW w AS (PARTITION BY id, stratum ORDER BY duration ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING);
CREATE TABLE part AS
  SELECT m.*, r.grp, CASE WHEN rho = 0 THEN 1 ELSE s ^ rho END AS w,
    count(*) FILTER (WHERE r.duration = m.duration AND r.event)::float8 AS d_group, count(*)::float8 AS n_group
  FROM moment m JOIN (SELECT id, stratum, entry, duration, event, grp, delayed FROM sample) r ON r.id = m.id
    AND r.stratum = m.stratum AND r.duration >= m.duration AND (r.entry < m.duration OR NOT r.delayed)
  GROUP BY m.id, m.stratum, m.duration, m.rho, m.d, m.n, m.s, r.grp;
CREATE TABLE oracle_group AS SELECT id, grp, sum(w * d_group) AS observed, sum(w * d * n_group / n) AS expected,
  sum(CASE WHEN n > 1 THEN w * w * d * (n - d) / (n - 1) * n_group / n * (1 - n_group / n) ELSE 0 END) AS variance
  FROM part GROUP BY id, grp;
CREATE TABLE covariance AS SELECT a.id, a.grp AS a, b.grp AS b,
  -sum(CASE WHEN a.n > 1 THEN a.w * a.w * a.d * (a.n - a.d) / (a.n - 1) * a.n_group / a.n * b.n_group / a.n ELSE 0 END)
  AS v FROM part a JOIN part b USING (id, stratum, duration) WHERE a.grp < b.grp GROUP BY 1, 2, 3;
CREATE TABLE answer AS SELECT id, g.* FROM result, logrank_groups(t, rho) g;
SELECT pg_temp.agree(c, format($$SELECT concat_ws(' ', id, grp), a.%I, coalesce(o.%I, 0) FROM answer a
    LEFT JOIN oracle_group o USING (id, grp)$$, c, c), (SELECT count(*) FROM answer), 1e-10, 1e-12)
  FROM unnest('{observed,expected,variance}'::text[]) c;
SELECT is_empty('SELECT id, grp FROM sample EXCEPT SELECT id, grp FROM answer', 'every group has a row');
SELECT is((SELECT count(*) FROM answer a
    WHERE n <> (SELECT count(*) FROM sample s WHERE s.id = a.id AND s.grp = a.grp)), 0::bigint, 'customers of groups');
SELECT is((SELECT count(*) FROM answer WHERE (observed_over_expected IS NULL) <> (expected = 0)
    OR abs(observed_over_expected - observed / nullif(expected, 0)) > 1e-14), 0::bigint, 'ratios');
SELECT is((SELECT count(*) FROM (SELECT id FROM answer GROUP BY id HAVING abs(sum(observed) - sum(expected)) > 1e-9) q),
  0::bigint, 'as many are expected as observed');
-- two groups: (O - E)^2 / V; three: two of them, with the inverse of two by two
CREATE TABLE square AS
  SELECT a.id, a.observed - a.expected AS u, a.variance AS v, b.observed - b.expected AS x, b.variance AS y,
    coalesce((SELECT v FROM covariance c WHERE c.id = a.id AND c.a = 'a' AND c.b = 'b'), 0) AS c,
    EXISTS (SELECT FROM oracle_group c WHERE c.id = a.id AND c.grp = 'c') AS three
  FROM oracle_group a JOIN oracle_group b ON b.id = a.id AND a.grp = 'a' AND b.grp = 'b';
SELECT pg_temp.agree('chi-square of two', $$SELECT id::text, l.chi_square, u * u / v FROM result
    JOIN square USING (id), logrank_test(t, rho) l WHERE NOT three AND v > 1e-9$$,
  (SELECT count(*) FROM square WHERE NOT three AND v > 1e-9), 1e-9, 1e-12);
SELECT pg_temp.agree('chi-square of three',
  $$SELECT id::text, l.chi_square, (u * u * y - 2 * u * x * c + x * x * v) / (v * y - c * c) FROM result
    JOIN square USING (id), logrank_test(t, rho) l WHERE three AND v * y - c * c > 1e-6 * v * y$$,
  (SELECT count(*) FROM square WHERE three AND v * y - c * c > 1e-6 * v * y), 1e-8, 1e-10);
SELECT cmp_ok((SELECT count(*) FROM square WHERE three AND v * y - c * c > 1e-6 * v * y), '>', (20 * :cases)::bigint,
  'most of three can be told apart');
-- chi-square tails of one degree of freedom are those of a normal variate, of two they are exponential
SELECT is((SELECT count(*) FROM result, logrank_test(t, rho) l
    WHERE degrees_of_freedom = 2 AND abs(p_value - exp(-chi_square / 2)) > 1e-12), 0::bigint, 'p values');
SELECT is((SELECT count(*) FROM result, logrank_test(t, rho) l WHERE (chi_square IS NULL) <> (p_value IS NULL)
    OR (chi_square IS NULL) <> (degrees_of_freedom IS NULL) OR groups IS NULL OR degrees_of_freedom > groups - 1
    OR p_value NOT BETWEEN 0 AND 1), 0::bigint, 'a test or NULLs');

-- What must not matter ------------------------------------------------------------------------------------------------

CREATE TABLE same AS
  SELECT id, min(rho) AS rho, bool_or(delayed) AS delayed,
    logrank(entry, duration, event, grp, stratum ORDER BY random()) AS shuffled,
    logrank(entry, duration, event, grp, stratum) AS plain,
    logrank(entry::float8 / 8, duration::float8 / 8, event, grp, stratum) AS real,
         logrank(entry * interval '1 week', duration * interval '1 week', event, grp, stratum) AS span,
           logrank(entry::numeric, duration, event, grp, stratum) AS number,
           logrank(entry, duration, event, CASE grp WHEN 'a' THEN 10 WHEN 'b' THEN 2 ELSE 3 END, stratum) AS renamed,
         logrank(entry + 9007199254740992, duration + 9007199254740992, event, grp, stratum) AS huge
  FROM sample GROUP BY id;
SELECT is((SELECT count(*) FROM same WHERE shuffled::text <> plain::text), 0::bigint,
  'the order of rows does not matter');
SELECT is((SELECT count(*) FROM same, LATERAL (VALUES (real), (span), (number), (huge)) o (t), logrank_test(o.t, rho) a,
    logrank_test(plain, rho) b WHERE a::text <> b::text), 0::bigint, 'nor does the unit, or how large the numbers are');
SELECT is((SELECT count(*) FROM same, logrank_test(renamed, rho) a, logrank_test(plain, rho) b
    WHERE abs(a.chi_square - b.chi_square) > 1e-10 * (1 + b.chi_square)
    OR a.degrees_of_freedom IS DISTINCT FROM b.degrees_of_freedom), 0::bigint, 'nor do names of groups');
SELECT is((SELECT string_agg(grp, ' ' ORDER BY o)
    FROM (SELECT renamed FROM same WHERE id % 2 = 1 AND (SELECT count(*) FROM logrank_groups(renamed)) = 3 ORDER BY id
    LIMIT 1) s, logrank_groups(renamed) WITH ORDINALITY g (grp, n, ob, e, v, r, o)), '2 3 10',
  'numbers ascend as numbers');
SELECT is((SELECT count(*) FROM (SELECT id, rollup(t) AS t
    FROM (SELECT id, logrank(entry, duration, event, grp, stratum) AS t FROM sample GROUP BY id, i % 3) p GROUP BY id) r
    JOIN same USING (id) WHERE r.t::text <> plain::text), 0::bigint, 'shards add up');
-- whether entries are all 0 or not given
SELECT is((SELECT count(*) FROM same JOIN result USING (id), logrank_test(t, same.rho) a,
    logrank_test(plain, same.rho) b WHERE NOT delayed AND a::text <> b::text), 0::bigint, 'entry at 0 is no delay');
-- groups put together are compared less: one way to look at the difference instead of all
SELECT is((SELECT count(*) FROM (SELECT id,
    logrank(entry, duration, event, CASE WHEN grp = 'b' THEN 'a' ELSE grp END, stratum) AS merged FROM sample
    GROUP BY id) m JOIN same USING (id), logrank_test(merged, rho) a, logrank_test(plain, rho) b
    WHERE a.chi_square > b.chi_square * (1 + 1e-9) + 1e-9), 0::bigint, 'merged groups differ no more');
-- plans
CREATE TABLE many AS SELECT i, floor(random() * 400)::integer AS duration, random() < 0.6 AS event, i % 5 AS grp,
  i % 7 AS stratum FROM generate_series(1, 30000) i;
ANALYZE many;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT logrank(duration, event, grp, stratum)::text AS serial FROM many \gset
SET LOCAL max_parallel_workers_per_gather = 3; SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT matches(pg_temp.plan('SELECT logrank(duration, event, grp, stratum) FROM many'), 'Partial Aggregate',
  'a parallel plan');
SELECT is((SELECT logrank(duration, event, grp, stratum)::text FROM many), :'serial', 'gives the same bytes');
SELECT is((SELECT string_agg(t::text, ' ' ORDER BY i)
    FROM (SELECT i, logrank(duration, event, grp) OVER (ORDER BY i ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS t
    FROM many WHERE i <= 30) w),
          (SELECT string_agg(t::text, ' ' ORDER BY i)
            FROM (SELECT i, (SELECT logrank(duration, event, grp) FROM many w WHERE w.i BETWEEN m.i - 2 AND m.i) AS t
            FROM many m WHERE i <= 30) w), 'as a window aggregate');

-- By hand -------------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.test(query text, rho double precision DEFAULT 0) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
  EXECUTE format('SELECT (round(chi_square::numeric, 10), degrees_of_freedom, round(p_value::numeric, 10), groups)::text
      FROM (SELECT logrank(%s) v (d, e, g, s)) q (t), logrank_test(t, $1)', query) INTO r USING rho;
  RETURN r;
END $$;
SELECT is(pg_temp.test('d, e, g) FROM (VALUES (1, true, ''a'', 1), (2, true, ''b'', 1)'),
  '(1.0000000000,1,0.3173105079,2)', 'two customers: O 1, E 1/2, V 1/4');
SELECT is(pg_temp.test('d, e, g) FROM (VALUES (1, true, ''a'', 1), (1, true, ''b'', 1)'), '(,,,2)',
  'who leaves together cannot be told apart');
SELECT is(pg_temp.test('d, e, g) FROM (VALUES (1, true, ''a'', 1), (2, true, ''a'', 1)'), '(,,,1)', 'one group');
SELECT is(pg_temp.test('d, e, g) FROM (VALUES (1, false, ''a'', 1), (2, false, ''b'', 1)'), '(,,,0)', 'no events');
SELECT is(pg_temp.test('d, e, g) FROM (VALUES (1, true, NULL, 1), (2, true, NULL, 1)'), '(,,,0)',
  'only unknown groups');
SELECT is(pg_temp.test('d, e, g) FROM (VALUES (1, true, ''a'', 1), (2, true, ''b'', 1), (1, true, NULL, 1), (NULL, '
    'true, ''a'', 1), (2, NULL, ''b'', 1)'), '(1.0000000000,1,0.3173105079,2)', 'rows with a NULL are skipped');
SELECT is(pg_temp.test('d, e, g, s) FROM (VALUES (1, true, ''a'', 1), (2, true, ''b'', 1), (3, true, ''a'', NULL)'),
  '(1.0000000000,1,0.3173105079,2)', 'also those of an unknown stratum');
SELECT is(pg_temp.test('d, e, g, s) FROM (VALUES (1, true, ''a'', 1), (2, true, ''b'', 2), (3, true, ''a'', 3)'),
  '(,,,2)', 'strata of one customer say nothing');
SELECT is(pg_temp.test('d, e, g, s) FROM (VALUES (1, true, ''a'', 1), (2, true, ''b'', 1), (5, true, ''a'', 2), (6, '
    'true, ''a'', 2)'), '(1.0000000000,1,0.3173105079,2)', 'nor do strata of one group');
SELECT is(pg_temp.test('d, e, g, s) FROM (VALUES (1, true, ''a'', 1), (2, true, ''b'', 1), (5, true, ''c'', 2), (6, '
    'true, ''d'', 2)'), '(2.0000000000,2,0.3678794412,4)',
  'groups that never meet are compared with those they meet: 1 + 1');
SELECT is(pg_temp.test('d, e, g, s) FROM (VALUES (1, true, ''a'', 1), (2, true, ''b'', 1), (0, false, ''c'', 1)'),
  '(1.0000000000,1,0.3173105079,2)', 'a group that left before the first event is not compared');
SELECT is(pg_temp.test('d, e, g, s) FROM (VALUES (9007199254740992, true, ''a'', 1), (9007199254740993, true, ''b'', '
    '1)'), '(1.0000000000,1,0.3173105079,2)', 'durations that are one double are not tied');
SELECT is(pg_temp.test('d, e, g) FROM (VALUES (0.1::float8 + 0.2, true, ''a'', 1), (0.3, true, ''b'', 1)'),
  '(1.0000000000,1,0.3173105079,2)', '0.1 + 0.2 is not 0.3');
SELECT is(pg_temp.test('d, e, g) FROM (VALUES (0::float8, true, true, 1), (''-0'', true, false, 1)'), '(,,,2)',
  '-0 is 0');
SELECT is(pg_temp.test('d - 1, d, e, g) FROM (VALUES (1, true, ''a'', 1), (2, true, ''b'', 1)'), '(,,,2)',
  'customers who were never at risk together');
SELECT is((SELECT a::text FROM (SELECT logrank(duration, event, grp) AS t FROM many WHERE false) q, logrank_test(t) a),
  '(,,,0)', 'no rows');
SELECT is_empty('SELECT * FROM (SELECT logrank(duration, event, grp) AS t FROM many WHERE false) q,
    logrank_groups(t) a', 'and no groups');
SELECT is((SELECT count(*) FROM logrank_test(NULL)) + (SELECT count(*) FROM logrank_groups(NULL)), 0::bigint,
  'NULL: no rows');
SELECT is((SELECT count(*) FROM (SELECT logrank(duration, event, grp) AS t FROM many) q, logrank_test(t) a,
    logrank_test(t, NULL) b, logrank_test(t, 0) c WHERE a = b AND b = c), 1::bigint, 'rho is 0 by default');
SELECT is((SELECT count(*) FROM (SELECT logrank(i, true, i) AS t FROM generate_series(1, 500) i) q, logrank_test(t)
    WHERE degrees_of_freedom = 499 AND chi_square > 0), 1::bigint, '500 groups of one');

-- False alarms: 4,000 times two groups that do not differ -------------------------------------------------------------

CREATE TABLE trial AS
  SELECT id, logrank(entry, duration, event, grp, stratum) AS t,
    logrank(entry, duration / (1 + grp), event, grp) FILTER (WHERE entry < duration / (1 + grp)) AS other
  FROM (SELECT id, i % 2 AS grp, i % 3 AS stratum, least(time, seen) AS duration, time <= seen AS event, entry
    FROM (SELECT id, i, (CASE WHEN i % 3 = 0 THEN 20 ELSE 40 END) * pg_temp.exponential(1) AS time,
      10 + 60 * random() AS seen, 10 * random() AS entry FROM generate_series(1, 4000) id, generate_series(1, 120) i) r)
    s WHERE entry < duration GROUP BY id;
SELECT diag(format('p below 0.05: log-rank %s %%, Peto and Peto %s %%; where one group leaves twice as fast %s %%',
    round(avg((l.p_value < 0.05)::integer) * 100, 2), round(avg((p.p_value < 0.05)::integer) * 100, 2),
    round(avg((o.p_value < 0.05)::integer) * 100, 2))) FROM trial, logrank_test(t) l, logrank_test(t, 1) p,
  logrank_test(other) o;
SELECT ok(avg((p_value < 0.05)::integer) BETWEEN 0.035 AND 0.065, 'false alarms, rho ' || rho)
  FROM trial, unnest('{0,1}'::float8[]) rho, logrank_test(t, rho) GROUP BY rho;
SELECT ok(abs(avg(p_value) - 0.5) < 0.025, 'p values are uniform on average, rho ' || rho)
  FROM trial, unnest('{0,1}'::float8[]) rho, logrank_test(t, rho) GROUP BY rho;
SELECT cmp_ok(avg((p_value < 0.05)::integer), '>', 0.4, 'a difference is found') FROM trial, logrank_test(other);

-- Differences of restricted means -------------------------------------------------------------------------------------

CREATE TABLE two AS SELECT id, survival_curve(duration, event) FILTER (WHERE grp = 'a') AS a,
  survival_curve(duration, event) FILTER (WHERE grp = 'b') AS b, min(rho) * 10 + 1 AS tau FROM sample GROUP BY id
  HAVING bool_or(grp = 'a') AND bool_or(grp = 'b');
SELECT pg_temp.agree('differences',
  $$SELECT id::text || c, have, want FROM two, survival_difference(a, b, two.tau) d, restricted_mean(a, two.tau) x,
    restricted_mean(b, two.tau) y,
  LATERAL (VALUES ('a', d.restricted_mean_a, x.restricted_mean), ('b', d.restricted_mean_b, y.restricted_mean),
    ('se', d.standard_error, sqrt(x.standard_error ^ 2 + y.standard_error ^ 2)),
    ('z', d.z, (x.restricted_mean - y.restricted_mean) / nullif(sqrt(x.standard_error ^ 2 + y.standard_error ^ 2), 0)),
    ('high', d.high, x.restricted_mean - y.restricted_mean + 1.959963984540054
      * sqrt(x.standard_error ^ 2 + y.standard_error ^ 2))) v (c, have, want)$$, (SELECT count(*) * 5 FROM two), 1e-11,
    1e-11);
SELECT is((SELECT count(*) FROM two, survival_difference(a, b, two.tau, 0.9) d,
    survival_difference(b, a, two.tau, 0.9) e WHERE abs(d.difference + e.difference) > 1e-13
    OR abs(d.low + e.high) > 1e-12 OR abs(d.ratio_low * e.ratio_high - 1) > 1e-12
    OR d.p_value IS DISTINCT FROM e.p_value OR NOT (d.low <= d.difference AND d.ratio <= d.ratio_high)), 0::bigint,
  'the other way round');
SELECT is((SELECT count(*) FROM two, survival_difference(a, b) d WHERE d.tau IS NULL OR d.difference IS NULL),
  0::bigint, 'tau by default');
SELECT is((SELECT count(*) FROM (SELECT id,
    least(max(duration) FILTER (WHERE grp = 'a'), max(duration) FILTER (WHERE grp = 'b')) AS want  FROM sample
    GROUP BY id) s JOIN two USING (id), survival_difference(a, b) d WHERE d.tau <> want), 0::bigint,
  'is the longest duration of the table that ends first');
SELECT is((SELECT d::text FROM (SELECT survival_curve(1, true) FILTER (WHERE false) AS a, survival_curve(1, true) AS b)
    q, survival_difference(a, b, 5) d), '(5,,,,,,,,,,,)', 'NULL without customers');
SELECT is((SELECT count(*) FROM two, survival_difference(NULL, a) x, survival_difference(a, NULL, interval '1 day') y),
  0::bigint, 'NULL: no row');
SELECT is((SELECT count(*) FROM (SELECT id,
    survival_curve(duration * interval '1 day', event) FILTER (WHERE grp = 'a') AS c,
    survival_curve(duration * interval '1 day', event) FILTER (WHERE grp = 'b') AS d FROM sample GROUP BY id) i
    JOIN two USING (id), survival_difference(c, d, two.tau * interval '1 day') k, survival_difference(a, b, two.tau) l,
    survival_difference(c, d, two.tau) m WHERE k::text <> l::text OR k::text <> m::text), 0::bigint,
  'intervals are days');

SELECT * FROM finish();
ROLLBACK;
