-- ---------------------------------------------------------------------------
-- cohort_table: the value that cohort_retention() makes
-- ---------------------------------------------------------------------------

VALUE_TYPE cohort_table: parameters, latest event and every count
COMMENT ON TYPE cohort_table IS
'cohorts and their activity, made by cohort_retention(), read by cohort_rows(), retention_curve(), lifecycle_rows(), retention_test() and cohort_chart(); equal tables have equal bytes';
COMMENT ON FUNCTION cohort_table_to_jsonb(cohort_table) IS
'a cohort_table as JSON: parameters, lifecycle counts, and for each cohort (with rolling windows: each joining time of it) its size and the tallies over k that all measures follow from';

-- ---------------------------------------------------------------------------
-- cohort_retention(): from rows of events to a cohort_table, in one pass
-- ---------------------------------------------------------------------------

CREATE FUNCTION cohort_retention_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_retention_serialize(internal) IS 'part of cohort_retention(): a state for another process';

CREATE FUNCTION cohort_retention_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_retention_deserialize(bytea, internal) IS 'part of cohort_retention(): a state from another process';

CREATE FUNCTION cohort_retention_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_retention_combine(internal, internal) IS 'part of cohort_retention(): two states as one';

CREATE FUNCTION cohort_retention_final(internal) RETURNS cohort_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_retention_final(internal) IS 'part of cohort_retention(): the table of a state';

