#!/usr/bin/env python3
"""Whole loops: trials to a goal of a reference optimiser on a table, beside curvebook's.

Both sides search the same rows. The reference asks and tells in Python: its proposal goes to the
nearest free row as in curvebook (`Table.nearest`), and the row's own values are what it is told.
What comes out is how many trials each run took to the goal, and how the two samples compare:
P(sooner), the probability that a run of ours takes fewer trials than one of theirs (ties count
half), with its 95 % interval (DeLong 1988); the ratio of medians with a bootstrap interval;
Kolmogorov-Smirnov and Mann-Whitney. A run that ends without the goal counts as infinite.

Needs Python 3.11, numpy, scipy, pyarrow, and the reference (its class below says which version).

    python3 whole_loop.py synthetic DIR                 writes a synthetic table
    python3 whole_loop.py run --table DIR --reference optuna4 --sampler tpe --goal rank:10 \\
        --seeds 200 --processes 2 --curvebook PATH      compares, and prints a line of JSON

Another reference: a class with `propose() -> point` and `tell(row, point, score)`, made from a
`Table` and a seed, in REFERENCES or passed to `reference_runs`. `score` is what a trial reports,
larger is better, and NaN where it has nothing; a point has a coordinate in 0..1 a parameter. To
import from a script beside this one: `import whole_loop`.
"""
import argparse
import json
import math
import multiprocessing
import pathlib
import subprocess
import tempfile

import numpy as np


class Parameter:
    """One of a table's space, with curvebook's coordinates."""

    def __init__(self, raw):
        self.name, self.kind = raw["name"], raw["type"]
        self.low, self.high = raw.get("low"), raw.get("high")
        self.log, self.choices = raw.get("log", False), raw.get("choices")
        assert raw.get("condition") is None and raw.get("values") is None, "plain spaces alone"

    def ends(self):
        """On the scale of the coordinate: half a step beyond either end of whole numbers."""
        half = 0.5 if self.kind == "int" else 0.0
        low, high = self.low - half, self.high + half
        return (math.log(low), math.log(high)) if self.log else (low, high)

    def to_unit(self, value):
        if self.kind == "categorical":
            return (self.choices.index(value) + 0.5) / len(self.choices)
        low, high = self.ends()
        if high <= low:
            return 0.5
        return ((math.log(value) if self.log else value) - low) / (high - low)

    def from_unit(self, u):
        if self.kind == "categorical":
            return self.choices[min(int(u * len(self.choices)), len(self.choices) - 1)]
        low, high = self.ends()
        value = low + u * (high - low)
        value = math.exp(value) if self.log else value
        if self.kind == "int":
            value = round(value) if self.log else self.low + int(u * (self.high - self.low + 1))
        return min(max(value, self.low), self.high)


class Table:
    """A curvebook table in memory: `points` (rows x parameters), `scores`, larger is better."""

    def __init__(self, directory):
        import pyarrow.parquet as pq

        directory = pathlib.Path(directory)
        about = json.loads((directory / "table.json").read_text())
        self.parameters = [Parameter(p) for p in about["space"]["parameters"]]
        configs = pq.read_table(directory / "configs.parquet").to_pydict()
        metric, goal = about["metric"]["name"], about["metric"]["goal"]
        curves = pq.read_table(directory / "curves.parquet",
                               columns=["config_id", "repeat", metric]).to_pydict()
        rows = len(configs["config_id"])
        self.native = [{p.name: configs[p.name][row] for p in self.parameters}
                       for row in range(rows)]
        self.points = np.array([[p.to_unit(native[p.name]) for p in self.parameters]
                                for native in self.native])
        self.scores = np.full(rows, np.nan)
        sign = 1.0 if goal == "maximize" else -1.0
        for row, repeat, value in zip(curves["config_id"], curves["repeat"], curves[metric]):
            if repeat == 0 and value is not None and math.isfinite(value):
                self.scores[row] = np.fmax(self.scores[row], sign * value)
        self.is_choice = np.array([p.kind == "categorical" for p in self.parameters])

    def threshold(self, goal):
        """Of `rank:K`: the K-th best score."""
        rank = int(goal.removeprefix("rank:"))
        return np.sort(self.scores[np.isfinite(self.scores)])[-rank]

    def nearest(self, point, free, order):
        """The free row nearest to a point; choices differ by 1, ties go to the first in order."""
        point = np.array([p.to_unit(p.from_unit(u)) if p.kind == "categorical" else u
                          for p, u in zip(self.parameters, point)])
        rows = order[free[order]]
        apart = self.points[rows] - point
        apart[:, self.is_choice] = apart[:, self.is_choice] != 0
        return rows[np.argmin(np.sum(apart * apart, axis=1))]


