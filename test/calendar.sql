-- Calendars, zones and windows: cases worked out by hand, with the instants where clocks and calendars are odd.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
SET TimeZone = 'Asia/Tokyo';    -- no zone of any case below

-- Who was seen when: cohort, period and number, where it is not 0.
CREATE FUNCTION pg_temp.seen(t cohort_table) RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(CASE period WHEN 0 THEN to_char(cohort, 'YYYY-MM-DD HH24:MI BC: ') || seen
    ELSE '+' || period || ': ' || seen END, ', ' ORDER BY cohort, period)
  FROM cohort_rows(t) WHERE seen > 0 OR period = 0 $$;

-- One customer, some instants: calendar periods and rolling windows in a zone.
CREATE FUNCTION pg_temp.zoned(period text, zone text, VARIADIC instants text[]) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.seen(cohort_retention(1, at::timestamptz, period, zone)) FROM unnest(instants) at $$;
CREATE FUNCTION pg_temp.rolling(width interval, zone text, VARIADIC instants text[]) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.seen(cohort_retention(1, at::timestamptz, 'day', width, zone)) FROM unnest(instants) at $$;
CREATE FUNCTION pg_temp.wall(period text, VARIADIC moments text[]) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.seen(cohort_retention(1, at::timestamp, period)) FROM unnest(moments) at $$;
CREATE FUNCTION pg_temp.windows(width interval, VARIADIC moments text[]) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.seen(cohort_retention(1, at::timestamp, 'day', width)) FROM unnest(moments) at $$;

-- Days of 23 and 25 hours.
SELECT is(pg_temp.zoned('day', 'Europe/Paris', '2024-03-31 00:00+01', '2024-03-31 23:59:59.999999+02',
    '2024-04-01 00:00+02'), '2024-03-31 00:00 AD: 1, +1: 1', '23 hours make a day');
SELECT is(pg_temp.zoned('day', 'Europe/Paris', '2024-10-27 00:00+02', '2024-10-27 23:59:59.999999+01'),
  '2024-10-27 00:00 AD: 1', '25 hours make a day');
SELECT is(pg_temp.zoned('day', 'Europe/Paris', '2024-10-27 00:00+02', '2024-10-28 00:00+01'),
  '2024-10-27 00:00 AD: 1, +1: 1', 'and the next one starts after them');
SELECT is(pg_temp.rolling('1 day', 'Europe/Paris', '2024-03-30 12:00+01', '2024-03-31 12:00+02'),
  '2024-03-30 00:00 AD: 1, +1: 1', 'one day later is 23 hours later');
SELECT is(pg_temp.rolling('1 day', 'Europe/Paris', '2024-03-30 12:00+01', '2024-03-31 11:59:59.999999+02'),
  '2024-03-30 00:00 AD: 1', 'and not before');
SELECT is(pg_temp.rolling('24 hours', 'Europe/Paris', '2024-03-30 12:00+01', '2024-03-31 12:59:59.999999+02'),
  '2024-03-30 00:00 AD: 1', 'but 24 hours are 24 hours');
SELECT is(pg_temp.rolling('24 hours', 'Europe/Paris', '2024-03-30 12:00+01', '2024-03-31 13:00+02'),
  '2024-03-30 00:00 AD: 1, +1: 1', 'and not more');
SELECT is(pg_temp.rolling('1 day', 'Europe/Paris', '2024-10-26 12:00+02', '2024-10-27 11:59:59.999999+01'),
  '2024-10-26 00:00 AD: 1', 'one day later is 25 hours later');
SELECT is(pg_temp.rolling('1 day', 'Europe/Paris', '2024-10-26 12:00+02', '2024-10-27 12:00+01'),
  '2024-10-26 00:00 AD: 1, +1: 1', 'not later');
SELECT is(pg_temp.rolling('24 hours', 'Europe/Paris', '2024-10-26 12:00+02', '2024-10-27 11:00+01'),
  '2024-10-26 00:00 AD: 1, +1: 1', '24 hours end before it');
SELECT is(pg_temp.rolling('7 days', 'America/New_York', '2024-03-08 02:30-05', '2024-03-15 02:29:59-04',
    '2024-03-22 02:30-04'), '2024-03-08 00:00 AD: 1, +2: 1', 'seven days across the change are seven days on the wall');
