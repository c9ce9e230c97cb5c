-- segments, RFM scores, growth accounting and proportions against reference numbers in test/reference (its README.md
-- says what each column is and how it was made).
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT plan(37);
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned

\set text `cat test/reference/segment/segment_cases.csv`
SELECT is(pg_temp.load('cases', :'text'), 177::bigint, 'the cases are complete');
\set text `cat test/reference/segment/segment_expected.csv`
SELECT is(pg_temp.load('expected', :'text'), 16::bigint, 'their segments are complete');
\set text `cat test/reference/segment/rfm_scores.csv`
SELECT is(pg_temp.load('other', :'text'), 2357::bigint, 'the scores by R''s cuts are complete');
\set text `cat test/reference/segment/rfm_scores_worse.csv`
SELECT is(pg_temp.load('scores', :'text'), 2357::bigint, 'the scores are complete');
\set text `cat test/reference/segment/growth_accounting.csv`
SELECT is(pg_temp.load('growth', :'text'), 18::bigint, 'the months are complete');
\set text `cat test/reference/metrics/proportion_ci.csv`
SELECT is(pg_temp.load('proportions', :'text'), 72::bigint, 'the proportions are complete');
\set text `cat test/reference/metrics/two_proportions.csv`
SELECT is(pg_temp.load('two', :'text'), 7::bigint, 'the pairs of proportions are complete');
\set text `cat test/data/cdnow_sample.txt`
CREATE TABLE cdnow AS SELECT f[1] AS customer, f[3]::date AS at, f[5]::numeric AS amount
  FROM string_to_table(:'text', E'\n') l (line), LATERAL regexp_split_to_array(trim(line, E' \r'), ' +') f
  WHERE line <> '';
\unset text
SELECT is((count(*), count(DISTINCT customer), min(at), max(at))::text, '(6919,2357,1997-01-01,1998-06-30)',
  'the log is complete') FROM cdnow;

-- Segments: the cases were made with the bound of the seasonal rule off. ----------------------------------------------

CREATE TABLE histories AS SELECT customer_id, customer_history(purchase_date::date, amount::numeric) AS h FROM cases
  GROUP BY customer_id;
SELECT is(segment(h, as_of::date, max_chance => 1), nullif(expected.segment, ''), customer_id) FROM expected
  LEFT JOIN histories USING (customer_id) ORDER BY customer_id;
SELECT is(string_agg(customer_id, ' ') FILTER
  (WHERE segment(h, as_of::date) IS DISTINCT FROM nullif(expected.segment, '')), NULL,
  'the same with the bound: the seasonal customers bought four times and more') FROM expected
  JOIN histories USING (customer_id);

-- Scores --------------------------------------------------------------------------------------------------------------

SELECT is(count(*) FILTER (WHERE score = concat(r_score, f_score, m_score)), 2357::bigint,
  'scores of 2,357 customers as given')
FROM (SELECT *, rfm_score(recency_days, purchase_days, amount) OVER () AS score FROM scores) s;
SELECT is(count(*) FILTER (WHERE (r, f, m) = (r_score, f_score, m_score)), 2357::bigint, 'one measure at a time')
FROM (SELECT *, rfm_score(recency_days, lower_is_better => true) OVER () AS r, rfm_score(purchase_days) OVER () AS f,
  rfm_score(amount, bins => 5) OVER () AS m FROM scores) s;
SELECT is(count(*) FILTER (WHERE score = concat(r_score, f_score, m_score)), 2357::bigint,
  'from the orders, by the date of the last one')
FROM (SELECT customer, rfm_score(max(at), count(DISTINCT at), sum(amount)) OVER () AS score FROM cdnow
  GROUP BY customer) s JOIN scores ON id = customer::integer;
SELECT is(count(*) FILTER (WHERE score = concat(r_score, f_score, m_score)), 2357::bigint,
  'from histories, by days since')
FROM (SELECT customer, rfm_score(date '1998-06-30' - last_day(h), active_days(h), total_amount(h)) OVER () AS score
  FROM (SELECT customer, customer_history(at, amount) AS h FROM cdnow GROUP BY customer) q) s
  JOIN scores ON id = customer::integer;

SELECT is(count(*) FILTER (WHERE score = concat(r_score, f_score, m_score)), 2357::bigint, 'from histories themselves')
FROM (SELECT customer, rfm_score(h, '1998-06-30') OVER () AS score
      FROM (SELECT customer, customer_history(at, amount) AS h FROM cdnow GROUP BY customer) q) s
        JOIN scores ON id = customer::integer;
-- The cuts of R's rfm package: 1 above the quantiles; of days the whole number up to which they are better.
WITH cuts AS (SELECT array_agg(ceil(c.r) ORDER BY c.r) AS r, array_agg(c.f + 1 ORDER BY c.f) AS f,
                     array_agg(c.m + 1 ORDER BY c.m) AS m
              FROM (SELECT percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY recency_days) AS r,
                           percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY purchase_days) AS f,
                           percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY amount) AS m
                    FROM other) q, unnest(q.r, q.f, q.m) c (r, f, m))
SELECT is(count(*) FILTER (WHERE score = concat(r_qplus1, f_qplus1, m_qplus1)), 2357::bigint,
          'by quantile cuts as R''s rfm makes them')
FROM (SELECT other.*, rfm_score(recency_days, purchase_days, amount, recency_cuts => r, frequency_cuts => f,
                                monetary_cuts => m) OVER () AS score FROM other, cuts) q;

