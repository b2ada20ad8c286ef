#!/usr/bin/env python3
"""Makes radial_basis.json: what pySOT's cubic interpolant with a linear tail predicts.

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1, pySOT 0.3.3.
Run from anywhere: python3 make_radial_basis_golden.py
"""
import json
import pathlib

import numpy as np
from pySOT.surrogate import CubicKernel, LinearTail, RBFInterpolant

rng = np.random.default_rng(20261128)
cases = []
for rows, columns in [(8, 2), (30, 4), (60, 9)]:
    x = np.round(rng.random((rows, columns)), 6)
    y = np.round(np.sin(4 * x[:, 0]) + x[:, -1] ** 2 + rng.normal(0, 0.05, rows), 6)
    queries = np.round(rng.random((8, columns)), 6)
    model = RBFInterpolant(dim=columns, lb=np.zeros(columns), ub=np.ones(columns),
                           kernel=CubicKernel(), tail=LinearTail(columns), eta=1e-6)
    model.add_points(x, y.reshape(-1, 1))
    cases.append({"inputs": x.tolist(), "targets": y.tolist(), "queries": queries.tolist(),
                  "predictions": model.predict(queries).ravel().tolist()})
text = json.dumps(cases).replace("}, {", "},\n{")
pathlib.Path(__file__).with_name("radial_basis.json").write_text(text + "\n")
