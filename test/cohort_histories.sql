-- cohort_retention over customer histories: the bytes of cohort_retention over the days themselves, for every period
-- and window, on every kind of days; against the oracle; in every plan; put together from shards; and its state, where
-- it can be seen.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
\ir oracle/oracle.psql
SELECT * FROM no_plan();
\ir oracle/cases.psql
\ir oracle/compare.psql
SELECT setseed(:seed / 1e9) \g /dev/null
SET TimeZone = 'Asia/Kolkata';
SET statement_timeout = '300s';
SET max_parallel_workers_per_gather = 0;

CREATE FUNCTION pg_temp.pick(anyarray) RETURNS anyelement
  LANGUAGE sql AS 'SELECT ($1)[1 + floor(random() * cardinality($1))::integer]';
CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; plan text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP plan := plan || line || E'\n'; END LOOP;
  RETURN plan;
END $$;
-- What a query of one value gives, or the error.
CREATE FUNCTION pg_temp.outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
  EXECUTE query INTO r;
  RETURN r;
EXCEPTION WHEN OTHERS THEN
  RETURN format('%s %s', SQLSTATE, SQLERRM);
END $$;

-- Days of every kind: visit (kind, customer, day) ---------------------------------------------------------------------

CREATE TABLE visit (kind text, c integer, day date);
INSERT INTO visit SELECT 'shop', c, date '2023-01-01' + floor(random() * random() * 800)::integer
  FROM generate_series(1, (200 * :cases)::integer) c, generate_series(1, 1 + c % 20);
INSERT INTO visit SELECT 'one day', c, date '2023-06-01' + floor(random() * 400)::integer
  FROM generate_series(1, (200 * :cases)::integer) c;
-- first days at the ends of months, returns around their anniversaries
INSERT INTO visit
  SELECT 'anniversaries', c, (first + make_interval(months => floor(random() * 62)::integer * (k > 0)::integer))::date
    + pg_temp.pick('{-1,0,0,1}'::integer[]) * (k > 0)::integer
  FROM (SELECT c, (date_trunc('month',
      date '2015-01-01' + make_interval(months => pg_temp.pick('{0,0,0,1,1,4,7,9}'::integer[]) + 12
      * floor(random() * 10)::integer)) + interval '1 month')::date - 1 - floor(random() * 3)::integer AS first
    FROM generate_series(1, (200 * :cases)::integer) c OFFSET 0) f,
       generate_series(0, c % 30) k;
INSERT INTO visit SELECT 'leap days', c,
  (pg_temp.pick('{2000-02-29,2024-02-29,1904-02-29}'::date[])
  + make_interval(years => floor(random() * 12)::integer * pg_temp.pick('{1,4}'::integer[])))::date
  + pg_temp.pick('{-1,0,0,0,1,2}'::integer[])
  FROM generate_series(1, (100 * :cases)::integer) c, generate_series(0, c % 15);
INSERT INTO visit SELECT 'centuries', c,
  make_date(pg_temp.pick('{1696,1700,1796,1800,1900,2000,2096,2100,2400}'::integer[]),
  pg_temp.pick('{1,2,3}'::integer[]), 1) + floor(random() * 31)::integer - 2 FROM generate_series(1, (40 * :cases)::integer) c,
  generate_series(0, c % 4);
INSERT INTO visit SELECT 'before Christ', c, date '0001-01-01' + floor((random() - 0.6) * 4000)::integer
  FROM generate_series(1, (60 * :cases)::integer) c, generate_series(0, c % 12);
INSERT INTO visit SELECT 'leap days before Christ', c,
  pg_temp.pick('{0001-02-28 BC,0001-02-29 BC,0001-03-01 BC,0005-02-28 BC,0005-02-29 BC,0005-03-01 BC,0004-02-28 '
  'BC,0004-03-01 BC,0101-02-28 BC,0101-03-01 BC,0401-02-29 BC,0004-02-29,0001-12-31 BC,0001-01-01}'::date[])
  FROM generate_series(1, 30) c, generate_series(0, c % 5);
INSERT INTO visit SELECT 'the first days', c,
  date '4714-11-24 BC' + floor(random() * random() * 900)::integer * (c > 1)::integer
  FROM generate_series(1, 40) c, generate_series(0, c % 12);
INSERT INTO visit SELECT 'the last days', c,
  date '294276-12-31' - floor(random() * random() * 900)::integer * (c > 1)::integer
  FROM generate_series(1, 40) c, generate_series(0, c % 12);
-- distances of up to 70 of every unit, often 62 to 65: where masks end
INSERT INTO visit SELECT 'borders', c,
  (date '2000-01-01' + c + unit * pg_temp.pick('{1,2,61,62,63,63,64,64,65,66,127,128}'::integer[])
  * (k > 0)::integer)::date
  FROM generate_series(1, (120 * :cases)::integer) c,
    LATERAL (SELECT (ARRAY['1 day', '2 days', '7 days', '30 days', '36 hours', '1 month', '3 months', '1 year'])[1 + c %
      8]::interval AS unit) u, generate_series(0, c % 4) k;
INSERT INTO visit SELECT 'many days', c,
  date '1999-12-01' + floor(random() * (ARRAY[300, 3000, 20000])[1 + c % 3])::integer
  FROM generate_series(1, 24) c, generate_series(1, 250);
INSERT INTO visit SELECT 'every day', c, date '2024-01-31' + c + i
  FROM generate_series(1, 12) c, generate_series(0, 50 + c * 5) i;
INSERT INTO visit SELECT 'far apart', c, date '2024-01-31' + c + i * 100003 * c
  FROM generate_series(1, 30) c, generate_series(0, 5) i;
INSERT INTO visit VALUES ('end to end', 1, '4714-11-24 BC'), ('end to end', 1, '294276-12-31'),
  ('end to end', 2, '2024-01-31');
INSERT INTO visit SELECT * FROM visit WHERE random() < 0.2;
CREATE TABLE hist AS SELECT kind, c, customer_history(day) AS h FROM visit GROUP BY kind, c;
ANALYZE visit; ANALYZE hist;
SELECT cmp_ok(count(*), '>', (1000 * :cases)::bigint, 'histories') FROM hist;

CREATE TABLE period (period text);
INSERT INTO period VALUES ('hour'), ('day'), ('week'), ('week:tuesday'), ('week:wednesday'), ('week:thursday'),
  ('week:friday'), ('week:saturday'), ('week:sunday'), ('month'), ('quarter'), ('year');
