-- Kaplan-Meier curves against reference numbers: R's survival 3.5-3, and of the simulated subscribers a program of our
-- own that gives R's numbers of all other data (test/reference/README.md).  All columns within 1e-9, relative.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT plan(50);
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned

-- The files -----------------------------------------------------------------------------------------------------------

\set text `cat test/data/subscribers.csv`
SELECT is(pg_temp.load('subscribers', :'text'), 228::bigint, 'the subscribers are complete');
\set text `cat test/data/aml.csv`
SELECT is(pg_temp.load('aml', :'text'), 23::bigint, 'aml is complete');
\set text `cat test/data/rossi.csv`
SELECT is(pg_temp.load('rossi', :'text'), 432::bigint, 'rossi is complete');
\set text `cat test/data/waltons.csv`
SELECT is(pg_temp.load('waltons', :'text'), 163::bigint, 'waltons is complete');
\set text `cat test/data/telco_customer_churn.csv`
SELECT is(pg_temp.load('telco', :'text'), 7043::bigint, 'telco is complete');
\set text `cat test/reference/survival/km_curves.csv`
SELECT is(pg_temp.load('curves', :'text'), 1063::bigint, 'the curves are complete');
\set text `cat test/reference/survival/km_quantiles.csv`
SELECT is(pg_temp.load('quantiles', :'text'), 51::bigint, 'the quantiles are complete');
\set text `cat test/reference/survival/rmst.csv`
SELECT is(pg_temp.load('rmst', :'text'), 44::bigint, 'the means are complete');
\set text `cat test/reference/survival/km_edge_cases.csv`
SELECT is(pg_temp.load('edge_cases', :'text'), 54::bigint, 'the edge cases are complete');
\set text `cat test/reference/survival/km_edge_expected.csv`
SELECT is(pg_temp.load('edge_expected', :'text'), 44::bigint, 'their curves are complete');
\set text `cat test/reference/survival/km_edge_summary.csv`
SELECT is(pg_temp.load('edge_summary', :'text'), 11::bigint, 'their medians are complete');
\set text `cat test/reference/survival/km_left_truncated.csv`
SELECT is(pg_temp.load('truncated', :'text'), 221::bigint, 'the curves with delayed entry are complete');
\set text `cat test/reference/survival/hazard_life_table.csv`
SELECT is(pg_temp.load('hazards', :'text'), 288::bigint, 'the life tables are complete');
\set text `cat test/reference/survival/gap_km.csv`
SELECT is(pg_temp.load('gap_km', :'text'), 531::bigint, 'the curve of gaps is complete');
\set text `cat test/reference/survival/gap_percentiles.csv`
SELECT is(pg_temp.load('gap_percentiles', :'text'), 8::bigint, 'the percentiles of gaps are complete');
\set text `cat test/reference/survival/gap_conditional.csv`
SELECT is(pg_temp.load('gap_conditional', :'text'), 24::bigint, 'the chances to come back are complete');
\set text `cat test/data/cdnow_sample.txt`
CREATE TABLE cdnow AS SELECT DISTINCT f[1] AS customer, f[3]::date AS at FROM string_to_table(:'text', E'\n') l (line),
  LATERAL regexp_split_to_array(trim(line, E' \r'), ' +') f WHERE line <> '';
\unset text
SELECT is((count(*), count(DISTINCT customer))::text, '(6696,2357)', 'the log is complete') FROM cdnow;

-- Customers by data set: whole numbers as bigint, waltons as they are printed, 6.0 ------------------------------------

CREATE TABLE subject AS
  SELECT 'subscribers' AS dataset, '' AS by_col, 'all' AS stratum, time, event = 1 AS event FROM subscribers UNION ALL
    SELECT 'subscribers', 'plan', plan::text, time, event = 1 FROM subscribers
  UNION ALL SELECT 'aml', '', 'all', time, event = 1 FROM aml UNION ALL SELECT 'aml', 'grp', grp, time, event = 1
    FROM aml
  UNION ALL SELECT 'rossi', 'fin', fin::text, time, event = 1 FROM rossi UNION ALL
    SELECT 'waltons', 'grp', grp, time, event = 1 FROM waltons
  UNION ALL SELECT 'telco', '', 'all', tenure, churn = 'Yes' FROM telco UNION ALL
    SELECT 'telco', 'contract', contract, tenure, churn = 'Yes' FROM telco
  UNION ALL SELECT 'telco', 'internet_service', internet_service, tenure, churn = 'Yes' FROM telco;
