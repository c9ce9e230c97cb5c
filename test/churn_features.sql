-- From rows to a churn model: what is a feature and what it becomes, NULLs, rare levels, weights, outcomes that are not
-- known; the same bytes whatever the order of rows, workers, groups, shared states and windows; scores that depend
-- neither on units nor on origins.
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

-- Customers: one column of each type that is a feature, some NULLs in "n" and "plan", and the same as numbers, by hand.
CREATE TYPE tier AS ENUM ('gold', 'basic', 'trial');
CREATE DOMAIN amount AS numeric CHECK (VALUE > -1e9);
CREATE DOMAIN rank AS tier;
CREATE TABLE customer AS
SELECT i AS id, CASE WHEN random() > 0.1 THEN random() < 1
  / (1 + exp(0.5 - 0.04 * a + 0.02 * b - CASE c WHEN 1 THEN 1.1 WHEN 2 THEN 0.4 ELSE 0 END - CASE WHEN d THEN 0.7
    ELSE 0 END - 0.3 * e)) END AS churned,
       a::smallint AS i2, (a - b)::integer AS i4, (b * 1e10)::bigint AS i8, e::real AS f4, (a * e)::float8 AS f8,
         round((b * e)::numeric, 3) AS num, d AS flag, (a * 0.5)::amount AS dom,
       (ARRAY['alpha', 'beta', 'été'])[c] AS t, ('v' || c)::varchar(9) AS vc, ('c' || c)::char(7) AS bp,
         ('n' || c)::name AS na, (ARRAY['x', 'y', 'z'])[c]::"char" AS ch,
         (ARRAY['gold', 'basic', 'trial'])[c]::tier AS en, (ARRAY['gold', 'basic', 'trial'])[c]::rank AS rk,
       CASE WHEN random() > 0.15 THEN e * 10 END AS n, CASE WHEN random() > 0.2
         THEN (ARRAY['monthly', 'yearly', 'zwei Jahre'])[c] END AS plan, c, floor(random() * 4)::integer AS w
FROM (SELECT i, floor(random() * 30)::integer AS a, floor(random() * 50)::integer AS b,
  1 + floor(random() ^ 2 * 3)::integer AS c, random() < 0.3 AS d, round(random()::numeric * 4 - 2, 2)::float8 AS e
  FROM generate_series(1, 3000) i) s;
ANALYZE customer;

-- Largest distance of two scores of the same row; a NULL on one side only is infinite.
CREATE FUNCTION pg_temp.distance(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE r float8;
BEGIN
  EXECUTE 'SELECT max(CASE WHEN a IS NULL AND b IS NULL THEN 0 WHEN a IS NULL OR b IS NULL THEN ''Infinity''
      ELSE abs(a - b) END) FROM (' || query || ') q' INTO r;
  RETURN r;
END $$;
CREATE FUNCTION pg_temp.near(query text, label text, within float8 DEFAULT 1e-12) RETURNS text LANGUAGE sql AS $$
  SELECT ok(d <= within, format('%s (%s)', label, d)) FROM pg_temp.distance(query) d;
$$;

-- What a column becomes -----------------------------------------------------------------------------------------------

SELECT pg_temp.near(format('SELECT churn_score(churned, ROW(%1$s, a)) OVER () AS a,
    churn_score(churned, ARRAY[%2$s, a]) OVER () AS b FROM (SELECT *, id %% 17 AS a FROM customer) c', col,
    col::text || cast_), 'a number is its value: ' || col)
FROM (VALUES ('i2', '::float8'), ('i4', ''), ('i8', ''), ('f4', '::float8'), ('f8', ''), ('num', '::float8'),
  ('dom', '::float8'), ('flag', '::integer')) v (col, cast_);
