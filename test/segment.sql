-- segments: behaviour segments and their chance against plain SQL, the rate of seasonal customers among customers
-- without seasons, RFM scores against rank(), and maps that are partitions.  Reference numbers are in
-- segment_reference.sql, texts and errors in sql/segment.sql.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
SELECT diag('seed ' || :'seed');

-- Histories of every length, with and without amounts, in clusters, in one season, from long ago; and what an array say

CREATE TABLE customer AS
  SELECT c, (ARRAY['any', 'any', 'season', 'weekly', 'long', 'far'])[1 + floor(random() * 6)::integer] AS kind,
    1 + floor(random() * random() * 40)::integer AS n, date '2015-01-01' + floor(random() * 2500)::integer AS first,
    floor(random() * 2000000)::integer * (c % 2) AS back FROM generate_series(1, (400 * :cases)::integer) c;
CREATE TABLE ev AS
  SELECT c, CASE kind WHEN 'any' THEN first + floor(random() * 900)::integer WHEN 'weekly'
    THEN first + 7 * i - floor(random() * 3)::integer
                      WHEN 'season' THEN (date_trunc('year', first::timestamp)
                        + make_interval(years => floor(random() * 4)::integer, months => c % 12,
                          days => floor(random() * 80)::integer))::date
                      WHEN 'long' THEN first + i * (1 + c % 3) WHEN 'far'
                        THEN first - back + floor(random() * 20000)::integer END AS day,
         CASE c % 4 WHEN 0 THEN NULL WHEN 1 THEN round((random() * 300)::numeric, 2) WHEN 2
           THEN pg_temp.pick('{1e30,-5,0.001,NULL,12.5}'::numeric[])
           ELSE round((random() * 3000000 - 1000000)::numeric, 1) END AS amount
  FROM customer, LATERAL generate_series(1, CASE kind WHEN 'long' THEN n * 40 WHEN 'season' THEN 1 + n % 7 ELSE n END)
    i;
INSERT INTO ev SELECT * FROM ev WHERE c % 5 = 0 AND random() < 0.3;
CREATE TABLE hist AS SELECT c, customer_history(day, amount, true) AS h, array_agg(DISTINCT day ORDER BY day) AS days
  FROM ev GROUP BY c;
INSERT INTO hist SELECT 0, customer_history(day), '{}' FROM ev WHERE false;
-- a day to stand at, near the days, often exactly where a rule turns
CREATE TABLE asked AS
  SELECT c, h, days, pg_temp.pick(days)
    + pg_temp.pick('{0,1,-1,30,90,91,92,180,182,273,364,365,366,400,700,5000}'::integer[]) AS as_of
    FROM hist, generate_series(1, 3) WHERE days <> '{}'
  UNION ALL SELECT c, h, days, coalesce(last_day(h), '2020-01-01') FROM hist;
CREATE TABLE rules AS
  SELECT 1 AS id, 365 AS inactive_after, 3 AS seasonal_min_days, 2 AS seasonal_min_years, 365 AS seasonal_min_age,
    0.05::float8 AS max_chance, 12 AS season_start, 3 AS season_months, 0.75::float8 AS loyalist_share,
    4 AS loyalist_windows, 91 AS loyalist_window_days
  UNION ALL SELECT 2, 365, 3, 2, 365, NULL, 12, 3, 0.75, 4, 91
  UNION ALL SELECT i, floor(random() * 500)::integer, 1 + floor(random() * 5)::integer,
    1 + floor(random() * 3)::integer, floor(random() * 600)::integer, pg_temp.pick('{0.01,0.2,0.5,1,NULL}'::float8[]),
    1 + floor(random() * 12)::integer,
                   pg_temp.pick('{1,2,3,4,6}'::integer[]), pg_temp.pick('{0,0.25,0.3,0.5,0.6,1}'::float8[]),
                     1 + floor(random() * 10)::integer, 1 + floor(random() * 100)::integer
                     FROM generate_series(3, 12) i;

CREATE FUNCTION pg_temp.season_month(day date, season_start integer) RETURNS integer LANGUAGE sql IMMUTABLE
  AS $$SELECT (extract(year FROM day) + (extract(year FROM day) < 0)::integer)::integer * 12 + extract(month
    FROM day)::integer - season_start$$;
