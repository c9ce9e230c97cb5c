#!/bin/sh
# A module that is loaded before ours and has functions of the same names changes no number of ours: retention.so shows only what
# the server looks up in it. The neighbour made here has every internal name of ours, with another signature and an error for a body.
#
# Needs nm, psql and a server to which the environment leads, as a superuser; the build in RETENTION_SRC, else in the checkout. Speaks
# TAP. RETENTION_SLOW=no skips the pg_regress files among its tests.
# shellcheck disable=SC2016,SC2317
set -u
here=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
src=${RETENTION_SRC:-$here}
pg_config=${PG_CONFIG:-pg_config}
[ -f "$src/retention.so" ] || {
    echo "1..0 # SKIP there is no $src/retention.so: make it first"
    exit 0
}
work=$(mktemp -d /tmp/retention.XXXXXX) || exit 1
chmod 755 "$work"
finish() {
    psql -X -q -d template1 -c "DROP DATABASE IF EXISTS neighbour_$$" >/dev/null 2>&1
    rm -rf -- "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

tests=0 status=0
: >"$work/err"
result() { # result STATUS TITLE: what went wrong is in the file err
    tests=$((tests + 1))
    if [ "$1" = 0 ]; then
        echo "ok $tests - $2"
    else
        echo "not ok $tests - $2"
        tail -n 40 "$work/err" | sed 's/^/# /'
        status=1
    fi
    : >"$work/err"
}

# ------------------------------------------------------ what the module shows

# Names that begin with two underscores are the compiler's: sanitizers, coverage.
nm -D -P --defined-only "$src/retention.so" | awk '$1 !~ /^__/ { print $1 }' | sort >"$work/exported"
{
    echo Pg_magic_func
    grep -x _PG_init "$work/exported" # there may be one
    sed -n 's/^pg_finfo_//p' "$work/exported"
    grep '^pg_finfo_' "$work/exported"
} | sort >"$work/expected"
comm -23 "$work/exported" "$work/expected" | sed 's/^/internal, but visible: /' >"$work/err"
comm -13 "$work/exported" "$work/expected" | sed 's/^/not visible: /' >>"$work/err"
[ ! -s "$work/err" ]
result $? 'only Pg_magic_func, _PG_init and SQL functions with their pg_finfo_ are visible'

psql -X -q -A -t -v ON_ERROR_STOP=1 -c 'SET client_min_messages = warning' -c 'CREATE EXTENSION IF NOT EXISTS retention' -c "
    SELECT DISTINCT prosrc FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
    WHERE e.extname = 'retention' AND prolang = (SELECT oid FROM pg_language WHERE lanname = 'c')" 2>"$work/psql" | sort >"$work/sql"
sed -n 's/^pg_finfo_//p' "$work/exported" | sort >"$work/finfo"
diff "$work/sql" "$work/finfo" >"$work/err" 2>&1 && [ -s "$work/sql" ]
result $? 'and those are the functions that the install script names'

# ------------------------------------------------------------ the neighbour

# shellcheck disable=SC2046  # no blanks in the names of our files
(cd "$src" && nm -A -P $(find src -name '*.o')) | awk '$3 ~ /^[TDBRVWC]$/ { print $3, $2 }' | sort -u -k 2 |
    awk 'NR == FNR { visible[$1] = 1; next } !($2 in visible) && $2 !~ /^__/' "$work/expected" - >"$work/internal"
{
    printf '#include "postgres.h"\n#include "fmgr.h"\nPG_MODULE_MAGIC;\n'
    awk '{ shown = "__attribute__((visibility(\"default\"))) "
           if ($1 ~ /[TW]/) {
               print shown "extern double " $2 "(const char *other);"
               print "double " $2 "(const char *other) { elog(ERROR, \"the neighbour was called: " $2 "\"); return 0.5; }"
           } else
               print shown "extern char " $2 "[4096]; char " $2 "[4096] = {1};" }' "$work/internal"
} >"$work/neighbour.c"
printf '%s\n' 'MODULES = neighbour' "PGXS := \$(shell $pg_config --pgxs)" 'include $(PGXS)' >"$work/Makefile"
make -s -C "$work" with_llvm=no CFLAGS_SL='-fPIC -w' >"$work/err" 2>&1
result $? "a neighbour with $(wc -l <"$work/internal") internal names of ours is built"
[ "$(grep -c . "$work/internal")" -gt 300 ] && grep -q ' wilson_limits$' "$work/internal"
result $? 'wilson_limits is one of them'
chmod 755 "$work/neighbour.so" 2>/dev/null

cat >"$work/numbers.sql" <<'SQL'
SET TimeZone = 'UTC';
CREATE TEMP TABLE o AS
SELECT c, date '2024-01-01' + (c * 37 + i * i * 11 + c % 7 * i) % 400 AS d, (c * 7 + i * 3) % 50 + 1.25 AS amount
FROM generate_series(1, 300) c, generate_series(0, c % 6) i;
SELECT * FROM cohort_rows((SELECT cohort_retention(c, d, 'month') FROM o), '2025-03-01');
SELECT clv_model(c, d, amount) FROM o;
SELECT churn_model(c % 3 = 0, ARRAY[d - date '2024-01-01', amount, c % 5]::float8[]) FROM o;
SELECT auc((c * 31 % 17)::float8, c % 3 = 0) FROM o;
SQL
numbers() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@" -f "$work/numbers.sql" 2>&1; }
proportion="SELECT round(low::numeric, 4), round(high::numeric, 4) FROM proportion_interval(1, 2)"
numbers >"$work/alone"
numbers -c "LOAD '$work/neighbour'" >"$work/beside"
diff "$work/alone" "$work/beside" >"$work/err" && [ "$(wc -l <"$work/alone")" -gt 50 ]
result $? 'limits, models and scores are the same beside it, to the last digit'
psql -X -q -A -t -c "LOAD '$work/neighbour'" -c "$proportion" >"$work/limits" 2>"$work/err"
[ "$(cat "$work/limits")" = '0.0945|0.9055' ] || cat "$work/limits" >>"$work/err"
[ "$(cat "$work/limits")" = '0.0945|0.9055' ]
result $? 'one of two is between 0.0945 and 0.9055 beside it'

if [ "${RETENTION_SLOW:-}" = no ]; then
    tests=$((tests + 1))
    echo "ok $tests # SKIP pg_regress beside the neighbour: runs in another pass"
else
    cp -R "$src" "$work/src"
    PGOPTIONS="${PGOPTIONS:-} -c session_preload_libraries=$work/neighbour" \
        make -s -C "$work/src" PG_CONFIG="$pg_config" installcheck CONTRIB_TESTDB="neighbour_$$" >"$work/err" 2>&1 </dev/null
    result $? 'every pg_regress file passes beside it'
fi

echo "1..$tests"
exit "$status"
