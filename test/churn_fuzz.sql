-- churn_model, damaged: some 30,000 mutated values through the input functions, as text and in binary.  Each must be
-- refused with the one error there is for it, or be a value of which everything can be asked.  Its fingerprint refuses
-- nearly all damage; so the mutants are signed again, as somebody would who means it, and what is refused is refused
-- for what it says.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
\ir oracle/fuzz.psql
SELECT diag('seed ' || :'seed');
-- models that have not converged warn whenever they are asked
SET client_min_messages = error;

-- Good values: of arrays, records and histories, by each method, converged or not -------------------------------------

CREATE FUNCTION pg_temp.sign(bytes bytea) RETURNS bytea
  LANGUAGE sql IMMUTABLE AS 'SELECT substr(bytes, 1, 2) || substr(sha256(substr(bytes, 19)), 1, 16)
  || substr(bytes, 19)';
CREATE TABLE base (o serial PRIMARY KEY, m churn_model, b bytea, t text, n integer);
CREATE TABLE row AS SELECT random() < 0.3 + x / 3 AS y,
  ARRAY[x, CASE WHEN random() < 0.9 THEN random() * 1e6 END, 3] AS f, x,
  (ARRAY['a', 'b', 'c', 'é', NULL, 'rare' || i])[1 + i % 6] AS k, i % 5 = 0 AS b, random() AS w
  FROM (SELECT i, random() AS x FROM generate_series(1, 600) i) s;
INSERT INTO base (m) SELECT churn_model(y, f, o)
  FROM row, unnest(ARRAY['{}', '{"lambda": 0}', '{"method": "boost", "trees": 3}',
    '{"method": "boost", "trees": 2, "depth": 5, "min_leaf": 1}', '{"missing": "skip"}',
    '{"names": ["x", "y", "z"]}']::jsonb[]) o GROUP BY o;
INSERT INTO base (m) SELECT churn_model(y, r, w, o)
  FROM row, LATERAL (SELECT x, k, b) r,
  unnest(ARRAY['{}', '{"lambda": 0, "rare": 2}', '{"method": "boost", "trees": 4, "depth": 2}',
    '{"missing": "error", "exclude": ["k"]}']::jsonb[]) o GROUP BY o;
INSERT INTO base (m) SELECT churn_model(y, f) FROM (VALUES (true, ARRAY[1.0]), (true, ARRAY[2.0])) v (y, f) UNION ALL
  SELECT churn_model(NULL, ARRAY[1.0, 2.0]) UNION ALL SELECT churn_model(x > 0.5, ARRAY[x], '{"lambda": 0}') FROM row
  UNION ALL SELECT churn_model(y, '{}'::float8[]) FROM row UNION ALL
    SELECT churn_model(y, ARRAY[x, 2 * x], '{"lambda": 0}') FROM row UNION ALL
    SELECT churn_model(y, r, '{"method": "boost"}') FROM (SELECT true AS y, ROW('a'::text) AS r) s;
CREATE TABLE person AS SELECT c, customer_history(day, 12.34) AS h
  FROM (SELECT c, date '2024-01-01' + floor(random() * (30 + c % 7 * 100))::integer AS day
  FROM generate_series(1, 120) c, generate_series(1, 1 + c % 5)) d GROUP BY c;
INSERT INTO base (m) SELECT churn_model(h, '2025-06-30', '182 days') FROM person UNION ALL
  SELECT churn_model(h, '2025-06-30', '182 days') FROM person WHERE c <= 5;
UPDATE base SET b = churn_model_send(m), t = m::text, n = (SELECT count(*) FROM base);
ANALYZE base;
SELECT is(string_agg(DISTINCT method || ' ' || status, ', ' ORDER BY method || ' ' || status),
  'boost converged, boost one_class, gap_survival converged, logistic converged, logistic dependent_columns, '
  'logistic no_labels, logistic one_class, logistic separation', 'models of all methods, by most ends of a fit')
  FROM base, churn_summary(m);
SELECT is(count(*) FILTER (WHERE pg_temp.sign(b) <> b), 0::bigint, 'they are signed') FROM base;

-- Mutations -----------------------------------------------------------------------------------------------------------