CREATE FUNCTION pg_temp.season_year(day date, season_start integer) RETURNS integer LANGUAGE sql IMMUTABLE
  AS $$SELECT floor(pg_temp.season_month(day, season_start) / 12.0)::integer$$;
CREATE FUNCTION pg_temp.season_place(day date, season_start integer, season_months integer) RETURNS integer
  LANGUAGE sql IMMUTABLE AS $$SELECT
  (pg_temp.season_month(day, season_start) - 12 * pg_temp.season_year(day, season_start)) / season_months$$;
-- C(part, n) / C(whole, n)
CREATE FUNCTION pg_temp.choices(part bigint, whole bigint, n integer) RETURNS float8 LANGUAGE sql IMMUTABLE AS
  $$SELECT CASE WHEN n > part THEN 0 WHEN n = 0 THEN 1 ELSE (SELECT exp(sum(ln((part - i)::float8 / (whole - i))))
      FROM generate_series(0, n - 1) i) END$$;
-- Every end of observation from the last day on is tried.
CREATE FUNCTION pg_temp.chance(days date[], as_of date, min_years integer, season_start integer, season_months integer)
  RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT max(pg_temp.choices(in_season, day - days[1], cardinality(days) - 1) - CASE WHEN min_years > 1
    THEN pg_temp.choices(in_year, day - days[1], cardinality(days) - 1) ELSE 0 END)
  FROM (SELECT day::date, sum(season::integer) OVER o AS in_season,
    sum((season AND same_year)::integer) OVER o AS in_year
        FROM (SELECT day, day > days[1]
          AND pg_temp.season_place(day::date, season_start, season_months) = pg_temp.season_place(days[1], season_start,
            season_months) AS season,
                     pg_temp.season_year(day::date, season_start) = pg_temp.season_year(days[1], season_start) AS
                       same_year FROM generate_series(days[1], as_of, interval '1 day') day) d
        WINDOW o AS (ORDER BY day)) e WHERE day >= days[cardinality(days)]
$$;
CREATE FUNCTION pg_temp.expected(all_days date[], as_of date, r rules) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  days date[] := (SELECT array_agg(d ORDER BY d) FROM unnest(all_days) d WHERE d <= as_of);
  n integer := cardinality(days);
  windows integer;
BEGIN
  IF n IS NULL THEN RETURN NULL; END IF;
  IF n >= r.seasonal_min_days AND as_of - days[1] >= r.seasonal_min_age
     AND (SELECT count(DISTINCT pg_temp.season_place(d, r.season_start, r.season_months)) = 1
       AND count(DISTINCT pg_temp.season_year(d, r.season_start)) >= r.seasonal_min_years FROM unnest(days) d)
     AND 12 * (pg_temp.season_year(days[n], r.season_start) + 1)
       + (pg_temp.season_place(days[n], r.season_start, r.season_months) + 1) * r.season_months >
       pg_temp.season_month(as_of, r.season_start)
     AND (r.max_chance IS NULL OR r.max_chance = 1
       OR pg_temp.chance(days, as_of, r.seasonal_min_years, r.season_start, r.season_months) <= r.max_chance)
       THEN RETURN 'seasonal'; END IF;
  IF as_of - days[n] > r.inactive_after THEN RETURN 'inactive'; END IF;
  IF n <= 2 THEN RETURN (ARRAY['one_time', 'two_time'])[n]; END IF;
  windows := least(r.loyalist_windows, ceil((as_of - days[1] + 1) / r.loyalist_window_days::numeric));
  RETURN CASE WHEN (SELECT count(*) FROM generate_series(0, windows - 1) i
    WHERE EXISTS (SELECT FROM unnest(days) d WHERE d > as_of - r.loyalist_window_days * (i + 1)
      AND d <= as_of - r.loyalist_window_days * i)) >= r.loyalist_share::numeric * windows
              THEN 'loyalist' ELSE 'under_performer' END;
END $$;
CREATE FUNCTION pg_temp.have(h customer_history, as_of date, r rules) RETURNS text LANGUAGE sql AS
  $$SELECT segment(h, as_of, r.inactive_after, r.seasonal_min_days, r.seasonal_min_years, r.seasonal_min_age,
      r.max_chance, r.season_start, r.season_months, r.loyalist_share, r.loyalist_windows, r.loyalist_window_days)$$;
