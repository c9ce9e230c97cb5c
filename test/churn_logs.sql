-- Churn from histories alone, split in time: trained a horizon before the last horizon of the log, scored, and compared
-- with that horizon.  Of CDNOW the bar is that of the best published kind of model on it.  Of two simulated logs it is
-- what the chance at the true parameters of their worlds reaches, computed outside PostgreSQL
-- (test/reference/churn/simulated_logs.csv), which nothing that learns from so few customers beats but by luck: how
-- much may be lost to learning is written at each.  1 - P(alive), which is no such score, for comparison; and the
-- survival of gaps against reference numbers.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT plan(31);
\pset tuples_only on
\pset format unaligned

-- The logs ------------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.lines(content text) RETURNS SETOF text LANGUAGE sql AS
  $$SELECT trim(line, E' \r"') FROM string_to_table(content, E'\n') WITH ORDINALITY l (line, n)
    WHERE n > 1 AND line <> ''$$;
CREATE TABLE orders (log text, customer text, day date, amount numeric);
\ir fixtures/cdnow.psql
INSERT INTO orders SELECT 'cdnow', customer, at, dollars FROM cdnow;
\set text `cat test/data/groceries.csv`
INSERT INTO orders SELECT 'groceries', f[1], trim(f[2], '"')::date
  FROM pg_temp.lines(:'text') l, string_to_array(l, ',') f;
\set text `cat test/data/fashion.csv`
INSERT INTO orders SELECT 'fashion', f[1], trim(f[2], '"')::date, f[3]::numeric
  FROM pg_temp.lines(:'text') l, string_to_array(l, ',') f;
\unset text
\ir oracle/shared.psql
\set text `cat test/reference/churn/simulated_logs.csv`
SELECT pg_temp.load('simulated', :'text') \g /dev/null
CREATE TABLE logs AS
SELECT log, horizon, max(day) AS until, (max(day) - horizon)::date AS as_of, customers, log_loss, auc
FROM orders JOIN (
  SELECT 'cdnow' AS log, interval '182 days' AS horizon, 23570 AS customers, 0.412 AS log_loss, 0.807 AS auc
  UNION ALL SELECT log, make_interval(days => horizon_days::integer), customers::integer, log_loss::numeric + 0.02,
    auc::numeric - 0.01
  FROM simulated) b USING (log)
GROUP BY log, horizon, customers, log_loss, auc;
CREATE TABLE histories AS SELECT log, customer, customer_history(day, amount) AS h FROM orders GROUP BY log, customer;
SELECT is(count(*), customers::bigint, 'the log is complete: ' || log) FROM histories JOIN logs USING (log)
  GROUP BY log, customers ORDER BY log;

-- The back-test -------------------------------------------------------------------------------------------------------

CREATE TABLE scored AS
SELECT log, customer, h, p, churn_outcome(h, as_of, horizon) AS silent
FROM (SELECT *, churn_score(history_until(h, as_of), as_of, horizon) OVER (PARTITION BY log) AS p FROM histories
  JOIN logs USING (log)) s;
-- AUC with half a point for ties, and mean log loss, in plain SQL
CREATE FUNCTION pg_temp.figures(OUT log text, OUT customers bigint, OUT log_loss double precision,
  OUT auc double precision) RETURNS SETOF record LANGUAGE sql AS $$
SELECT log, count(*), -avg(ln(CASE WHEN silent THEN p ELSE 1 - p END)),
  (sum(r) FILTER (WHERE silent) - silents * (silents + 1) / 2) / (silents * (count(*) - silents))
FROM (SELECT *, rank() OVER w + (count(*) OVER (w RANGE CURRENT ROW) - 1) / 2.0 AS r,
  (count(*) FILTER (WHERE silent) OVER (PARTITION BY log))::double precision AS silents
      FROM scored WHERE p IS NOT NULL WINDOW w AS (PARTITION BY log ORDER BY p)) q GROUP BY log, silents $$;
CREATE TABLE figures AS SELECT * FROM pg_temp.figures();
SELECT diag(format('%s: %s customers, log-loss %s, AUC %s', log, customers, round(log_loss::numeric, 4),
    round(auc::numeric, 4))) FROM figures ORDER BY log;
SELECT is(f.customers, l.customers::bigint, 'everybody is scored: ' || log) FROM figures f
  JOIN logs l USING (log) ORDER BY log;
SELECT cmp_ok(f.log_loss::numeric, '<=', l.log_loss, 'log-loss: ' || log) FROM figures f
  JOIN logs l USING (log) ORDER BY log;
SELECT cmp_ok(f.auc::numeric, '>=', l.auc, 'AUC: ' || log) FROM figures f JOIN logs l USING (log) ORDER BY log;
-- The model of the aggregate, over histories that go on
CREATE TABLE models AS SELECT log, churn_model(h, as_of, horizon) AS m FROM histories JOIN logs USING (log)
  GROUP BY log;
SELECT is((method, converged, s.as_of = l.as_of, horizon_days = extract(day FROM horizon), n)::text,
          format('(logistic,t,t,t,%s)', (SELECT count(*)
              FROM (SELECT min(day) AS first FROM orders o WHERE o.log = l.log GROUP BY customer) f
                                         WHERE first <= l.as_of - horizon)),
          'the model, of those who were there a horizon before: ' || log)
