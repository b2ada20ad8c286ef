#!/usr/bin/env python3
"""Makes nni.json: where NNI's median assessor stops the trials of histories.json.

Versions: Python 3.11, nni 3.0. Run from anywhere: python3 make_nni.py
NaN cannot be reported to NNI (its metrics travel as JSON): the assessor is given the value of
guessing, or an infinity, the worst of all, where there is none.
"""
import math
import warnings

from histories import chance_of, write
from nni.algorithms.hpo.medianstop_assessor import MedianstopAssessor
from nni.assessor import AssessResult

warnings.simplefilter("ignore")


class Peer:
    def __init__(self, study, start_step=0):
        mode = "minimize" if study["minimise"] else "maximize"
        self.assessor = MedianstopAssessor(mode, start_step)
        worst = math.inf if study["minimise"] else -math.inf
        self.diverged = worst if chance_of(study) is None else chance_of(study)
        self.histories = {}

    def start(self, trial):
        self.histories[trial] = []

    def report(self, trial, epoch, value, over):
        self.histories[trial].append(self.diverged if math.isnan(value) else value)
        return self.assessor.assess_trial(trial, self.histories[trial]) == AssessResult.Bad

    def end(self, trial, state):
        self.assessor.trial_end(trial, state == "completed")


def rule(text, **settings):
    return text, lambda study: Peer(study, **settings)


write("nni", {"nni": "3.0"}, [
    rule("median:variant=nni"),
    rule("median:variant=nni,warmup=3", start_step=4),
])
