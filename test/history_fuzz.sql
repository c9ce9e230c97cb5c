-- customer_history, damaged: more than 100,000 mutated values through the input functions, as text and in binary.  Each
-- must be refused with the one error there is for it, or be a value of which everything can be asked without
-- contradiction.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
\ir oracle/fuzz.psql
SELECT diag('seed ' || :'seed');
SET TimeZone = 'UTC';
SET jit = off;
SET statement_timeout = '300s';

-- Good values: empty, of few days and of many, every form that an amount can have -------------------------------------

CREATE FUNCTION pg_temp.amount(kind text) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
  CASE kind
    WHEN 'none' THEN RETURN NULL;
    WHEN 'cents' THEN RETURN round((random() * 300 - 50)::numeric, 2);
    WHEN 'some' THEN RETURN CASE WHEN random() < 0.5 THEN round((random() * 300)::numeric, 2) END;
    WHEN 'scales' THEN RETURN round((random() * 100 - 30)::numeric, floor(random() * 19)::integer);
    WHEN 'big' THEN RETURN (pg_temp.pick(ARRAY['', '-']) || floor(random() * 1e15)::bigint
      || repeat('7', floor(random() * 60)::integer) || '.' || floor(random() * 1e9)::bigint)::numeric;
    WHEN 'zeros' THEN RETURN round(0::numeric, floor(random() * 24)::integer);
    ELSE RETURN pg_temp.amount(pg_temp.pick('{none,cents,scales,big,zeros}'::text[]));
  END CASE;
END $$;
CREATE TABLE base (o serial PRIMARY KEY, h customer_history, b bytea, t text, n integer);
INSERT INTO base (h) SELECT customer_history(day) FROM (VALUES (NULL::date)) v (day);
INSERT INTO base (h) SELECT customer_history(day)
  FROM unnest('{4714-11-24 BC,0044-03-15 BC,0001-01-01,1999-12-31,2000-01-01,2024-02-29,294276-12-31}'::date[]) day
  GROUP BY day;
INSERT INTO base (h) SELECT customer_history(day) FROM unnest('{4714-11-24 BC,2000-01-01,294276-12-31}'::date[]) day;
INSERT INTO base (h) SELECT customer_history(date '2000-01-01') FROM generate_series(1, 300);
INSERT INTO base (h) SELECT customer_history(date '2000-01-01', a)
  FROM unnest('{0,0.00,-5,5.00,1e30,-2305843009213693951,2305843009213693952,0.0000000000000000001}'::numeric[]) a
  GROUP BY a, scale(a);
INSERT INTO base (h)
  SELECT customer_history(date '2024-01-01' + floor(random() * days * gap)::integer, pg_temp.amount(kind))
  FROM unnest('{none,cents,some,scales,big,all}'::text[]) kind, unnest('{1,2,5,12,40,100}'::integer[]) days,
    unnest('{1,9,300}'::integer[]) gap, generate_series(1, days) i GROUP BY kind, days, gap;
UPDATE base SET b = customer_history_send(h), t = h::text, n = (SELECT count(*) FROM base);
ANALYZE base;
SELECT cmp_ok(count(*), '>', 100::bigint, 'good values') FROM base;

-- Mutations -----------------------------------------------------------------------------------------------------------

-- numbers at the ends of their ranges, amounts at the ends of theirs
CREATE FUNCTION pg_temp.damage(good bytea, other bytea) RETURNS bytea LANGUAGE sql AS $$
SELECT pg_temp.damage(good, other, 0, 6, ARRAY[
  '\xffffffffffffffff7f', '\xffffffff07', '\xffffffff0f', '\x808080808080808080808001', '\x80808080808080808001',
  '\xffffffffffffffffff01', '\xffffffffffffffff3f', '\xffff7f', '\x8000', '\x8001', '\x050800000000',
    '\x0508000000004000ffff',
  '\x05080000000000003fff', '\x050a000100ff000000000001', '\x050a00017ffe000000000063', '\x050a00017fff00000000270f',
    '\x05', '\x03',
  '\x031205']::bytea[])$$;
