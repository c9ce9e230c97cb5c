-- survival_curve() and what is read from it: what they print, and what they say when they cannot.
-- Properties, oracles and reference numbers are in test/.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS retention;
RESET client_min_messages;

-- Months until customers left, or were last seen still there.
CREATE TABLE subscriber (id integer, months integer, left_us boolean, first_seen integer, plan text);
INSERT INTO subscriber VALUES (1, 1, true, 0, 'free'), (2, 2, true, 0, 'free'), (3, 2, false, 0, 'paid'),
  (4, 4, true, 2, 'free'), (5, 6, true, 5, 'paid'), (6, 6, false, 3, 'paid'), (7, 9, true, 0, 'paid'),
  (8, 12, false, 0, 'paid'),
  (9, NULL, true, 0, 'free'), (10, 5, NULL, 0, 'free');
CREATE TABLE curve AS SELECT survival_curve(months, left_us) AS t FROM subscriber;
SELECT t, t::jsonb FROM curve;
SELECT duration, at_risk, events, censored, round(survival::numeric, 4) AS survival,
  round(standard_error::numeric, 4) AS se, round(low::numeric, 4) AS low, round(high::numeric, 4) AS high,
  round(cumulative_hazard::numeric, 4) AS cumulative, round(cumulative_hazard_se::numeric, 4) AS se,
    round(hazard::numeric, 4) AS hazard, round(hazard_low::numeric, 4) AS low, round(hazard_high::numeric, 4) AS high
    FROM curve, survival_rows(t);
SELECT duration, round(low::numeric, 4) AS low, round(high::numeric, 4) AS high
  FROM curve, survival_rows(t, 0.9, 'plain');
SELECT duration, round(low::numeric, 4) AS low, round(high::numeric, 4) AS high
  FROM curve, survival_rows(t, interval_type => 'log');
SELECT survival_at(t, 0), round(survival_at(t, 4)::numeric, 6) AS four, round(survival_at(t, 12)::numeric, 6) AS twelve,
  survival_at(t, 12.5) AS later, round(survival_at(t, 12.5, carry_forward => true)::numeric, 6) AS carried,
  round(survival_conditional(t, 4, 5)::numeric, 6) AS five_ahead, survival_conditional(t, 4, 9) AS nine_ahead,
    round(survival_conditional(t, 4, 9, true)::numeric, 6) AS carried FROM curve;
SELECT p, q.*, m.quantile AS midpoint FROM curve, unnest('{0.125,0.5,0.75,0.9}'::float8[]) p, survival_quantile(t, p) q,
  survival_quantile(t, p, midpoint => true) m;
SELECT tau, round(restricted_mean::numeric, 6) AS mean, round(standard_error::numeric, 6) AS se,
  round(low::numeric, 6) AS low, round(high::numeric, 6) AS high FROM curve, unnest('{0,3,12,20,NULL}'::float8[]) tau,
  restricted_mean(t, tau);
SELECT survival_chart(t, 40, 6) FROM curve;

-- Delayed entry, weights, intervals.
SELECT duration, at_risk, events, censored, round(survival::numeric, 4) AS survival
  FROM (SELECT survival_curve(first_seen, months, left_us) AS t FROM subscriber) q, survival_rows(t);
SELECT duration, at_risk, events, censored, round(survival::numeric, 4) AS survival,
  round(hazard_low::numeric, 4) AS low
  FROM (SELECT survival_curve(months, left_us, id / 2.0) AS t FROM subscriber WHERE id <> 4) q, survival_rows(t);
SELECT duration, round(survival::numeric, 6) AS survival, round(survival_at(t, interval '2 months')::numeric, 6) AS at,
  survival_conditional(t, interval '1 month', interval '1 month') AS on_from_there, survival_chart(t, 20, 2)
  FROM (SELECT survival_curve(make_interval(months => months), left_us) AS t FROM subscriber WHERE months < 3) q,
  survival_rows(t);
SELECT quantile, low FROM (SELECT survival_curve(make_interval(months => months), left_us) AS t FROM subscriber) q,
  survival_quantile(t, 0.25);
SELECT restricted_mean, round(standard_error::numeric, 6) AS se, high
  FROM (SELECT survival_curve(make_interval(months => months), true) AS t FROM subscriber WHERE months < 3) q,
  restricted_mean(t, interval '45 days');

-- Nobody.
SELECT t, t::jsonb, survival_at(t, 1), survival_conditional(t, 1, 1), survival_chart(t)
  FROM (SELECT survival_curve(months, left_us) AS t FROM subscriber WHERE false) q;
