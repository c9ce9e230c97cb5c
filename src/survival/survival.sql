-- ---------------------------------------------------------------------------
-- survival_table: who left when, tallied
-- ---------------------------------------------------------------------------

VALUE_TYPE survival_table: rows and how often each
COMMENT ON TYPE survival_table IS
'who left when: distinct durations with the numbers of customers that left then or were last seen still there; made by survival_curve(), logrank() and competing_risks(), added up by rollup(), read by survival_rows(), survival_at(), survival_interval(), survival_quantile(), restricted_mean(), survival_conditional(), survival_chart() and others; equal tables have equal bytes';
COMMENT ON FUNCTION survival_table_to_jsonb(survival_table) IS
'a survival_table as JSON: duration_type and the distinct rows: duration (of intervals, microseconds), event or cause, and count; group, stratum, entry and weight where it has them';

-- ---------------------------------------------------------------------------
-- survival_curve(): from rows to a survival_table
-- ---------------------------------------------------------------------------

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

CREATE FUNCTION survival_curve_dates_trans(internal, "any", "any", text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_curve_dates_trans(internal, "any", "any", text) IS
'part of survival_curve(): one row';

CREATE AGGREGATE survival_curve(started "any", ended "any", as_of text) (
	SFUNC = survival_curve_dates_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = survival_final,
	COMBINEFUNC = survival_combine,
	SERIALFUNC = survival_serialize,
	DESERIALFUNC = survival_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE survival_curve("any", "any", text) IS
'survival_table of customers with a start and perhaps an end: who ended until as_of left after ended - started, all others, also those whose end is NULL, ''infinity'' or later than as_of, were still there at as_of. started, ended: both date (durations are days), timestamp or timestamptz (durations are intervals, in results days). as_of: until when the ends are known; a date, or a text that is only a date, is the end of that day (for timestamptz in the session''s TimeZone), a timestamp is that instant. Left out, counted and told in a NOTICE: rows without a start and rows that started after as_of. 22004 for a NULL as_of; 22008 for infinite starts; 22023 for an end before the start; 42804 for other types.';

CREATE FUNCTION survival_curve_dates_trans(internal, "any", "any", "any") RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION survival_curve_dates_trans(internal, "any", "any", "any") IS
'part of survival_curve(): one row';

CREATE AGGREGATE survival_curve(started "any", ended "any", as_of "any") (
	SFUNC = survival_curve_dates_trans,
	STYPE = internal,
	SSPACE = 256,
	FINALFUNC = survival_final,
	COMBINEFUNC = survival_combine,
	SERIALFUNC = survival_serialize,
	DESERIALFUNC = survival_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE survival_curve("any", "any", "any") IS
'survival_table of customers with a start and perhaps an end: who ended until as_of left after ended - started, all others, also those whose end is NULL, ''infinity'' or later than as_of, were still there at as_of. started, ended: both date (durations are days), timestamp or timestamptz (durations are intervals, in results days). as_of: until when the ends are known; a date, or a text that is only a date, is the end of that day (for timestamptz in the session''s TimeZone), a timestamp is that instant. Left out, counted and told in a NOTICE: rows without a start and rows that started after as_of. 22004 for a NULL as_of; 22008 for infinite starts; 22023 for an end before the start; 42804 for other types.';

-- ---------------------------------------------------------------------------
-- Transition functions of logrank() and competing_risks()
-- ---------------------------------------------------------------------------

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

-- ---------------------------------------------------------------------------
-- rollup(survival_table)
-- ---------------------------------------------------------------------------

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

-- ---------------------------------------------------------------------------
-- What a survival_table says
-- ---------------------------------------------------------------------------

CREATE FUNCTION survival_summary(t survival_table)
	RETURNS TABLE (rows bigint, events bigint, censored bigint, shortest double precision, longest double precision,
		duration_type text, weighted boolean, delayed_entry boolean, groups integer, strata integer, causes integer)
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 1;
COMMENT ON FUNCTION survival_summary(survival_table) IS
'what a survival_table is about, in one row: its rows, with and without an event, the shortest and the longest duration (of intervals in days), and what it has. groups, strata, causes: NULL where it has none. No row for NULL. doc/survival.md';

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

-- ---------------------------------------------------------------------------
-- logrank(): do groups leave at the same rate?
-- ---------------------------------------------------------------------------

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
'survival_table of customers in groups, one row each, for logrank_test() and logrank_groups(). duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). event: true = left then, false = still there then (censored); NULL skips the row, so write coalesce(ended_on <= as_of, false): ended_on <= as_of alone is NULL for who is still there. grp: any type of which a value has one text under all settings of a session, which is its name (numeric 1.0 and 1.00 are 1, a date is ISO, a timestamptz ISO in UTC, bytea hexadecimal, citext in lower case; arrays and records by their elements), else 42804 with a hint. Rows with a NULL are skipped; without rows an empty table. 22023 for a negative duration and numbers that are not finite; 42804 for durations of other types, and for groups and strata that have no such text.';

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
'survival_table of customers in groups, one row each, for logrank_test() and logrank_groups(). duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). event: true = left then, false = still there then (censored); NULL skips the row, so write coalesce(ended_on <= as_of, false): ended_on <= as_of alone is NULL for who is still there. grp: any type of which a value has one text under all settings of a session, which is its name (numeric 1.0 and 1.00 are 1, a date is ISO, a timestamptz ISO in UTC, bytea hexadecimal, citext in lower case; arrays and records by their elements), else 42804 with a hint. stratum: customers are only compared with those of the same stratum, and what comes out is summed up; of the types of grp. Rows with a NULL are skipped; without rows an empty table. 22023 for a negative duration and numbers that are not finite; 42804 for durations of other types, and for groups and strata that have no such text.';

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
'survival_table of customers in groups, one row each, for logrank_test() and logrank_groups(). duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). event: true = left then, false = still there then (censored); NULL skips the row, so write coalesce(ended_on <= as_of, false): ended_on <= as_of alone is NULL for who is still there. entry: from when on the customer is known of (delayed entry), counted like duration: at risk is who has entered before a time and not left before it. grp: any type of which a value has one text under all settings of a session, which is its name (numeric 1.0 and 1.00 are 1, a date is ISO, a timestamptz ISO in UTC, bytea hexadecimal, citext in lower case; arrays and records by their elements), else 42804 with a hint. Rows with a NULL are skipped; without rows an empty table. 22023 for a negative duration, an entry not before it and numbers that are not finite; 42804 for durations of other types, and for groups and strata that have no such text.';

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
'survival_table of customers in groups, one row each, for logrank_test() and logrank_groups(). duration: how long until the customer left or was last seen: smallint, integer and bigint are compared as whole numbers, real, double precision and numeric as double precision, intervals as microseconds with months of 30 days (in results: days). event: true = left then, false = still there then (censored); NULL skips the row, so write coalesce(ended_on <= as_of, false): ended_on <= as_of alone is NULL for who is still there. entry: from when on the customer is known of (delayed entry), counted like duration: at risk is who has entered before a time and not left before it. grp: any type of which a value has one text under all settings of a session, which is its name (numeric 1.0 and 1.00 are 1, a date is ISO, a timestamptz ISO in UTC, bytea hexadecimal, citext in lower case; arrays and records by their elements), else 42804 with a hint. stratum: customers are only compared with those of the same stratum, and what comes out is summed up; of the types of grp. Rows with a NULL are skipped; without rows an empty table. 22023 for a negative duration, an entry not before it and numbers that are not finite; 42804 for durations of other types, and for groups and strata that have no such text.';

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

-- ---------------------------------------------------------------------------
-- competing_risks(): which cause first?
-- ---------------------------------------------------------------------------

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

-- ---------------------------------------------------------------------------
-- survival_difference(): how much longer does one group stay?
-- ---------------------------------------------------------------------------

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
