-- churn_model: properties of the value and of its scores on random data.  Text and binary round trips, equality and
-- hashing; reasons that add up to the log-odds; scores recomputed in SQL from the coefficients; features found by name;
-- NULLs and levels that training never met.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
SELECT diag('seed ' || :'seed');

-- Customers: numbers, one often NULL, one constant; texts with rare levels and NULLs, an enum, booleans ---------------

CREATE TYPE pg_temp.tier AS ENUM ('gold', 'basic', 'trial');
CREATE TABLE customer AS
  SELECT c AS id, CASE WHEN random() < 0.05 THEN NULL WHEN s.tenure * 0.05 + noise + CASE s.plan WHEN 'monthly'
    THEN -1.5 ELSE 0 END + coalesce(s.tickets, 1) * -0.3 + CASE WHEN s.senior THEN -0.5 ELSE 0 END < 0 THEN true
    ELSE false END AS churned,
    f.*, random() * 3 + 0.1 AS weight
  FROM (SELECT c, floor(random() * 72)::integer AS tenure, CASE WHEN random() > 0.1
    THEN floor(-ln(1 - random()) * 2)::smallint END AS tickets, (random() * 100)::numeric(8,2) AS charge,
    7::real AS constant,
          (ARRAY['monthly', 'monthly', 'monthly', 'yearly', 'zwei Jahre', 'été'])[1 + floor(random() * 6)::integer] AS
            plan, random() < 0.2 AS senior, (random() - 0.5) * 4 AS noise FROM generate_series(1, 2000) c) s,
    LATERAL (SELECT s.tenure, s.tickets, s.charge, s.constant, CASE WHEN c % 40 = 0 THEN 'rare ' || c WHEN c % 17 = 0
      THEN NULL ELSE s.plan END AS plan, CASE WHEN c % 50 = 1 THEN NULL ELSE s.senior END AS senior,
      (ARRAY['gold', 'basic', 'trial', NULL])[1 + c % 4]::pg_temp.tier AS tier) f;
CREATE TABLE method (name text, options jsonb);
INSERT INTO method VALUES ('ridge', '{"lambda": 2.5}'), ('plain', '{}'),
  ('likelihood', '{"lambda": 0, "exclude": ["constant"]}'), ('boost', '{"method": "boost", "trees": 40}'),
  ('deep', '{"method": "boost", "trees": 15, "depth": 5, "min_leaf": 5, "bins": 16, "learning_rate": 0.3}'),
  ('skip', '{"missing": "skip"}'), ('skip boost', '{"method": "boost", "trees": 5, "missing": "skip"}');
CREATE TABLE model AS
  SELECT name, false AS weighted, churn_model(churned, f, options || '{"rare": 10}') AS m
    FROM method, customer c, LATERAL (SELECT tenure, tickets, charge, constant, plan, senior, tier) f GROUP BY name
  UNION ALL SELECT name || ' weighted', true, churn_model(churned, f, weight, options || '{"rare": 10}')
    FROM method, customer c, LATERAL (SELECT tenure, tickets, charge, constant, plan, senior, tier) f GROUP BY name;
SELECT is((count(*), bool_and(converged))::text, '(14,t)', 'fourteen models, all converged')
  FROM model, churn_summary(m);
SELECT is(count(*) FILTER (WHERE (s.n + s.unlabelled + s.skipped) <> 2000 OR (s.skipped > 0) <> (name LIKE 'skip%')
    OR s.positives NOT BETWEEN 1 AND s.n OR NOT weighted AND s.weight <> s.n OR abs(s.base_rate - 0.5) > 0.49),
  0::bigint, 'rows are counted') FROM model, churn_summary(m) s;

-- The value -----------------------------------------------------------------------------------------------------------

SELECT is(count(*) FILTER (WHERE (m::text::churn_model = m AND NOT m::text::churn_model <> m
    AND churn_model_hash(m::text::churn_model) = churn_model_hash(m)
    AND churn_model_hash_extended(m::text::churn_model, 42) = churn_model_hash_extended(m, 42)
                                  AND churn_model_send(m::text::churn_model) = churn_model_send(m)
                                    AND decode(m::text, 'base64') = churn_model_send(m)) IS NOT TRUE), 0::bigint,
                                    'text and back, equal, of the same hash') FROM model;
