#!/usr/bin/python3
"""Reference numbers of the simulated data, from the definitions, without PostgreSQL and without a package for survival.

  reference.py          prints every number again that it can compute, and whether it is the one in the files; exit 1 if not
  reference.py write    writes the rows of the simulated data into survival/*.csv and churn/simulated_logs.csv

Needs python3-mpmath (50 digits are carried) and ../data.  The same functions that make the rows of `subscribers` are held here
against the rows of all other data sets, which come from R's survival (README.md): that is what makes them worth believing.
"""
import csv
import datetime
import os
import sys

import mpmath as mp

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'data'))
import simulate  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, '..', 'data')
mp.mp.dps = 50
Z = mp.sqrt(2) * mp.erfinv(mp.mpf('0.95'))


def text(x):
    return '' if x is None else '%.17g' % float(x)


def table(name):
    with open(name, newline='') as f:
        return list(csv.DictReader(f))


def put(name, rows):
    with open(name, 'w', newline='') as f:
        w = csv.DictWriter(f, rows[0].keys(), lineterminator='\n')
        w.writeheader()
        w.writerows(rows)


# ------------------------------------------------------------------ Kaplan and Meier

def counts(rows):
    """rows of (entry, time, event) -> [(time, at risk, events, censored)], ascending; at risk are those with entry < time."""
    out = []
    for t in sorted({r[1] for r in rows}):
        out.append((t, sum(1 for e, u, _ in rows if (e is None or e < t) and u >= t),
                    sum(1 for _, u, d in rows if u == t and d), sum(1 for _, u, d in rows if u == t and not d)))
    return out


def curve(rows):
    s, green, hazard, hazard2, out = mp.mpf(1), mp.mpf(0), mp.mpf(0), mp.mpf(0), []
    for t, n, d, c in counts(rows):
        hazard += mp.mpf(d) / n
        hazard2 += mp.mpf(d) / n ** 2
        s = s * (n - d) / n
        row = dict(time=t, n_risk=n, n_event=d, n_censor=c, surv=s, cumhaz_na=hazard, se_cumhaz_na=mp.sqrt(hazard2))
        if s > 0:
            green += mp.mpf(d) / (mp.mpf(n) * (n - d))
            se = s * mp.sqrt(green)
            row.update(se_surv=se, plain_l=max(s - Z * se, 0), plain_u=min(s + Z * se, 1),
                       log_l=s * mp.exp(-Z * se / s), log_u=min(s * mp.exp(Z * se / s), 1))
            if green > 0:
                width = Z * se / (s * abs(mp.log(s)))
                row.update(loglog_l=s ** mp.exp(width), loglog_u=s ** mp.exp(-width))
        out.append(row)
    return out


def first(c, column, level):
    """Smallest time at which the column is at or below the level.  1e-40 stands for the rounding of 50 digits."""
    for row in c:
        if row.get(column) is not None and row[column] <= level + mp.mpf('1e-40'):
            return row['time']
    return None


def crossing(c, column, level):
    """The time of the highest value of a band at or below the level: a band may rise again, and R looks for it by height."""
    below = [(row[column], -row['time']) for row in c
             if row.get(column) is not None and row[column] <= level + mp.mpf('1e-40')]
    return -max(below)[1] if below else None


def quantile(c, p):
    level = 1 - mp.mpf(p)
    q = first(c, 'surv', level)
    middle = q
    if q is not None and abs(next(r for r in c if r['time'] == q)['surv'] - level) < mp.mpf('1e-40'):
        later = first(c, 'surv', level - mp.mpf('1e-30'))
        middle = (mp.mpf(q) + mp.mpf(later if later is not None else c[-1]['time'])) / 2
    row = dict(prob=p, q_first=q, q_r=middle)
    for band in 'plain', 'log', 'loglog':
        row[band + '_l'], row[band + '_u'] = crossing(c, band + '_l', level), crossing(c, band + '_u', level)
    return row


