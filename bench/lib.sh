# shellcheck shell=bash
# shellcheck disable=SC2154  # work, bindir, prog and others come from dev/lib.sh
# bench/lib.sh: what the sections of the benchmark share: the two engines,
# the race between contestants, the table, the memory of a backend.
#
# Sourced by bench/run after dev/lib.sh, never run.
# Promises: contestants take turns in every repetition, so that whatever else
# the machine does hits all of them alike; each has run once, untimed, before;
# those that answer the same question are compared row by row first, and a
# difference ends the run. Never: fails because something is slow.

# ------------------------------------------------------------------- engines

# Each engine is a process that lives as long as the section: statements go in
# through one pipe, answers come back through another.
# Timing is the client's: from sending the statement to having all its rows.

pg_open() {
    rm -f "$work/pg.in" "$work/pg.out"
    mkfifo "$work/pg.in" "$work/pg.out"
    stdbuf -oL "$bindir/psql" -X -q -A -t -F , -v ON_ERROR_STOP=1 -P pager=off \
        <"$work/pg.in" >"$work/pg.out" 2>&1 5>&- 6<&- 7>&- 8<&- &
    pg_client=$!
    workers="$workers $pg_client"
    exec 5>"$work/pg.in" 6<"$work/pg.out"
    pg_backend=$(pg_say 'SELECT pg_backend_pid();') || exit 1
}

pg_close() {
    exec 5>&- 6<&-
    wait "$pg_client"
}

# pg_say INPUT: what psql prints for it
pg_say() {
    printf '%s\n' "$1" '\echo ---' >&5
    local line said=''
    while IFS= read -r line <&6; do
        if [ "$line" = --- ]; then
            printf '%s' "$said"
            return 0
        fi
        said=$said$line$'\n'
    done
    die "the server said: $said"
}

# pg_run SETTINGS QUERY: sets $ms, of all its statements if it is several
pg_run() {
    local said
    said=$(pg_say "RESET ALL; $1 \\o /dev/null
\\timing on
$2;
\\timing off
\\o") || exit 1
    ms=$(printf '%s\n' "$said" | awk '$1 == "Time:" { ms += $2 } END { printf "%.3f", ms }')
}

# pg_plan SETTINGS QUERY: its plan
pg_plan() {
    pg_say "RESET ALL; $1 EXPLAIN (COSTS OFF) $2;"
}

duckdb_open() {
    rm -f "$work/duckdb.in" "$work/duckdb.out"
    mkfifo "$work/duckdb.in" "$work/duckdb.out"
    NODE_PATH=$duckdb_path node "$here/bench/duckdb.js" "$data/orders.duckdb" \
        <"$work/duckdb.in" >"$work/duckdb.out" 2>&1 5>&- 6<&- 7>&- 8<&- &
    workers="$workers $!"
    exec 7>"$work/duckdb.in" 8<"$work/duckdb.out"
}

# duckdb_run SETTINGS QUERY: sets $ms
duckdb_run() {
    [ -z "$1" ] || duckdb_run '' "$1"
    printf '%s\n' "$2" | tr '\n\t' '  ' >&7
    echo >&7
    IFS= read -r ms <&8 || ms='it ended'
    case $ms in
        *[!0-9.]*) die "DuckDB said: $ms" ;;
    esac
}

# query FILE: a statement of bench/sql without its comments
query() {
    sed 's/--.*//' "$here/bench/sql/$1.sql"
}

# ---------------------------------------------------------------------- race

contestants=()
declare -A label engine settings statement versus bar times median warm

race_clear() {
    contestants=() statement=() median=() warm=()
}

# contestant ID LABEL ENGINE SETTINGS STATEMENT [VERSUS BAR]: VERSUS is the
# contestant that its time is divided by, BAR what the ratio should be: "<= 1.4"
contestant() {
    contestants+=("$1")
    label[$1]=$2 engine[$1]=$3 settings[$1]=$4 statement[$1]=$5 versus[$1]=${6:-} bar[$1]=${7:-} times[$1]=
}

# same_grid ID...: end the run unless all of them give the same rows of cohort,
# period, retained. $grid_reference, if set, is a file of such rows to compare
# with; afterwards it is the first contestant's.
same_grid() {
    local id rows
    for id; do
        rows=$work/grid.$id
        case ${engine[$id]} in
            pg)
                pg_say "RESET ALL; ${settings[$id]} \\o $rows