SELECT is((SELECT count(*) FROM (SELECT DISTINCT m FROM (TABLE model UNION ALL TABLE model) d) d), 14::bigint,
  'DISTINCT');
SELECT is((SELECT count(*) FROM model a, model b WHERE a.m = b.m), 14::bigint, 'joined by hash or loop');
SELECT is((SELECT count(*) FROM (SELECT churn_model(churned, f, options || '{"rare": 10}') AS m
    FROM method, customer c, LATERAL (SELECT tenure, tickets, charge, constant, plan, senior, tier) f
    GROUP BY name) again JOIN model USING (m)), 7::bigint, 'the same rows give the same bytes');
SELECT is((SELECT count(*) FROM (SELECT churn_model(churned, f, options || '{"rare": 10}') AS m
    FROM method, (SELECT * FROM customer ORDER BY random()) c,
    LATERAL (SELECT tenure, tickets, charge, constant, plan, senior, tier) f GROUP BY name) again JOIN model USING (m)),
  7::bigint, 'in any order');
SELECT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser \gset
\if :superuser
CREATE TABLE place (path text);
COPY place FROM PROGRAM 'mktemp -d -p /dev/shm 2>/dev/null || mktemp -d';
CREATE TABLE copied (LIKE model);
DO $$ DECLARE dir text := (SELECT path FROM place); BEGIN
  EXECUTE format('COPY model TO %L (FORMAT binary)', dir || '/model');
  EXECUTE format('COPY copied FROM %L (FORMAT binary)', dir || '/model');
  EXECUTE format('COPY place FROM PROGRAM %L', 'rm -rf -- ' || quote_literal(dir));
END $$;
SELECT is((SELECT count(*) FROM model JOIN copied USING (name, m)), 14::bigint, 'binary and back');
\else
SELECT skip('not a superuser, so COPY to a file is not allowed', 1);
\endif
SELECT is(count(*) FILTER (WHERE j ->> 'method' <> s.method OR (j ->> 'n')::bigint <> s.n
    OR jsonb_array_length(j -> 'features') <> s.features OR (j ->> 'converged')::boolean IS DISTINCT FROM s.converged
                                 OR j ? 'trees' AND jsonb_array_length(j -> 'trees') <> s.trees OR j ? 'terms'
                                   AND jsonb_array_length(j -> 'terms') <> s.columns + 1), 0::bigint,
                                   'jsonb says the same') FROM model, churn_summary(m) s,
                                   LATERAL (SELECT m::jsonb AS j OFFSET 0) j;

-- Scores and reasons --------------------------------------------------------------------------------------------------

-- also levels and values that training never met
CREATE TABLE asked AS SELECT id, tenure, tickets, charge, constant, plan, senior, tier FROM customer
  WHERE id <= (300 * :cases)::integer
  UNION ALL VALUES (-1, NULL, NULL, NULL, NULL, NULL, NULL, NULL::pg_temp.tier),
    (-2, 1000000, 1000::smallint, 1e6, 8, 'never seen', true, 'gold'),
    (-3, -1000000, -1000::smallint, -1e6, -8, '', false, NULL), (-4, 10, 1, 50, 7, 'rare 400', NULL, 'trial');
CREATE TABLE answer AS SELECT model.name, a.id, a, churn_score(m, f) AS p, m
  FROM model, asked a, LATERAL (SELECT tenure, tickets, charge, constant, plan, senior, tier) f;
SELECT is(count(*) FILTER (WHERE (p IS NULL) <> (name LIKE 'skip%'
    AND (to_jsonb(a) - 'id') @> ANY
    (ARRAY['{"tenure": null}', '{"tickets": null}', '{"charge": null}', '{"constant": null}', '{"plan": null}',
    '{"senior": null}', '{"tier": null}']::jsonb[]))), 0::bigint, 'a score for each row, but those to be skipped')
  FROM answer;
SELECT is(count(*) FILTER (WHERE NOT p BETWEEN 0 AND 1), 0::bigint, 'scores are probabilities') FROM answer;
CREATE TABLE reason AS SELECT answer.name, id, p, k, r.* FROM answer, (VALUES (0), (1), (3), (7), (8), (NULL)) v (k),
  churn_reasons(m, a, k) r;
