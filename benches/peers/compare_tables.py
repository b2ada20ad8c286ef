#!/usr/bin/env python3
"""Compares final accuracies of tables that hold the same configurations, pair by pair.

What: `val_accuracy` of the last epoch of repeat 0 in two tables that `curvebook train` made of the
same space and seed, on a GPU and on the CPU, or under two seeds to see how far one program is from
itself. A configuration counts as trainable if its final accuracy is at least 0.15, as in
retrain_pytorch.py; a lost training has an accuracy of 0 here. Differences are first - second; p is
Wilcoxon's signed-rank test of all pairs of tables together (equal accuracies left out): the chance
of a median so far from 0 if neither device were better.

What came of it stands in README.md.

Install (Python 3.11):
  python3 -m venv /tmp/peers && /tmp/peers/bin/pip install pyarrow==26.0.1 scipy==1.17.1
Run (after `cargo build --release`):
  for seed in 0 1; do for device in gpu cpu; do
    target/release/curvebook train --space digits-lenet --configs 24 --device $device \\
        --seed $seed --out /tmp/$device-$seed
  done; done
  /tmp/peers/bin/python benches/peers/compare_tables.py /tmp/gpu-0 /tmp/cpu-0 /tmp/gpu-1 /tmp/cpu-1
"""

import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from scipy.stats import wilcoxon

TRAINABLE = 0.15


def final(table):
    """Final accuracies by configuration."""
    curves = pq.read_table(Path(table) / "curves.parquet").to_pydict()
    last = max(curves["epoch"])
    rows = zip(curves["config_id"], curves["repeat"], curves["epoch"], curves["val_accuracy"])
    return {config: value for config, repeat, epoch, value in rows if (repeat, epoch) == (0, last)}


def compare(name, first, second):
    assert first.shape == second.shape
    first, second = np.nan_to_num(first), np.nan_to_num(second)
    difference = first - second
    same = (first >= TRAINABLE) == (second >= TRAINABLE)
    both = (first >= TRAINABLE) & (second >= TRAINABLE)
    apart = np.abs(difference)
    p = wilcoxon(difference).pvalue if difference.any() else 1.0
    print(
        f"{name}: same verdict {same.sum()} of {len(first)}, trainable in both {both.sum()}, "
        f"equal to the bit {(difference == 0).sum()}; mean difference {difference.mean():+.4f}, "
        f"absolute: mean {apart.mean():.4f}, median {np.median(apart):.4f}, "
        f"largest {apart.max():.4f}; p {p:.2f}"
    )


def main():
    tables = sys.argv[1:]
    if not tables or len(tables) % 2:
        sys.exit("give tables in pairs")
    firsts, seconds = [], []
    for first, second in zip(tables[::2], tables[1::2]):
        a, b = final(first), final(second)
        if a.keys() != b.keys():
            sys.exit(f"{first} and {second} hold other configurations")
        firsts.append(np.array([a[config] for config in sorted(a)]))
        seconds.append(np.array([b[config] for config in sorted(a)]))
        compare(f"{first} and {second}", firsts[-1], seconds[-1])
    if len(tables) > 2:
        compare("all pairs", np.concatenate(firsts), np.concatenate(seconds))


main()
