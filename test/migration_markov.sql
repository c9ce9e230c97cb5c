-- migration_matrix as a Markov chain: states, steady state, absorption, visits, first passage, powers, forecasts,
-- value. Against textbooks (Kemeny and Snell 1960; Pfeifer and Carraway 2000), against what must hold of random chains,
-- and against the numbers in test/reference/migration.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
SELECT diag('seed ' || :'seed');

-- Textbooks -----------------------------------------------------------------------------------------------------------

-- the weather in the Land of Oz
CREATE TABLE oz AS SELECT migration_matrix('{rain,nice,snow}',
  ARRAY[[0.5, 0.25, 0.25], [0.5, 0, 0.5], [0.25, 0.25, 0.5]]) AS m;
SELECT pg_temp.agree('steady state of Oz', $$SELECT segment, probability, CASE segment WHEN 'nice' THEN 0.2 ELSE 0.4 END
    FROM oz, steady_state(m)$$, 3, 1e-14, 0);
SELECT pg_temp.agree('first passage in Oz', $$SELECT from_segment || to_segment, mean_periods, want
    FROM (SELECT f.*, row_number() OVER () AS n FROM oz, first_passage(m) f) r
  JOIN unnest(ARRAY[2.5, 4, 10/3.0, 8/3.0, 5, 8/3.0, 10/3.0, 4, 2.5]::float8[]) WITH ORDINALITY u (want, o) ON n = o$$,
    9, 1e-14, 0);
-- a drunkard's walk of five corners, home and bar at its ends
CREATE TABLE walk AS SELECT migration_matrix('{0,1,2,3,4}'::text[],
  ARRAY[[1, 0, 0, 0, 0], [0.5, 0, 0.5, 0, 0], [0, 0.5, 0, 0.5, 0], [0, 0, 0.5, 0, 0.5], [0, 0, 0, 0, 1]]) AS m;
SELECT is(string_agg(format('%s%s:%s', from_segment, segment, visits), ' ' ORDER BY from_segment, segment),
  '11:1.5 12:1 13:0.5 21:1 22:2 23:1 31:0.5 32:1 33:1.5', 'visits of the walk') FROM walk, expected_visits(m);
SELECT is(string_agg(format('%s%s:%s', from_segment, absorbing_segment, probability), ' ' ORDER BY from_segment,
    absorbing_segment), '10:0.75 14:0.25 20:0.5 24:0.5 30:0.25 34:0.75', 'where it ends')
  FROM walk, absorption_probabilities(m);
SELECT is(string_agg(format('%s:%s+%s', segment, mean_periods_to_absorption, variance_periods_to_absorption),
    ' ' ORDER BY segment), '0:0+0 1:3+8 2:4+8 3:3+8 4:0+0', 'and when') FROM walk, migration_states(m);
SELECT results_eq('SELECT segment, mean_periods, variance FROM walk, expected_periods(m)',
  'SELECT segment, mean_periods_to_absorption, variance_periods_to_absorption FROM walk, migration_states(m)',
  'the same from expected_periods');
-- a customer relationship by recency
CREATE TABLE recency AS SELECT migration_matrix('{r1,r2,r3,r4,former}',
  ARRAY[0.3, 0.7, 0, 0, 0, 0.2, 0, 0.8, 0, 0, 0.15, 0, 0, 0.85, 0, 0.05, 0, 0, 0, 0.95, 0, 0, 0, 0, 1]) AS m,
  jsonb '{"r1": 36, "r2": -4, "r3": -4, "r4": -4}' AS r;
SELECT is(string_agg(round(value::numeric, 3)::text, ' '), '50.115 4.220 0.592 -1.980 0.000',
  'four periods of a relationship') FROM recency, markov_clv(m, r, 0.2, 4);
SELECT is(string_agg(round(value::numeric, 3)::text, ' '), '52.320 5.554 1.251 -1.820 0.000', 'and for ever')
  FROM recency, markov_clv(m, r, 0.2);

