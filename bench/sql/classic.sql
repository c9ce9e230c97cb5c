-- The classic: each customer's first month, joined to the distinct months it was active in.
WITH first AS (
	SELECT customer_id, date_trunc('month', min(ordered_at) AT TIME ZONE 'UTC') AS cohort
	FROM orders GROUP BY customer_id
), active AS (
	SELECT DISTINCT customer_id, date_trunc('month', ordered_at AT TIME ZONE 'UTC') AS month
	FROM orders
)
SELECT cohort, (extract(year FROM age(month, cohort)) * 12 + extract(month FROM age(month, cohort)))::integer AS period, count(*) AS retained
FROM first JOIN active USING (customer_id)
GROUP BY 1, 2
