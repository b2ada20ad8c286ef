#!/usr/bin/env python3
"""Makes gp.json: which row of a table Optuna's GPSampler would run next after fixed histories.

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1, torch 2.15.0, optuna 4.9.0.
Run from anywhere: python3 make_gp_golden.py

Optuna's own functions fit the kernel (`optuna._gp.gp.fit_kernel_params` under the sampler's prior)
and compute the acquisition (`optuna._gp.acqf.LogEI`, running trials appended as it does), but every
row of the table is scored, where the sampler climbs from some points. `parameters` are those of a
climb to a slope of 1e-6, `row` is the best free row after one to a slope of 1e-2, the sampler's
own; `gap` is by how much the second best row's score falls short of it. A history is told rows of
the table in some order; the last ones are still running.
"""
import json
import pathlib

import numpy as np
import torch
from optuna._gp import acqf, gp, prior

torch.set_num_threads(1)
rng = np.random.default_rng(20261128)
ROWS = 160
x = np.round(rng.random((ROWS, 4)), 4)
x[:, 3] = (rng.integers(0, 3, ROWS) + 0.5) / 3
is_choice = np.array([False, False, False, True])
choice = np.array([0.0, 0.25, 0.1])[np.floor(x[:, 3] * 3).astype(int)]
score = 1 - (x[:, 0] - 0.3) ** 2 - 0.5 * np.abs(x[:, 1] - 0.6) - choice * x[:, 2]
score = np.round(np.where(x[:, 0] > 0.85, 0.1, score + rng.normal(0, 0.02, ROWS)), 4)


def fitted(known, y, tolerance):
    return gp.fit_kernel_params(
        X=x[known], Y=y, is_categorical=is_choice, log_prior=prior.default_log_prior,
        minimum_noise=prior.DEFAULT_MINIMUM_NOISE_VAR, deterministic_objective=False,
        gpr_cache=None, gtol=tolerance)


histories = []
for index in range(50):
    count, running = int(rng.integers(10, 61)), [0, 0, 1, 3][index % 4]
    order = rng.permutation(ROWS)[:count + running].tolist()
    known, pending = order[:count], order[count:]
    y = score[known]
    y = (y - y.mean()) / max(1e-10, y.std())
    parameters = fitted(known, y, 1e-6)
    model = fitted(known, y, 1e-2)
    acquisition = acqf.LogEI(
        gpr=model, search_space=None, threshold=y.max(),
        normalized_params_of_running_trials=x[pending] if pending else None)
    free = [row for row in range(ROWS) if row not in order]
    values = acquisition.eval_acqf_no_grad(x[free])
    first, second = np.argsort(-values)[:2]
    histories.append({
        "known": known, "pending": pending,
        "parameters": parameters.inverse_squared_lengthscales.tolist()
        + [float(parameters.kernel_scale), float(parameters.noise_var)],
        "row": free[first], "log_improvement": float(values[first]),
        "gap": float(values[first] - values[second])})

table = {"rows": x.round(6).tolist(), "scores": score.tolist(), "histories": histories}
text = json.dumps(table).replace("}, {", "},\n{")
pathlib.Path(__file__).with_name("gp.json").write_text(text + "\n")
