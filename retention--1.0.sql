/* retention--1.0.sql: what CREATE EXTENSION retention makes. */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION retention" to load this file. \quit

-- ---------------------------------------------------------------------------
-- cohort_table: the value that cohort_retention() makes
-- ---------------------------------------------------------------------------

CREATE TYPE cohort_table;

CREATE FUNCTION cohort_table_in(cstring) RETURNS cohort_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_table_in(cstring) IS
'cohort_table from its text form (base64 of its bytes), validated in full; 22P02 if it is no canonical value';

CREATE FUNCTION cohort_table_out(cohort_table) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_table_out(cohort_table) IS
'text form of a cohort_table: base64 of its bytes, lossless and free of any setting';

CREATE FUNCTION cohort_table_recv(internal) RETURNS cohort_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_table_recv(internal) IS
'cohort_table from its binary form, validated in full; 22P03 if it is no canonical value';

CREATE FUNCTION cohort_table_send(cohort_table) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_table_send(cohort_table) IS
'binary form of a cohort_table: its bytes, the same on every architecture';

CREATE TYPE cohort_table (
	INTERNALLENGTH = VARIABLE,
	INPUT = cohort_table_in,
	OUTPUT = cohort_table_out,
	RECEIVE = cohort_table_recv,
	SEND = cohort_table_send,
	STORAGE = extended
);
COMMENT ON TYPE cohort_table IS
'cohorts and their activity, made by cohort_retention(), read by cohort_rows(), retention_curve(), lifecycle_rows(), retention_test() and cohort_chart(); equal tables have equal bytes';

CREATE FUNCTION cohort_table_eq(cohort_table, cohort_table) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_table_eq(cohort_table, cohort_table) IS
'are two cohort tables the same: parameters, latest event and every count';

CREATE FUNCTION cohort_table_ne(cohort_table, cohort_table) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_table_ne(cohort_table, cohort_table) IS
'do two cohort tables differ in parameters, latest event or any count';

CREATE FUNCTION cohort_table_hash(cohort_table) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_table_hash(cohort_table) IS 'hash of a cohort_table, for GROUP BY and DISTINCT';