CREATE TABLE fitted AS SELECT dataset, by_col, stratum, survival_curve(time::bigint, event) AS t,
  survival_curve(time, event) AS real, survival_curve(make_interval(days => time::integer), event) AS span,
    survival_curve(time::integer, event, 1) AS weighted, survival_curve(-1, time::integer, event) AS entered
      FROM subject GROUP BY 1, 2, 3;

CREATE FUNCTION pg_temp.curve(t survival_table) RETURNS TABLE ("time" double precision, column_name text,
  have double precision) LANGUAGE sql AS $$
  SELECT p.duration, u.* FROM survival_rows(t, interval_type => 'plain') p
    JOIN survival_rows(t, interval_type => 'log') l USING (duration) JOIN survival_rows(t) g USING (duration),
    LATERAL (VALUES ('n_risk', p.at_risk), ('n_event', p.events), ('n_censor', p.censored), ('surv', p.survival),
      ('se_surv', p.standard_error), ('cumhaz_na', p.cumulative_hazard), ('se_cumhaz_na', p.cumulative_hazard_se),
      ('plain_l', p.low), ('plain_u', p.high), ('log_l', l.low), ('log_u', l.high), ('loglog_l', g.low),
        ('loglog_u', g.high)) u$$;
CREATE TABLE want AS
  SELECT c.line, dataset, coalesce(by_col, '') AS by_col, stratum, time, u.* FROM curves c,
    LATERAL (VALUES ('n_risk', n_risk), ('n_event', n_event), ('n_censor', n_censor), ('surv', surv),
      ('se_surv', se_surv), ('cumhaz_na', cumhaz_na), ('se_cumhaz_na', se_cumhaz_na),
      ('plain_l', plain_l), ('plain_u', plain_u), ('log_l', log_l), ('log_u', log_u), ('loglog_l', loglog_l),
        ('loglog_u', loglog_u)) u (column_name, want);
