-- ---------------------------------------------------------------------------
-- portfolio: value from one retention rate, and what a better one is worth
-- ---------------------------------------------------------------------------

CREATE FUNCTION clv_simple(margin double precision, retention double precision, discount double precision, periods integer DEFAULT NULL, timing text DEFAULT 'end', acquisition_cost double precision DEFAULT 0)
	RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_simple(double precision, double precision, double precision, integer, text, double precision) IS
'value of a customer who brings the same margin in each period and stays from one to the next with the same probability: margin * retention / (1 + discount - retention), less acquisition_cost (Blattberg and Deighton 1996; Gupta and Lehmann 2003). margin: money a period. retention: 0 to 1, a period. discount: rate of a period, 0.10 = 10%. periods: how many at most, NULL = as long as he stays; then sum of margin * (retention / (1 + discount))^t over t = 1 .. periods. timing: ''end'', the first margin comes after a period and only if he stays; ''begin'', it comes at once: margin * (1 + discount) / (1 + discount - retention), or the sum over t = 0 .. periods - 1. NULL for NULL arguments (but periods and timing), and where the value is infinite: retention 1 and discount 0 without periods. 22023 for retention outside of 0 to 1, discount below 0, periods below 0, NaN and infinities; 22003 beyond the largest number.';

CREATE FUNCTION retention_elasticity(retention double precision, margin double precision, discount double precision, points double precision[] DEFAULT '{0.01,0.05}')
	RETURNS TABLE (points double precision, retention double precision, retention_after double precision,
		value double precision, value_after double precision, change double precision, change_percent double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 2;
COMMENT ON FUNCTION retention_elasticity(double precision, double precision, double precision, double precision[]) IS
'what more retention is worth: the claim that five points raise profit by 25 to 95% (Reichheld and Sasser 1990), by clv_simple()''s margin * retention / (1 + discount - retention). At a discount of 10%, five points more are +27.5% from 0.80, +32.4% from 0.85, +40.7% from 0.90 and +53.2% from 0.94. Rows (points, retention, retention_after, value, value_after, change, change_percent), one for each element of points: 0.05 is five points; retention is raised at most to 1 and lowered at most to 0. margin, discount: of a period. value: of a customer. NULL where a value is infinite (retention 1, discount 0) or a percentage is of 0; no rows for NULL arguments. 22023 for retention outside of 0 to 1, discount below 0, points outside of -1 to 1.';

CREATE FUNCTION retention_elasticity(cohorts cohort_table, margin double precision, as_of text DEFAULT NULL, discount_rate double precision DEFAULT 0.10, points double precision[] DEFAULT '{0.01,0.05}')
	RETURNS TABLE (points double precision, retention double precision, retention_after double precision,
		value double precision, value_after double precision, change double precision, change_percent double precision)
	AS 'MODULE_PATHNAME', 'retention_elasticity_cohorts' LANGUAGE C STABLE PARALLEL SAFE ROWS 2;
COMMENT ON FUNCTION retention_elasticity(cohort_table, double precision, text, double precision, double precision[]) IS
'what more retention is worth, on your own data: retention is the observed rate of a period, pooled over cohorts and periods: of those who had been active in every period so far, the share who were in the next as well (the ''streak'' measure of retention_curve(); complete cells only; the maximum likelihood estimate of a rate that is the same for all). Rows (points, retention, retention_after, value, value_after, change, change_percent), one for each element of points: 0.05 is five points; retention is raised at most to 1 and lowered at most to 0. margin: money a period. discount_rate: annual, 0.10 = 10%; converted to the period of the table. as_of: as in cohort_rows(); NULL = the latest event. value: of a customer, as clv_simple(). retention and what follows from it are NULL where no period is complete yet; no rows for a NULL table, margin or discount_rate. One rate for all understates customers who stay long (Fader and Hardie 2010): fit a contract model where that matters. 22023 for discount_rate below 0, points outside of -1 to 1.';

CREATE FUNCTION retention_elasticity(cohorts cohort_table, margin double precision, as_of "any", discount_rate double precision DEFAULT 0.10, points double precision[] DEFAULT '{0.01,0.05}')
	RETURNS TABLE (points double precision, retention double precision, retention_after double precision,
		value double precision, value_after double precision, change double precision, change_percent double precision)
	AS 'MODULE_PATHNAME', 'retention_elasticity_cohorts_typed' LANGUAGE C STABLE PARALLEL SAFE ROWS 2;
COMMENT ON FUNCTION retention_elasticity(cohort_table, double precision, "any", double precision, double precision[]) IS
'what more retention is worth, on your own data: retention is the observed rate of a period, pooled over cohorts and periods: of those who had been active in every period so far, the share who were in the next as well (the ''streak'' measure of retention_curve(); complete cells only; the maximum likelihood estimate of a rate that is the same for all). Rows (points, retention, retention_after, value, value_after, change, change_percent), one for each element of points: 0.05 is five points; retention is raised at most to 1 and lowered at most to 0. margin: money a period. discount_rate: annual, 0.10 = 10%; converted to the period of the table. as_of: as in cohort_rows(); NULL = the latest event. value: of a customer, as clv_simple(). retention and what follows from it are NULL where no period is complete yet; no rows for a NULL table, margin or discount_rate. One rate for all understates customers who stay long (Fader and Hardie 2010): fit a contract model where that matters. 22023 for discount_rate below 0, points outside of -1 to 1.';

CREATE FUNCTION retention_elasticity(model clv_model, margin double precision DEFAULT 1, discount_rate double precision DEFAULT 0.10, points double precision[] DEFAULT '{0.01,0.05}')
	RETURNS TABLE (points double precision, retention double precision, retention_after double precision,
		value double precision, value_after double precision, change double precision, change_percent double precision)
	AS 'MODULE_PATHNAME', 'retention_elasticity_model' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 2;
COMMENT ON FUNCTION retention_elasticity(clv_model, double precision, double precision, double precision[]) IS
'what more retention is worth to a business with contracts, whose customers differ: value of a new customer, margin * the sum over t = 1, 2, .. of S(t) / (1 + discount)^t, and the same with the retention rate of every renewal raised by so many points, at most to 1 (Fader and Hardie 2007, 2010). Rows (points, retention, retention_after, value, value_after, change, change_percent), one for each element of points: 0.05 is five points; retention is raised at most to 1 and lowered at most to 0. model: one of contracts, see clv_models(). margin: money a renewal. discount_rate: annual, 0.10 = 10%; converted to the model''s unit. retention, retention_after: of the first renewal. NULL where a value is infinite (with discount_rate 0 always where points are above 0, since some then stay for ever) and for a model of no customers; no rows for a NULL model, margin or discount_rate. 22023 for other models, discount_rate below 0, points outside of -1 to 1.';

CREATE FUNCTION return_on_customer(opening_equity double precision, closing_equity double precision, cash_flow double precision)
	RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION return_on_customer(double precision, double precision, double precision) IS
'(closing_equity - opening_equity + cash_flow) / opening_equity: what customers returned in a period, in cash and in value to come (Peppers and Rogers 2005). opening_equity, closing_equity: customer_equity() at its start and end; cash_flow: of the period. From 1000 to 1050 with 120 in cash it is 0.17. NULL for NULL arguments and an opening equity of 0; 22023 for NaN and infinities.';
