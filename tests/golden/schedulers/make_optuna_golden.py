#!/usr/bin/env python3
"""Makes optuna.json: what Optuna's SuccessiveHalvingPruner and HyperbandPruner decide.

Versions: Python 3.11, optuna 4.9.0.
Run from anywhere: python3 make_optuna_golden.py

Each trial is asked for when a worker is free, reports every measured epoch (NaN where it diverged)
and is told as pruned or complete. HyperbandPruner draws brackets by the study's name, which is
here the one that curvebook gives repeat 0 of seed 0.
"""
import optuna
from optuna.pruners import HyperbandPruner, SuccessiveHalvingPruner
from optuna.trial import TrialState

import simulate

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Peer:
    def __init__(self, pruner, epochs, minimise):
        self.study = optuna.create_study(
            direction="minimize" if minimise else "maximize",
            pruner=pruner,
            sampler=optuna.samplers.RandomSampler(seed=0),
            study_name="curvebook-0-0",
        )
        self.epochs, self.trials = epochs, []

    def next(self, trial, may_start):
        if not may_start:
            return None
        self.trials.append(self.study.ask())
        assert self.trials[-1].number == trial
        return ("new",)

    def report(self, trial, epoch, value):
        asked = self.trials[trial]
        asked.report(value, epoch)
        if asked.should_prune():
            self.study.tell(asked, state=TrialState.PRUNED)
            return "stop"
        if epoch == self.epochs:
            self.study.tell(asked, 0.0)
        return "go"


def halving(min_resource, eta):
    return SuccessiveHalvingPruner(min_resource=min_resource, reduction_factor=eta)


def hyperband(min_resource, epochs, eta):
    return HyperbandPruner(
        min_resource=min_resource, max_resource=epochs, reduction_factor=eta)


def asha(**more):
    parameters = {"type": "stopping", "cutoff": "optuna", **more}
    return "asha:" + ",".join(f"{k}={v}" for k, v in parameters.items())


def case(name, pruner, workers, curves, minimise=False):
    peer = Peer(pruner, len(curves[0]), minimise)
    return simulate.case(name, curves, workers, peer, minimise=minimise)


cases = [
    case(asha(), halving(1, 3), 1, simulate.table(1, 60, 27, nan=0.1)),
    case(asha(), halving(1, 3), 4, simulate.table(2, 60, 27, nan=0.1, null=0.15)),
    case(asha(eta=2), halving(1, 2), 3, simulate.table(3, 60, 20, null=0.3)),
    case(asha(eta=4, min=2), halving(2, 4), 8, simulate.table(4, 60, 33, nan=0.2), True),
    # Two scores only: ties nearly everywhere.
    case(asha(), halving(1, 3), 2, simulate.table(5, 40, 9, noise=1, nan=0.1, null=0.1)),
    case("optuna-hyperband", hyperband(1, 27, 3), 1, simulate.table(6, 80, 27, nan=0.1)),
    case("optuna-hyperband", hyperband(1, 81, 3), 4, simulate.table(7, 60, 81, null=0.1)),
    case("optuna-hyperband:eta=2,min=3", hyperband(3, 30, 2), 7,
         simulate.table(8, 60, 30, nan=0.1, null=0.1), True),
]
simulate.write("optuna.json", cases)
