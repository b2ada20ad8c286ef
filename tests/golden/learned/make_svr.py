#!/usr/bin/env python3
"""Makes svr.json: predictions of scikit-learn's NuSVR on fixed points, at a tolerance of 1e-10.

Versions: Python 3.11, numpy 2.4.6, scikit-learn 1.9.1.
Run from anywhere: python3 make_svr.py
"""
import json
import pathlib

import numpy as np
from sklearn.svm import NuSVR

HERE = pathlib.Path(__file__).parent
COUNT, WIDTH = 60, 5


def number(at):
    """A fixed sequence without a generator, so that both sides can compute it."""
    return np.sin(1.0 + 0.7 * at + 0.013 * at * at)


def points(first, count):
    at = np.arange(first * WIDTH, (first + count) * WIDTH, dtype=float)
    return 1.5 * number(at).reshape(count, WIDTH)


X = points(0, COUNT)
Y = np.sin(2.0 * X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] + 0.2 * number(5000.0 + np.arange(COUNT))
# Shares that do not fill whole points: else all weights are at a bound and the bias is not one.
CASES = [
    (1.0, 0.51, 0.2), (2.0, 0.43, 0.3), (10.0, 0.11, 0.05), (0.01, 0.87, 0.5),
    (5.0, 0.021, 0.2), (1e-4, 0.53, 1.0), (8.0, 0.71, 3.0), (0.3, 0.99, 0.001), (100.0, 0.31, 0.1),
]
found = []
for penalty, nu, gamma in CASES:
    model = NuSVR(C=penalty, nu=nu, gamma=gamma, tol=1e-10).fit(X, Y)
    predictions = model.predict(np.concatenate([X, points(1000, 20)]))
    found.append({
        "penalty": penalty, "nu": nu, "gamma": gamma,
        "predictions": [round(float(p), 9) for p in predictions],
    })
text = json.dumps(found, separators=(",", ":"))
(HERE / "svr.json").write_text(text.replace("},{", "},\n{") + "\n")
