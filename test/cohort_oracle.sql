-- The oracle itself, without the extension: hand-worked cases, published numbers, and two formulations that must agree.
-- check: once, for it does without the extension
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
\ir oracle/oracle.psql
SELECT * FROM no_plan();
\ir oracle/cases.psql
SELECT setseed(:seed / 1e9) \g /dev/null

-- Statistics: published numbers.
SELECT ok(bool_and(abs(oracle.erf(oracle.z(c)::text::numeric / sqrt(2::numeric)) - c::text::numeric) < 1e-15),
  'normal quantiles agree with erf to 1e-15')
FROM unnest('{0.5,0.8,0.9,0.95,0.99,0.999}'::float8[]) c;
SELECT is((SELECT string_agg(round(low::numeric, 4) || ' ' || round(high::numeric, 4), ', ' ORDER BY o)
           FROM (VALUES (1, 81, 263), (2, 15, 148), (3, 0, 20), (4, 1, 29)) v (o, x, n), oracle.wilson(x, n, 0.95)),
          '0.2553 0.3662, 0.0624 0.1605, 0.0000 0.1611, 0.0061 0.1718',
            'Wilson limits of Newcombe 1998 (two-sided methods), table I');
SELECT is((SELECT string_agg(format('%s %s %s', round(difference::numeric, 4), round(low::numeric, 4),
    round(high::numeric, 4)), ', ' ORDER BY o)
           FROM (VALUES (1, 56, 70, 48, 80), (2, 9, 10, 3, 10), (3, 6, 7, 2, 7), (4, 5, 56, 0, 29), (5, 0, 10, 0, 20),
             (6, 10, 10, 0, 20), (7, 10, 10, 0, 10)) v (o, x1, n1, x2, n2),
                oracle.two_groups(x1, n1, x2, n2, 0.95)),
          '0.2000 0.0524 0.3339, 0.6000 0.1705 0.8090, 0.5714 0.0582 0.8062, 0.0893 -0.0381 0.1926, 0.0000 -0.1611 '
            '0.2775, 1.0000 0.6791 1.0000, 1.0000 0.6075 1.0000',
          'differences of Newcombe 1998 (comparison of eleven methods), table II, method 10');
SELECT ok(abs(p_value - 0.008045) < 2e-6, 'pooled z test of 56/70 and 48/80: z = 2.6502')
  FROM oracle.two_groups(56, 70, 48, 80, 0.95);

-- Periods.
SELECT is(count(*) FILTER (WHERE oracle.start_of(p, oracle.number_of(p, oracle.trunc(p, w))) = oracle.trunc(p, w)
    AND oracle.trunc(p, w) = oracle.naive_trunc(p, w)
                             AND oracle.trunc(p, w) <= w AND w < oracle.start_of(p,
                               oracle.number_of(p, oracle.trunc(p, w)) + 1)),
          count(*), 'periods: start, number and end fit together, from 50 BC to 2050')
FROM unnest('{hour,day,week,week:sunday,week:monday,week:tuesday,week:wednesday,week:thursday,week:friday,week:saturday,month,quarter,year}'::text[])
  p,
     (SELECT (timestamp '2050-01-01' - interval '1 day' * (random() * 365.25 * CASE WHEN i % 2 = 0 THEN 2099
         ELSE 100 END)) AS w FROM generate_series(1, 300) i) q;
SELECT is(oracle.trunc('week', '2021-01-03'), '2020-12-28', 'Sunday 3 January 2021 is in week 53 of 2020');
SELECT is(oracle.trunc('week:sunday', '2021-01-03'), '2021-01-03',
  'and starts a week of its own where weeks start on Sunday');
SELECT is(oracle.number_of('year', '2000-01-01') - oracle.number_of('year', '0001-01-01 BC'), 2000::bigint,
  'there is no year 0');

-- A shop worked by hand.  Months of 2024; as_of 15 April, so that April has not ended.
--   1  Jan Feb     Apr      2  Jan     Mar         3  Feb                4  Feb Mar Apr
CREATE TABLE hand (customer integer, joined_at date, at date);
INSERT INTO hand (customer, at) VALUES (1, '2024-01-31'), (1, '2024-02-01'), (1, '2024-04-10'), (1, '2024-02-29'),
  (2, '2024-01-01'), (2, '2024-03-31'), (2, '2024-03-31'),
                        (3, '2024-02-15'), (4, '2024-04-15'), (4, '2024-02-29'), (4, '2024-03-01'),
                          (NULL, '2023-01-01'), (5, NULL);
