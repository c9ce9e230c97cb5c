-- churn_model: what its functions print, and what they say when they cannot.
-- Properties, references and damaged values are in test/.
SET extra_float_digits = 0;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS retention;
RESET client_min_messages;

CREATE FUNCTION r(value float8, digits integer DEFAULT 6) RETURNS numeric
	LANGUAGE sql RETURN round(value::numeric, digits);

-- twelve subscribers; the last two are still open
CREATE TABLE subscriber (id integer, churned boolean, months integer, plan text, support boolean);
INSERT INTO subscriber VALUES
	(1, true, 1, 'monthly', true), (2, true, 3, 'monthly', true), (3, false, 20, 'monthly', false),
   (4, true, 8, 'monthly', NULL),
	(5, false, 30, 'yearly', false), (6, false, 25, 'yearly', true), (7, true, 12, 'yearly', false),
   (8, false, 9, 'monthly', false),
	(9, false, 28, 'yearly', false), (10, true, 2, 'monthly', false), (11, NULL, 4, 'monthly', true),
   (12, NULL, 26, 'weekly', NULL);
CREATE TABLE model AS
SELECT churn_model(churned, f, '{"rare": 2}') AS m FROM subscriber, LATERAL (SELECT months, plan, support) AS f;

SELECT method, converged, status, reason, n, positives, weight, base_rate, unlabelled, skipped, features, columns,
  parameters, lambda,
	r(log_likelihood_null) AS null_model, r(log_likelihood) AS log_likelihood, r(penalised_log_likelihood) AS penalised,
   r(deviance) AS deviance,
	r(aic) AS aic, r(bic) AS bic, r(mcfadden_r2) AS r2, r(edf) AS edf, max_gradient < 1e-6 AS flat,
   iterations < 20 AS quick, trees, as_of, horizon_days
FROM model, churn_summary(m);
SELECT term, feature, level, r(mean) AS mean, r(sd) AS sd, r(coefficient_std) AS std, r(estimate) AS estimate,
  r(standard_error) AS se,
	r(sandwich_error) AS sandwich, r(z) AS z, r(p_value) AS p, r(odds_ratio) AS odds_ratio
FROM model, churn_coefficients(m);
SELECT feature, r(importance) AS importance, r(share) AS share FROM model, churn_importance(m);
SELECT id, r(churn_score(m, s)) AS p, churn_band(churn_score(m, s)) AS band,
  churn_band(churn_score(m, s), m) AS of_model FROM model, subscriber AS s ORDER BY id;
SELECT rank, feature, value, r(contribution) AS contribution, direction FROM model, subscriber AS s, churn_reasons(m, s)
  WHERE id = 11;
SELECT rank, feature, value, r(contribution) AS contribution, direction
  FROM model, subscriber AS s, churn_reasons(m, s, 1) WHERE id = 12;
SELECT rank, feature, value, r(contribution) AS contribution, direction
  FROM model, subscriber AS s, churn_reasons(m, s, k => 0) WHERE id = 1;
SELECT m::jsonb - ARRAY['terms', 'log_likelihood', 'log_likelihood_null', 'penalised_log_likelihood', 'edf',
  'max_gradient', 'iterations'] AS model FROM model;
SELECT m::text::churn_model = m AS same, m <> m AS different FROM model;

-- trees
CREATE TABLE trees AS
SELECT churn_model(churned, f,
  '{"method": "boost", "trees": 3, "depth": 1, "min_leaf": 2, "lambda": 1, "learning_rate": 0.5, "rare": 2}') AS m
  FROM subscriber, LATERAL (SELECT months, plan, support) AS f;
SELECT method, converged, n, columns, parameters, lambda, r(log_likelihood_null) AS null_model, aic, edf, trees
  FROM trees, churn_summary(m);
SELECT feature, importance > 0 AS used FROM trees, churn_importance(m);
SELECT churn_coefficients(m) FROM trees;

-- arrays, their names, and NULLs
SELECT term, r(estimate) AS estimate
  FROM (SELECT churn_model(churned, ARRAY[months, support::integer], '{"names": ["months", "support"]}') AS m
  FROM subscriber) AS q, churn_coefficients(m);
