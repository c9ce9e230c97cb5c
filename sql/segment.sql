-- segments and RFM scores: what they print, and what they say when they cannot.
-- Properties, oracles and reference numbers are in test/.
SET DateStyle = 'ISO, MDY';
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS retention;
RESET client_min_messages;

CREATE TABLE visits (customer text, day date);
INSERT INTO visits SELECT 'monthly', generate_series(date '2022-01-05', '2024-06-05', '1 month') UNION ALL
  SELECT 'stopped', generate_series(date '2022-01-05', '2023-12-05', '1 month')
  UNION ALL SELECT 'gone', generate_series(date '2020-01-05', '2023-01-05', '1 month') UNION ALL
    SELECT 'christmas', make_date(y, 12, 10) FROM generate_series(2019, 2023) y
  UNION ALL SELECT 'winter', unnest('{2020-12-28,2022-01-10,2022-12-30,2024-01-15}'::date[]) UNION ALL
    SELECT 'three in july', make_date(y, 7, 14) FROM generate_series(2021, 2023) y
  UNION ALL SELECT 'once', date '2024-05-01' UNION ALL SELECT 'twice', unnest('{2023-09-01,2024-02-01}'::date[])
    UNION ALL SELECT 'future', date '2024-08-01';
CREATE TABLE customers AS SELECT customer, customer_history(day) AS h FROM visits GROUP BY customer;

-- Segments and the chance of the seasonal rule.
SELECT customer, segment(h, '2024-06-30'), segment(h, '2024-06-30', max_chance => 1) AS unbound,
  round(seasonal_chance(h, '2024-06-30')::numeric, 4) AS chance,
  segment(h, '2024-06-30', inactive_after => 30) AS strict,
  segment(h, '2024-06-30', loyalist_share => 0.5) AS half,
    segment(h, '2024-06-30', season_start => 7, season_months => 6, max_chance => NULL) AS half_years,
    segment(h, last_day(h)) AS last_day FROM customers ORDER BY customer COLLATE "C";
SELECT day::date, segment(h, day::date) FROM customers, generate_series(date '2023-12-09', '2025-03-09', '3 months') day
  WHERE customer = 'christmas' ORDER BY day;
SELECT segment(NULL, '2024-06-30'), segment(customer_history(day), '2024-06-30') AS nothing FROM visits WHERE false;
SELECT * FROM segment_rules();
SELECT place, rule FROM segment_rules(inactive_after => 1, seasonal_min_days => 1, seasonal_min_years => 1,
  seasonal_min_age => 1, max_chance => NULL, season_start => 11, season_months => 1, loyalist_share => 0.1,
  loyalist_windows => 1, loyalist_window_days => 1) WHERE place IN (1, 2, 5);
SELECT rule FROM segment_rules(season_start => 11, season_months => 4, max_chance => 0.001) WHERE segment = 'seasonal';

-- Scores.
CREATE TABLE shoppers (name text, recency integer, frequency integer, monetary numeric);
INSERT INTO shoppers VALUES ('a', 3, 12, 900), ('b', 10, 1, 30.5), ('c', 10, 4, 80), ('d', 45, 4, 80.0),
  ('e', 90, 2, 15), ('f', 200, 1, 30.50), ('g', 365, 7, 400), ('h', 400, 1, 5), ('i', 12, NULL, 7), ('j', 400, 1, 5);
SELECT name, score, rfm_segment(score), r, f, m, rfm_segment(r, f, 5) AS same, nested, fixed
FROM (SELECT name, rfm_score(recency, frequency, monetary) OVER () AS score,
  rfm_score(recency, lower_is_better => true) OVER () AS r, rfm_score(frequency) OVER () AS f,
  rfm_score(monetary, bins => 3) OVER () AS m,
        rfm_score(recency, frequency, monetary, bins => 3, nested => true) OVER () AS nested,
        rfm_score(recency, frequency, monetary, recency_cuts => '{30,90,180,365}', frequency_cuts => '{2,4,8}',
          monetary_cuts => '{50,500}') OVER () AS fixed FROM shoppers) s ORDER BY name;
SELECT rfm_score(recency, frequency, monetary) OVER () FROM shoppers WHERE false;
SELECT * FROM rfm_segment_rules();
SELECT * FROM rfm_segment_rules('{"best": "r3 f2-3", "good": ["r2 f2-3", "r3 f1"], "rest": ["R1 F1-3", " r2  f1 "]}',
  3);
SELECT * FROM rfm_segment_rules('{"best": "r2 f2 m2", "rest": ["r1 f1-2", "r2 f1", "r2 f2 m1"]}', 2);
SELECT rfm_segment(3, 1, 3, '{"best": "r3 f2-3", "good": ["r2 f2-3", "r3 f1"], "rest": ["r1 f1-3", "r2 f1"]}'),
  rfm_segment('312/3', '{"best": "r3 f2-3", "good": ["r2 f2-3", "r3 f1"], "rest": ["r1 f1-3", "r2 f1"]}') AS same,
  rfm_segment('221/2', '{"best": "r2 f2 m2", "rest": ["r1 f1-2", "r2 f1", "r2 f2 m1"]}') AS cube,
  rfm_segment('444'), rfm_segment(NULL, 5, 5), rfm_segment(5, NULL, 5), rfm_segment(NULL::text);
