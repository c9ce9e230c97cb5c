# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables are shared with bench/run and bench/lib.sh
# bench/history.sh: the sections about customer_history.
#
# Sourced by bench/run, never run. Each section_NAME is one or two tables of
# the report. Histories are stored in the schema `stored`, which the first
# section that needs them makes and the next run drops.
# jit is off for all: both sides of each ratio are queries of the same shape.

# -------------------------------------------------------- stored histories

stored_made=

# stored_make: the histories of all orders, as a shop would keep them
stored_make() {
    [ -z "$stored_made" ] || return 0
    run_psql >/dev/null <<EOF || exit 1
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS stored;
$(stored_table histories orders '')
$(stored_table histories_amount orders 'amount,')
EOF
    stored_made=yes
}

# stored_table NAME FROM AMOUNT: statements that make it, with its key.
# Afterwards it is as a vacuum at night leaves it.
stored_table() {
    echo "CREATE TABLE stored.$1 AS SELECT customer_id, customer_history(ordered_at, $3 'UTC') AS h FROM $2 GROUP BY customer_id;
ALTER TABLE stored.$1 ADD PRIMARY KEY (customer_id);
VACUUM (FREEZE, ANALYZE) stored.$1;"
}

# same WHAT QUERY: end the run unless QUERY says true
same() {
    local said
    said=$(pg_say "RESET ALL; $2;") || exit 1
    [ "$said" = t ] || die "$1: the results differ: ${said:-nothing}"
}

# plans_alike SETTINGS ID OTHER: print both plans if their nodes differ
plans_alike() {
    local id shape='' other plan plans=''
    for id in "$2" "$3"; do
        plan=$(pg_plan "$1" "${statement[$id]}") || exit 1
        plans+="${label[$id]}"$'\n'"$plan"$'\n'
        other=$shape
        shape=$(printf '%s\n' "$plan" | grep -E '^[^ ]|->|Workers')
    done
    [ "$shape" = "$other" ] || printf 'note: these two have different plans\n%s' "$plans"
}

# ---------------------------------------------------------- building histories

section_histories() {
    [ -z "$baselines" ] || return 0
    stored_make
    pg_open
    same 'histories and SQL aggregates' "$(check_histories histories count 'count(*)' 'events(h)')"
    same 'histories with amounts and SQL aggregates' "$(check_histories histories_amount sum 'sum(amount)' 'total_amount(h)')"
    histories_race "$serial" 'building histories, serial'
    histories_race "$parallel" "building histories, $pg_workers workers and the leader"
    pg_close
}

# check_histories TABLE NAME AGGREGATE ACCESSOR
check_histories() {
    echo "SELECT count(*) = $customers AND bool_and(first = first_day(h) AND last = last_day(h) AND days = active_days(h) AND $2::text = ($4)::text)
        FROM stored.$1 JOIN (SELECT customer_id, min(at) AS first, max(at) AS last, count(DISTINCT at) AS days, $3 AS $2
            FROM (SELECT customer_id, (ordered_at AT TIME ZONE 'UTC')::date AS at, amount FROM orders) AS d GROUP BY 1) AS q USING (customer_id)"
}

# groups_of AGGREGATES: the query itself, with an OFFSET that all of its rows
# fall to. Every group is finished and every column of it computed, for each
# contestant alike, but nothing is converted to text and sent. (An outer
# count(*) would let the planner drop the columns, and an outer aggregate of
# each column would cost the contestant with more columns more.)
groups_of() {
    echo "SELECT customer_id, $1 FROM orders GROUP BY 1 OFFSET $rows"
}

# histories_race SETTINGS TITLE
histories_race() {
    race_clear
    contestant sql 'min, max, count' pg "$1" "$(groups_of 'min(ordered_at), max(ordered_at), count(*)')"
    contestant history customer_history pg "$1" "$(groups_of "customer_history(ordered_at, 'UTC')")" sql '<= 1.4'
    contestant sql-sum 'min, max, count, sum' pg "$1" "$(groups_of 'min(ordered_at), max(ordered_at), count(*), sum(amount)')"
    contestant history-amount 'customer_history with amounts' pg "$1" "$(groups_of "customer_history(ordered_at, amount, 'UTC')")" sql-sum '<= 1.5'
    race "$2"
    plans_alike "$1" sql history
    plans_alike "$1" sql-sum history-amount
    plans_parallel "$1" sql history sql-sum history-amount
}

