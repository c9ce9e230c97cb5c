-- What must hold of clv whatever the data: random shops and customers, models in every unit, identities of probability,
-- standard errors against derivatives in SQL, values in and out, bad rows, fits without a maximum, call sites that meet
-- many models.
BEGIN;
SET client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned
SELECT diag('seed ' || :'seed');
SELECT pg_temp.open_shop((900 * :cases)::integer) \g /dev/null
CREATE TABLE summary AS SELECT c, country, frequency::float8 AS x, recency AS t_x, age, monetary_value::float8 AS z
  FROM histories, clv_summary(h, '2024-12-31');
SELECT cmp_ok(count(*) FILTER (WHERE x > 0), '>', (300 * :cases)::bigint, 'customers who came back') FROM summary;

-- What was fitted, without the day it was fitted as of.
CREATE FUNCTION pg_temp.fit_of(m clv_model) RETURNS text LANGUAGE sql AS $$SELECT (m::jsonb - 'as_of')::text$$;

-- Forms of the aggregate ----------------------------------------------------------------------------------------------

CREATE TABLE kind AS
SELECT model AS kind, time = 'discrete' AS discrete, m.kind = 'contract' AS contract,
  string_to_array(parameters, ', ') AS names
FROM clv_models() m WHERE m.kind <> 'spend';
SELECT count(*) AS kinds, count(*) FILTER (WHERE NOT contract) AS sellers, count(*) FILTER (WHERE discrete) AS discretes
FROM kind \gset
SELECT cmp_ok(:kinds, '>=', 7, 'models, in tests that run for each of them');
CREATE TABLE unit AS SELECT * FROM (VALUES ('day', 1), ('week', 7), ('month', 30.4375), ('quarter', 91.3125),
  ('year', 365.25)) u (unit, days);
SELECT is(pg_temp.fit_of(a), pg_temp.fit_of(b), 'of histories as of their clv_summary(): ' || kind || ' by ' || unit)
FROM kind, unit, LATERAL (SELECT clv_model(h, '2024-12-31', kind, 'none', unit) AS a FROM histories) p,
  LATERAL (SELECT clv_model(frequency, recency, age, NULL::float8, kind, 'none', unit) AS b
  FROM histories, clv_summary(h, '2024-12-31', unit)) q WHERE NOT discrete AND (unit = 'day' OR kind = 'bg_nbd');
SELECT pg_temp.agree('spend of histories as of their clv_summary()',
  $$SELECT parameter, p.estimate, q.estimate FROM (SELECT clv_model(h, '2024-12-31') AS m FROM histories) a,
    (SELECT clv_model(x, t_x, age, z) AS n FROM summary) b, clv_parameters(m) p
    JOIN LATERAL clv_parameters(n) q USING (parameter)$$, 7, 1e-9, 0);
SELECT is(a, b, 'without a day as of the latest one: ' || arguments)
  FROM unnest('{"","bg_nbd","pareto_nbd,none","mbg_nbd,gamma_gamma,week"}'::text[]) arguments,
  LATERAL (SELECT ', ' || string_agg(quote_literal(w), ', ') AS more FROM unnest(string_to_array(arguments, ',')) w) l,
  LATERAL pg_temp.outcome('SELECT clv_model(h, NULL' || coalesce(more, '') || ') FROM histories') a,
    LATERAL pg_temp.outcome('SELECT clv_model(h, (SELECT max(at) FROM orders)' || coalesce(more, '')
    || ') FROM histories') b;
SELECT is((SELECT clv_model(h)::text FROM histories), (SELECT clv_model(h, (SELECT max(at) FROM orders))::text
    FROM histories), 'and so with one argument');
SELECT is(pg_temp.outcome(format('SELECT clv_model(c, at, amount, %s) FROM orders', arguments)),
  pg_temp.outcome(format('SELECT clv_model(h, %s) FROM histories', arguments)),
  'one pass over orders gives the bytes of the histories: ' || arguments)
FROM unnest(ARRAY['NULL', 'date ''2024-12-31''', 'date ''2023-09-30''', '''2024-12-31'', ''mbg_nbd''',
    '''2024-12-31'', ''pareto_nbd'', ''none''', '''2024-12-31'', ''nbd'', NULL, ''month''',
    '''2024-12-31'', ''bg_bb'', ''none'', ''month''', '''2024-12-31'', ''sbg'', ''none'', ''quarter''',
    'NULL, ''bg_bb''', '''2022-01-01''']) arguments;
-- Discrete models count the calendar periods after the first active one that had ended, which SQL can do too.
CREATE FUNCTION pg_temp.in_periods(period text, as_of date) RETURNS TABLE (x bigint, t_x integer, age integer,
  z numeric) LANGUAGE sql AS $$
  WITH number AS (SELECT c, at, amount, CASE period WHEN 'day' THEN at - date '2001-01-01' WHEN 'week'
    THEN (at - date '2001-01-01') / 7 ELSE extract(year FROM at) * 12 + extract(month FROM at) - 1 END::integer / CASE
    period WHEN 'quarter' THEN 3 WHEN 'year' THEN 12 ELSE 1 END AS k
    FROM (SELECT c, at, amount FROM orders WHERE at <= as_of UNION ALL SELECT NULL, as_of + 1, NULL) e),
       last AS (SELECT k - 1 AS ended FROM number WHERE c IS NULL),
       first AS (SELECT c, min(k) AS first FROM number WHERE c IS NOT NULL GROUP BY c)
  SELECT count(DISTINCT k), (coalesce(max(k), first) - first)::integer, greatest(ended - first, 0),
    sum(amount) / count(DISTINCT k) FROM last, first
    LEFT JOIN (SELECT n.c, k, amount FROM number n, last WHERE k <= ended) n ON n.c = first.c AND k > first
    GROUP BY first.c, first, ended
$$;
SELECT is(pg_temp.fit_of(a), pg_temp.fit_of(b), format('periods that had ended by %s: %s', as_of, unit))
  FROM unit, unnest('{2024-12-31,2024-12-30,2024-03-01,2023-11-19}'::date[]) as_of, unnest('{bg_bb}'::text[]) kind,
  LATERAL (SELECT clv_model(h, as_of, kind, 'none', unit) AS a FROM histories) p,
    LATERAL (SELECT clv_model(x, t_x, age, NULL::float8, kind, 'none', unit) AS b FROM pg_temp.in_periods(unit, as_of))
    q;
SELECT pg_temp.agree('spend of months',
  $$SELECT parameter, p.estimate, q.estimate
    FROM (SELECT clv_model(h, '2024-12-31', 'bg_bb', NULL, 'month') AS m FROM histories) a,
    (SELECT clv_model(x, t_x, age, z::float8, 'bg_bb') AS n FROM pg_temp.in_periods('month', '2024-12-31')) b,
    clv_parameters(m) p JOIN LATERAL clv_parameters(n) q USING (parameter)$$, 7, 1e-9, 0);
SELECT is((SELECT clv_model(x, t_x, age)::jsonb ->> 'spend' FROM summary), NULL, 'three columns have no spend');
-- names of models are read as people write them
SELECT is((SELECT clv_model(x, t_x, age, z, b)::text FROM summary),
  (SELECT clv_model(x, t_x, age, z, a)::text FROM summary), b)
  FROM (VALUES ('bg_nbd', 'BG/NBD'), ('mbg_nbd', 'MBG-NBD'), ('pareto_nbd', 'Pareto/NBD'), ('bg_nbd', NULL)) v (a, b);

