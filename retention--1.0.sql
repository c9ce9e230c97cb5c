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

-- ---------------------------------------------------------------------------
-- clv_model: a model of purchases, perhaps of spend, and how it was fitted
-- ---------------------------------------------------------------------------

CREATE TYPE clv_model;

CREATE FUNCTION clv_model_in(cstring) RETURNS clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_in(cstring) IS
'clv_model from its text form (base64 of its bytes), validated in full; 22P02 if it is no canonical value';

CREATE FUNCTION clv_model_out(clv_model) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_out(clv_model) IS
'text form of a clv_model: base64 of its bytes, lossless and free of any setting';

CREATE FUNCTION clv_model_recv(internal) RETURNS clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_recv(internal) IS
'clv_model from its binary form, validated in full; 22P03 if it is no canonical value';

CREATE FUNCTION clv_model_send(clv_model) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_send(clv_model) IS
'binary form of a clv_model: its bytes, the same on every architecture';

CREATE TYPE clv_model (
	INTERNALLENGTH = VARIABLE,
	INPUT = clv_model_in,
	OUTPUT = clv_model_out,
	RECEIVE = clv_model_recv,
	SEND = clv_model_send,
	STORAGE = extended
);
COMMENT ON TYPE clv_model IS
'a model of purchases and perhaps of spend: parameters by name, their covariance, log-likelihood, whether the fit converged; made by clv_model(), read by clv_parameters(), clv_covariance(), clv_fit(), and by all predictions; equal models have equal bytes';

CREATE FUNCTION clv_model_eq(clv_model, clv_model) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_eq(clv_model, clv_model) IS
'are two models the same: parameters, covariance and fit, to the last bit';

CREATE FUNCTION clv_model_ne(clv_model, clv_model) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_ne(clv_model, clv_model) IS
'do two models differ in any parameter, covariance or figure of the fit';

CREATE FUNCTION clv_model_hash(clv_model) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_hash(clv_model) IS
'hash of a clv_model, for GROUP BY and DISTINCT';

