-- ---------------------------------------------------------------------------
-- customer_history: one customer's active days
-- ---------------------------------------------------------------------------

VALUE_TYPE customer_history: days, events, amounts and their scales
COMMENT ON TYPE customer_history IS
'one customer''s active days, each with its number of events and exact sum of amounts, and the days on which only money moved; made by customer_history(), added up by rollup() and ||; equal histories have equal bytes';
COMMENT ON FUNCTION customer_history_to_jsonb(customer_history) IS
'a customer_history as JSON: an array of days with events and amount; events 0 where only money moved, amount null where a day had none';

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

CREATE FUNCTION customer_history_amount_trans(internal, "any", "any") RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_amount_trans(internal, "any", "any") IS 'part of customer_history(): one row';

CREATE AGGREGATE customer_history(at "any", amount "any") (
	SFUNC = customer_history_amount_trans,
	STYPE = internal,
	SSPACE = 128,
	FINALFUNC = customer_history_final,
	COMBINEFUNC = customer_history_combine,
	SERIALFUNC = customer_history_serialize,
	DESERIALFUNC = customer_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_history("any", "any") IS
'one customer''s active days and amounts; use with GROUP BY customer. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in the session''s TimeZone); NULL is skipped, infinite times are an error. amount: any finite numeric, integer, real, double precision (the decimal number that it is printed as) or money; NULL counts as an event without amount; NaN and infinities are an error (22003). A row of a negative amount is money that came back, no purchase: no event and no active day, but part of the total (customer_history(at, amount, purchase) has it otherwise). No rows give an empty history.';

CREATE FUNCTION customer_history_amount_zone_trans(internal, "any", "any", text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_amount_zone_trans(internal, "any", "any", text) IS 'part of customer_history(): one row';

CREATE AGGREGATE customer_history(at "any", amount "any", time_zone text) (
	SFUNC = customer_history_amount_zone_trans,
	STYPE = internal,
	SSPACE = 128,
	FINALFUNC = customer_history_final,
	COMBINEFUNC = customer_history_combine,
	SERIALFUNC = customer_history_serialize,
	DESERIALFUNC = customer_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_history("any", "any", text) IS
'one customer''s active days and amounts; use with GROUP BY customer. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in time_zone); NULL is skipped, infinite times are an error. amount: any finite numeric, integer, real, double precision (the decimal number that it is printed as) or money; NULL counts as an event without amount; NaN and infinities are an error (22003). A row of a negative amount is money that came back, no purchase: no event and no active day, but part of the total (customer_history(at, amount, purchase) has it otherwise). No rows give an empty history.';

CREATE FUNCTION customer_history_purchase_trans(internal, "any", "any", boolean) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_purchase_trans(internal, "any", "any", boolean) IS 'part of customer_history(): one row';

CREATE AGGREGATE customer_history(at "any", amount "any", purchase boolean) (
	SFUNC = customer_history_purchase_trans,
	STYPE = internal,
	SSPACE = 128,
	FINALFUNC = customer_history_final,
	COMBINEFUNC = customer_history_combine,
	SERIALFUNC = customer_history_serialize,
	DESERIALFUNC = customer_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_history("any", "any", boolean) IS
'one customer''s active days and amounts; use with GROUP BY customer. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in the session''s TimeZone); NULL is skipped, infinite times are an error. amount: any finite numeric, integer, real, double precision (the decimal number that it is printed as) or money; NULL counts as an event without amount; NaN and infinities are an error (22003). purchase: false for a row that moves money only (no event, no active day; nothing at all where its amount is NULL), true for a purchase, also of a negative amount (a margin), NULL decides by the sign: a negative amount is no purchase. No rows give an empty history.';

CREATE FUNCTION customer_history_purchase_zone_trans(internal, "any", "any", boolean, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION customer_history_purchase_zone_trans(internal, "any", "any", boolean, text) IS 'part of customer_history(): one row';

CREATE AGGREGATE customer_history(at "any", amount "any", purchase boolean, time_zone text) (
	SFUNC = customer_history_purchase_zone_trans,
	STYPE = internal,
	SSPACE = 128,
	FINALFUNC = customer_history_final,
	COMBINEFUNC = customer_history_combine,
	SERIALFUNC = customer_history_serialize,
	DESERIALFUNC = customer_history_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE customer_history("any", "any", boolean, text) IS
'one customer''s active days and amounts; use with GROUP BY customer. at: date, timestamp (both wall clock, never shifted) or timestamptz (its day in time_zone); NULL is skipped, infinite times are an error. amount: any finite numeric, integer, real, double precision (the decimal number that it is printed as) or money; NULL counts as an event without amount; NaN and infinities are an error (22003). purchase: false for a row that moves money only (no event, no active day; nothing at all where its amount is NULL), true for a purchase, also of a negative amount (a margin), NULL decides by the sign: a negative amount is no purchase. No rows give an empty history.';

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
'one row a day, ascending: its events, and the sum of their amounts as sum(numeric) gives it, NULL if none had one. Days on which only money moved have 0 events; money that moved on an active day is in that day''s amount';

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
'first active day, one with a purchase; NULL if there is none';

CREATE FUNCTION last_day(history customer_history)
	RETURNS date
	AS 'MODULE_PATHNAME', 'history_last_day' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION last_day(customer_history) IS
'last active day, one with a purchase; NULL if there is none';

CREATE FUNCTION active_days(history customer_history)
	RETURNS bigint
	AS 'MODULE_PATHNAME', 'history_active_days' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION active_days(customer_history) IS
'number of active days, those with a purchase';

CREATE FUNCTION events(history customer_history)
	RETURNS bigint
	AS 'MODULE_PATHNAME', 'history_events' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION events(customer_history) IS
'number of events; rows that only move money are none';

CREATE FUNCTION total_amount(history customer_history)
	RETURNS numeric
	AS 'MODULE_PATHNAME', 'history_total_amount' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION total_amount(customer_history) IS
'sum of all amounts, also of money that came back, to the last digit and scale of sum(numeric); NULL if there was none';