CREATE TABLE answer AS SELECT c, days, as_of, r.id, pg_temp.have(h, as_of, r) AS have,
  pg_temp.expected(days, as_of, r) AS want FROM asked, rules r WHERE r.id <= 2 OR (c + r.id) % 10 = 0;
SELECT is(string_agg(format('%s at %s by rules %s: %s instead of %s', days, as_of, id, have, want), E'\n') FILTER
  (WHERE place <= 3), NULL, 'every segment as plain SQL has it')
FROM (SELECT *, row_number() OVER (ORDER BY cardinality(days)) AS place FROM answer WHERE have IS DISTINCT FROM want)
  wrong;
SELECT cmp_ok(count(*), '>=', (3000 * :cases)::bigint, 'of many answers') FROM answer;
SELECT cmp_ok(count(*), '>=', 5::bigint, 'many of them ' || coalesce(want, 'none')) FROM answer GROUP BY want;
SELECT is(count(DISTINCT want), 6::bigint, 'all segments') FROM answer;
SELECT is_empty($$SELECT FROM asked
    WHERE segment(h, as_of) IS DISTINCT FROM segment(h, as_of, 365, 3, 2, 365, 0.05, 12, 3, 0.75, 4, 91)$$,
  'the defaults');
SELECT is(pg_temp.outcome(query), error, query) FROM (VALUES
  ('SELECT segment(h) FROM asked', '42883 function segment(customer_history) does not exist'),
  ('SELECT segment(h, NULL) FROM asked', '22004 as_of must not be NULL'),
  ('SELECT seasonal_chance(h) FROM asked', '42883 function seasonal_chance(customer_history) does not exist'),
  ('SELECT seasonal_chance(h, NULL) FROM asked', '22004 as_of must not be NULL')) e (query, error);
SELECT is_empty($$SELECT FROM asked
    WHERE segment(h, as_of) IS DISTINCT FROM segment(history_until(h, as_of), as_of)$$,
  'days after as_of do not matter');
SELECT is_empty($$SELECT FROM asked a, LATERAL (SELECT segment(h, as_of) AS one) o,
    LATERAL (SELECT segment(h || h, as_of) AS two) t WHERE one IS DISTINCT FROM two$$, 'nor do events and amounts');
SELECT is_empty($$SELECT FROM asked
    WHERE (segment(h, as_of, inactive_after => 2000000) = 'inactive'
    OR segment(h, as_of, seasonal_min_days => 100000) = 'seasonal'
    OR segment(h, as_of, seasonal_min_age => 10000000) = 'seasonal')$$, 'thresholds out of reach');
SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0;
ALTER TABLE asked SET (parallel_workers = 3);
SELECT matches(pg_temp.plan('SELECT segment(h, as_of), count(*) FROM asked GROUP BY 1'), 'Gather', 'a parallel plan');
CREATE TABLE counted AS SELECT segment(h, as_of), count(*) FROM asked GROUP BY 1;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT set_eq('TABLE counted', 'SELECT segment(h, as_of), count(*) FROM asked GROUP BY 1', 'counts the same');
SELECT is(count(*) FILTER (WHERE both_ <> segment(h, as_of) || segment(h, as_of + 100) || segment(k, as_of)), 0::bigint,
  'several histories and days in turn')
FROM (SELECT h, as_of, lag(h) OVER w AS k, segment(h, as_of) || segment(h, as_of + 100)
  || segment(lag(h) OVER w, as_of) AS both_ FROM asked WINDOW w AS (ORDER BY c, as_of)) q;
SELECT pg_temp.agree('the chance',
  $$SELECT concat_ws(' ', days, as_of, y, s, m), seasonal_chance(h, as_of, y, s, m),
    pg_temp.chance((SELECT array_agg(d ORDER BY d) FROM unnest(days) d WHERE d <= as_of), as_of, y, s, m)
  FROM (SELECT *, 1 + (c % 3) AS y, 1 + c % 12 AS s, pg_temp.pick('{1,2,3,4,6}'::integer[]) AS m,
    row_number() OVER (ORDER BY random()) AS place
        FROM asked WHERE as_of - days[1] BETWEEN 0 AND 2000) a WHERE place <= 150$$, 150, 1e-9, 1e-15);

-- Customers without seasons: all days between coming and leaving are as likely.  Some have left. ----------------------

