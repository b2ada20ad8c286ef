#!/usr/bin/env python3
"""Makes nelder_mead.json: every point that scipy's Nelder-Mead evaluates from a given simplex.

Versions: Python 3.11, numpy 2.4, scipy 1.17.1.
Run from anywhere: python3 make_nelder_mead_golden.py

numpy sorts equal losses in any order on processors with wide vectors; a stable sort, which is
numpy's on the others, makes the ties of `steps` and `wall` the same everywhere.
"""
import json
import pathlib
from unittest import mock

import numpy as np

from scipy.optimize import minimize


def sphere(x):
    return float(sum(v * v for v in x))


def rosenbrock(x):
    total = 0.0
    for a, b in zip(x, x[1:]):
        bend = b - a * a
        total += 100.0 * bend * bend + (1.0 - a) * (1.0 - a)
    return total


def ridge(x):
    return float(sum((k + 1) * abs(v - 0.3) for k, v in enumerate(x)))


def steps(x):
    """Ties wherever it is flat."""
    return float(sum(np.floor(4.0 * v) for v in x))


def wall(x):
    """Infinite on one side."""
    return float("inf") if x[0] < 0.25 else sphere(x)


CASES = [(sphere, 1, 60), (rosenbrock, 2, 200), (ridge, 3, 160), (steps, 4, 160), (wall, 5, 160)]


def case(seed, function, dimensions, evaluations):
    rng = np.random.default_rng(seed)
    corners = rng.random((dimensions + 1, dimensions)).round(6)
    points = []

    def recorded(x):
        points.append([float(v) for v in x])
        return function(x)

    options = {"initial_simplex": corners, "maxfev": evaluations, "xatol": 0.0, "fatol": -1.0}
    argsort = np.argsort
    with mock.patch("numpy.argsort", lambda values: argsort(values, kind="stable")):
        minimize(recorded, corners[0], method="Nelder-Mead", options=options)
    points = points[:evaluations]
    assert len(points) == evaluations, len(points)
    return {"function": function.__name__, "corners": corners.tolist(), "points": points}


cases = [case(seed, *rest) for seed, rest in enumerate(CASES)]
out = pathlib.Path(__file__).with_name("nelder_mead.json")
out.write_text(json.dumps(cases) + "\n")
print(sum(len(c["points"]) for c in cases), "points")