-- ln(p / (1 - p)) itself is not more exact than its terms
SELECT is(count(*), 0::bigint, 'contributions add up to ln(p / (1 - p)) within 1e-12') FROM (
  SELECT name, id, k, p, sum(contribution) AS sum, sum(abs(contribution)) AS size FROM reason GROUP BY name, id, k, p) s
    WHERE p > 0 AND p < 1 AND NOT abs(sum - ln(p / (1 - p))) <= 1e-12 * greatest(1, size / 100);
SELECT is(count(*), 0::bigint, 'no reasons without a score, or the other way round') FROM answer a
  WHERE (p IS NULL) = EXISTS (SELECT FROM reason r WHERE (r.name, r.id) = (a.name, a.id));
SELECT is(count(*) FILTER (WHERE rows <> 1 + least(k, n) + (k < n)::integer
    OR ranks <> (SELECT array_agg(i) FROM generate_series(0, rows - 1) i) OR first <> '(baseline)'
    OR (last = '(others)') <> (k < n)), 0::bigint, 'ranks') FROM (
  SELECT count(*)::integer AS rows, coalesce(k, 100) AS k, 7 - (name LIKE 'likelihood%')::integer AS n,
    array_agg(rank ORDER BY rank) AS ranks, (array_agg(feature ORDER BY rank))[1] AS first,
    (array_agg(feature ORDER BY rank DESC))[1] AS last FROM reason GROUP BY name, id, k) r;
SELECT is(count(*), 0::bigint, 'the largest first')
  FROM (SELECT feature, abs(contribution) AS size,
  lag(abs(contribution)) OVER (PARTITION BY name, id, k ORDER BY rank) AS before FROM reason
  WHERE rank > 0 AND feature <> '(others)') r WHERE size > before;
SELECT is(count(*) FILTER (WHERE direction <> CASE WHEN contribution > 0 THEN 'raises' WHEN contribution < 0
    THEN 'lowers' ELSE 'none' END), 0::bigint, 'directions') FROM reason;
SELECT is(count(*) FILTER (WHERE r.value IS DISTINCT FROM to_jsonb(a) ->> feature
    AND r.value::numeric IS DISTINCT FROM (to_jsonb(a) ->> feature)::numeric), 0::bigint, 'values are those of the row')
  FROM reason r JOIN asked a USING (id) WHERE feature NOT LIKE '(%)';
SELECT is(count(*) FILTER (WHERE contribution <> 0), 0::bigint, 'a constant contributes nothing') FROM reason
  WHERE feature = 'constant';

-- Scores again, from what the model says of itself
CREATE FUNCTION pg_temp.design(m churn_model, a asked) RETURNS TABLE (term text, x float8) LANGUAGE sql AS $$
  SELECT t ->> 'term', CASE WHEN f ->> 'kind' = 'category' THEN
      CASE WHEN known AND raw = level OR NOT known AND missing AND level = '(missing)' OR known AND pooled
        AND level = '(other)' AND NOT met THEN 1 WHEN known AND (met OR pooled) OR NOT known AND missing THEN 0
        ELSE (t ->> 'mean')::float8 END
    WHEN level = '(missing)' THEN CASE WHEN known THEN 0 ELSE 1 END
    WHEN known THEN CASE raw WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE raw::float8 END ELSE (f ->> 'mean')::float8 END
  FROM jsonb_array_elements(m::jsonb -> 'features') f,
    LATERAL (SELECT to_jsonb(a) ->> (f ->> 'name') AS raw, (f ->> 'missing')::boolean AS missing,
      (f ->> 'pooled')::boolean AS pooled, to_jsonb(a) ->> (f ->> 'name') IS NOT NULL AS known,
      coalesce(f -> 'levels' ? (to_jsonb(a) ->> (f ->> 'name')), false) AS met) v,
    jsonb_array_elements(m::jsonb -> 'terms') t,
      LATERAL (SELECT substr(t ->> 'term', length(f ->> 'name') + 2) AS level) l
  WHERE t ->> 'term' = f ->> 'name' OR starts_with(t ->> 'term', (f ->> 'name') || '=')
