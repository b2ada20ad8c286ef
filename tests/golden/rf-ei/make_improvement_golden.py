#!/usr/bin/env python3
"""Makes expected_improvement.json: expected improvement for minimisation, from scipy's normal
distribution where its formula keeps its digits (u >= -3), from mpmath with 50 digits in the tail;
where both stand they agree to 1e-12.

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1, mpmath 1.3.0.
Run from anywhere: python3 make_improvement_golden.py
"""
import json
import pathlib

import mpmath
import numpy as np
from scipy.stats import norm

mpmath.mp.dps = 50
rng = np.random.default_rng(20180709)


def exact(best, mean, deviation):
    s = mpmath.mpf(deviation)
    u = (mpmath.mpf(best) - mpmath.mpf(mean)) / s
    return float(s * (u * mpmath.ncdf(u) + mpmath.npdf(u)))


def scipys(best, mean, deviation):
    u = (best - mean) / deviation
    return float(deviation * (u * norm.cdf(u) + norm.pdf(u)))


cases = []
for u in np.concatenate([np.linspace(-12, 6, 181), rng.uniform(-37, 8, 120),
                         np.linspace(-36, -12, 25), [-8.000001, -8.0, -7.999999]]):
    deviation = 2.0 ** -int(rng.integers(0, 12))
    # Steps of powers of two: u is then the same number in every arithmetic.
    u = np.round(u * 2**20) / 2**20
    best = 0.125
    mean = best - u * deviation
    assert (best - mean) / deviation == u
    value = exact(best, mean, deviation)
    if u >= -3:
        assert abs(scipys(best, mean, deviation) - value) <= 1e-12 * value
        value = scipys(best, mean, deviation)
    cases.append({"best": best, "mean": mean, "deviation": deviation, "value": value})

lines = ",\n".join(json.dumps(case) for case in cases)
path = pathlib.Path(__file__).with_name("expected_improvement.json")
path.write_text(f"[\n{lines}\n]\n")
