#!/usr/bin/env python3
"""Writes tests/math/count_reference.inc: the negative binomial by mpmath, at 60 digits.

Usage: python3 tests/math/make_count_reference.py >tests/math/count_reference.inc   (needs mpmath)
Each line: x, mu and theta, which are floats; -log p(x), its derivative by log theta, and the size of the terms of that
derivative as docs/math.md writes them. The extremes of the documented range and what lies between them.
"""
import random
import struct

from mpmath import digamma, log, loggamma, mp, mpf

mp.dps = 60


def single(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def line(x, mu, theta):
    a, m, t = mpf(x), mpf(mu), mpf(theta)
    nll = loggamma(t) + loggamma(a + 1) - loggamma(a + t) + t * log(1 + m / t) + a * log((t + m) / m)
    terms = [t * log((t + m) / (t + a)), t * (a - m) / (t + m)]
    if x > 0:
        terms.append(t * ((log(t + a) - digamma(t + a)) - (log(t) - digamma(t))))
        terms[-1] *= -1
        by_theta = t * (digamma(t) - digamma(t + a) + log((t + m) / t) + (a - m) / (t + m))
        # (log - digamma)(theta + x) - (log - digamma)(theta)
        assert abs(by_theta - (terms[0] + terms[1] - terms[2])) < mpf(10) ** -30 * (1 + sum(map(abs, terms)))
    else:
        by_theta = t * (log(1 + m / t) - m / (t + m))
    size = sum(abs(term) for term in terms)
    number = [mp.nstr(v, 17) for v in (nll, by_theta, size)]
    print("{%d.0F, %.8eF, %.8eF, %s}," % (x, mu, theta, ", ".join(number)))


def main():
    print("// Written by make_count_reference.py: x, mu, theta; -log p(x), its derivative by log theta, its terms' size.")
    print("// clang-format off")
    random.seed(21)
    counts = [0, 1, 2, 7, 8, 100, 12345, 1000000]
    means = [1e-8, 1e-3, 0.5, 7.25, 1e3, 1e6]
    thetas = [1e-4, 0.03, 1.0, 7.999, 8.0, 150.0, 1e4, 1e6, 1e8]
    for x in counts:
        for mu in means:
            for theta in thetas:
                line(x, single(mu), single(theta))
    for _ in range(240):
        theta = single(10 ** random.uniform(-4, 8))
        mu = single(10 ** random.uniform(-8, 6))
        # Half of them near their mean, where most terms cancel.
        x = random.choice([int(10 ** random.uniform(0, 6)), round(mu * random.uniform(0.5, 2))])
        line(x, mu, theta)


main()
