"""Small cuts of what HPO programs recorded, and what another reader finds in them.

    pip install optuna==4.5.0
    python make_tools_golden.py DIRECTORY_OF_RECORDED_RUNS

- `optuna_journal.log`: written here by Optuna's own JournalStorage; read back by Optuna.
- `optuna_trials.jsonl`: the first 40 trials of optuna/optuna-dashboard,
  tslib/react/public/sample_db.sqlite3, MIT, a trial a line.
- `smac3_runhistory.json`: 60 of 179 evaluations of automl/DeepCAVE,
  logs/SMAC3v2/multi-fidelity/run_1, Apache-2.0.
- `hpbandster.jsonl`: 60 of 2,261 evaluations of automl/DeepCAVE, logs/BOHB/run_3, Apache-2.0,
  results.json and configs.json joined; the four that crashed are among them.
- `deepcave/`: 20 of 1,000 configurations of automl/DeepCAVE, logs/DeepCAVE/mnist_pytorch/run_1,
  Apache-2.0 (a directory of the recorder, unpacked, with the name deepcave_mnist).

Expected is, per configuration, the value and the seconds at every epoch (step, or rank of the
budget), null where there was none and "nan" where training crashed or reported NaN.
"""

import datetime
import gzip
import json
import math
import pathlib
import sys

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

HERE = pathlib.Path(__file__).parent
SOURCE = pathlib.Path(sys.argv[1])


# By whether it crashed, and whether it came to the last budget.
ENDS = {
    (False, False): "truncated",
    (False, True): "ok",
    (True, False): "failed",
    (True, True): "diverged",
}


def value(number):
    return "nan" if number is None or not math.isfinite(number) else number


def lines(name):
    with gzip.open(SOURCE / name, "rt") as text:
        return [json.loads(line) for line in text]


def optuna_journal():
    path = HERE / "optuna_journal.log"
    path.unlink(missing_ok=True)
    storage = JournalStorage(JournalFileBackend(str(path)))
    study = optuna.create_study(
        study_name="golden",
        storage=storage,
        direction="maximize",
        sampler=optuna.samplers.RandomSampler(seed=1),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3),
    )

    def objective(trial):
        rate = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
        layers = trial.suggest_int("layers", 1, 3)
        if trial.suggest_categorical("optimizer", ["adam", "sgd"]) == "sgd":
            trial.suggest_float("momentum", 0.0, 0.99)
        if trial.number == 5:
            raise ValueError("crashed")
        score = 0.0
        for step in range(6):
            score = 1.0 - rate - 0.1 / (step + 1) - 0.01 * layers
            trial.report(score, step)
            if trial.should_prune():
                raise optuna.TrialPruned()
        return score

    study.optimize(objective, n_trials=14, catch=(ValueError,))
    storage = JournalStorage(JournalFileBackend(str(path)))
    study = optuna.load_study(study_name="golden", storage=storage)
    # Without the name of the machine's process.
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        row["worker_id"] = "worker"
    path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
    expected = {}
    for trial in study.trials:
        steps = sorted(trial.intermediate_values.items())
        if steps:
            each = trial.duration.total_seconds() / len(steps)
            expected[str(trial.number)] = {
                "curve": [value(v) for _, v in steps],
                "seconds": [each] * len(steps),
                "status": {"COMPLETE": "ok", "PRUNED": "truncated"}[trial.state.name],
                "values": trial.params,
            }
    return expected


def optuna_trials():
    cut = lines("optuna_dashboard_sample_100trials.jsonl.gz")[:40]
    with open(HERE / "optuna_trials.jsonl", "w") as text:
        for trial in cut:
            text.write(json.dumps(trial, separators=(",", ":")) + "\n")
    expected = {}
    for trial in cut:
        steps = sorted(trial["intermediate_values"])
        keys = ("datetime_start", "datetime_complete")
        at = [datetime.datetime.fromisoformat(trial[key]) for key in keys]
        each = (at[1] - at[0]).total_seconds() / len(steps)
        expected[str(trial["number"])] = {
            "curve": [value(v) for _, v in steps],
            "seconds": [each] * len(steps),
            "status": {"COMPLETE": "ok", "PRUNED": "truncated"}[trial["state"]],
            "values": trial["params"],
        }
    return expected


