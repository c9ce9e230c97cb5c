# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # variables are shared with bench/run and bench/lib.sh
# bench/clv.sh: the sections about customer lifetime value.
#
# Sourced by bench/run, never run. Section clv fits and predicts simulated
# customers of a BG/NBD world; the yardstick is the plain GROUP BY of what the
# likelihood sees of them. Section orders goes from rows of orders to a fitted
# model. Everything is serial unless it says otherwise; jit is off for all.

clv_customers=1000000

# clv_make: the customers, day-grained, times in weeks
clv_make() {
    local made
    made="$clv_customers customers, seed $seed, generator $(cksum <"$here/bench/customers.awk")"
    if [ "$(cat "$data/made-clv" 2>/dev/null)" != "$made" ]; then
        rm -f "$data/made-clv"
        run_psql -c 'SET client_min_messages = warning; DROP TABLE IF EXISTS customers_days' \
            -c 'CREATE TABLE customers_days (customer integer, x bigint, recency integer, age integer, spend float8)' >/dev/null || exit 1
        LC_ALL=C awk -v n="$clv_customers" -v seed="$seed" -f "$here/bench/customers.awk" |
            run_psql -c 'COPY customers_days FROM STDIN (FORMAT csv)' >/dev/null || exit 1
        run_psql -c 'DROP TABLE IF EXISTS customers' -c 'CREATE TABLE customers AS
            SELECT customer, x, recency / 7.0::float8 AS t_x, age / 7.0::float8 AS age, spend FROM customers_days' \
            -c 'DROP TABLE customers_days' -c 'VACUUM (FREEZE, ANALYZE) customers' >/dev/null 2>&1 || exit 1
        echo "$made" >"$data/made-clv"
    fi
}

# fit_of MODEL SPEND: a fit of all customers
fit_of() {
    echo "SELECT clv_model(x, t_x, age, spend, '$1', '$2', 'week') IS NULL FROM customers"
}

# fit_rows MODEL SPEND: whether it found the top, for a check
fit_rows() {
    echo "SELECT converged AND n = $clv_customers FROM (SELECT clv_model(x, t_x, age, spend, '$1', '$2', 'week') AS m FROM customers) AS q, clv_fit(m)"
}

section_clv() {
    local model
    [ -z "$baselines" ] || return 0
    clv_make
    pg_open
    for model in bg_nbd mbg_nbd pareto_nbd; do
        same "the fit of $model" "$(fit_rows "$model" none)"
    done
    same 'the fit of gamma_gamma' "$(fit_rows bg_nbd gamma_gamma)"
    pg_say 'RESET ALL; CREATE TEMP TABLE models AS SELECT clv_model(x, t_x, age, spend, '"'bg_nbd', 'gamma_gamma', 'week'"') AS bg,
        clv_model(x, t_x, age, spend, '"'pareto_nbd', 'gamma_gamma', 'week'"') AS pareto FROM customers;' >/dev/null || exit 1
    clv_race "$serial" 'customer lifetime value, serial'
    clv_race "$parallel" "customer lifetime value, $pg_workers workers and the leader (fits alone are split)"
    pg_close
}

# predictions WHAT OF: computed for every customer, nothing sent
predictions() {
    echo "SELECT $1 FROM models, customers OFFSET $clv_customers"
}

# clv_race SETTINGS TITLE
clv_race() {
    race_clear
    contestant group 'G: GROUP BY x, t_x, age' pg "$1" 'SELECT count(*) FROM (SELECT x, t_x, age FROM customers GROUP BY 1, 2, 3) AS q'
    contestant bg 'BG/NBD, fitted' pg "$1" "$(fit_of bg_nbd none)" group '<= 1.5'
    contestant mbg 'MBG/NBD, fitted' pg "$1" "$(fit_of mbg_nbd none)" group '<= 1.5'
    contestant pareto 'Pareto/NBD, fitted' pg "$1" "$(fit_of pareto_nbd none)" group '<= 4'
    contestant nbd 'NBD, fitted' pg "$1" "$(fit_of nbd none)" group
    contestant spend 'NBD and Gamma-Gamma, fitted' pg "$1" "$(fit_of nbd gamma_gamma)" group '<= 1.5'
    contestant both 'BG/NBD and Gamma-Gamma, fitted' pg "$1" "$(fit_of bg_nbd gamma_gamma)" group
    contestant alive 'p_alive and expected_purchases' pg "$1" "$(predictions "p_alive(bg, x, t_x, age), expected_purchases(bg, x, t_x, age, '39 weeks')")" group '<= 2'
    contestant value 'clv of 12 months' pg "$1" "$(predictions 'clv(bg, x, t_x, age, spend)')" group '<= 4'
    contestant residual 'residual_lifetime_value' pg "$1" "$(predictions 'residual_lifetime_value(bg, x, t_x, age, spend)')" group
    contestant alive-pareto 'Pareto/NBD: p_alive and expected_purchases' pg "$1" "$(predictions "p_alive(pareto, x, t_x, age), expected_purchases(pareto, x, t_x, age, '39 weeks')")" group '<= 2'
    contestant value-pareto 'Pareto/NBD: clv of 12 months' pg "$1" "$(predictions 'clv(pareto, x, t_x, age, spend)')" group '<= 4'
    contestant window 'clv() OVER (): fitted and predicted' pg "$1" "SELECT clv(x, t_x, age, spend, unit => 'week') OVER () FROM customers OFFSET $clv_customers" group
    race "$2"
    plans_parallel "$1" bg pareto spend
}

