-- Metrics of scores whatever the data and the plan: against their definitions in plain SQL over random scores with
-- ties; what must hold of any score; the same bits in any row order, in workers, over partitions, with shared states,
-- FILTER and frames; many groups in little memory.
BEGIN;
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS pgtap;
CREATE EXTENSION IF NOT EXISTS retention;
SELECT * FROM no_plan();
\ir oracle/shared.psql
\ir oracle/plans.psql
SELECT diag('seed ' || :'seed');

-- Cases: few and many rows, scores with ties, of any scale, extreme, rare classes -------------------------------------

CREATE TABLE pair (c integer, id integer, s float8, l boolean);
INSERT INTO pair
  SELECT c, id, CASE kind WHEN 0 THEN round(random()::numeric, 1)::float8 WHEN 1 THEN random() WHEN 2
    THEN round((random() * 40 - 20)::numeric)::float8
    WHEN 3 THEN pg_temp.pick('{-Infinity,-1e308,-0,0,1e-100,1e308,Infinity}'::float8[])
                          WHEN 4 THEN pg_temp.pick('{0,1e-100,0.3,0.5,0.9999999999999999,1}'::float8[])
                            ELSE 0.05 + 0.9 * random() ^ 2 END, random() < rate
  FROM (SELECT c, c % 6 AS kind, 1 + floor(exp(random() * 5))::integer AS n,
    pg_temp.pick('{0.05,0.3,0.5,0.9}'::float8[]) AS rate FROM generate_series(1, (150 * :cases)::integer) c) k,
    generate_series(1, n) id;
-- what is left out, and what does not matter
INSERT INTO pair SELECT c, NULL, CASE WHEN n = 1 THEN 0.5 END, CASE WHEN n = 2 THEN true END
  FROM generate_series(1, (150 * :cases)::integer) c, generate_series(1, 3) n;
ANALYZE pair;
CREATE TABLE tables AS SELECT c, score_table(s, l) AS t FROM pair GROUP BY c;
CREATE TABLE of_rows AS
  SELECT c, auc(s, l), auc_se(s, l), ks_statistic(s, l), average_precision(s, l), brier_score(s, l), log_loss(s, l),
    log_loss(s, l, 0.01) AS clipped, threshold_for(s, l, 1, 3) AS by_cost,
    threshold_for(s, l, 7) FILTER (WHERE l IS NOT NULL) AS by_capacity FROM pair GROUP BY c;