CREATE FUNCTION cohort_retention_trans(internal, anyelement, "any", text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cohort_retention_trans(internal, anyelement, "any", text) IS 'part of cohort_retention(): one row';

CREATE AGGREGATE cohort_retention(customer anyelement, at "any", period text) (
	SFUNC = cohort_retention_trans,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = cohort_retention_final,
	COMBINEFUNC = cohort_retention_combine,
	SERIALFUNC = cohort_retention_serialize,
	DESERIALFUNC = cohort_retention_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_retention(anyelement, "any", text) IS
'cohort_table of calendar periods. Cohort = calendar period of the customer''s first event. customer: any type with a hash operator class, NULL (also in an array or row) is left out and counted in a NOTICE. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in the session''s TimeZone); NULL is left out and counted, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''half'', ''year''. Zero rows give an empty table.';

CREATE FUNCTION cohort_retention_zone_trans(internal, anyelement, "any", text, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cohort_retention_zone_trans(internal, anyelement, "any", text, text) IS 'part of cohort_retention(): one row';

CREATE AGGREGATE cohort_retention(customer anyelement, at "any", period text, time_zone text) (
	SFUNC = cohort_retention_zone_trans,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = cohort_retention_final,
	COMBINEFUNC = cohort_retention_combine,
	SERIALFUNC = cohort_retention_serialize,
	DESERIALFUNC = cohort_retention_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_retention(anyelement, "any", text, text) IS
'cohort_table of calendar periods in a time zone. Cohort = calendar period of the customer''s first event. customer: any type with a hash operator class, NULL (also in an array or row) is left out and counted in a NOTICE. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in time_zone); NULL is left out and counted, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''half'', ''year''. Zero rows give an empty table.';

CREATE FUNCTION cohort_retention_window_trans(internal, anyelement, "any", text, interval) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cohort_retention_window_trans(internal, anyelement, "any", text, interval) IS 'part of cohort_retention(): one row';

CREATE AGGREGATE cohort_retention(customer anyelement, at "any", period text, return_window interval) (
	SFUNC = cohort_retention_window_trans,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = cohort_retention_final,
	COMBINEFUNC = cohort_retention_combine,
	SERIALFUNC = cohort_retention_serialize,
	DESERIALFUNC = cohort_retention_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_retention(anyelement, "any", text, interval) IS
'cohort_table of rolling windows. Cohort = calendar period of the customer''s first event. customer: any type with a hash operator class, NULL (also in an array or row) is left out and counted in a NOTICE. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in the session''s TimeZone); NULL is left out and counted, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''half'', ''year''. return_window: positive interval; window k of a customer is first + k * interval up to first + (k + 1) * interval, on the wall clock of the zone for days and months. Zero rows give an empty table.';

CREATE FUNCTION cohort_retention_window_zone_trans(internal, anyelement, "any", text, interval, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cohort_retention_window_zone_trans(internal, anyelement, "any", text, interval, text) IS 'part of cohort_retention(): one row';

CREATE AGGREGATE cohort_retention(customer anyelement, at "any", period text, return_window interval, time_zone text) (
	SFUNC = cohort_retention_window_zone_trans,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = cohort_retention_final,
	COMBINEFUNC = cohort_retention_combine,
	SERIALFUNC = cohort_retention_serialize,
	DESERIALFUNC = cohort_retention_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_retention(anyelement, "any", text, interval, text) IS
'cohort_table of rolling windows in a time zone. Cohort = calendar period of the customer''s first event. customer: any type with a hash operator class, NULL (also in an array or row) is left out and counted in a NOTICE. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in time_zone); NULL is left out and counted, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''half'', ''year''. return_window: positive interval; window k of a customer is first + k * interval up to first + (k + 1) * interval, on the wall clock of the zone for days and months. Zero rows give an empty table.';

CREATE FUNCTION cohort_retention_joined_trans(internal, anyelement, "any", "any", text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cohort_retention_joined_trans(internal, anyelement, "any", "any", text) IS 'part of cohort_retention(): one row';

CREATE AGGREGATE cohort_retention(customer anyelement, joined_at "any", at "any", period text) (
	SFUNC = cohort_retention_joined_trans,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = cohort_retention_final,
	COMBINEFUNC = cohort_retention_combine,
	SERIALFUNC = cohort_retention_serialize,
	DESERIALFUNC = cohort_retention_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_retention(anyelement, "any", "any", text) IS
'cohort_table of calendar periods. Cohort = calendar period of the customer''s earliest joined_at; rows with NULL at only join, rows with NULL joined_at only return, earlier events are ignored, customers who never join are left out. customer: any type with a hash operator class, NULL (also in an array or row) is left out and counted in a NOTICE. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in the session''s TimeZone); NULL is left out and counted, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''half'', ''year''. Zero rows give an empty table.';

CREATE FUNCTION cohort_retention_joined_zone_trans(internal, anyelement, "any", "any", text, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cohort_retention_joined_zone_trans(internal, anyelement, "any", "any", text, text) IS 'part of cohort_retention(): one row';

CREATE AGGREGATE cohort_retention(customer anyelement, joined_at "any", at "any", period text, time_zone text) (
	SFUNC = cohort_retention_joined_zone_trans,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = cohort_retention_final,
	COMBINEFUNC = cohort_retention_combine,
	SERIALFUNC = cohort_retention_serialize,
	DESERIALFUNC = cohort_retention_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_retention(anyelement, "any", "any", text, text) IS
'cohort_table of calendar periods in a time zone. Cohort = calendar period of the customer''s earliest joined_at; rows with NULL at only join, rows with NULL joined_at only return, earlier events are ignored, customers who never join are left out. customer: any type with a hash operator class, NULL (also in an array or row) is left out and counted in a NOTICE. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in time_zone); NULL is left out and counted, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''half'', ''year''. Zero rows give an empty table.';

CREATE FUNCTION cohort_retention_joined_window_trans(internal, anyelement, "any", "any", text, interval) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cohort_retention_joined_window_trans(internal, anyelement, "any", "any", text, interval) IS 'part of cohort_retention(): one row';

CREATE AGGREGATE cohort_retention(customer anyelement, joined_at "any", at "any", period text, return_window interval) (
	SFUNC = cohort_retention_joined_window_trans,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = cohort_retention_final,
	COMBINEFUNC = cohort_retention_combine,
	SERIALFUNC = cohort_retention_serialize,
	DESERIALFUNC = cohort_retention_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_retention(anyelement, "any", "any", text, interval) IS
'cohort_table of rolling windows. Cohort = calendar period of the customer''s earliest joined_at; rows with NULL at only join, rows with NULL joined_at only return, earlier events are ignored, customers who never join are left out. customer: any type with a hash operator class, NULL (also in an array or row) is left out and counted in a NOTICE. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in the session''s TimeZone); NULL is left out and counted, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''half'', ''year''. return_window: positive interval; window k of a customer is first + k * interval up to first + (k + 1) * interval, on the wall clock of the zone for days and months. Zero rows give an empty table.';

CREATE FUNCTION cohort_retention_joined_window_zone_trans(internal, anyelement, "any", "any", text, interval, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cohort_retention_joined_window_zone_trans(internal, anyelement, "any", "any", text, interval, text) IS 'part of cohort_retention(): one row';

CREATE AGGREGATE cohort_retention(customer anyelement, joined_at "any", at "any", period text, return_window interval, time_zone text) (
	SFUNC = cohort_retention_joined_window_zone_trans,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = cohort_retention_final,
	COMBINEFUNC = cohort_retention_combine,
	SERIALFUNC = cohort_retention_serialize,
	DESERIALFUNC = cohort_retention_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_retention(anyelement, "any", "any", text, interval, text) IS
'cohort_table of rolling windows in a time zone. Cohort = calendar period of the customer''s earliest joined_at; rows with NULL at only join, rows with NULL joined_at only return, earlier events are ignored, customers who never join are left out. customer: any type with a hash operator class, NULL (also in an array or row) is left out and counted in a NOTICE. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in time_zone); NULL is left out and counted, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''half'', ''year''. return_window: positive interval; window k of a customer is first + k * interval up to first + (k + 1) * interval, on the wall clock of the zone for days and months. Zero rows give an empty table.';

CREATE FUNCTION cohort_retention_early_trans(internal, anyelement, "any", text, interval, interval) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cohort_retention_early_trans(internal, anyelement, "any", text, interval, interval) IS 'part of cohort_retention(): one row';

CREATE AGGREGATE cohort_retention(customer anyelement, at "any", period text, return_window interval, early interval) (
	SFUNC = cohort_retention_early_trans,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = cohort_retention_final,
	COMBINEFUNC = cohort_retention_combine,
	SERIALFUNC = cohort_retention_serialize,
	DESERIALFUNC = cohort_retention_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_retention(anyelement, "any", text, interval, interval) IS
'cohort_table of rolling windows. Cohort = calendar period of the customer''s first event. customer: any type with a hash operator class, NULL (also in an array or row) is left out and counted in a NOTICE. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in the session''s TimeZone); NULL is left out and counted, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''half'', ''year''. return_window: positive interval; window k of a customer is first + k * interval up to first + (k + 1) * interval, on the wall clock of the zone for days and months. early: an event at most that much before a boundary belongs to the window that begins there, as payments do that come before their anniversary; days and times, shorter than a window. Zero rows give an empty table.';

CREATE FUNCTION cohort_retention_early_zone_trans(internal, anyelement, "any", text, interval, interval, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cohort_retention_early_zone_trans(internal, anyelement, "any", text, interval, interval, text) IS 'part of cohort_retention(): one row';

CREATE AGGREGATE cohort_retention(customer anyelement, at "any", period text, return_window interval, early interval, time_zone text) (
	SFUNC = cohort_retention_early_zone_trans,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = cohort_retention_final,
	COMBINEFUNC = cohort_retention_combine,
	SERIALFUNC = cohort_retention_serialize,
	DESERIALFUNC = cohort_retention_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_retention(anyelement, "any", text, interval, interval, text) IS
'cohort_table of rolling windows in a time zone. Cohort = calendar period of the customer''s first event. customer: any type with a hash operator class, NULL (also in an array or row) is left out and counted in a NOTICE. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in time_zone); NULL is left out and counted, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''half'', ''year''. return_window: positive interval; window k of a customer is first + k * interval up to first + (k + 1) * interval, on the wall clock of the zone for days and months. early: an event at most that much before a boundary belongs to the window that begins there, as payments do that come before their anniversary; days and times, shorter than a window. Zero rows give an empty table.';

CREATE FUNCTION cohort_retention_joined_early_trans(internal, anyelement, "any", "any", text, interval, interval) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cohort_retention_joined_early_trans(internal, anyelement, "any", "any", text, interval, interval) IS 'part of cohort_retention(): one row';

CREATE AGGREGATE cohort_retention(customer anyelement, joined_at "any", at "any", period text, return_window interval, early interval) (
	SFUNC = cohort_retention_joined_early_trans,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = cohort_retention_final,
	COMBINEFUNC = cohort_retention_combine,
	SERIALFUNC = cohort_retention_serialize,
	DESERIALFUNC = cohort_retention_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_retention(anyelement, "any", "any", text, interval, interval) IS
'cohort_table of rolling windows. Cohort = calendar period of the customer''s earliest joined_at; rows with NULL at only join, rows with NULL joined_at only return, earlier events are ignored, customers who never join are left out. customer: any type with a hash operator class, NULL (also in an array or row) is left out and counted in a NOTICE. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in the session''s TimeZone); NULL is left out and counted, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''half'', ''year''. return_window: positive interval; window k of a customer is first + k * interval up to first + (k + 1) * interval, on the wall clock of the zone for days and months. early: an event at most that much before a boundary belongs to the window that begins there, as payments do that come before their anniversary; days and times, shorter than a window. Zero rows give an empty table.';

CREATE FUNCTION cohort_retention_joined_early_zone_trans(internal, anyelement, "any", "any", text, interval, interval, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cohort_retention_joined_early_zone_trans(internal, anyelement, "any", "any", text, interval, interval, text) IS 'part of cohort_retention(): one row';

CREATE AGGREGATE cohort_retention(customer anyelement, joined_at "any", at "any", period text, return_window interval, early interval, time_zone text) (
	SFUNC = cohort_retention_joined_early_zone_trans,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = cohort_retention_final,
	COMBINEFUNC = cohort_retention_combine,
	SERIALFUNC = cohort_retention_serialize,
	DESERIALFUNC = cohort_retention_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_retention(anyelement, "any", "any", text, interval, interval, text) IS
'cohort_table of rolling windows in a time zone. Cohort = calendar period of the customer''s earliest joined_at; rows with NULL at only join, rows with NULL joined_at only return, earlier events are ignored, customers who never join are left out. customer: any type with a hash operator class, NULL (also in an array or row) is left out and counted in a NOTICE. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in time_zone); NULL is left out and counted, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''half'', ''year''. return_window: positive interval; window k of a customer is first + k * interval up to first + (k + 1) * interval, on the wall clock of the zone for days and months. early: an event at most that much before a boundary belongs to the window that begins there, as payments do that come before their anniversary; days and times, shorter than a window. Zero rows give an empty table.';

CREATE FUNCTION cohort_table_rollup(cohort_table, cohort_table) RETURNS cohort_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_table_rollup(cohort_table, cohort_table) IS 'part of rollup(): a table or a state more';

CREATE FUNCTION cohort_table_rollup_final(cohort_table) RETURNS cohort_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_table_rollup_final(cohort_table) IS 'part of rollup(): the table of a state';

CREATE AGGREGATE rollup(cohort_table) (
	SFUNC = cohort_table_rollup,
	STYPE = cohort_table,
	FINALFUNC = cohort_table_rollup_final,
	COMBINEFUNC = cohort_table_rollup,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(cohort_table) IS
'one cohort_table from those of disjoint customers (shards, segments); NULL without rows; 22023 if period, window, zone or type of times differ';

-- ---------------------------------------------------------------------------
-- accessors: rows from a cohort_table, as seen on a day
--
-- as_of comes as text, where literals and untyped parameters land, and as any
-- other type: date, timestamp, timestamptz.
-- ---------------------------------------------------------------------------

CREATE FUNCTION cohort_rows(cohort_table cohort_table, as_of text DEFAULT NULL, measure text DEFAULT 'on', from_cohort timestamp DEFAULT NULL, periods integer DEFAULT NULL, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (cohort timestamp, period integer, period_start timestamp, size bigint,
		at_risk bigint, retained bigint, rate double precision, rate_low double precision,
		rate_high double precision, complete boolean, seen bigint)
	AS 'MODULE_PATHNAME', 'cohort_rows' LANGUAGE C STABLE PARALLEL SAFE ROWS 500;
COMMENT ON FUNCTION cohort_rows(cohort_table, text, text, timestamp, integer, double precision) IS
'one row a cohort and period k from 0 to the last that had begun at as_of. at_risk: members whose period k had wholly ended at as_of; retained: those of them that satisfy the measure; rate = retained / at_risk with Wilson limits (Wilson 1927); all but at_risk NULL while nobody is at risk; complete: everybody is; seen: members active in k so far. as_of: until when the data are complete; a date, or a text that is only a date, is the end of that day, a timestamp is that instant on the table''s clock, a timestamptz or a text with an offset that instant; NULL = the latest event in the table, of dates the end of the latest day. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''by'' (in any of 0..k), ''streak'' (in each of 1..k). from_cohort: only cohorts from the period of that time on. periods: only periods 0 to that one. confidence: between 0 and 1.';

CREATE FUNCTION cohort_rows(cohort_table cohort_table, as_of "any", measure text DEFAULT 'on', from_cohort timestamp DEFAULT NULL, periods integer DEFAULT NULL, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (cohort timestamp, period integer, period_start timestamp, size bigint,
		at_risk bigint, retained bigint, rate double precision, rate_low double precision,
		rate_high double precision, complete boolean, seen bigint)
	AS 'MODULE_PATHNAME', 'cohort_rows_typed' LANGUAGE C STABLE PARALLEL SAFE ROWS 500;
COMMENT ON FUNCTION cohort_rows(cohort_table, "any", text, timestamp, integer, double precision) IS
'one row a cohort and period k from 0 to the last that had begun at as_of. at_risk: members whose period k had wholly ended at as_of; retained: those of them that satisfy the measure; rate = retained / at_risk with Wilson limits (Wilson 1927); all but at_risk NULL while nobody is at risk; complete: everybody is; seen: members active in k so far. as_of: until when the data are complete; a date, or a text that is only a date, is the end of that day, a timestamp is that instant on the table''s clock, a timestamptz or a text with an offset that instant; NULL = the latest event in the table, of dates the end of the latest day. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''by'' (in any of 0..k), ''streak'' (in each of 1..k). from_cohort: only cohorts from the period of that time on. periods: only periods 0 to that one. confidence: between 0 and 1.';

CREATE FUNCTION retention_curve(cohort_table cohort_table, as_of text DEFAULT NULL, measure text DEFAULT 'on', from_cohort timestamp DEFAULT NULL, periods integer DEFAULT NULL, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (period integer, cohorts bigint, at_risk bigint, retained bigint,
		rate double precision, rate_low double precision, rate_high double precision)
	AS 'MODULE_PATHNAME', 'retention_curve' LANGUAGE C STABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION retention_curve(cohort_table, text, text, timestamp, integer, double precision) IS
'one row a period k: the complete cells of all cohorts pooled, and how many cohorts they are; rate = retained / at_risk with Wilson limits; periods without a complete cell have no row. as_of: until when the data are complete; a date, or a text that is only a date, is the end of that day, a timestamp is that instant on the table''s clock, a timestamptz or a text with an offset that instant; NULL = the latest event in the table, of dates the end of the latest day. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''by'' (in any of 0..k), ''streak'' (in each of 1..k). from_cohort: only cohorts from the period of that time on. periods: only periods 0 to that one. confidence: between 0 and 1.';

CREATE FUNCTION retention_curve(cohort_table cohort_table, as_of "any", measure text DEFAULT 'on', from_cohort timestamp DEFAULT NULL, periods integer DEFAULT NULL, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (period integer, cohorts bigint, at_risk bigint, retained bigint,
		rate double precision, rate_low double precision, rate_high double precision)
	AS 'MODULE_PATHNAME', 'retention_curve_typed' LANGUAGE C STABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION retention_curve(cohort_table, "any", text, timestamp, integer, double precision) IS
'one row a period k: the complete cells of all cohorts pooled, and how many cohorts they are; rate = retained / at_risk with Wilson limits; periods without a complete cell have no row. as_of: until when the data are complete; a date, or a text that is only a date, is the end of that day, a timestamp is that instant on the table''s clock, a timestamptz or a text with an offset that instant; NULL = the latest event in the table, of dates the end of the latest day. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''by'' (in any of 0..k), ''streak'' (in each of 1..k). from_cohort: only cohorts from the period of that time on. periods: only periods 0 to that one. confidence: between 0 and 1.';

CREATE FUNCTION lifecycle_rows(cohort_table cohort_table, as_of text DEFAULT NULL)
	RETURNS TABLE (period_start timestamp, active bigint, new bigint, "returning" bigint,
		resurrected bigint, dormant bigint, complete boolean)
	AS 'MODULE_PATHNAME', 'lifecycle_rows' LANGUAGE C STABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION lifecycle_rows(cohort_table, text) IS
'one row a calendar period from the first cohort to the last that had begun at as_of: customers active, new (first active period), returning (active in the previous period too), resurrected (active before, but not in the previous), dormant (active in the previous period, not in this one; NULL until the period has ended). active = new + returning + resurrected. as_of: until when the data are complete; a date, or a text that is only a date, is the end of that day, a timestamp is that instant on the table''s clock, a timestamptz or a text with an offset that instant; NULL = the latest event in the table, of dates the end of the latest day.';

CREATE FUNCTION lifecycle_rows(cohort_table cohort_table, as_of "any")
	RETURNS TABLE (period_start timestamp, active bigint, new bigint, "returning" bigint,
		resurrected bigint, dormant bigint, complete boolean)
	AS 'MODULE_PATHNAME', 'lifecycle_rows_typed' LANGUAGE C STABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION lifecycle_rows(cohort_table, "any") IS
'one row a calendar period from the first cohort to the last that had begun at as_of: customers active, new (first active period), returning (active in the previous period too), resurrected (active before, but not in the previous), dormant (active in the previous period, not in this one; NULL until the period has ended). active = new + returning + resurrected. as_of: until when the data are complete; a date, or a text that is only a date, is the end of that day, a timestamp is that instant on the table''s clock, a timestamptz or a text with an offset that instant; NULL = the latest event in the table, of dates the end of the latest day.';

CREATE FUNCTION retention_test(exposed cohort_table, control cohort_table, period integer, as_of text DEFAULT NULL, measure text DEFAULT 'on', from_cohort timestamp DEFAULT NULL, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (exposed_at_risk bigint, exposed_retained bigint, exposed_rate double precision,
		control_at_risk bigint, control_retained bigint, control_rate double precision,
		difference double precision, difference_low double precision,
		difference_high double precision, p_value double precision)
	AS 'MODULE_PATHNAME', 'retention_test' LANGUAGE C STABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION retention_test(cohort_table, cohort_table, integer, text, text, timestamp, double precision) IS
'difference in retention at period k of two groups of customers, complete cells pooled: exposed rate - control rate, its limits (Newcombe 1998, method 10) and the two-sided p value of no difference (pooled z test, without continuity correction). NULL while a group has nobody at risk; 22023 if period, window or zone of the tables differ. as_of as in cohort_rows(); NULL = the later of the two latest events. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''by'' (in any of 0..k), ''streak'' (in each of 1..k). from_cohort: only cohorts from the period of that time on.';

CREATE FUNCTION retention_test(exposed cohort_table, control cohort_table, period integer, as_of "any", measure text DEFAULT 'on', from_cohort timestamp DEFAULT NULL, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (exposed_at_risk bigint, exposed_retained bigint, exposed_rate double precision,
		control_at_risk bigint, control_retained bigint, control_rate double precision,
		difference double precision, difference_low double precision,
		difference_high double precision, p_value double precision)
	AS 'MODULE_PATHNAME', 'retention_test_typed' LANGUAGE C STABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION retention_test(cohort_table, cohort_table, integer, "any", text, timestamp, double precision) IS
'difference in retention at period k of two groups of customers, complete cells pooled: exposed rate - control rate, its limits (Newcombe 1998, method 10) and the two-sided p value of no difference (pooled z test, without continuity correction). NULL while a group has nobody at risk; 22023 if period, window or zone of the tables differ. as_of as in cohort_rows(); NULL = the later of the two latest events. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''by'' (in any of 0..k), ''streak'' (in each of 1..k). from_cohort: only cohorts from the period of that time on.';

CREATE FUNCTION cohort_chart(cohort_table cohort_table, as_of text DEFAULT NULL, measure text DEFAULT 'on', from_cohort timestamp DEFAULT NULL, periods integer DEFAULT NULL)
	RETURNS text
	AS 'MODULE_PATHNAME', 'cohort_chart' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_chart(cohort_table, text, text, timestamp, integer) IS
'the retention triangle as text: a line a cohort, a column a period, percent and shade; for reading, not for parsing. as_of: until when the data are complete; a date, or a text that is only a date, is the end of that day, a timestamp is that instant on the table''s clock, a timestamptz or a text with an offset that instant; NULL = the latest event in the table, of dates the end of the latest day. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''by'' (in any of 0..k), ''streak'' (in each of 1..k). from_cohort: only cohorts from the period of that time on. periods: only periods 0 to that one.';

CREATE FUNCTION cohort_chart(cohort_table cohort_table, as_of "any", measure text DEFAULT 'on', from_cohort timestamp DEFAULT NULL, periods integer DEFAULT NULL)
	RETURNS text
	AS 'MODULE_PATHNAME', 'cohort_chart_typed' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_chart(cohort_table, "any", text, timestamp, integer) IS
'the retention triangle as text: a line a cohort, a column a period, percent and shade; for reading, not for parsing. as_of: until when the data are complete; a date, or a text that is only a date, is the end of that day, a timestamp is that instant on the table''s clock, a timestamptz or a text with an offset that instant; NULL = the latest event in the table, of dates the end of the latest day. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''by'' (in any of 0..k), ''streak'' (in each of 1..k). from_cohort: only cohorts from the period of that time on. periods: only periods 0 to that one.';

CREATE FUNCTION cohort_summary(cohort_table cohort_table)
	RETURNS TABLE (customers bigint, cohorts bigint, first_cohort timestamp, last_cohort timestamp,
		last_event timestamp, dates boolean, period text, return_window interval, early interval, time_zone text)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION cohort_summary(cohort_table) IS
'what a cohort_table is about, in one row: customers, cohorts, where the first and the last of them start, the latest event (on the table''s clock), whether all times were dates, and what was asked: period, return_window (NULL: calendar periods), early (NULL: none), time_zone (NULL: none). Rows that cohort_retention() left out are told by it, in a NOTICE.';

-- ---------------------------------------------------------------------------
-- cohort_retention(): from customer histories to a cohort_table
--
-- The state is a cohort_table that is not finished yet: a concrete type, so
-- that partition-wise, parallel and distributed plans can split the aggregate.

CREATE FUNCTION cohort_retention_history_combine(cohort_table, cohort_table) RETURNS cohort_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_retention_history_combine(cohort_table, cohort_table) IS 'part of cohort_retention() over histories: two states as one';

CREATE FUNCTION cohort_retention_history_final(cohort_table) RETURNS cohort_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_retention_history_final(cohort_table) IS 'part of cohort_retention() over histories: the table of a state';

CREATE FUNCTION cohort_retention_history_trans(cohort_table, customer_history, text) RETURNS cohort_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_retention_history_trans(cohort_table, customer_history, text) IS 'part of cohort_retention() over histories: one customer';

CREATE AGGREGATE cohort_retention(history customer_history, period text) (
	SFUNC = cohort_retention_history_trans,
	STYPE = cohort_table,
	SSPACE = 4096,
	FINALFUNC = cohort_retention_history_final,
	COMBINEFUNC = cohort_retention_history_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_retention(customer_history, text) IS
'cohort_table of calendar periods from customer histories. Cohort = calendar period of the first active day. One history a customer: histories of the same customer must be merged first, with rollup(). NULL and empty histories are skipped. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''half'', ''year''. Zero rows give an empty table. The same table as cohort_retention(customer, day, ...) over all days of the histories; its clock is that of the days.';

CREATE FUNCTION cohort_retention_history_window_trans(cohort_table, customer_history, text, interval) RETURNS cohort_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_retention_history_window_trans(cohort_table, customer_history, text, interval) IS 'part of cohort_retention() over histories: one customer';

CREATE AGGREGATE cohort_retention(history customer_history, period text, return_window interval) (
	SFUNC = cohort_retention_history_window_trans,
	STYPE = cohort_table,
	SSPACE = 4096,
	FINALFUNC = cohort_retention_history_final,
	COMBINEFUNC = cohort_retention_history_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_retention(customer_history, text, interval) IS
'cohort_table of rolling windows from customer histories. Cohort = calendar period of the first active day. One history a customer: histories of the same customer must be merged first, with rollup(). NULL and empty histories are skipped. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''half'', ''year''. return_window: positive interval; window k of a customer is first day + k * interval up to first day + (k + 1) * interval. Zero rows give an empty table. The same table as cohort_retention(customer, day, ...) over all days of the histories; its clock is that of the days.';

CREATE FUNCTION cohort_retention_history_early_trans(cohort_table, customer_history, text, interval, interval) RETURNS cohort_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_retention_history_early_trans(cohort_table, customer_history, text, interval, interval) IS 'part of cohort_retention() over histories: one customer';

CREATE AGGREGATE cohort_retention(history customer_history, period text, return_window interval, early interval) (
	SFUNC = cohort_retention_history_early_trans,
	STYPE = cohort_table,
	SSPACE = 4096,
	FINALFUNC = cohort_retention_history_final,
	COMBINEFUNC = cohort_retention_history_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE cohort_retention(customer_history, text, interval, interval) IS
'cohort_table of rolling windows from customer histories. Cohort = calendar period of the first active day. One history a customer: histories of the same customer must be merged first, with rollup(). NULL and empty histories are skipped. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''half'', ''year''. return_window: positive interval; window k of a customer is first day + k * interval up to first day + (k + 1) * interval. early: an event at most that much before a boundary belongs to the window that begins there; days and times, shorter than a window. Zero rows give an empty table. The same table as cohort_retention(customer, day, ...) over all days of the histories; its clock is that of the days.';
