#!/usr/bin/python3
"""Writes values.h: what the functions of src/math must give.

Every number is computed here with mpmath at 50 digits, from a definition (an
integral, a sum, a function of mpmath's own), never from our C. Needs mpmath;
only whoever changes the lists below runs it:

    test/c/oracle.py > test/c/values.h
"""
from fractions import Fraction
from math import comb

import mpmath as mp
from mpmath import mpf

mp.mp.dps = 50
out = []


def number(x):
    if isinstance(x, (int, float)):
        return repr(float(x)) if not float(x).is_integer() or abs(x) > 1e15 else str(int(x))
    x = mpf(x)
    if x == mp.inf:
        return "HUGE_VAL"
    if abs(x) < mpf(2) ** -1060:
        return "0"
    return mp.nstr(x, 20, min_fixed=-4, max_fixed=6)


def table(name, f, rows):
    out.append("static const Value %s_values[] = {" % name)
    for row in rows:
        row = [float(v) for v in row]
        out.append("\t{{%s}, %s}," % (", ".join(number(v) for v in row), number(f(*map(mpf, row)))))
    out.append("};\n")


# ------------------------------------------------------------ special functions
points = [1e-300, 1e-9, 0.1, 0.5, 0.999999, 1.000001, 1.4616321449683622, 1.7, 1.99999999, 2.00000001, 2.5, 3, 7.25,
          10, 33.3, 1e3, 123456.789, 1e10, 1e15]
table("ln_gamma", mp.loggamma, [[z] for z in points])
table("digamma", mp.digamma, [[z] for z in points])
table("trigamma", lambda z: mp.psi(1, z), [[z] for z in points[1:]])
pairs = [(0.5, 0), (0.5, 0.25), (1e-6, 3), (1, 1e-9), (3, 5), (7.5, 1e-5), (12, 1e-3), (100, 5000), (1e6, 1), (1e6, 0.5),
         (1e9, 17), (1e12, 1e-4), (1e15, 2.5), (1e-3, 1e6), (2, 1e9), (1e-8, 1e-8), (25, 24.5)]
table("ln_gamma_ratio", lambda z, n: mp.loggamma(z + n) - mp.loggamma(z), pairs)
table("digamma_difference", lambda z, n: mp.digamma(z + n) - mp.digamma(z), pairs)
table("ln_beta", lambda a, b: mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b),
      [(0.5, 0.5), (1, 1), (2, 3), (1e-9, 1e-9), (1e-9, 1e9), (1e6, 1e6), (0.79, 2.43), (1e12, 3), (40, 1e-3)])
table("ln_add", lambda a, b: mp.log(mp.exp(a) + mp.exp(b)),
      [(0, 0), (1000, 1000), (-1000, -1001), (5, -40), (-3, 700), (1e-9, -1e-9)])
reals = [0, 1e-12, -1e-12, 0.5, -0.5, 3, -3, 20, -20, 36.8, -40, 700, -700, 1e5]
table("ln_1p_exp", lambda a: mp.log1p(mp.exp(a)), [[a] for a in reals])
table("logistic", lambda a: 1 / (1 + mp.exp(-a)), [[a] for a in reals])

# ---------------------------------------------------------------- distributions
table("chi_square_upper", lambda x, k: mp.gammainc(k / 2, x / 2, mp.inf, regularized=True),
      [(0, 1), (1e-10, 1), (3.841458820694124, 1), (10, 1), (1000, 1), (1400, 2), (0.5, 2), (5.991464547107979, 2),
       (7, 3), (0.001, 5), (11, 10), (100, 10), (40, 50), (120, 100), (99.5, 100), (1, 100), (900, 1000), (1100, 1000),
       (1e-3, 0.5), (12, 2.5)])
table("normal_two_sided_p", lambda z: mp.erfc(abs(z) / mp.sqrt(2)), [[z] for z in (0, 1e-9, 0.5, -1, 1.96, 5, 10, 37)])
confidences = [1e-9, 0.01, 0.3, 0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 0.999999, 1 - 1e-12]
table("normal_two_sided_z", lambda c: mp.sqrt(2) * mp.erfinv(c), [[c] for c in confidences])


def student_t(c, v):
    """By bisection, from the normal's, which is below."""
    beyond = lambda t: mp.betainc(v / 2, mpf(1) / 2, 0, v / (v + t * t), regularized=True) > 1 - c
    low = high = mp.sqrt(2) * mp.erfinv(c)
    while beyond(high):
        high *= 2
    for _ in range(90):
        middle = (low + high) / 2
        low, high = (middle, high) if beyond(middle) else (low, middle)
    return low


table("student_two_sided_t", student_t,
      [(c, v) for v in (1, 2, 3, 7.5, 30, 1000, 1e6) for c in (0.1, 0.5, 0.95, 0.999)])


def nb(k, s, w):
    return mp.exp(mp.loggamma(s + k) - mp.loggamma(s) - mp.loggamma(k + 1) - s * mp.log1p(w)
                  + (k * (mp.log(w) - mp.log1p(w)) if k else 0))