CREATE TABLE have AS SELECT dataset, by_col, stratum, c.* FROM fitted, pg_temp.curve(t) c;
SELECT pg_temp.agree('curves', 'SELECT format(''%s %s at %s: %s'', dataset, stratum, time, column_name), have, want
    FROM want FULL JOIN have USING (dataset, by_col, stratum, time, column_name)', 1063 * 13, 1e-9, 1e-12);
SELECT is(count(*) FILTER (WHERE (SELECT count(*)
    FROM (SELECT * FROM survival_rows(t) EXCEPT SELECT * FROM survival_rows(other)) d) > 0), 0::bigint,
  'the same curves of ' || title)
FROM fitted, LATERAL (VALUES ('double precision', real), ('intervals of days', span), ('weights of 1', weighted),
  ('entries before everything', entered)) o (title, other) GROUP BY title ORDER BY title;

-- Quantiles and restricted means --------------------------------------------------------------------------------------

CREATE TABLE quantile AS
  SELECT q.*, coalesce(q.by_col, '') AS by_column, t FROM quantiles q
    JOIN fitted f ON (f.dataset, f.by_col, f.stratum) = (q.dataset, coalesce(q.by_col, ''), q.stratum);
SELECT pg_temp.agree('quantiles', 'SELECT format(''%s %s %s'', dataset, stratum, prob), quantile, q_first
    FROM quantile, survival_quantile(t, prob)', 51, 1e-9, 1e-12);
SELECT pg_temp.agree('quantiles in the middle of flat parts',
  'SELECT format(''%s %s %s'', dataset, stratum, prob), quantile, q_r
    FROM quantile, survival_quantile(t, prob, midpoint => true)', 51, 1e-9, 1e-12);
SELECT pg_temp.agree('lower and upper limits of quantiles, ' || band,
  format('SELECT format(''%%s %%s %%s'', dataset, stratum, prob), low, %2$s_l
    FROM quantile, survival_quantile(t, prob, 0.95, %1$L)
  UNION ALL SELECT format(''%%s %%s %%s upper'', dataset, stratum, prob), high, %2$s_u
    FROM quantile, survival_quantile(t, prob, interval_type => %1$L)', band, replace(band, '-', '')), 102, 1e-9, 1e-12)
    FROM unnest('{plain,log,log-log}'::text[]) band;
SELECT pg_temp.agree('restricted means', 'SELECT format(''%s %s %s'', r.dataset, r.stratum, tau), restricted_mean, rmst
    FROM rmst r JOIN fitted f ON (f.dataset, f.by_col, f.stratum) = (r.dataset, coalesce(r.by_col, ''''), r.stratum),
    restricted_mean(t, tau)', 44, 1e-9, 1e-12);
SELECT pg_temp.agree('their standard errors',
  'SELECT format(''%s %s %s'', r.dataset, r.stratum, tau), standard_error, se_rmst FROM rmst r
    JOIN fitted f ON (f.dataset, f.by_col, f.stratum) = (r.dataset, coalesce(r.by_col, ''''), r.stratum),
    restricted_mean(span, make_interval(days => tau::integer))', 44, 1e-9, 1e-12);
SELECT pg_temp.agree('the longest durations',
  'SELECT format(''%s %s %s'', r.dataset, r.stratum, tau), m.restricted_mean, n.restricted_mean FROM rmst r
    JOIN fitted f ON (f.dataset, f.by_col, f.stratum) = (r.dataset, coalesce(r.by_col, ''''), r.stratum),
    restricted_mean(t) m, restricted_mean(t, max_time) n', 44, 0, 1e-12);

-- Edge cases ----------------------------------------------------------------------------------------------------------

CREATE TABLE edge AS SELECT "case", survival_curve(time, event = 1) AS t FROM edge_cases GROUP BY 1;
CREATE TABLE edge_want AS SELECT "case", time, u.*
  FROM edge_expected e, LATERAL (VALUES ('n_risk', n_risk), ('n_event', n_event), ('n_censor', n_censor),
  ('surv', surv), ('se_surv', se_surv), ('cumhaz_na', cumhaz_na),
      ('se_cumhaz_na', se_cumhaz_na), ('plain_l', plain_l), ('plain_u', plain_u), ('log_l', log_l), ('log_u', log_u),
        ('loglog_l', loglog_l), ('loglog_u', loglog_u)) u (column_name, want);
CREATE TABLE edge_have AS SELECT "case", c.* FROM edge, pg_temp.curve(t) c;
SELECT pg_temp.agree('edge cases', 'SELECT format(''%s at %s: %s'', "case", time, column_name), have, want
    FROM edge_want FULL JOIN edge_have USING ("case", time, column_name)', 44 * 13, 1e-9, 1e-12);
SELECT pg_temp.agree('first medians',
  'SELECT "case", quantile, median_first FROM edge JOIN edge_summary USING ("case"), survival_quantile(t)', 11, 0,
  1e-12);
SELECT pg_temp.agree('medians of R',
  'SELECT "case", quantile, median_r FROM edge
    JOIN edge_summary USING ("case"), survival_quantile(t, midpoint => true)', 11, 1e-15, 1e-12);
SELECT is(count(*) FILTER (WHERE (n, events, max_time) = (SELECT sum(r.events + r.censored), sum(r.events),
    max(duration) FROM survival_rows(t) r)), 11::bigint, 'their numbers') FROM edge JOIN edge_summary USING ("case");

-- Delayed entry -------------------------------------------------------------------------------------------------------

CREATE TABLE late AS
  SELECT 'telco_snapshot' AS "case", survival_curve((tenure - 1)::integer, tenure::integer, churn = 'Yes') AS t,
    survival_curve(tenure - 1, tenure, churn = 'Yes') AS real FROM telco WHERE tenure >= 1
  UNION ALL SELECT 'subscribers_entry', survival_curve((id * 7)::integer % 60, time::integer, event = 1),
    survival_curve(((id * 7)::integer % 60)::float8, time, event = 1) FROM subscribers
    WHERE (id * 7)::integer % 60 < time;
SELECT pg_temp.agree('delayed entry: ' || c,
  format('SELECT format(''%%s %%s'', "case", time), %s, %s FROM truncated
    FULL JOIN (SELECT "case", duration AS time, r.* FROM late, survival_rows(t) r WHERE events > 0) l
    USING ("case", time)', have, c), 221, 1e-9, 1e-12)
FROM (VALUES ('n_risk', 'at_risk'), ('n_event', 'events'), ('surv', 'survival'), ('se_surv', 'standard_error'),
  ('cumhaz_na', 'cumulative_hazard'), ('loglog_l', 'low'), ('loglog_u', 'high')) v (c, have);
SELECT is((SELECT count(*) FROM (SELECT r.* FROM late, survival_rows(t) r EXCEPT SELECT r.*
    FROM late, survival_rows(real) r) d), 0::bigint, 'the same of double precision');

-- Hazards -------------------------------------------------------------------------------------------------------------

SELECT pg_temp.agree('hazards: ' || c,
  format('SELECT format(''%%s %%s'', h.stratum, month), r.%1$s, h.%2$s FROM hazards h
    JOIN fitted f ON (f.dataset, f.by_col, f.stratum) = (h.dataset, coalesce(h.by_col, ''''), h.stratum)
  JOIN LATERAL survival_rows(t) r ON duration = month', have, c),
    (SELECT count(*) FROM hazards h
    JOIN want w ON (w.dataset, w.by_col, w.stratum, w.time) = (h.dataset, coalesce(h.by_col, ''), h.stratum, h.month)
    AND column_name = 'surv'), 1e-9, 1e-12)
FROM (VALUES ('n_risk', 'at_risk'), ('n_event', 'events'), ('hazard', 'hazard'), ('wilson95_l', 'hazard_low'),
  ('wilson95_u', 'hazard_high')) v (c, have);

-- Gaps between purchases ----------------------------------------------------------------------------------------------

CREATE TABLE gaps AS SELECT survival_curve(coalesce(next, '1998-06-30') - at, next IS NOT NULL) AS t
  FROM (SELECT at, lead(at) OVER (PARTITION BY customer ORDER BY at) AS next FROM cdnow) q;
SELECT pg_temp.agree('gaps', 'SELECT format(''%s days: %s'', days, column_name), have, want
    FROM (SELECT days, u.* FROM gap_km,
    LATERAL (VALUES (''n_risk'', n_risk), (''n_event'', n_event), (''n_censor'', n_censor), (''surv'', surv),
    (''se_surv'', se_surv), (''cumhaz_na'', cumhaz_na)) u (column_name, want)) w
  FULL JOIN (SELECT time AS days, column_name, have FROM gaps, pg_temp.curve(t)
    WHERE column_name IN (''n_risk'', ''n_event'', ''n_censor'', ''surv'', ''se_surv'', ''cumhaz_na'')) h
    USING (days, column_name)', 531 * 6, 1e-9, 1e-12);
SELECT pg_temp.agree('quantiles of gaps',
  'SELECT prob, quantile, km_quantile_first FROM gap_percentiles, gaps, survival_quantile(t, prob)', 8, 0, 1e-12);
SELECT pg_temp.agree('the chance not to come back',
  'SELECT format(''%s %s'', recency_days, horizon_days),
    survival_conditional(t, recency_days, horizon_days, carry_forward => true), p_no_purchase_in_horizon
    FROM gap_conditional, gaps
  UNION ALL SELECT format(''at %s'', recency_days), survival_at(t, recency_days), s_recency FROM gap_conditional, gaps
    UNION ALL SELECT format(''at %s %s'', recency_days, horizon_days),
    survival_at(t, recency_days + horizon_days, true), s_recency_plus_h FROM gap_conditional, gaps', 72, 1e-9, 1e-12);
SELECT * FROM finish();
ROLLBACK;
