#!/usr/bin/env python3
"""Makes draws.json, linear_algebra.json and lbfgs.json: what numpy and scipy say.

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1.
Run from anywhere: python3 make_kit_golden.py
"""
import json
import pathlib

import numpy as np
from scipy import linalg, optimize, special

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(20261128)


def write(name, content):
    text = json.dumps(content, default=lambda a: a.tolist())
    (HERE / name).write_text(text.replace("}, {", "},\n{") + "\n")


def kernel(n, nugget):
    x = rng.random((n, 3))
    d2 = ((x[:, None] - x[None]) ** 2).sum(-1)
    return np.exp(-2 * d2) + nugget * np.eye(n)


def definite(values):
    """A random symmetric matrix with these eigenvalues."""
    q, _ = np.linalg.qr(rng.standard_normal((len(values), len(values))))
    a = q * np.asarray(values, float) @ q.T
    return (a + a.T) / 2


def cholesky(a, tolerance):
    b = rng.standard_normal(len(a))
    factor = np.linalg.cholesky(a)
    return {
        "matrix": a,
        "factor": factor,
        "right": b,
        "solution": linalg.cho_solve((factor, True), b),
        "half": linalg.solve_triangular(factor, b, lower=True),
        "log_determinant": np.linalg.slogdet(a)[1],
        "tolerance": tolerance,
    }


def eigen(a, unique=True):
    values, vectors = np.linalg.eigh(a)
    largest = vectors[np.abs(vectors).argmax(axis=0), np.arange(len(a))]
    vectors = vectors * np.sign(largest)
    return {"matrix": a, "values": values, "vectors": vectors if unique else None}


def least_squares(a):
    b = rng.standard_normal(len(a))
    return {"matrix": a, "right": b, "solution": np.linalg.lstsq(a, b, rcond=None)[0]}


def radial(n, d):
    """The system of a cubic radial basis with a linear tail."""
    x = rng.random((n, d))
    phi = np.linalg.norm(x[:, None] - x[None], axis=-1) ** 3 + 1e-6 * np.eye(n)
    p = np.hstack([np.ones((n, 1)), x])
    a = np.block([[np.zeros((d + 1, d + 1)), p.T], [p, phi]])
    b = np.concatenate([np.zeros(d + 1), rng.standard_normal(n)])
    return {"matrix": a, "right": b, "solution": np.linalg.solve(a, b)}


square = rng.standard_normal((7, 7))
tall = rng.standard_normal((12, 4))
write(
    "linear_algebra.json",
    {
        "cholesky": [
            cholesky(np.array([[4.0]]), 1e-15),
            cholesky(np.array([[4.0, 2.0], [2.0, 3.0]]), 1e-15),
            cholesky(kernel(40, 0.1), 1e-12),
            # Solutions lose what the condition number, 10^5, takes.
            cholesky(definite(np.logspace(-5, 0, 35)), 1e-9),
        ],
        "symmetric_eigen": [
            eigen(np.array([[3.0]])),
            eigen(np.array([[2.0, 1.0], [1.0, 2.0]]), False),
            eigen(definite([-2, -0.5, 0, 1, 3, 7, 7.5, 9, 30])),
            eigen(np.eye(4), False),
            eigen(definite([1, 1, 1, 2, 2]), False),
            eigen(np.zeros((3, 3)), False),
        ],
        "least_squares": [
            least_squares(tall),
            least_squares(np.hstack([tall, tall[:, :1] + tall[:, 1:2]])),
            least_squares(tall.T.copy()),
            least_squares(np.vander(np.linspace(0.1, 1, 9), 4)),
        ],
        "solve": [
            {"matrix": square, "right": square[0], "solution": np.linalg.solve(square, square[0])},
            radial(15, 3),
        ],
    },
)

probabilities = [1e-300, 1e-100, 1e-20, 1e-10, 1e-5, 0.001, 0.02, 0.074, 0.0751, 0.3, 0.49]
probabilities += [0.5, 0.5000001, 0.7, 0.924, 0.9251, 0.99, 0.9999, 1 - 1e-9]
write(
    "draws.json",
    {"normal_quantile": [{"probability": p, "z": special.ndtri(p)} for p in probabilities]},
)


def rosenbrock(x):
    return optimize.rosen(x), optimize.rosen_der(x)


def minimise(function, start, bounds):
    options = {"maxiter": 10_000, "maxfun": 100_000, "ftol": 0, "gtol": 1e-12, "maxcor": 10}
    found = optimize.minimize(
        function, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    return {"start": start, "bounds": bounds, "point": found.x, "value": found.fun}


def quadratic(n, condition, start, low, high):
    a = definite(np.logspace(0, np.log10(condition), n))
    b = 3 * rng.standard_normal(n)
    bounds = [[low, high]] * n
    case = minimise(lambda x: (x @ a @ x / 2 - b @ x, a @ x - b), [start] * n, bounds)
    return case | {"matrix": a, "linear": b}


wide = [-1e3, 1e3]
write(
    "lbfgs.json",
    {
        "rosenbrock": [
            minimise(rosenbrock, [-1.2, 1.0], [wide, wide]),
            minimise(rosenbrock, [-1.2, 1.0] * 5, [wide] * 10),
            minimise(rosenbrock, [-1.2, 1.0], [[-2.0, 0.5], [-1.0, 2.0]]),
            minimise(rosenbrock, [0.0, 0.0, 0.0, 0.0], [[-1.0, 2.0], [0.0, 0.3], wide, wide]),
            minimise(rosenbrock, [2.0, 2.0, 2.0], [[1.5, 3.0], wide, wide]),
        ],
        "quadratic": [
            quadratic(6, 10, 0.0, -1.0, 1.0),
            quadratic(12, 1e3, 0.5, 0.0, 1.0),
            quadratic(12, 1e3, 0.0, -1e3, 1e3),
            quadratic(20, 100, 0.1, -0.2, 0.3),
        ],
    },
)
