-- migration_changes(): cells, periods, runs of three periods and states of logs of changes as plain SQL counts them,
-- and the same bytes as the panel form gives of the panel written out in full; types, zones, final segments, ties,
-- as_of; whatever the plan and the order of rows.  Lists of states of which one is an ordered part of the other;
-- citext.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned
SELECT diag('seed ' || :'seed');
SET max_parallel_workers_per_gather = 0;

-- The oracle ----------------------------------------------------------------------------------------------------------

-- A matrix as text: states; then periods and runs of three periods, each sorted.
CREATE FUNCTION pg_temp.said(m migration_matrix) RETURNS text LANGUAGE sql AS $$
  SELECT format(E'states %s\ncells %s\nperiods %s\ntriples %s', j->>'states',
    (SELECT string_agg(format('%s>%s %s', e->>'from', e->>'to', e->>'customers'), ', '
      ORDER BY e->>'from' COLLATE "C", e->>'to' COLLATE "C") FROM jsonb_array_elements(j->'cells') e),
    (SELECT string_agg(format('%s %s>%s %s', (e->>'period_start')::timestamp, e->>'from', e->>'to', e->>'customers'),
      ', ' ORDER BY (e->>'period_start')::timestamp, e->>'from' COLLATE "C", e->>'to' COLLATE "C")
      FROM jsonb_array_elements(j->'periods') e),
    (SELECT string_agg(format('%s>%s>%s %s', e->>'before', e->>'from', e->>'to', e->>'customers'),
      ', ' ORDER BY e->>'before' COLLATE "C", e->>'from' COLLATE "C", e->>'to' COLLATE "C")
      FROM jsonb_array_elements(j->'triples') e))
  FROM (SELECT m::jsonb AS j) q $$;

-- The log (c, at, wall: the same as wall clock, s) as a panel: a row for each customer and period until "known".
CREATE TABLE log (c text, at timestamptz, wall timestamp, s text);
CREATE FUNCTION pg_temp.written_out(p text, width interval, known timestamp, list text[], final text[])
  RETURNS TABLE (c text, start timestamp, s text, goes_on boolean) LANGUAGE sql AS $$
  WITH ends AS (
    SELECT DISTINCT ON (c, date_trunc(p, wall)) c, date_trunc(p, wall) AS start, s FROM log
    WHERE date_trunc(p, wall) + width <= known
    ORDER BY c, date_trunc(p, wall), at DESC, array_position(list, s) DESC, s COLLATE "C" DESC)
  SELECT c, g, s, s <> ALL (final)
  FROM (SELECT *, lead(start) OVER (PARTITION BY c ORDER BY start) AS next FROM ends) e,
    generate_series(start, CASE WHEN s = ANY (final) THEN start
                                ELSE coalesce(next, date_trunc(p, known)) - width END, width) g $$;
CREATE FUNCTION pg_temp.expected(p text, width interval, known timestamp, list text[], final text[])
  RETURNS text LANGUAGE sql AS $$
  WITH steps AS (
    SELECT c, start, s, lag(s) OVER w AS before, lag(s, 2) OVER w AS before2,
      lag(start) OVER w = start - width AND lag(goes_on) OVER w AS step,
      lag(start, 2) OVER w = start - width - width AND lag(goes_on, 2) OVER w AS step2
    FROM pg_temp.written_out(p, width, known, list, final) WINDOW w AS (PARTITION BY c ORDER BY start)),
  cells AS (SELECT start, before, s, count(*) AS n FROM steps WHERE step GROUP BY 1, 2, 3)
  SELECT format(E'states %s\ncells %s\nperiods %s\ntriples %s',
    (SELECT coalesce(jsonb_agg(s ORDER BY o, s COLLATE "C"), '[]')
     FROM (SELECT s, array_position(list, s) AS o FROM (SELECT s FROM steps UNION SELECT unnest(final)
           UNION SELECT unnest(list)) a) a WHERE list IS NULL OR s = ANY (list)),
    (SELECT string_agg(format('%s>%s %s', before, s, n), ', ' ORDER BY before COLLATE "C", s COLLATE "C")
     FROM (SELECT before, s, sum(n) AS n FROM cells GROUP BY 1, 2) a),
    (SELECT string_agg(format('%s %s>%s %s', start, before, s, n), ', '
                       ORDER BY start, before COLLATE "C", s COLLATE "C") FROM cells),
    (SELECT string_agg(format('%s>%s>%s %s', before2, before, s, n), ', '
                       ORDER BY before2 COLLATE "C", before COLLATE "C", s COLLATE "C")
     FROM (SELECT before2, before, s, count(*) AS n FROM steps WHERE step AND step2 GROUP BY 1, 2, 3) a)) $$;

