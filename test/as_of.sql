-- as_of over histories and orders: one meaning in every form that an argument has, in every function that takes one.
-- The right answer is that of a plain date, whose own is checked elsewhere.
BEGIN;
SET client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned
SELECT diag('seed ' || :'seed');

-- Customers who buy until July 2025, of whom somebody buys on each day: a day more or less is another answer.
CREATE TABLE orders AS
  SELECT c AS customer, d::date AS day, d AS wall, d AT TIME ZONE 'Asia/Kolkata' AS at,
    round((5 + random() * 50)::numeric, 2) AS amount
  FROM (SELECT c, timestamp '2024-01-01' + (c % 300 + k * (3 + random() * 20)) * interval '1 day' AS d
        FROM generate_series(1, 400) c, generate_series(0, 1 + c % 17) k OFFSET 0) o WHERE d < '2025-07-01'
  UNION ALL SELECT -1, d::date, d, d AT TIME ZONE 'Asia/Kolkata', 10
  FROM generate_series(timestamp '2025-03-01 10:00', '2025-06-30', '1 day') d;
CREATE TABLE histories AS SELECT customer, customer_history(day, amount) AS h FROM orders GROUP BY customer;
CREATE TABLE models AS SELECT m, churn
  FROM (SELECT churn_model(h, '2025-06-30', '90 days') AS churn FROM histories) c,
    clv_model('bg_nbd', '{"r": 0.24, "alpha": 4.4, "a": 0.8, "b": 2.4, "p": 6, "q": 4, "v": 15}', 'week',
              date '2025-06-30',
              '{{1e-4,0,0,0},{0,1e-2,0,0},{0,0,1e-3,0},{0,0,0,1e-2}}', '{{1,0,0},{0,0.1,0},{0,0,1}}') m;

