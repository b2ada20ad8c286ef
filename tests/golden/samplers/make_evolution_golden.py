#!/usr/bin/env python3
"""Makes evolution.json: what Syne Tune's regularised evolution proposes after each history.

Versions: Python 3.11, numpy 2.4, syne-tune 0.16.0.
Run from anywhere: python3 make_evolution_golden.py
"""
import json

import population_histories as ph
from syne_tune.config_space import choice, loguniform, randint, uniform
from syne_tune.optimizer.schedulers.searchers.regularized_evolution import RegularizedEvolution

SPACE = {
    "momentum": uniform(0.0, 1.0),
    "rate": loguniform(1e-4, 1e-1),
    "units": randint(1, 8),
    "optimizer": choice(["c0", "c1", "c2", "c3"]),
}


def case(at, history):
    searcher = RegularizedEvolution(
        SPACE, points_to_evaluate=[], population_size=20, sample_size=5, random_seed=at
    )
    for trial, (point, loss) in enumerate(zip(history["points"], history["losses"])):
        searcher.on_trial_complete(trial, ph.configuration(point), ph.told(loss))
    return ph.counts([searcher.suggest() for _ in range(ph.DRAWS)])


found = [case(at, history) for at, history in enumerate(ph.histories())]
(ph.HERE / "evolution.json").write_text(json.dumps(found) + "\n")
