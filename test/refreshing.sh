#!/bin/sh
# The recipe of doc/refreshing.md and the views of doc/bi.md, as they stand there, in a cluster of their own in which
# pg_cron runs the job: rounds with new, late and twice delivered orders, a transaction open across a round, writers and
# runs at once, runs killed with kill -9 in the middle, a restart, a restore to another server. After each, histories
# and views equal a rebuild, bit for bit.
#
# Speaks TAP. Takes about two minutes, most of them waiting for the full minute at which pg_cron starts jobs:
# RETENTION_SLOW=no skips it. In the suites it takes their build; by itself it makes its own.
# shellcheck disable=SC2317  # functions called through must
set -u
here=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
# shellcheck source=dev/lib.sh
. "$here/dev/lib.sh"

if [ "${RETENTION_SLOW:-}" = no ]; then
    echo "1..0 # SKIP mostly waits for pg_cron: runs in another pass"
    exit 0
fi
stage=${RETENTION_SRC:+${RETENTION_SRC%/src}}
begin
if [ -n "$stage" ]; then
    server_choose build
    server_paths
else
    prepare build >&2
fi
if [ ! -f "$pkglibdir/pg_cron.so" ] || [ ! -f "$sharedir/extension/pg_cron.control" ]; then
    echo "1..0 # SKIP pg_cron is not installed: apt-get install postgresql-$(major_of "$pg_config")-cron"
    exit 0
fi
if [ -z "$stage" ]; then
    stage=$work/build
    { stage_build "$stage" && stage_server "$stage"; } || die "cannot build: $(tail -n 20 "$stage/build.log")"
fi

seed=${SEED:-$(($(date +%s) % 1000000))}
echo "# seed $seed (SEED=$seed repeats it)"

# ----------------------------------------------------------------------- TAP

tests=0 status=0
: >"$work/err"
result() { # result STATUS TITLE: what went wrong is in the file err
    tests=$((tests + 1))
    if [ "$1" = 0 ]; then
        echo "ok $tests - $2"
    else
        echo "not ok $tests - $2"
        tail -n 20 "$work/err" | sed 's/^/# /'
        status=1
    fi
    : >"$work/err"
}
is() { # is GOT WANT TITLE
    [ "$1" = "$2" ] || printf 'got  %s\nwant %s\n' "$1" "$2" >>"$work/err"
    [ "$1" = "$2" ]
    result $? "$3"
}
# a step without which the rest is pointless; what it prints is of no interest
must() {
    "$@" >"$work/out" 2>>"$work/err" && return
    result 1 "$*"
    tail -n 30 "$work/cron/log" | sed 's/^/# /'
    echo "1..$tests"
    exit 1
}

# ---------------------------------------------------------------- the server

as_owner() { run_psql -A -t -U shop "$@" 2>>"$work/err"; }
as_super() { run_psql -A -t -U postgres "$@" 2>>"$work/err"; }
# refresh: when nothing holds the watermark back, as autovacuum and pg_cron do for a moment
refresh() {
    until_true 60 'SELECT max(added) < pg_snapshot_xmin(pg_current_snapshot()) FROM orders' &&
        as_owner -c 'CALL refresh_retention()'
}
# as_job NAME SQL: in the background, by a session of this name; sets $job_pid
as_job() {
    (
        PGAPPNAME=$1
        export PGAPPNAME
        printf '%s\n' "$2" | run_psql -A -t -U shop 2>"$work/$1.err"
    ) &
    job_pid=$!
    workers="$workers $job_pid"
}

# until_true SECONDS QUERY: it gives t within the time
until_true() {
    until_end=$(($(date +%s) + $1))
    until [ "$(run_psql -A -t -U postgres -c "$2" 2>/dev/null)" = t ]; do
        if [ "$(date +%s)" -ge "$until_end" ]; then
            echo "not within $1 s: $2" >>"$work/err"
            return 1
        fi
        sleep 0.1
    done
}

waits() { # waits APPLICATION: until it does
    until_true 30 "SELECT EXISTS (SELECT FROM pg_stat_activity
        WHERE application_name = '$1' AND wait_event_type = 'Lock')"
}

