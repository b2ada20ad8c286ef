#!/usr/bin/env python3
"""Makes loop.json: how many trials SMAC3's HPO facade needs to its first goal row on two tables of
tests/golden/rf-ei, seed by seed.

Versions: Python 3.11, numpy 2.4.6, scipy 1.17.1, scikit-learn 1.6.1, ConfigSpace 1.2.2, smac 2.4.0.
Run from anywhere: python3 make_loop_golden.py [SEEDS]

Everything is SMAC3's but what a table cannot have: the ten configurations of the scrambled Sobol
design are the nearest free rows of its points, the maximiser ranks all free rows by the facade's
acquisition function (equals in random order) where SMAC3 searches locally, and an interleaved
random configuration is a uniform free row. The forest runs on one thread and has no limit of
leaves, for whose 2^20 scikit-learn would clear 200 MB a tree: it only changes the time. The goal is
one of the best three rows; trials are counted with the one that met it.
"""
import csv
import json
import pathlib
import sys
import tempfile

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace, Float
from smac import HyperparameterOptimizationFacade as Facade
from smac import Scenario
from smac.acquisition.maximizer.abstract_acquisition_maximizer import AbstractAcquisitionMaximizer
from smac.initial_design.sobol_design import SobolInitialDesign
from smac.runhistory.dataclasses import TrialValue

HERE = pathlib.Path(__file__).resolve().parent
DESIGN, GOAL_ROWS = 10, 3


class Design(SobolInitialDesign):
    """The nearest free rows of a Sobol design."""

    table = None

    def _select_configurations(self):
        return [self.table.nearest(c.get_array()) for c in super()._select_configurations()]


class Ranking(AbstractAcquisitionMaximizer):
    """All free rows by acquisition, with uniform ones among them."""

    table = None

    def _maximize(self, previous_configs, n_points):
        raise NotImplementedError

    def maximize(self, previous_configs, n_points=None, random_design=None):
        table, iteration, ranked = self.table, 1, None
        while table.free:
            if random_design.check(iteration):
                row = sorted(table.free)[table.rng.integers(len(table.free))]
            else:
                if ranked is None:
                    rows = table.rng.permutation(sorted(table.free))
                    scores = self._acquisition_function._compute(table.x[rows]).ravel()
                    ranked = iter(rows[np.argsort(-scores, kind="stable")].tolist())
                row = next(row for row in ranked if row in table.free)
            iteration += 1
            table.free.remove(row)
            yield table.configs[row]


class Table:
    def __init__(self, name, seed):
        with open(HERE.parent / "rf-ei" / f"{name}.csv") as file:
            rows = np.array(list(csv.reader(file))[1:], float)
        self.x, self.y = rows[:, :-1], rows[:, -1]
        self.space = ConfigurationSpace(seed=seed)
        names = [f"x{at}" for at in range(self.x.shape[1])]
        self.space.add([Float(name, (0.0, 1.0)) for name in names])
        values = ({n: float(v) for n, v in zip(names, row)} for row in self.x)
        self.configs = [Configuration(self.space, values=value) for value in values]
        self.row_of = {config: row for row, config in enumerate(self.configs)}
        self.x = np.array([config.get_array() for config in self.configs])
        self.free, self.rng = set(range(len(self.y))), np.random.default_rng([seed, 3])

    def nearest(self, point):
        free = np.array(sorted(self.free))
        row = int(free[((self.x[free] - point) ** 2).sum(axis=1).argmin()])
        self.free.remove(row)
        return self.configs[row]


def first_hit(name, seed):
    table = Table(name, seed)
    Design.table = Ranking.table = table
    goal = np.sort(table.y)[-GOAL_ROWS]
    with tempfile.TemporaryDirectory() as directory:
        scenario = Scenario(table.space, deterministic=True, n_trials=len(table.y), seed=seed,
                            output_directory=pathlib.Path(directory))
        model = Facade.get_model(scenario)
        model._rf_opts.update(n_jobs=1, max_leaf_nodes=None)
        smac = Facade(
            scenario, lambda config, seed=0: 0.0, model=model, overwrite=True, logging_level=50,
            initial_design=Design(scenario, n_configs=DESIGN),
            acquisition_maximizer=Ranking(table.space, seed=seed))
        trials = 0
        while True:
            info = smac.ask()
            trials += 1
            value = table.y[table.row_of[info.config]]
            if value >= goal:
                return trials
            smac.tell(info, TrialValue(cost=float(1.0 - value)), save=False)


def main():
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    out = {"goal_rows": GOAL_ROWS, "design": DESIGN, "trials": {}}
    tables = ["additive", "untrainable"]
    out["trials"] = {name: [] for name in tables}
    for seed in range(seeds):
        for name in tables:
            out["trials"][name].append(first_hit(name, seed))
        (HERE / "loop.json").write_text(json.dumps(out) + "\n")
    for name in tables:
        print(name, np.quantile(out["trials"][name], [0.1, 0.25, 0.5, 0.75, 0.9]), file=sys.stderr)


if __name__ == "__main__":
    main()
