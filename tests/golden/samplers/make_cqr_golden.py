#!/usr/bin/env python3
"""Makes cqr-syne-tune.json and cqr-syne-tune-rounding.json: where Syne Tune's conformal quantile
regression goes next from three of the histories of tpe-histories.json, as counts of 200 proposals a
history; and cqr-boosting.json: what scikit-learn's gradient boosting of a quantile predicts.

Versions: Python 3.11, numpy 2.4.6, pandas 3.1.1, scikit-learn 1.9.1, syne-tune 0.16.0.
python3 make_cqr_golden.py boosting; python3 make_cqr_golden.py proposals;
python3 make_cqr_golden.py proposals as-it-comes

**Proposals.** What has ended with a score is told as complete, with its last score, and all else is
not told. Three things are done for the searcher, none of them in its code. It knows no conditions:
a parameter that plays no part stands in its middle, in the history and in candidates. Its whole
numbers on the logarithm are rounded from 1 to 350, so that 1 and 350 have half a bin each; here
they are rounded from 0.5 to 350.5, as ours are. And gradients are 1 and 0 in place of alpha and
alpha - 1, which is the same to a squared error. Divisions that gain exactly the same are common,
since a gradient has but two values. Sums of 1 and 0 are exact, so that scikit-learn decides between
them by its random order of features; those of alpha and alpha - 1 round, so that it decides by how
they happen to, and now and then divides a node of equal gradients. With `as-it-comes` gradients are
left alone, and the history is told in another order for each proposal: that is the second file.

The order statistic of a leaf is picked from the sorted residuals, which is what scikit-learn's
weighted percentile comes to where all weights are 1, and takes a tenth of its time.

**Boosting.** Predictions of the first stages, as many as are determined: in all of which no two
divisions of a node gain the same in exact arithmetic, and none of a node of equal gradients was
divided (which rounding makes scikit-learn do now and then). Of 15 random data sets a case the one
with the most such stages is kept.
"""
import json
import pathlib
import sys
import types
from fractions import Fraction

import numpy as np

import make_tpe_golden as common

# Syne Tune imports it for tables that are downloaded, of which none is.
sys.modules["huggingface_hub"] = types.SimpleNamespace(snapshot_download=None, HfFileSystem=None)

HERE = pathlib.Path(__file__).parent
HISTORIES, PROPOSALS = [9, 2, 8], 200
AS_IT_COMES = "as-it-comes" in sys.argv
ALPHAS = [0.17, 0.33, 0.5, 0.67, 0.83]


class Rounded:
    """A sampler of whole numbers on the logarithm, from half a step below to half a step above."""

    def sample(self, domain, spec=None, size=1, random_state=None):
        low, high = common.EDGE_LOG
        return int(np.clip(np.rint(np.exp(random_state.uniform(low, high))), 1, 350))


def fast(self, y_true, sample_weight=None):
    """Where the running count of the sorted residuals first reaches the quantile's share."""
    rank = 100 * self.closs.quantile / 100 * len(y_true)
    at = np.searchsorted(np.arange(1.0, len(y_true) + 1.0), rank)
    return np.sort(y_true)[min(at, len(y_true) - 1)]


def whole(self, y_true, raw_prediction, **_):
    """The gradient, less a constant and without its sign: 1 where a target is not below."""
    return -(y_true >= raw_prediction.squeeze()).astype(float)


def searcher(seed):
    import sklearn
    from sklearn._loss import loss
    from syne_tune import config_space as cs
    from syne_tune.optimizer.schedulers.searchers.conformal import (
        conformal_quantile_regression_searcher as module)
    from syne_tune.optimizer.schedulers.searchers.conformal.surrogate import (
        quantile_regression_surrogate as surrogate)

    if not AS_IT_COMES:
        loss.PinballLoss.gradient = whole
    sklearn.set_config(skip_parameter_validation=True)
    loss.PinballLoss.fit_intercept_only = fast

    class Settled(surrogate.QuantileRegressionSurrogateModel):
        def _sample_random(self):
            config = super()._sample_random()
            return config if config["choice"] == 1 else config | {"momentum": 0.5}

    space = {
        "real": cs.uniform(0.0, 1.0), "log": cs.loguniform(1e-4, 0.5), "few": cs.randint(2, 10),
        "many": cs.randint(1, 350), "int_log": cs.lograndint(1, 350),
        "choice": cs.choice([0, 1, 2]), "momentum": cs.uniform(0.0, 1.0)}
    space["int_log"].set_sampler(Rounded(), allow_override=True)
    return module.ConformalQuantileRegression(space, random_seed=seed, surrogate_cls=Settled)


