-- Tests of migration matrices: migration_test, migration_test_cells, migration_homogeneity, migration_order.  Against
-- plain SQL on random counts, against CDNOW and the numbers in test/reference; and the rate of false alarms in 2,000
-- simulated campaigns that do nothing.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
SELECT diag('seed ' || :'seed');

-- Random matrices: many empty rows and columns, some states known to one only -----------------------------------------

CREATE TABLE cell AS
  SELECT id, side, chr(96 + f) AS f, chr(96 + t) AS t,
    floor(exp(random() * size))::integer * (random() < density)::integer * (f <> lonely AND t <> lonely)::integer AS n
  FROM (SELECT id, 1 + floor(random() * 6)::integer AS states, pg_temp.pick(ARRAY[1, 3, 7]) AS size,
    pg_temp.pick(ARRAY[0.3, 0.7, 1]) AS density, floor(random() * 9) AS lonely, floor(random() * 9)::integer AS extra
    FROM generate_series(1, (150 * :cases)::integer) id) c,
       generate_series(1, 2) side, generate_series(1, 8) f, generate_series(1, 8) t
  WHERE greatest(f, t) <= states OR (extra = f AND extra = t AND side = 1)
    OR (least(f, t) <= states AND greatest(f, t) = extra AND side = 1);
CREATE TABLE matrix AS SELECT id, side, migration_matrix(states, array_agg(coalesce(n, 0) ORDER BY s.o, u.o)) AS m
  FROM (SELECT id, side, array_agg(DISTINCT f ORDER BY f DESC) AS states FROM cell GROUP BY id, side) l,
    unnest(states) WITH ORDINALITY s (f, o), LATERAL (SELECT * FROM unnest(states) WITH ORDINALITY u (t, o)) u
  LEFT JOIN LATERAL (SELECT n FROM cell c WHERE c.id = l.id AND c.side = l.side AND c.f = s.f AND c.t = u.t) c ON true
    GROUP BY id, side, states;
CREATE INDEX ON cell (id, f, t);
ANALYZE cell;
CREATE TABLE pair AS SELECT e.id, e.m AS exposed, c.m AS control FROM matrix e JOIN matrix c USING (id)
  WHERE e.side = 1 AND c.side = 2;
-- the tables of each segment, as textbooks write them
CREATE TABLE expected AS
  SELECT *, sum(n) OVER (PARTITION BY id, f, side)::float8 AS of_side,
    sum(n) OVER (PARTITION BY id, f, t)::float8 AS of_column, sum(n) OVER (PARTITION BY id, f)::float8 AS total
  FROM (SELECT DISTINCT a.id, a.f, b.t, s AS side FROM cell a JOIN cell b USING (id), generate_series(1, 2) s) x
    CROSS JOIN LATERAL (SELECT coalesce(sum(n), 0) AS n FROM cell c WHERE c.id = x.id AND c.f = x.f AND c.t = x.t
    AND c.side = x.side) c;
CREATE TABLE oracle AS
  SELECT id, f, (count(DISTINCT side) - 1) * (count(DISTINCT t) - 1) AS df,
    sum((n - of_side * of_column / total) ^ 2 / (of_side * of_column / total)) AS pearson,
    2 * sum(CASE WHEN n > 0 THEN n * ln(n / (of_side * of_column / total)) ELSE 0 END) AS g,
         avg((of_side * of_column / total < 5)::integer)::float8 AS sparse, count(*) AS cells
  FROM expected WHERE of_side > 0 AND of_column > 0 GROUP BY id, f;
CREATE TABLE result AS SELECT id, t.*, row_number() OVER (PARTITION BY id) AS place
  FROM pair, migration_test(exposed, control) t;
SELECT pg_temp.agree('statistics of segments',
  $$SELECT id || from_segment || kind, statistic, CASE WHEN coalesce(df, 0) = 0 THEN 0 WHEN kind = 'g' THEN g
    ELSE pearson END FROM result LEFT JOIN oracle USING (id) WHERE test = 'row' AND f = from_segment$$,
  (SELECT 2 * count(*) FROM oracle), 1e-11, 1e-9);