CREATE FUNCTION pg_temp.damage(good text, other text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  bad text := good;
  at integer;
BEGIN
  FOR i IN 0 .. floor(random() * random() * 3)::integer LOOP
    at := floor(random() * (length(bad) + 1))::integer;
    CASE floor(random() * 6)::integer
      WHEN 0, 1 THEN bad := left(bad, at) || substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
        1 + floor(random() * 64)::integer, 1) || substr(bad, at + 2);
      WHEN 2 THEN bad := left(bad, at)
        || pg_temp.pick(ARRAY['=', '==', '-', '_', ' ', E'\n', E'\t', E'\\', 'é', 'A', 'AA', '////', E'\x01', '%'])
        || substr(bad, at + 1);
      WHEN 3 THEN bad := left(bad, at) || substr(bad, at + 2 + floor(random() * 4)::integer);
      WHEN 4 THEN bad := left(bad, at / 4 * 4)
        || substr(other, 1 + floor(random() * (length(other) + 1))::integer / 4 * 4);
      ELSE bad := left(bad, at / 4 * 4) || substr(bad, at / 4 * 4 + 5);
    END CASE;
  END LOOP;
  RETURN bad;
END $$;
CREATE TABLE damaged (o integer, bytes bytea, bad text);
INSERT INTO damaged (o, bytes) SELECT v.o, pg_temp.damage(v.b, w.b)
  FROM base v, generate_series(1, (85000 * :cases)::integer / v.n) i,
  LATERAL (SELECT b FROM base w WHERE w.o = 1 + (i + v.o) % v.n OFFSET 0) w;
INSERT INTO damaged (o, bytes) SELECT v.o, set_byte(v.b, p, i)
  FROM base v, generate_series(0, 1) p, generate_series(0, 255, 5) i;
INSERT INTO damaged (o, bytes) SELECT v.o, substr(v.b, 1, i) FROM base v, generate_series(0, 50) i
  WHERE i < length(v.b);
INSERT INTO damaged (o, bytes) SELECT v.o, v.b || set_byte('\x00', 0, i) FROM base v, generate_series(0, 255, 15) i;
INSERT INTO damaged (o, bytes)
  SELECT 1, substr('\x0101'::bytea || decode(md5(random()::text) || md5(random()::text), 'hex'), 1,
  floor(random() * 34)::integer) FROM generate_series(1, 2000);
INSERT INTO damaged (o, bad) SELECT v.o, pg_temp.damage(v.t, w.t)
  FROM base v, generate_series(1, (15000 * :cases)::integer / v.n) i,
  LATERAL (SELECT t FROM base w WHERE w.o = 1 + (i * 7 + v.o) % v.n OFFSET 0) w;
-- encode() breaks lines, which are no part of the text form
CREATE TABLE mutant AS
  SELECT row_number() OVER ()::integer AS n, o, bytes, bad
    FROM (SELECT o, bytes, coalesce(bad, translate(encode(bytes, 'base64'), E'\n', '')) AS bad FROM damaged) d
    JOIN base USING (o) WHERE bad <> t;
ANALYZE mutant;
SELECT cmp_ok(count(*), '>=', (100000 * :cases)::bigint,
  format('%s mutated values, %s of them bytes', count(*), count(bytes))) FROM mutant;

-- In as text ----------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.read(bad text, OUT fate text, OUT h customer_history) LANGUAGE plpgsql AS $$
BEGIN
  h := bad::customer_history;
  fate := 'read';
EXCEPTION WHEN OTHERS THEN
  fate := SQLSTATE;
END $$;
CREATE TABLE fate AS SELECT n, o, bytes, bad, (r).fate, (r).h
  FROM (SELECT *, pg_temp.read(bad) AS r FROM mutant OFFSET 0) m;
SELECT is(count(*) FILTER (WHERE fate NOT IN ('22P02', 'read')), 0::bigint, 'refused with 22P02, or read') FROM fate;
SELECT diag(format('%s from %s', fate, bad)) FROM fate WHERE fate NOT IN ('22P02', 'read') LIMIT 10;
SELECT cmp_ok(count(*) FILTER (WHERE fate = 'read'), '>', count(*) / 20,
  format('%s of the bytes are values', count(*) FILTER (WHERE fate = 'read'))) FROM fate WHERE bytes IS NOT NULL;
SELECT cmp_ok(count(*) FILTER (WHERE fate = 'read'), '>', count(*) / 20,
  format('%s of the texts are values', count(*) FILTER (WHERE fate = 'read'))) FROM fate WHERE bytes IS NULL;