def mean(c, tau):
    def area(a):
        """under the curve from a to tau"""
        s, at, sum_ = mp.mpf(1), mp.mpf(0), mp.mpf(0)
        for row in c + [dict(time=tau, surv=None)]:
            end = min(mp.mpf(row['time']), tau)
            sum_ += s * max(end - max(at, a), 0)
            at = max(end, at)
            if row['surv'] is None or row['time'] >= tau:
                break
            s = row['surv']
        else:
            raise AssertionError
        return sum_
    tau = mp.mpf(tau)
    variance = sum((area(mp.mpf(r['time'])) ** 2 * r['n_event'] / (mp.mpf(r['n_risk']) * (r['n_risk'] - r['n_event']))
                    for r in c if r['time'] <= tau and r['n_event'] and r['n_event'] < r['n_risk']), mp.mpf(0))
    return area(mp.mpf(0)), mp.sqrt(variance)


def logrank(rows, rho):
    """rows of (time, event, group, stratum) -> groups, observed, expected, diagonal of the variance, chi-square, df, p"""
    groups = sorted({r[2] for r in rows})
    k = len(groups)
    observed, expected, v = [mp.mpf(0)] * k, [mp.mpf(0)] * k, mp.zeros(k)
    for stratum in sorted({r[3] for r in rows}):
        part = [r for r in rows if r[3] == stratum]
        s = mp.mpf(1)
        for t, n, d, _ in counts([(None, r[0], r[1]) for r in part]):
            if d:
                w = s ** rho
                at_risk = [sum(1 for r in part if r[0] >= t and r[2] == g) for g in groups]
                for i, g in enumerate(groups):
                    observed[i] += w * sum(1 for r in part if r[0] == t and r[1] and r[2] == g)
                    expected[i] += w * d * at_risk[i] / n
                    for j in range(k):
                        if n > 1:
                            v[i, j] += (w ** 2 * d * (n - d) / mp.mpf(n - 1) * at_risk[i] / n
                                        * ((i == j) - mp.mpf(at_risk[j]) / n))
                s = s * (n - d) / n
    u = mp.matrix([observed[i] - expected[i] for i in range(k - 1)])
    chi = (u.T * mp.inverse(v[:k - 1, :k - 1]) * u)[0]
    return (groups, observed, expected, [v[i, i] for i in range(k)], chi, k - 1,
            mp.gammainc(mp.mpf(k - 1) / 2, chi / 2, regularized=True))


# ------------------------------------------------------------------ the data sets

def load():
    def read(name):
        return table(os.path.join(DATA, name))
    sets = {}
    for name, groups in ('subscribers', ['plan', 'tier']), ('aml', ['grp']), ('rossi', ['fin']), ('waltons', ['grp']):
        sets[name] = [dict(time=float(r['time']), event=r['event'] == '1', id=r.get('id'), **{c: r[c] for c in groups})
                      for r in read(name + '.csv')]
    sets['telco'] = [dict(time=float(r['tenure']), event=r['churn'] == 'Yes', contract=r['contract'],
                          internet_service=r['internet_service']) for r in read('telco_customer_churn.csv')]
    return sets


def part(sets, dataset, by, stratum):
    return [(None, r['time'], r['event']) for r in sets[dataset] if not by or r[by] == stratum]


SURVIVAL = ('km_curves', 'km_quantiles', 'rmst', 'logrank', 'logrank_groups', 'km_left_truncated')
SUBJECTS = [('', 'all'), ('plan', '1'), ('plan', '2')]


def entered(sets):
    return curve([(int(r['id']) * 7 % 60, r['time'], r['event']) for r in sets['subscribers']
                  if int(r['id']) * 7 % 60 < r['time']])


