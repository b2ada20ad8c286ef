#!/usr/bin/env python3
"""Makes families.json: values and complex-step derivatives of the eleven families.

Versions: Python 3.11, numpy 2.4.6.
Run from anywhere: python3 make_families.py
"""
import json
import pathlib

import numpy as np

from families import FAMILIES

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(20261128)
STEP = 1e-30

cases = []
for name, (function, start) in FAMILIES.items():
    for trial in range(6):
        spread = 0.0 if trial == 0 else 0.3
        point = np.array(start) * np.exp(spread * rng.standard_normal(len(start)))
        for x in [1.0, 2.0, 7.0, 30.0, 200.0]:
            slopes = []
            for at in range(len(point)):
                moved = point.astype(complex)
                moved[at] += STEP * 1j
                slopes.append((function(x + 0j, *moved)).imag / STEP)
            value = function(x, *point)
            case = {"family": name, "parameters": list(point), "x": x}
            cases.append(case | {"value": value, "gradient": slopes})
text = json.dumps(cases, separators=(",", ":"))
(HERE / "families.json").write_text(text.replace("},{", "},\n{") + "\n")
