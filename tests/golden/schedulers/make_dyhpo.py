#!/usr/bin/env python3
"""Makes dyhpo.json: what the deep-kernel Gaussian process of DyHPO learns, predicts and decides.

Versions: Python 3.11, torch 2.15.0, gpytorch 1.15.2, numpy 2.4.6, scipy 1.17.1.
Run from anywhere: python3 make_dyhpo.py

`models`: the feature extractor of the authors' `surrogate_models/dyhpo.py`
(github.com/machinelearningnuremberg/DyHPO, commit c7d170f; two layers, batch norm after the first,
the curve through Conv1d and a maximum) in torch, before gpytorch's exact process with a scaled RBF
kernel, trained by torch's Adam at 1e-3 on all points at once, in f64; predictions after some steps.
`runs`: their `get_next` and `respond` (`hpo_method.py`), written anew from a reading of it, with
predictions that are a formula of the row, the budget and of how often the model was trained.
"""
import json
import math
import pathlib

import gpytorch
import numpy as np
import torch
from scipy.stats import norm

torch.set_default_dtype(torch.float64)
EPOCHS = 8
ROWS = 6


def value(at):
    return math.sin(at * at % 10_007)


def numbers(shape, bound, start):
    count = int(np.prod(shape))
    return torch.tensor([value(start + k) * bound for k in range(count)]).reshape(shape)


class Features(torch.nn.Module):
    """Weights are numbered on from part to part; a layer's lie (inputs, outputs)."""

    def __init__(self, inputs, units):
        super().__init__()
        self.first = torch.nn.Linear(inputs, units)
        self.norm = torch.nn.BatchNorm1d(units)
        self.curve = torch.nn.Sequential(torch.nn.Conv1d(1, 4, 3), torch.nn.AdaptiveMaxPool1d(1))
        self.second = torch.nn.Linear(units + 4, 2 * units)
        at = 0
        for part, fan in ((self.first, inputs), (self.curve[0], 3), (self.second, units + 4)):
            bound = 1 / math.sqrt(fan)
            shape = part.weight.shape
            if part is self.curve[0]:
                part.weight.data = numbers(shape, bound, at)
            else:
                part.weight.data = numbers(shape[::-1], bound, at).T.contiguous()
            at += part.weight.numel()
            part.bias.data = numbers(part.bias.shape, bound, at)
            at += part.bias.numel()

    def forward(self, x, curves):
        leaky = torch.nn.functional.leaky_relu
        x = leaky(self.norm(self.first(x)))
        pooled = self.curve(curves[:, None, :])[:, :, 0]
        return leaky(self.second(torch.cat((x, pooled), dim=1)))


class Process(gpytorch.models.ExactGP):
    def __init__(self, x, y, likelihood):
        super().__init__(x, y, likelihood)
        self.mean_module = gpytorch.means.ConstantMean()
        self.covar_module = gpytorch.kernels.ScaleKernel(gpytorch.kernels.RBFKernel())

    def forward(self, x):
        return gpytorch.distributions.MultivariateNormal(self.mean_module(x), self.covar_module(x))


def model(width, units, steps):
    rows = [[(7 * r + 3 * c) % 11 / 10 for c in range(width)] for r in range(ROWS)]
    curves = [[0.3 + 0.5 * (1 - math.exp(-0.4 * e)) + 0.1 * value(r) + 0.02 * value(9 * r + e)
               for e in range(1, 1 + (r * 3) % 7)] for r in range(ROWS)]

    def inputs(row, epoch):
        """Row, budget and the epochs before."""
        before = curves[row][:epoch - 1]
        return rows[row] + [epoch / EPOCHS], before + [0.0] * (EPOCHS - len(before))

    seen = [(r, e) for r in range(ROWS) for e in range(1, len(curves[r]) + 1)]
    asked = [(r, len(curves[r]) + 1) for r in range(ROWS)]
    x, paths = (torch.tensor(part) for part in zip(*(inputs(*at) for at in seen)))
    queries = [torch.tensor(part) for part in zip(*(inputs(*at) for at in asked))]
    y = torch.tensor([curves[r][e - 1] for r, e in seen])
    features = Features(width + 1, units)
    likelihood = gpytorch.likelihoods.GaussianLikelihood()
    process = Process(torch.ones(len(seen), 2 * units), y, likelihood)
    mll = gpytorch.mlls.ExactMarginalLogLikelihood(likelihood, process)
    adam = torch.optim.Adam([{"params": process.parameters()}, {"params": features.parameters()}],
                            lr=1e-3)
    found = []
    for step in range(steps[-1] + 1):
        if step in steps:
            for part in (process, features, likelihood):
                part.eval()
            with torch.no_grad():
                process.set_train_data(features(x, paths), y, strict=False)
                prediction = likelihood(process(features(*queries)))
                found.append([step, prediction.mean.tolist(), prediction.stddev.tolist()])
        for part in (process, features, likelihood):
            part.train()
        adam.zero_grad()
        projected = features(x, paths)
        process.set_train_data(projected, y, strict=False)
        loss = -mll(process(projected), y)
        loss.backward()
        adam.step()
    return {"width": width, "units": units, "epochs": EPOCHS, "rows": rows, "curves": curves,
            "predictions": found}


def improvement(best, mean, deviation):
    if deviation == 0:
        return 0
    z = (mean - best) / deviation
    return (mean - best) * norm.cdf(z) + deviation * norm.pdf(z)


def scripted(row, budget, trainings):
    mean = 0.55 + 0.3 * math.sin(12.9898 * row + 0.61 * trainings + 0.2 * budget)
    deviation = 0.08 + 0.07 * math.cos(3.7 * row + 1.3 * trainings + 0.5 * budget)
    return mean, deviation


def best_at(budget, known, curves):
    """The best at this budget, else the best of all."""
    at = [curves[r][budget - 1] for r, e in known.items() if e >= budget]
    return max(at) if at else max(max(curves[r][:e]) for r, e in known.items())


def run(first, rows, epochs, step):
    curves = [[0.7 - 0.3 * (0.5 + 0.5 * value(r)) - 0.3 / e + 0.02 * value(10 * r + e)
               for e in range(1, epochs + 1)] for r in range(rows)]
    known, decisions, anews = {}, [], []
    best, patience, threshold = -math.inf, 0, int(epochs + 0.2 * epochs)
    trainings, restart = 0, True
    while True:
        if not decisions:
            row, budget = first, 1
        else:
            open_rows = [r for r in range(rows) if known.get(r, 0) + step <= epochs]
            if not open_rows:
                break
            values = []
            for r in open_rows:
                budget = known.get(r, 0) + step
                values.append(improvement(best_at(budget, known, curves),
                                          *scripted(r, budget, trainings)))
            row = open_rows[int(np.argmax(values))]
            budget = known.get(row, 0) + step
        decisions.append([row, budget])
        known[row] = budget
        score = curves[row][budget - 1]
        if best < score:
            best, patience = score, 0
        else:
            patience += 1
        if patience == threshold:
            restart = True
        trainings += 1
        anews.append(restart)
        if restart and trainings >= 10:
            restart = False
    return {"first": first, "epochs": epochs, "step": step, "curves": curves,
            "decisions": decisions, "anew": anews}


def main():
    golden = {
        "models": [model(2, 3, [0, 1, 15]), model(3, 64, [0, 1, 15])],
        "runs": [run(7, 12, 6, 1)],
    }
    path = pathlib.Path(__file__).with_name("dyhpo.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
