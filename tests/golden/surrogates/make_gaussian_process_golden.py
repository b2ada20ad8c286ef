#!/usr/bin/env python3
"""Makes gaussian_process.json: what scikit-learn's GaussianProcessRegressor says at fixed
hyperparameters, and the largest log marginal likelihood that it finds.

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.9.1.
Run from anywhere: python3 make_gaussian_process_golden.py

Gradients are by the logarithms of scikit-learn's parameters: constant, lengthscales, noise. Its
predicted variance has the noise in it, which is taken off here.
"""
import json
import pathlib
import warnings

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, WhiteKernel

warnings.simplefilter("ignore")
rng = np.random.default_rng(20261128)
LENGTHS, SCALES, NOISES = (1e-2, 1e2), (1e-3, 1e3), (1e-6, 1e1)


def kernel(shape, scale, lengths, noise):
    if shape == "matern52":
        inner = Matern(length_scale=lengths, length_scale_bounds=LENGTHS, nu=2.5)
    else:
        inner = RBF(length_scale=lengths, length_scale_bounds=LENGTHS)
    return ConstantKernel(scale, SCALES) * inner + WhiteKernel(noise, NOISES)


def case(shape, rows, columns, noise):
    x = np.round(rng.random((rows, columns)), 6)
    y = np.sin(4 * x[:, 0]) + 0.5 * x[:, -1] ** 2 + rng.normal(0, 0.1, rows)
    y = np.round(y - y.mean(), 6)
    queries = np.round(rng.random((6, columns)) * 1.4 - 0.2, 6)
    queries[0] = x[0]
    lengths, scale = np.round(rng.uniform(0.2, 2.0, columns), 3), 1.7
    fixed = kernel(shape, scale, lengths, noise)
    model = GaussianProcessRegressor(kernel=fixed, alpha=0.0, optimizer=None).fit(x, y)
    mean, covariance = model.predict(queries, return_cov=True)
    likelihood, gradient = model.log_marginal_likelihood(model.kernel_.theta, eval_gradient=True)
    free = kernel(shape, 1.0, np.ones(columns), 0.1)
    best = GaussianProcessRegressor(kernel=free, alpha=0.0, n_restarts_optimizer=12,
                                    random_state=1).fit(x, y)
    return {
        "shape": shape, "inputs": x.tolist(), "targets": y.tolist(), "queries": queries.tolist(),
        "scale": scale, "lengths": lengths.tolist(), "noise": noise, "mean": mean.tolist(),
        "covariance": (covariance - noise * np.eye(len(queries))).tolist(),
        "log_likelihood": float(likelihood), "gradient": gradient.tolist(),
        "best_log_likelihood": float(best.log_marginal_likelihood_value_),
    }


cases = [case("matern52", 8, 2, 0.01), case("matern52", 40, 4, 0.05), case("matern52", 25, 1, 1e-4),
         case("squared-exponential", 25, 3, 0.02), case("squared-exponential", 12, 2, 1e-3)]
text = json.dumps({"lengths": LENGTHS, "scales": SCALES, "noises": NOISES, "cases": cases})
path = pathlib.Path(__file__).with_name("gaussian_process.json")
path.write_text(text.replace("}, {", "},\n{") + "\n")