SELECT is((SELECT count(*) FROM result r LEFT JOIN oracle o ON o.id = r.id AND f = from_segment
    WHERE test = 'row' AND (degrees_of_freedom, expected_under_5, warning) IS DISTINCT FROM (coalesce(df, 0),
    CASE WHEN df > 0 THEN sparse END, CASE WHEN df > 0 THEN sparse > 0.2 END)
           AND NOT (degrees_of_freedom = df AND abs(expected_under_5 - sparse) < 1e-9 AND warning = (sparse > 0.2))),
             0::bigint, 'degrees of freedom and warnings of segments');
SELECT pg_temp.agree('overall',
  $$SELECT id || kind, statistic, want FROM result
    JOIN (SELECT id, 'g' AS kind, sum(g) FILTER (WHERE df > 0) AS want FROM oracle GROUP BY id UNION ALL
    SELECT id, 'pearson', sum(pearson) FILTER (WHERE df > 0) FROM oracle GROUP BY id) o USING (id, kind)
    WHERE test = 'overall' AND want IS NOT NULL$$,
  (SELECT 2 * count(DISTINCT id) FROM oracle WHERE df > 0), 1e-11, 1e-9);
SELECT is((SELECT count(*) FROM result r
    LEFT JOIN (SELECT id, sum(df) AS df, sum(sparse * cells) FILTER (WHERE df > 0) / sum(cells) FILTER (WHERE df > 0) AS
    sparse FROM oracle GROUP BY id) o USING (id)
           WHERE test = 'overall' AND (degrees_of_freedom <> coalesce(df, 0) OR abs(expected_under_5 - sparse) > 1e-9
             OR (warning IS NULL) <> (coalesce(df, 0) = 0) OR (p_value IS NULL) <> (coalesce(df, 0) = 0))), 0::bigint,
             'degrees of freedom are sums, warnings of all expected counts');
SELECT is((SELECT count(*) FROM result WHERE (p_value IS NULL) <> (degrees_of_freedom = 0)
    OR (p_value IS NULL) <> (reason IS NOT NULL) OR (significant IS NULL) <> (reason IS NOT NULL)), 0::bigint,
  'a p value or a reason');
SELECT is((SELECT count(*) FROM result r
    WHERE test = 'row' AND (exposed_customers, control_customers) IS
    DISTINCT FROM (SELECT (coalesce(sum(n) FILTER (WHERE side = 1), 0), coalesce(sum(n) FILTER (WHERE side = 2), 0))
    FROM cell c WHERE c.id = r.id AND c.f = r.from_segment) AND
           (exposed_customers, control_customers)::text <>
             (SELECT (coalesce(sum(n) FILTER (WHERE side = 1), 0), coalesce(sum(n) FILTER (WHERE side = 2), 0))::text
             FROM cell c WHERE c.id = r.id AND c.f = r.from_segment)), 0::bigint, 'customers who left each segment');
-- chi-square tails of even degrees of freedom are finite sums
SELECT pg_temp.agree('p values',
  $$SELECT id || test || coalesce(from_segment, '') || kind, p_value,
    exp(-statistic / 2) * (SELECT sum((statistic / 2) ^ i / factorial(i)::float8)
    FROM generate_series(0, degrees_of_freedom / 2 - 1) i) FROM result
    WHERE degrees_of_freedom > 0 AND degrees_of_freedom % 2 = 0 AND statistic < 1300$$,
  (SELECT count(*) FROM result WHERE degrees_of_freedom > 0 AND degrees_of_freedom % 2 = 0 AND statistic < 1300), 1e-11,
    1e-300);
-- Holm: the smallest times their number, the next times one less; never less than the one before
SELECT pg_temp.agree('Holm', $$SELECT id || from_segment || kind, p_value_holm,
    greatest(least(p_value * m, 1),
    max(least(p_value * m, 1)) OVER (PARTITION BY id, kind ORDER BY p_value, from_segment))
  FROM (SELECT *, count(*) OVER (PARTITION BY id, kind) - row_number() OVER (PARTITION BY id, kind ORDER BY p_value,
      from_segment) + 1 AS m FROM result WHERE test = 'row' AND p_value IS NOT NULL) r$$,
    (SELECT count(*) FROM result WHERE test = 'row' AND p_value IS NOT NULL), 1e-14, 1e-300);
