-- clv against what was published: tables, parameters and customers that are facts of public record, all of them here.
-- Fader, Hardie and Lee (2005), Marketing Science 24 and Journal of Marketing Research 42 (CDNOW); Fader, Hardie and
-- Shang (2010) (donations); Fader and Hardie (2007, 2010) and Fader, Hardie, Liu, Davin and Steenburgh (2018)
-- (contracts); Gupta and Lehmann (2003), Reichheld and Sasser (1990), Peppers and Rogers (2005) (values from a
-- retention rate).
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT plan(28);
\ir oracle/shared.psql
\pset tuples_only on
\pset format unaligned

-- A query of (what, have, as printed): equal when rounded to as many digits.
CREATE FUNCTION pg_temp.printed(title text, query text, rows bigint) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.agree(title, format('SELECT what, round(have::numeric, scale(want))::float8, want::float8
      FROM (%s) p (what, have, want)', query), rows, 0, 1e-9)
$$;

-- Donations: 11,104 donors of 1995, by years with a gift and year of the last, of six; Fader, Hardie and Shang (2010) -

CREATE TABLE donation (x integer, t_x integer, custs integer);
INSERT INTO donation VALUES
  (6, 6, 1203), (5, 6, 728), (4, 6, 512), (3, 6, 357), (2, 6, 234), (1, 6, 129), (5, 5, 335), (4, 5, 284), (3, 5, 225),
    (2, 5, 173), (1, 5, 119),
  (4, 4, 240), (3, 4, 181), (2, 4, 155), (1, 4, 78), (3, 3, 322), (2, 3, 255), (1, 3, 129), (2, 2, 613), (1, 2, 277),
    (1, 1, 1091), (0, 0, 3464);
CREATE TABLE donors AS SELECT clv_model(x, t_x, 6, NULL::float8, 'bg_bb', 'none', 'year') AS m
  FROM donation, generate_series(1, custs);
SELECT is((SELECT (n, converged, reason IS NULL, purchase_model, unit)::text FROM donors, clv_fit(m)),
  '(11104,t,t,bg_bb,year)', 'donations: the fit');
SELECT pg_temp.printed('donations: parameters', $$SELECT parameter, estimate, want FROM donors, clv_parameters(m)
    JOIN (VALUES ('alpha', 1.204), ('beta', .750), ('gamma', .657), ('delta', 2.783)) v (parameter, want)
    USING (parameter)$$, 4);
SELECT pg_temp.printed('donations: log-likelihood', $$SELECT 'lnL', log_likelihood, -33225.6 FROM donors, clv_fit(m)$$,
  1);
SELECT pg_temp.printed('donations: expected donors by gifts',
  $$SELECT k, 11104 * purchase_distribution(m, 0, 0, 0, '6 years', k), want
    FROM donors, (VALUES (0, 3454.9), (1, 1888.7), (2, 1348.9), (3, 1113.4), (4, 1017.9), (5, 1027.2), (6, 1253.1))
    v (k, want)$$, 7);
SELECT pg_temp.printed('donations: expected gifts in the next five years',
  $$SELECT (x, t_x), expected_purchases(m, x, t_x, 6, '5 years'), want
  FROM donors, (VALUES (6, 6, 3.7525), (5, 6, 3.2316), (4, 6, 2.7107), (3, 6, 2.1897), (2, 6, 1.6688), (1, 6, 1.1479),
    (4, 5, 2.0300), (1, 1, .0857), (0, 0, .0729)) v (x, t_x, want)$$, 9);
SELECT pg_temp.printed('donations: of all donors',
  $$SELECT 'sum', sum(custs * expected_purchases(m, x, t_x, 6, '5 years')), 12884.2 FROM donors, donation$$, 1);
SELECT pg_temp.printed('donations: alive in the seventh year', $$SELECT x, p_alive(m, x, t_x, 6, '1 year'), want
    FROM donors, (VALUES (6, 6, .9304), (0, 0, .1081)) v (x, t_x, want)$$, 2);
-- each gift of 1: p = 1, q = 2, v = 1
SELECT pg_temp.printed('donations: discounted gifts to come',
  $$SELECT x, residual_lifetime_value(clv_model('bg_bb',
    (SELECT jsonb_object_agg(parameter, estimate) FROM donors, clv_parameters(m)) || '{"p": 1, "q": 2, "v": 1}',
    'year'), x, t_x, 6, 1, 0.10), want
  FROM (VALUES (6, 6, 5.9099), (3, 6, 3.4486), (0, 0, .1148)) v (x, t_x, want)$$, 3);

-- Contracts: of 1,000 customers still there after so many years, of which seven are fitted; Fader and Hardie (2007) ---

CREATE TABLE contract AS SELECT segment, t::integer - 1 AS t, s FROM (VALUES
  ('high end', '{1000,869,743,653,593,551,517,491}'::bigint[]), ('regular', '{1000,631,468,382,326,289,262,241}'))
    v (segment, survivors), unnest(survivors) WITH ORDINALITY u (s, t);
CREATE TABLE contracts AS SELECT segment, ours, clv_model(t, s, ours) AS m
  FROM contract, unnest('{sbg,bdw}'::text[]) ours GROUP BY segment, ours;
SELECT is((SELECT count(*) FROM contracts, clv_fit(m) WHERE converged AND n = 1000 AND unit = 'year'), 4::bigint,
  'contracts: the fits');
SELECT pg_temp.printed('contracts: parameters', $$SELECT concat_ws(' ', segment, ours, parameter), estimate, want
    FROM contracts, clv_parameters(m)
    JOIN (VALUES ('high end', 'sbg', 'alpha', .668), ('high end', 'sbg', 'beta', 3.806),
    ('regular', 'sbg', 'alpha', .704), ('regular', 'sbg', 'beta', 1.182),
  ('high end', 'bdw', 'alpha', .214253), ('high end', 'bdw', 'beta', 1.426575), ('high end', 'bdw', 'c', 1.723565),
    ('regular', 'bdw', 'alpha', .455614), ('regular', 'bdw', 'beta', .779326), ('regular', 'bdw', 'c', 1.283451))
    v (s, o, parameter, want) USING (parameter) WHERE (segment, ours) = (s, o)$$, 10);
SELECT pg_temp.printed('contracts: log-likelihoods', $$SELECT concat_ws(' ', segment, ours), log_likelihood, want
    FROM contracts, clv_fit(m), (VALUES ('high end', 'sbg', -1611.158), ('high end', 'bdw', -1605.314),
    ('regular', 'sbg', -1680.265), ('regular', 'bdw', -1679.603)) v (s, o, want) WHERE (segment, ours) = (s, o)$$, 4);
SELECT pg_temp.printed('contracts: retention grows',
  $$SELECT t, contract_retention(m, t), want FROM contracts, (VALUES (1, .851), (12, .957)) v (t, want)
    WHERE (segment, ours) = ('high end', 'sbg')$$, 2);
SELECT pg_temp.printed('contracts: of 1,000 there will be in year twelve',
  $$SELECT segment, contract_survival(m, 12), want
    FROM contracts, (VALUES ('high end', .378), ('regular', .170)) v (s, want) WHERE (segment, ours) = (s, 'sbg')$$, 2);
SELECT pg_temp.printed('contracts: discounted lifetime of a new customer',
  $$SELECT segment, contract_lifetime(m), want
    FROM contracts, (VALUES ('high end', 5.9223), ('regular', 3.6949)) v (s, want) WHERE (segment, ours) = (s, 'sbg')$$,
  2);
-- The same contracts as customers: recency is the last renewal that was made, age the seven that there were.
SELECT pg_temp.agree('contracts: the same as customers one by one',
  $$SELECT concat_ws(' ', segment, ours, p.parameter), p.estimate, q.estimate
  FROM (SELECT segment, ours, clv_model(0, t, 7, NULL, ours, 'none', 'year') AS n
        FROM (SELECT segment, t, s - coalesce(lead(s) OVER (PARTITION BY segment ORDER BY t), 0) AS leave
          FROM contract) l, generate_series(1, leave), unnest('{sbg,bdw}'::text[]) ours GROUP BY segment, ours) o
  JOIN contracts USING (segment, ours), clv_parameters(n) p JOIN LATERAL clv_parameters(m) q USING (parameter)$$, 10,
    1e-8, 0);

-- CDNOW, weeks: parameters and customers of Fader, Hardie and Lee (2005) ----------------------------------------------

CREATE TABLE paper AS SELECT * FROM (VALUES
  ('bg', clv_model('BG/NBD', '{"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}'::jsonb, 'week')),
  ('bg exact', clv_model('bg_nbd',
    '{"r": 0.242594522, "alpha": 4.413602019, "a": 0.792922017, "b": 2.425906777, "p": 6.249572271, "q": '
    '3.744224667, "v": 15.443520963}'::jsonb, 'week')),
  ('pareto', clv_model('pareto_nbd', '{"r": 0.553, "alpha": 10.578, "s": 0.606, "beta": 11.669}'::jsonb, 'week')),
  ('pareto exact', clv_model('pareto_nbd',
    '{"r": 0.553277047, "alpha": 10.577683463, "s": 0.606239989, "beta": 11.668735289}'::jsonb, 'week'))) v (who, m);
SELECT is(pg_temp.outcome($$SELECT
    round(p_alive(clv_model('bg_nbd', '{"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}', 'week'), 2, 30.43,
    38.86)::numeric, 3)$$), '0.727', 'CDNOW: a model by hand, in bare literals');
SELECT is(round(expected_purchases(m, 2, 30.43, 38.86, '273 days')::numeric, 3), 1.226,
  'CDNOW: the first customer will buy 1.226 times in 39 weeks') FROM paper WHERE who = 'bg';
SELECT pg_temp.printed('CDNOW: the first customer',
  $$SELECT concat_ws(' ', who, what), have, want FROM paper, LATERAL (VALUES
  ('bg exact', 'alive', p_alive(m, 2, 213 / 7.0, 272 / 7.0), .72662),
    ('bg exact', 'in 39 weeks', expected_purchases(m, 2, 213 / 7.0, 272 / 7.0, '273 days'), 1.225994),
    ('bg exact', 'in 52 weeks', expected_purchases(m, 2, 213 / 7.0, 272 / 7.0, '364 days'), 1.558686),
  ('bg exact', 'spend', expected_spend(m, 2, 213 / 7.0, 272 / 7.0, 22.345), 24.65),
  ('pareto exact', 'alive', p_alive(m, 2, 213 / 7.0, 272 / 7.0), .86913),
    ('pareto exact', 'in 39 weeks', expected_purchases(m, 2, 213 / 7.0, 272 / 7.0, '273 days'), 1.45520))
    v (w, what, have, want) WHERE who = w$$, 6);
-- months of 4.345 weeks, each discounted by 1%
SELECT is(round(clv(m, 2, 213 / 7.0, 272 / 7.0, 22.345, 12 * interval '30 days 09:57:36',
    power(1.01::float8, 365.25 / 30.415) - 1, step => interval '30 days 09:57:36')::numeric, 3), 36.274,
  'CDNOW: and be worth 36.274') FROM paper WHERE who = 'bg exact';
SELECT pg_temp.printed('CDNOW: customer 1516',
  $$SELECT concat_ws(' ', who, what), have, want FROM paper, LATERAL (VALUES
  ('bg exact', 'alive', p_alive(m, 26, 216 / 7.0, 31), .96885),
    ('bg exact', 'in 52 weeks', expected_purchases(m, 26, 216 / 7.0, 31, '364 days'), 25.757),
    ('pareto exact', 'alive', p_alive(m, 26, 216 / 7.0, 31), .9979),
    ('pareto exact', 'in 52 weeks', expected_purchases(m, 26, 216 / 7.0, 31, '364 days'), 25.46))
    v (w, what, have, want) WHERE who = w$$, 4);
SELECT pg_temp.printed('CDNOW: a new customer in the first year',
  $$SELECT who, expected_purchases(m, 0, 0, 0, '364 days'), want FROM paper
    JOIN (VALUES ('bg exact', 1.4440), ('pareto exact', 1.4734)) v (who, want) USING (who)$$, 2);
-- who bought often and has stopped is as good as gone: more purchases, less to come
SELECT pg_temp.printed('the paradox of increasing frequency',
  $$SELECT concat_ws(' ', who, x), expected_purchases(m, x, 20, 39, '364 days'), want FROM paper JOIN (VALUES
  ('pareto exact', 10, .7059), ('pareto exact', 15, .1442), ('pareto exact', 20, .0225), ('pareto exact', 25, .00309),
    ('bg exact', 10, .3475), ('bg exact', 15, .0428), ('bg exact', 20, .00416), ('bg exact', 25, .000358))
    v (who, x, want) USING (who)$$, 8);
SELECT is((SELECT p_alive(m, 0, 0, 39) FROM paper WHERE who = 'bg'), 1::float8,
  'who came once is alive for sure in BG/NBD, though P(no purchase) says what that is worth');
-- discounted residual transactions of the first customer: at a true 10% a year, not 10% a week
SELECT pg_temp.printed('CDNOW: DERT of the first customer',
  $$SELECT who, residual_lifetime_value(clv_model('pareto_nbd',
    (SELECT jsonb_object_agg(parameter, estimate) FROM clv_parameters(m)) || '{"p": 1, "q": 2, "v": 1}', 'week'), 2,
    213 / 7.0, 272 / 7.0, 1, power(1.10::float8, 365.25 / 364) - 1), 8.156 FROM paper WHERE who = 'pareto exact'$$, 1);

-- One retention rate --------------------------------------------------------------------------------------------------

SELECT pg_temp.printed('the margin multiple',
  $$VALUES ('end', clv_simple(1, 0.80, 0.10), 2.667), ('begin', clv_simple(1, 0.80, 0.10, timing => 'begin'), 3.667)$$,
  2);
SELECT pg_temp.printed('five points of retention',
  $$SELECT r, e.change_percent, want FROM (VALUES (.80, 27.5), (.85, 32.4), (.90, 40.7), (.94, 53.2)) v (r, want),
    retention_elasticity(r, 1, 0.10, '{0.05}') e$$, 4);
SELECT is(return_on_customer(1000, 1050, 120), 0.17::float8, 'return on customer');
SELECT is(clv_simple(1, 1, 0), NULL, 'who never leaves, at no discount, is worth no number');
SELECT * FROM finish();
ROLLBACK;
