-- A model against what customers did: clv_data, its counts against SQL over the same histories, its form against
-- damage, and tracking, frequencies, holdout and charts against the model's own predictions, customer by customer, and
-- the published figures of CDNOW.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
SELECT diag('seed ' || :'seed');
SET DateStyle = 'SQL, DMY';

-- Random customers: some buy once, some each day, some come late, some after all.
CREATE TABLE purchase AS
  SELECT customer, day FROM (SELECT i AS customer, date '2023-01-01' + (random() ^ 2 * 250)::integer AS first,
    pg_temp.pick('{0,0,0,1,2,3,5,30}'::integer[]) AS n FROM generate_series(1, (600 * :cases)::integer) i) c,
  LATERAL (SELECT first AS day UNION ALL SELECT first + (random() ^ 2 * 500)::integer FROM generate_series(1, n)) d;
CREATE TABLE who AS SELECT customer, customer_history(day) AS h FROM purchase GROUP BY customer;
CREATE TABLE odd AS TABLE who UNION ALL
  VALUES (0, NULL::customer_history), (-1, (SELECT customer_history(day) FROM purchase WHERE false));
CREATE TABLE model AS SELECT name, m, unit
  FROM (VALUES ('bg_nbd', '{"r": 0.9, "alpha": 9, "a": 0.8, "b": 2.5}', 'week'),
  ('mbg_nbd', '{"r": 0.5, "alpha": 1.2, "a": 0.9, "b": 1.6}', 'month'),
  ('pareto_nbd', '{"r": 0.55, "alpha": 70, "s": 0.6, "beta": 80}', 'day'), ('nbd', '{"r": 0.4, "alpha": 0.3}', 'year'))
    v (name, p, unit), LATERAL clv_model(name, p::jsonb, unit) m;
SELECT set_eq('SELECT name FROM model',
  $$SELECT model FROM clv_models() WHERE kind = 'purchase' AND time = 'continuous'$$,
  'every model in continuous time');

-- clv_data ------------------------------------------------------------------------------------------------------------

CREATE TABLE asked (title text, calibration_end date, as_of date, d clv_data);
INSERT INTO asked SELECT title, e, a, CASE WHEN a IS NULL THEN (SELECT clv_data(h, e) FROM odd)
  ELSE (SELECT clv_data(h, e, a) FROM odd) END FROM (VALUES
  ('all', date '2023-07-01', NULL::date), ('until a day', '2023-07-01', '2024-01-01'),
    ('early', '2023-01-20', '2023-06-30'), ('no holdout', '2023-12-31', '2023-12-31'),
    ('after the end', '2030-01-01', NULL), ('before the beginning', '2022-01-01', NULL)) v (title, e, a);
SELECT is((SELECT clv_data(h, '2023-07-01', NULL) FROM odd), d, 'NULL is the latest day') FROM asked
  WHERE title = 'all';
CREATE FUNCTION pg_temp.counted(e date, a date) RETURNS jsonb LANGUAGE sql AS $$
  WITH latest AS (SELECT coalesce(a, greatest(max(day), e)) AS until FROM purchase),
  c AS (SELECT customer, min(day) AS first, max(day) FILTER (WHERE day <= e) AS last,
    count(DISTINCT day) FILTER (WHERE day <= e) - 1 AS x, count(DISTINCT day) FILTER (WHERE day > e) AS holdout
        FROM purchase, latest WHERE day <= until GROUP BY customer),
  n AS (SELECT x, last - first AS t_x, e - first AS age, count(*) AS customers, sum(holdout) AS holdout FROM c
    WHERE first <= e GROUP BY 1, 2, 3),
  d AS (SELECT day, count(DISTINCT customer) AS purchases FROM purchase JOIN c USING (customer), latest
    WHERE first <= e AND day > first AND day <= until GROUP BY day)
  SELECT jsonb_build_object('calibration_end', to_char(e, 'YYYY-MM-DD'), 'as_of', to_char(until, 'YYYY-MM-DD'),
    'left_out', (SELECT count(*) FROM c WHERE first > e),
    'customers', coalesce((SELECT jsonb_agg(jsonb_build_object('frequency', x, 'recency', t_x, 'age', age, 'customers',
        customers, 'holdout', holdout) ORDER BY age, x, t_x) FROM n), '[]'),
    'days', coalesce((SELECT jsonb_agg(jsonb_build_object('day', to_char(day, 'YYYY-MM-DD'), 'purchases', purchases)
        ORDER BY day) FROM d), '[]')) FROM latest $$;
