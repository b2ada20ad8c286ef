#!/usr/bin/env python3
"""Makes freeze_thaw.json: what the freeze-thaw model of learning curves says of asymptotes.

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1.
Run from anywhere: python3 make_freeze_thaw.py

Everything is taken from the joint normal distribution of all observations and the asymptotes that
are asked for, whose covariance is written down observation by observation: none of the algebra by
which a curve becomes one value.
"""
import json
import math
import pathlib

import numpy as np
from scipy.stats import multivariate_normal


def matern(x, y, hyper):
    squared = sum(((a - b) / length) ** 2
                  for a, b, length in zip(x, y, hyper["lengthscales"], strict=True))
    r = math.sqrt(5 * squared)
    return hyper["scale"] * (1 + r + r * r / 3) * math.exp(-r)


def decay(t, u, hyper):
    """As in Syne Tune's `ExponentialDecayBaseKernelFunction`, without its mean function."""
    alpha, beta = hyper["alpha"], hyper["beta"]
    return hyper["decay"] * beta ** alpha / (t + u + beta) ** alpha


def case(seed, width, lengths, hyper):
    rng = np.random.default_rng(seed)
    points = rng.random((len(lengths), width)).round(3).tolist()
    curves = []
    for length in lengths:
        epochs = sorted(rng.choice(np.arange(1, 21), size=length, replace=False).tolist())
        level, drop = rng.normal(), rng.random()
        values = [round(float(level - drop / e + 0.05 * rng.normal()), 4) for e in epochs]
        curves.append(list(zip(epochs, values)))
    asked = points[:2] + rng.random((3, width)).round(3).tolist()
    seen = [(i, e) for i, curve in enumerate(curves) for e, _ in curve]
    y = np.array([value for curve in curves for _, value in curve])
    covariance = np.array([[
        matern(points[i], points[j], hyper)
        + (decay(t, u, hyper) + hyper["noise"] * (t == u) if i == j else 0.0)
        for j, u in seen] for i, t in seen])
    mean = np.full(len(y), hyper["mean"])
    likelihood = multivariate_normal(mean, covariance).logpdf(y)
    found = []
    for point in asked:
        cross = np.array([matern(point, points[i], hyper) for i, _ in seen])
        weights = np.linalg.solve(covariance, cross)
        found.append([float(hyper["mean"] + weights @ (y - mean)),
                      float(hyper["scale"] - weights @ cross)])
    return {"hyper": hyper, "points": points, "curves": curves, "asked": asked,
            "log_likelihood": float(likelihood), "asymptotes": found}


def main():
    plain = {"lengthscales": [0.5], "scale": 1.0, "mean": 0.2, "decay": 1.0, "alpha": 1.0,
             "beta": 1.0, "noise": 0.01}
    other = {"lengthscales": [0.3, 1.5, 4.0], "scale": 2.5, "mean": -0.4, "decay": 0.6,
             "alpha": 2.3, "beta": 5.0, "noise": 0.003}
    golden = [case(1, 1, [1], plain), case(2, 1, [3, 1, 8], plain),
              case(3, 3, [5, 12, 1, 2, 7], other),
              case(4, 3, [20, 1, 1, 1, 1, 4, 9, 2], {**other, "noise": 0.2, "decay": 0.01})]
    path = pathlib.Path(__file__).with_name("freeze_thaw.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