# A session that stays open, fed through descriptor 5.
session_open() {
    rm -f "$work/session"
    mkfifo "$work/session" || exit 1
    (
        PGAPPNAME=session
        export PGAPPNAME
        run_psql -A -t -U shop <"$work/session" >"$work/session.out" 2>"$work/session.err"
    ) &
    session_pid=$!
    workers="$workers $session_pid"
    exec 5>"$work/session"
}
session() { # session SQL: sent, and executed
    rm -f "$work/session.ready"
    printf '%s\n' "$1" "\\o $work/session.ready" "\\qecho ready" '\o' >&5
    session_end=$(($(date +%s) + 60))
    until grep -qs ready "$work/session.ready"; do
        if [ "$(date +%s)" -ge "$session_end" ]; then
            cat "$work/session.err" >>"$work/err"
            return 1
        fi
        sleep 0.05
    done
}
session_close() {
    exec 5>&-
    wait "$session_pid" || true
}

# kill9 PID: and the server is back
kills=0
kill9() {
    as_server kill -9 "$1" || return 1
    kills=$((kills + 1))
    kill_end=$(($(date +%s) + 60))
    while [ "$(ended_by_signal)" -lt "$kills" ] && [ "$(date +%s)" -lt "$kill_end" ]; do
        sleep 0.1
    done
    until_true 60 'SELECT NOT pg_is_in_recovery()'
}
ended_by_signal() { grep -c 'was terminated by signal' "$work/cron/log"; }

server_again() {
    # shellcheck disable=SC2086
    as_server env ${server_env:-} "$bindir/pg_ctl" -D "$server_pid_dir" -p "$stage/pg$bindir/postgres" \
        -l "$work/cron/log" \
        -m fast -w -t 120 -s restart >>"$work/err" 2>&1 </dev/null
}