SELECT is(d::jsonb, pg_temp.counted(calibration_end, as_of), 'as SQL counts: ' || title) FROM asked;

-- Any order, any split.
CREATE FUNCTION pg_temp.data(source text, a asked) RETURNS clv_data LANGUAGE plpgsql AS $$
DECLARE r clv_data;
BEGIN
  EXECUTE format('SELECT clv_data(h, $1, $2) FROM %s w', source) INTO r USING a.calibration_end, a.as_of;
  RETURN r;
END $$;
SELECT is(pg_temp.data('(SELECT * FROM odd ORDER BY random())', a), d, 'in random order: ' || title) FROM asked a;
CREATE TABLE wide (customer integer, h customer_history) PARTITION BY HASH (customer);
SELECT format('CREATE TABLE wide_%s PARTITION OF wide FOR
    VALUES WITH (MODULUS 3, REMAINDER %1$s) WITH (parallel_workers = 2)', i) FROM generate_series(0, 2) i \gexec
INSERT INTO wide TABLE odd;
ANALYZE wide;
SET max_parallel_workers_per_gather = 3; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT matches(pg_temp.plan('SELECT clv_data(h, ''2023-07-01''::date) FROM wide'), 'Partial Aggregate',
  'workers have partial states');
SELECT is(pg_temp.data('wide', a), d, 'in workers: ' || title) FROM asked a;
SET enable_partitionwise_aggregate = on; SET max_parallel_workers_per_gather = 0;
SELECT is(pg_temp.data('wide', a), d, 'by partitions: ' || title) FROM asked a;
SELECT is((SELECT rollup(p) FROM (SELECT clv_data(h, a.calibration_end, a.as_of) AS p FROM odd GROUP BY customer % 17)
    q), d, 'rolled up: ' || title) FROM asked a;
SELECT is((SELECT rollup(p) FROM (SELECT clv_data(h, a.calibration_end, a.as_of)::text::clv_data AS p FROM odd
    GROUP BY customer ORDER BY random()) q), d, 'customer by customer: ' || title) FROM asked a;
SELECT is((SELECT count(*) FROM (SELECT customer, clv_data(h, '2023-07-01') OVER (ORDER BY customer ROWS 1 PRECEDING) AS
    d FROM who WHERE customer < 40) w
    WHERE d = (SELECT clv_data(h, '2023-07-01') FROM who WHERE customer BETWEEN w.customer - 1 AND w.customer)),
  39::bigint, 'over a moving window');
SELECT is((SELECT clv_data(h, '2023-07-01') FROM who WHERE false), NULL, 'no rows') UNION ALL
  SELECT is((SELECT rollup(d) FROM asked WHERE false), NULL, 'no rows to roll up');
SELECT is((SELECT clv_data(h, '2023-07-01')::jsonb FROM odd WHERE customer <= 0),
  '{"calibration_end": "2023-07-01", "as_of": "2023-07-01", "left_out": 0, "customers": [], "days": []}', 'nobody');
SELECT throws_ok(query, code, message, message) FROM (VALUES
  ('SELECT clv_data(h, CASE WHEN customer = 5 THEN date ''2023-07-02'' ELSE ''2023-07-01'' END) FROM who
    WHERE customer < 9', '22023', NULL),
    ('SELECT clv_data(h, ''2023-07-01'', CASE WHEN customer = 5 THEN date ''2023-08-01'' END) FROM who
    WHERE customer < 9', '22023', NULL),
  ('SELECT rollup(d) FROM asked', '22023', NULL),
    ('SELECT clv_data(h, ''2023-07-01'', ''2023-06-30'') FROM who', '22023',
    'as_of must not be before calibration_end'), ('SELECT clv_data(h, NULL) FROM who', '22004', NULL),
  ('SELECT clv_data(h, ''infinity'') FROM who', '22008', NULL),
    ('SELECT clv_data(h, ''2023-07-01'', ''infinity'') FROM who', '22008', NULL),
    ('SELECT clv_data(h, ''500000-01-01'') FROM who', '22008', NULL),
  ('SELECT clv_data_trans(NULL, NULL, date ''2023-07-01'')', NULL, NULL), ('SELECT clv_data_final(NULL)', NULL, NULL),
    ('SELECT clv_data_rollup(NULL, NULL)', NULL, NULL)) v (query, code, message);
-- The ends of the calendar.
SELECT is((SELECT clv_data(h, '4713-01-01 BC', '294276-12-31') = clv_data(h, '4713-01-01 BC',
    '294276-12-31')::text::clv_data
    FROM (SELECT customer_history(day) AS h
    FROM (VALUES (date '4713-01-01 BC'), (date '2000-01-01'), (date '294276-12-31')) v (day)) q), true,
  'from one end to the other');

-- In and out.
SELECT ok(d::text::clv_data = d AND NOT d::text::clv_data <> d AND d::text::clv_data::text = d::text, 'text: ' || title)
  FROM asked;
SELECT ok(d::text ~ '^[A-Za-z0-9+/]*=*$', 'one plain word: ' || title) FROM asked;
SELECT is((SELECT count(*) FROM (SELECT d FROM (TABLE asked UNION ALL TABLE asked) a GROUP BY d) q), 6::bigint,
  'distinct, by hash') UNION ALL SELECT is(count(DISTINCT clv_data_hash_extended(d, 7)), 6::bigint, 'by the other hash')
  FROM asked;
SELECT throws_ok(format('SELECT %L::clv_data', text), '22P02', NULL, 'refused: ' || text)
  FROM unnest('{"","=","AQ==","AA==","8gAA","8wAA","AQEBAQE="}'::text[]) text;
-- A state that got out: an aggregate without its final function, as a value.
CREATE AGGREGATE pg_temp.bare(customer_history, date) (SFUNC = clv_data_trans, STYPE = clv_data);
CREATE TABLE state AS SELECT pg_temp.bare(h, '2023-07-01') AS s FROM odd;
SELECT ok(s = d AND s::text = d::text AND s::jsonb = d::jsonb AND (SELECT rollup(s) FROM state) = d,
  'a state is the value that it stands for') FROM state, asked WHERE title = 'all';
CREATE AGGREGATE pg_temp.piled(clv_data) (SFUNC = clv_data_rollup, STYPE = clv_data);
SELECT is(s, d, 'so is one of rollup()')
  FROM (SELECT pg_temp.piled(p) AS s FROM (SELECT clv_data(h, '2023-07-01') AS p FROM odd GROUP BY customer % 17) q) p,
  asked WHERE title = 'all';
-- What distributed plans do: states as text from other nodes, then the combine function.
CREATE AGGREGATE pg_temp.gathered(clv_data) (SFUNC = clv_data_combine, STYPE = clv_data, FINALFUNC = clv_data_final);
SELECT is((SELECT pg_temp.gathered(s)
    FROM (SELECT CASE WHEN k < 9 THEN s::text::clv_data ELSE s END AS s
    FROM (SELECT customer % 17 AS k, pg_temp.bare(h, '2023-07-01') AS s FROM odd GROUP BY 1) p ORDER BY random()) q), d,
  'states that travelled as text, and others') FROM asked WHERE title = 'all';
-- Damaged: refused, or a value of which everything can be asked.
CREATE TABLE small AS SELECT (SELECT clv_data(h, '2023-07-01', '2023-12-31') FROM who WHERE customer < 12) AS d;
CREATE TABLE damaged AS SELECT encode(b, 'base64') AS text
  FROM small, LATERAL (SELECT decode(d::text, 'base64') AS v) s, LATERAL (
  SELECT set_byte(v, i, (get_byte(v, i) + 1 + floor(random() * 255)::integer) % 256)
    FROM generate_series(0, length(v) - 1) i, generate_series(1, (8 * :cases)::integer)
  UNION ALL SELECT substr(v, 1, i) FROM generate_series(0, length(v) - 1) i UNION ALL
    SELECT substr(v, 1, i) || substr(v, i + 2) FROM generate_series(0, length(v) - 1) i
  UNION ALL SELECT substr(v, 1, i) || '\x80' || substr(v, i + 1) FROM generate_series(0, length(v)) i) m (b);
CREATE FUNCTION pg_temp.survives(text text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d clv_data;
BEGIN
  BEGIN
    d := replace(text, E'\n', '')::clv_data;
  EXCEPTION WHEN invalid_text_representation THEN
    RETURN 'refused';
  END;
  IF d::text <> replace(text, E'\n', '') THEN RETURN 'changed'; END IF;
  PERFORM d::jsonb;
  BEGIN
    IF (SELECT sum(actual) FROM model, frequency_fit_rows(m, d)
      WHERE name = 'nbd') <> (SELECT sum((c->>'customers')::bigint) FROM jsonb_array_elements(d::jsonb->'customers') c)
      THEN RETURN 'lost customers'; END IF;
    PERFORM count(*) FROM model, tracking_rows(m, d, 'year'), holdout_rows(m, d) WHERE name = 'nbd';
  EXCEPTION WHEN program_limit_exceeded THEN
    RETURN 'too long';
  END;
  RETURN 'read';
END $$;
SELECT is((SELECT count(*) FROM (SELECT pg_temp.survives(text) AS s FROM damaged) q
    WHERE s NOT IN ('refused', 'read', 'too long')), 0::bigint, 'damaged values are refused or read');
SELECT is((SELECT (typlen, typbyval, typalign, typstorage, typreceive <> 0, typsend <> 0)::text FROM pg_type
    WHERE typname = 'clv_data'), '(-1,f,i,x,t,t)', 'a toastable type with binary I/O');

-- Accessors against predictions, customer by customer -----------------------------------------------------------------

CREATE FUNCTION pg_temp.until(first date, period text, k integer) RETURNS date LANGUAGE sql IMMUTABLE
  AS $$SELECT (first + k * CASE period WHEN 'quarter' THEN interval '3 months'
    ELSE ('1 ' || period)::interval END)::date - 1$$;
CREATE TABLE came AS SELECT title, calibration_end,
  coalesce(as_of, (SELECT greatest(max(day), calibration_end) FROM purchase)) AS as_of, customer, first_day(h) AS first,
  h FROM asked, who WHERE first_day(h) <= calibration_end;
SELECT pg_temp.agree('tracking by ' || period, format($$
  SELECT name || ' ' || r.period || ' ' || v.what, v.have, v.want FROM model, asked, tracking_rows(m, d, %1$L) r,
    LATERAL (SELECT min(first) AS f FROM came WHERE came.title = asked.title) f,
    LATERAL (SELECT sum(expected_purchases(m, 0, 0, 0, make_interval(days => r.until - first))) AS expected,
      sum((SELECT count(*) FROM history_days(h) WHERE day > first AND day <= r.until)) AS actual
             FROM came WHERE came.title = asked.title AND first <= r.until) w,
    LATERAL (VALUES ('until', r.until - date '2000-01-01', pg_temp.until(f, %1$L, r.period) - date '2000-01-01'),
      ('actual', actual_cumulative, w.actual), ('expected', expected_cumulative, w.expected),
      ('holdout', holdout::integer, (r.until > calibration_end)::integer)) v (what, have, want)
  WHERE asked.title = 'until a day'$$, period), 16 * rows, 1e-11, 1e-11)
FROM (SELECT period, (SELECT count(*)
    FROM generate_series(1, 500) k, (SELECT min(first) AS f FROM came WHERE title = 'until a day') f
    WHERE pg_temp.until(f, period, k) <= '2024-01-01') AS rows FROM unnest('{week,month,quarter,year}'::text[]) period)
  p;
SELECT results_eq('SELECT period, until, sum(actual) OVER (ORDER BY period), actual_cumulative
    FROM model, asked, tracking_rows(m, d, ''day'') WHERE name = ''nbd'' AND title = ''early''',
  'SELECT k, (SELECT min(first) FROM came WHERE title = ''early'') + k - 1, actual_cumulative::numeric,
    actual_cumulative
  FROM generate_series(1, 181) k
    JOIN (SELECT period, actual_cumulative FROM model, asked, tracking_rows(m, d, ''day'')
    WHERE name = ''nbd'' AND title = ''early'') q ON period = k ORDER BY k', 'days add up');
SELECT is((SELECT string_agg(until::text, ' ' ORDER BY period)
    FROM tracking_rows((SELECT m FROM model LIMIT 1), (SELECT clv_data(h, '2024-03-01', '2024-06-30')
    FROM (SELECT customer_history(date '2024-01-31') AS h) q), 'month')),
  '28/02/2024 30/03/2024 29/04/2024 30/05/2024 29/06/2024', 'months are anniversaries of the first day');
SELECT pg_temp.agree('frequencies, up to ' || up_to, format($$
  SELECT name || ' ' || title || ' ' || frequency || v.what, v.have, v.want
    FROM model, asked, frequency_fit_rows(m, d, %1$s) r,
    LATERAL (SELECT count(*) AS customers,
      count(*) FILTER (WHERE CASE WHEN at_least THEN x >= frequency ELSE x = frequency END) AS actual,
               coalesce(sum(CASE WHEN at_least THEN 1
                   - (SELECT sum(purchase_distribution(m, 0, 0, 0, make_interval(days => calibration_end - first), k))
                   FROM generate_series(0, frequency - 1) k)
                   ELSE purchase_distribution(m, 0, 0, 0, make_interval(days => calibration_end - first), frequency)
                   END), 0) AS expected
             FROM (SELECT first, active_days(history_until(h, calibration_end)) - 1 AS x FROM came
               WHERE came.title = asked.title) c) w,
    LATERAL (VALUES ('actual', r.actual, w.actual), ('expected', r.expected, w.expected),
      ('chi', r.chi_square, CASE WHEN r.expected > 0 THEN (r.actual - r.expected) ^ 2 / r.expected WHEN w.actual > 0
        THEN 'Infinity' ELSE 0 END)) v (what, have, want)
  WHERE asked.title IN ('until a day', 'early', 'before the beginning')$$, up_to), 36 * (up_to + 1), 1e-9, 1e-9)
    FROM unnest('{7,1}'::integer[]) up_to;
SELECT pg_temp.agree('the holdout', $$
  SELECT name || ' ' || title || ' ' || frequency || v.what, v.have, v.want FROM model, asked, holdout_rows(m, d, 5) r,
    LATERAL (SELECT count(*) AS customers, coalesce(sum(later), 0) AS actual, coalesce(sum(expected), 0) AS expected
      FROM (
      SELECT active_days(history_since(h, calibration_end + 1)) - active_days(history_since(h, c.as_of + 1)) AS later,
        expected_purchases(m, h, calibration_end, make_interval(days => c.as_of - calibration_end)) AS expected
      FROM came c WHERE c.title = asked.title AND CASE WHEN at_least
        THEN active_days(history_until(h, calibration_end)) > frequency
        ELSE active_days(history_until(h, calibration_end)) - 1 = frequency END) c) w,
    LATERAL (VALUES ('customers', r.customers, w.customers), ('actual', r.actual_total, w.actual),
      ('expected', r.expected_total, w.expected),
      ('actual_mean', r.actual_mean, w.actual::float8 / nullif(w.customers, 0)),
      ('expected_mean', r.expected_mean, w.expected / nullif(w.customers, 0))) v (what, have, want)
  WHERE asked.title IN ('all', 'until a day', 'early')$$, 360, 1e-9, 1e-9);
SELECT is((SELECT count(*) FROM model, asked, holdout_rows(m, d)
    WHERE title = 'no holdout' AND (actual_total IS NOT NULL OR expected_total IS NOT NULL OR actual_mean IS NOT NULL
    OR expected_mean IS NOT NULL)), 0::bigint, 'of no holdout nothing is known');
SELECT is((SELECT count(*) FROM model, asked, tracking_rows(m, d) WHERE title = 'before the beginning'), 0::bigint,
  'no customers, no periods') UNION ALL
SELECT is((SELECT (customers, classes, chi_square, degrees_of_freedom, p_value)::text
    FROM model, asked, frequency_fit(m, d) WHERE title = 'before the beginning' AND name = 'nbd'), '(0,8,,5,)',
  'nor a test');
SELECT results_eq($$SELECT name, classes, degrees_of_freedom, p_value IS NULL
    FROM model, asked, unnest('{3,4,5,20}'::integer[]) up, frequency_fit(m, d, up)
    WHERE title = 'all' AND name IN ('bg_nbd', 'nbd') ORDER BY name, classes$$,
  $$VALUES ('bg_nbd', 4, -1, true), ('bg_nbd', 5, 0, true), ('bg_nbd', 6, 1, false), ('bg_nbd', 21, 16, false),
    ('nbd', 4, 1, false), ('nbd', 5, 2, false), ('nbd', 6, 3, false), ('nbd', 21, 18, false)$$,
    'classes less 1 less parameters are degrees of freedom');
SELECT is((SELECT count(*) FROM model, asked, frequency_fit(m, d) t
    WHERE t.customers > 0 AND NOT abs(t.chi_square - (SELECT sum(chi_square) FROM frequency_fit_rows(m, d))) < 1e-6
    * t.chi_square), 0::bigint, 'chi-square is the sum of its parts');
SELECT is_empty('SELECT * FROM tracking_rows(NULL, NULL)', 'no rows for NULL') UNION ALL
  SELECT is_empty('SELECT * FROM model, frequency_fit_rows(m, NULL)', 'no data') UNION ALL
  SELECT is_empty('SELECT * FROM asked, holdout_rows(NULL, d)', 'no model') UNION ALL
  SELECT is_empty('SELECT * FROM asked, frequency_fit(NULL, d)', 'no test');
-- A model of nobody expects nothing known.
CREATE TABLE nobody AS SELECT clv_model(h, date '2023-07-01') AS m FROM odd WHERE customer <= 0;
SELECT is((SELECT count(*) > 0 AND count(actual) = count(*) AND count(expected) = 0 AND count(expected_cumulative) = 0
    FROM nobody, asked, tracking_rows(m, d) WHERE title = 'all'), true, 'a model of nobody: tracking') UNION ALL
SELECT is((SELECT (count(*), count(actual), count(expected), count(chi_square))::text
    FROM nobody, asked, frequency_fit_rows(m, d) WHERE title = 'all'), '(8,8,0,0)', 'a model of nobody: frequencies')
  UNION ALL
SELECT is((SELECT (chi_square, p_value)::text FROM nobody, asked, frequency_fit(m, d) WHERE title = 'all'), '(,)',
  'a model of nobody: the test') UNION ALL
SELECT is((SELECT (count(*) = count(actual_total), count(expected_total), count(expected_mean))::text
    FROM nobody, asked, holdout_rows(m, d) WHERE title = 'all' AND customers > 0), '(t,0,0)',
  'a model of nobody: the holdout');
SELECT throws_ok(query, code, message, message) FROM (VALUES
  ('SELECT r.* FROM asked, tracking_rows(clv_model(''bg_bb'',
      ''{"alpha": 1, "beta": 1, "gamma": 1, "delta": 1}''::jsonb), d) r', '22023',
    'BG/BB counts whole periods, and clv_data days'),
  ('SELECT r.* FROM asked, model, tracking_rows(m, d, ''fortnight'') r', '22023', 'unknown period "fortnight"'),
    ('SELECT r.* FROM asked, model, frequency_fit_rows(m, d, 0) r', '22023', 'up_to must be between 1 and 1000, not 0'),
  ('SELECT r.* FROM asked, model, holdout_rows(m, d, 1001) r', '22023', 'up_to must be between 1 and 1000, not 1001'),
    ('SELECT clv_chart(m, d, ''pie'') FROM asked, model', '22023', 'unknown chart "pie"'),
  ('SELECT r.* FROM model, tracking_rows(m,
      (SELECT clv_data(h, ''2023-01-01'')
      FROM (SELECT customer_history(day) AS h FROM unnest(''{0044-03-15 BC,9999-12-31}''::date[]) day GROUP BY day) q))
    r', '54000', NULL)) v (query, code, message);

-- Charts.
SELECT is((SELECT count(*) FROM model, asked, unnest('{tracking,frequency,holdout,NULL}'::text[]) chart
    WHERE clv_chart(m, d, chart) IS NULL OR array_length(string_to_array(clv_chart(m, d, chart), E'\n'), 1) > 84),
  0::bigint, 'every chart of everything, of a page at most');
SELECT is(clv_chart(m, d), CASE title WHEN 'before the beginning' THEN 'no customers' END, 'no customers')
  FROM model, asked WHERE name = 'nbd' AND title = 'before the beginning';
SELECT is(clv_chart(m, d, 'holdout'), 'no holdout', 'no holdout') FROM model, asked
  WHERE name = 'nbd' AND title = 'no holdout';
SELECT is(clv_chart(NULL, d), NULL, 'no model') FROM asked LIMIT 1;
SELECT is((SELECT string_agg(left(line, 34), E'\n' ORDER BY n)
    FROM asked, LATERAL string_to_table(clv_chart(m, d), E'\n') WITH ORDINALITY l (line, n)
    WHERE title = 'until a day' AND line ~ '^\d{4}-\d\d-\d\d '),
  (SELECT string_agg(to_char(until, 'YYYY-MM-DD') || lpad(actual_cumulative::text, 11)
    || lpad(round(expected_cumulative::numeric, 1)::text, 13), E'\n' ORDER BY period)
    FROM asked, tracking_rows(m, d, 'week') WHERE title = 'until a day'), 'the numbers of tracking_rows(): ' || name)
    FROM model;

-- CDNOW: the figures of Fader, Hardie and Lee (2005) ------------------------------------------------------------------

RESET DateStyle;
\set text `cat test/data/cdnow_sample.txt`
CREATE TABLE cdnow AS SELECT f[2] AS customer, customer_history(f[3]::date, f[5]::numeric) AS h
  FROM string_to_table(:'text', E'\n') l (line), LATERAL regexp_split_to_array(trim(line, E' \r'), ' +') f
  WHERE line <> '' GROUP BY 1;
\set text `cat test/reference/clv/cdnow_tracking.csv`
SELECT is(pg_temp.load('tracking', :'text'), 78::bigint, 'weeks of CDNOW');
\set text `cat test/reference/clv/cdnow_histogram.csv`
SELECT is(pg_temp.load('histogram', :'text'), 8::bigint, 'frequencies of CDNOW');
\set text `cat test/reference/clv/cdnow_conditional_expectation.csv`
SELECT is(pg_temp.load('conditional', :'text'), 8::bigint, 'the holdout of CDNOW');
\unset text
CREATE TABLE cdnow_data AS SELECT clv_data(h, '1997-09-30') AS d FROM cdnow;
CREATE TABLE fitted AS SELECT kind, name,
  (SELECT clv_model(history_until(h, '1997-09-30'), date '1997-09-30', name, 'none', 'week') FROM cdnow) AS m
  FROM (VALUES ('bgnbd', 'bg_nbd'), ('mbgnbd', 'mbg_nbd'), ('pnbd', 'pareto_nbd')) v (kind, name);
SELECT pg_temp.agree('tracking of CDNOW, fitted', $$SELECT kind || ' ' || week || ' ' || v.what, v.have, v.want
    FROM fitted, cdnow_data, tracking_rows(m, d) r JOIN tracking t ON t.week = r.period,
  LATERAL (VALUES ('actual', actual_cumulative, actual_cum),
    ('expected', expected_cumulative, CASE kind WHEN 'bgnbd' THEN bgnbd WHEN 'mbgnbd' THEN mbgnbd ELSE pnbd END))
    v (what, have, want)$$, 468, 1e-7, 0);
SELECT pg_temp.agree('frequencies of CDNOW, fitted', $$SELECT kind || ' ' || frequency || ' ' || v.what, v.have, v.want
    FROM fitted, cdnow_data, frequency_fit_rows(m, d) r JOIN histogram t ON rtrim(t.x, '+') = r.frequency::text,
  LATERAL (VALUES ('actual', r.actual, t.actual),
    ('expected', expected, CASE kind WHEN 'bgnbd' THEN bgnbd WHEN 'mbgnbd' THEN mbgnbd ELSE pnbd END))
    v (what, have, want)$$, 48, 1e-7, 0);
SELECT pg_temp.agree('the holdout of CDNOW, fitted', $$SELECT kind || ' ' || frequency || ' ' || v.what, v.have, v.want
    FROM fitted, cdnow_data, holdout_rows(m, d) r JOIN conditional t ON rtrim(t.x, '+') = r.frequency::text,
  LATERAL (VALUES ('customers', customers, n), ('actual', r.actual_mean, t.actual_mean),
    ('expected', expected_mean, CASE kind WHEN 'bgnbd' THEN bgnbd WHEN 'mbgnbd' THEN mbgnbd ELSE pnbd END))
    v (what, have, want)$$, 72, 1e-7, 0);
SELECT results_eq('SELECT name, customers, round(chi_square::numeric, 2), degrees_of_freedom, round(p_value::numeric, 3)
    FROM fitted, cdnow_data, frequency_fit(m, d) WHERE name <> ''mbg_nbd'' ORDER BY name',
  $$VALUES ('bg_nbd', 2357::bigint, 4.82, 3, 0.185), ('pareto_nbd', 2357, 11.99, 3, 0.007)$$,
    'the published tests: 4.82 (p = 0.19) and 11.99 (p = 0.007)');
SELECT results_eq('SELECT name, round((expected_cumulative / actual_cumulative - 1)::numeric, 2)
    FROM fitted, cdnow_data, tracking_rows(m, d) WHERE name <> ''mbg_nbd'' AND period = 78 ORDER BY name',
  $$VALUES ('bg_nbd', -0.04), ('pareto_nbd', -0.02)$$, 'after 78 weeks the models are 4 and 2% short');
SELECT is((SELECT string_agg(left(line, 34) || '|' || greatest(length(line) - 34, 0), E'\n' ORDER BY n)
    FROM fitted, cdnow_data, LATERAL string_to_table(clv_chart(m, d, 'frequency'), E'\n') WITH ORDINALITY l (line, n)
    WHERE name = 'bg_nbd' AND n <= 4),
  E'BG/NBD|0\nfrequency      actual     expected|0\n0                1411       1407.7|41\n1                 439        460.3|14',
    'a chart: numbers, and bars of 40 and 13 marks');
SELECT * FROM finish();
ROLLBACK;