CREATE TABLE call (o serial, name text, query text);
INSERT INTO call (name, query) VALUES
  ('segment', 'SELECT string_agg(segment(h, %s), '','' ORDER BY customer) FROM histories'),
  ('seasonal_chance', 'SELECT string_agg(seasonal_chance(h, %s, 1, 1, 6)::text, '','' ORDER BY customer)
     FROM histories'),
  ('clv_summary', 'SELECT sum(age) FROM histories, clv_summary(h, %s)'),
  ('rfm_score', 'SELECT string_agg(s::text, '','' ORDER BY customer)
     FROM (SELECT customer, rfm_score(h, %s) OVER () AS s FROM histories) q'),
  ('clv_model over histories', 'SELECT clv_model(h, %s) FROM histories'),
  ('... with a model', 'SELECT clv_model(h, %s, ''nbd'') FROM histories'),
  ('... and one of spend', 'SELECT clv_model(h, %s, ''nbd'', ''none'') FROM histories'),
  ('... and a unit', 'SELECT clv_model(h, %s, ''nbd'', ''none'', ''week'') FROM histories'),
  ('clv_model over days', 'SELECT clv_model(customer, day, amount, %s) FROM orders'),
  ('... over wall clocks', 'SELECT clv_model(customer, wall, amount, %s, ''nbd'') FROM orders'),
  ('... over instants', 'SELECT clv_model(customer, at, amount, %s, ''nbd'', ''none'') FROM orders'),
  ('... with a unit', 'SELECT clv_model(customer, at, amount, %s, ''nbd'', ''none'', ''week'') FROM orders'),
  ('... in a zone', 'SELECT clv_model(customer, at, amount, %s, ''nbd'', ''none'', ''week'', ''Asia/Kolkata'')
     FROM orders'),
  ('clv() OVER', 'SELECT sum(v) FROM (SELECT clv(h, %s, model => ''nbd'') OVER () AS v FROM histories) q'),
  ('clv', 'SELECT sum(clv(m, h, %s)) FROM histories, models'),
  ('clv_se', 'SELECT clv_se(m, h, %s) FROM histories, models WHERE customer = 17'),
  ('p_alive', 'SELECT sum(p_alive(m, h, %s)) FROM histories, models'),
  ('expected_purchases', 'SELECT sum(expected_purchases(m, h, %s)) FROM histories, models'),
  ('p_no_purchase', 'SELECT sum(p_no_purchase(m, h, %s)) FROM histories, models'),
  ('purchase_distribution', 'SELECT sum(purchase_distribution(m, h, %s, ''90 days'', 1)) FROM histories, models'),
  ('expected_spend', 'SELECT sum(expected_spend(m, h, %s)) FROM histories, models'),
  ('residual_lifetime_value', 'SELECT sum(residual_lifetime_value(m, h, %s)) FROM histories, models'),
  ('customer_equity', 'SELECT customer_equity(m, h, %s) FROM histories, models'),
  ('... with a horizon', 'SELECT customer_equity(m, h, %s, ''90 days'') FROM histories, models'),
  ('... and a rate', 'SELECT customer_equity(m, h, %s, ''90 days'', 0.2) FROM histories, models'),
  ('... and a margin', 'SELECT customer_equity(m, h, %s, ''90 days'', 0.2, 0.3) FROM histories, models'),
  ('customer_equity_se', 'SELECT customer_equity_se(m, h, %s, ''90 days'') FROM histories, models'),
  ('clv_data', 'SELECT clv_data(h, ''2025-01-31'', %s) FROM histories'),
  ('churn_model', 'SELECT churn_model(h, %s, ''90 days'') FROM histories'),
  ('... with options', 'SELECT churn_model(h, %s, ''90 days'', ''{"method": "gap_survival"}'') FROM histories'),
  ('churn_score() OVER', 'SELECT sum(p) FROM (SELECT churn_score(h, %s, ''90 days'') OVER () AS p FROM histories) q'),
  ('churn_score', 'SELECT sum(churn_score(churn, h, %s)) FROM histories, models'),
  ('churn_reasons', 'SELECT sum(contribution * rank) FROM histories, models, churn_reasons(churn, h, %s)'),
  ('churn_outcome', 'SELECT string_agg(churn_outcome(h, %s, ''30 days'')::text, '','' ORDER BY customer)
     FROM histories');

SET extra_float_digits = 1;
CREATE TABLE given (form text, day date, value text);
INSERT INTO given VALUES
  ('an untyped literal', '2025-03-31', $$'2025-03-31'$$), ('a text', '2025-03-31', $$text '2025-03-31'$$),
  ('a varchar', '2025-03-31', $$'2025-03-31'::varchar$$), ('a text of another form', '2025-03-31', $$'31 March 2025'$$),
  ('the last moment of a day', '2025-03-31', $$timestamp '2025-03-31 23:59:59.999999'$$),
  ('its first moment but one', '2025-03-31', $$timestamp '2025-03-31 00:00:00.000001'$$),
  ('the end of a day', '2025-03-31', $$timestamp '2025-04-01'$$), ('... as text', '2025-03-31', $$'2025-04-01 00:00'$$),
  ('a begin, as the day before', '2025-03-30', $$timestamp '2025-03-31'$$),
  ('an instant', '2025-03-31', $$timestamptz '2025-03-31 12:00'$$),
  ('an instant with an offset', '2025-03-31', $$'2025-03-31 18:30+00'$$),
  ('... and one microsecond later', '2025-04-01', $$'2025-03-31 18:30:00.000001+00'::timestamptz$$);
SELECT isnt(pg_temp.outcome(format(query, 'date ''2025-03-31''')),
            pg_temp.outcome(format(query, 'date ''2025-06-29''')), name || ': another day is another answer')
  FROM call ORDER BY o;
SELECT doesnt_match(pg_temp.outcome(format(query, 'date ''2025-03-31''')), '^[0-9A-Z]{5} ', name || ': an answer')
  FROM call ORDER BY o;
SELECT is(string_agg(form, ', ') FILTER (WHERE have IS DISTINCT FROM want), NULL, name || ' takes every form')
FROM (SELECT o, name, form, pg_temp.outcome(format(query, quote_literal(day) || '::date')) AS want,
        pg_temp.outcome(format(query, value)) AS have FROM call, given OFFSET 0) q
GROUP BY o, name ORDER BY o;

-- A parameter without a type, as drivers send it; NULL.
CREATE FUNCTION pg_temp.prepared(query text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text; types text;
BEGIN
  EXECUTE 'PREPARE one AS ' || query;
  SELECT parameter_types::text INTO types FROM pg_prepared_statements WHERE name = 'one';
  EXECUTE format('EXECUTE one(%L)', value) INTO r;
  DEALLOCATE one;
  RETURN types || r;
END $$;
SELECT is(pg_temp.prepared(format(query, '$1'), '2025-03-31'),
          '{text}' || pg_temp.outcome(format(query, 'date ''2025-03-31''')), name || ': an untyped parameter')
  FROM call ORDER BY o;
SELECT is(pg_temp.outcome(format(query, 'NULL')), pg_temp.outcome(format(query, 'NULL::date')), name || ': NULL')
  FROM call ORDER BY o;

-- An instant in a session elsewhere: a morning in Kolkata is the day before in Honolulu, but not where a zone is given.
SET TimeZone = 'Pacific/Honolulu';
SELECT is(pg_temp.outcome(format(query, value)), pg_temp.outcome(format(query, want)), name || ' elsewhere: ' || value)
FROM call, LATERAL (VALUES ('''2025-03-31 18:30+05:30''', 'date ''2025-03-31'''),
  ('''2025-03-31 10:00+05:30''', format('date ''2025-03-%s''', CASE name WHEN '... in a zone' THEN 31 ELSE 30 END)),
  ('''2025-03-31 10:00''', 'date ''2025-03-31''')) v (value, want) ORDER BY o;
SET TimeZone = 'Asia/Kolkata';

-- What is no time.
SELECT is(pg_temp.outcome(format(query, value)), error, name || ': ' || value)
FROM call, (VALUES ('interval ''90 days''', '42804 as_of must be a date, timestamp, timestamptz or text, not interval'),
                   ('20250331', '42804 as_of must be a date, timestamp, timestamptz or text, not integer'),
                   ('''90 days''', '22007 as_of must be a date or a time, not "90 days"'),
                   ('''2025-02-30''', '22008 date/time field value out of range: "2025-02-30"'),
                   ('''infinity''', '22008 as_of must be finite, not "infinity"')) v (value, error) ORDER BY o;
CREATE FUNCTION pg_temp.hint(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE h text;
BEGIN
  EXECUTE query;
  RETURN NULL;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS h = PG_EXCEPTION_HINT;
  RETURN h;
END $$;
SELECT matches(pg_temp.hint(query), hint, query)
FROM (VALUES ('SELECT p_no_purchase(m, h, interval ''90 days'') FROM histories, models', 'model, history, as_of, hor'),
             ('SELECT p_no_purchase(m, h, ''90 days'') FROM histories, models', 'model, history, as_of, horizon'),
             ('SELECT p_no_purchase(m, h, 1743379200) FROM histories, models', 'to_timestamp'),
             ('SELECT clv(m, h, horizon => ''12'') FROM histories, models', '''12 months'''),
             ('SELECT churn_model(h, ''2025-06-30'', ''90'') FROM histories', 'seconds'),
             ('SELECT clv(m, h, discount_rate => 10) FROM histories, models', '10% is 0.10')) v (query, hint);

-- Horizons, steps and times ahead of less than a day; rates above 1.
SELECT is(pg_temp.outcome(query), error, query)
FROM (SELECT format('SELECT %s FROM histories, models', call), error
      FROM (VALUES ('p_alive(m, h, ahead => ''12'')', '22023 ahead must be a day or longer, not "00:00:12"'),
        ('expected_purchases(m, h, horizon => ''12'')', '22023 horizon must be a day or longer, not "00:00:12"'),
        ('p_no_purchase(m, h, horizon => ''12'')', '22023 horizon must be a day or longer, not "00:00:12"'),
        ('p_no_purchase(m, 1, 2, 3, ''23:59:59'')', '22023 horizon must be a day or longer, not "23:59:59"'),
        ('purchase_distribution(m, h, NULL, ''12'', 1)', '22023 horizon must be a day or longer, not "00:00:12"'),
        ('clv(m, h, horizon => ''12'')', '22023 horizon must be a day or longer, not "00:00:12"'),
        ('clv(m, h, step => ''1'')', '22023 step must be a day or longer, not "00:00:01"'),
        ('clv(h, horizon => ''12'', model => ''nbd'') OVER ()', '22023 horizon must be a day or longer, not "00:00:12"'),
        ('clv(h, step => ''1'', model => ''nbd'') OVER ()', '22023 step must be a day or longer, not "00:00:01"'),
        ('customer_equity(m, h, NULL, ''12'')', '22023 horizon must be a day or longer, not "00:00:12"'),
        ('customer_equity(m, 1, 2, 3, 4, ''12'')', '22023 horizon must be a day or longer, not "00:00:12"'),
        ('churn_model(h, ''2025-06-30'', ''12'')',
          '22023 horizon must be of whole days, a day or longer, not "00:00:12"'),
        ('churn_score(h, ''2025-06-30'', ''12'') OVER ()',
          '22023 horizon must be of whole days, a day or longer, not "00:00:12"'),
        ('churn_outcome(h, ''2025-06-30'', ''12'')',
          '22023 horizon must be of whole days, a day or longer, not "00:00:12"'),
        ('clv(m, h, discount_rate => 10)', '22023 discount_rate must be 1 or less, which is 100% a year, not 10'),
        ('clv(h, discount_rate => 10, model => ''nbd'') OVER ()', '22023 discount_rate must be 1 or less, which is 100% a year, not 10'),
        ('residual_lifetime_value(m, h, discount_rate => 1.01)',
          '22023 discount_rate must be 1 or less, which is 100% a year, not 1.01'),
        ('customer_equity(m, h, NULL, ''1 year'', 10)',
          '22023 discount_rate must be 1 or less, which is 100% a year, not 10')) c (call, error)) q (query, error);
SELECT ok(clv(m, h, discount_rate => 1, horizon => '1 day', step => '1 day') >= 0, 'a day and 100% are neither')
  FROM histories, models LIMIT 1;
SELECT * FROM finish();
ROLLBACK;
