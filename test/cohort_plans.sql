-- Whatever the plan, the same bytes: row orders, partial aggregates in workers and over partitions, states shared
-- between aggregates, FILTER, GROUP BY, window frames, roll-ups, settings of the session.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
SET TimeZone = 'Asia/Kolkata';
SET jit = off;

CREATE FUNCTION pg_temp.plan(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE line text; plan text := '';
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP plan := plan || line || E'\n'; END LOOP;
  RETURN plan;
END $$;

-- Events of 700 customers, with duplicates, NULLs and returns before joining; the same rows in one table, in five
-- partitions by hash of the row (so each customer is spread over all), one more that stays empty, and in four by hash
-- of the customer.
CREATE TABLE ev (n integer, customer integer, segment text, joined_at timestamptz, at timestamptz, day date,
  wall timestamp) WITH (parallel_workers = 3);
INSERT INTO ev
  SELECT n, CASE WHEN n % 97 > 0 THEN (n::bigint * n) % 1009 % 701 END, chr(97 + n % 3),
         CASE WHEN n % 5 > 0 THEN timestamptz '2024-01-15 00:30+00'
           + make_interval(hours => ((n::bigint * n) % 1009 % 701 * 7)::integer, mins => n % 89) END,
         CASE WHEN n % 53 > 0 THEN timestamptz '2024-01-01 00:00+00' + make_interval(mins => (n * 7919) % 525600,
           secs => n % 61) END
  FROM generate_series(1, 6000) n;
INSERT INTO ev SELECT * FROM ev WHERE n % 11 = 0;
UPDATE ev SET day = at AT TIME ZONE 'UTC', wall = at AT TIME ZONE 'UTC';
CREATE TABLE by_row (LIKE ev) PARTITION BY HASH (n);
CREATE TABLE by_customer (LIKE ev) PARTITION BY HASH (customer);
SELECT format('CREATE TABLE by_row_%s PARTITION OF by_row FOR
    VALUES WITH (MODULUS 5, REMAINDER %1$s) WITH (parallel_workers = 2)', i) FROM generate_series(0, 4) i \gexec
SELECT format('CREATE TABLE by_customer_%s PARTITION OF by_customer FOR
    VALUES WITH (MODULUS 4, REMAINDER %1$s) WITH (parallel_workers = 2)', i) FROM generate_series(0, 3) i \gexec
INSERT INTO by_row TABLE ev;
INSERT INTO by_customer TABLE ev;
CREATE TABLE with_empty (LIKE ev) PARTITION BY LIST (segment);
CREATE TABLE with_empty_all PARTITION OF with_empty FOR VALUES IN ('a', 'b', 'c');
CREATE TABLE with_empty_none PARTITION OF with_empty FOR VALUES IN ('z');
INSERT INTO with_empty TABLE ev;
ANALYZE ev; ANALYZE by_row; ANALYZE by_customer; ANALYZE with_empty;

-- Every shape of state: bits of periods, lists of days and hours, first event known or not, keys of fixed and variable
-- length.
CREATE TABLE form (o serial, call text, answer text);
INSERT INTO form (call) VALUES
  ('cohort_retention(customer, at, ''month'', ''Europe/Paris'')'),
    ('cohort_retention(customer, at, ''day'', ''America/New_York'')'),
    ('cohort_retention(customer, day, ''week:sunday'')'),
  ('cohort_retention(customer, at, ''hour'', ''Australia/Lord_Howe'')'),
    ('cohort_retention(customer, joined_at, at, ''month'', ''Europe/Paris'')'),
    ('cohort_retention(customer, joined_at, at, ''day'', ''UTC'')'),
  ('cohort_retention(customer, at, ''month'', interval ''30 days'', ''Europe/Paris'')'),
    ('cohort_retention(customer, at, ''day'', interval ''24 hours'', ''Europe/Paris'')'),
  ('cohort_retention(customer, joined_at, at, ''month'', interval ''1 month'', ''Europe/Paris'')'),
    ('cohort_retention(customer, joined_at, wall, ''week'', interval ''7 hours'', ''Europe/Paris'')'),
  ('cohort_retention(''customer '' || customer, at, ''month'', ''Europe/Paris'')'),
    ('cohort_retention(md5(customer::text)::uuid, at, ''week'', interval ''7 days'', ''Europe/Paris'')'),
  ('cohort_retention(customer::text, joined_at, at, ''month'', interval ''1 month'', ''Europe/Paris'')'),
    ('cohort_retention(ARRAY[customer, customer % 7], joined_at, at, ''quarter'', ''Europe/Paris'')');
SET max_parallel_workers_per_gather = 0;
DO $$
DECLARE f record; r text;
BEGIN
  FOR f IN SELECT * FROM form LOOP
    EXECUTE format('SELECT %s::text FROM (SELECT * FROM ev ORDER BY n) e', f.call) INTO r;
    UPDATE form SET answer = r WHERE o = f.o;
  END LOOP;
END $$;
SELECT is((SELECT count(DISTINCT answer) FROM form), 12::bigint,
  'the forms give different tables, but where only the type of the key differs');

CREATE FUNCTION pg_temp.check(title text, source text, plan_has text DEFAULT '') RETURNS SETOF text LANGUAGE plpgsql
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

-- Row orders.
SELECT t FROM unnest('{n DESC,at,at DESC,customer,"customer DESC, at DESC",n % 7,md5(n::text)}'::text[]) o,
  pg_temp.check('rows ordered by ' || o, format('(SELECT * FROM ev ORDER BY %s) e', o)) t;

-- Plans in one process: partitions, each its own partial state.
SET enable_partitionwise_aggregate = on;
SELECT pg_temp.check('partition-wise, customers in all partitions', 'by_row', 'Append\s+->  Partial Aggregate');
SELECT pg_temp.check('partition-wise, customers in one partition each', 'by_customer',
  'Append\s+->  Partial Aggregate');
SELECT pg_temp.check('partition-wise, an empty partition', 'with_empty', 'Append\s+->  Partial Aggregate');

-- Plans with workers.
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 3;
SELECT pg_temp.check('workers', 'ev', 'Gather\s+Workers Planned: [1-3]\s+->  Partial Aggregate');
SELECT pg_temp.check('workers, partition-wise', 'by_row', 'Gather.*Partial Aggregate');
SELECT pg_temp.check('workers, partition-wise by customer', 'by_customer', 'Gather.*Partial Aggregate');
SET enable_partitionwise_aggregate = off;
SELECT pg_temp.check('workers, Parallel Append', 'by_row', 'Partial Aggregate\s+->  Parallel Append');
SET parallel_leader_participation = off;
SELECT pg_temp.check('workers without the leader', 'ev', 'Gather\s+Workers Planned: [1-3]\s+->  Partial Aggregate');
RESET parallel_leader_participation;
SET max_parallel_workers_per_gather = 1;
SELECT pg_temp.check('one worker', 'ev', 'Gather\s+Workers Planned: 1\s+->  Partial Aggregate');
SET max_parallel_workers_per_gather = 3;

-- No rows at all, or only rows that do not count, in every plan.
CREATE TABLE nothing (LIKE ev) WITH (parallel_workers = 2);
SELECT is((SELECT count(*) FROM (SELECT cohort_retention(customer, at, 'month') AS t FROM nothing) q, cohort_rows(t)),
  0::bigint, 'no rows: no rows');
SELECT ok((SELECT cohort_retention(customer, at, 'month') IS NOT NULL FROM nothing), 'but an empty table, not NULL');
SELECT is((SELECT (SELECT count(*) FROM retention_curve(t)) + (SELECT count(*) FROM lifecycle_rows(t))
    FROM (SELECT cohort_retention(customer, joined_at, at, 'month', interval '7 days') AS t FROM nothing) q), 0::bigint,
  'no curve, no lifecycle');
SELECT is((SELECT count(*) FROM (SELECT cohort_retention(customer, at, 'month') AS t FROM nothing) q,
    cohort_rows(t, '2030-01-01')), 0::bigint, 'whatever the as_of');
SELECT is((SELECT cohort_retention(customer, at, 'month')::text FROM ev WHERE customer IS NULL),
  (SELECT cohort_retention(customer, at, 'month')::text FROM nothing), 'rows without customer leave it empty');
SELECT is((SELECT count(*) FROM (SELECT cohort_retention(customer, NULL::date, at, 'month', 'UTC') AS t FROM ev) q,
    cohort_rows(t)), 0::bigint, 'customers who never join are no cohort');
SELECT is((SELECT rollup(t)::text
    FROM (SELECT cohort_retention(customer, at, 'month') AS t FROM nothing UNION ALL
    SELECT cohort_retention(customer, at, 'month') FROM ev) q), (SELECT cohort_retention(customer, at, 'month')::text
    FROM ev), 'an empty table adds nothing');
SELECT is((SELECT rollup(t) FROM (SELECT NULL::cohort_table AS t) q WHERE false), NULL, 'rollup of no table is NULL');
SELECT is((SELECT rollup(t) FROM (SELECT NULL::cohort_table AS t) q), NULL, 'rollup of NULL is NULL');
SELECT is((SELECT rollup(t)::text
    FROM (VALUES (NULL::cohort_table), ((SELECT cohort_retention(customer, at, 'month') FROM ev)), (NULL)) v (t)),
  (SELECT cohort_retention(customer, at, 'month')::text FROM ev), 'rollup skips NULLs');
SELECT is((SELECT count(*) FROM cohort_rows(NULL)) + (SELECT count(*) FROM retention_curve(NULL)) + (SELECT count(*)
    FROM lifecycle_rows(NULL)), 0::bigint, 'accessors of NULL give no rows');

-- GROUP BY and FILTER.
SELECT matches(pg_temp.plan('SELECT segment, cohort_retention(customer, at, ''month'', ''Europe/Paris'') FROM ev
    GROUP BY segment'), 'Partial (Hash|Group)Aggregate', 'GROUP BY is split as well');
SELECT results_eq(format('SELECT segment, %s::text FROM ev GROUP BY segment ORDER BY segment', call),
                  format('SELECT s, (SELECT %s::text FROM (SELECT * FROM ev WHERE segment = s ORDER BY n DESC) e)
                      FROM unnest(''{a,b,c}''::text[]) s', call), 'GROUP BY: ' || call) FROM form ORDER BY o;
SELECT results_eq(format('SELECT %s::text FROM ev',
    string_agg(format('%s FILTER (WHERE segment = %L)', call, s), '::text, ' ORDER BY s)),
                  format('SELECT %s', string_agg(format('(SELECT %s::text FROM (SELECT * FROM ev WHERE segment = %L '
                      'ORDER BY at) e)', call, s), ', ' ORDER BY s)), 'FILTER: ' || call)
FROM form, unnest('{a,b,none}'::text[]) s GROUP BY o, call ORDER BY o;
SELECT results_eq('SELECT segment, cohort_retention(customer, at, ''month'', ''UTC'')::text FROM by_row
    GROUP BY GROUPING SETS ((segment), ()) ORDER BY segment',
                  'SELECT segment, cohort_retention(customer, at, ''month'', ''UTC'')::text FROM ev GROUP BY segment
                    UNION ALL SELECT NULL, cohort_retention(customer, at, ''month'', ''UTC'')::text FROM ev ORDER BY 1',
                    'GROUPING SETS');

-- Parameters may differ between groups, though not within one.
SELECT results_eq('SELECT p, z, cohort_retention(customer, at, p, z)::text
    FROM ev, unnest(''{day,month,week:sunday}''::text[]) p, unnest(''{UTC,Asia/Tokyo}''::text[]) z
    GROUP BY p, z ORDER BY p, z',
                  'SELECT p, z, (SELECT cohort_retention(customer, at, p, z)::text FROM ev)
                    FROM unnest(''{day,month,week:sunday}''::text[]) p, unnest(''{UTC,Asia/Tokyo}''::text[]) z
                    ORDER BY p, z', 'a period and a zone for each group');
-- Several aggregates at once: equal ones share their state, others must not.
SELECT results_eq(format('SELECT %s FROM ev', string_agg(call || '::text, ' || call || '::text', ', ' ORDER BY o)),
  format('VALUES (%s)', string_agg(quote_literal(answer) || ', ' || quote_literal(answer), ', ' ORDER BY o)),
                  'all forms at once, each twice') FROM form;
SELECT results_eq('SELECT (SELECT sum(size) FROM cohort_rows(a)), (SELECT count(*) FROM retention_curve(a)) > 0,
    a::text = b::text, c::text <> a::text
                   FROM (SELECT cohort_retention(customer, at, ''month'', ''UTC'') AS a,
                     cohort_retention(customer, at, ''month'', ''UTC'') AS b,
                     cohort_retention(customer, at, ''month'', ''Asia/Tokyo'') AS c FROM ev) q',
                  'SELECT (SELECT sum(size) FROM cohort_rows(a)), true, true, true
                    FROM (SELECT cohort_retention(customer, at, ''month'', ''UTC'') AS a FROM ev) q',
                    'a state is finished more than once');
SELECT is((SELECT cohort_retention(DISTINCT customer, at, 'month', 'Europe/Paris')::text FROM ev),
  (SELECT answer FROM form WHERE o = 1), 'DISTINCT changes nothing');
SELECT is((SELECT cohort_retention(customer, at, 'month', 'Europe/Paris' ORDER BY n DESC)::text FROM ev),
  (SELECT answer FROM form WHERE o = 1), 'nor does ORDER BY');

-- Roll-ups: any disjoint customers, in any order, in steps.
CREATE FUNCTION pg_temp.answer(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
  EXECUTE query INTO r;
  RETURN r;
END $$;
SELECT is(pg_temp.answer(format('SELECT rollup(t)::text
    FROM (SELECT %s AS t FROM ev GROUP BY customer %% 5 ORDER BY customer %% 5 DESC) q', call)), answer,
  'rollup of tables by customer: ' || call) FROM form ORDER BY o;
SELECT is((SELECT rollup(u)::text
    FROM (SELECT g % 2, rollup(t) AS u
    FROM (SELECT customer % 50 AS g, cohort_retention(customer, at, 'month', 'Europe/Paris') AS t FROM ev GROUP BY 1) q
    GROUP BY 1) r), (SELECT answer FROM form WHERE o = 1), 'rollup of rollups');
CREATE TABLE shard AS SELECT customer % 50 AS g,
  cohort_retention(customer, at, 'month', interval '30 days', 'Europe/Paris') AS t FROM ev GROUP BY 1;
ALTER TABLE shard SET (parallel_workers = 2);
ANALYZE shard;
SELECT matches(pg_temp.plan('SELECT rollup(t) FROM shard'), 'Partial Aggregate', 'rollup is split among workers');
SELECT is((SELECT rollup(t)::text FROM shard), (SELECT answer FROM form WHERE o = 7), 'to the same table');
SELECT is((SELECT rollup(t)::text FROM (SELECT * FROM shard ORDER BY md5(g::text)) q),
  (SELECT answer FROM form WHERE o = 7), 'in any order');

-- Windows over rows: what each frame shows is what an aggregate over its rows gives.
CREATE TABLE few AS SELECT n, customer % 9 AS customer, segment, joined_at, at, day, wall FROM ev
  WHERE n % 31 = 0 AND n < 3000;
DELETE FROM few WHERE ctid NOT IN (SELECT min(ctid) FROM few GROUP BY n);    -- no two rows with the same n
CREATE FUNCTION pg_temp.check_frame(call text, frame text, rows_of_frame text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN results_eq(format('SELECT n, %s OVER (%s)::text FROM few ORDER BY n, 2', call, frame),
                    format('SELECT n, (SELECT %s::text FROM few WHERE %s) FROM few f ORDER BY n, 2', call,
                      rows_of_frame), call || ' OVER (' || frame || ')');
END $$;
SELECT pg_temp.check_frame(call, 'ORDER BY n', 'few.n <= f.n') FROM form ORDER BY o;
SELECT pg_temp.check_frame(call, 'ORDER BY n ROWS BETWEEN 5 PRECEDING AND 2 FOLLOWING',
  'few.n BETWEEN coalesce((SELECT min(n) FROM (SELECT n FROM few x WHERE x.n < f.n ORDER BY n DESC LIMIT 5) y), f.n)
                           AND coalesce((SELECT max(n) FROM (SELECT n FROM few x WHERE x.n > f.n ORDER BY n LIMIT 2) y), f.n)')
                             FROM form WHERE o IN (1, 2, 5, 7, 9, 11, 13) ORDER BY o;
SELECT pg_temp.check_frame(call,
  'PARTITION BY segment ORDER BY n DESC RANGE BETWEEN 300 PRECEDING AND CURRENT ROW EXCLUDE CURRENT ROW',
  'few.segment = f.segment AND few.n > f.n AND few.n <= f.n + 300') FROM form WHERE o IN (1, 6, 8, 10, 12) ORDER BY o;
SELECT pg_temp.check_frame('cohort_retention(customer, at, ''month'', ''UTC'') FILTER (WHERE segment <> ''b'')',
  'ORDER BY n ROWS 3 PRECEDING',
  'segment <> ''b'' AND few.n <= f.n AND few.n >= coalesce((SELECT min(n) FROM (SELECT n FROM few x WHERE x.n < f.n '
  'ORDER BY n DESC LIMIT 3) y), f.n)');
SELECT is((SELECT rollup(t) OVER (ORDER BY g ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)::text
    FROM shard ORDER BY g LIMIT 1), (SELECT answer FROM form WHERE o = 7), 'rollup as a window');
SELECT results_eq('SELECT g, rollup(t) OVER (ORDER BY g ROWS 4 PRECEDING)::text FROM shard
    WHERE g IS NOT NULL ORDER BY g', 'SELECT g, (SELECT rollup(t)::text FROM shard WHERE g BETWEEN s.g - 4 AND s.g)
    FROM shard s WHERE g IS NOT NULL ORDER BY g', 'rollup over moving frames');
SELECT is((SELECT t::text FROM shard WHERE g = 1),
  (SELECT cohort_retention(customer, at, 'month', interval '30 days', 'Europe/Paris')::text FROM ev
    WHERE customer % 50 = 1), 'rollup does not write into what it reads');

-- Settings of the session do not reach the text of a value, or its rows.
CREATE FUNCTION pg_temp.under(name text, value text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE before text := current_setting(name);
BEGIN
  PERFORM set_config(name, value, true);
  RETURN QUERY SELECT pg_temp.check(name || ' = ' || value, 'ev');
  PERFORM set_config(name, before, true);
END $$;
SELECT t FROM (VALUES ('TimeZone', 'America/Los_Angeles'), ('TimeZone', 'Pacific/Apia'), ('DateStyle', 'German, DMY'),
  ('DateStyle', 'SQL, MDY'), ('IntervalStyle', 'sql_standard'), ('IntervalStyle', 'iso_8601'),
  ('extra_float_digits', '-15'), ('bytea_output', 'escape'),
                      ('work_mem', '64kB'), ('lc_numeric', 'C')) v (name, value), pg_temp.under(name, value) t;

SELECT * FROM finish();
ROLLBACK;