-- Equal customers are collapsed, exactly: in any order, repeated by a join or by hand, beside rows of NULL.
CREATE TABLE few AS SELECT floor(random() * 4) AS x, floor(random() * 5)::float8 AS t_x,
  5 + floor(random() * 3)::float8 AS age, 1 + floor(random() * 40) AS z, 1 + floor(random() * 12)::integer AS times
  FROM generate_series(1, 60);
UPDATE few SET t_x = CASE x WHEN 0 THEN 0 ELSE greatest(t_x, x) END;
SELECT is((SELECT clv_model(x, t_x, age, z, kind)::text
    FROM (SELECT * FROM few, generate_series(1, times) ORDER BY random()) q),
  (SELECT clv_model(x, t_x, age, z, kind)::text
    FROM (SELECT * FROM few, LATERAL (SELECT FROM generate_series(1, times)) g ORDER BY x DESC, z) q),
  'rows in any order: ' || kind) FROM kind;
SELECT is((SELECT clv_model(x, t_x, age, z, kind)
    FROM (SELECT x, t_x, age, z FROM few, generate_series(1, times) UNION ALL SELECT *
    FROM (VALUES (NULL, 1, 2, 3), (1, NULL, 2, 3), (1, 1, NULL, 3), (NULL, NULL, NULL, NULL)) v) q)::jsonb,
  (SELECT jsonb_set(clv_model(x, t_x, age, z, kind)::jsonb, '{skipped}', '4') FROM few, generate_series(1, times)),
  'rows of NULL are counted, and nothing else: ' || kind) FROM kind;
SELECT is((SELECT f.n FROM (SELECT clv_model(x, t_x, age) AS m FROM few, generate_series(1, times)) q, clv_fit(m) f),
  (SELECT sum(times) FROM few), 'n are customers, not kinds of them');
SELECT is((SELECT clv_model(x, t_x, age) FROM few WHERE false), NULL, 'no rows, no model');
SELECT is((SELECT clv_model(NULL::customer_history) FROM few WHERE false), NULL, 'nor of no histories');
SELECT is((SELECT (n, skipped, converged, reason)::text FROM (SELECT clv_model(NULL, x, t_x) AS m FROM few) q,
    clv_fit(m)), '(0,60,f,"no customers to fit")', 'NULLs alone are no customers');
SELECT is((SELECT p_alive(clv_model(NULL, x, t_x), 1, 1, 1) FROM few), NULL, 'of which nothing can be said');

-- Units: the same customers in weeks have alpha and beta by 7, and the same to come.
CREATE TABLE in_units AS SELECT kind, unit, days,
  clv_model(x, t_x / days::float8, age / days::float8, z, kind, 'gamma_gamma', unit) AS m FROM summary, kind, unit
  WHERE NOT discrete GROUP BY kind, unit, days;
SELECT is(string_agg(concat_ws(' ', kind, u.unit, reason), E'\n'), NULL, 'all converged') FROM in_units u, clv_fit(m) f
  WHERE NOT converged;
SELECT pg_temp.agree('parameters in other units',
  $$SELECT concat_ws(' ', u.kind, u.unit, parameter), p.estimate * CASE
    WHEN abs(p.estimate * u.days / q.estimate - 1) < abs(p.estimate / q.estimate - 1) THEN u.days ELSE 1 END, q.estimate
  FROM in_units u JOIN in_units d ON d.kind = u.kind AND d.unit = 'day', clv_parameters(u.m) p
    JOIN LATERAL clv_parameters(d.m) q USING (parameter)$$,
    (SELECT 5 * count(*)::integer FROM in_units u, clv_parameters(m) WHERE unit = 'day'), 1e-6, 0);
SELECT pg_temp.agree('predictions in other units', $$SELECT concat_ws(' ', u.kind, u.unit, c, what), have, want
    FROM (SELECT * FROM summary WHERE c % 40 = 0 LIMIT 20) s, in_units u
    JOIN in_units d ON d.kind = u.kind AND d.unit = 'day', LATERAL (VALUES
  ('alive', p_alive(u.m, x, t_x / u.days, age / u.days, '50 days'), p_alive(d.m, x, t_x, age, '50 days')),
    ('expected', expected_purchases(u.m, x, t_x / u.days, age / u.days), expected_purchases(d.m, x, t_x, age)),
  ('clv', clv(u.m, x, t_x / u.days, age / u.days, z), clv(d.m, x, t_x, age, z)),
    ('residual', residual_lifetime_value(u.m, x, t_x / u.days, age / u.days, z),
    residual_lifetime_value(d.m, x, t_x, age, z)),
  ('se', clv_se(u.m, x, t_x / u.days, age / u.days, z), clv_se(d.m, x, t_x, age, z))) v (what, have, want)$$,
  (SELECT 100 * least(count(*), 20) FROM summary WHERE c % 40 = 0), 1e-6, 1e-12);

-- Identities of probability, at random parameters and customers -------------------------------------------------------

-- Around what is usual, by name; a parameter that is not in the list, around 1.
CREATE FUNCTION pg_temp.parameters(model text) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
  SELECT jsonb_object_agg(name, exp(ln(coalesce(value::float8, 1)) + (random() - 0.5) * 3))
  FROM kind, unnest(names || '{p,q,v}'::text[]) name,
  LATERAL (SELECT ('{"r": 0.6, "s": 0.9, "a": 0.9, "b": 2.6, "gamma": 0.7, "delta": 6, "c": 1.3, "p": 5, "q": 5, '
      '"v": 20}'::jsonb
    || CASE WHEN discrete THEN '{"alpha": 0.8, "beta": 2}' ELSE '{"alpha": 40, "beta": 60}' END::jsonb) ->> name)
      usual (value)
  WHERE kind = model
$$;
CREATE TABLE guess AS
  SELECT n, kind, discrete, contract, m, parameters, x, CASE WHEN x = 0 AND NOT contract THEN 0 ELSE t_x END AS t_x,
    age, z, h1, h2
  FROM (SELECT n, kind, discrete, contract, pg_temp.parameters(kind) AS parameters, CASE WHEN discrete
    THEN age - floor(random() * 3) * (n % 2) ELSE age * (1 - random() ^ 3) END AS t_x, age, z, h1, h2,
          CASE WHEN discrete THEN least(floor(random() * 8), age - 3) ELSE floor(random() * random() * 30) END AS x
        FROM (SELECT n, kind, discrete, contract, floor(random() * 200) / CASE WHEN discrete THEN 10
          ELSE 1 END::integer + 4 AS raw_age, 1 + random() * 60 AS z,
          make_interval(days => 1 + floor(random() * 30)::integer) AS h1,
          make_interval(days => 1 + floor(random() * 80)::integer) AS h2
              FROM kind, generate_series(1, (40 * :cases)::integer) n) r,
                LATERAL (SELECT CASE WHEN discrete THEN floor(raw_age) ELSE raw_age END AS age) a) q,
  LATERAL (SELECT clv_model(kind, parameters) AS m) model;
SELECT cmp_ok(count(*), '=', (40 * :kinds * :cases)::bigint, 'models by hand, each with a customer') FROM guess
  WHERE m IS NOT NULL;