-- numbers at the ends of their ranges, long forms, other forms of NaN and zero, infinities, enormous and tiny doubles
CREATE FUNCTION pg_temp.damage(good bytea, other bytea) RETURNS bytea LANGUAGE sql AS $$
SELECT pg_temp.damage(good, other, 18, 12, ARRAY[
  '\xffffffffffffffffff01', '\xffffffff0f', '\x80808080808080808001', '\xffff7f', '\x8000', '\xff01', '\xc3',
    '\xedb080', '\x00',
  '\x000000000000f87f', '\x010000000000f87f', '\x000000000000f8ff', '\x000000000000f07f', '\x000000000000f0ff',
    '\x0000000000000080',
  '\x0000000000000000', '\xffffffffffffef7f', '\xffffffffffffefff', '\x0100000000000000',
    '\x000000000000f03f']::bytea[])$$;
CREATE TABLE damaged (o integer, bytes bytea);
INSERT INTO damaged SELECT v.o, pg_temp.sign(pg_temp.damage(v.b, w.b))
  FROM base v, generate_series(1, (30000 * :cases)::integer / v.n) i,
  LATERAL (SELECT b FROM base w WHERE w.o = 1 + (i + v.o) % v.n OFFSET 0) w;
INSERT INTO damaged SELECT v.o, pg_temp.sign(set_byte(v.b, p, i)) FROM base v, generate_series(18, 21) p,
  generate_series(0, 255, 5) i;
INSERT INTO damaged SELECT v.o, set_byte(v.b, p, (get_byte(v.b, p) + 1) % 256) FROM base v, generate_series(0, 60) p
  WHERE p < length(v.b);
INSERT INTO damaged SELECT v.o, CASE i % 2 WHEN 0 THEN pg_temp.sign(substr(v.b, 1, i)) ELSE substr(v.b, 1, i) END
  FROM base v, generate_series(0, 100) i WHERE i < length(v.b);
INSERT INTO damaged SELECT v.o, pg_temp.sign(v.b || set_byte('\x00', 0, i)) FROM base v, generate_series(0, 255, 15) i;
-- encode() breaks lines, which are no part of the text form
CREATE TABLE mutant AS SELECT row_number() OVER ()::integer AS n, o, bytes, bad
  FROM (SELECT o, bytes, translate(encode(bytes, 'base64'), E'\n', '') AS bad FROM damaged) d JOIN base USING (o)
  WHERE bad <> t;
SELECT cmp_ok(count(*), '>=', (25000 * :cases)::bigint, format('%s mutated values', count(*))) FROM mutant;

-- In as text, and as binary: COPY from a file of the server is the only way for that ----------------------------------

CREATE FUNCTION pg_temp.read(bad text, OUT fate text, OUT m churn_model) LANGUAGE plpgsql AS $$
BEGIN
  m := bad::churn_model;
  fate := 'read';
EXCEPTION WHEN OTHERS THEN
  fate := SQLSTATE || CASE WHEN SQLERRM LIKE 'invalid input syntax for type churn_model: wrong %' THEN ''
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
  JOIN base USING (o) WHERE length(bytes) < length(b)
  AND substr(bytes, 19) = substr(b, 19, greatest(length(bytes) - 18, 0));
SELECT is(count(*) FILTER (WHERE fate = 'read'), 0::bigint, 'with a byte more, it is refused') FROM fate
  JOIN base USING (o) WHERE length(bytes) > length(b) AND substr(bytes, 19, length(b) - 18) = substr(b, 19);
SELECT is(count(*) FILTER (WHERE fate = 'read'), 0::bigint, 'a version from the future, or none') FROM fate
  WHERE length(bytes) > 0 AND get_byte(bytes, 0) <> 1;
SELECT is(count(*) FILTER (WHERE fate = 'read'), 0::bigint, 'a wrong fingerprint') FROM fate
  WHERE pg_temp.sign(bytes) <> bytes;
CREATE TABLE binary_in (n integer, m churn_model);
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

CREATE TABLE value AS SELECT n, o, m, bytes FROM fate WHERE fate = 'read';
ANALYZE value;
SELECT is(count(*) FILTER (WHERE churn_model_send(m) <> bytes), 0::bigint, 'a value is its bytes') FROM value;
SELECT is(count(*) FILTER (WHERE (m::text::churn_model = m AND NOT m::text::churn_model <> m
    AND churn_model_hash(m::text::churn_model) = churn_model_hash(m)
    AND churn_model_hash_extended(m::text::churn_model, n) = churn_model_hash_extended(m, n)) IS NOT TRUE), 0::bigint,
  'text and back, equal, of the same hash') FROM value;