-- Random logs ---------------------------------------------------------------------------------------------------------

-- Of each case: the call, what it gives, what it should give.
CREATE FUNCTION pg_temp.compared(cases integer) RETURNS text LANGUAGE plpgsql AS $body$
DECLARE
  p text; width interval; zone text; known timestamp; list text[]; final text[]; at text; as_of text; options jsonb;
  query text; have text; want text; wrong text := ''; days integer;
BEGIN
  FOR i IN 1 .. cases LOOP
    p := pg_temp.pick('{hour,day,week,month,month,quarter,year}'::text[]);
    width := CASE p WHEN 'quarter' THEN '3 months' ELSE '1 ' || p END;
    zone := pg_temp.pick('{UTC,Europe/Berlin,America/New_York,Asia/Kathmandu}'::text[]);
    days := CASE p WHEN 'hour' THEN 20 WHEN 'day' THEN 60 WHEN 'year' THEN 4000 ELSE 700 END;
    list := CASE WHEN random() < 0.4 THEN '{d,a,c,b,e}'::text[] END;
    final := CASE floor(random() * 3)::integer WHEN 0 THEN '{}' WHEN 1 THEN '{e}' ELSE '{b,e}'::text[] END;
    TRUNCATE log;
    INSERT INTO log (c, at, s)
    SELECT n || CASE WHEN i % 2 = 0 THEN ' long name of a customer' ELSE '' END,
      date_trunc(pg_temp.pick('{second,day}'::text[]),
                 timestamptz '2024-02-01 00:00+00' + random() * days * interval '1 day'),
      pg_temp.pick('{a,b,c,d,e}'::text[])
    FROM generate_series(1, 1 + floor(random() * 40)::integer) n, generate_series(1, 1 + floor(random() * 8)::integer)
    WHERE random() < 0.8;
    at := pg_temp.pick('{at,wall,wall::date}'::text[]);
    UPDATE log SET wall = log.at AT TIME ZONE zone;
    IF at <> 'at' THEN
      UPDATE log SET at = wall AT TIME ZONE 'UTC';
    END IF;
    IF at = 'wall::date' THEN
      UPDATE log SET wall = wall::date, at = wall::date::timestamp AT TIME ZONE 'UTC';
    END IF;
    known := date_trunc('second', timestamp '2024-02-01' + random() * 1.2 * days * interval '1 day');
    CASE floor(random() * 4)::integer
      WHEN 0 THEN as_of := format('date %L', known::date); known := known::date + 1;
      WHEN 1 THEN as_of := format('%L', known::date); known := known::date + 1;
      WHEN 2 THEN as_of := format('timestamp %L', known);
      ELSE as_of := format('timestamptz %L', (known AT TIME ZONE zone)::text);
        known := (known AT TIME ZONE zone) AT TIME ZONE zone;
    END CASE;
    options := jsonb_strip_nulls(jsonb_build_object('time_zone', zone, 'states', to_jsonb(list), 'final',
      CASE WHEN cardinality(final) = 1 AND i % 3 = 0 THEN to_jsonb(final[1]) ELSE to_jsonb(final) END));
    query := format('SELECT pg_temp.said(migration_changes(%s, %s, s, %L, %s, %L)) FROM log',
                    CASE WHEN i % 4 = 1 THEN 'c::integer' ELSE 'c' END, at, p, as_of, options);
    EXECUTE query INTO have;
    want := pg_temp.expected(p, width, known, list, final);
    IF NOT EXISTS (SELECT FROM log) THEN CONTINUE; END IF;
    IF have IS DISTINCT FROM want THEN
      wrong := wrong || format(E'%s\n%s\ninstead of\n%s\n', query, have, want);
    END IF;
  END LOOP;
  RETURN wrong;
END $body$;
SELECT is(pg_temp.compared((200 * :cases)::integer), '', 'random logs');

-- The panel written out in full gives the same bytes.
TRUNCATE log;
INSERT INTO log SELECT n, t, t AT TIME ZONE 'UTC', pg_temp.pick('{a,b,c,d}'::text[])
FROM generate_series(1, 2000) n, generate_series(1, 4),
  LATERAL (SELECT timestamptz '2023-01-01 00:00+00' + (random() + n * 0) * interval '700 days' AS t) r;