SELECT pg_temp.agree('P(X = 0) is P(no purchase)',
  'SELECT concat_ws('' '', kind, parameters, x, t_x, age), purchase_distribution(m, x, t_x, age, h1, 0),
    p_no_purchase(m, x, t_x, age, h1) FROM guess', (40 * :kinds * :cases)::bigint, 1e-12, 1e-300);
SELECT pg_temp.agree('the distribution sums to 1',
  'SELECT concat_ws('' '', kind, parameters, x, t_x, age), (SELECT sum(purchase_distribution(m, x, t_x, age, h1, k))
    FROM generate_series(0, 300) k), 1 FROM guess', (40 * :kinds * :cases)::bigint, 1e-11, 0);
SELECT pg_temp.agree('and has the expected mean',
  'SELECT concat_ws('' '', kind, parameters, x, t_x, age), (SELECT sum(k * purchase_distribution(m, x, t_x, age, h1, k))
    FROM generate_series(0, 300) k), expected_purchases(m, x, t_x, age, h1) FROM guess', (40 * :kinds * :cases)::bigint, 1e-9,
  1e-12);
-- nothing in h1 and then nothing in h2: a customer who has been silent for longer
SELECT pg_temp.agree('silence is a chain',
  $$SELECT concat_ws(' ', kind, parameters, x, t_x, age, h1, h2), p_no_purchase(m, x, t_x, age, h1 + h2),
    p_no_purchase(m, x, t_x, age, h1) * p_no_purchase(m, x, t_x, age + extract(day FROM h1)::float8, h2) FROM guess
    WHERE NOT contract$$, (40 * :sellers * :cases)::bigint, 1e-10, 1e-300);
SELECT is(string_agg(concat_ws(' ', kind, parameters, x, t_x, age), E'\n'), NULL, 'the longer ahead, the less alive')
  FROM guess WHERE NOT (p_alive(m, x, t_x, age, '0') = p_alive(m, x, t_x, age)
  AND p_alive(m, x, t_x, age, h1) <= p_alive(m, x, t_x, age)
  AND p_alive(m, x, t_x, age, h1 + h2) <= p_alive(m, x, t_x, age, h1) AND p_alive(m, x, t_x, age, h1 + h2) BETWEEN 0
  AND 1);
SELECT is(string_agg(concat_ws(' ', kind, parameters, x, t_x, age), E'\n'), NULL,
  'the longer the horizon, the more to come') FROM guess
  WHERE NOT (expected_purchases(m, x, t_x, age, '0') = 0 AND abs(p_no_purchase(m, x, t_x, age, '0') - 1) < 1e-15
  AND expected_purchases(m, x, t_x, age, h1) BETWEEN 0 AND expected_purchases(m, x, t_x, age, h1 + h2)
  AND p_no_purchase(m, x, t_x, age, h1 + h2) <= p_no_purchase(m, x, t_x, age, h1));
-- who is not alive does not buy: P(no purchase) is at least P(dead)
SELECT is(string_agg(concat_ws(' ', kind, parameters, x, t_x, age), E'\n'), NULL, 'the dead do not buy') FROM guess
  WHERE NOT p_no_purchase(m, x, t_x, age, h1 + h2) >= 1 - p_alive(m, x, t_x, age) - 1e-12;
SELECT pg_temp.agree('undiscounted value is purchases times spend',
  'SELECT concat_ws('' '', kind, parameters, x, t_x, age),
    clv(m, x, t_x, age, z, h1 + h2, discount_rate => 0, margin => 0.3, step => ''7 days''),
    0.3 * expected_purchases(m, x, t_x, age, h1 + h2) * expected_spend(m, x, t_x, age, z) FROM guess',
  (40 * :kinds * :cases)::bigint, 1e-9, 1e-12);
