-- migration_matrix: what it prints, and what it says when it cannot.
-- Oracles, plans, references and damaged values are in test/.
SET extra_float_digits = 0;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS retention;
RESET client_min_messages;

-- customers in two quarters: where they were, where they are, what they spent since
CREATE TABLE moves (customer integer, was text, now text, spent numeric);
INSERT INTO moves VALUES
	(1, 'loyal', 'loyal', 120.00), (2, 'loyal', 'loyal', 80.50), (3, 'loyal', 'lapsing', 15),
	(4, 'lapsing', 'loyal', 60.00), (5, 'lapsing', 'lapsing', NULL), (6, 'lapsing', 'gone', NULL),
	(7, 'gone', 'gone', NULL), (8, 'gone', 'gone', NULL), (9, NULL, 'loyal', 9.99),
	(10, NULL, 'lapsing', 5), (11, 'gone', NULL, NULL), (12, NULL, NULL, 1);
CREATE TABLE quarter AS
SELECT migration_matrix(was, now, spent) AS m,
	migration_matrix(was, now, spent, ARRAY['loyal', 'lapsing', 'gone', 'banned']) AS declared
FROM moves;

SELECT from_segment, to_segment, customers, row_customers AS of, round(probability::numeric, 4) AS p,
	round(probability_low::numeric, 4) AS low, round(probability_high::numeric, 4) AS high,
	round(simultaneous_low::numeric, 4) AS all_low, round(simultaneous_high::numeric, 4) AS all_high,
	round(standard_error::numeric, 4) AS se, value, reason
FROM quarter, migration_rows(m);
-- entered and left in the probabilities, other limits
SELECT from_segment, to_segment, customers, row_customers AS of, round(probability::numeric, 4) AS p,
	round(probability_low::numeric, 4) AS low, round(probability_high::numeric, 4) AS high
FROM quarter, migration_rows(m, confidence => 0.8, with_nowhere => true);
-- a declared list: its order, and a state that nobody was in
SELECT from_segment, to_segment, customers, round(probability::numeric, 4) AS p, value, reason
FROM quarter, migration_rows(declared) WHERE 'banned' IN (from_segment, to_segment) OR from_segment = 'loyal';
SELECT migration_chart(declared) FROM quarter;
SELECT jsonb_pretty(m::jsonb - 'cells'), m::jsonb #> '{cells,0}' AS first, m::jsonb #> '{cells,-1}' AS last
  FROM quarter;
SELECT s.* FROM quarter, migration_sankey(m) AS s;
SELECT s.* FROM quarter, migration_sankey(declared, '2025 Q1', '2025 Q2') AS s WHERE source LIKE '%loyal';

-- stored, sent, compared
SELECT m::text::migration_matrix = m AS same, m <> declared AS others,
	migration_matrix_hash(m) = migration_matrix_hash(m::text::migration_matrix) AS hash FROM quarter;
SELECT count(*) FROM (SELECT DISTINCT m FROM (SELECT m FROM quarter UNION ALL SELECT m FROM quarter) AS q) AS d;
SELECT migration_matrix('a', 'b')::text;

-- labels of every kind
SELECT string_agg(DISTINCT from_segment, ' ')
  FROM (SELECT migration_matrix(n, 10 - n) AS m FROM generate_series(8, 11) AS n) AS q, migration_rows(m);
SELECT migration_matrix(n, 10 - n)::jsonb #> '{states}' AS numbers FROM generate_series(8, 11) AS n;
CREATE TYPE tier AS ENUM ('wood', 'gold', 'silver');
SELECT migration_matrix(a::tier, b::tier, 5)::jsonb AS enum
  FROM (VALUES ('gold', 'silver'), ('gold', NULL)) AS v (a, b);
SELECT migration_matrix('gold'::char(10), 'silver'::varchar)::jsonb #> '{states}' AS padded;
SELECT migration_matrix(NULL, 'gold')::jsonb -> 'cells' AS entered;
SELECT migration_matrix(NULL, NULL)::jsonb AS nobody;
SELECT migration_matrix(was, now)::jsonb AS no_rows FROM moves WHERE false;
SELECT migration_chart(migration_matrix(was, now)) FROM moves WHERE false;

-- by hand
SELECT from_segment, to_segment, customers, probability, reason
FROM migration_rows(migration_matrix(ARRAY['up', 'down'], ARRAY[[0.9, 0.1], [0.5, 0.5]]));
SELECT from_segment, to_segment, customers, probability
FROM migration_rows(migration_matrix(ARRAY['up', 'down'], ARRAY[[9, 1], [5, 5]]));
SELECT migration_chart(migration_matrix(ARRAY['up', 'down'], ARRAY[[0.9, 0.1], [0.5, 0.5]]));
SELECT migration_matrix(NULL, ARRAY[1.0]) IS NULL AS null_list,
  migration_matrix(ARRAY['a'], NULL::float8[]) IS NULL AS null_array;