-- Growth accounting: lifecycle_rows() has the flows; how long the others have been away follows from the months. ------

CREATE TABLE flow AS
  SELECT to_char(period_start, 'YYYY-MM') AS period, active, new, l.returning AS retained, resurrected,
    dormant AS newly_dormant FROM (SELECT cohort_retention(customer, at, 'month') AS t FROM cdnow) q,
    lifecycle_rows(t, date '1998-07-01') l WHERE period_start < '1998-07-01';
CREATE TABLE away AS
  WITH active AS (SELECT DISTINCT customer, (extract(year FROM at) * 12 + extract(month FROM at))::integer AS month
    FROM cdnow),
       since AS (SELECT m.month, m.month - max(a.month) AS months FROM (SELECT DISTINCT month FROM active) m
         JOIN active a ON a.month <= m.month GROUP BY m.month, customer)
  SELECT to_char(make_date((month - 1) / 12, (month - 1) % 12 + 1, 1), 'YYYY-MM') AS period,
    count(*) FILTER (WHERE months BETWEEN 1 AND 3) AS dormant_1_to_3,
    count(*) FILTER (WHERE months > 3) AS dormant_over_3 FROM since GROUP BY month;
SELECT pg_temp.agree('growth accounting', $$SELECT period || ' ' || what, have, want FROM growth
    JOIN flow USING (period) JOIN away USING (period),
  LATERAL (VALUES ('active', flow.active, growth.active), ('new', flow.new, growth.new),
    ('retained', flow.retained, growth.retained), ('resurrected', flow.resurrected, growth.resurrected),
    ('newly_dormant', coalesce(flow.newly_dormant, 0), growth.newly_dormant),
                  ('dormant_1_to_3', away.dormant_1_to_3, growth.dormant_1_to_3),
                    ('dormant_over_3', away.dormant_over_3, growth.dormant_over_3),
                  ('quick_ratio', (flow.new + flow.resurrected) / nullif(flow.newly_dormant, 0)::float8, quick_ratio))
                    v (what, have, want)$$, 144, 1e-12, 1e-300);

-- Proportions: x of n customers, by as many copies of one customer who came back and one who did not. -----------------

CREATE FUNCTION pg_temp.copies(t cohort_table, n bigint) RETURNS cohort_table LANGUAGE plpgsql AS $$
DECLARE
  sum cohort_table;
BEGIN
  WHILE n > 0 LOOP
    IF n % 2 = 1 THEN sum := (SELECT rollup(x) FROM unnest(ARRAY[sum, t]) x); END IF;
    t := (SELECT rollup(x) FROM unnest(ARRAY[t, t]) x);
    n := n / 2;
  END LOOP;
  RETURN sum;
END $$;
CREATE FUNCTION pg_temp.kept(x bigint, n bigint) RETURNS cohort_table LANGUAGE sql AS $$
  SELECT rollup(pg_temp.copies(t, CASE WHEN came_back THEN x ELSE n - x END))
  FROM (SELECT came_back, cohort_retention(1, at, 'month') AS t
    FROM (VALUES (true, date '2024-01-10'), (true, '2024-02-10'), (false, '2024-01-10')) v (came_back, at)
    GROUP BY came_back) q $$;
CREATE TABLE wilson AS SELECT *
  FROM proportions, LATERAL (SELECT r.*
  FROM cohort_rows(pg_temp.kept(x::bigint, n::bigint), date '2024-03-01', 'on', confidence => conf) r
  WHERE r.period = 1) r;
SELECT pg_temp.agree('Wilson''s limits', $$SELECT concat_ws(' ', what, x, n, conf), have, want FROM wilson,
  LATERAL (VALUES ('n', at_risk, n), ('x', retained, x), ('p', rate, p), ('low', rate_low, wilson_l),
    ('high', rate_high, wilson_u)) v (what, have, want)$$, 360, 1e-9, 1e-12);
CREATE TABLE pair AS SELECT two.*, t.*
  FROM two, LATERAL retention_test(pg_temp.kept(x1::bigint, n1::bigint), pg_temp.kept(x2::bigint, n2::bigint), 1,
  date '2024-03-01') t;
SELECT pg_temp.agree('two proportions', $$SELECT concat_ws(' ', what, x1, n1, x2, n2), have, want FROM pair,
  LATERAL (VALUES ('difference', difference, diff), ('low', difference_low, newcombe_l),
    ('high', difference_high, newcombe_u)) v (what, have, want)$$, 21, 1e-9, 1e-12);
SELECT pg_temp.agree('their p', $$SELECT concat_ws(' ', x1, n1, x2, n2), p_value, p_pooled FROM pair
    WHERE p_pooled IS NOT NULL$$, 6, 1e-9, 1e-300);
SELECT pg_temp.agree('their z, of which p is the tail',
  $$SELECT concat_ws(' ', x1, n1, x2, n2), (rate1 - rate2) / sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2)), z_pooled
  FROM (SELECT *, exposed_rate AS rate1, control_rate AS rate2,
    (exposed_retained + control_retained)::float8 / (exposed_at_risk + control_at_risk) AS pooled FROM pair
    WHERE z_pooled IS NOT NULL) q$$, 6, 1e-9, 1e-12);
SELECT is(p_value, 1::float8, 'nobody of either group: no difference, p is 1') FROM pair WHERE p_pooled IS NULL;
SELECT * FROM finish();
ROLLBACK;
