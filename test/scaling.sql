-- doc/scaling.md: aggregates that run where the rows are give the same bytes, and do run there. Partitions by customer,
-- also with workers; shards in two other databases behind postgres_fdw, whose sessions have other settings, an empty
-- shard and one of NULLs.
--
-- Makes two databases and drops them again. The part with postgres_fdw needs that extension and a superuser, and is
-- skipped elsewhere.
\set main :DBNAME
\set one :DBNAME _shards_1
\set two :DBNAME _shards_2
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'postgres_fdw')
  AND current_setting('is_superuser')::boolean AS fdw \gset

-- Rows of 700 customers: n, customer, segment, joined_at, at, amount; NULLs, duplicates, days that differ between
-- zones.
\set rows 'SELECT n, (n::bigint * n % 1009 % 701)::integer AS customer, chr(97 + n % 3) AS segment, CASE WHEN n % 5 > 0 THEN timestamptz \'2024-01-15 00:30+00\' + make_interval(hours => (n::bigint * n % 1009 % 701 * 7)::integer, mins => n % 89) END AS joined_at, CASE WHEN n % 53 > 0 THEN timestamptz \'2024-01-01 00:00+00\' + make_interval(mins => n * 7919 % 525600, secs => n % 61) END AS at, CASE WHEN n % 7 > 0 THEN (n % 1000) * 0.01 END AS amount FROM (SELECT i % 6000 AS n FROM generate_series(1, 6500) i) s'
-- What is asked of the rows, each with its zone, and what is asked of the histories.
\set forms 'VALUES (1, $$cohort_retention(customer, at, \'month\', \'Europe/Paris\')$$), (2, $$cohort_retention(customer, at, \'day\', interval \'20 hours\', \'America/New_York\')$$), (3, $$cohort_retention(customer, joined_at, at, \'week:sunday\', \'Asia/Tokyo\')$$), (4, $$cohort_retention(customer, joined_at, at, \'month\', interval \'1 month\', \'Europe/Paris\')$$), (5, $$cohort_retention(\'c\' || customer, at, \'hour\', \'Asia/Kolkata\')$$)'

\if :fdw
SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', d), format('CREATE DATABASE %I TEMPLATE template0', d),
       format('ALTER DATABASE %I SET TimeZone = %L', d, zone), format('ALTER DATABASE %I SET DateStyle = %L', d, style),
       format('ALTER DATABASE %I SET extra_float_digits = %L', d, digits),
         format('ALTER DATABASE %I SET IntervalStyle = %L', d, intervals),
       format('ALTER DATABASE %I SET bytea_output = %L', d, bytes)
FROM (VALUES (:'one', 'Pacific/Kiritimati', 'German, DMY', -15, 'iso_8601', 'escape'),
  (:'two', 'America/Adak', 'SQL, MDY', 3, 'sql_standard', 'hex')) v (d, zone, style, digits, intervals, bytes) \gexec

-- Shards: schemas with the rows of their customers, what is asked of them as views, and their histories. "a" in one
-- database; "b", the empty "e" and "n" with nothing but NULLs in the other.
\c :one
SET client_min_messages = warning;
CREATE EXTENSION retention;
SELECT 'a' AS s, 1 AS shard, 'customer % 3 = 0' AS mine \gset
CREATE SCHEMA :s;
CREATE TABLE :s.ev AS SELECT * FROM (:rows) r WHERE :mine;
SELECT format('CREATE VIEW %I.form_%s AS SELECT %s AS c FROM %1$I.ev', :'s', o, call) FROM (:forms) f (o, call) \gexec
CREATE TABLE :s.hist AS SELECT customer, min(segment) AS segment, customer_history(at, amount, 'Europe/Paris') AS h
  FROM :s.ev GROUP BY customer;
CREATE VIEW :s.asked AS SELECT :shard AS shard, hist.*, period
  FROM :s.hist, unnest('{day,week,month,quarter,year}'::text[]) AS period;
CREATE VIEW :s.said AS SELECT customer, h::text AS h, (SELECT string_agg(d::text, ' ') FROM history_days(h) d) AS days,
  total_amount(h)::text AS total FROM :s.hist;