# ------------------------------------- cohort tables of stored histories

# The one pass over the raw rows is the aggregate over ordered_at, which is
# faster than over the days of it. Bit for bit the stored histories give what
# the days give; of windows, those start with the day, not with the hour.

section_stored() {
    local arguments
    [ -z "$baselines" ] || return 0
    stored_make
    pg_open
    for arguments in "'month'" "'day'" "'month', interval '30 days'" "'month', interval '1 month'"; do
        same "cohort_retention(h, $arguments)" "SELECT (SELECT cohort_retention(h, $arguments)::text FROM stored.histories) = c
            AND (SELECT cohort_retention(h, $arguments)::text FROM stored.histories_amount) = c
            FROM (SELECT cohort_retention(customer_id, (ordered_at AT TIME ZONE 'UTC')::date, $arguments)::text AS c FROM orders) AS q"
    done
    for arguments in month day; do
        same "cohort_retention of ${arguments}s" "WITH raw AS ($(aggregate_of orders "ordered_at, '$arguments', 'UTC'")),
            stored AS ($(stored_rows "'$arguments'")), missing AS (TABLE raw EXCEPT TABLE stored)
            SELECT NOT EXISTS (TABLE missing) AND (SELECT count(*) FROM raw) = (SELECT count(*) FROM stored)"
    done
    stored_race "$serial" 'cohort_retention, serial'
    stored_race "$parallel" "cohort_retention, $pg_workers workers and the leader"
    pg_close
}

# stored_rows ARGUMENTS: the retention table, out to its rows
stored_rows() {
    echo "SELECT r.cohort, r.period, r.retained
        FROM (SELECT cohort_retention(h, $1) AS c FROM stored.histories) AS q, cohort_rows(c, timestamp '2025-01-01') AS r WHERE r.retained > 0"
}

# stored_race SETTINGS TITLE
stored_race() {
    race_clear
    stored_contestants "$1" months "'month'" '<= 0.35'
    stored_contestants "$1" days "'day'"
    stored_contestants "$1" 'windows of 30 days' "'month', interval '30 days'"
    stored_contestants "$1" 'windows of 1 month' "'month', interval '1 month'"
    race "$2"
    plans_parallel "$1" raw-months stored-months amount-months
}

