-- churn_model() from rows, and churn_score() OVER: what they print, warn and refuse.
-- Reference numbers, properties and plans are in test/.
SET extra_float_digits = 0;
SET DateStyle = 'ISO, MDY';
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS retention;
RESET client_min_messages;

CREATE FUNCTION r(value float8, digits integer DEFAULT 6) RETURNS numeric
	LANGUAGE sql RETURN round(value::numeric, digits);

-- sixty customers: long contracts stay, complaints leave, the last six are open
CREATE TYPE plan AS ENUM ('monthly', 'yearly');
CREATE TABLE customer AS
SELECT i AS id,
	CASE WHEN i <= 54 THEN i * 37 % 54 < CASE WHEN i % 3 = 0 THEN 12 ELSE 26 END + i % 5 * 4 END AS churned,
	i * 7 % 48 AS tenure,
	CASE WHEN i % 9 > 0 THEN i % 5 END AS complaints,
	(CASE WHEN i % 3 = 0 THEN 'yearly' ELSE 'monthly' END)::plan AS plan,
	CASE WHEN i % 4 = 0 THEN 'Lyon' WHEN i % 20 = 7 THEN 'Nice' ELSE 'Paris' END AS city,
	i % 2 = 0 AS app,
	date '2024-01-01' - i AS joined_on
FROM generate_series(1, 60) i;

-- fitted and scored at once
SELECT id, churned, r(churn_score(churned, ROW(tenure, complaints, plan, city, app)) OVER ()) AS score
  FROM customer ORDER BY id DESC LIMIT 8;
SELECT id, churned, r(churn_score(churned, ARRAY[tenure, complaints]) OVER (PARTITION BY plan)) AS score
  FROM customer ORDER BY id DESC LIMIT 8;
SELECT id, r(churn_score(churned, f, '{"lambda": 10, "missing": "skip"}') OVER ()) AS score
  FROM (SELECT id, churned, f FROM customer, LATERAL (SELECT tenure, complaints, plan) f) q ORDER BY id DESC LIMIT 8;

-- in two steps
CREATE TABLE model AS SELECT churn_model(churned, f) AS m
  FROM customer, LATERAL (SELECT tenure, complaints, plan, city, app) f;
SELECT term, r(mean) AS mean, r(sd) AS sd, r(estimate) AS estimate, r(standard_error) AS standard_error,
  r(odds_ratio) AS odds_ratio FROM model, churn_coefficients(m);
SELECT method, converged, n, positives, unlabelled, skipped, features, columns FROM model, churn_summary(m);
SELECT term, r(estimate) AS estimate
  FROM churn_coefficients((SELECT churn_model(churned, customer,
    '{"exclude": ["id", "churned", "joined_on"], "lambda": 0.5}') FROM customer));
SELECT term, r(estimate) AS estimate
  FROM churn_coefficients((SELECT churn_model(churned, ARRAY[tenure, complaints], 1 + id % 3,
    '{"names": ["tenure", "complaints"], "missing": "skip"}') FROM customer));
SELECT converged, n, r(weight) AS weight, skipped
  FROM churn_summary((SELECT churn_model(churned, ARRAY[tenure, complaints], id % 3) FROM customer));

-- what a fit says: once a group, once a partition
SET enable_hashagg = off;
SELECT plan, converged, status
  FROM (SELECT plan, churn_model(plan = 'yearly', ARRAY[tenure]) AS m FROM customer GROUP BY plan) q, churn_summary(m)
  ORDER BY plan;
RESET enable_hashagg;
SELECT count(s) FROM (SELECT churn_score(CASE plan WHEN 'yearly' THEN true END, ARRAY[tenure]) OVER (PARTITION BY plan)
  AS s FROM customer) q;
SELECT converged, status FROM churn_summary((SELECT churn_model(tenure > 20, ARRAY[tenure, complaints], '{"lambda": 0}')
    FROM customer));
