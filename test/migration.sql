-- migration_matrix against plain SQL on random moves: labels of every kind, exact values, declared lists, sums of
-- matrices, matrices by hand, migration_rows, migration_sankey, migration_chart, the window form; and against the
-- reference matrices in test/reference/migration.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
SELECT diag('seed ' || :'seed');

-- Random moves: labels with all that may be in one, and names of numbers; nobody in some rows; amounts of several scale

CREATE TABLE label (i serial, label text);
INSERT INTO label (label) VALUES
  ('gold'), ('Gold'), (' gold'), ('gold '), ('under performer'), ('ключевой'), ('常連'), ('é'), (E'e\u0301'), ('a"b'),
    ('a''b'), (E'line\nbreak'), (E'\\'), ('{a,b}'), ('NULL'), ('null'), ('(entered) '), ('entered'),
  ('1'), ('2'), ('10'), ('-1'), ('-10'), ('01'), ('-0'), ('1.5'), ('999999999999999999'), ('1000000000000000000'),
    (repeat('x', 255)), (repeat('é', 127)), ('a'), ('ab'), ('abc'), ('abcd'), ('abcde'), ('abcdefgh'), ('abcdefghi');
CREATE TABLE move AS
  SELECT n, grp, CASE WHEN random() < 0.9 THEN f.label END AS f, CASE WHEN random() < 0.9 THEN t.label END AS t,
         CASE WHEN random() < 0.02 THEN (floor(random() * 1e15)::text
           || repeat('7', floor(random() * 30)::integer))::numeric WHEN random() < 0.8
           THEN round((random() * 300 - 50)::numeric, floor(random() * 4)::integer)
              WHEN random() < 0.1 THEN round(random()::numeric, 25) END AS v
  FROM (SELECT n, 1 + n % 6 AS grp,
    floor(random() * CASE n % 6 WHEN 0 THEN 37 WHEN 1 THEN 2 WHEN 2 THEN 6 ELSE 20 END)::integer AS a,
    floor(random() * CASE n % 6 WHEN 0 THEN 37 WHEN 1 THEN 2 ELSE 10 END)::integer AS b FROM generate_series(1, 4000) n)
    r
  JOIN label f ON f.i = 1 + a JOIN label t ON t.i = 1 + b;
-- the order of states: whole numbers by size, then bytes
CREATE FUNCTION pg_temp.place(label text) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$SELECT CASE WHEN label ~ '^(0|-?[1-9][0-9]*)$' THEN '0' || lpad((label::numeric + 1e255)::text, 260, '0')
    ELSE '1' || encode(convert_to(label, 'UTF8'), 'hex') END$$;
CREATE TABLE matrix AS SELECT grp, migration_matrix(f, t, v) AS m, migration_matrix(f, t) AS counts FROM move
  GROUP BY grp;
CREATE TABLE state AS SELECT grp, label,
  row_number() OVER (PARTITION BY grp ORDER BY pg_temp.place(label) COLLATE "C") AS i
  FROM (SELECT grp, f AS label FROM move WHERE f IS NOT NULL UNION SELECT grp, t FROM move WHERE t IS NOT NULL) s;
CREATE FUNCTION pg_temp.oracle(with_nowhere boolean) RETURNS TABLE (grp integer, f text, t text, customers bigint,
  row_customers bigint, p text, v text, reason text) LANGUAGE sql AS $$
  WITH node AS (SELECT grp, label, i FROM state UNION ALL SELECT DISTINCT grp, NULL, 1000000 FROM state),
  cell AS (SELECT a.grp, a.label AS f, b.label AS t, a.i AS fi, b.i AS ti, count(m.n) AS n, sum(v)::text AS v
           FROM node a JOIN node b ON a.grp = b.grp AND NOT (a.label IS NULL AND b.label IS NULL)
             LEFT JOIN move m ON m.grp = a.grp AND m.f IS NOT DISTINCT FROM a.label AND m.t IS NOT DISTINCT FROM b.label
             GROUP BY a.grp, a.label, b.label, a.i, b.i),
  part AS (SELECT *, with_nowhere OR (f IS NOT NULL AND t IS NOT NULL) AS counts FROM cell),
  total AS (SELECT *, CASE WHEN counts THEN sum(n) FILTER (WHERE counts) OVER (PARTITION BY grp, f) END::bigint AS row_n
    FROM part)
  SELECT grp, coalesce(f, '(entered)'), coalesce(t, '(left)'), n, row_n, (n / nullif(row_n, 0)::float8)::text, v,
         CASE WHEN NOT counts THEN 'kept out of probabilities' WHEN row_n = 0 THEN 'empty row' END
  FROM total ORDER BY grp, fi, ti $$;