-- sums
SELECT (migration_matrix('a', 'b') + migration_matrix('c', 'a'))::jsonb #> '{states}' AS both;
SELECT rollup(m)::jsonb #> '{cells,0}' AS twice FROM (SELECT m FROM quarter UNION ALL SELECT m FROM quarter) AS q;
SELECT rollup(m) IS NULL AS nothing FROM quarter WHERE false;

-- the window form
SELECT customer, month, segment, (migration(segment) OVER (PARTITION BY customer ORDER BY month)).*
FROM (VALUES (1, 1, 'gold'), (1, 2, 'gold'), (1, 3, 'silver'), (1, 4, NULL), (1, 5, 'silver'), (2, 1, 'wood'),
  (2, 2, 'gold')) AS p (customer, month, segment)
ORDER BY customer, month;

-- NULL
SELECT count(*) FROM migration_rows(NULL);
SELECT count(*) FROM migration_sankey(NULL);
SELECT migration_chart(NULL) IS NULL AS chart, (NULL::migration_matrix)::jsonb IS NULL AS json,
  NULL::migration_matrix + NULL IS NULL AS sum;

-- bad rows
SELECT migration_matrix('(left)', 'a');
SELECT migration_matrix('a', '(entered)');
SELECT migration_matrix('a', '');
SELECT migration_matrix('a', repeat('ключ ', 60));
SELECT migration_matrix('a', 'b', 'NaN'::numeric);
SELECT migration_matrix('a', 'b', 'Infinity'::numeric);
SELECT migration_matrix(n, n) FROM generate_series(1, 1001) AS n;
-- bad lists
SELECT migration_matrix(was, now, ARRAY['loyal', 'gone']) FROM moves;
SELECT migration_matrix('a', 'b', ARRAY['a', 'b', 'a']);
SELECT migration_matrix('a', 'b', ARRAY['a', NULL, 'b']);
SELECT migration_matrix('a', 'b', ARRAY[]::text[]);
SELECT migration_matrix('a', 'b', NULL::text[]);
SELECT migration_matrix('a', 'b', ARRAY[['a'], ['b']]);
SELECT migration_matrix('a', 'b', ARRAY['a', 'b', '(left)']);
SELECT migration_matrix('a', 'b', l) FROM (VALUES (ARRAY['a', 'b']), (ARRAY['b', 'a'])) AS v (l);
-- bad matrices by hand
SELECT migration_matrix(ARRAY['a', 'b'], ARRAY[[0.9, 0.2], [0.5, 0.5]]);
SELECT migration_matrix(ARRAY['a', 'b'], ARRAY[[0.9, 0.1], [0, 0]]::float8[]);
SELECT migration_matrix(ARRAY['a', 'b'], ARRAY[[0.9, 0.1], [1.5, -0.5]]);
SELECT migration_matrix(ARRAY['a', 'b'], ARRAY[[0.9, 0.1], ['NaN', 1]]::float8[]);
SELECT migration_matrix(ARRAY['a', 'b'], ARRAY[[0.9, 0.1], [NULL, 1]]);
SELECT migration_matrix(ARRAY['a', 'b'], ARRAY[[0.9, 0.1, 0], [0.5, 0.5, 0]]);
SELECT migration_matrix(ARRAY['a', 'b'], ARRAY[[9, 1], [-1, 5]]);
SELECT migration_matrix(ARRAY['a', 'a'], ARRAY[[9, 1], [1, 5]]);
-- bad sums
SELECT migration_matrix('a', 'b', ARRAY['a', 'b']) + migration_matrix('a', 'c', ARRAY['a', 'c']);
SELECT migration_matrix('a', 'b', ARRAY['a', 'b']) + migration_matrix('a', 'b', ARRAY['b', 'a']);
SELECT migration_matrix('a', 'b', ARRAY['a', 'b']) + migration_matrix('a', 'z');
SELECT rollup(m) FROM (VALUES (migration_matrix(ARRAY['a'], ARRAY[1.0])), (migration_matrix(ARRAY['a'], ARRAY[1.0]))) AS
  v (m);
SELECT rollup(m) IS NOT NULL AS one_given FROM (VALUES (migration_matrix(ARRAY['a'], ARRAY[1.0]))) AS v (m);
-- bad questions
SELECT count(*) FROM quarter, migration_rows(m, 0);
SELECT count(*) FROM quarter, migration_rows(m, 'NaN');
SELECT count(*) FROM quarter, migration_sankey(m, 'q', 'q');
SELECT count(*) FROM quarter, migration_sankey(m, 'to:');
SELECT count(*) FROM migration_sankey(migration_matrix(ARRAY['a'], ARRAY[1.0]));
-- no value
SELECT 'x'::migration_matrix;
SELECT ''::migration_matrix;
SELECT 'AQACAWEBYgEBAAA='::migration_matrix;
SELECT '8QACAWEBYgEBAA=='::migration_matrix;

DROP TABLE moves, quarter;
DROP TYPE tier;
