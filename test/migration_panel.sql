-- migration_matrix() of panels: cells, periods, runs of three periods and states as plain SQL counts them (lag), for
-- every type of customer, of time and of segment, gaps, several rows in a period, ties, zones; whatever the plan, the
-- order of rows and how they are split.  Random input: the seed is RETENTION_SEED or a new one, and is printed when the
-- file is run; RETENTION_CASES multiplies the number of random cases.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\getenv seed RETENTION_SEED
\getenv cases RETENTION_CASES
\if :{?seed}
\else
SELECT floor(random() * 1e9)::integer AS seed \gset
\endif
\if :{?cases}
\else
\set cases 1
\endif
SELECT setseed(:seed / 1e9) \g /dev/null
SELECT diag('RETENTION_SEED=' || :seed);
SET TimeZone = 'Asia/Kolkata';
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET statement_timeout = '300s';

CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; plan text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP plan := plan || line || E'\n'; END LOOP;
  RETURN plan;
END $$;
CREATE FUNCTION pg_temp.pick(anyarray) RETURNS anyelement
  LANGUAGE sql VOLATILE AS 'SELECT ($1)[1 + floor(random() * cardinality($1))::integer]';

-- The oracle ----------------------------------------------------------------------------------------------------------

-- A matrix as text: states; then cells, periods and triples, each sorted.
CREATE FUNCTION pg_temp.said(m migration_matrix) RETURNS text LANGUAGE sql AS $$
  SELECT format(E'%s %s\nstates %s\ncells %s\nperiods %s\ntriples %s', j->>'period', j->>'declared', j->>'states',
    (SELECT string_agg(format('%s>%s %s', e->>'from', e->>'to', e->>'customers'), ', ' ORDER BY e->>'from' COLLATE "C",
      e->>'to' COLLATE "C") FROM jsonb_array_elements(j->'cells') e),
    (SELECT string_agg(format('%s %s>%s %s', e->>'period_start', e->>'from', e->>'to', e->>'customers'),
      ', ' ORDER BY (e->>'period_start')::timestamp, e->>'from' COLLATE "C", e->>'to' COLLATE "C")
      FROM jsonb_array_elements(j->'periods') e),
    (SELECT string_agg(format('%s>%s>%s %s', e->>'before', e->>'from', e->>'to', e->>'customers'),
      ', ' ORDER BY e->>'before' COLLATE "C", e->>'from' COLLATE "C", e->>'to' COLLATE "C")
      FROM jsonb_array_elements(j->'triples') e))
  FROM (SELECT m::jsonb AS j) q $$;

-- The same of the table scene, by window functions.  wall: its time as wall clock; list: the declared states, if any.
CREATE FUNCTION pg_temp.expected(period text, wall text, list text[]) RETURNS text LANGUAGE plpgsql AS $body$
DECLARE
  r text;
  p text := format('date_trunc(%L, %s)', period, wall);
  width text := CASE period WHEN 'quarter' THEN '3 months' ELSE '1 ' || period END;
BEGIN
  IF period = 'week:sunday' THEN
    p := format('date_trunc(''week'', %s + interval ''1 day'') - interval ''1 day''', wall);
    width := '1 week';
  END IF;
  EXECUTE format($$
    WITH known AS (SELECT *, s ~ '^(0|-?[1-9][0-9]*)$' AS number
      FROM (SELECT c, at, s::text AS s, %1$s AS p FROM scene WHERE c IS NOT NULL AND at IS NOT NULL AND s IS NOT NULL)
      q),
    last AS (SELECT * FROM (SELECT *,
        row_number() OVER (PARTITION BY c, p ORDER BY at DESC, array_position($1, s) DESC, number, CASE WHEN number
        THEN s::numeric END DESC, s COLLATE "C" DESC) AS place FROM known) q
             WHERE place = 1),
    step AS (SELECT s, p, lag(s) OVER w AS f, lag(p) OVER w = p - %2$L::interval AS moved, lag(s, 2) OVER w AS b,
      lag(p, 2) OVER w = p - 2 * %2$L::interval AS twice FROM last WINDOW w AS (PARTITION BY c ORDER BY p))
    SELECT format(E'%%s %%s\nstates %%s\ncells %%s\nperiods %%s\ntriples %%s', %3$L, ($1 IS NOT NULL)::text,
      coalesce(to_jsonb($1), (SELECT jsonb_agg(s ORDER BY NOT number, CASE WHEN number THEN s::numeric END,
          s COLLATE "C") FROM (SELECT DISTINCT s, number FROM last) q), '[]'),
      (SELECT string_agg(format('%%s>%%s %%s', f, s, n), ', ' ORDER BY f COLLATE "C", s COLLATE "C")
        FROM (SELECT f, s, count(*) AS n FROM step WHERE moved GROUP BY 1, 2) q),
      (SELECT string_agg(format('%%s %%s>%%s %%s', to_char(p, 'YYYY-MM-DD"T"HH24:MI:SS'), f, s, n), ', ' ORDER BY p,
        f COLLATE "C", s COLLATE "C") FROM (SELECT p, f, s, count(*) AS n FROM step WHERE moved GROUP BY 1, 2, 3) q),
      (SELECT string_agg(format('%%s>%%s>%%s %%s', b, f, s, n), ', ' ORDER BY b COLLATE "C", f COLLATE "C",
        s COLLATE "C") FROM (SELECT b, f, s, count(*) AS n FROM step WHERE moved AND twice GROUP BY 1, 2, 3) q))
    $$, p, width, period) INTO r USING list;
  RETURN r;
