-- score_table against hostile bytes: random changes to real tables, all accepted ones must be canonical and safe in
-- every function; and each kind of damage by hand, by the name that the error gives it.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
SELECT diag('seed ' || :'seed');

CREATE FUNCTION pg_temp.text_of(bytes bytea) RETURNS text
  LANGUAGE sql IMMUTABLE RETURN translate(encode(bytes, 'base64'), E'\n', '');
CREATE FUNCTION pg_temp.read(bytes bytea) RETURNS text LANGUAGE sql
  AS $$SELECT pg_temp.outcome(format('SELECT %L::score_table::jsonb', pg_temp.text_of(bytes)))$$;

-- Damage by hand ------------------------------------------------------------------------------------------------------

-- version 1, no flags, then a double (low byte first), positives, negatives
SELECT is(pg_temp.read('\x0100000000000000e03f0102'),
  '{"n": 3, "scores": [{"n": 3, "score": 0.5, "positives": 1}], "positives": 1}', 'one score of three rows');
SELECT is(pg_temp.read('\x0100000000000000f0ff0100000000000000f07f0001'),
  '{"n": 2, "scores": [{"n": 1, "score": "-Infinity", "positives": 1}, {"n": 1, "score": "Infinity", "positives": '
  '0}], "positives": 1}', 'infinite scores');
SELECT is(pg_temp.read(decode(b, 'hex')), '22P02 invalid input syntax for type score_table: wrong ' || want,
  want || ': ' || b) FROM (VALUES
  ('', 'length'), ('0000000000000000e03f0102', 'version'), ('0200000000000000e03f0102', 'version'),
    ('f200000000000000e03f0102', 'version'), ('0100', 'number of scores'), ('01', 'length'), ('0101', 'flags'), ('0100bfe0', 'length'),
    ('0100000000000000e03f01', 'number of rows'), ('0100000000000000e03f', 'number of rows'),
  ('0100000000000000e03f01ff', 'number of rows'), ('0100000000000000e03f0000', 'number of rows'),
    ('0100000000000000e03f810001', 'number of rows'), ('0100000000000000e03f8080808080808080808001', 'number of rows'),
    ('0100000000000000e03fffffffffffffffffff0101', 'number of rows'),
  ('0100000000000000e03f818080808080801001', 'number of rows'),
    ('0100000000000000e03f808080808080801001', 'number of rows'),
  ('010000000000000000800101', 'score'), ('0100000000000000f87f0101', 'score'), ('0100010000000000f07f0101', 'score'),
    ('0100ffffffffffffffff0101', 'score'), ('0100ffffffffffffff7f0101', 'score'),
  ('0100000000000000e03f0102000000000000e03f0102', 'order of scores'),
    ('0100000000000000e03f0102000000000000d03f0102', 'order of scores'),
    ('0100000000000000e03f0102000000000000e13f01', 'number of rows'), ('0100000000000000e03f01020', 'number of rows'))
    v (b, want) WHERE length(b) % 2 = 0;
SELECT is(pg_temp.outcome($$SELECT '***'::score_table$$),
  '22P02 invalid input syntax for type score_table: wrong base64', 'no base64');
SELECT is(pg_temp.read('\x0100000000000000e03f808080808080801000')::jsonb->>'n', '9007199254740992',
  '2^53 rows are the most');

-- Random changes ------------------------------------------------------------------------------------------------------

CREATE TABLE original AS SELECT o,
  score_table_send(score_table(CASE o % 3 WHEN 0 THEN random() WHEN 1 THEN round(random()::numeric, 1)::float8
    ELSE (random() - 0.5) * 10 ^ (random() * 40) END, random() < 0.4)) AS bytes
  FROM generate_series(1, 60) o, generate_series(1, 20) n WHERE n <= 1 + o % 20 GROUP BY o;
