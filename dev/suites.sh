# shellcheck shell=sh
# shellcheck disable=SC2154  # pg_config, bindir, cores come from lib.sh
# What ./check and dev/sanitize share: run every suite of the project on the
# running private cluster and count.
#
# Sourced after lib.sh, never run. suites DIR runs what is in DIR/src: the
# pg_regress files, the pgTAP files test/*.sql, and the programs test/*.t and
# test/*.sh; suite_c DIR needs no server and runs the unit tests of test/c.
# Every pgTAP file and program gets a database of its own, so they run side by
# side and in any order. $passed, $failed and $skipped add up: one
# for each pg_regress file, one for each pgTAP assertion, one for each program
# that does not speak TAP. With RETENTION_SLOW=no in the environment, tests
# that mostly wait skip themselves.
# Promises: a test that says nothing, dies or stops short is a failure.
# Never: writes outside DIR.

passed=0 failed=0 skipped=0
# pgTAP files that take ten seconds and more; the order is all that hangs on it
long="cohort_random cohort_histories cohort_large history_fuzz churn_features cohort_edges clv_plans clv_properties
    cohort_plans metrics migration_markov clv_portfolio history survival clv_orders clv_recovery"
only= # the files to be run, sql/x.sql or test/x.sql; empty: all
: "${here:?}"

# chosen FILE: is it to be run?
chosen() {
    case " $only " in
        '  ' | *" $1 "*) return 0 ;;
    esac
    return 1
}

suites() {
    RETENTION_SRC=$1/src
    export RETENTION_SRC
    regress_start "$1"
    suite_tap "$1"
    regress_count "$1"
    # No test may bring a backend down, whatever it says about itself.
    if grep -E 'was terminated by signal|^TRAP:|PANIC:|stack smashing' "$1/log" >&2; then
        say "FAIL  a server process crashed"
        failed=$((failed + 1))
        say "--- the end of the server's log"
        tail -n 40 "$1/log"
    fi
}

# --------------------------------------------------- units, without a server

# suite_c DIR: the programs of test/c, under ASan and UBSan, built in DIR
suite_c() {
    mkdir -p "$1"
    [ -d "$work/tree" ] || tree_copy "$work/tree" || die "cannot copy the tree"
    c_rc=0
    make -s -k -j"$cores" -C "$work/tree/test/c" O="$1" all >"$1/build.log" 2>&1 </dev/null &&
        make -s -C "$work/tree/test/c" O="$1" check >"$1/out" 2>"$1/err" </dev/null || c_rc=1
    if grep -E '(warning|error):' "$1/build.log"; then
        say "FAIL  test/c: the build has warnings or errors"
        failed=$((failed + 1))
    fi
    # shellcheck disable=SC2046
    set -- "$1" $(tap_summary "$1/out")
    [ "$c_rc" = 0 ] || [ "$3" -gt 0 ] || set -- "$1" "$2" 1
    passed=$((passed + $2))
    failed=$((failed + $3))
    if [ "$3" -gt 0 ]; then
        say "FAIL  test/c: $3 failed, $2 passed"
        cat "$1/build.log" "$1/out" "$1/err" 2>/dev/null | grep -v '^ok ' | head -n 120
    else
        say "ok    test/c: $2 passed"
    fi
}

# ---------------------------------------------------------------- pg_regress

# regress_start DIR: all files, one after the other, beside the pgTAP files
regress_start() {
    regress_total=0 regress_names=
    for regress_file in "$1"/src/sql/*.sql; do
        if [ -f "$regress_file" ] && chosen "sql/${regress_file##*/}"; then
            regress_total=$((regress_total + 1))
            regress_file=${regress_file##*/}
            regress_names="$regress_names ${regress_file%.sql}"
        fi
    done
    [ "$regress_total" -gt 0 ] || return 0
    (
        make -s -C "$1/src" PG_CONFIG="$pg_config" installcheck REGRESS="$regress_names" >"$1/regress.log" 2>&1
        echo $? >"$1/regress.rc"
    ) </dev/null &
}

regress_count() {
    wait
    if [ "$regress_total" = 0 ]; then
        [ -z "$only" ] || return 0
        say "FAIL  pg_regress: there are no files in sql/"
        failed=$((failed + 1))
        return
    fi
    if [ "$(cat "$1/regress.rc")" = 0 ]; then
        passed=$((passed + regress_total))
        say "ok    pg_regress: $regress_total files"
        return
    fi
    # Which files differ is read from the diffs: the output's form depends on
    # the major. Without diffs, pg_regress itself came to grief.
    regress_bad=$(grep -c '^diff ' "$1/src/regression.diffs" 2>/dev/null)
    [ "${regress_bad:-0}" -gt 0 ] || regress_bad=$regress_total
    failed=$((failed + regress_bad))
    passed=$((passed + regress_total - regress_bad))
    say "FAIL  pg_regress: $regress_bad of $regress_total files"
    if [ -s "$1/src/regression.diffs" ]; then
        head -n 300 "$1/src/regression.diffs"
    else
        tail -n 40 "$1/regress.log"
    fi
}

# ------------------------------------------------------------ pgTAP, programs

