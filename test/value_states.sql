-- Transition states that have the type of a value, kept in a table by aggregates of one's own: whatever is done with one
-- is done with the value that it stands for, and what cannot be added up fails when it is added, never when it is read.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
SELECT diag('seed ' || :'seed');

-- Values of each type that adds up, in groups ------------------------------------------------------------------------

CREATE TABLE customer AS SELECT c, c % 7 AS grp,
  customer_history(date '2024-01-01' + floor(random() * 500)::integer, round((random() * 100)::numeric, c % 3)) AS h
  FROM generate_series(1, 400) c, generate_series(1, 1 + c % 5) GROUP BY c;
CREATE TABLE customer_history_value AS SELECT grp, h AS v FROM customer;
CREATE TABLE cohort_table_value AS SELECT grp, cohort_retention(h, 'month') AS v FROM customer GROUP BY grp, c % 11;
CREATE TABLE migration_matrix_value AS SELECT grp, migration_matrix(f, t, x) AS v
  FROM (SELECT grp, c, pg_temp.pick('{a,b,10,9}'::text[]) AS f, pg_temp.pick('{a,b,c,NULL}'::text[]) AS t,
    round((random() * 10 ^ (random() * 30))::numeric, 2) AS x FROM customer) q GROUP BY grp, c % 11;
CREATE TABLE survival_table_value AS SELECT grp, logrank(c % 37, c % 3 = 0, pg_temp.pick('{a,b,10,9}'::text[])) AS v
  FROM customer GROUP BY grp, c % 11;
CREATE TABLE score_table_value AS SELECT grp, score_table(random(), c % 3 = 0) AS v FROM customer GROUP BY grp, c % 11;
CREATE TABLE clv_data_value AS SELECT grp, clv_data(h, '2024-12-31', '2025-06-30') AS v FROM customer
  GROUP BY grp, c % 11;

-- A roll-up that is not finished, and an accessor that looks at all of a value.
CREATE TABLE kind (type text, accessor text);
INSERT INTO kind VALUES ('customer_history', '(SELECT string_agg(d::text, '';'') FROM history_days(v) d)'),
  ('cohort_table', '(SELECT string_agg(r::text, '';'') FROM cohort_rows(v) r)'),
  ('migration_matrix', '(SELECT string_agg(r::text, '';'') FROM migration_rows(v) r)'),
  ('survival_table', '(SELECT string_agg(r::text, '';'') FROM survival_rows(v) r)'), ('score_table', 'auc(v)::text'),
  ('clv_data', 'v::jsonb::text');