SELECT is(pg_temp.rolling('1 day', 'Europe/Paris', '2024-03-30 02:30+01', '2024-03-31 03:29:59+02'),
  '2024-03-30 00:00 AD: 1', 'a window that would start at 02:30, which is skipped, starts at 03:30');
SELECT is(pg_temp.rolling('1 day', 'Europe/Paris', '2024-03-30 02:30+01', '2024-03-31 03:30+02', '2024-04-01 02:30+02'),
  '2024-03-30 00:00 AD: 1, +1: 1, +2: 1', 'and the one after it at 02:30 again');

-- Hours on the wall: an hour that comes twice is one period, an hour that is skipped is none.
SELECT is(pg_temp.zoned('hour', 'Europe/Paris', '2024-10-27 00:30+00', '2024-10-27 01:30+00', '2024-10-27 02:30+00'),
  '2024-10-27 02:00 AD: 1, +1: 1', 'the hour that comes twice');
SELECT is(pg_temp.zoned('hour', 'Europe/Paris', '2024-03-31 00:59:59+00', '2024-03-31 01:00+00'),
  '2024-03-31 01:00 AD: 1, +2: 1', 'the hour that is skipped');
SELECT is(pg_temp.zoned('hour', 'Australia/Lord_Howe', '2024-04-06 14:45+00', '2024-04-06 15:15+00',
    '2024-04-06 15:30+00'), '2024-04-07 01:00 AD: 1, +1: 1', 'half an hour that comes twice');
SELECT is(pg_temp.zoned('hour', 'Australia/Lord_Howe', '2024-10-05 15:29:59+00', '2024-10-05 15:30+00'),
  '2024-10-06 01:00 AD: 1, +1: 1', 'half an hour that is skipped');
SELECT is(pg_temp.zoned('day', 'Asia/Kathmandu', '1985-12-31 18:29:59+00', '1985-12-31 18:30+00'),
  '1985-12-31 00:00 AD: 1, +1: 1', 'a quarter of an hour that is skipped at midnight');
SELECT is(pg_temp.zoned('day', 'America/Sao_Paulo', '2018-11-04 02:59:59.999999+00', '2018-11-04 03:00+00'),
  '2018-11-03 00:00 AD: 1, +1: 1', 'a day that starts at 01:00');
SELECT is(pg_temp.zoned('day', 'America/Sao_Paulo', '2018-02-18 01:30+00', '2018-02-18 02:30+00',
    '2018-02-18 03:00+00'), '2018-02-17 00:00 AD: 1, +1: 1', 'a day whose last hour comes twice');
SELECT is(pg_temp.zoned('day', 'Pacific/Apia', '2011-12-30 09:59:59+00', '2011-12-30 10:00+00'),
  '2011-12-29 00:00 AD: 1, +2: 1', 'a day that is skipped');
SELECT is(pg_temp.rolling('24 hours', 'Pacific/Apia', '2011-12-29 10:00-10', '2011-12-31 10:00+14'),
  '2011-12-29 00:00 AD: 1, +1: 1', '24 hours do not notice');
SELECT is(pg_temp.rolling('1 day', 'Pacific/Apia', '2011-12-29 10:00-10', '2011-12-31 09:59:59+14',
    '2011-12-31 10:00+14'), '2011-12-29 00:00 AD: 1, +2: 1', 'two days on the wall');
SELECT is(pg_temp.zoned('day', 'Europe/Paris', '1889-12-31 23:50:38+00', '1889-12-31 23:50:39+00'),
  '1889-12-31 00:00 AD: 1, +1: 1', 'local mean time of Paris, 9 minutes 21 seconds');
SELECT is(pg_temp.zoned('month', 'America/New_York', '2024-02-01 04:59:59+00', '2024-02-01 05:00+00',
    '2024-04-01 03:59:59+00', '2024-04-01 04:00+00'), '2024-01-01 00:00 AD: 1, +1: 1, +2: 1, +3: 1',
  'months begin at midnight there');

