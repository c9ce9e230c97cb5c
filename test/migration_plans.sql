-- migration_matrix whatever the plan: the same bytes in any row order, in workers, over partitions, with shared states,
-- FILTER, GROUP BY and window frames, in roll-ups of any shape; many groups in little memory; open states do not leave
-- the server; and large matrices.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
\ir oracle/plans.psql
SELECT diag('seed ' || :'seed');

-- The same rows in one table and in five partitions; labels short and long; amounts that fit and that do not ----------

CREATE TABLE move (n integer, g integer, f text, t text, fi integer, ti integer, v numeric) WITH (parallel_workers = 3);
INSERT INTO move SELECT n, n % 5, CASE WHEN n % 17 > 0 THEN repeat('state ', 1 + a % 3) || a END, CASE WHEN n % 19 > 0
  THEN repeat('state ', 1 + b % 3) || b END, a, b,
    CASE n % 10 WHEN 0 THEN NULL WHEN 1 THEN (a + 1) * 1e25 + 0.125 ELSE round((random() * 100)::numeric, n % 4) END
  FROM (SELECT n, floor(random() * 30)::integer AS a, floor(random() * 30)::integer AS b
    FROM generate_series(1, 12000) n) r;
CREATE TABLE by_row (LIKE move) PARTITION BY HASH (n);
SELECT format('CREATE TABLE by_row_%s PARTITION OF by_row FOR
    VALUES WITH (MODULUS 5, REMAINDER %1$s) WITH (parallel_workers = 2)', i) FROM generate_series(0, 4) i \gexec
INSERT INTO by_row TABLE move;
CREATE TABLE with_empty (LIKE move) PARTITION BY LIST (g);
CREATE TABLE with_empty_all PARTITION OF with_empty FOR VALUES IN (0, 1, 2, 3, 4);
CREATE TABLE with_empty_none PARTITION OF with_empty FOR VALUES IN (9);
INSERT INTO with_empty TABLE move;
ANALYZE move; ANALYZE by_row; ANALYZE with_empty;
CREATE TYPE side AS ENUM ('b', 'a', 'c');

CREATE TABLE form (o serial, call text, answer text);
INSERT INTO form (call) VALUES
  ('migration_matrix(f, t)'), ('migration_matrix(f, t, v)'),
    ('migration_matrix(f, t, ARRAY(SELECT DISTINCT s FROM move, LATERAL (VALUES (f), (t)) x (s) WHERE s IS NOT NULL '
    'ORDER BY s DESC))'),
  ('migration_matrix(CASE f WHEN t THEN ''a'' ELSE ''b'' END, ''b'', v, ARRAY[''b'', ''never'', ''a''])'),
    ('migration_matrix(fi, ti)'), ('migration_matrix(fi, ti, v)'),
    ('migration_matrix(fi % 3, ti % 3, v, ARRAY[2, 1, 0, 7])'),
  ('migration_matrix(CASE WHEN fi > ti THEN ''a'' ELSE ''b'' END::side, CASE fi WHEN 3 THEN ''c'' ELSE ''b'' '
    'END::side, v)'), ('rollup(migration_matrix(ARRAY[''a'', ''b''], ARRAY[[fi, ti], [0, 1]]))');
SET max_parallel_workers_per_gather = 0;
SELECT pg_temp.answer() \g /dev/null
SELECT is((SELECT count(DISTINCT answer) FROM form), (SELECT count(*) FROM form), 'the forms give different matrices');

SELECT pg_temp.check('rows ordered by ' || o, format('(SELECT * FROM move ORDER BY %s) e', o))
  FROM unnest('{n DESC,f,"t DESC, f","v, n",md5(n::text)}'::text[]) o;
SET enable_partitionwise_aggregate = on;
SELECT pg_temp.check('partition-wise', 'by_row', 'Append\s+->  Partial Aggregate');
SELECT pg_temp.check('partition-wise, an empty partition', 'with_empty', 'Append\s+->  Partial Aggregate');
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 3;
SELECT pg_temp.check('workers', 'move', 'Gather\s+Workers Planned: [1-3]\s+->  Partial Aggregate');
SELECT pg_temp.check('workers, partition-wise', 'by_row', 'Gather.*Partial Aggregate');
SET parallel_leader_participation = off;
SELECT pg_temp.check('workers alone', 'move', 'Gather');
RESET parallel_leader_participation;
SELECT is((SELECT string_agg(m::text, ' ' ORDER BY g)
    FROM (SELECT g, migration_matrix(f, t, v) AS m FROM by_row GROUP BY g) q),
  (SELECT string_agg((SELECT migration_matrix(f, t, v)
    FROM (SELECT * FROM move WHERE move.g = x ORDER BY n DESC) r)::text, ' ' ORDER BY x) FROM generate_series(0, 4) x),
  'groups, in workers');
RESET enable_partitionwise_aggregate;
SET max_parallel_workers_per_gather = 0;

-- One state for several aggregates, FILTER, frames --------------------------------------------------------------------

SELECT results_eq('SELECT migration_matrix(f, t)::text, migration_matrix(f, t)::jsonb::text,
    migration_chart(migration_matrix(f, t)) FROM move', 'SELECT m::text, m::jsonb::text, migration_chart(m)
    FROM (SELECT answer::migration_matrix AS m FROM form WHERE o = 1) q', 'shared by two answers');
SELECT is((SELECT migration_matrix(f, t) FILTER (WHERE g = 1) + migration_matrix(f, t) FILTER (WHERE g <> 1)
    FROM move)::text, (SELECT answer FROM form WHERE o = 1), 'FILTER');
SELECT is((SELECT migration_matrix(f, t) FILTER (WHERE false) FROM move),
  (SELECT migration_matrix(f, t) FROM move WHERE false), 'FILTER that nobody passes: no states');
SELECT results_eq('SELECT n, migration_matrix(f, t, v) OVER (ORDER BY n)::text FROM move WHERE n <= 200',
  'SELECT n, (SELECT migration_matrix(f, t, v)::text FROM move w WHERE w.n <= move.n) FROM move
    WHERE n <= 200 ORDER BY n', 'a growing frame');
SELECT results_eq('SELECT n, migration_matrix(f, t, v) OVER (ORDER BY n ROWS BETWEEN 3 PRECEDING AND 2 FOLLOWING)::text
    FROM move WHERE n <= 200', 'SELECT n, (SELECT migration_matrix(f, t, v)::text FROM move w
    WHERE w.n BETWEEN move.n - 3 AND least(move.n + 2, 200)) FROM move WHERE n <= 200 ORDER BY n', 'a moving frame');
SELECT results_eq('SELECT n, rollup(migration_matrix(ARRAY[f], ARRAY[[n]])) OVER (PARTITION BY f ORDER BY n)::text
    FROM move WHERE n <= 300 AND f IS NOT NULL ORDER BY n',
  'SELECT n, migration_matrix(ARRAY[f], ARRAY[sum(n) OVER (PARTITION BY f ORDER BY n)])::text FROM move
    WHERE n <= 300 AND f IS NOT NULL ORDER BY n', 'rollup in a window');
SELECT is((SELECT rollup(m) FROM (SELECT rollup(m) AS m
    FROM (SELECT n % 7 AS h, g, migration_matrix(f, t, v) AS m FROM move GROUP BY 1, 2) a GROUP BY g) b)::text,
  (SELECT answer FROM form WHERE o = 2), 'rollup of rollups');
SELECT results_eq('SELECT g, migration_matrix(f, t, v)::text FROM move GROUP BY GROUPING SETS ((g), ()) ORDER BY g',
  'SELECT g, migration_matrix(f, t, v)::text FROM move GROUP BY g UNION ALL SELECT NULL, answer FROM form
    WHERE o = 2 ORDER BY 1', 'grouping sets');

-- The list of states in each row --------------------------------------------------------------------------------------

SELECT is((SELECT migration_matrix(f, t, CASE WHEN n > 0 THEN ARRAY['a', 'b'] END)
    FROM (VALUES (1, 'a', 'b'), (2, 'b', 'b')) v (n, f, t)), migration_matrix(ARRAY['a', 'b'], ARRAY[[0, 1], [0, 1]]),
  'no constant, but equal');
SELECT is(pg_temp.outcome($$SELECT migration_matrix('a', 'b', l)
    FROM (VALUES (ARRAY['a', 'b']), (ARRAY['b', 'a'])) v (l)$$), '22023 list of states must be the same in all rows',
  'another order');
SELECT is(pg_temp.outcome($$SELECT migration_matrix('a', 'b', l)
    FROM (VALUES (ARRAY['a', 'b']), (ARRAY['a', 'b', 'c'])) v (l)$$),
  '22023 list of states must be the same in all rows', 'one more');
SELECT is(pg_temp.outcome($$SELECT migration_matrix('a', 'b', l) FROM (VALUES (ARRAY['a', 'b']), (NULL)) v (l)$$),
  '22004 list of states must not be NULL', 'none');
SELECT is(pg_temp.outcome($$SELECT migration_matrix(1, 2, l) FROM (VALUES (ARRAY[1, 2]), (ARRAY[2, 1])) v (l)$$),
  '22023 list of states must be the same in all rows', 'of integers');
-- partial states of several lists meet in the combine function
SET enable_partitionwise_aggregate = on;
SELECT is(pg_temp.outcome($$SELECT migration_matrix('a', 'b', CASE WHEN tableoid = 'by_row_1'::regclass
    THEN ARRAY['b', 'a'] ELSE ARRAY['a', 'b'] END) FROM by_row$$), '22023 list of states must be the same in all rows',
  'in partitions');
RESET enable_partitionwise_aggregate;

-- Groups --------------------------------------------------------------------------------------------------------------

SET work_mem = '4MB';
CREATE TABLE many AS SELECT n, (ARRAY['gold', 'silver', 'bronze'])[1 + n % 3] AS f, CASE WHEN n % 7 > 0
  THEN (ARRAY['gold', 'silver', 'bronze'])[1 + n % 2] END AS t FROM generate_series(1, (300000 * :cases)::integer) n;
ANALYZE many;
SELECT is((SELECT count(DISTINCT m::text) FROM (SELECT n, migration_matrix(f, t) AS m FROM many GROUP BY n OFFSET 0) q),
  9::bigint, 'a group for each row');
SELECT is((SELECT rollup(m) FROM (SELECT n, migration_matrix(f, t) AS m FROM many GROUP BY n) q),
  (SELECT migration_matrix(f, t) FROM many), 'and all of them rolled up');
RESET work_mem;

-- A user's own aggregate without a final function has an open state; it is finished wherever it goes ------------------

CREATE AGGREGATE open_matrix(text, text) (SFUNC = migration_matrix_trans, STYPE = migration_matrix,
  COMBINEFUNC = migration_matrix_combine);
CREATE TABLE opened AS SELECT g, open_matrix(f, t) AS m FROM move GROUP BY g;
SELECT is((SELECT string_agg(m::text, ' ' ORDER BY g) FROM opened),
  (SELECT string_agg(m::text, ' ' ORDER BY g) FROM (SELECT g, migration_matrix(f, t) AS m FROM move GROUP BY g) q),
  'stored and sent: finished');
SELECT is((SELECT rollup(m)::text FROM opened), (SELECT answer FROM form WHERE o = 1), 'rolled up');
SELECT is((SELECT (rollup(m) + NULL)::text FROM (SELECT m FROM opened ORDER BY g DESC) o),
  (SELECT answer FROM form WHERE o = 1), 'in any order');
SELECT is((SELECT count(*) FROM opened o, (SELECT g, migration_matrix(f, t) AS m FROM move GROUP BY g) q
    WHERE o.g = q.g AND o.m = q.m AND migration_matrix_hash(o.m) = migration_matrix_hash(q.m)
    AND migration_matrix_send(o.m) = migration_matrix_send(q.m)
           AND (o.m::jsonb, migration_chart(o.m)) = (q.m::jsonb, migration_chart(q.m))), 5::bigint,
             'equal, of the same hash and answers');
SELECT is(pg_temp.outcome(format('SELECT %L::migration_matrix',
    translate(encode(set_byte(decode((SELECT answer FROM form WHERE o = 1), 'base64'), 0, b), 'base64'), E'\n', ''))),
  '22P02 invalid input syntax for type migration_matrix: wrong version', 'no open state comes in: ' || b)
  FROM unnest('{241,242,0,2,255}'::integer[]) b;
SELECT is(pg_temp.outcome('SELECT migration_matrix_trans(NULL, ''a'', ''b'')'),
  '0A000 this function is part of the aggregate migration_matrix and cannot be called', 'nor is one had by hand');
SELECT is(pg_temp.outcome('SELECT migration_matrix_combine(NULL, NULL)'),
  '0A000 this function is part of the aggregate migration_matrix and cannot be called', 'nor combined');
-- what came as text from another node is finished, and may meet open states
CREATE AGGREGATE continued(text, text) (SFUNC = migration_matrix_trans, STYPE = migration_matrix,
  FINALFUNC = migration_matrix_final, INITCOND = 'AQACAWEBYgEBAA==');
SELECT is((SELECT continued('b', 'c'))::jsonb, (migration_matrix('a', 'b') + migration_matrix('b', 'c'))::jsonb,
  'a state that began finished');
-- what the combine function sees of nodes that send their states as text: finished matrices, one after the other
CREATE AGGREGATE from_nodes(migration_matrix) (SFUNC = migration_matrix_combine, STYPE = migration_matrix,
  FINALFUNC = migration_matrix_final);
SELECT is((SELECT from_nodes(m::text::migration_matrix ORDER BY g) FROM opened)::text,
  (SELECT answer FROM form WHERE o = 1), 'states that came as text');
SELECT is((SELECT from_nodes(CASE g % 2 WHEN 0 THEN m ELSE m::text::migration_matrix END) FROM opened)::text,
  (SELECT answer FROM form WHERE o = 1), 'some of them');
SELECT is((SELECT from_nodes(m::text::migration_matrix)
    FROM (SELECT g, migration_matrix(fi % 3, ti % 3, v, ARRAY[2, 1, 0, 7]) AS m FROM move GROUP BY g UNION ALL
    SELECT 9, NULL) q)::text, (SELECT answer FROM form WHERE o = 7), 'with a declared list, and a node without rows');
SELECT is(pg_temp.outcome('SELECT from_nodes(m) FROM (VALUES (migration_matrix(ARRAY[''a''], ARRAY[1.0]))) v (m)'),
  '22023 a migration_matrix of given probabilities cannot be continued by migration_matrix()', 'but no matrix by hand');

-- Large ---------------------------------------------------------------------------------------------------------------

CREATE TABLE large AS SELECT migration_matrix(a, b) AS m FROM generate_series(1, 1000) a, generate_series(1, 1000, 7) b;
SELECT is((SELECT count(*) FROM large, migration_rows(m) WHERE customers = 1), 143000::bigint, 'a thousand states');
SELECT is((SELECT m + m = (SELECT rollup(x) FROM large, LATERAL (VALUES (m), (m)) v (x)) FROM large), true, 'added up');
SELECT is((SELECT m::text::migration_matrix = m FROM large), true, 'as text');
SELECT is(pg_temp.outcome('SELECT migration_matrix(n, n) FROM generate_series(1, 1001) n'),
  '54000 a migration_matrix cannot have more than 1000 states', 'and not one more');
SELECT is(pg_temp.outcome('SELECT m + (SELECT migration_matrix(1, 1001)) FROM large'),
  '54000 a migration_matrix cannot have more than 1000 states', 'nor in a sum');
SELECT is(pg_temp.outcome('SELECT migration_matrix(ARRAY[''a''], ARRAY[9223372036854775807])
    + migration_matrix(ARRAY[''a''], ARRAY[1])'), '22003 too many customers in a migration_matrix',
  'counts that are too large are said to be');
SELECT is(pg_temp.outcome('SELECT migration_matrix(ARRAY[''a'', ''b''], ARRAY[9223372036854775807, 1, 0, 0])'),
  '22003 too many customers in a migration_matrix', 'so are their sums');
SELECT is((SELECT value FROM (SELECT migration_matrix('a', 'b', ('1e' || (n % 300))::numeric + 0.5) AS m
    FROM generate_series(1, 3000) n) q, migration_rows(m) WHERE customers > 0),
  (SELECT sum(('1e' || (n % 300))::numeric + 0.5) FROM generate_series(1, 3000) n), 'sums of 300 digits');

SELECT * FROM finish();
ROLLBACK;
