#!/usr/bin/env python3
"""Makes wilcoxon.json: one-sided p-values of scipy's signed-rank test with zeros split.

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1. Run from anywhere: python3 make_wilcoxon.py
"""
import json
import pathlib

import numpy as np
from scipy import stats

rng = np.random.default_rng(20260711)
cases = []
for at in range(180):
    n = int(rng.integers(2, [14, 51, 90][at % 3]))
    n = max(n, [2, 14, 51][at % 3])
    levels = [3, 9, 10**6][int(rng.integers(3))]
    # Multiples of 1/64: ties are ties in every arithmetic.
    d = np.round(rng.normal(-0.3, 1, n) * levels) / 64
    p = stats.wilcoxon(d, zero_method="zsplit", alternative="less").pvalue
    cases.append({"d": d.tolist(), "p": float(p)})
lines = ",\n".join(json.dumps(c) for c in cases)
path = pathlib.Path(__file__).parent / "wilcoxon.json"
path.write_text(f'{{"scipy": "1.17.1", "cases": [\n{lines}\n]}}\n')
