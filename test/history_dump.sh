#!/bin/sh
# Histories through pg_dump and back into another database, as text, as INSERTs and in the custom format: the same
# bytes, with the hash index and the materialized view that stand on them.
#
# Needs psql, pg_dump, pg_restore and a server to which the environment (PGHOST, PGUSER, PGDATABASE, ...) leads, as a
# role that may create databases. Speaks TAP.
set -u
PGTZ=UTC
export PGTZ
work=$(mktemp -d) || exit 1
copy=${PGDATABASE:-postgres}_copy_$$
finish() {
    psql -X -q -d template1 -c "DROP DATABASE IF EXISTS $copy" >/dev/null 2>&1
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

tests=0 status=0
result() { # result STATUS TITLE
    tests=$((tests + 1))
    if [ "$1" = 0 ]; then
        echo "ok $tests - $2"
    else
        echo "not ok $tests - $2"
        sed 's/^/# /' "$work/err" | head -n 20
        status=1
    fi
}
sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@" 2>>"$work/err"; }

: >"$work/err"
sql <<'SQL'
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS retention;
CREATE TABLE customers AS
SELECT c, customer_history(date '2020-01-01' - 1000000 * (i % 17 / 16) + i * i % 9973 * (c % 5),
                           CASE i % 4 WHEN 0 THEN NULL WHEN 1 THEN i * 0.99
                                 WHEN 2 THEN -10::numeric ^ (c % 40) ELSE round(1.0 / i, i % 25) END) AS h
FROM generate_series(1, 300) c, generate_series(0, c % 60) i GROUP BY c;
INSERT INTO customers SELECT 0, customer_history(date '1900-01-01' + i, i * 1.01) FROM generate_series(1, 30000) i;
INSERT INTO customers SELECT -1, customer_history(now()) FILTER (WHERE false);
INSERT INTO customers VALUES (-2, NULL);
CREATE INDEX ON customers USING hash (h);
CREATE MATERIALIZED VIEW summary AS SELECT c, total_amount(h), r.*
  FROM customers LEFT JOIN LATERAL clv_summary(h, '2020-06-30', 'week') r ON true;
SQL
result $? 'histories to dump'
digest="SELECT md5(string_agg(c || ' ' || coalesce(h::text, '-'), ',' ORDER BY c)) || ' ' || count(*)
        || ' ' || (SELECT md5(string_agg(s::text, ',' ORDER BY c)) FROM summary s)
        FROM customers"
want=$(sql -c "$digest")
[ -n "$want" ]
result $? 'and their digest'

for form in plain inserts custom; do
    : >"$work/err"
    sql -d template1 -c "DROP DATABASE IF EXISTS $copy" -c "CREATE DATABASE $copy TEMPLATE template0"
    case $form in
        plain) pg_dump -f "$work/dump" 2>>"$work/err" && sql -d "$copy" -f "$work/dump" >/dev/null ;;
        inserts) pg_dump --inserts -f "$work/dump" 2>>"$work/err" && sql -d "$copy" -f "$work/dump" >/dev/null ;;
        custom) pg_dump -F c -f "$work/dump" 2>>"$work/err" && pg_restore -e -d "$copy" "$work/dump" 2>>"$work/err" ;;
    esac
    result $? "pg_dump and restore, $form"
    got=$(sql -d "$copy" -c "$digest")
    [ "$got" = "$want" ]
    result $? "the same bytes after it, $form"
done
echo "1..$tests"
exit $status