# ------------------------------------------------------- from orders to a model

# What is beside the one pass: a scan that reads the same columns, and the same
# by way of one history a customer. The bar is for the pass without the fit,
# which is timed over ready summaries of the same customers, and taken off.
section_orders() {
    [ -z "$baselines" ] || return 0
    stored_make
    run_psql >/dev/null <<EOF2 || exit 1
SET client_min_messages = warning;
CREATE TABLE stored.summaries AS SELECT r.* FROM stored.histories_amount, clv_summary(h, date '2025-01-01', 'week') AS r;
VACUUM (FREEZE, ANALYZE) stored.summaries;
EOF2
    pg_open
    same 'one pass over the orders and the fit of histories' "SELECT (SELECT clv_model(customer_id, ordered_at, amount, date '2025-01-01', 'bg_nbd', 'gamma_gamma', 'week', 'UTC')::text FROM orders)
        = (SELECT clv_model(h, date '2025-01-01', 'bg_nbd', 'gamma_gamma', 'week')::text FROM stored.histories_amount)"
    orders_race "$serial" 'from orders to a model, serial'
    orders_race "$parallel" "from orders to a model, $pg_workers workers and the leader"
    pg_close
}

# orders_race SETTINGS TITLE
orders_race() {
    race_clear
    contestant floor 'scan: count(customer_id), max(ordered_at), count(amount)' pg "$1" 'SELECT count(customer_id), max(ordered_at), count(amount) FROM orders'
    contestant floor-sum 'scan: the same and sum(amount)' pg "$1" 'SELECT count(customer_id), max(ordered_at), sum(amount) FROM orders'
    contestant orders 'clv_model(customer, at, amount, as_of)' pg "$1" "SELECT clv_model(customer_id, ordered_at, amount, date '2025-01-01', 'bg_nbd', 'gamma_gamma', 'week', 'UTC') IS NULL FROM orders" floor
    contestant fit 'the fit alone, of ready summaries' pg "$1" "SELECT clv_model(frequency, recency, age, monetary_value, 'bg_nbd', 'gamma_gamma', 'week') IS NULL FROM stored.summaries" floor
    contestant orders-bare 'clv_model(customer, at, NULL, as_of), no spend' pg "$1" "SELECT clv_model(customer_id, ordered_at, NULL, date '2025-01-01', 'bg_nbd', 'none', 'week', 'UTC') IS NULL FROM orders" floor
    contestant fit-bare 'the fit alone, of ready summaries' pg "$1" "SELECT clv_model(frequency, recency, age, NULL, 'bg_nbd', 'none', 'week') IS NULL FROM stored.summaries" floor
    contestant stored 'clv_model(h, as_of), stored histories' pg "$1" "SELECT clv_model(h, date '2025-01-01', 'bg_nbd', 'gamma_gamma', 'week') IS NULL FROM stored.histories_amount" floor
    race "$2"
    pass_alone orders fit
    pass_alone orders-bare fit-bare
    plans_parallel "$1" floor orders
}

# pass_alone WHOLE FIT: the rest of it, as a ratio of the scan
pass_alone() {
    local ratio
    ratio=$(awk -v a="${median[$1]}" -v f="${median[$2]}" -v b="${median[floor]}" 'BEGIN { printf "%.2f", (a - f) / b }')
    printf '%-50s %9s %9.0f %9s  %s\n' "${label[$1]}" '' "$(awk -v a="${median[$1]}" -v f="${median[$2]}" 'BEGIN { print a - f }')" '' "without the fit: $ratio x the scan $(verdict "$ratio" '<= 2')"
}