CREATE FUNCTION clv_model_hash_extended(clv_model, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_hash_extended(clv_model, bigint) IS
'hash of a clv_model with a seed, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = clv_model, RIGHTARG = clv_model, FUNCTION = clv_model_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (clv_model, clv_model) IS 'same parameters, covariance and fit';

CREATE OPERATOR <> (
	LEFTARG = clv_model, RIGHTARG = clv_model, FUNCTION = clv_model_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (clv_model, clv_model) IS 'different parameters, covariance or fit';

CREATE OPERATOR CLASS clv_model_ops DEFAULT FOR TYPE clv_model USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 clv_model_hash(clv_model),
	FUNCTION 2 clv_model_hash_extended(clv_model, bigint);
COMMENT ON OPERATOR CLASS clv_model_ops USING hash IS 'lets models be grouped, made distinct and hash-joined';
COMMENT ON OPERATOR FAMILY clv_model_ops USING hash IS 'hashing of models';

CREATE FUNCTION clv_model_to_jsonb(clv_model) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_to_jsonb(clv_model) IS
'a clv_model as JSON: unit, as_of, and for purchases and spend the parameters by name, covariance, log-likelihood, n, iterations, gradient norm, converged and the reason if not';

CREATE CAST (clv_model AS jsonb) WITH FUNCTION clv_model_to_jsonb(clv_model);
COMMENT ON CAST (clv_model AS jsonb) IS 'everything a clv_model holds, readable';

CREATE FUNCTION clv_model(model text, parameters jsonb, unit text DEFAULT 'day', as_of date DEFAULT NULL, covariance double precision[] DEFAULT NULL, spend_covariance double precision[] DEFAULT NULL)
	RETURNS clv_model
	AS 'MODULE_PATHNAME', 'clv_model_by_hand' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model(text, jsonb, text, date, double precision[], double precision[]) IS
'a clv_model by hand, say from published parameters. model: ''bg_nbd'' (r, alpha, a, b), ''mbg_nbd'' (r, alpha, a, b), ''pareto_nbd'' (r, alpha, s, beta), ''nbd'' (r, alpha), ''bg_bb'' (alpha, beta, gamma, delta), ''sbg'' (alpha, beta), ''bdw'' (alpha, beta, c); parameters: a JSON object of them by name, all above 0, and p, q, v for Gamma-Gamma spend. unit: that of the parameters, ''day'', ''week'', ''month'' (30.4375 days), ''quarter'', ''year'' (365.25). as_of: the day until which customers were seen, a default for predictions over histories. covariance: of the parameters in that order, for standard errors; NULL = not known. 22023 for a name or number that is wrong. NULL for a NULL model or NULL parameters.';

CREATE FUNCTION clv_model(model text, parameters text, unit text DEFAULT 'day', as_of date DEFAULT NULL, covariance double precision[] DEFAULT NULL, spend_covariance double precision[] DEFAULT NULL)
	RETURNS clv_model
	AS 'MODULE_PATHNAME', 'clv_model_by_hand_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model(text, text, text, date, double precision[], double precision[]) IS
'a clv_model by hand, say from published parameters. model: ''bg_nbd'' (r, alpha, a, b), ''mbg_nbd'' (r, alpha, a, b), ''pareto_nbd'' (r, alpha, s, beta), ''nbd'' (r, alpha), ''bg_bb'' (alpha, beta, gamma, delta), ''sbg'' (alpha, beta), ''bdw'' (alpha, beta, c); parameters: a JSON object of them by name, all above 0, and p, q, v for Gamma-Gamma spend. unit: that of the parameters, ''day'', ''week'', ''month'' (30.4375 days), ''quarter'', ''year'' (365.25). as_of: the day until which customers were seen, a default for predictions over histories. covariance: of the parameters in that order, for standard errors; NULL = not known. 22023 for a name or number that is wrong. NULL for a NULL model or NULL parameters.';

CREATE FUNCTION clv_parameters(model clv_model, confidence double precision DEFAULT 0.95) RETURNS TABLE (parameter text, estimate double precision, standard_error double precision,
		low double precision, high double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 7;
COMMENT ON FUNCTION clv_parameters(clv_model, double precision) IS
'one row a parameter, those of purchases, then p, q, v of spend: maximum likelihood estimate, standard error (inverse observed information), and Wald limits in the logarithm of the parameter. NULL where not known: parameters by hand without covariance, fits that are not at a maximum. confidence: between 0 and 1.';

CREATE FUNCTION clv_covariance(model clv_model) RETURNS TABLE (parameter text, other text, covariance double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 25;
COMMENT ON FUNCTION clv_covariance(clv_model) IS
'covariance of each two parameters: the inverse of the observed information; purchases and spend are fitted apart, and have no covariance with each other. NULL where not known.';

CREATE FUNCTION clv_fit(model clv_model) RETURNS TABLE (purchase_model text, spend_model text, unit text, as_of date,
		n bigint, log_likelihood double precision, aic double precision, bic double precision,
		spend_frequency_correlation double precision, correlation_warning boolean,
		converged boolean, reason text, iterations integer, gradient_norm double precision,
		skipped bigint, spend_n bigint, spend_log_likelihood double precision,
		spend_aic double precision, spend_bic double precision, spend_left_out bigint,
		spend_iterations integer, spend_gradient_norm double precision, spend_converged boolean)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION clv_fit(clv_model) IS
'how good a fit is, in one row. n: customers; log_likelihood: in the model''s unit of time, without terms that the published likelihoods drop; aic = 2 k - 2 lnL, bic = k ln n - 2 lnL; spend_frequency_correlation: Pearson, of repeat buyers, correlation_warning where it is beyond 0.3 either way (the spend model assumes independence); converged: both fits are at a maximum inside, with the reason if not; gradient_norm: largest derivative of lnL by the logarithm of a parameter, per customer; skipped: rows with a NULL; spend_left_out: repeat buyers whose mean spend is not positive. NULL where it does not apply: a model by hand has no fit.';

-- ---------------------------------------------------------------------------
-- clv_model(): from customers to a clv_model
--
-- The state is a flat sample of type bytea: a concrete type, so that
-- partition-wise, parallel and distributed plans can split the aggregate.

CREATE FUNCTION clv_model_combine(bytea, bytea) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_combine(bytea, bytea) IS
'part of clv_model(): two states as one';

CREATE FUNCTION clv_model_final(bytea) RETURNS clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_final(bytea) IS
'part of clv_model(): the fit of a state';

CREATE FUNCTION clv_model_history_trans(bytea, customer_history) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_history_trans(bytea, customer_history) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(history customer_history) (
	SFUNC = clv_model_history_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(customer_history) IS
'a model fitted to customers by maximum likelihood, one history a customer: x = active days after the first, t_x = first to last, T = first day to as_of, spend = mean amount of the repeat days that have one. As of the latest day of all histories. Discrete and contract models count calendar periods of the unit that had ended at as_of, which they need. NULL histories are skipped and counted, customers without a day by as_of left out. model: ''bg_nbd'' (default; Fader, Hardie and Lee 2005), ''mbg_nbd'' (Batislam, Denizel and Filiztekin 2007), ''pareto_nbd'' (Schmittlein, Morrison and Colombo 1987), ''nbd'' (Ehrenberg 1959), ''bg_bb'' (Fader, Hardie and Shang 2010), ''sbg'' (Fader and Hardie 2007), ''bdw'' (Fader, Hardie, Liu, Davin and Steenburgh 2018). spend_model: ''gamma_gamma'' (default; Fader, Hardie and Lee 2005) or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged.';

CREATE FUNCTION clv_model_history_trans(bytea, customer_history, date) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_history_trans(bytea, customer_history, date) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(history customer_history, as_of date) (
	SFUNC = clv_model_history_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(customer_history, date) IS
'a model fitted to customers by maximum likelihood, one history a customer: x = active days after the first, t_x = first to last, T = first day to as_of, spend = mean amount of the repeat days that have one. as_of: the day until which histories are complete, days after it are not looked at; NULL = the latest day of all. Discrete and contract models count calendar periods of the unit that had ended at as_of, which they need. NULL histories are skipped and counted, customers without a day by as_of left out. model: ''bg_nbd'' (default; Fader, Hardie and Lee 2005), ''mbg_nbd'' (Batislam, Denizel and Filiztekin 2007), ''pareto_nbd'' (Schmittlein, Morrison and Colombo 1987), ''nbd'' (Ehrenberg 1959), ''bg_bb'' (Fader, Hardie and Shang 2010), ''sbg'' (Fader and Hardie 2007), ''bdw'' (Fader, Hardie, Liu, Davin and Steenburgh 2018). spend_model: ''gamma_gamma'' (default; Fader, Hardie and Lee 2005) or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged.';

CREATE FUNCTION clv_model_history_trans(bytea, customer_history, date, text) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_history_trans(bytea, customer_history, date, text) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(history customer_history, as_of date, model text) (
	SFUNC = clv_model_history_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(customer_history, date, text) IS
'a model fitted to customers by maximum likelihood, one history a customer: x = active days after the first, t_x = first to last, T = first day to as_of, spend = mean amount of the repeat days that have one. as_of: the day until which histories are complete, days after it are not looked at; NULL = the latest day of all. Discrete and contract models count calendar periods of the unit that had ended at as_of, which they need. NULL histories are skipped and counted, customers without a day by as_of left out. model: ''bg_nbd'' (default; Fader, Hardie and Lee 2005), ''mbg_nbd'' (Batislam, Denizel and Filiztekin 2007), ''pareto_nbd'' (Schmittlein, Morrison and Colombo 1987), ''nbd'' (Ehrenberg 1959), ''bg_bb'' (Fader, Hardie and Shang 2010), ''sbg'' (Fader and Hardie 2007), ''bdw'' (Fader, Hardie, Liu, Davin and Steenburgh 2018). spend_model: ''gamma_gamma'' (default; Fader, Hardie and Lee 2005) or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged.';

CREATE FUNCTION clv_model_history_trans(bytea, customer_history, date, text, text) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_history_trans(bytea, customer_history, date, text, text) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(history customer_history, as_of date, model text, spend_model text) (
	SFUNC = clv_model_history_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(customer_history, date, text, text) IS
'a model fitted to customers by maximum likelihood, one history a customer: x = active days after the first, t_x = first to last, T = first day to as_of, spend = mean amount of the repeat days that have one. as_of: the day until which histories are complete, days after it are not looked at; NULL = the latest day of all. Discrete and contract models count calendar periods of the unit that had ended at as_of, which they need. NULL histories are skipped and counted, customers without a day by as_of left out. model: ''bg_nbd'' (default; Fader, Hardie and Lee 2005), ''mbg_nbd'' (Batislam, Denizel and Filiztekin 2007), ''pareto_nbd'' (Schmittlein, Morrison and Colombo 1987), ''nbd'' (Ehrenberg 1959), ''bg_bb'' (Fader, Hardie and Shang 2010), ''sbg'' (Fader and Hardie 2007), ''bdw'' (Fader, Hardie, Liu, Davin and Steenburgh 2018). spend_model: ''gamma_gamma'' (default; Fader, Hardie and Lee 2005) or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged.';

CREATE FUNCTION clv_model_history_trans(bytea, customer_history, date, text, text, text) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_history_trans(bytea, customer_history, date, text, text, text) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(history customer_history, as_of date, model text, spend_model text, unit text) (
	SFUNC = clv_model_history_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(customer_history, date, text, text, text) IS
'a model fitted to customers by maximum likelihood, one history a customer: x = active days after the first, t_x = first to last, T = first day to as_of, spend = mean amount of the repeat days that have one. as_of: the day until which histories are complete, days after it are not looked at; NULL = the latest day of all. Discrete and contract models count calendar periods of the unit that had ended at as_of, which they need. NULL histories are skipped and counted, customers without a day by as_of left out. model: ''bg_nbd'' (default; Fader, Hardie and Lee 2005), ''mbg_nbd'' (Batislam, Denizel and Filiztekin 2007), ''pareto_nbd'' (Schmittlein, Morrison and Colombo 1987), ''nbd'' (Ehrenberg 1959), ''bg_bb'' (Fader, Hardie and Shang 2010), ''sbg'' (Fader and Hardie 2007), ''bdw'' (Fader, Hardie, Liu, Davin and Steenburgh 2018). spend_model: ''gamma_gamma'' (default; Fader, Hardie and Lee 2005) or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged.';

CREATE FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(frequency double precision, recency double precision, age double precision) (
	SFUNC = clv_model_summary_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(double precision, double precision, double precision) IS
'a model fitted to customers by maximum likelihood, one row a customer as rfm() gives it: frequency = repeat purchases, recency = time of the last and age = time until today since the first purchase, both in the unit; purchases alone, without spend. Contract models: recency = renewals made, equal to age while the customer is there. Rows with a NULL frequency, recency or age are skipped and counted. 22023, with the values of the row: negative, NaN or infinite numbers, recency above age, a frequency that is not whole, recency without frequency, monetary_value missing where frequency is above 0. model: ''bg_nbd'' (default; Fader, Hardie and Lee 2005), ''mbg_nbd'' (Batislam, Denizel and Filiztekin 2007), ''pareto_nbd'' (Schmittlein, Morrison and Colombo 1987), ''nbd'' (Ehrenberg 1959), ''bg_bb'' (Fader, Hardie and Shang 2010), ''sbg'' (Fader and Hardie 2007), ''bdw'' (Fader, Hardie, Liu, Davin and Steenburgh 2018). spend_model: ''gamma_gamma'' (default; Fader, Hardie and Lee 2005) or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged.';

CREATE FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision, double precision) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision, double precision) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(frequency double precision, recency double precision, age double precision, monetary_value double precision) (
	SFUNC = clv_model_summary_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(double precision, double precision, double precision, double precision) IS
'a model fitted to customers by maximum likelihood, one row a customer as rfm() gives it: frequency = repeat purchases, recency = time of the last and age = time until today since the first purchase, both in the unit, monetary_value = mean spend of the repeat purchases, not looked at where frequency is 0; not positive: left out of the spend model, and counted. Contract models: recency = renewals made, equal to age while the customer is there. Rows with a NULL frequency, recency or age are skipped and counted. 22023, with the values of the row: negative, NaN or infinite numbers, recency above age, a frequency that is not whole, recency without frequency, monetary_value missing where frequency is above 0. model: ''bg_nbd'' (default; Fader, Hardie and Lee 2005), ''mbg_nbd'' (Batislam, Denizel and Filiztekin 2007), ''pareto_nbd'' (Schmittlein, Morrison and Colombo 1987), ''nbd'' (Ehrenberg 1959), ''bg_bb'' (Fader, Hardie and Shang 2010), ''sbg'' (Fader and Hardie 2007), ''bdw'' (Fader, Hardie, Liu, Davin and Steenburgh 2018). spend_model: ''gamma_gamma'' (default; Fader, Hardie and Lee 2005) or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged.';

CREATE FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision, double precision, text) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision, double precision, text) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(frequency double precision, recency double precision, age double precision, monetary_value double precision, model text) (
	SFUNC = clv_model_summary_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(double precision, double precision, double precision, double precision, text) IS
'a model fitted to customers by maximum likelihood, one row a customer as rfm() gives it: frequency = repeat purchases, recency = time of the last and age = time until today since the first purchase, both in the unit, monetary_value = mean spend of the repeat purchases, not looked at where frequency is 0; not positive: left out of the spend model, and counted. Contract models: recency = renewals made, equal to age while the customer is there. Rows with a NULL frequency, recency or age are skipped and counted. 22023, with the values of the row: negative, NaN or infinite numbers, recency above age, a frequency that is not whole, recency without frequency, monetary_value missing where frequency is above 0. model: ''bg_nbd'' (default; Fader, Hardie and Lee 2005), ''mbg_nbd'' (Batislam, Denizel and Filiztekin 2007), ''pareto_nbd'' (Schmittlein, Morrison and Colombo 1987), ''nbd'' (Ehrenberg 1959), ''bg_bb'' (Fader, Hardie and Shang 2010), ''sbg'' (Fader and Hardie 2007), ''bdw'' (Fader, Hardie, Liu, Davin and Steenburgh 2018). spend_model: ''gamma_gamma'' (default; Fader, Hardie and Lee 2005) or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged.';

CREATE FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision, double precision, text, text) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision, double precision, text, text) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(frequency double precision, recency double precision, age double precision, monetary_value double precision, model text, spend_model text) (
	SFUNC = clv_model_summary_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(double precision, double precision, double precision, double precision, text, text) IS
'a model fitted to customers by maximum likelihood, one row a customer as rfm() gives it: frequency = repeat purchases, recency = time of the last and age = time until today since the first purchase, both in the unit, monetary_value = mean spend of the repeat purchases, not looked at where frequency is 0; not positive: left out of the spend model, and counted. Contract models: recency = renewals made, equal to age while the customer is there. Rows with a NULL frequency, recency or age are skipped and counted. 22023, with the values of the row: negative, NaN or infinite numbers, recency above age, a frequency that is not whole, recency without frequency, monetary_value missing where frequency is above 0. model: ''bg_nbd'' (default; Fader, Hardie and Lee 2005), ''mbg_nbd'' (Batislam, Denizel and Filiztekin 2007), ''pareto_nbd'' (Schmittlein, Morrison and Colombo 1987), ''nbd'' (Ehrenberg 1959), ''bg_bb'' (Fader, Hardie and Shang 2010), ''sbg'' (Fader and Hardie 2007), ''bdw'' (Fader, Hardie, Liu, Davin and Steenburgh 2018). spend_model: ''gamma_gamma'' (default; Fader, Hardie and Lee 2005) or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged.';

CREATE FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision, double precision, text, text, text) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_summary_trans(bytea, double precision, double precision, double precision, double precision, text, text, text) IS
'part of clv_model(): one customer';

CREATE AGGREGATE clv_model(frequency double precision, recency double precision, age double precision, monetary_value double precision, model text, spend_model text, unit text) (
	SFUNC = clv_model_summary_trans,
	STYPE = bytea,
	SSPACE = 4096,
	FINALFUNC = clv_model_final,
	COMBINEFUNC = clv_model_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(double precision, double precision, double precision, double precision, text, text, text) IS
'a model fitted to customers by maximum likelihood, one row a customer as rfm() gives it: frequency = repeat purchases, recency = time of the last and age = time until today since the first purchase, both in the unit, monetary_value = mean spend of the repeat purchases, not looked at where frequency is 0; not positive: left out of the spend model, and counted. Contract models: recency = renewals made, equal to age while the customer is there. Rows with a NULL frequency, recency or age are skipped and counted. 22023, with the values of the row: negative, NaN or infinite numbers, recency above age, a frequency that is not whole, recency without frequency, monetary_value missing where frequency is above 0. model: ''bg_nbd'' (default; Fader, Hardie and Lee 2005), ''mbg_nbd'' (Batislam, Denizel and Filiztekin 2007), ''pareto_nbd'' (Schmittlein, Morrison and Colombo 1987), ''nbd'' (Ehrenberg 1959), ''bg_bb'' (Fader, Hardie and Shang 2010), ''sbg'' (Fader and Hardie 2007), ''bdw'' (Fader, Hardie, Liu, Davin and Steenburgh 2018). spend_model: ''gamma_gamma'' (default; Fader, Hardie and Lee 2005) or ''none''. unit: ''day'' (default), ''week'', ''month'' (30.4375 days), ''quarter'', ''year''. model, spend_model and unit must be the same in all rows; NULL stands for the default. NULL without rows; see clv_fit() for whether it converged.';

-- ---------------------------------------------------------------------------
-- predictions: from a model and one customer
-- ---------------------------------------------------------------------------

CREATE FUNCTION p_alive(model clv_model, history customer_history, as_of date DEFAULT NULL, ahead interval DEFAULT '0')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_p_alive_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_alive(clv_model, customer_history, date, interval) IS
'P(alive): the probability that the customer will still buy, now (as_of, or age), or later by ahead. Not the probability that he comes back: one-time buyers of BG/NBD are alive for sure; see p_no_purchase(). customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. Contracts: alive while recency = age. NULL for NULL arguments and for customers without a day by as_of. Source: of each model''s paper.';

CREATE FUNCTION p_alive(model clv_model, frequency double precision, recency double precision, age double precision, ahead interval DEFAULT '0')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_p_alive' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_alive(clv_model, double precision, double precision, double precision, interval) IS
'P(alive): the probability that the customer will still buy, now (as_of, or age), or later by ahead. Not the probability that he comes back: one-time buyers of BG/NBD are alive for sure; see p_no_purchase(). customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. Contracts: alive while recency = age. NULL for NULL arguments and for customers without a day by as_of. Source: of each model''s paper.';

CREATE FUNCTION p_alive_se(model clv_model, history customer_history, as_of date DEFAULT NULL, ahead interval DEFAULT '0')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_p_alive_se_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_alive_se(clv_model, customer_history, date, interval) IS
'standard error of p_alive() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION p_alive_se(model clv_model, frequency double precision, recency double precision, age double precision, ahead interval DEFAULT '0')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_p_alive_se' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_alive_se(clv_model, double precision, double precision, double precision, interval) IS
'standard error of p_alive() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION expected_purchases(model clv_model, history customer_history, as_of date DEFAULT NULL, horizon interval DEFAULT '12 months')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_expected_purchases_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_purchases(clv_model, customer_history, date, interval) IS
'E[number of purchases in the next horizon], given what the customer did. A new customer has frequency, recency and age 0. Months of horizon are 30.4375 days; discrete models count whole periods. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. NULL for NULL arguments and for customers without a day by as_of. Source: the conditional expectations of each model''s paper; BG/NBD and MBG/NBD as an expectation over the dropout probability, without 2F1.';

CREATE FUNCTION expected_purchases(model clv_model, frequency double precision, recency double precision, age double precision, horizon interval DEFAULT '12 months')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_expected_purchases' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_purchases(clv_model, double precision, double precision, double precision, interval) IS
'E[number of purchases in the next horizon], given what the customer did. A new customer has frequency, recency and age 0. Months of horizon are 30.4375 days; discrete models count whole periods. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. NULL for NULL arguments and for customers without a day by as_of. Source: the conditional expectations of each model''s paper; BG/NBD and MBG/NBD as an expectation over the dropout probability, without 2F1.';

CREATE FUNCTION expected_purchases_se(model clv_model, history customer_history, as_of date DEFAULT NULL, horizon interval DEFAULT '12 months')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_expected_purchases_se_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_purchases_se(clv_model, customer_history, date, interval) IS
'standard error of expected_purchases() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION expected_purchases_se(model clv_model, frequency double precision, recency double precision, age double precision, horizon interval DEFAULT '12 months')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_expected_purchases_se' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_purchases_se(clv_model, double precision, double precision, double precision, interval) IS
'standard error of expected_purchases() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION p_no_purchase(model clv_model, history customer_history, as_of date DEFAULT NULL, horizon interval DEFAULT '12 months')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_p_no_purchase_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_no_purchase(clv_model, customer_history, date, interval) IS
'P(no purchase in the next horizon): the measure of churn in a business without contracts, for it says what will be seen. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. NULL for NULL arguments and for customers without a day by as_of. ';

CREATE FUNCTION p_no_purchase(model clv_model, frequency double precision, recency double precision, age double precision, horizon interval DEFAULT '12 months')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_p_no_purchase' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_no_purchase(clv_model, double precision, double precision, double precision, interval) IS
'P(no purchase in the next horizon): the measure of churn in a business without contracts, for it says what will be seen. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. NULL for NULL arguments and for customers without a day by as_of. ';

CREATE FUNCTION p_no_purchase_se(model clv_model, history customer_history, as_of date DEFAULT NULL, horizon interval DEFAULT '12 months')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_p_no_purchase_se_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_no_purchase_se(clv_model, customer_history, date, interval) IS
'standard error of p_no_purchase() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION p_no_purchase_se(model clv_model, frequency double precision, recency double precision, age double precision, horizon interval DEFAULT '12 months')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_p_no_purchase_se' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION p_no_purchase_se(clv_model, double precision, double precision, double precision, interval) IS
'standard error of p_no_purchase() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION purchase_distribution(model clv_model, history customer_history, as_of date, horizon interval, purchases integer)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_purchase_distribution_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION purchase_distribution(clv_model, customer_history, date, interval, integer) IS
'P(exactly so many purchases in the next horizon); over all numbers of purchases they sum to 1. A new customer has frequency, recency and age 0. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. NULL for NULL arguments and for customers without a day by as_of. 22023 for fewer than 0 purchases.';

CREATE FUNCTION purchase_distribution(model clv_model, frequency double precision, recency double precision, age double precision, horizon interval, purchases integer)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_purchase_distribution' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION purchase_distribution(clv_model, double precision, double precision, double precision, interval, integer) IS
'P(exactly so many purchases in the next horizon); over all numbers of purchases they sum to 1. A new customer has frequency, recency and age 0. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. NULL for NULL arguments and for customers without a day by as_of. 22023 for fewer than 0 purchases.';

CREATE FUNCTION purchase_distribution_se(model clv_model, history customer_history, as_of date, horizon interval, purchases integer)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_purchase_distribution_se_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION purchase_distribution_se(clv_model, customer_history, date, interval, integer) IS
'standard error of purchase_distribution() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION purchase_distribution_se(model clv_model, frequency double precision, recency double precision, age double precision, horizon interval, purchases integer)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_purchase_distribution_se' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION purchase_distribution_se(clv_model, double precision, double precision, double precision, interval, integer) IS
'standard error of purchase_distribution() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION expected_spend(model clv_model, history customer_history, as_of date DEFAULT NULL)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_spend_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_spend(clv_model, customer_history, date) IS
'E[spend per purchase], given the customer''s mean. frequency 0, no amount or a mean that is not positive: that of the population, p v / (q - 1). NULL where it is infinite (q <= 1). Fader, Hardie and Lee (2005). customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. NULL for NULL arguments and for customers without a day by as_of. ';

CREATE FUNCTION expected_spend(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_spend' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_spend(clv_model, double precision, double precision, double precision, double precision) IS
'E[spend per purchase], given the customer''s mean. frequency 0, no amount or a mean that is not positive: that of the population, p v / (q - 1). NULL where it is infinite (q <= 1). Fader, Hardie and Lee (2005). customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. NULL for NULL arguments and for customers without a day by as_of. ';

CREATE FUNCTION expected_spend_se(model clv_model, history customer_history, as_of date DEFAULT NULL)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_spend_se_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_spend_se(clv_model, customer_history, date) IS
'standard error of expected_spend() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION expected_spend_se(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_spend_se' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION expected_spend_se(clv_model, double precision, double precision, double precision, double precision) IS
'standard error of expected_spend() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION clv(model clv_model, history customer_history, as_of date DEFAULT NULL, horizon interval DEFAULT '12 months', discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1, step interval DEFAULT '1 month')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_value_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv(clv_model, customer_history, date, interval, double precision, double precision, interval) IS
'customer lifetime value over the next horizon: the sum over its steps of E[purchases in the step] * expected_spend() * margin, each discounted from the end of the step at (1 + discount_rate)^-(years). discount_rate: annual, 0.10 = 10%. margin: share of spend that is kept. step: when cash is counted, the last one may be shorter. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. spend: with Gamma-Gamma the mean of the population and the customer''s own, weighted; without a spend model the customer''s own, from histories without repeat purchases that of the first one. NULL where the spend is not known. NULL for NULL arguments and for customers without a day by as_of. ';

CREATE FUNCTION clv(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval DEFAULT '12 months', discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1, step interval DEFAULT '1 month')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_value' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv(clv_model, double precision, double precision, double precision, double precision, interval, double precision, double precision, interval) IS
'customer lifetime value over the next horizon: the sum over its steps of E[purchases in the step] * expected_spend() * margin, each discounted from the end of the step at (1 + discount_rate)^-(years). discount_rate: annual, 0.10 = 10%. margin: share of spend that is kept. step: when cash is counted, the last one may be shorter. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. spend: with Gamma-Gamma the mean of the population and the customer''s own, weighted; without a spend model the customer''s own, from histories without repeat purchases that of the first one. NULL where the spend is not known. NULL for NULL arguments and for customers without a day by as_of. ';

CREATE FUNCTION clv_se(model clv_model, history customer_history, as_of date DEFAULT NULL, horizon interval DEFAULT '12 months', discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1, step interval DEFAULT '1 month')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_value_se_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_se(clv_model, customer_history, date, interval, double precision, double precision, interval) IS
'standard error of clv() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION clv_se(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval DEFAULT '12 months', discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1, step interval DEFAULT '1 month')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_value_se' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION clv_se(clv_model, double precision, double precision, double precision, double precision, interval, double precision, double precision, interval) IS
'standard error of clv() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION residual_lifetime_value(model clv_model, history customer_history, as_of date DEFAULT NULL, discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_residual_value_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION residual_lifetime_value(clv_model, customer_history, date, double precision, double precision) IS
'value of all purchases to come, without horizon: discounted expected residual transactions (DERT; Fader, Hardie and Lee 2005), discounted continuously at ln(1 + discount_rate) a year, or period by period for discrete models, times expected_spend() and margin. discount_rate: annual, 0.10 = 10%; 0: NULL where the sum is infinite. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. spend: with Gamma-Gamma the mean of the population and the customer''s own, weighted; without a spend model the customer''s own, from histories without repeat purchases that of the first one. NULL for NULL arguments and for customers without a day by as_of. ';

CREATE FUNCTION residual_lifetime_value(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_residual_value' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION residual_lifetime_value(clv_model, double precision, double precision, double precision, double precision, double precision, double precision) IS
'value of all purchases to come, without horizon: discounted expected residual transactions (DERT; Fader, Hardie and Lee 2005), discounted continuously at ln(1 + discount_rate) a year, or period by period for discrete models, times expected_spend() and margin. discount_rate: annual, 0.10 = 10%; 0: NULL where the sum is infinite. customer: a history and as_of (NULL = the model''s own), or frequency, recency and age in the model''s unit. spend: with Gamma-Gamma the mean of the population and the customer''s own, weighted; without a spend model the customer''s own, from histories without repeat purchases that of the first one. NULL for NULL arguments and for customers without a day by as_of. ';

CREATE FUNCTION residual_lifetime_value_se(model clv_model, history customer_history, as_of date DEFAULT NULL, discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_residual_value_se_history' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION residual_lifetime_value_se(clv_model, customer_history, date, double precision, double precision) IS
'standard error of residual_lifetime_value() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

CREATE FUNCTION residual_lifetime_value_se(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_residual_value_se' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION residual_lifetime_value_se(clv_model, double precision, double precision, double precision, double precision, double precision, double precision) IS
'standard error of residual_lifetime_value() by the delta method, from the covariance of the parameters; NULL where that is not known. Arguments as there.';

-- ---------------------------------------------------------------------------
-- clv() OVER: fit and predict at once
-- ---------------------------------------------------------------------------

CREATE FUNCTION clv(history customer_history, as_of date DEFAULT NULL, horizon interval DEFAULT '12 months', discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1, model text DEFAULT 'bg_nbd', spend_model text DEFAULT 'gamma_gamma', unit text DEFAULT 'day', step interval DEFAULT '1 month')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_window_history' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv(customer_history, date, interval, double precision, double precision, text, text, text, interval) IS
'customer lifetime value, fitted and predicted at once: a window function that fits a model of purchases and one of spend to the customers of each partition and gives each its clv(); the frame and order of the window do not matter. A partition that cannot be fitted (too few customers, nobody came back, a parameter without bound) gives NULLs and one NOTICE with the reason. as_of: the day until which histories are complete; NULL = the latest day of the partition. horizon, discount_rate, margin, step: as in clv(model, ...); model, spend_model, unit: as in clv_model(); all must be constant in a partition. NULL for NULL customers.';

CREATE FUNCTION clv(frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval DEFAULT '12 months', discount_rate double precision DEFAULT 0.10, margin double precision DEFAULT 1, model text DEFAULT 'bg_nbd', spend_model text DEFAULT 'gamma_gamma', unit text DEFAULT 'day', step interval DEFAULT '1 month')
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_window_summary' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv(double precision, double precision, double precision, double precision, interval, double precision, double precision, text, text, text, interval) IS
'customer lifetime value, fitted and predicted at once: a window function that fits a model of purchases and one of spend to the customers of each partition and gives each its clv(); the frame and order of the window do not matter. A partition that cannot be fitted (too few customers, nobody came back, a parameter without bound) gives NULLs and one NOTICE with the reason. frequency, recency, age (in the unit) and monetary_value as rfm() gives them. horizon, discount_rate, margin, step: as in clv(model, ...); model, spend_model, unit: as in clv_model(); all must be constant in a partition. NULL for NULL customers.';
-- ---------------------------------------------------------------------------
-- clv_model() from rows of an orders table, in one pass
-- ---------------------------------------------------------------------------

CREATE FUNCTION clv_orders_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_orders_serialize(internal) IS 'part of clv_model() over orders: a state for another process';

CREATE FUNCTION clv_orders_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_orders_deserialize(bytea, internal) IS 'part of clv_model() over orders: a state from another process';

CREATE FUNCTION clv_orders_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_orders_combine(internal, internal) IS 'part of clv_model() over orders: two states as one';

CREATE FUNCTION clv_orders_final(internal) RETURNS clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_orders_final(internal) IS 'part of clv_model() over orders: the fitted model of a state';

CREATE FUNCTION clv_orders_trans(internal, anyelement, "any", numeric) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_orders_trans(internal, anyelement, "any", numeric) IS 'part of clv_model() over orders: one row';

CREATE AGGREGATE clv_model(customer anyelement, at "any", amount numeric) (
	SFUNC = clv_orders_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = clv_orders_final,
	COMBINEFUNC = clv_orders_combine,
	SERIALFUNC = clv_orders_serialize,
	DESERIALFUNC = clv_orders_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(anyelement, "any", numeric) IS
'clv_model straight from an orders table, without GROUP BY customer: BG/NBD of purchases and Gamma-Gamma of spend, in days, as of the latest day of the data. customer: any type with a hash operator class; rows whose customer or time is NULL are skipped and counted. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in the session''s TimeZone); infinite times are an error. amount: NULL is an order whose amount is not known; NaN and infinities are an error. The same model as from customer_history(at, amount) of each customer, to the last bit. Parameters must be the same in all rows; NULL stands for the default. NULL without rows.';

CREATE FUNCTION clv_orders_as_of_trans(internal, anyelement, "any", numeric, date) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_orders_as_of_trans(internal, anyelement, "any", numeric, date) IS 'part of clv_model() over orders: one row';

CREATE AGGREGATE clv_model(customer anyelement, at "any", amount numeric, as_of date) (
	SFUNC = clv_orders_as_of_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = clv_orders_final,
	COMBINEFUNC = clv_orders_combine,
	SERIALFUNC = clv_orders_serialize,
	DESERIALFUNC = clv_orders_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(anyelement, "any", numeric, date) IS
'clv_model straight from an orders table, without GROUP BY customer: BG/NBD of purchases and Gamma-Gamma of spend, in days, as of the day as_of; later orders are ignored. customer: any type with a hash operator class; rows whose customer or time is NULL are skipped and counted. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in the session''s TimeZone); infinite times are an error. amount: NULL is an order whose amount is not known; NaN and infinities are an error. The same model as from customer_history(at, amount) of each customer, to the last bit. Parameters must be the same in all rows; NULL stands for the default. NULL without rows.';

CREATE FUNCTION clv_orders_model_trans(internal, anyelement, "any", numeric, date, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_orders_model_trans(internal, anyelement, "any", numeric, date, text) IS 'part of clv_model() over orders: one row';

CREATE AGGREGATE clv_model(customer anyelement, at "any", amount numeric, as_of date, model text) (
	SFUNC = clv_orders_model_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = clv_orders_final,
	COMBINEFUNC = clv_orders_combine,
	SERIALFUNC = clv_orders_serialize,
	DESERIALFUNC = clv_orders_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(anyelement, "any", numeric, date, text) IS
'clv_model straight from an orders table, without GROUP BY customer, as of the day as_of; later orders are ignored. model: ''bg_nbd'', ''mbg_nbd'', ''pareto_nbd'', ''nbd'', ''bg_bb'', ''sbg'' or ''bdw''; Gamma-Gamma of spend; in days. customer: any type with a hash operator class; rows whose customer or time is NULL are skipped and counted. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in the session''s TimeZone); infinite times are an error. amount: NULL is an order whose amount is not known; NaN and infinities are an error. The same model as from customer_history(at, amount) of each customer, to the last bit. Parameters must be the same in all rows; NULL stands for the default. NULL without rows.';

CREATE FUNCTION clv_orders_spend_trans(internal, anyelement, "any", numeric, date, text, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_orders_spend_trans(internal, anyelement, "any", numeric, date, text, text) IS 'part of clv_model() over orders: one row';

CREATE AGGREGATE clv_model(customer anyelement, at "any", amount numeric, as_of date, model text, spend_model text) (
	SFUNC = clv_orders_spend_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = clv_orders_final,
	COMBINEFUNC = clv_orders_combine,
	SERIALFUNC = clv_orders_serialize,
	DESERIALFUNC = clv_orders_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(anyelement, "any", numeric, date, text, text) IS
'clv_model straight from an orders table, without GROUP BY customer, as of the day as_of; later orders are ignored. model: ''bg_nbd'', ''mbg_nbd'', ''pareto_nbd'', ''nbd'', ''bg_bb'', ''sbg'' or ''bdw''. spend_model: ''gamma_gamma'', or ''none'' for purchases alone; in days. customer: any type with a hash operator class; rows whose customer or time is NULL are skipped and counted. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in the session''s TimeZone); infinite times are an error. amount: NULL is an order whose amount is not known; NaN and infinities are an error. The same model as from customer_history(at, amount) of each customer, to the last bit. Parameters must be the same in all rows; NULL stands for the default. NULL without rows.';

CREATE FUNCTION clv_orders_unit_trans(internal, anyelement, "any", numeric, date, text, text, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_orders_unit_trans(internal, anyelement, "any", numeric, date, text, text, text) IS 'part of clv_model() over orders: one row';

CREATE AGGREGATE clv_model(customer anyelement, at "any", amount numeric, as_of date, model text, spend_model text, unit text) (
	SFUNC = clv_orders_unit_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = clv_orders_final,
	COMBINEFUNC = clv_orders_combine,
	SERIALFUNC = clv_orders_serialize,
	DESERIALFUNC = clv_orders_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(anyelement, "any", numeric, date, text, text, text) IS
'clv_model straight from an orders table, without GROUP BY customer, as of the day as_of; later orders are ignored. model: ''bg_nbd'', ''mbg_nbd'', ''pareto_nbd'', ''nbd'', ''bg_bb'', ''sbg'' or ''bdw''. spend_model: ''gamma_gamma'', or ''none'' for purchases alone. unit: ''day'', ''week'', ''month'', ''quarter'' or ''year''; discrete and contract models count its calendar periods that have wholly ended at as_of. customer: any type with a hash operator class; rows whose customer or time is NULL are skipped and counted. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in the session''s TimeZone); infinite times are an error. amount: NULL is an order whose amount is not known; NaN and infinities are an error. The same model as from customer_history(at, amount) of each customer, to the last bit. Parameters must be the same in all rows; NULL stands for the default. NULL without rows.';

CREATE FUNCTION clv_orders_zone_trans(internal, anyelement, "any", numeric, date, text, text, text, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION clv_orders_zone_trans(internal, anyelement, "any", numeric, date, text, text, text, text) IS 'part of clv_model() over orders: one row';

CREATE AGGREGATE clv_model(customer anyelement, at "any", amount numeric, as_of date, model text, spend_model text, unit text, time_zone text) (
	SFUNC = clv_orders_zone_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = clv_orders_final,
	COMBINEFUNC = clv_orders_combine,
	SERIALFUNC = clv_orders_serialize,
	DESERIALFUNC = clv_orders_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(anyelement, "any", numeric, date, text, text, text, text) IS
'clv_model straight from an orders table, without GROUP BY customer, as of the day as_of; later orders are ignored. model: ''bg_nbd'', ''mbg_nbd'', ''pareto_nbd'', ''nbd'', ''bg_bb'', ''sbg'' or ''bdw''. spend_model: ''gamma_gamma'', or ''none'' for purchases alone. unit: ''day'', ''week'', ''month'', ''quarter'' or ''year''; discrete and contract models count its calendar periods that have wholly ended at as_of. customer: any type with a hash operator class; rows whose customer or time is NULL are skipped and counted. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in time_zone); infinite times are an error. amount: NULL is an order whose amount is not known; NaN and infinities are an error. The same model as from customer_history(at, amount) of each customer, to the last bit. Parameters must be the same in all rows; NULL stands for the default. NULL without rows.';

-- ---------------------------------------------------------------------------
-- contracts: survivors, and cohort tables
-- ---------------------------------------------------------------------------

CREATE FUNCTION clv_model_survivors_combine(bytea, bytea) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_survivors_combine(bytea, bytea) IS
'part of clv_model() over survivors: two states as one';

CREATE FUNCTION clv_model_survivors_final(bytea) RETURNS clv_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_survivors_final(bytea) IS
'part of clv_model() over survivors: the fit of a state';

CREATE FUNCTION clv_model_survivors_trans(bytea, integer, bigint, text) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_survivors_trans(bytea, integer, bigint, text) IS
'part of clv_model() over survivors: one period';

CREATE AGGREGATE clv_model(period integer, survivors bigint, model text) (
	SFUNC = clv_model_survivors_trans,
	STYPE = bytea,
	SSPACE = 256,
	FINALFUNC = clv_model_survivors_final,
	COMBINEFUNC = clv_model_survivors_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(integer, bigint, text) IS
'a model of contracts fitted to the survivors of one cohort: period 0, 1, .. and the customers still there then, period 0 being all who began. model: ''sbg'' (shifted beta-geometric; Fader and Hardie 2007) or ''bdw'' (beta-discrete-Weibull; Fader, Hardie, Liu, Davin and Steenburgh 2018). unit of a period: ''day'', ''week'', ''month'', ''quarter'', ''year''; here a year. 22023 for a period that is missing or comes twice, and for survivors that grow. Rows with a NULL period or number are skipped. NULL without rows.';

CREATE FUNCTION clv_model_survivors_trans(bytea, bigint, bigint, text) RETURNS bytea
	AS 'MODULE_PATHNAME', 'clv_model_survivors_trans_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_survivors_trans(bytea, bigint, bigint, text) IS
'part of clv_model() over survivors: one period';

CREATE AGGREGATE clv_model(period bigint, survivors bigint, model text) (
	SFUNC = clv_model_survivors_trans,
	STYPE = bytea,
	SSPACE = 256,
	FINALFUNC = clv_model_survivors_final,
	COMBINEFUNC = clv_model_survivors_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(bigint, bigint, text) IS
'a model of contracts fitted to the survivors of one cohort: period 0, 1, .. and the customers still there then, period 0 being all who began. model: ''sbg'' (shifted beta-geometric; Fader and Hardie 2007) or ''bdw'' (beta-discrete-Weibull; Fader, Hardie, Liu, Davin and Steenburgh 2018). unit of a period: ''day'', ''week'', ''month'', ''quarter'', ''year''; here a year. 22023 for a period that is missing or comes twice, and for survivors that grow. Rows with a NULL period or number are skipped. NULL without rows.';

CREATE FUNCTION clv_model_survivors_trans(bytea, integer, bigint, text, text) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_survivors_trans(bytea, integer, bigint, text, text) IS
'part of clv_model() over survivors: one period';

CREATE AGGREGATE clv_model(period integer, survivors bigint, model text, unit text) (
	SFUNC = clv_model_survivors_trans,
	STYPE = bytea,
	SSPACE = 256,
	FINALFUNC = clv_model_survivors_final,
	COMBINEFUNC = clv_model_survivors_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(integer, bigint, text, text) IS
'a model of contracts fitted to the survivors of one cohort: period 0, 1, .. and the customers still there then, period 0 being all who began. model: ''sbg'' (shifted beta-geometric; Fader and Hardie 2007) or ''bdw'' (beta-discrete-Weibull; Fader, Hardie, Liu, Davin and Steenburgh 2018). unit of a period: ''day'', ''week'', ''month'', ''quarter'', ''year'' (default). 22023 for a period that is missing or comes twice, and for survivors that grow. Rows with a NULL period or number are skipped. NULL without rows.';

CREATE FUNCTION clv_model_survivors_trans(bytea, bigint, bigint, text, text) RETURNS bytea
	AS 'MODULE_PATHNAME', 'clv_model_survivors_trans_bigint' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model_survivors_trans(bytea, bigint, bigint, text, text) IS
'part of clv_model() over survivors: one period';

CREATE AGGREGATE clv_model(period bigint, survivors bigint, model text, unit text) (
	SFUNC = clv_model_survivors_trans,
	STYPE = bytea,
	SSPACE = 256,
	FINALFUNC = clv_model_survivors_final,
	COMBINEFUNC = clv_model_survivors_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_model(bigint, bigint, text, text) IS
'a model of contracts fitted to the survivors of one cohort: period 0, 1, .. and the customers still there then, period 0 being all who began. model: ''sbg'' (shifted beta-geometric; Fader and Hardie 2007) or ''bdw'' (beta-discrete-Weibull; Fader, Hardie, Liu, Davin and Steenburgh 2018). unit of a period: ''day'', ''week'', ''month'', ''quarter'', ''year'' (default). 22023 for a period that is missing or comes twice, and for survivors that grow. Rows with a NULL period or number are skipped. NULL without rows.';

CREATE FUNCTION clv_model(cohorts cohort_table, model text DEFAULT 'sbg', as_of timestamp DEFAULT NULL)
	RETURNS clv_model
	AS 'MODULE_PATHNAME', 'clv_model_cohorts' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_model(cohort_table, text, timestamp) IS
'a model of contracts fitted to all cohorts of a table: each counts with its periods that had wholly ended at as_of (NULL = the latest event), and a customer has left at the first period without activity (measure ''streak''). model: ''sbg'' or ''bdw''. The unit is the table''s period. NULL for NULL and empty tables; 22023 for periods that are no unit, such as hours.';

CREATE FUNCTION contract_survival(model clv_model, period integer)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_contract_survival' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contract_survival(clv_model, integer) IS
'S(t): the share of customers still there after t renewals, of models ''sbg'' and ''bdw''. Fader and Hardie (2007). 22023 for other models.';

CREATE FUNCTION contract_retention(model clv_model, period integer)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_contract_retention' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contract_retention(clv_model, integer) IS
'r(t) = S(t) / S(t - 1): the share of those who were still there that renew at t = 1, 2, .., of models ''sbg'' and ''bdw''. It grows with t, for those who leave early do so early. Fader and Hardie (2007). 22023 for other models.';

CREATE FUNCTION contract_lifetime(model clv_model, renewals integer DEFAULT 0, discount_rate double precision DEFAULT 0.10)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'clv_contract_lifetime' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION contract_lifetime(clv_model, integer, double precision) IS
'discounted expected lifetime in periods, of models ''sbg'' and ''bdw''. renewals = 0: of a new customer, the first period included; n > 0: residual lifetime just before the n-th renewal, which is not discounted. Times the margin of a period it is a value. discount_rate: annual; 0: NULL where the sum is infinite. Fader and Hardie (2010). 22023 for other models.';

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

CREATE FUNCTION retention_elasticity(cohorts cohort_table, margin double precision, discount_rate double precision DEFAULT 0.10, points double precision[] DEFAULT '{0.01,0.05}', as_of timestamp DEFAULT NULL)
	RETURNS TABLE (points double precision, retention double precision, retention_after double precision,
		value double precision, value_after double precision, change double precision, change_percent double precision)
	AS 'MODULE_PATHNAME', 'retention_elasticity_cohorts' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 2;
COMMENT ON FUNCTION retention_elasticity(cohort_table, double precision, double precision, double precision[], timestamp) IS
'what more retention is worth, on your own data: retention is the observed rate of a period, pooled over cohorts and periods: of those who had been active in every period so far, the share who were in the next as well (the ''streak'' measure of retention_curve(); complete cells only; the maximum likelihood estimate of a rate that is the same for all). Rows (points, retention, retention_after, value, value_after, change, change_percent), one for each element of points: 0.05 is five points; retention is raised at most to 1 and lowered at most to 0. margin: money a period. discount_rate: annual, 0.10 = 10%; converted to the period of the table. as_of: wall clock of the table, NULL = the latest event. value: of a customer, as clv_simple(). retention and what follows from it are NULL where no period is complete yet; no rows for a NULL table, margin or discount_rate. One rate for all understates customers who stay long (Fader and Hardie 2010): fit a contract model where that matters. 22023 for discount_rate below 0, points outside of -1 to 1.';

CREATE FUNCTION retention_elasticity(model clv_model, margin double precision DEFAULT 1, discount_rate double precision DEFAULT 0.10, points double precision[] DEFAULT '{0.01,0.05}')
	RETURNS TABLE (points double precision, retention double precision, retention_after double precision,
		value double precision, value_after double precision, change double precision, change_percent double precision)
	AS 'MODULE_PATHNAME', 'retention_elasticity_model' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 2;
COMMENT ON FUNCTION retention_elasticity(clv_model, double precision, double precision, double precision[]) IS
'what more retention is worth to a business with contracts, whose customers differ: value of a new customer, margin * the sum over t = 1, 2, .. of S(t) / (1 + discount)^t, and the same with the retention rate of every renewal raised by so many points, at most to 1 (Fader and Hardie 2007, 2010). Rows (points, retention, retention_after, value, value_after, change, change_percent), one for each element of points: 0.05 is five points; retention is raised at most to 1 and lowered at most to 0. model: ''sbg'' or ''bdw''. margin: money a renewal. discount_rate: annual, 0.10 = 10%; converted to the model''s unit. retention, retention_after: of the first renewal. NULL where a value is infinite (with discount_rate 0 always where points are above 0, since some then stay for ever) and for a model of no customers; no rows for a NULL model, margin or discount_rate. 22023 for other models, discount_rate below 0, points outside of -1 to 1.';

CREATE FUNCTION return_on_customer(opening_equity double precision, closing_equity double precision, cash_flow double precision)
	RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION return_on_customer(double precision, double precision, double precision) IS
'(closing_equity - opening_equity + cash_flow) / opening_equity: what customers returned in a period, in cash and in value to come (Peppers and Rogers 2005). opening_equity, closing_equity: customer_equity() at its start and end; cash_flow: of the period. From 1000 to 1050 with 120 in cash it is 0.17. NULL for NULL arguments and an opening equity of 0; 22023 for NaN and infinities.';

-- ---------------------------------------------------------------------------
-- customer_equity(): what all customers are worth together
--
-- The state is flat, of type bytea, so that partition-wise, parallel and
-- distributed plans can split the aggregates.
-- ---------------------------------------------------------------------------

CREATE FUNCTION customer_equity_combine(bytea, bytea)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_equity_combine(bytea, bytea) IS
'part of customer_equity() and customer_equity_se(): two states as one';

CREATE FUNCTION customer_equity_final(bytea)
	RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_equity_final(bytea) IS
'part of customer_equity(): the sum of a state';

CREATE FUNCTION customer_equity_se_final(bytea)
	RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_equity_se_final(bytea) IS
'part of customer_equity_se(): the standard error of a state';

CREATE FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, history customer_history) (
	SFUNC = customer_equity_history_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, customer_history) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. As clv() has it where nothing is said: as of the model''s own day (22004 if it has none), horizon 12 months, discount_rate 0.10, margin 1.';

CREATE FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history, date)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history, date) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, history customer_history, as_of date) (
	SFUNC = customer_equity_history_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, customer_history, date) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. as_of: the day until which histories are complete, NULL = the model''s own, 22004 if it has none. As clv() has it where nothing is said: horizon 12 months, discount_rate 0.10, margin 1.';

CREATE FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history, date, interval)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history, date, interval) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, history customer_history, as_of date, horizon interval) (
	SFUNC = customer_equity_history_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, customer_history, date, interval) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. as_of: the day until which histories are complete, NULL = the model''s own, 22004 if it has none. horizon: how far ahead. As clv() has it where nothing is said: discount_rate 0.10, margin 1.';

CREATE FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history, date, interval, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history, date, interval, double precision) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, history customer_history, as_of date, horizon interval, discount_rate double precision) (
	SFUNC = customer_equity_history_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, customer_history, date, interval, double precision) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. as_of: the day until which histories are complete, NULL = the model''s own, 22004 if it has none. horizon: how far ahead. discount_rate: annual, 0.10 = 10%. As clv() has it where nothing is said: margin 1.';

CREATE FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history, date, interval, double precision, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_history_trans(bytea, clv_model, customer_history, date, interval, double precision, double precision) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, history customer_history, as_of date, horizon interval, discount_rate double precision, margin double precision) (
	SFUNC = customer_equity_history_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, customer_history, date, interval, double precision, double precision) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. as_of: the day until which histories are complete, NULL = the model''s own, 22004 if it has none. horizon: how far ahead. discount_rate: annual, 0.10 = 10%. margin: share of spend that is kept.';

CREATE FUNCTION customer_equity_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision) (
	SFUNC = customer_equity_summary_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, double precision, double precision, double precision, double precision) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. frequency, recency, age, monetary_value: as rfm() gives them, in the model''s unit; NULL in one of the first three skips the row. As clv() has it where nothing is said: horizon 12 months, discount_rate 0.10, margin 1.';

CREATE FUNCTION customer_equity_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval) (
	SFUNC = customer_equity_summary_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, double precision, double precision, double precision, double precision, interval) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. frequency, recency, age, monetary_value: as rfm() gives them, in the model''s unit; NULL in one of the first three skips the row. horizon: how far ahead. As clv() has it where nothing is said: discount_rate 0.10, margin 1.';

CREATE FUNCTION customer_equity_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval, double precision) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval, discount_rate double precision) (
	SFUNC = customer_equity_summary_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, double precision, double precision, double precision, double precision, interval, double precision) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. frequency, recency, age, monetary_value: as rfm() gives them, in the model''s unit; NULL in one of the first three skips the row. horizon: how far ahead. discount_rate: annual, 0.10 = 10%. As clv() has it where nothing is said: margin 1.';

CREATE FUNCTION customer_equity_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval, double precision, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval, double precision, double precision) IS
'part of customer_equity(): one customer';

CREATE AGGREGATE customer_equity(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval, discount_rate double precision, margin double precision) (
	SFUNC = customer_equity_summary_trans,
	STYPE = bytea,
	SSPACE = 896,
	FINALFUNC = customer_equity_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity(clv_model, double precision, double precision, double precision, double precision, interval, double precision, double precision) IS
'value of all customers together: the sum of clv() over customers, exact and rounded once, whatever their order (Blattberg and Deighton 1996). Customers whose value is not known, where clv() gives NULL, are left out, as sum() leaves them out; NULL if there is none other. model: the same in all rows, else 22023; NULL skips the row. frequency, recency, age, monetary_value: as rfm() gives them, in the model''s unit; NULL in one of the first three skips the row. horizon: how far ahead. discount_rate: annual, 0.10 = 10%. margin: share of spend that is kept.';

CREATE FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, history customer_history) (
	SFUNC = customer_equity_se_history_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, customer_history) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. As clv() has it where nothing is said: as of the model''s own day (22004 if it has none), horizon 12 months, discount_rate 0.10, margin 1.';

CREATE FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history, date)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history, date) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, history customer_history, as_of date) (
	SFUNC = customer_equity_se_history_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, customer_history, date) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. as_of: the day until which histories are complete, NULL = the model''s own, 22004 if it has none. As clv() has it where nothing is said: horizon 12 months, discount_rate 0.10, margin 1.';

CREATE FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history, date, interval)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history, date, interval) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, history customer_history, as_of date, horizon interval) (
	SFUNC = customer_equity_se_history_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, customer_history, date, interval) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. as_of: the day until which histories are complete, NULL = the model''s own, 22004 if it has none. horizon: how far ahead. As clv() has it where nothing is said: discount_rate 0.10, margin 1.';

CREATE FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history, date, interval, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history, date, interval, double precision) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, history customer_history, as_of date, horizon interval, discount_rate double precision) (
	SFUNC = customer_equity_se_history_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, customer_history, date, interval, double precision) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. as_of: the day until which histories are complete, NULL = the model''s own, 22004 if it has none. horizon: how far ahead. discount_rate: annual, 0.10 = 10%. As clv() has it where nothing is said: margin 1.';

CREATE FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history, date, interval, double precision, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_history_trans(bytea, clv_model, customer_history, date, interval, double precision, double precision) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, history customer_history, as_of date, horizon interval, discount_rate double precision, margin double precision) (
	SFUNC = customer_equity_se_history_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, customer_history, date, interval, double precision, double precision) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. history: one a customer. as_of: the day until which histories are complete, NULL = the model''s own, 22004 if it has none. horizon: how far ahead. discount_rate: annual, 0.10 = 10%. margin: share of spend that is kept.';

CREATE FUNCTION customer_equity_se_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision) (
	SFUNC = customer_equity_se_summary_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, double precision, double precision, double precision, double precision) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. frequency, recency, age, monetary_value: as rfm() gives them, in the model''s unit; NULL in one of the first three skips the row. As clv() has it where nothing is said: horizon 12 months, discount_rate 0.10, margin 1.';