suite_tap() {
    tap_dir=$1
    mkdir -p "$tap_dir/tap"
    set --
    tap_once=
    # Programs first: some wait, for the clock or for other sessions to end.
    # Then what takes longest, so that no core waits for it at the end.
    for tap_file in "$tap_dir"/src/test/*.sh "$tap_dir"/src/test/*.t \
        $(for tap_name in $long; do echo "$tap_dir/src/test/$tap_name.sql"; done) "$tap_dir"/src/test/*.sql; do
        case " $* " in *" $tap_file "*) continue ;; esac
        [ -f "$tap_file" ] || continue
        chosen "test/${tap_file##*/}" || continue
        if [ -n "${again:-}" ] && head -n 20 "$tap_file" | grep -q '^\(--\|#\) check: once'; then
            case "$tap_once " in *" ${tap_file##*/} "*) ;; *) tap_once="$tap_once ${tap_file##*/}" ;; esac
            continue
        fi
        case $tap_file in
            *.sql) set -- "$@" "$tap_file" ;;
            *) [ ! -x "$tap_file" ] || set -- "$@" "$tap_file" ;;
        esac
    done
    [ -z "$tap_once" ] || say "      not again:$tap_once"
    if [ $# = 0 ]; then
        [ -z "$only" ] || return 0
        say "FAIL  pgTAP: there are no files in test/"
        failed=$((failed + 1))
        return
    fi
    workers=
    tap_worker=0
    while [ "$tap_worker" -le "$cores" ]; do # one more than cores, for those that wait
        (
            # whoever makes a file's claim first runs it
            for tap_file; do
                ! mkdir "$tap_dir/tap/${tap_file##*/}.claim" 2>/dev/null || tap_run "$tap_file"
            done
        ) </dev/null &
        workers="$workers $!"
        tap_worker=$((tap_worker + 1))
    done
    wait
    workers=
    for tap_file; do
        tap_count "$tap_file"
    done
}

# tap_run FILE: in a database of its own; output, exit status and seconds go to
# files named after the test
tap_run() {
    tap_out=$tap_dir/tap/${1##*/}
    tap_start=$(date +%s)
    (
        cd "$tap_dir/src" || exit 1
        tap_db=test_$(printf %s "${1##*/}" | tr -c 'a-z0-9' _)
        run_psql -c "CREATE DATABASE $tap_db" || exit 1
        PGDATABASE=$tap_db
        export PGDATABASE
        case $1 in
            *.sql) pg_prove --norc --nocolor --verbose --psql-bin "$bindir/psql" --dbname "$tap_db" "test/${1##*/}" ;;
            *) "$1" ;;
        esac
    ) >"$tap_out.out" 2>&1
    echo "$? $(($(date +%s) - tap_start))" >"$tap_out.rc"
}

# tap_summary FILE: passed, failed and skipped assertions at top level; what is
# marked TODO may fail
tap_summary() {
    awk '
        /^(not )?ok([ \t]|$)/ && !/^ok$/ {
            if (toupper($0) ~ /# *SKIP/) s++
            else if ($1 == "ok" || toupper($0) ~ /# *TODO/) p++
            else f++
        }
        /^1\.\.0/ { s++ }
        END { print p + 0, f + 0, s + 0 }' "$1" 2>/dev/null || echo 0 1 0
}

tap_count() {
    count_name=test/${1##*/}
    count_out=$tap_dir/tap/${1##*/}.out
    count_rc=1 count_seconds=0
    read -r count_rc count_seconds 2>/dev/null <"$tap_dir/tap/${1##*/}.rc"
    [ "$count_seconds" -lt 10 ] || count_name="$count_name ($count_seconds s)"
    # shellcheck disable=SC2046
    set -- "$1" $(tap_summary "$count_out")
    count_p=$2 count_f=$3 count_s=$4
    if [ "$count_rc" = 0 ] && [ $((count_p + count_f + count_s)) = 0 ]; then
        case $1 in
            *.sql) count_rc=1 ;; # said nothing at all
            *) count_p=1 ;;      # a plain program: its exit status is its result
        esac
    fi
    [ "$count_rc" = 0 ] || [ "$count_f" -gt 0 ] || count_f=1
    passed=$((passed + count_p))
    failed=$((failed + count_f))
    skipped=$((skipped + count_s))
    if [ "$count_f" -gt 0 ]; then
        say "FAIL  $count_name: $count_f failed, $count_p passed"
        grep -v '^ok ' "$count_out" | head -n 120
    elif [ "$count_s" -gt 0 ]; then
        say "ok    $count_name: $count_p passed, $count_s skipped"
        grep -i -E '^(ok .*|1\.\.0.*)# *skip' "$count_out" | sed 's/^.*# */      /' | sort | uniq -c |
            sed 's/^ *\([0-9]*\) */      \1 x /'
    else
        say "ok    $count_name: $count_p passed"
    fi
    # random tests say how to repeat them
    grep -i '^# *seed' "$count_out" | sed 's/^/      /'
}

# the last line: for people, and for whoever counts
closing_line() {
    closing="$passed passed, $failed failed"
    [ "$skipped" = 0 ] || closing="$closing, $skipped skipped"
    say "$closing"
    [ "$failed" = 0 ]
}
