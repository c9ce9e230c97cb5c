-- ---------------------------------------------------------------------------
-- migration_matrix: customers by the segment they came from and went to
-- ---------------------------------------------------------------------------

VALUE_TYPE migration_matrix: states and their order, every count and value, periods
COMMENT ON TYPE migration_matrix IS
'customers counted by the segment they came from and the one they went to, with the sum of a value; made by migration_matrix(), added up by rollup() and +, read by migration_rows(), migration_chart(), migration_sankey() and others; equal matrices have equal bytes';
COMMENT ON FUNCTION migration_matrix_to_jsonb(migration_matrix) IS
'a migration_matrix as JSON: states in order, cells with customers and value (null = entered or left) or the given probabilities, and of a panel the cells by period and the runs of three periods';

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

CREATE FUNCTION migration_matrix_boolean_trans(migration_matrix, boolean, boolean) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_boolean_trans(migration_matrix, boolean, boolean) IS
'part of migration_matrix(): one row';

CREATE AGGREGATE migration_matrix(from_segment boolean, to_segment boolean) (
	SFUNC = migration_matrix_boolean_trans,
	STYPE = migration_matrix,
	SSPACE = 256,
	FINALFUNC = migration_matrix_final,
	COMBINEFUNC = migration_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(boolean, boolean) IS
'migration_matrix of customers, one row each, by the segment they were in at the beginning and at the end of a period. from_segment: NULL = entered; to_segment: NULL = left; a row with neither is skipped. States are ''false'' and ''true''. Zero rows give a matrix without states.';

CREATE FUNCTION migration_matrix_boolean_value_trans(migration_matrix, boolean, boolean, numeric) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_matrix_boolean_value_trans(migration_matrix, boolean, boolean, numeric) IS
'part of migration_matrix(): one row';

CREATE AGGREGATE migration_matrix(from_segment boolean, to_segment boolean, value numeric) (
	SFUNC = migration_matrix_boolean_value_trans,
	STYPE = migration_matrix,
	SSPACE = 256,
	FINALFUNC = migration_matrix_final,
	COMBINEFUNC = migration_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_matrix(boolean, boolean, numeric) IS
'migration_matrix of customers, one row each, by the segment they were in at the beginning and at the end of a period. from_segment: NULL = entered; to_segment: NULL = left; a row with neither is skipped. value: numeric, summed exactly by cell, as sum(numeric) does; NULL is skipped, NaN and infinities are 22003. States are ''false'' and ''true''. Zero rows give a matrix without states.';

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
'the customers of both matrices, states matched by name; NULL counts as nothing. Of two declared lists, one may be an ordered part of the other. 22023 if neither is, if one is declared and lacks a state of the other, if one is of given probabilities, or if only one is of a panel or their periods differ';

CREATE OPERATOR + (
	LEFTARG = migration_matrix, RIGHTARG = migration_matrix, FUNCTION = migration_matrix_add, COMMUTATOR = +
);
COMMENT ON OPERATOR + (migration_matrix, migration_matrix) IS 'the customers of both matrices, states matched by name; NULL counts as nothing';

CREATE FUNCTION migration_with_states(matrix migration_matrix, states text[], renamed jsonb DEFAULT '{}') RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION migration_with_states(migration_matrix, text[], jsonb) IS
'the matrix with this list of states, in this order: states that it lacks are added without customers. renamed: {"old name": "new name"}; states of one new name become one. 22023 for a state with customers that is not in the list. NULL for NULL.';

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

CREATE FUNCTION migration(segment boolean) RETURNS migration_step
	AS 'MODULE_PATHNAME', 'migration_step' LANGUAGE C WINDOW IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration(boolean) IS
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
'migration_matrix of a panel: one row per customer and calendar period with its segment, in any order. Customers are counted from each period to the next one (by cell, by cell and period, and by runs of three periods for migration_order() and migration_homogeneity()). customer: of any hashable type; at: date, timestamp or timestamptz; segment: text, an integer, a boolean or an enum (then its labels are the states, all of them, in its order). Rows with NULL in one of these are skipped: a period without a row is a gap, and no customer moves across a gap, or is counted as entered or left. Of two rows of a customer in one period the later one counts; at the same time, the one whose segment stands later among the states. The last period of a customer is in no denominator. period: ''hour'', ''day'', ''week'' (''week:sunday''), ''month'', ''quarter'', ''year''; the days of timestamptz are those of the session''s TimeZone, date and timestamp are wall clock. Period must be the same in all rows of a group (22023, NULL 22004). 22008 for infinite times; 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 42804 for another type; 42883 for customers that cannot be hashed; 54000 for more than 1000 segments. Zero rows give a matrix without states.';

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
'migration_matrix of a panel: one row per customer and calendar period with its segment, in any order. Customers are counted from each period to the next one (by cell, by cell and period, and by runs of three periods for migration_order() and migration_homogeneity()). customer: of any hashable type; at: date, timestamp or timestamptz; segment: text, an integer, a boolean or an enum (then its labels are the states, all of them, in its order). Rows with NULL in one of these are skipped: a period without a row is a gap, and no customer moves across a gap, or is counted as entered or left. Of two rows of a customer in one period the later one counts; at the same time, the one whose segment stands later among the states. The last period of a customer is in no denominator. period: ''hour'', ''day'', ''week'' (''week:sunday''), ''month'', ''quarter'', ''year''; time_zone: of timestamptz; date and timestamp are wall clock and not converted. Period and time zone must be the same in all rows of a group (22023, NULL 22004). 22008 for infinite times; 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 42804 for another type; 42883 for customers that cannot be hashed; 54000 for more than 1000 segments. Zero rows give a matrix without states.';

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
'migration_matrix of a panel: one row per customer and calendar period with its segment, in any order. Customers are counted from each period to the next one (by cell, by cell and period, and by runs of three periods for migration_order() and migration_homogeneity()). customer: of any hashable type; at: date, timestamp or timestamptz; segment: text, an integer, a boolean or an enum. Rows with NULL in one of these are skipped: a period without a row is a gap, and no customer moves across a gap, or is counted as entered or left. Of two rows of a customer in one period the later one counts; at the same time, the one whose segment stands later among the states. The last period of a customer is in no denominator. period: ''hour'', ''day'', ''week'' (''week:sunday''), ''month'', ''quarter'', ''year''; the days of timestamptz are those of the session''s TimeZone, date and timestamp are wall clock. states: all states in their order; they are kept where nobody was in them, and any other segment is 22023. Period and states must be the same in all rows of a group (22023, NULL 22004). 22008 for infinite times; 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 42804 for another type; 42883 for customers that cannot be hashed; 54000 for more than 1000 segments. Zero rows give a matrix without states.';

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
'migration_matrix of a panel: one row per customer and calendar period with its segment, in any order. Customers are counted from each period to the next one (by cell, by cell and period, and by runs of three periods for migration_order() and migration_homogeneity()). customer: of any hashable type; at: date, timestamp or timestamptz; segment: text, an integer, a boolean or an enum. Rows with NULL in one of these are skipped: a period without a row is a gap, and no customer moves across a gap, or is counted as entered or left. Of two rows of a customer in one period the later one counts; at the same time, the one whose segment stands later among the states. The last period of a customer is in no denominator. period: ''hour'', ''day'', ''week'' (''week:sunday''), ''month'', ''quarter'', ''year''; the days of timestamptz are those of the session''s TimeZone, date and timestamp are wall clock. states: all states in their order; they are kept where nobody was in them, and any other segment is 22023. Period and states must be the same in all rows of a group (22023, NULL 22004). 22008 for infinite times; 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 42804 for another type; 42883 for customers that cannot be hashed; 54000 for more than 1000 segments. Zero rows give a matrix without states.';

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
'migration_matrix of a panel: one row per customer and calendar period with its segment, in any order. Customers are counted from each period to the next one (by cell, by cell and period, and by runs of three periods for migration_order() and migration_homogeneity()). customer: of any hashable type; at: date, timestamp or timestamptz; segment: text, an integer, a boolean or an enum. Rows with NULL in one of these are skipped: a period without a row is a gap, and no customer moves across a gap, or is counted as entered or left. Of two rows of a customer in one period the later one counts; at the same time, the one whose segment stands later among the states. The last period of a customer is in no denominator. period: ''hour'', ''day'', ''week'' (''week:sunday''), ''month'', ''quarter'', ''year''; time_zone: of timestamptz; date and timestamp are wall clock and not converted. states: all states in their order; they are kept where nobody was in them, and any other segment is 22023. Period, states and time zone must be the same in all rows of a group (22023, NULL 22004). 22008 for infinite times; 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 42804 for another type; 42883 for customers that cannot be hashed; 54000 for more than 1000 segments. Zero rows give a matrix without states.';

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
'migration_matrix of a panel: one row per customer and calendar period with its segment, in any order. Customers are counted from each period to the next one (by cell, by cell and period, and by runs of three periods for migration_order() and migration_homogeneity()). customer: of any hashable type; at: date, timestamp or timestamptz; segment: text, an integer, a boolean or an enum. Rows with NULL in one of these are skipped: a period without a row is a gap, and no customer moves across a gap, or is counted as entered or left. Of two rows of a customer in one period the later one counts; at the same time, the one whose segment stands later among the states. The last period of a customer is in no denominator. period: ''hour'', ''day'', ''week'' (''week:sunday''), ''month'', ''quarter'', ''year''; time_zone: of timestamptz; date and timestamp are wall clock and not converted. states: all states in their order; they are kept where nobody was in them, and any other segment is 22023. Period, states and time zone must be the same in all rows of a group (22023, NULL 22004). 22008 for infinite times; 22023 for an empty segment, one of more than 255 bytes, ''(entered)'' and ''(left)''; 42804 for another type; 42883 for customers that cannot be hashed; 54000 for more than 1000 segments. Zero rows give a matrix without states.';

-- ---------------------------------------------------------------------------
-- migration_changes(): matrices from a log of changes
-- ---------------------------------------------------------------------------

CREATE FUNCTION migration_changes_final(internal) RETURNS migration_matrix
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_changes_final(internal) IS 'part of migration_changes(): the matrix of a state';

CREATE FUNCTION migration_changes_trans(internal, anyelement, "any", "any", text, text) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_changes_trans(internal, anyelement, "any", "any", text, text) IS 'part of migration_changes(): one row';

CREATE AGGREGATE migration_changes(customer anyelement, changed_at "any", segment "any", period text, as_of text) (
	SFUNC = migration_changes_trans,
	STYPE = internal,
	SSPACE = 384,
	FINALFUNC = migration_changes_final,
	COMBINEFUNC = migration_panel_combine,
	SERIALFUNC = migration_panel_serialize,
	DESERIALFUNC = migration_panel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_changes(anyelement, "any", "any", text, text) IS
'migration_matrix of a log with a row when a segment changes: carried forward to the end of each period until the customer''s next row, up to the last period that ended by as_of. See doc/migration.md.';

CREATE FUNCTION migration_changes_trans(internal, anyelement, "any", "any", text, "any") RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_changes_trans(internal, anyelement, "any", "any", text, "any") IS 'part of migration_changes(): one row';

CREATE AGGREGATE migration_changes(customer anyelement, changed_at "any", segment "any", period text, as_of "any") (
	SFUNC = migration_changes_trans,
	STYPE = internal,
	SSPACE = 384,
	FINALFUNC = migration_changes_final,
	COMBINEFUNC = migration_panel_combine,
	SERIALFUNC = migration_panel_serialize,
	DESERIALFUNC = migration_panel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_changes(anyelement, "any", "any", text, "any") IS
'migration_matrix of a log with a row when a segment changes: carried forward to the end of each period until the customer''s next row, up to the last period that ended by as_of. See doc/migration.md.';

CREATE FUNCTION migration_changes_trans(internal, anyelement, "any", "any", text, text, jsonb) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_changes_trans(internal, anyelement, "any", "any", text, text, jsonb) IS 'part of migration_changes(): one row';

CREATE AGGREGATE migration_changes(customer anyelement, changed_at "any", segment "any", period text, as_of text, options jsonb) (
	SFUNC = migration_changes_trans,
	STYPE = internal,
	SSPACE = 384,
	FINALFUNC = migration_changes_final,
	COMBINEFUNC = migration_panel_combine,
	SERIALFUNC = migration_panel_serialize,
	DESERIALFUNC = migration_panel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_changes(anyelement, "any", "any", text, text, jsonb) IS
'migration_matrix of a log with a row when a segment changes: carried forward to the end of each period until the customer''s next row, up to the last period that ended by as_of. options: "final", "states", "time_zone". See doc/migration.md.';

CREATE FUNCTION migration_changes_trans(internal, anyelement, "any", "any", text, "any", jsonb) RETURNS internal
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION migration_changes_trans(internal, anyelement, "any", "any", text, "any", jsonb) IS 'part of migration_changes(): one row';

CREATE AGGREGATE migration_changes(customer anyelement, changed_at "any", segment "any", period text, as_of "any", options jsonb) (
	SFUNC = migration_changes_trans,
	STYPE = internal,
	SSPACE = 384,
	FINALFUNC = migration_changes_final,
	COMBINEFUNC = migration_panel_combine,
	SERIALFUNC = migration_panel_serialize,
	DESERIALFUNC = migration_panel_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE migration_changes(anyelement, "any", "any", text, "any", jsonb) IS
'migration_matrix of a log with a row when a segment changes: carried forward to the end of each period until the customer''s next row, up to the last period that ended by as_of. options: "final", "states", "time_zone". See doc/migration.md.';
