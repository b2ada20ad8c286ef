#!/usr/bin/env python3
"""Makes cma_es.json: 40 generations of the package cmaes, and the normal numbers that it drew.

Versions: Python 3.11, numpy 2.4, cmaes 0.13.1.
Run from anywhere: python3 make_cma_es_golden.py

Eigenvectors have no sign of their own: here their largest entry, the first of equals, is positive.
"""
import json
import math
import pathlib

import numpy as np
from cmaes import CMA

GENERATIONS = 40


def weighted(x, power):
    return float(sum(power**at * (v - 0.3) * (v - 0.3) for at, v in enumerate(x)))


def sphere(x):
    return weighted(x, 1.0)


def ellipsoid(x):
    return weighted(x, 4.0)


def rosenbrock(x):
    total = 0.0
    for a, b in zip(x, x[1:]):
        bend = b - a * a
        total += 100.0 * bend * bend + (1.0 - a) * (1.0 - a)
    return float(total)


def steps(x):
    return float(sum(math.floor(4.0 * v) for v in x))


plain_eigh = np.linalg.eigh


def signed_eigh(matrix):
    values, vectors = plain_eigh(matrix)
    for column in vectors.T:
        if column[np.argmax(np.abs(column))] < 0:
            column *= -1
    return values, vectors


np.linalg.eigh = signed_eigh


def case(seed, function, dimensions):
    optimizer = CMA(mean=np.full(dimensions, 0.5), sigma=1 / 6)
    rng = np.random.default_rng(seed)
    normals = []

    class Recorded:
        @staticmethod
        def randn(count):
            drawn = rng.standard_normal(count).round(9)
            normals.extend(drawn.tolist())
            return drawn

    optimizer._rng = Recorded
    generations = []
    for _ in range(GENERATIONS):
        points = [optimizer.ask() for _ in range(optimizer.population_size)]
        optimizer.tell([(x, function(x)) for x in points])
        optimizer._eigen_decomposition()
        generations.append({
            "first_point": points[0].tolist(), "mean": optimizer.mean.tolist(),
            "sigma": float(optimizer._sigma), "diagonal": np.diag(optimizer._C).tolist(),
        })
    return {"function": function.__name__, "dimensions": dimensions, "normals": normals,
            "generations": generations}


CASES = [(sphere, 1), (rosenbrock, 2), (ellipsoid, 5), (steps, 9)]
found = [case(seed, *rest) for seed, rest in enumerate(CASES)]
out = pathlib.Path(__file__).with_name("cma_es.json")
out.write_text(json.dumps(found) + "\n")