SELECT cohort::date, period::integer, retained::bigint FROM (${statement[$id]}) AS q(cohort, period, retained) ORDER BY 1, 2;
\\o" >/dev/null || exit 1
                ;;
            duckdb)
                duckdb_run "${settings[$id]}" "COPY (SELECT cohort::DATE, period::INTEGER, retained::BIGINT
                    FROM (${statement[$id]}) AS q(cohort, period, retained) ORDER BY 1, 2) TO '$rows' (FORMAT csv, HEADER false)"
                ;;
        esac
        warm[$id]=yes
        [ -s "$rows" ] || die "${label[$id]}: no rows"
        if [ -z "$grid_reference" ]; then
            grid_reference=$rows
        elif ! cmp -s "$grid_reference" "$rows"; then
            diff "$grid_reference" "$rows" | head -n 10 >&2
            die "${label[$id]}: its rows are not those of ${grid_reference##*grid.}"
        fi
    done
}

# warm_up ID...: run those that have not run yet
warm_up() {
    local id
    for id; do
        [ -n "${warm[$id]:-}" ] || "${engine[$id]}_run" "${settings[$id]}" "${statement[$id]}"
        warm[$id]=yes
    done
}

# race TITLE: warm up what has not run yet, repeat, print
race() {
    local id i
    warm_up "${contestants[@]}"
    for ((i = 0; i < reps; i++)); do
        for id in "${contestants[@]}"; do
            "${engine[$id]}_run" "${settings[$id]}" "${statement[$id]}"
            times[$id]+="$ms "
        done
    done
    print_head "$1" min median max 'ratio of medians'
    for id in "${contestants[@]}"; do
        print_contestant "$id"
    done
}

# ------------------------------------------------------------------- figures

# figures NUMBER...: the smallest, the median, the largest
figures() {
    printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 }
        END { print v[1], (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2, v[NR] }'
}

# verdict NUMBER BAR: "(bar: <= 1.40, met)"
verdict() {
    [ -n "$2" ] || return 0
    awk -v x="$1" -v op="${2% *}" -v bar="${2#* }" 'BEGIN {
        met = op == "<=" ? x <= bar : x >= bar
        printf "(bar: %s %s, %s)", op, bar, met ? "met" : "MISSED" }'
}

print_head() {
    printf '\n%-50s %9s %9s %9s  %s\n' "$@"
}

print_contestant() {
    local low mid high ratio words=''
    # shellcheck disable=SC2086
    read -r low mid high < <(figures ${times[$1]})
    median[$1]=$mid
    if [ -n "${versus[$1]}" ] && [ -n "${median[${versus[$1]}]:-}" ]; then
        ratio=$(awk -v a="$mid" -v b="${median[${versus[$1]}]}" 'BEGIN { printf a / b < 0.2 ? "%.3f" : "%.2f", a / b }')
        words="$ratio x ${label[${versus[$1]}]} $(verdict "$ratio" "${bar[$1]}")"
    fi
    printf '%-50s %9.0f %9.0f %9.0f  %s\n' "${label[$1]}" "$low" "$mid" "$high" "$words"
}

# -------------------------------------------------------------------- memory

# peak: the most memory the backend ever had resident, in kB
peak() {
    awk '$1 == "VmHWM:" { print $2 }' "/proc/$pg_backend/status"
}

# memory LABEL QUERY SMALL FLOOR [BAR]: megabytes, and bytes a customer, that
# QUERY needs in a new backend. Before it, FLOOR has read the same pages and
# SMALL has done the same over a few rows, so that what the peak grows by is
# neither the shared buffers nor what any first query needs.
memory() {
    local before after each
    pg_open
    pg_run "$serial" "$4"
    pg_run "$serial" "$3"
    before=$(peak)
    pg_run "$serial" "$2"
    after=$(peak)
    pg_close
    each=$(awk -v kb=$((after - before)) -v n="$customers" 'BEGIN { printf "%.1f", kb * 1024 / n }')
    printf '%-50s %9.0f %9.1f  %s\n' "$1" $(((after - before) / 1024)) "$each" "$(verdict "$each" "${5:-}")"
}