SELECT format('CREATE AGGREGATE raw(%s) (SFUNC = %1$s_rollup, STYPE = %1$s, COMBINEFUNC = %1$s_rollup);
  CREATE TABLE %1$s_kept AS SELECT grp, raw(v) AS v, rollup(v)::text AS sum FROM %1$s_value GROUP BY grp', type)
  FROM kind \gexec

CREATE FUNCTION pg_temp.check_kept(kind) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  question text;
  wrong bigint;
BEGIN
  FOREACH question IN ARRAY ARRAY['v::text', 'encode(%1$s_send(v), ''hex'')', 'v::jsonb::text', '%1$s_hash(v)::text',
    '%1$s_hash_extended(v, 7)::text', '(v = sum::%1$s)::text', '(sum::%1$s = v)::text', '(v <> sum::%1$s)::text',
    $1.accessor, '(SELECT rollup(x)::text FROM (VALUES (v), (NULL)) t (x))',
    '(SELECT rollup(x)::text FROM (VALUES (v), (sum::%1$s)) t (x))',
    '(SELECT raw(x)::text FROM (VALUES (sum::%1$s), (v)) t (x))', '(SELECT count(*)::text FROM
      (SELECT v UNION SELECT sum::%1$s) u)', 'v::text::%1$s::text'] LOOP
    EXECUTE format(format('SELECT count(*) FROM (SELECT grp, %s AS a FROM %%1$s_kept) a JOIN (SELECT grp, %s AS a
      FROM (SELECT grp, sum::%%1$s AS v, sum FROM %%1$s_kept) k) b USING (grp) WHERE a.a IS DISTINCT FROM b.a', question,
      question), $1.type) INTO wrong;
    RETURN NEXT is(wrong, 0::bigint, format('%s: %s', $1.type, format(question, $1.type)));
  END LOOP;
  EXECUTE format('SELECT count(*) FROM (SELECT rollup(v)::text AS a FROM %1$s_kept) a,
    (SELECT rollup(v)::text AS a FROM %1$s_value) b WHERE a.a <> b.a', $1.type) INTO wrong;
  RETURN NEXT is(wrong, 0::bigint, $1.type || ': rolled up, they are the sum of all');
END $$;
SELECT t FROM kind k, pg_temp.check_kept(k) t;

-- States of the types' own aggregates.
CREATE AGGREGATE open(customer_history, text) (SFUNC = cohort_retention_history_trans, STYPE = cohort_table);
CREATE AGGREGATE open(text, text, numeric) (SFUNC = migration_matrix_value_trans, STYPE = migration_matrix);
CREATE AGGREGATE open(customer_history, date, date) (SFUNC = clv_data_trans, STYPE = clv_data);
CREATE TABLE move AS SELECT c % 5 AS grp, pg_temp.pick('{a,b,10,9}'::text[]) AS f,
  pg_temp.pick('{a,b,c,NULL}'::text[]) AS t, round((random() * 10 ^ (random() * 30))::numeric, 2) AS x
  FROM generate_series(1, 1000) c;
CREATE TABLE open_state AS SELECT c.*, m.m, m.msum FROM
  (SELECT grp, open(h, 'week') AS c, cohort_retention(h, 'week')::text AS csum,
    open(h, '2024-12-31'::date, '2025-06-30'::date) AS d, clv_data(h, '2024-12-31', '2025-06-30')::text AS dsum
    FROM customer GROUP BY grp) c
  JOIN (SELECT grp, open(f, t, x) AS m, migration_matrix(f, t, x)::text AS msum FROM move GROUP BY grp) m USING (grp);
SELECT is(count(*) FILTER (WHERE c::text = csum AND m::text = msum AND d::text = dsum AND c = csum::cohort_table
    AND m = msum::migration_matrix AND d = dsum::clv_data AND c::jsonb = csum::cohort_table::jsonb
    AND m::jsonb = msum::migration_matrix::jsonb AND d::jsonb = dsum::clv_data::jsonb
    AND cohort_chart(c) = cohort_chart(csum::cohort_table)
    AND migration_chart(m) = migration_chart(msum::migration_matrix)
    AND m + m = msum::migration_matrix + msum::migration_matrix), count(*), 'open states, asked like their values')
  FROM open_state;
SELECT is((SELECT rollup(m)::text FROM open_state), (SELECT migration_matrix(f, t, x)::text FROM move WHERE grp IN
  (SELECT grp FROM open_state)), 'and rolled up');

-- What cannot be added up --------------------------------------------------------------------------------------------

-- The first value is much larger than the others, so that nothing is added before it has to be.
CREATE FUNCTION pg_temp.refused(large text, small text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.outcome(format('SELECT raw(v ORDER BY o) IS NULL FROM (SELECT 1 AS o, (%s) AS v UNION ALL
    SELECT 2, (%s)) q', large, small))
$$;
SELECT matches(pg_temp.refused(large, small), want, format('%s and %s: %s', left(large, 40), left(small, 40), want))
FROM (VALUES
  ('SELECT cohort_retention(c, date ''2024-01-01'' + c % 500, ''day'') FROM generate_series(1, 999) c',
    'SELECT cohort_retention(1, date ''2024-01-01'', ''month'')', '^22023 cohort tables have different periods'),
  ('SELECT cohort_retention(c, date ''2024-01-01'' + c % 500, ''day'') FROM generate_series(1, 999) c',
    'SELECT cohort_retention(1, timestamptz ''2024-01-01'', ''day'', ''UTC'')', '^22023 '),
  ('SELECT survival_curve(c, true) FROM generate_series(1, 999) c', 'SELECT survival_curve(1.5::float8, true)',
    '^22023 survival tables of different durations'),
  ('SELECT survival_curve(c, true) FROM generate_series(1, 999) c', 'SELECT logrank(1, true, 1)',
    '^22023 survival tables with and without groups'),
  ('SELECT clv_data(h, ''2024-12-31'', ''2025-06-30'') FROM customer',
    'SELECT clv_data(h, ''2024-12-30'', ''2025-06-30'') FROM customer WHERE c = 1', '^22023 calibration_end must be'),
  ('SELECT migration_matrix(c, c) FROM generate_series(1, 999) c',
    'SELECT migration_matrix(c, c) FROM generate_series(-9, -1) c', '^54000 '),
  ('SELECT migration_matrix(c, c) FROM generate_series(1, 99) c',
    'SELECT migration_matrix(ARRAY[''a''], ARRAY[ARRAY[1.0]])', '^22023 .*given probabilities')) v (large, small, want);

-- Lists of states of which none has the other's: a third one may have both, so that is known in the end.
SELECT matches(pg_temp.outcome(format('SELECT raw(v ORDER BY o)::text FROM (%s) q', concat_ws(' UNION ALL ', a, b, c))),
               want, coalesce(c, 'unlike lists') || ': ' || want)
FROM (VALUES ('SELECT 1 AS o, migration_matrix(''a'', ''a'', (SELECT array_agg(c::text) || ''a''::text
    FROM generate_series(1, 99) c)) AS v', 'SELECT 2, migration_matrix(''b'', ''b'')')) v (a, b), (VALUES
  (NULL, '^22023 migration matrices have different lists'),
  ('SELECT 3, migration_matrix(''a'', ''a'', (SELECT array_agg(c::text) || ARRAY[''a'', ''b'']
    FROM generate_series(1, 99) c))', '^[A-Za-z0-9+/=]+$')) w (c, want);

-- Many labels, together more than a table may have: found out when they come.
SELECT matches(pg_temp.outcome($$SELECT raw(v) IS NULL FROM (SELECT logrank(1, true, c) AS v
  FROM generate_series(1, 40000) c GROUP BY c % 2) q$$), '^54000 a survival_table cannot have more than 32767',
  'more labels than a table may have');
SELECT is(pg_temp.outcome($$SELECT raw(v)::text = (SELECT logrank(1, true, c % 999)::text FROM
  generate_series(1, 99900) c) FROM (SELECT logrank(1, true, c % 999) AS v FROM generate_series(1, 99900) c
  GROUP BY c / 999) q WHERE v IS NOT NULL$$), 'true', 'the same labels again and again are not more');

-- Twice as much again and again: 22003 in the end, and until then the text can be read.
CREATE FUNCTION pg_temp.double(v anyelement) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  twice v%TYPE := v;
  again v%TYPE;
BEGIN
  FOR i IN 1 .. 70 LOOP
    EXECUTE 'SELECT rollup(x) FROM (VALUES ($1), ($1)) t (x)' INTO twice USING twice;
    EXECUTE format('SELECT %L::%s', twice, pg_typeof(v)) INTO again;
    IF again <> twice THEN RETURN 'another value'; END IF;
  END LOOP;
  RETURN 'no end';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.double(v), '22003', 'doubled: ' || pg_typeof(v)) FROM customer_history_value LIMIT 1;
SELECT is(pg_temp.double(v), '22003', 'doubled: ' || pg_typeof(v)) FROM cohort_table_value LIMIT 1;
SELECT is(pg_temp.double(v), '22003', 'doubled: ' || pg_typeof(v)) FROM migration_matrix_value LIMIT 1;
SELECT is(pg_temp.double(v), '22003', 'doubled: ' || pg_typeof(v)) FROM survival_table_value LIMIT 1;
SELECT is(pg_temp.double(v), '22003', 'doubled: ' || pg_typeof(v)) FROM score_table_value LIMIT 1;
SELECT is(pg_temp.double(v), '22003', 'doubled: ' || pg_typeof(v)) FROM clv_data_value LIMIT 1;

-- A large sum and small ones, which together are too much for it: found out when they come.
CREATE FUNCTION pg_temp.times(v anyelement, doublings integer) RETURNS anyelement LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. doublings LOOP
    EXECUTE 'SELECT rollup(x) FROM (VALUES ($1), ($1)) t (x)' INTO v USING v;
  END LOOP;
  RETURN v;
END $$;
CREATE TABLE heavy AS SELECT (SELECT rollup(v) FROM cohort_table_value) AS large,
  pg_temp.times(cohort_retention(1, date '2024-01-01', 'month'), 60) AS small;
SELECT matches(pg_temp.outcome('SELECT raw(v ORDER BY o) IS NULL FROM (SELECT 1 AS o, large AS v FROM heavy UNION ALL
  SELECT 1 + n, small FROM heavy, generate_series(1, 3) n) q'), '^22003 too many customers',
  'small tables of many customers beside a large one');
SELECT is(pg_temp.outcome('SELECT sum(size) FROM (SELECT raw(v ORDER BY o) AS v FROM (SELECT 1 AS o, large AS v
  FROM heavy UNION ALL SELECT 1 + n, small FROM heavy, generate_series(1, 1) n) q) q, cohort_rows(v)
  WHERE period = 0'), (400 + 2::numeric ^ 60)::bigint::text, 'one of them is not too much');
CREATE TABLE busy AS SELECT (SELECT customer_history(day)
    FROM generate_series(date '2020-01-01', date '2024-12-31', interval '1 day') day) AS large,
  pg_temp.times(customer_history(date '2024-01-01'), 55) AS small;
SELECT matches(pg_temp.outcome('SELECT raw(v ORDER BY o) IS NULL FROM (SELECT 1 AS o, large AS v FROM busy UNION ALL
  SELECT 1 + n, small FROM busy, generate_series(1, 3) n) q'), '^22003 too many events', 'and of histories');
SELECT is(pg_temp.outcome('SELECT events(raw(v ORDER BY o)) FROM (SELECT 1 AS o, large AS v FROM busy UNION ALL
  SELECT 1 + n, small FROM busy, generate_series(1, 1) n) q'), (1827 + 2::numeric ^ 55)::bigint::text,
  'of which one is not too many');

-- Flags and tags -----------------------------------------------------------------------------------------------------

SELECT is(string_agg(format('%s %s: %s', type, b, o), '; ') FILTER (WHERE o !~ '^22P02 .* wrong version'), NULL,
  'no state and no version but the first is read')
FROM kind, unnest('{0,2,16,127,240,241,242,243,255}'::integer[]) b, LATERAL pg_temp.outcome(format('SELECT v::text
  FROM %s_value LIMIT 1', type)) v, LATERAL pg_temp.outcome(format('SELECT %L::%s', translate(encode(set_byte(decode(v,
  'base64'), 0, b), 'base64'), E'\n', ''), type)) o;
SELECT is(string_agg(type, '; ') FILTER (WHERE o !~ '^22P02 .* wrong flags'), NULL, 'nor a flag that no value has')
FROM kind, LATERAL pg_temp.outcome(format('SELECT v::text FROM %s_value LIMIT 1', type)) v,
  LATERAL pg_temp.outcome(format('SELECT %L::%s', translate(encode(set_byte(decode(v, 'base64'), 1, 128), 'base64'),
  E'\n', ''), type)) o;
SELECT * FROM finish();
ROLLBACK;
