-- What ./demo prints: the retention table, its rows, the pooled curve and the lifecycle, each under the SQL that made it.
--
-- Reads a table orders (customer_id, ordered_at, ...) of any customer type, and customers (customer_id, channel, ...) where
-- there is one. The period is chosen so that the table fits a terminal. Changes nothing; lines stay within 100 columns.

\pset footer off
\pset null '-'
\set ECHO none

SELECT CASE WHEN span <= interval '26 hours' THEN 'hour' WHEN span <= interval '26 days' THEN 'day'
            WHEN span <= interval '27 weeks' THEN 'week' WHEN span <= interval '27 months' THEN 'month'
            WHEN span <= interval '7 years' THEN 'quarter' ELSE 'year' END AS period,
       CASE WHEN span <= interval '26 hours' THEN 'timestamp(0)' ELSE 'date' END AS shown,
       to_regclass('customers') IS NOT NULL AS has_customers, to_char(events, 'FM999,999,999,999') AS events,
       to_char(customers, 'FM999,999,999,999') AS customers, first::timestamp(0), last::timestamp(0), zone
FROM (SELECT max(ordered_at) - min(ordered_at) AS span, count(*) AS events, count(DISTINCT customer_id) AS customers,
             min(ordered_at) AS first, max(ordered_at) AS last,
             CASE WHEN pg_typeof(max(ordered_at)) = 'timestamptz'::regtype THEN ' ' || current_setting('TimeZone') ELSE '' END AS zone
      FROM orders) o \gset

\echo
\echo :events orders of :customers customers, from :first to :last:zone
\echo
\echo '== Do customers come back? The retention table, in one scan of the orders'
\echo
\set ECHO queries
\pset format unaligned
\pset tuples_only on
\timing on
SELECT cohort_chart(cohort_retention(customer_id, ordered_at, :'period')) FROM orders;
\timing off
\echo
\pset tuples_only off
\pset format aligned
\echo '== The same as rows, for BI tools: counts, rates, 95 % intervals; "-" cannot be known yet'
\echo
SELECT r.cohort:::shown, r.period, r.size, r.at_risk, r.retained,
       round(r.rate::numeric, 3) AS rate, round(r.rate_low::numeric, 3) AS rate_low,
       round(r.rate_high::numeric, 3) AS rate_high, r.complete, r.seen
FROM (SELECT cohort_retention(customer_id, ordered_at, :'period') AS c FROM orders) q,
     cohort_rows(c) r
ORDER BY r.cohort DESC, r.period LIMIT 9;

\echo '== The pooled curve: all cohorts whose period had ended, and how many they are'
\echo
SELECT r.period, r.cohorts, r.at_risk, r.retained, round(r.rate::numeric, 3) AS rate,
       round(r.rate_low::numeric, 3) AS rate_low, round(r.rate_high::numeric, 3) AS rate_high
FROM (SELECT cohort_retention(customer_id, ordered_at, :'period') AS c FROM orders) q,
     retention_curve(c) r
ORDER BY r.period LIMIT 13;

\echo '== The lifecycle: who is new, who stayed, who came back from silence, who fell silent'
\echo
SELECT r.period_start:::shown, r.active, r.new, r."returning",
       r.resurrected, r.dormant, r.complete
FROM (SELECT cohort_retention(customer_id, ordered_at, :'period') AS c FROM orders) q,
     lifecycle_rows(c) r
ORDER BY r.period_start DESC LIMIT 13;

\if :has_customers
\echo '== Which channel brings customers who stay? Any segment is a GROUP BY'
\echo
SELECT channel, max(at_risk) FILTER (WHERE period = 1) AS customers,
       round(max(rate * 100) FILTER (WHERE period = 1)::numeric, 1) AS "month 1 %",
       round(max(rate * 100) FILTER (WHERE period = 3)::numeric, 1) AS "month 3 %",
       round(max(rate * 100) FILTER (WHERE period = 6)::numeric, 1) AS "month 6 %",
       round(max(rate * 100) FILTER (WHERE period = 12)::numeric, 1) AS "month 12 %"
FROM (SELECT channel, cohort_retention(customer_id, ordered_at, 'month') AS c
      FROM orders JOIN customers USING (customer_id) GROUP BY channel) q, retention_curve(c)
GROUP BY channel ORDER BY 3 DESC;
\endif
\set ECHO none