CREATE TABLE width (width text);
INSERT INTO width VALUES (''), (', interval ''1 day'''), (', interval ''7 days'''), (', interval ''30 days'''),
  (', interval ''1 month'''), (', interval ''3 months'''), (', interval ''1 year'''), (', interval ''1 month 2 days'''),
  (', interval ''36 hours'''), (', interval ''24 hours'''), (', interval ''1 month 12 hours 0.5 seconds'''),
    (', interval ''1 day 00:00:00.000001'''), (', interval ''100 years'''), (', interval ''5 weeks'''),
    (', interval ''7 hours''');

-- Both aggregates over one kind of days.
CREATE FUNCTION pg_temp.compare(kind text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  p record;
  have text;
  want text;
  same boolean;
  difference text := '';
  tables integer := 0;
  errors integer := 0;
BEGIN
  FOR p IN SELECT quote_literal(period) || width AS arguments FROM period, width
    WHERE period !~ ':[^s]' OR width = '' OR width ~ '30' LOOP
    BEGIN
      EXECUTE format('SELECT h = o AND NOT h <> o AND cohort_table_send(h) = cohort_table_send(o) AND h::text = o::text
          AND h::text::cohort_table = h
                      FROM (SELECT cohort_retention(h, %1$s) AS h FROM hist WHERE kind = %2$L) a,
                        (SELECT cohort_retention(c, day, %1$s) AS o FROM visit WHERE kind = %2$L) b', p.arguments, kind)
                        INTO same;
      IF same IS NOT TRUE THEN difference := difference || p.arguments || E'\n'; END IF;
      tables := tables + 1;
    EXCEPTION WHEN OTHERS THEN
      have := pg_temp.outcome(format('SELECT cohort_retention(h, %s) FROM hist WHERE kind = %L', p.arguments, kind));
      want := pg_temp.outcome(format('SELECT cohort_retention(c, day, %s) FROM visit WHERE kind = %L', p.arguments,
          kind));
      IF have <> want OR have !~ '^[0-9A-Z]{5} ' THEN difference := difference
        || format(E'%s: %s, over days %s\n', p.arguments, have, want); END IF;
      errors := errors + 1;
    END;
  END LOOP;
  RETURN NEXT is(difference, '', format('as over the days: %s, %s tables', kind, tables));
  RETURN NEXT is(errors, CASE kind WHEN 'end to end' THEN 1 ELSE 0 END,
    'an error only for hours from end to end of the calendar');
END $$;
SELECT t FROM (SELECT kind FROM visit GROUP BY kind ORDER BY kind) k, pg_temp.compare(kind) t;

-- Upper and lower case are the same, also within a group.
SELECT is((SELECT cohort_retention(h, CASE c % 3 WHEN 0 THEN 'Week:Sunday' WHEN 1 THEN 'week:sunday'
    ELSE 'WEEK:SUNDAY' END)::text FROM hist WHERE kind = 'shop'), (SELECT cohort_retention(c, day, 'week:sunday')::text
    FROM visit WHERE kind = 'shop'), 'periods in any case');
SELECT is((SELECT cohort_retention(h, 'week:monday')::text FROM hist WHERE kind = 'shop'),
  (SELECT cohort_retention(c, day, 'week')::text FROM visit WHERE kind = 'shop'), 'week:monday is week');
SELECT is((SELECT cohort_retention(h, 'month', '30 days')::text FROM hist WHERE kind = 'shop'),
  (SELECT cohort_retention(c, day, 'month', interval '30 days')::text FROM visit WHERE kind = 'shop'),
  'a bare literal is a window here');
CREATE DOMAIN their_history AS customer_history;
SELECT is((SELECT cohort_retention(h::their_history, 'month')::text FROM hist WHERE kind = 'shop'),
  (SELECT cohort_retention(c, day, 'month')::text FROM visit WHERE kind = 'shop'), 'a domain over histories');
SELECT is((SELECT cohort_retention(a || b, 'day')::text
    FROM (SELECT history_until(h, '2023-09-09') AS a, history_since(h, '2023-09-10') AS b FROM hist WHERE kind = 'shop')
    q), (SELECT cohort_retention(h, 'day')::text FROM hist WHERE kind = 'shop'), 'of what was cut and merged');
SELECT is((SELECT cohort_retention(r, 'day', interval '1 month')::text
    FROM (SELECT rollup(h) AS r FROM (SELECT c, customer_history(day) AS h FROM visit WHERE kind = 'anniversaries'
    GROUP BY c, day) q GROUP BY c) q), (SELECT cohort_retention(h, 'day', interval '1 month')::text FROM hist
    WHERE kind = 'anniversaries'), 'of what was rolled up');

-- Amounts change nothing: no form of them, no size, compressed or out of line -----------------------------------------

CREATE FUNCTION pg_temp.amount(style text) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
  CASE style
    WHEN 'cents' THEN RETURN round((random() * 300 - 50)::numeric, 2);
    WHEN 'some' THEN RETURN CASE WHEN random() < 0.5 THEN round((random() * 300)::numeric, 2) END;
    WHEN 'scales' THEN RETURN round((random() * 100 - 30)::numeric, floor(random() * 19)::integer);
    WHEN 'huge' THEN RETURN (pg_temp.pick(ARRAY['', '-']) || '1'
      || (SELECT string_agg(floor(random() * 1e9)::bigint::text, '') FROM generate_series(1, 30)) || '.5')::numeric;
    ELSE RETURN pg_temp.amount(pg_temp.pick('{cents,some,scales,huge}'::text[]));
  END CASE;
END $$;
CREATE TABLE paid AS SELECT kind, style, c, customer_history(day, pg_temp.amount(style), true) AS h
  FROM visit, unnest('{cents,some,scales,huge,all}'::text[]) style
  WHERE kind IN ('shop', 'anniversaries', 'borders', 'the first days', 'many days') GROUP BY kind, style, c;
SELECT cmp_ok(count(*) FILTER (WHERE h::text LIKE 'AQE%' AND total_amount(h) IS NOT NULL), '>', 1000::bigint,
  'histories with amounts') FROM paid;
SELECT cmp_ok(max(pg_column_size(h)), '>', 8000, 'large ones among them, out of line') FROM paid;
CREATE TABLE form (o serial, arguments text, answer text, leak text);
INSERT INTO form (arguments) VALUES ('''month'''), ('''day'''), ('''week:sunday'''), ('''hour'''), ('''year'''),
  ('''month'', interval ''30 days'''), ('''week'', interval ''1 month'''), ('''day'', interval ''36 hours'''),
  ('''quarter'', interval ''1 month 2 days'''), ('''month'', interval ''1 day''');
SELECT is(string_agg(have, ' ' ORDER BY kind, style), string_agg(want, ' ' ORDER BY kind, style),
  'amounts change nothing: ' || arguments)
FROM form, (SELECT DISTINCT kind, style FROM paid) k,
  LATERAL (SELECT pg_temp.outcome(format('SELECT cohort_retention(h, %s) FROM paid WHERE kind = %L AND style = %L',
    arguments, kind, style)) AS have,
  pg_temp.outcome(format('SELECT cohort_retention(c, day, %s) FROM visit WHERE kind = %L', arguments, kind)) AS want) r
GROUP BY o, arguments ORDER BY o;

-- Nothing: NULL and empty histories are no customers ------------------------------------------------------------------

CREATE TABLE nothing AS SELECT NULL::customer_history AS h UNION ALL SELECT customer_history(NULL::date) UNION ALL
  SELECT history_until(customer_history(date '2024-01-01', 1.00), '2023-12-31');
SELECT is((SELECT count(*) FROM nothing WHERE active_days(h) = 0), 2::bigint, 'histories without days');
SELECT is(pg_temp.outcome(format('SELECT cohort_retention(h, %s)
    FROM (SELECT h FROM hist WHERE kind = ''shop'' UNION ALL TABLE nothing UNION ALL TABLE nothing) q', arguments)),
  pg_temp.outcome(format('SELECT cohort_retention(h, %s) FROM hist WHERE kind = ''shop''', arguments)),
  'NULL and empty histories are skipped: ' || arguments) FROM form ORDER BY o;
SELECT is(pg_temp.outcome(format('SELECT cohort_retention(h, %s) FROM (%s) q (h)', arguments, input)),
  (SELECT cohort_retention(c, day, 'month')::text FROM visit WHERE false),
  format('an empty table: %s from %s', arguments, input))
FROM form, unnest('{TABLE nothing,SELECT h FROM hist WHERE false,SELECT NULL::customer_history,SELECT h FROM nothing '
  'WHERE h IS NOT NULL}'::text[]) input WHERE o IN (1, 6) ORDER BY o;
SELECT is((SELECT count(*) FROM (SELECT cohort_retention(h, 'month') AS t FROM nothing) q,
    cohort_rows(t, '2024-01-01')), 0::bigint, 'without rows');

-- The oracle: rows, curve and lifecycle of all four measures ----------------------------------------------------------

CREATE FUNCTION pg_temp.check_oracle(n integer) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  s oracle.scenario := oracle.scenario(n);
  arguments text;
  t cohort_table;
  moment record;
  measure text;
  as_of text;
  found text[] := '{}';
BEGIN
  s.form := 'first'; s.at_type := 'date'; s.joined_type := 'date'; s.zone := 'UTC';
  arguments := quote_literal(s.period) || coalesce(', interval ' || quote_literal(s.width), '');
  PERFORM oracle.fill(s, 1 + floor(random() * CASE WHEN random() < 0.7 THEN 12 ELSE 40 END)::integer,
    CASE WHEN random() < 0.8 THEN 3 + floor(random() * 12) ELSE 70 + floor(random() * 40) END::integer);
  EXECUTE format('SELECT cohort_retention(h, %s)
      FROM (SELECT customer_history(at_date) AS h FROM oracle.ev WHERE customer IS NOT NULL GROUP BY customer) q',
    arguments) INTO t;
  PERFORM oracle.prepare(s);
  FOR moment IN SELECT * FROM oracle.moments(2) LOOP
    PERFORM oracle.observe(moment.moment AT TIME ZONE 'UTC');
    as_of := coalesce(format(', as_of => %L::timestamp', moment.moment AT TIME ZONE 'UTC'), '');
    IF moment.moment IS NULL THEN as_of := ''; END IF;
    IF moment.kind IN ('date', 'day') THEN
      PERFORM oracle.observe_day((moment.moment AT TIME ZONE 'UTC')::date);
      as_of := format(', as_of => %L', (moment.moment AT TIME ZONE 'UTC')::date);
    END IF;
    FOREACH measure IN ARRAY '{on,on_or_after,on_or_before,by,streak}'::text[] LOOP
      found := found || (as_of || ' ' || oracle.rows_difference(t, as_of, measure, 0.95))
        || (as_of || ' ' || oracle.curve_difference(t, as_of, measure, 0.95));
    END LOOP;
    found := found || (as_of || ' ' || oracle.lifecycle_difference(t, as_of));
  END LOOP;
  found := found || ('broken: ' || oracle.broken_identity(t, (SELECT count(*) FROM oracle.member)));
  RETURN is(nullif(array_to_string(array_remove(found, NULL), E'\n'), ''), NULL,
    format('the oracle, scenario %s: %s, %s rows', n, arguments, (SELECT count(*) FROM oracle.ev)));
END $$;
SELECT pg_temp.check_oracle(n) FROM generate_series(1, (40 * :cases)::integer) n;

-- Plans ---------------------------------------------------------------------------------------------------------------

-- 1,500 customers in three segments, on pages of few rows, so that each worker gets some.
CREATE TABLE ev AS
  SELECT c, chr(97 + c % 3) AS segment,
    date '2022-01-31' + ((c::bigint * c) % 1009 % 701 + k * k * (c % 23))::integer AS day
    FROM generate_series(1, 1500) c, generate_series(0, c % 9) k;
CREATE TABLE customer (c integer, segment text, h customer_history) WITH (parallel_workers = 3, fillfactor = 10);
INSERT INTO customer SELECT c, segment, customer_history(day, c * 0.01) FROM ev
  GROUP BY c, segment ORDER BY md5(c::text);
INSERT INTO customer SELECT -1, s, h FROM nothing, unnest('{a,b,c}'::text[]) s;
CREATE TABLE by_customer (LIKE customer) PARTITION BY HASH (c);
SELECT format('CREATE TABLE by_customer_%s PARTITION OF by_customer FOR
    VALUES WITH (MODULUS 5, REMAINDER %1$s) WITH (parallel_workers = 2, fillfactor = 10)', i)
  FROM generate_series(0, 4) i \gexec
CREATE TABLE by_segment (LIKE customer) PARTITION BY LIST (segment);
SELECT format('CREATE TABLE by_segment_%s PARTITION OF by_segment FOR
    VALUES IN (%1$L) WITH (parallel_workers = 2, fillfactor = 10)', s) FROM unnest('{a,b,c,empty}'::text[]) s \gexec
INSERT INTO by_customer TABLE customer;
INSERT INTO by_segment TABLE customer;
ANALYZE ev; ANALYZE customer; ANALYZE by_customer; ANALYZE by_segment;
UPDATE form SET answer = pg_temp.outcome(format('SELECT cohort_retention(c, day, %s) FROM ev', arguments));
SELECT is(count(DISTINCT answer), 10::bigint, 'ten forms, ten tables') FROM form WHERE answer !~ ' ';

CREATE FUNCTION pg_temp.check(title text, source text, plan_has text DEFAULT '') RETURNS SETOF text LANGUAGE plpgsql
  AS $$
DECLARE f record; r text; found text := ''; plan text;
BEGIN
  FOR f IN SELECT * FROM form ORDER BY o LOOP
    plan := pg_temp.plan(format('SELECT cohort_retention(h, %s) FROM %s', f.arguments, source));
    IF plan !~ plan_has THEN found := found || f.arguments || E': another plan\n' || plan; END IF;
    r := pg_temp.outcome(format('SELECT cohort_retention(h, %s) FROM %s', f.arguments, source));
    IF r IS DISTINCT FROM f.answer THEN found := found || f.arguments || E'\n'; END IF;
  END LOOP;
  RETURN NEXT is(found, '', title);
END $$;
SELECT t FROM unnest('{c,c DESC,segment,md5(c::text),active_days(h) DESC}'::text[]) o,
  pg_temp.check('customers ordered by ' || o, format('(SELECT * FROM customer ORDER BY %s) q', o)) t;
SET enable_partitionwise_aggregate = on;
SELECT pg_temp.check('partition-wise', 'by_customer', 'Finalize Aggregate\s+->  Append\s+->  Partial Aggregate');
SELECT pg_temp.check('partition-wise, an empty partition', 'by_segment',
  'Finalize Aggregate\s+->  Append\s+->  Partial Aggregate');
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 3;
SET parallel_leader_participation = off;
SELECT pg_temp.check('workers without the leader', 'customer',
  'Finalize Aggregate\s+->  Gather\s+Workers Planned: [1-3]\s+->  Partial Aggregate');
-- Whether workers aggregate before or after sending depends on the major.
SELECT pg_temp.check('workers without the leader, partition-wise', 'by_customer',
  'Finalize Aggregate(?=.*Gather).*Partial Aggregate');
SELECT pg_temp.check('workers without the leader, partition-wise, an empty partition', 'by_segment',
  'Finalize Aggregate(?=.*Gather).*Partial Aggregate');
SET enable_partitionwise_aggregate = off;
SELECT pg_temp.check('workers without the leader, Parallel Append', 'by_customer',
  'Finalize Aggregate\s+->  Gather\s+Workers Planned: [1-3]\s+->  Partial Aggregate\s+->  Parallel Append');
SELECT matches(pg_temp.plan(format('SELECT segment, cohort_retention(h, %s) FROM customer GROUP BY segment',
    arguments)), 'Finalize (Hash|Group)Aggregate.*Gather.*Partial (Hash|Group)Aggregate', 'GROUP BY is split as well: '
  || arguments) FROM form WHERE o IN (1, 6);
SELECT results_eq(format('SELECT segment, cohort_retention(h, %s)::text FROM customer
    GROUP BY segment ORDER BY segment', arguments),
                  format('SELECT segment, cohort_retention(c, day, %s)::text FROM ev GROUP BY segment ORDER BY segment',
                    arguments), 'GROUP BY: ' || arguments) FROM form ORDER BY o;
SELECT results_eq('SELECT ' ||
  string_agg(format('cohort_retention(h, %s)::text, cohort_retention(h, %1$s)::text', arguments), ', ' ORDER BY o)
  || ', cohort_retention(c, first_day(h), ''month'')::text, count(*) FROM customer WHERE first_day(h) > ''1900-01-01''',
                  format('SELECT %s, (SELECT cohort_retention(c, first, ''month'')::text
                      FROM (SELECT c, min(day) AS first FROM ev GROUP BY c) q), 1500::bigint',
                    string_agg(quote_literal(answer) || ', ' || quote_literal(answer), ', ' ORDER BY o)),
                    'all forms at once, each twice, beside other aggregates') FROM form;
SELECT results_eq(format('SELECT %s FROM customer',
    string_agg(format('cohort_retention(h, %s) FILTER (WHERE segment = %L)::text', arguments, s), ', ' ORDER BY s)),
                  format('SELECT %s', string_agg(format('(SELECT cohort_retention(c, day, %s)::text FROM ev WHERE '
                      'segment = %L)', arguments, s), ', ' ORDER BY s)), 'FILTER: ' || arguments)
FROM form, unnest('{a,b,none}'::text[]) s GROUP BY o, arguments ORDER BY o;
SELECT results_eq('SELECT segment, cohort_retention(h, ''month'')::text FROM by_customer
    GROUP BY GROUPING SETS ((segment), ()) ORDER BY segment',
                  'SELECT segment, cohort_retention(c, day, ''month'')::text FROM ev GROUP BY segment UNION ALL
                    SELECT NULL, cohort_retention(c, day, ''month'')::text FROM ev ORDER BY 1', 'GROUPING SETS');
SELECT throws_ok(format('SELECT cohort_retention(h, %s) FROM customer', arguments), '22023', message,
  'an error in workers: ' || message)
FROM (VALUES ('CASE WHEN c % 2 = 0 THEN ''month'' ELSE ''day'' END', 'period must be the same in all rows of a group'),
  ('''day'', make_interval(days => 1 + c % 2)', 'rolling window must be the same in all rows of a group'),
  ('CASE c WHEN 700 THEN ''months'' ELSE ''month'' END', 'unknown period "months"')) v (arguments, message);
-- each partial state has a period of its own
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
SELECT throws_ok(format('SELECT cohort_retention(h, %s) FROM by_segment', arguments), '22023', message,
  'an error between partitions: ' || message)
FROM (VALUES ('CASE segment WHEN ''a'' THEN ''month'' ELSE ''day'' END',
    'period must be the same in all rows of a group'),
  ('''day'', make_interval(days => ascii(segment))', 'rolling window must be the same in all rows of a group'))
  v (arguments, message);
RESET enable_partitionwise_aggregate;
RESET parallel_leader_participation;
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;

-- Windows over rows: what each frame shows is what an aggregate over its rows gives.
CREATE TABLE few AS SELECT row_number() OVER (ORDER BY md5(c::text)) AS n, c, segment, h FROM customer WHERE c % 25 = 0;
CREATE FUNCTION pg_temp.check_frame(arguments text, frame text, rows_of_frame text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN results_eq(format('SELECT n, cohort_retention(h, %s) OVER (%s)::text FROM few ORDER BY n', arguments, frame),
                    format('SELECT n, (SELECT cohort_retention(c, day, %s)::text FROM few w JOIN ev USING (c) WHERE %s)
                        FROM few f ORDER BY n', arguments, rows_of_frame), arguments || ' OVER (' || frame || ')');
END $$;
SELECT pg_temp.check_frame(arguments, 'ORDER BY n', 'w.n <= f.n') FROM form ORDER BY o;
SELECT pg_temp.check_frame(arguments, 'ORDER BY n ROWS BETWEEN 5 PRECEDING AND 2 FOLLOWING',
  'w.n BETWEEN f.n - 5 AND f.n + 2') FROM form ORDER BY o;
SELECT pg_temp.check_frame(arguments,
  'PARTITION BY segment ORDER BY n DESC RANGE BETWEEN 30 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW',
  'w.segment = f.segment AND w.n > f.n AND w.n <= f.n + 30') FROM form WHERE o IN (1, 6, 8) ORDER BY o;

-- Parameters ----------------------------------------------------------------------------------------------------------

SELECT results_eq('SELECT p, w, cohort_retention(h, p, w)::text
    FROM customer, unnest(''{day,month,week:sunday}''::text[]) p, unnest(''{28 days,1 month,36 hours}''::interval[]) w
    GROUP BY p, w ORDER BY p, w',
                  'SELECT p, w, (SELECT cohort_retention(c, day, p, w)::text FROM ev)
                    FROM unnest(''{day,month,week:sunday}''::text[]) p,
                    unnest(''{28 days,1 month,36 hours}''::interval[]) w ORDER BY p, w',
                    'a period and a window for each group, row by row');
SELECT results_eq('SELECT p, cohort_retention(h, p)::text
    FROM customer, unnest(''{day,month,week:sunday,hour}''::text[]) p GROUP BY p ORDER BY p',
                  'SELECT p, (SELECT cohort_retention(c, day, p)::text FROM ev)
                    FROM unnest(''{day,month,week:sunday,hour}''::text[]) p ORDER BY p',
                    'a period for each group, row by row');
SELECT throws_ok(format('SELECT cohort_retention(h, %s) FROM customer', arguments), state, message,
  format('%s: %s', arguments, message))
FROM (VALUES ('CASE WHEN c = 700 THEN ''day'' ELSE ''month'' END', '22023',
    'period must be the same in all rows of a group'),
  ('''month'', CASE WHEN c = 700 THEN interval ''30 days'' ELSE interval ''1 month'' END', '22023',
    'rolling window must be the same in all rows of a group'),
             ('CASE WHEN c = 700 THEN ''week:sunday'' ELSE ''week'' END', '22023',
               'period must be the same in all rows of a group'),
               ('''month'', CASE WHEN c = 700 THEN interval ''24 hours'' ELSE interval ''1 day'' END', '22023',
               'rolling window must be the same in all rows of a group'),
             ('NULL', '22004', 'period must not be NULL'),
               ('NULL, interval ''1 day''', '22004', 'period must not be NULL'),
               ('''month'', NULL', '22004', 'rolling window must not be NULL'),
               ('CASE WHEN c <> 700 THEN ''month'' END', '22004', 'period must not be NULL'),
             ('''month'', CASE WHEN c <> 700 THEN interval ''1 day'' END', '22004', 'rolling window must not be NULL'),
               ('''months''', '22023', 'unknown period "months"'), ('''''', '22023', 'unknown period ""'),
               ('''week:''', '22023', 'unknown period "week:"'),
               ('repeat(''month'', 1000)', '22023', 'unknown period "' || repeat('month', 1000) || '"'),
             ('''month'', interval ''0''', '22023', 'rolling window must be a positive interval, not "00:00:00"'),
               ('''month'', interval ''-1 day''', '22023', 'rolling window must be a positive interval, not "-1 days"'),
               ('''month'', interval ''1 month -1 day''', '22023',
               'rolling window must be a positive interval, not "1 mon -1 days"')) v (arguments, state, message);
SELECT CASE WHEN current_setting('server_version_num')::integer >= 170000
  THEN throws_ok('SELECT cohort_retention(h, ''month'', interval ''infinity'') FROM customer', '22023',
  'rolling window must be a positive interval, not "infinity"', 'a window without end')
  ELSE pass('a window without end is no interval here') END;
SELECT throws_ok('SELECT cohort_retention(h, NULL) FROM nothing', '22004', 'period must not be NULL',
  'also where no history has days');
SELECT throws_ok('SELECT cohort_retention(h, ''months'') FROM nothing', '22023', 'unknown period "months"',
  'so is an unknown period');

-- Many groups in little memory ----------------------------------------------------------------------------------------

CREATE TABLE crowd AS SELECT i % 100000 AS g, i AS c, date '2023-01-01' + (i::bigint * 7919 % 500)::integer AS day
  FROM generate_series(1, 150000) i;
INSERT INTO crowd SELECT g, c, day + c % 70 FROM crowd WHERE c % 3 = 0;
CREATE TABLE crowd_history AS SELECT g, c, customer_history(day) AS h FROM crowd GROUP BY g, c;
ANALYZE crowd; ANALYZE crowd_history;
CREATE TABLE crowd_table AS SELECT g, cohort_retention(c, day, 'month')::text AS months,
  cohort_retention(c, day, 'month', interval '30 days')::text AS windows FROM crowd GROUP BY g;
CREATE FUNCTION pg_temp.check_crowd(title text, plan_has text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  query text := 'SELECT g, cohort_retention(h, ''month'') AS months,
    cohort_retention(h, ''month'', interval ''30 days'') AS windows FROM crowd_history GROUP BY g';
  r text;
BEGIN
  RETURN NEXT matches(pg_temp.plan(query), plan_has, '100,000 groups, ' || title || ': the plan');
  EXECUTE format('SELECT count(*) || '' groups, ''
      || count(*) FILTER (WHERE a.months::text = b.months AND a.windows::text = b.windows) || '' alike''
      FROM (%s OFFSET 0) a FULL JOIN crowd_table b USING (g)', query) INTO r;
  RETURN NEXT is(r, '100000 groups, 100000 alike', '100,000 groups, ' || title);
END $$;
SET work_mem = '64kB';
SET enable_sort = off;
SELECT pg_temp.check_crowd('hashed', '\mHashAggregate');
RESET enable_sort;
SET enable_hashagg = off;
SELECT pg_temp.check_crowd('sorted', 'GroupAggregate');
RESET enable_hashagg;
RESET work_mem;

-- Shards: what a distributed plan does.  Each node makes a state by an aggregate without final function and sends it as
-- text, NULL where it has no rows; one node combines them.

CREATE AGGREGATE shard(customer_history, text) (SFUNC = cohort_retention_history_trans, STYPE = cohort_table,
  COMBINEFUNC = cohort_retention_history_combine, PARALLEL = SAFE);
CREATE AGGREGATE shard(customer_history, text, interval) (SFUNC = cohort_retention_history_window_trans,
  STYPE = cohort_table, COMBINEFUNC = cohort_retention_history_combine, PARALLEL = SAFE);
CREATE AGGREGATE whole(cohort_table) (SFUNC = cohort_retention_history_combine, STYPE = cohort_table,
  COMBINEFUNC = cohort_retention_history_combine, FINALFUNC = cohort_retention_history_final, PARALLEL = SAFE);
-- the same for rollup, of which the states are tables and histories
CREATE AGGREGATE rollup_shard(cohort_table) (SFUNC = cohort_table_rollup, STYPE = cohort_table,
  COMBINEFUNC = cohort_table_rollup, PARALLEL = SAFE);
CREATE AGGREGATE rollup_shard(customer_history) (SFUNC = customer_history_rollup, STYPE = customer_history,
  COMBINEFUNC = customer_history_rollup, PARALLEL = SAFE);
SELECT is(pg_temp.outcome(format('SELECT shard(h, %s) FROM customer', arguments)), answer,
  'a state is written as the finished table: ' || arguments) FROM form ORDER BY o;
SELECT is(pg_temp.outcome(format('SELECT encode(cohort_table_send(shard(h, %s)), ''base64'') FROM customer',
    arguments)), encode(decode(answer, 'base64'), 'base64'), 'in binary too: ' || arguments) FROM form ORDER BY o;
CREATE FUNCTION pg_temp.check_shards(arguments text, answer text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  found text := '';
  r text;
BEGIN
  FOR shards IN 1 .. 7 LOOP
    CREATE TABLE split AS SELECT floor(random() * shards)::integer AS node, h FROM customer;
    CREATE TABLE node (node integer, state text);
    -- two nodes more than have rows
    EXECUTE format('INSERT INTO node SELECT node, (SELECT shard(h, %s)::text FROM split s WHERE s.node = n.node)
        FROM generate_series(-1, %s) n (node)', arguments, shards) USING arguments;
    IF (SELECT count(*) FROM node WHERE state IS NULL) < 2 THEN found := found || 'no empty node '; END IF;
    FOREACH r IN ARRAY ARRAY[(SELECT whole(state::cohort_table)::text FROM node),
      (SELECT whole(state::cohort_table ORDER BY node DESC)::text FROM node),
      (SELECT whole(state::cohort_table ORDER BY md5(state) NULLS FIRST)::text FROM node),
                             (SELECT rollup(state::cohort_table)::text FROM node),
                               (SELECT whole(part)::text FROM (SELECT whole(state::cohort_table) AS part FROM node
                               GROUP BY node % 3) q), (SELECT rollup_shard(state::cohort_table)::text FROM node)] LOOP
      IF r IS DISTINCT FROM answer THEN found := found || format('%s shards ', shards); END IF;
    END LOOP;
    DROP TABLE split, node;
  END LOOP;
  RETURN NEXT is(found, '', 'any split into shards: ' || arguments);
END $$;
SELECT t FROM (SELECT * FROM form ORDER BY o) f, pg_temp.check_shards(arguments, answer) t;
SELECT is((SELECT whole(NULL::cohort_table)::text FROM generate_series(1, 3)),
  (SELECT cohort_retention(c, day, 'month')::text FROM ev WHERE false), 'shards without any rows: an empty table');
SELECT is((SELECT whole(state)::text
    FROM (SELECT shard(h, 'month')::text::cohort_table AS state FROM nothing UNION ALL SELECT NULL) q),
  (SELECT cohort_retention(c, day, 'month')::text FROM ev WHERE false), 'shards of empty histories: an empty table');
SELECT is((SELECT whole(state)::text
    FROM (SELECT shard(h, 'month')::text::cohort_table AS state FROM nothing UNION ALL
    SELECT shard(h, 'month')::text::cohort_table FROM customer) q), (SELECT answer FROM form WHERE o = 1),
  'to which others are added');
SELECT throws_ok('SELECT whole(state::text::cohort_table)
    FROM (SELECT shard(h, ''month'') AS state FROM customer UNION ALL SELECT shard(h, ''day'') FROM customer) q',
  '22023', 'cohort tables have different periods: month and day', 'shards of different periods');
SELECT throws_ok('SELECT whole(state)
    FROM (SELECT shard(h, ''month'') AS state FROM customer UNION ALL SELECT shard(h, ''day'') FROM customer) q',
  '22023', 'period must be the same in all rows of a group', 'states of different periods');
SELECT throws_ok('SELECT whole(state)
    FROM (SELECT shard(h, ''month'', ''1 day'') AS state FROM customer UNION ALL SELECT shard(h, ''month'', ''2 days'')
    FROM customer) q', '22023', 'rolling window must be the same in all rows of a group',
  'states of different windows');
SELECT throws_ok('SELECT whole(state)
    FROM (SELECT shard(h, ''month'') AS state FROM customer UNION ALL
    SELECT shard(h, ''month'', ''2 days'')::text::cohort_table FROM customer) q', '22023', NULL,
  'a state and a table of different windows');

-- States where they were never meant to be: kept in a table -----------------------------------------------------------

CREATE TABLE leak (o integer, arguments text, n integer, state cohort_table, finished text);
CREATE FUNCTION pg_temp.leak() RETURNS void LANGUAGE plpgsql AS $$
DECLARE f record;
BEGIN
  FOR f IN SELECT * FROM form LOOP
    EXECUTE format('INSERT INTO leak SELECT %s, %L, 1, shard(h, %s), %L FROM (SELECT h FROM customer ORDER BY c) q',
      f.o, f.arguments, f.arguments, f.answer);
    EXECUTE format('INSERT INTO leak SELECT %s, %L, 2, shard(h, %s), %L
        FROM (SELECT h FROM customer ORDER BY c DESC) q', f.o, f.arguments, f.arguments, f.answer);
    EXECUTE format('INSERT INTO leak SELECT %s, %L, 3, shard(h, %s), cohort_retention(h, %3$s) FROM customer
        WHERE c = 7', f.o, f.arguments, f.arguments);
  END LOOP;
END $$;
SELECT pg_temp.leak() \g /dev/null
SELECT cmp_ok(max(pg_column_size(state)), '>', 20000, 'some states are large') FROM leak;
SELECT is(count(*) FILTER (WHERE state::text IS DISTINCT FROM finished), 0::bigint, 'written, it is the finished table')
  FROM leak;
SELECT is((SELECT whole(state)::text FROM leak l WHERE l.o = f.o AND n = 1), answer,
  'and can be finished: ' || arguments) FROM form f ORDER BY o;
SELECT is(pg_temp.outcome(format('SELECT whole(state)
    FROM (SELECT state FROM leak WHERE o = %s AND n = 1 UNION ALL SELECT shard(h, %s) FROM nothing UNION ALL
    SELECT cohort_retention(h, %2$s) FROM nothing) q', o, arguments)), answer, 'and combined: ' || arguments)
  FROM form ORDER BY o;
-- Whatever is asked of a state, the answer is that of the finished table.
CREATE FUNCTION pg_temp.ask(question text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  l record;
  have text;
  want text;
  wrong text := '';
BEGIN
  FOR l IN SELECT ctid, * FROM leak WHERE o IN (1, 3, 6) AND n <> 2 LOOP
    have := pg_temp.outcome(format('SELECT %s
        FROM (SELECT state AS t, %L::cohort_table AS finished FROM leak WHERE ctid = %L) q', question, l.finished,
        l.ctid));
    want := pg_temp.outcome(format('SELECT %s FROM (SELECT t, t AS finished FROM (SELECT %L::cohort_table AS t) q) q',
        question, l.finished));
    IF have IS DISTINCT FROM want
      THEN wrong := wrong || format('%s (%s): %s, not %s; ', l.arguments, l.n, left(have, 60), left(want, 60)); END IF;
  END LOOP;
  RETURN is(left(wrong, 400), '', 'asked of a state: ' || question);
END $$;
SELECT pg_temp.ask(question) FROM
  unnest(ARRAY['t::text', 'encode(cohort_table_send(t), ''hex'')', 'md5(t::jsonb::text)', 't = finished',
    'finished = t', 't <> finished', 'cohort_table_hash(t) = cohort_table_hash(finished)',
    'cohort_table_hash_extended(t, 7) = cohort_table_hash_extended(finished, 7)',
  '(SELECT count(*) || '' '' || sum(seen) FROM cohort_rows(t, ''2025-01-01'', ''streak''))',
    '(SELECT count(*) || '' '' || sum(seen) FROM cohort_rows(t))',
    '(SELECT count(*) || '' '' || sum(retained) FROM retention_curve(t, measure => ''on_or_before''))',
    '(SELECT count(*) || '' '' || sum(active) FROM lifecycle_rows(t))',
  '(SELECT r::text FROM retention_test(t, finished, 1) r)', '(SELECT r::text FROM retention_test(finished, t, 1) r)',
    'cohort_chart(t)', '(SELECT rollup(x) FROM (VALUES (t)) v (x))',
    '(SELECT rollup(x) FROM (VALUES (t), (NULL)) v (x))', '(SELECT rollup(x) FROM (VALUES (t), (finished)) v (x))',
    '(SELECT rollup(x) FROM (VALUES (finished), (t), (t)) v (x))',
  '(SELECT rollup_shard(x) FROM (VALUES (t)) v (x))', '(SELECT rollup_shard(x) FROM (VALUES (t), (finished)) v (x))',
    '(SELECT whole(x) FROM (VALUES (t), (finished)) v (x))', '(SELECT whole(x) FROM (VALUES (finished), (t)) v (x))',
    '(SELECT whole(x) FROM (VALUES (t), (t), (t)) v (x))',
    '(SELECT whole(x) FROM (VALUES (t), (NULL), (finished), (t)) v (x))',
  't::text::cohort_table = finished', '(SELECT count(*) FROM (SELECT t UNION SELECT finished) u)',
    '(SELECT count(*) FROM (VALUES (t), (finished)) v (x) GROUP BY x)']) question;
SELECT is((SELECT count(*) FROM leak a JOIN leak b USING (o) WHERE a.n < 3 AND b.n < 3 AND a.state <> b.state),
  0::bigint, 'states of the same customers are equal, whatever their order');
-- Copied, they are finished.
CREATE TABLE copied (LIKE leak);
\set pipe `mktemp`
\setenv RETENTION_TEST_PIPE :pipe
\copy leak to program 'cat > "$RETENTION_TEST_PIPE"' with (format binary)
\copy copied from program 'cat "$RETENTION_TEST_PIPE"' with (format binary)
\copy leak to program 'cat > "$RETENTION_TEST_PIPE"'
\copy copied from program 'cat "$RETENTION_TEST_PIPE"'
\! rm -f "$RETENTION_TEST_PIPE"
SELECT is(count(*) FILTER (WHERE state = finished::cohort_table AND cohort_chart(state, '2024-01-01') IS NOT NULL),
  2 * (SELECT count(*) FROM leak), 'COPY finishes them') FROM copied;
-- In windows over rows a state is finished again and again.
SELECT results_eq(format('SELECT n, shard(h, %s) OVER (ORDER BY n)::text FROM few', arguments),
  format('SELECT n, cohort_retention(h, %s) OVER (ORDER BY n)::text FROM few', arguments),
  'states OVER a growing frame: ' || arguments) FROM form WHERE o IN (1, 6);
SELECT results_eq('SELECT n, whole(t) OVER (ORDER BY n ROWS 3 PRECEDING)::text
    FROM (SELECT n, shard(h, ''month'')::text::cohort_table AS t FROM few GROUP BY n) q',
  'SELECT n, cohort_retention(h, ''month'') OVER (ORDER BY n ROWS 3 PRECEDING)::text FROM few',
  'shards OVER a moving frame');
SELECT results_eq('SELECT n, whole(t) OVER (ORDER BY n)::text
    FROM (SELECT n, shard(h, ''month'') AS t FROM few GROUP BY n) q',
  'SELECT n, cohort_retention(h, ''month'') OVER (ORDER BY n)::text FROM few', 'states OVER a growing frame');
-- States of rollup.
CREATE TABLE pile AS SELECT segment, rollup_shard(t) AS state, rollup(t)::text AS finished
  FROM (SELECT segment, c % 11, cohort_retention(h, 'month') AS t FROM customer GROUP BY 1, 2) q GROUP BY segment;
SELECT is(count(*) FILTER (WHERE state::text <> finished OR state::text::cohort_table::text <> finished), 0::bigint,
  'a state of rollup is written as the finished table') FROM pile;
SELECT is((SELECT rollup(state)::text FROM pile), (SELECT answer FROM form WHERE o = 1), 'and can be rolled up');
SELECT is((SELECT rollup(state::text::cohort_table)::text FROM pile), (SELECT answer FROM form WHERE o = 1),
  'as text from other nodes');
SELECT is(pg_temp.outcome(format('SELECT %s
    FROM (SELECT state AS t, finished::cohort_table AS finished FROM pile ORDER BY segment LIMIT 1) q', question)),
  pg_temp.outcome(format('SELECT %s
    FROM (SELECT finished::cohort_table AS t, finished::cohort_table AS finished FROM pile ORDER BY segment LIMIT 1) q',
    question)), 'asked of a state of rollup: ' || question)
FROM unnest(ARRAY['t::jsonb', 't = finished', 't <> finished', 'cohort_table_hash(t) = cohort_table_hash(finished)',
    '(SELECT count(*) FROM cohort_rows(t))', '(SELECT count(*) FROM lifecycle_rows(t))', 'cohort_chart(t)',
    '(SELECT r::text FROM retention_test(t, t, 1) r)', '(SELECT whole(x) FROM (VALUES (t), (finished)) v (x))',
    '(SELECT whole(x) FROM (VALUES (t)) v (x))']) question;
CREATE TABLE history_pile AS SELECT c, rollup_shard(h) AS state, rollup(h)::text AS finished
  FROM (SELECT c, customer_history(day, 1.5) AS h FROM ev GROUP BY c, day) q WHERE c % 10 = 0 GROUP BY c;
SELECT is(count(*) FILTER (WHERE state::text <> finished OR state::text::customer_history::text <> finished), 0::bigint,
  'a state of rollup is written as the finished history') FROM history_pile;
SELECT is((SELECT rollup(state)::text FROM history_pile),
  (SELECT rollup(finished::customer_history)::text FROM history_pile), 'and can be rolled up');
SELECT is(pg_temp.outcome(format('SELECT %s
    FROM (SELECT state AS h, finished::customer_history AS finished FROM history_pile ORDER BY c LIMIT 1) q', question)),
  pg_temp.outcome(format('SELECT %s
    FROM (SELECT finished::customer_history AS h, finished::customer_history AS finished FROM history_pile ORDER BY c
    LIMIT 1) q', question)), 'asked of a state of rollup: ' || question)
FROM unnest(ARRAY['h::jsonb', 'h = finished', 'h <> finished',
    'customer_history_hash(h) = customer_history_hash(finished)', '(SELECT count(*) FROM history_days(h))',
    'first_day(h)', 'last_day(h)', 'active_days(h)', 'events(h)', 'total_amount(h)', 'history_until(h, ''2024-01-01'')',
    'history_since(h, ''2024-01-01'')', 'h || finished', 'finished || h', 'h || NULL', 'clv_summary(h, ''2024-01-01'')',
    'cohort_retention(h, ''month'')']) question;

-- The parts of the aggregates, called by themselves or put together otherwise -----------------------------------------

CREATE TABLE part (call text, types text[]);
INSERT INTO part VALUES ('cohort_retention_history_trans', '{cohort_table,customer_history,text}'),
  ('cohort_retention_history_window_trans', '{cohort_table,customer_history,text,interval}'),
  ('cohort_retention_history_combine', '{cohort_table,cohort_table}'),
  ('cohort_retention_history_final', '{cohort_table}'),
  ('cohort_table_rollup', '{cohort_table,cohort_table}'), ('cohort_table_rollup_final', '{cohort_table}'),
    ('customer_history_rollup', '{customer_history,customer_history}'),
    ('customer_history_rollup_final', '{customer_history}');
CREATE TABLE sample AS SELECT (SELECT state FROM leak WHERE o = 1 AND n = 1) AS open,
  (SELECT finished::cohort_table FROM leak WHERE o = 1 AND n = 1) AS finished,
  (SELECT h FROM customer WHERE c = 7) AS history;
SELECT is(string_agg(DISTINCT pg_temp.outcome(format('SELECT %s(%s) FROM sample', call,
    array_to_string(arguments, ', '))), '; '),
  format('0A000 this function is part of the aggregate %s and cannot be called', CASE WHEN call ~ 'rollup' THEN 'rollup'
    ELSE 'cohort_retention' END), format('%s, called in %s ways', call, count(*)))
FROM part, generate_series(0, (3 ^ cardinality(types))::integer - 1) way,
     LATERAL (SELECT array_agg(CASE way / (3 ^ (i - 1))::integer % 3 WHEN 0 THEN 'NULL::' || type ELSE CASE type
         WHEN 'cohort_table' THEN (ARRAY['open', 'finished'])[way / (3 ^ (i - 1))::integer % 3] WHEN 'customer_history'
         THEN 'history' WHEN 'text' THEN '''month''' ELSE 'interval ''1 day''' END END ORDER BY i) AS arguments
       FROM unnest(types) WITH ORDINALITY t (type, i)) a
GROUP BY call ORDER BY call;
CREATE AGGREGATE begun(customer_history, text) (SFUNC = cohort_retention_history_trans, STYPE = cohort_table,
  INITCOND = 'AQA=');
SELECT alike(pg_temp.outcome('SELECT begun(h, ''month'') FROM customer'), '55000 %',
  'a state that is finished takes no more');
SELECT is(pg_temp.outcome('SELECT begun(h, ''month'') FROM customer WHERE false'), 'AQA=', 'but may stay as it is');
SELECT format('CREATE AGGREGATE begun_whole(cohort_table) (SFUNC = cohort_retention_history_combine, STYPE = '
  'cohort_table, INITCOND = %L)', (SELECT cohort_retention(h, 'month')::text FROM customer WHERE c % 2 = 0)) \gexec
SELECT is((SELECT begun_whole(t)::text
    FROM (SELECT shard(h, 'month') AS t FROM customer WHERE c % 4 = 1 UNION ALL
    SELECT shard(h, 'month')::text::cohort_table FROM customer WHERE c % 4 = 3) q),
  (SELECT answer FROM form WHERE o = 1), 'combining may begin with a table');
SELECT throws_ok(format('SELECT %L::cohort_table', encode(bytes, 'base64')), '22P02', NULL,
  'no state gets in: ' || bytes::text)
  FROM unnest(ARRAY['\xf1', '\xf100', '\xf1000000', '\xf2', '\xf20000000000000000', '\xf2000000ffffffff']::bytea[])
  bytes;
SELECT throws_ok(format('SELECT %L::customer_history', encode(bytes, 'base64')), '22P02', NULL,
  'no state of a history gets in: ' || bytes::text)
  FROM unnest(ARRAY['\xf2', '\xf20000000000000000', '\xf2000000ffffffff']::bytea[]) bytes;

-- Combining costs no more than counting, also where two states have nothing in common.
CREATE TABLE lone AS SELECT i, customer_history(date '4713-01-01 BC' + (i::bigint * 2654435761 % 100000007)::integer) AS
  h FROM generate_series(1, 590000) i GROUP BY i;
CREATE TABLE half AS SELECT shard(h, 'day') AS t FROM lone WHERE i <= 200000 UNION ALL SELECT shard(h, 'day') FROM lone
  WHERE i > 200000;
SELECT clock_timestamp() AS t0 \gset
SELECT md5(cohort_retention(h, 'day')::text) AS counted FROM lone \gset
SELECT clock_timestamp() AS t1 \gset
SELECT md5(whole(t)::text) AS combined FROM half \gset
SELECT clock_timestamp() AS t2 \gset
SELECT is(:'combined'::text, :'counted'::text, 'states without a cell in common');
SELECT cmp_ok(timestamptz :'t2' - :'t1', '<', (timestamptz :'t1' - :'t0') * 5,
  format('are combined fast: %s, counted anew %s', timestamptz :'t2' - :'t1', timestamptz :'t1' - :'t0'));

SELECT * FROM finish();
ROLLBACK;
