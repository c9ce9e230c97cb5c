-- survival_curve() and what is read from it: against an oracle in plain SQL, in every plan, and by the identities that
-- must hold.  The same bytes whatever the order of rows, workers, partitions, frames, and however tables are rolled
-- up.  Ties are exact. (Reference numbers: survival_reference.sql; damaged values: survival_fuzz.sql; errors:
-- sql/survival.sql.)
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned
SELECT diag('seed ' || :'seed');
SET max_parallel_workers_per_gather = 0;

-- Customers: few and many distinct durations, NULLs, ties of every kind -----------------------------------------------

CREATE TABLE customer (n integer, country text, plan text, small integer, big bigint, real double precision,
  span interval, entry integer, event boolean, weight double precision, reason text) WITH (parallel_workers = 3);
INSERT INTO customer
  SELECT n, pg_temp.pick('{at,be,cz,dk}'::text[]), CASE WHEN random() > 0.02
    THEN pg_temp.pick('{free,"",10,9,-3}'::text[]) END, d, d * 200000000000000003::bigint,
    d / 7.0 * pg_temp.pick('{1,0.1,3}'::float8[]), d * pg_temp.pick('{"1 day","24:00:00","1 hour"}'::interval[]),
    d - 1 - floor(random() * 10)::integer, CASE WHEN random() > 0.02 THEN random() < 0.4 END,
      pg_temp.pick('{0,1,2,3,0.1,1e-3,2.5}'::float8[]), pg_temp.pick('{NULL,price,moved,"died"}'::text[])
  FROM (SELECT n, CASE WHEN random() > 0.02 THEN floor(random() * random() * 40)::integer END AS d
    FROM generate_series(1, 4000) n) q;
ANALYZE customer;

-- The oracle: at risk by counting, survival by multiplying.
CREATE FUNCTION pg_temp.oracle(source text) RETURNS TABLE (duration double precision, at_risk double precision,
  events double precision, censored double precision, survival double precision, standard_error double precision,
  cumulative_hazard double precision) LANGUAGE plpgsql AS $$
DECLARE
  s double precision := 1;
  greenwood double precision := 0;
  h double precision := 0;
  r record;
BEGIN
  EXECUTE 'CREATE TEMPORARY TABLE o AS SELECT t::float8, coalesce(start, ''-Infinity'')::float8 AS start, e,
    coalesce(w, 1)::float8 AS w FROM ' || source
    || ' v (t, start, e, w) WHERE t IS NOT NULL AND e IS NOT NULL AND coalesce(w, 1) > 0';
  FOR r IN SELECT p.t, (SELECT sum(w) FROM o WHERE o.start < p.t AND o.t >= p.t) AS n,
    coalesce((SELECT sum(w) FROM o WHERE o.t = p.t AND e), 0) AS d,
    coalesce((SELECT sum(w) FROM o WHERE o.t = p.t AND NOT e), 0) AS c FROM (SELECT DISTINCT t FROM o) p ORDER BY t LOOP
    s := CASE WHEN abs(r.n - r.d) < 1e-9 THEN 0 ELSE s * (r.n - r.d) / r.n END;
    IF s > 0 THEN greenwood := greenwood + r.d / r.n / (r.n - r.d); END IF;
    h := h + r.d / r.n;
    duration := r.t; at_risk := r.n; events := r.d; censored := r.c; survival := s;
    standard_error := CASE WHEN s > 0 THEN s * sqrt(greenwood) END; cumulative_hazard := h;
    RETURN NEXT;
  END LOOP;
  DROP TABLE o;
