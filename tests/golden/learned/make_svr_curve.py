#!/usr/bin/env python3
"""Makes svr_curve.json: how well NuSVR under a search of 1,000 settings predicts last scores.

Of the 100 curves of ../curves/curves.json those with an even or third index (i % 5 < 3) are learned
from, the other 40 predicted, from the scores of the first epochs with their first and second
differences, standardised; the search is that of NASLib's LcSVR: C and gamma log-uniform from 1e-5
to 10, nu uniform, three folds. Five seeds of the search; stored is the share of the variance that
each explains.

Versions: Python 3.11, numpy 2.4.6, scikit-learn 1.9.1.
Run from anywhere: python3 make_svr_curve.py (a minute or two)
"""
import json
import pathlib

import numpy as np
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_score
from sklearn.svm import NuSVR

HERE = pathlib.Path(__file__).parent
GOLDEN = json.loads((HERE.parent / "curves" / "curves.json").read_text())
curves = np.array([c["correct"] for c in GOLDEN["curves"]]) / GOLDEN["images"]
learned = np.arange(100) % 5 < 3


def features(length):
    y = curves[:, :length]
    return np.concatenate([y, np.diff(y), np.diff(y, n=2)], axis=1)


found = []
for length in (6, 9):
    x, y = features(length), curves[:, -1]
    x = (x - x[learned].mean(axis=0)) / x[learned].std(axis=0)
    mean, deviation = y[learned].mean(), y[learned].std()
    scores = []
    for seed in range(5):
        draws = np.random.RandomState(seed)
        best = None
        for _ in range(1000):
            penalty, gamma = np.exp(draws.uniform(np.log(1e-5), np.log(10.0), 2))
            model = NuSVR(C=penalty, nu=draws.uniform(1e-9, 1.0), gamma=gamma)
            folds = KFold(3, shuffle=True, random_state=seed)
            t = (y[learned] - mean) / deviation
            error = -cross_val_score(
                model, x[learned], t, cv=folds, scoring="neg_mean_squared_error").mean()
            if best is None or error < best[0]:
                best = (error, model)
        predicted = best[1].fit(x[learned], t).predict(x[~learned]) * deviation + mean
        scores.append(round(float(r2_score(y[~learned], predicted)), 4))
    print(length, scores, flush=True)
    found.append({"length": length, "explained": scores})
text = json.dumps(found, separators=(",", ":"))
(HERE / "svr_curve.json").write_text(text.replace("},{", "},\n{") + "\n")
