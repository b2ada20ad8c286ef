#!/usr/bin/env python3
"""Makes functional_anova.json: variances and marginals of trees as Optuna's fANOVA has them.

Versions: Python 3.11, optuna 4.9.0, scikit-learn 1.9.1, numpy 2.4.6.
Run from anywhere: python3 make_functional_anova_golden.py (half a minute)

The trees are scikit-learn's, written out as [feature, threshold, left, right] or [value], so that
another program takes the same trees apart.
"""
import itertools
import json
import pathlib

import numpy as np
from optuna.importance._fanova._fanova import _Fanova
from optuna.importance._fanova._tree import _FanovaTree

CASES = [
    # Rows, ends of the features, leaves at most, trees.
    (60, [(0.0, 1.0)] * 3, None, 4),
    (80, [(-3.0, 5.0), (1e-4, 0.3), (1.0, 350.0), (0.0, 1.0)], 30, 3),
    (40, [(0.0, 1.0), (2.0, 3.0)], 5, 3),
    (30, [(0.0, 1.0)], None, 2),
]


def target(rng, share):
    curved = np.sin(4 * share[:, 0]) + share[:, -1] ** 2
    return curved + 2 * share[:, 0] * share[:, 1 % share.shape[1]] + 0.1 * rng.normal(size=len(share))


def written(tree):
    nodes = []
    for at in range(tree.node_count):
        if tree.feature[at] < 0:
            nodes.append([float(tree.value[at].reshape(-1)[0])])
        else:
            left, right = int(tree.children_left[at]), int(tree.children_right[at])
            nodes.append([int(tree.feature[at]), float(tree.threshold[at]), left, right])
    return nodes


def marginals(tree, bounds, rng):
    """A few points of every feature and pair, and what the tree says there on average."""
    found = []
    count = len(bounds)
    for size in (1, 2):
        for features in itertools.combinations(range(count), size):
            for _ in range(3):
                at = [float(rng.uniform(*bounds[f])) for f in features]
                sample = np.full(count, np.nan)
                sample[list(features)] = at
                value, _weight = tree._get_marginalized_statistics(sample)
                found.append({"features": features, "at": at, "value": float(value)})
    return found


def case(index, rows, bounds, leaves, trees):
    rng = np.random.default_rng(index)
    share = rng.random((rows, len(bounds)))
    # A third of the values stand on a coarse grid, so that thresholds are shared.
    share[: rows // 3] = np.round(share[: rows // 3] * 8) / 8
    low, high = np.array(bounds).T
    points = low + share * (high - low)
    fanova = _Fanova(trees, 64, 2, 1, seed=index)
    if leaves is not None:
        fanova._forest.set_params(max_leaf_nodes=leaves)
    fanova.fit(points, target(rng, share), np.array(bounds), [np.array([f]) for f in range(len(bounds))])
    importances = [fanova.get_importance(f) for f in range(len(bounds))]
    pairs = list(itertools.combinations(range(len(bounds)), 2))
    found = []
    for fitted, tree in zip(fanova._forest.estimators_, fanova._trees):
        assert isinstance(tree, _FanovaTree)
        found.append({
            "nodes": written(fitted.tree_),
            "mean": float(tree._statistics[0, 0]),
            "variance": float(tree.variance),
            "mains": [float(tree.get_marginal_variance(np.array([f]))) for f in range(len(bounds))],
            "joint": [float(tree.get_marginal_variance(np.array(pair))) for pair in pairs],
            "marginals": marginals(tree, bounds, rng),
        })
    return {
        "bounds": bounds,
        "pairs": pairs,
        "importances": [{"mean": mean, "deviation": std} for mean, std in importances],
        "trees": found,
    }


def main():
    cases = [case(index, *what) for index, what in enumerate(CASES)]
    text = json.dumps(cases, separators=(",", ":")).replace('},{"nodes"', '},\n{"nodes"')
    out = pathlib.Path(__file__).with_name("functional_anova.json")
    out.write_text(text.replace('{"bounds"', '\n{"bounds"') + "\n")


main()