def compute(sets, file, keys):
    """The rows of a file for what keys names: dictionaries of text, in the order of the file."""
    if file == 'km_curves':
        for dataset, by, stratum in keys:
            for r in curve(part(sets, dataset, by, stratum)):
                yield dict(dataset=dataset, by_col=by, stratum=stratum, **{c: text(r.get(c)) for c in (
                    'time', 'n_risk', 'n_event', 'n_censor', 'surv', 'se_surv', 'cumhaz_na', 'se_cumhaz_na', 'plain_l',
                    'plain_u', 'log_l', 'log_u', 'loglog_l', 'loglog_u')})
    elif file == 'km_quantiles':
        for dataset, by, stratum, p in keys:
            rows = part(sets, dataset, by, stratum)
            yield dict(dataset=dataset, by_col=by, stratum=stratum, n=str(len(rows)),
                       events=str(sum(r[2] for r in rows)), prob=p, **{c: text(x) for c, x in quantile(curve(rows), p).items() if c != 'prob'})
    elif file == 'rmst':
        for dataset, by, stratum, tau in keys:
            rows = part(sets, dataset, by, stratum)
            m, se = mean(curve(rows), tau)
            yield dict(dataset=dataset, by_col=by, stratum=stratum, tau=tau, max_time=text(max(r[1] for r in rows)),
                       rmst=text(m), se_rmst=text(se))
    elif file in ('logrank', 'logrank_groups'):
        for dataset, by, strata, rho in keys:
            rows = [(r['time'], r['event'], r[by], r[strata] if strata else '') for r in sets[dataset]
                    if not strata or r[strata] != '']
            groups, o, e, v, chi, df, p = logrank(rows, int(rho))
            if file == 'logrank':
                yield dict(dataset=dataset, by_col=by, strata_col=strata, rho=rho, groups=str(len(groups)),
                           chisq=text(chi), df=str(df), p=text(p))
            else:
                for i, g in enumerate(groups):
                    yield dict(dataset=dataset, by_col=by, strata_col=strata, rho=rho, grp=g,
                               n=str(sum(1 for r in rows if r[2] == g)), observed=text(o[i]), expected=text(e[i]),
                               var_diag=text(v[i]))
    elif file == 'km_left_truncated':
        cases = dict(subscribers_entry=lambda: entered(sets),
                     telco_snapshot=lambda: curve([(r['time'] - 1, r['time'], r['event']) for r in sets['telco']
                                                   if r['time'] >= 1]))
        for case in keys:
            for r in cases[case[0]]():
                if r['n_event']:
                    yield dict(case=case[0], **{c: text(r.get(c)) for c in (
                        'time', 'n_risk', 'n_event', 'surv', 'se_surv', 'cumhaz_na', 'loglog_l', 'loglog_u')})


STRATUM = ('dataset', 'by_col', 'stratum')
TESTED = ('dataset', 'by_col', 'strata_col', 'rho')
KEYS = dict(km_curves=STRATUM, km_quantiles=STRATUM + ('prob',), rmst=STRATUM + ('tau',), logrank=TESTED,
            logrank_groups=TESTED, km_left_truncated=('case',))
OWN = dict(km_curves=[('subscribers', b, s) for b, s in SUBJECTS],
           km_quantiles=[('subscribers', b, s, p) for b, s in SUBJECTS for p in ('0.25', '0.5', '0.75')],
           rmst=[('subscribers', b, s, t) for b, s in SUBJECTS for t in ('365', '500', '900')],
           logrank=[('subscribers', 'plan', '', '0'), ('subscribers', 'plan', '', '1'), ('subscribers', 'plan', 'tier', '0')],
           km_left_truncated=[('subscribers_entry',)])
OWN['logrank_groups'] = OWN['logrank']


# ------------------------------------------------------------------ how well a simulated log can be foretold

def pareto_nbd(r, alpha, s, beta, x, tx, t):
    """Likelihood of a customer: Schmittlein, Morrison & Colombo (1987), in the form of Fader & Hardie (2005)."""
    def a0(y):
        big, small, b = (alpha, beta, s + 1) if alpha >= beta else (beta, alpha, r + x)
        return mp.hyp2f1(r + s + x, b, r + s + x + 1, (big - small) / (big + y)) / (big + y) ** (r + s + x)
    common = mp.gamma(r + x) * mp.mpf(alpha) ** r * mp.mpf(beta) ** s / mp.gamma(r)
    return common * (1 / ((alpha + mp.mpf(t)) ** (r + x) * (beta + mp.mpf(t)) ** s) + s / (r + s + x) * (a0(tx) - a0(t)))


