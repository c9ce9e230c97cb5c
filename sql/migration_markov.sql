-- migration_matrix as a Markov chain, and its tests: what they print, and what they say when they cannot.
-- References, properties and simulations are in test/.
SET extra_float_digits = 0;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS retention;
RESET client_min_messages;
\pset null '~'

CREATE FUNCTION r(value float8, digits integer DEFAULT 6) RETURNS numeric
	LANGUAGE sql RETURN round(value::numeric, digits);

CREATE TABLE chain (name text PRIMARY KEY, m migration_matrix);
INSERT INTO chain VALUES
	('customers', migration_matrix('{active,lapsing,dormant}', ARRAY[[60, 40, 0], [30, 0, 70], [10, 0, 90]])),
	('contracts', migration_matrix('{trial,paid,paused,left,unpaid}',
   ARRAY[0, 0.4, 0, 0.6, 0, 0, 0.9, 0.05, 0.03, 0.02, 0, 0.3, 0.5, 0.15, 0.05, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1])),
	('recency', migration_matrix('{r1,r2,r3,r4,former}',
   ARRAY[0.3, 0.7, 0, 0, 0, 0.2, 0, 0.8, 0, 0, 0.15, 0, 0, 0.85, 0, 0.05, 0, 0, 0, 0.95, 0, 0, 0, 0, 1])),
	('alternating', migration_matrix('{a,b}', ARRAY[0.0, 1, 1, 0])),
	('apart', migration_matrix('{a,b,c,d}', ARRAY[0.5, 0.5, 0, 0, 0.5, 0.5, 0, 0, 0, 0, 1, 0, 0.1, 0.2, 0.3, 0.4])),
	('gone', migration_matrix('{active,gone,never}', ARRAY[[80, 20, 0], [0, 0, 0], [0, 0, 0]])),
	('declared', migration_matrix('{a,b,never}', ARRAY[[50, 50, 0], [30, 70, 0], [0, 0, 0]])),
	('alone', migration_matrix('{a}', ARRAY[7])),
	('nobody', (SELECT migration_matrix(NULL::text, NULL::text)));

-- the long run
SELECT name, segment, class, class_type, absorbing, class_period, r(steady_state) AS steady_state,
  r(stationary) AS stationary, r(mean_periods_to_absorption) AS mean, r(variance_periods_to_absorption) AS variance,
  first_order_p
FROM chain, migration_states(m) WITH ORDINALITY s ORDER BY name, s.ordinality;
SELECT name, segment, reason FROM chain, migration_states(m) WITH ORDINALITY s ORDER BY name, s.ordinality;
SELECT name, segment, r(probability) AS probability, reason FROM chain, steady_state(m) WITH ORDINALITY s ORDER BY name,
  s.ordinality;

-- absorption: what absorbs by itself, and what is declared to
SELECT name, from_segment, absorbing_segment, r(probability) AS probability, reason
  FROM chain, absorption_probabilities(m) WITH ORDINALITY s ORDER BY name, s.ordinality;
SELECT from_segment, absorbing_segment, r(probability) AS probability, reason
  FROM chain, absorption_probabilities(m, '{dormant,active}') WHERE name = 'customers';
SELECT r(absorption_probability(m, 'trial', 'paid')) AS ever_paid,
  r(absorption_probability(m, 'trial', 'unpaid')) AS unpaid, absorption_probability(m, 'left', 'paid') AS back,
  absorption_probability(m, 'left', 'left') AS already FROM chain WHERE name = 'contracts';
SELECT absorption_probability(m, 'active', 'gone') AS gone, absorption_probability(m, 'gone', 'active') AS back
  FROM chain WHERE name = 'gone';
SELECT name, s.from_segment, s.segment, r(visits) AS visits, reason FROM chain, expected_visits(m) WITH ORDINALITY s
  WHERE name <> 'recency' ORDER BY name, s.ordinality;
SELECT from_segment, segment, visits, reason FROM chain, expected_visits(m, '{gone}') WHERE name = 'gone';
SELECT name, segment, r(mean_periods) AS mean, r(variance) AS variance, reason
  FROM chain, expected_periods(m) WITH ORDINALITY s ORDER BY name, s.ordinality;
SELECT segment, r(mean_periods) AS mean, r(variance) AS variance, reason FROM chain, expected_periods(m, '{gone}')
  WHERE name = 'gone';
SELECT segment, r(mean_periods) AS mean, r(variance) AS variance, reason FROM chain, expected_periods(m, '{c}')
  WHERE name = 'apart';
SELECT name, from_segment, to_segment, r(mean_periods) AS mean, reason FROM chain, first_passage(m) WITH ORDINALITY s
  WHERE name NOT IN ('recency', 'contracts') ORDER BY name, s.ordinality;

-- some periods on
SELECT name, k, from_segment, to_segment, r(probability) AS probability, reason
  FROM chain, unnest('{0,1,2,1000000000}'::integer[]) k, migration_power(m, k) WITH ORDINALITY s
  WHERE name IN ('alternating', 'gone') ORDER BY name, k, s.ordinality;