SELECT is((SELECT count(*) FROM result
    WHERE significant IS DISTINCT FROM (CASE test WHEN 'row' THEN p_value_holm ELSE p_value END < 1 - 0.95::float8)),
  0::bigint, 'significant at 95 %');
SELECT cmp_ok((SELECT count(*) FROM result WHERE significant), '>', 5::bigint, 'some are');
-- who is known to one only is said
CREATE TABLE only_one AS SELECT id, f, min(side) AS side FROM (SELECT DISTINCT id, side, f FROM cell) c GROUP BY id, f
  HAVING count(*) = 1;
SELECT is((SELECT count(*) FROM result r LEFT JOIN only_one o ON o.id = r.id AND f = from_segment
    WHERE test = 'row' AND note IS DISTINCT FROM format('only %s knows "%s"', CASE side WHEN 1 THEN 'exposed'
    ELSE 'control' END, f) AND (note IS NOT NULL OR f IS NOT NULL)), 0::bigint, 'segments known to one only');
SELECT is((SELECT count(*) FROM result r
    WHERE test = 'overall' AND (note IS NOT NULL) <> EXISTS (SELECT FROM only_one o WHERE o.id = r.id)), 0::bigint,
  'said of the whole too');
SELECT is((SELECT count(*) FROM pair, migration_test(control, exposed) t JOIN result r USING (test, kind)
    WHERE r.id = pair.id AND t.from_segment IS NOT DISTINCT FROM r.from_segment
    AND (abs(t.statistic - r.statistic) > 1e-9 * r.statistic + 1e-12 OR t.degrees_of_freedom <> r.degrees_of_freedom)),
  0::bigint, 'neither is the first');

-- Cells ---------------------------------------------------------------------------------------------------------------

CREATE TABLE diff AS SELECT id, c.* FROM pair, migration_test_cells(exposed, control) c;
SELECT is((SELECT count(*) FROM diff d
    WHERE (exposed_customers, control_customers)::text <>
    (SELECT (coalesce(sum(n) FILTER (WHERE side = 1), 0), coalesce(sum(n) FILTER (WHERE side = 2), 0))::text FROM cell c
    WHERE c.id = d.id AND c.f = from_segment AND c.t = to_segment)), 0::bigint, 'cells are matched by name');
SELECT is((SELECT count(*) FROM diff WHERE (difference IS NULL) <> (reason IS NOT NULL)
    OR (difference IS NULL) <> (customers_moved IS NULL)
    OR (exposed_probability IS NULL AND control_probability IS NULL AND difference IS NOT NULL)), 0::bigint,
  'a difference or a reason');
SELECT is((SELECT count(*) FROM diff
    WHERE NOT (difference_low <= difference + 1e-15 AND difference <= difference_high + 1e-15
    AND abs(difference - (exposed_probability - control_probability)) < 1e-15)), 0::bigint, 'within its limits');
SELECT is((SELECT count(*) FROM (SELECT id, from_segment FROM diff WHERE difference IS NOT NULL GROUP BY 1, 2
    HAVING abs(sum(customers_moved)) > 1e-9 * sum(exposed_customers) + 1e-9) q), 0::bigint,
  'customers who moved came from somewhere');
SELECT is((SELECT count(*) FROM diff d JOIN pair USING (id), migration_test_cells(control, exposed) c
    WHERE c.from_segment = d.from_segment AND c.to_segment = d.to_segment
    AND (abs(c.difference_low + d.difference_high) > 1e-14 OR abs(c.difference + d.difference) > 1e-14)), 0::bigint,
  'the other way round');
SELECT cmp_ok((SELECT sum(difference_high - difference_low) FROM pair, migration_test_cells(exposed, control, 0.99)),
  '>', (SELECT sum(difference_high - difference_low) FROM diff), 'wider with more confidence');

