#!/usr/bin/env python3
"""Makes ray.json: where Ray Tune's median rule stops the trials of histories.json.

Versions: Python 3.11, ray 2.60.0, numpy 2.4.6. Run from anywhere: python3 make_ray.py
The rule is told what Ray's TuneController tells it: a trial that it stops reports its last result
a second time, as `on_trial_complete`; one that completes reports its last one there alone.
"""
import warnings

from histories import write
from ray.tune.schedulers import TrialScheduler
from ray.tune.schedulers.median_stopping_rule import MedianStoppingRule

warnings.simplefilter("ignore")


class Controller:
    """Nothing waits for a worker, so that the rule never pauses a trial for want of samples."""

    def get_live_trials(self):
        return []


class Trial:
    def __init__(self, number):
        self.trial_id = str(number)


class Peer:
    def __init__(self, study, grace=1, samples=3):
        self.rule = MedianStoppingRule(
            time_attr="training_iteration", metric="y", mode="min" if study["minimise"] else "max",
            grace_period=grace, min_samples_required=samples)
        self.trials, self.last = {}, {}

    def start(self, trial):
        self.trials[trial] = Trial(trial)

    def report(self, trial, epoch, value, over):
        self.last[trial] = {"y": value, "training_iteration": epoch}
        if over:
            self.rule.on_trial_complete(Controller(), self.trials[trial], self.last[trial])
            return False
        decision = self.rule.on_trial_result(Controller(), self.trials[trial], self.last[trial])
        return decision == TrialScheduler.STOP

    def end(self, trial, state):
        if state == "stopped":
            self.rule.on_trial_complete(Controller(), self.trials[trial], self.last[trial])


def rule(text, **settings):
    return text, lambda study: Peer(study, **settings)


write("ray", {"ray": "2.60.0", "numpy": "2.4.6"}, [
    rule("median:variant=ray"),
    rule("median:variant=ray,warmup=2", grace=3),
    rule("median:variant=ray,warmup=1,least=1", grace=2, samples=1),
])
