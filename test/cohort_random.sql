-- The extension against the oracle on random scenarios: every form, period, window, zone, measure and kind of as_of;
-- and on each of them the identities, the round trips, and the same bytes from any row order, any session zone and any
-- split of the customers.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
\ir oracle/oracle.psql
SELECT * FROM no_plan();
\ir oracle/cases.psql
\ir oracle/compare.psql
SELECT setseed(:seed / 1e9) \g /dev/null

-- The aggregate call of a scenario, over the columns of oracle.ev.  Without zone it relies on the session's.
CREATE FUNCTION pg_temp.call(s oracle.scenario, with_zone boolean) RETURNS text LANGUAGE sql AS $$
  SELECT format('cohort_retention(customer, %s%I, %L%s%s)', CASE WHEN s.form = 'joined'
    THEN format('%I, ', 'joined_' || s.joined_type) ELSE '' END,
                'at_' || s.at_type, s.period, ', interval ' || quote_literal(s.width), CASE WHEN with_zone
                  THEN ', ' || quote_literal(s.zone) ELSE '' END) $$;

CREATE FUNCTION pg_temp.aggregate(s oracle.scenario, with_zone boolean, input text DEFAULT 'oracle.ev') RETURNS
  cohort_table LANGUAGE plpgsql AS $$
DECLARE
  r cohort_table;
BEGIN
  EXECUTE format('SELECT %s FROM %s', pg_temp.call(s, with_zone), input) INTO r;
  RETURN r;
END $$;