CREATE FUNCTION pg_temp.damage(bytes bytea) RETURNS bytea LANGUAGE plpgsql VOLATILE AS $$
DECLARE at integer;
BEGIN
  FOR i IN 1..1 + floor(random() * 3)::integer LOOP
    at := floor(random() * length(bytes))::integer;
    CASE floor(random() * 5)::integer
      WHEN 0 THEN bytes := set_byte(bytes, at, floor(random() * 256)::integer);
      WHEN 1 THEN bytes := set_byte(bytes, at, get_byte(bytes, at) # (1 << floor(random() * 8)::integer));
      WHEN 2 THEN bytes := substr(bytes, 1, at) || substr(bytes, at + 1 + floor(random() * 10)::integer);
      WHEN 3 THEN bytes := substr(bytes, 1, at) || set_byte('\x00', 0, floor(random() * 256)::integer)
        || substr(bytes, at + 1);
      ELSE bytes := bytes || substr(bytes, at + 1);
    END CASE;
    EXIT WHEN length(bytes) = 0;
  END LOOP;
  RETURN bytes;
END $$;
CREATE TABLE damaged AS SELECT DISTINCT pg_temp.damage(bytes) AS bytes FROM original, generate_series(1, (200 * :cases)::integer);
CREATE FUNCTION pg_temp.value(bytes bytea) RETURNS score_table LANGUAGE plpgsql AS $$
BEGIN
  RETURN pg_temp.text_of(bytes)::score_table;
EXCEPTION WHEN invalid_text_representation THEN
  RETURN NULL;
END $$;
CREATE TABLE value AS SELECT bytes, t FROM (SELECT bytes, pg_temp.value(bytes) AS t FROM damaged OFFSET 0) v
  WHERE t IS NOT NULL;
SELECT cmp_ok((SELECT count(*) FROM value), '>', 100::bigint, 'some of the damaged ones are values');
SELECT cmp_ok((SELECT count(*) FROM value), '<', (SELECT count(*) FROM damaged), 'most are not');
SELECT is((SELECT count(*) FROM value WHERE score_table_send(t) <> bytes), 0::bigint,
  'what is accepted comes out as it went in');

CREATE FUNCTION pg_temp.ask(t score_table) RETURNS text LANGUAGE plpgsql AS $$
DECLARE n bigint; a float8 := auc(t); p bigint; f record;
BEGIN
  SELECT positives, positives + negatives INTO p, n FROM auc_interval(t);
  IF a NOT BETWEEN 0 AND 1 OR (a IS NULL) <> (p = 0 OR p = n) THEN RETURN 'auc'; END IF;
  IF ks_statistic(t) NOT BETWEEN 0 AND 1 OR average_precision(t) NOT BETWEEN 0 AND 1 + 1e-12 OR auc_se(t) NOT BETWEEN 0
    AND 1 THEN RETURN 'share'; END IF;
  IF brier_score(t) NOT BETWEEN 0 AND 1 OR log_loss(t) < 0 OR log_loss(t, 1e-15) > 40 THEN RETURN 'loss'; END IF;
  IF (SELECT sum(x.n) FROM lift_rows(t, 7) x) <> n OR abs((SELECT sum(n_pos) FROM lift_rows(t, 7)) - p) > 1e-9 * n
    THEN RETURN 'lift'; END IF;
  IF (SELECT sum(x.n) FROM calibration_rows(t, 1000) x) <> n
    OR (SELECT sum(x.n) FROM calibration_rows(t, 1000, 'quantile') x) <> n THEN RETURN 'bins'; END IF;
  IF (SELECT count(*) FROM confusion_rows(t) c WHERE c.tp + c.fn <> p OR c.fp + c.tn <> n - p
    OR c.mcc NOT BETWEEN -1 - 1e-12 AND 1 + 1e-12) > 0 THEN RETURN 'confusion'; END IF;
  IF (SELECT max(c.tp + c.fp) FROM confusion_rows(t, ARRAY[threshold_for(t, 3)]) c
    WHERE threshold_for(t, 3) IS NOT NULL) > 3 THEN RETURN 'capacity'; END IF;
  IF (SELECT count(*) FROM roc_rows(t)) < 1 OR threshold_for(t, 1, 2) = 'NaN' THEN RETURN 'threshold'; END IF;
  SELECT * INTO f FROM calibration_fit(t);
  SELECT * INTO f FROM brier_decomposition(t);
  IF abs(f.reliability - f.resolution + f.uncertainty - f.brier) > 1e-9 THEN RETURN 'Brier'; END IF;
  IF t <> t OR (t::jsonb->>'n')::bigint <> n THEN RETURN 'jsonb'; END IF;
  IF (SELECT rollup(x) FROM unnest(ARRAY[t, t, t]) x) <> (SELECT rollup(x)
    FROM unnest(ARRAY[(SELECT rollup(y) FROM unnest(ARRAY[t, t]) y), t]) x) THEN RETURN 'sum'; END IF;
  RETURN 'fine';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
-- tables of nearly 2^53 rows are too many three times
SELECT is(count(*) FILTER (WHERE answer NOT IN ('fine', '22003 too many rows in a score_table')), 0::bigint,
  'every function of each') FROM (SELECT pg_temp.ask(t) AS answer FROM value OFFSET 0) a;
SELECT diag(format('%s from %s', answer, t)) FROM (SELECT t, pg_temp.ask(t) AS answer FROM value OFFSET 0) a
  WHERE answer NOT IN ('fine', '22003 too many rows in a score_table') LIMIT 10;

-- No state comes in or is had by hand
SELECT is(pg_temp.outcome('SELECT score_table_rollup(NULL, score_table(0.5, true))'),
  '0A000 this function is part of the aggregate rollup and cannot be called', 'no roll-up by hand');
CREATE AGGREGATE open_rollup(score_table) (SFUNC = score_table_rollup, STYPE = score_table);
SELECT is((SELECT open_rollup(t)::text
    FROM (SELECT score_table(n, n % 2 = 0) AS t FROM generate_series(1, 50) n GROUP BY n) q),
  (SELECT score_table(n, n % 2 = 0)::text FROM generate_series(1, 50) n), 'an open state is finished where it goes');
SELECT is((SELECT auc(open_rollup(t))
    FROM (SELECT score_table(n, n % 3 = 0) AS t FROM generate_series(1, 50) n GROUP BY n) q),
  (SELECT auc(n, n % 3 = 0) FROM generate_series(1, 50) n), 'and read');
SELECT * FROM finish();
ROLLBACK;