END $body$;

-- Random scenes -------------------------------------------------------------------------------------------------------

CREATE TYPE mood AS ENUM ('zeal', 'calm', 'anger', 'never');
CREATE DOMAIN tier AS text;
CREATE TABLE key (type text, expression text);
INSERT INTO key VALUES ('integer', '(customer - 20)'), ('bigint', 'customer::bigint'),
  ('large bigint', '(customer * 7777777777 - 50000000000)'),
  ('bigint, one in seven large', 'CASE WHEN customer % 7 = 3 THEN customer::bigint << 33 ELSE customer::bigint END'),
    ('smallint', 'customer::smallint'), ('boolean', '(customer % 2 = 0)'),
  ('text', '(''customer '' || customer)'), ('text of all lengths', '(repeat(''x'', customer * 13 % 300) || customer)'),
    ('long text', '(customer || repeat(md5(customer::text), 700))'),
  ('uuid', 'md5(customer::text)::uuid'),
    ('numeric, in two scales', 'CASE WHEN random() < 0.5 THEN customer::numeric ELSE customer * 1.00 END'),
    ('float8', '(customer / 3.0)::float8'),
  ('date', '(date ''2000-01-01'' + customer)'), ('name', '(''n'' || customer)::name'),
    ('integer[]', 'ARRAY[customer, customer % 7]'), ('char(10)', 'customer::text::char(10)');