END $$;
CREATE TABLE form (o serial, call text, source text);
INSERT INTO form (call, source)
  VALUES ('survival_curve(small, event)', '(SELECT small, NULL::float8, event, NULL::float8 FROM customer)'),
  ('survival_curve(small::smallint, event)', NULL),
  ('survival_curve(big, event)', '(SELECT big, NULL::float8, event, NULL::float8 FROM customer)'),
  ('survival_curve(real, event)', '(SELECT real, NULL::float8, event, NULL::float8 FROM customer)'),
    ('survival_curve(real::real, event)', NULL), ('survival_curve(real::numeric, event)', NULL),
  ('survival_curve(span, event)',
    '(SELECT extract(epoch FROM span) / 86400, NULL::float8, event, NULL::float8 FROM customer)'),
    ('survival_curve(small, event, weight)', '(SELECT small, NULL::float8, event, weight FROM customer)'),
  ('survival_curve(entry, small, event)', '(SELECT small, entry::float8, event, NULL::float8 FROM customer)'),
    ('survival_curve(entry / 2.0::float8, small / 2.0::float8, event, weight)',
    '(SELECT small / 2.0, entry / 2.0, event, weight FROM customer)'),
  ('survival_curve(entry, big, event)', '(SELECT big, entry::float8, event, NULL::float8 FROM customer)'),
    ('survival_curve(span - interval ''5 days'', span, event, n)', NULL);