SELECT is(migration_changes(c, wall, s, 'month', date '2024-12-15'),
          (SELECT migration_matrix(c, start, s, 'month')
           FROM pg_temp.written_out('month', '1 month', '2024-12-16', NULL, '{}')), 'as the panel in full') FROM log;
SELECT is(migration_changes(c, wall, s, 'day', '2024-11-30 12:00'),
          (SELECT migration_matrix(c, start, s, 'day')
           FROM pg_temp.written_out('day', '1 day', '2024-11-30', NULL, '{}')), 'by days') FROM log;
SELECT is((SELECT rollup(m) FROM (SELECT migration_changes(c, wall, s, 'month', '2024-12-15') AS m
                                  FROM log GROUP BY c) q),
          (SELECT migration_changes(c, wall, s, 'month', '2024-12-15') FROM log), 'adds up over customers');

-- Repeating a state changes nothing; nor do rows after as_of.
SELECT is(migration_changes(c, at, s, 'month', date '2024-12-31', '{"time_zone": "UTC"}'),
          (SELECT migration_changes(c, at, s, 'month', '2024-12-31', '{"time_zone": "UTC"}') FROM log),
          'the same state again is no change')
FROM (SELECT c, at, s FROM log UNION ALL SELECT c, at + interval '1 microsecond', s FROM log) q;
SELECT is(migration_changes(c, at, s, 'quarter', '2023-12-31', '{"time_zone": "UTC"}'),
          migration_changes(c, at, s, 'quarter', '2023-12-31', '{"time_zone": "UTC"}')
            FILTER (WHERE at < '2024-01-01 00:00+00'), 'rows after as_of change nothing') FROM log;

-- By hand: customers of the page.
CREATE TABLE few (c integer, d date, plan text);
INSERT INTO few VALUES (1, '2025-01-05', 'trial'), (1, '2025-01-12', 'basic'), (1, '2025-04-12', 'pro'),
  (2, '2025-01-20', 'trial'), (2, '2025-01-27', 'basic'), (2, '2025-06-27', 'left');
CREATE FUNCTION pg_temp.steps(m migration_matrix) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s>%s %s', from_segment, to_segment, customers), ', ' ORDER BY from_segment, to_segment)
  FROM migration_rows(m) WHERE customers > 0 $$;
SELECT is(pg_temp.steps(migration_changes(c, d, plan, 'month', '2025-06-30')),
          'basic>basic 6, basic>left 1, basic>pro 1, pro>pro 2', 'carried forward to June') FROM few;
SELECT is(pg_temp.steps(migration_changes(c, d, plan, 'month', '2025-06-29')),
          'basic>basic 6, basic>pro 1, pro>pro 1', 'June has not ended') FROM few;
SELECT is(pg_temp.steps(migration_changes(c, d, plan, 'month', '2025-09-30')),
          'basic>basic 6, basic>left 1, basic>pro 1, left>left 3, pro>pro 5', 'who left stays there') FROM few;
SELECT is(pg_temp.steps(migration_changes(c, d, plan, 'month', '2025-09-30', '{"final": "left"}')),
          'basic>basic 6, basic>left 1, basic>pro 1, pro>pro 5', 'a final segment ends it') FROM few;
SELECT is(pg_temp.steps(migration_changes(c, d, plan, 'month', timestamp '2025-07-01', '{"final": ["left", "gone"]}')),
          'basic>basic 6, basic>left 1, basic>pro 1, pro>pro 2', 'an instant is that instant') FROM few;
SELECT is(migration_changes(c, d, plan, 'month', '2024-12-31'), migration_changes(c, d, plan, 'month', '1999-12-31'),
          'nothing before the first row') FROM few;
SELECT is(migration_changes(c, d, plan, 'month', '2025-06-30', '{"final": ["left", "basic"]}'),
          migration_changes(c, d, plan, 'month', '2025-06-30', '{"final": ["basic", "left", "left"]}'),
          'the order of final segments is none') FROM few;

-- Types of segments: what their cast to text gives.
CREATE TYPE plan AS ENUM ('trial', 'basic', 'pro', 'left');
SELECT is(migration_changes(c, d, plan::plan, 'month', '2025-06-30', '{"final": "left"}'),
          migration_changes(c, d, plan, 'month', '2025-06-30',
                            '{"final": "left", "states": ["trial", "basic", "pro", "left"]}'), 'an enum') FROM few;
