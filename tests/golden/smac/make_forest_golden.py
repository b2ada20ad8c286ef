#!/usr/bin/env python3
"""Makes forest.json: what SMAC3's random forest predicts for losses that are logarithms.

Versions: Python 3.11, numpy 2.4.6, scikit-learn 1.6.1, smac 2.4.0.
Run from anywhere: python3 make_forest_golden.py

The forest is SMAC3's `EPMRandomForest` as its HPO facade sets it, but for the number of trees and,
of single trees, the bootstrap; and there is no limit of leaves, for whose 2^20 scikit-learn
would clear 200 MB a tree. Coarse coordinates put several observations into one leaf, whose
value is the logarithm of the mean of exp(target); some targets differ by less than the least
decrease of impurity notices. The observations of a case are its first rows; predictions are for all
rows. A single tree has one feature, so that no splits are tied.
"""
import json
import pathlib

import numpy as np
from smac.model.random_forest.random_forest import EPMRandomForest

rng = np.random.default_rng(20261128)


def coordinates(rows, features, steps):
    return np.floor(rng.random((rows, features)) * steps) / steps


def targets_of(x):
    y = 3 * np.sin(5 * x[:, 0]) - 3 + rng.normal(0, 0.5, len(x))
    # Pairs that nothing tells apart.
    y[1::6] = y[0::6][: len(y[1::6])] + 1e-5
    return np.round(y * 2**40) / 2**40


def forest(trees, bootstrap):
    return EPMRandomForest(n_estimators=trees, log_y=True, bootstrap=bootstrap, max_features=1.0,
                           max_depth=2**20, min_samples_split=2, min_samples_leaf=1,
                           min_impurity_decrease=1e-8, random_state=1, n_jobs=1)


def case(x, y, **more):
    return {"features": x.T.tolist(), "targets": y.tolist(), **more}


single = []
for rows, steps in [(40, 16), (90, 64), (120, 256)]:
    x = coordinates(rows + 60, 1, steps)
    y = targets_of(x[:rows])
    # Neighbours of nearly the same target.
    x[0], x[1] = 2.0, 2.5
    model = forest(1, False)
    model.fit(x[:rows], y)
    single.append(case(x, y, predictions=model.predict(x)[0].ravel().tolist()))

forests = []
for rows, features, steps in [(16, 3, 16), (60, 4, 16)]:
    x = coordinates(180, features, steps)
    y = targets_of(x[:rows])
    model = forest(2000, True)
    model.fit(x[:rows], y)
    p = model.all_trees_pred(x)
    centred = p - p.mean(axis=1, keepdims=True)
    forests.append(case(x, y, means=p.mean(axis=1).tolist(),
                        variances=p.var(axis=1, ddof=1).tolist(),
                        fourth_moments=(centred**4).mean(axis=1).tolist()))

text = json.dumps({"single_trees": single, "forests": forests})
path = pathlib.Path(__file__).with_name("forest.json")
path.write_text(text.replace("}, {", "},\n{") + "\n")