# page_blocks PAGE LANGUAGE HEADING: the blocks between this heading and the next
page_blocks() {
    awk -v fence="\`\`\`$2" -v heading="$3" '
        inside { if (/^```/) inside = 0; else print; next }
        /^```/ { if (here && $0 == fence) { inside = 1; found = 1 } else skip = !skip; next }
        !skip && /^#+ / { title = $0; sub(/^#+ /, "", title); here = title == heading }
        END { exit !found }' "$here/$1" || die "$1 has no $2 under \"$3\""
}

# ------------------------------------------------------------------ the data

# deliver FROM TO: orders of these numbers, always the same ones, a tenth of them with a time long past
deliver() {
    cat <<SQL
INSERT INTO orders (order_id, customer_id, ordered_at, amount)
SELECT i, 1 + hash(i, 1) % (40 + i / 4),
       timestamptz '2024-11-01 00:00+01' + make_interval(
           mins => ((CASE WHEN hash(i, 2) % 10 = 0 THEN hash(i, 3) % (i * 25)
                            ELSE i * 25 - hash(i, 3) % 3000 END))::integer),
       CASE hash(i, 4) % 7 WHEN 0 THEN NULL WHEN 1 THEN 0 WHEN 2 THEN hash(i, 5) % 50
            WHEN 3 THEN round(hash(i, 5) / 1e7, (i % 5)::integer) ELSE round(hash(i, 5) / 1e7, 2) END
FROM generate_series($1::bigint, $2) i
ORDER BY i
ON CONFLICT (order_id) DO NOTHING;
SQL
}
deliver_now() { deliver "$1" "$2" | as_owner; }

# same TITLE: histories, materialized view and BI views equal a rebuild from all orders
same() {
    # shellcheck disable=SC2016
    same_got=$(as_owner <<'SQL'
CREATE TEMP TABLE again AS
SELECT customer_id, customer_history(ordered_at, amount, 'Europe/Berlin') AS h FROM orders GROUP BY customer_id;
CREATE TEMP TABLE again_by_country AS
SELECT coalesce(country, 'unknown') AS country, cohort_retention(h, 'month') AS c,
  max(max(last_day(h))) OVER () AS last_day
FROM again LEFT JOIN customers USING (customer_id) GROUP BY 1;
CREATE TEMP TABLE direct AS
SELECT coalesce(country, 'unknown') AS country,
  cohort_retention(customer_id, ordered_at, 'month', 'Europe/Berlin') AS c,
       (max(max(ordered_at)) OVER () AT TIME ZONE 'Europe/Berlin')::date AS last_day
FROM orders LEFT JOIN customers USING (customer_id) GROUP BY 1;
CREATE FUNCTION pg_temp.different(a text, b text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM ((%1$s EXCEPT ALL %2$s) UNION ALL (%2$s EXCEPT ALL %1$s)) q', a, b) INTO n;
  RETURN n;
END $$;
SELECT 'histories', pg_temp.different('SELECT customer_id, h::text, customer_history_send(h) FROM customer_histories',
                                      'SELECT customer_id, h::text, customer_history_send(h) FROM again')
UNION ALL
SELECT 'view', pg_temp.different('SELECT country, c::text, cohort_table_send(c), last_day FROM retention_by_country',
                                 'SELECT country, c::text, cohort_table_send(c), last_day FROM again_by_country')
UNION ALL
SELECT 'grid',
  pg_temp.different('SELECT * FROM bi_cohort_grid', 'SELECT country, r.* FROM direct, cohort_rows(c, last_day) r')
UNION ALL
SELECT 'curve',
  pg_temp.different('SELECT * FROM bi_retention_curve',
    'SELECT country, r.* FROM direct, retention_curve(c, last_day) r')
UNION ALL
SELECT 'lifecycle',
  pg_temp.different('SELECT * FROM bi_lifecycle', 'SELECT country, r.* FROM direct, lifecycle_rows(c, last_day) r')
UNION ALL
SELECT 'counted', (SELECT sum(events(h)) FROM customer_histories) - (SELECT count(*) FROM orders)
UNION ALL
SELECT 'amounts', ((SELECT sum(total_amount(h)) FROM customer_histories) <> (SELECT sum(amount) FROM orders))::int;
SQL
    )
    is "$(printf %s "$same_got" | tr '\n' ' ')" \
        'histories|0 view|0 grid|0 curve|0 lifecycle|0 counted|0 amounts|0' "$1: all equals a rebuild"
}

# the rows and where they stand, for "not a row was rewritten"
rows_of() {
    as_owner -c "SELECT md5(string_agg(r, ',' ORDER BY r)) || ' ' || count(*) FROM (
        SELECT 'v' || ctid::text || xmin::text || country || c::text || last_day AS r FROM retention_by_country
        UNION ALL
        SELECT 'g' || ctid::text || xmin::text || g::text FROM bi_cohort_grid_table g UNION ALL
        SELECT 'h' || ctid::text || xmin::text || customer_id || h::text FROM customer_histories) q"
}
events_merged="SELECT coalesce(sum(events(h)), 0) FROM customer_histories"

# --------------------------------------------------------------- the cluster

mkdir "$work/cron" && ln -s "$stage/pg" "$work/cron/pg" || exit 1
# a server that keeps its promises in a crash
cluster_start "$work/cron" "fsync = on" "full_page_writes = on" "synchronous_commit = on" "wal_level = replica" \
    "autovacuum_naptime = 5s" || die "the private server did not start"
must as_super -c "CREATE ROLE shop LOGIN" -c "CREATE DATABASE shop OWNER shop"
page_blocks doc/refreshing.md ini 'pg_cron: once, as a superuser' >"$work/settings" || exit 1
as_server sh -c "cat >>'$server_pid_dir/postgresql.conf'" <"$work/settings"
must server_again
PGDATABASE=shop
must as_owner -c "CREATE SCHEMA retention" -c "CREATE EXTENSION retention SCHEMA retention" \
    -c "ALTER DATABASE shop SET search_path = \"\$user\", public, retention"
is "$(as_super -c "SELECT setting FROM pg_settings WHERE name = 'cron.use_background_workers'")" on \
    'the settings of the page'

recipe() { # recipe PAGE HEADING [superuser]
    page_blocks "$1" sql "$2" >"$work/recipe.sql" || exit 1
    if [ "${3:-}" = superuser ]; then
        as_super -f "$work/recipe.sql" >/dev/null
    else
        as_owner -f "$work/recipe.sql" >/dev/null
    fi
    result $? "$1: $2"
}
recipe doc/refreshing.md 'Tables'
recipe doc/refreshing.md 'Merging new orders'
recipe doc/refreshing.md 'The materialized view'
recipe doc/refreshing.md 'The job'
recipe doc/bi.md 'The views'
recipe doc/bi.md 'What tools see'
[ "$(page_blocks doc/refreshing.md sql 'The materialized view')" = \
    "$(page_blocks doc/bi.md sql 'The materialized view')" ]
result $? 'both pages have the same materialized view'
recipe doc/refreshing.md 'pg_cron: once, as a superuser' superuser
recipe doc/bi.md 'Who may read' superuser

must as_owner <<SQL
CREATE FUNCTION hash(i bigint, k integer) RETURNS bigint LANGUAGE sql IMMUTABLE
RETURN ('x' || left(md5(i || '/' || k || '/' || $seed), 8))::bit(32)::bigint;
INSERT INTO customers SELECT i, (ARRAY['DE', 'FR', 'IT', NULL])[1 + hash(i, 0) % 4]
  FROM generate_series(1, 4000) i WHERE i % 50 <> 0;
SQL

# ----------------------------------------------------------- pg_cron, a round

must deliver_now 1 4000
must deliver_now 2001 4000
recipe doc/refreshing.md 'pg_cron: the job, as the owner of the tables'
until_true 90 "SELECT EXISTS (SELECT FROM cron.job_run_details WHERE status = 'succeeded')"
result $? 'pg_cron ran the job'
job=$(as_owner -c "SELECT jobid FROM cron.job WHERE jobname = 'retention'")
must as_super -c "SELECT cron.alter_job($job, active => false)"
until_true 60 "SELECT NOT EXISTS (SELECT FROM cron.job_run_details
    WHERE status IN ('starting', 'running', 'sending', 'connecting'))"
is "$(as_owner -c "$events_merged")" 4000 'it merged the orders, each once'
same 'after a run by pg_cron'

# --------------------------------------------------------------- more rounds

# late orders, new customers, and half of an old batch again
must deliver_now 3001 6000
must refresh
must deliver_now 1 6000
must refresh
same 'late orders, and all orders delivered twice'

must as_owner -c 'REFRESH MATERIALIZED VIEW CONCURRENTLY bi_cohort_grid_table'
before=$(rows_of)
must refresh
must refresh
must as_owner -c 'REFRESH MATERIALIZED VIEW CONCURRENTLY bi_cohort_grid_table'
is "$(rows_of)" "$before" 'nothing new: no row was rewritten'

# a transaction that began before others and commits after them
session_open
must session "BEGIN; $(deliver 6001 6500)"
must deliver_now 6501 7000
must as_owner -c 'CALL refresh_retention()'
is "$(as_owner -c "$events_merged")" 6000 'an open transaction: what was added since waits'
is "$(as_owner -c "SELECT watermark = (SELECT min(backend_xid::text)::xid8 FROM pg_stat_activity
        WHERE application_name = 'session')
                   FROM merge_progress")" t 'and the watermark stands at it'
must session 'COMMIT;'
session_close
must refresh
is "$(as_owner -c "$events_merged")" 7000 'after its end: none is lost'
same 'a transaction open across a round'

# the same batch in two transactions, of which the first takes it back
session_open
must session "BEGIN; $(deliver 7001 7200)"
as_job second "$(deliver 7001 7300)"
waits second
result $? 'a second delivery waits for the first'
must refresh
must session 'ROLLBACK;'
session_close
wait "$job_pid"
must refresh
is "$(as_owner -c "$events_merged")" 7300 'the first was taken back, the second counts'
same 'a delivery taken back'

# what a run costs: the new orders by their index, and the histories of their customers
must as_owner -c 'ANALYZE'
must deliver_now 7301 7350
reads="SELECT seq_scan || ' ' || seq_tup_read FROM pg_stat_user_tables
        WHERE relname IN ('orders', 'customer_histories') ORDER BY relname"
before=$(as_owner -c "$reads")
must as_owner -c 'CALL merge_new_orders()'
is "$(as_owner -c "$reads")" "$before" 'a merge of few orders reads no table as a whole'
must refresh

# writers and runs at once: batches that overlap, some taken back; runs that queue up, those of runner3 in REPEATABLE
# READ
pids=
for writer in 1 2 3; do
    as_job "writer$writer" "$(for i in $(seq 12); do
        from=$((7351 + (i * 331 + writer * 97 + seed) % 2200))
        echo 'BEGIN;'
        deliver "$from" $((from + 150))
        echo "SELECT pg_sleep(0.0$(((i * 7 + writer * 3 + seed) % 10)));"
        if [ $(((i + writer + seed) % 4)) = 0 ]; then echo 'ROLLBACK;'; else echo 'COMMIT;'; fi
    done)" >/dev/null
    pids="$pids $job_pid"
