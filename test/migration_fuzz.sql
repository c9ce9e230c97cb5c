-- migration_matrix, damaged: some 40,000 mutated values through the input functions, as text and in binary.  Each must
-- be refused with the one error there is for it, or be a value of which everything can be asked without contradiction.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
\ir oracle/fuzz.psql
SELECT diag('seed ' || :'seed');
SET TimeZone = 'UTC';

-- Good values: plain, with amounts of every form, declared, given, of a panel -----------------------------------------

CREATE TABLE base (o serial PRIMARY KEY, m migration_matrix, b bytea, t text, n integer);
INSERT INTO base (m) SELECT migration_matrix('a', 'b') WHERE false;
INSERT INTO base (m) SELECT migration_matrix(f, t, v)
  FROM (VALUES ('a', 'b', 1.5), (NULL, 'a', -0.00), ('c', NULL, 1e30), ('b', 'b', NULL),
  ('10', '9', 0.0000000000000000001), ('é', 'a', 2305843009213693951), ('é', 'é', -2305843009213693952)) v (f, t, v);
INSERT INTO base (m) SELECT migration_matrix(f, t, v) FROM (VALUES ('a', 'b', -1e60)) v (f, t, v);
INSERT INTO base (m) SELECT migration_matrix(a % k, a * a % k, CASE WHEN k % 2 = 0 THEN a * 0.01 END)
  FROM unnest('{1,2,3,10,60}'::integer[]) k, generate_series(1, k * 3) a GROUP BY k;
INSERT INTO base (m) SELECT migration_matrix('s' || a % k, 's' || a * a % k, a,
  (SELECT array_agg('s' || x ORDER BY x DESC) FROM generate_series(0, k) x)) FROM unnest('{1,2,3,10}'::integer[]) k,
  generate_series(1, k * 3) a GROUP BY k;
INSERT INTO base (m) VALUES (migration_matrix(ARRAY['a'], ARRAY[1.0])),
  (migration_matrix(ARRAY['a', 'b'], ARRAY[0.25, 0.75, 0.1, 0.9])),
  (migration_matrix(ARRAY['x', 'y', 'z'], ARRAY[1, 0, 0, 0, 1, 0, 0.3, 0.3, 0.4])),
  (migration_matrix(ARRAY['a', 'b'], ARRAY[300, 70000, 9000000000, 0]));
-- months 2023-12 to 2024-02, states a and b, byte by byte
INSERT INTO base (m) SELECT encode('\x01040201610162040007000101000000030005c00400040000010002000200020002000200020000',
  'base64')::migration_matrix;
INSERT INTO base (m) SELECT m + m + m FROM base WHERE m::jsonb ? 'period';
UPDATE base SET b = migration_matrix_send(m), t = m::text, n = (SELECT count(*) FROM base);
ANALYZE base;

-- Mutations -----------------------------------------------------------------------------------------------------------

-- numbers at the ends of their ranges, reserved labels, amounts as digits, doubles that are no probabilities
CREATE FUNCTION pg_temp.damage(good bytea, other bytea) RETURNS bytea LANGUAGE sql AS $$
SELECT pg_temp.damage(good, other, 0, 8, ARRAY[
  '\xffffffffffffffff7f', '\xffffffff07', '\xffffffff0f', '\x80808080808080808001', '\xffffffffffffffffff01',
    '\xffffffffffffffff3f',
  '\xffff7f', '\x8000', '\xe807', '\xe907', '\x0928656e746572656429', '\x066c65667429', '\x140131', '\x1403314530',
    '\x14034e614e',
  '\x14023030', '\x7ff8000000000000', '\x7ff0000000000000', '\x8000000000000000', '\x3ff0000000000001', '\x00000000',
    '\xc3a9', '\xc3',
  '\xedb080']::bytea[])$$;
CREATE TABLE damaged (o integer, bytes bytea);
INSERT INTO damaged SELECT v.o, pg_temp.damage(v.b, w.b) FROM base v, generate_series(1, (36000 * :cases)::integer / v.n) i,
  LATERAL (SELECT b FROM base w WHERE w.o = 1 + (i + v.o) % v.n OFFSET 0) w;