# stored_contestants SETTINGS TITLE ARGUMENTS [BAR]
stored_contestants() {
    local id=${2// /-}
    contestant "raw-$id" "$2, one pass over the rows" pg "$1" "$(value_of orders "ordered_at, $3, 'UTC'")"
    contestant "stored-$id" "$2, stored histories" pg "$1" "SELECT cohort_retention(h, $3) IS NULL FROM stored.histories" "raw-$id" "${4:-}"
    contestant "amount-$id" "$2, stored with amounts" pg "$1" "SELECT cohort_retention(h, $3) IS NULL FROM stored.histories_amount" "raw-$id" "${4:-}"
}

# ------------------------------------------------------- merging a day's rows

# The latest 1/700 of the orders arrive in a table of their own, as a day's
# batch does; the histories of the others, and a view of them, are there
# already. Before each repetition both are made again, untimed, as they were.
# Rebuilding is without the key that the stored histories have.

section_refresh() {
    [ -z "$baselines" ] || return 0
    local before="orders WHERE (ordered_at, customer_id) <= (:'at', :id)"
    run_psql >/dev/null <<EOF || exit 1
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS stored;
SELECT ordered_at AS at, customer_id AS id FROM orders ORDER BY 1 DESC, 2 DESC OFFSET $rows / 700 LIMIT 1 \\gset
CREATE TABLE stored.batch AS SELECT * FROM orders WHERE (ordered_at, customer_id) > (:'at', :id);
VACUUM (FREEZE, ANALYZE) stored.batch;
$(stored_table earlier "$before" '')
$(stored_table earlier_amount "$before" 'amount,')
EOF
    pg_open
    refresh_race "$serial" '' '' 'a new day, serial'
    refresh_race "$serial" amount, _amount 'a new day, with amounts, serial'
    refresh_race "$parallel" amount, _amount "a new day, with amounts, $pg_workers workers and the leader"
    pg_close
}

# refresh_race SETTINGS AMOUNT SUFFIX TITLE
refresh_race() {
    local view="AS SELECT r.* FROM (SELECT cohort_retention(h, 'month') AS c FROM stored" rows_of=') AS q, cohort_rows(c) AS r'
    race_clear
    contestant rebuild 'rebuilding both' pg "$1
DROP TABLE IF EXISTS stored.rebuilt CASCADE;" "CREATE TABLE stored.rebuilt AS SELECT customer_id, customer_history(ordered_at, $2 'UTC') AS h FROM orders GROUP BY customer_id;
CREATE MATERIALIZED VIEW stored.rebuilt_rows $view.rebuilt$rows_of"
    contestant merge 'merging and refreshing' pg "$serial
DROP TABLE IF EXISTS stored.merged CASCADE;
CREATE TABLE stored.merged AS TABLE stored.earlier$3;
ALTER TABLE stored.merged ADD PRIMARY KEY (customer_id);
VACUUM (FREEZE, ANALYZE) stored.merged;
CREATE MATERIALIZED VIEW stored.merged_rows $view.merged$rows_of;
CREATE UNIQUE INDEX ON stored.merged_rows (cohort, period);
ANALYZE stored.merged_rows;
$1" "INSERT INTO stored.merged AS t SELECT customer_id, customer_history(ordered_at, $2 'UTC') AS h FROM stored.batch GROUP BY customer_id
    ON CONFLICT (customer_id) DO UPDATE SET h = t.h || excluded.h;
REFRESH MATERIALIZED VIEW CONCURRENTLY stored.merged_rows" rebuild '<= 0.1'
    contestant refresh 'refreshing alone, after that' pg "$1" 'REFRESH MATERIALIZED VIEW CONCURRENTLY stored.merged_rows' rebuild
    warm_up rebuild merge
    same 'merged and rebuilt histories' "SELECT count(*) = $customers AND bool_and(coalesce(m.h = r.h, false))
        FROM stored.merged AS m FULL JOIN stored.rebuilt AS r USING (customer_id)"
    same 'views of merged and rebuilt histories' "SELECT count(*) > 0 AND bool_and(coalesce(m::text = r::text, false))
        FROM stored.merged_rows AS m FULL JOIN stored.rebuilt_rows AS r USING (cohort, period)"
    race "$4"
}

# ---------------------------------------------------------------------- size

section_size() {
    [ -z "$baselines" ] || return 0
    stored_make
    print_head 'stored histories, headers included' MB customers 'a day' 'bytes'
    size_of 'all customers' histories 1
    size_of '10 or more active days' histories 10 '<= 4'
    size_of 'all customers, with amounts' histories_amount 1
    size_of '10 or more active days, with amounts' histories_amount 10 '<= 10'
    section_state
}

# size_of LABEL TABLE DAYS [BAR]: megabytes; how many customers have that many
# days; the mean over them of bytes an active day
size_of() {
    local found mb each of_sums
    found=$(run_psql -A -t -F ' ' -c "SELECT round(sum(bytes) / 1e6), count(*), round(avg(bytes / days), 2), round(sum(bytes) / sum(days), 2)
        FROM (SELECT pg_column_size(h)::numeric AS bytes, active_days(h) AS days FROM stored.$2) AS q WHERE days >= $3") || exit 1
    read -r mb found each of_sums <<<"$found"
    printf '%-50s %9s %9s %9s  %s\n' "$1" "$mb" "$found" "$each" "all of them / all days: $of_sums $(verdict "$each" "${4:-}")"
}

# States: as many customers as above, with one to four days each. The bar is
# for the state: what a group takes more than in the same plan of count(*), by
# the memory that the plan's node reports.
section_state() {
    local few days plain bytes multiplier=1
    run_psql >/dev/null <<EOF || exit 1
SET client_min_messages = warning;
CREATE SCHEMA IF NOT EXISTS stored;
CREATE TABLE stored.few AS SELECT id AS customer_id, n, timestamptz '2024-01-01 12:00+00' + n * interval '11 days' + id % 7 * interval '1 day' AS ordered_at,
    (5 + (hashint8extended(id, n) & 49999) / 100.0)::numeric(10,2) AS amount FROM generate_series(1, 4) AS n, generate_series(1, $customers::bigint) AS id;
VACUUM (FREEZE, ANALYZE) stored.few;
EOF
    pg_open
    print_head 'memory of the hashed plan, serial, work_mem 512MB' MB 'a group' 'its state' ''
    for days in 1 2 3 4; do
        few="stored.few WHERE n <= $days"
        state_of "active days: $days, count(*)" 'count(*)' "$few"
        plain=$bytes
        state_of "active days: $days, customer_history" "customer_history(ordered_at, 'UTC')" "$few" "$plain" '<= 200'
        state_of "active days: $days, customer_history with amounts" "customer_history(ordered_at, amount, 'UTC')" "$few" "$plain" '<= 200'
    done
    for multiplier in 1 2; do
        state_of "the orders, customer_history, multiplier $multiplier" "customer_history(ordered_at, 'UTC')" orders
        state_of "the orders, with amounts, multiplier $multiplier" "customer_history(ordered_at, amount, 'UTC')" orders
    done
    pg_close
    if [ ! -r /proc/self/status ]; then
        say 'memory of the backend: SKIPPED, there is no /proc here'
        return
    fi
    printf '\n%-50s %9s %9s\n' 'memory of the backend, serial, hashed' MB 'bytes a customer'
    for days in 1 4; do
        few="stored.few WHERE n <= $days"
        backend_of "active days: $days, count(*)" 'count(*)' "$few"
        backend_of "active days: $days, customer_history" "customer_history(ordered_at, 'UTC')" "$few"
        backend_of "active days: $days, customer_history with amounts" "customer_history(ordered_at, amount, 'UTC')" "$few"
    done
    backend_of 'the orders, customer_history' "customer_history(ordered_at, 'UTC')" orders
    backend_of 'the orders, customer_history with amounts' "customer_history(ordered_at, amount, 'UTC')" orders
}

# state_of LABEL AGGREGATE FROM [PLAIN BAR]: sets $bytes. $multiplier is that of
# work_mem for hashing: 1 takes 512 MB at its word, 2 is the server's default.
state_of() {
    local plan mb batches disk beside=''
    plan=$(pg_say "RESET ALL; $serial SET enable_sort = off; SET hash_mem_multiplier = $multiplier;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, FORMAT JSON) SELECT customer_id, $2 FROM $3 GROUP BY 1;") || exit 1
    read -r mb batches disk < <(printf '%s\n' "$plan" | awk -F '[:,]' '/"Strategy": "Hashed"/ { hashed = 1 } /"Peak Memory Usage"/ { kb = $2 }
        /"HashAgg Batches"/ { batches = $2 } /"Disk Usage"/ { disk = $2 } END { print hashed ? kb : "none", batches + 0, disk + 0 }')
    case $mb in
        *[!0-9]*) die "$1: not hashed: $plan" ;;
    esac
    bytes=$(awk -v kb="$mb" -v n="$customers" 'BEGIN { printf "%.1f", kb * 1024 / n }')
    [ -z "${4:-}" ] || beside=$(awk -v a="$bytes" -v b="$4" 'BEGIN { printf "%.1f", a - b }')
    printf '%-50s %9s %9s %9s  %s\n' "$1" $((mb / 1024)) "$bytes" "$beside" "${beside:+$(verdict "$beside" "$5") }$(
        )$([ "$batches" = 1 ] && echo 'not spilled' || echo "SPILLED: $batches batches, $((disk / 1024)) MB on disk")"
}

# backend_of LABEL AGGREGATE FROM
backend_of() {
    local floor="SELECT max(ordered_at), max(amount) FROM $3"
    memory "$1" "SELECT customer_id, $2 FROM $3 GROUP BY 1 OFFSET $rows" \
        "SELECT customer_id, $2 FROM (SELECT * FROM $3 LIMIT 1000) AS few GROUP BY 1 OFFSET $rows" "$floor"
}