\c :two
SET client_min_messages = warning;
CREATE EXTENSION retention;
SELECT 'b' AS s, 2 AS shard, 'customer % 3 > 0' AS mine \gset
CREATE SCHEMA :s;
CREATE TABLE :s.ev AS SELECT * FROM (:rows) r WHERE :mine;
SELECT format('CREATE VIEW %I.form_%s AS SELECT %s AS c FROM %1$I.ev', :'s', o, call) FROM (:forms) f (o, call) \gexec
CREATE TABLE :s.hist AS SELECT customer, min(segment) AS segment, customer_history(at, amount, 'Europe/Paris') AS h
  FROM :s.ev GROUP BY customer;
CREATE VIEW :s.asked AS SELECT :shard AS shard, hist.*, period
  FROM :s.hist, unnest('{day,week,month,quarter,year}'::text[]) AS period;
CREATE VIEW :s.said AS SELECT customer, h::text AS h, (SELECT string_agg(d::text, ' ') FROM history_days(h) d) AS days,
  total_amount(h)::text AS total FROM :s.hist;
SELECT 'e' AS s, 3 AS shard \gset
CREATE SCHEMA :s;
CREATE TABLE :s.ev AS SELECT * FROM (:rows) r WHERE false;
SELECT format('CREATE VIEW %I.form_%s AS SELECT %s AS c FROM %1$I.ev', :'s', o, call) FROM (:forms) f (o, call) \gexec
CREATE TABLE :s.hist (customer integer, segment text, h customer_history);
CREATE VIEW :s.asked AS SELECT :shard AS shard, hist.*, period
  FROM :s.hist, unnest('{day,week,month,quarter,year}'::text[]) AS period;
SELECT 'n' AS s, 4 AS shard \gset
CREATE SCHEMA :s;
CREATE TABLE :s.ev AS SELECT n, NULL::integer AS customer, NULL::text AS segment, NULL::timestamptz AS joined_at,
  NULL::timestamptz AS at, amount FROM (:rows) r LIMIT 50;
SELECT format('CREATE VIEW %I.form_%s AS SELECT %s AS c FROM %1$I.ev', :'s', o, call) FROM (:forms) f (o, call) \gexec
CREATE TABLE :s.hist (customer integer, segment text, h customer_history);
INSERT INTO :s.hist SELECT -i, NULL, CASE WHEN i > 3 THEN customer_history(NULL::date) END FROM generate_series(1, 6) i
  GROUP BY i;
CREATE VIEW :s.asked AS SELECT :shard AS shard, hist.*, period
  FROM :s.hist, unnest('{day,week,month,quarter,year}'::text[]) AS period;

\c :main
\endif

SET client_min_messages = warning;
BEGIN;
SELECT * FROM no_plan();
SET jit = off;
SET max_parallel_workers_per_gather = 0;
SET TimeZone = 'Asia/Kolkata';
CREATE TEMP TABLE ev AS :rows;
ALTER TABLE ev SET (parallel_workers = 2);

CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; plan text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS off, VERBOSE off) ' || query LOOP plan := plan || line || E'\n'; END LOOP;
  RETURN plan;
