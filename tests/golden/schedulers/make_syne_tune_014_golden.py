#!/usr/bin/env python3
"""Makes syne-tune-0.14.json: what Syne Tune's ASHA (stopping and promotion), PASHA and synchronous
Hyperband decide. 0.14.2 is the last release that has them.

Versions: Python 3.11, syne-tune 0.14.2, numpy 1.26.4, sortedcontainers 2.4.0.
Run from anywhere: python3 make_syne_tune_014_golden.py

The rung systems and the bracket manager are driven as its schedulers drive them, and report the
value of guessing, 8 / 64, where training diverged. Two things are mended, for what they do has no
meaning. A quantile's position (n - 1) q misses whole numbers by some units in the last place, after
which the very trial at that position does not reach the bar: positions are rounded to 1e-9. PASHA
keeps trials in sets of texts, whose order differs from process to process and lets some pairs count
twice: pairs are taken in one order.
"""
import logging
import math

from syne_tune.optimizer.schedulers.legacy_hyperband_pasha import PASHARungSystem
from syne_tune.optimizer.schedulers.legacy_hyperband_promotion import PromotionRungSystem
from syne_tune.optimizer.schedulers.legacy_hyperband_stopping import Rung, StoppingRungSystem
from syne_tune.optimizer.schedulers.synchronous.hyperband_bracket_manager import (
    SynchronousHyperbandBracketManager,
)
from syne_tune.optimizer.schedulers.synchronous.hyperband_rung_system import (
    SynchronousHyperbandRungSystem,
)
from syne_tune.optimizer.schedulers.utils.successive_halving import (
    successive_halving_rung_levels,
)

import simulate

logging.disable(logging.WARNING)


class Chance:
    def __init__(self, minimise):
        self.mode = "min" if minimise else "max"
        self.chance = 1 - 8 / 64 if minimise else 8 / 64

    def shown(self, value):
        return self.chance if math.isnan(value) else value


class Asynchronous(Chance):
    def __init__(self, kind, min_resource, epochs, eta, minimise):
        super().__init__(minimise)
        levels = successive_halving_rung_levels(None, min_resource, eta, None, epochs)
        quantiles = [x / y for x, y in zip(levels, levels[1:] + [epochs])]
        self.system = kind(levels, quantiles, "metric", self.mode, "epoch", epochs)

    def next(self, trial, may_start):
        found = self.system.on_task_schedule(str(trial))
        if "trial_id" in found:
            resumed = found.pop("trial_id")
            self.system.on_task_add(resumed, 0, new_config=False, **found)
            return ("resume", int(resumed))
        if not may_start:
            return None
        self.system.on_task_add(str(trial), 0, new_config=True)
        return ("new",)

    def report(self, trial, epoch, value):
        result = {"metric": self.shown(value), "epoch": epoch}
        found = self.system.on_task_report(str(trial), result, 0)
        if found["task_continues"]:
            return "go"
        self.system.on_task_remove(str(trial))
        return "pause" if self.system.does_pause_resume() else "stop"


def quantile(rung):
    """Rung.quantile with positions that are whole where they should be."""
    n = len(rung.data)
    if n < 2:
        return None
    position = (n - 1) * rung.prom_quant
    best = int(position + 1e-9)
    share = max(0.0, position - best) if position - best > 1e-9 else 0.0
    value = rung.data[best].metric_val
    if share == 0.0:
        return value
    return (1 - share) * value + share * rung.data[best + 1].metric_val


Rung.quantile = quantile


class Pasha(PASHARungSystem):
    def _update_epsilon(self):
        kept = self.epoch_to_trials
        self.epoch_to_trials = {e: sorted(t, key=int) for e, t in kept.items()}
        try:
            super()._update_epsilon()
        finally:
            self.epoch_to_trials = kept


class Synchronous(Chance):
    def __init__(self, min_resource, epochs, eta, minimise, brackets):
        super().__init__(minimise)
        rungs = SynchronousHyperbandRungSystem.geometric(min_resource, epochs, eta, brackets)
        self.manager = SynchronousHyperbandBracketManager(rungs, self.mode)
        self.slots = {}

    def next(self, trial, may_start):
        bracket, slot = self.manager.next_job()
        work = ("resume", slot.trial_id)
        if slot.trial_id is None:
            assert may_start, "the budget ends before the rows do"
            slot.trial_id = trial
            work = ("new",)
        self.slots[slot.trial_id] = (bracket, slot)
        return work

    def report(self, trial, epoch, value):
        bracket, slot = self.slots[trial]
        if epoch < slot.level:
            return "go"
        slot.metric_val = self.shown(value)
        del self.slots[trial]
        self.manager.on_result((bracket, slot))
        return "pause"


def asynchronous(name, kind, min_resource, eta, workers, curves, minimise=False):
    peer = Asynchronous(kind, min_resource, len(curves[0]), eta, minimise)
    return simulate.case(name, curves, workers, peer, minimise=minimise)


def synchronous(name, min_resource, eta, workers, curves, budget, minimise=False, brackets=None):
    peer = Synchronous(min_resource, len(curves[0]), eta, minimise, brackets)
    return simulate.case(name, curves, workers, peer, budget, minimise)


STOPPING = "asha:type=stopping,cutoff=quantile"
PROMOTION = "asha:type=promotion,cutoff=quantile"
PASHA = "pasha:cutoff=quantile"
HYPERBAND = "hyperband:arithmetic=kerastuner,free=begin"
cases = [
    asynchronous(STOPPING, StoppingRungSystem, 1, 3, 1, simulate.table(21, 60, 27, nan=0.1)),
    asynchronous(STOPPING, StoppingRungSystem, 1, 3, 4, simulate.table(22, 60, 30, null=0.2)),
    asynchronous(STOPPING + ",eta=2,min=2", StoppingRungSystem, 2, 2, 8,
                 simulate.table(23, 60, 20, nan=0.1, null=0.1), True),
    asynchronous(PROMOTION, PromotionRungSystem, 1, 3, 1, simulate.table(24, 60, 27, nan=0.1)),
    asynchronous(PROMOTION, PromotionRungSystem, 1, 3, 4, simulate.table(25, 80, 30, noise=1)),
    asynchronous(PROMOTION + ",eta=2,min=2", PromotionRungSystem, 2, 2, 8,
                 simulate.table(26, 60, 20, nan=0.1), True),
    asynchronous(PASHA, Pasha, 1, 3, 1, simulate.table(27, 60, 81, nan=0.05)),
    asynchronous(PASHA, Pasha, 1, 3, 4, simulate.table(28, 80, 81, noise=2)),
    asynchronous(PASHA, Pasha, 1, 3, 4, simulate.table(29, 80, 81, noise=0)),
    asynchronous(PASHA + ",eta=2", Pasha, 1, 2, 3, simulate.table(30, 80, 40, noise=2), True),
    synchronous(HYPERBAND, 1, 3, 1, simulate.table(31, 120, 27, nan=0.1), 2500),
    synchronous(HYPERBAND, 1, 3, 5, simulate.table(32, 160, 27, noise=1), 600),
    synchronous(HYPERBAND + ",eta=2", 1, 2, 3, simulate.table(33, 160, 16, nan=0.1), 700, True),
    synchronous("successive-halving:free=begin", 1, 3, 4, simulate.table(34, 160, 27), 350,
                brackets=1),
]
simulate.write("syne-tune-0.14.json", cases)
