-- The names of groups, strata, causes and segments: one text for each value, whatever TimeZone, DateStyle,
-- IntervalStyle, extra_float_digits and bytea_output say, with the equality of the type; and the types of which that
-- cannot be had.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
CREATE EXTENSION IF NOT EXISTS citext;
SELECT * FROM no_plan();
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned

CREATE TYPE mood AS ENUM ('ok', 'Very bad');
CREATE DOMAIN price AS numeric;
CREATE DOMAIN prices AS price[];
CREATE TYPE place AS (street text, since timestamptz, marks price[]);

-- Sessions as they come, each with other texts for everything ---------------------------------------------------------

CREATE TABLE session (s integer, zone text, style text, span text, digits text, bytes text);
INSERT INTO session VALUES
  (1, 'UTC', 'ISO, MDY', 'postgres', '1', 'hex'),
  (2, 'Asia/Kolkata', 'German, DMY', 'iso_8601', '-10', 'escape'),
  (3, 'America/St_Johns', 'SQL, DMY', 'sql_standard', '0', 'escape'),
  (4, 'Pacific/Kiritimati', 'Postgres, YMD', 'postgres_verbose', '3', 'hex');
CREATE FUNCTION pg_temp.enter(s integer) RETURNS void LANGUAGE sql AS $$
  SELECT set_config('TimeZone', zone, true), set_config('DateStyle', style, true),
    set_config('IntervalStyle', span, true), set_config('extra_float_digits', digits, true),
    set_config('bytea_output', bytes, true) FROM session e WHERE e.s = $1 $$;
-- the table, made in a session, of the groups that an expression over i gives
CREATE FUNCTION pg_temp.made(s integer, expression text, n integer DEFAULT 1) RETURNS survival_table
LANGUAGE plpgsql AS $$
DECLARE r survival_table;
BEGIN
  PERFORM pg_temp.enter(s);
  EXECUTE format('SELECT logrank(1, true, %1$s, %1$s) FROM generate_series(1, %2$s) i', expression, n) INTO r;
  PERFORM pg_temp.enter(1);
  RETURN r;
