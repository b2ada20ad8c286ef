#!/usr/bin/env python3
"""Makes forest.json: what scikit-learn's single trees predict, and the moments of its forests.

Versions: Python 3.11, numpy 2.4.6, scikit-learn 1.9.1.
Run from anywhere: python3 make_forest_golden.py

Single trees have no tied splits: with one feature there is nobody to tie with; with several, nodes
are leaves below `min_samples_split` observations (two observations tie in every feature), and a
case is kept only if trees of 20 random states agree. Targets are multiples of 2^-40.
The observations of a case are its first rows; predictions are for all rows. Coordinates are exact
in 32 bits, which is what scikit-learn computes thresholds from.
"""
import json
import pathlib

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.tree import DecisionTreeRegressor

rng = np.random.default_rng(20180710)


def coordinates(rows, features):
    return (rng.integers(0, 2**20, (rows, features)) / 2**20).astype(float)


def targets_of(x):
    y = np.sin(5 * x[:, 0]) + rng.normal(0, 0.3, len(x))
    if x.shape[1] > 1:
        y += x[:, 1] ** 2
    return np.round(y * 2**40) / 2**40


def case(x, y, **more):
    return {"features": x.T.tolist(), "targets": y.tolist(), **more}


single = []
for rows, features, split_min in [(30, 1, 2), (120, 1, 2), (60, 3, 6), (120, 4, 8), (120, 9, 10),
                                  (200, 9, 12), (40, 2, 5)]:
    while True:
        x = coordinates(rows + 100, features)
        y = targets_of(x[:rows])
        trees = [DecisionTreeRegressor(min_samples_split=split_min, random_state=state)
                 .fit(x[:rows], y).predict(x) for state in range(20)]
        if all(np.abs(tree - trees[0]).max() < 1e-12 for tree in trees):
            break
    single.append(case(x, y, min_samples_split=split_min, predictions=trees[0].tolist()))

forests = []
for rows, features in [(12, 3), (60, 5)]:
    x = coordinates(200, features)
    x[:, -1] = np.floor(x[:, -1] * 3) / 4  # a coarse feature: tied values and tied splits
    y = targets_of(x[:rows])
    forest = RandomForestRegressor(2000, max_features=None, random_state=1, n_jobs=1)
    forest.fit(x[:rows], y)
    p = np.stack([tree.predict(x) for tree in forest.estimators_])
    centred = p - p.mean(axis=0)
    forests.append(case(x, y, means=p.mean(axis=0).tolist(),
                        variances=p.var(axis=0, ddof=1).tolist(),
                        fourth_moments=(centred**4).mean(axis=0).tolist()))

text = json.dumps({"single_trees": single, "forests": forests})
pathlib.Path(__file__).with_name("forest.json").write_text(text.replace("}, {", "},\n{") + "\n")
