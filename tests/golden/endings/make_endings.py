"""After how many trials two endings of other programs find a search over.

optuna==4.9.0, ray[tune]==2.55.1, numpy (any): python make_endings.py > endings.json

200 histories of 120 values each, in the order of the trials' ends: random walks towards a
plateau, in steps of a thousandth so that ties stand among them. For each setting the number of
trials after which the search ends, null where it goes on. Optuna's terminator is asked with no
error (`StaticErrorEvaluator(0)`) and from the first trial on, Ray's stopper with one result a
trial.
"""
import json
import random

import optuna
from optuna.terminator import BestValueStagnationEvaluator, StaticErrorEvaluator, Terminator
from ray.tune.stopper import ExperimentPlateauStopper

optuna.logging.set_verbosity(optuna.logging.ERROR)
STAGNATION = [0, 1, 5, 30]
PLATEAU = [(10, 0.001, 0), (3, 0.005, 0), (2, 1e-9, 2), (5, 0.01, 4)]


def history(seed):
    draw = random.Random(seed)
    top = draw.choice([0.7, 0.9, 0.99])
    spread = draw.choice([0.002, 0.02, 0.3])
    return [round(max(0.0, top - abs(draw.gauss(0, spread))), 3) for _ in range(120)]


def stagnation(values, trials):
    study = optuna.create_study(direction="maximize")
    evaluator = BestValueStagnationEvaluator(max_stagnation_trials=trials)
    terminator = Terminator(evaluator, StaticErrorEvaluator(0), min_n_trials=1)
    for count, value in enumerate(values, 1):
        study.add_trial(optuna.trial.create_trial(value=value))
        if terminator.should_terminate(study):
            return count
    return None


def plateau(values, top, std, patience):
    stopper = ExperimentPlateauStopper("value", std=std, top=top, mode="max", patience=patience)
    for count, value in enumerate(values, 1):
        stopper("trial", {"value": value})
        if stopper.stop_all():
            return count
    return None


histories = [history(seed) for seed in range(200)]
print(json.dumps({
    "histories": histories,
    "stagnation": [{"trials": trials, "ends": [stagnation(h, trials) for h in histories]}
                   for trials in STAGNATION],
    "plateau": [{"top": top, "std": std, "patience": patience,
                 "ends": [plateau(h, top, std, patience) for h in histories]}
                for top, std, patience in PLATEAU],
}, separators=(",", ":")))
