#!/usr/bin/env python3
"""Time of one RF-EI decision with scikit-learn, the peer of `cargo bench --bench rf_ei`.

What: on a table of 2,000 or 20,000 rows and 9 uniform features, with 50 or 200 rows observed, fit a
forest of 50 trees grown to purity (all features), predict every row with each tree, and take the
row with the largest expected improvement: the loop of Spearmint's RandomForestEIChooser. The
objective is that of benches/rf_ei.rs (other random numbers); observed rows are drawn at random.
One thread; the median of `--decisions` decisions, each on one observation more.

`estimators` is the plain loop over `forest.estimators_` with `predict`; `tree_` skips its input
checks by calling `tree_.predict` on a float32 copy made once.

Install (Python 3.11):
  python3 -m venv /tmp/peers && /tmp/peers/bin/pip install scikit-learn==1.9.1 numpy==2.4.6 \\
      scipy==1.17.1
Run:
  OMP_NUM_THREADS=1 /tmp/peers/bin/python benches/peers/rf_ei_scikit_learn.py

Measured on 2026-11-21, Python 3.11.7, 2 cores (AMD EPYC) under a load of about 4, median of 7 in ms
(`estimators`, `tree_`); in the same hour the Rust side's nested bootstraps took 0.9, 1.8, 3.8, 4.1:
   2,000 rows,  50 observations:  73.9,  64.2
   2,000 rows, 200 observations: 110.3, 102.8
  20,000 rows,  50 observations: 116.9,  84.9
  20,000 rows, 200 observations: 149.2, 118.4
"""
import argparse
import statistics
import time

import numpy as np
from scipy.stats import norm
from sklearn.ensemble import RandomForestRegressor

FEATURES, TREES = 9, 50


def problem(rows, rng):
    x = rng.random((rows, FEATURES))
    y = ((x - 0.4) ** 2 / np.arange(1, FEATURES + 1)).sum(axis=1) + 0.02 * rng.random(rows)
    return x, y


def decide(x, x32, y, done, free, seed, how):
    forest = RandomForestRegressor(TREES, max_features=None, random_state=seed, n_jobs=1)
    forest.fit(x[done], y[done])
    if how == "tree_":
        rows = x32[free]
        p = np.stack([tree.tree_.predict(rows).ravel() for tree in forest.estimators_])
    else:
        p = np.stack([tree.predict(x[free]) for tree in forest.estimators_])
    sigma = np.sqrt(p.var(axis=0, ddof=1)) + 1e-4
    u = (y[done].min() - p.mean(axis=0)) / sigma
    return free[np.argmax(sigma * (u * norm.cdf(u) + norm.pdf(u)))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--decisions", type=int, default=20)
    decisions = parser.parse_args().decisions
    for rows in (2_000, 20_000):
        rng = np.random.default_rng(0)
        x, y = problem(rows, rng)
        x32 = x.astype(np.float32)
        for observations in (50, 200):
            for how in ("estimators", "tree_"):
                order = rng.permutation(rows)
                done, free = list(order[:observations]), order[observations:]
                seconds = []
                for seed in range(decisions):
                    start = time.perf_counter()
                    row = decide(x, x32, y, done, free, seed, how)
                    seconds.append(time.perf_counter() - start)
                    done.append(row)
                    free = free[free != row]
                print(f"{how:>10}, {rows:>6} rows, {observations:>3} observations: median "
                      f"{1e3 * statistics.median(seconds):.1f} ms a decision, "
                      f"{1e3 * min(seconds):.1f} to {1e3 * max(seconds):.1f}", flush=True)


if __name__ == "__main__":
    main()