-- (entered) and (left) ------------------------------------------------------------------------------------------------

CREATE TABLE nowhere AS SELECT side, migration_matrix(f, t) AS m
  FROM (VALUES (1, 'a', 'a', 30), (1, 'a', 'b', 10), (1, 'a', NULL, 5), (1, NULL, 'a', 7), (1, NULL, 'b', 3),
  (1, 'b', 'b', 9), (2, 'a', 'a', 25), (2, 'a', 'b', 15), (2, 'a', NULL, 15), (2, NULL, 'a', 2), (2, NULL, 'b', 8),
  (2, 'b', 'a', 9)) v (side, f, t, n), generate_series(1, n) GROUP BY side;
SELECT is((SELECT string_agg(format('%s %s %s', coalesce(t.from_segment, test), degrees_of_freedom, exposed_customers),
    ', ' ORDER BY o) FROM nowhere e, nowhere c, migration_test(e.m, c.m) WITH
    ORDINALITY t (test, from_segment, kind, statistic, degrees_of_freedom, p, h, s, e5, w, exposed_customers, cc, r, n,
    o) WHERE e.side = 1 AND c.side = 2 AND kind = 'g'),
  'a 1 40, b 1 9, overall 2 49', 'without nowhere');
SELECT is((SELECT string_agg(format('%s %s %s', coalesce(t.from_segment, test), degrees_of_freedom, exposed_customers),
    ', ' ORDER BY o) FROM nowhere e, nowhere c, migration_test(e.m, c.m, with_nowhere => true) WITH
    ORDINALITY t (test, from_segment, kind, statistic, degrees_of_freedom, p, h, s, e5, w, exposed_customers, cc, r, n,
    o) WHERE e.side = 1 AND c.side = 2 AND kind = 'g'),
  'a 2 45, b 1 9, (entered) 1 10, overall 4 64', 'with nowhere');
SELECT is((SELECT round(customers_moved::numeric, 6)
    FROM nowhere e, nowhere c, migration_test_cells(e.m, c.m, with_nowhere => true)
    WHERE e.side = 1 AND c.side = 2 AND from_segment = 'a' AND to_segment = '(left)'), round(5 - 45 * 15 / 55.0, 6),
  'fewer left');
SELECT is((SELECT count(*) FROM nowhere e, nowhere c, migration_test_cells(e.m, c.m, with_nowhere => true)
    WHERE e.side = 1 AND c.side = 2), 8::bigint, 'nobody goes from nowhere to nowhere');
SELECT is((SELECT string_agg(t::text, E'\n') FROM nowhere e, nowhere c, migration_test(e.m, c.m, with_nowhere => w) t
    WHERE e.side = 1 AND c.side = 2),
  (SELECT string_agg(replace((t.test, from_segment, kind, statistic, degrees_of_freedom, p_value, p_value_holm,
    significant, expected_under_5, warning, d.e, d.c, reason, note)::text, '', ''), E'\n')
  FROM (SELECT array_agg(m ORDER BY side) AS a FROM nowhere) n, migration_homogeneity(a, with_nowhere => w) t
    JOIN LATERAL (SELECT exposed_customers AS e, control_customers AS c
    FROM migration_test(a[1], a[2], with_nowhere => w) x
    WHERE x.kind = t.kind AND x.from_segment IS NOT DISTINCT FROM t.from_segment) d ON true),
    'the test of two is homogeneity of two: ' || w)
FROM unnest('{f,t}'::boolean[]) w;

-- Panels: periods and runs of three of a random walk through segments, against plain SQL ------------------------------

CREATE TABLE walk AS
  WITH RECURSIVE w AS (SELECT c, 0 AS k, floor(random() * 4)::integer AS s FROM generate_series(1, 400) c UNION ALL
    SELECT c, k + 1, CASE WHEN random() < 0.5 THEN s ELSE floor(random() * (3 + k % 2))::integer END FROM w WHERE k < 9)
  SELECT c, k, chr(97 + s) AS s FROM w WHERE random() < 0.95;