$$;
SELECT pg_temp.agree('logistic scores from their coefficients', $$
  SELECT name || ' ' || id, ln(p / (1 - p)),
    (SELECT sum(CASE WHEN term = '(intercept)' THEN coefficient_std WHEN sd > 0 THEN coefficient_std * (d.x - mean) / sd
      ELSE 0 END) FROM churn_coefficients(m) LEFT JOIN pg_temp.design(m, a) d USING (term))
  FROM answer WHERE name IN ('ridge', 'plain', 'likelihood', 'ridge weighted') AND id NOT IN (-2, -3)$$,
    4 * (300 * :cases + 2)::bigint, 1e-12, 1e-11);
-- boost: trees walked in SQL over the columns of a logistic model of the same rows
CREATE FUNCTION pg_temp.walk(node jsonb, x jsonb) RETURNS float8 LANGUAGE plpgsql AS $$
BEGIN
  WHILE NOT node ? 'value' LOOP
    node := CASE WHEN (x ->> (node ->> 'term'))::float8 <= (node ->> 'threshold')::float8 THEN node -> 'left'
      ELSE node -> 'right' END;
  END LOOP;
  RETURN node ->> 'value';
END $$;
SELECT pg_temp.agree('boosted scores from their trees', $$
  SELECT a.name || ' ' || a.id, ln(p / (1 - p)), (a.m::jsonb ->> 'base')::float8 + (SELECT sum(pg_temp.walk(t, x))
    FROM jsonb_array_elements(a.m::jsonb -> 'trees') t)
  FROM answer a, (SELECT m FROM model WHERE name = 'plain') plain,
    LATERAL (SELECT jsonb_object_agg(term, x) AS x FROM pg_temp.design(plain.m, a.a)) d
    WHERE a.name IN ('boost', 'deep') AND a.id BETWEEN 1 AND 40$$, 80, 1e-12, 1e-11);
SELECT is(count(*) FILTER (WHERE sums <> (SELECT weight FROM churn_summary(m))
    AND abs(sums / (SELECT weight FROM churn_summary(m)) - 1) > 1e-9), 0::bigint,
  'covers of a tree are the weight of all rows')