done
for runner in 1 2 3; do
    as_job "runner$runner" "\\set ON_ERROR_STOP off
        $([ "$runner" != 3 ] || echo "SET default_transaction_isolation = 'repeatable read';")
        $(for i in $(seq 10); do echo 'CALL refresh_retention();'; done)"
    pids="$pids $job_pid"
done
for pid in $pids; do wait "$pid" || echo "exit status $?" >>"$work/err"; done
cat "$work"/writer?.err "$work"/runner[12].err >>"$work/err"
grep ERROR "$work/runner3.err" | grep -v 'could not serialize access' >>"$work/err"
[ ! -s "$work/err" ]
result $? \
    "no writer and no run failed, but for $(grep -c 'could not serialize access' "$work/runner3.err") in REPEATABLE READ"
must refresh
same 'writers and runs at once'

# ---------------------------------------------------------------------- kills

# pg_cron's run is stopped when all is merged and nothing committed: a trigger that fires at COMMIT waits for the
# session here.
must as_owner <<'SQL'
CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER gate AFTER UPDATE ON merge_progress
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION gate();
SQL
must deliver_now 9801 10400
state="SELECT md5(string_agg(ctid::text || xmin::text || h::text, ',' ORDER BY customer_id))
        || (SELECT watermark FROM merge_progress)
       FROM customer_histories"