FROM models JOIN logs l USING (log), churn_summary(m) s ORDER BY log;
SELECT is(count(*) FILTER (WHERE p IS DISTINCT FROM churn_score(m, h)), 0::bigint, 'the future does not leak: ' || log)
  FROM scored JOIN models USING (log) GROUP BY log ORDER BY log;
SELECT is(bool_and(abs(p - churn_score(m, h)) < 1e-12), true, 'order of rows: ' || log) FROM scored
  JOIN (SELECT log, churn_model(h, as_of, horizon) AS m FROM (SELECT * FROM histories ORDER BY customer DESC) c
    JOIN logs USING (log) GROUP BY log) r USING (log) GROUP BY log ORDER BY log;
SELECT is(max(abs(s - ln(p / (1 - p)))) < 1e-12, true, 'reasons add up: ' || log)
  FROM (SELECT log, p, (SELECT sum(contribution) FROM churn_reasons(m, h)) AS s FROM scored JOIN models USING (log)) q
  GROUP BY log ORDER BY log;
SELECT is(string_agg(feature, ' ' ORDER BY feature), CASE log WHEN 'groceries' THEN '' ELSE 'spend' END,
  'spend where there are amounts: ' || log)
FROM (SELECT log, CASE feature WHEN 'spend' THEN feature ELSE '' END AS feature FROM models, churn_coefficients(m)
  WHERE feature IS NOT NULL GROUP BY 1, 2) f WHERE feature <> '' OR log = 'groceries' GROUP BY log ORDER BY log;

-- 1 - P(alive) of BG/NBD, on the same day: worse than to toss a coin, for whoever has bought once is alive for sure
CREATE TABLE kept AS TABLE scored;
UPDATE scored SET p = 1 - p_alive(m, history_until(h, as_of), as_of)
  FROM (SELECT log, as_of, clv_model(h, as_of) AS m FROM histories JOIN logs USING (log) WHERE log = 'cdnow'
  GROUP BY log, as_of) b WHERE scored.log = 'cdnow' AND b.log = 'cdnow';
DELETE FROM scored WHERE log <> 'cdnow';
UPDATE scored SET p = greatest(least(p, 1 - 1e-15), 1e-15);
SELECT cmp_ok(auc, '<', 0.35::double precision, '1 - P(alive) is no score of churn') FROM pg_temp.figures();

-- Gap survival, against reference numbers -----------------------------------------------------------------------------

CREATE FUNCTION pg_temp.close(a double precision, b double precision) RETURNS boolean
  LANGUAGE sql IMMUTABLE AS 'SELECT abs(a - b) <= 1e-9 * abs(b) + 1e-12';
\set text `cat test/data/cdnow_sample.txt`
CREATE TABLE sample AS SELECT customer_history(to_date(f[3], 'YYYYMMDD')) AS h FROM pg_temp.lines(E'\n' || :'text') l,
  regexp_split_to_array(l, ' +') f GROUP BY f[2];
\set text `cat test/reference/survival/gap_conditional.csv`
CREATE TABLE conditional AS SELECT f[2]::integer AS recency, f[3]::integer AS days, f[6]::double precision AS p
  FROM pg_temp.lines(:'text') l, string_to_array(l, ',') f;
\set text `cat test/reference/survival/gap_km.csv`
CREATE TABLE km AS SELECT f[2]::integer AS days, f[3]::double precision AS at_risk, f[4]::double precision AS events,
  f[5]::double precision AS censored, f[6]::double precision AS survival
  FROM pg_temp.lines(:'text') l, string_to_array(l, ',') f;
\set text `cat test/reference/survival/gap_percentiles.csv`
CREATE TABLE percentiles AS SELECT f[2]::double precision AS prob, f[4] AS days
  FROM pg_temp.lines(:'text') l, string_to_array(l, ',') f;
CREATE TABLE gap_models AS SELECT days,
  churn_model(h, '1998-06-30', make_interval(days => days), '{"method": "gap_survival"}') AS m
  FROM sample, (SELECT DISTINCT days FROM conditional) d GROUP BY days;
CREATE FUNCTION pg_temp.once(date) RETURNS customer_history LANGUAGE sql AS 'SELECT customer_history($1)';
SELECT is((count(*), bool_and(pg_temp.close(churn_score(m, pg_temp.once('1998-06-30'::date - recency)), p)))::text,
  '(24,t)', 'conditional survival of a customer by his silence') FROM conditional JOIN gap_models USING (days);
CREATE TABLE points AS SELECT (g ->> 'days')::integer AS days, (g ->> 'at_risk')::double precision AS at_risk,
  (g ->> 'events')::double precision AS events, (g ->> 'censored')::double precision AS censored,
  (g ->> 'survival')::double precision AS survival
FROM (SELECT m FROM gap_models LIMIT 1) m, jsonb_array_elements(m::jsonb -> 'gaps') g;
SELECT is((count(*), bool_and(a.at_risk = b.at_risk AND a.events = b.events AND a.censored = b.censored
    AND pg_temp.close(a.survival, b.survival)))::text, format('(%s,t)', (SELECT count(*) FROM km)),
  'the survival of gaps')
FROM points a FULL JOIN km b USING (days);
SELECT results_eq('SELECT prob, coalesce((SELECT min(points.days)::text FROM points WHERE survival <= 1 - prob + 1e-12),
    '''') FROM percentiles ORDER BY prob', 'SELECT prob, days FROM percentiles ORDER BY prob',
  'its quantiles, where they are reached');
SELECT * FROM finish();
ROLLBACK;
