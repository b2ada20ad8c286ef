#!/usr/bin/env python3
"""Makes grid.json: the points of full factorial designs in the order of nested loops.

Versions: Python 3.11, numpy 2.4.6.
Run from anywhere: python3 make_grid_golden.py

Levels are numpy's linspace and geomspace, rounded for whole numbers (halves up), the product is
itertools'. A parameter that plays no part is null, and its points are one.
"""
import itertools
import json
import pathlib

import numpy as np

# (kind, low, high) or (kind, values); the last one plays a part only where the third is "sgd".
PARAMETERS = [
    ("float", 0.25, 1.0, False),
    ("float", 1e-4, 1.0, True),
    ("categorical", ["adam", "sgd", "lamb"]),
    ("int", 2, 9, False),
    ("int", 1, 350, True),
    ("ordinal", [16, 24, 32, 256]),
    ("float", 0.5, 0.5, False),
    ("int", 3, 4, False),
]


def levels_of(parameter, levels):
    kind = parameter[0]
    if kind == "categorical":
        return list(range(len(parameter[1])))
    if kind == "ordinal":
        values = parameter[1]
        places = places_of(0, len(values) - 1, levels)
        return [values[place] for place in places]
    _, low, high, log = parameter
    if kind == "float":
        if low == high:
            return [low]
        if levels == 1:
            return [float(np.sqrt(low * high)) if log else (low + high) / 2]
        return (np.geomspace if log else np.linspace)(low, high, levels).tolist()
    if log and high - low + 1 > levels:
        exact = [np.sqrt(low * high)] if levels == 1 else np.geomspace(low, high, levels)
        return [int(v) for v in np.unique(np.rint(exact))]
    return places_of(low, high, levels)


def places_of(low, high, levels):
    levels = min(levels, high - low + 1)
    exact = [(low + high) / 2] if levels == 1 else np.linspace(low, high, levels)
    return [int(np.floor(v + 0.5)) for v in exact]


def points(levels):
    seen, found = set(), []
    for point in itertools.product(*(levels_of(p, levels) for p in PARAMETERS)):
        if point[2] != 1:
            point = point[:-1] + (None,)
        if point not in seen:
            seen.add(point)
            found.append(point)
    return found


def case(levels):
    found = points(levels)
    # All of a small grid, and every 97th point of a large one.
    step = 1 if len(found) < 100 else 97
    return {
        "levels": levels,
        "values": [levels_of(p, levels) for p in PARAMETERS],
        "count": len(found),
        "step": step,
        "points": found[::step],
    }


cases = [case(levels) for levels in [1, 2, 3, 5]]
out = pathlib.Path(__file__).with_name("grid.json")
out.write_text(json.dumps(cases) + "\n")
