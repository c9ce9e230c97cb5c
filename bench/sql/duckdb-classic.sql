-- The classic, in DuckDB.
WITH first AS (
	SELECT customer_id, date_trunc('month', min(ordered_at)) AS cohort FROM orders GROUP BY customer_id
), active AS (
	SELECT DISTINCT customer_id, date_trunc('month', ordered_at) AS month FROM orders
)
SELECT cohort, datediff('month', cohort, month) AS period, count(*) AS retained
FROM first JOIN active USING (customer_id)
GROUP BY 1, 2