-- as_of at such times: the day is over when its last instant is.
SELECT is((SELECT string_agg(complete::text, ' ' ORDER BY o)
           FROM (SELECT cohort_retention(1, timestamptz '2018-11-03 12:00+00', 'day', 'America/Sao_Paulo') AS t) q,
                unnest('{2018-11-04 02:59:59.999999+00,2018-11-04 03:00+00}'::timestamptz[]) WITH
                  ORDINALITY u (as_of, o), cohort_rows(t, as_of) WHERE period = 0),
          'false true', 'a day before a skipped midnight is complete from 01:00');
SELECT is((SELECT string_agg(complete::text, ' ' ORDER BY o)
           FROM (SELECT cohort_retention(1, timestamptz '2018-02-17 12:00+00', 'day', 'America/Sao_Paulo') AS t) q,
                unnest('{2018-02-18 01:59:59+00,2018-02-18 02:00+00,2018-02-18 02:59:59+00,2018-02-18 '
                  '03:00+00}'::timestamptz[]) WITH ORDINALITY u (as_of, o), cohort_rows(t, as_of)
           WHERE period = 0), 'false false false true', 'a day whose last hour comes twice is complete after both');

-- Months: windows are counted from the anchor, never from the last boundary.
SELECT is(pg_temp.windows('1 month', '2023-01-31', '2023-02-27', '2023-02-28', '2023-03-30 23:59', '2023-03-31',
    '2023-04-30', '2023-05-30'), '2023-01-31 00:00 AD: 1, +1: 1, +2: 1, +3: 1',
  '31 January: 28 February, 31 March, 30 April, 31 May');
SELECT is(pg_temp.windows('1 month', '2023-01-31', '2023-03-30'), '2023-01-31 00:00 AD: 1, +1: 1',
  'and 30 March is still the window of February');
SELECT is(pg_temp.windows('1 year', '2024-02-29', '2025-02-28', '2028-02-28', '2028-02-29'),
  '2024-02-29 00:00 AD: 1, +1: 1, +3: 1, +4: 1', 'leap day: 28 February, but 29 February in 2028');
SELECT is(pg_temp.windows('1 month 2 days 3 hours', '2024-01-30 22:00', '2024-03-03 00:59:59', '2024-03-03 01:00',
    '2024-04-04 03:59:59', '2024-04-04 04:00'), '2024-01-30 00:00 AD: 1, +1: 1, +2: 1',
          'months, days and hours are multiplied each: 30 January 22:00 + 1 month 2 days 3 hours = 3 March 01:00');
SELECT is((SELECT string_agg(period_start::date::text, ' ' ORDER BY period)
           FROM (SELECT cohort_retention(1, date '2024-01-31', 'day', interval '1 month') AS t) q,
             cohort_rows(t, date '2024-04-30')),
          '2024-01-31 2024-02-29 2024-03-31 2024-04-30', 'period_start of windows of a month');
SELECT is((SELECT string_agg(cohort::date || ' ' || period || ' ' || at_risk || '/' || size, ', ' ORDER BY cohort,
    period)
           FROM (SELECT cohort_retention(c, at, 'month', interval '30 days') AS t
             FROM (VALUES (1, date '2024-01-01'), (2, '2024-01-31')) v (c, at)) q, cohort_rows(t, date '2024-02-28')),
          '2024-01-01 0 1/2, 2024-01-01 1 0/2', 'each member is at risk once its own window has closed');
SELECT is((SELECT string_agg(as_of || ' ' || at_risk || ' ' || complete, ', ' ORDER BY as_of)
           FROM (SELECT cohort_retention(1, timestamp '2024-01-01 10:00', 'month', interval '24 hours') AS t) q,
                unnest('{2024-01-02 09:59:59.999999,2024-01-02 10:00}'::timestamp[]) as_of, cohort_rows(t, as_of)
                  WHERE period = 0),
          '2024-01-02 09:59:59.999999 0 false, 2024-01-02 10:00:00 1 true', 'a window closes to the microsecond');

-- Weeks.
SELECT is(pg_temp.wall('week', '2020-12-31', '2021-01-03 23:59', '2021-01-04'), '2020-12-28 00:00 AD: 1, +1: 1',
  'week 53 of 2020 ends on 3 January 2021');
SELECT is(pg_temp.wall('week', '2015-12-31', '2016-01-03', '2016-01-11'), '2015-12-28 00:00 AD: 1, +2: 1',
  'week 53 of 2015');
