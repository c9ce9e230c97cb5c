-- clv_model() straight from an orders table: the bytes of clv_model() over customer_history() of each customer, for
-- every type of customer and of time, amounts of every size, every model, whatever the plan, the order of rows and how
-- they are split.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
SELECT setseed(0.20080114) \g /dev/null
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
-- A model without the number of rows that were skipped, which only rows have.
CREATE FUNCTION pg_temp.known(model clv_model) RETURNS text LANGUAGE sql AS $$SELECT (model::jsonb - 'skipped')::text$$;

-- Against histories ---------------------------------------------------------------------------------------------------

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
CREATE TABLE amount (kind text, expression text);
INSERT INTO amount VALUES ('cents', '(random() * 300 - 20)::numeric(12, 2)'), ('none', 'NULL::numeric'),
  ('whole', 'floor(random() * 300)::numeric'),
  ('of many scales', 'round((random() * 1000 - 200)::numeric, floor(random() * 9)::integer)'),
    ('divided', '(random() * 500)::numeric(12, 2) / 1.19'),
  ('large', '(ARRAY[1e40, -1e40 + 7, round(random()::numeric, 25), 1e17, -1e17, 12.34, 84.0336134453781513, '
    '1e-30])[1 + floor(random() * 8)::integer]'),
  ('about 2^58 and 2^61', '(ARRAY[288230376151711743, 288230376151711744, -288230376151711744, 2305843009213693951, '
    '-2305843009213693952, 1, 0])[1 + floor(random() * 7)::integer]::numeric / (10::numeric ^ floor(random() * '
    '4)::integer)::numeric(5, 0)');

-- One random table: so many events of so many customers over so many days, times of a type, one row in so many with a
-- NULL.
CREATE FUNCTION pg_temp.fill(events integer, customers integer, days float8, key text, amount text, at_type text,
  nulls float8) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DROP TABLE IF EXISTS scene;
  EXECUTE format('CREATE TABLE scene AS SELECT CASE WHEN random() >= $4 / 3 THEN %s END AS c,
      CASE WHEN random() >= $4 / 3 THEN at::%s END AS at, CASE WHEN random() >= $4 THEN %s END AS m
                  FROM (SELECT floor(random() * random() * $2)::integer AS customer,
                    timestamptz ''2023-01-01 00:00+00'' + random() * $3 * interval ''1 day'' AS at
                    FROM generate_series(1, $1) OFFSET 0) q',
                 (SELECT k.expression FROM key k WHERE k.type = fill.key), at_type,
                   (SELECT a.expression FROM amount a WHERE a.kind = fill.amount)) USING events, customers, days, nulls;
END $$;

