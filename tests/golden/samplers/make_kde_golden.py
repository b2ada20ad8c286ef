#!/usr/bin/env python3
"""Makes kde-statsmodels.json: statsmodels' KDEMultivariate as BOHB fits it, widths and densities.

Versions: Python 3.11, numpy 2.4.6, statsmodels 0.15.0. python3 make_kde_golden.py

`choices` has 0 for a number and else how many choices there are; data and points stand row after
row; an infinite density is null.
"""
import json
import math
import pathlib

import numpy as np
import statsmodels
from statsmodels.nonparametric.kernel_density import KDEMultivariate

assert statsmodels.__version__ == "0.15.0"
np.seterr(divide="ignore", invalid="ignore")
rng = np.random.default_rng(9)
cases = []
for at, (choices, rows) in enumerate([
        ([0], 4), ([0, 0], 7), ([0, 3], 12), ([0, 0, 4, 0], 9), ([0, 2, 5, 0, 0], 30),
        ([3, 0], 8), ([0, 0, 0, 0, 0, 0, 0, 0, 0], 60), ([0, 4], 20), ([0, 3, 0], 25),
        ([2, 2], 10)]):
    def draw(count):
        columns = [rng.integers(0, c, count) if c else np.clip(rng.normal(0.6, 0.2, count), 0, 1)
                   for c in choices]
        return np.array(columns, dtype=float).T

    data, points = draw(rows), draw(20)
    if at == 5:
        data[:, 0] = 1.0  # One choice alone.
    if at == 1:
        data[:, 1] = 0.25  # No deviation at all.
    kde = KDEMultivariate(data, "".join("u" if c else "c" for c in choices), bw="normal_reference")
    kde.bw = np.clip(kde.bw, 1e-3, None)
    density = [x if math.isfinite(x) else None for x in np.atleast_1d(kde.pdf(points)).tolist()]
    assert not any(np.isnan(kde.pdf(points)))
    cases.append({"choices": choices, "data": data.ravel().tolist(), "widths": kde.bw.tolist(),
                  "points": points.ravel().tolist(), "density": density})
lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
(pathlib.Path(__file__).parent / "kde-statsmodels.json").write_text(f"[\n{lines}\n]\n")
