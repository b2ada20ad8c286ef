#!/usr/bin/env python3
"""Makes fits.json: scipy's least-squares fits of the eleven families to prefixes of curves.json.

As pylearningcurvepredictor fits: MINPACK's Levenberg-Marquardt (`leastsq`) from the families'
defaults with a numerical Jacobian, residuals times the root of 10^(i/n). `cost` is the weighted sum
of squares there, `last` the value at epoch 30, `status` MINPACK's (1 to 4: converged).
Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1.
Run from anywhere: python3 make_fits.py
"""
import json
import pathlib
import warnings

import numpy as np
from scipy import optimize

from families import FAMILIES, recency_weights

HERE = pathlib.Path(__file__).parent
LENGTHS = [4, 8, 12, 16, 22]
EPOCHS = 30.0
warnings.simplefilter("ignore")

recorded = json.loads((HERE / "curves.json").read_text())
fits = []
for at, curve in enumerate(recorded["curves"]):
    n = LENGTHS[at % len(LENGTHS)]
    x = np.arange(1.0, n + 1)
    y = np.array(curve["correct"][:n]) / recorded["images"]
    root = np.sqrt(recency_weights(n))
    found = {}
    for name, (function, start) in FAMILIES.items():
        def residuals(p):
            return root * (function(x, *p) - y)

        point, _, _, _, status = optimize.leastsq(residuals, start, full_output=True)
        found[name] = {
            "status": status,
            "cost": float(np.sum(residuals(point) ** 2)),
            "last": float(function(EPOCHS, *point)),
        }
    fits.append({"config_id": curve["config_id"], "n": n, "fits": found})
text = json.dumps(fits, separators=(",", ":")).replace("NaN", "null")
(HERE / "fits.json").write_text(text.replace("},{\"config", "},\n{\"config") + "\n")
