#!/usr/bin/env python3
"""Retrains the configurations of a table in PyTorch and compares final validation accuracies.

What: the first configurations of a space, as curvebook prints them (curvebook_networks.py), trained
for the space's epochs on the split of contract 1, on one thread, against `val_accuracy` of the last
epoch in a table that `curvebook train` made of the same space. Two kinds of comparison:

- independent (`--seeds 0 1 ...`): initial weights of the same distribution (He-normal by fan-in,
  biases 0), but drawn by PyTorch, as are the order of the images and the dropout masks. Differences
  then hold the noise of the training itself, which two seeds of PyTorch, or two repeats of the table
  (`curvebook train --repeats 2`), show among themselves.
- `--same-streams`: weights, orders and masks from the table's Threefry streams (repeat 0, seed 0),
  as src/train/graph/streams.rs and cpu/dropout.rs describe them. Only rounding is left to differ.

A configuration counts as trainable if its final accuracy is at least chance + 0.05 (0.15 for ten
classes: the epsilon that the rule ETR-1 tells trainable networks by); a loss that is no longer
finite ends a training as untrainable.

Asked for: the same verdict for all but one of 24, and a mean absolute difference of at most 0.015
among those trainable in both. Results stand in retrain_pytorch.csv, one row a configuration; columns
that it has already are kept, so that runs can be made one after the other. What came of it stands in
README.md: by the same streams as asked; independent runs miss, and so do two runs of one program.

It stands here and not in tests/golden, for no test reads its numbers: it compares two programs.

Install (Python 3.11):
  python3 -m venv /tmp/peers && /tmp/peers/bin/pip install torch==2.15.0 numpy==2.4.6 pyarrow==26.0.1
Run (after `cargo build --release`; DIR holds MNIST):
  target/release/curvebook train --space mnist-lenet-lite --data-dir DIR --configs 24 --repeats 2 \\
      --out /tmp/retrain-table
  OMP_NUM_THREADS=1 /tmp/peers/bin/python benches/peers/retrain_pytorch.py mnist-lenet-lite \\
      --data-dir DIR --table /tmp/retrain-table --seeds 0 1 --same-streams
"""

import argparse
import csv
import hashlib
import math
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from torch import nn
from torch.nn import functional as F

from curvebook_networks import Model, add_arguments, show, split

CHANCE, EPSILON, DIFFERENCE_MAX = 0.1, 0.05, 0.015
SAME = "pytorch_same_streams"


class Key:
    """Threefry-2x32-20 (Salmon et al. 2011) under the key of a label, for many counters at once."""

    def __init__(self, seed, who, label):
        text = seed.to_bytes(8, "little") + who.to_bytes(8, "little") + label.encode()
        digest = hashlib.sha256(text).digest()
        self.words = [int.from_bytes(digest[i : i + 4], "little") for i in (0, 4)]

    def at(self, high, count):
        """Both words of the counters (0.., high), in turn."""
        k0, k1 = self.words
        keys = (k0, k1, 0x1BD11BDA ^ k0 ^ k1)
        x0 = np.arange(count, dtype=np.uint32) + np.uint32(k0)
        x1 = np.full(count, high, np.uint32) + np.uint32(k1)
        for n in range(20):
            x0 += x1
            r = np.uint32((13, 15, 26, 6, 17, 29, 16, 24)[n % 8])
            x1 = (x1 << r | x1 >> (np.uint32(32) - r)) ^ x0
            if n % 4 == 3:
                k = n // 4 + 1
                x0 += np.uint32(keys[k % 3])
                x1 += np.uint32((keys[(k + 1) % 3] + k) & 0xFFFFFFFF)
        return np.stack([x0, x1], 1)