FROM model, jsonb_array_elements(m::jsonb -> 'trees') t, LATERAL (SELECT sum((v #>> '{}')::float8) AS sums
  FROM jsonb_path_query(t, '$.**.cover') v) s;

-- Features are found by name ------------------------------------------------------------------------------------------

SELECT is(count(*) FILTER (WHERE p IS DISTINCT FROM churn_score(m, f)), 0::bigint,
  'columns in another order, and more of them')
  FROM answer, LATERAL (SELECT (a).tier, 'x' AS other, (a).senior, date '2020-01-01' AS day, (a).plan, (a).constant,
  (a).charge, (a).tickets, (a).tenure) f;
SELECT is(count(*) FILTER (WHERE p IS DISTINCT FROM churn_score(m, f)), 0::bigint, 'other types of the same kind')
  FROM answer,
  LATERAL (SELECT (a).tier::text AS tier, (a).senior, (a).plan::varchar AS plan, (a).constant::integer,
    (a).charge::float8 AS charge, (a).tickets::numeric AS tickets, (a).tenure::bigint AS tenure) f;
SELECT throws_ok('SELECT churn_score(m, f) FROM model, LATERAL (SELECT 1 AS tenure, 2 AS tickets) f
    WHERE name = ''plain''', '42703', NULL, 'a column that is missing');
SELECT throws_ok('SELECT churn_score(m, f)
    FROM model, LATERAL (SELECT ''1''::text AS tenure, 2 AS tickets, 3 AS charge, 7 AS constant, ''x''::text AS plan,
    true AS senior, ''gold''::text AS tier) f WHERE name = ''plain''', '42804', NULL, 'a column of another kind');
SELECT throws_ok('SELECT churn_score(m, ARRAY[1.0, 2, 3, 4, 5, 6, 7]::float8[]) FROM model WHERE name = ''plain''',
  '42804', NULL, 'an array for a model of records');
SELECT is(churn_score(m, a), churn_score(m, b), 'two levels that training has not met are alike: pooled')
  FROM model, LATERAL (SELECT tenure, tickets, charge, constant, 'some' AS plan, senior, tier FROM asked
  WHERE id = 5) a, LATERAL (SELECT tenure, tickets, charge, constant, 'rare 800' AS plan, senior, tier FROM asked
  WHERE id = 5) b WHERE name = 'plain';
SELECT is(count(*) FILTER (WHERE r.contribution <> 0), 0::bigint, 'where nothing was pooled, they contribute nothing')
FROM (SELECT churn_model(churned, f, options) AS m
  FROM unnest(ARRAY['{}', '{"method": "logistic", "lambda": 0}']::jsonb[]) options, customer,
  LATERAL (SELECT tenure, CASE WHEN plan LIKE 'rare%' OR plan IS NULL THEN 'monthly' ELSE plan END AS plan) f
  GROUP BY options) m,
  LATERAL (SELECT 5 AS tenure, x AS plan FROM unnest(ARRAY['unseen', NULL, '']) x) f, churn_reasons(m, f, NULL) r
    WHERE feature = 'plan';

-- A call site with many models in turn, in line, compressed and out of line -------------------------------------------

CREATE TABLE stored (name text, m churn_model);
ALTER TABLE stored ALTER m SET STORAGE EXTERNAL;
INSERT INTO stored SELECT name, m FROM model;
CREATE TABLE many AS SELECT i, churn_model(churned, f, jsonb_build_object('lambda', i)) AS m
  FROM generate_series(1, 40) i, customer, LATERAL (SELECT tenure, tickets, charge, constant, plan, senior, tier) f
  GROUP BY i;
SELECT is(count(*) FILTER (WHERE churn_score(s.m, a.a) IS DISTINCT FROM p), 0::bigint, 'out of line') FROM stored s
  JOIN answer a USING (name);
SELECT is(count(*) FILTER (WHERE churn_score(m, a) IS DISTINCT FROM (SELECT churn_score(x.m, a) FROM many x
    WHERE x.i = q.i OFFSET 0)), 0::bigint, 'forty models in turn')
  FROM (SELECT i, m, a FROM asked a, many ORDER BY id, i) q;
SELECT is((SELECT count(DISTINCT churn_score(m, a)) FROM many, asked a WHERE id = 7), 40::bigint, 'all of them differ');
SELECT is(count(*) FILTER (WHERE churn_score(m, a) IS DISTINCT FROM p), 0::bigint,
  'records of many types in one call site') FROM answer;

-- Bands and importance ------------------------------------------------------------------------------------------------

SELECT is(count(*) FILTER (WHERE churn_band(p) <> CASE WHEN p < 0.3 THEN 'low' WHEN p < 0.6 THEN 'medium'
    ELSE 'high' END OR churn_band(p, m) <> CASE WHEN p < rate / 2 THEN 'low' WHEN p < rate * 2 THEN 'medium'
    ELSE 'high' END), 0::bigint, 'bands')
FROM answer, LATERAL (SELECT base_rate AS rate FROM churn_summary(m)) s;
SELECT is(count(*) FILTER (WHERE features <> 7 - (name LIKE 'likelihood%')::integer OR abs(share - 1) > 1e-12
    OR NOT sorted), 0::bigint, 'shares of importance') FROM (
  SELECT name, count(*) AS features, sum(share) AS share,
    bool_and(importance >= 0 AND importance <= coalesce(before, importance)) AS sorted
    FROM (SELECT name, i.*, lag(importance) OVER (PARTITION BY name ORDER BY o) AS before
    FROM model, churn_importance(m) WITH ORDINALITY i (feature, importance, share, o)) i GROUP BY name) s;
SELECT pg_temp.agree('logistic importance is the standard deviation of contributions', $$
  SELECT i.feature, importance, (SELECT stddev_pop(r.contribution)
    FROM customer, LATERAL (SELECT tenure, tickets, charge, constant, plan, senior, tier) f, churn_reasons(m, f, NULL) r
    WHERE r.feature = i.feature AND churned IS NOT NULL) FROM model, churn_importance(m) i WHERE name = 'plain'$$, 7,
    1e-9, 1e-12);
SELECT is(count(*) FILTER (WHERE (importance > 0) <> used), 0::bigint,
  'boosted importance is that of features with splits') FROM model, churn_importance(m) i,
  LATERAL (SELECT EXISTS (SELECT FROM jsonb_path_query(m::jsonb, '$.trees.**.term') t
      WHERE t #>> '{}' = feature OR starts_with(t #>> '{}', feature || '=')) AS used) u
    WHERE m::jsonb ->> 'method' = 'boost';

SELECT * FROM finish();
ROLLBACK;