SELECT cmp_ok(count(*) FILTER (WHERE fate <> 'read'), '>', count(*) / 3, 'much of the damage is noticed') FROM fate;
SELECT is(count(*) FILTER (WHERE fate = 'read'), 0::bigint, 'cut short anywhere, it is refused') FROM fate
  JOIN base USING (o) WHERE bytes = substr(b, 1, length(bytes));
SELECT is(count(*) FILTER (WHERE fate = 'read'), 0::bigint, 'with a byte more, it is refused') FROM fate
  JOIN base USING (o) WHERE substr(bytes, 1, length(b)) = b;
SELECT is(count(*) FILTER (WHERE fate = 'read'), 0::bigint, 'a version from the future, or none') FROM fate
  WHERE length(bytes) > 0 AND get_byte(bytes, 0) & 15 <> 1;
CREATE TABLE value AS SELECT fate.n, fate.o, base.h AS good, fate.h, bytes,
  coalesce(first_day(fate.h) + floor(random() * (last_day(fate.h) - first_day(fate.h) + 1))::integer, '2024-01-01') AS
  middle FROM fate JOIN base USING (o) WHERE fate = 'read';
ANALYZE value;

-- In as binary: COPY is the only way for that, from a file of the server, one for each value --------------------------

CREATE TABLE binary_in (n integer, h customer_history);
\if :superuser
SELECT results_eq($$SELECT * FROM pg_temp.receive('SELECT n, bytes FROM mutant WHERE bytes IS NOT NULL')$$,
  'SELECT ''22P03'', count(*) FROM fate WHERE bytes IS NOT NULL AND fate <> ''read''',
  'the same are refused in binary, with 22P03');
SELECT is(count(*) FILTER (WHERE b.h::text IS DISTINCT FROM v.h::text), 0::bigint,
  format('and %s are the same values', count(*))) FROM (SELECT * FROM value WHERE bytes IS NOT NULL) v
  FULL JOIN binary_in b USING (n);
\else
SELECT skip('not a superuser, so COPY from a file is not allowed', 2);
\endif

-- What was read: every question ---------------------------------------------------------------------------------------

SELECT is(count(*) FILTER (WHERE customer_history_send(h) <> bytes), 0::bigint, 'a value is its bytes') FROM value
  WHERE bytes IS NOT NULL;
SELECT is(count(*) FILTER (WHERE (h::text::customer_history = h AND NOT h::text::customer_history <> h
    AND h::text::customer_history::text = h::text
    AND customer_history_hash(h::text::customer_history) = customer_history_hash(h)
                                  AND customer_history_hash_extended(h::text::customer_history, n) =
                                    customer_history_hash_extended(h, n)) IS NOT TRUE), 0::bigint,
                                    'text and back, equal, of the same hash') FROM value;
SELECT is(count(*) FILTER (WHERE h = good OR NOT h <> good), count(*) FILTER (WHERE h::text = good::text),
  'equal to the undamaged value only where the bytes are') FROM value;
SELECT is((SELECT count(*) FROM (SELECT DISTINCT h FROM value) d), (SELECT count(DISTINCT h::text) FROM value),
  'DISTINCT');
SELECT is(count(*) FILTER (WHERE (active_days(h), first_day(h), last_day(h)) IS DISTINCT FROM (days, earliest, latest)
    OR NOT ascend), 0::bigint, 'days as history_days has them, ascending')
FROM (SELECT n, min(h::text)::customer_history AS h, count(day) FILTER (WHERE events > 0) AS days,
  min(day) FILTER (WHERE events > 0) AS earliest, max(day) FILTER (WHERE events > 0) AS latest,
  coalesce(bool_and(day > before), true) AS ascend
      FROM (SELECT n, h, day, events, lag(day, 1, '-infinity') OVER (PARTITION BY n ORDER BY place) AS before FROM value
        LEFT JOIN LATERAL history_days(h) WITH ORDINALITY d (day, events, amount, place) ON true) q GROUP BY n) q;