CREATE FUNCTION cohort_table_hash_extended(cohort_table, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_table_hash_extended(cohort_table, bigint) IS 'hash of a cohort_table with a seed, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = cohort_table, RIGHTARG = cohort_table, FUNCTION = cohort_table_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (cohort_table, cohort_table) IS 'same parameters, latest event and counts';

CREATE OPERATOR <> (
	LEFTARG = cohort_table, RIGHTARG = cohort_table, FUNCTION = cohort_table_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (cohort_table, cohort_table) IS 'different parameters, latest event or counts';

CREATE OPERATOR CLASS cohort_table_ops DEFAULT FOR TYPE cohort_table USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 cohort_table_hash(cohort_table),
	FUNCTION 2 cohort_table_hash_extended(cohort_table, bigint);
COMMENT ON OPERATOR CLASS cohort_table_ops USING hash IS 'lets cohort tables be grouped, made distinct and hash-joined';
COMMENT ON OPERATOR FAMILY cohort_table_ops USING hash IS 'hashing of cohort tables';

CREATE FUNCTION cohort_table_to_jsonb(cohort_table) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION cohort_table_to_jsonb(cohort_table) IS
'a cohort_table as JSON: parameters, lifecycle counts, and for each cohort (with rolling windows: each joining time of it) its size and the tallies over k that all measures follow from';

CREATE CAST (cohort_table AS jsonb) WITH FUNCTION cohort_table_to_jsonb(cohort_table);
COMMENT ON CAST (cohort_table AS jsonb) IS 'everything a cohort_table holds, readable';

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
'cohort_table of calendar periods. Cohort = calendar period of the customer''s first event. customer: any type with a hash operator class, NULL is skipped. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in the session''s TimeZone); NULL is skipped, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''year''. Zero rows give an empty table.';

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
'cohort_table of calendar periods in a time zone. Cohort = calendar period of the customer''s first event. customer: any type with a hash operator class, NULL is skipped. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in time_zone); NULL is skipped, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''year''. Zero rows give an empty table.';

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
'cohort_table of rolling windows. Cohort = calendar period of the customer''s first event. customer: any type with a hash operator class, NULL is skipped. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in the session''s TimeZone); NULL is skipped, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''year''. return_window: positive interval; window k of a customer is first + k * interval up to first + (k + 1) * interval, on the wall clock of the zone for days and months. Zero rows give an empty table.';

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
'cohort_table of rolling windows in a time zone. Cohort = calendar period of the customer''s first event. customer: any type with a hash operator class, NULL is skipped. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in time_zone); NULL is skipped, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''year''. return_window: positive interval; window k of a customer is first + k * interval up to first + (k + 1) * interval, on the wall clock of the zone for days and months. Zero rows give an empty table.';

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
'cohort_table of calendar periods. Cohort = calendar period of the customer''s earliest joined_at; rows with NULL at only join, rows with NULL joined_at only return, earlier events are ignored, customers who never join are left out. customer: any type with a hash operator class, NULL is skipped. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in the session''s TimeZone); NULL is skipped, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''year''. Zero rows give an empty table.';

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
'cohort_table of calendar periods in a time zone. Cohort = calendar period of the customer''s earliest joined_at; rows with NULL at only join, rows with NULL joined_at only return, earlier events are ignored, customers who never join are left out. customer: any type with a hash operator class, NULL is skipped. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in time_zone); NULL is skipped, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''year''. Zero rows give an empty table.';

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
'cohort_table of rolling windows. Cohort = calendar period of the customer''s earliest joined_at; rows with NULL at only join, rows with NULL joined_at only return, earlier events are ignored, customers who never join are left out. customer: any type with a hash operator class, NULL is skipped. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in the session''s TimeZone); NULL is skipped, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''year''. return_window: positive interval; window k of a customer is first + k * interval up to first + (k + 1) * interval, on the wall clock of the zone for days and months. Zero rows give an empty table.';

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
'cohort_table of rolling windows in a time zone. Cohort = calendar period of the customer''s earliest joined_at; rows with NULL at only join, rows with NULL joined_at only return, earlier events are ignored, customers who never join are left out. customer: any type with a hash operator class, NULL is skipped. at (and joined_at): date, timestamp (both wall clock, never shifted) or timestamptz (in time_zone); NULL is skipped, infinite times are an error. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''year''. return_window: positive interval; window k of a customer is first + k * interval up to first + (k + 1) * interval, on the wall clock of the zone for days and months. Zero rows give an empty table.';

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
-- as_of comes in four types.  Literals are text to the parser, and mean the
-- table's own clock, as dates and timestamps do; a timestamptz is an instant.
-- ---------------------------------------------------------------------------

CREATE FUNCTION cohort_rows(cohort_table cohort_table, as_of timestamp DEFAULT NULL, measure text DEFAULT 'on', confidence double precision DEFAULT 0.95)
	RETURNS TABLE (cohort timestamp, period integer, period_start timestamp, size bigint,
		at_risk bigint, retained bigint, rate double precision, rate_low double precision,
		rate_high double precision, complete boolean, seen bigint)
	AS 'MODULE_PATHNAME', 'cohort_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 500;
COMMENT ON FUNCTION cohort_rows(cohort_table, timestamp, text, double precision) IS
'one row a cohort and period k from 0 to the one that contains as_of. at_risk: members whose period k had wholly ended at as_of; retained: those of them that satisfy the measure; rate = retained / at_risk with Wilson limits (Wilson 1927); all but at_risk NULL while nobody is at risk; complete: everybody is; seen: members active in k so far. as_of: NULL = the latest event in the table; date, timestamp and text are wall clock of the table''s zone, timestamptz is an instant. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''streak'' (in each of 1..k). confidence: between 0 and 1.';

CREATE FUNCTION cohort_rows(cohort_table cohort_table, as_of date, measure text DEFAULT 'on', confidence double precision DEFAULT 0.95)
	RETURNS TABLE (cohort timestamp, period integer, period_start timestamp, size bigint,
		at_risk bigint, retained bigint, rate double precision, rate_low double precision,
		rate_high double precision, complete boolean, seen bigint)
	AS 'MODULE_PATHNAME', 'cohort_rows_date' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 500;
COMMENT ON FUNCTION cohort_rows(cohort_table, date, text, double precision) IS
'one row a cohort and period k from 0 to the one that contains as_of. at_risk: members whose period k had wholly ended at as_of; retained: those of them that satisfy the measure; rate = retained / at_risk with Wilson limits (Wilson 1927); all but at_risk NULL while nobody is at risk; complete: everybody is; seen: members active in k so far. as_of: NULL = the latest event in the table; date, timestamp and text are wall clock of the table''s zone, timestamptz is an instant. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''streak'' (in each of 1..k). confidence: between 0 and 1.';

CREATE FUNCTION cohort_rows(cohort_table cohort_table, as_of timestamptz, measure text DEFAULT 'on', confidence double precision DEFAULT 0.95)
	RETURNS TABLE (cohort timestamp, period integer, period_start timestamp, size bigint,
		at_risk bigint, retained bigint, rate double precision, rate_low double precision,
		rate_high double precision, complete boolean, seen bigint)
	AS 'MODULE_PATHNAME', 'cohort_rows_timestamptz' LANGUAGE C STABLE PARALLEL SAFE ROWS 500;
COMMENT ON FUNCTION cohort_rows(cohort_table, timestamptz, text, double precision) IS
'one row a cohort and period k from 0 to the one that contains as_of. at_risk: members whose period k had wholly ended at as_of; retained: those of them that satisfy the measure; rate = retained / at_risk with Wilson limits (Wilson 1927); all but at_risk NULL while nobody is at risk; complete: everybody is; seen: members active in k so far. as_of: NULL = the latest event in the table; date, timestamp and text are wall clock of the table''s zone, timestamptz is an instant. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''streak'' (in each of 1..k). confidence: between 0 and 1.';

CREATE FUNCTION cohort_rows(cohort_table cohort_table, as_of text, measure text DEFAULT 'on', confidence double precision DEFAULT 0.95)
	RETURNS TABLE (cohort timestamp, period integer, period_start timestamp, size bigint,
		at_risk bigint, retained bigint, rate double precision, rate_low double precision,
		rate_high double precision, complete boolean, seen bigint)
	AS 'MODULE_PATHNAME', 'cohort_rows_text' LANGUAGE C STABLE PARALLEL SAFE ROWS 500;
COMMENT ON FUNCTION cohort_rows(cohort_table, text, text, double precision) IS
'one row a cohort and period k from 0 to the one that contains as_of. at_risk: members whose period k had wholly ended at as_of; retained: those of them that satisfy the measure; rate = retained / at_risk with Wilson limits (Wilson 1927); all but at_risk NULL while nobody is at risk; complete: everybody is; seen: members active in k so far. as_of: NULL = the latest event in the table; date, timestamp and text are wall clock of the table''s zone, timestamptz is an instant. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''streak'' (in each of 1..k). confidence: between 0 and 1.';

CREATE FUNCTION retention_curve(cohort_table cohort_table, as_of timestamp DEFAULT NULL, measure text DEFAULT 'on', confidence double precision DEFAULT 0.95)
	RETURNS TABLE (period integer, cohorts bigint, at_risk bigint, retained bigint,
		rate double precision, rate_low double precision, rate_high double precision)
	AS 'MODULE_PATHNAME', 'retention_curve' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION retention_curve(cohort_table, timestamp, text, double precision) IS
'one row a period k: the complete cells of all cohorts pooled, and how many cohorts they are; rate = retained / at_risk with Wilson limits; periods without a complete cell have no row. as_of: NULL = the latest event in the table; date, timestamp and text are wall clock of the table''s zone, timestamptz is an instant. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''streak'' (in each of 1..k). confidence: between 0 and 1.';

CREATE FUNCTION retention_curve(cohort_table cohort_table, as_of date, measure text DEFAULT 'on', confidence double precision DEFAULT 0.95)
	RETURNS TABLE (period integer, cohorts bigint, at_risk bigint, retained bigint,
		rate double precision, rate_low double precision, rate_high double precision)
	AS 'MODULE_PATHNAME', 'retention_curve_date' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION retention_curve(cohort_table, date, text, double precision) IS
'one row a period k: the complete cells of all cohorts pooled, and how many cohorts they are; rate = retained / at_risk with Wilson limits; periods without a complete cell have no row. as_of: NULL = the latest event in the table; date, timestamp and text are wall clock of the table''s zone, timestamptz is an instant. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''streak'' (in each of 1..k). confidence: between 0 and 1.';

CREATE FUNCTION retention_curve(cohort_table cohort_table, as_of timestamptz, measure text DEFAULT 'on', confidence double precision DEFAULT 0.95)
	RETURNS TABLE (period integer, cohorts bigint, at_risk bigint, retained bigint,
		rate double precision, rate_low double precision, rate_high double precision)
	AS 'MODULE_PATHNAME', 'retention_curve_timestamptz' LANGUAGE C STABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION retention_curve(cohort_table, timestamptz, text, double precision) IS
'one row a period k: the complete cells of all cohorts pooled, and how many cohorts they are; rate = retained / at_risk with Wilson limits; periods without a complete cell have no row. as_of: NULL = the latest event in the table; date, timestamp and text are wall clock of the table''s zone, timestamptz is an instant. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''streak'' (in each of 1..k). confidence: between 0 and 1.';

CREATE FUNCTION retention_curve(cohort_table cohort_table, as_of text, measure text DEFAULT 'on', confidence double precision DEFAULT 0.95)
	RETURNS TABLE (period integer, cohorts bigint, at_risk bigint, retained bigint,
		rate double precision, rate_low double precision, rate_high double precision)
	AS 'MODULE_PATHNAME', 'retention_curve_text' LANGUAGE C STABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION retention_curve(cohort_table, text, text, double precision) IS
'one row a period k: the complete cells of all cohorts pooled, and how many cohorts they are; rate = retained / at_risk with Wilson limits; periods without a complete cell have no row. as_of: NULL = the latest event in the table; date, timestamp and text are wall clock of the table''s zone, timestamptz is an instant. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''streak'' (in each of 1..k). confidence: between 0 and 1.';

CREATE FUNCTION lifecycle_rows(cohort_table cohort_table, as_of timestamp DEFAULT NULL)
	RETURNS TABLE (period_start timestamp, active bigint, new bigint, "returning" bigint,
		resurrected bigint, dormant bigint, complete boolean)
	AS 'MODULE_PATHNAME', 'lifecycle_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION lifecycle_rows(cohort_table, timestamp) IS
'one row a calendar period from the first cohort to the one that contains as_of: customers active, new (first active period), returning (active in the previous period too), resurrected (active before, but not in the previous), dormant (active in the previous period, not in this one; NULL until the period has ended). active = new + returning + resurrected. as_of: NULL = the latest event in the table; date, timestamp and text are wall clock of the table''s zone, timestamptz is an instant. ';

CREATE FUNCTION lifecycle_rows(cohort_table cohort_table, as_of date)
	RETURNS TABLE (period_start timestamp, active bigint, new bigint, "returning" bigint,
		resurrected bigint, dormant bigint, complete boolean)
	AS 'MODULE_PATHNAME', 'lifecycle_rows_date' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION lifecycle_rows(cohort_table, date) IS
'one row a calendar period from the first cohort to the one that contains as_of: customers active, new (first active period), returning (active in the previous period too), resurrected (active before, but not in the previous), dormant (active in the previous period, not in this one; NULL until the period has ended). active = new + returning + resurrected. as_of: NULL = the latest event in the table; date, timestamp and text are wall clock of the table''s zone, timestamptz is an instant. ';

CREATE FUNCTION lifecycle_rows(cohort_table cohort_table, as_of timestamptz)
	RETURNS TABLE (period_start timestamp, active bigint, new bigint, "returning" bigint,
		resurrected bigint, dormant bigint, complete boolean)
	AS 'MODULE_PATHNAME', 'lifecycle_rows_timestamptz' LANGUAGE C STABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION lifecycle_rows(cohort_table, timestamptz) IS
'one row a calendar period from the first cohort to the one that contains as_of: customers active, new (first active period), returning (active in the previous period too), resurrected (active before, but not in the previous), dormant (active in the previous period, not in this one; NULL until the period has ended). active = new + returning + resurrected. as_of: NULL = the latest event in the table; date, timestamp and text are wall clock of the table''s zone, timestamptz is an instant. ';

CREATE FUNCTION lifecycle_rows(cohort_table cohort_table, as_of text)
	RETURNS TABLE (period_start timestamp, active bigint, new bigint, "returning" bigint,
		resurrected bigint, dormant bigint, complete boolean)
	AS 'MODULE_PATHNAME', 'lifecycle_rows_text' LANGUAGE C STABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION lifecycle_rows(cohort_table, text) IS
'one row a calendar period from the first cohort to the one that contains as_of: customers active, new (first active period), returning (active in the previous period too), resurrected (active before, but not in the previous), dormant (active in the previous period, not in this one; NULL until the period has ended). active = new + returning + resurrected. as_of: NULL = the latest event in the table; date, timestamp and text are wall clock of the table''s zone, timestamptz is an instant. ';

CREATE FUNCTION retention_test(exposed cohort_table, control cohort_table, period integer, as_of timestamp DEFAULT NULL, measure text DEFAULT 'on', confidence double precision DEFAULT 0.95)
	RETURNS TABLE (exposed_at_risk bigint, exposed_retained bigint, exposed_rate double precision,
		control_at_risk bigint, control_retained bigint, control_rate double precision,
		difference double precision, difference_low double precision,
		difference_high double precision, p_value double precision)
	AS 'MODULE_PATHNAME', 'retention_test' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION retention_test(cohort_table, cohort_table, integer, timestamp, text, double precision) IS
'difference in retention at period k of two groups of customers, complete cells pooled: exposed rate - control rate, its limits (Newcombe 1998, method 10) and the two-sided p value of no difference (pooled z test, without continuity correction). NULL while a group has nobody at risk; 22023 if period, window or zone of the tables differ. as_of NULL = the later of the two latest events. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''streak'' (in each of 1..k). ';

CREATE FUNCTION retention_test(exposed cohort_table, control cohort_table, period integer, as_of date, measure text DEFAULT 'on', confidence double precision DEFAULT 0.95)
	RETURNS TABLE (exposed_at_risk bigint, exposed_retained bigint, exposed_rate double precision,
		control_at_risk bigint, control_retained bigint, control_rate double precision,
		difference double precision, difference_low double precision,
		difference_high double precision, p_value double precision)
	AS 'MODULE_PATHNAME', 'retention_test_date' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION retention_test(cohort_table, cohort_table, integer, date, text, double precision) IS
'difference in retention at period k of two groups of customers, complete cells pooled: exposed rate - control rate, its limits (Newcombe 1998, method 10) and the two-sided p value of no difference (pooled z test, without continuity correction). NULL while a group has nobody at risk; 22023 if period, window or zone of the tables differ. as_of NULL = the later of the two latest events. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''streak'' (in each of 1..k). ';

CREATE FUNCTION retention_test(exposed cohort_table, control cohort_table, period integer, as_of timestamptz, measure text DEFAULT 'on', confidence double precision DEFAULT 0.95)
	RETURNS TABLE (exposed_at_risk bigint, exposed_retained bigint, exposed_rate double precision,
		control_at_risk bigint, control_retained bigint, control_rate double precision,
		difference double precision, difference_low double precision,
		difference_high double precision, p_value double precision)
	AS 'MODULE_PATHNAME', 'retention_test_timestamptz' LANGUAGE C STABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION retention_test(cohort_table, cohort_table, integer, timestamptz, text, double precision) IS
'difference in retention at period k of two groups of customers, complete cells pooled: exposed rate - control rate, its limits (Newcombe 1998, method 10) and the two-sided p value of no difference (pooled z test, without continuity correction). NULL while a group has nobody at risk; 22023 if period, window or zone of the tables differ. as_of NULL = the later of the two latest events. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''streak'' (in each of 1..k). ';

CREATE FUNCTION retention_test(exposed cohort_table, control cohort_table, period integer, as_of text, measure text DEFAULT 'on', confidence double precision DEFAULT 0.95)
	RETURNS TABLE (exposed_at_risk bigint, exposed_retained bigint, exposed_rate double precision,
		control_at_risk bigint, control_retained bigint, control_rate double precision,
		difference double precision, difference_low double precision,
		difference_high double precision, p_value double precision)
	AS 'MODULE_PATHNAME', 'retention_test_text' LANGUAGE C STABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION retention_test(cohort_table, cohort_table, integer, text, text, double precision) IS
'difference in retention at period k of two groups of customers, complete cells pooled: exposed rate - control rate, its limits (Newcombe 1998, method 10) and the two-sided p value of no difference (pooled z test, without continuity correction). NULL while a group has nobody at risk; 22023 if period, window or zone of the tables differ. as_of NULL = the later of the two latest events. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''streak'' (in each of 1..k). ';

CREATE FUNCTION cohort_chart(cohort_table cohort_table, as_of timestamp DEFAULT NULL, measure text DEFAULT 'on')
	RETURNS text
	AS 'MODULE_PATHNAME', 'cohort_chart' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_chart(cohort_table, timestamp, text) IS
'the retention triangle as text: a line a cohort, a column a period, percent and shade; for reading, not for parsing. as_of: NULL = the latest event in the table; date, timestamp and text are wall clock of the table''s zone, timestamptz is an instant. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''streak'' (in each of 1..k). ';

CREATE FUNCTION cohort_chart(cohort_table cohort_table, as_of date, measure text DEFAULT 'on')
	RETURNS text
	AS 'MODULE_PATHNAME', 'cohort_chart_date' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_chart(cohort_table, date, text) IS
'the retention triangle as text: a line a cohort, a column a period, percent and shade; for reading, not for parsing. as_of: NULL = the latest event in the table; date, timestamp and text are wall clock of the table''s zone, timestamptz is an instant. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''streak'' (in each of 1..k). ';

CREATE FUNCTION cohort_chart(cohort_table cohort_table, as_of timestamptz, measure text DEFAULT 'on')
	RETURNS text
	AS 'MODULE_PATHNAME', 'cohort_chart_timestamptz' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_chart(cohort_table, timestamptz, text) IS
'the retention triangle as text: a line a cohort, a column a period, percent and shade; for reading, not for parsing. as_of: NULL = the latest event in the table; date, timestamp and text are wall clock of the table''s zone, timestamptz is an instant. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''streak'' (in each of 1..k). ';

CREATE FUNCTION cohort_chart(cohort_table cohort_table, as_of text, measure text DEFAULT 'on')
	RETURNS text
	AS 'MODULE_PATHNAME', 'cohort_chart_text' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION cohort_chart(cohort_table, text, text) IS
'the retention triangle as text: a line a cohort, a column a period, percent and shade; for reading, not for parsing. as_of: NULL = the latest event in the table; date, timestamp and text are wall clock of the table''s zone, timestamptz is an instant. measure: ''on'' (active in period k), ''on_or_after'' (in k or any later), ''on_or_before'' (in any of 1..k), ''streak'' (in each of 1..k). ';

-- ---------------------------------------------------------------------------
-- customer_history: one customer's active days
-- ---------------------------------------------------------------------------

CREATE TYPE customer_history;

CREATE FUNCTION customer_history_in(cstring) RETURNS customer_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_in(cstring) IS
'customer_history from its text form (base64 of its bytes), validated in full; 22P02 if it is no canonical value';

CREATE FUNCTION customer_history_out(customer_history) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_out(customer_history) IS
'text form of a customer_history: base64 of its bytes, lossless and free of any setting';

CREATE FUNCTION customer_history_recv(internal) RETURNS customer_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_recv(internal) IS
'customer_history from its binary form, validated in full; 22P03 if it is no canonical value';

CREATE FUNCTION customer_history_send(customer_history) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_send(customer_history) IS
'binary form of a customer_history: its bytes, the same on every architecture';

CREATE TYPE customer_history (
	INTERNALLENGTH = VARIABLE,
	INPUT = customer_history_in,
	OUTPUT = customer_history_out,
	RECEIVE = customer_history_recv,
	SEND = customer_history_send,
	STORAGE = extended
);
COMMENT ON TYPE customer_history IS
'one customer''s active days, each with its number of events and exact sum of amounts; made by customer_history(), added up by rollup() and ||; equal histories have equal bytes';

CREATE FUNCTION customer_history_eq(customer_history, customer_history) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_eq(customer_history, customer_history) IS
'are two histories the same: days, events, amounts and their scales';

CREATE FUNCTION customer_history_ne(customer_history, customer_history) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_ne(customer_history, customer_history) IS
'do two histories differ in any day, number of events or amount';

CREATE FUNCTION customer_history_hash(customer_history) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_hash(customer_history) IS
'hash of a customer_history, for GROUP BY and DISTINCT';

CREATE FUNCTION customer_history_hash_extended(customer_history, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_hash_extended(customer_history, bigint) IS
'hash of a customer_history with a seed, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = customer_history, RIGHTARG = customer_history, FUNCTION = customer_history_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (customer_history, customer_history) IS 'same days, events and amounts';

CREATE OPERATOR <> (
	LEFTARG = customer_history, RIGHTARG = customer_history, FUNCTION = customer_history_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (customer_history, customer_history) IS 'different days, events or amounts';

CREATE OPERATOR CLASS customer_history_ops DEFAULT FOR TYPE customer_history USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 customer_history_hash(customer_history),
	FUNCTION 2 customer_history_hash_extended(customer_history, bigint);
COMMENT ON OPERATOR CLASS customer_history_ops USING hash IS 'lets histories be grouped, made distinct and hash-joined';
COMMENT ON OPERATOR FAMILY customer_history_ops USING hash IS 'hashing of histories';

CREATE FUNCTION customer_history_to_jsonb(customer_history) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_to_jsonb(customer_history) IS
'a customer_history as JSON: an array of days with events and amount, null where a day had no amount';

CREATE CAST (customer_history AS jsonb) WITH FUNCTION customer_history_to_jsonb(customer_history);
COMMENT ON CAST (customer_history AS jsonb) IS 'everything a customer_history holds, readable';

CREATE FUNCTION customer_history_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_serialize(internal) IS 'part of customer_history(): a state for another process';

CREATE FUNCTION customer_history_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_deserialize(bytea, internal) IS 'part of customer_history(): a state from another process';

CREATE FUNCTION customer_history_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_combine(internal, internal) IS 'part of customer_history(): two states as one';

CREATE FUNCTION customer_history_final(internal) RETURNS customer_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_final(internal) IS 'part of customer_history(): the history of a state';

CREATE FUNCTION customer_history_trans(internal, "any") RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_trans(internal, "any") IS 'part of customer_history(): one row';

CREATE AGGREGATE customer_history(at "any") (
	SFUNC = customer_history_trans,
	STYPE = internal,
	SSPACE = 64,
	FINALFUNC = customer_history_final,
	COMBINEFUNC = customer_history_combine,
	SERIALFUNC = customer_history_serialize,
	DESERIALFUNC = customer_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_history("any") IS
'one customer''s active days; use with GROUP BY customer. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in the session''s TimeZone); NULL is skipped, infinite times are an error. No rows give an empty history.';

CREATE FUNCTION customer_history_zone_trans(internal, "any", text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_zone_trans(internal, "any", text) IS 'part of customer_history(): one row';

CREATE AGGREGATE customer_history(at "any", time_zone text) (
	SFUNC = customer_history_zone_trans,
	STYPE = internal,
	SSPACE = 64,
	FINALFUNC = customer_history_final,
	COMBINEFUNC = customer_history_combine,
	SERIALFUNC = customer_history_serialize,
	DESERIALFUNC = customer_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_history("any", text) IS
'one customer''s active days; use with GROUP BY customer. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in time_zone); NULL is skipped, infinite times are an error. No rows give an empty history.';

CREATE FUNCTION customer_history_amount_trans(internal, "any", numeric) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_amount_trans(internal, "any", numeric) IS 'part of customer_history(): one row';

CREATE AGGREGATE customer_history(at "any", amount numeric) (
	SFUNC = customer_history_amount_trans,
	STYPE = internal,
	SSPACE = 128,
	FINALFUNC = customer_history_final,
	COMBINEFUNC = customer_history_combine,
	SERIALFUNC = customer_history_serialize,
	DESERIALFUNC = customer_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_history("any", numeric) IS
'one customer''s active days and amounts; use with GROUP BY customer. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in the session''s TimeZone); NULL is skipped, infinite times are an error. amount: any finite numeric, also negative; NULL counts as an event without amount; NaN and infinities are an error (22003). No rows give an empty history.';

CREATE FUNCTION customer_history_amount_zone_trans(internal, "any", numeric, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_amount_zone_trans(internal, "any", numeric, text) IS 'part of customer_history(): one row';

CREATE AGGREGATE customer_history(at "any", amount numeric, time_zone text) (
	SFUNC = customer_history_amount_zone_trans,
	STYPE = internal,
	SSPACE = 128,
	FINALFUNC = customer_history_final,
	COMBINEFUNC = customer_history_combine,
	SERIALFUNC = customer_history_serialize,
	DESERIALFUNC = customer_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_history("any", numeric, text) IS
'one customer''s active days and amounts; use with GROUP BY customer. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in time_zone); NULL is skipped, infinite times are an error. amount: any finite numeric, also negative; NULL counts as an event without amount; NaN and infinities are an error (22003). No rows give an empty history.';

CREATE FUNCTION customer_history_merge(customer_history, customer_history) RETURNS customer_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_merge(customer_history, customer_history) IS
'the events of both histories; days that both have are added up; NULL counts as nothing';

CREATE OPERATOR || (
	LEFTARG = customer_history, RIGHTARG = customer_history, FUNCTION = customer_history_merge,
	COMMUTATOR = ||
);
COMMENT ON OPERATOR || (customer_history, customer_history) IS 'the events of both histories; NULL counts as nothing';

CREATE FUNCTION customer_history_rollup(customer_history, customer_history) RETURNS customer_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_rollup(customer_history, customer_history) IS 'part of rollup(): a history or a state more';

CREATE FUNCTION customer_history_rollup_final(customer_history) RETURNS customer_history
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_rollup_final(customer_history) IS 'part of rollup(): the history of a state';

CREATE AGGREGATE rollup(customer_history) (
	SFUNC = customer_history_rollup,
	STYPE = customer_history,
	FINALFUNC = customer_history_rollup_final,
	COMBINEFUNC = customer_history_rollup,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(customer_history) IS
'the events of all histories; days that several have are added up; NULL without rows';

CREATE FUNCTION history_days(history customer_history)
	RETURNS TABLE (day date, events bigint, amount numeric)
	AS 'MODULE_PATHNAME', 'history_days' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION history_days(customer_history) IS
'one row an active day, ascending: its events, and the sum of their amounts as sum(numeric) gives it, NULL if none had one';

CREATE FUNCTION history_until(history customer_history, day date)
	RETURNS customer_history
	AS 'MODULE_PATHNAME', 'history_until' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION history_until(customer_history, date) IS
'the history as it was known at the end of a day: its days up to and including that one';

CREATE FUNCTION history_since(history customer_history, day date)
	RETURNS customer_history
	AS 'MODULE_PATHNAME', 'history_since' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION history_since(customer_history, date) IS
'the days of a history from a day on, including it';

CREATE FUNCTION first_day(history customer_history)
	RETURNS date
	AS 'MODULE_PATHNAME', 'history_first_day' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION first_day(customer_history) IS
'first active day; NULL if there is none';

CREATE FUNCTION last_day(history customer_history)
	RETURNS date
	AS 'MODULE_PATHNAME', 'history_last_day' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION last_day(customer_history) IS
'last active day; NULL if there is none';

CREATE FUNCTION active_days(history customer_history)
	RETURNS bigint
	AS 'MODULE_PATHNAME', 'history_active_days' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION active_days(customer_history) IS
'number of active days';

CREATE FUNCTION events(history customer_history)
	RETURNS bigint
	AS 'MODULE_PATHNAME', 'history_events' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION events(customer_history) IS
'number of events';

CREATE FUNCTION total_amount(history customer_history)
	RETURNS numeric
	AS 'MODULE_PATHNAME', 'history_total_amount' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION total_amount(customer_history) IS
'sum of all amounts, to the last digit and scale of sum(numeric); NULL if no event had one';

CREATE FUNCTION rfm(history customer_history, as_of date DEFAULT NULL, unit text DEFAULT 'day')
	RETURNS TABLE (frequency bigint, recency double precision, age double precision,
		monetary_value numeric)
	AS 'MODULE_PATHNAME', 'history_rfm' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION rfm(customer_history, date, text) IS
'the sufficient statistics of buy-till-you-die models (Fader, Hardie and Lee 2005), from the days up to as_of (NULL = the last active day): frequency x = active days after the first; recency t_x = first to last active day; age T = first active day to as_of; monetary_value = mean amount of the repeat days that have one, NULL without. unit: ''day'', ''week'', ''month'' (30.4375 days), ''quarter'' (91.3125), ''year'' (365.25). All NULL when no day is active by as_of.';

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
'cohort_table of calendar periods from customer histories. Cohort = calendar period of the first active day. One history a customer: histories of the same customer must be merged first, with rollup(). NULL and empty histories are skipped. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''year''. Zero rows give an empty table. The same table as cohort_retention(customer, day, ...) over all days of the histories; its clock is that of the days.';

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
'cohort_table of rolling windows from customer histories. Cohort = calendar period of the first active day. One history a customer: histories of the same customer must be merged first, with rollup(). NULL and empty histories are skipped. period: ''hour'', ''day'', ''week'', ''week:sunday'' .., ''month'', ''quarter'', ''year''. return_window: positive interval; window k of a customer is first day + k * interval up to first day + (k + 1) * interval. Zero rows give an empty table. The same table as cohort_retention(customer, day, ...) over all days of the histories; its clock is that of the days.';
