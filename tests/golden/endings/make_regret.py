"""After how many trials Optuna's terminator finds a search over, and the figures behind it.

Python 3.11, numpy 2.4.6, scipy 1.17.1, torch 2.15.0, optuna 4.9.0:
python3 make_regret.py > regret.json

20 histories of up to 75 of a table's 160 rows: 12 at random, then such as lie the nearer to the
best row the later they come, as a search that converges would. `RegretBoundEvaluator` and
`EMMREvaluator` are Optuna's own, asked after every trial by Optuna's own `Terminator`; in the place
of its draws of the space stand the rows of the table (`optimize_acqf_sample`). `ends` says after how
many trials it is over, null where it goes on, and `drawn` what it says with its own 2,048 draws.
`bounds` and `emmrs` are what is improved after 25, 50 and 75 trials, with the parameters that
Optuna fitted, weights first, then scale and noise: of emmr those of the process before the last
trial and those of the one with it.
"""
import json
import sys
import warnings

import numpy as np
import optuna
import torch
from optuna._gp import gp, optim_sample
from optuna.terminator import (
    EMMREvaluator, MedianErrorEvaluator, RegretBoundEvaluator, StaticErrorEvaluator, Terminator)

warnings.simplefilter("ignore")
optuna.logging.set_verbosity(optuna.logging.ERROR)
torch.set_num_threads(1)
FROM, TO, ROWS = 20, 75, 160
rng = np.random.default_rng(20261129)
x = np.round(rng.random((ROWS, 4)), 4)
choices = np.floor(x[:, 3] * 3).astype(int)
x[:, 3] = (choices + 0.5) / 3
points = np.column_stack([x[:, :3], choices.astype(float)])
noise = rng.normal(0, 1, ROWS)


def surface(index):
    middle = np.array([0.3, 0.6, 0.5]) + 0.1 * (index % 3)
    steep = [0.3, 1.0, 3.0, 10.0][index % 4]
    bend = steep * ((x[:, :3] - middle) ** 2).sum(axis=1)
    tops = np.array([0.0, 0.2, 0.05])[choices] * (index % 2)
    return np.round(0.9 - bend - tops + noise * [0.001, 0.02, 0.0][index % 3], 5)


def history(scores, index):
    draw = np.random.default_rng(index)
    known = draw.permutation(ROWS)[:12].tolist()
    best = points[np.argmax(scores)]
    far = np.abs(points[:, :3] - best[:3]).sum(axis=1) + 0.3 * (points[:, 3] != best[3])
    rest = [row for row in np.argsort(-far + draw.normal(0, 0.3, ROWS)) if row not in known]
    return known + [int(row) for row in rest[-(TO - 12):]]


FITTED, LATEST = {}, []
fit = gp.fit_kernel_params


def fit_once(X, Y, is_categorical, gpr_cache=None, **more):
    start = b"" if gpr_cache is None else gpr_cache.length_scales.tobytes()
    key = (X.tobytes(), Y.tobytes(), start)
    if key not in FITTED:
        FITTED[key] = fit(X=X, Y=Y, is_categorical=is_categorical, gpr_cache=gpr_cache, **more)
    LATEST.append(FITTED[key])
    return FITTED[key]


gp.fit_kernel_params = fit_once
sample = optim_sample.optimize_acqf_sample


def of_rows(acqf, *, n_samples=2048, rng=None):
    values = acqf.eval_acqf_no_grad(points)
    best = int(np.argmax(values))
    return points[best], values[best]


class Once:
    """The evaluator's own answer for some trials, computed once."""

    def __init__(self, evaluator):
        self.evaluator, self.known = evaluator, {}

    def evaluate(self, trials, study_direction):
        trials = list(trials)
        key = (trials[0].number, len(trials))
        if key not in self.known:
            self.known[key] = float(self.evaluator.evaluate(trials, study_direction))
        return self.known[key]


def parameters(gpr):
    return [*gpr.inverse_squared_lengthscales.tolist(), float(gpr.kernel_scale),
            float(gpr.noise_var)]


def trial(row, score):
    space = {f"x{i}": optuna.distributions.FloatDistribution(0, 1) for i in range(3)}
    space["x3"] = optuna.distributions.CategoricalDistribution([0, 1, 2])
    values = {f"x{i}": float(x[row, i]) for i in range(3)} | {"x3": int(choices[row])}
    return optuna.trial.create_trial(params=values, distributions=space, value=float(score))


SETTINGS = [("bound", "median", 0.1), ("bound", "median", 0.4), ("bound", "fixed", 0.02),
            ("bound", "fixed", 0.1), ("emmr", "median", 0.1), ("emmr", "median", 0.4),
            ("emmr", "fixed", 0.1)]


def ends(scores, known, seed):
    bound = Once(RegretBoundEvaluator(seed=seed))
    emmr = Once(EMMREvaluator(seed=seed))
    evaluators = {"bound": bound, "emmr": emmr}
    terminators = []
    for improvement, error, value in SETTINGS:
        evaluator = evaluators[improvement]
        paired = StaticErrorEvaluator(value) if error == "fixed" else MedianErrorEvaluator(
            evaluator, threshold_ratio=value)
        terminators.append(Terminator(evaluator, paired))
    study = optuna.create_study(direction="maximize")
    found = [None] * len(terminators)
    for count, row in enumerate(known, 1):
        study.add_trial(trial(row, scores[row]))
        for at, terminator in enumerate(terminators):
            if found[at] is None and terminator.should_terminate(study):
                found[at] = count
    return found, study.trials


def figures(trials):
    maximise = optuna.study.StudyDirection.MAXIMIZE
    bounds, emmrs = [], []
    for count in (25, 50, 75):
        LATEST.clear()
        value = RegretBoundEvaluator().evaluate(trials[:count], maximise)
        bounds.append({"count": count, "value": float(value), "fit": parameters(LATEST[-1])})
        LATEST.clear()
        value = EMMREvaluator().evaluate(trials[:count], maximise)
        emmrs.append({"count": count, "value": float(value),
                      "earlier": parameters(LATEST[0]), "later": parameters(LATEST[1])})
    return bounds, emmrs


histories = []
for index in range(20):
    scores = surface(index)
    known = history(scores, index)
    optim_sample.optimize_acqf_sample = of_rows
    found, trials = ends(scores, known, 0)
    bounds, emmrs = figures(trials)
    optim_sample.optimize_acqf_sample = sample
    drawn, _ = ends(scores, known, 0)
    FITTED.clear()
    histories.append({"known": known, "scores": [float(scores[row]) for row in known],
                      "ends": found, "drawn": drawn, "bounds": bounds, "emmrs": emmrs})
    print(index, found, drawn, [b["value"] for b in bounds], [e["value"] for e in emmrs],
          file=sys.stderr)
print(json.dumps({"rows": x.tolist(), "settings": SETTINGS, "histories": histories},
                 separators=(",", ":")))