SELECT results_eq('SELECT * FROM of_rows ORDER BY c',
  'SELECT c, auc(t), auc_se(t), ks_statistic(t), average_precision(t), brier_score(t), log_loss(t), log_loss(t, 0.01),
    threshold_for(t, 1, 3), threshold_for(t, 7) FROM tables ORDER BY c', 'tables have the bits of their rows');

-- Against definitions -------------------------------------------------------------------------------------------------

CREATE TABLE row AS SELECT c, id, s, l, l::integer AS y, count(*) OVER w AS n, count(*) FILTER (WHERE l) OVER w AS p,
  count(*) FILTER (WHERE NOT l) OVER w AS q FROM pair WHERE s IS NOT NULL AND l IS NOT NULL
  WINDOW w AS (PARTITION BY c);
CREATE TABLE cut AS
  SELECT c, n, p, q, s, count(*) AS here, sum(y) AS hit, (sum(sum(y)) OVER w)::float8 AS tp,
    (sum(sum(1 - y)) OVER w)::float8 AS fp FROM row GROUP BY c, n, p, q, s WINDOW w AS (PARTITION BY c ORDER BY s DESC);
SELECT pg_temp.agree('auc: pairs in order',
  $$SELECT c, o.auc, u FROM of_rows o
    LEFT JOIN (SELECT a.c, avg(CASE WHEN a.s > b.s THEN 1 WHEN a.s = b.s THEN 0.5 ELSE 0 END)::float8 AS u FROM row a
    JOIN row b ON a.c = b.c AND a.l AND NOT b.l GROUP BY a.c) d USING (c)$$, (SELECT count(*) FROM of_rows), 1e-13, 0);
SELECT pg_temp.agree('auc_se: variances of placements', $$SELECT c, o.auc_se, sqrt(v) FROM of_rows o LEFT JOIN (
    SELECT c, sum(v) AS v FROM (SELECT c, l, CASE WHEN count(*) > 1 THEN var_samp(v) / count(*) ELSE 'NaN' END AS v
      FROM (
        SELECT a.c, a.id, a.l, avg(CASE WHEN a.s = b.s THEN 0.5 WHEN (a.s > b.s) = a.l THEN 1 ELSE 0 END)::float8 AS v
          FROM row a JOIN row b ON a.c = b.c AND a.l <> b.l GROUP BY a.c, a.id, a.l) p GROUP BY c, l) q GROUP BY c
          HAVING sum(v) <> 'NaN') d USING (c)$$, (SELECT count(*) FROM of_rows), 1e-9, 1e-8);
SELECT pg_temp.agree('ks_statistic',
  $$SELECT c, o.ks_statistic, ks FROM of_rows o
    LEFT JOIN (SELECT c, max(abs(tp / p - fp / q)) AS ks FROM cut WHERE p > 0 AND q > 0 GROUP BY c) d USING (c)$$,
  (SELECT count(*) FROM of_rows), 1e-13, 1e-15);
SELECT pg_temp.agree('average_precision', $$SELECT c, o.average_precision, ap FROM of_rows o
    LEFT JOIN (SELECT c, sum(hit / p::float8 * (tp / (tp + fp))) AS ap FROM cut WHERE p > 0 GROUP BY c) d USING (c)$$,
  (SELECT count(*) FROM of_rows), 1e-13, 0);
CREATE TABLE probability AS SELECT c FROM row GROUP BY c HAVING min(s) >= 0 AND max(s) <= 1;
-- a table, so that no plan can work on the other rows before it leaves them out, as 19's can
CREATE TABLE predicted AS SELECT row.* FROM row JOIN probability USING (c);
SELECT pg_temp.agree('brier_score',
  $$SELECT c, o.brier_score, b FROM of_rows o
    LEFT JOIN (SELECT c, avg((s - y) * (s - y)) AS b FROM predicted GROUP BY c) d USING (c)$$,
  (SELECT count(*) FROM of_rows), 1e-13, 0);
SELECT pg_temp.agree('log_loss',
  $$SELECT c, o.log_loss, b FROM of_rows o
    LEFT JOIN (SELECT c, avg(CASE CASE WHEN l THEN s ELSE 1 - s END WHEN 0 THEN 'Infinity'
    ELSE -ln(CASE WHEN l THEN s ELSE 1 - s END) END) AS b FROM predicted GROUP BY c) d USING (c)$$,
  (SELECT count(*) FROM of_rows), 1e-13, 1e-15);
SELECT pg_temp.agree('log_loss, clipped',
  $$SELECT c, clipped, b FROM of_rows o
    LEFT JOIN (SELECT c, avg(-ln(least(greatest(CASE WHEN l THEN s ELSE 1 - s END, 0.01), 0.99))) AS b FROM predicted
    GROUP BY c) d USING (c)$$, (SELECT count(*) FROM of_rows), 1e-13, 1e-15);
CREATE TABLE choice AS SELECT c, s, fp + 3 * (p - tp) AS cost, here, tp + fp AS called FROM cut UNION ALL
  SELECT c, 'Infinity', 3 * p, 0, 0 FROM (SELECT DISTINCT c, p FROM cut) k
  WHERE NOT EXISTS (SELECT FROM cut WHERE cut.c = k.c AND s = 'Infinity')
  UNION ALL SELECT c, NULL, 3 * p, 0, 0 FROM cut WHERE s = 'Infinity';
SELECT results_eq('SELECT c, by_cost, by_capacity FROM of_rows ORDER BY c',
  $$SELECT c, (array_agg(s ORDER BY cost, coalesce(s, 'NaN') DESC))[1],
    (array_agg(s ORDER BY coalesce(s, 'NaN')) FILTER (WHERE called <= 7))[1] FROM choice GROUP BY c ORDER BY c$$,
  'thresholds are those of least cost and enough capacity');

SELECT pg_temp.agree('brier_decomposition',
  $$SELECT concat_ws(' ', c, what), have, want FROM tables, brier_decomposition(t) b LEFT JOIN LATERAL (
    SELECT sum(here * (s - r) * (s - r)) / max(n) AS rel, sum(here * (r - base) * (r - base)) / max(n) AS res,
      max(base * (1 - base)) AS unc FROM (SELECT *, hit / here::float8 AS r, p / n::float8 AS base FROM cut
      JOIN probability USING (c)) x WHERE x.c = tables.c) d ON true,
  LATERAL (VALUES ('reliability', reliability, rel), ('resolution', resolution, res), ('uncertainty', uncertainty, unc),
    ('sum', brier, rel - res + unc), ('skill', skill, 1 - (rel - res + unc) / nullif(unc, 0))) v (what, have, want)$$,
    (SELECT 5 * count(*) FROM tables), 1e-11, 1e-12);
SELECT pg_temp.agree('confusion_rows', $$SELECT concat_ws(' ', c, threshold, what), have, want FROM tables
    JOIN LATERAL confusion_rows(t) ON true JOIN cut USING (c),
  LATERAL (VALUES ('tp', confusion_rows.tp::float8, cut.tp), ('fp', confusion_rows.fp, cut.fp), ('fn', fn, p - cut.tp),
    ('tn', tn, q - cut.fp), ('accuracy', accuracy, (cut.tp + q - cut.fp) / n),
    ('precision', precision, cut.tp / (cut.tp + cut.fp)),
     ('recall', recall, cut.tp / nullif(p, 0)), ('specificity', specificity, (q - cut.fp) / nullif(q, 0)),
       ('f1', f1, 2 * cut.tp / nullif(p + cut.tp + cut.fp, 0)),
     ('mcc', mcc, (cut.tp * (q - cut.fp) - cut.fp * (p - cut.tp))
       / nullif(sqrt((cut.tp + cut.fp) * p * q * (n - cut.tp - cut.fp)), 0))) v (what, have, want)
       WHERE threshold = s$$, (SELECT 10 * count(*) FROM cut), 1e-13, 1e-15);
SELECT is((SELECT count(*) FROM tables, confusion_rows(t)), (SELECT count(*) FROM cut), 'a row for each score');
SELECT results_eq('SELECT c, threshold, tp, fp FROM tables, roc_rows(t) WITH ORDINALITY r
    WHERE threshold < ''Infinity'' ORDER BY c, ordinality',
  'SELECT c, s, tp::bigint, fp::bigint FROM cut WHERE s < ''Infinity'' ORDER BY c, s DESC',
  'roc_rows: each score, descending');
SELECT pg_temp.agree('its trapezoids are the area',
  $$SELECT c, auc(t), a FROM tables
    LEFT JOIN (SELECT c, sum((x - lag) * (y + lagy) / 2) AS a
    FROM (SELECT c, false_positive_rate AS x, true_positive_rate AS y,
    coalesce(lag(false_positive_rate) OVER w, 0) AS lag, coalesce(lag(true_positive_rate) OVER w, 0) AS lagy
  FROM tables, roc_rows(t) WITH ORDINALITY WINDOW w AS (PARTITION BY c ORDER BY ordinality)) r GROUP BY c
    HAVING bool_and(x + y IS NOT NULL)) d USING (c)$$, (SELECT count(*) FROM tables), 1e-12, 1e-14);
SELECT results_eq('SELECT DISTINCT max(abs(youden)) = ks_statistic(t) FROM tables, roc_rows(t) GROUP BY c, t
    HAVING ks_statistic(t) IS NOT NULL', 'VALUES (true)', 'the best threshold is at the largest distance');

-- Lift: ntile over every order of equal rows is what sharing is the mean of
SELECT pg_temp.agree('lift_rows', $$SELECT concat_ws(' ', c, k, bin, what), have, want FROM tables
    JOIN (SELECT c, k, bin, count(*) AS n, sum(hit / here::float8) AS pos, max(s) AS hi, min(s) AS lo,
    nullif(avg(s::numeric), 'NaN')::float8 AS mean
    FROM (SELECT row.c, k, ntile(k) OVER (PARTITION BY row.c, k ORDER BY s DESC) AS bin, s, hit, here
      FROM unnest('{1,3,10,100}'::integer[]) k, row JOIN cut USING (c, s)) b GROUP BY c, k, bin) d USING (c)
      JOIN LATERAL lift_rows(t, k) r USING (bin),
  LATERAL (VALUES ('n', r.n::float8, d.n), ('n_pos', r.n_pos, pos), ('score_max', score_max, hi),
    ('score_min', score_min, lo), ('rate', rate, pos / d.n), ('mean', mean_score, mean)) v (what, have, want)$$,
  (SELECT 6 * count(*) FROM tables, unnest('{1,3,10,100}'::integer[]) k, lift_rows(t, k)), 1e-12, 1e-12);
SELECT is((SELECT count(*) FROM (SELECT DISTINCT ON (c) c, cum_n, cum_pos, gain, abs(cum_lift - 1) < 1e-15 AS even, ks
    FROM tables, lift_rows(t, 7) ORDER BY c, bin DESC) l JOIN (SELECT DISTINCT c, n, p, q FROM cut) d USING (c)
           WHERE (cum_n, cum_pos, gain, even, ks) IS DISTINCT FROM (n, p::float8, CASE WHEN p > 0 THEN 1.0::float8 END,
             CASE WHEN p > 0 THEN true END, CASE WHEN p > 0 AND q > 0 THEN 0.0::float8 END)), 0::bigint,
             'in the end all are in');
SELECT results_eq('SELECT c, bin FROM tables, calibration_rows(t, 10) ORDER BY 1, 2',
  'SELECT c, bin FROM probability, generate_series(1, 10) bin ORDER BY 1, 2',
  'calibration_rows by width: all bins of probabilities, none of others');
SELECT results_eq('SELECT c, bin, n, n_pos, score_min, score_max, rate_low <= rate AND rate <= rate_high
    FROM tables, calibration_rows(t, 10) WHERE n > 0 ORDER BY 1, 2',
  'SELECT c, least(floor(s * 10 + 1e-12), 9)::integer + 1, count(*), sum(y), min(s), max(s), true FROM predicted
    GROUP BY 1, 2 ORDER BY 1, 2', 'whose rows are those of the scores');
SELECT results_eq('SELECT c, bin, n, n_pos, score_min, score_max FROM tables, calibration_rows(t, 4, ''quantile'')
    ORDER BY 1, 2',
  'SELECT c, floor(4 * (2 * (n - tp - fp) + here) / (2 * n))::integer + 1, sum(here)::bigint, sum(hit)::bigint, min(s),
    max(s) FROM cut JOIN probability USING (c) GROUP BY 1, 2 ORDER BY 1, 2', 'by quantile: equal scores together');
-- at the top of a logistic regression the sum of residuals is 0, also times the column
SELECT pg_temp.agree('calibration_fit',
  $$SELECT concat_ws(' ', c, what), have, 0
    FROM (SELECT c, sum(y - 1 / (1 + exp(-(intercept + slope * x)))) AS g0,
    sum((y - 1 / (1 + exp(-(intercept + slope * x)))) * x) / max(abs(x)) AS g1
    FROM (SELECT c, y, ln(s / (1 - s)) AS x, intercept, slope FROM row JOIN tables USING (c)
      CROSS JOIN LATERAL calibration_fit(t) WHERE slope IS NOT NULL AND l IS NOT NULL) r GROUP BY c) g,
      LATERAL (VALUES ('intercept', g0), ('slope', g1)) v (what, have)$$,
  (SELECT 2 * count(*) FROM tables, calibration_fit(t) WHERE slope IS NOT NULL), 0, 1e-9);
SELECT is((SELECT count(*) FROM tables JOIN probability USING (c), calibration_fit(t)
    WHERE (slope IS NULL) <> (SELECT count(*) FILTER (WHERE l) = 0 OR count(*) FILTER (WHERE NOT l) = 0 OR min(s) <= 0
    OR max(s) >= 1
  OR min(s) FILTER (WHERE l) >= max(s) FILTER (WHERE NOT l) OR min(s) FILTER (WHERE NOT l) >= max(s) FILTER (WHERE l)
    FROM row WHERE row.c = tables.c)), 0::bigint, 'NULL where classes do not overlap, and only there');

-- What must hold ------------------------------------------------------------------------------------------------------

SELECT results_eq('SELECT c, auc(atan(s / 1e300) + atan(s), l), auc_se(atan(s / 1e300) + atan(s), l) FROM pair
    WHERE c % 6 IN (0, 1, 2, 5) GROUP BY c ORDER BY c',
  'SELECT c, auc, auc_se FROM of_rows WHERE c % 6 IN (0, 1, 2, 5) ORDER BY c',
  'a rising function of the score changes no rank');
SELECT results_eq('SELECT c, abs(auc(-s, l) + auc - 1) < 1e-15, abs(auc(s, NOT l) + auc - 1) < 1e-15,
    auc_se(-s, l) = auc_se(s, NOT l), ks_statistic(-s, l) = max(ks_statistic) FROM pair JOIN of_rows USING (c)
    WHERE auc_se IS NOT NULL GROUP BY c, auc ORDER BY c',
  'SELECT c, true, true, true, true FROM of_rows WHERE auc_se IS NOT NULL ORDER BY c', 'upside down');
SELECT results_eq('SELECT c, (auc_test(s, s, l)).* FROM pair GROUP BY c ORDER BY c',
  'SELECT c, auc, auc, auc - auc, auc_se * 0, NULL::float8, NULL::float8 FROM of_rows ORDER BY c',
  'a score does not differ from itself');
SELECT pg_temp.agree('nor in its error from a constant',
  $$SELECT c, standard_error, auc_se FROM of_rows JOIN (SELECT c, (auc_test(s, 3, l)).* FROM pair GROUP BY c) t
    USING (c)$$, (SELECT count(*) FROM of_rows), 1e-12, 1e-15);
CREATE TABLE two AS SELECT *, round(random()::numeric, 2)::float8 + y * 0.1 AS b FROM row WHERE c <= 60;
SELECT pg_temp.agree('auc_test: covariances of placements',
  $$SELECT concat_ws(' ', c, what), have, want FROM (SELECT c, (auc_test(s, b, l)).* FROM two GROUP BY c) t JOIN (
    SELECT c, CASE WHEN min(k) > 1 THEN sqrt(sum(v)) END AS v
      FROM (SELECT c, l, count(*) AS k, var_samp(v - w) / count(*) AS v
      FROM (SELECT x.c, x.id, x.l, avg(CASE WHEN x.s = z.s THEN 0.5 WHEN (x.s > z.s) = x.l THEN 1 ELSE 0 END)::float8 AS
        v,
        avg(CASE WHEN x.b = z.b THEN 0.5 WHEN (x.b > z.b) = x.l THEN 1 ELSE 0 END)::float8 AS w FROM two x
          JOIN two z ON x.c = z.c AND x.l <> z.l GROUP BY x.c, x.id, x.l) p GROUP BY c, l) q GROUP BY c) d USING (c)
          JOIN of_rows USING (c)
    JOIN (SELECT c, auc(b, l) AS auc_of_b FROM two GROUP BY c) b USING (c),
      LATERAL (VALUES ('a', auc_a, auc), ('b', auc_b, auc_of_b), ('difference', difference, auc - auc_of_b),
      ('se', standard_error, v)) w (what, have, want)$$,
  (SELECT 4 * count(*) FROM of_rows WHERE c <= 60 AND auc IS NOT NULL), 1e-9, 1e-8);
SELECT is((SELECT count(*) FROM (SELECT (auc_test(s, b, l)).*, (auc_test(b, s, l)).difference AS back FROM two
    GROUP BY c) t WHERE difference <> -back OR p_value NOT BETWEEN 0 AND 1), 0::bigint, 'and the other way round');
SELECT is((SELECT count(*) FROM tables, auc_interval(t, 0.9)
    WHERE NOT (0 <= low AND low <= auc AND auc <= high AND high <= 1)
    OR (low IS NULL) <> (standard_error IS NULL OR standard_error = 0) OR standard_error IS DISTINCT FROM auc_se(t)),
  0::bigint, 'limits contain the area');

-- The value -----------------------------------------------------------------------------------------------------------

SELECT is((SELECT count(*) FROM tables WHERE t::text::score_table <> t OR t::text::score_table::text <> t::text),
  0::bigint, 'text form and back');
SELECT results_eq('SELECT c, (e->>''score'')::float8, (e->>''n'')::bigint, (e->>''positives'')::bigint
    FROM tables, jsonb_array_elements(t::jsonb->''scores'') WITH ORDINALITY x (e, o) ORDER BY c, o',
  'SELECT c, s + 0, here, hit FROM cut ORDER BY c, s', 'jsonb: each score');
SELECT is((SELECT rollup(t) FROM tables), (SELECT score_table(s, l) FROM pair), 'rollup: of all');
SELECT is((SELECT count(*) FROM tables a JOIN tables b ON a.t = b.t
    WHERE a.c <> b.c AND score_table_hash(a.t) <> score_table_hash(b.t)), 0::bigint, 'equal tables have equal hashes');
SELECT is((SELECT score_table(s, l) FROM (VALUES (0.0::float8, true), ('-0', false)) v (s, l)),
  (SELECT score_table(s, l) FROM (VALUES ('-0'::float8, true), (0, false)) v (s, l)), '-0 is 0');

-- Plans ---------------------------------------------------------------------------------------------------------------

CREATE TABLE move (n integer, g integer, s float8, b float8, l boolean) WITH (parallel_workers = 3);
INSERT INTO move SELECT n, n % 5, CASE WHEN n % 100 > 0 THEN CASE WHEN n % 2 = 0
  THEN round(random()::numeric, 3)::float8 ELSE random() END END, random(), CASE WHEN n % 77 > 0 THEN random() < 0.3 END
  FROM generate_series(1, 20000) n;
CREATE TABLE by_row (LIKE move) PARTITION BY HASH (n);
SELECT format('CREATE TABLE by_row_%s PARTITION OF by_row FOR
    VALUES WITH (MODULUS 5, REMAINDER %1$s) WITH (parallel_workers = 2)', i) FROM generate_series(0, 4) i \gexec
INSERT INTO by_row TABLE move;
CREATE TABLE with_empty (LIKE move) PARTITION BY LIST (g);
CREATE TABLE with_empty_all PARTITION OF with_empty FOR VALUES IN (0, 1, 2, 3, 4);
CREATE TABLE with_empty_none PARTITION OF with_empty FOR VALUES IN (9);
INSERT INTO with_empty TABLE move;
ANALYZE move; ANALYZE by_row; ANALYZE with_empty;
CREATE TABLE form (o serial, call text, answer text);
INSERT INTO form (call) VALUES ('score_table(s, l)'), ('auc(s, l)'), ('auc_se(s, l)'), ('ks_statistic(s, l)'),
  ('average_precision(s, l)'), ('brier_score(s, l)'), ('log_loss(s, l)'), ('log_loss(s, l, 0.1)'),
  ('threshold_for(s, l, 1, 4)'), ('threshold_for(s, l, 500)'), ('auc_test(s, b, l)'),
  ('(SELECT string_agg(r::text, '' '') FROM calibration_fit(score_table(s, l)) r)'),
    ('(SELECT string_agg(r::text, '' '') FROM lift_rows(score_table(s, l)) r)'),
    ('(SELECT string_agg(r::text, '' '') FROM calibration_rows(score_table(s, l), 7, ''quantile'') r)');
SET max_parallel_workers_per_gather = 0;
SELECT pg_temp.answer() \g /dev/null
SELECT is((SELECT count(DISTINCT answer) FROM form), (SELECT count(*) FROM form), 'the forms give different answers');
SELECT pg_temp.check('rows ordered by ' || o, format('(SELECT * FROM move ORDER BY %s) e', o))
  FROM unnest('{n DESC,s,"s DESC, b","l, n",md5(n::text)}'::text[]) o;
SET enable_partitionwise_aggregate = on;
SELECT pg_temp.check('partition-wise', 'by_row', 'Append\s+->  Partial Aggregate');
SELECT pg_temp.check('partition-wise, an empty partition', 'with_empty', 'Append\s+->  Partial Aggregate');
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET max_parallel_workers_per_gather = 3;
SELECT pg_temp.check('workers', 'move', 'Gather\s+Workers Planned: [1-3]\s+->  Partial Aggregate');
SELECT pg_temp.check('workers, partition-wise', 'by_row', 'Gather.*Partial Aggregate');
SET parallel_leader_participation = off;
SELECT pg_temp.check('workers alone', 'move', 'Gather');
RESET parallel_leader_participation;
RESET enable_partitionwise_aggregate;
SELECT is((SELECT string_agg(m, ' ' ORDER BY g)
    FROM (SELECT g, concat_ws(' ', auc(s, l), threshold_for(s, l, 30), auc_test(s, b, l)) AS m FROM by_row
    GROUP BY g) q),
          (SELECT string_agg((SELECT concat_ws(' ', auc(s, l), threshold_for(s, l, 30), auc_test(s, b, l))
              FROM (SELECT * FROM move WHERE move.g = x ORDER BY n DESC) r), ' ' ORDER BY x)
            FROM generate_series(0, 4) x), 'groups, in workers');
-- what is asked in addition meets in the combine function
SELECT is((SELECT threshold_for(i::float8, NULL, 3) FROM generate_series(1, 10) i), 8::float8,
  'a capacity does not ask for outcomes');
SELECT is(pg_temp.outcome('SELECT threshold_for(s, l, n % 5) FROM by_row'),
  '22023 capacity must be the same in all rows', 'another question in each partition');
SET max_parallel_workers_per_gather = 0;
SELECT is(pg_temp.outcome('SELECT log_loss(s, l, n / 1e6) FROM move'), '22023 clip must be the same in all rows',
  'another clip in each row');
SELECT is(pg_temp.outcome('SELECT threshold_for(s, l, 1, n) FROM move'), '22023 costs must be the same in all rows',
  'other costs in each row');

-- One state for several aggregates, FILTER, frames --------------------------------------------------------------------

SELECT results_eq('SELECT auc(s, l), auc_se(s, l), auc(s, l) FILTER (WHERE g = 1), score_table(s, l)::text,
    brier_score(s, l), auc(s, l) FROM move',
  $$SELECT (SELECT answer::float8 FROM form WHERE o = 2), (SELECT answer::float8 FROM form WHERE o = 3),
    (SELECT auc(s, l) FROM move WHERE g = 1),
  (SELECT answer FROM form WHERE o = 1), (SELECT answer::float8 FROM form WHERE o = 6),
    (SELECT answer::float8 FROM form WHERE o = 2)$$, 'shared by several answers');
SELECT results_eq('SELECT n, auc(s, l) OVER w, ks_statistic(s, l) OVER w, (auc_test(s, b, l) OVER w)::text FROM move
    WHERE n <= 300 WINDOW w AS (ORDER BY n)',
  'SELECT n, (SELECT auc(s, l) FROM move w WHERE w.n <= move.n),
    (SELECT ks_statistic(s, l) FROM move w WHERE w.n <= move.n),
    (SELECT auc_test(s, b, l)::text FROM move w WHERE w.n <= move.n) FROM move WHERE n <= 300 ORDER BY n',
    'a growing frame: rows come after a final function');
SELECT results_eq('SELECT n, auc(s, l) OVER (ORDER BY n ROWS BETWEEN 9 PRECEDING AND 5 FOLLOWING) FROM move
    WHERE n <= 300', 'SELECT n, (SELECT auc(s, l) FROM move w WHERE w.n BETWEEN move.n - 9 AND least(move.n + 5, 300))
    FROM move WHERE n <= 300 ORDER BY n', 'a moving frame');
SELECT results_eq('SELECT g, auc(s, l), (auc_test(s, b, l)).p_value FROM move
    GROUP BY GROUPING SETS ((g), ()) ORDER BY g', 'SELECT g, auc(s, l), (auc_test(s, b, l)).p_value FROM move GROUP BY g
    UNION ALL SELECT NULL, auc(s, l), (auc_test(s, b, l)).p_value FROM move ORDER BY 1', 'grouping sets');
SELECT is((SELECT rollup(t) FROM (SELECT rollup(t) AS t
    FROM (SELECT n % 7 AS h, g, score_table(s, l) AS t FROM move GROUP BY 1, 2) a GROUP BY g) b)::text,
  (SELECT answer FROM form WHERE o = 1), 'rollup of rollups');
SELECT is((SELECT auc(s, l) FROM (SELECT s, l FROM move OFFSET 0) q WHERE false), NULL, 'no rows');
SELECT is((SELECT (score_table(NULL, l), auc(s, NULL), threshold_for(NULL, l, 3), auc_test(s, NULL, l))::text
    FROM move), '(,,,)', 'no pairs');

-- A group for each row, in little memory
SET work_mem = '4MB';
CREATE TABLE many AS SELECT n, n % 10 / 10.0::float8 AS s, n % 3 = 0 AS l FROM generate_series(1, (300000 * :cases)::integer) n;
ANALYZE many;
SELECT is((SELECT count(*) || ' ' || count(a) || ' ' || sum(p) || ' ' || sum(b)::numeric(20, 4)
    FROM (SELECT n, auc(s, l) AS a, average_precision(s, l) AS p, brier_score(s, l) AS b FROM many GROUP BY n OFFSET 0)
    q), (SELECT count(*) || ' 0 ' || sum(l::integer) || ' ' || sum((s - l::integer) ^ 2)::numeric(20, 4) FROM many),
  'a group for each row');
SELECT is((SELECT rollup(t) FROM (SELECT n, score_table(s, l) AS t FROM many GROUP BY n) q),
  (SELECT score_table(s, l) FROM many), 'and their tables rolled up');
RESET work_mem;
-- counts that do not fit 32 bits, by doubling a table
CREATE TABLE doubled AS WITH RECURSIVE d AS (SELECT 0 AS k, score_table(s, l) AS t
  FROM (VALUES (0.1, true), (0.1, false), (0.4, false), (0.9, true)) v (s, l) UNION ALL
  SELECT k + 1, (SELECT rollup(x) FROM unnest(ARRAY[t, t]) x) FROM d WHERE k < 51) TABLE d;
SELECT is((SELECT string_agg(DISTINCT concat_ws(' ', auc(t), ks_statistic(t), average_precision(t),
    round(brier_score(t)::numeric, 12), mcc), ';') FROM doubled, confusion_rows(t, '{0.5}')),
  (SELECT concat_ws(' ', auc(t), ks_statistic(t), average_precision(t), round(brier_score(t)::numeric, 12), mcc)
    FROM doubled, confusion_rows(t, '{0.5}') WHERE k = 0), 'up to 2^53 rows the same');
SELECT is((SELECT sum(n) || ' ' || max(cum_pos) FROM doubled, lift_rows(t, 1000) WHERE k = 51),
  '9007199254740992 4.503599627370496e+15', 'in a thousand bins');
SELECT is(pg_temp.outcome('SELECT rollup(x) FROM doubled, unnest(ARRAY[t, t]) x WHERE k = 51'),
  '22003 too many rows in a score_table', 'and no more');

SELECT * FROM finish();
ROLLBACK;