SELECT oracle.prepare('TABLE hand', 'first', 'month', NULL, 'UTC') \g /dev/null
SELECT oracle.observe(NULL::timestamp) \g /dev/null
SELECT is(E'\n' || string_agg(concat_ws(' ', cohort::date, period, period_start::date, size, at_risk,
    coalesce(retained::text, '-'), coalesce(rate::text, '-'), complete, seen), E'\n' ORDER BY cohort, period), '
2024-01-01 0 2024-01-01 2 2 2 1 t 2
2024-01-01 1 2024-02-01 2 2 1 0.5 t 1
2024-01-01 2 2024-03-01 2 2 1 0.5 t 1
2024-01-01 3 2024-04-01 2 0 - - f 1
2024-02-01 0 2024-02-01 2 2 2 1 t 2
2024-02-01 1 2024-03-01 2 2 1 0.5 t 1
2024-02-01 2 2024-04-01 2 0 - - f 1', 'by hand: on') FROM oracle.rows('on');
SELECT is(string_agg(coalesce(retained::text, '-'), ' ' ORDER BY cohort, period), '2 2 2 - 2 1 -',
  'by hand: on_or_after') FROM oracle.rows('on_or_after');
SELECT is(string_agg(coalesce(retained::text, '-'), ' ' ORDER BY cohort, period), '0 1 2 - 0 1 -',
  'by hand: on_or_before') FROM oracle.rows('on_or_before');
SELECT is(string_agg(coalesce(retained::text, '-'), ' ' ORDER BY cohort, period), '2 1 0 - 2 1 -', 'by hand: streak')
  FROM oracle.rows('streak');
SELECT is(string_agg(concat_ws(' ', period, cohorts, at_risk, retained, rate), ', ' ORDER BY period),
  '0 2 4 4 1, 1 2 4 2 0.5, 2 1 2 1 0.5', 'by hand: curve') FROM oracle.curve();
SELECT is(E'\n' || string_agg(concat_ws(' ', period_start::date, active, new, "returning", resurrected,
    coalesce(dormant::text, '-'), complete), E'\n' ORDER BY period_start), '
2024-01-01 2 2 0 0 0 t
2024-02-01 3 2 1 0 1 t
2024-03-01 2 0 1 1 2 t
2024-04-01 2 0 1 1 - f', 'by hand: lifecycle') FROM oracle.lifecycle();

-- Windows of one month: customer 1 (31 January): [31 Jan, 29 Feb), [29 Feb, 31 Mar), [31 Mar, 30 Apr); customer 2:
-- calendar months; customer 3: [15 Feb, 15 Mar) ...; customer 4: [29 Feb, 29 Mar), [29 Mar, 29 Apr).
SELECT oracle.prepare('TABLE hand', 'first', 'month', '1 month', 'UTC') \g /dev/null
SELECT oracle.observe('2024-03-31'::timestamp) \g /dev/null
SELECT is(E'\n' || string_agg(concat_ws(' ', cohort::date, period, period_start::date, size, at_risk,
    coalesce(retained::text, '-'), complete, seen), E'\n' ORDER BY cohort, period), '
2024-01-01 0 2024-01-01 2 2 2 t 2
2024-01-01 1 2024-02-01 2 2 1 t 1
2024-01-01 2 2024-03-01 2 0 - f 2
2024-02-01 0 2024-02-01 2 2 2 t 2
2024-02-01 1 2024-03-01 2 0 - f 1', 'by hand: windows of one month') FROM oracle.rows('on');
SELECT is(E'\n' || string_agg(concat_ws(' ', period_start::date, active, new, "returning", resurrected,
    coalesce(dormant::text, '-'), complete), E'\n' ORDER BY period_start), '
2024-01-01 2 2 0 0 0 t
2024-02-01 3 2 1 0 1 t
2024-03-01 2 0 1 1 - f', 'by hand: lifecycle is by calendar month under windows too') FROM oracle.lifecycle();

-- Joining: 1 joins 10 Feb (earliest), returned before that in January (ignored) and on 5 Feb (counts in the calendar
-- form only); 2 joins and never returns; 3 never joins.
TRUNCATE hand;
INSERT INTO hand VALUES (1, '2024-02-20', '2024-01-10'), (1, '2024-02-10', NULL), (1, NULL, '2024-02-05'),
  (1, NULL, '2024-03-12'), (2, '2024-02-01', NULL), (3, NULL, '2024-03-01');
SELECT oracle.prepare('TABLE hand', 'joined', 'month', NULL, 'UTC') \g /dev/null
SELECT oracle.observe(NULL::timestamp) \g /dev/null
SELECT is(string_agg(concat_ws(' ', cohort::date, period, size, at_risk, coalesce(retained::text, '-'), seen),
    ', ' ORDER BY cohort, period), '2024-02-01 0 2 2 1 1, 2024-02-01 1 2 0 - 1', 'by hand: joined')
  FROM oracle.rows('on');
SELECT is(string_agg(concat_ws(' ', period_start::date, active, new, "returning", resurrected,
    coalesce(dormant::text, '-')), ', ' ORDER BY period_start), '2024-02-01 1 1 0 0 0, 2024-03-01 1 0 1 0 -',
  'by hand: lifecycle, joined') FROM oracle.lifecycle();
SELECT oracle.prepare('TABLE hand', 'joined', 'month', '30 days', 'UTC') \g /dev/null
SELECT oracle.observe('2024-03-12'::timestamp) \g /dev/null
SELECT is(string_agg(concat_ws(' ', cohort::date, period, size, at_risk, coalesce(retained::text, '-'), seen),
    ', ' ORDER BY cohort, period), '2024-02-01 0 2 2 0 0, 2024-02-01 1 2 0 - 1', 'by hand: joined, 30 days')
  FROM oracle.rows('on');
SELECT is(string_agg(concat_ws(' ', period_start::date, active, new, "returning", resurrected,
    coalesce(dormant::text, '-')), ', ' ORDER BY period_start), '2024-02-01 0 0 0 0 0, 2024-03-01 1 1 0 0 -',
  'by hand: lifecycle, joined, 30 days') FROM oracle.lifecycle();

-- The clock: 31 March 2024 has 23 hours in Paris.  From noon on the 30th, noon on the 31st is one day later, but only
-- 23 hours.
CREATE TABLE clock (customer integer, joined_at date, at timestamptz);
INSERT INTO clock (customer, at) VALUES (1, '2024-03-30 12:00+01'), (1, '2024-03-31 12:00+02');
SELECT oracle.prepare('TABLE clock', 'first', 'day', '1 day', 'Europe/Paris') \g /dev/null
SELECT is(string_agg(k::text, ' ' ORDER BY k), '0 1', 'one day across 23 hours') FROM oracle.active_window;
SELECT oracle.prepare('TABLE clock', 'first', 'day', '24 hours', 'Europe/Paris') \g /dev/null
SELECT is(string_agg(k::text, ' ' ORDER BY k), '0', '24 hours across 23 hours') FROM oracle.active_window;

-- Two formulations on random scenarios.
CREATE FUNCTION pg_temp.disagreement(s oracle.scenario) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  moment record;
  measure text;
  found text;
BEGIN
  PERFORM oracle.fill(s, 5, 6);
  PERFORM oracle.prepare(s);
  FOR moment IN SELECT * FROM oracle.moments(2) LOOP
    PERFORM oracle.observe(moment.moment, (SELECT zone FROM oracle.parameter));
    IF moment.kind = 'none' THEN PERFORM oracle.observe(NULL::timestamp); END IF;
    IF moment.kind IN ('date', 'day') THEN
      PERFORM oracle.observe_day((moment.moment AT TIME ZONE (SELECT zone FROM oracle.parameter))::date);
    END IF;
    CONTINUE WHEN (SELECT count(*) FROM oracle.tally) > 300 OR (SELECT count(*) FROM oracle.lifecycle()) > 100;
    FOREACH measure IN ARRAY '{on,on_or_after,on_or_before,by,streak}'::text[] LOOP
      SELECT string_agg(r::text, E'\n') INTO found
      FROM ((SELECT '-', r FROM oracle.rows(measure, 0.9) r EXCEPT ALL SELECT '-', r
          FROM oracle.naive_rows(measure, 0.9) r)
            UNION ALL (SELECT '+', r FROM oracle.naive_rows(measure, 0.9) r EXCEPT ALL SELECT '+', r
              FROM oracle.rows(measure, 0.9) r)) r;
      IF found IS NOT NULL THEN RETURN concat_ws(E'\n', moment, measure, found); END IF;
    END LOOP;
    SELECT string_agg(r::text, E'\n') INTO found
    FROM ((SELECT '-', r FROM oracle.lifecycle() r EXCEPT ALL SELECT '-', r FROM oracle.naive_lifecycle() r)
          UNION ALL (SELECT '+', r FROM oracle.naive_lifecycle() r EXCEPT ALL SELECT '+', r FROM oracle.lifecycle() r))
            r;
    IF found IS NOT NULL THEN RETURN concat_ws(E'\n', moment, 'lifecycle', found); END IF;
  END LOOP;
  RETURN NULL;
END $$;
SELECT is(pg_temp.disagreement(s), NULL, 'two formulations agree: ' || s::text)
FROM (SELECT oracle.scenario(n + floor(random() * 18018)::integer) AS s FROM generate_series(1, (30 * :cases)::integer) n OFFSET 0)
  q;

SELECT * FROM finish();
ROLLBACK;