SELECT is((SELECT count(*) FROM (SELECT DISTINCT m FROM value) d), (SELECT count(DISTINCT m::text) FROM value),
  'DISTINCT');

-- A score is a probability, or nothing; reasons are one more than features and add up to it, as far as their size
-- allows; a model of records may ask for columns that nobody has.
CREATE FUNCTION pg_temp.explained(m churn_model, f float8[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  p float8 := churn_score(m, f);
  r record;
BEGIN
  SELECT count(*) AS n, count(contribution) AS known, sum(contribution::numeric) AS sum,
    sum(abs(contribution::numeric)) AS size INTO r FROM churn_reasons(m, f, NULL);
  IF p IS NULL THEN RETURN CASE WHEN r.n > 0 THEN 'reasons without a score' END; END IF;
  IF NOT p BETWEEN 0 AND 1 THEN RETURN 'no probability'; END IF;
  IF r.n <> 1 + cardinality(f) THEN RETURN 'number of reasons'; END IF;
  IF p > 0 AND p < 1 AND r.n = r.known AND abs(r.sum - ln(p / (1 - p))::numeric) > 1e-12 * greatest(1, r.size)
    THEN RETURN 'sum of reasons'; END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION pg_temp.ask(m churn_model) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  j jsonb := m::jsonb;
  s record;
  wrong text;
BEGIN
  SELECT * INTO s FROM churn_summary(m);
  IF s.features <> jsonb_array_length(j -> 'features') OR s.converged <> (s.reason IS NULL) OR s.positives > s.n
    OR NOT s.weight >= 0 OR s.base_rate NOT BETWEEN 0 AND 1 THEN RETURN 'summary'; END IF;
  IF s.method = 'logistic' AND (SELECT count(*)
    FROM churn_coefficients(m)) <> (CASE WHEN s.status IN ('no_labels', 'one_class') THEN 0 ELSE s.columns + 1 END)
    THEN RETURN 'coefficients'; END IF;
  IF (SELECT count(*) FROM churn_importance(m)) NOT IN (0, s.features) OR (SELECT bool_or(importance < 0 OR share < 0)
    FROM churn_importance(m)) THEN RETURN 'importance'; END IF;
  IF churn_band(0.5, m) IS NULL AND s.weight > 0 THEN RETURN 'band'; END IF;
  CASE j ->> 'input'
    WHEN 'array' THEN
      FOR i IN 1 .. 3 LOOP
        wrong := pg_temp.explained(m, (SELECT
            coalesce(array_agg(CASE i WHEN 1 THEN random() WHEN 2 THEN (random() - 0.5) * 1e308 END), '{}')
            FROM generate_series(1, s.features)));
        IF wrong IS NOT NULL THEN RETURN wrong; END IF;
      END LOOP;
    WHEN 'record' THEN
      FOR i IN 1 .. 3 LOOP
        PERFORM churn_score(m, r), (SELECT count(*) FROM churn_reasons(m, r))
          FROM (SELECT 0.5 * i AS x, CASE i WHEN 1 THEN 'a' WHEN 2 THEN 'new' END AS k, i = 1 AS b, 'a'::text AS f1) r;
      END LOOP;
    ELSE
      PERFORM churn_score(m, h), (SELECT count(*) FROM churn_reasons(m, h)) FROM person WHERE c <= 3;
  END CASE;
  RETURN 'fine';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
CREATE TABLE asked AS SELECT n, o, pg_temp.ask(m) AS answer FROM value;
-- 42703, 42804: names and kinds of a record's columns; 22004: NULLs are an error
SELECT is(count(*) FILTER (WHERE answer NOT IN ('fine') AND answer !~ '^(42703|42804|22004|22008) '), 0::bigint,
  format('scores, reasons, coefficients, summary, jsonb of %s values', count(*))) FROM asked;
SELECT diag(format('%s: %s from %s', o, answer, left(m::text, 200))) FROM asked JOIN value USING (n, o)
  WHERE answer <> 'fine' AND answer !~ '^(42703|42804|22004|22008) ' LIMIT 10;
SELECT cmp_ok(count(*) FILTER (WHERE answer = 'fine'), '>', count(*) / 2, 'most of them answer') FROM asked;
SELECT * FROM finish();
ROLLBACK;