CREATE TABLE strict AS SELECT churn_model(churned, ARRAY[months]::float8[], '{"missing": "error"}') AS e,
  churn_model(churned, ARRAY[months]::float8[], '{"missing": "skip"}') AS s FROM subscriber;
SELECT churn_score(s, ARRAY[NULL]::float8[]), (SELECT count(*) FROM churn_reasons(s, ARRAY[NULL]::float8[])) AS reasons
  FROM strict;
SELECT churn_score(e, ARRAY[NULL]::float8[]) FROM strict;
SELECT churn_score(e, ARRAY[1, 2]::float8[]) FROM strict;
SELECT churn_score(e, ARRAY[[1]]::float8[]) FROM strict;
SELECT churn_score(e, ARRAY['NaN']::float8[]) FROM strict;
SELECT churn_score(e, ARRAY['-Infinity']::float8[]) FROM strict;
SELECT churn_score(NULL::churn_model, ARRAY[1]::float8[]), churn_score(e, NULL::float8[]) FROM strict;
SELECT count(*) FROM churn_reasons(NULL, ARRAY[1]::float8[]), churn_coefficients(NULL), churn_summary(NULL),
  churn_importance(NULL);
SELECT churn_reasons(e, ARRAY[1]::float8[], -1) FROM strict;
-- however far away: a number
SELECT churn_score(e, ARRAY[1e308]::float8[]), churn_score(e, ARRAY[-1e308]::float8[]) FROM strict;

-- records without what the model needs
SELECT churn_score(m, f) FROM model, (SELECT 1 AS months, 'x'::text AS plan) AS f;
SELECT churn_score(m, f) FROM model, (SELECT 1 AS months, 2 AS plan, true AS support) AS f;
SELECT churn_score(m, ARRAY[1, 2, 3]::float8[]) FROM model;

-- fits that cannot be trusted
CREATE TABLE doubtful AS SELECT * FROM (VALUES
	(1, (SELECT churn_model(x > 5, ARRAY[x]::float8[], '{"lambda": 0}') FROM generate_series(1, 10) AS x)),
	(2, (SELECT churn_model(x % 3 = 0, ARRAY[x, 2 * x, 7]::float8[], '{"lambda": 0}') FROM generate_series(1, 10) AS x)),
	(3, (SELECT churn_model(NULL, ARRAY[x]::float8[]) FROM generate_series(1, 10) AS x)),
	(4, (SELECT churn_model(true, ARRAY[x]::float8[]) FROM generate_series(1, 10) AS x)),
	(5, (SELECT churn_model(false, ARRAY[x]::float8[], '{"method": "boost"}') FROM generate_series(1, 10) AS x)),
	(6, (SELECT churn_model(x % 2 = 0, ARRAY[x, x * x, x % 2]::float8[]) FROM generate_series(1, 2) AS x))) AS v (id, m);
SELECT id, method, converged, status, reason FROM doubtful, churn_summary(m) ORDER BY id;
SELECT id, term, r(estimate) AS estimate, r(standard_error) AS se FROM doubtful, churn_coefficients(m)
  WHERE id IN (1, 2, 3) ORDER BY id;
SELECT id, churn_score(m, ARRAY[5]::float8[]) FROM doubtful WHERE id IN (3, 4) ORDER BY id;
SELECT id, churn_score(m, ARRAY[5]::float8[]) > 0.1 AS scored FROM doubtful WHERE id IN (1);

-- bands
SELECT churn_band(0), churn_band(0.3), churn_band(0.6), churn_band(0.5, 0.5, 0.5), churn_band(0.2, low => 0.1),
  churn_band(NULL), churn_band(0.2, NULL::churn_model);
SELECT churn_band(1.5);
SELECT churn_band('NaN');
SELECT churn_band(0.5, 0.7);
SELECT churn_band(0.5, -1, 1);

-- options
CREATE PROCEDURE try(options jsonb) LANGUAGE plpgsql AS $$
DECLARE
	message text;
	hint text;
BEGIN
	PERFORM churn_model(churned, ARRAY[months]::float8[], options) FROM subscriber;
	RAISE NOTICE 'fine: %', options;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
	RAISE NOTICE '% %', SQLSTATE, concat_ws(E'\nHINT: ', message, nullif(hint, ''));