CREATE TABLE panel AS SELECT migration_matrix(c, date '2024-01-15' + make_interval(months => k), s, 'month') AS m
  FROM walk;
CREATE TABLE step AS SELECT b.k, a.s AS f, b.s AS t, z.s AS before FROM walk b
  JOIN walk a ON a.c = b.c AND a.k = b.k - 1 LEFT JOIN walk z ON z.c = b.c AND z.k = b.k - 2;
CREATE FUNCTION pg_temp.test(query text, OUT pearson float8, OUT g float8, OUT df bigint) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('WITH c AS (SELECT grp, a, b, count(*)::float8 AS n FROM (%s) q GROUP BY 1, 2, 3),
    s AS (SELECT grp, a, b, coalesce(c.n, 0) AS n, ra.n * cb.n / t.n AS e
      FROM (SELECT grp, a, sum(n) AS n FROM c GROUP BY 1, 2) ra
      JOIN (SELECT grp, b, sum(n) AS n FROM c GROUP BY 1, 2) cb USING (grp)
      JOIN (SELECT grp, sum(n) AS n FROM c GROUP BY 1) t USING (grp) LEFT JOIN c USING (grp, a, b)),
    g AS (SELECT grp, sum((n - e) ^ 2 / e) AS pearson, 2 * sum(CASE WHEN n > 0 THEN n * ln(n / e) ELSE 0 END) AS g,
      (count(DISTINCT a) - 1) * (count(DISTINCT b) - 1) AS df FROM s GROUP BY grp)
    SELECT sum(pearson), sum(g), sum(df) FROM g', query) INTO pearson, g, df;
END $$;
SELECT pg_temp.agree('periods', $$SELECT kind, statistic, CASE kind WHEN 'g' THEN g ELSE pearson END
    FROM panel, migration_homogeneity(m), pg_temp.test('SELECT f AS grp, k AS a, t AS b FROM step')
    WHERE test = 'overall' AND degrees_of_freedom = df$$, 2, 1e-11, 0);
SELECT pg_temp.agree('periods of a segment', $$SELECT kind, statistic, CASE kind WHEN 'g' THEN g ELSE pearson END
    FROM panel, migration_homogeneity(m), pg_temp.test('SELECT f AS grp, k AS a, t AS b FROM step WHERE f = ''b''')
    WHERE from_segment = 'b' AND degrees_of_freedom = df AND samples = 9$$, 2, 1e-11, 0);
SELECT pg_temp.agree('order 0 against 1', $$SELECT kind, statistic, CASE kind WHEN 'g' THEN g ELSE pearson END
    FROM panel, migration_order(m), pg_temp.test('SELECT 1 AS grp, f AS a, t AS b FROM step')
    WHERE test = 'order_0_vs_1' AND degrees_of_freedom = df$$, 2, 1e-11, 0);
SELECT pg_temp.agree('order 1 against 2', $$SELECT kind, statistic, CASE kind WHEN 'g' THEN g ELSE pearson END
    FROM panel, migration_order(m),
    pg_temp.test('SELECT f AS grp, before AS a, t AS b FROM step WHERE before IS NOT NULL')
    WHERE test = 'order_1_vs_2' AND degrees_of_freedom = df$$, 2, 1e-11, 0);
SELECT is((SELECT count(*) FROM panel, migration_states(m) s, migration_order(m) o
    WHERE o.test = 'order_1_vs_2' AND o.kind = 'g' AND s.first_order_p = o.p_value AND s.reason !~ 'first_order'),
  4::bigint, 'states repeat that p');
SELECT pg_temp.agree('a forecast starts with the last period',
  $$SELECT segment, customers, (SELECT count(*) FROM step WHERE k = 9 AND t = segment)
    FROM panel, migration_forecast(m, NULL, 0)$$, 4, 0, 0.5);

-- Proportions: two segments are a table of 2 x 2 ----------------------------------------------------------------------

\set text `cat test/reference/metrics/two_proportions.csv`
SELECT is(pg_temp.load('two', :'text'), 7::bigint, 'the proportions are complete');
\set text `cat test/reference/migration/mm_tests.csv`
SELECT is(pg_temp.load('mm_tests', :'text'), 32::bigint, 'the tests are complete');
\set text `cat test/reference/migration/mm_transitions.csv`
SELECT is(pg_temp.load('mm_transitions', :'text'), 87::bigint, 'the transitions are complete');
CREATE TABLE group_of_two AS SELECT line, migration_matrix('{a,b}', ARRAY[x1, n1 - x1, 0, 0]::bigint[]) AS e,
  migration_matrix('{a,b}', ARRAY[x2, n2 - x2, 0, 0]::bigint[]) AS c FROM two;
SELECT pg_temp.agree('Newcombe', $$SELECT line, difference, diff FROM group_of_two
    JOIN two USING (line), migration_test_cells(e, c) WHERE from_segment = 'a' AND to_segment = 'a'
  UNION ALL SELECT line, difference_low, newcombe_l FROM group_of_two JOIN two USING (line), migration_test_cells(e, c)
    WHERE from_segment = 'a' AND to_segment = 'a'
  UNION ALL SELECT line, difference_high, newcombe_u FROM group_of_two JOIN two USING (line), migration_test_cells(e, c)
    WHERE from_segment = 'a' AND to_segment = 'a'$$, 21, 1e-12, 1e-15);
SELECT pg_temp.agree('the pooled z is Pearson''s', $$SELECT line, p_value, p_pooled FROM group_of_two
    JOIN two USING (line), migration_test(e, c) WHERE from_segment = 'a' AND kind = 'pearson'$$, 7, 1e-12, 0);

-- The file of tests: samples of matrices, and the quarters of CDNOW as a panel ----------------------------------------

CREATE TABLE sample AS
  WITH states AS (SELECT example, array_agg(s ORDER BY line) AS states
    FROM (SELECT example, s, min(line) AS line FROM mm_transitions, unnest(ARRAY[from_state, to_state]) s
      GROUP BY 1, 2) q GROUP BY 1)
  SELECT example, period::text, migration_matrix(states,
    array_agg(coalesce((SELECT n FROM mm_transitions x WHERE x.example = p.example AND x.period = p.period
      AND from_state = f AND to_state = t), 0)::bigint ORDER BY fo, t_o)) AS m
  FROM (SELECT DISTINCT example, period FROM mm_transitions) p JOIN states USING (example), unnest(states) WITH
    ORDINALITY a (f, fo), unnest(states) WITH ORDINALITY b (t, t_o) GROUP BY example, period, states;
CREATE TABLE tested AS
  SELECT example, CASE example WHEN 'cdnow_quarter' THEN 'time_' ELSE '' END || 'homogeneity'
    || coalesce('_row_' || from_segment, '') AS test, kind, statistic, degrees_of_freedom AS df, p_value AS p
  FROM (SELECT example, array_agg(m ORDER BY period) AS a FROM sample GROUP BY example) s, migration_homogeneity(a);
\set text `cat test/data/cdnow_sample.txt`
CREATE TABLE bought AS SELECT DISTINCT f[2] AS customer, date_trunc('quarter', f[3]::date) AS quarter
  FROM string_to_table(:'text', E'\n') l (line), LATERAL regexp_split_to_array(trim(line, E' \r'), ' +') f
  WHERE line <> '';
\unset text
CREATE INDEX ON bought (customer);
ANALYZE bought;
CREATE TABLE quarters AS
  SELECT customer, q AS quarter,
    (ARRAY['active', 'lapsing_1', 'lapsing_2', 'dormant'])[1
    + least(3, (SELECT min(extract(year FROM age(q, b.quarter)) * 4 + extract(month FROM age(q, b.quarter))
      / 3)::integer FROM bought b WHERE b.customer = c.customer AND b.quarter <= q))] AS segment
  FROM (SELECT customer, min(quarter) AS first FROM bought GROUP BY customer) c,
    generate_series(first, timestamp '1998-04-01', '3 months') q;
CREATE TABLE cdnow AS SELECT migration_matrix(customer, quarter::date, segment, 'quarter') AS m FROM quarters;
INSERT INTO tested SELECT 'cdnow_quarter', test, kind, statistic, degrees_of_freedom, p_value
  FROM cdnow, migration_order(m);
SELECT pg_temp.agree('statistics', 'SELECT example || test || kind, t.statistic, r.statistic FROM mm_tests r
    JOIN tested t USING (example, test, kind) WHERE t.df = r.df', 32, 1e-12, 0);
SELECT pg_temp.agree('p values', 'SELECT example || test || kind, t.p, r.p FROM mm_tests r
    JOIN tested t USING (example, test, kind)', 32, 1e-9, 1e-300);
SELECT results_eq('SELECT test, from_segment, kind, degrees_of_freedom, round(statistic::numeric, 6), samples, customers
    FROM cdnow, migration_homogeneity(m) ORDER BY 1, 2, 3',
                  'SELECT test, from_segment, kind, degrees_of_freedom, round(statistic::numeric, 6), samples, customers
                    FROM (SELECT array_agg(m ORDER BY period) AS a FROM sample WHERE example = ''cdnow_quarter'') s,
                    migration_homogeneity(a) ORDER BY 1, 2, 3', 'the periods of a panel are as many matrices');
SELECT pg_temp.agree('exposed and control', $$SELECT t.from_segment || t.kind, t.statistic, r.statistic
    FROM sample e, sample c, migration_test(e.m, c.m) t
    JOIN mm_tests r ON r.kind = t.kind AND r.test = 'homogeneity' || coalesce('_row_' || t.from_segment, '')
    WHERE e.period = 'treated' AND c.period = 'control' AND r.example = 'treated_vs_control'
    AND r.df = degrees_of_freedom$$, 10, 1e-12, 0);
SELECT is((SELECT count(*) FROM cdnow, migration_states(m) WHERE abs(first_order_p - 3.8415380803657256e-13) < 1e-22),
  4::bigint, 'states of CDNOW say that they are no chain of first order');

-- 2,000 campaigns that do nothing.  In one of 25 runs a right test is outside 4 to 6 % by chance, so the seed is a
-- fixed one; RETENTION_SEED gives another.

\getenv simulation RETENTION_SEED
\if :{?simulation}
\else
\set simulation 20
\endif
SELECT diag('seed of the simulation ' || :'simulation');
SELECT setseed(:simulation / 1e9) \g /dev/null
CREATE TABLE campaign AS
  SELECT n, side, migration_matrix(f, t) AS m
  FROM (SELECT n, side, chr(97 + f) AS f, CASE WHEN u < 0.5 THEN chr(97 + f) WHEN u < 0.75 THEN chr(97 + (f + 1) % 3)
    ELSE chr(97 + (f + 2) % 3) END AS t
    FROM (SELECT n, side, f, random() AS u FROM generate_series(1, 2000) n, generate_series(1, 2) side,
      generate_series(0, 2) f, generate_series(1, 120)) r) c GROUP BY n, side;
CREATE TABLE false_alarm AS SELECT kind, coalesce(from_segment, 'all') AS s, avg((p_value < 0.05)::integer) AS rate,
  avg((p_value_holm < 0.05)::integer) AS holm FROM campaign e JOIN campaign c USING (n), migration_test(e.m, c.m)
  WHERE e.side = 1 AND c.side = 2 GROUP BY 1, 2;
SELECT cmp_ok(rate, '>=', 0.04, format('%s, overall: %s of 2,000 false alarms', kind, rate)) FROM false_alarm
  WHERE s = 'all' ORDER BY kind;
SELECT cmp_ok(rate, '<=', 0.06, format('%s, overall', kind)) FROM false_alarm WHERE s = 'all' ORDER BY kind;
SELECT cmp_ok(sum(holm), '<=', 0.06,
  format('%s: Holm keeps false alarms of any segment to about one campaign in twenty', kind)) FROM false_alarm
  WHERE s <> 'all' GROUP BY kind ORDER BY kind;

SELECT * FROM finish();
ROLLBACK;
