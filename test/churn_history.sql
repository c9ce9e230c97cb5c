-- Churn from histories alone, on random customers: features, outcomes and the fit against plain SQL over the purchases
-- themselves; gap survival against plain SQL; what is after as_of changes nothing; the window, the aggregate and the
-- score of one customer agree to the last bit, whatever the order of rows; reasons add up; errors.  The seed is
-- RETENTION_SEED or a new one.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\getenv seed RETENTION_SEED
\if :{?seed}
\else
SELECT floor(random() * 1e9)::integer AS seed \gset
\endif
SELECT diag('RETENTION_SEED=' || :seed);
SELECT setseed(:seed / 1e9) \g /dev/null
SET TimeZone = 'Asia/Kolkata';
SET statement_timeout = '300s';
SET jit = off;

-- What a query of one value gives, or the error.
CREATE FUNCTION pg_temp.outcome(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
  EXECUTE query INTO r;
  RETURN r;
EXCEPTION WHEN OTHERS THEN
  RETURN format('%s %s', SQLSTATE, SQLERRM);
END $$;

-- One who bought once.
CREATE FUNCTION pg_temp.once(date) RETURNS customer_history LANGUAGE sql AS 'SELECT customer_history($1)';

-- Random customers ----------------------------------------------------------------------------------------------------
-- Purchases at own rates until some leave; a quarter without amounts, some of 0 or less; as_of lies inside, so that
-- there are days after it.

CREATE TABLE terms AS
SELECT as_of, horizon, (as_of - horizon)::date AS past, as_of - (as_of - horizon)::date AS days
FROM (SELECT date '2021-03-31' + floor(random() * 60)::integer AS as_of,
  (ARRAY[interval '45 days', '1 month', '3 months', '8 weeks'])[1 + floor(random() * 4)::integer] AS horizon) t;
SELECT diag(format('as_of %s, horizon %s', as_of, horizon)) FROM terms;
CREATE TABLE purchases AS
SELECT DISTINCT ON (customer, day) customer, day, CASE WHEN customer % 4 > 0 AND random() < 0.9
  THEN round((random() * 100)::numeric - 2, 2) END AS amount
FROM (SELECT customer, date '2020-06-01' + floor(start + (life * random()) * (i > 1)::integer)::integer AS day
      FROM (SELECT customer, random() * 330 AS start, CASE WHEN random() < 0.5 THEN 30 ELSE 400 END * random() AS life,
        1 + floor(-ln(1 - random()) * 3)::integer AS n FROM generate_series(1, 3000) customer) c,
        generate_series(1, n) i) p
ORDER BY customer, day;
CREATE TABLE customers AS SELECT customer, customer_history(day, amount, true) AS h FROM purchases GROUP BY customer
  UNION ALL SELECT 0, NULL;

-- Features and outcomes of customers at a day, as churn_history_features.h defines them.
CREATE FUNCTION pg_temp.behaviour(at date, days double precision)
  RETURNS TABLE (customer integer, recency float8, frequency float8, age float8, silence float8, pace float8,
    overdue float8, activity float8, spend float8, silent boolean)
LANGUAGE sql AS $$
SELECT customer, ln(1 + r), ln(1 + x), ln(1 + t), ln((t + c) / (t - r + c)), ln((r + c) / (g + c)),
  ln(1 + x * ln((t + c) / (t - r + c))), ln(a), CASE WHEN s > 0 THEN ln(s) END,
  NOT EXISTS (SELECT FROM purchases q WHERE q.customer = b.customer AND q.day > at AND q.day <= at + days::integer)
FROM (SELECT customer, r, x, t, days / 20 AS c, a, s, CASE WHEN x > 0 THEN (t - r) / x ELSE t END AS g
      FROM (SELECT customer, (at - max(day))::float8 AS r, count(*)::float8 - 1 AS x, (at - min(day))::float8 AS t,
        sum(1 / (1 + (at - day) / (2 * days))) AS a, avg(amount)::float8 AS s
            FROM purchases WHERE day <= at GROUP BY customer) f) b $$;

CREATE TABLE model AS SELECT churn_model(h, as_of, horizon) AS m FROM customers, terms GROUP BY as_of, horizon;
CREATE TABLE train AS SELECT b.* FROM terms, pg_temp.behaviour(past, days) b;
CREATE TABLE now AS SELECT b.* FROM terms, pg_temp.behaviour(as_of, days) b;

SELECT is((method, converged, n, positives, unlabelled, skipped, s.as_of, horizon_days)::text,
  (SELECT ('logistic', true, count(*), count(*) FILTER (WHERE silent),
    (SELECT count(DISTINCT customer) FROM purchases) - count(*), 1, t.as_of, t.days)::text FROM train, terms t
    GROUP BY t.as_of, t.days), 'customers, outcomes and terms')
FROM model, churn_summary(m) s;
CREATE TABLE oracle AS SELECT churn_model(silent, ROW(recency, frequency, age, silence, pace, overdue, activity, spend))
  AS m FROM train;
SELECT is((SELECT count(*) FROM model, churn_coefficients(m)), 10::bigint,
  'eight features, an indicator of unknown spend, an intercept');
SELECT is((SELECT max(abs(a.estimate - b.estimate) / greatest(abs(b.estimate), 1))
    FROM model, churn_coefficients(model.m) WITH
    ORDINALITY a (term, feature, level, mean, sd, std, estimate, se, sw, z, p, odds, n)
  JOIN (SELECT c.* FROM oracle, churn_coefficients(oracle.m) WITH
    ORDINALITY c (term, feature, level, mean, sd, std, estimate, se, sw, z, p, odds, n)) b USING (n)) < 1e-7, true,
    'the fit to features and outcomes counted in plain SQL');
SELECT is((SELECT string_agg(feature, ' ' ORDER BY n)
    FROM (SELECT feature, min(n) AS n
    FROM model, churn_coefficients(m) WITH
    ORDINALITY c (term, feature, level, mean, sd, std, estimate, se, sw, z, p, odds, n) WHERE feature IS NOT NULL
    GROUP BY 1) f),
  'recency frequency age silence pace overdue activity spend', 'features by name');

-- Scores --------------------------------------------------------------------------------------------------------------

CREATE TABLE scores AS SELECT customer, h, churn_score(h, as_of, horizon) OVER () AS p FROM customers, terms;
SELECT is((SELECT max(abs(p - churn_score(m, ROW(recency, frequency, age, silence, pace, overdue, activity, spend))))
    FROM scores JOIN now USING (customer), oracle) < 1e-9, true, 'probabilities of the oracle');
SELECT is((SELECT (count(*), count(p)) FROM scores),
  (SELECT (count(*) + (SELECT count(*) FROM customers) - count(*), count(*)) FROM now),
  'NULL for NULL histories and for customers of later days');
SELECT is_empty('SELECT customer FROM scores, model WHERE churn_score(m, h) IS DISTINCT FROM p',
  'window and model: the same bits');
SELECT is_empty('SELECT customer FROM scores, model, terms WHERE churn_score(m, h, as_of) IS DISTINCT FROM p',
  'as_of of the model by default');
SELECT is((SELECT max(abs(s - ln(p / (1 - p))))
    FROM (SELECT p, (SELECT sum(contribution) FROM churn_reasons(m, h, k => k)) AS s
    FROM scores, model, unnest(ARRAY[0, 1, 3, 8, NULL]) k WHERE p IS NOT NULL) q) < 1e-12, true, 'reasons add up');
SELECT is((SELECT max(abs(s - ln(p / (1 - p))))
    FROM (SELECT churn_score(m, h, as_of + d) AS p, (SELECT sum(contribution) FROM churn_reasons(m, h, as_of + d, 2)) AS
    s FROM scores, model, terms, generate_series(-200, 200, 50) d) q) < 1e-12, true, 'at any day');
SELECT is_empty('SELECT customer FROM scores, model, LATERAL (SELECT count(*) AS n FROM churn_reasons(m, h)) r
    WHERE n <> CASE WHEN p IS NULL THEN 0 ELSE 5 END', 'baseline, three and the others; none where there is no score');
SELECT results_eq($$SELECT customer, value FROM scores, model, churn_reasons(m, h, k => NULL)
    WHERE feature = 'recency' ORDER BY 1$$,
  'SELECT customer, (as_of - last_day(history_until(h, as_of)))::text FROM customers, terms
    WHERE first_day(h) <= as_of ORDER BY 1', 'recency in days');
SELECT results_eq($$SELECT customer, value FROM scores, model, churn_reasons(m, h, k => NULL)
    WHERE feature = 'frequency' ORDER BY 1$$,
  'SELECT customer, (active_days(history_until(h, as_of)) - 1)::text FROM customers, terms
    WHERE first_day(h) <= as_of ORDER BY 1', 'frequency in repeats');
SELECT results_eq($$SELECT customer, churn_outcome(h, past, horizon) FROM customers, terms
    WHERE churn_outcome(h, past, horizon) IS NOT NULL ORDER BY 1$$,
  $$SELECT customer, NOT EXISTS (SELECT FROM purchases q WHERE q.customer = t.customer AND day > past
      AND day <= past + horizon) FROM train t, terms ORDER BY 1$$, 'outcomes');

-- What must not matter ------------------------------------------------------------------------------------------------

SELECT is((SELECT churn_model(history_until(h, as_of), as_of, horizon)::text FROM customers, terms), m::text,
  'days after as_of change nothing') FROM model;
SELECT is((SELECT churn_model(CASE WHEN h IS NOT NULL THEN h || f END, as_of, horizon)::text
    FROM customers, terms, LATERAL (SELECT customer_history(as_of + i, 1e6) FROM generate_series(1, 50) i) x (f)),
  m::text, 'nor do more of them')
FROM model;
SELECT is((SELECT churn_model(h, as_of, horizon)::text FROM (SELECT * FROM customers ORDER BY random()) c, terms),
  m::text, 'nor does the order of rows') FROM model;
SELECT is((SELECT churn_model(h, as_of, make_interval(days => days))::text FROM customers, terms), m::text,
  'nor do the words of the horizon') FROM model;
SELECT is((SELECT churn_model(h, as_of, CASE WHEN customer % 2 = 0 THEN horizon
    ELSE make_interval(days => days) END)::text FROM customers, terms), m::text, 'in different rows') FROM model;
SELECT is((SELECT churn_model(h, as_of, horizon, '{"method": "logistic", "lambda": 1}')::text FROM customers, terms),
  m::text, 'nor options that are the defaults') FROM model;
SELECT is((SELECT max(abs(a.p - b.p)) FROM scores a
    JOIN (SELECT customer, churn_score(h, as_of - 1000, make_interval(days => days)) OVER () AS p
  FROM (SELECT customer, customer_history(day - 1000, amount * 1000, true) AS h FROM purchases GROUP BY customer) c,
    terms) b
    USING (customer)) < 1e-9, true, 'nor the year, nor the currency');
SELECT is_empty($$SELECT FROM (SELECT customer,
    churn_score(h, as_of, horizon) OVER (PARTITION BY customer % 2 ORDER BY customer ROWS 1 PRECEDING) AS p,
    customer % 2 AS part FROM customers, terms) s
  JOIN (SELECT customer % 2 AS part, churn_model(h, as_of, horizon) AS m FROM customers, terms GROUP BY 1) g
    USING (part) JOIN customers USING (customer) WHERE p IS DISTINCT FROM churn_score(m, h)$$,
    'partitions, frames and order');
SELECT is((SELECT string_agg(DISTINCT g::text, ' ')
    FROM (SELECT churn_model(h, as_of, horizon) AS g FROM customers, terms, generate_series(1, 3) i GROUP BY i) q),
  m::text, 'groups') FROM model;
SELECT is((SELECT m::text::churn_model = m AND churn_score(m::text::churn_model, h) = p FROM model, scores
    WHERE p IS NOT NULL LIMIT 1), true, 'a model survives its text form');

-- Without amounts, and without some features
SELECT is((SELECT string_agg(DISTINCT feature, ' ' ORDER BY feature)
    FROM churn_coefficients((SELECT churn_model(customer_history, as_of, horizon)
    FROM (SELECT customer_history(day) FROM purchases GROUP BY customer) c, terms))),
  'activity age frequency overdue pace recency silence', 'without amounts no spend');
SELECT is((SELECT string_agg(DISTINCT feature, ' ' ORDER BY feature)
    FROM churn_coefficients((SELECT churn_model(h, as_of, horizon, '{"exclude": ["age", "spend"]}')
    FROM customers, terms))),
  'activity frequency overdue pace recency silence', 'features left out');
SELECT is((SELECT count(*) FROM (SELECT churn_score(m, h) AS p, (SELECT sum(contribution) FROM churn_reasons(m, h)) AS s
    FROM (SELECT churn_model(h, as_of, horizon, '{"exclude": ["recency", "silence"], "lambda": 0.1}') AS m
    FROM customers, terms) x, customers) q WHERE abs(s - ln(p / (1 - p))) > 1e-12), 0::bigint, 'and they score');
SELECT is((SELECT string_agg(DISTINCT (churn_score(m, h) IS NULL)::text, ' ')
    FROM (SELECT churn_model(h, as_of, horizon, '{"missing": "skip"}') AS m FROM customers, terms) x, terms, customers
  WHERE h IS NOT NULL AND first_day(h) <= as_of AND NOT EXISTS (SELECT FROM history_days(history_until(h, as_of))
    WHERE amount IS NOT NULL)), 'true', 'missing: skip leaves unknown spend without a score');
SELECT is((SELECT bool_and(s IS NOT DISTINCT FROM p
    AND (p IS NULL OR p > 0 AND p < 1 AND abs(r - ln(p / (1 - p))) < 1e-9))
    FROM (SELECT churn_score(m, h) AS s, churn_score(h, as_of, horizon, '{"method": "boost", "trees": 20}') OVER () AS
    p, (SELECT sum(contribution) FROM churn_reasons(m, h, k => 2)) AS r
  FROM (SELECT churn_model(h, as_of, horizon, '{"method": "boost", "trees": 20}') AS m FROM customers, terms) x,
    customers, terms) q), true, 'boosted trees');

-- Gap survival --------------------------------------------------------------------------------------------------------

CREATE TABLE gaps AS SELECT day_after - day AS days, true AS closed
  FROM (SELECT day, lead(day) OVER (PARTITION BY customer ORDER BY day) AS day_after FROM purchases, terms
  WHERE day <= as_of) g WHERE day_after IS NOT NULL
  UNION ALL SELECT as_of - max(day), false FROM purchases, terms WHERE day <= as_of GROUP BY customer, as_of;
CREATE TABLE survival AS SELECT days, exp(sum(CASE WHEN d < n THEN ln(1 - d / n) ELSE -1e6 END) OVER (ORDER BY days)) AS
  s
  FROM (SELECT days, (count(*) FILTER (WHERE closed))::float8 AS d,
    (sum(count(*)) OVER (ORDER BY days DESC))::float8 AS n FROM gaps GROUP BY days) g;
CREATE FUNCTION pg_temp.s(day double precision) RETURNS double precision
  LANGUAGE sql AS 'SELECT coalesce((SELECT s FROM survival WHERE days <= day ORDER BY days DESC LIMIT 1), 1)';
CREATE TABLE gap_model AS SELECT churn_model(h, as_of, horizon, '{"method": "gap_survival"}') AS m
  FROM customers, terms;
SELECT throws_ok(format('SELECT churn_model(h, as_of, horizon, %L) FROM customers, terms', o), '22023', said, said)
  FROM (VALUES ('{"method": "gap_survival", "lambda": 1}', 'option "lambda" is not for method "gap_survival"'),
  ('{"method": "gap_survival", "trees": 1}', 'option "trees" is not for method "gap_survival"'),
  ('{"method": "gap_survival", "foo": 1}', 'unknown option "foo"'),
    ('{"method": "gaps"}', 'option "method" must be "logistic", "boost" or "gap_survival", not "gaps"')) v (o, said);
SELECT is((method, converged, features, columns)::text, '(gap_survival,t,0,0)', 'by wish')
  FROM gap_model, churn_summary(m);
SELECT is((SELECT max(abs((g ->> 'survival')::float8 - s)) FROM gap_model, jsonb_array_elements(m::jsonb -> 'gaps') g
    JOIN survival ON days = (g ->> 'days')::integer) < 1e-9, true, 'the survival of gaps');
SELECT is((SELECT count(*) FROM gap_model, jsonb_array_elements(m::jsonb -> 'gaps')), (SELECT count(*) FROM survival),
  'at every length');
SELECT is((SELECT max(abs(churn_score(m, h) - pg_temp.s(r + days) / nullif(pg_temp.s(r), 0)))
    FROM gap_model, terms, customers, LATERAL (SELECT as_of - last_day(history_until(h, as_of)) AS r) x) < 1e-9, true,
  'S(recency + horizon) / S(recency)');
SELECT is_empty($$SELECT FROM (SELECT h, churn_score(h, as_of, horizon, '{"method": "GAP_survival"}') OVER () AS p
    FROM customers, terms) w, gap_model WHERE churn_score(m, h) IS DISTINCT FROM p$$, 'the same bits in a window');
SELECT is((SELECT count(*) FROM (SELECT churn_score(m, h) AS p, (SELECT sum(contribution) FROM churn_reasons(m, h)) AS s
    FROM gap_model, customers) q WHERE p > 0 AND p < 1 AND abs(s - ln(p / (1 - p))) > 1e-12), 0::bigint,
  'its reasons add up');
SELECT is((SELECT churn_model(history_until(h, as_of), as_of, horizon, '{"method": "gap_survival"}')::text
    FROM customers, terms), m::text, 'days after as_of change nothing') FROM gap_model;
-- the rule: 20 of either outcome
CREATE TABLE few AS SELECT customer, h, row_number() OVER (PARTITION BY churn_outcome(h, past, horizon)) AS i,
  churn_outcome(h, past, horizon) AS y FROM customers, terms WHERE churn_outcome(h, past, horizon) IS NOT NULL;
SELECT is((SELECT method FROM churn_summary((SELECT churn_model(h, as_of, make_interval(days => days)) FROM few
    JOIN train USING (customer), terms WHERE i <= 20))), 'logistic', 'twenty of either are enough');
SET LOCAL client_min_messages = error;
SELECT is((SELECT method FROM churn_summary((SELECT churn_model(h, as_of, make_interval(days => days)) FROM few
    JOIN train USING (customer), terms WHERE i <= 19 OR (i <= 300 AND silent)))), 'gap_survival', 'nineteen are not');
-- nobody came back; nobody had bought; no rows
SELECT is((method, converged, churn_score(m, pg_temp.once('2021-01-01')))::text, '(gap_survival,f,)',
  'nobody came back: no scores')
  FROM (SELECT churn_model(pg_temp.once(date '2021-01-01' + i), '2021-03-01', '30 days') AS m
  FROM generate_series(1, 30) i) x, churn_summary(m);
SELECT is((method, converged, n, unlabelled)::text, '(gap_survival,f,0,3000)', 'nobody had bought')
  FROM (SELECT churn_model(h, '1999-03-01', '30 days') AS m FROM customers WHERE h IS NOT NULL) x, churn_summary(m);
SELECT is((SELECT churn_model(h, '2021-03-01', '30 days') FROM customers WHERE false), NULL, 'no rows');
SELECT is((SELECT count(p) FROM (SELECT churn_score(NULL::customer_history, '2021-03-01', '30 days') OVER () AS p
    FROM generate_series(1, 3)) q), 0::bigint, 'NULL histories alone');
RESET client_min_messages;
-- S(recency) = 0: everybody came back within 10 days, and this one has not for 20
SELECT is((SELECT (churn_score(m, h, '2021-01-11'), churn_score(m, h, '2021-01-10'),
    churn_score(m, h, '2021-01-30'))::text
    FROM (SELECT churn_model(h, '2021-01-11', '30 days', '{"method": "gap_survival"}') AS m
    FROM (SELECT customer_history(d) AS h FROM (VALUES (date '2021-01-01'), ('2021-01-11')) v (d)) c) x,
  (SELECT pg_temp.once('2021-01-10') AS h) y), '(0,0,)', 'NULL where S(recency) is 0');

-- Errors --------------------------------------------------------------------------------------------------------------

SELECT throws_like(format('SELECT churn_model(h, %s) FROM customers', args), '%' || error || '%', error) FROM (VALUES
  ($$NULL, '30 days'$$, 'as_of must not be NULL'), ($$'2021-01-01', NULL$$, 'horizon must not be NULL'),
    ($$'infinity', '30 days'$$, 'as_of must be finite, not "infinity"'),
    ($$'-infinity', '30 days'$$, 'as_of must be finite, not "-infinity"'),
  ($$'2021-01-01', '0 days'$$, 'horizon must be more than 0 days'),
    ($$'2021-01-01', '-1 month'$$, 'horizon must be more than 0 days'),
    ($$'2021-01-01', '36 hours'$$, 'horizon must be of whole days'), ($$'2021-01-01', '7000 years'$$, 'out of range'),
  ($$'2021-01-01'::date + customer % 2, '30 days'$$, 'as_of must be the same in all rows of churn_model'),
    ($$'2021-01-01', make_interval(days => 30 + customer % 2)$$, 'horizon must be the same in all rows of churn_model'),
  ($$'2021-01-01', '30 days', format('{"lambda": %s}', 1 + customer % 2)::jsonb$$,
    'options must be the same in all rows of churn_model'), ($$'2021-01-01', '30 days', '{"depht": 3}'$$, 'depht'),
    ($$'2021-01-01', '30 days', '{"method": "forest"}'$$, 'forest'),
  ($$'2021-01-01', '30 days', '{"names": ["a"]}'$$, 'option "names" is not for histories'),
    ($$'2021-01-01', '30 days', '{"exclude": ["tenure"]}'$$, 'names "tenure", which is no feature'),
    ($$'2021-01-01', '30 days', '[]'$$, 'options must be a JSON object')) v (args, error);
SELECT throws_like(format('SELECT churn_score(h, %s) OVER () FROM customers', args), '%' || error || '%',
  'window: ' || error) FROM (VALUES
  ($$NULL, '30 days'$$, 'as_of must not be NULL'), ($$'infinity', '30 days'$$, 'as_of must be finite'),
    ($$'2021-01-01'::date + customer % 2, '30 days'$$, 'as_of must be the same in all rows of a partition'),
  ($$'2021-01-01', make_interval(days => 30 + customer % 2)$$, 'horizon must be the same in all rows of a partition'),
    ($$'2021-01-01', '30 days', format('{"lambda": %s}', 1 + customer % 2)::jsonb$$,
    'options must be the same in all rows of a partition')) v (args, error);
SELECT throws_ok('SELECT churn_score(m, h, ''infinity'') FROM model, customers', '22008', NULL,
  'as_of of one customer');
SELECT throws_ok('SELECT churn_score(oracle.m, h) FROM oracle, customers', '22023',
  'the model was not trained on histories', 'a model of records');
SELECT throws_ok('SELECT churn_score(m, ARRAY[1.0, 2]) FROM model', NULL, NULL,
  'a model of histories asked for an array');
SELECT throws_ok('SELECT * FROM model, customers, churn_reasons(m, h, k => -1)', '22023', NULL, 'k');
SELECT throws_ok('SELECT churn_outcome(h, ''2021-01-01'', ''0 days'') FROM customers', '22023', NULL,
  'horizon of an outcome');
SELECT throws_ok('SELECT churn_outcome(h, ''infinity'', ''1 day'') FROM customers', '22008', NULL,
  'as_of of an outcome');
SELECT is((churn_score(NULL, h), churn_score(m, NULL::customer_history), churn_outcome(h, NULL, '1 day'))::text, '(,,)',
  'NULLs') FROM model, customers LIMIT 1;
-- amounts may be as large as numerics
SELECT is((SELECT (count(p) > 0)::text
    FROM (SELECT churn_score(h, as_of, horizon) OVER () AS p
    FROM (SELECT customer_history(day, 1e250 * amount, true) AS h FROM purchases GROUP BY customer) c, terms) q),
  'true',
  'large amounts');
SELECT * FROM finish();
ROLLBACK;
