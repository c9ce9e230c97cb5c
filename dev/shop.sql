-- A simulated shop: the same customers and orders on every machine, major and plan.
--
-- Makes two tables in the current schema:
--   customers (customer_id, signed_up_at, country, channel)
--   orders    (order_id, customer_id, ordered_at, amount)
-- with about 200,000 orders of about 30,000 customers, from January 2024 to 19 January 2026: two full years and a last month
-- that has only begun. More customers come every month; in November and December everyone buys more, in summer less. Customers
-- won by social media often buy once and never again, referred ones stay. From March 2025 on new customers are sent a voucher
-- for their second order: the cohorts after it hold better, which is what the retention table should show.
--
-- Randomness is a hash of (customer, purpose, seed), so it depends on no sequence of calls. Another seed is another shop:
--   psql -v seed=7 -f dev/shop.sql
-- Reads nothing, needs no extension, and leaves nothing but the two tables.

\if :{?seed}
\else
\set seed 2024
\endif

BEGIN;
SET LOCAL TimeZone = 'UTC';
SET LOCAL client_min_messages = warning;

-- uniform in (0, 1), exclusive
CREATE FUNCTION shop_u(id bigint, purpose integer) RETURNS float8 LANGUAGE sql IMMUTABLE
RETURN ((hashint8extended(id, purpose) & 9007199254740991) + 0.5) / 9007199254740992.0;
-- standard normal
CREATE FUNCTION shop_z(id bigint, purpose integer) RETURNS float8 LANGUAGE sql IMMUTABLE
RETURN sqrt(-2 * ln(shop_u(id, purpose))) * cos(6.283185307179586 * shop_u(id, purpose + 500));
-- of how many orders that might be made on a day this many are: the seasons
CREATE FUNCTION shop_season(day date) RETURNS float8 LANGUAGE sql IMMUTABLE
RETURN (ARRAY[0.72, 0.70, 0.74, 0.76, 0.76, 0.72, 0.62, 0.60, 0.74, 0.80, 1.00, 0.96])[extract(month FROM day)::integer];
-- people buy from the morning to late in the evening, rarely at night
CREATE FUNCTION shop_clock(u float8) RETURNS interval LANGUAGE sql IMMUTABLE
RETURN date_trunc('second', interval '6 hours' + interval '1 hour' * (17.5 * (3 * u * u - 2 * u * u * u)));

-- Who comes, and with what habits: rate is orders a month while active, life is months until the customer silently leaves.
CREATE TEMPORARY TABLE shop_habit ON COMMIT DROP AS
SELECT id AS customer_id, first_day, first_day + shop_clock(shop_u(id, 2)) AS first_order,
       country, channel,
       CASE WHEN shop_u(id, 3) < once * CASE WHEN first_day >= '2025-03-01' THEN 0.62 ELSE 1 END THEN 0
            ELSE 0.70 + 1.30 * -ln(shop_u(id, 4)) END AS rate,
       stay * CASE WHEN first_day >= '2025-03-01' THEN 1.25 ELSE 1 END
            * (0.15 + 1.9 * shop_u(id, 5) ^ 2) * -ln(shop_u(id, 6)) AS life
FROM (SELECT (:seed * 1000000::bigint + row_number() OVER (ORDER BY month, i)) AS id, month, i
      FROM generate_series(0, 24) month,
           LATERAL generate_series(1, (CASE month WHEN 24 THEN 0.58 ELSE 1 END * 880 * 1.028 ^ month
               * (0.45 + 0.75 * shop_season((date '2024-01-15' + interval '1 month' * month)::date)))::integer) i) c,
     LATERAL (SELECT (date '2024-01-01' + interval '1 month' * month)::date
              + floor(shop_u(id, 1) * CASE month WHEN 24 THEN 19 ELSE 28 END)::integer AS first_day) d,
     LATERAL (SELECT CASE WHEN shop_u(id, 7) < 0.38 THEN 'DE' WHEN shop_u(id, 7) < 0.63 THEN 'FR' WHEN shop_u(id, 7) < 0.80 THEN 'ES'
                          WHEN shop_u(id, 7) < 0.92 THEN 'NL' ELSE 'PL' END AS country) l,
     (VALUES ('search', 0.00, 0.36, 0.44, 15), ('social', 0.36, 0.62, 0.58, 9), ('direct', 0.62, 0.78, 0.32, 20),
             ('referral', 0.78, 0.91, 0.22, 27), ('email', 0.91, 1.00, 0.30, 19)) v (channel, low, high, once, stay)
WHERE shop_u(id, 8) >= low AND shop_u(id, 8) < high;

CREATE TABLE customers AS
SELECT (customer_id % 1000000)::integer AS customer_id,
       (first_order - interval '1 minute' * ceil(8 - 2000 * ln(shop_u(customer_id, 9)) * (shop_u(customer_id, 10) ^ 3)))::timestamptz AS signed_up_at,
       country, channel
FROM shop_habit
ORDER BY customer_id;
ALTER TABLE customers ADD PRIMARY KEY (customer_id);

-- Orders follow each other at random (exponential gaps, in months of 30.44 days) until the customer leaves or the story ends.
-- Seasons: of the orders that might have been made on a day, the share that the season allows is kept.
CREATE TABLE orders AS
SELECT (row_number() OVER (ORDER BY at, customer_id))::integer AS order_id, customer_id, at AS ordered_at, amount
FROM (SELECT (customer_id % 1000000)::integer AS customer_id, at::timestamptz AS at,
             round(exp(3.45 + 0.35 * shop_z(customer_id, 11) + 0.45 * shop_z(customer_id * 1000 + n, 12))::numeric, 2) AS amount
      FROM (SELECT customer_id, 0 AS n, first_order AS at FROM shop_habit
            UNION ALL
            SELECT customer_id, n, day + shop_clock(shop_u(customer_id * 1000 + n, 14))
            FROM (SELECT h.customer_id, n, life, rate, first_day,
                         sum(-ln(shop_u(h.customer_id * 1000 + n, 13)) / rate * 1.05) OVER (PARTITION BY h.customer_id ORDER BY n) AS months
                  FROM shop_habit h, generate_series(1, 6 + ceil(1.3 * rate * least(life, 25))::integer) n
                  WHERE rate > 0) g,
                 LATERAL (SELECT first_day + ceil(months * 30.44)::integer AS day) d
            WHERE months < least(life, 26) AND day <= '2026-01-19' AND shop_u(customer_id * 1000 + n, 15) < shop_season(day)) o
      WHERE at < '2026-01-20') p
ORDER BY at, customer_id;
ALTER TABLE orders ADD PRIMARY KEY (order_id);

DROP FUNCTION shop_u, shop_z, shop_season, shop_clock;
COMMIT;
ANALYZE customers, orders;
