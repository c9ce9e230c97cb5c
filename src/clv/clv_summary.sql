-- ---------------------------------------------------------------------------
-- What models of purchases need to know of a customer
-- ---------------------------------------------------------------------------

CREATE FUNCTION clv_summary(history customer_history, as_of anycompatible, unit text DEFAULT 'day')
	RETURNS TABLE (frequency bigint, recency double precision, age double precision,
		monetary_value numeric)
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION clv_summary(customer_history, anycompatible, text) IS
'the sufficient statistics of buy-till-you-die models (Fader, Hardie and Lee 2005), from the days up to as_of: frequency x = purchase days after the first; recency t_x = time from the first purchase to the last, as the field has it, and not time since the last, which is age - recency; age T = time from the first purchase to as_of; monetary_value = mean amount of the repeat days that have one, NULL without. unit: ''day'', ''week'', ''month'' (30.4375 days), ''quarter'' (91.3125), ''year'' (365.25). All NULL when there is no purchase by as_of; no row for a NULL history; 22004 for a NULL as_of. Scores of recency, frequency and money: rfm_score(history, as_of). as_of is a date, or a text that is only a date, for the end of that day, or a timestamp, timestamptz or text for that instant, which stands for the last day that has begun before it.';
