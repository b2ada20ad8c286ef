#!/usr/bin/env python3
"""Makes bnn_curve.json: the layer of curves and the predictions of pybnn's LCNet.

"layer": the five basis functions of Klein et al. 2017 under pybnn's scaling, with the gradient by
what the network gives, by autograd. "learned": last scores of recorded curves by LCNet, which sees
the whole curves of those with i % 5 < 3 of the 100 of ../curves/curves.json and the first epochs of
the other 40: the share of the variance explained over those with i % 5 = 3, after 6,000 steps.
"coordinates": where the 100 configurations lie in the unit cube.

Versions: Python 3.11, numpy 2.4.6, torch 2.15.0, pybnn 0.0.5, pyarrow 26.0.1.
Run from anywhere: python3 make_bnn_curve.py (some minutes)
"""
import json
import pathlib

import numpy as np
import pyarrow.parquet as pq
import torch
from pybnn import lcnet

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
HERE = pathlib.Path(__file__).parent
GOLDEN = json.loads((HERE.parent / "curves" / "curves.json").read_text())
TABLE = HERE.parents[2] / "tables" / "digits-lenet"


def number(at):
    """A fixed sequence without a generator, so that both sides can compute it."""
    return np.sin(1.0 + 0.7 * at + 0.013 * at * at)


def layer(raw, t):
    theta = torch.sigmoid(raw[:13])
    t = torch.tensor(t)
    offset = 1e-5  # pybnn's vapor_pressure adds it to the time.
    values = torch.stack([
        lcnet.vapor_pressure(t - offset, *theta[0:3]),
        lcnet.pow_func(t, *theta[3:5]),
        lcnet.log_power(t, *theta[5:8]),
        lcnet.exponential(t, *theta[8:10]),
        lcnet.hill_3(t, *theta[10:13]),
    ])
    return torch.sigmoid(raw[18]) + (torch.softmax(raw[13:18], -1) * values).sum()


def layers():
    found = []
    for case, t in enumerate((0.01, 0.1, 1 / 3, 0.8, 1.0)):
        raw = torch.tensor(2.0 * number(np.arange(19.0) + 40 * case), requires_grad=True)
        value = layer(raw, t)
        value.backward()
        found.append({"time": t, "value": value.item(), "slopes": raw.grad.tolist()})
    return found


def coordinates():
    space = json.loads((TABLE / "table.json").read_text())["space"]["parameters"]
    chosen = [curve["config_id"] for curve in GOLDEN["curves"]]
    columns = pq.read_table(TABLE / "configs.parquet").to_pydict()
    row_of = {config: row for row, config in enumerate(columns["config_id"])}
    found = []
    for p in space:
        values = np.array([columns[p["name"]][row_of[c]] for c in chosen], dtype=float)
        low, high = p["low"], p["high"]
        if p["type"] == "int":
            low, high = low - 0.5, high + 0.5
        if p.get("log"):
            values, low, high = np.log(values), np.log(low), np.log(high)
        found.append((values - low) / (high - low))
    return np.array(found).T.round(4)


def architecture(input_dimensionality):
    network = lcnet.get_lc_net_architecture(input_dimensionality)
    # What pybnn leaves uninitialised.
    network.sigma_layer.bias.data.fill_(np.log(1e-3))
    return network


def learned(points, length, seed):
    torch.manual_seed(seed)
    np.random.seed(seed)
    curves = np.array([c["correct"] for c in GOLDEN["curves"]]) / GOLDEN["images"]
    rows, targets = [], []
    for at in range(100):
        for epoch in range(1, (30 if at % 5 < 3 else length) + 1):
            rows.append(np.append(points[at], epoch / 30))
            targets.append(curves[at, epoch - 1])
    model = lcnet.LCNet()
    model.get_network = architecture
    model.train(np.array(rows), np.array(targets), num_steps=6000, num_burn_in_steps=2000,
                keep_every=100, lr=1e-2)
    judged = np.arange(100) % 5 == 3
    last = curves[judged, -1]
    mean, _ = model.predict(np.append(points[judged], np.ones((judged.sum(), 1)), axis=1))
    return 1 - np.sum((mean - last) ** 2) / np.sum((last - last.mean()) ** 2)


if __name__ == "__main__":
    points = coordinates()
    explained = []
    for length in (6, 15):
        found = round(float(learned(points, length, 0)), 4)
        print(length, found, flush=True)
        explained.append({"length": length, "explained": found})
    text = json.dumps({
        "layer": layers(), "learned": explained, "coordinates": points.tolist(),
    }, separators=(",", ":"))
    (HERE / "bnn_curve.json").write_text(text.replace("],[", "],\n[") + "\n")
