-- bench/generate.sql: the data of the benchmark, made by the server itself.
--
-- Takes the psql variables rows, customers and seed, and makes four tables of the same orders over 24 months of UTC:
--   orders         customer_id bigint, ordered_at timestamptz, amount numeric(10,2)
--   orders_text    customer_id text (20 characters), ordered_at
--   orders_uuid    customer_id uuid, ordered_at
--   orders_joined  customer_id bigint, joined_at timestamptz (the customer's first order), ordered_at
-- Promises: exactly :rows orders of exactly :customers customers, the same on every machine of the same byte order and
-- libm (nothing but hash functions of the seed), rows in the order of time, as a shop's table has them.
-- Customers join all along, three times as many a day at the end as at the start; each orders at a rate of its own
-- (exponential) until it leaves (exponential, 12 months on average), so that order counts are long-tailed and cohorts fade.
-- Never touches anything but these tables.

\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
SET synchronize_seqscans = off;
SET work_mem = '1GB';
SET TimeZone = 'UTC';

DROP TABLE IF EXISTS orders, orders_text, orders_uuid, orders_joined;

-- A number in (0, 1) that depends on nothing but its arguments.
CREATE FUNCTION pg_temp.uniform(id bigint, stream bigint) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (((hashint8extended(id, stream) >> 12) & ((1::bigint << 52) - 1)) + 0.5::float8) / (1::bigint << 52)::float8;

-- Times as seconds since the start of 24 months. `share` is how many orders a customer makes in proportion to the others.
CREATE TEMP TABLE customer AS
SELECT id, joined, lifetime, lifetime * -ln(pg_temp.uniform(id, :seed + 2)) AS share
FROM (
	SELECT id, joined, least(seconds - joined, 365 * 86400.0::float8 * -ln(pg_temp.uniform(id, :seed + 1))) AS lifetime
	FROM (
		SELECT id, seconds, seconds * (sqrt(0.25 + 2 * (id - pg_temp.uniform(id, :seed)) / :customers) - 0.5) AS joined
		FROM generate_series(1, :customers::bigint) AS id,
			 (SELECT extract(epoch FROM timestamptz '2025-01-01 00:00+00' - '2023-01-01 00:00+00')::float8) AS s(seconds)
	) j
) l;

-- Everybody's first order, and the others shared out by the running total, so that they add up to :rows exactly.
CREATE TABLE orders AS
SELECT c.id AS customer_id,
	   timestamptz '2023-01-01 00:00+00' + floor(c.joined + CASE n WHEN 0 THEN 0 ELSE c.lifetime * pg_temp.uniform(c.id, :seed + 10 + n) END)
	   * interval '1 second' AS ordered_at,
	   (5 - 60 * ln(pg_temp.uniform(c.id, :seed - n - 1)))::numeric(10,2) AS amount
FROM (
	SELECT id, joined, lifetime, reached - lag(reached, 1, 0::bigint) OVER (ORDER BY id) AS more
	FROM (
		SELECT id, joined, lifetime, round(sum(share) OVER (ORDER BY id) * (:rows - :customers) / total)::bigint AS reached
		FROM customer, (SELECT sum(share ORDER BY id) AS total FROM customer) t
	) r
) c, generate_series(0, c.more) AS n
ORDER BY 2, 1;

CREATE TABLE orders_text AS
SELECT 'cus_' || lpad(to_hex(hashint8extended(customer_id, :seed)), 16, '0') AS customer_id, ordered_at FROM orders;

CREATE TABLE orders_uuid AS
SELECT md5(customer_id::text)::uuid AS customer_id, ordered_at FROM orders;

CREATE TABLE orders_joined AS
SELECT o.customer_id, timestamptz '2023-01-01 00:00+00' + floor(c.joined) * interval '1 second' AS joined_at, o.ordered_at
FROM orders o JOIN customer c ON c.id = o.customer_id
ORDER BY 3, 1;

DROP TABLE customer;
VACUUM (FREEZE, ANALYZE) orders, orders_text, orders_uuid, orders_joined;
CHECKPOINT;
