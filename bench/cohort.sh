# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables are shared with bench/run and bench/lib.sh
# bench/cohort.sh: the sections about cohort_retention.
#
# Sourced by bench/run, never run. Each section_NAME is one table of the report.
# The scan floor of a table is the cheapest query that looks at both columns of
# every row; the bars are the project's own.

# aggregate_of TABLE ARGUMENTS: the retention table, out to its rows
aggregate_of() {
    echo "SELECT r.cohort, r.period, r.retained
        FROM (SELECT cohort_retention(customer_id, $2) AS c FROM $1) AS q, cohort_rows(c, timestamp '2025-01-01') AS r WHERE r.retained > 0"
}

# value_of TABLE ARGUMENTS: the aggregate alone
value_of() {
    echo "SELECT cohort_retention(customer_id, $2) IS NULL FROM $1"
}

# There is no max(uuid) before PostgreSQL 18: count() looks at the column too.
floor_of() {
    case $1 in
        orders_uuid) echo "SELECT max(ordered_at), count(customer_id) FROM $1" ;;
        *) echo "SELECT max(ordered_at), max(customer_id) FROM $1" ;;
    esac
}

# ------------------------------------------------- bigint keys, months, in UTC

section_months() {
    # As many threads as processes, but no more than cores: more slow it down.
    local threads=$((pg_workers < cores ? pg_workers + 1 : cores))
    grid_reference=
    months_race "$serial" 1 '<= 1.4' 'bigint keys, months, serial'
    months_race "$parallel" "$threads" '<= 2.0' "bigint keys, months, $pg_workers workers and the leader"
}

# months_race SETTINGS THREADS BAR TITLE
months_race() {
    local sql_settings="$1 SET jit = on;" grids='classic masks sorted'
    race_clear
    contestant floor 'scan floor' pg "$1" "$(floor_of orders)"
    if [ -z "$baselines" ]; then
        contestant retention cohort_retention pg "$1" "$(aggregate_of orders "ordered_at, 'month', 'UTC'")" floor "$3"
        grids="retention $grids"
    fi
    contestant classic 'classic SQL' pg "$sql_settings" "$(query classic)" retention '>= 15'
    contestant masks 'SQL with bit masks, any key' pg "$sql_settings" "$(query masks)" retention '>= 5'
    contestant sorted 'SQL with bit masks, sorted integers' pg "$sql_settings" "$(query sorted)" retention '>= 5'
    pg_open
    if [ -n "$duckdb_path" ]; then
        duckdb_open
        contestant duckdb-classic "DuckDB, classic SQL, threads: $2" duckdb "SET threads = $2" "$(query duckdb-classic)" retention
        contestant duckdb-masks "DuckDB, bit masks, threads: $2" duckdb "SET threads = $2" "$(query duckdb-masks)" retention '>= 1.5'
        grids="$grids duckdb-classic duckdb-masks"
    fi
    # shellcheck disable=SC2086
    same_grid $grids
    race "$4"
    plans_parallel "$1" floor retention
    pg_close
    [ -z "$duckdb_path" ] || exec 7>&- 8<&-
}

# plans_parallel SETTINGS ID...: say so where they did not get the workers that
# the settings ask for
plans_parallel() {
    local id settings=$1
    shift
    [ "$settings" = "$parallel" ] || return 0
    for id; do
        [ -n "${statement[$id]:-}" ] || continue
        pg_plan "$settings" "${statement[$id]}" | grep -q "Workers Planned: $pg_workers" ||
            say "note: ${label[$id]} was not planned with $pg_workers workers"
    done
}

# ---------------------------------------------------------------- other keys

section_keys() {
    [ -z "$baselines" ] || return 0
    pg_open
    race_clear
    contestant floor 'scan floor of bigint keys' pg "$serial" "$(floor_of orders)"
    contestant bigint 'cohort_retention, bigint keys' pg "$serial" "$(aggregate_of orders "ordered_at, 'month', 'UTC'")" floor
    contestant floor-text 'scan floor of text keys' pg "$serial" "$(floor_of orders_text)"
    contestant text 'cohort_retention, text keys' pg "$serial" "$(aggregate_of orders_text "ordered_at, 'month', 'UTC'")" floor-text '<= 2.5'
    contestant floor-uuid 'scan floor of uuid keys' pg "$serial" "$(floor_of orders_uuid)"
    contestant uuid 'cohort_retention, uuid keys' pg "$serial" "$(aggregate_of orders_uuid "ordered_at, 'month', 'UTC'")" floor-uuid '<= 2.5'
    grid_reference=
    same_grid bigint text uuid
    race 'keys of other types, months, serial'
    pg_close
}

