-- competing_risks, incidence_rows and incidence_at: every number of test/reference/survival/cuminc.csv; random causes
-- and entries against the infinitesimal jackknife written out in plain SQL, customer by customer; and what must hold or
-- must not matter.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned
SELECT diag('seed ' || :seed);

-- The file ------------------------------------------------------------------------------------------------------------

\set text `cat test/data/competing_synthetic.csv`
SELECT is(pg_temp.load('subject', :'text'), 60::bigint, 'the customers are complete');
\set text `cat test/reference/survival/cuminc.csv`
SELECT is(pg_temp.load('want', :'text'), 75::bigint, 'the incidences are complete');
\unset text
CREATE TABLE have AS SELECT 'all' AS stratum, competing_risks(time::integer, status::integer) AS t FROM subject
  UNION ALL SELECT plan, competing_risks(time, CASE status WHEN 1 THEN '1' WHEN 2 THEN '2' END) FROM subject
  GROUP BY plan;
SELECT cmp_ok((SELECT count(*) FROM have), '>', 1::bigint, 'plans are there');
SELECT pg_temp.agree(ours || cause,
  format($$SELECT concat_ws(' ', w.stratum, w.time), r.%I, w.%I FROM want w
    JOIN have USING (stratum), incidence_rows(t) r WHERE duration = time AND cause = %L$$, ours, theirs || cause,
    cause), 75, 1e-9, 1e-12)
FROM (VALUES ('events', 'n_event'), ('incidence', 'cif'), ('standard_error', 'se_cif')) c (ours, theirs),
  unnest('{1,2}'::text[]) cause;
SELECT pg_temp.agree('at risk', $$SELECT concat_ws(' ', w.stratum, w.time), r.at_risk, n_risk FROM want w
    JOIN have USING (stratum), incidence_rows(t) r WHERE duration = time AND cause = '2'$$, 75, 0, 0);
SELECT is((SELECT count(*) FROM have, incidence_rows(t)), (SELECT count(*) * 2 FROM want), 'and no other rows');

-- Random customers against plain SQL ----------------------------------------------------------------------------------

CREATE TABLE sample AS
  SELECT id, i, entry, entry + 1 + floor(pg_temp.exponential(1.0 / width))::integer AS duration,
    CASE WHEN random() < share THEN 1 + floor(random() * causes)::integer ELSE 0 END AS cause, delayed
  FROM (SELECT id, 1 + id % 3 AS causes, pg_temp.pick(ARRAY[2, 6, 20]) AS width,
    pg_temp.pick(ARRAY[0.3, 0.8, 1]) AS share, random() < 0.5 AS delayed, pg_temp.pick(ARRAY[1, 5, 14, 25]) AS size
    FROM generate_series(1, (150 * :cases)::integer) id) s,
       LATERAL (SELECT i, CASE WHEN delayed THEN floor(random() * width)::integer ELSE 0 END AS entry
         FROM generate_series(1, size + 0 * id) i) r;
CREATE TABLE result AS SELECT id, bool_or(delayed) AS delayed, CASE WHEN bool_or(delayed)
  THEN competing_risks(entry, duration, cause) ELSE competing_risks(duration, cause) END AS t FROM sample GROUP BY id;
-- n at risk and D events at each time, S before it; after everybody has left there is no more to say
CREATE TABLE moment AS
  SELECT id, s, n, d, coalesce(CASE WHEN bool_or(n = d) OVER w THEN 0
    ELSE exp(sum(CASE WHEN d < n THEN ln(1 - d / n) END) OVER w) END, 1) AS before
  FROM (SELECT t.id, s, count(*)::float8 AS n, count(*) FILTER (WHERE duration = s AND cause > 0)::float8 AS d
    FROM (SELECT DISTINCT id, duration AS s FROM sample) t JOIN sample r ON r.id = t.id AND duration >= s
    AND (entry < s OR NOT delayed) GROUP BY t.id, s) m
  WINDOW w AS (PARTITION BY id ORDER BY s ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING);
-- what the weight of a customer does to S, relative to S, before each time: - sum of dh / (1 - h)
CREATE TABLE influence AS
  SELECT *, coalesce(-sum(CASE WHEN n > d THEN own_all / (1 - d / n) END) OVER w, 0) AS of_survival
  FROM (SELECT m.*, i, r.cause, r.duration, (duration >= s AND (entry < s OR NOT delayed))::integer AS here,
    ((duration = s AND r.cause > 0)::integer - (duration >= s AND (entry < s OR NOT delayed))::integer * d / n) / n AS
    own_all FROM moment m JOIN sample r USING (id)) q
  WINDOW w AS (PARTITION BY id, i ORDER BY s ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING);