counts = [(0, 0.5, 1), (3, 0.25, 8), (1, 1e-3, 1e-3), (10, 2, 0.1), (50, 0.7, 100), (200, 30, 5), (1000, 3, 250),
          (2000, 1500, 1.5), (5, 100, 1e-4), (40, 3, 0.01), (7, 1e-6, 1e6)]
table("negative_binomial", nb, counts)
table("negative_binomial_tail",
      lambda k, s, w: mp.betainc(k, s, 0, w / (1 + w), regularized=True) if k else mpf(1), counts)

# ------------------------------------------------------------------ beta ratios
triples = [(1.2, 0.75, 6), (0.5, 2, 0.5), (1e-6, 3, 100), (30, 1e6, 2), (1e6, 30, 2), (0.79, 2.43, 1e6), (1e-3, 1e-3, 1e-3),
           (2, 2, 1e-8), (1, 1, 1), (50, 0.668, 100), (1e5, 1e5, 1e3), (0.05, 1e3, 12.5)]
table("ln_beta_ratio", lambda a, b, t: mp.loggamma(b + t) - mp.loggamma(b) + mp.loggamma(a + b) - mp.loggamma(a + b + t),
      triples + [(0, 2, 3), (-0.5, 2, 3), (-0.9, 1, 100)])
table("ln_beta_ratio_slope",
      lambda a, b, t: (mp.digamma(b + t) - mp.digamma(b)) - (mp.digamma(a + b + t) - mp.digamma(a + b)), triples)


def ratio_sum(a, b, n):
    term, total = mpf(1), mpf(0)
    for j in range(int(n)):
        term *= (b + j) / (a + b + j)
        total += term
    return total


table("beta_ratio_sum", ratio_sum,
      [(1.2, 0.75, 6), (0.5, 2, 1), (1, 1, 100), (0.999999, 1, 50), (1.000001, 1, 50), (3, 1e4, 1000), (1e-6, 3, 500),
       (1e4, 0.1, 20), (2, 0.5, 5000), (0.3, 0.7, 10000), (1, 3, 0)])
table("beta_ratio_discounted", lambda a, b, r: mp.hyp2f1(1, b, a + b, mp.exp(-r)) - 1,
      [(1.2, 0.75, 0.1), (0.668, 3.806, 0.0953), (1, 1, 0.01), (2.5, 1, 1e-6), (1e-3, 0.5, 0.05), (50, 2, 1), (0.3, 1e3, 0.2),
       (3, 3, 20)])
table("beta_survival", lambda a, b, s, w: mp.hyp2f1(s, a, a + b, -w),
      [(0.793, 2.426, 0.2426, 8.8), (1, 1, 1, 1), (0.5, 0.5, 2, 100), (1e-3, 1e-3, 1, 10), (3, 1e4, 0.7, 1e3), (1, 2, 1e3, 0.01),
       (40, 3, 5, 0.5), (0.2, 0.8, 0.5, 1e6), (2, 2, 3, 0)])


def purchases(a, b, s, w):
    slope = lambda u: s * mp.hyp2f1(s + 1, a, a + b, -u)
    cuts = [mpf(0)] + [w * mpf(4) ** -k for k in range(12, -1, -1)]
    return mp.quad(slope, cuts)


def discounted(a, b, s, rate):
    slope = lambda u: s * mp.hyp2f1(s + 1, a, a + b, -u) * mp.exp(-rate * u)
    end = 60 / rate
    return mp.quad(slope, [mpf(0)] + [end * mpf(3) ** -k for k in range(16, -1, -1)])


mp.mp.dps = 25
table("beta_purchases", purchases,
      [(0.793, 2.426, 0.2426, 8.8), (1, 1, 1, 1), (0.5, 0.5, 2, 100), (1, 2, 50, 0.01), (40, 3, 5, 0.5), (2, 2, 3, 1e-6)])
table("beta_discounted", discounted,
      [(0.793, 2.426, 0.2426, 0.02), (1, 1, 1, 0.1), (2, 5, 3, 1), (0.5, 0.5, 2, 0.01), (5, 1, 0.3, 10)])
mp.mp.dps = 50


# --------------------------------------------------------- races of waiting times
def race(p, a, q, b, t, weight):
    """In u = a (e^y - 1), where the density is a power: mean of weight(u), and P(won)."""
    end = mp.log1p(t / a) if t != mp.inf else 90 / (p + q) + 3 * abs(mp.log(a / b)) + 5
    f = lambda y: p * mp.exp(-p * y) * (1 + a / b * mp.expm1(y)) ** -q * weight(a * mp.expm1(y))
    return mp.quad(f, mp.linspace(0, end, 9))