-- Random chains: counts, some of them with states that are never left, classes that are, rows without customers -------

CREATE TABLE chain AS
  SELECT id, n, (SELECT array_agg(CASE WHEN i = lonely THEN 0 WHEN i = last THEN (i = j)::integer WHEN i > cut
      AND j <= cut THEN 0 WHEN random() < density THEN ceil(exp(random() * size))::integer ELSE 0 END ORDER BY i, j)
                 FROM generate_series(1, n) i, generate_series(1, n) j) AS counts
  FROM (SELECT id, 1 + floor(random() * 9)::integer AS n, CASE WHEN random() < 0.5 THEN 0.9 ELSE 0.4 END AS density,
    pg_temp.pick(ARRAY[0, 3, 12, 20]) AS size, CASE WHEN random() < 0.5 THEN floor(random() * 9)::integer
    ELSE 99 END AS cut,
               CASE WHEN random() < 0.3 THEN ceil(random() * 9)::integer END AS last, CASE WHEN random() < 0.3
                 THEN ceil(random() * 9)::integer END AS lonely FROM generate_series(1, (200 * :cases)::integer) id) c;
ALTER TABLE chain ADD m migration_matrix;
UPDATE chain SET m = migration_matrix((SELECT array_agg(chr(96 + i) ORDER BY i) FROM generate_series(1, n) i), counts);
CREATE TABLE p AS SELECT id, from_segment AS f, to_segment AS t, probability AS p FROM chain, migration_rows(m);
CREATE TABLE reach AS WITH RECURSIVE r AS (SELECT id, f, f AS t FROM p UNION SELECT r.id, r.f, p.t FROM r
  JOIN p ON p.id = r.id AND p.f = r.t AND p.p > 0) SELECT * FROM r;
CREATE TABLE known AS SELECT r.id, r.f AS s, bool_and(p.p IS NOT NULL) AS known FROM reach r
  JOIN p ON p.id = r.id AND p.f = r.t GROUP BY r.id, r.f;
CREATE TABLE states AS SELECT c.id, s.*, k.known FROM chain c CROSS JOIN LATERAL migration_states(m) s
  JOIN known k ON k.id = c.id AND k.s = s.segment;
-- those who reach each other; left if something else can be reached
CREATE TABLE class AS SELECT a.id, a.f AS s, min(b.f) AS first,
  bool_and(EXISTS (SELECT FROM reach x WHERE x.id = a.id AND x.f = c.t AND x.t = a.f)) AS closed
  FROM reach a JOIN reach b ON b.id = a.id AND b.f = a.t AND b.t = a.f JOIN reach c ON c.id = a.id AND c.f = a.f
    GROUP BY a.id, a.f;
SELECT is((SELECT count(*) FROM states WHERE (class IS NOT NULL) <> known OR reason IS NULL), 0::bigint,
  'classes are known where no empty row is in the way');
SELECT is((SELECT count(*) FROM states s JOIN class c ON c.id = s.id AND c.s = s.segment JOIN states o ON o.id = s.id
    JOIN class d ON d.id = o.id AND d.s = o.segment
    WHERE s.known AND o.known AND (s.class = o.class) <> (c.first = d.first)), 0::bigint,
  'and are those who reach each other');
SELECT is((SELECT count(*) FROM states s JOIN class c ON c.id = s.id AND c.s = s.segment
    WHERE known AND ((class_type = 'recurrent') <> closed
    OR absorbing <> (closed AND NOT EXISTS (SELECT FROM class x
    WHERE x.id = s.id AND x.first = c.first AND x.s <> c.s)))), 0::bigint, 'recurrent: nothing leads out');
SELECT is((SELECT count(*) FROM states WHERE known AND class_type = 'recurrent' AND class_period IS NULL), 0::bigint,
  'recurrent classes have a period');