SELECT results_eq('SELECT grp, from_segment, to_segment, customers, row_customers, probability::text, value::text,
    reason FROM (SELECT * FROM matrix ORDER BY grp) m, migration_rows(m)', 'SELECT * FROM pg_temp.oracle(false)',
  'every cell as GROUP BY has it');
SELECT results_eq('SELECT grp, from_segment, to_segment, customers, row_customers, probability::text, value::text,
    reason FROM (SELECT * FROM matrix ORDER BY grp) m, migration_rows(m, with_nowhere => true)',
  'SELECT * FROM pg_temp.oracle(true)', 'entered and left counted');
SELECT is((SELECT count(*) FROM matrix, migration_rows(counts) WHERE value IS NOT NULL), 0::bigint,
  'no value without amounts');
SELECT results_eq('SELECT grp, from_segment, to_segment, customers FROM matrix, migration_rows(counts)',
  'SELECT grp, from_segment, to_segment, customers FROM matrix, migration_rows(m)',
  'the same counts with amounts and without');
SELECT is((SELECT count(*) FROM matrix, migration_rows(m, c)
    WHERE NOT (0 <= simultaneous_low AND simultaneous_low <= probability_low AND probability_low <= probability
    AND probability <= probability_high AND probability_high <= simultaneous_high AND simultaneous_high <= 1)),
          0::bigint, 'limits contain each other at ' || c)
            FROM unnest('{0.5,0.95,0.999,0.9999999999999999}'::float8[]) c;
-- equal to proportion limits known elsewhere: Wilson of 3 of 10
SELECT is((SELECT (round(probability_low::numeric, 10), round(probability_high::numeric, 10),
    round(standard_error::numeric, 10))::text
    FROM migration_rows(migration_matrix(ARRAY['a', 'b'], ARRAY[[3, 7], [0, 0]]))
    WHERE from_segment = 'a' AND to_segment = 'a'), '(0.1077912674,0.6032218525,0.1449137675)',
  'Wilson and standard error of 3 in 10');

-- The form of labels makes no difference; order of rows neither -------------------------------------------------------

SELECT is((SELECT migration_matrix(f, t, v) FROM (SELECT * FROM move WHERE grp = 1 ORDER BY md5(n::text)) r)::text,
  m::text, 'rows in another order') FROM matrix WHERE grp = 1;
SELECT is((SELECT migration_matrix(f::varchar, t::varchar, v) FROM move WHERE grp = 2)::text, m::text, 'varchar')
  FROM matrix WHERE grp = 2;
CREATE DOMAIN segment_name AS text CHECK (value <> '');
SELECT is((SELECT migration_matrix(f::segment_name, t::segment_name, v) FROM move WHERE grp = 2)::text, m::text,
  'a domain') FROM matrix WHERE grp = 2;
SELECT is(migration_matrix('a'::char(9), 'b'::char(9)), migration_matrix('a', 'b'), 'char(n), without its padding');
SELECT is(migration_matrix('a'::name, 'b'::name), migration_matrix('a', 'b'), 'name');
SELECT is((SELECT migration_matrix(a, b) FROM (SELECT n % 23 - 3 AS a, n % 7 AS b FROM generate_series(1, 500) n) r),
  (SELECT migration_matrix(a, b)
    FROM (SELECT (n % 23 - 3)::text AS a, (n % 7)::text AS b FROM generate_series(1, 500) n) r),
  'integers: as their text');
