#!/usr/bin/env python3
"""Makes ga.json: what Optuna's NSGAIISampler proposes after each history, with one objective.

Versions: Python 3.11, numpy 2.4, optuna 4.9.0.
Run from anywhere: python3 make_ga_golden.py

Each history is three generations of 10. Trials that reported nothing are completed with a loss of
1e9, as ours join as the worst; Optuna would not know of failed ones.
"""
import json

import optuna
import population_histories as ph
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial

optuna.logging.set_verbosity(optuna.logging.ERROR)
SPACE = {
    "momentum": FloatDistribution(0.0, 1.0),
    "rate": FloatDistribution(1e-4, 1e-1, log=True),
    "units": IntDistribution(1, 8),
    "optimizer": CategoricalDistribution(["c0", "c1", "c2", "c3"]),
}


def case(at, history):
    sampler = optuna.samplers.NSGAIISampler(population_size=10, seed=at)
    study = optuna.create_study(sampler=sampler)
    key = sampler._get_generation_key()
    for number, (point, loss) in enumerate(zip(history["points"], history["losses"])):
        study.add_trial(
            create_trial(
                params=ph.configuration(point),
                distributions=SPACE,
                value=ph.told(loss),
                system_attrs={key: number // 10},
            )
        )
    drawn = []
    for _ in range(ph.DRAWS):
        trial = study.ask(SPACE)
        assert trial.system_attrs[key] == 3
        drawn.append(trial.params)
        study.tell(trial, state=TrialState.FAIL)
    return ph.counts(drawn)


found = [case(at, history) for at, history in enumerate(ph.histories())]
(ph.HERE / "ga.json").write_text(json.dumps(found) + "\n")