SELECT is(migration_changes(c, d, plan = 'basic', 'month', '2025-06-30', '{"final": true}'),
          migration_changes(c, d, (plan = 'basic')::text, 'month', '2025-06-30', '{"final": "true"}'), 'a boolean')
FROM few;
SELECT is(migration_changes(c, d, length(plan), 'month', '2025-06-30', '{"final": 4, "states": [5, 3, 4]}'),
          migration_changes(c, d, length(plan)::text, 'month', '2025-06-30',
                            '{"final": "4", "states": ["5", "3", "4"]}'), 'a number') FROM few;
SELECT is(migration_matrix(c, d, plan = 'basic', 'quarter'), migration_matrix(c, d, (plan = 'basic')::text, 'quarter'),
          'a boolean in a panel') FROM few;
SELECT is(migration_changes(ARRAY[c, NULLIF(c, 2)], d, plan, 'month', '2025-06-30'),
          migration_changes(c, d, plan, 'month', '2025-06-30') FILTER (WHERE c = 1), 'a NULL in an array is nobody')
FROM few;
CREATE TYPE key AS (c integer, more integer);
SELECT is(migration_matrix(ROW(c, NULLIF(c, 2))::key, d, plan, 'month'),
          migration_matrix(c, d, plan, 'month') FILTER (WHERE c = 1), 'a NULL in a row is nobody') FROM few;

-- citext: equal in SQL is equal here, and the label is the smallest.
CREATE TABLE written AS SELECT c, d, CASE c WHEN 1 THEN upper(plan) ELSE plan END::citext AS plan FROM few;
CREATE FUNCTION pg_temp.lower_steps(m migration_matrix) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(format('%s>%s %s', lower(from_segment), lower(to_segment), customers), ', '
                    ORDER BY lower(from_segment), lower(to_segment)) FROM migration_rows(m) WHERE customers > 0 $$;
SELECT is(pg_temp.lower_steps(migration_changes(c, d, plan, 'month', '2025-09-30', '{"final": "Left"}')),
          'basic>basic 6, basic>left 1, basic>pro 1, pro>pro 5', 'citext in a log') FROM written;
SELECT is((SELECT string_agg(DISTINCT from_segment, ',' ORDER BY from_segment) FROM migration_rows(m)),
          'BASIC,PRO,left',
          'the smallest label is shown')
FROM (SELECT migration_changes(c, d, plan, 'month', '2025-09-30', '{"final": "left"}') m FROM written) q;
SELECT is(migration_changes(c, d, plan, 'month', '2025-09-30', '{"states": ["Trial", "Basic", "Pro", "Left"]}'),
          (SELECT migration_changes(c, d, initcap(plan), 'month', '2025-09-30',
                                    '{"states": ["Trial", "Basic", "Pro", "Left"]}') FROM few), 'citext in a list')
FROM written;
SELECT is(pg_temp.lower_steps(migration_matrix(c, g::date, plan, 'day')), 'basic>basic 4, pro>pro 2, trial>basic 2',
          'citext in a panel')
FROM (VALUES (1, 1, 'trial'::citext), (1, 2, 'BASIC'), (1, 3, 'basic'), (1, 4, 'Basic'), (2, 1, 'Trial'),
      (2, 2, 'BASIC'), (2, 3, 'bASIC'), (2, 4, 'BASIC'), (3, 1, 'pro'), (3, 2, 'PRO'), (3, 3, 'pro')) v (c, n, plan),
  LATERAL (SELECT date '2025-01-01' + n AS g) d;
CREATE TABLE pairs AS SELECT * FROM (VALUES ('Gold'::citext, 'gold'::citext), ('GOLD', 'silver'), ('gold', 'Silver'))
  v (before, after);
SELECT is(pg_temp.steps(migration_matrix(before, after)), 'GOLD>GOLD 1, GOLD>Silver 2', 'citext in pairs') FROM pairs;
SELECT is(pg_temp.steps(migration_matrix(before, after, ARRAY['silver', 'gold'])), 'gold>gold 1, gold>silver 2',
          'citext in pairs of a list') FROM pairs;
