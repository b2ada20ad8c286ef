#!/usr/bin/env python3
"""Makes parzen-optuna-4.json, parzen-optuna-5.json and parzen-hyperopt.json: the Parzen estimators
of TPE's peers on fixed observations, with their log densities.

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1; optuna 4.9.0 and hyperopt 0.3.0 in one
environment, optuna 5.0.0 in another. Run it in both: python3 make_parzen_golden.py

Centres, deviations and log densities are on the scale on which each peer computes (logarithms,
where a parameter is log). hyperopt's loguniform density carries the Jacobian and leaves out the
share that is accepted: both are undone here, so that all densities are of the logarithm.

Both peers sort by numpy's default, which leaves the order of equal observations to the machine, and
with it which of them has the larger deviation. Here it is the stable sort: the older comes first.
"""
import json
import pathlib

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers._tpe.parzen_estimator import _ParzenEstimator, _ParzenEstimatorParameters
from optuna.samplers._tpe.sampler import default_weights

default_argsort = np.argsort
np.argsort = lambda a, axis=-1, kind="stable": default_argsort(a, axis=axis, kind=kind)

HERE = pathlib.Path(__file__).parent
MAJOR = int(optuna.__version__.split(".")[0])
COUNTS = [0, 1, 2, 3, 10, 24, 25, 26, 60, 130]
SPACES = {
    "real": FloatDistribution(0.25, 1.0),
    "real-log": FloatDistribution(1e-4, 0.5, log=True),
    "int": IntDistribution(2, 10),
    "int-log": IntDistribution(1, 350, log=True),
    "choice": CategoricalDistribution(["a", "b", "c"]),
}


def draw(rng, kind, size):
    """Clustered values, some of them at the ends, and ties."""
    space = SPACES[kind]
    if kind == "choice":
        return rng.choice(3, size=size, p=[0.6, 0.3, 0.1]).astype(float)
    clustered = np.clip(rng.normal(0.8, 0.1, size), 0, 1)
    u = np.where(rng.random(size) < 0.5, rng.random(size), clustered)
    low, high = (np.log(space.low), np.log(space.high)) if space.log else (space.low, space.high)
    x = low + u * (high - low)
    x = np.exp(x) if space.log else x
    x = np.rint(x) if kind.startswith("int") else x
    return np.clip(x, space.low, space.high)


def parameters(multivariate):
    return _ParzenEstimatorParameters(
        prior_weight=1.0, consider_magic_clip=True, consider_endpoints=False,
        weights=default_weights, multivariate=multivariate,
        **({"categorical_distance_func": {}} if MAJOR == 4 else {}))


def optuna_case(rng, kinds, count, multivariate):
    observations = {kind: draw(rng, kind, count) for kind in kinds}
    at = {kind: draw(rng, kind, 12) for kind in kinds}
    parzen = _ParzenEstimator(
        observations, {kind: SPACES[kind] for kind in kinds}, parameters(multivariate))
    mixture = parzen._mixture_distribution
    kernels = {}
    for kind, distribution in zip(kinds, mixture.distributions):
        kernels[kind] = {"rows": distribution.weights.tolist()} if kind == "choice" else {
            "centres": distribution.mu.tolist(), "deviations": distribution.sigma.tolist()}
    return {
        "kinds": kinds,
        "observations": {kind: values.tolist() for kind, values in observations.items()},
        "weights": mixture.weights.tolist(),
        "kernels": kernels,
        "at": {kind: values.tolist() for kind, values in at.items()},
        "log_density": parzen.log_pdf(at).tolist(),
    }


def hyperopt_case(rng, kind, count):
    from hyperopt import tpe

    values, at = draw(rng, kind, count), draw(rng, kind, 12)
    case = {"kinds": [kind], "observations": {kind: values.tolist()}, "at": {kind: at.tolist()}}
    if kind == "choice":
        weights = tpe.linear_forgetting_weights(count, tpe.DEFAULT_LF)
        counts = np.bincount(values.astype(int), weights=weights, minlength=3)
        rows = tpe.tpe_cat_pseudocounts(counts, 1.0, np.full(3, 1 / 3), (1,))
        density = tpe.categorical_lpdf(at.astype(int), rows)
        return {**case, "weights": [1.0], "kernels": {kind: {"rows": [rows.tolist()]}},
                "log_density": density.tolist()}
    space = SPACES[kind]
    q, half = (1.0, 0.5) if kind.startswith("int") else (None, 0.0)
    low, high = space.low - half, space.high + half
    if space.log:
        low, high = np.log(low), np.log(high)
    scaled = np.log(values) if space.log else values
    mixture = tpe.adaptive_parzen_normal(scaled, 1.0, 0.5 * (low + high), high - low)
    density = (tpe.LGMM1_lpdf if space.log else tpe.GMM1_lpdf)(at, *mixture, low, high, q=q)
    if kind == "real-log":
        weights, centres, deviations = mixture
        share = tpe.normal_cdf(high, centres, deviations) - tpe.normal_cdf(low, centres, deviations)
        density = density + np.log(at) - np.log(np.sum(weights * share))
    weights, centres, deviations = (part.tolist() for part in mixture)
    return {**case, "weights": weights,
            "kernels": {kind: {"centres": centres, "deviations": deviations}},
            "log_density": density.tolist()}


def write(name, cases):
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / name).write_text(f"[\n{lines}\n]\n")


rng = np.random.default_rng(14)
every = list(SPACES)
if MAJOR == 4:
    assert optuna.__version__ == "4.9.0"
    write("parzen-optuna-4.json",
          [optuna_case(rng, [kind], count, False) for kind in every for count in COUNTS])
    write("parzen-hyperopt.json",
          [hyperopt_case(rng, kind, count) for kind in every for count in COUNTS])
else:
    assert optuna.__version__ == "5.0.0"
    write("parzen-optuna-5.json", [optuna_case(rng, every, count, True) for count in COUNTS])