CREATE TABLE oracle AS
  SELECT id, s, cause, max(events) AS events, max(n) AS n, max(f) AS incidence, sqrt(sum(change ^ 2)) AS se
  FROM (SELECT id, s, k.cause, i, n, events, sum(before * events / n) OVER w AS f,
    sum(before * (of_survival * events / n + ((duration = s AND q.cause = k.cause)::integer - here * events / n) / n))
    OVER w AS change
        FROM influence q JOIN (SELECT DISTINCT t.id, s, c.cause,
          (SELECT count(*) FROM sample r WHERE r.id = t.id AND r.cause = c.cause AND r.duration = s)::float8 AS events
          FROM moment t JOIN (SELECT DISTINCT id, cause FROM sample WHERE cause > 0) c USING (id)) k USING (id, s)
        WINDOW w AS (PARTITION BY id, i, k.cause ORDER BY s)) q GROUP BY id, s, cause;
CREATE TABLE answer AS SELECT id, r.* FROM result, incidence_rows(t) r;
SELECT pg_temp.agree(ours, format($$SELECT concat_ws(' ', o.id, s, o.cause), a.%I, o.%I FROM oracle o
    LEFT JOIN answer a ON (a.id, a.duration, a.cause) = (o.id, o.s, o.cause::text)$$, ours, theirs),
  (SELECT count(*) FROM oracle), 1e-10, 1e-12)
FROM (VALUES ('events', 'events'), ('at_risk', 'n'), ('incidence', 'incidence')) c (ours, theirs);
-- (a root of what is left of a cancellation is no better than this)
SELECT pg_temp.agree('standard errors', $$SELECT concat_ws(' ', o.id, s, o.cause), standard_error, se FROM oracle o
    LEFT JOIN answer a ON (a.id, a.duration, a.cause) = (o.id, o.s, o.cause::text)$$, (SELECT count(*) FROM oracle),
  1e-9, 1e-12);
SELECT is((SELECT count(*) FROM answer), (SELECT count(*) FROM oracle), 'no other rows');
SELECT is((SELECT count(*) FROM (SELECT *, row_number() OVER () AS place,
    row_number() OVER (ORDER BY id, cause, duration) AS want
    FROM (SELECT id, r.* FROM (SELECT * FROM result ORDER BY id) q, incidence_rows(t) r) x) y WHERE place <> want),
  0::bigint, 'cause by cause, by duration');

-- What must hold ------------------------------------------------------------------------------------------------------

SELECT is((SELECT count(*) FROM (SELECT id, duration, sum(incidence) AS f FROM answer GROUP BY 1, 2) q
    JOIN result USING (id) WHERE abs(f + survival_at(t, duration) - 1) > 1e-13), 0::bigint,
  'incidences and survival add up to 1');
-- until somebody is censored or comes late, an incidence is the share of a sample, and its error that of a proportion
CREATE TABLE plain AS SELECT id, competing_risks(duration, greatest(cause, 1)) AS t, count(*)::float8 AS n FROM sample
  WHERE NOT delayed GROUP BY id;
SELECT pg_temp.agree('the error of a proportion',
  'SELECT id::text, standard_error, sqrt(greatest(incidence * (1 - incidence), 0) / n) FROM plain, incidence_rows(t)',
  (SELECT count(*) FROM plain, incidence_rows(t)), 1e-9, 1e-8);
