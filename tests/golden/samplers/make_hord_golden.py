#!/usr/bin/env python3
"""Makes hord.json: what pySOT's DYCORS strategy does at fixed data.

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1, pySOT 0.3.3, six 1.17.0.
Run from anywhere: python3 make_hord_golden.py

`merits`: the candidate that `weighted_distance_merit` takes under each weight. `steps`: the
sampling radius after each of a list of losses, and whether the strategy has converged (`adjust_step`).
`probabilities`: the probability of a perturbation after so many evaluations (`generate_evals`).
`candidates`: how many of 2,000 candidates of `candidate_dycors` fall into each of 20 bins a
coordinate, around 0.35, 0.9, 0.5, with radius 0.2 and a probability of 0.9; pySOT never picks the
last coordinate where none was drawn, which one in a thousand is.
"""
import json
import pathlib
import sys
from types import SimpleNamespace

import numpy as np
from pySOT.auxiliary_problems.candidate_srbf import weighted_distance_merit
from pySOT.strategy import DYCORSStrategy, dycors_strategy
from pySOT.surrogate import CubicKernel, LinearTail, RBFInterpolant

# The package has a function of the module's name.
dycors = sys.modules["pySOT.auxiliary_problems.candidate_dycors"]
rng = np.random.default_rng(20261128)
np.random.seed(20261128)


def merits(rows, columns):
    x, candidates = np.round(rng.random((rows, columns)), 4), np.round(rng.random((50, columns)), 4)
    candidates[7] = x[3] + 1e-4
    y = np.round(np.sin(4 * x[:, 0]) + x[:, -1] ** 2, 6)
    model = RBFInterpolant(dim=columns, lb=np.zeros(columns), ub=np.ones(columns),
                           kernel=CubicKernel(), tail=LinearTail(columns), eta=1e-6)
    model.add_points(x, y.reshape(-1, 1))
    chosen = []
    for weight in [0.0, 0.3, 0.5, 0.8, 0.95, 1.0]:
        point = weighted_distance_merit(num_pts=1, surrogate=model, X=x, fX=y.reshape(-1, 1),
                                        cand=candidates, weights=[weight])
        chosen.append([weight, int(np.argmin(np.abs(candidates - point).sum(axis=1)))])
    return {"inputs": x.tolist(), "targets": y.tolist(), "candidates": candidates.tolist(),
            "chosen": chosen}


def strategy(columns):
    found = object.__new__(DYCORSStrategy)
    found.sampling_radius_min, found.sampling_radius_max = 0.2 * 0.5 ** 6, 0.2
    found.failtol, found.succtol = max(columns, 4), 3
    found.maxfailtol = 4 * found.failtol
    found.status = found.failcount = found.ev_last = 0
    found.sampling_radius, found._fbest, found.converged = 0.2, np.inf, False
    found.get_ev = lambda: 0
    return found


def steps(columns, losses):
    found, radii = strategy(columns), []
    for loss in losses:
        found.record_queue = [SimpleNamespace(value=loss)]
        found.adjust_step()
        radii.append([found.sampling_radius, bool(found.converged)])
    return {"parameters": columns, "losses": losses, "radii": radii}


def probabilities(columns, trials):
    found, seen = strategy(columns), []
    found.max_evals, found.num_exp = trials, 2 * (columns + 1)
    found.weights, found.next_weight, found.num_cand, found.batch_queue = [0.5], 0, 1, []
    found.opt_prob = SimpleNamespace(dim=columns)
    found.surrogate = found._X = found._fX = None

    def capture(prob_perturb, **_):
        seen.append(float(prob_perturb))
        return np.zeros((1, columns))

    dycors_strategy.candidate_dycors = capture
    counts = list(range(found.num_exp, trials, 7))
    for count in counts:
        found.X, found.Xpend = np.zeros((count, columns)), np.zeros((0, columns))
        found.generate_evals(1)
    return {"parameters": columns, "trials": trials, "counts": counts, "probabilities": seen}


def candidates():
    dycors.weighted_distance_merit = lambda cand, **_: cand
    best = np.array([0.35, 0.9, 0.5])
    problem = SimpleNamespace(dim=3, lb=np.zeros(3), ub=np.ones(3), int_var=np.array([], int),
                              cont_var=np.arange(3))
    found = dycors.candidate_dycors(num_pts=1, opt_prob=problem, surrogate=None, X=best[None],
                                    fX=np.zeros((1, 1)), weights=[0.5], prob_perturb=0.9,
                                    num_cand=2000, sampling_radius=0.2)
    bins = np.minimum(np.floor(found * 20).astype(int), 19)
    return {"best": best.tolist(),
            "counts": [np.bincount(column, minlength=20).tolist() for column in bins.T]}


walk = np.round(1 - 0.02 * np.arange(8), 4).tolist() + [1.0] * 6 + [0.8, 0.7, 0.6, 0.5, 0.4]
out = {"merits": [merits(20, 3), merits(40, 5)],
       "steps": [steps(3, walk + [2.0] * 40), steps(6, [5.0] + [4.999] * 30)],
       "candidates": candidates(),
       "probabilities": [probabilities(9, 200), probabilities(30, 400), probabilities(2, 60)]}
path = pathlib.Path(__file__).with_name("hord.json")
path.write_text(json.dumps(out).replace("}, {", "},\n{") + "\n")