def by_budget(rows, configs):
    """Rows: configuration, budget, value, seconds."""
    budgets = sorted({budget for _, budget, _, _ in rows})
    expected = {}
    for config in dict.fromkeys(row[0] for row in rows):
        of = {budget: (v, s) for c, budget, v, s in rows if c == config}
        last = max(budgets.index(budget) for budget in of)
        points = [of.get(budget) for budget in budgets[: last + 1]]
        sound = [i for i, p in enumerate(points) if p and value(p[0]) != "nan"]
        last_sound = max(sound, default=0)
        # A crash before a later success is no divergence, and was not measured.
        points = [
            p and (None if value(p[0]) == "nan" and i < last_sound else value(p[0]), p[1])
            for i, p in enumerate(points)
        ]
        failed = any(point and point[0] == "nan" for point in points)
        full = last + 1 == len(budgets)
        expected[config] = {
            "curve": [None if point is None else point[0] for point in points],
            "seconds": [0.0 if point is None else point[1] for point in points],
            "status": ENDS[failed, full],
            "values": configs[config],
        }
    return expected


def smac3():
    with gzip.open(SOURCE / "smac3_multifidelity_runhistory.json.gz", "rt") as text:
        history = json.load(text)
    history["data"] = history["data"][:60]
    used = {str(row[0]) for row in history["data"]}
    for part in ("configs", "config_origins"):
        history[part] = {k: v for k, v in history[part].items() if k in used}
    (HERE / "smac3_runhistory.json").write_text(json.dumps(history))
    rows = [(str(r[0]), r[3], r[4], r[5]) for r in history["data"]]
    return by_budget(rows, history["configs"])


def name_of(row):
    return json.dumps(row["id"], separators=(",", ":"))


def hpbandster():
    every = lines("bohb_deepcave_run3.jsonl.gz")
    described = {name_of(r): r["config"] for r in every if "config" in r}
    crashed = {json.dumps(r["id"]) for r in every if r["state"] == "CRASHED"}
    cut = [r for r in every if json.dumps(r["id"]) in crashed]
    cut = every[: 60 - len(cut)] + [r for r in cut if r not in every[: 60 - len(cut)]]
    seen = set()
    with open(HERE / "hpbandster.jsonl", "w") as text:
        for row in cut:
            name = name_of(row)
            row.pop("config", None)
            if name not in seen:
                row["config"] = described[name]
            seen.add(name)
            text.write(json.dumps(row, separators=(",", ":")) + "\n")
    rows = [
        (name_of(r), r["budget"], r["loss"], r["finished"] - r["started"]) for r in cut
    ]
    return by_budget(rows, described)


def deepcave():
    source, out = SOURCE / "deepcave_mnist", HERE / "deepcave"
    out.mkdir(exist_ok=True)
    meta = json.loads((source / "meta.json").read_text())
    configs = json.loads((source / "configs.json").read_text())
    history = [json.loads(line) for line in (source / "history.jsonl").read_text().splitlines()]
    history = [row for row in history if row[0] < 20]
    configs = {k: v for k, v in configs.items() if int(k) < 20}
    (out / "meta.json").write_text(json.dumps(meta))
    (out / "configs.json").write_text(json.dumps(configs))
    (out / "history.jsonl").write_text("".join(json.dumps(row) + "\n" for row in history))
    rows = [(str(r[0]), r[1], r[3][0], r[5] - r[4]) for r in history]
    return by_budget(rows, configs)


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    golden = {
        "optuna_journal.log": optuna_journal(),
        "optuna_trials.jsonl": optuna_trials(),
        "smac3_runhistory.json": smac3(),
        "hpbandster.jsonl": hpbandster(),
        "deepcave": deepcave(),
    }
    (HERE / "expected_tools.json").write_text(json.dumps(golden) + "\n")