END $$;
CALL try(NULL);
CALL try('{}');
CALL try('{"method": "Boost", "trees": 2, "depth": 6, "learning_rate": 1, "bins": 255, "min_leaf": 0.5, "lambda": 0}');
CALL try('{"lamda": 1}');
CALL try('{"method": "forest"}');
CALL try('{"method": null}');
CALL try('[1]');
CALL try('"boost"');
CALL try('{"trees": 10}');
CALL try('{"lambda": -1}');
CALL try('{"lambda": "1"}');
CALL try('{"lambda": 1e400}');
CALL try('{"missing": "drop"}');
CALL try('{"missing": ["mean"]}');
CALL try('{"rare": 0}');
CALL try('{"rare": 2.5}');
CALL try('{"names": "months"}');
CALL try('{"names": [1]}');
CALL try('{"names": [""]}');
CALL try('{"names": ["a", "a"]}');
CALL try('{"names": ["a", "b"]}');
CALL try('{"names": {"a": 1}}');
CALL try('{"exclude": ["a"]}');
CALL try('{"method": "boost", "trees": 0}');
CALL try('{"method": "boost", "trees": 1e9}');
CALL try('{"method": "boost", "depth": 7}');
CALL try('{"method": "boost", "learning_rate": 0}');
CALL try('{"method": "boost", "learning_rate": 1.5}');
CALL try('{"method": "boost", "bins": 256}');
CALL try('{"method": "boost", "min_leaf": -1}');
CALL try('{"method": "boost", "bins": true}');
CALL try('{"method": "boost", "names": ["a very long list of names that does not fit into a message", "of an '
  'error"], "bins": ["a very long list of names that does not fit into a message"]}');

-- what is no model
SELECT ''::churn_model;
SELECT 'a model'::churn_model;
SELECT 'AAAA'::churn_model;
SELECT 'AQAA'::churn_model;

-- a value of the first version, as it was stored
CREATE TABLE kept AS SELECT churn_model_in('AQBrCad904rIZY5QjZW8yhsNAQAAAWQeBwIAAAAAAABZQAAAAAAAAD5AAwZ0ZW51cmUEAAAAAAAAJUAIY29udHJhY3QOAw5Nb250aC10by1tb250aAhPbmUgeWVhcghUd28geWVhcgZzZW5pb3IBAAAAAAAA0D8AAAAAAADwPwDNzMzMzIxOwAAAAAAAQEnAAAAAAACgScAAAAAAAAAaQJXWJugLLhE+BgAAAAAAACVAAAAAAAAAEECamZmZmZnpv5qZmZmZmcm/mpmZmZmZuT8pXI/C9Si8P5qZmZmZmbk/MzMzMzMz0z+amZmZmZnJP1ZVVVVVVeU/mpmZmZmZuT8pXI/C9Si8P5qZmZmZmck/mpmZmZmZ2T8AAAAAAADgvwAAAAAAAPS/mpmZmZmZuT8pXI/C9Si8PwAAAAAAANA/hetRuB6F2z8AAAAAAAD0v9AX9AV9QQfAmpmZmZmZuT8pXI/C9Si8P5qZmZmZmak/gZVDi2znyz8AAAAAAADAP5QlsGk/WeI/mpmZmZmZuT8pXI/C9Si8P5qZmZmZmbk/MzMzMzMz0z8AAAAAAACwP6uqqqqqqso/mpmZmZmZuT8pXI/C9Si8PwAAAAAAANA/AAAAAAAAAAAAAAAAAAD4vwAAAAAAAOC/mpmZmZmZyT8AAAAAAAD4fw==')
  AS m;
SELECT method, status, n, positives, unlabelled, skipped, columns, edf FROM kept, churn_summary(m);
SELECT term, r(mean) AS mean, r(sd) AS sd, r(estimate) AS estimate FROM kept, churn_coefficients(m);
SELECT r(churn_score(m, f)) AS p FROM kept, (SELECT true AS senior, 'Two year'::text AS contract, 5 AS tenure) AS f;

DROP TABLE subscriber, model, trees, strict, doubtful, kept;
DROP FUNCTION r;
DROP PROCEDURE try;
