-- survival_table, damaged: some 30,000 mutated values through the input functions, as text and in binary.  Each must be
-- refused with the one error there is for it, or be a value of which everything can be asked without contradiction.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
\ir oracle/fuzz.psql
\pset tuples_only on
\pset format unaligned
SELECT diag('seed ' || :'seed');

-- Good values, of every kind and form ---------------------------------------------------------------------------------

CREATE AGGREGATE pg_temp.by_group(anycompatible, boolean, "any", "any") (SFUNC = survival_grouped_strata_trans,
  STYPE = internal, FINALFUNC = survival_final);
CREATE AGGREGATE pg_temp.by_cause(anycompatible, anycompatible, "any") (SFUNC = survival_causes_entry_trans,
  STYPE = internal, FINALFUNC = survival_final);
CREATE TABLE base (o serial PRIMARY KEY, t survival_table, b bytea, c text, n integer);
INSERT INTO base (t) SELECT survival_curve(1, true) WHERE false;
INSERT INTO base (t) SELECT survival_curve(x % 7, x % 3 = 0) FROM generate_series(1, 30) x;
INSERT INTO base (t) SELECT survival_curve(9223372036854775807 - x % 3, x % 2 = 0) FROM generate_series(1, 300) x;
INSERT INTO base (t) SELECT survival_curve(x / 8.0::float8, x % 3 = 0) FROM generate_series(0, 20) x;
INSERT INTO base (t) SELECT survival_curve(x * interval '1 month 00:00:00.000001', x % 3 = 0)
  FROM generate_series(0, 20) x;
INSERT INTO base (t) SELECT survival_curve(x % 9, x % 3 = 0, x % 4 / 8.0) FROM generate_series(1, 30) x;
INSERT INTO base (t) SELECT survival_curve(x - 5, x, x % 3 = 0) FROM generate_series(0, 20) x;
INSERT INTO base (t) SELECT survival_curve(x - 5.5::float8, x::float8, x % 3 = 0, CASE WHEN x % 2 = 0 THEN 1e300
  ELSE 1e-300 END) FROM generate_series(0, 20) x;
INSERT INTO base (t) SELECT pg_temp.by_group(x % 5, x % 3 = 0, x % 4, 'stratum ' || x % 3)
  FROM generate_series(1, 40) x;
INSERT INTO base (t) SELECT pg_temp.by_group(x % 5, x % 3 = 0, CASE x % 3 WHEN 0 THEN 'é' WHEN 1 THEN '' ELSE 'b' END,
  true) FROM generate_series(1, 40) x;
INSERT INTO base (t) SELECT pg_temp.by_cause(x - 1, x, CASE x % 4 WHEN 1 THEN 'price' WHEN 2 THEN '10' WHEN 3
  THEN '9' END) FROM generate_series(1, 40) x;
UPDATE base SET b = survival_table_send(t), c = t::text, n = (SELECT count(*) FROM base);
ANALYZE base;

-- Mutations -----------------------------------------------------------------------------------------------------------

-- numbers at the ends of their ranges, infinities and NaN as durations and weights, labels that are none
CREATE FUNCTION pg_temp.damage(good bytea, other bytea) RETURNS bytea LANGUAGE sql AS $$
SELECT pg_temp.damage(good, other, 0, 8, ARRAY[
  '\xffffffffffffffff7f', '\xffffffffffffffffff01', '\x80808080808080808001', '\xffffffffffffffff3f',
    '\xffffffffffffffff1f',
  '\x80808080808080807c', '\x80808080808080f87f', '\xffffffffffffffef7f', '\xffffffffffffffff6f', '\x808080808080807c',
    '\xffe103',
  '\xfffe03', '\xf0e001', '\xff01', '\x7f', '\x8000', '\xffff01', '\x00000000', '\xc3a9', '\xc3', '\xedb080',
    '\x023130', '\x0139']::bytea[])$$;
CREATE TABLE damaged (o integer, bytes bytea);
INSERT INTO damaged SELECT v.o, pg_temp.damage(v.b, w.b) FROM base v, generate_series(1, (33000 * :cases)::integer / v.n) i,
  LATERAL (SELECT b FROM base w WHERE w.o = 1 + (i + v.o) % v.n OFFSET 0) w;
INSERT INTO damaged SELECT v.o, set_byte(v.b, p, i) FROM base v, generate_series(0, 2) p, generate_series(0, 255, 5) i;
INSERT INTO damaged SELECT v.o, substr(v.b, 1, i) FROM base v, generate_series(0, 60) i WHERE i < length(v.b);
INSERT INTO damaged SELECT v.o, v.b || set_byte('\x00', 0, i) FROM base v, generate_series(0, 255, 15) i;
CREATE TABLE mutant AS SELECT row_number() OVER ()::integer AS n, o, bytes, bad
  FROM (SELECT o, bytes, translate(encode(bytes, 'base64'), E'\n', '') AS bad FROM damaged) d JOIN base USING (o)
  WHERE bad <> c;
SELECT cmp_ok(count(*), '>=', (25000 * :cases)::bigint, format('%s mutated values', count(*))) FROM mutant;

-- In as text, and as binary: COPY from a file of the server is the only way for that ----------------------------------

