-- The module beside the server's LLVM: JIT finds no bitcode of ours to copy, whose calls of hidden functions it could not
-- resolve, and what it compiles around our functions gives the same results.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT plan(8);

SELECT is_empty($$SELECT f FROM pg_config, pg_ls_dir(setting || '/bitcode', true, false) f
                  WHERE name = 'PKGLIBDIR' AND f LIKE 'retention%'$$, 'no bitcode of ours is installed');
SELECT isnt_empty($$SELECT f FROM pg_config, pg_ls_dir(setting, true, false) f
                    WHERE name = 'PKGLIBDIR' AND f LIKE 'retention%'$$, 'where the module is');

CREATE TEMP TABLE orders AS
SELECT i % 40 AS customer, date '2025-01-01' + i * i % 300 AS day, (i % 17 + 1)::numeric AS amount
FROM generate_series(1, 400) i;
CREATE TEMP TABLE histories AS
SELECT customer, customer_history(day, amount) AS h FROM orders GROUP BY customer;

-- The result of a query with and without JIT, which is forced to do all that it can.
CREATE FUNCTION pg_temp.with_jit(query text, jit boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  r text;
BEGIN
  PERFORM set_config('jit', jit::text, true), set_config('jit_above_cost', '0', true),
          set_config('jit_inline_above_cost', '0', true), set_config('jit_optimize_above_cost', '0', true);
  EXECUTE query INTO r;
  RETURN r;
END $$;
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  r json;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, FORMAT json) ' || query INTO r;
  RETURN r;
END $$;
CREATE TEMP TABLE query (name, sql) AS VALUES
  ('an aggregate', 'SELECT cohort_retention(customer, day, ''month'')::text FROM orders'),
  ('histories', 'SELECT string_agg(h::text, '' '' ORDER BY customer)
                 FROM (SELECT customer, customer_history(day, amount) AS h FROM orders GROUP BY customer) q'),
  ('equality', 'SELECT count(*)::text FROM histories a JOIN histories b ON a.customer < b.customer AND a.h <> b.h'),
  ('roll-up, accessors', 'SELECT concat(rollup(h), sum(events(h)), max(total_amount(h))) FROM histories'),
  ('a window function', 'SELECT string_agg(concat(customer, score), '' '' ORDER BY customer) FROM (
                           SELECT customer, rfm_score(total_amount(h)) OVER () AS score FROM histories) q');
SELECT is(pg_temp.with_jit(sql, true), pg_temp.with_jit(sql, false), 'the same with JIT: ' || name) FROM query;

SET jit = on; -- or pg_jit_available() says no
SELECT CASE WHEN pg_jit_available() THEN
  is((SELECT pg_temp.plan_of(sql) -> 0 -> 'JIT' -> 'Options' ->> 'Inlining' FROM query LIMIT 1),
     'true', 'JIT was told to inline')
  ELSE skip('this server has no JIT', 1) END;
SELECT * FROM finish();
ROLLBACK;