-- From histories.
SELECT customer, rfm_score(h, '2024-06-30') OVER () AS score,
  rfm_score(h, '2024-06-30', bins => 4, nested => true) OVER () AS nested,
  rfm_score(h, '2024-06-30', recency_cuts => '{30,90}') OVER () AS fixed
FROM (SELECT customer, customer_history(day, CASE WHEN customer <> 'once' THEN 10 END) AS h FROM visits
  GROUP BY customer) q ORDER BY customer COLLATE "C";
SELECT customer, rfm_score(h, '2024-06-30') OVER (PARTITION BY customer = 'gone') AS score FROM customers
  ORDER BY customer COLLATE "C";

-- Errors: the text and the SQLSTATE.
\set VERBOSITY terse
SELECT segment(h) FROM customers;
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
SELECT segment(h, NULL) FROM customers;
\echo :LAST_ERROR_SQLSTATE
SELECT segment(h, 'infinity') FROM customers;
\echo :LAST_ERROR_SQLSTATE
SELECT segment(h, '2024-06-30', inactive_after => NULL) FROM customers;
\echo :LAST_ERROR_SQLSTATE
SELECT segment(h, '2024-06-30', inactive_after => -1) FROM customers;
\echo :LAST_ERROR_SQLSTATE
SELECT segment(h, '2024-06-30', seasonal_min_years => 0) FROM customers;
\echo :LAST_ERROR_SQLSTATE
SELECT segment(h, '2024-06-30', max_chance => 'NaN') FROM customers;
\echo :LAST_ERROR_SQLSTATE
SELECT segment(h, '2024-06-30', loyalist_share => 75) FROM customers;
\echo :LAST_ERROR_SQLSTATE
SELECT segment(h, '2024-06-30', loyalist_windows => 0) FROM customers;
\echo :LAST_ERROR_SQLSTATE
SELECT segment_rules(season_start => 13);
\echo :LAST_ERROR_SQLSTATE
SELECT segment_rules(season_months => 5);
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT seasonal_chance(h) FROM customers;
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
SELECT seasonal_chance(h, NULL) FROM customers;
\echo :LAST_ERROR_SQLSTATE
SELECT seasonal_chance(h, '-infinity') FROM customers;
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_score(recency, frequency, 'NaN'::numeric) OVER () FROM shoppers;
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_score('NaN'::float8) OVER () FROM shoppers;
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_score(name, frequency, monetary) OVER () FROM shoppers;
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_score(recency, frequency, '5') OVER () FROM shoppers;
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_score(recency, frequency, monetary, bins => 10) OVER () FROM shoppers;
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_score(recency, bins => 1) OVER () FROM shoppers;
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_score(recency, bins => NULL) OVER () FROM shoppers;
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_score(recency, cuts => '{30,20}') OVER () FROM shoppers;
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_score(recency, cuts => '{1,NaN}') OVER () FROM shoppers;
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_score(recency, cuts => '{1,NULL}') OVER () FROM shoppers;
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_score(date '2024-01-01' - recency, cuts => '{30}') OVER () FROM shoppers;
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_score(recency, frequency, monetary) FROM shoppers;
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment(6, 1, 5);
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment(1, 0, 5);
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment('5'::text);
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment('best'::text);
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment('444/4');
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment('544/4');
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment('543/54');
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment('54', '{"best": "r1-5 f1-5 m5", "rest": "r1-5 f1-5 m1-4"}');
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment('543/544', '{"all": "r1-5 f1-5"}');
\echo :LAST_ERROR_SQLSTATE
\set VERBOSITY terse
SELECT rfm_segment(1, 1);
\set VERBOSITY default
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment(1, 1, NULL);
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_score(h) OVER () FROM customers;
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_score(h, NULL) OVER () FROM customers;
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_score(h, last_day(h)) OVER () FROM customers;
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment(1, 1, 3);
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment(1, 1, 101);
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment(1, 1, 3, '{"best": "r2-3 f1-3", "rest": "r1 f1-2"}');
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment(1, 1, 3, '{"best": "r2-3 f1-3", "rest": "r1-2 f1-3"}');
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment(1, 1, 3, '{"best": "r2-4 f1-3", "rest": "r1 f1-3"}');
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment(1, 1, 3, '{"best": "f1-3 r2-3", "rest": "r1 f1-3"}');
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment(1, 1, 3, '{"best": 1, "rest": "r1 f1-3"}');
\echo :LAST_ERROR_SQLSTATE
SELECT rfm_segment(1, 1, 5, '["r1-5 f1-5"]');
\echo :LAST_ERROR_SQLSTATE

DROP TABLE visits, customers, shoppers;
