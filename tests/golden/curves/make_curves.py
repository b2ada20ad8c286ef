#!/usr/bin/env python3
"""Makes curves.json: 100 recorded curves of the table digits-lenet, as correct answers of 397.

Every 20th configuration, or the next one whose curve is finite.
Versions: Python 3.11, pyarrow 26.0.1.
Run from anywhere: python3 make_curves.py
"""
import json
import math
import pathlib

import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
TABLE = HERE.parents[2] / "tables" / "digits-lenet" / "curves.parquet"
IMAGES = 397

columns = pq.read_table(TABLE, columns=["config_id", "epoch", "val_accuracy"]).to_pydict()
curves = {}
for config, accuracy in zip(columns["config_id"], columns["val_accuracy"]):
    curves.setdefault(config, []).append(accuracy)


def is_whole(curve):
    return len(curve) == 30 and all(y is not None and math.isfinite(y) for y in curve)


chosen = []
for first in range(0, 2000, 20):
    config = next(c for c in range(first, first + 20) if is_whole(curves[c]))
    correct = [round(y * IMAGES) for y in curves[config]]
    assert all(c / IMAGES == y for c, y in zip(correct, curves[config]))
    chosen.append({"config_id": config, "correct": correct})
text = json.dumps({"images": IMAGES, "curves": chosen}, separators=(",", ":"))
(HERE / "curves.json").write_text(text.replace("},{", "},\n{") + "\n")
