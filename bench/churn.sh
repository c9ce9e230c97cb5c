# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables are shared with bench/run and bench/lib.sh
# bench/churn.sh: the sections about churn_model and the measures of a score.
#
# Sourced by bench/run, never run. Section churn fits 1 million rows of 20
# numbers, beside a query that makes the same arrays and reads one number of
# each, and beside scikit-learn, whose matrix is in memory already: its fit does
# not include reading it. Section auc ranks 10 million pairs
# beside a plain ORDER BY, and makes survival curves of them. Everything is
# serial unless it says otherwise; jit is off for all.

churn_rows=1000000
churn_features=20
pair_rows=10000000

# churn_columns: c1, c2, ... of the table
churn_columns() {
    seq -s , -f 'c%g' "$churn_features"
}

# churn_make: columns are sums of uniform numbers; the outcome depends on some
# of them, and on two together
churn_make() {
    local made
    made="$churn_rows rows, $churn_features features, seed $seed, 1"
    if [ "$(cat "$data/made-churn" 2>/dev/null)" != "$made" ]; then
        rm -f "$data/made-churn"
        run_psql >/dev/null <<EOF2 || exit 1
SET client_min_messages = warning;
DROP TABLE IF EXISTS churn_rows;
CREATE FUNCTION pg_temp.u(id bigint, stream bigint) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ((hashint8extended(id, stream) >> 12 & ((1::bigint << 52) - 1)) + 0.5::float8) / (1::bigint << 52)::float8;
CREATE TABLE churn_rows AS
SELECT id, pg_temp.u(id, $seed) < 1 / (1 + exp(1.6 - 1.5 * c1 + c2 - 0.7 * c3 - 1.2 * c4 * c5)) AS churned, q.*
FROM generate_series(1, $churn_rows::bigint) AS id, LATERAL (SELECT $(for ((i = 1; i <= churn_features; i++)); do
            printf '%s2 * (pg_temp.u(id, %d) + pg_temp.u(id, %d)) - 2 AS c%d' "$([ "$i" = 1 ] || echo ', ')" $((seed + 2 * i)) $((seed + 2 * i + 1)) "$i"
        done) OFFSET 0) AS q;
VACUUM (FREEZE, ANALYZE) churn_rows;
EOF2
        echo "$made" >"$data/made-churn"
    fi
}

pairs_make() {
    local made
    made="$pair_rows pairs, seed $seed, 1"
    if [ "$(cat "$data/made-pairs" 2>/dev/null)" != "$made" ]; then
        rm -f "$data/made-pairs"
        run_psql >/dev/null <<EOF2 || exit 1
SET client_min_messages = warning;
DROP TABLE IF EXISTS pairs;
CREATE TABLE pairs AS
SELECT score, (hashint8extended(id, $seed + 1) & 1048575) / 1048576.0::float8 < score * 0.4 AS label,
       (hashint8extended(id, $seed + 2) & 1023)::bigint AS days
FROM (SELECT id, (hashint8extended(id, $seed) >> 12 & ((1::bigint << 52) - 1)) / (1::bigint << 52)::float8 AS score FROM generate_series(1, $pair_rows::bigint) AS id OFFSET 0) AS q;
VACUUM (FREEZE, ANALYZE) pairs;
EOF2
        echo "$made" >"$data/made-pairs"
    fi
}

# ------------------------------------------------------------- scikit-learn

# sklearn_prepare: $sklearn is the Python that has it, or empty
sklearn_prepare() {
    local python
    sklearn=
    for python in python3 /usr/bin/python3; do
        if "$python" -c 'import sklearn, numpy' >/dev/null 2>&1; then
            sklearn=$python
            break
        fi
    done
    if [ -z "$sklearn" ]; then
        say 'scikit-learn: SKIPPED, it is not installed (python3-sklearn)'
        return
    fi
    run_psql -c "COPY (SELECT churned::integer::float8, $(churn_columns) FROM churn_rows) TO STDOUT (FORMAT binary)" >"$work/churn.binary" || exit 1
    rm -f "$work/sklearn.in" "$work/sklearn.out"
    mkfifo "$work/sklearn.in" "$work/sklearn.out"
    "$sklearn" "$here/bench/scikit_learn.py" "$work/churn.binary" <"$work/sklearn.in" >"$work/sklearn.out" 2>&1 5>&- 6<&- &
    workers="$workers $!"
    exec 9>"$work/sklearn.in" 4<"$work/sklearn.out"
    sklearn_version=$("$sklearn" -c 'import sklearn; print(sklearn.__version__)')
}

# sklearn_run SETTINGS WHAT: sets $ms
sklearn_run() {
    printf '%s\n' "$2" >&9
    IFS= read -r ms <&4 || ms='it ended'
    case $ms in
        *[!0-9.]*) die "scikit-learn said: $ms" ;;
    esac
}

# --------------------------------------------------------------- the sections

# churn_fit OPTIONS: a fit of all rows
churn_fit() {
    echo "SELECT churn_model(churned, f${1:+, '$1'::jsonb}) IS NULL FROM ($churn_arrays) AS q"
}