class Optuna4:
    """Optuna 4.9.0's TPESampler as it comes; its proposals are told as failed, which it ignores."""

    startup = 10
    options = {}

    def __init__(self, table, seed):
        import optuna
        from optuna import distributions as d

        assert optuna.__version__ == "4.9.0"
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.optuna, self.table = optuna, table
        self.study = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, **self.options))
        self.space = {}
        for p in table.parameters:
            if p.kind == "categorical":
                self.space[p.name] = d.CategoricalDistribution(p.choices)
            else:
                kind = d.IntDistribution if p.kind == "int" else d.FloatDistribution
                self.space[p.name] = kind(p.low, p.high, log=p.log)

    def propose(self):
        trial = self.study.ask()
        values = {name: trial._suggest(name, d) for name, d in self.space.items()}
        self.study.tell(trial, state=self.optuna.trial.TrialState.FAIL)
        return [p.to_unit(values[p.name]) for p in self.table.parameters]

    def tell(self, row, _point, score):
        state = self.optuna.trial.TrialState
        is_number = math.isfinite(score)
        self.study.add_trial(self.optuna.trial.create_trial(
            state=state.COMPLETE if is_number else state.FAIL, params=self.table.native[row],
            distributions=self.space, value=score if is_number else None))


class Optuna4Altered(Optuna4):
    """A negative control: three times as many good trials."""

    options = {"gamma": lambda n: min(math.ceil(0.3 * n), 75)}


REFERENCES = {"optuna4": Optuna4, "optuna4-altered": Optuna4Altered}


