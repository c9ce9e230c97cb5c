-- The data of the tests are what they were published as: the files that are packed here to make them small come out as
-- the bytes of the originals, the CDNOW sample lies in the whole log, the files have their rows, and the experiment has
-- the figures that a program outside PostgreSQL found (test/reference/money).
-- check: once, for it does without the extension
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
SELECT plan(12);
\pset tuples_only on
\pset format unaligned
\ir oracle/shared.psql
\ir fixtures/hillstrom.psql
\ir fixtures/cdnow.psql

SELECT is(md5(E' customer_id  date number_of_cds  dollar_value\n'
              || string_agg(format(' %s %s %2s %7s', customer, to_char(at, 'YYYYMMDD'), cds, dollars), E'\n'
                ORDER BY place)),
          '3bdab6f7cd98fb827f41dd6499e95530', 'cdnow_master.txt as it was published')
FROM (SELECT *, row_number() OVER () AS place FROM cdnow) c;
\set text `cat test/data/cdnow_sample.txt`
SELECT is_empty(format($$
  SELECT f[1], f[3]::date, f[4]::integer, f[5]::numeric
    FROM string_to_table(%L, E'\n') line, LATERAL regexp_split_to_array(trim(line), ' +') f
  WHERE line <> '' EXCEPT ALL TABLE cdnow$$, :'text'), 'cdnow_sample.txt is a part of it');
\unset text

-- printed as csv prints it; the spend of the original is 0.0 where nothing was bought
SELECT is(md5(E'recency,history_segment,history,mens,womens,zip_code,newbie,channel,treatment,conversion,visit,spend\n'
    || string_agg(concat_ws(',',
            recency, CASE WHEN history_segment LIKE '%,%' THEN format('"%s"', history_segment) ELSE history_segment END,
              history, mens, womens,
            zip_code, newbie, channel, treatment, conversion, visit, spend), E'\n' ORDER BY row)),
          '9c4ed6010cdd3fc3dbb33e107cc7d319', 'hillstrom.csv as it was published')
FROM hillstrom;
\set text `cat test/reference/money/moments_hillstrom.csv`
SELECT pg_temp.load('moments', :'text') \g /dev/null
CREATE TABLE arm AS
  SELECT treatment, count(*)::float8 AS n, avg(spend)::float8 AS mean, (var_samp(spend) / count(*))::float8 AS error
    FROM hillstrom GROUP BY treatment;
SELECT pg_temp.agree('the experiment', $$SELECT m.exposed, v.have, v.want FROM moments m
    JOIN arm e ON e.treatment = m.exposed JOIN arm c ON c.treatment = 'No E-Mail',
    LATERAL (VALUES (e.n, n_exposed), (c.n, n_control), (e.mean - c.mean, estimate),
      (sqrt(e.error + c.error), standard_error), ((e.mean - c.mean) * e.n, total)) v (have, want)
  WHERE m.test = 'difference'$$, 10, 1e-12, 0);

-- How many lines each file has, and the sums of what it counts.
\set text `cat test/data/regulars.csv`
SELECT pg_temp.load('regulars', :'text') \g /dev/null
SELECT is((count(*), count(DISTINCT customer_id), min(to_date(trans_date, 'MM/DD/YYYY')),
    max(to_date(trans_date, 'MM/DD/YYYY')))::text,
          '(13336,700,2011-05-16,2015-03-16)', 'regulars.csv') FROM regulars;
\set text `cat test/data/mrr_playbook.csv`
SELECT is(pg_temp.load('mrr', :'text'), 121::bigint, 'mrr_playbook.csv');
\set text `cat test/reference/money/mrr_playbook_movements.csv`
SELECT cmp_ok(pg_temp.load('movements', :'text'), '>', 10::bigint, 'and its movements');
\set text `cat test/data/donations_rf_matrix.csv`
SELECT pg_temp.load('donations', :'text') \g /dev/null
SELECT is(sum(custs), 11104::float8, 'donations_rf_matrix.csv') FROM donations;
\set text `cat test/reference/campaign/lalonde.csv`
SELECT is(pg_temp.load('lalonde', :'text'), 614::bigint, 'lalonde.csv');
\set text `cat test/reference/campaign/cmh_tables.csv`
SELECT cmp_ok(pg_temp.load('cmh', :'text'), '>', 10::bigint, 'cmh_tables.csv');
\set text `cat test/reference/segment/rfm_scores_worse.csv`
SELECT is(pg_temp.load('worse', :'text'), 2357::bigint, 'rfm_scores_worse.csv');
\set text `cat test/data/mlc_churn.csv`
SELECT is(pg_temp.load('mlc', :'text'), 5000::bigint, 'mlc_churn.csv');
SELECT * FROM finish();
ROLLBACK;
