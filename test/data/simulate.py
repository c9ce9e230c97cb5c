#!/usr/bin/python3
"""Makes the four simulated files of this folder, the same on every machine.

  simulate.py            writes subscribers.csv, groceries.csv, fashion.csv and regulars.csv beside itself

Randomness is the generator of Lehmer with the multiplier 48271 and the modulus 2^31 - 1 (Park and Miller's second choice), one
a file, seeded with the number given below; all variates are made from it by the textbook methods named at each.  Nothing else
of Python's libraries decides anything.  The parameters stand here and are used by ../reference/reference.py, which computes
what the best possible score of these worlds would reach.
"""
import datetime
import math
import os

HERE = os.path.dirname(os.path.abspath(__file__))

# A shop whose customers buy at a rate ~ Gamma(r, alpha) a day and leave after a lifetime ~ exponential with a rate
# ~ Gamma(s, beta): the world of Pareto/NBD.  Who leaves tells nobody.
GROCERIES = dict(seed=1987, customers=1525, first='2006-01-01', days_of_joining=90, last='2007-12-30',
                 r=0.8, alpha=30.0, s=0.45, beta=45.0, horizon=182)
# A shop whose customers may leave after each purchase, with a probability ~ Beta(a, b): the world of BG/NBD.  They spend
# around a level of their own, exp(N(4.2, 0.5)), orders by a factor exp(N(0, 0.4)).
FASHION = dict(seed=2005, customers=600, first='2005-01-02', days_of_joining=1500, last='2010-12-20',
               r=1.4, alpha=160.0, a=0.9, b=3.2, horizon=544)
# A shop that nobody leaves: rates ~ Gamma(r, alpha) and no end.  The best dropout of every model is none at all.
REGULARS = dict(seed=2011, customers=700, first='2011-05-16', days_of_joining=60, last='2015-03-16',
                r=9.0, alpha=684.0)
# Subscribers of two plans and four tiers, observed for at most 1,000 days, whole days, with ties.
SUBSCRIBERS = dict(seed=228, customers=228)


class Lehmer:
    def __init__(self, seed):
        self.state = seed
        for _ in range(10):
            self.uniform()

    def uniform(self):
        """In (0, 1), never at its ends."""
        self.state = self.state * 48271 % 2147483647
        return self.state / 2147483647

    def exponential(self, rate):
        return -math.log(self.uniform()) / rate

    def normal(self):
        """Box and Muller (1958), the cosine alone."""
        return math.sqrt(-2 * math.log(self.uniform())) * math.cos(2 * math.pi * self.uniform())

    def gamma(self, shape, rate):
        """Marsaglia and Tsang (2000); shapes below 1 by a power of a uniform."""
        if shape < 1:
            boost = self.uniform() ** (1 / shape)
            return self.gamma(shape + 1, rate) * boost
        d = shape - 1 / 3
        c = 1 / math.sqrt(9 * d)
        while True:
            z = self.normal()
            v = (1 + c * z) ** 3
            if v > 0 and math.log(self.uniform()) < 0.5 * z * z + d * (1 - v + math.log(v)):
                return d * v / rate

    def beta(self, a, b):
        x = self.gamma(a, 1)
        return x / (x + self.gamma(b, 1))


def day(text):
    return datetime.date.fromisoformat(text)


def write(name, header, rows):
    with open(os.path.join(HERE, name), 'w', newline='\n') as f:
        f.write(','.join(header) + '\n')
        for row in rows:
            f.write(','.join(str(x) for x in row) + '\n')


def log_of(world, lifetime, dropout):
    """(customer, days since the first day of the log) of every order, customer by customer; one row a customer and day."""
    random = Lehmer(world['seed'])
    days = (day(world['last']) - day(world['first'])).days
    for customer in range(1, world['customers'] + 1):
        at = random.uniform() * world['days_of_joining']
        rate = random.gamma(world['r'], world['alpha'])
        end = at + random.exponential(random.gamma(world['s'], world['beta'])) if lifetime else math.inf
        leaves = random.beta(world['a'], world['b']) if dropout else 0
        seen = -1
        while at < end and at < days + 1:
            if math.floor(at) > seen:
                seen = math.floor(at)
                yield random, customer, seen
            if dropout and random.uniform() < leaves:
                break
            at += random.exponential(rate)


def groceries():
    first = day(GROCERIES['first'])
    write('groceries.csv', ['cust', 'date'],
          ((c, first + datetime.timedelta(d)) for _, c, d in log_of(GROCERIES, True, False)))


def fashion():
    first = day(FASHION['first'])
    level = {}

    def rows():
        for random, c, d in log_of(FASHION, False, True):
            if c not in level:
                level[c] = 4.2 + 0.5 * random.normal()
            yield c, first + datetime.timedelta(d), '%.2f' % math.exp(level[c] + 0.4 * random.normal())
    write('fashion.csv', ['id', 'date', 'price'], rows())


def regulars():
    """As a till might export them: dates month first without leading zeros, rows in no order."""
    first = day(REGULARS['first'])
    rows = []
    for random, c, d in log_of(REGULARS, False, False):
        at = first + datetime.timedelta(d)
        rows.append((random.uniform(), 'CS%d' % (1111 + c), '%d/%d/%d' % (at.month, at.day, at.year),
                     10 + math.floor(96 * random.uniform())))
    rows.sort()
    write('regulars.csv', ['customer_id', 'trans_date', 'tran_amount'], (r[1:] for r in rows))


def subscribers():
    random = Lehmer(SUBSCRIBERS['seed'])

    def rows():
        for i in range(1, SUBSCRIBERS['customers'] + 1):
            plan = 1 if random.uniform() < 0.6 else 2
            tier = math.floor(4 * random.uniform() ** 1.5)
            # Weibull with shape 1.3: people leave the sooner the longer they stay; plan 2 and low tiers hold better
            time = (400 if plan == 1 else 620) * 0.87 ** tier * (-math.log(random.uniform())) ** (1 / 1.3)
            observed = 180 + 830 * random.uniform()
            yield i, 1 + math.floor(min(time, observed)), int(time <= observed), plan, '' if i == 14 else tier
    write('subscribers.csv', ['id', 'time', 'event', 'plan', 'tier'], rows())


if __name__ == '__main__':
    groceries()
    fashion()
    regulars()
    subscribers()