CREATE FUNCTION pg_temp.without_season(customers integer) RETURNS SETOF customer_history LANGUAGE sql AS $$
  SELECT customer_history(day)
  FROM (SELECT c, date '2024-06-30' - CASE WHEN c % 2 = 0 THEN 0 ELSE floor(random() * 500)::integer END AS gone,
    400 + floor(random() * 900)::integer AS stay, 3 + c % 3 AS n FROM generate_series(1, customers) c) q,
       LATERAL (SELECT gone - floor(random() * stay)::integer AS day FROM generate_series(1, n)) d GROUP BY c $$;
CREATE TABLE steady AS SELECT h, seasonal_chance(h, '2024-06-30') AS chance
  FROM pg_temp.without_season((30000 * :cases)::integer) h;
SELECT ok(flagged <= allowed + 4 * sqrt(allowed) AND allowed <= bound * n,
  format('max_chance %s: %s of %s customers without seasons are called seasonal; their chances allow %s', bound,
    flagged, n, round(allowed::numeric, 1)))
FROM (SELECT bound, count(*) AS n, count(*) FILTER (WHERE segment(h, '2024-06-30', max_chance => bound) = 'seasonal') AS
  flagged, coalesce(sum(chance) FILTER (WHERE chance <= bound), 0) AS allowed
  FROM steady, unnest('{0.001,0.01,0.02,0.05,0.1,0.2}'::float8[]) bound GROUP BY bound) q ORDER BY bound;
SELECT cmp_ok(count(*) FILTER (WHERE segment(h, '2024-06-30', max_chance => NULL) = 'seasonal'), '>',
  2 * count(*) FILTER (WHERE segment(h, '2024-06-30') = 'seasonal'), 'without the bound there are many more')
  FROM steady;
SELECT is(segment(h, '2024-06-30'), 'seasonal', 'who bought once each December is seasonal')
  FROM (SELECT customer_history(make_date(y, 12, 5 + y % 7)) AS h FROM generate_series(2020, 2023) y) q;

-- RFM scores: 1 + floor(bins * worse / n), in integers ----------------------------------------------------------------

CREATE TABLE rfm AS
  SELECT i, i % 7 AS part, CASE WHEN random() > 0.02 THEN floor(random() * 200)::integer END AS r,
         CASE WHEN random() > 0.02 THEN 1 + floor(random() * random() * 12)::bigint END AS f,
         CASE WHEN random() > 0.02
              THEN pg_temp.pick(ARRAY[round((random() * 500)::numeric, 2), 0, 12.50, 12.5, 1e40, -3]::numeric[]) END
                AS m
  FROM generate_series(1, (3000 * :cases)::integer) i;
CREATE TABLE known AS SELECT * FROM rfm WHERE r IS NOT NULL AND f IS NOT NULL AND m IS NOT NULL;
CREATE FUNCTION pg_temp.of_bins(bins integer) RETURNS text LANGUAGE sql
  AS $$SELECT CASE WHEN bins = 5 THEN '' ELSE '/' || bins END$$;
-- rank() - 1 are worse
CREATE FUNCTION pg_temp.scored(bins integer) RETURNS TABLE (i integer, score text, nested text) LANGUAGE sql AS $$
  WITH k AS (SELECT *, count(*) OVER (PARTITION BY part) AS n,
                    rank() OVER (PARTITION BY part ORDER BY r DESC) - 1 AS wr,
                    rank() OVER (PARTITION BY part ORDER BY f) - 1 AS wf,
                    rank() OVER (PARTITION BY part ORDER BY m) - 1 AS wm
             FROM known),
       s AS (SELECT *, 1 + wr * bins / n AS sr, 1 + wf * bins / n AS sf, 1 + wm * bins / n AS sm FROM k),
       s2 AS (SELECT *, 1 + (rank() OVER (PARTITION BY part, sr ORDER BY f) - 1) * bins
                            / count(*) OVER (PARTITION BY part, sr) AS nf FROM s)
  SELECT i, concat(sr, sf, sm, pg_temp.of_bins(bins)),
         concat(sr, nf, 1 + (rank() OVER (PARTITION BY part, sr, nf ORDER BY m) - 1) * bins
                            / count(*) OVER (PARTITION BY part, sr, nf), pg_temp.of_bins(bins)) FROM s2 $$;
SELECT is(count(*) FILTER (WHERE q.score IS DISTINCT FROM s.score), 0::bigint, format('%s scores of %s bins',
  count(*), bins))
