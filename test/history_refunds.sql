-- Money that comes back is not a visit: a row of a negative amount, or one that is said to be no purchase, is no event,
-- no active day and no member of a cohort, but part of the total; models of spend charge it to the purchase before it.
-- The oracle is plain SQL over random logs; what looks at purchases says the same of the log without such rows.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
SELECT diag('seed ' || :'seed');

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

-- Random shops --------------------------------------------------------------------------------------------------------

-- said: what the log's own column says of the row, NULL where it leaves that to the sign; bought: what it is
CREATE TABLE ev WITH (parallel_workers = 3) AS
  SELECT row_number() OVER (ORDER BY random())::integer AS n, c, zone, at, amount, said, part,
    (at AT TIME ZONE zone)::date AS day, coalesce(said, amount IS NULL OR amount >= 0) AS bought
  FROM (SELECT c, pg_temp.pick('{UTC,Europe/Berlin,America/New_York,Pacific/Apia}'::text[]) AS zone,
      timestamptz '2023-12-29 00:00+00' + make_interval(mins => floor(random() * span * 1440)::integer) AS at,
      CASE WHEN random() < 0.05 THEN NULL WHEN random() < refunds THEN -round((random() * size)::numeric, scale)
        WHEN random() < 0.05 THEN 0.00 ELSE round((random() * size)::numeric, scale) END AS amount,
      CASE WHEN random() < 0.2 THEN random() < 0.5 END AS said, floor(random() * 4)::integer AS part
    FROM (SELECT c, pg_temp.pick('{3,30,500}'::integer[]) AS span, pg_temp.pick('{0.0,0.1,0.4,0.9,1.0}'::float8[]) AS
        refunds, pg_temp.pick('{10,300,1e12,1e22}'::float8[]) AS size, pg_temp.pick('{0,2,4}'::integer[]) AS scale,
        1 + floor(random() * random() * 70)::integer AS events
      FROM generate_series(1, 400 * :cases) c) k, generate_series(1, events)) e;
ANALYZE ev;
CREATE TABLE hist AS SELECT c, customer_history(at, amount, said, zone) AS h FROM ev GROUP BY c;
-- by the sign alone; and the purchases alone
CREATE TABLE by_sign AS SELECT c, customer_history(at, amount, zone) AS h FROM ev GROUP BY c;
CREATE TABLE visits AS SELECT c, coalesce(q.h, (SELECT customer_history(at) FROM ev WHERE false)) AS h FROM hist
  LEFT JOIN (SELECT c, customer_history(at, amount, true, zone) AS h FROM ev WHERE bought GROUP BY c) q USING (c);