CREATE TEMPORARY TABLE subscribed AS
  SELECT n % 50 AS customer, date '2024-01-01' + n / 50 AS at, n, n % 3 > 0 AS a,
    CASE WHEN n % 11 > 0 THEN n % 2 = 0 END AS b
  FROM generate_series(1, 500) n;
SELECT is((SELECT migration_matrix(a, b) FROM subscribed), (SELECT migration_matrix(a::text, b::text) FROM subscribed),
  'booleans: as their text');
SELECT is((SELECT migration_matrix(a, b, n) FROM subscribed),
  (SELECT migration_matrix(a::text, b::text, n) FROM subscribed), 'and with a value');
SELECT is((SELECT migration_matrix(customer, at, b, 'day') FROM subscribed),
  (SELECT migration_matrix(customer, at, b::text, 'day') FROM subscribed), 'as a panel');
SELECT is((SELECT migration_matrix(customer, at, a, 'day', ARRAY['true', 'false']) FROM subscribed),
  (SELECT migration_matrix(customer, at, a::text, 'day', ARRAY['true', 'false']) FROM subscribed), 'in an order');
SELECT results_eq(
  'SELECT (migration(b) OVER (PARTITION BY customer ORDER BY at)).* FROM subscribed ORDER BY customer, at',
  'SELECT (migration(b::text) OVER (PARTITION BY customer ORDER BY at)).* FROM subscribed ORDER BY customer, at',
  'and step by step');
SELECT is((SELECT string_agg(DISTINCT from_segment, ' ') FROM (SELECT migration_matrix(a, b) AS m FROM subscribed) q,
  migration_rows(m)), 'false true', 'false and true');
SELECT is((SELECT migration_matrix(a::bigint, b::bigint, 1.5)
    FROM (SELECT n % 23 - 3 AS a, n % 7 AS b FROM generate_series(1, 500) n) r),
  (SELECT migration_matrix(a::smallint, b::smallint, 1.5)
    FROM (SELECT (n % 23 - 3) AS a, (n % 7) AS b FROM generate_series(1, 500) n) r), 'bigint and smallint');
SELECT is((SELECT string_agg(DISTINCT from_segment, ' ')
    FROM (SELECT migration_matrix(n - 9223372036854775807 - 1, n) AS m FROM unnest('{0,1}'::bigint[]) n) q,
    migration_rows(m)), '-9223372036854775807 -9223372036854775808 0 1', 'the smallest integers');
SELECT is((SELECT array_agg(DISTINCT s ORDER BY s)
    FROM (SELECT migration_matrix(NULL, 'a') AS m UNION ALL SELECT migration_matrix('a', NULL)) q,
    LATERAL (SELECT from_segment AS s FROM migration_rows(m) UNION SELECT to_segment FROM migration_rows(m)) r),
  '{(entered),(left),a}', 'NULL literals');
SELECT is((SELECT migration_matrix(NULL, NULL)), (SELECT migration_matrix('a', 'b') WHERE false),
  'a row with neither segment is nobody');
SELECT is((SELECT migration_matrix(NULL, 5)), (SELECT migration_matrix(NULL, '5')), 'NULL and an integer');
CREATE TYPE tier AS ENUM ('silver', 'gold', 'bronze');
ALTER TYPE tier ADD VALUE 'wood' BEFORE 'gold';
CREATE TABLE tiers AS SELECT n, CASE WHEN n % 11 > 0 THEN (ARRAY['silver', 'gold']::tier[])[1 + n % 2] END AS f,
  CASE WHEN n % 13 > 0 THEN (ARRAY['silver', 'gold', 'bronze']::tier[])[1 + n % 3] END AS t
  FROM generate_series(1, 300) n;