# Row versions that a run has replaced bear its transaction id.
replaced_by() { as_super -c "SELECT count(*) FROM customer_histories
        WHERE xmax = (SELECT backend_xid FROM pg_stat_activity WHERE $1)"; }
before=$(as_owner -c "$state")
session_open
must session 'SELECT pg_advisory_lock(1);'
must as_super -c "SELECT cron.alter_job($job, active => true)"
until_true 90 "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
result $? 'pg_cron runs the job, which waits before its COMMIT'
must as_super -c "SELECT cron.alter_job($job, active => false)"
victim=$(as_super -c "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
is "$(as_super -c "SELECT count(*) FROM cron.job_run_details WHERE status = 'running' AND job_pid = $victim")" 1 \
    "it is the job of pg_cron"
is "$(replaced_by "pid = $victim")" "$(as_super -c "SELECT count(DISTINCT customer_id)
    FROM orders JOIN customer_histories USING (customer_id), merge_progress WHERE added >= watermark")" \
    'all histories with new orders are replaced, and not committed'
kill9 "$victim"
result $? 'kill -9: the server has recovered'
session_close
is "$(as_owner -c "$state")" "$before" 'histories and watermark are as before the run'
until_true 30 "SELECT EXISTS (SELECT FROM cron.job_run_details WHERE status = 'failed' AND job_pid = $victim)"
result $? 'pg_cron notes that the run has failed'
must as_owner -c 'DROP TRIGGER gate ON merge_progress'
must refresh
same 'a run by pg_cron killed before its COMMIT'

# killed in the middle of the merging statement: it waits for one of its histories
must deliver_now 10401 11000
last=$(as_owner -c "SELECT customer_id FROM orders JOIN customer_histories USING (customer_id), merge_progress
    WHERE added >= watermark ORDER BY hash(customer_id, 9) LIMIT 1")
session_open
must session "BEGIN; SELECT FROM customer_histories WHERE customer_id = $last FOR UPDATE;"
before=$(as_owner -c "$state")
as_job victim 'CALL refresh_retention();'
waits victim
result $? 'a run waits in the middle of the merge'
[ "$(replaced_by "application_name = 'victim'")" -gt 0 ]
result $? 'after it has replaced some histories'
kill9 "$(as_super -c "SELECT pid FROM pg_stat_activity WHERE application_name = 'victim'")"
result $? 'kill -9: the server has recovered'
session_close
is "$(as_owner -c "$state")" "$before" 'histories and watermark are as before the run'
must refresh
same 'a run killed in the middle of the merge'

# killed between the COMMIT and the refresh
must deliver_now 11001 11500
session_open
must session 'BEGIN; REFRESH MATERIALIZED VIEW CONCURRENTLY retention_by_country;'
before=$(as_owner -c "$events_merged")
as_job victim 'CALL refresh_retention();'
waits victim
result $? 'a run waits before its refresh'
kill9 "$(as_super -c "SELECT pid FROM pg_stat_activity WHERE application_name = 'victim'")"
result $? 'kill -9: the server has recovered'
session_close
is "$(as_owner -c "$events_merged")" $((before + 500)) 'what was merged is kept'
must refresh
same 'a run killed before its refresh'

# ------------------------------------------------------------------- restart

# pg_cron as an ordinary client now, which starts the job with the server
must deliver_now 11501 12000
before=$(as_owner -c "SELECT count(*) FROM cron.job_run_details WHERE status = 'succeeded'")
must as_super -c "SELECT cron.alter_job($job, schedule => '@reboot', active => true)"
must as_super -c "ALTER SYSTEM SET cron.use_background_workers = off" -c "UPDATE cron.job SET nodename = '$PGHOST'"
must server_again
ran_again() { until_true 30 "SELECT count(*) > $before FROM cron.job_run_details WHERE status = 'succeeded'"; }
ran_again
result $? 'after a restart pg_cron runs the job, as a client'
same 'after a restart'
must as_owner -c 'REFRESH MATERIALIZED VIEW CONCURRENTLY bi_cohort_grid_table'
rows=$(rows_of)
before=$(as_owner -c "SELECT count(*) FROM cron.job_run_details WHERE status = 'succeeded'")
must server_again
ran_again
result $? 'and after another one'
is "$(rows_of)" "$rows" 'which found nothing new: no row was rewritten'
recipe doc/refreshing.md 'Watching it'

# --------------------------------------------------------------- corrections

recipe doc/refreshing.md 'Corrections'
# four customers who have a history and orders that are not merged yet
must deliver_now 12001 12100
must as_owner <<'SQL'
SELECT min(c) FILTER (WHERE n = 1) AS a, min(c) FILTER (WHERE n = 2) AS b,
       min(c) FILTER (WHERE n = 3) AS c, min(c) FILTER (WHERE n = 4) AS d
FROM (SELECT customer_id, row_number() OVER (ORDER BY hash(customer_id, 9)) FROM customer_histories, merge_progress
      WHERE EXISTS (SELECT FROM orders o
                      WHERE o.customer_id = customer_histories.customer_id AND added >= watermark)) q (c, n) \gset
BEGIN;
UPDATE orders SET amount = amount + 1, ordered_at = ordered_at - interval '40 days' WHERE customer_id = :a;
DELETE FROM orders WHERE customer_id = :b;
UPDATE orders SET customer_id = :c WHERE order_id = (SELECT min(order_id) FROM orders WHERE customer_id = :d);
CALL rebuild_customer(:a);
CALL rebuild_customer(:b);
CALL rebuild_customer(:c);
CALL rebuild_customer(:d);
COMMIT;
SQL
must refresh
same 'orders corrected'

# ------------------------------------------------------------ another server

must deliver_now 12101 12200
must pg_dump -U shop --no-owner --no-privileges -N cron --extension retention -f "$work/dump"
is "$(ended_by_signal)" "$kills" 'no server process ended but those killed here'
grep -E 'PANIC:|^TRAP:|runtime error|AddressSanitizer' "$work/cron/log" >>"$work/err"
[ ! -s "$work/err" ]
result $? 'and nothing in the log that should not be there'
cluster_stop fast

mkdir "$work/other" && ln -s "$stage/pg" "$work/other/pg" || exit 1
cluster_start "$work/other" || die "the other private server did not start"
must as_super -c "CREATE ROLE shop LOGIN" -c "CREATE DATABASE shop OWNER shop TEMPLATE template0" \
    -c "ALTER DATABASE shop SET search_path = \"\$user\", public, retention"
PGDATABASE=shop
must as_owner -f "$work/dump"
refused=$(run_psql -U shop -c 'CALL refresh_retention()' 2>&1)
is "$(echo "$refused" | sed -n 's/[0-9][0-9]*/N/gp' | head -n 1)" \
    'ERROR:  watermark N is ahead of this server, which is at transaction N' \
    'restored on another server: the run is refused'
must deliver_now 12151 12300
before=$(as_owner -c "SELECT pg_relation_filenode('orders')")
recipe doc/refreshing.md 'Existing tables, and other servers'
is "$(as_owner -c "SELECT pg_relation_filenode('orders')")" "$before" 'orders was not rewritten'
same 'begun again on another server'
must deliver_now 12301 12500
must refresh
same 'and a round there'

echo "1..$tests"
exit $status