def proposal(job):
    trials, seed = job
    np.random.seed(seed)
    told = [trial for trial in trials
            if trial["kind"] in ("complete", "pruned") and trial["score"] is not None]
    found = searcher(seed)
    order = np.random.permutation(len(told)) if AS_IT_COMES else range(len(told))
    for at in order:
        config = {name: 0.5 if value is None else common.native(name, value)
                  for name, value in zip(common.NAMES, told[at]["values"])}
        found.on_trial_complete(int(at), config, -told[at]["score"])
    return found.suggest()


def proposals():
    import multiprocessing

    every, counts = common.histories(), []
    with multiprocessing.Pool(2) as pool:
        for at in HISTORIES:
            jobs = [(every[at], 1000 * at + draw) for draw in range(PROPOSALS)]
            drawn = pool.map(proposal, jobs, chunksize=5)
            counts.append(common.counts(
                {name: [config[name] for config in drawn] for name in common.NAMES}))
            print(at, counts[-1][0], flush=True)
    name = "cqr-syne-tune-rounding.json" if AS_IT_COMES else "cqr-syne-tune.json"
    (HERE / name).write_text(common.lines(counts))


def determined(tree, x, is_above):
    """Whether exact arithmetic would grow this tree, and no other."""
    nodes = [(0, np.arange(len(x)), 0)]
    while nodes:
        node, rows, depth = nodes.pop()
        above, count = int(is_above[rows].sum()), len(rows)
        is_pure = above in (0, count)
        if tree.children_left[node] < 0:
            if not is_pure and depth < 3:
                return False
            continue
        if is_pure:
            return False
        gains = []
        for feature in range(x.shape[1]):
            order = rows[np.argsort(x[rows, feature])]
            left = 0
            for at in range(count - 1):
                left += int(is_above[order[at]])
                apart = left * count - above * (at + 1)
                gains.append((Fraction(apart * apart, (at + 1) * (count - at - 1)), feature, at))
        gains.sort(reverse=True)
        goes_left = x[rows, tree.feature[node]] <= tree.threshold[node]
        if len(gains) > 1 and gains[0][0] == gains[1][0]:
            return False
        assert gains[0][1:] == (tree.feature[node], goes_left.sum() - 1)
        nodes.append((tree.children_left[node], rows[goes_left], depth + 1))
        nodes.append((tree.children_right[node], rows[~goes_left], depth + 1))
    return True


def stages(x, y, alpha, most):
    """The model, and how many of its stages are determined."""
    from sklearn.ensemble import GradientBoostingRegressor

    model = GradientBoostingRegressor(loss="quantile", alpha=alpha, n_estimators=most).fit(x, y)
    raw = np.full(len(y), np.percentile(y, 100 * alpha))
    for stage in range(most):
        tree = model.estimators_[stage, 0].tree_
        if not determined(tree, x, y >= raw):
            return model, stage
        raw = raw + 0.1 * tree.value[tree.apply(x), 0, 0]
    return model, most


def boosting():
    cases = []
    for count, width, most in [(40, 1, 30), (90, 2, 20), (150, 5, 12)]:
        for alpha in ALPHAS:
            best = (0,)
            for seed in range(15):
                rng = np.random.default_rng([count, seed])
                # Every value is another one.
                columns = [(rng.permutation(count) + 0.5) / count for _ in range(width)]
                x = np.array(columns).T.round(4).astype(np.float32)
                y = (np.sin(5 * x[:, 0]) + x.sum(axis=1) * rng.random(count)).round(4)
                model, found = stages(x, y, alpha, most)
                if found > best[0]:
                    best = (found, seed, x, y, model)
            found, seed, x, y, model = best
            probes = np.random.default_rng(seed).random((25, width)).round(4).astype(np.float32)
            predicted = list(model.staged_predict(probes))[found - 1]
            print(count, width, alpha, seed, found, flush=True)
            cases.append({
                "alpha": alpha, "stages": found, "inputs": x.astype(float).round(4).tolist(),
                "targets": y.astype(float).round(4).tolist(),
                "probes": probes.astype(float).round(4).tolist(),
                "predictions": predicted.tolist()})
    (HERE / "cqr-boosting.json").write_text(common.lines(cases))


if __name__ == "__main__":
    {"boosting": boosting, "proposals": proposals}[sys.argv[1]]()