CREATE FUNCTION pg_temp.check(model text, spend text, unit text, as_of date) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  IF pg_temp.known((SELECT clv_model(h, as_of, model, spend, unit)
      FROM (SELECT customer_history(s.at, s.m) AS h FROM scene s WHERE s.c IS NOT NULL GROUP BY s.c) q)) IS
    DISTINCT FROM
     pg_temp.known((SELECT clv_model(s.c, s.at, s.m, as_of, model, spend, unit) FROM scene s)) THEN
    RETURN format('%s, %s, %s, %s', model, spend, unit, as_of);
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION pg_temp.scenario(key text, amount text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE found text := ''; last date; model text;
BEGIN
  FOR i IN 1..2 LOOP
    PERFORM pg_temp.fill((ARRAY[5, 60, 900])[i + floor(random() * 2)::integer],
      (ARRAY[2, 40, 400])[1 + floor(random() * 3)::integer], (ARRAY[4.0, 90, 700])[1 + floor(random() * 3)::integer],
                         key, amount, (ARRAY['date', 'timestamp', 'timestamptz'])[1 + floor(random() * 3)::integer],
                           (ARRAY[0, 0.2])[i]);
    last := (SELECT max(at)::date FROM scene);
    model := (ARRAY['bg_bb', 'sbg'])[i];
    found := concat_ws('; ', NULLIF(found, ''), pg_temp.check('bg_nbd', 'gamma_gamma', 'week', NULL),
      pg_temp.check('nbd', 'gamma_gamma', 'day', last - floor(random() * 30)::integer),
                       pg_temp.check(model, 'gamma_gamma',
                         (ARRAY['day', 'week', 'month'])[1 + floor(random() * 3)::integer],
                         last - floor(random() * 10)::integer));
  END LOOP;
  RETURN NEXT is(found, '', format('customers of type %s, amounts %s', key, amount));
END $$;
SELECT pg_temp.scenario(key.type, 'cents') FROM key;
SELECT pg_temp.scenario('integer', amount.kind) FROM amount;
SELECT pg_temp.scenario('text', amount.kind) FROM amount;

-- So many that logs are split, sorted as they grow, and given numbers midway.
CREATE FUNCTION pg_temp.large(title text, key text, amount text, events integer, customers integer, days float8) RETURNS
  SETOF text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.fill(events, customers, days, key, amount, 'timestamptz', 0.02);
  RETURN NEXT is(concat_ws('; ', pg_temp.check('bg_nbd', 'gamma_gamma', 'day', '2023-06-01'),
      pg_temp.check('bg_bb', 'gamma_gamma', 'week', '2023-06-01')), '', title);
END $$;
SELECT pg_temp.large('60,000 orders of some thousand customers', 'integer', 'cents', 60000, 9000, 200);
SELECT pg_temp.large('60,000 orders on a few days', 'integer', 'of many scales', 60000, 2000, 3);
SELECT pg_temp.large('60,000 orders of a few customers', 'bigint', 'cents', 60000, 4, 20000);
SELECT pg_temp.large('60,000 large amounts', 'bigint', 'large', 60000, 3000, 60);
SELECT pg_temp.large('60,000 orders, keys in text', 'text of all lengths', 'cents', 60000, 9000, 200);
SELECT pg_temp.large('60,000 orders, large keys', 'large bigint', 'about 2^58 and 2^61', 60000, 9000, 10);
SELECT pg_temp.fill(60000, 9000, 200, 'bigint', 'divided', 'timestamptz', 0.02);
INSERT INTO scene SELECT c << 32, at, m FROM scene WHERE c % 10 = 0;
SELECT is(pg_temp.check('bg_nbd', 'gamma_gamma', 'day', '2023-06-01'), NULL, 'large keys after 60,000 small ones');

-- Plans ---------------------------------------------------------------------------------------------------------------

CREATE TABLE orders (n integer, customer integer, at timestamptz, amount numeric) WITH (parallel_workers = 3);
INSERT INTO orders
  SELECT n, CASE WHEN n % 97 > 0 THEN floor(random() * random() * 1500)::integer END,
         CASE WHEN n % 53 > 0 THEN timestamptz '2024-01-01 00:00+00' + random() * interval '400 days' END,
         CASE WHEN n % 31 > 0 THEN CASE WHEN n % 29 = 0 THEN 1e20
           ELSE (5 - 60 * ln(1 - random()))::numeric(10, 2) END END
  FROM generate_series(1, 9000) n;
INSERT INTO orders SELECT * FROM orders WHERE n % 11 = 0;
CREATE TABLE by_row (LIKE orders) PARTITION BY HASH (n);
SELECT format('CREATE TABLE by_row_%s PARTITION OF by_row FOR
    VALUES WITH (MODULUS 5, REMAINDER %1$s) WITH (parallel_workers = 2)', i) FROM generate_series(0, 4) i \gexec
INSERT INTO by_row TABLE orders;
CREATE TABLE with_empty (LIKE orders) PARTITION BY RANGE (n);
CREATE TABLE with_empty_all PARTITION OF with_empty FOR VALUES FROM (0) TO (100000);
CREATE TABLE with_empty_none PARTITION OF with_empty FOR VALUES FROM (100000) TO (200000);
INSERT INTO with_empty TABLE orders;
ANALYZE orders; ANALYZE by_row; ANALYZE with_empty;

CREATE TABLE form (o serial, call text, answer text);
INSERT INTO form (call) VALUES
  ('clv_model(customer, at, amount)'), ('clv_model(customer, at, amount, ''2024-12-31'')'),
    ('clv_model(customer, at, amount, ''2024-12-31'', ''nbd'')'),
  ('clv_model(customer::bigint << 20, at, amount, ''2024-12-31'', ''bg_nbd'', ''none'')'),
    ('clv_model(''customer '' || customer, at, amount, ''2024-12-31'', ''bg_nbd'', ''gamma_gamma'', ''week'')'),
  ('clv_model(md5(customer::text)::uuid, at, '
    'amount, ''2024-12-31'', ''bg_bb'', ''gamma_gamma'', ''month'', ''Europe/Paris'')'),
  ('clv_model(ARRAY[customer, customer % 7], at::date, amount, NULL, NULL, NULL, NULL, ''Europe/Paris'')'),
  ('clv_model(CASE WHEN customer % 5 = 0 THEN customer::bigint << 20 ELSE customer::bigint END, at::timestamp, '
    'amount, NULL, NULL, NULL, ''quarter'')');
DO $$
DECLARE f record; r text;
BEGIN
  FOR f IN SELECT * FROM form LOOP
    EXECUTE format('SELECT %s::text FROM (SELECT * FROM orders ORDER BY n) e', f.call) INTO r;
    UPDATE form SET answer = r WHERE o = f.o;
  END LOOP;
END $$;
SELECT is((SELECT count(DISTINCT answer) FROM form), 7::bigint,
  'the forms give different models, but that an array is a key like any other');

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
SELECT t FROM unnest('{n DESC,at,at DESC,customer,"amount, at DESC",md5(n::text)}'::text[]) o,
  pg_temp.plans('rows ordered by ' || o, format('(SELECT * FROM orders ORDER BY %s) e', o)) t;
SET enable_partitionwise_aggregate = on;
SELECT pg_temp.plans('partition-wise', 'by_row', 'Append\s+->  Partial Aggregate');
SELECT pg_temp.plans('partition-wise, an empty partition', 'with_empty', 'Append\s+->  Partial Aggregate');
SET enable_partitionwise_aggregate = off;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 3;
SELECT pg_temp.plans('workers', 'orders',
  'Finalize Aggregate\s+->  Gather\s+Workers Planned: 3\s+->  Partial Aggregate');
SET parallel_leader_participation = off;
SELECT pg_temp.plans('workers without the leader', 'orders', 'Finalize Aggregate\s+->  Gather');
SET parallel_leader_participation = on;
SET enable_partitionwise_aggregate = on;
SELECT pg_temp.plans('workers over partitions', 'by_row', 'Gather.*Partial Aggregate');
SET enable_partitionwise_aggregate = off;

-- groups, many and small
CREATE TABLE grouped AS SELECT customer % 400 AS g, clv_model('c' || customer, at, amount, '2024-12-31', 'nbd') AS m
  FROM orders GROUP BY 1;
SELECT ok(pg_temp.plan($$SELECT customer % 400, clv_model('c' || customer, at, amount, '2024-12-31', 'nbd') FROM orders
    GROUP BY 1$$) ~ 'Partial (Hash|Group)Aggregate', 'groups in workers');
SET max_parallel_workers_per_gather = 0;
SELECT is((SELECT count(*) FROM grouped
    JOIN (SELECT customer % 400 AS g, clv_model('c' || customer, at, amount, '2024-12-31', 'nbd') AS m FROM orders
    GROUP BY 1) q ON q.m = grouped.m AND q.g IS NOT DISTINCT FROM grouped.g), 401::bigint,
  'groups, with and without workers');

-- the final function leaves the state as it was
SELECT is((SELECT array_agg(m ORDER BY n)
    FROM (SELECT n, clv_model(customer, at, amount) OVER (ORDER BY n)::text AS m FROM orders WHERE n BETWEEN 1 AND 300)
    q WHERE n IN (7, 100, 299)),
          (SELECT array_agg((SELECT clv_model(customer, at, amount) FROM orders o WHERE o.n BETWEEN 1 AND k)::text
            ORDER BY k) FROM unnest('{7,100,299}'::integer[]) k), 'window frames that grow');
SELECT is((SELECT array_agg(m ORDER BY n)
    FROM (SELECT n, clv_model('c' || customer, at, amount) OVER (ORDER BY n)::text AS m FROM orders
    WHERE n BETWEEN 1 AND 600) q WHERE n IN (7, 300, 599)),
          (SELECT array_agg((SELECT clv_model('c' || customer, at, amount) FROM orders o
              WHERE o.n BETWEEN 1 AND k)::text ORDER BY k) FROM unnest('{7,300,599}'::integer[]) k),
            'window frames that grow, keys in text');
SELECT ok(a = b AND a <> c, 'one state for two aggregates, and FILTER')
FROM (SELECT clv_model(customer, at, amount, '2024-12-31') AS a, clv_model(customer, at, amount, '2024-12-31') AS b,
  clv_model(customer, at, amount, '2024-12-31') FILTER (WHERE n % 2 = 0) AS c FROM orders) q;

-- Arguments -----------------------------------------------------------------------------------------------------------

SELECT is((SELECT clv_model(customer, at, amount) FROM orders WHERE false), NULL, 'no rows: NULL');
SELECT is((SELECT array[n, skipped] FROM (SELECT clv_model(customer, at, amount) AS m FROM orders) q, clv_fit(m)),
          (SELECT array[count(DISTINCT customer) FILTER (WHERE at IS NOT NULL),
            count(*) FILTER (WHERE customer IS NULL OR at IS NULL)] FROM orders),
            'customers are counted, and rows without customer or time');
SELECT is((SELECT array[n, skipped] FROM (SELECT clv_model(NULL::integer, at, amount) AS m FROM orders) q, clv_fit(m)),
  array[0, (SELECT count(*) FROM orders)], 'rows without customer alone');
SELECT is((SELECT f.as_of FROM (SELECT clv_model(customer, at, amount, NULL, NULL, NULL, NULL, 'UTC') AS m
    FROM orders) q, clv_fit(m) f), (SELECT (max(at) AT TIME ZONE 'UTC')::date FROM orders WHERE customer IS NOT NULL),
  'without as_of: the latest day');
SELECT is((SELECT f.n FROM (SELECT clv_model(customer, at, amount, '2023-12-01') AS m FROM orders) q, clv_fit(m) f),
  0::bigint, 'as_of before the first order: nobody');
SELECT is((SELECT clv_model(customer, at, amount, '2024-08-01') FROM orders),
  (SELECT clv_model(customer, at, amount, '2024-08-01') FROM orders
    WHERE customer IS NULL OR at IS NULL OR (at AT TIME ZONE 'Asia/Kolkata')::date <= '2024-08-01'),
  'orders after as_of are not looked at');
SELECT is((SELECT clv_model(customer, at, amount, '2024-12-31') FROM orders),
  (SELECT clv_model(customer, at, amount, '2024-12-31', 'BG/NBD', 'Gamma-Gamma', 'day', 'Asia/Kolkata') FROM orders),
  'defaults');
SELECT is((SELECT clv_model(customer, at, amount, '2024-12-31', 'bg_nbd', 'gamma_gamma', 'day', 'America/New_York')
    FROM orders),
          (SELECT clv_model(customer, at AT TIME ZONE 'America/New_York', amount, '2024-12-31') FROM orders),
            'the day of an instant is that of the zone');
SELECT isnt((SELECT clv_model(customer, at, amount, '2024-12-31') FROM orders),
  (SELECT clv_model(customer, at, amount, '2024-12-31', NULL, NULL, NULL, 'America/New_York') FROM orders),
  'which matters');
SELECT is((SELECT clv_model(customer, at::timestamp, amount, '2024-12-31') FROM orders),
  (SELECT clv_model(customer, at::timestamp, amount, '2024-12-31', NULL, NULL, NULL, 'America/New_York') FROM orders),
  'and to wall clocks does not');
SELECT is((SELECT count(DISTINCT m::text)
    FROM (SELECT n % 3 AS g, clv_model(customer, at, amount, date '2024-12-31' - n % 3) AS m FROM orders GROUP BY 1) q),
  3::bigint, 'groups with parameters of their own');
SELECT is((SELECT f.spend_model FROM (SELECT clv_model(customer, at, NULL, '2024-12-31') AS m FROM orders) q,
    clv_fit(m) f), 'none', 'no amount known: no model of spend');

SELECT throws_ok($$SELECT clv_model(customer, at, amount, date '2024-12-31' - n % 2) FROM orders$$, '22023',
  'as_of must be the same in all rows of a group');
SELECT throws_ok($$SELECT clv_model(customer, at, amount, NULLIF(date '2024-12-31' - n % 2, '2024-12-30'))
    FROM orders$$, '22023', 'as_of must be the same in all rows of a group');
SELECT throws_ok($$SELECT clv_model(customer, at, amount, '2024-12-31', CASE WHEN n % 2 = 0 THEN 'nbd'
    ELSE 'bg_nbd' END) FROM orders$$, '22023', 'model must be the same in all rows of a group');
SELECT throws_ok($$SELECT clv_model(customer, at, amount, '2024-12-31', 'nbd', CASE WHEN n % 2 = 0 THEN 'none'
    ELSE 'gamma_gamma' END) FROM orders$$, '22023', 'spend model must be the same in all rows of a group');
SELECT throws_ok($$SELECT clv_model(customer, at, amount, '2024-12-31', 'nbd', 'none', CASE WHEN n % 2 = 0 THEN 'day'
    ELSE 'week' END) FROM orders$$, '22023', 'unit must be the same in all rows of a group');
SELECT throws_ok($$SELECT clv_model(customer, at, amount, '2024-12-31', 'nbd', 'none', 'day', CASE WHEN n % 2 = 0
    THEN 'UTC' ELSE 'Europe/Paris' END) FROM orders$$, '22023', 'time zone must be the same in all rows of a group');
SET max_parallel_workers_per_gather = 3;
SELECT throws_ok($$SELECT clv_model(customer, at, amount, CASE WHEN ctid < '(20,1)' THEN date '2024-12-31'
    ELSE '2024-12-30' END) FROM orders$$, '22023', 'as_of must be the same in all rows of a group',
  'as_of that differs between workers');
SET max_parallel_workers_per_gather = 0;
SELECT throws_ok($$SELECT clv_model(customer, at, amount, 'infinity') FROM orders$$, '22008',
  'as_of must be finite, not "infinity"');
SELECT throws_ok($$SELECT clv_model(customer, at, amount, '2024-12-31', 'bg') FROM orders$$, '22023',
  'unknown model "bg"');
SELECT throws_ok($$SELECT clv_model(customer, at, amount, NULL, 'bg_bb') FROM orders$$, '22004',
  'as_of must not be NULL for model "bg_bb"');
SELECT throws_ok($$SELECT clv_model(customer, at, amount, '2024-12-31', 'nbd', 'normal') FROM orders$$, '22023',
  'unknown spend model "normal"');
SELECT throws_ok($$SELECT clv_model(customer, at, amount, '2024-12-31', 'nbd', 'none', 'hour') FROM orders$$, '22023',
  'unknown unit "hour"');
SELECT throws_like($$SELECT clv_model(customer, at, amount, '2024-12-31', 'nbd', 'none', 'day', 'Mars') FROM orders$$,
  '%"Mars"%');
SELECT throws_ok($$SELECT clv_model(customer, at, amount, '2024-12-31', 'nbd', 'none', 'day', NULL) FROM orders$$,
  '22004', 'time zone must not be NULL');
SELECT throws_ok($$SELECT clv_model('c' || customer, customer, amount, '2024-12-31') FROM orders$$, '42804',
  'event time must be a date, timestamp or timestamptz, not integer');
SELECT throws_ok($$SELECT clv_model('{}'::json, at, amount, '2024-12-31') FROM orders$$, '42883',
  'customers of type json cannot be hashed');
SELECT throws_ok($$SELECT clv_model(1, t::timestamptz, 1) FROM unnest('{2024-01-01,infinity}'::text[]) t$$, '22008',
  'time "infinity" cannot be placed in a period');
SELECT throws_ok($$SELECT clv_model(1, t::date, 1, '2024-01-01') FROM unnest('{2024-01-01,-infinity}'::text[]) t$$,
  '22008', 'time "-infinity" cannot be placed in a period');
SELECT throws_ok($$SELECT clv_model(1, date '2024-01-01', t::numeric) FROM unnest('{1,NaN}'::text[]) t$$, '22003',
  'amount must be a finite number, not NaN');
SELECT throws_ok($$SELECT clv_model(1, date '2024-01-01', t::numeric, '2023-12-31') FROM unnest('{1,NaN}'::text[]) t$$,
  '22003', 'amount must be a finite number, not NaN', 'nor after as_of');
SELECT throws_ok($$SELECT clv_model(1, date '2024-01-01' + n, 1e400) FROM generate_series(0, 3) n$$, '22003',
  'sum of amounts is too large for a model of spend');

-- A key of several parts with a NULL in it is no customer, and not one that all such rows share.
SELECT is((SELECT clv_model(ARRAY[customer, CASE WHEN customer % 5 > 0 THEN 1 END], at, amount)::text FROM orders),
  (SELECT clv_model(CASE WHEN customer % 5 > 0 THEN customer END, at, amount)::text FROM orders),
  'an array with a NULL is nobody');
SELECT * FROM finish();
ROLLBACK;
