#!/usr/bin/env python3
"""Makes syne_tune.json: where Syne Tune's median rule stops the trials of histories.json.

Versions: Python 3.11, syne-tune 0.16.0, numpy 2.4.6. Run from anywhere: python3 make_syne_tune.py
"""
import datetime
import warnings

from histories import write
from syne_tune.backend.trial_status import Trial
from syne_tune.optimizer.scheduler import SchedulerDecision
from syne_tune.optimizer.schedulers.median_stopping_rule import MedianStoppingRule

warnings.simplefilter("ignore")


class Goes:
    """The scheduler that the rule wraps: it stops nothing."""

    def on_trial_result(self, trial, result):
        return SchedulerDecision.CONTINUE


class Peer:
    def __init__(self, study, **settings):
        self.rule = MedianStoppingRule(
            Goes(), time_attr="epoch", metric="y", do_minimize=study["minimise"], random_seed=0,
            **settings)
        self.trials = {}

    def start(self, trial):
        self.trials[trial] = Trial(trial, {}, datetime.datetime(2026, 1, 1))

    def report(self, trial, epoch, value, over):
        decision = self.rule.on_trial_result(self.trials[trial], {"y": value, "epoch": epoch})
        return decision == SchedulerDecision.STOP

    def end(self, trial, state):
        pass


def rule(text, **settings):
    return text, lambda study: Peer(study, **settings)


write("syne_tune", {"syne-tune": "0.16.0", "numpy": "2.4.6"}, [
    rule("median:variant=synetune"),
    rule("median:variant=synetune,least=2,warmup=2", grace_population=2, grace_time=3),
    rule("median:variant=synetune,least=3,cutoff=0.25", grace_population=3, rank_cutoff=0.25),
])
