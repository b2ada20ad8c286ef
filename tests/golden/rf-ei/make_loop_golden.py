#!/usr/bin/env python3
"""Makes three small tables (NAME.csv) and, for each, how many trials a plain scikit-learn RF-EI
loop needs to its first goal row, seed by seed (loop.json): the reference of tests/it/rf_ei.rs.

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1, pyarrow 26.0.1.
Run from anywhere: python3 make_loop_golden.py (about 25 minutes on one core).

A table has unit-cube coordinates x0.. and a value, larger is better. The loop is Spearmint's
RandomForestEIChooser as Choi et al. (2018) used it: the first two rows of a shuffled order, then a
forest of 50 trees grown to purity on bootstraps with all features, between-tree variance (ddof 1),
sigma = sqrt(v) + 1e-4, expected improvement on the best observed loss, first argmax in the order.
"""
import csv
import json
import math
import pathlib
import sys

import numpy as np
import pyarrow.parquet as pq
from scipy.stats import norm
from sklearn.ensemble import RandomForestRegressor

HERE = pathlib.Path(__file__).resolve().parent
SEEDS = {"additive": 600, "untrainable": 600, "digits-lenet": 200}
TREES = 50


def additive():
    """Smooth and additive in five coordinates of unequal weight."""
    rng = np.random.default_rng(20180711)
    x = rng.random((300, 5)).astype(np.float32).astype(float)
    optimum = np.array([0.3, 0.7, 0.5, 0.2, 0.6])
    weight = np.array([1.0, 0.8, 0.5, 0.3, 0.1])
    return x, 1.0 - ((x - optimum) ** 2 * weight).sum(axis=1), 3


def untrainable():
    """Like it, but 60 % of the rows stay at chance: those beyond a plane."""
    rng = np.random.default_rng(20180712)
    x = rng.random((300, 5)).astype(np.float32).astype(float)
    optimum = np.array([0.4, 0.6, 0.5, 0.3, 0.5])
    weight = np.array([0.8, 1.0, 0.4, 0.3, 0.1])
    y = 0.99 - ((x - optimum) ** 2 * weight).sum(axis=1)
    plane = x[:, 0] + 0.5 * x[:, 3]
    dead = plane > np.sort(plane)[119]
    return x, np.where(dead, 0.1, y), 3


def digits_lenet():
    """The first 400 rows of the shipped table, by the best validation accuracy of their curves."""
    table = HERE.parents[2] / "tables" / "digits-lenet"
    parameters = json.loads((table / "table.json").read_text())["space"]["parameters"]
    configs = pq.read_table(table / "configs.parquet").to_pydict()
    curves = pq.read_table(table / "curves.parquet").to_pydict()
    rows = 400
    x = np.empty((rows, len(parameters)))
    for j, p in enumerate(parameters):
        low, high = p["low"], p["high"]
        for i in range(rows):
            value = configs[p["name"]][i]
            if p["type"] == "int":
                assert not p.get("log", False)
                x[i, j] = (value - low + 0.5) / (high - low + 1)
            elif p.get("log", False):
                x[i, j] = (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
            else:
                x[i, j] = (value - low) / (high - low)
    x = x.astype(np.float32).astype(float)
    y = np.full(rows, 0.0)
    accuracy = curves["val_accuracy"]
    for config, repeat, value in zip(curves["config_id"], curves["repeat"], accuracy):
        if config < rows and repeat == 0 and value is not None and math.isfinite(value):
            y[config] = max(y[config], value)
    return x, y, 4


def first_hit(x, y, goal_rows, seed):
    """Trials until one of the best rows (ties count) has been evaluated."""
    rng = np.random.default_rng([seed, 2018])
    goal = np.sort(y)[-goal_rows]
    free = rng.permutation(len(y))
    done = []
    while True:
        if len(done) < 2:
            pick = 0
        else:
            forest = RandomForestRegressor(
                TREES, max_features=None, random_state=int(rng.integers(2**31)))
            forest.fit(x[done], 1.0 - y[done])
            rows = x[free].astype(np.float32)
            predicted = np.stack([tree.tree_.predict(rows).ravel() for tree in forest.estimators_])
            mean, variance = predicted.mean(axis=0), predicted.var(axis=0, ddof=1)
            sigma = np.sqrt(variance) + 1e-4
            u = (np.min(1.0 - y[done]) - mean) / sigma
            pick = int(np.argmax(sigma * (u * norm.cdf(u) + norm.pdf(u))))
        row = free[pick]
        free = np.delete(free, pick)
        done.append(row)
        if y[row] >= goal:
            return len(done)


def main():
    out = {}
    for table in (additive, untrainable, digits_lenet):
        name = table.__name__.replace("_", "-")
        x, y, goal_rows = table()
        with open(HERE / f"{name}.csv", "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([f"x{j}" for j in range(x.shape[1])] + ["value"])
            for xs, value in zip(x, y):
                writer.writerow([repr(float(v)) for v in xs] + [repr(float(value))])
        hits = []
        for seed in range(SEEDS[name]):
            hits.append(first_hit(x, y, goal_rows, seed))
        print(name, np.quantile(hits, [0.1, 0.25, 0.5, 0.75, 0.9]), file=sys.stderr)
        out[name] = {"goal_rows": goal_rows, "trials": hits}
        (HERE / "loop.json").write_text(json.dumps(out) + "\n")


if __name__ == "__main__":
    main()
