# bench/customers.awk: simulated customers of a BG/NBD world, as CSV.
#
# awk -v n=1000000 -v seed=1 -f customers.awk
# Weekly parameters of CDNOW (r .243, alpha 4.414, a .793, b 2.426; spend
# p 6.25, q 3.74, v 15.44); first purchases in the first 12 of 39 weeks, times
# in whole days, one purchase a day at most.
# Columns: customer, repeat purchases, recency and age in days, mean spend.

function exponential() { return -log(1 - rand()) }
function normal(    u, angle) {
    if (spare_is_there) { spare_is_there = 0; return spare }
    u = sqrt(2 * exponential()); angle = 6.283185307179586 * rand()
    spare_is_there = 1; spare = u * sin(angle)
    return u * cos(angle)
}
# Marsaglia and Tsang (2000)
function gamma(shape,    d, c, x, v) {
    if (shape < 1) return gamma(shape + 1) * exp(-exponential() / shape)
    d = shape - 1 / 3; c = 1 / sqrt(9 * d)
    for (;;) {
        x = normal(); v = 1 + c * x
        if (v <= 0) continue
        v = v * v * v
        if (log(1 - rand()) < x * x / 2 + d - d * v + d * log(v)) return d * v
    }
}
function beta(a, b,    x) { x = gamma(a); return x / (x + gamma(b)) }

BEGIN {
    srand(seed)
    for (i = 1; i <= n; i++) {
        age = 39 * 7 - int(rand() * 84)
        rate = gamma(.243) / 4.414 / 7
        p = beta(.793, 2.426)
        x = 0; at = 0; last = 0
        while (rate > 0) {
            at += exponential() / rate
            if (int(at) > age) break
            if (int(at) > last) { x++; last = int(at) }
            if (rand() < p) break
        }
        z = x > 0 ? gamma(6.25 * x) / (gamma(3.74) / 15.44) / x : 0
        printf "%d,%d,%d,%d,%s\n", i, x, last, age, (x > 0 ? sprintf("%.4f", z) : "")
    }
}