CREATE FUNCTION customer_equity_se_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval) (
	SFUNC = customer_equity_se_summary_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, double precision, double precision, double precision, double precision, interval) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. frequency, recency, age, monetary_value: as rfm() gives them, in the model''s unit; NULL in one of the first three skips the row. horizon: how far ahead. As clv() has it where nothing is said: discount_rate 0.10, margin 1.';

CREATE FUNCTION customer_equity_se_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval, double precision) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval, discount_rate double precision) (
	SFUNC = customer_equity_se_summary_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, double precision, double precision, double precision, double precision, interval, double precision) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. frequency, recency, age, monetary_value: as rfm() gives them, in the model''s unit; NULL in one of the first three skips the row. horizon: how far ahead. discount_rate: annual, 0.10 = 10%. As clv() has it where nothing is said: margin 1.';

CREATE FUNCTION customer_equity_se_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval, double precision, double precision)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION customer_equity_se_summary_trans(bytea, clv_model, double precision, double precision, double precision, double precision, interval, double precision, double precision) IS
'part of customer_equity_se(): one customer';

CREATE AGGREGATE customer_equity_se(model clv_model, frequency double precision, recency double precision, age double precision, monetary_value double precision, horizon interval, discount_rate double precision, margin double precision) (
	SFUNC = customer_equity_se_summary_trans,
	STYPE = bytea,
	SSPACE = 4864,
	FINALFUNC = customer_equity_se_final,
	COMBINEFUNC = customer_equity_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_equity_se(clv_model, double precision, double precision, double precision, double precision, interval, double precision, double precision) IS
'standard error of customer_equity() by the delta method: the square root of g'' V g, where g is the sum of the gradients of all values by the parameters and V their covariance; all values depend on the same estimates, so that their errors add up instead of averaging out. It is that of the estimates alone: what customers will do by chance comes on top, and averages out. NULL without a customer whose value is known, and where the covariance is not known. model: the same in all rows, else 22023; NULL skips the row. frequency, recency, age, monetary_value: as rfm() gives them, in the model''s unit; NULL in one of the first three skips the row. horizon: how far ahead. discount_rate: annual, 0.10 = 10%. margin: share of spend that is kept.';

-- ---------------------------------------------------------------------------
-- clv_data: what customers did before and after a day, to judge a model by
-- ---------------------------------------------------------------------------

CREATE TYPE clv_data;

CREATE FUNCTION clv_data_in(cstring)
	RETURNS clv_data
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_in(cstring) IS
'clv_data from its text form (base64 of its bytes), validated in full; 22P02 if it is no canonical value';

CREATE FUNCTION clv_data_out(clv_data)
	RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_out(clv_data) IS
'text form of a clv_data: base64 of its bytes, lossless and free of any setting';

CREATE FUNCTION clv_data_recv(internal)
	RETURNS clv_data
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_recv(internal) IS
'clv_data from its binary form, validated in full; 22P03 if it is no canonical value';

CREATE FUNCTION clv_data_send(clv_data)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_send(clv_data) IS
'binary form of a clv_data: its bytes, the same on every architecture';

CREATE TYPE clv_data (
	INTERNALLENGTH = VARIABLE,
	INPUT = clv_data_in,
	OUTPUT = clv_data_out,
	RECEIVE = clv_data_recv,
	SEND = clv_data_send,
	STORAGE = extended
);
COMMENT ON TYPE clv_data IS
'what customers did before and after the end of calibration, counted: customers and their holdout purchases by (frequency, recency, age), repeat purchases by day; made by clv_data(), added up by rollup(), read by tracking_rows(), frequency_fit_rows(), frequency_fit(), holdout_rows() and clv_chart(); equal data have equal bytes';

CREATE FUNCTION clv_data_eq(clv_data, clv_data)
	RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_eq(clv_data, clv_data) IS
'are two clv_data the same: days and every count';

CREATE FUNCTION clv_data_ne(clv_data, clv_data)
	RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_ne(clv_data, clv_data) IS
'do two clv_data differ in a day or any count';

CREATE FUNCTION clv_data_hash(clv_data)
	RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_hash(clv_data) IS
'hash of a clv_data, for GROUP BY and DISTINCT';

CREATE FUNCTION clv_data_hash_extended(clv_data, bigint)
	RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_hash_extended(clv_data, bigint) IS
'hash of a clv_data with a seed, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = clv_data, RIGHTARG = clv_data, FUNCTION = clv_data_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (clv_data, clv_data) IS 'same days and counts';

CREATE OPERATOR <> (
	LEFTARG = clv_data, RIGHTARG = clv_data, FUNCTION = clv_data_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (clv_data, clv_data) IS 'different days or counts';

CREATE OPERATOR CLASS clv_data_ops DEFAULT FOR TYPE clv_data USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 clv_data_hash(clv_data),
	FUNCTION 2 clv_data_hash_extended(clv_data, bigint);
COMMENT ON OPERATOR CLASS clv_data_ops USING hash IS 'lets clv_data be grouped, made distinct and hash-joined';
COMMENT ON OPERATOR FAMILY clv_data_ops USING hash IS 'hashing of clv_data';

CREATE FUNCTION clv_data_to_jsonb(clv_data)
	RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_to_jsonb(clv_data) IS
'a clv_data as JSON: calibration_end, as_of, left_out (customers who came after calibration_end), customers (frequency, recency, age in days at calibration_end; how many; their purchases in the holdout), days (repeat purchases of each)';

CREATE CAST (clv_data AS jsonb) WITH FUNCTION clv_data_to_jsonb(clv_data);
COMMENT ON CAST (clv_data AS jsonb) IS 'everything a clv_data holds, readable';

-- ---------------------------------------------------------------------------
-- clv_data(): from customer histories to a clv_data
-- ---------------------------------------------------------------------------

CREATE FUNCTION clv_data_combine(clv_data, clv_data)
	RETURNS clv_data
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_combine(clv_data, clv_data) IS
'part of clv_data(): two states as one';

CREATE FUNCTION clv_data_final(clv_data)
	RETURNS clv_data
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_final(clv_data) IS
'part of clv_data(): the value of a state';

CREATE FUNCTION clv_data_trans(clv_data, customer_history, date)
	RETURNS clv_data
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_trans(clv_data, customer_history, date) IS
'part of clv_data(): one customer';

CREATE AGGREGATE clv_data(history customer_history, calibration_end date) (
	SFUNC = clv_data_trans,
	STYPE = clv_data,
	SSPACE = 4096,
	FINALFUNC = clv_data_final,
	COMBINEFUNC = clv_data_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_data(customer_history, date) IS
'what customers did until calibration_end and after it, one history a customer (merge those of the same customer first, with rollup()). A purchase is an active day, a repeat purchase one after the first. NULL histories and those without a day by as_of are skipped; customers who came after calibration_end are only counted, for nothing of theirs was known then. calibration_end: the last day of calibration, the same in all rows; 22004 if NULL. The holdout ends on the latest day of all histories. To judge a model, fit it to history_until(history, calibration_end). NULL without rows. 22023 where calibration_end differs between rows; 22008 for infinite days.';

CREATE FUNCTION clv_data_trans(clv_data, customer_history, date, date)
	RETURNS clv_data
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_trans(clv_data, customer_history, date, date) IS
'part of clv_data(): one customer';

CREATE AGGREGATE clv_data(history customer_history, calibration_end date, as_of date) (
	SFUNC = clv_data_trans,
	STYPE = clv_data,
	SSPACE = 4096,
	FINALFUNC = clv_data_final,
	COMBINEFUNC = clv_data_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE clv_data(customer_history, date, date) IS
'what customers did until calibration_end and after it, one history a customer (merge those of the same customer first, with rollup()). A purchase is an active day, a repeat purchase one after the first. NULL histories and those without a day by as_of are skipped; customers who came after calibration_end are only counted, for nothing of theirs was known then. calibration_end: the last day of calibration, the same in all rows; 22004 if NULL. as_of: the day until which histories are complete, the last of the holdout; days after it are not looked at; NULL = the latest day of all histories; 22023 before calibration_end. To judge a model, fit it to history_until(history, calibration_end). NULL without rows. 22023 where calibration_end or as_of differs between rows; 22008 for infinite days.';

CREATE FUNCTION clv_data_rollup(clv_data, clv_data)
	RETURNS clv_data
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_rollup(clv_data, clv_data) IS
'part of rollup(): a clv_data or a state more';

CREATE FUNCTION clv_data_rollup_final(clv_data)
	RETURNS clv_data
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION clv_data_rollup_final(clv_data) IS
'part of rollup(): the clv_data of a state';

CREATE AGGREGATE rollup(clv_data) (
	SFUNC = clv_data_rollup,
	STYPE = clv_data,
	FINALFUNC = clv_data_rollup_final,
	COMBINEFUNC = clv_data_rollup,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(clv_data) IS
'sum of clv_data of disjoint customers, say of shards; 22023 where calibration_end or as_of differs; NULL without rows';

-- ---------------------------------------------------------------------------
-- a model against what customers did
-- ---------------------------------------------------------------------------

CREATE FUNCTION tracking_rows(model clv_model, data clv_data, period text DEFAULT 'week')
	RETURNS TABLE (period integer, until date, actual bigint, expected double precision,
		actual_cumulative bigint, expected_cumulative double precision, holdout boolean)
	AS 'MODULE_PATHNAME', 'clv_tracking_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 80;
COMMENT ON FUNCTION tracking_rows(clv_model, clv_data, text) IS
'repeat purchases, actual and expected, by periods counted from the first day of the earliest customer, as long as they had ended by as_of. until: last day of the period. expected_cumulative: the sum over customers of E[purchases of a new customer from his first day to until] (Fader, Hardie and Lee 2005, section 7). holdout: the period ends after calibration_end. Only customers who came by calibration_end are in it, before and after. period: ''day'', ''week'' (7 days), ''month'', ''quarter'', ''year'' (anniversaries of the first day). model: one in continuous time (''bg_nbd'', ''mbg_nbd'', ''pareto_nbd'', ''nbd''), else 22023. No rows for a NULL model or data; expected numbers are NULL for a model of no customers. 22023 for other periods; 54000 if first day and as_of are more than 100,000 days apart.';

CREATE FUNCTION frequency_fit_rows(model clv_model, data clv_data, up_to integer DEFAULT 7)
	RETURNS TABLE (frequency integer, at_least boolean, actual bigint, expected double precision,
		chi_square double precision)
	AS 'MODULE_PATHNAME', 'clv_frequency_fit_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 8;
COMMENT ON FUNCTION frequency_fit_rows(clv_model, clv_data, integer) IS
'customers by number of repeat purchases in calibration, actual and expected. expected: the sum over customers of P(X(T) = frequency), T being each one''s time from first purchase to calibration_end. at_least: the last row is of this frequency and all above. chi_square: (actual - expected)^2 / expected, infinite where nobody is expected and somebody is there; their sum is judged by frequency_fit(). up_to: from this frequency on customers are counted together; 1 to 1000, else 22023. model: one in continuous time (''bg_nbd'', ''mbg_nbd'', ''pareto_nbd'', ''nbd''), else 22023. No rows for a NULL model or data; expected numbers are NULL for a model of no customers.';

CREATE FUNCTION frequency_fit(model clv_model, data clv_data, up_to integer DEFAULT 7)
	RETURNS TABLE (customers bigint, classes integer, chi_square double precision,
		degrees_of_freedom integer, p_value double precision)
	AS 'MODULE_PATHNAME', 'clv_frequency_fit' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION frequency_fit(clv_model, clv_data, integer) IS
'Pearson''s test of the frequencies of frequency_fit_rows(), in one row: chi_square is the sum over its classes, degrees_of_freedom are classes - 1 - parameters of the model, p_value is P(chi-square of these degrees or more) if the model is true, NULL where they are 0 or less. This assumes that the parameters were fitted to the same customers, that no class expects fewer than about five, and takes the fit as one to the classes (by all of the data it is a little better, and p_value a little too small: Chernoff and Lehmann 1954). With very many customers every model is refused: look at the rows too. up_to: from this frequency on customers are counted together; 1 to 1000, else 22023. model: one in continuous time (''bg_nbd'', ''mbg_nbd'', ''pareto_nbd'', ''nbd''), else 22023. No rows for a NULL model or data; expected numbers are NULL for a model of no customers.';

CREATE FUNCTION holdout_rows(model clv_model, data clv_data, up_to integer DEFAULT 7)
	RETURNS TABLE (frequency integer, at_least boolean, customers bigint, actual_total bigint,
		expected_total double precision, actual_mean double precision, expected_mean double precision)
	AS 'MODULE_PATHNAME', 'clv_holdout_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 8;
COMMENT ON FUNCTION holdout_rows(clv_model, clv_data, integer) IS
'purchases in the holdout, from calibration_end to as_of, actual and expected, by number of repeat purchases in calibration. expected: E[purchases in the holdout | frequency, recency, age] of each customer, so that this is the test of what a model says of a customer (Fader, Hardie and Lee 2005, figure 6). at_least: the last row is of this frequency and all above. Means are a customer; NULL where there is none, and all where as_of is calibration_end. up_to: from this frequency on customers are counted together; 1 to 1000, else 22023. model: one in continuous time (''bg_nbd'', ''mbg_nbd'', ''pareto_nbd'', ''nbd''), else 22023. No rows for a NULL model or data; expected numbers are NULL for a model of no customers.';

CREATE FUNCTION clv_chart(model clv_model, data clv_data, chart text DEFAULT 'tracking')
	RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION clv_chart(clv_model, clv_data, text) IS
'a model against what customers did, as text to look at. chart: ''tracking'' (cumulative repeat purchases by the shortest period of which there are at most 80), ''frequency'' (frequency_fit_rows()) or ''holdout'' (holdout_rows()); 22023 for others. NULL for a NULL model or data. model: one in continuous time, else 22023.';

-- ---------------------------------------------------------------------------
-- migration_matrix: customers by the segment they came from and went to
-- ---------------------------------------------------------------------------

CREATE TYPE migration_matrix;

CREATE FUNCTION migration_matrix_in(cstring) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_in(cstring) IS
'migration_matrix from its text form (base64 of its bytes), validated in full; 22P02 if it is no canonical value';

CREATE FUNCTION migration_matrix_out(migration_matrix) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_out(migration_matrix) IS
'text form of a migration_matrix: base64 of its bytes, lossless and free of any setting';

CREATE FUNCTION migration_matrix_recv(internal) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_recv(internal) IS
'migration_matrix from its binary form, validated in full; 22P03 if it is no canonical value';

CREATE FUNCTION migration_matrix_send(migration_matrix) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_send(migration_matrix) IS
'binary form of a migration_matrix: its bytes, the same on every architecture';

CREATE TYPE migration_matrix (
	INTERNALLENGTH = VARIABLE,
	INPUT = migration_matrix_in,
	OUTPUT = migration_matrix_out,
	RECEIVE = migration_matrix_recv,
	SEND = migration_matrix_send,
	STORAGE = extended
);
COMMENT ON TYPE migration_matrix IS
'customers counted by the segment they came from and the one they went to, with the sum of a value; made by migration_matrix(), added up by rollup() and +, read by migration_rows(), migration_chart(), migration_sankey() and others; equal matrices have equal bytes';

CREATE FUNCTION migration_matrix_eq(migration_matrix, migration_matrix) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_eq(migration_matrix, migration_matrix) IS
'are two matrices the same: states and their order, every count and value, periods';

CREATE FUNCTION migration_matrix_ne(migration_matrix, migration_matrix) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_ne(migration_matrix, migration_matrix) IS
'do two matrices differ in states, their order, any count or value, or periods';

CREATE FUNCTION migration_matrix_hash(migration_matrix) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_hash(migration_matrix) IS
'hash of a migration_matrix, for GROUP BY and DISTINCT';

CREATE FUNCTION migration_matrix_hash_extended(migration_matrix, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_hash_extended(migration_matrix, bigint) IS
'hash of a migration_matrix with a seed, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = migration_matrix, RIGHTARG = migration_matrix, FUNCTION = migration_matrix_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (migration_matrix, migration_matrix) IS 'same states, counts, values and periods';

CREATE OPERATOR <> (
	LEFTARG = migration_matrix, RIGHTARG = migration_matrix, FUNCTION = migration_matrix_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (migration_matrix, migration_matrix) IS 'different states, counts, values or periods';

CREATE OPERATOR CLASS migration_matrix_ops DEFAULT FOR TYPE migration_matrix USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 migration_matrix_hash(migration_matrix),
	FUNCTION 2 migration_matrix_hash_extended(migration_matrix, bigint);
COMMENT ON OPERATOR CLASS migration_matrix_ops USING hash IS 'lets migration matrices be grouped, made distinct and hash-joined';
COMMENT ON OPERATOR FAMILY migration_matrix_ops USING hash IS 'hashing of migration matrices';

CREATE FUNCTION migration_matrix_to_jsonb(migration_matrix) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_to_jsonb(migration_matrix) IS
'a migration_matrix as JSON: states in order, cells with customers and value (null = entered or left) or the given probabilities, and of a panel the cells by period and the runs of three periods';

CREATE CAST (migration_matrix AS jsonb) WITH FUNCTION migration_matrix_to_jsonb(migration_matrix);
COMMENT ON CAST (migration_matrix AS jsonb) IS 'everything a migration_matrix holds, readable';

-- ---------------------------------------------------------------------------
-- migration_matrix(): from rows with two segments to a matrix
-- ---------------------------------------------------------------------------

CREATE FUNCTION migration_matrix_combine(migration_matrix, migration_matrix) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_combine(migration_matrix, migration_matrix) IS
'part of migration_matrix(): two states as one';

CREATE FUNCTION migration_matrix_final(migration_matrix) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_final(migration_matrix) IS
'part of migration_matrix(): the matrix of a state';

CREATE FUNCTION migration_matrix_trans(migration_matrix, text, text) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_trans(migration_matrix, text, text) IS
'part of migration_matrix(): one row';

CREATE AGGREGATE migration_matrix(from_segment text, to_segment text) (
	SFUNC = migration_matrix_trans,
	STYPE = migration_matrix,
	SSPACE = 256,
	FINALFUNC = migration_matrix_final,
	COMBINEFUNC = migration_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(text, text) IS
'migration_matrix of customers, one row each, by the segment they were in at the beginning and at the end of a period. from_segment: NULL = entered; to_segment: NULL = left; a row with neither is skipped. States stand in the order of their bytes, whole numbers first by size. 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 54000 for more than 1000 states. Zero rows give a matrix without states.';

CREATE FUNCTION migration_matrix_value_trans(migration_matrix, text, text, numeric) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_value_trans(migration_matrix, text, text, numeric) IS
'part of migration_matrix(): one row';

CREATE AGGREGATE migration_matrix(from_segment text, to_segment text, value numeric) (
	SFUNC = migration_matrix_value_trans,
	STYPE = migration_matrix,
	SSPACE = 256,
	FINALFUNC = migration_matrix_final,
	COMBINEFUNC = migration_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(text, text, numeric) IS
'migration_matrix of customers, one row each, by the segment they were in at the beginning and at the end of a period. from_segment: NULL = entered; to_segment: NULL = left; a row with neither is skipped. value: numeric, summed exactly by cell, as sum(numeric) does; NULL is skipped, NaN and infinities are 22003. States stand in the order of their bytes, whole numbers first by size. 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 54000 for more than 1000 states. Zero rows give a matrix without states.';

CREATE FUNCTION migration_matrix_states_trans(migration_matrix, text, text, text[]) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_states_trans(migration_matrix, text, text, text[]) IS
'part of migration_matrix(): one row';

CREATE AGGREGATE migration_matrix(from_segment text, to_segment text, states text[]) (
	SFUNC = migration_matrix_states_trans,
	STYPE = migration_matrix,
	SSPACE = 256,
	FINALFUNC = migration_matrix_final,
	COMBINEFUNC = migration_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(text, text, text[]) IS
'migration_matrix of customers, one row each, by the segment they were in at the beginning and at the end of a period. from_segment: NULL = entered; to_segment: NULL = left; a row with neither is skipped. states: all states in their order, the same list in all rows; they are kept where nobody was in them, and any other segment is 22023. 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 54000 for more than 1000 states. Zero rows give a matrix without states.';

CREATE FUNCTION migration_matrix_value_states_trans(migration_matrix, text, text, numeric, text[]) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_value_states_trans(migration_matrix, text, text, numeric, text[]) IS
'part of migration_matrix(): one row';

CREATE AGGREGATE migration_matrix(from_segment text, to_segment text, value numeric, states text[]) (
	SFUNC = migration_matrix_value_states_trans,
	STYPE = migration_matrix,
	SSPACE = 256,
	FINALFUNC = migration_matrix_final,
	COMBINEFUNC = migration_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(text, text, numeric, text[]) IS
'migration_matrix of customers, one row each, by the segment they were in at the beginning and at the end of a period. from_segment: NULL = entered; to_segment: NULL = left; a row with neither is skipped. value: numeric, summed exactly by cell, as sum(numeric) does; NULL is skipped, NaN and infinities are 22003. states: all states in their order, the same list in all rows; they are kept where nobody was in them, and any other segment is 22023. 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 54000 for more than 1000 states. Zero rows give a matrix without states.';

CREATE FUNCTION migration_matrix_integer_trans(migration_matrix, bigint, bigint) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_integer_trans(migration_matrix, bigint, bigint) IS
'part of migration_matrix(): one row';

CREATE AGGREGATE migration_matrix(from_segment bigint, to_segment bigint) (
	SFUNC = migration_matrix_integer_trans,
	STYPE = migration_matrix,
	SSPACE = 256,
	FINALFUNC = migration_matrix_final,
	COMBINEFUNC = migration_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(bigint, bigint) IS
'migration_matrix of customers, one row each, by the segment they were in at the beginning and at the end of a period. from_segment: NULL = entered; to_segment: NULL = left; a row with neither is skipped. States are numbers, by size. 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 54000 for more than 1000 states. Zero rows give a matrix without states.';

CREATE FUNCTION migration_matrix_integer_value_trans(migration_matrix, bigint, bigint, numeric) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_integer_value_trans(migration_matrix, bigint, bigint, numeric) IS
'part of migration_matrix(): one row';

CREATE AGGREGATE migration_matrix(from_segment bigint, to_segment bigint, value numeric) (
	SFUNC = migration_matrix_integer_value_trans,
	STYPE = migration_matrix,
	SSPACE = 256,
	FINALFUNC = migration_matrix_final,
	COMBINEFUNC = migration_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(bigint, bigint, numeric) IS
'migration_matrix of customers, one row each, by the segment they were in at the beginning and at the end of a period. from_segment: NULL = entered; to_segment: NULL = left; a row with neither is skipped. value: numeric, summed exactly by cell, as sum(numeric) does; NULL is skipped, NaN and infinities are 22003. States are numbers, by size. 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 54000 for more than 1000 states. Zero rows give a matrix without states.';

CREATE FUNCTION migration_matrix_integer_states_trans(migration_matrix, bigint, bigint, bigint[]) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_integer_states_trans(migration_matrix, bigint, bigint, bigint[]) IS
'part of migration_matrix(): one row';

CREATE AGGREGATE migration_matrix(from_segment bigint, to_segment bigint, states bigint[]) (
	SFUNC = migration_matrix_integer_states_trans,
	STYPE = migration_matrix,
	SSPACE = 256,
	FINALFUNC = migration_matrix_final,
	COMBINEFUNC = migration_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(bigint, bigint, bigint[]) IS
'migration_matrix of customers, one row each, by the segment they were in at the beginning and at the end of a period. from_segment: NULL = entered; to_segment: NULL = left; a row with neither is skipped. states: all states in their order, the same list in all rows; they are kept where nobody was in them, and any other segment is 22023. 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 54000 for more than 1000 states. Zero rows give a matrix without states.';

CREATE FUNCTION migration_matrix_integer_value_states_trans(migration_matrix, bigint, bigint, numeric, bigint[]) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_integer_value_states_trans(migration_matrix, bigint, bigint, numeric, bigint[]) IS
'part of migration_matrix(): one row';

CREATE AGGREGATE migration_matrix(from_segment bigint, to_segment bigint, value numeric, states bigint[]) (
	SFUNC = migration_matrix_integer_value_states_trans,
	STYPE = migration_matrix,
	SSPACE = 256,
	FINALFUNC = migration_matrix_final,
	COMBINEFUNC = migration_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(bigint, bigint, numeric, bigint[]) IS
'migration_matrix of customers, one row each, by the segment they were in at the beginning and at the end of a period. from_segment: NULL = entered; to_segment: NULL = left; a row with neither is skipped. value: numeric, summed exactly by cell, as sum(numeric) does; NULL is skipped, NaN and infinities are 22003. states: all states in their order, the same list in all rows; they are kept where nobody was in them, and any other segment is 22023. 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 54000 for more than 1000 states. Zero rows give a matrix without states.';

CREATE FUNCTION migration_matrix_enum_trans(migration_matrix, anyenum, anyenum) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_enum_trans(migration_matrix, anyenum, anyenum) IS
'part of migration_matrix(): one row';

CREATE AGGREGATE migration_matrix(from_segment anyenum, to_segment anyenum) (
	SFUNC = migration_matrix_enum_trans,
	STYPE = migration_matrix,
	SSPACE = 256,
	FINALFUNC = migration_matrix_final,
	COMBINEFUNC = migration_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(anyenum, anyenum) IS
'migration_matrix of customers, one row each, by the segment they were in at the beginning and at the end of a period. from_segment: NULL = entered; to_segment: NULL = left; a row with neither is skipped. The enum''s labels are the states, all of them, in its order. 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 54000 for more than 1000 states. Zero rows give a matrix without states.';

CREATE FUNCTION migration_matrix_enum_value_trans(migration_matrix, anyenum, anyenum, numeric) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_enum_value_trans(migration_matrix, anyenum, anyenum, numeric) IS
'part of migration_matrix(): one row';

CREATE AGGREGATE migration_matrix(from_segment anyenum, to_segment anyenum, value numeric) (
	SFUNC = migration_matrix_enum_value_trans,
	STYPE = migration_matrix,
	SSPACE = 256,
	FINALFUNC = migration_matrix_final,
	COMBINEFUNC = migration_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(anyenum, anyenum, numeric) IS
'migration_matrix of customers, one row each, by the segment they were in at the beginning and at the end of a period. from_segment: NULL = entered; to_segment: NULL = left; a row with neither is skipped. value: numeric, summed exactly by cell, as sum(numeric) does; NULL is skipped, NaN and infinities are 22003. The enum''s labels are the states, all of them, in its order. 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 54000 for more than 1000 states. Zero rows give a matrix without states.';

-- ---------------------------------------------------------------------------
-- matrices by hand
-- ---------------------------------------------------------------------------

CREATE FUNCTION migration_matrix(states text[], probabilities double precision[]) RETURNS migration_matrix
	AS 'MODULE_PATHNAME', 'migration_matrix_given' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix(text[], double precision[]) IS
'migration_matrix of given probabilities, a row and a column for each state in order: two-dimensional, or flat row by row. 22023 naming the row where they do not sum to 1 (within 1e-9; such a row is scaled), are negative or NaN; NULL for NULL. It has no counts: no limits, no tests, no sums.';

CREATE FUNCTION migration_matrix(states text[], counts bigint[]) RETURNS migration_matrix
	AS 'MODULE_PATHNAME', 'migration_matrix_counted' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix(text[], bigint[]) IS
'migration_matrix of given counts of customers, a row and a column for each state in order: two-dimensional, or flat row by row. 22023 for a negative count; NULL for NULL. The list of states is declared.';

CREATE FUNCTION migration_matrix(states text[], counts integer[]) RETURNS migration_matrix
	AS 'MODULE_PATHNAME', 'migration_matrix_counted' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix(text[], integer[]) IS
'migration_matrix of given counts of customers, a row and a column for each state in order: two-dimensional, or flat row by row. 22023 for a negative count; NULL for NULL. The list of states is declared.';

-- ---------------------------------------------------------------------------
-- sums of matrices
-- ---------------------------------------------------------------------------

CREATE FUNCTION migration_matrix_add(migration_matrix, migration_matrix) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_add(migration_matrix, migration_matrix) IS
'the customers of both matrices, states matched by name; NULL counts as nothing. 22023 if both declare their states and the lists differ, if one does and lacks a state of the other, if one is of given probabilities, or if only one is of a panel or their periods differ';

CREATE OPERATOR + (
	LEFTARG = migration_matrix, RIGHTARG = migration_matrix, FUNCTION = migration_matrix_add, COMMUTATOR = +
);
COMMENT ON OPERATOR + (migration_matrix, migration_matrix) IS 'the customers of both matrices, states matched by name; NULL counts as nothing';

CREATE FUNCTION migration_matrix_rollup(migration_matrix, migration_matrix) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_rollup(migration_matrix, migration_matrix) IS
'part of rollup(): a matrix or a state more';

CREATE FUNCTION migration_matrix_rollup_final(migration_matrix) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_rollup_final(migration_matrix) IS
'part of rollup(): the matrix of a state';

CREATE AGGREGATE rollup(migration_matrix) (
	SFUNC = migration_matrix_rollup,
	STYPE = migration_matrix,
	FINALFUNC = migration_matrix_rollup_final,
	COMBINEFUNC = migration_matrix_rollup,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(migration_matrix) IS
'one migration_matrix from those of other customers or other periods, states matched by name; NULL without rows. 22023 if two declare different lists of states, one declares a list that lacks a state of another, one is of given probabilities, or only some are of a panel or their periods differ';

-- ---------------------------------------------------------------------------
-- what a matrix says
-- ---------------------------------------------------------------------------

CREATE FUNCTION migration_rows(matrix migration_matrix, confidence double precision DEFAULT 0.95, with_nowhere boolean DEFAULT false) RETURNS TABLE (from_segment text, to_segment text, customers bigint, row_customers bigint,
		probability double precision, probability_low double precision, probability_high double precision,
		simultaneous_low double precision, simultaneous_high double precision,
		standard_error double precision, value numeric, reason text)
	AS 'MODULE_PATHNAME', 'migration_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 36;
COMMENT ON FUNCTION migration_rows(migration_matrix, double precision, boolean) IS
'one row for each pair of states, empty ones too, and for (entered) and (left) where there are any: customers who went that way, probability = customers / row_customers (Anderson and Goodman 1957), Wilson limits at confidence (cell by cell), Goodman limits (1965; all cells of a row at once), standard error sqrt(p (1 - p) / n), sum of value (NULL: none known). (entered) and (left) are in probabilities only with_nowhere. What is not defined is NULL and reason says why: ''empty row'', ''kept out of probabilities'', ''given: no counts''. 22023 unless 0 < confidence < 1.';

CREATE FUNCTION migration_chart(matrix migration_matrix) RETURNS text
	AS 'MODULE_PATHNAME', 'migration_chart' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION migration_chart(migration_matrix) IS
'the matrix as shaded text: a line a state that customers came from, a column a state that they went to (under its number), percent of the line and a shade of it; for reading, not for parsing';

CREATE FUNCTION migration_sankey(matrix migration_matrix, from_label text DEFAULT NULL, to_label text DEFAULT NULL) RETURNS TABLE (source text, target text, value bigint)
	AS 'MODULE_PATHNAME', 'migration_sankey' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 36;
COMMENT ON FUNCTION migration_sankey(migration_matrix, text, text) IS
'one row for each flow of customers, for a Sankey chart: source and target begin with the period (of a panel: one set of rows a period, ''2024-01 gold'' to ''2024-02 silver'') or with from_label and to_label (''from:'' and ''to:'' unless given; of a panel they make one set of all periods), so that no row is a loop and no rows make a cycle. (entered) and (left) are nodes of their own. 22023 if one label begins with the other, or for a matrix of given probabilities.';

-- ---------------------------------------------------------------------------
-- migration(): the step of each row in a window
-- ---------------------------------------------------------------------------

CREATE TYPE migration_step AS (
	from_segment text,
	periods_in_segment integer,
	moved boolean
);
COMMENT ON TYPE migration_step IS
'what migration() says of a row: the segment of the row before, for how many rows in succession it has been this one, and whether they differ';
COMMENT ON COLUMN migration_step.from_segment IS 'segment of the customer''s row before; NULL if there is none, or it was in none';
COMMENT ON COLUMN migration_step.periods_in_segment IS 'rows in succession, with this one, that had this segment: 1 on arrival; NULL in no segment';
COMMENT ON COLUMN migration_step.moved IS 'segment <> from_segment; NULL where either is NULL';

CREATE FUNCTION migration(segment text) RETURNS migration_step
	AS 'MODULE_PATHNAME', 'migration_step' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration(text) IS
'window function: of each row, in the order of the window, the segment of the row before, the number of rows in succession that had this segment, and whether it is another. Write (migration(segment) OVER (PARTITION BY customer ORDER BY period)).* for three columns. Each row is a period: a customer in no segment is a row with NULL. Does not depend on the frame.';

CREATE FUNCTION migration(segment bigint) RETURNS migration_step
	AS 'MODULE_PATHNAME', 'migration_step' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration(bigint) IS
'window function: of each row, in the order of the window, the segment of the row before, the number of rows in succession that had this segment, and whether it is another. Write (migration(segment) OVER (PARTITION BY customer ORDER BY period)).* for three columns. Each row is a period: a customer in no segment is a row with NULL. Does not depend on the frame.';

CREATE FUNCTION migration(segment anyenum) RETURNS migration_step
	AS 'MODULE_PATHNAME', 'migration_step' LANGUAGE C WINDOW STABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration(anyenum) IS
'window function: of each row, in the order of the window, the segment of the row before, the number of rows in succession that had this segment, and whether it is another. Write (migration(segment) OVER (PARTITION BY customer ORDER BY period)).* for three columns. Each row is a period: a customer in no segment is a row with NULL. Does not depend on the frame.';

-- ---------------------------------------------------------------------------
-- a migration_matrix as a Markov chain: the long run
-- ---------------------------------------------------------------------------

CREATE FUNCTION migration_states(matrix migration_matrix, absorbing text[] DEFAULT NULL)
	RETURNS TABLE (segment text, class integer, class_type text, absorbing boolean, class_period integer,
		steady_state double precision, stationary double precision,
		mean_periods_to_absorption double precision, variance_periods_to_absorption double precision,
		first_order_p double precision, reason text)
	AS 'MODULE_PATHNAME', 'migration_states' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 6;
COMMENT ON FUNCTION migration_states(migration_matrix, text[]) IS
'one row a segment: what the matrix says of it as a state of a Markov chain (Kemeny and Snell 1960). class: number of its communicating class, by first segment; class_type: recurrent (customers come back for certain) or transient; absorbing: nobody leaves it; class_period: customers come back only after multiples of so many periods. steady_state: share of customers in the long run, wherever they start; NULL with several closed classes, and with a class_period above 1, where shares swing for ever. stationary: the shares that reproduce themselves, which a periodic class has too (GTH elimination, Grassmann, Taksar and Heyman 1985). mean and variance of periods until absorption, where every closed class is one absorbing segment. first_order_p: p value of G from migration_order(), order 1 against 2: where it is small, steady state and absorption are those of a process that customers do not follow; of matrices made of a panel. A segment that nobody was seen leaving is taken as unknown, not as absorbing, and so is what leads to it. absorbing (argument): segments that are taken as absorbing, whoever was seen leaving them. reason: why which columns are NULL. No rows for a NULL matrix. 22023 for a segment that the matrix does not have or an empty list, 22004 for a NULL in it.';

CREATE FUNCTION steady_state(matrix migration_matrix)
	RETURNS TABLE (segment text, probability double precision, reason text)
	AS 'MODULE_PATHNAME', 'migration_steady_state' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 6;
COMMENT ON FUNCTION steady_state(migration_matrix) IS
'share of customers in each segment in the long run, wherever they start (GTH elimination, Grassmann, Taksar and Heyman 1985). NULL, and reason says why, with several closed classes, a periodic one, or segments that customers come to and nobody was seen leaving. No rows for NULL.';

CREATE FUNCTION absorption_probabilities(matrix migration_matrix, absorbing text[] DEFAULT NULL)
	RETURNS TABLE (from_segment text, absorbing_segment text, probability double precision, reason text)
	AS 'MODULE_PATHNAME', 'migration_absorption_probabilities' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 18;
COMMENT ON FUNCTION absorption_probabilities(migration_matrix, text[]) IS
'probability that a customer of from_segment ends up in absorbing_segment (Kemeny and Snell 1960, 3.3). absorbing: segments that are taken as absorbing, whoever was seen leaving them; then it is the probability of coming to this one before the others; NULL = all that nobody leaves, once in them. Absorbing segments have no rows as from_segment. NULL where a segment that nobody was seen leaving is in the way, and one row for each from_segment where nothing absorbs; reason says why. No rows for a NULL matrix. 22023 for a segment that the matrix does not have or an empty list, 22004 for a NULL in it.';

CREATE FUNCTION absorption_probability(matrix migration_matrix, from_segment text, absorbing_segment text)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'migration_absorption_probability' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION absorption_probability(migration_matrix, text, text) IS
'probability that a customer of from_segment ever comes to absorbing_segment, which need not be absorbing; 1 from itself. NULL where a segment that nobody was seen leaving is in the way (absorption_probabilities() says which), and for NULL. 22023 for a segment that the matrix does not have.';

CREATE FUNCTION expected_visits(matrix migration_matrix, absorbing text[] DEFAULT NULL)
	RETURNS TABLE (from_segment text, segment text, visits double precision, reason text)
	AS 'MODULE_PATHNAME', 'migration_expected_visits' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 36;
COMMENT ON FUNCTION expected_visits(migration_matrix, text[]) IS
'mean number of periods that a customer of from_segment will spend in segment, this one counted, before leaving the transient segments for good: the fundamental matrix (I - Q)^-1 (Kemeny and Snell 1960, 3.2). Rows are those of transient segments. absorbing: segments that are taken as absorbing, whoever was seen leaving them. NULL where a segment that nobody was seen leaving is in the way, and one row for each from_segment where none is transient; reason says why. No rows for a NULL matrix. 22023 for a segment that the matrix does not have or an empty list, 22004 for a NULL in it.';

CREATE FUNCTION expected_periods(matrix migration_matrix, absorbing text[] DEFAULT NULL)
	RETURNS TABLE (segment text, mean_periods double precision, variance double precision, reason text)
	AS 'MODULE_PATHNAME', 'migration_expected_periods' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 6;
COMMENT ON FUNCTION expected_periods(migration_matrix, text[]) IS
'mean and variance of the number of periods until a customer of segment first comes to one of the absorbing segments; 0 in these. absorbing: segments that are taken as absorbing, whoever was seen leaving them; NULL = all that nobody leaves, once in them. NULL where that is not certain to happen, or a segment that nobody was seen leaving is in the way; reason says why. No rows for a NULL matrix. 22023 for a segment that the matrix does not have or an empty list, 22004 for a NULL in it.';

CREATE FUNCTION first_passage(matrix migration_matrix)
	RETURNS TABLE (from_segment text, to_segment text, mean_periods double precision, reason text)
	AS 'MODULE_PATHNAME', 'migration_first_passage' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 36;
COMMENT ON FUNCTION first_passage(migration_matrix) IS
'mean number of periods until a customer of from_segment first comes to to_segment (Kemeny and Snell 1960, 4.4); on the diagonal until the customer is in it again: 1 / steady state. NULL where it is not certain that the customer ever comes there, or a segment that nobody was seen leaving is in the way; reason says which. No rows for NULL.';

-- ---------------------------------------------------------------------------
-- some periods on
-- ---------------------------------------------------------------------------

CREATE FUNCTION migration_power(matrix migration_matrix, k integer, absorbing text[] DEFAULT NULL)
	RETURNS TABLE (from_segment text, to_segment text, probability double precision, reason text)
	AS 'MODULE_PATHNAME', 'migration_power' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 36;
COMMENT ON FUNCTION migration_power(migration_matrix, integer, text[]) IS
'probability that a customer of from_segment is in to_segment k periods later: the k-th power of the matrix, by squaring, for any k from 0 on. NULL where a segment that nobody was seen leaving can be come to in less than k periods; reason names it. absorbing: segments that are taken as absorbing, whoever was seen leaving them. No rows for a NULL matrix. 22023 for a negative k and for a segment that the matrix does not have; 22004 for a NULL k.';

CREATE FUNCTION migration_forecast(matrix migration_matrix, start jsonb DEFAULT NULL, k integer DEFAULT 12, absorbing text[] DEFAULT NULL)
	RETURNS TABLE (periods_ahead integer, segment text, customers double precision, reason text)
	AS 'MODULE_PATHNAME', 'migration_forecast' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 78;
COMMENT ON FUNCTION migration_forecast(migration_matrix, jsonb, integer, text[]) IS
'expected customers by segment, 0 to k periods ahead: start times a power of the matrix. Nobody enters or leaves. start: customers now, as {"segment": number}, 0 for segments not in it; NULL = the customers of the matrix by to_segment; if it was made of a panel, those of its last period (who were in the period before it, too). NULL from the period on in which customers would leave a segment that nobody was seen leaving; reason names it. absorbing: segments that are taken as absorbing, whoever was seen leaving them. No rows for a NULL matrix. 22023 for a segment that the matrix does not have, for what is no number (NaN) or a negative one, and for a negative k; 22004 for a NULL k, and for a NULL start with a matrix of given probabilities; 54000 for more than 10,000,000 rows.';

CREATE FUNCTION markov_clv(matrix migration_matrix, rewards jsonb, discount_rate double precision, horizon integer DEFAULT NULL, absorbing text[] DEFAULT NULL)
	RETURNS TABLE (segment text, value double precision, reason text)
	AS 'MODULE_PATHNAME', 'markov_clv' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 6;
COMMENT ON FUNCTION markov_clv(migration_matrix, jsonb, double precision, integer, text[]) IS
'expected present value of a customer who is in segment now (Pfeifer and Carraway 2000, Journal of Interactive Marketing 14): sum of (P / (1 + discount_rate))^t R over periods t from 0 (now, not discounted) to horizon, NULL = without end: (I - P / (1 + discount_rate))^-1 R. rewards: what a customer in a segment brings in a period, less what is spent on him, as {"segment": number}; 0 for segments not in it. discount_rate: of one period of the matrix, not of a year; 0 or more. absorbing: segments that are taken as absorbing, whoever was seen leaving them. NULL where a segment that nobody was seen leaving is in the way, and without discount and horizon where customers can stay for ever in segments with a reward; reason says which. No rows for a NULL matrix. 22023 for a segment that the matrix does not have, for what is no number, a negative or infinite rate, and a horizon below 0 or above 1,000,000; 22004 for NULL rewards or rate.';

-- ---------------------------------------------------------------------------
-- tests
-- ---------------------------------------------------------------------------

CREATE FUNCTION migration_test(exposed migration_matrix, control migration_matrix, confidence double precision DEFAULT 0.95, with_nowhere boolean DEFAULT false)
	RETURNS TABLE (test text, from_segment text, kind text, statistic double precision, degrees_of_freedom bigint,
		p_value double precision, p_value_holm double precision, significant boolean,
		expected_under_5 double precision, warning boolean,
		exposed_customers bigint, control_customers bigint, reason text, note text)
	AS 'MODULE_PATHNAME', 'migration_test' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 14;
COMMENT ON FUNCTION migration_test(migration_matrix, migration_matrix, double precision, boolean) IS
'did customers who were exposed to a campaign move otherwise than those of a control group? For each segment that they left (test ''row'') and for all of these together (''overall'', from_segment NULL) a statistic of both kinds: ''pearson'' = sum of (observed - expected)^2 / expected, and ''g'' = 2 sum of observed ln(observed / expected). degrees_of_freedom: over rows and columns with customers only; overall they and the statistics are sums (Anderson and Goodman 1957). p_value: P(as much or more if both move alike). p_value_holm: that of a segment, adjusted for all segments that are tested (Holm 1979); NULL overall. significant: p_value_holm, overall p_value, is below 1 - confidence. warning: more than 20 % of expected counts are under 5 (their share is expected_under_5), so that p values are rough. Segments are matched by name; note names those that only one matrix knows. with_nowhere: (left) is a way to go, and those (entered) are tested as well. NULL where nothing can be compared; reason says why. No rows if a matrix is NULL. 22023 for a matrix of given probabilities, and unless 0 < confidence < 1.';

CREATE FUNCTION migration_test_cells(exposed migration_matrix, control migration_matrix, confidence double precision DEFAULT 0.95, with_nowhere boolean DEFAULT false)
	RETURNS TABLE (from_segment text, to_segment text, exposed_customers bigint, exposed_probability double precision,
		control_customers bigint, control_probability double precision,
		difference double precision, difference_low double precision, difference_high double precision,
		customers_moved double precision, reason text, note text)
	AS 'MODULE_PATHNAME', 'migration_test_cells' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 36;
COMMENT ON FUNCTION migration_test_cells(migration_matrix, migration_matrix, double precision, boolean) IS
'where customers who were exposed to a campaign moved otherwise than those of a control group: one row for each pair of segments. difference = exposed_probability - control_probability, with Newcombe''s limits at confidence (1998, method 10). customers_moved = difference times the exposed customers who left from_segment: so many more of them (fewer if negative) came to to_segment than if they had moved like the control group. Segments are matched by name; note names those that only one matrix knows. with_nowhere: (left) is a way to go, and those (entered) are compared as well. NULL where one group has no customers leaving from_segment; reason says so. No rows if a matrix is NULL. 22023 for a matrix of given probabilities, and unless 0 < confidence < 1.';

CREATE FUNCTION migration_homogeneity(matrix migration_matrix, confidence double precision DEFAULT 0.95, with_nowhere boolean DEFAULT false)
	RETURNS TABLE (test text, from_segment text, kind text, statistic double precision, degrees_of_freedom bigint,
		p_value double precision, p_value_holm double precision, significant boolean,
		expected_under_5 double precision, warning boolean,
		samples integer, customers bigint, reason text, note text)
	AS 'MODULE_PATHNAME', 'migration_homogeneity' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 14;
COMMENT ON FUNCTION migration_homogeneity(migration_matrix, double precision, boolean) IS
'do customers move alike in all periods of a matrix made of a panel? Where they do not, one matrix for all periods, its forecasts and its steady state are averages of different processes. Columns as of migration_test(): for each segment and overall Pearson''s statistic and G of the periods by where customers went (Anderson and Goodman 1957), degrees of freedom over periods and columns with customers only; samples: periods with customers. NULL of other matrices, and where nothing can be compared; reason says why. No rows for a NULL matrix. 22023 unless 0 < confidence < 1.';

CREATE FUNCTION migration_homogeneity(matrices migration_matrix[], confidence double precision DEFAULT 0.95, with_nowhere boolean DEFAULT false)
	RETURNS TABLE (test text, from_segment text, kind text, statistic double precision, degrees_of_freedom bigint,
		p_value double precision, p_value_holm double precision, significant boolean,
		expected_under_5 double precision, warning boolean,
		samples integer, customers bigint, reason text, note text)
	AS 'MODULE_PATHNAME', 'migration_homogeneity_array' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 14;
COMMENT ON FUNCTION migration_homogeneity(migration_matrix[], double precision, boolean) IS
'do the customers of several matrices move alike, say of countries or channels? Write migration_homogeneity(array_agg(m)). Columns as of migration_test(), for any number of matrices; samples: matrices with customers; note: segments that not all of them know. NULL matrices are left out. NULL where nothing can be compared; reason says why. No rows for a NULL array. 22023 for a matrix of given probabilities, and unless 0 < confidence < 1.';

CREATE FUNCTION migration_order(matrix migration_matrix)
	RETURNS TABLE (test text, kind text, statistic double precision, degrees_of_freedom bigint,
		p_value double precision, expected_under_5 double precision, warning boolean, reason text)
	AS 'MODULE_PATHNAME', 'migration_order' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 4;
COMMENT ON FUNCTION migration_order(migration_matrix) IS
'is it enough to know where a customer is? ''order_0_vs_1'': does it matter where customers come from; a small p_value says yes. ''order_1_vs_2'': does it matter, in the same segment, where they were a period before; a small p_value says that the process is not one of first order, and that its powers, steady state and absorption are not those of the customers. Pearson''s statistic and G, degrees of freedom over rows and columns with customers only (Anderson and Goodman 1957). warning: more than 20 % of expected counts are under 5. The second test needs a matrix made of a panel; NULL of others, and reason says why. No rows for NULL.';

-- ---------------------------------------------------------------------------
-- segment(): the behaviour segment of a customer at a day
-- ---------------------------------------------------------------------------

CREATE FUNCTION segment(history customer_history, as_of date DEFAULT NULL,
		inactive_after integer DEFAULT 365,
		seasonal_min_days integer DEFAULT 3, seasonal_min_years integer DEFAULT 2, seasonal_min_age integer DEFAULT 365,
		max_chance double precision DEFAULT 0.05, season_start integer DEFAULT 12, season_months integer DEFAULT 3,
		loyalist_share double precision DEFAULT 0.75, loyalist_windows integer DEFAULT 4, loyalist_window_days integer DEFAULT 91)
	RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION segment(customer_history, date, integer, integer, integer, integer, double precision, integer, integer, double precision, integer, integer) IS
'behaviour segment of a customer, from the purchase days up to as_of (NULL = the last active day). The first rule that fits: ''seasonal'': at least seasonal_min_days days, all in one season of the year, of at least seasonal_min_years years, the first at least seasonal_min_age days ago, that season of the next year not yet over, and seasonal_chance() at most max_chance (NULL or 1 = any); ''inactive'': the last day more than inactive_after days ago; ''one_time'', ''two_time'': one or two days; ''loyalist'': days in at least loyalist_share of the last loyalist_windows windows of loyalist_window_days days back from as_of, or of those since the first day where they are fewer; else ''under_performer''. NULL before the first purchase. Seasons are of season_months months (1, 2, 3, 4 or 6), one of them beginning with month season_start; its year begins with it, so that December belongs to the winter of the next. NULL or impossible thresholds and an infinite as_of are errors. segment_rules() says the rules in words.';

CREATE FUNCTION segment_rules(
		inactive_after integer DEFAULT 365,
		seasonal_min_days integer DEFAULT 3, seasonal_min_years integer DEFAULT 2, seasonal_min_age integer DEFAULT 365,
		max_chance double precision DEFAULT 0.05, season_start integer DEFAULT 12, season_months integer DEFAULT 3,
		loyalist_share double precision DEFAULT 0.75, loyalist_windows integer DEFAULT 4, loyalist_window_days integer DEFAULT 91)
	RETURNS TABLE (place integer, segment text, rule text)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 6;
COMMENT ON FUNCTION segment_rules(integer, integer, integer, integer, double precision, integer, integer, double precision, integer, integer) IS
'the rules of segment() in the order in which they are tried, in words, with the thresholds in force: those of segment(), by the same names and with the same defaults';

CREATE FUNCTION seasonal_chance(history customer_history, as_of date DEFAULT NULL,
		seasonal_min_years integer DEFAULT 2, season_start integer DEFAULT 12, season_months integer DEFAULT 3)
	RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION seasonal_chance(customer_history, date, integer, integer, integer) IS
'how likely a customer without seasons, with as many purchase days since the same first day, has all of them in the season of the first one, of at least seasonal_min_years years: with n days, N days after the first until the end of observation, M of these in that season of any year and m in that of the first year, (C(M, n-1) - C(m, n-1)) / C(N, n-1), for one year without the second term, for more than two an upper bound. The end of observation may be any day from the last purchase to as_of (NULL = the last active day), since the customer may have left: the largest value counts. NULL before the first purchase. segment() calls nobody seasonal whose chance is above max_chance.';

-- ---------------------------------------------------------------------------
-- rfm_score(): recency, frequency and monetary scores among the customers of a window
-- ---------------------------------------------------------------------------

CREATE FUNCTION rfm_score(recency "any", frequency "any", monetary "any", bins integer DEFAULT 5, nested boolean DEFAULT false,
		recency_cuts double precision[] DEFAULT NULL, frequency_cuts double precision[] DEFAULT NULL, monetary_cuts double precision[] DEFAULT NULL)
	RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_score("any", "any", "any", integer, boolean, double precision[], double precision[], double precision[]) IS
'recency, frequency and monetary scores of a customer among those of the partition, a digit each, best = bins, as ''543''. Score = ceil(bins * share of customers who are no better), so that equal values share a score; order, frame and ORDER BY of the window do not matter. Numbers, intervals, or times; recency is time since the last purchase (as_of - last_day(h); not the recency of rfm(), which is first to last purchase), less being better, or its date or timestamp, later being better. nested: frequency is scored among customers of the same recency score, monetary among those of the same two. .._cuts: fixed cut points in ascending order instead of quantiles, intervals in days; a value on a cut point has the better score. A customer with a NULL has a NULL score and is not counted; NaN is an error. bins: 2 to 9. Options are those of the first row of the partition.';

CREATE FUNCTION rfm_score(value "any", lower_is_better boolean DEFAULT false, bins integer DEFAULT 5, cuts double precision[] DEFAULT NULL)
	RETURNS integer
	AS 'MODULE_PATHNAME', 'rfm_score_value' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_score("any", boolean, integer, double precision[]) IS
'score 1..bins of one measure among the rows of the partition, best = bins: ceil(bins * cume_dist), so that equal values share a score; order, frame and ORDER BY of the window do not matter. Numbers, intervals or times. lower_is_better: for recency in days. cuts: fixed cut points in ascending order instead of quantiles, intervals in days; a value on a cut point has the better score. NULL has a NULL score and is not counted; NaN is an error. bins: 2 to 1000. Partitioned by another score, it is nested in that.';

CREATE FUNCTION rfm_segment(recency_score integer, frequency_score integer, map jsonb DEFAULT NULL, bins integer DEFAULT 5)
	RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_segment(integer, integer, jsonb, integer) IS
'the segment of a customer''s recency and frequency scores (1..bins, best = bins). map NULL: the ten names of rfm_segment_rules() for scores 1..5; else a map of your own, {"best": "r4-5 f4-5", "rest": ["r1-3 f1-5", "r4-5 f1-3"]}, which must name each cell once: a hole or an overlap is an error that names the cell (22023). NULL if a score is; 22023 if it is not from 1 to bins.';

CREATE FUNCTION rfm_segment(score text, map jsonb DEFAULT NULL, bins integer DEFAULT 5)
	RETURNS text
	AS 'MODULE_PATHNAME', 'rfm_segment_text' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rfm_segment(text, jsonb, integer) IS
'the segment of a score as rfm_score() makes it, ''543'': of its first two digits, recency and frequency. map and bins as for two integer scores. NULL if the score is NULL.';

CREATE FUNCTION rfm_segment_rules(map jsonb DEFAULT NULL, bins integer DEFAULT 5)
	RETURNS TABLE (place integer, segment text, recency_low integer, recency_high integer, frequency_low integer, frequency_high integer)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 10;
COMMENT ON FUNCTION rfm_segment_rules(jsonb, integer) IS
'the map of rfm_segment() as rows: the scores, inclusive, that make up each segment; a segment of several rectangles has a row for each. map NULL: the default map. A map of your own is checked as rfm_segment() checks it.';

-- ---------------------------------------------------------------------------
-- migration_matrix of a panel: one row per customer and period
-- ---------------------------------------------------------------------------

CREATE FUNCTION migration_panel_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION migration_panel_serialize(internal) IS 'part of migration_matrix() over panels: a state for another process';

CREATE FUNCTION migration_panel_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION migration_panel_deserialize(bytea, internal) IS 'part of migration_matrix() over panels: a state from another process';

CREATE FUNCTION migration_panel_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_panel_combine(internal, internal) IS 'part of migration_matrix() over panels: two states as one';

CREATE FUNCTION migration_panel_final(internal) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_panel_final(internal) IS 'part of migration_matrix() over panels: the matrix of a state';

CREATE FUNCTION migration_panel_trans(internal, anyelement, "any", "any", text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION migration_panel_trans(internal, anyelement, "any", "any", text) IS 'part of migration_matrix() over panels: one row';

CREATE AGGREGATE migration_matrix(customer anyelement, at "any", segment "any", period text) (
	SFUNC = migration_panel_trans,
	STYPE = internal,
	SSPACE = 384,
	FINALFUNC = migration_panel_final,
	COMBINEFUNC = migration_panel_combine,
	SERIALFUNC = migration_panel_serialize,
	DESERIALFUNC = migration_panel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(anyelement, "any", "any", text) IS
'migration_matrix of a panel: one row per customer and calendar period with its segment, in any order. Customers are counted from each period to the next one (by cell, by cell and period, and by runs of three periods for migration_order() and migration_homogeneity()). customer: of any hashable type; at: date, timestamp or timestamptz; segment: text, an integer or an enum (then its labels are the states, all of them, in its order). Rows with NULL in one of these are skipped: a period without a row is a gap, and no customer moves across a gap, or is counted as entered or left. Of two rows of a customer in one period the later one counts; at the same time, the one whose segment stands later among the states. The last period of a customer is in no denominator. period: ''hour'', ''day'', ''week'' (''week:sunday''), ''month'', ''quarter'', ''year''; the days of timestamptz are those of the session''s TimeZone, date and timestamp are wall clock. Period must be the same in all rows of a group (22023, NULL 22004). 22008 for infinite times; 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 42804 for another type; 42883 for customers that cannot be hashed; 54000 for more than 1000 segments. Zero rows give a matrix without states.';

CREATE FUNCTION migration_panel_zone_trans(internal, anyelement, "any", "any", text, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION migration_panel_zone_trans(internal, anyelement, "any", "any", text, text) IS 'part of migration_matrix() over panels: one row';

CREATE AGGREGATE migration_matrix(customer anyelement, at "any", segment "any", period text, time_zone text) (
	SFUNC = migration_panel_zone_trans,
	STYPE = internal,
	SSPACE = 384,
	FINALFUNC = migration_panel_final,
	COMBINEFUNC = migration_panel_combine,
	SERIALFUNC = migration_panel_serialize,
	DESERIALFUNC = migration_panel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(anyelement, "any", "any", text, text) IS
'migration_matrix of a panel: one row per customer and calendar period with its segment, in any order. Customers are counted from each period to the next one (by cell, by cell and period, and by runs of three periods for migration_order() and migration_homogeneity()). customer: of any hashable type; at: date, timestamp or timestamptz; segment: text, an integer or an enum (then its labels are the states, all of them, in its order). Rows with NULL in one of these are skipped: a period without a row is a gap, and no customer moves across a gap, or is counted as entered or left. Of two rows of a customer in one period the later one counts; at the same time, the one whose segment stands later among the states. The last period of a customer is in no denominator. period: ''hour'', ''day'', ''week'' (''week:sunday''), ''month'', ''quarter'', ''year''; time_zone: of timestamptz; date and timestamp are wall clock and not converted. Period and time zone must be the same in all rows of a group (22023, NULL 22004). 22008 for infinite times; 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 42804 for another type; 42883 for customers that cannot be hashed; 54000 for more than 1000 segments. Zero rows give a matrix without states.';

CREATE FUNCTION migration_panel_states_trans(internal, anyelement, "any", "any", text, text[]) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION migration_panel_states_trans(internal, anyelement, "any", "any", text, text[]) IS 'part of migration_matrix() over panels: one row';

CREATE AGGREGATE migration_matrix(customer anyelement, at "any", segment "any", period text, states text[]) (
	SFUNC = migration_panel_states_trans,
	STYPE = internal,
	SSPACE = 384,
	FINALFUNC = migration_panel_final,
	COMBINEFUNC = migration_panel_combine,
	SERIALFUNC = migration_panel_serialize,
	DESERIALFUNC = migration_panel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(anyelement, "any", "any", text, text[]) IS
'migration_matrix of a panel: one row per customer and calendar period with its segment, in any order. Customers are counted from each period to the next one (by cell, by cell and period, and by runs of three periods for migration_order() and migration_homogeneity()). customer: of any hashable type; at: date, timestamp or timestamptz; segment: text, an integer or an enum. Rows with NULL in one of these are skipped: a period without a row is a gap, and no customer moves across a gap, or is counted as entered or left. Of two rows of a customer in one period the later one counts; at the same time, the one whose segment stands later among the states. The last period of a customer is in no denominator. period: ''hour'', ''day'', ''week'' (''week:sunday''), ''month'', ''quarter'', ''year''; the days of timestamptz are those of the session''s TimeZone, date and timestamp are wall clock. states: all states in their order; they are kept where nobody was in them, and any other segment is 22023. Period and states must be the same in all rows of a group (22023, NULL 22004). 22008 for infinite times; 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 42804 for another type; 42883 for customers that cannot be hashed; 54000 for more than 1000 segments. Zero rows give a matrix without states.';

CREATE FUNCTION migration_panel_states_trans(internal, anyelement, "any", "any", text, bigint[]) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION migration_panel_states_trans(internal, anyelement, "any", "any", text, bigint[]) IS 'part of migration_matrix() over panels: one row';

CREATE AGGREGATE migration_matrix(customer anyelement, at "any", segment "any", period text, states bigint[]) (
	SFUNC = migration_panel_states_trans,
	STYPE = internal,
	SSPACE = 384,
	FINALFUNC = migration_panel_final,
	COMBINEFUNC = migration_panel_combine,
	SERIALFUNC = migration_panel_serialize,
	DESERIALFUNC = migration_panel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(anyelement, "any", "any", text, bigint[]) IS
'migration_matrix of a panel: one row per customer and calendar period with its segment, in any order. Customers are counted from each period to the next one (by cell, by cell and period, and by runs of three periods for migration_order() and migration_homogeneity()). customer: of any hashable type; at: date, timestamp or timestamptz; segment: text, an integer or an enum. Rows with NULL in one of these are skipped: a period without a row is a gap, and no customer moves across a gap, or is counted as entered or left. Of two rows of a customer in one period the later one counts; at the same time, the one whose segment stands later among the states. The last period of a customer is in no denominator. period: ''hour'', ''day'', ''week'' (''week:sunday''), ''month'', ''quarter'', ''year''; the days of timestamptz are those of the session''s TimeZone, date and timestamp are wall clock. states: all states in their order; they are kept where nobody was in them, and any other segment is 22023. Period and states must be the same in all rows of a group (22023, NULL 22004). 22008 for infinite times; 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 42804 for another type; 42883 for customers that cannot be hashed; 54000 for more than 1000 segments. Zero rows give a matrix without states.';

CREATE FUNCTION migration_panel_states_zone_trans(internal, anyelement, "any", "any", text, text[], text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION migration_panel_states_zone_trans(internal, anyelement, "any", "any", text, text[], text) IS 'part of migration_matrix() over panels: one row';

CREATE AGGREGATE migration_matrix(customer anyelement, at "any", segment "any", period text, states text[], time_zone text) (
	SFUNC = migration_panel_states_zone_trans,
	STYPE = internal,
	SSPACE = 384,
	FINALFUNC = migration_panel_final,
	COMBINEFUNC = migration_panel_combine,
	SERIALFUNC = migration_panel_serialize,
	DESERIALFUNC = migration_panel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(anyelement, "any", "any", text, text[], text) IS
'migration_matrix of a panel: one row per customer and calendar period with its segment, in any order. Customers are counted from each period to the next one (by cell, by cell and period, and by runs of three periods for migration_order() and migration_homogeneity()). customer: of any hashable type; at: date, timestamp or timestamptz; segment: text, an integer or an enum. Rows with NULL in one of these are skipped: a period without a row is a gap, and no customer moves across a gap, or is counted as entered or left. Of two rows of a customer in one period the later one counts; at the same time, the one whose segment stands later among the states. The last period of a customer is in no denominator. period: ''hour'', ''day'', ''week'' (''week:sunday''), ''month'', ''quarter'', ''year''; time_zone: of timestamptz; date and timestamp are wall clock and not converted. states: all states in their order; they are kept where nobody was in them, and any other segment is 22023. Period, states and time zone must be the same in all rows of a group (22023, NULL 22004). 22008 for infinite times; 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 42804 for another type; 42883 for customers that cannot be hashed; 54000 for more than 1000 segments. Zero rows give a matrix without states.';

CREATE FUNCTION migration_panel_states_zone_trans(internal, anyelement, "any", "any", text, bigint[], text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION migration_panel_states_zone_trans(internal, anyelement, "any", "any", text, bigint[], text) IS 'part of migration_matrix() over panels: one row';

CREATE AGGREGATE migration_matrix(customer anyelement, at "any", segment "any", period text, states bigint[], time_zone text) (
	SFUNC = migration_panel_states_zone_trans,
	STYPE = internal,
	SSPACE = 384,
	FINALFUNC = migration_panel_final,
	COMBINEFUNC = migration_panel_combine,
	SERIALFUNC = migration_panel_serialize,
	DESERIALFUNC = migration_panel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(anyelement, "any", "any", text, bigint[], text) IS
'migration_matrix of a panel: one row per customer and calendar period with its segment, in any order. Customers are counted from each period to the next one (by cell, by cell and period, and by runs of three periods for migration_order() and migration_homogeneity()). customer: of any hashable type; at: date, timestamp or timestamptz; segment: text, an integer or an enum. Rows with NULL in one of these are skipped: a period without a row is a gap, and no customer moves across a gap, or is counted as entered or left. Of two rows of a customer in one period the later one counts; at the same time, the one whose segment stands later among the states. The last period of a customer is in no denominator. period: ''hour'', ''day'', ''week'' (''week:sunday''), ''month'', ''quarter'', ''year''; time_zone: of timestamptz; date and timestamp are wall clock and not converted. states: all states in their order; they are kept where nobody was in them, and any other segment is 22023. Period, states and time zone must be the same in all rows of a group (22023, NULL 22004). 22008 for infinite times; 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 42804 for another type; 42883 for customers that cannot be hashed; 54000 for more than 1000 segments. Zero rows give a matrix without states.';

----------------------------------------------------------------------
-- Proportions
----------------------------------------------------------------------

CREATE FUNCTION proportion_interval(hits bigint, trials bigint, confidence double precision DEFAULT 0.95, method text DEFAULT 'wilson')
	RETURNS TABLE (proportion double precision, low double precision, high double precision)
	AS 'MODULE_PATHNAME', 'proportion_interval' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION proportion_interval(bigint, bigint, double precision, text) IS
'hits / trials and its limits, one row. method: ''wilson'' (score limits, Wilson 1927), ''wilson_cc'' (with continuity correction, Newcombe 1998), ''wald'' (normal approximation, cut to 0..1: too narrow for few hits), ''agresti_coull'' (Agresti and Coull 1998, cut to 0..1), ''clopper_pearson'' (exact, Clopper and Pearson 1934: never covers less than promised), ''jeffreys'' (Bayesian with Jeffreys'' prior, Brown, Cai and DasGupta 2001; 0 and 1 where none or all are hits). NULLs for 0 trials or a NULL count; confidence NULL = 0.95, method NULL = ''wilson''. 22023 unless 0 <= hits <= trials and 0 < confidence < 1, and for an unknown method.';

CREATE FUNCTION proportion_test(hits1 bigint, trials1 bigint, hits2 bigint, trials2 bigint, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (difference double precision, z double precision, p_value double precision,
		wald_low double precision, wald_high double precision, low double precision,
		high double precision, fisher_p double precision)
	AS 'MODULE_PATHNAME', 'proportion_test' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION proportion_test(bigint, bigint, bigint, bigint, double precision) IS
'two proportions of independent samples, one row: difference = hits1 / trials1 - hits2 / trials2; z and its two-sided p_value by the pooled test without continuity correction (its square is Pearson''s chi-square), NULL where none or all of both samples are hits; wald_low, wald_high: Wald limits of the difference, variances not pooled, cut to -1..1; low, high: limits by the square and add rule on Wilson''s (Newcombe 1998, method 10); fisher_p: Fisher''s exact test (1935), two-sided: all tables with these margins that are not more probable, NULL where both samples are beyond some 1e12. NULLs for 0 trials or a NULL count; confidence NULL = 0.95. 22023 unless 0 <= hits <= trials and 0 < confidence < 1.';

----------------------------------------------------------------------
-- What customers say
----------------------------------------------------------------------

CREATE TYPE nps_counts AS (promoters bigint, passives bigint, detractors bigint);
COMMENT ON TYPE nps_counts IS
'answers to "how likely are you to recommend us", counted: promoters (9 and 10), passives (7 and 8), detractors (0 to 6); made by nps_counts(score)';

CREATE FUNCTION nps_trans(bigint[], bigint) RETURNS bigint[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nps_trans(bigint[], bigint) IS 'part of nps(): one answer';

CREATE FUNCTION nps_trans(bigint[], bigint, bigint) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'nps_trans_responses' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nps_trans(bigint[], bigint, bigint) IS 'part of nps(): so many answers';

CREATE FUNCTION nps_trans(bigint[], nps_counts) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'nps_counts_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nps_trans(bigint[], nps_counts) IS 'part of rollup(nps_counts): counts of one group';

CREATE FUNCTION nps_combine(bigint[], bigint[]) RETURNS bigint[]
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION nps_combine(bigint[], bigint[]) IS 'part of nps(): two states as one';

CREATE FUNCTION nps_final(bigint[]) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nps_final(bigint[]) IS 'part of nps(): the score of a state';

CREATE FUNCTION nps_counts_final(bigint[]) RETURNS nps_counts
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nps_counts_final(bigint[]) IS 'part of nps_counts(): the counts of a state';

CREATE AGGREGATE nps(score bigint) (
	SFUNC = nps_trans,
	STYPE = bigint[],
	INITCOND = '{0,0,0}',
	FINALFUNC = nps_final,
	COMBINEFUNC = nps_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE nps(bigint) IS
'net promoter score, -100 to 100: 100 * (share of answers 9 and 10 - share of answers 0 to 6), from the answers 0 to 10 (Reichheld 2003). NULL answers are left out; NULL without answers; 22023 for an answer beyond 0..10. Limits: nps_rows(nps_counts(score)).';

CREATE AGGREGATE nps(score bigint, responses bigint) (
	SFUNC = nps_trans,
	STYPE = bigint[],
	INITCOND = '{0,0,0}',
	FINALFUNC = nps_final,
	COMBINEFUNC = nps_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE nps(bigint, bigint) IS
'net promoter score, -100 to 100, of rows that stand for several answers each. NULL scores or numbers are left out; NULL without answers; 22023 for a score beyond 0..10 and for a negative number.';

CREATE AGGREGATE nps_counts(score bigint) (
	SFUNC = nps_trans,
	STYPE = bigint[],
	INITCOND = '{0,0,0}',
	FINALFUNC = nps_counts_final,
	COMBINEFUNC = nps_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE nps_counts(bigint) IS
'answers 0 to 10, counted as promoters (9, 10), passives (7, 8) and detractors (0 to 6): what nps_rows() and nps_test() take. NULL answers are left out; 22023 for an answer beyond 0..10.';

CREATE AGGREGATE nps_counts(score bigint, responses bigint) (
	SFUNC = nps_trans,
	STYPE = bigint[],
	INITCOND = '{0,0,0}',
	FINALFUNC = nps_counts_final,
	COMBINEFUNC = nps_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE nps_counts(bigint, bigint) IS
'answers 0 to 10, counted as promoters, passives and detractors, of rows that stand for several answers each. NULL scores or numbers are left out; 22023 for a score beyond 0..10 and for a negative number.';

CREATE AGGREGATE rollup(nps_counts) (
	SFUNC = nps_trans,
	STYPE = bigint[],
	INITCOND = '{0,0,0}',
	FINALFUNC = nps_counts_final,
	COMBINEFUNC = nps_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(nps_counts) IS
'counts of several groups or periods added up; a NULL count is none. 22023 for a negative one.';

CREATE FUNCTION nps(counts nps_counts) RETURNS double precision
	AS 'MODULE_PATHNAME', 'nps_of_counts' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nps(nps_counts) IS
'net promoter score, -100 to 100, of counted answers. NULL without answers.';

CREATE FUNCTION nps_rows(counts nps_counts, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (nps double precision, low double precision, high double precision,
		responses bigint, promoters bigint, passives bigint, detractors bigint,
		standard_error double precision, wald_low double precision, wald_high double precision,
		t_low double precision, t_high double precision,
		adjusted_nps double precision, adjusted_error double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION nps_rows(nps_counts, double precision) IS
'net promoter score and its limits, one row; all in points, -100 to 100. low, high: the adjusted Wald interval, three answers added (3/4 promoters, 3/2 passives, 3/4 detractors; Rocks 2016, The American Statistician 70), which holds also where all say the same; its centre and error are adjusted_nps and adjusted_error. standard_error: 100 sqrt((p + d - (p - d)^2) / n); wald_low, wald_high: nps -/+ z of it (width 0 where all say the same); t_low, t_high: by Student''s t with n - 1, not cut. NULLs without answers; no row for NULL. confidence NULL = 0.95; 22023 outside 0..1. 22003 for more answers than a bigint holds.';

CREATE FUNCTION nps_test(a nps_counts, b nps_counts, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (difference double precision, standard_error double precision, z double precision,
		p_value double precision, low double precision, high double precision,
		adjusted_difference double precision, adjusted_z double precision, adjusted_p_value double precision,
		chi_square double precision, degrees_of_freedom bigint, chi_square_p double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION nps_test(nps_counts, nps_counts, double precision) IS
'two periods or groups of different customers, one row: difference = nps of b - nps of a, in points, its standard_error, z, two-sided p_value and limits (Wald); the same from the adjusted counts (Rocks 2016), to be preferred for few answers; Pearson''s chi-square of the 3 x 2 table of counts (does anything differ, not only the score). z NULL where nobody differs within the groups, all NULL where one has no answers; no row for NULL. confidence NULL = 0.95; 22023 outside 0..1.';

----------------------------------------------------------------------
-- Health
----------------------------------------------------------------------

CREATE FUNCTION health_score(nps double precision, tickets double precision, usage double precision,
		nps_weight double precision DEFAULT 0.3, tickets_weight double precision DEFAULT 0.2,
		usage_weight double precision DEFAULT 0.5, tickets_high double precision DEFAULT 5,
		usage_high double precision DEFAULT 1) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION health_score(double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision) IS
'a customer''s health, 0 to 100 (best): the weighted mean of three parts: his last NPS answer (0..10, times 10), tickets (100 * (1 - tickets / tickets_high), 0 from tickets_high on) and usage (100 * usage / usage_high, at most 100; say the share of seats or of days in use). A NULL part is left out with its weight, never taken for an average one: see coverage in health_rows(). NULL where no part with a weight is known. 22023 for an answer beyond 0..10, negative tickets, usage or weights, weights that are all 0; 22004 for a NULL weight or bound. Whether it says anything: auc(100 - health, churned).';

CREATE FUNCTION health_rows(nps double precision, tickets double precision, usage double precision,
		nps_weight double precision DEFAULT 0.3, tickets_weight double precision DEFAULT 0.2,
		usage_weight double precision DEFAULT 0.5, tickets_high double precision DEFAULT 5,
		usage_high double precision DEFAULT 1)
	RETURNS TABLE (score double precision, coverage double precision, band text,
		nps_part double precision, tickets_part double precision, usage_part double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION health_rows(double precision, double precision, double precision, double precision, double precision, double precision, double precision, double precision) IS
'health_score() with what it is made of, one row: coverage, the share of all weight whose parts are known, 0 to 1; band: ''poor'' below 40, ''fair'', ''good'' from 70 on, NULL where coverage is below 0.5; the parts, 0 to 100, NULL where not known. Errors as for health_score().';

CREATE FUNCTION health_score(parts double precision[], weights double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'health_score_parts' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION health_score(double precision[], double precision[]) IS
'health from parts of one''s own, each 0 to 100 (best): their weighted mean over what is not NULL. NULL where no part with a weight is known. 22023 for parts beyond 0..100, negative weights or weights that are all 0; 22004 for a NULL weight; 2202E for lists of different lengths.';

CREATE FUNCTION health_coverage(parts double precision[], weights double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION health_coverage(double precision[], double precision[]) IS
'the share of all weight whose parts are known, 0 to 1: how much health_score(parts, weights) rests on. Errors as there.';

----------------------------------------------------------------------
-- survival_table: who left when, tallied
----------------------------------------------------------------------

CREATE TYPE survival_table;

CREATE FUNCTION survival_table_in(cstring) RETURNS survival_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_table_in(cstring) IS
'survival_table from its text form (base64 of its bytes), validated in full; 22P02 if it is no canonical value';

CREATE FUNCTION survival_table_out(survival_table) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_table_out(survival_table) IS
'text form of a survival_table: base64 of its bytes, lossless and free of any setting';

CREATE FUNCTION survival_table_recv(internal) RETURNS survival_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_table_recv(internal) IS
'survival_table from its binary form, validated in full; 22P03 if it is no canonical value';

CREATE FUNCTION survival_table_send(survival_table) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_table_send(survival_table) IS
'binary form of a survival_table: its bytes, the same on every architecture';

CREATE TYPE survival_table (
	INTERNALLENGTH = VARIABLE,
	INPUT = survival_table_in,
	OUTPUT = survival_table_out,
	RECEIVE = survival_table_recv,
	SEND = survival_table_send,
	STORAGE = extended
);
COMMENT ON TYPE survival_table IS
'who left when: distinct durations with the numbers of customers that left then or were last seen still there; made by survival_curve(), logrank() and competing_risks(), added up by rollup(), read by survival_rows(), survival_at(), survival_interval(), survival_quantile(), restricted_mean(), survival_conditional(), survival_chart() and others; equal tables have equal bytes';

CREATE FUNCTION survival_table_eq(survival_table, survival_table) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_table_eq(survival_table, survival_table) IS
'the same rows';

CREATE FUNCTION survival_table_ne(survival_table, survival_table) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_table_ne(survival_table, survival_table) IS
'different rows';

CREATE FUNCTION survival_table_hash(survival_table) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_table_hash(survival_table) IS
'hash of a survival_table, for GROUP BY and DISTINCT';

CREATE FUNCTION survival_table_hash_extended(survival_table, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_table_hash_extended(survival_table, bigint) IS
'hash of a survival_table with a seed, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = survival_table, RIGHTARG = survival_table, FUNCTION = survival_table_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (survival_table, survival_table) IS 'same rows';

CREATE OPERATOR <> (
	LEFTARG = survival_table, RIGHTARG = survival_table, FUNCTION = survival_table_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (survival_table, survival_table) IS 'different rows';

CREATE OPERATOR CLASS survival_table_ops DEFAULT FOR TYPE survival_table USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 survival_table_hash(survival_table),
	FUNCTION 2 survival_table_hash_extended(survival_table, bigint);
COMMENT ON OPERATOR CLASS survival_table_ops USING hash IS 'lets survival tables be grouped, made distinct and hash-joined';
COMMENT ON OPERATOR FAMILY survival_table_ops USING hash IS 'hashing of survival tables';

CREATE FUNCTION survival_table_to_jsonb(survival_table) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_table_to_jsonb(survival_table) IS
'a survival_table as JSON: duration_type and the distinct rows: duration (of intervals, microseconds), event or cause, and count; group, stratum, entry and weight where it has them';

CREATE CAST (survival_table AS jsonb) WITH FUNCTION survival_table_to_jsonb(survival_table);
COMMENT ON CAST (survival_table AS jsonb) IS 'everything a survival_table holds, readable';

----------------------------------------------------------------------
-- survival_curve(): from rows to a survival_table
----------------------------------------------------------------------

CREATE FUNCTION survival_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_combine(internal, internal) IS
'part of survival_curve(), logrank() and competing_risks(): two states as one';

CREATE FUNCTION survival_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_serialize(internal) IS
'part of survival_curve(), logrank() and competing_risks(): a state for another process';

CREATE FUNCTION survival_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_deserialize(bytea, internal) IS
'part of survival_curve(), logrank() and competing_risks(): a state of another process';

CREATE FUNCTION survival_final(internal) RETURNS survival_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_final(internal) IS
'part of survival_curve(), logrank() and competing_risks(): the table of a state';

CREATE FUNCTION survival_curve_trans(internal, anycompatible, boolean) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_curve_trans(internal, anycompatible, boolean) IS
'part of survival_curve(): one row';

CREATE AGGREGATE survival_curve(duration anycompatible, event boolean) (
	SFUNC = survival_curve_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = survival_final,
	COMBINEFUNC = survival_combine,
	SERIALFUNC = survival_serialize,
	DESERIALFUNC = survival_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE survival_curve(anycompatible, boolean) IS
'survival_table of customers, one row each, whose Kaplan-Meier curve survival_rows() shows. duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). event: true = left then, false = still there then (censored), and at risk of the events of that duration; NULL skips the row, so write coalesce(ended_on <= as_of, false): ended_on <= as_of alone is NULL for who is still there. Ties are exact. Rows with a NULL argument are skipped. 42804 for another type; 22023 for a negative, NaN or infinite duration; 22008 for an interval beyond the range of microseconds. Zero rows give a table without rows. Kaplan and Meier (1958).';

CREATE FUNCTION survival_curve_weight_trans(internal, anycompatible, boolean, double precision) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_curve_weight_trans(internal, anycompatible, boolean, double precision) IS
'part of survival_curve(): one row';

CREATE AGGREGATE survival_curve(duration anycompatible, event boolean, weight double precision) (
	SFUNC = survival_curve_weight_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = survival_final,
	COMBINEFUNC = survival_combine,
	SERIALFUNC = survival_serialize,
	DESERIALFUNC = survival_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE survival_curve(anycompatible, boolean, double precision) IS
'survival_table of customers, one row each, whose Kaplan-Meier curve survival_rows() shows. duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). event: true = left then, false = still there then (censored), and at risk of the events of that duration; NULL skips the row, so write coalesce(ended_on <= as_of, false): ended_on <= as_of alone is NULL for who is still there. weight: counts a row as so many customers; sums are exact; 0 skips it. Ties are exact. Rows with a NULL argument are skipped. 42804 for another type; 22023 for a negative, NaN or infinite duration and a negative, NaN or infinite weight; 22008 for an interval beyond the range of microseconds. Zero rows give a table without rows. Kaplan and Meier (1958).';

CREATE FUNCTION survival_curve_entry_trans(internal, anycompatible, anycompatible, boolean) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_curve_entry_trans(internal, anycompatible, anycompatible, boolean) IS
'part of survival_curve(): one row';

CREATE AGGREGATE survival_curve(entry anycompatible, duration anycompatible, event boolean) (
	SFUNC = survival_curve_entry_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = survival_final,
	COMBINEFUNC = survival_combine,
	SERIALFUNC = survival_serialize,
	DESERIALFUNC = survival_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE survival_curve(anycompatible, anycompatible, boolean) IS
'survival_table of customers, one row each, whose Kaplan-Meier curve survival_rows() shows. duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). event: true = left then, false = still there then (censored), and at risk of the events of that duration; NULL skips the row, so write coalesce(ended_on <= as_of, false): ended_on <= as_of alone is NULL for who is still there. entry: from when on the customer was in the data, in the same unit; at risk are entry < t <= duration (delayed entry, left truncation: for tables that start late). Ties are exact. Rows with a NULL argument are skipped. 42804 for another type; 22023 for a negative, NaN or infinite duration, and for an entry that is not before it; 22008 for an interval beyond the range of microseconds. Zero rows give a table without rows. Kaplan and Meier (1958).';

CREATE FUNCTION survival_curve_entry_weight_trans(internal, anycompatible, anycompatible, boolean, double precision) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_curve_entry_weight_trans(internal, anycompatible, anycompatible, boolean, double precision) IS
'part of survival_curve(): one row';

CREATE AGGREGATE survival_curve(entry anycompatible, duration anycompatible, event boolean, weight double precision) (
	SFUNC = survival_curve_entry_weight_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = survival_final,
	COMBINEFUNC = survival_combine,
	SERIALFUNC = survival_serialize,
	DESERIALFUNC = survival_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE survival_curve(anycompatible, anycompatible, boolean, double precision) IS
'survival_table of customers, one row each, whose Kaplan-Meier curve survival_rows() shows. duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). event: true = left then, false = still there then (censored), and at risk of the events of that duration; NULL skips the row, so write coalesce(ended_on <= as_of, false): ended_on <= as_of alone is NULL for who is still there. entry: from when on the customer was in the data, in the same unit; at risk are entry < t <= duration (delayed entry, left truncation: for tables that start late). weight: counts a row as so many customers; sums are exact; 0 skips it. Ties are exact. Rows with a NULL argument are skipped. 42804 for another type; 22023 for a negative, NaN or infinite duration, an entry that is not before it, and a negative, NaN or infinite weight; 22008 for an interval beyond the range of microseconds. Zero rows give a table without rows. Kaplan and Meier (1958).';

----------------------------------------------------------------------
-- Transition functions of logrank() and competing_risks()
----------------------------------------------------------------------

CREATE FUNCTION survival_grouped_trans(internal, anycompatible, boolean, "any") RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_grouped_trans(internal, anycompatible, boolean, "any") IS
'part of logrank(): one row';

CREATE FUNCTION survival_grouped_strata_trans(internal, anycompatible, boolean, "any", "any") RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_grouped_strata_trans(internal, anycompatible, boolean, "any", "any") IS
'part of logrank(): one row';

CREATE FUNCTION survival_grouped_entry_trans(internal, anycompatible, anycompatible, boolean, "any") RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_grouped_entry_trans(internal, anycompatible, anycompatible, boolean, "any") IS
'part of logrank(): one row';

CREATE FUNCTION survival_grouped_entry_strata_trans(internal, anycompatible, anycompatible, boolean, "any", "any") RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_grouped_entry_strata_trans(internal, anycompatible, anycompatible, boolean, "any", "any") IS
'part of logrank(): one row';

CREATE FUNCTION survival_causes_trans(internal, anycompatible, "any") RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_causes_trans(internal, anycompatible, "any") IS
'part of competing_risks(): one row';

CREATE FUNCTION survival_causes_entry_trans(internal, anycompatible, anycompatible, "any") RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_causes_entry_trans(internal, anycompatible, anycompatible, "any") IS
'part of competing_risks(): one row';

----------------------------------------------------------------------
-- rollup(survival_table)
----------------------------------------------------------------------

CREATE FUNCTION survival_table_rollup(survival_table, survival_table) RETURNS survival_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_table_rollup(survival_table, survival_table) IS
'part of rollup(): two survival tables as one';

CREATE FUNCTION survival_table_rollup_final(survival_table) RETURNS survival_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_table_rollup_final(survival_table) IS
'part of rollup(): the sum of survival tables';

CREATE AGGREGATE rollup(table_of_customers survival_table) (
	SFUNC = survival_table_rollup,
	STYPE = survival_table,
	FINALFUNC = survival_table_rollup_final,
	COMBINEFUNC = survival_table_rollup,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(survival_table) IS
'survival tables of disjoint customers as one: what one aggregate over all their rows gives, to the byte. NULLs are skipped; NULL without others. 22023 for durations of different types (numbers, floating-point numbers, intervals) and for tables with and without entries, groups, strata or causes; tables with and without weights add up.';

----------------------------------------------------------------------
-- What a survival_table says
----------------------------------------------------------------------

CREATE FUNCTION survival_rows(t survival_table, confidence double precision DEFAULT 0.95, interval_type text DEFAULT 'log-log')
	RETURNS TABLE (duration double precision, at_risk double precision, events double precision, censored double precision,
		survival double precision, standard_error double precision, low double precision, high double precision,
		cumulative_hazard double precision, cumulative_hazard_se double precision,
		hazard double precision, hazard_low double precision, hazard_high double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 100;
COMMENT ON FUNCTION survival_rows(survival_table, double precision, text) IS
'the Kaplan-Meier curve, one row a distinct duration (of intervals, in days), also those at which nobody but censored customers left: numbers at risk (entry < t <= duration), of events and of censored customers (sums of weights); survival just after it, prod(1 - d/n) (Kaplan and Meier 1958); Greenwood''s standard error S sqrt(sum d/(n(n-d))), NULL where S is 0; limits at confidence, interval_type ''plain'' S -/+ z se, ''log'' exp(ln S -/+ z se/S), both cut to [0, 1], or ''log-log'' S^exp(+/- z se/(S |ln S|)) (default; Kalbfleisch and Prentice 1980), NULL where S is 0 and, log-log, where it is 1; cumulative hazard sum d/n and its standard error sqrt(sum d/n^2) (Nelson 1972, Aalen 1978); hazard d/n with Wilson limits, which are NULL where weights make numbers that are not whole. Groups and strata of logrank() are taken together, and any cause of competing_risks() is an event. Arguments that are NULL stand for their defaults; no rows for a NULL or empty table. 22023 for another interval_type or confidence.';

CREATE FUNCTION survival_at(t survival_table, duration double precision, carry_forward boolean DEFAULT false) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_at(survival_table, double precision, boolean) IS
'the share of customers still there just after a duration, S(duration) of the Kaplan-Meier curve, right-continuous: 1 before the first event. NULL beyond the longest duration unless survival was 0 there, as it cannot be known yet, and for a table without rows; carry_forward: there what it was at the longest duration. Groups and strata of logrank() are taken together, and any cause of competing_risks() is an event. Durations of a table of intervals are days. 22023 for a negative duration or NaN.';

CREATE FUNCTION survival_at(t survival_table, duration interval, carry_forward boolean DEFAULT false) RETURNS double precision
	AS 'MODULE_PATHNAME', 'survival_at_interval' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_at(survival_table, interval, boolean) IS
'the share of customers still there just after a duration, S(duration) of the Kaplan-Meier curve, right-continuous: 1 before the first event; months are 30 days. NULL beyond the longest duration unless survival was 0 there, as it cannot be known yet, and for a table without rows; carry_forward: there what it was at the longest duration. Groups and strata of logrank() are taken together, and any cause of competing_risks() is an event. 42804 for a table whose durations are numbers, 22023 for a negative or infinite duration. Write interval ''90 days'': a bare ''90 days'' may be a number or an interval, and is an error.';

CREATE FUNCTION survival_interval(t survival_table, duration double precision, confidence double precision DEFAULT 0.95, interval_type text DEFAULT 'log-log')
	RETURNS TABLE (survival double precision, standard_error double precision, low double precision, high double precision)
	AS 'MODULE_PATHNAME', 'survival_limits' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION survival_interval(survival_table, double precision, double precision, text) IS
'one row: survival_at() a duration with what survival_rows() says of it: Greenwood''s standard error, and limits at confidence, interval_type ''log-log'' (Kalbfleisch and Prentice 1980), ''log'' or ''plain''. All NULL beyond the longest duration unless survival was 0 there, and for a table without rows; standard_error and limits NULL where survival is 0, limits by ''log-log'' also where it is 1. Groups and strata of logrank() are taken together, and any cause of competing_risks() is an event. Options that are NULL stand for their defaults; no row for a NULL table or duration. 22023 for a negative duration, NaN, another interval_type or confidence.';

CREATE FUNCTION survival_interval(t survival_table, duration interval, confidence double precision DEFAULT 0.95, interval_type text DEFAULT 'log-log')
	RETURNS TABLE (survival double precision, standard_error double precision, low double precision, high double precision)
	AS 'MODULE_PATHNAME', 'survival_limits_interval' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION survival_interval(survival_table, interval, double precision, text) IS
'one row: survival_at() a duration with what survival_rows() says of it: Greenwood''s standard error, and limits at confidence, interval_type ''log-log'' (Kalbfleisch and Prentice 1980), ''log'' or ''plain''; months are 30 days. All NULL beyond the longest duration unless survival was 0 there, and for a table without rows; standard_error and limits NULL where survival is 0, limits by ''log-log'' also where it is 1. Groups and strata of logrank() are taken together, and any cause of competing_risks() is an event. Options that are NULL stand for their defaults; no row for a NULL table or duration. 42804 for a table whose durations are numbers, 22023 for a negative or infinite duration, another interval_type or confidence. Write interval ''90 days'': a bare ''90 days'' may be a number or an interval, and is an error.';

CREATE FUNCTION survival_conditional(t survival_table, elapsed double precision, ahead double precision, carry_forward boolean DEFAULT false) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_conditional(survival_table, double precision, double precision, boolean) IS
'of the customers that are still there after elapsed, the share that will be after ahead more: S(elapsed + ahead) / S(elapsed). NULL where one of them is beyond the longest duration and survival was not 0 there, where S(elapsed) is 0, and for a table without rows; carry_forward: beyond the longest duration S is what it was there. Groups and strata of logrank() are taken together, and any cause of competing_risks() is an event. 1 minus it is the chance to leave within ahead. Durations of a table of intervals are days. 22023 for a negative elapsed or ahead, or NaN.';

CREATE FUNCTION survival_conditional(t survival_table, elapsed interval, ahead interval, carry_forward boolean DEFAULT false) RETURNS double precision
	AS 'MODULE_PATHNAME', 'survival_conditional_interval' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION survival_conditional(survival_table, interval, interval, boolean) IS
'of the customers that are still there after elapsed, the share that will be after ahead more: S(elapsed + ahead) / S(elapsed). NULL where one of them is beyond the longest duration and survival was not 0 there, where S(elapsed) is 0, and for a table without rows; carry_forward: beyond the longest duration S is what it was there. Groups and strata of logrank() are taken together, and any cause of competing_risks() is an event. 1 minus it is the chance to leave within ahead. Months are 30 days. 42804 for a table whose durations are numbers, 22023 for a negative or infinite elapsed or ahead. Write interval ''90 days'': a bare ''90 days'' may be a number or an interval, and is an error.';

CREATE FUNCTION survival_quantile(t survival_table, p double precision DEFAULT 0.5, confidence double precision DEFAULT 0.95, interval_type text DEFAULT 'log-log', midpoint boolean DEFAULT false)
	RETURNS TABLE (quantile double precision, low double precision, high double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION survival_quantile(survival_table, double precision, double precision, text, boolean) IS
'one row: the first duration (of intervals, in days) after which a share p or more has left, S <= 1 - p within 1e-12: p = 0.5 is the median; and where the limits of survival_rows() come to the same height (Brookmeyer and Crowley 1982); of limits that rise again, the highest of them not above it, as survfit of R has it. NULL = not reached, or no limit. midpoint: where S stays at exactly 1 - p for a while, the middle of that while, as survfit of R has it; until the longest duration where no event ends it. Groups and strata of logrank() are taken together, and any cause of competing_risks() is an event. Arguments that are NULL stand for their defaults. 22023 unless 0 < p < 1, for another interval_type or confidence.';

CREATE FUNCTION restricted_mean(t survival_table, tau double precision DEFAULT NULL, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (restricted_mean double precision, standard_error double precision, low double precision, high double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION restricted_mean(survival_table, double precision, double precision) IS
'one row: the mean time until leaving, no longer than tau: the area under S from 0 to tau, with its standard error sqrt(sum A^2 d/(n(n-d))), A the area from each event to tau (Irwin 1949, Klein and Moeschberger 2003), and limits mean -/+ z se, cut to [0, tau]. Beyond the longest duration S stays as it was there: choose a tau within the data. tau NULL: the longest duration. In the unit of the durations, of intervals in days. NULLs for a table without rows. Groups and strata of logrank() are taken together, and any cause of competing_risks() is an event. 22023 for a negative or infinite tau, NaN, or another confidence.';

CREATE FUNCTION restricted_mean(t survival_table, tau interval, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (restricted_mean double precision, standard_error double precision, low double precision, high double precision)
	AS 'MODULE_PATHNAME', 'restricted_mean_interval' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION restricted_mean(survival_table, interval, double precision) IS
'one row: the mean time until leaving, no longer than tau: the area under S from 0 to tau, with its standard error sqrt(sum A^2 d/(n(n-d))), A the area from each event to tau (Irwin 1949, Klein and Moeschberger 2003), and limits mean -/+ z se, cut to [0, tau]. Beyond the longest duration S stays as it was there: choose a tau within the data. In days; months of tau are 30 days. NULLs for a table without rows, no row for a NULL table or tau. Groups and strata of logrank() are taken together, and any cause of competing_risks() is an event. 42804 for a table whose durations are numbers, 22023 for a negative or infinite tau or another confidence. Write interval ''90 days'': a bare ''90 days'' may be a number or an interval, and is an error.';

CREATE FUNCTION survival_chart(t survival_table, width integer DEFAULT 60, height integer DEFAULT 10) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_chart(survival_table, integer, integer) IS
'the Kaplan-Meier curve as text: one column a duration from 0 to the longest, as high as the share that is still there; above it the numbers of customers and of those that left, and the median. width: columns, 20 to 200; height: lines, 2 to 60; 22023 for others. Groups and strata of logrank() are taken together, and any cause of competing_risks() is an event.';

----------------------------------------------------------------------
-- logrank(): do groups leave at the same rate?
----------------------------------------------------------------------

CREATE AGGREGATE logrank(duration anycompatible, event boolean, grp "any") (
	SFUNC = survival_grouped_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = survival_final,
	COMBINEFUNC = survival_combine,
	SERIALFUNC = survival_serialize,
	DESERIALFUNC = survival_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE logrank(anycompatible, boolean, "any") IS
'survival_table of customers in groups, one row each, for logrank_test() and logrank_groups(). duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). event: true = left then, false = still there then (censored); NULL skips the row, so write coalesce(ended_on <= as_of, false): ended_on <= as_of alone is NULL for who is still there. grp: any type, by its text. Rows with a NULL are skipped; without rows an empty table. 22023 for a negative duration and numbers that are not finite; 42804 for durations of other types.';

CREATE AGGREGATE logrank(duration anycompatible, event boolean, grp "any", stratum "any") (
	SFUNC = survival_grouped_strata_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = survival_final,
	COMBINEFUNC = survival_combine,
	SERIALFUNC = survival_serialize,
	DESERIALFUNC = survival_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE logrank(anycompatible, boolean, "any", "any") IS
'survival_table of customers in groups, one row each, for logrank_test() and logrank_groups(). duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). event: true = left then, false = still there then (censored); NULL skips the row, so write coalesce(ended_on <= as_of, false): ended_on <= as_of alone is NULL for who is still there. grp: any type, by its text. stratum: customers are only compared with those of the same stratum, and what comes out is summed up; any type, by its text. Rows with a NULL are skipped; without rows an empty table. 22023 for a negative duration and numbers that are not finite; 42804 for durations of other types.';

CREATE AGGREGATE logrank(entry anycompatible, duration anycompatible, event boolean, grp "any") (
	SFUNC = survival_grouped_entry_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = survival_final,
	COMBINEFUNC = survival_combine,
	SERIALFUNC = survival_serialize,
	DESERIALFUNC = survival_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE logrank(anycompatible, anycompatible, boolean, "any") IS
'survival_table of customers in groups, one row each, for logrank_test() and logrank_groups(). duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). event: true = left then, false = still there then (censored); NULL skips the row, so write coalesce(ended_on <= as_of, false): ended_on <= as_of alone is NULL for who is still there. entry: from when on the customer is known of (delayed entry), counted like duration: at risk is who has entered before a time and not left before it. grp: any type, by its text. Rows with a NULL are skipped; without rows an empty table. 22023 for a negative duration, an entry not before it and numbers that are not finite; 42804 for durations of other types.';

CREATE AGGREGATE logrank(entry anycompatible, duration anycompatible, event boolean, grp "any", stratum "any") (
	SFUNC = survival_grouped_entry_strata_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = survival_final,
	COMBINEFUNC = survival_combine,
	SERIALFUNC = survival_serialize,
	DESERIALFUNC = survival_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE logrank(anycompatible, anycompatible, boolean, "any", "any") IS
'survival_table of customers in groups, one row each, for logrank_test() and logrank_groups(). duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). event: true = left then, false = still there then (censored); NULL skips the row, so write coalesce(ended_on <= as_of, false): ended_on <= as_of alone is NULL for who is still there. entry: from when on the customer is known of (delayed entry), counted like duration: at risk is who has entered before a time and not left before it. grp: any type, by its text. stratum: customers are only compared with those of the same stratum, and what comes out is summed up; any type, by its text. Rows with a NULL are skipped; without rows an empty table. 22023 for a negative duration, an entry not before it and numbers that are not finite; 42804 for durations of other types.';

CREATE FUNCTION logrank_test(t survival_table, rho double precision DEFAULT 0)
	RETURNS TABLE (chi_square double precision, degrees_of_freedom integer, p_value double precision, groups integer)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION logrank_test(survival_table, double precision) IS
'one row: do the groups of logrank() leave at the same rate? chi_square = (O - E)'' V^- (O - E): O the events of each group, E those expected if all groups of a stratum left at one rate, V their hypergeometric covariances, summed over durations and strata (Mantel 1966). rho: each event counts S(t-)^rho, S the Kaplan-Meier curve of all groups of the stratum: 0 is the log-rank test, 1 that of Peto and Peto (1972), which looks more at early leavers (Harrington and Fleming 1982); NULL is 0. p_value: P(as much or more if all leave alike). groups: those with anybody at risk at an event; degrees_of_freedom: one less, or less by one for each lot of groups that was never at risk together with the others. Customers are at risk at a duration if they entered before it and did not leave before it; ties are those of the durations as they came. NULLs where nothing can be compared, as with one group or no events. No row for NULL. 22023 unless rho is finite and not negative, and for a table without groups; 54000 for more than 2000 groups.';

CREATE FUNCTION logrank_groups(t survival_table, rho double precision DEFAULT 0)
	RETURNS TABLE (grp text, n bigint, observed double precision, expected double precision, variance double precision,
		observed_over_expected double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 5;
COMMENT ON FUNCTION logrank_groups(survival_table, double precision) IS
'one row for each group of logrank(), whole numbers first, by value, then texts by bytes: its customers n; the events observed, and expected if all groups of a stratum left at one rate, both weighted by S(t-)^rho as logrank_test() does it; the variance of their difference (hypergeometric, the diagonal of V); observed_over_expected above 1: the group leaves faster than all together, NULL where none is expected. Observed and expected add up to the same number. No rows for NULL and for a table without rows. 22023 unless rho is finite and not negative, and for a table without groups.';

----------------------------------------------------------------------
-- competing_risks(): which cause first?
----------------------------------------------------------------------

CREATE AGGREGATE competing_risks(duration anycompatible, cause bigint) (
	SFUNC = survival_causes_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = survival_final,
	COMBINEFUNC = survival_combine,
	SERIALFUNC = survival_serialize,
	DESERIALFUNC = survival_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE competing_risks(anycompatible, bigint) IS
'survival_table of customers, one row each, who leave for one of several causes, for incidence_rows() and incidence_at(). duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). cause: why the customer left: a number, 0 or NULL = still there then (censored). Rows with a NULL duration are skipped; without rows an empty table. 22023 for a negative duration and numbers that are not finite; 42804 for durations of other types. survival_rows() and the like take any cause for an event.';

CREATE AGGREGATE competing_risks(duration anycompatible, cause text) (
	SFUNC = survival_causes_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = survival_final,
	COMBINEFUNC = survival_combine,
	SERIALFUNC = survival_serialize,
	DESERIALFUNC = survival_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE competing_risks(anycompatible, text) IS
'survival_table of customers, one row each, who leave for one of several causes, for incidence_rows() and incidence_at(). duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). cause: why the customer left: a name, NULL = still there then (censored); 22023 for an empty one. Rows with a NULL duration are skipped; without rows an empty table. 22023 for a negative duration and numbers that are not finite; 42804 for durations of other types. survival_rows() and the like take any cause for an event.';

CREATE AGGREGATE competing_risks(duration anycompatible, cause anyenum) (
	SFUNC = survival_causes_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = survival_final,
	COMBINEFUNC = survival_combine,
	SERIALFUNC = survival_serialize,
	DESERIALFUNC = survival_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE competing_risks(anycompatible, anyenum) IS
'survival_table of customers, one row each, who leave for one of several causes, for incidence_rows() and incidence_at(). duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). cause: why the customer left: a value of an enum, NULL = still there then (censored). Rows with a NULL duration are skipped; without rows an empty table. 22023 for a negative duration and numbers that are not finite; 42804 for durations of other types. survival_rows() and the like take any cause for an event.';

CREATE AGGREGATE competing_risks(entry anycompatible, duration anycompatible, cause bigint) (
	SFUNC = survival_causes_entry_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = survival_final,
	COMBINEFUNC = survival_combine,
	SERIALFUNC = survival_serialize,
	DESERIALFUNC = survival_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE competing_risks(anycompatible, anycompatible, bigint) IS
'survival_table of customers, one row each, who leave for one of several causes, for incidence_rows() and incidence_at(). duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). entry: from when on the customer is known of (delayed entry), counted like duration: at risk is who has entered before a time and not left before it. cause: why the customer left: a number, 0 or NULL = still there then (censored). Rows with a NULL entry or duration are skipped; without rows an empty table. 22023 for a negative duration, an entry not before it and numbers that are not finite; 42804 for durations of other types. survival_rows() and the like take any cause for an event.';

CREATE AGGREGATE competing_risks(entry anycompatible, duration anycompatible, cause text) (
	SFUNC = survival_causes_entry_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = survival_final,
	COMBINEFUNC = survival_combine,
	SERIALFUNC = survival_serialize,
	DESERIALFUNC = survival_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE competing_risks(anycompatible, anycompatible, text) IS
'survival_table of customers, one row each, who leave for one of several causes, for incidence_rows() and incidence_at(). duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). entry: from when on the customer is known of (delayed entry), counted like duration: at risk is who has entered before a time and not left before it. cause: why the customer left: a name, NULL = still there then (censored); 22023 for an empty one. Rows with a NULL entry or duration are skipped; without rows an empty table. 22023 for a negative duration, an entry not before it and numbers that are not finite; 42804 for durations of other types. survival_rows() and the like take any cause for an event.';

CREATE AGGREGATE competing_risks(entry anycompatible, duration anycompatible, cause anyenum) (
	SFUNC = survival_causes_entry_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = survival_final,
	COMBINEFUNC = survival_combine,
	SERIALFUNC = survival_serialize,
	DESERIALFUNC = survival_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE competing_risks(anycompatible, anycompatible, anyenum) IS
'survival_table of customers, one row each, who leave for one of several causes, for incidence_rows() and incidence_at(). duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). entry: from when on the customer is known of (delayed entry), counted like duration: at risk is who has entered before a time and not left before it. cause: why the customer left: a value of an enum, NULL = still there then (censored). Rows with a NULL entry or duration are skipped; without rows an empty table. 22023 for a negative duration, an entry not before it and numbers that are not finite; 42804 for durations of other types. survival_rows() and the like take any cause for an event.';

CREATE FUNCTION incidence_rows(t survival_table, confidence double precision DEFAULT 0.95, interval_type text DEFAULT 'log-log')
	RETURNS TABLE (duration double precision, cause text, at_risk double precision, events double precision,
		incidence double precision, standard_error double precision, low double precision, high double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 200;
COMMENT ON FUNCTION incidence_rows(survival_table, double precision, text) IS
'cumulative incidence: what share of customers has left for each cause of competing_risks(), one row for each cause and distinct duration (of intervals, in days), cause by cause. at_risk: customers at risk at the duration; events: those that left then for the cause. incidence: Aalen and Johansen (1978): sum of S(s-) d(s)/n(s) up to the duration, S surviving all causes; with survival it adds up to 1 over all causes, where 1 - S of each cause alone would be too much. standard_error: infinitesimal jackknife, as survfit of R has it. low, high: limits at confidence, interval_type ''plain'', ''log'' or ''log-log'' as of survival_rows(), of the incidence; NULL where there are none, as before the first event of the cause. No rows for NULL, and where nobody has left. 22023 unless 0 < confidence < 1, for another interval_type, and for a table that competing_risks() did not make.';

CREATE FUNCTION incidence_at(t survival_table, duration double precision, confidence double precision DEFAULT 0.95, interval_type text DEFAULT 'log-log')
	RETURNS TABLE (cause text, incidence double precision, standard_error double precision, low double precision, high double precision)
	AS 'MODULE_PATHNAME', 'incidence_at' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 3;
COMMENT ON FUNCTION incidence_at(survival_table, double precision, double precision, text) IS
'cumulative incidence at one duration: what share of customers has left by then for each cause of competing_risks(), one row a cause. incidence: Aalen and Johansen (1978): sum of S(s-) d(s)/n(s) up to the duration, S surviving all causes; with survival it adds up to 1 over all causes, where 1 - S of each cause alone would be too much. standard_error: infinitesimal jackknife, as survfit of R has it. low, high: limits at confidence, interval_type ''plain'', ''log'' or ''log-log'' as of survival_rows(), of the incidence; NULL where there are none, as before the first event of the cause. NULLs beyond the longest duration unless survival was 0 there, as it cannot be known yet. No rows for NULL, and where nobody has left. 22023 for a negative duration, unless 0 < confidence < 1, for another interval_type, and for a table that competing_risks() did not make.';

CREATE FUNCTION incidence_at(t survival_table, duration interval, confidence double precision DEFAULT 0.95, interval_type text DEFAULT 'log-log')
	RETURNS TABLE (cause text, incidence double precision, standard_error double precision, low double precision, high double precision)
	AS 'MODULE_PATHNAME', 'incidence_at_interval' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 3;
COMMENT ON FUNCTION incidence_at(survival_table, interval, double precision, text) IS
'cumulative incidence at one duration; months are 30 days: what share of customers has left by then for each cause of competing_risks(), one row a cause. incidence: Aalen and Johansen (1978): sum of S(s-) d(s)/n(s) up to the duration, S surviving all causes; with survival it adds up to 1 over all causes, where 1 - S of each cause alone would be too much. standard_error: infinitesimal jackknife, as survfit of R has it. low, high: limits at confidence, interval_type ''plain'', ''log'' or ''log-log'' as of survival_rows(), of the incidence; NULL where there are none, as before the first event of the cause. NULLs beyond the longest duration unless survival was 0 there, as it cannot be known yet. No rows for NULL, and where nobody has left. 22023 for a negative duration, unless 0 < confidence < 1, for another interval_type, and for a table that competing_risks() did not make; 42804 for a table whose durations are numbers. Write interval ''90 days'': a bare ''90 days'' may be a number or an interval, and is an error.';

----------------------------------------------------------------------
-- survival_difference(): how much longer does one group stay?
----------------------------------------------------------------------

CREATE FUNCTION survival_difference(a survival_table, b survival_table, tau double precision DEFAULT NULL, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (tau double precision, restricted_mean_a double precision, restricted_mean_b double precision,
		difference double precision, standard_error double precision, low double precision, high double precision,
		z double precision, p_value double precision, ratio double precision, ratio_low double precision, ratio_high double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION survival_difference(survival_table, survival_table, double precision, double precision) IS
'one row: how much longer do customers of a stay than those of b, up to tau? The restricted means of both, areas under the Kaplan-Meier curves from 0 to tau (restricted_mean()); difference = a - b, its standard error sqrt(se_a^2 + se_b^2) for independent customers, limits at confidence, z and the two-sided p_value of no difference (Royston and Parmar 2013): no hazards need be proportional. ratio = a / b, its limits from the logarithm. tau NULL: the longest duration of the table that ends first, until when both curves are known; beyond it the curve stays as it was. In the unit of the durations, of intervals days. NULLs for a table without rows; z and p_value NULL where the standard error is 0. No row for NULL. 22023 for a tau that is negative or infinite, and unless 0 < confidence < 1; 42804 for durations of intervals against numbers.';

CREATE FUNCTION survival_difference(a survival_table, b survival_table, tau interval, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (tau double precision, restricted_mean_a double precision, restricted_mean_b double precision,
		difference double precision, standard_error double precision, low double precision, high double precision,
		z double precision, p_value double precision, ratio double precision, ratio_low double precision, ratio_high double precision)
	AS 'MODULE_PATHNAME', 'survival_difference_interval' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION survival_difference(survival_table, survival_table, interval, double precision) IS
'one row: how much longer do customers of a stay than those of b, up to tau? The restricted means of both, areas under the Kaplan-Meier curves from 0 to tau (restricted_mean()); difference = a - b, its standard error sqrt(se_a^2 + se_b^2) for independent customers, limits at confidence, z and the two-sided p_value of no difference (Royston and Parmar 2013): no hazards need be proportional. ratio = a / b, its limits from the logarithm. In days; months of tau are 30 days; beyond the longest duration a curve stays as it was. NULLs for a table without rows; z and p_value NULL where the standard error is 0. No row for NULL. 22023 for a tau that is negative, and unless 0 < confidence < 1; 42804 for tables whose durations are numbers. Write interval ''90 days'': a bare ''90 days'' may be a number or an interval, and is an error.';

----------------------------------------------------------------------
-- score_table: scores and what came true
----------------------------------------------------------------------

CREATE TYPE score_table;

CREATE FUNCTION score_table_in(cstring)
	RETURNS score_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_table_in(cstring) IS
'score_table from its text form (base64 of its bytes), validated in full; 22P02 if it is no canonical value';

CREATE FUNCTION score_table_out(score_table)
	RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_table_out(score_table) IS
'text form of a score_table: base64 of its bytes, lossless and free of any setting';

CREATE FUNCTION score_table_recv(internal)
	RETURNS score_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_table_recv(internal) IS
'score_table from its binary form, validated in full; 22P03 if it is no canonical value';

CREATE FUNCTION score_table_send(score_table)
	RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_table_send(score_table) IS
'binary form of a score_table: its bytes, the same on every architecture';

CREATE TYPE score_table (
	INTERNALLENGTH = VARIABLE,
	INPUT = score_table_in,
	OUTPUT = score_table_out,
	RECEIVE = score_table_recv,
	SEND = score_table_send,
	STORAGE = extended
);
COMMENT ON TYPE score_table IS
'distinct scores, each with its numbers of rows whose label is true (positives) and false (negatives): all that a metric needs; made by score_table(), added up by rollup(), read by auc(), brier_score(), lift_rows(), calibration_rows() and others; equal data have equal bytes';

CREATE FUNCTION score_table_eq(score_table, score_table)
	RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_table_eq(score_table, score_table) IS
'are two score tables the same: every score and its numbers';

CREATE FUNCTION score_table_ne(score_table, score_table)
	RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_table_ne(score_table, score_table) IS
'do two score tables differ in a score or any number';

CREATE FUNCTION score_table_hash(score_table)
	RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_table_hash(score_table) IS
'hash of a score_table, for GROUP BY and DISTINCT';

CREATE FUNCTION score_table_hash_extended(score_table, bigint)
	RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_table_hash_extended(score_table, bigint) IS
'hash of a score_table with a seed, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = score_table, RIGHTARG = score_table, FUNCTION = score_table_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (score_table, score_table) IS 'same scores and numbers';

CREATE OPERATOR <> (
	LEFTARG = score_table, RIGHTARG = score_table, FUNCTION = score_table_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (score_table, score_table) IS 'different scores or numbers';

CREATE OPERATOR CLASS score_table_ops DEFAULT FOR TYPE score_table USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 score_table_hash(score_table),
	FUNCTION 2 score_table_hash_extended(score_table, bigint);
COMMENT ON OPERATOR CLASS score_table_ops USING hash IS 'lets score tables be grouped, made distinct and hash-joined';
COMMENT ON OPERATOR FAMILY score_table_ops USING hash IS 'hashing of score tables';

CREATE FUNCTION score_table_to_jsonb(score_table)
	RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_table_to_jsonb(score_table) IS
'a score_table as JSON: n and positives of all, and scores, ascending, each with its n (rows) and positives (of them, label true); infinite scores are strings';

CREATE CAST (score_table AS jsonb) WITH FUNCTION score_table_to_jsonb(score_table);
COMMENT ON CAST (score_table AS jsonb) IS 'everything a score_table holds, readable';

CREATE FUNCTION score_table_rollup(score_table, score_table)
	RETURNS score_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_table_rollup(score_table, score_table) IS
'part of rollup(): a score_table or a state more';

CREATE FUNCTION score_table_rollup_final(score_table)
	RETURNS score_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_table_rollup_final(score_table) IS
'part of rollup(): the score_table of a state';

CREATE AGGREGATE rollup(score_table) (
	SFUNC = score_table_rollup,
	STYPE = score_table,
	FINALFUNC = score_table_rollup_final,
	COMBINEFUNC = score_table_rollup,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE rollup(score_table) IS
'score_table of all rows of several: of months, regions or shards; equal to the score_table of all of them at once. NULL without rows. 54000 if the sum would be larger than 1 GB; 22003 beyond 2^53 rows.';

----------------------------------------------------------------------
-- is the score any good? aggregates over (score, label)
----------------------------------------------------------------------

CREATE FUNCTION score_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_serialize(internal) IS 'part of aggregates over (score, label): a state for another process';

CREATE FUNCTION score_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION score_deserialize(bytea, internal) IS 'part of aggregates over (score, label): a state from another process';

CREATE FUNCTION score_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_combine(internal, internal) IS 'part of aggregates over (score, label): two states as one';

CREATE FUNCTION score_trans(internal, double precision, boolean) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_trans(internal, double precision, boolean) IS 'part of aggregates over (score, label): one row';

CREATE FUNCTION score_trans(internal, double precision, boolean, double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'score_clip_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_trans(internal, double precision, boolean, double precision) IS 'part of log_loss(): one row';

CREATE FUNCTION score_trans(internal, double precision, boolean, double precision, double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'score_costs_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_trans(internal, double precision, boolean, double precision, double precision) IS 'part of threshold_for(): one row';

CREATE FUNCTION score_trans(internal, double precision, boolean, bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'score_capacity_trans' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_trans(internal, double precision, boolean, bigint) IS 'part of threshold_for(): one row';


CREATE FUNCTION score_table_final(internal) RETURNS score_table
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_table_final(internal) IS 'part of score_table(): the result of a state';

CREATE AGGREGATE score_table(score double precision, label boolean) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_table_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE score_table(double precision, boolean) IS
'distinct scores with their numbers of rows whose label is true and false, from which every metric can be had, also later and of several tables together (rollup()). -0 is 0; infinite scores are scores. A pair with a NULL is left out; NULL if there is no pair. About 10 bytes a distinct score. 22023 for a NaN score; 54000 if the table would be larger than 1 GB (some 100 million distinct scores): round the scores.';

CREATE FUNCTION score_auc_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_auc_final(internal) IS 'part of auc(): the result of a state';

CREATE AGGREGATE auc(score double precision, label boolean) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_auc_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE auc(double precision, boolean) IS
'P(score of a positive > score of a negative) + P(equal) / 2: the area under the ROC curve, counted in whole numbers (Mann and Whitney 1947). 0.5: no better than chance; 1: all positives (label true) are above all negatives. Scores of any scale, also infinite ones. NULL unless both classes are there. A pair with a NULL is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. 22023 for a NaN score.';

CREATE FUNCTION auc(scores score_table)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'score_auc_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION auc(score_table) IS
'area under the ROC curve of a score_table, as auc() of its rows. NULL unless both classes are there. The same bits as of the rows themselves; NULL for NULL.';

CREATE FUNCTION score_auc_se_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_auc_se_final(internal) IS 'part of auc_se(): the result of a state';

CREATE AGGREGATE auc_se(score double precision, label boolean) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_auc_se_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE auc_se(double precision, boolean) IS
'standard error of auc() (DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837-845), ties counted as halves. 0 if scores separate the classes, or are all equal: then it says nothing. NULL unless there are two positives and two negatives. A pair with a NULL is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. 22023 for a NaN score.';

CREATE FUNCTION auc_se(scores score_table)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'score_auc_se_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION auc_se(score_table) IS
'standard error of auc() of a score_table, as auc_se() of its rows. auc_interval() gives limits too. NULL unless there are two positives and two negatives. The same bits as of the rows themselves; NULL for NULL.';

CREATE FUNCTION score_ks_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_ks_final(internal) IS 'part of ks_statistic(): the result of a state';

CREATE AGGREGATE ks_statistic(score double precision, label boolean) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_ks_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE ks_statistic(double precision, boolean) IS
'largest distance |TPR - FPR| of all thresholds: the two-sided statistic of Kolmogorov and Smirnov for the scores of both classes, 0 to 1. roc_rows() tells at which threshold. NULL unless both classes are there. A pair with a NULL is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. 22023 for a NaN score.';

CREATE FUNCTION ks_statistic(scores score_table)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'score_ks_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION ks_statistic(score_table) IS
'largest |TPR - FPR| of a score_table, as ks_statistic() of its rows. NULL unless both classes are there. The same bits as of the rows themselves; NULL for NULL.';

CREATE FUNCTION score_average_precision_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_average_precision_final(internal) IS 'part of average_precision(): the result of a state';

CREATE AGGREGATE average_precision(score double precision, label boolean) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_average_precision_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE average_precision(double precision, boolean) IS
'area under the precision-recall curve as a sum of steps: sum of (recall_k - recall_(k-1)) * precision_k over distinct scores, descending. Chance has the base rate. NULL without positives. A pair with a NULL is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. 22023 for a NaN score.';

CREATE FUNCTION average_precision(scores score_table)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'score_average_precision_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION average_precision(score_table) IS
'average precision of a score_table, as average_precision() of its rows. NULL without positives. The same bits as of the rows themselves; NULL for NULL.';

CREATE FUNCTION score_brier_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_brier_final(internal) IS 'part of brier_score(): the result of a state';

CREATE AGGREGATE brier_score(score double precision, label boolean) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_brier_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE brier_score(double precision, boolean) IS
'mean of (score - outcome)^2, outcome 1 where label is true, else 0: 0 is perfect, lower is better; always saying the base rate b has b (1 - b) (Brier 1950). brier_decomposition() says what it comes from. NULL if a score is not from 0 to 1. A pair with a NULL is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. 22023 for a NaN score.';

CREATE FUNCTION brier_score(scores score_table)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'score_brier_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION brier_score(score_table) IS
'Brier score of a score_table, as brier_score() of its rows. NULL if a score is not from 0 to 1. The same bits as of the rows themselves; NULL for NULL.';

CREATE FUNCTION score_log_loss_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_log_loss_final(internal) IS 'part of log_loss(): the result of a state';

CREATE AGGREGATE log_loss(score double precision, label boolean) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_log_loss_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE log_loss(double precision, boolean) IS
'mean of -ln(probability that was given to what happened): -ln(score) where label is true, else -ln(1 - score); 0 is perfect, lower is better. Infinity where a score of 0 or 1 was wrong: a third argument clips. NULL if a score is not from 0 to 1. A pair with a NULL is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. 22023 for a NaN score.';

CREATE AGGREGATE log_loss(score double precision, label boolean, clip double precision) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_log_loss_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE log_loss(double precision, boolean, double precision) IS
'mean of -ln(probability that was given to what happened): -ln(score) where label is true, else -ln(1 - score); 0 is perfect, lower is better. Scores are cut to [clip, 1 - clip] first, so that a certainty that was wrong costs -ln(clip); 1e-15 is usual, 0 cuts nothing. NULL if a score is not from 0 to 1. A pair with a NULL is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. 22023 for a NaN score, unless 0 <= clip < 0.5, and if clip differs between rows; 22004 if it is NULL.';

CREATE FUNCTION log_loss(scores score_table, clip double precision DEFAULT 0)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'score_log_loss_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION log_loss(score_table, double precision) IS
'log loss of a score_table, as log_loss() of its rows; scores are cut to [clip, 1 - clip]. NULL if a score is not from 0 to 1. The same bits as of the rows themselves; NULL for NULL. 22023 unless 0 <= clip < 0.5.';

CREATE FUNCTION score_threshold_costs_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_threshold_costs_final(internal) IS 'part of threshold_for(): the result of a state';

CREATE AGGREGATE threshold_for(score double precision, label boolean, cost_false_positive double precision, cost_false_negative double precision) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_threshold_costs_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE threshold_for(double precision, boolean, double precision, double precision) IS
'the threshold at which cost_false_positive * (negatives called) + cost_false_negative * (positives not called) is least, of equals the largest: it is one of the scores. Call those with score >= threshold. Infinity: nobody (NULL, which calls nobody as well, if there are infinite scores). Costs of anything in any unit: say, of an offer that was not needed, and of a customer lost. A pair with a NULL is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. NULL without pairs. 22023 for a NaN score, for costs that are negative or not finite, and if they differ between rows; 22004 if they are NULL.';

CREATE FUNCTION threshold_for(scores score_table, cost_false_positive double precision, cost_false_negative double precision)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'score_threshold_costs_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION threshold_for(score_table, double precision, double precision) IS
'threshold of least cost of a score_table, as threshold_for() of its rows. Call those with score >= threshold. Infinity: nobody (NULL, which calls nobody as well, if there are infinite scores). The same bits as of the rows themselves; NULL for NULL. 22023 for costs that are negative or not finite.';

CREATE FUNCTION score_threshold_capacity_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION score_threshold_capacity_final(internal) IS 'part of threshold_for(): the result of a state';

CREATE AGGREGATE threshold_for(score double precision, label boolean, capacity bigint) (
	SFUNC = score_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = score_threshold_capacity_final,
	COMBINEFUNC = score_combine,
	SERIALFUNC = score_serialize,
	DESERIALFUNC = score_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE threshold_for(double precision, boolean, bigint) IS
'the smallest threshold that calls at most capacity rows: how low one can go with so many calls. Equal scores are called together or not at all. Call those with score >= threshold. Infinity: nobody (NULL, which calls nobody as well, if there are infinite scores). The label is not looked at, and may be NULL: customers whose outcome is not known yet are those to be called. A NULL score is left out; ties do not depend on the order of rows. Memory: 8 bytes a pair, 16 while it is sorted. NULL without pairs. 22023 for a NaN score, for a negative capacity, and if it differs between rows; 22004 if it is NULL.';

CREATE FUNCTION threshold_for(scores score_table, capacity bigint)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'score_threshold_capacity_table' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION threshold_for(score_table, bigint) IS
'smallest threshold that calls at most capacity rows of a score_table, as threshold_for() of its rows. Call those with score >= threshold. Infinity: nobody (NULL, which calls nobody as well, if there are infinite scores). The same bits as of the rows themselves; NULL for NULL. 22023 for a negative capacity.';

----------------------------------------------------------------------
-- auc_test(): two scores of the same rows
----------------------------------------------------------------------

CREATE TYPE auc_comparison AS (
	auc_a double precision,
	auc_b double precision,
	difference double precision,
	standard_error double precision,
	z double precision,
	p_value double precision
);
COMMENT ON TYPE auc_comparison IS
'what auc_test() says of two scores: both areas under the ROC curve, auc_a - auc_b, its standard error, z and two-sided p value';

CREATE FUNCTION auc_test_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION auc_test_serialize(internal) IS 'part of auc_test(): a state for another process';

CREATE FUNCTION auc_test_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION auc_test_deserialize(bytea, internal) IS 'part of auc_test(): a state from another process';

CREATE FUNCTION auc_test_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION auc_test_combine(internal, internal) IS 'part of auc_test(): two states as one';

CREATE FUNCTION auc_test_trans(internal, double precision, double precision, boolean) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION auc_test_trans(internal, double precision, double precision, boolean) IS 'part of auc_test(): one row';

CREATE FUNCTION auc_test_final(internal) RETURNS auc_comparison
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION auc_test_final(internal) IS 'part of auc_test(): the result of a state';

CREATE AGGREGATE auc_test(score_a double precision, score_b double precision, label boolean) (
	SFUNC = auc_test_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = auc_test_final,
	COMBINEFUNC = auc_test_combine,
	SERIALFUNC = auc_test_serialize,
	DESERIALFUNC = auc_test_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE auc_test(double precision, double precision, boolean) IS
'does one of two scores of the same rows rank better than the other? Both areas under the ROC curve, auc_a - auc_b, its standard error from the paired placements (DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837-845; ties counted as halves), z = difference / standard_error, and its two-sided p value. Write (auc_test(a, b, label)).*. Rows with a NULL are left out. standard_error is NULL unless there are two positives and two negatives, z and p_value also where it is 0 (scores that rank alike). NULL unless both classes are there. 22023 for a NaN score.';

----------------------------------------------------------------------
-- what a score_table says, as rows
----------------------------------------------------------------------

CREATE FUNCTION auc_interval(scores score_table, confidence double precision DEFAULT 0.95)
	RETURNS TABLE (auc double precision, standard_error double precision, low double precision, high double precision,
		positives bigint, negatives bigint)
	AS 'MODULE_PATHNAME', 'score_auc_interval' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION auc_interval(score_table, double precision) IS
'auc() with its standard error (DeLong, DeLong and Clarke-Pearson 1988) and normal limits at confidence (NULL = 0.95), cut to [0, 1], in one row. Limits are NULL where the standard error is 0, as of scores that separate the classes: that says nothing of how far the area may be off. NULL as auc() and auc_se() are; positives, negatives: rows of each class. No rows for NULL. 22023 unless 0 < confidence < 1.';

CREATE FUNCTION brier_decomposition(scores score_table)
	RETURNS TABLE (brier double precision, reliability double precision, resolution double precision,
		uncertainty double precision, skill double precision)
	AS 'MODULE_PATHNAME', 'score_brier_decomposition' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1;
COMMENT ON FUNCTION brier_decomposition(score_table) IS
'what a Brier score comes from, in one row: brier = reliability - resolution + uncertainty, by distinct score (Murphy 1973). reliability: mean (score - rate of its rows)^2, what recalibration could save, lower is better; resolution: mean (rate of the rows of a score - rate of all)^2, how far it tells rows apart, higher is better; uncertainty: base rate (1 - base rate); skill: 1 - brier / uncertainty, NULL with one class. With a score of its own for every row, reliability and resolution mean little: round the scores before. NULL if a score is not from 0 to 1; no rows for NULL.';

CREATE FUNCTION lift_rows(scores score_table, bins integer DEFAULT 10)
	RETURNS TABLE (bin integer, n bigint, n_pos double precision, score_max double precision, score_min double precision,
		mean_score double precision, rate double precision, lift double precision, cum_n bigint, cum_pos double precision,
		gain double precision, cum_lift double precision, ks double precision)
	AS 'MODULE_PATHNAME', 'score_lift_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION lift_rows(score_table, integer) IS
'rows in bins of almost equal size, the highest scores first (sizes as of ntile(bins) by score descending). n_pos: positives; those of rows with equal scores are shared equally among these, so that the order of rows cannot matter and n_pos may have a fraction. rate = n_pos / n; lift = rate / rate of all; cum_n, cum_pos: of this bin and those before; gain: their share of all positives; cum_lift: their lift; ks: their share of positives less that of negatives. Scores of any scale. Without positives lift and gain are NULL, with one class ks. bins: 1 to 1000 (NULL = 10), else 22023; no more than rows. No rows for NULL.';

CREATE FUNCTION calibration_rows(scores score_table, bins integer DEFAULT 10, by text DEFAULT 'width', confidence double precision DEFAULT 0.95)
	RETURNS TABLE (bin integer, n bigint, n_pos bigint, score_min double precision, score_max double precision,
		mean_score double precision, rate double precision, rate_low double precision, rate_high double precision)
	AS 'MODULE_PATHNAME', 'score_calibration_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION calibration_rows(score_table, integer, text, double precision) IS
'does what is given a probability of 0.2 happen in one of five cases? Rows by score, ascending: mean_score is what was said, rate = n_pos / n what happened, with Wilson''s limits at confidence. by ''width'': bins [k / bins, (k + 1) / bins), the last one closed, those without rows too (a score less than 1e-12 / bins below an edge is on it); by ''quantile'': about as many rows each, but rows with equal scores are all in the bin of the middle one of them, and a bin without rows has no row here. No rows if a score is not from 0 to 1, and for NULL. bins: 1 to 1000. NULL options are the defaults. 22023 for others.';

CREATE FUNCTION calibration_fit(scores score_table, bins integer DEFAULT 10)
	RETURNS TABLE (intercept double precision, slope double precision, expected_calibration_error double precision,
		intercept_se double precision, slope_se double precision)
	AS 'MODULE_PATHNAME', 'score_calibration_fit' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000 ROWS 1;
COMMENT ON FUNCTION calibration_fit(score_table, integer) IS
'what would make probabilities right, in one row: intercept and slope of the logistic regression of label on ln(score / (1 - score)) with their standard errors (Cox 1958); 0 and 1 need no correction, a slope below 1 is that of scores that are too extreme. Corrected: 1 / (1 + exp(-(intercept + slope * ln(score / (1 - score))))). NULL if a score is 0 or 1, with one class or one score, and where the classes do not overlap. expected_calibration_error: mean of |rate - mean_score| of calibration_rows(scores, bins), weighted by n; NULL if a score is not from 0 to 1. bins: 1 to 1000 (NULL = 10), else 22023. No rows for NULL.';

CREATE FUNCTION confusion_rows(scores score_table, thresholds double precision[] DEFAULT NULL)
	RETURNS TABLE (threshold double precision, tp bigint, fp bigint, fn bigint, tn bigint, accuracy double precision,
		"precision" double precision, recall double precision, specificity double precision, f1 double precision, mcc double precision)
	AS 'MODULE_PATHNAME', 'score_confusion_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 100;
COMMENT ON FUNCTION confusion_rows(score_table, double precision[]) IS
'who would be called right and wrong if those with score >= threshold were called: one row for each of thresholds, in their order. thresholds NULL: each distinct score, descending; if there are more than 1000, of each hundredth of rows the highest score that calls so many. tp, fp: positives and negatives that are called, fn, tn: that are not; accuracy = (tp + tn) / n, precision = tp / (tp + fp), recall = tp / (tp + fn), specificity = tn / (tn + fp), f1 = 2 tp / (2 tp + fp + fn), mcc: Matthews'' correlation; NULL where the denominator is 0. 22023 for a NaN threshold, 22004 for a NULL one. No rows for a NULL table.';

CREATE FUNCTION roc_rows(scores score_table)
	RETURNS TABLE (threshold double precision, tp bigint, fp bigint, true_positive_rate double precision,
		false_positive_rate double precision, "precision" double precision, youden double precision)
	AS 'MODULE_PATHNAME', 'score_roc_rows' LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000 ROWS 1000;
COMMENT ON FUNCTION roc_rows(score_table) IS
'the ROC curve: from threshold Infinity, which calls nobody, down to the lowest score, a row for each distinct one. tp, fp: positives and negatives with score >= threshold; true_positive_rate = recall; precision = tp / (tp + fp); youden = true_positive_rate - false_positive_rate, the largest of which is the best threshold if both errors weigh the same. NULL where the denominator is 0. No rows for NULL.';

----------------------------------------------------------------------
-- churn_model: who leaves, as learnt from rows or histories
----------------------------------------------------------------------

CREATE TYPE churn_model;

CREATE FUNCTION churn_model_in(cstring) RETURNS churn_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_in(cstring) IS
'churn_model from its text form (base64 of its bytes), validated in full; 22P02 if it is no canonical value';

CREATE FUNCTION churn_model_out(churn_model) RETURNS cstring
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_out(churn_model) IS
'text form of a churn_model: base64 of its bytes, lossless and free of any setting';

CREATE FUNCTION churn_model_recv(internal) RETURNS churn_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_recv(internal) IS
'churn_model from its binary form, validated in full; 22P03 if it is no canonical value';

CREATE FUNCTION churn_model_send(churn_model) RETURNS bytea
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_send(churn_model) IS
'binary form of a churn_model: its bytes, the same on every architecture';

CREATE TYPE churn_model (
	INTERNALLENGTH = VARIABLE,
	INPUT = churn_model_in,
	OUTPUT = churn_model_out,
	RECEIVE = churn_model_recv,
	SEND = churn_model_send,
	STORAGE = extended
);
COMMENT ON TYPE churn_model IS
'a model of who leaves: its features by name, their coefficients or trees, what it was fitted to and how that went; made by churn_model(), read by churn_score(), churn_reasons(), churn_coefficients(), churn_importance(), churn_summary() and churn_band(); equal models have equal bytes';

CREATE FUNCTION churn_model_eq(churn_model, churn_model) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_eq(churn_model, churn_model) IS
'are two models the same: features, coefficients or trees, and fit, to the last bit';

CREATE FUNCTION churn_model_ne(churn_model, churn_model) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_ne(churn_model, churn_model) IS
'do two models differ in any feature, coefficient, tree or figure of the fit';

CREATE FUNCTION churn_model_hash(churn_model) RETURNS integer
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_hash(churn_model) IS
'hash of a churn_model, for GROUP BY and DISTINCT';

CREATE FUNCTION churn_model_hash_extended(churn_model, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_hash_extended(churn_model, bigint) IS
'hash of a churn_model with a seed, for hash partitions';

CREATE OPERATOR = (
	LEFTARG = churn_model, RIGHTARG = churn_model, FUNCTION = churn_model_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR = (churn_model, churn_model) IS 'same features, coefficients or trees, and fit';

CREATE OPERATOR <> (
	LEFTARG = churn_model, RIGHTARG = churn_model, FUNCTION = churn_model_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (churn_model, churn_model) IS 'different features, coefficients, trees or fit';

CREATE OPERATOR CLASS churn_model_ops DEFAULT FOR TYPE churn_model USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 churn_model_hash(churn_model),
	FUNCTION 2 churn_model_hash_extended(churn_model, bigint);
COMMENT ON OPERATOR CLASS churn_model_ops USING hash IS 'lets models of churn be grouped, made distinct and hash-joined';
COMMENT ON OPERATOR FAMILY churn_model_ops USING hash IS 'hashing of models of churn';

CREATE FUNCTION churn_model_to_jsonb(churn_model) RETURNS jsonb
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_to_jsonb(churn_model) IS
'a churn_model as JSON: method, status, counts of rows, features with their kinds, means and levels, and the terms of a logistic model, the trees of a boosted one or the steps of the survival of gaps';

CREATE CAST (churn_model AS jsonb) WITH FUNCTION churn_model_to_jsonb(churn_model);
COMMENT ON CAST (churn_model AS jsonb) IS 'everything a churn_model holds, readable';

----------------------------------------------------------------------
-- churn_model: scores of rows, their reasons, and how good the fit is
----------------------------------------------------------------------

CREATE FUNCTION churn_score(model churn_model, features double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'churn_score_array' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_score(churn_model, double precision[]) IS
'the probability of churn, 1 / (1 + e^-eta), to the same bits as churn_score(churned, features) OVER () of the same rows. NULL: no model, no features, a model without scores (WARNING once a query: no row with a known outcome, or all alike), or, if the model was fitted with "missing": "skip", a NULL feature; 22004 for it with "error", while with "mean", the default, it counts as the mean and by its indicator. A WARNING once a query if the fit has not converged. features: as many as in the fit and in the same order (2202E); NaN and infinities are 22023.';

CREATE FUNCTION churn_score(model churn_model, features record) RETURNS double precision
	AS 'MODULE_PATHNAME', 'churn_score_record' LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_score(churn_model, record) IS
'the probability of churn, 1 / (1 + e^-eta), to the same bits as churn_score(churned, features) OVER () of the same rows. NULL: no model, no features, a model without scores (WARNING once a query: no row with a known outcome, or all alike), or, if the model was fitted with "missing": "skip", a NULL feature; 22004 for it with "error", while with "mean", the default, it counts as the mean and by its indicator. A WARNING once a query if the fit has not converged. features: a record, say a row of a table, whose columns are found by name in any order; others are not looked at; 42703 for one that is missing, 42804 for one of another kind. A text that training has not met counts as the pooled rare ones, or else contributes nothing.';

CREATE FUNCTION churn_reasons(model churn_model, features double precision[], k integer DEFAULT 3)
	RETURNS TABLE (rank integer, feature text, value text, contribution double precision, direction text)
	AS 'MODULE_PATHNAME', 'churn_reasons_array' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION churn_reasons(churn_model, double precision[], integer) IS
'why a row has its score: rank 0 is the baseline (the log-odds of a customer at the means), ranks 1 to k the features that move it most, in the order of their absolute contribution, and a last row (others) sums up the rest. contribution: in log-odds; all rows add up to ln(p / (1 - p)) of churn_score(). direction: raises or lowers the risk, or none. value: what the row says, NULL for NULL. The indicators of a text and of a NULL are summed into their feature. Logistic: coefficient times distance from the mean of the column; boost: tree SHAP by the path (Lundberg, Erion and Lee 2018). k: how many features, NULL for all; 22023 if negative. No rows where there is no score.';

CREATE FUNCTION churn_reasons(model churn_model, features record, k integer DEFAULT 3)
	RETURNS TABLE (rank integer, feature text, value text, contribution double precision, direction text)
	AS 'MODULE_PATHNAME', 'churn_reasons_record' LANGUAGE C STABLE PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION churn_reasons(churn_model, record, integer) IS
'why a row has its score: rank 0 is the baseline (the log-odds of a customer at the means), ranks 1 to k the features that move it most, in the order of their absolute contribution, and a last row (others) sums up the rest. contribution: in log-odds; all rows add up to ln(p / (1 - p)) of churn_score(). direction: raises or lowers the risk, or none. value: what the row says, NULL for NULL. The indicators of a text and of a NULL are summed into their feature. Logistic: coefficient times distance from the mean of the column; boost: tree SHAP by the path (Lundberg, Erion and Lee 2018). k: how many features, NULL for all; 22023 if negative. No rows where there is no score.';

CREATE FUNCTION churn_coefficients(model churn_model) RETURNS TABLE (term text, feature text, level text, mean double precision, sd double precision,
		coefficient_std double precision, estimate double precision, standard_error double precision, sandwich_error double precision,
		z double precision, p_value double precision, odds_ratio double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION churn_coefficients(churn_model) IS
'the coefficients of a logistic model, the intercept first, then one row a column: a number, a level of a text against its base (the most frequent), ''(other)'' for the pooled rare levels, ''(missing)'' for NULL. mean and sd: of the training rows, weighted, sd of the population; coefficient_std: for a difference of one sd, with the intercept for a customer at all means; estimate: log-odds for one unit of the column as it is; standard_error: from the inverse of the penalised information (H + lambda I)^-1, the usual one where lambda is 0; sandwich_error: (H + lambda I)^-1 H (H + lambda I)^-1; z = estimate / standard_error, p_value two-sided from the normal distribution, odds_ratio = e^estimate. A constant column has the coefficient 0; NULL where a number is not known: a column that depends on others, all of a fit that was separated. No rows for a model without scores; 22023 for other methods: see churn_importance().';

CREATE FUNCTION churn_importance(model churn_model) RETURNS TABLE (feature text, importance double precision, share double precision)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 20;
COMMENT ON FUNCTION churn_importance(churn_model) IS
'how much each feature moves the scores of the training rows, the most important first. importance, in log-odds: logistic, the standard deviation of its contribution (of a number without NULLs: the absolute standardised coefficient); boost, how far its splits move a row: the mean absolute deviation that each makes among all rows, summed over splits and trees. share: of the sum. Importances of the two methods are not on one scale. No rows where there are no scores, for a fit that was separated, and for the survival of gaps.';

CREATE FUNCTION churn_summary(model churn_model) RETURNS TABLE (method text, converged boolean, status text, reason text,
		n bigint, positives bigint, weight double precision, base_rate double precision, unlabelled bigint, skipped bigint,
		features integer, columns integer, parameters integer, lambda double precision,
		log_likelihood_null double precision, log_likelihood double precision, penalised_log_likelihood double precision,
		deviance double precision, aic double precision, bic double precision, mcfadden_r2 double precision, edf double precision,
		max_gradient double precision, iterations integer, trees integer, as_of date, horizon_days integer)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION churn_summary(churn_model) IS
'how a model was fitted, in one row. method: ''logistic'', ''boost'' or ''gap_survival''; status: ''converged'', ''separation'', ''dependent_columns'', ''not_converged'', ''no_labels'', ''one_class'' or ''few_rows'', and reason: what it means and what to do, NULL if converged. n: rows that trained, positives: those of them that churned, weight: sum of weights (n without weights); base_rate: weighted share of churned; unlabelled: rows whose outcome is NULL; skipped: rows left out for a NULL feature or for no weight. columns: of the design, parameters: the intercept and the columns that are neither constant nor dependent. Log-likelihoods are weighted sums: of the intercept alone, of the model, and less the penalty; deviance = -2 lnL, aic = 2 k - 2 lnL, bic = k ln(weight) - 2 lnL with k parameters, mcfadden_r2 = 1 - lnL / lnL of the intercept alone, edf: trace of H (H + lambda I)^-1; max_gradient: of the objective, standardised. trees: fitted ones of boost. as_of: the day of the scores, horizon_days: how far ahead, of models of histories. NULL where a method has no such figure.';

CREATE FUNCTION churn_band(p double precision, low double precision DEFAULT 0.3, high double precision DEFAULT 0.6) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_band(double precision, double precision, double precision) IS
'the risk band of a probability: ''low'' below low, ''high'' from high on, else ''medium''. 22023 unless 0 <= p <= 1 and 0 <= low <= high <= 1. NULL for NULL.';

CREATE FUNCTION churn_band(p double precision, model churn_model) RETURNS text
	AS 'MODULE_PATHNAME', 'churn_band_of_model' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_band(double precision, churn_model) IS
'the risk band of a probability against the base rate of the rows that the model was fitted to: ''low'' below half of it, ''high'' from twice of it on, else ''medium''. 22023 unless 0 <= p <= 1. NULL for NULL, and for a model without rows.';

----------------------------------------------------------------------
-- churn_model() from rows with an outcome, and churn_score() OVER
----------------------------------------------------------------------

CREATE FUNCTION churn_model_rows_final(internal) RETURNS churn_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_rows_final(internal) IS
'part of churn_model(): the fit';

CREATE FUNCTION churn_model_array_trans(internal, boolean, double precision[]) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_array_trans(internal, boolean, double precision[]) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features double precision[]) (
	SFUNC = churn_model_array_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, double precision[]) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: numbers, the same in all rows by position (2202E if not), named x1, x2, ... or by the option names. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_array_options_trans(internal, boolean, double precision[], jsonb) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_array_options_trans(internal, boolean, double precision[], jsonb) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features double precision[], options jsonb) (
	SFUNC = churn_model_array_options_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, double precision[], jsonb) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: numbers, the same in all rows by position (2202E if not), named x1, x2, ... or by the option names. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). options: a JSON object, the same in all rows of a group (22023): method (logistic, boost), lambda (1; 0 = maximum likelihood), missing (mean = the mean and an indicator column, skip, error), rare (10), names (of the features), and of boost trees (100), depth (3), learning_rate (0.1), bins, min_leaf. NULL: the defaults. NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_array_text_trans(internal, boolean, double precision[], text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_array_text_trans(internal, boolean, double precision[], text) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features double precision[], options text) (
	SFUNC = churn_model_array_text_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, double precision[], text) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: numbers, the same in all rows by position (2202E if not), named x1, x2, ... or by the option names. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). options: a JSON object written as text, the same in all rows of a group (22023): method (logistic, boost), lambda (1; 0 = maximum likelihood), missing (mean = the mean and an indicator column, skip, error), rare (10), names (of the features), and of boost trees (100), depth (3), learning_rate (0.1), bins, min_leaf. NULL: the defaults. NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_array_weight_trans(internal, boolean, double precision[], double precision) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_array_weight_trans(internal, boolean, double precision[], double precision) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features double precision[], weight double precision) (
	SFUNC = churn_model_array_weight_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, double precision[], double precision) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: numbers, the same in all rows by position (2202E if not), named x1, x2, ... or by the option names. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. weight: so many rows; NULL and 0 skip the row, 22023 if below 0 or not finite. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_array_weight_options_trans(internal, boolean, double precision[], double precision, jsonb) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_array_weight_options_trans(internal, boolean, double precision[], double precision, jsonb) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features double precision[], weight double precision, options jsonb) (
	SFUNC = churn_model_array_weight_options_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, double precision[], double precision, jsonb) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: numbers, the same in all rows by position (2202E if not), named x1, x2, ... or by the option names. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. weight: so many rows; NULL and 0 skip the row, 22023 if below 0 or not finite. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). options: a JSON object, the same in all rows of a group (22023): method (logistic, boost), lambda (1; 0 = maximum likelihood), missing (mean = the mean and an indicator column, skip, error), rare (10), names (of the features), and of boost trees (100), depth (3), learning_rate (0.1), bins, min_leaf. NULL: the defaults. NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_record_trans(internal, boolean, record) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_record_trans(internal, boolean, record) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features record) (
	SFUNC = churn_model_record_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, record) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: a record, whose columns have names and types: ROW(...), a row of a table or subquery, any subset of columns. Numbers are taken as they are, booleans as 0 and 1; of a text or enum each level that at least 10 rows have (option rare; at most 255) is a column but the most frequent, the base, and the others are pooled into one; a text without a level that occurs twice has no column. Dates and times are refused (42804): give days before the snapshot. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_record_options_trans(internal, boolean, record, jsonb) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_record_options_trans(internal, boolean, record, jsonb) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features record, options jsonb) (
	SFUNC = churn_model_record_options_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, record, jsonb) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: a record, whose columns have names and types: ROW(...), a row of a table or subquery, any subset of columns. Numbers are taken as they are, booleans as 0 and 1; of a text or enum each level that at least 10 rows have (option rare; at most 255) is a column but the most frequent, the base, and the others are pooled into one; a text without a level that occurs twice has no column. Dates and times are refused (42804): give days before the snapshot. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). options: a JSON object, the same in all rows of a group (22023): method (logistic, boost), lambda (1; 0 = maximum likelihood), missing (mean = the mean and an indicator column, skip, error), rare (10), exclude (columns that are no features), and of boost trees (100), depth (3), learning_rate (0.1), bins, min_leaf. NULL: the defaults. NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_record_text_trans(internal, boolean, record, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_record_text_trans(internal, boolean, record, text) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features record, options text) (
	SFUNC = churn_model_record_text_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, record, text) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: a record, whose columns have names and types: ROW(...), a row of a table or subquery, any subset of columns. Numbers are taken as they are, booleans as 0 and 1; of a text or enum each level that at least 10 rows have (option rare; at most 255) is a column but the most frequent, the base, and the others are pooled into one; a text without a level that occurs twice has no column. Dates and times are refused (42804): give days before the snapshot. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). options: a JSON object written as text, the same in all rows of a group (22023): method (logistic, boost), lambda (1; 0 = maximum likelihood), missing (mean = the mean and an indicator column, skip, error), rare (10), exclude (columns that are no features), and of boost trees (100), depth (3), learning_rate (0.1), bins, min_leaf. NULL: the defaults. NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_record_weight_trans(internal, boolean, record, double precision) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_record_weight_trans(internal, boolean, record, double precision) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features record, weight double precision) (
	SFUNC = churn_model_record_weight_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, record, double precision) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: a record, whose columns have names and types: ROW(...), a row of a table or subquery, any subset of columns. Numbers are taken as they are, booleans as 0 and 1; of a text or enum each level that at least 10 rows have (option rare; at most 255) is a column but the most frequent, the base, and the others are pooled into one; a text without a level that occurs twice has no column. Dates and times are refused (42804): give days before the snapshot. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. weight: so many rows; NULL and 0 skip the row, 22023 if below 0 or not finite. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_model_record_weight_options_trans(internal, boolean, record, double precision, jsonb) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_model_record_weight_options_trans(internal, boolean, record, double precision, jsonb) IS
'part of churn_model(): one row';

CREATE AGGREGATE churn_model(churned boolean, features record, weight double precision, options jsonb) (
	SFUNC = churn_model_record_weight_options_trans,
	STYPE = internal,
	SSPACE = 1024,
	FINALFUNC = churn_model_rows_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(boolean, record, double precision, jsonb) IS
'a model of who leaves, fitted to rows whose outcome is known. churned: true or false; NULL is not known, such rows are counted and not looked at. features: a record, whose columns have names and types: ROW(...), a row of a table or subquery, any subset of columns. Numbers are taken as they are, booleans as 0 and 1; of a text or enum each level that at least 10 rows have (option rare; at most 255) is a column but the most frequent, the base, and the others are pooled into one; a text without a level that occurs twice has no column. Dates and times are refused (42804): give days before the snapshot. NULL where a feature is not known (option missing); a row whose features are NULL altogether is skipped and counted. weight: so many rows; NULL and 0 skip the row, 22023 if below 0 or not finite. Method logistic (default): maximises sum w (y eta - ln(1 + e^eta)) - lambda / 2 sum b^2 over coefficients of standardised columns by Newton''s method (Hoerl and Kennard 1970; le Cessie and van Houwelingen 1992); method boost: gradient-boosted trees (Friedman 2001; Chen and Guestrin 2016). options: a JSON object, the same in all rows of a group (22023): method (logistic, boost), lambda (1; 0 = maximum likelihood), missing (mean = the mean and an indicator column, skip, error), rare (10), exclude (columns that are no features), and of boost trees (100), depth (3), learning_rate (0.1), bins, min_leaf. NULL: the defaults. NULL without rows. No known outcome, outcomes all alike, separation, dependent columns, more columns than rows: a WARNING and a model whose converged is false (churn_summary()); a feature that alone tells every outcome: a WARNING with its name. 22023: a feature that is NaN or infinite, with its name. The model depends on the rows, not on their order. Read it by churn_summary(), churn_coefficients(); score by churn_score(model, features).';

CREATE FUNCTION churn_score(churned boolean, features double precision[], options jsonb DEFAULT NULL)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'churn_score_window_array' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_score(boolean, double precision[], jsonb) IS
'probability that a customer leaves, fitted and scored at once: a window function that fits a churn_model() to the rows of each partition whose outcome is known and scores all rows, those with a NULL outcome too. churned, features, options: as in churn_model(); options must be the same in all rows of a partition. The same numbers, bit for bit, as churn_score(churn_model(churned, features), features); the frame and the order of the window do not matter. A partition that cannot be fitted gives NULLs and one WARNING. NULL for NULL features, and for a row with a NULL feature under the option missing = skip.';

CREATE FUNCTION churn_score(churned boolean, features record, options jsonb DEFAULT NULL)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'churn_score_window_record' LANGUAGE C WINDOW STABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_score(boolean, record, jsonb) IS
'probability that a customer leaves, fitted and scored at once: a window function that fits a churn_model() to the rows of each partition whose outcome is known and scores all rows, those with a NULL outcome too. churned, features, options: as in churn_model(); options must be the same in all rows of a partition. The same numbers, bit for bit, as churn_score(churn_model(churned, features), features); the frame and the order of the window do not matter. A partition that cannot be fitted gives NULLs and one WARNING. NULL for NULL features, and for a row with a NULL feature under the option missing = skip.';

----------------------------------------------------------------------
-- churn from histories alone: who will make no purchase
----------------------------------------------------------------------

CREATE FUNCTION churn_history_trans(internal, customer_history, date, interval) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_history_trans(internal, customer_history, date, interval) IS
'part of churn_model(): one customer';

CREATE FUNCTION churn_history_final(internal) RETURNS churn_model
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_history_final(internal) IS
'part of churn_model(): fits the model to the customers';

CREATE AGGREGATE churn_model(history customer_history, as_of date, horizon interval) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = churn_history_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(customer_history, date, interval) IS
'a model of who makes no purchase in the next horizon, from histories alone, one a customer. It is trained one horizon earlier: who had a purchase by as_of - horizon (by the calendar) trains, with his behaviour of that day, the outcome being that he made no purchase until as_of; days after as_of are not looked at. Features, with x repeat purchase days, T days since the first purchase, r since the last, t = T - r, g = t / x (T where x is 0), h days of horizon and c = h / 20: recency = ln(1 + r), frequency = ln(1 + x), age = ln(1 + T), silence = ln((T + c) / (t + c)), pace = ln((r + c) / (g + c)), overdue = ln(1 + x ln((T + c) / (t + c))), activity = ln of the purchases, one d days ago counted as 1 / (1 + d / 2h), spend = ln of the mean amount of a purchase day, left out where no amounts are known. Method: logistic regression with lambda 1 on standardised features. Where fewer than 20 customers have either outcome, a NOTICE says so and the method is ''gap_survival'': Kaplan-Meier (1958) survival S of the gaps between purchase days of all customers, the last of each censored at as_of. NULL histories are counted as skipped, customers without a purchase by as_of - horizon as unlabelled. as_of and horizon must not be NULL (22004) and be the same in all rows (22023); as_of must be finite (22008), horizon of whole days and positive (22023). NULL without rows; WARNING and converged = false where nothing can be learnt: see churn_summary().';

CREATE FUNCTION churn_history_trans(internal, customer_history, date, interval, jsonb) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_history_trans(internal, customer_history, date, interval, jsonb) IS
'part of churn_model(): one customer';

CREATE AGGREGATE churn_model(history customer_history, as_of date, horizon interval, options jsonb) (
	SFUNC = churn_history_trans,
	STYPE = internal,
	SSPACE = 512,
	FINALFUNC = churn_history_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE churn_model(customer_history, date, interval, jsonb) IS
'a model of who makes no purchase in the next horizon, from histories alone: as churn_model(history, as_of, horizon), with options, which must be the same in all rows (22023). {"method": "logistic"} (default), "boost" or "gap_survival"; "lambda", "missing" and those of "boost" as in churn_model(churned, features, options); "exclude": names of features to leave out.';

CREATE FUNCTION churn_score(history customer_history, as_of date, horizon interval, options jsonb DEFAULT NULL)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'churn_history_window' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_score(customer_history, date, interval, jsonb) IS
'the probability that a customer makes no purchase in the horizon after as_of: a window function that trains churn_model(history, as_of, horizon, options) on the customers of each partition, one horizon earlier, and scores each by his behaviour at as_of, to the same bits as churn_score(churn_model(...), history). The horizon ahead has as many days as as_of - (as_of - horizon). Frame, order and ORDER BY of the window do not matter. NULL for NULL histories and for customers without a purchase by as_of. Too little history to train: scores are by the survival of gaps, S(recency + horizon) / S(recency), and a NOTICE says so; a partition without scores gives NULLs and one WARNING. as_of, horizon and options must be the same in all rows of a partition (22023). Never 1 - p_alive(), which is another question: one-time buyers are alive for sure under BG/NBD.';

CREATE FUNCTION churn_score(model churn_model, history customer_history, as_of date DEFAULT NULL)
	RETURNS double precision
	AS 'MODULE_PATHNAME', 'churn_score_history' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION churn_score(churn_model, customer_history, date) IS
'the probability that a customer makes no purchase in the horizon of the model after as_of, by his behaviour at as_of; days after it are not looked at. as_of: NULL stands for that of the model; must be finite (22008). Models of method ''gap_survival'': S(recency + horizon) / S(recency), S being constant after the longest gap seen; NULL where S(recency) is 0. NULL: no model, no history, no purchase by as_of, a model without scores (WARNING once a query). 22023 for a model that was not trained on histories.';

CREATE FUNCTION churn_reasons(model churn_model, history customer_history, as_of date DEFAULT NULL, k integer DEFAULT 3)
	RETURNS TABLE (rank integer, feature text, value text, contribution double precision, direction text)
	AS 'MODULE_PATHNAME', 'churn_reasons_history' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 5;
COMMENT ON FUNCTION churn_reasons(churn_model, customer_history, date, integer) IS
'why a customer has his churn_score(model, history, as_of): rank 0 is the baseline, ranks 1 to k the features that move it most, in the order of their absolute contribution, and a last row (others) sums up the rest. contribution: in log-odds; all rows add up to ln(p / (1 - p)). value, for people: recency and age in days, frequency in repeat purchase days, silence as the share of the age since the last purchase, pace as that time in mean gaps, overdue as the purchases missed at his rate, activity as the purchases that count, the old ones less, spend as the mean of a purchase day; ratios to four digits. Models of method ''gap_survival'': the baseline is a customer who has just bought (0 where that one is certain), and recency what the time since adds; NULL where p is 0 or 1. k: how many features, NULL for all; 22023 if negative. No rows where there is no score.';

CREATE FUNCTION churn_outcome(history customer_history, as_of date, horizon interval) RETURNS boolean
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION churn_outcome(customer_history, date, interval) IS
'did a customer make no purchase in (as_of, as_of + horizon]: what churn_score(history, as_of, horizon) has predicted, to be compared with it once that time is over. NULL without a purchase by as_of. as_of must be finite (22008), horizon of whole days and positive (22023). Until the data reach as_of + horizon, true means not yet.';
