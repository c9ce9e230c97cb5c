-- The best that was found for DuckDB: bit masks. Its column holds UTC wall-clock times (TIMESTAMP): calendar functions of
-- TIMESTAMP WITH TIME ZONE are several times slower. Spelling the 24 boundaries out in nested CASEs, bitstring_agg and
-- list_distinct were no faster.
WITH masks AS (
	SELECT bit_or(1 << (year(ordered_at) * 12 + month(ordered_at) - (2023 * 12 + 1))::INTEGER) AS mask
	FROM orders GROUP BY customer_id
), shapes AS (
	SELECT mask, (mask & -mask)::BIGINT AS low, count(*) AS customers FROM masks GROUP BY mask
)
SELECT DATE '2023-01-01' + to_months(log2(low)::INTEGER) AS cohort, k AS period, sum(customers) AS retained
FROM shapes, range(24) AS r(k)
WHERE mask & (low << k) <> 0
GROUP BY low, k