SELECT is(pg_temp.difference('SELECT c, d.day, d.events, d.amount::text FROM hist, history_days(h) d',
    'SELECT c, day, count(*) FILTER (WHERE bought), sum(amount)::text FROM ev WHERE bought OR amount IS NOT NULL
      GROUP BY c, day'), NULL, 'history_days: events of purchases, amounts of all');
SELECT is_empty('SELECT FROM (SELECT day, lag(day) OVER (PARTITION BY c ORDER BY o) AS before
    FROM hist, history_days(h) WITH ORDINALITY d (day, events, amount, o)) q WHERE day <= before', 'days ascend');
SELECT cmp_ok((SELECT count(*) FROM hist, history_days(h) d WHERE d.events = 0), '>', 100::bigint,
  'days of money alone are among them');
SELECT cmp_ok((SELECT count(*) FROM hist WHERE active_days(h) = 0 AND total_amount(h) IS NOT NULL), '>', 3::bigint,
  'and customers of it');
SELECT is(pg_temp.difference('SELECT c, events(h), active_days(h), first_day(h), last_day(h), total_amount(h)::text
    FROM hist', 'SELECT c, count(*) FILTER (WHERE bought), count(DISTINCT day) FILTER (WHERE bought),
      min(day) FILTER (WHERE bought), max(day) FILTER (WHERE bought), sum(amount)::text FROM ev GROUP BY c'), NULL,
  'single numbers');
SELECT is(pg_temp.difference('SELECT c, d.day, d.events, d.amount::text FROM by_sign, history_days(h) d',
    'SELECT c, day, count(*) FILTER (WHERE amount IS NULL OR amount >= 0), sum(amount)::text FROM ev GROUP BY c, day'),
  NULL, 'the sign decides where nobody says');
SELECT is(pg_temp.difference('SELECT c, customer_history(at, amount, NULL::boolean, zone)::text FROM ev GROUP BY c',
    'SELECT c, h::text FROM by_sign'), NULL, 'nor where it is said that it is NULL');
SELECT is(pg_temp.difference('SELECT c, events(h), total_amount(h)::text, active_days(h) FROM (SELECT c,
    customer_history(at, amount, true, zone) AS h FROM ev GROUP BY c) q',
    'SELECT c, count(*), sum(amount)::text, count(DISTINCT day) FROM ev GROUP BY c'), NULL,
  'margins: all are purchases');
SELECT is(pg_temp.difference('SELECT c, h::jsonb FROM hist', $$SELECT c, jsonb_build_object('days', coalesce(jsonb_agg(
    jsonb_build_object('day', day, 'events', events, 'amount', amount) ORDER BY day) FILTER (WHERE day IS NOT NULL),
    '[]')) FROM hist LEFT JOIN (SELECT c, day, count(*) FILTER (WHERE bought) AS events, sum(amount) AS amount FROM ev
    WHERE bought OR amount IS NOT NULL GROUP BY c, day) d USING (c) GROUP BY c$$), NULL, 'jsonb');

-- Any split, order and plan; cuts; in and out -------------------------------------------------------------------------

SELECT is(pg_temp.difference(format('SELECT c, customer_history(at, amount, said, zone ORDER BY %s)::text FROM ev
    GROUP BY c', o), 'SELECT c, h::text FROM hist'), NULL, 'rows by ' || o)
  FROM unnest('{n,at,at DESC,amount,said}'::text[]) o;
SELECT is(pg_temp.difference('SELECT c, customer_history(day, amount, said)::text FROM ev GROUP BY c',
    'SELECT c, h::text FROM hist'), NULL, 'from dates');
CREATE TABLE piece AS SELECT n, c, part, customer_history(at, amount, said, zone) AS h FROM ev GROUP BY n, c, part;
SELECT is(pg_temp.difference('SELECT c, rollup(h)::text FROM piece GROUP BY c', 'SELECT c, h::text FROM hist'), NULL,
  'rollup of single rows');
SELECT is(pg_temp.difference('SELECT c, rollup(h)::text FROM (SELECT c, rollup(h) AS h FROM piece GROUP BY c, part) q
    GROUP BY c', 'SELECT c, h::text FROM hist'), NULL, 'rollup of rollups');
SELECT is(pg_temp.difference('SELECT a.c, (b.h || a.h)::text FROM (SELECT c, rollup(h) AS h FROM piece WHERE part > 1
    GROUP BY c) a JOIN (SELECT c, rollup(h) AS h FROM piece WHERE part < 2 GROUP BY c) b USING (c)',
    'SELECT c, h::text FROM hist WHERE c IN (SELECT c FROM piece WHERE part > 1) AND c IN (SELECT c FROM piece
    WHERE part < 2)'), NULL, '||');
CREATE TABLE cut AS SELECT DISTINCT c, h, d.day + o AS day FROM hist, history_days(h) d, generate_series(-1, 1) o
  WHERE c % 4 = 0;
SELECT is(count(*) FILTER (WHERE (history_until(h, day) || history_since(h, day + 1))::text <> h::text), 0::bigint,
  'until || since the next day is the whole') FROM cut;
SELECT is(pg_temp.difference('SELECT c, cut.day, history_until(h, cut.day)::text, history_since(h, cut.day)::text
    FROM cut', 'SELECT c, cut.day, (SELECT customer_history(at, amount, said, zone)::text FROM ev
      WHERE c = cut.c AND ev.day <= cut.day), (SELECT customer_history(at, amount, said, zone)::text FROM ev
      WHERE c = cut.c AND ev.day >= cut.day) FROM cut'), NULL, 'cuts, as from the rows alone');
SELECT is(count(*) FILTER (WHERE h::text::customer_history::text <> h::text OR h::text::customer_history <> h),
  0::bigint, 'text, and back') FROM hist;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 3;
SELECT matches(pg_temp.plan('SELECT c, customer_history(at, amount, said, zone) FROM ev GROUP BY c'),
  'Gather.*Partial (Hash|Group)Aggregate', 'split among workers');
SELECT is(pg_temp.difference('SELECT c, customer_history(at, amount, said, zone)::text FROM ev GROUP BY c',
    'SELECT c, h::text FROM hist'), NULL, 'workers');
RESET min_parallel_table_scan_size;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
SET max_parallel_workers_per_gather = 0;
SELECT is(pg_temp.difference('SELECT n, customer_history(at, amount, said, zone) OVER (PARTITION BY c ORDER BY n)::text
    FROM ev WHERE c % 8 = 0', 'SELECT n, (SELECT customer_history(at, amount, said, zone)::text FROM ev
    WHERE c = s.c AND n <= s.n) FROM ev s WHERE c % 8 = 0'), NULL, 'OVER a growing frame');

-- Who looks at purchases sees no other day ----------------------------------------------------------------------------

CREATE FUNCTION pg_temp.alike(expression text, title text) RETURNS text LANGUAGE sql AS $$
  SELECT is(pg_temp.difference(format('SELECT c, %s FROM hist', expression), format('SELECT c, %s FROM visits',
    expression)), NULL, title) $$;
SELECT pg_temp.alike(e, e) FROM unnest(ARRAY['first_day(h), last_day(h), active_days(h), events(h)',
  'segment(h, ''2024-06-30'')', 'churn_outcome(h, ''2024-02-01'', ''60 days'')',
  '(SELECT (frequency, recency, age)::text FROM clv_summary(h, ''2024-06-30''))']) e;
SELECT is((SELECT cohort_retention(h, p)::text FROM hist), (SELECT cohort_retention(h, p)::text FROM visits),
  'cohorts by ' || p) FROM unnest('{day,week,month}'::text[]) p;
SELECT is((SELECT cohort_retention(h, 'week', interval '5 days')::text FROM hist),
  (SELECT cohort_retention(h, 'week', interval '5 days')::text FROM visits), 'rolling cohorts');
SELECT is((SELECT cohort_retention(h, 'month')::text FROM by_sign), (SELECT cohort_retention(c, day, 'month')::text
    FROM ev WHERE amount IS NULL OR amount >= 0), 'the one-pass form with WHERE amount >= 0 OR amount IS NULL');
SELECT is((SELECT clv_data(h, '2024-06-30')::text FROM hist), (SELECT clv_data(h, '2024-06-30')::text FROM visits),
  'clv_data');

-- Spend: charged to the latest purchase day on or before it -----------------------------------------------------------

CREATE FUNCTION pg_temp.summaries(as_of date) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.difference(format('SELECT c, monetary_value::text FROM hist, clv_summary(h, %L)', as_of),
    format('SELECT c, avg(amount) FILTER (WHERE day > first)::text
      FROM (SELECT c, charged AS day, sum(amount) AS amount, min(charged) OVER (PARTITION BY c) AS first
      FROM (SELECT c, amount, max(day) FILTER (WHERE bought) OVER (PARTITION BY c ORDER BY day) AS charged FROM ev
        WHERE day <= %L) e
      WHERE charged IS NOT NULL GROUP BY c, charged) d RIGHT JOIN hist USING (c) GROUP BY c', as_of)) $$;
SELECT is(pg_temp.summaries(d), NULL, 'mean spend as of ' || d)
  FROM unnest('{2023-12-28,2024-01-01,2024-01-20,2024-09-01,2026-01-01}'::date[]) d;
SELECT is(pg_temp.difference('SELECT c, clv_summary(h, ''2024-01-20'')::text FROM hist',
    'SELECT c, clv_summary(history_until(h, ''2024-01-20''), ''2024-01-20'')::text FROM hist'), NULL,
  'as_of is what was known then');

-- Models: over histories, over summaries by SQL, and from orders in one pass.
CREATE TABLE charged AS SELECT c, h, r.* FROM by_sign, clv_summary(h, '2025-12-31') r;
CREATE FUNCTION pg_temp.fit(call text) RETURNS text LANGUAGE sql
  AS $$ SELECT pg_temp.outcome(format('SELECT %s::text FROM %s', call,
    CASE WHEN call ~ '\(h' THEN 'by_sign' ELSE 'ev' END)) $$;
SELECT is(pg_temp.fit(orders), pg_temp.fit(histories), orders) FROM (VALUES
  ('clv_model(c, day, amount)', 'clv_model(h)'),
  ('clv_model(c, day, amount, ''2025-12-31'')', 'clv_model(h, ''2025-12-31'')'),
  ('clv_model(c, day, amount, ''2024-01-20'')', 'clv_model(h, ''2024-01-20'')'),
  ('clv_model(c, day, amount, ''2025-12-31'', ''nbd'', ''none'')', 'clv_model(h, ''2025-12-31'', ''nbd'', ''none'')'),
  ('clv_model(c::text, day, amount, ''2025-12-31'', ''bg_bb'', ''gamma_gamma'', ''month'')',
    'clv_model(h, ''2025-12-31'', ''bg_bb'', ''gamma_gamma'', ''month'')'),
  ('clv_model(c, day, amount, ''2024-03-20'', ''nbd'', ''gamma_gamma'', ''week'')',
    'clv_model(h, ''2024-03-20'', ''nbd'', ''gamma_gamma'', ''week'')')) v (orders, histories);
-- the latest day of the data may be one of money alone
SELECT is((SELECT f.as_of FROM (SELECT clv_model(h) AS m FROM by_sign) q, clv_fit(m) f), max(day),
  'the latest day is the latest of the data') FROM ev;
SELECT is((SELECT clv_model(h)::text FROM by_sign), (SELECT clv_model(h, max)::text FROM by_sign,
    (SELECT max(day) FROM ev) m), 'and without as_of the model is as of it');
CREATE TABLE shop WITH (parallel_workers = 3) AS SELECT * FROM ev WHERE abs(amount) < 1000;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 3;
SELECT is((SELECT clv_model(c, day, amount, '2025-12-31')::text FROM ev),
  (SELECT clv_model(h, '2025-12-31')::text FROM by_sign), 'from orders, in workers');
SELECT is((SELECT clv_model(c, day, amount, '2025-12-31')::text FROM shop), (SELECT clv_model(h, '2025-12-31')::text
    FROM (SELECT customer_history(day, amount) AS h FROM shop GROUP BY c) q), 'amounts of cents, in workers');
SET max_parallel_workers_per_gather = 0;

-- No negative value: a mean that is not above 0 is no spend.
SELECT is(count(*) FILTER (WHERE v < 0), 0::bigint, 'no negative value without a model of spend')
  FROM (SELECT clv(m, h) AS v FROM by_sign, clv_model('nbd', '{"r":1,"alpha":50}', as_of => date '2025-12-31') m) q;
SELECT is(count(*) FILTER (WHERE (v IS NULL) <> coalesce(coalesce(monetary_value, first) <= 0 OR
    coalesce(monetary_value, first) IS NULL, true)), 0::bigint, 'NULL where the mean spend is not above 0')
FROM (SELECT clv(m, h) AS v, monetary_value, total_amount(h) - coalesce(b.before, 0) AS first FROM charged
    LEFT JOIN LATERAL (SELECT sum(amount) AS before FROM history_days(h) WHERE day < first_day(h)) b ON true,
  clv_model('nbd', '{"r":1,"alpha":50}', as_of => date '2025-12-31') m
  WHERE frequency = 0 OR monetary_value IS NOT NULL) q;
SELECT is(count(*) FILTER (WHERE (clv(m, h) > 0) IS NOT TRUE), 0::bigint,
  'nor with one, where the population''s mean stands in')
FROM by_sign, clv_model('bg_nbd', '{"r":0.243,"alpha":4.414,"a":0.793,"b":2.426,"p":6.25,"q":3.74,"v":15.44}',
  as_of => date '2025-12-31') m WHERE active_days(h) > 0;
SELECT is((SELECT f.spend_left_out FROM (SELECT clv_model(h, '2025-12-31') AS m FROM by_sign) q, clv_fit(m) f),
  count(*) FILTER (WHERE monetary_value <= 0), 'and clv_fit counts who had none') FROM charged WHERE frequency > 0;

-- By hand -------------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.of(VARIADIC amounts text[]) RETURNS customer_history LANGUAGE sql AS $$
  SELECT customer_history(split_part(a, ' ', 1)::date, split_part(a, ' ', 2)::numeric) FROM unnest(amounts) a $$;
SELECT is((r.frequency, r.recency, churn_outcome(h, '2025-02-01', '3 months'), segment(h, '2025-06-30'),
    total_amount(h))::text, '(0,0,t,one_time,0)', 'bought once, and sent it back')
  FROM (SELECT pg_temp.of('2025-01-01 100', '2025-03-01 -100') AS h) q, clv_summary(h, '2025-06-30') r;
SELECT is((retained, at_risk)::text, '(0,1)', 'and did not come back to do so')
FROM (SELECT cohort_retention(h, 'month') AS c FROM (VALUES (pg_temp.of('2025-01-10 100', '2025-02-05 -100')),
  (pg_temp.of('2025-03-20 1'))) v (h)) q, cohort_rows(c) WHERE cohort = '2025-01-01' AND period = 1;
SELECT is(clv(m, pg_temp.of('2025-01-01 100', '2025-06-01 40', '2025-06-20 -90')), NULL,
  'the mean repeat spend is 40 - 90: no spend, no value')
  FROM clv_model('nbd', '{"r":1,"alpha":50}', as_of => date '2025-12-31') m;
SELECT is((SELECT monetary_value FROM clv_summary(pg_temp.of('2025-01-01 100', '2025-06-01 40', '2025-06-20 -90'), d)),
  want, 'mean spend as of ' || d) FROM (VALUES (date '2025-06-19', 40.0), ('2025-06-20', -50)) v (d, want);
SELECT is((active_days(h), first_day(h), last_day(h), events(h), total_amount(h), segment(h, '2025-06-30'))::text,
  '(0,,,0,-7.50,)', 'refunds alone') FROM (SELECT pg_temp.of('2025-01-01 -5', '2025-03-01 -2.50') AS h) q;
SELECT is((SELECT string_agg((day, events, amount)::text, ' ') FROM history_days(pg_temp.of('2025-01-01 10.0',
    '2025-01-01 -12.50', '2025-01-02 -1', '2025-01-03 0'))), '(2025-01-01,1,-2.50) (2025-01-02,0,-1) (2025-01-03,1,0)',
  'of a purchase day the amounts add up; 0 is a purchase');
SELECT is((h || pg_temp.of('2025-01-02 5'))::text, pg_temp.of('2025-01-02 5', '2025-01-02 -1')::text,
  'a purchase takes in the money of its day') FROM (SELECT pg_temp.of('2025-01-02 -1') AS h) q;
SELECT is(customer_history(date '2025-01-01', NULL::numeric, false)::jsonb, '{"days": []}'::jsonb,
  'no purchase and no amount: nothing');
SELECT is((events(h), active_days(h), total_amount(h))::text, '(0,0,5)', 'money that moved need not be negative')
  FROM (SELECT customer_history(date '2025-01-01', 5, false) AS h) q;

-- Types ---------------------------------------------------------------------------------------------------------------

SELECT is(customer_history(date '2025-01-01', 9.5::float8)::text, customer_history(date '2025-01-01', 9.5)::text,
  'float8');
SELECT is(customer_history(date '2025-01-01', 9.5::text::money)::text, customer_history(date '2025-01-01', 9.50)::text,
  'money');
SELECT is(customer_history(date '2025-01-01', x)::text, customer_history(date '2025-01-01', x::text::numeric)::text,
  'double precision is the number that it is printed as: ' || x)
FROM unnest('{0,-0,9.95,-0.1,123456.78,1e15,123456789012345680,1e22,1e300,-1e-5,2.5e-7,5e-324,0.30000000000000004}'
  ::float8[]) x GROUP BY x, x::text;
SELECT is(customer_history(date '2025-01-01', x)::text, customer_history(date '2025-01-01', x::text::numeric)::text,
  'real: ' || x) FROM unnest('{0,9.95,-0.1,16777216,1e10,1e-7,3.4e38}'::real[]) x GROUP BY x, x::text;
SELECT is(pg_temp.outcome(format('SELECT customer_history(date ''2025-01-01'', %s)', x)),
  customer_history(date '2025-01-01', n)::text, x)
FROM (VALUES ('(-7)::smallint', -7::numeric), ('7', 7), ('9223372036854775807', 9223372036854775807),
  ('(-9223372036854775808)', -9223372036854775808), ('2305843009213693952', 2305843009213693952)) v (x, n)
  GROUP BY x, n;
CREATE TABLE doubles AS SELECT i, (random() - 0.3) * 10 ^ floor(random() * 40 - 20) AS f
  FROM generate_series(1, 2000) i;
SELECT is(pg_temp.difference('SELECT i, customer_history(date ''2025-01-01'', f)::text FROM doubles GROUP BY i',
    'SELECT i, customer_history(date ''2025-01-01'', f::text::numeric)::text FROM doubles GROUP BY i'), NULL,
  'random doubles');
SELECT throws_ok(format('SELECT customer_history(date ''2025-01-01'', %L::%s)', x, t), '22003',
  'amount must be a finite number, not ' || x, format('%s %s', t, x))
FROM unnest('{NaN,Infinity,-Infinity}'::text[]) x, unnest('{real,float8}'::text[]) t;
SELECT throws_ok('SELECT customer_history(date ''2025-01-01'', now())', '42804',
  'amount must be a number or money, not timestamp with time zone', 'no number');
SELECT is(pg_temp.outcome(format('SELECT clv_model(c, day, amount::%s, ''2025-12-31'')::text FROM shop', t)),
  pg_temp.outcome('SELECT clv_model(c, day, amount, ''2025-12-31'')::text FROM shop'),
  'clv_model over amounts of ' || t)
  FROM unnest('{float8,real}'::text[]) t;
SELECT is((SELECT clv_model(c, day, round(amount)::integer, '2025-12-31')::text FROM shop),
  (SELECT clv_model(c, day, round(amount), '2025-12-31')::text FROM shop), 'integer');

SELECT * FROM finish();
ROLLBACK;