FROM unnest('{2,3,5,7,9}'::integer[]) bins,
     LATERAL (SELECT i, rfm_score(r, f, m, bins) OVER (PARTITION BY part) AS score FROM rfm) q
     LEFT JOIN LATERAL pg_temp.scored(bins) s USING (i) GROUP BY bins;
SELECT is(count(*) FILTER (WHERE q.score IS DISTINCT FROM s.nested), 0::bigint,
          format('%s nested scores of %s bins', count(*), bins))
FROM unnest('{2,5,9}'::integer[]) bins,
     LATERAL (SELECT i, rfm_score(r, f, m, bins => bins, nested => true) OVER (PARTITION BY part) AS score FROM rfm) q
     LEFT JOIN LATERAL pg_temp.scored(bins) s USING (i) GROUP BY bins;
CREATE TABLE plain AS SELECT i, rfm_score(r, f, m) OVER () AS score FROM rfm;
SELECT is_empty(format('SELECT i, %s FROM %s EXCEPT TABLE plain', score, source), title) FROM (VALUES
  ('rfm_score(r, f, m) OVER (ORDER BY f, m DESC ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)', 'rfm',
   'neither order nor frame matter'),
  ('rfm_score(date ''2025-01-01'' - r, f::numeric, m) OVER ()', 'rfm', 'the date of the last purchase'),
  ('rfm_score(timestamptz ''2025-01-01'' - make_interval(hours => r), f::smallint, m) OVER ()', 'rfm', 'or its time'),
  ('rfm_score(make_interval(hours => r), f::float8, m) OVER ()', 'rfm', 'the interval since'),
  ('rfm_score(r::real, f::real, m) OVER ()', 'rfm', 'real numbers'),
  ('rfm_score(r, f, m) OVER ()', '(SELECT rfm.* FROM rfm, generate_series(1, 7)) q', 'when all are there seven times'))
  v (score, source, title);
SELECT is_empty($$SELECT i, concat(rfm_score(r, true) OVER (), rfm_score(f) OVER (), rfm_score(m, bins => 5) OVER ())
  FROM known EXCEPT TABLE plain$$, 'one measure at a time');
SELECT is(count(*) FILTER (WHERE have IS DISTINCT FROM want), 0::bigint, format('one measure in %s bins', bins))
FROM (SELECT bins, rfm_score(m, bins => bins) OVER (PARTITION BY bins) AS have,
             CASE WHEN m IS NOT NULL THEN 1 + bins * worse / n END AS want
      FROM unnest('{2,3,7,100,1000}'::integer[]) bins,
           (SELECT m, rank() OVER (ORDER BY m) - 1 AS worse, count(m) OVER () AS n FROM rfm) q) q GROUP BY bins;
-- at the edges: the k-th of n different values, as numeric has it
SELECT is(count(*) FILTER (WHERE have <> 1 + floor(k * bins::numeric / n) OR have > bins), 0::bigint,
  'no rounding at the edges')
FROM (SELECT n, bins, k, rfm_score(k, bins => bins) OVER (PARTITION BY n, bins) AS have
      FROM generate_series(1, 60) n, unnest('{2,3,5,7,10,49,1000}'::integer[]) bins, generate_series(0, n - 1) k) q;
SELECT is_empty($$SELECT i, rfm_score(r, f, m, recency_cuts => '{10,50,100}', frequency_cuts => '{2,5}',
                                      monetary_cuts => '{0}') OVER () FROM rfm
  EXCEPT SELECT i, CASE WHEN r + f + m IS NOT NULL
                        THEN concat(1 + (r <= 100)::integer + (r <= 50)::integer + (r <= 10)::integer,
                                    1 + (f >= 2)::integer + (f >= 5)::integer, 1 + (m >= 0)::integer, '/432') END
         FROM rfm$$, 'fixed cuts: who is on one is above it, and the score says how many there are');