END $$;
CREATE FUNCTION pg_temp.counted(expression text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE r bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM (SELECT %s AS g FROM generate_series(1, 4) i GROUP BY 1) q', expression) INTO r;
  RETURN r;
END $$;
SELECT pg_temp.enter(1) \g /dev/null

-- One text for each value ---------------------------------------------------------------------------------------------

CREATE TABLE labelled (expression text, label text);
INSERT INTO labelled VALUES
  ('''Plan A ''', 'Plan A '), ('''x y''::varchar(9)', 'x y'), ('''x y  ''::char(9)', 'x y'), ('''a b''::name', 'a b'),
  ('''Pro''::citext', 'pro'), ('''Q''::"char"', 'Q'), ('''Very bad''::mood', 'Very bad'),
  ('i = 1', 'true'), ('i <> 1', 'false'), ('i::smallint', '1'), ('-i', '-1'),
  ('i::bigint << 62', '4611686018427387904'),
  ('1.50', '1.5'), ('1.00', '1'), ('100', '100'), ('100.0', '100'), ('-0.0', '0'), ('''NaN''::numeric', 'NaN'),
  ('0.0100::price', '0.01'), ('1e20', '100000000000000000000'),
  ('0.1::real', '0.1'), ('0.1::float8', '0.1'),
  ('0.1::float8 + 0.2', '0.30000000000000004'), ('-0.0::float8', '0'),
  ('''-0''::real', '0'), ('1e15::float8', '1e+15'), ('''-inf''::float8', '-Infinity'), ('''NaN''::real', 'NaN'),
  ('1e8::float8', '100000000'), ('16777216::real', '1.6777216e+07'),
  ('make_date(2025, 2, 1)', '2025-02-01'), ('''infinity''::date', 'infinity'),
  ('make_date(-44, 3, 15)', '0044-03-15 BC'), ('make_timestamp(2025, 2, 1, 3, 4, 5.25)', '2025-02-01 03:04:05.25'),
  ('to_timestamp(0)', '1970-01-01 00:00:00+00'), ('to_timestamp(0.5)', '1970-01-01 00:00:00.5+00'),
  ('''-infinity''::timestamptz', '-infinity'), ('make_time(24, 0, 0)', '24:00:00'),
  ('decode(''00ff41'', ''hex'')', '\x00ff41'), ('md5('''')::uuid', 'd41d8cd9-8f00-b204-e980-0998ecf8427e'),
  ('''10.1.2.3/8''::inet', '10.1.2.3/8'), ('B''0101''', '0101'),
  ('ARRAY[1, 2, NULL]', '{1,2,NULL}'), ('ARRAY[[1.0, 2.50], [3, NULL]]', '{{1,2.5},{3,NULL}}'),
  ('ARRAY[''a'', ''b c'', ''NULL'', '''', ''q"\'']', '{a,"b c","NULL","","q\"\\"}'), ('ARRAY[]::date[]', '{}'),
  ('array_fill(to_timestamp(0), ''{2}'', ''{0}'')', '[0:1]={"1970-01-01 00:00:00+00","1970-01-01 00:00:00+00"}'),
  ('ARRAY[[[1], [2]], [[3], [4]]]', '{{{1},{2}},{{3},{4}}}'), ('ARRAY[2.0, 3.10]::prices', '{2,3.1}'),
  ('ROW(''web'', 3)', '(web,3)'), ('ROW(''web'', NULL, '''', ''a "b\'')', '(web,,"","a ""b\\")'),
  ('ROW(''web'', make_timestamp(2025, 2, 1, 0, 0, 0))', '(web,"2025-02-01 00:00:00")'),
  ('ROW(''High St'', to_timestamp(0), ''{1.0,2}'')::place', '("High St","1970-01-01 00:00:00+00","{1,2}")'),
  ('ARRAY[ROW(1, 2.0), ROW(2, NULL)]', '{"(1,2)","(2,)"}'), ('ROW(ROW(1.0), i = 1)', '("(1)",true)');
SELECT is((SELECT string_agg(DISTINCT r.grp, '; ') FROM session, logrank_groups(pg_temp.made(s, expression)) r), label,
  expression) FROM labelled;
SELECT ok((SELECT count(DISTINCT pg_temp.made(s, expression)::text) = 1 FROM session), expression || ' in all sessions')
  FROM labelled;
SELECT is((SELECT label FROM labelled l WHERE l.expression = e), (SELECT r.grp FROM (SELECT CASE e
    WHEN 'ROW(''web'', 3)' THEN logrank(1, true, ROW('web', 3)::text) ELSE logrank(1, true, '{1,2,NULL}'::text) END
    AS t) q, logrank_groups(t) r), e || ' as it is printed')
  FROM unnest('{"ROW(''web'', 3)","ARRAY[1, 2, NULL]"}'::text[]) e;

-- The equality of the type: as many groups as there are distinct values -----------------------------------------------

CREATE TABLE equals (expression text, n bigint);
INSERT INTO equals VALUES
  ('round(1.0, i)', 1), ('(ARRAY[1.0, 1.00, 1.01, 1.010])[i]', 2), ('0.1::numeric * 10 ^ -i', 4),
  ('(''{0.1,0.1000000001,0.10000000000000001,1e-1}''::float8[])[i]', 2), ('(''{0,-0,NaN,NaN}''::float8[])[i]', 2),
  ('(''{0,-0,1e-45,1e-44}''::real[])[i]', 3), ('(ARRAY[''a'', ''a '', ''b'', ''a  '']::char(3)[])[i]', 2),
  ('(ARRAY[''a'', ''A'', ''B'', ''b'']::citext[])[i]', 2),
  ('to_timestamp(0) + (i / 2) * interval ''1 microsecond''', 3),
  ('(ARRAY[''2025-02-01 01:00+01'', ''2025-02-01 00:00+00'', ''2025-01-31 19:00-05'', ''2025-02-01 00:00+01'']
    ::timestamptz[])[i]', 2),
  ('ROW(round(1.0, i), i % 2)', 2), ('ARRAY[round(1.0, i), i / 4]', 2),
  ('CASE i WHEN 1 THEN ARRAY[1] WHEN 2 THEN ''[2:2]={1}'' WHEN 3 THEN ARRAY[[1]] ELSE ''{1}''::integer[] END', 3),
  ('(ARRAY[''NULL'', NULL, ''"NULL"'', ''''])[i : i]', 4), ('ROW(substr(''a,b'', 1, i), substr(''a,b'', i + 1))', 3),
  ('CASE WHEN i < 3 THEN ROW(i / 2.0) ELSE ROW((i - 2) / 2.0::float8) END', 2);
SELECT is((SELECT count(*) FROM logrank_groups(pg_temp.made(1, expression, 4))), n, expression) FROM equals;
SELECT is((SELECT count(*) FROM (SELECT rollup(pg_temp.made(s, expression, 4)) AS t FROM session) q, logrank_groups(t)),
  n, expression || ': added up over sessions') FROM equals;
-- of values of one type: GROUP BY says the same
SELECT is(pg_temp.counted(expression), n, expression || ': as GROUP BY has it')
  FROM equals WHERE expression NOT LIKE 'CASE WHEN%';

-- The case of the two sessions ----------------------------------------------------------------------------------------

CREATE TABLE halves (half integer, t survival_table);
CREATE TABLE customer AS SELECT i, i % 20 + 1 AS duration, i % 3 = 0 AS left_then,
  date_trunc('month', timestamptz '2025-01-15 12:00+00' + (i % 2) * interval '1 month', 'UTC') AS month
  FROM generate_series(1, 400) i;
SELECT pg_temp.enter(2) \g /dev/null
INSERT INTO halves SELECT 1, logrank(duration, left_then, month) FROM customer WHERE i <= 200;
SELECT pg_temp.enter(3) \g /dev/null
INSERT INTO halves SELECT 2, logrank(duration, left_then, month) FROM customer WHERE i > 200;
SELECT pg_temp.enter(1) \g /dev/null
SELECT is((SELECT rollup(t) FROM halves)::text, logrank(duration, left_then, month)::text, 'two sessions are one table')
  FROM customer;
-- the textbook's statistic in plain SQL; its square root is a standard normal one
CREATE TABLE expected AS
SELECT sum(d1 - d * n1 / n) ^ 2 / sum(d * n1 / n * (1 - n1 / n) * (n - d) / (n - 1)) AS chi_square
FROM (SELECT t, (SELECT count(*) FROM customer WHERE duration >= t)::float8 AS n,
    (SELECT count(*) FROM customer WHERE duration >= t AND i % 2 = 1)::float8 AS n1,
    (SELECT count(*) FROM customer WHERE duration = t AND left_then)::float8 AS d,
    (SELECT count(*) FROM customer WHERE duration = t AND left_then AND i % 2 = 1)::float8 AS d1
  FROM generate_series(1, 20) t) q WHERE d > 0 AND n > 1;
SELECT is((SELECT row(r.groups, r.degrees_of_freedom, round(r.chi_square::numeric, 9),
    round(r.p_value::numeric, 3))::text
    FROM (SELECT rollup(t) AS t FROM halves) q, logrank_test(t) r),
  (SELECT row(2, 1, round(chi_square::numeric, 9), 0.220)::text FROM expected), 'two groups');
SELECT is((SELECT string_agg(DISTINCT r.grp, '; ' ORDER BY r.grp) FROM halves, logrank_groups(t) r),
  '2025-01-01 00:00:00+00; 2025-02-01 00:00:00+00', 'named in UTC');

-- Causes and segments -------------------------------------------------------------------------------------------------

SELECT is((SELECT string_agg(DISTINCT r.cause, ', ') FROM (SELECT competing_risks(i, 'Very bad'::mood) AS t
    FROM generate_series(1, 3) i) q, incidence_rows(t) r), 'Very bad', 'a cause of an enum');
SELECT is((SELECT string_agg(concat_ws('>', (m).from_segment , p), ' ' ORDER BY i) FROM (SELECT i, p, migration(p) OVER
    (ORDER BY i) AS m FROM unnest('{ok,Very bad,Very bad}'::mood[]) WITH ORDINALITY e (p, i)) q),
  'ok ok>Very bad Very bad>Very bad', 'segments of an enum');
SELECT is((SELECT string_agg((m).from_segment , ' ' ORDER BY i) FROM (SELECT i, migration(p) OVER (ORDER BY i) AS m
    FROM unnest('{t,f,f}'::boolean[]) WITH ORDINALITY e (p, i)) q), 'true false', 'segments that are true or false');
SELECT is((SELECT string_agg((m).from_segment , ' ' ORDER BY i) FROM (SELECT i, migration(p) OVER (ORDER BY i) AS m
    FROM unnest('{-9223372036854775808,7,7}'::bigint[]) WITH ORDINALITY e (p, i)) q), '-9223372036854775808 7',
  'segments that are numbers');

-- Refused, with what to write -----------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.refused(expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE hint text;
BEGIN
  RETURN pg_temp.made(1, expression);
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
  RETURN concat_ws(' ', SQLSTATE, SQLERRM, '/', hint);
END $$;
CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
SELECT is(pg_temp.refused(expression), '42804 group cannot be of type ' || type || ' / ' || hint, type || ' is refused')
FROM (VALUES ('interval ''1 day''', 'interval', 'Write extract(epoch FROM group).'),
  ('i::money', 'money', 'Write group::numeric.'),
  ('json ''{}''', 'json', 'Write group::text, or take a field of it: group ->> ''name''.'),
  ('jsonb ''{}''', 'jsonb', 'Write group::text, or take a field of it: group ->> ''name''.'),
  ('xml ''<a/>''', 'xml', 'Write group::text.'),
  ('timetz ''12:00+01''', 'time with time zone', 'Write group::text.'),
  ('point(1, 2)', 'point', 'Write group::text.'),
  ('daterange(NULL, NULL)', 'daterange', 'Write ROW(lower(group), upper(group)).'),
  ('ARRAY[interval ''1 day'']', 'interval', 'Write extract(epoch FROM group).'),
  ('ROW(1, jsonb ''1'')', 'jsonb', 'Write group::text, or take a field of it: group ->> ''name''.')
) v (expression, type, hint);
SELECT is(pg_temp.refused('''a''::text COLLATE folded'),
  '42804 group cannot have the nondeterministic collation "folded" / Write group COLLATE "C", where all different '
  || 'texts are different, or lower(group) COLLATE "C".', 'texts of which different ones are equal');
SELECT throws_ok('SELECT logrank(1, true, 1, interval ''1 day'')', '42804', 'stratum cannot be of type interval',
  'a stratum is named');
-- what the hints say works
SELECT is((SELECT string_agg(r.grp, '; ') FROM logrank_groups(pg_temp.made(2, expression)) r), label, expression)
FROM (VALUES ('extract(epoch FROM interval ''1 day'')', '86400'), ('2::money::numeric', '2'),
  ('jsonb ''{}''::text', '{}'),
  ('jsonb ''{"name": "web"}'' ->> ''name''', 'web'),
  ('ROW(lower(daterange(''2025-02-01'', NULL)), upper(daterange(''2025-02-01'', NULL)))', '(2025-02-01,)')
) v (expression, label);
SELECT throws_ok($$SELECT logrank(1, true, repeat('x', 200)::bytea)$$, '22023', NULL, 'a label has its limit');

SELECT * FROM finish();
ROLLBACK;