SELECT periods_ahead, segment, r(customers, 3) AS customers, reason FROM chain, migration_forecast(m, k => 2)
  WHERE name = 'customers';
SELECT periods_ahead, segment, r(customers, 3) AS customers, reason
  FROM chain, migration_forecast(m, '{"trial": 100, "paid": 12.5}', 1) WHERE name = 'contracts';
SELECT periods_ahead, segment, customers, reason FROM chain, migration_forecast(m, k => 2) WHERE name = 'gone';

-- a segment that customers do not come back from, declared to be one
SELECT segment, class, class_type, absorbing, steady_state, r(mean_periods_to_absorption) AS mean, reason
  FROM chain, migration_states(m, '{gone}') WHERE name = 'gone';
SELECT from_segment, to_segment, r(probability) AS probability, reason FROM chain, migration_power(m, 2, '{gone}')
  WHERE name = 'gone';
SELECT periods_ahead, segment, r(customers, 3) AS customers, reason
  FROM chain, migration_forecast(m, '{"active": 100}', 2, '{gone}') WHERE name = 'gone';
SELECT segment, r(value) AS value, reason FROM chain, markov_clv(m, '{"active": 11}', 0.1, absorbing => '{gone,never}')
  WHERE name = 'gone';

-- the value of a customer: the example of Pfeifer and Carraway (2000)
SELECT horizon, string_agg(r(value, 3)::text, ' ') AS value FROM chain, unnest(ARRAY[0, 1, 4, NULL]) horizon,
  markov_clv(m, '{"r1": 36, "r2": -4, "r3": -4, "r4": -4}', 0.2, horizon) WHERE name = 'recency'
  GROUP BY horizon ORDER BY horizon;
SELECT name, segment, r(value, 3) AS value, reason
  FROM (VALUES ('recency', '{"r1": 36}'::jsonb), ('contracts', '{"paid": 10, "left": 1}'), ('gone', '{"active": 1}'),
  ('alone', '{"a": 0}'), ('customers', '{"active": 1}')) v (name, rewards)
  JOIN chain USING (name), markov_clv(m, rewards, 0) WITH ORDINALITY s ORDER BY name, s.ordinality;
SELECT segment, value, reason FROM chain, markov_clv(m, '{"active": 1, "gone": 0.5}', 0.1, 1) WHERE name = 'gone';

-- tests
CREATE TABLE campaign AS SELECT
	migration_matrix('{gold,silver,lapsed}', ARRAY[[420, 60, 20], [90, 210, 100], [3, 5, 40]]) AS exposed,
	migration_matrix('{silver,gold,lapsed,new}', ARRAY[[200, 60, 140, 0], [85, 380, 35, 0], [8, 5, 357, 0], [1, 0, 0, 2]])
   AS control;
SELECT t.test, from_segment, kind, r(statistic) AS statistic, degrees_of_freedom AS df, r(p_value, 9) AS p,
  r(p_value_holm, 9) AS holm, significant FROM campaign, migration_test(exposed, control) t;
SELECT t.test, from_segment, exposed_customers AS exposed, control_customers AS control, r(expected_under_5) AS under_5,
  warning, reason, note FROM campaign, migration_test(exposed, control) t WHERE kind = 'g';
SELECT from_segment, to_segment, exposed_customers AS e, control_customers AS c, r(difference) AS difference,
  r(difference_low) AS low, r(difference_high) AS high, r(customers_moved, 3) AS moved, reason, note
  FROM campaign, migration_test_cells(exposed, control);
SELECT t.test, from_segment, kind, r(statistic) AS statistic, degrees_of_freedom AS df, r(p_value, 9) AS p, samples,
  customers, reason, note FROM campaign, migration_homogeneity(ARRAY[exposed, NULL, control, exposed]) t;
SELECT t.test, from_segment, kind, statistic, degrees_of_freedom AS df, p_value, samples, customers, reason
  FROM campaign, migration_homogeneity(exposed) t;
SELECT t.test, from_segment, kind, statistic, degrees_of_freedom AS df, p_value, reason
  FROM campaign, migration_homogeneity(ARRAY[exposed]) t WHERE kind = 'g';
SELECT t.test, from_segment, kind, statistic, degrees_of_freedom AS df, p_value, reason
  FROM migration_homogeneity('{}'::migration_matrix[]) t;
SELECT t.test, kind, r(statistic) AS statistic, degrees_of_freedom AS df, r(p_value, 9) AS p, warning, reason
  FROM campaign, migration_order(exposed) t;
SELECT t.test, kind, statistic, degrees_of_freedom AS df, p_value, reason FROM chain, migration_order(m) t
  WHERE name = 'recency' OR name = 'alone';
SELECT t.test, from_segment, kind, statistic, degrees_of_freedom AS df, p_value, reason
  FROM chain, migration_test(m, m) t WHERE name IN ('gone', 'nobody');

