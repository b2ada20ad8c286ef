#!/usr/bin/env python3
"""Makes tpe-histories.json and tpe-optuna4.json, tpe-optuna5.json, tpe-hyperopt.json: where the
peers' TPE goes next from fixed histories, as counts of 500 proposals a history.

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1; optuna 4.9.0 and hyperopt 0.3.0 in one
environment, optuna 5.0.0 in another. Run it in both:
python3 make_tpe_golden.py optuna4; python3 make_tpe_golden.py hyperopt;
python3 make_tpe_golden.py optuna5

The space: a real number, one on the logarithm, a whole number of few and one of many values, one on
the logarithm, a choice of three, and a real number that plays a part under the second choice alone.
Histories of 20 to 130 trials, some of them running, failed, or stopped: after some epochs with a
score, with NaN, or without anything measured. Scores are maximised. Real numbers are thousandths
of their range. A trial in the file is kind, score, step, whether it was measured, values.

A count is of the proposals in a bin: whole numbers by value (the many and the logarithm in 20 bins
of their coordinate), choices by index, real numbers in 20 bins. Both peers sort by numpy's default,
which leaves the order of equals to the machine; here it is the stable sort, the older first.
"""
import json
import math
import pathlib
import sys

import numpy as np

default_argsort = np.argsort
np.argsort = lambda a, axis=-1, kind="stable": default_argsort(a, axis=axis, kind=kind)

HERE = pathlib.Path(__file__).parent
HISTORIES, PROPOSALS, CANDIDATES, BINS = 20, 500, 24, 20
NAMES = ["real", "log", "few", "many", "int_log", "choice", "momentum"]
EDGE_LOG = (math.log(0.5), math.log(350.5))
LOG = (math.log(1e-4), math.log(0.5))
WHOLE = ("few", "many", "int_log")
# hyperopt's: whole numbers are quniform or qloguniform, half a step beyond either end.
ENDS = {"real": (0.0, 1.0), "momentum": (0.0, 1.0), "log": LOG, "few": (1.5, 10.5),
        "many": (0.5, 350.5), "int_log": EDGE_LOG}


def coordinate(name, value):
    """Of a native value: the middle of a bin, if it has steps."""
    if name in ("real", "momentum"):
        return value
    if name == "log":
        return (math.log(value) - LOG[0]) / (LOG[1] - LOG[0])
    if name == "few":
        return (value - 2 + 0.5) / 9
    if name == "many":
        return (value - 1 + 0.5) / 350
    if name == "int_log":
        return (math.log(value) - EDGE_LOG[0]) / (EDGE_LOG[1] - EDGE_LOG[0])
    return (value + 0.5) / 3


def native(name, stored):
    """Of a number in the file."""
    if name in ("real", "momentum"):
        return stored / 1000
    if name == "log":
        return min(max(math.exp(LOG[0] + stored / 1000 * (LOG[1] - LOG[0])), 1e-4), 0.5)
    return stored


def histories():
    rng = np.random.default_rng(22)
    found = []
    for at in range(HISTORIES):
        trials = []
        best = rng.random(5)
        for _ in range(int(rng.integers(20, 131))):
            u = np.where(rng.random(5) < 0.5, rng.random(5), np.clip(rng.normal(best, 0.1), 0, 1))
            choice = int(rng.integers(3))
            values = [round(1000 * u[0]), round(1000 * u[1]), 2 + int(min(u[2] * 9, 8)),
                      1 + int(min(u[3] * 350, 349)),
                      int(np.clip(np.rint(np.exp(EDGE_LOG[0] + u[4] * (EDGE_LOG[1] - EDGE_LOG[0]))),
                                  1, 350)),
                      choice, int(rng.integers(1001)) if choice == 1 else None]
            # Few different scores in every fifth history: ties.
            digits = 1 if at % 5 == 0 else 3
            score = round(float(-np.sum((u - best) ** 2) + 0.1 * rng.random()
                                + 0.2 * (choice == 1)), digits)
            kind = str(rng.choice(["complete", "pruned", "running", "failed"],
                                  p=[[0.9, 0.0, 0.05, 0.05], [0.5, 0.4, 0.05, 0.05],
                                     [0.02, 0.9, 0.05, 0.03]][at % 3]))
            step, measured = 0, True
            if kind == "pruned":
                step = int(rng.integers(1, 6))
                seen = rng.random()
                if seen < 0.1:
                    score = None
                elif seen < 0.2:
                    score, measured = None, False
            trials.append({"kind": kind, "score": score, "step": step, "measured": measured,
                           "values": values})
        found.append(trials)
    return found


def optuna_proposals(trials):
    import optuna
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
    from optuna.trial import TrialState, create_trial

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    spaces = {
        "real": FloatDistribution(0.0, 1.0), "log": FloatDistribution(1e-4, 0.5, log=True),
        "few": IntDistribution(2, 10), "many": IntDistribution(1, 350),
        "int_log": IntDistribution(1, 350, log=True),
        "choice": CategoricalDistribution([0, 1, 2]), "momentum": FloatDistribution(0.0, 1.0),
    }
    states = {"complete": TrialState.COMPLETE, "pruned": TrialState.PRUNED,
              "running": TrialState.RUNNING, "failed": TrialState.FAIL}
    study = optuna.create_study(direction="maximize")
    for trial in trials:
        params = {name: native(name, v) for name, v in zip(NAMES, trial["values"]) if v is not None}
        reports = {}
        if trial["kind"] == "pruned" and trial["measured"]:
            reports = {trial["step"]: math.nan if trial["score"] is None else trial["score"]}
        study.add_trial(create_trial(
            state=states[trial["kind"]], params=params, intermediate_values=reports,
            value=trial["score"] if trial["kind"] == "complete" else None,
            distributions={name: spaces[name] for name in params}))
    asked = study.ask({})
    frozen = study._storage.get_trial(asked._trial_id)
    sampler = optuna.samplers.TPESampler(seed=1)
    together = sampler.infer_relative_search_space(study, frozen)
    found = dict(zip(together, optuna_best(sampler, study, frozen, together))) if together else {}
    for name in NAMES:
        if name not in found:
            [found[name]] = optuna_best(sampler, study, frozen, {name: spaces[name]})
    return found


