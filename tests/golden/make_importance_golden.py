#!/usr/bin/env python3
"""Makes importance.json: PED-ANOVA of mixed spaces as Optuna's evaluator computes it.

Versions: Python 3.11, optuna 4.9.0, numpy 2.4.6.
Run from anywhere: python3 make_importance_golden.py (seconds)

Each case has columns of values, losses, and one importance a column for each of a few settings.
Choices are written by their position, and null where a trial lacks the parameter.
"""
import json
import math
import pathlib
import warnings

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")

MIXED = {
    "filters": IntDistribution(1, 350),
    "pool": IntDistribution(2, 3),
    "units": IntDistribution(1, 1024, log=True),
    "batch": IntDistribution(16, 31, log=True),
    "rate": FloatDistribution(1e-4, 0.31622776601683794, log=True),
    "dropout": FloatDistribution(0.0, 0.9),
    "activation": CategoricalDistribution(["relu", "elu", "tanh"]),
    "fixed": FloatDistribution(0.5, 0.5),
}
SETTINGS = [(0.1, 1.0, True), (0.1, 1.0, False), (0.25, 0.5, True), (0.01, 0.1, True)]


def draw(rng, distribution):
    u = rng.random()
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(u * len(distribution.choices))]
    low, high = distribution.low, distribution.high
    value = low * (high / low) ** u if distribution.log else low + u * (high - low)
    return int(round(value)) if isinstance(distribution, IntDistribution) else min(value, high)


def loss(rng, p):
    of_rate = (math.log(p["rate"]) + 5) ** 2
    of_choice = {"relu": 0.0, "elu": 1.0, "tanh": 3.0}[p["activation"]]
    return of_rate + of_choice + 2 * p.get("dropout", 0.4) ** 2 + abs(p["filters"] - 60) / 80 + rng.normal() / 4


def case(seed, trials, rounded, conditional):
    rng = np.random.default_rng(seed)
    study = optuna.create_study(direction="minimize")
    rows, losses = [], []
    for _ in range(trials):
        params = {name: draw(rng, distribution) for name, distribution in MIXED.items()}
        if conditional and params["activation"] == "tanh":
            del params["dropout"]
        value = loss(rng, params)
        # Whole losses are often equal, also at the border of the best.
        value = float(round(value)) if rounded else value
        distributions = {name: MIXED[name] for name in params}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=value))
        rows.append(params)
        losses.append(value)
    columns = []
    for name, distribution in MIXED.items():
        kind = {"log": getattr(distribution, "log", False)}
        if isinstance(distribution, CategoricalDistribution):
            kind = {"choices": len(distribution.choices)}
            values = [distribution.choices.index(row[name]) if name in row else None for row in rows]
        else:
            kind.update(low=distribution.low, high=distribution.high)
            kind["int"] = isinstance(distribution, IntDistribution)
            values = [row.get(name) for row in rows]
        importances = []
        for target, region, local in SETTINGS:
            evaluator = PedAnovaImportanceEvaluator(
                target_quantile=target, region_quantile=region, evaluate_on_local=local
            )
            importances.append(evaluator.evaluate(study, params=[name])[name])
        columns.append({"name": name, **kind, "values": values, "importances": importances})
    return {"losses": losses, "columns": columns}


def main():
    settings = [{"target": t, "region": r, "local": local} for t, r, local in SETTINGS]
    cases = [
        case(1, 400, False, False),
        case(2, 150, True, False),
        case(3, 120, False, True),
        case(4, 7, False, False),
        case(5, 3, False, False),
        case(6, 2, False, False),
    ]
    text = json.dumps({"settings": settings, "cases": cases}, separators=(",", ":"))
    text = text.replace('{"name"', '\n{"name"').replace('{"losses"', '\n{"losses"')
    pathlib.Path(__file__).with_name("importance.json").write_text(text + "\n")


main()