SELECT is_empty($$SELECT i, rfm_score(r, f, m, frequency_cuts => '{2,5}', nested => true) OVER () FROM rfm
  EXCEPT (SELECT i, concat(sr, sf, 1 + worse * 5 / n, '/535')
          FROM (SELECT *, rank() OVER w - 1 AS worse, count(*) OVER (PARTITION BY sr, sf) AS n
                FROM (SELECT i, m, left(score, 1) AS sr, 1 + (f >= 2)::integer + (f >= 5)::integer AS sf
                      FROM rfm JOIN plain USING (i) WHERE score IS NOT NULL) q WINDOW w AS (PARTITION BY sr, sf
                        ORDER BY m)) q
          UNION ALL SELECT i, NULL FROM plain WHERE score IS NULL)$$, 'fixed cuts and nested quantiles');
SELECT is(string_agg(s::text, ' ' ORDER BY v), '1 3 3', 'equal cuts: nobody has the score between')
FROM (SELECT v, rfm_score(v, cuts => '{2,2}') OVER () AS s FROM generate_series(1, 3) v) q;
SET LOCAL work_mem = '64kB';
SELECT is_empty($$SELECT i, rfm_score(r, f, m) OVER () FROM rfm, generate_series(1, 30) EXCEPT TABLE plain$$,
                'the same on disk, and when all customers are there 30 times');
RESET work_mem;
SELECT is(string_agg(DISTINCT s, ' '), '111', 'when all are equal, all score 1')
FROM (SELECT rfm_score(1, 1, 1.5) OVER () AS s FROM generate_series(1, 10)) q;
SELECT is(string_agg(s::text, ' ' ORDER BY v), '1 3', 'two customers')
FROM (SELECT v, rfm_score(v) OVER () AS s FROM (VALUES (1), (2)) v (v)) q;
SELECT is(string_agg(format('%s orders: %s x %s', f, score, n), ', ' ORDER BY f),
          '1 orders: 1 x 97, 3 orders: 5 x 1, 4 orders: 5 x 1, 5 orders: 5 x 1',
            'one order scores 1, though 97 of 100 have it')
FROM (SELECT f, score, count(*) AS n FROM (SELECT f, rfm_score(f) OVER () AS score
      FROM (SELECT CASE WHEN i <= 97 THEN 1 ELSE i - 95 END AS f FROM generate_series(1, 100) i) q) q GROUP BY 1, 2) q;

-- Of histories: days since the last purchase day, purchase days, total amount, all by as_of ---------------------------

CREATE TABLE measured AS
  SELECT d.as_of, c, h::text::customer_history AS h, d.as_of - max(day) FILTER (WHERE day <= d.as_of) AS r,
         nullif(count(DISTINCT day) FILTER (WHERE day <= d.as_of), 0) AS f,
           sum(amount) FILTER (WHERE day <= d.as_of) AS m
  FROM (VALUES (date '2016-07-01'), ('2019-03-31'), ('2040-01-01')) d (as_of), hist LEFT JOIN ev USING (c)
  GROUP BY d.as_of, c, h::text;
SELECT is(count(*) FILTER (WHERE have IS DISTINCT FROM want), 0::bigint,
          format('scores of %s histories, nested: %s', count(want), nested))
FROM unnest('{f,t}'::boolean[]) nested,
     LATERAL (SELECT rfm_score(h, as_of, nested => nested) OVER (PARTITION BY as_of) AS have,
                     rfm_score(r, f, m, nested => nested) OVER (PARTITION BY as_of) AS want FROM measured) q
                       GROUP BY nested;
SELECT is(count(*) FILTER (WHERE have IS DISTINCT FROM want), 0::bigint, 'by cuts and in three bins')
FROM (SELECT rfm_score(h, as_of, 3, recency_cuts => '{30,365}', monetary_cuts => '{0,100,1000}') OVER w AS have,
             rfm_score(r, f, m, 3, recency_cuts => '{30,365}', monetary_cuts => '{0,100,1000}') OVER w AS want
      FROM measured WINDOW w AS (PARTITION BY as_of)) q;
SELECT is(count(*) FILTER (WHERE have IS DISTINCT FROM want), 0::bigint, 'without any amount all are worth the same')
FROM (SELECT rfm_score(k, '2019-03-31') OVER () AS have, rfm_score(r, f, 0) OVER () AS want
      FROM measured JOIN (SELECT c, customer_history(day) AS k FROM ev GROUP BY c) q USING (c)
        WHERE as_of = '2019-03-31') q;
SELECT is(string_agg(c || ' ' || s, ', ' ORDER BY c), 'gone 111/2, loyal 211/2',
  'who came lately is above who came once')