SELECT is(pg_temp.wall('week', '1969-12-28 12:00', '1969-12-29', '1970-01-04 23:59', '1970-01-05'),
  '1969-12-22 00:00 AD: 1, +1: 1, +2: 1', 'weeks around 1970');
SELECT is((SELECT string_agg(to_char(cohort, 'Dy DD'), ', ' ORDER BY o)
           FROM unnest('{week,week:monday,week:tuesday,week:wednesday,week:thursday,week:friday,week:saturday,week:sunday,WEEK:Sunday}'::text[])
             WITH ORDINALITY p (period, o),
                LATERAL (SELECT cohort_retention(1, at, p.period) AS t FROM (VALUES (date '2024-05-15')) v (at)) q,
                  cohort_rows(t) r WHERE r.period = 0),
          'Mon 13, Mon 13, Tue 14, Wed 15, Thu 09, Fri 10, Sat 11, Sun 12, Sun 12', 'weeks start on any day');
SELECT is((SELECT cohort_retention(1, date '2024-05-15', 'week')::text),
  (SELECT cohort_retention(1, date '2024-05-15', 'Week:MONDAY')::text),
  'week:monday is week, and upper case is lower case');

-- Long ago: floors, not truncation towards zero; and no year 0.
SELECT is(pg_temp.wall('hour', '1969-12-31 23:59:59', '1970-01-01'), '1969-12-31 23:00 AD: 1, +1: 1',
  'hours around 1970');
SELECT is(pg_temp.wall('hour', '1999-12-31 23:30', '1999-12-31 22:59:59.999999', '2000-01-01'),
  '1999-12-31 22:00 AD: 1, +1: 1, +2: 1', 'hours around 2000');
SELECT is(pg_temp.wall('day', '1969-12-31 00:00', '1969-12-30 23:59:59.999999'), '1969-12-30 00:00 AD: 1, +1: 1',
  'days before 1970');
SELECT is(pg_temp.wall('month', '1968-02-29', '1968-03-01', '1969-02-28'), '1968-02-01 00:00 AD: 1, +1: 1, +12: 1',
  'months before 1970');
SELECT is(pg_temp.wall('quarter', '1969-12-31', '1970-01-01', '1970-04-01'), '1969-10-01 00:00 AD: 1, +1: 1, +2: 1',
  'quarters around 1970');
SELECT is(pg_temp.wall('year', '0001-12-31 BC', '0001-01-01', '0044-03-15 BC'),
  '0044-01-01 00:00 BC: 1, +43: 1, +44: 1', 'from 44 BC to 1 BC are 43 years, to AD 1 one more');
SELECT is(pg_temp.wall('month', '0001-12-31 BC', '0001-01-01'), '0001-12-01 00:00 BC: 1, +1: 1', 'there is no year 0');
SELECT is(pg_temp.wall('quarter', '0001-12-31 BC', '0001-01-01'), '0001-10-01 00:00 BC: 1, +1: 1',
  'nor are there quarters in it');
SELECT is(pg_temp.wall('day', '0001-12-31 BC', '0001-01-01'), '0001-12-31 00:00 BC: 1, +1: 1', 'nor days');
SELECT is(pg_temp.wall('day', '1900-02-28', '1900-03-01', '2000-02-28', '2000-03-01'),
  '1900-02-28 00:00 AD: 1, +1: 1, +36524: 1, +36526: 1', '1900 has no leap day, 2000 has');
SELECT is(pg_temp.windows('1 year', '0005-02-29 BC', '0004-02-28 BC', '0001-02-28 BC', '0001-02-29 BC', '0001-02-28'),
  '0005-02-29 00:00 BC: 1, +1: 1, +3: 1, +4: 1, +5: 1', 'leap days of 5 BC and 1 BC');

-- date and timestamp are wall clock and never shifted.
CREATE TABLE wall (customer integer, d date, t timestamp);
INSERT INTO wall SELECT i % 7, d, d + interval '1 hour' * (i % 24)
  FROM generate_series(1, 100) i, LATERAL (SELECT date '2024-03-01' + i) q (d);