SELECT pg_temp.agree('in one step it comes at the end',
  'SELECT concat_ws('' '', kind, parameters, x, t_x, age), clv(m, x, t_x, age, z, h2, 0.2, step => h2),
    expected_purchases(m, x, t_x, age, h2) * expected_spend(m, x, t_x, age, z)
    * power(1.2::float8, -extract(day FROM h2) / 365.25) FROM guess', (40 * :kinds * :cases)::bigint, 1e-9, 1e-12);
-- At 1.9% a period nothing counts after 2,000 of them.  Cash is counted at the end of a step: the error is linear in it.
CREATE TABLE yearly AS
  SELECT g.*, y, clv(y, x, t_x, age, z, '2000 years', rate, step => '1 year') AS one,
    clv(y, x, t_x, age, z, '2000 years', rate, step => '2 years') AS two,
    residual_lifetime_value(y, x, t_x, age, z, rate) AS residual
  FROM guess g, LATERAL (SELECT clv_model(kind, parameters, 'year') AS y, 0.0191 AS rate OFFSET 0) u WHERE n <= 8;
SELECT pg_temp.agree('value without horizon is the limit of long ones',
  $$SELECT concat_ws(' ', kind, parameters, x, t_x, age), CASE WHEN discrete THEN one ELSE 2 * one - two END, residual
    FROM yearly$$, 8 * :kinds, 3e-4, 1e-12);
SELECT pg_temp.agree('of discrete models exactly',
  $$SELECT concat_ws(' ', kind, parameters, x, t_x, age), one, residual FROM yearly WHERE discrete$$, 8 * :discretes,
  1e-9, 1e-12);
SELECT pg_temp.agree('a shorter last step',
  'SELECT concat_ws('' '', kind, x, t_x, age), clv(m, x, t_x, age, z, ''50 days'', 0.3, step => ''40 days''),
    clv(m, x, t_x, age, z, ''40 days'', 0.3, step => ''40 days'')
    + (expected_purchases(m, x, t_x, age, ''50 days'') - expected_purchases(m, x, t_x, age, ''40 days''))
    * expected_spend(m, x, t_x, age, z) * power(1.3::float8, -50 / 365.25) FROM guess', (40 * :kinds * :cases)::bigint, 1e-9,
  1e-9);

-- clv() OVER: to the bit what clv_model() and clv() give by GROUP BY, NULL where the fit has not converged ------------

CREATE TABLE windows (o serial, arguments text, model text, terms text, form text);
INSERT INTO windows (arguments, model, terms, form) VALUES
  ('h, ''2024-12-31''', '', '', 'history'), ('h', NULL, '', 'history'),
    ('h, ''2024-12-31'', horizon => ''6 months'', discount_rate => 0.2, margin => 0.3, model => ''pareto_nbd'', unit '
    '=> ''week'', step => ''1 week''', ', ''pareto_nbd'', ''gamma_gamma'', ''week''',
    ', horizon => ''6 months'', discount_rate => 0.2, margin => 0.3, step => ''1 week''', 'history'),
  ('h, ''2024-06-30'', model => ''mbg_nbd'', unit => ''month''', ', ''mbg_nbd'', NULL, ''month''', '', 'history'),
    ('h, ''2024-12-31'', spend_model => ''none''', ', ''bg_nbd'', ''none''', '', 'history'),
    ('h, ''2024-12-31'', model => ''bg_bb'', unit => ''month''', ', ''bg_bb'', NULL, ''month''', '', 'history'),
  ('x, t_x, age, z', '', '', 'summary'),
    ('x, t_x, age, z, interval ''90 days'', 0.15, 0.5, ''nbd''', ', ''nbd''',
    ', horizon => ''90 days'', discount_rate => 0.15, margin => 0.5', 'summary'),
    ('x, t_x / 7, age / 7, z, unit => ''week''', ', ''bg_nbd'', NULL, ''week''', '', 'summary');
CREATE FUNCTION pg_temp.windows_differ(w windows) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  history boolean := w.form = 'history';
  as_of text := coalesce(substring(w.arguments FROM '''20[0-9-]*'''), 'NULL');
  customer text := CASE WHEN history THEN 'h, ' || as_of || '::date'
    ELSE substring(w.arguments FROM '^x, t_x[^,]*, age[^,]*, z') END;
  fit text := format('clv_model(%s%s)', CASE WHEN w.model IS NULL THEN 'h' ELSE customer END, w.model);
  r record;
BEGIN
  EXECUTE format('SELECT count(*), count(have) AS known, count(*) FILTER (WHERE have IS DISTINCT FROM want) AS differ
      FROM (
      SELECT s.c, clv(%1$s) OVER (PARTITION BY s.country) AS have, CASE WHEN (SELECT converged FROM clv_fit(m))
        THEN clv(m, %2$s%3$s) END AS want FROM histories s JOIN summary USING (c)
        JOIN (SELECT country, %4$s AS m FROM histories JOIN summary USING (c, country) GROUP BY country) f
        ON f.country = s.country) q', w.arguments, customer, w.terms, fit) INTO r;
  RETURN CASE WHEN r.differ > 0 THEN format('%s of %s rows differ', r.differ, r.count) WHEN r.known = 0
    THEN 'none is known' END;
END $$;
SELECT is(pg_temp.windows_differ(w), NULL, format('clv(%s) OVER', arguments)) FROM windows w;
-- neither the frame nor the order of the window matters, nor what else stands in it
SELECT is((SELECT array_agg(v ORDER BY c)
    FROM (SELECT c, clv(h) OVER (PARTITION BY country ORDER BY c DESC ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING) AS v
    FROM histories) q), (SELECT array_agg(v ORDER BY c)
    FROM (SELECT c, clv(h) OVER (PARTITION BY country) AS v FROM histories) q), 'orders and frames do not matter');
SELECT is((SELECT array_agg(v ORDER BY c)
    FROM (SELECT c, clv(h, discount_rate => 0.12) OVER w AS v, rank() OVER w, clv(h, model => 'nbd') OVER w
    FROM histories WINDOW w AS (PARTITION BY country)) q),
  (SELECT array_agg(v ORDER BY c)
    FROM (SELECT c, clv(h, discount_rate => 0.12) OVER (PARTITION BY country) AS v FROM histories) q),
  'nor other functions in the window');
SELECT is((SELECT array_agg(v ORDER BY c)
    FROM (SELECT c, clv(h, '2024-12-31') OVER (PARTITION BY country) AS v FROM histories UNION ALL
    SELECT NULL, clv(h) OVER () FROM (SELECT NULL::customer_history) n (h)) q),
  (SELECT array_agg(v ORDER BY c)
    FROM (SELECT c, clv(h, '2024-12-31') OVER (PARTITION BY country) AS v
    FROM (SELECT c, country, h FROM histories UNION ALL SELECT NULL, 'a', NULL) p) q),
  'NULL customers are NULL, and change nothing');
SELECT is((SELECT count(v) FROM (SELECT clv(h) OVER (PARTITION BY c) AS v FROM histories WHERE c <= 20) q), 0::bigint,
  'partitions that cannot be fitted are NULL, not an error');
SELECT is((SELECT count(v) FILTER (WHERE country = 'a') > 0 AND count(v) FILTER (WHERE country <> 'a') = 0
    FROM (SELECT country, clv(h) OVER (PARTITION BY country) AS v FROM histories WHERE country = 'a' OR c < 3) q), true,
  'nor one for the others');

-- Call sites that meet many models, and horizons that change from row to row: as one at a time ------------------------

CREATE TABLE many AS SELECT n % 37 AS k, clv_model('bg_nbd', pg_temp.parameters('bg_nbd')) AS m
  FROM generate_series(1, 37) n;
CREATE TABLE ask AS SELECT row_number() OVER () AS n, k, m, x, CASE x WHEN 0 THEN 0 ELSE t_x END AS t_x, age, z,
  make_interval(days => d) AS h, random() AS o
  FROM many, generate_series(1, 12) g,
    LATERAL (SELECT floor(random() * 4 + g * 0) AS x, floor(random() * 20) AS t_x, 20 + floor(random() * 10) AS age,
    10 + k AS z, (ARRAY[30, 60, 365])[1 + floor(random() * 3)::integer] AS d) r;
CREATE FUNCTION pg_temp.one_at_a_time(expression text) RETURNS TABLE (n bigint, v double precision) LANGUAGE plpgsql
  AS $$
DECLARE a ask;
BEGIN
  FOR a IN SELECT * FROM ask LOOP
    n := a.n;
    EXECUTE format('SELECT %s FROM ask WHERE n = %s', expression, a.n) INTO v;
    RETURN NEXT;
  END LOOP;
END $$;
CREATE FUNCTION pg_temp.site_check(expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE differ bigint; asked bigint;
BEGIN
  EXECUTE format('SELECT count(*), count(*) FILTER (WHERE have IS DISTINCT FROM v)
      FROM (SELECT n, %1$s AS have FROM (SELECT * FROM ask UNION ALL SELECT * FROM ask ORDER BY o) r) q
      JOIN pg_temp.one_at_a_time(%1$L) USING (n)', expression) INTO asked, differ;
  RETURN is((asked, differ)::text, '(888,0)', '37 models in turn: ' || expression);
END $$;
SELECT pg_temp.site_check(e) FROM
  unnest('{"p_alive(m, x, t_x, age, h)","expected_purchases(m, x, t_x, age, h)","p_no_purchase(m, x, t_x, age, '
  'h)","purchase_distribution(m, x, t_x, age, h, 1 + k % 3)","expected_spend(m, x, t_x, age, z)","clv(m, x, t_x, '
  'age, z, h, k / 100.0, 0.3, h / 5)","residual_lifetime_value(m, x, t_x, age, z, 0.01 + k / 100.0)"}'::text[]) e;
-- the same customer through three questions and back, within one expression
SELECT is(count(*), 0::bigint, 'one question does not answer another') FROM ask a
  WHERE expected_purchases(m, x, t_x, age, h) <> (SELECT expected_purchases(m, x, t_x, age, b.h) FROM ask b
  WHERE b.n = a.n) OR (SELECT array_agg(p_alive(m, x, t_x, age, make_interval(days => d)) ORDER BY o)
  FROM unnest('{30,10,30,20,10}'::integer[]) WITH ORDINALITY u (d, o)) <> ARRAY[p_alive(m, x, t_x, age, '30 days'),
  p_alive(m, x, t_x, age, '10 days'), p_alive(m, x, t_x, age, '30 days'), p_alive(m, x, t_x, age, '20 days'),
  p_alive(m, x, t_x, age, '10 days')];

-- Histories and numbers say the same of a customer.
CREATE TABLE pair AS SELECT c, h, x, t_x, age, z, m FROM histories
  JOIN summary USING (c), (SELECT clv_model(h, '2024-12-31') AS m FROM histories) f;
SELECT is(string_agg(c::text, ' '), NULL, 'of histories as of numbers') FROM pair
  WHERE NOT (p_alive(m, h) = p_alive(m, x, t_x, age)
  AND p_alive(m, h, ahead => '1 year') = p_alive(m, x, t_x, age, ahead => '1 year')
  AND expected_purchases(m, h) = expected_purchases(m, x, t_x, age)
  AND p_no_purchase(m, h, '2024-12-31', '30 days') = p_no_purchase(m, x, t_x, age, '30 days')
  AND purchase_distribution(m, h, '2024-12-31', '30 days', 2) = purchase_distribution(m, x, t_x, age, '30 days', 2));
SELECT pg_temp.agree('and of their money',
  $$SELECT c, have, want FROM pair,
    LATERAL (VALUES (expected_spend(m, h), expected_spend(m, x, t_x, age, z)), (clv(m, h), clv(m, x, t_x, age, z)),
    (residual_lifetime_value(m, h), residual_lifetime_value(m, x, t_x, age, z)),
    (clv_se(m, h), clv_se(m, x, t_x, age, z))) v (have, want) WHERE c % 10 = 0$$, (360 * :cases)::bigint, 1e-9, 0);

-- Standard errors: the delta method by differences in SQL -------------------------------------------------------------

CREATE TABLE known AS
  SELECT kind, m, (SELECT jsonb_object_agg(parameter, estimate) FROM clv_parameters(m)) AS estimates
  FROM (SELECT kind, m FROM in_units WHERE unit = 'day' UNION ALL
    SELECT kind, clv_model(h, '2024-12-31', kind, 'gamma_gamma', 'month') FROM histories, kind WHERE discrete
    GROUP BY kind) f;
SELECT is(string_agg(kind || ': ' || reason, E'\n'), NULL, 'every model has covariances') FROM known
  JOIN kind USING (kind), clv_fit(m) WHERE NOT converged AND NOT contract;
CREATE FUNCTION pg_temp.standard_error(k known, expression text) RETURNS double precision LANGUAGE plpgsql AS $$
DECLARE
  unit text := (SELECT f.unit FROM clv_fit(k.m) f);
  gradient jsonb := '{}';
  slope double precision;
  p record;
BEGIN
  FOR p IN SELECT key, value::float8 AS estimate FROM jsonb_each_text(k.estimates) LOOP
    EXECUTE format('SELECT sum(weight * %s) FROM unnest(ARRAY[-2, -1, 1, 2], ARRAY[1, -8, 8, -1]) u (step, weight),
        LATERAL (SELECT clv_model($1, $2 || jsonb_build_object($3, $4 * (1 + 1e-3 * step)), $5) AS m) f', expression)
      INTO slope USING k.kind, k.estimates, p.key, p.estimate, unit;
    gradient := gradient || jsonb_build_object(p.key, slope / (12e-3 * p.estimate));
  END LOOP;
  RETURN (SELECT sqrt(sum((gradient ->> parameter)::float8 * covariance * (gradient ->> other)::float8))
    FROM clv_covariance(k.m));
END $$;
SELECT pg_temp.agree('standard errors: ' || name,
  format($$SELECT kind, %s, pg_temp.standard_error(k, %L) FROM known k, clv_fit(m) f WHERE f.converged$$,
    replace(expression, name || '(', name || '_se('), expression),
  (SELECT count(*) FROM known, clv_fit(m) f WHERE f.converged), 1e-4, 1e-10)
FROM (SELECT split_part(expression, '(', 1) AS name, expression
  FROM unnest('{"p_alive(m, 3, 5, 8, ''60 days'')","expected_purchases(m, 2, 4, 7, ''1 year'')","p_no_purchase(m, 2, '
    '7, 7, ''100 days'')","purchase_distribution(m, 1, 6, 6, ''200 days'', 2)","expected_spend(m, 2, 6, 6, '
    '30)","clv(m, 3, 6, 6, 30, ''1 year'', 0.2)","residual_lifetime_value(m, 1, 4, 4, 20, 0.2)"}'::text[]) expression)
  e;
SELECT is(pg_temp.outcome($$SELECT p_no_purchase_se(clv_model('nbd', '{"r": 1, "alpha": 2}'::jsonb), 1, 1, 1)$$), NULL,
  'without covariance there is no standard error');
SELECT is(pg_temp.outcome($$SELECT
    expected_spend_se(clv_model('nbd', '{"r": 1, "alpha": 2, "p": 2, "q": 3, "v": 1}'::jsonb,
    spend_covariance => '{{1,0,0},{0,1,0},{0,0,1}}'), 1, 1, 1, 4) > 0$$), 'true',
  'one that does not matter may be missing');
SELECT matches(pg_temp.outcome(q), '^22023 ', 'no covariance: ' || q)
  FROM unnest('{"SELECT clv_model(''nbd'', ''{\"r\": 1, \"alpha\": 2}''::jsonb, covariance '
  '=> ''{{1,5},{5,1}}'')","SELECT clv_model(''nbd'', ''{\"r\": 1, \"alpha\": 2}''::jsonb, covariance '
  '=> ''{{1,0},{1,1}}'')","SELECT clv_model(''nbd'', ''{\"r\": 1, \"alpha\": 2}''::jsonb, covariance '
  '=> ''{{-1,0},{0,1}}'')"}'::text[]) q;
SELECT pg_temp.agree('limits are those of the logarithm',
  $$SELECT concat_ws(' ', kind, parameter), v, w
    FROM known, clv_parameters(m, 0.9),
    LATERAL (VALUES (low, estimate * exp(-1.6448536269514722 * standard_error / estimate)),
    (high, estimate * exp(1.6448536269514722 * standard_error / estimate))) l (v, w) WHERE standard_error IS NOT NULL$$,
  (SELECT 2 * count(*) FROM known, clv_parameters(m) WHERE standard_error IS NOT NULL), 1e-12, 0);
SELECT pg_temp.agree('aic and bic',
  $$SELECT kind, v, w FROM known, clv_fit(m),
    LATERAL (SELECT count(*) FILTER (WHERE parameter NOT IN ('p', 'q', 'v')) AS k FROM clv_parameters(m)) p,
    LATERAL (VALUES (aic, 2 * k - 2 * log_likelihood), (bic, k * ln(n) - 2 * log_likelihood),
    (spend_aic, 6 - 2 * spend_log_likelihood), (spend_bic, 3 * ln(spend_n) - 2 * spend_log_likelihood)) l (v, w)$$,
  4 * :kinds, 1e-12, 0);
SELECT pg_temp.agree('correlation of frequency and spend', $$SELECT country, f.spend_frequency_correlation, corr
    FROM (SELECT country, clv_model(x, t_x, age, z) AS m, corr(x, z) FILTER (WHERE x > 0 AND z > 0) AS corr FROM summary
    GROUP BY country) s, clv_fit(m) f$$, 3, 1e-9, 1e-12);
SELECT is((SELECT (correlation_warning, spend_frequency_correlation > 0.3)::text
    FROM (SELECT clv_model(x, t_x, age, z * (1 + x)) AS m FROM summary) q, clv_fit(m)), '(t,t)', 'and its warning');

-- Values in and out ---------------------------------------------------------------------------------------------------

CREATE TABLE base AS SELECT row_number() OVER ()::integer AS o, m, clv_model_send(m) AS b FROM (
  SELECT m FROM known UNION ALL SELECT m FROM in_units WHERE unit = 'week' UNION ALL SELECT clv_model(h, '2023-02-01')
    FROM histories UNION ALL SELECT clv_model(h, '2020-02-01') FROM histories UNION ALL
    SELECT clv_model(x, t_x, age, 20) FROM summary
  UNION ALL SELECT clv_model(kind, parameters, 'week', '2024-12-31') FROM guess WHERE n = 1 UNION ALL
    SELECT clv_model('nbd', '{"r": 1, "alpha": 2}'::jsonb, covariance => '{{1,0.5},{0.5,2}}')) v;
SELECT is(string_agg(o::text, ' '), NULL, 'out and in again as text') FROM base
  WHERE NOT (m::text::clv_model = m AND m::text::clv_model::text = m::text
  AND clv_model_hash(m) = clv_model_hash(m::text::clv_model) AND decode(m::text, 'base64') = b);
SELECT is(count(*), (SELECT count(DISTINCT b) FROM base), 'equal models have equal bytes')
  FROM (SELECT DISTINCT m FROM base) q;
SELECT is(string_agg(concat_ws(' ', o, parameter), E'\n'), NULL, 'jsonb has the same numbers')
  FROM base, LATERAL (SELECT m::jsonb AS j) j, clv_parameters(m)
  WHERE estimate IS DISTINCT FROM
  (coalesce(j #>> ARRAY['purchases', 'parameters', parameter], j #>> ARRAY['spend', 'parameters', parameter]))::float8;
SELECT is(string_agg(o::text, E'\n'), NULL, 'and the same fit') FROM base, LATERAL (SELECT m::jsonb AS j) j, clv_fit(m)
  WHERE (j #>> '{purchases,log_likelihood}')::float8 IS DISTINCT FROM log_likelihood
  OR (j #>> '{spend,log_likelihood}')::float8 IS DISTINCT FROM spend_log_likelihood OR j ->> 'unit' <> unit
  OR (j ->> 'as_of')::date IS DISTINCT FROM as_of OR j #>> '{purchases,model}' <> purchase_model;
-- a model by hand from the parameters and covariances of a fit predicts the same
SELECT is(string_agg(kind, ' '), NULL, 'by hand from what was fitted')
  FROM known, LATERAL (SELECT clv_model(kind, estimates, unit, NULL, array_agg(row ORDER BY o)) AS hand
  FROM (SELECT f.unit, min(p.o) AS o, array_agg(covariance ORDER BY q.o) AS row
    FROM clv_fit(m) f, clv_covariance(m) c
      JOIN LATERAL (SELECT * FROM clv_parameters(m) WITH ORDINALITY y (name, a, b, d, e, o)) p ON p.name = c.parameter
      JOIN LATERAL (SELECT * FROM clv_parameters(m) WITH ORDINALITY y (name, a, b, d, e, o)) q ON q.name = c.other
    WHERE c.parameter NOT IN ('p', 'q', 'v') GROUP BY f.unit, c.parameter) r GROUP BY unit) h, clv_fit(m) f
  WHERE f.converged AND NOT (p_alive(m, 2, 4, 7) = p_alive(hand, 2, 4, 7)
    AND clv(m, 2, 4, 7, 30) = clv(hand, 2, 4, 7, 30)
    AND p_no_purchase_se(m, 2, 4, 7) = p_no_purchase_se(hand, 2, 4, 7));

CREATE FUNCTION pg_temp.damage(good bytea, other bytea) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
  bad bytea := good;
  at integer;
BEGIN
  FOR i IN 0 .. floor(random() * random() * 3)::integer LOOP
    -- often near the front, where flags, kinds and reasons are
    at := floor(CASE WHEN random() < 0.4 THEN least(random() * 36, length(bad) - 1)
      ELSE random() * length(bad) END)::integer;
    CASE floor(random() * 6)::integer
      WHEN 0 THEN bad := set_bit(bad, at * 8 + floor(random() * 8)::integer, floor(random() * 2)::integer);
      WHEN 1 THEN bad := set_byte(bad, at, floor(random() * 256)::integer);
      WHEN 2 THEN bad := set_byte(bad, at, pg_temp.pick('{0,1,2,3,4,127,128,240,255}'::integer[]));
      WHEN 3 THEN bad := substr(bad, 1, at + 1);
      WHEN 4 THEN bad := substr(bad, 1, at)
        || pg_temp.pick(ARRAY['\x7ff8000000000000', '\x7ff0000000000000', '\xfff0000000000000', '\x8000000000000000',
          '\x0000000000000001', '\x7fefffffffffffff', '\xffffffffffffffff', '\x7ff8000000000001',
          '\x3ff0000000000000']::bytea[]) || substr(bad, at + 9);
      ELSE bad := substr(bad, 1, at + 1) || substr(other, at + 2);
    END CASE;
  END LOOP;
  RETURN bad;
END $$;
CREATE FUNCTION pg_temp.read(bad text, OUT fate text, OUT m clv_model) LANGUAGE plpgsql AS $$
BEGIN
  m := bad::clv_model;
  fate := 'read';
EXCEPTION WHEN OTHERS THEN
  fate := SQLSTATE;
END $$;
CREATE TABLE fate AS SELECT bytes, bad, (r).* FROM (SELECT *, pg_temp.read(bad) AS r
  FROM (SELECT bytes, translate(encode(bytes, 'base64'), E'\n', '') AS bad
    FROM (SELECT pg_temp.damage(a.b, o.b) AS bytes
      FROM base a, generate_series(1, (12000 * :cases)::integer / (SELECT count(*) FROM base)::integer) n,
      LATERAL (SELECT b FROM base WHERE o = 1 + (n + a.o) % (SELECT count(*) FROM base)) o
    UNION ALL SELECT substr(b, 1, n) FROM base, generate_series(0, 40) n UNION ALL SELECT b || '\x00'
      FROM base OFFSET 0) d OFFSET 0) t OFFSET 0) m WHERE bytes NOT IN (SELECT b FROM base);
SELECT cmp_ok(count(*), '>', (9000 * :cases)::bigint, format('%s mutated values, %s of them models', count(*), count(m)))
  FROM fate;
SELECT is(string_agg(DISTINCT fate, ' ' ORDER BY fate), '22P02 read', 'refused with 22P02, or read') FROM fate;
SELECT is(count(*), 0::bigint, 'what is read is written the same') FROM fate
  WHERE m::text <> bad OR clv_model_send(m) <> bytes;
SELECT is(string_agg(DISTINCT o, E'\n'), NULL, 'and can be looked at')
  FROM fate, LATERAL pg_temp.outcome(format('SELECT count(*) FROM (SELECT %1$L::clv_model AS m) f, clv_fit(m),
    clv_parameters(m), clv_covariance(m), LATERAL jsonb_each(m::jsonb) j', bad)) o
  WHERE fate = 'read' AND o !~ '^[0-9]+$';
-- of parameters within what the models promise
CREATE TABLE sane AS SELECT bad FROM fate
  WHERE fate = 'read' AND (SELECT bool_and(estimate BETWEEN 1e-6 AND 1e6) FROM clv_parameters(m));
SELECT is(string_agg(DISTINCT o, E'\n'), NULL, 'and predicts numbers, or NULL')
  FROM sane, LATERAL pg_temp.outcome(format('SELECT p_alive(m, 0, 0, 7) BETWEEN 0 AND 1
    AND p_no_purchase(m, 2, 4, 7) BETWEEN 0 AND 1 AND clv(m, 1, 3, 7, 20) >= 0 AND clv_se(m, 2, 7, 7, 30) >= 0
    AND residual_lifetime_value(m, 2, 3, 9, 30) >= 0 FROM (SELECT %1$L::clv_model AS m) f', bad)) o WHERE o <> 'true';
SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser \gset
\if :superuser
CREATE TABLE place (path text);
COPY place FROM PROGRAM 'mktemp -d -p /dev/shm 2>/dev/null || mktemp -d';
CREATE TABLE binary_in (n integer, m clv_model);
CREATE FUNCTION pg_temp.receive(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE file text := (SELECT path || '/value' FROM place);
BEGIN
  EXECUTE format('COPY (SELECT 1, %L::bytea) TO %L (FORMAT binary)', bytes, file);
  TRUNCATE binary_in;
  EXECUTE format('COPY binary_in FROM %L (FORMAT binary)', file);
  RETURN 'read';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
SELECT is(string_agg(o::text, ' '), NULL, 'out and in again in binary')
  FROM (SELECT o, m, pg_temp.receive(b) AS fate, (SELECT array_agg(n.m) FROM binary_in n) AS back FROM base OFFSET 0) r
  WHERE fate <> 'read';
SELECT is(count(*), 0::bigint, 'refused or read in binary as in text, with 22P03')
  FROM (SELECT fate, pg_temp.receive(bytes) AS again FROM fate WHERE random() < 0.04 OFFSET 0) r
  WHERE again <> replace(fate, '22P02', '22P03');
DO $$ BEGIN EXECUTE format('COPY place FROM PROGRAM %L', 'rm -rf -- ' || quote_literal((SELECT path FROM place)));
  END $$;
\else
SELECT skip('not a superuser, so COPY from a file is not allowed', 2);
\endif

-- Bad rows and parameters are errors that say which, with the values of the row ---------------------------------------

CREATE TABLE bad (o serial, row text, model text, error text, detail text);
INSERT INTO bad (row, model, error, detail) VALUES
  ('-1, 0, 5, 1', 'bg_nbd', 'frequency must be a number of purchases, from 0 to 1e9', 'frequency -1, recency 0, age 5'),
    ('''NaN'', 0, 5, 1', 'nbd', 'frequency must be a number of purchases, from 0 to 1e9', 'frequency NaN'),
    ('''Infinity'', 1, 5, 1', 'bg_nbd', 'frequency must be a number of purchases, from 0 to 1e9', 'frequency Infinity'),
  ('1.5, 1, 5, 1', 'pareto_nbd', 'frequency must be a whole number', 'frequency 1.5, recency 1, age 5'),
    ('1, -2, 5, 1', 'bg_nbd', 'recency must be from 0 to 1e9', 'recency -2'),
    ('1, ''NaN'', 5, 1', 'mbg_nbd', 'recency must be from 0 to 1e9', 'recency NaN'),
    ('1, ''Infinity'', ''Infinity'', 1', 'bg_nbd', 'recency must be from 0 to 1e9', 'recency Infinity'),
  ('1, 2, -5, 1', 'bg_nbd', 'age must be from 0 to 1e9', 'age -5'),
    ('1, 2, ''Infinity'', 1', 'bg_nbd', 'age must be from 0 to 1e9', 'age Infinity'),
    ('1, 6, 5, 1', 'bg_nbd', 'recency must not exceed age', 'frequency 1, recency 6, age 5'),
    ('0, 2, 5, 1', 'bg_nbd', 'recency must be 0 where frequency is 0', 'frequency 0, recency 2, age 5'),
  ('1, 2, 5, NULL', 'bg_nbd', 'monetary_value must not be NULL where frequency is above 0',
    'frequency 1, recency 2, age 5, monetary value NULL'),
    ('1, 2, 5, ''NaN''', 'bg_nbd', 'monetary_value must be finite', 'monetary value NaN'),
    ('1, 2, 5, ''-Infinity''', 'bg_nbd', 'monetary_value must be finite', 'monetary value -Infinity'),
  ('1, 1.5, 5, 1', 'bg_bb', 'recency and age must be whole numbers of periods', 'recency 1.5'),
    ('1, 1, 5.5, 1', 'bg_bb', 'recency and age must be whole numbers of periods', 'age 5.5'),
    ('3, 2, 5, 1', 'bg_bb', 'frequency must not exceed recency', 'frequency 3, recency 2, age 5'),
    ('0, 0.5, 5, 1', 'sbg', 'recency and age must be whole numbers of periods', 'recency 0.5');
CREATE FUNCTION pg_temp.complaint(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  r text;
  detail text;
BEGIN
  EXECUTE query INTO r;
  RETURN r;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
  RETURN concat_ws(E'\n', SQLSTATE || ' ' || SQLERRM, nullif(detail, ''));
END $$;
SELECT ok(c LIKE '22023 ' || error || E'\nThe row has %' || detail || '%',
  format('a row of %s: %s', row, replace(c, E'\n', '; ')))
  FROM bad, LATERAL pg_temp.complaint(format('SELECT clv_model(x, t_x, age, z, %L)
    FROM (VALUES (1::float8, 1::float8, 2::float8, 3::float8), (%s)) v (x, t_x, age, z)', model, row)) c ORDER BY o;
SELECT is(pg_temp.complaint(format('SELECT clv(x, t_x, age, z, model => %L) OVER ()
    FROM (VALUES (1::float8, 1::float8, 2::float8, 3::float8), (%s)) v (x, t_x, age, z) LIMIT 1', model, row)),
  pg_temp.complaint(format('SELECT clv_model(x, t_x, age, z, %L)
    FROM (VALUES (1::float8, 1::float8, 2::float8, 3::float8), (%s)) v (x, t_x, age, z)', model, row)),
  'and in a window: ' || row) FROM bad ORDER BY o;
SELECT ok(c LIKE '22023 ' || error || E'\nThe row has %' || detail || '%', 'and in a prediction: ' || row)
  FROM bad, LATERAL pg_temp.complaint(format('SELECT p_alive(clv_model(%L, %L::jsonb), x, t_x, age)
    FROM (VALUES (1::float8, 1::float8, 2::float8, 3::float8), (%s)) v (x, t_x, age, z) OFFSET 1', model,
    (SELECT parameters FROM guess WHERE kind = model LIMIT 1), row)) c WHERE error !~ 'monetary' ORDER BY o;
SELECT matches(pg_temp.outcome('SELECT ' || q), '^' || error, q) FROM (VALUES
  ('clv_model(x, t_x, age, z, ''bgnbd2'') FROM summary', '22023 unknown model "bgnbd2"'),
    ('clv_model(x, t_x, age, z, ''bg_nbd'', ''lognormal'') FROM summary', '22023 unknown spend model "lognormal"'),
    ('clv_model(x, t_x, age, z, ''bg_nbd'', ''none'', ''hour'') FROM summary', '22023 unknown unit "hour"'),
  ('clv_model(x, t_x, age, z, CASE WHEN c % 2 = 0 THEN ''nbd'' END) FROM summary',
    '22023 model must be the same in all rows'),
    ('clv_model(x, t_x, age, z, NULL, CASE WHEN c % 2 = 0 THEN ''none'' END) FROM summary',
    '22023 spend model must be the same in all rows'),
    ('clv_model(x, t_x, age, z, NULL, NULL, CASE WHEN c % 2 = 0 THEN ''week'' END) FROM summary',
    '22023 unit must be the same in all rows'),
  ('clv_model(h, CASE WHEN c % 2 = 0 THEN date ''2024-12-31'' END) FROM histories',
    '22023 as_of must be the same in all rows'),
    ('clv_model(h, NULL, ''bg_bb'') FROM histories', '22004 as_of must not be NULL for model "bg_bb"'),
    ('clv_model(h, ''infinity'') FROM histories', '22008 '), ('clv_model(h, ''-infinity'') FROM histories', '22008 '),
  ('p_alive(clv_model(''nbd'', ''{"r": 1, "alpha": 1}''::jsonb), h) FROM histories', '22004 as_of must not be NULL'),
    ('expected_purchases(m, 1, 1, 2, ''-1 day'') FROM known', '22023 horizon must be a finite interval of 0 or more'),
    ('p_alive(m, 1, 1, 2, ''-1 second'') FROM known', '22023 ahead must be'),
    ('purchase_distribution(m, 1, 1, 2, ''1 day'', -1) FROM known', '22023 purchases must be 0 or more'),
  ('clv(m, 1, 1, 2, 3, discount_rate => -0.1) FROM known', '22023 discount_rate must be'),
    ('clv(m, 1, 1, 2, 3, discount_rate => ''NaN'') FROM known', '22023 discount_rate must be'),
    ('clv(m, 1, 1, 2, 3, margin => ''Infinity'') FROM known', '22023 margin must be'),
    ('clv(m, 1, 1, 2, 3, step => ''0'') FROM known WHERE kind = ''nbd''', '22023 step must be'),
    ('clv(m, 1, 1, 2, 3, step => ''1 second'') FROM known WHERE kind = ''nbd''', '22023 step must be'),
  ('clv(m, 1, 1, 2, ''NaN'') FROM known', '22023 monetary_value must be finite'),
    ('residual_lifetime_value(m, 1, 1, 2, 3, ''Infinity'') FROM known', '22023 discount_rate must be'),
    ('clv_parameters(m, 1) FROM known', '22023 confidence must be'),
    ('clv_parameters(m, ''NaN'') FROM known', '22023 confidence must be'),
  ('clv(h, discount_rate => 0.1 + c % 2) OVER () FROM histories', '22023 discount_rate must be'),
    ('clv(h, horizon => make_interval(days => 100 + c)) OVER () FROM histories', '22023 horizon must be'),
    ('clv(h, model => CASE WHEN c = 7 THEN ''nbd'' ELSE ''bg_nbd'' END) OVER () FROM histories', '22023 model must be'),
    ('clv(h, date ''2024-12-31'' - c % 2) OVER () FROM histories', '22023 as_of must be'),
  ('clv(h, horizon => NULL) OVER () FROM histories', '22004 horizon must not be NULL'),
    ('contract_survival(m, 1) FROM known WHERE kind = ''nbd''', '22023 model "nbd" is not one of contracts'),
    ('contract_survival(m, -1) FROM known WHERE kind = ''sbg''', '22023 period must be 0 or more'),
    ('clv_model(t, 10 - t, ''sbg'') FROM unnest(''{0,2}''::integer[]) t', '22023 survivors of period 1 are missing'),
    ('clv_model(t, t, ''sbg'') FROM unnest(''{0,1}''::integer[]) t', '22023 survivors grow'),
  ('clv_model(0, t, ''sbg'') FROM unnest(''{3,2}''::integer[]) t', '22023 period 0 comes more than once'),
    ('clv_model(1, 1, ''bg_nbd'')', '22023 model "bg_nbd" is not one of contracts'),
    ('clv_model(0, -1, ''sbg'')', '22023 survivors must be 0 or more'),
    ('clv_model(20000, 1, ''sbg'')', '22023 period must be between'),
  ('clv_model(''nbd'', ''{"r": 1, "alpha": 1e300}''::jsonb)', '22023 '),
    ('clv_model(''bg_nbd'', ''{"r": 1e-300, "alpha": 1, "a": 1, "b": 1}''::jsonb)', '22023 '),
  ('clv_model(''nbd'', ''{"r": 1}''::jsonb)', '22023 missing parameter "alpha"'),
    ('clv_model(''nbd'', ''{"r": 1, "alpha": 0}''::jsonb)', '22023 not a number above 0'),
    ('clv_model(''nbd'', ''{"r": 1, "alpha": 1, "beta": 1}''::jsonb)', '22023 unknown parameter "beta"'),
    ('clv_model(''nbd'', ''{"r": 1, "alpha": 1, "p": 1}''::jsonb)', '22023 missing parameter "q"'),
    ('clv_model(''nbd'', ''[1, 2]''::jsonb)', '22023 parameters must be a JSON object')) v (q, error);
SELECT is(pg_temp.outcome('SELECT ' || q || ' FROM known WHERE kind = ''nbd'''), NULL, 'NULL in, NULL out: ' || q)
  FROM unnest('{"p_alive(NULL, 1, 1, 2)","p_alive(m, NULL, 1, 2)","p_alive(m, 1, NULL, 2)","p_alive(m, 1, 1, '
  'NULL)","p_alive(m, 1, 1, 2, NULL)","expected_purchases(m, 1, 1, 2, NULL)","clv(m, 1, 1, 2, 3, NULL)","clv(m, 1, '
  '1, 2, 3, margin => NULL)","expected_spend(m, NULL, 1, 2, 3)","p_alive(m, '
  'NULL::customer_history, ''2024-12-31'')","p_alive(m, (SELECT h FROM histories LIMIT '
  '1), ''2022-12-31'')","clv_model(''nbd'', NULL::jsonb)","clv_model(NULL, ''{}''::jsonb)"}'::text[]) q;

-- Fits without a maximum say so, and why ------------------------------------------------------------------------------

SELECT ok(NOT f.converged AND f.reason ~ why AND (p IS NULL OR p > 0), format('%s, %s: %s', title, kind, f.reason))
  FROM (VALUES
  ('all came once', '^no customer made a repeat purchase', 'SELECT 0, 0, 10 + n % 7 FROM generate_series(1, 200) n'),
    ('one customer', '.', 'SELECT 3, 4, 9'), ('two who agree', '.', 'SELECT 3, 4, 9 FROM generate_series(1, 2)'),
    ('one who came once', '^no customer made a repeat purchase', 'SELECT 0, 0, 7'),
  ('everybody every day', '.', 'SELECT 300, 300, 300 FROM generate_series(1, 200)'),
    ('nobody was there for any time', '.', 'SELECT 0, 0, 0 FROM generate_series(1, 10)'),
    ('all alike', '.', 'SELECT 5, 50, 60 FROM generate_series(1, 1000)')) v (title, why, customers), kind,
    LATERAL (SELECT 1) one, LATERAL
    pg_temp.outcome(format('SELECT clv_model(x, t_x, age, NULL, %L, ''none'') FROM (%s) q (x, t_x, age)', kind,
    customers)) m, clv_fit(m::clv_model) f, LATERAL (SELECT min(estimate) AS p FROM clv_parameters(m::clv_model)) e
    WHERE NOT discrete;
SELECT ok(NOT f.converged AND f.reason ~ 'spend: ' AND f.spend_n = paid AND f.spend_left_out = refunded,
  format('%s: %s', title, f.reason)) FROM (VALUES
  ('constant spend', 'CASE WHEN x > 0 THEN 20 END', (SELECT count(*) FROM summary WHERE x > 0), 0),
    ('refunds alone', 'CASE WHEN x > 0 THEN -5 END', 0, (SELECT count(*) FROM summary WHERE x > 0)),
    ('nothing but zeros', '0', 0, (SELECT count(*) FROM summary WHERE x > 0))) v (title, spend, paid, refunded),
    LATERAL pg_temp.outcome(format('SELECT clv_model(x, t_x, age, %s) FROM summary', spend)) m, clv_fit(m::clv_model) f;
SELECT is((SELECT (spend_n, spend_left_out, converged)::text
    FROM (SELECT clv_model(x, t_x, age, CASE WHEN c % 10 = 0 THEN -z ELSE z END) AS m FROM summary) q, clv_fit(m)),
  (SELECT (count(*) FILTER (WHERE c % 10 > 0), count(*) FILTER (WHERE c % 10 = 0), true)::text FROM summary
    WHERE x > 0 AND z > 0), 'refunds are left out, and counted');
SELECT * FROM finish();
ROLLBACK;