FROM (SELECT c, rfm_score(h, '2025-06-01', bins => 2) OVER () AS s
      FROM (SELECT c, customer_history(d, 1) AS h
            FROM (VALUES ('gone', date '2023-01-01'), ('gone', '2023-01-10'), ('loyal', '2023-01-01'), ('loyal',
              '2025-05-30')) v (c, d)
            GROUP BY c) q) q;
SELECT is(pg_temp.outcome(query), error, query) FROM (VALUES
  ('SELECT rfm_score(h, NULL) OVER () FROM hist', '22004 as_of must not be NULL'),
  ('SELECT rfm_score(h, ''infinity'') OVER () FROM hist', '22008 as_of must be finite, not "infinity"'),
  ('SELECT rfm_score(h, as_of) OVER () FROM measured', '22023 as_of must be the same in all rows of a partition'),
  ('SELECT rfm_score(h, ''2025-01-01'', 10) OVER () FROM hist', '22023 bins must be between 2 and 9, not 10'))
  e (query, error);

-- Maps ----------------------------------------------------------------------------------------------------------------

SELECT is(count(*) FILTER (WHERE s = rfm_segment(r, f, 5) AND s = rfm_segment(concat(r, f, 1 + (r + f) % 5))
                             AND s = rfm_segment(concat(r, f)) AND s = rfm_segment(concat(r, f, 3, '/559'))),
                               25::bigint,
          'the default map is a partition of the 25 cells')
FROM (SELECT r, f, min(segment) AS s FROM rfm_segment_rules(), generate_series(recency_low, recency_high) r,
             generate_series(frequency_low, frequency_high) f GROUP BY r, f HAVING count(*) = 1) q;
SELECT is(count(*), 10::bigint, 'of ten segments') FROM rfm_segment_rules()
WHERE num_nulls(monetary_low, monetary_high) = 2;
SELECT is(count(*) FILTER (WHERE outcome = format('22023 the default map is of scores of 5 bins, not %s', bins)),
  count(*),
          'which are not the cells of other bins')
FROM (SELECT bins, pg_temp.outcome(format('SELECT rfm_segment(%L)', score)) AS outcome
      FROM (SELECT DISTINCT bins, score FROM unnest('{2,3,7,9}'::integer[]) bins, pg_temp.scored(bins)
            UNION VALUES (4, '445/455'), (4, '44/4'), (4, '444/544')) q) q;
-- a map cut at random is read as written; with a cell too many or too few it is refused
CREATE TABLE map AS
  SELECT id, bins, jsonb_object_agg(format('s%s', place), cells) AS map
  FROM (SELECT id, bins, r % 3 AS place,
               jsonb_agg(format(CASE r % 2 WHEN 0 THEN 'r%s f%s-%s' ELSE ' R%s  F%s-%s ' END, r, low, high)) AS cells
        FROM (SELECT id, bins, r, low, high
              FROM (SELECT id, 2 + id % 8 AS bins, floor(random() * (1 + id % 8))::integer AS cut
                    FROM generate_series(1, 40) id) m,
                   generate_series(1, bins) r, LATERAL (VALUES (1, cut), (cut + 1, bins)) v (low, high)
                     WHERE low <= high) c
        GROUP BY 1, 2, 3) q GROUP BY id, bins;
SELECT is(count(*) FILTER (WHERE rfm_segment(r, f, bins, map) = format('s%s', r % 3)
                             AND rfm_segment(concat(r, f, 1, '/', bins), map) = format('s%s', r % 3)), count(*),
                               'maps of my own')
FROM map, generate_series(1, bins) r, generate_series(1, bins) f;
SELECT is(count(*) FILTER (WHERE pg_temp.outcome(format('SELECT rfm_segment(1, 1, %s, %L)', bins,
  jsonb_set(map, '{s1,0}', '[]')))
                                 LIKE '22023%'), count(*), 'with a hole') FROM map;
SELECT is(count(*) FILTER (WHERE pg_temp.outcome(format('SELECT rfm_segment(1, 1, %s, %L)', bins,
                                                        map || format('{"more": "r%s f%s"}', r, f)::jsonb))
  LIKE format('22023 map has an overlap: recency score %s and frequency score %s are %%', r, f)),
          count(*), 'with an overlap') FROM map, generate_series(1, bins) r, generate_series(1, bins) f;