SELECT is(count(*) FILTER (WHERE jsonb_array_length(j -> 'days') <> (SELECT count(*) FROM history_days(h))
    OR jsonb_array_length(jsonb_path_query_array(j, '$.days[*] ? (@.events > 0)')) <> active_days(h)
    OR (jsonb_path_query_first(j, '$.days[*] ? (@.events > 0)') ->> 'day')::date IS DISTINCT FROM first_day(h)),
  0::bigint, 'jsonb')
  FROM (SELECT h, h::jsonb AS j FROM value WHERE first_day(h) IS NULL OR first_day(h) > '0001-01-01') q;
SELECT is(count(*) FILTER (WHERE (history_until(h, middle) || history_since(h, middle + 1))::text <> h::text
    OR active_days(history_until(h, middle)) + active_days(history_since(h, middle + 1)) <> active_days(h)), 0::bigint,
  'cuts') FROM value;
SELECT is(count(*) FILTER (WHERE history_until(h, 'infinity') <> h OR history_since(h, '-infinity') <> h
    OR active_days(history_until(h, '-infinity')) + active_days(history_since(h, 'infinity')) > 0), 0::bigint,
  'cuts at infinity') FROM value;

-- What may be too large to be added up: numbers of 131,072 digits, 2^56 events.  That is said, not suffered.
CREATE FUNCTION pg_temp.ask(h customer_history, good customer_history, middle date) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  twice customer_history;
BEGIN
  IF (SELECT (coalesce(sum(events), 0), sum(amount)::text) FROM history_days(h)) IS DISTINCT FROM (events(h)::numeric,
    total_amount(h)::text) THEN RETURN 'sums contradict'; END IF;
  IF (SELECT (frequency, recency, age) FROM clv_summary(h, coalesce(last_day(h), '2000-01-01')))
    IS DISTINCT FROM (nullif(active_days(h), 0) - 1,
    (last_day(h) - first_day(h))::float8, (last_day(h) - first_day(h))::float8)
    THEN RETURN 'clv_summary contradicts'; END IF;
  IF (SELECT r FROM clv_summary(h, middle, 'week') r) IS DISTINCT FROM (SELECT r
    FROM clv_summary(history_until(h, middle), middle, 'week') r)
    THEN RETURN 'clv_summary of a cut contradicts'; END IF;
  twice := h || h;
  IF twice::text::customer_history <> twice OR events(twice) <> 2 * events(h)
    OR total_amount(twice)::text <> (2 * total_amount(h))::text OR active_days(twice) <> active_days(h)
    THEN RETURN 'merge contradicts'; END IF;
  twice := (SELECT rollup(x) FROM unnest(ARRAY[h, good]) x);
  IF twice::text::customer_history <> twice OR twice <> good || h THEN RETURN 'rollup contradicts'; END IF;
  RETURN 'fine';
EXCEPTION WHEN numeric_value_out_of_range THEN
  RETURN SQLSTATE;
END $$;
CREATE TABLE answer AS SELECT n, pg_temp.ask(h, good, middle) AS answer FROM value;
SELECT is(count(*) FILTER (WHERE answer NOT IN ('fine', '22003')), 0::bigint,
  'events, total_amount, clv_summary, || and rollup') FROM answer;
SELECT diag(format('%s from %s', answer, h)) FROM answer JOIN value USING (n) WHERE answer NOT IN ('fine', '22003')
  LIMIT 10;
SELECT cmp_ok(count(*) FILTER (WHERE answer = '22003'), '<', count(*) / 10,
  format('%s of %s are too large to be added up', count(*) FILTER (WHERE answer = '22003'), count(*))) FROM answer;

