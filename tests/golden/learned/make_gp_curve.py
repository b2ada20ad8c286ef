#!/usr/bin/env python3
"""Makes gp_curve.json: last scores of recorded curves predicted by scikit-learn's Gaussian process.

Of the 100 curves of ../curves/curves.json those with i % 5 < 3 are learned from, the other 40
predicted, from the scores of the first epochs less their mean, over their deviation and the root of
their number; the kernel is a constant times Matern 5/2 with one lengthscale, and noise. The
likelihood is maximised from the two starts and within the bounds that the rule has.

Versions: Python 3.11, numpy 2.4.6, scikit-learn 1.9.1.
Run from anywhere: python3 make_gp_curve.py
"""
import json
import pathlib
import warnings

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

warnings.filterwarnings("ignore")
HERE = pathlib.Path(__file__).parent
GOLDEN = json.loads((HERE.parent / "curves" / "curves.json").read_text())
curves = np.array([c["correct"] for c in GOLDEN["curves"]]) / GOLDEN["images"]
learned = np.arange(100) % 5 < 3
found = []
for length in (6, 9, 15):
    x, y = curves[:, :length], curves[:, -1]
    x = (x - x[learned].mean()) / x[learned].std() / np.sqrt(length)
    mean, deviation = y[learned].mean(), y[learned].std()
    best = None
    for weight, noise in ((1.0, 0.01), (10.0, 0.1)):
        kernel = (
            ConstantKernel(1.0, (1e-2, 1e2))
            * Matern(weight**-0.5, (1e-3**0.5, 1e3**0.5), nu=2.5)
            + WhiteKernel(noise, (1e-6, 1.0)))
        model = GaussianProcessRegressor(kernel, alpha=0.0)
        model.fit(x[learned], (y[learned] - mean) / deviation)
        if best is None or model.log_marginal_likelihood_value_ > best[0]:
            best = (model.log_marginal_likelihood_value_, model)
    means, deviations = best[1].predict(x[~learned], return_std=True)
    print(length, best[0], best[1].kernel_)
    found.append({
        "length": length,
        "log_likelihood": best[0],
        "means": (means * deviation + mean).round(9).tolist(),
        "deviations": (deviations * deviation).round(9).tolist(),
    })
text = json.dumps(found, separators=(",", ":"))
(HERE / "gp_curve.json").write_text(text.replace("},{", "},\n{") + "\n")
