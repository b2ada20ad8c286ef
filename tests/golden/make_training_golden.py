#!/usr/bin/env python3
"""Writes training.json: ten Adam steps of small networks in PyTorch, and scikit-learn's metrics.

Made with torch 2.15.0 (CPU), scikit-learn 1.9.1, numpy 2.4.6, Python 3.11:
    python3 make_training_golden.py, in this directory.

Everything is in float64, so that the values are references and not another rounding; the largest
difference of the same run in float32 is recorded beside them ("float32_difference"). Weights,
biases, pixels and labels come from formulas that the test repeats.
"""

import json
import math
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn import metrics
from torch import nn

STEPS, BATCH, CLASSES, EVERY = 10, 6, 10, 13

# name, input, filters, kernel, pools, units, l2, scope, learning rate
NETS = [
    ("odd kernel 3, pools 2 and 1", (1, 8, 8), (5, 7), 3, (2, 1), 11, 0.1, "dense", 0.01),
    ("even kernel 2, pools 3 and 2", (1, 8, 8), (4, 6), 2, (3, 2), 9, 0.5, "dense", 0.01),
    ("even kernel 4, pools 1 and 2", (1, 8, 8), (3, 5), 4, (1, 2), 8, 0.0, "dense", 0.003),
    ("mnist-like, kernel 5, pools 2 and 3", (1, 28, 28), (4, 6), 5, (2, 3), 16, 0.01, "dense", 0.01),
    ("mnist-like, kernel 4, pools 3 and 2", (1, 28, 28), (6, 4), 4, (3, 2), 16, 0.02, "all", 0.01),
    ("three channels, kernel 10", (3, 12, 10), (17, 3), 10, (2, 2), 5, 0.02, "all", 0.003),
]


def build(shape, filters, kernel, pools, units, dtype):
    channels, height, width = shape
    for pool in pools:
        height, width = height // pool, width // pool
    model = nn.Sequential(
        nn.Conv2d(channels, filters[0], kernel, padding="same"), nn.ReLU(), nn.MaxPool2d(pools[0]),
        nn.Conv2d(filters[0], filters[1], kernel, padding="same"), nn.ReLU(), nn.MaxPool2d(pools[1]),
        nn.Flatten(), nn.Linear(filters[1] * height * width, units), nn.ReLU(),
        nn.Linear(units, CLASSES),
    ).to(dtype)  # fmt: skip
    layers = [m for m in model if isinstance(m, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        for at, layer in enumerate(layers):
            fan_in = layer.weight[0].numel()
            i = np.arange(layer.weight.numel(), dtype=np.float64)
            values = np.sin(0.7 * i * i + at) * math.sqrt(4.0 / fan_in)
            layer.weight.copy_(torch.tensor(values.astype(np.float32)).reshape(layer.weight.shape))
            j = np.arange(layer.bias.numel(), dtype=np.float64)
            layer.bias.copy_(torch.tensor((0.05 * np.cos(j)).astype(np.float32)))
    return model, layers


def run(net, dtype):
    _, shape, filters, kernel, pools, units, l2, scope, rate = net
    model, layers = build(shape, filters, kernel, pools, units, dtype)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    image = int(np.prod(shape))
    out = {"losses": [], "correct": [], "after_1": [], "after_10": []}
    for step in range(STEPS):
        # The last batch is smaller, as an epoch's last one may be.
        batch = BATCH if step < STEPS - 1 else BATCH - 2
        i = np.arange(batch * image, dtype=np.float64)
        pixels = (1.5 * np.sin(0.37 * i + 0.0001 * i * i + 1.3 * step)).astype(np.float32)
        x = torch.tensor(pixels).reshape(batch, *shape).to(dtype)
        y = torch.tensor([(7 * n + 3 * step) % CLASSES for n in range(batch)])
        logits = model(x)
        loss = nn.functional.cross_entropy(logits, y)
        penalty = sum(
            (m.weight**2).sum() for m in layers if scope == "all" or isinstance(m, nn.Linear)
        )
        optimizer.zero_grad()
        (loss + 0.5 * l2 * penalty).backward()
        optimizer.step()
        out["losses"].append(loss.item())
        out["correct"].append(int((logits.argmax(1) == y).sum()))
        if step + 1 in (1, STEPS):
            kept = [m.weight.detach().flatten()[::EVERY].double().tolist() for m in layers]
            kept += [m.bias.detach().double().tolist() for m in layers]
            out[f"after_{step + 1}"] = kept
    return out


def difference(a, b):
    flat = lambda r: np.array(sum(r["after_1"] + r["after_10"], []) + r["losses"])
    return float(np.abs(flat(a) - flat(b)).max())


def rounded(x):
    return [rounded(v) for v in x] if isinstance(x, list) else float(f"{x:.9g}")


def nets():
    for net in NETS:
        name, shape, filters, kernel, pools, units, l2, scope, rate = net
        exact = run(net, torch.float64)
        yield {
            "name": name, "input": shape, "filters": filters, "kernel": kernel, "pools": pools,
            "units": units, "l2": l2, "l2_scope": scope, "learning_rate": rate,
            "float32_difference": difference(exact, run(net, torch.float32)),
            "correct": exact["correct"], "losses": rounded(exact["losses"]),
            "after_1": rounded(exact["after_1"]), "after_10": rounded(exact["after_10"]),
        }  # fmt: skip


def confusions():
    random = np.random.default_rng(7)
    for classes, empty in [(10, []), (4, [2]), (3, [0, 1])]:
        matrix = random.integers(0, 30, (classes, classes))
        for at in empty:
            matrix[:, at] = 0  # a class that is never predicted
        if len(empty) == 2:
            matrix[2, :] = [0, 0, 5]
            matrix[0, :] = 0  # a class without images and without predictions
        if classes == 4:
            matrix[3, :] = 0  # a class that is predicted but has no images
        pairs = [(i, j) for i in range(classes) for j in range(classes) for _ in range(matrix[i, j])]
        true, predicted = zip(*pairs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            macro = metrics.precision_recall_fscore_support(
                true, predicted, average="macro", zero_division=0
            )
            weighted = metrics.precision_score(
                true, predicted, average="weighted", zero_division=0
            )
        yield {
            "classes": classes, "confusion": matrix.flatten().tolist(),
            "accuracy": metrics.accuracy_score(true, predicted),
            "precision_macro": float(macro[0]), "recall_macro": float(macro[1]),
            "f1_macro": float(macro[2]), "precision_weighted": float(weighted),
        }  # fmt: skip


golden = {"nets": list(nets()), "metrics": list(confusions())}
target = Path(__file__).with_name("training.json")
target.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
for net in golden["nets"]:
    print(net["name"], net["float32_difference"], net["losses"], net["correct"])
print(target.stat().st_size)