INSERT INTO damaged SELECT v.o, set_byte(v.b, p, i) FROM base v, generate_series(0, 1) p, generate_series(0, 255, 5) i;
INSERT INTO damaged SELECT v.o, substr(v.b, 1, i) FROM base v, generate_series(0, 60) i WHERE i < length(v.b);
INSERT INTO damaged SELECT v.o, v.b || set_byte('\x00', 0, i) FROM base v, generate_series(0, 255, 15) i;
-- encode() breaks lines, which are no part of the text form
CREATE TABLE mutant AS SELECT row_number() OVER ()::integer AS n, o, bytes, bad
  FROM (SELECT o, bytes, translate(encode(bytes, 'base64'), E'\n', '') AS bad FROM damaged) d JOIN base USING (o)
  WHERE bad <> t;
SELECT cmp_ok(count(*), '>=', (30000 * :cases)::bigint, format('%s mutated values', count(*))) FROM mutant;

-- In as text, and as binary: COPY from a file of the server is the only way for that ----------------------------------

CREATE FUNCTION pg_temp.read(bad text, OUT fate text, OUT m migration_matrix) LANGUAGE plpgsql AS $$
BEGIN
  m := bad::migration_matrix;
  fate := 'read';
EXCEPTION WHEN OTHERS THEN
  fate := SQLSTATE || CASE WHEN SQLERRM LIKE 'invalid input syntax for type migration_matrix: wrong %' THEN ''
    ELSE ' ' || SQLERRM END;
END $$;
CREATE TABLE fate AS SELECT n, o, bytes, bad, (r).fate, (r).m
  FROM (SELECT *, pg_temp.read(bad) AS r FROM mutant OFFSET 0) m;
SELECT is(count(*) FILTER (WHERE fate NOT IN ('22P02', 'read')), 0::bigint, 'refused with 22P02, or read') FROM fate;
SELECT diag(format('%s from %s', fate, bad)) FROM fate WHERE fate NOT IN ('22P02', 'read') LIMIT 10;
SELECT cmp_ok(count(*) FILTER (WHERE fate = 'read'), '>', count(*) / 20,
  format('%s of them are values', count(*) FILTER (WHERE fate = 'read'))) FROM fate;
SELECT cmp_ok(count(*) FILTER (WHERE fate <> 'read'), '>', count(*) / 3, 'much of the damage is noticed') FROM fate;
SELECT is(count(*) FILTER (WHERE fate = 'read'), 0::bigint, 'cut short anywhere, it is refused') FROM fate
  JOIN base USING (o) WHERE bytes = substr(b, 1, length(bytes));
SELECT is(count(*) FILTER (WHERE fate = 'read'), 0::bigint, 'with a byte more, it is refused') FROM fate
  JOIN base USING (o) WHERE substr(bytes, 1, length(b)) = b;
SELECT is(count(*) FILTER (WHERE fate = 'read'), 0::bigint, 'a version from the future, or none, or an open state')
  FROM fate WHERE length(bytes) > 0 AND get_byte(bytes, 0) <> 1;
CREATE TABLE binary_in (n integer, m migration_matrix);
\if :superuser
SELECT results_eq($$SELECT * FROM pg_temp.receive('SELECT n, bytes FROM mutant WHERE n % 9 = 0')$$,
  'SELECT ''22P03'', count(*) FROM fate WHERE n % 9 = 0 AND fate <> ''read''',
  'the same are refused in binary, with 22P03');
SELECT is(count(*) FILTER (WHERE b.m::text IS DISTINCT FROM v.m::text), 0::bigint,
  format('and %s are the same values', count(*))) FROM (SELECT * FROM fate WHERE n % 9 = 0 AND fate = 'read') v
  FULL JOIN binary_in b USING (n);
\else
SELECT skip('not a superuser, so COPY from a file is not allowed', 2);
\endif

-- What was read: every question ---------------------------------------------------------------------------------------

CREATE TABLE value AS SELECT fate.n, fate.o, base.m AS good, fate.m, bytes FROM fate JOIN base USING (o)
  WHERE fate = 'read';
