#!/usr/bin/env python3
"""Makes bohb-hpbandster.json: where HpBandSter's BOHB goes next from the histories of
tpe-histories.json, as counts of 500 proposals a history, none of them random.

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1, statsmodels 0.15.0, hpbandster 0.7.4 and, since
that was written for an older one, ConfigSpace 1.2.2 with the few old names given back below.
python3 make_bohb_golden.py

Whole numbers stand at the middle of their bins, where ConfigSpace put them when HpBandSter was
written; now it puts the ends at 0 and 1, so that here they are given as coordinates.

Completed trials are results at the budget 9, stopped ones at the budget of their last epoch, failed
ones crash at budget 9, and running ones are not told. HpBandSter sorts losses by numpy's default,
which leaves the order of equals to the machine; here it is the stable sort. Values that are missing
(conditions) are drawn when a model is fitted: it is fitted anew for each proposal. Histories
without a model are null, and so are all but every third one: this is slow.
"""
import json
import pathlib
import types
import warnings

import ConfigSpace as CS
import numpy as np

import make_tpe_golden as common

warnings.filterwarnings("ignore")
CS.ConfigurationSpace.get_hyperparameters = lambda self: list(self.values())
CS.ConfigurationSpace.get_hyperparameter = lambda self, name: self[name]
CS.ConfigurationSpace.get_hyperparameter_by_idx = lambda self, at: self.at[at]
CS.Configuration.get_dictionary = lambda self: dict(self)

from hpbandster.optimizers.config_generators import bohb  # noqa: E402
from scipy import special  # noqa: E402


class TruncatedNormal:
    """scipy.stats.truncnorm draws so too, by its inverse, and takes a thousand times as long."""

    @staticmethod
    def rvs(low, high, loc, scale):
        below, up_to = special.ndtr(low), special.ndtr(high)
        z = special.ndtri(below + np.random.rand() * (up_to - below))
        return float(np.clip(loc + scale * z, 0.0, 1.0))


bohb.sps = types.SimpleNamespace(truncnorm=TruncatedNormal)


class Job:
    def __init__(self, config, budget, loss):
        self.kwargs = {"config": config, "budget": budget}
        self.result = None if loss is None else {"loss": loss}
        self.exception = None


def space():
    found = CS.ConfigurationSpace(seed=1)
    choice = CS.CategoricalHyperparameter("choice", [0, 1, 2])
    momentum = CS.UniformFloatHyperparameter("momentum", 0.0, 1.0)
    found.add([
        CS.UniformFloatHyperparameter("real", 0.0, 1.0),
        CS.UniformFloatHyperparameter("log", 1e-4, 0.5, log=True),
        *[CS.UniformFloatHyperparameter(name, 0.0, 1.0) for name in common.WHOLE],
        choice, momentum])
    found.add(CS.EqualsCondition(momentum, choice, 1))
    return found


def proposals(trials):
    """None where there is no model."""
    np.random.seed(3)
    configs = space()
    generator = bohb.BOHB(configspace=configs, random_fraction=0.0)
    last = {}
    for trial in trials:
        if trial["kind"] == "running":
            continue
        config = {name: common.native(name, v)
                  for name, v in zip(common.NAMES, trial["values"]) if v is not None}
        config |= {name: common.coordinate(name, config[name]) for name in common.WHOLE}
        budget = trial["step"] if trial["kind"] == "pruned" else 9
        failed = trial["kind"] == "failed"
        loss = None if failed else np.inf if trial["score"] is None else -trial["score"]
        last[budget] = Job(config, budget, loss)
        generator.new_result(last[budget])
    if not generator.kde_models:
        return None
    drawn = [after_fit(generator, last) for _ in range(common.PROPOSALS)]
    return {name: [config.get(name) for config in drawn] for name in common.NAMES}


def after_fit(generator, last):
    """Fits the model once more, which draws anew what is missing, and then proposes."""
    budget = max(generator.kde_models)
    generator.configs[budget].pop()
    generator.losses[budget].pop()
    generator.new_result(last[budget])
    found = generator.get_config(9)[0]
    return found | {name: whole(name, found[name]) for name in common.WHOLE}


def whole(name, u):
    """The whole number whose bin a coordinate is in."""
    if name == "int_log":
        low, high = common.EDGE_LOG
        return int(np.clip(np.rint(np.exp(low + u * (high - low))), 1, 350))
    return 2 + min(int(u * 9), 8) if name == "few" else 1 + min(int(u * 350), 349)


def main():
    found = []
    for at, trials in enumerate(common.histories()):
        drawn = None if at % 3 else proposals(trials)
        found.append(None if drawn is None else common.counts(drawn))
    path = pathlib.Path(__file__).parent / "bohb-hpbandster.json"
    path.write_text(common.lines(found))


if __name__ == "__main__":
    main()
