#!/usr/bin/env python3
"""Makes optuna.json: where Optuna's pruners stop the trials of histories.json.

Versions: Python 3.11, optuna 4.9.0, numpy 2.4.6, scipy 1.17.1.
Run from anywhere: python3 make_optuna.py
Step e - 1 is epoch e. A trial that runs to its end returns its best value, and fails where it has
none; a crashed one fails.
"""
import math
import warnings

import optuna
from histories import write
from optuna.pruners import (
    MedianPruner,
    PatientPruner,
    PercentilePruner,
    ThresholdPruner,
    WilcoxonPruner,
)
from optuna.trial import TrialState

optuna.logging.set_verbosity(optuna.logging.ERROR)
warnings.simplefilter("ignore")


class Peer:
    def __init__(self, study, pruner):
        direction = "minimize" if study["minimise"] else "maximize"
        self.best = min if study["minimise"] else max
        self.study = optuna.create_study(direction=direction, pruner=pruner)
        self.trials, self.values = {}, {}

    def start(self, trial):
        self.trials[trial], self.values[trial] = self.study.ask(), []

    def report(self, trial, epoch, value, over):
        self.values[trial].append(value)
        self.trials[trial].report(value, epoch - 1)
        return not over and self.trials[trial].should_prune()

    def end(self, trial, state):
        finite = [v for v in self.values[trial] if math.isfinite(v)]
        if state == "completed" and finite:
            self.study.tell(self.trials[trial], self.best(finite))
        elif state == "stopped":
            self.study.tell(self.trials[trial], state=TrialState.PRUNED)
        else:
            self.study.tell(self.trials[trial], state=TrialState.FAIL)


def rule(text, make, every=1):
    return text, lambda study: Peer(study, make()), every


write("optuna", {"optuna": "4.9.0", "numpy": "2.4.6", "scipy": "1.17.1"}, [
    rule("median:variant=optuna", MedianPruner),
    rule("median:variant=optuna,startup=1,warmup=2,interval=3", lambda: MedianPruner(1, 2, 3)),
    rule("median:variant=optuna,startup=2,least=3", lambda: MedianPruner(2, n_min_trials=3)),
    rule("percentile", lambda: PercentilePruner(25.0)),
    rule("percentile:percentile=75,startup=1,warmup=1,interval=2,least=2",
         lambda: PercentilePruner(75.0, 1, 1, 2, n_min_trials=2)),
    rule("percentile:percentile=12.5,startup=1", lambda: PercentilePruner(12.5, 1)),
    rule("threshold", lambda: ThresholdPruner(lower=-math.inf)),
    rule("threshold:lower=0.15625", lambda: ThresholdPruner(lower=0.15625)),
    rule("threshold:lower=0.09375,upper=0.71875,warmup=1,interval=2",
         lambda: ThresholdPruner(0.09375, 0.71875, 1, 2)),
    rule("patient:rule=(none),patience=2", lambda: PatientPruner(None, 2)),
    rule("patient:rule=(none),patience=0,min_delta=0.03125",
         lambda: PatientPruner(None, 0, 0.03125)),
    rule("patient:rule=(median:variant=optuna,startup=2),patience=1",
         lambda: PatientPruner(MedianPruner(2), 1)),
    # scipy runs all changes of 13 signs, which takes long.
    rule("wilcoxon", WilcoxonPruner, 5),
    rule("wilcoxon:p=0.3,steps=4", lambda: WilcoxonPruner(p_threshold=0.3, n_startup_steps=4), 5),
])