mp.mp.dps = 25
out.append("/* p, a, q, b, t; E of 1, ln(1 + U / a), ln(1 + U / b), U / (a + U), U / (b + U) while it is won */")
out.append("static const struct\n{\n\tdouble\t\targ[5];\n\tdouble\t\texpected[5];\n}\trace_values[] = {")
for p, q, a, b, t in [(0.55, 0.61, 10.6, 11.7, mp.inf), (1.55, 0.61, 49.6, 50.7, mp.inf), (3, 2, 1, 50, mp.inf),
                      (2, 3, 50, 1, mp.inf), (1, 1, 1, 1, mp.inf), (20, 0.4, 30, 3, mp.inf), (0.55, 0.61, 10.6, 11.7, 39),
                      (3, 2, 1, 50, 0.5), (2, 3, 50, 1, 4), (1, 1, 1, 1, 1), (20, 0.4, 30, 3, 52)]:
    a, b, p, q, t = mpf(float(a)), mpf(float(b)), mpf(float(p)), mpf(float(q)), mpf(t)
    won = race(p, a, q, b, t, lambda u: 1)
    if t == mp.inf:
        exact = p / (p + q) * mp.hyp2f1(1, q, p + q + 1, 1 - a / b)
        assert abs(won / exact - 1) < mpf(10) ** -17, (p, q, a, b, won, exact)
        won = exact
    means = [race(p, a, q, b, t, w) / won for w in (lambda u: mp.log1p(u / a), lambda u: mp.log1p(u / b),
                                                    lambda u: u / (a + u), lambda u: u / (b + u))]
    arguments = [number(float(v)) for v in (p, a, q, b)] + ["HUGE_VAL" if t == mp.inf else number(float(t))]
    out.append("\t{{%s},\n\t\t{%s,\n\t\t%s}}," % (", ".join(arguments), ", ".join(map(number, [won] + means[:2])),
                                                 ", ".join(map(number, means[2:]))))
out.append("};\n")
mp.mp.dps = 50
table("tricomi_u", lambda s, z: mp.exp(z) * mp.expint(s, z),
      [(0.5, 1e-6), (0.5, 1), (1, 0.01), (1, 1), (1.5, 0), (2.5, 1e-3), (3, 5), (7.25, 0.3), (0.001, 2), (100, 0.1), (1, 50),
       (20, 1000), (5000, 39), (2, 1e-9)])


# -------------------------------------------------------------------- proportions
def beta_point(tail, upper, a, b):
    """x with P(X <= x) (or P(X > x)) = tail, by bisection on ln x or ln(1 - x)."""
    f = (lambda x: mp.betainc(a, b, x, 1, regularized=True)) if upper else \
        (lambda x: mp.betainc(a, b, 0, x, regularized=True))
    low, high = mpf(0), mpf(1)
    old = mp.mp.dps
    mp.mp.dps = 30
    for _ in range(100):
        middle = (low + high) / 2
        if (f(middle) < tail) != bool(upper):
            low = middle
        else:
            high = middle
    mp.mp.dps = old
    return (low + high) / 2


table("beta_quantile", beta_point,
      [(0.025, 0, 3, 8), (0.025, 1, 3, 8), (0.5, 0, 0.5, 0.5), (0.05, 0, 0.5, 20.5), (0.005, 1, 20.5, 0.5), (0.025, 0, 81, 183),
       (0.1, 1, 2000, 3000)])
samples = [(81, 263, 0.95), (15, 148, 0.95), (1, 29, 0.95), (0, 20, 0.95), (20, 20, 0.9), (1, 2, 0.5), (7, 1000, 0.99)]
half = lambda c: (1 - c) / 2
table("clopper_pearson_low", lambda h, n, c: beta_point(half(c), 0, h, n - h + 1) if h else mpf(0), samples)
table("clopper_pearson_high", lambda h, n, c: beta_point(half(c), 1, h + 1, n - h) if h < n else mpf(1), samples)
table("jeffreys_low", lambda h, n, c: beta_point(half(c), 0, h + 0.5, n - h + 0.5) if h else mpf(0), samples)
table("jeffreys_high", lambda h, n, c: beta_point(half(c), 1, h + 0.5, n - h + 0.5) if h < n else mpf(1), samples)


def fisher(h1, n1, h2, n2):
    """All tables of the margins, in whole numbers."""
    h1, n1, h2, n2 = (int(v) for v in (h1, n1, h2, n2))
    ways = [comb(n1, k) * comb(n2, h1 + h2 - k) for k in range(h1 + h2 + 1) if k <= n1 and h1 + h2 - k <= n2]
    here = comb(n1, h1) * comb(n2, h2)
    p = Fraction(sum(w for w in ways if w * 10 ** 7 <= here * (10 ** 7 + 1)), comb(n1 + n2, h1 + h2))
    return mpf(p.numerator) / p.denominator


table("fisher_two_sided", fisher,
      [(3, 4, 1, 4), (1, 10, 9, 12), (0, 5, 0, 7), (5, 5, 0, 5), (56, 70, 48, 80), (2, 1000, 9, 1000), (81, 263, 15, 148),
       (500, 1000, 500, 1000), (7, 7, 7, 9)])

print("""/*
 * values.h
 *	  What the functions of src/math must give: written by oracle.py, not by hand.
 */
#ifndef TEST_VALUES_H
#define TEST_VALUES_H

#include <math.h>

typedef struct Value
{
	double		arg[5];
	double		expected;
} Value;
""")
print("\n".join(out))
print("#endif\t\t\t\t\t\t\t/* TEST_VALUES_H */")