# ------------------------------------------------------------- other periods

section_periods() {
    [ -z "$baselines" ] || return 0
    pg_open
    race_clear
    contestant month 'months' pg "$serial" "$(value_of orders "ordered_at, 'month', 'UTC'")"
    contestant week 'weeks' pg "$serial" "$(value_of orders "ordered_at, 'week', 'UTC'")" month
    contestant day 'days' pg "$serial" "$(value_of orders "ordered_at, 'day', 'UTC'")" month '<= 1.5'
    contestant month-rows 'months, out to the rows' pg "$serial" "$(aggregate_of orders "ordered_at, 'month', 'UTC'")"
    contestant week-rows 'weeks, out to the rows' pg "$serial" "$(aggregate_of orders "ordered_at, 'week', 'UTC'")" month-rows
    contestant day-rows 'days, out to the rows' pg "$serial" "$(aggregate_of orders "ordered_at, 'day', 'UTC'")" month-rows
    race 'bigint keys, other periods, serial'
    pg_close
}

# ------------------------------------------------------------ rolling windows

section_rolling() {
    [ -z "$baselines" ] || return 0
    pg_open
    race_clear
    contestant floor 'scan floor' pg "$serial" "$(floor_of orders)"
    contestant first 'first event, months' pg "$serial" "$(aggregate_of orders "ordered_at, 'month', 'UTC'")" floor
    contestant first-30 'first event, windows of 30 days' pg "$serial" "$(aggregate_of orders "ordered_at, 'month', interval '30 days', 'UTC'")" floor
    contestant floor-joined 'scan floor with joined_at' pg "$serial" 'SELECT max(ordered_at), max(joined_at), max(customer_id) FROM orders_joined'
    contestant joined 'joined_at, months' pg "$serial" "$(aggregate_of orders_joined "joined_at, ordered_at, 'month', 'UTC'")" floor-joined
    contestant joined-30 'joined_at, windows of 30 days' pg "$serial" "$(aggregate_of orders_joined "joined_at, ordered_at, 'month', interval '30 days', 'UTC'")" floor-joined
    grid_reference=
    same_grid first joined
    grid_reference=
    same_grid first-30 joined-30
    race 'bigint keys, rolling windows, serial'
    pg_close
}

# --------------------------------------------------------------------- memory

section_memory() {
    [ -z "$baselines" ] || return 0
    if [ ! -r /proc/self/status ]; then
        say 'memory: SKIPPED, there is no /proc here'
        return
    fi
    printf '\n%-50s %9s %9s\n' 'memory of the backend, serial' MB 'bytes a customer'
    memory_of 'bigint keys, months' orders "ordered_at, 'month', 'UTC'" '<= 48'
    memory_of 'bigint keys, weeks' orders "ordered_at, 'week', 'UTC'"
    memory_of 'bigint keys, days' orders "ordered_at, 'day', 'UTC'"
    memory_of 'bigint keys, windows of 30 days' orders "ordered_at, 'month', interval '30 days', 'UTC'"
    memory_of 'bigint keys, joined_at, months' orders_joined "joined_at, ordered_at, 'month', 'UTC'" '<= 48'
    memory_of 'bigint keys, joined_at, windows of 30 days' orders_joined "joined_at, ordered_at, 'month', interval '30 days', 'UTC'" '<= 48'
    memory_of 'text keys, months' orders_text "ordered_at, 'month', 'UTC'"
    memory_of 'uuid keys, months' orders_uuid "ordered_at, 'month', 'UTC'"
}

# memory_of LABEL TABLE ARGUMENTS [BAR]
memory_of() {
    memory "$1" "$(value_of "$2" "$3")" "$(value_of "(SELECT * FROM $2 LIMIT 1000) AS few" "$3")" "$(floor_of "$2")" "${4:-}"
}