SELECT is((SELECT count(*) FROM (SELECT id, class, row_number() OVER (PARTITION BY id ORDER BY min(segment)) AS n
    FROM states WHERE known GROUP BY id, class) q WHERE class <> n), 0::bigint,
  'classes are numbered by their first segment');

-- steady states
CREATE TABLE steady AS SELECT id, s.* FROM chain, steady_state(m) s;
SELECT is((SELECT count(*) FROM steady WHERE (probability IS NULL) <> (reason IS NOT NULL)), 0::bigint,
  'a steady state or a reason');
SELECT cmp_ok((SELECT count(DISTINCT id) FROM steady WHERE probability IS NOT NULL), '>', 20::bigint,
  'there are steady states');
SELECT is((SELECT count(*) FROM steady s JOIN states t USING (id, segment)
    WHERE s.probability IS DISTINCT FROM t.steady_state
    OR (t.steady_state IS NOT NULL AND t.stationary IS DISTINCT FROM t.steady_state)), 0::bigint,
  'the same in both functions');
SELECT pg_temp.agree('it adds up to 1', 'SELECT id, sum(probability), 1 FROM steady GROUP BY id
    HAVING count(probability) > 0', (SELECT count(DISTINCT id) FROM steady WHERE probability IS NOT NULL), 1e-14, 0);
SELECT pg_temp.agree('and reproduces itself', 'SELECT id || p.t, sum(s.stationary * p), max(u.stationary) FROM states s
    JOIN p USING (id) JOIN states u USING (id) WHERE p.f = s.segment AND p.t = u.segment AND s.stationary IS NOT NULL
    AND u.stationary IS NOT NULL GROUP BY id, p.t',
  (SELECT count(*) FROM states WHERE stationary IS NOT NULL), 1e-12, 1e-300);
SELECT is((SELECT count(*) FROM (SELECT id FROM states WHERE steady_state IS NOT NULL GROUP BY id) s
    JOIN (SELECT id FROM class JOIN known USING (id, s) WHERE closed AND known GROUP BY id
    HAVING count(DISTINCT first) <> 1) c USING (id)), 0::bigint, 'never with several closed classes');
-- chains with rare steps need more than 2^31 periods to forget where they began
CREATE TABLE quick AS SELECT id FROM p GROUP BY id HAVING min(p) FILTER (WHERE p > 0) > 0.01;
SELECT pg_temp.agree('where it is, and none is nearly reducible, every start ends in it',
  $$SELECT id || w.from_segment || w.to_segment, w.probability, s.probability
    FROM (SELECT * FROM chain JOIN quick USING (id)) c CROSS JOIN LATERAL migration_power(m, 1000000000) w
    JOIN steady s USING (id)
  WHERE s.segment = w.to_segment AND s.probability > 0 AND w.probability IS NOT NULL$$,
    (SELECT count(*) FROM steady s JOIN quick USING (id) JOIN states t USING (id) WHERE t.known AND s.probability > 0),
    1e-7, 1e-9);

-- absorption and visits
CREATE TABLE absorbed AS SELECT id, a.* FROM chain, absorption_probabilities(m) a;
SELECT is((SELECT count(*) FROM absorbed WHERE (probability IS NULL) <> (reason IS NOT NULL)
    OR (absorbing_segment IS NULL AND probability IS NOT NULL)), 0::bigint, 'a probability or a reason');
SELECT pg_temp.agree('b = r + Q b',
  $$SELECT a.id || a.from_segment || a.absorbing_segment,
    sum(p.p * CASE WHEN p.t = a.absorbing_segment THEN 1 ELSE coalesce(b.probability, 0) END), max(a.probability)
  FROM absorbed a JOIN p ON p.id = a.id AND p.f = a.from_segment
    LEFT JOIN absorbed b ON b.id = a.id AND b.from_segment = p.t AND b.absorbing_segment = a.absorbing_segment
    WHERE a.probability IS NOT NULL GROUP BY a.id, a.from_segment, a.absorbing_segment$$,
  (SELECT count(*) FROM absorbed WHERE probability IS NOT NULL), 1e-13, 1e-300);
SELECT is((SELECT count(*) FROM absorbed a, chain c WHERE a.id = c.id AND absorbing_segment IS NOT NULL
    AND absorption_probability(m, from_segment, absorbing_segment) IS DISTINCT FROM a.probability
           AND abs(absorption_probability(m, from_segment, absorbing_segment) - a.probability) > 1e-13), 0::bigint,
             'the same one by one');
CREATE TABLE visit AS SELECT id, v.* FROM chain, expected_visits(m) v;
SELECT is((SELECT count(*) FROM visit WHERE (visits IS NULL) <> (reason IS NOT NULL)), 0::bigint, 'visits or a reason');
SELECT pg_temp.agree('N = I + Q N',
  $$SELECT a.id || a.from_segment || a.segment,
    (a.from_segment = a.segment)::integer + coalesce(sum(p.p * b.visits), 0), max(a.visits)
  FROM visit a JOIN p ON p.id = a.id AND p.f = a.from_segment LEFT JOIN visit b ON b.id = a.id AND b.from_segment = p.t
    AND b.segment = a.segment WHERE a.visits IS NOT NULL GROUP BY a.id, a.from_segment, a.segment$$,
  (SELECT count(*) FROM visit WHERE visits IS NOT NULL), 1e-12, 1e-300);
SELECT pg_temp.agree('periods are the sum of visits',
  $$SELECT s.id || s.segment, s.mean_periods_to_absorption,
    coalesce((SELECT sum(visits) FROM visit v WHERE v.id = s.id AND v.from_segment = s.segment), 0) FROM states s
    WHERE mean_periods_to_absorption IS NOT NULL$$,
  (SELECT count(*) FROM states WHERE mean_periods_to_absorption IS NOT NULL), 1e-12, 0);
SELECT cmp_ok((SELECT count(*) FROM states WHERE variance_periods_to_absorption > 0), '>', 20::bigint,
  'there are variances');
SELECT is((SELECT count(*) FROM chain, migration_states(m) s, expected_periods(m) e
    WHERE e.segment = s.segment AND s.mean_periods_to_absorption IS NOT NULL
    AND (e.mean_periods, e.variance) IS DISTINCT FROM (s.mean_periods_to_absorption, s.variance_periods_to_absorption)),
  0::bigint, 'both functions agree');
-- variance = second moment - mean^2, the second moment by a chain of its own: E T^2 = 1 + 2 sum p m + sum p E T^2
SELECT pg_temp.agree('variances',
  $$SELECT s.id || s.segment, max(s.variance_periods_to_absorption),
    sum(p.p * (u.variance_periods_to_absorption + (u.mean_periods_to_absorption - s.mean_periods_to_absorption + 1) ^
    2))
  FROM states s JOIN p ON p.id = s.id AND p.f = s.segment JOIN states u ON u.id = s.id AND u.segment = p.t
    WHERE s.mean_periods_to_absorption > 0 GROUP BY s.id, s.segment$$,
    (SELECT count(*) FROM states WHERE mean_periods_to_absorption > 0), 1e-12, 1e-9);

-- first passage
CREATE TABLE passage AS SELECT id, f.* FROM chain, first_passage(m) f;
SELECT is((SELECT count(*) FROM passage WHERE (mean_periods IS NULL) <> (reason IS NOT NULL)), 0::bigint,
  'a mean or a reason');
SELECT pg_temp.agree('m = 1 + sum p m',
  $$SELECT a.id || a.from_segment || a.to_segment,
    1 + sum(p.p * CASE WHEN p.t = a.to_segment THEN 0 ELSE b.mean_periods END) FILTER (WHERE p.p > 0),
    max(a.mean_periods)
  FROM passage a JOIN p ON p.id = a.id AND p.f = a.from_segment JOIN passage b ON b.id = a.id AND b.from_segment = p.t
    AND b.to_segment = a.to_segment WHERE a.mean_periods IS NOT NULL GROUP BY a.id, a.from_segment, a.to_segment$$,
  (SELECT count(*) FROM passage WHERE mean_periods IS NOT NULL), 1e-12, 0);
-- finite for certain: whatever can be come to before the target leads to it, by no empty row
CREATE TABLE before AS WITH RECURSIVE r AS (SELECT p.id, p.f, g.t AS target, p.f AS at, 0 AS n FROM p
  JOIN (SELECT DISTINCT id, t FROM p) g USING (id)
    UNION SELECT r.id, r.f, r.target, p.t, 1 FROM r JOIN p ON p.id = r.id AND p.f = r.at AND p.p > 0
      WHERE (r.at <> r.target OR r.n = 0) AND p.t <> r.target) SELECT DISTINCT id, f, target, at FROM r;
SELECT is((SELECT count(*) FROM passage a
    JOIN (SELECT b.id, b.f, b.target,
    bool_and(EXISTS (SELECT FROM reach x WHERE x.id = b.id AND x.f = b.at AND x.t = b.target)
    AND (SELECT p.p IS NOT NULL FROM p WHERE p.id = b.id AND p.f = b.at LIMIT 1)) AS certain FROM before b
    GROUP BY b.id, b.f, b.target) c
           ON c.id = a.id AND c.f = a.from_segment AND c.target = a.to_segment
             WHERE certain <> (mean_periods IS NOT NULL)), 0::bigint,
             'a mean exactly where it is certain to be finite');
SELECT is((SELECT count(*) FROM passage a JOIN known k ON k.id = a.id AND k.s = from_segment
    LEFT JOIN reach r ON r.id = a.id AND r.f = from_segment AND r.t = to_segment
    WHERE known AND mean_periods IS NULL AND reason <> CASE WHEN r.id IS NULL
    THEN format('never comes to "%s"', to_segment) ELSE format('not certain to come to "%s"', to_segment) END),
  0::bigint, 'or the right reason');
SELECT pg_temp.agree('a steady state is 1 / the time to come back',
  $$SELECT id || segment, probability, 1 / mean_periods FROM steady JOIN passage USING (id)
    WHERE from_segment = segment AND to_segment = segment AND probability > 0$$,
  (SELECT count(*) FROM steady WHERE probability > 0), 1e-13, 0);

-- powers, forecasts, value
SELECT pg_temp.agree('P^7 = P^3 P^4',
  $$SELECT c.id || a.from_segment || b.to_segment, sum(a.probability * b.probability) FILTER (WHERE a.probability > 0),
    max(w.probability) FROM chain c CROSS JOIN LATERAL migration_power(m, 3) a
    CROSS JOIN LATERAL migration_power(m, 4) b CROSS JOIN LATERAL migration_power(m, 7) w
  WHERE c.id <= 30 AND a.to_segment = b.from_segment AND w.from_segment = a.from_segment AND w.to_segment = b.to_segment
    AND w.probability IS NOT NULL GROUP BY c.id, a.from_segment, b.to_segment$$,
  (SELECT count(*) FROM chain, migration_power(m, 7) WHERE id <= 30 AND probability IS NOT NULL), 1e-12, 1e-300);
SELECT is((SELECT count(*) FROM (SELECT c.id, from_segment
    FROM chain c, migration_power(m, pg_temp.pick(ARRAY[1, 2, 1000000000])) WHERE probability IS NOT NULL
    GROUP BY c.id, from_segment HAVING abs(sum(probability) - 1) > 1e-12 OR min(probability) < 0) q), 0::bigint,
  'rows of powers add up to 1');
SELECT is((SELECT count(*) FROM chain, migration_power(m, 0) WHERE probability <> (from_segment = to_segment)::integer
    OR probability IS NULL), 0::bigint, 'the power of 0');
SELECT is((SELECT count(*) FROM chain c, migration_power(m, 1) w JOIN p ON p.f = from_segment AND p.t = to_segment
    WHERE p.id = c.id AND (w.probability IS DISTINCT FROM p.p OR (reason IS NULL) <> (p.p IS NOT NULL))), 0::bigint,
  'the power of 1');
SELECT pg_temp.agree('a forecast of one customer is a power',
  $$SELECT c.id || f.segment || f.periods_ahead, f.customers, w.probability FROM chain c
    CROSS JOIN LATERAL migration_forecast(m, '{"a": 1}', 5) f CROSS JOIN LATERAL migration_power(m, 5) w
  WHERE f.periods_ahead = 5 AND w.from_segment = 'a' AND w.to_segment = f.segment$$,
    (SELECT count(*) FROM chain, migration_power(m, 5) WHERE from_segment = 'a'), 1e-12, 1e-300);
SELECT is((SELECT count(*) FROM chain, migration_forecast(m, '{"a": 1}', 5)
    WHERE (customers IS NULL) <> (reason IS NOT NULL)), 0::bigint, 'customers or a reason');
SELECT pg_temp.agree('without a start, those who came there',
  $$SELECT c.id || segment, customers, (SELECT sum(counts[(i - 1) * n + ascii(segment) - 96])
    FROM generate_series(1, n) i) FROM chain c, migration_forecast(m, NULL, 0)$$, (SELECT sum(n) FROM chain), 0, 0.5);
CREATE TABLE reward AS SELECT id, jsonb_object_agg(s, round((random() * 100 - 30)::numeric, 2)) AS r FROM known
  GROUP BY id;
CREATE TABLE value AS SELECT id, d, horizon, v.* FROM chain
  JOIN reward USING (id), (VALUES (0.03, NULL), (0.03, 6), (0.03, 7), (0.0, 6), (0.0, 7), (1e-9, NULL), (0.0, NULL),
  (0.5, 0)) a (d, horizon), markov_clv(m, r, d, horizon) v;
SELECT is((SELECT count(*) FROM value WHERE (value IS NULL) <> (reason IS NOT NULL)), 0::bigint, 'a value or a reason');
SELECT pg_temp.agree('V = R + P V / (1 + d)',
  $$SELECT v.id || v.segment || v.d, max(v.value),
    max((r ->> v.segment)::float8) + sum(p.p * w.value) FILTER (WHERE p.p > 0) / (1 + v.d)
  FROM value v JOIN reward USING (id) JOIN p ON p.id = v.id AND p.f = v.segment
    JOIN value w ON w.id = v.id AND w.d = v.d AND w.segment = p.t AND w.horizon IS NULL
    WHERE v.horizon IS NULL AND v.value IS NOT NULL AND v.d > 0 GROUP BY v.id, v.segment, v.d$$,
  (SELECT count(*) FROM value WHERE horizon IS NULL AND value IS NOT NULL AND d > 0), 1e-9, 1e-9);
SELECT pg_temp.agree('one period more',
  $$SELECT v.id || v.segment || v.d, max(v.value),
    max((r ->> v.segment)::float8) + sum(p.p * w.value) FILTER (WHERE p.p > 0) / (1 + v.d)
  FROM value v JOIN reward USING (id) JOIN p ON p.id = v.id AND p.f = v.segment
    JOIN value w ON w.id = v.id AND w.d = v.d AND w.segment = p.t AND w.horizon = 6
    WHERE v.horizon = 7 AND v.value IS NOT NULL GROUP BY v.id, v.segment, v.d$$,
  (SELECT count(*) FROM value WHERE horizon = 7 AND value IS NOT NULL), 1e-12, 1e-10);
SELECT is((SELECT count(*) FROM value v JOIN reward USING (id)
    WHERE horizon = 0 AND value IS DISTINCT FROM (r ->> segment)::float8), 0::bigint, 'no horizon: what is earned now');
SELECT is((SELECT count(*) FROM value v JOIN class c ON c.id = v.id AND c.s = v.segment
    JOIN known k ON k.id = v.id AND k.s = v.segment WHERE d = 0 AND horizon IS NULL AND closed AND known
    AND value IS NOT NULL), 0::bigint, 'what never ends has no value without a discount');
-- states in another order
SELECT pg_temp.agree('the order of segments makes no difference', $$SELECT c.id || segment, s.probability, t.probability
    FROM chain c CROSS JOIN LATERAL
    (SELECT migration_matrix(array_agg(f ORDER BY f DESC) FILTER (WHERE t = (SELECT min(t) FROM p WHERE p.id = c.id)),
    array_agg(CASE WHEN customers > 0 THEN customers ELSE 0 END ORDER BY f DESC, t DESC)) AS r
  FROM (SELECT from_segment AS f, to_segment AS t, customers FROM migration_rows(m)) x) y
    CROSS JOIN LATERAL steady_state(y.r) t JOIN steady s USING (id, segment) WHERE s.probability > 0$$,
    (SELECT count(*) FROM steady WHERE probability > 0), 1e-13, 0);

-- Hardly ever: two states, by the formula in closed form --------------------------------------------------------------

CREATE TABLE rare AS SELECT x, y, migration_matrix('{a,b}', ARRAY[1 - x, x, y, 1 - y]) AS m
  FROM (VALUES (1e-9, 5e-10), (1e-12, 1e-3), (0.3, 1e-15), (1e-300, 1e-300)) v (x, y);
SELECT pg_temp.agree('steady', 'SELECT segment, probability, CASE segment WHEN ''a'' THEN y ELSE x END / (x + y)
    FROM rare, steady_state(m)', 8, 1e-14, 0);
SELECT pg_temp.agree('passage', 'SELECT to_segment, mean_periods, CASE to_segment WHEN ''b'' THEN 1 / x ELSE 1 / y END
    FROM rare, first_passage(m) WHERE from_segment <> to_segment', 8, 1e-14, 0);
SELECT pg_temp.agree('a thousand million periods',
  $$SELECT x::text, probability, x / (x + y) * CASE WHEN x + y > 1e-5 THEN 1 WHEN x + y < 1e-20 THEN 1e9 * (x + y)
    ELSE 1 - exp(-1e9 * (x + y)) END FROM rare, migration_power(m, 1000000000)
    WHERE from_segment = 'a' AND to_segment = 'b'$$, 4, 2e-9, 0);

-- The files -----------------------------------------------------------------------------------------------------------

\set text `cat test/reference/migration/mm_matrix.csv`
SELECT is(pg_temp.load('mm', :'text'), 168::bigint, 'the matrices are complete');
\set text `cat test/reference/migration/mm_states.csv`
SELECT is(pg_temp.load('mm_states', :'text'), 32::bigint, 'their states');
\set text `cat test/reference/migration/mm_fundamental.csv`
SELECT is(pg_temp.load('mm_fundamental', :'text'), 74::bigint, 'their visits');
\set text `cat test/reference/migration/mm_absorption.csv`
SELECT is(pg_temp.load('mm_absorption', :'text'), 17::bigint, 'absorption');
\set text `cat test/reference/migration/mm_first_passage.csv`
SELECT is(pg_temp.load('mm_passage', :'text'), 29::bigint, 'first passages');
\set text `cat test/reference/migration/mm_power.csv`
SELECT is(pg_temp.load('mm_power', :'text'), 504::bigint, 'powers');
\set text `cat test/reference/migration/mm_forecast.csv`
SELECT is(pg_temp.load('mm_forecast', :'text'), 20::bigint, 'a forecast');
\set text `cat test/reference/migration/mm_clv.csv`
SELECT is(pg_temp.load('mm_clv', :'text'), 95::bigint, 'values');
\unset text
CREATE TABLE example AS
  SELECT example, CASE WHEN count(n) > 0 THEN migration_matrix(states, array_agg(n::bigint ORDER BY line))
    ELSE migration_matrix(states, array_agg(p ORDER BY line)) END AS m
  FROM mm JOIN (SELECT example, array_agg(from_state ORDER BY line) AS states
    FROM (SELECT example, from_state, min(line) AS line FROM mm GROUP BY 1, 2) s GROUP BY 1) s USING (example)
    GROUP BY example, states;
SELECT is((SELECT count(*) FROM example JOIN mm_states r USING (example), migration_states(m) s
    WHERE segment = state AND s.class = r.class AND s.class_type = r.class_type AND s.absorbing::text = r.absorbing),
  32::bigint, 'classes as in the file');
SELECT pg_temp.agree('stationary shares', 'SELECT example || segment, s.stationary, r.stationary FROM example
    JOIN mm_states r USING (example), migration_states(m) s WHERE segment = state', 32, 1e-12, 1e-300);
SELECT is((SELECT count(*) FROM example, migration_states(m)
    WHERE steady_state IS DISTINCT FROM CASE WHEN example <> 'periodic2' THEN stationary END), 0::bigint,
  'which are steady unless periodic');
SELECT pg_temp.agree('periods to absorption',
  'SELECT example || segment, mean_periods_to_absorption, mean_steps_to_absorption FROM example
    JOIN mm_states r USING (example), migration_states(m) s WHERE segment = state', 32, 1e-12, 0);
SELECT pg_temp.agree('their variance',
  'SELECT example || segment, variance_periods_to_absorption, var_steps_to_absorption FROM example
    JOIN mm_states r USING (example), migration_states(m) s WHERE segment = state', 32, 1e-12, 0);
SELECT pg_temp.agree('visits', 'SELECT example || segment, visits, expected_visits FROM example
    JOIN mm_fundamental r USING (example), expected_visits(m) s
    WHERE s.from_segment = from_state AND segment = to_state', 74, 1e-12, 0);
SELECT pg_temp.agree('absorption', 'SELECT example || from_segment, probability, prob FROM example
    CROSS JOIN LATERAL absorption_probabilities(m) s FULL JOIN mm_absorption r USING (example)
    WHERE (from_segment = from_state AND absorbing_segment = absorbing_state)', 17, 1e-12, 0);
SELECT is((SELECT count(probability) FROM example, absorption_probabilities(m)), 17::bigint, 'and no others');
SELECT pg_temp.agree('first passage', 'SELECT example || from_segment || to_segment, mean_periods, mean_steps
    FROM example JOIN mm_passage r USING (example), first_passage(m) s
    WHERE s.from_segment = from_state AND s.to_segment = to_state', 29, 1e-12, 0);
SELECT pg_temp.agree('powers', 'SELECT example || k || from_segment || to_segment, probability, p FROM example
    JOIN mm_power r USING (example), migration_power(m, k::integer) s
    WHERE s.from_segment = from_state AND s.to_segment = to_state', 504, 1e-12, 1e-300);
SELECT pg_temp.agree('forecast', $$SELECT segment || r.periods_ahead, customers, expected_customers
    FROM (SELECT * FROM example WHERE example = 'cdnow_quarter' OFFSET 0) x
    JOIN mm_forecast r USING (example),
    migration_forecast(m, (SELECT jsonb_object_agg(state, expected_customers) FROM mm_forecast WHERE periods_ahead = 0),
    4) s
  WHERE s.segment = r.state AND s.periods_ahead = r.periods_ahead$$, 20, 1e-12, 0);
SELECT pg_temp.agree('values', $$SELECT example || segment || horizon, v.value, r.value FROM mm_clv r
    JOIN example USING (example) JOIN (SELECT example, discount, jsonb_object_agg(state, reward) AS rewards FROM mm_clv
    GROUP BY 1, 2) w USING (example, discount), markov_clv(m, rewards, discount, horizon::integer) v
  WHERE v.segment = r.state$$, 95, 1e-12, 1e-12);

SELECT * FROM finish();
ROLLBACK;