-- three scores, each of a number of bins of its own: a cell has the segment of the box that it lies in
CREATE TABLE cube AS
  SELECT id, rb, fb, mb, cut, jsonb_build_object('top', format('r%s f1-%s m%s-%s', rb, fb, cut, mb), 'rest',
           jsonb_build_array(format('r1-%s f1-%s', rb - 1, fb), format('r%s f1-%s m1-%s', rb, fb, cut - 1))) AS map
  FROM (SELECT id, 2 + id % 8 AS rb, 2 + id % 3 AS fb, 2 + id % 5 AS mb,
          2 + floor(random() * (1 + id % 5))::integer AS cut
        FROM generate_series(1, 30) id) q;
SELECT is(count(*) FILTER (WHERE rfm_segment(concat(r, f, m, '/', rb, fb, mb), map)
                                 = CASE WHEN r = rb AND m >= cut THEN 'top' ELSE 'rest' END), count(*),
                                   'maps of three scores')
FROM cube, generate_series(1, rb) r, generate_series(1, fb) f, generate_series(1, mb) m;
SELECT results_eq($$SELECT segment, recency_low, frequency_high, monetary_low, monetary_high
  FROM rfm_segment_rules('{"a": ["r3 f1-3 m2-3", "r1-2 f1-3"], "b": "r3 f1-3 m1"}', 3) ORDER BY place$$,
  $$VALUES ('a', 3, 3, 2, 3), ('a', 1, 3, 1, 3), ('b', 3, 3, 1, 1)$$, 'and their rules');
SELECT is(pg_temp.outcome(query), error, query) FROM (VALUES
  ('SELECT rfm_segment(''55'', ''{"a": "r1-5 f1-5 m5", "b": "r1-5 f1-5 m1-4"}'')',
   '22023 map looks at the monetary score, which is missing'),
  ('SELECT rfm_segment(5, 5, 5, ''{"a": "r1-5 f1-5 m5", "b": "r1-5 f1-5 m1-4"}'')',
   '22023 map looks at the monetary score, which is missing'),
  ('SELECT rfm_segment(''555'', ''{"a": "r1-5 f1-5 m5", "b": "r1-5 f1-5 m1-3"}'')',
   '22023 map has a hole: no segment for recency score 1, frequency score 1 and monetary score 4'),
  ('SELECT rfm_segment(''555'', ''{"a": "r1-5 f1-5 m5", "b": "r5 f2"}'')',
   '22023 map has an overlap: recency score 5, frequency score 2 and monetary score 5 are "a" and "b"'),
  ('SELECT rfm_segment(''333/3'', ''{"a": "r1-5 f1-5"}'')', '22023 cells "r1-5 f1-5" of segment "a" cannot be read'),
  ('SELECT rfm_segment(''444/3'')', '22023 recency score must be between 1 and 3, not 4'),
  ('SELECT rfm_segment(''404'')', '22023 frequency score must be between 1 and 5, not 0'),
  ('SELECT rfm_segment(''444/'')', '22023 "444/" is no score of rfm_score()'),
  ('SELECT rfm_segment(''444/44'')', '22023 "444/44" is no score of rfm_score()'),
  ('SELECT rfm_segment(''444/4x'')', '22023 "444/4x" is no score of rfm_score()'),
  ('SELECT rfm_segment(''111/1'')', '22023 "111/1" is no score of rfm_score()'),
  ('SELECT rfm_segment('''')', '22023 "" is no score of rfm_score()'),
  ('SELECT rfm_segment(4, 4)', '42883 function rfm_segment(integer, integer) does not exist')) e (query, error);

-- Labels --------------------------------------------------------------------------------------------------------------

SELECT is(array_agg(segment ORDER BY place), '{seasonal,inactive,one_time,two_time,loyalist,under_performer}',
  'rules in order') FROM segment_rules();
SELECT matches((SELECT rule FROM segment_rules(inactive_after => 77) WHERE place = 2), '77 days',
  'with the numbers in force');
SELECT is((SELECT count(*) FROM (SELECT proargnames[3:12], proargdefaults IS NULL FROM pg_proc WHERE proname = 'segment'
    UNION SELECT proargnames[1:10], proargdefaults IS NULL FROM pg_proc WHERE proname = 'segment_rules') q), 1::bigint,
  'segment_rules has the thresholds of segment');
SELECT * FROM finish();
ROLLBACK;