def optuna_best(sampler, study, frozen, spaces):
    """TPESampler._sample by its own parts: the estimators of a fixed history are the same for
    every proposal, so they are built once, and the candidates of all proposals are drawn at
    once."""
    from optuna.samplers._tpe.sampler import _split_trials, default_gamma
    from optuna.trial import TrialState

    liar = sampler._constant_liar
    states = [TrialState.COMPLETE, TrialState.PRUNED] + [TrialState.RUNNING] * liar
    trials = [t for t in study._get_trials(deepcopy=False, states=states)
              if t.number != frozen.number]
    count = sum(t.state != TrialState.RUNNING for t in trials)
    assert count >= sampler._n_startup_trials
    more = () if optuna_major() == 5 else (False,)
    sides = _split_trials(study, trials, default_gamma(count), *more)
    below, above = (sampler._build_parzen_estimator(study, spaces, side, handle_below=is_below)
                    for side, is_below in zip(sides, (True, False)))
    drawn = below.sample(sampler._rng.rng, PROPOSALS * CANDIDATES)
    gain = sampler._compute_acquisition_func(drawn, below, above)
    best = np.argmax(gain.reshape(PROPOSALS, CANDIDATES), axis=1)
    best += CANDIDATES * np.arange(PROPOSALS)
    return [[distribution.to_external_repr(x.item()) for x in drawn[name][best]]
            for name, distribution in spaces.items()]


def optuna_major():
    import optuna
    return int(optuna.__version__.split(".")[0])


def hyperopt_proposals(trials):
    """tpe.suggest by its own parts, for the same reason. hyperopt's `choice` is a randint."""
    from hyperopt import tpe

    tids = list(range(len(trials)))
    losses = [-t["score"] if t["kind"] in ("complete", "pruned") and t["score"] is not None
              else math.inf for t in trials]
    assert len(trials) >= 20
    rng = np.random.default_rng(1)
    size = (PROPOSALS * CANDIDATES,)
    found = {}
    for at, name in enumerate(NAMES):
        known = [(tid, native(name, t["values"][at])) for tid, t in enumerate(trials)
                 if t["values"][at] is not None]
        sides = tpe.ap_split_trials([tid for tid, _ in known], [v for _, v in known], tids, losses,
                                    tpe._default_gamma)
        if name == "choice":
            below, above = (np.bincount(side.astype(int), minlength=3, weights=(
                tpe.linear_forgetting_weights(len(side), tpe.DEFAULT_LF))) + 1.0 for side in sides)
            drawn = rng.choice(3, size=size, p=below / below.sum())
            gain = np.log(below / below.sum())[drawn] - np.log(above / above.sum())[drawn]
        else:
            is_log, q = name in ("log", "int_log"), 1.0 if name in WHOLE else None
            low, high = ENDS[name]
            mixtures = [tpe.adaptive_parzen_normal(np.log(side) if is_log else side, 1.0,
                                                   0.5 * (low + high), high - low)
                        for side in sides]
            draw, density = ((tpe.LGMM1, tpe.LGMM1_lpdf) if is_log else (tpe.GMM1, tpe.GMM1_lpdf))
            drawn = draw(*mixtures[0], low=low, high=high, q=q, rng=rng, size=size)
            below, above = (density(drawn, *mixture, low=low, high=high, q=q)
                            for mixture in mixtures)
            gain = below - above
        best = np.argmax(gain.reshape(PROPOSALS, CANDIDATES), axis=1)
        found[name] = drawn[best + CANDIDATES * np.arange(PROPOSALS)].tolist()
    return found


def counts(found):
    """Of lists a parameter; `momentum` counts where the choice is the second one."""
    binned = []
    for name in NAMES:
        bins = {"few": 9, "choice": 3}.get(name, BINS)
        row = [0] * bins
        for value, choice in zip(found[name], found["choice"]):
            if name != "momentum" or choice == 1:
                row[min(int(coordinate(name, value) * bins), bins - 1)] += 1
        binned.append(row)
    return binned


def lines(items):
    return "[\n" + ",\n".join(json.dumps(item, separators=(",", ":")) for item in items) + "\n]\n"


def main():
    peer = sys.argv[1]
    every = histories()
    stored = [[list(trial.values()) for trial in trials] for trials in every]
    (HERE / "tpe-histories.json").write_text(lines(stored))
    if peer == "hyperopt":
        import hyperopt
        assert hyperopt.__version__ == "0.3.0"
    else:
        import optuna
        assert optuna.__version__ == {"optuna4": "4.9.0", "optuna5": "5.0.0"}[peer]
    draw = hyperopt_proposals if peer == "hyperopt" else optuna_proposals
    found = [counts(draw(trials)) for trials in every]
    (HERE / f"tpe-{peer}.json").write_text(lines(found))


if __name__ == "__main__":
    main()