SELECT is((SELECT migration_matrix(f, t) FROM tiers),
  (SELECT migration_matrix(f::text, t::text, ARRAY['silver', 'wood', 'gold', 'bronze']) FROM tiers),
  'an enum: its labels are the list, in its order');
SELECT is((SELECT migration_matrix(f, t, n) FROM tiers),
  (SELECT migration_matrix(f::text, t::text, n, ARRAY['silver', 'wood', 'gold', 'bronze']) FROM tiers), 'with values');
SELECT is((SELECT migration_matrix('gold'::tier, NULL)),
  (SELECT migration_matrix('gold', NULL, ARRAY['silver', 'wood', 'gold', 'bronze'])), 'an enum and NULL');

-- Declared lists ------------------------------------------------------------------------------------------------------

SELECT is((SELECT string_agg(DISTINCT from_segment, ',') FILTER (WHERE reason = 'empty row') FROM migration_rows(m)),
  'never', 'unobserved states stay')
FROM (SELECT migration_matrix(f, t, ARRAY['b', 'a', 'never']) AS m FROM (VALUES ('a', 'b'), ('b', 'a')) v (f, t)) q;
SELECT is((SELECT migration_matrix(f, t, v, array_agg_label)
    FROM move, (SELECT array_agg(label ORDER BY i) AS array_agg_label FROM label) l WHERE grp = 3)::jsonb
  #>> '{states}', (SELECT jsonb_agg(label ORDER BY i)::text FROM label), 'in the order of the list');
SELECT results_eq('SELECT from_segment, to_segment, customers, value
    FROM (SELECT migration_matrix(f, t, v, (SELECT array_agg(label) FROM label)) AS m FROM move WHERE grp = 3) q,
    migration_rows(m) WHERE customers > 0 ORDER BY 1, 2',
                  'SELECT from_segment, to_segment, customers, value FROM matrix, migration_rows(m)
                    WHERE grp = 3 AND customers > 0 ORDER BY 1, 2', 'the same cells');
SELECT is((SELECT migration_matrix(a, b, ARRAY[3, 1, 2]) FROM (VALUES (1, 2), (3, NULL)) v (a, b)),
  (SELECT migration_matrix(a, b, ARRAY['3', '1', '2']) FROM (VALUES ('1', '2'), ('3', NULL)) v (a, b)),
  'a list of integers');
SELECT is((SELECT migration_matrix(NULL, NULL, ARRAY['a']))::jsonb #>> '{states}', '["a"]', 'a list without anybody');

-- Sums ----------------------------------------------------------------------------------------------------------------

SELECT is((SELECT rollup(m ORDER BY md5(g::text))
    FROM (SELECT n % 37 AS g, migration_matrix(f, t, v) AS m FROM move GROUP BY 1) q)::text,
  (SELECT migration_matrix(f, t, v) FROM move)::text, 'rollup of parts: the whole');
SELECT is((SELECT rollup(m ORDER BY g DESC)
    FROM (SELECT n % 37 AS g, migration_matrix(f, t, v, (SELECT array_agg(label) FROM label)) AS m FROM move
    GROUP BY 1) q)::text, (SELECT migration_matrix(f, t, v, (SELECT array_agg(label) FROM label)) FROM move)::text,
  'with a declared list');
SELECT is((a.m + b.m)::text, (SELECT migration_matrix(f, t, v) FROM move WHERE grp IN (a.grp, b.grp))::text,
  format('%s + %s', a.grp, b.grp)) FROM matrix a JOIN matrix b ON a.grp < b.grp;
SELECT is((SELECT count(*) FROM matrix a, matrix b WHERE a.m + b.m <> b.m + a.m), 0::bigint, '+ commutes');
SELECT is((SELECT m + NULL = m AND NULL + m = m AND m + (SELECT migration_matrix('x', 'y') WHERE false) = m FROM matrix
    WHERE grp = 1), true, 'NULL and nobody add nothing');
SELECT is((SELECT rollup(m) FROM matrix WHERE false), NULL, 'no rows roll up to NULL');
SELECT is((migration_matrix('a', 'b') + migration_matrix('b', 'a', ARRAY['b', 'a', 'c']))::jsonb #>> '{states}',
  '["b", "a", "c"]', 'a list in which all is declared rules');
SELECT is((SELECT migration_matrix('a', 'b', v) FROM (VALUES (1e40), (0.50), (-1e40)) x (v)),
  (SELECT migration_matrix('a', 'b', v) FROM (VALUES (0.50), (NULL), (NULL)) x (v)),
  'large amounts that cancel out leave a small one');

-- By hand -------------------------------------------------------------------------------------------------------------

SELECT is(migration_matrix(ARRAY['a', 'b'], ARRAY[[2, 1], [0, 3]]),
  (SELECT migration_matrix(f, t, ARRAY['a', 'b'])
    FROM (VALUES ('a', 'a'), ('a', 'a'), ('a', 'b'), ('b', 'b'), ('b', 'b'), ('b', 'b')) v (f, t)), 'from counts');
SELECT is(migration_matrix(ARRAY['a', 'b'], ARRAY[2, 1, 0, 3]::bigint[]),
  migration_matrix(ARRAY['a', 'b'], ARRAY[[2, 1], [0, 3]]), 'flat, or bigint');
SELECT is((SELECT array_agg(probability ORDER BY o)
    FROM migration_rows(migration_matrix(ARRAY['b', 'a'], ARRAY[[0.25, 0.75], [1, 0]])) WITH
    ORDINALITY r (a, b, c, d, probability, f, g, h, i, j, k, l, o)), '{0.25,0.75,1,0}', 'from probabilities');
SELECT is((SELECT sum(probability)
    FROM migration_rows(migration_matrix(ARRAY['a', 'b', 'c'],
    ARRAY[0.3333333333, 0.3333333333, 0.3333333333, 0, 1, 0, 0.1, 0.2, 0.7])) WHERE from_segment = 'a'), 1::float8,
  'rounded ones are scaled');
SELECT is((SELECT count(*) FROM migration_rows(migration_matrix(ARRAY['a'], ARRAY[1.0]), with_nowhere => true)),
  1::bigint, 'given: nobody entered or left');

-- Sankey: on any matrix no loop and no cycle --------------------------------------------------------------------------

CREATE TABLE flow AS SELECT grp, 'default' AS form, s.* FROM matrix, migration_sankey(m) s UNION ALL
  SELECT grp, 'labels', s.* FROM matrix, migration_sankey(m, '2024-01', '2024-02') s UNION ALL SELECT grp, 'tricky', s.*
  FROM matrix, migration_sankey(m, 'a', 'ab') s;
SELECT is((SELECT count(*) FROM flow a JOIN flow b ON a.grp = b.grp AND a.form = b.form AND a.target = b.source),
  0::bigint, 'no target is a source');
SELECT set_eq($$SELECT grp, source, target, value FROM flow WHERE form = 'labels'$$,
              $$SELECT grp, '2024-01 ' || coalesce(f, '(entered)') AS s, '2024-02 ' || coalesce(t, '(left)') AS t,
                count(*) FROM move WHERE f IS NOT NULL OR t IS NOT NULL GROUP BY 1, move.f, move.t$$, 'all flows');
SELECT is((SELECT string_agg(source || ' > ' || target, ', ') FROM (SELECT migration_matrix('a', NULL) AS m) q,
    migration_sankey(m)), 'from: a > to: (left)', 'sides');

-- A panel's value, byte by byte: months 2023-12 to 2024-02, states a and b.  The aggregate that makes them has its own
-- tests.
CREATE TABLE panel AS SELECT encode('\x01040201610162040007000101000000030005c00400040000010002000200020002000200020000',
  'base64')::migration_matrix AS m;
SELECT is((SELECT string_agg(format('%s > %s %s', source, target, value), ', ') FROM panel, migration_sankey(m)),
          '2023-12 a > 2024-01 a 5, 2023-12 a > 2024-01 b 2, 2023-12 b > 2024-01 b 1, 2024-01 a > 2024-02 a 3, '
            '2024-01 b > 2024-02 a 1', 'a set of flows for each period');
SELECT is((SELECT string_agg(format('%s > %s %s', source, target, value), ', ')
    FROM panel, migration_sankey(m, 'was', 'is')), 'was a > is a 8, was a > is b 2, was b > is a 1, was b > is b 1',
  'or of all periods');
SELECT is((SELECT (m + m)::jsonb #>> '{periods,1}' FROM panel),
  '{"to": "b", "from": "a", "customers": 4, "period_start": "2024-01-01T00:00:00"}', 'periods add up');
SELECT is((SELECT (m + m)::jsonb -> 'triples' FROM panel),
  '[{"to": "a", "from": "a", "before": "a", "customers": 6}, {"to": "b", "from": "a", "before": "a", "customers": 2}]',
  'so do runs of three');
SELECT is((SELECT rollup(x)::text FROM panel, LATERAL (VALUES (m), (m), (m)) v (x)),
  (SELECT (m + m + m)::text FROM panel), 'rollup of panels');
SELECT is(m::text::migration_matrix, m, 'a panel as text') FROM panel;

-- Chart ---------------------------------------------------------------------------------------------------------------

SELECT is((SELECT count(*) FROM matrix, string_to_table(migration_chart(m), E'\n') line WHERE line ~ E'[\\x01-\\x1f]'),
  0::bigint, 'nothing in a label breaks a line');
SELECT matches(migration_chart((SELECT migration_matrix(n, n) FROM generate_series(1, 100) n)),
  '80 more columns.*40 more lines', 'a large matrix is cut, and says so');
SELECT is(migration_chart((SELECT migration_matrix('a', 'b') WHERE false)), 'no states', 'nobody');

-- The window form -----------------------------------------------------------------------------------------------------

CREATE TABLE panel_rows AS SELECT c, p, CASE WHEN random() < 0.9 THEN pg_temp.pick('{gold,ключевой,g}'::text[]) END AS s
  FROM generate_series(1, 300) c, generate_series(1, 1 + c % 17) p;
SELECT results_eq('SELECT c, p, (migration(s) OVER (PARTITION BY c ORDER BY p)).* FROM panel_rows ORDER BY c, p',
  $$SELECT c, p, lag(s) OVER w, CASE WHEN s IS NOT NULL THEN row_number() OVER (PARTITION BY c, run ORDER BY p)
    END::integer, s <> lag(s) OVER w
    FROM (SELECT *, count(*) FILTER (WHERE changed) OVER (PARTITION BY c ORDER BY p) AS run
      FROM (SELECT *, s IS DISTINCT FROM lag(s) OVER (PARTITION BY c ORDER BY p) AS changed FROM panel_rows) x) y
      WINDOW w AS (PARTITION BY c ORDER BY p) ORDER BY c, p$$, 'as lag() and gaps and islands have it');
SELECT results_eq('SELECT c, p,
    (migration(s) OVER (PARTITION BY c ORDER BY p ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING)).*
    FROM panel_rows ORDER BY c, p', 'SELECT c, p, (migration(s) OVER (PARTITION BY c ORDER BY p)).*
    FROM panel_rows ORDER BY c, p', 'whatever the frame');
SELECT results_eq('SELECT c, p, (migration(s) OVER w).moved, (migration(length(s)) OVER w).moved FROM panel_rows
    WINDOW w AS (PARTITION BY c ORDER BY p) ORDER BY c, p',
  'SELECT c, p, s <> lag(s) OVER w, length(s) <> lag(length(s)) OVER w FROM panel_rows
    WINDOW w AS (PARTITION BY c ORDER BY p) ORDER BY c, p', 'text and integers, side by side');
SELECT results_eq('SELECT n, (migration(t) OVER (ORDER BY n)).from_segment FROM tiers',
  'SELECT n, (lag(t) OVER (ORDER BY n))::text FROM tiers', 'enums');
SELECT is((SELECT migration_matrix((step).from_segment, s)
    FROM (SELECT s, migration(s) OVER (PARTITION BY c ORDER BY p) AS step FROM panel_rows) q
    WHERE (step).moved IS NOT NULL),
          (SELECT migration_matrix(a.s, b.s) FROM panel_rows a JOIN panel_rows b ON b.c = a.c AND b.p = a.p + 1
            WHERE a.s IS NOT NULL AND b.s IS NOT NULL), 'its steps make the matrix');

-- The reference matrices ----------------------------------------------------------------------------------------------

\pset tuples_only on
\pset format unaligned
\set text `cat test/reference/migration/mm_matrix.csv`
SELECT is(pg_temp.load('ref', :'text'), 168::bigint, 'the matrices are complete');
\set text `cat test/reference/migration/mm_transitions.csv`
SELECT is(pg_temp.load('ref_move', :'text'), 87::bigint, 'the transitions are complete');
CREATE TABLE ref_state AS SELECT example, array_agg(from_state ORDER BY line) AS states
  FROM (SELECT example, from_state, min(line) AS line FROM ref GROUP BY 1, 2) s GROUP BY 1;
CREATE TABLE ref_matrix AS
  SELECT example, migration_matrix(states, array_agg(n::bigint ORDER BY line)) AS m FROM ref
    JOIN ref_state USING (example) WHERE n IS NOT NULL GROUP BY example, states
  UNION ALL SELECT example, migration_matrix(states, array_agg(p ORDER BY line)) FROM ref JOIN ref_state USING (example)
    GROUP BY example, states HAVING count(n) = 0;
SELECT is((SELECT migration_matrix(from_state, to_state, states) FROM ref_move
    JOIN ref_state USING (example), generate_series(1, n::integer) WHERE example = 'cdnow_quarter'), m,
  'from one row a customer') FROM ref_matrix WHERE example = 'cdnow_quarter';
CREATE TABLE ref_row AS SELECT r.*, h.* FROM ref r JOIN ref_matrix USING (example)
  JOIN LATERAL migration_rows(m) h ON (h.from_segment, h.to_segment) = (r.from_state, r.to_state);
SELECT pg_temp.agree('probabilities', 'SELECT example || from_state || to_state, probability, p FROM ref_row', 168,
  1e-9, 1e-12);
SELECT pg_temp.agree('counts', 'SELECT example || from_state || to_state, customers, n FROM ref_row', 168, 0, 1e-12);
SELECT pg_temp.agree('row sums', 'SELECT example || from_state || to_state, row_customers, row_n FROM ref_row', 168, 0,
  1e-12);
SELECT pg_temp.agree('standard errors', 'SELECT example || from_state || to_state, standard_error, se FROM ref_row',
  168, 1e-9, 1e-12);
SELECT pg_temp.agree('Wilson, low', 'SELECT example || from_state || to_state, probability_low, wilson95_l
    FROM ref_row', 168, 1e-9, 1e-12);
SELECT pg_temp.agree('Wilson, high', 'SELECT example || from_state || to_state, probability_high, wilson95_u
    FROM ref_row', 168, 1e-9, 1e-12);
SELECT pg_temp.agree('Goodman, low', 'SELECT example || from_state || to_state, simultaneous_low, goodman95_l
    FROM ref_row', 168, 1e-9, 1e-12);
SELECT pg_temp.agree('Goodman, high', 'SELECT example || from_state || to_state, simultaneous_high, goodman95_u
    FROM ref_row', 168, 1e-9, 1e-12);
SELECT * FROM finish();
ROLLBACK;