CREATE TABLE segment (kind text, expression text, list text[], given text);
INSERT INTO segment VALUES
  ('text', 'pg_temp.pick(''{seasonal,inactive,one_time,two_time,loyalist,under_performer}''::text[])', NULL, NULL),
  ('text, a list', 'pg_temp.pick(''{gold,silver,iron}''::text[])', '{platinum,gold,silver,bronze,iron}',
    '''{platinum,gold,silver,bronze,iron}''::text[]'),
  ('text of all lengths', 'repeat(pg_temp.pick(''{a,b,é,10,9}''::text[]), 1 + floor(random() * random() * '
    '120)::integer)', NULL, NULL),
  ('text that begins and ends alike',
    'pg_temp.pick(''{abcdefghijklmnop,abcdefghijkLmnop,abcdefgh,abcdXfgh,abcX,abc,axc,ab,a}''::text[])', NULL, NULL),
  ('varchar', 'pg_temp.pick(''{Gold,gold," gold"}''::text[])::varchar(9)', NULL, NULL),
    ('char(40)', 'pg_temp.pick(''{gold,"the second one"}''::text[])::char(40)', NULL, NULL),
  ('name', 'pg_temp.pick(''{gold,silver}''::text[])::name', NULL, NULL),
    ('a domain', 'pg_temp.pick(''{gold,silver}''::text[])::tier', NULL, NULL),
  ('smallint', 'pg_temp.pick(''{-1,0,2,10}''::smallint[])', NULL, NULL),
    ('integer', 'pg_temp.pick(''{-2147483648,0,9,10}''::integer[])', NULL, NULL),
  ('bigint', 'pg_temp.pick(''{-9223372036854775808,9223372036854775807,1,11,2}''::bigint[])', NULL, NULL),
    ('bigint, a list', 'floor(random() * 5)::bigint', '{4,2,0,1,3,7}', '''{4,2,0,1,3,7}''::bigint[]'),
  ('enum', 'pg_temp.pick(''{zeal,calm,anger}''::mood[])', '{zeal,calm,anger,never}', NULL),
    ('enum, a list', 'pg_temp.pick(''{zeal,calm,anger}''::mood[])', '{anger,calm,zeal}',
    '''{anger,calm,zeal}''::text[]'),
  ('a single one', '''all''::text', NULL, NULL), ('many', '(floor(random() * random() * 900))::text', NULL, NULL);

-- One random table: so many rows of so many customers over so many days, one row in so many with a NULL, times rounded
-- so that some are equal.
CREATE FUNCTION pg_temp.fill(events integer, customers integer, days float8, round_to text, key text, kind text,
  at_type text, nulls float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DROP TABLE IF EXISTS scene;
  EXECUTE format('CREATE TABLE scene AS SELECT n, CASE WHEN random() >= $4 / 3 THEN %s END AS c,
      CASE WHEN random() >= $4 / 3 THEN date_trunc(%L, at)::%s END AS at, CASE WHEN random() >= $4 / 3 THEN %s END AS s
                  FROM (SELECT n, floor(random() * random() * $2)::integer AS customer,
                    timestamptz ''2023-10-01 00:00+00'' + random() * $3 * interval ''1 day'' AS at
                    FROM generate_series(1, $1) n OFFSET 0) q',
                 (SELECT k.expression FROM key k WHERE k.type = fill.key), round_to, at_type,
                   (SELECT s.expression FROM segment s WHERE s.kind = fill.kind)) USING events, customers, days, nulls;
END $$;

-- What is wrong, or NULL.
CREATE FUNCTION pg_temp.check(period text, zone text, list text[], given text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  at_type text := (SELECT pg_typeof(at) FROM scene LIMIT 1);
  wall text := CASE WHEN at_type LIKE '%with time zone' THEN format('at AT TIME ZONE %L',
    coalesce(zone, 'Asia/Kolkata')) ELSE 'at::timestamp' END;
  call text := format('SELECT pg_temp.said(migration_matrix(c, at, s, %L%s%s)) FROM scene', period, ', ' || given,
    ', ' || quote_literal(zone));
  found text;
  want text := pg_temp.expected(period, wall, list);
BEGIN
  EXECUTE call INTO found;
  IF found IS DISTINCT FROM want THEN
    RETURN format(E'%s of %s rows, %s:\n%s\ninstead of\n%s', call, (SELECT count(*) FROM scene), at_type,
      left(found, 3000), left(want, 3000));
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION pg_temp.scenario(key text, kind text, cases integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  found text := '';
  periods text[] := '{hour,day,week,week:sunday,month,quarter,year}';
  zones text[] := '{NULL,UTC,America/New_York,Australia/Lord_Howe,Africa/Monrovia}';
  chosen record;
  period integer;
BEGIN
  SELECT * INTO chosen FROM segment s WHERE s.kind = scenario.kind;
  FOR i IN 1..2 * cases LOOP
    period := 1 + floor(random() * 7)::integer;
    PERFORM pg_temp.fill(pg_temp.pick('{5,60,900}'::integer[]), pg_temp.pick('{2,10,60}'::integer[]),
      (ARRAY[3, 20, 70, 70, 400, 900, 3000])[period],
                         CASE WHEN random() < 0.5 THEN 'microsecond'
                           ELSE (ARRAY['minute', 'hour', 'day', 'day', 'day', 'week', 'month'])[period] END,
                         key, kind, pg_temp.pick('{date,timestamp,timestamptz}'::text[]),
                           pg_temp.pick('{0,0.2}'::float8[]));
    found := concat_ws(E'\n', NULLIF(found, ''),
      pg_temp.check(periods[period], pg_temp.pick(zones), chosen.list, chosen.given));
  END LOOP;
  RETURN NEXT is(found, '', format('customers of type %s, segments %s', key, kind));
END $$;
SELECT pg_temp.scenario(key.type, 'text', ceil(:cases)::integer) FROM key;
SELECT pg_temp.scenario('integer', segment.kind, ceil(:cases)::integer) FROM segment;
SELECT pg_temp.scenario('text', segment.kind, ceil(:cases)::integer) FROM segment;

-- So many that logs are split, sorted as they grow, and given numbers midway.
CREATE FUNCTION pg_temp.large(title text, key text, kind text, events integer, customers integer, days float8,
  period text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE chosen record;
BEGIN
  SELECT * INTO chosen FROM segment s WHERE s.kind = large.kind;
  PERFORM pg_temp.fill(events, customers, days, 'hour', key, kind, 'timestamptz', 0.02);
  RETURN NEXT is(pg_temp.check(period, 'Europe/Paris', chosen.list, chosen.given), NULL, title);
END $$;
SELECT pg_temp.large('50,000 rows of some thousand customers', 'integer', 'text', 50000, 6000, 200, 'month');
SELECT pg_temp.large('50,000 rows in a few periods', 'bigint', 'integer', 50000, 2000, 3, 'day');
SELECT pg_temp.large('50,000 rows of a few customers', 'bigint', 'text, a list', 50000, 4, 20000, 'week');
SELECT pg_temp.large('50,000 rows, keys in text', 'text of all lengths', 'enum', 50000, 6000, 200, 'month');
SELECT pg_temp.large('50,000 rows, many segments', 'large bigint', 'many', 50000, 6000, 60, 'week:sunday');
SELECT pg_temp.fill(50000, 6000, 200, 'hour', 'bigint', 'text', 'timestamptz', 0.02);
INSERT INTO scene SELECT n, c << 32, at, s FROM scene WHERE c % 10 = 0;
SELECT is(pg_temp.check('month', NULL, NULL, NULL), NULL, 'large keys after 50,000 small ones');

-- Plans ---------------------------------------------------------------------------------------------------------------

CREATE TABLE panel (n integer, customer integer, at timestamptz, segment text, mood mood, level integer)
  WITH (parallel_workers = 3);
INSERT INTO panel
  SELECT n, CASE WHEN n % 97 > 0 THEN floor(random() * random() * 900)::integer END, CASE WHEN n % 53 > 0
    THEN date_trunc('hour', timestamptz '2024-01-01 00:00+00' + random() * interval '400 days') END,
         -- workers meet segments in orders of their own
         CASE WHEN n % 31 > 0 THEN 's' || floor(random() * 5 + n / 1500) END,
           (ARRAY['zeal', 'calm', 'anger']::mood[])[1 + floor(random() * 3)::integer], floor(random() * 4 + n / 2000)
  FROM generate_series(1, 9000) n;
INSERT INTO panel SELECT n, customer, at, pg_temp.pick('{s0,s3,s9,s10}'::text[]), mood, level FROM panel
  WHERE n % 7 = 0;
CREATE TABLE by_row (LIKE panel) PARTITION BY HASH (n);
SELECT format('CREATE TABLE by_row_%s PARTITION OF by_row FOR
    VALUES WITH (MODULUS 5, REMAINDER %1$s) WITH (parallel_workers = 2)', i) FROM generate_series(0, 4) i \gexec
INSERT INTO by_row TABLE panel;
CREATE TABLE with_empty (LIKE panel) PARTITION BY RANGE (n);
CREATE TABLE with_empty_all PARTITION OF with_empty FOR VALUES FROM (0) TO (100000);
CREATE TABLE with_empty_none PARTITION OF with_empty FOR VALUES FROM (100000) TO (200000);
INSERT INTO with_empty TABLE panel;
ANALYZE panel; ANALYZE by_row; ANALYZE with_empty;

CREATE TABLE form (o serial, call text, answer text);
INSERT INTO form (call) VALUES
  ('migration_matrix(customer, at, segment, ''month'')'),
    ('migration_matrix(customer, at, segment, ''week'', ''Europe/Paris'')'),
  ('migration_matrix(customer::bigint << 20, at, level, ''month'')'),
    ('migration_matrix(''customer '' || customer, at, segment, ''quarter'')'),
  ('migration_matrix(md5(customer::text)::uuid, at, mood, ''month'', ''Europe/Paris'')'),
    ('migration_matrix(ARRAY[customer, customer % 7], at::date, level, ''year'', ''{7,6,5,4,3,2,1,0,8}''::bigint[])'),
  ('migration_matrix(CASE WHEN customer % 5 = 0 THEN customer::bigint << 20 ELSE customer::bigint END, '
    'at::timestamp, segment, ''day'')'),
  ('migration_matrix(customer, at, '
    'segment, ''week:sunday'', ''{s10,s9,s8,s7,s6,s5,s4,s3,s2,s1,s0}''::text[], ''UTC'')');
DO $$
DECLARE f record; r text;
BEGIN
  FOR f IN SELECT * FROM form LOOP
    EXECUTE format('SELECT %s::text FROM (SELECT * FROM panel ORDER BY n) e', f.call) INTO r;
    UPDATE form SET answer = r WHERE o = f.o;
  END LOOP;
END $$;
SELECT is((SELECT count(DISTINCT answer) FROM form), 8::bigint, 'the forms give different matrices');

CREATE FUNCTION pg_temp.plans(title text, source text, plan_has text DEFAULT '') RETURNS SETOF text LANGUAGE plpgsql
  AS $$
DECLARE f record; r text; found text := ''; plan text;
BEGIN
  FOR f IN SELECT * FROM form ORDER BY o LOOP
    IF plan_has <> '' THEN
      plan := pg_temp.plan(format('SELECT %s FROM %s', f.call, source));
      IF plan !~ plan_has THEN found := found || f.call || E': another plan\n' || plan; END IF;
    END IF;
    EXECUTE format('SELECT %s::text FROM %s', f.call, source) INTO r;
    IF r IS DISTINCT FROM f.answer THEN found := found || f.call || E'\n'; END IF;
  END LOOP;
  RETURN NEXT is(found, '', title);
END $$;
SELECT t FROM unnest('{n DESC,at,at DESC,customer,"segment DESC, level",md5(n::text)}'::text[]) o,
  pg_temp.plans('rows ordered by ' || o, format('(SELECT * FROM panel ORDER BY %s) e', o)) t;
SET enable_partitionwise_aggregate = on;
SELECT pg_temp.plans('partition-wise', 'by_row', 'Append\s+->  Partial Aggregate');
SELECT pg_temp.plans('partition-wise, an empty partition', 'with_empty', 'Append\s+->  Partial Aggregate');
SET enable_partitionwise_aggregate = off;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 3;
SELECT pg_temp.plans('workers', 'panel',
  'Finalize Aggregate\s+->  Gather\s+Workers Planned: 3\s+->  Partial Aggregate');
SET parallel_leader_participation = off;
SELECT pg_temp.plans('workers without the leader', 'panel', 'Finalize Aggregate\s+->  Gather');
SET parallel_leader_participation = on;
SET enable_partitionwise_aggregate = on;
SELECT pg_temp.plans('workers over partitions', 'by_row', 'Gather.*Partial Aggregate');
SET enable_partitionwise_aggregate = off;

-- groups, many and small
CREATE TABLE grouped AS SELECT customer % 400 AS g, migration_matrix('c' || customer, at, segment, 'month') AS m,
  migration_matrix(customer, at, mood, 'month') AS e FROM panel GROUP BY 1;
SELECT ok(pg_temp.plan($$SELECT customer % 400, migration_matrix('c' || customer, at, segment, 'month') FROM panel
    GROUP BY 1$$) ~ 'Partial (Hash|Group)Aggregate', 'groups in workers');
SET max_parallel_workers_per_gather = 0;
SELECT is((SELECT count(*) FROM grouped
    JOIN (SELECT customer % 400 AS g, migration_matrix('c' || customer, at, segment, 'month') AS m,
    migration_matrix(customer, at, mood, 'month') AS e FROM panel GROUP BY 1) q
           ON q.m = grouped.m AND q.e = grouped.e AND q.g IS NOT DISTINCT FROM grouped.g), 401::bigint,
             'groups, with and without workers');
SELECT is((SELECT rollup(m) FROM grouped), (SELECT migration_matrix(customer, at, segment, 'month') FROM panel),
  'groups of customers add up to all');

-- the final function leaves the state as it was
SELECT is((SELECT array_agg(m ORDER BY n)
    FROM (SELECT n, migration_matrix(customer, at, segment, 'month') OVER (ORDER BY n)::text AS m FROM panel
    WHERE n BETWEEN 1 AND 300) q WHERE n IN (1, 100, 299)),
          (SELECT array_agg((SELECT migration_matrix(customer, at, segment, 'month') FROM panel o
              WHERE o.n BETWEEN 1 AND k)::text ORDER BY k) FROM unnest('{1,100,299}'::integer[]) k),
            'window frames that grow');
SELECT is((SELECT array_agg(m ORDER BY n)
    FROM (SELECT n, migration_matrix('c' || customer, at, mood, 'month') OVER (ORDER BY n)::text AS m FROM panel
    WHERE n BETWEEN 1 AND 600) q WHERE n IN (1, 300, 599)),
          (SELECT array_agg((SELECT migration_matrix('c' || customer, at, mood, 'month') FROM panel o
              WHERE o.n BETWEEN 1 AND k)::text ORDER BY k) FROM unnest('{1,300,599}'::integer[]) k),
            'window frames that grow, keys in text');
SELECT ok(a = b AND a <> c AND c = (SELECT migration_matrix(customer, at, segment, 'month') FROM panel WHERE n % 2 = 0),
  'one state for two aggregates, and FILTER')
FROM (SELECT migration_matrix(customer, at, segment, 'month') AS a,
  migration_matrix(customer, at, segment, 'month') AS b,
  migration_matrix(customer, at, segment, 'month') FILTER (WHERE n % 2 = 0) AS c FROM panel) q;

-- What counts ---------------------------------------------------------------------------------------------------------

SELECT is(pg_temp.said(migration_matrix(c, at::date, s, 'month')),
  E'month false\nstates ["a", "b", "c"]\ncells a>b 1, b>c 1\nperiods 2024-02-01T00:00:00 a>b 1, 2024-06-01T00:00:00 b>c 1\ntriples ',
  'a gap is no transition, the later row counts')
FROM (VALUES (1, '2024-01-31', 'a'), (1, '2024-02-01', 'c'), (1, '2024-02-29', 'b'), (1, '2024-05-05', 'b'),
  (1, '2024-06-01', 'c'), (2, '2024-01-01', 'a'), (2, NULL, 'z'), (2, '2024-02-01', NULL), (NULL, '2024-02-01', 'z'))
  v (c, at, s);
SELECT is((SELECT migration_matrix(1, date '2024-01-01' + d, CASE d WHEN 0 THEN s ELSE 'x' END,
    'day')::jsonb->'cells'->0->>'from' FROM unnest('{10,b,9,B}'::text[]) s, generate_series(0, 1) d), 'b',
  'a tie: names after numbers, by their bytes');
SELECT is((SELECT migration_matrix(1, date '2024-01-01' + d, CASE d WHEN 0 THEN s ELSE 99 END,
    'day')::jsonb->'cells'->0->>'from' FROM unnest('{9,10,-11}'::integer[]) s, generate_series(0, 1) d), '10',
  'a tie: numbers by size');
SELECT is((SELECT migration_matrix(1, date '2024-01-01' + d, CASE d WHEN 0 THEN s ELSE 'x' END, 'day',
    '{b,c,a,x}'::text[])::jsonb->'cells'->0->>'from' FROM unnest('{a,b,c}'::text[]) s, generate_series(0, 1) d), 'a',
  'a tie: declared states by the list');
SELECT is((SELECT migration_matrix(1, at, s, 'year', 'UTC')::jsonb->'cells'->0->>'from'
    FROM (VALUES (timestamptz '2024-01-01 00:00:00+00', 'first'), ('2024-12-31 23:59:59.999999+00', 'last'),
    ('2025-01-01 00:00:00+00', 'next')) v (at, s)), 'last', 'a whole year, to the microsecond');
SELECT ok((SELECT pg_temp.said(migration_matrix(c, at, s, 'hour')) ~ 'cells a>b 2\n'
    FROM (VALUES (1, timestamp '4713-01-01 00:00 BC', 'a'), (1, '4713-01-01 01:00 BC', 'b'),
    (2, '294276-12-31 22:00', 'a'), (2, '294276-12-31 23:59:59', 'b')) v (c, at, s)), 'the ends of the calendar');
SELECT is((SELECT migration_matrix(customer, at, segment, 'month') FROM panel),
  (SELECT migration_matrix(customer, at, segment, 'MONTH', 'Asia/Kolkata') FROM panel),
  'without a zone: that of the session');
SELECT is((SELECT migration_matrix(customer, at, segment, 'month', 'America/New_York') FROM panel
    WHERE at < '2024-11-01'), (SELECT migration_matrix(customer, at AT TIME ZONE 'America/New_York', segment, 'month')
    FROM panel WHERE at < '2024-11-01'), 'the month of an instant is that of the zone');
SELECT isnt((SELECT migration_matrix(customer, at, segment, 'day') FROM panel),
  (SELECT migration_matrix(customer, at, segment, 'day', 'America/New_York') FROM panel), 'which matters');
SELECT is((SELECT migration_matrix(customer, at, segment, 'month')::jsonb FROM panel WHERE false),
  (SELECT migration_matrix(a, a)::jsonb FROM (SELECT ''::text AS a) q WHERE false),
  'no rows: the matrix without states that any form gives');
SELECT is((SELECT pg_temp.said(migration_matrix(NULL::integer, at, segment, 'month')) FROM panel),
  E'month false\nstates []\ncells \nperiods \ntriples ', 'rows without customer alone');
SELECT is((SELECT pg_temp.said(migration_matrix(NULL::integer, at, mood, 'month')) FROM panel),
  E'month true\nstates ["zeal", "calm", "anger", "never"]\ncells \nperiods \ntriples ',
  'rows without customer alone, with a list of states');
SELECT is((SELECT migration_matrix(customer, at, 'all', 'month') FROM panel WHERE segment IS NOT NULL),
  (SELECT migration_matrix(customer, at, 'all'::text, 'month') FROM panel WHERE segment IS NOT NULL), 'a literal');
SELECT is((SELECT migration_matrix(c, at, s, 'month')
    FROM (SELECT customer::text COLLATE "C" AS c, at, segment COLLATE "POSIX" AS s FROM panel) q),
  (SELECT migration_matrix(customer, at, segment, 'month') FROM panel),
  'customers and segments of different collations');
SELECT is((SELECT count(DISTINCT m::text)
    FROM (SELECT n % 3 AS g, migration_matrix(customer, at, segment, (ARRAY['month', 'week', 'day'])[1 + n % 3]) AS m
    FROM panel GROUP BY 1) q), 3::bigint, 'groups with parameters of their own');

-- Errors --------------------------------------------------------------------------------------------------------------

SELECT throws_ok($$SELECT migration_matrix(customer, at, segment, CASE WHEN n % 2 = 0 THEN 'month' ELSE 'week' END)
    FROM panel$$, '22023', 'period must be the same in all rows of a group');
SELECT throws_ok($$SELECT migration_matrix(customer, at, segment, 'month', CASE WHEN n % 2 = 0 THEN 'UTC'
    ELSE 'Europe/Paris' END) FROM panel$$, '22023', 'time zone must be the same in all rows of a group');
SELECT throws_ok($$SELECT migration_matrix(customer, at, 's', 'month', CASE WHEN n % 2 = 0 THEN '{s,t}'
    ELSE '{t,s}' END::text[]) FROM panel$$, '22023', 'list of states must be the same in all rows of a group');
SET max_parallel_workers_per_gather = 3;
SELECT throws_ok($$SELECT migration_matrix(customer, at, segment, CASE WHEN ctid < '(20,1)' THEN 'month'
    ELSE 'week' END) FROM panel$$, '22023', 'period must be the same in all rows of a group',
  'a period that differs between workers');
SELECT throws_ok($$SELECT migration_matrix(customer, at, n % 1500, 'month') FROM panel$$, '54000',
  'a migration_matrix cannot have more than 1000 states', 'too many states in all workers together');
SET max_parallel_workers_per_gather = 0;
SELECT throws_ok($$SELECT migration_matrix(customer, at, n, 'month') FROM panel$$, '54000',
  'a migration_matrix cannot have more than 1000 states');
SELECT throws_ok($$SELECT migration_matrix(customer, at, segment, NULL) FROM panel$$, '22004',
  'period must not be NULL');
SELECT throws_ok($$SELECT migration_matrix(customer, at, segment, 'month', NULL::text) FROM panel$$, '22004',
  'time zone must not be NULL');
SELECT throws_ok($$SELECT migration_matrix(customer, at, segment, 'month', NULL::text[]) FROM panel$$, '22004',
  'list of states must not be NULL');
SELECT throws_ok(format('SELECT migration_matrix(customer, at, level, ''month'', ''{}''::%s[]) FROM panel', type),
  '22023', 'list of states must not be empty') FROM unnest('{text,bigint}'::text[]) type;
SELECT throws_ok(format('SELECT migration_matrix(customer, at, level, ''month'', ''{{1}}''::%s[]) FROM panel', type),
  '2202E', 'list of states must have one dimension, not 2') FROM unnest('{text,bigint}'::text[]) type;
SELECT throws_ok(format('SELECT migration_matrix(customer, at, level, ''month'', ''{1,NULL}''::%s[]) FROM panel', type),
  '22004', 'list of states must not contain NULL') FROM unnest('{text,bigint}'::text[]) type;
SELECT throws_ok($$SELECT migration_matrix(customer, at, segment, 'month', '{s0,s0}'::text[]) FROM panel$$, '22023',
  'state "s0" is in the list twice');
SELECT throws_like($$SELECT migration_matrix(customer, at, segment, 'month', '{s0,s2}'::text[]) FROM panel$$,
  'segment "s%" is not in the list of states');
SELECT throws_like($$SELECT migration_matrix(customer, at, segment, 'fortnight') FROM panel$$, '%"fortnight"%');
SELECT throws_like($$SELECT migration_matrix(customer, at, segment, 'month', 'Mars') FROM panel$$, '%"Mars"%');
SELECT throws_ok($$SELECT migration_matrix(customer, at, '', 'month') FROM panel$$, '22023',
  'a segment must not be the empty string');
SELECT throws_ok($$SELECT migration_matrix(customer, at, '(left)', 'month') FROM panel$$, '22023',
  '"(left)" cannot be the name of a segment');
SELECT throws_like($$SELECT migration_matrix(customer, at, repeat('x', 256), 'month') FROM panel$$,
  'segment "x%" is too long');
SELECT throws_ok($$SELECT migration_matrix(customer, customer, segment, 'month') FROM panel$$, '42804',
  'event time must be a date, timestamp or timestamptz, not integer');
SELECT throws_ok($$SELECT migration_matrix(customer, at, 1.5, 'month') FROM panel$$, '42804',
  'segment must be text, an integer, a boolean or an enum, not numeric');
SELECT throws_ok($$SELECT migration_matrix('{}'::json, at, segment, 'month') FROM panel$$, '42883',
  'customers of type json cannot be hashed');
SELECT throws_ok($$SELECT migration_matrix(1, t::timestamptz, 'a', 'month')
    FROM unnest('{2024-01-01,infinity}'::text[]) t$$, '22008', 'time "infinity" cannot be placed in a period');
SELECT throws_ok($$SELECT migration_matrix(1, t::date, 'a', 'month') FROM unnest('{2024-01-01,-infinity}'::text[]) t$$,
  '22008', 'time "-infinity" cannot be placed in a period');

-- Reference numbers: the states of CDNOW's customers at the end of each quarter ---------------------------------------

\set text `cat test/data/cdnow_sample.txt`
CREATE TABLE cdnow AS SELECT f[1] AS customer, to_date(f[3], 'YYYYMMDD') AS at
  FROM string_to_table(:'text', E'\n') line, LATERAL regexp_split_to_array(trim(line, E' \r'), ' +') f
  WHERE trim(line, E' \r') <> '';
\set text `grep ^cdnow_quarter test/reference/migration/mm_transitions.csv`
CREATE TABLE reference AS SELECT f[2]::integer AS period, f[3] AS from_state, f[4] AS to_state, f[5]::bigint AS n
  FROM string_to_table(:'text', E'\n') line, LATERAL string_to_array(trim(line, E'\r'), ',') f WHERE line <> '';
CREATE TABLE quarters AS
  SELECT customer, ending, (ARRAY['active', 'lapsing_1', 'lapsing_2', 'dormant'])[1
    + least(3, extract(year FROM age)::integer * 4 + extract(month FROM age)::integer / 3)] AS state
  FROM (SELECT customer, ending,
    age(date_trunc('quarter', ending::timestamp), date_trunc('quarter', max(at)::timestamp)) AS age
        FROM (SELECT (q + interval '3 months - 1 day')::date AS ending
          FROM generate_series(timestamp '1997-01-01', '1998-04-01', '3 months') q) e JOIN cdnow ON at <= ending
          GROUP BY 1, 2) l;
SELECT is((count(*), count(DISTINCT customer))::text, '(14142,2357)', 'the panel is complete') FROM quarters;
SELECT results_eq($$SELECT from_state, to_state, period, n FROM reference ORDER BY 3, 1, 2$$,
  $$SELECT e->>'from', e->>'to', (dense_rank() OVER (ORDER BY e->>'period_start') - 1)::integer,
    (e->>'customers')::bigint
    FROM (SELECT migration_matrix(customer, ending, state, 'quarter') AS m FROM quarters) q,
      jsonb_array_elements(m::jsonb->'periods') e ORDER BY 3, 1, 2$$,
      'transitions by period are those of the reference');
SELECT is((SELECT migration_matrix(customer, ending, state, 'quarter',
    '{active,lapsing_1,lapsing_2,dormant}'::text[])::jsonb->'states' FROM quarters),
  '["active", "lapsing_1", "lapsing_2", "dormant"]', 'states in the order of the reference');

SELECT * FROM finish();
ROLLBACK;
