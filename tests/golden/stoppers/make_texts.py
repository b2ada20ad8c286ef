#!/usr/bin/env python3
"""Makes texts.json: where rules whose own code was not run stop the trials of histories.json, each
written out here in the plainest way: Vizier's and SageMaker's median rules from their text, which
is all there is of them, and DEEP-BO's interval and tercet rules from its source.

Versions: Python 3.11, numpy 2.4.6. Run from anywhere: python3 make_texts.py
NaN is chance, and where there is none minus infinity of the score; for tercet a mean with NaN is
left out.
"""
import math

import numpy as np
from histories import chance_of, write


class Plain:
    """Keeps everything: of every trial the scores by epoch (None: not measured), and its end."""

    def __init__(self, study, judge):
        self.sign = -1 if study["minimise"] else 1
        self.chance, self.total, self.judge = chance_of(study), study["epochs"], judge
        self.lengths = [len(curve) for curve in study["curves"]]
        self.curves, self.ended = {}, {}

    def start(self, trial):
        self.curves[trial] = []

    def report(self, trial, epoch, value, over):
        curve = self.curves[trial]
        curve.extend([None] * (epoch - 1 - len(curve)))
        if math.isnan(value) and self.chance is not None:
            value = self.chance
        curve.append(self.sign * value)
        return self.judge(self, trial, epoch)

    def end(self, trial, state):
        self.ended[trial] = state
        if state != "stopped":
            # Epochs at the end that were not measured ran all the same.
            curve = self.curves[trial]
            curve.extend([None] * (self.lengths[trial] - len(curve)))

    def over(self, reached):
        """Completed and stopped trials that ran an epoch."""
        kept = [t for t, state in self.ended.items() if state != "failed"]
        return [self.curves[t] for t in kept if len(self.curves[t]) >= reached]


def seen(scores):
    return [-math.inf if math.isnan(y) else y for y in scores if y is not None]


def averages(peer, epoch):
    parts = [seen(curve[:epoch]) for curve in peer.over(epoch)]
    return [sum(part) / len(part) for part in parts if part]


def median(numbers):
    ordered = sorted(numbers)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def vizier(least):
    def judge(peer, trial, epoch):
        others = averages(peer, epoch)
        return len(others) >= least and max(seen(peer.curves[trial])) < median(others)
    return judge


def sagemaker(peer, trial, epoch):
    others = averages(peer, epoch)
    return len(others) > 0 and seen(peer.curves[trial])[-1] < median(others)


def interval(low, high, warmup):
    def judge(peer, trial, epoch):
        return epoch > warmup and low < peer.sign * peer.curves[trial][-1] < high
    return judge


def tercet(beta):
    def judge(peer, trial, epoch):
        half, late = int(peer.total * 0.5), int(peer.total * (1.0 - beta))
        if epoch == half:
            first, last, percent = 1, half, 100 * beta
        elif epoch == late and late > half:
            first, last, percent = max(half, 1), late, 100 * (1 - beta)
        else:
            return False
        means = []
        for curve in peer.over(last) + [peer.curves[trial]]:
            window = [y for y in curve[first - 1:last] if y is not None]
            if window and not math.isnan(np.mean(window)):
                means.append(np.mean(window))
        y = peer.curves[trial][-1]
        return len(means) > 0 and (math.isnan(y) or y < np.percentile(means, percent))
    return judge


def rule(text, judge):
    return text, lambda study: Plain(study, judge)


write("texts", {"numpy": "2.4.6"}, [
    rule("median", vizier(5)),
    rule("median:least=2", vizier(2)),
    rule("median:variant=sagemaker", sagemaker),
    rule("interval", interval(0.0, 0.2, 0)),
    rule("interval:low=0.09375,high=0.28125,warmup=2", interval(0.09375, 0.28125, 2)),
    rule("tercet:beta=0.125", tercet(0.125)),
    rule("tercet:beta=0.25", tercet(0.25)),
])