CREATE TABLE fitted (o integer, call text, answer text, grouped text);
CREATE FUNCTION pg_temp.grouped(call text, source text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
  EXECUTE format('SELECT string_agg(country || t, '' '' ORDER BY country)
      FROM (SELECT country, %s::text AS t FROM %s GROUP BY country) g', call, source) INTO r;
  RETURN r;
END $$;
DO $$
DECLARE f record; r text;
BEGIN
  FOR f IN SELECT * FROM form LOOP
    EXECUTE format('SELECT %s::text FROM (SELECT * FROM customer ORDER BY n) e', f.call) INTO r;
    INSERT INTO fitted VALUES (f.o, f.call, r, pg_temp.grouped(f.call, 'customer'));
  END LOOP;
END $$;
SELECT pg_temp.agree('as counted: ' || call,
  format('SELECT concat(duration, '' '', title), have, want
    FROM (SELECT r.duration, u.* FROM survival_rows(%L::survival_table) r,
    LATERAL (VALUES (''n'', at_risk), (''d'', events), (''c'', censored), (''S'', survival), (''se'', standard_error),
    (''H'', cumulative_hazard)) u (title, have)) h
  FULL JOIN (SELECT r.duration, u.*
    FROM pg_temp.oracle(%L) r, LATERAL (VALUES (''n'', at_risk), (''d'', events), (''c'', censored), (''S'', survival),
      (''se'', standard_error), (''H'', cumulative_hazard)) u (title, want)) w USING (duration, title)', answer,
    source), (SELECT count(*) * 6 FROM survival_rows(answer::survival_table)), 1e-9, 1e-12)
FROM fitted JOIN form USING (o, call) WHERE source IS NOT NULL AND call !~ 'span' ORDER BY o;
SELECT pg_temp.agree('as counted: intervals',
  format('SELECT concat(row_number() OVER (ORDER BY h.duration)), h.survival, w.survival
    FROM survival_rows(%L::survival_table) h JOIN pg_temp.oracle(%L) w ON abs(h.duration - w.duration) < 1e-9', answer,
    source), (SELECT count(*) FROM survival_rows(answer::survival_table)), 1e-9, 1e-12)
FROM fitted JOIN form USING (o, call) WHERE call = 'survival_curve(span, event)';
SELECT ok(answer = (SELECT answer FROM fitted WHERE o = 1), 'integers of all widths: ' || call) FROM fitted WHERE o = 2;
SELECT ok(answer::survival_table::text = answer AND answer::survival_table = answer::survival_table
  AND NOT answer::survival_table <> answer::survival_table, 'text and back: ' || call) FROM fitted ORDER BY o;

-- Plans ---------------------------------------------------------------------------------------------------------------

CREATE FUNCTION pg_temp.check(title text, source text, plan_has text DEFAULT '', by_groups boolean DEFAULT false)
  RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  f record;
  r text;
  found text := '';
BEGIN
  FOR f IN SELECT * FROM fitted ORDER BY o LOOP
    IF plan_has <> '' AND pg_temp.plan(CASE
      WHEN by_groups THEN format('SELECT country, %s FROM %s GROUP BY country', f.call, source)
      ELSE format('SELECT %s FROM %s', f.call, source) END) !~ plan_has THEN found := found || f.call
      || E': another plan\n'; END IF;
    IF by_groups THEN r := pg_temp.grouped(f.call, source);
    ELSE EXECUTE format('SELECT %s::text FROM %s', f.call, source) INTO r; END IF;
    IF r IS DISTINCT FROM (CASE WHEN by_groups THEN f.grouped ELSE f.answer END) THEN found := found || f.call || E'\n';
    END IF;
  END LOOP;
  RETURN is(found, '', title);
END $$;
SELECT pg_temp.check('rows ordered by ' || o, format('(SELECT * FROM customer ORDER BY %s) e', o))
  FROM unnest('{n DESC,small,"small DESC, event",weight,md5(n::text)}'::text[]) o;
SELECT pg_temp.check('groups of sorted rows', '(SELECT * FROM customer ORDER BY country, real OFFSET 0) e',
  by_groups => true);
CREATE TABLE by_row (LIKE customer) PARTITION BY HASH (n);
CREATE TABLE by_country (LIKE customer) PARTITION BY LIST (country);
SELECT format('CREATE TABLE by_row_%s PARTITION OF by_row FOR
    VALUES WITH (MODULUS 4, REMAINDER %1$s) WITH (parallel_workers = 2)', i) FROM generate_series(0, 3) i \gexec
SELECT format('CREATE TABLE by_country_%s PARTITION OF by_country FOR VALUES IN (%1$L) WITH (parallel_workers = 2)', c)
  FROM unnest('{at,be,cz,dk,zz}'::text[]) c \gexec
INSERT INTO by_row TABLE customer;
INSERT INTO by_country TABLE customer;
ANALYZE by_row; ANALYZE by_country;
SET enable_partitionwise_aggregate = on;
SELECT pg_temp.check('partition-wise', 'by_row', 'Append\s+->  Partial Aggregate');
SELECT pg_temp.check('partition-wise, groups in all partitions', 'by_row', 'Append\s+->  Partial (Hash|Group)Aggregate',
  true);
SELECT pg_temp.check('partition-wise, an empty one among them', 'by_country', 'Append\s+->  Partial Aggregate');
SET max_parallel_workers_per_gather = 3;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT pg_temp.check('workers and the leader', 'customer', 'Gather.*Partial Aggregate');
SET parallel_leader_participation = off;
SELECT pg_temp.check('workers alone', 'customer', 'Gather.*Partial Aggregate');
SELECT pg_temp.check('workers, groups', 'customer', 'Gather.*Partial', true);
SELECT pg_temp.check('workers, partition-wise', 'by_row', 'Gather');
RESET parallel_leader_participation;
SET max_parallel_workers_per_gather = 0;
RESET enable_partitionwise_aggregate;
SELECT is(count(*) FILTER (WHERE t::text <> (SELECT survival_curve(small, event)::text FROM customer c
    WHERE c.n BETWEEN w.n - 20 AND w.n + 3)), 0::bigint, 'frames of a window')
FROM (SELECT n, survival_curve(small, event) OVER (ORDER BY n ROWS BETWEEN 20 PRECEDING AND 3 FOLLOWING) AS t
  FROM customer) w WHERE n % 7 = 0;
SELECT is(count(*) FILTER (WHERE t::text <> (SELECT survival_curve(real, event, weight)::text FROM customer c
    WHERE c.n <= w.n)), 0::bigint, 'a window that grows')
FROM (SELECT n, survival_curve(real, event, weight) OVER (ORDER BY n) AS t FROM customer WHERE n <= 600) w
  WHERE n % 5 = 0;
SELECT is(survival_curve(small, event)::text, (SELECT survival_curve(small, event)::text FROM customer
    WHERE country = 'at'), 'FILTER') FROM (SELECT small, event FROM customer WHERE country = 'at') q;
SELECT is((a.t = b.t)::text, 'true', 'one state, two uses')
  FROM (SELECT survival_curve(small, event) AS t, survival_chart(survival_curve(small, event)) FROM customer) a,
  (SELECT survival_curve(small, event) AS t FROM customer) b;

-- Roll-ups ------------------------------------------------------------------------------------------------------------

SELECT is((SELECT rollup(t)::text FROM (SELECT survival_curve(small, event) AS t FROM customer GROUP BY n % k) q),
  (SELECT answer FROM fitted WHERE o = 1), format('%s tables rolled up', k)) FROM unnest('{1,2,7,4000}'::integer[]) k;
SELECT is((SELECT rollup(t)::text
    FROM (SELECT rollup(t) AS t FROM (SELECT survival_curve(small, event, weight) AS t, n % 5 AS m FROM customer
    GROUP BY n % 100, n % 5) q GROUP BY m) q),
  (SELECT answer FROM fitted WHERE call = 'survival_curve(small, event, weight)'),
  'roll-ups of roll-ups, with weights');
SELECT is((SELECT rollup(t)::text
    FROM (SELECT survival_curve(entry / 2.0::float8, small / 2.0::float8, event, weight) AS t FROM customer
    GROUP BY n % 13) q), (SELECT answer FROM fitted WHERE call ~ 'entry / 2'), 'with entries and weights');
SELECT is((SELECT rollup(t)::text
    FROM (SELECT survival_curve(small, event) AS t FROM customer WHERE n % 2 = 0 UNION ALL
    SELECT survival_curve(small, event, 1) FROM customer WHERE n % 2 = 1 UNION ALL SELECT survival_curve(real, event)
    FROM customer WHERE false UNION ALL SELECT NULL) q),
  (SELECT answer FROM fitted WHERE o = 1), 'weights of 1 are none; a table without rows and NULL add nothing');
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 3;
SELECT is((SELECT rollup(t)::text FROM (SELECT survival_curve(small, event) AS t FROM by_row GROUP BY n) q),
  (SELECT answer FROM fitted WHERE o = 1), 'rolled up in parallel, partition by partition');
SET max_parallel_workers_per_gather = 0;
RESET enable_partitionwise_aggregate;
SELECT is(rollup(t), NULL, 'nothing rolled up') FROM (SELECT NULL::survival_table AS t) q;

-- Labels: the transition functions of logrank() and competing_risks() -------------------------------------------------

CREATE AGGREGATE pg_temp.by_group(anycompatible, boolean, "any", "any") (SFUNC = survival_grouped_strata_trans,
  STYPE = internal, FINALFUNC = survival_final, COMBINEFUNC = survival_combine, SERIALFUNC = survival_serialize,
  DESERIALFUNC = survival_deserialize, PARALLEL = SAFE);
CREATE AGGREGATE pg_temp.by_cause(anycompatible, anycompatible, "any") (SFUNC = survival_causes_entry_trans,
  STYPE = internal, FINALFUNC = survival_final, COMBINEFUNC = survival_combine, SERIALFUNC = survival_serialize,
  DESERIALFUNC = survival_deserialize, PARALLEL = SAFE);
CREATE TABLE labelled AS SELECT 'groups and strata' AS title, 'pg_temp.by_group(small, event, plan, country)' AS call
  UNION ALL SELECT 'causes', 'pg_temp.by_cause(entry, small, reason)' UNION ALL
  SELECT 'groups that are numbers', 'pg_temp.by_group(real, event, small % 13 - 5, event)';
CREATE FUNCTION pg_temp.value(call text, source text) RETURNS survival_table LANGUAGE plpgsql AS $$
DECLARE r survival_table;
BEGIN
  EXECUTE format('SELECT %s FROM %s', call, source) INTO r;
  RETURN r;
END $$;
SELECT ok(pg_temp.value(call, '(SELECT * FROM customer ORDER BY n) e') = pg_temp.value(call,
    '(SELECT * FROM customer ORDER BY md5(n::text)) e'), title || ' do not depend on the order of rows') FROM labelled;
SELECT ok(pg_temp.value(call, 'customer') =
  (SELECT rollup(pg_temp.value(call, format('(SELECT * FROM customer WHERE n %% 11 = %s) e', i)))
    FROM generate_series(0, 10) i), title || ' roll up') FROM labelled;
SET max_parallel_workers_per_gather = 3;
SET parallel_leader_participation = off;
SELECT ok((SELECT pg_temp.by_group(small, event, plan, country)
    FROM customer) = pg_temp.value(call, '(SELECT * FROM customer OFFSET 0) e'), title || ' in parallel') FROM labelled
  WHERE title = 'groups and strata';
SELECT matches(pg_temp.plan('SELECT pg_temp.by_group(small, event, plan, country) FROM customer'), 'Gather', 'really');
RESET parallel_leader_participation;
SET max_parallel_workers_per_gather = 0;
SELECT is((SELECT string_agg(DISTINCT r ->> 'group', ',')
    FROM jsonb_array_elements(pg_temp.value('pg_temp.by_group(small, event, small % 13 - 5, 1)', 'customer')::jsonb
    -> 'rows') r), (SELECT string_agg(DISTINCT (small % 13 - 5)::text, ',') FROM customer WHERE event IS NOT NULL),
  'groups by name');
SELECT is((SELECT array_agg(g ORDER BY first)
    FROM (SELECT r ->> 'group' AS g, min(o) AS first
    FROM jsonb_array_elements(pg_temp.value('pg_temp.by_group(small, event, plan, 1)', 'customer')::jsonb -> 'rows')
    WITH ORDINALITY e (r, o) GROUP BY 1) q), '{-3,9,10,"",free}', 'whole numbers first, by value, then by bytes');
SELECT is((SELECT jsonb_agg(to_jsonb(r) ORDER BY duration)
    FROM survival_rows(pg_temp.value('pg_temp.by_group(small, event, 1, country)', 'customer')) r),
  (SELECT jsonb_agg(to_jsonb(r) ORDER BY duration) FROM fitted, survival_rows(answer::survival_table) r WHERE o = 1),
  'the curve of all groups and strata');
SELECT is((SELECT jsonb_agg(to_jsonb(r) ORDER BY duration)
    FROM survival_rows(pg_temp.value('pg_temp.by_cause(entry, small, reason)', 'customer')) r),
  (SELECT jsonb_agg(to_jsonb(r) ORDER BY duration)
    FROM (SELECT survival_curve(entry, small, reason IS NOT NULL) AS t FROM customer) q, survival_rows(t) r),
  'the curve of all causes');
SELECT is(pg_temp.value('pg_temp.by_cause(-1, small, n % 3)', 'customer')::jsonb,
  pg_temp.value('pg_temp.by_cause(-1, small, nullif(n % 3, 0)::text)', 'customer')::jsonb, 'cause 0 is none');

-- Identities ----------------------------------------------------------------------------------------------------------

SELECT pg_temp.agree('weights are repeated rows: ' || title,
  format('SELECT a.duration, a.%1$s, b.%1$s
    FROM (SELECT survival_curve(entry, small, event, n %% 4) AS t FROM customer) x, survival_rows(t) a
    FULL JOIN (SELECT r.* FROM (SELECT survival_curve(entry, small, event) AS t
    FROM customer, generate_series(1, n %% 4)) y, survival_rows(t) r) b USING (duration)', title),
  (SELECT count(DISTINCT small) FROM customer WHERE n % 4 > 0 AND event IS NOT NULL), 0, 1e-14)
    FROM unnest('{at_risk,events,censored,survival,standard_error,low,high,cumulative_hazard,hazard,hazard_low,hazard_high}'::text[])
    title;
SELECT is(count(*) FILTER (WHERE survival <> (n - d)::float8 / n), 0::bigint,
  'without censoring survival is the share that is left, to the last digit')
FROM (SELECT count(*) AS n, survival_curve(n * 0.37, true) AS t FROM customer WHERE n <= 1777) q, survival_rows(t) r,
  LATERAL (SELECT count(*) AS d FROM customer WHERE n * 0.37::float8 <= duration + 1e-9 AND n <= 1777) d;
SELECT is(count(*) FILTER (WHERE NOT coalesce(low <= survival AND survival <= high AND low >= 0 AND high <= 1,
    standard_error IS NULL OR survival = 1) OR NOT (hazard_low <= hazard AND hazard <= hazard_high)), 0::bigint,
  'limits hold the estimates') FROM fitted, unnest('{plain,log,log-log}'::text[]) band,
  survival_rows(answer::survival_table, 0.9, band);
SELECT is(count(*) FILTER (WHERE survival_at(answer::survival_table, duration) IS DISTINCT FROM survival
    OR (duration > 0 AND survival_conditional(answer::survival_table, 0, duration) <> survival
    / survival_at(answer::survival_table, 0))), 0::bigint, 'survival_at() is the curve')
  FROM fitted, survival_rows(answer::survival_table) WHERE o <> 3 AND survival_at(answer::survival_table, 0) > 0;
SELECT is(count(*) FILTER (WHERE quantile IS DISTINCT FROM (SELECT min(duration)
    FROM survival_rows(answer::survival_table) WHERE survival <= 1 - p / 20.0 + 1e-12)), 0::bigint,
  'quantiles are the first of their points') FROM fitted, generate_series(1, 19) p,
  survival_quantile(answer::survival_table, p / 20.0);
SELECT pg_temp.agree('restricted means are areas',
  'SELECT o, m.restricted_mean, (SELECT sum(survival * (least(next, 20) - duration))
    FROM (SELECT duration, survival, coalesce(lead(duration) OVER (ORDER BY duration), ''Infinity'') AS next
    FROM (SELECT duration, survival FROM survival_rows(answer::survival_table) UNION ALL SELECT -1e-300, 1) z) q
    WHERE duration < 20)
  FROM fitted, restricted_mean(answer::survival_table, 20) m', 12, 1e-12, 1e-12);
SELECT is(survival_quantile.quantile, 5.5::float8, 'the middle of a flat part')
  FROM (SELECT survival_curve(n, true) AS t FROM generate_series(1, 10) n) q,
  survival_quantile(t, 0.5, midpoint => true);
-- 1 - 0.9 is not 0.1, nor is 1 - 0.7 0.3
SELECT is((SELECT array_agg(quantile ORDER BY p)
    FROM (SELECT survival_curve(n, true) AS t FROM generate_series(1, 10) n) q, generate_series(1, 9) p,
    survival_quantile(t, p / 10.0::float8)), '{1,2,3,4,5,6,7,8,9}', 'every tenth of ten');
SELECT is((SELECT array_agg(quantile ORDER BY p)
    FROM (SELECT survival_curve(n, true, 1e-3) AS t FROM generate_series(1, 1000) n) q,
    unnest('{0.1,0.3,0.7,0.9,0.999}'::float8[]) p, survival_quantile(t, p)), '{100,300,700,900,999}',
  'weights that are no binary fractions');

-- what is read at one duration is the row of the curve
SELECT is(count(*) FILTER (WHERE (i.survival, i.standard_error, i.low, i.high) IS DISTINCT FROM (r.survival,
    r.standard_error, r.low, r.high)), 0::bigint, 'survival_interval() is the row of survival_rows(), ' || band)
FROM fitted, unnest('{plain,log,log-log}'::text[]) band, survival_rows(answer::survival_table, 0.9, band) r,
  survival_interval(answer::survival_table, duration, 0.9, band) i GROUP BY band ORDER BY band;
SELECT is((SELECT array_agg(i::text ORDER BY d) FROM unnest('{0.5,1.5,2,3.5}'::float8[]) d,
    survival_interval(t, d, NULL, 'plain') i),
  '{"(1,0,1,1)","(0.5,0.3535533905932738,0,1)","(0.5,0.3535533905932738,0,1)","(,,,)"}',
  'before the first duration, between, at and beyond the last')
FROM (SELECT survival_curve(d, e) AS t FROM (VALUES (1, true), (3, false)) v (d, e)) q;
SELECT is((SELECT i::text FROM survival_interval(t, interval '36 hours', 0.95, 'log') i),
  (SELECT i::text FROM survival_interval(t, 1.5, interval_type => 'log') i), 'intervals are days')
  FROM (SELECT survival_curve(d * interval '1 day', d < 3) AS t FROM generate_series(1, 3) d) q;
SELECT is((SELECT count(*) FROM survival_interval(NULL, 1::float8)) + (SELECT count(*)
    FROM survival_interval(t, NULL::float8)) + (SELECT count(*) FROM survival_interval(t, NULL::interval)), 0::bigint,
  'no row for a NULL') FROM (SELECT survival_curve(d, true) AS t FROM generate_series(1, 3) d) q;
SELECT is(i::text, '(,,,)', 'NULLs of no customers')
  FROM (SELECT survival_curve(d, true) AS t FROM generate_series(1, 0) d) q, survival_interval(t, 0) i;
SELECT is(i::text, '(0,,,)', 'all have left') FROM (SELECT survival_curve(d, true) AS t FROM generate_series(1, 3) d) q,
  survival_interval(t, 9) i;
SELECT throws_ok('SELECT survival_interval(survival_curve(5, true), interval ''5 days'')', '42804',
  'duration is an interval, but the durations of the survival_table are numbers', 'an interval of numbers');
SELECT throws_ok('SELECT survival_interval(survival_curve(5, true), -1)', '22023',
  'duration must not be negative, not -1', 'before the start');

-- Extremes ------------------------------------------------------------------------------------------------------------

SELECT is((SELECT restricted_mean || ' ' || standard_error FROM restricted_mean(far)),
  (SELECT restricted_mean * 2 ^ e || ' ' || standard_error * 2 ^ e FROM restricted_mean(near)),
  'a mean and its error, durations times 2^' || e)
FROM (SELECT e, survival_curve(n, n % 3 > 0) AS near, survival_curve(n * (2::float8 ^ e), n % 3 > 0) AS far
  FROM generate_series(1, 50) n, unnest('{-1000,-600,600,1000}'::integer[]) e GROUP BY e) q ORDER BY e;
SELECT is(quantile, 3::float8, 'no share has left where nobody has')
  FROM (SELECT survival_curve(n, n > 2) AS t FROM generate_series(1, 4) n) q, survival_quantile(t, 1e-13);
SELECT is(max(at_risk), 2.1::float8, 'sums of many of a weight are exact')
  FROM (SELECT survival_curve(1, true, w) AS t FROM (VALUES (0.1, 3), (0.3, 6)) v (w, times), generate_series(1, times))
  q, survival_rows(t);
SELECT matches(survival_chart(survival_curve(n, true)), 'median 1234567\n', 'a median of seven digits')
  FROM generate_series(1234567, 1234568) n;
SELECT throws_ok(format('SELECT %s FROM generate_series(1, 32768) n', call), '54000',
  'a survival_table cannot have more than 32767 ' || what, 'too many ' || what)
  FROM (VALUES ('logrank(1, true, n)', 'groups'), ('logrank(1, true, 1, n)', 'strata'),
  ('competing_risks(1, n)', 'causes')) v (call, what);

-- Ties ----------------------------------------------------------------------------------------------------------------

SELECT is(count(*), 2::bigint, '0.1 + 0.2 is not 0.3 of double precision')
  FROM (SELECT survival_curve(d, true) AS t FROM (VALUES (0.1::float8 + 0.2::float8), (0.3::float8)) v (d)) q,
  survival_rows(t);
SELECT is(count(*), 1::bigint, 'but of numeric')
  FROM (SELECT survival_curve(d, true) AS t FROM (VALUES (0.1 + 0.2), (0.3)) v (d)) q, survival_rows(t);
SELECT is((SELECT array_agg(at_risk ORDER BY at_risk DESC) FROM survival_rows(t)), '{3,2,1}',
  'whole numbers beyond 2^53') FROM (SELECT survival_curve(d, true) AS t
  FROM (VALUES (9007199254740992), (9007199254740993), (9223372036854775807)) v (d)) q;
SELECT is((SELECT array_agg(r::text) FROM (SELECT duration, at_risk, events FROM survival_rows(t)) r),
  '{"(0,3,1)","(30,2,2)"}', 'a month is 30 days, a day 24 hours, -0 is 0')
  FROM (SELECT survival_curve(d, true) AS t
  FROM (VALUES (interval '1 month'), ('29 days 24:00'), ('1 mon -30 days')) v (d)) q;
SELECT is((SELECT array_agg(duration) FROM survival_rows(t)), '{0}', 'minus zero')
  FROM (SELECT survival_curve(d, true) AS t FROM (VALUES ('-0'::float8), (0)) v (d)) q;
SELECT is((SELECT array_agg(at_risk ORDER BY duration) FROM survival_rows(t)), '{1,1}',
  'at risk after entry, until and with the duration')
  FROM (SELECT survival_curve(s, d, true) AS t FROM (VALUES (0, 5), (5, 6)) v (s, d)) q;
SELECT is((SELECT array_agg(survival ORDER BY duration) FROM survival_rows(t)), '{0}',
  'those that leave last are all that are left, whatever their weights add up to')
  FROM (SELECT survival_curve(1, true, w) AS t FROM (VALUES (0.1), (0.2), (0.3), (1e15), (1e-15)) v (w)) q;

-- Many distinct rows: the array behind the hash -----------------------------------------------------------------------

CREATE TABLE many AS SELECT n, floor(random() * 90000)::bigint AS d, random() * 1000 AS f, random() < 0.5 AS e,
  1 + n % 7 AS w FROM generate_series(1, 250000) n;
SELECT is((SELECT count(*) FILTER (WHERE (h.d, h.e, h.c) IS DISTINCT FROM (w.d, w.e, w.c))
    FROM (SELECT duration AS d, events AS e, censored AS c FROM (SELECT survival_curve(d, e) AS t FROM many) q,
    survival_rows(t)) h
  FULL JOIN (SELECT d, count(*) FILTER (WHERE e) AS e, count(*) FILTER (WHERE NOT e) AS c FROM many GROUP BY d) w
    ON h.d = w.d), 0::bigint, 'as GROUP BY counts them');
SELECT ok((SELECT survival_curve(d, e) FROM many) = (SELECT survival_curve(d, e)
    FROM (SELECT * FROM many ORDER BY d) m), 'sorted or not, bigint');
SELECT ok((SELECT survival_curve(f, e) FROM many) = (SELECT rollup(t)
    FROM (SELECT survival_curve(f, e) AS t FROM many GROUP BY n % 9) q), 'in parts, double precision');
SELECT ok((SELECT survival_curve(f - 1, f, e, w) FROM many) = (SELECT survival_curve(f - 1, f, e, w)
    FROM (SELECT * FROM many ORDER BY e, f DESC) m), 'sorted or not, entries and weights');
SET max_parallel_workers_per_gather = 3;
SELECT ok((SELECT survival_curve(d - 1, d, e, w) FROM many) = (SELECT survival_curve(d - 1, d, e, w)
    FROM (SELECT * FROM many OFFSET 0) m), 'in parallel');
SET max_parallel_workers_per_gather = 0;
SET work_mem = '1MB';
SELECT is((SELECT count(*) FROM (SELECT survival_curve(d, e) AS t FROM many GROUP BY n) q WHERE t IS NOT NULL),
  250000::bigint, 'a quarter of a million groups of one row');
RESET work_mem;
SELECT * FROM finish();
ROLLBACK;