def reference_run(table, reference, goal, seed, trials_max=None):
    """Trials to the goal of one run; infinite where it is not met. The first trials, as many as the
    reference starts with, are random rows, as curvebook's are."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(table.scores))
    free = np.ones(len(order), dtype=bool)
    optimiser, bar = reference(table, seed), table.threshold(goal)
    bar -= 1e-7 * max(1.0, abs(bar))
    for trial in range(min(trials_max or len(order), len(order))):
        if trial < reference.startup:
            row, point = order[free[order]][0], None
        else:
            point = optimiser.propose()
            row = table.nearest(point, free, order)
        free[row] = False
        if table.scores[row] >= bar:
            return trial + 1
        optimiser.tell(int(row), point, float(table.scores[row]))
    return math.inf


def _one(arguments):
    return reference_run(*arguments)


def reference_runs(directory, reference, goal, seeds, processes=1, trials_max=None):
    """Trials to the goal of runs with seeds 0, 1, ..."""
    table = Table(directory)
    jobs = [(table, reference, goal, seed, trials_max) for seed in range(seeds)]
    with multiprocessing.Pool(processes) as pool:
        return pool.map(_one, jobs, chunksize=1)


def curvebook_runs(program, directory, sampler, goal, seeds, trials_max=None, options=()):
    """The same of `curvebook replay`."""
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as at:
        out = pathlib.Path(at) / "runs.parquet"
        limit = ["--max-trials", str(trials_max)] if trials_max else []
        asked = ["--table", str(directory), "--sampler", sampler, "--goal", goal]
        subprocess.run([program, "replay", *asked, "--repeats", str(seeds), "--no-analysis",
                        "--out", str(out), *limit, *options], check=True, capture_output=True)
        trials = pq.read_table(out, columns=["trials_to_goal"])["trials_to_goal"].to_pylist()
    return [math.inf if count is None else count for count in trials]


def compare(ours, theirs, seed=0):
    """How two samples of trials to the goal compare."""
    from scipy import stats

    ours, theirs = np.array(ours, dtype=float), np.array(theirs, dtype=float)
    with np.errstate(invalid="ignore"):
        wins = (ours[:, None] < theirs[None, :]) + 0.5 * (ours[:, None] == theirs[None, :])
    sooner = wins.mean()
    half = 1.959964 * math.sqrt(wins.mean(axis=1).var(ddof=1) / len(ours)
                                + wins.mean(axis=0).var(ddof=1) / len(theirs))
    rng = np.random.default_rng(seed)
    ratios = [np.median(rng.choice(ours, len(ours))) / np.median(rng.choice(theirs, len(theirs)))
              for _ in range(4000)]
    capped = [np.where(np.isfinite(x), x, 1e18) for x in (ours, theirs)]
    return {
        "runs": [len(ours), len(theirs)],
        "unmet": [int(np.isinf(ours).sum()), int(np.isinf(theirs).sum())],
        "medians": [float(np.median(ours)), float(np.median(theirs))],
        "p_sooner": round(float(sooner), 4),
        "p_sooner_interval": [round(float(sooner - half), 4), round(float(sooner + half), 4)],
        "median_ratio": round(float(np.median(ours) / np.median(theirs)), 4),
        "median_ratio_interval": [round(float(q), 4) for q in np.quantile(ratios, [0.025, 0.975])],
        "kolmogorov_smirnov_p": round(float(stats.ks_2samp(*capped).pvalue), 4),
        "mann_whitney_p": round(float(stats.mannwhitneyu(*capped).pvalue), 4),
    }


def write_synthetic(directory, rows=1000):
    """A table of one epoch: two real numbers, one on the logarithm, two whole numbers and a choice
    add up, with a little noise; every seventh row is untrainable and stays at chance."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(14)
    parameters = [
        {"name": "width", "type": "float", "low": 0.0, "high": 2.0},
        {"name": "decay", "type": "float", "low": 0.0, "high": 1.0},
        {"name": "rate", "type": "float", "low": 1e-4, "high": 0.1, "log": True},
        {"name": "units", "type": "int", "low": 1, "high": 200},
        {"name": "kernel", "type": "int", "low": 2, "high": 7},
        {"name": "activation", "type": "categorical", "choices": ["relu", "elu", "tanh"]},
    ]
    space = [Parameter(p) for p in parameters]
    u = rng.random((rows, len(space)))
    native = [[p.from_unit(x) for p, x in zip(space, point)] for point in u]
    u = np.array([[p.to_unit(v) for p, v in zip(space, values)] for values in native])
    losses = np.array([2.0, 0.5, 4.0, 1.0, 0.5]) * (u[:, :5] - [0.3, 0.6, 0.7, 0.8, 0.4]) ** 2
    value = 0.95 - 0.4 * losses.sum(axis=1) - 0.05 * (u[:, 5] > 0.5)
    value = np.clip(value + 0.01 * rng.standard_normal(rows), 0.1, 1.0)
    value[::7] = 0.1
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    about = {"format": "curvebook-table", "version": 1, "name": "synthetic", "epochs": 1,
             "repeats": 1, "configs": rows,
             "metric": {"name": "val_accuracy", "goal": "maximize", "chance": 0.1},
             "space": {"name": "synthetic", "parameters": parameters}}
    columns = {p.name: [values[at] for values in native] for at, p in enumerate(space)}
    ids = pa.array(range(rows), pa.uint32())
    pq.write_table(pa.table({"config_id": ids, **columns}), directory / "configs.parquet")
    pq.write_table(pa.table({
        "config_id": ids, "repeat": pa.array([0] * rows, pa.uint16()),
        "epoch": pa.array([1] * rows, pa.uint16()), "val_accuracy": value,
        "seconds": np.ones(rows)}), directory / "curves.parquet")
    (directory / "table.json").write_text(json.dumps(about, indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("synthetic").add_argument("directory")
    run = commands.add_parser("run")
    run.add_argument("--table", required=True)
    run.add_argument("--reference", required=True, choices=REFERENCES)
    run.add_argument("--sampler", required=True)
    run.add_argument("--goal", required=True)
    run.add_argument("--seeds", type=int, default=200)
    run.add_argument("--our-seeds", type=int)
    run.add_argument("--processes", type=int, default=1)
    run.add_argument("--max-trials", type=int)
    run.add_argument("--curvebook", default="curvebook")
    arguments = parser.parse_args()
    if arguments.command == "synthetic":
        return write_synthetic(arguments.directory)
    ours = curvebook_runs(arguments.curvebook, arguments.table, arguments.sampler, arguments.goal,
                          arguments.our_seeds or arguments.seeds, arguments.max_trials)
    theirs = reference_runs(arguments.table, REFERENCES[arguments.reference], arguments.goal,
                            arguments.seeds, arguments.processes, arguments.max_trials)
    about = {"table": pathlib.Path(arguments.table).name, "sampler": arguments.sampler,
             "reference": arguments.reference, "goal": arguments.goal}
    print(json.dumps({**about, **compare(ours, theirs)}))


if __name__ == "__main__":
    main()
