#!/usr/bin/env python3
"""Makes population_histories.json, from which the references of population methods propose.

Versions: Python 3.11, numpy 2.4.
Run from anywhere: python3 population_histories.py

50 histories of 30 trials of a space of two floats (the second on a logarithm), a whole number of 8
values and a choice of 4. Points are in the unit cube, whole numbers and choices in the middle of
their bins. A loss of null reported nothing; references are told that it is 1e9.
"""
import json
import math
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
NAMES = ["momentum", "rate", "units", "optimizer"]
BINS = [20, 20, 8, 4]
DRAWS = 500


def value(name, u):
    """The native value of a coordinate."""
    if name == "momentum":
        return u
    if name == "rate":
        return 1e-4 * math.exp(u * math.log(1e3))
    if name == "units":
        return 1 + min(int(u * 8), 7)
    return f"c{min(int(u * 4), 3)}"


def unit(name, v):
    """The coordinate of a native value."""
    if name == "momentum":
        return v
    if name == "rate":
        return math.log(v / 1e-4) / math.log(1e3)
    if name == "units":
        return (v - 0.5) / 8
    return (int(v[1:]) + 0.5) / 4


def configuration(point):
    return {name: value(name, u) for name, u in zip(NAMES, point)}


def counts(configurations):
    """How many of some configurations fall into each bin, coordinate by coordinate."""
    found = []
    for name, bins in zip(NAMES, BINS):
        row = [0] * bins
        for c in configurations:
            row[min(int(unit(name, c[name]) * bins), bins - 1)] += 1
        found.append(row)
    return found


def histories():
    return json.loads((HERE / "population_histories.json").read_text())


def told(loss):
    return 1e9 if loss is None else loss


def history(seed):
    rng = np.random.default_rng(seed)
    points = rng.random((30, 4))
    points[:, 2] = (np.floor(points[:, 2] * 8) + 0.5) / 8
    points[:, 3] = (np.floor(points[:, 3] * 4) + 0.5) / 4
    centre = rng.random(4)
    losses = ((points - centre) ** 2).sum(axis=1) + 0.05 * rng.standard_normal(30)
    if seed % 3 == 0:
        # Ties.
        losses = losses.round(1)
    losses = [float(v) for v in losses.round(6)]
    if seed % 2 == 0:
        for at in rng.choice(30, 4, replace=False):
            losses[at] = None
    return {"points": points.round(6).tolist(), "losses": losses}


if __name__ == "__main__":
    made = [history(seed) for seed in range(50)]
    (HERE / "population_histories.json").write_text(json.dumps(made) + "\n")