SELECT pg_temp.agree('a proportion',
  'SELECT id::text, incidence, sum(events) OVER (PARTITION BY id, cause ORDER BY duration) / n
    FROM plain, incidence_rows(t)', (SELECT count(*) FROM plain, incidence_rows(t)), 1e-13, 0);
-- of two causes one gains what the other loses once nobody is left
SELECT is((SELECT count(*) FROM (SELECT id, duration, max(standard_error) - min(standard_error) AS off,
    sum(incidence) AS f, count(*) AS n FROM answer GROUP BY 1, 2) q WHERE n = 2 AND f > 1 - 1e-15 AND off > 1e-12),
  0::bigint, 'two causes of one error');
SELECT is((SELECT count(*) FROM answer a JOIN (SELECT id FROM answer GROUP BY id HAVING count(DISTINCT cause) = 1) o
    USING (id) WHERE incidence = 1 AND standard_error <> 0), 0::bigint, 'who all left for one cause did so for sure');
CREATE TABLE limited AS SELECT id, kind, confidence, r.* FROM result, unnest('{plain,log,log-log}'::text[]) kind,
  unnest('{0.8,0.95}'::float8[]) confidence, incidence_rows(t, confidence, kind) r;
SELECT is((SELECT count(*) FROM limited
    WHERE NOT (0 <= low AND low <= incidence + 1e-15 AND incidence <= high + 1e-15 AND high <= 1)), 0::bigint,
  'limits around the incidence');
SELECT is((SELECT count(*) FROM limited WHERE (low IS NULL) <> (incidence = 0 OR kind = 'log-log' AND incidence = 1)
    OR (low IS NULL) <> (high IS NULL)), 0::bigint, 'or NULL');
SELECT is((SELECT count(*) FROM limited a JOIN limited b USING (id, kind, duration, cause)
    WHERE a.confidence = 0.8 AND b.confidence = 0.95 AND NOT (b.low <= a.low AND b.high >= a.high)), 0::bigint,
  'wider with more confidence');
SELECT pg_temp.agree('limits: ' || k,
  format($$SELECT concat_ws(' ', id, cause, duration), v.have, v.want
    FROM limited, LATERAL (VALUES (low, %s), (high, %s)) v (have, want)
    WHERE kind = %L AND confidence = 0.95 AND incidence BETWEEN 1e-9 AND 1 - 1e-9$$,
  replace(f, '@', '-'), replace(f, '@', '+'), k),
    (SELECT 2 * count(*) FROM limited WHERE kind = k AND confidence = 0.95 AND incidence BETWEEN 1e-9 AND 1 - 1e-9),
    1e-11, 1e-13)
FROM (VALUES ('plain', 'greatest(least(incidence @ 1.959963984540054 * standard_error, 1), 0)'),
  ('log', 'least(incidence * exp(@ 1.959963984540054 * standard_error / incidence), 1)'),
  ('log-log', 'incidence ^ exp(@ 1.959963984540054 * standard_error / (incidence * ln(incidence)))')) l (k, f);
SELECT is((SELECT count(*) FROM result, incidence_rows(t) a JOIN incidence_rows(t, NULL, NULL) b USING (duration, cause)
    WHERE a::text <> b::text), 0::bigint, 'defaults');

-- At one duration -----------------------------------------------------------------------------------------------------

CREATE TABLE place AS SELECT id, t, x, (SELECT max(duration) FROM sample s WHERE s.id = r.id) AS last
  FROM result r, unnest('{0,0.5,1,2,3,7,7.25,1000}'::float8[]) x;
CREATE TABLE at AS SELECT id, x, last, a.*, survival_at(t, last) AS left_over FROM place, incidence_at(t, x) a;
SELECT is((SELECT count(*) FROM at WHERE (incidence IS NULL) <> (x > last AND left_over > 0)), 0::bigint,
  'NULL where it cannot be known');
SELECT is((SELECT count(*) FROM at
    LEFT JOIN LATERAL (SELECT w.incidence AS f, w.standard_error AS se FROM answer w
    WHERE w.id = at.id AND w.cause = at.cause AND w.duration <= x ORDER BY w.duration DESC LIMIT 1) w ON true
    WHERE incidence IS NOT NULL AND (incidence <> coalesce(f, 0) OR standard_error <> coalesce(se, 0))), 0::bigint,
  'else that of the last row before');
SELECT is((SELECT count(*) FROM at),
  (SELECT count(*) FROM place p JOIN (SELECT DISTINCT id, cause FROM sample WHERE cause > 0) c USING (id)),
  'one row a cause');
SELECT is((SELECT count(*) FROM (SELECT id, CASE WHEN bool_or(delayed)
    THEN competing_risks(entry * interval '1 day', duration * interval '1 day', cause)
    ELSE competing_risks(duration * interval '1 day', cause) END AS span FROM sample GROUP BY id) s
    JOIN place USING (id),
  incidence_at(t, x) a JOIN incidence_at(span, x * interval '1 day') b USING (cause)
    JOIN incidence_at(span, x) c USING (cause) WHERE a::text <> b::text OR a::text <> c::text), 0::bigint,
    'intervals are days');
SELECT is((SELECT count(*) FROM result, incidence_at(NULL, 1) a, incidence_at(t, NULL::float8) b,
    incidence_at(t, NULL::interval) c, incidence_rows(NULL) d), 0::bigint, 'NULL: no rows');

-- What must not matter ------------------------------------------------------------------------------------------------

CREATE TYPE why AS ENUM ('moved', 'price', 'gone');
CREATE TABLE same AS
  SELECT id, bool_or(delayed) AS delayed, competing_risks(entry, duration, cause) AS plain,
    competing_risks(entry, duration, cause ORDER BY random()) AS shuffled,
    competing_risks(entry::float8 / 8, duration::float8 / 8, cause::smallint) AS real,
    competing_risks(entry + 9007199254740992, duration + 9007199254740992, cause) AS huge,
         competing_risks(entry, duration, ('{moved,price,gone}'::why[])[nullif(cause, 0)]) AS enum,
           competing_risks(entry, duration, ('{moved,price,gone}'::text[])[nullif(cause, 0)]) AS named
  FROM sample GROUP BY id;
SELECT is((SELECT count(*) FROM same WHERE plain::text <> shuffled::text), 0::bigint, 'the order of rows');
SELECT is((SELECT count(*) FROM same WHERE enum::text <> named::text), 0::bigint, 'the type of labels');
SELECT is((SELECT count(*) FROM same, incidence_rows(plain) a JOIN incidence_rows(real) b ON b.duration = a.duration / 8
    AND b.cause = a.cause JOIN incidence_rows(named) c ON c.duration = a.duration
    AND c.cause = ('{moved,price,gone}'::text[])[a.cause::integer]
           WHERE (a.incidence, a.standard_error) <> (b.incidence, b.standard_error)
             OR abs(a.incidence - c.incidence) + abs(a.standard_error - c.standard_error) > 1e-14), 0::bigint,
             'units and labels');
SELECT is((SELECT string_agg((incidence, standard_error)::text, ' ' ORDER BY id, o)
    FROM same, incidence_rows(huge) WITH ORDINALITY h (d, c, a, e, incidence, standard_error, low, high, o)),
  (SELECT string_agg((incidence, standard_error)::text, ' ' ORDER BY id, o)
    FROM same, incidence_rows(plain) WITH ORDINALITY h (d, c, a, e, incidence, standard_error, low, high, o)),
  'how large durations are');
SELECT is((SELECT count(*) FROM same JOIN result USING (id), incidence_rows(plain) a
    JOIN incidence_rows(t) b USING (duration, cause) WHERE NOT same.delayed AND (a::text <> b::text)), 0::bigint,
  'entry at 0 is no delay');
SELECT is((SELECT count(*) FROM (SELECT id, rollup(t) AS t
    FROM (SELECT id, competing_risks(entry, duration, cause) AS t FROM sample GROUP BY id, i % 3) p GROUP BY id) r
    JOIN same USING (id) WHERE r.t::text <> plain::text), 0::bigint, 'shards add up');
CREATE TABLE many AS SELECT i, floor(random() * 400)::integer AS duration, floor(random() * 4)::integer AS cause
  FROM generate_series(1, 30000) i;
ANALYZE many;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT competing_risks(duration, cause)::text AS serial FROM many \gset
SET LOCAL max_parallel_workers_per_gather = 3; SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0;
SET LOCAL min_parallel_table_scan_size = 0;
SELECT matches(pg_temp.plan('SELECT competing_risks(duration, cause) FROM many'), 'Partial Aggregate',
  'a parallel plan');
SELECT is((SELECT competing_risks(duration, cause)::text FROM many), :'serial', 'gives the same bytes');

-- By hand -------------------------------------------------------------------------------------------------------------

SELECT is((SELECT string_agg(format('%s %s %s %s %s %s', duration, cause, at_risk, events, round(incidence::numeric, 9),
    round(standard_error::numeric, 9)), ', ')
    FROM (SELECT competing_risks(d, c) AS t FROM (VALUES (1, 'price'), (2, NULL), (2, 'moved'), (3, 'price')) v (d, c))
    q, incidence_rows(t)),
  '1 moved 4 0 0.000000000 0.000000000, 2 moved 3 1 0.250000000 0.216506351, 3 moved 1 0 0.250000000 0.216506351, 1 '
    'price 4 1 0.250000000 0.216506351, 2 price 3 0 0.250000000 0.216506351, 3 price 1 1 0.750000000 0.216506351',
    'four customers');
SELECT is((SELECT string_agg(r::text, ' ')
    FROM (SELECT competing_risks(d, c) AS t FROM (VALUES (1, 7), (1, 7)) v (d, c)) q, incidence_rows(t) r),
  '(1,7,2,2,1,0,,)', 'all at once');
SELECT is_empty('SELECT r.* FROM (SELECT competing_risks(d, 0) AS t FROM generate_series(1, 3) d) q,
    incidence_rows(t) r', 'nobody left: no causes');
SELECT is_empty('SELECT r.* FROM (SELECT competing_risks(d, 1) AS t FROM generate_series(1, 0) d) q, incidence_rows(t) r
    UNION ALL SELECT NULL, r.cause, 0, 0, r.incidence, 0, 0, 0
    FROM (SELECT competing_risks(d, 1) AS t FROM generate_series(1, 0) d) q, incidence_at(t, 1) r',
  'nobody was there: no rows');
SELECT is((SELECT string_agg(cause, ' ')
    FROM (SELECT competing_risks(i, i) AS t FROM unnest('{10,9,-1,2}'::integer[]) c (i) WHERE i > 0) q,
    incidence_at(t, 5)), '2 9 10', 'numbers ascend as numbers');

SELECT * FROM finish();
ROLLBACK;