END $$;
CREATE FUNCTION pg_temp.answer(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE 'SELECT string_agg(q::text, ''; '' ORDER BY q::text) FROM (' || query || ') q' INTO answer;
  RETURN answer;
END $$;

-- ------------------------------------------------------------- partitions

CREATE TABLE by_customer (LIKE ev) PARTITION BY HASH (customer);
SELECT format('CREATE TABLE by_customer_%s PARTITION OF by_customer FOR
    VALUES WITH (MODULUS 4, REMAINDER %1$s) WITH (parallel_workers = 2)', i) FROM generate_series(0, 3) i \gexec
CREATE TABLE with_empty (LIKE ev) PARTITION BY RANGE (customer);
CREATE TABLE with_empty_low PARTITION OF with_empty FOR VALUES FROM (MINVALUE) TO (0) WITH (parallel_workers = 2);
CREATE TABLE with_empty_mid PARTITION OF with_empty FOR VALUES FROM (0) TO (300) WITH (parallel_workers = 2);
CREATE TABLE with_empty_high PARTITION OF with_empty FOR VALUES FROM (300) TO (MAXVALUE) WITH (parallel_workers = 2);
INSERT INTO by_customer TABLE ev;
INSERT INTO with_empty TABLE ev;
CREATE TABLE hist AS SELECT customer, min(segment) AS segment, customer_history(at, amount, 'Europe/Paris') AS h FROM ev
  GROUP BY customer;
CREATE TABLE hist_by (LIKE hist) PARTITION BY HASH (customer);
SELECT format('CREATE TABLE hist_by_%s PARTITION OF hist_by FOR
    VALUES WITH (MODULUS 3, REMAINDER %1$s) WITH (parallel_workers = 2)', i) FROM generate_series(0, 2) i \gexec
INSERT INTO hist_by TABLE hist;
CREATE TABLE hist_list (LIKE hist) PARTITION BY LIST (segment);
CREATE TABLE hist_list_rows PARTITION OF hist_list FOR VALUES IN ('a', 'b', 'c') WITH (parallel_workers = 2);
CREATE TABLE hist_list_nulls PARTITION OF hist_list FOR VALUES IN ('n') WITH (parallel_workers = 2);
CREATE TABLE hist_list_none PARTITION OF hist_list FOR VALUES IN ('z') WITH (parallel_workers = 2);
INSERT INTO hist_list TABLE hist;
INSERT INTO hist_list SELECT -i, 'n', NULL FROM generate_series(1, 5) i;
ANALYZE ev; ANALYZE by_customer; ANALYZE with_empty; ANALYZE hist; ANALYZE hist_by; ANALYZE hist_list;

-- Two steps over rows: %s is the table. Their plans with partitions: first in one process, then with workers, who also
-- aggregate what their partitions give, where that pays.
CREATE TEMP TABLE question (o serial, query text, answer text);
INSERT INTO question (query) SELECT
  format('SELECT %s FROM (SELECT customer_history(at, amount, ''Europe/Paris'') AS h FROM %%s GROUP BY customer) q',
  call)
FROM unnest(ARRAY['cohort_retention(h, ''month'')',
    'cohort_retention(h, ''week:sunday'') FILTER (WHERE active_days(h) > 3)',
    'cohort_retention(h, ''month'', interval ''30 days'')',
    'cohort_retention(history_until(h, ''2024-08-31''), ''day'', interval ''1 month''), rollup(h), count(*)']) call;
INSERT INTO question (query) VALUES
  ('SELECT s, cohort_retention(h, ''month''), rollup(h)
    FROM (SELECT min(segment) AS s, customer_history(at, ''Europe/Paris'') AS h FROM %s GROUP BY customer) q
    GROUP BY s'),
  ('SELECT rollup(c) FROM (SELECT cohort_retention(customer, joined_at, at, ''month'', ''Europe/Paris'') AS c FROM %s
      GROUP BY customer) q'),
  ('SELECT cohort_retention(h, ''month'')
    FROM (SELECT customer_history(at, ''Europe/Paris'') AS h FROM %s WHERE n > 6000 GROUP BY customer) q');
UPDATE question SET answer = pg_temp.answer(format(query, 'ev'));
SELECT is((SELECT count(DISTINCT answer) FROM question), 7::bigint, 'the questions have different answers');
SELECT is((SELECT answer FROM question WHERE o = 1),
  pg_temp.answer('SELECT cohort_retention(customer, (at AT TIME ZONE ''Europe/Paris'')::date, ''month'') FROM ev'),
  'the first is that of one pass');
SELECT is((SELECT answer FROM question WHERE o = 6),
  pg_temp.answer('SELECT cohort_retention(customer, joined_at, at, ''month'', ''Europe/Paris'') FROM ev'),
  'so is the one with joined_at');

SET enable_partitionwise_aggregate = on;
SELECT matches(pg_temp.plan(format(query, source)), 'Append\s+->  (Hash|Group)Aggregate',
  format('each partition by itself: %s, question %s', source, o))
  FROM question, unnest('{by_customer,with_empty}'::text[]) source ORDER BY source, o;
SELECT is(pg_temp.answer(format(query, source)), answer, format('the same bytes: %s, question %s', source, o))
  FROM question, unnest('{by_customer,with_empty}'::text[]) source ORDER BY source, o;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 2;
SELECT matches(pg_temp.plan(format(query, source)), CASE WHEN o < 5
  THEN 'Gather.*->  Partial Aggregate.*Parallel Append\s+->  (Hash|Group)Aggregate' ELSE 'Gather' END,
  format('workers take partitions: %s, question %s', source, o))
  FROM question, unnest('{by_customer,with_empty}'::text[]) source ORDER BY source, o;
SELECT is(pg_temp.answer(format(query, source)), answer,
  format('the same bytes with workers: %s, question %s', source, o))
  FROM question, unnest('{by_customer,with_empty}'::text[]) source ORDER BY source, o;
SET max_parallel_workers_per_gather = 0;

-- Stored histories: partial states of each partition.
CREATE TEMP TABLE stored (o serial, call text, answer text);
INSERT INTO stored (call) SELECT
  unnest(ARRAY['cohort_retention(h, ''month'')', 'cohort_retention(h, ''day'')',
    'cohort_retention(h, ''month'', interval ''30 days'')', 'cohort_retention(h, ''week'', interval ''20 hours'')',
    'rollup(h)', 'cohort_retention(h, ''month'') FILTER (WHERE customer < 0)']);
UPDATE stored SET answer = pg_temp.answer(format('SELECT %s FROM hist', call));
SELECT matches(pg_temp.plan(format('SELECT %s FROM %s', call, source)), 'Append\s+->  Partial Aggregate',
  format('partial states: %s FROM %s', call, source)) FROM stored, unnest('{hist_by,hist_list}'::text[]) source
  ORDER BY source, o;
SELECT is(pg_temp.answer(format('SELECT %s FROM %s', call, source)), answer,
  format('the same bytes: %s FROM %s', call, source)) FROM stored, unnest('{hist_by,hist_list}'::text[]) source
  ORDER BY source, o;
SET max_parallel_workers_per_gather = 2;
SELECT matches(pg_temp.plan(format('SELECT %s FROM %s', call, source)), 'Gather.*Partial Aggregate',
  format('partial states of workers: %s FROM %s', call, source))
  FROM stored, unnest('{hist_by,hist_list}'::text[]) source ORDER BY source, o;
SELECT is(pg_temp.answer(format('SELECT %s FROM %s', call, source)), answer,
  format('the same bytes with workers: %s FROM %s', call, source))
  FROM stored, unnest('{hist_by,hist_list}'::text[]) source ORDER BY source, o;
SET max_parallel_workers_per_gather = 0;
SELECT is(pg_temp.answer('SELECT cohort_retention(h, ''month''), cohort_retention(h, ''month'', interval ''1 week''),
    rollup(h) FROM hist_list WHERE segment IN (''n'', ''z'')'), '(AQA=,AQA=,)',
  'partitions of NULLs and nothing: empty tables, and no history');

-- ------------------------------------------------------------ postgres_fdw

\if :fdw
CREATE EXTENSION postgres_fdw;
-- s.. say that the shards have the extension, p.. do not
SELECT format('CREATE SERVER %s FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host %L, port %L, dbname %L%s)', server,
  :'HOST', :'PORT', d, option), format('CREATE USER MAPPING FOR CURRENT_USER SERVER %s OPTIONS (user %L)', server,
  :'USER')
FROM (VALUES ('s1', :'one', ', extensions ''retention'', async_capable ''true'''),
  ('s2', :'two', ', extensions ''retention'', async_capable ''true'''), ('p1', :'one', ''), ('p2', :'two', ''))
  v (server, d, option) \gexec
SELECT format('CREATE SCHEMA %s_%s', kind, s),
  format('IMPORT FOREIGN SCHEMA %s FROM SERVER %s%s INTO %2$s_%1$s', s, kind, CASE s WHEN 'a' THEN 1 ELSE 2 END)
  FROM unnest('{s,p}'::text[]) kind, unnest('{a,b,e,n}'::text[]) s \gexec

-- What is fetched: the rows of all Foreign Scans, and the SQL that fetches them.
CREATE FUNCTION pg_temp.fetched(query text, OUT rows numeric, OUT sql text) LANGUAGE plpgsql AS $$
DECLARE plan jsonb;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, VERBOSE, COSTS off, TIMING off, SUMMARY off, FORMAT json) ' || query INTO plan;
  SELECT sum((node ->> 'Actual Rows')::numeric), string_agg(node ->> 'Remote SQL', '; ') INTO rows, sql
  FROM jsonb_path_query(plan, 'strict $.** ? (@."Node Type" == "Foreign Scan")') node;
END $$;
SELECT string_agg(format('SELECT * FROM %%1$s_%s.%%2$s', s), ' UNION ALL ') AS shards
  FROM unnest('{a,b,e,n}'::text[]) s \gset

-- Views of the shards: a finished table each, whatever the settings of their sessions and of this one.
CREATE TEMP TABLE form AS SELECT o, call, pg_temp.answer(format('SELECT %s FROM ev', call)) AS answer
  FROM (:forms) f (o, call);
SELECT is(pg_temp.answer(format('SELECT rollup(c) FROM (' || :'shards' || ') q', kind, 'form_' || o)), answer,
  format('views of the shards, %s: %s', kind, call)) FROM form, unnest('{s,p}'::text[]) kind ORDER BY kind, o;
SELECT is((pg_temp.fetched(format('SELECT rollup(c) FROM (' || :'shards' || ') q', 's', 'form_1'))).rows, 4.0,
  'a row a shard');

-- Histories of the shards, in one table: what postgres_fdw sends is fetched as one row a shard.
SELECT format('CREATE TABLE asked_%s (shard integer, customer integer, segment text, h customer_history, period '
  'text) PARTITION BY LIST (shard)', kind) FROM unnest('{s,p}'::text[]) kind \gexec
SELECT format('CREATE FOREIGN TABLE asked_%s_%s PARTITION OF asked_%1$s FOR
    VALUES IN (%3$s) SERVER %1$s%4$s OPTIONS (schema_name %2$L, table_name ''asked'')', kind, s, o, CASE s WHEN 'a'
  THEN 1 ELSE 2 END) FROM unnest('{s,p}'::text[]) kind, unnest('{a,b,e,n}'::text[]) WITH ORDINALITY v (s, o) \gexec
CREATE TEMP TABLE asked (o serial, call text, source text, sent text, query text, answer text);
INSERT INTO asked (call, source, sent) VALUES
  ('cohort_retention(h, period)', '%s WHERE period = ''month''', 'SELECT public.cohort_retention(h, period)'),
  ('cohort_retention(h, period, interval ''30 days'')', '%s WHERE period = ''day''',
    'SELECT public.cohort_retention(h, period, ''30 days''::interval)'),
  ('cohort_retention(h, period) FILTER (WHERE customer % 7 = 3)', '%s WHERE period = ''quarter'' AND segment <> ''c''',
    'SELECT public.cohort_retention(h, period) FILTER (WHERE'),
  ('cohort_retention(history_until(h, ''2024-06-30''), period)', '%s WHERE period = ''week''',
    'SELECT public.cohort_retention(public.history_until(h, ''2024-06-30''::date), period)'),
  ('rollup(h)', '%s WHERE period = ''day''', 'SELECT public.rollup(h)');
UPDATE asked SET query = format('SELECT rollup(c) FROM (SELECT %s AS c FROM %s GROUP BY shard) q',
  replace(call, '%', '%%'), source),
                 answer = pg_temp.answer(format('SELECT ' || replace(call, '%', '%%') || ' FROM ' || source,
                     '(SELECT * FROM hist, unnest(''{day,week,month,quarter,year}''::text[]) AS period) q'));
SELECT is(pg_temp.answer(format(query, 'asked_' || kind)), answer,
  format('histories of the shards, %s: %s', kind, call)) FROM asked, unnest('{s,p}'::text[]) kind ORDER BY kind, o;
CREATE FUNCTION pg_temp.is_sent(title text, rows numeric, sql text, sent text, shards integer) RETURNS text LANGUAGE sql
  AS $$
  SELECT CASE WHEN sql LIKE array_to_string(array_fill(sent || '%', ARRAY[shards]), '; ') AND rows <= 20
    THEN pass(title)
              ELSE concat_ws(E'\n', fail(title), diag(rows || ' rows of ' || sql)) END $$;
SELECT pg_temp.is_sent('sent, nothing known of the shards: ' || call, f.rows, f.sql, sent, 4)
  FROM asked, pg_temp.fetched(format(query, 'asked_s')) f ORDER BY o;
SELECT format('ANALYZE asked_s_%s', s) FROM unnest('{a,b,e,n}'::text[]) s \gexec
-- of shards with few rows, fetching them is no worse
SELECT pg_temp.is_sent('sent, with statistics: ' || call, f.rows, f.sql, sent, 2)
  FROM asked, pg_temp.fetched(format(query, 'asked_s')) f ORDER BY o;
SELECT ok(f.rows > 400 AND f.sql NOT LIKE '%cohort_retention%' AND f.sql NOT LIKE '%rollup%',
  'gathered where the server is not said to have the extension: ' || call)
  FROM asked, pg_temp.fetched(format(query, 'asked_p')) f WHERE o <> 3 ORDER BY o;

-- As the page says: text constants keep an aggregate here, and the answer is the same.
SELECT ok(f.rows > 400 AND f.sql NOT LIKE '%cohort_retention%', 'a constant period is not sent')
  FROM pg_temp.fetched('SELECT rollup(c)
    FROM (SELECT cohort_retention(h, ''month'') AS c FROM asked_s WHERE period = ''month'' GROUP BY shard) q') f;
SELECT is(pg_temp.answer('SELECT cohort_retention(h, ''month'') FROM asked_s WHERE period = ''month'''), answer,
  'the same table from gathered histories') FROM stored WHERE o = 1;
SELECT throws_ok('SELECT rollup(c) FROM (SELECT cohort_retention(h, period) AS c FROM asked_s GROUP BY shard) q',
  '22023', 'period must be the same in all rows of a group', 'a forgotten period is an error');

-- A customer on several shards: histories of parts of the rows, merged by customer here.
SELECT is(pg_temp.answer('SELECT cohort_retention(h, ''month'')
    FROM (SELECT rollup(h) AS h FROM (SELECT customer, history_until(h, ''2024-05-31'') AS h FROM asked_s
    WHERE period = ''day'' UNION ALL SELECT customer, history_since(h, ''2024-06-01'') FROM asked_p
    WHERE period = ''day'') q GROUP BY customer) q'), answer, 'customers on several shards') FROM stored WHERE o = 1;

-- Rows, grouped by customer: a history a customer is fetched. The zone of a session of postgres_fdw is UTC.
\set q 'SELECT customer, customer_history(at, amount) FROM s_a.ev GROUP BY customer'
SELECT ok(f.sql LIKE '%public.customer_history(at, amount)%GROUP BY%', 'histories by customer are sent')
  FROM pg_temp.fetched(format('SELECT string_agg(q::text, ''; '' ORDER BY q::text) FROM (%s) q', :'q')) f;
SELECT is(pg_temp.answer(:'q'),
  pg_temp.answer('SELECT customer, customer_history(at, amount, ''UTC'') FROM ev WHERE customer % 3 = 0
    GROUP BY customer'), 'without a zone, their days are those of UTC');

-- Settings: those of the shards' databases differ already, those of this session do not matter either; but that
-- postgres_fdw writes the date in history_until(h, date) in the session's DateStyle, which the shard may not read.
CREATE TEMP TABLE said AS SELECT customer, h::text AS h,
  (SELECT string_agg(format('(%s,%s,%s)', day, events, amount), ' ') FROM history_days(h) d) AS days,
  total_amount(h)::text AS total FROM hist;
SELECT set_eq('SELECT * FROM s_a.said UNION ALL SELECT * FROM s_b.said', 'SELECT * FROM said',
  'what the shards say of their histories');
CREATE TEMP TABLE setting (o serial, zone text, style text, digits text, intervals text);
INSERT INTO setting (zone, style, digits, intervals) VALUES ('UTC', 'ISO, DMY', '3', 'postgres'),
  ('Pacific/Apia', 'German, DMY', '-15', 'iso_8601'), ('America/St_Johns', 'Postgres, MDY', '0', 'sql_standard'),
  ('Europe/Paris', 'SQL, DMY', '1', 'postgres_verbose');
CREATE FUNCTION pg_temp.set_all(s setting) RETURNS text LANGUAGE sql
  AS $$ SELECT concat_ws(', ', set_config('TimeZone', s.zone, false), set_config('DateStyle', s.style, false),
    set_config('extra_float_digits', s.digits, false), set_config('IntervalStyle', s.intervals, false)) $$;
CREATE FUNCTION pg_temp.under(s setting) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE f record; found text := ''; settings text := pg_temp.set_all(s);
BEGIN
  FOR f IN SELECT format('SELECT rollup(c) FROM (SELECT c FROM s_a.form_%s UNION ALL SELECT c FROM s_b.form_%1$s) q',
    o) AS query, call, answer FROM form
           UNION ALL SELECT format(query, 'asked_s'), call, answer FROM asked WHERE call !~ 'until' UNION ALL
             SELECT format(query, 'asked_p'), call || ' gathered', answer FROM asked
           UNION ALL SELECT format('SELECT %s FROM hist_by', call), call, answer FROM stored UNION ALL
             SELECT format(query, 'by_customer'), query, answer FROM question LOOP
    IF pg_temp.answer(f.query) IS DISTINCT FROM f.answer THEN found := found || f.call || E'\n'; END IF;
  END LOOP;
  RETURN NEXT is(found, '', 'the same bytes under ' || settings);
END $$;
SELECT pg_temp.under(s) FROM setting s ORDER BY o;
\else
SELECT skip('postgres_fdw is not installed, or this is no superuser', 1);
\endif

SELECT * FROM finish();
ROLLBACK;
SELECT format('DROP DATABASE %I WITH (FORCE)', d) FROM unnest(ARRAY[:'one', :'two']) d WHERE :'fdw' \gexec