-- Sets the oracle's clock to a moment, as one kind of as_of would, and returns how that as_of is written.
CREATE FUNCTION pg_temp.observe(kind text, moment timestamptz, zone text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  wall timestamp := (SELECT moment AT TIME ZONE p.zone FROM oracle.parameter p);
  -- a table of dates or timestamps has no instants: theirs is the zone that was given
  instant timestamptz := CASE WHEN (SELECT p.zone = observe.zone FROM oracle.parameter p) THEN moment
    ELSE wall AT TIME ZONE zone END;
BEGIN
  CASE kind
    WHEN 'none' THEN PERFORM oracle.observe(NULL::timestamp); RETURN '';
    WHEN 'timestamptz' THEN PERFORM oracle.observe(instant, zone); RETURN format(', as_of => %L::timestamptz', instant);
    WHEN 'date' THEN PERFORM oracle.observe_day(wall::date); RETURN format(', as_of => %L::date', wall::date);
    WHEN 'day' THEN PERFORM oracle.observe_day(wall::date); RETURN format(', as_of => %L', wall::date);
    WHEN 'text' THEN PERFORM oracle.observe(wall); RETURN format(', as_of => %L', wall);
    ELSE PERFORM oracle.observe(wall); RETURN format(', as_of => %L::%s', wall, kind);
  END CASE;
END $$;

CREATE FUNCTION pg_temp.check(n integer, s oracle.scenario) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  with_zone boolean := random() < 0.7;
  confidence float8 := (ARRAY[0.5, 0.8, 0.9, 0.95, 0.99, 0.999])[1 + floor(random() * 6)::integer];
  title text;
  t cohort_table;
  u cohort_table;
  moment record;
  measure text;
  as_of text;
  found text[] := '{}';
BEGIN
  PERFORM oracle.fill(s, 1 + floor(random() * CASE WHEN random() < 0.7 THEN 12 ELSE 40 END)::integer,
    CASE WHEN random() < 0.85 THEN 3 + floor(random() * 12) ELSE 70 + floor(random() * 80) END::integer);
  -- Without zone the session's counts; with it, the session's does not.
  PERFORM set_config('TimeZone',
    CASE WHEN with_zone THEN (ARRAY['UTC', 'Pacific/Auckland', 'America/Los_Angeles', 'Asia/Kolkata'])[1
      + floor(random() * 4)::integer] ELSE s.zone END, true);
  title := format('scenario %s: %s, zone by %s, %s rows', n, pg_temp.call(s, true), CASE WHEN with_zone THEN 'argument'
    ELSE 'session' END, (SELECT count(*) FROM oracle.ev));
  t := pg_temp.aggregate(s, with_zone);
  PERFORM oracle.prepare(s);

  FOR moment IN SELECT * FROM oracle.moments(3) LOOP
    as_of := pg_temp.observe(moment.kind, moment.moment, s.zone);
    FOREACH measure IN ARRAY '{on,on_or_after,on_or_before,by,streak}'::text[] LOOP
      found := found || ('as_of ' || as_of || ': ' || oracle.rows_difference(t, as_of, measure, confidence))
                     || ('as_of ' || as_of || ': ' || oracle.curve_difference(t, as_of, measure, confidence));
    END LOOP;
    found := found || ('as_of ' || as_of || ': ' || oracle.lifecycle_difference(t, as_of));
  END LOOP;

  found := found || ('broken: ' || oracle.broken_identity(t, (SELECT count(*) FROM oracle.member)));
  IF t::text::cohort_table::text <> t::text OR t::text::cohort_table <> t OR NOT t::text::cohort_table = t
    THEN found := found || 'text round trip'::text; END IF;
  u := pg_temp.aggregate(s, with_zone, '(SELECT * FROM oracle.ev ORDER BY random()) e');
  IF u::text <> t::text OR u <> t THEN found := found || 'row order matters'::text; END IF;
  u := (SELECT rollup(pg_temp.aggregate(s, with_zone,
      format('(SELECT * FROM oracle.ev WHERE customer %% 3 = %s) e', i))) FROM generate_series(0, 2) i);
  IF u::text <> t::text THEN found := found || 'rollup of three disjoint thirds is not the whole'::text; END IF;
  IF with_zone THEN
    SET LOCAL TimeZone = 'Asia/Tokyo';
    IF pg_temp.aggregate(s, true)::text <> t::text THEN found := found || 'session zone matters'::text; END IF;
  END IF;
  RETURN NEXT is(nullif(array_to_string(array_remove(found, NULL), E'\n'), ''), NULL, title);
END $$;

SELECT t FROM (SELECT n FROM generate_series(1, (143 * :cases)::integer) n OFFSET 0) q, pg_temp.check(n, oracle.scenario(n)) t;
-- Where clocks fall back across midnight, time on the wall is not in the order of events.
SELECT t FROM (SELECT n FROM generate_series(1, (36 * :cases)::integer) n OFFSET 0) q,
  pg_temp.check(n, ROW((ARRAY['first', 'joined'])[1 + n % 2], 'timestamptz', 'timestamptz',
      (ARRAY['day', 'hour', 'month'])[1 + n % 3], (ARRAY['24 hours', '1 day', NULL, '1 hour'])[1 + n / 3 % 4]::interval,
                       (ARRAY['America/St_Johns', 'Antarctica/Casey'])[1 + n / 2 % 2])) t;

-- Two groups: even and odd customers.
CREATE FUNCTION pg_temp.check_groups(n integer) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  s oracle.scenario := oracle.scenario(n);
  confidence float8 := (ARRAY[0.5, 0.8, 0.9, 0.95, 0.99, 0.999])[1 + floor(random() * 6)::integer];
  measure text := (ARRAY['on', 'on_or_after', 'on_or_before', 'by', 'streak'])[1 + n % 5];
  k integer := floor(random() * 4);
  newest timestamptz;
  points oracle.point[] := '{}';
  got oracle.verdict;
  want oracle.verdict;
BEGIN
  PERFORM set_config('TimeZone', s.zone, true);
  PERFORM oracle.fill(s, 30, 5);
  FOR half IN 0 .. 1 LOOP
    PERFORM oracle.prepare(format('SELECT * FROM (%s) q WHERE customer %% 2 = %s', oracle.source(s), half), s.form,
      s.period, s.width, s.zone);
    newest := greatest(newest, (SELECT p.latest FROM oracle.parameter p));
  END LOOP;
  FOR half IN 0 .. 1 LOOP
    PERFORM oracle.prepare(format('SELECT * FROM (%s) q WHERE customer %% 2 = %s', oracle.source(s), half), s.form,
      s.period, s.width, s.zone);
    PERFORM oracle.observe_latest(newest);
    points[half] := (SELECT c FROM oracle.curve(measure, confidence) c WHERE period = k);
  END LOOP;
  want := oracle.verdict(points[0], points[1], confidence);
  SELECT r.* INTO got FROM retention_test(pg_temp.aggregate(s, true,
      '(SELECT * FROM oracle.ev WHERE customer % 2 = 0) e'),
                                          pg_temp.aggregate(s, true, '(SELECT * FROM oracle.ev WHERE customer % 2 = '
                                            '1) e'), k, measure => measure, confidence => confidence) r;
  IF (got.exposed_at_risk, got.exposed_retained, got.exposed_rate, got.control_at_risk, got.control_retained,
    got.control_rate)
     IS DISTINCT FROM (want.exposed_at_risk, want.exposed_retained, want.exposed_rate, want.control_at_risk,
       want.control_retained, want.control_rate)
     OR oracle.differ(got.difference, want.difference) OR oracle.differ(got.difference_low, want.difference_low)
       OR oracle.differ(got.difference_high, want.difference_high)
     OR oracle.differ(got.p_value, want.p_value) THEN
    RETURN NEXT fail(format('retention_test, scenario %s: %s, period %s, %s', n, pg_temp.call(s, true), k, measure));
    RETURN NEXT diag(format(E'extension %s\n   oracle %s', got, want));
  ELSE
    RETURN NEXT pass(format('retention_test, scenario %s: %s, period %s, %s', n, pg_temp.call(s, true), k, measure));
  END IF;
END $$;
SELECT t FROM (SELECT n FROM generate_series(1, (39 * :cases)::integer) n OFFSET 0) q, pg_temp.check_groups(n) t;

SELECT * FROM finish();
ROLLBACK;