ANALYZE value;
SELECT is(count(*) FILTER (WHERE migration_matrix_send(m) <> bytes), 0::bigint, 'a value is its bytes') FROM value;
SELECT is(count(*) FILTER (WHERE (m::text::migration_matrix = m AND NOT m::text::migration_matrix <> m
    AND migration_matrix_hash(m::text::migration_matrix) = migration_matrix_hash(m)
                                  AND migration_matrix_hash_extended(m::text::migration_matrix, n) =
                                    migration_matrix_hash_extended(m, n)) IS NOT TRUE), 0::bigint,
                                    'text and back, equal, of the same hash') FROM value;
SELECT is((SELECT count(*) FROM (SELECT DISTINCT m FROM value) d), (SELECT count(DISTINCT m::text) FROM value),
  'DISTINCT');
CREATE FUNCTION pg_temp.ask(m migration_matrix) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  j jsonb := m::jsonb;
  k integer := jsonb_array_length(j -> 'states');
  given boolean := j ? 'probabilities';
BEGIN
  IF (SELECT count(DISTINCT s) <> k OR bool_or(s IN ('', '(entered)', '(left)'))
    FROM jsonb_array_elements_text(j -> 'states') s) THEN RETURN 'labels'; END IF;
  IF (SELECT count(*) FILTER (WHERE from_segment <> '(entered)' AND to_segment <> '(left)') <> k * k
    FROM migration_rows(m)) THEN RETURN 'pairs of states'; END IF;
  IF (SELECT bool_or(abs(sum - 1) > 1e-9 OR NOT given AND (n > 0) <> (sum IS NOT NULL))
    FROM (SELECT sum(probability), sum(customers) FILTER (WHERE probability IS NOT NULL) AS n FROM migration_rows(m)
      GROUP BY from_segment) r) THEN RETURN 'probabilities'; END IF;
  IF (SELECT sum(customers) FROM migration_rows(m)) IS DISTINCT FROM (SELECT sum((c ->> 'customers')::numeric)
    FROM jsonb_array_elements(j -> 'cells') c) AND k > 0 AND j -> 'cells' <> '[]' THEN RETURN 'counts'; END IF;
  IF j ? 'period' AND (SELECT sum((c ->> 'customers')::numeric) FROM jsonb_array_elements(j -> 'cells') c) IS
    DISTINCT FROM (SELECT sum((c ->> 'customers')::numeric) FROM jsonb_array_elements(j -> 'periods') c)
    THEN RETURN 'periods'; END IF;
  IF migration_chart(m) IS NULL THEN RETURN 'chart'; END IF;
  IF NOT given AND (SELECT count(*)
    FROM (SELECT source FROM migration_sankey(m, 'from', 'to') INTERSECT SELECT target
      FROM migration_sankey(m, 'from', 'to')) x) > 0 THEN RETURN 'sankey'; END IF;
  IF NOT given AND (SELECT count(*)
    FROM (SELECT source, target FROM migration_sankey(m) EXCEPT ALL SELECT DISTINCT source, target
      FROM migration_sankey(m)) x) > 0 THEN RETURN 'flows'; END IF;
  IF NOT given AND ((m + m)::text::migration_matrix <> m + m OR (SELECT rollup(x) FROM unnest(ARRAY[m, m]) x) <> m + m)
    THEN RETURN 'sum'; END IF;
  RETURN 'fine';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
-- counts near 2^63 are too many twice
SELECT is(count(*) FILTER (WHERE answer NOT IN ('fine', '22003 too many customers in a migration_matrix')), 0::bigint,
  'rows, chart, sankey, sums, jsonb') FROM (SELECT pg_temp.ask(m) AS answer FROM value OFFSET 0) a;
SELECT diag(format('%s from %s', answer, m)) FROM (SELECT m, pg_temp.ask(m) AS answer FROM value OFFSET 0) a
  WHERE answer NOT IN ('fine', '22003 too many customers in a migration_matrix') LIMIT 10;
SELECT * FROM finish();
ROLLBACK;