SELECT q.*, m.*, (SELECT count(*) FROM survival_rows(t)) AS rows
  FROM (SELECT survival_curve(months, left_us) AS t FROM subscriber WHERE months IS NULL) s, survival_quantile(t) q,
  restricted_mean(t) m;
SELECT survival_at(NULL::survival_table, 1::float8), survival_chart(NULL),
  (SELECT count(*) FROM survival_rows(NULL)) AS rows, (SELECT count(*) FROM survival_quantile(NULL)) AS quantiles;
SELECT survival_chart(survival_curve(0, true), 20, 2);

-- Stored, grouped, rolled up.
SELECT plan, t FROM (SELECT plan, survival_curve(months, left_us) AS t FROM subscriber GROUP BY plan) q ORDER BY plan;
SELECT rollup(q.t) = curve.t AS same
  FROM (SELECT plan, survival_curve(months, left_us) AS t FROM subscriber GROUP BY plan) q, curve GROUP BY curve.t;

-- Errors.
\pset format unaligned
CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text; d text; h text;
BEGIN
  EXECUTE query INTO r;
  RETURN r;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
  RETURN concat_ws(E'\n  ', SQLSTATE || ' ' || SQLERRM, nullif('DETAIL: ' || d, 'DETAIL: '),
    nullif('HINT: ' || h, 'HINT: '));
END $$;
SELECT query || E'\n  ' || pg_temp.try(query) AS outcome FROM unnest(ARRAY[
  'SELECT survival_curve(-1, true)',
  'SELECT survival_curve(-0.5, true)',
  'SELECT survival_curve(interval ''-1 day'', true)',
  'SELECT survival_curve(''NaN''::float8, true)',
  'SELECT survival_curve(''Infinity''::float8, false)',
  'SELECT survival_curve(''NaN''::numeric, true)',
  'SELECT survival_curve(1e400, true)',
  'SELECT survival_curve(''today''::text, true)',
  'SELECT survival_curve(true, true)',
  'SELECT survival_curve(interval ''300000 years'', true)',
  'SELECT survival_curve(interval ''2147483647 months'', true)',
  'SELECT survival_curve(5, 5, true)',
  'SELECT survival_curve(''6 days''::interval, ''5 days''::interval, true)',
  'SELECT survival_curve(''-Infinity''::float8, 5, true)',
  'SELECT survival_curve(5, true, -1)',
  'SELECT survival_curve(5, true, ''NaN'')',
  'SELECT survival_curve(5, true, ''Infinity'')',
  'SELECT survival_curve(5, 5, true, 0)',
  'SELECT survival_curve(5, true, 0)::jsonb',
  'SELECT r FROM (SELECT survival_curve(5, true, 1e308) AS t FROM generate_series(1, 3)) q, survival_rows(t) r',
  'SELECT survival_at(survival_curve(5, true), -1)',
  'SELECT survival_at(survival_curve(5, true), ''NaN''::float8)',
  'SELECT survival_at(survival_curve(5, true), interval ''5 days'')',
  'SELECT survival_conditional(survival_curve(5, true), 1, -1)',
  'SELECT survival_conditional(survival_curve(interval ''5 days'', true), interval ''1 day'', interval ''-1 day'')',
  'SELECT survival_quantile(survival_curve(5, true), 1)',
  'SELECT survival_quantile(survival_curve(5, true), ''NaN'')',
  'SELECT survival_quantile(survival_curve(5, true), 0.5, 1)',
  'SELECT survival_quantile(survival_curve(5, true), 0.5, 0.9, ''loglog'')',
  'SELECT survival_rows(survival_curve(5, true), 95)',
  'SELECT restricted_mean(survival_curve(5, true), -1)',
  'SELECT restricted_mean(survival_curve(5, true), ''Infinity''::float8)',
  'SELECT restricted_mean(survival_curve(5, true), interval ''1 day'')',
  'SELECT survival_chart(survival_curve(5, true), 19)',
  'SELECT survival_chart(survival_curve(5, true), 60, 61)',
  'SELECT rollup(t) FROM (SELECT survival_curve(5, true) AS t UNION ALL SELECT survival_curve(5.0, true)) v',
  'SELECT rollup(t) FROM (SELECT survival_curve(5, true) AS t UNION ALL
      SELECT survival_curve(interval ''5 days'', true)) v',
  'SELECT rollup(t) FROM (SELECT survival_curve(5, true) AS t UNION ALL SELECT survival_curve(4, 5, true)) v',
  'SELECT ''AQAAAA=='':: survival_table',
  'SELECT ''nonsense''::survival_table']) WITH ORDINALITY u (query, o) ORDER BY o;
DROP TABLE subscriber, curve;
