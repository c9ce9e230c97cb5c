-- Logs of changes: what is told of rows and steps that are not in a matrix, and the texts of errors.  Numbers against
-- plain SQL are in test/migration_changes.sql.
SET client_min_messages = warning;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS retention;
RESET client_min_messages;
RESET client_min_messages;
CREATE TABLE plans (customer integer, changed_at date, plan text);
INSERT INTO plans VALUES (1, '2025-01-05', 'trial'), (1, '2025-01-12', 'basic'), (1, '2025-04-12', 'pro'),
  (2, '2025-01-20', 'trial'), (2, '2025-01-27', 'basic'), (2, '2025-06-27', 'left');

-- the panel form loses the steps, and says so
SELECT from_segment, to_segment, customers
FROM (SELECT migration_matrix(customer, changed_at, plan, 'month') AS m FROM plans) q, migration_rows(m)
WHERE customers > 0;
SELECT from_segment, to_segment, customers
FROM (SELECT migration_changes(customer, changed_at, plan, 'month', '2025-06-30') AS m FROM plans) q, migration_rows(m)
WHERE customers > 0;
SELECT from_segment, to_segment, customers
FROM (SELECT migration_changes(customer, changed_at, plan, 'month', date '2025-09-30', '{"final": "left"}') AS m
      FROM plans) q, migration_rows(m);
-- without a gap there is nothing to say
SELECT migration_matrix(customer, changed_at, plan, 'year') IS NOT NULL FROM plans;

-- rows that were left out, once a call site
SELECT customer % 2 AS half, migration_changes(nullif(customer, 2), nullif(changed_at, '2025-01-05'),
    nullif(plan, 'pro'), 'month', '2025-06-30') IS NOT NULL AS made
FROM plans GROUP BY 1 ORDER BY 1 DESC;
SELECT migration_matrix(ARRAY[nullif(customer, 2)], changed_at, plan, 'year') IS NOT NULL FROM plans;
-- in a panel, NULL says that a customer is in no segment
SELECT migration_matrix(customer, changed_at, nullif(plan, 'trial'), 'year') IS NOT NULL FROM plans;

-- several segments at one instant, and changes out of a final one
INSERT INTO plans VALUES (3, '2025-02-01', 'pro'), (3, '2025-02-01', 'basic'), (2, '2025-08-01', 'basic');
SELECT from_segment, to_segment, customers
FROM (SELECT migration_changes(customer, changed_at, plan, 'month', '2025-09-30', '{"final": "left"}') AS m
      FROM plans) q, migration_rows(m) WHERE customers > 0;
-- with an order of states the later one is meant
SELECT from_segment, to_segment, customers
FROM (SELECT migration_changes(customer, changed_at, plan, 'month', '2025-09-30',
                               '{"states": ["trial", "pro", "basic", "left"]}') AS m
      FROM plans) q, migration_rows(m) WHERE customers > 0;

-- errors say what to write
SELECT migration_changes(customer, changed_at, plan, 'month', NULL::date) FROM plans;
SELECT migration_changes(customer, changed_at, plan, 'month', '2025-06-30', '{"last": "left"}') FROM plans;
SELECT migration_changes(customer, changed_at, plan, 'month', '2025-06-30', '{"final": {"left": true}}') FROM plans;
SELECT migration_changes(customer, changed_at, plan, 'month', '2025-06-30', '{"states": ["trial"]}') FROM plans;
SELECT migration_changes(customer, changed_at, 1.5, 'month', '2025-06-30') FROM plans;
SELECT migration_changes(customer, date '0001-01-01', plan, 'hour', '2025-06-30') FROM plans;

-- an enum that gained a value, and one that renamed one
CREATE TYPE tier AS ENUM ('basic', 'pro');
CREATE TABLE kept AS SELECT 1 AS year, migration_matrix('basic'::tier, 'pro'::tier) AS m;
ALTER TYPE tier ADD VALUE 'max';
INSERT INTO kept SELECT 2, migration_matrix('basic'::tier, 'pro'::tier);
SELECT rollup(m)::jsonb FROM kept;
ALTER TYPE tier RENAME VALUE 'pro' TO 'plus';
INSERT INTO kept SELECT 3, migration_matrix('basic'::tier, 'plus'::tier);
SELECT rollup(m)::jsonb FROM kept;
SELECT rollup(migration_with_states(m, '{basic,plus,max}', '{"pro": "plus"}'))::jsonb FROM kept;
SELECT migration_with_states(m, '{basic,plus,max}') FROM kept;
DROP TABLE plans, kept;
DROP TYPE tier;