SELECT is(array_agg((m).moved ORDER BY o), '{NULL,f,t}', 'citext in a window')
FROM (SELECT o, migration(s) OVER (ORDER BY o) m FROM (VALUES (1, 'A'::citext), (2, 'a'), (3, 'b')) v (o, s)) q;
SELECT is((array_agg(m ORDER BY o))[2]::text, '("",2,f)', 'an empty segment in a window')
FROM (SELECT o, migration('') OVER (ORDER BY o) m FROM generate_series(1, 2) o) q;

-- Errors.
SELECT throws_ok(format('SELECT migration_changes(c, %s) FROM few', call), state, message)
FROM (VALUES
  ('d, plan, ''month'', NULL::date', '22004', NULL),
  ('d, plan, NULL, ''2025-06-30''', '22004', 'period must not be NULL'),
  ('d, plan, ''month'', ''2025-06-30'', NULL', '22004', 'options must not be NULL'),
  ('d, plan, ''month'', ''infinity''', '22008', 'as_of must be finite, not "infinity"'),
  ('d, plan, ''month'', 20250630', '42804', 'as_of must be a date, timestamp, timestamptz or text, not integer'),
  ('c, plan, ''month'', ''2025-06-30''', '42804',
   'time of change must be a date, timestamp or timestamptz, not integer'),
  ('d, 1.5, ''month'', ''2025-06-30''', '42804',
   'segment must be text, an integer, a boolean or an enum, not numeric'),
  ('d, plan, ''month'', ''2025-06-30'', ''{"finl": "left"}''', '22023', 'unknown option "finl"'),
  ('d, plan, ''month'', ''2025-06-30'', ''["left"]''', '22023', 'options of migration_changes must be a JSON object'),
  ('d, plan, ''month'', ''2025-06-30'', ''{"final": {"a": 1}}''', '22023',
   'option "final" must be a segment or an array of segments, not {"a": 1}'),
  ('d, plan, ''month'', ''2025-06-30'', ''{"final": [null]}''', '22023',
   'option "final" must be a segment or an array of segments, not null'),
  ('d, plan, ''month'', ''2025-06-30'', ''{"time_zone": "Nowhere"}''', '22023', NULL),
  ('d, plan, ''month'', ''2025-06-30'', ''{"time_zone": 1}''', '22023',
   'option "time_zone" must be the name of a time zone, not 1'),
  ('d, plan, ''month'', ''2025-06-30'', ''{"states": []}''', '22023', 'list of states must not be empty'),
  ('d, plan, ''month'', ''2025-06-30'', ''{"states": ["a"]}''', '22023',
   'segment "trial" is not in the list of states'),
  ('d, plan, ''month'', ''2025-06-30'', ''{"states": ["trial", "basic", "pro", "left"], "final": "gone"}''', '22023',
   'segment "gone" is not in the list of states'),
  ('d, plan::plan, ''month'', ''2025-06-30'', ''{"final": "gone"}''', '22023',
   'segment "gone" is not in the list of states'),
  ('d, plan, CASE c WHEN 1 THEN ''month'' ELSE ''day'' END, ''2025-06-30''', '22023',
   'period must be the same in all rows of a group'),
  ('d, plan, ''month'', date ''2025-06-30'' + c', '22023', 'as_of must be the same in all rows of a group'),
  ('d, plan, ''month'', ''2025-06-30'', jsonb_build_object(''final'', c)', '22023',
   'options must be the same in all rows of a group'),
  ('CASE c WHEN 1 THEN ''infinity'' ELSE d END, plan, ''month'', ''2025-06-30''', '22008', NULL),
  ('d - 800000 * c, plan, ''hour'', date ''2025-06-30''', '54000', NULL))
  v (call, state, message);
SELECT is((SELECT array_agg(pg_temp.steps(m) ORDER BY c) FROM
           (SELECT c, migration_changes(c, d, plan, CASE c WHEN 1 THEN 'month' ELSE 'quarter' END,
                                        date '2025-06-30' + 30 * c, jsonb_build_object('final', plan)) m
            FROM (SELECT c, d, 'left' AS plan FROM few UNION ALL SELECT 3, '2025-01-01', 'left') q GROUP BY c) q),
          '{NULL,NULL,NULL}', 'each group has its own parameters');

-- Whatever the plan ---------------------------------------------------------------------------------------------------

CREATE TABLE many WITH (parallel_workers = 3) AS
SELECT n, (floor(random() * 1500))::integer AS c,
  timestamptz '2023-01-01 00:00+00' + random() * interval '700 days' AS at,
  pg_temp.pick('{a,b,B,A,c}'::text[])::citext AS f, pg_temp.pick('{trial,basic,pro,left}'::plan[]) AS e,
  date_trunc('day', timestamptz '2023-01-01 00:00+00' + random() * interval '30 days') AS tied