CREATE FUNCTION pg_temp.read(bad text, OUT fate text, OUT t survival_table) LANGUAGE plpgsql AS $$
BEGIN
  t := bad::survival_table;
  fate := 'read';
EXCEPTION WHEN OTHERS THEN
  fate := SQLSTATE || CASE WHEN SQLERRM LIKE 'invalid input syntax for type survival_table: wrong %' THEN ''
    ELSE ' ' || SQLERRM END;
END $$;
CREATE TABLE fate AS SELECT m.*, r.* FROM mutant m, pg_temp.read(bad) r;
SELECT is(string_agg(DISTINCT fate, '; '), '22P02; read', 'refused, or read') FROM fate;
SELECT cmp_ok(count(*) FILTER (WHERE fate = 'read'), '>', 300::bigint,
  format('%s were read', count(*) FILTER (WHERE fate = 'read'))) FROM fate;
SELECT is(count(*) FILTER (WHERE t::text <> bad), 0::bigint, 'what was read is written as it was') FROM fate
  WHERE fate = 'read';
SELECT is(count(*) FILTER (WHERE survival_table_send(t) <> bytes), 0::bigint, 'in binary too') FROM fate
  WHERE fate = 'read';

\if :superuser
CREATE TABLE binary_in (n integer, t survival_table);
SELECT results_eq($$SELECT * FROM pg_temp.receive('SELECT n, bytes FROM mutant WHERE n % 9 = 0')$$,
  'SELECT ''22P03'', count(*) FROM fate WHERE n % 9 = 0 AND fate <> ''read''',
  'the same are refused in binary, with 22P03');
SELECT is(count(*) FILTER (WHERE b.t::text IS DISTINCT FROM v.t::text), 0::bigint,
  format('and %s are the same values', count(*))) FROM (SELECT * FROM fate WHERE n % 9 = 0 AND fate = 'read') v
  FULL JOIN binary_in b USING (n);
\else
SELECT skip('not a superuser, so COPY from a file is not allowed', 2);
\endif

-- Whatever was read can be asked --------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.ask(t survival_table) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  r record;
  last double precision := 2;
  rows numeric := 0;
  middle double precision;
BEGIN
  FOR r IN SELECT * FROM survival_rows(t) LOOP
    IF NOT (r.survival BETWEEN 0 AND last AND r.at_risk >= 0 AND r.events >= 0 AND r.censored >= 0
      AND r.at_risk >= (r.events + r.censored) * 0.999999) THEN RETURN 'curve: ' || r; END IF;
    IF r.low > r.survival * 1.000001 OR r.high < r.survival * 0.999999 THEN RETURN 'limits: ' || r; END IF;
    last := r.survival;
  END LOOP;
  SELECT quantile INTO middle FROM survival_quantile(t);
  IF (middle IS NULL) <> (last > 0.5 + 1e-9) AND abs(last - 0.5) > 1e-9 THEN RETURN 'median ' || middle || ' of '
    || last; END IF;
  IF (SELECT NOT (m.restricted_mean BETWEEN m.low * 0.999999 AND m.high * 1.000001) FROM restricted_mean(t) m)
    THEN RETURN 'mean'; END IF;
  IF jsonb_typeof(t::jsonb) <> 'object' OR length(survival_chart(t, 20, 2)) < 10 OR survival_at(t, 3) NOT BETWEEN 0
    AND 1 OR survival_conditional(t, 1, 2) NOT BETWEEN 0 AND 1 THEN RETURN 'other'; END IF;
  IF (SELECT rollup(x) IS DISTINCT FROM t FROM (VALUES (t), (NULL)) v (x)) THEN RETURN 'roll-up'; END IF;
  IF t::text::survival_table IS DISTINCT FROM t
    OR (SELECT jsonb_array_length(rollup(x)::jsonb -> 'rows') <> jsonb_array_length(t::jsonb -> 'rows')
    FROM (VALUES (t), (t)) v (x)) THEN RETURN 'twice'; END IF;
  RETURN 'fine';
EXCEPTION WHEN numeric_value_out_of_range THEN
  RETURN CASE WHEN SQLERRM IN ('weights add up to more than a double precision number can hold')
    OR SQLERRM LIKE 'a survival_table cannot have more than % rows' THEN 'fine' ELSE SQLERRM END;
END $$;
SELECT is(string_agg(DISTINCT answer, E'\n'), 'fine', 'all of them can be asked')
  FROM (SELECT pg_temp.ask(t) AS answer FROM fate WHERE fate = 'read' ORDER BY n) a;
SELECT is(count(*) FILTER (WHERE outcome !~ '^(A[QR]|22023|22003|54000)'), 0::bigint,
  'and rolled up with others, or refused')
FROM (SELECT pg_temp.outcome(format('SELECT rollup(t)::text FROM (VALUES (%L::survival_table), (%L)) v (t)', f.t, g.t))
  AS outcome FROM (SELECT t, n FROM fate WHERE fate = 'read' LIMIT 2000) f,
  LATERAL (SELECT t FROM base WHERE o = 1 + f.n % 11) g) q;
SELECT * FROM finish();
ROLLBACK;