class SameMask(nn.Module):
    """Dropout by the table's own masks."""

    def __init__(self, key, rate):
        super().__init__()
        self.key, self.rate, self.step = key, rate, 0

    def forward(self, x):
        if not self.training:
            return x
        words = self.key.at(self.step, (x.numel() + 1) // 2).reshape(-1)[: x.numel()]
        self.step += 1
        mask = (words / 2.0**32 >= self.rate) * np.float32(1 / (1 - self.rate))
        return x * torch.from_numpy(mask.astype(np.float32)).reshape(x.shape)


class Independent:
    """PyTorch's own random numbers."""

    def __init__(self, seed, config):
        torch.manual_seed(1_000_003 * seed + config)

    dropout = staticmethod(lambda index, rate: nn.Dropout(rate))

    def weights(self, index, weight):
        nn.init.kaiming_normal_(weight, nonlinearity="relu")

    def order(self, epoch, images):
        return torch.randperm(images)


class SameStreams:
    """The table's random numbers: repeat 0 of seed 0."""

    def __init__(self, config):
        self.key = lambda label: Key(0, config, label)

    def dropout(self, index, rate):
        return SameMask(self.key(f"dropout.{index}"), rate)

    def weights(self, index, weight):
        words = self.key(f"weights.{index}").at(0, (weight.numel() + 1) // 2).astype(np.float64)
        radius = math.sqrt(2 / weight[0].numel()) * np.sqrt(-2 * np.log((words[:, 0] + 1) / 2**32))
        angle = math.tau * (words[:, 1] / 2**32)
        values = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)
        values = values[: weight.numel()].astype(np.float32)
        weight.copy_(torch.from_numpy(values).reshape(weight.shape))

    def order(self, epoch, images):
        words = self.key("order").at(epoch, images)[:, 0].astype(np.uint64)
        others = (words * (np.arange(images, dtype=np.uint64) + np.uint64(1))) >> np.uint64(32)
        others, order = others.tolist(), list(range(images))
        for i in range(images - 1, 0, -1):
            order[i], order[others[i]] = order[others[i]], order[i]
        return torch.tensor(order)


def final_accuracy(shown, randomness, train, validation):
    """NaN if the loss did not stay finite."""
    model = Model(shown, randomness.dropout)
    with torch.no_grad():
        for index, module in model.weighted:
            randomness.weights(index, module.weight)
            if module.bias is not None:
                module.bias.zero_()
    adam = model.adam()
    (images, labels), size = train, shown["training"]["batch_size"]
    for epoch in range(1, shown["training"]["epochs"] + 1):
        is_finite = torch.tensor(True)
        for batch in randomness.order(epoch, len(images)).split(size):
            adam.zero_grad()
            loss = F.cross_entropy(model(images[batch]), labels[batch])
            loss.backward()
            adam.step()
            is_finite &= loss.isfinite()
        if not is_finite:
            return math.nan
    model.eval()
    with torch.no_grad():
        parts = zip(validation[0].split(500), validation[1].split(500))
        correct = sum((model(x).argmax(1) == y).sum().item() for x, y in parts)
    return correct / len(validation[1])


def of_table(directory, configs):
    """Final validation accuracies by column: one a repeat."""
    settings = pq.read_table(directory / "curves.parquet").to_pydict()
    last, columns = max(settings["epoch"]), {}
    rows = zip(*(settings[c] for c in ("config_id", "repeat", "epoch", "val_accuracy")))
    for config, repeat, epoch, accuracy in rows:
        if epoch == last and config < configs:
            columns.setdefault(f"curvebook_repeat_{repeat}", {})[config] = accuracy
    return columns


def compare(a, b, columns):
    is_trainable = lambda accuracy: accuracy >= CHANCE + EPSILON
    pairs = [(columns[a][c], columns[b][c]) for c in columns[a] if c in columns[b]]
    same = sum(is_trainable(x) == is_trainable(y) for x, y in pairs)
    differences = [abs(x - y) for x, y in pairs if is_trainable(x) and is_trainable(y)]
    if differences:
        mean, largest = np.mean(differences), max(differences)
        print(f"{a} and {b}: the same verdict for {same} of {len(pairs)}, {len(differences)} "
              f"trainable in both, mean absolute difference {mean:.4f}, median "
              f"{np.median(differences):.4f}, largest {largest:.4f}")  # fmt: skip
    if a == "curvebook_repeat_0" and not b.startswith("curvebook"):
        is_met = same >= len(pairs) - 1 and differences and mean <= DIFFERENCE_MAX
        print("   as asked" if is_met else "   NOT as asked")


def write(path, columns):
    configs = sorted(set().union(*columns.values()))
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["config_id", *columns])
        text = lambda column, c: f"{column[c]:.4f}" if c in column else ""
        writer.writerows([c, *(text(column, c) for column in columns.values())] for c in configs)


def read(path):
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name != "config_id"]
    return {n: {int(r["config_id"]): float(r[n]) for r in rows if r[n]} for n in names}


def main():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    parser.add_argument("--table", type=Path, help="of curvebook; none: only what --out holds")
    parser.add_argument("--configs", type=int, default=24, help="the first N Sobol points")
    parser.add_argument("--seeds", type=int, nargs="*", default=[], help="independent runs")
    parser.add_argument("--same-streams", action="store_true", help="a run by the table's streams")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".csv"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    # Dead networks slow down by denormal numbers; none of them changes an accuracy.
    torch.set_flush_denormal(True)
    columns = read(arguments.out)
    if arguments.table:
        columns |= of_table(arguments.table, arguments.configs)
    wanted = {f"pytorch_seed_{s}": lambda c, s=s: Independent(s, c) for s in arguments.seeds}
    if arguments.same_streams:
        wanted[SAME] = SameStreams
    dataset = show(arguments.curvebook, arguments.space)["dataset"]
    data = None
    for name, randomness in wanted.items():
        columns[name] = {}
        for config in range(arguments.configs):
            shown = show(arguments.curvebook, arguments.space, "--config", config)
            data = data or split(dataset, arguments.data_dir, shown["training"])
            columns[name][config] = final_accuracy(shown, randomness(config), *data)
            print(name, config, columns[name][config], flush=True)
            write(arguments.out, columns)
    write(arguments.out, columns)
    for a, b in combinations(columns, 2):
        compare(a, b, columns)


if __name__ == "__main__":
    main()
