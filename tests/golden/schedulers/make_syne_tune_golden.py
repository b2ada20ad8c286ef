#!/usr/bin/env python3
"""Makes syne-tune-0.16.json: what Syne Tune's AsynchronousSuccessiveHalving decides.

Versions: Python 3.11, syne-tune 0.16.0, numpy 2.4.6.
Run from anywhere: python3 make_syne_tune_golden.py

Of its rung methods 0.16 has kept the stopping one, with another cutoff than before. Diverged epochs
report the value of guessing, 8 / 64. Every epoch is measured: after a gap the peer compares in a
lower rung what it has not yet compared there.
"""
import datetime
import math

from syne_tune.backend.trial_status import Trial
from syne_tune.config_space import uniform
from syne_tune.optimizer.schedulers.asha import AsynchronousSuccessiveHalving

import simulate

SPACE = {"x": uniform(0, 1)}


class Peer:
    def __init__(self, min_resource, epochs, eta, minimise):
        self.scheduler = AsynchronousSuccessiveHalving(
            SPACE, "metric", do_minimize=minimise, time_attr="epoch", max_t=epochs,
            grace_period=min_resource, reduction_factor=eta, random_seed=0)
        self.chance = 1 - 8 / 64 if minimise else 8 / 64
        self.trials = []

    def next(self, trial, may_start):
        if not may_start:
            return None
        self.trials.append(Trial(trial, {"x": 0.5}, datetime.datetime.now()))
        self.scheduler.on_trial_add(self.trials[-1])
        return ("new",)

    def report(self, trial, epoch, value):
        value = self.chance if math.isnan(value) else value
        result = {"metric": value, "epoch": epoch}
        decision = self.scheduler.on_trial_result(self.trials[trial], result)
        return "stop" if decision == "STOP" else "go"


def case(name, min_resource, eta, workers, curves, minimise=False):
    peer = Peer(min_resource, len(curves[0]), eta, minimise)
    name = f"asha:type=stopping,cutoff=rank{name}"
    return simulate.case(name, curves, workers, peer, minimise=minimise)


cases = [
    case("", 1, 3, 1, simulate.table(11, 60, 27, nan=0.1)),
    case("", 1, 3, 4, simulate.table(12, 60, 30, nan=0.1)),
    case(",eta=2,min=2", 2, 2, 8, simulate.table(13, 60, 20), True),
    case(",eta=4", 1, 4, 3, simulate.table(14, 40, 17, noise=1)),
]
simulate.write("syne-tune-0.16.json", cases)
