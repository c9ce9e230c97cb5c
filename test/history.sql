-- customer_history: every event on its day and every amount to the last digit, whatever the order, plan, split or
-- session; its text and binary form, its cuts, clv_summary against SQL and against the published CDNOW summary, and its
-- size.
-- For damaged values see history_fuzz.sql; for money that comes back history_refunds.sql, though here are negative
-- amounts of every size. The oracle is count(*) and sum(numeric) over GROUP BY; a negative amount is no event.
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
SELECT diag('seed ' || :'seed');
SELECT setseed(:seed / 1e9) \g /dev/null
SET TimeZone = 'Asia/Kolkata';
SET jit = off;
SET statement_timeout = '120s';

CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; plan text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP plan := plan || line || E'\n'; END LOOP;
  RETURN plan;
END $$;
-- Rows that one query has and the other has not.
CREATE FUNCTION pg_temp.difference(have text, want text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
  EXECUTE format('WITH have AS MATERIALIZED (%s), want AS MATERIALIZED (%s)
    SELECT string_agg(line, E''\n'')
      FROM ((SELECT ''have '' || d::text FROM (TABLE have EXCEPT ALL TABLE want) d LIMIT 3)
      UNION ALL (SELECT ''want '' || d::text FROM (TABLE want EXCEPT ALL TABLE have) d LIMIT 3)) l (line)', have, want)
      INTO r;
  RETURN r;
END $$;

-- Events: amounts of every kind, in zones of every kind ---------------------------------------------------------------

CREATE FUNCTION pg_temp.pick(numeric[]) RETURNS numeric
  LANGUAGE sql AS 'SELECT ($1)[1 + floor(random() * cardinality($1))::integer]';
CREATE FUNCTION pg_temp.digits(n integer) RETURNS numeric LANGUAGE sql
  AS $$ SELECT string_agg(floor(random() * 10)::integer::text, '')::numeric FROM generate_series(1, greatest(n, 1)) $$;
CREATE FUNCTION pg_temp.amount(kind text, n integer) RETURNS numeric LANGUAGE plpgsql AS $$
DECLARE sign integer := CASE WHEN random() < 0.3 THEN -1 ELSE 1 END;
BEGIN
  CASE kind
    WHEN 'none' THEN RETURN NULL;
    WHEN 'cents' THEN RETURN round((random() * 300)::numeric, 2);
    WHEN 'refunds' THEN RETURN round((random() * 300 - 150)::numeric, 2);
    WHEN 'some' THEN RETURN CASE WHEN random() < 0.5 THEN round((random() * 300)::numeric, 2) END;
    WHEN 'scales' THEN RETURN round(sign * (random() * 100)::numeric * 1.00000000000000000001,
      floor(random() * 21)::integer);
    WHEN 'zeros' THEN RETURN round(0::numeric, floor(random() * 24)::integer);
    WHEN 'integers' THEN RETURN sign * pg_temp.digits(floor(random() * 25)::integer);
    WHEN 'round' THEN RETURN (sign * 10::numeric ^ floor(random() * 30)::integer)::numeric(60, 0);
    WHEN 'huge' THEN RETURN sign * ('1e' || floor(random() * 100)::text)::numeric * (1 + floor(random() * 9));
    WHEN 'tiny' THEN RETURN sign * ('1e-' || floor(random() * 50)::text)::numeric * (1 + floor(random() * 9));
    WHEN '2^61' THEN RETURN sign *
      (pg_temp.pick(ARRAY[2305843009213693952, 23058430092136939.52, 2.305843009213693952, 1152921504606846976,
        4611686018427387904, 9223372036854775807, 9223372036854775808, 1844674407370955161.6]::numeric[])
                                    + pg_temp.pick('{-2,-1,0,0,1,2,-0.01,0.01,0.000000000000000001}'));
    WHEN '10^18' THEN RETURN sign *
      (pg_temp.pick('{1000000000000000000,100000000000000000,10000000000000000.00,1.000000000000000000,10.00000000000000000,0.0000000000000000001}')
      + pg_temp.pick('{-1,0,1,0.5,-0.000000000000000001}'));
    -- n and n + 1 cancel each other, from big to small and back
    WHEN 'cancel' THEN RETURN CASE n % 2 WHEN 0 THEN 1
      ELSE -1 END * pg_temp.pick('{1e30,1e30,2305843009213693952,99999999999999999999.99,1e30,5,12345678901234567890.123456789012345678901}');
    WHEN 'long' THEN RETURN sign * (pg_temp.digits(floor(random() * 400)::integer) || '.'
      || pg_temp.digits(floor(random() * 400)::integer))::numeric;
    WHEN 'all' THEN RETURN pg_temp.amount((ARRAY['none', 'cents', 'scales', 'zeros', 'integers', 'round', 'huge',
        'tiny', '2^61', '10^18', 'cancel', 'long'])[1 + floor(random() * 12)::integer], n);
  END CASE;
END $$;
CREATE TABLE customer AS
  SELECT row_number() OVER () AS c, kind,
    (ARRAY['UTC', 'Europe/Berlin', 'America/New_York', 'Pacific/Apia', 'Asia/Kathmandu', 'Australia/Lord_Howe',
      'America/St_Johns'])[1 + floor(random() * 7)::integer] AS zone,
         1 + floor(random() * random() * 60)::integer AS events,
           (ARRAY[3, 30, 700])[1 + floor(random() * 3)::integer] AS span
  FROM unnest('{none,cents,refunds,some,scales,zeros,integers,round,huge,tiny,2^61,10^18,cancel,long,all}'::text[])
    kind, generate_series(1, (16 * :cases)::integer);
CREATE TABLE ev WITH (parallel_workers = 3) AS
  SELECT row_number() OVER (ORDER BY random())::integer AS n, c, zone,
    timestamptz '2011-12-29 00:00+00' + make_interval(mins => floor(random() * span * 1440)::integer) AS at,
    pg_temp.amount(kind, i) AS amount, floor(random() * 5)::integer AS part
  FROM customer, generate_series(1, events) i;
INSERT INTO ev SELECT * FROM ev WHERE n % 7 = 0;
INSERT INTO ev SELECT -n, c, zone, NULL, CASE n % 3 WHEN 0 THEN 'NaN' ELSE amount END, part FROM ev WHERE n % 13 = 0;
ALTER TABLE ev ADD day date;
ALTER TABLE ev ADD bought boolean;
UPDATE ev SET day = (at AT TIME ZONE zone)::date, bought = amount IS NULL OR amount >= 0;
ANALYZE ev;
CREATE TABLE hist (c bigint, h customer_history);
INSERT INTO hist SELECT c, customer_history(at, amount, zone) FROM ev GROUP BY c;

SELECT is((SELECT count(*) FROM hist), (SELECT count(DISTINCT c) FROM ev), 'a history for each customer');
SELECT is(pg_temp.difference('SELECT c, d.day, d.events, d.amount::text FROM hist, history_days(h) d',
    'SELECT c, day, count(*) FILTER (WHERE bought), sum(amount)::text FROM ev WHERE at IS NOT NULL GROUP BY c, day'),
  NULL, 'days, events and amounts as GROUP BY has them, digit by digit');
SELECT is_empty('SELECT FROM (SELECT day, lag(day) OVER (PARTITION BY c ORDER BY o) AS before
    FROM hist, history_days(h) WITH ORDINALITY d (day, events, amount, o)) q WHERE day <= before', 'days ascend');
SELECT is(pg_temp.difference('SELECT c, events(h), active_days(h), first_day(h), last_day(h), total_amount(h)::text
    FROM hist',
                             'SELECT c, count(*) FILTER (WHERE bought), count(DISTINCT day) FILTER (WHERE bought),
                               min(day) FILTER (WHERE bought), max(day) FILTER (WHERE bought), sum(amount)::text FROM ev
                               WHERE at IS NOT NULL GROUP BY c'), NULL,
                               'events, active_days, first_day, last_day, total_amount');
SELECT is(pg_temp.difference('SELECT c, h::jsonb::text FROM hist',
                             $$SELECT c, jsonb_build_object('days',
                                 jsonb_agg(jsonb_build_object('day', day, 'events', events, 'amount', amount)
                                 ORDER BY day))::text FROM (SELECT c, day, count(*) FILTER (WHERE bought) AS events,
                                 sum(amount) AS amount FROM ev WHERE at IS NOT NULL GROUP BY c, day) d GROUP BY c$$), NULL, 'jsonb');
SELECT is(pg_temp.difference('SELECT c, customer_history(at, zone)::text FROM ev GROUP BY c',
    'SELECT c, customer_history(at, NULL, zone)::text FROM ev GROUP BY c'), NULL, 'no amounts: as if all were NULL');
SELECT is(pg_temp.difference('SELECT c, d.day, d.events, d.amount::text
    FROM (SELECT c, customer_history(at, zone) AS h FROM ev GROUP BY c) q, history_days(h) d',
    'SELECT c, day, count(*), NULL FROM ev WHERE at IS NOT NULL GROUP BY c, day'), NULL, 'and the same days');
SELECT is(pg_temp.difference('SELECT c, customer_history(day, amount)::text FROM ev GROUP BY c',
    'SELECT c, h::text FROM hist'), NULL, 'from dates');
SELECT is(pg_temp.difference('SELECT c, customer_history(at AT TIME ZONE zone, amount, ''Asia/Tokyo'')::text FROM ev
    GROUP BY c', 'SELECT c, h::text FROM hist'), NULL, 'from timestamps, which no zone moves');
SELECT is(pg_temp.difference('SELECT part, customer_history(at, amount, zone)::text FROM ev GROUP BY part',
    'SELECT part, customer_history(day, amount)::text FROM ev GROUP BY part'), NULL, 'a zone for each row');

-- clv_summary ---------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.summary_difference(as_of date, unit text, days numeric) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.difference(
    format('SELECT c, frequency, recency, age, monetary_value::text FROM hist, clv_summary(h, %L, %L)', as_of, unit),
    -- charged: the latest purchase day on or before the row's
    format('SELECT c, CASE WHEN min(day) IS NOT NULL THEN count(*) FILTER (WHERE day > first) END,
        (max(day) - min(day))::float8 / %2$L::float8, (%1$L::date - min(day))::float8 / %2$L::float8,
        avg(amount) FILTER (WHERE day > first)::text
            FROM (SELECT c, charged AS day, sum(amount) AS amount, min(charged) OVER (PARTITION BY c) AS first
              FROM (SELECT c, amount, max(day) FILTER (WHERE bought) OVER (PARTITION BY c ORDER BY day) AS charged FROM ev
                WHERE at IS NOT NULL AND day <= %1$L) e
              WHERE charged IS NOT NULL GROUP BY c, charged) d RIGHT JOIN hist USING (c)
              GROUP BY c', as_of, days)) $$;
SELECT is(pg_temp.summary_difference('2030-01-01', unit, days), NULL, 'clv_summary by SQL, after all days, by ' || unit)
FROM (VALUES ('day', 1), ('week', 7), ('month', 30.4375), ('quarter', 91.3125), ('year', 365.25)) u (unit, days);
SELECT is(pg_temp.summary_difference(as_of, unit, days), NULL, format('clv_summary by SQL, at %s, by %s', as_of, unit))
FROM (VALUES ('day', 1), ('week', 7), ('month', 30.4375)) u (unit, days),
  unnest('{2011-12-28,2011-12-29,2012-01-03,2012-08-01,2020-02-29}'::date[]) as_of;
SELECT is((SELECT r::text FROM hist, clv_summary(h, '2012-08-01') r WHERE c = 1),
  (SELECT r::text FROM hist, clv_summary(h, '2012-08-01', 'day') r WHERE c = 1), 'the default unit');
SELECT throws_ok(query, state, message, query) FROM (VALUES
  ('SELECT clv_summary(h) FROM hist', '42883', 'function clv_summary(customer_history) does not exist'),
  ('SELECT clv_summary(h, NULL) FROM hist', '22004', 'as_of must not be NULL'),
  ('SELECT rfm(h, ''2012-08-01'') FROM hist', '42883', 'function rfm(customer_history, unknown) does not exist'))
  e (query, state, message);

-- Any split, any order, any plan: the same bytes ----------------------------------------------------------------------

CREATE FUNCTION pg_temp.same(query text, title text) RETURNS text LANGUAGE sql
  AS $$ SELECT is(pg_temp.difference(query, 'SELECT c, h::text FROM hist'), NULL, title) $$;
SELECT pg_temp.same(format('SELECT c, customer_history(at, amount, zone ORDER BY %s)::text FROM ev GROUP BY c', o),
  'rows ordered by ' || o) FROM unnest('{n,n DESC,at,at DESC,amount,abs(amount) DESC,md5(n::text)}'::text[]) o;
CREATE TABLE piece WITH (parallel_workers = 2) AS SELECT n, c, customer_history(at, amount, zone) AS h FROM ev
  GROUP BY n, c;
CREATE TABLE portion AS SELECT part, c, customer_history(at, amount, zone) AS h FROM ev GROUP BY part, c;
INSERT INTO portion SELECT 9, c, NULL FROM portion WHERE part = 0;
ANALYZE piece;
SELECT pg_temp.same(format('SELECT c, rollup(h ORDER BY %s)::text FROM piece GROUP BY c', o),
  'rollup of single rows by ' || o) FROM unnest('{n,n DESC,md5(n::text)}'::text[]) o;
SELECT pg_temp.same(format('SELECT c, rollup(h ORDER BY %s)::text FROM portion GROUP BY c', o),
  'rollup of five parts by ' || o) FROM unnest('{part,part DESC,h::text}'::text[]) o;
SELECT pg_temp.same('SELECT c, rollup(h)::text FROM (SELECT c, rollup(h) AS h FROM piece GROUP BY c, n % 3) q
    GROUP BY c', 'rollup of rollups');
CREATE TABLE five AS SELECT c, a.h AS a, b.h AS b, d.h AS d, e.h AS e, f.h AS f FROM (SELECT c FROM hist) q
  LEFT JOIN portion a USING (c) LEFT JOIN portion b USING (c) LEFT JOIN portion d USING (c)
  LEFT JOIN portion e USING (c) LEFT JOIN portion f USING (c)
  WHERE (coalesce(a.part, 0), coalesce(b.part, 1), coalesce(d.part, 2), coalesce(e.part, 3), coalesce(f.part, 4)) =
    (0, 1, 2, 3, 4);
SELECT cmp_ok(count(*), '>', 30::bigint, 'customers in all five parts') FROM five WHERE num_nulls(a, b, d, e, f) = 0;
SELECT is(count(*) FILTER (WHERE (h::text = ALL (ARRAY[x::text, y::text, z::text, w::text])) IS NOT TRUE), 0::bigint,
  'brackets around || do not matter') FROM hist
  JOIN (SELECT c, a || b || d || e || f AS x, f || (e || (d || (b || a))) AS y, (a || b) || ((d || e) || f) AS z,
  ((e || a) || NULL || f) || (d || b) AS w FROM five WHERE num_nulls(a, b, d, e, f) = 0) q USING (c);
-- two at a time, in any order, until one is left
CREATE FUNCTION pg_temp.merged(pieces customer_history[]) RETURNS customer_history LANGUAGE plpgsql AS $$
DECLARE
  n integer := cardinality(pieces);
  i integer;
  j integer;
BEGIN
  WHILE n > 1 LOOP
    i := 1 + floor(random() * n)::integer;
    j := 1 + floor(random() * (n - 1))::integer;
    IF j >= i THEN j := j + 1; END IF;
    pieces[i] := pieces[i] || pieces[j];
    pieces[j] := pieces[n];
    n := n - 1;
  END LOOP;
  RETURN pieces[1];
END $$;
SELECT is(count(*) FILTER (WHERE (pg_temp.merged(pieces)::text = h::text AND pg_temp.merged(pieces)::text = h::text) IS
    NOT TRUE), 0::bigint, format('|| of single rows, %s customers, in any order and grouping', count(*))) FROM hist
  JOIN (SELECT c, array_agg(h ORDER BY n) AS pieces FROM piece GROUP BY c) q USING (c);
SELECT is(pg_temp.difference('SELECT c, rollup(h)::text
    FROM (SELECT c, part, rollup(h) AS h FROM (SELECT c, h, floor(random() * 7) AS part FROM piece) p GROUP BY c, part)
    q GROUP BY c', 'SELECT c, h::text FROM hist'), NULL, 'rollup of any seven parts') FROM generate_series(1, 5);
SELECT is(count(*) FILTER (WHERE (h || h)::text <> x::text), 0::bigint, 'h || h: everything twice') FROM hist
  JOIN (SELECT c, customer_history(at, amount, zone) AS x FROM (TABLE ev UNION ALL TABLE ev) e GROUP BY c) q USING (c);
SELECT is(count(*) FILTER (WHERE total_amount(h || x)::text IS DISTINCT FROM (total_amount(h) - total_amount(h))::text),
  0::bigint, 'a history and its refunds are zero, of the same scale') FROM hist
  JOIN (SELECT c, customer_history(at, -amount, zone) AS x FROM ev GROUP BY c) q USING (c);

CREATE TABLE by_row (LIKE ev) PARTITION BY HASH (n);
CREATE TABLE by_customer (LIKE ev) PARTITION BY HASH (c);
SELECT format('CREATE TABLE by_row_%s PARTITION OF by_row FOR
    VALUES WITH (MODULUS 3, REMAINDER %1$s) WITH (parallel_workers = 2)', i) FROM generate_series(0, 2) i \gexec
SELECT format('CREATE TABLE by_customer_%s PARTITION OF by_customer FOR
    VALUES WITH (MODULUS 3, REMAINDER %1$s) WITH (parallel_workers = 2)', i) FROM generate_series(0, 2) i \gexec
INSERT INTO by_row TABLE ev;
INSERT INTO by_customer TABLE ev;
ANALYZE by_row; ANALYZE by_customer;
CREATE FUNCTION pg_temp.plan_same(source text, plan_has text, title text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE query text := format('SELECT c, customer_history(at, amount, zone)::text FROM %s GROUP BY c', source);
BEGIN
  RETURN NEXT matches(pg_temp.plan(query), plan_has, title || ': the plan');
  RETURN NEXT pg_temp.same(query, title);
  query := format('SELECT customer_history(at, %%s)::text FROM %s', source);
  RETURN NEXT is(pg_temp.difference(format(query, 'amount, zone'), 'SELECT rollup(h)::text FROM hist'), NULL,
    title || ', all customers as one');
  RETURN NEXT is(pg_temp.difference(format(query, 'zone'),
      'SELECT customer_history(day)::text FROM (SELECT * FROM ev ORDER BY n DESC) e'), NULL,
    title || ', without amounts');
END $$;
SET max_parallel_workers_per_gather = 0;
SET enable_partitionwise_aggregate = on;
SELECT pg_temp.plan_same('by_row', 'Append\s+->  Partial (Hash|Group)Aggregate',
  'partition-wise, customers in all partitions');
SELECT pg_temp.plan_same('by_customer', 'Append\s+->  (Hash|Group)Aggregate',
  'partition-wise, customers in one partition each');
SET enable_hashagg = off;
SELECT pg_temp.plan_same('by_row', 'Partial GroupAggregate', 'partition-wise, sorted');
RESET enable_hashagg;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 3;
-- Whether workers aggregate before or after sending depends on the major.
SELECT pg_temp.plan_same('by_row', 'Gather', 'workers, partition-wise');
SET enable_partitionwise_aggregate = off;
SELECT pg_temp.plan_same('ev', 'Gather.*Workers Planned: [1-3]\s.*Partial (Hash|Group)Aggregate', 'workers');
SET parallel_leader_participation = off;
SELECT pg_temp.plan_same('ev', 'Gather.*Workers Planned: [1-3]\s.*Partial (Hash|Group)Aggregate',
  'workers without the leader');
RESET parallel_leader_participation;
SELECT matches(pg_temp.plan('SELECT c, rollup(h) FROM piece GROUP BY c'), 'Gather.*Partial (Hash|Group)Aggregate',
  'rollup is split among workers');
SELECT pg_temp.same('SELECT c, rollup(h)::text FROM piece GROUP BY c', 'to the same histories');
CREATE TABLE nothing (LIKE ev) WITH (parallel_workers = 2);
SELECT is((SELECT customer_history(at, amount, 'UTC')::text FROM nothing),
  (SELECT customer_history(at)::text FROM ev WHERE false), 'no rows, in workers');
SELECT throws_ok('SELECT c, customer_history(at, CASE n WHEN 1 THEN ''NaN'' ELSE amount END, zone) FROM ev
    WHERE at IS NOT NULL GROUP BY c', '22003', 'amount must be a finite number, not NaN', 'an error in a worker');
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
SET max_parallel_workers_per_gather = 0;

-- States: shared, finished again and again, filtered, many.
SELECT is(pg_temp.difference('SELECT c, events(customer_history(at, amount, zone)),
    customer_history(at, amount, zone)::text, total_amount(customer_history(at, amount, zone))::text,
    customer_history(at, amount, zone)::text, customer_history(at, zone)::text,
    customer_history(DISTINCT at, zone)::text FROM ev GROUP BY c',
                             'SELECT c, events(h), h::text, total_amount(h)::text, h::text,
                               (SELECT customer_history(at, zone)::text FROM ev WHERE c = hist.c),
                               (SELECT customer_history(at, zone)::text
                                 FROM (SELECT DISTINCT at, zone FROM ev WHERE c = hist.c) e) FROM hist'), NULL,
                               'several in one query');
SELECT is(pg_temp.difference('SELECT c, customer_history(at, amount, zone) FILTER (WHERE part < 2)::text,
    customer_history(at, amount, zone) FILTER (WHERE part >= 2)::text FROM ev GROUP BY c',
                             'SELECT c, (SELECT customer_history(at, amount, zone)::text FROM ev
                                 WHERE c = hist.c AND part < 2), (SELECT customer_history(at, amount, zone)::text
                                 FROM ev WHERE c = hist.c AND part >= 2) FROM hist'), NULL, 'FILTER');
CREATE TABLE step AS SELECT *, row_number() OVER (PARTITION BY c ORDER BY n) AS o
  FROM (SELECT DISTINCT ON (n) * FROM ev WHERE c % 4 = 0 ORDER BY n) e;
SELECT is(pg_temp.difference('SELECT c, o, customer_history(at, amount, zone) OVER (PARTITION BY c ORDER BY n)::text
    FROM step', 'SELECT c, o, (SELECT customer_history(at, amount, zone)::text
    FROM (SELECT * FROM step WHERE c = s.c AND o <= s.o ORDER BY at) e) FROM step s'), NULL,
  'OVER a growing frame: the state is finished after each row and goes on');
SELECT is(pg_temp.difference('SELECT c, o,
    customer_history(at, amount, zone) OVER (PARTITION BY c ORDER BY n ROWS BETWEEN 3 PRECEDING AND 1 FOLLOWING)::text
    FROM step', 'SELECT c, o, (SELECT customer_history(at, amount, zone)::text
    FROM (SELECT * FROM step WHERE c = s.c AND o BETWEEN s.o - 3 AND s.o + 1 ORDER BY at) e) FROM step s'), NULL,
  'OVER a moving frame');
SELECT is(pg_temp.difference('SELECT c, n, rollup(h) OVER (PARTITION BY c ORDER BY n)::text FROM piece WHERE c % 4 = 0',
    'SELECT c, n, (SELECT rollup(h)::text FROM (SELECT * FROM piece WHERE c = p.c AND n <= p.n ORDER BY n DESC) e)
    FROM piece p WHERE c % 4 = 0'), NULL, 'rollup OVER a growing frame');
SELECT is(pg_temp.difference('SELECT c, zone, customer_history(at, amount, zone)::text FROM ev
    GROUP BY GROUPING SETS ((c), (zone), ())',
    'SELECT c, NULL, h::text FROM hist UNION ALL SELECT NULL, zone, rollup(h)::text FROM hist JOIN customer USING (c)
    GROUP BY zone UNION ALL SELECT NULL, NULL, rollup(h)::text FROM hist'), NULL, 'GROUPING SETS');
SET work_mem = '4MB';
SELECT results_eq('SELECT count(*), sum(events(h)), sum(total_amount(h)), min(first_day(h)), max(last_day(h))
    FROM (SELECT customer_history(date ''2024-01-01'' + i % 366, 9.99) AS h FROM generate_series(1, 1000000) i
    GROUP BY i) q',
                  'VALUES (1000000::bigint, 1000000::numeric, 9990000.00, date ''2024-01-01'', date ''2024-12-31'')',
                    'a million customers in little memory');
RESET work_mem;

-- Cuts ----------------------------------------------------------------------------------------------------------------

CREATE TABLE cut AS SELECT DISTINCT c, h, d.day + o AS day FROM hist, history_days(h) d, generate_series(-1, 1) o
  WHERE c % 3 = 0;
SELECT is(count(*) FILTER (WHERE (history_until(h, day) || history_since(h, day + 1))::text <> h::text
    OR (history_since(h, day + 1) || history_until(h, day))::text <> h::text), 0::bigint,
  'until || since the next day is the whole') FROM cut;
SELECT is(count(*) FILTER (WHERE active_days(history_until(h, day)) + active_days(history_since(h, day + 1)) <>
    active_days(h)), 0::bigint, 'and no day is in both') FROM cut;
SELECT is(pg_temp.difference('SELECT c, cut.day, history_until(h, cut.day)::text, history_since(h, cut.day)::text
    FROM cut',
                             'SELECT c, cut.day, (SELECT customer_history(at, amount, zone)::text FROM ev
                                 WHERE c = cut.c AND ev.day <= cut.day),
                               (SELECT customer_history(at, amount, zone)::text FROM ev
                                 WHERE c = cut.c AND ev.day >= cut.day) FROM cut'), NULL,
                               'the same as from the events alone');
SELECT is(count(*) FILTER (WHERE (history_until(h, 'infinity')::text, history_since(h, '-infinity')::text,
    active_days(history_until(h, '-infinity')), active_days(history_since(h, 'infinity'))) IS DISTINCT FROM (h::text,
    h::text, 0::bigint, 0::bigint)), 0::bigint, 'cuts at infinity') FROM hist;

-- Days and zones ------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.days(h customer_history) RETURNS text LANGUAGE sql
  AS $$ SELECT string_agg(to_char(day, 'YYYY-MM-DD') || CASE WHEN day < '0001-01-01' THEN ' BC'
    ELSE '' END || ' x' || events, ', ') FROM history_days(h) $$;
CREATE FUNCTION pg_temp.answer_in(zone text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
  PERFORM set_config('TimeZone', zone, true);
  EXECUTE query INTO r;
  RETURN r;
END $$;
CREATE TABLE instant AS SELECT timestamptz '2025-01-31 23:30+00' + i * interval '5 hours' AS at
  FROM generate_series(0, 9) i;
SELECT is(count(DISTINCT a)::text || ' ' || min(a), '1 2025-02-01 x5, 2025-02-02 x5',
  'the zone given counts, not the session''s')
FROM unnest('{UTC,Asia/Tokyo,America/Los_Angeles,Pacific/Kiritimati,Pacific/Apia}'::text[]) z,
  pg_temp.answer_in(z, 'SELECT pg_temp.days(customer_history(at, ''Europe/Berlin'')) FROM instant') a;
SELECT is(pg_temp.answer_in(z, 'SELECT customer_history(at, 1)::text FROM instant'),
  (SELECT customer_history(at, 1, z)::text FROM instant), 'without one, the session''s counts: ' || z)
  FROM unnest('{UTC,Asia/Tokyo,America/Los_Angeles,Pacific/Kiritimati,+05:30,EST5EDT}'::text[]) z;
SELECT is(pg_temp.answer_in(z,
    format('SELECT pg_temp.days(customer_history(at%s))
    FROM (VALUES (%s ''2025-03-30 00:00''), (''2025-03-30 23:59:59''), (''2025-10-26 02:30'')) v (at)', a, t)),
  '2025-03-30 x2, 2025-10-26 x1', format('%s in %s%s is never shifted', t, z, a))
FROM unnest('{UTC,Asia/Tokyo,America/Los_Angeles}'::text[]) z, unnest('{date,timestamp}'::text[]) t,
  unnest(ARRAY['', ', ''America/New_York''', ', 2.50, ''Pacific/Apia''']) a;
SELECT is(pg_temp.days(customer_history(at, 'Europe/Berlin')), '2025-03-29 x1, 2025-03-30 x23, 2025-03-31 x1',
  'a day of 23 hours') FROM generate_series(timestamptz '2025-03-29 22:30+00', '2025-03-30 22:30+00', '1 hour') at;
SELECT is(pg_temp.days(customer_history(at, 'Europe/Berlin')), '2025-10-25 x1, 2025-10-26 x25, 2025-10-27 x1',
  'a day of 25 hours') FROM generate_series(timestamptz '2025-10-25 21:30+00', '2025-10-26 23:30+00', '1 hour') at;
SELECT is(pg_temp.days(customer_history(at, 'Pacific/Apia')), '2011-12-29 x2, 2011-12-31 x2',
  'a day that Samoa skipped') FROM
  unnest('{2011-12-29 10:00+00,2011-12-30 09:59:59.999999+00,2011-12-30 10:00+00,2011-12-31 '
  '09:59:59.999999+00}'::timestamptz[]) at;
SELECT is(pg_temp.days(customer_history(at, 'UTC')),
  '4714-11-24 BC x1, 0044-03-15 BC x2, 0001-12-31 BC x1, 0001-01-01 x1, 1969-12-31 x1, 2000-01-01 x1, 294276-12-31 x1',
  'from the first day to the last')
FROM unnest(ARRAY['294276-12-31 23:59:59.999999', '4714-11-24 BC', '0044-03-15 12:00 BC', '0044-03-15 00:00 BC',
    '0001-12-31 23:59:59.999999 BC', '0001-01-01', '1969-12-31 23:59:59.999999', '2000-01-01']::timestamp[]) at;
SELECT is(h::text::customer_history::text || (h || h)::text, h::text || customer_history(at)::text,
  'and back as text, and merged')
  FROM (SELECT customer_history(at) AS h FROM unnest('{4714-11-24 BC,0044-03-15 BC,294276-12-31}'::date[]) at) q,
  unnest('{4714-11-24 BC,0044-03-15 BC,294276-12-31,4714-11-24 BC,0044-03-15 BC,294276-12-31}'::date[]) at GROUP BY h;
SELECT is((SELECT recency FROM clv_summary(h, '294276-12-31')), (date '294276-12-31' - date '4714-11-24 BC')::float8,
  'its recency is from the first day to the last')
  FROM (SELECT customer_history(at) AS h FROM unnest('{4714-11-24 BC,294276-12-31}'::date[]) at) q;
SELECT throws_ok(format('SELECT customer_history(%s)', a), '22008', NULL, 'no day for ' || a)
  FROM unnest(ARRAY['date ''infinity''', 'date ''-infinity'', 1', 'timestamp ''infinity'', ''UTC''',
    'timestamptz ''-infinity'', 1, ''UTC''', 'date ''294277-01-01''', 'date ''5874897-12-31''']) a;
SELECT throws_ok(format('SELECT customer_history(timestamptz %L, %L)', at, zone), '22008', NULL,
  format('%s in %s is no day of the calendar', at, zone))
  FROM (VALUES ('4714-11-24 00:00+00 BC', 'America/New_York'), ('294276-12-31 23:59:59+00', 'Asia/Tokyo')) v (at, zone);
SELECT throws_ok(format('SELECT customer_history(now(), numeric %L)', a), '22003',
  'amount must be a finite number, not ' || a, 'amount ' || a) FROM unnest('{NaN,Infinity,-Infinity}'::text[]) a;
CREATE DOMAIN birthday AS date;
CREATE DOMAIN price AS numeric(10, 2);
SELECT is(customer_history(d::birthday, 5.001::price)::text, customer_history(d, 5.00)::text,
  'domains are their base types') FROM (SELECT date '2024-02-29' AS d) q;
SELECT is(customer_history(date '2024-02-29', 5)::text, customer_history(date '2024-02-29', 5::numeric)::text,
  'integers are amounts');

-- Nothing -------------------------------------------------------------------------------------------------------------

CREATE TABLE empty AS SELECT customer_history(at, amount) AS h FROM nothing;
SELECT is((events(h), active_days(h), first_day(h), last_day(h), total_amount(h), h::jsonb)::text,
  '(0,0,,,,"{""days"": []}")', 'an empty history') FROM empty;
SELECT is((SELECT count(*) FROM history_days(h)), 0::bigint, 'has no days') FROM empty;
SELECT results_eq('SELECT r.* FROM empty, clv_summary(h, ''2024-01-01'') r
  UNION ALL SELECT r.* FROM empty, clv_summary(h, ''2024-01-01'', ''year'') r',
  'SELECT NULL::bigint, NULL::float8, NULL::float8, NULL::numeric FROM generate_series(1, 2)',
  'and a summary that knows nothing');
SELECT is((history_until(h, '2024-01-01') = h AND history_since(h, '2024-01-01') = h AND h || h = h
    AND h::text::customer_history = h)::text, 'true', 'cut, merged and copied it stays empty') FROM empty;
SELECT is(customer_history(NULL::date)::text, h::text, 'rows without a time leave it empty') FROM empty GROUP BY h;
SELECT is(customer_history(NULL::timestamptz, 'NaN', 'UTC')::text, h::text, 'whatever their amount') FROM empty
  GROUP BY h;
SELECT is(count(*) FILTER (WHERE (hist.h || empty.h)::text <> hist.h::text
    OR (empty.h || hist.h)::text <> hist.h::text), 0::bigint, 'it adds nothing') FROM hist, empty;
SELECT is(count(*) FILTER (WHERE (h || NULL)::text <> h::text OR (NULL || h)::text <> h::text), 0::bigint,
  'nor does NULL') FROM hist;
SELECT is(num_nulls(NULL::customer_history || NULL, (SELECT rollup(h) FROM hist WHERE false),
    (SELECT rollup(NULL::customer_history) FROM hist), first_day(NULL), last_day(NULL), active_days(NULL),
    events(NULL::customer_history), total_amount(NULL), history_until(NULL, now()::date),
    history_since(NULL, now()::date), (SELECT history_until(h, NULL) FROM empty),
    (SELECT history_since(h, NULL) FROM empty), NULL::customer_history::jsonb, NULL::customer_history::text), 14,
  'NULL stays NULL');
SELECT is((SELECT count(*) FROM history_days(NULL)) + (SELECT count(*) FROM clv_summary(NULL, '2024-01-01')), 0::bigint,
  'and has no rows');
SELECT is((SELECT rollup(x)::text FROM unnest(ARRAY[NULL, h, NULL, h, NULL]) x), (h || h)::text, 'rollup skips NULLs')
  FROM hist WHERE c = 1;

-- Equality ------------------------------------------------------------------------------------------------------------

CREATE TABLE unlike AS SELECT *
  FROM (VALUES (1, (SELECT h FROM empty)), (2, (SELECT customer_history(date '2024-01-01'))),
  (3, (SELECT customer_history(date '2024-01-02'))),
  (4, (SELECT customer_history(date '2024-01-01') FROM generate_series(1, 2))),
  (5, (SELECT customer_history(date '2024-01-01', 0))), (6, (SELECT customer_history(date '2024-01-01', 0.0))),
  (7, (SELECT customer_history(date '2024-01-01', -5))), (8, (SELECT customer_history(date '2024-01-01', 5))),
    (9, (SELECT customer_history(date '2024-01-01', 1e30))),
    (10, (SELECT customer_history(d) FROM unnest('{2024-01-01,2024-01-02}'::date[]) d))) v (o, h);
SELECT is((count(*) FILTER (WHERE a.h = b.h), count(*) FILTER (WHERE a.h <> b.h), count(*) FILTER (WHERE NOT a.h = b.h),
    count(*) FILTER (WHERE a.o = b.o))::text, '(10,90,90,10)', '= and <>') FROM unlike a, unlike b;
SELECT is(count(*)::text || ' ' || min(n), '10 2', 'GROUP BY')
  FROM (SELECT h, count(*) AS n FROM (TABLE unlike UNION ALL TABLE unlike) u GROUP BY h) g;
SELECT is(count(*), 10::bigint, 'DISTINCT') FROM (SELECT DISTINCT h FROM (TABLE unlike UNION ALL TABLE unlike) u) d;
SET enable_nestloop = off;
SELECT matches(pg_temp.plan('SELECT FROM hist a JOIN hist b USING (h)'), 'Hash Join', 'histories can be hash-joined');
SELECT is((SELECT count(*) FROM hist a JOIN hist b USING (h)),
  (SELECT sum(n * n)::bigint FROM (SELECT count(*) AS n FROM hist GROUP BY h::text) g), 'and find their equals');
RESET enable_nestloop;
CREATE TABLE hashed (o integer, h customer_history) PARTITION BY HASH (h);
SELECT format('CREATE TABLE hashed_%s PARTITION OF hashed FOR VALUES WITH (MODULUS 3, REMAINDER %1$s)', i)
  FROM generate_series(0, 2) i \gexec
INSERT INTO hashed TABLE unlike;
INSERT INTO hashed SELECT c, h FROM hist;
SELECT is((SELECT count(*) FROM hashed JOIN unlike USING (o, h)), 10::bigint, 'hash partitions');
SELECT ok(count(DISTINCT tableoid) = 3, 'spread') FROM hashed;
SELECT is(NULL::customer_history = h, NULL, 'nothing equals NULL') FROM empty;

-- In and out ----------------------------------------------------------------------------------------------------------

CREATE TABLE value (o serial, h customer_history);
INSERT INTO value (h) SELECT h FROM hist ORDER BY c;
INSERT INTO value (h) SELECT h FROM unlike ORDER BY o;
INSERT INTO value (h) SELECT customer_history(date '1960-01-01' + i, 19.99 + i) FROM generate_series(1, 20000) i;
INSERT INTO value (h) SELECT customer_history(day, 10::numeric ^ 200 + i)
  FROM generate_series(1, 400) i, LATERAL (SELECT date '1960-01-01' + (i * 7) AS day) d;
SELECT is(count(*) FILTER (WHERE h::text::customer_history::text <> h::text OR h::text::customer_history <> h),
  0::bigint, 'text, and back') FROM value;
SELECT is(count(*) FILTER (WHERE h::text !~ '^[A-Za-z0-9+/]+=*$'), 0::bigint, 'one plain word') FROM value;
SELECT cmp_ok(max(pg_column_size(h)), '>', 60000, 'large values are among them') FROM value;
SELECT is((SELECT (active_days(h), events(h), total_amount(h), (SELECT count(*) FROM history_days(h)),
    jsonb_array_length(h::jsonb -> 'days'), active_days(h || h), history_until(h, '1980-01-01')
    || history_since(h, '1980-01-02') = h)::text FROM value WHERE active_days(h) = 20000),
          (SELECT (20000, 20000, 19.99 * 20000 + 20000 * 20001 / 2, 20000, 20000, 20000, true)::text),
            'and can be read out of line');
SELECT is(count(*) FILTER (WHERE (history_until(h, day) || history_since(h, day + 1))::text IS DISTINCT FROM h::text
    OR active_days(history_until(h, day)) + active_days(history_since(h, day + 1)) <> active_days(h)), 0::bigint,
  format('cut anywhere in the calendar and merged, the whole: %s cuts', count(*)))
FROM value, LATERAL (SELECT unnest('{-infinity,4714-11-24 BC,1999-12-31,294276-12-31,5874896-12-31,infinity}'::date[])
  UNION ALL SELECT coalesce(first_day(h), '2000-01-01')
  + floor((random() * 1.2 - 0.1) * coalesce(last_day(h) - first_day(h) + 1, 10))::integer FROM generate_series(1, 10))
  d (day);
CREATE TABLE received (LIKE value);
\set pipe `mktemp`
\setenv RETENTION_TEST_PIPE :pipe
\copy value to program 'cat > "$RETENTION_TEST_PIPE"' with (format binary)
\copy received from program 'cat "$RETENTION_TEST_PIPE"' with (format binary)
SELECT is(pg_temp.difference('SELECT o, h::text FROM received', 'SELECT o, h::text FROM value'), NULL,
  'binary, and back');
TRUNCATE received;
\copy value to program 'cat > "$RETENTION_TEST_PIPE"'
\copy received from program 'cat "$RETENTION_TEST_PIPE"'
SELECT is(pg_temp.difference('SELECT o, h::text FROM received', 'SELECT o, h::text FROM value'), NULL,
  'COPY, and back');
\! rm -f "$RETENTION_TEST_PIPE"
SELECT is(encode(customer_history_send(h), 'base64'), replace(h::text, E'\n', ''),
  'the text is the base64 of the bytes') FROM value WHERE length(h::text) < 76 LIMIT 1;
-- What is written down today must be read tomorrow.
SELECT is(encode(customer_history_send(customer_history(day, amount)), 'hex'), '01010402' || '00d00f' || '030101'
  || '0003011e' || '00050a00010007000000000064', 'the stored form of version 1')
FROM (VALUES (date '2000-01-05', 1e30), ('2000-01-01', 5.00), ('2000-01-03', NULL), ('2000-01-03', NULL),
  ('2000-01-03', NULL), ('2000-01-04', 1.5)) v (day, amount);

SELECT is(encode(customer_history_send(customer_history(date '2000-01-01', amount)), 'hex'), want,
  'stored as an integer of its scale: ' || amount)
FROM (VALUES (0.00005, '0101010500' || '14'), (-0.000000000000000007, '01030012' || '00001a'),
  (-120000, '01030000' || '0000fea51d'), (2305843009213693951, '01010100' || '00fcffffffffffffff7f'),
  (0.00, '0101010200' || '00')) v (amount, want) GROUP BY amount, want;

-- Size: customers with ten active days or more, of orders such as a shop has in two years.
CREATE TABLE stored AS
  SELECT c, customer_history(at, 'UTC') AS bare, customer_history(at, amount, 'UTC') AS paid
  FROM (SELECT c, timestamptz '2024-01-01 00:00+00' + make_interval(days => floor(random() * 731)::integer,
      mins => floor(random() * 1440)::integer) AS at, round((5 + 295 * random() * random())::numeric, 2) AS amount
        FROM generate_series(1, 600) c, generate_series(1, 5 + c % 40)) o GROUP BY c;
SELECT cmp_ok(avg(pg_column_size(bare)::float8 / active_days(bare)), '<=', 4::float8,
  'at most 4 bytes an active day without amounts: ' || round(avg(pg_column_size(bare)::numeric / active_days(bare)), 2))
  FROM stored WHERE active_days(bare) >= 10;
SELECT cmp_ok(avg(pg_column_size(paid)::float8 / active_days(paid)), '<=', 10::float8,
  'at most 10 with amounts in cents: ' || round(avg(pg_column_size(paid)::numeric / active_days(paid)), 2)) FROM stored
  WHERE active_days(paid) >= 10;
SELECT cmp_ok(avg(pg_column_size(h)::float8 / active_days(h)), '<=', 4::float8,
  'at most 4 for a year of ten days and no more: ' || round(avg(pg_column_size(h)::numeric / active_days(h)), 2))
  FROM (SELECT customer_history(date '2024-01-01' + c + i * 70) AS h
  FROM generate_series(1, 50) c, generate_series(1, 10) i GROUP BY c) q;

-- CDNOW, the published summary of the 2,357 customers of the sample: 39 weeks of calibration to 1997-09-30, 39 more to
-- 1998-06-30.
\set text `cat test/data/cdnow_sample.txt`
CREATE TABLE cdnow AS
  SELECT sample_id, customer_history(at, dollars) AS h
  FROM (SELECT f[2]::integer AS sample_id, f[3]::date AS at, f[5]::numeric AS dollars
    FROM string_to_table(:'text', E'\n') line, LATERAL regexp_split_to_array(trim(line, E' \r'), ' +') f
    WHERE trim(line, E' \r') <> '') o GROUP BY sample_id;
\set text `cat test/data/cdnow_sample_summary_weeks.csv`
CREATE TABLE summary AS
  SELECT f[1]::integer AS sample_id, f[2]::integer AS x, f[3]::float8 AS t_x, f[4]::float8 AS t,
    f[5]::integer AS x_star, f[6]::float8 AS m_x FROM string_to_table(:'text', E'\n') WITH ORDINALITY l (line, n),
    LATERAL string_to_array(trim(line, E' \r'), ',') f WHERE n > 1 AND line <> '';
\unset text
SELECT is((SELECT count(*) FROM cdnow JOIN summary USING (sample_id)), 2357::bigint, 'CDNOW: 2,357 customers');
SELECT is(count(*) FILTER (WHERE (r.frequency <> x OR abs(r.recency - t_x) > 1e-9 OR abs(r.age - t) > 1e-9) IS NOT
    FALSE), 0::bigint, 'x, t_x and T as published') FROM summary
  JOIN cdnow USING (sample_id), clv_summary(h, '1997-09-30', 'week') r;
SELECT is(count(*) FILTER (WHERE (x > 0 AND abs(r.monetary_value - m_x::numeric) < 1e-6 OR x = 0 AND m_x = 0
    AND r.monetary_value IS NULL) IS NOT TRUE), 0::bigint, 'm_x as published; where x = 0, ours is NULL') FROM summary
  JOIN cdnow USING (sample_id), clv_summary(h, '1997-09-30', 'week') r;
SELECT is(count(*) FILTER (WHERE r <> s), 0::bigint, 'the cut history says the same')
  FROM cdnow, clv_summary(h, '1997-09-30', 'week') r,
  clv_summary(history_until(h, '1997-09-30'), '1997-09-30', 'week') s;
SELECT is(count(*) FILTER (WHERE active_days(history_since(h, '1997-10-01')) <> x_star), 0::bigint,
  'x_star of the holdout as published') FROM summary JOIN cdnow USING (sample_id);

SELECT * FROM finish();
ROLLBACK;
