-- Groups, causes and differences of survival: what they print, and what they say when they cannot.
-- References, properties and simulations are in test/.
SET extra_float_digits = 0;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS retention;
RESET client_min_messages;
\pset null '~'

CREATE FUNCTION r(value float8, digits integer DEFAULT 6) RETURNS numeric
	LANGUAGE sql RETURN round(value::numeric, digits);

CREATE TABLE subscription (customer integer, known_from integer, months integer, reason text, plan text, country text);
INSERT INTO subscription VALUES
	(1, 0, 1, 'price', 'basic', 'ES'), (2, 0, 2, 'price', 'basic', 'ES'), (3, 0, 2, 'moved', 'basic', 'FR'),
   (4, 1, 4, NULL, 'basic', 'FR'),
	(5, 0, 5, 'price', 'basic', 'ES'), (6, 3, 5, NULL, 'pro', 'ES'), (7, 0, 6, 'moved', 'pro', 'FR'),
   (8, 0, 8, 'price', 'pro', 'ES'),
	(9, 2, 9, NULL, 'pro', 'FR'), (10, 0, 9, 'price', 'pro', 'FR'), (11, 0, 12, NULL, NULL, 'ES'),
   (12, 0, NULL, 'price', 'pro', 'ES');

-- groups
SELECT r(chi_square) AS chi_square, degrees_of_freedom AS df, r(p_value) AS p_value, groups
FROM (SELECT logrank(months, reason IS NOT NULL, plan) AS t FROM subscription) q, logrank_test(t);
SELECT rho, r(chi_square) AS chi_square, degrees_of_freedom AS df, r(p_value) AS p_value, groups
FROM (SELECT logrank(months, reason IS NOT NULL, plan, country) AS t FROM subscription) q,
  unnest('{0,0.5,1}'::float8[]) rho, logrank_test(t, rho);
SELECT rho, grp, n, r(observed) AS observed, r(expected) AS expected, r(variance) AS variance,
  r(observed_over_expected) AS ratio
FROM (SELECT logrank(months, reason IS NOT NULL, plan, country) AS t FROM subscription) q,
  unnest('{0,1}'::float8[]) rho, logrank_groups(t, rho);
SELECT grp, n, r(observed) AS observed, r(expected) AS expected, r(variance) AS variance,
  r(observed_over_expected) AS ratio
FROM (SELECT logrank(known_from, months, reason IS NOT NULL, country) AS t FROM subscription) q, logrank_groups(t);
SELECT r(chi_square) AS chi_square, degrees_of_freedom AS df, r(p_value) AS p_value, groups
FROM (SELECT logrank(known_from * interval '1 month', months * interval '1 month', reason IS NOT NULL, plan, country) AS
  t FROM subscription) q, logrank_test(t);
-- of any type
SELECT array_agg(grp) FROM (SELECT logrank(months, true, customer) AS t FROM subscription) q, logrank_groups(t);
SELECT array_agg(grp) FROM (SELECT logrank(months, true, plan = 'pro') AS t FROM subscription) q, logrank_groups(t);
SELECT array_agg(grp) FROM (SELECT logrank(months, true, date '2024-01-01' + customer % 2) AS t FROM subscription) q,
  logrank_groups(t);
-- nothing to compare
SELECT t.* FROM (SELECT logrank(months, reason IS NOT NULL, 'all') AS t FROM subscription) q, logrank_test(t) t;
SELECT t.* FROM (SELECT logrank(months, false, plan) AS t FROM subscription) q, logrank_test(t) t;
SELECT t.* FROM (SELECT logrank(months, true, plan) AS t FROM subscription WHERE false) q, logrank_test(t) t;
SELECT t.* FROM (SELECT logrank(months, true, plan, customer) AS t FROM subscription) q, logrank_test(t) t;

-- causes
SELECT duration, cause, at_risk, events, r(incidence) AS incidence, r(standard_error) AS standard_error, r(low) AS low,
  r(high) AS high