-- a NULL matrix has no rows
SELECT count(*) FROM (SELECT NULL::migration_matrix AS m) n, LATERAL (SELECT FROM migration_states(m) UNION ALL SELECT
  FROM steady_state(m) UNION ALL SELECT FROM absorption_probabilities(m) UNION ALL SELECT FROM expected_visits(m)
  UNION ALL SELECT FROM expected_periods(m) UNION ALL SELECT FROM first_passage(m)
	UNION ALL SELECT FROM migration_power(m, 1) UNION ALL SELECT FROM migration_forecast(m) UNION ALL SELECT
   FROM markov_clv(m, '{}', 0) UNION ALL SELECT FROM migration_test(m, m) UNION ALL SELECT
   FROM migration_test_cells(m, m) UNION ALL SELECT FROM migration_homogeneity(m) UNION ALL SELECT
   FROM migration_homogeneity(NULL::migration_matrix[]) UNION ALL SELECT FROM migration_order(m)) r;

-- what is refused
SELECT * FROM chain, migration_forecast(m, jsonb_build_object('a', 'NaN'::float8)) WHERE name = 'alone';
SELECT * FROM chain, migration_forecast(m, jsonb_build_object('a', 'Infinity'::float8)) WHERE name = 'alone';
SELECT * FROM chain, migration_forecast(m, '{"a": -1}') WHERE name = 'alone';
SELECT * FROM chain, migration_forecast(m, '{"a": null}') WHERE name = 'alone';
SELECT * FROM chain, migration_forecast(m, '{"a": {"a": 1}}') WHERE name = 'alone';
SELECT * FROM chain, migration_forecast(m, '{"a": [1]}') WHERE name = 'alone';
SELECT * FROM chain, migration_forecast(m, '{"a": 1e400}') WHERE name = 'alone';
SELECT * FROM chain, migration_forecast(m, '{"b": 1}') WHERE name = 'alone';
SELECT * FROM chain, migration_forecast(m, '{"b": 1}') WHERE name = 'nobody';
SELECT * FROM chain, migration_forecast(m, '[1, 2]') WHERE name = 'alone';
SELECT * FROM chain, migration_forecast(m, '7') WHERE name = 'alone';
SELECT * FROM chain, migration_forecast(m) WHERE name = 'recency';
SELECT * FROM chain, migration_forecast(m, k => -1) WHERE name = 'alone';
SELECT * FROM chain, migration_forecast(m, k => NULL) WHERE name = 'alone';
SELECT * FROM chain, migration_forecast(m, k => 2147483647) WHERE name = 'alone';
SELECT * FROM chain, migration_power(m, -1) WHERE name = 'alone';
SELECT * FROM chain, migration_power(m, NULL) WHERE name = 'alone';
SELECT * FROM chain, absorption_probabilities(m, '{nobody}') WHERE name = 'customers';
SELECT * FROM chain, absorption_probabilities(m, '{}') WHERE name = 'customers';
SELECT * FROM chain, absorption_probabilities(m, '{active,NULL}') WHERE name = 'customers';
SELECT absorption_probability(m, 'a', 'z') FROM chain WHERE name = 'alone';
SELECT absorption_probability(m, 'z', 'a') FROM chain WHERE name = 'alone';
SELECT * FROM chain, expected_periods(m, '{z}') WHERE name = 'alone';
SELECT * FROM chain, markov_clv(m, NULL, 0.1) WHERE name = 'alone';
SELECT * FROM chain, markov_clv(m, '{}', NULL) WHERE name = 'alone';
SELECT * FROM chain, markov_clv(m, '{}', 'NaN') WHERE name = 'alone';
SELECT * FROM chain, markov_clv(m, '{}', -0.01) WHERE name = 'alone';
SELECT * FROM chain, markov_clv(m, '{}', 'Infinity') WHERE name = 'alone';
SELECT * FROM chain, markov_clv(m, '{}', 0.1, -1) WHERE name = 'alone';
SELECT * FROM chain, markov_clv(m, '{}', 0.1, 1000001) WHERE name = 'alone';
SELECT * FROM chain, markov_clv(m, '{"a": 1e308}', 0.001) WHERE name = 'alone';
SELECT * FROM chain, markov_clv(m, '{"A": 1}', 0.1) WHERE name = 'alone';
SELECT * FROM chain a, chain b, migration_test(a.m, b.m) WHERE a.name = 'alone' AND b.name = 'recency';
SELECT * FROM chain a, chain b, migration_test_cells(a.m, b.m) WHERE a.name = 'recency' AND b.name = 'alone';
SELECT * FROM chain, migration_homogeneity(ARRAY[m, m]) WHERE name = 'recency';
SELECT * FROM chain, migration_test(m, m, 1) WHERE name = 'alone';
SELECT * FROM chain, migration_test(m, m, 'NaN') WHERE name = 'alone';
SELECT * FROM chain, migration_test_cells(m, m, 0) WHERE name = 'alone';

DROP TABLE campaign, chain;
DROP FUNCTION r(float8, integer);