SELECT pg_temp.near(format('SELECT churn_score(churned, ROW(%1$s, f8)) OVER () AS a,
    churn_score(churned, ARRAY[(c = 2)::integer, (c = 3)::integer, f8]) OVER () AS b FROM customer', col),
  'a text is its levels but the most frequent: ' || col)
FROM unnest('{t,vc,bp,na,ch,en,rk}'::text[]) col;
SELECT is((SELECT string_agg(term, ' ' ORDER BY o)
    FROM churn_coefficients((SELECT churn_model(churned, r) FROM customer, LATERAL (SELECT i2, flag, t, bp, ch, rk) r))
    WITH ORDINALITY k (term, feature, level, mean, sd, coefficient_std, estimate, standard_error, sandwich_error, z,
    p_value, odds_ratio, o)),
          '(intercept) i2 flag t=beta t=été bp=c2 bp=c3 ch=y ch=z rk=basic rk=trial',
            'columns in the order of features, levels by bytes, none for the base');
SELECT is((SELECT array_agg(term) FROM churn_coefficients((SELECT churn_model(churned, ROW(i2, t)) FROM customer))),
  '{(intercept),f1,f2=beta,f2=été}', 'columns of an anonymous record');
SELECT is((SELECT array_agg(term) FROM churn_coefficients((SELECT churn_model(churned, ARRAY[i2, i4]) FROM customer))),
  '{(intercept),x1,x2}', 'elements of an array');
SELECT is((SELECT array_agg(term)
    FROM churn_coefficients((SELECT churn_model(churned, ARRAY[i2, i4], '{"names": ["tenure", "Ünit price"]}')
    FROM customer))), '{(intercept),tenure,"Ünit price"}', 'and their names');
SELECT is((SELECT array_agg(feature)
    FROM churn_importance((SELECT churn_model(churned, customer,
    '{"exclude": ["id", "churned", "w", "c", "t", "vc", "bp", "na", "ch", "en", "rk", "plan"]}') FROM customer)))
  @> '{i2,i4,i8,f4,f8,num,flag,dom,n}', true, 'a row of a table, less what is excluded');

-- Each of these takes part of a column that the other form calls something else, or nothing.
CREATE TABLE altered (gone text, churned boolean, x integer, also_gone date, t text);
INSERT INTO altered SELECT 'g', churned, i2, '2024-01-01', t FROM customer;
ALTER TABLE altered DROP COLUMN gone, DROP COLUMN also_gone;
ALTER TABLE altered ADD COLUMN later integer DEFAULT 7;
SELECT pg_temp.near('SELECT churn_score(churned, altered, ''{"exclude": ["churned"]}'') OVER () AS a,
    churn_score(churned, ROW(x, t)) OVER () AS b FROM altered',
  'dropped columns are none, added ones have their default');
SELECT is(churn_model(churned, ROW(x::float8, t))::text = churn_model(churned, ROW(x::bigint, t))::text, true,
  'the type of a number does not matter') FROM altered;
SELECT is(churn_model(churned, ARRAY[0.0::float8, x])::text, churn_model(churned, ARRAY['-0'::float8, x])::text,
  '-0 is 0') FROM altered;
SELECT is(churn_model(churned, ROW(t::char(20)))::text, churn_model(churned, ROW(t::char(5)))::text,
  'blanks at the end of character are padding') FROM altered;
SELECT isnt(churn_model(churned, ROW(t || CASE WHEN x > 9 THEN ' ' ELSE '' END))::text,
  churn_model(churned, ROW(t))::text, 'those of text are not') FROM altered;
SELECT is((SELECT array_agg(level ORDER BY level COLLATE "C")
    FROM churn_coefficients((SELECT churn_model(i % 3 = 0, ROW((ARRAY['a', '', '\377', 'a'])[1 + i % 4]::"char"))
    FROM generate_series(1, 2000) i)) WHERE level IS NOT NULL), ARRAY['', '\377'],
  'a "char" of no bytes, one of no letter');

-- Levels --------------------------------------------------------------------------------------------------------------

CREATE TABLE city AS SELECT i, i % 7 < 3 AS churned, CASE WHEN i <= 900 THEN 'big' || i % 3 WHEN i <= 909 THEN 'nine'
  WHEN i <= 919 THEN 'ten' ELSE 'town' || (i / 2) END AS name, i % 11 AS x FROM generate_series(1, 1000) i;
CREATE FUNCTION pg_temp.levels(options jsonb, size integer DEFAULT 1000) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(string_agg(level, ' ' ORDER BY o), 'none')
    FROM churn_coefficients((SELECT churn_model(churned, r, options) FROM city, LATERAL (SELECT name) r
      WHERE i <= size)) WITH ORDINALITY k (term, feature, level, mean, sd, coefficient_std, estimate, standard_error,
    sandwich_error, z, p_value, odds_ratio, o) WHERE o > 1;
$$;
SELECT is(pg_temp.levels('{}'), 'big1 big2 ten (other)',
  'a level of ten rows is kept, one of nine is pooled; of equals the first is the base');
SELECT is(pg_temp.levels('{"rare": 9}'), 'big1 big2 nine ten (other)', 'rare: 9');
SELECT is(pg_temp.levels('{"rare": 301}'), '(other)', 'the most frequent level is kept in any case');
SELECT is(pg_temp.levels('{"rare": 1}', 919), 'big1 big2 nine ten', 'nothing is pooled where nothing is rare');
SELECT is((SELECT array_agg(term)
    FROM churn_coefficients((SELECT churn_model(churned, r) FROM city, LATERAL (SELECT 'id ' || i AS id, x) r))),
  '{(intercept),x}', 'a name of each row is no feature');
SELECT is((SELECT count(*) FILTER (WHERE level LIKE 'l%') || ' ' || count(*) FILTER (WHERE level = '(other)') || ' '
    || count(DISTINCT level COLLATE "C")
    FROM churn_coefficients((SELECT churn_model(i % 3 = 0, ROW('l' || i % 1000), '{"rare": 2}')
    FROM generate_series(1, 4000) i))), '254 1 255', '255 levels are told apart, the rest is pooled');
WITH rows AS MATERIALIZED (SELECT l, g FROM generate_series(1, 400) l, generate_series(1, 2 + l / 4) g),
     k AS MATERIALIZED (SELECT level
       FROM churn_coefficients((SELECT churn_model((l + g) % 3 = 0, ROW(lpad(l::text, 4, '0')), '{"rare": 2}')
         FROM rows)) WHERE level <> '(other)')
SELECT is(min(level) || ' ' || max(level) || ' ' || count(*), '0144 0399 254',
  'the most frequent ones, of equals the first by bytes') FROM k;
SELECT is(churn_score(m, ROW('ten'::text)) = churn_score(m, ROW('nowhere'::text)), false, 'a level is not another one')
  FROM (SELECT churn_model(churned, ROW(name)) AS m FROM city) q;
SELECT is(churn_score(m, ROW('nine'::text)), churn_score(m, ROW('nowhere'::text)),
  'what training has not met is pooled too') FROM (SELECT churn_model(churned, ROW(name)) AS m FROM city) q;

-- NULLs ---------------------------------------------------------------------------------------------------------------

SELECT pg_temp.near('SELECT churn_score(churned, ARRAY[n, i4]) OVER () AS a,
    churn_score(churned, ARRAY[coalesce(n, m), (n IS NULL)::integer, i4]) OVER () AS b
    FROM customer, (SELECT avg(n) AS m FROM customer WHERE churned IS NOT NULL) q',
  'a NULL is the mean of the others and an indicator');
SELECT pg_temp.near('SELECT churn_score(churned, ARRAY[n, i4]) OVER () AS a,
    churn_score(churned, ROW(n, i4)) OVER () AS b FROM customer', 'in records as in arrays', 0);
SELECT pg_temp.near('SELECT churn_score(churned, ROW(plan, i4)) OVER () AS a,
    churn_score(churned, ARRAY[coalesce((plan = ''yearly'')::integer, 0), coalesce((plan = ''zwei Jahre'')::integer, 0),
    (plan IS NULL)::integer, i4]) OVER () AS b FROM customer', 'a NULL text is a level');
SELECT pg_temp.near('SELECT churn_score(churned, ROW(nullif(flag, id % 3 = 0), i4)) OVER () AS a,
    churn_score(churned, ARRAY[coalesce(nullif(flag, id % 3 = 0)::integer, m),
    (nullif(flag, id % 3 = 0) IS NULL)::integer, i4]) OVER () AS b
    FROM customer, (SELECT avg(nullif(flag, id % 3 = 0)::integer) AS m FROM customer WHERE churned IS NOT NULL) q',
  'so is a NULL boolean, of the mean');
SELECT is(churn_model(churned, ROW(n, plan, i4), '{"missing": "skip"}')::text = churn_model(churned, ROW(n, plan, i4),
    '{"missing": "skip"}') FILTER (WHERE n IS NOT NULL AND plan IS NOT NULL)::text, false, 'skipped rows are counted')
  FROM customer;
SELECT is((SELECT (skipped, unlabelled, s.n, positives, converged)::text
    FROM churn_summary((SELECT churn_model(churned, ROW(n, plan, i4), '{"missing": "skip"}') FROM customer)) s),
          (SELECT (count(*) FILTER (WHERE churned IS NOT NULL AND (n IS NULL OR plan IS NULL)),
            count(*) FILTER (WHERE churned IS NULL),
            count(*) FILTER (WHERE churned IS NOT NULL AND n IS NOT NULL AND plan IS NOT NULL),
            count(*) FILTER (WHERE churned AND n IS NOT NULL AND plan IS NOT NULL), true)::text FROM customer),
            'by why they do not train');
SELECT pg_temp.near('SELECT churn_score(churned, ROW(n, plan, i4), ''{"missing": "skip"}'') OVER () AS a,
    CASE WHEN n IS NOT NULL AND plan IS NOT NULL THEN churn_score(m, ROW(n, plan, i4)) END AS b
    FROM customer, (SELECT churn_model(churned, ROW(n, plan, i4)) AS m FROM customer
    WHERE n IS NOT NULL AND plan IS NOT NULL) q', 'skip: as if they were not there, and have no score', 0);
SELECT is(pg_temp.outcome('SELECT churn_model(churned, ROW(i4, n), ''{"missing": "error"}'') FROM customer'),
  '22004 feature "f2" is NULL', 'error: an error');
SELECT is(pg_temp.outcome('SELECT max(churn_score(churned, ROW(i4, n), ''{"missing": "error"}'') OVER ())
    FROM customer'), '42803 aggregate function calls cannot contain window function calls',
  'nonsense is the parser''s');
SELECT is(pg_temp.outcome('SELECT churn_score(churned, ROW(i4, n), ''{"missing": "error"}'') OVER () FROM customer
    LIMIT 1'), '22004 feature "f2" is NULL', 'also in a window');
SELECT is((SELECT (s.n, skipped, unlabelled)::text
    FROM churn_summary((SELECT churn_model(churned, CASE WHEN id % 5 > 0 THEN ARRAY[i4] END) FROM customer)) s),
  (SELECT (count(*) FILTER (WHERE churned IS NOT NULL AND id % 5 > 0),
    count(*) FILTER (WHERE churned IS NOT NULL AND id % 5 = 0), count(*) FILTER (WHERE churned IS NULL))::text
    FROM customer), 'no features at all: skipped');
SELECT is(count(*) FILTER (WHERE (s IS NULL) <> (id % 5 = 0)), 0::bigint, 'and no score')
  FROM (SELECT id, churn_score(churned, CASE WHEN id % 5 > 0 THEN ROW(i4, t) END) OVER () AS s FROM customer) q;
SELECT is((SELECT (converged, columns)::text
    FROM churn_summary((SELECT churn_model(churned, ROW(NULL::float8, NULL::text, NULL::boolean, i4)) FROM customer))),
  '(t,6)', 'columns of nothing but NULLs are constant');
SELECT pg_temp.near('SELECT churn_score(churned, ROW(NULL::float8, NULL::text, NULL::boolean, i4)) OVER () AS a,
    churn_score(churned, ROW(i4)) OVER () AS b FROM customer', 'and change nothing');
-- Where no level is told from others, their being NULL still is.
SELECT pg_temp.near('SELECT churn_score(churned, ROW(CASE WHEN c > 1 THEN ''mail '' || id END, i4)) OVER () AS a,
    churn_score(churned, ARRAY[(c = 1)::integer, i4]) OVER () AS b FROM customer', 'known or not');
SELECT lives_ok('SELECT churn_model(churned, ARRAY[CASE WHEN churned IS NULL THEN ''NaN''::float8 ELSE i4 END])
    FROM customer', 'features of rows without an outcome are not looked at');
SELECT is(pg_temp.outcome('SELECT
    churn_score(churned, ARRAY[CASE WHEN churned IS NULL THEN ''NaN''::float8 ELSE i4 END]) OVER () FROM customer'),
  '22023 feature "x1" is NaN', 'unless they are to be scored');

-- Weights -------------------------------------------------------------------------------------------------------------

CREATE TABLE repeated AS SELECT c.* FROM customer c, generate_series(1, w);
SELECT pg_temp.near('SELECT churn_score(a.m, ROW(n, plan, i4)) AS a, churn_score(b.m, ROW(n, plan, i4)) AS b
    FROM customer, (SELECT churn_model(churned, ROW(n, plan, i4), w, ''{"rare": 1}'') AS m FROM customer) a,
    (SELECT churn_model(churned, ROW(n, plan, i4), ''{"rare": 1}'') AS m FROM repeated) b', 'a weight is so many rows');
SELECT is((SELECT (s.weight, s.n, skipped)::text
    FROM churn_summary((SELECT churn_model(churned, ARRAY[i4], w) FROM customer)) s),
  (SELECT (count(*)::float8, count(DISTINCT id),
    (SELECT count(*) FROM customer WHERE churned IS NOT NULL AND w = 0))::text FROM repeated WHERE churned IS NOT NULL),
  'weight 0: skipped');
SELECT is(churn_model(churned, ARRAY[i4], nullif(w, 0))::text, churn_model(churned, ARRAY[i4], w)::text, 'as is NULL')
  FROM customer;
SELECT is(churn_model(churned, ROW(i4, t), 1)::text, churn_model(churned, ROW(i4, t))::text, 'weight 1 is none')
  FROM customer;
SELECT pg_temp.near('SELECT churn_score(a.m, ROW(i4, t)) AS a, churn_score(b.m, ROW(i4, t)) AS b
    FROM customer, (SELECT churn_model(churned, ROW(i4, t), w * 0.001, ''{"lambda": 0.01}'') AS m FROM customer) a,
    (SELECT churn_model(churned, ROW(i4, t), w, ''{"lambda": 10}'') AS m FROM customer) b',
  'weights have no unit but that of lambda');
SELECT is(pg_temp.outcome(format('SELECT churn_model(churned, ARRAY[i4], CASE WHEN id = 77 THEN %s ELSE 1 END)
    FROM customer WHERE churned IS NOT NULL OR id = 77', w)), CASE WHEN (SELECT churned IS NULL FROM customer
    WHERE id = 77) THEN pg_temp.outcome('SELECT churn_model(churned, ARRAY[i4], 1) FROM customer
    WHERE churned IS NOT NULL OR id = 77') ELSE '22023 weight ' || said || ' is not a number of rows' END,
  'weight ' || w)
FROM (VALUES ('-1', '-1'), ('''NaN''::float8', 'NaN'), ('''Infinity''::float8', 'Infinity'), ('-1e-300', '-1e-300'))
  v (w, said);
SELECT is(pg_temp.outcome('SELECT churn_model(churned, ARRAY[i4], 1e308) FROM customer'),
  '22003 the sum of the weights is out of range', 'weights beyond all measure');

-- The same bytes ------------------------------------------------------------------------------------------------------

CREATE TABLE form (o serial, call text, answer text, grouped text);
INSERT INTO form (call) VALUES ('churn_model(churned, ARRAY[i4, f8, n])'),
  ('churn_model(churned, ARRAY[i4, f8, n], ''{"lambda": 0}''::jsonb)'),
  ('churn_model(churned, ARRAY[i4, f8, n], ''{"method": "boost", "trees": 5}''::text)'),
  ('churn_model(churned, ARRAY[i4, f8, n], f4 + 2)'),
  ('churn_model(churned, ARRAY[i4, flag::integer], f4 + 2, ''{"lambda": 5}'')'),
  ('churn_model(churned, ROW(i4, t, plan, n))'),
    ('churn_model(churned, ROW(i4, t, plan, n, ''c'' || id % 400), ''{"missing": "skip", "rare": 2}''::jsonb)'),
    ('churn_model(churned, ROW(i4, en, flag), ''{"method": "boost", "trees": 5}''::text)'),
    ('churn_model(churned, ROW(t, flag), w)'),
    ('churn_model(churned, ROW(i4, t, plan, n), w, ''{"method": "boost", "trees": 5}'')'),
  ('churn_model(churned, ROW(flag, en))'), ('churn_model(churned, ''{}''::float8[])'),
    ('churn_model(churned, ARRAY[i4], jsonb_build_object(''lambda'', 2))');
DO $$
DECLARE f record;
BEGIN
  FOR f IN SELECT * FROM form LOOP
    EXECUTE format('UPDATE form SET answer = (SELECT %1$s::text FROM (SELECT * FROM customer ORDER BY id) c),
        grouped = (SELECT string_agg(g || m, '' '' ORDER BY g)
        FROM (SELECT i2 AS g, %1$s::text AS m FROM (SELECT * FROM customer ORDER BY id DESC) c GROUP BY i2) q)
        WHERE o = %2$s', f.call, f.o);
  END LOOP;
END $$;
SELECT is((SELECT count(DISTINCT answer) FROM form WHERE answer::churn_model IS NOT NULL), 13::bigint,
  'thirteen forms, thirteen models');
SELECT is(pg_temp.outcome(format('SELECT %s::text FROM (SELECT * FROM customer ORDER BY random()) c', call)), answer,
  'in any order of rows: ' || call) FROM form;
SELECT is(pg_temp.outcome(format('SELECT %s::text FROM (SELECT * FROM customer ORDER BY f4, id) c', call)), answer,
  'in an order of the rows: ' || call) FROM form;
SELECT is(pg_temp.outcome(format('SELECT string_agg(g || m, '' '' ORDER BY g)
    FROM (SELECT i2 AS g, %s::text AS m FROM (SELECT * FROM customer ORDER BY random()) c GROUP BY i2) q', call)),
  grouped, 'grouped, by hash or sort: ' || call) FROM form;
SELECT is(pg_temp.outcome(format('SELECT (SELECT m
    FROM (SELECT i2 AS g, %1$s::text AS m FROM customer GROUP BY GROUPING SETS ((i2), ())) q WHERE g IS NULL)', call)),
  answer, 'a grouping set: ' || call) FROM form;
SELECT is(pg_temp.outcome(format('SELECT m
    FROM (SELECT id, %1$s OVER (ORDER BY id)::text AS m FROM (SELECT * FROM customer WHERE id > 2900) c) q
    ORDER BY id DESC LIMIT 1', call)), pg_temp.outcome(format('SELECT %s::text FROM customer WHERE id > 2900', call)),
  'at the end of a running window: ' || call) FROM form;
SELECT is(pg_temp.outcome(format('SELECT count(*)
    FROM (SELECT id, %1$s OVER (ORDER BY id ROWS 40 PRECEDING)::text AS m FROM customer WHERE id <= 150) a
    WHERE a.m IS DISTINCT FROM (SELECT %1$s::text FROM customer c WHERE c.id BETWEEN a.id - 40 AND a.id)', call)), '0',
  'in a moving window: ' || call) FROM form WHERE o IN (1, 6, 10);
SELECT is((SELECT (a::text = b::text, (to_jsonb(s) - 'x')::text = (to_jsonb(t) - 'x')::text)::text
    FROM (SELECT churn_model(churned, ROW(i4, t)) AS a, churn_model(churned, ROW(i4, t)) AS b FROM customer) q,
    churn_summary(a) s, churn_summary(b) t), '(t,t)', 'two aggregates share a state');
SELECT is(pg_temp.outcome('SELECT churn_model(DISTINCT churned, ARRAY[i4, i2])::text FROM customer'),
  pg_temp.outcome('SELECT churn_model(churned, ARRAY[i4, i2])::text
    FROM (SELECT DISTINCT churned, i4, i2 FROM customer) q'), 'DISTINCT');

-- Scans in workers: rows come as they come.  Large samples are spread over buckets.
CREATE TABLE large WITH (parallel_workers = 3) AS
  SELECT i, (i * 7919 % 1000 < 300 + i % 13 * 20 - f[2] * 10) AS churned, f, 'l' || i % 40 AS t
  FROM (SELECT i, ARRAY(SELECT (i::bigint * (j * 97 + 31) % (1009 + j))::float8 / (j + 1)
    FROM generate_series(1, 20) j) AS f FROM generate_series(1, 90000) i) s;
ANALYZE large;
CREATE TABLE answer AS SELECT churn_model(churned, f)::text AS f, churn_model(churned, ROW(f[1], f[2], t))::text AS r,
  churn_model(churned, ROW(f[1] > 300, t), '{"method": "boost", "trees": 3}')::text AS b FROM large;
SELECT results_eq('SELECT churn_model(churned, f)::text, churn_model(churned, ROW(f[1], f[2], t))::text,
    churn_model(churned, ROW(f[1] > 300, t), ''{"method": "boost", "trees": 3}'')::text
    FROM (SELECT * FROM large ORDER BY hashint4(i)) q', 'TABLE answer', 'large samples in another order');
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 3; SET parallel_leader_participation = off;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text := ''; l text;
BEGIN
  FOR l IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP r := r || l || E'\n'; END LOOP;
  RETURN r;
END $$;
SELECT ok(pg_temp.plan_of('SELECT churn_model(churned, f) FROM large') ~ 'Aggregate\n.*Gather\n.*Parallel Seq Scan',
  'the scan below is parallel');
SELECT results_eq('SELECT churn_model(churned, f)::text, churn_model(churned, ROW(f[1], f[2], t))::text,
    churn_model(churned, ROW(f[1] > 300, t), ''{"method": "boost", "trees": 3}'')::text FROM large', 'TABLE answer',
  'and gives the same bytes');
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
SET max_parallel_workers_per_gather = 0; RESET parallel_leader_participation;

-- Groups --------------------------------------------------------------------------------------------------------------

SELECT is(string_agg(features || ':' || lambda, ' ' ORDER BY g), '1:0 2:1 3:2 4:3',
  'groups of other lengths and other options')
  FROM (SELECT id % 4 AS g, churn_model(churned, (ARRAY[i2, i4, f8, n])[:1 + id % 4],
    jsonb_build_object('lambda', id % 4)) AS m FROM customer GROUP BY id % 4) q, churn_summary(m);
SELECT is(string_agg(columns::text, ' ' ORDER BY g), '2 3', 'and of other types of record')
  FROM (SELECT id % 2 AS g, churn_model(churned, CASE id % 2 WHEN 0 THEN ROW(i2, i4) ELSE ROW(t, i4) END) AS m
  FROM customer GROUP BY id % 2) q, churn_summary(m);
SELECT is((SELECT count(*) FROM (SELECT churn_model(churned, ROW(i4)) AS m FROM customer WHERE false) q
    WHERE m IS NULL), 1::bigint, 'no rows, no model');
SELECT is((SELECT string_agg(status || ' ' || (churn_score(m, ARRAY[1.0]) IS NULL), ', ' ORDER BY g)
    FROM (SELECT g, churn_model(CASE g WHEN 1 THEN NULL WHEN 2 THEN true WHEN 3 THEN false WHEN 4 THEN i = 1 WHEN 5
    THEN i > 4 WHEN 6 THEN i % 2 = 0 END, ARRAY[CASE g WHEN 6 THEN i / 2 ELSE i END], CASE WHEN g > 4
    THEN '{"lambda": 0}' END::jsonb) AS m FROM generate_series(1, 6) g, generate_series(1, 8) i GROUP BY g) q,
    churn_summary(m)),
          'no_labels true, one_class true, one_class true, converged false, separation false, converged false',
            'what is wrong with a group is its own');
SELECT is((SELECT status FROM churn_summary((SELECT churn_model(i % 2 = 0,
    ARRAY(SELECT sin(i * j) FROM generate_series(1, 30) j)) FROM generate_series(1, 20) i))), 'few_rows',
  'more columns than rows');
SELECT is((SELECT status || ' ' || s.n
    FROM churn_summary((SELECT churn_model(i % 3 = 0, ARRAY[i % 7, 2 * (i % 7), i % 5], '{"lambda": 0}')
    FROM generate_series(1, 99) i)) s), 'dependent_columns 99', 'columns that depend on others');
SET work_mem = '4MB'; SET hash_mem_multiplier = 1; SET enable_sort = off;
SELECT is(format('%s %s %s', count(*), count(m), bool_and(m IS NOT NULL)),
  format('%s %1$s t', (400000 * :cases)::integer), 'hundreds of thousands of groups of one row')
  FROM (SELECT churn_model(true, ARRAY[i, 1]) AS m FROM generate_series(1, (400000 * :cases)::integer) i GROUP BY i) q;
RESET work_mem; RESET hash_mem_multiplier; RESET enable_sort;

-- Windows -------------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.windows(features text, options text) RETURNS SETOF text LANGUAGE sql AS $f$
  SELECT pg_temp.near(format('SELECT churn_score(churned, %1$s, %2$L) OVER (PARTITION BY c) AS a,
      churn_score(m, %1$s) AS b FROM customer
      JOIN (SELECT c, churn_model(churned, %1$s, %2$L::jsonb) AS m FROM customer GROUP BY c) q USING (c)', features,
      options), format('a window scores as the model does: %s, %s', features, options), 0)
  UNION ALL SELECT pg_temp.near(format('SELECT churn_score(churned, %1$s, %2$L) OVER (PARTITION BY c) AS a,
      churn_score(churned, %1$s, %2$L) OVER (PARTITION BY c ORDER BY f8 ROWS 3 PRECEDING) AS b FROM customer', features,
      options), 'whatever its order and frame', 0);
$f$;
SELECT pg_temp.windows(f, o) FROM (VALUES ('ARRAY[i4, n]', NULL), ('ARRAY[i4, n]', '{"method": "boost", "trees": 10}'),
  ('ROW(i4, t, plan, n, flag)', '{}'), ('ROW(i4, plan, n)', '{"missing": "skip"}'),
  ('ROW(i4, en)', '{"method": "boost", "trees": 10}')) v (f, o);
SELECT is((SELECT string_agg(k || ' ' || s, ', ' ORDER BY k)
    FROM (SELECT id % 3 AS k, count(s) AS s
    FROM (SELECT id, churn_score(CASE WHEN id % 3 = 0 THEN NULL WHEN id % 3 = 1 THEN true ELSE churned END, ROW(i4, t))
    OVER (PARTITION BY id % 3) AS s FROM customer) q GROUP BY id % 3) p), '0 0, 1 0, 2 1000',
  'a partition that cannot be fitted has no scores');
SELECT is(pg_temp.outcome('SELECT count(s)
    FROM (SELECT churn_score(churned, ARRAY[i4], jsonb_build_object(''lambda'', id % 2)) OVER () AS s
    FROM customer) q'), '22023 options must be the same in all rows of a partition', 'options of a partition are one');
SELECT is(pg_temp.outcome('SELECT count(s)
    FROM (SELECT churn_score(churned, ARRAY[i4], jsonb_build_object(''lambda'', id % 2)) OVER (PARTITION BY id % 2) AS s
    FROM customer) q'), '3000', 'each may have its own');
SELECT is(pg_temp.outcome('SELECT count(*)
    FROM (SELECT churn_score(NULL::boolean, ARRAY[i4]) OVER () AS s FROM customer) q WHERE s IS NULL'), '3000',
  'nobody has an outcome');
SELECT is(count(*), 0::bigint, 'a window over nothing')
  FROM (SELECT churn_score(churned, ARRAY[i4]) OVER () FROM customer WHERE false) q;

-- Neither units nor origins -------------------------------------------------------------------------------------------

SELECT pg_temp.near(format('SELECT churn_score(churned, ARRAY[i4, f8, n], %1$L) OVER () AS a,
    churn_score(churned, ARRAY[%2$s], %1$L) OVER () AS b FROM customer', o, f), format('%s: %s', o, f), 1e-9)
FROM unnest(ARRAY['{}', '{"lambda": 0}', '{"lambda": 100}', '{"method": "boost", "trees": 20}']) o,
  unnest(ARRAY['i4 + 1000000, f8 - 12345, n + 777', 'i4 * 1e-6, f8 * 1e9, n * 3.7', '-i4, f8 * -1e-3 + 5, 32 + n * 1.8',
    'n, i4, f8']) f WHERE o NOT LIKE '%boost%' OR f NOT LIKE '%-%';
SELECT pg_temp.near('SELECT churn_score(churned, ARRAY[i4, n]) OVER () AS a,
    churn_score(churned, ARRAY[i4, n, 42]) OVER () AS b FROM customer', 'a constant column changes nothing', 1e-9);
SELECT pg_temp.near('SELECT churn_score(churned, ROW(i4, flag)) OVER () AS a,
    churn_score(churned, ROW(i4, NOT flag)) OVER () AS b FROM customer', 'nor does the sense of a boolean', 1e-9);

-- Of more rows than those by which trees cut columns, the same ones are looked at.
CREATE TABLE many AS SELECT random() < 0.2 + 0.5 * a AS y, a, b
  FROM (SELECT random() AS a, random() ^ 3 AS b FROM generate_series(1, 270000)) r;
SELECT pg_temp.near('SELECT churn_score(m, ARRAY[a, b]) AS a, churn_score(n, ARRAY[32 + 1.8 * a, 1000 * b]) AS b
    FROM many, (SELECT churn_model(y, ARRAY[a, b], o) AS m, churn_model(y, ARRAY[32 + 1.8 * a, 1000 * b], o) AS n
    FROM many, (VALUES (''{"method": "boost", "trees": 5, "lambda": 0}''::jsonb)) v (o)) q',
  'many rows: trees know no units', 1e-9);
DROP TABLE many;

-- Sums that would overflow --------------------------------------------------------------------------------------------

SELECT ok(bool_and(a < 0.5 AND b > 0.5 AND c < 0.5 AND d > 0.5), 'means of huge numbers are numbers')
FROM (SELECT churn_score(y, ARRAY[x * 8e305], '{"method": "boost", "min_leaf": 1}') OVER (ORDER BY x) AS a,
  churn_score(NOT y, ARRAY[x * 8e305], '{"method": "boost", "min_leaf": 1}') OVER (ORDER BY x) AS b,
        churn_score(y, ARRAY[CASE WHEN x % 7 > 0 THEN x * 8e305 END]) OVER () AS c,
          churn_score(NOT y, ARRAY[CASE WHEN x % 7 > 0 THEN x * 8e305 END]) OVER () AS d, x
      FROM (SELECT x, x % 9 + x / 100 > 8 AS y FROM generate_series(1, 200) x) r) q WHERE x = 3;
SELECT is(pg_temp.outcome('SELECT churn_model(x > 5, ARRAY[x], CASE x WHEN 1 THEN 1e300 ELSE 1e-300 END)
    FROM generate_series(1, 9) x'), '22003 the weights of rows of one outcome are nothing beside those of the other',
  'weights that leave one outcome');
SELECT is(pg_temp.outcome('SELECT churn_model(x > 5, ARRAY[x], CASE x WHEN 8 THEN 1e20 ELSE 1 END)
    FROM generate_series(1, 9) x'), '22003 the weights of rows of one outcome are nothing beside those of the other',
  'the other one');

-- A type that is altered while a call site knows it -------------------------------------------------------------------

CREATE TABLE shape (a float8, b integer, t text);
INSERT INTO shape VALUES (3, 4, 'beta');
CREATE FUNCTION pg_temp.altered(m churn_model) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  r shape;
  p float8;
  said text := '';
BEGIN
  FOR i IN 1 .. 4 LOOP
    SELECT * INTO r FROM shape;
    BEGIN
      p := churn_score(m, r);
      said := said || ' ' || (p = (SELECT churn_score(m, x)
          FROM (SELECT 3 AS a, CASE WHEN i > 2 THEN 7 ELSE 4 END AS b) x));
    EXCEPTION WHEN OTHERS THEN said := said || ' ' || SQLSTATE;
    END;
    CASE i WHEN 1 THEN EXECUTE 'ALTER TABLE shape DROP COLUMN a, ADD COLUMN c text DEFAULT repeat(''x'', 50), ADD '
      'COLUMN a float8 DEFAULT 3';
      WHEN 2 THEN EXECUTE 'ALTER TABLE shape DROP COLUMN b, ADD COLUMN b numeric DEFAULT 7';
      ELSE EXECUTE 'ALTER TABLE shape ALTER COLUMN b TYPE text USING b::text'; END CASE;
  END LOOP;
  RETURN ltrim(said);
END $$;
SELECT is(pg_temp.altered(m), 'true true true 42804', 'it is read as it is then')
  FROM (SELECT churn_model(churned, q) AS m FROM customer, LATERAL (SELECT f8 AS a, i4 AS b) q) c;

-- Levels in the order of another encoding -----------------------------------------------------------------------------

CREATE TABLE signed AS
SELECT m, translate(encode('\x0100' || substr(sha256(substr(b, 19)), 1, 16) || substr(b, 19), 'base64'), E'\n',
  '')::churn_model AS other
FROM (SELECT m, decode(replace(replace(replace(encode(churn_model_send(m), 'hex'), '05616c706861', '05ffffffffff'),
    '0462657461', '047a657461'), '05ffffffffff', '05616c706861'), 'hex') AS b
  FROM (SELECT churn_model(churned, q) AS m
    FROM customer, LATERAL (SELECT (ARRAY['x', 'x', 'alpha', 'beta', 'gamma'])[1 + id % 5] AS t) q) m) s;
SELECT is(string_agg((churn_score(m, a) = churn_score(other, b))::text, ' '), 'true true true true',
  'are found all the same')
FROM signed, unnest(ARRAY['x', 'alpha', 'beta', 'gamma'], ARRAY['x', 'alpha', 'zeta', 'gamma']) v (x, y),
  LATERAL (SELECT x AS t) a, LATERAL (SELECT y AS t) b;
SELECT is((SELECT string_agg(level, ' ') FROM churn_coefficients(other)), 'alpha zeta gamma', 'in the order of the fit')
  FROM signed;

-- What is no feature --------------------------------------------------------------------------------------------------

SELECT is(pg_temp.outcome(format('SELECT churn_model(churned, ROW(i4, %s)) FROM customer', v)),
  format('%s feature "f2" %s', code, said), v)
FROM (VALUES ('current_date', '42804', 'is of type date'), ('now()', '42804', 'is of type timestamp with time zone'),
  ('localtimestamp', '42804', 'is of type timestamp without time zone'),
  ('interval ''1 day''', '42804', 'is of type interval'), ('localtime', '42804', 'is of type time without time zone'),
  ('''{}''::jsonb', '42804', 'is of type jsonb'), ('1::money', '42804', 'is of type money'),
    ('gen_random_uuid()', '42804', 'is of type uuid'), ('ARRAY[1]', '42804', 'is of type integer[]'),
    ('ROW(1)', '42804', 'is of type record'), ('1::oid', '42804', 'is of type oid'),
  ('''NaN''::float8', '22023', 'is NaN'), ('''-Infinity''::real', '22023', 'is -Infinity'),
    ('''NaN''::numeric', '22023', 'is NaN'), ('''Infinity''::numeric', '22023', 'is Infinity'),
    ('1e309::numeric', '22023', 'is ' || rpad('1', 40, '0') || '...')) o (v, code, said);
SELECT is(pg_temp.outcome(q), said, said) FROM (VALUES
  ('SELECT churn_model(churned, ARRAY[i4, ''Infinity''::float8]) FROM customer', '22023 feature "x2" is Infinity'),
  ('SELECT churn_model(churned, ARRAY[i4, ''NaN''::float8], ''{"names": ["a", "tenure"]}'') FROM customer',
    '22023 feature "tenure" is NaN'),
  ('SELECT churn_model(churned, ARRAY[[i4], [i2]]) FROM customer',
    '2202E features must be an array of one dimension, not of 2'),
  ('SELECT churn_model(churned, CASE WHEN id < 1000 THEN ROW(i4) ELSE ROW(t) END) FROM customer',
    '42804 features must be records of one type'),
  ('SELECT churn_model(churned, array_fill(1.0::float8, ARRAY[1601])) FROM customer',
    '54000 1601 features are too many'),
  ('SELECT churn_model(churned, ARRAY[i4, i2], ''{"names": ["a"]}'') FROM customer',
    '22023 option "names" has length 1, and features have length 2'),
  ('SELECT churn_model(churned, ROW(i4), ''{"names": ["a"]}'') FROM customer',
    '22023 option "names" is for arrays, and features are a record'),
  ('SELECT churn_model(churned, ARRAY[i4], ''{"exclude": ["x1"]}'') FROM customer',
    '22023 option "exclude" is for records, and features are an array'),
  ('SELECT churn_model(churned, ROW(i4), ''{"exclude": ["i4"]}'') FROM customer',
    '42703 option "exclude" names "i4", which is no column of the features'),
  ('SELECT churn_model(churned, q) FROM (SELECT churned, i4 AS a, i2 AS a FROM customer) q',
    '42701 two features are named "a"'),
  ('SELECT churn_model(churned, ARRAY[i4], jsonb_build_object(''lambda'', id)) FROM customer',
    '22023 options must be the same in all rows of churn_model'),
  ('SELECT churn_score(m, ROW(i4))
    FROM customer, (SELECT churn_model(churned, q) AS m FROM customer, LATERAL (SELECT i4) q) q LIMIT 1',
    '42703 features have no column "i4"'),
  ('SELECT churn_score(m, r) FROM (SELECT t AS i4 FROM customer) r,
    (SELECT churn_model(churned, q) AS m FROM customer, LATERAL (SELECT i4) q) q LIMIT 1',
    '42804 feature "i4" is a text, but was a number when the model was fitted'),
  ('SELECT churn_score(m, ARRAY[1.0])
    FROM (SELECT churn_model(churned, q) AS m FROM customer, LATERAL (SELECT i4) q) q',
    '42804 the model was fitted to records, and features are an array'),
  ('SELECT churn_score(m, ARRAY[1.0]) FROM (SELECT churn_model(churned, ARRAY[i4, i2]) AS m FROM customer) q',
    '2202E features have length 1, not 2 as others')) v (q, said);
SELECT throws_matching('SELECT churn_model(churned, (ARRAY[i4, i2])[:1 + id % 2]) FROM customer',
  'features have length [12], not [12] as others', 'arrays of two lengths');
SELECT ok(pg_temp.outcome('SELECT churn_model(l % 2 = 0, r, ''{"rare": 2}'')
    FROM generate_series(1, 8000) l, LATERAL (SELECT '
    || (SELECT string_agg(format('(l %% %s)::text AS t%s', 250 + j, j), ', ') FROM generate_series(1, 20) j) || ') r') ~
  '^54000 the features have \d+ columns', 'too many columns');

SELECT * FROM finish();
ROLLBACK;
