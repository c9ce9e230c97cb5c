-- The same masks, with customer and month packed into one integer and sorted first: sorting bare integers is cheap, and the
-- hash table, then visited customer by customer, stays in the cache. For integer keys below 2^58 only, and 24 bytes of
-- work_mem a row.
WITH visits AS (
	SELECT customer_id << 5 | width_bucket(ordered_at, (SELECT array_agg(m) FROM generate_series(timestamptz '2023-02-01 00:00+00', '2024-12-01 00:00+00', '1 month') AS m)) AS visit
	FROM orders ORDER BY 1
), masks AS (
	SELECT bit_or(1::bigint << (visit & 31)::integer) AS mask FROM visits GROUP BY visit >> 5
), shapes AS (
	SELECT mask, mask & -mask AS low, count(*) AS customers FROM masks GROUP BY mask
)
SELECT timestamp '2023-01-01' + interval '1 month' * log(2.0, low) AS cohort, k AS period, sum(customers) AS retained
FROM shapes, generate_series(0, 23) AS k
WHERE mask & (low << k) <> 0
GROUP BY low, k
