#!/usr/bin/env python3
"""Makes dpl.json: what deep power laws predict, learn and decide.

Versions: Python 3.11, torch 2.15.0, numpy 2.4.6, scipy 1.17.1.
Run from anywhere: python3 make_dpl.py

`networks`: the network of the authors' `models/conditioned_power_law.py` (two hidden layers with
LeakyReLU; alpha + GLU(beta, beta) b^(-GLU(gamma, gamma))) in torch, L1 loss, torch's Adam at 1e-3,
on given batches from given weights; predictions at the last epoch after some steps.
`improvements`: expected improvement as their `acq` takes it, with scipy.
`runs`: their `suggest` and `observe` (github.com/machinelearningnuremberg/DPL, commit c684aa5,
`surrogate_models/power_law_surrogate.py`), written anew from a reading of it, with predictions that
are a formula of the row and of how often the networks were trained.
"""
import json
import math
import pathlib

import numpy as np
import torch
from scipy.stats import norm

EPOCHS = 10
ROWS = 8


def value(at):
    return math.sin(at * at % 10_007)


def weights(shape):
    """Layer by layer (inputs, outputs), then the bias; numbered on from layer to layer."""
    at, layers = 0, []
    for inputs, outputs in shape:
        bound = 1 / math.sqrt(inputs)
        numbers = [value(at + k) * bound for k in range((inputs + 1) * outputs)]
        at += len(numbers)
        layers.append((np.array(numbers[:inputs * outputs]).reshape(inputs, outputs),
                       np.array(numbers[inputs * outputs:])))
    return layers


class Law(torch.nn.Module):
    def __init__(self, inputs, units):
        super().__init__()
        shape = [(inputs, units), (units, units), (units, 3)]
        self.layers = torch.nn.ModuleList(torch.nn.Linear(i, o) for i, o in shape)
        self.gate = torch.nn.GLU()
        for layer, (weight, bias) in zip(self.layers, weights(shape)):
            layer.weight.data = torch.tensor(weight.T.copy(), dtype=torch.float32)
            layer.bias.data = torch.tensor(bias, dtype=torch.float32)

    def forward(self, x, budget):
        for layer in self.layers[:2]:
            x = torch.nn.functional.leaky_relu(layer(x))
        alpha, beta, gamma = self.layers[2](x).T
        beta = self.gate(torch.cat((beta, beta)))
        gamma = self.gate(torch.cat((gamma, gamma)))
        return alpha + beta * torch.pow(budget, -gamma)


def network(inputs, units):
    rows = [[(7 * r + 3 * c) % 11 / 10 for c in range(inputs)] for r in range(ROWS)]
    observations = [(r, e, 0.2 + 0.5 * math.exp(-0.3 * e) + 0.05 * value(r))
                    for r in range(ROWS) for e in range(1, 6)]
    count = len(observations)
    batches = [[(at * 7 + 13 * step) % count for at in range(20)] for step in range(12)]
    # Refined: the newest joins, also where it is there already.
    batches += [[(at * 3 + step) % count for at in range(24)] + [count - 1] for step in range(2)]
    x = torch.tensor(rows, dtype=torch.float32)
    law = Law(inputs, units)
    adam = torch.optim.Adam(law.parameters(), lr=1e-3)
    predictions = []
    for step in range(len(batches) + 1):
        if step in (0, 1, len(batches)):
            with torch.no_grad():
                found = law(x, torch.ones(ROWS))
            predictions.append([step, [float(p) for p in found]])
        if step == len(batches):
            break
        chosen = [observations[at] for at in batches[step]]
        budget = torch.tensor([e / EPOCHS for _, e, _ in chosen], dtype=torch.float32)
        losses = torch.tensor([loss for _, _, loss in chosen], dtype=torch.float32)
        adam.zero_grad()
        error = torch.nn.L1Loss()(law(x[[r for r, _, _ in chosen]], budget), losses)
        error.backward()
        adam.step()
    return {"inputs": inputs, "units": units, "rows": rows, "epochs": EPOCHS,
            "observations": observations, "batches": batches, "predictions": predictions}


def improvement(best, mean, deviation):
    difference = best - mean
    z = difference / deviation if deviation != 0 else 0.0
    return difference * norm.cdf(z) + deviation * norm.pdf(z)


def scripted(row, trainings):
    mean = 0.45 + 0.3 * math.sin(12.9898 * row + 0.61 * trainings)
    deviation = 0.08 + 0.07 * math.cos(3.7 * row + 1.3 * trainings)
    return mean, deviation


def run(first, rows, epochs, step):
    """Decisions until every row has run to its end; each is (row, budget)."""
    curves = [[0.3 + 0.4 * (0.5 + 0.5 * value(r)) + 0.3 / e + 0.02 * value(10 * r + e)
               for e in range(1, epochs + 1)] for r in range(rows)]
    known, decisions, trainings = {}, [], []
    best, patience, threshold = math.inf, 0, int(epochs + 0.2 * epochs)
    iterations, anew = 0, True
    while True:
        if not decisions:
            row, budget = first, 1
        else:
            open_rows = [r for r in range(rows) if known.get(r, 0) < epochs]
            if not open_rows:
                break
            values = [improvement(best, *scripted(r, iterations)) for r in open_rows]
            row = open_rows[int(np.argmax(values))]
            budget = min(known.get(row, 0) + step, epochs)
        decisions.append([row, budget])
        known[row] = budget
        least = min(curves[row][:budget])
        if best > least:
            best, patience = least, 0
        else:
            patience += 1
            if patience == threshold:
                anew, patience = True, 0
        iterations += 1
        trainings.append(anew)
        if anew:
            anew = iterations <= 10
    return {"first": first, "epochs": epochs, "step": step, "curves": curves,
            "decisions": decisions, "anew": trainings}


def main():
    cases = [(best, mean, deviation) for best in (0.2, 0.7) for mean in (-0.1, 0.15, 0.6, 2.0)
             for deviation in (0.0, 0.03, 0.4)]
    golden = {
        "networks": [network(3, 3), network(4, 128)],
        "improvements": [[*case, float(improvement(*case))] for case in cases],
        "runs": [run(7, 12, 6, 1), run(7, 9, 10, 3)],
    }
    path = pathlib.Path(__file__).with_name("dpl.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