FROM generate_series(1, 12000) n;
INSERT INTO many SELECT n, NULL, at, f, e, tied FROM many WHERE n % 500 = 0;
ANALYZE many;
CREATE TABLE form (o serial, call text, answer text);
INSERT INTO form (call) VALUES
  ('migration_changes(c, at, f::text, ''month'', ''2024-11-30'')'),
  ('migration_changes(c, at, f, ''week'', ''2024-11-30'', ''{"final": "C", "time_zone": "Asia/Tokyo"}'')'),
  ('migration_changes(c::text, at, e, ''day'', date ''2024-11-30'', ''{"final": ["left"]}'')'),
  ('migration_changes(c, tied, f::text, ''day'', date ''2023-02-28'')'),
  ('migration_changes(ARRAY[c, 1], at, e, ''quarter'', date ''2024-11-30'', '
   '''{"states": ["left", "pro", "basic", "trial"]}'')'),
  ('migration_matrix(c, at, f, ''month'')'), ('migration_matrix(c % 2 = 0, at, f, ''month'')');
DO $$ DECLARE f record; r text; BEGIN
  FOR f IN SELECT * FROM form LOOP
    EXECUTE format('SELECT %s::text FROM (SELECT * FROM many ORDER BY n) q', f.call) INTO r;
    UPDATE form SET answer = r WHERE o = f.o;
  END LOOP;
END $$;
CREATE FUNCTION pg_temp.differ(source text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE f record; r text; found text := '';
BEGIN
  FOR f IN SELECT * FROM form ORDER BY o LOOP
    EXECUTE format('SELECT %s::text FROM %s', f.call, source) INTO r;
    IF r IS DISTINCT FROM f.answer THEN found := found || f.call || E'\n'; END IF;
  END LOOP;
  RETURN found;
END $$;
SELECT is(pg_temp.differ('(SELECT * FROM many ORDER BY random()) q'), '', 'in any order');
SET max_parallel_workers_per_gather = 3;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT matches(pg_temp.plan('SELECT migration_changes(c, at, e, ''month'', ''2024-11-30'') FROM many'),
               'Finalize Aggregate(.|\n)*Partial Aggregate', 'a parallel plan');
SELECT is(pg_temp.differ('many'), '', 'in workers');
SET enable_partitionwise_aggregate = on;
CREATE TABLE parts (LIKE many) PARTITION BY HASH (n);
SELECT format('CREATE TABLE parts_%s PARTITION OF parts FOR VALUES WITH (MODULUS 4, REMAINDER %1$s)', i)
FROM generate_series(0, 3) i \gexec
INSERT INTO parts TABLE many;
ANALYZE parts;
SELECT is(pg_temp.differ('parts'), '', 'over partitions');
RESET enable_partitionwise_aggregate;
SET max_parallel_workers_per_gather = 0;
SET TimeZone = 'America/New_York';
SELECT is(migration_changes(c, at, e, 'day', '2024-06-30', '{"time_zone": "Asia/Kolkata"}'),
          (SELECT migration_changes(c, at AT TIME ZONE 'Asia/Kolkata', e, 'day', '2024-06-30') FROM many),
          'the zone of the session changes nothing where one is given') FROM many;

-- Lists of states -----------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.list(m migration_matrix) RETURNS text LANGUAGE sql AS $$ SELECT (m::jsonb)->>'states' $$;
CREATE TYPE grown AS ENUM ('a', 'c');
CREATE TABLE kept (o serial, m migration_matrix);
INSERT INTO kept (m) SELECT migration_matrix('a'::grown, 'c'::grown);
INSERT INTO kept (m) SELECT migration_matrix(1, d, 'a'::grown, 'day')
FROM generate_series(date '2025-01-01', '2025-01-03', '1 day') d;
ALTER TYPE grown ADD VALUE 'b' BEFORE 'c';
ALTER TYPE grown ADD VALUE 'd';
INSERT INTO kept (m) SELECT migration_matrix('a'::grown, 'c'::grown);
SELECT is(pg_temp.said(rollup(m)), E'states ["a", "b", "c", "d"]\ncells a>c 2\nperiods \ntriples ', 'an enum that grew')
FROM kept WHERE o <> 2;
SELECT is(rollup(m ORDER BY o), rollup(m ORDER BY -o), 'in any order') FROM kept WHERE o <> 2;
SELECT is((SELECT m FROM kept WHERE o = 1) + (SELECT m FROM kept WHERE o = 3), rollup(m), 'likewise +')
FROM kept WHERE o <> 2;
SELECT is((m + n)::jsonb->'triples'->0->>'customers', '2', 'of panels too')
FROM kept, (SELECT migration_matrix(1, d::date, 'a', 'day', ARRAY['a', 'b', 'c']) n
            FROM generate_series(date '2025-01-01', '2025-01-03', '1 day') d) q WHERE o = 2;

-- Random parts of one list, of which at least one is whole: the sum is that of all customers, in any order.
CREATE FUNCTION pg_temp.parts_differ(cases integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE whole text[]; want migration_matrix; have migration_matrix; wrong text := '';
BEGIN
  CREATE TEMP TABLE part (o integer, list text[], f text, t text, m migration_matrix) ON COMMIT DROP;
  FOR i IN 1 .. cases LOOP
    whole := (SELECT array_agg(chr(96 + n) ORDER BY random()) FROM generate_series(1, 6) n);
    TRUNCATE part;
    INSERT INTO part (o, list)
    SELECT n, CASE WHEN n = 1 THEN whole
                   ELSE ARRAY(SELECT s FROM unnest(whole) WITH ORDINALITY u (s, k)
                              WHERE random() < 0.5 + n * 0 ORDER BY k) END
    FROM generate_series(1, 2 + floor(random() * 8)::integer) n;
    DELETE FROM part WHERE cardinality(list) = 0;
    UPDATE part SET f = pg_temp.pick(list), t = pg_temp.pick(list);
    UPDATE part p SET m = CASE WHEN p.o % 3 = 2 THEN r.named ELSE r.listed END
    FROM (SELECT o, migration_matrix(f, t) AS named, migration_matrix(f, t, list) AS listed FROM part GROUP BY o) r
    WHERE r.o = p.o;
    SELECT migration_matrix(f, t, whole) INTO want FROM part;
    FOR k IN 1 .. 3 LOOP
      SELECT rollup(m) INTO have FROM (SELECT m FROM part ORDER BY random()) q;
      IF have IS DISTINCT FROM want THEN
        wrong := wrong || format(E'%s: %s\n', whole, (SELECT string_agg(list::text, ' ') FROM part));
      END IF;
    END LOOP;
  END LOOP;
  RETURN wrong;
END $$;
SELECT is(pg_temp.parts_differ((60 * :cases)::integer), '', 'random parts of a list');
SELECT throws_ok('SELECT rollup(m) FROM (VALUES (migration_matrix(ARRAY[''a'', ''b''], ARRAY[1, 1, 1, 1])),
  (migration_matrix(ARRAY[''b'', ''c''], ARRAY[1, 1, 1, 1]))) v (m)', '22023',
  'migration matrices have different lists of states');
SELECT throws_ok('SELECT rollup(m) FROM (VALUES (migration_matrix(ARRAY[''a'', ''b''], ARRAY[1, 1, 1, 1])),
  (migration_matrix(ARRAY[''b'', ''a'', ''c''], ARRAY[1, 1, 1, 1, 1, 1, 1, 1, 1]))) v (m)', '22023',
  'migration matrices have their states in different orders');
SELECT throws_ok('SELECT migration_matrix(f, f, list) FROM (VALUES (''a'', ARRAY[''a'']), (''a'', ARRAY[''a'', ''b'']))
  v (f, list)', '22023', 'list of states must be the same in all rows');

-- An enum that gains a value while a query runs: parts of the aggregate have read different lists.
CREATE TYPE growing AS ENUM ('a', 'c');
CREATE TABLE grows (n integer, s growing) PARTITION BY RANGE (n);
CREATE TABLE grows_1 PARTITION OF grows FOR VALUES FROM (0) TO (100);
CREATE TABLE grows_2 PARTITION OF grows FOR VALUES FROM (100) TO (200);
INSERT INTO grows SELECT n, pg_temp.pick('{a,c}'::growing[]) FROM generate_series(0, 199) n;
ANALYZE grows;
CREATE FUNCTION pg_temp.grow(n integer) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  IF n = 100 THEN ALTER TYPE growing ADD VALUE 'b' BEFORE 'c'; END IF;
  RETURN n % 10;
END $$;
SET enable_partitionwise_aggregate = on;
CREATE TABLE grew AS
SELECT migration_matrix(pg_temp.grow(n), date '2025-01-01' + n / 10, s, 'day') AS m FROM grows;
SELECT matches(pg_temp.plan('SELECT migration_matrix(pg_temp.grow(n), date ''2025-01-01'' + n / 10, s, ''day'')
                             FROM grows'),
               'Append\s+->  Partial Aggregate', 'parts of an aggregate');
SELECT is(pg_temp.list(m), '["a", "b", "c"]', 'the enum has grown') FROM grew;
SELECT is(migration_matrix(n % 10, date '2025-01-01' + n / 10, s, 'day'), m, 'while the panel was counted')
FROM grows, grew GROUP BY m;
RESET enable_partitionwise_aggregate;

-- What combines parts of the pair form takes lists of which one is a part of the other, too.
CREATE AGGREGATE pg_temp.combined(migration_matrix) (SFUNC = migration_matrix_combine, STYPE = migration_matrix,
  FINALFUNC = migration_matrix_final);
SELECT is(pg_temp.combined(m ORDER BY o), rollup(m), 'combine: the shorter list first') FROM kept WHERE o <> 2;
SELECT is(pg_temp.combined(m ORDER BY -o), rollup(m), 'combine: the longer list first') FROM kept WHERE o <> 2;
SELECT throws_ok('SELECT pg_temp.combined(m) FROM (VALUES (migration_matrix(ARRAY[''a'', ''b''], ARRAY[1, 1, 1, 1])),
  (migration_matrix(ARRAY[''b'', ''a''], ARRAY[1, 1, 1, 1]))) v (m)', '22023',
  'list of states must be the same in all rows');

-- A list declared anew.
SELECT is(pg_temp.said(migration_with_states(m, '{x,c,a}')), E'states ["x", "c", "a"]\ncells a>c 1\nperiods \ntriples ',
          'states are added and stand in another order') FROM kept WHERE o = 1;
SELECT is(pg_temp.said(migration_with_states(m, '{x,d,a}', '{"c": "d", "gone": "x"}')),
          E'states ["x", "d", "a"]\ncells a>d 1\nperiods \ntriples ', 'a state has a new name') FROM kept WHERE o = 1;
SELECT is(pg_temp.said(migration_with_states(m, '{all}', '{"c": "all", "a": "all"}')),
          E'states ["all"]\ncells all>all 1\nperiods \ntriples ', 'states become one') FROM kept WHERE o = 1;
SELECT is(pg_temp.list(migration_with_states(m, '{a}')), '["a"]', 'an empty state may go') FROM kept WHERE o = 2;
SELECT is(migration_with_states(migration_changes(c, d, plan, 'month', '2025-09-30'),
                                '{trial,basic,pro,left}'),
          migration_changes(c, d, plan, 'month', '2025-09-30', '{"states": ["trial", "basic", "pro", "left"]}'),
          'as if it had been declared') FROM few;
SELECT is(migration_with_states(m, '{b,a}'), migration_matrix('{b,a}', '{0.7,0.3,0.9,0.1}'::float8[]),
          'given probabilities in another order')
FROM (SELECT migration_matrix('{a,b}', '{0.1,0.9,0.3,0.7}'::float8[]) m) q;
SELECT is(migration_with_states(NULL, '{a}'), NULL, 'NULL for NULL');
SELECT throws_ok(format('SELECT migration_with_states(m, %s)
                         FROM (SELECT migration_matrix(''a'', ''b'', 1) m) q', call),
                 state, message)
FROM (VALUES ('''{a}''', '22023', 'state "b" has customers, but is not in the list of states'),
  ('''{a,b,a}''', '22023', 'state "a" is in the list twice'), ('''{}''', '22023', 'list of states must not be empty'),
  ('''{a,b}'', ''[]''', '22023', 'renamed states must be a JSON object of old and new names'),
  ('''{a,b}'', ''{"a": 1}''', '22023', 'new name of state "a" must be a string')) v (call, state, message);
SELECT throws_ok('SELECT migration_with_states(migration_matrix(''{a,b}'', ''{0.1,0.9,0.3,0.7}''::float8[]),
                                               ''{a,b,c}'')',
                 '22023', 'a migration_matrix of given probabilities cannot have other states');

SELECT * FROM finish();
ROLLBACK;