-- As customers of a cohort table: all of them in one, and each in one of its own.
CREATE TABLE day AS SELECT n, day FROM value, history_days(h) WHERE events > 0;
CREATE FUNCTION pg_temp.tables(period text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  difference bigint;
  same boolean;
BEGIN
  EXECUTE format('SELECT (SELECT cohort_retention(h, %s)::text
      FROM value) = (SELECT cohort_retention(n, day, %1$s)::text FROM day)', period) INTO same;
  RETURN NEXT ok(same, 'the table of all: ' || period);
  EXECUTE format('SELECT count(*)
      FROM (SELECT n, cohort_retention(h, %s) AS t FROM value WHERE active_days(h) > 0 GROUP BY n) a
      FULL JOIN (SELECT n, cohort_retention(n, day, %1$s) AS t FROM day GROUP BY n) b USING (n)
                  WHERE (a.t::text = b.t::text AND a.t = b.t AND a.t::text::cohort_table = a.t) IS NOT TRUE', period)
                    INTO difference;
  RETURN NEXT is(difference, 0::bigint, 'the table of each: ' || period);
END $$;
SELECT pg_temp.tables(period) FROM
  unnest(ARRAY['''month''', '''day'', interval ''1 month''', '''week:sunday'', interval ''36 hours''']) period;

-- Chosen damage -------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.fate(bad text, good customer_history) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  r record := pg_temp.read(bad);
  answer text;
BEGIN
  IF r.fate <> 'read' OR r.h = good THEN RETURN replace(r.fate, 'read', 'equal'); END IF;
  answer := pg_temp.ask(r.h, good, coalesce(first_day(r.h), '2000-01-01'));
  RETURN CASE answer WHEN 'fine' THEN 'other' ELSE 'other, ' || answer END;
END $$;
SELECT throws_ok(format('SELECT %L::customer_history', x), '22P02', NULL, format('not a value: %L', left(x, 20)))
  FROM unnest(ARRAY['', ' ', 'x', '{}', '====', 'AQ=', '((', repeat('A', 100000), 'null', 'Ω', ' AQA=', E'AQA=\n']) x;
-- More than one way to write it down, of which one is right: 1 January 2000, an amount of 5.00.
SELECT is(pg_temp.fate(encode(decode(hex, 'hex'), 'base64'), (SELECT customer_history(date '2000-01-01', 5.00))), fate,
  'bytes: ' || title)
FROM (VALUES ('0101010200d00f', 'equal', 'as written'), ('0101010200d0', '22P02', 'a number cut short'),
  ('0101010300' || '0302e807', '22P02', 'a common scale that is not the largest'),
  ('0101010200' || '0302e807', '22P02', 'the common scale written out'),
             ('0101010200' || '050a00010000000000020005', '22P02', 'a small amount as a numeric'),
               ('010181000200d00f', '22P02', 'a number longer than it must be'),
               ('010101020001', '22P02', 'amounts, but none'), ('01010002', '22P02', 'amounts of no days'),
               ('01000101', '22P02', 'a number of events to come, that does not'),
             ('0100010000', '22P02', 'a byte left over'), ('01010180800100d00f', '22P02', 'a scale too large'),
               ('01010100000508' || '00000000c0000000', '22P02', 'NaN'),
               ('01010100000508' || '00000000d0000000', '22P02', 'infinity'),
               ('01010113000508' || '0000000000000013', 'other', '0 of scale 19'),
               ('01010113000508' || '0000000040000013', '22P02', 'minus 0'),
             ('01010114000508' || '0000000000000013', '22P02', 'another scale than it says'),
               ('01010100' || '00050a00017ffe000000000063', 'other', '131,070 digits'),
               ('01010100' || '00050a00017fff00000000270f', 'other, 22003', '131,072 digits, too many to be doubled'),
               ('01000101' || 'feffffffffffff3f', 'other', '2^55 events'),
               ('01000101' || 'feffffffffffff7f', 'other, 22003', 'so many that twice is too many'),
               ('01000101' || 'ffffffffffffff7f', '22P02', 'more events than a day may have'),
               ('0100010' || '0', 'other', 'no amount'),
               ('010002' || '00' || 'feffffff0f', '22P02', 'a day after the last'),
               ('010001' || 'feffffff1f', '22P02', 'a day before the first'),
  ('0103010200d00f' || '00028e03', 'other', 'a day of money alone'),
  ('0103010200d00f' || '01028e03008e03', 'other', 'two of them'),
  ('0103000200028e03', 'other', 'of money alone'),
  ('0103010200d00f' || '00008e03', '22P02', 'a day of money alone that is an active day'),
  ('0103010200d00f' || '000201', '22P02', 'neither an event nor money'),
  ('0103010200d00f' || '01028e03', '22P02', 'not so many days of money alone'),
  ('0103010200d00f' || '00028e03008e03', '22P02', 'not so few'), ('0103010200d00f', '22P02', 'none, but a flag'),
  ('01020100' || '00028e03', '22P02', 'money, but no amounts'), ('0104010000', '22P02', 'a flag that is not used'))
  v (hex, fate, title);

SELECT * FROM finish();
ROLLBACK;