def bg_nbd(r, alpha, a, b, x, tx, t):
    """Fader, Hardie & Lee (2005), but that here everybody, also who has bought once, may have left after the purchase."""
    common = mp.gamma(r + x) * mp.mpf(alpha) ** r / (mp.gamma(r) * mp.beta(a, b))
    return common * (mp.beta(a, b + x + 1) / (alpha + mp.mpf(t)) ** (r + x) + mp.beta(a + 1, b + x) / (alpha + mp.mpf(tx)) ** (r + x))


def foretold(world, file, columns, likelihood):
    """Log-loss and AUC of the chance of no purchase, L(x, tx, T + horizon) / L(x, tx, T) at the true parameters: no score that
    knows the same purchases does better on average."""
    mp.mp.dps = 30
    dates = {}
    for row in table(os.path.join(DATA, file)):
        dates.setdefault(row[columns[0]], set()).add(datetime.date.fromisoformat(row[columns[1]]))
    until = max(d for s in dates.values() for d in s)
    as_of = until - datetime.timedelta(world['horizon'])
    scores = []
    for days in dates.values():
        known = sorted(d for d in days if d <= as_of)
        if known:
            x, tx, t = len(known) - 1, (known[-1] - known[0]).days, (as_of - known[0]).days
            p = likelihood(x, tx, t + world['horizon']) / likelihood(x, tx, t)
            scores.append((float(p), not any(d > as_of for d in days)))
    loss = -mp.fsum(mp.log(p if silent else 1 - p) for p, silent in scores) / len(scores)
    pos, neg = [p for p, y in scores if y], [p for p, y in scores if not y]
    auc = mp.mpf(sum((p > q) + 0.5 * (p == q) for p in pos for q in neg)) / (len(pos) * len(neg))
    return dict(log=file[:-4], until=until, as_of=as_of, horizon_days=world['horizon'], customers=len(dates),
                scored=len(scores), silent=len(pos), log_loss='%.9f' % loss, auc='%.9f' % auc)


def simulated_logs():
    g, f = simulate.GROCERIES, simulate.FASHION
    yield foretold(g, 'groceries.csv', ('cust', 'date'),
                   lambda x, tx, t: pareto_nbd(g['r'], g['alpha'], g['s'], g['beta'], x, tx, t))
    yield foretold(f, 'fashion.csv', ('id', 'date'),
                   lambda x, tx, t: bg_nbd(f['r'], f['alpha'], f['a'], f['b'], x, tx, t))


# ------------------------------------------------------------------

def differs(have, want):
    if have == want or (have == '') != (want == ''):
        return have != want
    try:
        a, b = float(have), float(want)
    except ValueError:
        return True
    return abs(a - b) > 1e-9 * abs(b) + 1e-12


def main(write):
    sets, bad = load(), 0
    for file in SURVIVAL:
        name = os.path.join(HERE, 'survival', file + '.csv')
        rows, keys = table(name), []
        if write:
            rows = [r for r in rows if not r[KEYS[file][0]].startswith('subscribers')]
            put(name, list(compute(sets, file, OWN[file])) + rows)
            rows = table(name)
        for r in rows:
            key = tuple(r[c] for c in KEYS[file])
            if key not in keys:
                keys.append(key)
        have = list(compute(sets, file, keys))
        wrong = [(h, w) for h, w in zip(have, rows) if h.keys() != w.keys() or any(differs(h[c], w[c]) for c in w)]
        print('%s: %s rows of %s data sets, %s differ' % (file, len(rows), len({k[0] for k in keys}), len(wrong)))
        if wrong or len(have) != len(rows):
            print(len(have), 'computed, as', wrong[:2])
            bad = 1
    logs = [{k: str(v) for k, v in r.items()} for r in simulated_logs()]
    name = os.path.join(HERE, 'churn', 'simulated_logs.csv')
    if write:
        put(name, logs)
    for r, w in zip(logs, table(name)):
        print(r)
        bad |= r != w
    return bad


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:] == ['write']))