FROM (SELECT competing_risks(months, reason) AS t FROM subscription) q, incidence_rows(t);
SELECT interval_type, cause, r(incidence) AS incidence, r(standard_error) AS standard_error, r(low) AS low,
  r(high) AS high
FROM (SELECT competing_risks(known_from, months, reason) AS t FROM subscription) q,
  unnest('{plain,log,log-log}'::text[]) interval_type, incidence_at(t, 6, 0.9, interval_type);
SELECT cause, r(incidence) AS incidence, r(standard_error) AS standard_error
  FROM (SELECT competing_risks(months * interval '1 month', CASE reason WHEN 'price' THEN 2 WHEN 'moved' THEN 10
    ELSE 0 END) AS t FROM subscription) q, incidence_at(t, interval '6 months');
SELECT a.* FROM (SELECT competing_risks(months, reason) AS t FROM subscription) q, incidence_at(t, 13) a;

-- how much longer
SELECT tau, r(restricted_mean_a) AS a, r(restricted_mean_b) AS b, r(difference) AS difference,
  r(standard_error) AS standard_error, r(low) AS low, r(high) AS high, r(z) AS z, r(p_value) AS p_value,
  r(ratio) AS ratio, r(ratio_low) AS ratio_low, r(ratio_high) AS ratio_high
FROM (SELECT survival_curve(months, reason IS NOT NULL) FILTER (WHERE plan = 'pro') AS a,
  survival_curve(months, reason IS NOT NULL) FILTER (WHERE plan = 'basic') AS b FROM subscription) q,
	unnest('{NULL,4,1,0}'::float8[]) given, survival_difference(a, b, given);
SELECT tau, r(difference) AS days, r(low) AS low, r(high) AS high
FROM (SELECT survival_curve(months * interval '1 month', reason IS NOT NULL) FILTER (WHERE plan = 'pro') AS a,
  survival_curve(months * interval '1 month', reason IS NOT NULL) FILTER (WHERE plan = 'basic') AS b FROM subscription)
  q,
	survival_difference(a, b, interval '4 months', 0.9);

-- errors
CREATE TABLE made AS
	SELECT logrank(months, reason IS NOT NULL, plan) AS groups, competing_risks(months, reason) AS causes,
   survival_curve(months, reason IS NOT NULL) AS curve, survival_curve(months * interval '1 month', true) AS span
   FROM subscription;
SELECT logrank_test(groups, -1) FROM made;
SELECT logrank_test(groups, 'NaN') FROM made;
SELECT logrank_groups(groups, 'Infinity') FROM made;
SELECT logrank_test(curve) FROM made;
SELECT logrank_groups(causes) FROM made;
SELECT incidence_rows(curve) FROM made;
SELECT incidence_rows(groups) FROM made;
SELECT incidence_rows(causes, 1) FROM made;
SELECT incidence_rows(causes, 0.95, 'exact') FROM made;
SELECT incidence_at(causes, -1) FROM made;
SELECT incidence_at(causes, interval '1 month') FROM made;
SELECT survival_difference(curve, curve, -1) FROM made;
SELECT survival_difference(curve, curve, 'Infinity'::float8) FROM made;
SELECT survival_difference(curve, span) FROM made;
SELECT survival_difference(curve, curve, interval '1 month') FROM made;
SELECT survival_difference(span, span, interval '-1 month') FROM made;
SELECT survival_difference(curve, curve, 5, 95) FROM made;
SELECT logrank(months - 5, true, plan) FROM subscription;
SELECT logrank(months, months, true, plan) FROM subscription;
SELECT logrank(plan, true, plan) FROM subscription;
SELECT competing_risks(months, '') FROM subscription;
SELECT logrank_test(logrank(i, true, i)) FROM generate_series(1, 2001) i;

DROP TABLE subscription, made;
DROP FUNCTION r;