SELECT converged, status FROM churn_summary((SELECT churn_model(churned, ARRAY[tenure, 2 * tenure + 1], '{"lambda": 0}')
    FROM customer));
SELECT converged, status FROM churn_summary((SELECT
    churn_model(churned, ARRAY(SELECT sin(id * j) FROM generate_series(1, 70) j)) FROM customer));
SELECT converged, status FROM churn_summary((SELECT churn_model(churned, NULL::float8[]) FROM customer));
SELECT churn_model(churned, ARRAY[tenure]) FROM customer WHERE false;

-- features that know the outcome
SELECT converged, status FROM churn_summary((SELECT churn_model(churned, customer, '{"exclude": ["joined_on"]}')
    FROM customer));
SELECT converged FROM churn_summary((SELECT
    churn_model(churned, ROW(tenure, CASE WHEN churned THEN 'closed' WHEN id % 2 = 0 THEN 'open' ELSE 'new' END,
    CASE WHEN churned THEN 5 - id END, -churned::integer), '{"method": "boost"}') FROM customer));
-- six rows: may be chance
SELECT converged FROM churn_summary((SELECT churn_model(id < 4, ROW(id)) FROM customer WHERE id < 7));

-- what is no feature
SELECT churn_model(churned, customer) FROM customer;
SELECT churn_model(churned, ROW(tenure, joined_on::timestamptz)) FROM customer;
SELECT churn_model(churned, ROW(age(joined_on))) FROM customer;
SELECT churn_model(churned, ROW(tenure, ARRAY[1])) FROM customer;
SELECT churn_model(churned, ARRAY[tenure, 'NaN'::float8]) FROM customer;
SELECT churn_score(churned, ROW(tenure, '-Infinity'::numeric)) OVER () FROM customer;
SELECT churn_model(churned, ROW(complaints), '{"missing": "error"}') FROM customer;
SELECT churn_model(churned, ARRAY[[tenure], [id]]) FROM customer;
SELECT churn_model(churned, CASE WHEN id < 20 THEN ARRAY[tenure, id] ELSE ARRAY[tenure] END) FROM customer;
SELECT churn_model(churned, CASE WHEN id < 20 THEN ROW(tenure, plan) ELSE ROW(tenure, city) END) FROM customer;
SELECT churn_model(churned, q) FROM (SELECT churned, tenure AS a, id AS a FROM customer) q;
SELECT churn_model(churned, ARRAY[tenure], -0.5) FROM customer;
SELECT churn_model(churned, ARRAY[tenure], 'NaN'::float8) FROM customer;

-- options
SELECT churn_model(churned, ARRAY[tenure], '{"lamda": 1}') FROM customer;
SELECT churn_model(churned, ARRAY[tenure], '{"names": ["a", "b"]}') FROM customer;
SELECT churn_model(churned, ARRAY[tenure], '{"exclude": ["a"]}') FROM customer;
SELECT churn_model(churned, customer, '{"exclude": ["joined"]}') FROM customer;
SELECT churn_model(churned, customer, '{"names": ["a"]}') FROM customer;
SELECT churn_model(churned, ARRAY[tenure], jsonb_build_object('lambda', id)) FROM customer;
SELECT churn_score(churned, ARRAY[tenure], jsonb_build_object('lambda', id)) OVER () FROM customer;

-- a model of other features
SELECT churn_score(m, ROW(1, 2)) FROM model;
SELECT churn_score(m, ARRAY[1, 2]) FROM model;
SELECT churn_score(m, f) FROM model,
  LATERAL (SELECT 1 AS tenure, 2 AS complaints, true AS plan, 'Paris' AS city, false AS app) f;
SELECT churn_score(m, ARRAY[1, 2]) FROM (SELECT churn_model(churned, ARRAY[tenure]) AS m FROM customer) q;

DROP TABLE customer, model;
DROP TYPE plan;
DROP FUNCTION r;