CREATE FUNCTION pg_temp.in_zone(zone text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text;
BEGIN
  PERFORM set_config('TimeZone', zone, true);
  EXECUTE query INTO r;
  PERFORM set_config('TimeZone', 'Asia/Tokyo', true);
  RETURN r;
END $$;
SELECT is(count(DISTINCT pg_temp.in_zone(zone, query)), 1::bigint, query || ' is the same in any session zone')
FROM unnest(ARRAY['UTC', 'Pacific/Auckland', 'America/Los_Angeles', 'Asia/Kathmandu', 'Pacific/Apia']) zone,
     unnest(ARRAY['SELECT string_agg(r::text, '';'') FROM (SELECT cohort_retention(customer, d, ''day'') t FROM wall) q,
         cohort_rows(t) r',
                  'SELECT string_agg(r::text, '';'')
                    FROM (SELECT cohort_retention(customer, t, ''hour'') t FROM wall) q, cohort_rows(t) r',
                  'SELECT string_agg(r::text, '';'')
                    FROM (SELECT cohort_retention(customer, t, ''day'', interval ''24 hours'') t FROM wall) q,
                    cohort_rows(t) r',
                  'SELECT string_agg(r::text, '';'')
                    FROM (SELECT cohort_retention(customer, d, t, ''day'', interval ''1 day'') t FROM wall) q,
                    cohort_rows(t, date ''2024-04-02'') r',
                  'SELECT cohort_retention(customer, t, ''day'', ''Europe/Paris'')::text FROM wall',
                  'SELECT cohort_retention(customer, d, ''week'')::text FROM wall',
                  'SELECT cohort_retention(customer, t, ''week'', interval ''5 hours'')::text FROM wall',
                  'SELECT cohort_retention(customer, t AT TIME ZONE ''UTC'', ''week'', interval ''1 month'',
                      ''Europe/Paris'')::text FROM wall']) query
GROUP BY query;
SELECT is((SELECT string_agg(r::text, ';')
    FROM (SELECT cohort_retention(customer, d, 'day', 'Europe/Paris') t FROM wall) q, cohort_rows(t) r),
          (SELECT string_agg(r::text, ';') FROM (SELECT cohort_retention(customer, d, 'day') t FROM wall) q,
            cohort_rows(t) r), 'a zone given with dates shifts nothing');
SELECT throws_ok($$SELECT cohort_retention(customer, d, 'day', 'Europe/Lutetia') FROM wall$$, '22023', NULL,
  'though it must exist');

-- The session's zone counts only where none is given.
SELECT is(pg_temp.in_zone('Europe/Paris', $$SELECT cohort_retention(customer, t AT TIME ZONE 'UTC', 'day')::text
    FROM wall$$),
          (SELECT cohort_retention(customer, t AT TIME ZONE 'UTC', 'day', 'Europe/Paris')::text FROM wall),
            'without zone the session''s counts');
SELECT isnt(pg_temp.in_zone('America/New_York', $$SELECT cohort_retention(customer, t AT TIME ZONE 'UTC', 'day')::text
    FROM wall$$),
            (SELECT cohort_retention(customer, t AT TIME ZONE 'UTC', 'day', 'Europe/Paris')::text FROM wall),
              'and only then');
SELECT is((SELECT cohort_retention(customer, t AT TIME ZONE 'UTC', 'day', 'europe/PARIS')::text FROM wall),
          (SELECT cohort_retention(customer, t AT TIME ZONE 'UTC', 'day', 'Europe/Paris')::text FROM wall),
            'the case of a zone''s name does not matter');

-- as_of as timestamp, date, timestamptz and literal.
CREATE TABLE zoned AS SELECT cohort_retention(customer, t AT TIME ZONE 'UTC', 'day', interval '1 day',
  'America/New_York') AS t FROM wall;
SELECT is((SELECT string_agg(r::text, ';') FROM zoned, cohort_rows(t, date '2024-04-02') r),
  (SELECT string_agg(r::text, ';') FROM zoned, cohort_rows(t, timestamp '2024-04-03') r WHERE period_start < '2024-04-03'),
  'as_of: a date is the end of that day');
SELECT is((SELECT string_agg(r::text, ';') FROM zoned, cohort_rows(t, '2024-04-02') r),
  (SELECT string_agg(r::text, ';') FROM zoned, cohort_rows(t, date '2024-04-02') r), 'and a literal without time is a date');
SELECT is((SELECT string_agg(r::text, ';') FROM zoned, cohort_rows(t, '2024-04-02 10:30') r),
  (SELECT string_agg(r::text, ';') FROM zoned, cohort_rows(t, timestamp '2024-04-02 10:30') r),
  'as_of: a literal is wall clock of the table''s zone');
SELECT is((SELECT string_agg(r::text, ';') FROM zoned, cohort_rows(t, timestamptz '2024-04-02 10:30-04') r),
  (SELECT string_agg(r::text, ';') FROM zoned, cohort_rows(t, timestamp '2024-04-02 10:30') r),
  'as_of: an instant is seen on the table''s clock');
SELECT isnt((SELECT string_agg(r::text, ';') FROM zoned, cohort_rows(t, timestamptz '2024-04-02 10:30+09') r),
  (SELECT string_agg(r::text, ';') FROM zoned, cohort_rows(t, timestamp '2024-04-02 10:30') r),
  'not on the session''s');
SELECT is((SELECT string_agg(r::text, ';') FROM zoned, cohort_rows(t, NULL) r),
  (SELECT string_agg(r::text, ';') FROM zoned, cohort_rows(t) r), 'as_of: NULL is the default');
SELECT is((SELECT string_agg(r::text, ';') FROM zoned, cohort_rows(t, NULL::timestamptz) r)
  || (SELECT string_agg(r::text, ';') FROM zoned, cohort_rows(t, NULL::date) r),
  (SELECT string_agg(r::text, ';') || string_agg(r::text, ';') FROM zoned, cohort_rows(t) r), 'of any type');
SELECT is((SELECT string_agg(r::text, ';') FROM zoned, retention_curve(t, timestamptz '2024-04-02 10:30-04') r)
  || (SELECT string_agg(r::text, ';') FROM zoned, lifecycle_rows(t, timestamptz '2024-04-02 10:30-04') r),
          (SELECT string_agg(r::text, ';') FROM zoned, retention_curve(t, '2024-04-02 10:30') r)
            || (SELECT string_agg(r::text, ';') FROM zoned, lifecycle_rows(t, '2024-04-02 10:30') r),
            'the same in retention_curve and lifecycle_rows');
SELECT is((SELECT string_agg(r::text, ';')
    FROM (SELECT cohort_retention(customer, d, 'day', 'Europe/Paris') t FROM wall) q,
    cohort_rows(t, timestamptz '2024-04-01 22:30+00') r),
          (SELECT string_agg(r::text, ';')
            FROM (SELECT cohort_retention(customer, d, 'day', 'Europe/Paris') t FROM wall) q,
            cohort_rows(t, timestamp '2024-04-02 00:30') r), 'a table of dates keeps its zone for that');

-- St. John's fell back from 00:01 to 23:01 of the day before: half a minute into 7 November comes before half past 23
-- of the 6th.
CREATE TABLE newfoundland AS SELECT 1 AS customer, at
  FROM unnest('{2010-11-07 02:30:30+00,2010-11-07 03:00+00,2010-11-08 12:00+00}'::timestamptz[]) at;
SELECT is((SELECT pg_temp.seen(cohort_retention(customer, at, 'day', 'America/St_Johns')) FROM newfoundland),
  '2010-11-06 00:00 AD: 1, +1: 1, +2: 1', 'calendar days count from the earliest day');
SELECT is((SELECT string_agg(period || ': ' || seen, ', ' ORDER BY period)
    FROM (SELECT cohort_retention(customer, at, 'day', interval '1 hour', 'America/St_Johns') t FROM newfoundland) q,
    cohort_rows(t, '2010-11-08 10:00') WHERE seen > 0), '0: 1, 33: 1', 'windows count from the first instant');
SELECT is((SELECT string_agg(concat_ws(' ', l.period_start::date, active, new, "returning", resurrected,
    coalesce(dormant::text, '-')), ', ' ORDER BY l.period_start)
           FROM (SELECT cohort_retention(customer, at, 'day', interval '1 hour', 'America/St_Johns') AS t
             FROM newfoundland) q, lifecycle_rows(t) l), '2010-11-07 1 1 0 0 0, 2010-11-08 1 0 1 0 -',
             'days before the cohort''s are not counted');

SELECT * FROM finish();
ROLLBACK;