section_churn() {
    [ -z "$baselines" ] || return 0
    churn_make
    churn_arrays="SELECT churned, ARRAY[$(churn_columns)] AS f FROM churn_rows OFFSET 0"
    sklearn_prepare
    pg_open
    same 'the fit' "SELECT converged AND n = $churn_rows FROM (SELECT churn_model(churned, f) AS m FROM ($churn_arrays) AS q) AS p, churn_summary(m)"
    pg_say "RESET ALL; CREATE TEMP TABLE churn_models AS SELECT churn_model(churned, f) AS logistic, churn_model(churned, f, '{\"method\": \"boost\"}'::jsonb) AS boost FROM ($churn_arrays) AS q;" >/dev/null || exit 1
    race_clear
    contestant floor 'sum(features[1]), the arrays being made' pg "$serial" "SELECT sum(f[1]) FROM ($churn_arrays) AS q"
    contestant logistic 'churn_model' pg "$serial" "$(churn_fit '')" floor '<= 3'
    contestant boost 'churn_model, boost, 100 trees' pg "$serial" "$(churn_fit '{"method": "boost"}')" logistic '<= 8'
    if [ -n "$sklearn" ]; then
        contestant sk-logistic "scikit-learn $sklearn_version, scaled and LogisticRegression" sklearn '' logistic
        contestant sk-boost "scikit-learn $sklearn_version, HistGradientBoosting" sklearn '' boost
    fi
    contestant score 'churn_score(model, features)' pg "$serial" "SELECT count(churn_score(logistic, f)) FROM churn_models, ($churn_arrays) AS q" floor
    contestant score-boost 'churn_score(model, features), boost' pg "$serial" "SELECT count(churn_score(boost, f)) FROM churn_models, ($churn_arrays) AS q" floor
    contestant window 'churn_score() OVER ()' pg "$serial" "SELECT churn_score(churned, f) OVER () FROM ($churn_arrays) AS q OFFSET $churn_rows" floor
    race "churn of $churn_rows rows by $churn_features features, serial"
    if [ -n "$sklearn" ]; then
        fit_alone logistic sk-logistic
        fit_alone boost sk-boost
        exec 9>&- 4<&-
    fi
    pg_close
    printf '\n%-50s %9s %9s\n' 'memory' MB 'B a row'
    customers=$churn_rows memory 'churn_model (the matrix: 160 bytes a row)' "$(churn_fit '')" "SELECT churn_model(churned, f) IS NULL FROM ($churn_arrays LIMIT 1000) AS q" \
        "SELECT sum(c1), sum(c$churn_features) FROM churn_rows" '<= 208'
}

# fit_alone OURS THEIRS: the statement less the making of arrays, beside a fit in memory
fit_alone() {
    local alone ratio
    alone=$(awk -v a="${median[$1]}" -v f="${median[floor]}" 'BEGIN { print a - f }')
    ratio=$(awk -v a="$alone" -v b="${median[$2]}" 'BEGIN { printf "%.2f", a / b }')
    printf '%-50s %9s %9.0f %9s  %s\n' "${label[$1]}" '' "$alone" '' "without making arrays: $ratio x ${label[$2]} $(verdict "$ratio" '<= 1')"
}

section_auc() {
    [ -z "$baselines" ] || return 0
    pairs_make
    pg_open
    same 'auc and the ranks' "SELECT abs((SELECT auc(score, label) FROM pairs WHERE days < 20)
        - (SELECT (sum(r) FILTER (WHERE label) - p * (p + 1) / 2) / (p * (count(*) - p)) FROM (SELECT label, rank() OVER (ORDER BY score)::float8 AS r, count(*) FILTER (WHERE label) OVER ()::float8 AS p FROM pairs WHERE days < 20) AS q GROUP BY p)) < 1e-9"
    auc_race "$serial" "$pair_rows pairs of score and outcome, serial"
    auc_race "$parallel" "$pair_rows pairs of score and outcome, $pg_workers workers and the leader"
    pg_close
}

# auc_race SETTINGS TITLE
auc_race() {
    race_clear
    contestant sort 'ORDER BY score' pg "$1" "SELECT score, label FROM pairs ORDER BY score OFFSET $pair_rows"
    contestant auc 'auc' pg "$1" 'SELECT auc(score, label) FROM pairs' sort '<= 1.5'
    contestant all 'auc, auc_se, brier_score, log_loss, ks_statistic' pg "$1" 'SELECT auc(score, label), auc_se(score, label), brier_score(score, label), log_loss(score, label), ks_statistic(score, label) FROM pairs' sort
    contestant table 'score_table' pg "$1" 'SELECT score_table(score, label) IS NULL FROM pairs' sort
    contestant group 'GROUP BY days, label' pg "$1" 'SELECT count(*) FROM (SELECT days, label, count(*) FROM pairs GROUP BY 1, 2) AS q'
    contestant curve 'survival_curve of 1024 days' pg "$1" 'SELECT survival_curve(days, label) IS NULL FROM pairs' group
    contestant curves 'survival_curve, all durations different' pg "$1" 'SELECT survival_curve(score, label) IS NULL FROM pairs' sort
    race "$2"
}
