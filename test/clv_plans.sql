-- clv_model() in every plan: the same bytes whatever the order of rows, partitions, workers, shared states, filters and
-- frames.  States that somebody made up: errors, never a crash, a hang or memory that grows.  Its parts are no
-- functions to call.  Fits end when they are cancelled.  (clv_model() over orders and customer_equity() have tests of
-- their own: clv_orders.sql, clv_portfolio.sql.)
BEGIN;
SET client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned
SELECT diag('seed ' || :'seed');
SET max_parallel_workers_per_gather = 0;
SELECT pg_temp.open_shop(1500) \g /dev/null

-- One row a customer: a history, its numbers, and the numbers in months; NULLs among them.  The same in one table, in
-- partitions that split groups or do not, and with one that stays empty.
CREATE TABLE person (n integer, c integer, country text, h customer_history, x float8, t_x float8, age float8, z float8,
  months float8, last_month float8) WITH (parallel_workers = 3);
INSERT INTO person SELECT row_number() OVER (ORDER BY hashint4(c)), c, country, CASE WHEN c % 97 > 0 THEN h END,
  frequency, recency, CASE WHEN c % 89 > 0 THEN age END, monetary_value, 24, floor(recency / 31)
  FROM histories, clv_summary(h, '2024-12-31');
CREATE TABLE by_row (LIKE person) PARTITION BY HASH (n);
CREATE TABLE by_country (LIKE person) PARTITION BY LIST (country);
SELECT format('CREATE TABLE by_row_%s PARTITION OF by_row FOR
    VALUES WITH (MODULUS 5, REMAINDER %1$s) WITH (parallel_workers = 2)', i) FROM generate_series(0, 4) i \gexec
SELECT format('CREATE TABLE by_country_%s PARTITION OF by_country FOR VALUES IN (%1$L) WITH (parallel_workers = 2)',
  country) FROM unnest('{a,b,c,z}'::text[]) country \gexec
INSERT INTO by_row TABLE person;
INSERT INTO by_country TABLE person;
ANALYZE person; ANALYZE by_row; ANALYZE by_country;

CREATE TABLE form (o serial, call text, answer text, grouped text);
INSERT INTO form (call) VALUES ('clv_model(h)'), ('clv_model(h, date ''2024-12-01'')'),
  ('clv_model(h, date ''2024-06-30'', ''pareto_nbd'')'), ('clv_model(h, NULL, ''mbg_nbd'', ''none'')'),
  ('clv_model(h, date ''2024-12-31'', ''bg_bb'', ''gamma_gamma'', ''month'')'),
  ('clv_model(h, date ''2024-01-31'' + n % 9)'),
  ('clv_model(x, t_x, age)'), ('clv_model(x, t_x, age, z)'), ('clv_model(x, t_x, age, z, ''nbd'')'),
    ('clv_model(x, t_x, age, z, ''pareto_nbd'', ''none'')'),
    ('clv_model(x, t_x / 7, age / 7, z, ''bg_nbd'', ''gamma_gamma'', ''week'')'),
    ('clv_model(x, last_month, months, z, ''bdw'', ''none'', ''month'')');
DO $$
DECLARE f record;
BEGIN
  FOR f IN SELECT * FROM form LOOP
    EXECUTE format('UPDATE form SET answer = (SELECT %1$s::text FROM (SELECT * FROM person ORDER BY n) e),
        grouped = (SELECT string_agg(country || m, '' '' ORDER BY country)
        FROM (SELECT country, %1$s::text AS m FROM (SELECT * FROM person ORDER BY n DESC) e GROUP BY country) g)
        WHERE o = %2$s', f.call, f.o);
  END LOOP;
END $$;
SELECT is((SELECT count(DISTINCT answer) FROM form WHERE answer::clv_model IS NOT NULL), 12::bigint,
  'twelve forms, twelve models');
SELECT is(as_of, CASE WHEN call ~ '% 9' THEN NULL ELSE as_of END, 'a model as of different days has no day: ' || call)
  FROM form, clv_fit(answer::clv_model) WHERE call ~ '% 9';

CREATE FUNCTION pg_temp.check(title text, source text, plan_has text DEFAULT '', by_groups boolean DEFAULT false)
  RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  f record;
  r text;
  query text;
  found text := '';
BEGIN
  FOR f IN SELECT * FROM form ORDER BY o LOOP
    query := CASE WHEN by_groups THEN
      format('SELECT string_agg(country || m, '' '' ORDER BY country)
        FROM (SELECT country, %s::text AS m FROM %s GROUP BY country) g', f.call, source)
      ELSE format('SELECT %s::text FROM %s', f.call, source) END;
    IF plan_has <> '' AND pg_temp.plan(query) !~ plan_has THEN found := found || f.call || E': another plan\n'
      || pg_temp.plan(query); END IF;
    EXECUTE query INTO r;
    IF r IS DISTINCT FROM (CASE WHEN by_groups THEN f.grouped ELSE f.answer END) THEN found := found || f.call || E'\n';
    END IF;
  END LOOP;
  RETURN is(found, '', title);
END $$;
SELECT pg_temp.check('rows ordered by ' || o, format('(SELECT * FROM person ORDER BY %s) e', o))
  FROM unnest('{n DESC,x,"x DESC, z",age,"t_x, x",md5(n::text)}'::text[]) o;
SELECT pg_temp.check('groups of a sorted table', '(SELECT * FROM person ORDER BY country, z OFFSET 0) e',
  by_groups => true);
SET enable_partitionwise_aggregate = on;
SELECT pg_temp.check('partition-wise, customers in all partitions', 'by_row', 'Append\s+->  Partial Aggregate');
SELECT pg_temp.check('partition-wise, an empty one among them', 'by_country', 'Append\s+->  Partial Aggregate');
SELECT pg_temp.check('partition-wise, groups in all partitions', 'by_row', 'Append\s+->  Partial (Hash|Group)Aggregate',
  true);
SELECT pg_temp.check('partition-wise, groups in one each', 'by_country', by_groups => true);
SET max_parallel_workers_per_gather = 3; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT pg_temp.check('workers over partitions', 'by_row', 'Gather');
SET enable_partitionwise_aggregate = off;
SELECT pg_temp.check('workers', 'person', 'Gather[^\n]*\n[^\n]*\n.*Partial Aggregate');
SELECT pg_temp.check('workers, by groups', 'person', 'Gather', true);
SET parallel_leader_participation = off;
SELECT pg_temp.check('workers alone', 'person', 'Gather[^\n]*\n[^\n]*\n.*Partial Aggregate');
SELECT pg_temp.check('workers alone, by groups', 'person', 'Gather', true);
SELECT pg_temp.check('workers of which some find nothing',
  '(SELECT * FROM person WHERE n > 0 UNION ALL SELECT * FROM by_country WHERE n < 0) e');
SET max_parallel_workers_per_gather = 0;

-- Filters, and states that several aggregates share: one with the final function, one that shows the bytes.
SELECT is((SELECT string_agg(m, ' ' ORDER BY c)
    FROM (SELECT clv_model(h) FILTER (WHERE country = 'a')::text AS a,
    clv_model(h) FILTER (WHERE country = 'b')::text AS b, clv_model(h) FILTER (WHERE country = 'c')::text AS d
    FROM person) f, LATERAL (VALUES ('a', a), ('b', b), ('c', d)) v (c, m)),
  (SELECT string_agg(substr(g, 2), ' ' ORDER BY g) FROM form, string_to_table(grouped, ' ') g WHERE o = 1),
  'filters are groups');
CREATE AGGREGATE pg_temp.bytes(float8, float8, float8, float8) (SFUNC = clv_model_summary_trans, STYPE = bytea,
  COMBINEFUNC = clv_model_combine, PARALLEL = SAFE);
CREATE AGGREGATE pg_temp.merged(bytea) (SFUNC = clv_model_combine, STYPE = bytea, FINALFUNC = clv_model_final);
CREATE AGGREGATE pg_temp.merged_bytes(bytea) (SFUNC = clv_model_combine, STYPE = bytea);
SELECT is((a, pg_temp.merged(s)::text)::text, (answer, answer)::text, 'the fit leaves a state that is shared as it is')
  FROM form, (SELECT clv_model(x, t_x, age, z)::text AS a, pg_temp.bytes(x, t_x, age, z) AS s FROM person) q WHERE o = 8
  GROUP BY a, answer;
-- What a distributed plan does: states of shards, sent as bytes, NULL where a shard has no rows.
SELECT is((SELECT pg_temp.merged(s)::text
    FROM (SELECT pg_temp.bytes(x, t_x, age, z) AS s FROM person GROUP BY n % shards UNION ALL SELECT NULL UNION ALL
    SELECT pg_temp.bytes(NULL, x, x, x) FROM person WHERE false ORDER BY 1) q), (SELECT answer FROM form WHERE o = 8),
  format('%s shards and one without rows', shards)) FROM unnest('{1,2,7,1000}'::integer[]) shards;
SELECT is((SELECT pg_temp.merged(s) FROM (VALUES (NULL::bytea), (NULL)) v (s)), NULL, 'nothing and nothing');
SELECT is((SELECT pg_temp.merged(s)::jsonb ->> 'skipped'
    FROM (SELECT pg_temp.bytes(NULL, 1, 2, 3) AS s FROM generate_series(1, 5) GROUP BY random() < 2 UNION ALL
    SELECT NULL UNION ALL SELECT pg_temp.bytes(1, 1, NULL, 3)) q), '6', 'NULLs of shards are added up');
CREATE AGGREGATE pg_temp.bytes(float8, float8, float8) (SFUNC = clv_model_summary_trans, STYPE = bytea);
SELECT is(pg_temp.outcome('SELECT pg_temp.merged(s)
    FROM (SELECT pg_temp.bytes(1, 1, 2, 3) AS s UNION ALL SELECT pg_temp.bytes(1, 1, 2)) q'),
  '22023 spend model must be the same in all rows of clv_model', 'states of different forms do not mix');
-- A frame is what an aggregate over its rows is.
SELECT is(count(*) FILTER (WHERE framed IS DISTINCT FROM (SELECT clv_model(x, t_x, age, z)::text
    FROM (SELECT * FROM person ORDER BY n LIMIT 60) p WHERE p.n BETWEEN lowest AND highest)), 0::bigint,
  format('frames: %s of them', count(*)))
FROM (SELECT clv_model(x, t_x, age, z) OVER w ::text AS framed, min(n) OVER w AS lowest, max(n) OVER w AS highest
  FROM (SELECT * FROM person ORDER BY n LIMIT 60) p WINDOW w AS (ORDER BY n ROWS BETWEEN 20 PRECEDING AND 5 FOLLOWING))
  f;
SELECT is(count(*) FILTER (WHERE framed IS DISTINCT FROM (SELECT clv_model(h)::text
    FROM (SELECT * FROM person ORDER BY n LIMIT 60) p WHERE p.n <= highest)), 0::bigint, 'growing frames of histories')
FROM (SELECT clv_model(h) OVER w ::text AS framed, max(n) OVER w AS highest
  FROM (SELECT * FROM person ORDER BY n LIMIT 60) p WINDOW w AS (ORDER BY n)) f;
-- Survivors, one row a period: in any order, and from shards.
CREATE TABLE contract (t integer, s bigint) PARTITION BY HASH (t);
SELECT format('CREATE TABLE contract_%s PARTITION OF contract FOR
    VALUES WITH (MODULUS 3, REMAINDER %1$s) WITH (parallel_workers = 2)', i) FROM generate_series(0, 2) i \gexec
INSERT INTO contract SELECT t, (1000 * (0.8 ^ t))::bigint + 100 FROM generate_series(0, 40) t;
ANALYZE contract;
CREATE TABLE survived AS SELECT clv_model(t, s, 'bdw')::text AS m FROM (SELECT * FROM contract ORDER BY t) q;
SELECT is((SELECT clv_model(t, s, 'bdw')::text FROM (SELECT * FROM contract ORDER BY md5(t::text || o)) q), m,
  'survivors in any order') FROM survived, generate_series(1, 5) o;
SET enable_partitionwise_aggregate = on;
SELECT matches(pg_temp.plan($$SELECT clv_model(t, s, 'bdw') FROM contract$$), 'Partial Aggregate',
  'survivors from shards') UNION ALL SELECT is((SELECT clv_model(t, s, 'bdw')::text FROM contract), m, 'are the same')
  FROM survived;
RESET enable_partitionwise_aggregate;

-- Many groups in little memory: they go to disk and back --------------------------------------------------------------

SET work_mem = '64kB';
SELECT is((SELECT (count(*), sum(n), count(*) FILTER (WHERE converged))::text
    FROM (SELECT (clv_fit(clv_model(g % 3, g % 3, 5 + g % 7))).* FROM generate_series(1, 30000) g GROUP BY g % 12000)
    q), '(12000,30000,0)', '12,000 groups in 64 kB');
RESET work_mem;

-- States that somebody made up ----------------------------------------------------------------------------------------

CREATE AGGREGATE pg_temp.survivor_bytes(integer, bigint, text) (SFUNC = clv_model_survivors_trans, STYPE = bytea);
CREATE AGGREGATE pg_temp.equity_bytes(clv_model, float8, float8, float8, float8)
  (SFUNC = customer_equity_se_summary_trans, STYPE = bytea);
CREATE AGGREGATE pg_temp.merged_survivors(bytea) (SFUNC = clv_model_survivors_combine, STYPE = bytea,
  FINALFUNC = clv_model_survivors_final);
CREATE AGGREGATE pg_temp.merged_equity(bytea) (SFUNC = customer_equity_combine, STYPE = bytea,
  FINALFUNC = customer_equity_se_final);
CREATE TABLE known AS SELECT clv_model('nbd', '{"r": 1, "alpha": 9, "p": 2, "q": 3, "v": 4}'::jsonb,
  covariance => '{{1,0},{0,1}}', spend_covariance => '{{1,0,0},{0,1,0},{0,0,1}}') AS m;
CREATE TABLE state AS SELECT * FROM (VALUES
  ('customers', 'merged', 'clv_model_summary_trans', 'float8, float8, float8, float8', 'clv_model_final', '1, 2, 3, 4',
    (SELECT pg_temp.bytes(n, least(n, 5), 10 + n, n) FROM generate_series(0, 5) n)),
  ('survivors', 'merged_survivors', 'clv_model_survivors_trans', 'integer, bigint, text', 'clv_model_survivors_final',
    '6, 1::bigint, ''bdw''', (SELECT pg_temp.survivor_bytes(n, 100 - 7 * n, 'bdw') FROM generate_series(0, 5) n)),
  ('equity', 'merged_equity', 'customer_equity_se_summary_trans', 'clv_model, float8, float8, float8, float8',
    'customer_equity_se_final', '(SELECT m FROM known), 1, 2, 3, 4',
    (SELECT pg_temp.equity_bytes(m, n, n, 9, 20) FROM known, generate_series(1, 5) n))) v (kind, merged, sfunc,
    arguments, finalfunc, row, s);
CREATE FUNCTION pg_temp.damage(good bytea) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
  bad bytea := good;
  at integer;
BEGIN
  FOR i IN 0 .. floor(random() * 3)::integer LOOP
    -- often in the header, where sizes and kinds are
    at := floor(CASE WHEN random() < 0.5 THEN least(random() * 72, length(bad) - 1)
      ELSE random() * length(bad) END)::integer;
    CASE floor(random() * 6)::integer
      WHEN 0 THEN bad := set_bit(bad, at * 8 + floor(random() * 8)::integer, floor(random() * 2)::integer);
      WHEN 1 THEN bad := set_byte(bad, at, floor(random() * 256)::integer);
      WHEN 2 THEN bad := set_byte(bad, at, pg_temp.pick('{0,1,2,16,127,128,255}'::integer[]));
      WHEN 3 THEN bad := substr(bad, 1, at + 1);
      WHEN 4 THEN bad := substr(bad, 1, at / 4 * 4)
        || pg_temp.pick(ARRAY['\xffffffff', '\xffffff7f', '\x00000000', '\x00000080', '\x00000040',
          '\x000000000000f07f', '\x000000000000f8ff', '\x0000000000000080', '\xffffffffffffef7f',
          '\xffffffffffffff7f']::bytea[]) || substr(bad, at / 4 * 4 + 5);
      ELSE bad := bad || substr(good, 1, at);
    END CASE;
  END LOOP;
  RETURN bad;
END $$;
CREATE TABLE damaged AS SELECT state.*, n, pg_temp.damage(s) AS bad FROM state, generate_series(1, (3000 * :cases)::integer) n;
INSERT INTO damaged SELECT state.*, 0, substr(s, 1, n) FROM state, generate_series(0, 100) n;
-- as the state that others are added to, as one that is added, and alone
CREATE TABLE merge AS SELECT kind,
  pg_temp.outcome(format('SELECT count(r::text)
    FROM (SELECT pg_temp.%s(s ORDER BY o) AS r FROM (VALUES (1, %L::bytea), (2, %L)) v (o, s)) q', merged, CASE n % 3
    WHEN 1 THEN s ELSE bad END, CASE n % 3 WHEN 2 THEN s WHEN 1 THEN bad END)) AS o FROM damaged;
SELECT is(string_agg(DISTINCT o, E'\n') FILTER (WHERE o !~ '^([01]$|XX001 |22023 )'), NULL,
  format('damaged states of %s: %s of %s are noticed', kind, count(*) FILTER (WHERE o ~ '^XX001'), count(*))) FROM merge
  GROUP BY kind ORDER BY kind;
-- as the initial value of an aggregate
CREATE FUNCTION pg_temp.begin_with(d damaged) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
  EXECUTE format('CREATE AGGREGATE pg_temp.their(%s) (SFUNC = %s, STYPE = bytea, FINALFUNC = %s, INITCOND = %L)',
    d.arguments, d.sfunc, d.finalfunc, d.bad);
  r := pg_temp.outcome(format('SELECT count(r::text) FROM (SELECT pg_temp.their(%s) AS r) q', d.row));
  EXECUTE format('DROP AGGREGATE pg_temp.their(%s)', d.arguments);
  RETURN r;
END $$;
SELECT is(string_agg(DISTINCT o, E'\n') FILTER (WHERE o !~ '^([01]$|XX001 |22023 )'), NULL,
  format('and of %s to begin with: %s of %s', kind, count(*) FILTER (WHERE o ~ '^XX001'), count(*)))
  FROM (SELECT kind, pg_temp.begin_with(d) AS o FROM damaged d WHERE n % 10 = 0) q GROUP BY kind ORDER BY kind;

-- A table of customers that is full, though its header says that there is room: looking for a free place must end.
CREATE TABLE crammed AS SELECT s,
  substr(s, 1, 76) || (SELECT string_agg(decode(md5(n::text) || md5(n || 'x'), 'hex'), '' ORDER BY n)
  FROM generate_series(1, 16) n) || substr(s, 77 + 16 * 32) AS bad FROM state WHERE kind = 'customers';
SELECT matches(pg_temp.outcome(format('SELECT pg_temp.merged(s ORDER BY o)::text
    FROM (VALUES (1, %L::bytea), (2, %L)) v (o, s)', a, b)), '^XX001 ', 'a table without room, ' || title)
  FROM crammed, LATERAL (VALUES ('alone', bad, NULL), ('added', s, bad), ('added to', bad, s)) v (title, a, b);

-- Its parts refuse to be called.
SELECT is(string_agg(DISTINCT o, E'\n'), '0A000 this function is part of the aggregate clv_model and cannot be called',
  format('%s parts of clv_model, called by themselves', count(*)))
FROM (SELECT p.proname AS f, (SELECT string_agg('NULL::' || format_type(t, NULL), ', ') FROM unnest(p.proargtypes) t) AS
  a FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
  JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'retention'
      WHERE p.prokind = 'f' AND p.proname ~ '^clv_model_(.*_)?(trans|combine|final)$') p,
        LATERAL pg_temp.outcome(format('SELECT %s(%s)', f, a)) o;

-- What takes time ends when it is cancelled ---------------------------------------------------------------------------

CREATE TABLE crowd AS SELECT floor(30 * u * u) + 1 AS x, 1 + 300 * v AS t_x, 400 + n % 50 AS age, 10 + 50 * u AS z
  FROM (SELECT n, random() AS u, random() AS v FROM generate_series(1, 120000) n OFFSET 0) q;
CREATE TABLE crowd_state AS SELECT pg_temp.bytes(x, t_x, age, z) AS s FROM crowd;
CREATE FUNCTION pg_temp.cancelled(query text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE query;
  RETURN 'done';
EXCEPTION WHEN query_canceled THEN
  RETURN 'cancelled';
END $$;
SET LOCAL statement_timeout = '25ms';
SELECT is(pg_temp.cancelled('SELECT pg_temp.merged(s) FROM crowd_state'), 'cancelled',
  'a fit of 120,000 different customers');
SELECT is(pg_temp.cancelled('SELECT clv(x, t_x, age, z) OVER () FROM crowd'), 'cancelled', 'the same in a window');
SELECT is(pg_temp.cancelled($$SELECT
    clv_se(clv_model('bg_nbd', '{"r": 1, "alpha": 9, "a": 1, "b": 2, "p": 2, "q": 3, "v": 4}'::jsonb), 1, 2, 3, 4,
    '90000 days', step => '1 day')$$), 'cancelled', 'a value of 90,000 steps');
SELECT is(pg_temp.cancelled($$SELECT
    p_no_purchase(clv_model('bg_bb', '{"alpha": 1, "beta": 2, "gamma": 1, "delta": 2}'::jsonb), 0, 0, 0,
    '2000000 years')$$), 'cancelled', 'hundreds of millions of periods');
SET LOCAL statement_timeout = '300s';
SELECT * FROM finish();
ROLLBACK;
