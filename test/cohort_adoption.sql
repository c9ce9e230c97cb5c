-- The measure 'by', active in any of the periods 0..k: of those who joined, who has begun by then?  Where not
-- everybody is
-- active in window 0 it needs a tally of its own; every builder of a table must make the same one.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
SET jit = off;

SELECT is((SELECT array_agg(r.retained ORDER BY r.period) FROM (SELECT cohort_retention(c, s, a, 'month') AS t
    FROM (VALUES (1, date '2025-01-02', date '2025-01-10'), (2, '2025-01-03', '2025-01-20'),
      (3, '2025-01-04', '2025-02-10'), (4, '2025-01-05', NULL)) v (c, s, a)) q,
  cohort_rows(t, '2025-04-01', measure) r WHERE period < 2), want::bigint[], 'four who joined: ' || measure)
FROM (VALUES ('by', '{2,3}'), ('on_or_before', '{0,1}'), ('on', '{2,1}')) v (measure, want);

-- 3,000 who joined in half a year, begin up to five months later, or never; with events before they joined.
CREATE TABLE ev AS SELECT c, date '2024-01-01' + c * 7919 % 181 AS joined,
  CASE WHEN c % 7 > 0 OR k = 0 THEN date '2024-01-01' + c * 7919 % 181 + c * c % 150 + k * k * 11 - c % 3 * 20 END AS at
  FROM generate_series(1, 3000) c, generate_series(0, c % 5) k;
CREATE TABLE begun AS SELECT c, min(joined) AS joined, min(at) FILTER (WHERE at >= date_trunc('month', joined)) AS
  month_at,
  min(at) FILTER (WHERE at >= joined) AS at FROM ev GROUP BY c;
-- what plain SQL counts: by calendar month, and by windows of 20 days
CREATE FUNCTION pg_temp.months() RETURNS TABLE (cohort date, period integer, size bigint, begun bigint)
  LANGUAGE sql AS $$
  SELECT date_trunc('month', joined)::date, k, count(*),
    count(*) FILTER (WHERE month_at < date_trunc('month', joined) + (k + 1) * interval '1 month')
  FROM begun, generate_series(0, 5) k GROUP BY 1, 2 $$;
CREATE FUNCTION pg_temp.windows() RETURNS TABLE (cohort date, period integer, size bigint, begun bigint)
  LANGUAGE sql AS $$
  SELECT date_trunc('month', joined)::date, k, count(*), count(*) FILTER (WHERE at < joined + (k + 1) * 20)
  FROM begun, generate_series(0, 5) k GROUP BY 1, 2 $$;
CREATE TABLE made AS SELECT cohort_retention(c, joined, at, 'month') AS masks,
  cohort_retention(c::text, joined, at, 'month') AS texts,
  cohort_retention(c, joined, CASE WHEN c = 1 AND at IS NULL THEN '1900-01-01' ELSE at END, 'month') AS lists,
  cohort_retention(c, joined, at, 'month', interval '20 days') AS windows FROM ev;
SELECT set_eq(format('SELECT r.cohort::date, r.period, r.size, r.retained
    FROM made, cohort_rows(%I, ''2026-12-31'', ''by'') r WHERE r.period <= 5', form),
  format('SELECT * FROM pg_temp.%I()', CASE form WHEN 'windows' THEN 'windows' ELSE 'months' END),
  'as plain SQL counts: ' || form) FROM unnest('{masks,texts,lists,windows}'::text[]) form;
SELECT is((SELECT masks::text FROM made), (SELECT texts::text FROM made), 'masks and batches');
SELECT is((SELECT rollup(t)::text FROM (SELECT cohort_retention(c, joined, at, 'month') AS t FROM ev GROUP BY c % 40)
  q),
  (SELECT masks::text FROM made), 'small states add up to the large one: groups with and without the tally');
SELECT is((SELECT rollup(t)::text FROM (SELECT cohort_retention(c, joined, at, 'month') AS t FROM ev GROUP BY c) q),
  (SELECT masks::text FROM made), 'and tables of one customer each');
SELECT is((SELECT rollup(t)::text FROM (SELECT cohort_retention(c, joined, at, 'month', interval '20 days') AS t FROM ev
    GROUP BY c % 7) q), (SELECT windows::text FROM made), 'windows likewise');
SELECT is((SELECT masks::text::cohort_table::text FROM made), (SELECT masks::text FROM made), 'text round trip');
SELECT is((SELECT count(*) FROM made, jsonb_array_elements(masks::jsonb -> 'cohorts') c
  WHERE (SELECT sum(value::bigint) FROM jsonb_each_text(c -> 'first')) IS DISTINCT FROM
    (SELECT sum(value::bigint) FROM jsonb_each_text(c -> 'last'))), 0::bigint, 'who begins also ends');

-- Bytes that claim another first activity than the rest says.
CREATE TABLE two AS SELECT cohort_retention(c, date '2000-01-01', d, 'month')::text AS t
  FROM (VALUES (1, date '2000-01-05'), (2, '2000-02-05')) v (c, d);
SELECT throws_ok(format('SELECT %L::cohort_table', encode(set_byte(b, length(b) - 1, 2), 'base64')), '22P02', NULL,
  'a first activity of more than are active')
FROM (SELECT decode(t, 'base64') AS b FROM two) q;
SELECT throws_ok(format('SELECT %L::cohort_table', encode(set_byte(b, length(b) - 3, 2), 'base64')), '22P02', NULL,
  'in window 0, of more than are active there')
FROM (SELECT decode(t, 'base64') AS b FROM two) q;
SELECT matches((SELECT cohort_chart(masks, '2024-12-31', 'by') FROM made), 'percent active by the period', 'the chart');
SELECT * FROM finish();
ROLLBACK;
