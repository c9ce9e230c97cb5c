# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables are shared with bench/run and bench/lib.sh
# bench/migration.sh: the sections about segments and migration_matrix.
#
# Sourced by bench/run, never run. Section migration counts customers by the
# segment they were in at the beginning and at the end of a year, read from
# stored histories, and solves a chain of 200 states; section panel goes from a
# table of one row per customer and month to the matrix, beside a scan of the
# same columns and what plain SQL does. Everything is serial unless it says
# otherwise; jit is off for all.

panel_months=16

# a segment at each end of 2024
segment_before="segment(h, date '2023-12-31')"
segment_after="segment(h, date '2024-12-31')"

section_migration() {
    [ -z "$baselines" ] || return 0
    stored_make
    pg_open
    same 'the matrix and GROUP BY' "SELECT NOT EXISTS (SELECT a, b, count(*) FROM (SELECT $segment_before AS a, $segment_after AS b FROM stored.histories) AS q
        WHERE a IS NOT NULL OR b IS NOT NULL GROUP BY 1, 2
        EXCEPT SELECT e->>'from', e->>'to', (e->>'customers')::bigint FROM (SELECT migration_matrix($segment_before, $segment_after) AS m FROM stored.histories) AS q, jsonb_array_elements(m::jsonb->'cells') AS e)"
    migration_race "$serial" 'a year of stored histories, serial'
    migration_race "$parallel" "a year of stored histories, $pg_workers workers and the leader"
    states_race
    pg_close
}

# migration_race SETTINGS TITLE
migration_race() {
    race_clear
    contestant days 'sum(active_days(h))' pg "$1" 'SELECT sum(active_days(h)) FROM stored.histories'
    contestant segments 'both segments, counted' pg "$1" "SELECT count($segment_before), count($segment_after) FROM stored.histories" days
    contestant matrix 'migration_matrix of both segments' pg "$1" "SELECT migration_matrix($segment_before, $segment_after) IS NULL FROM stored.histories" days '<= 2'
    race "$2"
    plans_parallel "$1" days matrix
}

# Chains of 200 states: one whose states all lead to each other, and the same
# with a state that none leaves.
states_race() {
    pg_say "RESET ALL; CREATE TEMP TABLE chains AS SELECT closed, migration_matrix(states, counts) AS m FROM (
        SELECT closed, array_agg(DISTINCT 's' || f) AS states, array_agg(CASE WHEN closed AND f = 200 THEN CASE WHEN t = 200 THEN 1 ELSE 0 END
            ELSE 1 + (hashint8extended(f * 1000 + t, $seed) & 1023) END ORDER BY f, t) AS counts
        FROM generate_series(1, 200) AS f, generate_series(1, 200) AS t, (VALUES (false), (true)) AS v(closed) GROUP BY 1) AS q;" >/dev/null || exit 1
    race_clear
    contestant steady 'migration_states, all recurrent' pg "$serial" 'SELECT count(*) FROM chains, migration_states(m) WHERE NOT closed'
    contestant absorbed 'migration_states, one absorbing' pg "$serial" 'SELECT count(*) FROM chains, migration_states(m) WHERE closed'
    contestant where 'absorption_probabilities' pg "$serial" 'SELECT count(*) FROM chains, absorption_probabilities(m) WHERE closed'
    contestant passage 'first_passage' pg "$serial" 'SELECT count(*) FROM chains, first_passage(m) WHERE NOT closed'
    race '200 states (each is to take less than 100 ms)'
}

# ------------------------------------------------------------------- a panel

# panel_make: as many customers as --customers says, each in one of eight
# segments in each of 16 months, as a monthly job appends them
panel_make() {
    local made
    made="$customers customers, $panel_months months, seed $seed"
    if [ "$(cat "$data/made-panel" 2>/dev/null)" != "$made" ]; then
        rm -f "$data/made-panel"
        run_psql >/dev/null <<EOF || exit 1
SET client_min_messages = warning;
DROP TABLE IF EXISTS panel;
CREATE TABLE panel AS SELECT customer_id, timestamptz '2023-01-01 00:00+00' + n * interval '1 month' + (hash & 2000000) * interval '1 second' AS at,
    ('{seasonal,inactive,one_time,two_time,loyalist,under_performer,vip,new}'::text[])[1 + (hash >> 32 & 7)] AS segment
FROM (SELECT customer_id, n, hashint8extended(customer_id * $panel_months + n, $seed) AS hash FROM generate_series(1, $customers::bigint) AS customer_id, generate_series(0, $panel_months - 1) AS n OFFSET 0) AS q
ORDER BY n, hash;
VACUUM (FREEZE, ANALYZE) panel;
EOF
        echo "$made" >"$data/made-panel"
    fi
}

# What plain SQL does: the segment of the row before, if that is of the month before.
panel_lag="SELECT f AS from_segment, segment AS to_segment, count(*) AS customers
    FROM (SELECT segment, lag(segment) OVER w AS f, date_trunc('month', at, 'UTC') = lag(date_trunc('month', at, 'UTC')) OVER w + interval '1 month' AS moved
          FROM panel WINDOW w AS (PARTITION BY customer_id ORDER BY at)) AS q WHERE moved GROUP BY 1, 2"

section_panel() {
    [ -z "$baselines" ] || return 0
    panel_make
    pg_open
    same 'the matrix and lag()' "SELECT NOT EXISTS ($panel_lag EXCEPT SELECT e->>'from', e->>'to', (e->>'customers')::bigint
        FROM (SELECT migration_matrix(customer_id, at, segment, 'month', 'UTC') AS m FROM panel) AS q, jsonb_array_elements(m::jsonb->'cells') AS e)"
    panel_race "$serial" 'a panel of customers and months, serial'
    panel_race "$parallel" "a panel of customers and months, $pg_workers workers and the leader"
    pg_close
}

# panel_race SETTINGS TITLE
panel_race() {
    race_clear
    contestant floor 'scan: count(customer_id), max(at), count(segment)' pg "$1" 'SELECT count(customer_id), max(at), count(segment) FROM panel'
    contestant lag 'lag() in a window, then GROUP BY' pg "$1" "$panel_lag"
    contestant panel "migration_matrix(customer, at, segment, period)" pg "$1" "SELECT migration_matrix(customer_id, at, segment, 'month', 'UTC') IS NULL FROM panel" floor '<= 3'
    race "$2"
    print_ratio panel lag '<= 0.25'
    plans_parallel "$1" floor panel
}

# print_ratio ID OTHER BAR: one more ratio of the race
print_ratio() {
    local ratio
    ratio=$(awk -v a="${median[$1]}" -v b="${median[$2]}" 'BEGIN { printf "%.3f", a / b }')
    printf '%-50s %29s  %s\n' '' '' "$ratio x ${label[$2]} $(verdict "$ratio" "$3")"
}
